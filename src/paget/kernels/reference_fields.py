"""Slow, clear twins of the kernels of fields, written from the equations on dense matrices, for tests."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

__all__ = ["half_sweep", "laplacian", "operate", "restrict"]

Real = NDArray[np.float64]
Flags = NDArray[np.bool_]


def laplacian(
    shape: tuple[int, int, int], spacing: tuple[float, float, float], ends: tuple[tuple[str, str], ...]
) -> Real:
    """Minus the Laplacian as a matrix, voxel by voxel from its neighbours along z, y, x and from what lies at its walls.

    ends : kinds of both ends along z, y, x: ``closed``, ``wall`` (zero half a voxel away), ``voxel`` (zero a voxel away) or
        ``ring``
    """
    index = np.arange(np.prod(shape)).reshape(shape)
    matrix = np.zeros((index.size, index.size))
    for place in itertools.product(*(range(n) for n in shape)):
        me = index[place]
        for axis, side in itertools.product(range(3), (0, 1)):
            n, h, end = shape[axis], spacing[axis], ends[axis][side]
            there = list(place)
            there[axis] += 2 * side - 1
            if end == "ring" and n > 1:
                there[axis] %= n
            if 0 <= there[axis] < n:
                matrix[me, me] += 1.0 / h**2
                matrix[me, index[tuple(there)]] -= 1.0 / h**2
            elif end in ("wall", "voxel"):
                matrix[me, me] += (2.0 if end == "wall" else 1.0) / h**2
    return matrix


def operate(matrix: Real, x: Real, free: Flags) -> Real:
    """The operator in free voxels, zero elsewhere; `x` is zero in held voxels."""
    return np.where(free, (matrix @ x.ravel()).reshape(x.shape), 0.0)


def half_sweep(matrix: Real, x: Real, right: Real, free: Flags, colour: int) -> Real:
    """Gauss-Seidel for the voxels whose three indices add up to an even (0) or odd (1) number."""
    parity = sum(np.indices(x.shape)) % 2
    diagonal = np.diag(matrix).reshape(x.shape)
    new = (right - operate(matrix, x, free) + diagonal * x) / diagonal
    return np.where(parity == colour, np.where(free, new, 0.0), x)


def restrict(matrix: Real, x: Real, right: Real, free: Flags, steps: tuple[int, int, int]) -> Real:
    """Sum of the residual in the voxels of each coarse one over the number of voxels that lie in it."""
    residual = np.where(free, right - operate(matrix, x, free), 0.0)
    counts = np.ones(x.shape)
    for axis, step in enumerate(steps):
        begins = np.arange(0, x.shape[axis], step)
        residual, counts = np.add.reduceat(residual, begins, axis), np.add.reduceat(counts, begins, axis)
    return residual / counts
