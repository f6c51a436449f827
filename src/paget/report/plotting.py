"""What all plotted panels share: the frame of a Plotly figure, its fonts and axes, and text safe from its markup."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import plotly.graph_objects as go

from paget.report.theme import DAYS_PER_YEAR, in_years, significant_digits

__all__ = ["TILT", "Panel", "empty_figure", "heading", "plain", "stored", "tilted_room", "time_axis"]

_FONT = "'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', system-ui, sans-serif"
CHARACTER_PIXELS = 6.0
TILT = 50.0
_YEARS = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
_MOST_YEARS = 7


@dataclass(frozen=True, eq=False)
class Panel:
    """One lettered panel: its heading, the plot, its height in pixels, and its alternative text (all plain text)."""

    title: str
    unit: str
    figure: go.Figure
    height: int
    alt: str


def empty_figure(left: int, top: int, bottom: int, right: int = 10) -> go.Figure:
    """Return a figure without traces in the style of a printed panel: two axes, ticks outside, no box, a faint grid."""
    axis = {
        "showline": True,
        "linecolor": "var(--ink)",
        "linewidth": 1,
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": "var(--ink)",
        "zeroline": False,
        "title": {"standoff": 6},
    }
    return go.Figure(
        layout={
            "template": go.layout.Template(),
            "autosize": True,
            "font": {"family": _FONT, "size": 12, "color": "var(--ink)"},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "margin": {"l": left, "r": right, "t": top, "b": bottom},
            "showlegend": False,
            "hoverlabel": {
                "bgcolor": "var(--paper)",
                "bordercolor": "var(--line)",
                "font": {"family": _FONT, "size": 12, "color": "var(--ink)"},
                "namelength": 40,
            },
            "xaxis": {**axis, "showgrid": False},
            "yaxis": {**axis, "showgrid": True, "gridcolor": "var(--grid)", "nticks": 6},
        }
    )


def time_axis(days: float, start: float = 0.0) -> dict[str, Any]:
    """Say how an axis of days is ticked: in days, or in years where more than two of them are shown.

    Values stay in days, so that a file for download has one unit whatever the axis says.
    """
    if not in_years(days):
        return {"range": [start, days], "title_text": "Day", "unifiedhovertitle_text": "Day %{x:.4~g}"}
    years = days / DAYS_PER_YEAR
    step = next((s for s in _YEARS if years / s <= _MOST_YEARS), _YEARS[-1])
    marks = [i * step for i in range(int(years / step + 1e-9) + 1)]
    return {
        "range": [start, days],
        "title_text": "Year",
        "tickvals": [year * DAYS_PER_YEAR for year in marks],
        "ticktext": [f"{year:g}" for year in marks],
        "unifiedhovertitle_text": "Day %{x:.5~g}",
    }


def plain(text: str) -> str:
    """Write text so that Plotly shows it as it is: its labels understand a little HTML, and templates have braces."""
    return escape(text, quote=False).replace("%{", "% {")


def stored(values: Iterable[float]) -> list[float | None]:
    """Round numbers to what a plot can show, so that the page stays small."""
    return [significant_digits(float(value)) for value in values]


def heading(readout: Mapping[str, Any]) -> tuple[str, str]:
    """Title and unit of a readout."""
    return str(readout.get("title") or readout["name"]), str(readout.get("unit") or "")


def tilted_room(names: Sequence[str], least_left: int = 50) -> tuple[int, int]:
    """Pixels needed left of and below an axis whose tilted labels end at their ticks."""
    across, down = math.cos(math.radians(TILT)), math.sin(math.radians(TILT))
    narrow_panel = 280
    step = narrow_panel / max(1, len(names))
    left = max(CHARACTER_PIXELS * across * len(name) + 8 - (place + 0.6) * step for place, name in enumerate(names))
    below = 20 + CHARACTER_PIXELS * down * max(map(len, names))
    return max(least_left, round(left)), round(below)
