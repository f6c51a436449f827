"""Cells pass the walls of vessels: they come in from the blood, and living cells of the tissue get into it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from paget.errors import ModelError, UnknownNameError
from paget.evidence import Parameter
from paget.kernels import philox
from paget.process import Named, Phase, is_nothing, parameter
from paget.tissue.behaviours import base_values, behaviour
from paget.tissue.definition import CellDefinition, table
from paget.tissue.placing import resting_numbers, resting_values
from paget.tissue.process import TissueProcess
from paget.tissue.vessels.exchange import entry_points, vessels_near
from paget.tissue.vessels.network import VesselNetwork

if TYPE_CHECKING:
    from paget.access import Do, See

__all__ = ["Intravasation", "VesselEntry", "moments_of_entry"]

Real = NDArray[np.float64]
Number = Named | Parameter

VESSELS = "tissue.vessels"
ALIVE = 0
DRAWS = 4  # per newcomer: three say where it enters (`entry_points`), the last when
INTO_VESSELS = "intravasation"


def moments_of_entry(
    steady: float, each: float, many: float, drains: bool, dt: float, key: np.uint64, step: int
) -> Real:
    """When cells come in within `dt` h, ascending [k]: the next one at a rate of steady + each * many in 1/h.

    Waiting times are exponential, so that without `drains` the number is Poisson distributed, and with it, where every one
    that came in is missing outside, that of an exact pure death process of `many` cells. key, step : stream and tick
    """
    many = math.floor(many) if drains else many
    mean = (steady + each * many) * dt
    batch, begin, now = int(mean + 6.0 * math.sqrt(mean)) + 8, 0, 0.0
    found: list[Real] = []
    while True:
        nth = np.arange(begin, begin + batch, dtype=np.uint64)
        outside = np.maximum(many - nth.astype(np.float64), 0.0) if drains else np.full(batch, many)
        rate = np.where(outside > 0.0, steady + each * outside, 0.0 if drains else steady)
        wait = -np.log(philox.uniforms(key, nth, step, DRAWS)[:, DRAWS - 1])
        times = now + np.cumsum(np.divide(wait, rate, out=np.full(batch, np.inf), where=rate > 0.0))
        within = int(np.searchsorted(times, dt))
        found.append(times[:within])
        if within < batch:
            return np.concatenate(found)
        begin, now = begin + batch, float(times[-1])


@dataclass(frozen=True, kw_only=True)
class VesselEntry(TissueProcess):
    """Cells of one type come in from the blood through the walls of perfused vessels, evenly along them.

    They come at the rate per_length * length of perfused vessels + per_cell * cells in the blood, in exact continuous time, and
    start in the resting state of their type. Nobody comes where no blood runs.

    cell : the type that comes in. per_length : for blood that holds plenty of them
    per_cell : of each cell in the blood of this tissue, whose number is `circulating`, or the body variable `pool`
    drains : whether those that come in are missing in the pool

    Assumes that every piece of perfused vessel is as easy to leave as any other. Leaves out rolling and arrest.

    Raises
    ------
    ModelError
        If no cell would ever come in, or the number in the blood is given twice.
    """

    phase: ClassVar[Phase] = Phase.ACT

    definitions: tuple[CellDefinition, ...] = ()
    role: str = "vessel_entry"
    sources: tuple[str, ...] = ("Koop1995",)
    cell: str
    per_length: Number | int = field(default=0, metadata={"unit": "1/(um*h)"})
    per_cell: Number | int = parameter("extravasation_rate", "1/h")
    circulating: Number | int = field(default=0, metadata={"unit": ""})
    pool: str = ""
    drains: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        counted, steady = (not is_nothing(number) for number in (self.circulating, self.per_length))
        if self.pool and counted:
            raise ModelError(
                f"process '{self.role}': cells in the blood are counted by '{self.pool}' and given as a number; choose one"
            )
        if not (self.pool or counted or steady):
            raise ModelError(
                f"process '{self.role}': no '{self.cell}' would ever come in; give `per_length`, or the number of cells in the "
                "blood as `circulating` or `pool`"
            )
        if self.definitions and self.cell not in self.on:
            raise UnknownNameError("cell type", self.cell, self.on)

    @property
    def _draining(self) -> bool:
        return bool(self.pool) and self.drains

    @property
    def reads(self) -> tuple[str, ...]:
        return (VESSELS, self.pool) if self.pool else (VESSELS,)

    @property
    def adds(self) -> tuple[str, ...]:
        return (self.pool,) if self._draining else ()

    @property
    def emits(self) -> tuple[str, ...]:
        return ("arrival",)

    @property
    def event(self) -> str:
        return "extravasation"

    @property
    def numbers(self) -> tuple[tuple[str, Number, str], ...]:
        from_pool = self.pool or not is_nothing(self.circulating)
        own = tuple(n for n in super().numbers if from_pool or n[0] == "per_length")
        index, definition = self._newcomer()
        ruled = {one.slot for one in map(behaviour, self.ruled) if one is not None}
        bases = ((slot, value, unit) for slot, value, unit in definition.listed(self.units) if slot in ruled)
        state = dict.fromkeys((*resting_numbers(definition), *bases))
        return (*own, *((f"{index}.{slot}", value, unit) for slot, value, unit in state))

    def _newcomer(self) -> tuple[int, CellDefinition]:
        return next((i, d) for i, d in enumerate(self.definitions) if d.name == self.cell)

    def prepare(self, values: dict[str, float]) -> Any:
        """Rates, the variables that newcomers start with, and room for the length of the network at hand."""
        index, definition = self._newcomer()
        state = resting_values({slot: values[f"{index}.{slot}"] for slot, _, _ in resting_numbers(definition)})
        state["cell.radius"] = float(np.cbrt(0.75 / math.pi * state["cell.volume"]))
        found = [one for one in map(behaviour, self.ruled) if one is not None]
        for one, base in zip(found, base_values(values, self.definitions, found), strict=True):
            state[one.variable] = float(base[index])
        return values, state, {}

    def step(self, see: See, do: Do, p: Any) -> None:
        values, state, known = p
        network: VesselNetwork | None = see.vessels
        if network is None:
            return
        if known.get("network") is not network:
            known.update(network=network, length=float(network.lengths[network.perfused].sum()))
        if known["length"] == 0.0:
            return
        many = max(float(see[self.pool]), 0.0) if self.pool else values.get("circulating", 0.0)
        times = moments_of_entry(
            values["per_length"] * known["length"],
            values.get("per_cell", 0.0),
            many,
            self._draining,
            see.dt,
            see.key,
            see.tick + 1,
        )
        if not times.size:
            return
        position, _ = entry_points(network, times.size, see.key, see.tick + 1)
        if see.flat:
            position[2] = 0.5 * see.size[2]
        do.enter(self.cell, position, state, times=times, account=self.pool if self._draining else "")


@dataclass(frozen=True, kw_only=True)
class Intravasation(TissueProcess):
    """Living cells that touch a perfused vessel get into the blood, alone or with neighbours that hold on to them.

    The rate is `Motility.intravasation`, the behaviour "intravasation" of rules, and waits on a clock of the cell, which runs
    while it touches a vessel. A cell touches a vessel if its membrane is within `reach` of the wall.

    pool : body variable that counts the cells in the blood
    gaps : whether the rate also goes with the leakiness of the vessel, whose wall has that many more gaps than a mature one
    together : probability that an able cell in contact with one that gets in goes with it, and so on from cell to cell, up to
    `most` cells, through a vessel all gaps; through another one, the probability times the share of its leak that is due
    to gaps, 1 - 1 / leakiness

    Assumes, unless `gaps` is given, that a cell gets in as easily at every vessel; say with a rule what helps it.
    """

    phase: ClassVar[Phase] = Phase.ACT
    parts: ClassVar[tuple[str, ...]] = ("motility.intravasation",)

    definitions: tuple[CellDefinition, ...] = ()
    role: str = INTO_VESSELS
    sources: tuple[str, ...] = ("Butler1975",)
    reach: Number = parameter("intravasation_reach", "um")
    together: Number | int = field(default=0, metadata={"unit": ""})
    most: Number = parameter("largest_cluster", "")
    gaps: bool = False
    pool: str = ""

    @property
    def _collective(self) -> bool:
        return not is_nothing(self.together)

    @property
    def numbers(self) -> tuple[tuple[str, Number, str], ...]:
        return tuple(n for n in super().numbers if self._collective or n[0] not in ("together", "most"))

    @property
    def reads(self) -> tuple[str, ...]:
        neighbours = ("cell.contacts",) if self._collective else ()
        own = ("cell.type", "cell.death", "cell.position", "cell.radius")
        return (VESSELS, *own, *neighbours, *self.reads_of(INTO_VESSELS))

    @property
    def adds(self) -> tuple[str, ...]:
        return (self.pool,) if self.pool else ()

    @property
    def emits(self) -> tuple[str, ...]:
        return ("leave",)

    @property
    def event(self) -> str:
        return INTO_VESSELS

    @property
    def clock(self) -> bool:
        return True

    def prepare(self, values: dict[str, float]) -> Any:
        """Rates of the types, other numbers, and room for the perfused part of the network at hand."""
        return table(values, len(self.definitions), self.parts)[:, 0], values, {}

    def step(self, see: See, do: Do, p: Any) -> None:
        rates, values, known = p
        network: VesselNetwork | None = see.vessels
        if network is None or not see.count:
            return
        if known.get("network") is not network:
            known.update(network=network, perfused=network.kept(network.perfused))
        able = np.where(see["cell.death"] == ALIVE, self.behaviour(see, INTO_VESSELS, rates), 0.0)
        rows = np.flatnonzero(able > 0.0)
        x, y, z = (float(length) for length in see.size)
        touched, _ = vessels_near(
            known["perfused"], see["cell.position"][:, rows], see["cell.radius"][rows], values["reach"], (x, y, z)
        )
        willing = able > 0.0
        able[rows[touched < 0]] = 0.0
        leakiness = np.ones(able.size)
        touching = rows[touched >= 0]
        leakiness[touching] = known["perfused"].leakiness[touched[touched >= 0]]
        rings = do.ring(able * leakiness if self.gaps else able)
        if not self._collective or not np.isfinite(rings).any():
            do.emit("leave", rings, account=self.pool)
            return
        through = values["together"] * np.maximum(1.0 - 1.0 / np.maximum(leakiness, 1.0), 0.0)
        chance = philox.uniforms(see.key, see.ids, see.tick + 1, 1)[:, 0]
        parties = gathered(rings, through, chance, willing, see.ids, see.contacts(), round(values["most"]))
        do.emit("leave", rings, account=self.pool, parties=parties)


def gathered(
    rings: Real,
    through: Real,
    chance: Real,
    willing: NDArray[np.bool_],
    ids: NDArray[np.uint64],
    contacts: tuple[NDArray[np.int64], NDArray[np.int64]],
    most: int,
) -> NDArray[np.uint64]:
    """Who goes with whom [n], by the id of the one that goes first; those who follow get its time in `rings` [n].

    through : probability [n] that a neighbour follows this cell. chance : uniform numbers [n] of the cells, which follow where
    theirs is below. willing : who may follow [n]. contacts : (start [n + 1], other). most : cells of a party
    """
    start, other = contacts
    parties = ids.copy()
    taken = np.zeros(rings.size, bool)
    first = np.flatnonzero(np.isfinite(rings))
    for leader in first[np.lexsort((ids[first], rings[first]))]:
        if taken[leader]:
            continue
        party, at = [int(leader)], 0
        taken[leader] = True
        while at < len(party) and len(party) < most:
            near = other[start[party[at]] : start[party[at] + 1]]
            for row in near[np.argsort(ids[near])]:
                if len(party) < most and willing[row] and not taken[row] and chance[row] < through[leader]:
                    taken[row] = True
                    party.append(int(row))
            at += 1
        parties[party], rings[party] = ids[leader], rings[leader]
    return parties
