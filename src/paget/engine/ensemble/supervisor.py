"""The parent's side of an ensemble: one process per animal, the killed ones started again, the hopeless ones set aside.

What is on disk is the only truth. The parent starts processes, watches them and notes why an animal was given up;
killing it or any of its children at any moment costs no more than the open segments.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
import types
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Literal

from paget.engine.ensemble.worker import LOG_NAME, SINGLE_THREADED, Job, Message, Target, child
from paget.errors import DamagedResultError, StorageFullError
from paget.results.files import full_disk_is_an_error
from paget.results.record import mark_failed

__all__ = ["STORE_IMPORTS", "Event", "Execute", "Failure", "execute"]

_LOG_TAIL = 4000
_SECONDS_BEFORE_ANOTHER_START = 1.0
_LAUNCH = threading.Lock()
STORE_IMPORTS = ("pandas", "pyarrow.parquet", "zarr.codecs", "paget.results.animal")


@dataclass(frozen=True)
class Event:
    """News of an ensemble, for a progress bar.

    kind : "started", "progress", "retried", "done" or "failed".
    arm, animal, fraction : which animal, and how far it is (0 to 1).
    finished, failed, total : animals so far, and all of the study; `overall` is the fraction of the whole (0 to 1).
    message : why an animal was started again or given up, else "".
    """

    kind: Literal["started", "progress", "retried", "done", "failed"]
    arm: str
    animal: int
    fraction: float
    finished: int
    failed: int
    total: int
    overall: float
    message: str = ""


@dataclass(frozen=True)
class Failure:
    """An animal that was given up, and why."""

    job: Job
    error: str


Execute = Callable[..., tuple[Failure, ...]]  # with the parameters of `execute`


@dataclass
class _Running:
    job: Job
    attempt: int
    process: BaseProcess
    connection: Connection | None
    deadline: float
    fraction: float = 0.0
    ending: Message | None = None


def execute(
    jobs: Sequence[Job],
    target: Target,
    workers: int,
    on_event: Callable[[Event], None] | None = None,
    *,
    max_tries: int = 3,
    time_limit: float | None = None,
    finished_before: int = 0,
    preload: Sequence[str] = STORE_IMPORTS,
) -> tuple[Failure, ...]:
    """Run every job in a process of its own, at most `workers` at once; returns those that were given up.

    A process that dies is started again, up to `max_tries` times; then, or at once if it ended with a `PagetError`
    (which would only come again), its animal is marked as failed with the reason and the end of its log.

    Parameters
    ----------
    target : importable function of a job and of a reporter of progress; leaves its result in the folder of the job.
    on_event : told about everything that happens; an exception from it stops the ensemble, which can be resumed.
    time_limit : seconds after which an attempt counts as dead.
    finished_before : animals that were done before, for the counts in the events.
    preload : modules imported once for all children, where the system can fork from a server.

    Raises
    ------
    StorageFullError
        At once if a child finds the disk full; nothing committed is lost.
    """
    return _Supervisor(jobs, target, workers, on_event, max_tries, time_limit, finished_before, preload).run()


class _Supervisor:
    def __init__(
        self,
        jobs: Sequence[Job],
        target: Target,
        workers: int,
        on_event: Callable[[Event], None] | None,
        max_tries: int,
        time_limit: float | None,
        finished_before: int,
        preload: Sequence[str],
    ) -> None:
        self._waiting = deque((job, 1) for job in jobs)
        self._target, self._workers, self._on_event = target, workers, on_event
        self._max_tries, self._time_limit = max_tries, time_limit
        self._context = _context(preload)
        self._finished, self._total = finished_before, finished_before + len(jobs)
        self._failures: list[Failure] = []
        self._running: list[_Running] = []

    def run(self) -> tuple[Failure, ...]:
        with _termination_unwinds():
            try:
                while self._waiting or self._running:
                    while self._waiting and len(self._running) < self._workers:
                        self._start(*self._waiting.popleft())
                    if self._running:
                        self._watch()
            finally:
                for running in self._running:
                    running.process.kill()
                for running in self._running:
                    running.process.join()
        return tuple(self._failures)

    def _start(self, job: Job, attempt: int) -> None:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=child, args=(self._target, job, theirs), name=job.label, daemon=True)
        deadline = time.monotonic() + (self._time_limit if self._time_limit is not None else float("inf"))
        running = _Running(job, attempt, process, ours, deadline)
        try:
            with _launching():
                process.start()
        except Exception as problem:
            ours.close()
            self._not_started(running, problem)
            return
        finally:
            theirs.close()
        self._running.append(running)
        if attempt == 1:
            self._tell("started", running)

    def _not_started(self, running: _Running, problem: Exception) -> None:
        """The system may lack memory or processes for a moment; what cannot be sent to a process never will be."""
        reason = f"its process could not be started ({type(problem).__name__}: {problem})"
        if isinstance(problem, OSError) and running.attempt < self._max_tries:
            self._waiting.appendleft((running.job, running.attempt + 1))
            self._tell("retried", running, f"{running.job.label}: {reason}; tried again")
            time.sleep(_SECONDS_BEFORE_ANOTHER_START)
            return
        trace = "".join(traceback.format_exception(problem))
        self._give_up(running, f"{reason}{_times(running.attempt)}", trace)

    def _watch(self) -> None:
        """Sleep until some child speaks, ends, or runs out of time."""
        sentinels = [running.process.sentinel for running in self._running]
        voices = [running.connection for running in self._running if running.connection is not None]
        next_deadline = min(running.deadline for running in self._running)
        patience = None if next_deadline == float("inf") else max(0.0, next_deadline - time.monotonic())
        wait([*sentinels, *voices], timeout=patience)
        for running in list(self._running):
            self._listen(running)
            if time.monotonic() >= running.deadline:
                running.process.kill()
                running.process.join()
                running.ending = Message("crashed", text=f"it took longer than the limit of {self._time_limit:g} s")
            if not running.process.is_alive():
                self._listen(running)  # what was said between the first look and the end
                self._running.remove(running)
                self._settle(running)

    def _listen(self, running: _Running) -> None:
        try:
            while running.connection is not None and running.connection.poll():
                message: Message = running.connection.recv()
                if message.kind == "progress":
                    running.fraction = message.fraction
                    self._tell("progress", running)
                elif message.kind == "storage full":
                    raise StorageFullError(message.text)
                else:
                    running.ending = message
        except (EOFError, ConnectionResetError):
            running.connection = None

    def _settle(self, running: _Running) -> None:
        """Decide what the end of a process means."""
        process, ending = running.process, running.ending
        process.join()
        if running.connection is not None:
            running.connection.close()
        if ending is not None and ending.kind == "finished":
            self._finished += 1
            running.fraction = 1.0
            self._tell("done", running)
            return
        reason = ending.text if ending is not None else _cause_of_death(process.exitcode)
        if (ending is None or ending.kind != "refused") and running.attempt < self._max_tries:
            self._waiting.appendleft((running.job, running.attempt + 1))
            self._tell("retried", running, f"{running.job.label}: {reason}; started again from its last checkpoint")
            return
        tries = _times(running.attempt)
        if ending is not None and ending.kind == "busy":  # its record belongs to the process that holds the animal
            self._leave(running, f"{reason}{tries}")
            return
        self._give_up(running, f"{reason}{tries}", ending.trace if ending is not None else "")

    def _give_up(self, running: _Running, error: str, trace: str) -> None:
        """Note on disk why an animal was given up, with the end of its log."""
        job = running.job
        try:
            with full_disk_is_an_error(job.folder):
                mark_failed(job.folder, error, _tail_of_log(job) + trace)
        except DamagedResultError as problem:  # its record cannot take the note; the caller still gets it
            error = f"{error} ({problem})"
        self._leave(running, error)

    def _leave(self, running: _Running, error: str) -> None:
        self._failures.append(Failure(running.job, error))
        self._tell("failed", running, f"{running.job.label}: {error}")

    def _tell(
        self, kind: Literal["started", "progress", "retried", "done", "failed"], about: _Running, message: str = ""
    ) -> None:
        if self._on_event is None:
            return
        settled = self._finished + len(self._failures)
        under_way = sum(running.fraction for running in self._running)
        self._on_event(
            Event(
                kind=kind,
                arm=about.job.arm,
                animal=about.job.animal,
                fraction=about.fraction,
                finished=self._finished,
                failed=len(self._failures),
                total=self._total,
                overall=min(1.0, (settled + under_way) / self._total),
                message=message,
            )
        )


def _context(preload: Sequence[str]) -> Any:
    """How processes start: forked from a server that has the heavy imports done, or afresh where there is none."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(preload))
    return context


