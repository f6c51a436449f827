"""Contacts: what pairs do to each other, what holds cells back, and what the relaxation refuses."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paget.kernels import contacts, forces, reference_mechanics
from paget.kernels.contacts import Anchors, Bonds, Linear, Quadratic
from paget.kernels.packing import Crowd

COMPILED = SimpleNamespace(relax=contacts.relax, contacts=contacts.contacts)
both = pytest.mark.parametrize("kernels", [COMPILED, reference_mechanics], ids=["compiled", "reference"])
seeds = st.integers(0, 2**32 - 1)
SIZE = np.array([200.0, 200.0, 200.0])


def quadratic(n, repulsion=600.0, adhesion=24.0, reach=1.25, types=None, affinity=None):
    """PhysiCell's numbers per hour: repulsion 10 and adhesion 0.4 um/min."""
    return Quadratic(np.full(n, repulsion), np.full(n, adhesion), np.full(n, reach), types, affinity)


def run(kernels, position, radius, dt=100.0, law=None, **options):
    position = np.array(position, dtype=float).T.copy()
    radius = np.asarray(radius, dtype=float)
    law = law or Linear(2.0, 0.0, 1.25)
    options.setdefault("tolerance", 1e-9)
    ids = options.pop("ids", np.arange(radius.size, dtype=np.uint64))
    return position, kernels.relax(position, ids, radius, SIZE, dt, law, **options)


# ---- pairs ------------------------------------------------------------------------------------------------------
@both
def test_two_overlapping_cells_part_until_they_touch_and_keep_their_centre(kernels):
    position, found = run(kernels, [[100, 100, 100], [106, 100, 100]], [5, 7])
    assert np.isclose(position[0, 1] - position[0, 0], 12.0, atol=1e-6)
    assert np.allclose(position.mean(axis=1), [103, 100, 100])
    assert np.allclose(found.pressure, 0.0, atol=1e-6)


@both
def test_a_small_overlap_decays_exponentially_at_twice_the_stiffness(kernels):
    # Both cells yield: the gap closes at 2 k. Euler steps of 1 / (10 k) are first-order, hence the tolerance.
    position, _ = run(kernels, [[100, 100, 100], [109.9, 100, 100]], [5, 5], dt=0.2, law=Linear(0.5, 0.0, 1.25))
    overlap = 10.0 - (position[0, 1] - position[0, 0])
    assert np.isclose(overlap, 0.1 * np.exp(-2.0 * 0.5 * 0.2), rtol=0.03)


@both
def test_a_fixed_cell_pushes_and_does_not_yield(kernels):
    position, _ = run(kernels, [[100, 100, 100], [104, 100, 100]], [5, 5], mobile=np.array([False, True]))
    assert position[:, 0].tolist() == [100, 100, 100]
    assert np.isclose(position[0, 1], 110.0, atol=1e-6)


@both
def test_fixed_cells_that_overlap_do_not_keep_the_others_busy(kernels):
    _, found = run(
        kernels,
        [[100, 100, 100], [104, 100, 100], [150, 100, 100]],
        [5, 5, 5],
        mobile=np.array([False, False, True]),
    )
    assert found.sub_steps == 0
    assert np.allclose(found.pressure, [0.6, 0.6, 0.0])


@both
def test_touching_cells_that_adhere_stay_and_distant_ones_do_not_notice_each_other(kernels):
    position, _ = run(
        kernels, [[100, 100, 100], [111, 100, 100], [160, 100, 100]], [5, 5, 5], law=Linear(2.0, 0.5, 1.25)
    )
    assert np.isclose(position[0, 1] - position[0, 0], 10.0, atol=1e-3)
    assert position[:, 2].tolist() == [160, 100, 100]


@both
def test_soft_cells_settle_where_repulsion_and_adhesion_balance(kernels):
    # (1 - x) = 0.2 (1 - 0.8 x), hence x = 0.8 / 0.84.
    position, _ = run(kernels, [[100, 100, 100], [106, 100, 100]], [8, 8], law=quadratic(2), dt=30.0, tolerance=0.0)
    assert np.isclose(position[0, 1] - position[0, 0], 16.0 * 0.8 / 0.84, atol=1e-6)


