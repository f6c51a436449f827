"""Counts: permutation of the negative binomial score, the rate ratio and its interval, zeros and the Poisson limit."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2, ttest_1samp, ttest_ind
from statsmodels.api import GLM, families

from paget.compare import Comparison, compare, rate_ratio, rate_ratio_paired
from paget.compare.permutation import swap_test, two_group_test
from paget.compare.rate_ratio import overdispersion

Draw = Callable[[np.random.Generator, int], np.ndarray]
DRAWS: dict[str, Draw] = {
    "counts with ties": lambda rng, n: rng.poisson(3.0, n).astype(float),
    "fractions": lambda rng, n: rng.binomial(20, 0.1, n) / 20,
    "reals": lambda rng, n: rng.normal(size=n),
    "large counts": lambda rng, n: rng.poisson(1e5, n).astype(float),
}


def mid_p(sums: np.ndarray, found: float) -> float:
    equal = np.abs(sums - found) < 1e-9 * max(1.0, np.abs(sums).max())
    below, above = (sums < found) & ~equal, (sums > found) & ~equal
    return min(1.0, 2 * (min(below.sum(), above.sum()) + equal.sum() / 2) / len(sums))


def one(treated: Sequence[float], control: Sequence[float], paired: bool) -> Comparison:
    rows = [("treated", i, "x", v, True) for i, v in enumerate(treated)]
    rows += [("control", i, "x", v, True) for i, v in enumerate(control)]
    table = pd.DataFrame(rows, columns=["arm", "animal", "readout", "value", "observed"])
    (found,) = compare(table, [{"name": "x", "kind": "count"}], [("treated", "control")], paired)
    return found


# ---- permutation --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", DRAWS)
def test_relabelling_counts_every_assignment_once(name: str) -> None:
    rng = np.random.default_rng(7)
    for n, m in ((4, 5), (7, 5)):
        a, b = DRAWS[name](rng, n), DRAWS[name](rng, m)
        both = np.concatenate([a, b])
        sums = np.array([both[list(chosen)].sum() for chosen in itertools.combinations(range(n + m), n)])
        assert two_group_test(a, b) == pytest.approx(mid_p(sums, a.sum()))


@pytest.mark.parametrize("name", DRAWS)
def test_exchanging_within_pairs_counts_every_exchange_once(name: str) -> None:
    rng = np.random.default_rng(8)
    d = DRAWS[name](rng, 9) - DRAWS[name](rng, 9)
    signs = np.array(list(itertools.product([-1.0, 1.0], repeat=9)))
    assert swap_test(d) == pytest.approx(mid_p(signs @ np.abs(d), d.sum()))


@pytest.mark.parametrize(("n", "close"), [(10, 2e-3), (25, 2e-3)])
def test_scores_rounded_to_a_grid_give_the_p_of_assignments_drawn_at_random(n: int, close: float) -> None:
    rng = np.random.default_rng(9)
    a, b = rng.exponential(1.0, n), rng.exponential(1.6, n)
    drawn = rng.permuted(np.tile(np.concatenate([a, b]), (100_000, 1)), axis=1)[:, :n].sum(axis=1)
    exact = two_group_test(a, b)
    # the standard error of a drawn p of 0.1 is 0.001
    assert exact == pytest.approx(mid_p(drawn, a.sum()), abs=2e-3 + close)
    signs = rng.choice([-1.0, 1.0], (100_000, n))
    assert swap_test(a - b) == pytest.approx(mid_p(signs @ np.abs(a - b), (a - b).sum()), abs=2e-3 + close)


def test_many_animals_are_compared_at_once_without_a_jump() -> None:
    rng = np.random.default_rng(10)
    for n in (55, 65):  # counted on a grid, and normal
        a, b = rng.normal(0.3, 1.0, n), rng.normal(0.0, 1.0, n)
        assert two_group_test(a, b) == pytest.approx(ttest_ind(a, b).pvalue, rel=0.05, abs=1e-3)
    for n in (290, 310):
        d = rng.normal(0.1, 1.0, n)
        assert swap_test(d) == pytest.approx(ttest_1samp(d, 0.0).pvalue, rel=0.05, abs=1e-3)


def test_ten_thousand_patients_are_compared_in_a_moment() -> None:
    rng = np.random.default_rng(11)
    a, b = rng.negative_binomial(2, 0.20, 10_000), rng.negative_binomial(2, 0.21, 10_000)
    began = time.process_time()
    for paired in (True, False):
        found = one(a.tolist(), b.tolist(), paired)
        assert found.p is not None
        assert found.effect_size_interval is not None
    assert time.process_time() - began < 2.0


# ---- the rate ratio -----------------------------------------------------------------------------------------------
def test_the_interval_holds_the_ratios_that_the_likelihood_ratio_of_statsmodels_does_not_reject() -> None:
    rng = np.random.default_rng(12)
    a, b = rng.negative_binomial(2, 0.2, 8).astype(float), rng.negative_binomial(2, 0.1, 6).astype(float)
    found = rate_ratio(a, b)
    assert found is not None
    values, arm = np.concatenate([a, b]), np.repeat([1.0, 0.0], [8, 6])
    family = families.NegativeBinomial(alpha=found.dispersion)
    free = GLM(values, np.column_stack([np.ones(14), arm]), family=family).fit()
    assert found.estimate == pytest.approx(math.exp(free.params[1]))
    assert free.pearson_chi2 == pytest.approx(12)
    for end in found.interval():
        held = GLM(values, np.ones((14, 1)), family=family, offset=math.log(end) * arm).fit()
        assert math.sqrt(held.deviance - free.deviance) == pytest.approx(2.178813, rel=1e-5)  # t(0.975, 12)


def test_counts_that_vary_no_more_than_poisson_have_no_dispersion() -> None:
    assert overdispersion([np.array([4.0, 5.0, 6.0]), np.array([2.0, 3.0, 2.0])]) == 0.0
    rng = np.random.default_rng(13)
    assert overdispersion([rng.negative_binomial(2, 0.1, 20_000).astype(float)]) == pytest.approx(0.5, rel=0.05)


def test_without_dispersion_the_interval_of_many_counts_is_that_of_two_poisson_counts() -> None:
    rng = np.random.default_rng(14)
    a, b = rng.poisson(4.0, 4000).astype(float), rng.poisson(4.0, 4000).astype(float)
    a.sort()
    for found in (rate_ratio(np.full(4000, a.mean()), np.full(4000, b.mean())), rate_ratio_paired(a, b)):
        assert found is not None
        low, high = found.interval()
        half = 1.96 * math.sqrt(1 / a.sum() + 1 / b.sum())
        if found.freedom == 7998:
            assert math.log(high / low) / 2 == pytest.approx(half, rel=1e-3)
        else:  # pairs in another order than drawn are independent, with the same error
            assert math.log(high / low) / 2 == pytest.approx(half, rel=0.6)


def test_the_ratio_of_pairs_is_not_widened_by_what_the_animals_share() -> None:
    rng = np.random.default_rng(15)
    animal = rng.gamma(1.0, 20.0, 10)
    a, b = rng.poisson(animal * 0.5).astype(float), rng.poisson(animal).astype(float)
    paired, apart = rate_ratio_paired(a, b), rate_ratio(a, b)
    assert paired is not None
    assert apart is not None
    assert paired.estimate == pytest.approx(apart.estimate)
    assert paired.interval()[1] < 1.0 < apart.interval()[1]


def test_pairs_that_differ_more_than_poisson_widen_the_interval() -> None:
    rng = np.random.default_rng(17)
    a, b = rng.poisson(rng.gamma(2.0, 10.0, (2, 12))).astype(float)
    found = rate_ratio_paired(a, b)
    assert found is not None
    share = a.sum() / (a + b).sum()
    # the variance of the share between pairs, not that of a binomial count
    error = math.sqrt(12 / 11 * ((a - share * (a + b)) ** 2).sum()) / (a + b).sum() / (share * (1 - share))
    low, high = found.interval()
    assert found.dispersion > 3
    assert math.log(high / low) / 2 == pytest.approx(2.200985 * error, rel=0.1)  # t(0.975, 11)


def test_an_arm_without_any_count_has_a_bound_on_one_side() -> None:
    some, none = [3, 5, 2, 6, 4, 4, 2, 5], [0] * 8
    for paired in (True, False):
        fewer, more = one(none, some, paired), one(some, none, paired)
        assert fewer.effect_size == 0.0
        assert fewer.effect_size_interval is not None
        assert fewer.effect_size_interval[0] == 0.0
        assert 0 < fewer.effect_size_interval[1] < 0.3
        assert more.effect_size is None
        assert more.effect_size_interval is not None
        assert more.effect_size_interval == (pytest.approx(1 / fewer.effect_size_interval[1]), math.inf)
        assert more.p == fewer.p
        assert f"rate ratio above {more.effect_size_interval[0]:.2f}, negative" in str(more)
        assert "inf" not in str(more).replace("interval", "")


def test_a_wrong_ratio_is_rejected_on_its_own_side_only() -> None:
    found = rate_ratio(np.array([5.0, 7, 6, 9, 4]), np.array([11.0, 15, 9, 12, 14]))
    assert found is not None
    assert found.p_below(1.0) < 0.01
    assert found.p_below(found.estimate) == pytest.approx(0.5)
    assert found.p_below(0.25) > 0.99
    low, high = found.interval(0.90)
    assert found.p_below(high) == pytest.approx(0.05)
    assert 1 - found.p_below(low) == pytest.approx(0.05)


# ---- the default --------------------------------------------------------------------------------------------------
def test_counts_are_tested_by_their_score_and_sized_by_the_ratio() -> None:
    treated, control = [4, 6, 5, 3, 6, 7, 5, 7], [9, 12, 8, 11, 10, 14, 7, 13]
    found = one(treated, control, True)
    assert found.test == "negative binomial score test (permutation)"
    assert found.p == pytest.approx(1 / 2**8)
    assert found.effect == pytest.approx(-41 / 8)
    assert (found.effect_size, found.effect_size_name) == (pytest.approx(43 / 84), "rate ratio")
    apart = one(treated, control, False)
    # three animals have seven, of which two are treated: three of 12,870 assignments have the least sum
    assert apart.p == pytest.approx(3 / math.comb(16, 8))


def test_the_score_of_many_counts_is_that_of_the_negative_binomial_regression() -> None:
    rng = np.random.default_rng(16)
    a, b = rng.negative_binomial(2, 0.20, 400), rng.negative_binomial(2, 0.22, 400)
    found = one(a.tolist(), b.tolist(), False)
    assert found.statistic is not None
    assert found.p == pytest.approx(float(chi2.sf(found.statistic, 1)), rel=0.05)
    values, arm = np.concatenate([a, b]), np.repeat([1.0, 0.0], 400)
    alpha = overdispersion([values.astype(float)])
    design = np.column_stack([np.ones(800), arm])
    fit = GLM(values, design, family=families.NegativeBinomial(alpha=alpha)).fit()
    assert found.statistic == pytest.approx(fit.tvalues[1] ** 2, rel=0.05)


def test_too_few_pairs_to_exchange_are_tested_by_students_t() -> None:
    treated, control = [0, 1, 0, 2, 1], [25, 30, 20, 22, 28]
    found = one(treated, control, True)
    assert found.test == "negative binomial score test (Student's t)"
    assert found.p == pytest.approx(ttest_1samp(np.subtract(treated, control), 0).pvalue)
    three = one(treated[:3], control[:3], False)
    assert three.p == pytest.approx(ttest_ind(treated[:3], control[:3]).pvalue)


def test_no_count_in_either_arm_gives_p_one_and_no_ratio() -> None:
    for paired in (True, False):
        found = one([0] * 8, [0] * 8, paired)
        assert (found.p, found.effect, found.effect_size, found.effect_size_interval) == (1.0, 0.0, None, None)
        assert found.note == "all values equal in both arms"


def test_values_below_zero_are_tested_by_ranks_and_say_so() -> None:
    found = one([-3, 2, -1, 4, 0, 1, 2, -2], [5, 6, 3, 8, 4, 7, 3, 6], True)
    assert found.test == "exact Wilcoxon signed-rank test"
    assert "values below zero are no counts" in found.note
