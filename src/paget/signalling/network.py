"""A network inside a cell as data: nodes, the logic that switches them, how fast, from where, and on whose evidence.

Every node is off or on, or has a few levels. A node that its logic calls for turns on at the rate `up`, one that it does not
turns off at the rate `down`: a Markov chain in continuous time, in the definition of Stoll et al. 2012
(doi:10.1186/1752-0509-6-116). Nodes without logic are inputs, which only the surroundings, a drug or a mutation set.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from paget.errors import ModelError, UnitError, UnknownNameError, nearest
from paget.evidence import Parameter, ParameterTable
from paget.process import Named
from paget.signalling.expression import (
    Expression,
    ExpressionError,
    evaluate,
    names,
    number,
    parse,
    quantities,
    substitute,
    variable,
)
from paget.units import same_dimension, to_internal

__all__ = ["MOST_REGULATORS", "Edge", "Network", "Node", "states_of"]

MOST_REGULATORS = 16  # 65,536 rows of a truth table; nothing that people write down needs more
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _formula(given: str | Expression | None, where: str) -> Expression | None:
    if given is None or isinstance(given, Expression):
        return given
    try:
        return parse(given)
    except ExpressionError as problem:
        raise ExpressionError(f"{where}: {problem}") from None


@dataclass(frozen=True, kw_only=True)
class Node:
    """A molecule, a complex or a state of the cell that is on or off.

    logic : when it is called for; a tuple has the logic of level 1, 2, ... of a node with levels
    up, down : rates at which it turns on when called for, and off when not; without logic, the rates themselves as functions of
    the state. Empty: those of the network. Numbers and quantities are per `Network.time`
    initial : probability of being on at the start, or the level at the start of a node with levels
    division : whether daughters copy the state or draw it anew from `initial`
    genes : HGNC symbols. edges : regulator -> the row of the table of mechanisms, or the source, that the influence rests on
    """

    name: str
    logic: str | Expression | tuple[str | Expression, ...] | None = None
    up: str | Expression | None = None
    down: str | Expression | None = None
    initial: float = 0.0
    division: Literal["copy", "redraw"] = "copy"
    label: str = ""
    module: str = ""
    genes: tuple[str, ...] = ()
    edges: Mapping[str, str] = field(default_factory=dict)
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for slot in ("up", "down"):
            object.__setattr__(self, slot, _formula(getattr(self, slot), f"node '{self.name}', {slot}"))
        given = self.logic if isinstance(self.logic, tuple) else () if self.logic is None else (self.logic,)
        object.__setattr__(self, "logic", tuple(_formula(one, f"node '{self.name}'") for one in given))

    @property
    def formulas(self) -> tuple[Expression, ...]:
        """Logic of each level; none for an input or a node that has only rates."""
        return self.logic  # type: ignore[return-value]  # made so in __post_init__

    @property
    def speeds(self) -> tuple[Expression | None, Expression | None]:
        """Formulas of the rates (up, down), None where the network's apply."""
        return self.up, self.down  # type: ignore[return-value]

    @property
    def levels(self) -> int:
        """The highest level; 1 for a node that is off or on."""
        return max(len(self.formulas), 1)

    @property
    def is_input(self) -> bool:
        """Whether nothing inside the network switches it; logic that only repeats the node is none."""
        if self.formulas:
            return all(one == variable(self.name) for one in self.formulas)
        return self.up is None and self.down is None

    def bits(self) -> tuple[str, ...]:
        """Names of the on-off variables that hold its state: of level 1, 2, ..."""
        return (self.name,) if self.levels == 1 else tuple(f"{self.name}_b{k + 1}" for k in range(self.levels))

    @property
    def regulators(self) -> tuple[str, ...]:
        """Names of the nodes that switch it or set its rates."""
        if self.is_input:
            return ()
        formulas = [*self.formulas, *(one for one in self.speeds if one is not None)]
        return tuple(dict.fromkeys(name for one in formulas for name in names(one)))


@dataclass(frozen=True)
class Edge:
    """An influence: sign 1 where more of the source only ever raises the target, -1 lowers, 0 both."""

    source: str
    target: str
    sign: int
    evidence: str = ""


