"""Pieces of HTML that sections share: tables, boxes that scroll, folds, and buttons for downloads."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from paget.report.theme import json_text

__all__ = ["Cell", "download", "folded", "scrolling", "table"]


@dataclass(frozen=True)
class Cell:
    """One cell: its HTML, the value that it sorts by (its text if None), and whether it is a number."""

    html: str
    value: float | None = None
    number: bool = False


def folded(summary: str, content: str) -> str:
    """Hide long content behind its title."""
    return f"<details><summary>{escape(summary)}</summary>{content}</details>"


def scrolling(label: str, content: str) -> str:
    """Let wide content scroll sideways, by keyboard too."""
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(label)}">{content}</div>'


def download(what: str, label: str, told: str = "") -> str:
    """Write a button that saves `what` of the figure or table around it; `told` names it where the label does not."""
    name = f' aria-label="{escape(told)}"' if told else ""
    return f'<button type="button" class="download" data-download="{what}"{name}>{label}</button>'


def table(
    caption: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    name: str,
    *,
    sortable: bool = True,
    records: Sequence[Mapping[str, Any]] = (),
    note: str = "",
    figure_data: bool = False,
) -> str:
    """Write a table with a download; headings of a sortable one are buttons.

    The file for download is written from `records` (alike in their keys) if given, otherwise from the cells. A `note`
    (plain text) stands below. Where `figure_data` holds, the table is what the figure around it shows in numbers.
    """
    labels = [f'<button type="button" class="sort">{escape(c)}</button>' if sortable else escape(c) for c in columns]
    heads = "".join(f'<th scope="col">{label}</th>' for label in labels)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    content = f"<table><caption>{escape(caption)}</caption><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"
    stored = f'<script type="application/json">{json_text(list(records))}</script>' if records else ""
    below = f'<p class="note">{escape(note)}</p>' if note else ""
    told = download("table", "CSV", f"{caption}, as CSV")
    mark = " data-figure" if figure_data else ""
    return (
        f'<div class="table" data-name="{escape(name)}"{mark}>{scrolling(caption, content)}{below}{told}{stored}</div>'
    )


def _cell(cell: Cell) -> str:
    value = f' data-value="{cell.value!r}"' if cell.value is not None and math.isfinite(cell.value) else ""
    kind = ' class="number"' if cell.number else ""
    return f"<td{kind}{value}>{cell.html}</td>"
