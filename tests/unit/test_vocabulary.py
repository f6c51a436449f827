"""One name, one meaning, one unit: the table of variables and cell types is consistent."""

from __future__ import annotations

import re

import pytest

from paget.process import Phase
from paget.units import same_dimension
from paget.vocabulary import CELL_TYPES, VARIABLES, cell_type, variable


@pytest.mark.parametrize("name", VARIABLES)
def test_a_variable_says_where_it_lives_in_which_unit_and_what_it_means(name):
    v = variable(name)
    assert v.name == name
    assert v.place in ("cell", "field", "body")
    assert re.fullmatch(r"[a-z][a-z0-9_]*", v.noun)
    assert same_dimension(v.unit, v.unit)
    assert v.meaning
    assert not v.meaning.endswith(".")


def test_fields_have_a_title_and_a_colour_for_their_pictures():
    for v in VARIABLES.values():
        if v.place == "field":
            assert v.title, v.name
            assert v.colour, v.name
        assert not v.immobile or v.place == "field", v.name


def test_whole_numbers_are_never_halved_between_daughters_and_have_a_whole_default():
    for v in VARIABLES.values():
        if v.whole:
            assert v.inherit != "halve", v.name
            assert v.default == int(v.default), v.name


def test_positions_stand_side_by_side():
    names = list(VARIABLES)
    at = names.index("cell.x")
    assert names[at : at + 3] == ["cell.x", "cell.y", "cell.z"]


@pytest.mark.parametrize("name", CELL_TYPES)
def test_a_cell_type_has_an_ontology_term_and_a_colour(name):
    t = cell_type(name)
    assert t.name == name
    assert re.fullmatch(r"CL:\d{7}", t.ontology)
    assert re.fullmatch(r"#[0-9a-f]{6}", t.colour)
    assert t.label


def test_cell_types_have_colours_of_their_own():
    assert len({t.colour for t in CELL_TYPES.values()}) == len(CELL_TYPES)


def test_the_phases_of_a_tick_come_in_their_order():
    assert list(Phase) == ["body", "sense", "signal", "act", "move", "transport"]
