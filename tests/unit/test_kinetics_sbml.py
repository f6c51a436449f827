"""SBML and Antimony are read as what they say, refused by line where they say more, and written so that all read the same."""

from __future__ import annotations

import numpy as np
import pytest
from kinetics_systems import bouncing, chain, predators, q, robertson, shuttling, species

from paget.catalogue.kinetics import bone_cycle, bone_signalling, myeloma_bone, remodelling_cycle
from paget.errors import ModelError
from paget.signalling.expression import evaluate, parse
from paget.signalling.kinetics import Kinetics, Rule

libsbml = pytest.importorskip("libsbml")

from paget.io.networks.mathml import formula_of, text_of  # noqa: E402
from paget.io.networks.sbml import read_sbml  # noqa: E402
from paget.io.networks.sbml_out import to_sbml  # noqa: E402
from paget.io.networks.sbml_units import define_unit, unit_text  # noqa: E402

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<sbml xmlns="http://www.sbml.org/sbml/{}" level="{}" version="{}">'
MODEL = '<model id="m">\n{}\n</model></sbml>'
L2 = HEAD.format("level2/version4", 2, 4) + MODEL
L3 = HEAD.format("level3/version2/core", 3, 2) + MODEL
MATH = '<math xmlns="http://www.w3.org/1998/Math/MathML">{}</math>'
SPACE2 = '<listOfCompartments><compartment id="c" size="2"/></listOfCompartments>\n'
SPACE3 = '<listOfCompartments><compartment id="c" size="2" constant="true"/></listOfCompartments>\n'


def read2(body):
    return read_sbml(L2.format(SPACE2 + body))


def refused(body, whole=L3, space=SPACE3):
    with pytest.raises(ModelError) as caught:
        read_sbml(whole.format(space + body))
    return caught.value.problems


# ---- numbers and units ----------------------------------------------------------------------------------------------------
def test_amounts_and_concentrations_are_told_apart():
    system = read2(
        """<listOfSpecies>
        <species id="A" compartment="c" initialAmount="6"/>
        <species id="B" compartment="c" initialConcentration="6"/>
        <species id="C" compartment="c" initialAmount="6" hasOnlySubstanceUnits="true"/>
        <species id="D" compartment="c" initialConcentration="6" hasOnlySubstanceUnits="true"/></listOfSpecies>
        <listOfReactions><reaction id="r"><listOfProducts><speciesReference species="A"/><speciesReference species="C"/>
        </listOfProducts><kineticLaw>"""
        + MATH.format("<ci>k</ci>")
        + '<listOfParameters><parameter id="k" value="1"/></listOfParameters></kineticLaw></reaction></listOfReactions>'
    )
    assert [one.initial.value for one in system.species] == [3.0, 6.0, 6.0, 12.0]
    course = system.solve([0.0, 1.0])
    assert course["A"][-1] == pytest.approx(3.5)  # one unit of amount in a volume of two
    assert course["C"][-1] == pytest.approx(7.0)
    assert [one.key for one in system.parameters] == ["r_k"]
    assert system.values["r_k"].reason == "as in SBML text"


def test_the_unit_of_time_is_said_or_said_to_be_missing():
    assert read2("").time_unit == "s"
    assert read2("").assumptions == ("the file names no unit of time, which in SBML Level 2 means seconds",)
    unit = '<listOfUnits><unit kind="second" multiplier="86400"/></listOfUnits>'
    day = f'<listOfUnitDefinitions><unitDefinition id="time">{unit}</unitDefinition></listOfUnitDefinitions>'
    assert read_sbml(L2.format(day + SPACE2)).time_unit == "day"
    silent = read_sbml(L3.format(SPACE3))
    assert silent.time_unit == ""
    assert silent.assumptions == ("the file names no unit of time; it runs in its own until one is given",)
    assert read_sbml(L3.format(SPACE3), time_unit="h").time_unit == "h"


@pytest.mark.parametrize(
    "unit", ["nM", "1/day", "cell/day", "1/cell/day", "uM", "h", "um**3", "1/nM/h", "mol/litre", "pM/day"]
)
def test_units_survive_a_round_trip(unit):
    document = libsbml.SBMLDocument(3, 2)
    model = document.createModel()
    ident = define_unit(model, unit)
    assert ident
    assert unit_text(model.getUnitDefinition(ident)) == unit
    assert define_unit(model, unit) == ident


def test_what_sbml_cannot_say_is_written_without_a_unit():
    document = libsbml.SBMLDocument(3, 2)
    model = document.createModel()
    assert define_unit(model, "mmHg") == ""
    assert define_unit(model, "") == "dimensionless"


