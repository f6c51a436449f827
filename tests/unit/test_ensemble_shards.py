"""Shards of a study run side by side into one folder, and what they leave is what an undivided run leaves."""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from store_data import toy_model, toy_study, tree, walk_job

from paget.engine.ensemble import Shard, collect
from paget.engine.ensemble.experiment_run import run_study
from paget.engine.ensemble.study_folder import order
from paget.errors import FolderInUseError, SimulationFailed, StudyError
from paget.results import Result
from paget.results.files import FolderLock, is_locked, read_json, write_json
from paget.results.record import animal_folder

STUDY = toy_study(replicates=3, duration="4 day")


def run(out, shard=None, model=None, study=STUDY, **settings):
    return run_study(study, model or toy_model(), walk_job, **{"out": out, "workers": 1, "shard": shard, **settings})


def tables(folder):
    return {name: (folder / name).read_bytes() for name in ("metrics.parquet", "outcomes.parquet")}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "toy"
    run(folder, workers=2)
    return folder


# ---- division -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("arms", "animals", "count"), [*itertools.product((1, 2, 3, 4, 7), (1, 5, 12), (1, 2, 3, 4, 16))]
)
def test_every_animal_falls_to_one_shard_and_shares_differ_by_one_at_most(arms, animals, count):
    rows = [[(arm, animal) for arm in range(arms)] for animal in range(animals)]
    shares = [Shard(number, count).share(rows) for number in range(1, count + 1)]
    assert sorted(job for share in shares for job in share) == sorted(job for row in rows for job in row)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@pytest.mark.parametrize(("arms", "count"), [(4, 2), (2, 4), (4, 4), (3, 6), (8, 4)])
def test_no_shard_gets_the_animals_of_one_arm_only(arms, count):
    rows = [[(arm, animal) for arm in range(arms)] for animal in range(24)]
    for number in range(1, count + 1):
        taken = [arm for arm, _ in Shard(number, count).share(rows)]
        assert set(taken) == set(range(arms))


@pytest.mark.parametrize("text", ["3", "0/4", "5/4", "-1/4", "a/b", "1/0", "1/4/2", ""])
def test_what_is_no_shard_is_refused_before_anything_is_written(tmp_path, text):
    with pytest.raises(StudyError, match=r"3/16|1/16 to 16/16"):
        run(tmp_path / "r", shard=text)
    assert not (tmp_path / "r").exists()


def test_shards_need_a_folder_to_share():
    with pytest.raises(StudyError, match="which folder the shards share"):
        run(None, shard=(1, 2))


# ---- one after the other ------------------------------------------------------------------------------------------
def test_the_last_shard_writes_the_tables_and_the_result_is_that_of_an_undivided_run(whole, tmp_path):
    folder = tmp_path / "r"
    for number in (2, 3, 1):
        run(folder, f"{number}/3")
        assert bool(read_json(folder / "manifest.json")["tables"]) == (number == 1)
    assert tree(folder / "runs") == tree(whole / "runs")
    assert tables(folder) == tables(whole)
    manifest = read_json(folder / "manifest.json")
    assert [s["shard"] for s in manifest["sessions"]] == ["2/3", "3/3", "1/3"]
    assert all(s["ended"] for s in manifest["sessions"])
    assert manifest["finished"] is not None
    assert manifest["wall_seconds"] == pytest.approx(sum(s["wall_seconds"] for s in manifest["sessions"]))
    assert (folder / "ro-crate-metadata.json").exists()


def test_a_shard_computes_its_own_animals_and_counts_only_them(tmp_path):
    events = []
    run(tmp_path / "r", (2, 2), progress=events.append)
    assert [(e.arm, e.animal) for e in events if e.kind == "started"] == order(STUDY, toy_model(), Shard(2, 2))
    assert (events[-1].finished, events[-1].total, events[-1].overall) == (3, 3, 1.0)
    result = Result.open(tmp_path / "r")
    assert (result.status["status"] == "done").sum() == 3
    assert len(result.outcomes) == 3 * 4
    events.clear()
    run(tmp_path / "r", (2, 2), progress=events.append)
    assert events == []
    assert len(read_json(tmp_path / "r" / "manifest.json")["sessions"]) == 1


def test_more_shards_than_animals_leave_some_with_nothing_to_do(whole, tmp_path):
    folder = tmp_path / "r"
    for number in (9, *range(1, 9)):
        run(folder, (number, 9))
    assert tables(folder) == tables(whole)


