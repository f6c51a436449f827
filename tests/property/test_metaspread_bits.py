"""The model of metastatic spread ends the same to the bit, however it is stopped, stored, threaded and ordered in memory."""

from __future__ import annotations

import io
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from small_metaspread import small

from paget.catalogue.metaspread import MetaSpreadRun, simulate

seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=15, deadline=None)


def advanced(run, steps):
    for _ in range(steps):
        run.step()
    return run


def bits(run):
    return {name: (array.dtype.str, array.shape, array.tobytes()) for name, array in run.state().items()}


def stored(state):
    """A state that went through a file."""
    file = io.BytesIO()
    np.savez(file, **state)
    file.seek(0)
    return dict(np.load(file))


@few
@given(seed=seeds, cuts=st.lists(st.integers(0, 90), max_size=3), legacy=st.booleans())
def test_a_run_that_was_stopped_ends_as_one_that_was_not(seed, cuts, legacy):
    made = small(legacy=legacy)
    whole = advanced(MetaSpreadRun(made, seed), 90)
    part = MetaSpreadRun(made, seed)
    for cut in sorted(cuts):
        state = stored(advanced(part, cut - part.steps).state())
        part = MetaSpreadRun(made, seed)
        part.restore(state)
        assert part.readouts() == part.readouts()
    assert bits(advanced(part, 90 - part.steps)) == bits(whole)
    assert part.readouts() == whole.readouts()


@few
@given(seed=seeds, cut=st.integers(1, 60))
def test_the_order_of_cells_in_memory_does_not_matter(seed, cut):
    whole = advanced(MetaSpreadRun(small(), seed), cut)
    state = whole.state()
    order = np.random.default_rng(seed).permutation(state["cells.ids"].size)
    mixed = {name: array[..., order] if name.startswith("cells.") else array for name, array in state.items()}
    other = MetaSpreadRun(small(), seed)
    other.restore(mixed)
    assert bits(advanced(other, 40)) == bits(advanced(whole, 40))


def test_runs_side_by_side_in_threads_end_as_alone():
    alone = [bits(advanced(MetaSpreadRun(small(), seed), 120)) for seed in range(6)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda seed: bits(advanced(MetaSpreadRun(small(), seed), 120)), range(6)))
    assert together == alone


def test_reading_out_leaves_no_trace():
    watched = MetaSpreadRun(small(), 3)
    for _ in range(80):
        watched.step()
        watched.readouts(), watched.cells(), watched.fields(), watched.state()
    assert bits(watched) == bits(advanced(MetaSpreadRun(small(), 3), 80))


@few
@given(seed=seeds, legacy=st.booleans())
def test_cells_balance_at_every_step(seed, legacy):
    run = MetaSpreadRun(small(legacy=legacy), seed)
    for _ in range(100):
        run.step()
        run.check()
        assert (run.fields()["matrix"] >= 0.0).all()
    course = simulate(small(legacy=legacy), seed, 100, every=10).course
    assert course.iloc[-1].drop(["step", "day"]).to_dict() == pytest.approx(run.readouts())


def test_seeds_and_animals_differ():
    ends = {str(bits(advanced(MetaSpreadRun(small(), *who), 40))) for who in ((1, 0), (2, 0), (1, 1))}
    assert len(ends) == 3
