"""Concentrations of one animal as a Zarr v3 array [time, species, z, y, x] with one chunk per frame.

The array has its full length from the start, so no metadata changes while it is written and a crash cannot leave parts
that disagree. A frame that was never written reads as NaN.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr
from zarr.codecs import BloscCodec, Crc32cCodec

from paget.errors import DamagedResultError
from paget.results.files import make_folder, sync_file, sync_folder

__all__ = ["drop_other_frames", "read_frame", "write_frames"]

Field = npt.NDArray[np.float32]


def _chunk(path: Path, frame: int) -> Path:
    return path / f"c.{frame}.0.0.0.0"


def _create(path: Path, frames: int, shape: tuple[int, ...], about: Mapping[str, Any]) -> zarr.Array[Any]:
    make_folder(path)
    return zarr.create_array(
        store=path,
        shape=(frames, *shape),
        chunks=(1, *shape),
        dtype="float32",
        fill_value=float("nan"),
        filters=None,
        compressors=[BloscCodec(cname="zstd", clevel=3, shuffle="bitshuffle", typesize=4), Crc32cCodec()],
        chunk_key_encoding={"name": "default", "separator": "."},  # one flat folder: one fsync for all names
        dimension_names=["time", "species", "z", "y", "x"],
        attributes=dict(about),
    )


def write_frames(path: Path, frames: Mapping[int, Field], length: int, about: Mapping[str, Any]) -> None:
    """Write frames by index and make sure that they are on the disk; the array is made by the first call.

    Parameters
    ----------
    frames : frame index -> concentrations [species, z, y, x].
    length : frames that the whole study will have.
    about : attributes of the array, such as the names and units of the species.
    """
    indices = sorted(frames)
    is_new = not path.exists()
    array = _create(path, length, frames[indices[0]].shape, about) if is_new else zarr.open_array(path, mode="r+")
    runs = np.split(np.array(indices), np.flatnonzero(np.diff(indices) != 1) + 1)
    for run in runs:
        array[int(run[0]) : int(run[-1]) + 1] = np.stack([frames[int(i)] for i in run])
    for index in indices:
        sync_file(_chunk(path, index))
    if is_new:
        sync_file(path / "zarr.json")
    sync_folder(path)


def drop_other_frames(path: Path, committed: Collection[int]) -> None:
    """Remove every frame that was not committed, and the whole array if none was."""
    if not path.exists():
        return
    if not committed:
        shutil.rmtree(path)
        return
    keep = {_chunk(path, index).name for index in committed} | {"zarr.json"}
    for file in path.iterdir():
        if file.name not in keep:
            file.unlink()


def read_frame(path: Path, frame: int) -> Field:
    """Read one committed frame [species, z, y, x]; `DamagedResultError` if it is missing or fails its checksum."""
    if not _chunk(path, frame).exists():
        raise DamagedResultError(f"{_chunk(path, frame)} is missing, although it was committed.")
    try:
        values = zarr.open_array(path, mode="r")[frame]
    except Exception as problem:  # zarr and its codecs raise many kinds; here all mean the same
        raise DamagedResultError(f"{_chunk(path, frame)} cannot be read: {problem}") from problem
    return np.asarray(values, np.float32)
