"""Competing events: shares that add up, Gray's test, what a competing event does to an animal, and the words for it."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from lifelines import KaplanMeierFitter
from lifelines.statistics import logrank_test

from paget.compare import cumulative_incidence
from paget.compare.competing import aalen_johansen
from paget.compare.gray import CENSORED, COMPETING, EVENT, _table, _tables_of_groups, gray_permutation, gray_test
from paget.errors import ResultError

METASTASIS = {"name": "metastasis", "title": "first metastasis", "kind": "time"}
DEATH = {"name": "death", "title": "death", "kind": "time"}
END = 30.0


def outcomes(arms: dict[str, list[tuple[float, float]]]) -> pd.DataFrame:
    """Days of metastasis and death of each animal; days from 30 on are not seen, nor is what comes after death."""
    rows = []
    for arm, animals in arms.items():
        for i, (metastasis, death) in enumerate(animals):
            end = min(death, END)
            rows.append((arm, i, "metastasis", min(metastasis, end), metastasis < end))
            rows.append((arm, i, "death", end, death < END))
    return pd.DataFrame(rows, columns=["arm", "animal", "readout", "value", "observed"])


def drawn(n: int, mean: float, seed: int) -> list[tuple[float, float]]:
    rng = np.random.default_rng(seed)
    return list(zip(rng.exponential(mean, n).tolist(), rng.exponential(25.0, n).tolist(), strict=True))


def test_without_censoring_shares_are_fractions_with_binomial_errors() -> None:
    times = np.array([1.0, 2, 2, 3, 5, 6, 7, 8, 9, 10])
    causes = np.array([EVENT, COMPETING, EVENT, EVENT, COMPETING, EVENT, COMPETING, EVENT, EVENT, COMPETING])
    days, share, error = aalen_johansen(times, causes, EVENT)
    assert days.tolist() == [1, 2, 3, 6, 8, 9]
    assert share == pytest.approx(np.arange(1, 7) / 10)
    assert error == pytest.approx(np.sqrt(share * (1 - share) / 10))


def test_without_competing_events_the_share_is_one_minus_kaplan_meier() -> None:
    rng = np.random.default_rng(2)
    times, seen = np.ceil(rng.exponential(10, 40)), rng.uniform(size=40) > 0.3
    days, share, error = aalen_johansen(times, np.where(seen, EVENT, CENSORED), EVENT)
    fit = KaplanMeierFitter().fit(times, seen)
    assert share == pytest.approx(1 - fit.survival_function_at_times(days).to_numpy())
    # Greenwood's variance
    at_risk = np.array([(times >= day).sum() for day in days])
    events = np.array([((times == day) & seen).sum() for day in days])
    left = at_risk - events
    terms = np.divide(events, at_risk * left, out=np.zeros(len(days)), where=left > 0)
    assert error == pytest.approx((1 - share) * np.sqrt(np.cumsum(terms)), abs=1e-7)


def test_the_shares_of_all_causes_and_of_none_add_up_to_one() -> None:
    found = cumulative_incidence(outcomes({"a": drawn(25, 20.0, 3)}), METASTASIS, DEATH, ["a"])
    metastasis, death = found.curves
    assert (metastasis.cause, death.cause) == ("first metastasis", "death")
    neither = np.mean([min(m, d) >= END for m, d in drawn(25, 20.0, 3)])
    assert metastasis.incidence[-1] + death.incidence[-1] == pytest.approx(1 - neither)
    assert metastasis.days[0] == 0
    assert metastasis.days[-1] == END
    for low, share, high in zip(metastasis.low, metastasis.incidence, metastasis.high, strict=True):
        assert 0 <= low <= share <= high <= 1


def test_log_log_interval_of_a_share_is_the_one_computed_by_hand() -> None:
    # one event among four animals: share 1/4, standard error sqrt(3/64)
    data = outcomes({"a": [(5.0, 99.0), (99.0, 99.0), (99.0, 99.0), (99.0, 99.0)]})
    (curve, _) = cumulative_incidence(data, METASTASIS, DEATH, ["a"]).curves
    reach = 1.959964 * math.sqrt(3 / 64) / (0.25 * math.log(4))
    assert curve.low[1] == pytest.approx(0.25 ** math.exp(reach), rel=1e-5)
    assert curve.high[1] == pytest.approx(0.25 ** math.exp(-reach), rel=1e-5)


def test_a_death_is_not_a_censored_metastasis() -> None:
    # three of four die first: censored, the one metastasis would be certain; it is one of four
    data = outcomes({"a": [(99.0, 2.0), (99.0, 3.0), (99.0, 4.0), (5.0, 99.0)]})
    (curve, _) = cumulative_incidence(data, METASTASIS, DEATH, ["a"]).curves
    assert curve.incidence[-1] == pytest.approx(0.25)


def test_a_metastasis_on_the_day_of_death_counts() -> None:
    rows = [("a", i, name, 4.0, True) for i in range(3) for name in ("metastasis", "death")]
    data = pd.DataFrame(rows, columns=["arm", "animal", "readout", "value", "observed"])
    (curve, other) = cumulative_incidence(data, METASTASIS, DEATH, ["a"]).curves
    assert (curve.events, other.events) == (3, 0)


def test_without_competing_events_and_censoring_grays_test_is_the_log_rank_test() -> None:
    rng = np.random.default_rng(4)
    a, b = rng.exponential(10.0, 60), rng.exponential(16.0, 60)
    times, groups = np.concatenate([a, b]), np.repeat([0, 1], 60)
    statistic, freedom, p = gray_test(times, np.full(120, EVENT), groups)
    # the variances differ: Gray's is that of the shares, the log-rank test's is hypergeometric
    assert freedom == 1
    assert statistic == pytest.approx(logrank_test(a, b).test_statistic, rel=0.08)
    assert p == pytest.approx(logrank_test(a, b).p_value, rel=0.2)


def test_grays_test_does_not_depend_on_the_order_of_groups_or_animals() -> None:
    rng = np.random.default_rng(5)
    times, causes, groups = np.ceil(rng.exponential(10, 45)), rng.integers(0, 3, 45), np.repeat([0, 1, 2], 15)
    order = rng.permutation(45)
    first = gray_test(times, causes, groups)
    assert gray_test(times[order], causes[order], groups[order]) == pytest.approx(first)
    assert gray_test(times, causes, 2 - groups) == pytest.approx(first)
    assert first[1] == 2


@pytest.mark.parametrize("pairs", [True, False])
def test_permutation_of_grays_score_agrees_with_chi_squared_for_many_animals(pairs: bool) -> None:
    rng = np.random.default_rng(6)
    times = np.concatenate([rng.exponential(10, 30), rng.exponential(17, 30)])
    causes = rng.choice([CENSORED, EVENT, EVENT, COMPETING], 60)
    groups = np.repeat([0, 1], 30)
    permuted = gray_permutation(times, causes, groups == 0, pairs)
    # pairs put together by chance take another p from the same scores
    assert permuted == pytest.approx(gray_test(times, causes, groups)[2], rel=0.6 if pairs else 0.1)
    assert permuted == gray_permutation(times, causes, groups == 0, pairs)


def test_a_treatment_that_prevents_the_event_is_told_in_both_ways() -> None:
    data = outcomes({"control": drawn(20, 8.0, 7), "treated": drawn(20, 200.0, 8)})
    for paired in (True, False):
        found = cumulative_incidence(data, METASTASIS, DEATH, ["control", "treated"], paired=paired)
        (contrast,) = found.contrasts
        assert (contrast.arm, contrast.versus, contrast.paired) == ("treated", "control", paired)
        assert contrast.test == "Gray's test (permutation)"
        assert contrast.p < 0.01
        assert contrast.interval[0] < contrast.effect < contrast.interval[1] < 0
        assert contrast.hazard_ratio is not None
        assert contrast.hazard_ratio < 0.5
        assert contrast.p_adjusted == contrast.p
        assert "% of animals by day" in str(contrast)
        assert "cause-specific hazard ratio" in str(contrast)
        assert found.p is not None
        assert found.p < 0.01


def test_three_arms_have_three_adjusted_contrasts() -> None:
    data = outcomes({arm: drawn(8, mean, i) for i, (arm, mean) in enumerate({"a": 10.0, "b": 20.0, "c": 90.0}.items())})
    found = cumulative_incidence(data, METASTASIS, DEATH, ["a", "b", "c"])
    assert [(c.arm, c.versus) for c in found.contrasts] == [("b", "a"), ("c", "a"), ("c", "b")]
    assert all(c.p_adjusted is not None and c.p <= c.p_adjusted <= 1 for c in found.contrasts)


def test_no_event_at_all_gives_p_one() -> None:
    data = outcomes({arm: [(99.0, 10.0 + i) for i in range(8)] for arm in "ab"})
    found = cumulative_incidence(data, METASTASIS, DEATH, ["a", "b"])
    assert (found.p, found.contrasts[0].p, found.contrasts[0].effect) == (1.0, 1.0, 0.0)
    low, high = found.contrasts[0].interval
    assert low < 0 < high


def test_deaths_after_every_animal_at_risk_has_had_the_event_do_no_harm() -> None:
    times = np.array([1.0, 2, 3, 4, 5, 6, 7, 8])
    # a censored animal leaves the share to the last one of its group, who has the event; deaths follow in the other group
    causes = np.array([EVENT, EVENT, EVENT, EVENT, EVENT, EVENT, EVENT, COMPETING])
    statistic, _, p = gray_test(times, causes, np.array([0, 1, 0, 1, 0, 1, 0, 1]))
    assert math.isfinite(statistic)
    assert 0 < p <= 1
    late = gray_test(
        np.array([1.0, 2, 2, 9, 9]), np.array([EVENT, CENSORED, EVENT, COMPETING, COMPETING]), np.array([0, 0, 1, 1, 0])
    )
    assert 0 < late[2] <= 1


def test_failed_and_absent_animals_are_told_in_the_note() -> None:
    data = outcomes({"a": drawn(5, 10.0, 1)})
    found = cumulative_incidence(data, METASTASIS, DEATH, ["a", "b"], failed={"a": 2})
    assert found.note == "no animal with a value in 'b'; 2 of 'a' failed and missing"
    assert found.contrasts == ()


def test_both_ways_to_count_give_one_score() -> None:
    rng = np.random.default_rng(12)
    times, causes, groups = np.ceil(rng.exponential(10, 30)), rng.integers(0, 3, 30), rng.integers(0, 2, 30)
    listed = _table(times, causes, groups == np.arange(2)[:, None])
    for one, other in zip(listed, _tables_of_groups(times, causes, groups, 2), strict=True):
        assert np.array_equal(one, other)


def test_other_kinds_and_no_competitor_are_refused() -> None:
    data = outcomes({"a": drawn(5, 10.0, 1)})
    with pytest.raises(ResultError, match="needs readouts of kind 'time'"):
        cumulative_incidence(data, METASTASIS, {**DEATH, "kind": "count"}, ["a"])
    with pytest.raises(ResultError, match="`survival` shows the event"):
        cumulative_incidence(data, METASTASIS, [], ["a"])
