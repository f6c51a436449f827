"""Quantities are read once, strictly, and a text that cannot be one is refused with what was expected."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paget.errors import UnitError
from paget.units import format_quantity, same_dimension, to_internal


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("7 day", "h", 168.0),
        ("2 d", "h", 48.0),
        ("30 min", "h", 0.5),
        ("0.05/day", "1/h", 0.05 / 24),
        ("0/day", "1/h", 0.0),
        ("0.05 1/day", "1/h", 0.05 / 24),
        ("5 mg/kg", "mg/kg", 5.0),
        ("5 ug/g", "mg/kg", 5.0),
        ("1 mol/m**3", "nM", 1e6),
        ("1e-7 cm**2/s", "um**2/h", 36000.0),
        ("45000 molecule/h", "nM*pL/h", 45000 / 602.214076),
        ("3.9 um/min", "um/h", 234.0),
        ("40 %", "", 0.4),
        ("0.4", "", 0.4),
        (" 1.5 ", "", 1.5),
        ("-2 day", "h", -48.0),
        (0, "h", 0.0),
        (3, "", 3.0),
    ],
)
def test_quantities_are_read_in_the_internal_unit(text, unit, value):
    assert math.isclose(to_internal(text, unit), value, rel_tol=1e-12)


@pytest.mark.parametrize(
    ("given", "unit", "reason"),
    [
        ("60 um", "h", "'60 um' is not convertible to h"),
        ("soon", "h", "cannot read 'soon' as a quantity in h"),
        ("", "h", "cannot read ''"),
        ("7", "h", "'7' has no unit"),
        (7, "h", "such as '7 h'"),
        (7.5, "h", "has no unit"),
        ("7 days 3 h", "h", "not convertible"),
        ("5 kg/kg/kg", "mg/kg", "not convertible"),
        ("1e400 h", "h", "not a finite quantity"),
        (math.nan, "", "not a finite quantity"),
        (math.inf, "", "not a finite quantity"),
        (True, "", "yes/no value"),
        ("40 %", "h", "not convertible"),
        ("5 parsnip", "h", "not convertible"),
        ("0 parsnip/day", "1/h", "not convertible"),
    ],
)
def test_what_is_not_a_quantity_is_refused_with_what_was_expected(given, unit, reason):
    with pytest.raises(UnitError, match=reason.replace("(", r"\(")):
        to_internal(given, unit)


@pytest.mark.parametrize("text", ["1 10**2", "1 9^2", "1 (9)**2", "1 h*(9)**2", "1 (3 h)**2", "1 h" + " " * 90])
def test_only_names_of_units_may_be_raised_to_a_power_and_texts_are_short(text):
    # pint would work out 10**10**10 for hours
    with pytest.raises(UnitError, match="cannot read"):
        to_internal(text, "h")


@given(st.floats(-1e6, 1e6).filter(lambda x: abs(x) > 1e-6))
def test_a_quantity_survives_writing_and_reading(hours):
    assert math.isclose(to_internal(f"{hours!r} h", "h"), hours, rel_tol=1e-15)
    assert math.isclose(to_internal(f"{hours!r} h", "day") * 24.0, hours, rel_tol=1e-12)


def test_units_of_one_dimension_are_told_from_others():
    assert same_dimension("cm**2/s", "um**2/h")
    assert same_dimension("", "")
    assert not same_dimension("1/h", "h")
    assert not same_dimension("cell", "")
    assert not same_dimension("parsnip", "parsnip")


def test_a_number_is_written_with_its_unit():
    assert format_quantity(0.5, "h") == "0.5 h"
    assert format_quantity(3.0, "") == "3"
