"""A SLURM cluster of one node for the time of a test: its own daemons, key, ports and folder, ended with the test."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel")
_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])

CONFIGURATION = """
ClusterName=paget
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
SlurmUser={user}
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SchedulerTimeSlice=5
SchedulerParameters=sched_interval=1,batch_sched_delay=0
MinJobAge=3600
KillWait=5
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=1000 State=UNKNOWN
PartitionName=test Nodes={host} Default=YES MaxTime=INFINITE State=UP OverSubscribe=FORCE:4
"""


def missing() -> str:
    """Why no cluster is started here, or nothing."""
    if os.environ.get("PAGET_SLURM") != "1":
        return "takes two minutes on a SLURM of its own, started as root; ask for it with PAGET_SLURM=1"
    absent = [name for name in PROGRAMS if shutil.which(name, path=_PATH) is None]
    if absent:
        return f"SLURM is not installed (slurm-wlm, munge): no {', '.join(absent)}"
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "starting SLURM's daemons needs root"
    return ""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def one_node_cluster(folder: Path) -> Iterator[dict[str, str]]:
    """Start the daemons and give the environment in which SLURM's commands find them; all are ended afterwards."""
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    host = socket.gethostname().split(".")[0]
    ports = {"controller": _free_port(), "node": _free_port()}
    user = pwd.getpwuid(os.geteuid()).pw_name
    settings = CONFIGURATION.format(folder=folder, host=host, user=user, cpus=os.cpu_count() or 1, **ports)
    (folder / "slurm.conf").write_text(settings)
    environment = {**os.environ, "PATH": _PATH, "SLURM_CONF": str(folder / "slurm.conf")}
    munge = [f"--{name}={folder}/munge.{ending}" for name, ending in (
        ("socket", "socket"), ("key-file", "key"), ("pid-file", "pid"), ("log-file", "log"), ("seed-file", "seed"),
    )]  # fmt: skip
    daemons = []
    try:
        for command in (
            ["munged", "--foreground", "--force", *munge],
            ["slurmctld", "-D"],
            ["slurmd", "-D", "-N", host],
        ):
            with (folder / f"{command[0]}.out").open("wb") as log:
                daemons.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
            time.sleep(0.3)
        _await(lambda: _node_state(environment) in ("idle", "mixed"), 30.0, folder)
        yield environment
    finally:
        for daemon in reversed(daemons):
            daemon.terminate()
            try:
                daemon.wait(timeout=10.0)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()


def _node_state(environment: dict[str, str]) -> str:
    found = subprocess.run(["sinfo", "-h", "-o", "%T"], env=environment, capture_output=True, text=True)
    return found.stdout.strip()


def _await(condition, seconds: float, folder: Path) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            logs = "\n".join(f"{p.name}: {p.read_text(errors='replace')[-600:]}" for p in folder.glob("*.*o[ug]*"))
            raise TimeoutError(f"SLURM has not become ready within {seconds:g} s.\n{logs}")
        time.sleep(0.2)


def jobs(environment: dict[str, str]) -> dict[str, str]:
    """State of every job and array task that the controller remembers, such as {"7_2": "COMPLETED"}."""
    command = ["squeue", "-h", "-a", "-r", "-t", "all", "-o", "%i %T"]
    lines = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.splitlines()
    return dict(line.split() for line in lines)


def await_jobs(environment: dict[str, str], seconds: float = 120.0) -> dict[str, str]:
    """Wait until no job is waiting or running any more."""
    over = ("COMPLETED", "FAILED", "CANCELLED", "NODE_FAIL", "TIMEOUT", "OUT_OF_MEMORY", "PREEMPTED")
    deadline = time.monotonic() + seconds
    while True:
        states = jobs(environment)
        if states and all(state in over for state in states.values()):
            return states
        if time.monotonic() > deadline:
            raise TimeoutError(f"Jobs are not over after {seconds:g} s: {states}")
        time.sleep(0.3)
