"""Laws of growth: their closed forms, and what is asked of the numbers that they are made of."""

from __future__ import annotations

import math

import numpy as np
import pytest

from paget.body.growth_laws import (
    bertalanffy,
    exponential,
    gompertz,
    logistic,
    power_law,
    reduced_gompertz,
    west,
)
from paget.errors import ModelError, UnitError
from paget.kernels import growth, reference_lesions
from paget.kernels.growth import BERTALANFFY, EXPONENTIAL, GOMPERTZ, LOGISTIC, POWER, grown, integral, specific, time_to
from paget.process import quantity

LAWS = (EXPONENTIAL, GOMPERTZ, BERTALANFFY, LOGISTIC, POWER)


def q(text):
    return quantity(text, reason="a test")


def cases(law, seed=0, n=12):
    """(size, dt, rate, limit, power, kill) from small to saturated tumours, growing and shrinking."""
    rng = np.random.default_rng(seed)
    for _ in range(n):
        limit = 10 ** rng.uniform(3, 12)
        size = 10 ** rng.uniform(0, math.log10(limit) + 0.2)
        power = float(rng.choice([0.0, 2 / 3, 0.75, 0.9]))
        rate = rng.uniform(0.001, 0.05) * (size ** (1 - power) if law in (BERTALANFFY, POWER) else 1.0)
        yield size, 10 ** rng.uniform(-1, 2.5), rate, limit, power, float(rng.choice([0.0, 0.01, 0.03]))


@pytest.mark.parametrize("law", LAWS)
def test_size_follows_the_differential_equation_with_a_loss(law):
    for size, dt, *rest in cases(law):
        # 1e-9 of the size: the solver's own tolerance over a few hundred steps
        assert grown(law, size, dt, *rest) == pytest.approx(reference_lesions.grown(law, size, dt, *rest), rel=1e-9)


@pytest.mark.parametrize("law", LAWS)
def test_integral_of_a_power_of_size_follows_the_differential_equation(law):
    for case in cases(law, seed=1):
        for exponent in (1.0, 2 / 3):
            expected = reference_lesions.integral(law, *case, exponent)
            assert integral(law, *case, exponent) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("law", LAWS)
def test_integral_adds_up_over_parts_of_the_time_to_its_stated_tolerance(law):
    for size, dt, *rest in cases(law, seed=2):
        parts = 0.0
        for i in range(50):
            parts += integral(law, grown(law, size, dt * i / 50, *rest), dt / 50, *rest, 0.7)
        assert integral(law, size, dt, *rest, 0.7) == pytest.approx(parts, rel=1e-10)


def test_integral_keeps_its_tolerance_where_a_high_power_rises_by_many_orders_of_magnitude():
    rest = (0.002, 1e12, 1.0, 0.0)
    parts = 0.0
    for i in range(400):
        parts += integral(GOMPERTZ, grown(GOMPERTZ, 1.0, 1.125 * i, *rest), 1.125, *rest, 3.0)
    assert integral(GOMPERTZ, 1.0, 450.0, *rest, 3.0) == pytest.approx(parts, rel=1e-10)


@pytest.mark.parametrize("law", LAWS)
def test_time_to_a_size_is_the_inverse_of_growth(law):
    for size, dt, *rest in cases(law, seed=3):
        target = grown(law, size, dt, *rest)
        speed = abs(reference_lesions.change(law, target, *rest)) / target
        if abs(math.log(target / size)) > 1e-6:
            # a size is known to 1e-15 of itself, the time therefore to that over the speed there
            assert time_to(law, size, target, *rest) == pytest.approx(dt, rel=1e-9, abs=1e-12 / max(speed, 1e-300))


@pytest.mark.parametrize("law", LAWS)
def test_two_steps_are_one(law):
    for size, dt, *rest in cases(law, seed=4):
        once = grown(law, size, dt, *rest)
        assert grown(law, grown(law, size, 0.3 * dt, *rest), 0.7 * dt, *rest) == pytest.approx(once, rel=1e-12)


