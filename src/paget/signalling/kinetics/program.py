"""Rate equations written as the register programs that the kernel runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from paget.kernels.kinetics_lanes import Elimination
from paget.kernels.kinetics_program import OPERATIONS, Program
from paget.signalling.kinetics.elimination import eliminated
from paget.signalling.kinetics.graph import Graph
from paget.signalling.kinetics.system import TIME, Kinetics

__all__ = ["Equations", "equations"]

_CODE = {op: code for code, op in enumerate(OPERATIONS)}


@dataclass(frozen=True)
class Equations:
    """A system as the kernel reads it.

    states, constants : names in the order of the registers
    program, elimination : see `paget.kernels.kinetics_program.Program` and `paget.kernels.kinetics_lanes.Elimination`
    observed : int64 [k], registers of the names in `observables` once `observe` has run: states, assigned names, reactions
    observe : int32 [m, 4], instructions after those of `program` of which the first part has been carried out
    floor : [n], the least value of each state
    timed : whether time occurs in the rates
    """

    states: tuple[str, ...]
    constants: tuple[str, ...]
    program: Program
    elimination: Elimination
    observables: tuple[str, ...]
    observe: NDArray[np.int32]
    observed: NDArray[np.int64]
    floor: NDArray[np.float64]
    timed: bool

    @property
    def first(self) -> int:
        """Number of registers before the results of instructions."""
        return len(self.states) + len(self.constants) + 1 + self.program.literals.size


class _Writer:
    """Writes instructions part by part; a part may use what the parts it builds on have left in registers."""

    def __init__(self, graph: Graph, states: tuple[str, ...], constants: tuple[str, ...]) -> None:
        self.graph = graph
        self.code: list[tuple[int, int, int, int]] = []
        self.inputs = {graph.name(name): place for place, name in enumerate((*states, *constants, TIME))}
        self.literals: dict[int, int] = {}
        self.moving = frozenset(graph.name(name) for name in (*states, TIME))

    def reserve(self, roots: Iterable[int]) -> None:
        """Give every literal below `roots` its register."""
        seen: set[int] = set()
        waiting = list(roots)
        while waiting:
            node = waiting.pop()
            if node in seen:
                continue
            seen.add(node)
            if self.graph.nodes[node][0] == "number":
                self.literals.setdefault(node, len(self.inputs) + len(self.literals))
            waiting += self.graph.operands(node)

    def part(self, roots: Iterable[int], known: Mapping[int, int]) -> dict[int, int]:
        """Write what `roots` need beyond the `known` registers; returns the registers of all nodes that are then known."""
        first = len(self.inputs) + len(self.literals)
        registers = {**self.inputs, **self.literals, **known}
        waiting = list(dict.fromkeys(roots))[::-1]
        while waiting:
            node = waiting[-1]
            if node in registers:
                waiting.pop()
                continue
            operands = self.graph.operands(node)
            missing = [one for one in operands if one not in registers]
            if missing:
                waiting += missing[::-1]
                continue
            a, b, c = (*(registers[one] for one in operands), 0, 0)[:3]
            registers[node] = first + len(self.code)
            self.code.append((_CODE[str(self.graph.nodes[node][0])], a, b, c))
            waiting.pop()
        return registers

    def fixed_below(self, roots: Iterable[int]) -> list[int]:
        """The largest parts of `roots` that no state decides: they are computed once."""
        found: list[int] = []
        seen: set[int] = set()
        waiting = list(roots)[::-1]
        while waiting:
            node = waiting.pop()
            if node in seen:
                continue
            seen.add(node)
            if not self.graph.depends(node) & self.moving:
                found.append(node)
            else:
                waiting += self.graph.operands(node)[::-1]
        return found


def _rates(system: Kinetics, graph: Graph, meaning: Mapping[str, int]) -> list[int]:
    """Nodes of the rates of change of all states."""
    change = {name: graph.number(0.0) for name in system.states}
    volume = {one.name: one.compartment for one in system.species if not one.amount and one.compartment}
    for reaction in system.reactions:
        net: dict[str, float] = {}
        for sign, side in ((-1.0, reaction.reactants), (1.0, reaction.products)):
            for name, count in side:
                net[name] = net.get(name, 0.0) + sign * count
        for name, count in net.items():
            if name in change and count != 0.0:
                flux = graph.apply("*", graph.number(abs(count)), meaning[reaction.name])
                change[name] = graph.apply("+" if count > 0.0 else "-", change[name], flux)
    for name, space in volume.items():
        if name in change:
            change[name] = graph.apply("/", change[name], graph.name(space))
    for rule in system.rates:
        change[rule.name] = graph.formula(rule.formula, meaning)
    return [change[name] for name in system.states]


@lru_cache(maxsize=64)
def _write(system: Kinetics) -> Equations:
    graph, states = Graph(), system.states
    meaning: dict[str, int] = {}
    for name in system.order:
        meaning[name] = graph.formula(system.definitions[name], meaning)
    rates = _rates(system, graph, meaning)
    entries = [
        (row, column, slope)
        for row, rate in enumerate(rates)
        for column, name in enumerate(states)
        if graph.literal(slope := graph.slope(rate, graph.name(name))) != 0.0
    ]
    drifts = [graph.slope(rate, graph.name(TIME)) for rate in rates]
    timed = any(graph.name(TIME) in graph.depends(rate) for rate in rates)
    triggers = [graph.formula(event.trigger, meaning) for event in system.events]
    targets = [(e, rule) for e, event in enumerate(system.events) for rule in event.assignments]
    assigned = [graph.formula(rule.formula, meaning) for _, rule in targets]
    observables = (*states, *system.assigned, *(one.name for one in system.reactions))
    seen = [meaning[name] if name in meaning else graph.name(name) for name in observables]

    writer = _Writer(graph, states, system.constants)
    slopes = [slope for _, _, slope in entries] + (drifts if timed else [])
    every = [*rates, *slopes, *triggers, *assigned, *seen]
    writer.reserve(every)
    ends = []
    fixed = writer.part(writer.fixed_below(every), {})
    ends.append(len(writer.code))
    now = writer.part(rates, fixed)
    ends.append(len(writer.code))
    later = writer.part(slopes, now)
    ends.append(len(writer.code))
    due = writer.part(triggers, fixed)
    ends.append(len(writer.code))
    then = writer.part(assigned, due)
    ends.append(len(writer.code))
    shown = writer.part(seen, fixed)

    def whole(numbers: Iterable[int]) -> NDArray[np.int64]:
        return np.array(list(numbers), np.int64)

    rows, columns = whole(row for row, _, _ in entries), whole(column for _, column, _ in entries)
    code = np.array(writer.code, np.int32).reshape(-1, 4)
    species = {one.name: one.nonnegative for one in system.species}
    return Equations(
        states,
        system.constants,
        Program(
            code[: ends[-1]].copy(),
            whole(ends),
            np.array([graph.nodes[node][1] for node in writer.literals], np.float64),
            whole(now[node] for node in rates),
            rows,
            columns,
            whole(later[slope] for _, _, slope in entries),
            whole(later[node] for node in drifts) if timed else whole(()),
            whole(due[node] for node in triggers),
            whole(e for e, _ in targets),
            whole(states.index(rule.name) for _, rule in targets),
            whole(then[node] for node in assigned),
        ),
        eliminated(len(states), rows, columns),
        observables,
        code,
        whole(shown[node] for node in seen),
        np.array([0.0 if species.get(name) else -np.inf for name in states]),
        timed,
    )


def equations(system: Kinetics) -> Equations:
    """The register program of a system; written once for each."""
    return _write(system)
