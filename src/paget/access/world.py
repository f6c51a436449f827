"""The state of one animal, its clock, and what was ordered for the present tick."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from paget.access.names import Real, Rows
from paget.kernels import contacts, voxels
from paget.state.bonds import Bonds
from paget.vocabulary import VARIABLES, Variable

if TYPE_CHECKING:
    from paget.engine.chance import Chance
    from paget.pharmacology import Doses
    from paget.state import Cells, Fields

__all__ = ["World"]


@dataclass
class World:
    """Everything that the engine owns: the state, the clock, and what was ordered for this tick."""

    cells: Cells
    fields: Fields
    body: dict[str, Any]
    cell_types: tuple[str, ...]
    chance: Chance
    time: float = 0.0
    dt: float = 1.0
    tick: int = 0
    doses: Doses = ()
    operations: tuple[tuple[str, float], ...] = ()
    variables: Mapping[str, Variable] = field(default_factory=lambda: VARIABLES)
    reach: Real = field(default_factory=lambda: np.empty(0))  # of contact, in radii, by cell type
    bonds: Bonds = field(default_factory=Bonds)
    vessels: Any = None
    threads: int = 1
    rows_cache: dict[tuple[str, ...], Rows] = field(default_factory=dict)
    voxel_cache: dict[str, Rows] = field(default_factory=dict)
    contact_cache: dict[str, tuple[Rows, Rows]] = field(default_factory=dict)

    def rows(self, types: tuple[str, ...]) -> Rows:
        """Slots of the cells of these types, in ascending order of id."""
        if types not in self.rows_cache:
            wanted = np.array([t in types for t in self.cell_types])
            order = self.cells.order
            self.rows_cache[types] = order[wanted[self.cells.column("cell.type")[order]]]
        return self.rows_cache[types]

    def voxel_of_cells(self) -> Rows:
        """Flat voxel index of every cell."""
        if "all" not in self.voxel_cache:
            grid = self.fields.grid
            self.voxel_cache["all"] = voxels.voxel_of(
                np.ascontiguousarray(self.cells.position), grid.spacing, grid.shape, grid.periodic
            )
        return self.voxel_cache["all"]

    def voxels_by_id(self) -> Rows:
        """Flat voxel index of every cell, in ascending order of id."""
        if "by id" not in self.voxel_cache:
            self.voxel_cache["by id"] = self.voxel_of_cells()[self.cells.order]
        return self.voxel_cache["by id"]

    def contacts(self) -> tuple[Rows, Rows]:
        """(start [n + 1], other): the slots of the cells that each cell touches, in ascending order of id."""
        if "all" not in self.contact_cache:
            cells, grid = self.cells, self.fields.grid
            self.contact_cache["all"] = contacts.contacts(
                cells.position,
                cells.ids,
                self.reach[cells.column("cell.type")] * cells.column("cell.radius"),
                np.array(grid.size),
                periodic=grid.periodic,
                threads=self.threads,
                by_id=cells.order,
            )
        return self.contact_cache["all"]

    def cells_moved(self) -> None:
        """Forget where cells are."""
        self.voxel_cache.clear()
        self.contact_cache.clear()

    def cells_changed(self) -> None:
        """Forget which slots are of which type and where cells are."""
        self.rows_cache.clear()
        self.cells_moved()
