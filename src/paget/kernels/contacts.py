"""Off-lattice mechanics: neighbours on a cell list, and overdamped relaxation of overlapping, adhering spheres.

Every cell sums over its own neighbours in the order of their rows, so the result does not depend on how work is split.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paget.kernels.compile import kernel

Real = NDArray[np.float64]
Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]


@kernel
def neighbours(position: Real, radius: Real, reach: float, skin: float, size: Real) -> tuple[Whole, Whole]:
    """Rows that may touch each row, from a cell list.

    position : [3, n]; radius : [n]; reach : contact range in units of the summed radii; skin : um; size : [3] um
    Returns (start [n + 1], other [m]): the neighbours of i are other[start[i]:start[i + 1]], in ascending order.
    """
    n = radius.size
    if n == 0:
        return np.zeros(1, np.int64), np.empty(0, np.int64)
    largest = 0.0
    for i in range(n):
        largest = max(largest, radius[i])
    edge = max(2.0 * largest * reach + skin, 1e-6)
    bx = max(int(size[0] / edge), 1)
    by = max(int(size[1] / edge), 1)
    bz = max(int(size[2] / edge), 1)
    bins = np.empty(n, np.int64)
    first = np.zeros(bx * by * bz + 1, np.int64)
    for i in range(n):
        ix = min(max(int(position[0, i] / size[0] * bx), 0), bx - 1)
        iy = min(max(int(position[1, i] / size[1] * by), 0), by - 1)
        iz = min(max(int(position[2, i] / size[2] * bz), 0), bz - 1)
        bins[i] = (iz * by + iy) * bx + ix
        first[bins[i] + 1] += 1
    for b in range(first.size - 1):
        first[b + 1] += first[b]
    fill = first.copy()
    member = np.empty(n, np.int64)
    for i in range(n):
        member[fill[bins[i]]] = i
        fill[bins[i]] += 1
    start = np.zeros(n + 1, np.int64)
    other = np.empty(0, np.int64)
    for sweep in range(2):
        for i in range(n):
            at = start[i]
            found = 0
            b = bins[i]
            ix = b % bx
            iy = (b // bx) % by
            iz = b // (bx * by)
            for jz in range(max(iz - 1, 0), min(iz + 2, bz)):
                for jy in range(max(iy - 1, 0), min(iy + 2, by)):
                    for jx in range(max(ix - 1, 0), min(ix + 2, bx)):
                        c = (jz * by + jy) * bx + jx
                        for m in range(first[c], first[c + 1]):
                            j = member[m]
                            if j == i:
                                continue
                            dx = position[0, i] - position[0, j]
                            dy = position[1, i] - position[1, j]
                            dz = position[2, i] - position[2, j]
                            limit = reach * (radius[i] + radius[j]) + skin
                            if dx * dx + dy * dy + dz * dz <= limit * limit:
                                if sweep == 1:
                                    other[at + found] = j
                                found += 1
            if sweep == 0:
                start[i + 1] = found
            else:
                for a in range(at + 1, at + found):  # insertion sort: neighbours are few and nearly in order
                    moving = other[a]
                    b = a - 1
                    while b >= at and other[b] > moving:
                        other[b + 1] = other[b]
                        b -= 1
                    other[b + 1] = moving
        if sweep == 0:
            for i in range(n):
                start[i + 1] += start[i]
            other = np.empty(start[n], np.int64)
    return start, other


@kernel
def _velocities(
    position: Real,
    radius: Real,
    mobile: Flags,
    start: Whole,
    other: Whole,
    stiffness: float,
    adhesion: float,
    reach: float,
    flat: bool,
    out: Real,
) -> float:
    """Overdamped velocity [3, n] in um/h into `out`; returns the largest speed among mobile cells.

    With x = distance / (summed radii): repulsion stiffness * (1 - x) * R for x < 1, and for 1 < x < reach an attraction
    -adhesion * stiffness * R * (x - 1)(reach - x) / (reach - 1), which vanishes with both ends of its range.
    """
    fastest = 0.0
    for i in range(radius.size):
        vx = 0.0
        vy = 0.0
        vz = 0.0
        if mobile[i]:
            for k in range(start[i], start[i + 1]):
                j = other[k]
                dx = position[0, i] - position[0, j]
                dy = position[1, i] - position[1, j]
                dz = position[2, i] - position[2, j]
                square = dx * dx + dy * dy + dz * dz
                contact = radius[i] + radius[j]
                if square >= (reach * contact) ** 2:
                    continue
                distance = np.sqrt(square)
                x = distance / contact
                if distance < 1e-9:
                    # Two centres at one point have no direction; part them along x, the lower row to the left.
                    dx = 1e-9 if i > j else -1e-9
                    distance = 1e-9
                push = (1.0 - x) if x < 1.0 else -adhesion * (x - 1.0) * (reach - x) / (reach - 1.0)
                speed = stiffness * contact * push / distance
                vx += speed * dx
                vy += speed * dy
                vz += speed * dz
            if flat:
                vz = 0.0
        out[0, i] = vx
        out[1, i] = vy
        out[2, i] = vz
        fastest = max(fastest, np.sqrt(vx * vx + vy * vy + vz * vz))
    return fastest


@kernel
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
    """Move overlapping and adhering cells for `dt` hours; sub-steps are bounded by displacement and by stiffness.

    position : [3, n], changed in place and kept inside the domain; radius : [n]; mobile : bool [n]; size : [3] um
    stiffness : relaxation rate of one contact, 1/h; adhesion : relative strength; reach : contact range in summed radii
    flat : hold the z coordinate (2-D tissue); tolerance : um, motion too small to follow
    Returns (pressure [n], sub-steps): the summed relative overlap of every cell afterwards, and the sub-steps taken.
    """
    n = radius.size
    skin = 2.0
    start, other = neighbours(position, radius, reach, skin, size)
    velocity = np.zeros((3, n))
    moved = np.zeros((3, n))
    left = dt
    steps = 0
    while left > 0.0:
        fastest = _velocities(position, radius, mobile, start, other, stiffness, adhesion, reach, flat, velocity)
        if fastest * left < tolerance:
            break
        # The fastest mode of a packed layer relaxes at about 8 * stiffness, so that steps up to 0.25 / stiffness are stable.
        step = min(left, 0.2 / stiffness, 1.0 / max(fastest, 1e-12))
        far = 0.0
        for i in range(n):
            if mobile[i]:
                for axis in range(3):
                    before = position[axis, i]
                    after = before + step * velocity[axis, i]
                    after = min(max(after, 0.0), size[axis])
                    position[axis, i] = after
                    moved[axis, i] += after - before
                far = max(far, moved[0, i] ** 2 + moved[1, i] ** 2 + moved[2, i] ** 2)
        left -= step
        steps += 1
        if far > (0.5 * skin) ** 2:
            start, other = neighbours(position, radius, reach, skin, size)
            moved[:] = 0.0
    pressure = np.zeros(n)
    for i in range(n):
        for k in range(start[i], start[i + 1]):
            j = other[k]
            dx = position[0, i] - position[0, j]
            dy = position[1, i] - position[1, j]
            dz = position[2, i] - position[2, j]
            x = np.sqrt(dx * dx + dy * dy + dz * dz) / (radius[i] + radius[j])
            if x < 1.0:
                pressure[i] += 1.0 - x
    return pressure, steps
