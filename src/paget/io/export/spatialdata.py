"""Tissue frames as SpatialData: cells as circles or spheres, concentrations as an image, and the table that annotates them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from paget.described import tissue_of
from paget.io.export import needed
from paget.io.export.anndata import to_anndata
from paget.io.export.selection import Selection, stem
from paget.io.export.stored import fields_of, spacing

if TYPE_CHECKING:
    from paget.results import Result

__all__ = ["to_spatialdata", "write"]

_CELLS, _CENTRES, _FIELDS = "cells", "centres", "fields"


def to_spatialdata(result: Result, arm: str, animal: int, day: float, sites: tuple[str, ...] | None = None) -> Any:
    """One tissue frame as a `spatialdata.SpatialData`, in um.

    ``shapes["cells"]``: a circle of each cell, with z for a block of tissue. ``points["centres"]``: centres of the cells of a
    block, for viewers that draw no circles in three dimensions. ``images["fields"]``: concentrations, a channel each, scaled
    and placed on the cells. ``tables["table"]``: what `to_anndata` gives, annotating the circles. In a body each site has
    elements and a coordinate system of its own, ``cells_lung`` in ``lung``; else the system is ``global``.

    Parameters
    ----------
    day : a stored day; see `Result.cell_days`.
    sites : sites of a body to keep; all if left out.
    """
    spatialdata, models, transformations = (
        needed(name, "spatialdata", "SpatialData is made")
        for name in ("spatialdata", "spatialdata.models", "spatialdata.transformations")
    )
    table = to_anndata(result, arm, animal, day, sites)
    places, radii = table.obsm["spatial"], table.obs["radius"].to_numpy(np.float64)
    here = table.obs["site"].astype(str).to_numpy() if "site" in table.obs else np.full(table.n_obs, "")
    elements: dict[str, Any] = {}
    regions: list[str] = []
    region, instance = np.empty(table.n_obs, dtype=object), np.empty(table.n_obs, np.int64)
    for site in np.unique(here).tolist():
        rows = np.flatnonzero(here == site)
        suffix = f"_{site.lower().replace(' ', '_')}" if site else ""
        system = {site or "global": transformations.Identity()}
        numbers, name = np.arange(rows.size), f"{_CELLS}{suffix}"
        elements[name] = models.ShapesModel.parse(
            places[rows], geometry=0, radius=radii[rows], index=numbers, transformations=system
        )
        if places.shape[1] == 3:
            elements[f"{_CENTRES}{suffix}"] = models.PointsModel.parse(places[rows], transformations=system)
        region[rows], instance[rows] = name, numbers
        regions.append(name)
    table.obs["region"], table.obs["instance"] = pd.Categorical(region), instance
    if regions:
        table = models.TableModel.parse(table, region=regions, region_key="region", instance_key="instance")
    for place in [where for where in result.field_sites if sites is None or where in sites] or [""]:
        fields = fields_of(result, arm, animal, day, place)
        if fields:
            edges, within = spacing(tissue_of(result.model, place)), place or "global"
            name = f"{_FIELDS}_{place.lower().replace(' ', '_')}" if place else _FIELDS
            elements[name] = _image(fields, edges, within, places.shape[1], models, transformations)
    return spatialdata.SpatialData.init_from_elements({**elements, "table": table}, attrs={"paget": table.uns["paget"]})


def write(result: Result, folder: Path, selection: Selection) -> tuple[Path, ...]:
    """Write one SpatialData store, a folder ``.zarr``, for each selected frame."""
    written = []
    for frames in selection.frames(result, "cells"):
        for day in frames.days:
            path = folder / f"{stem(result, frames.arm, frames.animal, day)}.zarr"
            to_spatialdata(result, frames.arm, frames.animal, day, selection.sites).write(path)
            written.append(path)
    return tuple(written)


def _image(
    fields: dict[str, Any], edges: tuple[float, ...], system: str, dimensions: int, models: Any, transformations: Any
) -> Any:
    """Concentrations with a channel for each field; a pixel spans one voxel, and the first begins at the origin."""
    stack = np.stack(list(fields.values()))
    axes = ("x", "y", "z")[:dimensions]
    scale = {system: transformations.Scale(list(edges[:dimensions]), axes=axes)}
    parser, pixels = (models.Image2DModel, stack[:, 0]) if dimensions == 2 else (models.Image3DModel, stack)
    return parser.parse(pixels, dims=("c", *axes[::-1]), c_coords=list(fields), transformations=scale)
