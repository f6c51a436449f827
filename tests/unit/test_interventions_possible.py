"""What an arm asks of a model that it cannot do is told by name before anything runs, and drugs go where their route leads."""

from __future__ import annotations

import functools
import re

import numpy as np
import pytest

from paget.body.drugs import BodyDrugs
from paget.catalogue import check_study, load_study
from paget.catalogue.drugs import DRUGS, kinetics
from paget.catalogue.possible import problems_of_interventions
from paget.engine.animal import TissueAnimal
from paget.errors import StudyError
from paget.evidence import load_parameters
from paget.experiment import Antibody, Arm, Depletion, Dose, Injection, Override, Perturbation
from paget.pharmacology import DEPOT, PLASMA


@functools.cache
def model(name):
    from paget.catalogue import MODELS

    return MODELS[name]({})


def told(name, **interventions):
    return list(problems_of_interventions(model(name), Arm(name="x", **interventions)))


GENE = Perturbation(gene="CXCR4", change="knock-out")
CELLS = Injection(cells="tumour cell", number=10)


def test_what_a_model_can_do_is_no_problem():
    fine = {
        "perturbations": (GENE,),
        "antibodies": (Antibody(target="CCL2", amount="5 mg/kg", at="0 day"),),
        "injections": (CELLS, Injection(exosomes="lung", amount="10 ug")),
        "depletions": (Depletion(cells="neutrophil"), Depletion(cells="VEGFR1+ progenitors")),
        "doses": (Dose(drug="dasatinib", amount="5 mg/kg", at="0 day", route="intravenous"),),
    }
    assert told("cascade_mouse", **fine) == []


@pytest.mark.parametrize(
    ("name", "interventions", "words"),
    [
        ("lung_awakening", {"perturbations": (GENE,)}, "Unknown gene 'CXCR4'"),
        ("cascade_mouse", {"antibodies": (Antibody(target="VEGFR1", amount="5 mg/kg", at="0 day"),)}, "mean 'FLT1'"),
        ("lung_awakening", {"injections": (CELLS,)}, "'tumour cell' can be"),
        ("lung_awakening", {"depletions": (Depletion(cells="B cell"),)}, "cell type 'B cell'"),
        ("adjuvant_cohort", {"perturbations": (GENE,)}, "'CXCR4' cannot be changed: 'adjuvant_cohort' has no genes"),
        ("adjuvant_cohort", {"injections": (CELLS,)}, "'tumour cell' cannot be injected"),
        ("metaspread", {"depletions": (Depletion(cells="neutrophil"),)}, "'neutrophil' cannot be depleted"),
        (
            "adjuvant_cohort",
            {"overrides": (Override(parameter="anything", value="1", at="3 day"),)},
            "'anything' cannot change in the course of a cohort",
        ),
        (
            "lung_awakening",
            {"doses": (Dose(drug="doxorubicin", amount="5 mg/kg", at="0 day", route="oral"),)},
            "'oral' is no route of doxorubicin here: .* Give it intravenous",
        ),
        (
            "lung_awakening",
            {"doses": (Dose(drug="dasatinib", amount="5 mg/kg", at="0 day", route="subcutaneous"),)},
            "'subcutaneous' is no route of dasatinib here: .* Give it oral or intravenous",
        ),
    ],
)
def test_what_a_model_cannot_do_is_told(name, interventions, words):
    problems = told(name, **interventions)
    assert len(problems) == 1
    assert re.search(words, problems[0])


def test_a_study_that_asks_for_it_is_refused_with_the_arm():
    study = load_study("lung_awakening")
    arm = study.arms[0].model_copy(update={"perturbations": (GENE,)})
    with pytest.raises(StudyError, match=f"arm '{arm.name}': Unknown gene 'CXCR4'"):
        check_study(study.model_copy(update={"arms": (arm, *study.arms[1:])}))


# ---- routes -------------------------------------------------------------------------------------------------------------
def test_a_dose_enters_plasma_at_once_or_the_depot_that_its_numbers_are_of():
    assert DRUGS["dasatinib"].enters() == DRUGS["dasatinib"].enters("oral") == DEPOT
    assert DRUGS["dasatinib"].enters("intravenous") == PLASMA
    assert DRUGS["doxorubicin"].enters() == DRUGS["doxorubicin"].enters("intravenous") == PLASMA
    with pytest.raises(StudyError, match="'intraperitoneal' is no route of dasatinib"):
        DRUGS["dasatinib"].enters("intraperitoneal")


@pytest.mark.parametrize(("route", "compartment"), [("", DEPOT), ("oral", DEPOT), ("intravenous", PLASMA)])
def test_a_tissue_and_a_body_take_a_dose_by_its_route(route, compartment):
    tissue = TissueAnimal(model("lung_awakening"), 1, 0, 0.001, frozenset({"dasatinib"}))
    tissue.advance((("dasatinib", 0.0, 5.0, route),), ())
    whole = BodyDrugs([kinetics("dasatinib")], load_parameters("lung_awakening"))
    whole.give("dasatinib", 5.0, 0.0, route)
    whole.advance(0.001)
    for amounts in (tissue.world.body["body.dasatinib_amounts"], whole.state()["amounts"][0]):
        assert int(np.argmax(amounts[:3])) == compartment
        assert amounts[compartment] == pytest.approx(5.0, rel=0.01)
