"""Metastases of all generations by inversion of emission, and the same with NumPy, one after the other, in the same run.

Growth and emission of Iwata et al. 2000 (doi:10.1006/jtbi.2000.1075) until three days. The peer takes a generation of all
patients at a time: Poisson numbers of daughters, and their ages by linear interpolation in a table of 100,000 nodes; it draws
from one stream, so that its patients depend on each other. `burden` is the time for the sizes of all at the end.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from typing import Any

import numpy as np

from paget.body.colonies import colonies
from paget.body.emission import Emission, emitted
from paget.body.growth_laws import GrowthLaw, gompertz
from paget.process import quantity

PATIENTS = {678: 200_000, 1110: 12_000, 1310: 4_000}


def given(text: str) -> Any:
    return quantity(text, reason="a published example")


def peer(law: GrowthLaw, emission: Emission, until: float, patients: int) -> int:
    """Number of metastases of all patients."""
    random = np.random.default_rng(1)
    ages = np.linspace(0.0, until, 100_001)
    total = emitted(law, emission, ages)
    born, patient, found = np.zeros(patients), np.arange(patients), 0
    while born.size:
        most = np.interp(until - born, ages, total)
        daughters = random.poisson(most)
        mother = np.repeat(np.arange(born.size), daughters)
        born = born[mother] + np.interp(random.random(mother.size) * most[mother], total, ages)
        patient = patient[mother]
        found += born.size
    return found


def best(repeats: int, work: Any) -> tuple[float, float, Any]:
    """Shortest wall time and shortest processor time in s, and what the work gave."""
    wall, spent = np.inf, np.inf
    for _ in range(repeats):
        began, used = time.perf_counter(), time.process_time()
        got = work()
        wall, spent = min(wall, time.perf_counter() - began), min(spent, time.process_time() - used)
    return wall, spent, got


def measure(threads: int, repeats: int) -> dict[str, Any]:
    law, emission = (
        gompertz(given("0.00286 1/day"), given("7.3e10 cell")),
        Emission(given("5.3e-8 1/day"), given("0.663")),
    )
    colonies(law, emission, "700 day", 10, 1).sizes()  # compiled
    found: dict[str, Any] = {"threads": threads}
    for day, patients in PATIENTS.items():

        def ours(day: int = day, patients: int = patients) -> Any:
            return colonies(law, emission, f"{day} day", patients, 1, threads)

        def theirs(day: int = day, patients: int = patients) -> int:
            return peer(law, emission, day * 24.0, patients)

        wall, spent, grown = best(repeats, ours)
        _, others, number = best(repeats, theirs)
        n = grown.born.size
        found[f"day {day}"] = {
            "patients": patients,
            "metastases per patient": n / patients,
            "paget, million metastases per s": n / wall / 1e6,
            "paget, million metastases per s of a core": n / spent / 1e6,
            "paget, patients per s": patients / wall,
            "NumPy, million metastases per s of a core": number / others / 1e6,
            "burden, million metastases per s of a core": n / best(repeats, grown.burden)[1] / 1e6,
        }
    found["largest memory, MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    print(json.dumps(measure(arguments.threads, arguments.repeats), indent=2))