@dataclass(frozen=True, kw_only=True)
class Network:
    """Nodes that switch each other.

    nodes : in the order of storage. up, down : rates of nodes that have none of their own. time : unit that rates are per
    quantities : what names in braces stand for. sources : where the network as a whole comes from

    Raises
    ------
    ModelError
        With everything that is wrong with it.
    """

    name: str
    nodes: tuple[Node, ...]
    up: str | Expression = "1"
    down: str | Expression = "1"
    time: str = "h"
    quantities: Mapping[str, Named | Parameter] = field(default_factory=dict)
    title: str = ""
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for slot in ("up", "down"):
            object.__setattr__(self, slot, _formula(getattr(self, slot), f"network '{self.name}', {slot}"))
        wrong = list(self._problems())
        if wrong:
            raise ModelError(f"The network '{self.name}' cannot be built:", wrong)

    # ---- checks ---------------------------------------------------------------------------------------------------
    def _problems(self) -> Iterator[str]:
        listed = [bit for node in self.nodes for bit in dict.fromkeys((node.name, *node.bits()))]
        if not self.nodes:
            yield "it has no nodes"
        for name in sorted({name for name in listed if listed.count(name) > 1}):
            yield f"the node '{name}' is given twice"
        try:
            to_internal(f"1 1/{self.time}", "1/h")
        except UnitError:
            yield f"'{self.time}' is not a unit of time"
        known = {node.name: node for node in self.nodes}
        for key, given in self.quantities.items():
            if given.unit and not same_dimension(given.unit, "1/h"):
                yield f"the quantity '{key}' is in {given.unit}; a network knows rates, as 1/{self.time}, and plain numbers"
        for node in self.nodes:
            if not _NAME.fullmatch(node.name):
                yield f"'{node.name}' cannot be the name of a node; use letters, digits and underscores"
                continue
            top = node.levels if node.levels > 1 else 1
            whole = node.levels == 1 or node.initial == int(node.initial)
            if not (0.0 <= node.initial <= top and whole):
                needed = "a probability from 0 to 1" if node.levels == 1 else f"a level from 0 to {node.levels}"
                yield f"node '{node.name}': its start must be {needed}, not {node.initial:g}"
            if node.logic and node.is_input is False and node.division not in ("copy", "redraw"):
                yield f"node '{node.name}': daughters can 'copy' its state or 'redraw' it, not '{node.division}'"
            missing = [name for name in node.regulators if name not in known]
            for name in missing:
                yield f"node '{node.name}': its logic names '{name}', which is no node. {nearest(name, known)}"
            for key in self._quantities_of(node):
                if key not in self.quantities:
                    yield f"node '{node.name}': the quantity '{key}' is not given. {nearest(key, self.quantities)}"
            for name in node.edges:
                if name not in node.regulators:
                    yield f"node '{node.name}': evidence is given for '{name}', which does not regulate it"
            if missing:
                continue
            bits = sum(known[name].levels for name in node.regulators)
            if bits > MOST_REGULATORS:
                yield (
                    f"node '{node.name}' has {bits} regulators; at most {MOST_REGULATORS} fit a truth table. Give a part of "
                    "its logic a node of its own"
                )
            elif bits + 1 <= MOST_REGULATORS and not self._open(node):
                yield from self._negative(node)

    def _quantities_of(self, node: Node) -> tuple[str, ...]:
        formulas = [*node.formulas, *(one for one in self.speeds_of(node) if one is not None)]
        return tuple(dict.fromkeys(key for one in formulas for key in quantities(one)))

    def _open(self, node: Node) -> bool:
        """Whether a rate depends on a row of a parameter table, whose value only an animal has."""
        return any(not isinstance(self.quantities.get(key), Parameter) for key in self._quantities_of(node))

    def _negative(self, node: Node) -> Iterator[str]:
        values = {
            key: row.inside(row.unit)
            for key in self._quantities_of(node)
            if isinstance(row := self.quantities[key], Parameter)
        }
        involved = tuple(dict.fromkeys((*self.regulators(node.name), node.name)))
        if any(self.node(name).levels > 1 for name in involved):
            return  # its bits are checked when the levels are laid out
        for direction, speed in zip(("up", "down"), self.speeds_of(node), strict=True):
            if speed is None:
                continue
            found = np.asarray(evaluate(speed, states_of(involved), values), np.float64)
            if not np.all(np.isfinite(found)) or np.any(found < 0.0):
                yield f"node '{node.name}': its rate {direction}, {speed}, is negative or not a number in some state"

    # ---- look -----------------------------------------------------------------------------------------------------
    def __len__(self) -> int:
        return len(self.nodes)

    @cached_property
    def _index(self) -> Mapping[str, int]:
        return {node.name: i for i, node in enumerate(self.nodes)}

    def node(self, name: str) -> Node:
        """The node of that name.

        Raises
        ------
        UnknownNameError
        """
        if name not in self._index:
            raise UnknownNameError("node", name, self._index)
        return self.nodes[self._index[name]]

    def __contains__(self, name: str) -> bool:
        return name in self._index

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._index)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the nodes that nothing inside switches."""
        return tuple(node.name for node in self.nodes if node.is_input)

    @property
    def regulated(self) -> tuple[str, ...]:
        """Names of the nodes that others switch."""
        return tuple(node.name for node in self.nodes if not node.is_input)

    @property
    def has_bare_rates(self) -> bool:
        """Whether some rate that is not zero is written as a number, which says nothing of why it is believed."""
        speeds = [speed for node in self.nodes for speed in self.speeds_of(node) if speed is not None]
        return any(not quantities(speed) and speed != number(0.0) for speed in speeds)

    def speeds_of(self, node: Node) -> tuple[Expression | None, Expression | None]:
        """Formulas of the rates (up, down) of a node, the network's where it has none of its own."""
        if node.is_input:
            return None, None
        up, down = node.speeds
        if not node.formulas:
            return up or number(0.0), down or number(0.0)
        return up or self.up, down or self.down  # type: ignore[return-value]  # parsed in __post_init__

    def regulators(self, name: str) -> tuple[str, ...]:
        """Names of the nodes that switch this one or set its rates, those of the network's own rates included."""
        node = self.node(name)
        if node.is_input:
            return ()
        formulas = [*node.formulas, *(one for one in self.speeds_of(node) if one is not None)]
        return tuple(dict.fromkeys(other for one in formulas for other in names(one)))

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """All influences between nodes, with their signs; those that never change anything are left out."""
        found = []
        for node in self.nodes:
            signs = _signs(self, node)
            found += [Edge(source, node.name, sign, node.edges.get(source, "")) for source, sign in signs.items()]
        return tuple(found)

    def values(self, parameters: ParameterTable | None = None) -> dict[str, float]:
        """The quantities in braces as numbers, rates per `time` of the network.

        Raises
        ------
        UnknownNameError
            If a row of the table is missing.
        """
        found = {}
        for key, given in self.quantities.items():
            row = given if isinstance(given, Parameter) else (parameters or ParameterTable({}))[given.key]
            found[key] = row.inside(self.unit_of(key))
        return found

    def unit_of(self, key: str) -> str:
        """Unit in which a quantity enters the formulas: per `time` of the network for a rate, plain for a share."""
        return f"1/{self.time}" if same_dimension(self.quantities[key].unit, "1/h") else self.quantities[key].unit

    # ---- edits ----------------------------------------------------------------------------------------------------
    def changed(self, *nodes: Node, name: str = "", without: Iterable[str] = ()) -> Network:
        """A network with nodes replaced, added or taken out."""
        gone = set(without)
        for one in gone:
            self.node(one)
        new = {node.name: node for node in nodes}
        kept = tuple(new.pop(node.name, node) for node in self.nodes if node.name not in gone)
        return dataclasses.replace(self, nodes=(*kept, *new.values()), name=name or self.name)

    def clamped(self, states: Mapping[str, float]) -> Network:
        """A network in which nodes never leave a state, as a knock-out (0) or a gain of function (the highest level) does."""
        nodes = []
        for name, state in states.items():
            node = self.node(name)
            # Nothing switches it any more; it has as many levels as before.
            logic = (variable(node.name),) * node.levels if node.levels > 1 else None
            nodes.append(dataclasses.replace(node, logic=logic, up=None, down=None, edges={}, initial=float(state)))
        return self.changed(*nodes)

    def expanded(self) -> Network:
        """The same network with every node off or on: a node with levels becomes one on-off node per level.

        Level k turns on only above level k - 1 and off only below level k + 1 (Van Ham 1979), so that the levels move by one.
        """
        levelled = {node.name: node for node in self.nodes if node.levels > 1}
        if not levelled:
            return self

        def plain(part: Expression) -> Expression | None:
            if part.op == "name" and part.name in levelled:
                return variable(levelled[part.name].bits()[0])
            if part.op in _COMPARED and part.args[0].op == "name" and part.args[0].name in levelled:
                return _compared(levelled[part.args[0].name], part.op, part.args[1])
            return None

        nodes: list[Node] = []
        for node in self.nodes:
            up, down = (None if one is None else substitute(one, plain) for one in node.speeds)
            logic = tuple(substitute(one, plain) for one in node.formulas)
            if node.levels == 1:
                nodes.append(dataclasses.replace(node, logic=logic, up=up, down=down, edges={}))
                continue
            bits = node.bits()
            for k, bit in enumerate(bits):
                formula = variable(bit) if node.is_input else _laid(logic[k], bits, k)
                start = float(node.initial > k)
                nodes.append(
                    dataclasses.replace(node, name=bit, logic=(formula,), up=up, down=down, initial=start, edges={})
                )
        return dataclasses.replace(self, nodes=tuple(nodes))


