"""Who may touch whom: a cell list over bins, and from it every cell's neighbours in ascending order of their ids.

A cell's rank is its place in the ascending order of ids. For speed cells are packed bin by bin, so that neighbours in space
are neighbours in memory; inside a bin they are in the order of rank. A list is sorted by rank, so that a sum over it has
the same bits whatever the bins and the skin, or left in the order of the bins, which depends on nothing but where cells
are and who they are; neither depends on the number of threads or the order of cells in memory.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paget.kernels.compile import kernel

__all__ = ["PIECE", "bin_cells", "count_bins", "crowded", "extents", "list_neighbours", "pack_cells", "sort_bins"]

Real = NDArray[np.float64]
Index = NDArray[
    np.uint32
]  # unsigned: an index that cannot be negative is looked up without a test for counting backwards
Place = NDArray[np.uint64]
Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]

PIECE = 512  # cells in one piece of work; fixed, so that no result depends on how pieces are dealt to threads
SHORT = 64  # neighbours up to which counting places them faster than sorting
ZERO, ONE = np.uint64(0), np.uint64(1)
BLOCK = 8  # cells copied at once
UBLOCK, LANES = np.uint64(BLOCK), np.uint64(32)


@kernel
def extents(begin: int, end: int, cells: Real, low: Real, high: Real) -> None:
    """Lowest and highest coordinates [pieces, 3] of the packed cells in each of the pieces begin..end."""
    for piece in range(begin, end):
        for axis in range(3):
            low[piece, axis] = np.inf
            high[piece, axis] = -np.inf
        for p in range(piece * PIECE, min((piece + 1) * PIECE, cells.shape[0])):
            for axis in range(3):
                low[piece, axis] = min(low[piece, axis], cells[p, axis])
                high[piece, axis] = max(high[piece, axis], cells[p, axis])


@kernel
def bin_cells(
    begin: int,
    end: int,
    cells: Real,
    corner: Real,
    edges: Real,
    counts: Whole,
    size: Real,
    periodic: Flags,
    bins: Index,
) -> None:
    """Bins of the packed cells in the pieces begin..end; cells given outside a periodic box return into it first."""
    for p in range(begin * PIECE, min(end * PIECE, bins.size)):
        b = 0
        for axis in range(2, -1, -1):
            if periodic[axis]:
                inside = cells[p, axis] - size[axis] * np.floor(cells[p, axis] / size[axis])
                cells[p, axis] = inside if inside < size[axis] else 0.0
            i = int((cells[p, axis] - corner[axis]) / edges[axis])
            b = b * counts[axis] + min(max(i, 0), counts[axis] - 1)
        bins[p] = b


@kernel
def count_bins(bins: Index, total: int, source: Index) -> Index:
    """Counting sort of packed cells by bin: cell source[first[b]:first[b + 1]] lie in bin b; returns first [total + 1]."""
    n = bins.size
    first = np.zeros(total + 1, np.uint32)
    for p in range(n):
        first[bins[p] + ONE] += np.uint32(1)
    for b in range(total):
        first[b + 1] += first[b]
    for p in range(n):
        b = bins[p]
        source[first[b]] = p
        first[b] += np.uint32(1)
    # Filling moved every start to the next one; move them back.
    for b in range(total, 0, -1):
        first[b] = first[b - 1]
    first[0] = 0
    return first


@kernel
def _sort_together(key: Index, carried: Index, k: int) -> None:
    """Shell's sort of the first `k` keys, carrying along a second array; short or nearly sorted runs cost little."""
    gap = 1
    while gap < k // 3:
        gap = 3 * gap + 1
    while gap > 0:
        for t in range(gap, k):
            moving, with_it = key[t], carried[t]
            s = t
            while s >= gap and key[s - gap] > moving:
                key[s], carried[s] = key[s - gap], carried[s - gap]
                s -= gap
            key[s], carried[s] = moving, with_it
        gap //= 3