def test_published_closed_forms():
    a, limit, x0, t = 0.02, 1e9, 1e3, 200.0
    assert grown(EXPONENTIAL, x0, t, a, np.inf, 1.0, 0.0) == pytest.approx(x0 * math.exp(a * t), rel=1e-13)
    expected = limit * (x0 / limit) ** math.exp(-a * t)
    assert grown(GOMPERTZ, x0, t, a, limit, 1.0, 0.0) == pytest.approx(expected, rel=1e-12)
    expected = limit / (1 + (limit / x0 - 1) * math.exp(-a * t))
    assert grown(LOGISTIC, x0, t, a, limit, 1.0, 0.0) == pytest.approx(expected, rel=1e-13)
    for p in (2 / 3, 0.75):
        b, root = a * limit ** (p - 1), 1 - p
        expected = (a / b + (x0**root - a / b) * math.exp(-b * root * t)) ** (1 / root)
        assert grown(BERTALANFFY, x0, t, a, limit, p, 0.0) == pytest.approx(expected, rel=1e-11)
        assert grown(POWER, x0, t, a, limit, p, 0.0) == pytest.approx(
            (x0**root + root * a * t) ** (1 / root), rel=1e-12
        )


def test_a_loss_lowers_the_limit_of_gompertz_growth():
    rate, limit, kill = 0.01, 1e9, 0.03
    assert grown(GOMPERTZ, 1e6, np.inf, rate, limit, 1.0, kill) == pytest.approx(limit * math.exp(-kill / rate))
    assert grown(LOGISTIC, 1e6, np.inf, 0.05, limit, 1.0, kill) == pytest.approx(limit * (1 - kill / 0.05))


@pytest.mark.parametrize("law", LAWS)
def test_nothing_grows_from_nothing_and_no_time_changes_nothing(law):
    for size in (0.0, -1.0):
        assert grown(law, size, 10.0, 0.1, 1e9, 0.5, 0.0) == 0.0
        assert specific(law, size, 0.1, 1e9, 0.5) == 0.0
        assert integral(law, size, 10.0, 0.1, 1e9, 0.5, 0.0, 1.0) == 0.0
        assert time_to(law, size, 10.0, 0.1, 1e9, 0.5, 0.0) == np.inf
    assert grown(law, 123.4, 0.0, 0.1, 1e9, 0.5, 0.2) == 123.4


@pytest.mark.parametrize("law", LAWS)
def test_without_growth_only_the_loss_is_left(law):
    assert grown(law, 1e6, 50.0, 0.0, 1e9, 0.5, 0.0) == 1e6
    assert grown(law, 1e6, 50.0, 0.0, 1e9, 0.5, 0.02) == pytest.approx(1e6 * math.exp(-1.0), rel=1e-12)
    assert time_to(law, 1e6, 1e5, 0.0, 1e9, 0.5, 0.02) == pytest.approx(math.log(10) / 0.02, rel=1e-12)
    assert time_to(law, 1e6, 1e7, 0.0, 1e9, 0.5, 0.02) == np.inf


@pytest.mark.parametrize("law", LAWS)
def test_rates_near_the_special_cases_of_the_formula_give_what_the_special_cases_give(law):
    for power in (1 - 1e-13, 1.0):
        exact = grown(law, 1e6, 50.0, 0.01, 1e9, 1.0, 0.01)
        assert grown(law, 1e6, 50.0, 0.01, 1e9, power, 0.01 + 1e-15) == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize("law", [GOMPERTZ, BERTALANFFY, LOGISTIC])
def test_after_a_very_long_time_size_is_at_its_limit(law):
    for dt in (1e7, 1e300, np.inf):
        assert grown(law, 10.0, dt, 0.5, 1e6, 0.75, 0.0) == pytest.approx(1e6, rel=1e-10)
        assert grown(law, 1e9, dt, 0.5, 1e6, 0.75, 0.0) == pytest.approx(1e6, rel=1e-10)


