"""Commands for studies that run on several machines: write the job script of a cluster, collect what it computed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from paget.cli.opening import StudyArgument
from paget.cli.terminal import remark, say

__all__ = ["collect", "slurm"]


def collect(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder that the shards of a study share.")],
    no_report: Annotated[bool, typer.Option("--no-report", help="Do not write report.html.")] = False,
) -> None:
    """Write the tables and the report of a study from the animals that its shards have finished.

    The last shard does this by itself; collect does it if that one was killed, or before all are done.
    """
    from paget.cli.findings import print_findings
    from paget.engine.ensemble import collect as collected

    result = collected(folder)
    print_findings(result)
    say()
    say(f"Result: {result.path}" if no_report else f"Report: {result.report()}")


def slurm(
    study: StudyArgument,
    tasks: Annotated[int, typer.Option(metavar="N", help="Shards into which the animals are divided, one for a task.")],
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder of the result, on a file system that all nodes see.")
    ],
    cpus: Annotated[
        int, typer.Option(metavar="N", help="Processors of a task: animals that it simulates at the same time.")
    ] = 1,
    time: Annotated[
        str | None, typer.Option(metavar="TIME", help="Time limit of a task as SLURM writes it, such as 12:00:00.")
    ] = None,
    memory: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Memory of a task as SLURM writes it, such as 8G.")
    ] = None,
    partition: Annotated[str | None, typer.Option(metavar="NAME", help="Partition of the cluster.")] = None,
    account: Annotated[str | None, typer.Option(metavar="NAME", help="Account that pays.")] = None,
    simultaneous: Annotated[int | None, typer.Option(metavar="N", help="Tasks that may run at the same time.")] = None,
    arms: Annotated[
        list[str] | None,
        typer.Option(metavar="ARMS", help="Only these arms: names with commas between them; may be repeated."),
    ] = None,
    replicates: Annotated[int | None, typer.Option(metavar="N", help="Animals per arm.")] = None,
    seed: Annotated[int | None, typer.Option(metavar="S", help="Seed of the random numbers.")] = None,
    option: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="An option of the model; may be repeated.")
    ] = None,
    tries: Annotated[int, typer.Option(metavar="N", help="How often an animal is begun whose process dies.")] = 3,
    time_limit: Annotated[
        str | None, typer.Option(metavar="TIME", help="Longest time for one try of one animal, such as '2 h'.")
    ] = None,
    setup: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LINE", help="A line of shell to run first, such as 'module load python'; may be repeated."
        ),
    ] = None,
) -> None:
    """Write a SLURM array script for a study to standard output.

    Send it off with sbatch: each task computes one shard, and a job that waits for all of them collects the result.
    Sending the same script off again continues whatever is not done.
    """
    from paget.cli.opening import open_study
    from paget.cli.running import edited
    from paget.engine.cluster.slurm import SlurmJob, script

    given, _ = open_study(study)
    chosen = edited(given, replicates, seed, option or [], arms or [])
    settings: list[str] = []
    for name, values in (("--arms", arms or []), ("--option", option or [])):
        settings += [word for value in values for word in (name, value)]
    for name, value in (("--replicates", replicates), ("--seed", seed), ("--time-limit", time_limit)):
        settings += [name, str(value)] if value is not None else []
    where = str(Path(study).resolve()) if Path(study).is_file() else study
    job = SlurmJob(
        name=chosen.name,
        study=where,
        folder=out.resolve(),
        tasks=tasks,
        settings=(*settings, "--tries", str(tries)),
        python=sys.executable,
        cpus=cpus,
        time=time,
        memory=memory,
        partition=partition,
        account=account,
        simultaneous=simultaneous,
        setup=tuple(setup or ()),
    )
    sys.stdout.write(script(job))
    animals = len(chosen.arms) * chosen.replicates
    if tasks > animals:
        remark(f"{tasks} tasks for {animals} animals: {tasks - animals} of them will have nothing to do.")