@kernel
def sort_bins(begin: int, end: int, bins: Index, first: Index, rank: Index, source: Index) -> None:
    """Put the members of every bin that begins in the pieces begin..end into ascending order of rank."""
    key = np.empty(SHORT, np.uint32)
    p = begin * PIECE
    high = min(end * PIECE, bins.size)
    while p < high:
        b = bins[source[p]]
        at = int(np.int64(first[b]))
        k = int(np.int64(first[b + ONE])) - at
        if at == p and k > 1:
            if k > key.size:
                key = np.empty(2 * k, np.uint32)
            for t in range(k):
                key[t] = rank[source[at + t]]
            _sort_together(key, source[at : at + k], k)
        p = at + k


@kernel
def pack_cells(
    begin: int,
    end: int,
    source: Index,
    old: Real,
    old_rank: Index,
    old_bins: Index,
    cells: Real,
    rank: Index,
    bins: Index,
    place: Real,
) -> None:
    """Copy the pieces begin..end of a new packing from their old places `source`.

    cells : [n, 8] with x, y, z, radius and interaction range first; place : [4, n] x, y, z and the larger of the last two,
    side by side for the search
    """
    for p in range(begin * PIECE, min(end * PIECE, bins.size)):
        s = source[p]
        for column in range(8):
            cells[p, column] = old[s, column]
        for axis in range(3):
            place[axis, p] = old[s, axis]
        place[3, p] = max(old[s, 3], old[s, 4])
        rank[p] = old_rank[s]
        bins[p] = old_bins[s]


@kernel
def crowded(bins: Index, first: Index) -> int:
    """-1, or a packed cell whose bin is so full that comparing all pairs nearby would take minutes.

    bins : [n] by packed cell. A packed tissue needs a hundred comparisons per cell; a hundred thousand are refused.
    """
    n = bins.size
    work = 0.0
    most = 0
    fullest = -1
    p = 0
    while p < n:
        many = int(np.int64(first[bins[p] + ONE])) - p
        work += float(many) * float(many)
        if many > most:
            most = many
            fullest = p
        p += many
    return fullest if work > max(1e9, 1e5 * n) else -1


@kernel
def _span(i: int, count: int, wraps: bool) -> tuple[int, int]:
    """First bin to search along one axis, -1 for the last if the axis wraps, and how many: each bin once."""
    if wraps:
        return (i - 1, 3) if count >= 3 else (0, count)
    low = max(i - 1, 0)
    return low, min(i + 2, count) - low


