"""Samplers draw from the distributions that they name, and clones leap as they would walk."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from paget.kernels import branching, reference_lesions
from paget.kernels.compile import kernel
from paget.kernels.streams import open_stream

KEY = np.uint64(20)
POISSON, BINOMIAL, GAMMA, NORMAL, NEGATIVE_BINOMIAL = range(5)
ERROR = 1e-5  # rate at which each test of a distribution may fail by chance; some fifty of them are made here


@kernel
def draws(key, which, a, b, n):
    out = np.empty(n)
    for i in range(n):
        stream, increment = open_stream(key, np.uint64(i), which)
        if which == POISSON:
            stream, out[i] = branching.poisson(a, stream, increment)
        elif which == BINOMIAL:
            stream, out[i] = branching.binomial(a, b, stream, increment)
        elif which == GAMMA:
            stream, out[i] = branching.gamma(a, stream, increment)
        elif which == NORMAL:
            stream, out[i] = branching.normal(stream, increment)
        else:
            stream, out[i] = branching.negative_binomial(a, b, stream, increment)
    return out


@kernel
def leaps(key, cells, birth, death, dt, steps, n):
    """[n, 3]: cells after `steps` leaps of dt / steps, born, died."""
    out = np.zeros((n, 3))
    for i in range(n):
        stream, increment = open_stream(key, np.uint64(i), 0)
        out[i, 0] = cells
        for _ in range(steps):
            stream, out[i, 0], born, died = branching.leap(out[i, 0], birth, death, dt / steps, stream, increment)
            out[i, 1] += born
            out[i, 2] += died
    return out


def fit(counted, probability):
    """p value of Pearson's test of whole numbers; classes of fewer than 20 expected are joined, rising and then the rest."""
    expected = np.append(probability, max(1.0 - probability.sum(), 0.0)) * counted.size
    observed = np.bincount(np.minimum(counted.astype(int), probability.size), minlength=probability.size + 1)
    cuts, total = [0], 0.0
    for i, e in enumerate(expected):
        total += e
        if total >= 20.0 and expected[i + 1 :].sum() >= 20.0:
            cuts.append(i + 1)
            total = 0.0
    o, e = np.add.reduceat(observed, cuts), np.add.reduceat(expected, cuts)
    return stats.chi2.sf(((o - e) ** 2 / e).sum(), o.size - 1)


# ---- samplers ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("mean", [0.3, 3.0, 9.99, 10.0, 30.0, 700.0])
def test_poisson_numbers_have_their_distribution(mean):
    most = int(mean + 12 * np.sqrt(mean) + 20)
    assert fit(draws(KEY, POISSON, mean, 0.0, 300_000), stats.poisson.pmf(np.arange(most), mean)) > ERROR


@pytest.mark.parametrize(
    ("n", "p"),
    [(1, 0.3), (16, 0.9), (17, 0.01), (50, 0.19), (50, 0.2), (50, 0.5), (50, 0.83), (1000, 0.3), (10**6, 3e-6)],
)
def test_binomial_numbers_have_their_distribution(n, p):
    most = int(min(n, n * p + 12 * np.sqrt(n * p) + 20)) + 1
    assert fit(draws(KEY, BINOMIAL, float(n), p, 300_000), stats.binom.pmf(np.arange(most), n, p)) > ERROR


@pytest.mark.parametrize(("k", "odds"), [(1, 0.5), (5, 3.0), (16, 0.1), (17, 0.3), (100, 4.0), (1000, 0.01)])
def test_negative_binomial_numbers_have_their_distribution(k, odds):
    most = int(k * odds + 12 * np.sqrt(k * odds * (1 + odds)) + 30)
    expected = stats.nbinom.pmf(np.arange(most), k, 1 / (1 + odds))
    assert fit(draws(KEY, NEGATIVE_BINOMIAL, float(k), odds, 300_000), expected) > ERROR


@pytest.mark.parametrize("shape", [0.3, 1.0, 17.0, 1e4])
def test_gamma_numbers_have_their_distribution(shape):
    assert stats.kstest(draws(KEY, GAMMA, shape, 0.0, 200_000), stats.gamma(shape).cdf).pvalue > ERROR


