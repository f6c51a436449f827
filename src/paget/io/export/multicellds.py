"""Tissue frames as PhysiCell would have written them: a folder of MultiCellDS snapshots for each animal and site.

``initial.xml`` is the first frame, ``output00000000.xml`` and so on all of them, in minutes and micrometres. Cells keep
one number over all frames. Variables of the cells that PhysiCell does not know follow as custom data, under their names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from paget.described import tissue_of
from paget.errors import ResultError
from paget.io.export.naming import animal_stem
from paget.io.export.selection import Frames, Selection
from paget.io.export.stored import cells_of, fields_of, spacing

if TYPE_CHECKING:
    from paget.io.physicell import Snapshot
    from paget.results import Result

__all__ = ["write"]

HOURS_PER_DAY = 24.0
_PLACED = ("id", "type", "site", "x", "y", "z")


def write(result: Result, folder: Path, selection: Selection) -> tuple[Path, ...]:
    """Write one folder for each animal, or for each animal and site; the paths are those of the XML files."""
    written = []
    for frames in selection.frames(result):
        sites: Sequence[str] = selection.chosen_sites(result) or ("",)
        for site in sites:
            stem = animal_stem(result, frames.arm, frames.animal) + (f"-{site.replace(' ', '-')}" if site else "")
            written += _series(result, folder / stem, frames, site)
    if not written:
        raise ResultError("The selected sites have no cells on the selected days.")
    return tuple(written)


def _series(result: Result, folder: Path, frames: Frames, site: str) -> list[Path]:
    """Write the frames of one site one by one; none if there is never a cell."""
    from paget.io.physicell import write_snapshot

    where = (site,) if site else None
    ids, around = _survey(cells_of(result, frames.arm, frames.animal, day, where) for day in frames.days)
    written: list[Path] = []
    for index, day in enumerate(frames.days if ids.size else ()):
        table = cells_of(result, frames.arm, frames.animal, day, where)
        fields = fields_of(result, frames.arm, frames.animal, day, site)
        snapshot = _snapshot(result, day, table, ids, fields, around, site)
        if index == 0:
            written.append(write_snapshot(folder, "initial", snapshot))
        written.append(write_snapshot(folder, index, snapshot))
    return written


def _survey(
    tables: Iterable[pd.DataFrame],
) -> tuple[npt.NDArray[np.uint64], tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]:
    """Ids of all cells in order; lower corner and edges in um of a box around them, at least 1 um wide."""
    ids = np.empty(0, np.uint64)
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    for table in tables:
        ids = np.union1d(ids, table["id"].to_numpy(np.uint64))
        place, radius = table[["x", "y", "z"]].to_numpy(np.float64), table["radius"].to_numpy(np.float64)[:, None]
        low = np.minimum(low, (place - radius).min(axis=0, initial=np.inf))
        high = np.maximum(high, (place + radius).max(axis=0, initial=-np.inf))
    return ids, (low, np.maximum(high - low, 1.0))


def _snapshot(
    result: Result,
    day: float,
    table: pd.DataFrame,
    ids: npt.NDArray[np.uint64],
    fields: Mapping[str, npt.NDArray[np.float32]],
    around: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]],
    site: str,
) -> Snapshot:
    from paget.io.physicell import Snapshot
    from paget.tissue.fields import Substrate

    types = tuple(t["name"] for t in result.model["cell_types"])
    tissue = tissue_of(result.model, site if fields else "")
    about = {row["name"]: row for row in tissue.get("fields", ())}
    radius = table["radius"].to_numpy(np.float64)
    columns: dict[str, npt.NDArray[Any]] = {
        f"cell.{name}": _numbers(table[name])
        for name in table.columns
        if name not in _PLACED and table[name].dtype.kind in "iufb"
    }
    known = result.model.get("cell_units", {})
    own = {name: known.get(name.removeprefix("cell."), "") for name in columns}
    columns.setdefault("cell.volume", 4.0 / 3.0 * np.pi * radius**3)
    columns["ID"] = np.searchsorted(ids, table["id"].to_numpy(np.uint64))
    low, edges = ((0.0, 0.0, 0.0), spacing(tissue)) if fields else (corner.tolist() for corner in around)
    return Snapshot(
        time=HOURS_PER_DAY * day,
        positions=table[["x", "y", "z"]].to_numpy(np.float64),
        kind=pd.Categorical(table["type"], categories=list(types)).codes.astype(np.int64),
        types=types,
        columns=columns,
        fields={f"field.{name}": values.astype(np.float64) for name, values in fields.items()},
        # What a field was supplied with and lost belongs to the processes of the model, not to the field.
        substrates=tuple(
            Substrate(
                field=f"field.{name}",
                unit=about[name]["unit"],
                title=name,
                immobile=bool(about[name].get("immobile")),
            )
            for name in fields
        ),
        origin=(low[0], low[1], low[2]),
        spacing=(edges[0], edges[1], edges[2]),
        own=own,
    )


def _numbers(column: pd.Series) -> npt.NDArray[np.float64]:
    return column.to_numpy(np.float64)
