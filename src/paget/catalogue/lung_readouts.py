"""What is read out of the lung model, and the causal chain that the report draws."""

from __future__ import annotations

from typing import Any

import numpy as np

from paget.access import World
from paget.evidence import ParameterTable
from paget.model import ChainEdge, ChainNode
from paget.readouts import Readout, colonies, count_of

__all__ = ["TUMOUR", "lung_chain", "lung_readouts"]

TUMOUR = ("dormant tumour cell", "cycling tumour cell")


def lung_readouts(setting: str, parameters: ParameterTable) -> tuple[Readout, ...]:
    """Readouts for a setting, with thresholds from the parameter table."""
    size, reach = round(parameters["metastasis_size"].value), parameters["colony_reach"].inside("um")
    net_threshold = parameters["net_threshold"].inside("1/pL")

    def metastatic(world: World) -> Any:
        return colonies(world, TUMOUR, reach).members(size)

    def metastases(world: World) -> float:
        return float((colonies(world, TUMOUR, reach).sizes >= size).sum())

    def derived(world: World) -> float:
        rows = metastatic(world)
        return float(world.cells.column("cell.ever_dormant")[rows].mean()) if rows.size else float("nan")

    def awakened(world: World) -> float:
        rows = world.rows(("cycling tumour cell",))
        return float(np.isfinite(world.cells.column("cell.woke_at")[rows]).sum())

    def bulk(world: World) -> float:
        rows = world.rows(("cycling tumour cell",))
        return float((world.cells.column("cell.ever_dormant")[rows] == 0).sum())

    def area(name: str, threshold: float) -> Any:
        return lambda world: 100.0 * float((world.fields[name] > threshold).mean())

    def serum(name: str) -> Any:
        return lambda world: float(world.body[name])

    listed = [
        Readout(
            "metastases",
            "Metastases",
            "",
            "count",
            "final",
            f"colonies of at least {size} tumour cells",
            metastases,
            headline=True,
            claim="more under doxorubicin than under vehicle; fewer with senolytics",
        ),
        Readout(
            "time_to_metastasis",
            "Time to first metastasis",
            "day",
            "time",
            "first",
            "day on which the first metastasis is seen",
            first_of="metastases",
            headline=True,
        ),
        Readout(
            "tumour_cells",
            "Tumour cells",
            "",
            "count",
            "final",
            "all disseminated tumour cells, dormant and cycling",
            count_of(*TUMOUR),
            headline=True,
        ),
        Readout(
            "cycling_cells",
            "Cycling tumour cells",
            "",
            "count",
            "final",
            "tumour cells that are not dormant",
            count_of("cycling tumour cell"),
            headline=True,
        ),
        Readout(
            "awakened_cells",
            "Awakened tumour cells",
            "",
            "count",
            "final",
            "cycling cells whose lineage woke from dormancy",
            awakened,
            claim="more under doxorubicin than under vehicle",
        ),
        Readout(
            "bulk_cells",
            "Never-dormant cycling cells",
            "",
            "count",
            "mean",
            "cycling cells of lineages that were never dormant",
            bulk,
            claim="fewer under doxorubicin than under vehicle",
        ),
        Readout(
            "dormancy_derived",
            "Dormancy-derived fraction",
            "",
            "fraction",
            "final",
            "of the cells in metastases, those that were or descend from dormant cells",
            derived,
            claim="most metastatic cells under doxorubicin",
        ),
        Readout(
            "senescent_fibroblasts",
            "Senescent fibroblasts",
            "",
            "count",
            "mean",
            "fibroblasts committed to senescence",
            count_of("senescent fibroblast"),
            headline=True,
            claim="more under doxorubicin; fewer with senolytics",
        ),
        Readout(
            "neutrophils",
            "Neutrophils",
            "",
            "count",
            "mean",
            "neutrophils in the tissue, resting and activated",
            count_of("neutrophil", "activated neutrophil"),
        ),
        Readout(
            "net_area",
            "NET area",
            "%",
            "continuous",
            "mean",
            "section area with traps (in 3-D, the mean over sections)",
            area("field.net", net_threshold),
            headline=True,
        ),
        Readout(
            "remodelled_laminin",
            "Remodelled laminin",
            "%",
            "continuous",
            "mean",
            "laminin that shows the a3b1 epitope",
            lambda world: 100.0 * float(world.fields["field.remodelled_laminin"].mean()),
            headline=True,
        ),
        Readout(
            "erk_active",
            "ERK-active dormant cells",
            "%",
            "continuous",
            "mean",
            "dormant tumour cells with ERK activity above 0.4",
            _erk_active,
        ),
        Readout(
            "serum_c3", "Serum C3", "index", "continuous", "mean", "C3 above baseline in serum", serum("body.serum_c3")
        ),
        Readout(
            "serum_mif",
            "Serum MIF",
            "index",
            "continuous",
            "mean",
            "MIF above baseline in serum",
            serum("body.serum_mif"),
        ),
        Readout(
            "serum_net",
            "Serum NET index",
            "index",
            "continuous",
            "mean",
            "NET remnants in serum",
            serum("body.serum_net"),
        ),
    ]
    if setting != "injected":
        listed.append(
            Readout(
                "primary_tumour",
                "Primary tumour",
                "million cells",
                "continuous",
                "mean",
                "size of the primary tumour",
                serum("body.primary_tumour"),
                claim="smaller under doxorubicin while it is in place",
            )
        )
    return tuple(listed)


