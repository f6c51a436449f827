"""The box in which a field is solved: what lies at its six ends, and coarser and coarser boxes over the same space.

The faces of a field decide the ends of an axis:

- ``closed``: no flux through the wall;
- ``wall``: a concentration held at the wall, half a voxel from the nearest centre;
- ``voxel``: a layer of voxels held at a concentration; it is taken off the box, and the wall then lies a whole voxel from the
  nearest centre (as in BioFVM, whose Dirichlet voxels are the first and the last of each line);
- ``ring``: the axis is periodic.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paget.kernels.diffusion import ACROSS, PARITY, PART, SHARE, X_LOWER, X_UPPER, Y_LOWER, Y_UPPER

__all__ = ["Box", "Hierarchy", "hierarchy", "modes", "slowest"]

Real = NDArray[np.float64]
Ends = tuple[tuple[str, str], tuple[str, str], tuple[str, str]]

# Axes along which voxels are much longer than the shortest are left alone until the others have caught up: neighbours
# along them hardly feel each other.
LONG = 1.5


@dataclass(frozen=True)
class Box:
    """Voxels (z, y, x), their edges (z, y, x) in um, and the kinds of the two ends of every axis (z, y, x)."""

    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    ends: Ends

    @property
    def transformable(self) -> bool:
        """Whether sines and cosines diagonalise the Laplacian: everywhere but beside layers that are held."""
        return not any("voxel" in pair for pair in self.ends)


@functools.lru_cache(maxsize=32)
def modes(box: Box) -> Real:
    """Eigenvalues [nz, ny, nx] of minus the discrete Laplacian in 1/um2, in the order of the transforms."""
    total = np.zeros(box.shape)
    for axis, n in enumerate(box.shape):
        number = np.arange(n)
        if box.ends[axis] == ("ring", "ring"):
            angle = np.pi * number / n
        else:
            angle = np.pi * (number + _first_mode(box.ends[axis])) / (2 * n)
        own = (2.0 / box.spacing[axis] * np.sin(angle)) ** 2
        total += own.reshape([-1 if a == axis else 1 for a in range(3)])
    return total


def _first_mode(ends: tuple[str, str]) -> float:
    """Number of half waves of the slowest mode along an axis: none if closed, one between two walls."""
    return 0.5 * sum(end in ("wall", "voxel") for end in ends)


def slowest(box: Box) -> tuple[float, float]:
    """Eigenvalues in 1/um2 of the slowest mode, and of the slowest that is not the same along some axis."""
    lowest, next_lowest = 0.0, math.inf
    for n, h, ends in zip(box.shape, box.spacing, box.ends, strict=True):
        # A layer that is held counts as half a voxel of tissue on its side.
        length = n + 0.5 * ends.count("voxel")
        waves = _first_mode(ends)
        lowest += (2.0 / h * math.sin(math.pi * waves / (2.0 * length))) ** 2
        if n > 1:
            following = waves + (2.0 if ends[0] == "ring" else 1.0)
            next_lowest = min(
                next_lowest, (2.0 / h * math.sin(min(math.pi * following / (2.0 * length), np.pi / 2))) ** 2
            )
    return lowest, next_lowest


@dataclass(frozen=True)
class Hierarchy:
    """A box and its coarser versions, as the tables that the passes of `kernels.diffusion` read (couplings in 1/um2).

    table : [levels, 5] voxels along z, y, x, and where the level begins in flat arrays of voxels and of planes
    along : [levels, 4, nz]; planes : the [7, ny * nx] of all levels, one after the other; rings : [levels, 2, 2]
    coupling : which values of `planes` are couplings
    parent, weight : [levels, 3, 2, n] coarse voxels between which a voxel lies along z, y, x, and their weights
    walls : coupling of the voxels along z, y, x to what is held at the ends of the axis
    """

    table: NDArray[np.int64]
    along: Real
    planes: Real
    coupling: NDArray[np.bool_]
    rings: Real
    parent: NDArray[np.int64]
    weight: NDArray[np.float32]
    walls: tuple[Real, Real, Real]

    def scaled(self, diffusion: float) -> tuple[Real, Real, Real]:
        """`along`, `planes` and `rings` with couplings in 1/h, for a diffusion coefficient in um2/h."""
        along = self.along.copy()
        along[:, :SHARE] *= diffusion
        return along, np.where(self.coupling, diffusion * self.planes, self.planes), self.rings * diffusion


@functools.lru_cache(maxsize=32)
def hierarchy(box: Box) -> Hierarchy:
    """Coarsen a box by two along its fine axes until a single voxel is left."""
    widths = [np.full(n, h) for n, h in zip(box.shape, box.spacing, strict=True)]
    gaps = [tuple(_gap(end, h) for end in pair) for pair, h in zip(box.ends, box.spacing, strict=True)]
    walls: list[Real] = []
    levels: list[tuple[list[int], Real, Real, Real, NDArray[np.int64], Real]] = []
    begin = plane_begin = 0
    while True:
        shape = [w.size for w in widths]
        shortest = min((w[0] for w in widths if w.size > 1), default=1.0)
        coarser, axes = [], []
        parent = np.zeros((3, 2, max(box.shape)), np.int64)
        weight = np.zeros((3, 2, max(box.shape)))
        for axis, w in enumerate(widths):
            factor = 2 if w.size > 1 and w[0] <= LONG * shortest else 1
            wide = np.add.reduceat(w, np.arange(0, w.size, factor))
            ring = box.ends[axis][0] == "ring"
            share = w / wide[np.arange(w.size) // factor]
            axes.append((*_couplings(w, gaps[axis], ring), share))
            parent[axis, :, : w.size], weight[axis, :, : w.size] = _interpolation(w, wide, factor, gaps[axis], ring)
            coarser.append(wide)
        if not levels:
            walls = [total - lower - upper for lower, upper, total, _ in axes]
        along = np.zeros((4, box.shape[0]))
        along[:, : shape[0]] = axes[0]
        plane, rings = _plane(axes[1], axes[2])
        levels.append(([*shape, begin, plane_begin], along, plane, rings, parent, weight))
        begin, plane_begin = begin + math.prod(shape), plane_begin + plane.size
        if math.prod(shape) == 1:
            break
        widths = coarser
    return Hierarchy(
        np.array([level[0] for level in levels], np.int64),
        np.stack([level[1] for level in levels]),
        np.concatenate([level[2].ravel() for level in levels]),
        np.concatenate([np.repeat(np.arange(7) <= ACROSS, level[2].shape[1]) for level in levels]),
        np.stack([level[3] for level in levels]),
        np.stack([level[4] for level in levels]),
        np.stack([level[5] for level in levels]).astype(np.float32),
        (walls[0], walls[1], walls[2]),
    )


def _plane(y: tuple[Real, ...], x: tuple[Real, ...]) -> tuple[Real, Real]:
    """Rows of one plane [7, ny * nx], and couplings round the rings [2, 2] along y and x, which the rows leave out."""
    ny, nx = y[0].size, x[0].size
    rings = np.array([[axis[0][0], axis[1][-1]] for axis in (y, x)])
    plane = np.zeros((7, ny, nx))
    plane[X_LOWER, :, 1:], plane[X_UPPER, :, :-1] = x[0][1:], x[1][:-1]
    plane[Y_LOWER, 1:], plane[Y_UPPER, :-1] = y[0][1:, None], y[1][:-1, None]
    plane[ACROSS] = y[2][:, None] + x[2]
    plane[PART] = y[3][:, None] * x[3]
    plane[PARITY] = (np.arange(ny)[:, None] + np.arange(nx)) % 2
    return plane.reshape(7, ny * nx), rings


def _gap(end: str, h: float) -> float | None:
    """Distance from the end of the box to where a concentration is held, or None if there is no such place."""
    return {"wall": 0.0, "voxel": h / 2.0}.get(end)


def _couplings(w: Real, gaps: tuple[float | None, ...], ring: bool) -> tuple[Real, Real, Real]:
    """Couplings [n] in 1/um2: to the lower and the upper neighbour, and the sum of these and the walls'."""
    lower, upper, wall = np.zeros(w.size), np.zeros(w.size), np.zeros(w.size)
    apart = (w[1:] + w[:-1]) / 2.0
    upper[:-1], lower[1:] = 1.0 / (apart * w[:-1]), 1.0 / (apart * w[1:])
    if ring and w.size > 1:
        closing = (w[0] + w[-1]) / 2.0
        lower[0], upper[-1] = 1.0 / (closing * w[0]), 1.0 / (closing * w[-1])
    for end, gap in zip((0, -1), gaps, strict=True):
        if gap is not None:
            wall[end] += 1.0 / (w[end] * (w[end] / 2.0 + gap))
    return lower, upper, lower + upper + wall


