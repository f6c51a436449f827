"""Files of logic alone, BNET and SBML qual: read with rates from outside, refused by line, and written without silent loss."""

from __future__ import annotations

import numpy as np
import pytest
from network_dynamics import leaving, possible_changes, rates_in_every_state, same

from paget.errors import EvidenceError, ModelError, UnitError, UnknownNameError
from paget.evidence import ParameterTable
from paget.io.networks import read_bnet, read_sbml_qual, write_bnet, write_sbml_qual
from paget.process import Named, quantity
from paget.signalling import Network, Node

UP, DOWN = quantity("2 1/h", reason="for a test"), quantity("0.5 1/h", reason="for a test")
RATES = {"up": UP, "down": DOWN}


def _bnet(text, **given):
    return read_bnet(text if "\n" in text else text + "\n", **{**RATES, **given})


# ---- BNET -----------------------------------------------------------------------------------------------------------------
def test_rules_inputs_constants_and_comments_are_read():
    network = _bnet("# a comment\nTargets , Factors\n\nA, A  # an input\nB, !A & (B || NOT C)\nC, 1\nD, 0 and A\n")
    assert network.names == ("A", "B", "C", "D")
    assert network.inputs == ("A",)
    assert str(network.node("B").formulas[0]) == "!A & (B | !C)"
    assert rates_in_every_state(network)["C"].tolist() == [[2.0, 0.0]] * 16
    assert rates_in_every_state(network)["D"].tolist() == [[0.0, 0.5]] * 16


def test_the_header_may_be_left_out_and_is_read_only_at_the_top():
    assert _bnet("A, B\nB, B").names == ("A", "B")
    with pytest.raises(ModelError, match="BNET text:2:10: the rule of 'targets' names 'factors', which is no target"):
        _bnet("A, A\ntargets, factors")


def test_rates_are_converted_to_the_unit_of_the_network():
    network = _bnet("A, B\nB, B", up=quantity("2 1/min", reason="for a test"), time="h")
    assert network.values() == {"up": 120.0, "down": 0.5}
    assert network.quantities["up"].reason == "for a test"


def test_rates_may_be_rows_of_a_table_of_parameters():
    row = quantity("3 1/day", reason="for a test")
    network = _bnet("A, B\nB, B", up=Named("rate", "1/min"))
    assert network.values(ParameterTable({"rate": row}))["up"] == pytest.approx(0.125)


def test_nodes_start_off_unless_told_otherwise():
    network = _bnet("A, B\nB, B", initial={"B": 0.5})
    assert [node.initial for node in network.nodes] == [0.0, 0.5]
    with pytest.raises(UnknownNameError, match="Unknown node 'C'"):
        _bnet("A, B\nB, B", initial={"C": 1.0})


def test_a_bare_number_is_no_rate():
    with pytest.raises(
        EvidenceError, match=r"the rate up = 1\.0 has no basis; the file has no rates, so write up=quantity"
    ):
        _bnet("A, A", up=1.0)
    with pytest.raises(UnitError, match="is in nM; 1/h is needed"):
        _bnet("A, A", up=quantity("1 nM", reason="for a test"))
    with pytest.raises(UnitError, match="'kg' is not a unit of time"):
        _bnet("A, A", time="kg")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "BNET text:1: it has no rules; one is a line 'target, rule'"),
        ("targets, factors\n", "it has no rules"),
        ("A, A\nB, A &\n", "2:7: a name, a number or '(' was expected, not the end of the text"),
        ("A, A\nB, (A | B\n", "2:10: ')' was expected, not the end of the text"),
        ("A, A\nB\n", "2:2: a comma after the target was expected, not the end of the text"),
        ("A: A", "1:2: a comma is needed after the target, not a colon"),
        ("A, A\nA, 1", "2: the target 'A' is given twice, first in line 1"),
        ("TP53, TP35", "1:7: the rule of 'TP53' names 'TP35', which is no target. Did you mean 'TP53'? An input is given by "
                       "the line 'TP35, TP35'"),
        ("A, A ^ A", "1:6: BNET has no exclusive or; write (A & !B) | (!A & B)"),
        ("A, A XOR A", "BNET has no exclusive or"),
        ("A, A + A", "1:6: '&', '|' or the end of the line was expected, not '+'"),
        ("A, 2", "'2' is no truth value; write 0 or 1"),
        ("A, A, 0.3", "1:5: a third column gives rules by chance, which have no meaning in continuous time"),
        ("A, A[-2]", "1:5: a delay in brackets is of networks that move in steps; time is continuous here"),
        ("A, maj(A, A)", "1:4: BNET has no function 'maj'"),
        ("A, $k", "1:4: '$k' is no name of a node"),
        ("miR-200, 1", "1:4: a comma after the target was expected, not '-'"),
        ("β, 1", "1:1: the name of a target cannot contain 'β'; use letters, digits and underscores"),
        ("A, " + "(" * 300 + "A" + ")" * 300, "more than 100 brackets or signs within each other"),
        ("".join(f"R{k}, R{k}\n" for k in range(17)) + f"A, {' | '.join(f'R{k}' for k in range(17))}",
         "BNET text:18: node 'A' has 17 regulators; at most 16 fit a truth table"),
    ],
)  # fmt: skip
def test_a_wrong_bnet_is_refused_with_its_place(text, said):
    with pytest.raises(ModelError) as caught:
        _bnet(text)
    assert said in str(caught.value)


