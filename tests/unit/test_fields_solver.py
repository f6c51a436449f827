"""Every pass of the multigrid solver against its dense twin, and the solver against dense solves for all kinds of walls."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paget.engine.transport.box import Box, hierarchy, modes, slowest
from paget.engine.transport.multigrid import solve
from paget.kernels import diffusion, reference_fields, voxels

few = settings(max_examples=25, deadline=None)
seeds = st.integers(0, 2**32 - 1)
CLOSED, WALL, VOXEL, RING = (("closed",) * 2, ("wall",) * 2, ("voxel",) * 2, ("ring",) * 2)
PAIRS = [CLOSED, WALL, VOXEL, RING, ("closed", "wall"), ("voxel", "closed")]
D = 700.0
boxes = st.builds(
    lambda shape, spacing, ends: Box(shape, spacing, ends),
    st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(1, 7)),
    st.sampled_from([(20.0, 20.0, 20.0), (5.0, 20.0, 20.0), (20.0, 12.0, 7.0)]),
    st.tuples(*[st.sampled_from(PAIRS)] * 3),
)


def _matrix(box, loss):
    return D * reference_fields.laplacian(box.shape, box.spacing, box.ends) + np.diag(loss.ravel())


def _level(box, loss, free):
    """What passes need of the finest level, in double and single precision."""
    levels = hierarchy(box)
    along, planes, rings = levels.scaled(D)
    size = box.shape
    double = (along[0], diffusion.plane_of(planes, levels.table, 0), rings[0], size)
    single = (*(a.astype(np.float32) for a in double[:3]), size)
    flat = (size[0], size[1] * size[2])
    diagonal, inverse = np.empty(flat, np.float32), np.empty(flat, np.float32)
    marked = np.where(free, loss, -1.0).astype(np.float32).reshape(flat)
    diffusion.rates(0, diffusion.blocks(size), diagonal, inverse, marked, single[0], single[1], size)
    return levels, double, single, diagonal, inverse


def _problem(seed, box, holes=True):
    rng = np.random.default_rng(seed)
    free = rng.random(box.shape) < (0.8 if holes else 2.0)
    free.flat[0] = True
    x, right = np.where(free, rng.random(box.shape), 0.0), np.where(free, rng.random(box.shape), 0.0)
    return rng.random(box.shape) * 10.0 + 0.1, x, right, free


@few
@given(seed=seeds, box=boxes)
def test_the_operator_is_that_of_the_matrix_built_voxel_by_voxel(seed, box):
    loss, x, _, free = _problem(seed, box)
    _, double, _, _, inverse = _level(box, loss, free)
    flat = inverse.shape
    out, sums = np.empty(flat), np.empty((diffusion.blocks(box.shape), diffusion.LANES))
    diffusion.operate(0, diffusion.blocks(box.shape), out, x.reshape(flat), loss.reshape(flat), inverse, *double, sums)
    exact = reference_fields.operate(_matrix(box, loss), x, free)
    assert np.allclose(out.reshape(box.shape), exact, rtol=1e-12, atol=1e-12 * np.abs(exact).max())
    assert np.isclose(sums.sum(), (x * exact).sum(), rtol=1e-10)


@few
@given(seed=seeds, box=boxes, colour=st.integers(0, 1))
def test_a_half_sweep_is_gauss_seidel_on_one_colour(seed, box, colour):
    loss, x, right, free = _problem(seed, box)
    _, _, single, diagonal, inverse = _level(box, loss, free)
    out = np.empty_like(inverse)
    arrays = (a.astype(np.float32).reshape(out.shape) for a in (x, right))
    diffusion.relax(0, diffusion.blocks(box.shape), out, *arrays, diagonal, inverse, *single, colour)
    exact = reference_fields.half_sweep(_matrix(box, loss), x, right, free, colour)
    assert np.allclose(out.reshape(box.shape), exact, rtol=2e-5, atol=2e-6)


@few
@given(seed=seeds, box=boxes)
def test_restriction_is_the_mean_of_the_residual_by_volume(seed, box):
    loss, x, right, free = _problem(seed, box)
    levels, _, single, diagonal, inverse = _level(box, loss, free)
    if len(levels.table) == 1:
        return
    size = tuple(levels.table[1, :3].tolist())
    coarse, start, ratio = (np.full((size[0], size[1] * size[2]), 0.5, np.float32) for _ in range(3))
    arrays = (a.astype(np.float32).reshape(inverse.shape) for a in (x, right))
    residual, count = np.empty_like(inverse), diffusion.blocks(box.shape)
    diffusion.relax(0, count, residual, *arrays, diagonal, inverse, *single, diffusion.RESIDUAL)
    diffusion.restrict(0, diffusion.blocks(size), coarse, start, ratio, residual, *single[:2], box.shape, size)
    steps = tuple(2 if c < n else 1 for c, n in zip(size, box.shape, strict=True))
    exact = reference_fields.restrict(_matrix(box, loss), x, right, free, steps)
    assert np.allclose(coarse.reshape(size), exact, rtol=1e-4, atol=1e-5 * np.diag(_matrix(box, loss)).max())
    assert np.array_equal(start, ratio * coarse)


def test_interpolation_keeps_a_straight_line_between_coarse_centres_and_goes_to_zero_at_a_wall():
    box = Box((1, 1, 9), (20.0, 20.0, 20.0), (CLOSED, CLOSED, WALL))
    levels = hierarchy(box)
    size, coarse_size = box.shape, tuple(levels.table[1, :3].tolist())
    centres = np.array([20.0, 60.0, 100.0, 140.0, 170.0], np.float32)[None]
    out = np.empty((1, 9), np.float32)
    arguments = (np.zeros_like(out), centres, np.ones_like(out), levels.parent[0], levels.weight[0], size, coarse_size)
    diffusion.prolong(0, 1, out, *arguments)
    assert np.allclose(out[0, :8], 20.0 * np.arange(8) + 10.0)
    assert np.allclose(out[0, 8], 170.0)


def test_no_correction_is_brought_to_a_held_voxel():
    box = Box((1, 4, 4), (20.0,) * 3, (CLOSED,) * 3)
    levels = hierarchy(box)
    free = np.ones((1, 16), np.float32)
    free[0, 5] = 0.0
    out, coarse = np.empty((1, 16), np.float32), np.ones((1, 4), np.float32)
    arguments = (np.zeros_like(out), coarse, free, levels.parent[0], levels.weight[0], box.shape, (1, 2, 2))
    diffusion.prolong(0, 1, out, *arguments)
    assert np.array_equal(out, free)


@few
@given(seed=seeds, box=boxes, holes=st.booleans())
def test_the_solution_is_that_of_the_dense_matrix(seed, box, holes):
    loss, _, right, free = _problem(seed, box, holes)
    matrix = _matrix(box, loss)
    keep = np.flatnonzero(free)
    exact = np.zeros(free.size)
    exact[keep] = np.linalg.solve(matrix[np.ix_(keep, keep)], right.ravel()[keep])
    coupling = np.diag(np.diag(matrix)) - matrix
    pull = np.where(free, loss + (coupling @ (~free).ravel().astype(float)).reshape(box.shape), -1.0)
    found, residual, cycles = solve(box, D, loss, right, np.zeros_like(right), 1e-12, pull=None if free.all() else pull)
    assert residual <= 1e-12
    assert cycles < 40
    assert np.allclose(found.ravel(), exact, rtol=1e-9, atol=1e-10 * exact.max())


@pytest.mark.parametrize("ratio", [1e2, 1e5, 1e8])
def test_a_weak_loss_in_a_closed_box_is_solved_although_cycles_run_in_single_precision(ratio):
    # The slowest mode is then `ratio` times slower than what happens between neighbours.
    box = Box((12, 13, 14), (20.0,) * 3, (CLOSED,) * 3)
    rng = np.random.default_rng(3)
    loss = D / 400.0 / ratio * (0.5 + rng.random(box.shape))
    right = rng.random(box.shape)
    found, residual, cycles = solve(box, D, loss, right, np.zeros_like(right), 1e-10)
    assert residual <= 1e-10 + 1e-16 * ratio
    assert cycles <= 40
    # What is left is the rounding of doubles in the differences between neighbours.
    assert np.isclose((loss * found).sum(), right.sum(), rtol=1e-9 + 1e-16 * ratio)


@pytest.mark.parametrize("ends", [(CLOSED,) * 3, (VOXEL,) * 3, (RING, CLOSED, RING)])
def test_any_number_of_threads_gives_the_same_bits(ends):
    rng = np.random.default_rng(4)
    box = Box((45, 41, 43), (20.0,) * 3, ends)
    loss, right = rng.random(box.shape) * 10.0, rng.random(box.shape)
    one, two, three, four = (solve(box, D, loss, right, right, 1e-9, threads=n)[0] for n in (1, 2, 3, 4))
    assert np.array_equal(one, two)
    assert np.array_equal(one, three)
    assert np.array_equal(one, four)


@few
@given(box=boxes.filter(lambda b: b.transformable))
def test_modes_are_the_eigenvalues_of_the_laplacian(box):
    exact = np.linalg.eigvalsh(reference_fields.laplacian(box.shape, box.spacing, box.ends))
    assert np.allclose(np.sort(modes(box).ravel()), np.sort(exact), rtol=1e-9, atol=1e-12)


@few
@given(box=boxes)
def test_the_slowest_mode_is_the_smallest_eigenvalue(box):
    exact = np.linalg.eigvals(reference_fields.laplacian(box.shape, box.spacing, box.ends)).real.min()
    # Exact but where only one side is a held layer, which shifts a wave by a part of a voxel.
    assert np.isclose(slowest(box)[0], exact, rtol=0.15, atol=1e-12)


# ---- deposits -----------------------------------------------------------------------------------------------------


# ---- cells in voxels of unequal edges and on rings ----------------------------------------------------------------
def test_on_a_ring_a_cell_at_the_upper_end_is_in_the_first_voxel():
    position = np.array([[60.0, 59.9], [40.0, 40.0], [5.0, 5.0]])
    found = voxels.voxel_of(position, (20.0, 20.0, 5.0), (2, 2, 3), (True, False, False))
    assert found.tolist() == [6 + 3, 6 + 3 + 2]


def test_the_gradient_of_a_wave_on_a_ring_is_a_wave_a_quarter_ahead():
    n, edge = 64, 5.0
    angle = 2.0 * np.pi * (np.arange(n) + 0.5) / n
    field = np.ascontiguousarray(np.broadcast_to(np.sin(angle), (2, 3, n)))
    slope = voxels.gradient(field, np.arange(n), (edge, 20.0, 20.0), (True, False, False))
    assert np.allclose(slope[0], np.cos(angle) * np.sin(2.0 * np.pi / n) / edge)
    assert (slope[1:] == 0.0).all()
