"""In which order the linear equations of a sparse system are solved, so that few entries arise on the way."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paget.kernels.kinetics_lanes import Elimination

__all__ = ["eliminated"]


def eliminated(n: int, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Elimination:
    """The elimination of a matrix with entries at `rows`, `columns` and on the diagonal, which serves for pivots.

    The next unknown is the one whose row and column have the fewest entries (Markowitz 1957, doi:10.1287/mnsc.3.3.255).
    """
    pattern = {(i, i) for i in range(n)} | set(zip(rows.tolist(), columns.tolist(), strict=True))
    slot = {entry: number for number, entry in enumerate(sorted(pattern))}
    left = set(range(n))
    eliminate: list[tuple[int, int, int]] = []
    forward: list[tuple[int, int, int]] = []
    above: list[list[tuple[int, int, int]]] = []
    while left:

        def cost(k: int) -> tuple[int, int]:
            below = sum((i, k) in slot for i in left) - 1
            beside = sum((k, j) in slot for j in left) - 1
            return below * beside, k

        k = min(left, key=cost)
        left.remove(k)
        beside = [j for j in sorted(left) if (k, j) in slot]
        for i in sorted(left):
            if (i, k) not in slot:
                continue
            eliminate.append((slot[i, k], slot[k, k], -1))
            forward.append((i, slot[i, k], k))
            for j in beside:
                target = slot.setdefault((i, j), len(slot))
                eliminate.append((target, slot[i, k], slot[k, j]))
        above.append([*((k, slot[k, j], j) for j in beside), (k, slot[k, k], -1)])
    backward = [one for part in reversed(above) for one in part]

    def triples(given: list[tuple[int, int, int]]) -> NDArray[np.int32]:
        return np.array(given, np.int32).reshape(-1, 3)

    return Elimination(
        np.array([len(slot)]),
        np.array([slot[i, i] for i in range(n)], np.int64),
        np.array([slot[i, j] for i, j in zip(rows.tolist(), columns.tolist(), strict=True)], np.int64),
        triples(eliminate),
        triples(forward),
        triples(backward),
    )
