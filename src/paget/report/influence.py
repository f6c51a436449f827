"""The influence graph of a network, coloured by how active its nodes are: for the page, and as a picture for print.

Arrows activate, bars inhibit, diamonds do either (SBGN activity flow, Le Novere et al. 2009, doi:10.1038/nbt.1558). Inputs have
a dashed frame and outputs a heavy one; modules stand in frames of their own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from paget.errors import ModelError, UnknownNameError
from paget.report.influence_layout import HEIGHT, Layout, layout, route
from paget.report.plotting import empty_figure, plain
from paget.report.theme import number_text, palettes

if TYPE_CHECKING:
    from paget.signalling.network import Edge, Network
    from paget.signalling.population import Course

__all__ = ["draw_influence", "influence_figure"]

Real = NDArray[np.float64]

_TIP = 7.0
_STRONGEST = 0.85  # opacity of the colour of a node that is always on: its name stays readable
_FAINT, _CLEAR = 0.10, 0.75  # opacity of edges away from and at what is highlighted
_EDGE_COLOURS = {1: "--muted", -1: "--down", 0: "--fitted"}
_VERBS = {1: "activates", -1: "inhibits", 0: "activates or inhibits"}
_MARGIN = 16.0
_SUFFIXES = (".svg", ".png", ".pdf")


@dataclass(frozen=True)
class _Line:
    edge: Edge
    points: Real
    opacity: float


@dataclass(frozen=True)
class _Picture:
    places: Layout
    lines: tuple[_Line, ...]
    activity: Mapping[str, float]
    inputs: frozenset[str]
    outputs: frozenset[str]
    faint: frozenset[str]


def influence_figure(
    network: Network,
    activity: Mapping[str, float] | Course | None = None,
    *,
    highlight: Iterable[str] = (),
    title: str = "",
    theme: Literal["page", "light", "dark"] = "light",
) -> go.Figure:
    """Draw who influences whom in a network, as a figure that tells more where it is pointed at.

    Parameters
    ----------
    activity : node -> share of time or cells in which it is on, 0 to 1; or a course, of which the last time is shown
    highlight : nodes whose influences stand out, all others fading
    theme : colours of paper and light screens, of dark screens, or as variables that the style of a page sets

    Raises
    ------
    UnknownNameError, ModelError
        For a node that the network does not have, and an activity outside 0 to 1.
    """
    picture = _picture(network, activity, highlight)
    figure = empty_figure(left=10, top=40 if title else 10, bottom=40)
    colour = _colours(theme)
    for line in picture.lines:
        ink = colour[_EDGE_COLOURS[line.edge.sign]]
        style = {"color": ink, "width": 1.2}
        figure.add_scatter(
            x=line.points[:, 0].round(1), y=line.points[:, 1].round(1), mode="lines", line=style, opacity=line.opacity,
            hoverinfo="skip",
        )  # fmt: skip
    for sign, ink_name in _EDGE_COLOURS.items():
        for opacity in (_FAINT, _CLEAR):
            ends = [line for line in picture.lines if line.edge.sign == sign and line.opacity == opacity]
            xs, ys = _joined(_end(line) for line in ends)
            ink = colour[ink_name]
            figure.add_scatter(
                x=xs, y=ys, mode="lines", fill=None if sign < 0 else "toself", fillcolor=ink, opacity=min(opacity + 0.2, 1.0),
                line={"color": ink, "width": 2.4 if sign < 0 else 0.6}, hoverinfo="skip",
            )  # fmt: skip
    figure.update_layout(shapes=[*_block_shapes(picture, colour), *_node_shapes(picture, colour)])
    _add_names(figure, network, picture, colour)
    wide, high = picture.places.size
    ink = colour["--ink"]
    axis = {"visible": False, "showgrid": False, "linecolor": ink, "tickcolor": ink, "gridcolor": colour["--grid"]}
    figure.update_layout(
        width=round(wide + 2 * _MARGIN + 20), height=round(high + 2 * _MARGIN + (90 if title else 60)), hovermode="closest",
        xaxis={**axis, "range": [-_MARGIN, wide + _MARGIN]},
        yaxis={**axis, "range": [high + _MARGIN, -_MARGIN], "scaleanchor": "x"},
        annotations=[_legend(picture, colour)],
    )  # fmt: skip
    if title:
        figure.update_layout(title={"text": plain(title), "x": 0.01, "font": {"size": 15}})
    if theme != "page":
        figure.update_layout(paper_bgcolor=colour["--paper"], font={"color": colour["--ink"]})
        figure.update_layout(hoverlabel={"bgcolor": colour["--paper"], "bordercolor": colour["--line"]})
        figure.update_layout(hoverlabel_font_color=colour["--ink"])
    return figure


def draw_influence(
    network: Network,
    path: str | Path,
    activity: Mapping[str, float] | Course | None = None,
    *,
    highlight: Iterable[str] = (),
    title: str = "",
) -> Path:
    """Draw the same graph into a file for print: SVG, PDF or PNG, by its ending.

    Raises
    ------
    UnknownNameError, ModelError
        As `influence_figure`, and for another ending.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    target = Path(path)
    if target.suffix.lower() not in _SUFFIXES:
        raise ModelError(f"'{target.name}': a picture of a network ends in {', '.join(_SUFFIXES)}")
    picture = _picture(network, activity, highlight)
    wide, high = picture.places.size
    above, below = (30.0 if title else 8.0), 30.0 + 12.0 * (_legend_text(picture).count("\n") + 1)
    inches = ((wide + 2 * _MARGIN) / 72.0, (high + above + below + _MARGIN) / 72.0)
    figure = Figure(figsize=inches)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_xlim(-_MARGIN, wide + _MARGIN)
    axes.set_ylim(high + below + _MARGIN / 2, -above - _MARGIN / 2)
    axes.axis("off")
    _paint(axes, picture, _colours("light"))
    if title:
        axes.text(0.0, -above + 8.0, title, fontsize=13, fontweight="bold", va="center")
    target.parent.mkdir(parents=True, exist_ok=True)
    vector = target.suffix.lower() == ".svg"
    with rc_context({"svg.hashsalt": "paget"}):  # with no date either, the same graph gives the same file
        figure.savefig(target, dpi=144, facecolor="white", metadata={"Date": None} if vector else None)
    return target


