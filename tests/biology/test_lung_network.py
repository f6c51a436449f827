"""The lung with the network of the tumour cell in the place of its small switch shows the same directions."""

from __future__ import annotations

import dataclasses

import pytest
from lung_outcomes import awakening_effect, intact, outcome, outcome_of, shortened

from paget.catalogue import build_model, load_study
from paget.catalogue.lung import LINKS
from paget.catalogue.lung_signalling import network_signalling
from paget.experiment import Study
from paget.tissue.networks import CellNetworks, Clamp


def study() -> Study:
    return shortened(load_study("lung_awakening")).with_options(signalling="network")


def whole() -> float:
    return awakening_effect(intact("doxorubicin", "network"), intact("vehicle", "network"))


def test_the_network_takes_the_role_of_the_switch() -> None:
    model = build_model(study())
    assert isinstance(model.processes["adhesion_signalling"], CellNetworks)
    assert model.processes["adhesion_signalling"] == network_signalling()
    small = build_model(shortened(load_study("lung_awakening")))
    others = {role for role in small.processes if role != "adhesion_signalling"}
    assert all(model.processes[role] == small.processes[role] for role in others)


def test_doxorubicin_awakens_dormant_cells_that_carry_the_network() -> None:
    treated, control = intact("doxorubicin", "network"), intact("vehicle", "network")
    assert (treated["awakened_cells"] > control["awakened_cells"]).all()
    assert treated["metastases"].sum() > control["metastases"].sum()
    assert treated["bulk_mean"].mean() < control["bulk_mean"].mean()
    assert whole() > 10


@pytest.mark.parametrize("senolytic", ["DQ", "ABT-263"])
def test_a_senolytic_lowers_awakening_of_cells_that_carry_the_network(senolytic: str) -> None:
    treated, control = intact(f"doxorubicin + {senolytic}", "network"), intact("doxorubicin", "network")
    assert (treated["awakened_cells"] < control["awakened_cells"]).all()


def test_a_fak_inhibitor_lowers_awakening_of_cells_that_carry_the_network() -> None:
    dose = {"drug": "fak_inhibitor", "amount": "50 mg/kg", "start": "6 day", "every": "12 h", "count": 88}
    treated = outcome(study().with_arm("add-on", like="doxorubicin", doses=(dose,)), "add-on")
    assert awakening_effect(treated, intact("vehicle", "network")) < 0.5 * whole()


@pytest.mark.parametrize("link", ["proteolysis", "integrin a3b1"])
def test_removing_a_link_before_the_network_abolishes_the_doxorubicin_effect(link: str) -> None:
    roles, parameters = LINKS[link]
    broken = study().without_process(*roles).with_parameters(**parameters)
    effect = awakening_effect(outcome(broken, "doxorubicin"), outcome(broken, "vehicle"))
    assert effect <= 0.05 * whole()


@pytest.mark.parametrize("node", ["PTK2", "MAPK1"])
def test_knocking_out_a_link_inside_the_network_abolishes_the_doxorubicin_effect(node: str) -> None:
    knocked_out = dataclasses.replace(network_signalling(), perturbations=(Clamp(node=node, level=0),))
    model = build_model(study()).replace(adhesion_signalling=knocked_out)
    arms = [outcome_of(model, study(), arm) for arm in ("doxorubicin", "vehicle")]
    assert awakening_effect(*arms) <= 0.05 * whole()
