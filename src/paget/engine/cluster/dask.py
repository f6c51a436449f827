"""Animals as tasks of a Dask cluster, under the same ledger as everywhere: what is on disk is the only truth.

A task starts its animal in a process of its own, as on one machine. What Dask says about a task is a hint that it is
worth looking at the folder: a task that was lost, or that ran twice, or a scheduler that forgot everything, cost time
and change nothing. If nothing on disk moves for a while, whatever is not done is sent off again; if that does not help
either, an error says so and the folder can be resumed.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from paget.engine.ensemble.supervisor import STORE_IMPORTS, Event, Failure, execute
from paget.engine.ensemble.worker import Job, Target
from paget.errors import ClusterError, PagetError, StorageFullError
from paget.results.record import RunRecord, mark_failed, read_record

__all__ = ["DaskExecutor"]

_SECONDS_BETWEEN_LOOKS = 1.0
_SECONDS_BETWEEN_SIGNS = 10.0
_SIGN_NAME = ".alive"
_ROUNDS = 3


@dataclass(frozen=True)
class DaskExecutor:
    """Computes the jobs of a study on a Dask cluster; called like `paget.engine.ensemble.execute`.

    cluster : a `distributed.Client`, a cluster object (such as those of dask-jobqueue), the address of a scheduler
        (``tcp://host:8786``), the path of a scheduler file, or ``"local"`` for workers on this machine.
    stall_limit : seconds without any movement on disk after which everything that is not done is sent off again;
        after three rounds like that the cluster is given up.
    """

    cluster: Any
    stall_limit: float = 1800.0

    def __call__(
        self,
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
        if not jobs:
            return ()
        with ExitStack() as stack:
            client = _connected(self.cluster, workers, stack)
            send = _Sender(client, target, max_tries, time_limit, tuple(preload))
            return _Ledger(jobs, send, on_event, max_tries, finished_before, self.stall_limit).settle()


def _connected(cluster: Any, workers: int, stack: ExitStack) -> Any:
    """A client of the cluster; what is made here is closed with `stack`, what was given is left open."""
    dask = _distributed()
    if isinstance(cluster, dask.Client):
        return cluster
    try:
        if not isinstance(cluster, (str, Path)):
            return stack.enter_context(dask.Client(cluster))
        if str(cluster) == "local":
            local = dask.LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None)
            return stack.enter_context(dask.Client(stack.enter_context(local)))
        if Path(cluster).is_file():
            return stack.enter_context(dask.Client(scheduler_file=str(cluster)))
        return stack.enter_context(dask.Client(str(cluster)))
    except (OSError, ValueError) as problem:
        raise ClusterError(
            f"No Dask scheduler answers at {cluster}: {problem}. Give tcp://HOST:PORT, the path of a scheduler file, "
            "or local."
        ) from problem


@dataclass(frozen=True)
class _Sender:
    client: Any
    target: Target
    max_tries: int
    time_limit: float | None
    preload: tuple[str, ...]

    def __call__(self, job: Job, attempt: int) -> Any:
        key = f"paget-{job.arm}-{job.animal}-{attempt}-{os.urandom(4).hex()}"
        return self.client.submit(
            run_on_worker,
            self.target,
            job,
            self.max_tries,
            self.time_limit,
            self.preload,
            key=key,
            pure=False,
            retries=0,
        )


def run_on_worker(
    target: Target, job: Job, max_tries: int, time_limit: float | None, preload: tuple[str, ...]
) -> tuple[str, ...]:
    """Compute one animal in a process of its own, from a worker of Dask; returns why it was given up, if it was."""
    # Workers under a nanny are daemons, which may have no children; ours end with their parent by themselves.
    multiprocessing.current_process().daemon = False
    sign, last = job.folder / _SIGN_NAME, 0.0

    def show_life(event: Event) -> None:
        nonlocal last
        if time.monotonic() - last > _SECONDS_BETWEEN_SIGNS:
            last = time.monotonic()
            sign.touch()

    try:
        failures = execute([job], target, 1, show_life, max_tries=max_tries, time_limit=time_limit, preload=preload)
    finally:
        sign.unlink(missing_ok=True)
    return tuple(failure.error for failure in failures)


@dataclass
class _Sent:
    """A job on its way: the task, how often it was sent, and what was last seen of it on disk."""

    job: Job
    future: Any  # of distributed, which has no types
    attempt: int = 1
    seen: tuple[Any, ...] = ()
    fraction: float = 0.0
    reason: str = ""


class _Ledger:
    """Compares what Dask says with what is on disk until every animal is done or given up."""

    def __init__(
        self,
        jobs: Sequence[Job],
        send: _Sender,
        on_event: Callable[[Event], None] | None,
        max_tries: int,
        finished_before: int,
        stall_limit: float,
    ) -> None:
        self._send, self._on_event, self._max_tries = send, on_event, max_tries
        self._stall_limit = stall_limit
        self._finished, self._total = finished_before, finished_before + len(jobs)
        self._failures: list[Failure] = []
        self._open = [_Sent(job, send(job, 1)) for job in jobs]
        self._moved, self._rounds = time.monotonic(), 1

    def settle(self) -> tuple[Failure, ...]:
        try:
            while self._open:
                for sent in list(self._open):
                    self._look(sent)
                if self._open and time.monotonic() - self._moved > self._stall_limit:
                    self._send_again()
                self._wait()
        except BaseException:
            self._cancel()
            raise
        return tuple(self._failures)

    def _wait(self) -> None:
        """Sleep until a task ends, or for a moment."""
        futures = [sent.future for sent in self._open]
        if any(future.done() for future in futures) or not futures:
            time.sleep(0.05)
            return
        with suppress(TimeoutError):
            _distributed().wait(futures, timeout=_SECONDS_BETWEEN_LOOKS, return_when="FIRST_COMPLETED")

    def _look(self, sent: _Sent) -> None:
        """Note what has happened to one animal."""
        ended = sent.future.done()
        record = _record(sent.job)
        self._note_movement(sent, record)
        if record is not None and record.status == "done":
            self._finished += 1
            self._close(sent, "done", 1.0)
        elif ended:
            self._after_the_end(sent, record)

    def _note_movement(self, sent: _Sent, record: RunRecord | None) -> None:
        try:
            sign = (sent.job.folder / _SIGN_NAME).stat().st_mtime_ns
        except OSError:
            sign = 0
        seen = (record.status, record.tries, record.committed_segment, sign) if record is not None else (sign,)
        if seen != sent.seen:
            was_new, sent.seen = not sent.seen, seen
            if not was_new:
                self._moved, self._rounds = time.monotonic(), 1
            duration = sent.job.task.study.duration
            time_there = record.committed_time if record is not None and record.committed_time is not None else 0.0
            sent.fraction = min(1.0, time_there / duration)
            if not was_new:
                self._tell("progress", sent.job, sent.fraction)

    def _after_the_end(self, sent: _Sent, record: RunRecord | None) -> None:
        """A task ended whose animal is not done: it was given up, its task was lost, or another one holds the animal."""
        problem = sent.future.exception() if sent.future.status == "error" else None
        if isinstance(problem, StorageFullError):
            raise problem
        if isinstance(problem, PagetError):
            self._give_up(sent, str(problem), on_disk=False)
        elif record is not None and record.status == "failed" and sent.future.status == "finished":
            self._give_up(sent, record.error, on_disk=False)
        elif sent.attempt < self._max_tries:
            reason = f"its task was lost ({problem or sent.future.status})"
            sent.attempt += 1
            sent.future = self._send(sent.job, sent.attempt)
            self._tell("retried", sent.job, sent.fraction, f"{sent.job.label}: {reason}; sent off again")
        else:
            self._give_up(
                sent, f"its task was lost {sent.attempt} times ({problem or sent.future.status})", on_disk=True
            )

    def _give_up(self, sent: _Sent, error: str, *, on_disk: bool) -> None:
        if on_disk:
            mark_failed(sent.job.folder, error, "")
        self._failures.append(Failure(sent.job, error))
        self._close(sent, "failed", sent.fraction, f"{sent.job.label}: {error}")

    def _send_again(self) -> None:
        """Send off everything that is not done once more: a scheduler may have lost it without saying so."""
        minutes = self._stall_limit / 60.0
        if self._rounds >= _ROUNDS:
            raise ClusterError(
                f"The cluster has made no progress for {self._rounds} times {minutes:g} min: {len(self._open)} of "
                f"{self._total} animals are not done and {self._workers_there()}. What was committed is kept; run the "
                "same command with --resume, here or on another cluster, or raise --stall-limit."
            )
        self._rounds += 1
        self._cancel()
        for sent in self._open:
            sent.future = self._send(sent.job, sent.attempt)
        self._moved = time.monotonic()
        self._tell(
            "retried",
            self._open[0].job,
            0.0,
            f"No progress for {minutes:g} min: {len(self._open)} animals are sent off again",
        )

    def _workers_there(self) -> str:
        try:
            number = len(self._send.client.scheduler_info(n_workers=-1)["workers"])
        except Exception:  # whatever is wrong with the scheduler: it cannot be asked
            return "its scheduler does not answer"
        return f"it has {number} worker{'s' * (number != 1)}"

    def _cancel(self) -> None:
        try:
            self._send.client.cancel([sent.future for sent in self._open], force=True)
        except Exception:  # a cluster that is gone has nothing left to cancel
            return

    def _close(self, sent: _Sent, kind: Literal["done", "failed"], fraction: float, message: str = "") -> None:
        self._open.remove(sent)
        self._moved, self._rounds = time.monotonic(), 1
        self._tell(kind, sent.job, fraction, message)

    def _tell(
        self,
        kind: Literal["started", "progress", "retried", "done", "failed"],
        job: Job,
        fraction: float,
        message: str = "",
    ) -> None:
        if self._on_event is None:
            return
        under_way = sum(sent.fraction for sent in self._open)
        settled = self._finished + len(self._failures)
        overall = min(1.0, (settled + under_way) / self._total)
        self._on_event(
            Event(
                kind=kind,
                arm=job.arm,
                animal=job.animal,
                fraction=fraction,
                finished=self._finished,
                failed=len(self._failures),
                total=self._total,
                overall=overall,
                message=message,
            )
        )


def _distributed() -> Any:
    """The module `distributed`, which has no types."""
    try:
        return import_module("distributed")
    except ImportError as missing:
        raise ClusterError("Dask is not installed: pip install 'paget[cluster]'.") from missing


def _record(job: Job) -> RunRecord | None:
    try:
        return read_record(job.folder)
    except PagetError:
        return None  # damaged: its own process will say so
