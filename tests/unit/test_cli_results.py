"""The commands on a result tell what it holds, and hand over the part of it that was asked for."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from stored_results import BODY, TISSUE, stored

from paget.cli import main
from paget.cli.exporting import in_bytes
from paget.cli.results import in_time


@pytest.fixture(autouse=True)
def _workplace(monkeypatch, tmp_path):
    """An empty folder to work in, and a terminal that is a pipe of known width."""
    monkeypatch.chdir(tmp_path)
    for name in ("COLUMNS", "FORCE_COLOR", "PAGET_DEBUG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def call(capsys, monkeypatch):
    """Call the command line and give its exit code, its output and what it said on standard error."""

    def called(*arguments: object) -> SimpleNamespace:
        words = [str(argument) for argument in arguments]
        monkeypatch.setattr(sys, "argv", ["paget", *words])
        code = main(words)
        out, err = capsys.readouterr()
        return SimpleNamespace(code=code, out=out, err=err)

    return called


@pytest.fixture(scope="module")
def tissue(tmp_path_factory):
    return stored(tmp_path_factory.mktemp("tissue") / "patch", TISSUE).path


@pytest.fixture(scope="module")
def body(tmp_path_factory):
    return stored(tmp_path_factory.mktemp("body") / "mouse", BODY).path


# ---- info -----------------------------------------------------------------------------------------------------------
def test_info_tells_how_far_each_arm_is_and_why_animals_failed(call, tissue):
    told = call("info", tissue)
    assert told.code == 0
    lines = [line.split() for line in told.out.splitlines()]
    assert ["control", "2", "0", "0", "0", "5", "s"] in lines
    assert "drug + X 0 0 1 1" in " ".join(told.out.split())
    assert "oxygen became negative at 240 h" in told.out
    assert "2 of 4 animals are not done" in told.out
    assert f"paget report {tissue}" in told.out.replace("\n", "")


def test_info_tells_what_is_stored_by_what_and_what_can_be_done_with_it(call, tissue):
    told = " ".join(call("info", tissue).out.split())
    assert "51 cells in 18 frames, days 0, 2, ..., 10" in told
    assert "18 frames, days 0, 2, ..., 10: oxygen (mmHg), net (1/pL)" in told
    assert "33: NETosis, arrival, division, intravasation, removal, senescence" in told
    assert "seed 5" in told
    assert "numpy" in told
    assert "in 1 session" in told
    for format in ("anndata", "ome-zarr", "simularium", "newick", "csv"):
        assert format in told.split("--format NAME, with ")[1]


def test_info_of_a_body_names_its_sites_and_what_there_is_nothing_for(call, body):
    told = " ".join(call("info", body).out.split())
    assert "frames at primary, lung" in told
    assert "This study keeps nothing for ome-zarr." in told


def test_info_verifies_every_file_if_asked(call, tmp_path):
    folder = stored(tmp_path / "patch").path
    assert "Every committed file is what was written." in call("info", folder, "--verify").out
    part = next((folder / "runs").rglob("events/*.parquet"))
    content = bytearray(part.read_bytes())
    content[len(content) // 2] ^= 1
    part.write_bytes(content)
    told = call("info", folder, "--verify")
    assert told.code == 1
    assert f"these files are not what was written: {part.relative_to(folder)}" in told.err.replace("\n", "")


# ---- export ---------------------------------------------------------------------------------------------------------
def test_export_writes_what_was_selected_and_tells_where_and_how_much(call, tissue, tmp_path):
    told = call("export", tissue, "--format", "simularium", "--arm", "control", "--animal", "0-1", "--day", "0,4")
    assert told.code == 0
    folder = Path("patch-simularium")
    assert {path.name for path in folder.iterdir()} == {"control-000.simularium", "control-001.simularium"}
    scene = json.loads((folder / "control-001.simularium").read_text(encoding="utf-8"))
    assert [frame["time"] for frame in scene["spatialData"]["bundleData"]] == [0.0, 96.0]
    assert "2 files," in told.out
    assert str(folder / "control-001.simularium") in told.out
    assert "Read by: simularium.allencell.org" in told.out
    assert "writing patch-simularium" in told.err


def test_export_never_overwrites(call, tissue):
    assert call("export", tissue, "-f", "csv", "--out", "here").code == 0
    before = {path: path.read_bytes() for path in Path("here").rglob("*.csv")}
    told = call("export", tissue, "-f", "csv", "--out", "here")
    assert told.code == 1
    assert "here is already there and is not overwritten" in told.err
    assert {path: path.read_bytes() for path in Path("here").rglob("*.csv")} == before


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["-f", "cvs"], "Did you mean 'csv'?"),
        ([], "Say which format: --format NAME, of anndata"),
        (["-f", "csv", "--arm", "contrl"], "Did you mean 'control'?"),
        (["-f", "csv", "--animal", "7"], "There is no animal 7; each arm has animals 0 to 1."),
        (["-f", "csv", "--animal", "one"], "give numbers of animals, such as 0,3-5"),
        (["-f", "csv", "--day", "Monday"], "give days as numbers, such as 0,20"),
        (["-f", "csv", "--site", "lung"], "This study has no sites"),
        (["-f", "simularium", "--day", "3"], "stored days: 0, 2, 4, 6, 8, 10"),
    ],
)
def test_what_cannot_be_exported_is_refused_with_what_there_is(call, tissue, arguments, complaint):
    told = call("export", tissue, *arguments)
    assert told.code == 1
    assert complaint in " ".join(told.err.split())
    assert list(Path().iterdir()) == []


def test_export_lists_the_formats_and_needs_a_folder_for_anything_else(call):
    told = call("export", "--list")
    for name in ("anndata", "spatialdata", "vtk", "ome-zarr", "simularium", "multicellds", "csv", "netcdf", "newick"):
        assert f"\n{name} " in told.out
    assert "pcdl, PhysiCell Studio" in " ".join(told.out.split())
    assert "Name the folder of a result" in call("export").err


def test_sizes_and_times_are_told_in_three_digits():
    assert [in_bytes(size) for size in (0, 999, 1000, 123_456, 1.5e9, 2e12)] == [
        "0 B", "999 B", "1 kB", "123 kB", "1.5 GB", "2 TB",
    ]  # fmt: skip
    assert [in_time(seconds) for seconds in (0.5, 42.0, 150.0, 7200.0)] == ["0.5 s", "42 s", "2.5 min", "2 h"]
