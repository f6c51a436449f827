"""Antibodies: the free fraction is the exact mean over the window, falls with affinity, and recovers with the half-life."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from paget.antibodies import antibody_numbers, free_fraction
from paget.experiment import Antibody

NUMBERS = antibody_numbers()
PER_DOSE = 1e6 / (NUMBERS["antibody_molar_mass"].value * NUMBERS["antibody_volume"].value)


def antibody(**more):
    return Antibody(**{"target": "CCL2", "amount": "5 mg/kg", "at": "0 day", **more})


def integrated(doses, begin, end, affinity, half_life):
    def free(t):
        level = sum(a * PER_DOSE * 0.5 ** ((t - s) / half_life) for s, a in doses if s <= t)
        return affinity / (affinity + level)

    inside = sorted({s for s, _ in doses if begin < s < end})
    edges = [begin, *inside, end]
    return sum(quad(free, a, b)[0] for a, b in itertools.pairwise(edges)) / (end - begin)


@settings(max_examples=25, deadline=None)
@given(
    doses=st.lists(st.tuples(st.floats(0.0, 60.0), st.floats(1e-4, 20.0)), max_size=4),
    begin=st.floats(0.0, 40.0),
    width=st.floats(0.5, 24.0),
    affinity=st.floats(0.05, 50.0),
    half_life=st.floats(5.0, 300.0),
)
def test_the_closed_form_is_the_mean_of_the_free_fraction(doses, begin, width, affinity, half_life):
    given_ = antibody(affinity=f"{affinity!r} nM", half_life=f"{half_life!r} h")
    found = free_fraction(given_, doses, begin, begin + width)
    assert math.isclose(found, integrated(doses, begin, begin + width, affinity, half_life), rel_tol=1e-7)
    assert 0.0 < found <= 1.0


def test_nothing_is_bound_before_the_first_dose_and_most_after_it():
    assert free_fraction(antibody(), [(48.0, 5.0)], 0.0, 12.0) == 1.0
    assert free_fraction(antibody(), [], 0.0, 12.0) == 1.0
    assert free_fraction(antibody(), [(48.0, 5.0)], 48.0, 60.0) < 0.01


def test_the_target_comes_back_with_the_half_life_of_the_antibody():
    late = [free_fraction(antibody(half_life=f"{days} day"), [(0.0, 5.0)], 2160.0, 2172.0) for days in (3, 7, 21)]
    assert late[0] > 0.99
    assert np.all(np.diff(late) < 0)


def test_a_tighter_antibody_leaves_less():
    loose, tight = (free_fraction(antibody(affinity=a), [(0.0, 0.1)], 0.0, 12.0) for a in ("10 nM", "0.1 nM"))
    assert tight < 0.1 * loose


@pytest.mark.parametrize("key", ["antibody_molar_mass", "antibody_volume", "antibody_half_life", "antibody_affinity"])
def test_the_numbers_of_an_antibody_have_a_basis(key):
    assert NUMBERS[key].basis in ("measured", "assumed")
    assert NUMBERS[key].source or NUMBERS[key].reason
