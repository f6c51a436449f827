"""A Hill curve is found where animals tell it, and refused where they do not."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import curve_fit
from sweep_data import Swept, amount, dose, few_resamples, swept_study  # noqa: F401

from paget.design import Constraints, dose_response
from paget.design.dose_response import fit_animals, trend_test
from paget.design.hill import fit_hill, hill, hill_dose
from paget.design.resampling import expanded_interval, mean_resamples
from paget.design.treatments import Animals, Told, dose_series
from paget.errors import ResultError, UnknownNameError

DOSES = np.array([0.0, 0.5, 1.0, 2.0, 4.0, 8.0])
TRUE = (40.0, 4.0, 1.7, 1.8)
TOLD = Told("nodules", "Nodules", "", "count")
SWEEP = {"like": "A", "doses": {"A": ["0 mg/kg", "0.5 mg/kg", "1 mg/kg", "2 mg/kg", "4 mg/kg", "8 mg/kg"]}}


def animals(values, paired=True):
    return Animals(tuple(map(str, range(values.shape[1]))), tuple(values.T), paired, "")


def drawn(number=8, noise=0.1, true=TRUE, doses=DOSES, seed=1):
    luck = np.random.default_rng(seed)
    return hill(doses, *true) * luck.lognormal(0, 0.2, (number, 1)) * luck.lognormal(0, noise, (number, len(doses)))


# ---- the fit ------------------------------------------------------------------------------------------------------
def test_a_curve_without_noise_is_found_exactly():
    for true in (TRUE, (4.0, 40.0, 1.7, 1.8), (0.0, 1.0, 6.0, 0.7), (10.0, 0.0, 0.6, 5.0)):
        found = fit_hill(DOSES, hill(DOSES, *true)[None, :])
        assert np.allclose([found.e0[0], found.emax[0], found.ec50[0], found.hill[0]], true, rtol=1e-6, atol=1e-8)


def test_the_fit_is_as_good_as_that_of_scipy():
    many = np.stack([drawn(noise=0.2, seed=s).mean(axis=0) for s in range(12)])
    squares = fit_hill(DOSES, many).squares
    for row, found in zip(many, squares, strict=True):
        best = math.inf
        for start in (0.7, 2.0, 5.0):
            theirs, _ = curve_fit(
                hill, DOSES, row, (row[0], row[-1], start, 1.5), bounds=([-99, -99, 0.5 / 30, 0.2], [99, 99, 240, 12])
            )
            best = min(best, float(((hill(DOSES, *theirs) - row) ** 2).sum()))
        assert found <= best * (1 + 1e-6)


def test_weights_count_as_animals_do():
    values = drawn()
    both = np.concatenate([values, values[:, -1:]], axis=1).mean(axis=0)
    twice = fit_hill(np.append(DOSES, DOSES[-1]), both[None, :])
    weighted = fit_hill(DOSES, both[None, :-1], np.array([1.0, 1, 1, 1, 1, 2]))
    assert np.allclose(twice.ec50, weighted.ec50, rtol=1e-6)


def test_what_is_known_is_kept():
    for known in (Constraints(e0=40.0), Constraints(emax=4.0), Constraints(e0=40.0, emax=4.0), Constraints(hill=1.8)):
        found = fit_hill(DOSES, hill(DOSES, *TRUE)[None, :], known=known)
        assert np.allclose([found.e0[0], found.emax[0], found.ec50[0], found.hill[0]], TRUE, rtol=1e-6)
    assert Constraints(e0=1.0, hill=2.0).free == 2


def test_the_dose_of_an_effect_is_the_inverse_of_the_curve():
    effects = np.array([0.0, 0.1, 0.5, 0.79])
    assert np.allclose(hill(hill_dose(effects, 0.8, 3.0, 2.5), 0.0, 0.8, 3.0, 2.5), effects)
    assert hill_dose(0.8, 0.8, 3.0, 2.5) == math.inf


# ---- intervals ----------------------------------------------------------------------------------------------------
def test_resampled_means_are_those_of_animals_with_all_their_doses():
    values = drawn(noise=0.0)
    paired = mean_resamples(list(values.T), True, seed=1, times=500)
    assert np.allclose(paired / paired[:, :1], paired[0] / paired[0, 0])
    alone = mean_resamples(list(values.T), False, seed=1, times=500)
    assert abs(np.corrcoef(alone[:, 0], alone[:, 1])[0, 1]) < 0.15
    assert np.corrcoef(paired[:, 0], paired[:, 1])[0, 1] > 0.999


def test_intervals_of_few_animals_are_wider_than_plain_percentiles():
    samples = np.random.default_rng(1).normal(size=20000)
    low, high = expanded_interval(samples, 10)
    assert high == pytest.approx(2.262 * math.sqrt(10 / 9), abs=0.1)
    assert low == pytest.approx(-high, abs=0.15)
    assert expanded_interval(samples, 10_000)[1] == pytest.approx(1.96, abs=0.06)
    assert expanded_interval(np.full(5, np.nan), 10) == (-math.inf, math.inf)


def test_the_order_of_the_animals_does_not_matter_for_the_estimate():
    values = drawn()
    one = fit_animals(DOSES, animals(values), "A", TOLD)
    other = fit_animals(DOSES, animals(values[::-1]), "A", TOLD)
    assert one.ec50.value == pytest.approx(other.ec50.value, rel=1e-9)
    assert fit_animals(DOSES, animals(values), "A", TOLD).ec50 == one.ec50


def test_the_same_animals_at_all_doses_tell_more():
    values = drawn(noise=0.05)
    spans = [
        found.ec50.high - found.ec50.low
        for found in (fit_animals(DOSES, animals(values, p), "A", TOLD) for p in (True, False))
    ]
    assert spans[0] < 0.7 * spans[1]


# ---- refusals -----------------------------------------------------------------------------------------------------
def test_a_flat_response_has_no_half_effective_dose():
    found = fit_animals(DOSES, animals(drawn(true=(40.0, 40.0, 1.7, 1.8), noise=0.2)), "A", TOLD)
    assert not found.identified
    assert found.ec50 is None
    assert "does not clearly rise or fall" in found.sentence()


def test_a_half_effective_dose_outside_the_doses_is_not_given():
    above = fit_animals(DOSES, animals(drawn(true=(40.0, 0.0, 20.0, 2.0), noise=0.02)), "A", TOLD)
    below = fit_animals(DOSES, animals(drawn(true=(40.0, 0.0, 0.05, 1.0), noise=0.02)), "A", TOLD)
    assert [above.ec50, below.ec50] == [None, None]
    assert "above the highest dose, 8 mg/kg; give higher doses" in above.reason
    assert "below the lowest dose, 0.5 mg/kg; give lower doses" in below.reason


def test_a_saturation_that_is_not_reached_leaves_the_interval_open():
    found = fit_animals(DOSES, animals(drawn(true=(40.0, 0.0, 6.0, 1.2), noise=0.15)), "A", TOLD)
    assert found.identified
    assert found.ec50.high == math.inf
    assert "no upper limit" in found.sentence()


def test_too_few_doses_or_animals_are_refused():
    with pytest.raises(ResultError, match="needs at least 4 doses"):
        fit_animals(DOSES[:3], animals(drawn()[:, :3]), "A", TOLD)
    assert (
        fit_animals(DOSES[:4], animals(drawn()[:, :4]), "A", TOLD, known=Constraints(emax=4.0)).lack_of_fit_p
        is not None
    )
    with pytest.raises(ResultError, match="at least 3 animals"):
        fit_animals(DOSES, animals(drawn(2)), "A", TOLD)


def test_the_trend_test_is_student_s_t_of_the_contrast_in_each_animal():
    from scipy.stats import ttest_1samp

    values = drawn(noise=0.3)
    contrast = values @ (np.arange(6) - 2.5)
    assert trend_test(animals(values)) == pytest.approx(ttest_1samp(contrast, 0.0).pvalue)
    assert trend_test(animals(np.full((5, 4), 3.0))) == 1.0


def test_a_response_that_turns_back_does_not_fit():
    bent = drawn(noise=0.05) + np.array([0, 0, 0, 0, 6.0, 25.0])
    assert fit_animals(DOSES, animals(bent), "A", TOLD).lack_of_fit_p < 0.01
    assert fit_animals(DOSES, animals(drawn(noise=0.05)), "A", TOLD).lack_of_fit_p > 0.01


# ---- of a result --------------------------------------------------------------------------------------------------
def test_the_arms_of_a_sweep_and_the_arm_that_it_began_from_are_one_series():
    study = swept_study(SWEEP)
    assert list(dose_series(study, "A")) == [0.0, 0.5, 1.0, 2.0, 4.0, 5.0, 8.0]
    assert dose_series(study, "A")[0.0] == "A 0 mg/kg"


def test_a_series_is_found_among_arms_made_by_hand_and_other_schedules_are_none_of_it():
    arms = [{"name": "control"}, {"name": "other", "doses": [{"drug": "A", "amount": "3 mg/kg", "at": "2 day"}]}]
    arms += [{"name": f"A{a}", "doses": [dose("A", f"{a} mg/kg")]} for a in (1, 2)]
    arms += [{"name": f"A{a} with B", "doses": [dose("A", f"{a} mg/kg"), dose("B")]} for a in (1, 4)]
    assert dose_series(swept_study(None, arms=arms), "A") == {0.0: "control", 1.0: "A1", 2.0: "A2"}
    with pytest.raises(ResultError, match="nothing but the amount of B"):
        dose_series(swept_study(None, arms=arms), "B")
    with pytest.raises(UnknownNameError):
        dose_series(swept_study(None, arms=arms), "C")


def test_the_curve_of_a_result_is_that_of_its_animals():
    result = Swept(swept_study(SWEEP), lambda arm: float(hill(amount(arm, "A"), *TRUE)), noise=0.03)
    found = dose_response(result, "A", "burden")
    assert found.ec50.low < 1.7 < found.ec50.high
    assert found.n == (8,) * 7
    middle, low, high = found.curve([0.0, 1.7])
    assert middle[1] == pytest.approx(22.0, rel=0.15)
    assert (low < middle).all()
    assert (middle < high).all()
    table = found.table()
    assert list(table["animals"]) == [8] * 7
    assert table["fitted"].iloc[0] == pytest.approx(found.e0.value)
    with pytest.raises(UnknownNameError):
        dose_response(result, "A", "burdn")


def test_animals_that_failed_are_told_and_times_not_reached_refused():
    result = Swept(swept_study(SWEEP), lambda arm: float(hill(amount(arm, "A"), *TRUE)))
    lost = result.outcomes
    lost = lost[~((lost["arm"] == "A 1 mg/kg") & (lost["animal"] == 3))]

    class Partial:
        study, readouts, outcomes = result.study, result.readouts, lost

    assert "1 of 8 animals left out" in dose_response(Partial, "A", "burden").sentence()
    with pytest.raises(ResultError, match="did not reach"):
        dose_response(result, "A", "onset")
