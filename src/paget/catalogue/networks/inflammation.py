"""Chemokine receptors, TLR4 and NF-kB of a tumour cell. TLR4 goes with NF-kB."""

from __future__ import annotations

from paget.catalogue.networks.nodes import of_module, switched

__all__ = ["CHEMOTAXIS", "NODES"]

CHEMOTAXIS = of_module(
    "chemotaxis",
    switched("CXCR4", "CXCL12", "phosphorylation_rate", "CXCR4, active", {"CXCL12": "M256"}, genes=("CXCR4",)),
    switched("ACKR3", "CXCL12", "phosphorylation_rate", "CXCR7, active", {"CXCL12": "M257"}, genes=("ACKR3",)),
)

NODES = of_module(
    "inflammation",
    switched(
        "NFKB1",
        "SAA3 | TNF",
        "phosphorylation_rate",
        "NF-kB in the nucleus",
        {"SAA3": "M151;M152", "TNF": "N064"},
        genes=("NFKB1", "RELA", "TLR4"),
    ),
    switched("CCL2", "NFKB1", "transcription_rate", "CCL2 that the cell secretes", {"NFKB1": "N065"}, genes=("CCL2",)),
)
