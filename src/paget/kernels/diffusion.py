"""Diffusion with losses that differ from voxel to voxel: the passes over the voxels of a multigrid solver.

The equation is ``loss x - D lap(x) = right`` on a box of voxels, seven-point. The couplings between neighbours come as
tables, so that closed and open walls, rings (periodic axes), unequal spacing and coarser boxes are one code. Voxels that are
held at a concentration are left out of the unknowns: they are marked by a loss below zero.

Fields are [nz, ny * nx]: a plane is one run of memory, along which compilers vectorise. Every pass writes to another array
than it reads neighbours from and works on whole blocks (some rows of one plane), and sums are kept by block, so neither the
number of threads nor their order changes a bit.

Tables of one level: `along` [4, nz] and `plane` [7, ny * nx], whose rows are named below; `rings` [2, 2], the couplings of
the first to the last and of the last to the first voxel along y and x; `size` (nz, ny, nx). `LOWER` and `UPPER` couple a
voxel to its neighbours, `TOTAL` is their sum with the wall's (all in 1/h), `SHARE` its part in the volume of its parent.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from paget.kernels.compile import kernel

Real = NDArray[np.float64]
Single = NDArray[np.float32]
Whole = NDArray[np.int64]
Size = tuple[int, int, int]

LOWER, UPPER, TOTAL, SHARE = 0, 1, 2, 3  # rows of `along`
X_LOWER, X_UPPER, Y_LOWER, Y_UPPER, ACROSS, PART, PARITY = range(7)  # rows of `plane`

RESIDUAL = 2  # instead of a colour

BLOCK = 4096  # values of a block at most (one row at least): its scratch stays in the nearest cache
LANES = 64  # partial sums that run side by side


@kernel
def rows_per_block(size: Size) -> int:
    """Rows of a plane that are worked on together."""
    return max(1, min(size[1], BLOCK // size[2]))


@kernel
def blocks(size: Size) -> int:
    """Number of blocks of a box; no block spans two planes."""
    tall = rows_per_block(size)
    return size[0] * ((size[1] + tall - 1) // tall)


@kernel
def _place(block: int, size: Size) -> tuple[int, int, int]:
    """Plane of a block, and where it begins and ends in it."""
    tall = rows_per_block(size)
    each = (size[1] + tall - 1) // tall
    first = (block % each) * tall
    return block // each, first * size[2], min(first + tall, size[1]) * size[2]


@kernel
def _inflow(total: Any, x: Any, iz: int, begin: int, end: int, along: Any, plane: Any, rings: Any, size: Size) -> None:
    """What the six neighbours of the voxels from `begin` to `end` of a plane give them, into the first values of `total`."""
    nz, ny, nx = size
    last = ny * nx
    down, up, here, n = along[LOWER, iz], along[UPPER, iz], x[iz], end - begin
    below, above = x[iz - 1 if iz else nz - 1, begin:end], x[iz + 1 if iz < nz - 1 else 0, begin:end]
    for k in range(n):
        total[k] = down * below[k] + up * above[k]
    # Couplings across the edges of the plane are zero in the tables, so only what lies outside memory is left out.
    for row, shift in ((X_LOWER, -1), (X_UPPER, 1), (Y_LOWER, -nx), (Y_UPPER, nx)):
        low, high = max(begin, -shift), min(end, last - shift)
        target, share, other = total[low - begin : high - begin], plane[row, low:high], here[low + shift : high + shift]
        for k in range(high - low):
            target[k] += share[k] * other[k]
    if rings[0, 0] > 0.0:
        if begin == 0:
            for ix in range(nx):
                total[ix] += rings[0, 0] * here[last - nx + ix]
        if end == last:
            for ix in range(nx):
                total[end - begin - nx + ix] += rings[0, 1] * here[ix]
    if rings[1, 0] > 0.0:
        for k in range(begin, end, nx):
            total[k - begin] += rings[1, 0] * here[k + nx - 1]
            total[k - begin + nx - 1] += rings[1, 1] * here[k]


@kernel
def rates(
    first: int, last: int, diagonal: Single, inverse: Single, loss: Single, along: Single, plane: Single, size: Size
) -> None:
    """Diagonal of the operator and its inverse in blocks first to last; both are zero in held voxels."""
    for block in range(first, last):
        iz, begin, end = _place(block, size)
        here, across, sums, shares = (
            loss[iz, begin:end],
            plane[ACROSS, begin:end],
            diagonal[iz, begin:end],
            inverse[iz, begin:end],
        )
        for k in range(end - begin):
            # A loss beyond single precision would look like a held voxel.
            own = min(here[k] + along[TOTAL, iz] + across[k], np.float32(1e37))
            sums[k] = np.float32(0.0) if here[k] < 0.0 else own
        for k in range(end - begin):
            shares[k] = np.float32(1.0) / sums[k] if sums[k] > 0.0 else np.float32(0.0)


@kernel
def coarsen(
    first: int, last: int, coarse: Single, loss: Single, along: Single, plane: Single, size: Size, coarse_size: Size
) -> None:
    """Loss of the free voxels in each coarse one, over its volume, in coarse blocks; held where all the voxels are."""
    nz, ny, nx = size
    cx = coarse_size[2]
    step_z, step_y, step_x = _steps(size, coarse_size)
    room = rows_per_block(coarse_size) * step_y * nx
    total, free = np.empty(room, np.float32), np.empty(room, np.float32)
    some = np.empty(coarse_size[1] * cx, np.float32)
    for block in range(first, last):
        jz, coarse_begin, coarse_end = _place(block, coarse_size)
        row, beyond = coarse_begin // cx, coarse_end // cx
        begin, end = row * step_y * nx, min(beyond * step_y, ny) * nx
        for k in range(end - begin):
            total[k], free[k] = 0.0, 0.0
        for iz in range(jz * step_z, min((jz + 1) * step_z, nz)):
            here, part, share = loss[iz, begin:end], plane[PART, begin:end], along[SHARE, iz]
            for k in range(end - begin):
                total[k] += share * part[k] * max(here[k], np.float32(0.0))
                free[k] += np.float32(1.0) if here[k] >= 0.0 else np.float32(0.0)
        _reduce(total, coarse[jz], row, beyond, ny, nx, cx, step_y, step_x)
        _reduce(free, some, row, beyond, ny, nx, cx, step_y, step_x)
        mean, found = coarse[jz, coarse_begin:coarse_end], some[coarse_begin:coarse_end]
        for j in range(coarse_end - coarse_begin):
            mean[j] = mean[j] if found[j] > 0.0 else np.float32(-1.0)


@kernel
def _reduce(
    total: Single, out: Single, row: int, beyond: int, ny: int, nx: int, cx: int, step_y: int, step_x: int
) -> None:
    """Add up the values of fine rows that share a coarse voxel, for coarse rows `row` to `beyond` of a plane."""
    for jy in range(row, beyond):
        k = (jy - row) * step_y * nx
        here, sums = total[k : k + nx], out[jy * cx : (jy + 1) * cx]
        if step_y == 2 and 2 * jy + 1 < ny:
            behind = total[k + nx : k + 2 * nx]
            for ix in range(nx):
                here[ix] += behind[ix]
        if step_x == 1:
            for ix in range(nx):
                sums[ix] = here[ix]
        else:
            for jx in range(nx // 2):
                sums[jx] = here[2 * jx] + here[2 * jx + 1]
            if nx % 2:
                sums[cx - 1] = here[nx - 1]


@kernel
def _steps(size: Size, coarse_size: Size) -> Size:
    return (
        2 if coarse_size[0] < size[0] else 1,
        2 if coarse_size[1] < size[1] else 1,
        2 if coarse_size[2] < size[2] else 1,
    )


@kernel
def relax(
    first: int,
    last: int,
    out: Single,
    x: Single,
    right: Single,
    diagonal: Single,
    inverse: Single,
    along: Single,
    plane: Single,
    rings: Single,
    size: Size,
    colour: int,
) -> None:
    """A half-sweep of Gauss-Seidel in blocks first to last, or the residual.

    With colour 0 or 1, voxels whose indices add up to an even or odd number take the value that their neighbours give them, the
    others keep theirs; with `RESIDUAL`, `out` is the residual, zero in held voxels.
    """
    far = np.empty(rows_per_block(size) * size[2], np.float32)
    for block in range(first, last):
        iz, begin, end = _place(block, size)
        _inflow(far, x, iz, begin, end, along, plane, rings, size)
        here, target, own = x[iz, begin:end], out[iz, begin:end], diagonal[iz, begin:end]
        share, source, parity = inverse[iz, begin:end], right[iz, begin:end], plane[PARITY, begin:end]
        for k in range(end - begin):
            far[k] = share[k] * (source[k] + far[k])
        if colour == RESIDUAL:
            for k in range(end - begin):
                target[k] = own[k] * (far[k] - here[k])
        else:
            chosen = np.float32((iz + colour) & 1)
            for k in range(end - begin):
                target[k] = far[k] if parity[k] == chosen else here[k]


@kernel
def restrict(
    first: int,
    last: int,
    coarse_right: Single,
    coarse_start: Single,
    coarse_inverse: Single,
    residual: Single,
    along: Single,
    plane: Single,
    size: Size,
    coarse_size: Size,
) -> None:
    """Mean of the residual by volume, in coarse blocks first to last, and the first guess that it gives there."""
    nz, ny, nx = size
    cx = coarse_size[2]
    step_z, step_y, step_x = _steps(size, coarse_size)
    total = np.empty(rows_per_block(coarse_size) * step_y * nx, np.float32)
    for block in range(first, last):
        jz, coarse_begin, coarse_end = _place(block, coarse_size)
        row, beyond = coarse_begin // cx, coarse_end // cx
        begin, end = row * step_y * nx, min(beyond * step_y, ny) * nx
        for k in range(end - begin):
            total[k] = 0.0
        for iz in range(jz * step_z, min((jz + 1) * step_z, nz)):
            left, part, share = residual[iz, begin:end], plane[PART, begin:end], along[SHARE, iz]
            for k in range(end - begin):
                total[k] += share * part[k] * left[k]
        _reduce(total, coarse_right[jz], row, beyond, ny, nx, cx, step_y, step_x)
        start, value = coarse_start[jz, coarse_begin:coarse_end], coarse_right[jz, coarse_begin:coarse_end]
        share_of = coarse_inverse[jz, coarse_begin:coarse_end]
        for j in range(coarse_end - coarse_begin):
            start[j] = share_of[j] * value[j]


@kernel
def prolong(
    first: int,
    last: int,
    out: Single,
    x: Single,
    coarse: Single,
    inverse: Single,
    parent: Whole,
    weight: Single,
    size: Size,
    coarse_size: Size,
) -> None:
    """``out = x + interpolated coarse`` in the free voxels of blocks first to last; linear between coarse centres."""
    nx, cy, cx = size[2], coarse_size[1], coarse_size[2]
    mixed, wide = np.empty(cx, np.float32), np.empty((cy, nx), np.float32)
    left, right, left_weight, right_weight = parent[2, 0], parent[2, 1], weight[2, 0], weight[2, 1]
    for block in range(first, last):
        iz, begin, end = _place(block, size)
        one, other, part, rest = parent[0, 0, iz], parent[0, 1, iz], weight[0, 0, iz], weight[0, 1, iz]
        for iy in range(begin // nx, end // nx):
            # A coarse row is widened when it is first met in this block.
            for side in range(2):
                jy = parent[1, side, iy]
                if iy == begin // nx or (jy != parent[1, 0, iy - 1] and jy != parent[1, 1, iy - 1]):
                    for jx in range(cx):
                        mixed[jx] = part * coarse[one, jy * cx + jx] + rest * coarse[other, jy * cx + jx]
                    for ix in range(nx):
                        wide[jy, ix] = left_weight[ix] * mixed[left[ix]] + right_weight[ix] * mixed[right[ix]]
            near, far = wide[parent[1, 0, iy]], wide[parent[1, 1, iy]]
            near_weight, far_weight, k = weight[1, 0, iy], weight[1, 1, iy], iy * nx
            here, target, free = x[iz, k : k + nx], out[iz, k : k + nx], inverse[iz, k : k + nx]
            for ix in range(nx):
                value = here[ix] + (near_weight * near[ix] + far_weight * far[ix])
                target[ix] = value if free[ix] > 0.0 else np.float32(0.0)


@kernel
def level_of(flat: Single, table: Whole, level: int) -> Single:
    """The part [nz, ny * nx] of a flat array that holds one level; `table` [levels, 5]: nz, ny, nx, begin, begin of planes."""
    nz, across, begin = table[level, 0], table[level, 1] * table[level, 2], table[level, 3]
    return flat[begin : begin + nz * across].reshape((nz, across))


@kernel
def plane_of(flat: Any, table: Whole, level: int) -> Any:
    """The tables [7, ny * nx] of one plane of a level."""
    across, begin = table[level, 1] * table[level, 2], table[level, 4]
    return flat[begin : begin + 7 * across].reshape((7, across))


@kernel
def cycle(
    top: int,
    table: Whole,
    alongs: Single,
    planes: Single,
    rings: Single,
    parents: Whole,
    weights: Single,
    diagonals: Single,
    inverses: Single,
    rights: Single,
    ones: Single,
    others: Single,
) -> None:
    """A V-cycle from level `top` down; begins from the guess in `others` and leaves the answer there."""
    levels = table.shape[0]
    for step in range(2 * (levels - 1 - top)):
        down = step < levels - 1 - top
        level = top + step if down else levels - 2 - (step - (levels - 1 - top))
        size = (table[level, 0], table[level, 1], table[level, 2])
        coarse_size = (table[level + 1, 0], table[level + 1, 1], table[level + 1, 2])
        along, ring, plane = alongs[level], rings[level], plane_of(planes, table, level)
        one, other, right = level_of(ones, table, level), level_of(others, table, level), level_of(rights, table, level)
        diagonal, inverse = level_of(diagonals, table, level), level_of(inverses, table, level)
        coarse, every = level_of(others, table, level + 1), blocks(size)
        if not down:
            prolong(0, every, other, one, coarse, inverse, parents[level], weights[level], size, coarse_size)
        # Down: sweep and leave the residual in `other`; up: sweep both colours in the opposite order.
        for half in range(2):
            out, x = (one, other) if half == 0 else (other, one)
            colour = 1 if half == 0 else (RESIDUAL if down else 0)
            relax(0, every, out, x, right, diagonal, inverse, along, plane, ring, size, colour)
        if down:
            coarse_right, coarse_inverse = level_of(rights, table, level + 1), level_of(inverses, table, level + 1)
            count = blocks(coarse_size)
            restrict(0, count, coarse_right, coarse, coarse_inverse, other, along, plane, size, coarse_size)


@kernel
def operate(
    first: int,
    last: int,
    out: Real,
    x: Real,
    loss: Real,
    inverse: Single,
    along: Real,
    plane: Real,
    rings: Real,
    size: Size,
    sums: Real,
) -> None:
    """``out = loss x - D lap(x)`` in the free voxels of blocks first to last; sums [blocks, lanes] of x times out."""
    far = np.empty(rows_per_block(size) * size[2])
    for block in range(first, last):
        iz, begin, end = _place(block, size)
        _inflow(far, x, iz, begin, end, along, plane, rings, size)
        here, target, own = x[iz, begin:end], out[iz, begin:end], loss[iz, begin:end]
        free, across, vertical = inverse[iz, begin:end], plane[ACROSS, begin:end], along[TOTAL, iz]
        for k in range(end - begin):
            target[k] = (own[k] + (vertical + across[k])) * here[k] - far[k] if free[k] > 0.0 else 0.0
        _multiply(sums[block], here, target)


@kernel
def _multiply(sums: Real, one: Any, other: Any) -> None:
    """Partial sums [lanes] of the products of two runs: value k goes to lane k modulo their number."""
    for lane in range(LANES):
        sums[lane] = 0.0
    whole = one.size // LANES * LANES
    for k in range(0, whole, LANES):
        for lane in range(LANES):
            sums[lane] += one[k + lane] * other[k + lane]
    for k in range(whole, one.size):
        sums[k - whole] += one[k] * other[k]


@kernel
def step(
    first: int,
    last: int,
    length: float,
    x: Real,
    residual: Real,
    direction: Real,
    image: Real,
    right: Single,
    start: Single,
    inverse: Single,
    scale: float,
    size: Size,
    sums: Real,
) -> None:
    """Step along `direction` and hand the scaled residual to the V-cycle; sums [2, blocks, lanes] of its size and square."""
    magnitude, ones = np.empty(rows_per_block(size) * size[2]), np.ones(rows_per_block(size) * size[2])
    for block in range(first, last):
        iz, begin, end = _place(block, size)
        value, left, along, change = (
            x[iz, begin:end],
            residual[iz, begin:end],
            direction[iz, begin:end],
            image[iz, begin:end],
        )
        single, guess, share = right[iz, begin:end], start[iz, begin:end], inverse[iz, begin:end]
        for k in range(end - begin):
            value[k] += length * along[k]
        for k in range(end - begin):
            left[k] -= length * change[k]
            magnitude[k] = abs(left[k])
            single[k] = np.float32(left[k] * scale)
            guess[k] = share[k] * single[k]
        _multiply(sums[0, block], magnitude[: end - begin], ones[: end - begin])
        _multiply(sums[1, block], left, left)


@kernel
def measure(first: int, last: int, start: Single, residual: Real, image: Real, size: Size, sums: Real) -> None:
    """Sums [2, blocks, lanes] of the products of a correction with the residual and with an image."""
    for block in range(first, last):
        iz, begin, end = _place(block, size)
        _multiply(sums[0, block], start[iz, begin:end], residual[iz, begin:end])
        _multiply(sums[1, block], start[iz, begin:end], image[iz, begin:end])


@kernel
def turn(first: int, last: int, direction: Real, start: Single, share: float, size: Size) -> None:
    """The next direction: the correction, and a share of the last direction."""
    for block in range(first, last):
        iz, begin, end = _place(block, size)
        along, correction = direction[iz, begin:end], start[iz, begin:end]
        for k in range(end - begin):
            along[k] = correction[k] + share * along[k]
