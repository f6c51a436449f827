"""What a kind of cell is: its volume, cycle, deaths, mechanics, motility, exchange with fields, and dealings with others.

A definition is data. The processes of a tissue turn all definitions into one table per mechanism, with a row for each cell
type, and fixed kernels read it; a new cell type compiles nothing. Every number is a row of the parameter table, a quantity
given with its reason, or zero.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paget.errors import EvidenceError, ModelError
from paget.evidence import Parameter
from paget.process import NOTHING, Named, is_nothing, quantity

__all__ = [
    "Apoptosis",
    "CellDefinition",
    "Cycle",
    "CyclePhase",
    "Exchange",
    "Given",
    "Interactions",
    "Mechanical",
    "Motility",
    "Necrosis",
    "Number",
    "OxygenDependence",
    "Part",
    "Volume",
    "in_unit",
    "number",
    "numbers",
    "table",
]

Number = Named | Parameter
Given = (
    Any  # what a slot takes: a `Number`, text with a unit where the part has a reason, or 0; it then holds a `Number`
)


OF_FIELD = "@"  # stands for the unit of the field that an exchange is about


def number(unit: str, key: str = "") -> Any:
    """Declare a number of a part in `unit`: by default the parameter `key`, or zero where there is none."""
    return field(default=Named(key, unit) if key else 0, metadata={"unit": unit})


def numbers(unit: str) -> Any:
    """Declare a number for each partner (cell type or field): a mapping from its name, empty by default."""
    return field(default_factory=dict, metadata={"unit": unit, "each": True})


@dataclass(frozen=True, kw_only=True)
class Part:
    """One aspect of a cell type. Numbers may be given as text with a unit, if `reason` says why they are believed.

    Raises
    ------
    EvidenceError, UnitError
        If a number has no basis or another dimension.
    """

    reason: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        for item in dataclasses.fields(self):
            unit = item.metadata.get("unit")
            if unit is None:
                continue
            given = getattr(self, item.name)
            if item.metadata.get("each"):
                each = {name: self._believed(f"{item.name} of {name}", value, unit) for name, value in given.items()}
                object.__setattr__(self, item.name, MappingProxyType(each))
            else:
                object.__setattr__(self, item.name, self._believed(item.name, given, unit))

    def _believed(self, slot: str, value: Any, unit: str) -> Number:
        if isinstance(value, Named):
            return value
        if isinstance(value, Parameter):
            if OF_FIELD not in unit:
                value.inside(unit)
            return value
        if isinstance(value, str):
            if not self.reason and not self.source:
                raise EvidenceError(
                    f"{type(self).__name__}: {slot} = '{value}' has no basis; say why in `reason`, or name a parameter"
                )
            reason = self.reason or "as given in the source"
            found = quantity(value, reason=reason, source=self.source, key=slot.replace("_", " "))
            if OF_FIELD not in unit:
                found.inside(unit)
            return found
        if not isinstance(value, bool) and isinstance(value, (int, float)) and value == 0:
            return Parameter(NOTHING, "nothing", 0.0, unit, "assumed", "absent from this cell type", "")
        raise EvidenceError(
            f'{type(self).__name__}: {slot} = {value!r} has no basis; write it as "... {unit}" with a reason'
        )

    def listed(self) -> Iterator[tuple[str, Number, str]]:
        """(slot, number, unit) of every number."""
        for item in dataclasses.fields(self):
            unit = item.metadata.get("unit")
            if unit is not None and item.metadata.get("each"):
                for name, value in getattr(self, item.name).items():
                    yield f"{item.name}/{name}", value, unit
            elif unit is not None:
                yield item.name, getattr(self, item.name), unit


@dataclass(frozen=True, kw_only=True)
class Volume(Part):
    """Volumes of a living cell and how fast they approach their targets (fluid, cytoplasmic and nuclear solid)."""

    total: Given = number("um**3", "cell_volume")
    nuclear: Given = number("um**3", "nuclear_volume")
    fluid_fraction: Given = number("", "fluid_fraction")
    fluid_rate: Given = number("1/h", "fluid_change_rate")
    cytoplasmic_rate: Given = number("1/h", "cytoplasmic_growth_rate")
    nuclear_rate: Given = number("1/h", "nuclear_growth_rate")
    calcified_fraction: Given = number("")
    calcification_rate: Given = number("1/h")


@dataclass(frozen=True, kw_only=True)
class CyclePhase:
    """A phase of the cell cycle and how it is left.

    rate : how fast it is left; 1 / rate is its duration. fixed : it lasts exactly that long, else exponentially distributed
    grows : the cell doubles its solid targets on entering it. divides : the cell divides on leaving it, and both daughters
    enter the next phase of the ring. code : number of the phase in MultiCellDS files.
    """

    name: str
    rate: Number | str
    fixed: bool = False
    grows: bool = False
    divides: bool = False
    code: int = 14


@dataclass(frozen=True, kw_only=True)
class Cycle(Part):
    """A ring of phases; the last leads to the first, and exactly one of them ends with division."""

    name: str
    phases: tuple[CyclePhase, ...]
    code: int = 5

    def __post_init__(self) -> None:
        if sum(phase.divides for phase in self.phases) != 1:
            raise ModelError(f"cycle '{self.name}': exactly one phase must end with division")
        phases = (
            dataclasses.replace(phase, rate=self._believed(f"rate of leaving {phase.name}", phase.rate, "1/h"))
            for phase in self.phases
        )
        object.__setattr__(self, "phases", tuple(phases))

    def listed(self) -> Iterator[tuple[str, Number, str]]:
        """(slot, number, unit) of every number."""
        for index, phase in enumerate(self.phases):
            assert not isinstance(phase.rate, str)
            yield f"rate/{index}", phase.rate, "1/h"


@dataclass(frozen=True, kw_only=True)
class Apoptosis(Part):
    """Programmed death: the cell shrinks for a fixed time and is then gone."""

    rate: Given = number("1/h", "apoptosis_rate")
    duration: Given = number("h", "apoptosis_duration")
    fluid_rate: Given = number("1/h", "apoptosis_fluid_rate")
    cytoplasmic_rate: Given = number("1/h", "apoptosis_cytoplasmic_rate")
    nuclear_rate: Given = number("1/h", "apoptosis_nuclear_rate")
    calcification_rate: Given = number("1/h")


@dataclass(frozen=True, kw_only=True)
class Necrosis(Part):
    """Death by want: the cell swells until it bursts at `rupture` times its volume, then shrinks slowly and may calcify."""

    rate: Given = number("1/h")
    duration: Given = number("h", "necrosis_duration")
    fluid_rate: Given = number("1/h", "necrosis_swelling_rate")
    lysed_fluid_rate: Given = number("1/h", "necrosis_lysed_fluid_rate")
    cytoplasmic_rate: Given = number("1/h", "necrosis_cytoplasmic_rate")
    nuclear_rate: Given = number("1/h", "necrosis_nuclear_rate")
    calcification_rate: Given = number("1/h")
    rupture: Given = number("", "necrosis_rupture_volume")


@dataclass(frozen=True, kw_only=True)
class OxygenDependence(Part):
    """How oxygen lets cells enter the cycle, and its want kills them.

    The rate of leaving phase 0 is scaled by clamp((p - threshold) / (saturation - threshold), 0, 1); below
    `necrosis_threshold` a cell dies at once if `at_once`, else at rate x clamp((necrosis_threshold - p) /
    (necrosis_threshold - necrosis_maximum), 0, 1).
    """

    field: str = "field.oxygen"
    threshold: Given = number("mmHg", "oxygen_cycle_threshold")
    saturation: Given = number("mmHg", "oxygen_cycle_saturation")
    necrosis_threshold: Given = number("mmHg", "oxygen_necrosis_threshold")
    necrosis_maximum: Given = number("mmHg", "oxygen_necrosis_maximum")
    necrosis_rate: Given = number("1/h", "oxygen_necrosis_rate")
    at_once: bool = True


@dataclass(frozen=True, kw_only=True)
class Mechanical(Part):
    """How a cell pushes, holds and is held.

    repulsion, adhesion : strengths, as speeds. reach : range of adhesion in radii. affinity : to a cell type, 1 by default.
    elasticity : spring constant of an attachment to another cell; attachments form at `attachment_rate` per neighbour, up to
    `attachments` of them. matrix_elasticity : spring to the point of the matrix where the cell attached.
    matrix : immobile field that slows the cell, by a factor 1 + density / matrix_half.
    """

    repulsion: Given = number("um/h", "cell_repulsion")
    adhesion: Given = number("um/h", "cell_adhesion")
    reach: Given = number("", "adhesion_reach")
    affinity: Mapping[str, Given] = numbers("")
    attachment_rate: Given = number("1/h")
    detachment_rate: Given = number("1/h")
    attachments: Given = number("", "most_attachments")
    elasticity: Given = number("1/h", "attachment_elasticity")
    matrix_attachment_rate: Given = number("1/h")
    matrix_detachment_rate: Given = number("1/h")
    matrix_elasticity: Given = number("1/h", "attachment_elasticity")
    matrix: str = ""
    matrix_half: Given = number("")
    movable: bool = True


@dataclass(frozen=True, kw_only=True)
class Motility(Part):
    """Active migration: a persistent random walk, biased along gradients.

    speed; persistence : mean time between changes of direction; bias : 0 for a random walk, 1 for straight along the gradients
    towards : field -> sensitivity; positive climbs, negative descends. Gradients of immobile fields make it haptotaxis.
    normalised : each gradient counts by its direction only. stops_at : pressure at which contact inhibition halves the
    speed (0 for none). in_plane : keep to the x-y plane in 3-D.
    intravasation : rate of getting into a perfused vessel that the cell touches.
    """

    speed: Given = number("um/h")
    persistence: Given = number("h", "migration_persistence")
    bias: Given = number("")
    towards: Mapping[str, Given] = numbers("")
    normalised: bool = False
    stops_at: Given = number("")
    in_plane: bool = False
    intravasation: Given = number("1/h")


@dataclass(frozen=True, kw_only=True)
class Exchange(Part):
    """What a cell gives to and takes from one field.

    secretion : rate towards `saturation`, in the unit of the field; uptake : first-order rate; both per volume of the cell
    export : amount per time; most, half : Michaelis-Menten uptake (most is a rate per volume of the cell).
    For an immobile field, export deposits and uptake degrades matrix.
    """

    secretion: Given = number("1/h")
    saturation: Given = number("@")
    uptake: Given = number("1/h")
    export: Given = number("@*pL/h")
    most: Given = number("@/h")
    half: Given = number("@")


@dataclass(frozen=True, kw_only=True)
class Interactions(Part):
    """What a cell does to those it touches, per neighbour and time; what it becomes; and how it bears damage.

    engulf_apoptotic, engulf_necrotic : phagocytosis of the dying; engulf : of living cells of a type
    attack : damage is dealt at `attack_damage` per time while an attack lasts (`attack_duration`); immunogenicity : how
    readily a type attacks this one. fuse : the neighbour's material joins this cell. becomes : change of type.
    """

    engulf_apoptotic: Given = number("1/h")
    engulf_necrotic: Given = number("1/h")
    engulf: Mapping[str, Given] = numbers("1/h")
    attack: Mapping[str, Given] = numbers("1/h")
    attack_damage: Given = number("1/h", "attack_damage_rate")
    attack_duration: Given = number("h", "attack_duration")
    immunogenicity: Mapping[str, Given] = numbers("")
    fuse: Mapping[str, Given] = numbers("1/h")
    becomes: Mapping[str, Given] = numbers("1/h")
    damage: Given = number("1/h")
    repair: Given = number("1/h")


_PARTS = ("volume", "cycle", "apoptosis", "necrosis", "oxygen", "mechanics", "motility", "interactions")


@dataclass(frozen=True, kw_only=True)
class CellDefinition:
    """A cell type with all its parts; None where it has no such part (no cycle, no death of that kind).

    exchange : field -> what the cell gives and takes there. own : further variables of the cell and their start values.
    """

    name: str
    label: str = ""
    ontology: str = "CL:0000000"
    group: str = "stroma"
    colour: str = "#9aa5b1"
    volume: Volume = Volume()
    cycle: Cycle | None = None
    apoptosis: Apoptosis | None = None
    necrosis: Necrosis | None = None
    oxygen: OxygenDependence | None = None
    mechanics: Mechanical = Mechanical()
    motility: Motility | None = None
    exchange: Mapping[str, Exchange] = field(default_factory=dict)
    interactions: Interactions | None = None
    own: Mapping[str, Number] = field(default_factory=dict)

    def listed(self, units: Mapping[str, str]) -> Iterator[tuple[str, Number, str]]:
        """(slot, number, unit) of every number of the type, as ``volume.total``; `units` are those of the fields."""
        for name in _PARTS:
            part = getattr(self, name)
            if part is not None:
                for slot, value, unit in part.listed():
                    yield f"{name}.{slot}", value, unit
        for where, exchanged in self.exchange.items():
            for slot, value, unit in exchanged.listed():
                here = _in_unit_of(units.get(where, ""), unit)
                yield f"exchange.{where}.{slot}", in_unit(value, here), here


def in_unit(value: Number, unit: str) -> Number:
    """A number of a field as it is, or, where there is none, as nothing in the `unit` that only the field knows."""
    return dataclasses.replace(value, unit=unit) if isinstance(value, Parameter) and is_nothing(value) else value


def _in_unit_of(field_unit: str, unit: str) -> str:
    return field_unit if unit == OF_FIELD else unit.replace(OF_FIELD, field_unit or "dimensionless")


def table(values: Mapping[str, float], types: int, slots: tuple[str, ...], absent: float = 0.0) -> NDArray[np.float64]:
    """Numbers [types, slots] of all cell types; `values` are keyed ``<index of type>.<slot>``, `absent` where there is none."""
    rows = [[values.get(f"{index}.{slot}", absent) for slot in slots] for index in range(types)]
    return np.array(rows, dtype=np.float64).reshape(types, len(slots))
