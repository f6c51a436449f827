"""The forms that mechanisms take: convert, die, arrive, secrete, decay. A catalogue entry is a form with numbers and rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from paget.errors import ModelError
from paget.evidence import Parameter
from paget.process import Named, Phase, Process, Values, parameter
from paget.rules import Rule, respond

if TYPE_CHECKING:
    from paget.access import Do, See

__all__ = ["Arrival", "Conversion", "Death", "FieldLoss", "FieldRelease", "Ruled", "Secretion"]


@dataclass(frozen=True, kw_only=True)
class Ruled(Process):
    """A behaviour of one cell type whose rate follows from a base and from rules.

    kind : the event that follows; called : its name in the record, if it has one of its own
    cell : the cell type; behaviour : its name in rule sentences; rules : sentences about it
    """

    phase: ClassVar[Phase] = Phase.ACT
    kind: ClassVar[str]

    cell: str
    behaviour: str
    called: str = ""
    base: Named | Parameter | int = field(default=0, metadata={"unit": "1/h"})
    rules: tuple[Rule, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        for rule in self.rules:
            if (rule.cell, rule.behaviour) != (self.cell, self.behaviour):
                raise ModelError(
                    f"process '{self.role}' is about '{self.cell}: {self.behaviour}', not about the rule '{rule.sentence}'"
                )

    @property
    def on(self) -> tuple[str, ...]:
        return (self.cell,)

    @property
    def emits(self) -> tuple[str, ...]:
        return (self.kind,)

    @property
    def event(self) -> str:
        return self.called or self.kind

    @property
    def clock(self) -> bool:
        return True

    @property
    def reads(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(rule.signal for rule in self.rules))

    @property
    def numbers(self) -> tuple[tuple[str, Named | Parameter, str], ...]:
        ruled = tuple(
            (f"rule{i}_{slot}", number, unit)
            for i, rule in enumerate(self.rules)
            for slot, number, unit in rule.numbers
        )
        return super().numbers + ruled

    def rate(self, see: See, p: Values) -> NDArray[np.float64]:
        """Rate [n_rows] in 1/h of the behaviour in every cell."""
        signals = [see.here(r.signal) if r.signal.startswith("field.") else see[r.signal] for r in self.rules]
        numbers = [
            (getattr(p, f"rule{i}_towards"), getattr(p, f"rule{i}_half"), getattr(p, f"rule{i}_hill"))
            for i in range(len(self.rules))
        ]
        return respond(p.base, signals, [r.increases for r in self.rules], numbers, see.count)


@dataclass(frozen=True, kw_only=True)
class Conversion(Ruled):
    """A cell changes its type at a rate set by rules.

    values : variables that the converted cell starts with
    """

    kind: ClassVar[str] = "conversion"

    to: str
    values: Mapping[str, float] = field(default_factory=dict)

    def step(self, see: See, do: Do, p: Values) -> None:
        if see.count:
            do.emit("conversion", do.ring(self.rate(see, p)), to=self.to, values=self.values)


@dataclass(frozen=True, kw_only=True)
class Death(Ruled):
    """A cell dies at a rate set by rules, and may leave material in its voxel.

    leaves : immobile field -> amount left, in (unit of the field) pL, as a parameter field named `amount`
    """

    kind: ClassVar[str] = "death"

    leaves: str = ""
    amount: Named | Parameter = field(default=Named("", ""), metadata={"unit": ""})

    @property
    def numbers(self) -> tuple[tuple[str, Named | Parameter, str], ...]:
        return tuple(n for n in super().numbers if n[1] != Named("", ""))

    @property
    def adds(self) -> tuple[str, ...]:
        return (self.leaves,) if self.leaves else ()

    def step(self, see: See, do: Do, p: Values) -> None:
        if see.count:
            do.emit("death", do.ring(self.rate(see, p)), leaves={self.leaves: p.amount} if self.leaves else {})


@dataclass(frozen=True, kw_only=True)
class Arrival(Ruled):
    """Cells enter the tissue at fixed sites, at a rate per site set by rules and by a pool in the body.

    pool : body variable that scales the rate; newcomer : the type that enters; values : variables it starts with
    """

    kind: ClassVar[str] = "arrival"

    newcomer: str
    pool: str
    radius: Named | Parameter = parameter("neutrophil_radius", "um")
    values: Mapping[str, Named | Parameter] = field(default_factory=dict)

    @property
    def numbers(self) -> tuple[tuple[str, Named | Parameter, str], ...]:
        starts = tuple((f"start_{name.split('.')[1]}", number, number.unit) for name, number in self.values.items())
        return super().numbers + starts

    @property
    def reads(self) -> tuple[str, ...]:
        return (*super().reads, self.pool)

    def step(self, see: See, do: Do, p: Values) -> None:
        rates = self.rate(see, p) * see[self.pool]
        starts = {name: getattr(p, f"start_{name.split('.')[1]}") for name in self.values}
        do.arrive(self.newcomer, do.ring_repeatedly(rates), {"cell.radius": p.radius, **starts})


@dataclass(frozen=True, kw_only=True)
class Secretion(Process):
    """A cell releases a factor in proportion to one of its own variables (or steadily).

    amount : molecules per cell and hour at full activity, taken in nM pL/h
    """

    phase: ClassVar[Phase] = Phase.ACT
    cells: tuple[str, ...]
    factor: str
    driver: str = ""
    amount: Named | Parameter = field(default=Named("", "nM*pL/h"), metadata={"unit": "nM*pL/h"})

    @property
    def on(self) -> tuple[str, ...]:
        return self.cells

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.driver,) if self.driver else ()

    @property
    def adds(self) -> tuple[str, ...]:
        return (self.factor,)

    def step(self, see: See, do: Do, p: Values) -> None:
        if see.count:
            activity: Any = see[self.driver] if self.driver else np.ones(see.count)
            do.secrete(self.factor, p.amount * activity)


@dataclass(frozen=True, kw_only=True)
class FieldLoss(Process):
    """A factor is lost everywhere at a first-order rate, given as a half-life."""

    phase: ClassVar[Phase] = Phase.TRANSPORT
    factor: str
    half_life: Named | Parameter = field(default=Named("", "h"), metadata={"unit": "h"})

    @property
    def adds(self) -> tuple[str, ...]:
        return (self.factor,)

    def step(self, see: See, do: Do, p: Values) -> None:
        do.lose(self.factor, np.log(2.0) / p.half_life)


@dataclass(frozen=True, kw_only=True)
class FieldRelease(Process):
    """An immobile structure releases a diffusing factor in proportion to its amount.

    rate : concentration released per unit of structure and hour
    """

    phase: ClassVar[Phase] = Phase.ACT
    structure: str
    factor: str
    rate: Named | Parameter = field(default=Named("", "nM*pL/h"), metadata={"unit": "nM*pL/h"})

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.structure,)

    @property
    def adds(self) -> tuple[str, ...]:
        return (self.factor,)

    def step(self, see: See, do: Do, p: Values) -> None:
        do.add(self.factor, p.rate * see[self.structure])
