"""From interventions to the times at which they act, as far as these are known."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from paget.experiment.interventions import Antibody, Course, Dose, Injection, Intervention, Lasting, Resection
from paget.experiment.moments import Condition, Moment

__all__ = ["Act", "Awaited", "Plan", "conditions", "named_but_absent", "plan"]

_Kind = TypeVar("_Kind", bound=Intervention)
_ANCHORS: Mapping[str, tuple[type[Intervention], ...]] = {
    "first dose": (Dose, Antibody),
    "last dose": (Dose, Antibody),
    "resection": (Resection,),
    "injection": (Injection,),
}


@dataclass(frozen=True)
class Act:
    """One intervention at one time.

    index : which one, in the order of the arm
    time, end : in h; `end` is that of a lasting one, inf if it has none or it is not known yet
    """

    what: Intervention
    index: int
    time: float
    end: float = math.inf


@dataclass(frozen=True)
class Awaited:
    """A condition that something waits for.

    since : of an end, the number of the intervention that it ends, in the order of the arm: the condition counts only once that
        has begun; -1 where the condition begins something, which counts from the start of the study
    """

    condition: Condition
    since: int = -1


@dataclass(frozen=True)
class Plan:
    """What is to be done, by time, and the conditions that are waited for.

    settled : interventions, by their number in the order of the arm, of which nothing is left to be known
    """

    acts: tuple[Act, ...]
    awaited: tuple[Awaited, ...] = ()
    settled: frozenset[int] = frozenset()

    def of(self, kind: type[_Kind]) -> Iterator[tuple[_Kind, Act]]:
        """The acts of one kind of intervention."""
        return ((act.what, act) for act in self.acts if isinstance(act.what, kind))


def plan(
    interventions: Sequence[Intervention],
    duration: float,
    happened: Mapping[Awaited, float] | None = None,
    beyond: bool = False,
) -> Plan:
    """Say when everything is done that is done before `duration` (h), given when conditions were met.

    A moment that follows another intervention never means the intervention itself: a dose "7 day after the last dose of
    doxorubicin" follows the other doses of it.

    beyond : tell also what would be done later, but for courses that go on for as long as the study lasts
    """
    found: dict[int, tuple[Act, ...]] = {}
    ended: set[int] = set()  # whose acts will not change any more
    happened = happened or {}

    def time_of(when: float | Moment, index: int) -> float | None:
        if not isinstance(when, Moment):
            return when
        if when.condition is not None:
            met = happened.get(_awaited(when, index, interventions))
            return None if met is None else met + when.delay
        others = [i for i in _anchors(when, interventions) if i != index]
        # What is still open cannot come before what is known; only the last of something can.
        if when.event == "last dose" and any(i not in ended for i in others):
            return None
        times = [act.time for i in others for act in found.get(i, ())]
        if not times:
            return None
        return (min(times) if when.event != "last dose" else max(times)) + when.delay

    def for_good(when: float | Moment, index: int) -> bool:
        if not isinstance(when, Moment) or when.condition is not None:
            return True
        return all(i in ended for i in _anchors(when, interventions) if i != index)

    for _ in range(len(interventions) + 1):  # one round settles at least one of those that follow one another
        changing = False
        for index, what in enumerate(interventions):
            if index in ended:
                continue
            limit = math.inf if beyond and not (isinstance(what, Course) and what.endless) else duration
            acts, known = _acts(what, index, limit, time_of)
            known = known and all(for_good(when, index) for when in _moments(what))
            if found.get(index) != acts or known:
                changing = True
            found[index] = acts
            if known:
                ended.add(index)
        if not changing:
            break
    order = sorted((act.time, index, nth, act) for index, acts in found.items() for nth, act in enumerate(acts))
    awaited = [
        _awaited(when, index, interventions)
        for index, what in enumerate(interventions)
        for when in _moments(what)
        if isinstance(when, Moment) and when.condition is not None
    ]
    return Plan(
        tuple(act for *_, act in order), tuple(a for a in dict.fromkeys(awaited) if a not in happened), frozenset(ended)
    )


def _awaited(when: Moment, index: int, interventions: Sequence[Intervention]) -> Awaited:
    assert when.condition is not None
    return Awaited(when.condition, index if when is interventions[index].ending else -1)


def _acts(
    what: Intervention, index: int, duration: float, time_of: Callable[[float | Moment, int], float | None]
) -> tuple[tuple[Act, ...], bool]:
    """Acts of one intervention that are known, and whether these are all, for good."""
    begins = [time_of(when, index) for when in what.moments]
    until = what.ending
    end = math.inf if until is None else time_of(until, index)
    known = end is not None and all(begin is not None for begin in begins)
    end = math.inf if end is None else end
    if isinstance(what, Course):
        times = [begin for begin in begins if begin is not None]
        if what.start is not None:
            times = [begin + offset for begin in times for offset in what.offsets(min(end, duration) - begin)]
        return tuple(Act(what, index, t) for t in sorted(times) if t < min(end, duration)), known
    begin = begins[0]
    if begin is None or begin >= duration or begin >= end:
        return (), known
    if isinstance(what, Lasting) and what.duration is not None:
        end = begin + what.duration
    return (Act(what, index, begin, end),), known


def _moments(what: Intervention) -> tuple[float | Moment, ...]:
    until = what.ending
    return what.moments if until is None else (*what.moments, until)


def _anchors(when: Moment, interventions: Sequence[Intervention]) -> list[int]:
    """Interventions that a moment can follow."""
    kinds = _ANCHORS[when.event]
    return [
        index
        for index, what in enumerate(interventions)
        if isinstance(what, kinds) and (not when.of or when.of in what.names)
    ]


def conditions(interventions: Iterable[Intervention]) -> tuple[Condition, ...]:
    """Every condition that some intervention waits for."""
    found = [when.condition for what in interventions for when in _moments(what) if isinstance(when, Moment)]
    return tuple(dict.fromkeys(condition for condition in found if condition is not None))


def named_but_absent(interventions: Sequence[Intervention]) -> Iterator[tuple[int, str]]:
    """What can never come: (index of the intervention, why), because what it follows is not there, or follows itself."""
    absent: set[int] = set()
    for index, what in enumerate(interventions):
        for when in _moments(what):
            if not isinstance(when, Moment) or when.condition is not None:
                continue
            others = [interventions[i] for i in _anchors(when, interventions) if i != index]
            if not others:
                kinds = _ANCHORS[when.event]
                known = sorted(
                    {other.label for i, other in enumerate(interventions) if i != index and isinstance(other, kinds)}
                )
                there = f"; there are: {', '.join(known)}" if known else "; there is none"
                absent.add(index)
                yield index, f"'{when}' never happens: nothing in this arm is {when.name}{there}"
    settled = set(absent)
    while True:
        further = {
            index
            for index, what in enumerate(interventions)
            if index not in settled and all(_follows(when, index, interventions) <= settled for when in _moments(what))
        }
        if not further:
            break
        settled |= further
    for index in sorted(set(range(len(interventions))) - settled):
        told = next(when for when in _moments(interventions[index]) if isinstance(when, Moment))
        yield index, f"'{told}' never happens: these moments wait for one another"


def _follows(when: float | Moment, index: int, interventions: Sequence[Intervention]) -> set[int]:
    """Interventions that must be settled before a moment of the intervention at `index` is."""
    if not isinstance(when, Moment) or when.condition is not None:
        return set()
    return {i for i in _anchors(when, interventions) if i != index}
