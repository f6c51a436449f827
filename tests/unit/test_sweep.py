"""A sweep makes the arms that it says, and tells what cannot be made."""

from __future__ import annotations

import numpy as np
import pytest
from sweep_data import swept_study

from paget.catalogue import check_study
from paget.errors import StudyError
from paget.experiment import Study
from paget.experiment.sweep import MOST_ARMS, Sweep
from paget.io.study_file import dump_study, parse_study
from paget.problems import Misfits, checked


def sweep(**settings):
    return checked(Sweep, settings, "The sweep cannot be made.")


def points_of(study):
    return [arm for arm in study.arms if arm.point]


def test_a_grid_has_every_combination_with_the_last_axis_fastest():
    points = sweep(
        like="A",
        doses={"A": ["0 mg/kg", "5 mg/kg"]},
        parameters={"k": {"from": "6 h", "to": "1 day", "scale": "log", "steps": 3}},
    ).points()
    assert points == [{"A": a, "k": k} for a in (0.0, 5.0) for k in (6.0, 12.0, 24.0)]


def test_arms_are_those_of_like_with_other_amounts_and_nothing_given_at_zero():
    study = swept_study(
        {"like": "A + B", "doses": {"A": {"from": 0, "to": "5 mg/kg", "steps": 2}, "B": [0, "2.5 mg/kg"]}}
    )
    arms = points_of(study)
    assert [arm.name for arm in arms] == [
        "A 0 + B 0 mg/kg",
        "A 0 + B 2.5 mg/kg",
        "A 5 + B 0 mg/kg",
        "A 5 + B 2.5 mg/kg",
    ]
    assert [{d.drug: d.amount for d in arm.doses} for arm in arms] == [{}, {"B": 2.5}, {"A": 5.0}, {"A": 5.0, "B": 2.5}]
    assert {arm.versus for arm in arms} == {"control"}
    assert arms[1].point == {"A": 0.0, "B": 2.5}
    assert study.arm_names[:3] == ("control", "A", "A + B")


def test_a_parameter_is_handed_on_in_the_unit_of_its_first_value():
    arm = points_of(swept_study({"like": "A", "versus": "A", "parameters": {"k": ["12 h", "1 day"]}}))[1]
    assert arm.parameters == {"k": "24 h"}
    assert arm.point == {"k": 24.0}
    assert arm.name == "A: k = 24 h"
    assert arm.versus == "A"
    assert arm.doses


def test_named_values_of_a_parameter_are_arms_without_a_coordinate():
    study = swept_study({"like": "A", "parameters": {"k": ["some2020", 0.5], "m": [1, 2]}})
    named = study.arm("A: k = some2020, m = 1")
    assert named.parameters == {"k": "some2020", "m": 1.0}
    assert named.point == {"m": 1.0}


def test_without_like_the_animals_are_untreated():
    arms = points_of(swept_study({"versus": "control", "parameters": {"k": [1, 2]}}))
    assert [(arm.name, arm.doses, arm.versus) for arm in arms] == [("k = 1", (), "control"), ("k = 2", (), "control")]


def test_a_latin_hypercube_has_one_point_in_every_slice_of_every_axis():
    design = sweep(
        design="latin hypercube",
        points=20,
        parameters={"k": {"from": "1 h", "to": "100 h", "scale": "log"}, "m": {"from": 2, "to": 4}},
    )
    points = design.points()
    for axis in design.axes:
        slices = sorted(int(20 * axis.share(point[axis.name])) for point in points)
        assert slices == list(range(20))
    assert points == design.points()
    assert points != design.model_copy(update={"seed": 2}).points()


def test_points_that_fill_a_space_are_numbered_and_told_in_the_note():
    study = swept_study(
        {"like": "A", "design": "sobol", "points": 16, "doses": {"A": {"from": "1 mg/kg", "to": "9 mg/kg"}}}
    )
    arms = points_of(study)
    assert [arms[0].name, arms[15].name] == ["A, point 01", "A, point 16"]
    assert arms[0].note == f"A {arms[0].point['A']:g} mg/kg"
    # each half of the axis holds half of a Sobol sequence
    assert sum(arm.point["A"] < 5 for arm in arms) == 8


def test_names_are_new_and_short_enough():
    study = swept_study({"like": "A", "doses": {"A": ["5 mg/kg", "6 mg/kg"]}}, arms=[
        {"name": "control"},
        {"name": "A 5 mg/kg", "versus": "control", "doses": [{"drug": "A", "amount": "5 mg/kg", "at": 0}]},
        {"name": "A", "versus": "control", "doses": [{"drug": "A", "amount": "5 mg/kg", "at": 0}]},
    ])  # fmt: skip
    assert study.arm_names[3:] == ("A, point 1", "A, point 2")
    long = {f"a_parameter_with_a_long_name_{i}": [1.0, 2.0] for i in range(4)}
    assert max(len(arm.name) for arm in points_of(swept_study({"parameters": long}))) <= 80


