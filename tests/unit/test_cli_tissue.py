"""The commands on models of PhysiCell: what they tell, what they leave in a folder, what they refuse."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from physicell_files import written

from paget.cli import main
from paget.engine.simulation import Simulation
from paget.errors import NumericalError
from paget.io.physicell import read_settings
from paget.results.files import FolderLock

SETTINGS = "config/PhysiCell_settings.xml"
BRIEFLY = ["--every", "12min", "--threads", "1"]


@pytest.fixture
def model(monkeypatch, tmp_path):
    """A folder with a small model of PhysiCell, in which the commands are given."""
    monkeypatch.chdir(tmp_path)
    for name in ("COLUMNS", "FORCE_COLOR", "PAGET_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    return written(tmp_path)


@pytest.fixture
def call(model, capsys, monkeypatch):
    """Call the command line and give its exit code, its output and what it said on standard error."""

    def called(*arguments: str) -> SimpleNamespace:
        monkeypatch.setattr(sys, "argv", ["paget", *arguments])
        code = main(arguments)
        out, err = capsys.readouterr()
        return SimpleNamespace(code=code, out=out, err=err)

    return called


@pytest.fixture(scope="module")
def grown(tmp_path_factory) -> Path:
    """A folder in which the small model lived 36 min without a stop."""
    place = tmp_path_factory.mktemp("grown")
    settings = written(place)
    arguments = ["grow", str(settings), "--hours", "0.6", "--seed", "3", *BRIEFLY, "--out", str(place / "whole")]
    assert main(arguments) == 0
    return place / "whole"


def state(folder: Path) -> dict[str, np.ndarray]:
    with np.load(folder / "state.npz") as file:
        return dict(file)


def same(one: Path, two: Path) -> bool:
    """Whether two folders hold the same state, cells and voxels, to the bit."""
    first, second = state(one), state(two)
    tables = [sorted(folder.glob("cells/*.parquet")) for folder in (one, two)]
    matrices = [sorted(folder.glob("output*.mat")) for folder in (one, two)]
    return (
        first.keys() == second.keys()
        and all(first[name].tobytes() == second[name].tobytes() for name in first)
        and [path.name for path in tables[0]] == [path.name for path in tables[1]]
        and all(pd.read_parquet(a).equals(pd.read_parquet(b)) for a, b in zip(*tables, strict=True))
        and [path.name for path in matrices[0]] == [path.name for path in matrices[1]]
        and all(a.read_bytes() == b.read_bytes() for a, b in zip(*matrices, strict=True))
    )


# ---- import -------------------------------------------------------------------------------------------------------
def test_import_tells_types_substrates_rules_and_cells(call):
    told = call("import", SETTINGS)
    assert told.code == 0
    for part in (
        "200 x 120 x 20 um",
        "field.oxygen, diffusing, in mmHg, held at xmin",
        "tumour: cycle, apoptosis, necrosis",
        "exchange of oxygen",
        "In T cell cells, contact with tumour decreases migration speed",
        "3 cells at the start",
    ):
        assert part in told.out


def test_import_writes_the_model_as_it_was_understood(call, model):
    assert "Wrote copy/PhysiCell_settings.xml" in call("import", SETTINGS, "--out", "copy").out
    first, second = read_settings(model), read_settings("copy/PhysiCell_settings.xml")
    assert (first.rules, first.size) == (second.rules, second.size)
    assert np.array_equal(first.placed.positions, second.placed.positions)
    again = call("import", SETTINGS, "--out", "copy")
    assert again.code == 1
    assert "copy exists already" in again.err


def test_import_lists_everything_that_is_not_supported(call, model):
    written(
        model.parents[1],
        ("</secretion>", '</secretion><intracellular type="maboss"><x/></intracellular>'),
        ('csv" enabled="false"><filename>bc', 'csv" enabled="true"><filename>bc'),
    )
    refused = call("import", SETTINGS)
    assert refused.code == 1
    assert "models inside cells" in refused.err
    assert "voxels held by a file" in refused.err
    assert refused.out == ""


def test_settings_without_rules_come_with_a_warning(call, model):
    assert "There are no rules" not in call("import", SETTINGS).err
    written(model.parents[1], ('format="csv" enabled="true"', 'format="csv" enabled="false"'))
    assert "such as oxygen dependence, is not in them" in call("import", SETTINGS).err


def test_cells_of_another_file_take_the_place_of_those_of_the_settings(call):
    Path("one.csv").write_text("x,y,z,type\n10,0,0,tumour\n")
    assert "1 cells at the start" in call("import", SETTINGS, "--cells", "one.csv").out


# ---- grow ---------------------------------------------------------------------------------------------------------
def test_growing_leaves_snapshots_that_pcdl_reads_with_the_times_asked_for(grown):
    pcdl = pytest.importorskip("pcdl")
    steps = pcdl.TimeSeries(str(grown), verbose=False).get_mcds_list()
    assert [step.get_time() for step in steps] == pytest.approx([0.0, 12.0, 24.0, 36.0])
    assert steps[0].get_celltype_list() == ["tumour", "T cell"]
    last = pd.read_parquet(grown / "cells" / "00000003.parquet")
    assert steps[3].get_cell_df().total_volume.to_numpy() == pytest.approx(last["volume"].to_numpy())
    assert set(pd.read_parquet(grown / "cells")["time"].round(9)) == {0.0, 0.2, 0.4, 0.6}


def test_growing_tells_how_far_it_is_and_what_lives_at_the_end(call):
    told = call("grow", SETTINGS, "--hours", "0.4", *BRIEFLY)
    assert told.code == 0
    assert "seed 0, a snapshot every 0.2 h, into physicell_settings-results" in told.out
    assert "0.4 of 0.4 h, 3 cells (100%)" in told.err
    assert "3 cells at the start, 0 divisions, 0 cells gone" in told.out


def test_a_tissue_that_stopped_goes_on_to_the_same_bits(call, grown):
    first = call("grow", SETTINGS, "--hours", "0.2", "--seed", "3", *BRIEFLY, "--out", "parts")
    assert first.code == 0
    assert not same(Path("parts"), grown)
    on = call("grow", SETTINGS, "--hours", "0.6", "--threads", "2", "--out", "parts", "--resume")
    assert on.code == 0
    assert "seed 3, a snapshot every 0.2 h" in on.out
    assert same(Path("parts"), grown)


def test_what_was_written_after_the_last_state_is_written_anew(call, grown):
    shutil.copytree(grown, "killed")
    call("grow", SETTINGS, "--hours", "0.4", "--seed", "3", *BRIEFLY, "--out", "shorter")
    shutil.copy("shorter/state.npz", "killed/state.npz")
    Path("killed/output00000003_cells.mat").write_bytes(b"half")
    Path("killed/cells/.unfinished-1-00000003.parquet").write_bytes(b"half")
    assert call("grow", SETTINGS, "--hours", "0.6", "--out", "killed", "--resume").code == 0
    assert same(Path("killed"), grown)
    assert not list(Path("killed/cells").glob(".unfinished*"))


def test_a_tissue_that_was_killed_before_its_first_state_begins_anew(call, grown):
    shutil.copytree(grown, "killed")
    Path("killed/state.npz").unlink()
    assert call("grow", SETTINGS, "--hours", "0.6", "--out", "killed", "--resume").code == 0
    assert same(Path("killed"), grown)


def test_a_stop_by_the_user_tells_how_to_go_on(call, grown, monkeypatch):
    whole = Simulation.run

    def stopped(self, duration, **settings):
        if self.time > 0.3:
            raise KeyboardInterrupt
        return whole(self, duration, **settings)

    monkeypatch.setattr(Simulation, "run", stopped)
    told = call("grow", SETTINGS, "--hours", "0.6", "--seed", "3", *BRIEFLY, "--out", "parts")
    assert told.code == 130
    command = (
        "paget grow config/PhysiCell_settings.xml --hours 0.6 --seed 3 --every 12min --threads 1 --out parts --resume"
    )
    assert command in told.err
    monkeypatch.setattr(Simulation, "run", whole)
    assert call(*command.split()[1:]).code == 0
    assert same(Path("parts"), grown)


def test_a_failure_tells_what_is_kept(call, monkeypatch):
    whole = Simulation.run

    def failing(self, duration, **settings):
        if self.time > 0.1:
            raise NumericalError("cell 7 has no position")
        return whole(self, duration, **settings)

    monkeypatch.setattr(Simulation, "run", failing)
    told = call("grow", SETTINGS, "--hours", "0.6", *BRIEFLY, "--out", "parts")
    assert told.code == 1
    assert "The snapshots up to 0.2 h are kept in parts." in told.err
    assert "cell 7 has no position" in told.err


def test_a_folder_that_exists_is_refused_and_left_alone(call):
    Path("mine").mkdir()
    refused = call("grow", SETTINGS, "--out", "mine")
    assert refused.code == 1
    assert "mine exists already" in refused.err
    assert not list(Path("mine").iterdir())


def test_two_runs_do_not_write_into_one_folder(call, grown):
    shutil.copytree(grown, "shared")
    with FolderLock(Path("shared")):
        refused = call("grow", SETTINGS, "--hours", "0.8", "--out", "shared", "--resume")
    assert refused.code == 1
    assert "Another run is writing to shared" in refused.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--threads", "0"], "--threads 0: at least one"),
        (["--seed", "-1"], "--seed -1: must be at least 0"),
        (["--resume"], "add --out DIR"),
        (["--resume", "--out", "absent"], "absent holds no tissue that could be continued"),
        (["--every", "7min"], "must be a whole number of times the tick of 0.1 h"),
        (["--every", "0min"], "and at least once"),
        (["--every", "5 um"], "5 um"),
        (["--hours", "2.5"], "--hours 2.5: must be a whole number of times the time between snapshots of 1 h"),
        (["--hours", "0"], "and at least once"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(call, arguments, message):
    refused = call("grow", SETTINGS, *arguments)
    assert refused.code == 1
    assert message in refused.err
    assert [path.name for path in Path().iterdir()] == ["config"]


def test_a_resumed_tissue_keeps_its_seed_its_snapshots_and_its_model(call, grown, model):
    shutil.copytree(grown, "mine")
    on = ["grow", SETTINGS, "--hours", "1.2", "--out", "mine", "--resume"]
    assert "begun with --seed 3; it cannot go on with 4" in call(*on, "--seed", "4").err
    assert "begun with --every 0.2; it cannot go on with 0.3" in call(*on, "--every", "18min").err
    written(model.parents[1], ('repulsion_strength units="micron/min">10', 'repulsion_strength units="micron/min">20'))
    assert "other mechanisms or numbers" in call(*on).err
    assert same(Path("mine"), grown)


def test_settings_without_first_cells_ask_for_them(call):
    Path("config/cells.csv").write_text("x,y,z,type\n")
    refused = call("grow", SETTINGS)
    assert refused.code == 1
    assert "add --cells FILE" in refused.err


def test_a_file_of_other_things_than_cells_is_refused_in_a_few_lines(call):
    Path("table.csv").write_text("ID,x,y,z,volume\n" + "0,1,2,3,4\n" * 1000)
    refused = call("import", SETTINGS, "--cells", "table.csv")
    assert "the columns must begin with x, y, z, type, not ID, x, y, z" in refused.err
    Path("table.csv").write_text("0,1,2,3,4\n" * 1000)
    refused = call("import", SETTINGS, "--cells", "table.csv")
    assert "table.csv:10: 5 columns; 4 are needed" in refused.err
    assert "990 further lines like these" in refused.err
    assert len(refused.err.splitlines()) == 12
