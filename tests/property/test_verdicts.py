"""Verdicts follow one rule for each kind of finding, whatever the numbers."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paget.evidence import load_observations
from paget.validation.measured import Measured, as_reduction, contrast, of_draws, ratio_with_interval, share_of
from paget.validation.verdict import EQUIVALENT, GONE, judge, published_interval

TABLE = load_observations()
DOWN, UP, GONE_ROW, SAME, SHARE = (
    TABLE[name] for name in ("H014", "H019", "H010", "H077 cisplatin: complement", "H090 T1N0")
)
RATIOS = st.floats(0.01, 50.0)
CHANCES = st.floats(0.0, 1.0)
SHARES = st.floats(0.0, 100.0)


def _turned(sign: int, p: float) -> Measured:
    return Measured(value=2.0**sign, low=0.1, high=10.0, sign=sign, p=p)


@given(CHANCES, st.sampled_from([-1, 0, 1]))
def test_a_direction_agrees_only_if_it_is_that_way_and_significant(p, sign):
    measured = _turned(sign, p)
    assert (judge(DOWN, measured).outcome == "agree") == (sign == -1 and p < 0.05)
    assert (judge(UP, measured).outcome == "agree") == (sign == 1 and p < 0.05)


@given(CHANCES, st.sampled_from([-1, 0, 1]))
def test_nothing_agrees_with_a_direction_and_its_opposite(p, sign):
    outcomes = [judge(row, _turned(sign, p)).outcome for row in (DOWN, UP)]
    assert outcomes.count("agree") <= 1


@given(st.floats(0.8, 1.2))
def test_a_change_that_no_experiment_could_see_does_not_count(ratio):
    measured = Measured(value=ratio, sign=int(np.sign(ratio - 1.0)), p=1e-9)
    outcomes = {row: judge(TABLE[row], measured).outcome for row in ("H014", "H019")}
    assert outcomes["H014"] == ("agree" if 1.0 - ratio >= 0.1 else "disagree")
    assert outcomes["H019"] == ("agree" if ratio - 1.0 >= 0.1 else "disagree")


@given(st.floats(0.01, 0.5), st.floats(1.0, 5.0), CHANCES)
def test_what_was_abolished_has_nearly_nothing_left(ratio, width, p):
    measured = Measured(value=ratio, low=ratio / width, high=ratio * width, sign=int(np.sign(ratio - 1.0)), p=p)
    assert (judge(GONE_ROW, measured).outcome == "agree") == (ratio * width < GONE)


@given(RATIOS, st.floats(1.0, 5.0), CHANCES)
def test_what_was_unchanged_is_shown_to_be_so(ratio, width, p):
    measured = Measured(value=ratio, low=ratio / width, high=ratio * width, sign=int(np.sign(ratio - 1.0)), p=p)
    inside = EQUIVALENT[0] <= ratio / width and ratio * width <= EQUIVALENT[1]
    assert (judge(SAME, measured).outcome == "agree") == inside


@given(SHARES, st.floats(0.0, 20.0))
def test_a_number_agrees_where_either_value_lies_in_the_other_interval(value, half):
    measured = Measured(value=value, low=value - half, high=value + half)
    low, high = published_interval(SHARE)
    expected = low <= value <= high or abs(value - SHARE.value) <= half
    if abs(abs(value - SHARE.value) - half) > 1e-9:  # at the very edge rounding decides
        assert (judge(SHARE, measured).outcome == "agree") == expected


@given(st.floats(0.05, 20.0), st.floats(1.0, 3.0))
def test_a_ratio_that_may_be_none_does_not_agree_with_one_that_is_not(value, width):
    row = TABLE["H020"]
    measured = Measured(value=value, low=value / width, high=value * width, sign=int(np.sign(value - 1.0)))
    if value / width <= 1.0:
        assert judge(row, measured).outcome == "disagree"


@given(SHARES)
def test_an_open_bound_is_met_by_everything_beyond_it(value):
    row = TABLE["H045"]  # at least 25 %
    measured = Measured(value=value, low=max(0.0, value - 1.0), high=min(100.0, value + 1.0))
    assert (judge(row, measured).outcome == "agree") == (value >= row.low)


def test_a_simulation_without_a_number_is_not_judged():
    assert judge(SHARE, Measured(value=math.nan)).outcome == "not testable"


@pytest.mark.parametrize("row", TABLE.values(), ids=lambda row: row.name)
def test_every_row_can_be_judged(row):
    verdict = judge(row, Measured(value=1.0, low=0.9, high=1.1, sign=0, p=0.5))
    assert verdict.outcome in ("agree", "disagree")
    assert verdict.why


# ---- numbers --------------------------------------------------------------------------------------------------------------
def test_the_interval_of_a_ratio_holds_it_as_often_as_it_says():
    random, held, trials = np.random.default_rng(2), 0, 1_000
    for _ in range(trials):
        pairs = random.multivariate_normal([3.0, 5.0], [[1.0, 0.6], [0.6, 1.0]], 12)
        _, low, high = ratio_with_interval(pairs[:, 0], pairs[:, 1], paired=True)
        held += low <= 0.6 <= high
    # 950 expected of 1,000 at 95 %; four standard errors are 28.
    assert abs(held - 950) < 28


@given(st.lists(st.floats(0.1, 10.0), min_size=3, max_size=12), st.floats(0.1, 5.0))
def test_a_ratio_does_not_depend_on_the_unit(values, scale):
    arm, control = np.array(values), np.array(values[::-1]) + 1.0
    plain, scaled = (ratio_with_interval(f * arm, f * control, paired=False) for f in (1.0, scale))
    assert plain == pytest.approx(scaled, rel=1e-6, abs=1e-6)


def test_the_interval_of_the_ratio_of_pairs_holds_it_as_often_as_it_says_however_animals_differ():
    random, held, trials = np.random.default_rng(3), 0, 1_000
    for _ in range(trials):
        control = np.exp(random.normal(5.0, 2.0, 8))
        arm = control * np.exp(random.normal(math.log(0.3), 0.2, 8))
        found = contrast(arm, control, 0.01, "pairs", paired=True)
        held += found.low <= 0.3 <= found.high
        assert found.high / found.low < 5.0  # the spread between animals, e to the 2, is not in it
    assert abs(held - 950) < 28  # as above


def test_no_control_leaves_no_ratio():
    none = np.zeros(4)
    assert math.isnan(ratio_with_interval(none, none, paired=True)[0])
    assert ratio_with_interval(none + 1.0, none, paired=True)[0] == math.inf


def test_a_reduction_is_what_a_ratio_leaves():
    less = as_reduction(Measured(value=0.3, low=0.2, high=0.5, sign=-1))
    assert (less.value, less.low, less.high) == pytest.approx((70.0, 50.0, 80.0))


@given(st.integers(0, 50), st.integers(1, 50))
def test_a_share_lies_in_its_interval(found, more):
    measured = share_of(found, found + more, "of animals")
    assert measured.low - 1e-9 <= measured.value <= measured.high + 1e-9


def test_draws_that_turn_round_are_counted():
    measured = of_draws([0.5] * 95 + [1.5] * 5, 0.5, "draws")
    assert measured.sign == -1
    assert measured.p == pytest.approx(0.1)
    assert of_draws([0.5] * 100, 0.5, "draws").p == 0.0


def test_a_measured_number_survives_its_file():
    measured = dataclasses.replace(
        contrast(np.ones(3), np.zeros(3), 0.01, "a test", paired=True), details="1 against 0"
    )
    assert math.isinf(measured.value)
    again = Measured.from_json(measured.as_json())
    assert repr(again) == repr(measured)  # an interval that is not there is equal to none
