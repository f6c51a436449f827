"""Cells and voxels: what cells put into fields and what they sense of them.

Positions are [3, n] in um (rows x, y, z), fields [nz, ny, nx]; `spacing` is the edges (x, y, z) of a voxel in um, `periodic`
says which axes (x, y, z) close on themselves; cells lie inside the domain.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paget.kernels.compile import kernel

Real = NDArray[np.float64]
Whole = NDArray[np.int64]
Edges = tuple[float, float, float]
Axes = tuple[bool, bool, bool]


@kernel
def _index(x: float, edge: float, n: int, ring: bool) -> int:
    """Number of the voxel along one axis; the upper wall belongs to the last one, on a ring to the first."""
    i = int(np.floor(x / edge))
    return i % n if ring else min(max(i, 0), n - 1)


@kernel
def voxel_of(position: Real, spacing: Edges, shape: tuple[int, int, int], periodic: Axes) -> Whole:
    """Flat voxel index [n] (int64) of each position; positions on the upper wall belong to the last voxel."""
    nz, ny, nx = shape
    out = np.empty(position.shape[1], np.int64)
    for i in range(position.shape[1]):
        ix = _index(position[0, i], spacing[0], nx, periodic[0])
        iy = _index(position[1, i], spacing[1], ny, periodic[1])
        iz = _index(position[2, i], spacing[2], nz, periodic[2])
        out[i] = (iz * ny + iy) * nx + ix
    return out


@kernel
def deposit(total: Real, voxels: Whole, amounts: Real) -> None:
    """Add `amounts` [n] to the flat array `total` at `voxels` [n], in the order given (the order fixes the bits)."""
    for i in range(voxels.size):
        total[voxels[i]] += amounts[i]


@kernel
def gather(field: Real, voxels: Whole) -> Real:
    """Values [n] of a flat field at `voxels` [n]."""
    out = np.empty(voxels.size)
    for i in range(voxels.size):
        out[i] = field[voxels[i]]
    return out


@kernel
def _neighbour(i: int, n: int, ring: bool) -> int:
    """The voxel number `i` along an axis of `n`, where i may be one beyond an end: round the ring, or back at the wall."""
    return i % n if ring else min(max(i, 0), n - 1)


@kernel
def gradient(field: Real, voxels: Whole, spacing: Edges, periodic: Axes) -> Real:
    """Central-difference gradient [3, n] (x, y, z) of `field` [nz, ny, nx] at flat `voxels`.

    No flux passes a wall, so the field goes on beyond it as in a mirror: the slope across a wall is half the difference to the
    one neighbour. (PhysiCell takes the whole difference there, as if the wall were not.)
    """
    nz, ny, nx = field.shape
    out = np.zeros((3, voxels.size))
    for i in range(voxels.size):
        v = voxels[i]
        ix = v % nx
        iy = (v // nx) % ny
        iz = v // (nx * ny)
        left, right = _neighbour(ix - 1, nx, periodic[0]), _neighbour(ix + 1, nx, periodic[0])
        front, back = _neighbour(iy - 1, ny, periodic[1]), _neighbour(iy + 1, ny, periodic[1])
        below, above = _neighbour(iz - 1, nz, periodic[2]), _neighbour(iz + 1, nz, periodic[2])
        out[0, i] = (field[iz, iy, right] - field[iz, iy, left]) / (2.0 * spacing[0])
        out[1, i] = (field[iz, back, ix] - field[iz, front, ix]) / (2.0 * spacing[1])
        out[2, i] = (field[above, iy, ix] - field[below, iy, ix]) / (2.0 * spacing[2])
    return out
