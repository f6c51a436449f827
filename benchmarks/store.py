"""What it costs to keep cells: bytes and CPU time of a cell in a frame, the share of a run, and the time to read one.

Exit status 1 if a bar is missed: 25 bytes and 0.4 microseconds of CPU time for a cell in a frame with 13 columns,
10 % of a run, 20 ms to read a frame of 1e5 cells.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import paget as pg
from paget.catalogue import build_model
from paget.engine.simulate import run_animal
from paget.experiment import Study
from paget.results.animal import AnimalStore
from paget.results.record import animal_folder, read_record

BARS = {"bytes": 25.0, "microseconds": 0.4, "share": 10.0, "read": 20.0}


def toy_study(frames: int) -> Study:
    """A study of one animal with a frame every hour and a checkpoint every five."""
    return Study.model_validate(
        {
            "name": "store",
            "model": "toy",
            "duration": f"{frames} h",
            "tick": "1 h",
            "replicates": 1,
            "arms": [{"name": "vehicle"}],
            "record": {"metrics": "1 h", "frames": "1 h", "checkpoint": "5 h"},
        }
    )


MODEL: dict[str, Any] = {"readouts": [], "cell_types": [{"name": f"type {i}"} for i in range(4)], "fields": []}


def tissue(cells: int, frames: int, seed: int = 1) -> Iterator[dict[str, np.ndarray]]:
    """Frames of a tissue in which cells wander, age and are replaced, with the 13 columns (time included) of a model.

    Ids are of 64 bits without order, as those of daughters are; frames are in ascending order of id, as the engine's.
    """
    chance = np.random.default_rng(seed)
    ids = np.sort(chance.integers(0, 2**64, cells, np.uint64))
    kind, founder = chance.integers(0, 4, cells).astype(np.int8), chance.integers(0, 1000, cells).astype(np.int32)
    place = chance.uniform(-500.0, 500.0, (3, cells))
    radius, age = chance.normal(6.0, 0.8, cells), chance.uniform(0.0, 1.0, cells)
    attractors = chance.integers(0, 2**32, 256, np.uint64)  # where networks of 32 nodes rest, and a node that flickers
    rest = attractors[chance.integers(0, 256, cells)]
    for _ in range(frames):
        place += chance.normal(0.0, 2.0, place.shape)
        radius += chance.normal(0.0, 0.05, cells)
        age = (age + 0.04) % 1.0
        new = chance.choice(cells, cells // 50, replace=False)
        ids[new] = chance.integers(0, 2**64, new.size, np.uint64)
        rest[new] = attractors[chance.integers(0, 256, new.size)]
        words = rest ^ (np.uint64(1) << chance.integers(0, 32, cells, np.uint64))
        order = np.argsort(ids)
        pressure = np.maximum(0.0, chance.normal(0.0, 1.0, cells))
        oxygen = 38.0 * np.exp(-np.abs(place[0]) / 150.0)
        yield {
            "id": ids[order],
            "type": kind[order],
            "x": place[0, order].astype(np.float32),
            "y": place[1, order].astype(np.float32),
            "z": place[2, order].astype(np.float32),
            "radius": radius[order].astype(np.float32),
            "founder": founder[order],
            "phase": (age[order] * 4).astype(np.int8),
            "cycle": age[order].astype(np.float32),
            "pressure": pressure[order].astype(np.float32),
            "oxygen": oxygen[order].astype(np.float32),
            "network": words[order],
        }


def keeping(folder: Path, cells: int, frames: int) -> dict[str, float]:
    """Bytes and CPU seconds of `frames` frames of `cells` cells through an animal's store, checksums and fsync included."""
    study = toy_study(frames)
    place = animal_folder(folder, study, "vehicle", 0)
    cpu = wall = 0.0
    with AnimalStore.open(place, study_folder=folder, study=study, arm="vehicle", animal=0, model=MODEL) as store:
        for number, columns in enumerate(tissue(cells, frames)):
            begun = time.process_time(), time.perf_counter()
            store.record_cells(float(number), columns)
            if number % 5 == 4:
                store.commit(float(number), {"number": np.array(number)})
            cpu, wall = cpu + time.process_time() - begun[0], wall + time.perf_counter() - begun[1]
        store.commit(float(frames), {"number": np.array(frames)})
        store.finish(wall)
    record = read_record(place)
    assert record is not None
    rows = cells * frames
    stored = sum(part.size for name, part in record.parts.items() if name.startswith("cells/"))
    return {"bytes": stored / rows, "microseconds": cpu / rows * 1e6, "wall": wall / rows * 1e6}


