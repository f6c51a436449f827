"""Standardised effects and exact rank tests against textbook values and against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import PermutationMethod, mannwhitneyu, wilcoxon

from paget.compare import exact
from paget.compare.effects import (
    hedges_g,
    hedges_g_paired,
    rank_biserial,
    rank_biserial_paired,
    small_sample_factor,
)

# Hollander & Wolfe (1973): depression scores of nine patients at two visits, and permeability of membranes at two ages.
FIRST_VISIT = np.array([1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30])
SECOND_VISIT = np.array([0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29])
AT_TERM = np.array([0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46])
EARLY = np.array([1.15, 0.88, 0.90, 0.74, 1.21])


def with_moments(mean: float, sd: float, n: int) -> np.ndarray:
    raw = np.random.default_rng(3).normal(size=n)
    return mean + sd * (raw - raw.mean()) / raw.std(ddof=1)


def test_hedges_g_of_two_groups_is_that_of_the_textbook() -> None:
    # Borenstein et al. (2009), ch. 4: means 103 and 100, sd 5.5 and 4.5, n = 50 each.
    g = hedges_g(with_moments(103.0, 5.5, 50), with_moments(100.0, 4.5, 50))
    assert g == pytest.approx(0.5924, abs=1e-4)


def test_hedges_g_of_pairs_divides_by_the_spread_between_animals_not_of_the_differences() -> None:
    animals = with_moments(0.0, 2.0, 12)
    shifted = animals + 3.0 + with_moments(0.0, 1e-3, 12)
    assert hedges_g_paired(shifted, animals) == pytest.approx(small_sample_factor(11) * 3.0 / 2.0, rel=1e-3)


@pytest.mark.parametrize("freedom", [5, 20, 198])
def test_small_sample_factor_agrees_with_its_common_approximation(freedom: int) -> None:
    assert small_sample_factor(freedom) == pytest.approx(1 - 3 / (4 * freedom - 1), abs=0.002)


def test_small_sample_factor_with_two_degrees_of_freedom_is_exact() -> None:
    # Gamma(1) / (1 * Gamma(1/2)) = 1 / sqrt(pi)
    assert small_sample_factor(2) == pytest.approx(np.pi**-0.5)
    with pytest.raises(ValueError, match="at least 2"):
        small_sample_factor(1)


def test_standardised_effects_are_undefined_without_spread_or_animals() -> None:
    flat = np.full(5, 2.0)
    assert hedges_g(flat, flat + 1) is None
    assert hedges_g_paired(flat, flat + 1) is None
    assert hedges_g(np.array([1.0]), flat) is None
    assert rank_biserial_paired(flat, flat) is None
    assert rank_biserial(np.empty(0), flat) is None


def test_rank_biserial_counts_which_animals_exceed_which() -> None:
    # 3 x 2 comparisons: 4 above, 1 below, 1 tie
    assert rank_biserial(np.array([5.0, 4.0, 2.0]), np.array([2.0, 3.0])) == pytest.approx((4 - 1) / 6)


def test_paired_rank_biserial_is_the_balance_of_rank_sums() -> None:
    # differences +1, -2, +3, 0: ranks 1, 2, 3, so (1 + 3 - 2) / 6
    assert rank_biserial_paired(np.array([1.0, 0.0, 3.0, 7.0]), np.array([0.0, 2.0, 0.0, 7.0])) == pytest.approx(1 / 3)


def test_signed_rank_test_is_that_of_the_textbook() -> None:
    statistic, p = exact.signed_rank_test(FIRST_VISIT - SECOND_VISIT)
    assert statistic == 5.0  # V = 40 of 45
    assert p == pytest.approx(2 * 0.01953125, abs=1e-12)


def test_rank_sum_test_is_that_of_the_textbook() -> None:
    statistic, p = exact.rank_sum_test(AT_TERM, EARLY)
    assert statistic == 15.0  # W = 35 of 50
    assert p == pytest.approx(0.254412, abs=1e-6)


def test_signed_rank_test_with_ties_and_zeros_equals_all_sign_flips() -> None:
    difference = np.array([0, 1, -1, 2, 2, 3, -2, 5, 5, 0, 4], dtype=float)
    every_flip = wilcoxon(difference[difference != 0], method=PermutationMethod(n_resamples=np.inf))
    assert exact.signed_rank_test(difference)[1] == pytest.approx(every_flip.pvalue, abs=1e-12)


def test_rank_sum_test_with_ties_equals_all_relabellings() -> None:
    arm, versus = np.array([0, 1, 1, 2, 5, 5], dtype=float), np.array([1, 2, 2, 5, 6], dtype=float)
    every_label = mannwhitneyu(arm, versus, method=PermutationMethod(n_resamples=np.inf))
    assert exact.rank_sum_test(arm, versus)[1] == pytest.approx(every_label.pvalue, abs=1e-12)


def test_large_samples_use_the_normal_distribution_without_a_jump(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    difference = (rng.poisson(5, 301) - rng.poisson(5.2, 301)).astype(float)
    arm, versus = rng.poisson(5, 61).astype(float), rng.poisson(5.5, 60).astype(float)
    normal = exact.signed_rank_test(difference)[1], exact.rank_sum_test(arm, versus)[1]
    monkeypatch.setattr(exact, "_MOST_PAIRS", 10**6)
    monkeypatch.setattr(exact, "_MOST_ANIMALS", 10**6)
    exact_p = exact.signed_rank_test(difference)[1], exact.rank_sum_test(arm, versus)[1]
    assert normal == pytest.approx(exact_p, abs=1e-3)
    assert normal != exact_p
