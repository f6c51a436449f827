"""What a rule may listen to: the signals of a cell by the names that this field uses."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from paget.rules.behaviours import field_noun
from paget.vocabulary import Variable

__all__ = ["STATES", "Signal", "known_signals", "signal"]

Kind = Literal["variable", "gradient", "contact", "state", "time", "node", "refused"]

ALIASES = {"pressure": "cell.pressure", "volume": "cell.volume", "damage": "cell.injury"}
STATES = ("attacking", "dead", "apoptotic", "necrotic")
NEIGHBOUR_STATES = ("live", "dead", "apoptotic", "necrotic")
REFUSED = {
    "intracellular": "amounts inside cells are not kept",
    "contact with other dead cell": "cells die by apoptosis or necrosis, in no other way",
    "contact with basement membrane": "there is no basement membrane",
    "damage delivered": "the damage that a cell has dealt is not kept",
    "total attack time": "the time under attack is not kept; use damage",
}


@dataclass(frozen=True)
class Signal:
    """What a cell senses.

    name : in sentences, with variables in full (``field.oxygen``). kind : where it comes from.
    about : the variable, cell type, state or network node.
    """

    name: str
    kind: Kind
    about: str

    @property
    def word(self) -> str:
        """Its name in published rule tables: ``oxygen``, ``oxygen gradient``, ``pressure``."""
        published = {full: short for short, full in ALIASES.items()}
        if self.name in published:
            return published[self.name]
        if self.kind in ("variable", "gradient") and self.name.startswith("field."):
            return self.name.removeprefix("field.")
        if self.kind == "variable" and self.name.startswith("cell."):
            return f"custom:{self.name.removeprefix('cell.')}"
        return self.name

    def unit(self, variables: Mapping[str, Variable]) -> str | None:
        """Unit of the signal, or None where its variable is not among `variables`."""
        if self.kind in ("variable", "gradient"):
            if self.about not in variables:
                return None
            unit = variables[self.about].unit
            return unit if self.kind == "variable" else f"{unit or '1'}/um"
        return "h" if self.kind == "time" else ""


def signal(name: str) -> Signal:
    """Read the name of a signal by its form.

    >>> signal("oxygen gradient").about
    'field.oxygen'
    """
    name = _plain(name)
    for beginning in REFUSED:
        if name == beginning or (beginning == "intracellular" and name.startswith("intracellular ")):
            return Signal(name, "refused", beginning)
    if name == "time":
        return Signal(name, "time", "")
    if name in STATES:
        return Signal(name, "state", name)
    if name.startswith("node "):
        return Signal(name, "node", name.removeprefix("node "))
    if name.startswith("contact with "):
        return Signal(name, "contact", name.removeprefix("contact with "))
    if name.endswith(" gradient"):
        about = f"field.{field_noun(name.removesuffix(' gradient'))}"
        return Signal(f"{about} gradient", "gradient", about)
    if name in ALIASES:
        return Signal(ALIASES[name], "variable", ALIASES[name])
    if name.startswith("custom:"):
        name = f"cell.{field_noun(name.removeprefix('custom:'))}"
    elif not name.startswith(("field.", "cell.", "body.")):
        name = f"field.{field_noun(name)}"
    return Signal(name, "variable", name)


def _plain(name: str) -> str:
    """One spelling for the several that are published: ``contact with dead cells``, ``gradient of oxygen``, ``is dead``."""
    name = " ".join(name.split())
    if name.startswith("contact with ") and name.removesuffix("s").endswith(" cell"):
        state = name.removeprefix("contact with ").removesuffix("s").removesuffix(" cell")
        name = name.removesuffix("s") if state in (*NEIGHBOUR_STATES, "other dead") else name
    if name.startswith("gradient of "):
        name = f"{name.removeprefix('gradient of ')} gradient"
    return {"contact with BM": "contact with basement membrane", "is dead": "dead", "current time": "time"}.get(
        name, name
    )


def neighbours_of(about: str) -> str:
    """The state of the neighbours that a contact signal counts, or nothing if it counts a cell type."""
    state = about.removesuffix(" cell")
    return state if about.endswith(" cell") and state in NEIGHBOUR_STATES else ""


def known_signals(types: Collection[str], variables: Iterable[str], nodes: Iterable[str]) -> tuple[str, ...]:
    """Names of all signals in a model, for suggestions."""
    variables = tuple(variables)
    nouns = tuple(v.removeprefix("field.") for v in variables if v.startswith("field."))
    contacts = (*types, *(f"{state} cell" for state in NEIGHBOUR_STATES))
    return (
        *variables,
        *nouns,
        *(f"{noun} gradient" for noun in nouns),
        *ALIASES,
        *STATES,
        "time",
        *(f"contact with {other}" for other in contacts),
        *(f"node {node}" for node in nodes),
    )
