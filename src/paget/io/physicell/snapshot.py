"""Results in the format of PhysiCell's outputs (MultiCellDS snapshots), which pcdl and PhysiCell-Studio read, and back.

A snapshot is an XML file with the names of its parts, matrices of cells and voxels in MATLAB's level-4 format, and three lists
of neighbours. Times are in minutes, lengths in micrometres; cells are numbered from 0 in the order of their ids.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat, savemat

from paget.errors import ResultError
from paget.evidence import ParameterTable, load_parameters
from paget.io.physicell.cell_matrix import cell_rows, columns_of
from paget.io.physicell.settings_in import substrate_of
from paget.tissue.definition import CellDefinition
from paget.tissue.fields import Substrate
from paget.tissue.placing import Cells, value_of
from paget.version import __version__

if TYPE_CHECKING:
    from paget.access import World
    from paget.engine.simulation import Simulation
    from paget.tissue.tissue import Tissue

__all__ = ["Snapshot", "read_snapshot", "snapshot_of", "write_snapshot"]

Real = NDArray[np.float64]
Pairs = NDArray[np.int64]
MINUTES = 60.0
GRAPHS = ("neighbor_graph", "attached_cells_graph", "spring_attached_cells_graph")
GRAPH_FILES = {name: f"cell_{name}" if name == "neighbor_graph" else name for name in GRAPHS}


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A tissue at one moment.

    time : h. positions : [n, 3] um in the coordinates of the user. kind : int64 [n], index into `types`
    columns : variables of the cells, by name -> [n]. fields : name -> [nz, ny, nx], in the unit given in `substrates`
    origin : lower corner in um; spacing : edges (x, y, z) of a voxel in um. runtime : s
    neighbours, attached : pairs of rows [m, 2] of cells that touch, and of those held together by springs
    own : columns to write as custom data, beside those that the definitions have of their own, each with its unit

    A column ``ID`` numbers the cells; else they are numbered from 0 in their order.
    """

    time: float
    positions: Real
    kind: NDArray[np.int64]
    types: tuple[str, ...]
    columns: Mapping[str, NDArray[Any]]
    fields: Mapping[str, Real]
    substrates: tuple[Substrate, ...]
    origin: tuple[float, float, float]
    spacing: tuple[float, float, float]
    definitions: tuple[CellDefinition, ...] = ()
    parameters: ParameterTable = field(default_factory=lambda: load_parameters("tissue"), repr=False)
    neighbours: Pairs = field(default_factory=lambda: np.empty((0, 2), np.int64))
    attached: Pairs = field(default_factory=lambda: np.empty((0, 2), np.int64))
    runtime: float = 0.0
    own: Mapping[str, str] = field(default_factory=dict)

    @property
    def ids(self) -> NDArray[np.int64]:
        """Number of each cell in the file."""
        return np.asarray(self.columns.get("ID", np.arange(len(self.positions))), dtype=np.int64)

    def cells(self) -> Cells:
        """The cells as founders of a tissue of the same types."""
        return Cells(self.positions, tuple(self.types[k] for k in self.kind), dict(self.columns))


def snapshot_of(tissue: Tissue, simulation: Simulation) -> Snapshot:
    """The present state of a simulation of this tissue."""
    world = simulation.world
    cells, grid = world.cells, world.fields.grid
    order = cells.order
    place = np.empty(order.size, np.int64)
    place[order] = np.arange(order.size)
    names = [v.name for v in cells.variables if v.name.startswith("cell.")]
    skipped = {"cell.x", "cell.y", "cell.z", "cell.type"}
    start, other = world.contacts()
    pairs = np.stack([np.repeat(np.arange(order.size), np.diff(start)), np.asarray(other)], axis=1)
    return Snapshot(
        time=simulation.time,
        positions=cells.position[:, order].T + np.array(tissue.origin),
        kind=cells.column("cell.type")[order].astype(np.int64),
        types=tuple(d.name for d in tissue.cells),
        columns={name: cells.column(name)[order] for name in names if name not in skipped},
        fields={s.field: world.fields[s.field].copy() for s in tissue.substrates},
        substrates=tissue.substrates,
        origin=tissue.origin,
        spacing=grid.spacing,
        definitions=tissue.cells,
        parameters=tissue.parameters,
        neighbours=_sorted(place[pairs.astype(np.int64)]),
        attached=_attached(world, order),
    )


def _attached(world: World, order: NDArray[np.int64]) -> Pairs:
    """Pairs of rows, both ways round, of the cells that springs hold together."""
    ids = world.cells.ids[order]
    one, two = (np.searchsorted(ids, end).astype(np.int64) for end in (world.bonds.first, world.bonds.second))
    return _sorted(np.concatenate([np.stack([one, two], axis=1), np.stack([two, one], axis=1)]))


def _sorted(pairs: Pairs) -> Pairs:
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


