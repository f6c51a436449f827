"""Tumour cells on a square lattice with enzyme and matrix, vessels that take them up, and sites that receive them.

Mesenchymal (0) and epithelial (1) cells walk up the gradient of the matrix, several to a site; mesenchymal ones secrete an
enzyme that diffuses and digests the matrix (Franssen et al. 2019, doi:10.1007/s11538-019-00597-x). The first axis of a grid
is x, the second y. Cells stand in rows in the order of their ids; `grid` is -1 in circulation, -2 for what died there and -3
for what found no room at a vessel.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paget.kernels.compile import kernel
from paget.kernels.philox import Word, philox4x32
from paget.kernels.streams import draw_uniform, open_stream

__all__ = ["BLOOD", "DEAD", "NO_ROOM", "advance_fields", "chosen", "divide", "move", "release", "shuffle", "tally"]

Real = NDArray[np.float64]
Whole = NDArray[np.int64]
Site = NDArray[np.int32]
Small = NDArray[np.int8]
Ids = NDArray[np.uint64]

BLOOD, DEAD, NO_ROOM = -1, -2, -3
RUPTURED = 2
LEAST = 1e-290

_LOW = np.uint64(0xFFFFFFFF)
_11 = np.uint64(11)
_32 = np.uint64(32)
_64 = np.uint64(64)
_SCALE = 1.0 / 9007199254740992.0  # 2**-53


@kernel
def advance_fields(
    cells: Site, enzyme: Real, matrix: Real, new: Real, spread: float, keep: float, make: float, digest: Real, late: int
) -> None:
    """One explicit step of enzyme and matrix in one grid; a border mirrors what is inside it.

    m' = spread (sum of the four neighbours) + keep m + make M;  w' = w (1 - (a M + b m'))

    Less enzyme than LEAST counts as none. It is far too little to change any bit of the matrix, and the front of diffusion
    would otherwise consist of subnormal numbers, with which processors are a hundred times slower.

    cells : int32 [n, n], mesenchymal cells; enzyme, matrix, new : [n, n], the first two changed in place, the last scratch
    digest : [2], (a, b); late : 1 if the matrix meets the new enzyme m', 0 if the old m
    """
    n = cells.shape[0]
    for i in range(n):
        before = i - 1 if i > 0 else 1
        after = i + 1 if i < n - 1 else n - 2
        for j in range(1, n - 1):
            around = enzyme[after, j] + enzyme[before, j] + enzyme[i, j + 1] + enzyme[i, j - 1]
            m = spread * around + enzyme[i, j] * keep + make * cells[i, j]
            new[i, j] = m if m > LEAST else 0.0
        for j, inward in ((0, 1), (n - 1, n - 2)):
            around = enzyme[after, j] + enzyme[before, j] + enzyme[i, inward] + enzyme[i, inward]
            m = spread * around + enzyme[i, j] * keep + make * cells[i, j]
            new[i, j] = m if m > LEAST else 0.0
    for i in range(n):
        for j in range(n):
            m = new[i, j] if late != 0 else enzyme[i, j]
            matrix[i, j] = matrix[i, j] * (1.0 - (digest[0] * cells[i, j] + digest[1] * m))
            enzyme[i, j] = new[i, j]


@kernel
def divide(
    which: int,
    room: int,
    n: int,
    ids: Ids,
    kind: Small,
    grid: Small,
    place: Site,
    cluster: Whole,
    founder: Whole,
    count: Site,
    next_id: Word,
) -> int:
    """Let all cells of one kind in all grids double in place while their site has room, in the order of their ids.

    n : rows in use; the arrays hold at least twice as many, and daughters are written behind the last
    place : int32 [2, rows]; count : int32 [grids, 2, n, n], cells of each kind on each site
    Returns the new number of rows.
    """
    last = n
    for i in range(n):
        g = grid[i]
        if kind[i] != which or g < 0:
            continue
        x, y = place[0, i], place[1, i]
        if count[g, 0, x, y] + count[g, 1, x, y] >= room:
            continue
        count[g, which, x, y] += 1
        ids[last] = next_id + np.uint64(last - n)
        kind[last], grid[last], cluster[last], founder[last] = which, g, -1, founder[i]
        place[0, last], place[1, last] = x, y
        last += 1
    return last


@kernel
def shuffle(
    n: int, ids: Ids, grid: Small, step: int, key: Word, order: Whole, word: Ids, u: Real, bucket: Whole
) -> int:
    """A random order of all cells that stand on a grid, and a uniform number for each: functions of key, id and step.

    Every cell draws a word, and the words are sorted: by their leading bits into as many buckets as there are cells, and by
    comparison within a bucket. Equal words keep the order of the rows, which is that of the ids.

    order, word, u : [rows], written; bucket : int64, scratch of at least twice as many plus two
    Returns how many cells stand on a grid: the length of `order` that counts.
    """
    bits = 1
    while (1 << bits) < n:
        bits += 1
    shift = _64 - np.uint64(bits)
    size = 1 << bits
    bucket[: size + 1] = 0
    k0, k1 = key & _LOW, key >> _32
    low, high = np.uint64(step) & _LOW, np.uint64(step) >> _32
    there = 0
    for i in range(n):
        if grid[i] < 0:
            continue
        a, b, c, d = philox4x32(ids[i] & _LOW, ids[i] >> _32, low, high, k0, k1)
        word[i] = (a << _32) | b
        u[i] = np.float64(np.int64(((c << _32) | d) >> _11)) * _SCALE
        bucket[np.int64(word[i] >> shift) + 1] += 1
        there += 1
    for part in range(size):
        bucket[part + 1] += bucket[part]
    for i in range(n):
        if grid[i] < 0:
            continue
        leading = np.int64(word[i] >> shift)
        order[bucket[leading]] = i
        bucket[leading] += 1
    for k in range(1, there):  # words of different buckets are already in order, so hardly anything moves
        row = order[k]
        j = k
        while j > 0:
            before = order[j - 1]
            if word[before] <= word[row]:
                break
            order[j] = before
            j -= 1
        order[j] = row
    return there


@kernel
def chosen(left: float, bottom: float, top: float, right: float, u: float) -> int:
    """Which way a cell goes: 0 left, 1 bottom, 2 nowhere, 3 top, 4 right.

    Bisection of u among the cumulative weights. A negative weight thus takes its amount from the next (left) or the previous
    (right) of the list, as in the published program.
    """
    stay = 1.0 - (left + right + top + bottom)
    second = left + bottom
    third = second + stay
    if u < third:
        if u < second:
            return 0 if u < left else 1
        return 2
    return 3 if u < third + top else 4


@kernel
def move(
    order: Whole,
    u: Real,
    n: int,
    kind: Small,
    grid: Small,
    place: Site,
    cluster: Whole,
    count: Site,
    vessel: Small,
    matrix: Real,
    walk: Real,
    room: int,
    clip: int,
    limited: int,
    next_cluster: int,
    events: Whole,
    negative: Whole,
) -> int:
    """Let all cells walk one after the other, and let those of the first grid that reach a vessel enter it.

    A cell goes to one of four neighbours with probability p -+ q (difference of the matrix across it). In the first grid, a
    mesenchymal cell at a vessel, or any cell at a ruptured one, takes all cells on the site of the vessel and on its four
    neighbours along as one cluster. Elsewhere a cell moves if there is room.

    order : rows [:cells]; u : [rows]; n : rows in use
    vessel : int8 [grids, n, n], 1 normal, 2 ruptured; walk : [2, 2], (p, q) of each kind
    clip : 1 if negative probabilities count as zero; limited : 1 if the sites of vessels have no more room than others
    events : int64 [rows, 6], written: x, y, mesenchymal cells, epithelial cells, kind of vessel, kind of who opened it
    negative : int64 [2], how often a cell of each kind met a negative probability; added to
    Returns the number of events.
    """
    side = matrix.shape[1]
    found = 0
    for i in order:
        g = grid[i]
        if g < 0:
            continue
        x, y, c = place[0, i], place[1, i], kind[i]
        p, q = walk[c, 0], walk[c, 1]
        inside_x, inside_y = 0 < x < side - 1, 0 < y < side - 1
        along = q * (matrix[g, x + 1, y] - matrix[g, x - 1, y]) if inside_x else 0.0
        upward = q * (matrix[g, x, y + 1] - matrix[g, x, y - 1]) if inside_y else 0.0
        left = p - along if x > 0 else 0.0
        right = p + along if x < side - 1 else 0.0
        bottom = p - upward if y > 0 else 0.0
        top = p + upward if y < side - 1 else 0.0
        if left < 0.0 or right < 0.0 or bottom < 0.0 or top < 0.0:
            negative[c] += 1
            if clip != 0:
                left, right, bottom, top = max(left, 0.0), max(right, 0.0), max(bottom, 0.0), max(top, 0.0)
        way = chosen(left, bottom, top, right, u[i])
        tx, ty = x, y
        if way == 0:
            tx -= 1
        elif way == 1:
            ty -= 1
        elif way == 3:
            ty += 1
        elif way == 4:
            tx += 1
        opening = vessel[g, tx, ty]
        if opening > 0 and g == 0 and (opening == RUPTURED or c == 0):
            taken = np.zeros(2, np.int64)
            for k in range(n):
                if grid[k] == 0 and abs(place[0, k] - tx) + abs(place[1, k] - ty) <= 1:
                    grid[k] = BLOOD
                    cluster[k] = next_cluster + found
                    count[0, kind[k], place[0, k], place[1, k]] -= 1
                    taken[kind[k]] += 1
            events[found, 0], events[found, 1] = tx, ty
            events[found, 2], events[found, 3] = taken[0], taken[1]
            events[found, 4], events[found, 5] = opening, c
            found += 1
        elif way != 2 and (count[g, 0, tx, ty] + count[g, 1, tx, ty] < room or (opening > 0 and limited == 0)):
            count[g, c, x, y] -= 1
            count[g, c, tx, ty] += 1
            place[0, i], place[1, i] = tx, ty
    return found


@kernel
def release(
    rows: Whole,
    ids: Ids,
    kind: Small,
    grid: Small,
    place: Site,
    cluster: Whole,
    count: Site,
    vessels: Site,
    first: Whole,
    share: Real,
    leaving: float,
    survival: Real,
    room: int,
    step: int,
    keys: Ids,
    arrivals: Whole,
) -> int:
    """Clusters at the end of their time in blood: cells leave them, parties live or die, and survivors settle at a vessel.

    Single cells come first, then of each cluster in turn the cells that left it, mesenchymal ones first, and what remains.
    A party that survives draws a grid and one of its vessels; its cells go to the vessel's left, right, bottom or top
    neighbour, the first with room, and are lost where none has any.

    rows : cells due, ordered by (cluster, kind, id); vessels : int32 [2, all vessels]; first : [grids + 1], of each grid
    share : [grids], cumulative probability of arriving in each grid; leaving : probability that a cell leaves its cluster
    survival : [2], of single cells and of clusters; keys : uint64 [2], of leaving and of what follows
    arrivals : int64 [rows, 6], written: grid, vessel, mesenchymal and epithelial cells that settled, cells without room,
        cells of the party
    Returns the number of parties that arrived.
    """
    due = rows.size
    party = np.full(due, -1, np.int64)
    parties = 0
    begin = 0
    while begin < due:  # parties are numbered in the order in which they are dealt with: singles first
        end = begin + 1
        while end < due and cluster[rows[end]] == cluster[rows[begin]]:
            end += 1
        if end - begin == 1:
            party[begin] = parties
            parties += 1
        begin = end
    begin = 0
    while begin < due:
        end = begin + 1
        while end < due and cluster[rows[end]] == cluster[rows[begin]]:
            end += 1
        if end - begin > 1:
            stayed = 0
            for k in range(begin, end):
                stream, increment = open_stream(keys[0], ids[rows[k]], step)
                stream, u = draw_uniform(stream, increment)
                if u < leaving:
                    party[k] = parties
                    parties += 1
                else:
                    stayed += 1
            if stayed > 0:
                for k in range(begin, end):
                    if party[k] < 0:
                        party[k] = parties
                parties += 1
        begin = end
    size = np.zeros(parties, np.int64)
    lead = np.full(parties, -1, np.int64)
    for k in range(due):
        size[party[k]] += 1
        if lead[party[k]] < 0 or ids[rows[k]] < ids[rows[lead[party[k]]]]:
            lead[party[k]] = k
    member = np.argsort(party, kind="mergesort")  # stable: mesenchymal cells stay first
    arrived = 0
    begin = 0
    for which in range(parties):
        end = begin + size[which]
        stream, increment = open_stream(keys[1], ids[rows[lead[which]]], step)
        stream, u = draw_uniform(stream, increment)
        if u >= survival[0 if size[which] == 1 else 1]:
            for k in range(begin, end):
                grid[rows[member[k]]] = DEAD
            begin = end
            continue
        stream, u = draw_uniform(stream, increment)
        g = 0
        while u >= share[g] and g < share.size - 1:
            g += 1
        stream, u = draw_uniform(stream, increment)
        v = first[g] + np.int64(u * (first[g + 1] - first[g]))
        settle(
            rows[member[begin:end]],
            kind,
            grid,
            place,
            cluster,
            count,
            g,
            vessels[0, v],
            vessels[1, v],
            room,
            arrivals[arrived],
        )
        arrivals[arrived, 1] = v - first[g]
        arrived += 1
        begin = end
    return arrived


@kernel
def settle(
    rows: Whole,
    kind: Small,
    grid: Small,
    place: Site,
    cluster: Whole,
    count: Site,
    g: int,
    x: int,
    y: int,
    room: int,
    arrival: Whole,
) -> None:
    """Put the cells of a party beside a vessel at (x, y) of grid g, and note in `arrival` how many found room."""
    side = count.shape[2]
    arrival[0], arrival[5] = g, rows.size
    arrival[2], arrival[3], arrival[4] = 0, 0, 0
    for row in rows:
        grid[row] = NO_ROOM
        for dx, dy in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            tx, ty = x + dx, y + dy
            if 0 <= tx < side and 0 <= ty < side and count[g, 0, tx, ty] + count[g, 1, tx, ty] < room:
                grid[row], cluster[row] = g, -1
                place[0, row], place[1, row] = tx, ty
                count[g, kind[row], tx, ty] += 1
                arrival[2 + kind[row]] += 1
                break
        if grid[row] == NO_ROOM:
            arrival[4] += 1


@kernel
def tally(n: int, kind: Small, grid: Small, out: Whole) -> None:
    """How many cells of each kind stand on each grid and, in the last line, circulate: int64 [grids + 1, 2], written."""
    out[:] = 0
    for i in range(n):
        out[grid[i], kind[i]] += 1
