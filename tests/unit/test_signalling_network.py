"""Networks as data: formulas, nodes with levels, quantities, truth tables, and everything that is refused."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paget.errors import ModelError, UnknownNameError
from paget.process import Named, quantity
from paget.signalling import Expression, ExpressionError, Network, Node, Tables, parse
from paget.signalling.expression import evaluate, names
from paget.signalling.network import states_of
from paget.signalling.population import Population, simulate

NAMES = ("A", "B", "C", "D")


def formulas():
    leaves = st.sampled_from(
        [Expression("name", name=n) for n in NAMES] + [Expression("number", value=v) for v in (0, 1)]
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(lambda a: Expression("not", (a,)), inner),
            st.builds(lambda op, a, b: Expression(op, (a, b)), st.sampled_from(["and", "or", "xor"]), inner, inner),
            st.builds(lambda a, b, c: Expression("if", (a, b, c)), inner, inner, inner),
        ),
        max_leaves=12,
    )


@given(formulas())
def test_a_formula_says_the_same_when_it_was_written_and_read(formula):
    states = states_of(NAMES)
    again = parse(str(formula))
    first, second = (np.broadcast_to(np.not_equal(evaluate(one, states, {}), 0), (16,)) for one in (formula, again))
    assert np.array_equal(first, second)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("!A & B", "(!A) & B"),
        ("A | B & C", "A | (B & C)"),
        ("A ^ B & C", "A ^ (B & C)"),
        ("A OR NOT B AND C", "A | ((!B) & C)"),
        ("A ? B : C ? D : 0", "A ? B : (C ? D : 0)"),
        ("A || B && C", "A | (B & C)"),
    ],
)
def test_operators_bind_as_in_c(text, meant):
    assert parse(text) == parse(meant)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("A &", "its end"),
        ("A B", "'B' at column 3"),
        ("(A", r"'\)' was expected"),
        ("A % B", "'%' at column 3"),
    ],
)
def test_a_formula_that_cannot_be_read_says_where(text, said):
    with pytest.raises(ExpressionError, match=said):
        parse(text)


def test_long_and_deep_formulas_are_read_or_refused_but_never_crash():
    long = " | ".join(f"(A & {'!' if k % 2 else ''}B)" for k in range(3000))
    assert names(parse(long)) == ("A", "B")
    assert evaluate(parse(long), states_of(("A", "B")), {}).tolist() == [False, True, False, True]
    with pytest.raises(ExpressionError, match="nested too deeply"):
        parse("(" * 5000 + "A" + ")" * 5000)


# ---- networks -------------------------------------------------------------------------------------------------------------
def test_everything_that_is_wrong_with_a_network_is_told_at_once():
    many = " | ".join(f"R{k}" for k in range(17))
    with pytest.raises(ModelError) as problem:
        Network(
            name="bad",
            time="nM",
            nodes=(
                Node(name="A", logic="B & Cc"),
                Node(name="Ccc", initial=1.5),
                Node(name="A"),
                Node(name="1x"),
                Node(name="D", logic="A", up="-1"),
                Node(name="E", logic="A", up="{speed}"),
                Node(name="F", logic="Ccc", edges={"A": "M001"}),
                *(Node(name=f"R{k}") for k in range(17)),
                Node(name="G", logic=many),
            ),
            quantities={"sped": quantity("1 1/h", reason="test"), "length": quantity("1 um", reason="test")},
        )
    text = str(problem.value)
    for part in (
        "'A' is given twice",
        "'nM' is not a unit of time",
        "'B', which is no node",
        "Did you mean 'Ccc'",
        "a probability from 0 to 1, not 1.5",
        "'1x' cannot be the name",
        "rate up, -1, is negative",
        "the quantity 'speed' is not given. Did you mean 'sped'",
        "which does not regulate it",
        "'G' has 17 regulators; at most 16",
        "'length' is in um",
    ):
        assert part in text, part


def test_a_rate_that_is_negative_in_one_state_only_is_refused_when_its_number_is_known():
    node = Node(name="B", logic="A", up="{fast} * (A ? 1 : -1)", down="{fast}")
    with pytest.raises(ModelError, match="negative"):
        Network(name="n", nodes=(Node(name="A"), node), quantities={"fast": quantity("1 1/h", reason="test")})
    later = Network(name="n", nodes=(Node(name="A"), node), quantities={"fast": Named("key", "1/h")})
    with pytest.raises(ModelError, match="negative"):
        Tables.of(later, {"fast": 2.0})


def test_quantities_count_in_the_time_of_the_network():
    minute = quantity("0.5 1/min", reason="test")
    network = Network(name="n", nodes=(Node(name="A", logic="1", up="{q}"),), quantities={"q": minute}, time="day")
    assert network.values() == {"q": pytest.approx(720.0)}
    assert Tables.of(network, network.values()).rates.max() == pytest.approx(30.0)


def test_an_unknown_node_gets_a_suggestion():
    with pytest.raises(UnknownNameError, match="Did you mean 'MTORC1'"):
        Network(name="n", nodes=(Node(name="MTORC1"),)).node("MTORC")


def test_signs_of_influences_follow_from_the_truth_table():
    network = Network(
        name="n",
        nodes=(
            *(Node(name=name) for name in "ABC"),
            Node(name="D", logic="A & !B | A & B & !B"),
            Node(name="E", logic="A ^ B"),
            Node(name="F", logic="A", up="C ? 2 : 1"),
            Node(name="G", logic="A | C & !C"),
        ),
    )
    signs = {(edge.source, edge.target): edge.sign for edge in network.edges}
    assert signs == {
        ("A", "D"): 1,
        ("B", "D"): -1,
        ("A", "E"): 0,
        ("B", "E"): 0,
        ("A", "F"): 1,
        ("C", "F"): 1,
        ("A", "G"): 1,
    }


# ---- levels ----------------------------------------------------------------------------------------------------------------
LEVELS = Network(
    name="levels",
    nodes=(
        Node(name="In", initial=1.0),
        Node(name="X", logic=("In", "In", "In & Y"), initial=0),
        Node(name="Y", logic="X >= 2"),
        Node(name="Z", logic="X == 1 | X < 1 & In"),
    ),
)


def test_levels_move_by_one_and_comparisons_see_them():
    course = Population(LEVELS, 4000, seed=1)
    before = course.level("X")
    for _ in range(200):
        course.advance(0.02)
        now = course.level("X")
        assert set(np.unique(now - before)) <= {-1, 0, 1, 2, -2}
        before = now
    flat = LEVELS.expanded()
    assert [node.name for node in flat.nodes] == ["In", "X_b1", "X_b2", "X_b3", "Y", "Z"]
    bits = [np.asarray(course.state[0] >> np.uint64(k) & np.uint64(1)) for k in (1, 2, 3)]
    assert (bits[0] >= bits[1]).all()
    assert (bits[1] >= bits[2]).all()
    course.advance(60.0)
    assert (course.level("X") == 3).all()
    assert (course.level("Y") == 1).all()
    assert (course.level("Z") == 0).all()


def test_a_clamp_holds_a_level_and_a_start_is_a_level():
    held = simulate(LEVELS, [50.0], cells=500, hold={"X": 2})
    assert held["X"] == pytest.approx(2.0 / 3.0)
    assert held["Y"][-1] > 0.9
    clamped = simulate(LEVELS.clamped({"X": 2}), [50.0], cells=500)
    assert np.array_equal(clamped["X"], held["X"])
    started = Population(dataclasses.replace(LEVELS), 10, start={"X": 3, "In": 0.0})
    assert (started.level("X") == 3).all()


def test_a_level_beyond_the_highest_or_between_two_is_refused():
    with pytest.raises(ModelError, match="a level from 0 to 3"):
        Population(LEVELS, 10, start={"X": 4})
    with pytest.raises(ModelError, match="a level from 0 to 3"):
        Population(LEVELS, 10, start={"X": 0.5})
    with pytest.raises(ModelError, match="whole number"):
        Network(name="n", nodes=(Node(name="X", logic=("1", "1")), Node(name="Y", logic="X > 0.5"))).expanded()


# ---- populations -----------------------------------------------------------------------------------------------------------
RELAY = Network(name="relay", nodes=(Node(name="In", initial=1.0), Node(name="Out", logic="In", up="2", down="0.5")))


def test_a_course_follows_the_exact_probability_and_its_mean_over_each_window():
    course = simulate(RELAY, [0.5, 1.0, 2.0], cells=40_000, seed=3)
    exact = 1.0 - np.exp(-2.0 * course.times)
    assert course.at[:, 1] == pytest.approx(exact, abs=5.0 * 0.5 / 200.0)
    begins = np.array([0.0, 0.5, 1.0])
    means = 1.0 - (np.exp(-2.0 * begins) - np.exp(-2.0 * course.times)) / (2.0 * (course.times - begins))
    assert course["Out"] == pytest.approx(means, abs=5.0 * 0.5 / 200.0)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: simulate(RELAY, [1.0], hold={"Oat": 1}), "Did you mean 'Out'"),
        (lambda: simulate(RELAY, [1.0], inhibit={"Out": 1.2}), "from 0 to 1"),
        (lambda: simulate(RELAY, [1.0], inhibit={"In": 0.5}), "an input that nothing inside"),
        (lambda: simulate(RELAY, [2.0, 1.0]), "ascend"),
        (lambda: Population(RELAY, 10).advance(-1.0), "backwards"),
        (lambda: simulate(RELAY, [1.0], start={"In": 2.0}), "probability"),
    ],
)
def test_nonsense_asked_of_a_population_is_refused(call, said):
    with pytest.raises((ModelError, UnknownNameError), match=said):
        call()


def test_threads_and_cells_beside_do_not_change_a_cell():
    one = simulate(RELAY, [0.3, 0.9], cells=9000, seed=5).population
    two = simulate(RELAY, [0.3, 0.9], cells=9000, seed=5, threads=3).population
    few = simulate(RELAY, [0.3, 0.9], cells=70, seed=5).population
    assert np.array_equal(one.state, two.state)
    assert np.array_equal(one.state[:, :70], few.state)
