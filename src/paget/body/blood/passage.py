"""What happened in the blood during a tick, as arrays: who left the vessels where, who died of what, who was caught."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["CAUSES", "Aggregations", "Arrests", "BreakUps", "Counts", "Deaths", "Extravasations", "Passage"]

Real = NDArray[np.float64]
Whole = NDArray[np.int64]
Ids = NDArray[np.uint64]

CAUSES = ("anoikis", "shear", "natural killer cells")


class Extravasations(NamedTuple):
    """Parties that left a vessel [k], ordered by time; the cells of party i are ``cells[first[i]:first[i + 1]]``.

    organ : index; when, shed_at : h; origin : index of the organ that shed it; records [r, cells]
    """

    party: Ids
    organ: Whole
    when: Real
    origin: Whole
    shed_at: Real
    first: Whole
    cells: Ids
    survival: Real
    mesenchymal: Real
    records: Real


class Deaths(NamedTuple):
    """Cells that died [k], ordered by time.

    cause : index of `CAUSES`; where : node, or number of nodes + node for a cell that was lodged in the bed of that node
    """

    cell: Ids
    party: Ids
    when: Real
    cause: Whole
    where: Whole
    origin: Whole
    records: Real


class Arrests(NamedTuple):
    """Parties that were caught in a capillary for the first time [k], ordered by time."""

    party: Ids
    organ: Whole
    when: Real


class BreakUps(NamedTuple):
    """Parts that broke off clusters [k], ordered by time; size : cells of the part."""

    party: Ids
    part: Ids
    when: Real
    size: Whole


class Aggregations(NamedTuple):
    """Parties that met and stayed together [k], ordered by time; `joined` goes on as part of `party`."""

    party: Ids
    joined: Ids
    when: Real
    size: Whole


class Passage(NamedTuple):
    """Everything that happened in a tick; flowing : hours that parties spent in flow, together; hops : moves between nodes."""

    extravasations: Extravasations
    deaths: Deaths
    arrests: Arrests
    break_ups: BreakUps
    aggregations: Aggregations
    flowing: float
    hops: int


class Counts(NamedTuple):
    """What is in the vessels: single cells and clusters in flow, cells in flow, parties and cells lodged in capillaries."""

    single: int
    clusters: int
    cells: int
    lodged: int
    lodged_cells: int
