"""Parties that meet in flowing blood and go on as one."""

from __future__ import annotations

import numpy as np

from paget.body.blood.happened import nobody_met
from paget.body.blood.passage import Aggregations
from paget.body.blood.shedding import State, bounds, places
from paget.kernels import blood as kernel

__all__ = ["joined"]


def joined(
    state: State, nodes: int, pair: float, now: float, dt: float, key: np.uint64, tick: int
) -> tuple[State, Aggregations]:
    """The parties after all meetings of a tick, and who met whom; `state` in the order of names.

    Every two parties that flow at the end of the tick have met in it at the rate `pair`: blood is taken to be mixed well, as a
    round takes seconds. What joins goes on at the place, with the origin and under the name of the party of the lower name;
    radius and tension are means over the cells.
    """
    flowing = np.flatnonzero((state["where"] >= 0) & (state["where"] < nodes))
    when, pairs = kernel.meetings(flowing.size, pair, dt, key, tick)
    if not when.size:
        return state, nobody_met()
    groups = [[int(i)] for i in flowing]
    left = list(range(flowing.size))
    kept, lost, size = [], [], []
    for i, j in pairs.tolist():
        a, b = sorted((left[i], left[j]), key=lambda g: int(state["name"][groups[g][0]]))
        kept.append(state["name"][groups[a][0]])
        lost.append(state["name"][groups[b][0]])
        groups[a] += groups[b]
        size.append(int(state["size"][groups[a]].sum()))
        left[i] = a
        left[j] = left[-1]
        left.pop()
    together = [groups[g] for g in left] + [[int(i)] for i in np.setdiff1d(np.arange(state["name"].size), flowing)]
    begin = bounds(state["size"])[:-1]
    first = np.array([group[0] for group in together], np.int64)
    all_of = np.array([i for group in together for i in group], np.int64)
    starts = bounds(np.array([len(group) for group in together]))[:-1]
    rows = places(begin[all_of], state["size"][all_of])
    cells = np.add.reduceat(state["size"][all_of], starts)
    new = {key: state[key][first] for key in ("name", "where", "origin", "medium", "shed_at")}
    new["size"] = cells
    for key_of in ("escort", "seen"):
        new[key_of] = np.maximum.reduceat(state[key_of][all_of], starts)
    for key_of in ("radius", "tension"):
        # Only what changed is computed anew: a mean over one party might differ from its value in the last bit.
        mean = np.add.reduceat(state[key_of][all_of] * state["size"][all_of], starts) / cells
        alone = np.diff(np.append(starts, all_of.size)) == 1
        new[key_of] = np.where(alone, state[key_of][first], mean)
    for key_of in ("cell", "survival", "mesenchymal", "records"):
        new[key_of] = state[key_of][..., rows]
    met = Aggregations(np.array(kept, np.uint64), np.array(lost, np.uint64), now + when, np.array(size, np.int64))
    return new, met
