"""Rule tables and files of cells of PhysiCell are read strictly, and written so that they are read the same."""

from __future__ import annotations

import numpy as np
import pytest

from paget.errors import ModelError
from paget.io.physicell import read_cells, read_rules, write_cells, write_rules
from paget.rules import Rule
from paget.tissue.cycles import live
from paget.tissue.definition import Apoptosis, CellDefinition, Exchange

UNITS = {"field.oxygen": "mmHg"}
CELL = CellDefinition(
    name="cancer cell",
    cycle=live("0.06 1/h"),
    apoptosis=Apoptosis(),
    exchange={"field.oxygen": Exchange(uptake="10 1/min", reason="for a test")},
)
SHARED = {"definitions": (CELL,), "units": UNITS}


def _read(tmp_path, text):
    path = tmp_path / "rules.csv"
    path.write_text(text)
    return read_rules(path, **SHARED)


def test_comments_and_empty_lines_are_passed_over(tmp_path):
    (rule,) = _read(
        tmp_path, "// all rules\n\n cancer cell , oxygen , increases , cycle entry , 0.003 , 21.5 , 4 , 0\n"
    )
    assert rule == Rule("cancer cell: oxygen increases cycle entry towards 0.003/min, half-max 21.5 mmHg, hill 4")


def test_a_saturation_inside_the_base_is_the_base(tmp_path):
    (rule,) = _read(tmp_path, "cancer cell,pressure,increases,cycle entry,0.0002,1,4,0\n")
    assert rule.numbers[0][1].inside("1/min") == pytest.approx(0.001)


def test_time_is_in_minutes_in_the_table_and_in_hours_here(tmp_path):
    (rule,) = _read(tmp_path, "cancer cell,time,increases,apoptosis,1,120,1,0\n")
    assert rule.numbers[1][1].value == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("cancer cell,oxygen,increases,cycle entry,1,1,4", "7 fields"),
        ("cancer cell,oxygen,raises,cycle entry,1,1,4,0", "'raises' must be increases or decreases"),
        ("cancer cell,oxygen,increases,cycle entry,much,1,4,0", "'much' is not a number"),
        ("cancer cell,oxygen,increases,cycle entry,1,0,4,0", "must be positive"),
        ("cancer cell,oxygen,increases,cycle entry,1,1,4,2", "'2' must be 0 or 1"),
        ("cancer cell,oxygen,increases,asymmetric division to x,1,1,4,0", "cannot be read"),
        ("cancer cell,oxygen,increases,cell-BM adhesion,1,1,4,0", "cannot be read"),
        ("cancer cell,oxygen,increases,custom:x,1,1,4,0", "cannot be read"),
        ("cancer cell,oxygen,increases,cycle entri,1,1,4,0", "Did you mean 'cycle entry'?"),
        ("cancer cel,oxygen,increases,cycle entry,1,1,4,0", "Did you mean 'cancer cell'?"),
        ("cancer cell,glucose,increases,cycle entry,1,1,4,0", "Unknown signal"),
        ("cancer cell,intracellular oxygen,increases,cycle entry,1,1,4,0", "cannot be used"),
        ("cancer cell,oxygen,increases,migration speed,1,1,4,0", "has no motility"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(tmp_path, row, reason):
    with pytest.raises(ModelError) as caught:
        _read(tmp_path, row + "\n")
    assert any(reason in problem for problem in caught.value.problems), caught.value.problems


def test_the_same_rule_twice_is_refused(tmp_path):
    with pytest.raises(ModelError, match="has another rule by which"):
        _read(tmp_path, "cancer cell,oxygen,increases,cycle entry,1,1,4,0\n" * 2)


@pytest.mark.parametrize(
    ("sentences", "reason"),
    [
        (
            ("cancer cell: body.doxorubicin increases apoptosis towards 1/h, half-max 1 nM, hill 1",),
            "is not known there",
        ),
        (
            (
                "cancer cell: oxygen increases apoptosis towards 1/h, half-max 1 mmHg, hill 1",
                "cancer cell: pressure increases apoptosis towards 2/h, half-max 1, hill 1",
            ),
            "share one saturation",
        ),
        (("cancer cell: oxygen increases cycle entry towards 0/h, half-max 1 mmHg, hill 1",), "lies below the base"),
        (("cancer cell: oxygen decreases cycle entry towards 9/h, half-max 1 mmHg, hill 1",), "lies above the base"),
    ],
)
def test_what_the_table_cannot_say_is_refused(sentences, reason):
    with pytest.raises(ModelError, match=reason):
        write_rules([Rule(s) for s in sentences], **SHARED)


def test_rules_of_other_cells_are_not_written():
    with pytest.raises(ModelError, match="Unknown cell type 'B cell'"):
        write_rules([Rule("B cell: oxygen increases apoptosis towards 1/h, half-max 1 mmHg, hill 1")], **SHARED)


# ---- cells --------------------------------------------------------------------------------------------------------
def _cells(tmp_path, text):
    path = tmp_path / "cells.csv"
    path.write_text(text)
    return read_cells(path, **SHARED)


def test_cells_without_a_header_name_their_type_by_number(tmp_path):
    found = _cells(tmp_path, "1,2,3,0\n4,5,6,0\n")
    assert found.positions.tolist() == [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    assert found.types == ("cancer cell", "cancer cell")


def test_cells_with_a_header_bring_behaviours(tmp_path):
    found = _cells(tmp_path, "x,y,z,type,oxygen uptake,volume\n1,2,3,cancer cell,5,skip\n1,2,4,cancer cell,s,1000\n")
    assert found.behaviours["oxygen uptake"].tolist() == pytest.approx([300.0, 600.0])
    assert found.columns["cell.volume"].tolist() == [2494.0, 1000.0]
    again = _cells(tmp_path, write_cells(found, ["cancer cell"], UNITS, {}))
    assert np.array_equal(again.positions, found.positions)
    assert again.behaviours["oxygen uptake"].tolist() == pytest.approx(found.behaviours["oxygen uptake"].tolist())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x,y,type,z\n1,2,3,4\n", "the columns must begin with x, y, z, type"),
        ("1,2,3\n", "3 columns; 4 are needed"),
        ("1,two,3,0\n", "are not all numbers"),
        ("1,nan,3,0\n", "are not all numbers"),
        ("1,2,3,7\n", "unknown cell type '7'"),
        ("x,y,z,type,oxygen uptak\n1,2,3,cancer cell,1\n", "Did you mean 'oxygen uptake'?"),
    ],
)
def test_cells_that_cannot_be_meant_are_refused(tmp_path, text, reason):
    with pytest.raises(ModelError) as caught:
        _cells(tmp_path, text)
    assert any(reason in problem for problem in caught.value.problems), caught.value.problems
