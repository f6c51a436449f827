"""What sums up a study: its tables, the manifest that vouches for them, the provenance, and what failed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paget.errors import SimulationFailed
from paget.experiment import Study
from paget.results.crate import write_crate
from paget.results.files import FolderLock, full_disk_is_an_error, remove_leftovers, write_atomic
from paget.results.manifest import now, read_manifest, read_study, write_manifest
from paget.results.record import FilePart

if TYPE_CHECKING:
    import pandas as pd

    from paget.results.result import Result

__all__ = ["collect", "failed_animals", "failure", "write_summaries"]

_SECONDS_FOR_THE_LAST_SHARD_TO_END = 20.0
_SHOWN = 20


def collect(folder: str | Path) -> Result:
    """Write the tables of a study from all animals that are done, as the last of its shards does.

    For a study of which the last shard was killed, or of which nothing more will be computed.

    Raises
    ------
    FolderInUseError
        If shards are still running.
    SimulationFailed
        If animals failed or are not done; the tables hold the others.
    """
    from paget.results.result import Result

    folder = Path(folder)
    manifest = read_manifest(folder)
    study = read_study(folder, manifest["study_sha256"])
    with full_disk_is_an_error(folder), FolderLock(folder, wait=_SECONDS_FOR_THE_LAST_SHARD_TO_END):
        remove_leftovers(folder)
        manifest = read_manifest(folder)
        write_summaries(folder, study, manifest)
        write_manifest(folder, manifest)
    result = Result.open(folder)
    states = result.status["status"]
    if (states != "done").any():
        lines = failed_animals(result)
        waiting = int((states != "done").sum()) - len(lines)
        raise failure(lines, folder, waiting)
    return result


def write_summaries(folder: Path, study: Study, manifest: dict[str, Any]) -> None:
    """Write the tables of the whole study from its animals and note them in the manifest, which the caller writes."""
    from paget.results.result import Result

    result = Result(folder, study, {**manifest, "tables": {}})
    units = {"day": "day", **{r["name"]: r["unit"] for r in result.readouts}}
    status = result.status
    parts = {
        "metrics.parquet": _write_table(folder / "metrics.parquet", result.metrics, units),
        "outcomes.parquet": _write_table(folder / "outcomes.parquet", result.outcomes, {}),
        "runs.parquet": _write_table(folder / "runs.parquet", status, {"wall_seconds": "s"}),
    }
    manifest["tables"] = {name: part.model_dump() for name, part in parts.items()}
    if (status["status"] == "done").all() and manifest["finished"] is None:
        manifest["finished"] = now()
    write_crate(folder, study, manifest, failed_animals(result))


def failed_animals(result: Result) -> list[str]:
    """A line for every animal of a study that was given up: which one, and why."""
    status = result.status
    failed = status[status["status"] == "failed"]
    return [f"animal {row.animal} of arm '{row.arm}': {row.error}" for row in failed.itertuples()]


def failure(lines: Sequence[str], folder: Path, waiting: int = 0) -> SimulationFailed:
    """The error that tells which animals could not be finished, and how many were not computed."""
    told = [_counted(len(lines), "could not be finished")] if lines else []
    told += [_counted(waiting, "not done yet", verb=True)] if waiting else []
    more = [f"  and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
    return SimulationFailed(
        "\n".join(
            [
                f"{' and '.join(told)}; all others are in {folder} and can be looked at.",
                *(f"  {line}" for line in lines[:_SHOWN]),
                *more,
                *(["The logs are in the run.json of each."] if lines else []),
                f"Try them again with `paget run STUDY --out {folder} --resume`.",
            ]
        )
    )


def _counted(number: int, what: str, verb: bool = False) -> str:
    is_are = ("is " if number == 1 else "are ") if verb else ""
    return f"{number} animal{'s' * (number != 1)} {is_are}{what}"


def _write_table(path: Path, table: pd.DataFrame, units: dict[str, str]) -> FilePart:
    from paget.results import tables

    content = tables.encode([{str(name): table[name].to_numpy() for name in table.columns}], units, {})
    write_atomic(path, content)
    return FilePart.of(content, rows=len(table))
