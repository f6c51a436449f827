"""What a process may look at: its declared variables, for its cells, read-only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from paget.access.names import ALL, BONDS, CONTACTS, POSITION, VESSELS, Real, Rows
from paget.access.world import World
from paget.errors import ContractError
from paget.kernels import philox, voxels

if TYPE_CHECKING:
    from paget.pharmacology import Doses
    from paget.process import Process

__all__ = ["See"]


class See:
    """What one process may read: cell variables for its rows, whole fields, and the body."""

    def __init__(self, process: Process, world: World) -> None:
        self._world = world
        self._process = process
        self._reads = frozenset(process.reads)
        self._on = process.on

    def _needs(self, name: str) -> None:
        if name not in self._reads:
            raise self._refuse(name)

    def _refuse(self, name: str) -> ContractError:
        declared = ", ".join(sorted(self._reads)) or "nothing"
        return ContractError(
            f"process '{self._process.role}' reads '{name}' without declaring it (it declares {declared})"
        )

    @property
    def time(self) -> float:
        """Time since the start of the study in h, at the start of the tick."""
        return self._world.time

    @property
    def dt(self) -> float:
        """Length of the tick for this process in h."""
        return self._world.dt * self._process.every

    @property
    def tick(self) -> int:
        """Number of the tick, from 0."""
        return self._world.tick

    @property
    def threads(self) -> int:
        """How many threads a kernel may use."""
        return self._world.threads

    @property
    def key(self) -> np.uint64:
        """Key of the process's stream of random numbers; of its steps, -1 and 0 are taken, and a tick uses its number + 1."""
        return self._world.chance.key(self._process.role)

    @property
    def rows(self) -> Rows | slice:
        """Slots of the cells that the process acts on, in ascending order of id, or all slots in their own order."""
        return ALL if self._process.whole else self._world.rows(self._on)

    @property
    def ids(self) -> NDArray[np.uint64]:
        """Ids [n_rows] of the cells that the process acts on."""
        return self._world.cells.ids[self.rows]

    @property
    def by_id(self) -> Rows:
        """All slots [n] in ascending order of id, for kernels that work on whole columns."""
        return self._world.cells.order

    @property
    def count(self) -> int:
        return len(self._world.cells) if self._process.whole else int(self._world.rows(self._on).size)

    def __getitem__(self, name: str) -> Any:
        """The variable: [n_rows] for ``cell.*``, [nz, ny, nx] for ``field.*``, a number for ``body.*``; all read-only."""
        if name not in self._reads:
            raise self._refuse(name)
        place = name.split(".", 1)[0]
        if place == "body":
            amount = self._world.body[name]
            if isinstance(amount, np.ndarray):
                amount = amount.view()
                amount.flags.writeable = False
            return amount
        if place == "field":
            view = self._world.fields[name].view()
            view.flags.writeable = False
            return view
        if name == POSITION:
            position = np.ascontiguousarray(self._world.cells.position[:, self.rows])
            position.flags.writeable = False
            return position
        values = self._world.cells.column(name)[self.rows].view()
        values.flags.writeable = False
        return values

    @property
    def cell_types(self) -> tuple[str, ...]:
        """Names of the cell types of the model, in the order of `cell.type`."""
        return self._world.cell_types

    def is_type(self, cell_type: str) -> NDArray[np.bool_]:
        """Which of the rows [n_rows] are of this type."""
        found: NDArray[np.bool_] = self["cell.type"] == self._world.cell_types.index(cell_type)
        return found

    def here(self, name: str) -> Real:
        """Field values [n_rows] in the voxels of the cells."""
        self._needs(name)
        return voxels.gather(self._world.fields[name].ravel(), self._world.voxel_of_cells()[self.rows])

    def slope(self, name: str) -> Real:
        """Field gradient [3, n_rows] per um at the cells."""
        self._needs(name)
        grid = self._world.fields.grid
        return voxels.gradient(
            self._world.fields[name], self._world.voxel_of_cells()[self.rows], grid.spacing, grid.periodic
        )

    def contacts(self) -> tuple[Rows, Rows]:
        """(start [n + 1], other): rows of the cells that each cell touches, in ascending order of id; declare cell.contacts."""
        self._needs(CONTACTS)
        return self._world.contacts()

    @property
    def bonds(self) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
        """Attachments between cells, as ids (lower [n_bonds], upper [n_bonds]); declare tissue.bonds."""
        self._needs(BONDS)
        return self._world.bonds.first, self._world.bonds.second

    @property
    def vessels(self) -> Any:
        """The network of vessels, or None; declare tissue.vessels."""
        self._needs(VESSELS)
        return self._world.vessels

    @property
    def flat(self) -> bool:
        """True in a 2-D tissue."""
        return self._world.fields.grid.flat

    @property
    def size(self) -> Real:
        """Edge lengths [3] of the tissue in um."""
        return np.array(self._world.fields.grid.size)

    @property
    def periodic(self) -> tuple[bool, bool, bool]:
        """Which axes of the tissue close on themselves."""
        return self._world.fields.grid.periodic

    @property
    def doses(self) -> Doses:
        """(drug, time within the tick in h, mg/kg, route) of every administration in this tick."""
        self._needs("protocol.doses")
        return self._world.doses

    @property
    def operations(self) -> tuple[tuple[str, float], ...]:
        """(site, time within the tick in h) of every resection in this tick."""
        self._needs("protocol.operations")
        return self._world.operations

    def normals(self, columns: int) -> Real:
        """Standard normal numbers [n_rows, columns], new in every tick."""
        # Step 0 of the stream belongs to the clocks of the process.
        return philox.normals(self.key, self.ids, self._world.tick + 1, columns)

    def personal(self, columns: int) -> Real:
        """Standard normal numbers [n_rows, columns] that each cell keeps for life."""
        return philox.normals(self.key, self.ids, -1, columns)
