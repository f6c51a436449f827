"""Physiology of all cells of a tissue: volumes, cycle, and the ramp by which oxygen sets rates.

Every kernel reads tables with a row for each cell type, so that a model is data. The volume of a cell obeys linear
equations, whose solution over any time is known; phases of the cycle end at exact moments within a tick. Both therefore
give the same course of events at any tick, and work on each cell alone, so the order of the cells and the number of
threads do not matter.

A daughter born within a tick, or a cell that began to die within one, `owes` the rest of that tick: it lives it at the
start of the next.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from paget.kernels.compile import kernel, threaded
from paget.kernels.philox import _unit, philox4x32

Real = NDArray[np.float64]
Whole = NDArray[np.int64]
Ids = NDArray[np.uint64]

ALIVE, APOPTOTIC, SWELLING, LYSED = 0, 1, 2, 3  # values of cell.death
FIXED, GROWS, DIVIDES = 1, 2, 4  # flags of a phase of the cycle
FLUID_RATE, CYTOPLASMIC_RATE, NUCLEAR_RATE, CALCIFICATION_RATE, FLUID_FRACTION = (
    0,
    1,
    2,
    3,
    4,
)  # columns of volume rates

_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)
_SPHERE = 3.0 / (4.0 * np.pi)
_HALVINGS = 60  # of a tick, until the moment of bursting is known to the last bit


# ---- volume -----------------------------------------------------------------------------------------------------
@kernel
def overlap(a: float, b: float, t: float) -> float:
    """What a first-order loss `a` leaves at `t` of a supply that starts at 1 and fades at the rate `b`.

    The integral of exp(-a (t - s)) exp(-b s) over s from 0 to t; equal rates need no case of their own.
    """
    apart = abs(a - b)
    reach = t if apart * t == 0.0 else -np.expm1(-apart * t) / apart
    return float(np.exp(-min(a, b) * t) * reach)


@kernel
def volume_weights(rates: Real, t: float) -> tuple[float, float, float, float, float, float, float]:
    """Weights of the exact solution of the volume equations after `t` hours; see `grown`.

    rates : [5], fluid, cytoplasmic, nuclear and calcification rate in 1/h, and the fluid fraction f that is approached
    Returns what is left of a distance from the target (fluid, cytoplasm, nucleus, calcium), and what the fluid gains
    from the targets and from the distances to them (cytoplasm, nucleus).
    """
    drain = rates[0] * (1.0 - rates[4])
    supply = rates[0] * rates[4]
    return (
        np.exp(-drain * t),
        np.exp(-rates[1] * t),
        np.exp(-rates[2] * t),
        np.exp(-rates[3] * t),
        supply * overlap(drain, 0.0, t),
        supply * overlap(drain, rates[1], t),
        supply * overlap(drain, rates[2], t),
    )


@kernel
def grown(
    fluid: float,
    cytoplasm: float,
    nucleus: float,
    cytoplasm_target: float,
    nucleus_target: float,
    weights: tuple[float, float, float, float, float, float, float],
) -> tuple[float, float, float]:
    """Fluid F, cytoplasmic solid C and nuclear solid N after the time that `weights` stand for, in um3.

    dN/dt = n (N* - N),  dC/dt = c (C* - C),  dF/dt = r (f V - F) with V = F + C + N
    """
    off_c = cytoplasm - cytoplasm_target
    off_n = nucleus - nucleus_target
    return (
        fluid * weights[0] + (cytoplasm_target + nucleus_target) * weights[4] + off_c * weights[5] + off_n * weights[6],
        cytoplasm_target + off_c * weights[1],
        nucleus_target + off_n * weights[2],
    )


@kernel
def bursting_time(fluid: float, cytoplasm: float, nucleus: float, rates: Real, limit: float, span: float) -> float:
    """When, within `span` h, a swelling cell without solid targets reaches the volume `limit`; inf if it does not."""
    if fluid + cytoplasm + nucleus >= limit:
        return 0.0
    f, c, n = grown(fluid, cytoplasm, nucleus, 0.0, 0.0, volume_weights(rates, span))
    if f + c + n < limit:
        return np.inf
    low = 0.0
    high = span
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        f, c, n = grown(fluid, cytoplasm, nucleus, 0.0, 0.0, volume_weights(rates, middle))
        if f + c + n < limit:
            low = middle
        else:
            high = middle
    return high


@threaded
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
    """Let fluid and solids of every cell approach their targets for `dt` hours and what the cell owes.

    kind, death : int64 [n]; volumes in um3, owed in h, calcified as a fraction, all [n]
    rates : [types * 4, 5], of type k in the state of death d in row 4 k + d; the dead have no solid targets
    euler : one explicit step of `dt` instead, with the nuclear share of the fluid taken from before the step
    out : [7, n], written: fluid, cytoplasm, nucleus, nuclear volume, volume (um3), calcified, radius (um)
    rings, left : [n], written: when in the tick a swelling cell bursts (h, or inf) and what is then left of its time
    """
    plain = np.empty((rates.shape[0], 7))
    for row in range(rates.shape[0]):
        weights = volume_weights(rates[row], dt)
        for j in range(7):
            plain[row, j] = weights[j]
    for i in numba.prange(kind.size):
        rings[i] = np.inf
        left[i] = 0.0
        row = 4 * kind[i] + death[i]
        f = fluid[i]
        c = cytoplasm[i]
        n = nucleus[i]
        aim_c = cytoplasm_target[i] if death[i] == 0 else 0.0
        aim_n = nucleus_target[i] if death[i] == 0 else 0.0
        if euler:
            before = f + c + n
            share = nuclear_volume[i] / before if before > 0.0 else 0.0
            f = max(f + dt * rates[row, 0] * (rates[row, 4] * before - f), 0.0)
            n += dt * rates[row, 2] * (aim_n - n)
            c += dt * rates[row, 1] * (aim_c - c)
            calcium = calcified[i] + dt * rates[row, 3] * (1.0 - calcified[i])
            core = n + share * f
            if death[i] == 2 and f + c + n >= rupture[i]:
                rings[i] = dt
        else:
            span = dt + owed[i]
            bare = 1.0 - calcified[i]
            if death[i] == 2:
                burst = bursting_time(f, c, n, rates[row], rupture[i], span)
                if burst <= span:
                    weights = volume_weights(rates[row], burst)
                    f, c, n = grown(f, c, n, aim_c, aim_n, weights)
                    bare *= weights[3]
                    row += 1
                    rings[i] = burst - owed[i]
                    span -= burst
                    left[i] = span
            if span == dt:
                weights = (
                    plain[row, 0],
                    plain[row, 1],
                    plain[row, 2],
                    plain[row, 3],
                    plain[row, 4],
                    plain[row, 5],
                    plain[row, 6],
                )
            else:
                weights = volume_weights(rates[row], span)
            f, c, n = grown(f, c, n, aim_c, aim_n, weights)
            calcium = 1.0 - bare * weights[3]
            # In the limit of short steps, the nucleus holds the share of the fluid that it has of the solids.
            core = n + f * n / (n + c) if n > 0.0 else 0.0
        total = f + c + n
        out[0, i] = f
        out[1, i] = c
        out[2, i] = n
        out[3, i] = core
        out[4, i] = total
        out[5, i] = calcium
        out[6, i] = (_SPHERE * total) ** (1.0 / 3.0)


# ---- rates ------------------------------------------------------------------------------------------------------
@kernel
def ramp(value: float, zero: float, one: float) -> float:
    """Straight from 0 at `zero` to 1 at `one`, in either order, and flat beyond."""
    return min(max((value - zero) / (one - zero), 0.0), 1.0)


@kernel
def scale_by_ramp(value: Real, kind: Whole, zero: Real, one: Real, out: Real) -> None:
    """Multiply `out` [n] by a ramp that is 0 at `zero` and 1 at `one` of the cell's type, and flat beyond.

    value : [n]; zero, one : [types] in the unit of `value`, in either order; NaN for types without a ramp
    """
    for i in range(value.size):
        low = zero[kind[i]]
        if not np.isnan(low):
            out[i] *= ramp(value[i], low, one[kind[i]])


# ---- cycle ------------------------------------------------------------------------------------------------------
@kernel
def hazard_budget(key: np.uint64, cell: np.uint64, times: int) -> float:
    """Budget of a cell's hazard clock after it rang `times` times: exponential with mean 1, as in `spend_hazard`."""
    a, b, _, _ = philox4x32(cell & _LOW, cell >> _32, np.uint64(0), np.uint64(times) & _LOW, key & _LOW, key >> _32)
    return float(-np.log(_unit(a, b)))


