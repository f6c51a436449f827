"""Commands on the folder of a result: report, info."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from paget.cli.exporting import in_bytes
from paget.cli.terminal import grid, heading, say
from paget.described import tissue_of

if TYPE_CHECKING:
    import pandas as pd

    from paget.results import Result
    from paget.results.contents import Contents

__all__ = ["info", "report"]

FolderArgument = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a result, as paget run leaves it.")]
STATES = ("done", "running", "pending", "failed")
_OF = {
    "ome-zarr": "fields",
    "csv": "readouts",
    "netcdf": "readouts",
    "newick": "divisions",
}  # format -> what it is made of


def report(
    folder: FolderArgument,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The page (if left out: report.html in DIR).")
    ] = None,
) -> None:
    """Write the report of a result: one page that holds everything and needs no network."""
    from paget.cli.findings import tell_failures
    from paget.results import Result

    result = Result.open(folder)
    say(f"Report: {result.report(out)}")
    tell_failures(result)


def info(
    folder: FolderArgument,
    verify: Annotated[bool, typer.Option("--verify", help="Compare every file with its checksum.")] = False,
) -> None:
    """Tell what the folder of a result holds: how far each arm is, which animals failed, what is stored and can be exported."""
    from paget.results import Result
    from paget.results.contents import contents

    result = Result.open(folder)
    study, status = result.study, result.status
    say(f"{study.name}: {study.title}" if study.title else study.name, style="bold")
    say(f"model {study.model}, {study.duration / 24:g} days, seed {study.seed}, {study.replicates} animals per arm")
    heading("Animals")
    shown = (*STATES, "computed")
    grid(("arm", *shown), [(*_counts(status, arm), _computed(status, arm)) for arm in result.arms], right=shown)
    failed = status[status["status"] == "failed"]
    if len(failed):
        heading("Failed")
        rows = [(str(r.arm), str(r.animal), str(r.tries), str(r.error)) for r in failed.itertuples()]
        grid(("arm", "animal", "tries", "why"), rows, right=("animal", "tries"))
    held = contents(result)
    heading("Stored")
    grid(("what", "how much", "on disk"), _stored(result, held), right=("on disk",))
    heading("Software")
    for line in _software(result):
        say(line)
    if verify:
        heading("Verified")
        result.verify()
        say("Every committed file is what was written.")
    heading("Export")
    can, cannot = _exports(result, held)
    say(f"paget export {folder} --format NAME, with {', '.join(can)}")
    if cannot:
        say(f"This study keeps nothing for {', '.join(cannot)}.")
    say()
    open_ones = int(status["status"].isin(("pending", "failed")).sum())
    if open_ones:
        say(f"{open_ones} of {len(status)} animals are not done; paget run with --resume continues them.")
    page = result.path / "report.html"
    say(f"Report: {page}" if page.exists() else f"No report yet; write it with: paget report {folder}")


def _counts(status: pd.DataFrame, arm: str) -> tuple[str, ...]:
    here = status[status["arm"] == arm]["status"]
    return arm, *(str(int((here == state).sum())) for state in STATES)


def _computed(status: pd.DataFrame, arm: str) -> str:
    return in_time(float(status[status["arm"] == arm]["wall_seconds"].sum()))


def in_time(seconds: float) -> str:
    """A length of time for people: ``42 s``, ``3.5 min``, ``12 h``."""
    if seconds < 100:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.3g} min" if seconds < 6000 else f"{seconds / 3600:.3g} h"


def _stored(result: Result, held: Contents) -> Iterator[tuple[str, str, str]]:
    """What there is of each kind: words and size."""
    rows, frames, sizes = held.rows, held.frames, {k: in_bytes(v) for k, v in held.sizes.items()}
    sites = ", ".join(site for site, how in result.model.get("detail", {}).items() if how == "spatial")
    where = f" at {sites}" if sites else ""
    words = f"{rows.get('cells', 0):,} cells in {frames.get('cells', 0)} frames{where}, days {_days(held.cell_days)}"
    yield "cells", words if held.cell_days else "none", sizes["cells"]
    names = "; ".join(
        (f"at {site} " if site else "") + _field_names(tissue_of(result.model, site))
        for site in result.field_sites or ("",)
    )
    words = f"{frames.get('fields', 0)} frames, days {_days(held.field_days)}: {names}"
    yield "fields", words if held.field_days else "none", sizes["fields"]
    kinds = ", ".join(result.model.get("event_kinds", ()))
    yield "events", f"{rows['events']:,}: {kinds}" if rows.get("events") else "none", sizes["events"]
    yield "readouts", f"{rows.get('metrics', 0):,} rows of {len(result.model['readouts'])}", sizes["metrics"]
    if held.sizes["states"]:
        yield "states", "from which animals go on or branch", sizes["states"]
    yield "other", "study, manifest, tables, report", sizes["other"]


def _field_names(tissue: Mapping[str, Any]) -> str:
    """Names of the fields of a tissue with their units."""
    return ", ".join(f["name"] + (f" ({f['unit']})" if f["unit"] else "") for f in tissue.get("fields", ()))


def _days(days: Sequence[float]) -> str:
    """Days in few words: first, second and last where they are even, all of them else."""
    steps = {round(b - a, 6) for a, b in itertools.pairwise(days)}
    if len(days) > 4 and len(steps) == 1:
        return f"{days[0]:g}, {days[1]:g}, ..., {days[-1]:g}"
    return ", ".join(f"{day:g}" for day in days[:12]) + (f", ... {len(days)} in all" if len(days) > 12 else "")


def _software(result: Result) -> Iterator[str]:
    manifest = result.manifest
    versions, sessions = dict(manifest.get("versions", {})), manifest["sessions"]
    yield f"paget {versions.pop('paget', 'unknown')}; " + ", ".join(f"{n} {v}" for n, v in versions.items())
    machine = manifest.get("machine", {})
    yield f"on {machine.get('system', 'an unknown system')}, {machine.get('cpu', 'unknown processor')}"
    ended = f"finished {manifest['finished']}" if manifest.get("finished") else "not finished"
    often = "1 session" if len(sessions) == 1 else f"{len(sessions)} sessions"
    wall = sum(float(s.get("wall_seconds") or 0.0) for s in sessions)
    yield f"created {manifest.get('created', 'at an unknown time')}, {ended}; {in_time(wall)} in {often}"


def _exports(result: Result, held: Contents) -> tuple[list[str], list[str]]:
    """Formats for which this result has something to write, and those for which it has nothing."""
    from paget.io.export import FORMATS
    from paget.results.lineage import event_roles

    there = {
        "cells": bool(held.cell_days),
        "fields": bool(held.field_days),
        "divisions": "division" in event_roles(result.model).values() and bool(held.cell_days),
        "readouts": True,
    }
    can = [name for name in FORMATS if there[_OF.get(name, "cells")]]
    return can, [name for name in FORMATS if name not in can]
