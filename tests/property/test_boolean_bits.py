"""The networks of cells end the same to the bit, however the cells are dealt, ordered and skipped."""

from __future__ import annotations

import copy
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
import itertools

from circuits import Population, random_circuit

from paget.kernels import bits
from paget.kernels.neighbours import PIECE
from paget.kernels.team import SERIAL_BELOW

seeds = st.integers(0, 2**32 - 1)


def population(seed, cells, n=None, calm=False):
    """Cells in random states, each with its own holds and doses; a calm network has many fixed points."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 150)) if n is None else n
    arrays = random_circuit(rng, n, (1, 2, 3) if calm else (1, 2, 3, 4), 1.0, 8.0, 0.0 if calm else 0.3)
    made = Population.of(arrays, bits.packed(rng.random((n, cells)) < 0.5), watch=range(0, n, 2))
    made.ids = rng.permutation(np.arange(cells, dtype=np.uint64) * np.uint64(7919))
    if calm:  # all regulators of many nodes are held, so that cells come to rest
        held = rng.random((n, 1)) < 0.6
        on = rng.random((n, cells)) < 0.5
        made.hold_on, made.hold_off = bits.packed(held & on), bits.packed(held & ~on)
    else:
        made.hold_on, made.hold_off = (bits.packed(rng.random((n, cells)) < 0.03) for _ in range(2))
    some = rng.choice(n, min(n, 3), replace=False)
    made.dosed({int(i): tuple(rng.choice([0.0, 0.0, 0.25, 1.0], cells) for _ in range(2)) for i in some})
    return made, rng


def left_behind(made):
    return [made.state.tobytes(), made.rest.tobytes(), made.on_time.tobytes(), made.flips]


def permuted(made, order):
    """The same cells in another order of memory."""
    other = copy.deepcopy(made)
    for name in ("state", "hold_on", "hold_off", "activate", "inhibit", "on_time"):
        setattr(other, name, np.ascontiguousarray(getattr(made, name)[:, order]))
    other.ids, other.rest = made.ids[order], made.rest[order]
    return other


@settings(max_examples=15, deadline=None)
@given(seed=seeds, cuts=st.lists(st.integers(0, 4), max_size=3))
def test_ranges_of_cells_do_not_matter(seed, cuts):
    whole, _ = population(seed, 3 * PIECE + 100)
    parts = copy.deepcopy(whole)
    edges = [0, *sorted(cuts), 4]
    for step in range(3):
        whole.step(0.4, step)
        for pair in reversed(list(itertools.pairwise(edges))):
            parts.step(0.4, step, pieces=pair)
        assert left_behind(parts) == left_behind(whole)


@pytest.mark.parametrize("seed", [0, 1])
def test_threads_do_not_matter(seed):
    alone, _ = population(seed, SERIAL_BELOW + 2000, n=40)
    together = copy.deepcopy(alone)
    for step in range(3):
        assert left_behind(together.step(0.5, step, threads=4)) == left_behind(alone.step(0.5, step))


@settings(max_examples=15, deadline=None)
@given(seed=seeds)
def test_the_order_of_cells_does_not_matter(seed):
    first, rng = population(seed, 700)
    order = rng.permutation(700)
    second = permuted(first, order)
    for step in range(3):
        first.step(0.4, step)
        second.step(0.4, step)
    assert left_behind(permuted(first, order)) == left_behind(second)


@settings(max_examples=25, deadline=None)
@given(seed=seeds, calm=st.booleans())
def test_skipping_cells_at_rest_changes_nothing(seed, calm):
    skipping, rng = population(seed, 400, calm=calm)
    always = copy.deepcopy(skipping)
    n = skipping.arrays[2].size
    rested = 0
    for step in range(12):
        skipping.step(3.0, step)
        always.rest[:] = 0
        always.step(3.0, step)
        assert left_behind(skipping) == left_behind(always)
        rested += np.count_nonzero(skipping.rest)
        # What a resting cell must notice: other holds, held nodes let go or taken, doses that begin, end or saturate, and
        # states that were written from outside.
        change = bits.packed(rng.random((n, 400)) < 0.01)
        given_by = int(rng.integers(5))
        for made in (skipping, always):
            if given_by == 0:
                held = made.hold_on | made.hold_off
                made.hold_on, made.hold_off = made.hold_on ^ (change & held), made.hold_off ^ (change & held)
            elif given_by == 1:
                made.hold_off &= ~change
            elif given_by == 2:
                made.hold_on |= change
            elif given_by == 3:
                made.activate = np.roll(made.activate, 1, axis=1)
                made.inhibit = np.roll(made.inhibit, -1, axis=1)
            else:
                made.state ^= change
    assert rested > 0 or not calm


@settings(max_examples=15, deadline=None)
@given(seed=seeds)
def test_a_dose_of_zero_is_no_dose(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 100))
    arrays = random_circuit(rng, n)
    state = bits.packed(rng.random((n, 300)) < 0.5)
    none = Population.of(arrays, state.copy(), watch=range(n))
    zero = Population.of(arrays, state.copy(), watch=range(n)).dosed(dict.fromkeys(range(0, n, 2), (0.0, 0.0)))
    for step in range(3):
        none.step(0.5, step)
        zero.step(0.5, step)
        assert none.state.tobytes() == zero.state.tobytes()
        assert none.on_time.tobytes() == zero.on_time.tobytes()


@settings(max_examples=15, deadline=None)
@given(seed=seeds)
def test_one_hold_or_dose_for_all_is_the_same_for_each(seed):
    made, _rng = population(seed, 300, n=70)
    made.hold_on, made.hold_off = (np.ascontiguousarray(a[:, :1]) for a in (made.hold_on, made.hold_off))
    made.activate, made.inhibit = (np.ascontiguousarray(a[:, :1]) for a in (made.activate, made.inhibit))
    each = copy.deepcopy(made)
    for name in ("hold_on", "hold_off", "activate", "inhibit"):
        setattr(each, name, np.repeat(getattr(made, name), 300, axis=1))
    assert left_behind(made.step(1.0)) == left_behind(each.step(1.0))


@settings(max_examples=10, deadline=None)
@given(seed=seeds)
def test_cells_that_differ_in_their_id_or_step_live_differently(seed):
    rng = np.random.default_rng(seed)
    arrays = random_circuit(rng, 40, free=1.0)
    same = Population.of(arrays, np.zeros((1, 200), np.uint64))
    later = copy.deepcopy(same)
    same.step(2.0, 0)
    later.step(2.0, 1)
    assert np.unique(same.state).size > 190
    assert np.count_nonzero(same.state == later.state) < 10
