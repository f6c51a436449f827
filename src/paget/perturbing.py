"""Genes of a model: what each acts on, and the model in which they are knocked out, knocked down or over-expressed.

A gene is a node of a network that cells carry, or the activity behind parameters (the table ``data/genes.csv``). Where cells
carry it as a node, the node is what changes in them, and parameters of the same gene in the same cells stay as they are.
"""

from __future__ import annotations

import dataclasses
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from paget.errors import StudyError, UnknownNameError
from paget.evidence import Parameter, ParameterTable
from paget.genes import GeneEffect, load_genes, unknown_gene
from paget.naming import TUMOUR_CELL, meant_types
from paget.process import quantity
from paget.signalling.carried import CarriesNetworks

if TYPE_CHECKING:
    from paget.model import Model
    from paget.vocabulary import CellType

__all__ = ["Changes", "Genes", "InNetwork", "InNumbers", "changes", "genes_of", "genes_of_model", "scaled"]

Levels = Mapping[tuple[str, str], float]


@dataclass(frozen=True)
class InNetwork:
    """A gene that is a node of a network in cells of some types, in one tissue (`site` of a body, or empty)."""

    site: str
    role: str
    network: str
    node: str
    cells: tuple[str, ...]

    def __str__(self) -> str:
        return f"node {self.node} of the network '{self.network}' in {', '.join(self.cells)}"


@dataclass(frozen=True)
class InNumbers:
    """A gene that is the activity behind a parameter; `cells` are the types whose gene it is, none if no certain ones."""

    effect: GeneEffect
    cells: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.effect.parameter} ({', '.join(self.effect.cells)})" if self.cells else self.effect.parameter


@dataclass(frozen=True)
class Genes:
    """The genes of a model, with what each acts on.

    groups : cell type -> its group; further : other cells that can be named
    """

    targets: Mapping[str, tuple[InNetwork | InNumbers, ...]]
    groups: Mapping[str, str]
    further: tuple[str, ...] = ()

    @property
    def in_words(self) -> dict[str, tuple[str, ...]]:
        """By gene, in order of name."""
        return {gene: tuple(str(target) for target in self.targets[gene]) for gene in sorted(self.targets)}

    def meant(self, cells: str) -> frozenset[str]:
        """The cell types that a name stands for.

        Raises
        ------
        UnknownNameError
        """
        found = meant_types(cells, self.groups) | ({cells} & {TUMOUR_CELL, *self.further})
        if not found:
            raise UnknownNameError("cell type", cells, (TUMOUR_CELL, *self.groups, *self.further))
        return found

    def acting(self, gene: str, cells: str) -> tuple[InNetwork | InNumbers, ...]:
        """What a gene of some cells, of all if empty, acts on.

        Raises
        ------
        UnknownNameError, StudyError
        """
        if gene not in self.targets:
            raise unknown_gene(gene, self.targets)
        if not cells:
            return self.targets[gene]
        meant = self.meant(cells)
        found = tuple(target for target in self.targets[gene] if meant & frozenset(target.cells))
        if not found:
            named = dict.fromkeys(cell for target in self.targets[gene] for cell in target.cells)
            where = f"in {', '.join(named)}" if named else "in no certain cells; leave 'cells' out"
            raise StudyError(f"'{gene}' does nothing in '{cells}' here; it acts {where}")
        return found


@dataclass(frozen=True)
class Changes:
    """What is to be changed: parameters by key, and nodes by the site and role of the process that runs their network."""

    numbers: Mapping[str, tuple[tuple[GeneEffect, float], ...]]
    nodes: Mapping[tuple[str, str], tuple[tuple[str, float, tuple[str, ...]], ...]]

    def applied(self, model: Model, site: str = "") -> Model:
        """The model of a tissue with these changes."""
        processes: dict[str, Any] = {}
        for role, process in model.processes.items():
            nodes = self.nodes.get((site, role), ())
            if nodes:
                further = tuple(_on_node(*node) for node in nodes)
                whole: Any = process
                processes[role] = dataclasses.replace(whole, perturbations=(*whole.perturbations, *further))
        changed = model.changed(parameters=scaled(model.parameters, self.numbers))
        return changed.replace(**processes) if processes else changed


def _on_node(node: str, level: float, cells: tuple[str, ...]) -> Any:
    from paget.tissue.networks import Activity, Clamp

    if level == 0.0:
        return Clamp(node=node, level=0, cells=cells)
    left = quantity(f"{level!r}", reason=f"the study leaves {level:g} of the activity of {node}", key=f"{node} left")
    return Activity(node=node, left=left, cells=cells)


