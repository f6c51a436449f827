"""The guide to events and lineages says what is so: its code runs, and it names every event of the catalogue."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from stored_results import TISSUE, stored

PAGE = Path(__file__).parents[2] / "docs" / "lineage.md"
pytestmark = pytest.mark.skipif(not PAGE.is_file(), reason="the documentation is not beside the tests")


def test_the_code_of_the_page_runs(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    stored(tmp_path / "lung", TISSUE)
    names: dict[str, object] = {}
    for code in re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.S | re.M):
        exec(compile(code.replace('"vehicle"', '"control"'), PAGE.name, "exec"), names)
    assert set(names["divided"]["cell"] - 2**63) == {1, 12}
    assert names["longest"]["generation"] == 2
    assert names["text"].count(";\n") == 2
    assert names["living"].count(";\n") == 1


def test_every_event_of_the_cascade_is_explained():
    from paget.catalogue.cascade_mouse import cascade_mouse

    explained = set(
        re.findall(r"`(\w+)`", PAGE.read_text(encoding="utf-8").split("| event |")[1].split("## The table")[0])
    )
    assert set(cascade_mouse({}).event_kinds) <= explained
