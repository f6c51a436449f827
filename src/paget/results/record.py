"""`run.json`: how far one animal has come, and which of its files count."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from paget.errors import DamagedResultError
from paget.experiment import Study
from paget.results.files import read_json, write_json

__all__ = [
    "FIELDS_NAME",
    "RECORD_NAME",
    "SCHEMA_VERSION",
    "FilePart",
    "RunRecord",
    "animal_folder",
    "blocks",
    "check_schema",
    "mark_failed",
    "part_name",
    "read_record",
    "write_record",
]

SCHEMA_VERSION = 2  # 2: kept states, sessions of shards, fields as groups and by site
RECORD_NAME = "run.json"
FIELDS_NAME = "fields.zarr"

Status = Literal["pending", "running", "done", "failed"]


class FilePart(BaseModel):
    """What a committed file must look like."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int
    sha256: str
    rows: int = 0

    @classmethod
    def of(cls, content: bytes | memoryview, rows: int = 0) -> Self:
        return cls(size=len(content), sha256=hashlib.sha256(content).hexdigest(), rows=rows)


class RunRecord(BaseModel):
    """The committed state of one animal. Files that it does not name do not exist for a reader.

    `parts` maps a path inside the animal's folder to what it must hold; `cell_frames` holds (time in h, segment, row
    group) of each tissue frame, `field_frames` the indices that count in ``fields.zarr`` of one tissue, `site_fields` those
    of each site of a body, `states` (time in h, path) of each state that is kept, and `moments` the time in h at which each
    condition that the arm waits for was met.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = SCHEMA_VERSION
    arm: str
    animal: int
    seed: int
    study_sha256: str
    status: Status = "pending"
    tries: int = 0
    wall_seconds: float = 0.0
    committed_segment: int = -1
    committed_time: float | None = None
    checkpoint: str | None = None
    parts: dict[str, FilePart] = Field(default_factory=dict)
    cell_frames: tuple[tuple[float, int, int], ...] = ()
    field_frames: tuple[int, ...] = ()
    site_fields: dict[str, tuple[int, ...]] = Field(default_factory=dict)
    states: tuple[tuple[float, str], ...] = ()
    moments: dict[str, float] = Field(default_factory=dict)
    error: str = ""
    log: str = ""

    def changed(self, **changes: Any) -> RunRecord:
        return self.model_copy(update=changes)

    @property
    def stored_fields(self) -> dict[str, tuple[int, ...]]:
        """Indices of the stored frames of concentrations by site, that of one tissue being ""."""
        return {**({"": self.field_frames} if self.field_frames else {}), **self.site_fields}

    def with_fields(self, further: Mapping[str, Iterable[int]]) -> dict[str, Any]:
        """The entries of a record in which further frames of concentrations count, by site."""
        known = self.stored_fields
        frames = {site: tuple(sorted({*known.get(site, ()), *further.get(site, ())})) for site in {**known, **further}}
        return {"field_frames": frames.pop("", ()), "site_fields": frames}


def check_schema(path: Path, raw: Mapping[str, Any]) -> None:
    """Refuse a file of a later format than this paget knows, and one that does not say its format."""
    version = raw.get("schema_version")
    if not isinstance(version, int) or version < 1:
        raise DamagedResultError(f"{path} does not say which version of the format it has.")
    if version > SCHEMA_VERSION:
        raise DamagedResultError(
            f"{path} was written by a newer paget (format {version}; this one reads up to {SCHEMA_VERSION}). "
            "Update paget to open it."
        )


def read_record(folder: Path) -> RunRecord | None:
    """The record of an animal, or None if it has never been started."""
    path = folder / RECORD_NAME
    if not path.exists():
        return None
    raw = read_json(path)
    check_schema(path, raw)
    try:
        return RunRecord.model_validate(raw)
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise DamagedResultError(f"{path} is not a record of a run: {place}: {first['msg']}.") from None


def write_record(folder: Path, record: RunRecord) -> None:
    write_json(folder / RECORD_NAME, record.model_dump(mode="json"))


def mark_failed(folder: Path, error: str, log: str) -> None:
    """Keep the reason why an animal was given up; what it had committed stays and a later resume tries again."""
    record = read_record(folder)
    if record is None:
        raise DamagedResultError(f"{folder / RECORD_NAME} is missing; it should say why this animal failed: {error}")
    write_record(folder, record.changed(status="failed", error=error, log=log))


def animal_folder(study_folder: Path, study: Study, arm: str, animal: int) -> Path:
    """Where one animal is kept: ``runs/<arm>/<number>``, the arm written so that every file system takes it."""
    return study_folder / "runs" / _slugs(study.arm_names)[arm] / f"{animal:03d}"


def blocks(study: Study, model: Mapping[str, Any]) -> range:
    """Numbers of the folders of an arm: one for each animal, or for each block of animals that are kept together."""
    return range(-(-study.replicates // max(int(model.get("block", 1)), 1)))


def part_name(kind: str, segment: int) -> str:
    """Path of one segment's table inside the folder of its animal."""
    return f"{kind}/part-{segment:06d}.parquet"


def _slugs(names: Sequence[str]) -> dict[str, str]:
    slugs: dict[str, str] = {}
    for name in names:
        ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
        base = re.sub(r"[^a-z0-9]+", "-", ascii_name).strip("-") or "arm"
        slug, number = base, 1
        while slug in slugs.values():
            number += 1
            slug = f"{base}-{number}"
        slugs[name] = slug
    return slugs
