"""Kill anything at any moment: in the end there is the same result, to the byte."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from paget.engine.ensemble import Job
from paget.engine.ensemble.experiment_run import run_study
from paget.experiment import Study
from paget.results import Result
from paget.results.animal import AnimalStore
from paget.results.record import read_record

STEPS = 24
PAUSE = 0.01
STUDY = Study.model_validate(
    {
        "name": "kill",
        "model": "toy",
        "duration": f"{STEPS} h",
        "tick": "1 h",
        "replicates": 2,
        "arms": [{"name": "a"}, {"name": "b", "versus": "a"}],
        "record": {"metrics": "1 h", "frames": "3 h", "checkpoint": "3 h"},
    }
)
MODEL = {
    "name": "toy",
    "readouts": [
        {"name": "mean", "title": "Mean", "unit": "um", "kind": "continuous", "summary": "mean", "headline": True}
    ],
    "cell_types": [{"name": "walker"}],
    "fields": [],
    "sites": ["lung", "bone marrow"],
    "tissues": {
        "lung": {"fields": [{"name": "trail", "unit": "nM"}]},
        "bone marrow": {"fields": [{"name": "trail", "unit": "nM"}]},
    },
    "event_kinds": ["step"],
}


def walk(job: Job, report: Callable[[float], None]) -> None:
    """A slow random walk that commits every three steps."""
    record = read_record(job.folder)
    if record is not None and record.status == "done":
        return
    study, folder = job.task.study, job.task.study_folder
    with AnimalStore.open(
        job.folder, study_folder=folder, study=study, arm=job.arm, animal=job.animal, model=MODEL, wait=20.0
    ) as store:
        state = store.checkpoint()
        walkers = np.zeros((200, 3)) if state is None else state["walkers"].copy()
        for step in range(1 if state is None else int(state["step"]) + 1, STEPS + 1):
            time.sleep(PAUSE)
            chance = np.random.Generator(np.random.Philox(key=job.animal, counter=[step, len(job.arm), 0, 0]))
            walkers += chance.normal(size=walkers.shape)
            columns = {axis: walkers[:, i].astype(np.float32) for i, axis in enumerate("xyz")}
            ids, codes = np.arange(200, dtype=np.uint64), np.zeros(200, np.int8)
            store.record_metrics(float(step), {"mean": float(walkers.mean())})
            store.record_events(
                {"time": np.full(200, float(step)), "kind": codes, "cell": ids, "other": ids, "type": codes, **columns}
            )
            if step % 3 == 0:
                store.record_cells(float(step), {"id": ids, "type": codes, **columns, "radius": columns["x"]})
                store.record_fields(float(step), np.resize(columns["x"], (1, 1, 10, 20)), "lung")
                if step > STEPS // 2:  # cells reach the second site on the way
                    store.record_fields(float(step), np.resize(columns["y"], (1, 1, 5, 20)), "bone marrow")
                store.keep_state(float(step), {"walkers": walkers})
                store.commit(float(step), {"walkers": walkers, "step": np.array(step)})
            report(step / STEPS)
        store.finish(0.0)


def result_files(folder: Path) -> dict[str, bytes]:
    names = [folder / "metrics.parquet", folder / "outcomes.parquet"]
    names += [p for p in (folder / "runs").rglob("*") if p.is_file() and p.name not in ("run.json", ".lock", "log.txt")]
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in names}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed") / "study"
    run_study(STUDY, MODEL, walk, out=folder, workers=3)
    assert (Result.open(folder).status["tries"] == 1).all()
    return result_files(folder)


def working(folder: Path) -> dict[int, Path]:
    """Processes that hold an animal at this moment, by the text of its lock."""
    found = {}
    for lock in folder.glob("runs/*/*/.lock"):
        record = read_record(lock.parent)
        text = lock.read_text().split()
        if record is not None and record.status == "running" and len(text) > 1:
            found[int(text[1])] = lock.parent
    return found


def test_workers_killed_at_random_moments_are_started_again_and_nobody_else_is(tmp_path, undisturbed):
    folder, killed, stop = tmp_path / "study", [], threading.Event()
    chance, looks = random.Random(3), []

    def read_what_is_there():
        while not stop.wait(0.05):
            if (folder / "manifest.json").exists():
                result = Result.open(folder)
                days = [result.status, *result.frame_days()]
                looks.append(len([result.cells("a", 0, day) for day in result.cell_days("a", 0)]) + len(days))

    def kill_now_and_then():
        while not stop.wait(chance.uniform(0.05, 0.25)) and len(killed) < 6:
            victims = [(pid, place) for pid, place in working(folder).items() if killed.count(place) < 3]
            if victims:
                pid, place = chance.choice(victims)
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
                killed.append(place)

    with ThreadPoolExecutor(2) as threads:
        others = [threads.submit(kill_now_and_then), threads.submit(read_what_is_there)]
        try:
            result = run_study(STUDY, MODEL, walk, out=folder, workers=3, tries=10)
        finally:
            stop.set()
        for other in others:
            other.result()  # an error of the reader is an error of the store
    assert len(looks) > 3
    assert result_files(folder) == undisturbed
    assert len(killed) >= 3
    tries = result.status.set_index(["arm", "animal"])["tries"]
    for arm in STUDY.arm_names:
        for animal in range(STUDY.replicates):
            assert tries[arm, animal] <= 1 + killed.count(folder / "runs" / arm / f"{animal:03d}")
    result.verify()


RUN = """
import sys
sys.path.insert(0, {here!r})
from test_kill_and_resume import MODEL, STUDY, walk
from paget.engine.ensemble.experiment_run import run_study
run_study(STUDY, MODEL, walk, out=sys.argv[1], workers=3, resume=True)
"""


def test_a_run_killed_again_and_again_and_resumed_is_the_same(tmp_path, undisturbed):
    folder, chance = tmp_path / "study", random.Random(11)
    command = [sys.executable, "-c", RUN.format(here=str(Path(__file__).parent)), str(folder)]
    for whole_group in (True, False):
        process = subprocess.Popen(command, start_new_session=True)
        while process.poll() is None and not working(folder):
            time.sleep(0.02)
        time.sleep(chance.uniform(0.1, 0.3))
        if whole_group:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        assert process.wait() == -signal.SIGKILL
    assert (Result.open(folder).status["status"] != "done").any()
    run_study(STUDY, MODEL, walk, out=folder, workers=3, resume=True)
    assert result_files(folder) == undisturbed