_COMPARED = ("<", "<=", ">", ">=", "==", "!=")


def _compared(node: Node, op: str, other: Expression) -> Expression:
    """Whether a node with levels is below, at or above a level, in terms of its bits."""
    if other.op != "number" or other.value != int(other.value):
        raise ModelError(f"node '{node.name}' has levels; compare it with a whole number, not with '{other}'")
    at, bits = int(other.value), node.bits()

    def reaches(level: int) -> Expression:
        if level <= 0:
            return number(1.0)
        return number(0.0) if level > len(bits) else variable(bits[level - 1])

    def no(one: Expression) -> Expression:
        return Expression("not", (one,))

    exactly = Expression("and", (reaches(at), no(reaches(at + 1))))
    return {
        ">=": reaches(at),
        ">": reaches(at + 1),
        "<": no(reaches(at)),
        "<=": no(reaches(at + 1)),
        "==": exactly,
        "!=": no(exactly),
    }[op]


def _laid(wanted: Expression, bits: tuple[str, ...], k: int) -> Expression:
    """Logic of level k + 1 that keeps levels in order: not without the level below, not off while the one above is on."""
    formula = wanted
    if k > 0:
        formula = Expression("and", (formula, variable(bits[k - 1])))
    if k + 1 < len(bits):
        formula = Expression("or", (formula, variable(bits[k + 1])))
    return formula