@both
def test_cells_without_affinity_for_each_other_only_repel(kernels):
    law = quadratic(4, types=np.array([0, 0, 0, 1]), affinity=np.array([[1.0, 0.0], [1.0, 1.0]]))
    start = [[50, 50, 50], [66, 50, 50], [50, 120, 50], [66, 120, 50]]
    position, _ = run(kernels, start, [8, 8, 8, 8], law=law, dt=30.0)
    assert np.isclose(position[0, 1] - position[0, 0], 16.0 * 0.8 / 0.84, atol=1e-4)
    assert np.isclose(position[0, 3] - position[0, 2], 16.0)


@both
@pytest.mark.parametrize("flat", [False, True])
def test_cells_at_one_point_part_in_a_direction_of_their_own(kernels, flat):
    position, _ = run(kernels, [[50, 50, 50]] * 2, [5, 5], flat=flat)
    assert np.isclose(np.linalg.norm(position[:, 1] - position[:, 0]), 10.0, atol=1e-6)
    other, _ = run(kernels, [[50, 50, 50]] * 2, [5, 5], flat=flat, ids=np.array([7, 9], np.uint64))
    assert not np.allclose(position, other)
    assert (not flat) or (position[2] == 50.0).all()


def test_the_direction_of_two_cells_at_one_point_is_a_unit_vector_opposite_for_the_other():
    for pair in ((0, 1), (1, 0), (2**63 + 5, 17), (3, 2**64 - 1)):
        for flat in (False, True):
            mine = np.array(forces.apart(np.uint64(pair[0]), np.uint64(pair[1]), flat))
            assert np.allclose(mine, -np.array(forces.apart(np.uint64(pair[1]), np.uint64(pair[0]), flat)))
            assert np.allclose(mine, reference_mechanics.apart(*pair, flat), atol=1e-12)
            assert np.isclose((mine**2).sum(), 1.0)
    many = np.array([forces.apart(np.uint64(0), np.uint64(i), False) for i in range(1, 4001)])
    # Each mean of 4,000 uniform coordinates has a standard error of 0.009.
    assert np.abs(many.mean(axis=0)).max() < 0.04


# ---- what else moves or holds cells -----------------------------------------------------------------------------
@both
def test_a_spring_relaxes_to_its_length_at_twice_its_stiffness(kernels):
    bonds = Bonds(np.array([1]), np.array([0]), np.array([3.0]), np.array([12.0]))
    position, _ = run(kernels, [[80, 100, 100], [110, 100, 100]], [5, 5], dt=0.1, bonds=bonds, order=2, caution=0.005)
    # The first sub-step is Euler's: it misses 18 (0.005 x 2)^2 / 2 um, which decay like the rest.
    assert np.isclose(position[0, 1] - position[0, 0], 12.0 + 18.0 * np.exp(-2 * 3.0 * 0.1), rtol=0.0, atol=9e-4)


@both
def test_an_anchored_cell_returns_to_its_point(kernels):
    anchors = Anchors(np.array([0]), np.array([[90.0], [100.0], [100.0]]), np.array([2.0]))
    position, _ = run(kernels, [[100, 100, 100]], [5], dt=0.5, anchors=anchors, order=2, caution=0.005)
    assert np.isclose(position[0, 0], 90.0 + 10.0 * np.exp(-1.0), atol=1e-4)


@both
def test_dense_matrix_divides_the_speed_of_migration(kernels):
    position, _ = run(
        kernels,
        [[50, 50, 50], [50, 90, 50]],
        [5, 5],
        dt=2.0,
        drift=np.full((3, 2), [10.0, 10.0]),
        drag=np.array([1, 4]),
    )
    assert np.allclose(position.T, [[70, 70, 70], [55, 95, 55]])


