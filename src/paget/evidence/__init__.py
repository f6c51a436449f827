"""Why believe a number: parameters with unit and basis, and the sources they point to."""

from paget.evidence.observations import Observation, ObservationTable, load_observations
from paget.evidence.parameters import Parameter, ParameterTable, load_parameters
from paget.evidence.sources import Source, load_sources

__all__ = [
    "Observation",
    "ObservationTable",
    "Parameter",
    "ParameterTable",
    "Source",
    "load_observations",
    "load_parameters",
    "load_sources",
]
