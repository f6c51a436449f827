"""Networks inside the cells of a tissue: what sets their inputs, what acts on their nodes, and how they run."""

from paget.tissue.networks.kinetics import BodyKinetics, CellKinetics, Follows, KineticInhibitor, body_states
from paget.tissue.networks.perturbations import (
    Activator,
    Activity,
    Antibody,
    Clamp,
    FractionInhibitor,
    Inhibitor,
    Perturbation,
    Silencing,
)
from paget.tissue.networks.process import CellNetworks, activity_of
from paget.tissue.networks.sensors import HillInput, Sensor, ShareInput, Threshold

__all__ = [
    "Activator",
    "Activity",
    "Antibody",
    "BodyKinetics",
    "CellKinetics",
    "CellNetworks",
    "Clamp",
    "Follows",
    "FractionInhibitor",
    "HillInput",
    "Inhibitor",
    "KineticInhibitor",
    "Perturbation",
    "Sensor",
    "ShareInput",
    "Silencing",
    "Threshold",
    "activity_of",
    "body_states",
]
