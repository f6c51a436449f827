"""What is done to an arm, as the time lines of the report draw it: marks for acts, bars for what lasts."""

from __future__ import annotations

from dataclasses import dataclass

from paget.experiment import HOURS_PER_DAY, Arm, Intervention

__all__ = ["Done", "acts", "treatment", "waiting"]

_LASTING = ("perturbation", "depletion", "override")
_PREFIXES = {"injection": "injection of "}


@dataclass(frozen=True)
class Done:
    """One act: its name, which is the same in every arm, its day, the day it ends if it lasts, and what is done."""

    label: str
    start: float
    end: float | None
    words: str


def acts(arm: Arm, duration: float) -> list[Done]:
    """List what is done before `duration` (h), by time, as far as it does not depend on what happens to an animal."""
    found = []
    for act in arm.plan(duration).acts:
        end = min(act.end, duration) / HOURS_PER_DAY if act.what.kind in _LASTING else None
        found.append(Done(_label(act.what), act.time / HOURS_PER_DAY, end, _words(act.what)))
    return found


def waiting(arm: Arm, duration: float) -> list[str]:
    """Describe what waits for an event of the animal's own story, so that its day differs between animals."""
    known = {id(act.what) for act in arm.plan(duration).acts}
    held = [what for what in arm.interventions if id(what) not in known or _depends(what)]
    return list(dict.fromkeys(what.in_words() for what in held))


def _depends(what: Intervention) -> bool:
    """Whether it begins or ends when a condition is met."""
    moments = (*what.moments, what.ending)
    return any(getattr(moment, "condition", None) is not None for moment in moments)


def treatment(arm: Arm, duration: float) -> tuple[object, ...]:
    """What is done to an arm, so that equal means the same treatment however it was written."""
    known = [
        (act.what.kind, act.what.label, str(getattr(act.what, "amount", "")), act.time, act.end)
        if act.what.kind in ("dose", "antibody")
        else (act.what.kind, act.what.in_words(), "", act.time, act.end)
        for act in arm.plan(duration).acts
    ]
    return (tuple(sorted(known, key=repr)), tuple(sorted(waiting(arm, duration))))


def _label(what: Intervention) -> str:
    if what.kind == "perturbation":
        return f"{getattr(what, 'change', 'change')} of {what.label}"
    if what.kind == "resection":
        return "resection"
    return _PREFIXES.get(what.kind, "") + what.label


def _words(what: Intervention) -> str:
    """What one act of a course is; of anything else, all that is told of it."""
    amount = getattr(what, "amount", None)
    if what.kind in ("dose", "antibody") and amount is not None:
        return f"{what.label} {amount:g} mg/kg"
    return what.in_words()
