"""Compartments of the body follow the closed forms of linear kinetics, and no molecule, vesicle or cell is lost."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from paget.body.anatomy import mouse
from paget.body.compartments import Compartments
from paget.body.exponential import exponential
from paget.body.messengers import EXOSOMES, MYELOID, PROGENITORS, compartments_of, messengers
from paget.body.secretion import Secretion
from paget.body.species import Clearance, Compartment, Production, Renewal, Response, Species, Transfer
from paget.body.values import Numbers
from paget.errors import LedgerError, ModelError, NumericalError, StudyError, UnitError, UnknownNameError
from paget.evidence import load_parameters
from paget.process import Named, quantity

few = settings(max_examples=40, deadline=None)
TABLE = load_parameters("niche")
ORGANS = ("lung", "liver", "brain", "other")


def number(text: str):
    return quantity(text, reason="made for a test")


def places(**volumes: float) -> list[Compartment]:
    return [Compartment(name, number(f"{v} mL")) for name, v in volumes.items()]


def factor(name: str = "A", **parts) -> Species:
    return Species(name=name, title=name, kind="factor", **parts)


def transfer(source: str, target: str, rate: float, **more) -> Transfer:
    return Transfer(source=source, target=target, rate=number(f"{rate} 1/h"), **more)


def clearance(place: str, rate: float, **more) -> Clearance:
    return Clearance(compartment=place, rate=number(f"{rate} 1/h"), **more)


def whole(**changes) -> Compartments:
    table = TABLE.with_values(changes) if changes else TABLE
    return Compartments(messengers(ORGANS), compartments_of(mouse(), ORGANS), table)


# ---- the exponential ----------------------------------------------------------------------------------------------
def _generator(seed: int, size: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    g = rng.random((size, size)) * 10.0 ** rng.uniform(-4, 2, (size, size)) * (rng.random((size, size)) < 0.4)
    np.fill_diagonal(g, 0.0)
    return g - np.diag(g.sum(axis=0))


@few
@given(st.integers(0, 10_000), st.integers(1, 14))
def test_the_exponential_is_that_of_an_independent_implementation(seed, size):
    g = _generator(seed, size)
    assert np.allclose(exponential(g), expm(g), rtol=1e-9, atol=1e-12)


@few
@given(st.integers(0, 10_000), st.integers(1, 14))
def test_the_exponential_of_a_closed_system_keeps_what_there_is_and_is_never_negative(seed, size):
    found = exponential(_generator(seed, size))
    assert (found >= 0.0).all()
    assert np.allclose(found.sum(axis=0), 1.0, rtol=1e-11)


def test_entries_of_the_exponential_are_right_however_small_they_are():
    steps, rate = 9, 1e-6  # nine slow steps in a row: about (1e-6)^9 / 9! of it arrives
    g = np.diag([-rate] * steps + [0.0]) + np.diag([rate] * steps, -1)
    exact = math.exp(-rate) * sum(rate**k / math.factorial(k) for k in range(steps, steps + 4))
    assert math.isclose(exponential(g)[-1, 0], exact, rel_tol=1e-12)


# ---- closed forms -------------------------------------------------------------------------------------------------
def test_a_secreted_factor_rises_to_what_secretion_and_clearance_balance():
    body = Compartments([factor(clearances=(clearance("plasma", 0.7),))], places(plasma=2.0), TABLE)
    for t in range(1, 6):
        body.advance(1.0, {("A", "plasma"): 3.0})
        expected = 3.0 / 0.7 * (1.0 - math.exp(-0.7 * t))
        assert math.isclose(body.amount("A", "plasma"), expected, rel_tol=1e-13)
        assert math.isclose(body.level("A", "plasma"), expected / 2.0, rel_tol=1e-13)
    book = body.book().iloc[0]
    assert math.isclose(book["cleared"], 15.0 - expected, rel_tol=1e-13)


def test_a_dose_passes_a_chain_as_the_function_of_bateman():
    a, b = 0.9, 0.2
    chain = factor(transfers=(transfer("depot", "plasma", a),), clearances=(clearance("plasma", b),))
    body = Compartments([chain], places(depot=1.0, plasma=1.0), TABLE)
    body.give("A", "depot", 10.0)
    body.advance(3.0, {})
    expected = 10.0 * a / (a - b) * (math.exp(-3.0 * b) - math.exp(-3.0 * a))
    assert math.isclose(body.amount("A", "plasma"), expected, rel_tol=1e-13)


def test_linear_kinetics_do_not_depend_on_the_tick():
    kinds = (factor(transfers=(transfer("a", "b", 5.0), transfer("b", "a", 0.3)), clearances=(clearance("b", 0.1),)),)
    once, often = (Compartments(kinds, places(a=1.0, b=3.0), TABLE) for _ in range(2))
    once.advance(12.0, {("A", "a"): 2.0})
    for _ in range(48):
        often.advance(0.25, {("A", "a"): 2.0})
    assert np.allclose(once.state()["amounts"], often.state()["amounts"], rtol=1e-13)


def test_an_exchange_by_volume_settles_at_equal_levels():
    both = (transfer("plasma", "lung", 0.2, by_volume=True), transfer("lung", "plasma", 0.2))
    body = Compartments([factor(transfers=both)], places(plasma=1.0, lung=0.25), TABLE)
    body.give("A", "plasma", 5.0)
    body.advance(1000.0, {})
    assert math.isclose(body.level("A", "lung"), body.level("A", "plasma"), rel_tol=1e-12)
    assert math.isclose(body.level("A", "lung"), 4.0, rel_tol=1e-12)


def test_a_renewing_pool_refills_along_the_logistic_curve():
    pool = Species(
        name="A",
        title="A",
        kind="cells",
        clearances=(clearance("marrow", 1e-9),),
        renewal=Renewal(compartment="marrow", rate=number("0.1 1/h"), density=number("1000 cell/mL")),
    )
    error = []
    for dt in (1.0, 0.5):
        body = Compartments([pool], places(marrow=1.0), TABLE)
        body.take("A", "marrow", body.amount("A", "marrow") - 100.0)
        for _ in range(round(30.0 / dt)):
            body.advance(dt, {})
        exact = 1000.0 / (1.0 + 9.0 * math.exp(-0.1 * 30.0))
        error.append(body.amount("A", "marrow") - exact)
    assert abs(error[1]) < 0.02 * exact
    assert 1.8 < error[0] / error[1] < 2.2  # held at the start of the tick: first order


# ---- responses ----------------------------------------------------------------------------------------------------
def _driven(**more) -> list[Species]:
    by = Response(species="A", half=number("2 nM"), hill=number("2 "), fold=number("5 "), compartment="plasma", **more)
    moved = Species(name="B", title="B", kind="cells", transfers=(transfer("marrow", "plasma", 0.1, raised_by=(by,)),))
    return [factor(), moved]


def test_a_level_raises_a_rate_along_its_hill_curve():
    body = Compartments(_driven(), places(plasma=1.0, marrow=1.0), TABLE)
    body.give("A", "plasma", 2.0)  # the half: the rate is 1 + 4/2 = 3 times as fast
    body.give("B", "marrow", 100.0)
    body.advance(1.0, {})
    assert math.isclose(body.amount("B", "marrow"), 100.0 * math.exp(-0.3), rel_tol=1e-13)


def test_a_factor_scales_a_response_and_a_rate():
    body = Compartments(_driven(scaled_by="receptor"), places(plasma=1.0, marrow=1.0), TABLE)
    body.give("A", "plasma", 2.0)
    body.give("B", "marrow", 100.0)
    body.advance(1.0, {}, {"receptor": 0.0})
    assert math.isclose(body.amount("B", "marrow"), 100.0 * math.exp(-0.1), rel_tol=1e-13)
    still = Compartments([factor(clearances=(clearance("a", 1.0, scaled_by=("gate",)),))], places(a=1.0), TABLE)
    still.give("A", "a", 1.0)
    still.advance(1.0, {}, {"gate": 2.0})
    assert math.isclose(still.amount("A", "a"), math.exp(-2.0), rel_tol=1e-13)


def test_a_tissue_makes_a_factor_while_it_is_driven():
    by = Response(species="A", half=number("2 nM"), hill=number("1 "))
    made = Production(compartment="lung", most=number("3 pmol/mL/h"), driven_by=(by, by))
    body = Compartments([factor(), factor("B", productions=(made,))], places(lung=0.5), TABLE)
    body.advance(1.0, {})
    assert body.amount("B", "lung") == 0.0
    body.give("A", "lung", 1.0)  # 2 nM
    body.advance(1.0, {})
    assert math.isclose(body.amount("B", "lung"), 3.0 * 0.5 * 0.75, rel_tol=1e-13)  # either of two halves


# ---- the book -----------------------------------------------------------------------------------------------------
@few
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["VEGFA", "CSF3", "LOX", EXOSOMES]),
            st.sampled_from(["plasma", *ORGANS]),
            st.floats(0.0, 1e12),
            st.floats(0.05, 30.0),
            st.floats(0.0, 1.0),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_everything_that_entered_is_held_cleared_or_handed_over(history):
    body = whole()
    for species, place, amount, dt, share in history:
        body.give(species, place, amount)
        body.advance(dt, {(species, place): amount})
        body.take(species, place, share * body.amount(species, place))
        body.take(MYELOID, "marrow", share * 1e-3 * body.amount(MYELOID, "marrow"))
    book = body.book()
    entered = book[["initial", "given", "secreted", "born"]].sum(axis=1)
    assert np.allclose(book[["held", "cleared", "handed"]].sum(axis=1), entered, rtol=1e-9)
    assert (body.state()["amounts"] >= 0.0).all()


def test_what_vanishes_is_an_error_that_names_the_species():
    body = whole()
    body.give("LOX", "plasma", 1.0)
    tampered = body.state()
    tampered["amounts"][body.names.index("LOX")] *= 1.0 - 1e-8
    body.restore(tampered)
    with pytest.raises(LedgerError, match="species 'LOX' does not balance"):
        body.advance(1.0, {})


def test_the_healthy_body_stays_as_it_is():
    body = whole()
    start = body.state()["amounts"]
    for _ in range(200):
        body.advance(5.0, {})
    assert np.allclose(body.state()["amounts"], start, rtol=1e-9)
    assert body.healthy_level(PROGENITORS, "lung") == pytest.approx(body.level(PROGENITORS, "lung"), rel=1e-9)
    assert body.healthy_level(MYELOID, "plasma") > 0.0


def test_a_run_goes_on_from_its_state_with_the_same_bits():
    one, other = whole(), whole()
    for k in range(20):
        one.advance(1.0, {("CSF3", "plasma"): 0.1 * k, (EXOSOMES, "plasma"): 1e9})
    other.restore(one.state())
    for body in (one, other):
        for k in range(20):
            body.advance(0.7, {("VEGFA", "lung"): 0.01 * k})
    for name, values in one.state().items():
        assert (values == other.state()[name]).all(), name


def test_a_state_that_was_taken_does_not_change_as_the_run_goes_on():
    body = whole()
    taken = body.state()
    kept = {name: values.copy() for name, values in taken.items()}
    body.advance(1.0, {("CSF3", "plasma"): 1.0})
    body.give("LOX", "plasma", 1.0)
    assert all((values == kept[name]).all() for name, values in taken.items())


def test_a_state_of_another_body_is_refused():
    with pytest.raises(ModelError, match="built alike"):
        whole().restore(Compartments([factor()], places(plasma=1.0), TABLE).state())


def test_changed_numbers_act_from_a_new_start():
    slow = whole().changed({"csf3_half_life": "24 h"})
    for body in (fast := whole(), slow):
        for _ in range(48):
            body.advance(1.0, {("CSF3", "plasma"): 1.0})
    assert slow.level("CSF3", "plasma") > 2.0 * fast.level("CSF3", "plasma")
    with pytest.raises(UnknownNameError, match="csf3_half_life"):
        fast.changed({"csf3_halflife": "24 h"})
    with pytest.raises(UnitError):
        fast.changed({"csf3_half_life": "24 nM"})


# ---- errors -------------------------------------------------------------------------------------------------------
def test_all_that_is_wrong_with_a_body_is_told_at_once():
    bad = factor(transfers=(transfer("plasm", "plasma", 1.0), transfer("plasma", "plasma", 1.0)))
    by = Response(species="C", half=number("1 nM"), hill=number("1 "))
    other = factor("B", transfers=(transfer("plasma", "lung", 1.0, raised_by=(by,)),))
    with pytest.raises(ModelError) as told:
        Compartments([bad, bad, other], places(plasma=1.0, lung=1.0), TABLE)
    text = str(told.value)
    for part in (
        "there is no compartment 'plasm'. Did you mean 'plasma'?",
        "moves from 'plasma' to itself",
        "species 'A' is given twice",
        "there is no species 'C'",
        "lacks the fold",
    ):
        assert part in text


def test_volumes_and_rates_that_make_no_sense_are_refused():
    with pytest.raises(ModelError, match="compartment 'lung' has a volume of 0 mL"):
        Compartments([factor()], places(plasma=1.0, lung=0.0), TABLE)
    with pytest.raises(ModelError, match="rate of -1 1/h from 'plasma'"):
        Compartments([factor(clearances=(clearance("plasma", -1.0),))], places(plasma=1.0), TABLE)


def _pool(rate: float, *clearances: Clearance, transfers: tuple[Transfer, ...] = ()) -> Species:
    renewal = Renewal(compartment="marrow", rate=number(f"{rate} 1/h"), density=number("1000 cell/mL"))
    return Species(name="A", title="A", kind="cells", clearances=clearances, transfers=transfers, renewal=renewal)


def test_a_pool_that_dies_out_or_gathers_without_end_has_no_healthy_state():
    with pytest.raises(ModelError, match=r"'A' dies out: its pool renews at 0\.1 1/h and empties at 0\.2 1/h"):
        Compartments([_pool(0.1, clearance("marrow", 0.2))], places(marrow=1.0), TABLE)
    trap = _pool(0.1, transfers=(transfer("marrow", "lung", 0.01),))
    with pytest.raises(ModelError, match="'A' gathers without end"):
        Compartments([trap], places(marrow=1.0, lung=1.0), TABLE)


def test_what_cannot_be_done_is_refused_by_name():
    body = whole()
    with pytest.raises(UnknownNameError, match="Did you mean 'VEGFA'"):
        body.advance(1.0, {("VEGF", "plasma"): 1.0})
    with pytest.raises(UnknownNameError, match="compartment 'lungs'"):
        body.level("VEGFA", "lungs")
    with pytest.raises(UnknownNameError, match="Did you mean 'VEGFR1'"):
        body.advance(1.0, {}, {"VEGFR": 0.0})
    with pytest.raises(StudyError, match="factor 'VEGFR1' is -1"):
        body.advance(1.0, {}, {"VEGFR1": -1.0})
    with pytest.raises(StudyError, match="use take to remove"):
        body.advance(1.0, {("VEGFA", "plasma"): -1.0})
    with pytest.raises(StudyError, match="a tick of 0 h"):
        body.advance(0.0, {})
    with pytest.raises(StudyError, match="cannot be given"):
        body.give("VEGFA", "plasma", math.nan)
    with pytest.raises(NumericalError, match="which holds 0"):
        body.take("VEGFA", "plasma", 1.0)


# ---- messengers and secretion -------------------------------------------------------------------------------------
def test_cells_of_the_marrow_are_counted_in_blood_and_organs():
    body = whole()
    for _ in range(100):
        body.advance(2.0, {("CSF3", "plasma"): 0.2, ("VEGFA", "plasma"): 0.2})
    for name in (PROGENITORS, MYELOID):
        assert body.level(name, "plasma") > 1.5 * body.healthy_level(name, "plasma")
        assert body.level(name, "lung") > 1.5 * body.healthy_level(name, "lung")
        assert body.level(name, "marrow") < body.healthy_level(name, "marrow")


def test_exosomes_are_taken_up_in_proportion_to_the_integrin_on_them():
    taken = []
    for share in (0.0, 0.5, 1.0):
        content = {"ITGA6:ITGB4": number(f"{share} ")}
        found = Compartments(messengers(ORGANS, content), compartments_of(mouse(), ORGANS), TABLE)
        found.advance(0.001, {(EXOSOMES, "plasma"): 1e9})
        taken.append(found.amount(EXOSOMES, "lung"))
    assert math.isclose(taken[2] / taken[0], (0.5 + 4.0) / 0.5, rel_tol=0.02)
    assert math.isclose(taken[1] - taken[0], taken[2] - taken[1], rel_tol=0.02)


def test_an_integrin_outside_the_code_is_refused():
    with pytest.raises(UnknownNameError, match="Did you mean 'ITGAV:ITGB5'"):
        messengers(ORGANS, {"ITGA6:ITGB5": number("1 ")})


def test_an_organ_that_the_anatomy_lacks_is_refused():
    with pytest.raises(UnknownNameError, match="Did you mean 'liver'"):
        compartments_of(mouse(), ("livr",))


def test_sites_secrete_by_cells_hypoxia_networks_and_interventions():
    secretion = Secretion(TABLE)
    base = secretion.amounts({"primary": 1e8})
    assert math.isclose(base["VEGFA", "plasma"], 1e8 * 367 / 6.02214076e23 * 1e12, rel_tol=1e-12)
    assert math.isclose(base[EXOSOMES, "plasma"], 6e9, rel_tol=1e-12)
    dark = secretion.amounts({"primary": 1e8}, hypoxic={"primary": 0.5})
    assert math.isclose(dark["VEGFA", "plasma"] / base["VEGFA", "plasma"], 1.0 + 6.15 * 0.5, rel_tol=1e-12)
    less = secretion.amounts({"primary": 1e8}, interventions={"RAB27A": 0.4}, multipliers={("CSF3", "primary"): 3.0})
    assert math.isclose(less[EXOSOMES, "plasma"], 2.4e9, rel_tol=1e-12)
    assert math.isclose(less["CSF3", "plasma"], 3.0 * base["CSF3", "plasma"], rel_tol=1e-12)
    two = secretion.amounts({"primary": 1e8, "lung": 1e6}, {"lung": "lung"})
    assert math.isclose(two["LOX", "lung"], 0.01 * two["LOX", "plasma"], rel_tol=1e-12)


def test_secretion_of_what_cannot_be_is_refused():
    secretion = Secretion(TABLE)
    with pytest.raises(StudyError, match=r"fewer than none(.|\n)*hypoxic share of 2"):
        secretion.amounts({"primary": -1.0}, hypoxic={"primary": 2.0})
    with pytest.raises(UnknownNameError, match="CSF3"):
        secretion.amounts({"primary": 1.0}, multipliers={("CSF", "primary"): 2.0})
    with pytest.raises(UnknownNameError, match="primary"):
        secretion.amounts({"primary": 1.0}, multipliers={("CSF3", "primry"): 2.0})


def test_a_rate_is_read_from_a_constant_or_a_half_life():
    numbers = Numbers(TABLE)
    assert math.isclose(numbers.rate(Named("exosome_half_life", "h")), math.log(2.0) * 30.0, rel_tol=1e-12)
    assert math.isclose(numbers.rate(number("30 min")), math.log(2.0) * 2.0, rel_tol=1e-12)
    assert numbers.rate(number("48 1/day")) == 2.0
    doubled = Numbers(TABLE, lambda row: 2.0 * row.value)
    assert doubled(Named("factor_hill", ""), "") == 2.0
