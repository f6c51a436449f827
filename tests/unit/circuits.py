"""Random networks as the arrays of the kernel, made without the code that makes them of formulas, and cells that carry them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from paget.kernels.boolean import advance
from paget.kernels.neighbours import PIECE
from paget.kernels.reference_boolean import Circuit
from paget.kernels.team import team

KEY = np.uint64(0xB001EA)


def circuit(regulators, pairs):
    """Arrays of the network whose node j has the rates (up, down) pairs[j][x] where x holds the states of its regulators."""
    n = len(regulators)
    rows, table = np.unique(np.concatenate(pairs), axis=0, return_inverse=True)
    sums = np.column_stack([rows, rows.sum(axis=1)])
    bound = np.array(sorted({2.0 ** np.ceil(np.log2(rate)) for rate in sums[sums > 0]}))
    bins = np.array([[np.flatnonzero(bound >= r)[0] if r > 0 else -1 for r in row] for row in sums], np.int16)
    out = [[(j, p) for j in range(n) for p, r in enumerate(regulators[j]) if r == i] for i in range(n)]
    starts = [np.concatenate([[0], np.cumsum([len(part) for part in parts])]) for parts in (regulators, pairs, out)]
    return (
        starts[0].astype(np.int64),
        np.array([r for row in regulators for r in row], np.int64),
        starts[1][:-1].astype(np.int64),
        table.reshape(-1).astype(np.uint16),
        rows,
        bins.reshape(-1, 3),
        bound,
        starts[2].astype(np.int64),
        np.array([j for row in out for j, _ in row], np.int64),
        np.array([p for row in out for _, p in row], np.int64),
    )


def random_circuit(rng, n, degrees=(1, 2, 3, 4), slowest=0.2, fastest=5.0, free=0.3):
    """A random network: in-degrees from `degrees`, self-loops included; a share `free` may flip either way in any state.

    The other nodes follow a random truth table: they flip towards what it says, at two rates of their own.
    """
    regulators, pairs = [], []

    def rates(shape):
        return np.exp(rng.uniform(np.log(slowest), np.log(fastest), shape))

    for _ in range(n):
        degree = min(int(rng.choice(degrees)), n)
        regulators.append([int(r) for r in rng.choice(n, degree, replace=False)])
        on = rng.random(2**degree) < 0.5
        follows = np.column_stack([on, ~on]) * rates(2)
        pairs.append(rates((2**degree, 2)) if rng.random() < free else follows)
    return circuit(regulators, pairs)


@dataclass
class Population:
    """Cells that carry a network, with all that the kernel needs of them."""

    arrays: tuple
    state: np.ndarray
    ids: np.ndarray
    hold_on: np.ndarray
    hold_off: np.ndarray
    dose_row: np.ndarray
    activate: np.ndarray
    inhibit: np.ndarray
    watched: np.ndarray
    rest: np.ndarray
    on_time: np.ndarray
    flips: int = 0

    @classmethod
    def of(cls, arrays, state, ids=None, watch=()):
        n, (words, cells) = arrays[2].size, state.shape
        watched = np.full(n, -1)
        watched[list(watch)] = np.arange(len(watch))
        return cls(
            arrays=arrays,
            state=state,
            ids=np.arange(cells, dtype=np.uint64) if ids is None else ids,
            hold_on=np.zeros((words, 1), np.uint64),
            hold_off=np.zeros((words, 1), np.uint64),
            dose_row=np.full(n, -1),
            activate=np.zeros((0, 1)),
            inhibit=np.zeros((0, 1)),
            watched=watched,
            rest=np.zeros(cells, np.uint64),
            on_time=np.full((len(watch), cells), np.nan),
        )

    def dosed(self, doses):
        """Give doses: node -> (activate, inhibit), each one number or one per cell."""
        self.dose_row[list(doses)] = np.arange(len(doses))
        cells = max((np.size(dose) for pair in doses.values() for dose in pair), default=1)
        self.activate, self.inhibit = (
            np.array([np.broadcast_to(pair[side], cells) for pair in doses.values()], float).reshape(len(doses), cells)
            for side in (0, 1)
        )
        return self

    def held(self, nodes):
        """Hold nodes in all cells: node -> 0 or 1."""
        for i, state in nodes.items():
            (self.hold_on if state else self.hold_off)[i // 64, :] |= np.uint64(1 << i % 64)
        return self

    def step(self, hours, step=0, threads=1, pieces=None, key=KEY):
        """Let all cells live for `hours`, or only those of some pieces."""
        cells = self.ids.size
        count = np.zeros(-(-cells // PIECE), np.int64)
        hours = np.array(np.broadcast_to(np.asarray(hours, float), cells), order="C")
        given = (self.state, self.rest, self.ids, hours, self.hold_on, self.hold_off, self.dose_row, self.activate)
        given += (self.inhibit, self.watched, self.on_time, count, key, step, *self.arrays)
        if pieces is None:
            with team(threads, cells) as work:
                work(advance, *given)
        else:
            advance(*pieces, *given)
        self.flips += int(count.sum())
        return self

    def twin(self, cell):
        """The reference's view of one cell."""
        held, n = {}, self.arrays[2].size
        columns = [0 if array.shape[1] == 1 else cell for array in (self.hold_on, self.activate)]
        for i in range(n):
            for words, state in ((self.hold_off, 0), (self.hold_on, 1)):
                if int(words[i // 64, columns[0]]) >> i % 64 & 1:
                    held[i] = state
        doses = {
            i: (float(self.activate[row, columns[1]]), float(self.inhibit[row, columns[1]]))
            for i, row in enumerate(self.dose_row)
            if row >= 0
        }
        return Circuit(self.arrays, held, doses)
