"""Slow, clear twins of the kernels of vessels, written from geometry; tests compare the two."""

from __future__ import annotations

import itertools
import math

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

Real = NDArray[np.float64]
Whole = NDArray[np.int64]


def voxels_of_segment(a: Real, b: Real, spacing: Real, shape: tuple[int, int, int]) -> dict[int, float]:
    """Length of one segment in each flat voxel: all crossings of grid planes, sorted, and the middle of every piece."""
    cuts = {0.0, 1.0}
    for axis in range(3):
        run = float(b[axis] - a[axis])
        if run != 0.0:
            planes = np.arange(1, shape[2 - axis]) * spacing[axis]
            cuts |= {float(cut) for cut in (planes - a[axis]) / run if 0.0 < cut < 1.0}
    lengths: dict[int, float] = {}
    ordered = sorted(cuts)
    for begin, end in itertools.pairwise(ordered):
        middle = a + 0.5 * (begin + end) * (b - a)
        ix, iy, iz = np.clip((middle / spacing).astype(int), 0, np.array(shape[::-1]) - 1)
        voxel = int((iz * shape[1] + iy) * shape[2] + ix)
        lengths[voxel] = lengths.get(voxel, 0.0) + (end - begin) * float(np.linalg.norm(b - a))
    return lengths


def distance_to_segment(point: Real, a: Real, b: Real) -> float:
    """Distance of a point from the segment between a and b."""
    square = float((b - a) @ (b - a))
    share = 0.0 if square == 0.0 else min(max(float((point - a) @ (b - a)) / square, 0.0), 1.0)
    return float(np.linalg.norm(point - a - share * (b - a)))


def nearest_vessels(position: Real, a: Real, b: Real, radius: Real, reach: float) -> list[tuple[int, float]]:
    """(segment, distance to its wall) of every point, over all segments."""
    found = []
    for point in position.T:
        away = [distance_to_segment(point, a[:, s], b[:, s]) - radius[s] for s in range(radius.size)]
        best = int(np.argmin(away)) if away else -1
        found.append((best, away[best]) if away and away[best] <= reach else (-1, math.inf))
    return found


def meetings_of_tips(tips: Whole, position: Real, ends: Whole, capture: float, apart: float) -> list[int]:
    """The nearest segment within capture of every tip, neither end of which is nearer than `apart` along the network."""
    a, b = position[:, ends[0]], position[:, ends[1]]
    lengths = np.linalg.norm(b - a, axis=0)
    nodes = position.shape[1]
    graph = coo_array((lengths, (ends[0], ends[1])), shape=(nodes, nodes)).tocsr()
    found = []
    for tip in tips:
        way = dijkstra(graph, directed=False, indices=np.array([tip]))[0]
        near = [
            (distance_to_segment(position[:, tip], a[:, s], b[:, s]), s)
            for s in range(ends.shape[1])
            if min(way[ends[0, s]], way[ends[1, s]]) >= apart
        ]
        best = min((pair for pair in near if pair[0] <= capture), default=(math.inf, -1))
        found.append(best[1])
    return found
