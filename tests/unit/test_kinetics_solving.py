"""Courses of rate equations: kernels and their slow twin agree, doses act when they should, failures name what failed."""

from __future__ import annotations

import numpy as np
import pytest
from kinetics_systems import bouncing, chain, overdamped, predators, q, reaction, robertson, shuttling, species

from paget.errors import ModelError, NumericalError, UnknownNameError
from paget.kernels import kinetics, kinetics_lanes, reference_kinetics
from paget.signalling.expression import parse
from paget.signalling.kinetics import Event, Kinetics, Rule, advance, equations, start, steady_state

WHY_TOLERANCE = 1e-6  # both sides are solved to 1e-9 per step; stiff courses amplify that by up to a few hundred


def solved(kernel, system, span, cells=3, rtol=1e-9, atol=1e-13):
    """State [n, cells], fate, time and conditions after `span`, by one kernel, with parameters that differ by cell."""
    written = equations(system)
    own = {name: system.values[name].value * np.linspace(0.9, 1.1, cells) for name in system.constants}
    here = start(system, cells, own)
    failure, reached, steps = np.zeros((2, cells), np.int64), np.zeros(cells), np.zeros(cells, np.int64)
    before = (here.state, here.parameters, here.time, np.array([span]), rtol, np.full(len(written.states), atol))
    common = (*before, written.floor, here.step)
    if "side" in kernel.__name__:
        kernel(0, cells, *common, written.program, written.elimination, failure, reached, steps)
    else:
        kernel(0, cells, *common, here.armed, written.program, failure, reached, steps)
    return here.state, failure, reached, here.armed


# ---- the kernels and their twin ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("system", "span"),
    [(chain(), 3.0), (robertson(), 40.0), (predators(), 20.0), (shuttling(), 5.0)],
    ids=lambda given: getattr(given, "name", given),
)
@pytest.mark.parametrize(
    "kernel", [kinetics.advance, kinetics_lanes.advance_side_by_side], ids=["singly", "side by side"]
)
def test_kernels_agree_with_their_twin(system, span, kernel):
    state, failure, reached, _ = solved(kernel, system, span)
    twin, no_failure, _, _ = solved(reference_kinetics.advance, system, span)
    assert not failure[0].any()
    assert not no_failure[0].any()
    assert (reached == span).all()
    np.testing.assert_allclose(state, twin, rtol=WHY_TOLERANCE, atol=1e-11)


def test_events_happen_as_in_the_twin():
    system = bouncing()
    state, failure, _, armed = solved(kinetics.advance, system, 3.0)
    twin, _, _, twin_armed = solved(reference_kinetics.advance, system, 3.0)
    assert not failure[0].any()
    np.testing.assert_allclose(state, twin, atol=1e-6)
    assert (armed == twin_armed).all()


def test_both_kernels_and_the_twin_refuse_a_fall_below_zero_at_the_same_moment():
    system = Kinetics("drained", "h", (species("A", 1.0),), (q("rate", "2"),), rates=(Rule.of("A", "-rate"),))
    for kernel in (kinetics.advance, kinetics_lanes.advance_side_by_side, reference_kinetics.advance):
        _, failure, reached, _ = solved(kernel, system, 3.0)
        assert failure.tolist() == [[kinetics.NEGATIVE] * 3, [0] * 3]
        np.testing.assert_allclose(reached, 1.0 / (2.0 * np.linspace(0.9, 1.1, 3)), rtol=1e-9)


