"""A whole study, or one shard of it: the folder, the animals, the tables, the provenance."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paget.engine.ensemble.branching import check_branch
from paget.engine.ensemble.shards import Shard
from paget.engine.ensemble.study_folder import new_folder, open_session
from paget.engine.ensemble.summaries import failure, write_summaries
from paget.engine.ensemble.supervisor import STORE_IMPORTS, Event, Execute, execute
from paget.engine.ensemble.worker import Job, Target, Task, run_job
from paget.errors import StudyError, UnitError
from paget.experiment import Study
from paget.results.files import full_disk_is_an_error, make_folder
from paget.results.record import animal_folder
from paget.units import to_internal

if TYPE_CHECKING:
    from paget.results.result import Result

__all__ = ["run_study", "simulate"]

_ENGINE_IMPORTS = (*STORE_IMPORTS, "paget.engine.simulate", "paget.engine.ensemble.warm")
_SECONDS_PER_HOUR = 3600.0


def simulate(
    study: Study,
    *,
    seed: int | None = None,
    replicates: int | None = None,
    arms: Sequence[str] | None = None,
    out: str | Path | None = None,
    workers: int | None = None,
    resume: bool = False,
    progress: Callable[[Event], None] | None = None,
    source_text: str | None = None,
    tries: int = 3,
    time_limit: str | None = None,
    shard: tuple[int, int] | str | None = None,
    cluster: Any = None,
    stall_limit: str = "30 min",
) -> Result:
    """Run every animal of a study and return what came out.

    The result is the same, bit for bit, for any number of workers or shards and after any interruption and resume.

    Parameters
    ----------
    study : what to run; `seed`, `replicates` and `arms` replace its own.
    out : the folder for the result; ``NAME-results`` in the present folder, or the first free ``NAME-results-2`` ...,
        if left out. It is never overwritten.
    workers : animals computed at the same time; as many as there are processors if left out.
    resume : continue what is in `out`, which must be the same study; an `out` that does not exist yet is begun.
    progress : told about everything that happens. Raising an exception in it stops the study; it can be resumed.
    source_text : the text of the file that the study came from, to be kept with the result.
    tries : how often an animal is begun whose process dies; it goes on from its last checkpoint with the same random
        numbers. An animal that failed is kept with its reason and is never replaced by another one.
    time_limit : longest time for one try of one animal, such as ``"2 h"``; none if left out.
    shard : which part of the animals to compute, as ``(3, 16)`` or ``"3/16"``. Shards run at the same time, in any
        number of processes and machines, into one folder `out`; each may be run again. The last one to end writes the
        tables; `paget.engine.ensemble.collect` writes them afterwards if it could not.
    cluster : compute on a Dask cluster: a `distributed.Client`, a cluster object, ``"tcp://host:port"``, the path of a
        scheduler file, or ``"local"``. Its workers must see `out` under the same path.
    stall_limit : after this time without progress on disk, a cluster is sent again whatever is not done; the third
        time it is given up.

    Raises
    ------
    StudyError, ModelError
        If the study cannot be run; all its problems are listed and nothing is written.
    FolderInUseError
        If `out` holds something else, or another run is writing to it.
    StorageFullError
        If the disk is full; everything committed is intact and the run can be resumed.
    SimulationFailed
        If animals failed. Everything else is written and can be opened; resuming tries the failed ones again.
    ClusterError
        If the cluster cannot be reached or makes no progress; what was committed is kept.
    """
    from paget.catalogue import build_model, check_study

    changes = {name: value for name, value in (("seed", seed), ("replicates", replicates)) if value is not None}
    study = study.changed(**changes) if changes else study
    study = study.only(*arms) if arms is not None else study
    check_study(study)
    study = check_branch(study)
    model = build_model(study).describe()
    return run_study(
        study,
        model,
        run_job,
        out=out,
        workers=workers,
        resume=resume,
        progress=progress,
        source_text=source_text,
        tries=tries,
        time_limit=_seconds("time limit", time_limit) if time_limit is not None else None,
        shard=shard,
        preload=_ENGINE_IMPORTS,
        execute=execute if cluster is None else _on_dask(cluster, _seconds("stall limit", stall_limit)),
    )


def run_study(
    study: Study,
    model: dict[str, Any],
    target: Target,
    *,
    out: str | Path | None = None,
    workers: int | None = None,
    resume: bool = False,
    progress: Callable[[Event], None] | None = None,
    source_text: str | None = None,
    tries: int = 3,
    time_limit: float | None = None,
    shard: tuple[int, int] | str | None = None,
    preload: Sequence[str] = STORE_IMPORTS,
    execute: Execute = execute,
) -> Result:
    """Do what `simulate` does, with a given description of the model and a target that fills one animal's folder.

    `time_limit` is in seconds; `execute` computes the jobs, by processes of this machine if left out.
    """
    if workers is not None and workers < 1:
        raise StudyError(f"{workers} workers cannot run a study; give 1 or more, or leave it out for all processors.")
    if tries < 1:
        raise StudyError(f"{tries} tries cannot finish an animal; give 1 or more (on the command line --tries).")
    if resume and out is None:
        raise StudyError("Say which folder to resume: out=... (on the command line --out).")
    part = Shard.of(shard) if shard is not None else None
    if part is not None and out is None:
        raise StudyError("Say which folder the shards share: out=... (on the command line --out).")
    from paget.results.result import Result

    model = json.loads(json.dumps(model, allow_nan=False))
    workers = workers or _processors()
    folder = new_folder(study) if out is None else Path(out)
    with full_disk_is_an_error(folder):
        make_folder(folder)
        with open_session(
            folder, study, model, resume=resume, source_text=source_text, workers=workers, shard=part
        ) as session:
            task = Task(study, folder, session.model)
            failures = execute(
                [Job(arm, animal, animal_folder(folder, study, arm, animal), task) for arm, animal in session.pending],
                target,
                workers,
                progress,
                max_tries=tries,
                time_limit=time_limit,
                finished_before=session.finished_before,
                preload=preload,
            )
            with session.closing() as (manifest, is_last):
                if is_last:
                    write_summaries(folder, study, manifest)
    if failures:
        raise failure([f"{failed.job.label}: {failed.error}" for failed in failures], folder)
    return Result.open(folder)


def _on_dask(cluster: Any, stall_limit: float) -> Execute:
    from paget.engine.cluster.dask import DaskExecutor

    return DaskExecutor(cluster, stall_limit)


def _seconds(what: str, limit: str) -> float:
    try:
        seconds = to_internal(limit, "h") * _SECONDS_PER_HOUR
    except UnitError as problem:
        raise StudyError(f"A {what} is a time with its unit, such as '2 h': {problem}.") from None
    if seconds <= 0.0:
        raise StudyError(f"A {what} of {limit} leaves no time; give a longer one, or leave it out.")
    return seconds


def _processors() -> int:
    if hasattr(os, "process_cpu_count"):
        return os.process_cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
