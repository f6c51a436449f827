"""Slow, clear twins of every kernel, in plain Python and NumPy, written from the equations and not from the kernels.

They exist to be read beside the compiled functions and to be tested with the same test body. Nothing else uses them.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "deposit",
    "fak_erk",
    "gather",
    "gradient",
    "normals",
    "philox4x32",
    "spend_hazard",
    "spend_hazard_repeatedly",
    "uniforms",
    "voxel_of",
]

Real = NDArray[np.float64]
Whole = NDArray[np.int64]
Ids = NDArray[np.uint64]

WORD = 2**32
ROUNDS = 10
MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
WEYL = (0x9E3779B9, 0xBB67AE85)


# ---- chance -----------------------------------------------------------------------------------------------------
def philox4x32(c0: int, c1: int, c2: int, c3: int, k0: int, k1: int) -> tuple[int, int, int, int]:
    """Philox4x32-10 with Python's integers: four words from a counter of four words and a key of two."""
    counter, key = [int(c) for c in (c0, c1, c2, c3)], [int(k0), int(k1)]
    for _ in range(ROUNDS):
        high_0, low_0 = divmod(MULTIPLIERS[0] * counter[0], WORD)
        high_1, low_1 = divmod(MULTIPLIERS[1] * counter[2], WORD)
        counter = [high_1 ^ counter[1] ^ key[0], low_1, high_0 ^ counter[3] ^ key[1], low_0]
        key = [(word + step) % WORD for word, step in zip(key, WEYL, strict=True)]
    return counter[0], counter[1], counter[2], counter[3]


def _words(key: np.uint64, cell: np.uint64, step: int, draw: int) -> tuple[int, int, int, int]:
    high, low = divmod(int(cell), WORD)
    key_high, key_low = divmod(int(key), WORD)
    return philox4x32(low, high, step % WORD, draw % WORD, key_low, key_high)


def _unit(a: int, b: int) -> float:
    """The top 27 bits of one word and 26 of the next, as a float in the middle of its interval of width 2^-53."""
    return ((a // 2**5) * 2**26 + b // 2**6 + 0.5) / 2**53


def uniforms(key: np.uint64, ids: Ids, step: int, columns: int) -> Real:
    """Uniform numbers [n, columns]."""
    return np.array([[_unit(*_words(key, cell, step, j)[:2]) for j in range(columns)] for cell in ids]).reshape(
        -1, columns
    )


def normals(key: np.uint64, ids: Ids, step: int, columns: int) -> Real:
    """Standard normal numbers [n, columns], in pairs from Box and Muller's transform."""
    rows = []
    for cell in ids:
        row: list[float] = []
        for pair in range((columns + 1) // 2):
            a, b, c, d = _words(key, cell, step, pair)
            radius, angle = math.sqrt(-2.0 * math.log(_unit(a, b))), 2.0 * math.pi * _unit(c, d)
            row += [radius * math.cos(angle), radius * math.sin(angle)]
        rows.append(row[:columns])
    return np.array(rows).reshape(-1, columns)


def _budget(key: np.uint64, cell: np.uint64, times_rung: int) -> float:
    return -math.log(_unit(*_words(key, cell, 0, times_rung)[:2]))


def spend_hazard(budget: Real, count: Whole, rows: Whole, ids: Ids, rates: Real, dt: float, key: np.uint64) -> Real:
    """Times of ringing [n], or inf; a budget that would fall below zero without ringing stays at zero."""
    rings = []
    for row, cell, rate in zip(rows, ids, rates, strict=True):
        if math.isnan(budget[row]):
            budget[row] = _budget(key, cell, count[row])
        empty = rate > 0.0 and rate * dt >= budget[row]
        rings.append(max(budget[row], 0.0) / rate if empty else math.inf)
        budget[row] -= rate * dt
        if not empty:
            budget[row] = max(budget[row], 0.0)
    return np.array(rings)


def spend_hazard_repeatedly(
    budget: Real, count: Whole, rows: Whole, ids: Ids, rates: Real, dt: float, key: np.uint64
) -> Whole:
    """How often each clock rang [n] in `dt`, with a new budget after every ring."""
    rang = []
    for row, cell, rate in zip(rows, ids, rates, strict=True):
        hazard, rings = rate * dt, 0
        if math.isnan(budget[row]):
            budget[row] = _budget(key, cell, count[row])
        while hazard >= budget[row]:
            hazard -= budget[row]
            rings += 1
            count[row] += 1
            budget[row] = _budget(key, cell, count[row])
        budget[row] -= hazard
        rang.append(rings)
    return np.array(rang, dtype=np.int64)


# ---- cells and voxels -------------------------------------------------------------------------------------------
def voxel_of(
    position: Real, spacing: tuple[float, float, float], shape: tuple[int, int, int], periodic: tuple[bool, bool, bool]
) -> Whole:
    """Flat voxel index [n] of each position [3, n]."""
    voxels = np.array(shape[::-1])[:, None]
    where = np.floor(position / np.array(spacing)[:, None]).astype(np.int64)
    ix, iy, iz = np.where(np.array(periodic)[:, None], where % voxels, np.clip(where, 0, voxels - 1))
    return np.asarray(np.ravel_multi_index((iz, iy, ix), shape), dtype=np.int64)


def deposit(total: Real, voxels: Whole, amounts: Real) -> None:
    """Add amounts to voxels, several to one voxel if need be."""
    np.add.at(total, voxels, amounts)


def gather(field: Real, voxels: Whole) -> Real:
    """Values of a flat field at voxels."""
    return field[voxels]


def gradient(
    field: Real, voxels: Whole, spacing: tuple[float, float, float], periodic: tuple[bool, bool, bool]
) -> Real:
    """Central differences on a field continued beyond its walls by mirror images, and round its rings by itself."""
    slopes = []
    for axis, edge, ring in zip((2, 1, 0), spacing, periodic, strict=True):
        wider = np.pad(field, [(1, 1) if a == axis else (0, 0) for a in range(3)], mode="wrap" if ring else "edge")
        n = field.shape[axis]
        slope = wider.take(range(2, n + 2), axis) - wider.take(range(n), axis)
        slopes.append(slope.reshape(-1)[voxels] / (2.0 * edge))
    return np.stack(slopes)


# ---- the FAK-ERK switch -----------------------------------------------------------------------------------------
def fak_erk(
    fak: Real,
    erk: Real,
    integrin: Real,
    tonic: Real,
    inhibition: float,
    dt: float,
    fak_rate: float,
    erk_rate: float,
    drive: float,
    feedback: float,
    half: float,
    power: float,
    sub_steps: int,
) -> None:
    """Runge and Kutta's fourth-order scheme on the two equations, for all cells at once."""

    def slopes(state: Real) -> Real:
        f, e = state
        raised = np.maximum(e, 0.0) ** power
        sustained = feedback * raised / (half**power + raised)
        return np.stack(
            [
                fak_rate * ((1.0 - inhibition) * integrin - f),
                erk_rate * (tonic + drive * f + sustained - e),
            ]
        )

    state, h = np.stack([fak, erk]), dt / sub_steps
    for _ in range(sub_steps):
        k1 = slopes(state)
        k2 = slopes(state + 0.5 * h * k1)
        k3 = slopes(state + 0.5 * h * k2)
        k4 = slopes(state + h * k3)
        state = state + h * (k1 + 2.0 * k2 + 2.0 * k3 + k4) / 6.0
    fak[...], erk[...] = np.clip(state, 0.0, 1.0)