def test_a_broken_rule_is_not_also_a_missing_one():
    with pytest.raises(ModelError) as caught:
        _bnet("A, B\nB, &\nC, X")
    assert [one.split(": ")[0] for one in caught.value.problems] == ["BNET text:2:4", "BNET text:3:4"]


def test_exclusive_or_cases_and_comparisons_are_written_out_as_logic():
    nodes = (
        Node(name="A"),
        Node(name="B"),
        Node(name="C", logic="A ^ B"),
        Node(name="D", logic="(A ? B : C) + A >= 1"),
    )
    network = Network(name="toy", nodes=nodes, up="2", down="0.5")
    text = write_bnet(network)
    assert "^" not in text
    assert same(leaving(_bnet(text)), leaving(network))


def test_levels_are_written_as_nodes_of_their_own():
    network = Network(name="levels", nodes=(Node(name="A"), Node(name="V", logic=("A", "A & V"))), up="2", down="0.5")
    text = write_bnet(network)
    assert "# V has 2 levels" in text
    assert same(leaving(_bnet(text)), leaving(network))


DEPENDENT = (
    Node(name="A"),
    Node(name="B", logic="A", up="A ? 1 : 0.1"),
    Node(name="C", logic="A | B", down="0"),
    Node(name="D", up="A ? 2 : 0", down="B ? 0 : 1", initial=0.5),
)


@pytest.mark.parametrize("write", [write_bnet, write_sbml_qual])
def test_rates_that_matter_are_not_lost_in_silence(write):
    if write is write_sbml_qual:
        pytest.importorskip("libsbml")
    with pytest.raises(ModelError, match="has no rates, and 'toy' would lose some that matter") as caught:
        write(Network(name="toy", nodes=DEPENDENT))
    lost = [
        "node 'B': its rate up depends on the state: A ? 1 : 0.1",
        "node 'C': its rate down is 0",
        "node 'D' has rates and no logic",
    ]
    if write is write_sbml_qual:
        lost.append("node 'D' is on at the start with the probability 0.5; the file has whole levels")
    assert list(caught.value.problems) == lost


@pytest.mark.parametrize(("write", "read"), [(write_bnet, read_bnet), (write_sbml_qual, read_sbml_qual)])
def test_logic_only_keeps_exactly_which_changes_are_possible(write, read):
    if write is write_sbml_qual:
        pytest.importorskip("libsbml")
    network = Network(name="toy", nodes=DEPENDENT)
    again = read(write(network, logic_only=True), **RATES)
    assert same(possible_changes(again), possible_changes(network))


# ---- SBML qual --------------------------------------------------------------------------------------------------------------
HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1" '
    'xmlns:qual="http://www.sbml.org/sbml/level3/version1/qual/version1" qual:required="true">\n<model id="toy">\n'
    '<listOfCompartments><compartment id="c" constant="true"/></listOfCompartments>\n'
)
INPUTS = "".join(
    f'<qual:qualitativeSpecies qual:id="{name}" qual:compartment="c" qual:constant="false" {more}/>\n'
    for name, more in {
        "A": 'qual:maxLevel="1" qual:initialLevel="1"',
        "V": 'qual:maxLevel="2" qual:initialLevel="2"',
        "B": 'qual:maxLevel="1"',
        "W": "",
    }.items()
)


