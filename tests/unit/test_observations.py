"""Published findings: every row readable, consistent and sourced, and every fault told with its file and line."""

from __future__ import annotations

import dataclasses
import math
import re

import pytest

from paget.errors import EvidenceError, UnknownNameError
from paget.evidence import load_observations, load_sources
from paget.evidence.observations import Observation, read_observations

HEADER = (
    "id,part,title,system,intervention,control,readout,direction,kind,value,low,high,bounds,unit,n,source,doi_status,where,"
    "role,built_in,note\n"
)
ROW = "X1,,a title,mice,drug,vehicle,metastases,down,reduction,40,30,50,95 % CI,%,12,He2025,seen,abstract,prediction,no,\n"


def observation(**changes) -> Observation:
    return dataclasses.replace(read_observations(HEADER + ROW)["X1"], **changes)


# ---- the table --------------------------------------------------------------------------------------------------------
def test_the_table_holds_all_findings_with_a_source_each():
    table = load_observations()
    assert len(table.ids) == 79
    assert all(row.sources() for row in table.values())
    assert {key for row in table.values() for key in row.source.split(";")} <= set(load_sources())


def test_findings_that_set_a_number_say_which():
    calibration = [row for row in load_observations().values() if row.role == "calibration"]
    assert calibration
    assert all(re.search(r"\bset|only known from|derived", row.note) for row in calibration), [
        row.name for row in calibration if not row.note
    ]


def test_numbers_of_the_table_are_what_the_sources_say():
    table = load_observations()
    assert table["H062"].published() == "0.82 (0.7 to 0.95)"
    assert table["H090 T1N4-9"].value == 34.0
    assert [row.role for row in table.of("H090")] == ["calibration", "prediction", "prediction"]
    # Inverted: published as placebo over marimastat, 1.26 (0.91 to 1.74).
    assert table["H015"].value == pytest.approx(1 / 1.26, abs=0.005)
    assert (table["H015"].low, table["H015"].high) == pytest.approx((1 / 1.74, 1 / 0.91), abs=0.005)


def test_hazard_ratios_lie_in_the_middle_of_their_interval_on_a_scale_of_logarithms():
    for row in load_observations().values():
        if row.kind == "hazard ratio":
            assert math.sqrt(row.low * row.high) == pytest.approx(row.value, rel=0.04), row.name


def test_a_row_is_found_by_its_name_and_all_rows_by_their_id():
    table = load_observations()
    assert [row.name for row in table.of("H090 T1N0")] == ["H090 T1N0"]
    assert len(table.of("H048")) == 5
    with pytest.raises(UnknownNameError, match="observation 'H999'"):
        table.of("H999")
    with pytest.raises(UnknownNameError, match=r"Did you mean 'H090 T1N0'\?"):
        _ = table["H090 T1N"]


# ---- one row ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"direction": "sideways"}, "direction 'sideways' is none of up, down, none, shift"),
        ({"role": "both"}, "role 'both' is none of calibration, prediction"),
        ({"kind": "guess"}, "kind 'guess' is none of"),
        ({"doi_status": "maybe"}, "doi_status 'maybe' is none of seen, recalled, not found"),
        ({"title": ""}, "title is empty"),
        ({"value": 60.0}, "the value 60 is outside its own interval 30 to 50"),
        ({"low": 55.0}, "outside its own interval"),
        ({"bounds": ""}, "'bounds' says what low and high are"),
        ({"unit": "mg"}, "a reduction is given in %, not in 'mg'"),
        ({"kind": "direction"}, "a finding of the kind 'direction' has no number"),
        ({"kind": "abolition", "direction": "up"}, "what was abolished went down"),
        ({"value": math.nan, "low": math.nan, "high": math.nan, "bounds": ""}, "needs a value, or an interval"),
        ({"kind": "ratio", "unit": "", "value": -1.0, "low": -2.0, "high": 0.0}, "a ratio is above 0"),
        ({"kind": "ratio"}, "a ratio has no unit"),
        ({"kind": "share", "value": 120.0, "high": 130.0}, "a share is from 0 to 100 %"),
        ({"kind": "difference", "unit": "%"}, "the value 40 does not go down"),
        ({"kind": "time", "unit": "nM"}, "'nM' is no unit of time"),
        ({"kind": "concentration", "unit": "h"}, "'h' is no unit of concentration"),
        ({"n": -1}, "n = -1 is below 0"),
    ],
)
def test_a_finding_that_contradicts_itself_is_refused(changes, reason):
    with pytest.raises(EvidenceError, match="observation 'X1'") as caught:
        observation(**changes)
    assert reason in str(caught.value)


def test_all_faults_of_a_finding_are_named_at_once():
    with pytest.raises(EvidenceError) as caught:
        observation(role="both", title="", value=99.0)
    assert str(caught.value).count(";") == 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "40 (30 to 50) %"),
        ({"low": math.nan, "high": math.nan, "bounds": ""}, "40 %"),
        ({"value": math.nan, "bounds": "range"}, "30 to 50 %"),
        ({"value": math.nan, "high": math.nan, "bounds": "at least"}, "at least 30 %"),
        ({"value": math.nan, "low": math.nan, "bounds": "at most"}, "at most 50 %"),
    ],
)
def test_a_finding_tells_its_number(changes, words):
    assert observation(**changes).published() == words


# ---- reading ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (HEADER.replace("id,", "name,") + ROW, "observations.csv: the columns must be id, part"),
        (HEADER + ROW.replace(",no,\n", "\n"), "observations.csv:2: the row has a different number of columns"),
        (HEADER + ROW + ROW, "observations.csv:3: observation 'X1' is given twice"),
        (
            HEADER + ROW.replace("He2025", "He2052"),
            "observations.csv:2: source 'He2052' is not in sources.bib. Did you mean",
        ),
        (HEADER + ROW.replace("He2025", ""), "observations.csv:2: the source is empty"),
        (HEADER + ROW.replace(",40,", ",forty,"), "observations.csv:2: 'forty' in column value is not a number"),
        (HEADER + ROW.replace(",no,", ",perhaps,"), "built_in is 'perhaps'; it must be yes or no"),
        (HEADER + ROW.replace(",12,", ",a dozen,"), "n 'a dozen' is not a whole number"),
        (HEADER + ROW.replace(",40,", ",60,"), "observations.csv:2: observation 'X1': the value 60 is outside"),
    ],
)
def test_a_fault_of_the_table_is_told_with_its_line(text, reason):
    with pytest.raises(EvidenceError) as caught:
        read_observations(text)
    assert reason in str(caught.value)
