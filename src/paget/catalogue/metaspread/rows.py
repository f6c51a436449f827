"""The cells of the model of metastatic spread, in rows ordered by their ids, with room for more behind the last."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["History", "Rows"]

Whole = NDArray[np.int64]


class Rows:
    """All living cells, on grids and in blood.

    ids : uint64; kind : int8, 0 mesenchymal, 1 epithelial; grid : int8, -1 in blood; place : int32 [2, rows], x and y;
    cluster : in blood, number of the event by which it entered, else -1; founder : id of the founder it descends from
    """

    NAMES = ("ids", "kind", "grid", "place", "cluster", "founder")

    def __init__(self, place: NDArray[np.int32], kind: NDArray[np.int8]) -> None:
        self.n = kind.size
        self.ids = np.arange(self.n, dtype=np.uint64)
        self.kind = kind.copy()
        self.grid = np.zeros(self.n, np.int8)
        self.place = place.copy()
        self.cluster = np.full(self.n, -1, np.int64)
        self.founder = np.arange(self.n, dtype=np.int64)
        self._scratch()

    def _scratch(self) -> None:
        size = max(self.ids.size, 1)
        self.order = np.empty(size, np.int64)
        self.word = np.empty(size, np.uint64)
        self.u = np.empty(size)
        self.bucket = np.empty(2 * size + 2, np.int64)
        self.events = np.empty((size, 6), np.int64)

    def reserve(self, rows: int) -> None:
        """Make the arrays hold at least so many rows."""
        if rows <= self.ids.size:
            return
        more = max(rows, 2 * self.ids.size) - self.ids.size
        for name in self.NAMES:
            old = getattr(self, name)
            setattr(self, name, np.concatenate([old, np.zeros((*old.shape[:-1], more), old.dtype)], axis=-1))
        self._scratch()

    def drop_lost(self) -> tuple[int, int]:
        """Remove the cells that died in blood or found no room; returns how many of each."""
        grid = self.grid[: self.n]
        dead, no_room = int((grid == -2).sum()), int((grid == -3).sum())
        if dead + no_room:
            kept = np.flatnonzero(grid >= -1)
            for name in self.NAMES:
                array = getattr(self, name)
                array[..., : kept.size] = array[..., kept]
            self.n = kept.size
        return dead, no_room

    def state(self) -> dict[str, NDArray[np.generic]]:
        return {f"cells.{name}": getattr(self, name)[..., : self.n].copy() for name in self.NAMES}

    def restore(self, state: dict[str, NDArray[np.generic]]) -> None:
        """Take the rows of a state, in whatever order it holds them."""
        order = np.argsort(state["cells.ids"], kind="stable")
        for name in self.NAMES:
            old = getattr(self, name)
            setattr(self, name, np.ascontiguousarray(state[f"cells.{name}"][..., order]).astype(old.dtype))
        self.n = order.size
        self._scratch()


class History:
    """Lines of whole numbers that are only ever added to."""

    def __init__(self, columns: tuple[str, ...]) -> None:
        self.columns = columns
        self.n = 0
        self._lines = np.empty((64, len(columns)), np.int64)

    @property
    def lines(self) -> Whole:
        return self._lines[: self.n]

    def add(self, lines: Whole) -> None:
        while self.n + len(lines) > len(self._lines):
            self._lines = np.concatenate([self._lines, np.empty_like(self._lines)])
        self._lines[self.n : self.n + len(lines)] = lines
        self.n += len(lines)

    def restore(self, lines: Whole) -> None:
        self.n = 0
        self.add(lines)
