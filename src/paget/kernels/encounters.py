"""Encounters of cells that touch: who engulfs, fuses with, attacks and attaches to whom, and when within the tick.

Neighbours are rows in a list, ``other[start[i]:start[i + 1]]``, ascending by cell id, so that every sum and every choice has
one order whatever the order of cells in memory. Each pair and kind of encounter is an exponential clock of its own: the first
of many rings after -ln(u) / (sum of rates), and is each one with probability rate / sum. Random numbers are keyed by cell id.

Rates come from a table [n_types, 6, n_types]: type of the acting cell, kind of encounter, type of the partner. Where a rate is
a cell's own (`own[kind, partner type]` is not -1), it is a row of `personal` [n_own, n] instead.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paget.kernels.compile import kernel
from paget.kernels.philox import _unit, philox4x32

Real = NDArray[np.float64]
Whole = NDArray[np.int64]
Ids = NDArray[np.uint64]
Word = np.uint64

ENGULF_APOPTOTIC, ENGULF_NECROTIC, ENGULF_LIVING, FUSE, ATTACK, IMMUNOGENICITY = range(6)
KINDS = 6
ALIVE, APOPTOTIC = 0, 1
NOBODY = -1

_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)


@kernel
def two_uniforms(key: Word, ids: Word, step: int, draw: int) -> tuple[float, float]:
    """Two uniform numbers in (0, 1) of one cell, tick and draw."""
    a, b, c, d = philox4x32(
        ids & _LOW, ids >> _32, np.uint64(step) & _LOW, np.uint64(draw) & _LOW, key & _LOW, key >> _32
    )
    return _unit(a, b), _unit(c, d)


@kernel
def pair_key(first: Word, second: Word) -> Word:
    """A word that both cells of a pair agree on, whoever asks (a round of SplitMix64 over the smaller id, then the larger)."""
    low = min(first, second)
    high = max(first, second)
    word = low * np.uint64(0x9E3779B97F4A7C15) + high
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))


@kernel
def rate_of(kind: int, row: int, actor: int, partner: int, table: Real, own: Whole, personal: Real) -> float:
    """Rate at which the cell `row` of type `actor` does `kind` to a partner of type `partner`."""
    column = own[kind, partner]
    if column >= 0:
        return float(personal[column, row])
    return float(table[actor, kind, partner])


@kernel
def takings(
    start: Whole,
    other: Whole,
    kind: Whole,
    death: Whole,
    ids: Ids,
    table: Real,
    own: Whole,
    personal: Real,
    key: Word,
    step: int,
    dt: float,
) -> tuple[Real, Whole, Whole]:
    """When each cell is taken up by a neighbour in this tick, by which, and how.

    All pairs compete, seen from the cell that is taken: its neighbours' rates add up, one of them comes first.

    Returns (rings [n] time within the tick in h or inf, actor [n] row or -1, how [n]: 0 engulfed, 1 fused).
    """
    n = kind.size
    rings = np.full(n, np.inf)
    actor = np.full(n, NOBODY, np.int64)
    how = np.zeros(n, np.int64)
    for j in range(n):
        living = death[j] == ALIVE
        engulfing = ENGULF_LIVING
        if not living:
            engulfing = ENGULF_APOPTOTIC if death[j] == APOPTOTIC else ENGULF_NECROTIC
        total = 0.0
        for k in range(start[j], start[j + 1]):
            i = other[k]
            if death[i] == ALIVE:
                total += rate_of(engulfing, i, kind[i], kind[j], table, own, personal)
                if living:
                    total += rate_of(FUSE, i, kind[i], kind[j], table, own, personal)
        if total <= 0.0:
            continue
        first, second = two_uniforms(key, ids[j], step, 0)
        when = -np.log(first) / total
        if when >= dt:
            continue
        rings[j] = when
        mark = second * total
        for k in range(start[j], start[j + 1]):
            i = other[k]
            if death[i] != ALIVE or mark <= 0.0:
                continue
            rate = rate_of(engulfing, i, kind[i], kind[j], table, own, personal)
            if rate > 0.0:
                mark -= rate
                actor[j], how[j] = i, 0
            if living and mark > 0.0:
                rate = rate_of(FUSE, i, kind[i], kind[j], table, own, personal)
                if rate > 0.0:
                    mark -= rate
                    actor[j], how[j] = i, 1
    return rings, actor, how


@kernel
def attacks(
    order: Whole,
    start: Whole,
    other: Whole,
    kind: Whole,
    death: Whole,
    ids: Ids,
    left: Real,
    victim: Whole,
    table: Real,
    own: Whole,
    personal: Real,
    duration: Real,
    damage: Real,
    key: Word,
    step: int,
    dt: float,
) -> tuple[Real, Whole, Real]:
    """Attacks of every cell over one tick: each goes on for its duration, then the next begins after an exponential wait.

    order : rows by cell id; left : time [n] in h that a present attack goes on; victim : row [n] of the cell under attack, -1
    if there is none (or it is gone); duration [n] in h and damage [n] in 1/h of attacks that begin now

    An attack begins at rate attack(attacker, neighbour's type) * immunogenicity(neighbour, attacker's type) and ends early
    when the victim is dead. Returns (left [n], victim [n], dealt [n]): `dealt` is the damage that each cell received.
    """
    n = kind.size
    left_after = np.zeros(n)
    victim_after = np.full(n, NOBODY, np.int64)
    dealt = np.zeros(n)
    for a in range(n):
        i = order[a]
        if death[i] != ALIVE:
            continue
        time = 0.0
        if left[i] > 0.0 and victim[i] != NOBODY and death[victim[i]] == ALIVE:
            spent = min(left[i], dt)
            dealt[victim[i]] += damage[i] * spent
            time = spent
            if left[i] > dt:
                left_after[i], victim_after[i] = left[i] - dt, victim[i]
                continue
        total = 0.0
        for k in range(start[i], start[i + 1]):
            total += _attack_rate(i, other[k], kind, death, table, own, personal)
        draw = 0
        while total > 0.0:
            first, second = two_uniforms(key, ids[i], step, draw)
            draw += 1
            time += -np.log(first) / total
            if time >= dt:
                break
            mark = second * total
            target = NOBODY
            for k in range(start[i], start[i + 1]):
                rate = _attack_rate(i, other[k], kind, death, table, own, personal)
                if rate > 0.0 and mark > 0.0:
                    mark -= rate
                    target = other[k]
            spent = min(duration[i], dt - time)
            dealt[target] += damage[i] * spent
            time += spent
            if duration[i] > spent:
                left_after[i], victim_after[i] = duration[i] - spent, target
                break
    return left_after, victim_after, dealt


@kernel
def _attack_rate(i: int, j: int, kind: Whole, death: Whole, table: Real, own: Whole, personal: Real) -> float:
    """Rate at which cell i begins to attack its neighbour j."""
    if death[j] != ALIVE:
        return 0.0
    rate = rate_of(ATTACK, i, kind[i], kind[j], table, own, personal)
    if rate <= 0.0:
        return 0.0
    return rate * rate_of(IMMUNOGENICITY, j, kind[j], kind[i], table, own, personal)


@kernel
def loosen(first: Whole, second: Whole, ids: Ids, detach: Real, key: Word, step: int, dt: float) -> NDArray[np.bool_]:
    """Which attachments (rows `first`, `second` [m]) break in this tick: either cell lets go at its own rate [n] in 1/h."""
    broken = np.zeros(first.size, np.bool_)
    for b in range(first.size):
        i, j = first[b], second[b]
        chance, _ = two_uniforms(key, pair_key(ids[i], ids[j]), step, 0)
        broken[b] = -np.log(chance) < (detach[i] + detach[j]) * dt
    return broken


@kernel
def reachings(
    start: Whole,
    other: Whole,
    kind: Whole,
    death: Whole,
    ids: Ids,
    attach: Real,
    row: Whole,
    affinity: Real,
    key: Word,
    step: int,
    dt: float,
) -> tuple[Whole, Whole, Real]:
    """Pairs of living neighbours that would attach in this tick, and when: (rows [m], rows [m], times [m] in h).

    attach : rate [n] in 1/h of each cell; affinity : [rows, n_types] of the reaching cell for the type of the other, with the
    row [n] of each cell: its type, or its own
    The first row of a pair is that of the smaller id; a pair attaches at the sum of both cells' rates.
    """
    many = 0
    for k in range(start.size - 1):
        if attach[k] > 0.0:  # of each pair that attaches, at least one cell reaches out
            many += start[k + 1] - start[k]
    first = np.empty(many, np.int64)
    second = np.empty(many, np.int64)
    times = np.empty(many)
    found = 0
    for i in range(start.size - 1):
        if death[i] != ALIVE:
            continue
        for k in range(start[i], start[i + 1]):
            j = other[k]
            if ids[j] < ids[i] or death[j] != ALIVE:
                continue
            rate = attach[i] * affinity[row[i], kind[j]] + attach[j] * affinity[row[j], kind[i]]
            if rate <= 0.0:
                continue
            _, chance = two_uniforms(key, pair_key(ids[i], ids[j]), step, 0)
            when = -np.log(chance) / rate
            if when < dt:
                first[found], second[found], times[found] = i, j, when
                found += 1
    return first[:found], second[:found], times[:found]


@kernel
def admit(
    first: Whole, second: Whole, held: Whole, most: Real, bonds_first: Whole, bonds_second: Whole
) -> NDArray[np.bool_]:
    """Which of the pairs [m], in the order of their times, attach: both cells have room and are not attached already.

    held : attachments [n] that each cell holds, counted up in place; most : attachments [n] that it can hold
    bonds_first, bonds_second : rows of the attachments that are there, the smaller id first
    """
    n = held.size
    begin = np.zeros(n + 1, np.int64)
    for b in range(bonds_first.size):
        begin[bonds_first[b] + 1] += 1
    for i in range(n):
        begin[i + 1] += begin[i]
    fill = begin.copy()
    mate = np.empty(bonds_first.size, np.int64)
    for b in range(bonds_first.size):
        mate[fill[bonds_first[b]]] = bonds_second[b]
        fill[bonds_first[b]] += 1
    accepted = np.zeros(first.size, np.bool_)
    for p in range(first.size):
        i, j = first[p], second[p]
        if held[i] >= most[i] or held[j] >= most[j]:
            continue
        new = True
        for b in range(begin[i], begin[i + 1]):
            if mate[b] == j:
                new = False
        if new:
            accepted[p] = True
            held[i] += 1
            held[j] += 1
    return accepted


def order_by_id(ids: Ids) -> Whole:
    """Rows in ascending order of cell id."""
    if bool((ids[1:] > ids[:-1]).all()):
        return np.arange(ids.size)
    return np.argsort(ids, kind="stable")


def rows_of(ids: Ids, wanted: Ids, by_id: Whole | None = None) -> Whole:
    """Rows of the cells with the wanted ids, -1 where there is no such cell; `ids` may be in any order.

    by_id : rows in ascending order of id, where the caller knows them
    """
    if ids.size == 0:
        return np.full(wanted.size, NOBODY, np.int64)
    order = order_by_id(ids) if by_id is None else by_id
    place = np.minimum(np.searchsorted(ids, wanted, sorter=order), ids.size - 1)
    rows = order[place]
    return np.where(ids[rows] == wanted, rows, NOBODY)
