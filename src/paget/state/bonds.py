"""Bonds: which cells hold on to each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Bonds"]

Ids = NDArray[np.uint64]


def _none() -> Ids:
    return np.empty(0, np.uint64)


@dataclass(frozen=True)
class Bonds:
    """Attachments between pairs of cells, as ids [n_bonds]: `first` < `second`, in ascending order, each pair once."""

    first: Ids = field(default_factory=_none)
    second: Ids = field(default_factory=_none)

    def __len__(self) -> int:
        return int(self.first.size)

    @staticmethod
    def between(a: Ids, b: Ids) -> Bonds:
        """Bonds between the cells `a` and `b` [n], in whatever order and however often they are named."""
        low, high = np.minimum(a, b), np.maximum(a, b)
        order = np.lexsort((high, low))
        low, high = low[order], high[order]
        new = np.ones(low.size, bool)
        new[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
        new &= low != high
        return Bonds(low[new], high[new])

    def joined(self, others: Bonds) -> Bonds:
        """These bonds and others."""
        return Bonds.between(np.concatenate([self.first, others.first]), np.concatenate([self.second, others.second]))

    def only(self, keep: NDArray[np.bool_]) -> Bonds:
        """The bonds that are kept, by a flag for each."""
        return Bonds(self.first[keep], self.second[keep])

    def without(self, ids: Ids) -> Bonds:
        """The bonds that none of these cells is part of."""
        if not len(self) or not ids.size:
            return self
        return self.only(~(np.isin(self.first, ids) | np.isin(self.second, ids)))

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """The exact state, for a checkpoint."""
        return {"first": self.first, "second": self.second}

    @staticmethod
    def restored(state: Mapping[str, NDArray[Any]]) -> Bonds:
        """The bonds of a checkpoint."""
        return Bonds(np.asarray(state["first"], np.uint64), np.asarray(state["second"], np.uint64))
