"""What the first study must show, in directions only, without any parameter that differs between arms."""

from __future__ import annotations

import numpy as np
import pytest
from lung_outcomes import awakening_effect, intact, outcome, shortened

from paget.catalogue import build_model, load_study
from paget.catalogue.lung import LINKS
from paget.engine.simulate import run_animal
from paget.results.memory import MemoryRecorder


def test_doxorubicin_awakens_dormant_cells_and_makes_metastases_in_every_animal() -> None:
    treated, control = intact("doxorubicin"), intact("vehicle")
    assert (treated["awakened_cells"] > control["awakened_cells"]).all()
    assert treated["metastases"].sum() > control["metastases"].sum()


def test_metastatic_cells_under_doxorubicin_are_mostly_dormancy_derived() -> None:
    fractions = intact("doxorubicin")["dormancy_derived"].dropna()
    assert len(fractions) > 0
    assert (fractions > 0.5).all()


def test_the_never_dormant_bulk_falls_under_doxorubicin_in_the_same_run() -> None:
    assert (intact("doxorubicin")["bulk_mean"] < intact("vehicle")["bulk_mean"]).all()


@pytest.mark.parametrize("senolytic", ["DQ", "ABT-263"])
def test_a_senolytic_lowers_senescence_traps_and_awakening_under_doxorubicin(senolytic: str) -> None:
    treated, control = intact(f"doxorubicin + {senolytic}"), intact("doxorubicin")
    for readout in ("senescent_fibroblasts", "net_peak", "remodelled_laminin", "awakened_cells"):
        assert (treated[readout] < control[readout]).all(), readout
    assert treated["metastases"].sum() < control["metastases"].sum()


def test_cisplatin_awakens_at_the_strength_of_he_2025_and_not_at_that_of_monteran_2022() -> None:
    control = intact("vehicle")
    contested = awakening_effect(intact("cisplatin"), control)
    without = awakening_effect(intact("cisplatin, no senescence"), control)
    assert contested > 10
    assert without <= 0.1 * contested


@pytest.mark.parametrize("link", sorted(LINKS))
def test_removing_one_link_of_the_chain_abolishes_the_doxorubicin_effect(link: str) -> None:
    roles, parameters = LINKS[link]
    study = shortened(load_study("lung_awakening")).without_process(*roles).with_parameters(**parameters)
    broken = awakening_effect(outcome(study, "doxorubicin"), outcome(study, "vehicle"))
    whole = awakening_effect(intact("doxorubicin"), intact("vehicle"))
    assert whole > 10
    assert broken <= 0.05 * whole


@pytest.mark.parametrize(
    ("drug", "dose"),
    [
        ("dnase", {"amount": "5 mg/kg", "start": "6 day", "every": "12 h", "count": 88}),
        ("anti_ly6g", {"amount": "10 mg/kg", "start": "2 day", "every": "3 day", "count": 16}),
        ("fak_inhibitor", {"amount": "50 mg/kg", "start": "6 day", "every": "12 h", "count": 88}),
    ],
)
def test_a_drug_on_a_later_link_lowers_awakening_under_doxorubicin(drug: str, dose: dict[str, object]) -> None:
    study = shortened(load_study("lung_awakening")).with_arm(
        "add-on", like="doxorubicin", doses=({"drug": drug, **dose},)
    )
    treated = outcome(study, "add-on")
    assert awakening_effect(treated, intact("vehicle")) < 0.5 * awakening_effect(
        intact("doxorubicin"), intact("vehicle")
    )


@pytest.mark.parametrize("setting", ["adjuvant", "neoadjuvant"])
def test_a_primary_tumour_seeds_dormant_cells_and_doxorubicin_wakes_them(setting: str) -> None:
    resection = {"adjuvant": "10 day", "neoadjuvant": "30 day"}[setting]
    base = shortened(load_study("lung_awakening")).with_options(setting=setting, size=1000)
    chemotherapy = {"drug": "doxorubicin", "amount": "5 mg/kg", "start": "13 day", "every": "5 day", "count": 3}
    study = base.with_arm("operated", resections=({"at": resection},)).with_arm(
        "treated", like="operated", doses=(chemotherapy,)
    )
    treated, control = outcome(study, "treated"), outcome(study, "operated")
    assert (control["tumour_cells"] > 0).all()
    assert (treated["senescent_fibroblasts"] > control["senescent_fibroblasts"]).all()
    assert (
        treated["erk_active"].sum() + treated["awakened_cells"].sum()
        > control["erk_active"].sum() + control["awakened_cells"].sum()
    )
    assert np.allclose(treated["primary_tumour"], 0.0)


def test_the_primary_tumour_shrinks_under_doxorubicin_while_it_is_in_place() -> None:
    study = shortened(load_study("lung_awakening"), 30).with_options(setting="neoadjuvant")
    assert (outcome(study, "doxorubicin")["primary_tumour"] < outcome(study, "vehicle")["primary_tumour"]).all()


def test_the_block_in_three_dimensions_shows_the_same_chain() -> None:
    study = shortened(load_study("lung_awakening"), 30).with_options(dimensions=3, size=400)
    model = build_model(study)
    finals = {}
    for arm in ("vehicle", "doxorubicin"):
        recorder = MemoryRecorder(study.record.frames)
        run_animal(model, study, arm, 0, recorder)
        finals[arm] = recorder.metrics.iloc[-1]
    assert finals["doxorubicin"]["senescent_fibroblasts"] > finals["vehicle"]["senescent_fibroblasts"]
    assert finals["doxorubicin"]["net_area"] > finals["vehicle"]["net_area"]
    assert finals["doxorubicin"]["remodelled_laminin"] > finals["vehicle"]["remodelled_laminin"]
