"""How rules on one behaviour combine.

With w = (signal / half-max)^hill of each rule,

    U = sum(w up) / (1 + sum(w up)),   D likewise for the lowering rules,
    behaviour = (1 - D) * ((1 - U) * base + U * high) + D * low,

where `high` and `low` are the saturations of the rules, weighted by w where they differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["hill", "respond"]


def hill(signal: Any, half: float, power: float = 1.0, top: float = 1.0) -> Any:
    """Saturating response: top * signal^power / (half^power + signal^power), of a number or an array.

    >>> hill(50.0, half=50.0, power=2.0)
    0.5
    """
    raised = signal**power
    return top * raised / (half**power + raised)


def respond(
    base: float,
    signals: Sequence[NDArray[np.float64] | float],
    increases: Sequence[bool],
    numbers: Sequence[tuple[float, float, float]],
    n: int,
) -> NDArray[np.float64]:
    """Rate [n] of a behaviour under its rules; `numbers` are (saturation, half-max, hill) of each.

    >>> respond(0.0, [np.array([0.0, 50.0])], [True], [(1.0, 50.0, 2.0)], 2)
    array([0. , 0.5])
    """
    up, high, down, low = (np.zeros(n) for _ in range(4))
    for signal, raises, (saturation, half, hill) in zip(signals, increases, numbers, strict=True):
        weight = (np.maximum(signal, 0.0) / half) ** hill
        if raises:
            up += weight
            high += weight * saturation
        else:
            down += weight
            low += weight * saturation
    # high / (1 + sum w) is U times the weighted saturation, so nothing is divided by a weight that may be zero.
    raised = (base + high) / (1.0 + up)
    return np.asarray((raised + low) / (1.0 + down))
