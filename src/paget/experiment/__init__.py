"""What we do to a model: arms, interventions, replicates, readouts. A study is a value; every edit gives a new one.

Quantities are written as text with a unit (``"5 mg/kg"``, ``"7 day"``) and held as floats in internal units. A moment is such
a time, or is told by what happens: ``"7 day after the last dose"``, ``"when nodules reaches 2"``.
Reading a study from a file, with file and line in its errors, is `paget.io.study_file`.
"""

from paget.experiment.arm import Administration, Arm
from paget.experiment.interventions import (
    KINDS,
    Antibody,
    Depletion,
    Dose,
    Injection,
    Intervention,
    Lasting,
    Override,
    Perturbation,
    Resection,
)
from paget.experiment.moments import Condition, Moment
from paget.experiment.schedule import Act, Plan, conditions, plan
from paget.experiment.study import Branch, Recording, Study
from paget.experiment.sweep import Sweep
from paget.settings import HOURS_PER_DAY

__all__ = [
    "HOURS_PER_DAY",
    "KINDS",
    "Act",
    "Administration",
    "Antibody",
    "Arm",
    "Branch",
    "Condition",
    "Depletion",
    "Dose",
    "Injection",
    "Intervention",
    "Lasting",
    "Moment",
    "Override",
    "Perturbation",
    "Plan",
    "Recording",
    "Resection",
    "Study",
    "Sweep",
    "conditions",
    "plan",
]
