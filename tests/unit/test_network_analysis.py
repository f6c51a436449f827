"""Analyses of networks: attractors against brute force, probabilities, screens, differences, pictures."""

from __future__ import annotations

import itertools
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.linalg import expm
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from paget.errors import ModelError, UnknownNameError
from paget.report.epistasis import epistasis_figure
from paget.report.influence import draw_influence, influence_figure
from paget.report.influence_layout import HEIGHT, layout
from paget.signalling.analysis import (
    WILD_TYPE,
    Perturbation,
    attractors,
    diff,
    independent,
    knock_outs,
    outputs_of,
    screen,
    state_probabilities,
)
from paget.signalling.analysis.proportions import paired_difference, paired_test, wilson
from paget.signalling.network import Network, Node
from paget.signalling.population import simulate

SWITCH = Network(
    name="switch",
    nodes=(
        Node(name="Signal", initial=0.5),
        Node(name="A", logic="Signal & !B", module="core"),
        Node(name="B", logic="!A", initial=1.0, module="core"),
        Node(name="Fate", logic="A", module="fate"),
    ),
)
CLOCK = Network(name="clock", nodes=(Node(name="On"), Node(name="A", logic="On & !B"), Node(name="B", logic="On & A")))


def random_network(seed, nodes=6):
    """A network with random truth tables of up to three regulators, a fifth of the nodes with rates that may be zero."""
    rng = np.random.default_rng(seed)
    names = [f"N{i}" for i in range(nodes)]

    def formula(regulators):
        rows = [
            " & ".join(n if on else f"!{n}" for n, on in zip(regulators, states, strict=True))
            for states in itertools.product((0, 1), repeat=len(regulators))
            if rng.random() < 0.5
        ]
        return " | ".join(f"({row})" for row in rows) or "0"

    made = []
    for name in names:
        regulators = list(rng.choice(names, rng.integers(1, 4), replace=False))
        if rng.random() < 0.2:
            made.append(Node(name=name, up=f"({formula(regulators)}) * 2", down=f"{formula(regulators)} ? 0.5 : 0"))
        else:
            made.append(Node(name=name, logic=formula(regulators), up=str(rng.choice([0.5, 1.0])), down="0.5"))
    return Network(name="random", nodes=tuple(made))


def bottom_components(network):
    """Attractors by brute force: all states, all transitions with a rate above 0, strongly connected sets without a way out."""
    from paget.signalling.tables import Tables

    tables, n = Tables.of(network, network.values()), len(network.nodes)
    states = np.arange(2**n)
    start, end = [], []
    for j in range(n):
        regulators = tables.regulator[tables.first_regulator[j] : tables.first_regulator[j + 1]]
        index = sum(((states >> int(i) & 1) << p for p, i in enumerate(regulators)), np.zeros_like(states))
        rates = tables.rates[tables.table[tables.table_at[j] + index], states >> j & 1]
        start.append(states[rates > 0])
        end.append(states[rates > 0] ^ (1 << j))
    a, b = np.concatenate(start), np.concatenate(end)
    graph = csr_array((np.ones(a.size), (a, b)), shape=(2**n, 2**n))
    _, label = connected_components(graph, directed=True, connection="strong")
    closed = set(range(label.max() + 1)) - set(label[a[label[a] != label[b]]].tolist())
    return {frozenset(np.flatnonzero(label == one).tolist()) for one in closed}


# ---- attractors --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", range(25))
def test_attractors_are_the_sets_of_states_without_a_way_out(seed):
    pytest.importorskip("biodivine_aeon")
    network = random_network(seed)
    found, wanted = attractors(network), bottom_components(network)
    points = {int(sum(int(v) << i for i, v in enumerate(point))) for point in found.fixed}
    assert points == {next(iter(one)) for one in wanted if len(one) == 1}
    circles = sorted(len(one) for one in wanted if len(one) > 1)
    assert sorted(one.states for one in found.circling) == circles
    for one in found.circling:
        (match, *_) = [
            w for w in wanted if len(w) == one.states and _ends(network, w) == (dict(one.low), dict(one.high))
        ]
        assert match


