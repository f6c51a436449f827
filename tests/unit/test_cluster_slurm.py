"""The job script for SLURM is valid shell, asks for what was wished, and sends off the job that collects."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import small_catalogue

from paget.cli import main
from paget.engine.cluster.slurm import SlurmJob, script
from paget.errors import StudyError

JOB = SlurmJob(name="late DQ", study="/home/me/late dq.yaml", folder=Path("/data/a result"), tasks=4)


def run_with(tmp_path: Path, text: str, programs: dict[str, str], **environment: str) -> subprocess.CompletedProcess:
    """Run a script with programs of the given bodies in place of the real ones."""
    for name, body in programs.items():
        (tmp_path / name).write_text(f"#!/bin/bash\n{body}\n")
        (tmp_path / name).chmod(stat.S_IRWXU)
    (tmp_path / "job.sh").write_text(text)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    command = ["bash", str(tmp_path / "job.sh")]
    return subprocess.run(
        command, env={"PATH": path, **environment}, capture_output=True, text=True, cwd=tmp_path, timeout=30
    )


def job_with(tmp_path: Path, **changes) -> str:
    return script(SlurmJob(**{**JOB.__dict__, "python": str(tmp_path / "python"), **changes}))


def test_bash_sends_off_the_array_and_then_the_job_that_waits_for_all_of_it(tmp_path):
    told = 'printf "%s|" "$@" >> sent; echo >> sent; echo "17;cluster"'
    done = run_with(tmp_path, job_with(tmp_path, partition="long", setup=("module load python",)), {"sbatch": told})
    assert done.returncode == 0, done.stderr
    array, collect = (tmp_path / "sent").read_text().splitlines()[:2]
    assert array.startswith("--parsable|")
    assert array.endswith("job.sh|")
    assert "--dependency=afterany:17|" in collect
    assert "--partition=long|" in collect
    assert "--output=/data/a result-%j-collect.log|" in collect
    assert "module load python" in collect
    wrapped = (tmp_path / "sent").read_text().split("module load python\n")[1]
    assert wrapped.startswith(f"{tmp_path}/python -m paget.cli collect '/data/a result'|")


def test_a_task_computes_its_shard_with_the_given_settings_and_hands_on_the_exit_code(tmp_path):
    text = job_with(tmp_path, settings=("--arms", "a + b", "--seed", "7"), cpus=3)
    python = 'printf "%s|" "$@" > ran; exit 3'
    done = run_with(tmp_path, text, {"python": python}, SLURM_ARRAY_TASK_ID="2", SLURM_CPUS_PER_TASK="3")
    assert done.returncode == 3
    words = (tmp_path / "ran").read_text().split("|")
    assert words[:4] == ["-m", "paget.cli", "run", "/home/me/late dq.yaml"]
    assert words[4:8] == ["--arms", "a + b", "--seed", "7"]
    assert words[8:-1] == ["--out", "/data/a result", "--no-report", "--shard", "2/4", "--resume", "--workers", "3"]


def test_a_task_that_is_told_to_end_ends_paget_first(tmp_path):
    python = "trap 'echo stopped > ended; exit 130' TERM\nsleep 0.1\nkill -TERM $PPID\nfor i in {1..100}; do sleep 0.05; done"
    done = run_with(tmp_path, job_with(tmp_path), {"python": python}, SLURM_ARRAY_TASK_ID="1")
    assert done.returncode == 130
    assert (tmp_path / "ended").read_text() == "stopped\n"


def test_a_task_whose_time_is_up_stops_and_queues_itself_again_but_not_for_ever(tmp_path):
    python = "trap 'exit 143' TERM\nsleep 0.1\nkill -USR1 $PPID\nfor i in {1..100}; do sleep 0.05; done"
    scontrol = 'echo "$@" > again'
    given = {"SLURM_ARRAY_TASK_ID": "2", "SLURM_ARRAY_JOB_ID": "17"}
    programs = {"python": python, "scontrol": scontrol}
    text = job_with(tmp_path, time="12:00:00")
    assert "#SBATCH --signal=B:USR1@120" in text
    assert run_with(tmp_path, text, programs, **given).returncode == 143
    assert (tmp_path / "again").read_text() == "requeue 17_2\n"
    (tmp_path / "again").unlink()
    assert run_with(tmp_path, text, programs, SLURM_RESTART_COUNT="50", **given).returncode == 143
    assert not (tmp_path / "again").exists()


def test_what_is_asked_of_the_cluster_stands_in_the_head():
    text = script(
        SlurmJob(
            **{
                **JOB.__dict__,
                "cpus": 8, "time": "2-00:00:00", "memory": "16G", "partition": "long", "account": "lab", "simultaneous": 2,
            }
        )
    )  # fmt: skip
    head = {line.removeprefix("#SBATCH ") for line in text.splitlines() if line.startswith("#SBATCH")}
    assert head >= {
        "--job-name=paget-late-DQ", "--array=1-4%2", "--requeue", "--open-mode=append", "--cpus-per-task=8",
        "--time=2-00:00:00", "--mem=16G", "--partition=long", "--account=lab", '--output="/data/a result-%A-%a.log"',
    }  # fmt: skip


def test_everything_that_slurm_would_refuse_is_told_at_once():
    with pytest.raises(StudyError) as caught:
        script(
            SlurmJob(
                **{**JOB.__dict__, "tasks": 0, "cpus": 0, "time": "2 h", "memory": "much", "partition": "a b"},
            )
        )
    for word in ("--tasks 0", "--cpus 0", "--time '2 h'", "--memory 'much'", "--partition 'a b'"):
        assert word in str(caught.value)


# ---- command line -------------------------------------------------------------------------------------------------
@pytest.fixture
def call(capsys, monkeypatch, tmp_path):
    place = tmp_path / "work"
    place.mkdir()
    monkeypatch.chdir(place)
    small_catalogue.install(monkeypatch, tmp_path)

    def called(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["paget", *arguments])
        code = main(arguments)
        out, err = capsys.readouterr()
        return code, out, err

    return called


def test_the_command_writes_the_script_for_the_study_that_it_has_checked(call):
    code, out, err = call("slurm", "lung_awakening", "--tasks", "2", "--out", "r", "--seed", "5", "--time-limit", "2 h")
    assert code == 0, err
    assert out.startswith("#!/bin/bash\n")
    assert "run lung_awakening --seed 5 --time-limit '2 h' --tries 3 --out" in out
    assert f"{Path.cwd() / 'r'}" in out
    code, out, err = call("slurm", "lung_awakenin", "--tasks", "2", "--out", "r")
    assert (code, out) == (1, "")
    assert "Did you mean 'lung_awakening'?" in err


def test_more_tasks_than_animals_are_remarked(call):
    code, _, err = call("slurm", "lung_awakening", "--tasks", "500", "--out", "r")
    assert code == 0
    assert "will have nothing to do" in err


def test_a_shard_needs_a_folder_and_a_sensible_text(call):
    assert "--out DIR" in call("run", "lung_awakening", "--shard", "1/2")[2]
    code, _, err = call("run", "lung_awakening", "--shard", "3/2", "--out", "r")
    assert code == 1
    assert "There is no shard 3/2" in err
    assert not Path("r").exists()


def test_collecting_a_folder_that_is_no_result_is_refused(call):
    Path("r").mkdir()
    code, _, err = call("collect", "r")
    assert code == 1
    assert "holds no result of paget" in err