def test_small_pivots_are_exchanged():
    """Taken as they stand on the diagonal they would lose digits; such a lane is solved with exchanges of rows."""
    course = overdamped().solve(np.linspace(0.0, 8.0, 5), rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(course["x"], np.exp(-course.times), rtol=1e-5)
    np.testing.assert_allclose(course["y"][1:], -1e-4 * np.exp(-course.times[1:]), rtol=1e-5)


def test_a_pivot_of_exactly_zero_is_exchanged():
    """The first diagonal element is 1/(h/4) - 16, which a step of a quarter makes zero."""
    rates = (Rule.of("x", "16 * x + y"), Rule.of("y", "-x"))
    free = (species("x", 1.0, nonnegative=False), species("y", 1.0, nonnegative=False))
    never = Event("never", parse("time > 9"), (Rule.of("p", "1"),))
    plain = Kinetics("growth", "", free, rates=rates)
    watched = Kinetics("growth", "", free, (q("p", "0"),), rates=rates, events=(never,))
    ends = []
    for system in (plain, watched):
        cells = start(system, 1)
        cells.step[:] = 0.25
        assert advance(system, cells, 0.25, rtol=1e3) == 1
        ends.append(cells.state[:2, 0])
    np.testing.assert_allclose(ends[0], ends[1], rtol=1e-12)


@pytest.mark.parametrize("system", [chain(), chain(events=(Event("never", parse("A > 2"), (Rule.of("B", "0"),)),))])
def test_a_step_that_errs_too_much_is_taken_again(system):
    """Whatever step is tried first, the error stays near the tolerance."""
    for first in np.geomspace(0.02, 2.0, 25):
        cells = start(system, 1)
        cells.step[:] = first
        advance(system, cells, 2.0, rtol=1e-4, atol=1e-8)
        assert cells.state[0, 0] == pytest.approx(np.exp(-4.0), rel=5e-4)


def test_the_last_step_size_is_tried_first_in_the_next_tick():
    for system in (robertson(), bouncing()):
        cells = start(system, 1)
        advance(system, cells, 0.4)
        forgetful = start(system, 1)
        forgetful.state[:], forgetful.armed[:] = cells.state, cells.armed
        assert advance(system, cells, 0.01) < advance(system, forgetful, 0.01)


# ---- exact solutions --------------------------------------------------------------------------------------------------
def test_a_chain_decays_as_its_closed_form():
    times = np.linspace(0.0, 8.0, 30)
    course = chain().solve(times)
    np.testing.assert_allclose(course["A"], np.exp(-2.0 * times), rtol=1e-6)
    np.testing.assert_allclose(course["B"], 2.0 / 1.5 * (np.exp(-0.5 * times) - np.exp(-2.0 * times)), rtol=1e-6)


def test_a_ball_bounces_when_it_should():
    fall = np.sqrt(2.0 / 10.0)
    times = np.array([0.0, 0.5 * fall, 1.5 * fall, 2.0 * fall, 10.0 * fall])
    course = bouncing().solve(times)
    np.testing.assert_allclose(course["height"], [1.0, 0.75, 0.75, 1.0, 1.0], rtol=1e-9)


def test_time_in_a_rate_is_the_time():
    system = Kinetics("clock", "h", (species("A", 0.0),), rates=(Rule.of("A", "1 + cos(time)"),))
    times = np.linspace(0.0, 6.0, 7)
    np.testing.assert_allclose(system.solve(times)["A"], times + np.sin(times), rtol=1e-8)
    later = times + 3.0
    np.testing.assert_allclose(
        system.solve(later)["A"], later + np.sin(later) - 3.0 - np.sin(3.0), rtol=1e-7, atol=1e-12
    )


def test_amounts_are_conserved_between_compartments_of_different_size():
    course = shuttling().solve(np.linspace(0.0, 50.0, 11))
    np.testing.assert_allclose(course["total"], 12.0, rtol=1e-9)
    assert course["inside"][-1] > course["outside"][-1]


def test_events_that_set_off_one_another_end_or_are_an_error():
    def system(*events):
        return Kinetics(
            "relay", "h", (species("A", 0.0),), (q("p", "0"), q("r", "0")), rates=(Rule.of("A", "1"),), events=events
        )

    first = Event("first", parse("A > 1"), (Rule.of("p", "1"),))
    second = Event("second", parse("p > 0"), (Rule.of("r", "p + 1"),))
    course = system(first, second).solve([0.0, 0.9, 1.1])
    assert course["r"].tolist() == [0.0, 0.0, 2.0]
    forth, back = (
        Event("forth", parse("p > 0"), (Rule.of("p", "0"),)),
        Event("back", parse("p < 1"), (Rule.of("p", "1"),)),
    )
    with pytest.raises(NumericalError, match="events set off one another without end"):
        system(first, forth, back).solve([0.0, 2.0])


def test_an_event_whose_trigger_holds_at_the_start_waits_unless_it_counts_as_new():
    for initially, after in ((True, 0.0), (False, 5.0)):
        event = Event("e", parse("A >= 1"), (Rule.of("p", "5"),), initially)
        system = Kinetics("s", "", (species("A", 1.0),), (q("p", "0"),), rates=(Rule.of("A", "1"),), events=(event,))
        assert system.solve([0.0, 1.0])["p"][-1] == after


# ---- changes ----------------------------------------------------------------------------------------------------------
def test_doses_act_from_their_moment_on():
    system = Kinetics(
        "drug", "h", (species("A", 0.0),), (q("in_", "0"), q("out", "1")), rates=(Rule.of("A", "in_ - out * A"),)
    )
    times = np.array([0.0, 1.0, 1.5, 2.0, 3.0])
    course = system.solve(times, changes={"in_": [(1.0, 2.0), ("2 h", 0.0)]})
    top = 2.0 * (1.0 - np.exp(-1.0))
    wanted = [0.0, 0.0, 2.0 * (1.0 - np.exp(-0.5)), top, top * np.exp(-1.0)]
    np.testing.assert_allclose(course["A"], wanted, rtol=1e-7, atol=1e-12)


def test_a_dose_before_the_start_is_there_from_the_start():
    assert chain().solve([1.0, 2.0], changes={"k1": [(0.0, 0.0)]})["A"].tolist() == [1.0, 1.0]


def test_text_names_its_own_unit():
    slow = chain().solve([0.0, 1.0], changes={"k1": "48 1/day"})
    np.testing.assert_array_equal(slow["A"], chain().solve(["0 min", "60 min"])["A"])


def test_numbers_may_differ_between_cells():
    rates = np.array([0.5, 1.0, 2.0])
    course = chain().solve([0.0, 1.0], changes={"k1": rates})
    np.testing.assert_allclose(course["A"][-1], np.exp(-rates), rtol=1e-7)
    frame = course.to_frame()
    assert frame.loc[(1.0, 2), "A"] == course["A"][-1, 2]
    assert list(chain().solve([0.0, 1.0]).to_frame().columns) == ["A", "B"]


def test_an_initial_value_by_formula_follows_what_it_depends_on_until_it_is_given():
    system = chain(initials=(Rule.of("B", "3 * A"),))
    assert system.solve([0.0], changes={"A": 2.0})["B"][0] == 6.0
    assert system.solve([0.0], changes={"A": 2.0, "B": 1.0})["B"][0] == 1.0


def test_all_impossible_changes_are_told_at_once():
    changes = {
        "k3": 1.0,
        "total": 2.0,
        "vmax": "3 nM",
        "outside": [(0.0, 1.0)],
        "cytoplasm": [(0.0, 1.0)],
        "half": np.ones(2),
        "leak": np.ones(3),
    }
    with pytest.raises(ModelError) as caught:
        shuttling().solve([0.0], changes=changes)
    assert [one.split(":")[0].split(" '")[0] for one in caught.value.problems] == [
        "Unknown species, parameter or compartment",
        "total",
        "vmax",
        "outside",
        "cytoplasm",
        "arrays have one number for each cell, and so the same length, not [2, 3]",
    ]


@pytest.mark.parametrize(("times", "options"), [([], {}), ([1.0, 1.0], {}), ([0.0, 1.0], {"rtol": 0.0})])
def test_times_increase_and_tolerances_are_above_zero(times, options):
    with pytest.raises(ModelError, match=r"must increase|must be above zero"):
        chain().solve(times, **options)


def test_an_unknown_engine_or_name_gets_a_suggestion():
    with pytest.raises(UnknownNameError, match="Did you mean 'roadrunner'"):
        chain().solve([0.0], engine="roadruner")
    with pytest.raises(UnknownNameError, match="Unknown state or assigned name"):
        chain().solve([0.0])["C"]


# ---- failures ---------------------------------------------------------------------------------------------------------
def test_a_failure_names_state_time_and_cell_and_leaves_the_others_advanced():
    system = Kinetics("drained", "h", (species("A", 1.0),), (q("rate", "0"),), rates=(Rule.of("A", "-rate"),))
    cells = start(system, 3, {"rate": np.array([0.1, 2.0, 0.2])})
    with pytest.raises(NumericalError, match=r"'drained': 'A' would fall below zero; .* at time 0.5 h in cell 1"):
        advance(system, cells, 1.0)
    np.testing.assert_allclose(cells.state[0], [0.9, 0.0, 0.8], atol=1e-9)
    np.testing.assert_allclose(cells.time, [1.0, 0.5, 1.0])


def test_a_rate_that_is_not_finite_is_told():
    system = Kinetics("root", "h", (species("A", 0.0),), rates=(Rule.of("A", "1 / A"),))
    with pytest.raises(
        NumericalError, match="the rate of 'A', or a derivative of it, is not finite, at time 0 h in cell 0"
    ):
        system.solve([0.0, 1.0])


def test_a_course_that_runs_away_is_told():
    system = Kinetics("burst", "h", (species("A", 1.0),), rates=(Rule.of("A", "A ** 2"),))
    with pytest.raises(NumericalError, match=r"'burst'.* at time (1|0\.99999\d*) h in cell 0"):
        system.solve([0.0, 2.0])


# ---- rest -------------------------------------------------------------------------------------------------------------
def test_a_steady_state_keeps_what_is_conserved():
    rest = shuttling().steady_state()
    assert rest["outside"] * 4.0 + rest["inside"] * 0.5 == pytest.approx(12.0, rel=1e-12)
    x = rest["outside"]
    assert 4.0 * 1.5 * 2.0 * x**2 / (4.0 + x**2) == pytest.approx(0.5 * 0.1 * rest["inside"], rel=1e-10)
    assert rest.stable


def test_a_state_of_rest_that_disturbances_leave_is_not_called_stable():
    system = Kinetics("saddle", "", (species("A", 0.0, nonnegative=False),), rates=(Rule.of("A", "A"),))
    assert not system.steady_state().stable


def test_systems_without_rest_are_told():
    with pytest.raises(NumericalError, match="'predators' did not come to rest"):
        steady_state(predators())
    system = Kinetics("clock", "h", (species("A", 0.0),), rates=(Rule.of("A", "cos(time)"),))
    with pytest.raises(ModelError, match="depend on time"):
        system.steady_state()


def test_a_system_without_anything_that_changes_has_constant_courses():
    system = Kinetics("still", "h", (species("A", 2.0),), reactions=(reaction("none", "", "", "A"),))
    assert system.solve([0.0, 1.0]).names == ()
