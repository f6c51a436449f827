"""No number without a unit and a basis, no source that does not exist, and every fault with its file and line."""

from __future__ import annotations

import dataclasses
import math
import re
from importlib.resources import files

import pytest

from paget.errors import EvidenceError, ModelError, UnitError, UnknownNameError
from paget.evidence import Parameter, ParameterTable, load_parameters, load_sources
from paget.evidence.parameters import read_parameters
from paget.evidence.sources import read_bibtex
from paget.process import Named, quantity
from paget.units import same_dimension

HEADER = "key,variant,title,value,unit,low,high,spread,basis,reason,source,where,conditions,group\n"
ROW = "growth,,growth rate,2,1/day,1,3,0.1,measured,,He2025,table 1,mouse,tumour\n"
TABLES = sorted(
    p.name.removesuffix(".csv") for p in (files("paget") / "data" / "parameters").iterdir() if p.name.endswith(".csv")
)


def _parameter(**changes):
    parts = {
        "key": "growth",
        "title": "growth",
        "value": 2.0,
        "unit": "1/day",
        "basis": "measured",
        "reason": "",
        "source": "He2025",
    }
    return Parameter(**{**parts, **changes})


# ---- one parameter --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"basis": "guessed"}, "basis 'guessed' is none of measured, fitted, derived, assumed"),
        ({"basis": "assumed"}, "a value that is assumed needs a reason"),
        ({"basis": "derived"}, "a value that is derived needs a reason"),
        ({"source": ""}, "a measured value needs a source"),
        ({"value": math.nan}, "the value nan is not finite"),
        ({"value": math.inf}, "the value inf is not finite"),
        ({"spread": -0.1}, "the spread -0.1 must be from 0 to 2"),
        ({"low": 3.0, "high": 4.0}, "outside its own interval 3.0 to 4.0"),
    ],
)
def test_a_number_that_cannot_be_believed_is_refused(changes, reason):
    with pytest.raises(EvidenceError, match="parameter 'growth'") as caught:
        _parameter(**changes)
    assert reason in str(caught.value)


def test_all_faults_of_a_number_are_named_at_once():
    with pytest.raises(EvidenceError) as caught:
        _parameter(value=math.inf, source="", spread=5.0)
    assert str(caught.value).count(";") == 2


def test_a_parameter_is_given_in_the_unit_that_is_asked_for():
    assert math.isclose(_parameter().inside("1/h"), 2.0 / 24)
    assert _parameter(value=0.0).inside("1/h") == 0.0
    with pytest.raises(UnitError, match="parameter 'growth' is in 1/day; nM is needed"):
        _parameter().inside("nM")
    with pytest.raises(UnitError, match="nM is needed"):
        _parameter(value=0.0).inside("nM")


def test_a_parameter_tells_its_value_and_basis():
    assert str(_parameter()) == "growth = 2 1/day (measured)"


def test_a_quantity_in_code_carries_its_reason():
    twelve = quantity("12 h", reason="pilot data")
    assert (twelve.value, twelve.unit, twelve.basis, twelve.reason) == (12.0, "h", "assumed", "pilot data")
    with pytest.raises(EvidenceError, match="needs a reason"):
        quantity("12 h", reason="")
    with pytest.raises(EvidenceError, match="'about 12 h' is not a number followed by a unit"):
        quantity("about 12 h", reason="pilot data")


def test_a_bare_number_in_a_process_is_refused_but_zero_needs_no_evidence():
    from paget.catalogue.tumour import CellCycle

    with pytest.raises(EvidenceError, match=r"duration = 44 has no basis; name a parameter, or write .*\.\.\. h"):
        CellCycle(duration=44)
    assert CellCycle(spread=0).spread.value == 0.0
    with pytest.raises(UnitError, match="h is needed"):
        CellCycle(duration=quantity("44 um", reason="a slip"))
    with pytest.raises(ModelError, match="duration is needed in h, not in 1/h"):
        CellCycle(duration=Named("cell_cycle", "1/h"))


# ---- tables ---------------------------------------------------------------------------------------------------------
def test_a_table_is_read_row_by_row():
    rows, variants = read_parameters(HEADER + ROW, "x.csv")
    assert rows["growth"] == _parameter(
        title="growth rate", low=1.0, high=3.0, spread=0.1, where="table 1", conditions="mouse", group="tumour"
    )
    assert variants == {}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("key,value\n" + ROW, "x.csv: the columns must be key, variant, title"),
        (HEADER + ROW.replace(",2,", ",two,"), "x.csv:2: 'two' in column value is not a number"),
        (HEADER + ROW.replace(",2,", ",,"), "x.csv:2: parameter 'growth': the value nan is not finite"),
        (
            HEADER + ROW.replace("He2025", "He2052"),
            "x.csv:2: source 'He2052' is not in sources.bib. Did you mean 'He2025'?",
        ),
        (HEADER + ROW.replace("1/day", "1/parsnip"), "x.csv:2: '1/parsnip' is not a unit"),
        (HEADER + ROW + ROW, "x.csv:3: parameter 'growth' is given twice"),
        (HEADER + ROW.replace(",tumour", ""), "x.csv:2: the row has a different number of columns"),
        (HEADER + ROW.replace("tumour", "tumour,more"), "x.csv:2: the row has a different number of columns"),
        (HEADER + ROW.replace("growth,,", "growth,slow,"), "variant 'slow' of 'growth' has no default row"),
    ],
)
def test_a_faulty_row_is_refused_with_file_and_line(text, reason):
    with pytest.raises(EvidenceError) as caught:
        read_parameters(text, "x.csv")
    assert reason in str(caught.value)


