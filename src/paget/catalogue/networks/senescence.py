"""A fibroblast: senescence after damage (p21, then p16), its secretome, senolysis, and activation by TGF-beta."""

from __future__ import annotations

from paget.catalogue.networks.nodes import given, of_module, switched

__all__ = ["FIBROBLAST"]

FIBROBLAST = (
    given("DNA_damage", "broken DNA: chemotherapy reaches this cell"),
    given("Senolytic", "a senolytic at its target (navitoclax, quercetin)"),
    given("TGFB", "TGF-beta around the cell", genes=("TGFB1",)),
    given("LPS", "lipopolysaccharide"),
    *of_module(
        "senescence",
        switched("TP53", "DNA_damage", "phosphorylation_rate", "p53, active", {"DNA_damage": "N052"}, genes=("TP53",)),
        switched("CDKN1A", "TP53", "transcription_rate", "p21", {"TP53": "N055"}, genes=("CDKN1A",)),
        switched(
            "CDKN2A",
            "Senescence",
            "epigenetic_rate",
            "p16, which keeps an old arrest",
            {"Senescence": "N076"},
            genes=("CDKN2A",),
        ),
        switched(
            "Senescence",
            "(CDKN1A | CDKN2A) & !Apoptosis",
            "senescent_state_rate",
            "senescent",
            {"CDKN1A": "M320", "CDKN2A": "N077", "Apoptosis": "M341"},
            down="Apoptosis ? {execution_rate} : {senescent_state_rate}",
        ),
        switched(
            "BCL2L1",
            "!Senolytic",
            "phosphorylation_rate",
            "BCL-XL, free to act",
            {"Senolytic": "M345;M347"},
            start=1.0,
            genes=("BCL2L1",),
        ),
        switched(
            "Apoptosis",
            "Apoptosis | Senescence & !BCL2L1",
            "execution_rate",
            "dies by apoptosis",
            {"Apoptosis": "N058", "Senescence": "M341;M344", "BCL2L1": "M344;M345"},
            up="{senolysis_rate}",
        ),
    ),
    *of_module(
        "secretome",
        switched(
            "RELA",
            "Senescence | LPS",
            "phosphorylation_rate",
            "NF-kB in the nucleus",
            {"Senescence": "N078", "LPS": "N079"},
            genes=("RELA",),
        ),
        switched(
            "SASP",
            "Senescence & RELA",
            "phenotype_rate",
            "secretome of senescence",
            {"Senescence": "M323", "RELA": "N078"},
            down="{transcription_rate}",
        ),
        switched("C3", "SASP", "transcription_rate", "complement C3 that it secretes", {"SASP": "M323"}, genes=("C3",)),
        switched(
            "CXCL1",
            "SASP | LPS & RELA",
            "transcription_rate",
            "CXCL1 that it secretes",
            {"SASP": "M324", "LPS": "N079", "RELA": "N080"},
            genes=("CXCL1",),
        ),
        switched("MIF", "SASP", "transcription_rate", "MIF that it secretes", {"SASP": "M325"}, genes=("MIF",)),
    ),
    *of_module(
        "matrix",
        switched(
            "Activation",
            "TGFB",
            "phenotype_rate",
            "activated (cancer-associated) fibroblast",
            {"TGFB": "N081"},
            genes=("ACTA2",),
        ),
        switched(
            "FN1",
            "TGFB | Activation",
            "transcription_rate",
            "fibronectin that it secretes",
            {"TGFB": "M137", "Activation": "M193"},
            genes=("FN1",),
        ),
    ),
)
