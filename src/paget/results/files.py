"""Files that survive a crash: a file is either the old one or the new one, and one run at a time writes to a folder."""

from __future__ import annotations

import errno
import json
import os
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from paget.errors import DamagedResultError, FolderInUseError, ResultError, StorageFullError

__all__ = [
    "FolderLock",
    "full_disk_is_an_error",
    "is_locked",
    "make_folder",
    "read_json",
    "remove_leftovers",
    "sync_file",
    "sync_folder",
    "write_atomic",
    "write_json",
]

LOCK_NAME = ".lock"
_LEFTOVER = ".unfinished-"
_FULL = {errno.ENOSPC, errno.EDQUOT}
_NO_LOCKS = {errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK, errno.EINVAL}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
_POLL_SECONDS = 0.05


@contextmanager
def full_disk_is_an_error(folder: Path) -> Iterator[None]:
    """Turn a full disk or an exhausted quota into a `StorageFullError` that names `folder` and says how to go on."""
    try:
        yield
    except OSError as problem:
        if problem.errno not in _FULL:
            raise
        what = "The disk is full" if problem.errno == errno.ENOSPC else "The disk quota is used up"
        raise StorageFullError(
            f"{what}: nothing more can be written to {folder}. Everything committed so far is intact. "
            f"Free some space, then continue with `paget run STUDY --out {folder} --resume`."
        ) from problem


def sync_file(path: Path) -> None:
    """Make sure that the content of a file is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(folder: Path) -> None:
    """Make sure that the names in a folder are on the disk; Windows has no such call and needs none."""
    if sys.platform != "win32":
        sync_file(folder)


def make_folder(folder: Path) -> None:
    """Make a folder and its parents so that they outlive a power failure."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in missing:
        sync_folder(path.parent)


def write_atomic(path: Path, content: bytes | memoryview) -> None:
    """Write a file so that a crash at any moment leaves either the old content or the new one."""
    unfinished = path.with_name(f"{_LEFTOVER}{os.getpid()}-{path.name}")
    try:
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def remove_leftovers(folder: Path) -> None:
    """Remove what writers that were killed have left behind; the caller must hold the lock of the folder."""
    for path in folder.glob(f"{_LEFTOVER}*"):
        path.unlink()


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a JSON object, atomically; NaN is refused because JSON has none."""
    write_atomic(path, (json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode())


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; `DamagedResultError` with the name of the file if it is missing or broken."""
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise DamagedResultError(f"{path} is missing.") from None
    except (ValueError, OSError) as problem:
        raise DamagedResultError(f"{path} cannot be read as JSON: {problem}.") from problem
    if not isinstance(value, dict):
        raise DamagedResultError(f"{path} does not hold a JSON object.")
    return value


class FolderLock:
    """The right to write to a folder, given back by the operating system even if the holder is killed.

    Parameters
    ----------
    folder : the folder, which must exist; the lock is the file ``.lock`` in it.
    wait : seconds to wait for another holder before giving up.
    name : file of the lock, for what is locked apart from the folder as a whole.
    shared : let others share the lock that ask for the same; without it nobody else may hold it.
    what : what a second holder is told that the first one is doing.

    Raises
    ------
    FolderInUseError
        If another process holds the lock; the message says which process on which computer. Also if the file system has
        no locks, because two runs could then write to one folder.
    ResultError
        If nothing can be written to the folder.
    """

    def __init__(
        self,
        folder: Path,
        wait: float = 0.0,
        *,
        name: str = LOCK_NAME,
        shared: bool = False,
        what: str = "Another run is writing to",
    ) -> None:
        self._handle = _opened(folder, name)
        deadline = time.monotonic() + wait
        while not self._is_taken(folder, shared):
            if time.monotonic() >= deadline:
                holder = (
                    os.pread(self._handle, 200, 0).decode(errors="replace").strip() if sys.platform != "win32" else ""
                )
                os.close(self._handle)
                raise FolderInUseError(
                    f"{what} {folder} ({holder or 'holder unknown'}). "
                    "Wait until it has ended, stop it, or choose another folder with --out."
                )
            time.sleep(_POLL_SECONDS)
        holder = "shards of the study" if shared else f"process {os.getpid()} on {socket.gethostname()}"
        os.ftruncate(self._handle, 0)
        os.write(self._handle, f"{holder}\n".encode())

    def _is_taken(self, folder: Path, shared: bool) -> bool:
        try:
            return _try_lock(self._handle, shared)
        except OSError as problem:
            self.release()
            if problem.errno not in _NO_LOCKS:
                raise
            raise FolderInUseError(
                f"{folder} is on a file system that cannot lock files ({problem.strerror}), so that two runs could write "
                "to it at once. Choose another folder with --out, or have the file system mounted with locks "
                "(Lustre: option flock)."
            ) from problem

    def release(self) -> None:
        """Give the lock back."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _opened(folder: Path, name: str) -> int:
    try:
        return os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as problem:
        if problem.errno not in _FORBIDDEN:
            raise
        raise ResultError(
            f"Nothing can be written to {folder}: {problem.strerror}. Choose another folder with --out, or have its "
            "owner let you write to it."
        ) from problem


def is_locked(folder: Path) -> bool:
    """Say whether a running process holds the lock of a folder; who may only read may ask too."""
    try:
        handle = os.open(folder / LOCK_NAME, os.O_RDONLY if sys.platform != "win32" else os.O_RDWR)
    except OSError:
        return False
    try:
        return not _try_lock(handle, shared=True)
    except OSError:
        return False  # no locks here, hence nobody who holds one
    finally:
        os.close(handle)


if sys.platform == "win32":
    import msvcrt

    _FAR = 1 << 30  # Windows locks byte ranges and forbids others to read them: lock some far behind the text
    _SHARES = 1 << 10  # and has no shared lock here: one byte for each who shares, all of them for one alone

    def _try_lock(handle: int, shared: bool = False) -> bool:
        for first, length in ((_FAR + i, 1) for i in range(_SHARES)) if shared else ((_FAR, _SHARES),):
            os.lseek(handle, first, os.SEEK_SET)
            try:
                msvcrt.locking(handle, msvcrt.LK_NBLCK, length)
            except OSError:
                continue
            finally:
                os.lseek(handle, 0, os.SEEK_SET)
            return True
        return False

else:
    import fcntl

    def _try_lock(handle: int, shared: bool = False) -> bool:
        try:
            fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
