"""Rates of the relaxation of packed three-dimensional tissue, in cell-updates per second: one cell, one sub-step.

``python benchmarks/mechanics.py`` prints medians and bests; `measure` gives them to the benchmark of the whole engine.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paget.kernels.contacts import Linear, Quadratic, relax

RADIUS = 8.41271  # um, PhysiCell's reference cell
SPACING = 0.95 * 2.0 * RADIUS  # um, between neighbours of the lattice
STEP = 0.1 / 60.0  # h, PhysiCell's sub-step
SKIN, NO_SKIN = 2.0, 1e-9  # um; without a skin lists are made anew in each sub-step


def packed_tissue(n: int, seed: int = 0) -> NDArray[np.float64]:
    """Positions [3, n] on a face-centred lattice, jittered by a tenth of the spacing, in random order of the cells."""
    rng = np.random.default_rng(seed)
    edge = int(np.ceil((n / 4.0) ** (1.0 / 3.0)))
    base = np.array([[0.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.5, 0.0, 0.5], [0.0, 0.5, 0.5]])
    corners = np.stack(np.meshgrid(*[np.arange(edge)] * 3, indexing="ij"), -1).reshape(-1, 1, 3)
    place = ((corners + base).reshape(-1, 3) * SPACING * np.sqrt(2.0) + 20.0)[:n]
    place += rng.uniform(-0.1, 0.1, place.shape) * SPACING
    rng.shuffle(place)
    return np.ascontiguousarray(place.T)


def rate(
    n: int, threads: int, skin: float, steps: int, repeats: int, law: Linear | Quadratic | None = None
) -> dict[str, float]:
    """Cell-updates per second over `steps` sub-steps, building the first list included: median and best of `repeats`."""
    start, ids, radius = packed_tissue(n), np.arange(n, dtype=np.uint64), np.full(n, RADIUS)
    size = np.full(3, start.max() + 100.0)
    law = law or Quadratic(np.full(n, 600.0), np.full(n, 24.0), np.full(n, 1.25))
    # The tissue settles first, so that lists are made as often as in a run and not as in its first minute.
    relax(start, ids, radius, size, 20 * STEP, law, step=STEP, threads=threads)
    seconds, builds = [], 0
    for _ in range(repeats):
        position = start.copy()
        before = time.perf_counter()
        found = relax(position, ids, radius, size, steps * STEP, law, step=STEP, skin=skin, threads=threads)
        seconds.append(time.perf_counter() - before)
        builds = found.builds
    work = n * steps
    return {"median": work / statistics.median(seconds), "best": work / min(seconds), "builds": builds}


def measure(threads: int = 2, *, quick: bool = False) -> dict[str, Any]:
    """Rates by name: packed tissue of 1e3 to 1e6 cells with a skin, 1e5 without, and how cost per cell grows."""
    repeats = 3 if quick else 7
    found: dict[str, Any] = {}
    for n, steps in ((1_000, 400), (10_000, 200), (100_000, 50), (1_000_000, 50)):
        if n == 1_000_000 and quick:
            continue
        found[f"skin list, {n:,} cells"] = rate(n, threads, SKIN, steps, repeats if n < 1_000_000 else 3)
    found["lists in each sub-step, 100,000 cells"] = rate(100_000, threads, NO_SKIN, 20, repeats)
    found["skin list, 100,000 cells, one thread"] = rate(100_000, 1, SKIN, 50, repeats)
    found["skin list, 100,000 cells, linear law"] = rate(100_000, threads, SKIN, 50, repeats, Linear(10.0, 0.4, 1.25))
    if not quick:
        small, large = (found[f"skin list, {n} cells"]["median"] for n in ("10,000", "1,000,000"))
        found["cost per cell, 1e6 over 1e4"] = small / large
    return found


def rows(repeats: int) -> list[dict[str, Any]]:
    """The lines of the benchmark of the whole engine: millions of cell-updates per second of 1e5 cells."""
    wanted = (("skin list", SKIN, 50, "12 M/s"), ("lists in each sub-step", NO_SKIN, 20, "5 M/s"))
    lines = []
    for name, skin, steps, bar in wanted:
        found = rate(100_000, 2, skin, steps, max(repeats, 5))
        work = f"mechanics, 1e5 packed cells, {name}"
        value = {"paget": found["median"] / 1e6, "unit": "M/s", "runs": [found["best"] / 1e6]}
        lines.append({"work": work, "PhysiCell": "0.15 to 0.2 M/s", "bar": bar, **value})
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--quick", action="store_true")
    chosen = parser.parse_args()
    for name, value in measure(chosen.threads, quick=chosen.quick).items():
        if isinstance(value, dict):
            print(
                f"{name:42s} median {value['median'] / 1e6:6.2f} M/s  best {value['best'] / 1e6:6.2f} M/s  "
                f"lists made {value['builds']}"
            )
        else:
            print(f"{name:42s} {value:.2f}")


if __name__ == "__main__":
    main()
