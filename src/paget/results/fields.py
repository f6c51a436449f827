"""Concentrations of one animal as Zarr v3: an array [day, species, z, y, x] with one chunk per frame, and its coordinates.

``fields.zarr`` is a group that xarray opens as a data set; of a body, it holds one such group for each site that is
simulated as a tissue. An array has its full length from the start, so no metadata changes while it is written and a crash
cannot leave parts that disagree. A frame that was never written reads as NaN. In format 1 ``fields.zarr`` is the array itself.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr
from zarr.codecs import BloscCodec, Crc32cCodec

from paget.errors import DamagedResultError
from paget.results.files import make_folder, sync_file, sync_folder
from paget.settings import HOURS_PER_DAY

__all__ = ["drop_other_frames", "group_of", "read_frame", "write_frames"]

ARRAY, METADATA = "concentration", "zarr.json"
DAY = {"units": "day", "long_name": "time since the start of the study"}

Field = npt.NDArray[np.float32]


def group_of(path: Path, site: str) -> Path:
    """The group of one site of a body, named as readouts name it; `path` itself for a study of one tissue."""
    return path / site.replace(" ", "_") if site else path


def _array(group: Path) -> Path:
    return group / ARRAY if (group / ARRAY).exists() else group


def _chunk(array: Path, frame: int) -> Path:
    return array / f"c.{frame}.0.0.0.0"


def _create(group: Path, frames: int, shape: tuple[int, ...], about: Mapping[str, Any]) -> None:
    """Make the group with its array and coordinates, and make sure that they are on the disk."""
    make_folder(group)
    zarr.create_group(store=group, zarr_format=3, attributes=dict(about))
    zarr.create_array(
        store=group / ARRAY,
        shape=(frames, *shape),
        chunks=(1, *shape),
        dtype="float32",
        fill_value=float("nan"),
        filters=None,
        compressors=[BloscCodec(cname="zstd", clevel=3, shuffle="bitshuffle", typesize=4), Crc32cCodec()],
        chunk_key_encoding={"name": "default", "separator": "."},  # one flat folder: one fsync for all names
        dimension_names=["day", "species", "z", "y", "x"],
        attributes=dict(about),
    )
    for name, values, told in _coordinates(frames, shape, about):
        coordinate = zarr.create_array(
            store=group / name,
            shape=values.shape,
            dtype="float64",
            compressors=None,
            dimension_names=[name],
            attributes=told,
        )
        coordinate[:] = values
    for path in (p for p in group.rglob("*") if p.is_file()):
        sync_file(path)
    for path in (p for p in (group, *group.rglob("*")) if p.is_dir()):
        sync_folder(path)


def _coordinates(
    frames: int, shape: tuple[int, ...], about: Mapping[str, Any]
) -> Iterator[tuple[str, npt.NDArray[np.float64], dict[str, Any]]]:
    """Days of the frames, and centres of the voxels in um where their size is known."""
    yield "day", about["hours_between_frames"] / HOURS_PER_DAY * np.arange(frames), DAY
    voxel = about.get("voxel_um")
    if voxel is not None:
        edges = voxel if isinstance(voxel, list) else [voxel] * 3
        for axis, edge, length in zip("xyz", edges, shape[:0:-1], strict=True):
            yield axis, edge * (np.arange(length) + 0.5), {"units": "um", "axis": axis.upper()}


def write_frames(
    path: Path, frames: Mapping[int, Field], length: int, about: Mapping[str, Any], site: str = ""
) -> None:
    """Write frames by index and make sure that they are on the disk; what holds them is made by the first call.

    Parameters
    ----------
    path : ``fields.zarr`` of the animal.
    frames : frame index -> concentrations [species, z, y, x].
    length : frames that the whole study will have.
    about : attributes: names and units of the species, h between frames, edges of a voxel in um.
    site : of a body, whose tissue it is.
    """
    indices = sorted(frames)
    group = group_of(path, site)
    if site and not path.exists():
        make_folder(path)
        zarr.create_group(store=path, zarr_format=3, attributes={"study_sha256": about.get("study_sha256")})
        sync_file(path / METADATA)
    if not group.exists():
        _create(group, length, frames[indices[0]].shape, about)
        sync_folder(path)
    folder = _array(group)
    array = zarr.open_array(folder, mode="r+")
    runs = np.split(np.array(indices), np.flatnonzero(np.diff(indices) != 1) + 1)
    for run in runs:
        array[int(run[0]) : int(run[-1]) + 1] = np.stack([frames[int(i)] for i in run])
    for index in indices:
        sync_file(_chunk(folder, index))
    sync_folder(folder)


def drop_other_frames(path: Path, committed: Mapping[str, Collection[int]]) -> None:
    """Remove every frame that was not committed, every site of which none was, and the whole of it if none was at all.

    committed : site, or "" for one tissue -> indices of its frames.
    """
    if not path.exists():
        return
    kept = {site: frames for site, frames in committed.items() if frames}
    if not kept:
        shutil.rmtree(path)
        return
    groups = {group_of(path, site): frames for site, frames in kept.items()}
    if path not in groups:
        for folder in [p for p in path.iterdir() if p.is_dir() and p not in groups]:
            shutil.rmtree(folder)
    for group, frames in groups.items():
        folder = _array(group)
        keep = {_chunk(folder, index).name for index in frames} | {METADATA}
        for file in folder.iterdir():
            if file.name not in keep:
                file.unlink()


def read_frame(path: Path, frame: int, site: str = "") -> Field:
    """Read one committed frame [species, z, y, x]; `DamagedResultError` if it is missing or fails its checksum."""
    folder = _array(group_of(path, site))
    if not _chunk(folder, frame).exists():
        raise DamagedResultError(f"{_chunk(folder, frame)} is missing, although it was committed.")
    try:
        values = zarr.open_array(folder, mode="r")[frame]
    except Exception as problem:  # zarr and its codecs raise many kinds; here all mean the same
        raise DamagedResultError(f"{_chunk(folder, frame)} cannot be read: {problem}") from problem
    return np.asarray(values, np.float32)