def _ends(network, states):
    levels = np.array([[s >> i & 1 for i in range(len(network.nodes))] for s in states])
    return tuple(
        dict(zip(network.names, map(int, ends), strict=True)) for ends in (levels.min(axis=0), levels.max(axis=0))
    )


def test_a_rate_that_is_zero_takes_a_transition_away():
    pytest.importorskip("biodivine_aeon")
    latch = Network(name="latch", nodes=(Node(name="S"), Node(name="A", up="S ? 1 : 0", down="0")))
    assert attractors(latch, {"S": 0}).fixed.tolist() == [[0, 0], [0, 1]]  # what was set once stays
    assert attractors(latch, {"S": 1}).fixed.tolist() == [[1, 1]]
    noisy = Network(name="noisy", nodes=(Node(name="A", up="1", down="2"),))
    (cycle,) = attractors(noisy).circling
    assert cycle.moving == ("A",)


def test_inputs_take_every_value_unless_held_and_phenotypes_are_named_by_the_first_that_fits():
    pytest.importorskip("biodivine_aeon")
    found = attractors(SWITCH)
    assert found.frame({"fated": "Fate", "signalled": "Signal"})["phenotype"].tolist() == ["none", "signalled", "fated"]
    assert found.count({"fated": "Fate"}) == {"fated": 1, "none": 2}
    assert len(attractors(SWITCH, {"Signal": 0}).fixed) == 1
    assert attractors(SWITCH, {"B": 1, "Signal": 1}).frame()["A"].tolist() == [0]
    with pytest.raises(UnknownNameError, match="Did you mean 'Fate'"):
        found.frame({"x": "Fat"})


def test_a_clock_circles_only_while_it_is_on():
    pytest.importorskip("biodivine_aeon")
    found = attractors(CLOCK)
    assert found.fixed.tolist() == [[0, 0, 0]]
    (cycle,) = found.circling
    assert (cycle.states, cycle.moving, cycle.low["On"]) == (4, ("A", "B"), 1)


def test_levels_are_counted_and_impossible_ones_left_out():
    pytest.importorskip("biodivine_aeon")
    network = Network(
        name="levels",
        nodes=(Node(name="S"), Node(name="T"), Node(name="X", logic=("S", "S & T")), Node(name="Y", logic="X >= 2")),
    )
    assert attractors(network).frame().to_dict("list") == {
        "S": [0, 0, 1, 1], "T": [0, 1, 0, 1], "X": [0, 0, 1, 2], "Y": [0, 0, 0, 1]
    }  # fmt: skip
    assert attractors(network, {"X": 1, "S": 0, "T": 0}).fixed.tolist() == [[0, 0, 1, 0]]
    dial = Network(name="dial", nodes=(Node(name="X", logic=("X", "X")),))
    assert attractors(dial).fixed.tolist() == [[0], [1], [2]]
    with pytest.raises(ModelError, match="from 0 to 2"):
        attractors(network, {"X": 3})


def test_more_attractors_than_wanted_are_counted_not_listed():
    pytest.importorskip("biodivine_aeon")
    inputs = Network(name="inputs", nodes=tuple(Node(name=f"I{i}") for i in range(40)))
    with pytest.raises(ModelError, match=r"1,099,511,627,776 fixed points.*40 free inputs; hold some"):
        attractors(inputs)
    with pytest.raises(ModelError, match="3 fixed points, more than the 2"):
        attractors(SWITCH, most=2)


def test_attractors_without_the_extra_say_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "biodivine_aeon", None)
    with pytest.raises(ModelError, match=r"pip install 'paget\[networks\]'"):
        attractors(SWITCH)


