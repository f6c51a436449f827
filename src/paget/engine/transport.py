"""Transport: fields over one tick, without time-step limits, positive, and to a stated residual.

A diffusing field with uniform loss is advanced exactly: the cosine transform diagonalises the diffusion operator of a closed
box (no flux through its walls), every mode relaxes by its own exponential, and a tick much longer than the relaxation time
gives the quasi-steady state. Where loss varies in space, backward Euler is solved by conjugate gradients, preconditioned with
the same transform at the mean loss. Immobile fields are advanced voxel by voxel with the exact exponential; what a transfer
moves arrives at the end of the tick.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from paget.errors import NumericalError
from paget.state.fields import Grid

__all__ = ["Diffusing", "advance_diffusing", "advance_immobile", "decay_and_gain", "laplacian_modes"]

Real = NDArray[np.float64]

RESIDUAL = 1e-10


@functools.lru_cache(maxsize=32)
def laplacian_modes(grid: Grid) -> Real:
    """Eigenvalues [nz, ny, nx] of minus the discrete Laplacian of a closed box, in 1/um2."""
    total = np.zeros(grid.shape)
    for axis, n in enumerate(grid.shape):
        modes = (2.0 / grid.voxel * np.sin(np.pi * np.arange(n) / (2 * n))) ** 2
        total += modes.reshape([-1 if a == axis else 1 for a in range(3)])
    return total


def _axes(grid: Grid) -> tuple[int, ...]:
    return tuple(a for a, n in enumerate(grid.shape) if n > 1)


def decay_and_gain(rate: Any, dt: float) -> tuple[Any, Any]:
    """exp(-rate dt), and the time over which a constant source counts, (1 - exp(-rate dt)) / rate.

    >>> decay_and_gain(0.0, 2.0)
    (1.0, 2.0)
    """
    if np.ndim(rate) == 0:
        product = float(rate) * dt
        return math.exp(-product), (-math.expm1(-product) / product if product > 1e-12 else 1.0) * dt
    x = np.asarray(rate) * dt
    share = np.ones_like(x)
    np.divide(-np.expm1(-x), x, out=share, where=x > 1e-12)
    return np.exp(-x), share * dt


@dataclass(frozen=True)
class Diffusing:
    """One diffusing field: values and sources (per h) [nz, ny, nx], diffusion in um2/h, first-order loss in 1/h."""

    name: str
    values: Real
    diffusion: float
    source: Real
    loss: Real | float

    @property
    def uniform(self) -> float | None:
        """The loss if it is the same everywhere, else None."""
        if np.ndim(self.loss) == 0:
            return float(self.loss)
        loss = np.asarray(self.loss)
        return float(loss.flat[0]) if float(np.ptp(loss)) == 0.0 else None


def advance_diffusing(fields: Sequence[Diffusing], grid: Grid, dt: float) -> list[Real]:
    """Concentrations [nz, ny, nx] of every field after `dt` hours; fields with uniform loss share their transforms.

    Raises
    ------
    NumericalError
        Naming the field, if its diffusion is negative or its residual is not reached.
    """
    for field in fields:
        if field.diffusion < 0.0:
            raise NumericalError(f"{field.name}: the diffusion coefficient is negative ({field.diffusion:g} um2/h)")
    exact = [f for f in fields if f.uniform is not None]
    after: dict[str, Real] = {f.name: _implicit(f, grid, dt) for f in fields if f.uniform is None}
    if exact:
        axes = tuple(a + 1 for a in _axes(grid))
        spectra = fft.dctn(np.stack([f.values for f in exact] + [f.source for f in exact]), axes=axes, norm="ortho")
        factors = [_mode_factors(grid, f.diffusion, float(f.uniform or 0.0), dt) for f in exact]
        kept, gained = (np.stack([pair[i] for pair in factors]) for i in (0, 1))
        found = fft.idctn(kept * spectra[: len(exact)] + gained * spectra[len(exact) :], axes=axes, norm="ortho")
        # The exact operator is positive; what is below zero is the rounding of the transform.
        np.maximum(found, 0.0, out=found)
        after.update(zip((f.name for f in exact), found, strict=True))
    return [after[f.name] for f in fields]


@functools.lru_cache(maxsize=64)
def _mode_factors(grid: Grid, diffusion: float, loss: float, dt: float) -> tuple[Real, Real]:
    kept, gained = decay_and_gain(diffusion * laplacian_modes(grid) + loss, dt)
    return kept, gained


def _implicit(field: Diffusing, grid: Grid, dt: float) -> Real:
    axes, loss = _axes(grid), np.asarray(field.loss)
    modes = field.diffusion * laplacian_modes(grid)
    inverse = 1.0 / (1.0 / dt + float(loss.mean()) + modes)

    def transform(vector: Real, factor: Real) -> Real:
        back: Real = fft.idctn(factor * fft.dctn(vector, axes=axes, norm="ortho"), axes=axes, norm="ortho")
        return back

    def operator(vector: Real) -> Real:
        return (1.0 / dt + loss) * vector + transform(vector, modes)

    right = field.values / dt + field.source
    x = field.values.copy()
    residual = right - operator(x)
    scale = float(np.sqrt((right * right).sum())) or 1.0
    direction = transform(residual, inverse)
    product = float((residual * direction).sum())
    for _ in range(500):
        if float(np.sqrt((residual * residual).sum())) <= RESIDUAL * scale:
            return np.maximum(x, 0.0, out=x)
        along = operator(direction)
        step = product / float((direction * along).sum())
        x += step * direction
        residual -= step * along
        better = transform(residual, inverse)
        following = float((residual * better).sum())
        direction = better + (following / product) * direction
        product = following
    raise NumericalError(f"{field.name}: the field did not reach a relative residual of {RESIDUAL:g} in 500 iterations")


def advance_immobile(
    fields: dict[str, Real],
    source: dict[str, Real],
    loss: dict[str, Any],
    transfers: Sequence[tuple[str, str, Any]],
    dt: float,
) -> dict[str, Real]:
    """Immobile material after `dt` hours: production, first-order loss, and conversion of one into another.

    What a transfer takes from one field it gives to the other in the same tick, to rounding.
    """
    total: dict[str, Any] = {name: loss.get(name, 0.0) for name in fields}
    for origin, _, coefficient in transfers:
        total[origin] = total[origin] + coefficient
    after: dict[str, Real] = {}
    lost: dict[str, Real] = {}
    for name, values in fields.items():
        gain = source.get(name, 0.0)
        kept, gained = decay_and_gain(total[name], dt)
        after[name] = values * kept + gain * gained
        lost[name] = values + gain * dt - after[name]
    for origin, target, coefficient in transfers:
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(np.asarray(total[origin]) > 0.0, np.asarray(coefficient) / total[origin], 0.0)
        after[target] = after[target] + share * lost[origin]
    return after
