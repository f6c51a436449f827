"""Physiology of arbitrary cells: kernels equal their twins, bits depend on nothing but the cell, and ticks can be split."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from physiology_cells import COMPILED, cells, cycled, on_threads, volumes, walked

from paget.kernels import reference_physiology as reference

few = settings(max_examples=25, deadline=None)
seeds = st.integers(0, 2**32 - 1)
ticks = st.sampled_from([0.01, 0.1, 0.5, 3.0])
CALLS = pytest.mark.parametrize("call", [volumes, cycled, walked], ids=["volume", "cycle", "walk"])
CLOSE = {"rtol": 1e-9, "atol": 1e-9}  # matrix exponentials and sums in another order


def _same_bits(one, other):
    return all(a.tobytes() == b.tobytes() for a, b in zip(one, other, strict=True))


@few
@given(seed=seeds, dt=ticks, euler=st.booleans())
def test_volumes_of_both_implementations_agree(seed, dt, euler):
    c = cells(seed, 12)
    for found, expected in zip(
        volumes(COMPILED, c, min(dt, 0.3) if euler else dt, euler),
        volumes(reference, c, min(dt, 0.3) if euler else dt, euler),
        strict=True,
    ):
        assert np.allclose(found, expected, **CLOSE)


@few
@given(seed=seeds, dt=ticks)
def test_cycles_of_both_implementations_agree(seed, dt):
    c = cells(seed, 20)
    for found, expected in zip(cycled(COMPILED, c, dt), cycled(reference, c, dt), strict=True):
        assert np.allclose(found, expected, equal_nan=True, **CLOSE)


@few
@given(seed=seeds, dt=ticks, which=st.sampled_from([(-1, -1, -1), (0, 1, -1), (1, -1, 0)]))
def test_walks_of_both_implementations_agree(seed, dt, which):
    c = cells(seed, 8)
    for found, expected in zip(
        walked(COMPILED, c, dt, 3, which=which), walked(reference, c, dt, 3, which=which), strict=True
    ):
        assert np.allclose(found, expected, **CLOSE)


@CALLS
@few
@given(seed=seeds, dt=ticks)
def test_bits_do_not_depend_on_the_order_of_cells_in_memory(call, seed, dt):
    c = cells(seed, 40)
    order = np.random.default_rng(seed).permutation(40)
    found = call(COMPILED, c, dt)
    assert _same_bits([np.ascontiguousarray(one[..., order]) for one in found], call(COMPILED, c, dt, rows=order))


@CALLS
@pytest.mark.parametrize("threads", [2, 4])
def test_bits_do_not_depend_on_the_number_of_threads(call, threads):
    c = cells(7, 5000)
    assert _same_bits(call(COMPILED, c, 0.5), call(on_threads(threads), c, 0.5))


@few
@given(seed=seeds, dt=ticks)
def test_two_half_ticks_change_volumes_as_one_tick(seed, dt):
    c = cells(seed, 20)
    c.rupture[:] = np.inf  # bursting changes the stage, which the engine carries from tick to tick
    whole, _, _ = volumes(COMPILED, c, dt)
    first, _, _ = volumes(COMPILED, c, dt / 2)
    c.fluid, c.cytoplasm, c.nucleus, c.calcified, c.owed = first[0], first[1], first[2], first[5], np.zeros(20)
    second, _, _ = volumes(COMPILED, c, dt / 2)
    assert np.allclose(whole, second, rtol=1e-10, atol=1e-9)


@few
@given(seed=seeds, dt=ticks)
def test_two_half_ticks_take_cells_through_the_cycle_as_one_tick(seed, dt):
    c = cells(seed, 30)
    whole = cycled(COMPILED, c, dt)
    first = cycled(COMPILED, c, dt / 2)
    c.phase, (c.phase_time, c.cytoplasm_target, c.nucleus_target) = first[0], first[1]
    c.budget, c.count, c.owed = first[4], first[5], np.zeros(30)
    second = cycled(COMPILED, c, dt / 2)
    divided = np.isfinite(first[2])
    moment = np.where(divided, first[2], dt / 2 + second[2])
    assert np.allclose(whole[2], moment, rtol=1e-9, atol=1e-9)
    left = np.where(divided, first[3] + dt / 2, second[3])
    assert np.allclose(whole[3], left, rtol=1e-9, atol=1e-9)
    assert np.allclose(whole[1][0][~divided], second[1][0][~divided], rtol=1e-9, atol=1e-9)
    assert np.array_equal(whole[0][~divided], second[0][~divided])


@few
@given(seed=seeds, dt=ticks)
def test_a_cell_that_owes_time_is_as_one_that_lived_it(seed, dt):
    c = cells(seed, 20)
    c.rupture[:] = np.inf
    owing, _, _ = volumes(COMPILED, c, dt)
    c.owed, owed = np.zeros(20), c.owed
    for i in range(20):
        prompt, _, _ = volumes(COMPILED, c, dt + owed[i], rows=slice(i, i + 1))
        assert np.allclose(owing[:, i], prompt[:, 0], rtol=1e-12)
