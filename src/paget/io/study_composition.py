"""Put a study together from the settings of a file: over a study of the catalogue, and arm upon arm.

Problems are gathered, not raised, each with its path in the file, so that a user sees all of them at once.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from pydantic import BaseModel, Field, ValidationError

from paget.errors import UnknownNameError
from paget.experiment import Arm, Study
from paget.problems import Misfits, Problem, problems_of, shown
from paget.settings import SignedHours

__all__ = ["ArmEntry", "compose"]

_Path = tuple[str | int, ...]
_Model = TypeVar("_Model", bound=BaseModel)


class ArmEntry(Arm):
    """An arm as a study file gives it: an arm, or the differences from another one."""

    like: str | None = Field(
        default=None,
        description="The arm to start from: one of the base study, or one above this one. Its doses, operations and "
        "parameters are taken over; those given here are added.",
    )
    shift: dict[str, SignedHours] = Field(
        default_factory=dict, description="How much later (or earlier, if negative) a drug of 'like' is given."
    )
    without: tuple[str, ...] = Field(default=(), description="Drugs of 'like' that are left out.")


@dataclass(frozen=True)
class _PlacedArm:
    """An arm, and the path in the file that it comes from; an arm of the base study has none."""

    arm: Arm
    path: _Path = ()
    adapted: bool = False


def compose(settings: Mapping[str, Any], default_name: str) -> tuple[Study | None, list[Problem]]:
    """Put a study together from a file's settings; every problem comes with its path in the file."""
    own = {"name": default_name, **settings}
    entries, keep, base, problems = own.pop("arms", []), own.pop("keep", None), None, list[Problem]()
    if "base" in own:
        base, problems = _base(own.pop("base"))
        if base is None:  # nothing that refers to its arms can be judged
            return None, problems
    arms = [_PlacedArm(arm) for arm in base.arms] if base is not None else []
    if isinstance(entries, list):
        for i, entry in enumerate(entries):
            known = {placed.arm.name: placed.arm for placed in arms}
            arm, wrong = _arm(entry, ("arms", i), known, below=entries[i + 1 :])
            arms.append(arm)
            problems += wrong
    else:
        problems.append(Problem(("arms",), f"expected a list of arms ('- name: ...' lines), not {shown(entries)}"))
    if "keep" in settings:
        arms, wrong = _selected(arms, keep, base)
        problems += wrong
    problems += _without_control(arms)
    data = _merged(base, own) if base is not None else own
    if "arms" in settings or base is not None:
        data["arms"] = tuple(placed.arm for placed in arms)
    study, wrong = _lenient(Study, data, also_known=("base", "keep"))
    problems += [_in_file(problem, arms) for problem in wrong if problem.path != ("arms",) or isinstance(entries, list)]
    return study, problems


def _base(name: Any) -> tuple[Study | None, list[Problem]]:
    from paget import catalogue

    if not isinstance(name, str):
        return None, [Problem(("base",), f"expected the name of a study in the catalogue, not {shown(name)}")]
    try:
        return catalogue.load_study(name), []
    except UnknownNameError as error:
        return None, [Problem(("base",), str(error))]


def _arm(data: Any, path: _Path, known: Mapping[str, Arm], below: Sequence[Any]) -> tuple[_PlacedArm, list[Problem]]:
    """Read one entry of 'arms'; where it is wrong, a bare arm of that name lets the rest be checked."""
    entry, problems = _lenient(ArmEntry, data)
    problems = [Problem((*path, *problem.path), problem.message) for problem in problems]
    plain = data if isinstance(data, dict) else {}
    like = known.get(str(plain.get("like")))
    if isinstance(plain.get("like"), str) and like is None:
        problems.append(Problem((*path, "like"), _unknown_arm(plain["like"], known, below)))
    if entry is None:
        name = plain.get("name")
        usable = isinstance(name, str) and name.isprintable() and 0 < len(name.strip()) <= 80
        return _PlacedArm(Arm(name=str(name) if usable else f"arm {path[-1]}"), path), problems
    own = {name: getattr(entry, name) for name in Arm.model_fields}
    if entry.like is None:
        problems += [
            Problem((*path, setting), "changes the arm named by 'like'; there is no 'like' here")
            for setting in ("shift", "without")
            if getattr(entry, setting)
        ]
        return _PlacedArm(Arm(**own), path), problems
    if like is None:
        return _PlacedArm(Arm(name=entry.name), path), problems
    try:
        arm = like.adapted(shift=entry.shift, without=entry.without, **own)
    except Misfits as error:
        problems += [Problem((*path, *problem.path), problem.message) for problem in error.problems]
        return _PlacedArm(Arm(name=entry.name), path), problems
    return _PlacedArm(arm, path, adapted=True), problems


