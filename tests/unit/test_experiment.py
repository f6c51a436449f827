import pytest
from pydantic import ValidationError

from paget.errors import StudyError, UnknownNameError
from paget.experiment import Arm, Dose, Study


@pytest.fixture
def study() -> Study:
    doxorubicin = {"drug": "doxorubicin", "amount": "5 mg/kg", "at": ["0 day"]}
    dasatinib = {"drug": "dasatinib", "amount": "5 mg/kg", "start": "2 day", "every": "1 day", "count": 3}
    return Study(
        name="awakening",
        model="lung_awakening",
        duration="60 day",
        arms=[
            {"name": "vehicle"},
            {"name": "dox", "versus": "vehicle", "doses": [doxorubicin]},
            {"name": "dox + D", "versus": "dox", "doses": [doxorubicin, dasatinib], "parameters": {"x": "1 um"}},
        ],
    )


def dose(**settings) -> Dose:
    return Dose.model_validate({"drug": "d", "amount": "1 mg/kg", **settings})


def days(dose: Dose) -> list[float]:
    return [time / 24 for time in dose.times]


# ---- doses --------------------------------------------------------------------------------------------------------
def test_single_doses_are_given_in_order_of_time():
    assert days(dose(at=["7 day", "12 h"])) == [0.5, 7]
    assert days(dose(at="7 day")) == [7]


def test_cycles_repeat_the_doses_of_a_cycle():
    assert days(dose(start="1 day", every="1 day", count=2, cycle_every="14 day", cycles=2)) == [1, 2, 15, 16]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "give either 'at'"),
        ({"at": "1 day", "start": "1 day"}, "give either 'at'"),
        ({"at": "1 day", "cycles": 2}, "go with 'start'"),
        ({"start": "1 day", "count": 2}, "2 administrations need 'every'"),
        ({"start": "1 day", "cycles": 2}, "2 cycles need 'cycle_every'"),
        ({"start": "1 day", "every": "0 h", "count": 2}, "must be above 0 h"),
        ({"at": "1 day", "amount": 5}, "'5' has no unit"),
        ({"at": "1 day", "amount": "-1 mg/kg"}, "must be at least 0 mg/kg"),
    ],
)
def test_a_schedule_that_says_too_little_or_too_much_is_refused(settings, message):
    with pytest.raises(ValidationError, match=message):
        dose(**settings)


def test_doses_shift_as_a_whole_and_not_before_the_study():
    cycles = dose(start="3 day", every="1 day", count=2)
    assert days(cycles.shifted(-72.0)) == [0, 1]
    assert days(dose(at=["3 day", "5 day"]).shifted(24.0)) == [4, 6]
    with pytest.raises(StudyError, match="d would be given before the study begins, on day -1"):
        cycles.shifted(-96.0)


def test_an_arm_lists_what_the_body_receives_before_the_end(study):
    given = study.arm("dox + D").administrations(until=4 * 24.0)
    assert [(a.drug, a.time / 24, a.amount) for a in given] == [
        ("doxorubicin", 0, 5),
        ("dasatinib", 2, 5),
        ("dasatinib", 3, 5),
    ]


def test_an_arm_reads_like_a_protocol(study):
    words = study.arm("dox + D").in_words()
    assert words == "doxorubicin 5 mg/kg on day 0; dasatinib 5 mg/kg on day 2-4; x = 1 um"
    assert study.arm("vehicle").in_words() == "no treatment"
    cycles = dose(start="6 day", every="1 day", count=3, cycle_every="7 day", cycles=2)
    assert cycles.in_words() == "d 1 mg/kg on day 6-8, 13-15"
    assert dose(at=["0 day", "1 day", "36 h", "9 day"]).in_words() == "d 1 mg/kg on day 0, 1, 1.5, 9"


# ---- arms and edits -----------------------------------------------------------------------------------------------
def test_a_new_arm_takes_over_shifts_leaves_out_and_adds(study):
    more = study.with_arm(
        "new",
        like="dox + D",
        shift={"dasatinib": "7 day"},
        without=("doxorubicin",),
        doses=({"drug": "quercetin", "amount": "50 mg/kg", "at": "1 day"},),
        resections=({"at": "10 day"},),
        parameters={"y": 2.0},
        note="why",
    )
    arm = more.arms[-1]
    assert [(d.drug, days(d)) for d in arm.doses] == [("dasatinib", [9, 10, 11]), ("quercetin", [1])]
    assert (arm.versus, arm.parameters, arm.note) == ("dox", {"x": "1 um", "y": 2.0}, "why")
    assert arm.resections[0].at == 240.0
    assert study.arm_names == ("vehicle", "dox", "dox + D")


