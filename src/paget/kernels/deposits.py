"""What many cells put into one voxel, summed in the order of their ids, so that the order of cells in memory changes no bit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paget.kernels.compile import kernel

Real = NDArray[np.float64]
Whole = NDArray[np.int64]
Ids = NDArray[np.uint64]


@kernel
def by_voxel(voxels: Whole, ids: Ids, n_voxels: int) -> tuple[Whole, Whole]:
    """Rows of the cells of each voxel, ascending in id: (start [n_voxels + 1], rows [n]).

    Cells are counted into their voxels in the order of memory; within a voxel, which holds few, they are sorted by id (Shell's
    method, which stays fast when many are in one place). Good for all fields of a tick.
    """
    start = np.zeros(n_voxels + 1, np.int64)
    for v in voxels:
        start[v + 1] += 1
    for v in range(n_voxels):
        start[v + 1] += start[v]
    place, rows = start[:-1].copy(), np.empty(voxels.size, np.int64)
    for i in range(voxels.size):
        v = voxels[i]
        rows[place[v]] = i
        place[v] += 1
    for v in range(n_voxels):
        begin, end = start[v], start[v + 1]
        gap = 1
        while 3 * gap + 1 < end - begin:
            gap = 3 * gap + 1
        while gap > 0:
            for i in range(begin + gap, end):
                row, j = rows[i], i
                while j - gap >= begin and ids[rows[j - gap]] > ids[row]:
                    rows[j] = rows[j - gap]
                    j -= gap
                rows[j] = row
            gap //= 3
    return start, rows


@kernel
def deposit_by_id(total: Real, start: Whole, rows: Whole, amounts: Real) -> None:
    """Add `amounts` [n] to the flat array `total`, voxel by voxel in the order that `by_voxel` found."""
    for v in range(total.size):
        for i in range(start[v], start[v + 1]):
            total[v] += amounts[rows[i]]
