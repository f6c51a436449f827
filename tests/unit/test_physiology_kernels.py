"""Volumes, cycles and exchange, kernel by kernel: exact solutions, exact moments, and the published numbers."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from physiology_cells import COMPILED, KEY, cells, cycled, volumes
from scipy.integrate import quad, solve_ivp

from paget.kernels import physiology, walk
from paget.kernels import reference_physiology as reference

both = pytest.mark.parametrize("kernels", [COMPILED, reference], ids=["compiled", "reference"])

# Rates in 1/h of the reference cell: fluid, cytoplasm, nucleus, calcium, and the fluid fraction; by stage of dying.
PUBLISHED = np.array(
    [
        [3.0, 0.27, 0.33, 0.0, 0.75],
        [3.0, 1.0, 0.35, 0.0, 0.0],
        [0.67, 0.0032, 0.13, 0.0, 1.0],
        [0.05, 0.0032, 0.13, 0.0, 0.0],
    ]
)
MINUTES = 60.0


def _public_kernels():
    for module in (physiology, walk):
        for name, value in vars(module).items():
            function = getattr(value, "py_func", None) or getattr(getattr(value, "serial", None), "py_func", None)
            if function is not None and not name.startswith("_") and function.__module__ == module.__name__:
                yield name, function


def test_every_kernel_has_a_twin_with_the_same_arguments():
    found = dict(_public_kernels())
    assert set(found) == set(reference.__all__)
    for name, function in found.items():
        twin = inspect.signature(getattr(reference, name))
        assert list(inspect.signature(function).parameters) == list(twin.parameters), name


def resting(n=1, death=0):
    """Reference cells at rest, or that were so when they began to die."""
    c = cells(0, n)
    c.kind, c.death, c.owed = np.zeros(n, np.int64), np.full(n, death), np.zeros(n)
    c.fluid, c.cytoplasm, c.nucleus = np.full(n, 1870.5), np.full(n, 488.5), np.full(n, 135.0)
    c.cytoplasm_target, c.nucleus_target, c.nuclear_volume = np.full(n, 488.5), np.full(n, 135.0), np.full(n, 540.0)
    c.calcified, c.rupture, c.volume_rates = np.zeros(n), np.full(n, 4988.0), PUBLISHED
    return c


def course(kernels, death, hours, dt=0.1, euler=False):
    """Volume after every tick, and the time and volume at which a swelling cell bursts."""
    c, volume, burst = resting(death=death), [], None
    for tick in range(round(hours / dt)):
        out, rings, _ = volumes(kernels, c, dt, euler)
        c.fluid, c.cytoplasm, c.nucleus, c.nuclear_volume = out[0], out[1], out[2], out[3]
        volume.append(out[4, 0])
        if np.isfinite(rings[0]):
            burst = (tick * dt + rings[0], out[4, 0])
            c.death = np.array([3])
    return np.array(volume), burst


# ---- volume -----------------------------------------------------------------------------------------------------
@both
@pytest.mark.parametrize(("a", "b"), [(2.0, 0.5), (0.5, 2.0), (1.0, 1.0), (1.0, 1.0 + 1e-13), (0.0, 0.0), (0.0, 3.0)])
def test_overlap_is_the_integral_that_it_stands_for_also_at_equal_rates(kernels, a, b):
    expected = quad(lambda s: np.exp(-a * (1.7 - s) - b * s), 0.0, 1.7)[0]
    assert kernels.overlap(a, b, 1.7) == pytest.approx(expected, rel=1e-11)


@both
def test_a_resting_cell_keeps_its_volume(kernels):
    out, rings, _ = volumes(kernels, resting(), 5.0)
    assert out[:, 0] == pytest.approx([1870.5, 488.5, 135.0, 540.0, 2494.0, 0.0, 8.41271], rel=1e-6)
    assert np.isinf(rings).all()


@both
def test_volumes_follow_their_differential_equations(kernels):
    c = cells(3, 10)
    c.rupture[:] = np.inf
    out, _, _ = volumes(kernels, c, 0.7)
    for i in range(10):
        r = c.volume_rates[4 * c.kind[i] + c.death[i]]
        aims = (c.cytoplasm_target[i], c.nucleus_target[i]) if c.death[i] == 0 else (0.0, 0.0)

        def slope(_, y, r=r, aims=aims):
            return [r[0] * (r[4] * sum(y) - y[0]), r[1] * (aims[0] - y[1]), r[2] * (aims[1] - y[2])]

        start = [c.fluid[i], c.cytoplasm[i], c.nucleus[i]]
        end = solve_ivp(slope, (0.0, 0.7 + c.owed[i]), start, rtol=1e-11, atol=1e-9).y[:, -1]
        assert out[:3, i] == pytest.approx(end, rel=1e-8)


@both
def test_a_swelling_cell_bursts_at_its_rupture_volume_whatever_the_tick(kernels):
    moments = [course(kernels, 2, 8.0, dt)[1][0] for dt in (0.05, 0.1, 0.5)]
    assert moments == pytest.approx([moments[0]] * 3, rel=1e-9)
    rates, state = PUBLISHED[2], (1870.5, 488.5, 135.0)
    f, c, n = kernels.grown(*state, 0.0, 0.0, kernels.volume_weights(rates, moments[0]))
    assert f + c + n == pytest.approx(4988.0, rel=1e-9)
    assert moments[0] * MINUTES == pytest.approx(403.504, abs=1e-3)


@both
def test_after_bursting_a_cell_lives_the_rest_of_the_tick_as_a_lysed_one(kernels):
    c = resting(death=2)
    out, rings, left = volumes(kernels, c, 10.0)
    assert rings[0] + left[0] == pytest.approx(10.0)
    state = kernels.grown(1870.5, 488.5, 135.0, 0.0, 0.0, kernels.volume_weights(PUBLISHED[2], rings[0]))
    expected = kernels.grown(*state, 0.0, 0.0, kernels.volume_weights(PUBLISHED[3], left[0]))
    assert out[:3, 0] == pytest.approx(expected, rel=1e-9)


def test_the_explicit_scheme_gives_the_published_volumes():
    # Printed to the unit (um3) and the step (6 min): necrosis bursts at 408 min with 5016 um3, and has 227 um3 at 10 days.
    volume, burst = course(COMPILED, 2, 240.0, euler=True)
    assert round(burst[0] * MINUTES) == 408
    assert round(burst[1]) == 5016
    assert round(volume[-1]) == 227
    # Apoptosis has 5.9 um3 after 88 steps; 86 of them make the 516 min of its duration.
    shrinking, _ = course(COMPILED, 1, 9.0, euler=True)
    assert round(shrinking[87], 1) == 5.9
    assert shrinking[85] == pytest.approx(6.362, abs=5e-4)


def test_the_explicit_scheme_converges_to_the_exact_solution():
    exact, _ = course(COMPILED, 1, 3.0)
    errors = [abs(course(COMPILED, 1, 3.0, dt, euler=True)[0][-1] - exact[-1]) for dt in (0.05, 0.025, 0.0125)]
    assert errors[0] / errors[1] == pytest.approx(2.0, abs=0.15)  # first order
    assert errors[1] / errors[2] == pytest.approx(2.0, abs=0.1)


@both
def test_a_vanished_cell_has_no_nucleus_and_no_radius(kernels):
    c = resting(death=1)
    c.fluid, c.cytoplasm, c.nucleus = np.zeros(1), np.zeros(1), np.zeros(1)
    out, _, _ = volumes(kernels, c, 0.1)
    assert not out.any()


# ---- rates ------------------------------------------------------------------------------------------------------
@both
def test_a_ramp_rises_or_falls_between_its_ends_and_spares_types_without_one(kernels):
    out, value = np.full(5, 2.0), np.array([4.0, 10.0, 21.5, 50.0, 1.0])
    kernels.scale_by_ramp(value, np.array([0, 0, 0, 0, 1]), np.array([5.0, np.nan]), np.array([38.0, np.nan]), out)
    assert out == pytest.approx([0.0, 2.0 * 5 / 33, 1.0, 2.0, 2.0])
    falling = np.ones(3)
    kernels.scale_by_ramp(np.array([6.0, 4.0, 1.0]), np.zeros(3, np.int64), np.array([5.0]), np.array([2.5]), falling)
    assert falling == pytest.approx([0.0, 0.4, 1.0])


@both
def test_a_phase_of_no_rate_is_never_left_and_one_overdue_at_once(kernels):
    assert kernels.time_to_leave(0.0, True, 5.0, 0.3) == kernels.time_to_leave(0.0, False, 5.0, 0.3) == np.inf
    assert kernels.time_to_leave(0.5, True, 5.0, 0.3) == 0.0
    assert kernels.time_to_leave(0.5, True, 0.5, 0.3) == 1.5
    assert kernels.time_to_leave(0.5, False, 5.0, 0.3) == pytest.approx(0.6)


@both
@pytest.mark.parametrize(("value", "expected"), [(4.0, 0.0), (5.0, 0.0), (21.5, 0.5), (38.0, 1.0), (90.0, 1.0)])
def test_a_ramp_is_flat_beyond_its_ends(kernels, value, expected):
    assert kernels.ramp(value, 5.0, 38.0) == pytest.approx(expected)
    assert kernels.ramp(value, 38.0, 5.0) == pytest.approx(1.0 - expected)


# ---- cycle ------------------------------------------------------------------------------------------------------
def ring(n, rates, fixed, grows=1, divides=None):
    """Cells of one type with a cycle of these phases, at its beginning."""
    c, length = cells(0, n), len(rates)
    c.kind, c.death, c.owed = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n)
    c.phase, c.phase_time, c.scale = np.zeros(n, np.int64), np.zeros(n), np.ones(n)
    c.budget, c.count, c.which = np.full(n, np.nan), np.zeros(n, np.int64), np.full(length, -1)
    c.cycle_rates, c.lengths = np.array([rates], dtype=float), np.array([length])
    c.flags = np.array([[physiology.FIXED * bool(f) for f in fixed]])
    c.flags[0, grows % length] |= physiology.GROWS
    c.flags[0, length - 1 if divides is None else divides] |= physiology.DIVIDES
    return c


def until_division(kernels, c, dt, most=1000):
    """Time of division of the cells, taken from tick to tick."""
    time = np.full(c.kind.size, np.inf)
    for tick in range(most):
        c.phase, (c.phase_time, c.cytoplasm_target, c.nucleus_target), rings, _, c.budget, c.count = cycled(
            kernels, c, dt
        )
        c.owed = np.zeros(c.kind.size)
        fresh = np.isfinite(rings) & np.isinf(time)
        time[fresh] = tick * dt + rings[fresh]
        if np.isfinite(time).all():
            break
    return time


@both
@pytest.mark.parametrize("dt", [0.1, 0.7, 5.0, 20.0])
def test_fixed_phases_last_exactly_as_long_as_they_should_at_any_tick(kernels, dt):
    c = ring(1, [1 / 7, 1 / 6, 1 / 3, 1 / 2], [True] * 4)
    assert until_division(kernels, c, dt)[0] == pytest.approx(18.0, abs=1e-9)


def test_phases_of_random_duration_end_at_the_same_moment_at_any_tick():
    rates, fixed = [0.2, 0.125, 0.25, 1.0], [False, True, False, False]
    times = [until_division(COMPILED, ring(200, rates, fixed), dt) for dt in (0.05, 0.4, 100.0)]
    assert np.allclose(times[0], times[1], rtol=1e-9)
    assert np.allclose(times[0], times[2], rtol=1e-9)


@both
def test_targets_double_on_entering_the_phase_that_grows_and_not_again(kernels):
    c = ring(1, [1.0, 0.5], [True, True])
    c.nucleus_target[:] = 100.0
    _, out, rings, *_ = cycled(kernels, c, 1.5)
    assert out[2, 0] == 200.0
    assert np.isinf(rings[0])


@both
def test_a_daughter_lives_what_she_owes_first(kernels):
    c = ring(1, [1.0, 0.5], [True, True])
    c.owed[:] = 0.25
    phase, out, *_ = cycled(kernels, c, 1.0)
    assert phase[0] == 1
    assert out[0, 0] == pytest.approx(0.25)


@both
def test_a_division_in_owed_time_comes_before_the_tick_and_leaves_more_than_a_tick(kernels):
    c = ring(1, [5.0], [True], grows=0)
    c.owed[:] = 0.3
    _, _, rings, left, *_ = cycled(kernels, c, 0.1)
    assert rings[0] == pytest.approx(-0.1)
    assert left[0] == pytest.approx(0.2)


@both
def test_a_division_that_was_not_carried_out_is_still_due(kernels):
    c = ring(2, [1.0, 1.0], [True, False])
    c.phase[:], c.budget[:] = (1, 1), (0.05, 0.05)
    c.phase, (c.phase_time, *_), first, _, c.budget, c.count = cycled(kernels, c, 0.1)
    assert first == pytest.approx([0.05, 0.05])
    assert cycled(kernels, c, 0.1)[2] == pytest.approx([0.0, 0.0])


@both
def test_the_dead_and_types_without_a_cycle_do_not_cycle(kernels):
    c = ring(2, [10.0], [True], grows=0)
    c.death[:] = (1, 0)
    c.lengths = np.array([1])
    assert np.isinf(cycled(kernels, c, 1.0)[2][0])
    assert np.isfinite(cycled(kernels, c, 1.0)[2][1])
    c.lengths = np.array([0])
    assert np.isinf(cycled(kernels, c, 1.0)[2]).all()


@both
def test_want_of_oxygen_holds_cells_in_the_first_phase_alone(kernels):
    c = ring(2, [1.0, 1.0], [False, False])
    c.scale[:], c.budget[:], c.phase[:] = 0.0, 0.5, (0, 1)
    assert np.isinf(cycled(kernels, c, 5.0)[2][0])
    assert cycled(kernels, c, 5.0)[2][1] == pytest.approx(0.5)


def test_budgets_are_those_of_the_engines_clocks():
    from paget.kernels.philox import spend_hazard

    budget = np.full(1, np.nan)
    spend_hazard(budget, np.array([4]), np.array([0]), np.array([99], np.uint64), np.zeros(1), 0.1, KEY)
    assert physiology.hazard_budget(KEY, np.uint64(99), 4) == budget[0]


# ---- exchange ---------------------------------------------------------------------------------------------------
@both
def test_cells_exchange_in_proportion_to_their_volume_and_the_dying_a_tenth_of_their_uptake(kernels):
    rates = np.array([[2.0, 30.0, 4.0, 5.0, 6.0]])
    amounts, clearances, most = np.empty((3, 2))
    none = np.empty((0, 2))
    kernels.exchanged(
        np.zeros(2, np.int64), np.array([0, 1]), np.array([0.5, 0.5]), rates, none, np.full(5, -1), 0.1,
        amounts, clearances, most,
    )  # fmt: skip
    assert amounts == pytest.approx([0.5 * 60.0 + 5.0, 0.0])
    assert clearances == pytest.approx([0.5 * 6.0, 0.5 * 0.4])
    assert most == pytest.approx([3.0, 0.3])


@both
def test_own_rates_of_cells_take_the_place_of_those_of_their_type(kernels):
    rates, own = np.array([[0.0, 0.0, 4.0, 0.0, 0.0]]), np.array([[1.0, 7.0]])
    amounts, clearances, most = np.empty((3, 2))
    kernels.exchanged(
        np.zeros(2, np.int64), np.zeros(2, np.int64), np.ones(2), rates, own, np.array([-1, -1, 0, -1, -1]), 0.1,
        amounts, clearances, most,
    )  # fmt: skip
    assert clearances == pytest.approx([1.0, 7.0])
