"""Published findings that the laboratory should reproduce: what was done, what was found, and how surely it was read.

A publication with several numbers has several rows of one id, told apart by `part`. A row is `calibration` where it was used to
set a number of the project, `prediction` where it was not. Independent of that, `built_in` says that a mechanism was written
from the same publication, so that its direction could hardly come out otherwise.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal, get_args

from paget.errors import EvidenceError, UnitError, UnknownNameError
from paget.evidence.rows import number, rows_of, unknown_sources
from paget.evidence.sources import Source, load_sources
from paget.units import format_quantity, same_dimension

__all__ = [
    "Direction",
    "Kind",
    "Observation",
    "ObservationTable",
    "Role",
    "load_observations",
    "read_observations",
]

Direction = Literal["up", "down", "none", "shift", ""]
Role = Literal["calibration", "prediction"]
DoiStatus = Literal["seen", "recalled", "not found"]
Kind = Literal[
    "direction",
    "abolition",
    "reduction",
    "change",
    "ratio",
    "hazard ratio",
    "difference",
    "standardised difference",
    "share",
    "time",
    "concentration",
]
QUALITATIVE = ("direction", "abolition")
_POSITIVE = ("ratio", "hazard ratio", "time", "concentration")
_PERCENT = ("reduction", "change", "share")
_PLAIN = ("ratio", "hazard ratio", "standardised difference", *QUALITATIVE)
_DIMENSIONS = {"time": "h", "concentration": "nM"}
_COLUMNS = (
    "id",
    "part",
    "title",
    "system",
    "intervention",
    "control",
    "readout",
    "direction",
    "kind",
    "value",
    "low",
    "high",
    "bounds",
    "unit",
    "n",
    "source",
    "doi_status",
    "where",
    "role",
    "built_in",
    "note",
)


@dataclass(frozen=True, kw_only=True)
class Observation:
    """One published finding.

    direction : of the readout under the intervention, against the control; "none" where it was found unchanged, "shift" where
        another organ is meant, "" where nothing was compared
    kind : "direction" and "abolition" (nothing was left) are in words; "reduction" is per cent less than the control, "change"
        per cent of the value before, "share" per cent of individuals, cells or experiments
    value, low, high : as published, in `unit`; nan where there is none. bounds : what low and high are
    n : individuals or studies behind it, 0 where not found
    doi_status : "seen" on the page, "recalled", or "not found"; where : which part of the source was read
    """

    id: str
    part: str
    title: str
    system: str
    intervention: str
    control: str
    readout: str
    direction: Direction
    kind: Kind
    value: float
    low: float
    high: float
    bounds: str
    unit: str
    n: int
    source: str
    doi_status: DoiStatus
    where: str
    role: Role
    built_in: bool
    note: str

    def __post_init__(self) -> None:
        wrong = [
            f"{name} '{value}' is none of {', '.join(filter(None, get_args(kind)))}"
            for name, value, kind in (
                ("direction", self.direction, Direction),
                ("kind", self.kind, Kind),
                ("doi_status", self.doi_status, DoiStatus),
                ("role", self.role, Role),
            )
            if value not in get_args(kind)
        ]
        wrong += [
            f"{name} is empty" for name in ("id", "title", "system", "readout", "where") if not getattr(self, name)
        ]
        wrong += self._problems_of_numbers() if self.kind in get_args(Kind) else []
        if self.n < 0:
            wrong.append(f"n = {self.n} is below 0")
        if wrong:
            raise EvidenceError(f"observation '{self.name}': {'; '.join(wrong)}")

    def _problems_of_numbers(self) -> Iterator[str]:
        given = [x for x in (self.value, self.low, self.high) if not math.isnan(x)]
        ends = [x for x in (self.low, self.high) if not math.isnan(x)]
        if self.kind in QUALITATIVE:
            if given:
                yield f"a finding of the kind '{self.kind}' has no number"
            if self.kind == "abolition" and self.direction != "down":
                yield "what was abolished went down"
            return
        if not given:
            yield f"a finding of the kind '{self.kind}' needs a value, or an interval"
        if any(map(math.isinf, given)):
            yield f"the numbers {given} are not finite"
        inside = math.isnan(self.value) or (not self.low > self.value and not self.high < self.value)
        if not inside or self.low > self.high:
            yield f"the value {self.value:g} is outside its own interval {self.low:g} to {self.high:g}"
        if bool(ends) != bool(self.bounds):
            yield "'bounds' says what low and high are, and is empty without them"
        if self.kind in _POSITIVE and any(x <= 0.0 for x in given):
            yield f"a {self.kind} is above 0"
        if self.kind in _PERCENT and self.unit != "%":
            yield f"a {self.kind} is given in %, not in '{self.unit}'"
        if self.kind in _PLAIN and self.unit:
            yield f"a {self.kind} has no unit"
        if self.kind == "share" and any(not 0.0 <= x <= 100.0 for x in given):
            yield "a share is from 0 to 100 %"
        signed = self.kind in ("change", "difference", "standardised difference") and not math.isnan(self.value)
        if signed and (self.direction, self.value > 0.0) in (("up", False), ("down", True)):
            yield f"the value {self.value:g} does not go {self.direction}"
        if self.kind in _DIMENSIONS and not _is(self.unit, _DIMENSIONS[self.kind]):
            yield f"'{self.unit}' is no unit of {self.kind}"

    @property
    def name(self) -> str:
        """Id and part: ``H090 T1N0``."""
        return f"{self.id} {self.part}".strip()

    @property
    def numeric(self) -> bool:
        """Whether a number was published."""
        return self.kind not in QUALITATIVE

    def published(self) -> str:
        """What was found, in a few words: ``44 to 72 %``, ``0.45 (0.38 to 0.54)``, ``down``."""
        if self.kind == "abolition":
            return "abolished"
        if self.kind == "direction":
            return {"none": "unchanged", "shift": "elsewhere", "": "not a comparison"}.get(
                self.direction, self.direction
            )
        unit = f" {self.unit}" if self.unit else ""
        low, high, value = (f"{x:g}" for x in (self.low, self.high, self.value))
        if math.isnan(self.value):
            if self.bounds in ("at least", "at most"):
                return f"{self.bounds} {low if self.bounds == 'at least' else high}{unit}"
            return f"{low} to {high}{unit}"
        interval = "" if math.isnan(self.low) or math.isnan(self.high) else f" ({low} to {high})"
        return f"{value}{interval}{unit}"

    def sources(self) -> tuple[Source, ...]:
        known = load_sources()
        return tuple(known[key.strip()] for key in self.source.split(";") if key.strip())

    def __str__(self) -> str:
        return f"{self.name}: {self.title} ({self.published()}; {self.source}; {self.role})"


def _is(unit: str, dimension: str) -> bool:
    try:
        return same_dimension(unit, dimension) and bool(format_quantity(1.0, unit))
    except UnitError:
        return False


class ObservationTable(Mapping[str, Observation]):
    """Observations by name (id and part), in the order of their file."""

    def __init__(self, rows: Mapping[str, Observation]) -> None:
        self._rows = dict(rows)

    def __getitem__(self, name: str) -> Observation:
        try:
            return self._rows[name]
        except KeyError:
            raise UnknownNameError("observation", name, self._rows) from None

    def __contains__(self, name: object) -> bool:
        return name in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def ids(self) -> tuple[str, ...]:
        """Each id once."""
        return tuple(dict.fromkeys(row.id for row in self._rows.values()))

    def of(self, key: str) -> tuple[Observation, ...]:
        """All rows of an id, or the one of a name.

        Raises
        ------
        UnknownNameError
        """
        if key in self._rows:
            return (self._rows[key],)
        found = tuple(row for row in self._rows.values() if row.id == key)
        if not found:
            raise UnknownNameError("observation", key, [*self.ids, *self._rows])
        return found


def read_observations(text: str, name: str = "observations.csv") -> ObservationTable:
    """Read a table of observations; every row is checked, its source against the bibliography.

    Raises
    ------
    EvidenceError
        With file and line.
    """
    rows: dict[str, Observation] = {}
    for place, row in rows_of(text, name, _COLUMNS):
        try:
            observation = Observation(**_read(row, place))  # type: ignore[arg-type]  # checked in __post_init__
        except EvidenceError as problem:
            raise EvidenceError(f"{place}: {problem}") from problem
        wrong = unknown_sources(observation.source)
        if not observation.source:
            wrong.append("the source is empty")
        if observation.name in rows:
            wrong.append(f"observation '{observation.name}' is given twice")
        if wrong:
            raise EvidenceError(f"{place}: {'; '.join(wrong)}")
        rows[observation.name] = observation
    return ObservationTable(rows)


def _read(row: Mapping[str, str], place: str) -> dict[str, object]:
    if row["built_in"] not in ("yes", "no"):
        raise EvidenceError(f"built_in is '{row['built_in']}'; it must be yes or no")
    numbers = {column: number(row, column, place, math.nan) for column in ("value", "low", "high")}
    if row["n"] and not row["n"].isdigit():
        raise EvidenceError(f"n '{row['n']}' is not a whole number")
    return {**row, **numbers, "n": int(row["n"] or 0), "built_in": row["built_in"] == "yes"}


@functools.cache
def load_observations() -> ObservationTable:
    """The project's observations."""
    path = files("paget") / "data" / "observations" / "observations.csv"
    return read_observations(path.read_text(encoding="utf-8"))