# ---- what is drawn -----------------------------------------------------------------------------------------------------------
def _picture(network: Network, activity: Mapping[str, float] | Course | None, highlight: Iterable[str]) -> _Picture:
    shown: Mapping[str, float] = {}
    if isinstance(activity, Mapping):
        shown = activity
    elif activity is not None:
        shown = dict(zip(activity.nodes, map(float, activity.at[-1]), strict=True))
    chosen = tuple(highlight)
    for name in (*shown, *chosen):
        if name not in network:
            raise UnknownNameError("node", name, network.names)
    wrong = [f"{name}: {value:g}" for name, value in shown.items() if not -1e-9 <= value <= 1.0 + 1e-9]
    if wrong:
        raise ModelError("An activity is the share of time or cells in which a node is on, from 0 to 1, not", wrong)
    edges = network.edges
    modules = {node.name: node.module for node in network.nodes}
    places = layout(network.names, [(e.source, e.target) for e in edges], modules, {n: n for n in network.names})
    sources = {edge.source for edge in edges if edge.source != edge.target}
    near = {n for e in edges if e.source in chosen or e.target in chosen for n in (e.source, e.target)} | set(chosen)
    used: dict[tuple[int, int], int] = {}
    lines = [
        _Line(
            edge,
            route(places, edge.source, edge.target, used),
            _CLEAR if not chosen or edge.source in chosen or edge.target in chosen else _FAINT,
        )
        for edge in sorted(edges, key=lambda e: _reach(places, e))
    ]
    inputs = frozenset(network.inputs)
    return _Picture(
        places,
        tuple(sorted(lines, key=lambda line: line.opacity)),
        shown,
        inputs,
        frozenset(n for n in network.names if n not in sources and n not in inputs),
        frozenset(n for n in network.names if chosen and n not in near),
    )


def _reach(places: Layout, edge: Edge) -> float:
    (x0, y0), (x1, y1) = places.places[edge.source], places.places[edge.target]
    return math.hypot(x1 - x0, y1 - y0)


