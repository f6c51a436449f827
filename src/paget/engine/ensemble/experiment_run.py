"""A whole study: the folder, every animal of every arm, the tables, the provenance."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paget.engine.ensemble.supervisor import STORE_IMPORTS, Event, Failure, execute
from paget.engine.ensemble.worker import Job, Target, Task, run_job
from paget.errors import FolderInUseError, PagetError, SimulationFailed, StudyError
from paget.experiment import Study
from paget.io.study_file import dump_study
from paget.results.crate import write_crate
from paget.results.files import (
    LOCK_NAME,
    FolderLock,
    full_disk_is_an_error,
    make_folder,
    read_json,
    remove_leftovers,
    write_atomic,
)
from paget.results.manifest import (
    MANIFEST_NAME,
    RESOLVED_NAME,
    differences,
    new_manifest,
    now,
    read_manifest,
    resolved_study,
    session,
    study_sha256,
    write_manifest,
)
from paget.results.record import FilePart, RunRecord, animal_folder, blocks, read_record, write_record
from paget.version import __version__

if TYPE_CHECKING:
    import pandas as pd

    from paget.results.result import Result

__all__ = ["run_study", "simulate"]

_ENGINE_IMPORTS = (*STORE_IMPORTS, "paget.engine.simulate", "paget.engine.ensemble.warm")
_SHOWN = 5


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
) -> Result:
    """Run every animal of a study and return what came out.

    The result is the same, bit for bit, for any number of workers and after any interruption and resume.

    Parameters
    ----------
    study : what to run; `seed`, `replicates` and `arms` replace its own.
    out : the folder for the result; ``NAME-results`` in the present folder, or the first free ``NAME-results-2`` ...,
        if left out. It is never overwritten.
    workers : animals computed at the same time; as many as there are processors if left out.
    resume : continue what is in `out`, which must be the same study; an `out` that does not exist yet is begun.
    progress : told about everything that happens. Raising an exception in it stops the study; it can be resumed.
    source_text : the text of the file that the study came from, to be kept with the result.

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
    """
    from paget.catalogue import build_model, check_study

    changes = {name: value for name, value in (("seed", seed), ("replicates", replicates)) if value is not None}
    study = study.changed(**changes) if changes else study
    study = study.only(*arms) if arms is not None else study
    check_study(study)
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
        preload=_ENGINE_IMPORTS,
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
    max_tries: int = 3,
    time_limit: float | None = None,
    preload: Sequence[str] = STORE_IMPORTS,
) -> Result:
    """Do what `simulate` does, with a given description of the model and a target that fills one animal's folder."""
    if workers is not None and workers < 1:
        raise StudyError(f"{workers} workers cannot run a study; give 1 or more, or leave it out for all processors.")
    if resume and out is None:
        raise StudyError("Say which folder to resume: out=... (on the command line --out).")
    from paget.results.result import Result

    model = json.loads(json.dumps(model, allow_nan=False))
    folder = _new_folder(study) if out is None else Path(out)
    with full_disk_is_an_error(folder):
        make_folder(folder)
        with FolderLock(folder):
            remove_leftovers(folder)
            started = time.monotonic()
            manifest = _opened(folder, study, model, resume, source_text, workers or _processors())
            task = Task(study, folder, manifest["model"])
            pending = _pending(folder, study, model)
            failures = execute(
                [Job(arm, animal, animal_folder(folder, study, arm, animal), task) for arm, animal in pending],
                target,
                workers or _processors(),
                progress,
                max_tries=max_tries,
                time_limit=time_limit,
                finished_before=len(study.arms) * len(blocks(study, model)) - len(pending),
                preload=preload,
            )
            _close_session(manifest, time.monotonic() - started)
            _write_summaries(folder, study, manifest, failures)
    if failures:
        raise _as_error(failures, folder)
    return Result.open(folder)


def _opened(
    folder: Path, study: Study, model: dict[str, Any], resume: bool, source_text: str | None, workers: int
) -> dict[str, Any]:
    """The manifest of the folder, ready for a session; its tables no longer count until they are written again."""
    if any(path.name != LOCK_NAME for path in folder.iterdir()):
        _check_same_study(folder, study, resume)
    if not (folder / MANIFEST_NAME).exists():
        _begin(folder, study, model, source_text, workers)
        return read_manifest(folder)
    manifest = read_manifest(folder)
    if _pending(folder, study, model):
        _check_same_software(folder, manifest, model)
        manifest["sessions"].append(session(workers))
        manifest["finished"] = None
    manifest["tables"] = {}
    write_manifest(folder, manifest)
    return manifest


