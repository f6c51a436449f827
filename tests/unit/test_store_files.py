"""Files are whole or absent, a full disk is named, and one run at a time writes to a folder."""

from __future__ import annotations

import errno
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from store_data import open_store, toy_study, tree, walk

from paget.errors import DamagedResultError, FolderInUseError, ResultError, StorageFullError
from paget.results import files
from paget.results.files import (
    FolderLock,
    full_disk_is_an_error,
    is_locked,
    read_json,
    remove_leftovers,
    write_atomic,
    write_json,
)

HOLD_LOCK = """
import pathlib, sys
from paget.results.files import FolderLock
lock = FolderLock(pathlib.Path(sys.argv[1]))
print("held", flush=True)
input()
"""


def test_a_write_that_fails_leaves_the_old_content_and_no_rest(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    write_atomic(path, b"old")
    monkeypatch.setattr(files.os, "fsync", lambda handle: (_ for _ in ()).throw(OSError(errno.EIO, "broken")))
    with pytest.raises(OSError, match="broken"):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_leftovers_of_killed_writers_are_removed(tmp_path):
    write_atomic(tmp_path / "a.json", b"{}")
    (tmp_path / ".unfinished-77-a.json").write_bytes(b"{")
    remove_leftovers(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.parametrize(
    ("code", "words"), [(errno.ENOSPC, "The disk is full"), (errno.EDQUOT, "The disk quota is used up")]
)
def test_a_full_disk_is_told_with_the_folder_and_the_way_on(tmp_path, code, words):
    with pytest.raises(StorageFullError) as caught, full_disk_is_an_error(tmp_path):
        raise OSError(code, os.strerror(code))
    text = str(caught.value)
    assert words in text
    assert "Everything committed so far is intact" in text
    assert f"paget run STUDY --out {tmp_path} --resume" in text


def test_other_failures_of_the_system_are_not_mistaken_for_a_full_disk(tmp_path):
    with pytest.raises(PermissionError), full_disk_is_an_error(tmp_path):
        raise PermissionError(errno.EACCES, "no")


def test_json_refuses_nan_and_broken_files_are_named(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"x": float("nan")})
    (tmp_path / "b.json").write_text('{"x": 1')
    with pytest.raises(DamagedResultError, match=re.escape(str(tmp_path / "b.json"))):
        read_json(tmp_path / "b.json")
    with pytest.raises(DamagedResultError, match="missing"):
        read_json(tmp_path / "c.json")


def test_a_locked_folder_is_refused_and_the_holder_is_named(tmp_path):
    with FolderLock(tmp_path):
        assert is_locked(tmp_path)
        with pytest.raises(FolderInUseError, match=f"process {os.getpid()} on ") as caught:
            FolderLock(tmp_path)
        assert str(tmp_path) in str(caught.value)
    assert not is_locked(tmp_path)
    FolderLock(tmp_path).release()


def test_the_lock_of_a_killed_process_is_free_again(tmp_path):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD_LOCK, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(FolderInUseError, match=f"process {holder.pid} "):
        FolderLock(tmp_path)
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    FolderLock(tmp_path, wait=5.0).release()


@pytest.mark.parametrize("code", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_refused_rather_than_trusted(tmp_path, monkeypatch, code):
    def unlockable(handle, how):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(files.fcntl, "flock", unlockable)
    with pytest.raises(FolderInUseError, match=r"cannot lock files .*Lustre: option flock"):
        FolderLock(tmp_path)
    (tmp_path / ".lock").touch()
    assert not is_locked(tmp_path)


def test_a_folder_that_may_not_be_written_to_is_told_and_may_still_be_asked_for_its_lock(tmp_path, monkeypatch):
    original = os.open

    def read_only(path, flags, *mode):
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return original(path, flags, *mode)

    with FolderLock(tmp_path):
        monkeypatch.setattr(files.os, "open", read_only)
        assert is_locked(tmp_path)
        with pytest.raises(ResultError, match=r"Nothing can be written to .*Permission denied.*--out"):
            FolderLock(tmp_path)


def test_sharers_hold_a_lock_together_and_keep_away_who_wants_it_alone(tmp_path):
    with FolderLock(tmp_path, shared=True), FolderLock(tmp_path, shared=True):
        with pytest.raises(FolderInUseError, match="shards of the study"):
            FolderLock(tmp_path)
        FolderLock(tmp_path, name=".lock-other").release()
    with FolderLock(tmp_path), pytest.raises(FolderInUseError, match=f"process {os.getpid()}"):
        FolderLock(tmp_path, shared=True)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 600 kB."""
    mount = tmp_path / "small"
    mount.mkdir()
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting a small file system needs root")
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(mount)], capture_output=True, text=True
    )
    if made.returncode != 0:
        pytest.skip(f"a small file system cannot be mounted here: {made.stderr.strip()}")
    yield mount
    subprocess.run(["umount", "-l", str(mount)], check=True)


def test_on_a_really_full_disk_the_committed_part_is_intact_and_the_run_can_go_on(small_disk: Path, tmp_path):
    study = toy_study()
    with open_store(tmp_path / "reference", study) as store:
        walk(study, "control", 0, store)
        store.finish(1.0)
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(340_000))
    animal = small_disk / "animal"
    with pytest.raises(StorageFullError, match=re.escape(str(small_disk))), open_store(animal, study) as store:
        walk_then_fill(study, store)
    assert read_json(animal / "run.json")["committed_time"] == 72.0
    ballast.unlink()
    with open_store(animal, study) as store:
        assert store.checkpoint() is not None
        walk(study, "control", 0, store)
        store.finish(1.0)
    assert tree(animal) == tree(tmp_path / "reference")


def walk_then_fill(study, store):
    """Walk with a checkpoint that grows until the disk is full."""

    class Greedy:
        def __getattr__(self, name):
            return getattr(store, name)

        def commit(self, time, state):
            store.commit(time, {**state, "ballast": np.zeros(int(time) * 200)})

    walk(study, "control", 0, Greedy())
