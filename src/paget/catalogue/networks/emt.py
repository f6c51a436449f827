"""TGF-beta, the transcription factors of EMT and their brake miR-200 in a tumour cell.

TGF-beta with mTORC2, or Notch with hypoxia, call SNAI1 for most of the time, every other inducer by itself calls SNAI1 or
TWIST1 for a lesser share of it, and shares add up. Full EMT needs ZEB1, which miR-200 holds down until SNAI1 lasts; without
it EMT stays partial. CDH2 goes with EMT. TGF-beta of the cell's own making stays latent until integrin alpha-v beta-3 frees it.
"""

from __future__ import annotations

from paget.catalogue.networks.nodes import graded, of_module, switched

__all__ = ["NODES"]

NODES = of_module(
    "EMT",
    switched(
        "TGFB1", "MTORC1", "transcription_rate", "TGF-beta that the cell secretes", {"MTORC1": "M239"}, genes=("TGFB1",)
    ),
    switched(
        "SMAD3",
        "TGFB | TGFB1 & ITGAVB3 & !MIR200",
        "phosphorylation_rate",
        "SMAD3, active",
        {"TGFB": "M015", "TGFB1": "N020", "ITGAVB3": "N021", "MIR200": "N020"},
        genes=("SMAD3", "TGFBR1"),
    ),
    switched(
        "PTHLH",
        "SMAD3",
        "transcription_rate",
        "PTHrP that the cell secretes",
        {"SMAD3": "M273"},
        genes=("PTHLH",),
    ),
    graded(
        "SNAI1",
        "TP53 ? 0 : min(1, (SMAD3 & MTORC2 | NOTCH1 & HIF1A ? {strong_inducer_share} : 0)"
        " + {weak_inducer_share} * (NOTCH1 + HH + NFKB1 + MAPK1))",
        "transcription_rate",
        "SNAI1",
        {
            "TP53": "N022",
            "SMAD3": "M015",
            "MTORC2": "M247",
            "NOTCH1": "M025;N023",
            "HIF1A": "N023",
            "HH": "M026;N024",
            "NFKB1": "N025",
            "MAPK1": "M016;M017",
        },
        genes=("SNAI1",),
    ),
    graded(
        "TWIST1",
        "min(1, {weak_inducer_share} * (HIF1A + CTNNB1 + NFKB1 + IL6 + NTRK2 + HMGA2))",
        "transcription_rate",
        "TWIST1",
        {
            "HIF1A": "N026",
            "CTNNB1": "M024",
            "NFKB1": "N027",
            "IL6": "N028",
            "NTRK2": "N029",
            "HMGA2": "N030",
        },
        genes=("TWIST1",),
    ),
    switched(
        "ZEB1",
        "!MIR200 & (SNAI1 | TWIST1 | CTNNB1)",
        "transcription_rate",
        "ZEB1",
        {"MIR200": "N031", "SNAI1": "N032", "TWIST1": "N033", "CTNNB1": "N034"},
        genes=("ZEB1",),
    ),
    switched(
        "MIR200",
        "!ZEB1 & !SNAI1",
        "microrna_rate",
        "microRNAs of the miR-200 family",
        {"ZEB1": "N031", "SNAI1": "N032"},
        start=1.0,
        genes=("MIR200A", "MIR200B", "MIR200C"),
    ),
    switched(
        "CDH1",
        "Contact & !SNAI1 & !ZEB1 & !TWIST1 & !EZH2",
        "transcription_rate",
        "E-cadherin in junctions",
        {"Contact": "N035", "SNAI1": "M018", "ZEB1": "N031", "TWIST1": "M019", "EZH2": "N036"},
        start=1.0,
        genes=("CDH1",),
    ),
    switched(
        "EMT",
        ("SNAI1 | TWIST1 | ZEB1", "ZEB1 & !MIR200"),
        "partial_emt_rate",
        "epithelial-mesenchymal transition: partial, full (with N-cadherin)",
        {
            "SNAI1": "M018",
            "TWIST1": "M020",
            "ZEB1": "N031",
            "MIR200": "N031",
            "EMT": "N032",
            "RHOA": "M242",
            "RAC1": "M242",
        },
        up="EMT >= 1 ? {full_emt_rate} * (RHOA | RAC1 ? 1 : {emt_speed_without_gtpases}) : {partial_emt_rate}",
        genes=("CDH2", "VIM", "FN1"),
    ),
)
