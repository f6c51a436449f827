"""Cell definitions of a settings file as definitions here, part by part."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from paget.evidence import Parameter
from paget.io.physicell.xml_reader import Node, nothing
from paget.rules.behaviours import field_noun
from paget.tissue import cycles
from paget.tissue.definition import (
    Apoptosis,
    CellDefinition,
    Cycle,
    Exchange,
    Interactions,
    Mechanical,
    Motility,
    Necrosis,
    Number,
    Volume,
)

__all__ = ["CYCLES", "cell_type"]

CYCLES: dict[int, Callable[[], Cycle]] = {
    0: cycles.ki67_advanced,
    1: cycles.ki67_basic,
    2: cycles.flow_cytometry,
    5: cycles.live,
    6: cycles.flow_cytometry_separated,
    7: cycles.cycling_quiescent,
}


def cell_type(
    node: Node, units: Mapping[str, str], types: Sequence[str], flat: bool, springs: bool, own: Sequence[str] = ()
) -> CellDefinition:
    """One cell type.

    units : unit of each field. types : names of all cell types. flat : in a 2-D domain.
    springs : whether cells may attach to each other. own : variables that rules listen to, among its custom data.
    Problems are noted in the book of `node`.
    """
    phenotype = node.child("phenotype")
    if phenotype.child("intracellular"):
        node.book.problems.append(f"{phenotype.path}/intracellular: models inside cells cannot be read")
        phenotype.without_effect("intracellular")
    weights = phenotype.child("cell_asymmetric_divisions")
    listed = list(weights.element.iter("asymmetric_division_weight")) if weights.element is not None else []
    if any((item.text or "").strip() not in ("", "0", "0.0") for item in listed):
        node.book.problems.append(f"{weights.path}: asymmetric division cannot be read")
    phenotype.without_effect("cell_asymmetric_divisions")
    distributions = node.child("initial_parameter_distributions")
    if distributions and distributions.enabled:
        node.book.problems.append(f"{distributions.path}: parameters that differ between cells cannot be read")
    variables = _custom_data(node.child("custom_data"), own)
    node.without_effect("initial_parameter_distributions", "custom_data")
    volume = _volume(phenotype.child("volume"))
    return CellDefinition(
        name=node.get("name"),
        volume=volume,
        cycle=_cycle(phenotype.child("cycle")),
        apoptosis=_apoptosis(phenotype.child("death")),
        necrosis=_necrosis(phenotype.child("death")),
        mechanics=_mechanics(phenotype.child("mechanics"), types, springs, volume),
        motility=_motility(phenotype.child("motility"), units, flat),
        exchange=_exchange(phenotype.child("secretion"), units),
        interactions=_interactions(phenotype, types),
        own=variables,
    )


def _volume(node: Node) -> Volume:
    node.without_effect("relative_rupture_volume")  # the deaths have their own
    return Volume(
        total=node.number("total", "um**3", 2494.0),
        nuclear=node.number("nuclear", "um**3", 540.0),
        fluid_fraction=node.number("fluid_fraction", "", 0.75),
        fluid_rate=node.number("fluid_change_rate", "1/min", 0.05),
        cytoplasmic_rate=node.number("cytoplasmic_biomass_change_rate", "1/min", 0.0045),
        nuclear_rate=node.number("nuclear_biomass_change_rate", "1/min", 0.0055),
        calcified_fraction=node.number("calcified_fraction", "", 0.0),
        calcification_rate=node.number("calcification_rate", "1/min", 0.0),
    )


def _cycle(node: Node) -> Cycle | None:
    if not node:
        return None
    asymmetric = node.child("standard_asymmetric_division")
    if asymmetric and asymmetric.enabled:
        node.book.problems.append(f"{asymmetric.path}: asymmetric division cannot be read")
    node.without_effect("standard_asymmetric_division")
    code = int(node.get("code")) if node.get("code").isdecimal() else -1
    if code not in CYCLES:
        known = ", ".join(f"{k} ({make().name})" for k, make in CYCLES.items())
        given = f"{node.get('code')} ({node.get('name')})"
        node.book.problems.append(f"{node.path}: cycle model {given} cannot be read; known: {known}")
        node.without_effect("phase_transition_rates", "phase_durations")
        return None
    standard = CYCLES[code]()
    ring = len(standard.phases)
    transitions, durations = node.child("phase_transition_rates"), node.child("phase_durations")
    phases = []
    for index, phase in enumerate(standard.phases):
        rate, fixed = phase.rate, phase.fixed
        link = transitions.child("rate", start_index=str(index), end_index=str((index + 1) % ring))
        lasts = durations.child("duration", index=str(index))
        if link:
            rate, fixed = _in(transitions, link, "1/min"), link.get("fixed_duration").lower() == "true"
        elif lasts:
            rate, fixed = _inverse(_in(durations, lasts, "min"), lasts), lasts.get("fixed_duration").lower() == "true"
        phases.append(dataclasses.replace(phase, rate=rate, fixed=fixed))
    return dataclasses.replace(standard, phases=tuple(phases), reason=f"given in {node.book.name}", source="")


def _in(group: Node, node: Node, unit: str) -> Parameter:
    """A number whose unit stands at the group that it belongs to."""
    if group.get("units") and not node.get("units") and node.element is not None:
        node.element.set("units", group.get("units"))
    return node.own_number(unit)


def _inverse(duration: Parameter, node: Node) -> Parameter:
    if duration.value <= 0.0:
        node.book.problems.append(f"{node.path}: a phase must last longer than {duration.value:g}")
        return duration
    return dataclasses.replace(duration, value=1.0 / duration.value, unit=f"1/{duration.unit}")


def _duration(model: Node, index: int, default: float) -> Parameter:
    """How long a phase of dying lasts, given as such or as the rate of leaving it."""
    durations, rates = model.child("phase_durations"), model.child("phase_transition_rates")
    link = rates.child("rate", start_index=str(index), end_index=str(index + 1))
    _exactly(link or durations.child("duration", index=str(index)))
    if link:
        rate = _in(rates, link, "1/min")
        return dataclasses.replace(rate, value=1.0 / rate.value if rate.value else 0.0, unit="min")
    lasts = durations.child("duration", index=str(index))
    return _in(durations, lasts, "min") if lasts else lasts.own_number("min", default)


def _exactly(node: Node) -> None:
    """A stage of dying lasts exactly as long as it says, or no time at all."""
    at_once = node.text and float(node.text) in (0.0, 9e9)
    if node and node.get("fixed_duration").lower() != "true" and not at_once:
        node.book.problems.append(f"{node.path}: stages of dying have a fixed duration here, not a random one")


def _death_rates(model: Node) -> dict[str, Any]:
    apoptosis = model.get("code") == "100"
    parameters = model.child("parameters")
    if apoptosis:
        parameters.without_effect("lysed_fluid_change_rate", "relative_rupture_volume")
    return {
        "rate": model.number("death_rate", "1/min", 0.0),
        "fluid_rate": parameters.number("unlysed_fluid_change_rate", "1/min", 0.05 if apoptosis else 0.67 / 60.0),
        "cytoplasmic_rate": parameters.number(
            "cytoplasmic_biomass_change_rate", "1/min", 1.0 / 60.0 if apoptosis else 0.0032 / 60.0
        ),
        "nuclear_rate": parameters.number(
            "nuclear_biomass_change_rate", "1/min", 0.35 / 60.0 if apoptosis else 0.013 / 60.0
        ),
        "calcification_rate": parameters.number("calcification_rate", "1/min", 0.0 if apoptosis else 0.0042 / 60.0),
    }


def _apoptosis(death: Node) -> Apoptosis | None:
    model = death.child("model", code="100")
    if not model:
        return None
    return Apoptosis(duration=_duration(model, 0, 516.0), **_death_rates(model))


def _necrosis(death: Node) -> Necrosis | None:
    model = death.child("model", code="101")
    if not model:
        for other in death.children("model"):
            if other.get("code") not in ("100", "101"):
                death.book.problems.append(f"{other.path}: death model {other.get('code')} cannot be read")
        return None
    parameters = model.child("parameters")
    swelling = _duration(model, 0, 0.0)
    if swelling.value > 1e-6:
        death.book.problems.append(
            f"{model.path}: necrotic cells swell until they burst, not for {swelling.value:g} min"
        )
    return Necrosis(
        duration=_duration(model, 1, 86400.0),
        lysed_fluid_rate=parameters.number("lysed_fluid_change_rate", "1/min", 0.05 / 60.0),
        rupture=parameters.number("relative_rupture_volume", "", 2.0),
        **_death_rates(model),
    )


def _mechanics(node: Node, types: Sequence[str], springs: bool, volume: Volume) -> Mechanical:
    node.without_effect("cell_BM_adhesion_strength", "cell_BM_repulsion_strength")  # no basement membrane
    repulsion = node.number("cell_cell_repulsion_strength", "um/min", 10.0)
    reach = node.number("relative_maximum_adhesion_distance", "", 1.25)
    attachment = node.number("attachment_rate", "1/min", 0.0)
    affinity = _each(node, "cell_adhesion_affinities", "cell_adhesion_affinity", "", types, 1.0)
    return Mechanical(
        repulsion=repulsion,
        adhesion=_adhesion(node, repulsion, reach, volume),
        reach=reach,
        affinity={name: number for name, number in affinity.items() if number.value != 1.0},
        attachment_rate=attachment if springs else dataclasses.replace(attachment, value=0.0),
        detachment_rate=node.number("detachment_rate", "1/min", 0.0),
        attachments=node.number("maximum_number_of_attachments", "", 12.0),
        elasticity=node.number("attachment_elastic_constant", "1/min", 0.01),
        matrix_elasticity=nothing("1/h"),
    )


def _adhesion(node: Node, repulsion: Parameter, reach: Parameter, volume: Volume) -> Parameter:
    """Strength of adhesion, given as such or by the distance at which two cells come to rest."""
    strength = node.number("cell_cell_adhesion_strength", "um/min", 0.4)
    options = node.child("options")
    relative, absolute = (
        options.child("set_relative_equilibrium_distance"),
        options.child("set_absolute_equilibrium_distance"),
    )
    spacing = 0.0
    if relative and relative.enabled:
        spacing = relative.own_number("").value
    if absolute and absolute.enabled:
        assert isinstance(volume.total, Parameter)
        radius = (3.0 * volume.total.inside("um**3") / (4.0 * math.pi)) ** (1.0 / 3.0)
        spacing = absolute.own_number("um").inside("um") / radius
    if not spacing:
        return strength
    half = min(spacing, 2.0) / 2.0
    factor = ((1.0 - half) / (1.0 - half / reach.value)) ** 2
    reason = f"rests at {min(spacing, 2.0):g} radii, as given in {node.book.name}"
    return dataclasses.replace(strength, value=repulsion.inside("um/min") * factor, unit="um/min", reason=reason)


def _each(
    node: Node, group: str, tag: str, unit: str, types: Sequence[str], default: float = 0.0
) -> dict[str, Parameter]:
    """Numbers towards other cell types, by name."""
    found = {}
    for item in node.child(group).children(tag):
        other = item.get("name")
        if other not in types:
            node.book.problems.append(f"{item.path}: '{other}' is not a cell type of this file")
        found[other] = item.own_number(unit, default)
    return found


def _motility(node: Node, units: Mapping[str, str], flat: bool) -> Motility | None:
    options = node.child("options")
    in_plane = options.flag("use_2D") and not flat
    simple, advanced = options.child("chemotaxis"), options.child("advanced_chemotaxis")
    if not options.flag("enabled"):
        node.without_effect("speed", "persistence_time", "migration_bias", "options")
        return None
    towards: dict[str, Number] = {}
    normalised = False
    if simple.flag("enabled") and advanced.flag("enabled"):
        node.book.problems.append(f"{options.path}: chemotaxis and advanced_chemotaxis are both enabled; choose one")
    elif simple.flag("enabled"):
        where = _field(simple.child("substrate").text, units, simple)
        towards = {where: simple.number("direction", "", 1.0)}
    elif advanced.flag("enabled"):
        normalised = advanced.flag("normalize_each_gradient")
        for item in advanced.child("chemotactic_sensitivities").children("chemotactic_sensitivity"):
            weight = item.own_number("", 0.0)
            if weight.value:
                towards[_field(item.get("substrate"), units, item)] = weight
    options.without_effect("chemotaxis", "advanced_chemotaxis")
    return Motility(
        speed=node.number("speed", "um/min", 1.0),
        persistence=node.number("persistence_time", "min", 1.0),
        bias=node.number("migration_bias", "", 0.0),
        towards=towards,
        normalised=normalised,
        in_plane=in_plane,
    )


def _field(name: str, units: Mapping[str, str], node: Node) -> str:
    found = f"field.{field_noun(name)}"
    if found not in units:
        node.book.problems.append(f"{node.path}: '{name}' is not a substrate of this file")
    return found


def _exchange(node: Node, units: Mapping[str, str]) -> dict[str, Exchange]:
    found = {}
    for item in node.children("substrate"):
        where = _field(item.get("name"), units, item)
        unit = units.get(where, "")
        target = item.child("secretion_target")
        target = target or item.child("secretion_saturation")  # as in early versions
        rates: dict[str, Any] = {
            "secretion": item.number("secretion_rate", "1/min", 0.0),
            "saturation": target.own_number(unit, 0.0),
            "uptake": item.number("uptake_rate", "1/min", 0.0),
            "export": item.number("net_export_rate", f"{unit or 'dimensionless'}*um**3/min", 0.0),
        }
        found[where] = Exchange(**rates)
    return found


def _interactions(phenotype: Node, types: Sequence[str]) -> Interactions | None:
    node, changes, bears = (
        phenotype.child(tag) for tag in ("cell_interactions", "cell_transformations", "cell_integrity")
    )
    if not (node or changes or bears):
        return None
    old = node.child("dead_phagocytosis_rate")  # one rate for all the dead, in files of version 1.13 and before
    other = node.number("other_dead_phagocytosis_rate", "1/min", 0.0)
    if other.value:
        node.book.problems.append(
            f"{other.key}: cells die by apoptosis or necrosis here; there are no other dead cells"
        )
    each = (
        _each(node, "live_phagocytosis_rates", "phagocytosis_rate", "1/min", types),
        _each(node, "attack_rates", "attack_rate", "1/min", types),
        _each(node, "fusion_rates", "fusion_rate", "1/min", types),
        _each(changes, "transformation_rates", "transformation_rate", "1/min", types),
    )
    immunogenicity = _each(node, "immunogenicities", "immunogenicity", "", types, 1.0)
    engulf, attack, fuse, becomes = (
        {name: number for name, number in numbers.items() if number.value} for numbers in each
    )
    return Interactions(
        engulf_apoptotic=old.own_number("1/min") if old else node.number("apoptotic_phagocytosis_rate", "1/min", 0.0),
        engulf_necrotic=old.own_number("1/min") if old else node.number("necrotic_phagocytosis_rate", "1/min", 0.0),
        engulf=engulf,
        attack=attack,
        attack_damage=_renamed(node, "attack_damage_rate", "damage_rate", "1/min", 1.0),
        attack_duration=node.number("attack_duration", "min", 0.1),
        immunogenicity={name: number for name, number in immunogenicity.items() if number.value != 1.0},
        fuse=fuse,
        becomes=becomes,
        damage=bears.number("damage_rate", "1/min", 0.0),
        repair=bears.number("damage_repair_rate", "1/min", 0.0),
    )


def _renamed(node: Node, tag: str, old: str, unit: str, default: float) -> Parameter:
    """A number that earlier versions of the format called `old`."""
    return node.number(old if node.child(old) and not node.child(tag) else tag, unit, default)


def _custom_data(node: Node, wanted: Sequence[str]) -> dict[str, Parameter]:
    """Variables of its own that a type has in the file, those of them that rules listen to: name -> start value."""
    found = {}
    for child in node.element if node.element is not None else ():
        name = f"cell.{field_noun(child.tag)}"
        if name in wanted:
            item = Node(child, f"{node.path}/{child.tag}", node.book)
            if item.get("conserved").lower() == "true":
                node.book.problems.append(f"{item.path}: a variable that division halves cannot be read")
            child.set("units", "")  # what users write there need not be a unit
            found[name] = item.own_number("", 0.0)
    return found
