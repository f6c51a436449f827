"""Cells that carry a network, outside any tissue: for analyses, for tests, and to look at a network by itself."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paget.errors import ModelError, UnknownNameError
from paget.kernels import boolean
from paget.signalling.living import level_of, live
from paget.signalling.network import Network
from paget.signalling.tables import Tables

__all__ = ["Course", "Population", "simulate"]

Real = NDArray[np.float64]
Words = NDArray[np.uint64]


@dataclass(frozen=True)
class Course:
    """What a population did over time.

    times : ends of the windows [t] in h. nodes : names. mean : share of cells and of the window's time in which each node was
    on [t, nodes]; of a node with levels, the mean level over the highest. at : the same of the cells at the end of each window
    """

    times: Real
    nodes: tuple[str, ...]
    mean: Real
    at: Real
    population: Population = field(repr=False)

    def __getitem__(self, name: str) -> Real:
        """Window means [t] of one node."""
        if name not in self.nodes:
            raise UnknownNameError("node", name, self.nodes)
        found: Real = self.mean[:, self.nodes.index(name)]
        return found


class Population:
    """Cells that carry one network each.

    network : what they carry. cells : how many. seed : of their random numbers
    start : node -> probability of being on (or level) at the start, in place of the network's own
    values : the quantities of the network as numbers, where it has rows of a parameter table among them

    Bits do not depend on `threads`.
    """

    def __init__(
        self,
        network: Network,
        cells: int,
        *,
        seed: int = 0,
        start: Mapping[str, float] | None = None,
        values: Mapping[str, float] | None = None,
        threads: int = 1,
    ) -> None:
        self.network = _started(network, start or {})
        self.tables = Tables.of(self.network, network.values() if values is None else values)
        self.ids = np.arange(cells, dtype=np.uint64)
        self.key = np.uint64(seed)
        self.threads = threads
        self.step = 0
        self.state: Words = boolean.draw_initial(self.ids, self.tables.initial, self.key)
        self.rest: Words = np.zeros(cells, np.uint64)
        self.flips = 0

    def __len__(self) -> int:
        return self.ids.size

    def copy(self) -> Population:
        """The same cells in the same states, which then go their own way."""
        twin = copy.copy(self)
        twin.state, twin.rest = self.state.copy(), self.rest.copy()
        return twin

    def advance(
        self,
        hours: float | Real,
        *,
        hold: Mapping[str, Any] | None = None,
        inhibit: Mapping[str, Any] | None = None,
        activate: Mapping[str, Any] | None = None,
        watch: Iterable[str] = (),
    ) -> Real:
        """Let `hours` pass, one number or one for each cell, and return the share of them that watched nodes were on [k, n].

        hold : node -> 0 or 1 (or its level), for all cells or [n] of them; NaN where a cell is free. inhibit, activate :
        node -> dose from 0 to 1, for all cells or [n]. Of a node with levels the share is its mean level over the highest.

        Raises
        ------
        UnknownNameError, ModelError
        """
        watched_names = tuple(watch)
        held, doses = self._held(hold or {}), self._dosed(inhibit or {}, activate or {})
        watched = np.full(len(self.tables.names), -1, np.int64)
        bits = [bit for name in watched_names for bit in self._bits(name)]
        watched[bits] = np.arange(len(bits))
        lived = np.broadcast_to(np.asarray(hours, np.float64), (len(self),)).copy()
        if np.any(lived < 0.0) or not np.all(np.isfinite(lived)):
            raise ModelError("time cannot run backwards: hours must be 0 or more")
        cells = (self.state, self.rest, self.ids)
        on_time, flips = live(self.tables, self.threads, *cells, lived, held, doses, watched, self.key, self.step)
        self.step += 1
        self.flips += flips
        share = on_time / np.where(lived > 0.0, lived, 1.0)
        owner = np.repeat(np.arange(len(watched_names)), [len(self._bits(name)) for name in watched_names])
        return np.array([share[owner == k].mean(axis=0) for k in range(len(watched_names))]).reshape(-1, len(self))

    def level(self, name: str) -> NDArray[np.int64]:
        """Present level [n] of a node: 0 or 1, or up to its highest level."""
        return level_of(self.state, tuple(self._bits(name)))

    def _bits(self, name: str) -> list[int]:
        if name not in self.network:
            raise UnknownNameError("node", name, self.network.names)
        at = self.network.names.index(name)
        return list(np.flatnonzero(self.tables.owner == at))

    def _held(self, hold: Mapping[str, Any]) -> tuple[Words, Words]:
        shape = (self.tables.words, len(self))
        on, off = np.zeros(shape, np.uint64), np.zeros(shape, np.uint64)
        for name, given in hold.items():
            levels = np.broadcast_to(np.asarray(given, np.float64), (len(self),))
            for k, bit in enumerate(self._bits(name)):
                flag = np.uint64(1) << np.uint64(bit % 64)
                on[bit // 64] |= np.where(levels > k, flag, np.uint64(0))
                off[bit // 64] |= np.where(levels <= k, flag, np.uint64(0))  # NaN compares as neither: the cell is free
        return on, off

    def _dosed(self, inhibit: Mapping[str, Any], activate: Mapping[str, Any]) -> tuple[NDArray[np.int64], Real, Real]:
        rows = np.full(len(self.tables.names), -1, np.int64)
        listed = tuple(dict.fromkeys((*inhibit, *activate)))
        doses = np.zeros((2, len(listed), len(self)))
        for row, name in enumerate(listed):
            rows[self._bits(name)] = row
            if self.network.node(name).is_input:
                raise ModelError(
                    f"'{name}' is an input that nothing inside the network switches, so that a graded dose on it does nothing; "
                    "hold it, or act on the nodes that it drives"
                )
            for side, given in enumerate((activate, inhibit)):
                dose = np.broadcast_to(np.asarray(given.get(name, 0.0), np.float64), (len(self),))
                if not np.all((dose >= 0.0) & (dose <= 1.0)):
                    raise ModelError(f"a dose on node '{name}' is the share of its effect, from 0 to 1")
                doses[side, row] = dose
        return rows, doses[0], doses[1]


def _started(network: Network, start: Mapping[str, float]) -> Network:
    from dataclasses import replace

    return network.changed(*(replace(network.node(name), initial=float(p)) for name, p in start.items()))


def simulate(
    network: Network,
    times: Sequence[float] | Real,
    *,
    cells: int = 10_000,
    seed: int = 0,
    start: Mapping[str, float] | None = None,
    hold: Mapping[str, Any] | None = None,
    inhibit: Mapping[str, Any] | None = None,
    activate: Mapping[str, Any] | None = None,
    watch: Iterable[str] | None = None,
    values: Mapping[str, float] | None = None,
    threads: int = 1,
) -> Course:
    """State probabilities of a network over time, from a population of cells.

    times : ends of the windows in h, ascending. Others as in `Population` and `Population.advance`; what is held is held from
    the start, at once.
    """
    ends = np.asarray(times, np.float64)
    if ends.ndim != 1 or np.any(np.diff(ends, prepend=0.0) < 0.0):
        raise ModelError("times must ascend from 0")
    people = Population(network, cells, seed=seed, start=start, values=values, threads=threads)
    shown = people.network.names if watch is None else tuple(watch)
    mean, at = [], []
    for window in np.diff(ends, prepend=0.0):
        lived = people.advance(window, hold=hold, inhibit=inhibit, activate=activate, watch=shown)
        mean.append(lived.mean(axis=1))
        at.append([people.level(name).mean() / people.network.node(name).levels for name in shown])
    return Course(ends, tuple(shown), np.array(mean), np.array(at), people)
