"""Rate equations in many cells: no bit depends on threads, on batches, on the order of the cells or on a stop."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from kinetics_systems import bouncing, overdamped, robertson, shuttling

from paget.signalling.kinetics import Cells, advance, start

CELLS = 70
SPANS = {"robertson": 3.0, "shuttling": 7.0, "bouncing": 2.0, "overdamped": 2.0}
SYSTEMS = {one.name: one for one in (robertson(), shuttling(), bouncing(), overdamped())}
each = pytest.mark.parametrize("name", list(SYSTEMS))


def begun(name):
    system = SYSTEMS[name]
    random = np.random.default_rng(5)
    own = {one: system.values[one].value * np.exp(random.normal(0.0, 0.5, CELLS)) for one in system.constants}
    return start(system, CELLS, own)


def chosen(cells, which):
    """Some of the cells, in any order."""
    return Cells(
        *(
            np.ascontiguousarray(one[..., which])
            for one in (cells.state, cells.parameters, cells.time, cells.step, cells.armed)
        )
    )


def run(name, cells, ticks=3, threads=1):
    for _ in range(ticks):
        advance(SYSTEMS[name], cells, SPANS[name], threads=threads)
    return cells


def bits(cells):
    return cells.state.tobytes(), cells.step.tobytes(), cells.armed.tobytes()


@pytest.fixture(scope="module")
def usual():
    return {name: run(name, begun(name)) for name in SYSTEMS}


@each
@pytest.mark.parametrize("threads", [2, 3, 5])
def test_the_number_of_threads_changes_no_bit(usual, name, threads, monkeypatch):
    monkeypatch.setattr("paget.signalling.kinetics.cells._TURN", 8)
    assert bits(run(name, begun(name), threads=threads)) == bits(usual[name])


@each
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, CELLS))
def test_neither_order_nor_company_changes_a_bit(usual, name, seed, count):
    which = np.random.default_rng(seed).permutation(CELLS)[:count]
    assert bits(run(name, chosen(begun(name), which))) == bits(chosen(usual[name], which))


@each
def test_stopping_between_ticks_changes_no_bit(usual, name):
    half = run(name, begun(name), ticks=1)
    again = chosen(half, np.arange(CELLS))
    assert bits(run(name, again, ticks=2)) == bits(usual[name])


@each
def test_other_numbers_give_other_bits(usual, name):
    cells = begun(name)
    cells.parameters *= 1.0 + 1e-12
    assert bits(run(name, cells)) != bits(usual[name])