WORDS = ("eq", "neq", "lt", "leq", "gt", "geq", "and", "or", "xor", "not", "plus", "true", "false")


def _math(text):
    """MathML of `name relation level`, or of prefix notation with brackets."""
    words = text.replace("(", " ( ").replace(")", " ) ").split()

    def part():
        word = words.pop(0)
        if word == "(":
            inside = []
            while words[0] != ")":
                inside.append(part())
            words.pop(0)
            return f"<apply>{''.join(inside)}</apply>"
        if word in WORDS:
            return f"<{word}/>"
        if word.replace(".", "").isdigit():
            return f"<cn> {word} </cn>" if "." in word else f'<cn type="integer"> {word} </cn>'
        return f"<ci> {word} </ci>"

    return f'<math xmlns="http://www.w3.org/1998/Math/MathML">{part()}</math>'


def _transition(target, *terms, default=0, inputs="", effect="assignmentLevel", name="t"):
    listed = "".join(
        f'<qual:functionTerm qual:resultLevel="{level}">\n{_math(math)}</qual:functionTerm>\n' for level, math in terms
    )
    otherwise = "" if default is None else f'<qual:defaultTerm qual:resultLevel="{default}"/>\n'
    return (
        f'<qual:transition qual:id="{name}_{target}">\n<qual:listOfInputs>\n{inputs or _input("A")}</qual:listOfInputs>\n'
        f'<qual:listOfOutputs>\n<qual:output qual:qualitativeSpecies="{target}" qual:transitionEffect="{effect}"/>\n'
        f"</qual:listOfOutputs>\n<qual:listOfFunctionTerms>\n{otherwise}{listed}</qual:listOfFunctionTerms>\n</qual:transition>\n"
    )


def _input(species, more="", effect="none"):
    return f'<qual:input qual:qualitativeSpecies="{species}" qual:transitionEffect="{effect}" {more}/>\n'


def _qual(*transitions, species=INPUTS, core=""):
    return (
        f"{HEAD}{core}<qual:listOfQualitativeSpecies>\n{species}</qual:listOfQualitativeSpecies>\n"
        f"<qual:listOfTransitions>\n{''.join(transitions)}</qual:listOfTransitions>\n</model>\n</sbml>\n"
    )


@pytest.fixture
def read():
    pytest.importorskip("libsbml")
    return lambda text, **given: read_sbml_qual(text, **{**RATES, **given})


def _logic(network, name):
    return [str(one) for one in network.node(name).formulas]


def test_species_become_nodes_with_levels_and_starts(read):
    network = read(_qual(_transition("B", (1, "(geq A 1)"))))
    assert [(node.name, node.levels, node.initial) for node in network.nodes] == [
        ("A", 1, 1.0),
        ("V", 2, 2.0),
        ("B", 1, 0.0),
        ("W", 1, 0.0),
    ]
    assert network.inputs == ("A", "V", "W")
    assert network.name == "toy"


@pytest.mark.parametrize(
    ("math", "logic"),
    [
        ("(eq A 1)", "A"),
        ("(eq A 0)", "!A"),
        ("(neq A 1)", "!A"),
        ("(gt A 0.5)", "A"),
        ("(lt 0 A)", "A"),
        ("(leq A 0)", "!A"),
        ("(gt A 1)", "0"),
        ("(eq A 0.5)", "0"),
        ("(geq V 2)", "V >= 2"),
        ("(gt V 1.5)", "V >= 2"),
        ("(lt V 1)", "!(V >= 1)"),
        ("(leq 2 V)", "V >= 2"),
        ("(eq V 1)", "V == 1"),
        ("(neq V 1)", "!(V == 1)"),
        ("(eq V 3)", "0"),
        ("(and (eq A 1) (not (eq B 1)) (geq V 1))", "A & !B & V >= 1"),
        ("(or (xor (eq A 1) (eq B 1)) true)", "A ^ B | 1"),
    ],
)
def test_conditions_are_read_as_logic_of_levels(read, math, logic):
    assert _logic(read(_qual(_transition("B", (1, math)))), "B") == [logic]


