"""What every exporter of tissue frames asks of a result: geometry, units, concentrations at cells, and where it came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from paget.described import tissue_of
from paget.errors import ResultError
from paget.io.export.selection import SAME_DAY, Selection, site_names

if TYPE_CHECKING:
    import pandas as pd

    from paget.results import Result

__all__ = [
    "at_cells",
    "cells_of",
    "colours",
    "dimensions",
    "fields_of",
    "narrowed",
    "provenance",
    "sampled",
    "spacing",
    "units",
]

Concentrations = npt.NDArray[np.float32]

BOOKKEEPING = ("network_rest", "network_drawn", "network_renewed")  # of the simulator, and of no meaning outside
OF_EVERY_CELL = {"x": "um", "y": "um", "z": "um", "radius": "um"}


def cells_of(result: Result, arm: str, animal: int, day: float, sites: tuple[str, ...] | None = None) -> pd.DataFrame:
    """The cells of one frame, of some sites if any are named."""
    Selection(arms=(arm,), animals=(animal,), sites=sites).check(result)
    if not result.cell_days(arm, animal):
        Selection(arms=(arm,), animals=(animal,)).frames(result)  # says why there are none
    frame = result.cells(arm, animal, day)
    if sites is None:
        return frame
    return frame[frame["site"].isin(sites)].reset_index(drop=True)


def fields_of(
    result: Result, arm: str, animal: int, day: float, site: str | None = None
) -> dict[str, npt.NDArray[np.float32]]:
    """Concentrations [z, y, x] by name, of a body those at one site; empty if none are stored of that day."""
    if not any(abs(day - stored) < SAME_DAY for stored in result.field_days(arm, animal, site)):
        return {}
    names = [row["name"] for row in tissue_of(result.model, site).get("fields", ())]
    return {name: result.field(arm, animal, day, name, site) for name in names}


def at_cells(result: Result, arm: str, animal: int, day: float, cells: pd.DataFrame) -> dict[str, Concentrations]:
    """Concentration [n] of each field in the voxel that holds the centre of each cell, NaN where its site has no such field."""
    if "site" not in cells:
        return sampled(fields_of(result, arm, animal, day), cells, result.model)
    found: dict[str, Concentrations] = {}
    for site in result.field_sites:
        rows = np.flatnonzero(cells["site"].to_numpy() == site)
        there = sampled(
            fields_of(result, arm, animal, day, site) if rows.size else {},
            cells.iloc[rows],
            tissue_of(result.model, site),
        )
        for name, values in there.items():
            found.setdefault(name, np.full(len(cells), np.nan, np.float32))[rows] = values
    return found


def narrowed(model: Mapping[str, Any], sites: Sequence[str] | None) -> Mapping[str, Any]:
    """Description of a model of whose cells only those of some sites are shown: with the networks that these carry."""
    if sites is None:
        return model
    return {**model, "networks": [row for row in model.get("networks") or () if row.get("site", "") in ("", *sites)]}


def spacing(model: Mapping[str, Any]) -> tuple[float, float, float]:
    """Edges (x, y, z) of a voxel in um; the grid begins at the origin."""
    voxel = model.get("domain", {}).get("voxel_um")
    if voxel is None:
        raise ResultError(
            f"The model '{model['name']}' does not say how large its voxels are, so its fields have no scale."
        )
    edges = [float(edge) for edge in voxel] if isinstance(voxel, list) else [float(voxel)] * 3
    return edges[0], edges[1], edges[2]


def dimensions(model: Mapping[str, Any], cells: pd.DataFrame) -> int:
    """2 for a thin section, 3 for a block; pieces of a body are sections where all their cells lie in one plane."""
    if "dimensions" in model:
        return int(model["dimensions"])
    if "domain" in model:
        return 2 if model["domain"]["shape"][0] == 1 else 3
    groups = cells.groupby("site")["z"] if "site" in cells else [("", cells["z"])]
    return 2 if all(z.max() - z.min() <= 0.0 for _, z in groups if len(z)) else 3


def sampled(
    fields: Mapping[str, npt.NDArray[np.float32]], cells: pd.DataFrame, model: Mapping[str, Any]
) -> dict[str, npt.NDArray[np.float32]]:
    """Concentration [n] of each field in the voxel that holds the centre of each cell."""
    if not fields:
        return {}
    shape = next(iter(fields.values())).shape
    x, y, z = (
        np.clip(np.floor(cells[axis].to_numpy() / edge).astype(np.int64), 0, length - 1)
        for axis, edge, length in zip("xyz", spacing(model), shape[::-1], strict=True)
    )
    return {name: values[z, y, x] for name, values in fields.items()}


def units(result: Result) -> dict[str, str]:
    """Unit of every column of cells that has one, of ``field_<name>`` too; um and h inside paget, as they are stored."""
    known = {**OF_EVERY_CELL, **{k: v for k, v in result.model.get("cell_units", {}).items() if v}}
    fields = [row for site in result.field_sites or (None,) for row in tissue_of(result.model, site).get("fields", ())]
    return known | {f"field_{row['name']}": row["unit"] for row in fields if row["unit"]}


def colours(result: Result) -> dict[str, str]:
    """Colour of each cell type, as ``#rrggbb``; grey where the model gives none."""
    found = {row["name"]: row.get("colour") or "#888888" for row in result.model["cell_types"]}
    return {name: "#" + "".join(2 * c for c in code[1:]) if len(code) == 4 else code for name, code in found.items()}


def provenance(result: Result, arm: str, animal: int, day: float | None = None) -> dict[str, Any]:
    """Which virtual animal this is, by which study, software and sources: plain values for another tool's metadata."""
    manifest, model = result.manifest, result.model
    sources = [
        f"{s.get('text', s['key'])} {s.get('doi') or s.get('url') or ''}".strip() for s in model.get("sources", ())
    ]
    found: dict[str, Any] = {
        "simulator": "paget",
        "version": str(manifest.get("versions", {}).get("paget", "")),
        "study": result.study.name,
        "study_sha256": manifest["study_sha256"],
        "model": model["name"],
        "title": model.get("title", ""),
        "arm": arm,
        "animal": int(animal),
        "seed": int(manifest["seed"]),
        "created": manifest.get("created", ""),
        "units": units(result),
        "sites": list(site_names(result)),
        "sources": sources,
        "note": "simulated, not measured; research use only",
    }
    return found if day is None else {**found, "day": float(day)}
