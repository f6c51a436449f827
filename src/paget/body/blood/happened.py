"""What the walk left behind, written at heads and rows, as parties that stay and as lists of what happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paget.body.blood.passage import Aggregations, Arrests, BreakUps, Deaths, Extravasations, Passage
from paget.body.blood.shedding import State, bounds, places
from paget.body.chain import Chain

__all__ = ["Walked", "nobody_met", "passage_of"]

Real = NDArray[np.float64]
Whole = NDArray[np.int64]
Ids = NDArray[np.uint64]


def nobody_met() -> Aggregations:
    """No meetings."""
    return Aggregations(np.zeros(0, np.uint64), np.zeros(0, np.uint64), np.zeros(0), np.zeros(0, np.int64))


@dataclass
class Walked:
    """Arrays that `paget.kernels.blood.walk` fills, as it describes them; times count from the begin of the tick."""

    owner: Whole  # the party that had a place when the walk began
    name: Ids
    where: Whole
    living: Whole
    escort: Whole
    seen: Whole
    order: Whole
    died_at: Real
    cause: Whole
    died_where: Whole
    died_in: Ids
    left_at: Real
    held_at: Real
    held_where: Whole
    split_at: Real
    split_from: Ids
    split_size: Whole
    flowing: Real
    hops: Whole

    @classmethod
    def of(cls, state: State, first: Whole) -> Walked:
        """As it is before the walk: every party at the first of its places."""
        n, cells = state["name"].size, state["cell"].size
        heads = first[:-1]

        def spread(values: NDArray[Any]) -> NDArray[Any]:
            at = np.zeros(cells, values.dtype)
            at[heads] = values
            return at

        def whole() -> Whole:
            return np.zeros(cells, np.int64)

        def never() -> Real:
            return np.full(cells, np.inf)

        return cls(
            owner=np.repeat(np.arange(n), state["size"]),
            name=spread(state["name"]),
            where=spread(state["where"]),
            living=spread(state["size"]),
            escort=spread(state["escort"]),
            seen=spread(state["seen"]),
            order=np.arange(cells),
            died_at=never(),
            cause=whole(),
            died_where=whole(),
            died_in=np.zeros(cells, np.uint64),
            left_at=never(),
            held_at=never(),
            held_where=whole(),
            split_at=never(),
            split_from=np.zeros(cells, np.uint64),
            split_size=whole(),
            flowing=np.zeros(n),
            hops=np.zeros(n, np.int64),
        )


def passage_of(walked: Walked, state: State, chain: Chain, now: float) -> tuple[State, Passage]:
    """The parties that are still in the vessels, and everything that happened."""
    gone = np.isfinite(walked.left_at)
    heads = np.flatnonzero((walked.living > 0) & ~gone)
    rows = walked.order[places(heads, walked.living[heads])]
    owner = walked.owner[heads]
    staying = {
        "name": walked.name[heads],
        "where": walked.where[heads],
        "size": walked.living[heads],
        "escort": walked.escort[heads],
        "seen": walked.seen[heads],
        **{key: state[key][owner] for key in ("origin", "medium", "shed_at", "radius", "tension")},
        **{key: state[key][..., rows] for key in ("cell", "survival", "mesenchymal", "records")},
    }
    passage = Passage(
        extravasations=_extravasations(walked, state, chain, now, _in_time(gone, walked.left_at, walked.name)),
        deaths=_deaths(walked, state, now),
        arrests=_arrests(walked, chain, now),
        break_ups=_break_ups(walked, now),
        aggregations=nobody_met(),
        flowing=float(walked.flowing.sum()),
        hops=int(walked.hops.sum()),
    )
    return staying, passage


def _in_time(which: NDArray[np.bool_], when: Real, name: Ids) -> Whole:
    """Places at which something happened, ordered by time, then by name."""
    found = np.flatnonzero(which)
    return np.asarray(found[np.lexsort((name[found], when[found]))], np.int64)


def _extravasations(walked: Walked, state: State, chain: Chain, now: float, heads: Whole) -> Extravasations:
    size = walked.living[heads]
    rows = walked.order[places(heads, size)]
    owner = walked.owner[heads]
    return Extravasations(
        party=walked.name[heads],
        organ=chain.organ[walked.where[heads] - len(chain.names)],
        when=now + walked.left_at[heads],
        origin=state["origin"][owner],
        shed_at=state["shed_at"][owner],
        first=bounds(size),
        cells=state["cell"][rows],
        survival=state["survival"][rows],
        mesenchymal=state["mesenchymal"][rows],
        records=state["records"][:, rows],
    )


def _deaths(walked: Walked, state: State, now: float) -> Deaths:
    rows = _in_time(np.isfinite(walked.died_at), walked.died_at, state["cell"])
    return Deaths(
        cell=state["cell"][rows],
        party=walked.died_in[rows],
        when=now + walked.died_at[rows],
        cause=walked.cause[rows],
        where=walked.died_where[rows],
        origin=state["origin"][walked.owner[rows]],
        records=state["records"][:, rows],
    )


def _arrests(walked: Walked, chain: Chain, now: float) -> Arrests:
    heads = _in_time(np.isfinite(walked.held_at), walked.held_at, walked.name)
    return Arrests(walked.name[heads], chain.organ[walked.held_where[heads]], now + walked.held_at[heads])


def _break_ups(walked: Walked, now: float) -> BreakUps:
    heads = _in_time(np.isfinite(walked.split_at), walked.split_at, walked.name)
    return BreakUps(
        walked.split_from[heads], walked.name[heads], now + walked.split_at[heads], walked.split_size[heads]
    )
