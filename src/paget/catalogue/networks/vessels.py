"""Endothelium: VEGF receptors and mTOR, junctions under exosomal miR-25-3p, lymphatics, and the signals of quiet and sprouting vessels."""

from __future__ import annotations

from paget.catalogue.networks.nodes import given, graded, of_module, switched

__all__ = ["ENDOTHELIUM"]

ENDOTHELIUM = (
    given("VEGFA", "VEGF-A around the cell", genes=("VEGFA",)),
    given("VEGFC", "VEGF-C and VEGF-D around the cell", genes=("VEGFC", "VEGFD")),
    given("TNF", "TNF around the cell", genes=("TNF",)),
    given("MIR25", "miR-25-3p from exosomes of the tumour", genes=("MIR25",)),
    given("Sprouting_cue", "chosen as the tip of a sprout"),
    given("ANGPT2", "angiopoietin-2 around the cell", genes=("ANGPT2",)),
    *of_module(
        "angiogenesis",
        graded(
            "KDR",
            "VEGFA ? (KLF2 ? {vegfr2_share_with_klf2} : 1) : 0",
            "phosphorylation_rate",
            "VEGFR2, active",
            {"VEGFA": "M045;N105", "KLF2": "M142"},
            genes=("KDR",),
        ),
        switched("FLT4", "VEGFC", "phosphorylation_rate", "VEGFR3, active", {"VEGFC": "M051;M052"}, genes=("FLT4",)),
        switched(
            "MTORC2",
            "KDR | FLT4",
            "phosphorylation_rate",
            "mTOR complex 2",
            {"KDR": "N106", "FLT4": "N107"},
            genes=("MTOR", "RICTOR"),
        ),
        switched(
            "AKT1",
            "(KDR | FLT4) & MTORC2",
            "phosphorylation_rate",
            "AKT phosphorylated at S473",
            {"KDR": "N106", "FLT4": "N107", "MTORC2": "M248"},
            genes=("AKT1",),
        ),
        switched(
            "MTORC1",
            "AKT1 | KDR | FLT4",
            "phosphorylation_rate",
            "mTOR complex 1",
            {"AKT1": "N002", "KDR": "M278", "FLT4": "M311"},
            genes=("MTOR", "RPTOR"),
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
            "Tube_formation",
            "KDR & MTORC1 & !FOXO1",
            "transcription_rate",
            "forms tubes and sprouts",
            {"KDR": "M045", "MTORC1": "M278", "FOXO1": "M276"},
        ),
        switched(
            "Lymphangiogenesis",
            "FLT4 & MTORC1",
            "transcription_rate",
            "forms lymphatic sprouts",
            {"FLT4": "M053", "MTORC1": "M311"},
        ),
        graded(
            "Survival",
            "FOXO1 ? (KLF2 ? {survival_share_with_foxo1} : {survival_share_without_klf2}) : 1",
            "transcription_rate",
            "kept from apoptosis",
            {"FOXO1": "M276;N108", "KLF2": "N109"},
            start=1.0,
        ),
    ),
    *of_module(
        "barrier",
        switched(
            "KLF2",
            "!MIR25 & !TNF",
            "transcription_rate",
            "KLF2",
            {"MIR25": "M140", "TNF": "N110"},
            start=1.0,
            genes=("KLF2",),
        ),
        switched("KLF4", "!MIR25", "transcription_rate", "KLF4", {"MIR25": "M141"}, start=1.0, genes=("KLF4",)),
        graded(
            "Junctions",
            "KLF4 ? (KDR | ANGPT2 | TNF ? {junction_share_when_loosened} : 1) : 0",
            "transcription_rate",
            "tight junctions (ZO-1, occludin, claudin-5)",
            {"KLF4": "M143", "KDR": "N111", "ANGPT2": "N112", "TNF": "N113"},
            start=1.0,
            genes=("TJP1", "OCLN", "CLDN5"),
        ),
        switched(
            "Permeability",
            "!Junctions",
            "phosphorylation_rate",
            "leaks",
            {"Junctions": "M144"},
        ),
    ),
    *of_module(
        "niche",
        switched(
            "THBS1",
            "!Sprouting_cue & !Tube_formation",
            "transcription_rate",
            "thrombospondin-1 of a quiet vessel",
            {"Sprouting_cue": "Ghajar2013", "Tube_formation": "Ghajar2013"},
            start=1.0,
            genes=("THBS1",),
        ),
        switched(
            "TGFB1",
            "Sprouting_cue",
            "transcription_rate",
            "TGF-beta of a tip cell",
            {"Sprouting_cue": "M267"},
            genes=("TGFB1",),
        ),
        switched(
            "POSTN", "Sprouting_cue", "transcription_rate", "periostin of a tip cell", {"Sprouting_cue": "M267"}, genes=("POSTN",)
        ),
        switched(
            "S100A8",
            "TNF | VEGFA | TGFB1",
            "transcription_rate",
            "S100A8 and S100A9 that it secretes",
            {"TNF": "M146", "VEGFA": "M147", "TGFB1": "M148"},
            genes=("S100A8", "S100A9"),
        ),
        switched(
            "SAA3",
            "S100A8",
            "transcription_rate",
            "SAA3 that it secretes; it keeps itself up through TLR4 and NF-kB",
            {"S100A8": "M150;M151;M152;M153"},
            down="{self_sustained_rate}",
            genes=("SAA3",),
        ),
    ),
)
