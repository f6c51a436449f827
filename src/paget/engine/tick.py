"""One tick: every process in its phase, then the engine merges what they added and restructures the cells."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paget.access import POSITION, Do, Emission, Ledgers, See, World
from paget.engine import transport
from paget.errors import LedgerError, NumericalError, UnknownNameError
from paget.kernels import philox
from paget.model import Model
from paget.pharmacology import MASS, DrugKinetics
from paget.process import Phase, Process
from paget.state.cells import Cells, daughter_ids, mix

__all__ = ["EventLog", "Stepper"]

Real = NDArray[np.float64]


FIELD_RESIDUAL = 1e-8  # relative residual to which a field is solved: a hundred thousandth of the 0.1 % that is wanted
FIELD_BALANCE = 1e-6  # relative imbalance of a field in one tick that its residual can explain


class EventLog:
    """Structural events as columns, in the order in which they happened."""

    def __init__(self, kinds: tuple[str, ...]) -> None:
        self._codes = {kind: code for code, kind in enumerate(kinds)}
        self._parts: list[dict[str, NDArray[Any]]] = []

    def add(
        self, event: str, time: Real, cell: NDArray[Any], other: NDArray[Any], kind: NDArray[Any], position: Real
    ) -> None:
        n = cell.size
        self._parts.append(
            {
                "time": np.asarray(time, np.float64),
                "kind": np.full(n, self._codes[event], np.int8),
                "cell": cell.astype(np.uint64),
                "other": other.astype(np.uint64),
                "type": kind.astype(np.int8),
                **{axis: position[i].astype(np.float32) for i, axis in enumerate("xyz")},
            }
        )

    def take(self) -> dict[str, NDArray[Any]] | None:
        """The columns gathered since the last call, or None."""
        if not self._parts:
            return None
        columns = {name: np.concatenate([part[name] for part in self._parts]) for name in self._parts[0]}
        self._parts.clear()
        return columns


@dataclass(frozen=True)
class _Bound:
    process: Process
    see: See
    do: Do
    values: Any


class Stepper:
    """Advances one animal by ticks; owns no state of its own beyond the running balance of cells and drugs."""

    def __init__(self, model: Model, world: World, used_drugs: frozenset[str] | None = None) -> None:
        self.model, self.world = model, world
        self.ledgers = Ledgers()
        self.events = EventLog(model.event_kinds)
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
        self.diffusion = {
            name: model.value_of(number, "um**2/h", world.chance.draw) for name, number in model.diffusion.items()
        }
        self.mobile = tuple(n for n in model.fields if n in self.diffusion)
        self.fixed = tuple(n for n in model.fields if n not in self.diffusion)
        self.tally: Counter[str] = Counter()
        self.tally["present"] = len(world.cells)
        self.flows: dict[str, dict[str, float]] = {}
        self.given: dict[str, float] = {drug.name: 0.0 for drug in model.drugs}
        for drug in sorted((used_drugs or frozenset()) - set(self.given)):
            raise UnknownNameError("drug", drug, self.given)

    def step(self) -> None:
        """Advance the animal by one tick."""
        world = self.world
        for drug, _, amount in world.doses:
            self.given[drug] += amount
        for phase in Phase:
            for item in self.bound[phase]:
                if world.tick % item.process.every == 0:
                    item.do.ledgers = self.ledgers
                    item.process.step(item.see, item.do, item.values)
            self._apply_cells()
            self._apply_body_sets()
        self._apply_fields()
        self._apply_body()
        if "cell.owed" in world.cells:
            world.cells.column("cell.owed")[...] = 0.0  # what a cell owed it has lived by now; events make it owe again
        self._restructure()
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
            position, size = cells.position, self.model.grid.size
            for axis in range(3):
                np.clip(position[axis], 0.0, size[axis], out=position[axis])
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

    def _apply_fields(self) -> None:
        ledger, world = self.ledgers, self.world
        plain, others = [], []
        for name in self.mobile:
            field = self._described(name)
            if field is None:
                continue
            (plain if field.linear and not field.faces else others).append(field)
        if plain:
            grid = self.model.grid
            found = transport.advance_diffusing(plain, grid, world.dt, world.threads)
            for field, after in zip(plain, found, strict=True):
                self._balance_plain(field, after)
                world.fields[field.name][...] = after
        for field in others:
            self._advance_alone(field)
        changed = {n: world.fields[n] for n in self.fixed}
        for name, result in transport.advance_immobile(
            changed, ledger.field_source, ledger.field_loss, ledger.transfers, world.dt
        ).items():
            world.fields[name][...] = result
        for gathered in (
            ledger.field_source,
            ledger.field_loss,
            ledger.field_saturable,
            ledger.field_held,
            ledger.field_faces,
            ledger.transfers,
        ):
            gathered.clear()

    def _described(self, name: str) -> transport.Diffusing | None:
        """All that drives a field in this tick, or None if there is nothing of it and nothing adds to it."""
        ledger, values = self.ledgers, self.world.fields[name]
        source, held, faces = (store.get(name) for store in (ledger.field_source, ledger.field_held, ledger.field_faces))
        if held is None and faces is None and not (source is not None and source.any()) and not values.any():
            return None
        mask: transport.Held | None = None
        if held:
            where, level = np.zeros(values.shape, bool), np.zeros(values.shape)
            for one, given in held:
                where |= one
                level[one] = given
            mask = transport.Held(where, level)
        return transport.Diffusing(
            name,
            values,
            self.diffusion[name],
            np.zeros_like(values) if source is None else source,
            ledger.field_loss.get(name, 0.0),
            held=mask,
            faces={
                face: transport.Inflow(value) if kind == "inflow" else transport.Fixed(value, at)
                for face, (kind, value, at) in (faces or {}).items()
            },
            saturable=tuple(transport.Saturable(most, half) for most, half in ledger.field_saturable.get(name, ())),
        )

    def _advance_alone(self, field: transport.Diffusing) -> None:
        world, grid = self.world, self.model.grid
        try:
            found = transport.advance(field, grid, world.dt, tolerance=FIELD_RESIDUAL, threads=world.threads)
        except NumericalError as problem:
            raise NumericalError(f"At {world.time:g} h (tick {world.tick}): {problem} {self._contributors(field.name)}") from None
        change = float((found.values - field.values).sum()) * grid.voxel_volume
        self._balance(field.name, change, found.supplied, found.lost, found.entered, found.values)
        world.fields[field.name][...] = found.values

    def _balance_plain(self, field: transport.Diffusing, after: Real) -> None:
        """What a field with one loss everywhere and closed walls must hold: it decays like a single voxel."""
        kept, gained = transport.decay_and_gain(float(field.uniform or 0.0), self.world.dt)
        volume = self.model.grid.voxel_volume
        before, source = float(field.values.sum()) * volume, float(field.source.sum()) * volume
        supplied = source * self.world.dt
        lost = supplied + before - (before * kept + source * gained)
        self._balance(field.name, float(after.sum()) * volume - before, supplied, lost, 0.0, after)

    def _balance(self, name: str, change: float, supplied: float, lost: float, entered: float, after: Real) -> None:
        """Keep the books of a field, and refuse a tick in which material appeared or vanished."""
        book = self.flows.setdefault(name, dict.fromkeys(("supplied", "lost", "entered"), 0.0))
        for entry, amount in (("supplied", supplied), ("lost", lost), ("entered", entered)):
            book[entry] += amount
        scale = max(abs(supplied), abs(lost), abs(entered), float(np.abs(after).sum()) * self.model.grid.voxel_volume, 1e-300)
        if not abs(change - (supplied - lost + entered)) <= FIELD_BALANCE * scale:
            raise LedgerError(
                f"At {self.world.time:g} h (tick {self.world.tick}) the amount of '{name}' changed by {change:g}, but supply, loss "
                f"and flow through the walls add up to {supplied - lost + entered:g}. {self._contributors(name)}"
            )

    def _contributors(self, name: str) -> str:
        roles = [p.role for p in self.model.ordered if name in p.adds]
        return f"Processes that act on it: {', '.join(roles) or 'none'}."

    def _apply_body(self) -> None:
        ledger, body = self.ledgers, self.world.body
        for name in sorted({*ledger.body_source, *ledger.body_loss}):
            kept, gained = transport.decay_and_gain(ledger.body_loss.get(name, 0.0), self.world.dt)
            body[name] = float(body[name]) * kept + ledger.body_source.get(name, 0.0) * gained
        ledger.body_source.clear()
        ledger.body_loss.clear()

    # ---- structural events ----------------------------------------------------------------------------------------
    def _restructure(self) -> None:
        emissions = self.ledgers.emissions
        if not emissions:
            return
        arrivals = [e for e in emissions if e.kind == "arrival"]
        changes = self._earliest([e for e in emissions if e.kind != "arrival"])
        for emission in emissions:
            if emission.kind != "arrival":
                # Also where another event came first: the hazard has no memory, so a new budget is as good as what was left.
                self._restart_clock(emission.role, emission.rows)
        emissions.clear()
        cells = self.world.cells
        keep = np.ones(len(cells), bool)
        changes = self._hand_over(changes)
        born: list[tuple[NDArray[np.uint64], Real, NDArray[np.int64]]] = []
        for emission, rows, rings, picked in changes:
            if emission.kind == "conversion":
                self._convert(emission, rows, rings, picked)
            elif emission.kind == "death":
                self._bury(emission, rows, rings)
                keep[rows] = False
            else:
                born.append(self._divide(emission, rows, rings, picked))
                keep[rows] = False
        born += [self._admit(emission) for emission in arrivals]
        self.world.cells_changed()
        self.world.bonds = self.world.bonds.without(cells.ids[~keep])
        if born or not keep.all():
            ids = np.concatenate([b[0] for b in born]) if born else np.empty(0, np.uint64)
            real = np.concatenate([b[1] for b in born], axis=1) if born else cells.blank(0)[0]
            whole = np.concatenate([b[2] for b in born], axis=1) if born else cells.blank(0)[1]
            cells.restructure(keep, ids, real, whole)

    def _hand_over(
        self, changes: list[tuple[Emission, NDArray[np.int64], Real, NDArray[np.int64]]]
    ) -> list[tuple[Emission, NDArray[np.int64], Real, NDArray[np.int64]]]:
        """Give what engulfed and fused cells hold to their partners; such an event is void if its partner ended before it."""
        if not any(emission.partner is not None for emission, *_ in changes):
            return changes
        cells = self.world.cells
        ends = {
            int(row): float(ring)
            for emission, rows, rings, _ in changes
            if emission.kind in ("death", "division")
            for row, ring in zip(rows, rings, strict=True)
        }
        meals = sorted(
            (float(ring), int(cells.ids[row]), int(row), int(emission.partner[index]), at)
            for at, (emission, rows, rings, picked) in enumerate(changes)
            if emission.partner is not None
            for row, ring, index in zip(rows, rings, picked, strict=True)
            if emission.partner[index] >= 0
        )
        void: set[int] = set()
        for ring, _, row, partner, at in meals:
            if partner not in void and ends.get(partner, np.inf) < ring:
                void.add(row)
                ends.pop(row, None)
                continue
            for name in changes[at][0].gives:
                column = cells.column(name)
                column[partner] += column[row]
        if not void:
            return changes
        kept = []
        for emission, rows, rings, picked in changes:
            stays = ~np.isin(rows, np.array(sorted(void))) if emission.partner is not None else np.ones(rows.size, bool)
            kept.append((emission, rows[stays], rings[stays], picked[stays]))
        return kept

    @staticmethod
    def _earliest(emissions: list[Emission]) -> list[tuple[Emission, NDArray[np.int64], Real, NDArray[np.int64]]]:
        """Per emission the rows, ring times and indices that win: of every cell the earliest event, ties by role."""
        if not emissions:
            return []
        rows = np.concatenate([e.rows for e in emissions])
        rings = np.concatenate([e.rings for e in emissions])
        rank = np.array([r for r, _ in sorted(enumerate(emissions), key=lambda item: item[1].role)])
        place = np.empty(len(emissions), np.int64)
        place[rank] = np.arange(len(emissions))
        owner = np.repeat(np.arange(len(emissions)), [e.rows.size for e in emissions])
        order = np.lexsort((place[owner], rings, rows))
        first = np.ones(order.size, bool)
        first[1:] = rows[order][1:] != rows[order][:-1]
        wins = np.zeros(order.size, bool)
        wins[order[first]] = True
        found = []
        offset = 0
        for emission in emissions:
            chosen = np.flatnonzero(wins[offset : offset + emission.rows.size])
            offset += emission.rows.size
            if chosen.size:
                found.append((emission, emission.rows[chosen], emission.rings[chosen], chosen))
        return sorted(found, key=lambda item: item[0].role)

    def _restart_clock(self, role: str, rows: NDArray[np.int64]) -> None:
        if f"clock.{role}" in self.world.cells:
            self.world.cells.column(f"clock.{role}")[rows] = np.nan
            self.world.cells.column(f"rings.{role}")[rows] += 1

    def _log(
        self,
        emission: Emission,
        rows: NDArray[np.int64],
        rings: Real,
        other: NDArray[np.uint64],
        kind: NDArray[Any] | None = None,
    ) -> None:
        cells = self.world.cells
        kinds = cells.column("cell.type")[rows] if kind is None else kind
        self.events.add(emission.event, self.world.time + rings, cells.ids[rows], other, kinds, cells.position[:, rows])

    def _convert(self, emission: Emission, rows: NDArray[np.int64], rings: Real, picked: NDArray[np.int64]) -> None:
        cells = self.world.cells
        self._log(emission, rows, rings, cells.ids[rows])
        if emission.to:
            cells.column("cell.type")[rows] = self.model.cell_types.index(emission.to)
        for name, value in emission.values.items():
            cells.column(name)[rows] = value if np.ndim(value) == 0 else value[picked]
        self.tally[emission.event] += rows.size

    def _bury(self, emission: Emission, rows: NDArray[np.int64], rings: Real) -> None:
        self._log(emission, rows, rings, self.world.cells.ids[rows])
        grid = self.model.grid
        for name, amount in emission.leaves.items():
            voxels = self.world.voxel_of_cells()[rows]
            np.add.at(self.world.fields[name].reshape(-1), voxels, amount / grid.voxel_volume)
        self.tally["died"] += rows.size

    def _divide(
        self, emission: Emission, rows: NDArray[np.int64], rings: Real, picked: NDArray[np.int64]
    ) -> tuple[NDArray[np.uint64], Real, NDArray[np.int64]]:
        cells, grid = self.world.cells, self.model.grid
        first, second = daughter_ids(cells.ids[rows])
        angle = self.world.chance.key("division direction")
        direction = _across(_directions(angle, cells.ids[rows], grid.flat), cells, rows)
        sides = []
        for ids, side in ((first, 1.0), (second, -1.0)):
            real, whole = cells.daughters(rows)
            for name, value in emission.values.items():
                cells.put(real, whole, name, value if np.ndim(value) == 0 else value[picked])
            radius = real[cells.real_row("cell.radius")]
            at = cells.real_row("cell.x")
            for axis in range(3):
                real[at + axis] = np.clip(real[at + axis] + side * 0.5 * radius * direction[axis], 0.0, grid.size[axis])
            self._log(emission, rows, rings, ids)
            sides.append((ids, real, whole))
        self.tally["born"] += 2 * rows.size
        self.tally["died"] += rows.size
        return (
            np.concatenate([s[0] for s in sides]),
            np.concatenate([s[1] for s in sides], axis=1),
            np.concatenate([s[2] for s in sides], axis=1),
        )

    def _admit(self, emission: Emission) -> tuple[NDArray[np.uint64], Real, NDArray[np.int64]]:
        assert emission.counts is not None
        cells, grid = self.world.cells, self.model.grid
        rows = np.repeat(emission.rows, emission.counts)
        nth = np.concatenate([np.arange(c) for c in emission.counts])
        rang = cells.column(f"rings.{emission.role}")[rows] - nth
        # The role is part of the id: two processes may let their nth cell in at the same site.
        nonce = mix(rang.astype(np.uint64) ^ self.world.chance.key(f"{emission.role} arrivals"), 7)
        ids = mix(cells.ids[rows] ^ nonce, 3)
        direction = _directions(self.world.chance.key(f"{emission.role} direction"), ids, grid.flat)
        position = np.clip(
            cells.position[:, rows] + cells.column("cell.radius")[rows] * direction, 0.0, np.array(grid.size)[:, None]
        )
        kind = self.model.cell_types.index(emission.to)
        values: dict[str, Any] = {"cell.type": kind, **emission.values}
        for axis, name in enumerate(("cell.x", "cell.y", "cell.z")):
            values[name] = position[axis]
        real, whole = cells.rows_like(values, ids.size)
        time = np.full(ids.size, self.world.time)
        self.events.add(emission.event, time, ids, cells.ids[rows], np.full(ids.size, kind), position)
        self.tally["arrived"] += ids.size
        return ids, real, whole

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
                    f"{tuple(int(i) for i in at)}. {self._contributors(name)}"
                )
        for name, value in world.body.items():
            if not np.isfinite(value).all():
                raise NumericalError(f"At {world.time:g} h '{name}' is not a number.")
        lost = np.flatnonzero(~np.isfinite(world.cells.position.sum(axis=0)))
        if lost.size:
            raise NumericalError(
                f"At {world.time:g} h (tick {world.tick}) cell {world.cells.ids[lost[0]]} has no position. "
                f"{self._contributors(POSITION)}"
            )


def _directions(key: np.uint64, ids: NDArray[np.uint64], flat: bool) -> Real:
    """Unit vectors [3, n], uniform on the circle (2-D) or the sphere, one per id and for life."""
    u = philox.uniforms(key, ids, -1, 2)
    angle = 2.0 * np.pi * u[:, 0]
    up = np.zeros(ids.size) if flat else 2.0 * u[:, 1] - 1.0
    across = np.sqrt(1.0 - up**2)
    return np.stack([across * np.cos(angle), across * np.sin(angle), up])


def _across(direction: Real, cells: Cells, rows: NDArray[np.int64]) -> Real:
    """Directions of division [3, n], turned away from the axes of polar cells: n - polarity (n . axis) axis, as unit vectors."""
    if "cell.polarity" not in cells:
        return direction
    axis = np.stack([cells.column(f"cell.axis_{a}")[rows] if f"cell.axis_{a}" in cells else 0.0 * rows for a in "xyz"])
    turned = direction - cells.column("cell.polarity")[rows] * (direction * axis).sum(axis=0) * axis
    length = np.sqrt((turned**2).sum(axis=0))
    # A direction along the axis of a fully polar cell leaves nothing; it is one in many, and divides as it came.
    return np.where(length > 1e-9, turned / np.maximum(length, 1e-9), direction)


def cells_columns(cells: Cells, names: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """Columns of a stored frame, in ascending order of id: id and type, then `names`, in single precision."""
    order = cells.order
    columns: dict[str, NDArray[Any]] = {
        "id": cells.ids[order],
        "type": cells.column("cell.type")[order].astype(np.int8),
    }
    for name in names:
        column = cells.column(name)[order]
        columns[name.split(".", 1)[1]] = column.astype(np.float32 if column.dtype == np.float64 else np.int32)
    return columns
