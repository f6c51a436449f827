"""Rate equations in 100,000 cells over 6 h, and libRoadRunner on 1,000 of them, one after the other, in the same run.

Two published models of mTOR signalling: 15 states (Varusai 2018) and 25 stiff ones (Dalle Pezze 2012), from their files. Every
cell has its own rates (log-normal, 10 %), and the time of the files is taken for hours. `from the start` includes the fast
changes right after stimulation; `later` is the next 6 h, as in a tick of a tissue whose cells have settled.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np

from paget.io.networks.roadrunner import prepared
from paget.io.networks.sbml import read_sbml
from paget.signalling.kinetics import Kinetics, advance, start

FILES = {
    "15 states": "BIOMD0000000823_Varusai2018_mTOR_DEPTOR.xml",
    "25 stiff states": "BIOMD0000000581_DallePezze2012_TSC_mTORC2.xml",
}
SPAN, RTOL, ATOL, SPREAD = 6.0, 1e-4, 1e-6, 0.1


def rates(system: Kinetics, cells: int) -> dict[str, Any]:
    """Parameters [cells] by name."""
    random = np.random.default_rng(1)
    return {one.key: one.value * np.exp(random.normal(0.0, SPREAD, cells)) for one in system.parameters}


def ours(system: Kinetics, cells: int, threads: int, repeats: int) -> dict[str, Any]:
    """Best wall times in s, and steps per cell."""
    advance(system, start(system, 64, rates(system, 64)), SPAN)
    found: dict[str, Any] = {}
    for _ in range(repeats):
        here = start(system, cells, rates(system, cells))
        for when in ("from the start", "later"):
            began = time.perf_counter()
            steps = advance(system, here, SPAN, rtol=RTOL, atol=ATOL, threads=threads)
            seconds = time.perf_counter() - began
            before = found.get(when, {"s": np.inf})["s"]
            found[when] = {"s": min(before, seconds), "steps per cell": steps / cells}
    return found


def theirs(system: Kinetics, cells: int, total: int) -> dict[str, Any]:
    """libRoadRunner with CVODE at the same tolerances; its times for as many cells as we have."""
    runner = prepared(system, rtol=RTOL, atol=ATOL)
    own, spent = rates(system, cells), {"from the start": 0.0, "later": 0.0}
    for cell in range(cells):
        runner.reset()
        for name, values in own.items():
            runner.setValue(name, float(values[cell]))
        for when, begin in (("from the start", 0.0), ("later", SPAN)):
            began = time.perf_counter()
            runner.simulate(begin, begin + SPAN, 2)
            spent[when] += time.perf_counter() - began
    return {when: {"s": seconds * total / cells} for when, seconds in spent.items()}


def measure(folder: Path, cells: int, threads: int, repeats: int) -> dict[str, Any]:
    found: dict[str, Any] = {"cells": cells, "threads": threads, "hours": SPAN, "rtol": RTOL, "atol": ATOL}
    for name, file in FILES.items():
        system = read_sbml(folder / "sbml" / file, time_unit="h")
        found[name] = {
            "paget": ours(system, cells, threads, repeats),
            "libRoadRunner, 1,000 cells, times the rest": theirs(system, 1000, cells),
        }
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reference", type=Path, default=Path(os.environ.get("PAGET_REFERENCE", "reference")))
    parser.add_argument("--cells", type=int, default=100_000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    print(json.dumps(measure(given.reference, given.cells, given.threads, given.repeats), indent=2))
