"""Drugs in the body follow the closed forms of linear compartments, conserve mass, and have the half-lives stated for them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paget.catalogue.drugs import DRUGS, kinetics
from paget.engine.chance import Chance
from paget.engine.tick import Stepper
from paget.engine.world import found
from paget.evidence import load_parameters
from paget.pharmacology import COMPARTMENTS, DEPOT, ELIMINATED, EXPOSURE, MASS, PERIPHERAL, PLASMA, SITE, exposure

few = settings(max_examples=40, deadline=None)
NM_PER_MG = 150.0
IV = (0.0, 1.0, 0.8, 0.0, 0.0, math.inf, NM_PER_MG)
ORAL = (1.7, 0.4, 0.8, 0.0, 0.0, math.inf, NM_PER_MG)
TISSUE = (0.0, 1.0, 0.8, 2.0, 0.1, 0.05, NM_PER_MG)


def _empty():
    return np.zeros(len(COMPARTMENTS))


def exposed(amounts, doses, rates, intravenous, dt):
    """The exposure after doses that all enter plasma, or all the depot."""
    entered = PLASMA if intravenous else DEPOT
    return exposure(amounts, tuple((at, amount, entered) for at, amount in doses), rates, dt)


def test_an_intravenous_bolus_decays_exponentially_and_its_mean_is_the_exact_integral():
    amounts, mean = exposed(_empty(), ((0.0, 5.0),), IV, True, 2.0)
    assert math.isclose(amounts[PLASMA], 5.0 * math.exp(-1.6), rel_tol=1e-13)
    assert math.isclose(mean, NM_PER_MG * 5.0 * (1.0 - math.exp(-1.6)) / 1.6, rel_tol=1e-13)
    amounts, mean = exposed(amounts, (), IV, True, 2.0)
    assert math.isclose(amounts[PLASMA], 5.0 * math.exp(-3.2), rel_tol=1e-13)


def test_an_oral_dose_follows_the_function_of_bateman():
    ka, available, k = ORAL[:3]
    for t in (0.1, 1.0, 6.0):
        amounts, _ = exposed(_empty(), ((0.0, 5.0),), ORAL, False, t)
        bateman = available * 5.0 * ka / (ka - k) * (math.exp(-k * t) - math.exp(-ka * t))
        assert math.isclose(amounts[PLASMA], bateman, rel_tol=1e-12)
        assert math.isclose(amounts[DEPOT], 5.0 * math.exp(-ka * t), rel_tol=1e-12)


def test_what_is_not_bioavailable_is_eliminated_and_never_reaches_plasma():
    amounts, _ = exposed(_empty(), ((0.0, 5.0),), ORAL, False, 500.0)
    assert math.isclose(amounts[ELIMINATED], 5.0, rel_tol=1e-12)
    _, mean = exposed(_empty(), ((0.0, 5.0),), ORAL, False, 500.0)
    assert math.isclose(mean * 500.0, 0.4 * 5.0 / 0.8 * NM_PER_MG, rel_tol=1e-12)  # area = F D / CL


def test_the_effect_site_sees_the_same_area_as_plasma_later():
    direct = (*TISSUE[:5], math.inf, TISSUE[6])
    _, site = exposed(_empty(), ((0.0, 5.0),), TISSUE, True, 5000.0)
    _, plasma = exposed(_empty(), ((0.0, 5.0),), direct, True, 5000.0)
    assert math.isclose(site, plasma, rel_tol=1e-10)
    _, early = exposed(_empty(), ((0.0, 5.0),), TISSUE, True, 1.0)
    _, early_plasma = exposed(_empty(), ((0.0, 5.0),), direct, True, 1.0)
    assert early < 0.1 * early_plasma


def test_the_effect_site_takes_no_mass():
    after, _ = exposed(_empty(), ((0.0, 5.0),), TISSUE, True, 3.0)
    without, _ = exposed(_empty(), ((0.0, 5.0),), (*TISSUE[:5], math.inf, TISSUE[6]), True, 3.0)
    assert np.allclose(after[MASS], without[MASS], rtol=1e-13)
    assert after[SITE] > 0.0


@pytest.mark.parametrize(("rates", "intravenous"), [(IV, True), (ORAL, False), (TISSUE, True)])
def test_a_dose_within_a_tick_is_the_same_as_a_tick_that_begins_with_it(rates, intravenous):
    start, _ = exposed(_empty(), ((0.0, 2.0),), rates, intravenous, 1.0)
    whole, mean = exposed(start, ((0.7, 5.0),), rates, intravenous, 2.0)
    before, first = exposed(start, (), rates, intravenous, 0.7)
    after, second = exposed(before, ((0.0, 5.0),), rates, intravenous, 1.3)
    assert np.allclose(whole[:EXPOSURE], after[:EXPOSURE], rtol=1e-13)
    assert math.isclose(mean * 2.0, first * 0.7 + second * 1.3, rel_tol=1e-13)


@pytest.mark.parametrize(("rates", "intravenous"), [(IV, True), (ORAL, False), (TISSUE, True)])
def test_two_doses_are_the_sum_of_each(rates, intravenous):
    both, mean = exposed(_empty(), ((0.2, 3.0), (0.9, 4.0)), rates, intravenous, 2.0)
    parts = [exposed(_empty(), (dose,), rates, intravenous, 2.0) for dose in ((0.2, 3.0), (0.9, 4.0))]
    assert np.allclose(both[:EXPOSURE], sum(amounts for amounts, _ in parts)[:EXPOSURE], rtol=1e-13)
    assert math.isclose(mean, sum(m for _, m in parts), rel_tol=1e-13)


rate = st.floats(0.0, 20.0)


@few
@given(
    rates=st.tuples(
        rate, st.floats(0.0, 1.0), rate, rate, rate, st.one_of(st.just(math.inf), rate), st.floats(1.0, 1e4)
    ),
    doses=st.lists(st.tuples(st.floats(0.0, 1.9), st.floats(0.0, 100.0)), max_size=4).map(sorted),
    intravenous=st.booleans(),
    start=st.lists(st.floats(0.0, 50.0), min_size=4, max_size=4),
)
def test_drug_given_is_in_the_body_or_eliminated_and_no_amount_is_negative(rates, doses, intravenous, start):
    amounts = _empty()
    amounts[MASS] = start
    after, mean = exposed(amounts, tuple(doses), rates, intravenous, 2.0)
    total = sum(start) + sum(amount for _, amount in doses)
    assert math.isclose(after[MASS].sum(), total, rel_tol=1e-11, abs_tol=1e-11)
    assert (after[:EXPOSURE] >= -1e-12 * max(total, 1.0)).all()
    assert mean >= 0.0


def test_the_amounts_before_the_tick_are_left_as_they_were():
    amounts = _empty()
    exposed(amounts, ((0.0, 5.0),), IV, True, 2.0)
    assert (amounts == 0.0).all()


# ---- the drugs of the catalogue -----------------------------------------------------------------------------------
def _course(toy, monkeypatch, name, dose, hours, dt=0.025):
    """Amounts [ticks, compartments] in an average animal after one dose, and the exposure [ticks] of its cells."""
    monkeypatch.setattr(Chance, "draw", lambda self, parameter: parameter.value)
    process = kinetics(name)
    model = toy(process, parameters=load_parameters("lung_awakening"), body=(process.drug.variable,), founders=())
    world = found(model, 1, 0, dt)
    stepper = Stepper(model, world)
    amounts, seen = [], []
    for tick in range(round(hours / dt)):
        world.doses = ((name, 0.0, dose, ""),) if tick == 0 else ()
        stepper.step()
        amounts.append(world.body[process.drug.amounts.name].copy())
        seen.append(world.body[process.drug.variable])
    stepper.check()
    return np.arange(1, len(amounts) + 1) * dt, np.array(amounts), np.array(seen)


def _half_life(times, values, begin, end):
    chosen = (times >= begin) & (times <= end)
    return -math.log(2.0) / np.polyfit(times[chosen], np.log(values[chosen]), 1)[0]


@pytest.mark.parametrize(
    ("name", "window", "low", "high"),
    [
        ("cisplatin", (0.0, 2.0), 20 / 60, 35 / 60),
        ("dasatinib", (9.0, 12.0), 0.92, 0.94),
        ("quercetin", (12.0, 20.0), 2.35, 2.45),
        ("navitoclax", (30.0, 60.0), 15.0, 17.0),
        ("fak_inhibitor", (12.0, 24.0), 5.5, 6.5),
        ("anti_ly6g", (0.0, 24.0), 3.5 * 24, 4.5 * 24),
    ],
)
def test_the_terminal_half_life_in_plasma_is_the_one_stated(toy, monkeypatch, name, window, low, high):
    times, amounts, _ = _course(toy, monkeypatch, name, 10.0, window[1], dt=0.1)
    assert low <= _half_life(times, amounts[:, PLASMA], *window) <= high


def test_doxorubicin_distributes_in_five_minutes_and_ends_with_a_half_life_of_20_to_48_hours(toy, monkeypatch):
    times, amounts, _ = _course(toy, monkeypatch, "doxorubicin", 5.0, 60.0)
    plasma = amounts[:, PLASMA]
    terminal = _half_life(times, plasma, 30.0, 60.0)
    assert 20.0 <= terminal <= 48.0
    slow = plasma[-1] * np.exp(math.log(2.0) / terminal * (times[-1] - times))
    assert 4.0 <= 60.0 * _half_life(times, plasma - slow, 0.0, 0.4) <= 6.0
    assert amounts[:, PERIPHERAL].max() > 0.5 * 5.0


def test_dasatinib_peaks_as_published(toy, monkeypatch):
    _, amounts, _ = _course(toy, monkeypatch, "dasatinib", 10.0, 4.0)
    peak = amounts[:, PLASMA].max() / load_parameters("lung_awakening")["dasatinib_volume"].value
    assert abs(peak - 0.37) <= 0.08  # mg/L


@pytest.mark.parametrize("name", ["cisplatin", "dasatinib", "quercetin"])
def test_the_effect_outlasts_plasma_with_the_stated_half_life(toy, monkeypatch, name):
    times, _, seen = _course(toy, monkeypatch, name, 5.0, 300.0, dt=1.0)
    stated = load_parameters("lung_awakening")[f"{name}_site_half_life"].value
    assert math.isclose(_half_life(times, seen, 200.0, 300.0), stated, rel_tol=0.01)


@pytest.mark.parametrize("name", DRUGS)
def test_the_area_that_cells_see_is_the_available_dose_over_clearance(toy, monkeypatch, name):
    row = load_parameters("lung_awakening")
    hours = 2400.0 if name == "anti_ly6g" else 800.0
    _, _, seen = _course(toy, monkeypatch, name, 10.0, hours, dt=4.0)
    available = 1.0 if DRUGS[name].intravenous else row[f"{name}_bioavailability"].value
    area = available * 10.0 / row[f"{name}_clearance"].value / row[f"{name}_molar_mass"].value * 1e6  # nM h
    assert math.isclose(seen.sum() * 4.0, area, rel_tol=1e-6)


def test_every_drug_has_kinetics_and_a_source():
    for name, drug in DRUGS.items():
        process = kinetics(name)
        assert process.drug is drug
        assert drug.sources
        assert process.sets == (f"body.{name}", f"body.{name}_amounts")
