"""The circulation as a Markov chain in continuous time: where a cell can be, for how long, and where it goes next."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Chain"]

Real = NDArray[np.float64]
Whole = NDArray[np.int64]


class Chain(NamedTuple):
    """Nodes are capillary beds and the conduits between them (heart, portal vein, thoracic duct).

    A cell stays in node i for an exponential time of mean `transit[i]` h. A node with `organ[i]` >= 0 is a capillary bed, in
    which the cell may be arrested, once per pass; if it is not, it goes on to one of the nodes
    ``successor[start[i]:start[i + 1]]``, chosen by the cumulative shares ``share[start[i]:start[i + 1]]``, the last of which
    is 1. Cells that leave organ o by medium m (0 blood, 1 lymph) begin at one of the nodes
    ``entry[first[m, o]:first[m, o + 1]]``, chosen by the cumulative shares ``entry_share``; an empty range means that no such
    medium drains the organ.

    names : of the nodes; organs : names of the organs, in the order of their indices
    transit [n], organ [n], start [n + 1], successor [k], share [k], first [2, organs + 1], entry [l], entry_share [l]
    """

    names: tuple[str, ...]
    organs: tuple[str, ...]
    transit: Real
    organ: Whole
    start: Whole
    successor: Whole
    share: Real
    first: Whole
    entry: Whole
    entry_share: Real
