"""The kinds of setting that a study holds: quantities with a unit, whole numbers, lines of text.

Each is a type for a pydantic field. A quantity is read from text such as ``"7 day"`` into a float in internal units and
written back as text that gives the same float.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, GetCoreSchemaHandler, GetJsonSchemaHandler, WithJsonSchema
from pydantic_core import CoreSchema, core_schema

from paget.problems import shown
from paget.units import to_internal

__all__ = [
    "HOURS_PER_DAY",
    "Affinity",
    "Count",
    "DoseAmount",
    "Fold",
    "Hours",
    "Line",
    "OptionValue",
    "ParameterValue",
    "PositiveHours",
    "SignedHours",
    "Times",
    "Whole",
    "hours_in_words",
    "read_hours",
]

HOURS_PER_DAY = 24.0


@dataclass(frozen=True)
class _Quantity:
    """How a quantity is read, bounded and written; the metadata of an annotated float."""

    unit: str
    example: str
    minimum: float = 0.0
    above: bool = False

    def read(self, value: Any) -> float:
        if not isinstance(value, (str, int, float)):
            raise ValueError(f"expected a quantity such as '{self.example}', not {shown(value)}")
        number = to_internal(value, self.unit)
        if number < self.minimum or (self.above and number == self.minimum):
            bound = "above" if self.above else "at least"
            raise ValueError(f"'{value}' must be {bound} {self.minimum:g} {self.unit}".rstrip())
        return number

    def write(self, number: float) -> str:
        days = f"{number / HOURS_PER_DAY:.6g}"
        if self.unit == "h" and (number == 0 or abs(number) >= HOURS_PER_DAY) and float(days) * HOURS_PER_DAY == number:
            return f"{days} day"
        whole = number.is_integer() and abs(number) < 1e15
        return f"{int(number) if whole else number!r} {self.unit}".strip()

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        writer = core_schema.plain_serializer_function_ser_schema(self.write, return_schema=core_schema.str_schema())
        return core_schema.no_info_before_validator_function(self.read, handler(source), serialization=writer)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return _schema(self.unit, self.example)


def _schema(unit: str, example: str) -> dict[str, Any]:
    bare = {"const": 0} if unit else {"type": "number"}
    return {
        "anyOf": [{"type": "string", "pattern": r"\d\s*\D" if unit else r"\d"}, bare],
        "x-unit": unit,
        "examples": [example],
    }


_TIME = _Quantity("h", "7 day")


def read_hours(value: Any) -> float:
    """Read a time such as ``"7 day"`` into h; `ValueError` if it is none, or negative."""
    return _TIME.read(value)


def hours_in_words(hours: float) -> str:
    """Write a time in h so that it reads back the same: ``7 day``, ``12 h``."""
    return _TIME.write(hours)


Hours = Annotated[float, _TIME]
PositiveHours = Annotated[float, _Quantity("h", "1 h", above=True)]
SignedHours = Annotated[float, _Quantity("h", "-2 day", minimum=-math.inf)]
DoseAmount = Annotated[float, _Quantity("mg/kg", "5 mg/kg")]
Affinity = Annotated[float, _Quantity("nM", "1 nM", above=True)]
Fold = Annotated[float, _Quantity("", "0.2")]
Count = Annotated[float, _Quantity("", "1e5", above=True)]


def _alone_or_listed(value: Any) -> Any:
    return (value,) if isinstance(value, (str, int, float)) else value


_ONE_TIME = _schema("h", "7 day")
Times = Annotated[
    tuple[Hours, ...],
    BeforeValidator(_alone_or_listed),
    WithJsonSchema({"anyOf": [_ONE_TIME, {"type": "array", "items": _ONE_TIME}]}),
]


def _refuse_truth(expected: str) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        if isinstance(value, bool):
            raise ValueError(f"expected {expected}, not {shown(value)}")
        return value

    return check


def _text_or_number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError(f"expected text or a number, not {shown(value)}")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"'{value}' is not a finite number")
    return value


Whole = Annotated[int, BeforeValidator(_refuse_truth("a whole number"))]
OptionValue = Annotated[str | int | float, BeforeValidator(_text_or_number)]
ParameterValue = Annotated[str | float, BeforeValidator(_text_or_number)]


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("a name is one line of printable text")
    return text


Line = Annotated[str, AfterValidator(_one_line)]
