"""In which states the cells of a network are over time, with standard errors, and how many states that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from paget.errors import ModelError, UnknownNameError
from paget.signalling.network import Network
from paget.signalling.population import Population

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["StateProbabilities", "outputs_of", "state_probabilities"]

Real = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class StateProbabilities:
    """Shares of cells in each joint state of chosen nodes.

    times : [t] in h. outputs : the nodes. levels : of the outputs in each state that was seen [states, outputs], the most
    probable state of the last time first. probability : [t, states]. cells : how many were simulated
    """

    times: Real
    outputs: tuple[str, ...]
    levels: NDArray[np.int64]
    probability: Real
    cells: int

    @property
    def states(self) -> tuple[str, ...]:
        """Names of the states: the nodes that are on, with their level where that is over 1, or "none"."""
        return tuple(_state_name(self.outputs, row) for row in self.levels)

    @property
    def error(self) -> Real:
        """Standard errors of the probabilities [t, states], those of independent cells."""
        return np.sqrt(self.probability * (1.0 - self.probability) / self.cells)

    @property
    def entropy(self) -> Real:
        r"""Entropy of the joint states at each time [t] in bits, 0 where all cells are alike.

        .. math:: H = -\sum_s p_s \log_2 p_s + \frac{S - 1}{2 N \ln 2}

        for S states seen among N cells; the second term corrects the bias of a finite sample (Miller 1955).
        """
        p = self.probability
        with np.errstate(divide="ignore", invalid="ignore"):
            plain = -np.where(p > 0.0, p * np.log2(p), 0.0).sum(axis=1)
        seen = (p > 0.0).sum(axis=1)
        found: Real = plain + (seen - 1) / (2.0 * self.cells * np.log(2.0))
        return found

    def __getitem__(self, state: str) -> Real:
        """Probabilities [t] of one state by its name; 0 for a state of these outputs that was never seen."""
        if state in self.states:
            found: Real = self.probability[:, self.states.index(state)]
            return found
        for part in () if state == "none" else state.split(" + "):
            if part.split("=")[0] not in self.outputs:
                raise UnknownNameError("state", state, self.states)
        return np.zeros(self.times.size)

    def frame(self) -> pd.DataFrame:
        """A table of time, state, probability and standard error."""
        import pandas as pd

        t, s = self.probability.shape
        return pd.DataFrame(
            {
                "time": np.repeat(self.times, s),
                "state": np.tile(np.array(self.states, dtype=object), t),
                "probability": self.probability.ravel(),
                "error": self.error.ravel(),
            }
        )

    def most_probable(self, states: int = 10) -> pd.DataFrame:
        """The most probable states of the last time with their probabilities, errors, and levels of the outputs."""
        import pandas as pd

        kept = min(states, len(self.levels))
        table = pd.DataFrame(self.levels[:kept], columns=list(self.outputs))
        table.insert(0, "error", self.error[-1, :kept])
        table.insert(0, "probability", self.probability[-1, :kept])
        table.insert(0, "state", list(self.states[:kept]))
        return table


def state_probabilities(
    network: Network,
    times: Sequence[float] | Real,
    cells: int = 10_000,
    *,
    outputs: Sequence[str] | None = None,
    seed: int = 0,
    start: Mapping[str, float] | None = None,
    hold: Mapping[str, Any] | None = None,
    inhibit: Mapping[str, Any] | None = None,
    activate: Mapping[str, Any] | None = None,
    values: Mapping[str, float] | None = None,
    threads: int = 1,
) -> StateProbabilities:
    """Probabilities of the joint states of chosen nodes at the given times, from a population of cells.

    *Differs from* the tables of MaBoSS, which are averages over each window of time: these hold at the times themselves.

    Parameters
    ----------
    times : in h, ascending
    outputs : nodes whose joint state is counted; those that regulate nothing else if left out
    Others as in `paget.signalling.population.simulate`.

    Raises
    ------
    UnknownNameError, ModelError
    """
    shown = outputs_of(network) if outputs is None else tuple(outputs)
    if not shown:
        raise ModelError(
            f"Every node of the network '{network.name}' regulates another; say which outputs=... to count"
        )
    for name in shown:
        network.node(name)
    ends = np.asarray(times, np.float64)
    if ends.ndim != 1 or not ends.size or np.any(np.diff(ends, prepend=0.0) < 0.0):
        raise ModelError("times must ascend from 0, and there must be at least one")
    people = Population(network, cells, seed=seed, start=start, values=values, threads=threads)
    seen: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    for window in np.diff(ends, prepend=0.0):
        people.advance(window, hold=hold, inhibit=inhibit, activate=activate)
        joint = np.column_stack([people.level(name) for name in shown])
        seen.append(np.unique(joint, axis=0, return_counts=True))
    every = np.unique(np.concatenate([states for states, _ in seen]), axis=0)
    place = {tuple(state): i for i, state in enumerate(every.tolist())}
    probability = np.zeros((ends.size, len(every)))
    for t, (states, counts) in enumerate(seen):
        probability[t, [place[tuple(state)] for state in states.tolist()]] = counts / cells
    order = np.lexsort((np.arange(len(every)), -probability[-1]))
    return StateProbabilities(ends, shown, every[order], probability[:, order], cells)


def outputs_of(network: Network) -> tuple[str, ...]:
    """Regulated nodes that no other node depends on."""
    sources = {edge.source for edge in network.edges if edge.source != edge.target}
    return tuple(name for name in network.regulated if name not in sources)


def _state_name(outputs: Sequence[str], levels: NDArray[np.int64]) -> str:
    parts = [name if level == 1 else f"{name}={level}" for name, level in zip(outputs, levels, strict=True) if level]
    return " + ".join(parts) or "none"
