"""The operator splitting of BioFVM (Ghaffarizadeh et al. 2016, doi:10.1093/bioinformatics/btv730), written from its equations.

Locally one-dimensional implicit steps along x and y, decay shared between them, held voxels overwritten around every sweep,
uptake by cells after them. It is here to show what its error does to what a tissue does; the engine does not use it.
"""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True)
def _sweep(field, c1, c2):
    """Solve (1 + 2 c1 + c2) u_i - c1 (u_(i-1) + u_(i+1)) = u*_i along the rows of `field`, with closed ends."""
    rows, n = field.shape
    upper = np.empty(n)
    for r in range(rows):
        for i in range(n):
            diagonal = 1.0 + c2 + (c1 if i in (0, n - 1) else 2.0 * c1)
            if i > 0:
                diagonal -= c1 * upper[i - 1]
                field[r, i] = (field[r, i] + c1 * field[r, i - 1]) / diagonal
            else:
                field[r, i] /= diagonal
            upper[i] = c1 / diagonal
        for i in range(n - 2, -1, -1):
            field[r, i] += upper[i] * field[r, i + 1]


@numba.njit(cache=True)
def _hold(field, value):
    field[0, :] = value
    field[-1, :] = value
    field[:, 0] = value
    field[:, -1] = value


@numba.njit(cache=True)
def split_steps(field, left, steps, dt, diffusion, decay, spacing, walls):
    """Advance `field` [ny, nx] by `steps` of `dt` min; `walls` is the value held along the edges.

    left : [ny, nx], the share that cells leave of what is in their voxel: the product of 1 / (1 + dt uptake) over them
    """
    c1, c2 = diffusion * dt / spacing**2, decay * dt / 2.0
    turned = np.empty((field.shape[1], field.shape[0]))
    for _ in range(steps):
        _hold(field, walls)
        _sweep(field, c1, c2)
        _hold(field, walls)
        turned[:] = field.T
        _sweep(turned, c1, c2)
        field[:] = turned.T
        _hold(field, walls)
        for y in range(field.shape[0]):
            for x in range(field.shape[1]):
                field[y, x] *= left[y, x]
