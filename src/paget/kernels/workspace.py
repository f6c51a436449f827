"""Memory that is used again: asking the system for hundreds of megabytes in every tick costs as much as computing with them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

__all__ = ["Workspace"]

SPARE = 1.25  # room beyond what was asked for, so that a growing tissue seldom asks again


class Workspace:
    """Arrays by name, for one caller at a time; their content is whatever was left in them."""

    def __init__(self) -> None:
        self._kept: dict[str, NDArray[Any]] = {}

    def array(self, name: str, shape: int | tuple[int, ...], dtype: DTypeLike = np.float64) -> NDArray[Any]:
        """An array of this shape in the memory kept under `name`, which whoever had it before must not use any more."""
        shape = (shape,) if isinstance(shape, int) else shape
        size = math.prod(shape)
        kept = self._kept.get(name)
        if kept is None or kept.size < size or kept.dtype != np.dtype(dtype):
            kept = self._kept[name] = np.empty(int(SPARE * size) + 1, dtype)
        return kept[:size].reshape(shape)

    def zeros(self, name: str, shape: int | tuple[int, ...], dtype: DTypeLike = np.float64) -> NDArray[Any]:
        """The same, filled with zeros."""
        found = self.array(name, shape, dtype)
        found.fill(0)
        return found
