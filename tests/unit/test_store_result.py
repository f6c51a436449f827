"""A result gives back what was committed, in the names of the model, and says which file is broken."""

from __future__ import annotations

import re
import shutil

import numpy as np
import pandas as pd
import pytest
from store_data import TOY_MODEL, WALKERS, open_store, toy_model, toy_study, walk, walk_job

from paget.engine.ensemble.experiment_run import run_study
from paget.errors import DamagedResultError, ResultError, UnknownNameError
from paget.results import Result
from paget.results.files import read_json, write_json
from paget.results.memory import MemoryRecorder
from paget.results.record import animal_folder
from paget.results.summary import outcomes

STUDY = toy_study()


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study") / "toy"
    run_study(STUDY, toy_model(), walk_job, out=folder, workers=2)
    return folder


@pytest.fixture
def folder(original, tmp_path):
    return shutil.copytree(original, tmp_path / "copy")


@pytest.fixture(scope="module")
def reference():
    recorder = MemoryRecorder(frames=48)
    walk(STUDY, "drug + X", 1, recorder)
    return recorder


def test_the_readouts_of_every_animal_are_exact(original, reference):
    result = Result.open(original)
    assert result.arms == ("control", "drug + X")
    assert result.animals == (0, 1)
    assert list(result.metrics.columns) == ["arm", "animal", "day", "spread", "right", "drift", "first_far"]
    mine = result.metrics.query("arm == 'drug + X' and animal == 1").reset_index(drop=True)
    pd.testing.assert_frame_equal(mine[reference.metrics.columns.tolist()], reference.metrics, check_exact=True)


def test_cells_carry_names_and_positions_within_a_sixty_fourth_of_a_micrometre(original, reference):
    cells = Result.open(original).cells("drug + X", 1, 4)
    exact = reference.cells(4.0)
    assert len(cells) == WALKERS
    assert cells["type"].tolist()[:2] == ["walker", "runner"]
    assert np.abs(cells[["x", "y", "z"]] - exact[["x", "y", "z"]]).to_numpy().max() <= 1 / 128
    assert "time" not in cells


def test_a_day_without_a_frame_is_refused_with_the_days_that_have_one(original):
    result = Result.open(original)
    assert result.frame_days() == (0.0, 2.0, 4.0, 6.0, 8.0, 10.0)
    with pytest.raises(ResultError, match="day 3; stored days: 0, 2, 4, 6, 8, 10"):
        result.cells("control", 0, 3)
    with pytest.raises(ResultError, match="day 3; stored days: 0, 2, 4, 6, 8, 10"):
        result.field("control", 0, 3, "oxygen")


def test_a_field_is_found_by_name(original, reference):
    result = Result.open(original)
    net = result.field("drug + X", 1, 6, "net")
    assert net.shape == (1, 5, 6)
    np.testing.assert_allclose(net, reference.fields(6.0)[1], rtol=2.0**-11)
    with pytest.raises(UnknownNameError, match="Did you mean 'oxygen'"):
        result.field("control", 0, 0, "oxigen")


def test_events_carry_names_and_days(original, reference):
    events = Result.open(original).events("drug + X", 1)
    assert events["kind"].tolist()[:2] == ["division", "death"]
    assert events["type"].tolist()[:2] == ["walker", "runner"]
    assert events["day"].tolist() == reference.events["day"].tolist()
    assert list(events.columns) == ["day", "kind", "cell", "other", "type", "x", "y", "z"]


def test_unknown_arms_and_animals_are_refused(original):
    result = Result.open(original)
    with pytest.raises(UnknownNameError, match="Did you mean 'control'"):
        result.events("controll", 0)
    with pytest.raises(ResultError, match="animals 0 to 1"):
        result.events("control", 2)


def test_every_kind_of_summary_is_what_its_name_says():
    metrics = pd.DataFrame(
        {
            "arm": "a",
            "animal": [0] * 3 + [1] * 3,
            "day": [0.0, 1.0, 3.0] * 2,
            "level": [1.0, 5.0, 2.0, 0.0, np.nan, 4.0],
            "when": [np.nan, 1.0, 1.0, np.nan, np.nan, np.nan],
        }
    )
    readouts = [{"name": "level", "summary": "final"}, {"name": "when", "summary": "first"}]
    table = outcomes(metrics, readouts, duration_days=3.0)
    assert table.values.tolist() == [
        ["a", 0, "level", 2.0, True],
        ["a", 0, "when", 1.0, True],
        ["a", 1, "level", 4.0, True],
        ["a", 1, "when", 3.0, False],
    ]
    assert outcomes(metrics, [{"name": "level", "summary": "peak"}], 3.0)["value"].tolist() == [5.0, 4.0]
    assert outcomes(metrics, [{"name": "level", "summary": "mean"}], 3.0)["value"].tolist() == [(3.0 + 7.0) / 3, 2.0]
    with pytest.raises(ResultError, match="did not record speed"):
        outcomes(metrics, [{"name": "speed", "summary": "final"}], 3.0)
    with pytest.raises(ResultError, match="unknown summary 'median'"):
        outcomes(metrics, [{"name": "level", "summary": "median"}], 3.0)


def test_outcomes_follow_from_the_readouts(original, reference):
    table = Result.open(original).outcomes
    mine = table[(table["arm"] == "drug + X") & (table["animal"] == 1)].set_index("readout")
    exact = reference.metrics
    assert mine.loc["spread", "value"] == exact["spread"].iloc[-1]
    assert mine.loc["right", "value"] == exact["right"].max()
    assert mine.loc["first_far", "value"] == exact["first_far"].iloc[-1]
    assert mine["observed"].all()


