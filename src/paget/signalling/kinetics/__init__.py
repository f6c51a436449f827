"""Rate equations of molecules and cells: as data, checked, solved for one system or for one in each of many cells."""

from paget.signalling.kinetics.cells import Cells, advance, observed, per_hour, start
from paget.signalling.kinetics.program import Equations, equations
from paget.signalling.kinetics.solving import Change, Course, Doses, solve
from paget.signalling.kinetics.steady import SteadyState, steady_state
from paget.signalling.kinetics.system import TIME, Compartment, Event, Kinetics, Reaction, Rule, Species

__all__ = [
    "TIME",
    "Cells",
    "Change",
    "Compartment",
    "Course",
    "Doses",
    "Equations",
    "Event",
    "Kinetics",
    "Reaction",
    "Rule",
    "Species",
    "SteadyState",
    "advance",
    "equations",
    "observed",
    "per_hour",
    "solve",
    "start",
    "steady_state",
]
