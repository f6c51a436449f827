"""Parties that a piece of tissue stands for: they leave over a day, as the tumour is not in step with its piece."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paget.body.whole.traffic import Batch, coarse
from paget.state.cells import mix

__all__ = ["Leaving"]

LATER = 53  # salt of the ids of those who leave in later ticks


class Leaving:
    """Parties about to leave, each kind evenly over `ticks` ticks, in whole numbers.

    Parties alike in all that matters in the blood, and in what they carry, leave together.
    """

    def __init__(self, ticks: int) -> None:
        self.ticks = ticks
        self._kinds: dict[tuple[Any, ...], Batch] = {}
        self._left: dict[tuple[Any, ...], NDArray[np.int64]] = {}  # parties still to leave, by tick modulo `ticks`
        self.removed = 0  # cells of those that were taken out with their tumour

    def add(self, batch: Batch, count: int, tick: int) -> None:
        """Let `count` parties like `batch` leave from this tick on."""
        signals = (coarse(batch.survival), coarse(batch.mesenchymal))
        known = (batch.origin, batch.medium, batch.size, *signals, batch.records.tobytes())
        self._kinds[known] = dataclasses.replace(batch, survival=signals[0], mesenchymal=signals[1])
        due = self._left.setdefault(known, np.zeros(self.ticks, np.int64))
        share, rest = divmod(count, self.ticks)
        due += share
        due[(tick + np.arange(rest) * self.ticks // max(rest, 1)) % self.ticks] += 1

    def now(self, tick: int, when: float) -> list[Batch]:
        """Those who leave in this tick, about the time `when` (h)."""
        found = []
        for known in sorted(self._kinds):
            due, batch = self._left[known], self._kinds[known]
            count = int(due[tick % self.ticks])
            due[tick % self.ticks] = 0
            if count:
                members = mix(batch.members ^ np.uint64(tick), LATER)
                found.append(dataclasses.replace(batch, count=count, when=when, members=members))
            if not due.any():
                del self._kinds[known], self._left[known]
        return found

    def remove(self, origin: int) -> int:
        """Take out those of one organ, with the tumour that they were about to leave; how many cells."""
        gone = [known for known, batch in self._kinds.items() if batch.origin == origin]
        cells = sum(int(self._left[known].sum()) * self._kinds[known].size for known in gone)
        for known in gone:
            del self._kinds[known], self._left[known]
        self.removed += cells
        return cells

    @property
    def cells(self) -> int:
        """Cells of parties that have not left yet."""
        return sum(int(self._left[known].sum()) * batch.size for known, batch in self._kinds.items())

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything that changes, as arrays."""
        found: dict[str, NDArray[Any]] = {"kinds": np.array([len(self._kinds), self.removed], np.int64)}
        for nth, known in enumerate(sorted(self._kinds)):
            batch = self._kinds[known]
            found[f"{nth}.numbers"] = np.array(
                [batch.origin, batch.medium, batch.survival, batch.mesenchymal, batch.when]
            )
            found[f"{nth}.members"], found[f"{nth}.records"] = batch.members, batch.records
            found[f"{nth}.left"] = self._left[known].copy()
        return found

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what `state` returned."""
        self._kinds, self._left = {}, {}
        kinds, self.removed = (int(n) for n in state["kinds"])
        for nth in range(kinds):
            origin, medium, survival, mesenchymal, when = state[f"{nth}.numbers"].tolist()
            members, records = np.array(state[f"{nth}.members"]), np.array(state[f"{nth}.records"])
            batch = Batch(when, int(origin), int(medium), 1, members, survival, mesenchymal, records)
            known = (batch.origin, batch.medium, batch.size, survival, mesenchymal, records.tobytes())
            self._kinds[known], self._left[known] = batch, np.array(state[f"{nth}.left"])
