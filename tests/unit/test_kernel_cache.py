"""Where compiled kernels are kept: a folder that this user can write and nobody else can."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from paget.kernels.compile import _private

posix = pytest.mark.skipif(os.name != "posix", reason="owners and modes of files are those of POSIX")


@posix
def test_a_folder_that_others_can_write_is_not_trusted_with_code(tmp_path: Path) -> None:
    open_to_all = tmp_path / "cache"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    assert not _private(open_to_all)
    open_to_all.chmod(0o700)
    assert _private(open_to_all)


@posix
def test_a_new_cache_folder_is_private(tmp_path: Path) -> None:
    assert _private(tmp_path / "new" / "cache")
    assert (tmp_path / "new" / "cache").stat().st_mode & 0o077 == 0


@posix
def test_kernels_compile_where_neither_the_package_nor_the_home_can_be_written(tmp_path: Path) -> None:
    code = (
        "import paget.kernels.compile as c, os; c._writable = lambda folder: 'paget-kernels' in str(folder);"
        "os.environ.pop('NUMBA_CACHE_DIR', None); c._choose_cache(); print(os.environ['NUMBA_CACHE_DIR'])"
    )
    environment = {**os.environ, "HOME": "/nonexistent", "XDG_CACHE_HOME": "/nonexistent", "TMPDIR": str(tmp_path)}
    found = subprocess.run(
        [sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True
    ).stdout.strip()
    assert Path(found).parents[1] == tmp_path
