"""Commands on models of PhysiCell: import tells what a settings file says, grow runs it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from paget.cli.running import continuation, free_folder
from paget.cli.terminal import grid, remark, say
from paget.errors import FolderInUseError, PagetError, StudyError

if TYPE_CHECKING:
    from paget.engine.simulation import Simulation
    from paget.tissue import Tissue

__all__ = ["grow", "import_settings"]

SettingsArgument = Annotated[
    Path,
    typer.Argument(metavar="SETTINGS", help="A settings file of PhysiCell, such as config/PhysiCell_settings.xml."),
]
CellsOption = Annotated[
    Path | None, typer.Option("--cells", metavar="FILE", help="First cells, in place of those that the settings name.")
]


def import_settings(
    settings: SettingsArgument,
    cells: CellsOption = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the model as it was understood into this new folder.")
    ] = None,
) -> None:
    """Read a model of PhysiCell and tell what was understood.

    If there is something in its files that is not supported, all of it is listed and nothing is read.
    """
    from paget.io.physicell import read_settings, summary, write_settings

    if out is not None:
        _new(out)
    tissue = read_settings(settings, cells=cells)
    tissue.model()
    say(summary(tissue))
    _warn(tissue)
    if out is not None:
        say(f"Wrote {write_settings(tissue, out)}")


def grow(
    settings: SettingsArgument,
    hours: Annotated[
        float, typer.Option(metavar="H", help="How long the tissue lives, counted from its start.")
    ] = 24.0,
    seed: Annotated[int | None, typer.Option(metavar="S", help="Seed of the random numbers (if left out: 0).")] = None,
    threads: Annotated[int, typer.Option(metavar="N", help="Threads; the result is the same for any number.")] = 2,
    every: Annotated[
        str | None, typer.Option(metavar="TIME", help="Time between snapshots, such as 30min (if left out: 1h).")
    ] = None,
    cells: CellsOption = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of the snapshots (if left out: NAME-results).")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the tissue in DIR where it stopped.")] = False,
) -> None:
    """Let a tissue grow that a settings file of PhysiCell describes, and keep snapshots that pcdl reads.

    The result is the same for any number of threads, and after any stop and --resume.
    """
    from paget.cli.growth_folder import GrowthFolder
    from paget.cli.progress import showing_growth
    from paget.io.physicell import read_settings

    if threads < 1:
        raise StudyError(f"--threads {threads}: at least one is needed.")
    if seed is not None and seed < 0:
        raise StudyError(f"--seed {seed}: must be at least 0.")
    if resume and out is None:
        raise StudyError("--resume needs to know which tissue to continue: add --out DIR.")
    tissue = read_settings(settings, cells=cells)
    if not len(tissue.placed.positions):
        raise StudyError(f"{settings} names no first cells (PhysiCell places them by C++ code then); add --cells FILE.")
    folder = out if out is not None else free_folder(tissue.name)
    if not resume:
        _new(folder)
    _warn(tissue)
    growth = GrowthFolder(folder, tissue, hours=hours, every=every, seed=seed, threads=threads, resume=resume)
    try:
        with growth:
            say(f"{tissue.name}: {hours:g} h, seed {growth.seed}, a snapshot every {growth.every:g} h, into {folder}")
            with showing_growth(hours) as show:
                simulation = growth.run(lambda now: show(now.time, len(now.world.cells)))
    except KeyboardInterrupt:
        remark(f"Stopped. The snapshots are kept; continue with: {continuation(out, folder)}")
        raise typer.Exit(130) from None
    except PagetError:
        if growth.kept:
            remark(f"The snapshots up to {growth.kept[-1] * growth.every:g} h are kept in {folder}.")
        raise
    _tell(simulation)
    say(f"Snapshots: {folder} (in Python: pcdl.TimeSeries({str(folder)!r}))")


def _warn(tissue: Tissue) -> None:
    if not tissue.rules:
        remark("There are no rules. What C++ code does beside the settings, such as oxygen dependence, is not in them.")


def _new(folder: Path) -> None:
    if folder.exists():
        raise FolderInUseError(f"{folder} exists already; nothing in it is changed. Choose another folder with --out.")


def _tell(simulation: Simulation) -> None:
    table = simulation.cells
    dead = table["death"] > 0
    rows = []
    for name in simulation.model.cell_types:
        here = table["type"] == name
        rows.append((name, f"{int((here & ~dead).sum()):,}", f"{int((here & dead).sum()):,}"))
    grid((f"after {simulation.time:g} h", "living", "dying or dead"), rows, right=("living", "dying or dead"))
    book = simulation.ledger
    divisions = book["born"] // 2  # a mother ends, and two daughters are born
    gone = book["died"] - divisions + book["left"]
    say(f"{book['present']:,} cells at the start, {divisions:,} divisions, {gone:,} cells gone")
