"""Commands on the folder of a result: report, info."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from paget.cli.terminal import grid, heading, say

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["info", "report"]

FolderArgument = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a result, as paget run leaves it.")]
STATES = ("done", "running", "pending", "failed")


def report(
    folder: FolderArgument,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The page (if left out: report.html in DIR).")
    ] = None,
) -> None:
    """Write the report of a result: one page that holds everything and needs no network."""
    from paget.results import Result

    say(f"Report: {Result.open(folder).report(out)}")


def info(folder: FolderArgument) -> None:
    """Tell what the folder of a result holds: how far each arm is, and which animals failed."""
    from paget.results import Result

    result = Result.open(folder)
    study, status = result.study, result.status
    say(f"{study.name}: {study.title}" if study.title else study.name, style="bold")
    say(f"model {study.model}, {study.duration / 24:g} days, seed {study.seed}, {study.replicates} animals per arm")
    heading("Animals")
    grid(("arm", *STATES), [_counts(status, arm) for arm in result.arms], right=STATES)
    failed = status[status["status"] == "failed"]
    if len(failed):
        heading("Failed")
        rows = [(str(r.arm), str(r.animal), str(r.tries), str(r.error)) for r in failed.itertuples()]
        grid(("arm", "animal", "tries", "why"), rows, right=("animal", "tries"))
    say()
    open_ones = int(status["status"].isin(("pending", "failed")).sum())
    if open_ones:
        say(f"{open_ones} of {len(status)} animals are not done; paget run with --resume continues them.")
    page = result.path / "report.html"
    say(f"Report: {page}" if page.exists() else f"No report yet; write it with: paget report {folder}")


def _counts(status: pd.DataFrame, arm: str) -> tuple[str, ...]:
    here = status[status["arm"] == arm]["status"]
    return arm, *(str(int((here == state).sum())) for state in STATES)
