"""A job array for SLURM: each task computes one shard of a study, and a job that waits for all collects the result.

The script holds no state: a task that is killed, preempted or sent off again goes on from what is on disk.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from paget.errors import StudyError

__all__ = ["SlurmJob", "script"]

_TIME = re.compile(r"\d+(:\d\d(:\d\d)?)?|\d+-\d+(:\d\d(:\d\d)?)?")
_SIZE = re.compile(r"\d+[KMGT]?", re.IGNORECASE)
_SECONDS_TO_STOP = 120
_MOST_RESTARTS = 50


@dataclass(frozen=True)
class SlurmJob:
    """What a job script is made from.

    name, study, folder : name of the study, the study as `paget run` takes it, and the folder that all nodes see.
    tasks, simultaneous : shards, and how many of them may run at the same time (None: as many as the cluster lets).
    settings : further words for `paget run`, such as ``--seed 7``.
    python : the interpreter that has paget.
    cpus, time, memory, partition, account : what one task asks for, as SLURM writes it; None leaves it to the cluster.
    setup : lines of shell that come first in every task.
    """

    name: str
    study: str
    folder: Path
    tasks: int
    settings: tuple[str, ...] = ()
    python: str = "python"
    cpus: int = 1
    time: str | None = None
    memory: str | None = None
    partition: str | None = None
    account: str | None = None
    simultaneous: int | None = None
    setup: tuple[str, ...] = ()


def script(job: SlurmJob) -> str:
    """The text of the script; ``bash`` sends it off with the job that collects, ``sbatch`` without.

    Raises
    ------
    StudyError
        Naming everything that SLURM would refuse.
    """
    _check(job)
    base = shlex.quote(str(job.folder))
    program = f"{shlex.quote(job.python)} -m paget.cli"
    words = shlex.join([job.study, *job.settings])
    collect = f"{program} collect {base}"
    return "\n".join(
        [
            "#!/bin/bash",
            f"# The study {job.name} in {job.tasks} shards, made by `paget slurm`.",
            "# Send it off with `bash THIS_FILE`; doing so again, or a requeue, continues what is not done.",
            *(f"#SBATCH {line}" for line in _requests(job)),
            "",
            'if [ -z "${SLURM_ARRAY_TASK_ID:-}" ]; then',
            '    array=$(sbatch --parsable "$0") || exit 1',
            "    array=${array%%;*}",
            '    echo "shards: job $array"',
            f"    sbatch --dependency=afterany:$array {_collecting(job)} \\",
            f"        --wrap {shlex.quote(_lines([*job.setup, collect]))}",
            "    exit",
            "fi",
            "",
            *job.setup,
            "trap 'kill -TERM $(jobs -p)' TERM",
            *(_again_when_time_is_up() if job.time is not None else ()),
            f"{program} run {words} --out {base} --no-report \\",
            f'    --shard "$SLURM_ARRAY_TASK_ID/{job.tasks}" --resume --workers "${{SLURM_CPUS_PER_TASK:-{job.cpus}}}" &',
            "running=$!",
            'wait "$running"; code=$?',
            'while kill -0 "$running" 2>/dev/null; do wait "$running"; code=$?; done  # a signal ends a wait early',
            'exit "$code"',
            "",
        ]
    )


def _requests(job: SlurmJob) -> list[str]:
    most = f"%{job.simultaneous}" if job.simultaneous is not None else ""
    lines = [
        f"--job-name={_word(job.name)}",
        f"--array=1-{job.tasks}{most}",
        "--requeue",
        "--open-mode=append",
        f"--output={_log(job, '%A-%a')}",
        "--ntasks=1",
        f"--cpus-per-task={job.cpus}",
    ]
    if job.time is not None:
        lines += [f"--time={job.time}", f"--signal=B:USR1@{_SECONDS_TO_STOP}"]
    return lines + _asked(job)


def _asked(job: SlurmJob) -> list[str]:
    given = {"--mem": job.memory, "--partition": job.partition, "--account": job.account}
    return [f"{name}={value}" for name, value in given.items() if value is not None]


def _collecting(job: SlurmJob) -> str:
    """Options of the job that collects."""
    time = [f"--time={job.time}"] if job.time is not None else []
    options = [f"--job-name={_word(job.name)}-collect", f"--output={_log(job, '%j-collect', quote=False)}"]
    return shlex.join([*options, "--ntasks=1", *time, *_asked(job)])


def _again_when_time_is_up() -> list[str]:
    """Stop before the time limit and queue the task again, as long as that leads anywhere."""
    task = '"${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"'
    return [
        "again() {",
        "    kill -TERM $(jobs -p) && wait",
        f'    [ "${{SLURM_RESTART_COUNT:-0}}" -lt {_MOST_RESTARTS} ] && scontrol requeue {task}',
        "    exit 143",
        "}",
        "trap again USR1",
    ]


def _log(job: SlurmJob, ending: str, quote: bool = True) -> str:
    path = str(job.folder).replace("%", "%%") + f"-{ending}.log"
    return f'"{path}"' if quote and re.search(r"\s", path) else path


def _word(name: str) -> str:
    return "paget-" + re.sub(r"[^A-Za-z0-9._-]+", "-", name)


def _lines(commands: list[str]) -> str:
    return "\n".join(commands)


def _check(job: SlurmJob) -> None:
    wrong = []
    if job.tasks < 1:
        wrong.append(f"--tasks {job.tasks}: at least one task is needed.")
    if job.cpus < 1:
        wrong.append(f"--cpus {job.cpus}: a task needs at least one processor.")
    if job.simultaneous is not None and job.simultaneous < 1:
        wrong.append(f"--simultaneous {job.simultaneous}: at least one task must run at a time.")
    if job.time is not None and not _TIME.fullmatch(job.time):
        wrong.append(f"--time '{job.time}': SLURM writes minutes (90), 12:00:00 or 2-00:00:00.")
    if job.memory is not None and not _SIZE.fullmatch(job.memory):
        wrong.append(f"--memory '{job.memory}': SLURM writes a size such as 8G or 4000M.")
    for option, value in (("--partition", job.partition), ("--account", job.account)):
        if value is not None and not re.fullmatch(r"[\w.,@-]+", value):
            wrong.append(f"{option} '{value}': expected a name without spaces.")
    if re.search(r"[\"\n]", str(job.folder)):
        wrong.append(f"--out {str(job.folder)!r}: SLURM cannot write a log beside a folder of this name.")
    if wrong:
        raise StudyError("This job cannot be written.", wrong)