def _end(line: _Line) -> Real:
    """Outline [k, 2] of the arrow's tip, the bar or the diamond at the end of a line."""
    tip, before = line.points[-1], line.points[-min(4, len(line.points))]
    along = tip - before
    along = along / (math.hypot(*along) or 1.0)
    across = np.array([-along[1], along[0]])
    if line.edge.sign < 0:
        return np.array([tip - along + 5.0 * across, tip - along - 5.0 * across])
    back, half = tip - _TIP * along, 0.46 * _TIP * across
    if line.edge.sign > 0:
        return np.array([tip, back + half, back - half, tip])
    middle = tip - 0.5 * _TIP * along
    return np.array([tip, middle + half, back, middle - half, tip])


def _colours(theme: str) -> dict[str, str]:
    light = palettes()["light"]
    return {name: f"var({name})" for name in light} if theme == "page" else palettes()[theme]


def _told(network: Network, picture: _Picture, name: str) -> str:
    node = network.node(name)
    lines = [f"<b>{plain(name)}</b>" + (f" {plain(node.label)}" if node.label else "")]
    if name in picture.activity:
        lines.append(f"on {number_text(picture.activity[name])} of the time")
    into = [e for e in network.edges if e.target == name]
    for sign in (1, -1, 0):
        found = [e.source for e in into if e.sign == sign]
        if found:
            lines.append(
                plain(f"{'activated' if sign > 0 else 'inhibited' if sign else 'either way'} by {', '.join(found)}")
            )
    if name in picture.inputs:
        lines.append("input")
    return "<br>".join(lines)


def _legend_text(picture: _Picture) -> str:
    parts = ["arrow: activates", "bar: inhibits", "dashed frame: input", "heavy frame: output"]
    if any(line.edge.sign == 0 for line in picture.lines):
        parts.insert(2, "diamond: either")
    if picture.activity:
        parts.append("colour: share of time on, blank 0, orange 1")
    text, wide = [""], picture.places.size[0] / 4.6
    for part in parts:
        text[-1:] = [f"{text[-1]}   {part}".strip()] if len(text[-1]) + len(part) < wide else [text[-1], part]
    return "\n".join(text)


# ---- for the page ------------------------------------------------------------------------------------------------------------
def _joined(outlines: Iterator[Real]) -> tuple[list[float | None], list[float | None]]:
    xs: list[float | None] = []
    ys: list[float | None] = []
    for outline in outlines:
        xs += [*(round(float(x), 1) for x in outline[:, 0]), None]
        ys += [*(round(float(y), 1) for y in outline[:, 1]), None]
    return xs, ys


def _rect(x: float, y: float, width: float, height: float, **style: Any) -> dict[str, Any]:
    corners = {"x0": x - width / 2, "x1": x + width / 2, "y0": y - height / 2, "y1": y + height / 2}
    return {"type": "rect", **corners, "layer": "between", **style}


def _block_shapes(picture: _Picture, colour: Mapping[str, str]) -> list[dict[str, Any]]:
    style = {"line": {"color": colour["--line"], "width": 1}, "fillcolor": colour["--raised"], "layer": "below"}
    return [_rect(b.x, b.y, b.width, b.height, **style) for b in picture.places.blocks if b.name]


def _node_shapes(picture: _Picture, colour: Mapping[str, str]) -> list[dict[str, Any]]:
    shapes = []
    for name, (x, y) in picture.places.places.items():
        width = picture.places.widths[name]
        frame = {"color": colour["--muted"], "width": 1.0}
        if name in picture.inputs:
            frame |= {"dash": "3px,2px"}
        if name in picture.outputs:
            frame |= {"color": colour["--ink"], "width": 2.2}
        pale = 0.35 if name in picture.faint else 1.0
        shapes.append(_rect(x, y, width, HEIGHT, fillcolor=colour["--paper"], line={"width": 0}))
        strength = _STRONGEST * picture.activity.get(name, 0.0) * pale
        shapes.append(_rect(x, y, width, HEIGHT, fillcolor=colour["--up"], opacity=strength, line={"width": 0}))
        shapes.append(_rect(x, y, width, HEIGHT, line=frame, opacity=pale))
    return shapes