@both
def test_a_repelling_wall_pushes_a_cell_until_it_no_longer_touches(kernels):
    position, _ = run(kernels, [[2, 100, 199]], [8], law=quadratic(1), wall=6000.0, dt=50.0)
    assert 7.9 < position[0, 0] < 8.0
    assert 192.0 < position[2, 0] < 192.1


@both
def test_cells_stay_in_the_tissue_and_in_the_plane_of_a_section(kernels):
    crowd = np.random.default_rng(3).random((25, 3)) * [30, 30, 20]
    position, _ = run(kernels, crowd, np.full(25, 8.0), dt=2.0, flat=True)
    assert np.array_equal(position[2], crowd[:, 2])
    assert (position >= 0.0).all()
    assert (position <= SIZE[:, None]).all()
    assert (position[:2] > 35.0).any()


@both
def test_cells_push_each_other_through_periodic_walls(kernels):
    position, _ = run(kernels, [[1, 100, 100], [197, 100, 100]], [5, 5], periodic=(True, False, False))
    assert np.isclose((position[0, 0] - position[0, 1]) % 200.0, 10.0, atol=1e-6)
    away, _ = run(kernels, [[199, 100, 100]], [5], drift=np.array([[5.0], [0.0], [0.0]]), dt=1.0, periodic=(True,) * 3)
    assert np.isclose(away[0, 0], 4.0)
    near, _ = run(
        kernels, [[199.9, 100, 100]], [5], drift=np.array([[0.2], [0.0], [0.0]]), dt=1.0, periodic=(True,) * 3
    )
    assert np.isclose(near[0, 0], 0.1)


# ---- agreement --------------------------------------------------------------------------------------------------
@settings(max_examples=40, deadline=None)
@given(
    seed=seeds,
    n=st.integers(1, 30),
    flat=st.booleans(),
    soft=st.booleans(),
    rich=st.booleans(),
    periodic=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    step=st.sampled_from([None, 0.01]),
)
def test_relaxation_of_both_implementations_agrees(seed, n, flat, soft, rich, periodic, step):
    rng = np.random.default_rng(seed)
    crowd, radius = rng.random((n, 3)) * 60.0, rng.uniform(4.0, 9.0, n)
    ids = rng.permutation(1000)[:n].astype(np.uint64)
    law = Linear(2.0, 0.3, 1.25)
    if soft:
        types, affinity = rng.integers(0, 2, n), rng.random((2, 2))
        law = Quadratic(rng.uniform(100, 600, n), rng.uniform(0, 30, n), rng.uniform(0.5, 1.5, n), types, affinity)
    options = {"flat": flat, "periodic": periodic, "step": step}
    if rich:
        pair = rng.integers(0, n, (2, 5))
        pair = pair[:, pair[0] != pair[1]]
        options |= {
            "mobile": rng.random(n) < 0.8,
            "drift": rng.normal(0, 20, (3, n)),
            "drag": rng.uniform(1, 3, n),
            "bonds": Bonds(pair[0], pair[1], rng.uniform(1, 5, pair.shape[1]), rng.uniform(0, 20, pair.shape[1])),
            "anchors": Anchors(np.array([0]), rng.random((3, 1)) * 60, np.array([2.0])),
            "wall": 500.0,
            "velocity": None if step is None else rng.normal(0, 20, (3, n)),
        }
    found = [run(k, crowd, radius, dt=0.3, law=law, ids=ids, **options) for k in (COMPILED, reference_mechanics)]
    assert found[0][1].sub_steps == found[1][1].sub_steps
    # The twin sums in another order; the relaxation contracts, so differences in the last place do not grow much.
    apart = found[0][0] - found[1][0]
    apart -= np.where(periodic, SIZE, 0.0)[:, None] * np.round(apart / SIZE[:, None])
    assert np.abs(apart).max() < 1e-7
    assert np.allclose(found[0][1].pressure, found[1][1].pressure, atol=1e-7)
    assert np.allclose(found[0][1].velocity, found[1][1].velocity, rtol=1e-6, atol=1e-5)


