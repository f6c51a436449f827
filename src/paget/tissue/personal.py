"""Behaviours as kernels read them: a table with a row for each cell type, and columns of the cells that have their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from paget.tissue.behaviours import variable_of
from paget.tissue.process import TissueProcess

if TYPE_CHECKING:
    from paget.access import See

__all__ = ["affinities_to", "own_affinities", "own_columns"]


def own_columns(
    process: TissueProcess, see: See, behaviours: tuple[str, ...]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Columns (own [m, n]) of those of the behaviours that rules or cells change, and where each is (which [behaviours]).

    `which` is the row in `own`, or -1 for a behaviour that is a number of the cell type; "" stands for none.
    """
    ruled = [name for name in behaviours if name in process.ruled]
    which = np.array([ruled.index(name) if name in process.ruled else -1 for name in behaviours], dtype=np.int64)
    own = np.empty((len(ruled), see.count))
    for row, name in enumerate(ruled):
        own[row] = see[variable_of(name)]
    return own, which


def affinities_to(process: TissueProcess) -> tuple[str, ...]:
    """The behaviours of adhesion to each of the cell types."""
    return tuple(f"adhesive affinity to {definition.name}" for definition in process.definitions)


def own_affinities(
    process: TissueProcess, see: See, affinity: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Row [n] of each cell in a table [rows, n_types] of affinities for each type, and that table.

    affinity : [n_types, n_types] of the types. Without rules on affinities the row of a cell is its type, else its own.
    """
    behaviours = affinities_to(process)
    if not any(name in process.ruled for name in behaviours):
        return see["cell.type"], affinity
    own = [process.behaviour(see, name, affinity[:, partner]) for partner, name in enumerate(behaviours)]
    return np.arange(see.count), np.stack(own, axis=1)
