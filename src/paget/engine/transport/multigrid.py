"""Solving ``loss x - D lap(x) = right`` in a box: conjugate gradients, every direction made by a multigrid V-cycle.

The V-cycle (red-black Gauss-Seidel before and after, means down, linear interpolation up) runs in single precision, as it only
proposes; conjugate gradients in double precision dispose, so the residual can be brought down to the rounding of doubles.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paget.engine.transport.box import Box, Hierarchy, hierarchy
from paget.kernels import diffusion as passes

__all__ = ["MOST_CYCLES", "Workspace", "solve"]

Real = NDArray[np.float64]
Single = NDArray[np.float32]

MOST_CYCLES = 200
# Voxels of a box, and of a level of it, below which handing work to another thread costs more than it saves.
SHARED_FROM, SHARED_LEVEL = 1_000_000, 100_000
SPACES_KEPT = 3
# The true residual is computed, and iterated on, this often, where so small a one is asked for that rounding counts.
CHECKS, CHECKED_BELOW = 3, 1e-6


class _Crew:
    """Runs a pass over the blocks of a box, shared between threads in equal runs; which thread does what changes no bit."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._others = ThreadPoolExecutor(threads - 1) if threads > 1 else None

    def __enter__(self) -> _Crew:
        return self

    def __exit__(self, *_: object) -> None:
        if self._others is not None:
            self._others.shutdown()

    def __call__(self, work: Callable[..., None], blocks: int, *arguments: Any) -> None:
        if self._others is None:
            work(0, blocks, *arguments)
            return
        ends = [blocks * i // self.threads for i in range(self.threads + 1)]
        waiting = [self._others.submit(work, begin, end, *arguments) for begin, end in pairwise(ends[1:])]
        work(0, ends[1], *arguments)
        for other in waiting:
            other.result()


def _sum(parts: Real) -> float:
    """Sum of partial sums [blocks, lanes], block after block, then lane after lane."""
    return float(parts.sum(axis=0).sum())


def solve(
    box: Box,
    diffusion: float,
    loss: Real,
    right: Real,
    guess: Real,
    tolerance: float,
    threads: int = 1,
    pull: Real | None = None,
    workspace: Workspace | None = None,
    most: int = MOST_CYCLES,
) -> tuple[Real, float, int]:
    """Solve ``loss x - D lap(x) = right`` for x [nz, ny, nx], zero beyond what is held at walls and in held voxels.

    Parameters
    ----------
    diffusion : um2/h; loss, right, guess : [nz, ny, nx] in 1/h, per h and the unit of the field
    tolerance : of the residual, relative to `right`, in the larger of the 1-norm (which bounds what is lost to the balance of
        mass) and the 2-norm
    pull : loss plus what held neighbours take, [nz, ny, nx], below zero in held voxels; None where no voxel is held. In held
        voxels `right` and `guess` must be zero.
    workspace : arrays to use again; x is one of them, and stays as it is until the next solve with the same workspace

    Returns
    -------
    x, the relative residual reached, and the number of V-cycles. Rounding keeps the residual above about 1e-16 times the
    ratio of D / h^2 to the slowest rate of the operator.
    """
    space = (workspace or Workspace()).space(box)
    levels, size, flat = space.levels, box.shape, (box.shape[0], box.shape[1] * box.shape[2])
    alongs, planes, rings = levels.scaled(diffusion)
    scratch = _Scratch(space, *(a.astype(np.float32) for a in (alongs, planes, rings)))
    loss, right = (np.ascontiguousarray(a).reshape(flat) for a in (loss, right))
    blocks = passes.blocks(size)
    x, residual, direction, image = space.doubles
    direction.reshape(size)[...] = guess
    residual[...] = right
    x[...] = 0.0
    sums = np.empty((2, blocks, passes.LANES))
    own = (alongs[0], passes.plane_of(planes, levels.table, 0), rings[0], size)
    inverse, start, single = (scratch.of(a, 0) for a in (space.inverses, space.others, space.rights))
    shared = threads if math.prod(size) >= SHARED_FROM else 1
    top = sum(math.prod(level[:3]) >= SHARED_LEVEL for level in levels.table.tolist()) if shared > 1 else 0
    with _Crew(shared) as crew:
        scratch.prepare(crew, loss if pull is None else pull.reshape(flat))
        absolute, square = float(np.abs(right).sum()), math.sqrt(float(np.einsum("pv,pv->", right, right)))
        if absolute == 0.0:
            return x.reshape(size), 0.0, 0
        scale, length, before, count = 1.0 / square, 1.0, 1.0, 0
        fresh, checks = True, CHECKS if tolerance < CHECKED_BELOW else 0
        while True:
            crew(passes.operate, blocks, image, direction, loss, inverse, *own, sums[0])
            if not fresh:
                length = before / _sum(sums[0])
            crew(passes.step, blocks, length, x, residual, direction, image, single, start, inverse, scale, size, sums)
            left = math.sqrt(_sum(sums[1]))
            reached = max(_sum(sums[0]) / absolute, left / square)
            if reached <= tolerance or count == most or not math.isfinite(reached):
                if fresh or checks == 0 or not math.isfinite(reached):
                    return x.reshape(size), reached, count
                # What the iteration carries along has not seen the rounding of x: begin again from x with the true residual.
                direction[...], residual[...], x[...] = x, right, 0.0
                length, before, fresh, checks = 1.0, 1.0, True, checks - 1
                continue
            scale = 1.0 / left
            scratch.cycle(crew, top)
            crew(passes.measure, blocks, start, residual, image, size, sums)
            now = _sum(sums[0])
            # A cycle is not quite symmetric, so directions are made conjugate by what the last image tells (Polak, Ribiere).
            share = 0.0 if fresh else -length * _sum(sums[1]) / before
            crew(passes.turn, blocks, direction, start, share, size)
            before, count, fresh = now, count + 1, False


@dataclass(frozen=True)
class _Space:
    """The arrays of one box: x, residual, direction and image in double precision, and five of all levels in single."""

    levels: Hierarchy
    doubles: tuple[Real, Real, Real, Real]
    diagonals: Single
    inverses: Single
    rights: Single
    ones: Single
    others: Single


class Workspace:
    """Arrays that solves in boxes of one kind use again, as fresh memory costs as much as solving; for one caller at a time."""

    def __init__(self) -> None:
        self._spaces: dict[Box, _Space] = {}

    def space(self, box: Box) -> _Space:
        """The arrays for a box; only those of the last few boxes are kept."""
        if box not in self._spaces:
            while len(self._spaces) >= SPACES_KEPT:
                self._spaces.pop(next(iter(self._spaces)))
            levels = hierarchy(box)
            flat, values = (box.shape[0], box.shape[1] * box.shape[2]), int(levels.table[-1, 3]) + 1
            x, residual, direction, image = (np.zeros(flat) for _ in range(4))
            singles = (np.zeros(values, np.float32) for _ in range(5))
            self._spaces[box] = _Space(levels, (x, residual, direction, image), *singles)
        return self._spaces[box]


@dataclass(frozen=True)
class _Scratch:
    """The arrays of a box, and the tables to read them by, of all levels."""

    space: _Space
    alongs: Single
    planes: Single
    rings: Single

    @property
    def levels(self) -> Hierarchy:
        return self.space.levels

    def size(self, level: int) -> tuple[int, int, int]:
        """Voxels along z, y, x."""
        nz, ny, nx = self.levels.table[level, :3].tolist()
        return nz, ny, nx

    def coefficients(self, level: int) -> tuple[Single, Single, Single, tuple[int, int, int]]:
        """What passes need to know of a level: along, plane, rings, size."""
        plane: Single = passes.plane_of(self.planes, self.levels.table, level)
        return self.alongs[level], plane, self.rings[level], self.size(level)

    def of(self, flat: Single, level: int) -> Single:
        """The part [nz, ny * nx] of one of the arrays that belongs to a level."""
        part: Single = passes.level_of(flat, self.levels.table, level)
        return part

    def prepare(self, crew: _Crew, loss: Real) -> None:
        """Diagonals of all levels, from the loss of the finest (below zero in held voxels)."""
        here = self.of(self.space.ones, 0)
        with np.errstate(over="ignore"):
            here[...] = loss
        for level in range(len(self.levels.table)):
            along, plane, _, size = self.coefficients(level)
            diagonal, inverse = self.of(self.space.diagonals, level), self.of(self.space.inverses, level)
            crew(passes.rates, passes.blocks(size), diagonal, inverse, here, along, plane, size)
            if level < len(self.levels.table) - 1:
                coarse, coarse_size = self.of(self.space.ones, level + 1), self.size(level + 1)
                crew(passes.coarsen, passes.blocks(coarse_size), coarse, here, along, plane, size, coarse_size)
                here = coarse

    def cycle(self, crew: _Crew, top: int) -> None:
        """A V-cycle whose levels above `top` are shared between threads; the guess in `others` becomes the answer."""
        for level in range(top):
            *tables, size = self.coefficients(level)
            coarse_size, count = self.size(level + 1), passes.blocks(size)
            one, other = self.of(self.space.ones, level), self.of(self.space.others, level)
            known = [self.of(a, level) for a in (self.space.rights, self.space.diagonals, self.space.inverses)]
            crew(passes.relax, count, one, other, *known, *tables, size, 1)
            crew(passes.relax, count, other, one, *known, *tables, size, passes.RESIDUAL)
            coarse = (self.of(a, level + 1) for a in (self.space.rights, self.space.others, self.space.inverses))
            crew(passes.restrict, passes.blocks(coarse_size), *coarse, other, *tables[:2], size, coarse_size)
        passes.cycle(
            top,
            self.levels.table,
            self.alongs,
            self.planes,
            self.rings,
            self.levels.parent,
            self.levels.weight,
            self.space.diagonals,
            self.space.inverses,
            self.space.rights,
            self.space.ones,
            self.space.others,
        )
        for level in range(top - 1, -1, -1):
            *tables, size = self.coefficients(level)
            one, other = self.of(self.space.ones, level), self.of(self.space.others, level)
            known = [self.of(a, level) for a in (self.space.rights, self.space.diagonals, self.space.inverses)]
            between = (self.levels.parent[level], self.levels.weight[level], size, self.size(level + 1))
            count, coarser = passes.blocks(size), self.of(self.space.others, level + 1)
            crew(passes.prolong, count, other, one, coarser, known[2], *between)
            crew(passes.relax, count, one, other, *known, *tables, size, 1)
            crew(passes.relax, count, other, one, *known, *tables, size, 0)
