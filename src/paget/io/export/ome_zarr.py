"""Concentrations over time as OME-Zarr, and the cells as label images: what napari, Fiji and web viewers open.

After OME-NGFF 0.5 on Zarr 3 (https://ngff.openmicroscopy.org/0.5). Axes t, c, z, y, x; days and um.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from paget.described import tissue_of
from paget.io.export.rasterise import rasterised
from paget.io.export.selection import SAME_DAY, Selection, stem
from paget.io.export.stored import cells_of, colours, provenance, spacing

if TYPE_CHECKING:
    import pandas as pd

    from paget.results import Result

__all__ = ["write", "write_image"]

VERSION = "0.5"
LABEL_EDGE_UM = 2.5  # a cell of 5 um radius covers a dozen of these
MOST_LABEL_VOXELS = 2**26
MOST_LABELS_TOLD = 200_000
SMALLEST = 128  # further levels of half the resolution until the image is no longer than this
_AXES = (
    {"name": "t", "type": "time", "unit": "day"},
    {"name": "c", "type": "channel"},
    *({"name": axis, "type": "space", "unit": "micrometer"} for axis in "zyx"),
)
_LABEL_AXES = tuple(axis for axis in _AXES if axis["name"] != "c")
# Colours of channels, told apart also by the colour-blind (Okabe and Ito 2008).
_CHANNEL_COLOURS = ("E69F00", "56B4E9", "009E73", "F0E442", "0072B2", "D55E00", "CC79A7", "FFFFFF")
_OF_LABELS = ("id", "type", "x", "y", "z", "radius", "founder", "clone")
Pyramid = list[tuple[int, int, int]]
Edges = tuple[float, float, float]


def write(result: Result, folder: Path, selection: Selection) -> tuple[Path, ...]:
    """Write one image, a folder ``.ome.zarr``, for each selected animal that has fields stored, of a body for each site."""
    written = []
    for frames in selection.frames(result, "fields"):
        path = folder / f"{stem(result, frames.arm, frames.animal, site=frames.site)}.ome.zarr"
        write_image(result, path, frames.arm, frames.animal, frames.days, frames.site)
        written.append(path)
    return tuple(written)


def write_image(
    result: Result, path: Path, arm: str, animal: int, days: Sequence[float], site: str | None = None
) -> None:
    """Write the concentrations of one animal, a channel each, with two label images on a finer grid.

    ``labels/cells`` numbers the cells from 1 in order of their ids, each the same on all days; ``labels/cell_types`` holds the
    place of the cell's type in the model, from 1, in the colours of the model. Beyond 200,000 cells in all, labels do not tell
    their ids. Days that are not evenly spaced get the scale 1
    along t; the days themselves are in the attribute ``paget``.
    """
    import zarr

    tissue = tissue_of(result.model, site)
    edges = spacing(tissue)
    names = [row["name"] for row in tissue["fields"]]
    shape = tuple(tissue["domain"]["shape"])
    root = zarr.open_group(path, mode="w-", zarr_format=3)

    def concentrations(t: int) -> npt.NDArray[Any]:
        return np.stack([result.field(arm, animal, days[t], name, site) for name in names])

    lengths = (len(days), len(names))
    levels = _write_levels(root, "float32", lengths, _halved(shape), concentrations, _mean)
    about = {
        **provenance(result, arm, animal),
        "days": [float(day) for day in days],
        **({"site": site} if site else {}),
    }
    root.attrs["ome"] = {
        "version": VERSION,
        "multiscales": [_multiscales("fields", _AXES, levels, edges, days)],
        "omero": {"channels": _channels(root["0"], tissue["fields"])},
    }
    root.attrs["paget"] = about
    frames = [_cells_if_stored(result, arm, animal, day, site) for day in days]
    if any(frame is not None and len(frame) for frame in frames):
        _write_labels(root.create_group("labels"), result, frames, shape, edges, days, len(levels))


def _cells_if_stored(result: Result, arm: str, animal: int, day: float, site: str | None) -> pd.DataFrame | None:
    is_stored = any(abs(day - other) < SAME_DAY for other in result.cell_days(arm, animal))
    if not is_stored:
        return None
    frame = cells_of(result, arm, animal, day, None if site is None else (site,))
    return frame[[name for name in _OF_LABELS if name in frame]]


def _write_labels(
    group: Any,
    result: Result,
    frames: Sequence[pd.DataFrame | None],
    shape: Sequence[int],
    edges: Edges,
    days: Sequence[float],
    levels: int,
) -> None:
    """The label images ``cells`` and ``cell_types``; a frame is None on a day of which no cells are stored."""
    finer = _finer(shape, edges)
    fine = (shape[0] * finer[2], shape[1] * finer[1], shape[2] * finer[0])
    fine_edges = (edges[0] / finer[0], edges[1] / finer[1], edges[2] / finer[2])
    ids = np.unique(np.concatenate([_ids(frame) for frame in frames if frame is not None]))
    code = {row["name"]: k + 1 for k, row in enumerate(result.model["cell_types"])}
    colour = colours(result)
    shapes = _halved(fine, levels)

    def numbered(t: int) -> npt.NDArray[Any]:
        frame = frames[t]
        if frame is None:
            return np.zeros(fine, np.uint32)
        centres, radii = frame[["x", "y", "z"]].to_numpy(np.float64), frame["radius"].to_numpy(np.float64)
        return rasterised(centres, radii, np.searchsorted(ids, _ids(frame)).astype(np.uint32) + 1, fine, fine_edges)

    def typed(t: int) -> npt.NDArray[Any]:
        of_label, frame = np.zeros(ids.size + 1, np.uint32), frames[t]
        if frame is not None:
            of_label[np.searchsorted(ids, _ids(frame)) + 1] = frame["type"].map(code).to_numpy()
        cells: npt.NDArray[np.uint32] = np.asarray(group["cells/0"][t])
        return of_label[cells]

    kinds = {
        "properties": [{"label-value": k, "cell_type": name} for name, k in code.items()],
        "colors": [{"label-value": k, "rgba": _rgba(colour[name])} for name, k in code.items()],
    }
    # Viewers read the properties of all labels at once, as JSON.
    told_of = {"properties": _lineages(ids, frames)} if ids.size <= MOST_LABELS_TOLD else {}
    about = {"cells": (numbered, told_of), "cell_types": (typed, kinds)}
    group.attrs["ome"] = {"version": VERSION, "labels": list(about)}
    for name, (labels, told) in about.items():
        image = group.create_group(name)
        _write_levels(image, "uint32", (len(days),), shapes, labels, _every_other)
        image.attrs["ome"] = {
            "version": VERSION,
            "multiscales": [_multiscales(name, _LABEL_AXES, shapes, fine_edges, days)],
            "image-label": {**told, "source": {"image": "../../"}},
        }


def _ids(frame: pd.DataFrame) -> npt.NDArray[np.uint64]:
    ids: npt.NDArray[np.uint64] = frame["id"].to_numpy(np.uint64)
    return ids


def _lineages(ids: npt.NDArray[np.uint64], frames: Sequence[pd.DataFrame | None]) -> list[dict[str, Any]]:
    """Id, founder and clone behind each label; they do not change in a cell's life."""
    known: dict[str, dict[int, int]] = {}
    for frame in frames:
        for name in ("founder", "clone"):
            if frame is not None and name in frame:
                known.setdefault(name, {}).update(zip(frame["id"].tolist(), frame[name].tolist(), strict=True))
    return [
        {"label-value": k + 1, "id": str(cell), **{name: of[cell] for name, of in known.items()}}
        for k, cell in enumerate(ids.tolist())
    ]


