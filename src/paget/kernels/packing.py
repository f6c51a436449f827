"""Cells packed in memory as they are packed in space, with their neighbour lists."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paget.kernels import neighbours as lists
from paget.kernels.neighbours import PIECE
from paget.kernels.team import Team
from paget.kernels.workspace import Workspace

__all__ = ["Crowd", "Packing"]

Real = NDArray[np.float64]
Index = NDArray[np.uint32]
Flags = NDArray[np.bool_]

EXPECTED = 24  # neighbours per cell for which room is kept at first


class Crowd(Exception):
    """So many cells lie at one place that their pairs are too many; `rank` is one of them."""

    def __init__(self, rank: int) -> None:
        super().__init__(rank)
        self.rank = rank


class Packing:
    """Cells in the order of their bins, and the neighbours of each in ascending order of id.

    cells : [n, 8] lines of memory as in `paget.kernels.motion`, given in any order
    rank : [n] place of every packed cell in the order of ids; where : its inverse
    start, many, other : the neighbours of packed cell p are the packed cells other[start[p]:start[p] + many[p]]
    """

    def __init__(
        self, cells: Real, rank: NDArray[np.integer], size: Real, periodic: Flags, work: Team, space: Workspace
    ) -> None:
        n = cells.shape[0]
        pieces = -(-n // PIECE)
        self._space = space
        self.cells, self.size, self.periodic, self._work = cells, size, periodic, work
        self.rank = rank.astype(np.uint32)
        self.where = self.rank.copy()
        self.place = space.zeros("place", (4, n + lists.BLOCK))
        self.start = space.array("start", n, np.uint64)
        self.many = space.array("many", n, np.uint32)
        self.other = space.array("other", pieces * PIECE * EXPECTED, np.uint32)
        self.pieces = pieces
        self.builds = 0
        self._offset = np.arange(pieces + 1, dtype=np.uint64) * np.uint64(PIECE * EXPECTED)
        self._need = np.zeros(pieces, np.uint64)
        self._low, self._high = np.empty((pieces, 3)), np.empty((pieces, 3))
        self._bins = space.array("bins", n, np.uint32)
        self._source = space.array("source", n, np.uint32)
        self._spare = (
            space.array("spare", cells.shape),
            np.empty_like(self.rank),
            space.array("spare bins", n, np.uint32),
        )
        self._widest = 2.0 * float(np.maximum(cells[:, 3], cells[:, 4]).max(initial=0.0))

    def build(self, skin: float, ordered: bool = True) -> Index:
        """Pack the cells anew and list all pairs within their summed ranges plus `skin`; where each line came from [n].

        ordered : whether every list is in ascending order of id, or in that of the bins, which is found faster

        Raises
        ------
        Crowd
            If the pairs would not fit: a hundred per cell, or four thousand cells at one place.
        """
        n = self.rank.size
        corner, edges, counts = self._grid(skin)
        total = int(counts.prod())
        self._work(lists.bin_cells, self.cells, corner, edges, counts, self.size, self.periodic, self._bins)
        first = lists.count_bins(self._bins, total, self._source)
        self._work(lists.sort_bins, self._bins, first, self.rank, self._source)
        cells, rank, bins = self._spare
        self._work(lists.pack_cells, self._source, self.cells, self.rank, self._bins, cells, rank, bins, self.place)
        self._spare = (self.cells, self.rank, self._bins)
        self.cells, self.rank, self._bins = cells, rank, bins
        self.builds += 1
        crowd = lists.crowded(bins, first)
        if crowd >= 0:
            raise Crowd(int(rank[crowd]))
        while True:
            self._work(
                lists.list_neighbours,
                self.place,
                rank,
                bins,
                first,
                counts,
                skin,
                self.size,
                self.periodic,
                ordered,
                self._offset,
                self.start,
                self.many,
                self.other,
                self._need,
            )
            room = np.diff(self._offset)
            if (self._need <= room).all():
                break
            if int(self._need.sum()) > max(1 << 24, 100 * n):
                raise Crowd(int(rank[self.many.argmax()]))
            room = np.maximum(room, self._need + self._need // np.uint64(8))
            self._offset[1:] = np.cumsum(room)
            self.other = self._space.array("other", int(self._offset[-1]), np.uint32)
        self.where[rank] = np.arange(n, dtype=np.uint32)
        return self._source

    def _grid(self, skin: float) -> tuple[Real, Real, NDArray[np.int64]]:
        """Lower corner, edges and counts [3] of the bins, over all of periodic axes and the box that cells occupy.

        A bin is no smaller than the widest range of a pair, so that neighbours lie in adjoining bins, and there are no more
        than eight bins per cell, however sparse the tissue.
        """
        n = self.rank.size
        self._work(lists.extents, self.cells, self._low, self._high)
        low, high = self._low.min(axis=0), self._high.max(axis=0)
        corner = np.where(self.periodic, 0.0, low)
        extent = np.where(self.periodic, self.size, high - low)
        edge = max(self._widest + skin, 1e-6)
        while np.maximum(np.floor(extent / edge), 1.0).prod() > 8.0 * n + 64.0:
            edge *= 1.1
        counts = np.maximum(np.floor(extent / edge), 1.0).astype(np.int64)
        return corner, np.maximum(extent / counts, 1e-6), counts
