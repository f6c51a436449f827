"""Cells and concentrations over time as VTKHDF, which ParaView and VTK open as one data set with a time line.

Written by h5py alone, after the VTKHDF file format 2 (https://docs.vtk.org/en/latest/vtk_file_formats/vtkhdf_file_format).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from paget.described import tissue_of
from paget.io.export import needed
from paget.io.export.expression import expression
from paget.io.export.hdf5 import hdf5_file
from paget.io.export.selection import SAME_DAY, Selection, site_names, stem
from paget.io.export.stored import BOOKKEEPING, narrowed, provenance, spacing

if TYPE_CHECKING:
    import pandas as pd

    from paget.results import Result

__all__ = ["write", "write_cells", "write_fields"]

Arrays = dict[str, npt.NDArray[Any]]

_PURPOSE = "VTKHDF files are written"
_TOPOLOGIES = ("Vertices", "Lines", "Polygons", "Strips")
_PACKED = {"compression": "gzip", "compression_opts": 1, "shuffle": True}  # HDF5's own filters: VTK has no others


def write(result: Result, folder: Path, selection: Selection) -> tuple[Path, ...]:
    """Write for each animal its cells over time, of each site by itself, and its concentrations over time."""
    written = []
    for frames in selection.frames(result, "cells"):
        for site in selection.chosen_sites(result) or (None,):
            path = folder / f"{stem(result, frames.arm, frames.animal, site=site)}.vtkhdf"
            if write_cells(result, path, frames.arm, frames.animal, frames.days, site):
                written.append(path)
        sites = tuple(site for site in result.field_sites if site in selection.chosen_sites(result))
        for site in sites if site_names(result) else (None,):
            stored = result.field_days(frames.arm, frames.animal, site)
            days = [day for day in frames.days if any(abs(day - other) < SAME_DAY for other in stored)]
            if days:
                path = folder / f"{stem(result, frames.arm, frames.animal, site=site)}-fields.vtkhdf"
                write_fields(result, path, frames.arm, frames.animal, days, site)
                written.append(path)
    return tuple(written)


def write_cells(
    result: Result, path: Path, arm: str, animal: int, days: Sequence[float], site: str | None = None
) -> bool:
    """Write the cells of one animal as points over time; False, and no file, if there never were any at that site.

    Every numeric column is a point array, `type` and `site` as codes whose names are field data ``type_names`` and
    ``site_names``, nodes of networks as ``node_<name>``. Time counts in days, lengths in um; field data hold all units.
    """
    frames = [result.cells(arm, animal, day) for day in days]
    if site is not None:
        frames = [frame[frame["site"] == site].reset_index(drop=True) for frame in frames]
    counts = np.array([len(frame) for frame in frames], np.int64)
    if not counts.any():
        return False
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    with hdf5_file(path, _PURPOSE) as file:
        root = _root(file, "PolyData")
        root["NumberOfPoints"] = counts
        _appended(root, "Points", int(counts.sum()), (frame[["x", "y", "z"]].to_numpy(np.float32) for frame in frames))
        steps = _steps(root, days)
        steps["PointOffsets"], steps["PartOffsets"] = starts, np.arange(len(days))
        steps["NumberOfParts"] = np.ones(len(days), np.int64)
        # One vertex for each point. All steps share one list of numbers, of which each reads as many as it has points.
        for name in _TOPOLOGIES:
            n = int(counts.max()) if name == "Vertices" else 0
            group = root.create_group(name)
            group["NumberOfCells"] = group["NumberOfConnectivityIds"] = counts if n else np.zeros(len(days), np.int64)
            group.create_dataset("Connectivity", data=np.arange(n), **(_PACKED if n else {}))
            group.create_dataset("Offsets", data=np.arange(n + 1), **_PACKED)
        steps["CellOffsets"] = steps["ConnectivityIdOffsets"] = np.zeros((len(days), len(_TOPOLOGIES)), np.int64)
        columns = [_arrays(frame, result, site) for frame in frames]
        data, offsets = root.create_group("PointData"), steps.create_group("PointDataOffsets")
        for name in columns[0]:
            _appended(data, name, int(counts.sum()), (column[name] for column in columns))
            offsets[name] = starts
        names = {"type_names": [row["name"] for row in result.model["cell_types"]]}
        names |= {"site_names": list(site_names(result))} if site_names(result) else {}
        _tell(root, result, arm, animal, names)
    return True


def write_fields(
    result: Result, path: Path, arm: str, animal: int, days: Sequence[float], site: str | None = None
) -> None:
    """Write the concentrations of one animal, of a body those at one site, as an image over time, a cell for each voxel."""
    tissue = tissue_of(result.model, site)
    fields = [row["name"] for row in tissue["fields"]]
    with hdf5_file(path, _PURPOSE) as file:
        root = _root(file, "ImageData")
        steps = _steps(root, days)
        data, offsets = root.create_group("CellData"), steps.create_group("CellDataOffsets")
        for name in fields:
            values = np.stack([result.field(arm, animal, day, name, site) for day in days])
            data.create_dataset(name, data=values, chunks=(1, *values.shape[1:]), **_PACKED)
            offsets[name] = np.arange(len(days))
            depth, height, width = values.shape[1:]
        root.attrs["WholeExtent"] = np.array([0, width, 0, height, 0, depth], np.int64)
        root.attrs["Origin"] = np.zeros(3)
        root.attrs["Spacing"] = np.array(spacing(tissue))
        root.attrs["Direction"] = np.eye(3).ravel()
        _tell(root, result, arm, animal, {})


def _root(file: Any, kind: str) -> Any:
    root = file.create_group("VTKHDF")
    root.attrs["Version"] = np.array([2, 3], np.int64)
    root.attrs["Type"] = np.bytes_(kind)  # VTK wants text of fixed length here
    return root


def _steps(root: Any, days: Sequence[float]) -> Any:
    steps = root.create_group("Steps")
    steps.attrs["NSteps"] = len(days)
    steps["Values"] = np.asarray(days, np.float64)
    return steps


def _appended(group: Any, name: str, length: int, pieces: Iterator[npt.NDArray[Any]]) -> None:
    """One array of all frames, written frame by frame."""
    data, begin = None, 0
    for piece in pieces:
        if data is None:
            data = group.create_dataset(
                name, shape=(length, *piece.shape[1:]), dtype=piece.dtype, chunks=True, **_PACKED
            )
        data[begin : begin + len(piece)] = piece
        begin += len(piece)


def _arrays(frame: pd.DataFrame, result: Result, site: str | None) -> Arrays:
    """Point arrays of one frame, names as codes."""
    model = narrowed(result.model, None if site is None else (site,))
    words = {word for row in result.model.get("networks") or () for word in row["words"]}
    codes = {"type": [row["name"] for row in model["cell_types"]], "site": list(site_names(result))}
    found: Arrays = {}
    for name in frame.columns:
        if name in ("x", "y", "z") or name in words or name in BOOKKEEPING:
            continue
        if name in codes:
            lookup = {label: code for code, label in enumerate(codes[name])}
            found[name] = frame[name].map(lookup).to_numpy(np.int32)
        else:
            found[name] = frame[name].to_numpy()
    if model.get("networks"):
        matrix = expression(frame, model)
        for k, name in enumerate(matrix.variables.index):
            found[f"node_{name}"] = matrix.values[:, k].astype(np.uint8)
    return found


def _tell(root: Any, result: Result, arm: str, animal: int, names: dict[str, list[str]]) -> None:
    """Units, names behind codes and provenance, as field data of text."""
    h5py = needed("h5py", "export", _PURPOSE)
    about = provenance(result, arm, animal)
    units = {"time": "day", **about.pop("units")}
    about.pop("sites")
    data, steps = root.create_group("FieldData"), root["Steps"]
    offsets, sizes = steps.create_group("FieldDataOffsets"), steps.create_group("FieldDataSizes")
    count = int(steps.attrs["NSteps"])
    texts = {
        "units": [f"{name}: {unit}" for name, unit in units.items()],
        "provenance": [f"{key}: {value}" for key, value in about.items() if key != "sources"],
        "sources": about["sources"],
        **names,
    }
    for name, lines in texts.items():
        if not lines:
            continue
        # VTK's reader takes no text that HDF5 calls UTF-8; like VTK's writer, call the same bytes ASCII.
        data.create_dataset(name, data=[line.encode() for line in lines], dtype=h5py.string_dtype("ascii"))
        offsets[name], sizes[name] = np.zeros(count, np.int64), np.tile([1, len(lines)], (count, 1))
