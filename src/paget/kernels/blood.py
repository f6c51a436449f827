"""Single tumour cells and clusters on their way through the circulation: carried on, caught, killed, broken up, let through.

A party is a single cell or a cluster. Every party is a Markov chain in continuous time of its own, walked event by event by
its competing exponential clocks, from a stream of random numbers opened by its name and the step; parts that break off walk
on under names of their own. So the walk does not depend on the order of parties or on who walks which.

Members of a party are neighbours in `order`, which holds rows of the table of cells; its first place is the head. A part that
breaks off takes the places behind the others', and its first one is a head that no other part ever has. Therefore whatever
happens once to a part is written at its head, and what happens once to a cell at its row, without regard to others.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from paget.kernels.compile import kernel
from paget.kernels.streams import draw_exponential, draw_uniform, open_stream

__all__ = ["BEDS", "NUMBERS", "bonds", "caught", "kill", "meetings", "narrowest", "party_rates", "walk"]

Real = NDArray[np.float64]
Whole = NDArray[np.int64]
Ids = NDArray[np.uint64]
Word = np.uint64

(
    ANOIKIS,  # death of a lone cell without any survival signal, 1/h
    BOND_ANCHORAGE,  # share of anoikis that one bond to another cell prevents
    LODGED_ANOIKIS,  # share of anoikis that is left where a vessel wall holds the cell
    SHEAR,  # death of a lone cell by shear stress, 1/h
    NK_FLOWING,  # killing of a lone cell by natural killer cells in flowing blood, 1/h
    NK_LODGED,  # the same in a capillary
    BOND_MASKING,  # share of killing that one bond to another cell prevents
    ESCORT_SHIELD,  # share of killing that an escort prevents
    ESCORT_GAIN,  # 1/h
    ESCORT_LOSS,  # 1/h
    ESCORT_GRIP,  # factor of an escort on adhesion
    ESCORT_PASSAGE,  # factor of an escort on extravasation
    BREAK_UP,  # breaking of a bond of a file of cells, 1/h
    DETACHMENT,  # of what is lodged, 1/h
    EPITHELIAL_PASSAGE,  # extravasation of epithelial cells relative to mesenchymal ones
    FILE_FRICTION,  # share of the entry pressure that each further cell in a file takes
    LONGEST_FILE,  # cells
    TRAPPING,  # factor on trapping by size
) = range(18)
NUMBERS = 18
WIDTH, SPREAD, PRESSURE, ADHESION, EXTRAVASATION = range(5)  # mean and deviation of ln(um), Pa, hazard per pass, 1/h
BEDS = 5
BY_ANOIKIS, BY_SHEAR, BY_KILLER = range(3)
WAITING = -1  # where a party is that has not yet been carried anywhere

_MEETING = np.uint64(0xFFFFFFFFFFFFFFFF)  # the name that no party has


@kernel
def bonds(size: int) -> float:
    """Bonds of a cell in a cluster: in a rigid packing of n spheres 3 n - 6 bonds are shared by n cells."""
    if size < 3:
        return size - 1.0
    return float((6.0 * size - 12.0) / size)


@kernel
def narrowest(size: int, radius: float, tension: float, pressure: float, numbers: Real) -> float:
    """Diameter (um) of the narrowest capillary that a party enters: Laplace's law of a droplet, cell after cell.

    A droplet of radius R (um) and tension T (mN/m) enters a tube of radius r if the pressure (Pa) exceeds 2 T (1/r - 1/R).
    Cells of a cluster enter in file; those before take up pressure. Clusters too long for a file pass as a ball, or not.
    """
    if size > numbers[LONGEST_FILE]:
        return float(2.0 * radius * size ** (1.0 / 3.0))
    pressure /= 1.0 + numbers[FILE_FRICTION] * (size - 1.0)
    return float(2.0 / (pressure / (2000.0 * tension) + 1.0 / radius))


@kernel
def caught(size: int, radius: float, tension: float, escort: int, o: int, numbers: Real, beds: Real) -> float:
    """Probability that a party is held in the bed of organ o in one pass: too large for its capillary, or stuck to its wall."""
    least = narrowest(size, radius, tension, beds[PRESSURE, o], numbers)
    held = 0.5 * math.erfc((beds[WIDTH, o] - math.log(least)) / (beds[SPREAD, o] * math.sqrt(2.0)))
    held = min(1.0, numbers[TRAPPING] * held)
    grip = beds[ADHESION, o] * (numbers[ESCORT_GRIP] if escort else 1.0)
    return float(1.0 - (1.0 - held) * math.exp(-grip))


@kernel
def party_rates(size: int, escort: int, lodged: bool, numbers: Real) -> tuple[float, float, float]:
    """Rates (1/h) at which one member dies: of anoikis if without survival signal, of shear, and by killers."""
    beside = bonds(size)
    anoikis = numbers[ANOIKIS] * (1.0 - numbers[BOND_ANCHORAGE]) ** beside
    killing = (1.0 - numbers[BOND_MASKING]) ** beside
    if escort:
        killing *= 1.0 - numbers[ESCORT_SHIELD]
    if lodged:
        return anoikis * numbers[LODGED_ANOIKIS], 0.0, killing * numbers[NK_LODGED]
    # A cluster has the surface of a ball of its volume: each cell's share of it falls with the cube root.
    return anoikis, numbers[SHEAR] * size ** (-1.0 / 3.0), killing * numbers[NK_FLOWING]


@kernel
def pick(share: Real, begin: int, end: int, u: float) -> int:
    """The first place from begin to end whose cumulative share exceeds u; the last if none does."""
    k = begin
    while k < end - 1 and u >= share[k]:
        k += 1
    return k


@kernel
def kill(order: Whole, head: int, size: int, place: int) -> int:
    """Move the cell at a place behind the living members of its party; its row."""
    row = order[place]
    order[place] = order[head + size - 1]
    order[head + size - 1] = row
    return int(row)


@kernel
def reverse(order: Whole, begin: int, end: int) -> None:
    """Turn a stretch round."""
    while begin < end - 1:
        end -= 1
        order[begin], order[end] = order[end], order[begin]
        begin += 1


@kernel
def cut(order: Whole, ids: Ids, head: int, size: int, first: int, name: Word) -> tuple[int, Word]:
    """Cut a party behind its first cells; the part with the cell it is named after goes in front and keeps the name.

    Returns how many stay, and the name of the others: the lowest id among them. No two parties ever share a name.
    """
    for k in range(head + first, head + size):
        if ids[order[k]] == name:
            reverse(order, head, head + size)
            reverse(order, head, head + size - first)
            reverse(order, head + size - first, head + size)
            first = size - first
            break
    other = ids[order[head + first]]
    for k in range(head + first, head + size):
        other = min(other, ids[order[k]])
    return first, other


@kernel
def walk(
    begin: int,
    end: int,
    first: Whole,
    radius: Real,
    tension: Real,
    source: Whole,
    since: Real,
    name: Ids,
    where: Whole,
    living: Whole,
    escort: Whole,
    seen: Whole,
    clock: Real,
    order: Whole,
    ids: Ids,
    survival: Real,
    mesenchymal: Real,
    transit: Real,
    organ: Whole,
    start: Whole,
    successor: Whole,
    share: Real,
    entry_first: Whole,
    entry: Whole,
    entry_share: Real,
    exposure: Real,
    numbers: Real,
    beds: Real,
    dt: float,
    key: Word,
    step: int,
    died_at: Real,
    cause: Whole,
    died_where: Whole,
    died_in: Ids,
    left_at: Real,
    held_at: Real,
    held_where: Whole,
    split_at: Real,
    split_from: Ids,
    split_size: Whole,
    flowing: Real,
    hops: Whole,
) -> None:
    """Walk the parties from `begin` to `end`, and all that breaks off them, for dt (h). Times count from the step's begin.

    first [parties + 1]: the places of a party in `order`; radius (um), tension (mN/m), since (h, when shed) [parties]
    source [parties] : row of `entry_first` of the origin and the medium
    name, where, living, escort, seen (1 after its first arrest), clock (h) [places]: of the part whose head it is; moved on
    ids, survival, mesenchymal [cells]
    transit to entry_share : the chain, entry_first flat; exposure [nodes]: 1 where shear and killers act, 0 in lymph
    numbers [NUMBERS], beds [BEDS, organs]
    died_at (inf if alive), cause, died_where, died_in [cells]; left_at, held_at (first arrest), split_at [places], inf if not
    flowing : time in flow (h), hops : moves to another node, both [parties], added to
    """
    nodes = transit.size
    trap = np.empty(beds.shape[1])
    for p in range(begin, end):
        for head in range(first[p], first[p + 1]):
            if living[head] == 0:
                continue
            size, me, t = living[head], name[head], clock[head]
            if t < since[p]:
                t = since[p]
            if t >= dt:
                continue
            stream, increment = open_stream(key, me, step)
            at, with_escort = where[head], escort[head]
            if at == WAITING:
                stream, u = draw_uniform(stream, increment)
                at = entry[pick(entry_share, entry_first[source[p]], entry_first[source[p] + 1], u)]
            fresh, lodged = True, at >= nodes
            doubt = anoikis = shear = killing = passage = onward = loosen = turn = 0.0
            aloft, moves = 0.0, 0
            while True:
                if fresh:
                    doubt = mesenchyme = 0.0
                    for k in range(head, head + size):
                        doubt += 1.0 - survival[order[k]]
                        mesenchyme += mesenchymal[order[k]]
                    anoikis, shear, killing = party_rates(size, with_escort, lodged, numbers)
                    anoikis *= doubt
                    shear *= size
                    killing *= size
                    mesenchyme /= size
                    passage = mesenchyme + (1.0 - mesenchyme) * numbers[EPITHELIAL_PASSAGE]
                    if with_escort:
                        passage *= numbers[ESCORT_PASSAGE]
                    trap[:] = -1.0
                    turn = numbers[ESCORT_LOSS] if with_escort else numbers[ESCORT_GAIN]
                    loosen = numbers[DETACHMENT] if lodged else numbers[BREAK_UP] * (size - 1.0)
                    fresh = False
                stress, attack = shear, killing
                if lodged:
                    onward = passage * beds[EXTRAVASATION, organ[at - nodes]]
                else:
                    onward = 1.0 / transit[at]
                    stress *= exposure[at]
                    attack *= exposure[at]
                total = onward + (loosen + anoikis + stress + attack + turn)
                if total <= 0.0:
                    t = dt
                    break
                stream, wait = draw_exponential(stream, increment)
                wait /= total
                if t + wait >= dt:
                    if not lodged:
                        aloft += dt - t
                    t = dt
                    break
                t += wait
                if not lodged:
                    aloft += wait
                stream, u = draw_uniform(stream, increment)
                mark = u * total
                if mark < onward:
                    if lodged:
                        left_at[head] = t
                        break
                    u = mark / onward
                    o = organ[at]
                    if o >= 0:
                        if trap[o] < 0.0:
                            trap[o] = caught(size, radius[p], tension[p], with_escort, o, numbers, beds)
                        if u < trap[o]:
                            if seen[head] == 0:
                                seen[head] = 1
                                held_at[head], held_where[head] = t, at
                            at, lodged, fresh = at + nodes, True, True
                            continue
                        u = (u - trap[o]) / (1.0 - trap[o])
                    at = successor[pick(share, start[at], start[at + 1], u)]
                    moves += 1
                    continue
                mark -= onward
                if mark < loosen:
                    if lodged:
                        at, lodged, fresh = at - nodes, False, True
                        u = mark / loosen
                        at = successor[pick(share, start[at], start[at + 1], u)]
                        moves += 1
                        continue
                    breaks = 1 + min(int(mark / loosen * (size - 1.0)), size - 2)
                    stay, other = cut(order, ids, head, size, breaks, me)
                    part = head + stay
                    name[part], where[part], living[part] = other, at, size - stay
                    escort[part], seen[part], clock[part] = with_escort, seen[head], t
                    split_at[part], split_from[part], split_size[part] = t, me, size - stay
                    size, fresh = stay, True
                    continue
                mark -= loosen
                if mark < anoikis + stress + attack:
                    place, why = head, BY_ANOIKIS
                    if mark < anoikis:
                        mark *= doubt / anoikis
                        while place < head + size - 1 and mark >= 1.0 - survival[order[place]]:
                            mark -= 1.0 - survival[order[place]]
                            place += 1
                    else:
                        mark -= anoikis
                        why = BY_SHEAR if mark < stress else BY_KILLER
                        mark = mark / stress if why == BY_SHEAR else (mark - stress) / attack
                        place += min(int(mark * size), size - 1)
                    row = kill(order, head, size, place)
                    died_at[row], cause[row], died_where[row], died_in[row] = t, why, at, me
                    size, fresh = size - 1, True
                    if size == 0:
                        break
                    continue
                with_escort, fresh = 1 - with_escort, True
            where[head], living[head], escort[head] = at, size, with_escort
            flowing[p] += aloft
            hops[p] += moves


@kernel
def meetings(n: int, rate: float, dt: float, key: Word, step: int) -> tuple[Real, Whole]:
    """Moments at which two of n parties in one volume of blood meet and stay together, and which two.

    Every pair meets at `rate` (1/h); what met goes on as one. Returns times [m] and places [m, 2] in the list of what is left:
    the first of a pair stands for both, and the last party of the list takes the place of the second.
    """
    most = max(n - 1, 0)
    when, pair = np.empty(most), np.empty((most, 2), np.int64)
    stream, increment = open_stream(key, _MEETING, step)
    t, m = 0.0, 0
    while n > 1 and rate > 0.0:
        stream, wait = draw_exponential(stream, increment)
        t += wait / (rate * 0.5 * n * (n - 1.0))
        if t >= dt:
            break
        stream, u = draw_uniform(stream, increment)
        stream, v = draw_uniform(stream, increment)
        i = min(int(u * n), n - 1)
        j = min(int(v * (n - 1.0)), n - 2)
        when[m], pair[m, 0], pair[m, 1] = t, i, j + (j >= i)
        m += 1
        n -= 1
    return when[:m], pair[:m]
