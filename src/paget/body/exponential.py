"""The exponential of generators of compartments, by sums and products of non-negative numbers alone."""

from __future__ import annotations

import functools
import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["exponential", "propagator"]

Real = NDArray[np.float64]

STEP = 0.5  # norm of one step of the series
TERMS = 16  # 0.5^16 / 16! is below 1e-18, less than rounding


def exponential(matrix: Real) -> Real:
    """exp(A) of a square matrix whose entries beside the diagonal are not negative.

    With lambda the largest loss, exp(A) = exp(-lambda) exp(A + lambda), where A + lambda has no negative entry: a Taylor series
    of a 2^k-th of it, squared k times (uniformisation with scaling and squaring). Nothing is subtracted, so every entry is
    non-negative and has a relative error of about 2^k rounding errors, however small it is.

    >>> exponential(np.array([[-1.0, 0.0], [1.0, 0.0]])).sum(axis=0)
    array([1., 1.])
    """
    size = matrix.shape[0]
    fastest = max(0.0, -float(matrix.diagonal().min()))
    raised = matrix + fastest * np.eye(size)
    norm = max(fastest, float(raised.sum(axis=0).max()))
    if norm == 0.0:
        return np.eye(size)
    halvings = max(0, math.ceil(math.log2(norm / STEP)))
    raised /= 2.0**halvings
    term, total = raised, np.eye(size) + raised
    for j in range(2, TERMS):
        term = term @ raised / j
        total += term
    total *= math.exp(-fastest / 2.0**halvings)
    for _ in range(halvings):
        total = total @ total
    return total


@functools.lru_cache(maxsize=1024)
def propagator(generator: bytes, size: int, dt: float) -> tuple[Real, Real]:
    """exp(G dt) and its integral from 0 to dt, of a generator [size, size] given as its bytes."""
    block = np.zeros((2 * size, 2 * size))
    block[:size, :size] = np.frombuffer(generator).reshape(size, size)
    block[:size, size:] = np.eye(size)
    found = exponential(block * dt)
    return found[:size, :size], found[:size, size:]
