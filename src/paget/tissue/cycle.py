"""The cell cycle: a ring of phases, left after a fixed time or at a rate, that oxygen and rules may slow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from paget.errors import ModelError
from paget.kernels import physiology
from paget.process import Phase
from paget.tissue.definition import CellDefinition, table
from paget.tissue.personal import own_columns
from paget.tissue.process import TissueProcess

if TYPE_CHECKING:
    from paget.access import Do, See

__all__ = ["CellCycle", "oxygen_fields"]

Real = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True)
class _Tables:
    """Rates (1/h) and flags [types, phases], numbers of phases [types], and per oxygen field the ramp of each type."""

    rates: Real
    flags: Whole
    lengths: Whole
    grows_next: Whole
    ramps: tuple[tuple[str, Real, Real], ...]


def oxygen_fields(definitions: tuple[CellDefinition, ...]) -> tuple[str, ...]:
    """The fields that serve as oxygen to some cell type."""
    return tuple(dict.fromkeys(d.oxygen.field for d in definitions if d.oxygen is not None))


@dataclass(frozen=True, kw_only=True)
class CellCycle(TissueProcess):
    """Living cells pass through the phases of their cycle and divide at the end of one of them.

    A fixed phase ends 1 / rate after it began; any other ends at its rate, so that its duration is exponential. Events
    come at exact moments within the tick, several if need be, and a daughter lives the rest of the tick at the start of
    the next: durations do not depend on the tick. On entering a phase that `grows`, the solid targets double; division
    halves them with the volume. The rate of leaving phase 0 is scaled by clamp((p - threshold) / (saturation -
    threshold), 0, 1) where the type depends on oxygen; rules may set the rates of single cells.

    Assumes ticks shorter than a generation: a cell divides once in a tick, and its daughters catch up in the next ones.
    Leaves out checkpoints that arrest a cell for a reason other than its rate.
    Differs from the published simulator, which moves on at the end of a step with probability rate x step.
    """

    phase: ClassVar[Phase] = Phase.ACT
    parts: ClassVar[tuple[str, ...]] = ("cycle.", "oxygen.threshold", "oxygen.saturation")

    role: str = "cell cycle"

    @property
    def _behaviours(self) -> tuple[str, ...]:
        return ("cycle entry", *(f"exit from cycle phase {k}" for k in range(1, self._phases)))

    @property
    def _phases(self) -> int:
        return max((len(d.cycle.phases) for d in self.definitions if d.cycle is not None), default=1)

    @property
    def reads(self) -> tuple[str, ...]:
        return (
            "cell.type",
            "cell.death",
            "cell.phase",
            "cell.phase_time",
            "cell.owed",
            "cell.target_cytoplasmic_solid",
            "cell.target_nuclear_solid",
            "cell.radius",
            *oxygen_fields(self.definitions),
            *self.reads_of(*self._behaviours),
        )

    @property
    def sets(self) -> tuple[str, ...]:
        return (
            "cell.phase",
            "cell.phase_time",
            "cell.target_cytoplasmic_solid",
            "cell.target_nuclear_solid",
        )

    @property
    def emits(self) -> tuple[str, ...]:
        return ("division",)

    @property
    def clock(self) -> bool:
        return True

    def prepare(self, values: dict[str, float]) -> _Tables:
        """Tables of the phases of all types."""
        types, most = len(self.definitions), self._phases
        flags, lengths = np.zeros((types, most), np.int64), np.zeros(types, np.int64)
        for index, definition in enumerate(self.definitions):
            if definition.cycle is None:
                continue
            lengths[index] = len(definition.cycle.phases)
            for k, one in enumerate(definition.cycle.phases):
                flags[index, k] = (
                    physiology.FIXED * one.fixed + physiology.GROWS * one.grows + physiology.DIVIDES * one.divides
                )
        rates = table(values, types, tuple(f"cycle.rate/{k}" for k in range(most)))
        grows = flags & physiology.GROWS != 0
        grows_next = np.zeros((types, most), np.int64)
        for index, length in enumerate(lengths):
            grows_next[index, :length] = np.roll(grows[index, :length], -1)
        return _Tables(rates, flags, lengths, grows_next, tuple(self._ramps(values)))

    def _ramps(self, values: dict[str, float]) -> list[tuple[str, Real, Real]]:
        ramps = []
        for name in oxygen_fields(self.definitions):
            zero = np.full(len(self.definitions), np.nan)
            one = np.full(len(self.definitions), np.nan)
            for index, definition in enumerate(self.definitions):
                if definition.oxygen is not None and definition.oxygen.field == name:
                    zero[index] = values[f"{index}.oxygen.threshold"]
                    one[index] = values[f"{index}.oxygen.saturation"]
                    if not zero[index] < one[index]:
                        raise ModelError(
                            f"{definition.name}: cells enter the cycle above {zero[index]:g} mmHg of oxygen and at full rate "
                            f"above {one[index]:g} mmHg; the second (saturation) must be larger than the first (threshold)"
                        )
            ramps.append((name, zero, one))
        return ramps

    def step(self, see: See, do: Do, p: _Tables) -> None:
        n, kind = see.count, see["cell.type"]
        scale = np.ones(n)
        for name, zero, one in p.ramps:
            physiology.scale_by_ramp(see.here(name), kind, zero, one, scale)
        own, which = own_columns(self, see, self._behaviours)
        budget, count = do.clocks()
        phase, targets = np.empty(n, np.int64), (see["cell.target_cytoplasmic_solid"], see["cell.target_nuclear_solid"])
        out, rings, left = np.empty((3, n)), np.empty(n), np.empty(n)
        physiology.advance_cycle(
            self.crew(see),
            kind,
            see["cell.death"],
            see["cell.phase"],
            see["cell.phase_time"],
            see["cell.owed"],
            budget,
            count,
            *targets,
            see.ids,
            scale,
            own,
            which,
            p.rates,
            p.flags,
            p.lengths,
            see.dt,
            see.key,
            phase,
            out,
            rings,
            left,
        )
        do.set("cell.phase", phase)
        do.set("cell.phase_time", out[0])
        do.set("cell.target_cytoplasmic_solid", out[1])
        do.set("cell.target_nuclear_solid", out[2])
        if np.isfinite(rings).any():
            # Daughters enter the next phase: where it grows, they start with the whole of the mother's targets.
            share = np.where(p.grows_next[kind, phase] != 0, 1.0, 0.5)
            values = {
                "cell.phase": (phase + 1) % np.maximum(p.lengths[kind], 1),
                "cell.owed": left,
                "cell.target_cytoplasmic_solid": share * out[1],
                "cell.target_nuclear_solid": share * out[2],
                "cell.radius": see["cell.radius"] * 0.5 ** (1.0 / 3.0),
            }
            do.emit("division", rings, values=values)
