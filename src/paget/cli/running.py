"""The command that runs a study: shows how far the animals are, writes the report, tells what came out."""

from __future__ import annotations

import contextlib
import itertools
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from paget.cli.opening import StudyArgument, chosen_arms, open_study
from paget.cli.terminal import remark, say
from paget.errors import SimulationFailed, StudyError

if TYPE_CHECKING:
    from paget.experiment import Study

__all__ = ["continuation", "edited", "free_folder", "run"]


def run(
    study: StudyArgument,
    arms: Annotated[
        list[str] | None,
        typer.Option(metavar="ARMS", help="Only these arms: names with commas between them; may be repeated."),
    ] = None,
    replicates: Annotated[
        int | None, typer.Option(metavar="N", help="Animals per arm, instead of the study's.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(metavar="S", help="Seed of the random numbers, instead of the study's.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of the result (if left out: STUDY-results).")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(metavar="N", help="Animals simulated at the same time (if left out: one for each core)."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the result in DIR where it stopped.")] = False,
    option: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="An option of the model, such as dimensions=3; may be repeated."),
    ] = None,
    no_report: Annotated[bool, typer.Option("--no-report", help="Do not write report.html.")] = False,
    shard: Annotated[
        str | None,
        typer.Option(metavar="I/N", help="Compute part I of N of the animals only; the parts share one DIR."),
    ] = None,
    tries: Annotated[
        int, typer.Option(metavar="N", help="How often an animal is begun whose process dies, before it is given up.")
    ] = 3,
    time_limit: Annotated[
        str | None, typer.Option(metavar="TIME", help="Longest time for one try of one animal, such as '2 h'.")
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Compute on a Dask cluster: tcp://HOST:PORT, a scheduler file, or local."),
    ] = None,
    stall_limit: Annotated[
        str, typer.Option(metavar="TIME", help="Time without progress after which a cluster is asked again.")
    ] = "30 min",
) -> None:
    """Run a study in virtual animals and write its report.

    The result is the same for any number of workers or shards, and after any stop and --resume.
    """
    from paget import catalogue
    from paget.cli.findings import print_findings
    from paget.cli.progress import showing_progress
    from paget.engine.ensemble import simulate
    from paget.io.study_file import dump_study

    if workers is not None and workers < 1:
        raise StudyError(f"--workers {workers}: at least one animal must be simulated at a time.")
    if shard is not None and out is None:
        raise StudyError("--shard needs the folder that the shards share: add --out DIR.")
    given, text = open_study(study)
    chosen = edited(given, replicates, seed, option or [], arms or [])
    if chosen != given:
        catalogue.check_study(chosen)
        text = dump_study(chosen)
    if resume and out is None:
        raise StudyError("--resume needs to know which result to continue: add --out DIR.")
    folder = out if out is not None else free_folder(chosen.name)
    _announce(given, chosen, folder, shard)
    try:
        with showing_progress() as progress:
            result = simulate(
                chosen,
                out=folder,
                workers=workers,
                resume=resume,
                progress=progress,
                source_text=text,
                shard=shard,
                tries=tries,
                time_limit=time_limit,
                cluster=cluster,
                stall_limit=stall_limit,
            )
        if shard is not None and result.manifest["finished"] is None:
            say(f"Shard {shard} is done. When all are, the last one writes the report; or: paget collect {folder}")
            return
        print_findings(result)
        say()
        say(f"Result: {result.path}" if no_report else f"Report: {result.report()}")
    except (KeyboardInterrupt, SystemExit) as stop:
        remark(f"Stopped. What was committed is kept; continue with: {continuation(out, folder)}")
        raise typer.Exit(130) if isinstance(stop, KeyboardInterrupt) else stop from None
    except SimulationFailed as error:
        raise SimulationFailed(f"{error}\nFor a report of the others: paget report {folder}") from error


def edited(study: Study, replicates: int | None, seed: int | None, options: list[str], arms: list[str]) -> Study:
    given = {"replicates": replicates, "seed": seed, "options": study.options | dict(_option(text) for text in options)}
    study = study.changed(**{name: value for name, value in given.items() if value is not None})
    return study.only(*chosen_arms(study, arms)) if arms else study


def _option(text: str) -> tuple[str, str | int | float]:
    key, equals, value = (part.strip() for part in text.partition("="))
    if not (key and equals and value):
        raise StudyError(f"--option '{text}': expected KEY=VALUE, such as dimensions=3.")
    for read in (int, float):
        with contextlib.suppress(ValueError):
            return key, read(value)
    return key, value


def free_folder(name: str) -> Path:
    """The first of NAME-results, NAME-results-2, ... that does not exist yet."""
    candidates = (Path(f"{name}-results{f'-{number}' if number > 1 else ''}") for number in itertools.count(1))
    return next(folder for folder in candidates if not folder.exists())


def _announce(given: Study, study: Study, folder: Path, shard: str | None) -> None:
    count = len(study.arms) * study.replicates
    part = f", shard {shard} of them" if shard is not None else ""
    say(
        f"{study.name}: {len(study.arms)} arm{'s' * (len(study.arms) != 1)} x {study.replicates} = {count} "
        f"animal{'s' * (count != 1)}{part}, {study.duration / 24:g} days, seed {study.seed}, into {folder}"
    )
    for arm, control in given.contrasts:
        if arm in study.arm_names and control not in study.arm_names:
            remark(f"'{arm}' will not be compared: its control '{control}' is not among the arms that are run.")


def continuation(out: Path | None, folder: Path) -> str:
    """Return the command that was given, with what it takes to go on in the same folder."""
    words = [*sys.argv[1:], *([] if out is not None else ["--out", str(folder)])]
    return shlex.join(["paget", *words, *([] if "--resume" in words else ["--resume"])])