def genes_of(
    models: Mapping[str, Model], used: Iterable[str], types: Mapping[str, CellType], further: tuple[str, ...] = ()
) -> Genes:
    """The genes of one or several tissues and the numbers around them.

    models : tissue by site; used : keys of the parameters that count; types : cell types; further : other cells with a name
    """
    groups = {name: str(kind.group) for name, kind in types.items()}
    found: dict[str, list[InNetwork | InNumbers]] = defaultdict(list)
    for site, model in models.items():
        for gene, target in _nodes(site, model):
            found[gene].append(target)
    keys = set(used)
    for effect in load_genes():
        cells = tuple(dict.fromkeys(c for name in effect.cells for c in (name, *sorted(meant_types(name, groups)))))
        carried = {c for target in found.get(effect.gene, ()) if isinstance(target, InNetwork) for c in target.cells}
        if effect.parameter in keys and not (carried and cells and set(cells) - {TUMOUR_CELL} <= carried):
            found[effect.gene].append(InNumbers(effect, cells))
    return Genes({gene: tuple(found[gene]) for gene in sorted(found)}, groups, further)


def genes_of_model(model: Model) -> Genes:
    """The genes of one tissue."""
    types = {name: model.types[name] for name in model.cell_types}
    return genes_of({"": model}, model.numbers_used(), types)


def _nodes(site: str, model: Model) -> Iterable[tuple[str, InNetwork]]:
    """Every node of every network in cells, by its own name and by those of its genes."""
    for role, process in model.processes.items():
        if not isinstance(process, CarriesNetworks) or not hasattr(process, "perturbations"):
            continue
        for network in process.distinct:
            cells = tuple(cell for cell, carried in process.networks.items() if carried == network)
            for node in network.nodes:
                for name in dict.fromkeys((node.name, *node.genes)):
                    yield name, InNetwork(site, role, network.name, node.name, cells)


def changes(genes: Genes, levels: Levels) -> Changes:
    """What levels of genes, by (gene, cells), change.

    Raises
    ------
    UnknownNameError, StudyError
        A gene or cell type that is not known, a gene that does nothing in these cells, a level below zero.
    """
    numbers: dict[str, list[tuple[GeneEffect, float]]] = defaultdict(list)
    nodes: dict[tuple[str, str], list[tuple[str, float, tuple[str, ...]]]] = defaultdict(list)
    for (gene, cells), level in sorted(levels.items()):
        acting = genes.acting(gene, cells)
        if not (level >= 0.0 and math.isfinite(level)):
            raise StudyError(f"'{gene}' is left at {level:g}; it must be 0 (knocked out) or above, 1 is untouched")
        for target in acting:
            if level == 1.0:
                continue
            if isinstance(target, InNumbers):
                numbers[target.effect.parameter].append((target.effect, level))
            else:
                meant = genes.meant(cells) if cells else frozenset(target.cells)
                those = tuple(cell for cell in target.cells if cell in meant)
                nodes[target.site, target.role].append((target.node, level, those))
    return Changes(
        {key: tuple(those) for key, those in numbers.items()}, {key: tuple(those) for key, those in nodes.items()}
    )


def scaled(table: ParameterTable, numbers: Mapping[str, tuple[tuple[GeneEffect, float], ...]]) -> ParameterTable:
    """The table with parameters at what the levels of their genes leave of them; their spread between animals stays."""
    rows = [_scaled(table[key], table, effects) for key, effects in numbers.items() if key in table]
    return table.with_rows(rows) if rows else table


def _scaled(row: Parameter, table: ParameterTable, effects: Iterable[tuple[GeneEffect, float]]) -> Parameter:
    value, why = row.value, []
    for effect, level in effects:
        without = table[effect.without].inside(row.unit) if effect.without in table else float(effect.without)
        value = effect.at(level, value, without)
        why.append(f"{effect.gene} at {level:g} of its activity: {effect.reason}")
    return dataclasses.replace(
        row,
        value=value,
        low=math.nan,
        high=math.nan,
        basis="assumed",
        reason=f"{'; '.join(why)} (was {row.value:g})",
        source=";".join(
            dict.fromkeys((*filter(None, row.source.split(";")), *(s for e, _ in effects for s in e.sources)))
        ),
        changed=True,
    )
