"""What a study file asks for and no model can do: one clear error each, with file and line."""

import re

import pytest

from paget.catalogue import check_study, load_study
from paget.errors import StudyError
from paget.io.study_file import check_study_file, dump_study, parse_study


def problems(tmp_path, text):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(StudyError) as caught:
        check_study_file(path, check_study)
    return [problem.replace(f"{path}:", "") for problem in caught.value.problems]


LUNG = "base: lung_awakening\nkeep: [vehicle, doxorubicin]\narms:\n  - name: x\n    versus: vehicle\n"


@pytest.mark.parametrize(
    ("lines", "line", "message"),
    [
        (
            "    doses: [{drug: doxorubicin, amount: 5 mg/kg, at: when metastasis reaches 1}]",
            6,
            "Did you mean 'metastases'",
        ),
        (
            "    doses:\n      - drug: doxorubicin\n        amount: 5 mg/kg\n        at: when time_to_metastasis reaches 3",
            9,
            "Unknown readout 'time_to_metastasis'",
        ),
        (
            "    doses:\n      - drug: doxorubicin\n        amount: 5 mg/kg\n        at: when metastases reaches 2 mm",
            9,
            "'2 mm' has a unit, but 'metastases' is a plain number",
        ),
        (
            "    doses: [{drug: doxorubicin, amount: 5 mg/kg, at: 1 day after the last dose of cisplatin}]",
            6,
            "never happens: nothing in this arm is the last dose of cisplatin; there is none",
        ),
        (
            "    doses: [{drug: doxorubicin, amount: 5 mg/kg, at: 70 day}]",
            6,
            "doxorubicin on day 70 is past the end of the study (day 60)",
        ),
        ("    overrides:\n      - {parameter: netosis_rat, value: 1 1/h}", 7, "Did you mean 'netosis_rate'"),
        ("    overrides:\n      - {parameter: netosis_rate, value: 1 um}", 7, "1 um"),
        ("    perturbations: [{gene: PADI4, change: knock-down}]", 6, "a knock-down needs 'level'"),
        ("    perturbations: [{gene: PADI4, change: knock-out, level: 0.5}]", 6, "a knock-out leaves nothing"),
        ("    perturbations: [{gene: PADI4, change: over-expression, level: 0.5}]", 6, "above 1"),
        (
            "    perturbations: [{gene: PADI4, change: knock-out, duration: 2 day, until: 5 day}]",
            6,
            "either 'duration' or 'until'",
        ),
        ("    injections: [{cells: tumour cell}]", 6, "cells are injected by 'number'"),
        ("    injections: [{cells: tumour cell, number: 2.5}]", 6, "expected a whole number"),
        ("    injections: [{cells: tumour cell, number: 5, exosomes: lung, amount: 1 ug}]", 6, "give either 'cells'"),
        ("    depletions: [{cells: neutrophil, fraction: 120 %}]", 6, "must be at most 1"),
        ("    antibodies: [{target: MIF, amount: 5 mg/kg, at: 1 day, affinity: 0 nM}]", 6, "must be above 0 nM"),
    ],
)
def test_an_impossible_intervention_is_told_with_its_line(tmp_path, lines, line, message):
    found = problems(tmp_path, f"{LUNG}{lines}\n")
    assert any(problem.startswith(f"{line}: ") and message in problem for problem in found), found


def test_a_treated_arm_needs_a_control_or_to_be_one(tmp_path):
    text = "base: lung_awakening\narms:\n  - name: x\n    doses: [{drug: cisplatin, amount: 5 mg/kg, at: 1 day}]\n"
    (found,) = problems(tmp_path, text)
    assert found.startswith(
        "3: arms.0: arm 'x' has no control, and is the control of no other arm; say 'versus' ('vehicle'"
    )
    assert parse_study(text + "  - {name: y, versus: x}\n").arm("x").versus is None
    assert parse_study("base: lung_awakening\nkeep: []\n" + text[text.index("arms:") :]).arm_names == ("x",)


def test_a_swept_parameter_that_does_not_exist_is_told_once(tmp_path):
    text = "base: lung_awakening\nkeep: [vehicle]\nsweep:\n  parameters:\n    netosis_rat: [1 1/h, 2 1/h, 3 1/h]\n"
    (found,) = problems(tmp_path, text)
    assert re.match(r"[345]: sweep: Unknown parameter 'netosis_rat'. Did you mean 'netosis_rate'", found)


def test_points_of_a_sweep_that_do_not_fit_the_study_are_told_at_the_sweep(tmp_path):
    text = "base: lung_awakening\nduration: 10 day\nkeep: [vehicle]\narms:\n"
    text += "  - {name: late, versus: vehicle, doses: [{drug: cisplatin, amount: 5 mg/kg, at: 9 day}]}\n"
    text += "sweep: {like: late, doses: {cisplatin: [1 mg/kg, 2 mg/kg]}}\n"
    path = tmp_path / "sweep.yaml"
    path.write_text(text)
    assert len(check_study_file(path, check_study).arms) == 4
    found = problems(tmp_path, text.replace("at: 9 day", "at: 11 day"))
    assert any(problem.startswith("6: sweep: arm 'cisplatin 1 mg/kg'") for problem in found), found


def test_a_study_with_a_sweep_is_written_and_read_back_and_its_arms_are_not_made_twice():
    study = parse_study("base: lung_awakening\nkeep: [vehicle]\nsweep: {parameters: {netosis_rate: [1 1/h, 2 1/h]}}\n")
    assert len(study.arms) == 3
    again = parse_study(dump_study(study), name="study.yaml")
    assert again == study
    assert study.changed(seed=5).arm_names == study.arm_names
    assert study.only("vehicle").changed(seed=5).arm_names == ("vehicle",)


def test_patients_of_a_cohort_cannot_be_treated_by_their_readouts(tmp_path):
    text = "base: adjuvant_cohort\narms:\n  - name: x\n    like: surgery\n"
    text += "    doses: [{drug: doxorubicin, amount: 1.6 mg/kg, at: when relapsed reaches 1}]\n"
    (found,) = problems(tmp_path, text)
    assert "cannot follow from their readouts" in found
    follows = text.replace("when relapsed reaches 1", "28 day after the resection")
    path = tmp_path / "follows.yaml"
    path.write_text(follows)
    arm = check_study_file(path, check_study).arm("x")
    assert arm.settled(1e6).doses[0].times == (28 * 24.0,)


def test_every_study_of_the_catalogue_can_be_run():
    from paget.catalogue import study_names

    for name in study_names():
        check_study(load_study(name))
