"""Pieces of a tissue in time: of every tumour cell, whether it divides, dies, leaves, comes, wakes or falls asleep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from paget.access import World
from paget.engine.structure import Departures
from paget.engine.tick import Stepper
from paget.engine.world import found
from paget.model import Model
from paget.state.cells import daughter_ids

__all__ = ["FLOWS", "Watched", "watch"]

Real = NDArray[np.float64]
Whole = NDArray[np.int64]
Ids = NDArray[np.uint64]
Truth = NDArray[np.bool_]

FLOWS = ("born", "arrived", "died", "left", "woken", "slept", "dormant arrived", "dormant died", "dormant left")
ALIVE = 0


@dataclass(frozen=True, eq=False)
class Watched:
    """What happened to the living tumour cells of several pieces of one tissue, tick by tick.

    times : [n + 1] h since the founding of the pieces; cycling, dormant : living tumour cells [pieces, n + 1]
    flows : name of FLOWS -> cells in each tick [pieces, n]; `woken` cells were dormant before, `slept` were cycling
    parties : cells of each party that left, for every piece

    In every tick cycling cells change by born + arrived + woken - died - left - slept, and dormant ones by slept +
    dormant arrived - woken - dormant died - dormant left.
    """

    times: Real
    cycling: Whole
    dormant: Whole
    flows: dict[str, Whole]
    parties: tuple[Whole, ...] = field(default=())

    @property
    def pieces(self) -> int:
        return int(self.cycling.shape[0])

    def only(self, pieces: Sequence[int]) -> Watched:
        """Some of the pieces."""
        chosen = list(pieces)
        return replace(
            self,
            cycling=self.cycling[chosen],
            dormant=self.dormant[chosen],
            flows={name: counts[chosen] for name, counts in self.flows.items()},
            parties=tuple(self.parties[k] for k in chosen),
        )

    def total(self, flow: str) -> Real:
        """Cells of a flow over the whole time [pieces]."""
        return np.asarray(self.flows[flow].sum(axis=1), np.float64)

    def hours(self, kind: str = "cycling") -> Real:
        """Cell-hours [pieces] of "cycling" or "dormant" cells, by the trapezoidal rule."""
        counts = self.cycling if kind == "cycling" else self.dormant
        return np.asarray(np.trapezoid(counts.astype(np.float64), self.times, axis=1))


def watch(
    model: Model,
    tumour: Sequence[str],
    dormant: Sequence[str],
    *,
    hours: float,
    after: float,
    dt: float,
    pieces: int,
    seed: int,
    threads: int = 2,
) -> Watched:
    """Let pieces live for `after` h and then watch them for `hours`; piece k is that of animal k of this seed.

    tumour, dormant : cell types that are tumour cells, and those of them that are dormant. A cell that has begun to die counts
    as dead, although its body may still lie there.
    """
    skipped, ticks = round(after / dt), round(hours / dt)
    counts = np.zeros((2, pieces, ticks + 1), np.int64)
    flows = np.zeros((len(FLOWS), pieces, ticks), np.int64)
    parties = []
    for k in range(pieces):
        world = found(model, seed, k, dt)
        world.threads = threads
        stepper = Stepper(model, world, frozenset())
        stepper.structure.follows = ()
        for _ in range(skipped):
            stepper.step()
        stepper.structure.departures()
        before = _living(world, tumour, dormant)
        sizes: list[Whole] = []
        for tick in range(ticks + 1):
            counts[:, k, tick] = np.count_nonzero(~before[1]), np.count_nonzero(before[1])
            if tick == ticks:
                break
            stepper.step()
            left, now = stepper.structure.departures(), _living(world, tumour, dormant)
            flows[:, k, tick] = _happened(before, now, world.cells.ids, left)
            if left is not None and (own := np.isin(left.ids, before[0])).any():
                sizes.append(np.unique(left.party[own], return_counts=True)[1].astype(np.int64))
            before = now
        parties.append(np.concatenate(sizes) if sizes else np.empty(0, np.int64))
    times = dt * (skipped + np.arange(ticks + 1.0))
    return Watched(times, counts[0], counts[1], dict(zip(FLOWS, flows, strict=True)), tuple(parties))


def _living(world: World, tumour: Sequence[str], dormant: Sequence[str]) -> tuple[Ids, Truth]:
    """Ids [n] of living tumour cells, and which of them are dormant."""
    rows = world.rows(tuple(tumour))
    if "cell.death" in world.cells:
        rows = rows[world.cells.column("cell.death")[rows] == ALIVE]
    asleep = np.isin(rows, world.rows(tuple(dormant))) if dormant else np.zeros(rows.size, bool)
    return world.cells.ids[rows].copy(), asleep


def _happened(before: tuple[Ids, Truth], now: tuple[Ids, Truth], present: Ids, left: Departures | None) -> Whole:
    """The FLOWS of one tick, from who was there before and who is there now.

    A cell that is gone has left, or has divided where a daughter is present, or is dead.
    """
    (old, slept_before), (new, sleeps) = before, now
    stays, sleeping = np.isin(old, new), np.isin(old, new[sleeps])
    gone = ~stays
    away = gone & np.isin(old, left.ids) if left is not None else np.zeros(old.size, bool)
    first, second = daughter_ids(old)
    divided = gone & ~away & (np.isin(first, present) | np.isin(second, present))
    dead = gone & ~away & ~divided
    daughters = np.concatenate([first[divided], second[divided]])
    of_division = np.isin(new, daughters)
    came = ~np.isin(new, old) & ~of_division
    woken = np.count_nonzero(stays & slept_before & ~sleeping) + np.count_nonzero(divided & slept_before)
    slept = np.count_nonzero(stays & ~slept_before & sleeping) + np.count_nonzero(of_division & sleeps)
    stillborn = daughters.size - np.count_nonzero(of_division)  # those who are no living tumour cells
    return np.array(
        [
            np.count_nonzero(divided),
            np.count_nonzero(came & ~sleeps),
            np.count_nonzero(dead & ~slept_before) + stillborn,
            np.count_nonzero(away & ~slept_before),
            woken,
            slept,
            np.count_nonzero(came & sleeps),
            np.count_nonzero(dead & slept_before),
            np.count_nonzero(away & slept_before),
        ]
    )
