"""Networks in cells against the exact equation of their probabilities, over all 4,096 states of 12 nodes.

Two million cells live through 12 steps, their states carried from one to the next, and the states that they are in after every
step are compared with dp/dt = Q p by chi-square over the states that at least five cells are expected in (the others as one).
The smallest of the 12 p-values must exceed 0.01 / 12: a correct kernel fails at most once in a hundred seeds, and the
seed is fixed.
The same comparison must find a rate that is wrong by 5 % and a single wrong entry of a truth table, at p < 1e-6.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from scipy.sparse.linalg import expm_multiply

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from circuits import KEY, Population, random_circuit

from paget.kernels.boolean import draw_initial
from paget.kernels.reference_boolean import Circuit, generator

NODES, CELLS, STEPS, HOURS = 12, 2_000_000, 12, 0.25
SEED = 20
ALARM = 0.01
INK, MARK = "#1f2933", "#2a78d6"


def network():
    """The network, and the probability that each node is on at the start."""
    rng = np.random.default_rng(SEED)
    return random_circuit(rng, NODES), rng.random(NODES)


def observed(held=None, doses=None):
    """Cells in each state after every step [STEPS, 4096]."""
    arrays, start = network()
    cells = Population.of(arrays, draw_initial(np.arange(CELLS, dtype=np.uint64), start, KEY))
    cells.held(held or {}).dosed(doses or {})
    counts = np.empty((STEPS, 2**NODES))
    for step in range(STEPS):
        counts[step] = np.bincount(cells.step(HOURS, step, threads=2).state[0].astype(np.int64), minlength=2**NODES)
    return counts


def exact(arrays, held=None, doses=None):
    """Expected cells in each state after every step [STEPS, 4096]."""
    _, start = network()
    start = start.copy()
    for i, state in (held or {}).items():
        start[i] = state
    p = np.ones(1)
    for chance in start:
        p = np.concatenate([p * (1.0 - chance), p * chance])
    matrix = generator(Circuit(arrays, held or {}, doses or {}))
    return CELLS * expm_multiply(matrix, p, start=HOURS, stop=HOURS * STEPS, num=STEPS)


def compare(seen, expected):
    """Smallest p-value of the steps, and standardized differences of all compared states of the last."""
    chances, z = [], np.zeros(0)
    for n, e in zip(seen, expected, strict=True):
        own = e >= 5.0
        rest = e[~own].sum()
        n, e = (np.append(x[own], x[~own].sum()) if rest >= 5.0 else x[own] for x in (n, e))
        z = (n - e) / np.sqrt(e)
        chances.append(stats.chi2.sf(np.sum(z**2), e.size - 1))
    return min(chances), z


def draw(axes, seen, expected, z):
    kept = expected[-1] >= 1.0
    axes[0].loglog(expected[-1][kept] / CELLS, np.maximum(seen[-1][kept], 0.5) / CELLS, ".", color=MARK, markersize=2.5)
    ends = [1.0 / CELLS, expected[-1].max() / CELLS]
    axes[0].loglog(ends, ends, color=INK, linewidth=0.8)
    axes[0].set(xlabel="exact probability of a state", ylabel="share of the cells")
    axes[1].hist(z, bins=np.linspace(-5, 5, 51), density=True, color=MARK, alpha=0.5)
    grid = np.linspace(-5, 5, 201)
    axes[1].plot(grid, stats.norm.pdf(grid), color=INK, linewidth=1)
    axes[1].set(xlabel="standardized difference", ylabel="density of states")


@pytest.fixture(scope="module")
def free():
    """What cells without holds and doses do."""
    return observed()


def test_states_follow_the_master_equation(free, gallery):
    expected = exact(network()[0])
    p, z = compare(free, expected)
    text = (
        "Two million cells carry a network of 12 nodes with random truth tables, in-degrees of 1 to 4, self-loops and rates "
        f"from 0.2 to 5 per hour. After each of 12 steps of {HOURS} h their states are compared with the exact equation over "
        f"all 4,096 states; shown is the last. The smallest of 12 p-values is {p:.3g}; standardized differences have a "
        f"standard deviation of {z.std():.3f}."
    )
    with gallery(
        "master-equation", title="Boolean networks: the exact distribution over all states", text=text, panels=2
    ) as axes:
        draw(axes, free, expected, z)
    assert p > ALARM / STEPS
    assert z.size > 1000


def test_states_under_doses_and_a_hold_follow_the_changed_equation(gallery):
    held, doses = {5: 1}, {2: (0.35, 0.6), 9: (0.0, 0.8)}
    seen, expected = observed(held, doses), exact(network()[0], held, doses)
    p, z = compare(seen, expected)
    text = (
        "The same network with one node held on, one half inhibited and activated (activation 0.35, inhibition 0.6) and one "
        f"inhibited (0.8), against the equation with the rates that the doses leave. The smallest of 12 p-values is {p:.3g}; "
        f"standardized differences have a standard deviation of {z.std():.3f}."
    )
    with gallery(
        "master-equation-doses", title="Boolean networks under graded doses and a hold", text=text, panels=2
    ) as axes:
        draw(axes, seen, expected, z)
    assert p > ALARM / STEPS
    assert z.size > 500
    assert compare(seen, exact(network()[0], held, {**doses, 2: (0.35, 0.57)}))[0] < 1e-6


def wrong_rate(arrays):
    """The network with one rate 5 % too high: that of turning on of the first node that has its own row."""
    rates = arrays[4].copy()
    row = arrays[3][arrays[2][0]]
    side = int(np.argmax(rates[row]))
    rates[np.isclose(rates[:, side], rates[row, side]), side] *= 1.05
    return (*arrays[:4], rates, *arrays[5:])


def wrong_entry(arrays):
    """The network with one entry of one truth table the other way round: rates up and down changed for each other's logic."""
    at, table, rates = arrays[2], arrays[3], arrays[4]
    followers = [j for j in range(NODES) if np.all(np.min(rates[table[at[j] : _end(arrays, j)]], axis=1) == 0.0)]
    entries = range(at[followers[-1]], _end(arrays, followers[-1]))
    other = next(e for e in entries if table[e] != table[entries[0]])
    changed = table.copy()
    changed[entries[0]] = table[other]
    return (*arrays[:3], changed, *arrays[4:])