def test_readouts_that_a_study_does_not_ask_for_are_not_reported(tmp_path):
    result = run_study(toy_study(readouts=["right"]), toy_model(), walk_job, out=tmp_path / "r", workers=2)
    assert [r["name"] for r in result.readouts] == ["right"]
    assert set(result.outcomes["readout"]) == {"right"}


def test_an_unfinished_study_can_be_opened_and_says_what_is_missing(tmp_path):
    from paget.engine.ensemble.study_folder import _begin
    from paget.results.manifest import session

    _begin(tmp_path, STUDY, TOY_MODEL, None, session(1))
    for animal in (0, 1):
        store = open_store(animal_folder(tmp_path, STUDY, "control", animal), STUDY, animal=animal)
        walk(STUDY, "control", animal, store)
        if animal == 0:
            store.finish(2.0)
            store.close()
    result = Result.open(tmp_path)
    assert result.status["status"].tolist() == ["done", "running", "pending", "pending"]
    store.close()
    assert result.status["status"].tolist() == ["done", "pending", "pending", "pending"]
    assert set(zip(result.metrics["arm"], result.metrics["animal"], strict=True)) == {("control", 0)}
    assert len(result.cells("control", 1, 10)) == WALKERS
    with pytest.raises(ResultError, match="stored days: none yet"):
        result.cells("drug + X", 0, 0)


def test_a_folder_without_a_result_is_refused(tmp_path):
    with pytest.raises(ResultError, match="is not a folder"):
        Result.open(tmp_path / "nowhere")
    with pytest.raises(ResultError, match=r"has no manifest\.json"):
        Result.open(tmp_path)


@pytest.mark.parametrize(
    ("name", "look"),
    [
        ("metrics.parquet", lambda result: result.metrics),
        ("outcomes.parquet", lambda result: result.outcomes),
        ("runs/drug-x/001/cells/part-000001.parquet", lambda result: result.cells("drug + X", 1, 4)),
        ("runs/drug-x/001/events/part-000002.parquet", lambda result: result.events("drug + X", 1)),
        ("runs/drug-x/001/metrics/part-000000.parquet", lambda result: result.assemble_metrics()),
        ("runs/drug-x/001/fields.zarr/concentration/c.2.0.0.0.0", lambda result: result.field("drug + X", 1, 4, "net")),
    ],
)
@pytest.mark.parametrize("damage", ["cut", "gone", "changed"])
def test_a_damaged_file_is_named_when_it_is_looked_at(folder, name, look, damage):
    path = folder / name
    content = bytearray(path.read_bytes())
    look(Result.open(folder))
    if damage == "cut":
        path.write_bytes(content[:-9])
    elif damage == "gone":
        path.unlink()
    else:
        content[len(content) // (2 if "zarr" in name else 8)] ^= 0xFF
        path.write_bytes(content)
    with pytest.raises(DamagedResultError, match=re.escape(path.name)):
        look(Result.open(folder))


def test_verification_lists_every_file_that_is_not_as_written(folder):
    Result.open(folder).verify()
    for name in ("outcomes.parquet", "runs/control/000/cells/part-000003.parquet"):
        content = bytearray((folder / name).read_bytes())
        content[-20] ^= 1
        (folder / name).write_bytes(content)
    with pytest.raises(DamagedResultError, match=r"outcomes\.parquet, runs/control/000/cells/part-000003\.parquet"):
        Result.open(folder).verify()


def test_broken_newer_and_changed_descriptions_are_refused_by_name(folder):
    manifest = read_json(folder / "manifest.json")
    write_json(folder / "manifest.json", {**manifest, "schema_version": 3})
    with pytest.raises(DamagedResultError, match=r"manifest\.json was written by a newer paget \(format 3"):
        Result.open(folder)
    (folder / "manifest.json").write_text("{")
    with pytest.raises(DamagedResultError, match=r"manifest\.json cannot be read as JSON"):
        Result.open(folder)
    write_json(folder / "manifest.json", {k: v for k, v in manifest.items() if k != "model"})
    with pytest.raises(DamagedResultError, match="lacks model"):
        Result.open(folder)
    write_json(folder / "manifest.json", manifest)
    study = read_json(folder / "study.resolved.json")
    write_json(folder / "study.resolved.json", {**study, "seed": 6})
    with pytest.raises(DamagedResultError, match=r"study\.resolved\.json was changed after the run"):
        Result.open(folder)


def test_a_broken_record_shows_in_the_status_and_stops_the_tables(folder):
    (folder / "manifest.json").write_text(
        (folder / "manifest.json").read_text().replace("metrics.parquet", "gone.parquet")
    )
    (folder / "runs" / "control" / "001" / "run.json").write_text("")
    result = Result.open(folder)
    assert result.status["status"].tolist() == ["done", "failed", "done", "done"]
    with pytest.raises(DamagedResultError, match=r"001.run\.json"):
        _ = result.metrics


def test_an_effect_is_the_comparison_with_the_control_of_the_arm(original):
    result = Result.open(original)
    one = result.effect("right", "drug + X")
    assert (one.readout, one.arm, one.versus) == ("right", "drug + X", "control")
    assert result.effect("right", "drug + X", versus="control") == one
    assert one in result.comparisons()
    assert len(result.comparisons()) == 4
    assert result.effect("right", "control", versus="drug + X").effect == -one.effect


def test_effects_of_unknown_names_and_of_controls_are_refused(original):
    result = Result.open(original)
    with pytest.raises(UnknownNameError, match="readout"):
        result.effect("rihgt", "drug + X")
    with pytest.raises(UnknownNameError, match="arm"):
        result.effect("right", "drug")
    with pytest.raises(ResultError, match="control arm"):
        result.effect("right", "control")