@kernel
def time_to_leave(rate: float, fixed: bool, elapsed: float, budget: float) -> float:
    """Time in h until a phase ends at `rate`, `elapsed` h after it began: when it is over, or its hazard budget spent."""
    if rate <= 0.0:
        return np.inf
    return max(1.0 / rate - elapsed, 0.0) if fixed else budget / rate


@threaded
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
    """Take every living cell through the phases of its cycle for `dt` hours and what it owes, up to its division.

    A fixed phase ends 1 / rate after it began. Any other ends when its hazard budget is spent, which is exponentially
    distributed; the budget lives in the clock of the process. Several phases may end in one tick, at exact moments.

    kind, death, phase : int64 [n]; phase_time, owed : h [n]; ids : uint64 [n]; targets : um3 [n]
    budget [n], count int64 [n] : the clocks, changed in place
    scale : [n], factor of the rate of leaving phase 0; own : [m, n], rates in 1/h of cells that have their own
    which : int64 [phases], row of `own` with the rates of leaving a phase, or -1 for those of the type
    rates : [types, phases] in 1/h; flags : int64 [types, phases]; lengths : int64 [types], 0 for types that do not cycle
    new_phase int64 [n], out [3, n] : written: phase, time in it (h) and targets of cytoplasm and nucleus (um3)
    rings, left : [n], written: when in the tick the cell divides (h, or inf), and what is then left of its time. A cell
    that divides stays at the end of its phase, so that it is still due if something else comes first.
    """
    for i in numba.prange(kind.size):
        k = phase[i]
        elapsed = phase_time[i]
        factor = 1.0
        rings[i] = np.inf
        left[i] = 0.0
        length = lengths[kind[i]]
        if death[i] == 0 and length > 0:
            span = dt + owed[i]
            now = 0.0
            for _ in range(length):  # one round through the ring passes the phase that ends with division
                rate = own[which[k], i] if which[k] >= 0 else rates[kind[i], k]
                if k == 0:
                    rate *= scale[i]
                fixed = flags[kind[i], k] & FIXED != 0
                if not fixed and np.isnan(budget[i]):
                    budget[i] = hazard_budget(key, ids[i], count[i])
                wait = time_to_leave(rate, fixed, elapsed, budget[i])
                if now + wait > span:
                    if not fixed:
                        budget[i] = max(budget[i] - rate * (span - now), 0.0)
                    elapsed += span - now
                    break
                now += wait
                if flags[kind[i], k] & DIVIDES != 0:
                    if not fixed:
                        budget[i] = 0.0
                    elapsed += wait
                    rings[i] = now - owed[i]
                    left[i] = span - now
                    break
                if not fixed:
                    budget[i] = np.nan
                    count[i] += 1
                k = (k + 1) % length
                elapsed = 0.0
                if flags[kind[i], k] & GROWS != 0:
                    factor *= 2.0
        new_phase[i] = k
        out[0, i] = elapsed
        out[1, i] = cytoplasm_target[i] * factor
        out[2, i] = nucleus_target[i] * factor


