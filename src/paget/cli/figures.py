"""The command that writes the figures of a result for print."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from paget.cli.results import FolderArgument
from paget.cli.terminal import grid, say

__all__ = ["figures"]


def figures(
    folder: FolderArgument,
    formats: Annotated[
        list[str] | None,
        typer.Option("--format", metavar="FORMAT", help="svg (if left out), pdf or png; may be repeated."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where they go (if left out: figures in DIR).")
    ] = None,
) -> None:
    """Write every figure of the report as files for print, 180 mm wide, with words that can be edited."""
    from paget.cli.findings import tell_failures
    from paget.results import Result

    result = Result.open(folder)
    chosen = [name.strip().lower() for text in formats or ["svg"] for name in text.split(",") if name.strip()]
    files = result.figures(out, chosen)
    grid(("file", "kB"), [(f.name, f"{f.stat().st_size / 1e3:,.0f}") for f in files], right=("kB",))
    say()
    say(f"{len(files)} files in {files[0].parent}" if files else "The result holds nothing to draw.")
    tell_failures(result)
