"""Power is that of the default tests of `paget.compare`, over studies that are drawn as they are said to be."""

from __future__ import annotations

import math

import numpy as np
import pytest
from statsmodels.stats.power import TTestIndPower, TTestPower
from sweep_data import Swept, amount, swept_study

from paget.design import from_result, plan, power_at, power_curve, smallest_effect
from paget.design import many_tests as tests_of_many
from paget.design.power import binomial_interval
from paget.design.scenario import draw
from paget.errors import ResultError, StudyError

PLANS = {
    "continuous": {"versus": 10.0, "arm": 7.0, "sd": 3.0},
    "count": {"versus": 6.0, "arm": 3.0, "dispersion": 0.3},
    "fraction": {"versus": 0.4, "arm": 0.25, "sd": 0.12},
    "time": {"versus": 20.0, "arm": 40.0, "follow_up": 60.0},
}


# ---- the test -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("correlation", [None, 0.5])
@pytest.mark.parametrize("kind", PLANS)
def test_p_values_of_many_studies_are_those_of_compare(kind, correlation):
    scenario = plan(kind, correlation=correlation, **PLANS[kind])
    for animals in (4, 9):
        studies = draw(scenario, animals, 12, seed=1)
        asked, _ = tests_of_many._by_compare(studies, kind, scenario.paired)
        assert np.allclose(tests_of_many._exact(studies, kind, scenario.paired), asked, rtol=1e-9)


def test_studies_that_are_decided_without_their_p_value_are_decided_alike():
    # most animals without any of the fraction, a few with much: far from what Student's t takes for granted
    skewed = plan("fraction", versus=0.15, arm=0.03, sd=0.2)
    for scenario, animals in ((skewed, 5), (plan("time", **PLANS["time"]), 9)):
        studies = draw(scenario, animals, 120, seed=3)
        quick, _ = tests_of_many.found(studies, scenario.kind, False, 0.05)
        assert (quick == (tests_of_many._exact(studies, scenario.kind, False) < 0.05)).all()


def test_compare_itself_is_asked_if_another_test_is_the_default(monkeypatch):
    studies = draw(plan("continuous", **PLANS["continuous"]), 8, 30, seed=1)
    asked = tests_of_many._by_compare(studies, "continuous", False)[0] < 0.05
    monkeypatch.setattr(tests_of_many, "_welch_t", lambda arm, versus: np.full(len(arm), 0.5))
    assert (tests_of_many.found(studies, "continuous", False, 0.05)[0] == asked).all()


def test_studies_without_spread_and_with_ties_are_asked_of_compare():
    scenario = plan("count", versus=0.05, arm=0.05)
    studies = draw(scenario, 5, 20, seed=1)
    asked, _ = tests_of_many._by_compare(studies, "count", False)
    assert (studies.arm.max(axis=1) + studies.versus.max(axis=1) == 0).any()
    assert np.allclose(tests_of_many._exact(studies, "count", False), asked)


# ---- the animals --------------------------------------------------------------------------------------------------
def test_animals_vary_as_they_are_said_to():
    for kind, given in PLANS.items():
        studies = draw(plan(kind, correlation=0.6, **given), 40, 1500, seed=2)
        middle = np.median if kind == "time" else np.mean
        assert middle(studies.versus) == pytest.approx(given["versus"], rel=0.02)
        assert middle(studies.arm) == pytest.approx(given["arm"], rel=0.02)
    studies = draw(plan("continuous", correlation=0.6, **PLANS["continuous"]), 40, 1500, seed=2)
    assert np.corrcoef(studies.arm.ravel(), studies.versus.ravel())[0, 1] == pytest.approx(0.6, abs=0.01)
    counts = draw(plan("count", **PLANS["count"]), 40, 1500, seed=2).versus
    assert counts.var() == pytest.approx(6 + 0.3 * 36, rel=0.03)
    assert (counts == np.rint(counts)).all()
    fractions = draw(plan("fraction", **PLANS["fraction"]), 40, 1500, seed=2).versus
    assert fractions.std() == pytest.approx(0.12, rel=0.02)
    times = draw(plan("time", **PLANS["time"]), 40, 1500, seed=2)
    assert times.arm.max() == 60.0
    assert (~times.seen_arm).mean() == pytest.approx(0.5 ** (60 / 40), abs=0.01)


def test_a_larger_study_is_the_smaller_one_with_animals_added():
    scenario = plan("count", correlation=0.3, **PLANS["count"])
    small, large = (draw(scenario, n, 10, seed=5) for n in (4, 9))
    assert (large.arm[:, :4] == small.arm).all()
    assert (large.versus[:, :4] == small.versus).all()


# ---- the curve ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("correlation", "size", "theirs"), [(None, 1.0, TTestIndPower()), (0.5, 1.0, TTestPower())])
def test_the_number_needed_is_that_of_the_formula_for_t_tests(correlation, size, theirs):
    curve = power_curve(plan("continuous", 10, 7, sd=3, correlation=correlation), studies=2000)
    exact = math.ceil(theirs.solve_power(size, power=0.8, alpha=0.05))
    assert curve.needed_low <= exact <= curve.needed_high
    powers = [point.power for point in curve.points]
    assert powers == sorted(powers)
    assert curve.needed in [point.animals for point in curve.points]