def test_an_arm_like_a_control_is_compared_with_that_control(study):
    assert study.with_arm("new", like="vehicle").arms[-1].versus == "vehicle"
    assert study.with_arm("new", like="dox + D", versus="vehicle").arms[-1].versus == "vehicle"
    assert study.with_arm("new").arms[-1].versus is None


def test_what_cannot_be_added_is_told_all_at_once(study):
    with pytest.raises(StudyError) as caught:
        study.with_arm("new", like="dox", shift={"doxorubicine": "1 day"}, without=("dasatinib",))
    assert "shift.doxorubicine: Unknown drug in arm 'dox' 'doxorubicine'. Did you mean 'doxorubicin'?" in str(
        caught.value
    )
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize(
    ("arm", "error", "message"),
    [
        ({"name": "dox"}, StudyError, "already has an arm 'dox'"),
        ({"name": "new", "like": "doxx"}, UnknownNameError, "Did you mean 'dox'"),
        ({"name": "new", "shift": {"d": "1 day"}}, StudyError, "need 'like'"),
        (
            {"name": "new", "doses": ({"drug": "d", "amount": "1 mg", "at": "1 day"},)},
            StudyError,
            "doses.0.amount: '1 mg'",
        ),
        ({"name": "new", "like": "dox", "shift": {"doxorubicin": "80 day"}}, StudyError, "past the end of the study"),
        ({"name": ""}, StudyError, "name: must not be empty"),
    ],
)
def test_an_arm_that_makes_no_sense_is_refused(study, arm, error, message):
    with pytest.raises(error, match=message):
        study.with_arm(**arm)


def test_a_change_is_checked_as_a_whole_and_leaves_the_study_alone(study):
    changed = (
        study.changed(replicates=3).with_options(dimensions=3).with_parameters(x="2 um").without_process("netosis")
    )
    assert (changed.replicates, changed.options, changed.without) == (3, {"dimensions": 3}, ("netosis",))
    assert (study.replicates, study.options, study.without) == (10, {}, ())
    with pytest.raises(StudyError, match=r"dasatinib on day 4 is past the end of the study \(day 3\)"):
        study.changed(duration="3 day")
    with pytest.raises(UnknownNameError, match="Did you mean 'replicates'"):
        study.changed(replicate=3)


def test_wrong_changes_are_told_all_at_once(study):
    with pytest.raises(StudyError) as caught:
        study.changed(replicates=0, seed=-1, tick="1 um")
    assert list(caught.value.problems) == [
        "tick: '1 um' is not convertible to h",
        "replicates: must be at least 1, not 0",
        "seed: must be at least 0, not -1",
    ]


def test_a_part_of_the_arms_forgets_controls_that_fell_away(study):
    part = study.only("dox + D", "vehicle")
    assert part.arm_names == ("vehicle", "dox + D")
    assert part.contrasts == ()
    with pytest.raises(UnknownNameError, match="Did you mean 'dox'"):
        study.only("dax")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"duration": "36 h", "tick": "5 h"}, r"duration: 36 h must be a whole number of ticks \(5 h\)"),
        ({"tick": "61 day"}, "the tick .* is longer than the study"),
        ({"record": {"metrics": "30 minute"}}, "record.metrics: 0.5 h must be a whole number of ticks"),
        ({"record": {"metrics": "2 day", "checkpoint": "3 day"}}, "record.checkpoint: 72 h must be a multiple"),
    ],
)
def test_times_that_do_not_fit_the_tick_are_refused(settings, message):
    plain = {"name": "s", "model": "m", "duration": "60 day", "arms": [Arm(name="a")]}
    with pytest.raises(ValidationError, match=message):
        Study.model_validate({**plain, **settings})


def test_a_study_cannot_be_changed_in_place(study):
    with pytest.raises(ValidationError, match="frozen"):
        study.seed = 2
