"""Growth factors, PI3K, AKT and the two complexes of mTOR in a tumour cell, and the decision to divide.

S6 kinase 1 shuts the signal of IGF-1 (by IRS1), not that of the other receptors. AKT1 stands for AKT phosphorylated at S473,
which needs mTORC2; mTORC1 does not depend on that site alone, since ERK and FAK also inhibit TSC2, unless
HIF-1 (by REDD1) keeps it on.
"""

from __future__ import annotations

from paget.catalogue.networks.nodes import graded, of_module, switched

__all__ = ["NODES"]

NODES = of_module(
    "growth",
    switched(
        "RTK",
        "GF | IGF1 & !RPS6KB1",
        "phosphorylation_rate",
        "receptor tyrosine kinases (EGFR, ERBB2, MET, IGF1R with IRS1)",
        {"GF": "M358;M012", "IGF1": "M272", "RPS6KB1": "N005"},
        genes=("EGFR", "ERBB2", "MET", "IGF1R", "IRS1"),
    ),
    graded(
        "HRAS",
        "RTK | NTRK2 ? (LET7 ? {ras_share_under_let7} : 1) : 0",
        "phosphorylation_rate",
        "RAS bound to GTP; let-7 lowers its amount",
        {"RTK": "N006", "NTRK2": "N007", "LET7": "M071"},
        genes=("HRAS",),
    ),
    switched(
        "PIK3CA",
        "RTK & (ECM | PTK2) | NTRK2 | SMAD3 | CXCR4 | ACKR3 | CCL5 | IL6 | NFKB1 | !PTEN",
        "phosphorylation_rate",
        "PI3K: PIP3 in the membrane; SMAD3 and NFKB1 stand for the active receptors of TGF-beta, TNF and SAA3",
        {
            "RTK": "M229",
            "ECM": "N009",
            "PTK2": "N010",
            "NTRK2": "M038",
            "SMAD3": "N114",
            "CXCR4": "M260",
            "ACKR3": "MtorBone2018",
            "CCL5": "M183",
            "IL6": "M189;N115",
            "NFKB1": "N117;M154",
            "PTEN": "N008",
        },
        genes=("PIK3CA", "PIK3CB"),
    ),
    switched(
        "MTORC2",
        "(PIK3CA | SMAD3) & !Sirolimus",
        "phosphorylation_rate",
        "mTOR complex 2; SMAD3 stands for the active TGF-beta receptor",
        {"PIK3CA": "N001", "SMAD3": "M246", "Sirolimus": "N011"},
        down="Sirolimus ? {complex_turnover_rate} : {phosphorylation_rate}",
        genes=("MTOR", "RICTOR"),
    ),
    switched(
        "AKT1",
        "PIK3CA & MTORC2",
        "phosphorylation_rate",
        "AKT phosphorylated at S473",
        {"PIK3CA": "M229", "MTORC2": "M248"},
        genes=("AKT1",),
    ),
    switched(
        "TSC2",
        "!Nutrients | !AKT1 & (HIF1A | !MAPK1 & !PTK2)",
        "phosphorylation_rate",
        "TSC1-TSC2, the brake on mTORC1",
        {"Nutrients": "N004", "AKT1": "N002", "HIF1A": "N118", "MAPK1": "N003", "PTK2": "M233"},
        start=1.0,
        genes=("TSC1", "TSC2"),
    ),
    switched(
        "MTORC1",
        "Nutrients & (!TSC2 | ITGAVB3 & HIF1A)",
        "phosphorylation_rate",
        "mTOR complex 1",
        {"Nutrients": "M253", "TSC2": "M234", "ITGAVB3": "M265", "HIF1A": "M265"},
        genes=("MTOR", "RPTOR"),
    ),
    switched(
        "RPS6KB1", "MTORC1", "phosphorylation_rate", "S6 kinase 1, active", {"MTORC1": "M230"}, genes=("RPS6KB1",)
    ),
    switched(
        "EIF4EBP1",
        "!MTORC1",
        "phosphorylation_rate",
        "4E-BP1 without phosphate: the brake on translation",
        {"MTORC1": "M235"},
        start=1.0,
        genes=("EIF4EBP1",),
    ),
    graded(
        "Proliferation",
        "MTORC1 & !CDKN1A & !MAPK14 & !Apoptosis ? (MAPK1 ? 1 : AKT1 ? {cycling_share_without_erk} : 0) : 0",
        "cycle_entry_rate",
        "in the cell cycle",
        {
            "MTORC1": "M263",
            "CDKN1A": "N012",
            "MAPK14": "AguirreGhiso2001",
            "Apoptosis": "M316",
            "MAPK1": "M338",
            "AKT1": "N013",
        },
    ),
)
