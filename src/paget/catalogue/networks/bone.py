"""Osteoclast and osteoblast, with the arms of raptor (mTORC1) and rictor (mTORC2).

Two findings are contested, and each has its switch. In an osteoclast that is mature, mTORC1 holds resorption back
instead of driving it. In human embryonic stem cells, loss of mTORC1 raises BMP signals and late markers, which fall
in fetal calvaria.
"""

from __future__ import annotations

from paget.catalogue.networks.nodes import given, graded, of_module, switched

__all__ = ["OSTEOBLAST", "OSTEOCLAST"]

OSTEOCLAST = (
    given("CSF1", "M-CSF around the cell", genes=("CSF1",)),
    given("TNFSF11", "RANKL around the cell", genes=("TNFSF11",)),
    given("TNFRSF11B", "osteoprotegerin around the cell", genes=("TNFRSF11B",)),
    given("TNF", "TNF around the cell", genes=("TNF",)),
    given("Mature", "choice between findings: 1 for an osteoclast that is mature already"),
    *of_module(
        "osteoclast",
        switched(
            "TNFRSF11A",
            "TNFSF11 & !TNFRSF11B",
            "phosphorylation_rate",
            "RANK, active",
            {"TNFSF11": "N086", "TNFRSF11B": "M304;N087"},
            genes=("TNFRSF11A",),
        ),
        switched(
            "MTORC1",
            "TNFRSF11A | CSF1 | TNF",
            "phosphorylation_rate",
            "mTOR complex 1",
            {"TNFRSF11A": "M283", "CSF1": "M282", "TNF": "M284"},
            genes=("MTOR", "RPTOR"),
        ),
        switched(
            "RPS6KB1", "MTORC1", "phosphorylation_rate", "S6 kinase 1, active", {"MTORC1": "M283"}, genes=("RPS6KB1",)
        ),
        switched(
            "CEBPB_LIP",
            "MTORC1",
            "transcription_rate",
            "LIP, the short C/EBP-beta",
            {"MTORC1": "M287"},
            genes=("CEBPB",),
        ),
        switched("MAFB", "!CEBPB_LIP", "transcription_rate", "MAFB", {"CEBPB_LIP": "M288"}, start=1.0, genes=("MAFB",)),
        switched(
            "NFATC1",
            "TNFRSF11A & !MAFB",
            "transcription_rate",
            "NFATC1",
            {"TNFRSF11A": "N088", "MAFB": "M289;N089"},
            genes=("NFATC1",),
        ),
        switched(
            "Differentiation",
            "Mature | CSF1 & NFATC1 & RPS6KB1",
            "phenotype_rate",
            "an osteoclast",
            {"Mature": "M298", "CSF1": "M282", "NFATC1": "N088;M059", "RPS6KB1": "M285"},
        ),
        switched(
            "Survival",
            "RPS6KB1 | Mature & TNFRSF11A",
            "transcription_rate",
            "kept from apoptosis",
            {"RPS6KB1": "M286", "Mature": "M298", "TNFRSF11A": "N086"},
        ),
        graded(
            "Resorption",
            "Differentiation & TNFRSF11A"
            " ? (Mature ? (MTORC1 ? {mature_resorption_share_with_mtorc1} : 1) : MTORC1 ? 1 : 0) : 0",
            "transcription_rate",
            "resorbs bone",
            {"Differentiation": "M059", "TNFRSF11A": "N086", "Mature": "M298", "MTORC1": "M285;M298;M301"},
        ),
        switched(
            "IGF1_release",
            "Resorption",
            "cytoskeleton_rate",
            "frees IGF-1 and TGF-beta from bone",
            {"Resorption": "M269;M270"},
            genes=("IGF1", "TGFB1"),
        ),
    ),
)

