"""Active migration: persistent random walks, chemotaxis, haptotaxis, and contact inhibition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from paget.errors import ModelError
from paget.kernels import walk
from paget.process import Phase
from paget.tissue.definition import table
from paget.tissue.personal import own_columns
from paget.tissue.process import TissueProcess

if TYPE_CHECKING:
    from paget.access import Do, See

__all__ = ["Migration"]

Real = NDArray[np.float64]
Whole = NDArray[np.int64]

_SLOTS = ("speed", "persistence", "bias", "stops_at")
_BEHAVIOURS = ("migration speed", "migration persistence time", "migration bias")
_AXES = ("x", "y", "z")


@dataclass(frozen=True)
class _Tables:
    """Numbers [types, 4] as in `_SLOTS`, flags [types], and of each guiding field the sensitivities [types]."""

    numbers: Real
    in_plane: Whole
    normalised: Whole
    towards: tuple[tuple[str, str, Real], ...]  # field, its behaviour, sensitivity of each type


@dataclass(frozen=True, kw_only=True)
class Migration(TissueProcess):
    """Living cells run straight and turn at random moments, with a bias along gradients.

    A run lasts exponentially long, `persistence` on average. A new direction is that of bias g + (1 - bias) n, where n is
    a random unit vector and g the direction of the sum of sensitivity x gradient over the guiding fields: diffusing ones
    make it chemotaxis, immobile ones haptotaxis. Turns within a tick are sampled at their moments, so displacements do
    not depend on the tick. Pressure p slows a cell to speed / (1 + p / stops_at). What it does is left in
    `cell.migration_*`, the mean velocity over the tick, for mechanics to carry out.

    Assumes that gradients and pressure keep during the tick, and runs of at least a thousandth of a tick. A cell that
    rests does not turn. Leaves out drag by matrix, which slows all movement alike.
    Source: Othmer, Dunbar, Alt 1988, doi:10.1007/BF00277392.
    """

    phase: ClassVar[Phase] = Phase.ACT
    parts: ClassVar[tuple[str, ...]] = ("motility.",)

    role: str = "migration"

    @property
    def _fields(self) -> tuple[str, ...]:
        return tuple(
            dict.fromkeys(name for d in self.definitions if d.motility is not None for name in d.motility.towards)
        )

    @property
    def reads(self) -> tuple[str, ...]:
        responses = (_response(name) for name in self._fields)
        return (
            "cell.type",
            "cell.death",
            "cell.pressure",
            "cell.heading_x",
            "cell.heading_y",
            "cell.heading_z",
            *self._fields,
            *self.reads_of(*_BEHAVIOURS, *responses),
        )

    @property
    def sets(self) -> tuple[str, ...]:
        return tuple(f"cell.{what}_{axis}" for what in ("heading", "migration") for axis in _AXES)

    def prepare(self, values: dict[str, float]) -> _Tables:
        """Numbers of all types; a type without motility does not move by itself."""
        types = len(self.definitions)
        numbers = table(values, types, tuple(f"motility.{slot}" for slot in _SLOTS))
        for definition, (speed, persistence, bias, _) in zip(self.definitions, numbers, strict=True):
            if speed > 0.0 and not persistence > 0.0:
                raise ModelError(
                    f"{definition.name} moves at {speed:g} um/h with a persistence of {persistence:g} h; give the mean time "
                    "between changes of direction, which must be larger than zero"
                )
            if not 0.0 <= bias <= 1.0:
                raise ModelError(
                    f"{definition.name}: the bias of its migration is {bias:g}; it must lie between 0 and 1"
                )
        motile = [d.motility for d in self.definitions]
        return _Tables(
            numbers,
            np.array([m is not None and m.in_plane for m in motile], dtype=np.int64),
            np.array([m is not None and m.normalised for m in motile], dtype=np.int64),
            tuple(
                (name, _response(name), table(values, types, (f"motility.towards/{name}",))[:, 0])
                for name in self._fields
            ),
        )

    def step(self, see: See, do: Do, p: _Tables) -> None:
        n, kind = see.count, see["cell.type"]
        own, which = own_columns(self, see, _BEHAVIOURS)
        guide, heading, velocity = np.zeros((3, n)), np.empty((3, n)), np.empty((3, n))
        for name, response, sensitivity in p.towards:
            weights = np.array(self.behaviour(see, response, sensitivity))
            walk.lean_on(guide, see.slope(name), weights, p.normalised, kind)
        for row, axis in enumerate(_AXES):
            heading[row] = see[f"cell.heading_{axis}"]
        walk.walk(
            self.crew(see),
            kind,
            see["cell.death"],
            see.ids,
            see["cell.pressure"],
            guide,
            own,
            which,
            p.numbers,
            np.ones_like(p.in_plane) if see.flat else p.in_plane,
            see.dt,
            see.tick,
            see.key,
            heading,
            velocity,
        )
        for row, axis in enumerate(_AXES):
            do.set(f"cell.heading_{axis}", heading[row])
            do.set(f"cell.migration_{axis}", velocity[row])


def _response(field: str) -> str:
    return f"chemotactic response to {field.removeprefix('field.')}"