# ---- mathematics ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("infix", "value"),
    [
        ("x + y * 2 - -1", 9.0),
        ("x^y / 4", 2.0),
        ("root(3, x * 4)", 2.0),
        ("sqrt(x + 7)", 3.0),
        ("log(100) + ln(exp(1)) + log(2, 8)", 6.0),
        ("piecewise(1, x > y, 5, x == 2, 9)", 5.0),
        ("x < y && y < 4 || !(x >= 0)", 1.0),
        ("min(x, y, 1) + max(x, y)", 4.0),
        ("floor(2.5) + ceil(2.5) + abs(-1)", 6.0),
        ("pi - 4 * tan(x - 2) - pi + cos(0)", 1.0),
        ("lt(1, x, y)", 1.0),
        ("xor(x > 1, y > 1)", 0.0),
        ("time", 0.5),
        ("3e2", 300.0),
        ("avogadro / 6.02214179e23", 1.0),
    ],
)
def test_mathematics_is_read_and_written(infix, value):
    node = libsbml.parseL3Formula(infix)
    formula = formula_of(node, {}, {})
    values = {"x": 2.0, "y": 3.0, "time": 0.5}
    assert float(evaluate(formula, values, {})) == pytest.approx(value)
    again = formula_of(libsbml.parseL3Formula(text_of(formula)), {}, {})
    assert float(evaluate(again, values, {})) == pytest.approx(value)


def test_function_definitions_are_put_in_where_they_are_called():
    body = (
        '<listOfParameters><parameter id="p" value="0" constant="false"/></listOfParameters><listOfRules>'
        '<assignmentRule variable="p">'
        + MATH.format("<apply><ci>f</ci><cn>3</cn><apply><ci>f</ci><cn>1</cn><cn>2</cn></apply></apply>")
        + "</assignmentRule></listOfRules>"
    )
    bound = "<bvar><ci>a</ci></bvar><bvar><ci>b</ci></bvar>"
    function = MATH.format(f"<lambda>{bound}<apply><minus/><ci>a</ci><ci>b</ci></apply></lambda>")
    one = f'<functionDefinition id="f">{function}</functionDefinition>'
    functions = f"<listOfFunctionDefinitions>{one}</listOfFunctionDefinitions>"
    system = read_sbml(L2.format(functions + SPACE2 + body))
    assert system.assignments == (Rule("p", parse("3 - (1 - 2)")),)


# ---- refusals ---------------------------------------------------------------------------------------------------------------
def test_everything_that_cannot_be_represented_is_told_with_its_line():
    one = MATH.format("<cn>1</cn>")
    yes = MATH.format("<true/>")
    delay = (
        "<apply><csymbol definitionURL='http://www.sbml.org/sbml/symbols/delay' encoding='text'>delay</csymbol>"
        "<ci>p</ci><cn>1</cn></apply>"
    )
    attributes = 'hasOnlySubstanceUnits="false" boundaryCondition="false" constant="false"'
    found = refused(
        f"""<listOfSpecies><species id="A" compartment="c" initialAmount="1" {attributes}/></listOfSpecies>
        <listOfParameters><parameter id="p" constant="false"/><parameter id="q" value="1" constant="false"/></listOfParameters>
        <listOfRules><algebraicRule>{one}</algebraicRule>
        <rateRule variable="q">{MATH.format(delay)}</rateRule>
        </listOfRules>
        <listOfConstraints><constraint>{yes}</constraint></listOfConstraints>
        <listOfReactions><reaction id="r" reversible="false">
        <listOfProducts><speciesReference species="A" constant="false"/></listOfProducts></reaction></listOfReactions>
        <listOfEvents><event id="e" useValuesFromTriggerTime="true">
        <trigger initialValue="true" persistent="true">{yes}</trigger><priority>{one}</priority><delay>{one}</delay>
        <listOfEventAssignments><eventAssignment variable="p">{one}</eventAssignment></listOfEventAssignments>
        </event></listOfEvents>"""
    )
    wanted = (
        "'p' has no value",
        "algebraic rules are not solved here",
        "rule of 'q': 'delay' is not known here",
        "constraints are not watched here",
        "reaction 'r' has no rate",
        "event 'e' has a priority",
        "event 'e' has a delay",
    )
    for text in wanted:
        matching = [one for one in found if text in one]
        assert matching, text
        assert int(matching[0].split(":")[1]) > 2
    lines = [int(one.split(":")[1]) for one in found]
    assert lines == sorted(lines)


