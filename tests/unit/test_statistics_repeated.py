"""Repeated measures: the mixed model beside t tests of each animal's line, pairs, fallbacks, logarithms and words."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_1samp, ttest_ind

from paget.compare import Repeated, repeated
from paget.errors import ResultError, UnknownNameError

DAYS = np.arange(0.0, 22.0, 3.0)


def courses(
    n: int, seed: int, slope: float = 0.0, level: float = 0.0, own: float = 1.0, shared: bool = False
) -> pd.DataFrame:
    """Lines of animals of two arms with noise; `slope` and `level` are those of the treated arm beyond the control."""
    rng = np.random.default_rng(seed)
    shape = (n, 1, 1) if shared else (n, 2, 1)
    lines = 100 + own * (20 * rng.normal(size=shape) + rng.normal(size=shape) * DAYS) + 3 * DAYS
    values = (
        lines
        + own * rng.normal(size=(n, 2, 1)) * (0.3 * DAYS - 3)
        + 4 * own * rng.normal(size=(n, 2, 1))
        + 4 * rng.normal(size=(n, 2, len(DAYS)))
    )
    values[:, 0] += level + slope * (DAYS - DAYS.mean())
    animal, arm, day = np.indices(values.shape)
    names = np.where(arm.ravel() == 0, "treated", "control")
    return pd.DataFrame({"arm": names, "animal": animal.ravel(), "day": DAYS[day.ravel()], "volume": values.ravel()})


def run(table: pd.DataFrame, paired: bool = True, **choices: object) -> Repeated:
    return repeated(table, "volume", "treated", "control", paired=paired, **choices)  # type: ignore[arg-type]


def own_lines(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Slope and mean of each animal, [arms, animals]."""
    wide = table.pivot(index=["arm", "animal"], columns="day", values="volume").loc[["treated", "control"]]
    values = wide.to_numpy().reshape(2, -1, len(DAYS))
    from_mean = DAYS - DAYS.mean()
    return (values * from_mean).sum(axis=-1) / (from_mean**2).sum(), values.mean(axis=-1)


def test_of_complete_pairs_the_mixed_model_is_the_t_test_of_the_differences_of_their_lines() -> None:
    table = courses(10, 4, slope=0.8, shared=True)
    found = run(table)
    assert found.test == "mixed model (random intercept and slope of each pair, t with 9 degrees of freedom)"
    for trend, lines in zip((found.slope, found.level), own_lines(table), strict=True):
        expected = ttest_1samp(lines[0] - lines[1], 0.0)
        assert trend.effect == pytest.approx((lines[0] - lines[1]).mean(), rel=1e-4)
        # the likelihood is climbed numerically, to a few digits
        assert trend.statistic == pytest.approx(expected.statistic, rel=0.01, abs=0.01)
        assert trend.interval == pytest.approx(tuple(expected.confidence_interval(0.95)), rel=0.02, abs=0.01)


def test_of_complete_groups_the_mixed_model_is_the_t_test_of_their_lines() -> None:
    table = courses(8, 2, level=15.0)
    found = run(table, paired=False)
    assert "random intercept and slope of each animal, t with 14 degrees of freedom" in found.test
    for trend, lines in zip((found.slope, found.level), own_lines(table), strict=True):
        assert trend.p == pytest.approx(ttest_ind(lines[0], lines[1]).pvalue, rel=0.03, abs=1e-3)


def test_a_slope_is_found_that_the_levels_hide() -> None:
    found = run(courses(10, 3, slope=2.0, shared=True))
    assert found.slope.effect == pytest.approx(2.0, abs=0.4)
    assert found.slope.p is not None
    assert found.level.p is not None
    assert found.slope.p < 0.001 < 0.05 < found.level.p
    assert found.slope.p_adjusted == pytest.approx(2 * found.slope.p)
    assert found.level.p_adjusted == found.level.p


def test_animals_with_days_missing_stay_in_the_mixed_model() -> None:
    table = courses(10, 4, slope=1.5)
    fewer = table.drop(table.sample(frac=0.3, random_state=1).index)
    whole, found = run(table, paired=False), run(fewer, paired=False)
    assert found.n_arm == found.n_versus == 10
    assert "mixed model" in found.test
    assert found.slope.effect == pytest.approx(whole.slope.effect, abs=0.5)


