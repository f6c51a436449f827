"""Cells in motion for the Simularium viewer: one JSON file of format 3 for each animal, and for each site of a body.

The viewer draws every cell in a browser, so a file holds at most `MOST` cells over all its frames. Where there are more,
one cell in k is shown, chosen by its id: the same cells in every frame, of all types and places alike. The file name, the
title and the description say so.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from paget.errors import ResultError
from paget.io.export.naming import animal_stem
from paget.io.export.selection import Frames, Selection
from paget.io.export.stored import cells_of, colours, dimensions

if TYPE_CHECKING:
    from paget.results import Result

__all__ = ["MOST", "kept", "write"]

MOST = 250_000  # cells over all frames of a file; as text they take about 60 bytes each
SPHERE = 1000.0  # the viewer's number of the plain kind of agents
LARGEST = 64.0  # units of length across a scene, beyond which the viewer's camera has trouble
NEAR = 1.2  # distance of the camera over the one at which the scene fits
VIEW_DEGREES = 75.0
HOURS_PER_DAY = 24.0
_NEEDED = ["id", "type", "site", "x", "y", "z", "radius"]


def write(result: Result, folder: Path, selection: Selection) -> tuple[Path, ...]:
    """Write one file for each animal, or for each animal and site."""
    written = []
    for frames in selection.frames(result):
        sites: Sequence[str] = selection.chosen_sites(result) or ("",)
        tables = [
            cells_of(result, frames.arm, frames.animal, day, selection.sites).filter(items=_NEEDED)
            for day in frames.days
        ]
        for site in sites:
            here = [table[table["site"] == site] if site else table for table in tables]
            if not any(len(table) for table in here):
                continue
            document, one_in = _document(result, frames, site, here)
            stem = animal_stem(result, frames.arm, frames.animal) + (f"-{site.replace(' ', '-')}" if site else "")
            path = folder / f"{stem}{f'-1in{one_in}' if one_in > 1 else ''}.simularium"
            path.write_text(json.dumps(document, separators=(",", ":")), encoding="utf-8")
            written.append(path)
    if not written:
        raise ResultError("The selected sites have no cells on the selected days.")
    return tuple(written)


def kept(ids: npt.NDArray[np.uint64], one_in: int) -> npt.NDArray[np.bool_]:
    """Whether each cell is among the one in so many that are shown; it follows from its id alone."""
    mixed = (ids ^ (ids >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)  # ids of some models are numbered in order
    mixed = (mixed ^ (mixed >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return np.asarray((mixed ^ (mixed >> np.uint64(33))) % np.uint64(one_in) == 0)


def _document(result: Result, frames: Frames, site: str, tables: list[pd.DataFrame]) -> tuple[dict[str, Any], int]:
    cells = sum(len(table) for table in tables)
    one_in = -(-cells // MOST)
    shown = [table[kept(table["id"].to_numpy(np.uint64), one_in)] for table in tables] if one_in > 1 else tables
    # Ids have 64 bits and the viewer reads 31 of them: cells are numbered in the order of their ids, alike in all frames.
    ids = np.unique(np.concatenate([table["id"].to_numpy(np.uint64) for table in shown]))
    colour = colours(result)
    known = list(colour)
    low, size = _box(result, tables)
    unit = _round_unit(max(size) / LARGEST)
    title = (
        f"{result.study.title or result.study.name}: {frames.arm}, animal {frames.animal}{f', {site}' if site else ''}"
    )
    thinned = f", 1 in {one_in} cells shown" if one_in > 1 else ""
    step = HOURS_PER_DAY * (frames.days[1] - frames.days[0]) if len(frames.days) > 1 else 0.0
    away = NEAR * 0.5 * max(size[:2]) / unit / math.tan(math.radians(0.5 * VIEW_DEGREES)) + 0.5 * size[2] / unit
    flat = dimensions(result.model, pd.concat(tables)) == 2
    info = {
        "version": 3,
        "timeUnits": {"magnitude": 1.0, "name": "h"},
        "timeStepSize": round(step, 6),
        "totalSteps": len(shown),
        "spatialUnits": {"magnitude": unit, "name": "µm"},
        "size": dict(zip("xyz", [length / unit for length in size], strict=True)),
        "cameraDefault": {
            "position": {"x": 0.0, "y": 0.0, "z": away},
            "lookAtPosition": {"x": 0.0, "y": 0.0, "z": 0.0},
            "upVector": {"x": 0.0, "y": 1.0, "z": 0.0},
            "fovDegrees": VIEW_DEGREES,
        },
        "typeMapping": {
            str(code): {"name": name, "geometry": {"displayType": "SPHERE", "url": "", "color": colour[name]}}
            for code, name in enumerate(known)
        },
        "trajectoryTitle": title + thinned,
        "modelInfo": {
            "title": str(result.model.get("title") or result.model["name"]),
            "version": f"paget {result.manifest['versions']['paget']}",
            "description": (
                f"Simulated, not measured. Study {result.study.name}, seed {result.study.seed}, arm {frames.arm}, animal "
                f"{frames.animal}; {'a section' if flat else 'a block of tissue'}{thinned}."
            ),
        },
    }
    origin = np.array(low) + 0.5 * np.array(size)
    data = [
        {
            "frameNumber": number,
            "time": round(HOURS_PER_DAY * day, 6),
            "data": _agents(table, ids, known, origin, unit),
        }
        for number, (day, table) in enumerate(zip(frames.days, shown, strict=True))
    ]
    spatial = {"version": 1, "msgType": 1, "bundleStart": 0, "bundleSize": len(data), "bundleData": data}
    plots = {"version": 1, "data": _plots(result, frames)}
    return {"trajectoryInfo": info, "spatialData": spatial, "plotData": plots}, one_in


def _agents(
    table: pd.DataFrame, ids: npt.NDArray[np.uint64], known: list[str], origin: npt.NDArray[np.float64], unit: float
) -> list[float]:
    """Eleven numbers a cell: kind of agent, id, type, place, rotation, radius and no further points."""
    rows = np.zeros((len(table), 11))
    rows[:, 0] = SPHERE
    rows[:, 1] = np.searchsorted(ids, table["id"].to_numpy(np.uint64))
    rows[:, 2] = pd.Categorical(table["type"], categories=known).codes
    place = table[["x", "y", "z"]].to_numpy(np.float64) - origin
    rows[:, 3:6] = np.round(place / unit, 4)
    rows[:, 9] = np.round(table["radius"].to_numpy(np.float64) / unit, 4)
    # Whole numbers are written without a decimal point, which saves a third of the file.
    flat = rows.ravel()
    whole = np.tile(np.array([1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 1], bool), len(table))
    return [int(value) if is_whole else value for value, is_whole in zip(flat.tolist(), whole.tolist(), strict=True)]


def _box(result: Result, tables: list[pd.DataFrame]) -> tuple[list[float], list[float]]:
    """Lower corner and edges of the scene in um: those of the tissue, or around the cells where a body has many pieces."""
    domain = result.model.get("domain")
    if domain is not None:
        return [0.0, 0.0, 0.0], [float(edge) for edge in domain["size_um"]]
    there = [table for table in tables if len(table)]
    low = [min(float((t[axis] - t["radius"]).min()) for t in there) for axis in "xyz"]
    high = [max(float((t[axis] + t["radius"]).max()) for t in there) for axis in "xyz"]
    return low, [top - bottom for bottom, top in zip(low, high, strict=True)]


def _round_unit(least: float) -> float:
    """The smallest of 1, 2, 5, 10, 20, 50 ... um that is not below `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    return float(next(step * power for step in (1.0, 2.0, 5.0, 10.0) if step * power >= least * (1.0 - 1e-9)))


def _plots(result: Result, frames: Frames) -> list[dict[str, Any]]:
    """The headline readouts of the animal over time, as the viewer's line plots."""
    metrics = result.metrics
    mine = metrics[(metrics["arm"] == frames.arm) & (metrics["animal"] == frames.animal)]
    found = []
    for readout in result.readouts:
        values = mine.get(readout["name"])
        if not readout.get("headline") or values is None or not values.notna().any():
            continue
        there = values.notna().to_numpy()
        unit = f" ({readout['unit']})" if readout.get("unit") else ""
        line = {
            "name": readout["title"],
            "type": "scatter",
            "mode": "lines",
            "x": (mine["day"].to_numpy()[there] * HOURS_PER_DAY).round(6).tolist(),
            "y": values.to_numpy(np.float64)[there].tolist(),
        }
        layout: dict[str, Any] = {
            "title": readout["title"],
            "xaxis": {"title": "time (h)"},
            "yaxis": {"title": f"{readout['title']}{unit}"},
        }
        found.append({"layout": layout, "data": [line]})
    return found
