"""The whole cascade: ten mice of one arm on all processors, and what the parts of one mouse cost.

python benchmarks/body.py [--mice 10] [--days 30]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import paget as pg
from paget.body.whole import Life
from paget.catalogue.cascade_mouse import cascade_mouse


def study(mice: int, days: int) -> float:
    """Wall time in s of a study of one arm, its report included."""
    chosen = pg.load("cascade_mouse").only("vehicle").changed(replicates=mice, duration=f"{days} day")
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        result = pg.simulate(chosen, out=Path(folder) / "result")
        result.report()
        return time.perf_counter() - began


def one_mouse(days: int, **options: str) -> tuple[float, int, int]:
    """Processor time in s of one mouse, the cells that it shed, and its lesions at the end; kernels are compiled before."""
    body = cascade_mouse(options)
    for seed in (2, 1):
        mouse = Life(body, seed=seed, animal=0, dt=1.0, drugs=frozenset())
        began = time.process_time()
        for _ in range(24 * (days if seed == 1 else 5)):
            mouse.advance((), ())
    return time.process_time() - began, mouse.traffic.shed, len(mouse.lesions)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mice", type=int, default=10)
    parser.add_argument("--days", type=int, default=30)
    given = parser.parse_args()
    for options in ({}, {"lung": "lumped"}, {"primary": "lumped", "lung": "lumped"}):
        seconds, shed, lesions = one_mouse(given.days, **options)
        named = ", ".join(f"{k} {v}" for k, v in options.items()) or "primary and lung spatial"
        print(
            f"one mouse, {given.days} days, {named}: {seconds:.1f} s of one core; {shed:,} cells shed, {lesions:,} lesions"
        )
    print(f"study of {given.mice} mice, one arm, with its report: {study(given.mice, given.days):.0f} s")