def test_animals_without_lines_of_their_own_are_tested_by_summary_measures_and_said_so() -> None:
    for paired in (True, False):
        table = courses(6, 12, own=0.0)
        found = run(table, paired=paired)
        if "mixed" in found.test:
            continue
        assert "no line of its own" in found.note or "did not converge" in found.note
        slopes, levels = own_lines(table)
        assert found.test.startswith("paired t tests" if paired else "Welch t tests")
        for trend, lines in ((found.slope, slopes), (found.level, levels)):
            expected = ttest_1samp(lines[0] - lines[1], 0) if paired else ttest_ind(*lines, equal_var=False)
            assert trend.p == pytest.approx(expected.pvalue, rel=1e-6)


def test_some_null_study_takes_the_fallback() -> None:
    taken = [run(courses(5, seed, own=0.0), paired=True).test for seed in range(6)]
    assert any(test.startswith("paired t tests of each animal's own mean and slope") for test in taken)


def test_growth_rates_are_compared_as_logarithms() -> None:
    rng = np.random.default_rng(6)
    rows = []
    for arm, rate in (("treated", 0.10), ("control", 0.20)):
        for i in range(8):
            start, own = rng.normal(2.0, 0.2), rate + rng.normal(0.0, 0.01)
            rows += [(arm, i, day, math.exp(start + own * day + rng.normal(0.0, 0.05))) for day in DAYS]
    found = run(pd.DataFrame(rows, columns=["arm", "animal", "day", "volume"]), scale="log")
    assert found.slope.effect == pytest.approx(-0.10, abs=0.02)
    assert "per day (growth rate)" in str(found)


def test_what_has_no_logarithm_is_named() -> None:
    table = courses(4, 7)
    table.loc[(table["arm"] == "control") & (table["animal"] == 2) & (table["day"] == 3.0), "volume"] = 0.0
    with pytest.raises(ResultError, match="animal 2 in arm 'control' is 0 on day 3, which has no logarithm"):
        run(table, scale="log")
    assert run(table, scale="log", period=(6.0, 21.0)).first_day == 6.0


def test_arms_that_are_alike_on_every_day_give_p_one() -> None:
    table = courses(5, 8)
    control = table[table["arm"] == "control"]
    found = run(pd.concat([control, control.assign(arm="treated")]))
    assert (found.slope.p, found.level.p, found.note) == (1.0, 1.0, "the arms are alike on every day")


def test_animals_without_a_partner_or_with_one_day_are_counted_in_the_note() -> None:
    table = courses(6, 9)
    lost = table[~((table["arm"] == "control") & (table["animal"] == 0))]
    found = run(lost, failed={"control": 1})
    assert found.n_arm == 5
    assert "1 animal without a partner" in found.note
    assert "failed and missing: 1 of 'control'" in str(found)
    short = table[~((table["arm"] == "control") & (table["animal"] == 0) & (table["day"] > 0))]
    assert "1 animal with fewer than two days left out" in run(short, paired=False).note


def test_fewer_than_two_animals_give_no_test() -> None:
    found = run(courses(1, 10))
    assert found.slope.p is None
    assert found.test == "no test"
    assert "cannot be compared" in str(found)


def test_unknown_columns_arms_and_scales_are_named() -> None:
    table = courses(3, 11)
    with pytest.raises(UnknownNameError, match="Did you mean 'volume'"):
        repeated(table, "volumes", "treated", "control")
    with pytest.raises(UnknownNameError, match="Did you mean 'treated'"):
        repeated(table, "volume", "treatd", "control")
    with pytest.raises(UnknownNameError, match="Did you mean 'log'"):
        run(table, scale="logs")
    with pytest.raises(ResultError, match="day"):
        run(table.drop(columns="day"))


def test_a_comparison_of_courses_reads_like_a_paper() -> None:
    found = run(courses(10, 3, slope=2.0, shared=True))
    text = str(
        repeated(
            courses(10, 3, slope=2.0, shared=True),
            {"name": "volume", "title": "tumour", "unit": "mm3"},
            "treated",
            "control",
        )
    )
    assert text.startswith("tumour, treated versus control from day 0 to 21: slope +")
    assert " mm3 per day (95 % CI " in text
    assert text.endswith(f"{found.test}, n = 10 pairs")
