"""Velocities and moves of packed cells, piece by piece: the arithmetic inside a relaxation.

A packed cell is one line of memory: x, y, z, radius, interaction range, square roots of repulsion and adhesion, type.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paget.kernels.compile import kernel
from paget.kernels.forces import FLOOR, LINEAR, PRESSURE_SCALE, apart, linear, quadratic, wall
from paget.kernels.neighbours import ONE, PIECE

__all__ = ["move_cells", "pressures", "velocities"]

Real = NDArray[np.float64]
Index = NDArray[np.uint32]
Place = NDArray[np.uint64]
Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]

X, Y, Z, RADIUS, RANGE, REPULSION, ADHESION, TYPE = range(8)
BLOCK = 16  # cells whose pairs are worked on together: enough for vector instructions, few enough for the first cache
ZERO = np.uint64(0)


@kernel
def _bonds(
    p: int,
    r: int,
    cells: Real,
    where: Index,
    bond_start: Whole,
    bond_other: Whole,
    bond: Real,
    size: Real,
    periodic: Flags,
) -> tuple[float, float, float, float]:
    """Velocity [x, y, z] in um/h of packed cell `p` of rank `r` by its springs, and their summed stiffness in 1/h."""
    vx, vy, vz, total = 0.0, 0.0, 0.0, 0.0
    for k in range(bond_start[r], bond_start[r + 1]):
        if bond_other[k] >= 0:
            q = where[bond_other[k]]
            gx = cells[q, X] - cells[p, X]
            gy = cells[q, Y] - cells[p, Y]
            gz = cells[q, Z] - cells[p, Z]
        else:
            gx = bond[2, k] - cells[p, X]
            gy = bond[3, k] - cells[p, Y]
            gz = bond[4, k] - cells[p, Z]
        if periodic[0]:
            gx -= size[0] * np.rint(gx / size[0])
        if periodic[1]:
            gy -= size[1] * np.rint(gy / size[1])
        if periodic[2]:
            gz -= size[2] * np.rint(gz / size[2])
        length = np.sqrt(gx * gx + gy * gy + gz * gz)
        # Ends at one point have no direction to be pushed in; the cells' own repulsion parts them.
        stretch = bond[0, k]
        if bond[1, k] > 0.0:
            stretch *= 1.0 - bond[1, k] / max(length, FLOOR)
        vx += stretch * gx
        vy += stretch * gy
        vz += stretch * gz
        total += bond[0, k]
    return vx, vy, vz, total


@kernel
def _walls(at: float, length: float, radius: float, strength: float) -> tuple[float, float]:
    """Velocity in um/h along one axis by its two walls, and their stiffness in 1/h."""
    from_low, low_stiffness = wall(at, radius, strength)
    from_high, high_stiffness = wall(length - at, radius, strength)
    return from_low - from_high, low_stiffness + high_stiffness


@kernel
def velocities(
    begin: int,
    end: int,
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
    velocity: Real,
    fastest: Real,
    stiffest: Real,
) -> None:
    """Write the velocities [n, 4] in um/h of the pieces begin..end, and per piece the largest speed and stiffness in 1/h.

    constants : [3] stiffness, adhesion, reach of the linear law; affinity : [rows, types] square roots
    of the affinities of the cells of a row for a type, or empty; the type of a cell then is packed as row * types + type.
    mobile : [n]; drift : [n, 3] or empty; drag : [n] or empty, all by packed cell; where : packed cell of a rank
    bonds by rank: bond_start [n + 1] or empty, bond_other (rank, or -1 for a point), bond [5, m] (stiffness, rest length,
    point). The stiffness around a cell is a norm of the sum over its contacts of k u u^T, with k their stiffness and u their
    direction: no mode of the tissue relaxes faster than twice the largest. It is left out for the linear law, whose own
    is known. A speed that is not a number counts as infinite.
    """
    wraps = periodic[0] or periodic[1] or periodic[2]
    low = begin * PIECE
    high = min(end * PIECE, rank.size)
    most = 1
    for block in range(low, high, BLOCK):
        pairs = 0
        for p in range(block, min(block + BLOCK, high)):
            pairs += int(np.int64(many[p]))
        most = max(most, pairs)
    dx = np.empty(most)
    dy = np.empty(most)
    dz = np.empty(most)
    distance = np.empty(most)
    contact = np.empty(most)
    limit = np.empty(most)
    repulsion = np.empty(most)
    adhesion = np.empty(most)
    speed = np.empty(most)
    stiff = np.empty(most)
    for piece in range(begin, end):
        fastest[piece] = 0.0
        stiffest[piece] = 0.0
    for block in range(low, high, BLOCK):
        stop = min(block + BLOCK, high)
        m = ZERO
        for p in range(block, stop):
            x = cells[p, X]
            y = cells[p, Y]
            z = cells[p, Z]
            radius = cells[p, RADIUS]
            range_ = cells[p, RANGE]
            push = cells[p, REPULSION]
            pull = cells[p, ADHESION]
            for k in range(start[p], start[p] + many[p]):
                q = other[k]
                dx[m] = x - cells[q, X]
                dy[m] = y - cells[q, Y]
                dz[m] = z - cells[q, Z]
                contact[m] = radius + cells[q, RADIUS]
                limit[m] = range_ + cells[q, RANGE]
                repulsion[m] = push * cells[q, REPULSION]
                adhesion[m] = pull * cells[q, ADHESION]
                m += ONE
        if wraps:
            for t in range(m):
                if periodic[0]:
                    dx[t] -= size[0] * np.rint(dx[t] / size[0])
                if periodic[1]:
                    dy[t] -= size[1] * np.rint(dy[t] / size[1])
                if periodic[2]:
                    dz[t] -= size[2] * np.rint(dz[t] / size[2])
        together = ZERO
        for t in range(m):
            d = np.sqrt(dx[t] * dx[t] + dy[t] * dy[t] + dz[t] * dz[t])
            distance[t] = d
            together += np.uint64(d < FLOOR)
        if together > ZERO:
            t = 0
            for p in range(block, stop):
                for k in range(start[p], start[p] + many[p]):
                    if distance[t] < FLOOR:
                        ux, uy, uz = apart(ids[rank[p]], ids[rank[other[k]]], flat)
                        dx[t] = FLOOR * ux
                        dy[t] = FLOOR * uy
                        dz[t] = FLOOR * uz
                        distance[t] = FLOOR
                    t += 1
        if affinity.size > 0:
            types = affinity.shape[1]
            t = 0
            for p in range(block, stop):
                row = int(cells[p, TYPE]) // types
                kind = int(cells[p, TYPE]) - row * types
                for k in range(start[p], start[p] + many[p]):
                    theirs = int(cells[other[k], TYPE])
                    them = theirs // types
                    adhesion[t] *= affinity[row, theirs - them * types] * affinity[them, kind]
                    t += 1
        if law == LINEAR:
            for t in range(m):
                # The squared distance decides whether two cells touch, because rounding of the root could differ.
                square = dx[t] * dx[t] + dy[t] * dy[t] + dz[t] * dz[t]
                found = linear(distance[t], contact[t], constants[0], constants[1], constants[2])
                speed[t] = 0.0 if square >= (constants[2] * contact[t]) ** 2 else found
                stiff[t] = 0.0
        else:
            for t in range(m):
                speed[t], stiff[t] = quadratic(distance[t], contact[t], limit[t], repulsion[t], adhesion[t])
        s = ZERO
        for p in range(block, stop):
            vx = 0.0
            vy = 0.0
            vz = 0.0
            xx = 0.0
            yy = 0.0
            zz = 0.0
            xy = 0.0
            yz = 0.0
            zx = 0.0
            total = 0.0
            # A cell that holds its place is passed over, not multiplied by zero: its sum may be without bounds.
            first = s
            for _ in range(many[p]):
                vx += speed[s] * dx[s]
                vy += speed[s] * dy[s]
                vz += speed[s] * dz[s]
                s += ONE
            for t in range(first, s if bounding else first):
                ax = dx[t]
                ay = dy[t]
                az = dz[t]
                tight = stiff[t]
                tx = tight * ax
                ty = tight * ay
                xx += tx * ax
                xy += tx * ay
                zx += tx * az
                yy += ty * ay
                yz += ty * az
                zz += tight * az * az
            if not mobile[p]:
                velocity[p, 0] = 0.0
                velocity[p, 1] = 0.0
                velocity[p, 2] = 0.0
                continue
            if drift.size > 0:
                vx += drift[p, 0]
                vy += drift[p, 1]
                vz += drift[p, 2]
            if bond_start.size > 0:
                bx, by, bz, tight = _bonds(
                    p, int(np.int64(rank[p])), cells, where, bond_start, bond_other, bond, size, periodic
                )
                vx += bx
                vy += by
                vz += bz
                total += tight
            if wall_strength > 0.0:
                radius = cells[p, RADIUS]
                if not periodic[0]:
                    push, stiffness = _walls(cells[p, X], size[0], radius, wall_strength)
                    vx += push
                    total += stiffness
                if not periodic[1]:
                    push, stiffness = _walls(cells[p, Y], size[1], radius, wall_strength)
                    vy += push
                    total += stiffness
                if not periodic[2] and not flat:
                    push, stiffness = _walls(cells[p, Z], size[2], radius, wall_strength)
                    vz += push
                    total += stiffness
            if flat:
                vz = 0.0
            total += max(xx + abs(xy) + abs(zx), max(yy + abs(xy) + abs(yz), zz + abs(zx) + abs(yz)))
            if drag.size > 0:
                vx /= drag[p]
                vy /= drag[p]
                vz /= drag[p]
                total /= drag[p]
            velocity[p, 0] = vx
            velocity[p, 1] = vy
            velocity[p, 2] = vz
            pace = np.sqrt(vx * vx + vy * vy + vz * vz)
            piece = p // PIECE
            fastest[piece] = max(fastest[piece], pace if pace < np.inf else np.inf)
            stiffest[piece] = max(stiffest[piece], total)


@kernel
def move_cells(
    begin: int,
    end: int,
    cells: Real,
    place: Real,
    mobile: Flags,
    velocity: Real,
    before: Real,
    step: float,
    ratio: float,
    size: Real,
    periodic: Flags,
    far: Real,
) -> None:
    """Move the cells of the pieces begin..end by one sub-step; `far` is per piece the largest squared distance moved.

    ratio : this step over the last one, for the second-order scheme of Adams and Bashforth, which needs the velocities
    `before`; 0 for Euler's. Cells stay inside closed walls and return into periodic boxes. Distances
    count from where the lists were made.
    """
    for piece in range(begin, end):
        far[piece] = 0.0
        for p in range(piece * PIECE, min((piece + 1) * PIECE, mobile.size)):
            if not mobile[p]:
                continue
            square = 0.0
            for axis in range(3):
                speed = velocity[p, axis]
                if ratio > 0.0:
                    speed += 0.5 * ratio * (speed - before[p, axis])
                after = cells[p, axis] + step * speed
                if periodic[axis]:
                    # At every sub-step, not when lists are made: returning rounds, and may not depend on the skin.
                    after -= size[axis] * np.floor(after / size[axis])
                    after = after if after < size[axis] else 0.0
                    shift = after - place[axis, p]
                    shift -= size[axis] * np.rint(shift / size[axis])
                else:
                    after = min(max(after, 0.0), size[axis])
                    shift = after - place[axis, p]
                cells[p, axis] = after
                square += shift * shift
            far[piece] = max(far[piece], square)


@kernel
def pressures(
    begin: int,
    end: int,
    cells: Real,
    rank: Index,
    start: Place,
    many: Index,
    other: Index,
    law: int,
    size: Real,
    periodic: Flags,
    pressure: Real,
) -> None:
    """Write the pressures by rank of the pieces begin..end: summed relative overlap, or for the quadratic law its square.

    The square is in units of the pressure in a confluent layer, `PRESSURE_SCALE`.
    """
    for p in range(begin * PIECE, min(end * PIECE, rank.size)):
        total = 0.0
        for k in range(start[p], start[p] + many[p]):
            q = other[k]
            dx = cells[p, X] - cells[q, X]
            dy = cells[p, Y] - cells[q, Y]
            dz = cells[p, Z] - cells[q, Z]
            if periodic[0]:
                dx -= size[0] * np.rint(dx / size[0])
            if periodic[1]:
                dy -= size[1] * np.rint(dy / size[1])
            if periodic[2]:
                dz -= size[2] * np.rint(dz / size[2])
            overlap = 1.0 - np.sqrt(dx * dx + dy * dy + dz * dz) / (cells[p, RADIUS] + cells[q, RADIUS])
            if overlap > 0.0:
                total += overlap if law == LINEAR else overlap * overlap
        pressure[rank[p]] = total if law == LINEAR else total / PRESSURE_SCALE
