"""Boolean networks inside cells, advanced as the Markov chain in continuous time that they are.

Node i of a cell turns on at a rate r_up(state) while it is off and off at r_down(state) while it is on (Stoll et al. 2012,
doi:10.1186/1752-0509-6-116). One kernel serves every network: rates are looked up in a table per node by the states of its
regulators, and after a flip only the dependents of the flipped node are looked up again. The next node to flip is found by
composition and rejection (Slepoy et al. 2008, doi:10.1063/1.2919546): nodes wait in bins of rates that differ by less than a
factor of two, so a draw costs the same however many nodes there are.

A network of n nodes is given by these arrays; W = ceil(n / 64), node i is bit i % 64 of word i // 64.

first_regulator : int64 [n + 1]; regulator : int64 [edges]; bit p of the table index of node j is the state of node
    regulator[first_regulator[j] + p]
table_at : int64 [n]; table : uint16 [entries]; row of `rates` of node j at index x is table[table_at[j] + x]
rates : float64 [m, 2] in 1/h, of turning on while off, and off while on
bin_of : int16 [m, 3]; bin of the first rate, the second, and their sum: -1 where it is 0, else the first with rate <= bound
bound : float64 [bins] in 1/h, rising powers of two
first_dependent : int64 [n + 1]; dependent, place : int64 [edges]; node dependent[e] has node i at bit place[e] of its index,
    for e from first_dependent[i] to first_dependent[i + 1]
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paget.kernels.bits import lowest, nth_one, ones
from paget.kernels.compile import kernel
from paget.kernels.neighbours import PIECE
from paget.kernels.streams import draw_exponential, draw_uniform, open_stream

__all__ = ["advance", "draw_initial"]

Real = NDArray[np.float64]
Whole = NDArray[np.int64]
Words = NDArray[np.uint64]
Word = np.uint64

_0, _1, _2, _3, _4, _6, _63 = (np.uint64(i) for i in (0, 1, 2, 3, 4, 6, 63))
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_UNKNOWN = _ALL  # code of a node whose regulators were not yet read
_HASH_START = np.uint64(0x9E3779B97F4A7C15)
_HASH_FACTOR = np.uint64(0xD6E8FEB86659FD93)
_32 = np.uint64(32)
_LEAST = 1e-300  # a smaller dose is none: rates multiplied by it would vanish by rounding


@kernel
def _bit(words: Words, i: Word) -> Word:
    """State of node i, 0 or 1."""
    return (words[i >> _6] >> (i & _63)) & _1


@kernel
def _mixed(digest: Word, word: Word) -> Word:
    digest = (digest ^ word) * _HASH_FACTOR
    return digest ^ (digest >> _32)


@kernel
def _read(
    j: Word, now: Words, held: Words, dosed: Words, first: Words, regulator: Words, table_at: Words
) -> Word:
    """Code of a node: where its entry is in the table, whether it is held or dosed, and its state: entry << 2 | ... << 1 | state."""
    code = table_at[j]
    weight = _1
    for e in range(first[j], first[j + _1]):
        code += weight * _bit(now, regulator[e])
        weight <<= _1
    return (code << _2) | ((_bit(held, j) | dosed[j]) << _1) | _bit(now, j)


@kernel
def _dosed_rates(up: float, down: float, activate: float, inhibit: float) -> tuple[float, float]:
    """Rates under doses; their sum is kept, and the probability of being on becomes (1 - h) (P + a (1 - P))."""
    up, down = up + activate * down, (1.0 - activate) * down
    return (1.0 - inhibit) * up, down + inhibit * up


@kernel
def _row_of(
    j: Word,
    code: Word,
    held: Words,
    table: NDArray[np.uint16],
    rates: Real,
    bin_of: NDArray[np.int16],
    dose_row: Whole,
    activate: Real,
    inhibit: Real,
    column: int,
) -> Word:
    """Bin of a node's next flip, counted from 1; 0 if it cannot flip."""
    entry = np.uint64(table[code >> _2])
    if code & _2:
        if _bit(held, j) or _rate_of(j, code, table, rates, dose_row, activate, inhibit, column) == 0.0:
            return _0
        return np.uint64(np.int64(bin_of[entry, _2]) + 1)
    return np.uint64(np.int64(bin_of[entry, code & _1]) + 1)


@kernel
def _rate_of(
    j: Word,
    code: Word,
    table: NDArray[np.uint16],
    rates: Real,
    dose_row: Whole,
    activate: Real,
    inhibit: Real,
    column: int,
) -> float:
    """Rate at which a node that is not held leaves its state."""
    entry = np.uint64(table[code >> _2])
    if code & _2:
        dose = dose_row[j]
        up, down = _dosed_rates(rates[entry, _0], rates[entry, _1], activate[dose, column], inhibit[dose, column])
        return down if code & _1 else up
    return rates[entry, code & _1]


