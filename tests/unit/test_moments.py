"""Times that follow from what happens: how they are read, written, and become acts."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paget.errors import StudyError, UnitError
from paget.experiment import Arm, Condition, Moment
from paget.experiment.moments import read_moment
from paget.experiment.schedule import Awaited, plan
from paget.problems import Misfits

DAY = 24.0


def arm(**lists):
    return Arm.model_validate({"name": "treated", **lists})


def dose(drug, **when):
    return {"drug": drug, "amount": "5 mg/kg", **when}


def days(of, duration=1000.0, happened=None):
    """(label, day) of every act."""
    return [(act.what.label, act.time / DAY) for act in plan(of.interventions, duration * DAY, happened).acts]


# ---- read and written ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("7 day after the last dose", "7 day after the last dose"),
        ("7 day after last dose of doxorubicin", "7 day after the last dose of doxorubicin"),
        ("36 h before the first dose", "1.5 day before the first dose"),
        ("2 day after the resection of primary", "2 day after the resection of primary"),
        ("at the resection", "at the resection"),
        ("1 h after  the   injection of tumour cell", "1 h after the injection of tumour cell"),
        ("when nodules reaches 2", "when nodules reaches 2"),
        ("3 day after burden falls below 1e5", "3 day after burden falls below 1e5"),
        ("when diameter reaches 2 mm", "when diameter reaches 2 mm"),
    ],
)
def test_a_moment_is_told_in_words_and_reads_back_the_same(text, told):
    moment = read_moment(text)
    assert isinstance(moment, Moment)
    assert str(moment) == told
    assert read_moment(told) == moment


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("7 day after", "expected a time"),
        ("after dinner", "expected a time"),
        ("7 after the last dose", "no unit"),
        ("3 um after the last dose", "not convertible to h"),
        ("when nodules grows to 2", "expected a time"),
        ("2 day before nodules reaches 3", "nobody knows beforehand when nodules reaches 3"),
        ("1 day after the first resection", "say 'the resection'"),
    ],
)
def test_what_is_no_moment_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        read_moment(text)


@given(st.floats(0.0, 1e5), st.sampled_from(["first dose", "last dose", "resection"]), st.sampled_from(["", "d"]))
def test_every_moment_reads_back_the_same(delay, event, of):
    moment = Moment(delay, event, of)
    assert read_moment(str(moment)) == moment


def test_a_level_has_the_unit_of_its_readout():
    assert Condition("diameter", True, "2 mm").level_in("um") == 2000.0
    assert Condition("nodules", True, "2").level_in("") == 2.0
    with pytest.raises(UnitError, match="plain number"):
        Condition("nodules", True, "2 mm").level_in("")
    with pytest.raises(UnitError, match="not convertible"):
        Condition("diameter", True, "2 day").level_in("um")


def test_an_arm_with_moments_is_written_and_read_back():
    given_arm = arm(
        doses=[
            dose("a", at=["1 day", "3 day after the last dose of b"]),
            dose("b", start="when n reaches 2", every="2 day", count=3),
        ],
        perturbations=[
            {"gene": "LOX", "change": "knock-down", "level": 0.2, "at": "3 day", "until": "when n reaches 5"}
        ],
    )
    assert Arm.model_validate(given_arm.model_dump(mode="json")) == given_arm
    assert "a 5 mg/kg on day 1, 3 day after the last dose of b" in given_arm.in_words()
    assert "knock-down of LOX to 0.2 from day 3 until n reaches 5" in given_arm.in_words()


# ---- when things are done ------------------------------------------------------------------------------------------
def test_a_dose_follows_the_last_dose_of_another_drug():
    found = days(
        arm(doses=[dose("b", at="7 day after the last dose of a"), dose("a", start="2 day", every="3 day", count=3)])
    )
    assert found == [("a", 2), ("a", 5), ("a", 8), ("b", 15)]


def test_a_course_may_begin_before_what_it_refers_to():
    found = days(arm(doses=[dose("a", at="2 day before the resection")], resections=[{"at": "10 day"}]))
    assert found == [("a", 8), ("resection of primary", 10)]


def test_chains_of_moments_are_followed():
    chained = arm(
        doses=[
            dose("c", at="1 day after the last dose of b"),
            dose("b", at="1 day after the last dose of a"),
            dose("a", at="1 day"),
        ]
    )
    assert days(chained) == [("a", 1), ("b", 2), ("c", 3)]


def test_the_same_drug_can_follow_its_own_earlier_course():
    found = days(arm(doses=[dose("a", at="5 day"), dose("a", at="7 day after the last dose of a")]))
    assert found == [("a", 5), ("a", 12)]


def test_what_waits_for_a_readout_is_done_once_it_is_met():
    waits = arm(
        doses=[
            dose("a", start="2 day after n reaches 3", every="1 day", count=2),
            dose("b", at="1 day after the last dose of a"),
        ]
    )
    assert days(waits) == []
    (awaited,) = plan(waits.interventions, 1000.0).awaited
    assert days(waits, happened={awaited: 4 * DAY}) == [("a", 6), ("a", 7), ("b", 8)]


def test_a_course_until_an_event_goes_on_while_it_has_not_happened_and_stops_with_it():
    course = arm(doses=[dose("a", start="1 day", every="2 day", until="when n reaches 3")])
    assert [day for _, day in days(course, duration=8)] == [1, 3, 5, 7]
    (awaited,) = plan(course.interventions, 8 * DAY).awaited
    assert awaited == Awaited(Condition("n", True, "3"), since=0)
    assert [day for _, day in days(course, duration=8, happened={awaited: 4 * DAY})] == [1, 3]


def test_a_fixed_end_and_cycles_are_kept():
    assert arm(doses=[dose("a", start="1 day", every="2 day", until="6 day")]).doses[0].times == (24.0, 72.0, 120.0)
    cycles = arm(doses=[dose("a", start="0 day", every="1 day", count=2, cycle_every="7 day", cycles=2, until="8 day")])
    assert [t / DAY for t in cycles.doses[0].times] == [0, 1, 7]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"start": "1 day", "every": "2 day"}, "'count', the number of administrations, or 'until'"),
        ({"start": "5 day", "every": "1 day", "until": "3 day"}, "before anything is given"),
        (
            {"start": "0 day", "every": "1 day", "until": "9 day", "cycles": 2, "cycle_every": "3 day"},
            "several cycles need 'count'",
        ),
    ],
)
def test_courses_without_an_end_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        arm(doses=[dose("a", **wrong)])


def test_what_can_never_come_is_told_with_its_place():
    lost = arm(doses=[dose("a", at="1 day after the last dose of b"), dose("c", at="2 day")])
    (problem,) = lost.problems(1000.0)
    assert problem.path == ("doses", 0)
    assert "never happens: nothing in this arm is the last dose of b; there are: c" in problem.message
    circle = arm(doses=[dose("a", at="1 day after the last dose of b"), dose("b", at="1 day after the last dose of a")])
    assert ["wait for one another" in p.message for p in circle.problems(1000.0)] == [True, True]


def test_acts_outside_the_study_are_told():
    late = arm(doses=[dose("a", at="9 day"), dose("b", at="3 day after the last dose of a")])
    assert "b on day 12 is past the end of the study (day 10)" in next(iter(late.problems(240.0))).message
    early = arm(doses=[dose("a", at="3 day before the resection")], resections=[{"at": "1 day"}])
    assert "before the study begins, on day -2" in next(iter(early.problems(240.0))).message


def test_settled_times_are_those_of_the_plan():
    follows = arm(
        doses=[dose("b", start="1 day after the last dose of a", every="2 day", count=2), dose("a", at="3 day")],
        resections=[{"at": "4 day after the last dose of b"}],
        depletions=[{"cells": "neutrophil", "at": "at the resection", "duration": "3 day"}],
    )
    settled = follows.settled(1000.0)
    assert settled.doses[0].times == (96.0, 144.0)
    assert settled.resections[0].at == 240.0
    assert (settled.depletions[0].at, settled.depletions[0].duration) == (240.0, 72.0)
    waits = arm(doses=[dose("a", at="when n reaches 3")])
    assert waits.settled(1000.0) == waits
    with pytest.raises(StudyError, match="differs from animal to animal"):
        _ = waits.doses[0].times


@given(st.lists(st.integers(0, 30), min_size=1, max_size=4), st.integers(0, 9), st.integers(5, 40))
def test_a_plan_is_in_order_and_inside_the_study(starts, delay, duration):
    courses = [dose(f"d{i}", start=f"{start} day", every="2 day", count=3) for i, start in enumerate(starts)]
    after = dose("last", at=f"{delay} day after the last dose")
    acts = plan(arm(doses=[after, *courses]).interventions, duration * DAY).acts
    times = [act.time for act in acts]
    assert times == sorted(times)
    assert all(0 <= time < duration * DAY for time in times)
    last = max((start + 4 for start in starts if start + 4 < duration), default=None)
    inside = [day for start in starts for day in (start, start + 2, start + 4) if day < duration]
    expected = max(inside) + delay if inside else math.inf
    assert ("last" in [act.what.label for act in acts]) == (expected < duration), last


# ---- arms from arms --------------------------------------------------------------------------------------------------
def test_other_arms_move_and_leave_out_whatever_is_done():
    base = arm(
        doses=[dose("a", at="1 day")],
        perturbations=[{"gene": "LOX", "change": "knock-out", "at": "2 day", "until": "5 day"}],
        depletions=[{"cells": "neutrophil"}],
        resections=[{"at": "3 day"}],
    )
    derived = base.adapted(
        "other",
        shift={"LOX": DAY, "resection of primary": -DAY},
        without=("depletion of neutrophil",),
        doses=base.doses,
    )
    assert (derived.perturbations[0].at, derived.perturbations[0].until) == (3 * DAY, 6 * DAY)
    assert derived.resections[0].at == 2 * DAY
    assert derived.depletions == ()
    assert len(derived.doses) == 2
    with pytest.raises(Misfits, match="Unknown drug in arm 'treated' 'LOXL2'"):
        base.adapted("other", shift={"LOXL2": DAY})
