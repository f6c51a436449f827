"""Encounters: kernels do what their equations say, in any order of cells; chances are those of competing exponentials."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paget.kernels import encounters, reference_encounters
from paget.state.cells import mix

KEY = np.uint64(0x5EED)
TYPES = 3


def crowd(seed, n=40, near=0.25):
    """Random cells in random memory order: ids, types, deaths, a symmetric neighbour relation, and rates."""
    rng = np.random.default_rng(seed)
    ids = rng.permutation(mix(np.arange(n, dtype=np.uint64), 101))
    touch = np.triu(rng.random((n, n)) < near, 1)
    touch |= touch.T
    near = [sorted(np.flatnonzero(touch[i]), key=lambda j: int(ids[j])) for i in range(n)]
    table = rng.exponential(1.0, (TYPES, encounters.KINDS, TYPES)) * (
        rng.random((TYPES, encounters.KINDS, TYPES)) < 0.6
    )
    own = np.full((encounters.KINDS, TYPES), -1)
    own[encounters.ENGULF_LIVING, 1] = 0
    own[encounters.ATTACK, 2] = 1
    return {
        "ids": ids,
        "kind": rng.integers(0, TYPES, n),
        "death": rng.choice([0, 0, 0, 1, 2, 3], n),
        "near": near,
        "table": table,
        "own": own,
        "personal": rng.exponential(1.0, (2, n)),
        "rng": rng,
    }


def listed(near):
    start = np.concatenate([[0], np.cumsum([len(row) for row in near])])
    return start.astype(np.int64), np.array([j for row in near for j in row], np.int64)


def rate_in(cells):
    """The rate of a kind of encounter between two rows, straight from the tables."""

    def rate(name, i, j):
        column = cells["own"][name, cells["kind"][j]]
        return cells["personal"][column, i] if column >= 0 else cells["table"][cells["kind"][i], name, cells["kind"][j]]

    return rate


def takings(cells, step=3, dt=0.3):
    return encounters.takings(
        *listed(cells["near"]),
        *(cells[name] for name in ("kind", "death", "ids", "table", "own", "personal")),
        KEY,
        step,
        dt,
    )


def attacks(cells, left, victim, duration, damage, step=3, dt=0.3):
    return encounters.attacks(
        encounters.order_by_id(cells["ids"]),
        *listed(cells["near"]),
        *(cells[name] for name in ("kind", "death", "ids")),
        left,
        victim,
        *(cells[name] for name in ("table", "own", "personal")),
        duration,
        damage,
        KEY,
        step,
        dt,
    )


def fighting(cells):
    n, rng = cells["ids"].size, cells["rng"]
    left = rng.exponential(0.2, n) * (rng.random(n) < 0.5)
    return left, rng.integers(-1, n, n), rng.exponential(0.1, n) + 0.01, rng.exponential(1.0, n)


def permuted(cells, order):
    """The same cells in another order of memory."""
    rank = np.empty(order.size, np.int64)
    rank[order] = np.arange(order.size)
    moved = {name: cells[name][order] for name in ("ids", "kind", "death")}
    near = [[int(rank[j]) for j in cells["near"][i]] for i in order]
    return {**cells, **moved, "near": near, "personal": np.ascontiguousarray(cells["personal"][:, order])}, rank


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_who_takes_whom_and_when_equals_the_reference(seed):
    cells = crowd(seed)
    rings, actor, how = takings(cells)
    expected = reference_encounters.takings(
        cells["near"], cells["kind"], cells["death"], cells["ids"], rate_in(cells), int(KEY), 3, 0.3
    )
    np.testing.assert_allclose(rings, [e[0] for e in expected], rtol=1e-12)
    assert actor.tolist() == [e[1] for e in expected]
    assert how.tolist() == [e[2] for e in expected]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_attacks_equal_the_reference(seed):
    cells = crowd(seed)
    state = fighting(cells)
    left, victim, dealt = attacks(cells, *state)
    expected = reference_encounters.attacks(
        cells["near"], cells["death"], cells["ids"], *state[:2], rate_in(cells), *state[2:], int(KEY), 3, 0.3
    )
    np.testing.assert_allclose(left, expected[0], rtol=1e-10, atol=1e-14)
    assert victim.tolist() == expected[1].tolist()
    np.testing.assert_allclose(dealt, expected[2], rtol=1e-10, atol=1e-14)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32))
def test_the_order_of_cells_in_memory_changes_no_bit(seed):
    cells = crowd(seed)
    left, victim, duration, damage = fighting(cells)
    order = cells["rng"].permutation(cells["ids"].size)
    moved, rank = permuted(cells, order)
    ranked = np.append(rank, -1)  # row -1, nobody, stays nobody

    rings, actor, how = takings(cells)
    rings_moved, actor_moved, how_moved = takings(moved)
    assert rings[order].tobytes() == rings_moved.tobytes()
    assert ranked[actor[order]].tolist() == actor_moved.tolist()
    assert how[order].tolist() == how_moved.tolist()

    after = attacks(cells, left, victim, duration, damage)
    after_moved = attacks(moved, left[order], ranked[victim[order]], duration[order], damage[order])
    assert after[0][order].tobytes() == after_moved[0].tobytes()
    assert ranked[after[1][order]].tolist() == after_moved[1].tolist()
    assert after[2][order].tobytes() == after_moved[2].tobytes()


def test_rows_are_found_by_id_in_any_order():
    ids = np.array([30, 10, 20], np.uint64)
    assert encounters.rows_of(ids, np.array([10, 25, 30, 99, 0], np.uint64)).tolist() == [1, -1, 0, -1, -1]
    assert encounters.rows_of(ids[:0], ids).tolist() == [-1, -1, -1]


def test_a_pair_has_one_key_whoever_asks():
    one, two = mix(np.arange(2, dtype=np.uint64), 5)
    assert encounters.pair_key(one, two) == encounters.pair_key(two, one)
    assert int(encounters.pair_key(one, two)) == reference_encounters.pair_key(int(one), int(two))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_attachments_equal_the_reference(seed):
    cells = crowd(seed)
    n, rng, ids, near = cells["ids"].size, cells["rng"], cells["ids"], cells["near"]
    pairs = [(i, int(j)) for i in range(n) for j in near[i] if ids[i] < ids[j]]
    bonds = sorted(
        (pair for pair in pairs if rng.random() < 0.2), key=lambda pair: (int(ids[pair[0]]), int(ids[pair[1]]))
    )
    attach, detach = rng.exponential(1.0, n) * (rng.random(n) < 0.5), rng.exponential(1.0, n)
    most, own = rng.integers(1, 6, n).astype(float), bool(rng.random() < 0.5)
    row, affinity = (np.arange(n), rng.random((n, TYPES))) if own else (cells["kind"], rng.random((TYPES, TYPES)))
    first, second = np.array(bonds, np.int64).reshape(-1, 2).T.copy()
    broken = encounters.loosen(first, second, ids, detach, KEY, 3, 0.3)
    a, b, times = encounters.reachings(
        *listed(near), cells["kind"], cells["death"], ids, attach, row, affinity, KEY, 3, 0.3
    )
    order = np.lexsort((ids[b], ids[a], times))
    held = np.bincount(np.concatenate([first[~broken], second[~broken]]), minlength=n).astype(np.int64)
    accepted = encounters.admit(a[order], b[order], held, most, first, second)
    expected = reference_encounters.attachments(
        near, cells["kind"], cells["death"], ids, attach, detach, most, row, affinity, bonds, int(KEY), 3, 0.3
    )
    assert {frozenset(bonds[k]) for k in np.flatnonzero(broken)} == expected[0]
    made = order[accepted]
    assert {frozenset((int(i), int(j))) for i, j in zip(a[made], b[made], strict=True)} == expected[1]
    assert len(made) == len(expected[1])


@pytest.fixture(scope="module")
def triples():
    """Many victims (type 1), each between an eater at rate 1 and one at rate 3 (types 0 and 2): who wins, and when."""
    n = 20_000
    victims = np.arange(n)
    near = [[n + i, 2 * n + i] for i in range(n)] + [[i] for i in range(n)] + [[i] for i in range(n)]
    ids = np.sort(mix(np.arange(3 * n, dtype=np.uint64), 7))
    kind = np.repeat([1, 0, 2], n)
    table = np.zeros((TYPES, encounters.KINDS, TYPES))
    table[0, encounters.ENGULF_LIVING, 1] = 1.0
    table[2, encounters.ENGULF_LIVING, 1] = 3.0
    own = np.full((encounters.KINDS, TYPES), -1)
    nothing = np.zeros((0, 3 * n))
    rings, actor, _ = encounters.takings(
        *listed(near), kind, np.zeros(3 * n, np.int64), ids, table, own, nothing, KEY, 1, 0.5
    )
    return rings[victims], actor[victims], kind


def test_neighbours_compete_in_proportion_to_their_rates(triples):
    rings, actor, kind = triples
    taken = np.isfinite(rings)
    share = float((kind[actor[taken]] == 2).mean())
    # Binomial: four standard errors keep a right kernel from failing more than once in 15,000 streams.
    assert abs(share - 0.75) < 4.0 * np.sqrt(0.75 * 0.25 / taken.sum())


def test_the_first_of_all_encounters_comes_after_an_exponential_wait(triples):
    rings, _, _ = triples
    expected = 1.0 - np.exp(-4.0 * 0.5)
    assert abs(np.isfinite(rings).mean() - expected) < 4.0 * np.sqrt(expected * (1.0 - expected) / rings.size)
    early = 1.0 - np.exp(-4.0 * 0.1)
    assert abs((rings < 0.1).mean() - early) < 4.0 * np.sqrt(early * (1.0 - early) / rings.size)


def test_attacks_fill_the_share_of_time_that_alternating_renewal_gives():
    """Waits of mean 1 / rate and attacks of length d alternate: damage goes on for d / (d + 1 / rate) of the time."""
    n, rate, length, dt = 4_000, 5.0, 0.1, 0.1
    near = [[n + i] for i in range(n)] + [[] for _ in range(n)]
    cells = {
        "ids": np.sort(mix(np.arange(2 * n, dtype=np.uint64), 9)),
        "kind": np.repeat([0, 1], n),
        "death": np.zeros(2 * n, np.int64),
        "near": near,
        "table": np.zeros((TYPES, encounters.KINDS, TYPES)),
        "own": np.full((encounters.KINDS, TYPES), -1),
        "personal": np.zeros((0, 2 * n)),
    }
    cells["table"][0, encounters.ATTACK, 1] = rate
    cells["table"][1, encounters.IMMUNOGENICITY, 0] = 1.0
    left, victim = np.zeros(2 * n), np.full(2 * n, -1)
    dealt = np.zeros(2 * n)
    ticks = 100
    for step in range(ticks):
        left, victim, now = attacks(cells, left, victim, np.full(2 * n, length), np.ones(2 * n), step + 1, dt)
        dealt += now
    mean = dealt[n:].mean() / (ticks * dt)
    error = dealt[n:].std() / np.sqrt(n) / (ticks * dt)
    expected = length / (length + 1.0 / rate)
    # Starting without an attack costs at most one cycle in a hundred ticks, of which half a wait counts.
    assert abs(mean - expected) < 4.0 * error + expected / (rate * ticks * dt)
