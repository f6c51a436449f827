"""Slow, clear twins of the kernels in `paget.kernels.rules`, written from the formula of the grammar."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float64]


def respond_one(base: float, rules: Sequence[tuple[float, bool, float, float, float]]) -> float:
    """Value of a behaviour: (1 - D) ((1 - U) base + U high) + D low.

    rules : (signal, raises, saturation, half-maximal signal, Hill power) of each
    """

    def side(raising: bool) -> tuple[float, float]:
        weighted = [((max(s, 0.0) / half) ** hill, to) for s, raises, to, half, hill in rules if raises is raising]
        total = sum(w for w, _ in weighted)
        mean = sum(w * to for w, to in weighted) / total if total > 0.0 else 0.0
        return total / (1.0 + total), mean

    (up, high), (down, low) = side(True), side(False)
    return (1.0 - down) * ((1.0 - up) * base + up * high) + down * low


def count_neighbours(neighbours: Sequence[Sequence[int]], kind: NDArray[np.uint8]) -> Real:
    """How many neighbours of every cell are of each kind [n_kinds, n]; `neighbours` lists the rows beside each cell."""
    return np.array([[float(sum(row[j] for j in beside)) for beside in neighbours] for row in kind])
