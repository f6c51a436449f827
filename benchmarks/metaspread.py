"""The published model of metastatic spread: how long its default scenario takes, with MetaSpread beside in the same run.

    python benchmarks/metaspread.py                          # ours alone, a few seconds
    METASPREAD_PYTHON=<python> python benchmarks/metaspread.py          # with MetaSpread, two minutes
    python benchmarks/metaspread.py defects                  # what each copied defect does to the results, some minutes
    python benchmarks/metaspread.py --json out.json

MetaSpread 2024.0.5 needs old versions of its dependencies, so it is measured with the interpreter of an environment of its own,
METASPREAD_PYTHON. It is run for some steps with few and with many cells, and its time for all 14,400 steps is projected from
the straight line through these and the numbers of cells of our run. All figures are CPU time of one core.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from paget.catalogue.metaspread import DEFECTS, MetaSpread, MetaSpreadRun, simulate
from paget.process import quantity

STEPS = 14_400
SIZES = ((388, 97), (8000, 2000))  # cells and the central sites on which they start
WHY = "a benchmark"

DRIVER = """
import contextlib, io, json, sys, time
cells, sites, steps = map(int, sys.argv[1:])
values = dict(
    th=1e-3, tha=1e-3, xh=5e-3, xha=5e-3, dM=1e-4, dE=5e-5, phiM=5e-4, phiE=5e-4, dmmp=1e-3, theta=0.195, Lambda=0.1,
    gamma1=1, gamma2=1, vasculature_time=180, doubling_time_M=2000, doubling_time_E=3000, single_cell_survival=5e-4,
    cluster_survival=0.025, extravasation_probs=[0.75, 0.25], dissagreggation_prob=0.5, carrying_capacity=4,
    normal_vessels_primary=8, ruptured_vessels_primary=2, secondary_sites_vessels=[10, 10], n_center_points_for_tumor=sites,
    n_center_points_for_Vessels=max(200, sites), gridsize=201, grids_number=3, mesenchymal_proportion=0.6,
    epithelial_proportion=0.4, number_of_initial_cells=cells,
)
with open("simulations_configs.csv", "w") as file:
    file.write("Names,Values\\n")
    file.writelines('%s,"%s"\\n' % item for item in values.items())
import metaspread.configs
metaspread.configs.init_simulation_configs("simulations_configs.csv")
from metaspread.cancermodel import CancerModel
with contextlib.redirect_stdout(io.StringIO()):
    model = CancerModel(cells, 201, 201, 3, 10**9, 10**9, ".", seed=0)
    model.step()
    begin = time.process_time()
    for _ in range(steps):
        model.step()
    took = time.process_time() - begin
