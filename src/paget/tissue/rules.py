"""Rules of a tissue: what cells sense moves what they do."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from paget.errors import ModelError, PagetError
from paget.evidence import Parameter
from paget.kernels import rules as kernel
from paget.process import Named, Phase, Values
from paget.rules import Lexicon, Rule, problems
from paget.rules.behaviours import Behaviour, behaviour, canonical, column_of
from paget.rules.signals import Signal
from paget.tissue.behaviours import base_values, lacks
from paget.tissue.definition import CellDefinition
from paget.tissue.process import TissueProcess
from paget.tissue.signals import reads_of, sensed
from paget.vocabulary import VARIABLES, Variable

if TYPE_CHECKING:
    from paget.access import Do, See

__all__ = ["CellRules", "RuleTable", "lexicon_of", "rule_problems"]

Real = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True)
class RuleTable:
    """All rules of all cell types as arrays, sorted by behaviour and type; see `paget.kernels.rules.respond` for shapes."""

    base: Real
    start: Whole
    signal: Whole
    raises: Whole
    dead_too: Whole
    numbers: Real

    def respond(self, threads: int, types: Whole, death: Whole, signals: Real, current: Real, personal: Real) -> Real:
        """Behaviours [n_behaviours, n] of cells of these `types` [n] that sense `signals` [n_signals, n]."""
        parts = (self.base, self.start, self.signal, self.raises, self.dead_too, self.numbers)
        found: Real = kernel.respond(threads, types, death, signals, current, personal, *parts)
        return found


@dataclass(frozen=True, kw_only=True)
class CellRules(TissueProcess):
    """Cells change what they do by what they sense, along Hill curves that combine as in the cell behaviour hypothesis grammar.

    behaviour = (1 - D) ((1 - U) base + U high) + D low, with U and D the saturating sums of the raising and lowering rules.
    Dead cells answer only to rules that apply to the dead; where none does, their behaviour stays as it was.

    personal : behaviours whose base value each cell brings in a column of its own (`column_of(name, base=True)`), where it
    is a number. nodes : cell variable that holds each node of a network inside the cells.

    Raises
    ------
    ModelError
        With everything that the rules say and the tissue does not have.
    """

    phase: ClassVar[Phase] = Phase.SENSE

    role: str = "rules"
    rules: tuple[Rule, ...] = ()
    personal: tuple[str, ...] = ()
    nodes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        wrong = list(rule_problems(self.rules, self.definitions, self.lexicon))
        if wrong:
            raise ModelError("The rules do not fit this tissue:", wrong)

    @property
    def lexicon(self) -> Lexicon:
        """What the rules may speak of."""
        return lexicon_of(self.definitions, self.units, tuple(self.nodes))

    @cached_property
    def behaviours(self) -> tuple[Behaviour, ...]:
        """The behaviours that rules change, in the order of their columns."""
        found = {rule.behaviour: rule.about for rule in self.rules}
        return tuple(about for _, about in sorted(found.items()) if about is not None)

    @cached_property
    def signals(self) -> tuple[Signal, ...]:
        """The signals that rules listen to, in order of name."""
        return tuple(dict(sorted((rule.signal, rule.sensed) for rule in self.rules)).values())

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The columns that this process sets or reads beyond the common vocabulary."""
        units = self.units
        own = [column_of(b.name, units.get(f"field.{b.about}", "")) for b in self.behaviours]
        bases = [b for b in self.behaviours if b.name in self._bases]
        return (*own, *(column_of(b.name, units.get(f"field.{b.about}", ""), base=True) for b in bases))

    @property
    def _bases(self) -> tuple[str, ...]:
        ruled = {b.name for b in self.behaviours}
        return tuple(n for n in map(canonical, self.personal) if n in ruled)

    @property
    def reads(self) -> tuple[str, ...]:
        columns = (*(b.variable for b in self.behaviours), *(_base_of(n) for n in self._bases))
        return tuple(dict.fromkeys(("cell.type", "cell.death", *reads_of(self.signals, self.nodes), *columns)))

    @property
    def sets(self) -> tuple[str, ...]:
        return tuple(b.variable for b in self.behaviours)

    @property
    def numbers(self) -> tuple[tuple[str, Named | Parameter, str], ...]:
        slots = {b.slot for b in self.behaviours}
        bases = tuple(
            (f"{index}.{slot}", value, unit)
            for index, definition in enumerate(self.definitions)
            for slot, value, unit in definition.listed(self.units)
            if slot in slots
        )
        lexicon = self.lexicon
        ruled = tuple(
            (f"rule{i}_{slot}", number, unit)
            for i, rule in enumerate(self.rules)
            for slot, number, unit in rule.numbers_in(lexicon)
            if slot != "base"
        )
        return bases + ruled

    def prepare(self, values: dict[str, float]) -> RuleTable:
        """The table of rules for one animal."""
        types = [definition.name for definition in self.definitions]
        rows = {b.name: row for row, b in enumerate(self.behaviours)}
        columns = {s.name: row for row, s in enumerate(self.signals)}
        # Within a behaviour and type, rules stand in the order of their signals, whatever order they were written in.
        place = [
            (rows[r.behaviour] * len(types) + types.index(r.cell), columns[r.signal], r.increases) for r in self.rules
        ]
        order = sorted(range(len(self.rules)), key=place.__getitem__)
        groups = np.array([place[i][0] for i in order], dtype=np.int64)
        each = [[values[f"rule{i}_{slot}"] for slot in ("towards", "half", "hill")] for i in order]
        return RuleTable(
            base=base_values(values, self.definitions, self.behaviours),
            start=np.searchsorted(groups, np.arange(len(rows) * len(types) + 1)).astype(np.int64),
            signal=np.array([place[i][1] for i in order], dtype=np.int64),
            raises=np.array([self.rules[i].increases for i in order], dtype=np.int64),
            dead_too=np.array([self.rules[i].applies_to_dead for i in order], dtype=np.int64),
            numbers=np.array(each, dtype=np.float64).reshape(len(order), 3),
        )

    def step(self, see: See, do: Do, p: Values | Any) -> None:
        if not see.count or not self.rules:
            return
        signals = sensed(see, self.signals, self.nodes)
        current = np.stack([see[b.variable] for b in self.behaviours])
        personal = np.empty((0, 0))
        if self._bases:
            personal = np.stack(
                [
                    see[_base_of(b.name)] if b.name in self._bases else np.full(see.count, math.nan)
                    for b in self.behaviours
                ]
            )
        found = p.respond(see.threads, see["cell.type"], see["cell.death"], signals, current, personal)
        for row, one in enumerate(self.behaviours):
            do.set(one.variable, found[row])


