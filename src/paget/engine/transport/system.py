"""The equation of one field in the voxels that are solved, and its solution for one implicit stage."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paget.engine.transport.box import Box, slowest
from paget.engine.transport.description import FACES, Diffusing, Fixed, Inflow, box_of, free_part
from paget.engine.transport.multigrid import MOST_CYCLES, Workspace, solve
from paget.errors import NumericalError
from paget.state.fields import Grid

__all__ = ["System", "assemble"]

Real = NDArray[np.float64]

MOST_NEWTON_STEPS = 60


@dataclass(frozen=True)
class Edge:
    """What lies behind one face of the box: voxels of `layer` gain `gain` per h from it and lose ``rate c`` to it."""

    layer: tuple[Any, ...]
    rate: float
    gain: float


@dataclass(frozen=True)
class System:
    """``dc/dt = D lap(c) + drive - (loss + drawn) c - saturable(c)`` in the free voxels of a box, [nz, ny, nx].

    drive : sources, and what edges and held voxels bring; supply : the sum of the sources alone
    drawn, brought : rate at which held voxels draw from their neighbours, and what they bring to them; None if none is held
    edges : what lies behind faces that are not closed; their rates are in the tables of the box
    free : mask of the voxels that are solved, or None for all
    """

    field: Diffusing
    box: Box
    part: tuple[slice, slice, slice]
    free: NDArray[np.bool_] | None
    drive: Real
    supply: float
    loss: Real
    drawn: Real | None
    brought: Real | None
    edges: tuple[Edge, ...]
    sinks: tuple[tuple[Real, float], ...]
    workspace: Workspace

    def within(self, values: Real) -> Real:
        """The part of a field that is solved, zero where it is held."""
        inside = np.ascontiguousarray(values[self.part])
        return inside if self.free is None else np.where(self.free, inside, 0.0)

    def taken(self, c: Real) -> Real:
        """What saturable sinks take, per h."""
        total = np.zeros(self.box.shape)
        for vmax, km in self.sinks:
            total += vmax * c / (km + c)
        return total

    def losing(self, c: Real) -> float:
        """What losses and sinks take, per h, summed over voxels."""
        total = product(self.loss, c)
        return total + float(self.taken(c).sum()) if self.sinks else total

    def entering(self, c: Real, time: float = 1.0) -> float:
        """What comes in through faces and from held voxels, per h, summed over voxels; negative if more leaves.

        With c integrated over a time, this is what comes in during that time.
        """
        total = 0.0
        for edge in self.edges:
            layer = c[edge.layer]
            total += edge.gain * layer.size * time - edge.rate * float(layer.sum())
        if self.drawn is not None and self.brought is not None:
            total += float(self.brought.sum()) * time - product(self.drawn, c)
        return total

    def rate(self, c: Real) -> float:
        """Rate of the slowest relaxation in 1/h: ``D m0 + k0 + 1 / (1 / (k - k0) + 1 / (D m1))``.

        m0 is the slowest mode of the box and m1 the slowest that is not uniform, k the mean and k0 the least loss (what held
        voxels draw and saturable sinks take at the present concentration counts as loss). A loss in few places is felt
        everywhere only as fast as diffusion brings material there, hence the harmonic sum.
        """
        loss = self.loss if self.drawn is None else self.loss + self.drawn
        for vmax, km in self.sinks:
            loss = loss + vmax / (km + c)
        if self.free is not None:
            loss = loss[self.free]
        lowest, following = slowest(self.box)
        least = float(loss.min())
        uneven, spreading = float(loss.mean()) - least, self.field.diffusion * following
        together = uneven * spreading / (uneven + spreading) if uneven > 0.0 and np.isfinite(spreading) else uneven
        return self.field.diffusion * lowest + least + together

    def stage(self, shift: float, right: Real, guess: Real, tolerance: float, threads: int) -> tuple[Real, float, int]:
        """Solve ``(shift + loss + drawn) c - D lap(c) + saturable(c) = right`` to a relative residual.

        Saturable sinks are solved by Newton's method. The equation is concave, so from below its steps rise to the solution and
        stay positive; where a step from the guess falls below zero, it starts again from nothing.

        Returns
        -------
        c, the relative residual, and the number of V-cycles
        """
        base = self.loss + shift if shift else self.loss
        if not self.sinks:
            return self.linear(base, right, guess, tolerance, threads)
        c, cycles, risen, curved, solved = guess, 0, False, math.inf, 0.0
        sizes = np.array([np.abs(right).sum(), np.sqrt((right * right).sum())])
        if sizes[0] == 0.0:
            return np.zeros_like(right), 0.0, 0
        for _ in range(MOST_NEWTON_STEPS):
            slope, ahead = np.zeros_like(right), right.copy()
            for vmax, km in self.sinks:
                slope += vmax * km / (km + c) ** 2
                ahead -= vmax * (c / (km + c)) ** 2
            x, reached, count = self.linear(base + slope, ahead, c, 0.1 * tolerance, threads)
            cycles += count
            if not risen and float(x.min()) < -tolerance * float(x.max()):
                c, risen = np.zeros_like(c), True
                continue
            x = np.maximum(x, 0.0)
            bent = self.taken(x) - (right - ahead) - slope * x
            scale = np.array([np.abs(ahead).sum(), np.sqrt((ahead * ahead).sum())])
            curved = float((np.array([np.abs(bent).sum(), np.sqrt((bent * bent).sum())]) / sizes).max())
            solved = float((reached * scale / sizes).max())
            c = x
            # A linear solve that ends above its tolerance has ended at its rounding, beyond which no step leads.
            if curved + solved <= tolerance or (curved <= tolerance and reached > 0.1 * tolerance):
                return c, curved + solved, cycles
        raise NumericalError(
            f"{self.field.name}: saturable uptake did not reach a relative residual of {tolerance:g} in "
            f"{MOST_NEWTON_STEPS} steps (it reached {curved + solved:.2g})"
        )

    def linear(self, loss: Real, right: Real, guess: Real, tolerance: float, threads: int) -> tuple[Real, float, int]:
        """Solve ``(loss + drawn) c - D lap(c) = right``, which may be negative; tolerance and result as of `stage`."""
        pull = None
        if self.free is not None and self.drawn is not None:
            pull = np.where(self.free, loss + self.drawn, -1.0)
        x, reached, cycles = solve(
            self.box, self.field.diffusion, loss, right, guess, tolerance, threads, pull, self.workspace
        )
        if not (reached <= tolerance or reached <= self._rounding(loss, right, x)):
            raise NumericalError(
                f"{self.field.name}: the field reached a relative residual of {reached:.2g} in {MOST_CYCLES} iterations, "
                f"not the {tolerance:g} that was asked for"
            )
        return x, reached, cycles

    def _rounding(self, loss: Real, right: Real, x: Real) -> float:
        """The relative residual that the rounding of x leaves."""
        largest = float(loss.max()) + 4.0 * self.field.diffusion * sum(1.0 / h**2 for h in self.box.spacing)
        return 1e-15 * largest * float(np.abs(x).max()) / float(np.abs(right).mean())


def product(one: Real, other: Real) -> float:
    """Sum of products, in a fixed order and without a field in between."""
    return float(np.einsum("zyx,zyx->", one, other))


def assemble(field: Diffusing, grid: Grid, workspace: Workspace | None = None) -> System:
    """The equation of a field, with what its faces and held voxels bring."""
    box, part = box_of(field, grid)
    free = free_part(field, part)
    drive = np.array(field.source[part], np.float64, order="C")
    loss = np.ascontiguousarray(np.broadcast_to(field.loss, grid.shape)[part], np.float64)
    sinks = tuple((np.ascontiguousarray(sink.vmax[part]), float(sink.km)) for sink in field.saturable)
    edges = _edges(field, box)
    drawn = brought = None
    if free is not None and field.held is not None:
        held = np.where(free, 0.0, np.broadcast_to(field.held.values, grid.shape)[part])
        drawn, brought = _from_held(field, box, free, held)
        drive, loss = np.where(free, drive, 0.0), np.where(free, loss, 0.0)
        sinks = tuple((np.where(free, vmax, 0.0), km) for vmax, km in sinks)
        # Held voxels in a layer by a face have nothing to do with it.
        edges = tuple(Edge((*np.nonzero(_layer_mask(edge, box) & free),), edge.rate, edge.gain) for edge in edges)
    supply = float(drive.sum())
    for edge in edges:
        drive[edge.layer] += edge.gain
    if brought is not None:
        drive += brought
    return System(field, box, part, free, drive, supply, loss, drawn, brought, edges, sinks, workspace or Workspace())


def _layer_mask(edge: Edge, box: Box) -> NDArray[np.bool_]:
    mask = np.zeros(box.shape, bool)
    mask[edge.layer] = True
    return mask


def _edges(field: Diffusing, box: Box) -> tuple[Edge, ...]:
    edges = []
    for key, face in field.faces.items():
        axis, lower = "zyx".index(key[0]), key[1] == "-"
        layer: list[slice | int] = [slice(None)] * 3
        layer[axis] = 0 if lower else -1
        h = box.spacing[axis]
        if isinstance(face, Inflow):
            edges.append(Edge(tuple(layer), 0.0, face.flux / h))
        else:
            rate = field.diffusion * (1.0 if face.at == "voxels" else 2.0) / h**2
            edges.append(Edge(tuple(layer), rate, rate * face.value))
    return tuple(edges)


def _from_held(field: Diffusing, box: Box, free: NDArray[np.bool_], held: Real) -> tuple[Real, Real]:
    """Rate at which held neighbours draw from each voxel, and what they bring to it, per h."""
    rate, brought, taken = np.zeros(box.shape), np.zeros(box.shape), (~free).astype(float)
    for axis, (n, h, ends) in enumerate(zip(box.shape, box.spacing, box.ends, strict=True)):
        if n == 1:
            continue
        for shift in (1, -1):
            coupling = np.full(n, field.diffusion / h**2)
            if ends[0] != "ring":
                coupling[0 if shift == 1 else -1] = 0.0
            coupling = coupling.reshape([-1 if a == axis else 1 for a in range(3)])
            rate += coupling * np.roll(taken, shift, axis)
            brought += coupling * np.roll(held, shift, axis)
    return np.where(free, rate, 0.0), np.where(free, brought, 0.0)


def with_edges(system: System, inside: Real) -> Real:
    """A whole field [nz, ny, nx] from what was solved: held voxels and layers have their concentrations."""
    field = system.field
    after = np.empty(field.values.shape)
    after[system.part] = inside
    if field.held is not None:
        after = np.where(field.held.mask, field.held.values, after)
    for key in FACES:
        face = field.faces.get(key)
        if isinstance(face, Fixed) and face.at == "voxels":
            layer: list[slice | int] = [slice(None)] * 3
            layer["zyx".index(key[0])] = 0 if key[1] == "-" else -1
            after[tuple(layer)] = face.value
    return after