def test_a_variant_stands_beside_its_default_and_is_chosen_by_name():
    rows, variants = read_parameters(
        HEADER + ROW + ROW.replace("growth,,", "growth,slow,").replace(",2,", ",1,"), "x.csv"
    )
    table = ParameterTable(rows, variants)
    assert table["growth"].value == 2.0
    assert list(table.variants_of("growth")) == ["slow"]
    chosen = table.with_values({"growth": "slow"})
    assert (chosen["growth"].value, chosen["growth"].source, chosen["growth"].changed) == (1.0, "He2025", True)
    assert table["growth"].value == 2.0


def test_a_changed_value_becomes_an_assumption_of_the_user():
    table = ParameterTable({"growth": _parameter(low=1.0, high=3.0)})
    changed = table.with_values({"growth": "0.5 1/h"})["growth"]
    assert math.isclose(changed.value, 12.0)
    assert (changed.unit, changed.basis, changed.changed) == ("1/day", "assumed", True)
    assert changed.reason == "set by the user (was 2)"


def test_a_change_without_a_unit_or_of_an_unknown_parameter_is_refused():
    rows, variants = read_parameters(HEADER + ROW + ROW.replace("growth,,", "growth,slow,"), "x.csv")
    table = ParameterTable(rows, variants)
    with pytest.raises(UnitError, match=r"parameter 'growth': '3' has no unit.*Named values of this parameter: slow"):
        table.with_values({"growth": 3})
    with pytest.raises(UnknownNameError, match="Did you mean 'growth'"):
        table.with_values({"grwth": "3 1/day"})
    with pytest.raises(UnknownNameError, match="Unknown parameter 'grwth'"):
        table["grwth"]
    assert "grwth" not in table


# ---- the shipped tables ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", TABLES)
def test_every_shipped_parameter_has_a_readable_unit(name):
    table = load_parameters(name)
    assert len(table) > 0
    for row in table.values():
        assert same_dimension(row.unit, row.unit), row.key


@pytest.mark.parametrize("name", TABLES)
def test_every_shipped_parameter_has_a_title_a_group_and_no_stray_spaces(name):
    for row in load_parameters(name).values():
        texts = [getattr(row, f.name) for f in dataclasses.fields(row) if isinstance(getattr(row, f.name), str)]
        assert row.title, row.key
        assert row.group, row.key
        assert all(text == text.strip() for text in texts), row.key


@pytest.mark.parametrize("name", TABLES)
def test_measured_values_say_where_in_the_source_they_stand(name):
    assert [row.key for row in load_parameters(name).values() if row.basis == "measured" and not row.where] == []


# ---- the bibliography -----------------------------------------------------------------------------------------------
def test_no_entry_of_the_bibliography_is_lost_when_it_is_read():
    text = (files("paget") / "data" / "sources.bib").read_text(encoding="utf-8")
    assert len(load_sources()) == sum(line.startswith("@") for line in text.splitlines())
    for name in ("doi", "url", "note", "title"):
        written = re.findall(rf"^\s*{name}\s*=\s*(.*?),?\s*$", text, re.M)
        assert sorted(w.strip('{}"') for w in written) == sorted(
            filter(None, (getattr(s, name) for s in load_sources().values()))
        )


def test_every_source_can_be_found_by_its_reader():
    for source in load_sources().values():
        assert source.link or source.note, source.key
        assert source.text.endswith(".")
        assert source.year in source.text


def test_a_source_is_read_with_its_place_and_link():
    fields = (
        "author = {A B}",
        "year = {2000}",
        "title = {T}",
        "journal = {J}",
        "volume = {2}",
        "pages = {3}",
        "doi = {10.1/x}",
    )
    entry = "@article{A1,\n" + "".join(f"  {field},\n" for field in fields) + "}\n"
    source = read_bibtex(entry)["A1"]
    assert source.text == "A B (2000). T. J 2:3."
    assert source.link == "https://doi.org/10.1/x"
    with pytest.raises(EvidenceError, match="source 'A1' is given twice"):
        read_bibtex(entry + entry)
    with pytest.raises(EvidenceError, match="source 'A1' lacks year"):
        read_bibtex(entry.replace("year", "jahr"), "x.bib")
