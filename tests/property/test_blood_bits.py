"""What happens in the blood is the same to the bit for any order, any number of threads, and after a stop."""

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from circulations import small_biology, small_chain

from paget.body.blood import Blood
from paget.body.blood.shedding import places

seeds = st.integers(0, 2**32 - 1)
MEETING = {"aggregation": 2e4}


def parties(seed, n):
    rng = np.random.default_rng(seed)
    size = rng.integers(1, 9, n)
    cells = int(size.sum())
    return {
        "when": rng.uniform(-0.02, 0.03, n),
        "origin": rng.integers(0, 4, n),
        "size": size,
        "radius": rng.uniform(4.0, 8.0, n),
        "tension": rng.uniform(0.3, 3.0, n),
        "members": rng.permutation(cells).astype(np.uint64) * np.uint64(7919) + np.uint64(5),
        "survival": rng.random(cells),
        "mesenchymal": rng.random(cells),
        "records": rng.random((1, cells)),
    }


def blood_with(*groups):
    blood = Blood(small_chain(), small_biology(), ("cell.clone",))
    for group in groups:
        blood.shed(group["when"], group["origin"], **{k: v for k, v in group.items() if k not in ("when", "origin")})
    return blood


def chosen(group, which, rng=None):
    """Some of the parties, in that order, and their cells in any."""
    begin = np.cumsum(group["size"]) - group["size"]
    rows = places(begin[which], group["size"][which])
    if rng is not None:
        owner = np.repeat(np.arange(which.size), group["size"][which])
        rows = rows[np.lexsort((rng.random(rows.size), owner))]
    of_cells = ("members", "survival", "mesenchymal", "records")
    return {key: values[..., rows] if key in of_cells else values[which] for key, values in group.items()}


def flat(passage):
    """All that happened, as bytes."""
    return [np.asarray(a).tobytes() for part in passage for a in (part if isinstance(part, tuple) else (part,))]


def left(blood):
    return {key: values.tobytes() for key, values in blood.state().items()}


def run(blood, ticks=range(4), effects=MEETING, **options):
    return [flat(blood.advance(0.02 * tick, 0.02, 11, tick, effects=effects, **options)) for tick in ticks]


@settings(max_examples=20, deadline=None)
@given(seed=seeds)
def test_the_order_in_which_parties_and_cells_are_shed_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    group = parties(seed, 60)
    order = rng.permutation(60)
    one = blood_with(group)
    other = blood_with(chosen(group, order[:25], rng), chosen(group, order[25:], rng))
    assert run(one) == run(other)
    assert left(one) == left(other)


@pytest.mark.parametrize("seed", [0, 1])
def test_threads_do_not_matter(seed):
    group = parties(seed, 3000)
    alone, together = blood_with(group), blood_with(group)
    assert run(alone, effects={}) == run(together, effects={}, threads=4)
    assert left(alone) == left(together)


@settings(max_examples=20, deadline=None)
@given(seed=seeds, stop=st.integers(1, 3))
def test_a_stop_with_cells_in_flight_does_not_matter(seed, stop):
    whole, first = (blood_with(parties(seed, 60)) for _ in range(2))
    told = run(whole)
    before = run(first, range(stop))
    resumed = Blood(small_chain(), small_biology(), ("cell.clone",))
    resumed.restore(first.state())
    assert resumed.counts() == first.counts()
    assert before + run(resumed, range(stop, 4)) == told
    assert left(resumed) == left(whole)


@settings(max_examples=20, deadline=None)
@given(seed=seeds)
def test_parties_that_do_not_meet_know_nothing_of_each_other(seed):
    group = parties(seed, 40)
    few, many = blood_with(chosen(group, np.arange(10))), blood_with(group)
    cells = set(few.cells.tolist())
    for tick in range(3):
        one, both = (blood.advance(0.02 * tick, 0.02, 11, tick, effects={"aggregation": 0.0}) for blood in (few, many))
        mine = np.array([cell in cells for cell in both.deaths.cell.tolist()], bool)
        assert both.deaths.cell[mine].tolist() == one.deaths.cell.tolist()
        assert both.deaths.when[mine].tobytes() == one.deaths.when.tobytes()
    state, of_all = few.state(), many.state()
    mine = np.isin(of_all["name"], state["name"])
    assert of_all["where"][mine].tobytes() == state["where"].tobytes()