def _end(arrays, j):
    return int(arrays[2][j]) + 2 ** int(arrays[0][j + 1] - arrays[0][j])


def test_the_comparison_finds_a_rate_that_is_wrong_by_five_percent(free, gallery):
    expected = exact(wrong_rate(network()[0]))
    p, z = compare(free, expected)
    text = (
        "The same cells against the equation with a single rate, of one node, 5 % too high: what the comparison can see. The "
        f"smallest of 12 p-values is {p:.1e}; standardized differences have a standard deviation of {z.std():.2f}."
    )
    with gallery(
        "master-equation-wrong-rate", title="Boolean networks: a wrong rate is found", text=text, panels=2
    ) as axes:
        draw(axes, free, expected, z)
    assert p < 1e-6


def test_the_comparison_finds_one_wrong_entry_of_a_truth_table(free, gallery):
    expected = exact(wrong_entry(network()[0]))
    p, z = compare(free, expected)
    text = (
        "The same cells against the equation with a single entry of one truth table the other way round. The smallest of 12 "
        f"p-values is {p:.1e}; standardized differences have a standard deviation of {z.std():.2f}."
    )
    with gallery(
        "master-equation-wrong-entry", title="Boolean networks: a wrong truth table is found", text=text, panels=2
    ) as axes:
        draw(axes, free, expected, z)
    assert p < 1e-6


def test_an_inhibitor_leaves_one_minus_h_of_the_probability_of_being_on(gallery):
    """Binomial z of 18 pairs of doses at two nodes each; the band of all 36 holds 99 % of correct runs. It starts 25 time
    constants before."""
    h, a = (grid.ravel() for grid in np.meshgrid(np.linspace(0.0, 1.0, 9), [0.0, 0.4]))
    each, up, down = 40_000, (0.7, 0.5), (0.0, 0.9)
    # The first node is called for and turns on only; the second turns on and off in any state.
    rates = np.column_stack([up, down])
    bound = np.array([0.5, 1.0, 2.0])
    bins = np.array([[1, -1, 1], [0, 1, 2]], np.int16)
    none = np.zeros(3, np.int64)
    arrays = (
        none,
        none[:0],
        np.array([0, 1]),
        np.array([0, 1], np.uint16),
        rates,
        bins,
        bound,
        none,
        none[:0],
        none[:0],
    )
    cells = Population.of(arrays, np.zeros((1, h.size * each), np.uint64))
    doses = (np.repeat(a, each), np.repeat(h, each))
    cells.dosed({0: doses, 1: doses}).step(25.0 / 0.7)
    on = [((cells.state[0] >> np.uint64(i)) & np.uint64(1)).reshape(h.size, each).mean(axis=1) for i in range(2)]
    exact = [(1.0 - h) * (p + a * (1.0 - p)) for p in np.divide(up, np.add(up, down))]
    z = []
    for seen, p in zip(on, exact, strict=True):
        sure = (p < 1e-12) | (p > 1.0 - 1e-12)
        assert np.array_equal(seen[sure], p[sure])
        z += list((seen - p)[~sure] / np.sqrt(p * (1.0 - p) / each)[~sure])
    worst = np.max(np.abs(z))
    text = (
        f"Share of {each:,} cells in which a node is on under an inhibitor h, alone and with an activator of 0.4, for a node "
        "that its logic calls for and for one that flips both ways, against (1 - h) (P + a (1 - P)). The largest of "
        f"{len(z)} standardized differences is {worst:.2f}."
    )
    with gallery("inhibitor", title="An inhibitor leaves 1 - h of the activity of a node", text=text) as axes:
        for seen, p, colour, name in zip(on, exact, (MARK, "#c4562f"), ("called for", "flips both ways"), strict=True):
            for dose, style in ((0.0, "-"), (0.4, "--")):
                mine = a == dose
                axes.plot(h[mine], p[mine], style, color=INK, linewidth=0.8)
                axes.plot(
                    h[mine],
                    seen[mine],
                    "o" if dose == 0.0 else "s",
                    color=colour,
                    label=f"{name}, a = {dose:g}",
                    markersize=4,
                )
        axes.set(xlabel="inhibition h", ylabel="share of cells with the node on")
        axes.legend(fontsize=7)
    assert worst < stats.norm.isf(0.005 / len(z))
