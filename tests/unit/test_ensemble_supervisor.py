"""Processes that die are started again, hopeless animals are set aside, and no child outlives its parent."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from multiprocessing import forkserver
from pathlib import Path

import pytest
from store_data import toy_model, toy_study, walk_job

from paget.engine.ensemble import Event, Job, execute
from paget.engine.ensemble.worker import Task
from paget.errors import FolderInUseError, StorageFullError
from paget.results.files import is_locked, make_folder
from paget.results.manifest import study_sha256
from paget.results.record import RunRecord, animal_folder, read_record, write_record

STUDY = toy_study(replicates=3)


def prepared(folder: Path, animals=(0, 1, 2), **habits) -> list[Job]:
    """Jobs of the control arm; `habits` as in `store_data.walk_job`."""
    jobs = []
    for animal in animals:
        place = animal_folder(folder, STUDY, "control", animal)
        make_folder(place)
        write_record(place, RunRecord(arm="control", animal=animal, seed=STUDY.seed, study_sha256=study_sha256(STUDY)))
        jobs.append(Job("control", animal, place, Task(STUDY, folder, toy_model(**habits))))
    return jobs


def statuses(jobs):
    return [read_record(job.folder).status for job in jobs]


def test_all_animals_are_done_in_processes_of_their_own(tmp_path):
    jobs, events = prepared(tmp_path), []
    assert execute(jobs, walk_job, 2, events.append) == ()
    assert statuses(jobs) == ["done"] * 3
    assert [e.animal for e in events if e.kind == "started"] == [0, 1, 2]
    assert [e.finished for e in events if e.kind == "done"] == [1, 2, 3]
    assert events[-1] == Event("done", "control", events[-1].animal, 1.0, 3, 0, 3, 1.0)
    assert all(0 <= e.fraction <= 1 and 0 <= e.overall <= 1 for e in events)
    assert not list(tmp_path.rglob("log.txt"))


def test_never_more_animals_at_once_than_workers(tmp_path):
    now, most = 0, 0

    def count(event):
        nonlocal now, most
        now += {"started": 1, "done": -1}.get(event.kind, 0)
        most = max(most, now)

    execute(prepared(tmp_path), walk_job, 1, count)
    assert most == 1


@pytest.mark.parametrize(
    ("habit", "reason"),
    [("die", "killed (signal 9)"), ("leave", "exit code 3"), ("raise", "ZeroDivisionError: the toy broke")],
)
def test_a_death_is_survived_by_starting_again_and_only_the_dead_animal_is(tmp_path, habit, reason):
    jobs, events = prepared(tmp_path, habit=habit, animal=1, times=2), []
    assert execute(jobs, walk_job, 2, events.append) == ()
    assert [read_record(job.folder).tries for job in jobs] == [1, 3, 1]
    retried = [e for e in events if e.kind == "retried"]
    assert [e.animal for e in retried] == [1, 1]
    assert reason in retried[0].message


def test_after_three_deaths_an_animal_is_set_aside_with_reason_and_log_and_the_others_go_on(tmp_path):
    jobs, events = prepared(tmp_path, habit="leave", animal=0), []
    (failure,) = execute(jobs, walk_job, 1, events.append)
    assert failure.job is jobs[0]
    record = read_record(jobs[0].folder)
    assert (record.status, record.tries) == ("failed", 3)
    assert record.error == failure.error == "its process ended with exit code 3 before it was done (tried 3 times)"
    assert record.log.count("about to leave") == 3
    assert statuses(jobs)[1:] == ["done", "done"]
    assert [e.message for e in events if e.kind == "failed"] == [f"animal 0 of arm 'control': {failure.error}"]


def test_the_trace_of_an_unexpected_error_is_kept(tmp_path):
    (job,) = prepared(tmp_path, animals=[0], habit="raise")
    execute([job], walk_job, 1)
    log = read_record(job.folder).log
    assert "Traceback" in log
    assert "_misbehave" in log


def test_an_error_that_would_only_come_again_is_not_tried_again(tmp_path):
    jobs, events = prepared(tmp_path, habit="refuse", animal=0), []
    (failure,) = execute(jobs, walk_job, 2, events.append)
    record = read_record(jobs[0].folder)
    assert (record.status, record.tries, record.error) == ("failed", 1, "oxygen became negative at 12 h")
    assert failure.error == record.error
    assert not [e for e in events if e.kind == "retried"]
    assert statuses(jobs) == ["failed", "done", "done"]


def test_a_full_disk_stops_everything_at_once_and_marks_nobody_as_failed(tmp_path):
    jobs = prepared(tmp_path, habit="fill", animal=1, pause=1.0)
    with pytest.raises(StorageFullError, match="The disk is full: toy"):
        execute(jobs, walk_job, 2)
    assert set(statuses(jobs)) <= {"running", "pending"}
    assert not any(is_locked(job.folder) for job in jobs)
    for job in jobs:
        job.task.model["toy"].clear()
    assert execute(jobs, walk_job, 2) == ()
    assert statuses(jobs) == ["done"] * 3


def test_an_attempt_that_takes_too_long_counts_as_dead(tmp_path):
    jobs = prepared(tmp_path, animals=[0, 1], habit="hang", animal=0)
    (failure,) = execute(jobs, walk_job, 2, max_tries=2, time_limit=1.0)
    assert failure.error == "it took longer than the limit of 1 s (tried 2 times)"
    assert statuses(jobs) == ["failed", "done"]


def test_an_animal_that_cannot_be_sent_to_a_process_is_set_aside_with_the_reason(tmp_path):
    job, other = prepared(tmp_path, animals=[0, 1])
    job.task.model["secret"] = lambda: None
    model = {name: value for name, value in job.task.model.items() if name != "secret"}
    other = Job(other.arm, other.animal, other.folder, Task(STUDY, tmp_path, model))
    (failure,) = execute([job, other], walk_job, 1)
    assert re.match(r"its process could not be started \((PicklingError|AttributeError): .*lambda", failure.error)
    assert statuses([job, other]) == ["failed", "done"]
    assert "Traceback" in read_record(job.folder).log


def held_by_another(job, report):
    raise FolderInUseError("Another run is writing to it.")


def test_an_animal_that_another_run_holds_is_not_marked_as_failed(tmp_path):
    (job,) = prepared(tmp_path, animals=[0])
    (failure,) = execute([job], held_by_another, 1)
    assert failure.error == "Another run is writing to it. (tried 3 times)"
    assert statuses([job]) == ["pending"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc and a server that forks")
def test_the_server_that_starts_processes_may_be_killed_too(tmp_path):
    jobs, killed = prepared(tmp_path, pause=0.05), []

    def kill_the_server(event):
        if event.kind == "progress" and not killed:
            killed.append(forkserver._forkserver._forkserver_pid)
            os.kill(killed[0], signal.SIGKILL)

    assert execute(jobs, walk_job, 2, kill_the_server) == ()
    assert killed
    assert statuses(jobs) == ["done"] * 3


def test_what_a_library_prints_is_kept_beside_the_animal_and_not_shown(tmp_path, capfd):
    (job,) = prepared(tmp_path, animals=[0], habit="chatter")
    execute([job], walk_job, 1)
    assert (job.folder / "log.txt").read_text() == "a library warns\n"
    assert "warns" not in "".join(capfd.readouterr())


def test_an_exception_from_the_progress_callback_stops_the_children(tmp_path):
    jobs = prepared(tmp_path, pause=0.3)

    def stop(event):
        if event.kind == "progress":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execute(jobs, walk_job, 2, stop)
    assert not any(is_locked(job.folder) for job in jobs)
    assert set(statuses(jobs)) <= {"running", "pending"}


def single_threaded_job(job, report):
    import numpy as np

    assert np.ones(3).sum() == 3
    (job.folder / "threads").write_text(
        " ".join(os.environ[n] for n in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"))
    )
    (job.folder / "main").write_text(str(getattr(sys.modules["__main__"], "__file__", "")))


def test_children_have_one_thread_each_and_the_parent_keeps_its_settings(tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    (job,) = prepared(tmp_path, animals=[0])
    main = sys.modules["__main__"]
    execute([job], single_threaded_job, 1)
    assert (job.folder / "threads").read_text() == "1 1 1"
    assert os.environ["OMP_NUM_THREADS"] == "2"
    assert sys.modules["__main__"] is main


SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from store_data import toy_model, toy_study, walk_job
from paget.engine.ensemble.experiment_run import run_study
print("top", flush=True)
run_study(toy_study(), toy_model(**{habits!r}), walk_job, out=sys.argv[1], workers=2)
print("end", flush=True)
"""


def script(tmp_path, **habits):
    path = tmp_path / "script.py"
    path.write_text(SCRIPT.format(tests=str(Path(__file__).parent), habits=habits))
    return subprocess.Popen([sys.executable, str(path), str(tmp_path / "out")], stdout=subprocess.PIPE, text=True)


def test_a_script_needs_no_guard_against_being_run_again_in_the_children(tmp_path):
    assert script(tmp_path).communicate(timeout=60)[0].split() == ["top", "end"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_child_outlives_a_parent_that_is_ended(tmp_path, number):
    process = script(tmp_path, habit="hang")

    def working():
        return [path.parent for path in (tmp_path / "out").glob("runs/*/*/run.json") if is_locked(path.parent)]

    while len(working()) < 2:
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(number)
    process.wait(timeout=10)
    if number == signal.SIGTERM:
        assert process.returncode == 128 + signal.SIGTERM
        assert not working(), "the parent did not wait for its children"
    deadline = time.monotonic() + 10.0
    while working():
        assert time.monotonic() < deadline, "a child is still writing"
        time.sleep(0.02)
    assert not is_locked(tmp_path / "out")
