"""Active migration: cells run straight, turn at random moments, and prefer the direction of gradients.

A velocity-jump process (Othmer, Dunbar, Alt 1988, doi:10.1007/BF00277392): runs last exponentially long, and each new
direction is drawn independently of the last. Moments of turning within a tick are sampled, so that the distribution of
displacements does not depend on the tick.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from paget.kernels.compile import kernel, threaded
from paget.kernels.philox import Word, _unit, philox4x32

Real = NDArray[np.float64]
Whole = NDArray[np.int64]
Ids = NDArray[np.uint64]

MOST_TURNS = 1000  # in a tick; shorter runs than a thousandth of a tick are taken to last so long

_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)
_WORD = 1.0 / 4294967296.0  # 2**-32


@kernel
def _part(word: Word) -> float:
    """A word as a float in (0, 1): 32 random bits are plenty for a direction."""
    return (np.float64(word) + 0.5) * _WORD


@kernel
def lean_on(guide: Real, slope: Real, sensitivity: Real, normalised: Whole, kind: Whole) -> None:
    """Add the pull of one gradient to the direction that guides every cell.

    guide : [3, n], changed in place; slope : [3, n], gradient of the field per um; sensitivity : [n]
    normalised : int64 [types], 1 where a gradient counts by its direction only
    """
    for i in range(kind.size):
        weight = sensitivity[i]
        if weight == 0.0:
            continue
        if normalised[kind[i]] != 0:
            steep = np.sqrt(slope[0, i] ** 2 + slope[1, i] ** 2 + slope[2, i] ** 2)
            if steep == 0.0:
                continue
            weight /= steep
        for axis in range(3):
            guide[axis, i] += weight * slope[axis, i]


@kernel
def turned(
    gx: float, gy: float, gz: float, bias: float, in_plane: bool, u: float, v: float
) -> tuple[float, float, float]:
    """A new direction: that of bias g + (1 - bias) n, with n uniform on the circle (in the plane) or the sphere.

    g : unit vector, or zero where nothing guides; u, v : uniform numbers. Zero if the sum vanishes: the cell then rests.
    """
    angle = 2.0 * np.pi * u
    up = 0.0 if in_plane else 2.0 * v - 1.0
    across = np.sqrt(1.0 - up * up)
    x = bias * gx + (1.0 - bias) * across * np.cos(angle)
    y = bias * gy + (1.0 - bias) * across * np.sin(angle)
    z = bias * gz + (1.0 - bias) * up
    length = np.sqrt(x * x + y * y + z * z)
    if length == 0.0:
        return 0.0, 0.0, 0.0
    return x / length, y / length, z / length


@threaded
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
    """Let every living cell run and turn for `dt` hours, and say its mean velocity.

    kind, death : int64 [n]; ids : uint64 [n]; pressure : [n]; guide : [3, n], of any length
    numbers : [types, 4], speed (um/h), persistence (h), bias, pressure that halves the speed (0 for none)
    own : [m, n], of cells that have their own; which : int64 [3], row in `own` of speed, persistence, bias, or -1
    in_plane : int64 [types]; tick : of the stream of random numbers, in which steps -1 and 0 are taken
    heading : [3, n], changed in place: unit vectors, or zero for a cell that has none yet
    velocity : [3, n] in um/h, written
    """
    k0 = key & _LOW
    k1 = key >> _32
    step = np.uint64(tick + 1) & _LOW
    for i in numba.prange(kind.size):
        velocity[0, i] = 0.0
        velocity[1, i] = 0.0
        velocity[2, i] = 0.0
        speed = own[which[0], i] if which[0] >= 0 else numbers[kind[i], 0]
        if death[i] == 0 and speed > 0.0:
            persistence = own[which[1], i] if which[1] >= 0 else numbers[kind[i], 1]
            persistence = max(persistence, dt / MOST_TURNS)
            bias = own[which[2], i] if which[2] >= 0 else numbers[kind[i], 2]
            bias = min(max(bias, 0.0), 1.0)
            flat = in_plane[kind[i]] != 0
            halved = numbers[kind[i], 3]
            if halved > 0.0:
                speed /= 1.0 + pressure[i] / halved
            gx = guide[0, i]
            gy = guide[1, i]
            gz = 0.0 if flat else guide[2, i]
            steep = np.sqrt(gx * gx + gy * gy + gz * gz)
            if steep > 0.0:
                gx /= steep
                gy /= steep
                gz /= steep
            else:
                gx = 0.0
                gy = 0.0
                gz = 0.0
            low = ids[i] & _LOW
            high = ids[i] >> _32
            hx = heading[0, i]
            hy = heading[1, i]
            hz = heading[2, i]
            draw = np.uint64(0)
            if hx == 0.0 and hy == 0.0 and hz == 0.0:
                a, b, c, d = philox4x32(low, high, step, draw, k0, k1)
                hx, hy, hz = turned(gx, gy, gz, bias, flat, _part(c), _part(d))
            px = 0.0
            py = 0.0
            pz = 0.0
            now = 0.0
            while True:
                draw += np.uint64(1)
                a, b, c, d = philox4x32(low, high, step, draw, k0, k1)
                run = -persistence * np.log(_unit(a, b))
                last = run >= dt - now
                run = dt - now if last else run
                px += run * hx
                py += run * hy
                pz += run * hz
                now += run
                if last:
                    break
                hx, hy, hz = turned(gx, gy, gz, bias, flat, _part(c), _part(d))
            heading[0, i] = hx
            heading[1, i] = hy
            heading[2, i] = hz
            velocity[0, i] = speed * px / dt
            velocity[1, i] = speed * py / dt
            velocity[2, i] = speed * pz / dt
