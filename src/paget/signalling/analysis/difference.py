"""What differs between two networks: nodes, logic by what it does, rates, starts, and the influences between nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paget.signalling.expression import Expression, evaluate
from paget.signalling.network import Edge, Network, Node, states_of
from paget.units import to_internal

__all__ = ["Change", "Difference", "diff"]

_SIGNS = {1: "activates", -1: "inhibits", 0: "activates or inhibits"}


@dataclass(frozen=True)
class Change:
    """One node that differs, or one of its levels.

    what : "logic", "rate up", "rate down", "start", "division", "levels", "is" (input or not) or "is set by" (logic or rates)
    before, after : in words
    where : a state of the regulators for which they differ, empty where no state is needed
    """

    node: str
    what: str
    before: str
    after: str
    where: Mapping[str, int]

    def __str__(self) -> str:
        state = ", ".join(f"{name} = {level}" for name, level in self.where.items())
        where = f" where {state}" if state else ""
        return f"{self.node}: {self.what} {self.before} -> {self.after}{where}"


@dataclass(frozen=True)
class Difference:
    """Everything by which network `after` differs from `before`."""

    before: str
    after: str
    added: tuple[str, ...]
    removed: tuple[str, ...]
    changes: tuple[Change, ...]
    edges_added: tuple[Edge, ...]
    edges_removed: tuple[Edge, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changes or self.edges_added or self.edges_removed)

    def __str__(self) -> str:
        if not self:
            return f"'{self.before}' and '{self.after}' do the same."
        return "\n".join([f"from '{self.before}' to '{self.after}':", *(f"  {line}" for line in self.lines())])

    def lines(self) -> Iterator[str]:
        """One line for each difference."""
        for sign, names in (("+", self.added), ("-", self.removed)):
            yield from (f"{sign} node {name}" for name in names)
        yield from (f"~ {change}" for change in self.changes)
        for sign, edges in (("+", self.edges_added), ("-", self.edges_removed)):
            yield from (f"{sign} {edge.source} {_SIGNS[edge.sign]} {edge.target}" for edge in edges)


def diff(
    before: Network, after: Network, *, values: tuple[Mapping[str, float], Mapping[str, float]] | None = None
) -> Difference:
    """Compare two networks by what they do, not by how they are written.

    Logic is compared as truth tables, rates as functions of the state in 1/h, at the values of their quantities; a difference
    comes with a state that shows it. Nodes with levels are compared level by level. An influence whose sign changed is
    removed with its old and added with its new sign.

    Parameters
    ----------
    values : quantities of both as numbers, where rows of a parameter table are among them

    Raises
    ------
    UnknownNameError
        If a rate needs a row of a parameter table and no values are given.

    Examples
    --------
    >>> from paget.signalling import Node
    >>> both = Network(name="both", nodes=(Node(name="A"), Node(name="B"), Node(name="C", logic="A & B")))
    >>> either = both.changed(Node(name="C", logic="A | B"), name="either")
    >>> print(diff(both, either))
    from 'both' to 'either':
      ~ C: logic off -> on where A = 1, B = 0
    """
    names = set(before.names), set(after.names)
    shared = [name for name in before.names if name in names[1]]
    flat = [network.expanded() for network in (before, after)]
    numbers = (before.values(), after.values()) if values is None else values
    changes: list[Change] = []
    for name in shared:
        nodes = before.node(name), after.node(name)
        if nodes[0].levels != nodes[1].levels:
            changes.append(Change(name, "levels", str(nodes[0].levels), str(nodes[1].levels), {}))
            continue
        for bit in nodes[0].bits():
            changes += _node_changes(flat, numbers, bit)
        changes += [
            Change(name, what, told[0], told[1], {})
            for what, told in (
                ("start", [f"{node.initial:g}" for node in nodes]),
                ("division", [node.division for node in nodes]),
            )
            if told[0] != told[1]
        ]
    edges = [{(e.source, e.target, e.sign): e for e in network.edges} for network in (before, after)]
    return Difference(
        before.name,
        after.name,
        tuple(name for name in after.names if name not in names[0]),
        tuple(name for name in before.names if name not in names[1]),
        tuple(changes),
        tuple(edge for key, edge in edges[1].items() if key not in edges[0]),
        tuple(edge for key, edge in edges[0].items() if key not in edges[1]),
    )


# ---- functions of the state ------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class _Function:
    """A function of the states of some nodes: values [2**len(names)], the first name being the lowest bit of the index."""

    names: tuple[str, ...]
    table: NDArray[np.float64]

    def without_idle(self) -> _Function:
        """The same function of only those nodes that matter to it."""
        names, cube = self.names, self.table.reshape((2,) * len(self.names)).T  # axis k is that of names[k]
        for k in reversed(range(len(names))):
            low, high = np.take(cube, 0, axis=k), np.take(cube, 1, axis=k)
            if np.array_equal(low, high):
                names, cube = (*names[:k], *names[k + 1 :]), low
        return _Function(names, np.ascontiguousarray(cube.T).reshape(-1))

    def at(self, state: Mapping[str, int]) -> float:
        """Value in a state; nodes that it does not name count as off."""
        return float(self.table[sum(state.get(name, 0) << k for k, name in enumerate(self.names))])


def _function(formula: Expression, regulators: tuple[str, ...], values: Mapping[str, float], scale: float) -> _Function:
    table = np.asarray(evaluate(formula, states_of(regulators), values), np.float64) * scale
    return _Function(regulators, np.broadcast_to(table, (2 ** len(regulators),)).copy()).without_idle()


def _unlike(one: _Function, other: _Function) -> dict[str, int] | None:
    """A state in which two functions differ, None if there is none."""
    if one.names != other.names and set(one.names) == set(other.names):
        axes = [one.names.index(name) for name in other.names]
        cube = one.table.reshape((2,) * len(axes)).T.transpose(axes)
        one = _Function(other.names, np.ascontiguousarray(cube.T).reshape(-1))
    if one.names == other.names:
        apart = np.flatnonzero(~np.isclose(one.table, other.table, rtol=1e-12, atol=0.0))
        return None if not apart.size else _state(one.names, int(apart[0]))
    # A node that matters to one of them only: of two states that differ in it, one shows the difference.
    for mine, yours in ((one, other), (other, one)):
        for k in (k for k, name in enumerate(mine.names) if name not in yours.names):
            index = np.arange(mine.table.size)
            turned = np.flatnonzero(~np.isclose(mine.table, mine.table[index ^ (1 << k)], rtol=1e-12, atol=0.0))
            for at in turned[:1]:
                states = [_state(mine.names, int(i)) for i in (at, at ^ (1 << k))]
                every = [dict.fromkeys(yours.names, 0) | state for state in states]
                return next(s for s in every if not np.isclose(mine.at(s), yours.at(s), rtol=1e-12, atol=0.0))
    return None


def _state(names: tuple[str, ...], index: int) -> dict[str, int]:
    return {name: index >> k & 1 for k, name in enumerate(names)}


# ---- nodes -----------------------------------------------------------------------------------------------------------------
def _node_changes(flat: Sequence[Network], values: Sequence[Mapping[str, float]], bit: str) -> Iterator[Change]:
    nodes = [network.node(bit) for network in flat]
    if nodes[0].is_input or nodes[1].is_input:
        if nodes[0].is_input != nodes[1].is_input:
            kinds = ["an input" if node.is_input else "regulated" for node in nodes]
            yield Change(bit, "is", kinds[0], kinds[1], {})
        return
    logic = [_logic(network, node, numbers) for network, node, numbers in zip(flat, nodes, values, strict=True)]
    if logic[0] is None or logic[1] is None:
        if logic[0] is not logic[1]:
            told = ["rates" if one is None else "logic" for one in logic]
            yield Change(bit, "is set by", told[0], told[1], {})
            return
    else:
        where = _unlike(logic[0], logic[1])
        if where is not None:
            told = ["on" if one.at(where) else "off" for one in logic if one is not None]
            yield Change(bit, "logic", told[0], told[1], where)
    for side, what in enumerate(("rate up", "rate down")):
        rates = [
            _rate(network, node, side, numbers) for network, node, numbers in zip(flat, nodes, values, strict=True)
        ]
        where = _unlike(rates[0], rates[1])
        if where is not None:
            told = [f"{rate.at(where):.4g} / h" for rate in rates]
            yield Change(bit, what, told[0], told[1], where)


def _logic(network: Network, node: Node, values: Mapping[str, float]) -> _Function | None:
    if not node.formulas:
        return None
    found = _function(node.formulas[0], network.regulators(node.name), values, 1.0)
    return _Function(found.names, (found.table != 0.0).astype(np.float64)).without_idle()


def _rate(network: Network, node: Node, side: int, values: Mapping[str, float]) -> _Function:
    speed = network.speeds_of(node)[side]
    assert speed is not None
    scale = to_internal(f"1 1/{network.time}", "1/h")
    return _function(speed, network.regulators(node.name), values, scale)