# ---- writing ----------------------------------------------------------------------------------------------------------
def write_snapshot(folder: str | Path, index: int | str, snapshot: Snapshot) -> Path:
    """Write one snapshot as ``output<index>.xml`` and its parts, or under the name `index` (``initial``, ``final``).

    Returns the path of the XML file.

    Raises
    ------
    ResultError
        If the file is there already.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    stem = index if isinstance(index, str) else f"output{index:08d}"
    target = folder / f"{stem}.xml"
    if target.exists():
        raise ResultError(f"{target} is there already; name another folder or index")
    mesh = _mesh(snapshot)
    savemat(folder / f"{stem}_mesh0.mat", {"mesh": mesh}, format="4")
    voxels = np.concatenate([mesh, *(snapshot.fields[s.field].reshape(1, -1) for s in snapshot.substrates)])
    savemat(folder / f"{stem}_microenvironment0.mat", {"multiscale_microenvironment": voxels}, format="4")
    labels, matrix = cell_rows(snapshot)
    savemat(folder / f"{stem}_cells.mat", {"cells": matrix}, format="4")
    for name, pairs in zip(GRAPHS, (snapshot.neighbours, snapshot.attached, snapshot.attached), strict=True):
        text = _graph(pairs, snapshot.ids)
        (folder / f"{stem}_{GRAPH_FILES[name]}.txt").write_text(text, encoding="utf-8")
    root = _document(snapshot, stem, labels)
    ElementTree.indent(root, "\t")
    ElementTree.ElementTree(root).write(target, encoding="UTF-8", xml_declaration=True)
    return target


def _axes(snapshot: Snapshot) -> list[Real]:
    """Centres of the voxels along x, y and z."""
    shape = next(iter(snapshot.fields.values())).shape[::-1] if snapshot.fields else (1, 1, 1)
    return [
        low + edge * (np.arange(count) + 0.5)
        for low, edge, count in zip(snapshot.origin, snapshot.spacing, shape, strict=True)
    ]


def _mesh(snapshot: Snapshot) -> Real:
    """Centres and volumes [4, n_voxels] of the voxels, x fastest."""
    z, y, x = np.meshgrid(*_axes(snapshot)[::-1], indexing="ij")
    volume = np.full(x.size, float(np.prod(snapshot.spacing)))
    return np.stack([x.ravel(), y.ravel(), z.ravel(), volume])


def _graph(pairs: Pairs, ids: NDArray[np.int64]) -> str:
    beside: list[list[int]] = [[] for _ in ids]
    for one, two in pairs.tolist():
        beside[one].append(int(ids[two]))
    return "".join(
        f"{number}: {','.join(map(str, sorted(others)))}\n" for number, others in zip(ids.tolist(), beside, strict=True)
    )


def _add(parent: Element, tag: str, text: object = None, **attributes: str) -> Element:
    element = SubElement(parent, tag, attributes)
    if text is not None:
        element.text = str(text)
    return element


def _document(snapshot: Snapshot, stem: str, labels: Sequence[tuple[str, int, str]]) -> Element:
    root = Element("MultiCellDS", version="2", type="snapshot/simulation")
    metadata = _add(root, "metadata")
    software = _add(metadata, "software")
    _add(software, "name", "paget")
    _add(software, "version", __version__)
    _add(metadata, "current_time", repr(snapshot.time * MINUTES), units="min")
    _add(metadata, "current_runtime", repr(snapshot.runtime), units="sec")
    _add(metadata, "created", datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    domain = _add(_add(root, "microenvironment"), "domain", name="microenvironment")
    axes = _axes(snapshot)
    mesh = _add(domain, "mesh", type="Cartesian", uniform="true", regular="true", units="micron")
    low = snapshot.origin
    high = [o + e * a.size for o, e, a in zip(low, snapshot.spacing, axes, strict=True)]
    _add(mesh, "bounding_box", " ".join(repr(float(v)) for v in (*low, *high)), type="axis-aligned", units="micron")
    for axis, centres in zip("xyz", axes, strict=True):
        _add(mesh, f"{axis}_coordinates", ",".join(map(repr, centres.tolist())), delimiter=",")
    _add(_add(mesh, "voxels", type="matlab"), "filename", f"{stem}_mesh0.mat")
    variables = _add(domain, "variables")
    for index, substrate in enumerate(snapshot.substrates):
        shown, noun = substrate.unit or "dimensionless", substrate.field.removeprefix("field.")
        variable = _add(variables, "variable", name=substrate.title or noun, units=shown, ID=str(index))
        physical = _add(variable, "physical_parameter_set")
        spread = 0.0 if substrate.immobile else value_of(substrate.diffusion, "um**2/min", snapshot.parameters)
        _add(physical, "diffusion_coefficient", repr(spread), units="micron^2/min")
        _add(physical, "decay_rate", repr(value_of(substrate.decay, "1/min", snapshot.parameters)), units="1/min")
    _add(_add(domain, "data", type="matlab"), "filename", f"{stem}_microenvironment0.mat")
    populations = _add(_add(root, "cellular_information"), "cell_populations")
    custom = _add(_add(populations, "cell_population", type="individual"), "custom")
    data = _add(custom, "simplified_data", type="matlab", source="PhysiCell", data_version="2")
    types = _add(data, "cell_types")
    for index, name in enumerate(snapshot.types):
        _add(types, "type", name, ID=str(index), type=str(index))
    listed, row = _add(data, "labels"), 0
    for name, size, unit in labels:
        _add(listed, "label", name, index=str(row), size=str(size), units=unit)
        row += size
    _add(data, "filename", f"{stem}_cells.mat")
    for name in GRAPHS:
        _add(_add(custom, name, type="text", source="PhysiCell"), "filename", f"{stem}_{GRAPH_FILES[name]}.txt")
    return root


# ---- reading ----------------------------------------------------------------------------------------------------------
def read_snapshot(path: str | Path, definitions: Sequence[CellDefinition] = ()) -> Snapshot:
    """A snapshot written by PhysiCell or by `write_snapshot`; `definitions` of its cell types tell phases of cycles apart.

    Raises
    ------
    ResultError
        If a file is missing or does not hold what it should.
    """
    path = Path(path)
    try:
        root = ElementTree.parse(path).getroot()
        return _snapshot(root, path.parent, tuple(definitions))
    except (OSError, ElementTree.ParseError, ValueError, KeyError, AttributeError, TypeError) as problem:
        raise ResultError(f"{path} is not a snapshot that can be read: {problem}") from problem


def _text(element: Element, path: str) -> str:
    found = element.find(path)
    if found is None or not (found.text or "").strip():
        raise ValueError(f"it has no {path}")
    return str(found.text).strip()


def _snapshot(root: Element, folder: Path, definitions: tuple[CellDefinition, ...]) -> Snapshot:
    domain = root.find("microenvironment/domain")
    custom = root.find("cellular_information/cell_populations/cell_population/custom")
    if root.tag != "MultiCellDS" or domain is None or custom is None:
        raise ValueError("it is no MultiCellDS file with a microenvironment and cells")
    box = np.array(_text(domain, "mesh/bounding_box").replace(",", " ").split(), dtype=np.float64)
    counts = []
    for axis in "xyz":
        found = domain.find(f"mesh/{axis}_coordinates")
        delimiter = found.get("delimiter", ",") if found is not None else ","
        counts.append(len(_text(domain, f"mesh/{axis}_coordinates").split(delimiter)))
    spacing = (box[3:] - box[:3]) / np.array(counts)
    voxels = loadmat(folder / _text(domain, "data/filename"))["multiscale_microenvironment"]
    substrates, fields = [], {}
    for index, variable in enumerate(domain.findall("variables/variable")):
        substrate = substrate_of(variable)
        substrates.append(substrate)
        fields[substrate.field] = np.ascontiguousarray(voxels[4 + index].reshape(counts[::-1]))
    data = next(item for item in custom.findall("simplified_data") if item.get("source") == "PhysiCell")
    matrix = loadmat(folder / _text(data, "filename"))["cells"]
    labels = [((e.text or "").strip(), int(e.get("size", "1"))) for e in data.findall("labels/label")]
    listed = {int(e.get("ID", "0")): (e.text or "").strip() for e in data.findall("cell_types/type")}
    types = tuple(listed[k] for k in sorted(listed))
    position, kind, columns = columns_of(labels, matrix, types, definitions)
    rows = {int(number): row for row, number in enumerate(columns.pop("ID"))}
    return Snapshot(
        time=float(_text(root, "metadata/current_time")) / MINUTES,
        positions=position,
        kind=kind,
        types=types,
        columns=columns,
        fields=fields,
        substrates=tuple(substrates),
        origin=(float(box[0]), float(box[1]), float(box[2])),
        spacing=(float(spacing[0]), float(spacing[1]), float(spacing[2])),
        definitions=definitions,
        neighbours=_pairs(custom, GRAPHS[0], folder, rows),
        attached=_pairs(custom, GRAPHS[2], folder, rows),
        runtime=float(_text(root, "metadata/current_runtime")),
    )


def _pairs(custom: Element, graph: str, folder: Path, rows: Mapping[int, int]) -> Pairs:
    node = custom.find(f"{graph}/filename")
    if node is None or not node.text or not (folder / node.text.strip()).is_file():
        return np.empty((0, 2), np.int64)
    found = []
    for line in (folder / node.text.strip()).read_text(encoding="utf-8").splitlines():
        one, _, others = line.partition(":")
        found += [(rows[int(one)], rows[int(two)]) for two in others.split(",") if two.strip()]
    return np.array(found, dtype=np.int64).reshape(len(found), 2)
