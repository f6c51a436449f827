"""Times to an event: the leukaemia trial of the textbooks, censoring, horizons and degenerate arms."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from lifelines import KaplanMeierFitter
from lifelines.statistics import logrank_test
from lifelines.utils import restricted_mean_survival_time
from scipy.stats import ttest_ind, ttest_rel

from paget.compare import Comparison, compare, restricted_mean, survival
from paget.compare.outcomes import Sample
from paget.compare.time_to_event import (
    common_horizon,
    influence_on_restricted_mean,
    log_rank_score,
    log_rank_scores,
    peto_hazard_ratio,
)
from paget.errors import ResultError

# Freireich et al. (1963): weeks of remission, 6-mercaptopurine against placebo; False = still in remission.
MP = [6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
MP_SEEN = [True] * 9 + [False] * 12
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
TIME = {"name": "t", "title": "time to relapse", "unit": "day", "kind": "time"}


def sample(values: list[float], observed: list[bool] | bool = True) -> Sample:
    flags = np.broadcast_to(np.array(observed), len(values)).copy()
    return Sample(np.arange(len(values)), np.array(values, dtype=float), flags)


def table(**arms: tuple[list[float], list[bool] | bool]) -> pd.DataFrame:
    rows = [
        (arm, i, "t", float(value), bool(seen))
        for arm, (values, observed) in arms.items()
        for i, (value, seen) in enumerate(zip(values, np.broadcast_to(observed, len(values)), strict=True))
    ]
    return pd.DataFrame(rows, columns=["arm", "animal", "readout", "value", "observed"])


def one(
    treated: tuple[list[float], list[bool] | bool],
    control: tuple[list[float], list[bool] | bool],
    paired: bool = False,
    **tests: str,
) -> Comparison:
    data = table(treated=treated, control=control)
    (found,) = compare(data, [TIME], [("treated", "control")], paired, tests=tests)
    return found


def chi_squared(
    treated: tuple[list[float], list[bool] | bool], control: tuple[list[float], list[bool] | bool]
) -> Comparison:
    return one(treated, control, time="log-rank, chi-squared")


def test_log_rank_test_of_the_leukaemia_trial_is_that_of_the_textbook() -> None:
    found = chi_squared((MP, MP_SEEN), (PLACEBO, True))
    assert found.statistic == pytest.approx(16.79, abs=5e-3)
    assert found.p == pytest.approx(4.17e-5, rel=5e-3)
    assert (found.n_arm, found.n_versus, found.paired) == (21, 21, False)


def test_relabelling_the_leukaemia_trial_agrees_with_its_chi_squared_test() -> None:
    found = one((MP, MP_SEEN), (PLACEBO, True))
    assert found.test == "log-rank test (permutation)"
    assert found.statistic == pytest.approx(16.79, abs=5e-3)
    # far in the tail the two distributions differ by a factor of a few
    assert found.p is not None
    assert 1e-6 < found.p < 4e-4


def test_log_rank_scores_of_an_arm_add_up_to_its_events_beyond_those_expected() -> None:
    arm, versus = sample(MP, MP_SEEN), sample(PLACEBO)
    first, second = log_rank_scores(arm, versus)
    assert first.sum() == pytest.approx(log_rank_score(arm, versus)[0])
    assert first.sum() + second.sum() == pytest.approx(0.0, abs=1e-12)


def test_times_of_pairs_are_tested_within_pairs() -> None:
    # animals differ widely, and each lives two days longer with the treatment
    control = [3.0, 8.0, 15.0, 22.0, 30.0, 41.0, 55.0, 70.0]
    treated = [day + 2.0 for day in control]
    paired, apart = one((treated, True), (control, True), paired=True), one((treated, True), (control, True))
    assert paired.test == "paired log-rank test (permutation)"
    assert paired.paired
    assert paired.p == pytest.approx(1 / 2**8)
    assert apart.p is not None
    assert apart.p > 0.3
    assert paired.effect == pytest.approx(2.0)
    assert paired.interval == pytest.approx((2.0, 2.0))
    assert apart.interval is not None
    assert apart.interval[0] < 0


def test_the_interval_of_pairs_without_censoring_is_that_of_the_paired_t_test() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.exponential(10, (2, 9))
    found = one((a.tolist(), True), (b.tolist(), True), paired=True)
    expected = ttest_rel(a, b).confidence_interval(0.95)
    assert found.interval == pytest.approx((expected.low, expected.high))


def test_an_animal_moves_the_restricted_mean_by_its_weight() -> None:
    rng = np.random.default_rng(5)
    values = np.ceil(rng.exponential(10, 12))
    observed = rng.uniform(size=12) > 0.3
    moved = influence_on_restricted_mean(sample(values.tolist(), observed.tolist()), 15.0)
    assert moved.sum() == pytest.approx(0.0, abs=1e-9)
    many, seen = np.repeat(values, 100), np.repeat(observed, 100)
    whole = restricted_mean(many, seen, 15.0).mean
    for i in range(12):
        # one animal more among 1,200 that are alike: a numerical derivative to its weight
        more = restricted_mean(np.append(many, values[i]), np.append(seen, observed[i]), 15.0)
        assert (more.mean - whole) * 1201 == pytest.approx(moved[i], abs=0.02)


def test_log_rank_test_with_ties_and_censoring_equals_that_of_lifelines() -> None:
    rng = np.random.default_rng(6)
    for _ in range(5):
        values = np.minimum(rng.integers(1, 20, (2, 12)), 14).astype(float)
        observed = (values < 14) & (rng.uniform(size=(2, 12)) > 0.2)
        expected = logrank_test(values[0], values[1], observed[0], observed[1])
        found = chi_squared((values[0].tolist(), observed[0].tolist()), (values[1].tolist(), observed[1].tolist()))
        assert (found.statistic, found.p) == pytest.approx((expected.test_statistic, expected.p_value))


def test_restricted_mean_with_ties_and_censoring_equals_that_of_lifelines() -> None:
    fit = KaplanMeierFitter().fit(MP, MP_SEEN)
    found = restricted_mean(np.array(MP, dtype=float), np.array(MP_SEEN), 25.0)
    assert found.mean == pytest.approx(restricted_mean_survival_time(fit, t=25.0))


def test_hazard_ratio_of_the_leukaemia_trial_follows_from_observed_and_expected_events() -> None:
    # textbook: 9 relapses against 19.25 expected, variance 6.257
    excess, variance = log_rank_score(sample(MP, MP_SEEN), sample(PLACEBO))
    assert excess == pytest.approx(9 - 19.25, abs=5e-3)
    assert variance == pytest.approx(6.257, abs=5e-4)
    found = one((MP, MP_SEEN), (PLACEBO, True))
    assert found.effect_size == pytest.approx(math.exp(-10.25 / 6.257), abs=2e-4)
    assert found.statistic == pytest.approx(excess**2 / variance)


def test_restricted_mean_is_the_area_under_the_steps() -> None:
    # steps 1, 3/4 from day 2, 3/8 from day 6 (one censored on day 4), to day 10
    found = restricted_mean(np.array([2.0, 4.0, 6.0, 10.0]), np.array([True, False, True, False]), 10.0)
    assert found.mean == pytest.approx(2 + 0.75 * 4 + 0.375 * 4)
    # second moment: steps times differences of squared days, 2^2 + 3/4 (6^2 - 2^2) + 3/8 (10^2 - 6^2)
    assert found.sd == pytest.approx(math.sqrt(4 / 3 * (4 + 0.75 * 32 + 0.375 * 64 - 6.5**2)))
    # Greenwood: areas that remain 4.5 and 1.5; terms 1/(4*3) and 1/(2*1); small-sample factor 4/3
    assert found.standard_error == pytest.approx(math.sqrt(4 / 3 * (4.5**2 / 12 + 1.5**2 / 2)))


def test_without_censoring_the_restricted_mean_is_the_mean_and_its_interval_that_of_welch() -> None:
    treated, control = [5.0, 9.0, 12.0, 20.0, 21.0], [2.0, 3.0, 3.5, 7.0, 8.0, 10.0]
    found = one((treated, True), (control, True))
    expected = ttest_ind(treated, control, equal_var=False).confidence_interval(0.95)
    assert found.mean_arm == pytest.approx(np.mean(treated))
    assert found.sd_versus == pytest.approx(np.std(control, ddof=1))
    assert found.interval == pytest.approx((expected.low, expected.high))


def test_censoring_at_the_end_of_the_study_restricts_the_mean_to_that_day() -> None:
    found = one(([5.0, 12.0, 30.0, 30.0], [True, True, False, False]), ([2.0, 4.0, 6.0, 9.0], True))
    assert found.mean_name == "restricted mean to day 30"
    assert found.mean_arm == pytest.approx((5 + 12 + 30 + 30) / 4)
    assert found.mean_versus == pytest.approx(21 / 4)
    assert "day in restricted mean to day 30" in str(found)


def test_the_common_horizon_is_the_earliest_day_on_which_a_curve_ends_unfinished() -> None:
    assert common_horizon([sample([3, 8], [True, False]), sample([2, 12], [True, False])]) == 8
    assert common_horizon([sample([3, 8]), sample([2, 12], [True, False])]) == 12
    assert common_horizon([sample([3, 8]), sample([2, 12])]) == 12


def test_an_arm_without_any_event_has_a_finite_hazard_ratio() -> None:
    found = one(([60.0] * 10, False), ([float(d) for d in range(5, 50, 5)] + [60.0], [True] * 9 + [False]))
    assert found.p is not None
    assert found.p < 0.001
    assert found.effect_size is not None
    assert 0 < found.effect_size < 0.25
    assert found.effect is not None
    assert found.effect > 0


def test_no_event_in_either_arm_gives_p_one_and_says_so() -> None:
    found = one(([60.0] * 5, False), ([60.0] * 5, False))
    assert (found.p, found.effect, found.effect_size) == (1.0, 0.0, None)
    assert found.note == "no event in either arm"


def test_events_on_one_day_in_all_animals_give_p_one_and_say_so() -> None:
    found = one(([7.0] * 5, True), ([7.0] * 5, True))
    assert (found.p, found.effect) == (1.0, 0.0)
    assert found.note == "the events do not tell the arms apart"


def test_later_censoring_does_not_change_a_test_of_earlier_events() -> None:
    events = ([3.0, 5.0, 9.0, 40.0], [True, True, True, False])
    longer = ([3.0, 5.0, 9.0, 80.0], [True, True, True, False])
    control = ([2.0, 4.0, 6.0, 7.0], True)
    assert one(events, control).p == one(longer, control).p


def test_an_event_taken_for_censoring_changes_the_result() -> None:
    seen = one(([3.0, 5.0, 9.0, 30.0], True), ([2.0, 4.0, 6.0, 7.0], True))
    censored = one(([3.0, 5.0, 9.0, 30.0], [False, False, True, False]), ([2.0, 4.0, 6.0, 7.0], True))
    assert seen.p != censored.p
    assert censored.effect_size is not None
    assert seen.effect_size is not None
    assert censored.effect_size < seen.effect_size


def test_survival_curve_of_the_leukaemia_trial_is_that_of_the_textbook() -> None:
    curves = survival(table(placebo=(PLACEBO, True), mp=(MP, MP_SEEN)), TIME, ["placebo", "mp"], 35)
    placebo, mp = curves.curves
    at = dict(zip(mp.days, mp.survival, strict=True))
    assert [at[d] for d in (6, 7, 10, 13, 16, 22, 23)] == pytest.approx(
        [0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448], abs=5e-4
    )
    assert (placebo.median, mp.median) == (8, 23)
    assert (placebo.events, mp.events) == (21, 9)
    assert mp.censored == (6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34)
    assert curves.risk_days == (0, 7, 14, 21, 28, 35)
    assert mp.at_risk == (21, 17, 11, 7, 4, 1)
    assert all(low <= s <= high for low, s, high in zip(mp.low, mp.survival, mp.high, strict=True))
    assert curves.statistic == pytest.approx(16.79, abs=5e-3)
    (pair,) = curves.pairs
    assert (pair.arm, pair.versus) == ("mp", "placebo")
    assert pair.p == pair.p_adjusted == one((MP, MP_SEEN), (PLACEBO, True)).p


def test_log_log_band_is_the_one_computed_by_hand() -> None:
    # four animals, one event: S = 3/4, var(log S) = 1/12, so S ** exp(-+1.96 * sqrt(1/12) / log S)
    curves = survival(table(a=([2.0, 9.0, 9.0, 9.0], [True, False, False, False])), TIME, ["a"], 9)
    reach = math.exp(1.959964 * math.sqrt(1 / 12) / abs(math.log(0.75)))
    assert curves.curves[0].low[1] == pytest.approx(0.75**reach, rel=1e-5)
    assert curves.curves[0].high[1] == pytest.approx(0.75 ** (1 / reach), rel=1e-5)
    assert curves.p is None


def test_events_after_the_horizon_are_censored_at_it() -> None:
    (curve,) = survival(table(a=([5.0, 10.0, 50.0], True)), TIME, ["a"], 20).curves
    assert curve.events == 2
    assert curve.days[-1] == 20
    assert curve.survival[-1] == pytest.approx(1 / 3)
    assert curve.censored == ()


@pytest.mark.parametrize("n", range(2, 61, 2))
def test_the_median_is_the_day_on_which_exactly_half_are_left_whatever_the_rounding(n: int) -> None:
    (curve,) = survival(table(a=([float(i + 1) for i in range(n)], True)), TIME, ["a"], n).curves
    assert curve.median == n // 2


def test_an_unreached_median_is_none() -> None:
    (curve,) = survival(table(a=([5.0, 20.0, 20.0], [True, False, False])), TIME, ["a"], 20).curves
    assert curve.median is None


def test_three_arms_have_three_adjusted_pairs_and_one_overall_test() -> None:
    arms = {"a": ([2.0, 4.0, 6.0, 8.0], True), "b": ([3.0, 9.0, 9.5, 14.0], True), "c": ([20.0] * 4, False)}
    curves = survival(table(**arms), TIME, list(arms), 20)
    assert [(p.arm, p.versus) for p in curves.pairs] == [("b", "a"), ("c", "a"), ("c", "b")]
    assert all(p.p <= p.p_adjusted <= 1 for p in curves.pairs)
    assert curves.p is not None
    assert curves.p < 0.05


def test_missing_arms_and_values_are_named_in_the_note() -> None:
    curves = survival(table(a=([5.0, math.nan, 9.0], True)), TIME, ["a", "b"], 20)
    assert curves.note == "no animal with a value in 'b'; 1 missing in 'a' left out"
    assert curves.curves[0].n == 2


def test_survival_refuses_other_kinds_and_impossible_horizons() -> None:
    with pytest.raises(ResultError, match="need a readout of kind 'time'"):
        survival(table(a=([5.0], True)), {**TIME, "kind": "count"}, ["a"], 20)
    with pytest.raises(ResultError, match="one above 0"):
        survival(table(a=([5.0], True)), TIME, ["a"], 0)


def test_peto_hazard_ratio_recovers_a_known_ratio_of_exponential_rates() -> None:
    rng = np.random.default_rng(11)
    fast, slow = rng.exponential(1.0, 4000), rng.exponential(1.5, 4000)
    ratio = peto_hazard_ratio(sample(slow.tolist()), sample(fast.tolist()))
    # standard error of the log ratio is about sqrt(2 / 4000) = 0.022; one-step estimates are biased towards 1 by < 0.01
    assert ratio is not None
    assert math.log(ratio) == pytest.approx(math.log(1 / 1.5), abs=0.09)
