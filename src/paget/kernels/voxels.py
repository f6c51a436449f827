"""Cells and voxels: what cells put into fields and what they sense of them.

Positions are [3, n] in um (rows x, y, z), fields [nz, ny, nx]; voxels are cubes of edge `h`; cells lie inside the domain.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paget.kernels.compile import kernel

Real = NDArray[np.float64]
Whole = NDArray[np.int64]


@kernel
def voxel_of(position: Real, h: float, shape: tuple[int, int, int]) -> Whole:
    """Flat voxel index [n] (int64) of each position; positions on the upper wall belong to the last voxel."""
    nz, ny, nx = shape
    out = np.empty(position.shape[1], np.int64)
    for i in range(position.shape[1]):
        ix = min(max(int(position[0, i] / h), 0), nx - 1)
        iy = min(max(int(position[1, i] / h), 0), ny - 1)
        iz = min(max(int(position[2, i] / h), 0), nz - 1)
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
def gradient(field: Real, voxels: Whole, h: float) -> Real:
    """Central-difference gradient [3, n] (x, y, z) of `field` [nz, ny, nx] at flat `voxels`; no flux through walls."""
    nz, ny, nx = field.shape
    out = np.zeros((3, voxels.size))
    for i in range(voxels.size):
        v = voxels[i]
        ix = v % nx
        iy = (v // nx) % ny
        iz = v // (nx * ny)
        out[0, i] = (field[iz, iy, min(ix + 1, nx - 1)] - field[iz, iy, max(ix - 1, 0)]) / (2.0 * h)
        out[1, i] = (field[iz, min(iy + 1, ny - 1), ix] - field[iz, max(iy - 1, 0), ix]) / (2.0 * h)
        out[2, i] = (field[min(iz + 1, nz - 1), iy, ix] - field[max(iz - 1, 0), iy, ix]) / (2.0 * h)
    return out
