"""Networks inside the cells of a tissue: what sets their inputs, what acts on their nodes, and how they run."""

from paget.tissue.networks.perturbations import (
    Activator,
    Antibody,
    Clamp,
    FractionInhibitor,
    Inhibitor,
    Perturbation,
    Silencing,
)
from paget.tissue.networks.process import CellNetworks, activity_of
from paget.tissue.networks.sensors import HillInput, Sensor, Threshold

__all__ = [
    "Activator",
    "Antibody",
    "CellNetworks",
    "Clamp",
    "FractionInhibitor",
    "HillInput",
    "Inhibitor",
    "Perturbation",
    "Sensor",
    "Silencing",
    "Threshold",
    "activity_of",
]
