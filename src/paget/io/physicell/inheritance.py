"""Cell definitions of a settings file that leave out what they share with another: each is completed before it is read."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from xml.etree.ElementTree import Element

__all__ = ["completed"]

_RATES = {
    "attack_rate",
    "apoptotic_phagocytosis_rate",
    "attachment_rate",
    "damage_rate",
    "death_rate",
    "detachment_rate",
    "fusion_rate",
    "necrotic_phagocytosis_rate",
    "net_export_rate",
    "other_dead_phagocytosis_rate",
    "phagocytosis_rate",
    "secretion_rate",
    "transformation_rate",
    "uptake_rate",
}
_KEYS = ("name", "substrate", "ID", "index", "start_index", "end_index", "code")
_EITHER = {"phase_transition_rates", "phase_durations"}


def completed(definitions: Iterable[Element], problems: list[str]) -> list[Element]:
    """The definitions, each with what it inherits: from its parent type, or from the first type with all rates at zero."""
    given = list(definitions)
    whole: dict[str, Element] = {}
    for position, element in enumerate(given):
        name, parent = element.get("name", ""), element.get("parent_type", "")
        if parent and parent not in whole:
            problems.append(f"cell_definitions/{name}: its parent_type '{parent}' is not defined before it")
        if parent in whole:
            base = whole[parent]
        elif position > 0:
            base = _resting(whole[given[0].get("name", "")])
        else:
            base = Element(element.tag)
        whole[name] = _merged(base, element)
    return [whole[element.get("name", "")] for element in given]


def _resting(element: Element) -> Element:
    """A copy that does nothing: rates at zero, no migration."""
    resting = copy.deepcopy(element)
    for below in resting.iter():
        if below.tag in _RATES:
            below.text = "0"
    for options in resting.iter("options"):
        for switch in options.findall("enabled"):
            switch.text = "false"
    return resting


def _merged(base: Element, own: Element) -> Element:
    """`own`, with the children of `base` that it does not have."""
    merged = Element(own.tag, dict(own.attrib))
    merged.text = own.text if own.text and own.text.strip() else base.text
    if own.tag == "cycle" and own.get("code") != base.get("code"):
        base = Element(own.tag)
    theirs = {_key(child): child for child in base}
    mine = {_key(child) for child in own}
    has_other = any(child.tag in _EITHER for child in own)
    for child in own:
        inherited = theirs.get(_key(child))
        merged.append(_merged(inherited, child) if inherited is not None else copy.deepcopy(child))
    for key, child in theirs.items():
        if key not in mine and not (has_other and child.tag in _EITHER):
            merged.append(copy.deepcopy(child))
    return merged


def _key(element: Element) -> tuple[str, ...]:
    # A cycle of another code takes the place of the inherited one.
    keys = () if element.tag == "cycle" else _KEYS
    return (element.tag, *(element.get(key, "") for key in keys))
