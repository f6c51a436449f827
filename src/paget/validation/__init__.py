"""Does the simulated biology reproduce what was published? Observations, how each is tested, verdicts, and the scorecard."""

from paget.validation.case import Case, Computation, StudyRun, Untested
from paget.validation.measured import Measured
from paget.validation.scorecard import Row, Scorecard, validate
from paget.validation.verdict import Verdict, judge

__all__ = [
    "Case",
    "Computation",
    "Measured",
    "Row",
    "Scorecard",
    "StudyRun",
    "Untested",
    "Verdict",
    "judge",
    "validate",
]