def _interpolation(
    w: Real, wide: Real, factor: int, gaps: tuple[float | None, ...], ring: bool
) -> tuple[NDArray[np.int64], Real]:
    """Linear interpolation between coarse centres; towards a wall down to zero, towards a closed end constant."""
    n, parent, weight = w.size, np.zeros((2, w.size), np.int64), np.zeros((2, w.size))
    fine, coarse, length = np.cumsum(w) - w / 2.0, np.cumsum(wide) - wide / 2.0, float(w.sum())
    for i in range(n):
        p = i // factor
        away = float(fine[i] - coarse[p])
        side = -1 if away < 0.0 else 1
        q, share = p, 0.0
        if abs(away) > 1e-9 * length:
            q = p + side
            if 0 <= q < wide.size or (ring and wide.size > 1):
                q %= wide.size
                apart = abs(coarse[q] - coarse[p])
                # Round the ring, the two are as far apart as half of each.
                share = abs(away) / ((wide[p] + wide[q]) / 2.0 if ring else apart)
                weight[0, i] = 1.0 - share
            else:
                q, gap = p, gaps[0 if side < 0 else 1]
                weight[0, i] = 1.0 if gap is None else 1.0 - abs(away) / (wide[p] / 2.0 + gap)
        else:
            weight[0, i] = 1.0
        parent[:, i] = p, q
        weight[1, i] = share
    return parent, weight
