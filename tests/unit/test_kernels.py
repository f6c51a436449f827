"""Every kernel and its reference twin pass the same tests, and agree with each other on arbitrary input."""

from __future__ import annotations

import inspect
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import solve_ivp

from paget.kernels import philox, reference, switch, voxels

COMPILED = SimpleNamespace(
    philox4x32=lambda *words: tuple(int(w) for w in philox.philox4x32(*(np.uint64(w) for w in words))),
    **{n: getattr(philox, n) for n in ("uniforms", "normals", "spend_hazard", "spend_hazard_repeatedly")},
    **{n: getattr(voxels, n) for n in ("voxel_of", "deposit", "gather", "gradient")},
    fak_erk=switch.fak_erk,
)
both = pytest.mark.parametrize("kernels", [COMPILED, reference], ids=["compiled", "reference"])
CLOSED = (False, False, False)
few = settings(max_examples=25, deadline=None)
seeds = st.integers(0, 2**32 - 1)

KEY = np.uint64(0x0123456789ABCDEF)
FALSE_ALARM = 1e-4  # probability with which one of the statistical tests fails on correct code; seeds are fixed


def test_every_public_kernel_has_a_twin():
    modules = (philox, voxels, switch)
    public = {
        name
        for module in modules
        for name, value in vars(module).items()
        if hasattr(value, "py_func") and not name.startswith("_")
    }
    assert public == set(reference.__all__)


def test_twins_take_the_arguments_of_their_kernels():
    for module in (philox, voxels, switch):
        for name, value in vars(module).items():
            if hasattr(value, "py_func") and not name.startswith("_"):
                twin = inspect.signature(getattr(reference, name))
                assert list(inspect.signature(value.py_func).parameters) == list(twin.parameters), name


