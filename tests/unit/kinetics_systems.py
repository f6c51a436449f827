"""Small systems of rate equations that tests of kinetics share."""

from __future__ import annotations

from paget.process import quantity
from paget.signalling.expression import parse
from paget.signalling.kinetics import Compartment, Event, Kinetics, Reaction, Rule, Species


def q(key, text):
    return quantity(text, reason="for this test", key=key)


def species(name, start=0.0, **more):
    return Species(name, q(name, f"{start}"), **more)


def reaction(name, reactants, products, rate):
    return Reaction(name, tuple((r, 1.0) for r in reactants), tuple((p, 1.0) for p in products), parse(rate))


def chain(**more):
    """A -> B -> nothing, at 2 and 0.5 per hour."""
    return Kinetics(
        "chain",
        "h",
        (species("A", 1.0), species("B")),
        (q("k1", "2 1/h"), q("k2", "0.5 1/h")),
        reactions=(reaction("first", "A", "B", "k1 * A"), reaction("second", "B", "", "k2 * B")),
        **more,
    )


def robertson():
    """The stiff problem of Robertson (1966): rates from 0.04 to 3e7."""
    return Kinetics(
        "robertson",
        "s",
        (species("A", 1.0), species("B"), species("C")),
        (q("slow", "0.04"), q("fast", "3e7"), q("back", "1e4")),
        rates=(
            Rule.of("A", "back * B * C - slow * A"),
            Rule.of("B", "slow * A - back * B * C - fast * B ** 2"),
            Rule.of("C", "fast * B ** 2"),
        ),
    )


def predators():
    """Prey x and predators y of Lotka and Volterra, with a = 1.1, b = 0.4, c = 0.4, d = 0.1."""
    return Kinetics(
        "predators",
        "",
        (species("x", 10.0), species("y", 5.0)),
        tuple(q(name, value) for name, value in (("a", "1.1"), ("b", "0.4"), ("c", "0.4"), ("d", "0.1"))),
        rates=(Rule.of("x", "a * x - b * x * y"), Rule.of("y", "d * x * y - c * y")),
    )


def bouncing():
    """A ball that falls from 1 and bounces without loss; an event turns its speed round."""
    return Kinetics(
        "bouncing",
        "s",
        (species("height", 1.0, nonnegative=False), species("speed", 0.0, nonnegative=False)),
        (q("g", "10"),),
        rates=(Rule.of("height", "speed"), Rule.of("speed", "-g")),
        events=(Event("bounce", parse("height < 0"), (Rule.of("speed", "-speed"),)),),
    )


def shuttling():
    """A protein between two compartments of different size: concentrations in both, with an enzyme on the way."""
    return Kinetics(
        "shuttling",
        "min",
        (
            species("outside", 3.0, compartment="cytoplasm"),
            species("inside", 0.0, compartment="nucleus"),
            species("enzyme", 2.0, compartment="cytoplasm", boundary=True),
            species("total", 0.0, amount=True, compartment="cytoplasm"),
        ),
        (q("vmax", "1.5"), q("half", "2"), q("leak", "0.1")),
        (Compartment("cytoplasm", q("cytoplasm", "4")), Compartment("nucleus", q("nucleus", "0.5"))),
        assignments=(Rule.of("total", "outside * cytoplasm + inside * nucleus"),),
        reactions=(
            reaction(
                "entry",
                ("outside",),
                ("inside",),
                "cytoplasm * vmax * enzyme * outside ** 2 / (half ** 2 + outside ** 2)",
            ),
            reaction("exit", ("inside",), ("outside",), "nucleus * leak * inside"),
        ),
    )


def overdamped():
    """A spring of strength 1e4 in a fluid of 1e8: x creeps back as exp(-t), on steps for which the diagonal is small."""
    return Kinetics(
        "overdamped",
        "s",
        (species("x", 1.0, nonnegative=False), species("y", 0.0, nonnegative=False)),
        (q("spring", "1e4"), q("drag", "1e8")),
        rates=(Rule.of("x", "spring * y"), Rule.of("y", "-spring * x - drag * y")),
    )
