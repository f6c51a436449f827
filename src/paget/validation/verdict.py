"""Agree, disagree, or not testable: one rule for each kind of finding.

====================  ==========================================================================================
finding               the simulation agrees if
====================  ==========================================================================================
up, down              it goes that way with p < 0.05 and by at least 10 % of the control
unchanged             the 95 % interval of the ratio to the control lies within 0.8 to 1.25
abolished             the upper end of the 95 % interval of the ratio to the control is below 0.2
a number              the published value lies in the simulated 95 % interval, or the simulated value in the published interval;
                      if it is published as a change, the simulated interval also lies on that side of no change
====================  ==========================================================================================

A number that was published without an interval is taken as 10 % of itself more or less. No effect where one was published is
disagreement, not a matter of more animals. That two wide intervals touch is not agreement.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from paget.evidence import Observation
from paget.validation.measured import Measured

__all__ = [
    "EQUIVALENT",
    "GONE",
    "NEGLIGIBLE",
    "SIGNIFICANT",
    "UNSTATED",
    "Outcome",
    "Verdict",
    "judge",
    "published_interval",
]

Outcome = Literal["agree", "disagree", "not testable"]
SIGNIFICANT = 0.05
NEGLIGIBLE = 0.1
EQUIVALENT = (0.8, 1.25)
GONE = 0.2
UNSTATED = 0.1
_NO_CHANGE = {"ratio": 1.0, "hazard ratio": 1.0}
_SIGNS = {"up": 1, "down": -1}


@dataclass(frozen=True)
class Verdict:
    """What was concluded, and why in a few words."""

    outcome: Outcome
    why: str


def published_interval(observation: Observation) -> tuple[float, float]:
    """Ends of what was published; infinite where it has none.

    >>> from paget.evidence import load_observations
    >>> published_interval(load_observations()["H084"])
    (23.0, 50.0)
    """
    o = observation
    if math.isnan(o.low) and math.isnan(o.high):
        spread = UNSTATED * abs(o.value)
        return o.value - spread, o.value + spread
    return (-math.inf if math.isnan(o.low) else o.low), (math.inf if math.isnan(o.high) else o.high)


def judge(observation: Observation, measured: Measured) -> Verdict:
    """Hold a simulated number against what was published."""
    if math.isnan(measured.value):
        return Verdict("not testable", "the simulation gives no number here")
    match observation.kind:
        case "direction" if observation.direction in _SIGNS or observation.direction == "shift":
            return _direction(measured, _SIGNS.get(observation.direction, 1))
        case "direction":
            return _unchanged(measured)
        case "abolition":
            return _abolished(measured)
        case _:
            return _number(observation, measured)


def _direction(measured: Measured, sign: int) -> Verdict:
    towards = {1: "higher", -1: "lower"}[sign]
    if measured.sign == sign and measured.p < SIGNIFICANT and abs(measured.value - 1.0) < NEGLIGIBLE:
        return Verdict("disagree", f"{towards}, but by less than {100 * NEGLIGIBLE:.0f} %")
    if measured.sign == sign and measured.p < SIGNIFICANT:
        return Verdict("agree", f"{towards}, as published")
    if measured.sign == -sign and measured.p < SIGNIFICANT:
        return Verdict("disagree", "goes the other way")
    return Verdict("disagree", f"no {'rise' if sign > 0 else 'fall'} was found")


def _unchanged(measured: Measured) -> Verdict:
    least, most = EQUIVALENT
    if least <= measured.low and measured.high <= most:
        return Verdict("agree", "unchanged, as published")
    if measured.p < SIGNIFICANT:
        return Verdict("disagree", f"is {'higher' if measured.sign > 0 else 'lower'}, and was found unchanged")
    return Verdict("disagree", "may be unchanged, but a difference is not excluded")


def _abolished(measured: Measured) -> Verdict:
    if measured.high < GONE:
        return Verdict("agree", "nearly nothing is left, as published")
    if measured.sign < 0 and measured.p < SIGNIFICANT:
        return Verdict("disagree", "is lower, but not abolished")
    return Verdict("disagree", "is not lowered")


def _number(observation: Observation, measured: Measured) -> Verdict:
    low, high = published_interval(observation)
    ours = (
        measured.value if math.isnan(measured.low) else measured.low,
        measured.value if math.isnan(measured.high) else measured.high,
    )
    sign = _SIGNS.get(observation.direction, 0)
    null = _NO_CHANGE.get(observation.kind, 0.0)
    published = observation.value if not math.isnan(observation.value) else 0.5 * (low + high)
    compared = observation.kind not in ("share", "time", "concentration")
    if compared and sign and math.isfinite(published):
        side = math.copysign(1.0, published - null)
        if min(side * (end - null) for end in ours) <= 0.0:
            return Verdict("disagree", "no change in the published direction was found")
    if low <= measured.value <= high:
        return Verdict("agree", "within the published interval")
    if ours[0] <= observation.value <= ours[1]:
        return Verdict("agree", "the published value is within the simulated interval")
    way = "low" if measured.value < low else "high"
    touching = ours[0] <= high and ours[1] >= low
    return Verdict("disagree", f"too {way}, though the intervals touch" if touching else f"too {way}")
