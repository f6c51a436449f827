"""One tick of diffusing fields: the method that suits the tick, and what came, went and crossed the walls."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paget.engine.transport.box import Box, modes
from paget.engine.transport.description import Diffusing, box_of, check
from paget.engine.transport.exact import advance_modes, integrate_modes
from paget.engine.transport.multigrid import Workspace
from paget.engine.transport.system import System, assemble, product, with_edges
from paget.errors import NumericalError
from paget.state.fields import Grid

__all__ = [
    "METHODS",
    "RESIDUAL",
    "Advanced",
    "advance",
    "advance_diffusing",
    "laplacian_modes",
    "relaxation_time",
]

Real = NDArray[np.float64]

RESIDUAL = 1e-10
METHODS = ("auto", "exact", "steady", "implicit", "transient")
# After this many relaxation times less than 0.04 % of a difference is left: the state before is forgotten.
FORGOTTEN = 8.0
STEPS_PER_RELAXATION = 2.0
ROUNDING = 1e-14  # relative difference that is none
GAMMA = 1.0 - math.sqrt(0.5)  # makes two implicit stages second-order and L-stable


def laplacian_modes(grid: Grid) -> Real:
    """Eigenvalues [nz, ny, nx] of minus the discrete Laplacian of a box without held faces, in 1/um2."""
    nothing = np.zeros(grid.shape)
    return modes(box_of(Diffusing("", nothing, 0.0, nothing, 0.0), grid)[0])


@dataclass(frozen=True)
class Advanced:
    """A field after a tick, and how it got there.

    values : [nz, ny, nx]
    method : ``exact``, ``steady``, ``implicit`` or ``transient``
    residual : relative residual of the equations solved, at worst; 0 where nothing was iterated
    iterations : V-cycles in all
    supplied, lost, entered : what sources gave, what losses and sinks took, and what came in through faces and from held
        voxels (negative if it left), in the unit of the field times pL; after - before = supplied - lost + entered.
        `lost` is the sum over voxels of what the method's stages say, and so balances to the residual in a box without
        faces; where there are faces or held voxels, `entered` is what closes the balance. Of a steady state only the total is
        known: without faces or shares, `lost` closes it. Where the field has shares, `lost` also counts what was taken on the
        way to the steady state.
    shares : what each of the field's shares of the loss took, in the same unit
    """

    values: Real
    method: str
    residual: float
    iterations: int
    supplied: float
    lost: float
    entered: float
    shares: tuple[float, ...] = ()


def relaxation_time(field: Diffusing, grid: Grid) -> float:
    """Time in h in which the field forgets its state, one over the rate that `System.rate` states; inf if it never does."""
    system = assemble(field, grid)
    rate = system.rate(system.within(field.values))
    return 1.0 / rate if rate > 0.0 else math.inf


def advance(
    field: Diffusing,
    grid: Grid,
    dt: float,
    *,
    method: str = "auto",
    tolerance: float = RESIDUAL,
    threads: int = 1,
    workspace: Workspace | None = None,
) -> Advanced:
    """One field after `dt` hours, never negative.

    Parameters
    ----------
    method : ``exact`` (one loss everywhere: every mode by its exponential, no error in time); ``steady`` (the state that the
        field settles in); ``implicit`` (one step of backward Euler: quasi-steady, first order, L-stable, positive);
        ``transient`` (two-stage steps, second order, L-stable, two to a relaxation time and 16 at most; a step that would
        fall below zero is taken by backward Euler); or ``auto``: exact where it can be, else steady if the tick is more than
        eight times the relaxation time, else transient
    tolerance : relative residual of every solve
    workspace : memory to use again from tick to tick

    Raises
    ------
    NumericalError
        Naming the field, if what describes it has no meaning or the residual is not reached.
    """
    check(field, grid)
    if method not in METHODS:
        raise NumericalError(f"{field.name}: there is no method '{method}'; methods are {', '.join(METHODS)}")
    if method == "exact" or (method == "auto" and field.linear):
        if not field.linear:
            raise NumericalError(
                f"{field.name}: loss differs between voxels or voxels are held; 'exact' cannot be used"
            )
        return _exact(field, grid, dt, threads)
    system = assemble(field, grid, workspace)
    before = system.within(field.values)
    rate = system.rate(before) if method in ("auto", "steady", "transient") else 0.0
    if method == "auto":
        method = "steady" if dt * rate > FORGOTTEN else "transient"
    if method == "steady":
        if rate == 0.0:
            raise NumericalError(f"{field.name}: nothing takes from the field, so it has no steady state")
        return _steady(system, grid, before, dt, tolerance, threads)
    if method == "implicit":
        steps, order = 1, 1
    else:
        steps, order = max(1, math.ceil(STEPS_PER_RELAXATION * dt * min(rate, FORGOTTEN / dt))), 2
    return _steps(system, grid, before, dt, steps, order, tolerance, threads)


def advance_diffusing(
    fields: Sequence[Diffusing], grid: Grid, dt: float, threads: int = 1, workspace: Workspace | None = None
) -> list[Real]:
    """Concentrations [nz, ny, nx] of every field after `dt` hours.

    Fields with one loss everywhere are exact and share their transforms; the others take a step of backward Euler.

    Raises
    ------
    NumericalError
        Naming the field, if what describes it has no meaning or its residual is not reached.
    """
    groups: dict[Box, list[Diffusing]] = {}
    after: dict[str, Real] = {}
    for field in fields:
        check(field, grid)
        if field.linear and not field.faces:
            groups.setdefault(box_of(field, grid)[0], []).append(field)
        else:
            method = "exact" if field.linear else "implicit"
            after[field.name] = advance(field, grid, dt, method=method, threads=threads, workspace=workspace).values
    for box, members in groups.items():
        found = advance_modes(
            box,
            [f.values for f in members],
            [f.source for f in members],
            [f.diffusion for f in members],
            [float(f.uniform or 0.0) for f in members],
            dt,
            threads,
        )
        after.update(zip((f.name for f in members), found, strict=True))
    return [after[f.name] for f in fields]


def _exact(field: Diffusing, grid: Grid, dt: float, threads: int) -> Advanced:
    system, loss, volume = assemble(field, grid), float(field.uniform or 0.0), grid.voxel_volume
    found = advance_modes(system.box, [field.values], [system.drive], [field.diffusion], [loss], dt, threads)[0]
    if field.faces:
        passed = integrate_modes(system.box, field.values, system.drive, field.diffusion, loss, dt, threads)
        lost, entered = loss * float(passed.sum()), system.entering(passed, dt)
    else:
        # Without faces the total decays like a single voxel.
        settled = 0.0 if loss == 0.0 else system.supply / loss
        lost = -math.expm1(-loss * dt) * (float(field.values.sum()) - settled) + settled * loss * dt
        entered = 0.0
    return Advanced(found, "exact", 0.0, 0, system.supply * dt * volume, lost * volume, entered * volume)


def _steady(system: System, grid: Grid, before: Real, dt: float, tolerance: float, threads: int) -> Advanced:
    c, reached, cycles = system.stage(0.0, system.drive, before, tolerance, threads)
    c = _positive(system, c).copy()
    after = with_edges(system, c)
    change = float(after.sum()) - float(system.field.values.sum())
    supplied, volume = system.supply * dt, grid.voxel_volume
    shares = tuple(product(share[system.part], c) * dt for share in system.field.shares)
    closed = system.drawn is None and not system.field.faces
    if shares:
        slope, passed, count = _on_the_way(system, before, c, tolerance, threads)
        cycles += count
        shares = tuple(s + product(f[system.part], passed) for s, f in zip(shares, system.field.shares, strict=True))
        lost = system.losing(c) * dt + product(slope, passed)
        entered = 0.0 if closed else change - supplied + lost
    elif closed:
        # Nothing crosses the edges, so what is not there any more was lost.
        lost, entered = supplied - change, 0.0
    else:
        # What the field holds more or less than before came or went through the edges, on the way to the steady state.
        lost = system.losing(c) * dt
        entered = change - supplied + lost
    taken = tuple(share * volume for share in shares)
    return Advanced(after, "steady", reached, cycles, supplied * volume, lost * volume, entered * volume, taken)


def _on_the_way(system: System, before: Real, c: Real, tolerance: float, threads: int) -> tuple[Real, Real, int]:
    """What a field exceeds its steady state c by, integrated over its relaxation from `before` [box], in its unit times h.

    With A the operator of loss and diffusion this is A^-1 (before - c); sinks that saturate count by their slope at c. Returns
    the losses per concentration that took from it, the integral, and the number of V-cycles.
    """
    slope, gap = system.loss, before - c
    for vmax, km in system.sinks:
        slope = slope + vmax * km / (km + c) ** 2
    if float(np.abs(gap).max()) <= ROUNDING * float(np.abs(c).max()):
        return slope, np.zeros_like(gap), 0
    passed, _, cycles = system.linear(slope, gap, np.zeros_like(gap), tolerance, threads)
    return slope, passed, cycles


def _steps(
    system: System, grid: Grid, before: Real, dt: float, steps: int, order: int, tolerance: float, threads: int
) -> Advanced:
    h, c, worst, cycles = dt / steps, before, 0.0, 0
    lost = entered = 0.0
    shares = [0.0] * len(system.field.shares)
    for _ in range(steps):
        stages: list[tuple[float, Real]] = []
        if order == 2:
            shift = 1.0 / (GAMMA * h)
            one, reached, count = system.stage(shift, system.drive + shift * c, c, tolerance, threads)
            cycles, worst, one = cycles + count, max(worst, reached), one.copy()
            ahead = system.drive + shift * (c + (1.0 - GAMMA) / GAMMA * (one - c))
            # Sinks that saturate are solved from below, which needs something to rise to.
            if not system.sinks or float(ahead.min()) >= 0.0:
                two, reached, count = system.stage(shift, ahead, one, tolerance, threads)
                cycles, worst = cycles + count, max(worst, reached)
                if float(two.min()) >= -tolerance * float(two.max()):
                    stages = [(1.0 - GAMMA, one), (GAMMA, two)]
        if not stages:
            new, reached, count = system.stage(1.0 / h, system.drive + c / h, c, tolerance, threads)
            cycles, worst, stages = cycles + count, max(worst, reached), [(1.0, new)]
        for share, at in stages:
            lost += share * h * system.losing(at)
            for index, part in enumerate(system.field.shares):
                shares[index] += share * h * product(part[system.part], at)
        # The solver will use the memory of its last answer again.
        c = _positive(system, stages[-1][1]).copy()
    after = with_edges(system, c)
    supplied, change = system.supply * dt, float(after.sum()) - float(system.field.values.sum())
    if system.field.faces or system.drawn is not None:
        # Through walls far more goes to and fro than stays, so the net is known best from all the rest.
        entered = change - supplied + lost
    name, volume = "implicit" if order == 1 else "transient", grid.voxel_volume
    taken = tuple(share * volume for share in shares)
    return Advanced(after, name, worst, cycles, supplied * volume, lost * volume, entered * volume, taken)


def _positive(system: System, c: Real) -> Real:
    """Set to zero what the residual allows below it; more than that is a drain that takes what is not there."""
    least = float(c.min())
    if least < 0.0:
        drained = bool((system.drive < 0.0).any())
        if drained and least < -1e-6 * max(float(c.max()), -least):
            at = tuple(int(i) for i in np.unravel_index(int(c.argmin()), c.shape))
            raise NumericalError(
                f"{system.field.name}: a negative source or flux takes more than there is (to {least:g} in voxel (z, y, x) = "
                f"{at}); give it as a loss"
            )
        np.maximum(c, 0.0, out=c)
    return c
