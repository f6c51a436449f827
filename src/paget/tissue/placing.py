"""Where the cells of a tissue lie at the start, and in which state."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paget.evidence import ParameterTable
from paget.process import Named
from paget.tissue.definition import CellDefinition, Number

__all__ = [
    "Cells",
    "close_packed_ball",
    "hexagonal_disc",
    "resting_numbers",
    "resting_state",
    "resting_values",
    "value_of",
]

Real = NDArray[np.float64]

VOLUMES = (
    "cell.nuclear_volume",
    "cell.fluid",
    "cell.nuclear_solid",
    "cell.cytoplasmic_solid",
    "cell.target_nuclear_solid",
    "cell.target_cytoplasmic_solid",
)


@dataclass(frozen=True, eq=False)
class Cells:
    """Cells at given places.

    positions : [n, 3] um in the coordinates of the user. types : name of the type of all, or of each [n].
    columns : further variables -> values [n], as ``cell.volume``
    behaviours : behaviour -> values [n] of the cells themselves, in place of those of their type
    """

    positions: Real
    types: str | tuple[str, ...] = ""
    columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    behaviours: Mapping[str, NDArray[Any]] = field(default_factory=dict)


def hexagonal_disc(radius: float, spacing: float, centre: Sequence[float] = (0.0, 0.0, 0.0)) -> Real:
    """Positions [n, 3] of a hexagonal layer within `radius` um of the centre, `spacing` um apart.

    >>> len(hexagonal_disc(30.0, 16.0))
    13
    """
    step = spacing * math.sqrt(3.0) / 2.0
    rows = np.arange(-math.ceil(radius / step), math.ceil(radius / step) + 1)
    columns = np.arange(-math.ceil(radius / spacing) - 1, math.ceil(radius / spacing) + 2)
    i, j = np.meshgrid(columns, rows)
    flat = np.stack([(i + 0.5 * (j % 2)) * spacing, j * step, np.zeros(i.shape)], axis=-1).reshape(-1, 3)
    inside: Real = flat[(flat**2).sum(axis=1) <= radius**2] + np.asarray(centre)
    return inside


def close_packed_ball(radius: float, spacing: float, centre: Sequence[float] = (0.0, 0.0, 0.0)) -> Real:
    """Positions [n, 3] of a face-centred cubic packing within `radius` um of the centre, nearest ones `spacing` um apart.

    >>> len(close_packed_ball(16.0, 16.0))
    13
    """
    edge = spacing * math.sqrt(2.0)
    reach = math.ceil(radius / edge) + 1
    cell = np.stack(np.meshgrid(*[np.arange(-reach, reach + 1)] * 3, indexing="ij"), axis=-1).reshape(-1, 1, 3)
    basis = np.array([[0.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.5, 0.0, 0.5], [0.0, 0.5, 0.5]])
    points = ((cell + basis) * edge).reshape(-1, 3)
    inside: Real = points[(points**2).sum(axis=1) <= radius**2 * (1.0 + 1e-12)] + np.asarray(centre)
    return inside


def value_of(value: Number, unit: str, parameters: ParameterTable) -> float:
    """A number of a definition as a float in `unit`."""
    return (parameters[value.key] if isinstance(value, Named) else value).inside(unit)


def resting_state(
    definitions: Sequence[CellDefinition], kind: NDArray[np.int64], parameters: ParameterTable
) -> dict[str, Real]:
    """Variables [n] of living cells at rest, each as its type has them: volumes, their targets, the type's own variables."""
    rows = [
        resting_values({slot: value_of(number, unit, parameters) for slot, number, unit in resting_numbers(definition)})
        for definition in definitions
    ]
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: np.array([row.get(name, 0.0) for row in rows])[kind] for name in names}


def resting_numbers(definition: CellDefinition) -> Iterator[tuple[str, Number, str]]:
    """(slot, number, unit) of all that decides the state of a cell at rest: volumes, and its own variables by their names."""
    wanted = ("volume.total", "volume.nuclear", "volume.fluid_fraction", "volume.calcified_fraction")
    for slot, given, unit in definition.volume.listed():
        if f"volume.{slot}" in wanted:
            yield f"volume.{slot}", given, unit
    for name, given in definition.own.items():
        yield name, given, given.unit


def resting_values(values: Mapping[str, float]) -> dict[str, float]:
    """Variables of a living cell at rest, by the `values` of the slots of `resting_numbers`."""
    total, nuclear, fluid = (values[f"volume.{slot}"] for slot in ("total", "nuclear", "fluid_fraction"))
    cytoplasm, nucleus = (1.0 - fluid) * (total - nuclear), (1.0 - fluid) * nuclear
    return {
        "cell.volume": total,
        "cell.nuclear_volume": nuclear,
        "cell.fluid": fluid * total,
        "cell.nuclear_solid": nucleus,
        "cell.cytoplasmic_solid": cytoplasm,
        "cell.target_nuclear_solid": nucleus,
        "cell.target_cytoplasmic_solid": cytoplasm,
        "cell.calcified": values["volume.calcified_fraction"],
        **{name: value for name, value in values.items() if name.startswith("cell.")},
    }
