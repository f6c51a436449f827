"""The command line: one command for each thing that a user does with a study or a result.

Only typer and rich are imported here; a command imports what it needs when it runs, so that ``paget --help`` is quick.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Annotated

import typer

from paget.cli import (
    catalogued,
    clusters,
    designing,
    exporting,
    figures,
    files,
    growing,
    networks,
    results,
    running,
    validating,
)
from paget.cli.terminal import complain, make_encodings_safe
from paget.errors import PagetError

__all__ = ["app", "main"]

app = typer.Typer(
    name="paget",
    help="An in-silico metastasis laboratory: run studies in virtual animals and compare their arms.",
    epilog="A first study: paget run lung_awakening --replicates 3",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from paget.version import __version__

        typer.echo(f"paget {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    pass


_PLAN = "Plan studies and read sweeps"
_LOOK, _WORK, _WRITE, _TISSUE = "Look at studies", "Run and report", "Write a study", "Models of PhysiCell"
app.command("list", rich_help_panel=_LOOK)(catalogued.list_catalogue)
app.command("show", rich_help_panel=_LOOK)(catalogued.show)
app.command("explain", rich_help_panel=_LOOK)(catalogued.explain)
app.command("run", rich_help_panel=_WORK)(running.run)
app.command("slurm", rich_help_panel=_WORK)(clusters.slurm)
app.command("collect", rich_help_panel=_WORK)(clusters.collect)
app.command("report", rich_help_panel=_WORK)(results.report)
app.command("figures", rich_help_panel=_WORK)(figures.figures)
app.command("info", rich_help_panel=_WORK)(results.info)
app.command("validate", rich_help_panel=_WORK)(validating.validate)
app.command("export", rich_help_panel=_WORK)(exporting.export)
app.command("power", rich_help_panel=_PLAN)(designing.power)
app.command("dose-response", rich_help_panel=_PLAN)(designing.dose_response)
app.command("synergy", rich_help_panel=_PLAN)(designing.synergy)
app.command("sensitivity", rich_help_panel=_PLAN)(designing.sensitivity)
app.command("new", rich_help_panel=_WRITE)(files.new)
app.command("branch", rich_help_panel=_WRITE)(files.branch)
app.command("schema", rich_help_panel=_WRITE)(files.schema)
app.command("import", rich_help_panel=_TISSUE)(growing.import_settings)
app.command("grow", rich_help_panel=_TISSUE)(growing.grow)
app.add_typer(networks.app, name="network", rich_help_panel="Networks inside cells")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted.

    With ``PAGET_DEBUG=1`` in the environment an error is raised with its traceback instead of being told.
    """
    make_encodings_safe()
    try:
        app(args=list(arguments) if arguments is not None else None, prog_name="paget")
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except (PagetError, OSError) as error:
        if os.environ.get("PAGET_DEBUG") == "1":
            raise
        complain(error)
        return 1
    return 0
