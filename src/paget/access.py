"""The contract, executed: what a process sees and does is exactly what it declared.

`See` and `Do` are made by the engine for every process. Reading an undeclared variable, adding to or setting one, or emitting
an undeclared event raises `ContractError` at that moment, naming the process.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from paget.errors import ContractError, NumericalError, nearest
from paget.kernels import contacts, philox, voxels
from paget.state.bonds import Bonds
from paget.vocabulary import VARIABLES, Variable

if TYPE_CHECKING:
    from paget.engine.chance import Chance
    from paget.process import Process
    from paget.state import Cells, Fields

__all__ = ["Do", "Emission", "Ledgers", "See", "World"]

Real = NDArray[np.float64]
Rows = NDArray[np.int64]

POSITION = "cell.position"
CONTACTS = "cell.contacts"
BONDS = "tissue.bonds"
VESSELS = "tissue.vessels"
ALL = slice(None)
MAY_BE_NAN = frozenset({"cell.woke_at"})  # a time that has not come yet


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
    doses: tuple[tuple[str, float, float], ...] = ()
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


@dataclass(frozen=True)
class Emission:
    """Structural events that a process asks for; the engine applies the earliest of every cell.

    rows : slots [k] of the cells; rings : time of the event within the tick [k] in h; values : numbers or [k]
    partner : slots [k] of those who take over the variables `gives` of the cells, or -1
    """

    role: str
    kind: str
    event: str
    rows: Rows
    rings: Real
    to: str = ""
    leaves: Mapping[str, float] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    counts: NDArray[np.int64] | None = None
    partner: Rows | None = None
    gives: tuple[str, ...] = ()


class Ledgers:
    """What the processes of one tick add, in the fixed order of their roles."""

    def __init__(self) -> None:
        self.cell_source: dict[str, Real] = {}
        self.cell_loss: dict[str, Real] = {}
        self.cell_sets: dict[str, tuple[Rows | slice, Any]] = {}
        self.body_sets: dict[str, Any] = {}
        self.field_source: dict[str, Real] = {}
        self.field_loss: dict[str, Real | float] = {}
        self.field_saturable: dict[str, list[tuple[Real, float]]] = {}
        self.field_faces: dict[str, dict[str, tuple[str, float, str]]] = {}
        self.field_held: dict[str, list[tuple[NDArray[np.bool_], Any]]] = {}
        self.transfers: list[tuple[str, str, Real | float]] = []
        self.body_source: dict[str, float] = {}
        self.body_loss: dict[str, float] = {}
        self.emissions: list[Emission] = []
        self.bound: list[Bonds] = []
        self.unbound: list[Rows] = []
        self.vessels: Any = None


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
        return voxels.gradient(self._world.fields[name], self._world.voxel_of_cells()[self.rows], grid.spacing, grid.periodic)

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
    def doses(self) -> tuple[tuple[str, float, float], ...]:
        """(drug, time within the tick in h, mg/kg) of every administration in this tick."""
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


class Do:
    """What one process may do; every call checks the declaration."""

    def __init__(self, process: Process, world: World, ledgers: Ledgers) -> None:
        self._process, self._world, self.ledgers = process, world, ledgers
        self._on = process.on
        self._adds = frozenset(process.adds)
        self._sets = frozenset(process.sets)
        self._emits = frozenset(process.emits)

    def _check(self, name: str, declared: frozenset[str], verb: str) -> None:
        if name not in declared:
            known = ", ".join(sorted(declared)) or "nothing"
            raise ContractError(
                f"process '{self._process.role}' {verb} '{name}' without declaring it (it declares {known})"
            )

    @property
    def _rows(self) -> Rows | slice:
        return ALL if self._process.whole else self._world.rows(self._on)

    @property
    def _slots(self) -> Rows:
        """The same as numbers."""
        return np.arange(len(self._world.cells)) if self._process.whole else self._world.rows(self._on)

    def add(self, name: str, rate: Any) -> None:
        """Add a rate per h: [n_rows] for ``cell.*``, [nz, ny, nx] or a number for ``field.*``, a number for ``body.*``."""
        self._check(name, self._adds, "adds to")
        rate = self._whole_turn(name, rate)
        place = name.split(".", 1)[0]
        ledger = self.ledgers
        if place == "cell":
            self._to_cells(ledger.cell_source, name, rate)
        elif place == "field":
            self._source(name)[...] += rate
        else:
            ledger.body_source[name] = ledger.body_source.get(name, 0.0) + float(rate)

    def lose(self, name: str, coefficient: Any) -> None:
        """Add a first-order loss in 1/h, solved implicitly: amounts stay positive however fast it is."""
        self._check(name, self._adds, "adds to")
        self._never_negative(f"loss of {name}", coefficient)
        coefficient = self._whole_turn(name, coefficient)
        place = name.split(".", 1)[0]
        ledger = self.ledgers
        if place == "cell":
            self._to_cells(ledger.cell_loss, name, coefficient)
        elif place == "field":
            ledger.field_loss[name] = ledger.field_loss.get(name, 0.0) + coefficient
        else:
            ledger.body_loss[name] = ledger.body_loss.get(name, 0.0) + float(coefficient)

    def _to_cells(self, ledger: dict[str, Real], name: str, rate: Any) -> None:
        if name not in ledger:
            ledger[name] = np.zeros(len(self._world.cells))
        ledger[name][self._rows] += rate

    def _source(self, name: str) -> Real:
        if name not in self.ledgers.field_source:
            self.ledgers.field_source[name] = np.zeros(self._world.fields.grid.shape)
        return self.ledgers.field_source[name]

    def secrete(self, name: str, amounts: Real) -> None:
        """Release `amounts` [n_rows], in (unit of the field) pL / h, into the voxels of the cells."""
        self._check(name, self._adds, "adds to")
        self._deposit(self._source(name), self._whole_turn(name, amounts))

    def _deposit(self, total: Real, amounts: Any) -> None:
        """Add `amounts` [n_rows] per pL to the voxels of the cells, in the order of their ids."""
        world = self._world
        rows = world.cells.order if self._process.whole else world.rows(self._on)
        given = np.broadcast_to(np.asarray(amounts, dtype=np.float64), (self._slots.size,))
        given = (given[rows] if self._process.whole else given) / world.fields.grid.voxel_volume
        voxels.deposit(total.reshape(-1), world.voxel_of_cells()[rows], given)

    def absorb(self, name: str, clearances: Real) -> None:
        """Take up from the voxels of the cells what is in `clearances` [n_rows] pL/h; implicit, so amounts stay positive."""
        self._check(name, self._adds, "adds to")
        self._never_negative(f"uptake of {name}", clearances)
        loss = self.ledgers.field_loss.get(name, 0.0)
        total = np.array(np.broadcast_to(loss, self._world.fields.grid.shape), dtype=np.float64)
        self._deposit(total, self._whole_turn(name, clearances))
        self.ledgers.field_loss[name] = total

    def absorb_saturably(self, name: str, most: Real, half: float) -> None:
        """Take up at most `most` [n_rows] (unit of the field) pL/h, half of it at concentration `half` (Michaelis-Menten)."""
        self._check(name, self._adds, "adds to")
        self._never_negative(f"uptake of {name}", most)
        total = np.zeros(self._world.fields.grid.shape)
        self._deposit(total, self._whole_turn(name, most))
        self.ledgers.field_saturable.setdefault(name, []).append((total, half))

    def hold(self, name: str, where: NDArray[np.bool_], values: Any) -> None:
        """Hold the field at `values` in the voxels `where` [nz, ny, nx] during this tick (Dirichlet)."""
        self._check(name, self._adds, "adds to")
        self._sound(name, values)
        if np.min(values) < 0.0:
            raise NumericalError(
                f"process '{self._process.role}' at {self._world.time:g} h holds {name} at {np.min(values):g}, below zero"
            )
        self.ledgers.field_held.setdefault(name, []).append((where, values))

    def hold_face(self, name: str, face: str, value: float, *, at: str = "voxels") -> None:
        """Hold the field at `value` along a face ("x-", "x+", ...) during this tick: in its voxels, or at the wall itself."""
        self._check(name, self._adds, "adds to")
        self._sound(name, value)
        self.ledgers.field_faces.setdefault(name, {})[face] = ("held", value, at)

    def let_in(self, name: str, face: str, flux: float) -> None:
        """Let material in through a face ("x-", "x+", ...) at `flux`, in the unit of the field times um/h."""
        self._check(name, self._adds, "adds to")
        self._sound(name, flux)
        self.ledgers.field_faces.setdefault(name, {})[face] = ("inflow", flux, "wall")

    def bind(self, first: Rows, second: Rows) -> None:
        """Attach the cells `first` [k] to the cells `second` [k], given by their rows."""
        self._check(BONDS, self._sets, "sets")
        ids = self._world.cells.ids
        self.ledgers.bound.append(Bonds.between(ids[first], ids[second]))

    def unbind(self, bonds: Rows) -> None:
        """Break attachments, given by their indices in `see.bonds`."""
        self._check(BONDS, self._sets, "sets")
        self.ledgers.unbound.append(bonds)

    def grow_vessels(self, network: Any) -> None:
        """Replace the network of vessels."""
        self._check(VESSELS, self._sets, "sets")
        self.ledgers.vessels = network

    def transfer(self, source: str, target: str, coefficient: Any) -> None:
        """Turn one immobile field into another at a first-order rate in 1/h; what one loses the other gains, to rounding."""
        self._check(source, self._adds, "adds to")
        self._check(target, self._adds, "adds to")
        for name in (source, target):
            if name not in self._world.variables or not self._world.variables[name].immobile:
                raise ContractError(
                    f"process '{self._process.role}' transfers '{name}', which is not an immobile field; use add and lose"
                )
        self._never_negative(f"transfer of {source}", coefficient)
        self.ledgers.transfers.append((source, target, self._whole_turn(source, coefficient)))

    def set(self, name: str, values: Any) -> None:
        """Set a variable that this process owns: [n_rows] for ``cell.*``, a number or array for ``body.*``."""
        self._check(name, self._sets, "sets")
        if name not in MAY_BE_NAN:
            self._sound(name, values)
        if name.startswith("cell."):
            self.ledgers.cell_sets[name] = (self._rows, values)
        else:
            self.ledgers.body_sets[name] = values

    def move(self, displacement: Real) -> None:
        """Displace the cells by [3, n_rows] um in this tick; displacements of all movers add up."""
        self._check(POSITION, self._adds, "adds to")
        self._sound(POSITION, displacement)
        for axis, name in enumerate(("cell.x", "cell.y", "cell.z")):
            self._to_cells(self.ledgers.cell_source, name, displacement[axis] / self._world.dt)

    def ring(self, rates: Any) -> Real:
        """Let the process's clocks run at `rates` [n_rows] in 1/h; time within the tick at which each rings, or inf."""
        return philox.spend_hazard(*self._clock(rates))

    def ring_repeatedly(self, rates: Any) -> NDArray[np.int64]:
        """Let clocks run that start anew when they ring; how often each rang [n_rows]."""
        return philox.spend_hazard_repeatedly(*self._clock(rates))

    def clocks(self) -> tuple[Real, Rows]:
        """The process's clocks by slot, for a kernel that runs them itself: budgets left (NaN: none drawn), and rings so far."""
        role, cells = self._process.role, self._world.cells
        if not self._process.clock:
            raise ContractError(f"process '{role}' asks for a clock without declaring one")
        return cells.column(f"clock.{role}"), cells.column(f"rings.{role}")

    def _clock(self, rates: Any) -> tuple[Any, ...]:
        role, cells, rows = self._process.role, self._world.cells, self._slots
        if not self._process.clock:
            raise ContractError(f"process '{role}' asks for a clock without declaring one")
        hazards = np.broadcast_to(np.asarray(rates, dtype=np.float64), rows.shape).copy()
        self._sound("hazard", hazards)
        self._never_negative("hazard", hazards)
        dt = self._world.dt * self._process.every
        return (
            cells.column(f"clock.{role}"),
            cells.column(f"rings.{role}"),
            rows,
            cells.ids[rows],
            hazards,
            dt,
            self._world.chance.key(role),
        )

    def _sound(self, what: str, values: Any) -> None:
        if not np.isfinite(values).all():
            raise NumericalError(
                f"process '{self._process.role}' at {self._world.time:g} h gives a value for {what} that is not finite"
            )

    def _never_negative(self, what: str, rates: Any) -> None:
        lowest = float(np.min(rates, initial=0.0))
        if lowest < 0.0:
            raise NumericalError(
                f"process '{self._process.role}' at {self._world.time:g} h: a {what} is negative ({lowest:g} per h)"
            )

    def _whole_turn(self, name: str, rate: Any) -> Any:
        """The rate that, over the one tick in which it is applied, amounts to all ticks of the process's turn."""
        self._sound(name, rate)
        return rate if self._process.every == 1 else np.asarray(rate) * self._process.every

    def _newcomer(self, cell_type: str, values: Mapping[str, Any]) -> None:
        role, world = self._process.role, self._world
        if cell_type not in world.cell_types:
            raise ContractError(
                f"process '{role}' makes cells of type '{cell_type}', which this model does not have. "
                f"{nearest(cell_type, world.cell_types)}"
            )
        self._starts(values)

    def _starts(self, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            if name not in self._world.cells:
                raise ContractError(f"process '{self._process.role}' gives '{name}' to cells, which do not have it")
            self._sound(name, value)

    def emit(
        self,
        kind: str,
        rings: Real,
        *,
        event: str = "",
        to: str = "",
        leaves: Mapping[str, float] | None = None,
        values: Mapping[str, Any] | None = None,
        partner: Rows | None = None,
        gives: tuple[str, ...] = (),
    ) -> None:
        """Ask for a structural event of the cells whose `rings` [n_rows] are finite.

        kind : "death", "division" or "conversion"; event : its name in the record, if the process has several
        to : the new cell type; a conversion without it only changes `values`
        leaves : amounts, in (unit of the field) pL, that a dying cell leaves in its voxel
        values : variables of the converted cell, or of both daughters: numbers or [n_rows]
        partner, gives : rows [n_rows] of cells to which a dying cell gives these variables, or -1 for none
        """
        self._check(kind, self._emits, "emits")
        event = event or self._process.event
        if event not in self._process.events:
            raise ContractError(
                f"process '{self._process.role}' records '{event}' without declaring it (it declares "
                f"{', '.join(self._process.events) or 'nothing'})"
            )
        leaves = leaves or {}
        for field_name in leaves:
            self._check(field_name, self._adds, "adds to")
            self._sound(field_name, leaves[field_name])
        if np.isnan(rings).any():
            raise NumericalError(
                f"process '{self._process.role}' at {self._world.time:g} h gives a time of {kind} that is not a number"
            )
        due = np.flatnonzero(np.isfinite(rings))
        if not due.size:
            return
        if self._process.whole:
            due = due[np.argsort(self._world.cells.ids[due])]
        values = {name: value if np.ndim(value) == 0 else value[due] for name, value in (values or {}).items()}
        if kind == "conversion" and not to and not values:
            raise ContractError(f"process '{self._process.role}' asks for a conversion that changes nothing; say to what")
        if kind == "conversion" and to:
            self._newcomer(to, values)
        else:
            self._starts(values)
        self.ledgers.emissions.append(
            Emission(
                self._process.role,
                kind,
                event,
                self._slots[due],
                rings[due],
                to,
                dict(leaves),
                values,
                None,
                None if partner is None else partner[due],
                gives,
            )
        )

    def arrive(self, cell_type: str, counts: NDArray[np.int64], values: Mapping[str, Any]) -> None:
        """Let `counts` [n_rows] new cells of `cell_type` enter at each of the process's cells."""
        self._check("arrival", self._emits, "emits")
        due = np.flatnonzero(counts)
        if due.size:
            self._newcomer(cell_type, values)
            rows, event = self._slots[due], self._process.event
            self.ledgers.emissions.append(
                Emission(
                    self._process.role,
                    "arrival",
                    event,
                    rows,
                    np.zeros(due.size),
                    cell_type,
                    {},
                    dict(values),
                    counts[due],
                )
            )