print(json.dumps(took / steps))
"""


def ours(repeats: int) -> dict[str, Any]:
    """Seconds of the default scenario as shipped, and the cells that it had at every step."""
    simulate(MetaSpread(legacy=True), 0, 3)  # compiles, or reads what was compiled
    best, cells = np.inf, np.zeros(STEPS)
    times = []
    for _ in range(repeats):
        run = MetaSpreadRun(MetaSpread(legacy=True), 0)
        begin = time.process_time()
        for step in range(STEPS):
            run.step()
            cells[step] = run.living
        times.append(time.process_time() - begin)
        best = min(best, times[-1])
    return {"best": best, "median": statistics.median(times), "cells": cells}


def theirs(python: str, cells: int, sites: int, steps: int = 30) -> float:
    """CPU seconds per step of MetaSpread with so many cells."""
    with tempfile.TemporaryDirectory() as folder:
        command = [python, "-c", DRIVER, str(cells), str(sites), str(steps)]
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"MetaSpread could not be run with {python}:\n{done.stderr}")
    return float(json.loads(done.stdout.splitlines()[-1]))


def speed(repeats: int) -> dict[str, Any]:
    found = ours(repeats)
    cells = found.pop("cells")
    found |= {"ns per cell and step": 1e9 * found["best"] / float(cells.sum())}
    print(f"ours: {STEPS:,} steps, best {found['best']:.2f} s, median {found['median']:.2f} s of {repeats}")
    print(
        f"      {int(cells[-1]):,} cells at the end, {found['ns per cell and step']:.0f} ns per cell and step, fields included"
    )
    python = os.environ.get("METASPREAD_PYTHON")
    if not python:
        print("MetaSpread was not measured: METASPREAD_PYTHON names no interpreter that has it")
        return found
    per_step = [theirs(python, *size) for size in SIZES]
    for (count, _), seconds in zip(SIZES, per_step, strict=True):
        print(f"MetaSpread: {seconds:.3f} s per step with {count:,} cells")
    slope = (per_step[1] - per_step[0]) / (SIZES[1][0] - SIZES[0][0])
    projected = float((per_step[0] + slope * (cells - SIZES[0][0])).sum())
    print(
        f"MetaSpread: {projected:,.0f} s projected for {STEPS:,} steps, {projected / found['best']:,.0f} times as long"
    )
    return found | {"MetaSpread per step": per_step, "MetaSpread projected": projected}


def dense(legacy: bool | tuple[str, ...]) -> MetaSpread:
    """The small body with many vessels of the verification, in which metastases are common."""
    texts = {
        "sites": "61",
        "tick": "200 s",
        "field_tick": "200 s",
        "normal_vessels": "40",
        "ruptured_vessels": "20",
        "founders": "196",
        "founder_sites": "49",
        "free_sites": "120",
        "survival_single": "0.05",
        "survival_cluster": "0.25",
    }
    return MetaSpread(legacy=legacy, **{name: quantity(text, reason=WHY) for name, text in texts.items()})


READ = (
    "mesenchymal cells in grid 1",
    "epithelial cells in grid 1",
    "mesenchymal cells in grid 2",
    "epithelial cells in grid 2",
    "entries into blood",
    "cells arrived",
    "all cells",
    "mean matrix",
)


def defects(seeds: int) -> dict[str, Any]:
    """Change of each readout at the end, in per cent of its mean, when one defect is copied into the model as stated."""
    cases: dict[str, bool | tuple[str, ...]] = {"none": (), **{name: (name,) for name in DEFECTS}, "all": True}
    ends = {}
    for case, legacy in cases.items():
        with ThreadPoolExecutor(2) as pool:
            runs = pool.map(lambda seed, legacy=legacy: simulate(dense(legacy), seed, 3200, 3200), range(seeds))
            ends[case] = np.array([run.course.iloc[-1][list(READ)].to_numpy(float) for run in runs])
    base = ends.pop("none")
    found: dict[str, Any] = {"none": dict(zip(READ, base.mean(0), strict=True))}
    print("| copied | " + " | ".join(READ) + " |\n|---|" + "---|" * len(READ))
    print("| none: means | " + " | ".join(f"{value:.3g}" for value in base.mean(0)) + " |")
    for case, values in ends.items():
        change = 100.0 * (values - base) / base.mean(0)  # of the same seeds, so that founders and vessels are the same
        mean, error = change.mean(0), 1.96 * change.std(0, ddof=1) / np.sqrt(seeds)
        found[case] = {name: (float(m), float(e)) for name, m, e in zip(READ, mean, error, strict=True)}
        print(
            f"| {case} | " + " | ".join(f"{m:+.1f} ± {e:.1f}" for m, e in zip(mean, error, strict=True)) + " |",
            flush=True,
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=("speed", "defects"), default="speed")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=96)
    parser.add_argument("--json", help="file for the figures")
    given = parser.parse_args()
    found = speed(given.repeats) if given.what == "speed" else defects(given.seeds)
    if given.json:
        with open(given.json, "w") as file:
            json.dump(found, file, indent=1)


if __name__ == "__main__":
    main()
