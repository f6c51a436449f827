"""Tissue frames as AnnData: what scanpy, squidpy and the rest of scverse analyse as they would a spatial omics sample."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from paget.io.export import needed
from paget.io.export.expression import GEOMETRY, expression
from paget.io.export.hdf5 import hdf5_file
from paget.io.export.selection import Selection, stem
from paget.io.export.stored import BOOKKEEPING, at_cells, cells_of, colours, dimensions, narrowed, provenance

if TYPE_CHECKING:
    import pandas as pd

    from paget.results import Result

__all__ = ["to_anndata", "write"]

_PURPOSE = "AnnData is made"
_CATEGORIES = ("clone", "founder", "site")


def to_anndata(result: Result, arm: str, animal: int, day: float, sites: tuple[str, ...] | None = None) -> Any:
    """The cells of one animal on one day as an `anndata.AnnData` with n cells and m nodes or variables.

    ``X``: states of the nodes of the networks that cells carry, by HGNC symbol, or without networks the dimensionless
    variables of the cells; see `paget.io.export.expression`. ``layers["activity"]``: share of recent time that nodes were on,
    where kept. ``obs``: cell type, clone, founder, site, radius and every further column, and ``field_<name>``: the
    concentration in the cell's voxel. ``obsm["spatial"]``: centres in um, 2 columns for a section, 3 for a block; sites of a
    body each have an origin of their own, so analyse them with ``library_key="site"``. ``uns["paget"]``: where it came from.

    Parameters
    ----------
    day : a stored day; see `Result.cell_days`.
    sites : sites of a body to keep; all if left out.

    Raises
    ------
    ResultError
        If the result has no such frame, or keeps no cells, or anndata is not installed.
    """
    anndata = needed("anndata", "export", _PURPOSE)
    frame = cells_of(result, arm, animal, day, sites)
    model = narrowed(result.model, sites)
    matrix = expression(frame, model)
    obs = _observations(result, frame)
    obs["network"] = _categorical(matrix.network)
    for name, values in at_cells(result, arm, animal, day, frame).items():
        obs[f"field_{name}"] = values
    about = provenance(result, arm, animal, day)
    about["units"] = {name: unit for name, unit in about["units"].items() if name in obs or name in ("x", "y", "z")}
    about["X"] = "states of network nodes" if model.get("networks") else "dimensionless variables of the cells"
    colour = colours(result)
    made = anndata.AnnData(
        X=matrix.values,
        obs=obs,
        var=matrix.variables,
        obsm={"spatial": frame[["x", "y", "z"][: dimensions(result.model, frame)]].to_numpy(np.float64)},
        uns={
            "paget": about,
            # scanpy and squidpy look for the colours of a column under this name
            "cell_type_colors": np.array([colour[name] for name in obs["cell_type"].cat.categories], dtype=object),
        },
    )
    if matrix.activity is not None:
        made.layers["activity"] = matrix.activity
    return made


def write(result: Result, folder: Path, selection: Selection) -> tuple[Path, ...]:
    """Write one ``.h5ad`` file for each selected frame."""
    anndata = needed("anndata", "export", _PURPOSE)
    written = []
    for frames in selection.frames(result, "cells"):
        for day in frames.days:
            made = to_anndata(result, frames.arm, frames.animal, day, selection.sites)
            path = folder / f"{stem(result, frames.arm, frames.animal, day)}.h5ad"
            made.strings_to_categoricals()  # as anndata's own writer does
            with hdf5_file(path, _PURPOSE) as file:
                anndata.io.write_elem(file, "/", made, dataset_kwargs={"compression": "gzip", "compression_opts": 1})
            written.append(path)
    return tuple(written)


def _observations(result: Result, frame: pd.DataFrame) -> pd.DataFrame:
    """What is known of each cell, named by its id."""
    import pandas as pd

    types = {row["name"]: row for row in result.model["cell_types"]}
    words = {word for row in result.model.get("networks") or () for word in row["words"]}
    index = pd.Index(frame["id"].astype(str).to_numpy(dtype=object), name="cell")
    obs = pd.DataFrame({"cell_type": _categorical(frame["type"].to_numpy())}, index=index)
    for column, key in (("cell_type_ontology_term_id", "ontology"), ("group", "group")):
        obs[column] = _categorical(
            frame["type"].map({name: row.get(key, "") for name, row in types.items()}).to_numpy()
        )
    obs["radius"] = frame["radius"].to_numpy()
    for name in frame.columns:
        if name in GEOMETRY or name in words or name in BOOKKEEPING:
            continue
        values = frame[name].to_numpy()
        obs[name] = _categorical(values) if name in _CATEGORIES else values
    return obs


def _categorical(values: Any) -> Any:
    """Names in order, those that occur only: tools that count pairs of groups stumble over empty ones."""
    import pandas as pd

    found, codes = np.unique(values, return_inverse=True)  # numbers in the order of numbers, though written as text
    return pd.Categorical.from_codes(codes.reshape(-1), pd.Index([str(one) for one in found], dtype=object))
