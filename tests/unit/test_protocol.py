"""What is due in each tick, and what holds for a while, as an animal's own readouts decide."""

import pytest

from paget.antibodies import free_fraction
from paget.engine.protocol import NOTHING, Protocol
from paget.experiment import Arm
from paget.readouts import Readout

DAY, DT = 24.0, 2.0
READOUTS = (
    Readout("n", "Nodules", "", "count", "number of nodules", "peak"),
    Readout("width", "Width", "um", "continuous", "of the largest nodule", "peak"),
)


def protocol(duration=100 * DAY, dt=DT, **lists):
    return Protocol(Arm.model_validate({"name": "treated", **lists}), READOUTS, duration, dt)


def given(of, days, values=None, dt=DT):
    """Days on which a drug is given, when the readouts are looked at once a day."""
    found = []
    for tick in range(int(days * DAY / dt)):
        time = tick * dt
        if time % DAY == 0:
            of.look(time, {"n": 0.0, "width": 0.0, **(values(time / DAY) if values else {})})
        found += [(time + at) / DAY for _, at, _, _ in of.due(time, time + dt).doses]
    return found


def dose(**when):
    return {"drug": "d", "amount": "5 mg/kg", **when}


def test_each_dose_is_due_in_one_tick_at_its_time():
    course = protocol(doses=[dose(start="1 day", every="11 h", count=3, route="intravenous")])
    assert given(course, 4) == pytest.approx([1.0, 1 + 11 / 24, 1 + 22 / 24])
    assert course.due(24.0, 26.0).doses == (("d", 0.0, 5.0, "intravenous"),)


def test_a_dose_waits_for_its_readout_and_is_given_once():
    waits = protocol(doses=[dose(at="2 day after n reaches 3")])
    assert given(waits, 12, lambda day: {"n": day}) == [5.0]
    assert waits.met == {"n reaches 3": 3 * DAY}


def test_levels_are_compared_in_the_unit_of_the_readout():
    waits = protocol(doses=[dose(at="when width reaches 2 mm")])
    assert given(waits, 9, lambda day: {"width": 500.0 * day}) == [4.0]


def test_a_missing_value_meets_nothing():
    assert given(protocol(doses=[dose(at="when n reaches 0")]), 3, lambda day: {"n": float("nan")}) == []


def test_falling_below_needs_having_been_above():
    falls = protocol(doses=[dose(at="when n falls below 2")])
    assert given(falls, 9, lambda day: {"n": 0.0}) == []
    assert given(falls, 9, lambda day: {"n": 5.0 - day}) == [4.0]


def test_an_end_counts_from_the_beginning_of_its_course():
    course = protocol(doses=[dose(start="4 day", every="1 day", until="when n falls below 2")])
    humps = {0: 0, 1: 5, 2: 0, 3: 0, 4: 5, 5: 5, 6: 5, 7: 1}
    assert given(course, 10, lambda day: {"n": humps.get(int(day), 0)}) == [4.0, 5.0, 6.0]


def test_a_course_without_its_event_goes_on_to_the_end_of_the_study():
    course = protocol(duration=5 * DAY, doses=[dose(start="1 day", every="1 day", until="when n reaches 9")])
    assert given(course, 5) == [1.0, 2.0, 3.0, 4.0]
    assert course.met == {}


def test_what_was_seen_survives_a_stop():
    lists = {"doses": [dose(start="3 day after n reaches 2", every="1 day", until="when n falls below 1")]}
    course = {0: 0, 1: 2, 2: 3, 3: 3, 4: 3, 5: 3, 6: 0}
    straight = protocol(**lists)
    expected = given(straight, 9, lambda day: {"n": course.get(int(day), 0)})
    first = protocol(**lists)
    before = given(first, 5, lambda day: {"n": course.get(int(day), 0)})
    second = protocol(**lists)
    second.restore(first.state())
    after = []
    for tick in range(60, 108):
        time = tick * DT
        if time % DAY == 0:
            second.look(time, {"n": course.get(int(time / DAY), 0), "width": 0.0})
        after += [(time + at) / DAY for _, at, _, _ in second.due(time, time + DT).doses]
    assert before + after == expected == [4.0, 5.0]


def test_operations_injections_and_depletions_are_due_too():
    busy = protocol(
        resections=[{"at": "1 day", "site": "lung"}],
        injections=[{"cells": "tumour cell", "number": 100, "at": "1 day"}],
        depletions=[{"cells": "neutrophil", "at": "1 day", "duration": "3 h"}],
    )
    assert busy.due(22.0, 24.0).injections == ()
    due = busy.due(24.0, 26.0)
    assert due.operations == (("lung", 0.0),)
    assert due.injections[0].number == 100
    assert [begins for _, begins in due.depletions] == [True]
    assert [begins for _, begins in busy.due(26.0, 28.0).depletions] == [False]
    assert busy.due(28.0, 30.0).depletions == ()


def test_perturbations_and_overrides_hold_between_their_times():
    held = protocol(
        perturbations=[
            {"gene": "LOX", "change": "knock-down", "level": 0.5, "at": "1 day", "duration": "2 day"},
            {"gene": "LOX", "change": "knock-down", "level": 0.5, "at": "2 day", "duration": "2 day"},
            {"gene": "MIF", "change": "over-expression", "level": 3, "cells": "tumour cell", "at": "5 day"},
        ],
        overrides=[{"parameter": "p", "value": "3 um", "at": "2 day", "until": "when n reaches 1"}],
    )
    assert held.standing(0.0) == NOTHING
    assert dict(held.standing(1 * DAY).levels) == {("LOX", ""): 0.5}
    both = held.standing(2 * DAY)
    assert dict(both.levels) == {("LOX", ""): 0.25}
    assert dict(both.overrides) == {"p": "3 um"}
    held.look(3 * DAY, {"n": 1.0, "width": 0.0})
    assert held.standing(3 * DAY).overrides == ()
    assert dict(held.standing(9 * DAY).levels) == {("MIF", "tumour cell"): 3.0}


def test_what_begins_within_a_tick_holds_in_the_tick_of_its_nearest_middle():
    held = protocol(dt=6.0, overrides=[{"parameter": "p", "value": 1.0, "at": "10 h", "until": "20 h"}])
    assert [bool(held.standing(time).overrides) for time in (0.0, 6.0, 12.0, 18.0)] == [False, False, True, False]


def test_an_antibody_leaves_less_of_its_target_at_first_and_more_later():
    antibody = {"target": "CXCL12", "amount": "10 mg/kg", "at": "1 day", "half_life": "2 day", "affinity": "1 nM"}
    held = protocol(antibodies=[antibody])
    free = [dict(held.standing(day * DAY).levels).get(("CXCL12", ""), 1.0) for day in (0, 1, 5, 20, 60)]
    assert free[0] == 1.0
    assert free[1] < 0.01
    assert free[1] < free[2] < free[3] < free[4] <= 1.0
    arm = Arm.model_validate({"name": "a", "antibodies": [antibody]})
    assert free[2] == free_fraction(arm.antibodies[0], [(24.0, 10.0)], 120.0, 132.0)
    assert held.standing(5 * DAY) == held.standing(5 * DAY + 10.0)
    assert held.standing(5 * DAY) != held.standing(5 * DAY + 12.0)
