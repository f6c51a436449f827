"""What a result folder says about itself: the study as resolved, the software, the machine, the sessions."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from paget.errors import DamagedResultError, ResultError
from paget.experiment import Study
from paget.results.files import read_json, write_json
from paget.results.record import SCHEMA_VERSION, check_schema
from paget.version import __version__

__all__ = [
    "MANIFEST_NAME",
    "RESOLVED_NAME",
    "differences",
    "new_manifest",
    "now",
    "read_manifest",
    "read_study",
    "resolved_study",
    "session",
    "study_sha256",
    "write_manifest",
]

MANIFEST_NAME = "manifest.json"
RESOLVED_NAME = "study.resolved.json"
_LIBRARIES = ("numpy", "scipy", "numba", "pandas", "pyarrow", "zarr", "pydantic")


def now() -> str:
    """The present moment, as text in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def resolved_study(study: Study) -> bytes:
    """The study with every default written out, as the one JSON text that it has."""
    return (json.dumps(study.model_dump(mode="json"), indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def study_sha256(study: Study) -> str:
    """What tells this study from every other one."""
    return hashlib.sha256(resolved_study(study)).hexdigest()


def differences(there: Any, here: Any) -> list[str]:
    """Where two studies differ, as lines such as ``replicates: 10 there, 12 here``."""
    old, new = dict(_leaves(there)), dict(_leaves(here))
    return [
        f"{place}: {old.get(place, 'nothing')} there, {new.get(place, 'nothing')} here"
        for place in dict.fromkeys([*old, *new])
        if old.get(place, "nothing") != new.get(place, "nothing")
    ]


def _leaves(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if inner is None:
        yield place, value
        return
    for key, item in inner:
        yield from _leaves(item, f"{place}.{key}" if place else str(key))


def session(workers: int, shard: object = None) -> dict[str, Any]:
    """One sitting of a study on one machine, open-ended until it is closed; `shard` is the part that it computes."""
    return {
        "started": now(),
        "ended": None,
        "wall_seconds": 0.0,
        "shard": None if shard is None else str(shard),
        "workers": workers,
        "versions": {
            "paget": __version__,
            "python": platform.python_version(),
            **{name: version(name) for name in _LIBRARIES},
        },
        "machine": {"system": platform.platform(), "cpu": f"{platform.machine()}, {os.cpu_count()} cores"},
        "cpu_count": os.cpu_count(),
    }


def new_manifest(study: Study, model: dict[str, Any], first: dict[str, Any]) -> dict[str, Any]:
    """The manifest of a study that is about to begin; `versions` and `machine` are those of the first session."""
    return {
        "schema_version": SCHEMA_VERSION,
        "study": study.name,
        "study_sha256": study_sha256(study),
        "seed": study.seed,
        "created": first["started"],
        "finished": None,
        "wall_seconds": 0.0,
        "versions": first["versions"],
        "machine": first["machine"],
        "cpu_count": first["cpu_count"],
        "arms": {arm.name: arm.in_words() for arm in study.arms},
        "tables": {},
        "sessions": [first],
        "model": model,
    }


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a result folder; `ResultError` if the folder is none, `DamagedResultError` if it is broken."""
    path = folder / MANIFEST_NAME
    if not folder.is_dir():
        raise ResultError(f"{folder} is not a folder; give the folder into which `paget run` has written.")
    if not path.exists():
        raise ResultError(f"{folder} holds no result of paget: it has no {MANIFEST_NAME}.")
    manifest = read_json(path)
    check_schema(path, manifest)
    missing = [key for key in ("study_sha256", "seed", "model", "tables", "sessions") if key not in manifest]
    if missing:
        raise DamagedResultError(f"{path} lacks {', '.join(missing)}.")
    return manifest


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    write_json(folder / MANIFEST_NAME, manifest)


def read_study(folder: Path, sha256: str | None = None) -> Study:
    """The study of a result folder; it must be the one that the manifest speaks of."""
    path = folder / RESOLVED_NAME
    raw = read_json(path)
    try:
        study = Study.model_validate(raw)
    except (ValidationError, ValueError) as problem:
        raise DamagedResultError(f"{path} is not a study that this paget can read: {problem}") from problem
    if sha256 is not None and hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
        raise DamagedResultError(
            f"{path} was changed after the run: it is not the study that {MANIFEST_NAME} speaks of."
        )
    return study
