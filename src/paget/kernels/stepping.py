"""A run of sub-steps until the time is over or the neighbour lists are stale: in one piece, or shared among threads.

Both do the same to the bit. Small tissues need the first: starting a kernel costs as much as moving some hundred cells.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from paget.kernels.compile import kernel
from paget.kernels.motion import move_cells, velocities
from paget.kernels.team import Team

__all__ = ["FINISHED", "NOT_FINITE", "STALE", "bounded", "shared_sub_steps", "sub_steps"]

Real = NDArray[np.float64]
Index = NDArray[np.uint32]
Place = NDArray[np.uint64]
Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]

FINISHED, STALE, NOT_FINITE = 0, 1, 2
SLOWEST = 1e-12  # um/h; keeps the quotient of a bound and a speed finite


@kernel
def bounded(
    speed: float, stiffness: float, left: float, last: float, longest: float, share: float, stride: float, second: bool
) -> tuple[float, float]:
    """Length in h of a chosen sub-step and its ratio to the last one (0 for Euler's scheme).

    speed : um/h, of the fastest cell; stiffness : 1/h, the largest sum around a cell; left, last, longest : h;
    share : sub-step times stiffness; stride : um; second : whether the scheme is of second order
    """
    length = min(min(left, longest), stride / max(speed, SLOWEST))
    if stiffness > 0.0:
        length = min(length, share / stiffness)
    if not second or last <= 0.0:
        return length, 0.0
    length = min(length, 2.0 * last)
    return length, length / last


@kernel
def sub_steps(
    cells: Real,
    ids: NDArray[np.uint64],
    rank: Index,
    where: Index,
    start: Place,
    many: Index,
    other: Index,
    law: int,
    constants: Real,
    affinity: Real,
    mobile: Flags,
    drift: Real,
    drag: Real,
    bond_start: Whole,
    bond_other: Whole,
    bond: Real,
    wall_strength: float,
    size: Real,
    periodic: Flags,
    flat: bool,
    bounding: bool,
    rate: Real,
    fastest: Real,
    stiffest: Real,
    before: Real,
    place: Real,
    far: Real,
    dt: float,
    equal: int,
    longest: float,
    share: float,
    stride: float,
    second: bool,
    tolerance: float,
    skin: float,
    left: float,
    last: float,
    steps: int,
) -> tuple[float, float, int, int]:
    """Sub-steps until the time is over, nothing moves, or lists are stale: (left, last, sub-steps, why it stopped).

    `before` holds the velocities of the last sub-step; the other arguments are those of `velocities` and `bounded`.
    """
    pieces = fastest.size
    while left > 0.0 and not (equal > 0 and steps == equal):
        velocities(
            0,
            pieces,
            cells,
            ids,
            rank,
            where,
            start,
            many,
            other,
            law,
            constants,
            affinity,
            mobile,
            drift,
            drag,
            bond_start,
            bond_other,
            bond,
            wall_strength,
            size,
            periodic,
            flat,
            bounding,
            rate,
            fastest,
            stiffest,
        )
        speed = fastest.max()
        if not speed < np.inf:
            return left, last, steps, NOT_FINITE
        if equal > 0:
            length, ratio = dt / equal, 1.0
        else:
            if speed * left < tolerance:
                break
            length, ratio = bounded(speed, stiffest.max(), left, last, longest, share, stride, second)
            last = length
        move_cells(0, pieces, cells, place, mobile, rate, before, length, ratio, size, periodic, far)
        for p in range(rate.shape[0]):
            for axis in range(3):
                before[p, axis] = rate[p, axis]
        left -= length
        steps += 1
        if far.max() > (0.5 * skin) ** 2:
            return left, last, steps, STALE
    return left, last, steps, FINISHED


def shared_sub_steps(
    work: Team,
    forces: tuple[Any, ...],
    rate: Real,
    fastest: Real,
    stiffest: Real,
    before: Real,
    place: Real,
    far: Real,
    dt: float,
    equal: int,
    longest: float,
    share: float,
    stride: float,
    second: bool,
    tolerance: float,
    skin: float,
    left: float,
    last: float,
    steps: int,
) -> tuple[float, float, int, int]:
    """What `sub_steps` does, with the pieces of every stage dealt to threads; `forces` are its arguments up to `bounding`."""
    cells, mobile, size, periodic = forces[0], forces[10], forces[17], forces[18]
    while left > 0.0 and not (equal > 0 and steps == equal):
        work(velocities, *forces, rate, fastest, stiffest)
        speed = float(fastest.max())
        if not speed < np.inf:
            return left, last, steps, NOT_FINITE
        if equal > 0:
            length, ratio = dt / equal, 1.0
        else:
            if speed * left < tolerance:
                break
            length, ratio = bounded(speed, float(stiffest.max()), left, last, longest, share, stride, second)
            last = length
        work(move_cells, cells, place, mobile, rate, before, length, ratio, size, periodic, far)
        before[...] = rate
        left -= length
        steps += 1
        if float(far.max()) > (0.5 * skin) ** 2:
            return left, last, steps, STALE
    return left, last, steps, FINISHED