def test_a_level_is_called_for_where_the_given_level_is_as_high(read):
    terms = ((2, "(and (eq A 1) (eq B 1))"), (1, "(and (eq A 1) (eq B 0))"))
    assert _logic(read(_qual(_transition("V", *terms))), "V") == ["A & B | A & !B", "A & B"]
    assert _logic(read(_qual(_transition("V", (0, "(eq A 1)"), default=2))), "V") == ["!A", "!A"]
    assert _logic(read(_qual(_transition("V", (2, "(eq A 1)"), default=1))), "V") == ["1", "A"]


def test_a_threshold_stands_for_its_level(read):
    inputs = _input("V", 'qual:id="high" qual:thresholdLevel="2"')
    assert _logic(read(_qual(_transition("B", (1, "(geq V high)"), inputs=inputs))), "B") == ["V >= 2"]


def test_a_highest_level_that_is_not_said_is_the_highest_that_is_given(read):
    assert read(_qual(_transition("W", (3, "(eq A 1)")))).node("W").levels == 3
    inputs = _input("W", 'qual:id="w" qual:thresholdLevel="2"')
    assert read(_qual(_transition("B", (1, "(geq W w)"), inputs=inputs))).node("W").levels == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (_qual(_transition("B", (1, "(eq A 1)"), inputs=_input("A", effect="consumption"))),
         ":14: an input that is consumed is of Petri nets; regulators here are not used up"),
        (_qual(_transition("B", (1, "(eq A 1)"), effect="production")), "an output that is produced is of Petri nets"),
        (_qual(_transition("B", (1, "(eq A 1)")), _transition("B", (1, "(eq A 0)"), name="s")),
         "species 'B' is changed by two transitions; put their function terms into one"),
        (_qual(_transition("B", (2, "(eq A 1)"))), "species 'B' is given level 2, and its highest is 1"),
        (_qual(_transition("V", (2, "(eq A 1)"), (1, "(eq B 1)"))),
         "species 'V' is given the levels 1 and 2 at once, where A = 1, B = 1"),
        (_qual(_transition("B", (1, "(eq A 1)"), default=None)), "the transition has no default term with a level"),
        (_qual(_transition("B", (1, "A"))), ":21: a function term cannot be read: 'A' is a level, not a condition"),
        (_qual(_transition("B", (1, "(geq (plus A B) 2)"))), "'A + B >= 2' does not compare a species with a number"),
        (_qual(_transition("B", (1, "(plus A B)"))), "'A + B' is no condition"),
        (_qual(_transition("B", (1, "(eq A B)"))), "'A == B' does not compare a species with a number"),
        (_qual(_transition("B", (1, "(eq Z 1)"))), "'Z' is no species. Known: A, B, V, W."),
        (_qual(_transition("Z", (1, "(eq A 1)"))), "'Z' is no species"),
        (_qual(_transition("A", (0, "true")), species=INPUTS.replace('qual:initialLevel="2"', 'qual:initialLevel="3"')),
         ":7: species 'V' begins at level 3, and its highest is 2"),
        (_qual(_transition("B"), species=INPUTS.replace('qual:maxLevel="1" ', 'qual:maxLevel="0" ')),
         "species 'A' has the highest level 0"),
        (_qual(_transition("B", (1, "(eq A 1)")), species=INPUTS.replace("false", "true")),
         "species 'B' is constant, and a transition changes it"),
        (_qual(_transition("B"), core='<listOfRules><rateRule variable="c"><math xmlns="http://www.w3.org/1998/Math/MathML"><cn>1</cn></math></rateRule>'
                    "</listOfRules>"), "rateRule of a model with rates beside the qualitative one"),
        (_qual(_transition("B"), species="").replace("<qual:listOfQualitativeSpecies>\n</qual:listOfQualitativeSpecies>", ""),
         "it has no species"),
        (_qual(_transition("B")).replace('defaultTerm qual:resultLevel="0"', "defaultTerm"),
         "has no default term with a level"),
        (_qual(_transition("B", (1, "true"))).replace('Term qual:resultLevel="1"', "Term"), "has no result level"),
        (_qual(_transition("B")).replace('qual:id="A"', ""), ":6: a species has no id"),
        ("<sbml", "cannot be read"),
        ('<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1"><model/></sbml>',
         "it has no qualitative model; rate equations are read by read_sbml"),
    ],
)  # fmt: skip
def test_a_wrong_model_is_refused_with_its_line(read, text, said):
    with pytest.raises(ModelError) as caught:
        read(text)
    assert said in str(caught.value)


