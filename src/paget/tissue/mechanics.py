"""How the cells of a tissue push, hold and carry each other, and are carried by their own migration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from paget.errors import NumericalError
from paget.kernels import contacts, encounters
from paget.kernels.workspace import Workspace
from paget.process import Phase
from paget.tissue.definition import table
from paget.tissue.personal import affinities_to, own_affinities
from paget.tissue.process import TissueProcess

if TYPE_CHECKING:
    from paget.access import Do, See

__all__ = ["TissueMechanics"]

Real = NDArray[np.float64]

_SLOTS = tuple(
    f"mechanics.{name}" for name in ("repulsion", "adhesion", "reach", "elasticity", "matrix_elasticity", "matrix_half")
)
_REPULSION, _ADHESION, _REACH, _ELASTICITY, _MATRIX_ELASTICITY, _MATRIX_HALF = range(6)
_BEHAVIOURS = {
    "cell-cell repulsion": _REPULSION,
    "cell-cell adhesion": _ADHESION,
    "relative maximum adhesion distance": _REACH,
    "cell-cell adhesion elastic constant": _ELASTICITY,
}
_ANCHORS = ("cell.anchored", "cell.anchor_x", "cell.anchor_y", "cell.anchor_z")
_MIGRATION = ("cell.migration_x", "cell.migration_y", "cell.migration_z")

WALL = 6000.0  # um/h, repulsion of the edge of the domain at distance 0: ten times that of the reference cell
TOLERANCE = 0.01  # um; moves that would stay below it for the rest of a tick wait for the next
STRIDE = 1.0  # um; the longest move in one sub-step, an eighth of the radius of the reference cell
CAUTION = 0.8  # sub-step of Euler's scheme over its limit of stability; the page of verification shows what it costs


@dataclass(frozen=True)
class _Tables:
    numbers: Real  # [types, 6] as in `_SLOTS`
    affinity: Real | None  # [types, types], or None where all are 1 and no rule changes them
    movable: NDArray[np.bool_]  # [types]
    workspace: Workspace


@dataclass(frozen=True, kw_only=True)
class TissueMechanics(TissueProcess):
    """Cells push each other apart and adhere, pull along their attachments, migrate, and are slowed by matrix.

    dx/dt = (sum over neighbours of [sqrt(r_i r_j)(1 - d / R)^2 - sqrt(a_i a_j f_ij f_ji)(1 - d / A)^2] u
             + springs + migration) / (1 + matrix / matrix_half)

    with R the sum of radii, A the sum of reach times radius, u the unit vector from the neighbour. Sets the pressure: the sum
    of (1 - d / R)^2 over that of a confluent layer.

    Assumes overdamped motion. Sub-steps are chosen by stiffness and by displacement.
    Source: Ghaffarizadeh et al. 2018, doi:10.1371/journal.pcbi.1005991.
    """

    phase: ClassVar[Phase] = Phase.MOVE
    parts: ClassVar[tuple[str, ...]] = (*_SLOTS, "mechanics.affinity")

    role: str = "mechanics"
    sources: tuple[str, ...] = ("Ghaffarizadeh2018",)
    walls: bool = False
    migrating: bool = False
    bonded: bool = False
    anchored: bool = False

    @property
    def _matrices(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(d.mechanics.matrix for d in self.definitions if d.mechanics.matrix))

    @property
    def reads(self) -> tuple[str, ...]:
        return (
            "cell.position",
            "cell.radius",
            "cell.type",
            *self._matrices,
            *(_MIGRATION if self.migrating else ()),
            *(("tissue.bonds",) if self.bonded else ()),
            *(_ANCHORS if self.anchored else ()),
            *self.reads_of(*_BEHAVIOURS, *affinities_to(self), "is movable"),
        )

    @property
    def adds(self) -> tuple[str, ...]:
        return ("cell.position",)

    @property
    def sets(self) -> tuple[str, ...]:
        return ("cell.pressure",)

    def prepare(self, values: dict[str, float]) -> _Tables:
        types = len(self.definitions)
        slots = tuple(f"mechanics.affinity/{d.name}" for d in self.definitions)
        affinity = table(values, types, slots, absent=1.0)
        return _Tables(
            table(values, types, _SLOTS),
            None if bool((affinity == 1.0).all()) and not self.reads_of(*affinities_to(self)) else affinity,
            np.array([d.mechanics.movable for d in self.definitions]),
            Workspace(),
        )

    def step(self, see: See, do: Do, p: _Tables) -> None:
        if not see.count:
            return
        kind, before, ids = see["cell.type"], see["cell.position"], see.ids
        own = {name: self.behaviour(see, name, p.numbers[:, column]) for name, column in _BEHAVIOURS.items()}
        position = before.copy()
        rows, affinity = (None, None) if p.affinity is None else own_affinities(self, see, p.affinity)
        movable = p.movable[kind]
        if "is movable" in self.ruled:
            movable = self.behaviour(see, "is movable", p.movable.astype(np.float64)) > 0.5
        found = contacts.relax(
            position,
            ids,
            see["cell.radius"],
            see.size,
            see.dt,
            contacts.Quadratic(
                own["cell-cell repulsion"],
                own["cell-cell adhesion"],
                own["relative maximum adhesion distance"],
                None if affinity is None else kind,
                affinity,
                rows,
            ),
            mobile=None if movable.all() else movable,
            drift=np.stack([see[name] for name in _MIGRATION]) if self.migrating else None,
            drag=self._drag(see, p, kind),
            bonds=self._bonds(see, own["cell-cell adhesion elastic constant"]),
            anchors=self._anchors(see, p, kind),
            wall=WALL if self.walls else 0.0,
            periodic=see.periodic,
            flat=see.flat,
            tolerance=TOLERANCE,
            order=1,
            caution=CAUTION,
            stride=STRIDE,
            threads=see.threads,
            by_id=see.by_id,
            workspace=p.workspace,
        )
        if found.failed:
            cell = f"cell {ids[found.row]}" if found.row >= 0 else "a cell"
            place = ", ".join(f"{v:g}" for v in before[:, found.row])
            raise NumericalError(
                f"process '{self.role}' at {see.time:g} h (tick {see.tick}): around {cell} at ({place}) um "
                + ("too many cells lie at one place" if found.failed == "crowded" else "a velocity is not finite")
            )
        do.move(self._shortest(position - before, see))
        do.set("cell.pressure", found.pressure)

    @staticmethod
    def _shortest(displacement: Real, see: See) -> Real:
        """Displacements through periodic walls, as the short way."""
        for axis in range(3):
            if see.periodic[axis]:
                displacement[axis] -= see.size[axis] * np.round(displacement[axis] / see.size[axis])
        return displacement

    def _drag(self, see: See, p: _Tables, kind: Any) -> Real | None:
        if not self._matrices:
            return None
        drag = np.ones(see.count)
        for name in self._matrices:
            slowed = np.array([d.mechanics.matrix == name for d in self.definitions])
            half = np.where(slowed & (p.numbers[:, _MATRIX_HALF] > 0.0), p.numbers[:, _MATRIX_HALF], np.inf)
            drag += see.here(name) / half[kind]
        return drag

    def _bonds(self, see: See, elasticity: Real) -> contacts.Bonds | None:
        if not self.bonded:
            return None
        lower, upper = see.bonds
        if not lower.size:
            return None
        first, second = (encounters.rows_of(see.ids, ends, see.by_id) for ends in (lower, upper))
        return contacts.Bonds(first, second, np.sqrt(elasticity[first] * elasticity[second]), np.zeros(first.size))

    def _anchors(self, see: See, p: _Tables, kind: Any) -> contacts.Anchors | None:
        if not self.anchored:
            return None
        rows = np.flatnonzero(see["cell.anchored"] == 1)
        if not rows.size:
            return None
        point = np.stack([see[name][rows] for name in _ANCHORS[1:]])
        return contacts.Anchors(rows, point, p.numbers[kind[rows], _MATRIX_ELASTICITY])
