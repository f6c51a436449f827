"""Many arms from one line: doses and parameters over a grid, or over points that fill the space between their limits.

>>> sweep = Sweep.model_validate({"like": "doxorubicin", "doses": {"doxorubicin": {"from": 0, "to": "10 mg/kg", "steps": 3}}})
>>> sweep.points()
[{'doxorubicin': 0.0}, {'doxorubicin': 5.0}, {'doxorubicin': 10.0}]
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import ConfigDict, Field, GetJsonSchemaHandler, model_serializer, model_validator
from pydantic_core import CoreSchema

from paget.errors import UnitError, UnknownNameError
from paget.experiment.value import Value
from paget.problems import Misfits, Path, Problem, shown
from paget.settings import ParameterValue, Whole
from paget.units import to_internal

if TYPE_CHECKING:
    from paget.experiment.arm import Arm

__all__ = ["MOST_ARMS", "Axis", "Levels", "Sweep"]

MOST_ARMS = 4096
_LONGEST_NAME = 80
_DOSE_UNIT = "mg/kg"
_QUANTITY = re.compile(r"^\s*[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?\s*(.*)$")


class Levels(Value):
    """The values that one dose or parameter takes: a list of them, or limits with the number of steps between them."""

    model_config = ConfigDict(populate_by_name=True)

    values: tuple[ParameterValue, ...] = Field(default=(), description="The values themselves.")
    from_: ParameterValue | None = Field(default=None, alias="from", description="The lowest value, with its unit.")
    to: ParameterValue | None = Field(default=None, description="The highest value, with its unit.")
    scale: Literal["linear", "log"] = Field(default="linear", description="Even steps, or even ratios.")
    steps: Whole | None = Field(
        default=None, ge=2, le=MOST_ARMS, description="How many values, both limits among them; for grids only."
    )

    @model_validator(mode="before")
    @classmethod
    def _listed(cls, given: Any) -> Any:
        if isinstance(given, (list, tuple)):
            return {"values": tuple(given)}
        if isinstance(given, (str, int, float)):
            raise ValueError(f"expected a list of values, or from, to and steps, not {shown(given)}")
        return given

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        limits = handler.resolve_ref_schema(handler(schema))
        values = limits["properties"].pop("values")
        limits["required"] = ["from", "to"]
        return {"anyOf": [{**values, "minItems": 1}, limits]}

    @model_serializer
    def _written(self) -> Any:
        if self.values:
            return list(self.values)
        limits = {"from": self.from_, "to": self.to, "scale": self.scale}
        return limits if self.steps is None else {**limits, "steps": self.steps}


@dataclass(frozen=True)
class Axis:
    """One dose or parameter of a sweep, read: its limits in `unit`, or its values; texts among them are named values."""

    name: str
    dose: bool
    unit: str
    values: tuple[float | str, ...]
    low: float
    high: float
    log: bool

    def at(self, share: float) -> float:
        """The value at a share of the way from the lowest to the highest, to six digits."""
        if self.log:
            return _six_digits(self.low * (self.high / self.low) ** share)
        return _six_digits(self.low + (self.high - self.low) * share)

    def share(self, value: float) -> float:
        """How far along the axis a value lies; the inverse of `at`."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def written(self, value: float | str) -> str:
        """A value with its name and unit: ``doxorubicin 5 mg/kg``, ``net_half_life = 12 h``."""
        number = value if isinstance(value, str) else f"{value:.6g} {self.unit}".strip()
        return f"{self.name} {number}" if self.dose else f"{self.name} = {number}"