@settings(max_examples=60, deadline=None)
@given(
    seed=seeds,
    n=st.integers(0, 60),
    spread=st.sampled_from([0.0, 0.2, 1.0]),
    periodic=st.tuples(st.booleans(), st.booleans(), st.booleans()),
)
def test_the_cell_list_finds_the_contacts_that_all_pairs_find(seed, n, spread, periodic):
    rng = np.random.default_rng(seed)
    position, reach = rng.random((3, n)) * SIZE[:, None] * spread, rng.uniform(3.0, 18.0, n)
    ids = rng.permutation(1000)[:n].astype(np.uint64)
    mine = contacts.contacts(position, ids, reach, SIZE, periodic=periodic)
    twin = reference_mechanics.contacts(position, ids, reach, SIZE, periodic=periodic)
    assert np.array_equal(mine[0], twin[0])
    assert np.array_equal(mine[1], twin[1])


def test_contacts_of_many_cells_are_those_that_a_tree_finds():
    from scipy.spatial import cKDTree

    rng = np.random.default_rng(2)
    position, ids = rng.random((3, 20_000)) * 300.0, rng.permutation(20_000).astype(np.uint64)
    start, other = contacts.contacts(position, ids, np.full(20_000, 6.0), np.full(3, 300.0), threads=2)
    pairs = cKDTree(position.T).query_pairs(12.0, output_type="ndarray")
    count = np.bincount(pairs.ravel(), minlength=20_000)
    assert np.array_equal(np.diff(start), count)
    rows = np.repeat(np.arange(20_000), np.diff(start))
    assert {(i, j) for i, j in zip(rows.tolist(), other.tolist(), strict=True) if i < j} == set(
        map(tuple, pairs.tolist())
    )


def test_two_clusters_far_apart_need_no_bins_between_them():
    rng = np.random.default_rng(5)
    position = rng.random((3, 400)) * 40.0
    position[:, 200:] += 1e7
    start, _ = contacts.contacts(position, np.arange(400, dtype=np.uint64), np.full(400, 6.0), np.full(3, 2e7))
    twin, _ = reference_mechanics.contacts(
        position, np.arange(400, dtype=np.uint64), np.full(400, 6.0), np.full(3, 2e7)
    )
    assert np.array_equal(start, twin)


# ---- crowds and bad input ---------------------------------------------------------------------------------------
def test_a_thousand_founders_at_one_point_spread_into_a_ball():
    n = 1000
    position, found = run(COMPILED, np.full((n, 3), 100.0), np.full(n, 4.0), law=quadratic(n), dt=1.0)
    assert not found.failed
    assert np.isfinite(position).all()
    # Spheres of 4 um at a packing fraction of 0.64 fill a ball of 46 um.
    assert 30.0 < np.linalg.norm(position - 100.0, axis=0).max() < 60.0


def test_too_many_cells_at_one_point_are_refused_with_one_of_them_named():
    n = 10_000
    position, found = run(COMPILED, np.vstack([np.full((n, 3), 100.0), [[5, 5, 5]]]), np.full(n + 1, 4.0))
    assert found.failed == "crowded"
    assert 0 <= found.row < n
    assert (position[:, :n] == 100.0).all()
    with pytest.raises(Crowd):
        contacts.contacts(position, np.arange(n + 1, dtype=np.uint64), np.full(n + 1, 4.0), SIZE)


def test_a_speed_that_is_no_number_stops_the_relaxation_at_its_cell():
    drift = np.zeros((3, 3))
    drift[1, 2] = np.nan
    ids = np.array([5, 9, 1], np.uint64)
    _, found = run(COMPILED, [[10, 10, 10], [50, 50, 50], [90, 90, 90]], [5, 5, 5], drift=drift, ids=ids)
    assert (found.failed, found.row) == ("not finite", 2)


def test_no_cells_need_no_time():
    position, found = run(COMPILED, np.empty((0, 3)), [])
    assert found.sub_steps == 0
    assert position.shape == (3, 0)
