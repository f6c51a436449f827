"""One figure of the report: what stands in it, for the page and for files in print alike."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from paget.report.drawing import Drawing
from paget.report.markup import download
from paget.report.material import MISSING_MARK, Material
from paget.report.plotting import Panel
from paget.report.tables import swatch
from paget.report.tissue import TissueFigure

__all__ = ["Plate", "Plots", "Row", "figure_html", "legend", "panel_letter"]

_LETTERS = "abcdefghijklmnopqrstuvwxyz"

Plots = dict[str, dict[str, Any]]


@dataclass(frozen=True, eq=False)
class Row:
    """Panels that flow beside each other, by a grid of the style sheet: one, few, many or four in a row."""

    panels: Sequence[Panel]
    grid: str
    heading: str = ""


@dataclass(frozen=True, eq=False)
class Plate:
    """One figure, before it has its number.

    name : for files. parts : plotted panels, and whatever else stands among them, as HTML. caption : as HTML
    arms : those whose colours the panels use, for a legend. drawings, key : pictures made of paths, and what explains them
    tissue : pictures of cells
    """

    name: str
    title: str
    parts: Sequence[str | Row]
    caption: str
    arms: Sequence[str] = ()
    drawings: Sequence[Drawing] = ()
    key: Drawing | None = None
    tissue: TissueFigure | None = None

    @property
    def rows(self) -> tuple[Row, ...]:
        """The plotted panels alone."""
        return tuple(part for part in self.parts if isinstance(part, Row))


def figure_html(plate: Plate, number: int, plots: Plots, material: Material) -> str:
    """Write a figure with its heading, its downloads and its caption, and add what is to be plotted in it to `plots`."""
    pieces, first = [], 0
    for part in plate.parts:
        if isinstance(part, Row):
            pieces.append(_row_html(part, number, first, plots))
            first += len(part.panels)
        else:
            pieces.append(part)
    kind = "svg" if plate.rows else "drawings" if plate.drawings else "tissue"
    data = {"svg": "csv", "drawings": "data", "tissue": "cells"}[kind]
    tools = download(kind, "SVG", f"Figure {number} as SVG") + download(data, "CSV", f"Data of figure {number} as CSV")
    lost = material.lost_in_words()
    note = f' <span class="lost">{MISSING_MARK} {escape(lost)}</span>' if lost else ""
    return (
        f'<figure id="figure-{number}" data-name="{escape(plate.name)}"><div class="figure-head">'
        f"<h3><span>Figure {number}</span> {escape(plate.title)}</h3>"
        f'<div class="tools">{tools}</div></div>{"".join(pieces)}<figcaption>{plate.caption}{note}</figcaption></figure>'
    )


def _row_html(row: Row, number: int, first: int, plots: Plots) -> str:
    cells = []
    for place, panel in enumerate(row.panels, start=first):
        letter = panel_letter(place)
        name = f"figure-{number}-{letter}"
        plots[name] = json.loads(panel.figure.to_json())
        unit = f' <span class="unit">{escape(panel.unit)}</span>' if panel.unit else ""
        cells.append(
            f'<div class="panel"><h4><span class="letter">{letter}</span>{escape(panel.title)}{unit}</h4>'
            f'<div class="plot" id="{name}" role="group" aria-label="{escape(panel.alt)}" '
            f'style="height: {panel.height}px"></div></div>'
        )
    heading = f'<p class="row-head">{escape(row.heading)}</p>' if row.heading else ""
    return f'{heading}<div class="panels {row.grid}">{"".join(cells)}</div>'


def panel_letter(place: int) -> str:
    """The letter of a panel: a to z, then aa, ab, ..."""
    return ("" if place < 26 else _LETTERS[place // 26 - 1]) + _LETTERS[place % 26]


def legend(material: Material, arms: Sequence[str]) -> str:
    """Write the arms as buttons that hide and show them."""
    buttons = "".join(
        f'<button type="button" aria-pressed="true" data-arm="{escape(arm)}">{swatch(material, arm)}{escape(arm)}</button>'
        for arm in arms
    )
    return f'<div class="legend" role="group" aria-label="Arms; press one to hide or show it">{buttons}</div>'
