"""Vessels as straight segments: which voxels they pass through, how near things are to them, what a sprouting tip meets.

Points are [3, n] in um (rows x, y, z), `a` and `b` the ends of segments [3, m]; rows of segments ascend by id, and of equal
distances the first row wins, so that no result depends on the order in which a network grew.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paget.kernels.compile import kernel

Real = NDArray[np.float64]
Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]

NONE = -1


@kernel
def voxels_of_segments(a: Real, b: Real, spacing: Real, shape: tuple[int, int, int]) -> tuple[Whole, Whole, Real]:
    """Length of every segment inside every voxel it passes through, by cutting it at the planes of the grid.

    spacing : [3] um along x, y, z; shape : voxels along (z, y, x)
    Returns (segment [p], flat voxel [p], length [p] in um), by segment and along it; the lengths of a segment add up to its
    own.
    """
    nz, ny, nx = shape
    many = 0
    for s in range(a.shape[1]):
        many += 1
        for axis in range(3):
            many += int(abs(b[axis, s] - a[axis, s]) / spacing[axis]) + 2
    segment = np.empty(many, np.int64)
    voxel = np.empty(many, np.int64)
    length = np.empty(many)
    middle = np.empty(3)
    plane = np.empty(3)
    found = 0
    for s in range(a.shape[1]):
        whole = 0.0
        for axis in range(3):
            whole += (b[axis, s] - a[axis, s]) ** 2
            cell = np.floor(a[axis, s] / spacing[axis])
            if b[axis, s] > a[axis, s]:
                plane[axis] = cell + 1.0
            else:
                plane[axis] = np.ceil(a[axis, s] / spacing[axis]) - 1.0
        whole = np.sqrt(whole)
        at = 0.0
        while at < 1.0:
            until = 1.0
            crossed = -1
            for axis in range(3):
                run = b[axis, s] - a[axis, s]
                if run != 0.0:
                    where = (plane[axis] * spacing[axis] - a[axis, s]) / run
                    if where < until:
                        until = where
                        crossed = axis
            until = max(until, at)
            if until > at and whole > 0.0:
                for axis in range(3):
                    middle[axis] = a[axis, s] + 0.5 * (at + until) * (b[axis, s] - a[axis, s])
                ix = min(max(int(middle[0] / spacing[0]), 0), nx - 1)
                iy = min(max(int(middle[1] / spacing[1]), 0), ny - 1)
                iz = min(max(int(middle[2] / spacing[2]), 0), nz - 1)
                segment[found] = s
                voxel[found] = (iz * ny + iy) * nx + ix
                length[found] = (until - at) * whole
                found += 1
            if crossed >= 0:
                plane[crossed] += 1.0 if b[crossed, s] > a[crossed, s] else -1.0
            at = until
    return segment[:found], voxel[:found], length[:found]


@kernel
def nearest_on_segment(x: float, y: float, z: float, a: Real, b: Real, s: int) -> tuple[float, float]:
    """(share of the way from end a to end b, distance in um) of the point of segment s that is nearest to x, y, z."""
    ux, uy, uz = b[0, s] - a[0, s], b[1, s] - a[1, s], b[2, s] - a[2, s]
    vx, vy, vz = x - a[0, s], y - a[1, s], z - a[2, s]
    square = ux * ux + uy * uy + uz * uz
    share = 0.0
    if square > 0.0:
        share = min(max((ux * vx + uy * vy + uz * vz) / square, 0.0), 1.0)
    vx -= share * ux
    vy -= share * uy
    vz -= share * uz
    return share, np.sqrt(vx * vx + vy * vy + vz * vz)


@kernel
def _bin_of(where: float, length: float, bins: int) -> int:
    return min(max(int(where / length * bins), 0), bins - 1)


@kernel
def bin_segments(a: Real, b: Real, margin: Real, size: Real, edge: float) -> tuple[Whole, Whole, Whole]:
    """Sort segments into boxes of about `edge` um, each into every box that its surroundings reach.

    margin : [m] um around a segment from where it must be found; size : [3] um of the tissue
    Returns (bins [3] along x, y, z; first [boxes + 1]; member [k]), members ascending within a box.
    """
    bins = np.empty(3, np.int64)
    for axis in range(3):
        bins[axis] = max(int(size[axis] / edge), 1)
    first = np.zeros(bins[0] * bins[1] * bins[2] + 1, np.int64)
    fill = first.copy()
    member = np.empty(0, np.int64)
    low = np.empty(3, np.int64)
    high = np.empty(3, np.int64)
    for sweep in range(2):
        for s in range(a.shape[1]):
            for axis in range(3):
                low[axis] = _bin_of(min(a[axis, s], b[axis, s]) - margin[s], size[axis], bins[axis])
                high[axis] = _bin_of(max(a[axis, s], b[axis, s]) + margin[s], size[axis], bins[axis])
            for iz in range(low[2], high[2] + 1):
                for iy in range(low[1], high[1] + 1):
                    for ix in range(low[0], high[0] + 1):
                        box = (iz * bins[1] + iy) * bins[0] + ix
                        if sweep == 0:
                            first[box + 1] += 1
                        else:
                            member[fill[box]] = s
                            fill[box] += 1
        if sweep == 0:
            for box in range(first.size - 1):
                first[box + 1] += first[box]
            fill = first.copy()
            member = np.empty(first[-1], np.int64)
    return bins, first, member


@kernel
def _box(x: float, y: float, z: float, size: Real, bins: Whole) -> int:
    plane = _bin_of(z, size[2], bins[2]) * int(bins[1]) + _bin_of(y, size[1], bins[1])
    return plane * int(bins[0]) + _bin_of(x, size[0], bins[0])


@kernel
def nearest_vessels(
    position: Real, a: Real, b: Real, radius: Real, reach: float, size: Real, edge: float
) -> tuple[Whole, Real]:
    """The vessel whose wall is nearest to each point, if within `reach` um: (segment [n] or -1, distance to the wall [n]).

    The distance is negative inside a vessel and inf where no wall is within reach; radius : [m] of the segments
    """
    n = position.shape[1]
    bins, first, member = bin_segments(a, b, radius + reach, size, edge)
    segment = np.full(n, NONE, np.int64)
    distance = np.full(n, np.inf)
    for i in range(n):
        x, y, z = position[0, i], position[1, i], position[2, i]
        box = _box(x, y, z, size, bins)
        for k in range(first[box], first[box + 1]):
            s = member[k]
            _, away = nearest_on_segment(x, y, z, a, b, s)
            away -= radius[s]
            if away <= reach and away < distance[i]:
                distance[i] = away
                segment[i] = s
    return segment, distance


@kernel
def meetings_of_tips(
    tips: Whole, position: Real, ends: Whole, capture: float, apart: float, size: Real, edge: float
) -> tuple[Whole, Real]:
    """The segment that each sprouting tip touches, other than the last stretch of its own way.

    tips : rows of nodes [t]; position : [3, nodes]; ends : [2, m] rows of nodes; capture : um within which a tip grows into a
    vessel; apart : um along the network within which a vessel is the tip's own
    Returns (segment [t] or -1, share [t] of the way from its first to its second end).
    """
    nodes, many = position.shape[1], ends.shape[1]
    a = np.empty((3, many))
    b = np.empty((3, many))
    length = np.empty(many)
    begin = np.zeros(nodes + 1, np.int64)
    for s in range(many):
        square = 0.0
        for axis in range(3):
            a[axis, s] = position[axis, ends[0, s]]
            b[axis, s] = position[axis, ends[1, s]]
            square += (b[axis, s] - a[axis, s]) ** 2
        length[s] = np.sqrt(square)
        begin[ends[0, s] + 1] += 1
        begin[ends[1, s] + 1] += 1
    for v in range(nodes):
        begin[v + 1] += begin[v]
    fill = begin.copy()
    at_node = np.empty(2 * many, np.int64)
    for s in range(many):
        for end in range(2):
            at_node[fill[ends[end, s]]] = s
            fill[ends[end, s]] += 1
    bins, first, member = bin_segments(a, b, np.full(many, capture), size, edge)
    way = np.full(nodes, np.inf)
    queued = np.zeros(nodes, np.bool_)
    queue = np.empty(nodes + 1, np.int64)
    seen = np.empty(nodes, np.int64)
    target = np.full(tips.size, NONE, np.int64)
    share = np.zeros(tips.size)
    for t in range(tips.size):
        # Way along the network from the tip, as far as it matters (queue of nodes whose way became shorter).
        head, tail, known = 0, 1, 1
        queue[0] = tips[t]
        way[tips[t]] = 0.0
        seen[0] = tips[t]
        queued[tips[t]] = True
        while head != tail:
            v = queue[head]
            head = (head + 1) % queue.size
            queued[v] = False
            for k in range(begin[v], begin[v + 1]):
                s = at_node[k]
                w = ends[0, s] + ends[1, s] - v
                further = way[v] + length[s]
                if further < apart and further < way[w]:
                    if way[w] == np.inf:
                        seen[known] = w
                        known += 1
                    way[w] = further
                    if not queued[w]:
                        queue[tail] = w
                        tail = (tail + 1) % queue.size
                        queued[w] = True
        x, y, z = position[0, tips[t]], position[1, tips[t]], position[2, tips[t]]
        best = np.inf
        box = _box(x, y, z, size, bins)
        for k in range(first[box], first[box + 1]):
            s = member[k]
            if way[ends[0, s]] < np.inf or way[ends[1, s]] < np.inf:
                continue
            along, away = nearest_on_segment(x, y, z, a, b, s)
            if away <= capture and away < best:
                best = away
                target[t] = s
                share[t] = along
        for k in range(known):
            way[seen[k]] = np.inf
    return target, share
