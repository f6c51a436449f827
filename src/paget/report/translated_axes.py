"""Axes of Plotly as those of matplotlib: ranges, ticks, titles and lines, and the legend of the marks of a panel."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from paget.report.theme import palettes
from paget.report.translated_values import (
    DASHES,
    SYMBOLS,
    WORDS_IN,
    Axes,
    axis_of,
    listed,
    numbers,
    placed,
    solid,
    worded,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes as Drawn

__all__ = ["marks_explained", "scale"]


def scale(ink: Drawn, layout: Mapping[str, Any], name: str, panel: Axes) -> None:
    """Ticks, labels, titles and lines of both axes."""
    xs, ys = axis_of(layout, "x"), axis_of(layout, name)
    # of several axes below each other, the one that is anchored to the first carries the days
    carries = str(xs.get("anchor", "y")) == name or name == "y"
    for direction, axis in (("x", xs), ("y", ys)):
        _one_scale(ink, panel, axis, direction, shown=carries or direction == "y")
    for side, axis in (("left", ys), ("bottom", xs)):
        seen = axis.get("showline", True) and axis.get("visible", True) and (side == "left" or carries)
        ink.spines[side].set_visible(bool(seen))
        ink.spines[side].set_linewidth(0.6)
        ink.spines[side].set_color(palettes()["light"]["--ink"])
    ink.spines[["top", "right"]].set_visible(False)


def _one_scale(ink: Drawn, panel: Axes, axis: Mapping[str, Any], direction: str, *, shown: bool) -> None:
    from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator, NullLocator, PercentFormatter

    side = ink.xaxis if direction == "x" else ink.yaxis
    limits = ink.set_xlim if direction == "x" else ink.set_ylim
    ink_colour = palettes()["light"]["--ink"]
    logarithmic = axis.get("type") == "log"
    if logarithmic:
        (ink.set_xscale if direction == "x" else ink.set_yscale)("log")
    if axis.get("range") is not None:
        low, high = (float(v) for v in axis["range"])
        limits((10.0**low, 10.0**high) if logarithmic else (low, high))
    elif str(axis.get("autorange")) == "reversed":
        (ink.invert_xaxis if direction == "x" else ink.invert_yaxis)()
    values = axis.get("tickvals")
    angle = -float(axis.get("tickangle") or 0.0)
    if not shown or axis.get("visible") is False or axis.get("showticklabels") is False:
        side.set_major_locator(NullLocator())
        side.set_minor_locator(NullLocator())
    elif values is not None:
        side.set_major_locator(FixedLocator(placed(values).tolist()))
        side.set_minor_locator(NullLocator())
        texts = axis.get("ticktext")
        labels = [worded(t) for t in texts] if texts is not None else [f"{v:g}" for v in numbers(values)]
        side.set_major_formatter(FixedFormatter(labels))
        for label, text in zip(side.get_ticklabels(), texts or (), strict=False):
            label.set_color(_own_colour(text) or ink_colour)
            if "<b>" in str(text):
                label.set_fontweight("bold")
    elif not logarithmic:
        names = _categories(panel, direction)
        if names:
            side.set_major_locator(FixedLocator(list(map(float, range(len(names))))))
            side.set_major_formatter(FixedFormatter([worded(n) for n in names]))
        else:
            side.set_major_locator(MaxNLocator(nbins=min(int(axis.get("nticks") or 6), 6), steps=[1, 2, 2.5, 5, 10]))
    if "%" in str(axis.get("tickformat", "")):
        side.set_major_formatter(PercentFormatter(1.0))
    size = float((axis.get("tickfont") or {}).get("size", 12.0)) * panel.points
    length = 2.3 if axis.get("ticks", "outside") == "outside" and shown else 0.0
    pad = float(axis.get("ticklabelstandoff", 0.0)) * panel.points + 1.6
    ink.tick_params(axis=direction, which="major", labelsize=size, width=0.6, length=length, pad=pad)  # type: ignore[arg-type]
    ink.tick_params(axis=direction, which="minor", width=0.4, length=0.0)  # type: ignore[arg-type]
    if direction == "x" and angle:
        for label in ink.get_xticklabels():
            label.set(rotation=angle, ha="right" if angle > 0 else "left", va="top", rotation_mode="anchor")
    ink.set_axisbelow(True)
    if axis.get("showgrid"):
        ink.grid(axis=direction, color=palettes()["light"]["--grid"], linewidth=0.5)  # type: ignore[arg-type]
    title = axis.get("title")
    text = title.get("text") if isinstance(title, Mapping) else title
    if text and shown:
        (ink.set_xlabel if direction == "x" else ink.set_ylabel)(
            worded(text), fontsize=12.0 * panel.points, labelpad=2.0
        )


def _categories(panel: Axes, direction: str) -> list[str]:
    """Names along an axis that has names in place of numbers."""
    names: dict[str, None] = {}
    for trace in panel.drawn.get("data", ()):
        known = listed(trace.get(direction))
        if any(isinstance(v, str) for v in known):
            names |= dict.fromkeys(map(str, known))
    return list(names)


def _own_colour(text: Any) -> Any:
    found = re.search(r"color:\s*(var\([^)]+\)|#[0-9a-fA-F]+)", str(text))
    return solid(found[1])[0] if found else None


def marks_explained(ink: Drawn, panel: Axes) -> None:
    """A legend of the traces that have a name and stand in it, above the panel."""
    from matplotlib.lines import Line2D

    handles, labels = [], []
    for trace in panel.drawn.get("data", ()):
        if not trace.get("name") or trace.get("showlegend") is False:
            continue
        given, line = trace.get("marker", {}), trace.get("line", {})
        symbol = str(given.get("symbol", "circle")).removesuffix("-open")
        marked = "markers" in str(trace.get("mode", ""))
        fill = given.get("color", "var(--ink)")
        handles.append(
            Line2D(
                [],
                [],
                color=solid(line.get("color", fill if isinstance(fill, str) else "var(--ink)"))[0],
                linestyle="none"
                if "lines" not in str(trace.get("mode", "lines"))
                else DASHES.get(line.get("dash", "solid"), "-"),
                linewidth=float(line.get("width", 2.0)) * panel.points,
                marker=SYMBOLS.get(symbol, ("o", 1.0))[0] if marked else "",
                markersize=7.5 * panel.points,
                markerfacecolor=solid(fill)[0] if isinstance(fill, str) else "#17191c",
                markeredgecolor=solid((given.get("line") or {}).get("color", "var(--ink)"))[0],
                markeredgewidth=0.7,
            )
        )
        labels.append(worded(trace["name"]))
    if handles:
        letters = sum(len(label) + 5 for label in labels)
        lines = max(1, math.ceil(letters * WORDS_IN * 12.0 / panel.wide))
        ink.legend(
            handles,
            labels,
            loc="lower left",
            bbox_to_anchor=(0.0, 1.0),
            ncols=max(1, math.ceil(len(labels) / lines)),
            frameon=False,
            fontsize=12.0 * panel.points,
            handletextpad=0.4,
            columnspacing=1.4,
            borderaxespad=0.2,
        )