def test_the_smallest_effect_is_the_one_for_which_so_many_animals_are_needed():
    found = smallest_effect(plan("continuous", 10, 7, sd=3), 12, studies=2000)
    exact = TTestIndPower().solve_power(nobs1=12, power=0.8, alpha=0.05) * 3
    assert -found.effect == pytest.approx(exact, rel=0.04)
    assert power_curve(plan("continuous", 10, found.arm, sd=3), studies=2000, animals=[12]).needed == 12


def test_the_smallest_effect_follows_the_direction_and_stays_possible():
    scenario = plan("count", 6, 3, dispersion=0.1, correlation=0.5)
    down, up = (smallest_effect(scenario, 8, studies=100, rising=rising) for rising in (None, True))
    assert 0 < down.arm < 6 < up.arm
    # with three pairs, no count below one has a spread in which it could be told from another
    hopeless = smallest_effect(plan("count", 0.2, 0.1, correlation=0.0), 3, studies=50)
    assert hopeless.arm is None
    assert "do not show any possible effect" in hopeless.sentence()


def test_an_effect_that_is_hardly_there_needs_more_than_can_be():
    curve = power_curve(plan("continuous", 10, 9.999, sd=3), studies=50)
    assert curve.needed is None
    assert "more than 2000 animals per arm would be needed" in curve.sentence()


def test_the_same_seed_gives_the_same_curve():
    scenario = plan("count", **PLANS["count"])
    assert power_at(scenario, 6, studies=100, seed=3) == power_at(scenario, 6, studies=100, seed=3)
    assert power_at(scenario, 6, studies=100, seed=3) != power_at(scenario, 6, studies=100, seed=4)


def test_the_binomial_interval_is_that_of_clopper_and_pearson():
    from scipy.stats import binomtest

    for hits in (0, 3, 50):
        theirs = binomtest(hits, 50).proportion_ci()
        assert binomial_interval(hits, 50) == pytest.approx((theirs.low, theirs.high))


def test_what_cannot_be_planned_is_told_at_once():
    with pytest.raises(StudyError) as error:
        plan("fraction", 0.4, 1.2, sd=0.9, correlation=1.5)
    assert len(error.value.problems) == 3
    with pytest.raises(StudyError, match="SD of continuous values must be above 0"):
        plan("continuous", 1, 2)
    with pytest.raises(StudyError, match="mean count of the arm must be above 0"):
        plan("count", 1, 0)
    with pytest.raises(StudyError, match="the power must lie between 0 and 1"):
        power_curve(plan("count", 2, 1), target=80)
    with pytest.raises(StudyError, match="at least 2 animals"):
        power_at(plan("count", 2, 1), 1)


# ---- of a pilot study ---------------------------------------------------------------------------------------------
def pilot(replicates=200, **habits):
    study = swept_study(None, replicates)
    return Swept(study, lambda arm: 5.0 if amount(arm, "A") else 10.0, **{"spread": 0.2, "noise": 0.1, **habits})


def test_effect_spread_and_correlation_are_those_of_the_pilot():
    scenario = from_result(pilot(), "burden", "A")
    rows = pilot().outcomes.query("readout == 'burden'").pivot(index="animal", columns="arm", values="value")
    assert scenario.versus == pytest.approx(rows["control"].mean())
    assert scenario.sd_arm == pytest.approx(rows["A"].std())
    assert scenario.correlation == pytest.approx(rows["A"].corr(rows["control"]))
    assert not from_result(pilot(), "burden", "A", paired=False).paired
    assert "200 and 200 animals of the study 'swept'" in scenario.basis


def test_counts_and_times_of_a_pilot_have_their_own_spread():
    counts = from_result(pilot(spread=0.8, noise=0.0), "nodules", "A", paired=False)
    assert counts.dispersion == pytest.approx(math.exp(0.8**2) - 1, rel=0.45)
    times = from_result(pilot(), "onset", "A")
    assert times.follow_up == 10.0
    assert times.kind == "time"


def test_animals_of_a_pilot_can_be_drawn_themselves():
    scenario = from_result(pilot(40), "burden", "A", resample=True)
    studies = draw(scenario, 6, 50, seed=1)
    pairs = set(map(tuple, scenario.observed[0]))
    assert {(a, b) for a, b in zip(studies.arm.ravel(), studies.versus.ravel(), strict=True)} <= pairs
    assert power_at(scenario, 6, studies=50)[0].power > 0.9
    with pytest.raises(StudyError, match="estimate their spread"):
        smallest_effect(scenario, 6)


def test_too_small_a_pilot_is_refused():
    with pytest.raises(ResultError, match="at least 3 are needed"):
        from_result(pilot(2), "burden", "A")
    with pytest.raises(ResultError, match="is a control arm"):
        from_result(pilot(3), "burden", "control")
