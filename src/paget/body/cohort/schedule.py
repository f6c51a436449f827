"""An arm as the kernel reads it: knots in time, and between them constant rates."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from paget.body.cohort.arms import CohortArm, Course, DrugCycles, Number, Surgery, hours
from paget.errors import UnitError
from paget.kernels.cohort import Schedule
from paget.units import to_internal

__all__ = ["WINDOW", "problems_of_arm", "resection_of", "schedule_of"]

YEAR = to_internal("1 year", "h")  # spells end here at the latest, so that no patient long dead founds metastases
WINDOW = YEAR / 12.0  # founding by a primary that is still there is proposed in windows of this length
LN10 = math.log(10.0)
Value = Callable[[Number, str], float]


def resection_of(arm: CohortArm) -> float:
    """When the primary is taken out, in h after diagnosis; inf for never."""
    return min(
        (hours(t.at) for t in arm.treatments if isinstance(t, Surgery) and t.site == "primary"), default=math.inf
    )


def _origin(arm: CohortArm, treatment: DrugCycles | Course) -> float:
    return resection_of(arm) if treatment.origin == "surgery" else 0.0


def _doses(arm: CohortArm) -> Iterator[tuple[float, DrugCycles]]:
    for treatment in arm.treatments:
        if isinstance(treatment, DrugCycles):
            begin = _origin(arm, treatment) + hours(treatment.start)
            for cycle in range(treatment.cycles):
                yield begin + cycle * hours(treatment.every), treatment


def _effects(treatment: DrugCycles | Course, value: Value) -> Iterator[tuple[str, float]]:
    """The numbers of a treatment, in h where they have a time."""
    given: tuple[tuple[str, Number | int, str], ...]
    if isinstance(treatment, DrugCycles):
        given = (
            ("log_kill", treatment.log_kill, ""),
            ("dormant_log_kill", treatment.dormant_log_kill, ""),
            ("awakening", treatment.awakening, ""),
            ("awakens_for", treatment.awakens_for, "h"),
        )
    else:
        given = (
            ("growth", treatment.growth, ""),
            ("awakening", treatment.awakening, ""),
            ("founding", treatment.founding, ""),
            ("kill", treatment.kill, "1/h"),
            ("dormant_kill", treatment.dormant_kill, "1/h"),
        )
    for what, number, unit in given:
        yield what, float(number) if isinstance(number, int) else value(number, unit)


def _times_of_protocol(arm: CohortArm) -> Iterator[tuple[str, str]]:
    if arm.visits:
        yield "interval between visits", arm.visits
    for t in arm.treatments:
        if isinstance(t, Surgery):
            yield f"time of surgery of the {t.site}", t.at
        else:
            yield f"start of {t.drug}", t.start
            yield (f"interval of {t.drug}", t.every) if isinstance(t, DrugCycles) else (f"length of {t.drug}", t.lasts)


def problems_of_arm(arm: CohortArm, follow_up: float, value: Value, sites: Iterable[str]) -> Iterator[str]:
    """What is wrong with an arm, one sentence each."""
    name = f"arm '{arm.name}'"
    unreadable = False
    for what, text in _times_of_protocol(arm):
        try:
            hours(text)
        except UnitError as problem:
            unreadable = True
            yield f"{name}: {what}: {problem}"
    if unreadable:
        return
    known = ("primary", *sites)
    taken: dict[str, float] = {}
    for t in arm.treatments:
        if isinstance(t, Surgery):
            if t.site != "primary":
                yield f"{name}: surgery of '{t.site}'; only the primary can be taken out in a cohort"
            if t.site in taken:
                yield f"{name}: the {t.site} is resected a second time; remove one of the two operations"
            taken[t.site] = hours(t.at)
            if hours(t.at) < 0.0:
                yield f"{name}: surgery at {t.at} is before diagnosis, at which patients enter"
            if hours(t.at) >= follow_up:
                yield f"{name}: surgery at {t.at} is after the {follow_up / YEAR:g} years of follow-up"
    if arm.visits and hours(arm.visits) <= 0.0:
        yield f"{name}: visits every {arm.visits}; the interval must be above 0, or empty for detection at once"
    for t in arm.treatments:
        if isinstance(t, Surgery):
            continue
        if t.origin == "surgery" and "primary" not in taken:
            yield f"{name}: {t.drug} starts {t.start} after surgery, but the arm has none; write origin='diagnosis'"
            continue
        begin = _origin(arm, t) + hours(t.start)
        if begin < 0.0:
            yield f"{name}: {t.drug} starts {-begin / 24.0:g} days before diagnosis, at which patients enter"
        if t.site:
            end = begin + (hours(t.every) * (t.cycles - 1) if isinstance(t, DrugCycles) else hours(t.lasts))
            if t.site not in known:
                yield f"{name}: {t.drug} is given into '{t.site}'; the sites are {', '.join(known)}"
            elif t.site in taken and end > taken[t.site]:
                yield f"{name}: {t.drug} is given into the {t.site} after its resection; stop it before, or leave `site` empty"
            elif t.site != "primary":
                yield f"{name}: {t.drug} is given into the {t.site}; only the primary can be injected in a cohort"
        if isinstance(t, DrugCycles):
            if t.cycles < 1:
                yield f"{name}: {t.cycles} cycles of {t.drug}; 1 or more are needed"
            if t.cycles > 1 and hours(t.every) <= 0.0:
                yield f"{name}: cycles of {t.drug} every {t.every}; the interval must be above 0"
        elif hours(t.lasts) <= 0.0:
            yield f"{name}: {t.drug} lasts {t.lasts}; it must last longer than 0"
        for what, found in _effects(t, value):
            if found < 0.0:
                yield f"{name}: {what} of {t.drug} is {found:g}; it cannot be negative"
            if what == "founding" and found > 1.0:
                yield f"{name}: founding under {t.drug} is {found:g}; it can only be lowered (0 to 1)"


def schedule_of(
    arm: CohortArm, follow_up: float, value: Value, surgery_awakening: float, surgery_awakening_lasts: float
) -> Schedule:
    """Lay all treatments of an arm on one axis; factors multiply and losses add where treatments overlap.

    For `surgery_awakening_lasts` h after surgery dormant cells awake `surgery_awakening` times as fast.
    """
    resection = resection_of(arm)
    spans: list[tuple[float, float, str, float]] = []  # begin, end, what, number
    pulses: list[tuple[float, float, float, float]] = []  # time, kill of the primary, of metastases, of dormant cells
    if resection < math.inf and surgery_awakening != 1.0:
        spans.append((resection, resection + surgery_awakening_lasts, "awakening", surgery_awakening))
    for at, drug in _doses(arm):
        effect = dict(_effects(drug, value))
        kill = effect["log_kill"] * LN10
        pulses.append((at, kill, 0.0, 0.0) if drug.site else (at, kill, kill, effect["dormant_log_kill"] * LN10))
        lasts = min(effect["awakens_for"], hours(drug.every)) if drug.cycles > 1 else effect["awakens_for"]
        if effect["awakening"] != 1.0 and lasts > 0.0 and not drug.site:
            spans.append((at, at + lasts, "awakening", effect["awakening"]))
    for course in arm.treatments:
        if isinstance(course, Course):
            begin = _origin(arm, course) + hours(course.start)
            end = begin + hours(course.lasts)
            for what, found in _effects(course, value):
                if what in ("growth", "kill"):
                    spans.append((begin, end, f"of_primary_{what}", found))
                if what == "founding" or not course.site:
                    spans.append((begin, end, what, found))
    windows = [i * WINDOW for i in range(math.ceil(min(resection, follow_up) / WINDOW - 1e-9))]
    years = [i * YEAR for i in range(math.ceil(follow_up / YEAR - 1e-9))]
    knots = {0.0, follow_up, *windows, *years, *(t for t, *_ in pulses), *(t for b, e, *_ in spans for t in (b, e))}
    if resection < math.inf:
        knots.add(resection)
    knot = np.array(sorted(t for t in knots if 0.0 <= t <= follow_up))
    n = knot.size - 1
    rates = {what: np.ones(n) for what in ("growth", "awakening", "founding", "of_primary_growth")}
    losses = {what: np.zeros(n) for what in ("kill", "dormant_kill", "of_primary_kill")}
    for begin, end, what, amount in spans:
        inside = (knot[:-1] >= begin) & (knot[:-1] < end)
        if what in rates:
            rates[what][inside] *= amount
        else:
            losses[what][inside] += amount
    doses = np.zeros((3, n))
    for when, *kills in pulses:
        doses[:, knot[:-1] == when] += np.array(kills)[:, None]
    window, until = np.zeros(n, np.int64), np.zeros(n)
    for i, begin in enumerate(windows):
        k = int(np.flatnonzero(knot == begin)[0])
        window[k], until[k] = i + 1, min(begin + WINDOW, follow_up)
    return Schedule(
        at=knot,
        **rates,
        **losses,
        of_primary_dose=doses[0],
        dose=doses[1],
        dormant_dose=doses[2],
        window=window,
        until=until,
        resection=resection,
        every=hours(arm.visits) if arm.visits else 0.0,
    )