@contextmanager
def _launching() -> Iterator[None]:
    """Start children single-threaded, and without running the user's script again in each of them.

    multiprocessing would import the main module into every child, so that a script which calls `simulate` at its top
    level would start itself over and over. No target lives in the main module, so it is hidden for the moment.
    """
    with _LAUNCH:  # threads of one process may each run animals
        main = sys.modules["__main__"]
        before = {name: os.environ.get(name) for name in SINGLE_THREADED}
        sys.modules["__main__"] = types.ModuleType("__main__")
        os.environ.update(SINGLE_THREADED)
        try:
            yield
        finally:
            sys.modules["__main__"] = main
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


@contextmanager
def _termination_unwinds() -> Iterator[None]:
    """Let SIGTERM unwind the stack, as Ctrl-C does, so that the children are stopped before this process ends."""

    def leave(number: int, frame: types.FrameType | None) -> None:
        raise SystemExit(128 + number)

    with ExitStack() as stack:
        if threading.current_thread() is threading.main_thread():
            before = signal.signal(signal.SIGTERM, leave)
            stack.callback(signal.signal, signal.SIGTERM, before)
        yield


def _times(attempt: int) -> str:
    return "" if attempt == 1 else f" (tried {attempt} times)"


def _cause_of_death(exit_code: int | None) -> str:
    if exit_code == -9:
        return "its process was killed (signal 9), as happens when memory runs out; fewer --workers need less"
    if exit_code is not None and exit_code < 0:
        return f"its process was ended by signal {-exit_code} ({signal.Signals(-exit_code).name})"
    return f"its process ended with exit code {exit_code} before it was done"


def _tail_of_log(job: Job) -> str:
    log = job.folder / LOG_NAME
    return log.read_text(errors="replace")[-_LOG_TAIL:] if log.exists() else ""
