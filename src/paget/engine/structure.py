"""Structural events: births, deaths, changes of type, cells that come or leave, and cells that are taken up by others."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from paget.access import Emission, Ledgers, World
from paget.kernels import philox
from paget.model import Model
from paget.state import Cells, Grid
from paget.state.cells import daughter_ids, mix

__all__ = ["Departures", "EventLog", "Structure", "inside"]

Real = NDArray[np.float64]

CLONE = "cell.clone"


class EventLog:
    """Structural events as columns, in the order in which they happened; with clones where they are given."""

    def __init__(self, kinds: tuple[str, ...]) -> None:
        self._codes = {kind: code for code, kind in enumerate(kinds)}
        self._parts: list[dict[str, NDArray[Any]]] = []

    def add(
        self,
        event: str,
        time: Real,
        cell: NDArray[Any],
        other: NDArray[Any],
        kind: NDArray[Any],
        position: Real,
        clone: NDArray[Any] | None = None,
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
                **({} if clone is None else {"clone": clone.astype(np.int32)}),
            }
        )

    def take(self) -> dict[str, NDArray[Any]] | None:
        """The columns gathered since the last call, or None."""
        if not self._parts:
            return None
        columns = {name: np.concatenate([part[name] for part in self._parts]) for name in self._parts[0]}
        self._parts.clear()
        return columns


def inside(position: Real, grid: Grid) -> Real:
    """Positions [3, n] that stay within closed walls, and return on the other side of an axis that closes on itself."""
    found = np.empty_like(position)
    for axis in range(3):
        size = grid.size[axis]
        found[axis] = position[axis] % size if grid.periodic[axis] else np.clip(position[axis], 0.0, size)
    return found


class Departures(NamedTuple):
    """Cells that left a tissue alive in one tick, with all that they have, in the order of their ids.

    ids, party : uint64 [n], the cell and the one it goes with; times : within the tick [n] in h; kind : code of the type [n]
    position : [3, n] um; columns : variable -> values [n]
    """

    ids: NDArray[np.uint64]
    party: NDArray[np.uint64]
    times: Real
    kind: NDArray[np.int64]
    position: Real
    columns: dict[str, NDArray[Any]]


class Structure:
    """Applies structural events to the cells of one animal; `tally` counts them for the balance.

    follows : variables of leaving cells that somebody asks for by `departures`; nobody does if it is None. Where it is asked
    for, the clone of a cell is noted with each of its events.
    """

    def __init__(self, model: Model, world: World, ledgers: Ledgers, further_events: tuple[str, ...] = ()) -> None:
        self.model, self.world, self.ledgers = model, world, ledgers
        self.events = EventLog((*model.event_kinds, *further_events))
        self.tally: Counter[str] = Counter(present=len(world.cells))
        self.follows: tuple[str, ...] | None = None
        self._departed: list[Departures] = []

    def apply(self) -> None:
        """Apply what the processes asked for in this tick: of every cell the earliest event."""
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
            elif emission.kind == "leave":
                self._let_go(emission, rows, rings, picked)
                keep[rows] = False
            else:
                born.append(self._divide(emission, rows, rings, picked))
                keep[rows] = False
        entered: Counter[str] = Counter()
        for emission in arrivals:
            if emission.places is None:
                born.append(self._admit(emission))
            else:
                born.append(self._let_in(emission, emission.places, entered[emission.role]))
                entered[emission.role] += emission.rings.size
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
            if emission.kind in ("death", "division", "leave")
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

    @property
    def _notes_clones(self) -> bool:
        return self.follows is not None and CLONE in self.follows

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
        clone = cells.column(CLONE)[rows] if self._notes_clones else None
        time, where = self.world.time + rings, cells.position[:, rows]
        self.events.add(emission.event, time, cells.ids[rows], other, kinds, where, clone)

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

    def _let_go(self, emission: Emission, rows: NDArray[np.int64], rings: Real, picked: NDArray[np.int64]) -> None:
        """Count cells out of the tissue; they live on elsewhere."""
        cells = self.world.cells
        self._log(emission, rows, rings, cells.ids[rows])
        if self.follows is not None:
            self._departed.append(
                Departures(
                    cells.ids[rows].copy(),
                    cells.ids[rows].copy() if emission.parties is None else emission.parties[picked],
                    rings.copy(),
                    cells.column("cell.type")[rows].copy(),
                    cells.position[:, rows].copy(),
                    {name: cells.column(name)[rows].copy() for name in self.follows},
                )
            )
        self.tally["left"] += rows.size
        self._count_outside(emission.account, rows.size)

    def departures(self) -> Departures | None:
        """The cells that left since the last call."""
        if not self._departed:
            return None
        parts, self._departed = self._departed, []
        order = np.argsort(np.concatenate([part.ids for part in parts]))
        ids, party, times, kind = (np.concatenate([part[field] for part in parts])[order] for field in range(4))
        columns = {name: np.concatenate([part.columns[name] for part in parts])[order] for name in parts[0].columns}
        return Departures(
            ids, party, times, kind, np.concatenate([p.position for p in parts], axis=1)[:, order], columns
        )

    def receive(
        self, event: str, cell_type: str, ids: NDArray[np.uint64], position: Real, values: dict[str, Any]
    ) -> None:
        """Let cells with a past of their own into the tissue, between two ticks.

        ids : uint64 [n]; position : [3, n] um; values : variables that they bring, numbers or [n]
        """
        emission = Emission(
            event, "arrival", event, np.empty(0, np.int64), np.zeros(ids.size), cell_type, values=values
        )
        cells = self.world.cells
        _, real, whole = self._newcomers(emission, ids, inside(position, self.model.grid), np.zeros(ids.size), ids)
        self.world.cells_changed()
        cells.restructure(np.ones(len(cells), bool), ids, real, whole)

    def remove(self, event: str, rows: NDArray[np.int64]) -> None:
        """Take cells out of the tissue between two ticks, as a surgeon does; they are counted as dead."""
        cells = self.world.cells
        rows = rows[np.argsort(cells.ids[rows])]
        emission = Emission(event, "death", event, rows, np.zeros(rows.size))
        self._bury(emission, rows, emission.rings)
        self.world.bonds = self.world.bonds.without(cells.ids[rows])
        keep = np.ones(len(cells), bool)
        keep[rows] = False
        self.world.cells_changed()
        cells.restructure(keep, np.empty(0, np.uint64), *cells.blank(0))

    def _count_outside(self, account: str, change: int) -> None:
        if account:
            self.world.body[account] = float(self.world.body[account]) + change

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
            real[at : at + 3] = inside(real[at : at + 3] + side * 0.5 * radius * direction, grid)
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
        position = inside(cells.position[:, rows] + cells.column("cell.radius")[rows] * direction, grid)
        return self._newcomers(emission, ids, position, np.zeros(ids.size), cells.ids[rows])

    def _let_in(
        self, emission: Emission, places: Real, already: int
    ) -> tuple[NDArray[np.uint64], Real, NDArray[np.int64]]:
        """Cells that come from outside the tissue to places of their own."""
        # The nth newcomer of a process in a tick: a number that no other one of this process has in this animal.
        nth = np.uint64(self.world.tick) << np.uint64(32) | np.arange(
            already, already + emission.rings.size, dtype=np.uint64
        )
        ids = mix(nth ^ self.world.chance.key(f"{emission.role} arrivals"), 5)
        left = np.maximum(self.world.dt - emission.rings, 0.0)
        return self._newcomers(emission, ids, inside(places, self.model.grid), emission.rings, ids, left)

    def _newcomers(
        self,
        emission: Emission,
        ids: NDArray[np.uint64],
        position: Real,
        rings: Real,
        host: NDArray[np.uint64],
        owed: Real | None = None,
    ) -> tuple[NDArray[np.uint64], Real, NDArray[np.int64]]:
        cells, n = self.world.cells, ids.size
        kind = self.model.cell_types.index(emission.to)
        values: dict[str, Any] = {"cell.type": kind, **emission.values}
        values.update(zip(("cell.x", "cell.y", "cell.z"), position, strict=True))
        if owed is not None and "cell.owed" in cells:
            values["cell.owed"] = owed
        self.tally["arrived"] += n
        self._count_outside(emission.account, -n)
        clone = np.broadcast_to(np.asarray(values.get(CLONE, 0)), n) if self._notes_clones else None
        self.events.add(emission.event, self.world.time + rings, ids, host, np.full(n, kind), position, clone)
        real, whole = cells.rows_like(values, n)
        return ids, real, whole


def _directions(key: np.uint64, ids: NDArray[np.uint64], flat: bool) -> Real:
    """Unit vectors [3, n], uniform on the circle (2-D) or the sphere, one per id and for life."""
    u = philox.uniforms(key, ids, -1, 2)
    angle = 2.0 * np.pi * u[:, 0]
    up = np.zeros(ids.size) if flat else 2.0 * u[:, 1] - 1.0
    across = np.sqrt(1.0 - up**2)
    return np.stack([across * np.cos(angle), across * np.sin(angle), up])


def _across(direction: Real, cells: Cells, rows: NDArray[np.int64]) -> Real:
    """Directions of division [3, n], turned away from the axes of polar cells: unit vectors of n - polarity (n . axis) axis."""
    if "cell.polarity" not in cells:
        return direction
    axis = np.stack([cells.column(f"cell.axis_{a}")[rows] if f"cell.axis_{a}" in cells else 0.0 * rows for a in "xyz"])
    turned = direction - cells.column("cell.polarity")[rows] * (direction * axis).sum(axis=0) * axis
    length = np.sqrt((turned**2).sum(axis=0))
    # A direction along the axis of a fully polar cell leaves nothing; it is one in many, and divides as it came.
    return np.where(length > 1e-9, turned / np.maximum(length, 1e-9), direction)