@kernel
def _bins_around(b: int, counts: Whole, first: Index, periodic: Flags, begins: Whole, ends: Whole) -> int:
    """Packed cells in the bins around bin `b`, each bin once, as runs begins[k]..ends[k]; returns the number of runs.

    Bins that follow each other along x follow each other in memory, so that three of them make one run.
    """
    nx, ny, nz = counts[0], counts[1], counts[2]
    low, many = _span(b % nx, nx, periodic[0])
    y0, ys = _span((b // nx) % ny, ny, periodic[1])
    z0, zs = _span(b // (nx * ny), nz, periodic[2])
    high = low + many
    runs = 0
    for jz in range(z0, z0 + zs):
        layer = jz + nz if jz < 0 else (jz - nz if jz >= nz else jz)
        for jy in range(y0, y0 + ys):
            row = (layer * ny + (jy + ny if jy < 0 else (jy - ny if jy >= ny else jy))) * nx
            if low < 0:
                begins[runs], ends[runs] = first[row + nx - 1], first[row + nx]
                runs += 1
            if high > nx:
                begins[runs], ends[runs] = first[row], first[row + 1]
                runs += 1
            begins[runs], ends[runs] = first[row + max(low, 0)], first[row + min(high, nx)]
            runs += 1
    return runs


@kernel
def list_neighbours(
    begin: int,
    end: int,
    place: Real,
    rank: Index,
    bins: Index,
    first: Index,
    counts: Whole,
    skin: float,
    size: Real,
    periodic: Flags,
    ordered: bool,
    offset: Place,
    start: Place,
    many: Index,
    other: Index,
    need: Place,
) -> None:
    """Write the neighbour lists of the pieces begin..end, each from other[offset[piece]] on.

    place : [4, n] x, y, z and interaction range of packed cells; rank, bins : [n] by packed cell
    ordered : whether lists are to be in ascending order of rank, or as they are found: bin by bin, by rank in each
    start, many : [n] where each list begins and how many it has. need : [pieces] entries that every piece needs; if that
    is more than its share of `other`, nothing beyond is written and the caller makes room.
    """
    wraps = periodic[0] or periodic[1] or periodic[2]
    begins = np.empty(27, np.int64)
    ends = np.empty(27, np.int64)
    capacity = 0
    x = np.empty(capacity)
    y = np.empty(capacity)
    z = np.empty(capacity)
    limit = np.empty(capacity)
    square = np.empty(capacity)
    candidate = np.empty(capacity, np.uint32)
    found = np.empty(capacity, np.uint32)
    key = np.empty(capacity, np.uint32)
    for piece in range(begin, end):
        at = offset[piece]
        room = offset[piece + 1]
        p = piece * PIECE
        high = min(p + PIECE, rank.size)
        while p < high:
            b = bins[p]
            runs = _bins_around(int(np.int64(b)), counts, first, periodic, begins, ends)
            n = 0
            for k in range(runs):
                n += ends[k] - begins[k]
            if n > capacity:
                capacity = 2 * n
                x = np.empty(capacity + LANES)
                y = np.empty(capacity + LANES)
                z = np.empty(capacity + LANES)
                limit = np.empty(capacity + LANES)
                square = np.empty(capacity + LANES)
                candidate = np.empty(capacity + LANES, np.uint32)
                found = np.empty(capacity + LANES, np.uint32)
                key = np.empty(capacity + LANES, np.uint32)
            # All members of a bin share their candidates. They are copied side by side once, in whole blocks, the surplus of
            # which the next block overwrites: loops of fixed length compile to a few wide instructions.
            m = ZERO
            for k in range(runs):
                for block in range(begins[k], ends[k], BLOCK):
                    q = np.uint64(block)
                    for t in range(UBLOCK):
                        x[m + t] = place[0, q + t]
                    for t in range(UBLOCK):
                        y[m + t] = place[1, q + t]
                    for t in range(UBLOCK):
                        z[m + t] = place[2, q + t]
                    for t in range(UBLOCK):
                        limit[m + t] = place[3, q + t]
                    for t in range(UBLOCK):
                        candidate[m + t] = np.uint32(q + t)
                    m += np.uint64(min(BLOCK, ends[k] - block))
            # Work on whole lanes likewise; what lies beyond the last candidate is never looked at.
            wide = (m + LANES - ONE) // LANES * LANES
            while p < high and bins[p] == b:
                px = place[0, p]
                py = place[1, p]
                pz = place[2, p]
                mine = place[3, p] + skin
                if wraps:
                    for t in range(m):
                        dx = px - x[t]
                        dy = py - y[t]
                        dz = pz - z[t]
                        if periodic[0]:
                            dx -= size[0] * np.rint(dx / size[0])
                        if periodic[1]:
                            dy -= size[1] * np.rint(dy / size[1])
                        if periodic[2]:
                            dz -= size[2] * np.rint(dz / size[2])
                        reach = mine + limit[t]
                        square[t] = dx * dx + dy * dy + dz * dz - reach * reach
                else:
                    for t in range(wide):
                        dx = px - x[t]
                        dy = py - y[t]
                        dz = pz - z[t]
                        reach = mine + limit[t]
                        square[t] = dx * dx + dy * dy + dz * dz - reach * reach
                hits = np.uint64(0)
                for t in range(m):
                    found[hits] = candidate[t]
                    hits += np.uint64(square[t] < 0.0) & np.uint64(candidate[t] != p)
                start[p] = at
                many[p] = hits
                if at + hits <= room:
                    if not ordered:
                        for t in range(hits):
                            other[at + t] = found[t]
                        at += hits
                        p += 1
                        continue
                    for t in range(hits):
                        key[t] = rank[found[t]]
                    if hits <= SHORT:
                        # Place every entry by counting the smaller ones: no branches, and faster than sorting so few.
                        for t in range(hits):
                            pivot = key[t]
                            smaller = ZERO
                            for u in range(hits):
                                smaller += np.uint64(key[u] < pivot)
                            other[at + smaller] = found[t]
                    else:
                        _sort_together(key, found, int(np.int64(hits)))
                        for t in range(hits):
                            other[at + t] = found[t]
                at += hits
                p += 1
        need[piece] = at - offset[piece]
