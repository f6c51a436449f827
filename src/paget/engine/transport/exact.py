"""Fields whose loss is the same everywhere: every mode of the box relaxes by its own exponential, whatever the tick."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from paget.engine.transport.box import Box, modes
from paget.engine.transport.immobile import decay_and_gain

__all__ = ["advance_modes", "integrate_modes"]

Real = NDArray[np.float64]

# The transform whose functions have the ends of an axis: even at a closed end, odd at a wall.
TRANSFORMS = {
    ("closed", "closed"): ("cosine", 2),
    ("wall", "wall"): ("sine", 2),
    ("closed", "wall"): ("cosine", 4),
    ("wall", "closed"): ("sine", 4),
}


def advance_modes(
    box: Box,
    values: Sequence[Real],
    sources: Sequence[Real],
    diffusion: Sequence[float],
    loss: Sequence[float],
    dt: float,
    threads: int = 1,
) -> Real:
    """Concentrations [n_fields, nz, ny, nx] after `dt` hours; the fields share their transforms."""
    n = len(values)
    spectra = _forward(box, np.stack([*values, *sources]), threads)
    factors = [_mode_factors(box, d, k, dt) for d, k in zip(diffusion, loss, strict=True)]
    kept, gained = (np.stack([pair[i] for pair in factors]) for i in (0, 1))
    found = _backward(box, kept * spectra[:n] + gained * spectra[n:], threads)
    # The exact operator is positive; what is below zero is the rounding of the transform.
    np.maximum(found, 0.0, out=found)
    return found


def integrate_modes(
    box: Box, values: Real, source: Real, diffusion: float, loss: float, dt: float, threads: int
) -> Real:
    """The integral of the concentration over `dt` hours, [nz, ny, nx]."""
    spectra = _forward(box, np.stack([values, source]), threads)
    rate = diffusion * modes(box) + loss
    _, gained = decay_and_gain(rate, dt)
    x = rate * dt
    # (dt - gained) / rate, by its series where the two nearly cancel
    late = dt**2 * (0.5 - x / 6.0 + x**2 / 24.0 - x**3 / 120.0)
    np.divide(dt - gained, rate, out=late, where=x > 1e-3)
    total: Real = _backward(box, (gained * spectra[0] + late * spectra[1])[None], threads)[0]
    return total


@functools.lru_cache(maxsize=64)
def _mode_factors(box: Box, diffusion: float, loss: float, dt: float) -> tuple[Real, Real]:
    kept, gained = decay_and_gain(diffusion * modes(box) + loss, dt)
    return kept, gained


def _steps(box: Box) -> list[tuple[str, int, tuple[int, ...]]]:
    """Transforms to take one after the other, with their axes in arrays [n_fields, nz, ny, nx]; an axis of one is skipped."""
    groups: dict[tuple[str, int], list[int]] = {}
    rings = []
    for axis, (n, ends) in enumerate(zip(box.shape, box.ends, strict=True)):
        if ends[0] == "ring":
            if n > 1:
                rings.append(axis + 1)
        elif n > 1 or ends != ("closed", "closed"):
            groups.setdefault(TRANSFORMS[ends], []).append(axis + 1)
    steps = [(kind, number, tuple(axes)) for (kind, number), axes in groups.items()]
    return [*steps, ("ring", 0, tuple(rings))] if rings else steps


def _forward(box: Box, fields: Any, threads: int) -> Any:
    for kind, number, axes in _steps(box):
        transform: Any = {"cosine": fft.dctn, "sine": fft.dstn, "ring": fft.fftn}[kind]
        which = {} if kind == "ring" else {"type": number}
        fields = transform(fields, axes=axes, norm="ortho", workers=threads, **which)
    return fields


def _backward(box: Box, spectra: Any, threads: int) -> Real:
    for kind, number, axes in reversed(_steps(box)):
        transform: Any = {"cosine": fft.idctn, "sine": fft.idstn, "ring": fft.ifftn}[kind]
        which = {} if kind == "ring" else {"type": number}
        spectra = transform(spectra, axes=axes, norm="ortho", workers=threads, **which).real
    found: Real = spectra
    return found
