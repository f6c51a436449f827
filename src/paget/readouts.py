"""What is read out of a tissue: numbers per animal and day, and how each becomes one outcome per animal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from paget.access import World

__all__ = ["Colonies", "Readout", "colonies", "count_of"]


@dataclass(frozen=True)
class Readout:
    """A number measured on the tissue.

    kind : decides the statistical test. summary : how the series of an animal becomes its outcome (its last value, peak, mean
    over time, or for kind "time" the time of the event, censored at the end).
    first_of : for kind "time", the readout whose first value of 1 or more is the event.
    claim : for directions that the model must show, what is claimed.
    competing : for kind "time", the readouts of kind "time" after which the event cannot happen any more, such as a death
        before a relapse.
    """

    name: str
    title: str
    unit: str
    kind: Literal["count", "continuous", "fraction", "time"]
    summary: Literal["final", "peak", "mean", "first"]
    meaning: str
    measure: Callable[[World], float] | None = None
    first_of: str = ""
    headline: bool = False
    claim: str = ""
    competing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Colonies:
    """Tumour cells grouped by contact: rows of tumour cells [n], the colony of each [n], and the size of every colony."""

    rows: NDArray[np.int64]
    label: NDArray[np.int64]
    sizes: NDArray[np.int64]

    def members(self, at_least: int) -> NDArray[np.int64]:
        """Rows of the tumour cells in colonies of at least that many cells."""
        return self.rows[self.sizes[self.label] >= at_least] if self.rows.size else self.rows


def colonies(world: World, types: tuple[str, ...], reach: float) -> Colonies:
    """Group cells of `types` whose centres are within `reach` um of each other, directly or through others."""
    rows = world.rows(types)
    if rows.size == 0:
        return Colonies(rows, np.empty(0, np.int64), np.empty(0, np.int64))
    pairs = cKDTree(world.cells.position[:, rows].T).query_pairs(reach, output_type="ndarray")
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(rows.size, rows.size))
    count, label = connected_components(graph, directed=False)
    return Colonies(rows, label.astype(np.int64), np.bincount(label, minlength=count))


def count_of(*types: str) -> Callable[[World], float]:
    """A measure that counts cells of some types."""
    return lambda world: float(world.rows(types).size)
