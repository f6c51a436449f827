"""The matrix of cells in a snapshot: one row per attribute, one column per cell, named by a list of labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from paget.evidence import load_parameters
from paget.io.physicell.units import behaviour_unit
from paget.rules.behaviours import behaviour
from paget.tissue.behaviours import base_values
from paget.tissue.definition import CellDefinition
from paget.tissue.placing import value_of
from paget.units import to_internal

if TYPE_CHECKING:
    from paget.io.physicell.snapshot import Snapshot

__all__ = ["cell_rows", "columns_of"]

Real = NDArray[np.float64]
MINUTES = 60.0
LIVE_MODEL, LIVE_PHASE = 5, 14
APOPTOSIS, NECROSIS = 100, 101  # numbers of the death models
SWELLING = 2  # cell.death of necrotic cells that have not burst
DYING = {
    1: 100,
    2: 101,
    3: 102,
}  # cell.death -> number of the phase: apoptotic, necrotic and swelling, necrotic and lysed
DEAD_PHASES = {100: 1, 101: 2, 102: 3, 103: 3, 104: 3}


def cell_rows(snapshot: Snapshot) -> tuple[list[tuple[str, int, str]], Real]:
    """Labels (name, number of rows, unit) and the matrix [n_rows, n_cells] of everything that is known of the cells."""
    writer = _Rows(snapshot)
    writer.identity()
    writer.state()
    if snapshot.definitions:
        writer.volume_rates()
        writer.mechanics()
    writer.motility()
    if snapshot.definitions:
        writer.exchange()
        writer.interactions()
    writer.own()
    return writer.labels, np.vstack(writer.rows)


class _Rows:
    """Collects rows under labels; times in minutes."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot, self.n = snapshot, len(snapshot.positions)
        self.kind, self.columns = snapshot.kind, snapshot.columns
        self.labels: list[tuple[str, int, str]] = []
        self.rows: list[Real] = []
        self.dead = self.column("cell.death") > 0

    def add(self, name: str, values: Any, unit: str = "none") -> None:
        values = np.asarray(values, dtype=np.float64)
        rows = np.broadcast_to(values, (self.n,)).reshape(1, -1) if values.ndim < 2 else values
        self.labels.append((name, rows.shape[0], unit))
        self.rows.append(np.ascontiguousarray(rows))

    def column(self, name: str, default: float = 0.0) -> Real:
        if name in self.columns:
            return np.asarray(self.columns[name], dtype=np.float64)
        return np.full(self.n, default)

    def vector(self, stem: str, scale: float = 1.0) -> Real:
        return np.stack([self.column(f"cell.{stem}_{axis}") for axis in "xyz"]) * scale

    def of_type(self, value: Callable[[CellDefinition], float]) -> Real:
        """A number of each cell's type."""
        return np.array([value(d) for d in self.snapshot.definitions], dtype=np.float64)[self.kind]

    def behaviour(self, name: str) -> Real:
        """A behaviour of every cell in PhysiCell's unit: its own, else that of its type."""
        about = behaviour(name)
        assert about is not None
        units = {s.field: s.unit for s in self.snapshot.substrates}
        field_unit = units.get(f"field.{about.about}", "")
        here = about.unit.replace("@", field_unit or "dimensionless")
        there = behaviour_unit(about, field_unit)
        factor = 1.0 if here == there else to_internal(f"1 {here}", there)
        own = self.column(about.variable, np.nan)
        numbers = {
            f"{index}.{slot}": value_of(value, unit, self.snapshot.parameters)
            for index, definition in enumerate(self.snapshot.definitions)
            for slot, value, unit in definition.listed(units)
            if slot == about.slot
        }
        base = base_values(numbers, self.snapshot.definitions, (about,))[0][self.kind]
        return np.where(np.isnan(own), base, own) * factor

    # ---- groups of labels, in the order of PhysiCell ----------------------------------------------------------------
    def identity(self) -> None:
        volume, nuclear = self.column("cell.volume"), self.column("cell.nuclear_volume")
        death = self.column("cell.death").astype(np.int64)
        phase, model = np.full(self.n, LIVE_PHASE), np.full(self.n, LIVE_MODEL)
        for index, definition in enumerate(self.snapshot.definitions):
            if definition.cycle is not None:
                mine = self.kind == index
                codes = np.array([p.code for p in definition.cycle.phases])
                phase[mine] = codes[self.column("cell.phase").astype(np.int64)[mine]]
                model[mine] = definition.cycle.code
        for stage, code in DYING.items():
            phase[death == stage] = code
        model[self.dead] = np.where(death[self.dead] == 1, APOPTOSIS, NECROSIS)
        elapsed = np.where(self.dead, self.column("cell.death_time"), self.column("cell.phase_time")) * MINUTES
        fluid = np.divide(self.column("cell.fluid"), volume, out=np.zeros(self.n), where=volume > 0.0)
        self.add("ID", self.snapshot.ids)
        self.add("position", self.snapshot.positions.T, "microns")
        self.add("total_volume", volume, "cubic microns")
        self.add("cell_type", self.kind)
        self.add("cycle_model", model)
        self.add("current_phase", phase)
        self.add("elapsed_time_in_phase", elapsed, "min")
        self.add("nuclear_volume", nuclear, "cubic microns")
        self.add("cytoplasmic_volume", volume - nuclear, "cubic microns")
        self.add("fluid_fraction", fluid)
        self.add("calcified_fraction", self.column("cell.calcified"))
        self.add("orientation", np.repeat([[0.0], [0.0], [1.0]], self.n, axis=1))
        self.add("polarity", 1.0 if self.flat else 0.0)

    @property
    def flat(self) -> bool:
        fields = self.snapshot.fields
        return bool(fields) and next(iter(fields.values())).shape[0] == 1

    def state(self) -> None:
        self.add("pressure", self.column("cell.pressure"))
        self.add("number_of_nuclei", 1.0)
        self.add("contact_with_basement_membrane", 0.0)
        self.add("dead", self.dead)
        self.add("current_death_model", (self.column("cell.death") >= 2).astype(float))
        if self.snapshot.definitions:
            self.add("death_rates", np.stack([self.behaviour("apoptosis"), self.behaviour("necrosis")]), "1/min")
            self.add("current_cycle_phase_exit_rate", self.exit_rates(), "1/min")
        self.add("target_solid_cytoplasmic", self.column("cell.target_cytoplasmic_solid"), "cubic microns")
        self.add("target_solid_nuclear", self.column("cell.target_nuclear_solid"), "cubic microns")
        nuclear = np.cbrt(0.75 / np.pi * self.column("cell.nuclear_volume"))
        radius = self.column("cell.radius")
        self.add("radius", radius, "microns")
        self.add("nuclear_radius", nuclear, "microns")
        self.add("surface_area", 4.0 * np.pi * radius**2, "square microns")
        self.add("damage", self.column("cell.injury"))

    def exit_rates(self) -> Real:
        """Rate of leaving the present phase of the cycle; none for the dead."""
        phases = self.column("cell.phase").astype(np.int64)
        found = np.zeros(self.n)
        for k in np.unique(phases).tolist():
            name = "cycle entry" if k == 0 else f"exit from cycle phase {k}"
            found = np.where((phases == k) & ~self.dead, self.behaviour(name), found)
        return found

    def volume_rates(self) -> None:
        table = self.snapshot.parameters
        for label, slot in (
            ("cytoplasmic_biomass_change_rate", "cytoplasmic_rate"),
            ("nuclear_biomass_change_rate", "nuclear_rate"),
            ("fluid_change_rate", "fluid_rate"),
            ("calcification_rate", "calcification_rate"),
        ):
            each = [value_of(getattr(d.volume, slot), "1/min", table) for d in self.snapshot.definitions]
            self.add(label, np.array(each)[self.kind], "1/min")
        self.add("target_fluid_fraction", self.of_type(lambda d: value_of(d.volume.fluid_fraction, "", table)))

    def mechanics(self) -> None:
        self.add("cell_cell_adhesion_strength", self.behaviour("cell-cell adhesion"), "micron/min")
        self.add("cell_cell_repulsion_strength", self.behaviour("cell-cell repulsion"), "micron/min")
        self.each_type("cell_adhesion_affinities", "adhesive affinity to {}")
        self.add("relative_maximum_adhesion_distance", self.behaviour("relative maximum adhesion distance"))
        self.add("maximum_number_of_attachments", self.behaviour("maximum number of cell attachments"))
        self.add("attachment_elastic_constant", self.behaviour("cell-cell adhesion elastic constant"), "1/min")
        self.add("attachment_rate", self.behaviour("cell attachment rate"), "1/min")
        self.add("detachment_rate", self.behaviour("cell detachment rate"), "1/min")

    def motility(self) -> None:
        definitions = self.snapshot.definitions
        moves = self.of_type(lambda d: float(d.motility is not None)) if definitions else np.zeros(self.n)
        self.add("is_motile", moves * ~self.dead)
        if definitions:
            self.add("persistence_time", self.behaviour("migration persistence time"), "min")
            self.add("migration_speed", self.behaviour("migration speed"), "micron/min")
            self.add("migration_bias", self.behaviour("migration bias"))
        self.add("migration_bias_direction", self.vector("heading"))
        self.add("motility_vector", self.vector("migration", 1.0 / MINUTES), "micron/min")
        self.add("chemotaxis_index", 0.0)
        self.add("chemotaxis_direction", 1.0)
        if definitions:
            self.each_field("chemotactic_sensitivities", "chemotactic response to {}")

    def exchange(self) -> None:
        # The dead give nothing and take up a tenth.
        alive = np.where(self.dead, 0.0, 1.0)
        self.each_field("secretion_rates", "{} secretion", "1/min", alive)
        self.each_field("uptake_rates", "{} uptake", "1/min", np.where(self.dead, 0.1, 1.0))
        self.each_field("saturation_densities", "{} secretion target")
        self.each_field("net_export_rates", "{} export", "stuff/min", alive)

    def interactions(self) -> None:
        self.add("apoptotic_phagocytosis_rate", self.behaviour("phagocytose apoptotic cell"), "1/min")
        self.add("necrotic_phagocytosis_rate", self.behaviour("phagocytose necrotic cell"), "1/min")
        self.each_type("live_phagocytosis_rates", "phagocytose {}", "1/min")
        self.each_type("attack_rates", "attack {}", "1/min")
        self.each_type("immunogenicities", "immunogenicity to {}")
        self.add("attack_damage_rate", self.behaviour("attack damage rate"), "1/min")
        self.add("attack_duration", self.behaviour("attack duration"), "min")
        self.each_type("fusion_rates", "fuse to {}", "1/min")
        self.each_type("transformation_rates", "transform to {}", "1/min")
        self.add("damage_rate", self.behaviour("damage rate"), "1/min")
        self.add("damage_repair_rate", self.behaviour("damage repair rate"), "1/min")

    def own(self) -> None:
        """Variables that the types have of their own, as custom data."""
        names = dict.fromkeys(name for d in self.snapshot.definitions for name in d.own)
        written = {label for label, _, _ in self.labels}
        names.update(dict.fromkeys(n for n in self.snapshot.own if n.removeprefix("cell.") not in written))
        for name in names:
            self.add(name.removeprefix("cell."), self.column(name), self.snapshot.own.get(name) or "none")

    def each_type(self, label: str, pattern: str, unit: str = "none") -> None:
        self.add(label, np.stack([self.behaviour(pattern.format(name)) for name in self.snapshot.types]), unit)

    def each_field(self, label: str, pattern: str, unit: str = "none", factor: Real | float = 1.0) -> None:
        nouns = [s.field.removeprefix("field.") for s in self.snapshot.substrates]
        if nouns:
            self.add(label, np.stack([self.behaviour(pattern.format(noun)) * factor for noun in nouns]), unit)


