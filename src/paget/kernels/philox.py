"""Counter-based random numbers: Philox4x32-10 (Salmon et al., SC11, doi:10.1145/2063384.2063405).

A number is a pure function of a 64-bit key (seed, animal, process) and a 128-bit counter (cell id, step, draw), so it
does not matter in which order, on which thread, or after which interruption it is asked for.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paget.kernels.compile import kernel

Real = NDArray[np.float64]
Whole = NDArray[np.int64]
Ids = NDArray[np.uint64]
Word = np.uint64

_M0 = np.uint64(0xD2511F53)
_M1 = np.uint64(0xCD9E8D57)
_W0 = np.uint64(0x9E3779B9)
_W1 = np.uint64(0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)
_5 = np.uint64(5)
_6 = np.uint64(6)
_26 = np.uint64(26)
_SCALE = 1.0 / 9007199254740992.0  # 2**-53


@kernel
def philox4x32(c0: Word, c1: Word, c2: Word, c3: Word, k0: Word, k1: Word) -> tuple[Word, Word, Word, Word]:
    """Ten rounds on a counter of four words and a key of two, all uint64 holding 32 bits; returns four words."""
    for _ in range(10):
        p0 = _M0 * c0
        p1 = _M1 * c2
        c0, c1, c2, c3 = (p1 >> _32) ^ c1 ^ k0, p1 & _LOW, (p0 >> _32) ^ c3 ^ k1, p0 & _LOW
        k0 = (k0 + _W0) & _LOW
        k1 = (k1 + _W1) & _LOW
    return c0, c1, c2, c3


@kernel
def _unit(a: Word, b: Word) -> float:
    """Two 32-bit words to a float in (0, 1] with 53 random bits; never 0, whose logarithm is taken."""
    return (np.float64(((a >> _5) << _26) | (b >> _6)) + 0.5) * _SCALE


@kernel
def uniforms(key: Word, ids: Ids, step: int, columns: int) -> Real:
    """Uniform numbers in (0, 1], [n, columns].

    key : uint64; ids : uint64 [n]; step : int64, the tick, or -1 for numbers that stay the same for the life of a cell
    """
    k0 = key & _LOW
    k1 = key >> _32
    out = np.empty((ids.size, columns))
    for i in range(ids.size):
        for j in range(columns):
            a, b, _, _ = philox4x32(ids[i] & _LOW, ids[i] >> _32, np.uint64(step) & _LOW, np.uint64(j), k0, k1)
            out[i, j] = _unit(a, b)
    return out


@kernel
def normals(key: Word, ids: Ids, step: int, columns: int) -> Real:
    """Standard normal numbers [n, columns] per cell (Box and Muller 1958); `step` as in `uniforms`."""
    k0 = key & _LOW
    k1 = key >> _32
    out = np.empty((ids.size, columns))
    for i in range(ids.size):
        for pair in range((columns + 1) // 2):
            a, b, c, d = philox4x32(ids[i] & _LOW, ids[i] >> _32, np.uint64(step) & _LOW, np.uint64(pair), k0, k1)
            radius = np.sqrt(-2.0 * np.log(_unit(a, b)))
            angle = 2.0 * np.pi * _unit(c, d)
            out[i, 2 * pair] = radius * np.cos(angle)
            if 2 * pair + 1 < columns:
                out[i, 2 * pair + 1] = radius * np.sin(angle)
    return out


@kernel
def spend_hazard(budget: Real, count: Whole, rows: Whole, ids: Ids, rates: Real, dt: float, key: Word) -> Real:
    """Let hazards run for one tick and say which clocks ran out, and when.

    Every clock starts with a budget drawn from the unit exponential distribution, spends it at the hazard, and rings when
    it is empty. Because the budget depends on the cell and not on the tick, the moment it rings converges as the tick
    shrinks, and two arms share it until their hazards differ (random time change; Anderson 2007, doi:10.1063/1.2799998).

    budget : float64 [n_all], NaN for a clock that never ran; changed in place
    count : int64 [n_all], how often the clock rang
    rows : int64 [n]; ids : uint64 [n]; rates : float64 [n] in 1/h; dt in h
    Returns the time of ringing within the tick [n] in h, or inf.
    """
    k0 = key & _LOW
    k1 = key >> _32
    rings = np.full(rows.size, np.inf)
    for i in range(rows.size):
        row = rows[i]
        if np.isnan(budget[row]):
            a, b, _, _ = philox4x32(ids[i] & _LOW, ids[i] >> _32, np.uint64(0), np.uint64(count[row]) & _LOW, k0, k1)
            budget[row] = -np.log(_unit(a, b))
        spent = rates[i] * dt
        if spent > 0.0 and spent >= budget[row]:
            rings[i] = max(budget[row], 0.0) / rates[i]
        budget[row] -= spent
        if budget[row] < 0.0 and np.isinf(rings[i]):
            budget[row] = 0.0
    return rings


@kernel
def spend_hazard_repeatedly(
    budget: Real, count: Whole, rows: Whole, ids: Ids, rates: Real, dt: float, key: Word
) -> Whole:
    """Like `spend_hazard` for clocks that may ring several times in a tick and start anew each time.

    Returns how often each rang [n]; `budget` and `count` are moved on.
    """
    k0 = key & _LOW
    k1 = key >> _32
    rang = np.zeros(rows.size, np.int64)
    for i in range(rows.size):
        row = rows[i]
        left = rates[i] * dt
        while True:
            if np.isnan(budget[row]):
                a, b, _, _ = philox4x32(
                    ids[i] & _LOW, ids[i] >> _32, np.uint64(0), np.uint64(count[row]) & _LOW, k0, k1
                )
                budget[row] = -np.log(_unit(a, b))
            if left < budget[row]:
                budget[row] -= left
                break
            left -= budget[row]
            budget[row] = np.nan
            count[row] += 1
            rang[i] += 1
    return rang
