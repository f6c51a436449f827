"""When something is done: at a time, or told by what happens to the animal.

>>> str(read_moment("7 day after the last dose of doxorubicin"))
'7 day after the last dose of doxorubicin'
>>> str(read_moment("when nodules reaches 2"))
'when nodules reaches 2'
>>> read_moment("2 day")
48.0
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, GetCoreSchemaHandler, GetJsonSchemaHandler, WithJsonSchema
from pydantic_core import CoreSchema, core_schema

from paget.errors import UnitError
from paget.settings import hours_in_words, read_hours
from paget.units import to_internal

__all__ = ["Condition", "Moment", "Moments", "When", "read_moment", "when_in_words"]

Event = Literal["first dose", "last dose", "resection", "injection", "reaches", "falls below"]

_ACT = re.compile(r"^(?:the )?(?:(first|last) )?(dose|resection|injection)(?: of (?:the )?(.+))?$")
_COURSE = re.compile(r"^(\S+) (reaches|falls below) (.+)$")
_TOLD = (
    "expected a time such as '7 day', or a moment such as '7 day after the last dose of doxorubicin', "
    "'2 day after the resection', 'when nodules reaches 2' or '3 day after nodules reaches 2'"
)


@dataclass(frozen=True)
class Condition:
    """A readout that reaches a level, or falls below it; the level as it was written, in the unit of the readout if bare."""

    readout: str
    rises: bool
    level: str

    def level_in(self, unit: str) -> float:
        """The level in the unit of its readout; `UnitError` if it is no quantity of that kind."""
        try:
            return float(self.level)
        except ValueError:
            pass
        if not unit:
            raise UnitError(f"'{self.level}' has a unit, but '{self.readout}' is a plain number")
        return to_internal(self.level, unit)

    def __str__(self) -> str:
        return f"{self.readout} {'reaches' if self.rises else 'falls below'} {self.level}"


@dataclass(frozen=True)
class Moment:
    """A time that follows an event of the animal's own story.

    delay : h after the event, negative before it
    event : "first dose", "last dose", "resection" or "injection" of `of` (of any, if empty), or a `condition`
    """

    delay: float
    event: Event
    of: str = ""
    condition: Condition | None = None

    @property
    def name(self) -> str:
        """The event in words."""
        if self.condition is not None:
            return str(self.condition)
        return f"the {self.event}" + (f" of {self.of}" if self.of else "")

    def later(self, hours: float) -> Moment:
        """The moment that many hours later."""
        return Moment(self.delay + hours, self.event, self.of, self.condition)

    def __str__(self) -> str:
        if self.delay == 0.0:
            return f"{'when' if self.condition is not None else 'at'} {self.name}"
        return f"{hours_in_words(abs(self.delay))} {'after' if self.delay > 0 else 'before'} {self.name}"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.is_instance_schema(cls)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "pattern": r"\b(after|before|when|at)\b", "examples": ["7 day after the last dose"]}


def read_moment(value: Any) -> float | Moment:
    """Read a time in h, or a moment that follows an event.

    Raises
    ------
    ValueError
        If the text is neither.
    """
    if isinstance(value, Moment):
        return value
    if not isinstance(value, str) or not re.search(r"\b(after|before|when|at)\b", value):
        return read_hours(value)
    text = " ".join(value.split())
    parts = re.match(r"^(?:(.+?) (after|before)|when|at) (.+)$", text)
    if parts is None:
        raise ValueError(f"{_TOLD}, not '{value}'")
    delay, side, event = parts.groups()
    hours = read_hours(delay) * (-1.0 if side == "before" else 1.0) if delay else 0.0
    act, course = _ACT.match(event), _COURSE.match(event)
    if course is not None:
        readout, verb, level = course.groups()
        condition = Condition(readout, verb == "reaches", level.strip())
        if hours < 0:
            raise ValueError(f"'{value}': nobody knows beforehand when {condition}")
        if not _may_be_met(condition):
            raise ValueError(f"'{value}': '{condition.level}' is no level that can be reached")
        return Moment(hours, "reaches" if condition.rises else "falls below", condition=condition)
    if act is None:
        raise ValueError(f"{_TOLD}, not '{value}'")
    which, kind, of = act.groups()
    if kind == "dose":
        return Moment(hours, "first dose" if which == "first" else "last dose", of or "")
    if which is not None:
        raise ValueError(f"'{value}': say 'the {kind}', with 'of' and its name where there are several")
    return Moment(hours, "resection" if kind == "resection" else "injection", of or "")


def _may_be_met(condition: Condition) -> bool:
    try:
        return math.isfinite(float(condition.level))
    except ValueError:  # a quantity with a unit, which is read when its readout is known
        return True


def when_in_words(when: float | Moment) -> str:
    """A time as ``day 7``, or the moment as it was written."""
    return f"on day {when / 24.0:g}" if isinstance(when, float) else str(when)


def _write(when: float | Moment) -> str:
    return str(when) if isinstance(when, Moment) else hours_in_words(when)


_SCHEMA = {
    "anyOf": [{"type": "string", "pattern": r"\d\s*\D|\b(when|at)\b"}, {"const": 0}],
    "x-unit": "h",
    "examples": ["7 day", "7 day after the last dose"],
}


class _Written:
    """Reads and writes a time or a moment as text."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        writer = core_schema.plain_serializer_function_ser_schema(_write, return_schema=core_schema.str_schema())
        return core_schema.no_info_before_validator_function(read_moment, handler(source), serialization=writer)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return _SCHEMA


When = Annotated[float | Moment, _Written()]


def _alone_or_listed(value: Any) -> Any:
    return (value,) if isinstance(value, (str, int, float, Moment)) else value


Moments = Annotated[
    tuple[When, ...],
    BeforeValidator(_alone_or_listed),
    WithJsonSchema({"anyOf": [_SCHEMA, {"type": "array", "items": _SCHEMA}]}),
]