# ---- reading ----------------------------------------------------------------------------------------------------------
def columns_of(
    labels: Sequence[tuple[str, int]], matrix: Real, types: Sequence[str], definitions: Sequence[CellDefinition]
) -> tuple[Real, NDArray[np.int64], dict[str, NDArray[Any]]]:
    """Positions [n, 3], types [n] and variables of the cells of a matrix; its number of each cell is in ``ID``."""
    rows: dict[str, Real] = {}
    first = 0
    for name, size in labels:
        rows.setdefault(name, matrix[first : first + size])  # of two of one name, the first is the older one
        first += size
    if first != matrix.shape[0]:
        raise ValueError(f"its labels name {first} rows, and its matrix of cells has {matrix.shape[0]}")
    n = matrix.shape[1]

    def one(name: str, default: float = 0.0) -> Real:
        return np.array(rows[name][0]) if name in rows else np.full(n, default)

    kind = one("cell_type").astype(np.int64)
    phase = one("current_phase", LIVE_PHASE).astype(np.int64)
    death = np.array([DEAD_PHASES.get(code, 0) for code in phase.tolist()], dtype=np.int64)
    volume, nuclear = one("total_volume"), one("nuclear_volume")
    solid = 1.0 - one("fluid_fraction", 0.75)
    elapsed = one("elapsed_time_in_phase") / MINUTES
    columns: dict[str, NDArray[Any]] = {
        "ID": one("ID").astype(np.int64),
        "cell.volume": volume,
        "cell.nuclear_volume": nuclear,
        "cell.fluid": volume * (1.0 - solid),
        "cell.nuclear_solid": nuclear * solid,
        "cell.cytoplasmic_solid": (volume - nuclear) * solid,
        "cell.calcified": one("calcified_fraction"),
        "cell.radius": one("radius") if "radius" in rows else np.cbrt(0.75 / np.pi * volume),
        "cell.death": death,
        "cell.death_time": np.where(death > 0, elapsed, 0.0),
        "cell.phase_time": np.where(death > 0, 0.0, elapsed),
        "cell.pressure": one("pressure"),
        "cell.injury": one("damage"),
    }
    if "target_solid_nuclear" in rows:
        columns["cell.target_nuclear_solid"] = one("target_solid_nuclear")
        columns["cell.target_cytoplasmic_solid"] = one("target_solid_cytoplasmic")
    if definitions:
        columns["cell.phase"] = _phases(phase, kind, types, definitions)
        columns["cell.rupture_volume"] = np.where(death == SWELLING, _bursting(types, definitions)[kind], 0.0)
    return np.ascontiguousarray(rows["position"].T), kind, columns


def _bursting(types: Sequence[str], definitions: Sequence[CellDefinition]) -> Real:
    """Volume [n_types] at which swelling cells burst: that of their type at rest, for theirs at death is not in the file."""
    table, by_name = load_parameters("tissue"), {d.name: d for d in definitions}

    def of(name: str) -> float:
        found = by_name.get(name)
        if found is None or found.necrosis is None:
            return 0.0
        return value_of(found.necrosis.rupture, "", table) * value_of(found.volume.total, "um**3", table)

    return np.array([of(name) for name in types])


def _phases(
    code: NDArray[np.int64], kind: NDArray[np.int64], types: Sequence[str], definitions: Sequence[CellDefinition]
) -> NDArray[np.int64]:
    """Index of the phase in the cycle of every cell's type."""
    cycles = {d.name: d.cycle for d in definitions}
    found = np.zeros(code.size, np.int64)
    for index, name in enumerate(types):
        cycle = cycles.get(name)
        for position, phase in enumerate(cycle.phases if cycle is not None else ()):
            found[(kind == index) & (code == phase.code)] = position
    return found