def test_shards_may_be_followed_by_an_undivided_run_or_by_another_division(whole, tmp_path):
    for then in (None, "1/1"):
        folder = tmp_path / f"r{then is None}"
        run(folder, "1/2")
        run(folder, then, resume=True)
        assert tables(folder) == tables(whole)


def test_a_failed_animal_of_one_shard_is_in_the_tables_of_the_last_and_tried_again_by_its_own(tmp_path, whole):
    folder = tmp_path / "r"
    with pytest.raises(SimulationFailed, match="oxygen became negative"):
        run(folder, "1/2", toy_model(habit="refuse", animal=1))
    with pytest.raises(SimulationFailed, match=r"1 animal could not be finished and 3 animals are not done yet"):
        collect(folder)
    manifest = read_json(folder / "manifest.json")
    assert manifest["tables"].keys() == {"metrics.parquet", "outcomes.parquet", "runs.parquet"}
    assert manifest["finished"] is None
    write_json(folder / "manifest.json", {**manifest, "model": toy_model()})  # as if its cause were repaired
    run(folder, "2/2")
    assert (Result.open(folder).status["status"] == "failed").sum() == 1
    assert read_json(folder / "manifest.json")["finished"] is None
    run(folder, "1/2")
    assert tables(folder) == tables(whole)
    assert collect(folder).manifest["finished"] is not None


# ---- refused ------------------------------------------------------------------------------------------------------
def test_another_study_cannot_join_the_folder(tmp_path):
    run(tmp_path / "r", "1/2")
    with pytest.raises(FolderInUseError, match="replicates: 3 there, 2 here"):
        run(tmp_path / "r", "2/2", study=toy_study(duration="4 day"))


def test_a_shard_that_is_running_is_not_started_twice_and_an_undivided_run_waits_for_shards(tmp_path):
    folder = tmp_path / "r"
    folder.mkdir()
    with FolderLock(folder, name=Shard(1, 2).lock_name), pytest.raises(FolderInUseError, match="Shard 1/2 is already"):
        run(folder, "1/2")
    with FolderLock(folder, shared=True):
        with pytest.raises(FolderInUseError, match=r"Another run is writing to .*shards of the study"):
            run(folder)
        run(folder, "2/2")
    with FolderLock(folder), pytest.raises(FolderInUseError, match="Another run is writing"):
        run(folder, "1/2")


def test_tables_are_not_collected_while_a_shard_is_running(tmp_path, monkeypatch):
    monkeypatch.setattr("paget.engine.ensemble.summaries._SECONDS_FOR_THE_LAST_SHARD_TO_END", 0.1)
    run(tmp_path / "r", "1/2")
    with FolderLock(tmp_path / "r", shared=True), pytest.raises(FolderInUseError):
        collect(tmp_path / "r")


# ---- at the same time ---------------------------------------------------------------------------------------------
SCRIPT = """
import sys
sys.path.insert(0, {tests!r})
from store_data import toy_model, toy_study, walk_job
from paget.engine.ensemble.experiment_run import run_study
study = toy_study(replicates=3, duration="4 day")
run_study(study, toy_model(pause=0.05), walk_job, out=sys.argv[1], shard=sys.argv[2], workers=1)
"""


def started(folder: Path, shard: str) -> subprocess.Popen:
    command = [sys.executable, "-c", SCRIPT.format(tests=str(Path(__file__).parent)), str(folder), shard]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def test_two_shards_at_once_of_which_one_is_killed_and_run_again_leave_the_undivided_result(whole, tmp_path):
    folder = tmp_path / "r"
    shards = {f"{number}/2": started(folder, f"{number}/2") for number in (1, 2)}
    mine = [animal_folder(folder, STUDY, arm, animal) for arm, animal in order(STUDY, toy_model(), Shard(2, 2))]
    while not any(is_locked(place) for place in mine):
        assert shards["2/2"].poll() is None
        time.sleep(0.02)
    shards["2/2"].send_signal(signal.SIGKILL)
    for process in shards.values():
        process.communicate(timeout=60)
    assert {name: process.returncode for name, process in shards.items()} == {"1/2": 0, "2/2": -9}
    assert read_json(folder / "manifest.json")["tables"] == {}
    run(folder, "2/2", toy_model(pause=0.05))
    assert tree(folder / "runs") == tree(whole / "runs")
    assert tables(folder) == tables(whole)
    sessions = read_json(folder / "manifest.json")["sessions"]
    assert sorted(s["shard"] for s in sessions) == ["1/2", "2/2", "2/2"]
    assert sum(s["ended"] is None for s in sessions) == 1
