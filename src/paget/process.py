"""What can happen: a process declares what it reads, adds to, sets and emits, and acts through exactly that.

Many may add, one may set, and only the engine restructures.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import StrEnum
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar

from paget.errors import EvidenceError, ModelError
from paget.evidence import Parameter
from paget.evidence.parameters import Basis
from paget.vocabulary import Variable

if TYPE_CHECKING:
    from paget.access import Do, See

__all__ = ["Named", "Phase", "Process", "Values", "is_nothing", "parameter", "quantity"]


NOTHING = "nothing"  # key of the one number that needs no evidence: zero


def is_nothing(number: Any) -> bool:
    """Whether a number is the zero that stands for what is absent, and so needs no evidence."""
    return isinstance(number, Parameter) and number.key == NOTHING


class Phase(StrEnum):
    """The parts of a tick, in order; within one, every process reads the same state."""

    BODY = "body"
    SENSE = "sense"
    SIGNAL = "signal"
    ACT = "act"
    MOVE = "move"
    TRANSPORT = "transport"


@dataclass(frozen=True)
class Named:
    """A number that a process takes from the parameter table, in the unit it computes with."""

    key: str
    unit: str


def parameter(key: str, unit: str) -> Any:
    """Declare a field of a process: by default the parameter `key`, needed in `unit`."""
    return field(default=Named(key, unit), metadata={"unit": unit})


def quantity(text: str, *, basis: Basis = "assumed", reason: str, source: str = "", key: str = "given") -> Parameter:
    """A number given in place of a table entry, with why it is believed: ``quantity("12 h", reason="pilot data")``."""
    number, _, unit = text.strip().partition(" ")
    try:
        return Parameter(key, key, float(number), unit.strip(), basis, reason, source)
    except ValueError:
        raise EvidenceError(f"'{text}' is not a number followed by a unit") from None


class Values(SimpleNamespace):
    """The numbers of one process for one animal, as plain floats in the units that the process declares."""

    def __getattr__(self, name: str) -> float:  # only reached where the name is missing; the type is for mypy
        raise AttributeError(f"the process declares no parameter '{name}'")


@dataclass(frozen=True, kw_only=True)
class Process(ABC):
    """One mechanism. Subclasses are frozen dataclasses whose parameter fields are made by `parameter`.

    role : what the process does in the model; unique there, and the name under which it is replaced or removed
    phase : when in the tick it acts
    on : cell types it acts on, in its view the rows; empty for processes on fields or the body
    reads, adds, sets : names of variables; `protocol.doses` and `protocol.operations` are readable too
    emits : structural events, as "death", "division", "conversion", "arrival", "leave"
    clock : True if it waits for a hazard; the engine then keeps one clock per cell and process
    summary : what it does, where the class is a general form; every : ticks between its turns
    """

    phase: ClassVar[Phase]
    whole: ClassVar[bool] = (
        False  # acts on all cells at once, in the order of their slots, which its result must not show
    )

    role: str
    sources: tuple[str, ...] = ()
    summary: str = ""
    every: int = 1

    def __post_init__(self) -> None:
        for item in dataclasses.fields(self):
            unit = item.metadata.get("unit")
            if unit is None:
                continue
            value = getattr(self, item.name)
            if isinstance(value, Named):
                if value.unit != unit:
                    raise ModelError(
                        f"process '{self.role}': {item.name} is needed in {unit or 'plain numbers'}, not in {value.unit}"
                    )
            elif isinstance(value, Parameter):
                value.inside(unit)
            elif isinstance(value, (int, float)) and value == 0:
                object.__setattr__(
                    self,
                    item.name,
                    Parameter(NOTHING, "nothing", float(value), unit, "assumed", "absent from this process", ""),
                )
            else:
                raise EvidenceError(
                    f"process '{self.role}': {item.name} = {value!r} has no basis; name a parameter, or write "
                    f'quantity("... {unit}", reason="...")'
                )
        if self.every < 1:
            raise ModelError(f"process '{self.role}': it must act every 1 or more ticks, not {self.every}")

    @property
    def on(self) -> tuple[str, ...]:
        return ()

    @property
    def reads(self) -> tuple[str, ...]:
        return ()

    @property
    def adds(self) -> tuple[str, ...]:
        return ()

    @property
    def sets(self) -> tuple[str, ...]:
        return ()

    @property
    def cites(self) -> tuple[str, ...]:
        """Keys of all sources that it rests on: its own and those of what it is made of."""
        return self.sources

    @property
    def variables(self) -> tuple[Variable, ...]:
        """Variables of its own, which no other mechanism knows by another meaning."""
        return ()

    @property
    def emits(self) -> tuple[str, ...]:
        return ()

    @property
    def clock(self) -> bool:
        return False

    @property
    def event(self) -> str:
        """What its events are called in the record; the kind of event if it has no name of its own."""
        return self.emits[0] if self.emits else ""

    @property
    def events(self) -> tuple[str, ...]:
        """The names of all its events in the record."""
        return (self.event,) if self.emits else ()

    @property
    def numbers(self) -> tuple[tuple[str, Named | Parameter, str], ...]:
        """(field, parameter, unit) of every number that the process uses, those of its rules included."""
        return tuple(
            (f.name, getattr(self, f.name), f.metadata["unit"])
            for f in dataclasses.fields(self)
            if "unit" in f.metadata
        )

    @property
    def sentence(self) -> str:
        """What it does, in one sentence: its own summary, or the first line of its description."""
        return self.summary or (type(self).__doc__ or "").strip().split("\n", 1)[0]

    def prepared(self, values: Values) -> Any:
        """What `step` gets as its numbers: the values as they are, or tables made of them once for each animal."""
        return values

    @abstractmethod
    def step(self, see: See, do: Do, p: Any) -> None:
        """Read through `see`, act through `do`; `p` holds the process's numbers for this animal, as `prepared`."""