OSTEOBLAST = (
    given("BMP2", "BMP-2 around the cell", genes=("BMP2",)),
    given("WNT", "WNT ligand"),
    given("EDN1", "endothelin-1 around the cell", genes=("EDN1",)),
    given("PTHLH", "PTHrP around the cell", genes=("PTHLH",)),
    given("TNF", "TNF around the cell", genes=("TNF",)),
    given("IL6", "IL-6 around the cell", genes=("IL6",)),
    given("IGF1", "IGF-1 of serum and bone matrix", start=1.0, genes=("IGF1",)),
    given("Embryonic_stem", "choice between findings: 1 for human embryonic stem cells, 0 for fetal calvaria"),
    *of_module(
        "osteoblast",
        graded(
            "MTORC1",
            "BMP2 | WNT ? 1 : IGF1 ? {mtor_share_under_igf1} : 0",
            "phosphorylation_rate",
            "mTOR complex 1",
            {"BMP2": "M293", "WNT": "N090", "IGF1": "N091"},
            genes=("MTOR", "RPTOR"),
        ),
        graded(
            "MTORC2",
            "BMP2 | WNT ? 1 : IGF1 ? {mtor_share_under_igf1} : 0",
            "phosphorylation_rate",
            "mTOR complex 2",
            {"BMP2": "M294", "WNT": "N092", "IGF1": "N091"},
            genes=("MTOR", "RICTOR"),
        ),
        switched(
            "SMAD1",
            "BMP2 | Embryonic_stem & !MTORC1",
            "phosphorylation_rate",
            "SMAD1, active",
            {"BMP2": "M293", "Embryonic_stem": "M297", "MTORC1": "M297"},
            genes=("SMAD1",),
        ),
        switched(
            "CTNNB1",
            "WNT | EDN1",
            "phosphorylation_rate",
            "beta-catenin in the nucleus",
            {"WNT": "N093", "EDN1": "M061"},
            genes=("CTNNB1",),
        ),
        graded(
            "RUNX2",
            "SMAD1 | CTNNB1 ? (MTORC1 ? {early_marker_share_with_mtorc1} : 1) : 0",
            "transcription_rate",
            "RUNX2",
            {"SMAD1": "N094", "CTNNB1": "N093", "MTORC1": "M292"},
            genes=("RUNX2",),
        ),
        graded(
            "SP7",
            "RUNX2 ? (MTORC2 ? 1 : {marker_share_without_mtorc2}) : 0",
            "transcription_rate",
            "osterix",
            {"RUNX2": "N095;M292", "MTORC2": "M294"},
            genes=("SP7",),
        ),
        graded(
            "ALPL",
            "RUNX2 ? (MTORC2 ? 1 : {marker_share_without_mtorc2}) : 0",
            "transcription_rate",
            "alkaline phosphatase",
            {"RUNX2": "N096;M292", "MTORC2": "M294"},
            genes=("ALPL",),
        ),
        graded(
            "BGLAP",
            "SP7 & (MTORC1 | Embryonic_stem) ? (MTORC2 ? 1 : {marker_share_without_mtorc2}) : 0",
            "transcription_rate",
            "osteocalcin",
            {"SP7": "N095", "MTORC1": "M291", "Embryonic_stem": "M297", "MTORC2": "M294"},
            genes=("BGLAP",),
        ),
        graded(
            "IBSP",
            "SP7 & (MTORC1 | Embryonic_stem) ? (MTORC2 ? 1 : {marker_share_without_mtorc2}) : 0",
            "transcription_rate",
            "bone sialoprotein",
            {"SP7": "N095", "MTORC1": "M291", "Embryonic_stem": "M297", "MTORC2": "M294"},
            genes=("IBSP",),
        ),
        switched(
            "COL1A1",
            "RUNX2 & (MTORC1 | Embryonic_stem)",
            "transcription_rate",
            "collagen I",
            {"RUNX2": "N096", "MTORC1": "M291", "Embryonic_stem": "M297"},
            genes=("COL1A1",),
        ),
        graded(
            "TNFSF11",
            "PTHLH | TNF | IL6 ? (MTORC2 ? 1 : {marker_share_without_mtorc2}) : 0",
            "transcription_rate",
            "RANKL that it secretes",
            {"PTHLH": "M274", "TNF": "N097", "IL6": "N098", "MTORC2": "M290"},
            genes=("TNFSF11",),
        ),
        switched(
            "TNFRSF11B",
            "CTNNB1 | !MTORC1",
            "transcription_rate",
            "osteoprotegerin that it secretes",
            {"CTNNB1": "N099", "MTORC1": "M303"},
            genes=("TNFRSF11B",),
        ),
        switched(
            "Mineralisation",
            "ALPL & COL1A1 & (BGLAP | IBSP)",
            "phenotype_rate",
            "lays down bone",
            {"ALPL": "M296", "COL1A1": "M291", "BGLAP": "M296", "IBSP": "M291"},
        ),
    ),
)
