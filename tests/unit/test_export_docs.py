"""The examples of the guide to exports run, and its table names the formats that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from export_data import TISSUE, fields, with_networks, written

from paget.io.export import FORMATS

PAGE = Path(__file__).parents[2] / "docs" / "exports.md"
pytestmark = pytest.mark.skipif(not PAGE.is_file(), reason="the documentation is not beside the tests")


def test_the_examples_run(tmp_path, monkeypatch):
    pytest.importorskip("anndata", reason="AnnData comes with the extra 'export'")
    written(tmp_path / "lung", TISSUE, with_networks, fields, arm="vehicle")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for code in re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.S | re.M):
        exec(compile(code, PAGE.name, "exec"), names)
    assert (tmp_path / "last_day.h5ad").is_file()
    assert len(list((tmp_path / "lung_vtk").iterdir())) == 2


def test_the_table_lists_every_format_with_its_extra():
    rows = re.findall(r"^\| `([a-z-]+)` \|.*\|(?: `paget\[(\w+)\]`)? \|$", PAGE.read_text(encoding="utf-8"), re.M)
    assert dict(rows) == {name: entry.extra for name, entry in FORMATS.items()}
