"""Rule tables of PhysiCell (grammar version 3): eight comma-separated fields per rule, in minutes and micrometres.

    cell type, signal, increases|decreases, behaviour, saturation, half-max, Hill power, applies to dead (0 or 1)

There, all rules of one behaviour and direction share one saturation: the outermost of theirs and the base. Reading gives each
rule that value, so that the responses are equal; the base is the behaviour of the cell definition.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import StringIO
from pathlib import Path

from paget.errors import ModelError, PagetError, nearest
from paget.evidence import ParameterTable, load_parameters
from paget.io.physicell.units import behaviour_unit, signal_unit
from paget.rules import Rule
from paget.rules.behaviours import Behaviour, behaviour, behaviours_of
from paget.rules.sentence import Lexicon
from paget.rules.signals import signal
from paget.tissue.behaviours import base_values
from paget.tissue.definition import CellDefinition
from paget.tissue.placing import value_of
from paget.tissue.rules import lexicon_of, rule_problems

__all__ = ["read_rules", "rules_from", "write_rules"]

_REFUSED_BEHAVIOURS = ("asymmetric division to", "cell-BM", "custom:", "phagocytose other dead cell")
_OWN_BEHAVIOURS = ("intravasation",)  # which the published simulator does not know


def read_rules(
    path: str | Path,
    *,
    definitions: Sequence[CellDefinition],
    units: Mapping[str, str],
    parameters: ParameterTable | None = None,
) -> tuple[Rule, ...]:
    """Rules of a table for a tissue with these `definitions` and fields in these `units`.

    Raises
    ------
    ModelError
        With everything that is wrong or that this tissue does not have, by line.
    """
    path = Path(path)
    rules, wrong = rules_from(path.read_text(encoding="utf-8-sig"), path.name, definitions, units, parameters)
    if wrong:
        raise ModelError(f"{path.name} cannot be used:", wrong)
    return rules


def rules_from(
    text: str,
    name: str,
    definitions: Sequence[CellDefinition],
    units: Mapping[str, str],
    parameters: ParameterTable | None = None,
) -> tuple[tuple[Rule, ...], list[str]]:
    """Rules of the text of a table, and everything that is wrong with it."""
    lexicon = lexicon_of(definitions, units)
    here = behaviours_of(lexicon.types, lexicon.fields, phases=6)
    wrong: list[str] = []
    read: list[Rule] = []
    for line, row in _rows(text):
        try:
            read.append(_rule(row, here, lexicon))
        except PagetError as problem:
            wrong.append(f"{name}:{line}: {problem}")
    table = parameters or load_parameters("tissue")
    rules = tuple(_levelled(read, definitions, lexicon, table))
    wrong += [f"{name}: {problem}" for problem in rule_problems(rules, definitions, lexicon)]
    return rules, wrong


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    for line, row in enumerate(csv.reader(StringIO(text), skipinitialspace=True), start=1):
        cells = [cell.strip() for cell in row]
        if any(cells) and not cells[0].startswith("//"):
            yield line, cells


def _rule(row: Sequence[str], here: Mapping[str, Behaviour], lexicon: Lexicon) -> Rule:
    if len(row) != 8:
        raise ModelError(f"{len(row)} fields; a rule of version 3 has eight")
    cell, sensed, direction, does, towards, half, hill, dead = row
    if direction not in ("increases", "decreases"):
        raise ModelError(f"'{direction}' must be increases or decreases")
    if dead not in ("0", "1"):
        raise ModelError(f"'{dead}' must be 0 or 1")
    for number in (towards, half, hill):
        try:
            float(number)
        except ValueError:
            raise ModelError(f"'{number}' is not a number") from None
    if does.startswith(_REFUSED_BEHAVIOURS):
        raise ModelError(f"the behaviour '{does}' cannot be read")
    about = behaviour(does)
    if about is None or about.name not in here:
        raise ModelError(f"unknown behaviour '{does}'. {nearest(does, here)}")
    sensed_here = signal(sensed)
    return Rule.of(
        cell,
        sensed_here.name,
        direction,
        about.name,
        f"{towards} {behaviour_unit(about, _field_unit(about, lexicon))}".strip(),
        f"{half} {signal_unit(sensed_here, sensed_here.unit(lexicon.variables) or '')}".strip(),
        hill,
        dead=dead == "1",
    )


def _field_unit(about: Behaviour, lexicon: Lexicon) -> str:
    name = f"field.{about.about}"
    return lexicon.variables[name].unit if name in lexicon.variables else ""


def _levelled(
    rules: Sequence[Rule], definitions: Sequence[CellDefinition], lexicon: Lexicon, table: ParameterTable
) -> Iterator[Rule]:
    """The rules, those of one behaviour and direction with the one saturation that they share in PhysiCell."""
    groups: dict[tuple[str, str, bool], list[float]] = defaultdict(list)
    for rule in rules:
        groups[rule.cell, rule.behaviour, rule.increases].append(_towards(rule, lexicon, table))
    for rule in rules:
        about, definition = rule.about, next((d for d in definitions if d.name == rule.cell), None)
        if about is None or definition is None:
            yield rule
            continue
        unit = behaviour_unit(about, _field_unit(about, lexicon))
        levels = [_base(definition, about, lexicon, table), *groups[rule.cell, rule.behaviour, rule.increases]]
        outermost = max(levels) if rule.increases else min(levels)
        if outermost == _towards(rule, lexicon, table):
            yield rule
        else:
            cell, sensed, direction, does, _, _, half, hill, dead = rule.row
            yield Rule.of(cell, sensed, direction, does, f"{outermost!r} {unit}".strip(), half, hill, dead=dead == "1")


def _towards(rule: Rule, lexicon: Lexicon, table: ParameterTable) -> float:
    """The saturation in PhysiCell's unit."""
    assert rule.about is not None
    unit = behaviour_unit(rule.about, _field_unit(rule.about, lexicon))
    return value_of(rule.number("towards", unit), unit, table)


