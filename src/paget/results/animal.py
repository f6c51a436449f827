"""One animal on disk: written in segments, so that a process killed at any moment loses at most the open segment.

A commit writes the segment's tables and fields, then a checkpoint under a new name, and last ``run.json``, which alone
says what counts. Each file is synced before the next one that speaks of it.
"""

from __future__ import annotations

import time as clock
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from paget.described import tissue_of
from paget.errors import DamagedResultError, ResultError
from paget.experiment import Study
from paget.results import fields, tables
from paget.results.files import FolderLock, full_disk_is_an_error, make_folder, remove_leftovers, write_atomic
from paget.results.manifest import study_sha256
from paget.results.record import FIELDS_NAME, SCHEMA_VERSION, FilePart, RunRecord, part_name, read_record, write_record
from paget.results.rounding import round_mantissa, round_positions
from paget.results.segment import Columns, Segment
from paget.results.states import packed, state_name, unpacked
from paget.vocabulary import VARIABLES

__all__ = ["AnimalStore", "frame_count"]

_POSITIONS = ("x", "y", "z")
_KINDS = ("metrics", "cells", "events", "states")
_WHEN_DAMAGED = "Remove the folder of this animal and resume: it is computed again, with the same numbers."


def frame_count(study: Study) -> int:
    """Tissue frames of a whole study, the one at the start included."""
    return int(study.duration / study.record.frames + 1e-9) + 1


