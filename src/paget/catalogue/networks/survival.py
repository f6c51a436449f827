"""Anoikis and apoptosis of a tumour cell: TrkB, FOXO, BIM, BCL2, survivin, p53, autophagy.

Death is a hazard, not a verdict: p53, FAK, autophagy and MMP9 change the rate of anoikis; p53, BCL2, survivin, FAK, dormancy
and EMT the rate at which damaged DNA kills. A cell that has begun apoptosis does not return.
"""

from __future__ import annotations

from paget.catalogue.networks.nodes import graded, of_module, switched

__all__ = ["NODES"]

NODES = of_module(
    "survival",
    switched("NTRK2", "BDNF", "phosphorylation_rate", "TrkB, active", {"BDNF": "M036;M041"}, genes=("NTRK2",)),
    switched(
        "Autophagy",
        "!MTORC1 | !Nutrients",
        "phosphorylation_rate",
        "autophagy",
        {"MTORC1": "M252", "Nutrients": "M253"},
        start=1.0,
        genes=("ULK1",),
    ),
    graded(
        "FOXO3",
        "AKT1 ? 0 : MAPK1 & ECM ? {foxo3_share_under_erk} : 1",
        "phosphorylation_rate",
        "FOXO3 in the nucleus",
        {"AKT1": "M249", "MAPK1": "N044", "ECM": "N044"},
        start=1.0,
        genes=("FOXO3",),
    ),
    switched(
        "FOXO1",
        "!AKT1",
        "phosphorylation_rate",
        "FOXO1 in the nucleus",
        {"AKT1": "M276"},
        start=1.0,
        genes=("FOXO1",),
    ),
    switched(
        "BCL2L11",
        "FOXO3 & !(MAPK1 & ECM) | MAPK1 & !ECM",
        "transcription_rate",
        "BIM; ERK lowers it on matrix and raises it without",
        {"FOXO3": "M250;N045", "MAPK1": "N046;M251", "ECM": "N046"},
        start=1.0,
        genes=("BCL2L11",),
    ),
    switched(
        "BCL2",
        "ECM | AKT1 | NFKB1",
        "transcription_rate",
        "BCL2 and BCL-XL",
        {"ECM": "N049", "AKT1": "N047", "NFKB1": "N048"},
        start=1.0,
        genes=("BCL2", "BCL2L1"),
    ),
    switched(
        "BIRC5",
        "AKT1 & !TP53",
        "transcription_rate",
        "survivin",
        {"AKT1": "N050", "TP53": "N051"},
        genes=("BIRC5",),
    ),
    switched(
        "TP53",
        "DNA_damage | !ECM & !AKT1",
        "phosphorylation_rate",
        "p53, active",
        {"DNA_damage": "N052", "ECM": "N053", "AKT1": "N054"},
        genes=("TP53",),
    ),
    switched(
        "CDKN1A",
        "TP53 | SMAD3 & FOXO3",
        "transcription_rate",
        "p21",
        {"TP53": "N055", "SMAD3": "N056", "FOXO3": "N056"},
        genes=("CDKN1A",),
    ),
    switched(
        "Anoikis",
        "!ECM & BCL2L11 & !BCL2 & !BIRC5",
        "phosphorylation_rate",
        "detached and about to die",
        {
            "ECM": "M029",
            "BCL2L11": "N045",
            "BCL2": "M030;M031",
            "BIRC5": "M032",
            "TP53": "M035",
            "PTK2": "M034",
            "Autophagy": "M254;N057",
            "MMP9": "M033",
        },
        up="{anoikis_rate} * (TP53 ? 1 : {anoikis_share_without_p53}) * (PTK2 ? {anoikis_share_with_fak} : 1)"
        " * (Autophagy ? {anoikis_share_with_autophagy} : 1) * (MMP9 ? {anoikis_share_with_mmp9} : 1)",
    ),
    switched(
        "Apoptosis",
        "Apoptosis | Anoikis | DNA_damage",
        "execution_rate",
        "dies by apoptosis",
        {
            "Apoptosis": "N058",
            "Anoikis": "M029",
            "DNA_damage": "M081;M082",
            "TP53": "N059",
            "BCL2": "N060",
            "BIRC5": "N061",
            "PTK2": "M079",
            "Dormancy": "M316;M063",
            "EMT": "M028",
        },
        up="Anoikis ? {execution_rate} : {damage_death_rate} * (TP53 ? 1 : {damage_share_without_p53})"
        " * (BCL2 | BIRC5 ? {damage_share_with_bcl2} : 1) * (PTK2 ? {damage_share_with_fak} : 1)"
        " * (Dormancy ? {damage_share_in_dormancy} : 1) * (EMT >= 2 ? {damage_share_in_emt} : 1)",
        genes=("CASP3",),
    ),
)
