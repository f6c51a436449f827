"""Lesions have the same bits in any order, in any parts, and after a stop; their ledger balances whatever happens to them."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paget.body.growth_laws import exponential, gompertz
from paget.body.lesions import Lesions
from paget.body.lumped import LumpedSite
from paget.kernels import lesions as kernels
from paget.process import quantity

KEY = np.uint64(5)
few = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def q(text):
    return quantity(text, reason="a test")


SITES = (
    LumpedSite(
        name="lung",
        growth=exponential(q("0.15 1/day")),
        turnover=q("0.8"),
        awakening=q("0.01 1/h"),
        re_entry=q("0.002 1/h"),
        shedding=q("0.01 1/h"),
        visible=q("500 cell"),
    ),
    LumpedSite(
        name="primary",
        growth=gompertz(q("0.05 1/day"), q("1e9 cell")),
        shedding=q("1e-4 1/h"),
        shedding_exponent=q("0.8"),
        exact_below=2000.0,
    ),
)
EFFECTS = {("lung", "kill"): 0.01, ("primary", "growth"): 0.5, ("lung", "awakening"): 3.0}


def populated(n=60, order=None):
    """Lesions of all sizes and ages at both sites, founded in an order of choice."""
    rng = np.random.default_rng(2)
    ids = rng.integers(1, 2**63, n, dtype=np.uint64)
    cells, when = np.floor(10 ** rng.uniform(0, 5, n)), rng.uniform(-10, 24, n)
    clone = np.arange(n, dtype=float)
    lesions = Lesions(SITES, records=("cell.clone",))
    for i in range(n) if order is None else order:
        site = "lung" if i % 3 else "primary"
        lesions.seed(site, ids[i : i + 1], cells[i : i + 1], when[i], {"cell.clone": clone[i]}, settled=i % 2 == 0)
    return lesions


def trace(lesions, first, last):
    """All that steps report, as bytes."""
    out = []
    for tick in range(first, last):
        step = lesions.advance(24.0 * tick, 24.0, KEY, tick, EFFECTS if tick % 2 else None)
        out += [part.tobytes() for part in (*step[:6], *step.shed, *step[7:])]
    return out


def bits(lesions):
    return {name: values.tobytes() for name, values in lesions.state().items()}


@few
@given(st.permutations(range(60)))
def test_the_order_in_which_lesions_are_founded_leaves_no_trace(order):
    one, other = populated(), populated(order=order)
    assert trace(one, 0, 6) == trace(other, 0, 6)
    assert bits(one) == bits(other)


@few
@given(st.integers(0, 8))
def test_lesions_go_on_after_a_stop_as_if_there_had_been_none(stop):
    straight, stopped = populated(), populated()
    whole = trace(straight, 0, 8)
    before = trace(stopped, 0, stop)
    resumed = Lesions(SITES, records=("cell.clone",))
    resumed.restore(stopped.state())
    assert before + trace(resumed, stop, 8) == whole
    assert bits(resumed) == bits(straight)


@few
@given(st.permutations(range(60)), st.lists(st.integers(0, 60), max_size=4))
def test_rows_may_lie_in_any_order_and_be_advanced_in_any_parts(order, cuts):
    state = populated().state()
    order, bounds = np.array(order), [0, *sorted(cuts), 60]
    numbers, sizes = Lesions(SITES)._table, Lesions(SITES)._sizes

    def advanced(rows, parts):
        columns = [state[name][rows].copy() for name in ("site", "id", "arriving", "cycling", "dormant")]
        out, shed = np.full((5, 60), np.nan), []
        spans, growth = 24.0 - np.minimum(state["founded_at"][rows], 20.0), np.full(60, 1.2)
        for begin, end in parts:
            shed.append(kernels.advance(begin, end, *columns, spans, growth, 24.0, numbers, sizes, KEY, 3, out))
        parties = np.concatenate(shed, axis=1)
        parties[0] = rows[parties[0].astype(int)]
        back = np.argsort(rows)
        parties = parties[:, np.argsort(parties[0], kind="stable")]
        return [column[back].tobytes() for column in columns], out[:, back].tobytes(), parties.tobytes()

    straight = advanced(np.arange(60), [(0, 60)])
    parts = list(itertools.pairwise(bounds))
    assert advanced(order, parts[::-1]) == straight


@few
@given(
    st.integers(0, 2**63 - 1),
    st.floats(0.1, 200.0),
    st.floats(0.0, 10.0),
    st.floats(0.0, 20.0),
    st.integers(1, 10**7),
)
def test_the_ledger_balances_whatever_the_step_and_the_treatment(key, dt, kill, growth, cells):
    lesions = Lesions(SITES)
    lesions.seed("lung", [1, 2], [cells, 3], 0.0, settled=True)
    lesions.seed("primary", [3, 4], [cells, 3], 0.0)
    effects = {("lung", "kill"): kill, ("primary", "kill dormant"): kill, ("primary", "growth"): growth}
    for tick in range(4):
        step = lesions.advance(tick * dt, dt, np.uint64(key), tick, effects)
        assert (step.shed.size * step.shed.parties).sum() == step.left.sum()
        assert all((part >= 0).all() and (part == np.floor(part)).all() for part in (step.born, step.died, step.left))
    for site in ("lung", "primary"):
        a = lesions.account(site)
        assert a.arrived + a.born - a.died - a.left - a.removed == a.present
