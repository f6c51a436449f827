"""A toy study whose animals are random walks: small, quick, and with every kind of record."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from paget.engine.ensemble.worker import Job, Task
from paget.engine.recorder import Recorder
from paget.errors import NumericalError, StorageFullError
from paget.experiment import Study
from paget.results.animal import AnimalStore
from paget.results.record import read_record

WALKERS = 40
STEP_HOURS = 24.0
FIELD_SHAPE = (2, 1, 5, 6)

TOY_MODEL: dict[str, Any] = {
    "name": "toy",
    "title": "Toy",
    "domain": {"size_um": [60, 50, 10], "voxel_um": 10.0, "shape": [1, 5, 6]},
    "readouts": [
        {"name": "spread", "title": "Spread", "unit": "um", "kind": "continuous", "summary": "final", "headline": True},
        {"name": "right", "title": "Right", "unit": "cells", "kind": "count", "summary": "peak", "headline": True},
        {"name": "drift", "title": "Drift", "unit": "um", "kind": "continuous", "summary": "mean", "headline": False},
        {
            "name": "first_far",
            "title": "First far",
            "unit": "day",
            "kind": "time",
            "summary": "first",
            "headline": True,
        },
    ],
    "cell_types": [{"name": "walker", "label": "walker", "colour": "#000", "group": "tumour"}, {"name": "runner"}],
    "fields": [{"name": "oxygen", "unit": "mmHg"}, {"name": "net", "unit": "1/pL"}],
    "event_kinds": ["arrival", "division", "death"],
    "toy": {},
}


def toy_study(**changes: Any) -> Study:
    settings: dict[str, Any] = {
        "name": "toy",
        "model": "toy",
        "duration": "10 day",
        "tick": "24 h",
        "replicates": 2,
        "seed": 5,
        "arms": [{"name": "control"}, {"name": "drug + X", "versus": "control"}],
        "record": {"metrics": "24 h", "frames": "48 h", "checkpoint": "72 h"},
    }
    return Study.model_validate({**settings, **changes})


def toy_model(**habits: Any) -> dict[str, Any]:
    """The toy model; `habits` are misbehaviours of its animals, see `walk_job`."""
    return {**TOY_MODEL, "toy": habits}


def walk(
    study: Study,
    arm: str,
    animal: int,
    recorder: Recorder,
    report: Callable[[float], None] | None = None,
    pause: float = 0.0,
) -> None:
    """A random walk that obeys the contract of `run_animal`."""
    state = recorder.checkpoint()
    positions = np.zeros((WALKERS, 3)) if state is None else state["positions"].copy()
    far = np.nan if state is None else float(state["far"])
    step = 0 if state is None else int(state["step"])
    if state is None:
        _record(study, recorder, 0.0, positions, far)
    steps = round(study.duration / STEP_HOURS)
    pull = 0.0 if arm == "control" else 0.3
    while step < steps:
        step += 1
        random = np.random.Generator(np.random.Philox(key=study.seed * 1000 + animal, counter=step))
        positions += random.normal(pull, 1.0, positions.shape)
        hours = step * STEP_HOURS
        if np.isnan(far) and np.abs(positions).max() > 6.0:
            far = hours / 24.0
        recorder.record_events(
            {
                "time": np.full(2, hours),
                "kind": np.array([1, 2], np.int8),
                "cell": np.array([step, step + 1], np.uint64),
                "other": np.zeros(2, np.uint64),
                "type": np.array([0, 1], np.int8),
                "x": positions[:2, 0].astype(np.float32),
                "y": positions[:2, 1].astype(np.float32),
                "z": positions[:2, 2].astype(np.float32),
            }
        )
        _record(study, recorder, hours, positions, far)
        if hours % study.record.checkpoint == 0 or step == steps:
            recorder.commit(hours, {"positions": positions, "far": np.array(far), "step": np.array(step)})
        if report is not None:
            report(step / steps)
        time.sleep(pause)


def _record(study: Study, recorder: Recorder, hours: float, positions: np.ndarray, far: float) -> None:
    values = {
        "spread": float(positions.std()),
        "right": float((positions[:, 0] > 0).sum()),
        "drift": float(positions.mean()),
        "first_far": far,
    }
    recorder.record_metrics(hours, values)
    if hours % study.record.frames == 0:
        recorder.record_cells(hours, cells_of(positions))
        recorder.record_fields(hours, fields_of(positions))


def cells_of(positions: np.ndarray) -> Mapping[str, np.ndarray]:
    return {
        "id": np.arange(len(positions), dtype=np.uint64) * np.uint64(2**57) + np.uint64(3),
        "type": (np.arange(len(positions)) % 2).astype(np.int8),
        **{axis: positions[:, i].astype(np.float32) for i, axis in enumerate("xyz")},
        "radius": np.full(len(positions), np.float32(np.pi)),
    }


def fields_of(positions: np.ndarray) -> np.ndarray:
    return (positions[:1, 0, None, None, None] + np.arange(np.prod(FIELD_SHAPE)).reshape(FIELD_SHAPE) / 7.0).astype(
        np.float32
    )


def open_store(folder: Path, study: Study, arm: str = "control", animal: int = 0, **settings: Any) -> AnimalStore:
    return AnimalStore.open(
        folder,
        **{"study_folder": folder.parent, "study": study, "arm": arm, "animal": animal, "model": TOY_MODEL, **settings},
    )


def tree(folder: Path, ending: str = "") -> dict[str, bytes]:
    """Content of every file below a folder, without the lock and what tells of the way to the result."""
    skipped = (".lock", "run.json", "log.txt")
    files = (path for path in folder.rglob(f"*{ending}") if path.is_file() and path.name not in skipped)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def walk_job(job: Job, report: Callable[[float], None]) -> None:
    """A target for the ensemble. Habits, for the animal named in them: die, leave, raise, refuse, fill, hang, chatter."""
    task: Task = job.task
    record = read_record(job.folder)
    if record is not None and record.status == "done":
        return
    habits = task.model["toy"]
    with open_store(
        job.folder, task.study, job.arm, job.animal, study_folder=task.study_folder, model=task.model, wait=10.0
    ) as store:
        tries = read_record(job.folder).tries
        if habits.get("animal") in (None, job.animal) and tries <= habits.get("times", 10**9):
            _misbehave(habits)
        walk(task.study, job.arm, job.animal, store, report, habits.get("pause", 0.0))
        store.finish(0.25)


def _misbehave(habits: Mapping[str, Any]) -> None:
    match habits.get("habit"):
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "leave":
            print("about to leave", file=sys.stderr, flush=True)
            os._exit(3)
        case "raise":
            raise ZeroDivisionError("the toy broke")
        case "refuse":
            raise NumericalError("oxygen became negative at 12 h")
        case "fill":
            raise StorageFullError("The disk is full: toy.")
        case "hang":
            time.sleep(60)
        case "chatter":
            print("a library warns", flush=True)