class AnimalStore:
    """Keeps one animal in a folder that this process alone may write to; see `paget.engine.recorder.Recorder`."""

    def __init__(
        self,
        folder: Path,
        study_folder: Path,
        study: Study,
        model: Mapping[str, Any],
        record: RunRecord,
        lock: FolderLock,
    ):
        self._folder, self._study_folder, self._study, self._model = folder, study_folder, study, model
        self._record, self._lock = record, lock
        self._segment = Segment(after=record.committed_time)
        self._moments: dict[str, float] = {}
        self._opened, self._earlier_seconds = clock.monotonic(), record.wall_seconds

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        study_folder: Path,
        study: Study,
        arm: str,
        animal: int,
        model: Mapping[str, Any],
        wait: float = 0.0,
    ) -> Self:
        """Open the store of one animal at its last commit; everything later than that is dropped.

        Parameters
        ----------
        folder, study_folder : where the animal is kept, and the folder to name if the disk is full.
        model : the model's description; gives the names and units written into the files.
        wait : seconds to wait for another process that still writes to this animal.

        Raises
        ------
        FolderInUseError
            If another process keeps writing to this animal.
        DamagedResultError
            If a committed file is missing or has another size than was committed.
        StorageFullError
            If the disk is full.
        """
        with full_disk_is_an_error(study_folder):
            make_folder(folder)
            lock = FolderLock(folder, wait)
            try:
                record = _prepared(folder, study, arm, animal)
                write_record(folder, record)
            except BaseException:
                lock.release()
                raise
        return cls(folder, study_folder, study, model, record, lock)

    def close(self) -> None:
        """Let other processes write to this animal; what was not committed is forgotten."""
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ---- record ---------------------------------------------------------------------------------------------------
    def checkpoint(self) -> Mapping[str, npt.NDArray[Any]] | None:
        """The committed state to resume from, bit for bit as it was given, or None at the start."""
        name = self._record.checkpoint
        if name is None:
            return None
        return unpacked(self._folder / name, self._record.parts[name], _WHEN_DAMAGED)

    def record_metrics(self, time: float, values: Mapping[str, float]) -> None:
        """Keep one row of readouts, exactly."""
        self._segment.add_metrics(time, values)

    def record_table(self, columns: Mapping[str, npt.NDArray[Any]]) -> None:
        """Keep rows of readouts of several animals at once, exactly."""
        self._segment.add_table(dict(columns))

    def record_cells(self, time: float, columns: Mapping[str, npt.NDArray[Any]]) -> None:
        """Keep one tissue frame; positions to 1/64 um, other single-precision columns to 10 bits of mantissa."""
        self._segment.add_cells(time, _rounded(columns))

    def record_fields(self, time: float, values: npt.NDArray[np.float32], site: str = "") -> None:
        """Keep one frame of concentrations [species, z, y, x], of a body those of one site, to 10 bits of mantissa."""
        self._segment.add_fields(time, round_mantissa(values), self._study.record.frames, site)

    def record_events(self, columns: Mapping[str, npt.NDArray[Any]]) -> None:
        """Keep events; times exactly, positions to 1/64 um."""
        self._segment.add_events(_rounded(columns))

    def keep_state(self, time: float, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Keep an exact state for good, from which other studies may go on; it counts from the next commit."""
        self._segment.add_state(time, packed(state))

    def note_moments(self, moments: Mapping[str, float]) -> None:
        """Note when, in h, each condition that the arm waits for was met; it counts from the next commit."""
        self._moments = dict(moments)

    # ---- make permanent -------------------------------------------------------------------------------------------
    def commit(self, time: float, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Make everything recorded so far permanent, together with the exact state from which to go on."""
        segment, record = self._segment, self._record
        segment.check_commit(time)
        number = record.committed_segment + 1
        before = record.checkpoint
        parts = {name: part for name, part in record.parts.items() if name != before}
        with full_disk_is_an_error(self._study_folder):
            if segment.metrics or segment.tables:
                self._write_table(parts, "metrics", number, [segment.metric_columns()])
            if segment.cells:
                frames = [{"time": np.full(len(next(iter(c.values()))), t), **c} for t, c in segment.cells]
                self._write_table(parts, "cells", number, frames)
            if segment.events:
                self._write_table(parts, "events", number, [segment.event_columns()])
            for site, stored in segment.fields.items():
                length, about = frame_count(self._study), self._about_fields(site)
                fields.write_frames(self._folder / FIELDS_NAME, stored, length, about, site)
            kept = {state_name(at): (at, content) for at, content in segment.states}
            for name, (_, content) in kept.items():
                self._write_part(parts, name, content)
            # A new name each time: the old checkpoint stays valid until run.json names the new one.
            checkpoint = f"checkpoint-{number:06d}.npz"
            self._write_part(parts, checkpoint, packed(state))
            self._write_record(
                committed_segment=number,
                committed_time=float(time),
                checkpoint=checkpoint,
                parts=parts,
                cell_frames=(*record.cell_frames, *((t, number, i) for i, (t, _) in enumerate(segment.cells))),
                **record.with_fields(segment.fields),
                states=(*record.states, *((at, name) for name, (at, _) in kept.items())),
                moments={**record.moments, **self._moments},
                wall_seconds=self._earlier_seconds + clock.monotonic() - self._opened,
            )
            if before is not None:
                (self._folder / before).unlink()
        self._segment = Segment(after=float(time))

    def finish(self, wall_seconds: float) -> None:
        """Declare the animal done and drop its checkpoint; `wall_seconds` are those of this attempt."""
        self._segment.check_finish()
        before = self._record.checkpoint
        if before is None:
            raise ResultError("The animal cannot be finished: nothing was committed.")
        parts = {name: part for name, part in self._record.parts.items() if name != before}
        with full_disk_is_an_error(self._study_folder):
            self._write_record(
                status="done",
                checkpoint=None,
                parts=parts,
                wall_seconds=self._earlier_seconds + wall_seconds,
                error="",
                log="",
            )
            (self._folder / before).unlink()

    def _write_record(self, **changes: Any) -> None:
        record = self._record.changed(**changes)
        write_record(self._folder, record)
        self._record = record

    def _write_table(self, parts: dict[str, FilePart], kind: str, number: int, row_groups: list[Columns]) -> None:
        about = {
            "paget:study_sha256": self._record.study_sha256,
            "paget:arm": self._record.arm,
            "paget:animal": str(self._record.animal),
        }
        content = tables.encode(row_groups, self._units(kind), about)
        rows = sum(len(next(iter(c.values()))) for c in row_groups)
        self._write_part(parts, part_name(kind, number), content, rows)

    def _write_part(self, parts: dict[str, FilePart], name: str, content: bytes | memoryview, rows: int = 0) -> None:
        path = self._folder / name
        if not path.parent.exists():
            make_folder(path.parent)
        write_atomic(path, content)
        parts[name] = FilePart.of(content, rows)

    def _units(self, kind: str) -> dict[str, str]:
        if kind == "metrics":
            return {"time": "h", **{r["name"]: r["unit"] for r in self._model.get("readouts", ())}}
        return {"time": "h", **{v.noun: v.unit for v in VARIABLES.values() if v.place == "cell"}}

    def _about_fields(self, site: str) -> dict[str, Any]:
        tissue = tissue_of(self._model, site)
        described = tissue.get("fields", ())
        return {
            **({"site": site} if site else {}),
            "species": [f["name"] for f in described],
            "units": [f["unit"] for f in described],
            "hours_between_frames": self._study.record.frames,
            "voxel_um": tissue.get("domain", {}).get("voxel_um"),
            "study_sha256": self._record.study_sha256,
        }


def _prepared(folder: Path, study: Study, arm: str, animal: int) -> RunRecord:
    """The record of an animal about to be worked on; the folder then holds what is committed and nothing else."""
    expected = study_sha256(study)
    record = read_record(folder) or RunRecord(arm=arm, animal=animal, seed=study.seed, study_sha256=expected)
    if (record.arm, record.animal, record.seed, record.study_sha256) != (arm, animal, study.seed, expected):
        raise ResultError(
            f"{folder} holds animal {record.animal} of arm '{record.arm}' (seed {record.seed}) of another study; "
            f"animal {animal} of arm '{arm}' (seed {study.seed}) needs a folder of its own."
        )
    if record.status == "done":
        raise ResultError(f"{folder} holds a finished animal; nothing can be added to it.")
    for name, part in record.parts.items():
        path = folder / name
        size = path.stat().st_size if path.exists() else -1
        if size != part.size:
            what = "is missing" if size < 0 else f"has {size} bytes instead of {part.size}"
            raise DamagedResultError(f"{path} {what}, although it was committed. {_WHEN_DAMAGED}")
    remove_leftovers(folder)
    stored = [*folder.glob("checkpoint-*.npz")]
    for kind in _KINDS:
        if (folder / kind).exists():
            remove_leftovers(folder / kind)
            stored += (folder / kind).iterdir()
    for path in stored:
        if path.relative_to(folder).as_posix() not in record.parts:
            path.unlink()
    fields.drop_other_frames(folder / FIELDS_NAME, record.stored_fields)
    return record.changed(schema_version=SCHEMA_VERSION, status="running", tries=record.tries + 1, error="", log="")


def _rounded(columns: Mapping[str, npt.NDArray[Any]]) -> Columns:
    out: Columns = {}
    for name, values in columns.items():
        if name in _POSITIONS:
            out[name] = round_positions(values)
        elif values.dtype == np.float32:
            out[name] = round_mantissa(values)
        else:
            out[name] = np.array(values)
    return out
