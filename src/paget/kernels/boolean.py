"""Boolean networks inside cells, advanced as the Markov chains in continuous time that they are.

Node i of a cell turns on at a rate up_i(state) while it is off, and off at a rate down_i(state) while it is on (Stoll et al.
2012, doi:10.1186/1752-0509-6-116). One kernel serves every network: rates are looked up by the states of a node's regulators,
and after a flip only the dependents of the flipped node are looked up again. The node that flips next is found by composition
and rejection (Slepoy et al. 2008, doi:10.1063/1.2919546): nodes wait in bins of rates within a factor of two of each other, so
that a flip costs the same however many nodes there are.

A network of n nodes is these arrays; W = ceil(n / 64), and node i is bit i % 64 of word i // 64.

first_regulator : int64 [n + 1]; regulator : int64 [edges]; bit p of the table index of node j is the state of node
    regulator[first_regulator[j] + p]
table_at : int64 [n]; table : uint16 [entries]; node j at index x has row table[table_at[j] + x] of `rates`
rates : float64 [m, 2] in 1/h, of turning on while off, and off while on
bin_of : int16 [m, 3]; bin of the one rate, of the other and of their sum: -1 where it is 0, else the first with rate <= bound
bound : float64 [bins] in 1/h, rising powers of two
first_dependent : int64 [n + 1]; dependent, place : int64 [edges]; node i is bit place[e] of the table index of dependent[e],
    for e from first_dependent[i] to below first_dependent[i + 1]
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paget.kernels.bits import lowest, nth_one, ones
from paget.kernels.compile import kernel
from paget.kernels.neighbours import PIECE
from paget.kernels.streams import draw_exponential, draw_uniform, open_stream

__all__ = ["FOR_LIFE", "advance", "draw_initial"]

Real = NDArray[np.float64]
Whole = NDArray[np.int64]
Words = NDArray[np.uint64]
Word = np.uint64

FOR_LIFE = -1  # step of numbers that belong to a cell and to no step

# What a node's code says below the place of its table entry: off, on, or one of these.
_DOSED, _HELD = np.uint64(2), np.uint64(3)
_UNREAD = np.uint64(0xFFFFFFFFFFFFFFFF)  # code of a node whose regulators were not looked at yet

_0, _1, _2, _3, _4, _6, _32, _63, _64 = (np.uint64(i) for i in (0, 1, 2, 3, 4, 6, 32, 63, 64))
_LOW = np.uint64(0xFFFFFFFF)
_DIGEST = np.uint64(0x9E3779B97F4A7C15)
_FACTOR = np.uint64(0xD6E8FEB86659FD93)
_LEAST = 1e-300  # a dose below is none: a rate times less would vanish by rounding


@kernel
def _digested(digest: Word, word: Word) -> Word:
    """Digest of a sequence of words with one more."""
    digest = (digest ^ word) * _FACTOR
    return digest ^ (digest >> _32)


@kernel
def _dosed_rate(up: float, down: float, activate: float, inhibit: float, on: Word) -> float:
    """Rate at which a node under doses leaves its state; the sum of both rates stays, P(on) becomes (1 - h) (P + a (1 - P))."""
    up, down = up + activate * down, (1.0 - activate) * down
    return down + inhibit * up if on else (1.0 - inhibit) * up


@kernel
def _laid_out(first_dependent: Whole, dependent: Whole, place: Whole) -> tuple[Words, Words]:
    """Whom to look up after a flip of each node: its dependents and itself; and, as if after a flip of node n, all nodes.

    Returns where each list begins [n + 2], and the lists of weight << 32 | node. The weight is what the flip adds to the code
    of the node, or takes from it.
    """
    n = first_dependent.size - 1
    first, packed = np.empty(n + 2, np.uint64), np.empty(dependent.size + 2 * n, np.uint64)
    size = 0
    for i in range(n):
        first[i] = size
        for e in range(first_dependent[i], first_dependent[i + 1]):
            packed[size] = (_4 << np.uint64(place[e])) << _32 | np.uint64(dependent[e])
            size += 1
        packed[size] = i
        size += 1
    first[n] = size
    first[n + 1] = size + n
    packed[size:] = np.arange(n)
    return first, packed


@kernel
def _rows(bin_of: NDArray[np.int16]) -> Words:
    """Row of `waiting` at 4 * (row of the rates) + (off, on, dosed or held): the bin + 1, or 0 for no flip [4 m]."""
    rows = np.zeros(4 * bin_of.shape[0], np.uint64)
    for m in range(bin_of.shape[0]):
        for kind in range(3):
            rows[4 * m + kind] = bin_of[m, kind] + 1
    return rows


@kernel
def advance(
    begin: int,
    end: int,
    state: Words,
    rest: Words,
    ids: Words,
    hours: Real,
    hold_on: Words,
    hold_off: Words,
    dose_row: Whole,
    activate: Real,
    inhibit: Real,
    watched: Whole,
    on_time: Real,
    flips: Whole,
    key: Word,
    step: int,
    first_regulator: Whole,
    regulator: Whole,
    table_at: Whole,
    table: NDArray[np.uint16],
    rates: Real,
    bin_of: NDArray[np.int16],
    bound: Real,
    first_dependent: Whole,
    dependent: Whole,
    place: Whole,
) -> None:
    """Let the networks of the cells live for a step; of those in pieces begin to end, of `PIECE` cells each.

    state : uint64 [W, n_cells]; changed in place
    rest : uint64 [n_cells]; changed in place: nonzero marks a cell in which nothing can happen as long as its state, what holds
        it, and which doses are 0 or 1 stay. To be set to 0 where the network's arrays change, and for new cells
    ids : uint64 [n_cells]. hours : float64 [n_cells] to live in this step, finite unless every cell comes to rest
    hold_on, hold_off : uint64 [W, n_cells], or [W, 1] for all cells: nodes that are on or off throughout (on, if both)
    dose_row : int64 [n], row of each node in `activate` and `inhibit`, -1 for none
    activate, inhibit : float64 [doses, n_cells], or [doses, 1] for all cells; from 0 to 1. At steady state
        P(on) = (1 - inhibit) (P + activate (1 - P)) where P is that without doses; 0 leaves the node as it is, to the bit
    watched : int64 [n], row of each node in `on_time`, -1 for none
    on_time : float64 [watched nodes, n_cells]; out: hours of this step that the node was on
    flips : int64 [pieces]; the flips in each piece of cells are added
    key : uint64; step : int64; random numbers are a function of key, id and step
    The network's arrays: see above.
    """
    n, words, bins = table_at.size, state.shape[0], bound.size
    per_row = np.uint64(words)
    # Indices without a sign spare the test whether they count from the end. Arrays are not handed to functions of inner loops:
    # counting their references would cost more than the work.
    first_in, sources, at = first_regulator.view(np.uint64), regulator.view(np.uint64), table_at.view(np.uint64)
    first_out, targets = _laid_out(first_dependent, dependent, place)
    row_of = _rows(bin_of)
    doses, watches = np.flatnonzero(dose_row >= 0), np.flatnonzero(watched >= 0)
    held_apart, dosed_apart = hold_on.shape[1] != 1, activate.shape[1] != 1
    moved, now, held = np.empty(words, np.uint64), np.empty(words, np.uint64), np.empty(words, np.uint64)
    code = np.empty(n, np.uint64)  # entry of the table << 2 | off, on, dosed or held
    row = np.empty(n, np.uint64)  # where the node waits
    waiting = np.empty((bins + 1) * words, np.uint64)  # bits of nodes: row 0 of those that cannot flip, then each bin
    mass = np.empty(bins + 1)
    dosed, since = np.zeros(n, np.uint64), np.empty(n)
    for piece in range(begin, end):
        for c in range(piece * PIECE, min((piece + 1) * PIECE, ids.size)):
            hc, dc = c if held_apart else 0, c if dosed_apart else 0

            # ---- may anything happen at all?
            context = _DIGEST
            for w in range(words):
                held[w] = hold_on[w, hc] | hold_off[w, hc]
                context = _digested(context, held[w])
            for d in range(doses.size):
                a, h = activate[dose_row[doses[d]], dc], inhibit[dose_row[doses[d]], dc]
                present = np.uint64(a > _LEAST) | np.uint64(h > _LEAST) << _1
                if present:  # a dose of zero leaves no trace, not even in the mark of rest
                    saturating = np.uint64(a < 1.0) << _2 | np.uint64(h < 1.0) << _3
                    context = _digested(context, np.uint64(doses[d]) << _4 | present | saturating)
                dosed[doses[d]] = np.uint64(present != _0)
            digest, any_moved = context, _0
            for w in range(words):
                digest = _digested(digest, state[w, c])
                now[w] = (state[w, c] & ~hold_off[w, hc]) | hold_on[w, hc]
                moved[w] = state[w, c] ^ now[w]
                any_moved |= moved[w]
            resting = rest[c] == digest | _1
            if resting and any_moved == _0:
                for d in range(watches.size):
                    j = np.uint64(watches[d])
                    on_time[watched[j], c] = hours[c] * np.float64(np.int64((now[j >> _6] >> (j & _63)) & _1))
                continue
            for d in range(watches.size):
                on_time[watched[watches[d]], c] = 0.0
                since[watches[d]] = 0.0

            # ---- whom to look at first: all nodes, but in a cell at rest only those that depend on what has moved
            waiting[:] = _0
            code[:] = _UNREAD
            row[:] = _0
            e, last, sign, word = _0, _0, _0, 0
            if not resting:
                e, last, word = first_out[n], first_out[n + 1], words

            # ---- the chain
            t, total, count = 0.0, 0.0, 0
            stream, increment = _0, _0
            while True:
                # Where the nodes of the list wait.
                while e < last:
                    j, change = targets[e] & _LOW, targets[e] >> _32
                    e += _1
                    x = code[j]
                    if x != _UNREAD:
                        x += change * sign
                    else:
                        x, f, first = _0, first_in[j + _1], first_in[j]
                        while f != first:
                            f -= _1
                            i = sources[f]
                            x = (x << _1) | ((now[i >> _6] >> (i & _63)) & _1)
                        kind = (now[j >> _6] >> (j & _63)) & _1
                        if (held[j >> _6] >> (j & _63)) & _1:
                            kind = _HELD
                        elif dosed[j]:
                            kind = _DOSED
                        x = ((x + at[j]) << _2) | kind
                    entry = np.uint64(table[x >> _2])
                    r = row_of[entry << _2 | (x & _3)]
                    if x & _3 == _DOSED:
                        a, h, on = activate[dose_row[j], dc], inhibit[dose_row[j], dc], (now[j >> _6] >> (j & _63)) & _1
                        if _dosed_rate(rates[entry, _0], rates[entry, _1], a, h, on) == 0.0:
                            r = _0
                    # Also if it waits there already: a branch would be guessed wrong too often.
                    old, mark = row[j], _1 << (j & _63)
                    code[j], row[j] = x, r
                    waiting[old * per_row + (j >> _6)] ^= mark
                    waiting[r * per_row + (j >> _6)] ^= mark
                if word < words:
                    if moved[word] == _0:
                        word += 1
                    else:
                        i = np.uint64(word) * _64 + lowest(moved[word])
                        moved[word] &= moved[word] - _1
                        e, last = first_out[i], first_out[i + _1]
                    continue

                # How long until a candidate comes up.
                total, highest = 0.0, 1
                for b in range(1, bins + 1):
                    many = _0
                    for w in range(words):
                        many += ones(waiting[b * words + w])
                    mass[b] = bound[b - 1] * np.float64(np.int64(many))
                    total += mass[b]
                    if many != _0:
                        highest = b
                if total == 0.0:
                    break
                if increment == _0:
                    stream, increment = open_stream(key, ids[c], step)
                stream, wait = draw_exponential(stream, increment)
                t += wait / total
                if not t < hours[c]:
                    break

                # Which: a bin by its mass, one of its nodes, all alike, and that with the share of its rate in the bound.
                stream, u = draw_uniform(stream, increment)
                u *= total
                b = 1
                while b < highest and u >= mass[b]:
                    u -= mass[b]
                    b += 1
                most = bound[b - 1]
                k = np.uint64(np.int64(min(u, mass[b] - 0.5 * most) * (1.0 / most)))
                w = b * words
                while k >= ones(waiting[w]):
                    k -= ones(waiting[w])
                    w += 1
                i = np.uint64(w - b * words) * _64 + nth_one(waiting[w], k)
                x, on = code[i], (now[i >> _6] >> (i & _63)) & _1
                entry = np.uint64(table[x >> _2])
                rate = rates[entry, on]
                if x & _3 == _DOSED:
                    a, h = activate[dose_row[i], dc], inhibit[dose_row[i], dc]
                    rate = _dosed_rate(rates[entry, _0], rates[entry, _1], a, h, on)
                if rate < most:
                    stream, u = draw_uniform(stream, increment)
                    if u * most >= rate:
                        continue

                # It flips.
                count += 1
                now[i >> _6] ^= _1 << (i & _63)
                if x & _3 != _DOSED:
                    code[i] = x ^ _1
                e, last, sign = first_out[i], first_out[i + _1], _1 - _2 * on
                if watched[i] >= 0:
                    if on:
                        on_time[watched[i], c] += t - since[i]
                    else:
                        since[i] = t

            flips[piece] += count
            digest = context
            for w in range(words):
                state[w, c] = now[w]
                digest = _digested(digest, now[w])
            rest[c] = digest | _1 if total == 0.0 else _0
            for d in range(watches.size):
                j = np.uint64(watches[d])
                if (now[j >> _6] >> (j & _63)) & _1:
                    on_time[watched[j], c] += hours[c] - since[j]


@kernel
def draw_initial(ids: Words, probability: Real, key: Word) -> Words:
    """First states of cells [W, n_cells]: each node is on with its probability, whatever that of the others.

    ids : uint64 [n_cells]; probability : float64 [n]; key : uint64
    """
    n = probability.size
    state = np.zeros(((n + 63) // 64, ids.size), np.uint64)
    for c in range(ids.size):
        stream, increment = open_stream(key, ids[c], FOR_LIFE)
        for i in range(n):
            stream, u = draw_uniform(stream, increment)
            if u < probability[i]:
                state[i // 64, c] |= _1 << np.uint64(i % 64)
    return state


@kernel
def hold_at_thresholds(
    signals: Real,
    which: Whole,
    bit: Whole,
    on: Real,
    off: Real,
    below: Whole,
    state: Words,
    hold_on: Words,
    hold_off: Words,
) -> None:
    """Hold the inputs that follow thresholds on or off in every cell; between its thresholds an input stays as it was.

    signals : float64 [m, n_cells]. which, bit, on, off, below : [k], row of the signal, node, level from which the input is on,
        level from which it is off, and 1 if it is on below its level. state, hold_on, hold_off : uint64 [W, n_cells]
    """
    for k in range(which.size):
        word, mark = bit[k] // 64, _1 << np.uint64(bit[k] % 64)
        row, begins, ends, falls = which[k], on[k], off[k], below[k] == 1
        for c in range(state.shape[1]):
            x, was = signals[row, c], state[word, c] & mark != _0
            called = x < begins or (was and not x > ends) if falls else x > begins or (was and not x < ends)
            if called:
                hold_on[word, c] |= mark
            else:
                hold_off[word, c] |= mark
