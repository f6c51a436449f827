"""Slow, clear twins of the kernels of physiology and migration, written from the equations and one cell at a time."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm
from scipy.optimize import brentq

from paget.kernels.reference import philox4x32

__all__ = [
    "advance_cycle",
    "advance_volume",
    "bursting_time",
    "exchanged",
    "grown",
    "hazard_budget",
    "lean_on",
    "overlap",
    "ramp",
    "scale_by_ramp",
    "time_to_leave",
    "turned",
    "volume_weights",
    "walk",
]

Real = NDArray[np.float64]
Whole = NDArray[np.int64]
Ids = NDArray[np.uint64]
Weights = tuple[float, float, float, float, float, float, float]

WORD = 2**32
TURNS = 1000


def _words(key: np.uint64, cell: np.uint64, step: int, draw: int) -> tuple[int, int, int, int]:
    high, low = divmod(int(cell), WORD)
    key_high, key_low = divmod(int(key), WORD)
    return philox4x32(low, high, step % WORD, draw % WORD, key_low, key_high)


def _unit(a: int, b: int) -> float:
    return ((a // 2**5) * 2**26 + b // 2**6 + 0.5) / 2**53


# ---- volume -----------------------------------------------------------------------------------------------------
def _system(rates: Real, cytoplasm_target: float, nucleus_target: float) -> Real:
    """The volume equations as d(F, C, N, 1)/dt = A (F, C, N, 1)."""
    fluid, cytoplasm, nucleus, _, fraction = rates
    return np.array(
        [
            [fluid * (fraction - 1.0), fluid * fraction, fluid * fraction, 0.0],
            [0.0, -cytoplasm, 0.0, cytoplasm * cytoplasm_target],
            [0.0, 0.0, -nucleus, nucleus * nucleus_target],
            [0.0, 0.0, 0.0, 0.0],
        ]
    )


def _after(state: Real, rates: Real, cytoplasm_target: float, nucleus_target: float, t: float) -> Real:
    """Fluid, cytoplasm and nucleus after `t` hours, by the exponential of the matrix."""
    return np.asarray((expm(_system(rates, cytoplasm_target, nucleus_target) * t) @ np.append(state, 1.0))[:3])


def overlap(a: float, b: float, t: float) -> float:
    """The corner of exp(t [[-a, 1], [0, -b]]), which is the integral of exp(-a (t - s)) exp(-b s)."""
    return float(expm(np.array([[-a, 1.0], [0.0, -b]]) * t)[0, 1])


def volume_weights(rates: Real, t: float) -> Weights:
    """Solutions of the volume equations from unit states and targets."""
    left = np.exp(-np.array([rates[0] * (1.0 - rates[4]), rates[1], rates[2], rates[3]]) * t)
    free = expm(_system(rates, 0.0, 0.0) * t)
    constant = rates[0] * rates[4] * overlap(rates[0] * (1.0 - rates[4]), 0.0, t)
    fluid, cytoplasm, nucleus, calcium = (float(one) for one in left)
    return fluid, cytoplasm, nucleus, calcium, float(constant), float(free[0, 1]), float(free[0, 2])


def grown(
    fluid: float,
    cytoplasm: float,
    nucleus: float,
    cytoplasm_target: float,
    nucleus_target: float,
    weights: Weights,
) -> tuple[float, float, float]:
    """Targets are approached; the fluid follows them and the distances to them."""
    distance = np.array([fluid, cytoplasm - cytoplasm_target, nucleus - nucleus_target])
    gained = np.dot(distance, [weights[0], weights[5], weights[6]])
    return (
        float(gained + weights[4] * (cytoplasm_target + nucleus_target)),
        float(cytoplasm_target + distance[1] * weights[1]),
        float(nucleus_target + distance[2] * weights[2]),
    )


def bursting_time(fluid: float, cytoplasm: float, nucleus: float, rates: Real, limit: float, span: float) -> float:
    """Root of volume minus limit."""
    state = np.array([fluid, cytoplasm, nucleus])

    def beyond(t: float) -> float:
        return float(_after(state, rates, 0.0, 0.0, t).sum() - limit)

    if beyond(0.0) >= 0.0:
        return 0.0
    return math.inf if beyond(span) < 0.0 else float(brentq(beyond, 0.0, span, xtol=1e-15))


def advance_volume(
    kind: Whole,
    death: Whole,
    owed: Real,
    fluid: Real,
    cytoplasm: Real,
    nucleus: Real,
    cytoplasm_target: Real,
    nucleus_target: Real,
    nuclear_volume: Real,
    calcified: Real,
    rupture: Real,
    rates: Real,
    dt: float,
    euler: bool,
    out: Real,
    rings: Real,
    left: Real,
) -> None:
    """Volumes after a tick, cell by cell: by matrix exponentials, or by the published explicit step."""
    rings[:], left[:] = np.inf, 0.0
    for i in range(kind.size):
        row = 4 * kind[i] + death[i]
        aim_c, aim_n = (cytoplasm_target[i], nucleus_target[i]) if death[i] == 0 else (0.0, 0.0)
        state = np.array([fluid[i], cytoplasm[i], nucleus[i]])
        if euler:
            r_f, r_c, r_n, r_calcium, fraction = rates[row]
            share = nuclear_volume[i] / state.sum()
            state = np.array(
                [
                    max(state[0] + dt * r_f * (fraction * state.sum() - state[0]), 0.0),
                    state[1] + dt * r_c * (aim_c - state[1]),
                    state[2] + dt * r_n * (aim_n - state[2]),
                ]
            )
            calcium = calcified[i] + dt * r_calcium * (1.0 - calcified[i])
            core = state[2] + share * state[0]
            rings[i] = dt if death[i] == 2 and state.sum() >= rupture[i] else np.inf
        else:
            span, bare = dt + owed[i], 1.0 - calcified[i]
            f, c, n = state
            if death[i] == 2 and (burst := bursting_time(f, c, n, rates[row], rupture[i], span)) <= span:
                state = _after(state, rates[row], aim_c, aim_n, burst)
                bare *= math.exp(-rates[row, 3] * burst)
                rings[i], left[i] = burst - owed[i], span - burst
                row, span = row + 1, span - burst
            state = _after(state, rates[row], aim_c, aim_n, span)
            calcium = 1.0 - bare * math.exp(-rates[row, 3] * span)
            core = state[2] * (1.0 + state[0] / (state[1] + state[2])) if state[2] > 0.0 else 0.0
        total = state.sum()
        out[:, i] = (*state, core, total, calcium, (3.0 * total / (4.0 * math.pi)) ** (1.0 / 3.0))


# ---- rates and cycle --------------------------------------------------------------------------------------------
def ramp(value: float, zero: float, one: float) -> float:
    """Linear interpolation, which is flat beyond its ends."""
    return float(np.interp(value, [zero, one], [0.0, 1.0]) if zero < one else np.interp(value, [one, zero], [1.0, 0.0]))


def scale_by_ramp(value: Real, kind: Whole, zero: Real, one: Real, out: Real) -> None:
    """Straight between `zero` and `one`, flat beyond."""
    for i, of in enumerate(kind):
        out[i] *= 1.0 if np.isnan(zero[of]) else ramp(value[i], zero[of], one[of])


def hazard_budget(key: np.uint64, cell: np.uint64, times: int) -> float:
    """Exponential with mean 1."""
    return -math.log(_unit(*_words(key, cell, 0, times)[:2]))


def time_to_leave(rate: float, fixed: bool, elapsed: float, budget: float) -> float:
    """What is left of a fixed duration, or the budget at this rate."""
    with np.errstate(divide="ignore"):
        duration = float(np.divide(1.0, max(rate, 0.0)))
    return max(duration - elapsed, 0.0) if fixed else budget * duration if math.isfinite(duration) else math.inf


def advance_cycle(
    kind: Whole,
    death: Whole,
    phase: Whole,
    phase_time: Real,
    owed: Real,
    budget: Real,
    count: Whole,
    cytoplasm_target: Real,
    nucleus_target: Real,
    ids: Ids,
    scale: Real,
    own: Real,
    which: Whole,
    rates: Real,
    flags: Whole,
    lengths: Whole,
    dt: float,
    key: np.uint64,
    new_phase: Whole,
    out: Real,
    rings: Real,
    left: Real,
) -> None:
    """One event after the other, cell by cell, until the time is over or the cell divides."""
    new_phase[:], rings[:], left[:] = phase, np.inf, 0.0
    out[:] = phase_time, cytoplasm_target, nucleus_target
    for i in range(kind.size):
        if death[i] != 0 or lengths[kind[i]] == 0:
            continue
        to_live = dt + owed[i]
        while True:
            k = new_phase[i]
            fixed, divides = bool(flags[kind[i], k] & 1), bool(flags[kind[i], k] & 4)
            rate = float(own[which[k], i] if which[k] >= 0 else rates[kind[i], k]) * (scale[i] if k == 0 else 1.0)
            if not fixed and np.isnan(budget[i]):
                budget[i] = hazard_budget(key, ids[i], count[i])
            wait = time_to_leave(rate, fixed, out[0, i], budget[i])
            lived = min(wait, to_live)
            out[0, i] += lived
            if not fixed:
                budget[i] = max(budget[i] - rate * lived, 0.0)
            if wait > to_live:
                break
            to_live -= lived
            if divides:
                if not fixed:
                    budget[i] = 0.0
                rings[i], left[i] = dt - to_live, to_live
                break
            if not fixed:
                budget[i], count[i] = np.nan, count[i] + 1
            new_phase[i], out[0, i] = (k + 1) % lengths[kind[i]], 0.0
            if flags[kind[i], new_phase[i]] & 2:
                out[1:, i] *= 2.0


# ---- exchange ---------------------------------------------------------------------------------------------------
def exchanged(
    kind: Whole,
    death: Whole,
    volume: Real,
    rates: Real,
    own: Real,
    which: Whole,
    dead_uptake: float,
    amounts: Real,
    clearances: Real,
    most: Real,
) -> None:
    """Columns of rates for all cells, weighted by their life and volume."""
    each = [own[w] if w >= 0 else rates[kind, slot] for slot, w in enumerate(which)]
    gives, takes = np.where(death == 0, 1.0, 0.0), np.where(death == 0, 1.0, dead_uptake)
    amounts[:] = gives * (volume * each[0] * each[1] + each[3])
    clearances[:] = volume * (gives * each[0] + takes * each[2])
    most[:] = volume * takes * each[4]


# ---- migration --------------------------------------------------------------------------------------------------
def lean_on(guide: Real, slope: Real, sensitivity: Real, normalised: Whole, kind: Whole) -> None:
    """The weighted sum of gradients, or of their directions."""
    steep = np.linalg.norm(slope, axis=0)
    divisor = np.where((normalised[kind] != 0) & (steep > 0.0), steep, 1.0)
    guide += sensitivity * slope / divisor


def turned(
    gx: float, gy: float, gz: float, bias: float, in_plane: bool, u: float, v: float
) -> tuple[float, float, float]:
    """The direction of a point on a shell of radius 1 - bias around bias g."""
    up = 0.0 if in_plane else 2.0 * v - 1.0
    across = math.sqrt(1.0 - up**2)
    random = np.array([across * math.cos(2.0 * math.pi * u), across * math.sin(2.0 * math.pi * u), up])
    drawn = bias * np.array([gx, gy, gz]) + (1.0 - bias) * random
    length = float(np.linalg.norm(drawn))
    x, y, z = drawn / length if length > 0.0 else drawn
    return float(x), float(y), float(z)


def walk(
    kind: Whole,
    death: Whole,
    ids: Ids,
    pressure: Real,
    guide: Real,
    own: Real,
    which: Whole,
    numbers: Real,
    in_plane: Whole,
    dt: float,
    tick: int,
    key: np.uint64,
    heading: Real,
    velocity: Real,
) -> None:
    """The turns of each cell as a list of moments and headings; the displacement is their sum."""
    velocity[:] = 0.0
    for i in range(kind.size):
        of_type = numbers[kind[i]]
        speed, persistence, bias = (own[w, i] if w >= 0 else of_type[slot] for slot, w in enumerate(which))
        if death[i] != 0 or speed <= 0.0:
            continue
        flat = bool(in_plane[kind[i]])
        gx, gy, gz = guide[:, i] * np.array([1.0, 1.0, 0.0 if flat else 1.0])
        steep = math.sqrt(gx**2 + gy**2 + gz**2)
        towards = np.array([gx, gy, gz]) / (steep if steep > 0.0 else 1.0)

        def direction(draw: int, g: Real = towards, bias: float = bias, flat: bool = flat, i: int = i) -> Real:
            _, _, c, d = _words(key, ids[i], tick + 1, draw)
            kept = min(max(bias, 0.0), 1.0)
            return np.array(turned(g[0], g[1], g[2], kept, flat, (c + 0.5) / WORD, (d + 0.5) / WORD), dtype=np.float64)

        now = heading[:, i].copy() if heading[:, i].any() else direction(0)
        moments, headings, draw = [0.0], [now], 0
        while moments[-1] < dt:
            draw += 1
            wait = -max(persistence, dt / TURNS) * math.log(_unit(*_words(key, ids[i], tick + 1, draw)[:2]))
            moments.append(min(moments[-1] + wait, dt))
            headings.append(direction(draw) if moments[-1] < dt else headings[-1])
        heading[:, i] = headings[-1]
        slowed = speed / (1.0 + pressure[i] / of_type[3]) if of_type[3] > 0.0 else speed
        velocity[:, i] = slowed / dt * np.dot(np.diff(moments), headings[:-1])
