"""Units of SBML files as text, and back."""

from __future__ import annotations

import functools
import re
from typing import Any

from paget.errors import UnitError
from paget.io.networks.mathml import sbml
from paget.units import to_internal

__all__ = ["define_unit", "unit_text"]

# Units that people write; a definition that equals one of them is called by its name.
_USUAL = (
    *("s", "min", "h", "day", "week", "1/s", "1/min", "1/h", "1/day"),
    *("M", "mM", "uM", "nM", "pM", "mol", "mmol", "umol", "nmol", "pmol", "fmol"),
    *(
        "1/M/s",
        "1/nM/h",
        "1/uM/s",
        "1/uM/min",
        "1/nM/s",
        "1/nM/min",
        "1/pM/day",
        "nM/h",
        "nM/s",
        "nM/min",
        "uM/s",
        "uM/min",
    ),
    *("litre", "ml", "ul", "um", "um**2", "um**3", "cm", "g", "mg", "kg"),
)
# What a unit is made of: (kind of SBML, exponent, scale, multiplier).
_ATOMS = {
    "s": (("second", 1, 0, 1.0),),
    "min": (("second", 1, 0, 60.0),),
    "h": (("second", 1, 0, 3600.0),),
    "day": (("second", 1, 0, 86400.0),),
    "week": (("second", 1, 0, 604800.0),),
    "litre": (("litre", 1, 0, 1.0),),
    "ml": (("litre", 1, -3, 1.0),),
    "ul": (("litre", 1, -6, 1.0),),
    "cm": (("metre", 1, -2, 1.0),),
    "um": (("metre", 1, -6, 1.0),),
    "g": (("gram", 1, 0, 1.0),),
    "mg": (("gram", 1, -3, 1.0),),
    "kg": (("gram", 1, 3, 1.0),),
    "cell": (("item", 1, 0, 1.0),),
    **{
        f"{p}mol": (("mole", 1, s, 1.0),) for p, s in (("", 0), ("m", -3), ("u", -6), ("n", -9), ("p", -12), ("f", -15))
    },
    **{
        f"{prefix}M": (("mole", 1, scale, 1.0), ("litre", -1, 0, 1.0))
        for prefix, scale in (("", 0), ("m", -3), ("u", -6), ("n", -9), ("p", -12))
    },
}
_PART = re.compile(r"\s*([*/]?)\s*(1|[a-zA-Z]+)(?:\*\*(\d))?")


@functools.lru_cache(maxsize=512)
def _called(factor: float, kinds: str, named: str) -> str:
    """The name of a unit that is `factor` times a product of kinds: `named` if it is one and equal, else a usual one."""
    for name in (named, kinds, *_USUAL):
        try:
            if name and abs(to_internal(f"{factor!r} {kinds}", name) - 1.0) < 1e-9:
                return name
        except UnitError:
            continue
    return ""


def unit_text(definition: Any) -> str:
    """A unit definition of libSBML as text; empty for plain numbers, and for units that have no usual name."""
    if definition is None or not definition.getNumUnits():
        return ""
    library, factor = sbml(), 1.0
    powers: dict[str, int] = {}
    for i in range(definition.getNumUnits()):
        unit = definition.getUnit(i)
        kind, exponent = library.UnitKind_toString(unit.getKind()), unit.getExponentAsDouble()
        if exponent != int(exponent) or kind in ("(Invalid UnitKind)", "avogadro", "Celsius"):
            return ""
        factor *= (unit.getMultiplier() * 10.0 ** unit.getScale()) ** int(exponent)
        if kind != "dimensionless":
            name = "cell" if kind == "item" else kind
            powers[name] = powers.get(name, 0) + int(exponent)
    above = "*".join(f"{kind}**{power}" if power > 1 else kind for kind, power in powers.items() if power > 0)
    below = "".join(f"/{kind}**{-power}" if power < -1 else f"/{kind}" for kind, power in powers.items() if power < 0)
    # A definition that we wrote is named by the text that it was written from.
    return _called(factor, (above or "1") + below, definition.getName() or "") if above + below else ""


def define_unit(model: Any, text: str) -> str:
    """Define a unit in a model of libSBML, once; returns its id, or nothing for plain numbers and what SBML cannot say."""
    if not text:
        return "dimensionless"
    ident = "unit_" + re.sub(r"\W+", "_", text.replace("/", " per ")).strip("_")
    if model.getUnitDefinition(ident) is not None:
        return ident
    parts: list[tuple[str, int, int, float]] = []
    at = 0
    while at < len(text):
        found = _PART.match(text, at)
        if found is None or found.end() == at or (found[2] != "1" and found[2] not in _ATOMS):
            return ""
        power = int(found[3] or 1) * (-1 if found[1] == "/" else 1)
        parts += [(kind, e * power, s, m) for kind, e, s, m in (_ATOMS[found[2]] if found[2] != "1" else ())]
        at = found.end()
    definition = model.createUnitDefinition()
    definition.setId(ident)
    definition.setName(text)
    library = sbml()
    for kind, exponent, scale, multiplier in parts:
        unit = definition.createUnit()
        unit.setKind(library.UnitKind_forName(kind))
        unit.setExponent(exponent)
        unit.setScale(scale)
        unit.setMultiplier(multiplier)
    return ident
