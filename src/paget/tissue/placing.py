"""Where the cells of a tissue lie at the start, and in which state."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paget.evidence import ParameterTable
from paget.process import Named
from paget.tissue.definition import CellDefinition, Number

__all__ = ["Cells", "close_packed_ball", "hexagonal_disc", "resting_state", "value_of"]

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
    """Variables [n] of living cells at rest, each as its type has them: volumes, their targets, and the type's own variables."""
    rows: list[dict[str, float]] = []
    for definition in definitions:
        v = definition.volume
        total, nuclear = value_of(v.total, "um**3", parameters), value_of(v.nuclear, "um**3", parameters)
        fluid = value_of(v.fluid_fraction, "", parameters)
        cytoplasm, nucleus = (1.0 - fluid) * (total - nuclear), (1.0 - fluid) * nuclear
        rows.append(
            {
                "cell.volume": total,
                "cell.nuclear_volume": nuclear,
                "cell.fluid": fluid * total,
                "cell.nuclear_solid": nucleus,
                "cell.cytoplasmic_solid": cytoplasm,
                "cell.target_nuclear_solid": nucleus,
                "cell.target_cytoplasmic_solid": cytoplasm,
                "cell.calcified": value_of(v.calcified_fraction, "", parameters),
                **{name: value_of(number, number.unit, parameters) for name, number in definition.own.items()},
            }
        )
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: np.array([row.get(name, 0.0) for row in rows])[kind] for name in names}