def _new_folder(study: Study) -> Path:
    """The first free default folder; made here, so that two runs started together get two folders."""
    number = 1
    while True:
        folder = Path(f"{study.name}-results" if number == 1 else f"{study.name}-results-{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            number += 1
        else:
            return folder


def _check_same_study(folder: Path, study: Study, resume: bool) -> None:
    if not (folder / RESOLVED_NAME).exists():
        raise FolderInUseError(f"{folder} is not empty and holds no result of paget. Choose another folder with --out.")
    there = read_json(folder / RESOLVED_NAME)
    if not resume:
        raise FolderInUseError(
            f"{folder} holds results of the study '{there.get('name')}', which are never overwritten. "
            "Continue them with --resume, or choose another folder with --out."
        )
    found = differences(there, json.loads(resolved_study(study)))
    if found:
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise FolderInUseError(
            f"{folder} holds another study and cannot be resumed with this one: {'; '.join(found[:_SHOWN])}{more}. "
            "Give the same study and the same --seed, --replicates and --arms, or choose another folder with --out."
        )


def _check_same_software(folder: Path, manifest: dict[str, Any], model: dict[str, Any]) -> None:
    """Refuse to mix animals of two versions of the model in one result."""
    there = manifest["versions"]["paget"]
    if there != __version__:
        raise FolderInUseError(
            f"{folder} was begun with paget {there}; this is paget {__version__}, whose numbers may differ. "
            "Finish it with the version it was begun with, or start again in another folder with --out."
        )
    found = differences(manifest["model"], model)
    if found:
        raise FolderInUseError(
            f"{folder} was begun with another state of the model: {'; '.join(found[:_SHOWN])}. "
            "Start again in another folder with --out."
        )


def _begin(folder: Path, study: Study, model: dict[str, Any], source_text: str | None, workers: int) -> None:
    """Write what the folder is about; the manifest comes last, so a folder that has one is complete."""
    write_atomic(folder / RESOLVED_NAME, resolved_study(study))
    write_atomic(folder / "study.yaml", (source_text if source_text is not None else dump_study(study)).encode())
    for arm, animal in _order(study, model):
        place = animal_folder(folder, study, arm, animal)
        make_folder(place)
        write_record(place, RunRecord(arm=arm, animal=animal, seed=study.seed, study_sha256=study_sha256(study)))
    write_manifest(folder, new_manifest(study, model, session(workers)))


def _order(study: Study, model: dict[str, Any]) -> list[tuple[str, int]]:
    """Animal 0 of every arm, then animal 1 of every arm ..., so that a study stopped halfway is balanced."""
    return [(arm, animal) for animal in blocks(study, model) for arm in study.arm_names]


def _pending(folder: Path, study: Study, model: dict[str, Any]) -> list[tuple[str, int]]:
    def is_done(arm: str, animal: int) -> bool:
        try:
            record = read_record(animal_folder(folder, study, arm, animal))
        except PagetError:
            return False  # its own process will say what is wrong with it
        return record is not None and record.status == "done"

    return [(arm, animal) for arm, animal in _order(study, model) if not is_done(arm, animal)]


def _processors() -> int:
    if hasattr(os, "process_cpu_count"):
        return os.process_cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _close_session(manifest: dict[str, Any], seconds: float) -> None:
    """Note when the last session ended, unless it was closed before and nothing has been computed since."""
    if manifest["sessions"][-1]["ended"] is None:
        manifest["sessions"][-1].update(ended=now(), wall_seconds=round(seconds, 3))
        manifest["wall_seconds"] = round(sum(s["wall_seconds"] for s in manifest["sessions"]), 3)


def _write_summaries(folder: Path, study: Study, manifest: dict[str, Any], failures: Sequence[Failure]) -> None:
    """Write the tables of the whole study from its animals, then the manifest that vouches for them."""
    from paget.results.result import Result

    result = Result(folder, study, {**manifest, "tables": {}})
    units = {"day": "day", **{r["name"]: r["unit"] for r in result.readouts}}
    parts = {
        "metrics.parquet": _write_table(folder / "metrics.parquet", result.metrics, units),
        "outcomes.parquet": _write_table(folder / "outcomes.parquet", result.outcomes, {}),
        "runs.parquet": _write_table(folder / "runs.parquet", result.status, {"wall_seconds": "s"}),
    }
    manifest["tables"] = {name: part.model_dump() for name, part in parts.items()}
    if not failures and manifest["finished"] is None:
        manifest["finished"] = manifest["sessions"][-1]["ended"]
    write_manifest(folder, manifest)
    write_crate(folder, study, manifest, [f"{failure.job.label}: {failure.error}" for failure in failures])


def _write_table(path: Path, table: pd.DataFrame, units: dict[str, str]) -> FilePart:
    from paget.results import tables

    content = tables.encode([{str(name): table[name].to_numpy() for name in table.columns}], units, {})
    write_atomic(path, content)
    return FilePart.of(content, rows=len(table))


def _as_error(failures: Sequence[Failure], folder: Path) -> SimulationFailed:
    lines = [f"  {failure.job.label}: {failure.error}" for failure in failures]
    what = "1 animal" if len(lines) == 1 else f"{len(lines)} animals"
    return SimulationFailed(
        "\n".join(
            [
                f"{what} could not be finished; all others are in {folder} and can be looked at.",
                *lines,
                f"The logs are in the run.json of each. Try them again with `paget run STUDY --out {folder} --resume`.",
            ]
        )
    )
