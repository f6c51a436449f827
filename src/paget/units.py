"""Units, parsed once at the boundary: text with a unit goes in, a float in an internal unit comes out.

Internal units are the ones in which tissues are discussed: um, h, nM, mg/kg for doses, mmHg for oxygen.
pint is imported only when a text has to be read, so that kernels and start-up stay light.
"""

from __future__ import annotations

import functools
import math
import re
from typing import TYPE_CHECKING, Any

from paget.errors import UnitError

if TYPE_CHECKING:
    import pint

__all__ = ["format_quantity", "same_dimension", "to_internal"]

# A unit is an expression to pint, which would spend hours on 10**10**10; only names of units may be raised to a power.
_POWER_OF_NUMBER = re.compile(r"[^\s*^A-Za-zµμΩΩÅ°]\s*(\*\*|\^)")
LONGEST_TEXT = 80
_BARE_NUMBER = re.compile(r"^\s*[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?\s*$")


@functools.cache
def _registry() -> pint.UnitRegistry[Any]:
    import pint

    registry: pint.UnitRegistry[Any] = pint.UnitRegistry(cache_folder=None)
    registry.define("cell = [cell_count]")
    registry.define("molecule = 1 / 6.02214076e23 * mole")
    registry.define("nanotrap = [trap_amount]")
    return registry


@functools.lru_cache(maxsize=4096)
def _factor(given: str, unit: str) -> float:
    registry = _registry()
    try:
        quantity = registry.Quantity(1.0, given or "dimensionless")
        return float(quantity.to(unit or "dimensionless").magnitude)
    except Exception as problem:  # pint raises many kinds; all mean the same to a user
        raise UnitError(f"'{given or 'no unit'}' cannot be converted to {unit or 'a plain number'}") from problem


@functools.lru_cache(maxsize=4096)
def _parse(text: str, unit: str) -> float:
    match = re.match(r"^\s*([-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?)\s*(.*)$", text)
    if not match:
        raise UnitError(f"cannot read '{text}' as a quantity in {unit or 'plain numbers'}")
    number, given = float(match.group(1)), match.group(2).strip()
    if len(text) > LONGEST_TEXT or _POWER_OF_NUMBER.search(given):
        raise UnitError(f"cannot read '{text[:LONGEST_TEXT]}' as a quantity in {unit or 'plain numbers'}")
    if given == "%" and unit == "":
        return number / 100.0
    if not given and unit:
        raise UnitError(f"'{text}' has no unit; expected a quantity convertible to {unit}")
    if given in ("d", "days") and unit:
        given = "day"
    if given.startswith("/"):
        given = f"1 {given}"
    try:
        return number * _factor(given, unit)
    except UnitError as problem:
        raise UnitError(f"'{text}' is not convertible to {unit or 'a plain number'}") from problem


def to_internal(value: str | float | int, unit: str) -> float:
    """Turn ``"5 mg/kg"`` into a float in `unit`; a bare number is accepted only where `unit` is empty, or if it is 0.

    >>> to_internal("7 day", "h")
    168.0
    >>> to_internal("40 %", "")
    0.4

    Raises
    ------
    UnitError
        If the text cannot be read, has no unit, has another dimension, or is not finite.
    """
    if isinstance(value, bool):
        raise UnitError(f"'{value}' is a yes/no value; expected a quantity in {unit or 'plain numbers'}")
    if isinstance(value, (int, float)):
        if unit and value != 0:
            raise UnitError(
                f"'{value}' has no unit; expected a quantity convertible to {unit}, such as '{value} {unit}'"
            )
        number = float(value)
    elif _BARE_NUMBER.match(value) and not unit:
        number = float(value)
    else:
        number = _parse(value, unit)
    if not math.isfinite(number):
        raise UnitError(f"'{value}' is not a finite quantity")
    return number


def same_dimension(first: str, second: str) -> bool:
    """Say whether two units measure the same thing."""
    try:
        _factor(first, second)
    except UnitError:
        return False
    return True


def format_quantity(value: float, unit: str) -> str:
    """Write a number with its unit for people: ``0.5 h``, ``12 %`` never appears on its own."""
    text = f"{value:.6g}"
    return f"{text} {unit}".strip()
