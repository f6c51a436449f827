"""The folder into which a tissue grows: snapshots in the format of PhysiCell, tables of cells and events, the exact state.

DIR/
    run.json                             seed and time between snapshots
    PhysiCell_settings.xml, rules.csv, cells.csv   the model as it was understood
    output00000000.xml and its parts     a snapshot, read by pcdl
    cells/00000000.parquet               all cells with all their variables at that time
    events/00000001.parquet              divisions, deaths and changes of type since the snapshot before
    state.npz                            the exact state at the last snapshot, from which --resume goes on
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from paget.engine.simulation import Simulation
from paget.errors import ResultError, StudyError
from paget.io.physicell import snapshot_of, write_settings, write_snapshot
from paget.results.files import (
    FolderLock,
    full_disk_is_an_error,
    make_folder,
    read_json,
    remove_leftovers,
    write_atomic,
    write_json,
)
from paget.units import to_internal
from paget.version import __version__

if TYPE_CHECKING:
    import pandas as pd

    from paget.tissue import Tissue

__all__ = ["GrowthFolder"]

ABOUT, STATE = "run.json", "state.npz"


class GrowthFolder:
    """One tissue, its snapshots and its state in one folder, for as long as the ``with`` block holds its lock.

    hours : how long the tissue lives; every : time between snapshots, "1 h" if None; both are whole numbers of what is shorter
    seed : 0 if None. With `resume` both are those of the folder, and others are refused.

    Raises
    ------
    StudyError
        If hours, snapshots and ticks do not fit into each other, or a resumed run is to have another seed or other snapshots.
    ResultError
        If there is nothing to resume.
    """

    def __init__(
        self,
        folder: Path,
        tissue: Tissue,
        *,
        hours: float,
        every: str | None = None,
        seed: int | None = None,
        threads: int = 2,
        resume: bool = False,
    ) -> None:
        self.folder, self.tissue, self.threads, self.resume = folder, tissue, threads, resume
        self.tick = to_internal(tissue.tick, "h")
        given = None if every is None else to_internal(every, "h")
        if resume:
            if not (folder / ABOUT).exists():
                raise ResultError(f"{folder} holds no tissue that could be continued (it has no {ABOUT}).")
            about = read_json(folder / ABOUT)
            for what, asked, kept in (("seed", seed, about["seed"]), ("every", given, about["every_h"])):
                if asked is not None and asked != kept:
                    raise StudyError(f"{folder} was begun with --{what} {kept:g}; it cannot go on with {asked:g}.")
            seed, given = int(about["seed"]), float(about["every_h"])
        self.seed, self.every = seed or 0, 1.0 if given is None else given
        self.ticks = _parts(f"--every {self.every:g} h", self.every, "tick", self.tick)
        self.last = _parts(f"--hours {hours:g}", hours, "time between snapshots", self.every)
        self.kept: list[int] = []
        self._lock: FolderLock | None = None

    def __enter__(self) -> Self:
        make_folder(self.folder)
        self._lock = FolderLock(self.folder)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lock is not None:
            self._lock.release()

    def run(self, watch: Callable[[Simulation], None]) -> Simulation:
        """Grow to the end, or on to it, with a snapshot and the state kept at each stop; `watch` is called after each tick."""
        with full_disk_is_an_error(self.folder):
            simulation = self._begun()
            for index in range(self.kept[-1] + 1, self.last + 1):
                simulation.run(self.ticks * self.tick, watch=watch)
                self._keep(simulation, index)
        return simulation

    def _begun(self) -> Simulation:
        """The tissue at the last state that was kept, or at its start."""
        if self.resume and (self.folder / STATE).exists():
            simulation = Simulation.resume(self.folder / STATE, self.tissue.model(), threads=self.threads)
            index = round(simulation.time / self.every)
            self._forget_after(index)
            self.kept.append(index)
            return simulation
        simulation = self.tissue.simulation(self.seed, threads=self.threads)
        if self.resume:
            self._forget_after(-1)
        else:
            write_settings(self.tissue, self.folder, duration=f"{self.last * self.every} h", interval=f"{self.every} h")
            write_json(self.folder / ABOUT, {"paget": __version__, "seed": self.seed, "every_h": self.every})
        self._keep(simulation, 0)
        return simulation

    def _keep(self, simulation: Simulation, index: int) -> None:
        """Write a snapshot, then the state: only what the state has reached counts."""
        write_snapshot(self.folder, index, snapshot_of(self.tissue, simulation))
        self._table("cells", index, simulation.cells.assign(time=simulation.time))
        events = simulation.events()
        if len(events):
            self._table("events", index, events)
        simulation.save(self.folder / STATE)
        self.kept.append(index)

    def _table(self, name: str, index: int, table: pd.DataFrame) -> None:
        make_folder(self.folder / name)
        content = io.BytesIO()
        table.to_parquet(content, index=False)
        write_atomic(self.folder / name / f"{index:08d}.parquet", content.getbuffer())

    def _forget_after(self, index: int) -> None:
        """Remove what a run that was killed wrote after its last state."""
        for path in (*self.folder.glob("output*"), *self.folder.glob("cells/*"), *self.folder.glob("events/*")):
            number = re.match(r"(?:output)?(\d{8})", path.name)
            if number and int(number.group(1)) > index:
                path.unlink()
        for place in (self.folder, self.folder / "cells", self.folder / "events"):
            remove_leftovers(place)


def _parts(what: str, whole: float, name: str, part: float) -> int:
    """How often `part` (h) goes into `whole` (h)."""
    count = round(whole / part)
    if count < 1 or abs(count * part - whole) > 1e-9 * whole:
        raise StudyError(f"{what}: must be a whole number of times the {name} of {part:g} h, and at least once.")
    return count
