"""Low oxygen and what a tumour cell secretes for it: LOX, VEGF-A and VEGF-C.

VEGF-A has three arms: HIF-1, translation (4E-BP1 off), and mTORC2 with FOXO1 out of the nucleus. One arm gives level 1, two
give level 2, if FAK is active or HIF-1 is one of them. Where `Rictor_spares_VEGF` is on, PI3K stands in for the third arm, so
that loss of mTORC2 changes nothing.
"""

from __future__ import annotations

from paget.catalogue.networks.nodes import graded, of_module, switched

__all__ = ["NODES"]

_THIRD = "(Rictor_spares_VEGF ? PIK3CA : MTORC2 & !FOXO1)"

NODES = of_module(
    "hypoxia",
    graded(
        "HIF1A",
        "(Hypoxia ? 1 : NTRK2 ? {hif_share_under_trkb} : 0) * (MTORC1 ? 1 : {hif_share_without_mtorc1})",
        "phosphorylation_rate",
        "HIF-1-alpha, stable",
        {"Hypoxia": "M044", "NTRK2": "M042", "MTORC1": "N062"},
        genes=("HIF1A",),
    ),
    switched("LOX", "HIF1A", "transcription_rate", "lysyl oxidase", {"HIF1A": "M048"}, genes=("LOX",)),
    switched(
        "VEGFA",
        (
            f"HIF1A | !EIF4EBP1 | {_THIRD}",
            f"HIF1A & (!EIF4EBP1 | {_THIRD}) | !EIF4EBP1 & PTK2 & {_THIRD}",
        ),
        "transcription_rate",
        "VEGF-A that the cell secretes: some, much",
        {
            "HIF1A": "M043",
            "EIF4EBP1": "M238;M278",
            "MTORC2": "M276;M280",
            "FOXO1": "M277",
            "PTK2": "M080",
            "Rictor_spares_VEGF": "M281",
            "PIK3CA": "M281",
        },
        genes=("VEGFA",),
    ),
    switched(
        "VEGFC",
        "NFKB1 | MTORC1",
        "transcription_rate",
        "VEGF-C and VEGF-D that the cell secretes",
        {"NFKB1": "N063", "MTORC1": "M311"},
        genes=("VEGFC", "VEGFD"),
    ),
)
