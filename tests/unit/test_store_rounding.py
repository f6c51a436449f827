"""Rounding before storage stays within its stated error and spares what is not finite."""

from __future__ import annotations

import numpy as np

from paget.results.rounding import round_mantissa, round_positions


def test_positions_are_multiples_of_a_sixty_fourth_of_a_micrometre():
    exact = np.random.default_rng(1).uniform(-3000, 3000, 10_000)
    stored = round_positions(exact)
    assert stored.dtype == np.float32
    assert np.array_equal(stored * 64, np.rint(stored * 64))
    assert np.abs(stored - exact).max() <= 1 / 128 + 1e-9


def test_ten_bits_of_mantissa_remain_and_the_relative_error_is_below_two_to_the_minus_eleven():
    exact = (np.random.default_rng(2).lognormal(0, 10, 10_000) * np.resize([1, -1], 10_000)).astype(np.float32)
    stored = round_mantissa(exact)
    assert not (stored.view(np.uint32) & np.uint32(2**13 - 1)).any()
    assert np.abs(stored / exact.astype(np.float64) - 1).max() <= 2.0**-11


def test_ties_go_to_even_so_that_means_are_not_shifted():
    step = 2.0**-10
    assert round_mantissa([1 + step / 2, 1 + 3 * step / 2]).tolist() == [1.0, 1 + 2 * step]


def test_what_is_not_finite_and_zero_stay_as_they_are():
    special = np.array([0.0, -0.0, np.inf, -np.inf, np.nan], np.float32)
    noisy_nan = np.array([0x7FFFFFFF, 0x7F800001], np.uint32).view(np.float32)
    stored = round_mantissa(np.concatenate([special, noisy_nan]))
    assert np.array_equal(stored[:4], special[:4])
    assert np.signbit(stored[1])
    assert np.isnan(stored[4:]).all()


def test_the_given_array_is_not_changed():
    exact = np.array([np.pi], np.float32)
    round_mantissa(exact)
    assert exact[0] == np.float32(np.pi)
