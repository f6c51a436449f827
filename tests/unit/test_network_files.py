"""Models of MaBoSS are read by its definitions, refused by line where they cannot be, and written so that it reads the same."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from network_dynamics import leaving, rates_in_every_state, same
from scipy.linalg import expm

from paget.errors import ModelError, UnitError, UnknownNameError
from paget.io.networks import MabossSettings, read_maboss, write_maboss
from paget.io.networks import opening as files
from paget.io.networks.maboss import IGNORED
from paget.process import quantity
from paget.signalling import Network, Node

ANY = "$u = 1;\n"


def _rates(rule, others="A B C D", cfg=ANY, name="X"):
    """Rates of a node with these items, beside inputs."""
    bnd = "".join(f"node {one} {{ }}\n" for one in others.split()) + f"node {name} {{ {rule} }}\n"
    return rates_in_every_state(read_maboss(bnd, cfg, time="h").network)[name]


def _state(**on):
    return sum(1 << "ABCD".index(name) for name, value in on.items() if value)


# ---- what the files mean ------------------------------------------------------------------------------------------------
def test_rates_that_are_missing_are_one_where_the_logic_calls_and_one_where_not():
    rates = _rates("logic = A;")
    assert rates[_state(A=1)].tolist() == [1.0, 0.0]
    assert rates[_state(A=0)].tolist() == [0.0, 1.0]


def test_a_rate_up_alone_leaves_the_rate_down_to_the_logic():
    rates = _rates("logic = A; rate_up = B ? 3 : 2;")
    assert rates[_state(A=0, B=1)].tolist() == [3.0, 1.0]  # MaBoSS: the rate up is whole, whatever the logic says
    assert rates[_state(A=1, B=0)].tolist() == [2.0, 0.0]


def test_rates_without_logic_are_zero_where_they_are_not_given():
    assert _rates("rate_up = A ? 2 : 0;")[_state(A=1)].tolist() == [2.0, 0.0]


def test_rates_that_follow_the_logic_become_its_two_speeds():
    node = read_maboss("node A {}\nnode X { logic = A; rate_up = @logic ? $u : 0; rate_down = @logic ? 0.0 : 2*$u; }", ANY,
                       time="h").network.node("X")  # fmt: skip
    assert [str(one) for one in (*node.formulas, *node.speeds)] == ["A", "{u}", "2 * {u}"]


@pytest.mark.parametrize("rule", ["!@logic ? 5 : 0", "NOT @logic ? 5 : 0", "@logic ? 0 : 5", "(@logic) ? 0 : (5)"])
def test_a_rate_down_is_recognised_in_any_spelling(rule):
    node = read_maboss(f"node A {{}}\nnode X {{ logic = A & !A; rate_down = {rule}; }}", time="h").network.node("X")
    assert [str(one) for one in node.speeds] == ["1", "5"]


def test_an_exclusive_or_binds_more_loosely_than_an_or_as_in_maboss():
    rates = _rates("rate_up = A ^ B | C ? 7 : 1;")
    assert rates[_state(A=1, C=1), 0] == 1.0  # A ^ (B | C), not (A ^ B) | C
    assert rates[_state(A=1), 0] == 7.0


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("2 - 3 - -4", 3.0),
        ("-2 * -3", 6.0),
        ("1 < 2 < 3", 1.0),
        ("3 > 2 > 1", 0.0),
        ("1 ? 2 : 0 ? 3 : 4", 2.0),
        ("not 0 and (1 OR 0) xor 0", 1.0),
        ("6 / 3 / 2 + .5e1", 6.0),
        ("log(8, 2) + exp(0)", 4.0),
        ("exp(3, 2)", 8.0),
        ("5 == 5 && 4 != 4 || 1 <= 0", 0.0),
    ],
)
def test_formulas_have_the_values_of_maboss(formula, value):
    assert _rates(f"rate_up = {formula};")[0, 0] == pytest.approx(value, rel=1e-14)


def test_attributes_are_written_out_where_they_are_named():
    assert _rates("fast = @slow * 10; slow = A ? 2 : 1; rate_up = @fast;")[_state(A=1), 0] == 20.0


def test_variables_are_computed_from_top_to_bottom():
    cfg = "$a = 2; $b = $a * 3;\n$a = 10; $c = ($b > 5) ? -1 : TRUE;"
    assert _rates("rate_up = $b + $a + $c;", cfg=cfg)[0, 0] == 6.0 + 10.0 - 1.0


def test_later_files_change_what_earlier_ones_set():
    model = read_maboss(
        "node A { rate_up = $u; }", ["$u = 2; A.istate = 1;\n", "$u = 5; A.is_internal = 1;\n"], time="h"
    )
    assert model.network.values() == {"u": 5.0}
    assert model.outputs == ()


def test_every_variable_keeps_its_value_its_place_and_its_unit():
    model = read_maboss(
        "node A { rate_up = $k * (A ? 2 : $share); rate_down = $k2 + $k3 + ($k3 > 1); }\n",
        "$k = 3;\n$share=0.5; $k2 = 1; $k3 = 2; $unused = 3;",
        time="min",
    )
    found = model.network.quantities
    assert {key: (row.value, row.unit) for key, row in found.items()} == {
        "k": (3.0, ""),  # times another variable: which of the two is the rate cannot be told
        "share": (0.5, ""),
        "k2": (1.0, "1/min"),
        "k3": (2.0, ""),  # a rate in one place and a plain number in another
    }
    assert found["k"].basis == "assumed"
    assert "CFG text:1" in found["k"].reason


def test_times_are_told_in_hours_and_rates_in_the_unit_of_the_file():
    model = read_maboss(
        "node A { rate_up = 2; }", "max_time = 90; time_tick = 3; sample_count=7; seed_pseudorandom=5;", time="min"
    )
    assert model.settings == MabossSettings(max_time=1.5, time_tick=0.05, sample_count=7, seed=5)
    assert rates_in_every_state(model.network)["A"][0, 0] == pytest.approx(120.0, rel=1e-12)


def test_nodes_start_evenly_unless_told_otherwise():
    cfg = "B.istate = 1; C.istate = -1;\n[D].istate = 0.7 [0], 0.3 [1]; [E].istate = 2 [1], 6 [0]; F.ISTATE = FALSE;"
    model = read_maboss("".join(f"node {name} {{}}\n" for name in "ABCDEF"), cfg, time="h")
    assert model.initial == pytest.approx({"A": 0.5, "B": 1.0, "C": 0.5, "D": 0.3, "E": 0.25, "F": 0.0}, rel=1e-15)


def test_joint_starts_are_kept_where_nodes_are_independent():
    bnd = "".join(f"node {name} {{}}\n" for name in "ABCDE")
    cfg = "[A, B].istate = 0.06 [0, 0], 0.24 [0, 1], 0.14 [1, 0], 0.56 [1, 1];\n[C, D, E].istate = 1 [1, 0, 1];"
    assert read_maboss(bnd, cfg, time="h").initial == pytest.approx({"A": 0.7, "B": 0.8, "C": 1.0, "D": 0.0, "E": 1.0})


def test_comments_say_nothing():
    bnd = '# a line\n// another\nnode A { /* logic = B;\n */ logic = A; // rate_up = C;\n description = "// \\"kept\\""; }'
    node = read_maboss(bnd, "// A.istate = 7;\n/* $x */ ;;", time="h").network.node("A")
    assert (node.is_input, node.label) == (True, '// "kept"')


def test_nodes_that_are_not_internal_are_the_outputs():
    model = read_maboss("node A {}\nnode B {}\nnode C {}\n", "A.is_internal = 1; B.is_internal = 0;", time="h")
    assert model.outputs == ("B", "C")


def test_what_only_maboss_needs_is_passed_over():
    cfg = "thread_count = 4; use_physrandgen = FALSE; A.refstate = 1; A.in_graph = 1; discrete_time = 0;"
    assert read_maboss("node A {}\n", cfg, time="h").settings == MabossSettings()


def test_long_disjunctions_are_read():
    rule = " | ".join("(A & !B)" for _ in range(3000))
    assert _rates(f"logic = {rule};")[_state(A=1)].tolist() == [1.0, 0.0]


# ---- what is refused ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("bnd", "said"),
    [
        ("", "BND text:1: it has no nodes"),
        ("\n\n", "it has no nodes"),
        ("node A { logic = ; }", "BND text:1:18: a name, a number or '(' was expected, not ';'"),
        ("node A {\n  logic = (A & A;\n}", "BND text:2:17: ')' was expected, not ';'"),
        ("node A {\n  logic = A A;\n}", "BND text:2:13: ';' was expected, not 'A'"),
        ("node A { logic = A }", "1:20: ';' was expected, not '}'"),
        ("node A { logic = A;", "2:1: the text ends inside a node; '}' is missing"),
        ("node A { logic = A; } /* never\nends", "1:23: the comment that begins here has no end"),
        ("node A { logic = B; }", "1:18: node 'A' names 'B', which is no node. Known: A."),
        ("node TP53 { logic = TP53; }\nnode B { logic = TP35; }",
         "2:18: node 'B' names 'TP35', which is no node. Did you mean 'TP53'?"),
        ("node A {}\nnode A {}", "2:6: the node 'A' is given twice, first in line 1"),
        ("node A { logic = A;\n logic = 1; }", "2:2: 'logic' is given twice, first in line 1"),
        ("node A { Rate_Up = 1; }", "1:10: MaBoSS makes nothing of 'Rate_Up'; did you mean 'rate_up'?"),
        ("node A { logic = A; rate_up = @logi ? 1 : 0; }", "1:31: node 'A' has no 'logi' for @logi. Did you mean 'logic'?"),
        ("node A { a = @b; b = @a; rate_up = @a; }",
         "attributes are given by each other in a circle: @rate_up -> @a -> @b -> @a"),
        ('node A { logic = "A"; }', "1:18: 'logic' is a formula, not a text in quotes"),
        ('node A { a = "x"; rate_up = @a; }', "node 'A': @a is a text, not a formula"),
        ("node A { description = 3; }", "a description is a text in quotes"),
        ("node A { rate_up = sqrt(2); }", "1:20: MaBoSS has no function 'sqrt'; it has exp and log"),
        ("node A { rate_up = exp(1, 2, 3); }", "exp takes a value and a base, not 3 operands"),
        ("node A { rate_up = 2 ** 3; }", "1:23: a name, a number or '(' was expected, not '*'"),
        ("node A { rate_up = {k}; }", "was expected, not '{'"),
        ("node A { rate_up = 1e999; }", "'1e999' is too large a number"),
        ("node A { rate_up = 2x; }", "was expected, not '2'"),
        ("node A { rate_up = -3; }", "BND text:1: node 'A': its rate up, -3, is negative or not a number in some state"),
        ("node A { rate_up = 1 / A; }", "is negative or not a number in some state"),
        ("node A { rate_up = $k; }", "1:20: node 'A' needs $k, which no CFG gives. None are known here."),
        ("node β_catenin {}", "1:6: the name of a node cannot contain 'β'; use letters, digits and underscores"),
        ("node A { logic = β; }", "1:18: the name of a node cannot contain 'β'"),
        ("node p38-MAPK {}", "1:9: '{' was expected, not '-'"),
        ("A, B & C\nB, 1", "1:1: this is a line of another format; lines 'target, rule' are read by read_bnet"),
        ("division { rate = 1; }", "'division' is of populations of cells (PopMaBoSS); division and death are processes"),
        ("nodes A { }", "1:1: 'node' was expected, not 'nodes'"),
        ("node A { logic = " + "(" * 500 + "A" + ")" * 500 + "; }", "more than 100 brackets or signs within each other"),
        ("node A { logic = " + "!" * 50_000 + "A; }", "more than 100 brackets or signs within each other"),
        ("node A { rate_up = " + "1 + " * 5000 + "1; }", "a sum or product of more than 100 terms"),
        (
            "node A { a0 = A & A; " + "".join(f"a{k + 1} = @a{k} | @a{k}; " for k in range(40)) + "rate_up = @a40; }",
            "with its attributes written out, a formula has more than 50000 parts",
        ),
        (
            "".join(f"node R{k} {{}}\n" for k in range(17)) + f"node A {{ logic = {' & '.join(f'R{k}' for k in range(17))}; }}",
            "BND text:18: node 'A' has 17 regulators; at most 16 fit a truth table",
        ),
    ],
)  # fmt: skip
def test_a_wrong_bnd_is_refused_with_its_place(bnd, said):
    with pytest.raises(ModelError) as caught:
        read_maboss(bnd if "\n" in bnd else bnd + "\n", time="h")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("cfg", "said"),
    [
        ("$a = $b; $b = 1;", "CFG text:1:6: $b is given only later, in line 1; give it before it is used"),
        ("$a = $b;\n$b = $c;\n$c = $a;", "1:6: variables are given by each other in a circle: $b -> $c -> $a -> $b"),
        ("$a = $a + 1;", "variables are given by each other in a circle: $a -> $a"),
        ("$rate = 1; $a = $rato;", "1:17: $rato is not given. Did you mean '$rate'?"),
        ("$a = A;", "1:6: 'A' has no value here; use numbers and $variables"),
        ("$a = 1 / 0;", "1:6: the value is not finite"),
        ("$a = 3", "';' was expected, not the end of the text"),
        ("A.istate = 0.3;", "1:3: A.istate must be 0, 1 or -1 (even chances); MaBoSS takes 0.3 for 1; for a probability write "
                            "[A].istate = 0.7 [0], 0.3 [1];"),
        ("A.istate = 1; A.istate = 0;", "1:15: the start of 'A' is given twice, first in line 1"),
        ("[A, B].istate = 0.5 [0, 0], 0.5 [1, 1];", "1:1: A, B start in states that depend on each other"),
        ("[A, B].istate = 0.4 [0, 0], 0.1 [0, 1], 0.1 [1, 0], 0.4 [1, 1];", "start in states that depend on each other"),
        ("[A].istate = 0.5 [0, 1];", "a probability is needed, and in brackets 1 states, one of each node"),
        ("[A].istate = -1 [0], 2 [1];", "a probability is needed"),
        ("[A].istate = 0 [0], 0 [1];", "the probabilities of a start must not all be 0"),
        ("[A].is_internal = 1;", "unknown attribute 'is_internal' of nodes in brackets; there is only istate"),
        ("[A].pop_istate = 1 [{[0]: 3}];", "'pop_istate' is of populations of cells (PopMaBoSS)"),
        ("custom_pop_output = 3;", "'custom_pop_output' is of populations of cells (PopMaBoSS)"),
        ("Z.istate = 1;", "1:1: 'Z' is no node. Known: A, B."),
        ("[A, Z].istate = 1 [0, 0];", "'Z' is no node"),
        ("A.isternal = 1;", "1:3: unknown attribute 'isternal' of a node. Did you mean 'is_internal'?"),
        ("max_tim = 3;", "1:1: unknown setting 'max_tim'. Did you mean 'max_time'?"),
        ("discrete_time = 1;", "discrete_time = 1 is another process, in steps; only chains in continuous time are read"),
        ("max_time = -1;", "'max_time' must be more than 0, not -1"),
        ("# comment", "1:1: a setting, a node or a variable was expected, not '#'"),
        ("A istate = 1;", "1:3: '=' or '.' was expected, not 'istate'"),
    ],
)  # fmt: skip
def test_a_wrong_cfg_is_refused_with_its_place(cfg, said):
    with pytest.raises(ModelError) as caught:
        read_maboss("node A {}\nnode B {}\n", cfg + "\n", time="h")
    assert said in str(caught.value)


def test_everything_wrong_is_said_at_once_and_in_order(tmp_path):
    (tmp_path / "toy.bnd").write_text(
        "node A {\n  logic = A &;\n  rate_up = $k;\n}\nnode C { logic = D; rate_down = ~; }\n"
    )
    (tmp_path / "toy.cfg").write_text("max_tim = 3;\nA.istate = 2;\n")
    with pytest.raises(ModelError) as caught:
        read_maboss(tmp_path / "toy.bnd", tmp_path / "toy.cfg", time="h")
    assert str(caught.value).startswith("toy.bnd and toy.cfg cannot be read:")
    places = [one.split(": ", 1)[0] for one in caught.value.problems]
    assert places == ["toy.bnd:2:14", "toy.bnd:3:13", "toy.bnd:5:18", "toy.bnd:5:33", "toy.cfg:1:1", "toy.cfg:2:3"]


def test_a_file_of_another_kind_is_refused_in_few_words(tmp_path):
    text = "\n".join("§" * 5 for _ in range(5000))
    with pytest.raises(ModelError) as caught:
        read_maboss("node A {}\n", "node A { }\n" + text, time="h")
    assert len(caught.value.problems) <= 51


@pytest.mark.parametrize(
    ("content", "said"), [(b"\x89PNG\r\n\x1a\n", "its byte 1 is no text"), (b"node A\0", "its byte 7 is no text")]
)
def test_a_file_that_is_no_text_is_refused(tmp_path, content, said):
    (tmp_path / "model.bnd").write_bytes(content)
    with pytest.raises(ModelError, match=f"'model.bnd' is not a BND file: {said}"):
        read_maboss(tmp_path / "model.bnd", time="h")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"there is no BND file '.*lost\.bnd'"):
        read_maboss(str(tmp_path / "lost.bnd"), time="h")
    with pytest.raises(ModelError, match="there is no BND file"):
        read_maboss(tmp_path, time="h")


def test_a_file_too_large_to_be_a_network_is_not_opened(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "LARGEST", 10)
    (tmp_path / "huge.bnd").write_text("node A { }\n" * 3)
    with pytest.raises(ModelError, match=r"'huge.bnd' has 0 MB; a BND file of more than 0 is none"):
        read_maboss(tmp_path / "huge.bnd", time="h")


@pytest.mark.parametrize("time", ["", "nM", "2 h", "hour per hour"])
def test_a_unit_of_time_is_needed(time):
    with pytest.raises(UnitError, match="is not a unit of time; the file has none, so say it: 'min', 'h' or 'day'"):
        read_maboss("node A {}\n", time=time)


def test_a_byte_order_mark_and_other_line_ends_are_no_problem(tmp_path):
    (tmp_path / "model.bnd").write_bytes("\ufeffnode A { logic = A; }\r\nnode B { logic = A; }\r\n".encode())
    model = read_maboss(tmp_path / "model.bnd", time="h")
    assert model.network.names == ("A", "B")
    assert model.network.name == "model"


# ---- writing --------------------------------------------------------------------------------------------------------------
def _network(**changes):
    fast = quantity("3 1/h", reason="for a test")
    nodes = (
        Node(name="A", initial=0.3, label='the "input"'),
        Node(name="B", logic="A ^ B | C", up="{fast} * (C ? 1 : 0.1)", down="0.25", initial=1.0),
        Node(name="C", up="A ? 2 : 0", down="max(B, 0.5) ** 2"),
    )
    return Network(**{"name": "toy", "nodes": nodes, "quantities": {"fast": fast}, **changes})


def test_what_is_written_is_read_the_same():
    network = _network()
    settings = MabossSettings(max_time=10.0, time_tick=0.5, sample_count=100, seed=3)
    model = read_maboss(*write_maboss(network, settings, outputs=("C",)), time="h")
    assert same(leaving(model.network), leaving(network))
    assert (model.settings, model.outputs) == (settings, ("C",))
    assert model.initial == {"A": 0.3, "B": 1.0, "C": 0.0}
    assert model.network.node("A").label == 'the "input"'


def test_rates_are_written_in_the_unit_that_is_asked_for():
    network = _network()
    bnd, cfg = write_maboss(network, MabossSettings(max_time=48.0), time="day")
    assert "// Rates are per day." in bnd
    assert "max_time = 2;" in cfg
    read = rates_in_every_state(read_maboss(bnd, cfg, time="day").network)
    for name, rates in rates_in_every_state(network).items():
        np.testing.assert_allclose(read[name], rates, rtol=1e-14)


def test_levels_are_written_as_nodes_of_their_own():
    network = Network(name="levels", nodes=(Node(name="A"), Node(name="V", logic=("A", "A & V >= 1"), initial=2)))
    bnd, cfg = write_maboss(network, outputs=["V"])
    assert "// V has 2 levels: V_b2 is on at the highest of them." in bnd
    model = read_maboss(bnd, cfg, time="h")
    assert model.outputs == ("V_b1", "V_b2")
    assert same(leaving(model.network), leaving(network))


def test_functions_that_maboss_lacks_are_written_by_cases():
    bnd, _ = write_maboss(_network())
    assert "rate_down = B ? 1 : 0.25;" in bnd


def test_names_that_are_words_of_maboss_are_refused():
    nodes = (Node(name="Node"), Node(name="B", logic="Node"), Node(name="True"))
    with pytest.raises(ModelError) as caught:
        write_maboss(Network(name="words", nodes=nodes))
    assert [one.split(":")[0] for one in caught.value.problems] == ["node 'Node'", "node 'True'"]


def test_an_output_that_is_no_node_is_refused():
    with pytest.raises(UnknownNameError, match="Unknown node 'D'"):
        write_maboss(_network(), outputs=["D"])


def test_maboss_gives_what_is_written_the_probabilities_of_the_exact_chain(tmp_path):
    cmaboss = pytest.importorskip("cmaboss")
    network, trajectories, end = _network(), 50_000, 2.0
    settings = MabossSettings(max_time=end, time_tick=end / 4, sample_count=trajectories, seed=11)
    for kind, text in zip(("bnd", "cfg"), write_maboss(network, settings), strict=True):
        (tmp_path / f"toy.{kind}").write_text(text)
    simulation = cmaboss.MaBoSSSim(str(tmp_path / "toy.bnd"), str(tmp_path / "toy.cfg"))
    probabilities, _, names, _ = simulation.run().get_last_nodes_probtraj()
    expected = _window_means(network, end - end / 4, end)
    for name, found in zip(names, probabilities[0], strict=True):
        # A mean over a window varies no more from trajectory to trajectory than a state does.
        error = np.sqrt(expected[name] * (1.0 - expected[name]) / trajectories)
        assert abs(found - expected[name]) < 4.0 * error, name


def _window_means(network, begin, end):
    """Mean probability of every node from `begin` to `end`, by the master equation."""
    rates = list(rates_in_every_state(network).values())
    n, states = len(rates), np.arange(2 ** len(rates))
    generator = np.zeros((states.size, states.size))
    for j in range(n):
        speed = rates[j][states, states >> j & 1]
        generator[states, states ^ 1 << j] += speed
        generator[states, states] -= speed
    start = np.ones(states.size)
    for j, node in enumerate(network.nodes):
        start *= np.where(states >> j & 1, node.initial, 1.0 - node.initial)
    both = np.zeros((2 * states.size, 2 * states.size))  # of the state and of its integral over time
    both[: states.size, : states.size] = generator
    both[: states.size, states.size :] = np.eye(states.size)
    lived = [(np.concatenate([start, np.zeros(states.size)]) @ expm(both * t))[states.size :] for t in (begin, end)]
    mean = (lived[1] - lived[0]) / (end - begin)
    return {name: float(mean @ (states >> j & 1)) for j, name in enumerate(network.names)}


# ---- the guide ------------------------------------------------------------------------------------------------------------
GUIDE = Path(__file__).parents[2] / "docs" / "networks_files.md"


@pytest.mark.skipif(not GUIDE.is_file(), reason="the documentation is not beside the tests")
def test_the_guide_runs_and_lists_what_is_passed_over():
    text = GUIDE.read_text(encoding="utf-8")
    names: dict[str, object] = {}
    for code in re.findall(r"^```python\n(.*?)^```", text, re.S | re.M):
        exec(compile(code, GUIDE.name, "exec"), names)
    assert names["network"].names == ("GF", "TP53", "AKT1")
    passage = text.split("Passed over knowingly: ")[1].split("\n\n")[0]
    assert set(re.findall(r"`(\w+)`", passage)) == set(IGNORED)