def test_normal_numbers_have_their_distribution():
    assert stats.kstest(draws(KEY, NORMAL, 0.0, 0.0, 200_000), stats.norm.cdf).pvalue > ERROR


@pytest.mark.parametrize(
    ("which", "a", "b", "law"),
    [
        (POISSON, 1e12, 0.0, stats.poisson(1e12)),
        (BINOMIAL, 2.0**50, 0.25, stats.norm(2.0**48, np.sqrt(2.0**48 * 0.75))),
        (NEGATIVE_BINOMIAL, 1e10, 0.5, stats.norm(5e9, np.sqrt(7.5e9))),
    ],
)
def test_counts_of_a_whole_tumour_are_whole_and_spread_as_they_should(which, a, b, law):
    found = draws(KEY, which, a, b, 100_000)
    assert np.all(found == np.floor(found))
    z = (found - law.mean()) / law.std()
    # at such counts the distributions are normal to 1e-5 of a standard deviation
    assert stats.kstest(z, stats.norm.cdf).pvalue > ERROR


def test_certain_and_impossible_outcomes_need_no_draw():
    stream, increment = np.uint64(1), np.uint64(3)
    assert branching.binomial(7.0, 0.0, stream, increment) == (stream, 0.0)
    assert branching.binomial(7.0, 1.0, stream, increment) == (stream, 7.0)
    assert branching.binomial(0.0, 0.5, stream, increment) == (stream, 0.0)
    assert branching.poisson(0.0, stream, increment) == (stream, 0.0)
    assert branching.leap(0.0, 1.0, 1.0, 1.0, stream, increment) == (stream, 0.0, 0.0, 0.0)
    assert branching.leap(7.0, 0.0, 0.0, 1.0, stream, increment) == (stream, 7.0, 0.0, 0.0)
    assert branching.leap(7.0, 1.0, 2.0, 0.0, stream, increment) == (stream, 7.0, 0.0, 0.0)


# ---- clones -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("n", "birth", "death", "dt"),
    [
        (1, 1.0, 0.9, 3.0),
        (3, 0.5, 0.5, 4.0),
        (5, 0.2, 0.7, 3.0),
        (40, 0.3, 0.1, 1.0),
        (2, 0.6, 0.0, 2.0),
        (30, 0.0, 0.5, 1.0),
        (200, 0.5, 0.45, 2.0),
    ],
)
def test_a_leap_has_the_exact_distribution_of_the_clone(n, birth, death, dt):
    expected = reference_lesions.clone_sizes(n, birth, death, dt, 1500)
    assert fit(leaps(KEY, float(n), birth, death, dt, 1, 200_000)[:, 0], expected) > ERROR


def test_many_small_leaps_are_one_large_leap():
    for steps in (2, 7):
        expected = reference_lesions.clone_sizes(3, 0.6, 0.5, 5.0, 1500)
        assert fit(leaps(KEY, 3.0, 0.6, 0.5, 5.0, steps, 200_000)[:, 0], expected) > ERROR


def test_extinction_and_size_of_a_slowly_growing_clone():
    birth, death, t, n = 1.0, 0.9, 50.0, 200_000
    chance = branching.extinction(birth, death, t)
    assert chance == pytest.approx(0.8993899, abs=5e-8)
    cells = leaps(KEY, 1.0, birth, death, t, 1, n)[:, 0]
    assert abs(np.mean(cells == 0) - chance) < 4.5 * np.sqrt(chance * (1 - chance) / n)
    alive = cells[cells > 0]
    mean = 1475.13  # of the geometric numbers given that any live
    assert np.mean(alive) == pytest.approx(mean, abs=4.5 * mean / np.sqrt(alive.size))
    assert stats.kstest(alive, stats.geom(1 / mean).cdf).pvalue > ERROR


def test_extinction_in_the_end_is_death_over_birth():
    assert branching.extinction(1.0, 0.9, np.inf) == 0.9
    assert branching.extinction(1.0, 0.9, 1e5) == 0.9
    assert branching.extinction(0.9, 1.0, np.inf) == 1.0
    assert branching.extinction(0.5, 0.5, np.inf) == 1.0
    assert branching.extinction(0.5, 0.5, 2.0) == pytest.approx(0.5)
    assert branching.extinction(0.0, 0.0, np.inf) == 0.0


