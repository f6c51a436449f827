"""Rules as sentences: on which cells, which signal, changes which behaviour, how.

Two forms are read, and every rule can be written in both:

    <cell type>: <signal> increases|decreases <behaviour> [from <base>] towards <quantity>, half-max <quantity>, hill <number>
        [, applies to dead cells]
    In <cell type> cells, <signal> increases|decreases <behaviour> [from <base>] towards <quantity> with half-max <quantity>
        and Hill power <number> [, applies to dead cells]

A name in braces stands for a row of the parameter table: ``towards {senescence_rate}``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property

from paget.errors import ModelError, UnitError, UnknownNameError, nearest
from paget.evidence import Parameter
from paget.evidence.parameters import Basis
from paget.process import Named
from paget.rules.behaviours import BEHAVIOURS, OF_FIELD, Behaviour, behaviour, behaviours_of, canonical
from paget.rules.signals import REFUSED, Signal, known_signals, neighbours_of, signal
from paget.units import to_internal
from paget.vocabulary import CELL_TYPES, VARIABLES, Variable

__all__ = ["Lexicon", "Number", "Rule", "problems"]

Number = Named | Parameter

# A base value begins with a digit or a brace, so that the "from" of "exit from cycle phase 1" is not taken for it.
_MIDDLE = (
    r"(?P<signal>.+?)\s+(?P<direction>increases|decreases)\s+(?P<behaviour>.+?)"
    r"(?:\s+from\s+(?P<base>[-+.\d{][^,]*?))?\s+towards\s+"
)
_DEAD = r"(?:\s*[,;.]\s*(?P<dead>applies\s+to\s+dead\s+cells))?\s*\.?\s*$"
_SHORT = re.compile(
    r"^\s*(?P<cell>[^:]+?)\s*:\s*" + _MIDDLE + r"(?P<towards>[^,]+?)\s*,\s*half-max\s+(?P<half>[^,]+?)\s*,\s*"
    r"hill\s+(?P<hill>[^,]+?)" + _DEAD
)
_PUBLISHED = re.compile(
    r"^\s*In\s+(?P<cell>.+?)\s+cells\s*,\s*" + _MIDDLE + r"(?P<towards>.+?)\s*,?\s+with\s+half-max\s+(?P<half>.+?)\s+"
    r"and\s+Hill\s+power\s+(?P<hill>[^\s,;]+?)" + _DEAD
)
_REFERENCE = re.compile(r"^\{(\w+)\}$")
_FORM = (
    "Its form is '<cell type>: <signal> increases|decreases <behaviour> towards <quantity>, half-max <quantity>, hill "
    "<number>', or 'In <cell type> cells, <signal> increases|decreases <behaviour> towards <quantity> with half-max "
    "<quantity> and Hill power <number>'"
)
_MAY_BE_NEGATIVE = ("chemotactic response to", " export")
_TITLES = {"base": "base value", "towards": "saturation", "half": "half-maximal signal", "hill": "Hill power"}


@dataclass(frozen=True)
class Lexicon:
    """The cell types, variables and network nodes that rules of one model may speak of."""

    types: tuple[str, ...]
    variables: Mapping[str, Variable]
    nodes: tuple[str, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """Nouns of the fields."""
        return tuple(name.removeprefix("field.") for name in self.variables if name.startswith("field."))


_CATALOGUE = Lexicon(tuple(CELL_TYPES), VARIABLES)


@dataclass(frozen=True, eq=False)
class Rule:
    """One sentence: on which cell, which signal, changes which behaviour, how.

    Rules are equal if they say the same, in whichever form. A behaviour of tissue cells (see `paget.rules.behaviours`) may
    speak of types and variables that only the model knows; they are checked there. All others belong to the catalogue.

    Raises
    ------
    ModelError
        If the sentence has none of the forms shown above.
    UnknownNameError
        If the cell type or the signal of a rule of the catalogue is not in the vocabulary.
    """

    sentence: str
    source: str = ""

    def __post_init__(self) -> None:
        match = _PUBLISHED.match(self.sentence) or _SHORT.match(self.sentence)
        if match is None:
            raise ModelError(f"Cannot read the rule '{self.sentence}'. {_FORM}.")
        parts = {key: " ".join((text or "").split()) for key, text in match.groupdict().items()}
        object.__setattr__(self, "_parts", parts)
        if self.about is None:
            if get_close_matches(self.behaviour, BEHAVIOURS, n=1, cutoff=0.8):  # misspelt, rather than of the catalogue
                raise UnknownNameError("behaviour", self.behaviour, BEHAVIOURS)
            if self.sensed.kind != "variable":
                raise UnknownNameError("signal", parts["signal"], VARIABLES)
            for problem in _unknown(self, _CATALOGUE):
                raise problem
        for slot, unit in _units(self, _CATALOGUE).items():
            self._number(slot, unit)

    # ---- its parts --------------------------------------------------------------------------------------------------
    @property
    def _part(self) -> dict[str, str]:
        parts: dict[str, str] = self.__dict__["_parts"]
        return parts

    @property
    def cell(self) -> str:
        return self._part["cell"]

    @property
    def signal(self) -> str:
        """The signal by its full name: ``field.oxygen``, ``field.oxygen gradient``, ``contact with macrophage``."""
        return self.sensed.name

    @cached_property
    def sensed(self) -> Signal:
        """The signal and where it comes from."""
        return signal(self._part["signal"])

    @property
    def signal_unit(self) -> str | None:
        """Unit of the signal; None where only the model knows its variable."""
        return self.sensed.unit(VARIABLES)

    @property
    def increases(self) -> bool:
        return self._part["direction"] == "increases"

    @property
    def behaviour(self) -> str:
        return canonical(self._part["behaviour"])

    @cached_property
    def about(self) -> Behaviour | None:
        """The behaviour of tissue cells that it changes; None if it belongs to a mechanism of the catalogue."""
        return behaviour(self.behaviour)

    @property
    def applies_to_dead(self) -> bool:
        """Whether dead cells answer to the signal too."""
        return bool(self._part["dead"])

    @property
    def numbers(self) -> tuple[tuple[str, Number, str], ...]:
        """(slot, number, unit) of the saturation, the half-maximal signal and the Hill power, and of the base if given."""
        return self.numbers_in(_CATALOGUE)

    def numbers_in(self, lexicon: Lexicon) -> tuple[tuple[str, Number, str], ...]:
        """The numbers in the units of a model.

        Raises
        ------
        UnitError
            If one has another dimension.
        """
        return tuple((slot, *self._number(slot, unit)) for slot, unit in _units(self, lexicon).items())

    def number(self, slot: str, unit: str) -> Number:
        """One number (towards, half, hill or base), read from the sentence in `unit`.

        Raises
        ------
        UnitError
            If it has another dimension.
        """
        return self._number(slot, unit)[0]

    def _number(self, slot: str, unit: str | None) -> tuple[Number, str]:
        text = self._part[slot]
        reference = _REFERENCE.match(text)
        if reference:
            return Named(reference[1], unit or ""), unit or ""
        if unit is None:  # the model will say; until then the unit is the one that was written
            unit = re.sub(r"^[-+]?[\d.]+([eE][-+]?\d+)?\s*", "", text)
            unit = f"1{unit}" if unit.startswith("/") else unit
        try:
            value = to_internal(text, unit)
        except UnitError as problem:
            raise UnitError(f"rule '{self.sentence}': {problem}") from problem
        signed = slot in ("towards", "base")
        if (value < 0 and not (signed and any(word in self.behaviour for word in _MAY_BE_NEGATIVE))) or (
            value == 0 and not signed
        ):
            raise ModelError(f"rule '{self.sentence}': '{text}' must be {'zero or ' if signed else ''}positive")
        basis: Basis = "measured" if self.source else "assumed"
        if self.about is None:
            key = f"{self.behaviour} by {self.signal.split('.')[1]}: {_TITLES[slot]}"
        else:
            direction = self._part["direction"]
            key = f"{self.cell}: {self.sensed.word} {direction} {self.behaviour}: {_TITLES[slot]}"
        return Parameter(key, key, value, unit, basis, "written in a rule sentence", self.source), unit

    # ---- its spellings ----------------------------------------------------------------------------------------------
    @classmethod
    def of(
        cls,
        cell: str,
        signal: str,
        direction: str,
        behaviour: str,
        towards: str,
        half: str,
        hill: str,
        *,
        base: str = "",
        dead: bool = False,
        source: str = "",
    ) -> Rule:
        """The rule with these parts; `direction` is increases or decreases, quantities are texts with units."""
        start = f" from {base}" if base else ""
        end = ", applies to dead cells" if dead else ""
        return cls(
            f"{cell}: {signal} {direction} {behaviour}{start} towards {towards}, half-max {half}, hill {hill}{end}",
            source,
        )

    @property
    def row(self) -> tuple[str, ...]:
        """The parts as texts: cell, signal, direction, behaviour, base, saturation, half-max, Hill power, applies to dead."""
        p = self._part
        numbers = (p["base"], p["towards"], p["half"], p["hill"])
        return (self.cell, self.signal, p["direction"], self.behaviour, *numbers, "1" if self.applies_to_dead else "0")

    @property
    def published(self) -> str:
        """The sentence in the form of the cell behaviour hypothesis grammar."""
        p = self._part
        start = f" from {p['base']}" if p["base"] else ""
        end = ", applies to dead cells" if self.applies_to_dead else ""
        return (
            f"In {self.cell} cells, {self.sensed.word} {p['direction']} {self.behaviour}{start} towards {p['towards']} "
            f"with half-max {p['half']} and Hill power {p['hill']}{end}"
        )

    @cached_property
    def _value(self) -> tuple[object, ...]:
        numbers = tuple((n.value, n.unit) if isinstance(n, Parameter) else n for _, n, _ in self.numbers)
        parts = (self.cell, self.signal, self.increases, self.behaviour, self.applies_to_dead, self.source)
        return (*parts, bool(self._part["base"]), *numbers)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rule) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)


def _units(rule: Rule, lexicon: Lexicon) -> dict[str, str | None]:
    """Units of the numbers of a rule; None where only the model knows what they are about."""
    towards, half = _unit_of(rule.about, lexicon), rule.sensed.unit(lexicon.variables)
    units: dict[str, str | None] = {"towards": towards, "half": half, "hill": ""}
    return {**units, "base": towards} if rule._part["base"] else units


def _unit_of(about: Behaviour | None, lexicon: Lexicon) -> str | None:
    """Unit of the behaviour; None where only the model knows the field that it is about."""
    if about is None:
        return "1/h"
    if OF_FIELD not in about.unit:
        return about.unit
    name = f"field.{about.about}"
    if name not in lexicon.variables:
        return None
    unit = lexicon.variables[name].unit
    return unit if about.unit == OF_FIELD else about.unit.replace(OF_FIELD, unit or "dimensionless")


def _unknown(rule: Rule, lexicon: Lexicon) -> Iterator[UnknownNameError]:
    if rule.cell not in lexicon.types:
        yield UnknownNameError("cell type", rule.cell, lexicon.types)
    sensed, partner = rule.sensed, rule.sensed.about
    known = {
        "variable": partner in lexicon.variables,
        "gradient": partner in lexicon.variables,
        "contact": partner in lexicon.types or bool(neighbours_of(partner)),
        "node": partner in lexicon.nodes,
    }.get(sensed.kind, sensed.kind != "refused")
    written = rule._part["signal"]
    if not known and sensed.kind != "refused":
        yield UnknownNameError("signal", written, known_signals(lexicon.types, lexicon.variables, lexicon.nodes))


def problems(rule: Rule, lexicon: Lexicon) -> Iterator[str]:
    """Everything that a rule of a tissue says and the model does not have: types, signals, behaviours, units."""
    sensed, before = rule.sensed, f"rule '{rule.sentence}': "
    if sensed.kind == "refused":
        yield f"{before}the signal '{sensed.name}' cannot be used; {REFUSED[sensed.about]}"
    if sensed.kind == "node" and not lexicon.nodes:
        yield f"{before}the signal '{sensed.name}' needs a network inside the cells, and this model has none"
    else:
        yield from (f"{before}{problem}" for problem in _unknown(rule, lexicon))
    here = behaviours_of(lexicon.types, lexicon.fields, phases=6)
    if rule.behaviour not in here:
        yield f"{before}unknown behaviour '{rule.behaviour}'. {nearest(rule.behaviour, here)}"
        return
    try:
        rule.numbers_in(lexicon)
    except (UnitError, ModelError) as problem:
        yield str(problem)
