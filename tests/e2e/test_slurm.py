"""The job script of `paget slurm` on a real SLURM: a killed task, a second sending off, and the undivided run's bits."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from slurm_cluster import await_jobs, jobs, missing, one_node_cluster

from paget.results import Result
from paget.results.files import read_json

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())

STUDY = """
base: lung_awakening
name: small
keep: [vehicle]
options: {size: 400}
duration: 8 day
replicates: 4
record: {metrics: 1 day, frames: 4 day, checkpoint: 1 day}
"""
PAGET = (sys.executable, "-m", "paget.cli")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with one_node_cluster(tmp_path_factory.mktemp("slurm")) as environment:
        yield environment


def hold(folder: Path) -> int:
    """Process that writes to an animal at this moment."""
    for lock in folder.glob("runs/*/*/.lock"):
        record = lock.parent / "run.json"
        if record.exists() and read_json(record)["status"] == "running":
            return int(lock.read_text().split()[1])
    return 0


def files(folder: Path) -> dict[str, bytes]:
    names = [folder / "metrics.parquet", folder / "outcomes.parquet"]
    names += [p for p in (folder / "runs").rglob("*") if p.is_file() and p.name not in ("run.json", ".lock", "log.txt")]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in names}


def test_a_job_array_with_a_killed_task_and_sent_off_again_leaves_the_bits_of_an_undivided_run(cluster, tmp_path):
    study, out = tmp_path / "small.yaml", tmp_path / "a result"
    study.write_text(STUDY)
    command = [*PAGET, "slurm", str(study), "--tasks", "2", "--out", str(out), "--time", "30:00"]
    script = tmp_path / "job.sh"
    script.write_bytes(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)

    # the first time: one task is killed with everything that belongs to it
    sent = subprocess.run(["bash", str(script)], env=cluster, check=True, capture_output=True, text=True, cwd=tmp_path)
    array = sent.stdout.split("shards: job ")[1].split()[0]
    while not hold(out):
        time.sleep(0.05)
        assert "PENDING" in jobs(cluster).values() or "RUNNING" in jobs(cluster).values()
    victim = next(t for t, state in jobs(cluster).items() if state == "RUNNING" and t.startswith(f"{array}_"))
    subprocess.run(["scancel", "--signal=KILL", "--full", victim], env=cluster, check=True)
    states = await_jobs(cluster)
    assert sorted(states[f"{array}_{i}"] for i in (1, 2)) in (["CANCELLED", "COMPLETED"], ["COMPLETED", "FAILED"])
    assert (Result.open(out).status["status"] != "done").any()
    collected = next(tmp_path.glob("a result-*-collect.log")).read_text()
    assert "not done yet" in collected

    # the second time, unchanged: what is left is computed, and collected with a report
    subprocess.run(["bash", str(script)], env=cluster, check=True, cwd=tmp_path)
    states = await_jobs(cluster)
    last = sorted(states, key=lambda name: int(name.split("_")[0]))[-3:]
    assert [states[name] for name in last] == ["COMPLETED"] * 3
    assert (out / "report.html").exists()

    whole = tmp_path / "whole"
    subprocess.run(
        [*PAGET, "run", str(study), "--out", str(whole), "--no-report"], check=True, stdout=subprocess.DEVNULL
    )
    assert files(out) == files(whole)
    manifest = read_json(out / "manifest.json")
    assert manifest["finished"] is not None
    assert {s["shard"] for s in manifest["sessions"]} == {"1/2", "2/2"}
    Result.open(out).verify()