def _base_of(name: str) -> str:
    return column_of(name, base=True).name


def lexicon_of(definitions: Sequence[CellDefinition], units: Mapping[str, str], nodes: tuple[str, ...] = ()) -> Lexicon:
    """What rules of a tissue may speak of: its types, its fields in their `units`, and the variables of its cells."""
    cells = {name: variable for name, variable in VARIABLES.items() if not name.startswith("field.")}
    fields = {
        name: dataclasses.replace(VARIABLES[name], unit=unit) if name in VARIABLES else Variable(name, unit, name)
        for name, unit in units.items()
    }
    own = {
        name: Variable(name, number.unit, "a variable of this tissue's cells")
        for definition in definitions
        for name, number in definition.own.items()
    }
    return Lexicon(tuple(definition.name for definition in definitions), {**cells, **fields, **own}, nodes)


def rule_problems(rules: Sequence[Rule], definitions: Sequence[CellDefinition], lexicon: Lexicon) -> Iterator[str]:
    """Everything in which rules and tissue do not fit: unknown names, units, missing parts, one signal twice, other bases."""
    by_name = {definition.name: definition for definition in definitions}
    seen: set[tuple[str, str, str, bool]] = set()
    for rule in rules:
        yield from problems(rule, lexicon)
        about, definition = behaviour(rule.behaviour), by_name.get(rule.cell)
        if about is None or definition is None:
            continue
        missing = lacks(definition, about)
        if missing:
            yield f"rule '{rule.sentence}': '{rule.cell}' has no {missing.replace('exchange.', 'exchange with ')}"
        group = (rule.cell, rule.behaviour, rule.signal, rule.increases)
        if group in seen:
            verb = "increases" if rule.increases else "decreases"
            yield f"rule '{rule.sentence}': '{rule.cell}' has another rule by which {rule.signal} {verb} {rule.behaviour}"
        seen.add(group)
        yield from _other_base(rule, definition, about, lexicon)


def _other_base(rule: Rule, definition: CellDefinition, about: Behaviour, lexicon: Lexicon) -> Iterator[str]:
    """A sentence may say from which base it starts; it must be that of the cell type."""
    try:
        said = {slot: number for slot, number, _ in rule.numbers_in(lexicon)}.get("base")
    except PagetError:
        return  # told as a problem of its own
    if not isinstance(said, Parameter):  # a row of the parameter table, or not given
        return
    units = {name: variable.unit for name, variable in lexicon.variables.items()}
    for slot, value, unit in definition.listed(units):
        if slot != about.slot or not isinstance(value, Parameter):
            continue
        if not math.isclose(said.inside(unit), value.inside(unit), rel_tol=1e-9):
            yield f"rule '{rule.sentence}': the base of {rule.behaviour} of '{rule.cell}' is {value.value:g} {value.unit}"