def test_a_study_reads_back_with_its_sweep_and_the_same_arms():
    study = swept_study({"like": "A", "doses": {"A": {"from": 0, "to": "5 mg/kg", "steps": 3}}})
    assert parse_study(dump_study(study), "swept.yaml") == study
    assert Study.model_validate(study.model_dump()) == study


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, "nothing is swept"),
        ({"doses": {"A": ["1 mg/kg"]}}, "doses: doses need 'like'"),
        ({"like": "A", "doses": {"A": ["-1 mg/kg"]}}, "doses.A.0: a dose cannot be negative"),
        ({"like": "A", "doses": {"A": [1]}}, "doses.A.0: '1"),
        (
            {"like": "A", "doses": {"A": {"from": "-1 mg/kg", "to": "1 mg/kg", "steps": 3}}},
            "doses.A.from: a dose cannot",
        ),
        ({"parameters": {"k": {"from": "2 h", "to": "1 h", "steps": 3}}}, "parameters.k.to: 1 h is not above 2 h"),
        (
            {"parameters": {"k": {"from": "2 h", "to": "1 um", "steps": 3}}},
            "parameters.k.to: '1 um' is not convertible",
        ),
        (
            {"parameters": {"k": {"from": 0, "to": 1, "scale": "log", "steps": 3}}},
            "parameters.k.from: a log scale has no 0",
        ),
        ({"parameters": {"k": {"from": 0, "to": 1}}}, "parameters.k: a grid needs 'steps'"),
        ({"parameters": {"k": {"from": 0, "steps": 2}}}, "parameters.k: needs 'to', or a list"),
        ({"parameters": {"k": ["1 h", "60 min"]}}, "parameters.k: one value stands there twice"),
        ({"parameters": {"k": 3}}, "parameters.k: expected a list of values"),
        ({"parameters": {"k": [1]}, "points": 4}, "points: belongs to a latin hypercube or sobol"),
        ({"design": "sobol", "parameters": {"k": {"from": 0, "to": 1}}}, "design: a sobol needs 'points'"),
        ({"design": "sobol", "points": 12, "parameters": {"k": {"from": 0, "to": 1}}}, "points: 12 is no power of two"),
        (
            {"design": "sobol", "points": 8, "parameters": {"k": [1, 2]}},
            "parameters.k: a design that fills a space needs",
        ),
        ({"parameters": {"k": {"from": 0, "to": 1, "steps": MOST_ARMS + 1}}}, "steps: must be at most 4096"),
        ({"like": "A", "doses": {"A": [0]}, "parameters": {"A": [0]}}, "parameters.A: 'A' is swept as a drug too"),
        ({"design": "lattice", "parameters": {"k": [1]}}, "design: expected 'grid'"),
    ],
)
def test_a_sweep_that_cannot_be_is_refused_with_the_place(settings, told):
    with pytest.raises(StudyError) as error:
        sweep(**settings)
    assert told in str(error.value)


def test_unknown_arms_and_drugs_are_told_with_their_places():
    study = swept_study(None)
    with pytest.raises(Misfits) as error:
        sweep(like="AA", versus="contrl", parameters={"k": [1]}).arms(study.arms)
    assert [problem.path for problem in error.value.problems] == [("like",), ("versus",)]
    with pytest.raises(Misfits) as error:
        sweep(like="A", doses={"C": ["1 mg/kg"]}).arms(study.arms)
    assert [problem.path for problem in error.value.problems] == [("doses", "C")]


FILE = """\
base: lung_awakening
keep: [vehicle, doxorubicin]
sweep:
  like: doxorubicin
  doses:
    doxorubicine: [1 mg/kg, 2 mg/kg]
"""


def test_a_problem_of_a_sweep_in_a_file_comes_with_its_line():
    with pytest.raises(StudyError, match=r"sweep\.yaml:6: .*Unknown drug in arm 'doxorubicin' 'doxorubicine'"):
        parse_study(FILE, "sweep.yaml")
    with pytest.raises(StudyError, match=r"sweep\.yaml:6: .*cannot be negative"):
        parse_study(FILE.replace("doxorubicine: [1", "doxorubicin: [-1"), "sweep.yaml")


def test_a_parameter_that_does_not_exist_is_refused_by_the_catalogue():
    text = FILE.replace("doses:\n    doxorubicine: [1 mg/kg, 2 mg/kg]", "parameters: {net_half_lif: [1 h, 2 h]}")
    with pytest.raises(StudyError, match="net_half_lif"):
        check_study(parse_study(text, "sweep.yaml"))


def test_an_axis_goes_back_and_forth_between_value_and_share():
    for scale in ("linear", "log"):
        (axis,) = sweep(parameters={"k": {"from": "2 h", "to": "50 h", "scale": scale, "steps": 5}}).axes
        assert np.allclose([axis.share(axis.at(share)) for share in (0.0, 0.3, 1.0)], [0.0, 0.3, 1.0], atol=1e-5)
