"""The kernel of Boolean networks draws what its slow twin draws, for any number of nodes, regulators and any rates."""

from __future__ import annotations

import numpy as np
import pytest
from circuits import KEY, Population, circuit, random_circuit
from scipy import stats
from scipy.sparse.linalg import expm_multiply

from paget.kernels import bits, reference_boolean, streams
from paget.kernels.boolean import advance, draw_initial, hold_at_thresholds
from paget.kernels.compile import kernel
from paget.kernels.neighbours import PIECE
from paget.kernels.reference_boolean import Circuit


@kernel
def exponentials(key, cells):
    out = np.empty(cells.size)
    for c in range(cells.size):
        stream, increment = streams.open_stream(key, cells[c], 3)
        for _ in range(4):
            stream, out[c] = streams.draw_exponential(stream, increment)
    return out


@kernel
def places(words, which):
    out = np.empty(words.size, np.uint64)
    for i in range(words.size):
        out[i] = bits.nth_one(words[i], which[i])
    return out


def random_population(seed, n=30, cells=6, **shape):
    """Cells in random states, with nodes held and doses of all sorts that differ between them."""
    rng = np.random.default_rng(seed)
    arrays = random_circuit(rng, n, **shape)
    ids = rng.integers(0, 2**63, cells, dtype=np.uint64)
    population = Population.of(arrays, bits.packed(rng.random((n, cells)) < 0.5), ids, watch=range(n))
    population.hold_on, population.hold_off = (bits.packed(rng.random((n, cells)) < 0.05) for _ in range(2))
    some = rng.choice(n, min(n, 5), replace=False)
    doses = {int(i): tuple(rng.choice([0.0, 0.3, 1.0, rng.random()], cells) for _ in range(2)) for i in some}
    return population.dosed(doses)


def check_against_twin(population, hours, steps=3):
    n = population.arrays[2].size
    for step in range(steps):
        before, flips = bits.unpacked(population.state, n), 0
        population.flips = 0
        population.step(hours, step)
        after = bits.unpacked(population.state, n)
        for cell, name in enumerate(population.ids):
            expected, on, count = reference_boolean.advance_cell(
                population.twin(cell), tuple(before[:, cell].astype(int)), hours, int(KEY), int(name), step
            )
            assert tuple(after[:, cell].astype(int)) == expected
            assert np.array_equal(population.on_time[:, cell], on)
            flips += count
        assert population.flips == flips
    return flips


@pytest.mark.parametrize("n", [1, 2, 63, 64, 65, 128, 129, 200])
def test_a_step_is_that_of_the_twin_for_any_number_of_nodes(n):
    assert check_against_twin(random_population(n, n), 0.8) > 0 or n == 1


@pytest.mark.parametrize("seed", range(6))
def test_a_step_is_that_of_the_twin_for_rates_over_six_decades(seed):
    assert check_against_twin(random_population(seed, 20, slowest=1e-3, fastest=1e3), 0.05) > 0


def test_a_node_may_have_sixteen_regulators():
    assert check_against_twin(random_population(5, 24, cells=3, degrees=(1, 15, 16)), 0.5) > 0


def test_rates_that_differ_by_more_than_numbers_resolve_do_not_derail_the_choice():
    both = np.array([[1e-30, 1e-30], [1e30, 1e30]])
    arrays = circuit([[0], [0], [0]], [np.array([[1e30, 1.0]] * 2), both, both[::-1]])
    population = Population.of(arrays, np.zeros((1, 400), np.uint64)).step(1e-28)
    assert population.flips > 400
    assert np.all(population.state < 8)


def test_nodes_without_a_rate_stay_and_their_cells_rest():
    still = circuit([[], [0]], [np.zeros((1, 2)), np.zeros((2, 2))])
    state = np.array([[0, 1, 2, 3]], np.uint64)
    population = Population.of(still, state.copy(), watch=(0, 1)).step(1e9)
    assert np.array_equal(population.state, state)
    assert np.all(population.rest != 0)
    assert np.array_equal(population.on_time, 1e9 * bits.unpacked(state, 2))


def test_no_cells_and_no_nodes_are_fine():
    arrays = random_circuit(np.random.default_rng(0), 5)
    assert Population.of(arrays, np.zeros((1, 0), np.uint64)).step(1.0).flips == 0
    nothing = (np.zeros(1, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.uint16))
    nothing += (np.zeros((0, 2)), np.zeros((0, 3), np.int16), np.zeros(0))
    nothing += (np.zeros(1, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64))
    assert Population.of(nothing, np.zeros((0, 7), np.uint64)).step(1.0).flips == 0


