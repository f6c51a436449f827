"""Where the cells of a network end: states that they cannot leave, and sets of states that they circle in."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from paget.errors import ModelError
from paget.signalling.analysis.phenotypes import Formula, phenotypes_of
from paget.signalling.analysis.transitions import formula, held_bits, next_states
from paget.signalling.network import Network
from paget.signalling.tables import Tables

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Attractors", "ComplexAttractor", "attractors"]

MOST = 10_000  # attractors that are listed; more say less than a table of the inputs held
LARGEST = 5_000_000  # nodes of a decision diagram, about 0.1 GB; beyond it memory and time explode


@dataclass(frozen=True)
class ComplexAttractor:
    """States between which a cell wanders for ever.

    states : how many. low, high : the lowest and the highest level of every node among them
    """

    states: int
    low: Mapping[str, int]
    high: Mapping[str, int]

    @property
    def moving(self) -> tuple[str, ...]:
        """Nodes that never come to rest."""
        return tuple(name for name in self.low if self.low[name] != self.high[name])


@dataclass(frozen=True, eq=False)
class Attractors:
    """All attractors of the asynchronous dynamics of a network.

    nodes : names. fixed : levels in the fixed points [points, nodes], in ascending order. circling : the complex ones
    """

    network: Network
    nodes: tuple[str, ...]
    fixed: NDArray[np.int64]
    circling: tuple[ComplexAttractor, ...]

    def __len__(self) -> int:
        return len(self.fixed) + len(self.circling)

    def frame(self, phenotypes: Mapping[str, Formula] | None = None) -> pd.DataFrame:
        """One row per fixed point and a column per node; with `phenotypes` (name -> formula of nodes) a first column of names.

        A point takes the first phenotype whose formula holds, "none" if none does.

        Raises
        ------
        UnknownNameError, ExpressionError
        """
        import pandas as pd

        found = pd.DataFrame(self.fixed, columns=list(self.nodes))
        if phenotypes is not None:
            levels = {name: self.fixed[:, i] for i, name in enumerate(self.nodes)}
            names = phenotypes_of(self.network, phenotypes, levels)
            found.insert(0, "phenotype", names)
        return found

    def count(self, phenotypes: Mapping[str, Formula]) -> dict[str, int]:
        """How many fixed points have each phenotype, those without any as "none"."""
        names = list(self.frame(phenotypes)["phenotype"])
        return {name: names.count(name) for name in (*phenotypes, "none") if name in names}


def attractors(
    network: Network,
    hold: Mapping[str, float] | None = None,
    *,
    values: Mapping[str, float] | None = None,
    most: int = MOST,
    largest: int = LARGEST,
) -> Attractors:
    """Find every fixed point and every complex attractor of a network, exactly, with decision diagrams.

    One node flips at a time, wherever its rate is not 0; how fast does not matter. Inputs that are not held take every value.
    Fixed points are counted before any is listed. Complex attractors are looked for among the states from which no fixed point
    can be reached (Benes et al. 2021, doi:10.1007/978-3-030-81685-8_24; Xie and Beerel 2000, doi:10.1109/43.875347).

    Parameters
    ----------
    hold : node -> level at which it is held, as a knock-out or a gain of function is, and inputs may be
    values : quantities of the network as numbers, where rows of a parameter table are among them
    most : attractors that are listed at most. largest : size of the decision diagrams at most

    Raises
    ------
    ModelError
        If there are more attractors than `most`, the diagrams outgrow `largest`, or the extra `networks` is missing.

    Examples
    --------
    >>> from paget.signalling import Node
    >>> switch = Network(name="switch", nodes=(Node(name="A", logic="!B"), Node(name="B", logic="!A")))
    >>> attractors(switch).frame()
       A  B
    0  0  1
    1  1  0
    """
    aeon = _aeon()
    tables = Tables.of(network, network.values() if values is None else values)
    held = held_bits(network, tables, hold or {})
    graph = _graph(aeon, network, tables, held)
    resting = aeon.FixedPoints.symbolic(graph)
    count = int(resting.cardinality())
    if count > most:
        raise ModelError(_too_many(network, count, most, hold or {}))
    bits = len(tables.names)
    try:
        cycles = _cycles(aeon, graph, resting, most, largest)
        if len(cycles) > most:
            raise ModelError(_too_many(network, len(cycles), most, hold or {}, more=True))
    except InterruptedError:
        raise ModelError(
            f"The network '{network.name}' has {count} fixed points, but its complex attractors need decision diagrams of more "
            f"than {largest:,} nodes. Hold inputs or nodes with hold={{...}}, or raise largest"
        ) from None
    states = np.zeros((count, bits), np.int64)
    for row, point in enumerate(resting.vertices()):
        found = point.to_named_dict()
        states[row] = [found[_name(bit)] for bit in range(bits)]
    fixed = _levels(network, tables, states)
    order = np.lexsort(fixed.T[::-1]) if count else np.arange(0)
    return Attractors(
        network, network.names, fixed[order], tuple(_described(network, tables, cycle) for cycle in cycles)
    )


def _aeon() -> Any:
    try:
        import biodivine_aeon
    except ImportError:
        raise ModelError("Attractors need biodivine_aeon: pip install 'paget[networks]'") from None
    return biodivine_aeon


def _name(bit: int) -> str:
    """Name of an on-off node in the decision diagrams; those of the network might be words of their grammar."""
    return f"v{bit}"


def _graph(aeon: Any, network: Network, tables: Tables, held: Mapping[int, bool]) -> Any:
    """The asynchronous transition graph, without states that no cell can be in."""
    lines = []
    for bit in range(len(tables.names)):
        if bit in held or network.nodes[tables.owner[bit]].is_input:
            lines.append(f"{_name(bit)}, {_name(bit)}")
            continue
        sources, truth = next_states(tables, bit)
        lines.append(f"{_name(bit)}, {formula(truth, tuple(map(_name, sources)))}")
    graph = aeon.AsynchronousGraph(aeon.BooleanNetwork.from_bnet("\n".join(lines)))
    possible = graph.mk_subspace({_name(bit): state for bit, state in held.items()})
    for i in range(len(network.nodes)):
        owned = [int(bit) for bit in np.flatnonzero(tables.owner == i)]
        for below, above in itertools.pairwise(owned):
            possible = possible.minus(graph.mk_subspace({_name(below): False, _name(above): True}))
    return graph.restrict(possible)


def _cycles(aeon: Any, graph: Any, resting: Any, most: int, largest: int) -> list[Any]:
    """Sets of states of the complex attractors."""
    limits = {"graph": graph, "max_symbolic_size": largest}
    left = aeon.Attractors.transition_guided_reduction(limits).minus(resting)
    if left.is_empty():
        return []
    left = left.minus(aeon.Reachability.backward_superset(limits, resting))
    if left.is_empty():
        return []
    return list(aeon.Attractors.xie_beerel({**limits, "solution_count": most + 1}, left))


def _levels(network: Network, tables: Tables, states: NDArray[np.int64]) -> NDArray[np.int64]:
    """Levels [points, nodes] from on-off states [points, bits]."""
    found = np.zeros((len(states), len(network.nodes)), np.int64)
    for bit, owner in enumerate(tables.owner):
        found[:, owner] += states[:, bit]
    return found


def _described(network: Network, tables: Tables, cycle: Any) -> ComplexAttractor:
    states = cycle.vertices()
    space = states.enclosing_named_subspace()
    ends = [[int(space.get(_name(bit), side)) for bit in range(len(tables.names))] for side in (False, True)]
    low, high = (_levels(network, tables, np.array([end]))[0] for end in ends)
    return ComplexAttractor(
        int(states.cardinality()),
        MappingProxyType(dict(zip(network.names, map(int, low), strict=True))),
        MappingProxyType(dict(zip(network.names, map(int, high), strict=True))),
    )


def _too_many(network: Network, count: int, most: int, hold: Iterable[str], more: bool = False) -> str:
    free = [name for name in network.inputs if name not in set(hold)]
    advice = f" It has {len(free)} free inputs; hold some with hold={{'{free[0]}': 0, ...}}," if free else " Hold nodes"
    amount = (
        f"more than {most:,} complex attractors" if more else f"{count:,} fixed points, more than the {most:,} to list"
    )
    return f"The network '{network.name}' has {amount}.{advice} or raise most"