def _add_names(figure: go.Figure, network: Network, picture: _Picture, colour: Mapping[str, str]) -> None:
    names = list(picture.places.places)
    places = np.array([picture.places.places[name] for name in names])
    told = [_told(network, picture, name) + "<extra></extra>" for name in names]
    inks = [colour["--muted"] if name in picture.faint else colour["--ink"] for name in names]
    figure.add_scatter(
        x=places[:, 0].round(1), y=places[:, 1].round(1), mode="text", text=[plain(name) for name in names],
        textfont={"size": 11, "color": inks}, hovertemplate=told,
    )  # fmt: skip
    blocks = [block for block in picture.places.blocks if block.name]
    if blocks:
        figure.add_scatter(
            x=[b.x - b.width / 2 + 8 for b in blocks], y=[b.y - b.height / 2 + 12 for b in blocks], mode="text",
            text=[f"<b>{plain(b.name)}</b>" for b in blocks], textposition="middle right", hoverinfo="skip",
            textfont={"size": 11, "color": colour["--muted"]},
        )  # fmt: skip


def _legend(picture: _Picture, colour: Mapping[str, str]) -> dict[str, Any]:
    text = _legend_text(picture).replace("\n", "<br>")
    place = {
        "xref": "paper",
        "yref": "paper",
        "x": 0.0,
        "y": 0.0,
        "yshift": -30,
        "xanchor": "left",
        "yanchor": "middle",
    }
    return {
        **place,
        "text": text,
        "align": "left",
        "showarrow": False,
        "font": {"size": 11, "color": colour["--muted"]},
    }


# ---- for print ---------------------------------------------------------------------------------------------------------------
def _paint(axes: Any, picture: _Picture, colour: Mapping[str, str]) -> None:
    from matplotlib.patches import FancyBboxPatch, Polygon

    def box(x: float, y: float, width: float, height: float, **style: Any) -> None:
        shape = "round,pad=0,rounding_size=4"
        axes.add_patch(FancyBboxPatch((x - width / 2, y - height / 2), width, height, boxstyle=shape, **style))

    for block in picture.places.blocks:
        if block.name:
            box(
                block.x,
                block.y,
                block.width,
                block.height,
                fc=colour["--raised"],
                ec=colour["--line"],
                lw=0.8,
                zorder=0,
            )
            corner = block.x - block.width / 2 + 9, block.y - block.height / 2 + 13
            axes.text(
                *corner, block.name, fontsize=9, fontweight="bold", color=colour["--muted"], va="center", zorder=5
            )
    for line in picture.lines:
        ink = colour[_EDGE_COLOURS[line.edge.sign]]
        axes.plot(*line.points.T, color=ink, lw=0.9, alpha=line.opacity, zorder=1, solid_capstyle="round")
        end, alpha = _end(line), min(line.opacity + 0.2, 1.0)
        if line.edge.sign < 0:
            axes.plot(*end.T, color=ink, lw=2.0, alpha=alpha, zorder=2, solid_capstyle="butt")
        else:
            axes.add_patch(Polygon(end, closed=True, fc=ink, ec="none", alpha=alpha, zorder=2))
    for name, (x, y) in picture.places.places.items():
        width, pale = picture.places.widths[name], 0.35 if name in picture.faint else 1.0
        output, inside = name in picture.outputs, name not in picture.inputs
        box(x, y, width, HEIGHT, fc=colour["--paper"], ec="none", zorder=3)
        strength = _STRONGEST * picture.activity.get(name, 0.0) * pale
        box(x, y, width, HEIGHT, fc=colour["--up"], ec="none", alpha=strength, zorder=3)
        frame = {"ec": colour["--ink" if output else "--muted"], "lw": 1.9 if output else 0.9}
        box(x, y, width, HEIGHT, fc="none", ls="-" if inside else (0, (3, 2)), alpha=pale, zorder=4, **frame)
        ink = colour["--muted" if name in picture.faint else "--ink"]
        axes.text(x, y, name, fontsize=8.5, ha="center", va="center", color=ink, zorder=5)
    axes.text(
        0.0, picture.places.size[1] + 26.0, _legend_text(picture), fontsize=8.5, color=colour["--muted"], va="top"
    )
