"""One tick: every process in its phase, then the engine merges what they added and restructures the cells."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paget.access import POSITION, Do, Ledgers, See, World
from paget.engine import transport
from paget.engine.matter import Matter, contributors
from paget.engine.structure import EventLog, Structure, inside
from paget.errors import LedgerError, NumericalError, UnknownNameError
from paget.model import Model
from paget.pharmacology import MASS, DrugKinetics
from paget.process import Phase, Process
from paget.state import Cells

__all__ = ["Stepper", "cells_columns"]

Real = NDArray[np.float64]


@dataclass(frozen=True)
class _Bound:
    process: Process
    see: See
    do: Do
    values: Any


class Stepper:
    """Advances one animal by ticks; owns no state of its own beyond the running balance of cells and drugs."""

    def __init__(
        self,
        model: Model,
        world: World,
        used_drugs: frozenset[str] | None = None,
        further_events: tuple[str, ...] = (),
    ) -> None:
        self.model, self.world = model, world
        self.ledgers = Ledgers()
        self.structure = Structure(model, world, self.ledgers, further_events)
        self.matter = Matter(model, world, self.ledgers)
        # The kinetics of a drug that nobody is given would do nothing; leaving them out changes no bit and saves time.
        idle = {
            p.role
            for p in model.processes.values()
            if isinstance(p, DrugKinetics) and used_drugs is not None and p.drug.name not in used_drugs
        }
        self.bound: dict[Phase, list[_Bound]] = {phase: [] for phase in Phase}
        for process in model.ordered:
            if process.role not in idle:
                values = process.prepared(model.values_for(process, world.chance.draw))
                self.bound[process.phase].append(
                    _Bound(process, See(process, world), Do(process, world, self.ledgers), values)
                )
        self.given: dict[str, float] = {drug.name: 0.0 for drug in model.drugs}
        for drug in sorted((used_drugs or frozenset()) - set(self.given)):
            raise UnknownNameError("drug", drug, self.given)

    @property
    def tally(self) -> Counter[str]:
        """Cells present at the start, born, arrived, died and left since."""
        return self.structure.tally

    @property
    def events(self) -> EventLog:
        """The record of structural events."""
        return self.structure.events

    def step(self) -> None:
        """Advance the animal by one tick."""
        world = self.world
        for drug, _, amount, _ in world.doses:
            self.given[drug] += amount
        for phase in Phase:
            for item in self.bound[phase]:
                if world.tick % item.process.every == 0:
                    item.do.ledgers = self.ledgers
                    item.process.step(item.see, item.do, item.values)
            self._apply_cells()
            self._apply_body_sets()
        self.matter.advance()
        self._apply_body()
        if "cell.owed" in world.cells:
            world.cells.column("cell.owed")[...] = 0.0  # what a cell owed it has lived by now; events make it owe again
        self.structure.apply()
        world.cells.column("cell.age")[...] += world.dt
        world.tick += 1
        world.time = world.tick * world.dt
        self.check()

    # ---- merging --------------------------------------------------------------------------------------------------
    def _apply_cells(self) -> None:
        ledger, cells, dt = self.ledgers, self.world.cells, self.world.dt
        for name in sorted({*ledger.cell_source, *ledger.cell_loss}):
            column = cells.column(name)
            source, loss = ledger.cell_source.get(name), ledger.cell_loss.get(name)
            if loss is None:
                assert source is not None
                column += source * dt
            else:
                kept, gained = transport.decay_and_gain(loss, dt)
                column[...] = column * kept + (0.0 if source is None else source) * gained
        if "cell.x" in ledger.cell_source:
            cells.position[...] = inside(cells.position, self.model.grid)
            self.world.cells_moved()
        for name, (rows, values) in ledger.cell_sets.items():
            cells.column(name)[rows] = values
        ledger.cell_source.clear()
        ledger.cell_loss.clear()
        ledger.cell_sets.clear()

    def _apply_body_sets(self) -> None:
        ledger, world = self.ledgers, self.world
        world.body.update(ledger.body_sets)
        ledger.body_sets.clear()
        if ledger.unbound:
            kept = np.ones(len(world.bonds), bool)
            kept[np.concatenate(ledger.unbound)] = False
            world.bonds = world.bonds.only(kept)
            ledger.unbound.clear()
        for bonds in ledger.bound:
            world.bonds = world.bonds.joined(bonds)
        ledger.bound.clear()
        if ledger.vessels is not None:
            world.vessels, ledger.vessels = ledger.vessels, None

    def _apply_body(self) -> None:
        ledger, body = self.ledgers, self.world.body
        for name in sorted({*ledger.body_source, *ledger.body_loss}):
            kept, gained = transport.decay_and_gain(ledger.body_loss.get(name, 0.0), self.world.dt)
            body[name] = float(body[name]) * kept + ledger.body_source.get(name, 0.0) * gained
        ledger.body_source.clear()
        ledger.body_loss.clear()

    # ---- balances -------------------------------------------------------------------------------------------------
    def check(self) -> None:
        """Refuse a state in which cells or drug appeared or vanished, or a value is not a number.

        Raises
        ------
        LedgerError, NumericalError
        """
        world, tally = self.world, self.tally
        expected = tally["present"] + tally["born"] + tally["arrived"] - tally["died"] - tally["left"]
        if expected != len(world.cells):
            raise LedgerError(
                f"At {world.time:g} h there are {len(world.cells)} cells, but births and deaths add up to {expected}."
            )
        for drug in self.model.drugs:
            held = float(world.body[drug.amounts.name][MASS].sum())
            given = self.given[drug.name]
            if abs(held - given) > 1e-9 * max(given, 1.0):
                raise LedgerError(
                    f"At {world.time:g} h {given:g} mg/kg of {drug.name} were given, but {held:g} are in the body or gone."
                )
        for name in self.model.fields:
            values = world.fields[name]
            if not (float(values.min()) >= 0.0 and float(values.max()) < np.inf):
                at = np.unravel_index(int(np.argmin(np.where(np.isfinite(values), values, -np.inf))), values.shape)
                raise NumericalError(
                    f"At {world.time:g} h (tick {world.tick}) the field '{name}' is {values[at]:g} in voxel (z, y, x) = "
                    f"{tuple(int(i) for i in at)}. {contributors(self.model, name)}"
                )
        for name, value in world.body.items():
            if not np.isfinite(value).all():
                raise NumericalError(f"At {world.time:g} h '{name}' is not a number.")
        lost = np.flatnonzero(~np.isfinite(world.cells.position.sum(axis=0)))
        if lost.size:
            raise NumericalError(
                f"At {world.time:g} h (tick {world.tick}) cell {world.cells.ids[lost[0]]} has no position. "
                f"{contributors(self.model, POSITION)}"
            )


def cells_columns(cells: Cells, names: tuple[str, ...], wide: frozenset[str] = frozenset()) -> dict[str, NDArray[Any]]:
    """Columns of a stored frame, in ascending order of id: id and type, then `names`, in single precision.

    Whole numbers among `wide` keep all 64 bits.
    """
    order = cells.order
    columns: dict[str, NDArray[Any]] = {
        "id": cells.ids[order],
        "type": cells.column("cell.type")[order].astype(np.int8),
    }
    for name in names:
        column = cells.column(name)[order]
        noun = name.split(".", 1)[1]
        if name in wide:
            columns[noun] = column.view(np.uint64)
        else:
            columns[noun] = column.astype(np.float32 if column.dtype == np.float64 else np.int32)
    return columns
