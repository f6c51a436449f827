"""Several arms at once and growth curves: published examples, degenerate arms, reproducible integration."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pytest
from scipy.stats import f_oneway, t
from statsmodels.api import GLM, families

from paget.compare import omnibus, series_bands
from paget.compare.rate_ratio import overdispersion, several_count_deviances
from paget.errors import ResultError, UnknownNameError

# Dunnett (1955): blood counts of animals with two drugs and without.
BLOOD = {
    "control": [7.40, 8.50, 7.20, 8.24, 9.84, 8.32],
    "drug a": [9.76, 8.80, 7.68, 9.36],
    "drug b": [12.80, 9.68, 12.16, 9.20, 10.55],
}
# Hollander & Wolfe (1973): mucociliary efficiency in three groups of people.
DUST = {
    "normal": [2.9, 3.0, 2.5, 2.6, 3.2],
    "obstructive": [3.8, 2.7, 4.0, 2.4],
    "asbestosis": [2.8, 3.4, 3.7, 2.2, 2.0],
}
X = {"name": "x", "title": "blood count", "unit": "", "kind": "continuous"}


def outcomes(arms: Mapping[str, Sequence[float]]) -> pd.DataFrame:
    rows = [(arm, i, "x", float(value), True) for arm, values in arms.items() for i, value in enumerate(values)]
    return pd.DataFrame(rows, columns=["arm", "animal", "readout", "value", "observed"])


def test_dunnett_test_is_that_of_its_author() -> None:
    found = omnibus(outcomes(BLOOD), X, list(BLOOD), control="control")
    assert found.post_hoc_test == "Dunnett test"
    assert [(c.arm, c.versus) for c in found.post_hoc] == [("drug a", "control"), ("drug b", "control")]
    assert [c.p for c in found.post_hoc] == pytest.approx([0.62004941, 0.0059035], abs=5e-4)
    # Dunnett's own table: simultaneous limits 0.65 +- 1.89 and 2.63 +- 1.77, from a t of two rounded digits
    assert [c.effect for c in found.post_hoc] == pytest.approx([0.65, 2.63], abs=5e-3)
    for pair, reach in zip(found.post_hoc, (1.89, 1.77), strict=True):
        assert pair.interval is not None
        assert (pair.interval[1] - pair.interval[0]) / 2 == pytest.approx(reach, abs=0.03)


def test_one_way_anova_is_that_of_scipy() -> None:
    found = omnibus(outcomes(BLOOD), X, list(BLOOD))
    expected = f_oneway(*BLOOD.values())
    assert (found.statistic, found.p) == pytest.approx((expected.statistic, expected.pvalue))
    assert found.means == pytest.approx([np.mean(v) for v in BLOOD.values()])
    assert found.sentence() == "blood count, 3 arms, n = 6, 4, 5: one-way ANOVA, p = 0.009"


def test_dunnett_p_values_are_the_same_in_every_run() -> None:
    runs = [omnibus(outcomes(BLOOD), X, list(BLOOD), control="control") for _ in range(3)]
    assert runs[0] == runs[1] == runs[2]


def test_tukey_test_compares_all_pairs_as_published() -> None:
    # scipy's documented example, from SAS
    groups = {
        "0": [24.5, 23.5, 26.4, 27.1, 29.9],
        "1": [28.4, 34.2, 29.5, 32.2, 30.1],
        "2": [26.1, 28.3, 24.3, 26.2, 27.8],
    }
    found = omnibus(outcomes(groups), X, list(groups))
    assert [(c.arm, c.versus) for c in found.post_hoc] == [("1", "0"), ("2", "0"), ("2", "1")]
    assert [c.p for c in found.post_hoc] == pytest.approx([0.014, 0.980, 0.020], abs=5e-4)
    assert found.post_hoc[0].effect == pytest.approx(4.6)
    assert found.post_hoc[0].interval == pytest.approx((0.951, 8.249), abs=5e-4)


def test_counts_use_the_kruskal_wallis_test_of_the_textbook_if_asked() -> None:
    found = omnibus(outcomes(DUST), {**X, "kind": "count"}, list(DUST), tests={"count": "ranks"})
    assert found.test == "Kruskal-Wallis test"
    assert found.statistic == pytest.approx(0.77143, abs=5e-6)
    assert found.p == pytest.approx(0.68, abs=5e-3)
    assert found.post_hoc_test == "exact Mann-Whitney test, Holm-adjusted"
    assert len(found.post_hoc) == 3


def test_rank_comparisons_with_a_control_are_adjusted_for_their_number() -> None:
    arms = {"control": [9, 10, 11, 12, 13], "low": [1, 2, 3, 4, 5], "high": [9, 10, 11, 12, 14]}
    count = {**X, "kind": "count"}
    found = omnibus(outcomes(arms), count, list(arms), control="control", tests={"count": "ranks"})
    assert found.post_hoc[0].p == pytest.approx(2 * 2 / math.comb(10, 5))
    assert found.post_hoc[1].p > 0.5


def test_counts_of_several_arms_are_tested_by_the_negative_binomial_likelihood_under_relabelling() -> None:
    arms = {"control": [9, 14, 8, 11, 13], "low": [1, 2, 0, 4, 5], "same": [10, 12, 8, 12, 14]}
    found = omnibus(outcomes(arms), {**X, "kind": "count"}, list(arms), control="control")
    assert found.test == "negative binomial likelihood-ratio test (permutation)"
    assert found.p is not None
    assert found.p < 0.002
    assert found.post_hoc_test == "negative binomial score test (permutation), Holm-adjusted"
    # complete separation of five from five: one assignment of 252, its ties counted half, both sides, two pairs
    assert found.post_hoc[0].p == pytest.approx(2 / math.comb(10, 5))
    assert found.post_hoc[1].p > 0.5
    assert found == omnibus(outcomes(arms), {**X, "kind": "count"}, list(arms), control="control")


def test_the_likelihood_ratio_of_several_arms_is_that_of_statsmodels() -> None:
    values = np.array([9, 14, 8, 11, 13, 1, 2, 0, 4, 5, 10, 12, 8, 12, 14, 30.0])
    arms = np.eye(3)[np.repeat([0, 1, 2], [5, 5, 6])]
    family = families.NegativeBinomial(alpha=overdispersion([values]))
    one_mean, three_means = GLM(values, np.ones((16, 1)), family=family).fit(), GLM(values, arms, family=family).fit()
    found = several_count_deviances(values[None, :], [5, 5, 6])[0]
    assert found == pytest.approx(one_mean.deviance - three_means.deviance, rel=1e-6)


def test_times_use_the_log_rank_test_of_all_arms() -> None:
    arms = {"a": [2, 3, 4, 5, 6], "b": [2.5, 3.5, 4.5, 5.5, 6.5], "c": [30, 31, 32, 33, 34]}
    found = omnibus(outcomes(arms), {**X, "kind": "time"}, list(arms), control="a")
    assert found.test == "log-rank test"
    assert found.p is not None
    assert found.p < 0.01
    assert found.means is None
    assert found.post_hoc[1].effect == pytest.approx(28)


@pytest.mark.parametrize("kind", ["continuous", "fraction", "count", "time"])
@pytest.mark.parametrize("control", ["a", None])
def test_equal_values_in_all_arms_give_p_one(kind: str, control: str | None) -> None:
    found = omnibus(outcomes({arm: [2.0] * 4 for arm in "abc"}), {**X, "kind": kind}, list("abc"), control)
    assert found.p == 1.0
    assert all(pair.p == 1.0 and pair.effect == 0.0 for pair in found.post_hoc)


def test_flat_arms_that_differ_are_tested_by_ranks() -> None:
    found = omnibus(outcomes({"a": [1.0] * 5, "b": [2.0] * 5, "c": [3.0] * 5}), X, list("abc"), "a")
    assert found.test == "Kruskal-Wallis test"
    assert found.p is not None
    assert 0 < found.p < 0.01
    assert "ranks replace the ANOVA" in found.note


def test_arms_that_are_too_small_are_left_out_and_named() -> None:
    found = omnibus(outcomes({**BLOOD, "drug a": [9.0]}), X, [*BLOOD, "lost"], control="control")
    assert found.arms == ("control", "drug b")
    assert found.note == "'drug a' left out with 1 animal(s); 'lost' left out with 0 animal(s)"
    lonely = omnibus(outcomes({"a": [1.0, 2.0]}), X, ["a", "b"])
    assert lonely.p is None
    assert "needs two arms" in lonely.note


def test_a_lost_control_leaves_the_overall_test_without_comparisons() -> None:
    found = omnibus(outcomes({**BLOOD, "control": [8.0]}), X, list(BLOOD), control="control")
    assert found.p is not None
    assert found.post_hoc == ()
    assert "'control' left out" in found.note


def test_impossible_sets_of_arms_are_refused() -> None:
    with pytest.raises(ResultError, match="at least two different arms"):
        omnibus(outcomes(BLOOD), X, ["control"])
    with pytest.raises(ResultError, match="at least two different arms"):
        omnibus(outcomes(BLOOD), X, ["control", "control"])
    with pytest.raises(UnknownNameError, match="Did you mean 'control'"):
        omnibus(outcomes(BLOOD), X, list(BLOOD), control="contrl")


def metrics() -> pd.DataFrame:
    values = {"b": {0.0: [1.0, 2.0, 4.0], 1.0: [2.0, math.nan, 6.0]}, "a": {0.0: [5.0], 1.0: [math.nan]}}
    rows = [(arm, i, d, v) for arm, days in values.items() for d, all_v in days.items() for i, v in enumerate(all_v)]
    return pd.DataFrame(rows, columns=["arm", "animal", "day", "volume"]).sample(frac=1, random_state=0)


def test_bands_are_t_intervals_of_the_animals_with_a_value() -> None:
    bands = series_bands(metrics(), "volume", ["b", "a"])
    assert list(bands.columns) == ["arm", "day", "mean", "low", "high", "n"]
    assert list(zip(bands["arm"], bands["day"], strict=True)) == [("b", 0), ("b", 1), ("a", 0), ("a", 1)]
    assert bands["n"].tolist() == [3, 2, 1, 0]
    reach = t.ppf(0.975, 2) * np.std([1, 2, 4], ddof=1) / math.sqrt(3)
    assert bands.loc[0, ["mean", "low", "high"]].tolist() == pytest.approx([7 / 3, 7 / 3 - reach, 7 / 3 + reach])
    assert bands.loc[1, "high"] == pytest.approx(4 + t.ppf(0.975, 1) * math.sqrt(8) / math.sqrt(2))


def test_days_with_fewer_than_two_animals_have_no_band() -> None:
    bands = series_bands(metrics(), "volume", ["a"])
    assert bands["mean"].tolist() == pytest.approx([5.0, math.nan], nan_ok=True)
    assert bands[["low", "high"]].isna().all().all()


def test_bands_name_what_is_missing() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'volume'"):
        series_bands(metrics(), "volum", ["a"])
    with pytest.raises(ResultError, match="day"):
        series_bands(metrics().drop(columns="day"), "volume", ["a"])
    assert series_bands(metrics(), "volume", ["unfinished"]).empty
