"""Tissues as settings files of PhysiCell (layout of version 1.14), with their rule table and first cells.

What the format cannot say is refused by name, all of it at once: nothing of a model is lost in silence.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

import numpy as np

from paget.errors import ModelError
from paget.evidence import Parameter
from paget.io.physicell.cell_types import CYCLES
from paget.io.physicell.cells import write_cells
from paget.io.physicell.rule_tables import write_rules
from paget.process import is_nothing
from paget.rules.behaviours import field_noun
from paget.tissue.definition import CellDefinition, Cycle, Exchange, Interactions, Mechanical, Number
from paget.tissue.fields import FACES, Substrate
from paget.tissue.placing import value_of
from paget.tissue.tissue import Tissue
from paget.units import to_internal

__all__ = ["write_settings"]

RULES, CELLS, SETTINGS = "rules.csv", "cells.csv", "PhysiCell_settings.xml"
_SPELLED = {
    "um/min": "micron/min",
    "um**2/min": "micron^2/min",
    "um**3": "micron^3",
    "": "dimensionless",
    "um": "micron",
}


def write_settings(tissue: Tissue, folder: str | Path, *, duration: str = "7 day", interval: str = "60 min") -> Path:
    """Write the tissue into `folder`: ``PhysiCell_settings.xml``, and ``rules.csv`` and ``cells.csv`` where it has any.

    duration : how long PhysiCell shall run; interval : between its outputs

    Returns the path of the settings. Files of these names must not be there yet.

    Raises
    ------
    ModelError
        With everything that the format cannot say, or naming a file that is there.
    """
    wrong = list(_unsayable(tissue))
    names = {s.field.removeprefix("field."): _name(s) for s in tissue.substrates}
    units = {s.field: s.unit for s in tissue.substrates}
    files: dict[str, str] = {}
    shared = {"definitions": tissue.cells, "units": units, "parameters": tissue.parameters}
    try:
        if tissue.rules:
            files[RULES] = write_rules(tissue.rules, names=names, **shared)  # type: ignore[arg-type]
        if len(tissue.placed.positions):
            files[CELLS] = write_cells(tissue.placed, [d.name for d in tissue.cells], units, names)
    except ModelError as problem:
        wrong += problem.problems
    if wrong:
        raise ModelError(f"PhysiCell's settings cannot say all of '{tissue.name}':", wrong)
    root = _Writer(tissue, names).document(
        to_internal(duration, "min"), to_internal(interval, "min"), RULES in files, CELLS in files
    )
    ElementTree.indent(root, "    ")
    files[SETTINGS] = ElementTree.tostring(root, encoding="unicode") + "\n"
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    taken = [name for name in files if (folder / name).exists()]
    if taken:
        raise ModelError(f"{folder / taken[0]} is there already; name another folder")
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder / SETTINGS


def _name(substrate: Substrate) -> str:
    """The name of a substrate in the file: its title where that stands for the same noun."""
    noun = substrate.field.removeprefix("field.")
    return substrate.title if field_noun(substrate.title) == noun else noun


# ---- what cannot be said ----------------------------------------------------------------------------------------------
def _some(value: Number) -> bool:
    return not (isinstance(value, Parameter) and value.value == 0.0)


def _unsayable(tissue: Tissue) -> Iterator[str]:
    if tissue.vessels is not None:
        yield "capillaries"
    for given in tissue.body:
        yield f"'{given.name}', which belongs to the body"
    if any(tissue.periodic):
        yield "an axis that closes on itself"
    if not isinstance(tissue.voxel, (int, float)) and len(set(tissue.voxel)) > 1:
        yield "voxels whose edges differ: diffusion there takes all edges for the first"
    for process in tissue.processes:
        yield f"the process '{process.role}'"
    for substrate in tissue.substrates:
        if substrate.held:
            yield f"{substrate.field}: voxels held inside the domain"
    for definition in tissue.cells:
        for what in _unsayable_of(definition):
            yield f"'{definition.name}': {what}"


def _unsayable_of(definition: CellDefinition) -> Iterator[str]:
    mechanics, motility = definition.mechanics, definition.motility
    if definition.cycle is not None and _code(definition.cycle) is None:
        yield f"the cycle '{definition.cycle.name}', which is none of its standard models"
    if definition.oxygen is not None:
        yield (
            "oxygen dependence; say it as rules, such as 'oxygen increases cycle entry' and 'oxygen decreases necrosis', "
            "and leave it out"
        )
    if not mechanics.movable:
        yield "a cell that holds its place"
    if mechanics.matrix or _some(mechanics.matrix_attachment_rate):
        yield "matrix that slows or holds the cell"
    if motility is not None and _some(motility.stops_at):
        yield "contact inhibition of migration; say it as the rule 'pressure decreases migration speed'"
    if motility is not None and _some(motility.intravasation):
        yield "cells that get into vessels"
    for where, exchange in definition.exchange.items():
        if _some(exchange.most):
            yield f"Michaelis-Menten uptake of {where}"
    if definition.apoptosis is None and definition.necrosis is not None:
        yield "necrosis without apoptosis: both deaths are counted in one order there"


def _code(cycle: Cycle) -> int | None:
    """The number of the standard model with the same phases, or None."""
    standard = CYCLES[cycle.code]() if cycle.code in CYCLES else None
    if standard is None:
        return None
    same = [(p.grows, p.divides) for p in standard.phases] == [(p.grows, p.divides) for p in cycle.phases]
    return cycle.code if same else None


# ---- writing ----------------------------------------------------------------------------------------------------------
class _Writer:
    """Writes one tissue; `names` are those of the substrates in the file, by noun."""

    def __init__(self, tissue: Tissue, names: dict[str, str]) -> None:
        self.tissue, self.names = tissue, names
        low, size = np.array(tissue.origin), np.array(tissue.size)
        voxel = tissue.voxel
        self.edges = (float(voxel),) * 3 if isinstance(voxel, (int, float)) else tuple(map(float, voxel))
        self.low, self.high = low, low + size
        self.flat = round(tissue.size[2] / self.edges[2]) == 1

    def _text(self, parent: Element, tag: str, text: object, **attributes: str) -> Element:
        element = SubElement(parent, tag, attributes)
        element.text = str(text).lower() if isinstance(text, bool) else str(text)
        return element

    def _value(self, value: Number, unit: str) -> float:
        if is_nothing(value):
            return 0.0  # in whatever unit
        return value_of(value, unit, self.tissue.parameters)

    def _number(self, parent: Element, tag: str, value: Number, unit: str, **attributes: str) -> Element:
        number = self._value(value, unit)
        return self._text(parent, tag, repr(number), **attributes, units=_SPELLED.get(unit, unit))

    def document(self, duration: float, interval: float, rules: bool, cells: bool) -> Element:
        tissue = self.tissue
        root = Element("PhysiCell_settings", version="1.14.2")
        rulesets = SubElement(SubElement(root, "cell_rules"), "rulesets")
        ruleset = SubElement(
            rulesets, "ruleset", protocol="CBHG", version="3.0", format="csv", enabled=str(rules).lower()
        )
        self._text(ruleset, "folder", ".")
        self._text(ruleset, "filename", RULES)
        domain = SubElement(root, "domain")
        for axis, low, high in zip("xyz", self.low.tolist(), self.high.tolist(), strict=True):
            self._text(domain, f"{axis}_min", repr(low))
            self._text(domain, f"{axis}_max", repr(high))
        for axis, edge in zip("xyz", self.edges, strict=True):
            self._text(domain, f"d{axis}", repr(edge))
        self._text(domain, "use_2D", self.flat)
        overall = SubElement(root, "overall")
        self._text(overall, "max_time", repr(duration), units="min")
        self._text(overall, "time_units", "min")
        self._text(overall, "space_units", "micron")
        tick = to_internal(tissue.tick, "min")
        for tag, step in (("dt_diffusion", 0.01), ("dt_mechanics", min(0.1, tick)), ("dt_phenotype", tick)):
            self._text(overall, tag, repr(step), units="min")
        self._text(SubElement(root, "parallel"), "omp_num_threads", 2)
        save = SubElement(root, "save")
        self._text(save, "folder", "output")
        for tag in ("full_data", "SVG"):
            item = SubElement(save, tag)
            self._text(item, "interval", repr(interval), units="min")
            self._text(item, "enable", tag == "full_data")
        self._text(SubElement(save, "legacy_data"), "enable", False)
        options = SubElement(root, "options")
        self._text(options, "legacy_random_points_on_sphere_in_divide", False)
        self._text(options, "virtual_wall_at_domain_edge", tissue.walls)
        self._text(options, "disable_automated_spring_adhesions", False)
        self._text(options, "random_seed", 0)
        self._microenvironment(SubElement(root, "microenvironment_setup"))
        definitions = SubElement(root, "cell_definitions")
        for index, definition in enumerate(tissue.cells):
            self._cell_type(SubElement(definitions, "cell_definition", name=definition.name, ID=str(index)), definition)
        positions = SubElement(
            SubElement(root, "initial_conditions"), "cell_positions", type="csv", enabled=str(cells).lower()
        )
        self._text(positions, "folder", ".")
        self._text(positions, "filename", CELLS)
        SubElement(root, "user_parameters")
        return root

    def _microenvironment(self, parent: Element) -> None:
        for index, substrate in enumerate(self.tissue.substrates):
            shown = substrate.unit or "dimensionless"
            variable = SubElement(parent, "variable", name=_name(substrate), units=shown, ID=str(index))
            physical = SubElement(variable, "physical_parameter_set")
            self._number(physical, "diffusion_coefficient", substrate.diffusion, "um**2/min")
            self._number(physical, "decay_rate", substrate.decay, "1/min")
            self._number(variable, "initial_condition", substrate.initial, substrate.unit)
            walls = substrate.walls
            everywhere = next(iter(walls.values()), substrate.initial)
            self._number(
                variable, "Dirichlet_boundary_condition", everywhere, substrate.unit, enabled=str(bool(walls)).lower()
            )
            options = SubElement(variable, "Dirichlet_options")
            for face in FACES:
                held = str(face in walls).lower()
                value = repr(self._value(walls.get(face, everywhere), substrate.unit))
                self._text(options, "boundary_value", value, ID=face, enabled=held)
        options = SubElement(parent, "options")
        self._text(options, "calculate_gradients", True)
        self._text(options, "track_internalized_substrates_in_each_agent", False)

    # ---- a cell type ------------------------------------------------------------------------------------------------
    def _cell_type(self, parent: Element, definition: CellDefinition) -> None:
        phenotype = SubElement(parent, "phenotype")
        self._cycle(phenotype, definition)
        self._deaths(SubElement(phenotype, "death"), definition)
        volume, parts = SubElement(phenotype, "volume"), definition.volume
        for tag, value, unit in (
            ("total", parts.total, "um**3"),
            ("fluid_fraction", parts.fluid_fraction, ""),
            ("nuclear", parts.nuclear, "um**3"),
            ("fluid_change_rate", parts.fluid_rate, "1/min"),
            ("cytoplasmic_biomass_change_rate", parts.cytoplasmic_rate, "1/min"),
            ("nuclear_biomass_change_rate", parts.nuclear_rate, "1/min"),
            ("calcified_fraction", parts.calcified_fraction, ""),
            ("calcification_rate", parts.calcification_rate, "1/min"),
        ):
            self._number(volume, tag, value, unit)
        self._text(volume, "relative_rupture_volume", 2.0, units="dimensionless")
        self._mechanics(SubElement(phenotype, "mechanics"), definition.mechanics)
        self._motility(SubElement(phenotype, "motility"), definition)
        self._secretion(SubElement(phenotype, "secretion"), definition)
        if definition.interactions is not None:
            self._interactions(phenotype, definition.interactions)
        custom = SubElement(parent, "custom_data")
        for name, value in definition.own.items():
            tag = name.removeprefix("cell.")
            self._number(custom, tag, value, value.unit, conserved="false", description="")

    def _cycle(self, phenotype: Element, definition: CellDefinition) -> None:
        cycle = definition.cycle
        if cycle is None:
            return
        element = SubElement(phenotype, "cycle", code=str(_code(cycle)), name=cycle.name)
        rates = SubElement(element, "phase_transition_rates", units="1/min")
        for index, phase in enumerate(cycle.phases):
            assert not isinstance(phase.rate, str)
            value = repr(self._value(phase.rate, "1/min"))
            following = str((index + 1) % len(cycle.phases))
            fixed = str(phase.fixed).lower()
            self._text(rates, "rate", value, start_index=str(index), end_index=following, fixed_duration=fixed)

    def _deaths(self, parent: Element, definition: CellDefinition) -> None:
        for code, name, death in ((100, "apoptosis", definition.apoptosis), (101, "necrosis", definition.necrosis)):
            if death is None:
                continue
            model = SubElement(parent, "model", code=str(code), name=name)
            self._number(model, "death_rate", death.rate, "1/min")
            durations = SubElement(model, "phase_durations", units="min")
            last = repr(self._value(death.duration, "min"))
            stages = (last,) if code == 100 else ("0", last)
            for index, duration in enumerate(stages):
                self._text(durations, "duration", duration, index=str(index), fixed_duration="true")
            parameters = SubElement(model, "parameters")
            lysed = getattr(death, "lysed_fluid_rate", None)
            rupture = getattr(death, "rupture", None)
            self._number(parameters, "unlysed_fluid_change_rate", death.fluid_rate, "1/min")
            if lysed is not None:
                self._number(parameters, "lysed_fluid_change_rate", lysed, "1/min")
            else:
                self._text(parameters, "lysed_fluid_change_rate", 0, units="1/min")
            self._number(parameters, "cytoplasmic_biomass_change_rate", death.cytoplasmic_rate, "1/min")
            self._number(parameters, "nuclear_biomass_change_rate", death.nuclear_rate, "1/min")
            self._number(parameters, "calcification_rate", death.calcification_rate, "1/min")
            if rupture is not None:
                self._number(parameters, "relative_rupture_volume", rupture, "")
            else:
                self._text(parameters, "relative_rupture_volume", 2.0, units="dimensionless")

    def _mechanics(self, parent: Element, mechanics: Mechanical) -> None:
        self._number(parent, "cell_cell_adhesion_strength", mechanics.adhesion, "um/min")
        self._number(parent, "cell_cell_repulsion_strength", mechanics.repulsion, "um/min")
        self._number(parent, "relative_maximum_adhesion_distance", mechanics.reach, "")
        affinities = SubElement(parent, "cell_adhesion_affinities")
        for definition in self.tissue.cells:
            if definition.name in mechanics.affinity:
                value = repr(self._value(mechanics.affinity[definition.name], ""))
            else:
                value = "1.0"
            self._text(affinities, "cell_adhesion_affinity", value, name=definition.name)
        self._number(parent, "attachment_elastic_constant", mechanics.elasticity, "1/min")
        self._number(parent, "attachment_rate", mechanics.attachment_rate, "1/min")
        self._number(parent, "detachment_rate", mechanics.detachment_rate, "1/min")
        most = self._value(mechanics.attachments, "")
        self._text(parent, "maximum_number_of_attachments", round(most))

    def _motility(self, parent: Element, definition: CellDefinition) -> None:
        motility = definition.motility
        if motility is not None:
            self._number(parent, "speed", motility.speed, "um/min")
            self._number(parent, "persistence_time", motility.persistence, "min")
            self._number(parent, "migration_bias", motility.bias, "")
        options = SubElement(parent, "options")
        self._text(options, "enabled", motility is not None)
        self._text(options, "use_2D", self.flat or (motility is not None and motility.in_plane))
        self._text(SubElement(options, "chemotaxis"), "enabled", False)
        towards = motility.towards if motility is not None else {}
        advanced = SubElement(options, "advanced_chemotaxis")
        self._text(advanced, "enabled", bool(towards))
        self._text(advanced, "normalize_each_gradient", motility is not None and motility.normalised)
        weights = SubElement(advanced, "chemotactic_sensitivities")
        for substrate in self.tissue.substrates:
            value = 0.0
            if substrate.field in towards:
                value = self._value(towards[substrate.field], "")
            self._text(weights, "chemotactic_sensitivity", repr(value), substrate=_name(substrate))

    def _secretion(self, parent: Element, definition: CellDefinition) -> None:
        for substrate in self.tissue.substrates:
            exchange = definition.exchange.get(substrate.field, Exchange())
            element = SubElement(parent, "substrate", name=_name(substrate))
            unit = substrate.unit
            self._number(element, "secretion_rate", exchange.secretion, "1/min")
            target = self._value(exchange.saturation, unit)
            self._text(element, "secretion_target", repr(target), units="substrate density")
            self._number(element, "uptake_rate", exchange.uptake, "1/min")
            export = self._value(exchange.export, f"{unit or 'dimensionless'}*um**3/min")
            self._text(element, "net_export_rate", repr(export), units="total substrate/min")

    def _interactions(self, phenotype: Element, deals: Interactions) -> None:
        parent = SubElement(phenotype, "cell_interactions")
        self._number(parent, "apoptotic_phagocytosis_rate", deals.engulf_apoptotic, "1/min")
        self._number(parent, "necrotic_phagocytosis_rate", deals.engulf_necrotic, "1/min")
        self._text(parent, "other_dead_phagocytosis_rate", 0.0, units="1/min")
        self._each(parent, "live_phagocytosis_rates", "phagocytosis_rate", deals.engulf, "1/min")
        self._each(parent, "attack_rates", "attack_rate", deals.attack, "1/min")
        self._each(parent, "immunogenicities", "immunogenicity", deals.immunogenicity, "", 1.0)
        self._number(parent, "attack_damage_rate", deals.attack_damage, "1/min")
        self._number(parent, "attack_duration", deals.attack_duration, "min")
        self._each(parent, "fusion_rates", "fusion_rate", deals.fuse, "1/min")
        changes = SubElement(phenotype, "cell_transformations")
        self._each(changes, "transformation_rates", "transformation_rate", deals.becomes, "1/min")
        integrity = SubElement(phenotype, "cell_integrity")
        self._number(integrity, "damage_rate", deals.damage, "1/min")
        self._number(integrity, "damage_repair_rate", deals.repair, "1/min")

    def _each(self, parent: Element, group: str, tag: str, numbers: object, unit: str, absent: float = 0.0) -> None:
        assert hasattr(numbers, "get")
        element = SubElement(parent, group)
        for definition in self.tissue.cells:
            value = numbers.get(definition.name)
            shown = absent if value is None else self._value(value, unit)
            self._text(element, tag, repr(shown), name=definition.name, units=_SPELLED.get(unit, unit))
