"""Drugs of a body without cells: levels as in a tissue, mass that balances, killing and awakening from the same numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paget.body.drugs import BodyDrugs, cytotoxic
from paget.body.stroma import StromaBiology
from paget.body.values import Numbers
from paget.catalogue.drugs import kinetics
from paget.errors import LedgerError, ModelError, StudyError, UnknownNameError
from paget.evidence import load_parameters
from paget.pharmacology import COMPARTMENTS, PLASMA, exposure

TABLE = load_parameters("lung_awakening", "niche")
NAMES = ("doxorubicin", "cisplatin", "dasatinib", "quercetin", "navitoclax")


def drugs(names=NAMES, table=TABLE, **more) -> BodyDrugs:
    return BodyDrugs([kinetics(name) for name in names], table, stroma=StromaBiology(), **more)


def course(doses, days: float, table=TABLE, dt: float = 2.0) -> BodyDrugs:
    found = drugs(table=table)
    for name, amount, day in doses:
        found.give(name, amount, 24.0 * day)
    for _ in range(round(24.0 * days / dt)):
        found.advance(dt)
    return found


DOX = [("doxorubicin", 5.0, day) for day in (3, 10, 17)]
DQ = [(n, a, 6 + 7 * c + i) for c in range(4) for i in range(3) for n, a in (("dasatinib", 5.0), ("quercetin", 50.0))]


def test_levels_are_those_of_the_kinetics_of_a_tissue():
    found = drugs()
    found.give("doxorubicin", 5.0, 1.25)
    process = kinetics("doxorubicin")
    rates, amounts = process.rates(Numbers(TABLE).all(process)), np.zeros(len(COMPARTMENTS))
    for tick in range(5):
        found.advance(2.0)
        amounts, mean = exposure(amounts, ((1.25, 5.0, PLASMA),) if tick == 0 else (), rates, 2.0)
        assert found.level("doxorubicin") == mean
        assert found.level("cisplatin") == 0.0


def test_cycling_cells_die_at_the_rate_of_single_cells():
    found = course(DOX[:1], 3.5)
    level = found.level("doxorubicin")
    rate, half, power = (TABLE[f"doxorubicin_kill_{k}"].value for k in ("rate", "half", "hill"))
    assert found.effects()["kill"] == pytest.approx(rate * level**power / (half**power + level**power), rel=1e-12)
    assert found.effects()["kill"] > 0.001
    assert course([("navitoclax", 50.0, 0)], 1.0).effects()["kill"] == 0.0


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(NAMES), st.floats(0.01, 100.0), st.floats(0.0, 60.0)), max_size=8),
    st.floats(0.3, 30.0),
)
def test_all_that_was_given_is_in_the_body_or_eliminated(doses, dt):
    found = drugs()
    for name, amount, at in doses:
        found.give(name, amount, at)
    for _ in range(math.ceil(61.0 / dt)):
        found.advance(dt)
    book = found.book().set_index("drug")
    total = {name: sum(amount for which, amount, _ in doses if which == name) for name in NAMES}
    for name in NAMES:
        assert book.loc[name, "given"] == pytest.approx(total[name], rel=1e-12)
        assert book.loc[name, ["depot", "plasma", "peripheral", "eliminated"]].sum() == pytest.approx(
            total[name], rel=1e-9
        )


def test_drug_that_vanishes_is_an_error_that_names_it():
    found = course(DOX[:1], 3.5)
    state = found.state()
    state["amounts"][0] *= 1.0 - 1e-8
    found.restore(state)
    with pytest.raises(LedgerError, match="drug 'doxorubicin' does not balance at 86 h"):
        found.advance(2.0)


def test_the_time_of_a_dose_within_a_tick_counts_and_the_tick_does_not():
    early, late = (course([("doxorubicin", 5.0, at / 24.0)], 1.0, dt=12.0) for at in (0.0, 11.0))
    assert early.book().loc[0, "eliminated"] > late.book().loc[0, "eliminated"]
    fine = course([("doxorubicin", 5.0, 11.0 / 24.0)], 1.0, dt=0.5)
    assert np.allclose(fine.book().iloc[0, 2:].astype(float), late.book().iloc[0, 2:].astype(float), rtol=1e-11)


def test_chemotherapy_wakes_dormant_cells_weeks_later_and_senolytics_prevent_it():
    assert course([], 40.0).effects()["awakening"] == pytest.approx(1.0, abs=1e-3)
    assert course(DOX, 10.0).effects()["awakening"] == pytest.approx(1.0, abs=0.01)
    alone, with_dq = (course(doses, 45.0).effects()["awakening"] for doses in (DOX, DOX + DQ))
    assert alone > 4.0
    assert with_dq < 1.1


def test_cisplatin_wakes_cells_only_if_it_makes_fibroblasts_senescent():
    doses = [("cisplatin", amount, day) for _, amount, day in DOX]
    without = TABLE.with_values({"cisplatin_senescence_strength": "monteran2022"})
    assert course(doses, 45.0).effects()["awakening"] > 2.0
    assert course(doses, 45.0, table=without).effects()["awakening"] == pytest.approx(1.0, abs=1e-3)


def test_a_body_without_stroma_wakes_nothing():
    found = BodyDrugs([kinetics("doxorubicin")], TABLE)
    found.give("doxorubicin", 5.0, 0.0)
    found.advance(24.0 * 30)
    assert found.effects()["awakening"] == 1.0
    assert set(found.effects()) == {"kill", "awakening"}


def test_a_run_goes_on_from_its_state_with_the_same_bits_doses_to_come_included():
    one, other = drugs(), drugs()
    for name, amount, day in DOX + DQ:
        one.give(name, amount, 24.0 * day)
    for _ in range(60):
        one.advance(2.0)
    other.restore(one.state())
    for found in (one, other):
        for _ in range(100):
            found.advance(2.0)
    for name, values in one.state().items():
        assert (values == other.state()[name]).all(), name
    assert one.effects() == other.effects()


def test_what_cannot_be_given_is_refused_by_name():
    found = drugs()
    found.advance(10.0)
    with pytest.raises(UnknownNameError, match="Did you mean 'doxorubicin'"):
        found.give("doxorubicine", 5.0, 20.0)
    with pytest.raises(StudyError, match="lies in the past; it is 10 h"):
        found.give("doxorubicin", 5.0, 9.0)
    with pytest.raises(StudyError, match="a dose of -5 mg/kg"):
        found.give("doxorubicin", -5.0, 20.0)
    with pytest.raises(StudyError, match="a tick of 0 h"):
        found.advance(0.0)
    with pytest.raises(UnknownNameError):
        found.level("taxol")
    with pytest.raises(ModelError, match=r"'cisplatin' is given twice(.|\n)*'doxorubicin' kills but has no kinetics"):
        BodyDrugs([kinetics("cisplatin")] * 2, TABLE, killing=[cytotoxic("doxorubicin")])
    with pytest.raises(ModelError, match="built alike"):
        found.restore(BodyDrugs([kinetics("cisplatin")], TABLE).state())
