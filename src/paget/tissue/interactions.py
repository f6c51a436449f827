"""What cells do to the cells they touch: they engulf, fuse, attack and injure; and what they turn into.

Every rate is per neighbour and time. All pairs and kinds of encounter compete as exponential clocks, so that the outcome of a
tick does not depend on an order of cells, and events carry their exact time within the tick.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from paget.errors import ModelError
from paget.evidence import Parameter
from paget.kernels import encounters, philox
from paget.process import Named, Phase
from paget.tissue.behaviours import variable_of
from paget.tissue.definition import table
from paget.tissue.process import TissueProcess

if TYPE_CHECKING:
    from paget.access import Do, See

__all__ = ["Attack", "Encounters", "Injury", "LethalInjury", "Transformation"]

Real = NDArray[np.float64]
Whole = NDArray[np.int64]

# kind of encounter -> (behaviour, slot of the definition, rate where the definition says nothing)
_KINDS = {
    encounters.ENGULF_APOPTOTIC: ("phagocytose apoptotic cell", "interactions.engulf_apoptotic", 0.0),
    encounters.ENGULF_NECROTIC: ("phagocytose necrotic cell", "interactions.engulf_necrotic", 0.0),
    encounters.ENGULF_LIVING: ("phagocytose {}", "interactions.engulf/{}", 0.0),
    encounters.FUSE: ("fuse to {}", "interactions.fuse/{}", 0.0),
    encounters.ATTACK: ("attack {}", "interactions.attack/{}", 0.0),
    encounters.IMMUNOGENICITY: ("immunogenicity to {}", "interactions.immunogenicity/{}", 1.0),
}
_TAKING = (
    encounters.ENGULF_APOPTOTIC,
    encounters.ENGULF_NECROTIC,
    encounters.ENGULF_LIVING,
    encounters.FUSE,
)
_FIGHTING = (encounters.ATTACK, encounters.IMMUNOGENICITY)

MATERIAL = (
    "cell.volume",
    "cell.nuclear_volume",
    "cell.fluid",
    "cell.nuclear_solid",
    "cell.cytoplasmic_solid",
)
TARGETS = ("cell.target_nuclear_solid", "cell.target_cytoplasmic_solid")


@dataclass(frozen=True)
class PairRates:
    """Rates of encounters, for one animal, as the kernels read them.

    table : [n_types, 6, n_types] in 1/h; own : [6, n_types], row of a cell's own rates or -1; columns : names of those rows
    active : False where no cell ever does any of it
    """

    table: Real
    own: Whole
    columns: tuple[str, ...]
    active: bool

    def personal(self, see: See) -> Real:
        """The rates [n_columns, n] that are the cells' own."""
        if not self.columns:
            return np.zeros((0, see["cell.type"].size))
        return np.stack([np.asarray(see[name], dtype=np.float64) for name in self.columns])


@dataclass(frozen=True, kw_only=True)
class _Meeting(TissueProcess):
    """A process of cells that touch; `kinds` are the kinds of encounter that it is about."""

    phase: ClassVar[Phase] = Phase.ACT
    kinds: ClassVar[tuple[int, ...]] = ()

    @property
    def _spelled(self) -> tuple[tuple[int, int, str, str, float], ...]:
        """(kind, index of the partner's type, behaviour, slot, rate if nothing is said)."""
        return tuple(
            (kind, partner, behaviour.format(definition.name), slot.format(definition.name), absent)
            for kind in self.kinds
            for behaviour, slot, absent in (_KINDS[kind],)
            for partner, definition in enumerate(self.definitions)
        )

    @property
    def reads(self) -> tuple[str, ...]:
        own = self.reads_of(*dict.fromkeys(name for _, _, name, _, _ in self._spelled))
        return ("cell.type", "cell.death", "cell.contacts", *own)

    def prepare(self, values: dict[str, float]) -> Any:
        types = len(self.definitions)
        rates = np.zeros((types, encounters.KINDS, types))
        own = np.full((encounters.KINDS, types), -1)
        columns: list[str] = []
        for kind, partner, behaviour, slot, absent in self._spelled:
            rates[:, kind, partner] = table(values, types, (slot,), absent)[:, 0]
            if behaviour in self.ruled:
                column = variable_of(behaviour)
                if column not in columns:
                    columns.append(column)
                own[kind, partner] = columns.index(column)
        acting = [kind for kind in self.kinds if kind != encounters.IMMUNOGENICITY]
        active = bool((rates[:, acting] > 0.0).any() or (own[acting] >= 0).any())
        return PairRates(rates, own, tuple(columns), active)


