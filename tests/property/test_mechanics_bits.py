"""The bits of a relaxation do not depend on how it was computed."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paget.kernels import team
from paget.kernels.contacts import Anchors, Bonds, Linear, Quadratic, contacts, relax

few = settings(max_examples=8, deadline=None)
seeds = st.integers(0, 2**32 - 1)
N = 3000


@pytest.fixture(autouse=True, scope="module")
def threads_for_few_cells():
    """Let several threads work on tissues small enough for a test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(team, "SERIAL_BELOW", 0)
        yield


def tissue(seed: int, soft: bool) -> SimpleNamespace:
    """A crowd with everything that can act on a cell, some of its cells at one point."""
    rng = np.random.default_rng(seed)
    position = rng.random((3, N)) * 180.0 + 5.0
    position[:, :20] = 50.0
    types = rng.integers(0, 3, N)
    law = Quadratic(
        rng.uniform(100, 900, N), rng.uniform(0, 40, N), rng.uniform(1.1, 1.5, N), types, rng.random((3, 3))
    )
    pair = rng.integers(0, N, (2, 200))
    pair = pair[:, pair[0] != pair[1]]
    return SimpleNamespace(
        position=position,
        ids=rng.choice(2**62, N, replace=False).astype(np.uint64),
        radius=rng.uniform(5.0, 9.0, N),
        law=law if soft else Linear(2.0, 0.3, 1.25),
        mobile=rng.random(N) < 0.95,
        drift=rng.normal(0, 20, (3, N)),
        drag=rng.uniform(1, 3, N),
        bonds=Bonds(pair[0], pair[1], rng.uniform(1, 5, pair.shape[1]), rng.uniform(0, 20, pair.shape[1])),
        anchors=Anchors(np.arange(30), rng.random((3, 30)) * 180.0, np.full(30, 2.0)),
    )


def moved(t: SimpleNamespace, order=None, periodic=(False, True, False), dt=0.03, **options):
    """Positions, velocities and pressures after a relaxation with the cells stored in `order`, back in the first order."""
    o = np.arange(N) if order is None else order
    row = np.argsort(o)
    law = t.law
    if isinstance(law, Quadratic):
        law = Quadratic(law.repulsion[o], law.adhesion[o], law.reach[o], law.types[o], law.affinity)
    shuffled = np.random.default_rng(0).permutation(t.bonds.first.size) if order is not None else slice(None)
    bonds = Bonds(row[t.bonds.first][shuffled], row[t.bonds.second][shuffled], *(b[shuffled] for b in t.bonds[2:]))
    position = np.ascontiguousarray(t.position[:, o])
    found = relax(
        position,
        t.ids[o],
        t.radius[o],
        np.full(3, 190.0),
        dt,
        law,
        mobile=t.mobile[o],
        drift=np.ascontiguousarray(t.drift[:, o]),
        drag=t.drag[o],
        bonds=bonds,
        anchors=Anchors(row[t.anchors.rows], *t.anchors[1:]),
        wall=100.0,
        periodic=periodic,
        **options,
    )
    assert not found.failed
    return np.concatenate([position[:, row], found.velocity[:, row], found.pressure[None, row]]).tobytes()


@few
@given(seed=seeds, soft=st.booleans(), step=st.sampled_from([None, 0.002]))
def test_cells_in_any_order_and_any_number_of_threads_give_the_same_bits(seed, soft, step):
    t = tissue(seed, soft)
    order = np.random.default_rng(seed).permutation(N)
    once = moved(t, step=step)
    assert moved(t, order, step=step) == once
    assert moved(t, threads=2, step=step) == once
    assert moved(t, order, threads=4, step=step) == once


@few
@given(seed=seeds, skin=st.floats(0.01, 6.0))
def test_the_skin_of_the_lists_changes_no_bit_of_linear_contacts(seed, skin):
    t = tissue(seed, False)
    assert moved(t, skin=skin) == moved(t, skin=1.0)
    assert moved(t, skin=skin, periodic=(True,) * 3) == moved(t, skin=1e-6, periodic=(True,) * 3)


@few
@given(seed=seeds)
def test_contacts_in_any_order_and_any_number_of_threads_are_the_same(seed):
    t = tissue(seed, False)
    order = np.random.default_rng(seed).permutation(N)
    start, other = contacts(t.position, t.ids, 1.25 * t.radius, np.full(3, 190.0))
    s, o = contacts(t.position[:, order], t.ids[order], 1.25 * t.radius[order], np.full(3, 190.0), threads=4)
    back = np.argsort(order)
    for i in range(0, N, 7):
        assert order[o[s[back[i]] : s[back[i] + 1]]].tolist() == other[start[i] : start[i + 1]].tolist()


@few
@given(seed=seeds)
def test_equal_sub_steps_may_stop_between_any_two_and_go_on(seed):
    """With the velocities carried over, and lists made in every sub-step, so that they are made at the stop too."""
    n, rng = 200, np.random.default_rng(seed)
    start, ids, radius = rng.random((3, n)) * 60.0, np.arange(n, dtype=np.uint64), np.full(n, 6.0)
    law, size = Quadratic(np.full(n, 600.0), np.full(n, 24.0), np.full(n, 1.25)), np.full(3, 60.0)
    whole, halves = start.copy(), start.copy()
    equal = {"step": 2.0**-8, "skin": 1e-9}
    relax(whole, ids, radius, size, 0.0625, law, **equal)
    first = relax(halves, ids, radius, size, 0.03125, law, **equal)
    relax(halves, ids, radius, size, 0.03125, law, **equal, velocity=first.velocity)
    assert whole.tobytes() == halves.tobytes()
