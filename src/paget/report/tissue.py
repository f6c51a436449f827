"""Tissue pictures: cells as circles of their true radius over the stored fields, one tile per arm and day."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import EllipseCollection
from matplotlib.colors import is_color_like, to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from paget.errors import ResultError
from paget.report.sweeps import points_of
from paget.report.theme import json_text

if TYPE_CHECKING:
    from paget.report.material import Material, ResultLike

__all__ = [
    "Tile",
    "TissueFigure",
    "cells_json",
    "paint_tile",
    "representative_animal",
    "tissue_figure",
    "tissue_figures",
]

_BACKGROUND = "#fbfaf7"
_INK = "#17191c"
_TILE_PIXELS = 480
_TILES_AT_FULL_SIZE = 24
_PALETTE_SIZE = 160
_LAYER_NAMES = ("net", "remodelled_laminin")
_LAYER_COLOURS = ("#1d6fb8", "#8e5bb5", "#2f8f6b")
_LAYER_OPACITY = 0.62
_STRONG_END = 0.78
_CELL_COLOURS = (
    "#b9bec6",
    "#d55e00",
    "#8c5b4a",
    "#7fbfe0",
    "#0072b2",
    "#8a9a3b",
    "#c51b7d",
    "#e0a100",
    "#5b4bb5",
    "#2f8f6b",
)
_MANY_ARMS = 8
_SLAB_UM = 20.0
_MOST_CELLS_STORED = 40_000


@dataclass(frozen=True)
class Tile:
    """One picture (a data address) or None where no frame is stored, and the number of cells of each type in it.

    cells, fields : what was drawn
    """

    image: str | None
    alt: str
    counts: Mapping[str, int]
    cells: pd.DataFrame | None = None
    fields: Mapping[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class Layer:
    """A field drawn over the tissue: its colour, and the value at which it is fully opaque."""

    name: str
    title: str
    unit: str
    colour: str
    top: float


@dataclass(frozen=True)
class TissueFigure:
    """The grid of tiles with its legend; `site` is empty for a study of one tissue."""

    animal: int
    animals: int
    days: tuple[float, ...]
    tiles: Mapping[tuple[str, float], Tile]
    cell_types: tuple[tuple[str, str, str], ...]
    layers: tuple[Layer, ...]
    bar_um: float
    slab_um: float | None
    size_um: tuple[float, float]
    site: str = ""

    @property
    def compact(self) -> bool:
        """Whether arms have one picture each and flow beside each other."""
        return len(self.days) == 1 and len(self.tiles) > _MANY_ARMS


@dataclass(frozen=True)
class _Frame:
    cells: pd.DataFrame
    fields: Mapping[str, np.ndarray]


def representative_animal(outcomes: pd.DataFrame, readouts: Sequence[Mapping[str, Any]]) -> int | None:
    """Return the animal that lies nearest the arms' medians, among those that finished in most arms.

    The distance is the mean over arms and readouts of the deviation from the arm's median, in units of the arm's median
    absolute deviation; headline readouts are used where the model names some.
    """
    if outcomes.empty:
        return None
    names = [r["name"] for r in readouts if r.get("headline") and r["kind"] != "time"]
    names = names or [r["name"] for r in readouts if r["kind"] != "time"]
    chosen = outcomes[outcomes["readout"].isin(names)]
    arms_finished = outcomes.groupby("animal")["arm"].nunique()
    candidates = arms_finished.index[arms_finished == arms_finished.max()]
    if chosen.empty:
        return int(candidates.min())
    groups = chosen.groupby(["arm", "readout"])["value"]
    away = (chosen["value"] - groups.transform("median")).abs()
    scale = away.groupby([chosen["arm"], chosen["readout"]]).transform("median")
    distance = (away / scale.where(scale > 0, 1.0)).groupby(chosen["animal"]).mean()
    ranked = distance.reindex(candidates).sort_values(kind="stable")
    return int(ranked.index.to_numpy()[0])


def tissue_figure(material: Material, result: ResultLike) -> TissueFigure | None:
    """Draw the tiles of the representative animal; None where the result holds no frame of one tissue."""
    if "domain" not in material.model:
        return None
    wanted = _layer_fields(material.model.get("fields", ()))
    found = _frames(material, result, [f["name"] for f in wanted])
    if found is None:
        return None
    animal, frames = found
    size_um = [float(s) for s in material.model["domain"]["size_um"]]
    depth = size_um[2] if int(material.model.get("dimensions", 2)) == 3 else None
    return _figure(material, animal, frames, wanted, size_um, depth, "")


def tissue_figures(material: Material, result: ResultLike) -> list[TissueFigure]:
    """Draw the tissue of a study, or of a body every site that is simulated cell by cell, each in its own extent."""
    whole = tissue_figure(material, result)
    if whole is not None or not material.sites:
        return [] if whole is None else [whole]
    found = _frames(material, result, [])
    if found is None:
        return []
    animal, frames = found
    figures = []
    for code, site in enumerate(material.sites):
        parts = {key: _of_site(frame, (code, site)) for key, frame in frames.items()}
        cells = [frame.cells for frame in parts.values() if frame is not None and len(frame.cells)]
        if cells:
            low, size_um = _extent(pd.concat(cells))
            moved = {key: _moved(frame, low) for key, frame in parts.items()}
            depth = size_um[2] if size_um[2] > _SLAB_UM else None
            figures.append(_figure(material, animal, moved, (), size_um, depth, site))
    return figures


def _of_site(frame: _Frame | None, names: tuple[int, str]) -> _Frame | None:
    """The cells of one site, which a frame gives by its code or by its name."""
    if frame is None or "site" not in frame.cells:
        return None
    return _Frame(frame.cells[frame.cells["site"].isin(names)], {})


def _extent(cells: pd.DataFrame) -> tuple[np.ndarray, list[float]]:
    """The lowest corner and the size of the box that holds all cells of a site."""
    places, radii = cells[["x", "y", "z"]].to_numpy(float), cells[["radius"]].to_numpy(float)
    low, high = (places - radii).min(axis=0), (places + radii).max(axis=0)
    return low, [float(length) for length in high - low]


def _moved(frame: _Frame | None, low: np.ndarray) -> _Frame | None:
    if frame is None:
        return None
    return _Frame(frame.cells.assign(**{axis: frame.cells[axis] - low[i] for i, axis in enumerate("xyz")}), {})


def _frames(
    material: Material, result: ResultLike, fields: Sequence[str]
) -> tuple[int, dict[tuple[str, float], _Frame | None]] | None:
    animal = representative_animal(material.outcomes, material.readouts)
    days = _chosen_days(result.frame_days(), _days_for(material))
    if animal is None or not days:
        return None
    frames = {(arm, day): _read(result, arm, animal, day, fields) for arm in material.arms for day in days}
    return (animal, frames) if any(frames.values()) else None


def _figure(
    material: Material,
    animal: int,
    frames: Mapping[tuple[str, float], _Frame | None],
    wanted: Sequence[Mapping[str, Any]],
    size_um: Sequence[float],
    depth: float | None,
    site: str,
) -> TissueFigure:
    layers = tuple(_scaled(wanted, frames))
    types = _typed_colours(material.model.get("cell_types", ()), frames)
    bar = _scale_bar(size_um[0])
    pixels = int(np.clip(_TILE_PIXELS * np.sqrt(_TILES_AT_FULL_SIZE / len(frames)), 280, _TILE_PIXELS))
    tiles = {
        (arm, day): _tile(frame, arm, day, types, layers, size_um, depth, bar, pixels)
        for (arm, day), frame in frames.items()
    }
    seen = {name for tile in tiles.values() for name, count in tile.counts.items() if count}
    return TissueFigure(
        animal=animal,
        animals=material.study.replicates,
        days=tuple(dict.fromkeys(day for _, day in frames)),
        tiles=tiles,
        cell_types=tuple(t for t in types if t[0] in seen),
        layers=layers,
        bar_um=bar,
        slab_um=_SLAB_UM if depth is not None and depth > _SLAB_UM else None,
        size_um=(size_um[0], size_um[1]),
        site=site,
    )


def _days_for(material: Material) -> int:
    """Of how many days there is room for pictures: of the many points of a sweep the last day alone."""
    if len(material.arms) <= _MANY_ARMS:
        return 4
    return 1 if points_of(material.study) else 3


def _chosen_days(days: Sequence[float], most: int) -> tuple[float, ...]:
    ordered = sorted(days)
    if most == 1:
        return tuple(ordered[-1:])
    if len(ordered) <= most:
        return tuple(ordered)
    return tuple(ordered[round(i)] for i in np.linspace(0, len(ordered) - 1, most))


def _layer_fields(fields: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    by_name = {f["name"]: f for f in fields}
    named = [by_name[name] for name in _LAYER_NAMES if name in by_name]
    return named or [f for f in fields if f.get("immobile")][:2]


def _read(result: ResultLike, arm: str, animal: int, day: float, names: Sequence[str]) -> _Frame | None:
    try:
        return _Frame(result.cells(arm, animal, day), {name: result.field(arm, animal, day, name) for name in names})
    except ResultError:
        return None


def _scaled(wanted: Sequence[Mapping[str, Any]], frames: Mapping[Any, _Frame | None]) -> list[Layer]:
    layers = []
    for rank, item in enumerate(wanted):
        tops = [float(np.nanpercentile(frame.fields[item["name"]], 99.5)) for frame in frames.values() if frame]
        top = max((t for t in tops if np.isfinite(t)), default=0.0)
        if top > 0:
            title, unit = str(item.get("title") or item["name"]), str(item.get("unit", ""))
            layers.append(Layer(item["name"], title, unit, _layer_colour(item, rank), top))
    return layers


def _layer_colour(item: Mapping[str, Any], rank: int) -> str:
    """Take the strong end of the colour map that the model suggests."""
    hint = str(item.get("colour"))
    if hint in colormaps:
        return to_hex(colormaps[hint](_STRONG_END))
    return to_hex(hint) if is_color_like(hint) else _LAYER_COLOURS[rank % len(_LAYER_COLOURS)]


def _typed_colours(
    declared: Sequence[Mapping[str, Any]], frames: Mapping[Any, _Frame | None]
) -> tuple[tuple[str, str, str], ...]:
    """Name, label and colour of every cell type; types that the model does not declare come last."""
    types = []
    for rank, item in enumerate(declared):
        colour = str(item.get("colour"))
        fallback = _CELL_COLOURS[rank % len(_CELL_COLOURS)]
        types.append(
            (item["name"], item.get("label") or item["name"], to_hex(colour) if is_color_like(colour) else fallback)
        )
    known = {t[0] for t in types}
    met = sorted({str(n) for frame in frames.values() if frame for n in frame.cells["type"].unique()} - known)
    return (*types, *((name, name, _CELL_COLOURS[(len(types) + i) % len(_CELL_COLOURS)]) for i, name in enumerate(met)))


def _scale_bar(width_um: float) -> float:
    """Return 100 um, or the nearest round length where that would not suit the picture."""
    return next((bar for bar in (100.0, 50.0, 20.0, 10.0) if bar <= 0.45 * width_um), 5.0) if width_um < 2500 else 500.0


def _tile(
    frame: _Frame | None,
    arm: str,
    day: float,
    types: Sequence[tuple[str, str, str]],
    layers: Sequence[Layer],
    size_um: Sequence[float],
    depth: float | None,
    bar: float,
    pixels: int,
) -> Tile:
    if frame is None:
        return Tile(None, f"No frame is stored for {arm} on day {day:g}.", {})
    cells = frame.cells
    if depth is not None and depth > _SLAB_UM:
        cells = cells[(cells["z"] - depth / 2).abs() <= _SLAB_UM / 2]
    counts = {name: int((cells["type"] == name).sum()) for name, _, _ in types}
    told = ", ".join(f"{counts[name]} {label}" for name, label, _ in types if counts[name]) or "no cells"
    image = _drawn(cells, frame.fields, types, layers, size_um, bar, pixels)
    return Tile(image, f"Tissue of {arm} on day {day:g}: {told}.", counts, cells, frame.fields)


def _drawn(
    cells: pd.DataFrame,
    fields: Mapping[str, np.ndarray],
    types: Sequence[tuple[str, str, str]],
    layers: Sequence[Layer],
    size_um: Sequence[float],
    bar: float,
    pixels: int,
) -> str:
    width, height = size_um[0], size_um[1]
    dpi = 100.0
    figure = Figure(figsize=(pixels / dpi, pixels * height / width / dpi), dpi=dpi, facecolor=_BACKGROUND)
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    _paint(axes, cells, fields, types, layers, (width, height))
    _draw_scale_bar(axes, bar, width, height)
    canvas.draw()  # type: ignore[no-untyped-call]
    picture = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy())  # type: ignore[no-untyped-call]
    stored = io.BytesIO()
    few = picture.quantize(_PALETTE_SIZE, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    few.save(stored, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(stored.getvalue()).decode("ascii")


def paint_tile(axes: Any, pictures: TissueFigure, tile: Tile) -> None:
    """Paint one picture as circles into axes of matplotlib, for print."""
    assert tile.cells is not None
    axes.set_facecolor(_BACKGROUND)
    _paint(
        axes, tile.cells, tile.fields, pictures.cell_types, pictures.layers, pictures.size_um, outline=0.15, alike=0.2
    )
    width, height = pictures.size_um
    _draw_scale_bar(axes, pictures.bar_um, width, height, points=5.5)
    axes.add_patch(Rectangle((0, 0), width, height, fill=False, edgecolor="#c9cdd3", linewidth=0.5, zorder=6))


def _paint(
    axes: Any,
    cells: pd.DataFrame,
    fields: Mapping[str, np.ndarray],
    types: Sequence[tuple[str, str, str]],
    layers: Sequence[Layer],
    size_um: tuple[float, float],
    outline: float = 0.45,
    alike: float = 0.0,
) -> None:
    """Paint fields and cells; radii are rounded to `alike` (um), so that a file of vectors holds each circle once."""
    width, height = size_um
    axes.set_axis_off()
    axes.add_patch(Rectangle((0, 0), width, height, facecolor=_BACKGROUND, linewidth=0, zorder=-1))
    for layer in layers:
        values = fields[layer.name]
        flat = values[values.shape[0] // 2]
        veil = np.empty((*flat.shape, 4))
        veil[..., :3] = to_rgb(layer.colour)
        veil[..., 3] = _LAYER_OPACITY * np.clip(np.nan_to_num(flat) / layer.top, 0, 1)
        axes.imshow(veil, origin="lower", extent=(0, width, 0, height), interpolation="bilinear", aspect="auto")
    for name, _, colour in types:
        some = cells[cells["type"] == name]
        for across, places in _discs(some, alike):
            discs = EllipseCollection(
                across,
                across,
                np.zeros(len(across)),
                units="xy",
                offsets=places,
                offset_transform=axes.transData,
                facecolors=colour,
                edgecolors=[tuple(0.62 * part for part in to_rgb(colour))],
                linewidths=outline,
            )
            axes.add_collection(discs)
    axes.set_xlim(0, width)
    axes.set_ylim(0, height)


def _discs(some: pd.DataFrame, alike: float) -> list[tuple[np.ndarray, np.ndarray]]:
    """Diameters and places of circles: all at once, or those of one rounded diameter together."""
    across = 2.0 * some["radius"].to_numpy(dtype=float)
    places = some[["x", "y"]].to_numpy(dtype=float)
    if not len(across):
        return []
    if not alike:
        return [(across, places)]
    rounded = 2.0 * alike * np.round(across / (2.0 * alike))
    return [(np.array([size]), places[rounded == size]) for size in np.unique(rounded)]


def cells_json(pictures: TissueFigure) -> str:
    """Write the cells of all pictures for the file for download; empty text if they are too many for the page.

    Places and radii are in tenths of a micrometre, so that they are whole numbers.
    """
    shown = [(key, tile.cells) for key, tile in pictures.tiles.items() if tile.cells is not None]
    if sum(len(cells) for _, cells in shown) > _MOST_CELLS_STORED:
        return ""
    names = sorted({str(name) for _, cells in shown for name in cells["type"].unique()})
    frames = []
    for (arm, day), cells in shown:
        tenths = (10.0 * cells[["x", "y", "z", "radius"]].to_numpy(dtype=float)).round().astype(int)
        kinds = cells["type"].map({name: i for i, name in enumerate(names)}).to_numpy(dtype=int)
        frames.append({"arm": arm, "day": day, "cells": np.column_stack([kinds, tenths]).ravel().tolist()})
    return json_text({"animal": pictures.animal, "types": names, "frames": frames})


def _draw_scale_bar(axes: Any, bar: float, width: float, height: float, points: float = 12.5) -> None:
    right, low = 0.965 * width, 0.045 * height
    axes.add_patch(
        Rectangle(
            (right - bar - 0.015 * width, low - 0.02 * height),
            bar + 0.03 * width,
            0.085 * height,
            facecolor=_BACKGROUND,
            alpha=0.8,
            linewidth=0,
            zorder=4,
        )
    )
    axes.plot([right - bar, right], [low, low], color=_INK, linewidth=0.26 * points, solid_capstyle="butt", zorder=5)
    axes.text(
        right - bar / 2,
        low + 0.018 * height,
        f"{bar:g} µm",
        ha="center",
        va="bottom",
        fontsize=points,
        color=_INK,
        zorder=5,
    )
