"""The same study gives the same bytes: for any number of workers and threads, and after being killed and resumed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from paget.results import Result

STUDY = """
base: lung_awakening
name: small
keep: [vehicle, doxorubicin]
options: {size: 400}
duration: 20 day
replicates: 2
record: {metrics: 1 day, frames: 5 day, checkpoint: 5 day}
"""


def command(study: Path, out: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "paget.cli", "run", str(study), "--out", str(out), "--no-report", *more]


def everything(out: Path) -> dict[str, object]:
    """All numbers of a result as comparable values: tables as bytes, fields as bytes."""
    result = Result.open(out)
    held: dict[str, object] = {"metrics": result.metrics.to_csv(), "outcomes": result.outcomes.to_csv()}
    for arm in result.arms:
        for animal in result.animals:
            held[f"{arm}/{animal}/events"] = result.events(arm, animal).to_csv()
            for day in result.frame_days():
                held[f"{arm}/{animal}/{day}"] = result.cells(arm, animal, day).to_csv()
                held[f"{arm}/{animal}/{day}/net"] = result.field(arm, animal, day, "net").tobytes()
    return held


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("study") / "small.yaml"
    path.write_text(STUDY, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def undisturbed(study: Path) -> dict[str, object]:
    out = study.parent / "one"
    subprocess.run(command(study, out, "--workers", "1"), check=True, env={**os.environ, "NUMBA_NUM_THREADS": "1"})
    return everything(out)


def test_two_workers_and_two_threads_give_the_same_bits_as_one(study: Path, undisturbed: dict[str, object]) -> None:
    out = study.parent / "two"
    threads = dict.fromkeys(("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "2")
    subprocess.run(command(study, out, "--workers", "2"), check=True, env={**os.environ, **threads})
    assert everything(out) == undisturbed


def test_a_run_killed_at_a_random_moment_and_resumed_gives_the_same_bits(
    study: Path, undisturbed: dict[str, object]
) -> None:
    out = study.parent / "killed"
    moment = random.SystemRandom().uniform(1.0, 6.0)
    running = subprocess.Popen(command(study, out, "--workers", "2"), start_new_session=True, stderr=subprocess.DEVNULL)
    time.sleep(moment)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    time.sleep(1.0)  # orphans notice within a second that their parent is gone
    subprocess.run(command(study, out, "--workers", "2", "--resume"), check=True)
    assert everything(out) == undisturbed, f"killed after {moment:.2f} s"
    done = pd.DataFrame(Result.open(out).status)
    assert (done["status"] == "done").all()
