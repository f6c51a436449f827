"""What a rule may change: the behaviours of tissue cells by the names that this field uses, with unit and place of the number.

A behaviour of a cell type is one number of its definition (its `slot`). Where a rule or the cell itself changes it, it has a
column of its own, one value per cell, named by `variable_of`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from paget.errors import UnknownNameError
from paget.vocabulary import Variable

__all__ = [
    "BEHAVIOURS",
    "Behaviour",
    "behaviour",
    "behaviours_of",
    "canonical",
    "column_of",
    "field_noun",
    "variable_of",
]

OF_FIELD = "@"  # stands for the unit of the field that the behaviour is about
BASE = "cell.base_"  # begins the column of a cell's own base value


@dataclass(frozen=True)
class Behaviour:
    """One number of a cell that rules can move; `<type>`, `<field>` and `<k>` stand for names in the patterns of `BEHAVIOURS`.

    name : in rule sentences. unit : "@" stands for the unit of the field. slot : place in a cell definition.
    absent : the value of a type whose definition does not name it.
    about : the cell type, field (its noun) or phase that took the place of the pattern.
    """

    name: str
    unit: str
    slot: str
    meaning: str
    absent: float = 0.0
    about: str = ""

    @property
    def part(self) -> str:
        """The part of the definition that holds the number, as ``motility`` or ``exchange.field.oxygen``."""
        return self.slot.split("/", 1)[0].rsplit(".", 1)[0]

    @property
    def pattern(self) -> str:
        """The placeholder in the name, or nothing."""
        found = re.search(r"<(\w+)>", self.name)
        return found[0] if found else ""

    @property
    def variable(self) -> str:
        """Name of the column of values that cells have of their own."""
        return variable_of(self.name)

    def about_partner(self, partner: str) -> Behaviour:
        """The behaviour towards one cell type, field or phase."""
        here = self.pattern
        return Behaviour(
            self.name.replace(here, partner),
            self.unit,
            self.slot.replace(here, partner),
            self.meaning,
            self.absent,
            partner,
        )


def _all() -> Iterator[Behaviour]:
    rate, speed = "1/h", "um/h"
    yield Behaviour("cycle entry", rate, "cycle.rate/0", "rate of leaving the first phase of the cycle")
    yield Behaviour("exit from cycle phase <k>", rate, "cycle.rate/<k>", "rate of leaving a phase of the cycle")
    yield Behaviour("apoptosis", rate, "apoptosis.rate", "rate at which apoptosis begins")
    yield Behaviour("necrosis", rate, "necrosis.rate", "rate at which necrosis begins")
    yield Behaviour("migration speed", speed, "motility.speed", "speed of active migration")
    yield Behaviour("migration bias", "", "motility.bias", "0 for a random walk, 1 for straight along the gradients")
    yield Behaviour("migration persistence time", "h", "motility.persistence", "mean time between changes of direction")
    yield Behaviour(
        "chemotactic response to <field>", "", "motility.towards/field.<field>", "weight of a gradient in the bias"
    )
    yield Behaviour(
        "intravasation", rate, "motility.intravasation", "rate of getting into a vessel that the cell touches"
    )
    yield Behaviour("cell-cell adhesion", speed, "mechanics.adhesion", "strength of adhesion")
    yield Behaviour("cell-cell repulsion", speed, "mechanics.repulsion", "strength of repulsion")
    yield Behaviour("relative maximum adhesion distance", "", "mechanics.reach", "reach of adhesion in radii")
    yield Behaviour(
        "adhesive affinity to <type>", "", "mechanics.affinity/<type>", "affinity of adhesion to a type", 1.0
    )
    yield Behaviour(
        "cell-cell adhesion elastic constant", rate, "mechanics.elasticity", "spring constant of attachments"
    )
    yield Behaviour("cell attachment rate", rate, "mechanics.attachment_rate", "attachments formed per neighbour")
    yield Behaviour("cell detachment rate", rate, "mechanics.detachment_rate", "rate at which attachments break")
    yield Behaviour("maximum number of cell attachments", "", "mechanics.attachments", "most attachments of a cell")
    yield Behaviour(
        "is movable", "", "mechanics.movable", "1 if others can push the cell, 0 if it holds its place", 1.0
    )
    exchange = "exchange.field.<field>"
    yield Behaviour("<field> secretion", rate, f"{exchange}.secretion", "rate of secretion towards the target")
    yield Behaviour("<field> secretion target", OF_FIELD, f"{exchange}.saturation", "level at which secretion stops")
    yield Behaviour("<field> uptake", rate, f"{exchange}.uptake", "first-order uptake per volume of the cell")
    yield Behaviour("<field> export", f"{OF_FIELD}*pL/h", f"{exchange}.export", "amount released per time")
    own = "interactions"
    yield Behaviour(
        "phagocytose apoptotic cell", rate, f"{own}.engulf_apoptotic", "phagocytosis of apoptotic neighbours"
    )
    yield Behaviour("phagocytose necrotic cell", rate, f"{own}.engulf_necrotic", "phagocytosis of necrotic neighbours")
    yield Behaviour("phagocytose <type>", rate, f"{own}.engulf/<type>", "phagocytosis of living neighbours of a type")
    yield Behaviour("attack <type>", rate, f"{own}.attack/<type>", "attacks begun per neighbour of a type")
    yield Behaviour("fuse to <type>", rate, f"{own}.fuse/<type>", "fusions per neighbour of a type")
    yield Behaviour("transform to <type>", rate, f"{own}.becomes/<type>", "rate of turning into a type")
    yield Behaviour(
        "immunogenicity to <type>", "", f"{own}.immunogenicity/<type>", "how readily a type attacks this cell", 1.0
    )
    yield Behaviour("attack damage rate", rate, f"{own}.attack_damage", "damage dealt per time of attack")
    yield Behaviour("attack duration", "h", f"{own}.attack_duration", "time that an attack lasts")
    yield Behaviour("damage rate", rate, f"{own}.damage", "damage that the cell takes without attacks")
    yield Behaviour("damage repair rate", rate, f"{own}.repair", "rate at which damage is repaired")


BEHAVIOURS: dict[str, Behaviour] = {b.name: b for b in _all()}

_OTHER_SPELLINGS = (
    (re.compile(r"^exit from cycle phase 0$"), "cycle entry"),
    (re.compile(r"^is_movable$"), "is movable"),
    (re.compile(r"^(transition|conversion) to (?P<partner>.+)$"), r"transform to \g<partner>"),
    (
        re.compile(r"^field\.(?P<partner>\w+) (?P<rest>secretion target|secretion|uptake|export)$"),
        r"\g<partner> \g<rest>",
    ),
    (
        re.compile(r"^chemotactic (response|sensitivity) to (field\.)?(?P<partner>.+)$"),
        r"chemotactic response to \g<partner>",
    ),
    (re.compile(r"^(?P<partner>.+) secretion saturation density$"), r"\g<partner> secretion target"),
)


def canonical(name: str) -> str:
    """The name of a behaviour in the spelling used here; other published spellings are understood.

    >>> canonical("transition to  macrophage")
    'transform to macrophage'
    """
    name = " ".join(name.split())
    for pattern, spelling in _OTHER_SPELLINGS:
        name = pattern.sub(spelling, name)
    return name


def field_noun(name: str) -> str:
    """The noun of a field in the form of variable names: ``pro-inflammatory factor`` is ``pro_inflammatory_factor``."""
    return re.sub(r"\W+", "_", name.removeprefix("field.")).strip("_")


def variable_of(name: str) -> str:
    """Name of the column that holds a behaviour of every cell, where rules or the cell change it.

    >>> variable_of("cell-cell adhesion")
    'cell.cell_cell_adhesion'
    """
    return "cell." + re.sub(r"\W+", "_", canonical(name)).strip("_").lower()


def behaviour(name: str) -> Behaviour | None:
    """The behaviour of that name, read by its form alone; None if it has the form of no behaviour of tissue cells.

    >>> behaviour("oxygen uptake").slot
    'exchange.field.oxygen.uptake'
    """
    name = canonical(name)
    if name in BEHAVIOURS and not BEHAVIOURS[name].pattern:
        return BEHAVIOURS[name]
    for general in BEHAVIOURS.values():
        if general.pattern:
            before, after = general.name.split(general.pattern)
            inside = name[len(before) : len(name) - len(after)]
            fits = name.startswith(before) and name.endswith(after) and len(name) > len(before) + len(after)
            if fits and (general.pattern != "<k>" or inside.isdecimal()):
                return general.about_partner(field_noun(inside) if general.pattern == "<field>" else inside)
    return None


def behaviours_of(types: Iterable[str], fields: Iterable[str], phases: int = 1) -> dict[str, Behaviour]:
    """All behaviours of a tissue with these cell types, fields (by noun) and most phases of a cycle, by name."""
    partners = {"<type>": tuple(types), "<field>": tuple(fields), "<k>": tuple(str(k) for k in range(1, phases))}
    found: dict[str, Behaviour] = {}
    for general in BEHAVIOURS.values():
        each = [general.about_partner(p) for p in partners[general.pattern]] if general.pattern else [general]
        found.update({b.name: b for b in each})
    return found


def column_of(name: str, field_unit: str = "", *, base: bool = False) -> Variable:
    """The variable that holds a behaviour of every cell; `base` for the cell's own base value, which rules start from.

    It is not a number until it is first set: rules set it at once, or the cell brings its own.

    Raises
    ------
    UnknownNameError
        If no behaviour has that name.
    """
    found = behaviour(name)
    if found is None:
        raise UnknownNameError("behaviour", name, BEHAVIOURS)
    unit = found.unit.replace(OF_FIELD, field_unit or "dimensionless") if OF_FIELD in found.unit else found.unit
    unit = "" if unit == "dimensionless" else unit
    variable = found.variable.replace("cell.", BASE, 1) if base else found.variable
    return Variable(variable, unit, f"{'own base of: ' if base else ''}{found.meaning}", default=math.nan)
