"""Tables of evidence as they are written: named columns in one order, whole rows, numbers, and sources that exist."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO

from paget.errors import EvidenceError, nearest
from paget.evidence.sources import load_sources

__all__ = ["number", "rows_of", "unknown_sources"]


def rows_of(text: str, name: str, columns: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Each row of a table with its place (``file:line``).

    Raises
    ------
    EvidenceError
        If the columns are others, or a row has more or fewer.
    """
    reader = csv.DictReader(StringIO(text))
    if tuple(reader.fieldnames or ()) != tuple(columns):
        raise EvidenceError(f"{name}: the columns must be {', '.join(columns)}")
    for row in reader:
        place = f"{name}:{reader.line_num}"
        if None in row or None in row.values():
            raise EvidenceError(f"{place}: the row has a different number of columns than the header")
        yield place, row


def number(row: Mapping[str, str], column: str, place: str, default: float) -> float:
    """The number in a column, or `default` where it is empty.

    Raises
    ------
    EvidenceError
    """
    text = row[column].strip()
    if not text:
        return default
    try:
        return float(text)
    except ValueError:
        raise EvidenceError(f"{place}: '{text}' in column {column} is not a number") from None


def unknown_sources(keys: str) -> list[str]:
    """What is wrong with source keys, separated by semicolons: one sentence for each that the bibliography lacks."""
    known = load_sources()
    given = [key.strip() for key in keys.split(";") if key.strip()]
    return [f"source '{key}' is not in sources.bib. {nearest(key, known)}" for key in given if key not in known]
