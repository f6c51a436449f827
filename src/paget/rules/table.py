"""Rules as a table: one row per rule, comma-separated, quantities with their units."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from io import StringIO

from paget.errors import ModelError, PagetError
from paget.rules.sentence import Rule

__all__ = ["COLUMNS", "read_table", "write_table"]

COLUMNS = ("cell", "signal", "direction", "behaviour", "base", "saturation", "half_max", "hill", "dead", "source")


def write_table(rules: Iterable[Rule]) -> str:
    """The rules as comma-separated text with a header; `base` may be empty, `dead` is 1 for rules that apply to dead cells."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows((*rule.row, rule.source) for rule in rules)
    return out.getvalue()


def read_table(text: str, name: str = "the table") -> tuple[Rule, ...]:
    """Rules from the text that `write_table` writes.

    Raises
    ------
    ModelError
        With everything that is wrong, by line.
    """
    rows = list(csv.reader(StringIO(text)))
    if not rows or tuple(cell.strip() for cell in rows[0]) != COLUMNS:
        raise ModelError(f"{name}: the columns must be {', '.join(COLUMNS)}")
    rules, wrong = [], []
    for line, row in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(COLUMNS):
            wrong.append(f"line {line}: {len(row)} columns; {len(COLUMNS)} are needed")
            continue
        cell, signal, direction, behaviour, base, towards, half, hill, dead, source = (part.strip() for part in row)
        if dead not in ("0", "1"):
            wrong.append(f"line {line}: '{dead}' in column dead must be 0 or 1")
            continue
        try:
            rules.append(
                Rule.of(
                    cell, signal, direction, behaviour, towards, half, hill, base=base, dead=dead == "1", source=source
                )
            )
        except PagetError as problem:
            wrong.append(f"line {line}: {problem}")
    if wrong:
        raise ModelError(f"{name} cannot be read:", wrong)
    return tuple(rules)