# ---- exchange with fields ---------------------------------------------------------------------------------------
@kernel
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
    """What cells give to a field and take from it; the dead give nothing and take up the share `dead_uptake`.

    A cell of volume v in a field u secretes v S (T - u) + E and takes up v U u + v M u / (half + u).

    kind, death : int64 [n]; volume : pL [n]
    rates : [types, 5], S (1/h), T (unit of the field), U (1/h), E (unit pL/h), M (unit/h)
    own : [m, n], rates of cells that have their own; which : int64 [5], their row in `own`, or -1 for those of the type
    amounts (unit pL/h), clearances (pL/h), most (unit pL/h) : [n], written
    """
    for i in range(kind.size):
        secretion = own[which[0], i] if which[0] >= 0 else rates[kind[i], 0]
        target = own[which[1], i] if which[1] >= 0 else rates[kind[i], 1]
        uptake = own[which[2], i] if which[2] >= 0 else rates[kind[i], 2]
        export = own[which[3], i] if which[3] >= 0 else rates[kind[i], 3]
        saturable = own[which[4], i] if which[4] >= 0 else rates[kind[i], 4]
        if death[i] != 0:
            secretion = 0.0
            export = 0.0
            uptake *= dead_uptake
            saturable *= dead_uptake
        amounts[i] = volume[i] * secretion * target + export
        clearances[i] = volume[i] * (secretion + uptake)
        most[i] = volume[i] * saturable
