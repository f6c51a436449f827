"""How kernels are compiled: cached on disk wherever this user can write, strict IEEE arithmetic so that bits repeat."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _private(folder: Path) -> bool:
    """Say whether only this user can write the folder: caches hold code, so nobody else may put a file there."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        about = folder.lstat()
    except OSError:
        return False
    return not hasattr(os, "getuid") or (about.st_uid == os.getuid() and not about.st_mode & 0o022)


def _choose_cache() -> None:
    """Point numba at a folder it can write: beside the kernels, else the user's cache, else the temporary folder.

    numba refuses to compile when no cache folder is writable, which happens with read-only homes and images.
    """
    if "NUMBA_CACHE_DIR" in os.environ or _writable(Path(__file__).parent / "__pycache__"):
        return
    home_cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "paget" / "kernels"
    temporary = Path(tempfile.gettempdir()) / f"paget-kernels-{os.getuid() if hasattr(os, 'getuid') else 'user'}"
    for folder in (home_cache, temporary):
        if _private(folder) and _writable(folder):
            os.environ["NUMBA_CACHE_DIR"] = str(folder)
            return
    # Not even a private temporary folder: compile anew in every process tree rather than trust a folder of others.
    os.environ["NUMBA_CACHE_DIR"] = tempfile.mkdtemp(prefix="paget-kernels-")


_choose_cache()

import numba  # noqa: E402  (numba reads NUMBA_CACHE_DIR when it is imported)


def kernel(function: F) -> F:
    """Compile a function of arrays and numbers; `fastmath` stays off because it would change the bits."""
    return cast(F, numba.njit(cache=True, fastmath=False, error_model="numpy", nogil=True)(function))
