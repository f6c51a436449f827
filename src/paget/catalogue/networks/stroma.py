"""A mesenchymal stem cell: osteopontin to CCL5 and to a cancer-associated fibroblast, licensing by interferon-gamma and TNF.

Osteopontin of the tumour binds integrin alpha-v beta-3; JUN then makes CCL5 and turns the cell into a fibroblast. What it
secretes as a stem cell ends when it becomes a fat cell.
"""

from __future__ import annotations

from paget.catalogue.networks.nodes import given, graded, of_module, switched

__all__ = ["MESENCHYMAL_STEM_CELL"]

MESENCHYMAL_STEM_CELL = (
    given("SPP1", "osteopontin of the tumour", genes=("SPP1",)),
    given("TNF", "TNF around the cell", genes=("TNF",)),
    given("IFNG", "interferon-gamma around the cell", genes=("IFNG",)),
    given("IL1B", "IL-1-beta around the cell", genes=("IL1B",)),
    given("WNT", "WNT ligand"),
    *of_module(
        "tumour education",
        switched(
            "ITGAVB3",
            "SPP1",
            "phosphorylation_rate",
            "integrin alpha-v beta-3, engaged",
            {"SPP1": "M184"},
            genes=("ITGAV", "ITGB3"),
        ),
        switched("JUN", "ITGAVB3", "phosphorylation_rate", "JUN homodimers", {"ITGAVB3": "M185"}, genes=("JUN",)),
        switched("CCL5", "JUN", "transcription_rate", "CCL5 that it secretes", {"JUN": "M186"}, genes=("CCL5",)),
        switched(
            "CAF", "JUN", "phenotype_rate", "a cancer-associated fibroblast", {"JUN": "M187"}, genes=("ACTA2", "S100A4")
        ),
        switched(
            "IL6",
            "CAF | IL1B | TNF",
            "transcription_rate",
            "IL-6 that it secretes",
            {"CAF": "M188", "IL1B": "N100", "TNF": "N100"},
            genes=("IL6",),
        ),
        switched("TNC", "CAF", "transcription_rate", "tenascin-C", {"CAF": "M190"}, genes=("TNC",)),
        switched("CXCL12", "CAF", "transcription_rate", "CXCL12 that it secretes", {"CAF": "M187"}, genes=("CXCL12",)),
    ),
    *of_module(
        "immunity",
        graded(
            "IDO1",
            "IFNG ? (TNF ? 1 : {licence_share_of_interferon}) : 0",
            "transcription_rate",
            "IDO",
            {"IFNG": "M203;N101", "TNF": "M203"},
            genes=("IDO1",),
        ),
        switched(
            "NOS2",
            "IFNG & (TNF | IL1B)",
            "transcription_rate",
            "inducible nitric oxide synthase",
            {"IFNG": "M203", "TNF": "M203", "IL1B": "N102"},
            genes=("NOS2",),
        ),
    ),
    *of_module(
        "lineage",
        switched(
            "CTNNB1", "WNT", "phosphorylation_rate", "beta-catenin in the nucleus", {"WNT": "N103"}, genes=("CTNNB1",)
        ),
        graded(
            "Adipogenesis",
            "CTNNB1 | CAF | TNF ? 0 : {adipogenic_share}",
            "differentiation_rate",
            "becomes a fat cell",
            {"CTNNB1": "M295", "CAF": "M187", "TNF": "N104"},
            genes=("PPARG",),
        ),
        switched(
            "TGFB1",
            "!Adipogenesis | CAF",
            "transcription_rate",
            "TGF-beta that it secretes",
            {"Adipogenesis": "M198", "CAF": "M198"},
            start=1.0,
            genes=("TGFB1",),
        ),
        switched(
            "HGF",
            "!Adipogenesis | TNF",
            "transcription_rate",
            "HGF that it secretes",
            {"Adipogenesis": "M199", "TNF": "M199"},
            start=1.0,
            genes=("HGF",),
        ),
        switched(
            "IL17B",
            "!Adipogenesis",
            "transcription_rate",
            "IL-17B that it secretes",
            {"Adipogenesis": "M195"},
            start=1.0,
            genes=("IL17B",),
        ),
    ),
)