# ---- chance -----------------------------------------------------------------------------------------------------
@both
@pytest.mark.parametrize(
    ("counter", "key", "answer"),
    [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_philox_gives_the_known_answers_of_random123(kernels, counter, key, answer):
    assert kernels.philox4x32(*counter, *key) == answer


@few
@given(seed=seeds, step=st.integers(-1, 2**31), columns=st.integers(1, 5))
def test_random_numbers_of_both_implementations_agree(seed, step, columns):
    ids = np.random.default_rng(seed).integers(0, 2**64, 7, dtype=np.uint64)
    key = np.uint64(seed * 2654435761)
    assert np.array_equal(COMPILED.uniforms(key, ids, step, columns), reference.uniforms(key, ids, step, columns))
    # Logarithm and cosine may differ in the last place between libraries.
    assert np.allclose(
        COMPILED.normals(key, ids, step, columns), reference.normals(key, ids, step, columns), rtol=1e-12, atol=1e-14
    )


@both
def test_random_numbers_depend_on_key_cell_step_and_draw_alone(kernels):
    ids = np.array([3, 5, 2**63 + 1], np.uint64)
    found = kernels.uniforms(KEY, ids, 4, 3)
    assert np.array_equal(kernels.uniforms(KEY, ids[::-1].copy(), 4, 3), found[::-1])
    assert np.array_equal(kernels.uniforms(KEY, ids[1:2], 4, 2), found[1:2, :2])
    changed = [kernels.uniforms(KEY + np.uint64(1), ids, 4, 3), kernels.uniforms(KEY, ids, 5, 3)]
    assert len(np.unique(np.concatenate([found, *changed]))) == 27


@both
def test_a_number_for_life_is_none_of_the_numbers_of_ticks(kernels):
    ids = np.arange(5, dtype=np.uint64)
    for_life = kernels.uniforms(KEY, ids, -1, 2)
    assert not np.isin(for_life, [kernels.uniforms(KEY, ids, tick, 2) for tick in range(10)]).any()


def test_uniforms_are_uniform_and_independent_between_neighbouring_cells():
    u = philox.uniforms(KEY, np.arange(50_000, dtype=np.uint64), 0, 2)
    assert stats.kstest(u.ravel(), "uniform").pvalue > FALSE_ALARM
    assert stats.pearsonr(u[:, 0], u[:, 1]).pvalue > FALSE_ALARM
    assert stats.pearsonr(u[:-1, 0], u[1:, 0]).pvalue > FALSE_ALARM


def test_normals_are_normal_in_every_column():
    z = philox.normals(KEY, np.arange(30_000, dtype=np.uint64), 7, 3)
    for column in z.T:
        assert stats.kstest(column, "norm").pvalue > FALSE_ALARM
    assert stats.pearsonr(z[:, 0], z[:, 1]).pvalue > FALSE_ALARM


# ---- clocks -----------------------------------------------------------------------------------------------------
def _run(kernels, rates, dt, ticks, n=1, key=KEY):
    """Time of the first ring of `n` clocks at a hazard that is a function of time, and the budgets left."""
    budget, count = np.full(n, np.nan), np.zeros(n, np.int64)
    rows, ids = np.arange(n), np.arange(n, dtype=np.uint64)
    rang = np.full(n, np.inf)
    for tick in range(ticks):
        waiting = np.flatnonzero(np.isinf(rang))
        rings = kernels.spend_hazard(
            budget, count, rows[waiting], ids[waiting], np.full(waiting.size, rates(tick * dt)), dt, key
        )
        rang[waiting] = np.where(np.isfinite(rings), tick * dt + rings, np.inf)
    return rang, budget


def test_waiting_times_at_a_constant_hazard_are_exponential():
    rang, _ = _run(COMPILED, lambda t: 0.25, 1.0, 200, n=10_000)
    assert np.isfinite(rang).all()
    assert stats.kstest(rang, "expon", args=(0, 4.0)).pvalue > FALSE_ALARM


def test_waiting_times_at_a_changing_hazard_follow_its_integral():
    rang, _ = _run(COMPILED, lambda t: 0.1 if t < 5 else 0.5, 1.0, 100, n=10_000)
    spent = np.where(rang < 5, 0.1 * rang, 0.5 + 0.5 * (rang - 5))
    assert stats.kstest(spent, "expon").pvalue > FALSE_ALARM


@both
def test_the_moment_of_ringing_does_not_depend_on_the_tick(kernels):
    whole, _ = _run(kernels, lambda t: 0.3, 2.0, 20, n=50)
    half, _ = _run(kernels, lambda t: 0.3, 1.0, 40, n=50)
    odd, _ = _run(kernels, lambda t: 0.3, 0.4, 100, n=50)
    assert np.isfinite(whole).sum() > 40
    assert np.allclose(whole, half, rtol=1e-12)
    assert np.allclose(whole, odd, rtol=1e-12)


@both
def test_a_clock_without_hazard_never_rings_and_keeps_its_budget(kernels):
    rang, budget = _run(kernels, lambda t: 0.0, 1.0, 5, n=3)
    assert np.isinf(rang).all()
    assert (budget > 0.0).all()
    spent, _ = _run(kernels, lambda t: 0.0 if t < 5 else 1.0, 1.0, 60, n=3)
    assert np.allclose(spent, 5.0 + budget, rtol=1e-12)


@both
def test_a_clock_with_an_empty_budget_rings_at_once_under_any_hazard(kernels):
    budget, count = np.array([0.0, 0.0]), np.zeros(2, np.int64)
    rings = kernels.spend_hazard(
        budget, count, np.arange(2), np.arange(2, dtype=np.uint64), np.array([1e-6, 0.0]), 1.0, KEY
    )
    assert rings.tolist() == [0.0, np.inf]


def test_clocks_that_start_anew_give_poisson_counts():
    n, rate, dt, ticks = 10_000, 0.7, 2.0, 3
    budget, count = np.full(n, np.nan), np.zeros(n, np.int64)
    rows, ids = np.arange(n), np.arange(n, dtype=np.uint64)
    total = sum(
        philox.spend_hazard_repeatedly(budget, count, rows, ids, np.full(n, rate), dt, KEY) for _ in range(ticks)
    )
    assert np.array_equal(total, count)
    classes = np.arange(12)
    observed = np.array([(total == k).sum() for k in classes[:-1]] + [(total >= classes[-1]).sum()])
    expected = stats.poisson.pmf(classes, rate * dt * ticks)
    expected[-1] = stats.poisson.sf(classes[-2], rate * dt * ticks)
    assert stats.chisquare(observed, n * expected).pvalue > FALSE_ALARM


@both
def test_a_repeated_clock_rings_as_often_in_one_long_tick_as_in_many_short_ones(kernels):
    def rung(dt, ticks):
        budget, count = np.full(20, np.nan), np.zeros(20, np.int64)
        for _ in range(ticks):
            kernels.spend_hazard_repeatedly(
                budget, count, np.arange(20), np.arange(20, dtype=np.uint64), np.full(20, 0.9), dt, KEY
            )
        return count

    assert rung(8.0, 1).sum() > 50
    assert np.array_equal(rung(8.0, 1), rung(1.0, 8))


@few
@given(seed=seeds, dt=st.floats(0.1, 5.0))
def test_clocks_of_both_implementations_agree(seed, dt):
    rng = np.random.default_rng(seed)
    n = 12
    rows = np.sort(rng.choice(20, n, replace=False))
    ids = rng.integers(0, 2**64, n, dtype=np.uint64)
    rates = rng.choice([0.0, 1e-3, 0.4, 3.0], n)
    start = np.where(rng.random(20) < 0.5, np.nan, rng.exponential(size=20) - 0.2)
    rung = rng.integers(0, 5, 20)
    outcomes = []
    for kernels in (COMPILED, reference):
        for name in ("spend_hazard", "spend_hazard_repeatedly"):
            budget, count = start.copy(), rung.copy()
            rang = getattr(kernels, name)(budget, count, rows, ids, rates, dt, KEY)
            outcomes.append((rang, budget, count))
    for compiled, twin in zip(outcomes[:2], outcomes[2:], strict=True):
        for mine, other in zip(compiled, twin, strict=True):
            assert np.allclose(mine, other, rtol=1e-12, atol=1e-12, equal_nan=True)


# ---- cells and voxels -------------------------------------------------------------------------------------------
@both
def test_a_cell_on_the_upper_wall_belongs_to_the_last_voxel(kernels):
    position = np.array([[0.0, 19.999, 20.0, 60.0], [0.0, 0.0, 20.0, 40.0], [0.0, 0.0, 0.0, 20.0]])
    assert kernels.voxel_of(position, (20.0, 20.0, 20.0), (1, 2, 3), CLOSED).tolist() == [0, 0, 4, 5]


@both
def test_deposits_in_one_voxel_add_up(kernels):
    total = np.ones(3)
    kernels.deposit(total, np.array([1, 1, 2]), np.array([0.5, 0.25, 3.0]))
    assert total.tolist() == [1.0, 1.75, 4.0]
    assert kernels.gather(total, np.array([2, 0, 2])).tolist() == [4.0, 1.0, 4.0]


@both
def test_the_gradient_of_a_ramp_is_its_slope_and_half_of_it_at_a_wall(kernels):
    z, y, x = np.meshgrid(np.arange(4.0), np.arange(5.0), np.arange(6.0), indexing="ij")
    ramp = 10.0 * (1.0 * x + 2.0 * y - 3.0 * z)
    inside = np.ravel_multi_index((2, 2, 3), ramp.shape)
    corner = np.ravel_multi_index((0, 4, 0), ramp.shape)
    slope = kernels.gradient(ramp, np.array([inside, corner]), (10.0, 10.0, 10.0), CLOSED)
    assert np.allclose(slope[:, 0], [1.0, 2.0, -3.0])
    assert np.allclose(slope[:, 1], [0.5, 1.0, -1.5])


@both
def test_a_section_has_no_gradient_across_it(kernels):
    field = np.random.default_rng(1).random((1, 4, 4))
    assert (kernels.gradient(field, np.arange(16), (5.0, 5.0, 5.0), CLOSED)[2] == 0.0).all()


@few
@given(
    seed=seeds,
    shape=st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(1, 6)),
    periodic=st.tuples(st.booleans(), st.booleans(), st.booleans()),
)
def test_voxels_of_both_implementations_agree(seed, shape, periodic):
    rng = np.random.default_rng(seed)
    h = (20.0, 10.0, 5.0)
    position = rng.uniform(-0.2, 1.2, (3, 30)) * (np.array(h) * np.array(shape[::-1]))[:, None]
    where = COMPILED.voxel_of(position, h, shape, periodic)
    assert np.array_equal(where, reference.voxel_of(position, h, shape, periodic))
    field, amounts = rng.random(shape), rng.random(30)
    assert np.allclose(COMPILED.gradient(field, where, h, periodic), reference.gradient(field, where, h, periodic))
    totals = [np.zeros(field.size), np.zeros(field.size)]
    for kernels, total in zip((COMPILED, reference), totals, strict=True):
        kernels.deposit(total, where, amounts)
    assert np.allclose(*totals, rtol=1e-14)
    assert np.isclose(totals[0].sum(), amounts.sum(), rtol=1e-13)


# ---- the switch -------------------------------------------------------------------------------------------------
SHAPE = (0.1, 0.4, 0.5, 0.7, 0.4, 4.0)  # rates of FAK and ERK in 1/h, drive, feedback, half, power


def _switch(kernels, fak, erk, integrin, tonic=0.05, inhibition=0.0, dt=2.0, steps=8, ticks=1):
    fak, erk = np.atleast_1d(np.array(fak, float)), np.atleast_1d(np.array(erk, float))
    level = np.full(fak.size, float(integrin))
    for _ in range(ticks):
        kernels.fak_erk(fak, erk, level, np.full(fak.size, tonic), inhibition, dt, *SHAPE, steps)
    return fak, erk


@both
def test_the_switch_follows_its_equations(kernels):
    fak_rate, erk_rate, drive, feedback, half, power = SHAPE

    def slopes(_, state):
        f, e = state
        sustained = feedback * e**power / (half**power + e**power)
        return [fak_rate * (0.9 * 0.7 - f), erk_rate * (0.05 + drive * f + sustained - e)]

    exact = solve_ivp(slopes, (0, 10), [0.1, 0.2], rtol=1e-11, atol=1e-12).y[:, -1]
    fak, erk = _switch(kernels, 0.1, 0.2, 0.7, inhibition=0.1, ticks=5)
    assert np.allclose([fak[0], erk[0]], exact, atol=2e-6)


@both
def test_the_switch_remembers_and_an_inhibitor_cuts_its_input(kernels):
    low, high = 0.05, 0.65
    _, erk = _switch(kernels, [0.0, 0.0], [low, high], 0.0, ticks=100)
    assert erk[0] < 0.1
    assert erk[1] > 0.5
    _, driven = _switch(kernels, 0.0, low, 1.0, ticks=100)
    assert driven[0] > 0.5
    _, held = _switch(kernels, 0.0, low, 1.0, inhibition=1.0, ticks=100)
    assert held[0] < 0.1


@few
@given(seed=seeds, inhibition=st.floats(0.0, 1.0), dt=st.floats(0.1, 4.0), steps=st.integers(1, 8))
def test_switches_of_both_implementations_agree_and_stay_fractions(seed, inhibition, dt, steps):
    rng = np.random.default_rng(seed)
    start = rng.random((4, 9))
    found = []
    for kernels in (COMPILED, reference):
        fak, erk = start[0].copy(), start[1].copy()
        kernels.fak_erk(fak, erk, start[2], start[3], inhibition, dt, *SHAPE, steps)
        found.append(np.stack([fak, erk]))
    assert np.allclose(*found, rtol=1e-11, atol=1e-13)
    assert ((found[0] >= 0.0) & (found[0] <= 1.0)).all()