# ---- probabilities -----------------------------------------------------------------------------------------------------------
def test_state_probabilities_are_those_of_the_exact_chain():
    network = Network(
        name="two", nodes=(Node(name="A", logic="!B", up="2", down="1"), Node(name="B", logic="A", down="3"))
    )
    # states in the order AB = 00, 10, 01, 11
    q = np.array([[-2, 2, 0, 0], [0, -1, 0, 1], [3, 0, -3, 0], [0, 0, 1, -1]], float)
    times, cells = np.array([0.3, 1.0, 4.0]), 200_000
    found = state_probabilities(network, times, cells, outputs=["A", "B"], seed=1)
    exact = np.array([expm(q * t)[0] for t in times])
    for column, state in enumerate(("none", "A", "B", "A + B")):
        error = np.sqrt(exact[:, column] * (1 - exact[:, column]) / cells)
        assert np.all(
            np.abs(found[state] - exact[:, column]) < 4.0 * error + 1e-12
        )  # 12 comparisons: fails once in 1,300 runs
    entropy = -(exact * np.log2(exact)).sum(axis=1)
    assert found.entropy == pytest.approx(entropy, abs=0.01)
    assert found.frame().groupby("time")["probability"].sum().tolist() == pytest.approx([1.0] * 3)
    top = found.most_probable(1)
    assert top["probability"].iloc[0] == found.probability[-1].max()
    assert top["error"].iloc[0] == pytest.approx(
        np.sqrt(top["probability"].iloc[0] * (1 - top["probability"].iloc[0]) / cells)
    )


def test_outputs_are_what_regulates_nothing_and_unknown_states_are_refused():
    assert outputs_of(SWITCH) == ("Fate",)
    found = state_probabilities(SWITCH, [2.0], 100)
    assert found.outputs == ("Fate",)
    assert found["Fate"] + found["none"] == pytest.approx(1.0)
    with pytest.raises(UnknownNameError):
        found["Fat"]
    with pytest.raises(UnknownNameError):
        state_probabilities(SWITCH, [1.0], 10, outputs=["Fat"])
    loop = Network(name="loop", nodes=(Node(name="A", logic="!B"), Node(name="B", logic="A")))
    with pytest.raises(ModelError, match="outputs"):
        state_probabilities(loop, [1.0], 10)
    with pytest.raises(ModelError, match="ascend"):
        state_probabilities(SWITCH, [2.0, 1.0], 10)


# ---- shares and screens ------------------------------------------------------------------------------------------------------
def test_intervals_of_pairs_are_those_of_the_literature():
    def cells(both, first, second, neither):
        treated = np.repeat([True, True, False, False], [both, first, second, neither])
        return treated, np.repeat([True, False, True, False], [both, first, second, neither])

    # Newcombe 1998, table II, method 10
    assert paired_difference(*cells(36, 12, 2, 0)) == pytest.approx((0.2, 0.0569, 0.3404), abs=5e-5)
    assert paired_test(*cells(36, 12, 2, 0)) == pytest.approx(2 * (1 + 14 + 91) / 2**14)
    assert paired_test(*cells(5, 0, 0, 5)) == 1.0
    assert wilson(0, 10)[0] == 0.0
    assert wilson(10, 10)[1] == 1.0
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=5e-5)


@pytest.mark.parametrize("opposed", [False, True])
def test_intervals_of_pairs_hold_the_truth_as_often_as_they_say(opposed):
    rng = np.random.default_rng(3)
    held, runs = 0, 2_000
    for _ in range(runs):
        control = rng.random(200) < 0.5
        moved = rng.random(200) < 0.2
        treated = np.where(moved, True, ~control if opposed else control)
        _, low, high = paired_difference(treated, control)
        held += low <= 0.1 <= high
    assert 0.935 < held / runs < 0.975  # 95 %, three standard errors of the simulation around what method 10 holds


