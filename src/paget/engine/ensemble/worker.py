"""The child's side of an ensemble: one process, one animal, never outliving the process that started it."""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal

from paget.engine.ensemble.branching import starting_state
from paget.errors import FolderInUseError, PagetError, StorageFullError
from paget.experiment import Study
from paget.results.files import make_folder
from paget.results.record import read_record

__all__ = ["LOG_NAME", "SINGLE_THREADED", "Job", "Message", "Target", "Task", "child", "run_job"]

LOG_NAME = "log.txt"
_THREAD_SETTINGS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
SINGLE_THREADED = dict.fromkeys(_THREAD_SETTINGS, "1")
_SECONDS_BETWEEN_REPORTS = 0.1
_SECONDS_FOR_AN_ORPHAN_TO_END = 20.0


@dataclass(frozen=True)
class Job:
    """One animal to be simulated: which one, where it is kept, and what the target needs to know about it."""

    arm: str
    animal: int
    folder: Path
    task: Any = None

    @property
    def label(self) -> str:
        return f"animal {self.animal} of arm '{self.arm}'"


@dataclass(frozen=True)
class Task:
    """What every animal of a study shares."""

    study: Study
    study_folder: Path
    model: dict[str, Any]


@dataclass(frozen=True)
class Message:
    """What a child tells: how far it is, or how it ended; `text` is for the user, `trace` for finding the cause."""

    kind: Literal["progress", "finished", "refused", "busy", "storage full", "crashed"]
    fraction: float = 0.0
    text: str = ""
    trace: str = ""


Target = Callable[[Job, Callable[[float], None]], None]


def run_job(job: Job, report: Callable[[float], None]) -> None:
    """Simulate one animal into its folder, from its last checkpoint if it has one."""
    from paget.catalogue import build_model
    from paget.engine.block import record_block
    from paget.engine.simulate import run_animal
    from paget.results.animal import AnimalStore
    from paget.subject import Cohort

    record = read_record(job.folder)
    if record is not None and record.status == "done":
        return
    task: Task = job.task
    started = time.monotonic()
    with AnimalStore.open(
        job.folder,
        study_folder=task.study_folder,
        study=task.study,
        arm=job.arm,
        animal=job.animal,
        model=task.model,
        wait=_SECONDS_FOR_AN_ORPHAN_TO_END,
    ) as store:
        model = build_model(task.study)
        if isinstance(model, Cohort):
            record_block(model, task.study, job.arm, job.animal, store)
        else:
            begin = starting_state(task.study, job.animal)
            run_animal(model, task.study, job.arm, job.animal, store, report, begin)
        store.finish(time.monotonic() - started)


def child(target: Target, job: Job, connection: Connection) -> None:
    """Run `target` in this process and tell the parent through `connection` how it went."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    threading.Thread(target=_end_with_parent, args=(connection,), daemon=True).start()
    try:
        make_folder(job.folder)
        log = job.folder / LOG_NAME
        _write_output_to(log)
        target(job, _reporter(connection))
    except StorageFullError as problem:
        connection.send(Message("storage full", text=str(problem)))
    except FolderInUseError as problem:
        connection.send(Message("busy", text=str(problem)))
    except PagetError as problem:
        connection.send(Message("refused", text=str(problem), trace=traceback.format_exc()))
    except Exception as problem:
        connection.send(Message("crashed", text=f"{type(problem).__name__}: {problem}", trace=traceback.format_exc()))
    else:
        sys.stdout.flush()
        sys.stderr.flush()
        if log.stat().st_size == 0:
            log.unlink()
        connection.send(Message("finished", fraction=1.0))


def _end_with_parent(connection: Connection) -> None:
    """Wait for the other end to close, which the operating system sees to when the parent dies in any way."""
    try:
        connection.recv()
    except (EOFError, OSError):
        os._exit(1)


def _write_output_to(log: Path) -> None:
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.close(handle)
    faulthandler.enable(file=2)


def _reporter(connection: Connection) -> Callable[[float], None]:
    last = -_SECONDS_BETWEEN_REPORTS

    def report(fraction: float) -> None:
        nonlocal last
        moment = time.monotonic()
        if moment - last >= _SECONDS_BETWEEN_REPORTS:
            last = moment
            connection.send(Message("progress", fraction=float(fraction)))

    return report