def test_no_time_lets_nothing_flip_but_holds_act_at_once():
    population = random_population(3, 40)
    n = 40
    before = bits.unpacked(population.state, n)
    on, off = bits.unpacked(population.hold_on, n), bits.unpacked(population.hold_off, n)
    population.step(0.0)
    assert np.array_equal(bits.unpacked(population.state, n), (before & ~off) | on)
    assert population.flips == 0


def test_a_held_node_does_not_flip_and_moves_what_depends_on_it():
    follow = circuit([[], [0]], [np.zeros((1, 2)), np.array([[0.0, 50.0], [50.0, 0.0]])])
    population = Population.of(follow, np.zeros((1, 300), np.uint64)).step(1.0)
    assert np.all(population.state == 0)
    population.held({0: 1}).step(1.0, 1)
    assert np.all(population.state == 3)


def lone(up, down):
    """A node without regulators."""
    return circuit([[]], [np.array([[up, down]])])


@pytest.mark.parametrize(
    ("rates", "before", "after"),
    [
        ((0.0, 2.0), (1.0, 0.0), (0.5, 0.0)),
        ((0.0, 2.0), (0.0, 0.0), (0.5, 0.0)),
        ((2.0, 0.0), (0.0, 1.0), (0.0, 0.5)),
        ((2.0, 0.0), (0.0, 0.0), (0.0, 0.5)),
        ((0.0, 2.0), (1.0, 1.0), (1.0, 0.5)),
        ((2.0, 0.0), (1.0, 1.0), (1.0, 0.5)),
    ],
)
def test_a_cell_at_rest_wakes_when_a_dose_begins_or_no_longer_saturates(rates, before, after):
    cells = Population.of(lone(*rates), np.zeros((1, 200), np.uint64)).dosed({0: before}).step(100.0)
    assert np.all(cells.rest != 0)
    cells.flips = 0
    cells.dosed({0: after}).step(100.0, 1)
    assert cells.flips > 200


def test_a_cell_at_rest_is_passed_over_until_its_mark_is_cleared():
    cells = Population.of(lone(0.0, 0.0), np.zeros((1, 50), np.uint64)).step(1.0)
    cells.arrays = lone(5.0, 5.0)
    assert cells.step(1.0, 1).flips == 0
    cells.rest[:] = 0
    assert cells.step(1.0, 1).flips > 50


