"""Networks of many cells as they live: one call of the kernel for all of them, and what they hold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paget.kernels import boolean
from paget.kernels.neighbours import PIECE
from paget.kernels.team import team
from paget.signalling.tables import Tables

__all__ = ["level_of", "live"]

Real = NDArray[np.float64]
Whole = NDArray[np.int64]
Words = NDArray[np.uint64]


def live(
    tables: Tables,
    threads: int,
    state: Words,
    rest: Words,
    ids: Words,
    hours: Real,
    held: tuple[Words, Words],
    doses: tuple[Whole, Real, Real],
    watched: Whole,
    key: np.uint64,
    step: int,
) -> tuple[Real, int]:
    """Let the networks of cells live for `hours` [n]; `state` and `rest` change in place.

    held : on and off [words, n]. doses : row of each node, or -1; activating, inhibiting [rows, n]
    watched : row of each node in the times returned, or -1

    Returns the hours that each watched node was on [rows, n], and how many nodes flipped.
    """
    on_time = np.zeros((int(watched.max(initial=-1)) + 1, ids.size))
    flips = np.zeros(-(-ids.size // PIECE), np.int64)
    with team(threads, ids.size) as work:
        work(
            boolean.advance,
            *(state, rest, ids, hours, *held, *doses, watched, on_time, flips, key, step),
            *tables.arrays,
        )
    return on_time, int(flips.sum())


def level_of(state: Words, bits: tuple[int, ...]) -> Whole:
    """Level [n] of the node that these bits hold: 0 or 1, or up to its highest level."""
    found = np.zeros(state.shape[1], np.int64)
    for bit in bits:
        found += (state[bit // 64] >> np.uint64(bit % 64) & np.uint64(1)).astype(np.int64)
    return found
