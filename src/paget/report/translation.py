"""From a figure of Plotly to axes of matplotlib: the kinds of traces, axes and shapes that the report uses."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from paget.errors import ResultError
from paget.report.translated_axes import marks_explained, scale
from paget.report.translated_values import DASHES, SYMBOLS, Axes, axis_of, listed, numbers, placed, rgb, solid, worded

if TYPE_CHECKING:
    from matplotlib.axes import Axes as Drawn
    from matplotlib.figure import Figure

__all__ = ["faces", "paint"]

_FACES = ("Helvetica", "Arial", "Liberation Sans", "DejaVu Sans")


def faces() -> list[str]:
    """Faces without serifs that are there, best first."""
    from matplotlib.font_manager import fontManager

    known = set(fontManager.get_font_names())
    return [face for face in _FACES if face in known]


def paint(figure: Figure, panel: Axes) -> None:
    """Draw one panel into a figure."""
    layout = panel.drawn.get("layout", {})
    axes = {name: _framed(figure, panel, layout, name) for name in _used(panel.drawn)}
    base: dict[str, np.ndarray] = {}
    before: Mapping[str, Any] | None = None
    for rank, trace in enumerate(panel.drawn.get("data", ())):
        if trace.get("visible", True) is not True:
            continue
        name = str(trace.get("yaxis", "y"))
        ink = axes[name]
        match trace.get("type", "scatter"):
            case "scatter":
                _scatter(ink, panel, trace, before, base, 2.0 + 0.01 * rank)
                before = trace
            case "box":
                _box(ink, panel, trace, 2.0 + 0.01 * rank)
            case "bar":
                _bars(ink, panel, trace, 2.0 + 0.01 * rank)
            case "heatmap":
                _heat(ink, panel, trace)
            case other:
                raise ResultError(f"A figure of the report has a '{other}', which cannot be drawn for print.")
    main = axes["y"]
    for shape in layout.get("shapes", ()):
        _shape(main, panel, shape)
    for note in layout.get("annotations", ()):
        _note(main, panel, note)
    for name, ink in axes.items():
        scale(ink, layout, name, panel)
    if layout.get("showlegend"):
        marks_explained(main, panel)


def _used(drawn: Mapping[str, Any]) -> list[str]:
    names = {str(trace.get("yaxis", "y")) for trace in drawn.get("data", ())}
    return sorted({"y", *names})


def _framed(figure: Figure, panel: Axes, layout: Mapping[str, Any], name: str) -> Drawn:
    """Axes at the place that margins and domains give them on the page."""
    margin = {"l": 50.0, "r": 10.0, "t": 10.0, "b": 40.0, **layout.get("margin", {})}
    inner_wide = panel.wide - margin["l"] - margin["r"]
    inner_high = panel.high - margin["t"] - margin["b"]
    low, high = axis_of(layout, name).get("domain", (0.0, 1.0))
    x0, x1 = axis_of(layout, "x").get("domain", (0.0, 1.0))
    left = panel.left + margin["l"] + x0 * inner_wide
    bottom = panel.top + margin["t"] + (1.0 - low) * inner_high
    box = (
        left / panel.page_wide,
        1.0 - bottom / panel.page_high,
        (x1 - x0) * inner_wide / panel.page_wide,
        (high - low) * inner_high / panel.page_high,
    )
    ink = figure.add_axes(box)
    ink.set_facecolor("none")
    return ink


def _scatter(
    ink: Drawn,
    panel: Axes,
    trace: Mapping[str, Any],
    before: Mapping[str, Any] | None,
    base: dict[str, np.ndarray],
    order: float,
) -> None:
    mode = str(trace.get("mode", "lines"))
    x, y = placed(trace.get("x")), placed(trace.get("y"))
    line, opacity = trace.get("line", {}), float(trace.get("opacity", 1.0))
    steps = {"hv": "steps-post", "vh": "steps-pre", "hvh": "steps-mid"}.get(str(line.get("shape", "")), "default")
    if trace.get("stackgroup"):
        below = base.get(trace["stackgroup"], np.zeros(len(y)))
        base[trace["stackgroup"]] = top = below + np.nan_to_num(y)
        colour, alpha = solid(trace.get("fillcolor"))
        ink.fill_between(x, below, top, color=colour, alpha=alpha, linewidth=0.0, zorder=order)
        y = top
    elif trace.get("fill") == "tonexty" and before is not None:
        colour, alpha = solid(trace.get("fillcolor"))
        step = {"steps-post": "post", "steps-pre": "pre", "steps-mid": "mid"}.get(steps)
        under = placed(before.get("y"))
        ink.fill_between(x, under, y, color=colour, alpha=alpha, linewidth=0.0, step=step, zorder=order)  # type: ignore[arg-type]
    elif trace.get("fill") in ("toself", "tozeroy"):
        colour, alpha = solid(trace.get("fillcolor"))
        if trace["fill"] == "tozeroy":
            ink.fill_between(x, 0.0, y, color=colour, alpha=alpha, linewidth=0.0, zorder=order)
        else:
            ink.fill(x, y, color=colour, alpha=alpha, linewidth=0.0, zorder=order)
    width = float(line.get("width", 2.0))
    if "lines" in mode and width > 0.0:
        colour, alpha = solid(line.get("color"))
        style = DASHES.get(str(line.get("dash", "solid")), "-")
        ink.plot(
            x,
            y,
            color=colour,
            alpha=alpha * opacity,
            linewidth=width * panel.points,
            linestyle=style,
            drawstyle=steps,
            solid_capstyle="butt",
            zorder=order,
        )
    if "markers" in mode:
        _markers(ink, panel, trace, x, y, order)
    if "text" in mode:
        _texts(ink, panel, trace, x, y, order)
    _spreads(ink, panel, trace, x, y, order)


def _markers(ink: Drawn, panel: Axes, trace: Mapping[str, Any], x: Any, y: Any, order: float) -> None:
    given = trace.get("marker", {})
    symbol = str(given.get("symbol", "circle"))
    hollow = symbol.endswith("-open")
    shape, scale = SYMBOLS.get(symbol.removesuffix("-open"), ("o", 1.0))
    colours = given.get("color")
    size = given.get("size", 6.0)
    sizes = np.full(len(x), float(size)) if isinstance(size, (int, float)) else numbers(size)
    edge = given.get("line", {})
    inks = [solid(c)[0] for c in listed(colours)] if isinstance(colours, (list, tuple, np.ndarray)) else None
    fill = inks if inks is not None else solid(colours)[0]
    plain = shape in ("|", "_")
    ink.scatter(
        x,
        y,
        s=(sizes * scale * panel.points) ** 2,
        marker=shape,
        c="white" if hollow and not plain else fill,
        edgecolors=None if plain else fill if hollow else solid(edge["color"])[0] if "color" in edge else "none",
        linewidths=(1.1 if plain else float(edge.get("width", 1.0))) * panel.points,
        alpha=float(trace.get("opacity", given.get("opacity", 1.0))),
        zorder=order,
        clip_on=trace.get("cliponaxis", True) is not False,
    )


def _texts(ink: Drawn, panel: Axes, trace: Mapping[str, Any], x: Any, y: Any, order: float) -> None:
    font = trace.get("textfont", {})
    down, _, side = str(trace.get("textposition", "middle center")).partition(" ")
    va = {"top": "bottom", "bottom": "top"}.get(down, "center")
    ha = {"left": "right", "right": "left"}.get(side, "center")
    inks = font.get("color", "var(--ink)")
    texts = trace.get("text")
    texts = [texts] * len(x) if isinstance(texts, str) else listed(texts)
    for i, (a, b, text) in enumerate(zip(x, y, texts, strict=False)):
        if text is None or not (math.isfinite(a) and math.isfinite(b)):
            continue
        colour = inks[i] if isinstance(inks, (list, tuple)) else inks
        ink.text(
            a,
            b,
            worded(text),
            ha=ha,
            va=va,
            fontsize=float(font.get("size", 12.0)) * panel.points,
            color=solid(colour)[0],
            zorder=order,
            clip_on=False,
        )


def _spreads(ink: Drawn, panel: Axes, trace: Mapping[str, Any], x: Any, y: Any, order: float) -> None:
    """Bars of error."""
    for key, direction in (("error_x", "xerr"), ("error_y", "yerr")):
        error = trace.get(key) or {}
        if not error or error.get("visible") is False:
            continue
        up = numbers(error.get("array"))
        down = numbers(error["arrayminus"]) if error.get("arrayminus") is not None else up
        colour = error.get("color") or trace.get("marker", {}).get("color") or trace.get("line", {}).get("color")
        ink.errorbar(
            x,
            y,
            **{direction: np.abs(np.array([down, up]))},
            fmt="none",
            ecolor=solid(colour)[0] if isinstance(colour, str) else "#17191c",
            elinewidth=float(error.get("thickness", 1.2)) * panel.points,
            capsize=float(error.get("width", 3.0)) * panel.points,
            zorder=order,
        )


def _box(ink: Drawn, panel: Axes, trace: Mapping[str, Any], order: float) -> None:
    """A box whose quartiles are given."""
    colour, _ = solid(trace["line"].get("color"))
    fill, alpha = solid(trace.get("fillcolor"))
    keys = {"q1": "q1", "med": "median", "q3": "q3", "whislo": "lowerfence", "whishi": "upperfence"}
    found = {name: numbers(trace[key]) for name, key in keys.items()}
    found["whislo"] = np.minimum(found["whislo"], found["q1"])  # of few animals a fence may lie inside the box
    found["whishi"] = np.maximum(found["whishi"], found["q3"])
    stats: Any = [{name: float(of[i]) for name, of in found.items()} | {"fliers": []} for i in range(len(found["q1"]))]
    pen = {"color": colour, "linewidth": float(trace["line"].get("width", 1.4)) * panel.points}
    ink.bxp(
        stats,
        positions=placed(trace["x"]),
        widths=float(trace.get("width", 0.5)),
        showfliers=False,
        manage_ticks=False,
        patch_artist=True,
        boxprops={"edgecolor": colour, "linewidth": pen["linewidth"], "facecolor": (*rgb(fill), alpha)},
        whiskerprops=pen,
        capprops=pen,
        medianprops=pen,
        zorder=order,
    )


def _bars(ink: Drawn, panel: Axes, trace: Mapping[str, Any], order: float) -> None:
    colours = trace.get("marker", {}).get("color")
    given = listed(colours) if isinstance(colours, (list, tuple, np.ndarray)) else [colours or "var(--accent)"]
    inks = [(*rgb(colour), alpha) for colour, alpha in map(solid, given)]
    lying = trace.get("orientation") == "h"
    border = trace.get("marker", {}).get("line", {})
    pen: dict[str, Any] = {
        "edgecolor": solid(border["color"])[0] if isinstance(border.get("color"), str) else "none",
        "linewidth": float(border.get("width", 0.0)) * panel.points,
    }
    x, y = placed(trace.get("x")), placed(trace.get("y"))
    base = numbers(trace["base"]) if isinstance(trace.get("base"), (list, tuple, np.ndarray)) else 0.0
    width = trace.get("width", 0.8)
    thick = numbers(width) if isinstance(width, (list, tuple, np.ndarray)) else float(width)
    if lying:
        ink.barh(y, x, height=thick, left=base, color=inks, zorder=order, **pen)
    else:
        ink.bar(x, y, width=thick, bottom=base, color=inks, zorder=order, **pen)
    _spreads(ink, panel, trace, x, y, order + 0.005)
    texts = trace.get("text")
    if texts is not None:
        for a, b, text in zip(x, y, listed(texts), strict=False):
            ink.text(a, b, worded(text), fontsize=11.0 * panel.points, ha="left" if lying else "center", va="center")


def _heat(ink: Drawn, panel: Axes, trace: Mapping[str, Any]) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    values = np.array([numbers(row) for row in listed(trace["z"])])
    rows, columns = values.shape
    x = placed(trace["x"]) if trace.get("x") is not None else np.arange(columns, dtype=float)
    y = placed(trace["y"]) if trace.get("y") is not None else np.arange(rows, dtype=float)
    scale = trace.get("colorscale")
    stops = [(float(stop[0]), rgb(solid(stop[1])[0])) for stop in scale] if isinstance(scale, (list, tuple)) else None
    colours = LinearSegmentedColormap.from_list("page", stops) if stops else "viridis"
    low, high = trace.get("zmin"), trace.get("zmax")
    middle = trace.get("zmid")
    if middle is not None and low is None:
        reach = float(np.nanmax(np.abs(values - middle))) or 1.0
        low, high = middle - reach, middle + reach
    mesh = ink.pcolormesh(_edges(x), _edges(y), values, cmap=colours, vmin=low, vmax=high, linewidth=0.0, zorder=1.5)
    if trace.get("showscale", True):
        bar = ink.figure.colorbar(mesh, ax=ink, fraction=0.05, pad=0.03)
        bar.outline.set_linewidth(0.5)
        bar.ax.tick_params(labelsize=11.0 * panel.points, width=0.5, length=2.0)
        title = (trace.get("colorbar") or {}).get("title")
        words = title.get("text") if isinstance(title, Mapping) else title
        if words:
            bar.set_label(worded(words), fontsize=11.0 * panel.points)
    if trace.get("text") is not None:
        for j, row in enumerate(listed(trace["text"])):
            for i, text in enumerate(listed(row)):
                dark = stops is not None and math.isfinite(values[j, i]) and sum(mesh.to_rgba(values[j, i])[:3]) < 1.4
                ink.text(
                    x[i],
                    y[j],
                    worded(text),
                    ha="center",
                    va="center",
                    fontsize=10.5 * panel.points,
                    color="white" if dark else "#17191c",
                    zorder=3.0,
                )


def _edges(centres: np.ndarray) -> np.ndarray:
    if len(centres) == 1:
        return np.array([centres[0] - 0.5, centres[0] + 0.5])
    middles = (centres[1:] + centres[:-1]) / 2
    return np.concatenate([[2 * centres[0] - middles[0]], middles, [2 * centres[-1] - middles[-1]]])


def _shape(ink: Drawn, panel: Axes, shape: Mapping[str, Any]) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Rectangle
    from matplotlib.transforms import blended_transform_factory

    across = ink.transAxes if str(shape.get("xref", "x")).endswith(("paper", "domain")) else ink.transData
    up = ink.transAxes if str(shape.get("yref", "y")).endswith(("paper", "domain")) else ink.transData
    where = blended_transform_factory(across, up)
    pen = shape.get("line", {})
    colour, alpha = solid(pen.get("color", "var(--ink)"))
    x0, x1, y0, y1 = (float(shape[key]) for key in ("x0", "x1", "y0", "y1"))
    width = float(pen.get("width", 1.0)) * panel.points
    style = DASHES.get(str(pen.get("dash", "solid")), "-")
    if shape.get("type") == "line":
        ink.add_line(
            Line2D([x0, x1], [y0, y1], transform=where, color=colour, alpha=alpha, linewidth=width, linestyle=style)
        )
    elif shape.get("type") == "rect":
        fill, faint = solid(shape.get("fillcolor"))
        opacity = float(shape.get("opacity", 1.0))
        ink.add_patch(
            Rectangle((x0, y0), x1 - x0, y1 - y0, transform=where, facecolor=fill, alpha=faint * opacity, linewidth=0.0)
        )


def _note(ink: Drawn, panel: Axes, note: Mapping[str, Any]) -> None:
    from matplotlib.transforms import blended_transform_factory

    across = ink.transAxes if str(note.get("xref", "x")).endswith(("paper", "domain")) else ink.transData
    up = ink.transAxes if str(note.get("yref", "y")).endswith(("paper", "domain")) else ink.transData
    font = note.get("font", {})
    ink.text(
        float(note["x"]),
        float(note["y"]),
        worded(note.get("text", "")),
        transform=blended_transform_factory(across, up),
        ha={"left": "left", "right": "right"}.get(str(note.get("xanchor", "center")), "center"),
        va={"top": "top", "bottom": "bottom"}.get(str(note.get("yanchor", "middle")), "center"),
        fontsize=float(font.get("size", 12.0)) * panel.points,
        color=solid(font.get("color", "var(--ink)"))[0],
    )
