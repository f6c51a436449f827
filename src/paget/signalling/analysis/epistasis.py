"""Epistasis: how two perturbations together differ from what they would do independently."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["bliss", "independent"]

Real = NDArray[np.float64]
Truth = NDArray[np.bool_]


def independent(control: float, first: float, second: float) -> float:
    r"""Share of cells expected with a readout under two perturbations that act independently.

    Of the cells with the readout a lowering perturbation leaves the share p/p0; of those without it a raising one leaves
    (1 - p)/(1 - p0). Independent shares multiply:

    .. math:: 1 - (1 - p_0) \frac{1 - p_1}{1 - p_0} \frac{1 - p_2}{1 - p_0} \text{ if neither lowers},\quad
              p_0 \frac{p_1}{p_0} \frac{p_2}{p_0} \text{ otherwise}

    *Assumes* that where they oppose each other, the lowering one acts on what the raising one brought about.

    Source: Bliss CI (1939) Ann Appl Biol 26:585-615, doi:10.1111/j.1744-7348.1939.tb06990.x.

    >>> round(independent(0.8, 0.4, 0.4), 3), round(independent(0.0, 0.5, 0.5), 3), round(independent(0.4, 0.8, 0.1), 3)
    (0.2, 0.75, 0.2)
    """
    if min(first, second) < control:
        return first * second / control
    return 1.0 - (1.0 - first) * (1.0 - second) / (1.0 - control) if control < 1.0 else 1.0


def bliss(control: Truth, first: Truth, second: Truth, both: Truth) -> tuple[float, float, float, float]:
    """Share expected of a double, the deviation from it, its standard error and its p, from the same cells [n] in four arms.

    The error is that of a function of four correlated shares to first order; p is that of the normal distribution.
    """
    arms = np.stack([control, first, second, both]).astype(np.float64)
    n, shares = control.size, arms.mean(axis=1)
    expected = independent(*(float(p) for p in shares[:3]))
    deviation = float(shares[3]) - expected
    slope = np.array([*(-one for one in _slopes(shares[:3])), 1.0])
    error = math.sqrt(max(float(slope @ np.cov(arms) @ slope), 0.0) / n)
    if error == 0.0:
        return expected, deviation, 0.0, 1.0 if deviation == 0.0 else 0.0
    return expected, deviation, error, math.erfc(abs(deviation) / error / math.sqrt(2.0))


def _slopes(shares: Real) -> list[float]:
    """Derivatives of what is expected by the three shares."""
    control, first, second = (float(p) for p in shares)
    if min(first, second) < control:
        return [-first * second / control**2, second / control, first / control]
    rest = 1.0 - control
    if rest == 0.0:
        return [0.0, 0.0, 0.0]
    return [-(1.0 - first) * (1.0 - second) / rest**2, (1.0 - second) / rest, (1.0 - first) / rest]
