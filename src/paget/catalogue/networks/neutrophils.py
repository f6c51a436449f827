"""A neutrophil: recruitment by CXCR2 through mTORC2, PKC, RHOA and myosin II, and NETosis through PAD4."""

from __future__ import annotations

from paget.catalogue.networks.nodes import given, graded, of_module, switched

__all__ = ["NEUTROPHIL"]

NEUTROPHIL = (
    given("C3", "complement C3a around the cell", genes=("C3",)),
    given("CXCL1", "CXCL1 around the cell", genes=("CXCL1",)),
    given("MIF", "MIF around the cell", genes=("MIF",)),
    given("CSF3", "G-CSF around the cell", genes=("CSF3",)),
    given("LPS", "lipopolysaccharide"),
    *of_module(
        "recruitment",
        switched(
            "CXCR2",
            "CXCL1 | MIF",
            "polarisation_rate",
            "CXCR2, active",
            {"CXCL1": "M327", "MIF": "M328;N082"},
            genes=("CXCR2",),
        ),
        switched("C3AR1", "C3", "polarisation_rate", "C3a receptor, active", {"C3": "M326"}, genes=("C3AR1",)),
        switched(
            "MTORC2",
            "CXCR2 | C3AR1",
            "polarisation_rate",
            "mTOR complex 2",
            {"CXCR2": "N083", "C3AR1": "M355"},
            genes=("MTOR", "RICTOR"),
        ),
        switched("PRKCA", "MTORC2", "polarisation_rate", "PKC, active", {"MTORC2": "M245"}, genes=("PRKCA",)),
        switched("RHOA", "PRKCA", "polarisation_rate", "RHOA with ROCK", {"PRKCA": "M245"}, genes=("RHOA", "ROCK1")),
        switched("MYH9", "RHOA", "polarisation_rate", "myosin II, phosphorylated", {"RHOA": "M245"}, genes=("MYH9",)),
        switched(
            "Chemotaxis",
            "MYH9 & CXCR2 & !NETosis",
            "polarisation_rate",
            "moves up a gradient",
            {"MYH9": "M245", "CXCR2": "M327", "NETosis": "M329"},
        ),
    ),
    *of_module(
        "traps",
        graded(
            "PADI4",
            "LPS | CSF3 ? 1 : {pad4_share_per_receptor} * (C3AR1 + CXCR2)",
            "phosphorylation_rate",
            "PAD4, active",
            {"LPS": "M348", "CSF3": "M351", "C3AR1": "M326", "CXCR2": "M328;N084"},
            genes=("PADI4",),
        ),
        switched(
            "NETosis",
            "NETosis | PADI4",
            "trap_release_rate",
            "has thrown out its chromatin",
            {"NETosis": "M329", "PADI4": "N085"},
        ),
        switched(
            "ELANE",
            "NETosis",
            "phosphorylation_rate",
            "neutrophil elastase on traps",
            {"NETosis": "M330"},
            genes=("ELANE",),
        ),
        switched("MMP9", "NETosis", "phosphorylation_rate", "MMP9 on traps", {"NETosis": "M331"}, genes=("MMP9",)),
    ),
    *of_module(
        "immunity",
        switched(
            "NK_suppression",
            "CSF3 & !NETosis",
            "phenotype_rate",
            "holds natural killer cells back",
            {"CSF3": "M174;M175", "NETosis": "M329"},
        ),
    ),
)
