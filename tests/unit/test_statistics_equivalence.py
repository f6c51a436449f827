"""Equivalence: two one-sided tests beside those of statsmodels, margins, bounds, and the words for them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.weightstats import ttost_ind, ttost_paired

from paget.compare import Equivalence, compare, equivalence
from paget.errors import ResultError, UnknownNameError

CONTRAST = ("treated", "control")


def table(treated: Sequence[float], control: Sequence[float], seen: bool = True) -> pd.DataFrame:
    rows = [("treated", i, "x", v, seen) for i, v in enumerate(treated)]
    rows += [("control", i, "x", v, seen) for i, v in enumerate(control)]
    return pd.DataFrame(rows, columns=["arm", "animal", "readout", "value", "observed"])


def run(
    treated: Sequence[float], control: Sequence[float], kind: str, margin: float, paired: bool = True, **more: object
) -> Equivalence:
    return equivalence(table(treated, control), {"name": "x", "kind": kind}, CONTRAST, margin, paired, **more)  # type: ignore[arg-type]


def draws(seed: int, n: int = 12) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    animal = rng.normal(50.0, 5.0, n)
    return animal + rng.normal(1.0, 3.0, n), animal + rng.normal(0.0, 3.0, n)


@pytest.mark.parametrize("margin", [2.0, 4.0, 8.0])
def test_two_one_sided_t_tests_are_those_of_statsmodels(margin: float) -> None:
    a, b = draws(1)
    paired, apart = run(a, b, "continuous", margin), run(a, b, "continuous", margin, paired=False)
    assert paired.p == pytest.approx(ttost_paired(a, b, -margin, margin)[0])
    assert apart.p == pytest.approx(ttost_ind(a, b, -margin, margin, usevar="unequal")[0])


@pytest.mark.parametrize("kind", ["continuous", "fraction", "count", "time"])
@pytest.mark.parametrize("paired", [True, False])
def test_arms_are_equivalent_exactly_at_margins_beyond_the_bound(kind: str, paired: bool) -> None:
    a, b = (np.round(v) for v in draws(2))
    bound = run(a, b, kind, 5.0, paired).bound
    assert bound is not None
    assert run(a, b, kind, bound * 1.001, paired).equivalent
    just_within = run(a, b, kind, bound / 1.001, paired)
    assert not just_within.equivalent
    assert just_within.p == pytest.approx(0.05, abs=2e-3)


def test_the_bound_is_the_far_end_of_the_ninety_per_cent_interval() -> None:
    a, b = draws(3)
    found = run(a, b, "continuous", 5.0)
    assert found.interval is not None
    assert found.bound == pytest.approx(max(abs(end) for end in found.interval))
    counts = run([9, 12, 8, 11, 10, 14], [10, 11, 8, 12, 9, 13], "count", 1.5, paired=False)
    assert counts.interval is not None
    assert counts.bound == pytest.approx(max(counts.interval[1], 1 / counts.interval[0]))
    assert counts.equivalent


def test_a_difference_that_is_not_significant_is_not_yet_equivalence() -> None:
    a, b = [10.0, 14.0, 8.0, 17.0], [11.0, 9.0, 15.0, 12.0]
    (difference,) = compare(table(a, b), [{"name": "x", "kind": "continuous"}], [CONTRAST])
    assert difference.p is not None
    assert difference.p > 0.5
    assert not run(a, b, "continuous", 4.0).equivalent


def test_false_statements_of_equivalence_are_as_rare_as_stated() -> None:
    rng = np.random.default_rng(4)
    # the truth lies on the margin: one study in twenty may say that it lies within
    said = [
        run(rng.normal(2.0, 1.0, 8), rng.normal(0.0, 1.0, 8), "continuous", 2.0, paired=False).equivalent
        for _ in range(150)
    ]
    assert 1 <= sum(said) <= 18  # central 99.9 % of the binomial distribution


def test_times_without_censoring_are_equivalent_as_their_means_are() -> None:
    a, b = draws(5)
    for paired in (True, False):
        timed, means = run(a, b, "time", 5.0, paired), run(a, b, "continuous", 5.0, paired)
        assert timed.p == pytest.approx(means.p)
        assert timed.interval == pytest.approx(means.interval)
        assert "restricted means to day" in timed.test


def test_hazards_are_compared_as_a_ratio_if_asked() -> None:
    a, b = draws(6, 80)
    found = run(a, b, "time", 3.0, scale="ratio")
    (difference,) = compare(table(a, b), [{"name": "x", "kind": "time"}], [CONTRAST])
    assert found.estimate == pytest.approx(difference.effect_size)
    assert found.bound is not None
    assert found.bound > 1


def test_an_arm_without_counts_leaves_the_ratio_without_a_bound() -> None:
    found = run([0, 0, 0, 0], [1, 2, 0, 1], "count", 2.0)
    assert (found.bound, found.equivalent) == (math.inf, False)
    assert "the effect has no bound" in str(found)
    none = run([0, 0, 0], [0, 0, 0], "count", 2.0)
    assert (none.p, none.note) == (None, "no count above zero in either arm")


def test_differences_without_spread_are_no_evidence() -> None:
    found = run([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], "continuous", 1.0)
    assert found.p is None
    assert not found.equivalent
    assert "no evidence about other animals" in found.note


def test_missing_failed_and_lonely_animals_are_told() -> None:
    found = run([1.0, 2.0, 4.0, math.nan], [1.5, 2.0, 3.0, 4.0], "continuous", 5.0, failed={"treated": 1})
    assert found.n_arm == 3
    assert "1 missing in 'treated' left out; 1 without a partner left out" in str(found)
    assert "failed and missing: 1 of 'treated'" in str(found)
    lonely = run([1.0], [2.0], "count", 2.0)
    assert "needs at least 2 animals" in lonely.note


def test_impossible_margins_and_scales_are_refused() -> None:
    a, b = draws(7)
    with pytest.raises(ResultError, match="margin of a difference must be above 0"):
        run(a, b, "continuous", 0.0)
    with pytest.raises(ResultError, match="margin of a ratio must be above 1"):
        run(a, b, "count", 0.5)
    with pytest.raises(ResultError, match="ratios are of counts and times"):
        run(a, b, "fraction", 1.5, scale="ratio")
    with pytest.raises(UnknownNameError, match="Did you mean 'ratio'"):
        run(a, b, "count", 1.5, scale="ratios")


def test_an_equivalence_reads_like_a_paper() -> None:
    readout = {"name": "x", "title": "tumour volume", "unit": "mm3", "kind": "continuous"}
    found = equivalence(table([10.0, 12.0, 11.0, 13.0], [10.5, 11.5, 11.0, 13.5]), readout, CONTRAST, 2.0)
    assert str(found).startswith("tumour volume, treated versus control: no effect larger than 0.6")
    assert "mm3 (90 % CI -0.6" in str(found)
    assert "equivalent at a margin of 2 mm3, two one-sided t tests, n = 4 pairs, p = 0.00" in str(found)
