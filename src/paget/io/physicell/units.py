"""Units of PhysiCell: minutes, micrometres, and the unit that each substrate is given in."""

from __future__ import annotations

import re

from paget.rules.behaviours import OF_FIELD, Behaviour
from paget.rules.signals import Signal
from paget.units import same_dimension

__all__ = ["TIMES", "behaviour_unit", "readable", "signal_unit"]

# Units here, and the same in the published simulator's base units.
TIMES = {
    "1/h": "1/min",
    "um/h": "um/min",
    "h": "min",
    "um**2/h": "um**2/min",
    "um**3": "um**3",
    "": "",
    OF_FIELD: OF_FIELD,
    f"{OF_FIELD}*pL/h": f"{OF_FIELD}*um**3/min",
}
_PLAIN = {"", "none", "dimensionless", "n/a", "fraction"}


def readable(text: str) -> str | None:
    """A unit as written in a settings file, in the spelling that is understood here; None if it is no unit."""
    text = text.strip()
    if text.lower() in _PLAIN:
        return ""
    text = re.sub(r"\bmicrons?\b|\bmicrometers?\b|\bmicrometres?\b", "um", text).replace("^", "**")
    return text if same_dimension(text, text) else None


def behaviour_unit(behaviour: Behaviour, field_unit: str) -> str:
    """Unit in which PhysiCell has a behaviour."""
    return TIMES[behaviour.unit].replace(OF_FIELD, field_unit or "dimensionless")


def signal_unit(signal: Signal, unit: str) -> str:
    """Unit in which PhysiCell has a signal that is in `unit` here."""
    return "min" if signal.kind == "time" else unit
