"""Cohorts of patients: 10,000 over 20 years with dormancy, resection and drug cycles, and the cost per patient by their number.

Every arm of `adjuvant_arms` alone, with yearly readouts: the first call in the process (loading compiled kernels, or compiling
them), then the median of several; peak memory of the process after the runs of 10,000, and the cost from 1e2 patients on.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import time

from paget.body.cohort import CohortArm
from paget.catalogue.adjuvant_cohort import adjuvant_arms, adjuvant_cohort


def seconds(arm: CohortArm, patients: int, threads: int, repeats: int) -> float:
    """Median wall time of a run of one arm."""
    taken = []
    for _ in range(repeats):
        begin = time.perf_counter()
        adjuvant_cohort().run([arm], patients, years=20.0, threads=threads)
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--most", type=int, default=100_000, help="largest number of patients")
    given = parser.parse_args()
    arms = {arm.name: arm for arm in adjuvant_arms()}
    both = arms["both"]
    result: dict[str, object] = {"first call, s": round(seconds(both, 100, given.threads, 1), 2)}
    result["10,000 patients over 20 years, s"] = {
        name: round(seconds(arm, 10_000, given.threads, given.repeats), 2) for name, arm in arms.items()
    }
    result["peak memory, MB"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    sizes = [n for n in (100, 1_000, 10_000, 100_000) if n <= given.most]
    result["us per patient"] = {
        n: round(1e6 * seconds(both, n, given.threads, given.repeats if n < 1e5 else 1) / n) for n in sizes
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