def _base(definition: CellDefinition, about: Behaviour, lexicon: Lexicon, table: ParameterTable) -> float:
    """The base of a behaviour in PhysiCell's unit."""
    unit = behaviour_unit(about, _field_unit(about, lexicon))
    units = {name: variable.unit for name, variable in lexicon.variables.items()}
    listed = {
        f"0.{slot}": value_of(value, unit, table) for slot, value, _ in definition.listed(units) if slot == about.slot
    }
    return float(base_values(listed, (definition,), (about,))[0, 0])


def write_rules(
    rules: Iterable[Rule],
    *,
    definitions: Sequence[CellDefinition],
    units: Mapping[str, str],
    parameters: ParameterTable | None = None,
    names: Mapping[str, str] | None = None,
) -> str:
    """The text of the rule table for PhysiCell; `names` gives the name of each field there, by its noun.

    Raises
    ------
    ModelError
        With every rule that the format cannot say.
    """
    lexicon, table = lexicon_of(definitions, units), parameters or load_parameters("tissue")
    rules = tuple(rules)
    unfit = list(rule_problems(rules, definitions, lexicon))
    if unfit:
        raise ModelError("The rules do not fit these cell types:", unfit)
    lines, wrong = ["// cell type, signal, direction, behaviour, saturation, half-max, Hill power, applies to dead"], []
    levels: dict[tuple[str, str, bool], set[float]] = defaultdict(set)
    for rule in rules:
        if rule.about is not None:
            levels[rule.cell, rule.behaviour, rule.increases].add(_towards(rule, lexicon, table))
    for rule in rules:
        problem = _unsayable(rule, levels, definitions, lexicon, table)
        if problem:
            wrong.append(f"rule '{rule.sentence}': {problem}")
            continue
        assert rule.about is not None
        unit = signal_unit(rule.sensed, rule.sensed.unit(lexicon.variables) or "")
        row = (
            rule.cell,
            _named(rule.sensed.word, names or {}),
            "increases" if rule.increases else "decreases",
            _named(rule.behaviour, names or {}),
            f"{_towards(rule, lexicon, table)!r}",
            f"{value_of(rule.number('half', unit), unit, table)!r}",
            f"{value_of(rule.number('hill', ''), '', table)!r}",
            "1" if rule.applies_to_dead else "0",
        )
        if any("," in part for part in row):
            wrong.append(f"rule '{rule.sentence}': names with commas cannot stand in a rule table")
        lines.append(",".join(row))
    if wrong:
        raise ModelError("PhysiCell's rule table cannot say:", wrong)
    return "\n".join(lines) + "\n"


def _named(words: str, names: Mapping[str, str]) -> str:
    """A signal or behaviour with the field by its name in the file."""
    return " ".join(names.get(word, word) for word in words.split(" "))


def _unsayable(
    rule: Rule,
    levels: Mapping[tuple[str, str, bool], set[float]],
    definitions: Sequence[CellDefinition],
    lexicon: Lexicon,
    table: ParameterTable,
) -> str:
    if rule.about is None or rule.about.name in _OWN_BEHAVIOURS:
        return f"'{rule.behaviour}' is not a behaviour there"
    if rule.sensed.kind == "node" or rule.sensed.name.startswith("body."):
        return f"the signal '{rule.signal}' is not known there"
    group = levels[rule.cell, rule.behaviour, rule.increases]
    if len(group) > 1:
        return "rules of one behaviour and direction share one saturation there; give them the same"
    definition = next(d for d in definitions if d.name == rule.cell)
    base, towards = _base(definition, rule.about, lexicon, table), _towards(rule, lexicon, table)
    if (towards < base) if rule.increases else (towards > base):
        side = "below" if rule.increases else "above"
        return f"its saturation lies {side} the base, which PhysiCell would take in its place"
    return ""