def states_of(involved: tuple[str, ...]) -> dict[str, NDArray[np.bool_]]:
    """All states of these nodes: of each an array [2**k], the first name being the lowest bit of the index."""
    index = np.arange(2 ** len(involved))
    return {name: (index >> bit & 1).astype(bool) for bit, name in enumerate(involved)}


def _signs(network: Network, node: Node) -> dict[str, int]:
    """Sign of the influence of every regulator on a node, over all states of the others; those without any left out."""
    regulators = network.regulators(node.name)
    if not regulators or any(network.node(name).levels > 1 for name in (*regulators, node.name)):
        return _signs_by_levels(network, node)
    states, values = states_of(regulators), _typical(network)
    if node.formulas:
        tendency = [np.broadcast_to(np.not_equal(evaluate(node.formulas[0], states, values), 0), (2 ** len(states),))]
    else:
        tendency = []
    up, down = network.speeds_of(node)
    for speed, sign in ((up, 1.0), (down, -1.0)):
        if speed is not None and names(speed):
            tendency.append(
                np.broadcast_to(sign * np.asarray(evaluate(speed, states, values), float), (2 ** len(states),))
            )
    found = {}
    for bit, name in enumerate(regulators):
        off = np.arange(2 ** len(regulators))
        off = off[off >> bit & 1 == 0]
        change = np.concatenate([one[off | 1 << bit].astype(float) - one[off].astype(float) for one in tendency])
        if np.any(change > 0) or np.any(change < 0):
            found[name] = 0 if np.any(change > 0) and np.any(change < 0) else 1 if np.any(change > 0) else -1
    return found


def _typical(network: Network) -> dict[str, float]:
    """Quantities for telling signs: those that are given, and distinct numbers below 1 for rows of a table."""
    listed = enumerate(network.quantities.items())
    return {key: one.inside(one.unit) if isinstance(one, Parameter) else 1.0 / (k + 2) for k, (key, one) in listed}


def _signs_by_levels(network: Network, node: Node) -> dict[str, int]:
    """The same where levels are involved: from the influences between their bits."""
    flat = network.expanded()
    if flat is network:
        return {}
    owner = {bit: one.name for one in network.nodes for bit in one.bits()}
    found: dict[str, set[int]] = {}
    for bit in node.bits():
        for source, sign in _signs(flat, flat.node(bit)).items():
            if owner[source] != node.name or node.levels == 1:
                found.setdefault(owner[source], set()).add(sign)
    return {source: signs.pop() if len(signs) == 1 else 0 for source, signs in found.items()}
