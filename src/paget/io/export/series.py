"""Readouts and concentrations as arrays with named axes and units: for xarray, and as NetCDF."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from paget.described import checked_site, tissue_of
from paget.errors import UnknownNameError
from paget.io.export import needed
from paget.io.export.selection import Selection
from paget.io.export.stored import fields_of, spacing

if TYPE_CHECKING:
    from paget.results import Result

__all__ = ["fields_to_xarray", "to_xarray", "write"]

EXTRA = "export"
WHAT = ("metrics", "outcomes")
DAY = {"units": "day", "long_name": "time since the start of the study"}
TOLD = {"title": "long_name", "meaning": "description", "unit": "units", "kind": "kind", "summary": "summary"}


def to_xarray(result: Result, what: str = "metrics", selection: Selection | None = None) -> Any:
    """Readouts as an `xarray.Dataset`: one variable each, over arm, animal and day; NaN where an animal has no value.

    Parameters
    ----------
    what : "metrics", the readouts over time, or "outcomes", one value for each animal with ``<readout>_observed``, which is
        False where the event had not happened by the end of the study.
    selection : arms, animals and days; everything if left out.

    Returns
    -------
    Dataset whose variables have ``units`` and ``long_name``; an animal that failed or was not run is NaN throughout, and
    ``status`` (arm, animal) says why.
    """
    if what not in WHAT:
        raise UnknownNameError("table", what, WHAT)
    xarray = needed("xarray", EXTRA, "Arrays with named axes are made")
    chosen = selection if selection is not None else Selection()
    chosen.check(result)
    arms, animals = chosen.chosen_arms(result), chosen.chosen_animals(result)
    about = {readout["name"]: readout for readout in result.readouts}
    table = result.metrics if what == "metrics" else result.outcomes
    table = table[table["arm"].isin(arms) & table["animal"].isin(animals)]
    place: tuple[Any, ...] = (
        _places(table["arm"].to_numpy(), np.array(arms, dtype=object)),
        np.searchsorted(animals, table["animal"].to_numpy(np.int64)),
    )
    axes: dict[str, Any] = {"arm": np.array(arms, dtype=str), "animal": np.array(animals, np.int64)}
    variables: dict[str, Any] = {}
    if what == "metrics":
        table, place, days = _on_days(table, place, chosen)
        axes["day"] = ("day", days, DAY)
        shape = (len(arms), len(animals), days.size)
        for name in [n for n in about if n in table]:
            values = np.full(shape, np.nan)
            values[place] = table[name].to_numpy(np.float64)
            variables[name] = (("arm", "animal", "day"), values, _attributes(about[name]))
    else:
        for name in about:
            mine = (table["readout"] == name).to_numpy()
            where = tuple(one[mine] for one in place)
            values, observed = np.full((len(arms), len(animals)), np.nan), np.zeros((len(arms), len(animals)), bool)
            values[where] = table["value"].to_numpy(np.float64)[mine]
            observed[where] = table["observed"].to_numpy(bool)[mine]
            variables[name] = (("arm", "animal"), values, _attributes(about[name]))
            told = {"long_name": f"whether {name} was observed, not censored at the end of the study"}
            variables[f"{name}_observed"] = (("arm", "animal"), observed, told)
    variables["status"] = (("arm", "animal"), _status(result, arms, animals), {"long_name": "how the animal went"})
    return xarray.Dataset(variables, coords=axes, attrs=_about(result))


def fields_to_xarray(
    result: Result, arm: str, animal: int, days: Sequence[float] | None = None, site: str | None = None
) -> Any:
    """Concentrations of one animal as an `xarray.Dataset`: one variable each, over day, z, y and x (centres of voxels, um).

    days : stored days; all of them if left out. site : of a body, one of those that have fields.
    """
    xarray = needed("xarray", EXTRA, "Arrays with named axes are made")
    where = checked_site(result.model, site)
    days = None if days is None else tuple(days)
    chosen = Selection(arms=(arm,), animals=(animal,), days=days, sites=(where,) if where else None)
    (frames,) = chosen.frames(result, "fields")
    tissue = tissue_of(result.model, where)
    edges = dict(zip("xyz", spacing(tissue), strict=True))
    by_day = [fields_of(result, arm, animal, day, where) for day in frames.days]
    shape = dict(zip("zyx", next(iter(by_day[0].values())).shape, strict=True))
    axes: dict[str, Any] = {"day": ("day", np.array(frames.days), DAY)}
    for axis in "zyx":
        axes[axis] = (axis, edges[axis] * (np.arange(shape[axis]) + 0.5), {"units": "um", "axis": axis.upper()})
    variables = {
        row["name"]: (
            ("day", "z", "y", "x"),
            np.stack([fields[row["name"]] for fields in by_day]),
            {"long_name": row.get("title") or row["name"], "units": row["unit"] or "1"},
        )
        for row in tissue["fields"]
    }
    about = {**_about(result), "arm": arm, "animal": int(animal), **({"site": where} if where else {})}
    return xarray.Dataset(variables, coords=axes, attrs=about)


def write(result: Result, folder: Path, selection: Selection) -> tuple[Path, ...]:
    """Write ``metrics.nc``, readouts over time, and ``outcomes.nc``, in the classic format that every NetCDF reader knows.

    A selection of days leaves the outcomes out, as these belong to the whole study.
    """
    written = []
    for what in WHAT if selection.days is None else WHAT[:1]:
        data = to_xarray(result, what, selection)
        for name in data.data_vars:
            if data[name].dtype == bool:
                data[name] = data[name].astype(np.int8).assign_attrs(data[name].attrs)
        path = folder / f"{what}.nc"
        data.to_netcdf(path, engine="scipy", format="NETCDF3_64BIT")
        written.append(path)
    return tuple(written)


def _about(result: Result) -> dict[str, Any]:
    study = result.study
    return {
        "title": study.title or study.name,
        "study": study.name,
        "seed": int(study.seed),
        "source": f"paget {result.manifest['versions']['paget']}",
        "history": f"{result.manifest['created']} simulated",
        "study_sha256": result.manifest["study_sha256"],
        "Conventions": "CF-1.11",
    }


def _attributes(readout: dict[str, Any]) -> dict[str, str]:
    """What is told of a readout; a number without a unit has the unit 1."""
    told = {theirs: str(readout.get(ours, "")) for ours, theirs in TOLD.items()}
    return {**{name: text for name, text in told.items() if text}, "units": told["units"] or "1"}


def _places(values: Any, known: Any) -> Any:
    """Place of each value among the known ones, which come in an order of their own."""
    order = np.argsort(known)
    return order[np.searchsorted(known[order], values)]


def _on_days(table: Any, place: tuple[Any, ...], selection: Selection) -> tuple[Any, tuple[Any, ...], Any]:
    """The rows on chosen days, their place with that of the day added, and the days; equal up to rounding is equal."""
    days = np.round(table["day"].to_numpy(np.float64), 6)
    all_days = np.unique(days)
    kept = np.array([day for day in all_days.tolist() if selection.includes_day(day)], np.float64)
    rows = np.isin(days, kept)
    return table[rows], (*(one[rows] for one in place), np.searchsorted(kept, days[rows])), kept


def _status(result: Result, arms: tuple[str, ...], animals: tuple[int, ...]) -> Any:
    """Status of each animal by name; animals that are computed in blocks have that of their block."""
    size = max(int(result.model.get("block", 1)), 1)
    known = {(row.arm, row.animal): str(row.status) for row in result.status.itertuples()}
    return np.array([[known[arm, animal // size * size] for animal in animals] for arm in arms], dtype=str).reshape(
        len(arms), len(animals)
    )