def test_what_explodes_is_infinite_and_not_wrong():
    assert grown(EXPONENTIAL, 10.0, 1e5, 1.0, np.inf, 1.0, 0.0) == np.inf
    assert grown(POWER, 10.0, 1e5, 1.0, np.inf, 1.5, 0.0) == np.inf
    assert integral(POWER, 10.0, 1e5, 1.0, np.inf, 1.5, 0.0, 1.0) == np.inf


def test_a_size_beyond_the_limit_is_never_reached():
    for law in (GOMPERTZ, BERTALANFFY, LOGISTIC):
        assert time_to(law, 1e3, 2e6, 0.1, 1e6, 0.75, 0.0) == np.inf
        assert time_to(law, 1e3, 1e6, 0.1, 1e6, 0.75, 0.0) == np.inf


# ---- as values --------------------------------------------------------------------------------------------------
def test_a_doubling_time_is_a_spelling_of_the_rate():
    by_time, by_rate = exponential(q("2 day")), exponential(q(f"{math.log(2) / 2!r} 1/day"))
    assert by_time.kernel().rate == pytest.approx(by_rate.kernel().rate, rel=1e-15)
    assert by_time.size("6 day", start=5.0) == pytest.approx(40.0, rel=1e-12)
    assert by_time.doubling_time(5.0) == pytest.approx(48.0)
    assert by_time.time_to(40.0, start=5.0) == pytest.approx(144.0)


def test_gompertz_of_the_lewis_lung_carcinoma():
    a, b = 0.743, 0.0792  # 1/day; Benzekry et al. 2014, table 3: V = V0 exp((a / b)(1 - e^(-bt))), V0 = 1 mm3
    law = gompertz(q(f"{b} 1/day"), q(f"{math.exp(a / b)!r} mm**3"), unit="mm**3")
    assert law.kernel().limit == pytest.approx(11.86e3, rel=1e-3)
    assert law.size("20 day", start=1.0) == pytest.approx(1.73e3, rel=3e-3)
    reduced = reduced_gompertz(q(f"{b} 1/day"), q(f"{a / b!r}"), q("1 mm**3"), unit="mm**3")
    assert reduced.kernel() == pytest.approx(law.kernel(), rel=1e-12)
    assert reduced.numbers[0].key == "given"
    assert len(reduced.numbers) == 3


@pytest.mark.parametrize(
    ("law", "code", "power"),
    [
        (bertalanffy(q("1 1/day"), q("1e9 cell")), growth.BERTALANFFY, 2 / 3),
        (west(q("1 1/day"), q("1e9 cell")), growth.BERTALANFFY, 3 / 4),
        (power_law(q("1 1/day"), q("0.8")), growth.POWER, 0.8),
        (logistic(q("1 1/day"), q("1e9 cell")), growth.LOGISTIC, 1.0),
    ],
)
def test_laws_reach_the_kernels_with_their_codes(law, code, power):
    assert law.kernel()[0] == code
    assert law.kernel().rate == pytest.approx(1 / 24)
    assert law.kernel().power == pytest.approx(power)


def test_sizes_at_many_times_come_as_an_array():
    law = west(q("1 1/day"), q("1e9 cell"))
    times = np.array([[0.0, 24.0], [48.0, 1e6]])
    sizes = law.size(times, start=1e3, kill=0.001)
    assert sizes.shape == times.shape
    assert sizes[0, 0] == 1e3
    assert sizes[1, 0] == grown(*law.kernel()[:1], 1e3, 48.0, *law.kernel()[1:], 0.001)


def test_impossible_numbers_are_refused_together():
    with pytest.raises(ModelError, match=r"(?s)rate is -0\.04.*must be above 0"):
        gompertz(q("-1 1/day"), q("0 cell")).kernel()
    with pytest.raises(ModelError, match=r"power is 1\.2"):
        power_law(q("1 1/day"), q("1.2")).kernel()
    with pytest.raises(UnitError, match="cell is needed"):
        gompertz(q("1 1/day"), q("5 mm**3")).kernel()