@pytest.mark.parametrize(
    ("n", "birth", "death", "dt"),
    [(1, 1.0, 0.9, 4.0), (3, 0.5, 0.5, 3.0), (5, 0.2, 0.7, 2.0), (6, 2.0, 3.0, 2.0), (3, 0.5, 6.0, 20.0)],
)
def test_births_and_deaths_balance_and_have_the_means_of_the_walk(n, birth, death, dt):
    rng = np.random.default_rng(1)
    leapt = leaps(KEY, float(n), birth, death, dt, 1, 200_000)
    walked = np.array([reference_lesions.walk(n, birth, death, dt, rng) for _ in range(15_000)])
    assert np.all(leapt[:, 1] - leapt[:, 2] == leapt[:, 0] - n)
    assert np.all(leapt == np.floor(leapt))
    assert leapt.min() >= 0.0
    grown_by = np.exp((birth - death) * dt)
    exact = death * n * (dt if birth == death else (grown_by - 1) / (birth - death))
    assert leapt[:, 2].mean() == pytest.approx(exact, abs=4.5 * leapt[:, 2].std() / np.sqrt(len(leapt)))
    # ... also given how many cells are left, which decides the deaths in a lesion that died out and in one that grew
    for cells in range(5):
        mine, theirs = leapt[leapt[:, 0] == cells, 2], walked[walked[:, 0] == cells, 2]
        if theirs.size > 200:
            error = np.hypot(mine.std() / np.sqrt(mine.size), theirs.std() / np.sqrt(theirs.size))
            assert mine.mean() == pytest.approx(theirs.mean(), abs=4.5 * error)


@pytest.mark.parametrize("birth", [0.15, 1.0, 4.0])
@pytest.mark.parametrize("u", [0.1, -0.1])
def test_turnover_by_series_and_by_difference_meet(birth, u):
    by_series = np.array(branching.turnover(birth, birth - u * (1 - 1e-6), 1.0))
    by_difference = np.array(branching.turnover(birth, birth - u * (1 + 1e-6), 1.0))
    between = np.array(branching.turnover(birth, birth - u, 1.0))
    # Over so short a way turnover is a straight line to 1e-12.
    assert between == pytest.approx((by_series + by_difference) / 2, rel=1e-10)
    assert by_series != pytest.approx(by_difference, rel=1e-9)


def test_what_is_no_number_or_cannot_be_counted_ends_at_once():
    stream, increment = np.uint64(1), np.uint64(3)
    assert np.isnan(branching.poisson(np.nan, stream, increment)[1])
    assert branching.poisson(np.inf, stream, increment)[1] == np.inf
    assert np.isnan(branching.binomial(np.inf, 0.5, stream, increment)[1])
    assert np.isnan(branching.binomial(5.0, np.nan, stream, increment)[1])


def test_only_births_and_only_deaths_are_counted_exactly():
    births, deaths = leaps(KEY, 3.0, 0.5, 0.0, 2.0, 1, 1000), leaps(KEY, 30.0, 0.0, 0.5, 2.0, 1, 1000)
    assert np.all(births[:, 2] == 0.0)
    assert np.all(births[:, 1] == births[:, 0] - 3.0)
    assert np.all(deaths[:, 1] == 0.0)
    assert np.all(deaths[:, 2] == 30.0 - deaths[:, 0])


def test_a_leap_of_a_whole_tumour_balances_to_the_cell():
    out = leaps(KEY, 2.0**49, 0.02, 0.018, 24.0, 1, 2000)
    assert np.all(out[:, 1] - out[:, 2] == out[:, 0] - 2.0**49)
    mean = 2.0**49 * np.exp(0.002 * 24)
    spread = np.sqrt(2.0**49 * (0.038 / 0.002) * np.exp(0.048) * (np.exp(0.048) - 1))
    assert out[:, 0].mean() == pytest.approx(mean, abs=4.5 * spread / np.sqrt(2000))
    # relative error of a variance from 2000 numbers: sqrt(2 / 2000) = 3 %
    assert out[:, 0].std() == pytest.approx(spread, rel=4.5 * 0.016)
