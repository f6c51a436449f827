"""Numbers of the body as floats: rows of a table or parameters with a basis, in the unit that an equation needs."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from paget.evidence import Parameter
from paget.process import Named, Values

__all__ = ["Number", "Numbers"]

Number = Named | Parameter


@dataclass(frozen=True)
class Numbers:
    """Looks up the numbers of one animal or patient.

    table : parameters by key, as `paget.evidence.load_parameters` returns them
    draw : gives the value of a parameter in this animal, in the parameter's unit; without it, the value of the table

    >>> from paget.evidence import load_parameters
    >>> Numbers(load_parameters("vessels"))(Named("vessel_radius", "um"), "um")
    4.0
    """

    table: Mapping[str, Parameter]
    draw: Callable[[Parameter], float] | None = None

    def __call__(self, number: Number, unit: str) -> float:
        """The number in `unit`.

        Raises
        ------
        UnknownNameError, UnitError
        """
        row = self.table[number.key] if isinstance(number, Named) else number
        if self.draw is not None:
            row = dataclasses.replace(row, value=self.draw(row), low=math.nan, high=math.nan)
        return row.inside(unit)

    def rate(self, number: Number) -> float:
        """A rate constant in 1/h, from one in 1/h or from a half-life in h."""
        unit = number.unit if isinstance(number, Named) else ("h" if _is_time(number) else "1/h")
        value = self(number, unit)
        return math.log(2.0) / value if unit == "h" else value

    def all(self, holder: Any) -> Values:
        """All numbers of a dataclass whose fields carry their unit, by the name of the field."""
        found = {f.name: f.metadata["unit"] for f in dataclasses.fields(holder) if "unit" in f.metadata}
        return Values(**{name: self(getattr(holder, name), unit) for name, unit in found.items()})


def _is_time(number: Parameter) -> bool:
    from paget.units import same_dimension

    return same_dimension(number.unit, "h")