@kernel
def advance(
    begin: int,
    end: int,
    state: Words,
    rest: NDArray[np.uint64],
    ids: NDArray[np.uint64],
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
    n, words, cells, bins = table_at.size, state.shape[0], ids.size, bound.size
    w64 = np.uint64(words)
    # Indices without a sign spare the test whether they count from the end.
    first_in, sources, at = first_regulator.view(np.uint64), regulator.view(np.uint64), table_at.view(np.uint64)
    first_out, targets = first_dependent.view(np.uint64), dependent.view(np.uint64)
    weight = _4 << place.view(np.uint64)
    doses = np.flatnonzero(dose_row >= 0)
    watches = np.flatnonzero(watched >= 0)
    before, now, held = np.empty(words, np.uint64), np.empty(words, np.uint64), np.empty(words, np.uint64)
    dosed, code = np.zeros(n, np.uint64), np.empty(n, np.uint64)
    row = np.zeros(n, np.uint64)
    waiting = np.zeros((bins + 1) * words, np.uint64)
    since = np.zeros(n)
    hold_wide = hold_on.shape[1] != 1
    dose_wide = activate.shape[1] != 1
    for piece in range(begin, end):
        count = 0
        for c in range(piece * PIECE, min((piece + 1) * PIECE, cells)):
            hc = c if hold_wide else 0
            dc = c if dose_wide else 0
            digest = _HASH_START
            for w in range(words):
                held[w] = hold_on[w, hc] | hold_off[w, hc]
                digest = _mixed(digest, held[w])
            for d in doses:
                a, h = activate[dose_row[d], dc], inhibit[dose_row[d], dc]
                pattern = np.uint64(a > _LEAST) | np.uint64(h > _LEAST) << _1
                dosed[d] = np.uint64(pattern != _0)
                digest = _mixed(digest, pattern | np.uint64(a < 1.0) << _2 | np.uint64(h < 1.0) << _3)
            context = digest
            changed = _0
            for w in range(words):
                before[w] = state[w, c]
                digest = _mixed(digest, before[w])
                now[w] = (before[w] & ~hold_off[w, hc]) | hold_on[w, hc]
                changed |= before[w] ^ now[w]
            resting = rest[c] == digest | _1
            if resting and changed == _0:
                for d in watches:
                    on_time[watched[d], c] = hours[c] * np.float64(_bit(now, np.uint64(d)))
                continue
            waiting[:] = _0
            if resting:
                code[:] = _UNKNOWN
                row[:] = _0
                for w in range(words):
                    left = before[w] ^ now[w]
                    while left != _0:
                        i = np.uint64(w * 64) + lowest(left)
                        left &= left - _1
                        for e in range(first_out[i], first_out[i + _1]):
                            j = targets[e]
                            if code[j] == _UNKNOWN:
                                code[j] = _read(j, now, held, dosed, first_in, sources, at)
                                r = _row_of(j, code[j], held, table, rates, bin_of, dose_row, activate, inhibit, dc)
                                row[j] = r
                                waiting[r * w64 + (j >> _6)] |= _1 << (j & _63)
            else:
                for j in range(np.uint64(n)):
                    code[j] = _read(j, now, held, dosed, first_in, sources, at)
                    r = _row_of(j, code[j], held, table, rates, bin_of, dose_row, activate, inhibit, dc)
                    row[j] = r
                    waiting[r * w64 + (j >> _6)] |= _1 << (j & _63)
            for d in watches:
                on_time[watched[d], c] = 0.0
                since[d] = 0.0
            t = 0.0
            stream, increment = _0, _0
            while True:
                total = 0.0
                for b in range(1, bins + 1):
                    number = _0
                    for w in range(words):
                        number += ones(waiting[b * words + w])
                    total += bound[b - 1] * np.float64(number)
                if total == 0.0:
                    break
                if increment == _0:
                    stream, increment = open_stream(key, ids[c], step)
                stream, wait = draw_exponential(stream, increment)
                t += wait / total
                if not t < hours[c]:
                    break
                stream, u = draw_uniform(stream, increment)
                u *= total
                # choose
                b = 1
                number = _0
                while True:
                    number = _0
                    for w in range(words):
                        number += ones(waiting[b * words + w])
                    mass = bound[b - 1] * np.float64(number)
                    if u < mass or b == bins:
                        break
                    u -= mass
                    b += 1
                most = bound[b - 1]
                k = min(np.uint64(u / most), number - _1)
                at_word = b * words
                while True:
                    here = ones(waiting[at_word])
                    if k < here:
                        break
                    k -= here
                    at_word += 1
                i = np.uint64(at_word - b * words) * np.uint64(64) + nth_one(waiting[at_word], k)
                rate = _rate_of(i, code[i], table, rates, dose_row, activate, inhibit, dc)
                if rate < most:
                    stream, u = draw_uniform(stream, increment)
                    if u * most >= rate:
                        continue
                count += 1
                now[i >> _6] ^= _1 << (i & _63)
                code[i] ^= _1
                on = code[i] & _1
                for e in range(first_out[i], first_out[i + _1]):
                    j = targets[e]
                    x = code[j]
                    if x == _UNKNOWN:
                        x = _read(j, now, held, dosed, first_in, sources, at)
                    else:
                        x = x + weight[e] if on else x - weight[e]
                    code[j] = x
                    r = _row_of(j, x, held, table, rates, bin_of, dose_row, activate, inhibit, dc)
                    old = row[j]
                    if r != old:
                        row[j] = r
                        mark = _1 << (j & _63)
                        waiting[old * w64 + (j >> _6)] ^= mark
                        waiting[r * w64 + (j >> _6)] ^= mark
                r = _row_of(i, code[i], held, table, rates, bin_of, dose_row, activate, inhibit, dc)
                old = row[i]
                row[i] = r
                mark = _1 << (i & _63)
                waiting[old * w64 + (i >> _6)] ^= mark
                waiting[r * w64 + (i >> _6)] ^= mark
                if watched[i] >= 0:
                    if on == _1:
                        since[i] = t
                    else:
                        on_time[watched[i], c] += t - since[i]
            digest = context
            for w in range(words):
                state[w, c] = now[w]
                digest = _mixed(digest, now[w])
            rest[c] = digest | _1 if total == 0.0 else _0
            for d in watches:
                if _bit(now, np.uint64(d)):
                    on_time[watched[d], c] += hours[c] - since[d]
        flips[piece] += count
