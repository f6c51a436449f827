"""Time the default study: once with a cold kernel cache, then warm; wall time, memory, and the time to compile."""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMPILE = """
import time
from paget.catalogue import build_model, load_study
from paget.engine.simulate import run_animal
from paget.results.memory import MemoryRecorder
study = load_study("lung_awakening").changed(duration="30 day", replicates=1, arms=[{"name": "vehicle"}],
    record={"metrics": "24 h", "frames": "720 h", "checkpoint": "720 h"})
model = build_model(study)
start = time.perf_counter()
short = study.changed(duration="6 h", record={"metrics": "2 h", "frames": "6 h", "checkpoint": "6 h"})
run_animal(model, short, "vehicle", 0, MemoryRecorder(6.0))
print(time.perf_counter() - start)
"""


def memory(session: int) -> float:
    """Proportional set size in MB of all processes of a session (Linux; 0 elsewhere)."""
    total = 0.0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if int((folder / "stat").read_text().rsplit(")", 1)[1].split()[3]) != session:
                continue
            rows = (folder / "smaps_rollup").read_text().splitlines()
            total += next(float(row.split()[1]) for row in rows if row.startswith("Pss:")) / 1024.0
        except (OSError, StopIteration, IndexError, ValueError):
            continue  # the process ended while it was looked at
    return total


def run(folder: Path, workers: int, environment: dict[str, str]) -> dict[str, float]:
    """One `paget run`, timed from outside: wall seconds, and the largest memory of all its processes together."""
    start = time.perf_counter()
    command = [
        sys.executable,
        "-m",
        "paget.cli",
        "run",
        "lung_awakening",
        "--out",
        str(folder),
        "--workers",
        str(workers),
    ]
    quiet = subprocess.DEVNULL
    running = subprocess.Popen(command, env=environment, stdout=quiet, stderr=quiet, start_new_session=True)
    largest = 0.0
    while running.poll() is None:
        largest = max(largest, memory(running.pid))
        time.sleep(0.5)
    wall = time.perf_counter() - start
    if running.returncode:
        raise SystemExit(f"paget run ended with status {running.returncode}")
    return {"wall_s": wall, "memory_MB": largest}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    chosen = parser.parse_args()
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory() as scratch:
        environment = {**os.environ, "NUMBA_CACHE_DIR": str(Path(scratch) / "kernels")}
        for label in ("cold", "warm"):
            done = subprocess.run(
                [sys.executable, "-c", COMPILE], check=True, env=environment, capture_output=True, text=True
            )
            print(f"first 6 h of an animal, {label} kernel cache: {float(done.stdout):.1f} s")
        for repeat in range(chosen.repeats):
            figures = run(Path(scratch) / f"run{repeat}", chosen.workers, environment)
            print(
                f"study {repeat + 1}: " + ", ".join(f"{name} {value:.1f}" for name, value in figures.items()),
                flush=True,
            )


if __name__ == "__main__":
    main()
