"""From a figure of Plotly to axes of matplotlib: the kinds of traces, axes and shapes that the report uses."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from paget.errors import ResultError
from paget.report.theme import palettes

if TYPE_CHECKING:
    from matplotlib.axes import Axes as Drawn
    from matplotlib.figure import Figure

__all__ = ["DASHES", "SYMBOLS", "WORDS_IN", "Axes", "faces", "paint", "solid"]

WORDS_IN = 0.56  # mean width of a letter, in sizes of the words
DASHES: Mapping[str, Any] = {
    "solid": "-",
    "dash": (0.0, (4.0, 2.6)),
    "dashdot": (0.0, (4.0, 2.0, 1.0, 2.0)),
    "dot": (0.0, (1.0, 1.8)),
    "longdash": (0.0, (8.0, 3.0)),
}
# marker of matplotlib, and its size for the same area
SYMBOLS: Mapping[str, tuple[Any, float]] = {
    "circle": ("o", 1.0),
    "square": ("s", 0.95),
    "diamond": ("D", 0.88),
    "triangle-up": ("^", 1.1),
    "triangle-down": ("v", 1.1),
    "pentagon": ("p", 1.12),
    "hexagon": ("h", 1.12),
    "star": ("*", 1.5),
    "x": ("X", 1.05),
    "cross": ("P", 1.05),
    "line-ns": ("|", 1.1),
    "line-ew": ("_", 1.1),
}
_FACES = ("Helvetica", "Arial", "Liberation Sans", "DejaVu Sans")
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Axes:
    """Where a panel stands in its figure, in pixels from the upper left corner, and how many points a pixel has."""

    drawn: Mapping[str, Any]
    left: float
    top: float
    wide: float
    high: float
    page_wide: float
    page_high: float
    points: float


def faces() -> list[str]:
    """Faces without serifs that are there, best first."""
    from matplotlib.font_manager import fontManager

    known = set(fontManager.get_font_names())
    return [face for face in _FACES if face in known]


def solid(colour: Any) -> tuple[Any, float]:
    """A colour of the page as one for paper, and its opacity.

    >>> solid("rgba(1, 2, 3, 0.5)")[1]
    0.5
    """
    text = str(colour or "rgba(0,0,0,0)")
    light = palettes()["light"]
    text = re.sub(r"var\((--[\w-]+)\)", lambda found: light.get(found[1], "#17191c"), text)
    parts = re.fullmatch(r"rgba?\(([^)]+)\)", text)
    if parts is None:
        return text, 1.0
    numbers = [float(part) for part in parts[1].split(",")]
    return tuple(n / 255.0 for n in numbers[:3]), numbers[3] if len(numbers) > 3 else 1.0


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
        _scale(ink, panel, layout, name)
    if layout.get("showlegend"):
        _marks_explained(main, panel)


def _used(drawn: Mapping[str, Any]) -> list[str]:
    names = {str(trace.get("yaxis", "y")) for trace in drawn.get("data", ())}
    return sorted({"y", *names})


def _axis(layout: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = layout.get(name[0] + "axis" + name[1:], {})
    return found


def _framed(figure: Figure, panel: Axes, layout: Mapping[str, Any], name: str) -> Drawn:
    """Axes at the place that margins and domains give them on the page."""
    margin = {"l": 50.0, "r": 10.0, "t": 10.0, "b": 40.0, **layout.get("margin", {})}
    inner_wide = panel.wide - margin["l"] - margin["r"]
    inner_high = panel.high - margin["t"] - margin["b"]
    low, high = _axis(layout, name).get("domain", (0.0, 1.0))
    x0, x1 = _axis(layout, "x").get("domain", (0.0, 1.0))
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


def _numbers(values: Any) -> np.ndarray:
    return np.array([math.nan if v is None else float(v) for v in _listed(values)], dtype=np.float64)


def _listed(values: Any) -> list[Any]:
    """A list of values, which Plotly may hold as an array or packed."""
    if isinstance(values, Mapping) and "bdata" in values:
        import base64

        flat = np.frombuffer(base64.b64decode(values["bdata"]), dtype=np.dtype(values["dtype"]))
        shape = values.get("shape")
        return list(flat.reshape([int(n) for n in str(shape).split(",")]) if shape else flat)
    return [] if values is None else list(values)


def _scatter(
    ink: Drawn,
    panel: Axes,
    trace: Mapping[str, Any],
    before: Mapping[str, Any] | None,
    base: dict[str, np.ndarray],
    order: float,
) -> None:
    mode = str(trace.get("mode", "lines"))
    x, y = _placed(trace.get("x")), _placed(trace.get("y"))
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
        under = _placed(before.get("y"))
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


def _placed(values: Any) -> np.ndarray:
    """Numbers, or for names of a category their rank."""
    listed = _listed(values)
    if any(isinstance(v, str) for v in listed):
        ranks = {name: i for i, name in enumerate(dict.fromkeys(listed))}
        return np.array([float(ranks[v]) for v in listed])
    return _numbers(listed)


def _markers(ink: Drawn, panel: Axes, trace: Mapping[str, Any], x: Any, y: Any, order: float) -> None:
    given = trace.get("marker", {})
    symbol = str(given.get("symbol", "circle"))
    hollow = symbol.endswith("-open")
    shape, scale = SYMBOLS.get(symbol.removesuffix("-open"), ("o", 1.0))
    colours = given.get("color")
    size = given.get("size", 6.0)
    sizes = np.full(len(x), float(size)) if isinstance(size, (int, float)) else _numbers(size)
    edge = given.get("line", {})
    inks = [solid(c)[0] for c in _listed(colours)] if isinstance(colours, (list, tuple, np.ndarray)) else None
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
    texts = [texts] * len(x) if isinstance(texts, str) else _listed(texts)
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
        up = _numbers(error.get("array"))
        down = _numbers(error["arrayminus"]) if error.get("arrayminus") is not None else up
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
    numbers = {name: _numbers(trace[key]) for name, key in keys.items()}
    numbers["whislo"] = np.minimum(numbers["whislo"], numbers["q1"])  # of few animals a fence may lie inside the box
    numbers["whishi"] = np.maximum(numbers["whishi"], numbers["q3"])
    stats = [{name: float(of[i]) for name, of in numbers.items()} | {"fliers": []} for i in range(len(numbers["q1"]))]
    pen = {"color": colour, "linewidth": float(trace["line"].get("width", 1.4)) * panel.points}
    ink.bxp(
        stats,  # type: ignore[arg-type]
        positions=_placed(trace["x"]),
        widths=float(trace.get("width", 0.5)),
        showfliers=False,
        manage_ticks=False,
        patch_artist=True,
        boxprops={"edgecolor": colour, "linewidth": pen["linewidth"], "facecolor": (*_rgb(fill), alpha)},
        whiskerprops=pen,
        capprops=pen,
        medianprops=pen,
        zorder=order,
    )


def _rgb(colour: Any) -> tuple[float, float, float]:
    from matplotlib.colors import to_rgb

    return to_rgb(colour)


def _bars(ink: Drawn, panel: Axes, trace: Mapping[str, Any], order: float) -> None:
    colours = trace.get("marker", {}).get("color")
    given = _listed(colours) if isinstance(colours, (list, tuple, np.ndarray)) else [colours or "var(--accent)"]
    inks = [(*_rgb(colour), alpha) for colour, alpha in map(solid, given)]
    lying = trace.get("orientation") == "h"
    border = trace.get("marker", {}).get("line", {})
    pen = {
        "edgecolor": solid(border["color"])[0] if isinstance(border.get("color"), str) else "none",
        "linewidth": float(border.get("width", 0.0)) * panel.points,
    }
    x, y = _placed(trace.get("x")), _placed(trace.get("y"))
    base = _numbers(trace["base"]) if isinstance(trace.get("base"), (list, tuple, np.ndarray)) else 0.0
    width = trace.get("width", 0.8)
    thick = _numbers(width) if isinstance(width, (list, tuple, np.ndarray)) else float(width)
    if lying:
        ink.barh(y, x, height=thick, left=base, color=inks, zorder=order, **pen)
    else:
        ink.bar(x, y, width=thick, bottom=base, color=inks, zorder=order, **pen)
    _spreads(ink, panel, trace, x, y, order + 0.005)
    texts = trace.get("text")
    if texts is not None:
        for a, b, text in zip(x, y, _listed(texts), strict=False):
            ink.text(a, b, worded(text), fontsize=11.0 * panel.points, ha="left" if lying else "center", va="center")


def _heat(ink: Drawn, panel: Axes, trace: Mapping[str, Any]) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    values = np.array([_numbers(row) for row in _listed(trace["z"])])
    rows, columns = values.shape
    x = _placed(trace["x"]) if trace.get("x") is not None else np.arange(columns, dtype=float)
    y = _placed(trace["y"]) if trace.get("y") is not None else np.arange(rows, dtype=float)
    scale = trace.get("colorscale")
    stops = [(float(stop[0]), _rgb(solid(stop[1])[0])) for stop in scale] if isinstance(scale, (list, tuple)) else None
    colours = LinearSegmentedColormap.from_list("page", stops) if stops else "viridis"
    low, high = trace.get("zmin"), trace.get("zmax")
    middle = trace.get("zmid")
    if middle is not None and low is None:
        reach = float(np.nanmax(np.abs(values - middle))) or 1.0
        low, high = middle - reach, middle + reach
    mesh = ink.pcolormesh(_edges(x), _edges(y), values, cmap=colours, vmin=low, vmax=high, linewidth=0.0, zorder=1.5)
    if trace.get("showscale", True):
        bar = ink.figure.colorbar(mesh, ax=ink, fraction=0.05, pad=0.03)
        bar.outline.set_linewidth(0.5)  # type: ignore[operator]
        bar.ax.tick_params(labelsize=11.0 * panel.points, width=0.5, length=2.0)
        title = (trace.get("colorbar") or {}).get("title")
        words = title.get("text") if isinstance(title, Mapping) else title
        if words:
            bar.set_label(worded(words), fontsize=11.0 * panel.points)
    if trace.get("text") is not None:
        for j, row in enumerate(_listed(trace["text"])):
            for i, text in enumerate(_listed(row)):
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


def _scale(ink: Drawn, panel: Axes, layout: Mapping[str, Any], name: str) -> None:
    """Ticks, labels, titles and lines of both axes."""
    xs, ys = _axis(layout, "x"), _axis(layout, name)
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
        side.set_major_locator(FixedLocator(_placed(values).tolist()))
        side.set_minor_locator(NullLocator())
        texts = axis.get("ticktext")
        labels = [worded(t) for t in texts] if texts is not None else [f"{v:g}" for v in _numbers(values)]
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
        listed = _listed(trace.get(direction))
        if any(isinstance(v, str) for v in listed):
            names |= dict.fromkeys(map(str, listed))
    return list(names)


def _own_colour(text: Any) -> Any:
    found = re.search(r"color:\s*(var\([^)]+\)|#[0-9a-fA-F]+)", str(text))
    return solid(found[1])[0] if found else None


def worded(text: Any) -> str:
    """Text of Plotly, which has a little markup, as plain text with line ends and raised digits.

    >>> worded("10<sup>-3</sup> &lt; <b>x</b><br>y")
    '10⁻³ < x\\ny'
    """
    out = re.sub(r"<sup>([^<]*)</sup>", lambda found: found[1].translate(_RAISED), str(text))
    out = re.sub(r"<br\s*/?>", "\n", out)
    out = html.unescape(re.sub(r"<[^>]+>", "", out))
    return out.replace("$", r"\$").replace("% {", "%{")


def _marks_explained(ink: Drawn, panel: Axes) -> None:
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
