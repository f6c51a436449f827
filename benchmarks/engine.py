"""The tissue engine against the published simulator's figures: mechanics, oxygen, growth, a million cells, scaling, overhead.

    python benchmarks/engine.py                # everything, about ten minutes on two cores
    python benchmarks/engine.py growth scaling # some of it
    python benchmarks/engine.py --json out.json

The figures of PhysiCell 1.14.2 were measured on the machine named in RESULTS.md (release build, -O3 -march=native).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import mechanics
import oxygen
from paget.access import Do
from paget.catalogue.growth import SPACING, growing_ball, growing_disc, tumour_cell
from paget.engine.matter import Matter
from paget.engine.simulation import Simulation
from paget.engine.structure import Structure
from paget.engine.tick import Stepper
from paget.tissue import Cells, Exchange, Substrate, Tissue, close_packed_ball

THREADS = 2
BALL = 151.0  # um; a close packing of 5,017 cells, the next above the 4,936 of the reference run


def seconds(action: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


def row(work: str, peer: str, bar: str, value: float, unit: str, runs: list[float]) -> dict[str, Any]:
    return {"work": work, "PhysiCell": peer, "bar": bar, "paget": value, "unit": unit, "runs": runs}


def growth(repeats: int) -> list[dict[str, Any]]:
    """The published 2-D growth, at 38 mmHg for 6 h and at 140 mmHg and twice the uptake for 72 h."""
    growing_disc().simulation(1, threads=1).run("12 min")
    short = [seconds(lambda s=s: growing_disc().simulation(s, threads=THREADS).run("6 h")) for s in range(repeats)]
    ends: list[int] = []

    def long(seed: int) -> None:
        run = growing_disc("140 mmHg", uptake="20 /min").simulation(seed, threads=THREADS).run("72 h")
        ends.append(len(run.world.cells))

    full = [seconds(lambda s=s: long(s)) for s in range(min(repeats, 3))]
    return [
        row("2-D growth, 1,039 cells, first 6 h", "20 s", "1 s", statistics.median(short), "s", short),
        row(f"2-D growth to {ends} cells, 72 h", "645 CPU-s", "15 s", statistics.median(full), "s", full),
    ]


def ball(repeats: int) -> list[dict[str, Any]]:
    """A ball of about 4,936 cells in 35^3 voxels, per simulated hour."""
    simulation = growing_ball(BALL).simulation(1, threads=THREADS)
    cells = len(simulation.world.cells)
    simulation.run("1 h")
    runs = [seconds(lambda: simulation.run("1 h")) for _ in range(repeats)]
    return [
        row(f"3-D ball, {cells} cells, 35^3 voxels, 1 h", "175 to 190 s", "4 s", statistics.median(runs), "s", runs)
    ]


def packed(n: int, fields: int = 3) -> Tissue:
    """About `n` packed cells in a cube, with oxygen and further fields that they exchange with."""
    radius = SPACING * np.cbrt(n * 3.0 / (4.0 * np.pi * np.sqrt(2.0)))
    size = 20.0 * np.ceil((2.0 * radius + 120.0) / 20.0)
    cell = tumour_cell()
    names = [f"field.factor_{i}" for i in range(1, fields)]
    reason = "a benchmark"
    exchange = {
        name: Exchange(secretion="0.1 /min", saturation="1 nM", uptake="0.01 /min", reason=reason) for name in names
    }
    more = tuple(
        Substrate(field=name, unit="nM", diffusion="6000 um**2/min", decay="0.02 /min", reason=reason) for name in names
    )
    base = growing_ball(50.0, size=float(size))
    cells = type(cell)(**{**vars(cell), "exchange": {**cell.exchange, **exchange}})
    return base.changed(
        name="packed",
        substrates=(*base.substrates, *more),
        cells=(cells,),
        placed=Cells(close_packed_ball(float(radius), SPACING)),
    )


def settled(n: int) -> Simulation:
    """A packed tissue after three ticks, when lists and fields are warm."""
    simulation = packed(n).simulation(1, threads=THREADS)
    for _ in range(3):
        simulation.step()
    return simulation


def tick_of(n: int, repeats: int) -> dict[str, float]:
    """Seconds of one tick, cells and peak memory in MB, measured in this process."""
    simulation = settled(n)
    runs = [seconds(simulation.step) for _ in range(repeats)]
    return {
        "median": statistics.median(runs),
        "longest": max(runs),
        "cells": len(simulation.world.cells),
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0,
    }


def scaling(repeats: int) -> list[dict[str, Any]]:
    """One tick of 6 min with three fields, from ten thousand cells to a million, each in a process of its own."""
    found = {}
    for n in (10_000, 100_000, 1_000_000):
        text = subprocess.run(
            [sys.executable, __file__, "--tick-of", str(n), "--repeats", str(max(repeats, 5))],
            check=True,
            capture_output=True,
            text=True,
            env=os.environ,
        ).stdout
        found[n] = json.loads(text.splitlines()[-1])
    per_cell = {n: f["median"] / f["cells"] for n, f in found.items()}
    million = found[1_000_000]
    return [
        row(
            "one tick, 1e6 cells in 3-D, 3 fields",
            "out of reach",
            "2.5 s",
            million["median"],
            "s",
            [million["longest"]],
        ),
        row("memory of that", "", "2 GB", million["memory"] / 1000.0, "GB", []),
        row(
            "cost per cell, 1e6 over 1e4",
            "",
            "1.5",
            per_cell[1_000_000] / per_cell[10_000],
            "",
            list(per_cell.values()),
        ),
    ]


def overhead(repeats: int) -> list[dict[str, Any]]:
    """The share of a tick of 1e5 cells that checks of the contract, merging, events and ledgers take."""
    simulation = settled(100_000)
    spent = {"seconds": 0.0}

    def timed(owner: type, name: str) -> None:
        original = getattr(owner, name)

        def wrapped(*arguments: Any, **named: Any) -> Any:
            begin = time.perf_counter()
            try:
                return original(*arguments, **named)
            finally:
                spent["seconds"] += time.perf_counter() - begin

        setattr(owner, name, wrapped)

    for name in ("_apply_cells", "_apply_body_sets", "_apply_body", "check"):
        timed(Stepper, name)
    timed(Structure, "apply")
    for name in ("_balance", "_balance_plain", "_described"):
        timed(Matter, name)
    for name in ("_check", "_sound", "_never_negative"):
        timed(Do, name)
    runs = []
    for _ in range(max(repeats, 5)):
        spent["seconds"] = 0.0
        total = seconds(simulation.step)
        runs.append(100.0 * spent["seconds"] / total)
    return [row("contract, events and ledger, 1e5 cells", "", "10 %", statistics.median(runs), "%", runs)]


def determinism(repeats: int) -> list[dict[str, Any]]:
    """Different results over 1, 2 and 4 threads, permuted cells, and a stop: one is wanted."""
    tissue = growing_ball(150.0, size=480.0)
    hashes = {tissue.simulation(4, threads=t).run("3 h").fingerprint() for t in (1, 2, 4)}
    stirred, shuffle = tissue.simulation(4), np.random.default_rng(0)

    def stir(now: Simulation) -> None:
        now.world.cells.permute(shuffle.permutation(len(now.world.cells)))
        now.world.cells_changed()

    hashes.add(stirred.run("3 h", watch=stir).fingerprint())
    stopped = tissue.simulation(4).run("1 h").branch()
    hashes.add(stopped.run("2 h").fingerprint())
    return [row("different results over threads, order, stop", "differs", "1", float(len(hashes)), "", [])]


def first_call(repeats: int) -> list[dict[str, Any]]:
    """The first ticks with an empty kernel cache, and with a full one, each in a new process."""
    import tempfile

    code = (
        "import time; b = time.perf_counter(); from paget.catalogue.growth import growing_ball as g; "
        "g(150.0, size=480.0).simulation(1, threads=2).run('12 min'); print(time.perf_counter() - b)"
    )
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
        runs = [
            float(
                subprocess.run(
                    [sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment
                ).stdout
            )
            for _ in range(2)
        ]
    return [
        row("first tick, nothing compiled", "", "40 s", runs[0], "s", []),
        row("first tick, compiled before", "", "", runs[1], "s", []),
    ]


WORKS: dict[str, Callable[[int], list[dict[str, Any]]]] = {
    "mechanics": mechanics.rows,
    "oxygen": oxygen.rows,
    "growth": growth,
    "ball": ball,
    "scaling": scaling,
    "overhead": overhead,
    "determinism": determinism,
    "first_call": first_call,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("works", nargs="*", choices=[*WORKS, []], help="which of them; all by default")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", help="also write the figures here")
    parser.add_argument("--tick-of", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.tick_of:
        print(json.dumps(tick_of(given.tick_of, given.repeats)))
        return 0
    rows = []
    print(f"{'work':58} {'PhysiCell':>20} {'bar':>12} {'paget':>12}")
    for name in given.works or WORKS:
        for found in WORKS[name](given.repeats):
            rows.append(found)
            print(
                f"{found['work']:58} {found['PhysiCell']:>20} {found['bar']:>12} {found['paget']:>9.3g} {found['unit']}",
                flush=True,
            )
    if given.json:
        with open(given.json, "w") as file:
            json.dump(rows, file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
