"""Programs of rate equations compute what the formulas say, and their Jacobians what calculus says."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from kinetics_systems import bouncing, chain, predators, robertson, shuttling

from paget.kernels import kinetics, kinetics_lanes, kinetics_program, reference_kinetics
from paget.signalling.expression import FUNCTIONS, Expression, evaluate, number, parse, variable
from paget.signalling.kinetics import Kinetics, Rule, Species, equations, observed, start
from paget.signalling.kinetics.elimination import eliminated
from paget.signalling.kinetics.graph import Graph

SYSTEMS = (chain, robertson, predators, bouncing, shuttling)
VALUES = {"x": 0.7, "y": 1.9, "z": 0.4, "time": 2.5}


def program_of(formulas):
    """A system whose rates are the formulas, of states x, y, z."""
    zero = chain().values["A"]
    states = tuple(Species(name, zero, nonnegative=False) for name in "xyz")
    given = dict(zip("xyz", formulas, strict=False))
    return equations(Kinetics("test", "", states, rates=tuple(Rule(n, given.get(n, number(0.0))) for n in "xyz")))


def rates_and_jacobian(written, run):
    """Rates [3] and Jacobian [3, 3] at `VALUES`."""
    program, first = written.program, written.first
    registers = np.zeros(first + len(program.code))
    registers[:4] = VALUES["x"], VALUES["y"], VALUES["z"], VALUES["time"]
    registers[4:first] = program.literals
    run(program.code, 0, int(program.ends[2]), first, registers)
    jacobian = np.zeros((3, 3))
    jacobian[program.row, program.column] = registers[program.entry]
    drift = registers[program.drift] if program.drift.size else np.zeros(3)
    return registers[program.rate], jacobian, drift


leaves = st.one_of(
    st.sampled_from(["x", "y", "z", "time"]).map(variable),
    st.sampled_from([0.0, 0.5, 1.0, 2.0, 3.0]).map(number),
)


def grown(inner):
    two = st.sampled_from(["+", "-", "*", "/", "**", "min", "max", "<", ">=", "and", "or", "xor", "==", "!="])
    one = st.sampled_from(["neg", "not", *(name for name, (takes, _) in FUNCTIONS.items() if takes == 1)])
    return st.one_of(
        st.tuples(two, inner, inner).map(lambda t: Expression(t[0], t[1:])),
        st.tuples(one, inner).map(lambda t: Expression(t[0], t[1:])),
        st.tuples(inner, inner, inner).map(lambda t: Expression("if", t)),
    )


formulas = st.recursive(leaves, grown, max_leaves=12)


def all_finite(formula):
    """Whether every part of a formula is a number; programs are simplified, as 0 / x to 0, which is so for numbers only."""
    with np.errstate(all="ignore"):
        whole = bool(np.isfinite(float(evaluate(formula, VALUES, {}))))
    return whole and all(all_finite(part) for part in formula.args)


@settings(max_examples=300, deadline=None)
@given(formulas)
def test_a_program_computes_what_its_formula_says(formula):
    assume(all_finite(formula))
    wanted = float(evaluate(formula, VALUES, {}))
    written = program_of([formula])
    for run in (kinetics_program.run, reference_kinetics.run):
        found = rates_and_jacobian(written, run)[0][0]
        assert found == pytest.approx(wanted, rel=1e-12, abs=1e-300)


@settings(max_examples=300, deadline=None)
@given(formulas)
def test_derivatives_are_those_of_small_differences(formula):
    assume(all_finite(formula))
    rate, jacobian, drift = rates_and_jacobian(program_of([formula]), kinetics_program.run)
    slopes = [*jacobian[0], drift[0]]
    for name, slope in zip(("x", "y", "z", "time"), slopes, strict=True):
        differences = []
        for step in (1e-6, 2e-6):
            with np.errstate(all="ignore"):
                above, below = (
                    float(evaluate(formula, {**VALUES, name: VALUES[name] + sign * step}, {})) for sign in (1.0, -1.0)
                )
            differences.append((above - below) / (2.0 * step))
        # Where the two differences disagree, the formula has a jump, a kink or is too steep to tell.
        scale = 1.0 + abs(rate[0]) + abs(differences[0])
        if np.isfinite([*differences, rate[0], slope]).all() and abs(differences[0] - differences[1]) < 1e-7 * scale:
            one_sided = _kinked(formula, name)
            assert one_sided or slope == pytest.approx(differences[0], rel=1e-4, abs=1e-4 * scale)


def _kinked(formula, name):
    """Whether the value stands exactly on a kink, where the derivative on one side is as good as any."""
    with np.errstate(all="ignore"):
        middle, above, below = (
            float(evaluate(formula, {**VALUES, name: VALUES[name] + step}, {})) for step in (0.0, 1e-6, -1e-6)
        )
    return abs((above - middle) - (middle - below)) > 1e-9 * (1.0 + abs(middle))


def test_equal_parts_of_formulas_are_computed_once():
    graph = Graph()
    first = graph.formula(parse("(x + y) ** 2 / (1 + (x + y) ** 2)"), {})
    count = len(graph.nodes)
    assert graph.formula(parse("(x + y) ** 2 / (1 + (x + y) ** 2)"), {}) == first
    assert len(graph.nodes) == count == 8  # x, y, their sum, 2, its square, 1, the denominator, the quotient


def test_what_parameters_alone_decide_is_not_in_the_rates():
    written = equations(shuttling())
    setup = int(written.program.ends[0])
    states = set(range(len(written.states)))
    assert setup > 0
    assert not states & set(written.program.code[:setup, 1:].ravel().tolist()) - {0}


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda s: s.__name__)
def test_observables_are_those_of_the_tree(system):
    system = system()
    cells = start(system, 3)
    cells.state += np.array([0.1, 0.2, 0.3])
    written = equations(system)
    found = observed(system, cells, written.observables)
    values = {name: one.value for name, one in system.values.items()}
    for cell in range(3):
        own = values | dict(zip(system.states, cells.state[:, cell], strict=True)) | {"time": 0.0}
        for name in system.order:
            own[name] = float(evaluate(system.definitions[name], own, {}))
        assert found[:, cell] == pytest.approx([own[name] for name in written.observables], rel=1e-14)


# ---- linear equations -----------------------------------------------------------------------------------------------------
matrices = st.integers(1, 8).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, 2**32 - 1)))


@settings(max_examples=60, deadline=None)
@given(matrices)
def test_dense_equations_are_solved_as_by_their_twin(given):
    n, seed = given
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(n, n)) * (random.random((n, n)) < 0.6) + np.diag(random.normal(size=n))
    right = random.normal(size=n)
    found, twin, pivot = matrix.copy(), matrix.copy(), np.zeros(n, np.int64)
    if np.linalg.cond(matrix) > 1e8:
        return
    assert kinetics.factorise(found, pivot)
    assert reference_kinetics.factorise(twin, np.zeros(n, np.int64))
    one, other = right.copy(), right.copy()
    kinetics.solve(found, pivot, one)
    reference_kinetics.solve(twin, pivot, other)
    # The pivots are not the largest ones, which may cost the factor by which they are smaller, for each of a few.
    np.testing.assert_allclose(one, other, rtol=1e-13 * np.linalg.cond(matrix) * 100, atol=1e-10)


def test_a_singular_matrix_is_noticed():
    for factorise in (kinetics.factorise, reference_kinetics.factorise):
        assert not factorise(np.ones((2, 2)), np.zeros(2, np.int64))
        assert not factorise(np.full((2, 2), np.nan), np.zeros(2, np.int64))


@settings(max_examples=60, deadline=None)
@given(matrices)
def test_sparse_elimination_solves_what_the_dense_one_solves(given):
    n, seed = given
    random = np.random.default_rng(seed)
    off = (random.random((n, n)) < 0.4) & ~np.eye(n, dtype=bool)
    rows, columns = np.nonzero(off)
    plan = eliminated(n, rows, columns)
    lanes = kinetics_lanes.LANES
    m = np.zeros((plan.slots[0], lanes))
    matrix = np.zeros((lanes, n, n))
    for lane in range(lanes):
        matrix[lane][off] = random.normal(size=off.sum())
        m[plan.place, lane] = matrix[lane][rows, columns]
        diagonal = 3.0 * n + random.random(n)
        m[plan.diagonal, lane] = diagonal
        matrix[lane] += np.diag(diagonal)
    steep, x = np.zeros(lanes, np.bool_), random.normal(size=(1, n, lanes))
    wanted = np.array([np.linalg.solve(matrix[lane], x[0, :, lane]) for lane in range(lanes)]).T
    kinetics_lanes._eliminate(plan, m, steep)
    kinetics_lanes._substitute(plan, m, x, 0)
    assert not steep.any()
    np.testing.assert_allclose(x[0], wanted, rtol=1e-11, atol=1e-13)


def test_only_lanes_whose_pivots_are_small_are_called_steep():
    plan = eliminated(2, np.array([0, 1]), np.array([1, 0]))
    m = np.ones((plan.slots[0], kinetics_lanes.LANES))
    m[plan.diagonal] = 2.0
    m[plan.diagonal[0], 3], m[plan.diagonal[0], 7], m[plan.diagonal[1], 9] = 1e-3, 0.0, np.nan
    steep = np.ones(kinetics_lanes.LANES, np.bool_)
    kinetics_lanes._eliminate(plan, m, steep)
    assert np.flatnonzero(steep).tolist() == [3, 7, 9]


def test_elimination_of_an_arrow_begins_at_its_shaft():
    """Taken from its head, an arrow would fill up; taken from its shaft it stays as sparse as it is."""
    rows = np.array([0] * 9 + list(range(1, 10)))
    columns = np.array([*range(1, 10), *([0] * 9)])
    assert eliminated(10, rows, columns).slots[0] == 10 + 18


def test_twins_take_the_arguments_of_their_kernels():
    for module in (kinetics, kinetics_lanes, kinetics_program):
        for name, value in vars(module).items():
            if hasattr(value, "py_func") and name in module.__all__:
                twin = inspect.signature(getattr(reference_kinetics, name))
                assert list(inspect.signature(value.py_func).parameters) == list(twin.parameters), name
