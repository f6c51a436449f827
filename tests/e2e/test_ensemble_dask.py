"""Animals as tasks of Dask: workers may be killed and tasks lost, what is on disk decides, and it is the same result."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))

from store_data import toy_model, toy_study, tree, walk_job

from paget.engine.ensemble.experiment_run import run_study
from paget.errors import ClusterError, SimulationFailed, StorageFullError
from paget.results import Result
from paget.results.files import is_locked, read_json

pytestmark = pytest.mark.filterwarnings("ignore:Port 8787")
distributed = pytest.importorskip("distributed", reason="needs Dask: pip install 'paget[cluster]'")
dask_executor = pytest.importorskip("paget.engine.cluster.dask")

STUDY = toy_study(replicates=3, duration="6 day")


@pytest.fixture(scope="module")
def client():
    """Two workers on this machine, of which one may be killed: its nanny starts another one."""
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=2, dashboard_address=None, silence_logs=50) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def run(out, client, model=None, stall_limit=60.0, **settings):
    executor = dask_executor.DaskExecutor(client, stall_limit)
    return run_study(STUDY, model or toy_model(), walk_job, **{"out": out, "execute": executor, **settings})


def tables(folder):
    return {name: (folder / name).read_bytes() for name in ("metrics.parquet", "outcomes.parquet")}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "toy"
    run_study(STUDY, toy_model(pause=0.15), walk_job, out=folder, workers=4)
    return folder


def test_a_worker_that_is_killed_costs_time_and_changes_nothing(client, tmp_path, whole):
    folder, killed, stop, events = tmp_path / "r", [], threading.Event(), []
    victim = next(iter(client.run(os.getpid).values()))

    def kill_while_animals_are_computed():
        while not killed and not stop.wait(0.05):
            if any(is_locked(path.parent) for path in folder.glob("runs/*/*/run.json")):
                time.sleep(0.1)
                os.kill(victim, signal.SIGKILL)
                killed.append(victim)

    killer = threading.Thread(target=kill_while_animals_are_computed)
    killer.start()
    try:
        result = run(folder, client, toy_model(pause=0.15), progress=events.append)
    finally:
        stop.set()
        killer.join()
    assert killed
    assert tree(folder / "runs") == tree(whole / "runs")
    assert tables(folder) == tables(whole)
    assert (result.status["status"] == "done").all()
    assert (events[-1].kind, events[-1].finished, events[-1].total) == ("done", 6, 6)
    result.verify()


def test_an_animal_that_fails_is_kept_with_its_reason_and_the_others_are_done(client, tmp_path):
    with pytest.raises(SimulationFailed, match=r"2 animals could not be finished[\s\S]*oxygen became negative"):
        run(tmp_path / "r", client, toy_model(habit="refuse", animal=1))
    status = Result.open(tmp_path / "r").status
    assert list(status["status"].value_counts().items()) == [("done", 4), ("failed", 2)]
    assert read_json(tmp_path / "r" / "manifest.json")["tables"]


def test_a_full_disk_on_a_worker_stops_the_study_and_fails_nobody(client, tmp_path):
    with pytest.raises(StorageFullError, match="The disk is full: toy"):
        run(tmp_path / "r", client, toy_model(habit="fill", animal=0))
    assert "failed" not in set(Result.open(tmp_path / "r").status["status"])


def test_a_cluster_that_makes_no_progress_is_asked_again_and_then_given_up(tmp_path):
    """A scheduler without any worker: nothing ever happens."""
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=None, silence_logs=50) as cluster,
        distributed.Client(cluster) as empty,
    ):
        events = []
        with pytest.raises(ClusterError, match=r"no progress for 3 times .*6 of 6 animals .*0 workers.*--resume"):
            run(tmp_path / "r", empty, stall_limit=0.3, progress=events.append)
    assert [e.kind for e in events] == ["retried", "retried"]
    assert "6 animals are sent off again" in events[0].message
    assert set(Result.open(tmp_path / "r").status["status"]) == {"pending"}


def test_an_address_where_nobody_answers_is_told(tmp_path):
    import dask

    quickly = dask.config.set({"distributed.comm.timeouts.connect": "0.3s"})
    with quickly, pytest.raises(ClusterError, match=r"tcp://127\.0\.0\.1:1"):
        run(tmp_path / "r", "tcp://127.0.0.1:1")
