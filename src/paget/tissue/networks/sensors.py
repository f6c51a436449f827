"""How cells sense for their networks: what sets the inputs of a network, from fields, contacts, attachment, body and cell.

    Threshold(node="Hypoxia", signal="field.oxygen", on="8 mmHg", off="12 mmHg", below=True, reason="...")
    HillInput(node="TGFB", signal="field.tgfb", half="0.05 nM", hill="2", switching="1 1/h", reason="...")

Signals are those that rules know: fields, their gradients, contacts, properties of the cell, levels in the body.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from paget.errors import EvidenceError
from paget.evidence import Parameter
from paget.process import is_nothing
from paget.rules.signals import Signal, signal
from paget.tissue.definition import OF_FIELD, Given, Number, Part, in_unit, number
from paget.vocabulary import VARIABLES, Variable

__all__ = [
    "HillInput",
    "Sensing",
    "Sensor",
    "ShareInput",
    "Threshold",
    "listed_numbers",
    "number_problems",
    "one_where_not_given",
]


def one_where_not_given(key: str, reason: str) -> Any:
    """Declare a plain number that is 1 where nothing is said, which needs no other basis than what 1 means there."""
    return field(default=Parameter(key, key, 1.0, "", "assumed", reason, ""), metadata={"unit": ""})


@dataclass(frozen=True, kw_only=True)
class Sensing(Part):
    """What listens to a signal on behalf of a node.

    signal : name as in rules. cells : the types that sense it, all whose network has the node if empty
    """

    node: str
    signal: str
    cells: tuple[str, ...] = ()

    @cached_property
    def sensed(self) -> Signal:
        return signal(self.signal)

    @property
    def fluctuates(self) -> bool:
        """Whether the node turns on and off by itself, with a probability that the signal sets."""
        return False

    def listed_in(self, variables: Mapping[str, Variable]) -> Iterator[tuple[str, Number, str]]:
        """(slot, number, unit) of every number, in the unit of the signal where it is a level of it."""
        own = self.sensed.unit(variables)
        for slot, value, unit in self.listed():
            here = (own or "") if unit == OF_FIELD else unit
            yield slot, in_unit(value, here), here


@dataclass(frozen=True, kw_only=True)
class Threshold(Sensing):
    """An input that turns on when the signal rises above `on` and off when it falls below `off`; between, it stays as it was.

    below : the other way round, on when the signal falls below `on` and off when it rises above `off`, as for lack of oxygen.
    Without `off` both are at `on`.
    """

    on: Given = number(OF_FIELD)
    off: Given = number(OF_FIELD)
    below: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if is_nothing(self.off):
            object.__setattr__(self, "off", self.on)


@dataclass(frozen=True, kw_only=True)
class HillInput(Sensing):
    """An input that is on with the probability P = most s^hill / (half^hill + s^hill) of its signal s.

    switching : rate at which it turns on and off, so that its state is new after 1 / switching, and it is on P of the time
    personal : instead, every cell has a threshold for life, drawn so that the share P of the cells is on; `switching` has then
    no part. falls : with 1 - s^hill / (half^hill + s^hill) in place of the rising curve.
    """

    half: Given = number(OF_FIELD)
    hill: Given = number("")
    most: Given = one_where_not_given("full", "a saturating signal has its full effect")
    switching: Given = number("1/h")
    personal: bool = False
    falls: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        for slot in ("half", "hill"):
            if is_nothing(getattr(self, slot)):
                raise EvidenceError(f"HillInput of '{self.node}': {slot} is not given")
        if self.personal is not is_nothing(self.switching):
            raise EvidenceError(
                f"HillInput of '{self.node}': give the rate `switching` at which it turns on and off, or make it `personal`"
            )

    @property
    def fluctuates(self) -> bool:
        return not self.personal


@dataclass(frozen=True, kw_only=True)
class ShareInput(Sensing):
    """An input that is on for the share of the time that the signal is: for signals that are shares, as receptors engaged.

    switching : rate at which it turns on and off. A signal below 0 counts as 0 and above 1 as 1.
    """

    switching: Given = number("1/h")

    def __post_init__(self) -> None:
        super().__post_init__()
        if is_nothing(self.switching):
            raise EvidenceError(f"ShareInput of '{self.node}': give the rate `switching` at which it turns on and off")

    @property
    def fluctuates(self) -> bool:
        return True


Sensor = Threshold | HillInput | ShareInput


def listed_numbers(kind: str, items: Sequence[Any], units: Mapping[str, str]) -> Iterator[tuple[str, Number, str]]:
    """(slot, number, unit) of all numbers of sensors or drugs, slots as ``<kind><index>.<slot>``; `units` of a tissue's own."""
    known = {**VARIABLES, **{name: Variable(name, unit, name) for name, unit in units.items()}}
    for i, one in enumerate(items):
        for slot, value, unit in one.listed_in(known):
            yield f"{kind}{i}.{slot}", value, unit


_SHARES = ("most", "efficiency", "spread")
_ABOVE_ZERO = ("half", "hill", "switching", "onset", "half_life", "affinity")


def number_problems(one: Part, what: str) -> Iterator[str]:
    """What is wrong with the numbers of a sensor or a drug that are known already; rows of a table are an animal's."""
    numbers = {
        slot: value.value for slot, value, _ in one.listed() if isinstance(value, Parameter) and not is_nothing(value)
    }
    for slot, value in numbers.items():
        if slot in _SHARES and not 0.0 <= value <= 1.0:
            yield f"{what}: {slot} is a share from 0 to 1, not {value:g}"
        if slot in _ABOVE_ZERO and not value > 0.0:
            yield f"{what}: {slot} must be above zero, not {value:g}"
    if isinstance(one, Threshold) and {"on", "off"} <= set(numbers):
        same_unit = isinstance(one.on, Parameter) and isinstance(one.off, Parameter) and one.on.unit == one.off.unit
        between = numbers["on"] - numbers["off"]
        if same_unit and (between > 0.0 if one.below else between < 0.0):
            side = "below" if one.below else "above"
            yield f"{what}: it turns on {side} {numbers['on']:g}, so that it cannot stay on until {numbers['off']:g}"
