"""Notch, WNT, Hedgehog, BMI1, EZH2 and let-7 in a tumour cell, and the stem-like state.

WNT, Notch, Hedgehog, BMI1 and EMT each make a share of cells stem-like, and shares add up; without RAS, HMGA2 or EZH2, all held
down by let-7, they are fewer. GLI1 goes with the input HH.
"""

from __future__ import annotations

from paget.catalogue.networks.nodes import graded, of_module, switched

__all__ = ["NODES"]

NODES = of_module(
    "stemness",
    switched(
        "NOTCH1", "DLL", "phosphorylation_rate", "Notch, cut and in the nucleus", {"DLL": "M025"}, genes=("NOTCH1",)
    ),
    switched(
        "CTNNB1", "WNT", "phosphorylation_rate", "beta-catenin in the nucleus", {"WNT": "M024"}, genes=("CTNNB1",)
    ),
    graded(
        "BMI1",
        "MIR200 ? (HH ? {bmi1_share_of_one_cause} : 0) : TWIST1 | HH ? 1 : {bmi1_share_of_one_cause}",
        "transcription_rate",
        "BMI1",
        {"MIR200": "N066", "HH": "N067", "TWIST1": "N068"},
        genes=("BMI1",),
    ),
    switched(
        "EZH2",
        "!LET7 & (MAPK1 | HIF1A)",
        "epigenetic_rate",
        "EZH2 and its mark on histone H3",
        {"LET7": "N069", "MAPK1": "N070", "HIF1A": "N071"},
        genes=("EZH2",),
    ),
    graded(
        "LET7",
        "TWIST1 & BMI1 ? 0 : NFKB1 ? {let7_share_under_nfkb} : 1",
        "microrna_rate",
        "microRNAs of the let-7 family",
        {"TWIST1": "N072", "BMI1": "N072", "NFKB1": "N073"},
        start=1.0,
        genes=("MIRLET7A1",),
    ),
    graded(
        "HMGA2",
        "LET7 ? (SMAD3 ? {hmga2_share_under_let7} : 0) : 1",
        "transcription_rate",
        "HMGA2",
        {"LET7": "M072", "SMAD3": "N074"},
        genes=("HMGA2",),
    ),
    graded(
        "Stemness",
        "min(1, {stemness_share_per_cause} * (CTNNB1 + NOTCH1 + HH + BMI1 + (EMT >= 1)))"
        " * (HRAS ? 1 : {stemness_share_without_aid}) * (HMGA2 ? 1 : {stemness_share_without_aid})"
        " * (EZH2 ? 1 : {stemness_share_without_aid})",
        "phenotype_rate",
        "stem-like",
        {
            "HMGA2": "M074",
            "EZH2": "M003;N071",
            "HRAS": "M073",
            "CTNNB1": "M065",
            "NOTCH1": "M067",
            "HH": "M066",
            "EMT": "N075",
            "BMI1": "M068",
        },
    ),
)