def test_a_node_of_too_many_regulators_is_refused_with_its_line(read):
    species = "".join(
        f'<qual:qualitativeSpecies qual:id="R{k}" qual:compartment="c" qual:constant="false" qual:maxLevel="1"/>\n'
        for k in range(18)
    )
    every = f"(and {' '.join(f'(eq R{k} 1)' for k in range(17))})"
    with pytest.raises(ModelError, match="SBML text:23: node 'R17' has 17 regulators; at most 16 fit a truth table"):
        read(_qual(_transition("R17", (1, every), inputs=_input("R0")), species=species))


def test_a_missing_library_is_named(read, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "libsbml", None)
    with pytest.raises(Exception, match=r"pip install 'paget\[networks\]'"):
        read(_qual())


def test_levels_are_written_and_read_the_same(read):
    nodes = (
        Node(name="A", initial=1),
        Node(name="time", logic=("A | time", "A & X >= 2", "A & X == 2 & time >= 2"), initial=3, label="a name & more"),
        Node(name="X", logic=("!A", "!A & time != 1")),
        Node(name="cell", logic="A ^ X"),
    )
    network = Network(name="two words", nodes=nodes, up="2", down="0.5")
    again = read(write_sbml_qual(network))
    assert same(leaving(again), leaving(network))
    assert [(node.initial, node.label, node.is_input) for node in again.nodes] == [
        (node.initial, node.label, node.is_input) for node in network.nodes
    ]


def test_levels_that_do_not_imply_each_other_are_refused():
    pytest.importorskip("libsbml")
    nodes = (Node(name="A"), Node(name="B"), Node(name="V", logic=("A", "B")))
    with pytest.raises(
        ModelError, match="node 'V': level 2 is called for where level 1 is not; the file gives one level"
    ):
        write_sbml_qual(Network(name="toy", nodes=nodes))


def test_levels_with_rates_that_depend_on_the_state_are_refused_even_as_logic():
    pytest.importorskip("libsbml")
    nodes = (Node(name="A"), Node(name="V", logic=("A", "A"), up="A ? 1 : 2"))
    network = Network(name="toy", nodes=nodes)
    with pytest.raises(ModelError, match="node 'V': levels and rates that depend on the state"):
        write_sbml_qual(network, logic_only=True)
    assert "V_b2" in write_sbml_qual(network.expanded(), logic_only=True)


# ---- what others make of it ---------------------------------------------------------------------------------------------
def test_aeon_reads_what_is_written_and_finds_the_fixed_points_of_the_truth_tables():
    aeon = pytest.importorskip("biodivine_aeon")
    pytest.importorskip("libsbml")
    nodes = (
        Node(name="A", logic="A"),
        Node(name="B", logic="!C ^ A | D & !B"),
        Node(name="C", logic="!B & D"),
        Node(name="D", logic="(A & C) | (B ? D : C)"),
    )
    network = Network(name="toy", nodes=nodes)
    ours = np.logical_or.reduce(list(possible_changes(network).values()))
    for theirs in (
        aeon.BooleanNetwork.from_bnet(write_bnet(network)),
        aeon.BooleanNetwork.from_sbml(write_sbml_qual(network)),
    ):
        graph = aeon.AsynchronousGraph(theirs)
        assert aeon.FixedPoints.symbolic(graph).cardinality() == int((~ours).sum())


def test_what_aeon_writes_is_read(read):
    aeon = pytest.importorskip("biodivine_aeon")
    theirs = aeon.BooleanNetwork.from_bnet("targets, factors\nA, A\nB, !A | (B & C)\nC, A & !B\n")
    expected = rates_in_every_state(_bnet(theirs.to_bnet()))
    found = rates_in_every_state(read(theirs.to_sbml()))
    assert {name: rates.tolist() for name, rates in found.items()} == {
        name: rates.tolist() for name, rates in expected.items()
    }