class Sweep(Value):
    """Arms that differ in doses or parameters, each at one point of a design."""

    like: str | None = Field(
        default=None, description="The arm that every point starts from; without one, animals are untreated."
    )
    versus: str | None = Field(
        default=None, description="The arm that every point is compared with; that of 'like' if left out."
    )
    design: Literal["grid", "latin hypercube", "sobol"] = Field(
        default="grid", description="All combinations, or points that fill the space between the limits."
    )
    points_: Whole | None = Field(
        default=None, alias="points", ge=2, description="How many points; for the designs that fill a space."
    )
    seed: Whole = Field(default=1, ge=0, lt=2**63, description="Seed of the places of the points.")
    doses: dict[str, Levels] = Field(
        default_factory=dict,
        description="Drug -> amounts: of every administration of that drug in 'like'; at 0 it is not given.",
    )
    parameters: dict[str, Levels] = Field(default_factory=dict, description="Parameter -> values, with units.")

    model_config = ConfigDict(populate_by_name=True)

    @model_serializer(mode="wrap")
    def _written(self, handler: Any) -> Any:
        data = handler(self)
        if "points_" in data:
            data["points"] = data.pop("points_")
        return data

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        problems = list(self._problems())
        if problems:
            raise Misfits(problems)
        if self.size > MOST_ARMS:
            raise Misfits([Problem((), f"the sweep has {self.size} points; at most {MOST_ARMS} arms are allowed")])
        return self

    def _problems(self) -> Iterator[Problem]:
        filling = self.design != "grid"
        if not self.doses and not self.parameters:
            yield Problem((), "nothing is swept; give 'doses' or 'parameters'")
        for name in self.doses.keys() & self.parameters.keys():
            yield Problem(("parameters", name), f"'{name}' is swept as a drug too")
        if self.doses and self.like is None:
            yield Problem(("doses",), "doses need 'like', the arm whose administrations they change")
        if filling and self.points_ is None:
            yield Problem(("design",), f"a {self.design} needs 'points', how many there are")
        elif self.design == "sobol" and self.points_ is not None and self.points_ & (self.points_ - 1):
            below = 1 << (self.points_.bit_length() - 1)
            yield Problem(
                ("points",),
                f"{self.points_} is no power of two, without which a Sobol sequence is not balanced; "
                f"take {below} or {2 * below}",
            )
        elif not filling and self.points_ is not None:
            yield Problem(("points",), "belongs to a latin hypercube or sobol; a grid has 'steps' or lists of values")
        for place, levels in self._named_levels():
            yield from (
                Problem((*place, *inner), words) for inner, words in _problems_of_levels(levels, place, filling)
            )

    def _named_levels(self) -> Iterator[tuple[tuple[str, str], Levels]]:
        yield from ((("doses", name), levels) for name, levels in self.doses.items())
        yield from ((("parameters", name), levels) for name, levels in self.parameters.items())

    @property
    def axes(self) -> tuple[Axis, ...]:
        """What is swept, doses first, each in one unit."""
        return tuple(_axis(name, kind == "doses", levels) for (kind, name), levels in self._named_levels())

    @property
    def size(self) -> int:
        """How many points the design has."""
        return self.points_ if self.points_ is not None else math.prod(len(axis.values) for axis in self.axes)

    def points(self) -> list[dict[str, float | str]]:
        """The points of the design: drug -> amount in mg/kg, parameter -> value in the unit of its lowest value or name."""
        axes = self.axes
        if self.design == "grid":
            return [
                dict(zip([axis.name for axis in axes], values, strict=True))
                for values in itertools.product(*(axis.values for axis in axes))
            ]
        shares = _filling(self.design, len(axes), self.size, self.seed)
        return [{axis.name: axis.at(share) for axis, share in zip(axes, row, strict=True)} for row in shares]

    def arms(self, arms: Sequence[Arm]) -> tuple[Arm, ...]:
        """The arms of the sweep, one for each point, with names that no arm of the study has.

        Parameters
        ----------
        arms : those of the study, among them `like` and `versus`.

        Raises
        ------
        Misfits
            If an arm or a drug is not there; places are those inside the sweep.
        """
        known = {arm.name: arm for arm in arms}
        problems = [
            Problem((place,), str(UnknownNameError("arm", name, known)))
            for place, name in (("like", self.like), ("versus", self.versus))
            if name is not None and name not in known
        ]
        base = known.get(self.like or "")
        if base is not None:
            given = sorted({dose.drug for dose in base.doses})
            problems += [
                Problem(("doses", drug), str(UnknownNameError(f"drug in arm '{self.like}'", drug, given)))
                for drug in self.doses
                if drug not in given
            ]
        if problems:
            raise Misfits(problems)
        points = self.points()
        axes = {axis.name: axis for axis in self.axes}
        told = [_told(axes, point) for point in points]
        names = _names(self, base, told, known)
        return tuple(
            self._arm(base, name, point, axes, words if words not in name else "")
            for name, point, words in zip(names, points, told, strict=True)
        )

    def _arm(
        self, base: Arm | None, name: str, point: Mapping[str, float | str], axes: Mapping[str, Axis], note: str
    ) -> Arm:
        from paget.experiment.arm import Arm

        start = base if base is not None else Arm(name=name)
        control = self.versus or (start.versus or start.name if base is not None else None)
        doses = tuple(
            dose.model_copy(update={"amount": float(point[dose.drug])}) if dose.drug in self.doses else dose
            for dose in start.doses
            if dose.drug not in self.doses or point[dose.drug] != 0.0
        )
        changed = {key: _as_parameter(point[key], axes[key].unit) for key in self.parameters}
        return start.model_copy(
            update={
                "name": name,
                "versus": control,
                "doses": doses,
                "parameters": {**start.parameters, **changed},
                "point": {key: value for key, value in point.items() if not isinstance(value, str)},
                "note": note,
            }
        )