def _erk_active(world: World) -> float:
    rows = world.rows(("dormant tumour cell",))
    return 100.0 * float((world.cells.column("cell.erk")[rows] > 0.4).mean()) if rows.size else 0.0


def lung_chain() -> tuple[tuple[ChainNode, ...], tuple[ChainEdge, ...]]:
    """Stations and influences of the chain from chemotherapy to metastases."""
    nodes = (
        ChainNode("chemotherapy", "Chemotherapy", None, 0.3, 2.0),
        ChainNode("senescence", "Senescent fibroblasts", "senescent_fibroblasts", 1.8, 2.0),
        ChainNode("senolytic", "Senolytics", None, 1.8, 3.6),
        ChainNode("secretome", "C3, CXCL1, MIF", "serum_c3", 3.3, 2.0),
        ChainNode("neutrophils", "Neutrophils", "neutrophils", 4.8, 2.0),
        ChainNode("nets", "NETs", "net_area", 6.3, 2.0),
        ChainNode("laminin", "Remodelled laminin", "remodelled_laminin", 7.8, 2.0),
        ChainNode("erk", "a3b1, FAK, ERK", "erk_active", 9.4, 2.0),
        ChainNode("awakening", "Awakened cells", "awakened_cells", 9.4, 0.3),
        ChainNode("metastases", "Metastases", "metastases", 7.0, 0.3),
        ChainNode("bulk", "Never-dormant cycling cells", "bulk_cells", 3.3, 0.3),
    )
    edges = (
        ChainEdge("chemotherapy", "senescence", 1, "senescence", "He2025"),
        ChainEdge("senolytic", "senescence", -1, "senolysis", "He2025"),
        ChainEdge("senescence", "secretome", 1, "cxcl1_secretion", "He2025"),
        ChainEdge("secretome", "neutrophils", 1, "neutrophil_entry", "He2025"),
        ChainEdge("neutrophils", "nets", 1, "netosis", "He2025"),
        ChainEdge("nets", "laminin", 1, "elastase_proteolysis", "Albrengues2018"),
        ChainEdge("laminin", "erk", 1, "integrin_engagement", "Albrengues2018"),
        ChainEdge("erk", "awakening", 1, "awakening", "He2025"),
        ChainEdge("awakening", "metastases", 1, "division", "He2025"),
        ChainEdge("chemotherapy", "bulk", -1, "chemotherapy_killing", "He2025"),
        ChainEdge("bulk", "metastases", 1, "division", "He2025"),
    )
    return nodes, edges
