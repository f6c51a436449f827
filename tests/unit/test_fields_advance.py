"""One tick of a field: methods, boundaries, sinks that saturate, balances, binding and refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from paget.engine.transport import (
    Binding,
    Diffusing,
    Fixed,
    Held,
    Inflow,
    Saturable,
    advance,
    advance_diffusing,
    bind,
    relaxation_time,
)
from paget.engine.transport.description import box_of
from paget.engine.transport.exact import integrate_modes
from paget.engine.transport.system import assemble
from paget.errors import ModelError, NumericalError
from paget.kernels import reference_fields
from paget.state import Grid
from paget.state import fields as state_fields

few = settings(max_examples=25, deadline=None)
seeds = st.integers(0, 2**32 - 1)
D = 900.0
BLOCK = Grid((100.0, 60.0, 30.0), (20.0, 20.0, 10.0))
RINGS = Grid((100.0, 60.0, 30.0), (20.0, 20.0, 10.0), periodic=(True, False, True))
NAMES = {"closed": None, "wall": "wall", "voxel": "voxels"}


def _field(grid, seed=1, loss="varying", **changes):
    rng = np.random.default_rng(seed)
    values, source = rng.random(grid.shape), rng.random(grid.shape)
    loss = 3.0 * rng.random(grid.shape) if isinstance(loss, str) else loss
    return Diffusing("field.oxygen", values, D, source, loss, **changes)


def _dense(field, grid, mask, kept):
    """(A, b) of dc/dt = b - A c in all voxels, where rows of held voxels do nothing; walls by mirrored values."""
    n = math.prod(grid.shape)
    ends = []
    for axis, ring in zip("zyx", grid.periodic[::-1], strict=True):
        pair = []
        for sign in "-+":
            face = field.faces.get(axis + sign)
            wall = isinstance(face, Fixed) and face.at == "wall"
            pair.append("ring" if ring else "wall" if wall else "closed")
        ends.append(tuple(pair))
    matrix = D * reference_fields.laplacian(grid.shape, grid.spacing[::-1], tuple(ends))
    right = field.source.ravel().copy()
    index = np.arange(n).reshape(grid.shape)
    for key, face in field.faces.items():
        axis = "zyx".index(key[0])
        layer = index.take(0 if key[1] == "-" else -1, axis)
        h = grid.spacing[::-1][axis]
        if isinstance(face, Inflow):
            right[layer] += face.flux / h
        elif face.at == "wall":
            right[layer] += 2.0 * D / h**2 * face.value
    matrix += np.diag(np.broadcast_to(field.loss, grid.shape).ravel())
    matrix[mask.ravel()] = 0.0
    right[mask.ravel()] = 0.0
    return matrix, right


def _held(field, grid):
    mask, kept = np.zeros(grid.shape, bool), field.values.copy()
    if field.held is not None:
        mask |= field.held.mask
        kept = np.where(field.held.mask, field.held.values, kept)
    index = np.arange(math.prod(grid.shape)).reshape(grid.shape)
    for key in ("x-", "x+", "y-", "y+", "z-", "z+"):
        face = field.faces.get(key)
        if isinstance(face, Fixed) and face.at == "voxels":
            layer = index.take(0 if key[1] == "-" else -1, "zyx".index(key[0]))
            mask.flat[layer.ravel()], kept.flat[layer.ravel()] = True, face.value
    return mask, kept


SPOTS = np.random.default_rng(9).random(BLOCK.shape) < 0.15
CASES = {
    "closed": (BLOCK, {}),
    "rings": (RINGS, {}),
    "walls": (BLOCK, {"faces": {"x-": Fixed(2.0), "x+": Fixed(0.5), "y+": Fixed(1.0), "z-": Fixed(0.3)}}),
    "layers": (BLOCK, {"faces": {"x-": Fixed(2.0, "voxels"), "x+": Fixed(0.5, "voxels"), "y-": Fixed(1.5, "voxels")}}),
    "one layer, one wall": (BLOCK, {"faces": {"x-": Fixed(2.0, "voxels"), "x+": Fixed(0.5), "y-": Inflow(7.0)}}),
    "spots": (BLOCK, {"held": Held(SPOTS, 3.0)}),
    "spots on rings": (RINGS, {"held": Held(SPOTS, 3.0), "faces": {"y-": Fixed(1.0)}}),
    "spots in layers": (BLOCK, {"held": Held(SPOTS, 3.0), "faces": {"z+": Fixed(0.7, "voxels")}}),
    "flux": (RINGS, {"faces": {"y+": Inflow(5.0)}}),
}
cases = pytest.mark.parametrize("case", list(CASES))


@cases
def test_backward_euler_solves_the_matrix_built_voxel_by_voxel(case):
    grid, changes = CASES[case]
    field = _field(grid, **changes)
    mask, start = _held(field, grid)
    matrix, right = _dense(field, grid, mask, start)
    exact = np.linalg.solve(np.eye(start.size) + 0.3 * matrix, start.ravel() + 0.3 * right)
    found = advance(field, grid, 0.3, method="implicit", tolerance=1e-12)
    assert found.method == "implicit"
    assert found.residual <= 1e-12
    assert np.allclose(found.values.ravel(), exact, rtol=1e-9)


@cases
def test_the_steady_state_is_that_of_the_matrix(case):
    grid, changes = CASES[case]
    field = _field(grid, **changes)
    mask, start = _held(field, grid)
    matrix, right = _dense(field, grid, mask, start)
    matrix[mask.ravel(), mask.ravel()] = 1.0
    exact = np.linalg.solve(matrix, np.where(mask, start, right.reshape(grid.shape)).ravel())
    found = advance(field, grid, 50.0, tolerance=1e-12)
    assert found.method == "steady"
    assert np.allclose(found.values.ravel(), exact, rtol=1e-9)


@cases
def test_transient_steps_are_of_second_order(case):
    grid, changes = CASES[case]
    field = _field(grid, **changes)
    mask, start = _held(field, grid)
    matrix, right = _dense(field, grid, mask, start)
    dt, n = 0.02, start.size
    whole = np.zeros((n + 1, n + 1))
    whole[:n, :n], whole[:n, n] = -matrix, right
    exact = (expm(whole * dt) @ np.append(start.ravel(), 1.0))[:n]
    errors = []
    for steps in (2, 4, 8):
        now = field
        for _ in range(steps):
            found = advance(now, grid, dt / steps, method="transient", tolerance=1e-12)
            now = Diffusing(field.name, found.values, D, field.source, field.loss, field.held, field.faces)
        errors.append(np.abs(now.values.ravel() - exact).max())
    assert errors[1] / errors[2] > 3.2
    assert errors[2] < 1e-3


@pytest.mark.parametrize("case", ["closed", "rings", "walls", "flux"])
def test_with_one_loss_everywhere_a_tick_is_the_matrix_exponential(case):
    grid, changes = CASES[case]
    field = _field(grid, loss=0.7, **changes)
    matrix, right = _dense(field, grid, np.zeros(grid.shape, bool), field.values)
    n = field.values.size
    whole = np.zeros((n + 1, n + 1))
    whole[:n, :n], whole[:n, n] = -matrix, right
    found = advance(field, grid, 0.4)
    assert found.method == "exact"
    assert np.allclose(found.values.ravel(), (expm(whole * 0.4) @ np.append(field.values.ravel(), 1.0))[:n], rtol=1e-9)
    assert np.array_equal(advance_diffusing([field], grid, 0.4)[0], found.values)


@cases
@pytest.mark.parametrize("method", ["auto", "exact", "implicit", "steady", "transient"])
@pytest.mark.parametrize("loss", ["varying", 0.4])
def test_what_was_supplied_lost_and_let_in_is_what_changed(case, method, loss):
    grid, changes = CASES[case]
    field = _field(grid, loss=loss, **changes)
    if method == "exact" and not field.linear:
        with pytest.raises(NumericalError, match=r"field\.oxygen: .* 'exact' cannot be used"):
            advance(field, grid, 0.2, method=method)
        return
    found = advance(field, grid, 50.0 if method == "steady" else 0.2, method=method)
    change = (found.values - field.values).sum() * grid.voxel_volume
    turnover = field.values.sum() * grid.voxel_volume + found.supplied + found.lost + abs(found.entered)
    assert abs(change - (found.supplied - found.lost + found.entered)) < 1e-9 * turnover
    if case in ("closed", "rings"):
        assert found.entered == 0.0
    assert found.lost > 0.0


@pytest.mark.parametrize(
    "case", ["walls", "layers", "one layer, one wall", "spots on rings", "spots in layers", "flux"]
)
def test_what_entered_is_what_faces_and_held_voxels_gave(case):
    grid, changes = CASES[case]
    field = _field(grid, **changes)
    found = advance(field, grid, 0.2, method="implicit")
    system = assemble(field, grid)
    inside = system.within(found.values)
    jumped = (found.values - field.values).sum() - (inside - system.within(field.values)).sum()
    assert np.isclose(found.entered, (0.2 * system.entering(inside) + jumped) * grid.voxel_volume, rtol=1e-7)


def test_integrals_of_exact_ticks_are_those_of_a_fine_integration():
    grid, changes = CASES["walls"]
    field = _field(grid, loss=0.7, **changes)
    matrix, right = _dense(field, grid, np.zeros(grid.shape, bool), field.values)
    run = solve_ivp(
        lambda t, c: np.append(right - matrix @ c[:-1], 0.7 * c[:-1].sum()),
        (0.0, 0.4),
        np.append(field.values.ravel(), 0.0),
        method="BDF",
        rtol=1e-9,
        atol=1e-10,
    )
    assert np.isclose(advance(field, grid, 0.4).lost, run.y[-1, -1] * grid.voxel_volume, rtol=1e-6)


# ---- sinks that saturate ------------------------------------------------------------------------------------------
@cases
def test_saturable_uptake_settles_where_its_equation_says(case):
    grid, changes = CASES[case]
    rng = np.random.default_rng(5)
    sinks = tuple(Saturable(10.0 * rng.random(grid.shape), km) for km in (0.05, 2.0))
    field = _field(grid, saturable=sinks, **changes)
    mask, start = _held(field, grid)
    matrix, right = _dense(field, grid, mask, start)
    c = advance(field, grid, 50.0, method="steady", tolerance=1e-11).values
    taken = sum(s.vmax * c / (s.km + c) for s in sinks)
    left = (right - matrix @ c.ravel() - np.where(mask, 0.0, taken).ravel())[~mask.ravel()]
    assert np.abs(left).max() < 1e-8 * np.abs(right).max()
    assert c.min() >= 0.0


@few
@given(
    seed=seeds,
    strength=st.floats(0.0, 1e9),
    km=st.floats(1e-6, 1e3),
    dt=st.floats(1e-3, 1e3),
    method=st.sampled_from(["auto", "implicit", "transient"]),
)
def test_no_uptake_however_extreme_makes_a_concentration_negative_or_breaks_the_balance(seed, strength, km, dt, method):
    rng = np.random.default_rng(seed)
    sinks = (Saturable(strength * rng.random(BLOCK.shape) ** 6, km),)
    loss = strength * rng.random(BLOCK.shape) ** 6
    field = _field(BLOCK, seed, loss=loss, saturable=sinks, faces={"x-": Fixed(38.0)})
    found = advance(field, BLOCK, dt, method=method)
    assert found.values.min() >= 0.0
    assert np.isfinite(found.values).all()
    change = (found.values - field.values).sum() * BLOCK.voxel_volume
    turnover = field.values.sum() * BLOCK.voxel_volume + found.supplied + found.lost + abs(found.entered)
    # The reported loss of a steady tick is its rate times the tick; what else changed came through the walls.
    assert abs(change - (found.supplied - found.lost + found.entered)) < 1e-8 * turnover


def test_a_sink_far_above_its_half_saturation_takes_at_its_largest_rate():
    grid = Grid((60.0, 60.0, 20.0), 20.0)
    values = np.full(grid.shape, 1e6)
    field = Diffusing(
        "field.drug", values, D, np.zeros(grid.shape), 0.0, saturable=(Saturable(np.full(grid.shape, 8.0), 1.0),)
    )
    found = advance(field, grid, 2.0)
    assert np.allclose(1e6 - found.values, 16.0, rtol=1e-5)
    assert np.isclose(found.lost, 16.0 * values.size * grid.voxel_volume, rtol=1e-5)


# ---- choosing, skipping -------------------------------------------------------------------------------------------
@cases
def test_the_relaxation_time_is_that_of_the_slowest_eigenvalue_within_a_factor_of_three(case):
    grid, changes = CASES[case]
    field = _field(grid, **changes)
    mask, start = _held(field, grid)
    matrix, _ = _dense(field, grid, mask, start)
    keep = ~mask.ravel()
    slowest = np.linalg.eigvals(matrix[np.ix_(keep, keep)]).real.min()
    assert 1.0 / 3.0 < relaxation_time(field, grid) * slowest < 3.0


def test_a_tick_is_resolved_if_short_and_settled_if_long():
    field = _field(BLOCK)
    relaxation = relaxation_time(field, BLOCK)
    assert advance(field, BLOCK, 7.9 * relaxation).method == "transient"
    assert advance(field, BLOCK, 8.1 * relaxation).method == "steady"


def test_a_field_that_nothing_takes_from_has_no_steady_state():
    field = _field(BLOCK, loss=np.zeros(BLOCK.shape))
    assert math.isinf(relaxation_time(field, BLOCK))
    with pytest.raises(NumericalError, match=r"field\.oxygen: nothing takes from the field, so it has no steady state"):
        advance(field, BLOCK, 1.0, method="steady")


def test_threads_change_no_bit_of_a_tick():
    grid = Grid((860.0, 820.0, 900.0), 20.0)
    rng = np.random.default_rng(2)
    field = Diffusing(
        "field.oxygen",
        rng.random(grid.shape),
        6e6,
        rng.random(grid.shape),
        600.0 * (rng.random(grid.shape) > 0.9),
        faces={"x-": Fixed(38.0, "voxels")},
    )
    one, two, four = (advance(field, grid, 0.1, tolerance=1e-6, threads=n) for n in (1, 2, 4))
    assert np.array_equal(one.values, two.values)
    assert np.array_equal(one.values, four.values)
    assert one.entered == two.entered == four.entered


# ---- binding ------------------------------------------------------------------------------------------------------
@few
@given(
    seed=seeds,
    on=st.sampled_from([0.0, 1e-6, 0.3, 1e5]),
    off=st.sampled_from([0.0, 1e-6, 0.5, 1e5]),
    dt=st.floats(1e-3, 1e3),
)
def test_binding_conserves_every_voxel_to_rounding_and_keeps_within_its_bounds(seed, on, off, dt):
    rng = np.random.default_rng(seed)
    free, capacity = rng.random(50) * rng.choice([0.0, 1.0, 1e3], 50), rng.random(50) * rng.choice([0.0, 1.0, 1e3], 50)
    bound = capacity * rng.choice([0.0, 0.5, 1.0], 50)
    after, held = bind("field.vegf", free, bound, Binding(capacity, on, off), dt)
    assert np.allclose(after + held, free + bound, rtol=1e-15, atol=0.0)
    assert (after >= 0.0).all()
    assert (held >= 0.0).all()
    assert (held <= capacity * (1.0 + 1e-12)).all()


def test_binding_follows_its_rate_equation_and_settles_at_the_law_of_mass_action():
    free, bound, capacity = np.array([2.0, 0.1, 5.0]), np.array([0.0, 0.8, 1.0]), np.array([1.0, 1.0, 5.0])
    binding = Binding(capacity, 0.7, 0.2)
    run = solve_ivp(
        lambda t, b: 0.7 * (free + bound - b) * (capacity - b) - 0.2 * b, (0, 1.3), bound, rtol=1e-10, atol=1e-12
    )
    after, held = bind("field.vegf", free, bound, binding, 1.3)
    assert np.allclose(held, run.y[:, -1], rtol=1e-7)
    after, held = bind("field.vegf", free, bound, binding, 1e4)
    assert np.allclose(0.7 * after * (capacity - held), 0.2 * held, rtol=1e-10)


def test_binding_that_has_no_meaning_is_refused_by_name():
    one = np.ones(1)
    with pytest.raises(NumericalError, match=r"field\.vegf: more is bound \(1\) than there are sites \(0\.5\)"):
        bind("field.vegf", one, one, Binding(0.5, 1.0, 1.0), 1.0)
    with pytest.raises(NumericalError, match=r"field\.vegf: binding at rates of -1 and 1"):
        bind("field.vegf", one, one, Binding(2.0, -1.0, 1.0), 1.0)


# ---- refusals -----------------------------------------------------------------------------------------------------
NAN = np.full(BLOCK.shape, np.nan)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"diffusion": -1.0}, r"the diffusion coefficient is negative \(-1 um2/h\)"),
        ({"diffusion": math.nan}, r"the diffusion coefficient is not a finite number"),
        ({"loss": -0.5}, r"the first-order loss is negative \(-0\.5 1/h\)"),
        ({"loss": NAN}, r"the first-order loss is not a finite number"),
        ({"source": NAN}, r"the source is nan in voxel \(z, y, x\) = \(0, 0, 0\)"),
        ({"values": np.ones((1, 2, 3))}, r"the concentration has shape \(1, 2, 3\); the grid has \(3, 3, 5\) voxels"),
        ({"held": Held(SPOTS, -3.0)}, r"the concentration of held voxels is negative \(-3\)"),
        ({"held": Held(SPOTS[:1], 3.0)}, r"the mask of held voxels has shape"),
        ({"faces": {"x-": Fixed(-38.0)}}, r"the concentration at face 'x-' is negative \(-38\)"),
        ({"faces": {"left": Fixed(38.0)}}, r"there is no face 'left'; faces are x-, x\+, y-"),
        (
            {"faces": {"x-": Fixed(38.0, "voxel")}},
            r"face 'x-' is held at 'voxel'; it can be held at 'wall' or at 'voxels'",
        ),
        ({"faces": {"x-": Inflow(math.inf)}}, r"the flux through face 'x-' is inf"),
        (
            {"saturable": (Saturable(np.ones(BLOCK.shape), 0.0),)},
            r"the half-saturation of uptake is 0; it must be above zero",
        ),
        ({"saturable": (Saturable(-np.ones(BLOCK.shape), 1.0),)}, r"the largest saturable uptake is negative"),
    ],
)
def test_what_has_no_meaning_is_refused_by_the_name_of_the_field(changes, message):
    whole = {
        "name": "field.oxygen",
        "values": np.ones(BLOCK.shape),
        "diffusion": D,
        "source": np.zeros(BLOCK.shape),
        "loss": 0.0,
    }
    with pytest.raises(NumericalError, match=r"^field\.oxygen: " + message):
        advance_diffusing([Diffusing(**{**whole, **changes})], BLOCK, 1.0)


def test_a_face_of_a_ring_cannot_be_held():
    with pytest.raises(NumericalError, match=r"face 'x-' has a boundary, but the grid is periodic along x"):
        advance(_field(RINGS, faces={"x-": Fixed(1.0)}), RINGS, 1.0)


def test_layers_that_leave_no_voxel_free_are_refused():
    section = Grid((60.0, 60.0, 20.0), 20.0)
    with pytest.raises(NumericalError, match=r"held faces leave no voxel free"):
        advance(_field(section, faces={"z-": Fixed(1.0, "voxels")}), section, 1.0)


def test_a_flux_that_takes_more_than_there_is_is_refused():
    field = _field(BLOCK, faces={"x-": Inflow(-1e6)})
    with pytest.raises(NumericalError, match=r"field\.oxygen: a negative source or flux takes more than there is"):
        advance(field, BLOCK, 1.0, method="implicit")


def test_an_unknown_method_is_refused():
    with pytest.raises(NumericalError, match="there is no method 'explicit'; methods are auto, exact"):
        advance(_field(BLOCK), BLOCK, 1.0, method="explicit")


# ---- the grid -----------------------------------------------------------------------------------------------------
def test_a_grid_of_unequal_voxels_knows_its_shape_and_volume():
    assert BLOCK.shape == (3, 3, 5)
    assert BLOCK.spacing == (20.0, 20.0, 10.0)
    assert BLOCK.voxel_volume == 4.0
    assert Grid((40.0, 40.0, 40.0), 20.0).spacing == (20.0, 20.0, 20.0)


@pytest.mark.parametrize(
    ("size", "voxel"),
    [
        ((0.0, 10.0, 10.0), 5.0),
        ((10.0, 10.0, 10.0), -5.0),
        ((math.nan, 10.0, 10.0), 5.0),
        ((10.0,) * 3, (5.0, 0.0, 5.0)),
    ],
)
def test_a_domain_without_a_volume_is_refused(size, voxel):
    with pytest.raises(ModelError, match="has no volume"):
        Grid(size, voxel)


def test_a_grid_finer_than_the_memory_is_refused_with_its_voxels_and_bytes(monkeypatch):
    monkeypatch.setattr(state_fields, "_physical_memory", lambda: 10**9)
    with pytest.raises(ModelError, match=r"1000 x 1000 x 100 = 100,000,000 voxels needs 0\.8 GB for every field"):
        Grid((1000.0, 1000.0, 100.0), 1.0)
    monkeypatch.setattr(state_fields, "_physical_memory", lambda: None)
    assert Grid((1000.0, 1000.0, 100.0), 1.0).shape == (100, 1000, 1000)


def test_the_integral_over_a_short_tick_keeps_its_digits():
    # From nothing at a source of 1 and a loss of 0.3 / h: dt^2 / 2 - 0.3 dt^3 / 6.
    box = box_of(_field(BLOCK, loss=0.3), BLOCK)[0]
    for dt in (1e-6, 1e-4):
        found = integrate_modes(box, np.zeros(BLOCK.shape), np.ones(BLOCK.shape), D, 0.3, dt, 1)
        assert np.allclose(found, dt**2 / 2.0 - 0.3 * dt**3 / 6.0, rtol=1e-9)
