"""Dying: apoptosis and necrosis begin at their rates or for want of oxygen, and the dead are removed in the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from paget.errors import ModelError
from paget.kernels import philox, physiology
from paget.kernels.physiology import ALIVE, APOPTOTIC, LYSED, SWELLING
from paget.process import Phase
from paget.tissue.cycle import oxygen_fields
from paget.tissue.definition import table
from paget.tissue.process import TissueProcess

if TYPE_CHECKING:
    from paget.access import Do, See

__all__ = ["Dying"]

Real = NDArray[np.float64]

_APOPTOSIS, _NECROSIS, _APOPTOTIC_TIME, _LYSED_TIME, _RUPTURE = range(5)
_SLOTS = ("apoptosis.rate", "necrosis.rate", "apoptosis.duration", "necrosis.duration", "necrosis.rupture")


@dataclass(frozen=True)
class _Tables:
    """Numbers [types, 5] as in `_SLOTS`; per oxygen field, what its want does to each type (NaN for nothing)."""

    numbers: Real
    want: tuple[tuple[str, Real, Real, Real], ...]  # field, threshold, level of the highest rate, that rate
    at_once: tuple[tuple[str, Real], ...]  # field, threshold


@dataclass(frozen=True, kw_only=True)
class Dying(TissueProcess):
    """Living cells begin to die at the rates of apoptosis and necrosis, and of necrosis faster where oxygen is short.

    One hazard runs for both; which of them it was is drawn when it strikes. Below `necrosis_threshold` mmHg a cell
    that depends on oxygen becomes necrotic at the start of the tick (`at_once`), or at necrosis_rate x clamp((threshold -
    p) / (threshold - necrosis_maximum), 0, 1). An apoptotic cell is gone `duration` after its death began, a necrotic
    one `duration` after it burst; both to the moment, whatever the tick.

    Assumes that a cell type without the part `necrosis` survives the want of oxygen, and that the dead of a type without
    the part of that death are gone at once.
    """

    phase: ClassVar[Phase] = Phase.ACT
    parts: ClassVar[tuple[str, ...]] = (*_SLOTS, "oxygen.necrosis_")

    role: str = "dying"
    sources: tuple[str, ...] = ("Ghaffarizadeh2018",)

    @property
    def reads(self) -> tuple[str, ...]:
        return (
            "cell.type",
            "cell.death",
            "cell.death_time",
            "cell.owed",
            "cell.volume",
            "cell.rupture_volume",  # not read, but cells must have it: they get it when they begin to swell
            *oxygen_fields(self.definitions),
            *self.reads_of("apoptosis", "necrosis"),
        )

    @property
    def sets(self) -> tuple[str, ...]:
        return ("cell.death_time",)

    @property
    def emits(self) -> tuple[str, ...]:
        return ("conversion", "death")

    @property
    def events(self) -> tuple[str, ...]:
        return ("apoptosis", "necrosis", "removal")

    @property
    def clock(self) -> bool:
        return True

    def prepare(self, values: dict[str, float]) -> _Tables:
        """Rates, durations, and what the want of oxygen does."""
        types = len(self.definitions)
        want, at_once = [], []
        for name in oxygen_fields(self.definitions):
            slow, level, rate, sudden = np.full((4, types), np.nan)
            for index, definition in enumerate(self.definitions):
                oxygen = definition.oxygen
                if oxygen is None or oxygen.field != name or definition.necrosis is None:
                    continue
                threshold, maximum, highest = (
                    values[f"{index}.oxygen.necrosis_{slot}"] for slot in ("threshold", "maximum", "rate")
                )
                if oxygen.at_once:
                    sudden[index] = threshold
                    continue
                if not maximum < threshold:
                    raise ModelError(
                        f"{definition.name}: necrosis begins below {threshold:g} mmHg of oxygen and is fastest below "
                        f"{maximum:g} mmHg; the second (necrosis_maximum) must be less than the first (necrosis_threshold)"
                    )
                slow[index], level[index], rate[index] = threshold, maximum, highest
            if np.isfinite(slow).any():
                want.append((name, slow, level, np.nan_to_num(rate)))
            if np.isfinite(sudden).any():
                at_once.append((name, sudden))
        return _Tables(table(values, types, _SLOTS), tuple(want), tuple(at_once))

    def step(self, see: See, do: Do, p: _Tables) -> None:
        kind, death, owed = see["cell.type"], see["cell.death"], see["cell.owed"]
        alive = death == ALIVE
        self._begin(see, do, p, kind, alive, owed)
        dead = np.flatnonzero(~alive)
        since = np.zeros(see.count)
        if dead.size:
            since[dead] = see["cell.death_time"][dead]
            self._remove(see, do, p, kind, death, since, dead)
            since[dead] += see.dt
        do.set("cell.death_time", since)

    def _begin(
        self, see: See, do: Do, p: _Tables, kind: NDArray[np.int64], alive: NDArray[np.bool_], owed: Real
    ) -> None:
        apoptosis = self.behaviour(see, "apoptosis", p.numbers[:, _APOPTOSIS])
        necrosis = self.behaviour(see, "necrosis", p.numbers[:, _NECROSIS])
        for name, zero, one, rate in p.want:
            lack = rate[kind]
            physiology.scale_by_ramp(see.here(name), kind, zero, one, lack)
            necrosis = necrosis + lack
        # A daughter's hazard also runs for the part of the last tick that she owes; the clock knows whole ticks only.
        stretch = 1.0 + owed / see.dt
        rings = do.ring(np.where(alive, (apoptosis + necrosis) * stretch, 0.0))
        apoptotic, necrotic, left = np.full(see.count, np.inf), np.full(see.count, np.inf), np.zeros(see.count)
        rang = np.flatnonzero(np.isfinite(rings))
        if rang.size:
            lived = rings[rang] * stretch[rang]
            left[rang] = see.dt + owed[rang] - lived
            moment = lived - owed[rang]  # negative where it was before this tick, so that events keep their order
            draw = philox.uniforms(see.key, see.ids[rang], see.tick + 1, 1)[:, 0]
            by_apoptosis = draw * (apoptosis[rang] + necrosis[rang]) < apoptosis[rang]
            apoptotic[rang[by_apoptosis]] = moment[by_apoptosis]
            necrotic[rang[~by_apoptosis]] = moment[~by_apoptosis]
        for name, threshold in p.at_once:
            starved = alive & (see.here(name) < threshold[kind])
            necrotic[starved], apoptotic[starved], left[starved] = 0.0, np.inf, see.dt
        begun = {"cell.death_time": left, "cell.owed": left}
        do.emit("conversion", apoptotic, event="apoptosis", values={"cell.death": APOPTOTIC, **begun})
        if np.isfinite(necrotic).any():
            bursts = p.numbers[kind, _RUPTURE] * see["cell.volume"]
            do.emit(
                "conversion",
                necrotic,
                event="necrosis",
                values={"cell.death": SWELLING, "cell.rupture_volume": bursts, **begun},
            )

    @staticmethod
    def _remove(
        see: See,
        do: Do,
        p: _Tables,
        kind: NDArray[np.int64],
        death: NDArray[np.int64],
        since: Real,
        dead: NDArray[np.int64],
    ) -> None:
        lasts = np.select(
            [death[dead] == APOPTOTIC, death[dead] == LYSED],
            [p.numbers[kind[dead], _APOPTOTIC_TIME], p.numbers[kind[dead], _LYSED_TIME]],
            np.inf,
        )
        left = lasts - since[dead]
        gone = np.full(see.count, np.inf)
        gone[dead] = np.where(left <= see.dt, left, np.inf)
        do.emit("death", gone, event="removal")
