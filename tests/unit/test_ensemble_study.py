"""A study's folder is never overwritten, resumes only what it is, and says where it comes from."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys

import pandas as pd
import pytest
import yaml
from store_data import toy_model, toy_study, tree, walk_job

import paget
from paget.engine.ensemble import experiment_run, study_folder
from paget.engine.ensemble.experiment_run import run_study
from paget.errors import FolderInUseError, SimulationFailed, StudyError
from paget.experiment import Study
from paget.results import Result
from paget.results.files import FolderLock, read_json, write_json

STUDY = toy_study()


def run(out, study=STUDY, model=None, **settings):
    return run_study(study, model or toy_model(), walk_job, **{"out": out, "workers": 2, **settings})


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study") / "toy"
    run(folder, source_text="# my study\n")
    return folder


def tables(folder):
    return {name: (folder / name).read_bytes() for name in ("metrics.parquet", "outcomes.parquet")}


def test_the_result_is_the_same_to_the_byte_for_any_number_of_workers(finished, tmp_path):
    run(tmp_path / "one", workers=1)
    assert tree(tmp_path / "one" / "runs") == tree(finished / "runs")
    assert tables(tmp_path / "one") == tables(finished)


def test_animals_are_begun_in_turn_over_the_arms(tmp_path):
    begun = []
    run(tmp_path / "r", workers=1, progress=lambda e: begun.append((e.arm, e.animal)) if e.kind == "started" else None)
    assert begun == [("control", 0), ("drug + X", 0), ("control", 1), ("drug + X", 1)]


def test_the_default_folder_is_named_after_the_study_and_counted_up(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert [run(None).path.name for _ in range(3)] == ["toy-results", "toy-results-2", "toy-results-3"]


def test_the_manifest_says_what_was_run_with_what(finished):
    manifest = read_json(finished / "manifest.json")
    assert manifest["seed"] == 5
    assert manifest["versions"]["paget"] == paget.__version__
    assert {"python", "numpy", "numba", "scipy"} <= manifest["versions"].keys()
    assert manifest["arms"] == {"control": "no treatment", "drug + X": "no treatment"}
    assert manifest["model"]["name"] == "toy"
    assert manifest["finished"] >= manifest["created"]
    assert manifest["wall_seconds"] > 0
    assert manifest["study_sha256"] == hashlib.sha256((finished / "study.resolved.json").read_bytes()).hexdigest()
    assert manifest["tables"].keys() == {"metrics.parquet", "outcomes.parquet", "runs.parquet"}


def test_the_study_is_kept_as_given_and_as_resolved(finished, tmp_path):
    assert (finished / "study.yaml").read_text() == "# my study\n"
    assert Study.model_validate(read_json(finished / "study.resolved.json")) == STUDY
    run(tmp_path / "r")
    assert Study.model_validate(yaml.safe_load((tmp_path / "r" / "study.yaml").read_text())) == STUDY


def test_a_folder_with_results_is_not_overwritten(finished):
    before = tree(finished)
    with pytest.raises(FolderInUseError, match="holds results of the study 'toy', which are never overwritten"):
        run(finished)
    assert tree(finished) == before


def test_a_folder_with_something_else_is_not_touched(tmp_path):
    (tmp_path / "thesis.docx").write_text("important")
    for resume in (False, True):
        with pytest.raises(FolderInUseError, match="is not empty and holds no result of paget"):
            run(tmp_path, resume=resume)
    assert sorted(p.name for p in tmp_path.iterdir()) == [".lock", "thesis.docx"]


def test_an_empty_or_absent_folder_is_begun_with_or_without_resume(tmp_path):
    (tmp_path / "empty").mkdir()
    assert run(tmp_path / "empty").status["status"].eq("done").all()
    assert run(tmp_path / "absent", resume=True).status["status"].eq("done").all()


def test_a_running_study_is_not_joined_by_a_second_run(tmp_path):
    tmp_path.joinpath("r").mkdir()
    with FolderLock(tmp_path / "r"), pytest.raises(FolderInUseError, match="Another run is writing"):
        run(tmp_path / "r", resume=True)


def test_another_study_cannot_be_resumed_and_the_differences_are_named(finished):
    other = toy_study(replicates=3, arms=[{"name": "control"}, {"name": "drug + Y", "versus": "control"}])
    with pytest.raises(FolderInUseError) as caught:
        run(finished, other, resume=True)
    assert "arms.1.name: drug + X there, drug + Y here" in str(caught.value)
    assert "replicates: 2 there, 3 here" in str(caught.value)


def test_resuming_a_finished_study_computes_nothing_and_writes_its_tables_again(finished, tmp_path):
    expected, manifest = tables(finished), read_json(finished / "manifest.json")
    (finished / "metrics.parquet").unlink()
    events = []
    result = run(finished, resume=True, progress=events.append)
    assert events == []
    assert tables(finished) == expected
    after = read_json(finished / "manifest.json")
    assert {k: after[k] for k in ("finished", "wall_seconds", "sessions")} == {
        k: manifest[k] for k in ("finished", "wall_seconds", "sessions")
    }
    result.verify()


def test_failed_animals_are_named_after_everything_else_is_written_and_a_resume_tries_them_again(finished, tmp_path):
    folder = tmp_path / "r"
    with pytest.raises(SimulationFailed) as caught:
        run(folder, model=toy_model(habit="refuse", animal=1))
    assert "2 animals could not be finished" in str(caught.value)
    assert "animal 1 of arm 'drug + X': oxygen became negative at 12 h" in str(caught.value)
    result = Result.open(folder)
    assert result.status["status"].tolist() == ["done", "failed", "done", "failed"]
    assert result.status["error"].tolist()[1] == "oxygen became negative at 12 h"
    assert set(result.outcomes["animal"]) == {0}
    assert result.manifest["finished"] is None
    pd.testing.assert_frame_equal(pd.read_parquet(folder / "runs.parquet"), result.status)
    assert "Failed" in str(read_json(folder / "ro-crate-metadata.json"))

    write_json(folder / "manifest.json", {**result.manifest, "model": toy_model()})  # as if its cause were repaired
    run(folder, resume=True)
    assert tables(folder) == tables(finished)
    assert Result.open(folder).manifest["finished"] is not None
    assert len(Result.open(folder).manifest["sessions"]) == 2


def test_tables_of_an_earlier_session_do_not_count_while_a_later_one_goes_on(tmp_path):
    folder = tmp_path / "r"
    with pytest.raises(SimulationFailed):
        run(folder, model=toy_model(habit="refuse", animal=1))
    write_json(folder / "manifest.json", {**read_json(folder / "manifest.json"), "model": toy_model()})

    def stop(event):
        if event.kind == "done":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(folder, resume=True, workers=1, progress=stop)
    result = Result.open(folder)
    done = result.status.query("status == 'done'")
    assert len(done) == 3
    assert len(result.metrics.drop_duplicates(["arm", "animal"])) == 3


def test_animals_of_two_versions_are_not_mixed(tmp_path, monkeypatch):
    folder = tmp_path / "r"
    with pytest.raises(SimulationFailed):
        run(folder, model=toy_model(habit="refuse", animal=1))
    with pytest.raises(FolderInUseError, match=r"another state of the model: toy\.habit: refuse there, nothing here"):
        run(folder, resume=True)
    monkeypatch.setattr(study_folder, "__version__", "99.0")
    with pytest.raises(
        FolderInUseError,
        match=rf"begun with paget {re.escape(read_json(folder / 'manifest.json')['versions']['paget'])}",
    ):
        run(folder, resume=True)


def test_an_interrupted_beginning_is_begun_again(tmp_path, monkeypatch, finished):
    def interrupted(folder, manifest):
        raise KeyboardInterrupt

    folder = tmp_path / "r"
    monkeypatch.setattr(study_folder, "write_manifest", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(folder)
    monkeypatch.undo()
    run(folder, resume=True)
    assert tables(folder) == tables(finished)


def test_impossible_requests_are_refused_before_anything_is_written(tmp_path):
    with pytest.raises(StudyError, match="0 workers"):
        run(tmp_path / "r", workers=0)
    with pytest.raises(StudyError, match="which folder to resume"):
        run(None, resume=True)
    assert not (tmp_path / "r").exists()


def test_a_folder_may_have_any_name(tmp_path, finished):
    folder = tmp_path / "Ergebnis β–2 % 転移" / "a b"
    run(folder)
    assert tree(folder / "runs") == tree(finished / "runs")
    Result.open(folder).verify()


OPEN = """
import sys
from paget.results import Result
result = Result.open(sys.argv[1])
result.outcomes, result.status, result.cells("control", 0, 2.0), result.field("control", 0, 2.0, "net")
result.events("control", 0), result.verify()
print(*sorted(name for name in sys.modules if name == "numba" or name.startswith(("paget.engine", "paget.kernels"))))
"""


def test_opening_a_result_loads_neither_the_engine_nor_its_compiler(finished):
    done = subprocess.run([sys.executable, "-c", OPEN, str(finished)], check=True, capture_output=True, text=True)
    assert done.stdout.split() == []


def test_impossible_tries_and_limits_are_refused(tmp_path):
    with pytest.raises(StudyError, match="0 tries"):
        run(tmp_path / "r", tries=0)
    for limit in ("soon", "-1 h", "3 mm"):
        with pytest.raises(StudyError, match=r"time limit"):
            experiment_run._seconds("time limit", limit)
    assert experiment_run._seconds("time limit", "2 h") == 7200.0
    assert not (tmp_path / "r").exists()


def test_arms_whose_names_look_alike_in_a_file_system_get_folders_of_their_own(tmp_path):
    study = toy_study(replicates=1, arms=[{"name": "A+b"}, {"name": "a b"}, {"name": "α"}, {"name": "β"}])
    run(tmp_path / "r", study)
    assert sorted(p.name for p in (tmp_path / "r" / "runs").iterdir()) == ["a-b", "a-b-2", "arm", "arm-2"]
    assert len(Result.open(tmp_path / "r").outcomes) == 16
