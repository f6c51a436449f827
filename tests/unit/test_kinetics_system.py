"""Systems of rate equations say everything that is wrong with them at once, and keep names in their places."""

import pytest
from kinetics_systems import chain, q, reaction, shuttling, species

from paget.errors import ModelError, UnknownNameError
from paget.signalling.expression import Expression, ExpressionError, evaluate, number, parse, variable
from paget.signalling.kinetics import Compartment, Event, Kinetics, Rule, per_hour


def problems(**parts):
    whole = {"name": "bad", "time_unit": "h", "species": (species("A", 1.0),), **parts}
    with pytest.raises(ModelError) as caught:
        Kinetics(**whole)
    return caught.value.problems


# ---- checks -----------------------------------------------------------------------------------------------------------
def test_an_unknown_name_gets_a_suggestion():
    (problem,) = problems(parameters=(q("rate", "1"),), rates=(Rule.of("A", "-rat * A"),))
    assert problem == "rate of 'A': unknown name 'rat'. Did you mean 'rate'?"


def test_formulas_in_a_circle_are_named():
    given = (Rule.of("p", "r + 1"), Rule.of("r", "p + 1"))
    (problem,) = problems(parameters=(q("p", "1"), q("r", "1")), assignments=given)
    assert problem == "formulas of p, r depend on each other in a circle"


def test_a_negative_amount_is_refused_unless_it_may_be():
    (problem,) = problems(species=(species("A", -1.0),))
    assert "starts at -1" in problem
    Kinetics("fine", "h", (species("A", -1.0, nonnegative=False),))


def test_everything_wrong_is_told_at_once():
    found = problems(
        time_unit="metre",
        species=(
            species("A", 1.0, compartment="nucleus"),
            species("A"),
            species("time"),
            species("B", 1.0, constant=True),
        ),
        parameters=(q("1k", "1"),),
        compartments=(Compartment("cell", q("cell", "0")),),
        reactions=(reaction("r", "A", "B", "A"), reaction("s", "C", "", "{braced}")),
        rates=(Rule.of("A", "1"), Rule.of("cell", "1")),
        events=(Event("e", parse("A > 1"), (Rule.of("B", "1"), Rule.of("B", "2"))),),
    )
    wanted = (
        "'metre' is not a unit of time",
        "unknown compartment 'nucleus'",
        "'A' is the name of 2 things",
        "'time' is the time",
        "'1k' cannot be a name",
        "compartment 'cell' has the size 0",
        "reaction 'r' changes 'B', which is constant",
        "reaction 's': unknown species 'C'",
        "write braced without braces",
        "'A' is changed by reactions and by a rule",
        "rule for 'cell': only species and parameters can be set",
        "event 'e' assigns 'B' 2 times",
        "event 'e' for 'B', which is constant",
    )
    for text in wanted:
        assert any(text in one for one in found), text


def test_two_rules_for_one_name_are_refused():
    (problem,) = problems(rates=(Rule.of("A", "1"), Rule.of("A", "2")))
    assert problem == "'A' has 2 rules; one is possible"


@pytest.mark.parametrize("count", [0.0, -1.0, float("nan")])
def test_a_stoichiometry_is_a_number_above_zero(count):
    one = reaction("r", "", "", "1")
    (problem,) = problems(reactions=(type(one)("r", (("A", count),), (), one.rate),))
    assert "must be a number above zero" in problem


# ---- who changes ------------------------------------------------------------------------------------------------------
def test_states_are_what_reactions_rates_and_events_change():
    system = shuttling()
    assert system.states == ("outside", "inside")
    assert system.assigned == ("total",)
    assert system.constants == ("enzyme", "vmax", "half", "leak", "cytoplasm", "nucleus")


def test_numbers_are_exchanged_by_name():
    changed = chain().with_values({"k1": q("k1", "3 1/h"), "A": q("A", "5")})
    assert changed.values["k1"].value == 3.0
    assert changed.values["A"].value == 5.0
    with pytest.raises(UnknownNameError, match=r"Unknown .* 'k3'. Known: A, B, k1, k2"):
        chain().with_values({"k3": q("k3", "1")})


def test_time_is_counted_in_the_unit_of_the_system():
    assert per_hour(shuttling()) == pytest.approx(60.0)
    with pytest.raises(ModelError, match="The unit of time of 'timeless' is not known"):
        per_hour(Kinetics("timeless", "", (species("A"),)))


# ---- functions in formulas -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-x ** 2", -9.0),
        ("2 ** -x", 0.125),
        ("2 ** 3 ** 2", 512.0),
        ("(2 ** 3) ** 2", 64.0),
        ("(-x) ** 2", 9.0),
        ("min(x, 2, 5) + max(x, 4)", 6.0),
        ("exp(ln(x)) - sqrt(x * x)", 0.0),
        ("log10(1000) * abs(-x)", 9.0),
        ("floor(2.7) + ceil(2.2)", 5.0),
        ("sin(0) + cos(0) + tanh(0)", 1.0),
    ],
)
def test_powers_and_functions_mean_what_they_say(text, value):
    formula = parse(text)
    assert evaluate(formula, {"x": 3.0}, {}) == pytest.approx(value)
    assert parse(str(formula)) == formula


def test_a_negative_number_to_a_power_is_written_in_brackets():
    assert str(Expression("**", (number(-2.0), variable("x")))) == "(-2) ** x"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("foor(x)", "unknown function 'foor'. Did you mean 'floor'?"),
        ("exp(x, y)", "exp takes 1 operand, not 2"),
        ("max(x)", "max takes 2 operands, not 1"),
        ("exp(x", "'\\)' was expected, not its end"),
    ],
)
def test_a_wrong_call_is_told(text, message):
    with pytest.raises(ExpressionError, match=message):
        parse(text)