def test_sizes_of_compartments_that_change_are_refused():
    space = '<listOfCompartments><compartment id="c" size="2" constant="false"/></listOfCompartments>\n'
    rule = f'<listOfRules><rateRule variable="c">{MATH.format("<cn>1</cn>")}</rateRule></listOfRules>'
    (problem,) = refused(rule, space=space)
    assert "the size of compartment 'c' is given by a formula" in problem


@pytest.mark.parametrize("package", ["qual", "comp", "odd"])
def test_a_required_package_is_refused(package):
    uri = f"http://www.sbml.org/sbml/level3/version1/{package}/version1"
    given = f' xmlns:{package}="{uri}" {package}:required="true" level="3"'
    text = L3.replace("version2/core", "version1/core").replace('version="2">', 'version="1">').format(SPACE3)
    with pytest.raises(ModelError, match=f"cannot be read:\n  - SBML text:.*{package}"):
        read_sbml(text.replace(' level="3"', given, 1))


def test_what_is_no_sbml_is_refused():
    with pytest.raises(ModelError, match="cannot be read"):
        read_sbml("<sbml>\n</what>")
    with pytest.raises(ModelError, match="there is no SBML file"):
        read_sbml("absent.xml")


# ---- round trips ------------------------------------------------------------------------------------------------------------
ALL = (chain, robertson, predators, bouncing, shuttling, remodelling_cycle, bone_cycle, myeloma_bone, bone_signalling)


def same_course(one, other, times):
    first, second = one.solve(times), other.solve(times)
    assert set(one.states) == set(other.states)
    for name in one.states:
        # The library writes numbers with 15 digits.
        np.testing.assert_allclose(second[name], first[name], rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("build", ALL, ids=lambda build: build.__name__)
def test_a_system_survives_sbml(build):
    system = build()
    text = to_sbml(system)
    checked = libsbml.readSBMLFromString(text)
    checked.setConsistencyChecks(libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, False)
    assert checked.checkConsistency() == 0, checked.getErrorLog().toString()
    floors = all(one.nonnegative for one in system.species)
    again = read_sbml(text, nonnegative=floors)
    assert again.time_unit == system.time_unit
    assert again.constants == (*system.constants, *(set(again.constants) - set(system.constants)))
    same_course(system, again, np.linspace(0.0, 5.0, 6))


@pytest.mark.parametrize("build", [robertson, shuttling, bone_signalling], ids=lambda build: build.__name__)
def test_a_system_survives_antimony(build):
    pytest.importorskip("antimony")
    from paget.io.networks.antimony import read_antimony, to_antimony

    system = build()
    same_course(system, read_antimony(to_antimony(system)), np.linspace(0.0, 5.0, 6))


def test_what_antimony_would_leave_out_is_refused():
    """A reaction with the name of a unit vanishes in the library."""
    pytest.importorskip("antimony")
    from paget.io.networks.antimony import to_antimony

    with pytest.raises(ModelError, match="'second' is lost; give it another name"):
        to_antimony(chain())


def test_antimony_is_read():
    pytest.importorskip("antimony")
    from paget.io.networks.antimony import read_antimony

    system = read_antimony("S1 -> S2; k * S1\nk = 0.5; S1 = 4; S2 = 0", time_unit="h")
    np.testing.assert_allclose(system.solve([0.0, 2.0])["S2"][-1], 4.0 * (1.0 - np.exp(-1.0)), rtol=1e-7)
    with pytest.raises(ModelError, match=r"Antimony text cannot be read:\n.*line 1"):
        read_antimony("S1 => => S2; k * S1\n")
    with pytest.raises(ModelError, match="event '_E0' has a delay"):
        read_antimony("S1 -> ; k * S1\nk = 0.5; S1 = 4\nat 1 after S1 < 2: S1 = 4")


def test_roadrunner_solves_the_same_under_doses():
    pytest.importorskip("roadrunner")
    times = np.linspace(0.0, 10.0, 11)
    changes = {"enzyme": [(2.0, 0.0), (5.5, 4.0)], "leak": 0.2}
    ours = shuttling().solve(times, changes=changes)
    theirs = shuttling().solve(times, changes=changes, engine="roadrunner", rtol=1e-10, atol=1e-13)
    for name in ours.names:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-6)
    with pytest.raises(ModelError, match="one system at a time"):
        shuttling().solve(times, changes={"leak": np.ones(2)}, engine="roadrunner")


def test_a_name_that_sbml_knows_otherwise_keeps_its_meaning():
    system = Kinetics("pies", "h", (species("A", 1.0),), (q("pi", "2"),), rates=(Rule.of("A", "-pi * A"),))
    assert read_sbml(to_sbml(system)).solve([0.0, 1.0])["A"][-1] == pytest.approx(np.exp(-2.0), rel=1e-6)
