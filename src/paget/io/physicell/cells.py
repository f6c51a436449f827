"""Cell positions in comma-separated files: version 1 without a header (x, y, z, number of the type), version 2 with one."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from paget.errors import ModelError, nearest
from paget.evidence import ParameterTable, load_parameters
from paget.io.physicell.units import behaviour_unit
from paget.rules.behaviours import Behaviour, behaviour, behaviours_of
from paget.tissue.behaviours import base_values
from paget.tissue.definition import CellDefinition
from paget.tissue.placing import Cells, value_of
from paget.units import to_internal

__all__ = ["cells_from", "read_cells", "write_cells"]

HEADER = ("x", "y", "z", "type")
MOST_LINES = 10  # that are told of a file in which many are wrong, most often for the same reason


def read_cells(
    path: str | Path,
    *,
    definitions: Sequence[CellDefinition],
    units: Mapping[str, str],
    parameters: ParameterTable | None = None,
) -> Cells:
    """Cells of a file, for a tissue with these `definitions` and fields in these `units`.

    Columns after the type are `volume` or behaviours; a cell whose entry begins with `s` keeps the value of its type.

    Raises
    ------
    ModelError
        With everything that is wrong, by line.
    """
    path = Path(path)
    cells, wrong = cells_from(path.read_text(encoding="utf-8-sig"), path.name, definitions, units, parameters)
    if wrong:
        raise ModelError(f"{path.name} cannot be used:", wrong)
    return cells


def cells_from(
    text: str,
    name: str,
    definitions: Sequence[CellDefinition],
    units: Mapping[str, str],
    parameters: ParameterTable | None = None,
) -> tuple[Cells, list[str]]:
    """Cells of the text of a file, and everything that is wrong with it."""
    rows = [(line, [cell.strip() for cell in row]) for line, row in enumerate(csv.reader(StringIO(text)), start=1)]
    rows = [(line, row) for line, row in rows if any(row)]
    types = [definition.name for definition in definitions]
    wrong: list[str] = []
    header: Sequence[str] = HEADER
    if rows and _number(rows[0][1][0]) is None:
        header = rows.pop(0)[1]
        if tuple(column.lower() for column in header[:4]) != HEADER:
            wrong.append(f"{name}:1: the columns must begin with {', '.join(HEADER)}, not {', '.join(header[:4])}")
            return Cells(np.empty((0, 3))), wrong
    places: list[list[float]] = []
    kinds: list[str] = []
    further: list[list[float]] = []
    for line, row in rows:
        if len(row) != len(header):
            wrong.append(f"{name}:{line}: {len(row)} columns; {len(header)} are needed")
            continue
        numbers = [_number(text) for text in (*row[:3], *row[4:])]
        if None in numbers or any(number is None or math.isnan(number) for number in numbers[:3]):
            wrong.append(f"{name}:{line}: '{', '.join(row)}' are not all numbers")
            continue
        kind = row[3] if row[3] in types else _by_number(row[3], types)
        if kind is None:
            wrong.append(f"{name}:{line}: unknown cell type '{row[3]}'. {nearest(row[3], types)}")
            continue
        known_numbers = [number for number in numbers if number is not None]
        places.append(known_numbers[:3])
        kinds.append(kind)
        further.append(known_numbers[3:])
    if len(wrong) > MOST_LINES:
        wrong = [*wrong[:MOST_LINES], f"{name}: {len(wrong) - MOST_LINES} further lines like these"]
    given = np.array(further, dtype=np.float64).reshape(len(places), len(header) - 4)
    kind_rows = np.array([types.index(kind) for kind in kinds], dtype=np.int64)
    columns, behaviours = {}, {}
    table = parameters or load_parameters("tissue")
    for index, column in enumerate(header[4:]):
        values = given[:, index]
        if column.strip().lower() == "volume":
            usual = np.array([value_of(d.volume.total, "um**3", table) for d in definitions])[kind_rows]
            columns["cell.volume"] = np.where(np.isnan(values), usual, values)
            continue
        about = behaviour(column)
        known = behaviours_of(types, [u.removeprefix("field.") for u in units], phases=6)
        if about is None or about.name not in known:
            wrong.append(f"{name}:1: unknown column '{column}'. {nearest(column, ['volume', *known])}")
            continue
        usual = _bases(about, definitions, units, table)[kind_rows]
        behaviours[about.name] = np.where(np.isnan(values), usual, values * _factor(about, units))
    return Cells(np.array(places, dtype=np.float64).reshape(len(places), 3), tuple(kinds), columns, behaviours), wrong


def _number(text: str) -> float | None:
    """The number, NaN for an entry that is to be skipped, None for what is neither."""
    if text[:1].lower() == "s":
        return math.nan
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _by_number(text: str, types: Sequence[str]) -> str | None:
    try:
        index = int(float(text))
    except ValueError:
        return None
    return types[index] if 0 <= index < len(types) and float(text) == index else None


def _factor(about: Behaviour, units: Mapping[str, str]) -> float:
    """What turns a number in PhysiCell's unit into one in the unit here."""
    field_unit = units.get(f"field.{about.about}", "")
    here = about.unit.replace("@", field_unit or "dimensionless")
    there = behaviour_unit(about, field_unit)
    return 1.0 if here == there else to_internal(f"1 {there}", here)


def _bases(
    about: Behaviour, definitions: Sequence[CellDefinition], units: Mapping[str, str], table: ParameterTable
) -> NDArray[np.float64]:
    numbers = {
        f"{index}.{slot}": value_of(value, unit, table)
        for index, definition in enumerate(definitions)
        for slot, value, unit in definition.listed(units)
        if slot == about.slot
    }
    bases: NDArray[np.float64] = base_values(numbers, definitions, (about,))[0]
    return bases


def write_cells(cells: Cells, types: Sequence[str], units: Mapping[str, str], names: Mapping[str, str]) -> str:
    """The text of a file of version 2; `types` are all cell types, `names` gives the name of each field there, by its noun.

    Raises
    ------
    ModelError
        If cells have variables of their own that such a file cannot hold.
    """
    wrong = [f"the variable {name} of single cells" for name in cells.columns if name != "cell.volume"]
    if wrong:
        raise ModelError("PhysiCell's file of cells cannot say:", wrong)
    extra = [("volume", np.asarray(cells.columns["cell.volume"]))] if "cell.volume" in cells.columns else []
    for name, values in cells.behaviours.items():
        about = behaviour(name)
        assert about is not None
        shown = " ".join(names.get(word, word) for word in about.name.split(" "))
        extra.append((shown, np.asarray(values) / _factor(about, units)))
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow((*HEADER, *(name for name, _ in extra)))
    named = cells.types or types[0]
    kinds = (named,) * len(cells.positions) if isinstance(named, str) else named
    for row, (place, kind) in enumerate(zip(np.asarray(cells.positions).tolist(), kinds, strict=True)):
        writer.writerow((*map(repr, place), kind, *(repr(float(values[row])) for _, values in extra)))
    return out.getvalue()