def _without_control(arms: Sequence[_PlacedArm]) -> Iterable[Problem]:
    """Arms of the file that would stand alone: compared with none, and the control of none."""
    if len(arms) < 2:
        return
    controls = {placed.arm.versus for placed in arms}
    for placed in arms:
        arm = placed.arm
        treated = bool(arm.interventions or arm.parameters)
        if placed.path and treated and not arm.point and arm.versus is None and arm.name not in controls:
            others = ", ".join(f"'{other.arm.name}'" for other in arms[:5] if other is not placed)
            yield Problem(
                placed.path,
                f"arm '{placed.arm.name}' has no control, and is the control of no other arm; say 'versus' ({others} ...)",
            )


def _unknown_arm(name: str, known: Mapping[str, Arm], below: Sequence[Any]) -> str:
    if any(isinstance(other, dict) and other.get("name") == name for other in below):
        return f"arm '{name}' stands below this one; put it above"
    return str(UnknownNameError("arm", name, known))


def _selected(arms: list[_PlacedArm], keep: Any, base: Study | None) -> tuple[list[_PlacedArm], list[Problem]]:
    """Leave out the arms of the base study that 'keep' does not name; what was compared with them no longer is."""
    if base is None:
        return arms, [Problem(("keep",), "chooses among the arms of 'base'; there is no such study here")]
    if not isinstance(keep, list) or not all(isinstance(name, str) for name in keep):
        return arms, [Problem(("keep",), f"expected a list of arms of the base study, not {shown(keep)}")]
    problems = [
        Problem(("keep", i), str(UnknownNameError("arm of the base study", name, base.arm_names)))
        for i, name in enumerate(keep)
        if name not in base.arm_names
    ]
    dropped = set(base.arm_names) - set(keep)
    kept: list[_PlacedArm] = []
    for placed in arms:
        if placed.path and placed.arm.versus in dropped:
            words = f"arm '{placed.arm.name}' is compared with '{placed.arm.versus}', which 'keep' leaves out"
            problems.append(Problem(placed.path, words))
        if placed.path or placed.arm.name in keep:
            forgotten = {"versus": None} if placed.arm.versus in dropped else {}
            kept.append(replace(placed, arm=placed.arm.model_copy(update=forgotten)))
    return kept, problems


def _merged(base: Study, own: Mapping[str, Any]) -> dict[str, Any]:
    """Lay a file's settings over its base: mappings are merged, removals and rules added, the rest replaced."""
    data = base.model_dump(exclude_none=True)
    for key, value in own.items():
        if key in ("options", "parameters", "record") and isinstance(value, dict):
            data[key] = {**data[key], **value}
        elif key in ("without", "rules") and isinstance(value, list):
            data[key] = [*data[key], *value]
        else:
            data[key] = value
    return data


def _in_file(problem: Problem, arms: Sequence[_PlacedArm]) -> Problem:
    """Move a problem from its path in the study to the path in the file."""
    if problem.path[:1] != ("arms",) or len(problem.path) < 2:
        return problem
    if int(problem.path[1]) >= len(arms):  # one of the arms that the sweep makes
        return Problem(("sweep",), problem.message)
    placed = arms[int(problem.path[1])]
    if not placed.path:  # an arm of the base study fits no longer because the file changed the duration
        return Problem(("duration",), problem.message)
    return Problem(placed.path if placed.adapted else (*placed.path, *problem.path[2:]), problem.message)


def _lenient(model: type[_Model], data: Any, also_known: Iterable[str] = ()) -> tuple[_Model | None, list[Problem]]:
    """Validate `data`; if only unknown settings are wrong, drop them and go on, so that later checks are made too."""
    try:
        return model.model_validate(data), []
    except ValidationError as error:
        problems = list(problems_of(error, model, also_known))
        unknown = [detail["loc"] for detail in error.errors() if detail["type"] == "extra_forbidden"]
    if len(unknown) < len(problems):
        return None, problems
    data = copy.deepcopy(data)
    for path in unknown:
        holder = data
        for part in path[:-1]:
            holder = holder[part]
        holder.pop(path[-1], None)
    value, later = _lenient(model, data, also_known)
    return value, problems + later
