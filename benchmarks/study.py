"""Time the default study: once with a cold kernel cache, then warm; wall and CPU time, memory, and the time to compile."""

from __future__ import annotations

import argparse
import os
import platform
import resource
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


def run(folder: Path, workers: int, environment: dict[str, str]) -> dict[str, float]:
    """One `paget run`, timed from outside: wall and CPU seconds of all its processes, memory of the largest."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
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
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall_s": wall, "cpu_s": cpu, "largest_process_MB": after.ru_maxrss / 1024.0}


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
