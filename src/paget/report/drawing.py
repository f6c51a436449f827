"""Drawings made by hand: paths and words in one list, written as SVG for the page or painted into a file for print.

Colours are names of CSS variables (see `theme`); the script of the page puts in their values for light screens when a
drawing is saved on its own.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paget.errors import ResultError
from paget.report.theme import palettes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "Drawing",
    "Item",
    "Path2D",
    "Words",
    "arc_points",
    "clear_bends",
    "curve",
    "moved",
    "oval",
    "save_drawings",
    "svg",
]

Point = tuple[float, float]

_SUFFIXES = (".svg", ".pdf", ".png")
_ROUND = 0.5523  # four cubic curves with handles of this length make a circle to 0.03 %
_GAP, _HEAD = 22.0, 24.0
_BENDS = (0.10, -0.10, 0.20, -0.20, 0.30, -0.30, 0.42, -0.42)
_ANCHORS = {"start": "left", "middle": "center", "end": "right"}
_FACES = ["Helvetica", "Arial", "Liberation Sans", "DejaVu Sans"]


@dataclass(frozen=True)
class Path2D:
    """A path of the commands M, L, C, Q and Z with absolute coordinates.

    place : where the path is put, as x, y, angle in degrees and scale. told : words shown where the path is pointed at
    part : the number by which the script of the page finds it
    """

    d: str
    fill: str = "none"
    line: str = "none"
    width: float = 1.0
    dash: str = ""
    opacity: float = 1.0
    place: tuple[float, float, float, float] | None = None
    told: str = ""
    part: str = ""


@dataclass(frozen=True)
class Words:
    """One line of text; `halo` sets it off from what lies below."""

    x: float
    y: float
    text: str
    size: float = 11.0
    colour: str = "--ink"
    bold: bool = False
    anchor: str = "start"
    halo: bool = False
    part: str = ""


Item = Path2D | Words


@dataclass(frozen=True)
class Drawing:
    """A picture: its size, what it shows in words, and its items from back to front."""

    width: float
    height: float
    alt: str
    items: Sequence[Item]
    heading: str = ""


def oval(x: float, y: float, across: float, down: float) -> str:
    """The path of an ellipse with the half-axes `across` and `down`."""
    a, b = across * _ROUND, down * _ROUND
    return (
        f"M {x + across:.2f} {y:.2f} C {x + across:.2f} {y + b:.2f} {x + a:.2f} {y + down:.2f} {x:.2f} {y + down:.2f} "
        f"C {x - a:.2f} {y + down:.2f} {x - across:.2f} {y + b:.2f} {x - across:.2f} {y:.2f} "
        f"C {x - across:.2f} {y - b:.2f} {x - a:.2f} {y - down:.2f} {x:.2f} {y - down:.2f} "
        f"C {x + a:.2f} {y - down:.2f} {x + across:.2f} {y - b:.2f} {x + across:.2f} {y:.2f} Z"
    )


def moved(d: str, x: float, y: float, scale: float = 1.0) -> str:
    """The same path, scaled and then moved."""
    out, across = [], True
    for token in _tokens(d):
        if token.isalpha():
            out.append(token)
        else:
            out.append(f"{float(token) * scale + (x if across else y):.1f}")
            across = not across
    return " ".join(out)


def curve(start: Point, end: Point, bend: float, leave: float, arrive: float) -> tuple[str, Point, float]:
    """An arc between two places that keeps away from them: its path, its tip, and the direction there in degrees.

    bend : height of the arc as a share of the distance, to the left of the way. leave, arrive : radii kept clear
    """
    points = arc_points(start, end, bend)
    kept = [p for p in points if math.dist(p, start) >= leave and math.dist(p, end) >= arrive]
    if len(kept) < 4:
        kept = points[len(points) // 3 : 2 * len(points) // 3]
    (x, y), (px, py) = kept[-1], kept[-min(6, len(kept))]
    path = "M " + " L ".join(f"{a:.1f} {b:.1f}" for a, b in (*kept[:-1:3], kept[-1]))
    return path, (x, y), math.degrees(math.atan2(y - py, x - px))


def arc_points(start: Point, end: Point, bend: float, count: int = 72) -> list[Point]:
    """Places along a quadratic curve from one place to another."""
    (x0, y0), (x1, y1) = start, end
    control = ((x0 + x1) / 2 + 2 * bend * (y1 - y0), (y0 + y1) / 2 - 2 * bend * (x1 - x0))
    points = []
    for i in range(count + 1):
        t = i / count
        a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t**2
        points.append((a * x0 + b * control[0] + c * x1, a * y0 + b * control[1] + c * y1))
    return points


def clear_bends(
    places: Mapping[str, Point], ways: Sequence[tuple[str, str]], keep: Mapping[str, float], size: Point
) -> dict[tuple[str, str], float]:
    """Choose for each way the least bent arc that stays in the picture, off other places and off earlier arcs.

    keep : radius kept clear around each place. size : of the picture
    """
    taken: list[Point] = []
    bends: dict[tuple[str, str], float] = {}
    for origin, end in sorted(ways, key=lambda way: -math.dist(places[way[0]], places[way[1]])):
        others = [(places[name], radius) for name, radius in keep.items() if name not in (origin, end)]
        arcs = {bend: arc_points(places[origin], places[end], bend, 24)[2:-2] for bend in _BENDS}
        costs = {
            bend: 2.0 * sum(any(math.dist(p, other) < radius for p in arc) for other, radius in others)
            + 4.0 * any(not (6.0 < x < size[0] - 6.0 and 6.0 < y < size[1] - 6.0) for x, y in arc)
            + 0.4 * sum(any(math.dist(p, q) < 7.0 for q in taken) for p in arc[4:-4:2])
            + 2.0 * abs(bend)
            for bend, arc in arcs.items()
        }
        bends[origin, end] = min(_BENDS, key=lambda bend: costs[bend])
        taken += arcs[bends[origin, end]][4:-4]
    return bends


def _tokens(d: str) -> list[str]:
    return re.findall(r"[MLCQZ]|-?\d+(?:\.\d+)?", d)


# ---- for the page ---------------------------------------------------------------------------------------------------


def svg(drawing: Drawing, kind: str) -> str:
    """Write a drawing as SVG of the class `kind`, with its alternative text."""
    return (
        f'<svg class="drawing {kind}" xmlns="http://www.w3.org/2000/svg" role="img" '
        f'viewBox="0 0 {drawing.width:g} {drawing.height:g}" font-family="Helvetica, Arial, sans-serif" '
        f'stroke-linejoin="round" stroke-linecap="round" aria-label="{escape(drawing.alt)}">'
        f"{''.join(map(_written, drawing.items))}</svg>"
    )


def _written(item: Item) -> str:
    part = f' data-part="{item.part}"' if item.part else ""
    if isinstance(item, Words):
        weight = ' font-weight="700"' if item.bold else ""
        anchor = "" if item.anchor == "start" else f' text-anchor="{item.anchor}"'
        halo = ' stroke-width="3" paint-order="stroke"' if item.halo else ""
        style = f"fill:var({item.colour})" + (";stroke:var(--paper)" if item.halo else "")
        return (
            f'<text x="{item.x:.1f}" y="{item.y:.1f}" font-size="{item.size:g}"{anchor}{weight}{halo} '
            f'style="{style}"{part}>{escape(item.text)}</text>'
        )
    fill = "none" if item.fill == "none" else f"var({item.fill})"
    line = "" if item.line == "none" else f";stroke:var({item.line})"
    width = f' stroke-width="{item.width:g}"' if line else ""
    dash = f' stroke-dasharray="{item.dash}"' if item.dash else ""
    faint = f' opacity="{item.opacity:g}"' if item.opacity < 1 else ""
    place = ""
    if item.place is not None:
        x, y, angle, scale = item.place
        place = f' transform="translate({x:.1f} {y:.1f}) rotate({angle:.1f}) scale({scale:g})"'
    told = f"<title>{escape(item.told)}</title>" if item.told else ""
    return f'<path d="{item.d}" style="fill:{fill}{line}"{width}{dash}{faint}{place}{part}>{told}</path>'


# ---- for print ------------------------------------------------------------------------------------------------------


def save_drawings(
    drawings: Sequence[Drawing], path: str | Path, title: str = "", most: int = 3, key: Drawing | None = None
) -> Path:
    """Paint drawings side by side, `most` in a row, and their key below, into a file for print: SVG, PDF or PNG.

    The same drawings give the same file. One unit of a drawing is one point.

    Raises
    ------
    ResultError
        For another ending, or if there is nothing to draw.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.font_manager import fontManager

    target = Path(path)
    if target.suffix.lower() not in _SUFFIXES:
        raise ResultError(f"'{target.name}': a picture ends in {', '.join(_SUFFIXES)}.")
    if not drawings:
        raise ResultError(f"'{target.name}' was not written: there is nothing to draw.")
    columns = min(most, len(drawings))
    wide = max(d.width for d in drawings) + _GAP
    high = max(d.height for d in drawings) + _HEAD
    top = 30.0 if title else 6.0
    rows = -(-len(drawings) // columns)
    foot = key.height + _GAP if key is not None else 0.0
    size = (max(columns * wide, key.width if key is not None else 0.0) + _GAP, rows * high + top + foot + 6.0)
    faces = [face for face in _FACES if face in fontManager.get_font_names()]
    with rc_context({"font.family": faces, "svg.hashsalt": "paget", "svg.fonttype": "none", "pdf.fonttype": 42}):
        figure = Figure(figsize=(size[0] / 72.0, size[1] / 72.0))
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set_xlim(0.0, size[0])
        axes.set_ylim(size[1], 0.0)
        axes.axis("off")
        if title:
            axes.text(_GAP, 18.0, title, fontsize=13, fontweight="bold", va="center")
        for i, drawing in enumerate(drawings):
            x, y = _GAP + (i % columns) * wide, top + (i // columns) * high
            axes.text(x, y + 12.0, drawing.heading, fontsize=11, fontweight="bold", va="center")
            _paint(axes, _shifted(drawing.items, x, y + _HEAD))
        if key is not None:
            _paint(axes, _shifted(key.items, _GAP, top + rows * high + _GAP / 2))
        dated = target.suffix.lower() == ".png"
        facts = None if dated else {"Date" if target.suffix.lower() == ".svg" else "CreationDate": None}
        figure.savefig(target, dpi=144, facecolor="white", metadata=facts)
    return target


def _shifted(items: Iterable[Item], x: float, y: float) -> list[Item]:
    out: list[Item] = []
    for item in items:
        if isinstance(item, Words):
            out.append(replace(item, x=item.x + x, y=item.y + y))
        elif item.place is not None:
            across, down, angle, scale = item.place
            out.append(replace(item, place=(across + x, down + y, angle, scale)))
        else:
            out.append(replace(item, d=moved(item.d, x, y)))
    return out


def _paint(axes: Axes, items: Iterable[Item]) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.patheffects import Stroke
    from matplotlib.transforms import Affine2D

    light = palettes()["light"]
    for rank, item in enumerate(items):
        if isinstance(item, Words):
            style: dict[str, Any] = {"fontsize": item.size, "fontweight": "bold" if item.bold else "normal"}
            style |= {"ha": _ANCHORS[item.anchor], "va": "baseline", "zorder": rank}
            if item.halo:  # a text of its own: words with an effect would be written as outlines
                below = axes.text(item.x, item.y, item.text, color=light["--paper"], **style)
                below.set_path_effects([Stroke(linewidth=3.0, foreground=light["--paper"])])
            axes.text(item.x, item.y, item.text, color=light[item.colour], **style)
            continue
        if not item.width and item.fill == "none":
            continue
        patch = PathPatch(
            _outline(item.d),
            facecolor=light[item.fill] if item.fill != "none" else "none",
            edgecolor=light[item.line] if item.line != "none" and item.width else "none",
            linewidth=item.width,
            alpha=item.opacity,
            linestyle=(0.0, [float(part) / max(item.width, 0.1) for part in item.dash.split()]) if item.dash else "-",
            capstyle="round",
            joinstyle="round",
            zorder=rank,
        )
        if item.place is not None:
            x, y, angle, scale = item.place
            patch.set_transform(Affine2D().scale(scale).rotate_deg(angle).translate(x, y) + axes.transData)
        axes.add_patch(patch)


def _outline(d: str):  # type: ignore[no-untyped-def]
    """The path that matplotlib understands."""
    from matplotlib.path import Path as Outline

    codes: list[int] = []
    points: list[Point] = []
    kinds = {
        "M": (Outline.MOVETO,),
        "L": (Outline.LINETO,),
        "Q": (Outline.CURVE3,) * 2,
        "C": (Outline.CURVE4,) * 3,
    }
    tokens = iter(_tokens(d))
    for token in tokens:
        if token == "Z":
            codes.append(int(Outline.CLOSEPOLY))
            points.append((0.0, 0.0))
            continue
        for code in kinds[token]:
            codes.append(int(code))
            points.append((float(next(tokens)), float(next(tokens))))
    return Outline(points, codes)
