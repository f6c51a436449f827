"""Kill what can be killed while a study is computed, and compare every file in the end with an undisturbed run.

`writing` kills a process in the middle of writing, at twenty random moments spread over the whole of a commit, while a
reader opens the store again and again; `workers` kills a working process every 1.5 s over forty animals; `shards` runs
a study in four processes that share a folder and kills one of them now and then. Exit status 1 if anything differs.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from paget.engine.ensemble import Job
from paget.engine.ensemble.experiment_run import run_study
from paget.errors import DamagedResultError
from paget.experiment import Study
from paget.results import Result
from paget.results.animal import AnimalStore
from paget.results.files import is_locked
from paget.results.record import animal_folder, read_record

MODEL = {
    "name": "walk",
    "readouts": [
        {"name": "mean", "title": "Mean", "unit": "um", "kind": "continuous", "summary": "mean", "headline": True}
    ],
    "cell_types": [{"name": "walker"}],
    "fields": [{"name": "trail", "unit": "nM"}],
    "event_kinds": ["step"],
}


def study_of(steps: int, replicates: int, walkers: int, pause: float, arms: int = 1) -> Study:
    """A study of random walks with a commit every three steps; `walkers` and `pause` (s) are kept in its description."""
    return Study.model_validate(
        {
            "name": "kill",
            "model": "walk",
            "description": f"{walkers} {pause}",
            "duration": f"{steps} h",
            "tick": "1 h",
            "replicates": replicates,
            "arms": [{"name": f"arm {i}"} for i in range(arms)],
            "record": {"metrics": "1 h", "frames": "3 h", "checkpoint": "3 h"},
        }
    )


def walk(job: Job, report: Callable[[float], None]) -> None:
    """Walk, and record everything that can be recorded."""
    record = read_record(job.folder)
    if record is not None and record.status == "done":
        return
    study: Study = job.task.study
    words = study.description.split()
    number, pause = int(words[0]), float(words[1])
    steps = round(study.duration)
    with AnimalStore.open(
        job.folder,
        study_folder=job.task.study_folder,
        study=study,
        arm=job.arm,
        animal=job.animal,
        model=MODEL,
        wait=20.0,
    ) as store:
        with (job.folder / "starts").open("a") as starts:
            starts.write(f"{os.getpid()}\n")
        state = store.checkpoint()
        walkers = np.zeros((number, 3)) if state is None else state["walkers"].copy()
        for step in range(1 if state is None else int(state["step"]) + 1, steps + 1):
            time.sleep(pause)
            chance = np.random.Generator(np.random.Philox(key=job.animal, counter=[step, len(job.arm), 0, 0]))
            walkers += chance.normal(size=walkers.shape)
            columns = {axis: walkers[:, i].astype(np.float32) for i, axis in enumerate("xyz")}
            ids, codes = np.arange(number, dtype=np.uint64), np.zeros(number, np.int8)
            store.record_metrics(float(step), {"mean": float(walkers.mean())})
            store.record_events(
                {
                    "time": np.full(number, float(step)),
                    "kind": codes,
                    "cell": ids,
                    "other": ids,
                    "type": codes,
                    **columns,
                }
            )
            if step % 3 == 0:
                store.record_cells(float(step), {"id": ids, "type": codes, **columns, "radius": columns["x"]})
                store.record_fields(float(step), np.resize(columns["x"], (2, 8, 32, 32)))
                store.keep_state(float(step), {"walkers": walkers})
                store.commit(float(step), {"walkers": walkers, "step": np.array(step)})
            report(step / steps)
        store.finish(0.0)


def files(folder: Path) -> dict[str, str]:
    """Checksum of everything that a result holds; what tells of the way to it is left out."""
    skipped = ("run.json", "log.txt", "starts")
    every = [p for p in (folder / "runs").rglob("*") if p.is_file()]
    every = [p for p in every if p.name not in skipped and not p.name.startswith(".")]
    every += [folder / "metrics.parquet", folder / "outcomes.parquet"]
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in every}


def holders(folder: Path) -> dict[int, Path]:
    """Processes that are computing an animal at this moment."""
    found = {}
    for lock in folder.glob("runs/*/*/.lock"):
        text = lock.read_text().split()
        if is_locked(lock.parent) and len(text) > 1:
            found[int(text[1])] = lock.parent
    return found


def kill(process: int) -> bool:
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def writing(scratch: Path, kills: int, seed: int) -> bool:
    """Kill the one process that writes, at random moments of its commits, until it is done."""
    study, chance = study_of(45, 1, 20_000, 0.0), random.Random(seed)
    run_study(study, MODEL, walk, out=scratch / "reference", workers=1)
    folder, killed, inside, read, stop = scratch / "killed", [], [], [], threading.Event()
    place = animal_folder(folder, study, "arm 0", 0)

    def look() -> None:
        """Open the store as a reader does, whatever the writer is doing."""
        while not stop.wait(0.02):
            if not (folder / "manifest.json").exists():
                continue
            try:
                result = Result.open(folder)
                assert len(result.status) == 1
                days = result.frame_days()
                if days:
                    result.cells("arm 0", 0, days[-1])
                    result.field("arm 0", 0, days[-1], "trail")
                read.append("")
            except (DamagedResultError, AssertionError) as problem:
                read.append(str(problem))

    def strike() -> None:
        while len(killed) < kills and not stop.wait(0.002):
            for process in holders(folder):
                if process not in killed:
                    time.sleep(chance.uniform(0.0, 0.25))
                    unfinished = [p.name.split("-", 2)[-1] for p in place.rglob(".unfinished-*")]
                    if kill(process):
                        killed.append(process)
                        inside.append(unfinished[0] if unfinished else "between files")

    threads = [threading.Thread(target=look), threading.Thread(target=strike)]
    for thread in threads:
        thread.start()
    try:
        result = run_study(study, MODEL, walk, out=folder, workers=1, tries=kills + 1)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    result.verify()
    bad = [text for text in read if text]
    same = files(folder) == files(scratch / "reference")
    where = {name: inside.count(name) for name in sorted(set(inside))}
    print(
        f"writing: {len(killed)} kills ({', '.join(f'{n} {w}' for w, n in where.items())}), {len(read)} looks of a reader"
    )
    print(f"  of which {len(bad)} failed{': ' + bad[0] if bad else ''}; all files the same: {same}")
    return same and not bad and len(killed) >= kills


def workers(scratch: Path, animals: int, interval: float, seed: int) -> bool:
    """Kill a process that works on an animal every `interval` seconds."""
    study, chance = study_of(30, animals, 200, 0.02), random.Random(seed)
    run_study(study, MODEL, walk, out=scratch / "reference", workers=2)
    folder, killed, stop = scratch / "killed", [], threading.Event()

    def strike() -> None:
        while not stop.wait(interval):
            there = holders(folder)
            if there:
                process, place = chance.choice(sorted(there.items()))
                if kill(process):
                    killed.append(place)

    thread = threading.Thread(target=strike)
    thread.start()
    try:
        result = run_study(study, MODEL, walk, out=folder, workers=2, tries=100)
    finally:
        stop.set()
        thread.join()
    places = [animal_folder(folder, study, "arm 0", animal) for animal in range(animals)]
    starts = {place: len((place / "starts").read_text().split()) for place in places}
    # A process may be killed after the last commit that makes its animal done; it is then not started again.
    innocent = [place for place in places if starts[place] > 1 + killed.count(place)]
    done = int((result.status["status"] == "done").sum())
    same = files(folder) == files(scratch / "reference")
    print(f"workers: {len(killed)} kills, {done} of {animals} animals done, {sum(starts.values())} starts,")
    print(f"  started again without having been killed: {len(innocent)}; all files the same: {same}")
    return same and done == animals and not innocent


SHARD = """
import sys
sys.path.insert(0, {here!r})
from pathlib import Path
from ensemble import MODEL, study_of, walk
from paget.engine.ensemble.experiment_run import run_study
run_study(study_of({steps}, {animals}, 200, 0.02, 3), MODEL, walk, out=sys.argv[1], workers=1, shard=sys.argv[2])
"""


def shards(scratch: Path, animals: int, kills: int, seed: int) -> bool:
    """Kill one of four shards, with all its processes, now and then, and start it again."""
    steps, count, chance = 30, 4, random.Random(seed)
    study = study_of(steps, animals, 200, 0.02, 3)
    run_study(study, MODEL, walk, out=scratch / "reference", workers=2)
    folder = scratch / "shards"
    code = SHARD.format(here=str(Path(__file__).resolve().parent), steps=steps, animals=animals)

    def start(number: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", code, str(folder), f"{number}/{count}"]
        return subprocess.Popen(command, start_new_session=True)

    running = {number: start(number) for number in range(1, count + 1)}
    killed = 0
    while any(process.poll() is None for process in running.values()):
        time.sleep(chance.uniform(0.5, 1.5))
        alive = [number for number, process in running.items() if process.poll() is None]
        if killed < kills and alive and holders(folder):
            number = chance.choice(alive)
            os.killpg(running[number].pid, signal.SIGKILL)
            running[number].wait()
            killed += 1
            running[number] = start(number)
    codes = [process.returncode for process in running.values()]
    result = Result.open(folder)
    result.verify()
    same = files(folder) == files(scratch / "reference")
    finished = result.manifest["finished"] is not None
    print(f"shards: {killed} shards killed, {len(result.manifest['sessions'])} sessions, exit codes {codes},")
    print(f"  finished: {finished}; all files the same: {same}")
    return same and finished and not any(codes)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=("writing", "workers", "shards"))
    parser.add_argument("--kills", type=int, default=20, help="kills during writing")
    parser.add_argument("--animals", type=int, default=40)
    parser.add_argument("--interval", type=float, default=1.5, help="seconds between kills of workers")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    chosen = parser.parse_args()
    print(f"seed {chosen.seed}")
    verdicts = []
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        if chosen.only in (None, "writing"):
            verdicts.append(writing(scratch / "writing", chosen.kills, chosen.seed))
        if chosen.only in (None, "workers"):
            verdicts.append(workers(scratch / "workers", chosen.animals, chosen.interval, chosen.seed))
        if chosen.only in (None, "shards"):
            verdicts.append(shards(scratch / "shards", 8, 6, chosen.seed))
    print("passed" if all(verdicts) else "FAILED")
    return int(not all(verdicts))


if __name__ == "__main__":
    import ensemble  # processes find `walk` in a module by its name, which a script has not

    sys.exit(ensemble.main())
