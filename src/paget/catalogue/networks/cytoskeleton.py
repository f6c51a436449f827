"""Small GTPases, actin, motility, invadopodia and proteases of a tumour cell.

Each complex of mTOR by itself keeps a share of RHOA, RAC1 and CDC42 active, FAK and SRC another. PKC-alpha goes with mTORC2,
and F-actin falls with it. Junctions hold a cell back, but not altogether.
"""

from __future__ import annotations

from paget.catalogue.networks.nodes import graded, of_module, switched

__all__ = ["NODES"]

NODES = of_module(
    "cytoskeleton",
    graded(
        "RHOA",
        "min(1, {gtpase_share_per_cause} * (MTORC1 + MTORC2 + PTK2))",
        "phosphorylation_rate",
        "RHOA bound to GTP, with ROCK and myosin II",
        {"MTORC1": "M240", "MTORC2": "M243", "PTK2": "N119"},
        genes=("RHOA", "ROCK1"),
    ),
    graded(
        "RAC1",
        "PTK2 & SRC ? 1 : min(1, {gtpase_share_per_cause} * (MTORC1 + MTORC2))",
        "phosphorylation_rate",
        "RAC1 bound to GTP",
        {"PTK2": "N037", "SRC": "N037", "MTORC1": "M241", "MTORC2": "M243"},
        genes=("RAC1",),
    ),
    graded(
        "CDC42",
        "min(1, {cdc42_share_per_cause} * (SRC + MTORC1 + MTORC2))",
        "phosphorylation_rate",
        "CDC42 bound to GTP",
        {"SRC": "N038", "MTORC1": "M261", "MTORC2": "M243"},
        genes=("CDC42",),
    ),
    graded(
        "Actin",
        "RAC1 ? (MTORC2 ? 1 : {actin_share_without_mtorc2}) : 0",
        "cytoskeleton_rate",
        "F-actin at the edge of the cell",
        {"RAC1": "N039;M368", "MTORC2": "M244"},
        genes=("PRKCA", "ACTR2"),
    ),
    graded(
        "Motility",
        "ECM & PTK2 & RHOA & Actin ? (CDH1 ? {motility_share_in_junctions} : 1) : 0",
        "cytoskeleton_rate",
        "moves",
        {"ECM": "N039", "PTK2": "N015", "RHOA": "N039", "Actin": "N039", "CDH1": "M022"},
    ),
    switched(
        "SH3PXD2A",
        "SRC & (TWIST1 | ZEB1 | HIF1A | DNA_damage)",
        "cytoskeleton_rate",
        "TKS5, phosphorylated",
        {"SRC": "M362", "TWIST1": "M225", "ZEB1": "N040", "HIF1A": "N041", "DNA_damage": "M214;M213"},
        genes=("SH3PXD2A",),
    ),
    switched(
        "CTTN",
        "SRC & (RAC1 | CDC42)",
        "cytoskeleton_rate",
        "cortactin, phosphorylated by ABL2",
        {"SRC": "M360;M361", "RAC1": "N042", "CDC42": "M367"},
        genes=("CTTN", "ABL2"),
    ),
    switched(
        "Invadopodia",
        "ECM & SH3PXD2A & CTTN & CDC42",
        "cytoskeleton_rate",
        "invadopodia",
        {"ECM": "M211", "SH3PXD2A": "M218", "CTTN": "M370", "CDC42": "M367;M369"},
    ),
    switched(
        "MMP14",
        "Invadopodia",
        "cytoskeleton_rate",
        "MT1-MMP delivered to invadopodia",
        {"Invadopodia": "M370;M223"},
        genes=("MMP14",),
    ),
    switched(
        "MMP9",
        "RPS6KB1 & !EIF4EBP1 | NFKB1",
        "transcription_rate",
        "MMP9 that the cell secretes",
        {"RPS6KB1": "M236", "EIF4EBP1": "M237", "NFKB1": "N043"},
        genes=("MMP9",),
    ),
)
