"""Tissues: kinds of cell as data, the mechanisms that all of them share, and a builder that turns them into a model."""

from paget.tissue.body import BodyVariable, PlasmaLevel
from paget.tissue.definition import (
    Apoptosis,
    CellDefinition,
    Cycle,
    CyclePhase,
    Exchange,
    Interactions,
    Mechanical,
    Motility,
    Necrosis,
    OxygenDependence,
    Volume,
)
from paget.tissue.fields import FieldBinding, HeldVoxels, Substrate
from paget.tissue.placing import Cells, close_packed_ball, hexagonal_disc
from paget.tissue.tissue import Tissue

__all__ = [
    "Apoptosis",
    "BodyVariable",
    "CellDefinition",
    "Cells",
    "Cycle",
    "CyclePhase",
    "Exchange",
    "FieldBinding",
    "HeldVoxels",
    "Interactions",
    "Mechanical",
    "Motility",
    "Necrosis",
    "OxygenDependence",
    "PlasmaLevel",
    "Substrate",
    "Tissue",
    "Volume",
    "close_packed_ball",
    "hexagonal_disc",
]
