"""Tidy tables as CSV, one row for each thing observed, with every column described: for R, Excel, Prism and the like.

The descriptions are in ``csv-metadata.json``, by the W3C's recommendation "CSV on the Web".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from paget.io.export.naming import animal_stem, animals_of
from paget.io.export.selection import Selection
from paget.vocabulary import VARIABLES

if TYPE_CHECKING:
    from paget.results import Result

__all__ = ["METADATA", "write"]

METADATA = "csv-metadata.json"

# column -> (unit, meaning)
_TOLD = {
    "arm": ("", "arm of the study"),
    "animal": ("", "number of the animal, the same in every arm"),
    "day": ("day", "time since the start of the study"),
    "readout": ("", "name of the readout"),
    "value": ("", "value of the readout, in its unit"),
    "observed": ("", "false where the event had not happened by the end of the study (censored)"),
    "unit": ("", "unit of the value"),
    "status": ("", "done, running, pending or failed"),
    "tries": ("", "how often the animal was begun"),
    "wall_seconds": ("s", "time of computing"),
    "error": ("", "why the animal failed"),
    "id": ("", "number of the cell, for life; daughters have new ones"),
    "type": ("", "cell type"),
    "site": ("", "site of the body"),
    "origin": ("", "site from which an arriving cell came"),
    "kind": ("", "kind of event"),
    "cell": ("", "the cell to which it happened; of a division the mother"),
    "other": ("", "the other cell: of a division the daughter, one event for each; of an arrival its host or party"),
    "clone": ("", "number of the clone"),
    "x": ("um", "position along x"),
    "y": ("um", "position along y"),
    "z": ("um", "position along z"),
}


def write(result: Result, folder: Path, selection: Selection) -> tuple[Path, ...]:
    """Write metrics, outcomes and runs, and for each animal its events and its cells of all stored days.

    A selection of days leaves out the tables of outcomes, runs and events, which belong to the whole study; one of sites
    counts for cells and events.
    """
    selection.check(result)
    whole = selection.days is None
    described: dict[str, list[dict[str, Any]]] = {}

    def put(name: str, tables: Iterable[pd.DataFrame], about: Mapping[str, tuple[str, str]]) -> None:
        columns = _write(folder / name, tables)
        if columns is not None:
            described[name] = [_described(column, kind, about) for column, kind in columns]

    readouts = {r["name"]: (r.get("unit", ""), r.get("meaning") or r.get("title", "")) for r in result.readouts}
    metrics = result.metrics
    metrics = metrics[_of(metrics, result, selection) & metrics["day"].map(selection.includes_day)]
    if len(metrics) or whole:
        put("metrics.csv", [metrics], readouts)
    if whole:
        outcomes = result.outcomes
        units = {name: unit for name, (unit, _) in readouts.items()}
        put("outcomes.csv", [_with_units(outcomes[_of(outcomes, result, selection)], units)], {})
        status = result.status
        put("runs.csv", [status[status["arm"].isin(selection.chosen_arms(result))]], {})
    if result.model.get("cell_types"):
        for arm, animal in animals_of(result, selection):
            stem, whose = animal_stem(result, arm, animal), {"arm": arm, "animal": animal}
            if whole:
                put(f"events/{stem}.csv", _events(result, whose, selection), {})
            put(f"cells/{stem}.csv", _cells(result, whose, selection), _cell_columns(result))
    (folder / METADATA).write_text(json.dumps(_metadata(result, described), indent=1) + "\n", encoding="utf-8")
    return (*(folder / name for name in described), folder / METADATA)


def _of(table: pd.DataFrame, result: Result, selection: Selection) -> Any:
    return table["arm"].isin(selection.chosen_arms(result)) & table["animal"].isin(selection.chosen_animals(result))


def _with_units(outcomes: pd.DataFrame, units: Mapping[str, str]) -> pd.DataFrame:
    return outcomes.assign(unit=outcomes["readout"].map(dict(units)))


def _events(result: Result, whose: Mapping[str, Any], selection: Selection) -> Iterable[pd.DataFrame]:
    table = result.events(whose["arm"], whose["animal"])
    if len(table):
        yield _tidy(table, whose, selection)


def _cells(result: Result, whose: Mapping[str, Any], selection: Selection) -> Iterable[pd.DataFrame]:
    """Frame by frame, so that no more than one is in memory."""
    for day in result.cell_days(whose["arm"], whose["animal"]):
        if selection.includes_day(day):
            yield _tidy(result.cells(whose["arm"], whose["animal"], day), {**whose, "day": day}, selection)


def _tidy(table: pd.DataFrame, whose: Mapping[str, Any], selection: Selection) -> pd.DataFrame:
    if selection.sites is not None and "site" in table:
        table = table[table["site"].isin(selection.sites)]
    table = table.drop(columns=[name for name in whose if name in table])
    for place, (name, value) in enumerate(whose.items()):
        table.insert(place, name, value)
    return table


def _cell_columns(result: Result) -> dict[str, tuple[str, str]]:
    """Unit and meaning of the columns of cells, those of the model first."""
    told = {v.name.removeprefix("cell."): (v.unit, v.title) for v in VARIABLES.values() if v.name.startswith("cell.")}
    for name, unit in result.model.get("cell_units", {}).items():
        told[name] = (unit, told.get(name, ("", ""))[1])
    return told


def _write(path: Path, tables: Iterable[pd.DataFrame]) -> list[tuple[str, str]] | None:
    """Write tables of the same columns below one another; the columns with their types, or None if there is no table."""
    import pyarrow as pa
    from pyarrow import csv

    writer, schema = None, None
    try:
        for table in tables:
            if writer is None:
                path.parent.mkdir(parents=True, exist_ok=True)
                schema = pa.schema(
                    # A column of names without a row, or without any name, does not tell that it holds text.
                    [
                        pa.field(field.name, pa.string() if pa.types.is_null(field.type) else field.type)
                        for field in pa.Schema.from_pandas(table, preserve_index=False)
                    ]
                )
                writer = csv.CSVWriter(path, schema, write_options=csv.WriteOptions(quoting_style="needed"))
            writer.write_table(pa.Table.from_pandas(table, schema=schema, preserve_index=False))
    finally:
        if writer is not None:
            writer.close()
    return None if schema is None else [(field.name, _datatype(field.type)) for field in schema]


def _datatype(kind: Any) -> str:
    """The name of a type in "CSV on the Web"."""
    from pyarrow import types

    if types.is_boolean(kind):
        return "boolean"
    if types.is_floating(kind):
        return "number"
    if types.is_uint64(kind):
        return "unsignedLong"  # ids: more digits than a double holds
    return "integer" if types.is_integer(kind) else "string"


def _described(column: str, datatype: str, about: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    """One column as "CSV on the Web" describes it; a column without a unit is a number, a name or a text."""
    unit, meaning = about.get(column) or _TOLD.get(column, ("", ""))
    told: dict[str, Any] = {"name": column, "titles": column, "datatype": datatype}
    if meaning or column in _TOLD:
        told["dc:description"] = meaning or _TOLD[column][1]
    if unit:
        told["schema:unitText"] = unit
    return told


def _metadata(result: Result, described: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    study = result.study
    return {
        "@context": "http://www.w3.org/ns/csvw",
        "dc:title": study.title or study.name,
        "dc:creator": f"paget {result.manifest['versions']['paget']}",
        "dc:identifier": result.manifest["study_sha256"],
        "dc:description": f"Study {study.name}, seed {study.seed}. An empty field is a missing value.",
        "tables": [{"url": name, "tableSchema": {"columns": columns}} for name, columns in described.items()],
    }