def _finer(shape: Sequence[int], edges: Sequence[float]) -> tuple[int, int, int]:
    """Voxels of the labels along each edge (x, y, z) of a voxel of the fields; one across a single layer."""
    edge = LABEL_EDGE_UM
    while True:
        n = [max(int(np.ceil(length / edge)), 1) for length in edges]
        n[2] = 1 if shape[0] == 1 else n[2]
        if int(np.prod(n)) * int(np.prod(shape)) <= MOST_LABEL_VOXELS or n == [1, 1, 1]:
            return n[0], n[1], n[2]
        edge *= 2.0


# ---- levels of resolution -------------------------------------------------------------------------------------------
def _halved(shape: Sequence[int], levels: int = 0) -> Pyramid:
    """Shapes (z, y, x) of the levels: y and x halved until the image is small, or `levels` times."""
    z, y, x = shape
    found = [(z, y, x)]
    while len(found) < levels or (not levels and max(y, x) > SMALLEST):
        y, x = max(y // 2, 1), max(x // 2, 1)
        found.append((z, y, x))
    return found


def _mean(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    y, x = values.shape[-2] // 2, values.shape[-1] // 2
    blocks = values[..., : 2 * y, : 2 * x].reshape(*values.shape[:-2], y, 2, x, 2)
    means: npt.NDArray[Any] = blocks.mean(axis=(-3, -1), dtype=np.float64).astype(values.dtype)
    return means


def _every_other(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    y, x = max(values.shape[-2] // 2, 1), max(values.shape[-1] // 2, 1)
    return values[..., ::2, ::2][..., :y, :x]


def _write_levels(
    group: Any,
    dtype: str,
    lengths: tuple[int, ...],
    shapes: Pyramid,
    frame: Callable[[int], npt.NDArray[Any]],
    coarser: Callable[[npt.NDArray[Any]], npt.NDArray[Any]],
) -> Pyramid:
    """Arrays ``0``, ``1``, ... [t, (c,) z, y, x], filled frame by frame so that only one is in memory."""
    names = ["t", "c", "z", "y", "x"] if len(lengths) == 2 else ["t", "z", "y", "x"]
    arrays = [
        group.create_array(
            str(k),
            shape=(*lengths, *shape),
            chunks=(*(1 for _ in lengths), min(shape[0], 64), min(shape[1], 512), min(shape[2], 512)),
            dtype=dtype,
            dimension_names=names,
            fill_value=0,
        )
        for k, shape in enumerate(shapes)
    ]
    for t in range(lengths[0]):
        values = frame(t)
        for k, array in enumerate(arrays):
            values = values if k == 0 else coarser(values)
            array[t] = values
    return shapes


# ---- metadata -------------------------------------------------------------------------------------------------------
def _multiscales(
    name: str,
    axes: Sequence[dict[str, str]],
    shapes: Pyramid,
    edges: Edges,
    days: Sequence[float],
) -> dict[str, Any]:
    """Scale of every level, and where the centre of its first voxel lies: the middle of a voxel, as the grid begins at 0."""
    steps = np.diff(days)
    even = steps.size > 0 and bool(np.allclose(steps, steps[0]))
    others = [1.0] * (len(axes) - 4)  # the channel
    datasets = []
    for k in range(len(shapes)):
        scale = [edges[2], edges[1] * 2**k, edges[0] * 2**k]
        datasets.append(
            {
                "path": str(k),
                "coordinateTransformations": [
                    {"type": "scale", "scale": [float(steps[0]) if even else 1.0, *others, *scale]},
                    {
                        "type": "translation",
                        "translation": [float(days[0]), *[0.0 for _ in others], *[edge / 2 for edge in scale]],
                    },
                ],
            }
        )
    return {"name": name, "axes": list(axes), "datasets": datasets}


def _channels(array: Any, fields: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Name, unit, colour and range of each field; the first one is shown."""
    found = []
    for k, row in enumerate(fields):
        values = np.asarray(array[:, k])
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        high = high if high > low else low + 1.0
        found.append(
            {
                "label": f"{row['name']} ({row['unit']})" if row["unit"] else row["name"],
                "color": _CHANNEL_COLOURS[k % len(_CHANNEL_COLOURS)],
                "active": k == 0,
                "window": {"min": low, "max": high, "start": low, "end": high},
            }
        )
    return found


def _rgba(colour: str) -> list[int]:
    return [int(colour[k : k + 2], 16) for k in (1, 3, 5)] + [255]
