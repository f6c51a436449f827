"""The folder of a study: begun once, joined by shards, resumed only as what it is, summed up by whoever ends it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from paget.engine.ensemble.shards import Shard
from paget.errors import FolderInUseError, PagetError
from paget.experiment import Study
from paget.io.study_file import dump_study
from paget.results.files import LOCK_NAME, FolderLock, make_folder, read_json, remove_leftovers, write_atomic
from paget.results.manifest import (
    MANIFEST_NAME,
    RESOLVED_NAME,
    differences,
    new_manifest,
    now,
    read_manifest,
    resolved_study,
    session,
    study_sha256,
    write_manifest,
)
from paget.results.record import RunRecord, animal_folder, blocks, read_record, write_record
from paget.version import __version__

__all__ = ["Session", "new_folder", "open_session", "order", "settled", "unfinished"]

_SHOWN = 5
_LEDGER = f"{LOCK_NAME}-ledger"
_PATIENCE = 900.0  # seconds that a shard waits while another one begins the folder or writes the tables


class Session:
    """One sitting of one process in a folder: what it has to compute, its line in the manifest, and its end.

    Of shards, the last to leave writes the tables; the lock of the ledger makes sure that one of them is the last.
    """

    def __init__(
        self,
        folder: Path,
        study: Study,
        model: dict[str, Any],
        pending: list[tuple[str, int]],
        finished_before: int,
        number: int | None,
    ) -> None:
        self.folder, self.study, self.model, self.pending = folder, study, model, pending
        self.finished_before, self._number = finished_before, number
        self._together: FolderLock | None = None
        self._started = time.monotonic()

    def share(self, together: FolderLock) -> None:
        """Hold the folder together with other shards, by this lock."""
        self._together = together

    @contextmanager
    def closing(self) -> Iterator[tuple[dict[str, Any], bool]]:
        """The manifest, with this sitting closed in it, and whether to write the tables; the manifest is written last."""
        if self._together is None:
            with self._manifest() as manifest:
                yield manifest, True
            return
        with _ledger(self.folder), ExitStack() as stack:
            self._together.release()
            last = True
            try:
                stack.enter_context(FolderLock(self.folder))
            except FolderInUseError:
                last = False
            with self._manifest() as manifest:
                yield manifest, last and settled(self.folder, self.study, self.model)

    @contextmanager
    def _manifest(self) -> Iterator[dict[str, Any]]:
        manifest = read_manifest(self.folder)
        if self._number is not None:
            seconds = time.monotonic() - self._started
            manifest["sessions"][self._number].update(ended=now(), wall_seconds=round(seconds, 3))
            manifest["wall_seconds"] = round(sum(s["wall_seconds"] for s in manifest["sessions"]), 3)
        yield manifest
        write_manifest(self.folder, manifest)


@contextmanager
def open_session(
    folder: Path,
    study: Study,
    model: dict[str, Any],
    *,
    resume: bool,
    source_text: str | None,
    workers: int,
    shard: Shard | None,
) -> Iterator[Session]:
    """Hold the folder, alone or together with the other shards of the study, and begin or continue what it holds."""
    if shard is None:
        with FolderLock(folder):
            yield _opened(folder, study, model, resume, source_text, workers, None)
        return
    with (
        FolderLock(folder, name=shard.lock_name, what=f"Shard {shard} is already running in"),
        FolderLock(folder, shared=True) as together,
    ):
        with _ledger(folder):
            sitting = _opened(folder, study, model, True, source_text, workers, shard)
        sitting.share(together)
        yield sitting


@contextmanager
def _ledger(folder: Path) -> Iterator[None]:
    """What shards do one after the other: begin the folder, note their sessions, write the tables."""
    with FolderLock(folder, wait=_PATIENCE, name=_LEDGER, what="Another shard keeps the manifest of"):
        yield


def _opened(
    folder: Path,
    study: Study,
    model: dict[str, Any],
    resume: bool,
    source_text: str | None,
    workers: int,
    shard: Shard | None,
) -> Session:
    """The sitting that begins now; the tables of the folder no longer count until they are written again."""
    remove_leftovers(folder)
    if any(not path.name.startswith(LOCK_NAME) for path in folder.iterdir()):
        _check_same_study(folder, study, resume)
    number = None
    if not (folder / MANIFEST_NAME).exists():
        number, manifest = 0, _begin(folder, study, model, source_text, session(workers, shard))
        pending = order(study, model, shard)
    else:
        manifest = read_manifest(folder)
        pending = unfinished(folder, study, model, shard)
        if pending:
            _check_same_software(folder, manifest, model)
            number = len(manifest["sessions"])
            manifest["sessions"].append(session(workers, shard))
            manifest["finished"] = None
        if pending or shard is None:
            manifest["tables"] = {}
            write_manifest(folder, manifest)
    before = len(order(study, model, shard)) - len(pending)
    return Session(folder, study, manifest["model"], pending, before, number)


def new_folder(study: Study) -> Path:
    """The first free default folder; made here, so that two runs started together get two folders."""
    number = 1
    while True:
        folder = Path(f"{study.name}-results" if number == 1 else f"{study.name}-results-{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            number += 1
        else:
            return folder


def _check_same_study(folder: Path, study: Study, resume: bool) -> None:
    if not (folder / RESOLVED_NAME).exists():
        raise FolderInUseError(f"{folder} is not empty and holds no result of paget. Choose another folder with --out.")
    there = read_json(folder / RESOLVED_NAME)
    if not resume:
        raise FolderInUseError(
            f"{folder} holds results of the study '{there.get('name')}', which are never overwritten. "
            "Continue them with --resume, or choose another folder with --out."
        )
    found = differences(there, json.loads(resolved_study(study)))
    if found:
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise FolderInUseError(
            f"{folder} holds another study and cannot be resumed with this one: {'; '.join(found[:_SHOWN])}{more}. "
            "Give the same study and the same --seed, --replicates and --arms, or choose another folder with --out."
        )


def _check_same_software(folder: Path, manifest: dict[str, Any], model: dict[str, Any]) -> None:
    """Refuse to mix animals of two versions of the model in one result."""
    there = manifest["versions"]["paget"]
    if there != __version__:
        raise FolderInUseError(
            f"{folder} was begun with paget {there}; this is paget {__version__}, whose numbers may differ. "
            "Finish it with the version it was begun with, or start again in another folder with --out."
        )
    found = differences(manifest["model"], model)
    if found:
        raise FolderInUseError(
            f"{folder} was begun with another state of the model: {'; '.join(found[:_SHOWN])}. "
            "Start again in another folder with --out."
        )


def _begin(
    folder: Path, study: Study, model: dict[str, Any], source_text: str | None, first: dict[str, Any]
) -> dict[str, Any]:
    """Write what the folder is about; the manifest comes last, so a folder that has one is complete."""
    write_atomic(folder / RESOLVED_NAME, resolved_study(study))
    write_atomic(folder / "study.yaml", (source_text if source_text is not None else dump_study(study)).encode())
    sha256 = study_sha256(study)
    for arm, animal in order(study, model):
        place = animal_folder(folder, study, arm, animal)
        make_folder(place)
        write_record(place, RunRecord(arm=arm, animal=animal, seed=study.seed, study_sha256=sha256))
    manifest = new_manifest(study, model, first)
    write_manifest(folder, manifest)
    return manifest


def order(study: Study, model: dict[str, Any], shard: Shard | None = None) -> list[tuple[str, int]]:
    """Animal 0 of every arm, then animal 1 of every arm ..., so that a study stopped halfway is balanced."""
    rows = [[(arm, animal) for arm in study.arm_names] for animal in blocks(study, model)]
    return [job for row in rows for job in row] if shard is None else shard.share(rows)


def unfinished(folder: Path, study: Study, model: dict[str, Any], shard: Shard | None = None) -> list[tuple[str, int]]:
    """Animals that are not done, in the order in which they are computed."""

    def is_done(arm: str, animal: int) -> bool:
        try:
            record = read_record(animal_folder(folder, study, arm, animal))
        except PagetError:
            return False  # its own process will say what is wrong with it
        return record is not None and record.status == "done"

    return [(arm, animal) for arm, animal in order(study, model, shard) if not is_done(arm, animal)]


def settled(folder: Path, study: Study, model: dict[str, Any]) -> bool:
    """Say whether every animal is done or was given up."""

    def is_settled(arm: str, animal: int) -> bool:
        try:
            record = read_record(animal_folder(folder, study, arm, animal))
        except PagetError:
            return True  # nobody can go on with it as it is
        return record is not None and record.status in ("done", "failed")

    return all(is_settled(arm, animal) for arm, animal in order(study, model))