def test_a_screen_finds_what_each_loss_does():
    found = knock_outs(SWITCH, ["Fate"], times=30.0, cells=4_000, gain=True, start={"B": 0.5})
    table = found.frame().set_index("perturbation")
    assert table.loc["A loss", "value"] == 0.0
    assert table.loc["B loss", "value"] == pytest.approx(0.5, abs=0.03)
    assert table.loc["Fate gain", "value"] == 1.0
    assert table.loc["A loss", "effect"] == -found.wild_type[0, 0]
    assert np.all(table["low"] <= table["effect"] + 1e-12)
    assert np.all(table["high"] >= table["effect"] - 1e-12)
    assert np.all(table["p_holm"] >= table["p"])
    assert table.loc["A loss", "p_holm"] < 1e-10


def test_a_screen_does_not_depend_on_workers_or_on_what_else_is_screened():
    given = {"times": [1.0, 5.0], "cells": 7_001, "seed": 9}
    one = knock_outs(SWITCH, ["Fate", "A"], workers=1, double=True, **given)
    many = knock_outs(SWITCH, ["Fate", "A"], workers=3, double=True, **given)
    few = knock_outs(SWITCH, ["Fate", "A"], nodes=["B"], workers=1, **given)
    assert one.perturbations == many.perturbations
    for name in (WILD_TYPE, *one.perturbations):
        assert np.array_equal(one.outcomes[name], many.outcomes[name])
    assert np.array_equal(few.outcomes["B loss"], one.outcomes["B loss"])
    assert one.cells_with("B loss", "Fate", 1.0).shape == (7_001,)


def test_a_screen_reads_formulas_under_a_background_and_doses():
    arms = {"half A": Perturbation(inhibit={"A": 0.5}), "nothing": Perturbation()}
    found = screen(
        SWITCH,
        {"fated": "Fate & Signal"},
        arms,
        times=40.0,
        cells=20_000,
        background=Perturbation(hold={"Signal": 1, "B": 0}),
    )
    assert found.wild_type[0, 0] > 0.999
    assert found.share("half A", "fated") == pytest.approx(0.5, abs=0.02)  # P(ON) = 1 - h
    assert found.frame().set_index("perturbation").loc["nothing", ["effect", "p"]].tolist() == [0.0, 1.0]


def test_independent_perturbations_show_no_epistasis_and_a_backup_does():
    nodes = [Node(name="A", logic="1"), Node(name="B", logic="1")]
    backup = Network(name="backup", nodes=(*nodes, Node(name="Alive", logic="A | B")))
    table = knock_outs(backup, ["Alive"], nodes=["A", "B"], double=True, times=60.0, cells=2_000).epistasis("Alive")
    assert table[["value", "expected", "deviation"]].iloc[0].tolist() == pytest.approx([0.0, 1.0, -1.0])
    # two doses that thin out independent gates multiply
    gates = Network(name="gates", nodes=(*nodes, Node(name="Alive", logic="A & B", up="1000", down="1000")))
    doses = {"A": Perturbation(inhibit={"A": 0.4}), "B": Perturbation(inhibit={"B": 0.3})}
    arms = {**doses, "both": doses["A"] | doses["B"]}
    found = (
        screen(gates, ["Alive"], arms, times=60.0, cells=40_000, pairs={"both": ("A", "B")}).epistasis("Alive").iloc[0]
    )
    assert found["expected"] == pytest.approx(0.42, abs=0.01)
    assert abs(found["deviation"]) < 4.0 * found["error"]
    assert found["error"] == pytest.approx(0.0035, rel=0.4)
    assert independent(0.2, 0.2, 0.7) == pytest.approx(0.7)
    assert independent(1.0, 1.0, 1.0) == 1.0


