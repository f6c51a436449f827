"""Dormancy of a tumour cell: attached, alive, without ERK and out of the cell cycle."""

from __future__ import annotations

from paget.catalogue.networks.nodes import of_module, switched

__all__ = ["NODES"]

NODES = of_module(
    "dormancy",
    switched(
        "Dormancy",
        "ECM & !MAPK1 & !Proliferation & !Apoptosis",
        "phenotype_rate",
        "dormant",
        {"ECM": "M266", "MAPK1": "M338", "Proliferation": "M266", "Apoptosis": "M266"},
        start=1.0,
    ),
)
