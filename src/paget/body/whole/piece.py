"""A site resolved cell by cell: a piece of its tissue, with what leaves it, what reaches it, and what it stands for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paget.body.values import Number, Numbers
from paget.engine.animal import Columns
from paget.engine.checkpoint import restore, state_of
from paget.engine.structure import Departures
from paget.engine.tick import Stepper
from paget.engine.world import found
from paget.kernels import philox
from paget.model import Model
from paget.pharmacology import Doses
from paget.readouts import colonies
from paget.tissue.vessels.exchange import entry_points

__all__ = ["ARRIVAL", "OPERATION", "Piece", "SpatialSite"]

Real = NDArray[np.float64]
Ids = NDArray[np.uint64]

ARRIVAL, OPERATION = "arrival", "resection"
CAME = "arrival from the blood"  # in the record of the piece, whose tissue may have arrivals of its own
ANYWHERE, VESSELS = "anywhere", "vessels"


@dataclass(frozen=True, kw_only=True)
class SpatialSite:
    """A site whose tissue is simulated cell by cell, as one piece of it.

    name : of the site; organ : of the anatomy, its name if left out
    model : the tissue. tumour : its cell types that are tumour cells; dormant : those of them that are dormant
    newcomer, sleeper : types of cells that arrive and cycle, or fall dormant
    surviving : share of those who come that live to see the tissue, all if None; sleeping : share of these that falls dormant
    start : variables that newcomers start with, beside the records that they bring; awake : further ones of those who cycle
    entry : where they come in: "vessels", a cell type by whose cells, or "anywhere"
    stands_for : tumours of so many times the cells of this piece grow and shed alike, so that each cell that leaves stands for
    that many. share : of those who reach the organ, the share that reaches the piece
    survival, mesenchymal : of leaving cells, 0 to 1: protection from anoikis and share of the mesenchymal state, by a variable
    of the cells or by cell type
    lymph : share of the parties that leave which goes by lymph, where lymph drains the organ
    nodule : cells of a visible colony; reach : um between centres of cells of one colony
    host : whether cells from the blood reach the piece; where not, they begin in the rest of the organ
    removed_whole : whether an operation takes out the piece as a whole, or only its visible colonies
    """

    name: str
    organ: str = ""
    model: Model
    tumour: tuple[str, ...]
    dormant: tuple[str, ...] = ()
    newcomer: str
    sleeper: str = ""
    surviving: Number | None = None
    sleeping: Number | None = None
    start: Mapping[str, int | Number] = field(default_factory=dict)
    awake: Mapping[str, int | Number] = field(default_factory=dict)
    entry: str = VESSELS
    stands_for: Number | None = None
    share: Number | None = None
    lymph: Number | None = None
    survival: str | Mapping[str, Number] = ""
    mesenchymal: str | Mapping[str, Number] = ""
    nodule: Number
    reach: Number
    host: bool = True
    removed_whole: bool = False

    @property
    def numbers(self) -> tuple[Number, ...]:
        """Every number of the site with its evidence, those of the tissue left out."""
        by_type = [
            n for signal in (self.survival, self.mesenchymal) if not isinstance(signal, str) for n in signal.values()
        ]
        own = (
            self.surviving,
            self.sleeping,
            self.stands_for,
            self.share,
            self.lymph,
            self.nodule,
            self.reach,
            *self.start.values(),
            *self.awake.values(),
            *by_type,
        )
        return tuple(number for number in own if number is not None and not isinstance(number, int))

    def problems(self) -> list[str]:
        """What does not fit the tissue."""
        types = self.model.cell_types
        named = [*self.tumour, *self.dormant, self.newcomer, *((self.sleeper,) if self.sleeper else ())]
        signals = (self.survival, self.mesenchymal)
        named += [name for signal in signals if not isinstance(signal, str) for name in signal]
        named += [] if self.entry in (VESSELS, ANYWHERE) else [self.entry]
        found = [
            f"site '{self.name}': its tissue has no cell type '{name}'"
            for name in dict.fromkeys(named)
            if name not in types
        ]
        known = {variable.name for variable in self.model.cell_variables}
        wanted = [*self.start, *self.awake, *(signal for signal in signals if isinstance(signal, str) and signal)]
        found += [f"site '{self.name}': its cells have no '{name}'" for name in wanted if name not in known]
        if self.host and "cell.radius" not in self.start:
            found.append(f"site '{self.name}': cells from the blood would have no size; give 'cell.radius' in `start`")
        if self.host and self.entry == VESSELS and self.model.vessels is None:
            found.append(f"site '{self.name}': cells are to enter through vessels, but its tissue has none")
        return found


class Piece:
    """The piece of a site in time.

    follows : variables that leaving cells carry through the blood, of which cells here may have some
    """

    def __init__(
        self,
        site: SpatialSite,
        numbers: Numbers,
        *,
        seed: int,
        animal: int,
        dt: float,
        drugs: frozenset[str] | None,
        follows: tuple[str, ...],
    ) -> None:
        self.site, self.model = site, site.model
        self.world = found(site.model, seed, animal, dt, site.name)
        here = frozenset(drug.name for drug in site.model.drugs)
        further = tuple(kind for kind in (CAME, OPERATION) if kind not in site.model.event_kinds)
        self.event_kinds = (*site.model.event_kinds, *further)
        self.stepper = Stepper(site.model, self.world, here if drugs is None else drugs & here, further)
        self._drugs, self._follows = here, follows
        carried = [name for name in follows if name in self.world.cells]
        signals = [signal for signal in (site.survival, site.mesenchymal) if isinstance(signal, str) and signal]
        self.stepper.structure.follows = tuple(dict.fromkeys((*carried, *signals)))
        self._signals = tuple(
            signal
            if isinstance(signal, str)
            else np.array([numbers(signal[t], "") if t in signal else np.nan for t in site.model.cell_types])
            for signal in (site.survival, site.mesenchymal)
        )
        self._start, self._awake = (
            {
                name: float(value) if isinstance(value, int) else numbers(value, site.model.variables[name].unit)
                for name, value in start.items()
            }
            for start in (site.start, site.awake)
        )
        self.surviving = 1.0 if site.surviving is None else numbers(site.surviving, "")
        self.sleeping = 0.0 if site.sleeping is None else numbers(site.sleeping, "")
        self.stands_for = 1 if site.stands_for is None else round(numbers(site.stands_for, ""))
        self.share = 0.0 if not site.host else 1.0 if site.share is None else numbers(site.share, "")
        self.lymph = 0.0 if site.lymph is None else numbers(site.lymph, "")
        self.nodule, self.reach = round(numbers(site.nodule, "")), numbers(site.reach, "um")
        self.closed = False
        self.arrived = self.lost = 0  # who came through a wall, and those of them who did not live to see the tissue

    # ---- time -----------------------------------------------------------------------------------------------------
    def step(self, doses: Doses, operations: tuple[tuple[str, float], ...]) -> None:
        """Advance the tissue by a tick."""
        self.world.doses = tuple(dose for dose in doses if dose[0] in self._drugs)
        self.world.operations = operations
        self.stepper.step()

    def departures(self) -> Departures | None:
        """The cells that left since the last call."""
        return self.stepper.structure.departures()

    def signals(self, left: Departures, otherwise: tuple[float, float]) -> tuple[Real, Real]:
        """Survival signal and mesenchymal share [n] of cells that left; what the site does not say is as elsewhere."""
        found = []
        for signal, other in zip(self._signals, otherwise, strict=True):
            if isinstance(signal, str):
                values = left.columns[signal] if signal else np.full(left.ids.size, other)
            else:
                values = np.where(np.isnan(signal[left.kind]), other, signal[left.kind])
            found.append(np.clip(values, 0.0, 1.0))
        return found[0], found[1]

    def receive(self, ids: Ids, records: Mapping[str, Real], key: np.uint64, favour: float = 1.0) -> None:
        """Let cells from the blood in; who lives, who sleeps, and where they lodge, follows from their ids.

        records : variable -> values [n]; those that cells here do not have are forgotten. favour : factor of their survival
        """
        if not ids.size:
            return
        self.arrived += int(ids.size)
        u = philox.uniforms(key, ids, self.world.tick + 1, 5)
        lives = u[:, 4] < self.surviving * favour
        self.lost += int(ids.size - lives.sum())
        ids, u, records = ids[lives], u[lives], {name: column[lives] for name, column in records.items()}
        position = self._places(ids, u, key)
        asleep = u[:, 3] < self.sleeping
        site = self.site
        for rows, kind in ((~asleep, site.newcomer), (asleep, site.sleeper or site.newcomer)):
            if not rows.any():
                continue
            values: dict[str, Any] = dict(self._start)
            values.update({name: column[rows] for name, column in records.items() if name in self.world.cells})
            if site.sleeper and kind == site.sleeper:
                values.update({n: 1 for n in ("cell.ever_dormant", "cell.dormant_now") if n in self.world.cells})
            else:
                values.update(self._awake)
            self.stepper.structure.receive(CAME, kind, ids[rows], position[:, rows], values)

    def _places(self, ids: Ids, u: Real, key: np.uint64) -> Real:
        world, size = self.world, np.array(self.model.grid.size)
        flat = self.model.grid.flat
        hosts = world.rows((self.site.entry,)) if self.site.entry in self.model.cell_types else np.empty(0, np.int64)
        if self.site.entry == VESSELS and world.vessels is not None and world.vessels.perfused.any():
            position, _ = entry_points(world.vessels, ids, key, world.tick + 1)
        elif hosts.size:
            chosen = hosts[np.minimum((u[:, 0] * hosts.size).astype(np.int64), hosts.size - 1)]
            angle = 2.0 * np.pi * u[:, 1]
            up = np.zeros(ids.size) if flat else 2.0 * u[:, 2] - 1.0
            way = np.stack([np.sqrt(1.0 - up**2) * np.cos(angle), np.sqrt(1.0 - up**2) * np.sin(angle), up])
            position = world.cells.position[:, chosen] + world.cells.column("cell.radius")[chosen] * way
        else:
            position = u[:, :3].T * size[:, None]
        if flat:
            position = position.copy()
            position[2] = 0.5 * size[2]
        return np.asarray(position)

    def resect(self) -> int:
        """Take the tumour out; how many tumour cells went."""
        if self.site.removed_whole:
            rows = np.arange(len(self.world.cells))
            tumour = self.world.rows(self.site.tumour).size
            self.closed = True
        else:
            rows = colonies(self.world, self.site.tumour, self.reach).members(self.nodule)
            tumour = rows.size
        if rows.size:
            self.stepper.structure.remove(OPERATION, rows)
        return int(tumour)

    # ---- look -----------------------------------------------------------------------------------------------------
    def events(self) -> Columns | None:
        """Events since the last call, without arrivals from the blood; kinds are codes of `event_kinds`."""
        taken = self.stepper.events.take()
        if taken is None:
            return None
        own = taken["kind"] != self.event_kinds.index(CAME)
        return {name: column[own] for name, column in taken.items()} if own.any() else None

    @property
    def cells(self) -> int:
        """Tumour cells in the piece."""
        return int(self.world.rows(self.site.tumour).size)

    @property
    def dormant(self) -> int:
        """Dormant tumour cells in the piece."""
        return int(self.world.rows(self.site.dormant).size) if self.site.dormant else 0

    @property
    def nodules(self) -> int:
        """Visible colonies in the piece."""
        return int((colonies(self.world, self.site.tumour, self.reach).sizes >= self.nodule).sum())

    def largest(self, density: float) -> float:
        """Diameter in um of the largest colony at `density` cells in a um**3: of a sphere, or of the disc in a section."""
        cells = float(colonies(self.world, self.site.tumour, self.reach).sizes.max(initial=0))
        if self.model.grid.flat:
            return math.sqrt(4.0 / math.pi * cells / (density * self.model.grid.size[2]))
        return float((6.0 / math.pi * cells / density) ** (1.0 / 3.0))

    # ---- keep -----------------------------------------------------------------------------------------------------
    def state(self) -> dict[str, NDArray[Any]]:
        return {**state_of(self.stepper), "piece": np.array([self.closed, self.arrived, self.lost], np.int64)}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        restore(self.stepper, {name: values for name, values in state.items() if name != "piece"})
        self.closed, self.arrived, self.lost = bool(state["piece"][0]), int(state["piece"][1]), int(state["piece"][2])