@dataclass(frozen=True, kw_only=True)
class Encounters(_Meeting):
    """Cells engulf dying or living neighbours and fuse with them; what was taken up belongs to the taker.

    Each pair is an exponential clock at its rate; the neighbours of a cell compete for it, in exact time within the tick.
    The taken cell's volumes are added to the taker's; a fused cell brings its target volumes too.

    Assumes that a dead cell takes no one, and that a cell which is gone earlier in the tick takes no one any more.
    Differs from PhysiCell, which draws for every pair each 0.1 min with probability rate * dt, and adds the solids of an
    engulfed nucleus to the cytoplasm; here they are digested from where they were.
    """

    kinds: ClassVar[tuple[int, ...]] = _TAKING
    parts: ClassVar[tuple[str, ...]] = ("interactions.engulf", "interactions.fuse")

    role: str = "encounters"
    sources: tuple[str, ...] = ("Ghaffarizadeh2018",)

    @property
    def emits(self) -> tuple[str, ...]:
        return ("death",)

    @property
    def events(self) -> tuple[str, ...]:
        return ("engulfment", "fusion")

    def step(self, see: See, do: Do, p: Any) -> None:
        if not p.active:
            return
        start, other = see.contacts()
        rings, actor, how = encounters.takings(
            start,
            other,
            see["cell.type"],
            see["cell.death"],
            see.ids,
            p.table,
            p.own,
            p.personal(see),
            see.key,
            see.tick + 1,
            see.dt,
        )
        for code, event, gives in ((0, "engulfment", MATERIAL), (1, "fusion", MATERIAL + TARGETS)):
            do.emit("death", np.where(how == code, rings, np.inf), event=event, partner=actor, gives=gives)


@dataclass(frozen=True, kw_only=True)
class Attack(_Meeting):
    """Cells attack neighbours, one at a time, and injure them at a steady rate while the attack lasts.

    An attack on a neighbour begins at rate attack * immunogenicity, lasts `attack_duration` and adds `attack_damage` per time
    to the injury of the victim; then the next may begin. It ends early when the victim is dead or gone.

    Leaves out the spring by which PhysiCell holds attacker and victim together; attachments do that.
    """

    kinds: ClassVar[tuple[int, ...]] = _FIGHTING
    parts: ClassVar[tuple[str, ...]] = ("interactions.attack", "interactions.immunogenicity")

    role: str = "attack"
    sources: tuple[str, ...] = ("Ghaffarizadeh2018",)

    @property
    def reads(self) -> tuple[str, ...]:
        extra = self.reads_of("attack damage rate", "attack duration")
        return (*super().reads, "cell.attack_left", "cell.attack_victim", *extra)

    @property
    def adds(self) -> tuple[str, ...]:
        return ("cell.injury",)

    @property
    def sets(self) -> tuple[str, ...]:
        return ("cell.attack_left", "cell.attack_victim")

    def prepare(self, values: dict[str, float]) -> Any:
        rates = super().prepare(values)
        slots = ("interactions.attack_damage", "interactions.attack_duration")
        weapons = table(values, len(self.definitions), slots)
        for index, definition in enumerate(self.definitions):
            if (rates.table[index, encounters.ATTACK] > 0.0).any() and weapons[index, 1] <= 0.0:
                raise ModelError(
                    f"process '{self.role}': {definition.name} attacks, but its attacks last {weapons[index, 1]:g} h; "
                    "give attack_duration a time above zero"
                )
        return rates, weapons[:, 0].copy(), weapons[:, 1].copy()

    def step(self, see: See, do: Do, p: Any) -> None:
        rates, damage, duration = p
        if not rates.active:
            return
        start, other = see.contacts()
        ids = see.ids
        victims = np.ascontiguousarray(see["cell.attack_victim"]).view(np.uint64)
        left, victim, dealt = encounters.attacks(
            see.by_id,
            start,
            other,
            see["cell.type"],
            see["cell.death"],
            ids,
            see["cell.attack_left"],
            encounters.rows_of(ids, victims, see.by_id),
            rates.table,
            rates.own,
            rates.personal(see),
            # A rule may shorten attacks, but not to nothing: a second is below what any tick resolves.
            np.maximum(self.behaviour(see, "attack duration", duration), 1.0 / 3600.0),
            self.behaviour(see, "attack damage rate", damage),
            see.key,
            see.tick + 1,
            see.dt,
        )
        do.set("cell.attack_left", left)
        do.set("cell.attack_victim", np.where(victim >= 0, ids[victim], np.uint64(0)).view(np.int64))
        do.add("cell.injury", dealt / see.dt)


