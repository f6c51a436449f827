"""Integrins, FAK, SRC, ERK and p38 in a tumour cell.

FAK answers to remodelled laminin, vitronectin, LOX and S6 kinase 1 on matrix; a share of it lives on receptors and SRC alone,
without matrix. p38 brakes the ERK of growth factors, but not that of integrin alpha-3 beta-1. Paxillin goes with FAK.
"""

from __future__ import annotations

from paget.catalogue.networks.nodes import graded, of_module, switched

__all__ = ["NODES"]

NODES = of_module(
    "adhesion",
    switched(
        "ITGA3B1",
        "ECM & Remodelled_laminin",
        "phosphorylation_rate",
        "integrin alpha-3 beta-1, engaged",
        {"ECM": "M335", "Remodelled_laminin": "M335"},
        genes=("ITGA3", "ITGB1"),
    ),
    switched(
        "ITGAVB3",
        "ECM & VTN",
        "phosphorylation_rate",
        "integrin alpha-v beta-3, engaged",
        {"ECM": "M264", "VTN": "M264"},
        genes=("ITGAV", "ITGB3"),
    ),
    graded(
        "PTK2",
        "ECM & (ITGA3B1 | ITGAVB3 | LOX | RPS6KB1 & (RTK | PIK3CA & (CXCR4 | CCL5 | SMAD3 | NFKB1))) ? 1"
        " : RTK & SRC ? {fak_share_without_matrix} : 0",
        "phosphorylation_rate",
        "FAK, active, with paxillin",
        {
            "ECM": "N010",
            "ITGA3B1": "M336",
            "ITGAVB3": "N014",
            "LOX": "M049",
            "RPS6KB1": "M231;M232",
            "RTK": "N015",
            "PIK3CA": "M260",
            "CXCR4": "M260",
            "CCL5": "M182",
            "SMAD3": "N116",
            "NFKB1": "M154",
            "SRC": "N015",
        },
        genes=("PTK2", "PXN"),
    ),
    switched(
        "SRC",
        "PTK2 | RTK | TWIST1 | DNA_damage",
        "phosphorylation_rate",
        "SRC, active",
        {"PTK2": "N016", "RTK": "M359", "TWIST1": "M225", "DNA_damage": "M214;M213"},
        genes=("SRC",),
    ),
    graded(
        "MAPK1",
        "(HRAS | PTK2 & RTK) & !MAPK14 | PTK2 & ITGA3B1"
        " ? (AKT1 ? (ECM ? (HRAS ? 1 : {erk_share_under_akt}) : 0) : 1) : 0",
        "phosphorylation_rate",
        "ERK, active; AKT restrains RAF unless RAS drives it, and blocks it without matrix",
        {
            "HRAS": "N006",
            "PTK2": "M337;N017",
            "RTK": "N006",
            "MAPK14": "AguirreGhiso2001",
            "ITGA3B1": "M336;M337",
            "ECM": "M251",
            "AKT1": "M251",
        },
        genes=("MAPK1", "MAPK3"),
    ),
    switched(
        "MAPK14",
        "(THBS1 | DNA_damage) & !(ITGA3B1 & MAPK1)",
        "phosphorylation_rate",
        "p38, active",
        {"THBS1": "M266;N018", "DNA_damage": "N019", "ITGA3B1": "M335", "MAPK1": "AguirreGhiso2001"},
        genes=("MAPK14",),
    ),
)
