"""Parameters: numbers with a unit, a basis, a spread between animals and a place in a source."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Literal, get_args

from paget.errors import EvidenceError, UnitError, UnknownNameError
from paget.evidence.rows import number, rows_of, unknown_sources
from paget.units import format_quantity, same_dimension, to_internal

__all__ = ["Basis", "Parameter", "ParameterTable", "load_parameters", "read_parameters"]

Basis = Literal["measured", "fitted", "derived", "assumed"]
_COLUMNS = (
    "key",
    "variant",
    "title",
    "value",
    "unit",
    "low",
    "high",
    "spread",
    "basis",
    "reason",
    "source",
    "where",
    "conditions",
    "group",
)


@dataclass(frozen=True)
class Parameter:
    """One number and why it is believed.

    value, low, high are in `unit`; `spread` is the coefficient of variation between animals (log-normal, 0 for none).
    `basis` is measured (read from a source), fitted (to observations marked calibration), derived (computed from measured
    numbers as `reason` says) or assumed (`reason` says why). `variant` names a competing value for the same key.
    """

    key: str
    title: str
    value: float
    unit: str
    basis: Basis
    reason: str
    source: str
    where: str = ""
    low: float = math.nan
    high: float = math.nan
    spread: float = 0.0
    conditions: str = ""
    group: str = ""
    variant: str = ""
    changed: bool = False

    def __post_init__(self) -> None:
        wrong = []
        if self.basis not in get_args(Basis):
            wrong.append(f"basis '{self.basis}' is none of {', '.join(get_args(Basis))}")
        if self.basis in ("assumed", "derived", "fitted") and not self.reason:
            wrong.append(f"a value that is {self.basis} needs a reason")
        if self.basis == "measured" and not self.source:
            wrong.append("a measured value needs a source")
        if not math.isfinite(self.value):
            wrong.append(f"the value {self.value} is not finite")
        if not 0.0 <= self.spread < 2.0:
            wrong.append(f"the spread {self.spread} must be from 0 to 2")
        if not (math.isnan(self.low) or math.isnan(self.high) or self.low <= self.value <= self.high):
            wrong.append(f"the value {self.value} is outside its own interval {self.low} to {self.high}")
        if wrong:
            raise EvidenceError(f"parameter '{self.key}': {'; '.join(wrong)}")

    def inside(self, unit: str) -> float:
        """The value in the unit that a process asks for."""
        if self.value == 0.0 and same_dimension(self.unit, unit):
            return 0.0
        try:
            return to_internal(f"{self.value!r} {self.unit}".strip(), unit)
        except UnitError as problem:
            raise UnitError(
                f"parameter '{self.key}' is in {self.unit or 'plain numbers'}; {unit or 'a plain number'} is needed"
            ) from problem

    def __str__(self) -> str:
        return f"{self.key} = {format_quantity(self.value, self.unit)} ({self.basis})"


class ParameterTable(Mapping[str, Parameter]):
    """Parameters by key; an edit gives a new table."""

    def __init__(
        self, rows: Mapping[str, Parameter], variants: Mapping[tuple[str, str], Parameter] | None = None
    ) -> None:
        self._rows = dict(rows)
        self._variants = dict(variants or {})

    def __getitem__(self, key: str) -> Parameter:
        try:
            return self._rows[key]
        except KeyError:
            raise UnknownNameError("parameter", key, self._rows) from None

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def variants_of(self, key: str) -> dict[str, Parameter]:
        """Competing values of one parameter, by variant name."""
        return {variant: row for (name, variant), row in self._variants.items() if name == key}

    def with_values(self, changes: Mapping[str, str | float]) -> ParameterTable:
        """Return the table with values changed: text with a unit, a plain number where the unit is empty, or a variant's name.

        Raises
        ------
        UnknownNameError, UnitError
        """
        rows = dict(self._rows)
        for key, given in changes.items():
            old = self[key]
            variants = self.variants_of(key)
            if isinstance(given, str) and given in variants:
                rows[key] = replace(variants[given], changed=True)
                continue
            try:
                number = to_internal(given, old.unit)
            except UnitError as problem:
                hint = f" Named values of this parameter: {', '.join(sorted(variants))}." if variants else ""
                raise UnitError(f"parameter '{key}': {problem}.{hint}") from problem
            if old.unit and number < 0.0 < old.value:
                raise UnitError(f"parameter '{key}': '{given}' is negative; otherwise it is {old.value:g} {old.unit}")
            rows[key] = replace(
                old,
                value=number,
                low=math.nan,
                high=math.nan,
                basis="assumed",
                reason=f"set by the user (was {old.value:g})",
                changed=True,
            )
        return ParameterTable(rows, self._variants)

    def with_rows(self, rows: Iterable[Parameter]) -> ParameterTable:
        """Return the table with rows exchanged for others of the same keys."""
        return ParameterTable({**self._rows, **{row.key: row for row in rows}}, self._variants)


def read_parameters(text: str, name: str) -> tuple[dict[str, Parameter], dict[tuple[str, str], Parameter]]:
    """Read one table; every row is checked against the bibliography and for a readable unit.

    Raises
    ------
    EvidenceError
        With file and line.
    """
    rows: dict[str, Parameter] = {}
    variants: dict[tuple[str, str], Parameter] = {}
    for place, row in rows_of(text, name, _COLUMNS):
        try:
            parameter = Parameter(
                key=row["key"],
                variant=row["variant"],
                title=row["title"],
                value=number(row, "value", place, math.nan),
                unit=row["unit"],
                low=number(row, "low", place, math.nan),
                high=number(row, "high", place, math.nan),
                spread=number(row, "spread", place, 0.0),
                basis=row["basis"],  # type: ignore[arg-type]  # checked in __post_init__
                reason=row["reason"],
                source=row["source"],
                where=row["where"],
                conditions=row["conditions"],
                group=row["group"],
            )
        except EvidenceError as problem:
            raise EvidenceError(f"{place}: {problem}") from problem
        if unknown := unknown_sources(parameter.source):
            raise EvidenceError(f"{place}: {unknown[0]}")
        if not same_dimension(parameter.unit, parameter.unit):
            raise EvidenceError(f"{place}: '{parameter.unit}' is not a unit")
        if parameter.variant:
            variants[parameter.key, parameter.variant] = parameter
        elif parameter.key in rows:
            raise EvidenceError(f"{place}: parameter '{parameter.key}' is given twice")
        else:
            rows[parameter.key] = parameter
    for key, variant in variants:
        if key not in rows:
            raise EvidenceError(f"{name}: variant '{variant}' of '{key}' has no default row")
    return rows, variants


@functools.cache
def load_parameters(*names: str) -> ParameterTable:
    """The named tables of ``data/parameters`` as one."""
    rows: dict[str, Parameter] = {}
    variants: dict[tuple[str, str], Parameter] = {}
    for name in names:
        path = files("paget") / "data" / "parameters" / f"{name}.csv"
        more, other = read_parameters(path.read_text(encoding="utf-8"), f"{name}.csv")
        doubles = sorted(set(more) & set(rows))
        if doubles:
            raise EvidenceError(f"{name}.csv: parameter '{doubles[0]}' is already in another table")
        rows.update(more)
        variants.update(other)
    return ParameterTable(rows, variants)
