"""What a result folder holds, by kind and size: counted from the records of its animals, without reading their tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from paget.errors import DamagedResultError
from paget.experiment import HOURS_PER_DAY
from paget.results.record import FIELDS_NAME, blocks, read_record

if TYPE_CHECKING:
    from paget.results.result import Result

__all__ = ["KINDS", "Contents", "contents"]

KINDS = ("cells", "fields", "events", "metrics", "states", "other")


@dataclass(frozen=True)
class Contents:
    """What there is.

    Parameters
    ----------
    cell_days, field_days : days of which at least one animal has a frame.
    rows : rows of the tables of cells, events and metrics, over all animals.
    frames : stored frames of cells and of fields, over all animals.
    sizes : bytes on disk by kind, see `KINDS`; other: what belongs to the study as a whole, and logs.
    """

    cell_days: tuple[float, ...]
    field_days: tuple[float, ...]
    rows: dict[str, int]
    frames: dict[str, int]
    sizes: dict[str, int]


def contents(result: Result) -> Contents:
    """Count what the animals of a result have committed, and what the folder takes on disk."""
    rows, frames = Counter[str](), Counter[str]()
    cell_days, field_days = set[float](), set[float]()
    for arm in result.arms:
        for number in blocks(result.study, result.model):
            try:
                record = read_record(result.folder(arm, number))
            except DamagedResultError:
                continue  # `Result.status` tells of it
            if record is None:
                continue
            for name, part in record.parts.items():
                rows[name.partition("/")[0]] += part.rows
            cell_days |= {time / HOURS_PER_DAY for time, _, _ in record.cell_frames}
            for indices in record.stored_fields.values():
                field_days |= {index * result.study.record.frames / HOURS_PER_DAY for index in indices}
                frames["fields"] += len(indices)
            frames["cells"] += len(record.cell_frames)
    sizes = dict.fromkeys(KINDS, 0)
    for path in _files(result.path):
        sizes[_kind(path.relative_to(result.path))] += path.stat().st_size
    return Contents(tuple(sorted(cell_days)), tuple(sorted(field_days)), dict(rows), dict(frames), sizes)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _kind(path: Path) -> str:
    """Kind of a file by its place, as in ``runs/<arm>/<animal>/cells/part-000000.parquet``."""
    if len(path.parts) < 4 or path.parts[0] != "runs":
        return "other"
    name = path.parts[3]
    if name == FIELDS_NAME:
        return "fields"
    if name.endswith(".npz"):
        return "states"
    return name if name in KINDS else "other"
