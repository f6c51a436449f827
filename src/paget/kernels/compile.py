"""How kernels are compiled: cached on disk wherever this user can write, strict IEEE arithmetic so that bits repeat."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from types import FunctionType
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


def _sources() -> str:
    """Name the present state of all kernels: numba does not notice when one changes that another calls."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    state = ";".join(f"{file.name} {file.stat().st_mtime_ns} {file.stat().st_size}" for file in files)
    return f"kernels-{hashlib.blake2b(state.encode(), digest_size=6).hexdigest()}"


def _choose_cache() -> None:
    """Point numba at a folder it can write: beside the kernels, else the user's cache, else the temporary folder.

    numba refuses to compile when no cache folder is writable, which happens with read-only homes and images.
    """
    if "NUMBA_CACHE_DIR" in os.environ:
        return
    beside = Path(__file__).parent / "__pycache__"
    if _writable(beside):
        here = beside / _sources()
        for old in beside.glob("kernels-*"):
            if old != here:
                shutil.rmtree(old, ignore_errors=True)
        os.environ["NUMBA_CACHE_DIR"] = str(here)
        return
    home_cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "paget" / "kernels"
    temporary = Path(tempfile.gettempdir()) / f"paget-kernels-{os.getuid() if hasattr(os, 'getuid') else 'user'}"
    for folder in (home_cache, temporary):
        if _private(folder) and _writable(folder):
            os.environ["NUMBA_CACHE_DIR"] = str(folder / _sources())
            return
    # Not even a private temporary folder: compile anew in every process tree rather than trust a folder of others.
    os.environ["NUMBA_CACHE_DIR"] = tempfile.mkdtemp(prefix="paget-kernels-")


_choose_cache()

import numba  # noqa: E402  (numba reads NUMBA_CACHE_DIR when it is imported)

# The one threading layer that survives a fork, which is how animals are started; it serves one caller at a time.
_settings: Any = numba.config
_settings.THREADING_LAYER = "workqueue"
_one_caller = threading.Lock()


def kernel(function: F) -> F:
    """Compile a function of arrays and numbers; `fastmath` stays off because it would change the bits."""
    return cast(F, numba.njit(cache=True, fastmath=False, error_model="numpy", nogil=True)(function))


class Threaded:
    """A kernel with loops over `prange`, compiled for one thread and for several; both give the same bits.

    The first argument of a call is the number of threads. One thread runs without the cost of starting any; what was
    asked for beyond the machine's (or this process's) share is ignored.
    """

    def __init__(self, function: FunctionType) -> None:
        options: dict[str, Any] = {"cache": True, "fastmath": False, "error_model": "numpy", "nogil": True}
        self.serial = numba.njit(**options)(function)
        self._function, self._options = function, options
        self._parallel: Any = None
        self.__doc__ = function.__doc__

    @property
    def parallel(self) -> Any:
        """The variant for several threads, made when first asked for: many runs never need it."""
        if self._parallel is None:
            twin = FunctionType(
                self._function.__code__,
                self._function.__globals__,
                self._function.__name__,
                self._function.__defaults__,
                self._function.__closure__,
            )
            # numba files what it compiled under this name, and would take the serial variant for the parallel one.
            twin.__qualname__ = f"{self._function.__qualname__}_parallel"
            twin.__module__ = self._function.__module__
            self._parallel = numba.njit(parallel=True, **self._options)(twin)
        return self._parallel

    def __call__(self, threads: int, *arguments: Any) -> Any:
        wanted = min(threads, _settings.NUMBA_NUM_THREADS)
        if wanted <= 1:
            return self.serial(*arguments)
        with _one_caller:
            numba.set_num_threads(wanted)
            return self.parallel(*arguments)


def threaded(function: Callable[..., Any]) -> Threaded:
    """Compile a function with loops over `numba.prange` that no two iterations of write to the same place."""
    return Threaded(cast(FunctionType, function))
