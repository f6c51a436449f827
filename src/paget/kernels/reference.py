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
    "neighbours",
    "normals",
    "philox4x32",
    "relax",
    "spend_hazard",
    "spend_hazard_repeatedly",
    "uniforms",
    "voxel_of",
]

Real = NDArray[np.float64]
Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]
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
def voxel_of(position: Real, h: float, shape: tuple[int, int, int]) -> Whole:
    """Flat voxel index [n] of each position [3, n]."""
    last = np.array(shape[::-1])[:, None] - 1
    ix, iy, iz = np.clip(np.floor(position / h).astype(np.int64), 0, last)
    return np.asarray(np.ravel_multi_index((iz, iy, ix), shape), dtype=np.int64)


def deposit(total: Real, voxels: Whole, amounts: Real) -> None:
    """Add amounts to voxels, several to one voxel if need be."""
    np.add.at(total, voxels, amounts)


def gather(field: Real, voxels: Whole) -> Real:
    """Values of a flat field at voxels."""
    return field[voxels]


def gradient(field: Real, voxels: Whole, h: float) -> Real:
    """Central differences on a field continued by mirror images beyond its walls."""
    mirrored = np.pad(field, 1, mode="edge")
    nz, ny, nx = field.shape
    along_x = mirrored[1 : nz + 1, 1 : ny + 1, 2:] - mirrored[1 : nz + 1, 1 : ny + 1, :nx]
    along_y = mirrored[1 : nz + 1, 2:, 1 : nx + 1] - mirrored[1 : nz + 1, :ny, 1 : nx + 1]
    along_z = mirrored[2:, 1 : ny + 1, 1 : nx + 1] - mirrored[:nz, 1 : ny + 1, 1 : nx + 1]
    return np.stack([slope.reshape(-1)[voxels] for slope in (along_x, along_y, along_z)]) / (2.0 * h)


# ---- contacts ---------------------------------------------------------------------------------------------------
def neighbours(position: Real, radius: Real, reach: float, skin: float, size: Real) -> tuple[Whole, Whole]:
    """Neighbours of each row by looking at all pairs, as (start [n + 1], other [m])."""
    start, other = [0], []
    for i in range(radius.size):
        distance = np.sqrt(((position - position[:, [i]]) ** 2).sum(axis=0))
        near = np.flatnonzero(distance <= reach * (radius + radius[i]) + skin)
        other += [int(j) for j in near if j != i]
        start.append(len(other))
    return np.array(start, dtype=np.int64), np.array(other, dtype=np.int64)


def _pairs(position: Real, radius: Real) -> tuple[Real, Real, Real]:
    """Differences [3, n, n] of positions, distances [n, n] and summed radii [n, n]; no cell is its own neighbour."""
    difference = position[:, :, None] - position[:, None, :]
    distance = np.sqrt((difference**2).sum(axis=0))
    contact = radius[:, None] + radius[None, :]
    np.fill_diagonal(distance, np.inf)
    return difference, distance, contact


def _velocities(position: Real, radius: Real, mobile: Flags, stiffness: float, adhesion: float, reach: float) -> Real:
    difference, distance, contact = _pairs(position, radius)
    rows = np.arange(radius.size)
    together = distance < 1e-9
    difference[0][together] = np.where(rows[:, None] > rows[None, :], 1e-9, -1e-9)[together]
    distance[together] = 1e-9
    x = distance / contact
    push = np.zeros_like(x)
    push[x < 1.0] = 1.0 - x[x < 1.0]
    attracted = (x >= 1.0) & (x < reach)
    push[attracted] = -adhesion * (x[attracted] - 1.0) * (reach - x[attracted]) / (reach - 1.0)
    velocity = np.where(mobile, (stiffness * contact * push / distance * difference).sum(axis=2), 0.0)
    return np.asarray(velocity)


def relax(
    position: Real,
    radius: Real,
    mobile: Flags,
    size: Real,
    dt: float,
    stiffness: float,
    adhesion: float,
    reach: float,
    flat: bool,
    tolerance: float,
) -> tuple[Real, int]:
    """Euler steps of at most 0.2 / stiffness and 1 um over all pairs; pressure [n] afterwards, and the number of steps."""
    left, steps = dt, 0
    while left > 0.0 and radius.size:
        velocity = _velocities(position, radius, mobile, stiffness, adhesion, reach)
        if flat:
            velocity[2] = 0.0
        fastest = float(np.sqrt((velocity**2).sum(axis=0)).max())
        if fastest * left < tolerance:
            break
        step = min(left, 0.2 / stiffness, 1.0 / max(fastest, 1e-12))
        position[...] = np.where(mobile, np.clip(position + step * velocity, 0.0, size[:, None]), position)
        left -= step
        steps += 1
    _, distance, contact = _pairs(position, radius)
    return np.maximum(1.0 - distance / contact, 0.0).sum(axis=1), steps


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
