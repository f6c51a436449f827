"""The guide to bodies says what is so, and the studies of bodies are whole: described, checked, and cited."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import paget as pg
from paget.catalogue import build_model, check_study, load_study
from paget.errors import StudyError

ROOT = Path(__file__).parents[2]
BODIES = ("cascade_mouse", "adjuvant_cohort", "organ_pattern", "metaspread")


@pytest.mark.parametrize("name", BODIES)
def test_a_study_of_bodies_is_valid_and_every_number_of_its_model_has_a_basis(name):
    study = load_study(name)
    check_study(study)
    told = build_model(study).describe()
    assert told["parameters"]
    assert {row["basis"] for row in told["parameters"]} <= {"measured", "derived", "fitted", "assumed"}
    assert all(row["reason"] or row["source"] for row in told["parameters"])
    assert told["methods"]
    assert told["limits"]
    assert told["sources"]


@pytest.mark.parametrize("name", BODIES)
def test_readouts_of_a_study_of_bodies_are_told_apart_and_say_what_they_mean(name):
    readouts = build_model(load_study(name)).describe()["readouts"]
    names = [r["name"] for r in readouts]
    assert len(set(names)) == len(names)
    assert all(r["title"] and r["meaning"] for r in readouts)
    assert any(r["headline"] for r in readouts)


def test_the_guide_names_commands_and_pages_that_exist():
    page = (ROOT / "docs" / "body.md").read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([a-z_]+\.md)\)", page):
        assert (ROOT / "docs" / link).is_file(), link
    for study in re.findall(r"paget run (\w+)", page):
        assert load_study(study).name == study


def test_an_arm_of_the_guide_can_be_added():
    study = pg.load("cascade_mouse").with_arm(
        "early surgery", like="vehicle", resections=({"site": "primary", "at": "8 day"},)
    )
    check_study(study)


@pytest.mark.parametrize(
    ("resections", "told"),
    [
        (({"site": "spleen", "at": "8 day"},), "site to resect 'spleen'"),
        (({"at": "8 day"}, {"at": "9 day"}), "the primary tumour is resected twice"),
    ],
)
def test_operations_that_make_no_sense_are_refused_before_the_run(resections, told):
    study = pg.load("cascade_mouse").with_arm("odd", like="vehicle", resections=resections)
    with pytest.raises(StudyError, match=told):
        check_study(study)


def test_unevenly_spaced_cycles_and_late_tablets_are_refused_before_the_run():
    study = pg.load("adjuvant_cohort").with_arm(
        "odd",
        like="surgery",
        doses=(
            {"drug": "doxorubicin", "amount": "1.6 mg/kg", "at": ["10 day", "20 day", "50 day"]},
            {"drug": "tamoxifen", "amount": "0.3 mg/kg", "start": "10 day", "every": "30 day", "count": 4},
        ),
    )
    with pytest.raises(StudyError, match="evenly spaced"):
        check_study(study)
