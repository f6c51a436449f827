"""Oxygen around 10,000 consuming cells on 64^3 voxels over a tick of 6 min: time, and error against the exact steady state.

Beside it, in the same run, the scheme of BioFVM (locally one-dimensional implicit steps of 0.01 min), compiled as well.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from paget.engine.transport import Diffusing, Fixed, Workspace, advance
from paget.state import Grid

VOXELS, EDGE, CELLS = 64, 20.0, 10_000
DIFFUSION, DECAY, UPTAKE, WALL = 1e5 * 60.0, 0.1 * 60.0, 10.0 * 60.0, 38.0  # um2/h, 1/h, 1/h, mmHg
CELL_VOLUME, TICK = 2494.0, 0.1  # um3, h
TOLERANCE = 1e-4  # relative residual; the errors below show what it is worth
GRID = Grid((VOXELS * EDGE,) * 3, EDGE)
FACES = {face: Fixed(WALL, "voxels") for face in ("x-", "x+", "y-", "y+", "z-", "z+")}


def consumption(layout: str, seed: int = 1) -> np.ndarray:
    """Loss [nz, ny, nx] in 1/h of cells that lie anywhere (``spread``) or packed in a ball in the middle (``ball``)."""
    rng = np.random.default_rng(seed)
    if layout == "spread":
        voxels = rng.integers(0, VOXELS, (3, CELLS))
    else:
        radius = (3.0 * CELLS * CELL_VOLUME / 0.7 / (4.0 * np.pi)) ** (1.0 / 3.0)
        points = rng.uniform(-radius, radius, (3, 4 * CELLS))
        voxels = ((points[:, (points**2).sum(axis=0) < radius**2][:, :CELLS] + VOXELS * EDGE / 2.0) / EDGE).astype(int)
    loss = np.full(GRID.shape, DECAY)
    np.add.at(loss, tuple(voxels), UPTAKE * CELL_VOLUME / EDGE**3)
    return loss


def tick(
    values: np.ndarray, loss: np.ndarray, threads: int, tolerance: float = TOLERANCE, workspace: Workspace | None = None
) -> np.ndarray:
    """Oxygen after one tick, as the engine advances it."""
    field = Diffusing("field.oxygen", values, DIFFUSION, np.zeros(GRID.shape), loss, faces=FACES)
    return advance(field, GRID, TICK, tolerance=tolerance, threads=threads, workspace=workspace).values


@numba.njit(cache=True, error_model="numpy")
def locally_one_dimensional(values, loss, dt, steps):  # type: ignore[no-untyped-def]
    """BioFVM: along x, y, z in turn, implicit diffusion and a third of the decay; then the cells of each voxel."""
    n = values.shape[0]
    c1, c2 = DIFFUSION * dt / EDGE**2, DECAY * dt / 3.0
    denominator, ahead = np.empty(n), np.empty(n)
    for i in range(n):
        own = 1.0 + c2 + (c1 if i in (0, n - 1) else 2.0 * c1)
        denominator[i] = 1.0 / (own - (c1 * ahead[i - 1] if i else 0.0))
        ahead[i] = c1 * denominator[i]
    for _ in range(steps):
        for axis in range(3):
            _hold(values)
            # Lines side by side in memory are swept together, so that the processor's lanes are used.
            if axis == 0:
                for j in range(n):
                    for k in range(n):
                        values[j, k, 0] *= denominator[0]
                        for i in range(1, n):
                            values[j, k, i] = (values[j, k, i] + c1 * values[j, k, i - 1]) * denominator[i]
                        for i in range(n - 2, -1, -1):
                            values[j, k, i] += ahead[i] * values[j, k, i + 1]
            elif axis == 1:
                for j in range(n):
                    for k in range(n):
                        values[j, 0, k] *= denominator[0]
                    for i in range(1, n):
                        for k in range(n):
                            values[j, i, k] = (values[j, i, k] + c1 * values[j, i - 1, k]) * denominator[i]
                    for i in range(n - 2, -1, -1):
                        for k in range(n):
                            values[j, i, k] += ahead[i] * values[j, i + 1, k]
            else:
                for j in range(n):
                    for k in range(n):
                        values[0, j, k] *= denominator[0]
                for i in range(1, n):
                    for j in range(n):
                        for k in range(n):
                            values[i, j, k] = (values[i, j, k] + c1 * values[i - 1, j, k]) * denominator[i]
                for i in range(n - 2, -1, -1):
                    for j in range(n):
                        for k in range(n):
                            values[i, j, k] += ahead[i] * values[i + 1, j, k]
        _hold(values)
        for j in range(n):
            for k in range(n):
                for i in range(n):
                    values[j, k, i] /= 1.0 + dt * (loss[j, k, i] - DECAY)


@numba.njit(cache=True)
def _hold(values):  # type: ignore[no-untyped-def]
    values[0], values[-1] = WALL, WALL
    values[:, 0], values[:, -1] = WALL, WALL
    values[:, :, 0], values[:, :, -1] = WALL, WALL


def median_time(work: Callable[[], Any], repeats: int) -> float:
    """Median wall time in s of calls that were compiled before."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def measure(threads: int = 2, repeats: int = 15, incumbent: bool = True) -> dict[str, Any]:
    """Times in ms and relative errors, cold (from 38 mmHg everywhere) and warm (uptake has changed by a few per cent)."""
    workspace = Workspace()
    found: dict[str, Any] = {"voxels": VOXELS**3, "cells": CELLS, "threads": threads, "tolerance": TOLERANCE}
    for layout in ("spread", "ball"):
        loss = consumption(layout)
        drifted = loss * (1.0 + 0.02 * np.random.default_rng(2).standard_normal(loss.shape).clip(-3, 3))
        start = np.full(GRID.shape, WALL)
        exact, later = tick(start, loss, threads, 1e-12), tick(start, drifted, threads, 1e-12)
        row: dict[str, Any] = {}
        for name, before, now, truth in (("cold", start, loss, exact), ("warm", exact, drifted, later)):
            error = np.abs(tick(before, now, threads) / truth - 1.0)
            row[name] = {
                "ms": 1e3 * median_time(lambda b=before, n=now: tick(b, n, threads, workspace=workspace), repeats),
                "ms, one thread": 1e3
                * median_time(lambda b=before, n=now: tick(b, n, 1, workspace=workspace), repeats),
                "mean error": float(error.mean()),
                "largest error": float(error.max()),
            }
        if incumbent:
            values = start.copy()
            locally_one_dimensional(values.copy(), loss, 0.01 / 60.0, 1)
            began = time.perf_counter()
            locally_one_dimensional(values, loss, 0.01 / 60.0, 600)
            error = np.abs(values / exact - 1.0)
            row["LOD, 0.01 min, 600 steps"] = {
                "ms": 1e3 * (time.perf_counter() - began),
                "mean error": float(error.mean()),
                "largest error": float(error.max()),
            }
        found[layout] = row
    return found


def rows(repeats: int) -> list[dict[str, Any]]:
    """The lines of the benchmark of the whole engine: a tick of oxygen around 1e4 cells in a ball on 64^3 voxels."""
    found = measure(repeats=max(repeats, 11))["ball"]
    scheme = found["LOD, 0.01 min, 600 steps"]
    peer = f"{scheme['ms']:.0f} ms, {100 * scheme['mean error']:.1f} %"
    return [
        {
            "work": f"oxygen, 1e4 cells, 64^3, 6 min, {name} ({100 * found[name]['mean error']:.4f} %)",
            "PhysiCell": peer,
            "bar": bar,
            "paget": found[name]["ms"],
            "unit": "ms",
            "runs": [found[name]["ms, one thread"]],
        }
        for name, bar in (("cold", "20 ms"), ("warm", "6 ms (aim)"))
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=15)
    print(json.dumps(measure(**vars(parser.parse_args())), indent=2))
