"""Designs of virtual experiments: how many animals a study needs, dose-response curves, synergy, and what matters in a sweep.

A sweep, `paget.experiment.Sweep`, makes the arms; the functions here read the result. scipy and pandas are imported when
something is computed.
"""

from __future__ import annotations

from paget.design.dose_response import DoseResponse, dose_response
from paget.design.hill import Constraints
from paget.design.power import Detectable, PowerCurve, PowerPoint, power_at, power_curve, smallest_effect
from paget.design.resampling import Estimate
from paget.design.scenario import Scenario, from_result, plan
from paget.design.sensitivity import Influence, Sensitivity, sensitivity
from paget.design.synergy import Single, SynergyMap, Well, synergy

__all__ = [
    "Constraints",
    "Detectable",
    "DoseResponse",
    "Estimate",
    "Influence",
    "PowerCurve",
    "PowerPoint",
    "Scenario",
    "Sensitivity",
    "Single",
    "SynergyMap",
    "Well",
    "dose_response",
    "from_result",
    "plan",
    "power_at",
    "power_curve",
    "sensitivity",
    "smallest_effect",
    "synergy",
]