def reading(folder: Path, frames: int, repeats: int) -> dict[str, float]:
    """Milliseconds until a frame of a result is a table: opened before (warm), and with the result opened anew (cold)."""
    from paget.results import Result

    study = toy_study(frames)
    manifest = {"model": MODEL, "tables": {}}
    warm, cold, cpu = [], [], []
    result = Result(folder, study, manifest)
    for repeat in range(repeats):
        day = float((7 * repeat) % frames) / 24.0
        begun = time.perf_counter()
        Result(folder, study, manifest).cells("vehicle", 0, day)
        cold.append(1e3 * (time.perf_counter() - begun))
        begun, spent = time.perf_counter(), time.process_time()
        result.cells("vehicle", 0, day)
        warm.append(1e3 * (time.perf_counter() - begun))
        cpu.append(1e3 * (time.process_time() - spent))
    return {"warm": statistics.median(warm), "cold": statistics.median(cold), "CPU time": statistics.median(cpu)}


class Timed:
    """A recorder whose calls are timed in CPU seconds; the frames and checkpoints are those of the run."""

    def __init__(self, store: AnimalStore) -> None:
        self._store, self.cpu = store, 0.0

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self._store, name)

        def timed(*given: Any, **named: Any) -> Any:
            begun = time.process_time()
            try:
                return call(*given, **named)
            finally:
                self.cpu += time.process_time() - begun

        return timed


def share_of_a_study(folder: Path, name: str, arm: str, days: float | None) -> float:
    """CPU time of keeping one animal of a study, as a share of all its CPU time, in %."""
    study = pg.load(name).only(arm)
    study = study if days is None else study.changed(duration=f"{days} day")
    model = build_model(study)
    with AnimalStore.open(
        folder / "animal", study_folder=folder, study=study, arm=arm, animal=0, model=model.describe()
    ) as store:
        timed = Timed(store)
        begun = time.process_time()
        run_animal(model, study, arm, 0, timed)
        timed.finish(0.0)
        return 100.0 * timed.cpu / (time.process_time() - begun)


def share_of_a_tissue(folder: Path, cells: int) -> float:
    """The same for a packed 3-D tissue with three fields: ticks of 6 min, a frame and a checkpoint every 6 h."""
    from engine import settled
    from paget.engine.checkpoint import state_of
    from paget.engine.tick import cells_columns

    simulation = settled(cells)
    simulation.run(0.2)
    study = toy_study(24)
    names = tuple(f"cell.{noun}" for noun in ("x", "y", "z", "radius", "founder", "volume", "cycle", "pressure"))
    names = tuple(name for name in names if name in {v.name for v in simulation.model.cell_variables})
    begun = time.process_time()
    simulation.run(1.0)
    hour = time.process_time() - begun
    with AnimalStore.open(
        folder / "tissue", study_folder=folder, study=study, arm="vehicle", animal=0, model=MODEL
    ) as store:
        begun = time.process_time()
        store.record_cells(1.0, cells_columns(simulation.world.cells, names))
        store.record_fields(1.0, simulation.world.fields.values.astype(np.float32))
        store.commit(6.0, state_of(simulation.stepper))
        kept = time.process_time() - begun
    return 100.0 * kept / (6.0 * hour + kept)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=100_000)
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", choices=("keeping", "reading", "study", "tissue"))
    chosen = parser.parse_args()
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}")
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        if chosen.only in (None, "keeping", "reading"):
            for repeat in range(chosen.repeats):
                folder = Path(scratch) / str(repeat)
                for name, value in keeping(folder, chosen.cells, chosen.frames).items():
                    found.setdefault(name, []).append(value)
            for name, value in reading(folder, chosen.frames, 15).items():
                found.setdefault(f"read, {name}", []).append(value)
        if chosen.only in (None, "study"):
            for repeat in range(chosen.repeats):
                share = share_of_a_study(Path(scratch) / f"study{repeat}", "lung_awakening", "vehicle", None)
                found.setdefault("share of lung_awakening", []).append(share)
        if chosen.only in (None, "tissue"):
            found["share of a tissue"] = [share_of_a_tissue(Path(scratch), chosen.cells)]
    units = {"bytes": "bytes a cell", "microseconds": "us of CPU time a cell", "wall": "us of wall time a cell"}
    missed = False
    for name, values in found.items():
        bar = BARS["read"] if name.startswith("read") else BARS["share"] if name.startswith("share") else BARS.get(name)
        unit = units.get(name, "ms a frame" if name.startswith("read") else "%")
        median = statistics.median(values)
        missed |= bar is not None and median > bar
        told = "" if bar is None else f" (bar {bar:g}{', MISSED' if median > bar else ''})"
        print(f"{name}: {median:.3g} {unit}{told}; runs {', '.join(f'{v:.3g}' for v in values)}", flush=True)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
