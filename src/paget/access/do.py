"""What a process may do: add, set, move, bind and ask for events, each as it declared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from paget.access.ledgers import Emission, Ledgers
from paget.access.names import ALL, BONDS, MAY_BE_NAN, POSITION, VESSELS, Real, Rows
from paget.access.world import World
from paget.errors import ContractError, NumericalError, nearest
from paget.kernels import philox, voxels
from paget.state.bonds import Bonds

if TYPE_CHECKING:
    from paget.process import Process

__all__ = ["Do"]


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
        given = np.broadcast_to(np.asarray(amounts, dtype=np.float64), rows.shape)
        given = (given[rows] if self._process.whole else given) / world.fields.grid.voxel_volume
        where = world.voxels_by_id() if self._process.whole else world.voxel_of_cells()[rows]
        voxels.deposit(total.reshape(-1), where, given)

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

    def exchange(self, name: str, coefficient: Real, level: float, account: str = "") -> None:
        """Let a field exchange with a reservoir at `level`: dc/dt = coefficient (level - c), with [nz, ny, nx] in 1/h.

        account : body variable, in (unit of the field) pL, from which the engine takes what entered the field in the tick, and
        to which it adds what left it
        """
        self._check(name, self._adds, "adds to")
        self._never_negative(f"exchange of {name}", coefficient)
        self._never_negative(f"level of {name}", level)
        if account:
            self._check(account, self._adds, "adds to")
        rate = np.asarray(self._whole_turn(name, coefficient))
        self._source(name)[...] += rate * level
        self.ledgers.field_loss[name] = self.ledgers.field_loss.get(name, 0.0) + rate
        self.ledgers.field_exchange.setdefault(name, []).append((rate, level, account))

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

    def bind_field(self, free: str, bound: str, capacity: Any, on: float, off: float) -> None:
        """Let a field bind to sites that do not move: d bound / dt = on free (capacity - bound) - off bound.

        bound : immobile field of the same unit; capacity : sites, taken or not, [nz, ny, nx] or a number in that unit
        on : per unit of the field and h; off : 1/h. What loses its site is free again.
        """
        role, variables = self._process.role, self._world.variables
        for name in (free, bound):
            self._check(name, self._adds, "adds to")
        if not variables[bound].immobile or variables[free].immobile:
            raise ContractError(
                f"process '{role}' binds '{free}' as '{bound}'; it can bind a field that diffuses as one that is immobile"
            )
        if variables[free].unit != variables[bound].unit:
            raise ContractError(
                f"process '{role}' binds '{free}' in {variables[free].unit or 'plain numbers'} as '{bound}' in "
                f"{variables[bound].unit or 'plain numbers'}; give both the same unit"
            )
        for what, number in (("number of sites", capacity), ("rate of binding", on), ("rate of release", off)):
            self._sound(what, number)
            self._never_negative(what, number)
        self.ledgers.bindings.append(
            (free, bound, capacity, float(self._whole_turn(free, on)), float(self._whole_turn(free, off)))
        )

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
        """The process's clocks by slot, for a kernel that runs them itself: budgets left (NaN: none drawn), rings so far."""
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
        account: str = "",
        parties: NDArray[np.uint64] | None = None,
    ) -> None:
        """Ask for a structural event of the cells whose `rings` [n_rows] are finite.

        kind : "death", "division", "conversion", or "leave" (the cell goes out of the tissue alive, with all that it has)
        event : its name in the record, if the process has several
        to : the new cell type; a conversion without it only changes `values`
        leaves : amounts, in (unit of the field) pL, that a dying cell leaves in its voxel
        values : variables of the converted cell, or of both daughters: numbers or [n_rows]
        partner, gives : rows [n_rows] of cells to which a dying cell gives these variables, or -1 for none
        account : body variable that counts the cells that left
        parties : [n_rows] id of the cell that each leaving cell goes with; every cell goes by itself if left out
        """
        self._check(kind, self._emits, "emits")
        event = self._recorded(event)
        leaves = leaves or {}
        if kind == "leave" and (leaves or values or partner is not None):
            raise ContractError(
                f"process '{self._process.role}' lets cells leave alive: they take with them all that they have, so that "
                "`leaves`, `values` and `partner` have no meaning"
            )
        if account:
            self._check(account, self._adds, "adds to")
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
            raise ContractError(
                f"process '{self._process.role}' asks for a conversion that changes nothing; say to what"
            )
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
                account=account,
                parties=None if parties is None else parties[due],
            )
        )

    def _recorded(self, event: str) -> str:
        """The name of an event in the record, as it was declared."""
        event = event or self._process.event
        if event not in self._process.events:
            raise ContractError(
                f"process '{self._process.role}' records '{event}' without declaring it (it declares "
                f"{', '.join(self._process.events) or 'nothing'})"
            )
        return event

    def enter(
        self,
        cell_type: str,
        position: Real,
        values: Mapping[str, Any],
        *,
        times: Real | None = None,
        event: str = "",
        account: str = "",
    ) -> None:
        """Let new cells of `cell_type` into the tissue at `position` [3, k] um, which no cell of the tissue has to let in.

        values : variables that they start with, numbers or [k]; times : when within the tick [k] in h, or at its start
        event : its name in the record; account : body variable that counts the cells outside, from which they are taken
        """
        self._check("arrival", self._emits, "emits")
        event = self._recorded(event)
        if account:
            self._check(account, self._adds, "adds to")
        self._newcomer(cell_type, values)
        self._sound(POSITION, position)
        many = position.shape[1]
        rings = np.zeros(many) if times is None else np.asarray(times, np.float64)
        self._sound("time of arrival", rings)
        if many:
            self.ledgers.emissions.append(
                Emission(
                    self._process.role,
                    "arrival",
                    event,
                    np.empty(0, np.int64),
                    rings,
                    cell_type,
                    values=dict(values),
                    places=np.array(position, np.float64),
                    account=account,
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
