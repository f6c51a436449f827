"""What is done to one animal in each tick, by a plan that follows the animal's own story."""

from __future__ import annotations

import json
import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from paget.antibodies import free_fraction
from paget.experiment import (
    Antibody,
    Arm,
    Depletion,
    Dose,
    Injection,
    Lasting,
    Override,
    Perturbation,
    Resection,
    plan,
)
from paget.experiment.schedule import Act, Awaited
from paget.readouts import Readout

__all__ = ["NOTHING", "Due", "Protocol", "Standing"]

WINDOW = 12.0  # h over which the level of an antibody is averaged
UNFELT = 1e-3  # share of a target so small that taking it away counts as nothing


@dataclass(frozen=True)
class Due:
    """What is done in one tick; times are counted from its beginning, in h."""

    doses: tuple[tuple[str, float, float, str], ...] = ()
    operations: tuple[tuple[str, float], ...] = ()
    injections: tuple[Injection, ...] = ()
    depletions: tuple[tuple[Depletion, bool], ...] = ()


@dataclass(frozen=True)
class Standing:
    """What holds for a while: activities left, by gene and cell type, and parameters with other values."""

    levels: tuple[tuple[tuple[str, str], float], ...] = ()
    overrides: tuple[tuple[str, str | float], ...] = ()


NOTHING = Standing()


class Protocol:
    """The plan of one arm for one animal, made anew whenever a condition is met."""

    def __init__(self, arm: Arm, readouts: Iterable[Readout], duration: float, dt: float) -> None:
        self._arm, self._duration, self._dt = arm, duration, dt
        self._units = {readout.name: readout.unit for readout in readouts}
        self._met: dict[Awaited, float] = {}
        self._armed: set[Awaited] = set()
        self._follow_plan()
        self._rows = self._plan.awaited  # all that the arm waits for, of which nothing has come yet

    def _follow_plan(self) -> None:
        """Make the plan from what was met, in parts that are looked through in every tick."""
        self._plan = plan(self._arm.interventions, self._duration, self._met)
        self._times = [act.time for act in self._plan.acts]
        self._lasting = [act for act in self._plan.acts if isinstance(act.what, Lasting)]
        self._averaged: tuple[float, dict[tuple[str, str], float]] = (math.nan, {})

    # ---- what happens -------------------------------------------------------------------------------------------------
    def look(self, time: float, values: Mapping[str, float]) -> None:
        """See which conditions are met by the readouts at a time in h; what follows them is done from then on.

        A readout falls below a level only after it has been at or above it.
        """
        met = [awaited for awaited in self._plan.awaited if self._is_met(awaited, time, values)]
        if met:
            self._met.update(dict.fromkeys(met, time))
            self._follow_plan()

    def _is_met(self, awaited: Awaited, time: float, values: Mapping[str, float]) -> bool:
        if awaited.since >= 0 and not any(a.index == awaited.since and a.time <= time for a in self._plan.acts):
            return False
        condition = awaited.condition
        value, level = values[condition.readout], condition.level_in(self._units[condition.readout])
        if condition.rises:
            return value >= level
        if value >= level:
            self._armed.add(awaited)
        return value < level and awaited in self._armed

    @property
    def met(self) -> dict[str, float]:
        """When each condition was met, in h; those that were not are missing."""
        return {str(awaited.condition): time for awaited, time in self._met.items()}

    # ---- what is done -------------------------------------------------------------------------------------------------
    def due(self, begin: float, end: float) -> Due:
        """What is done in the tick from `begin` to `end`."""
        now = self._plan.acts[bisect_left(self._times, begin) : bisect_left(self._times, end)]
        doses = [
            (a.time, a.what.drug, a.what.amount, a.what.route or "")
            for a in now
            if isinstance(a.what, Dose) and a.what.amount > 0.0
        ]
        lasting = [
            (a.what, a.time >= begin)
            for a in self._lasting
            if isinstance(a.what, Depletion) and a.time < end and a.end > begin
        ]
        return Due(
            tuple((drug, time - begin, amount, route) for time, drug, amount, route in sorted(doses)),
            tuple((a.what.site, a.time - begin) for a in now if isinstance(a.what, Resection)),
            tuple(a.what for a in now if isinstance(a.what, Injection)),
            tuple(lasting),
        )

    def standing(self, begin: float) -> Standing:
        """What holds in the tick that begins then: that of its middle."""
        middle = begin + 0.5 * self._dt
        acts = [act for act in self._lasting if act.time <= middle < act.end]
        levels: dict[tuple[str, str], float] = defaultdict(lambda: 1.0)
        for act in acts:
            if isinstance(act.what, Perturbation):
                levels[act.what.gene, act.what.cells] *= act.what.left
        if self._arm.antibodies:
            for (target, cells), free in self._neutralised(begin).items():
                levels[target, cells] *= free
        overrides = {act.what.parameter: act.what.value for act in acts if isinstance(act.what, Override)}
        return Standing(tuple(sorted(levels.items())), tuple(sorted(overrides.items())))

    def _neutralised(self, begin: float) -> dict[tuple[str, str], float]:
        """Share of each target that antibodies leave free, on average over the window in which a tick begins."""
        width = max(WINDOW, self._dt)
        first = (begin + 0.5 * self._dt) // width * width
        if self._averaged[0] != first:
            self._averaged = (first, self._left_free(first, first + width))
        return self._averaged[1]

    def _left_free(self, first: float, last: float) -> dict[tuple[str, str], float]:
        given: dict[tuple[str, str, float | None, float | None], list[Act]] = defaultdict(list)
        for act in self._plan.acts:
            if isinstance(act.what, Antibody) and act.time < last:
                given[act.what.target, act.what.cells, act.what.affinity, act.what.half_life].append(act)
        free: dict[tuple[str, str], float] = defaultdict(lambda: 1.0)
        for (target, cells, _, _), acts in given.items():
            antibody = acts[0].what
            assert isinstance(antibody, Antibody)
            doses = [(act.time, act.what.amount) for act in acts if isinstance(act.what, Antibody)]
            free[target, cells] *= free_fraction(antibody, doses, first, last)
        return {place: share for place, share in free.items() if share < 1.0 - UNFELT}

    # ---- state ----------------------------------------------------------------------------------------------------------
    def state(self) -> str:
        """What has been seen so far, as text."""
        rows = self._rows
        return json.dumps({"met": [self._met.get(a) for a in rows], "armed": [a in self._armed for a in rows]})

    def restore(self, text: str) -> None:
        """Take over what has been seen so far."""
        seen, rows = json.loads(text), self._rows
        self._met = {a: time for a, time in zip(rows, seen["met"], strict=True) if time is not None}
        self._armed = {a for a, armed in zip(rows, seen["armed"], strict=True) if armed}
        self._follow_plan()