def test_a_screen_that_cannot_run_says_all_that_is_wrong():
    with pytest.raises(ModelError) as caught:
        screen(SWITCH, [], {"x": Perturbation(hold={"A": 3}, inhibit={"B": 2.0})}, times=[2.0, 1.0], cells=1, workers=0)
    assert len(caught.value.problems) == 6
    with pytest.raises(UnknownNameError, match="Fate"):
        knock_outs(SWITCH, ["Fat"], times=1.0)
    with pytest.raises(UnknownNameError):
        knock_outs(SWITCH, ["Fate"], nodes=["C"], times=1.0)
    found = knock_outs(SWITCH, ["Fate"], times=1.0, cells=10)
    with pytest.raises(ModelError, match="double=True"):
        found.epistasis("Fate")
    with pytest.raises(ModelError, match="only at 1 h"):
        found.share("A loss", "Fate", 2.0)
    with pytest.raises(UnknownNameError):
        found.share("C loss", "Fate")


# ---- differences -------------------------------------------------------------------------------------------------------------
def test_logic_written_otherwise_is_no_difference():
    other = SWITCH.changed(Node(name="A", logic="!(!Signal | B)", module="core"), name="same")
    found = diff(SWITCH, other)
    assert not found
    assert str(found) == "'switch' and 'same' do the same."
    idle = SWITCH.changed(Node(name="A", logic="Signal & !B & (Fate | !Fate)", up="60", down="60"))
    minutes = Network(name="minutes", nodes=SWITCH.nodes, up="1 / 60", down="1 / 60", time="min")
    assert not diff(SWITCH, minutes)
    assert [change.what for change in diff(SWITCH, idle).changes] == ["rate up", "rate down"]


def test_every_kind_of_difference_is_told_with_a_state_that_shows_it():
    other = SWITCH.changed(
        Node(name="A", logic="Signal & !B & !Fate", initial=0.25),
        Node(name="B", logic="!A", up="Signal ? 3 : 1", initial=1.0, division="redraw"),
        Node(name="New", logic="A"),
        name="other",
        without=(),
    )
    found = diff(SWITCH, other)
    told = {(change.node, change.what): change for change in found.changes}
    assert set(told) == {("A", "logic"), ("A", "start"), ("B", "rate up"), ("B", "division")}
    state = told["A", "logic"].where
    assert (state["Signal"], state["B"], state["Fate"]) == (1, 0, 1)
    assert (told["A", "logic"].before, told["A", "logic"].after) == ("on", "off")
    assert told["B", "rate up"].where == {"Signal": 1}
    assert found.added == ("New",)
    assert {(e.source, e.target, e.sign) for e in found.edges_added} == {
        ("Fate", "A", -1),
        ("Signal", "B", 1),
        ("A", "New", 1),
    }
    back = diff(other, SWITCH)
    assert back.removed == ("New",)
    assert "- node New" in str(back)


def test_differences_of_levels_inputs_and_kinds_are_told():
    plain = Network(name="a", nodes=(Node(name="S"), Node(name="X", logic=("S", "S")), Node(name="Y", logic="S")))
    other = Network(
        name="b",
        nodes=(Node(name="S", logic="Y"), Node(name="X", logic="S"), Node(name="Y", up="S ? 1 : 0", down="S ? 0 : 1")),
    )
    assert [str(change) for change in diff(plain, other).changes] == [
        "S: is an input -> regulated", "X: levels 2 -> 1", "Y: is set by logic -> rates"
    ]  # fmt: skip
    thirds = plain.changed(Node(name="X", logic=("S", "S & Y")))
    (change,) = diff(plain, thirds).changes
    assert change.node == "X_b2"


