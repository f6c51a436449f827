"""Hand a result to the tools that the field already uses; nothing is computed that the result does not hold.

export(result, "anndata", "lung.h5ad", Selection(arms=("vehicle",), animals=(0,), days=(20.0,)))
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from paget.errors import ResultError, StorageFullError, UnknownNameError
from paget.io.export.selection import Selection

if TYPE_CHECKING:
    from paget.results import Result

__all__ = ["FORMATS", "Format", "Selection", "export", "needed"]

_FULL = {errno.ENOSPC, errno.EDQUOT}


@dataclass(frozen=True)
class Format:
    """A format of another tool.

    Parameters
    ----------
    name : what the user types.
    title : the format by its full name, and what it holds.
    extension : ending of its files with the dot; empty if the format is a folder of files.
    reader : tools that open it.
    extra : the extra of paget that its writer needs; empty if none.
    module : module of `paget.io.export` whose function ``write(result, folder, selection)`` writes it.
    """

    name: str
    title: str
    extension: str
    reader: str
    extra: str
    module: str

    @property
    def write(self) -> Callable[[Result, Path, Selection], tuple[Path, ...]]:
        """Writes what was selected into an empty folder, and returns the paths of what it wrote there."""
        found: Callable[[Result, Path, Selection], tuple[Path, ...]]
        found = import_module(f"paget.io.export.{self.module}").write
        return found


_ALL = (
    Format("anndata", "AnnData, one file per tissue frame", ".h5ad", "scanpy, squidpy, R", "export", "anndata"),
    Format(
        "spatialdata", "SpatialData, one store per frame", ".zarr", "spatialdata, napari", "spatialdata", "spatialdata"
    ),
    Format("vtk", "VTKHDF, cells over time and fields over time", ".vtkhdf", "ParaView", "export", "vtkhdf"),
    Format(
        "ome-zarr",
        "OME-Zarr 0.5, fields over time, cells as labels",
        ".ome.zarr",
        "napari, Fiji, Vizarr",
        "",
        "ome_zarr",
    ),
    Format(
        "simularium", "Simularium, cells thinned evenly", ".simularium", "simularium.allencell.org", "", "simularium"
    ),
    Format("multicellds", "MultiCellDS as PhysiCell writes it", "", "pcdl, PhysiCell Studio", "", "multicellds"),
    Format("csv", "tidy tables, with every column described", "", "R, Excel, Prism", "", "tables"),
    Format("netcdf", "readouts by arm, animal and day", ".nc", "xarray, R, Panoply", "export", "series"),
    Format("newick", "family trees of the founders", ".nwk", "iTOL, FigTree, ete3, ape", "", "newick"),
)

FORMATS: Mapping[str, Format] = MappingProxyType({entry.name: entry for entry in _ALL})


def export(result: Result, format: str, out: str | Path, selection: Selection | None = None) -> tuple[Path, ...]:
    """Write a part of a result in another tool's format; either all of it is there afterwards, or nothing.

    Parameters
    ----------
    format : a name of `FORMATS`.
    out : a folder to be made (an empty one may be there), or, where the selection makes one file only and the name ends
        like the format's files, that file.
    selection : what to write; everything if left out.

    Returns
    -------
    Paths of what was written, below `out`.

    Raises
    ------
    ResultError
        If `out` is already there, the result does not hold what was selected, or several files would have one name.
    UnknownNameError
        If the format is not known.
    StorageFullError
        If the disk is full; nothing is left behind.
    """
    if format not in FORMATS:
        raise UnknownNameError("format", format, FORMATS)
    chosen, target = FORMATS[format], Path(out)
    selection = selection if selection is not None else Selection()
    selection.check(result)
    _refuse_to_overwrite(target)
    is_file = bool(chosen.extension) and target.name.endswith(chosen.extension)
    unfinished = target.with_name(f".unfinished-{os.getpid()}-{target.name}")
    with _full_disk_is_an_error(target):
        try:
            unfinished.mkdir(parents=True)
            written = chosen.write(result, unfinished, selection)
            if is_file and len(written) != 1:
                raise ResultError(
                    f"This selection makes {len(written)} files of the format {format}, but {target} is the name of "
                    "one. Select one arm, one animal and one day, or give a folder."
                )
            _refuse_to_overwrite(target)
            if is_file:
                written[0].rename(target)
                return (target,)
            if target.exists():
                target.rmdir()
            unfinished.rename(target)
            return tuple(target / path.relative_to(unfinished) for path in written)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)


def needed(module: str, extra: str, purpose: str) -> Any:
    """Import an optional library, or say which extra brings it.

    Parameters
    ----------
    purpose : what it is for, to begin the sentence: "AnnData files are written".
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as problem:
        if problem.name is None or problem.name.partition(".")[0] != module.partition(".")[0]:
            raise
        raise ResultError(
            f"{purpose} by {module.partition('.')[0]}, which is not installed: pip install 'paget[{extra}]'"
        ) from None


def _refuse_to_overwrite(target: Path) -> None:
    if not (target.exists() or target.is_symlink()):
        return
    if target.is_dir() and not target.is_symlink() and not any(target.iterdir()):
        return
    raise ResultError(f"{target} is already there and is not overwritten; remove it or give another name with --out.")


@contextmanager
def _full_disk_is_an_error(target: Path) -> Iterator[None]:
    try:
        yield
    except Exception as problem:
        if not _is_full_disk(problem):
            raise
        raise StorageFullError(
            f"The disk is full, or your quota is used up: {target} cannot be written. Nothing of it was kept. "
            "Free some space, select fewer animals or days, or give another place with --out."
        ) from problem


def _is_full_disk(problem: BaseException | None) -> bool:
    """Say whether an error, or one that it came from, is a full disk; HDF5 tells it in words only."""
    while problem is not None:
        if isinstance(problem, OSError) and problem.errno in _FULL:
            return True
        if any(f"errno = {number}," in str(problem) for number in _FULL):
            return True
        problem = problem.__cause__ or problem.__context__
    return False