@dataclass(frozen=True, kw_only=True)
class Injury(TissueProcess):
    """Cells suffer damage at a steady rate and repair their injuries.

    d(injury)/dt = damage - repair * injury, besides what attacks add
    """

    phase: ClassVar[Phase] = Phase.ACT
    parts: ClassVar[tuple[str, ...]] = ("interactions.damage", "interactions.repair")

    role: str = "injury"
    sources: tuple[str, ...] = ("Ghaffarizadeh2018",)

    @property
    def reads(self) -> tuple[str, ...]:
        return ("cell.type", *self.reads_of("damage rate", "damage repair rate"))

    @property
    def adds(self) -> tuple[str, ...]:
        return ("cell.injury",)

    def prepare(self, values: dict[str, float]) -> Any:
        return table(values, len(self.definitions), ("interactions.damage", "interactions.repair")).T.copy()

    def step(self, see: See, do: Do, p: Any) -> None:
        do.add("cell.injury", self.behaviour(see, "damage rate", p[0]))
        do.lose("cell.injury", self.behaviour(see, "damage repair rate", p[1]))


@dataclass(frozen=True, kw_only=True)
class LethalInjury(TissueProcess):
    """A living cell whose injury exceeds what it bears enters apoptosis.

    A rule, such as "cell.injury increases apoptosis", is the graded form of this; the threshold suits a killer cell that
    delivers a lethal hit.
    """

    phase: ClassVar[Phase] = Phase.ACT

    role: str = "lethal_injury"
    sources: tuple[str, ...] = ()
    borne: Named | Parameter = field(metadata={"unit": ""})

    @property
    def reads(self) -> tuple[str, ...]:
        return ("cell.injury", "cell.death", "cell.death_time")

    @property
    def emits(self) -> tuple[str, ...]:
        return ("conversion",)

    @property
    def events(self) -> tuple[str, ...]:
        return ("killing",)

    def prepare(self, values: dict[str, float]) -> Any:
        return values["borne"]

    def step(self, see: See, do: Do, p: Any) -> None:
        fallen = (see["cell.injury"] > p) & (see["cell.death"] == encounters.ALIVE)
        values = {"cell.death": encounters.APOPTOTIC, "cell.death_time": 0.0}
        do.emit("conversion", np.where(fallen, 0.0, np.inf), event="killing", values=values)


@dataclass(frozen=True, kw_only=True)
class Transformation(TissueProcess):
    """Living cells turn into cells of another type, at a rate for each type they may become.

    The rates to all types compete; the cell starts its new life at the beginning of the cycle of the new type.
    """

    phase: ClassVar[Phase] = Phase.ACT
    parts: ClassVar[tuple[str, ...]] = ("interactions.becomes",)

    role: str = "transformation"
    sources: tuple[str, ...] = ("Ghaffarizadeh2018",)

    @property
    def _behaviours(self) -> tuple[str, ...]:
        return tuple(f"transform to {definition.name}" for definition in self.definitions)

    @property
    def reads(self) -> tuple[str, ...]:
        return ("cell.type", "cell.death", *self.reads_of(*self._behaviours))

    @property
    def emits(self) -> tuple[str, ...]:
        return ("conversion",)

    @property
    def events(self) -> tuple[str, ...]:
        return ("transformation",)

    @property
    def clock(self) -> bool:
        return True

    def prepare(self, values: dict[str, float]) -> Any:
        slots = tuple(f"interactions.becomes/{definition.name}" for definition in self.definitions)
        return table(values, len(self.definitions), slots)

    def step(self, see: See, do: Do, p: Any) -> None:
        changing = [
            index
            for index, name in enumerate(self._behaviours)
            if name in self.ruled or bool((p[:, index] > 0.0).any())
        ]
        if not changing:
            return
        kind, alive = see["cell.type"], see["cell.death"] == encounters.ALIVE
        rates = np.stack(
            [
                np.where(alive & (kind != index), self.behaviour(see, self._behaviours[index], p[:, index].copy()), 0.0)
                for index in changing
            ]
        )
        until = np.cumsum(rates, axis=0)
        rings = do.ring(until[-1])
        # Not before the draw of who rings: most ticks no cell does.
        if not np.isfinite(rings).any():
            return
        mark = philox.uniforms(see.key, see.ids, see.tick + 1, 1)[:, 0] * until[-1]
        chosen = (mark > until).sum(axis=0)
        cycles = any(definition.cycle is not None for definition in self.definitions)
        values = {"cell.phase": 0, "cell.phase_time": 0.0} if cycles else {}
        for place, index in enumerate(changing):
            due = np.where(chosen == place, rings, np.inf)
            do.emit("conversion", due, event="transformation", to=self.definitions[index].name, values=values)