# ---- drawings ----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("modules", [1, 5])
def test_boxes_never_overlap_and_stay_in_the_picture(modules):
    rng = np.random.default_rng(4)
    names = [f"GENE{i}" for i in range(76)]
    edges = [(names[a], names[b]) for a, b in rng.integers(0, 76, (180, 2))]
    given = {name: f"module {i % modules}" if modules > 1 else "" for i, name in enumerate(names)}
    found = layout(names, edges, given, {name: name for name in names})
    for one, other in itertools.combinations(names, 2):
        (x0, y0), (x1, y1) = found.places[one], found.places[other]
        apart = abs(x0 - x1) >= (found.widths[one] + found.widths[other]) / 2 or abs(y0 - y1) >= HEIGHT
        assert apart, (one, other)
    assert all(0.0 <= x <= found.size[0] and 0.0 <= y <= found.size[1] for x, y in found.places.values())
    for block in found.blocks:
        inside = [n for n in names if given[n] == block.name]
        assert all(abs(found.places[n][0] - block.x) + found.widths[n] / 2 <= block.width / 2 for n in inside)
    assert layout(names, edges, given, {name: name for name in names}) == found


def test_the_figure_shows_activities_and_every_influence(tmp_path):
    course = simulate(SWITCH, [20.0], cells=500, hold={"Signal": 1})
    figure = influence_figure(SWITCH, course, title="Switch")
    lines = [trace for trace in figure.data if trace.mode == "lines" and trace.opacity == 0.75]
    assert len(lines) == len(SWITCH.edges)
    words = next(trace for trace in figure.data if trace.mode == "text" and "Fate" in trace.text)
    assert "activated by A" in words.hovertemplate[words.text.index("Fate")]
    coloured = [shape for shape in figure.layout.shapes if shape.opacity is not None and shape.fillcolor]
    assert max(shape.opacity for shape in coloured) == pytest.approx(0.85)  # Signal, always on
    assert "var(--ink)" in influence_figure(SWITCH, theme="page").to_json()
    assert "var(" not in influence_figure(SWITCH, {"A": 0.5}, theme="dark").to_json()
    for name in ("a.svg", "a.png"):
        assert draw_influence(SWITCH, tmp_path / name, course, highlight=["A"]).stat().st_size > 4_000
    first = (tmp_path / "a.svg").read_bytes()
    assert draw_influence(SWITCH, tmp_path / "b.svg", course, highlight=["A"]).read_bytes() == first


def test_a_drawing_refuses_what_it_cannot_show(tmp_path):
    with pytest.raises(ModelError, match="from 0 to 1"):
        influence_figure(SWITCH, {"A": 1.5})
    with pytest.raises(UnknownNameError):
        influence_figure(SWITCH, {"C": 0.5})
    with pytest.raises(UnknownNameError):
        influence_figure(SWITCH, highlight=["C"])
    with pytest.raises(ModelError, match=r"\.svg, \.png, \.pdf"):
        draw_influence(SWITCH, tmp_path / "a.docx")


def test_the_heat_map_of_doubles_is_symmetric_and_marks_what_is_sure():
    backup = Network(
        name="backup", nodes=(*(Node(name=n, logic="1") for n in "ABC"), Node(name="Alive", logic="(A | B) & C"))
    )
    effects = knock_outs(backup, ["Alive"], nodes=["A", "B", "C"], double=True, times=60.0, cells=500)
    figure = epistasis_figure(effects, "Alive")
    (heat,) = figure.data
    z = np.array(heat.z, float)
    assert np.array_equal(z, z.T, equal_nan=True)
    assert (z[0, 1], z[0, 2]) == (-1.0, 0.0)
    assert np.array(heat.text)[0].tolist() == ["1", "***", ""]
    assert np.isnan(np.diag(z)).all()
    assert "var(" not in figure.to_json()


def test_the_guide_to_the_analysis_of_networks_runs(monkeypatch, tmp_path, capsys):
    pytest.importorskip("biodivine_aeon")
    guide = Path(__file__).parents[2] / "docs" / "network_analysis.md"
    if not guide.exists():
        pytest.skip("the documentation is not beside the tests")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for number, code in enumerate(re.findall(r"^```python\n(.*?)^```", guide.read_text(encoding="utf-8"), re.S | re.M)):
        exec(compile(code, f"network_analysis.md, block {number}", "exec"), names)
    assert "TP53: logic on -> off where" in capsys.readouterr().out
    assert (tmp_path / "fate.svg").exists()
