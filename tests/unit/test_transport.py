"""Transport is exact where it says so, conserves material, and never gives a negative concentration."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm
from scipy.special import exp1

from paget.engine.transport import (
    RESIDUAL,
    Diffusing,
    advance_diffusing,
    advance_immobile,
    decay_and_gain,
    laplacian_modes,
)
from paget.errors import NumericalError
from paget.state import Grid

SECTION = Grid((240.0, 160.0, 20.0), 20.0)
BLOCK = Grid((120.0, 80.0, 40.0), 20.0)
grids = pytest.mark.parametrize("grid", [SECTION, BLOCK], ids=["2-D", "3-D"])
few = settings(max_examples=30, deadline=None)
seeds = st.integers(0, 2**32 - 1)


def _advance(grid, values, source=0.0, diffusion=1000.0, loss=0.0, dt=1.0):
    values = np.broadcast_to(np.asarray(values, float), grid.shape).copy()
    source = np.broadcast_to(np.asarray(source, float), grid.shape)
    return advance_diffusing([Diffusing("field.c3", values, diffusion, source, loss)], grid, dt)[0]


def _laplacian(grid):
    """The dense matrix of minus the Laplacian, built voxel by voxel from its neighbours inside the closed box."""
    n = math.prod(grid.shape)
    index = np.arange(n).reshape(grid.shape)
    matrix = np.zeros((n, n))
    for axis in range(3):
        here = np.moveaxis(index, axis, 0)
        for a, b in zip(here[:-1].ravel(), here[1:].ravel(), strict=True):
            matrix[a, a] += 1.0
            matrix[b, b] += 1.0
            matrix[a, b] -= 1.0
            matrix[b, a] -= 1.0
    return matrix / grid.voxel**2


# ---- diffusing fields ---------------------------------------------------------------------------------------------
@grids
def test_a_cosine_mode_decays_at_its_eigenvalue_exactly(grid):
    nz, ny, nx = grid.shape
    mode = (0, 1, 2)
    x = np.cos(np.pi * mode[2] * (np.arange(nx) + 0.5) / nx)
    y = np.cos(np.pi * mode[1] * (np.arange(ny) + 0.5) / ny)
    shape = np.ones(nz)[:, None, None] * y[None, :, None] * x
    rate = 1000.0 * laplacian_modes(grid)[mode] + 0.3
    found = _advance(grid, 2.0 + shape, loss=0.3, dt=0.7)
    assert np.allclose(found, 2.0 * math.exp(-0.3 * 0.7) + shape * math.exp(-rate * 0.7), rtol=1e-13)


@grids
def test_a_tick_is_the_matrix_exponential_of_the_closed_box(grid):
    rng = np.random.default_rng(1)
    values, source = rng.random(grid.shape), rng.random(grid.shape)
    operator = -(900.0 * _laplacian(grid) + 0.2 * np.eye(values.size))
    steady = np.linalg.solve(operator, -source.ravel())
    exact = steady + expm(operator * 0.5) @ (values.ravel() - steady)
    found = _advance(grid, values, source, diffusion=900.0, loss=0.2, dt=0.5)
    assert np.allclose(found.ravel(), exact, rtol=1e-11)


def test_two_ticks_are_one_tick_of_twice_the_length():
    rng = np.random.default_rng(2)
    values, source = rng.random(SECTION.shape), rng.random(SECTION.shape)
    halves = _advance(SECTION, _advance(SECTION, values, source, loss=0.1, dt=1.0), source, loss=0.1, dt=1.0)
    assert np.allclose(halves, _advance(SECTION, values, source, loss=0.1, dt=2.0), rtol=1e-12)


def test_a_point_that_spreads_in_a_wide_section_is_a_gaussian():
    # Far from the walls; the voxels are a twentieth of the spread, which leaves an error of their square.
    grid, diffusion, time = Grid((1220.0, 1220.0, 20.0), 20.0), 5000.0, 1.0
    values = np.zeros(grid.shape)
    values[0, 30, 30] = 1.0
    found = _advance(grid, values, diffusion=diffusion, dt=time)[0]
    away = (np.arange(61) - 30) * grid.voxel
    square = away[:, None] ** 2 + away[None, :] ** 2
    gauss = grid.voxel**2 / (4.0 * math.pi * diffusion * time) * np.exp(-square / (4.0 * diffusion * time))
    assert np.abs(found - gauss).max() < 0.02 * gauss.max()
    assert np.isclose((found * square).sum(), 4.0 * diffusion * time, rtol=1e-6)


def test_a_steady_point_source_in_a_wide_section_follows_greens_function():
    # c(r, t) = q / (4 pi D) E1(r^2 / 4 D t) for a source of strength q that began at t = 0 in the plane.
    grid, diffusion, time = Grid((2020.0, 2020.0, 20.0), 20.0), 5000.0, 4.0
    source = np.zeros(grid.shape)
    source[0, 50, 50] = 3.0
    found = _advance(grid, 0.0, source, diffusion=diffusion, dt=time)[0]
    r = np.arange(5, 20) * grid.voxel
    exact = 3.0 * grid.voxel**2 / (4.0 * math.pi * diffusion) * exp1(r**2 / (4.0 * diffusion * time))
    assert np.allclose(found[50, 55:70], exact, rtol=0.02)


@grids
@pytest.mark.parametrize("loss", [0.0, "varying"])
def test_without_loss_material_is_conserved(grid, loss):
    rng = np.random.default_rng(3)
    values, source = rng.random(grid.shape), rng.random(grid.shape)
    if loss == "varying":  # not quite without: the implicit solver is used, at a loss that takes nothing measurable
        loss = 1e-14 * (1.0 + rng.random(grid.shape))
    found = _advance(grid, values, source, loss=loss, dt=3.0)
    assert np.isclose(found.sum(), values.sum() + 3.0 * source.sum(), rtol=1e-9)


@grids
def test_source_and_loss_reach_their_balance_in_a_long_tick(grid):
    rng = np.random.default_rng(4)
    source = rng.random(grid.shape)
    found = _advance(grid, 5.0, source, diffusion=800.0, loss=0.4, dt=1000.0)
    steady = np.linalg.solve(800.0 * _laplacian(grid) + 0.4 * np.eye(source.size), source.ravel())
    assert np.allclose(found.ravel(), steady, rtol=1e-10)


@grids
def test_loss_that_varies_in_space_solves_the_implicit_equation(grid):
    rng = np.random.default_rng(5)
    values, source, loss = rng.random(grid.shape), rng.random(grid.shape), 50.0 * rng.random(grid.shape) ** 4
    dt, diffusion = 2.0, 700.0
    matrix = np.eye(values.size) / dt + diffusion * _laplacian(grid) + np.diag(loss.ravel())
    exact = np.linalg.solve(matrix, (values / dt + source).ravel())
    found = _advance(grid, values, source, diffusion=diffusion, loss=loss, dt=dt).ravel()
    assert np.allclose(found, exact, rtol=1e-7)
    right = values.ravel() / dt + source.ravel()
    assert np.linalg.norm(matrix @ found - right) < 2.0 * RESIDUAL * np.linalg.norm(right)


def test_a_loss_array_that_is_the_same_everywhere_takes_the_exact_path():
    values = np.random.default_rng(6).random(SECTION.shape)
    everywhere = _advance(SECTION, values, loss=np.full(SECTION.shape, 0.25))
    assert np.array_equal(everywhere, _advance(SECTION, values, loss=0.25))


@few
@given(
    seed=seeds,
    diffusion=st.floats(0.0, 1e6),
    strength=st.floats(0.0, 1e3),
    dt=st.floats(1e-3, 100.0),
    varying=st.booleans(),
)
def test_concentrations_never_become_negative(seed, diffusion, strength, dt, varying):
    rng = np.random.default_rng(seed)
    values = np.where(rng.random(BLOCK.shape) < 0.05, rng.random(BLOCK.shape) * 1e3, 0.0)
    loss = strength * (rng.random(BLOCK.shape) if varying else 1.0)
    found = _advance(BLOCK, values, np.zeros(BLOCK.shape), diffusion, loss, dt)
    assert (found >= 0.0).all()
    assert found.sum() <= values.sum() * (1.0 + 1e-9) + 1e-9


def test_a_field_does_not_notice_the_others_that_are_solved_with_it():
    rng = np.random.default_rng(7)
    fields = [
        Diffusing(name, rng.random(SECTION.shape), diffusion, rng.random(SECTION.shape), loss)
        for name, diffusion, loss in (
            ("field.c3", 100.0, 0.1),
            ("field.mif", 9000.0, rng.random(SECTION.shape)),
            ("field.cxcl1", 500.0, 0.0),
        )
    ]
    together = advance_diffusing(fields, SECTION, 1.0)
    for field, found in zip(fields, together, strict=True):
        assert np.array_equal(advance_diffusing([field], SECTION, 1.0)[0], found)
    for field, found in zip(reversed(fields), advance_diffusing(fields[::-1], SECTION, 1.0), strict=True):
        assert np.array_equal(found, together[fields.index(field)])


def test_a_negative_diffusion_coefficient_is_refused_by_name():
    with pytest.raises(NumericalError, match=r"field\.c3: the diffusion coefficient is negative"):
        _advance(SECTION, 1.0, diffusion=-1.0)


# ---- immobile fields ----------------------------------------------------------------------------------------------
@few
@given(rate=st.floats(0.0, 50.0), dt=st.floats(1e-3, 10.0))
def test_decay_and_gain_are_the_exact_integrals(rate, dt):
    kept, gained = decay_and_gain(rate, dt)
    assert math.isclose(kept, math.exp(-rate * dt), rel_tol=1e-12)
    assert math.isclose(kept + rate * gained, 1.0, rel_tol=1e-12)
    arrays = decay_and_gain(np.array([rate]), dt)
    assert math.isclose(arrays[0][0], kept, rel_tol=1e-14)
    assert math.isclose(arrays[1][0], gained, rel_tol=1e-14)


def test_immobile_material_decays_exponentially_towards_its_balance():
    values, loss, source = np.array([4.0, 4.0, 4.0]), np.array([0.0, 0.1, 80.0]), np.array([1.0, 1.0, 8.0])
    found = advance_immobile({"field.net": values}, {"field.net": source}, {"field.net": loss}, [], 3.0)["field.net"]
    exact = np.array([7.0, 10.0 + (4.0 - 10.0) * math.exp(-0.3), 0.1])
    assert np.allclose(found, exact, rtol=1e-13)


def test_what_a_transfer_takes_decays_exponentially_and_arrives():
    fields = {"field.laminin": np.array([2.0]), "field.nicked_laminin": np.array([0.5])}
    after = advance_immobile(fields, {}, {}, [("field.laminin", "field.nicked_laminin", 0.4)], 2.0)
    assert np.isclose(after["field.laminin"][0], 2.0 * math.exp(-0.8), rtol=1e-14)
    assert np.isclose(after["field.nicked_laminin"][0], 2.5 - 2.0 * math.exp(-0.8), rtol=1e-14)


def test_loss_and_transfer_share_what_leaves_in_proportion_to_their_rates():
    fields = {"a": np.array([1.0]), "b": np.array([0.0])}
    after = advance_immobile(fields, {}, {"a": 0.3}, [("a", "b", 0.1)], 5.0)
    assert np.isclose(after["b"][0], 0.25 * (1.0 - math.exp(-2.0)), rtol=1e-13)


NAMES = ("a", "b", "c")


@few
@given(
    seed=seeds,
    routes=st.lists(
        st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)).filter(lambda r: r[0] != r[1]), max_size=6
    ),
    dt=st.floats(1e-6, 100.0),
    strength=st.floats(0.0, 1e3),
)
def test_transfers_conserve_the_total_in_every_voxel_and_stay_positive(seed, routes, dt, strength):
    rng = np.random.default_rng(seed)
    fields = {name: rng.random(20) * rng.choice([0.0, 1.0, 1e3], 20) for name in NAMES}
    source = {"a": rng.random(20)}
    transfers = [(*route, strength * rng.choice([0.0, 1e-18, 1.0], 20) * rng.random(20)) for route in routes]
    after = advance_immobile(fields, source, {}, transfers, dt)
    assert np.allclose(sum(after.values()), sum(fields.values()) + source["a"] * dt, rtol=1e-12)
    assert min(values.min() for values in after.values()) >= 0.0


@few
@given(seed=seeds, dt=st.floats(1e-3, 50.0))
def test_the_order_of_transfers_changes_nothing_but_the_last_place(seed, dt):
    rng = np.random.default_rng(seed)
    fields = {name: rng.random(5) for name in NAMES}
    transfers = [("a", "b", rng.random(5)), ("b", "c", rng.random(5)), ("a", "c", rng.random(5))]
    forward, backward = (advance_immobile(fields, {}, {}, order, dt) for order in (transfers, transfers[::-1]))
    for name in NAMES:
        assert np.allclose(forward[name], backward[name], rtol=1e-13)


# ---- the grid -----------------------------------------------------------------------------------------------------
def test_voxels_of_20_um_hold_8_picolitres():
    assert Grid((1000.0, 1000.0, 120.0), 20.0).voxel_volume == 8.0
    assert np.isclose(Grid((1000.0, 1000.0, 120.0), 20.0).volume, 0.12)


def test_a_grid_of_one_layer_is_a_section():
    assert SECTION.flat
    assert not BLOCK.flat
    assert BLOCK.shape == (2, 4, 6)
