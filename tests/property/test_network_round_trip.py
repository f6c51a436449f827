"""Whatever network is written, in any format, is read as the same chain: the same rates in every state, or the same logic."""

from __future__ import annotations

import string
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from network_dynamics import leaving, possible_changes, same

from paget.errors import PagetError
from paget.io.networks import (
    MabossSettings,
    read_bnet,
    read_maboss,
    read_sbml_qual,
    write_bnet,
    write_maboss,
    write_sbml_qual,
)
from paget.process import quantity
from paget.signalling import Network, Node

UP, DOWN = quantity("3 1/h", reason="for a test"), quantity("0.7 1/h", reason="for a test")
NAMES = ("A", "B", "C", "D", "E")
COMPARISONS = (">=", "==", "<")


def _logic(chance, atoms, operators, parts):
    """A formula of logic of so many parts."""
    if parts < 2:
        return chance.choice(atoms)
    kind = chance.randrange(6)
    if kind == 0:
        return f"!{_logic(chance, atoms, operators, parts - 1)}"
    some = [_logic(chance, atoms, operators, parts // (2 + (kind == 1))) for _ in range(2 + (kind == 1))]
    return f"({some[0]} ? {some[1]} : {some[2]})" if kind == 1 else f"({some[0]} {chance.choice(operators)} {some[1]})"


def _number(chance):
    return chance.choice([str(chance.randrange(10)), repr(chance.random()), repr(10.0 ** chance.uniform(-6.0, 6.0))])


def _rate(chance, names, parts):
    """A rate of so many parts that may depend on the state, with functions that some formats lack; it is never negative."""
    if parts < 2:
        return chance.choice([_number(chance), "{k}", chance.choice(names)])
    first, second = (_rate(chance, names, parts // 2) for _ in range(2))
    test = _logic(chance, names, ("&", "|", "^", *COMPARISONS), 3)
    return chance.choice(
        [
            f"({first} + {second})",
            f"{first} * {second}",
            f"{first} / (1 + {second})",
            f"({test} ? {first} : {second})",
            f"(max({first}, {second}) - min({first}, {second}))",
            f"sqrt({first})",
            f"ln(1 + {first})",
            f"exp(-{first})",
        ]
    )


@st.composite
def chains(draw):
    """Networks of nodes with logic, with rates, with both or with neither."""
    chance = draw(st.randoms(use_true_random=False))
    names = NAMES[: draw(st.integers(1, len(NAMES)))]
    operators = ("&", "|", "^", *COMPARISONS)
    nodes = []
    for name in names:
        kind = draw(st.sampled_from(["input", "logic", "both", "rates"]))
        rated = kind in ("both", "rates")
        logic = _logic(chance, (*names, "0", "1"), operators, chance.randrange(1, 9))
        nodes.append(
            Node(
                name=name,
                logic=logic if kind in ("logic", "both") else None,
                up=_rate(chance, names, chance.randrange(1, 7)) if rated else None,
                down=_rate(chance, names, chance.randrange(1, 7)) if rated else None,
                initial=draw(st.sampled_from([0.0, 1.0, 0.5]) | st.floats(0.0, 1.0)),
                label=draw(st.text(string.ascii_letters + ' "\\/*;{}', max_size=12)),
            )
        )
    return Network(
        name="random",
        nodes=tuple(nodes),
        up=_rate(chance, names, 3),
        down=_number(chance),
        time=draw(st.sampled_from(["h", "min", "day"])),
        quantities={"k": quantity(f"{_number(chance)} 1/h", reason="for a test")},
    )


@st.composite
def logics(draw, levels=1):
    """Networks of logic alone, nodes of up to so many levels; each level implies the one below."""
    chance = draw(st.randoms(use_true_random=False))
    names = NAMES[: draw(st.integers(1, 3 if levels > 1 else len(NAMES)))]
    tops = {name: draw(st.integers(1, levels)) for name in names}
    several = [name for name in names if tops[name] > 1]
    atoms = [
        *names,
        "0",
        "1",
        *(f"({name} {op} {level})" for name in several for level in range(4) for op in COMPARISONS),
    ]
    # A bare name of a node with levels says whether it is at 1 or more; it is not compared with others.
    operators = ("&", "|", "^") if several else ("&", "|", "^", *COMPARISONS)
    nodes = []
    for name in names:
        wanted = [name] * tops[name] if draw(st.integers(0, 3)) == 0 else []
        while len(wanted) < tops[name]:
            below = f" & {wanted[-1]}" if wanted else ""
            wanted.append(f"({_logic(chance, atoms, operators, chance.randrange(1, 8))}{below})")
        nodes.append(Node(name=name, logic=tuple(wanted), initial=float(draw(st.integers(0, tops[name])))))
    return Network(name="random", nodes=tuple(nodes), up="3", down="0.7")


@settings(max_examples=150, deadline=None)
@given(chains(), st.integers(0, 31))
def test_what_is_written_for_maboss_is_read_as_the_same_chain(network, mask):
    outputs = [name for i, name in enumerate(network.names) if mask >> i & 1]
    told = MabossSettings(max_time=12.0, sample_count=mask + 1)
    model = read_maboss(*write_maboss(network, told, outputs=outputs), time=network.time)
    assert same(leaving(model.network), leaving(network))
    assert model.outputs == (tuple(outputs) or network.names)
    assert model.settings.sample_count == mask + 1
    assert model.settings.max_time == pytest.approx(12.0, rel=1e-15)
    assert [model.initial[node.name] for node in network.nodes] == [node.initial for node in network.nodes]
    assert [node.label for node in model.network.nodes] == [" ".join(node.label.split()) for node in network.nodes]


@settings(max_examples=100, deadline=None)
@given(logics(levels=3))
def test_levels_written_for_maboss_are_read_as_the_same_chain(network):
    model = read_maboss(*write_maboss(network), time="h")
    assert same(leaving(model.network), leaving(network))


@settings(max_examples=150, deadline=None)
@given(logics())
def test_logic_written_as_bnet_is_read_the_same(network):
    again = read_bnet(write_bnet(network), up=UP, down=DOWN)
    assert same(leaving(again), leaving(network))


@settings(max_examples=100, deadline=None)
@given(logics(levels=3))
def test_levels_written_as_sbml_qual_are_read_the_same(network):
    pytest.importorskip("libsbml")
    again = read_sbml_qual(write_sbml_qual(network), up=UP, down=DOWN)
    assert same(leaving(again), leaving(network))
    assert [node.initial for node in again.nodes] == [node.initial for node in network.nodes]


@settings(max_examples=100, deadline=None)
@given(chains())
def test_as_logic_only_a_chain_keeps_which_changes_are_possible(network):
    pytest.importorskip("libsbml")
    expected = possible_changes(network)
    rates = {"up": UP, "down": DOWN}
    assert same(possible_changes(read_bnet(write_bnet(network, logic_only=True), **rates)), expected)
    assert same(possible_changes(read_sbml_qual(write_sbml_qual(network, logic_only=True), **rates)), expected)


@settings(max_examples=300, deadline=None)
@given(
    st.text(alphabet='nodeA BX{}[]();=.,:?!&|^$@#"0123.5e-+*/<>\n'), st.text(alphabet="AX.istate=[]0123,;$ab+-*/()?:\n")
)
def test_nonsense_is_read_or_refused_but_never_breaks_the_reader(bnd, cfg):
    for attempt in (
        lambda: read_maboss(bnd + "\n", cfg + "\n", time="h"),
        lambda: read_maboss("node A { rate_up = $a; }\n" + bnd + "\n", cfg + "\n", time="h"),
        lambda: read_bnet(bnd + "\n", up=UP, down=DOWN),
    ):
        with suppress(PagetError):
            attempt()
