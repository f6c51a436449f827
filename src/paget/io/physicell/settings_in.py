"""Settings files of PhysiCell (layout of version 1.14) as tissues: domain, substrates, cell types, rules, first cells.

What a run needs but a tissue does not (duration, step sizes of its solvers, threads, output, drawing) is left aside; what
would change the biology and is not known here is refused by name, all of it at once.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import numpy as np

from paget.errors import ModelError, PagetError
from paget.evidence import Parameter
from paget.io.physicell.cell_types import cell_type
from paget.io.physicell.cells import cells_from
from paget.io.physicell.inheritance import completed
from paget.io.physicell.rule_tables import rules_from
from paget.io.physicell.units import readable
from paget.io.physicell.xml_reader import Book, Node, nothing
from paget.rules import Rule
from paget.rules.behaviours import field_noun
from paget.tissue.definition import CellDefinition, Number
from paget.tissue.fields import FACES, Substrate
from paget.tissue.placing import Cells
from paget.tissue.tissue import Tissue
from paget.units import same_dimension, to_internal
from paget.vocabulary import VARIABLES

__all__ = ["read_settings", "substrate_of", "summary"]

_OF_A_RUN = ("parallel", "save", "user_parameters")


def read_settings(path: str | Path, *, cells: Cells | str | Path | None = None) -> Tissue:
    """The tissue that a settings file describes, with the rule table and the file of cells that it names.

    Files are looked for as the settings name them, from the folder of the settings or the one above it. `cells` takes the
    place of the first cells of the file; settings without any give an empty tissue.

    Raises
    ------
    ModelError
        With everything in the files that cannot be read or that tissues here do not have.
    """
    path = Path(path)
    book = Book(path.name)
    try:
        root = ElementTree.parse(path).getroot()
    except (ElementTree.ParseError, OSError) as problem:
        raise ModelError(f"{path} cannot be read as a settings file: {problem}") from problem
    if root.tag != "PhysiCell_settings":
        raise ModelError(f"{path.name} is not a settings file of PhysiCell: it begins with <{root.tag}>")
    tissue = None
    try:
        tissue = _tissue(Node(root, "", book), path, cells)
    except PagetError as problem:
        book.problems += getattr(problem, "problems", ()) or [str(problem)]
    # An element that nobody knows may change the biology, unless a problem ended the reading before its turn came.
    if tissue is not None:
        book.problems += [f"{place}: unknown element" for place in book.unread(root, "")]
    if book.problems or tissue is None:
        raise ModelError(f"{path.name} cannot be imported:", dict.fromkeys(p.lstrip("/") for p in book.problems))
    return tissue


def _tissue(root: Node, path: Path, given: Cells | str | Path | None) -> Tissue:
    root.without_effect(*_OF_A_RUN)
    problems = root.book.problems
    size, origin, voxel, flat = _domain(root.child("domain"))
    tick = _overall(root.child("overall"))
    options = root.child("options")
    options.without_effect("random_seed")
    walls = options.flag("virtual_wall_at_domain_edge")
    springs = not options.flag("disable_automated_spring_adhesions")
    if options.flag("legacy_random_points_on_sphere_in_divide"):
        problems.append(f"{options.path}: divisions along the directions of versions before 1.4 cannot be read")
    substrates = _substrates(root.child("microenvironment_setup"), flat)
    units = {substrate.field: substrate.unit for substrate in substrates}
    tables = _rule_tables(root.child("cell_rules"), path)
    definitions = _cell_types(root.child("cell_definitions"), units, flat, springs, _listened_to(tables))
    rules: tuple[Rule, ...] = ()
    for name, text in tables:
        found, wrong = rules_from(text, name, definitions, units)
        rules += found
        problems += wrong
    definitions = tuple(_needed(definition, rules) for definition in definitions)
    placed = _first_cells(root.child("initial_conditions"), path, given, definitions, units)
    _inside(placed, origin, size, flat, problems)
    return Tissue(
        name=re.sub(r"\W+", "_", path.stem).strip("_").lower(),
        size=size,
        origin=origin,
        voxel=voxel,
        walls=walls,
        substrates=substrates,
        cells=definitions,
        rules=rules,
        placed=placed,
        tick=tick,
    )


def substrate_of(element: Element, file: str = "the snapshot") -> Substrate:
    """A substrate as a settings file or a snapshot describes it.

    Raises
    ------
    ModelError
        With everything in it that cannot be read.
    """
    book = Book(file)
    found = _substrate(Node(element, element.get("name", ""), book), flat=False)
    if book.problems:
        raise ModelError(f"{file} cannot be read:", book.problems)
    return found


Triple = tuple[float, float, float]


def _domain(node: Node) -> tuple[Triple, Triple, float | Triple, bool]:
    low = [node.number(f"{axis}_min", "um", -500.0).value for axis in "xyz"]
    high = [node.number(f"{axis}_max", "um", 500.0).value for axis in "xyz"]
    steps = [node.number(f"d{axis}", "um", 20.0).value for axis in "xyz"]
    flat = node.flag("use_2D")
    if flat:  # one layer of voxels around z = 0, whatever the file says of z
        low[2], high[2] = -steps[2] / 2.0, steps[2] / 2.0
    size, origin = (high[0] - low[0], high[1] - low[1], high[2] - low[2]), (low[0], low[1], low[2])
    voxel = steps[0] if len(set(steps)) == 1 else (steps[0], steps[1], steps[2])
    if min(size) <= 0.0 or min(steps) <= 0.0:
        node.book.problems.append(f"{node.path}: a domain of {size} um with voxels of {tuple(steps)} um has no volume")
    return size, origin, voxel, flat


def _overall(node: Node) -> str:
    for tag, units in (("time_units", ("min", "")), ("space_units", ("micron", "um", ""))):
        if node.child(tag).text not in units:
            node.book.problems.append(f"{node.path}/{tag}: '{node.child(tag).text}' is not {units[0]}")
    node.without_effect("max_time", "dt_diffusion", "dt_mechanics", "dt_intracellular")
    tick = node.number("dt_phenotype", "min", 6.0)
    return f"{tick.value:g} {tick.unit}"


# ---- substrates -------------------------------------------------------------------------------------------------------
def _substrates(node: Node, flat: bool) -> tuple[Substrate, ...]:
    options = node.child("options")
    options.without_effect("calculate_gradients", "track_internalized_substrates_in_each_agent")
    for tag, what in (
        ("initial_condition", "first values of each voxel"),
        ("dirichlet_nodes", "voxels held by a file"),
    ):
        item = options.child(tag)
        if item and item.get("enabled", "false").lower() == "true":
            node.book.problems.append(f"{item.path}: {what} cannot be read")
        options.without_effect(tag)
    return tuple(_substrate(item, flat) for item in node.children("variable"))


def _substrate(node: Node, flat: bool) -> Substrate:
    name, noun = node.get("name"), field_noun(node.get("name"))
    full, given = f"field.{noun}", readable(node.get("units"))
    if given is None:
        node.book.problems.append(f"{node.path}: '{node.get('units')}' is not a unit")
        given = ""
    unit = given
    if full in VARIABLES:
        unit = VARIABLES[full].unit
        # Numbers in rule tables carry no unit, so that the file's own must be the one of this field everywhere.
        if not same_dimension(given, unit) or to_internal(f"1 {given}".strip(), unit) != 1.0:
            node.book.problems.append(
                f"{node.path}: '{full}' is in {unit or 'plain numbers'} everywhere; it is given in {given or 'plain numbers'}"
            )
            unit = given
    # The published simulator takes these numbers in the unit of the substrate, whatever unit stands beside them.
    levels = (node.child("initial_condition"), node.child("Dirichlet_boundary_condition"))
    for item in (*levels, *node.child("Dirichlet_options").children("boundary_value")):
        if item.element is not None:
            item.element.set("units", given)
    physical = node.child("physical_parameter_set")
    diffusion = physical.number("diffusion_coefficient", "um**2/min", 0.0)
    immobile = diffusion.value == 0.0
    return Substrate(
        field=full,
        unit=unit,
        diffusion=nothing("um**2/h") if immobile else diffusion,
        decay=physical.number("decay_rate", "1/min", 0.0),
        initial=node.number("initial_condition", unit, 0.0),
        walls=_walls(node, unit, flat),
        immobile=immobile,
        title=name if name != noun else "",
    )


def _walls(node: Node, unit: str, flat: bool) -> dict[str, Number]:
    """Values held at the faces: those of the options, else that of the condition for all faces."""
    everywhere, options = node.child("Dirichlet_boundary_condition"), node.child("Dirichlet_options")
    on = everywhere.get("enabled", "false").lower() == "true"
    faces = dict.fromkeys(FACES, (everywhere, on))
    for item in options.children("boundary_value"):
        face, held = item.get("ID"), item.get("enabled").lower() in ("true", "1")
        if face in faces:
            faces[face] = (item, held)
        elif held:
            node.book.problems.append(f"{item.path}: only the six faces can be held")
        if held and not on:
            node.book.problems.append(f"{item.path}: it is enabled, but Dirichlet_boundary_condition is not")
    return {
        face: item.own_number(unit)
        for face, (item, held) in faces.items()
        if held and not (flat and face in ("zmin", "zmax"))
    }


# ---- cells and rules --------------------------------------------------------------------------------------------------
def _cell_types(
    node: Node, units: Mapping[str, str], flat: bool, springs: bool, own: Sequence[str]
) -> tuple[CellDefinition, ...]:
    given = node.children("cell_definition")
    elements = [item.element for item in given if item.element is not None]
    if not elements:
        node.book.problems.append("cell_definitions: there is no cell type")
        return ()
    elements.sort(key=lambda element: int(element.get("ID", "0") or "0"))
    names = [element.get("name", "") for element in elements]
    found = []
    for element in elements:  # below a definition, what is read is its completed copy
        node.book.used.update(element.iter())
    for name, element in zip(names, completed(elements, node.book.problems), strict=True):
        whole = Node(element, name, node.book)
        found.append(cell_type(whole, units, names, flat, springs, own))
        node.book.problems += [f"{place}: unknown element" for place in node.book.unread(element, name)]
    return tuple(found)


def _needed(definition: CellDefinition, rules: Sequence[Rule]) -> CellDefinition:
    """The cell type without the exchanges and dealings that are all zero and that no rule changes.

    The format lists every rate of every type; a part that is not there costs no time.
    """
    ruled = {rule.about.part for rule in rules if rule.about is not None and rule.cell == definition.name}
    exchange = {
        name: exchanged
        for name, exchanged in definition.exchange.items()
        if f"exchange.{name}" in ruled
        or any(_acts(n) for n in (exchanged.secretion, exchanged.uptake, exchanged.export))
    }
    deals = definition.interactions
    if deals is not None and "interactions" not in ruled:
        rates = (deals.engulf_apoptotic, deals.engulf_necrotic, deals.damage)
        listed = any((deals.engulf, deals.attack, deals.fuse, deals.becomes, deals.immunogenicity))
        deals = deals if listed or any(map(_acts, rates)) else None
    return dataclasses.replace(definition, exchange=exchange, interactions=deals)


def _acts(value: Number) -> bool:
    return not (isinstance(value, Parameter) and value.value == 0.0)


def _rule_tables(node: Node, path: Path) -> list[tuple[str, str]]:
    """Name and text of every rule table in use."""
    tables = []
    node.without_effect("settings")
    for item in node.child("rulesets").children("ruleset"):
        item.without_effect("folder", "filename")
        if not item.enabled:
            continue
        protocol, version, form = item.get("protocol"), item.get("version"), item.get("format", "csv").lower()
        if protocol != "CBHG" or version not in ("3.0", "3") or form != "csv":
            node.book.problems.append(
                f"{item.path}: rules of protocol {protocol}, version {version}, format {form} cannot be read; "
                "only CBHG, version 3.0, csv"
            )
            continue
        file = _file(item, path)
        if file is not None:
            tables.append((file.name, file.read_text(encoding="utf-8-sig")))
    return tables


def _listened_to(tables: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """The variables of their own that cells need, because rules listen to them."""
    named = re.findall(r",\s*custom:\s*([^,]+?)\s*,\s*(?:increases|decreases)", "\n".join(text for _, text in tables))
    return tuple(f"cell.{field_noun(name)}" for name in dict.fromkeys(named))


def _file(node: Node, path: Path) -> Path | None:
    """The file that an element names by folder and filename."""
    folder, name = node.child("folder").text, node.child("filename").text
    places = [path.parent / folder / name, path.parent.parent / folder / name, path.parent / name]
    found = next((place for place in places if name and place.is_file()), None)
    if found is None:
        node.book.problems.append(f"{node.path}: there is no file {folder}/{name} beside {path.name}")
    return found


def _first_cells(
    node: Node,
    path: Path,
    given: Cells | str | Path | None,
    definitions: Sequence[CellDefinition],
    units: Mapping[str, str],
) -> Cells:
    item = node.child("cell_positions")
    item.without_effect("folder", "filename")
    if isinstance(given, Cells):
        return given
    file: Path | None = Path(given) if given is not None else None
    if file is None and item and item.get("enabled", "false").lower() == "true":
        if item.get("type", "csv") != "csv":
            node.book.problems.append(f"{item.path}: cells of type {item.get('type')} cannot be read; only csv")
            return Cells(np.empty((0, 3)), ())
        file = _file(item, path)
    if file is None:
        return Cells(np.empty((0, 3)), ())
    cells, wrong = cells_from(file.read_text(encoding="utf-8-sig"), file.name, definitions, units)
    node.book.problems += wrong
    return cells


def _inside(cells: Cells, origin: Triple, size: Triple, flat: bool, problems: list[str]) -> None:
    axes = 2 if flat else 3
    places = np.asarray(cells.positions)[:, :axes] - np.array(origin[:axes])
    outside = np.flatnonzero(((places < 0.0) | (places > np.array(size[:axes]))).any(axis=1))
    if outside.size:
        first = ", ".join(f"{x:g}" for x in np.asarray(cells.positions)[outside[0]])
        problems.append(f"{outside.size} of the first cells lie outside the domain; the first of them at ({first})")


def summary(tissue: Tissue) -> str:
    """What was understood of a settings file, in a few lines: space, substances, cell types, rules and first cells."""
    lines = [f"{tissue.name}: {' x '.join(f'{edge:g}' for edge in tissue.size)} um, voxels of {tissue.voxel} um"]
    for substrate in tissue.substrates:
        held = f", held at {', '.join(substrate.walls)}" if substrate.walls else ""
        kind = "immobile" if substrate.immobile else "diffusing"
        lines.append(f"  {substrate.field}, {kind}, in {substrate.unit or 'plain numbers'}{held}")
    for definition in tissue.cells:
        parts = [p for p in ("cycle", "apoptosis", "necrosis", "motility", "interactions") if getattr(definition, p)]
        cycle = f" ({definition.cycle.name})" if definition.cycle else ""
        parts += [f"exchange of {name.removeprefix('field.')}" for name in definition.exchange]
        lines.append(f"  {definition.name}: {', '.join(parts) or 'lies still'}{cycle}")
    lines += [f"  {rule.published}" for rule in tissue.rules]
    lines.append(f"  {len(tissue.placed.positions)} cells at the start")
    return "\n".join(lines)