def _problems_of_levels(levels: Levels, place: tuple[str, str], filling: bool) -> Iterator[tuple[Path, str]]:
    """What is wrong with the values of one dose or parameter, with the place inside them."""
    dose = place[0] == "doses"
    if levels.values:
        if any(value is not None for value in (levels.from_, levels.to, levels.steps)):
            yield (), "give either a list of values, or from, to and steps"
        if filling:
            yield (), "a design that fills a space needs 'from' and 'to', not a list"
        read: list[float | str] = []
        for i, value in enumerate(levels.values):
            try:
                read.append(_coordinate(value, _unit_of(levels, dose), named=not dose))
            except UnitError as error:
                yield (i,), str(error)
                continue
            if dose and float(read[-1]) < 0:
                yield (i,), f"a dose cannot be negative: {value}"
        if len(set(read)) < len(read):
            yield (), "one value stands there twice"
        return
    absent = [f"'{name}'" for name, value in (("from", levels.from_), ("to", levels.to)) if value is None]
    if absent:
        yield (), f"needs {' and '.join(absent)}, or a list of values"
        return
    if filling == (levels.steps is not None):
        if filling:
            yield ("steps",), "belongs to a grid; here 'points' says how many"
        else:
            yield (), "a grid needs 'steps', how many values"
    limits: list[float] = []
    for name, limit in (("from", levels.from_), ("to", levels.to)):
        try:
            limits.append(float(_coordinate(limit, _unit_of(levels, dose), named=False)))
        except UnitError as error:
            yield (name,), str(error)
    if len(limits) < 2:
        return
    low, high = limits
    if dose and low < 0:
        yield ("from",), f"a dose cannot be negative: {levels.from_}"
    if not low < high:
        yield ("to",), f"{levels.to} is not above {levels.from_}"
    if levels.scale == "log" and low <= 0:
        yield ("from",), f"a log scale has no {levels.from_}; begin above 0, or list the values"


def _axis(name: str, dose: bool, levels: Levels) -> Axis:
    unit = _unit_of(levels, dose)
    log = levels.scale == "log"
    if levels.values:
        values = tuple(_coordinate(value, unit, named=not dose) for value in levels.values)
        numbers = [value for value in values if not isinstance(value, str)] or [math.nan]
        return Axis(name, dose, unit, values, min(numbers), max(numbers), False)
    low, high = (float(_coordinate(value, unit, named=False)) for value in (levels.from_, levels.to))
    axis = Axis(name, dose, unit, (), low, high, log)
    steps = levels.steps or 0
    return Axis(name, dose, unit, tuple(axis.at(i / (steps - 1)) for i in range(steps)), low, high, log)


def _unit_of(levels: Levels, dose: bool) -> str:
    """The unit in which a parameter is told: that of its first value with one."""
    if dose:
        return _DOSE_UNIT
    for value in (*levels.values, levels.from_, levels.to):
        match = _QUANTITY.match(value) if isinstance(value, str) else None
        if match and match[1]:
            return match[1].strip()
    return ""


def _coordinate(value: ParameterValue | None, unit: str, named: bool) -> float | str:
    if named and isinstance(value, str) and not _QUANTITY.match(value):
        return value
    assert value is not None
    return to_internal(value, unit)


def _as_parameter(value: float | str, unit: str) -> float | str:
    return value if isinstance(value, str) or not unit else f"{value:.12g} {unit}"


def _six_digits(value: float) -> float:
    return float(f"{value:.6g}")


def _filling(design: str, dimensions: int, points: int, seed: int) -> list[list[float]]:
    import inspect

    from scipy.stats import qmc

    sampler: Any = qmc.LatinHypercube if design == "latin hypercube" else qmc.Sobol
    # scipy renamed the argument in 1.15
    argument = "rng" if "rng" in inspect.signature(sampler).parameters else "seed"
    drawn: list[list[float]] = sampler(d=dimensions, **{argument: seed}).random(points).tolist()
    return drawn


def _told(axes: Mapping[str, Axis], point: Mapping[str, float | str]) -> str:
    doses = [f"{key} {value:.6g}" for key, value in point.items() if axes[key].dose]
    doses[-1:] = [f"{last} {_DOSE_UNIT}" for last in doses[-1:]]
    others = [axes[key].written(value) for key, value in point.items() if not axes[key].dose]
    return ", ".join(filter(None, (" + ".join(doses), ", ".join(others))))


def _names(sweep: Sweep, base: Arm | None, told: Sequence[str], taken: Mapping[str, Arm]) -> list[str]:
    """Names that say the point; a number where that would be too long, not unique, or say many digits."""
    before = "" if sweep.doses or base is None else f"{base.name}: "
    names = [before + words for words in told]
    bad = len(set(names)) < len(names) or any(len(name) > _LONGEST_NAME or name in taken for name in names)
    if bad or sweep.design != "grid":
        width = len(str(len(told)))
        stem = base.name if base is not None and len(base.name) < _LONGEST_NAME - 20 else "sweep"
        names = [f"{stem}, point {i:0{width}d}" for i in range(1, len(told) + 1)]
    return [f"{name} (sweep)" if name in taken else name for name in names]
