"""What a tumour cell sends ahead of itself: exosomes, and signals that quieten natural killer cells."""

from __future__ import annotations

from paget.catalogue.networks.nodes import of_module, switched

__all__ = ["NODES"]

NODES = of_module(
    "secretome",
    switched(
        "Exosomes",
        "HIF1A | Invadopodia | DNA_damage",
        "transcription_rate",
        "exosomes with MET and other cargo, released in excess",
        {"HIF1A": "N120;M135", "Invadopodia": "N121", "DNA_damage": "N122"},
        genes=("RAB27A", "CD63", "MET"),
    ),
    switched(
        "NK_suppression",
        "CCL2 | HIF1A | TGFB1",
        "transcription_rate",
        "factors that keep natural killer cells from killing",
        {"CCL2": "M170", "HIF1A": "M172", "TGFB1": "N123"},
    ),
)