def test_one_compiled_kernel_serves_all_networks_and_shapes():
    for n in (3, 100):
        random_population(1, n).step(0.1)
        Population.of(random_circuit(np.random.default_rng(n), n), np.zeros((-(-n // 64), 4), np.uint64)).step(0.1)
    assert len(advance.signatures) == 1


def test_hours_may_differ_between_cells():
    rng = np.random.default_rng(4)
    arrays = random_circuit(rng, 20)
    state = bits.packed(rng.random((20, 3 * PIECE)) < 0.5)
    pace = rng.choice([0.0, 0.5, 2.0], state.shape[1])
    mixed = Population.of(arrays, state.copy()).step(pace)
    for hours in (0.0, 0.5, 2.0):
        alone = Population.of(arrays, state.copy()).step(hours)
        assert np.array_equal(mixed.state[:, pace == hours], alone.state[:, pace == hours])


def test_first_states_are_drawn_with_their_probabilities_from_the_id_alone():
    ids = np.random.default_rng(1).integers(0, 2**63, 40_000, dtype=np.uint64)
    probability = np.concatenate([[0.0, 1.0], np.random.default_rng(2).random(70)])
    state = draw_initial(ids, probability, KEY)
    on = bits.unpacked(state, 72)
    assert not on[0].any()
    assert on[1].all()
    z = (on[2:].sum(axis=1) - 40_000 * probability[2:]) / np.sqrt(40_000 * probability[2:] * (1 - probability[2:]))
    assert stats.kstest(z, "norm").pvalue > 1e-3
    assert np.array_equal(draw_initial(ids[::-1].copy(), probability, KEY)[:, ::-1], state)
    for c in range(5):
        assert tuple(on[:, c].astype(int)) == reference_boolean.first_state(probability, int(KEY), int(ids[c]))


def test_the_probability_of_one_node_leaves_the_draws_of_the_others():
    ids, probability = np.arange(500, dtype=np.uint64), np.full(9, 0.4)
    changed = probability.copy()
    changed[3] = 0.9
    first, second = (bits.unpacked(draw_initial(ids, p, KEY), 9) for p in (probability, changed))
    assert np.array_equal(np.delete(first, 3, 0), np.delete(second, 3, 0))


def test_exponential_numbers_follow_their_distribution():
    drawn = exponentials(KEY, np.arange(1_000_000, dtype=np.uint64))
    assert stats.kstest(drawn, "expon").pvalue > 1e-3
    beyond = drawn[drawn > streams.TAIL] - streams.TAIL
    assert stats.kstest(beyond, "expon").pvalue > 1e-3
    assert abs(beyond.size - 1e6 * np.exp(-streams.TAIL)) < 4 * np.sqrt(1e6 * np.exp(-streams.TAIL))


def test_layers_of_the_exponential_have_equal_areas():
    edge, height = streams.layers()
    areas = edge[1:-1] * np.diff(height)[1:]
    assert np.allclose(areas, edge[0] * height[1], rtol=1e-10)


def test_the_nth_one_of_a_word_is_found():
    rng = np.random.default_rng(0)
    words = rng.integers(1, 2**64, 3000, dtype=np.uint64) & rng.integers(1, 2**64, 3000, dtype=np.uint64)
    words = np.concatenate([words[words > 0], [np.uint64(2**64 - 1), np.uint64(1), np.uint64(2**63)]])
    ones = [[p for p in range(64) if int(w) >> p & 1] for w in words]
    which = np.array([rng.integers(len(o)) for o in ones], np.uint64)
    assert np.array_equal(places(words, which), [o[int(k)] for o, k in zip(ones, which, strict=True)])


@pytest.mark.parametrize("n", [0, 1, 8, 63, 64, 65, 130])
def test_packing_is_undone_by_unpacking(n):
    on = np.random.default_rng(n).random((n, 13)) < 0.5
    words = bits.packed(on)
    assert words.shape == (-(-n // 64), 13)
    assert np.array_equal(bits.unpacked(words, n), on)
    for i in range(n):
        assert np.array_equal((words[i // 64] >> np.uint64(i % 64)) & np.uint64(1), on[i])


def test_the_direct_method_agrees_with_the_exact_equation():
    """Chi-square over 16 states; one correct run in a thousand fails."""
    rng = np.random.default_rng(8)
    twin = Circuit(random_circuit(rng, 4), {1: 1}, {2: (0.4, 0.3)})
    start = np.zeros(16)
    start[0b0010] = 1.0
    exact = expm_multiply(0.7 * reference_boolean.generator(twin), start)
    ends = [reference_boolean.sample(twin, (0, 0, 0, 0), 0.7, rng)[0] for _ in range(3000)]
    seen = np.bincount([sum(s << i for i, s in enumerate(end)) for end in ends], minlength=16)
    kept = exact > 5 / 3000
    assert seen[exact < 1e-12].sum() == 0
    observed, expected = np.append(seen[kept], seen[~kept].sum()), np.append(exact[kept], exact[~kept].sum())
    observed, expected = observed[expected > 1e-12], expected[expected > 1e-12]
    assert stats.chisquare(observed, 3000 * expected).pvalue > 1e-3


def test_time_that_a_node_is_on_is_that_of_the_direct_method():
    """z of the mean of 30 nodes; the largest of 30 exceeds 4 once in 500 correct runs."""
    rng = np.random.default_rng(9)
    arrays = random_circuit(rng, 30)
    population = (
        Population.of(arrays, np.zeros((1, 40_000), np.uint64), watch=range(30)).dosed({7: (0.5, 0.2)}).step(1.5)
    )
    slow = np.array([reference_boolean.sample(population.twin(0), (0,) * 30, 1.5, rng)[1] for _ in range(400)])
    spread = np.hypot(slow.std(axis=0) / np.sqrt(400), population.on_time.std(axis=1) / np.sqrt(40_000))
    moved = spread > 0
    assert np.array_equal(moved, slow.mean(axis=0) > 0)
    assert np.max(np.abs(slow.mean(axis=0) - population.on_time.mean(axis=1))[moved] / spread[moved]) < 4.0


def test_inputs_at_thresholds_are_held_as_the_twin_says():
    rng = np.random.default_rng(5)
    cells, nodes = 500, np.array([0, 3, 63, 64, 99])
    signals = rng.integers(0, 7, (3, cells)).astype(float)  # whole numbers, so that levels fall on the thresholds too
    which, below = np.array([0, 1, 2, 2, 0]), np.array([0, 1, 0, 1, 1])
    on, off = np.array([4.0, 2.0, 3.0, 1.0, 3.0]), np.array([2.0, 5.0, 3.0, 4.0, 3.0])
    state = rng.integers(0, 2**63, (2, cells), dtype=np.uint64)
    hold_on, hold_off = np.zeros_like(state), np.zeros_like(state)
    hold_at_thresholds(signals, which, nodes, on, off, below, state, hold_on, hold_off)
    was, held, freed = (bits.unpacked(words, 100) for words in (state, hold_on, hold_off))
    for k, node in enumerate(nodes):
        for c in range(cells):
            called = reference_boolean.held_at_threshold(
                signals[which[k], c], bool(was[node, c]), on[k], off[k], bool(below[k])
            )
            assert (held[node, c], freed[node, c]) == (called, not called)
    assert held.sum() + freed.sum() == nodes.size * cells
