"""The causal chain as a network: arrows stimulate, bars inhibit (SBGN activity flow); colours are what was measured."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from paget.report.drawing import Drawing, Item, Path2D, Words
from paget.report.theme import wrapped

__all__ = ["NodeValue", "chain_drawing", "chain_key"]

_WIDTH, _LINE, _CHARACTERS = 108.0, 15.0, 14
_HEIGHT = 3 * _LINE + 14
_GAP_X, _GAP_Y = 34.0, 30.0
_MARGIN = 14.0
_BENDS = (0.0, 34.0, -34.0, 66.0, -66.0, 104.0, -104.0, 150.0, -150.0, 210.0, -210.0)
_STRONGEST_MIX = 0.55  # words stay readable on it, on dark paper too
_KEY_STEPS = 6
_TIP = "M 0 0 L -10 -5 L -7.5 0 L -10 5 Z"
_BAR = "M 0 -7.5 L 0 7.5"

Point = tuple[float, float]


@dataclass(frozen=True)
class NodeValue:
    """What a contrast did to a node: `strength` from -1 to 1 for the colour, and the same in words."""

    strength: float
    text: str
    significant: bool
    told: str


def chain_drawing(chain: Mapping[str, Any], values: Mapping[str, NodeValue], title: str) -> Drawing:
    """Draw the chain with the nodes coloured by `values` (by readout); nodes without a value stay blank."""
    nodes: Sequence[Mapping[str, Any]] = chain["nodes"]
    places = _places(nodes)
    right = max(x for x, _ in places.values()) + _WIDTH / 2 + _MARGIN
    bottom = max(y for _, y in places.values()) + _HEIGHT / 2 + _MARGIN
    edges = [
        e for e in chain["edges"] if e["source"] in places and e["target"] in places and e["source"] != e["target"]
    ]
    routes = [(edge, _route(edge, edges, places)) for edge in edges]
    points = [p for _, route in routes for p in route]
    top = min([0.0, *(y - 12 for _, y in points)])
    bottom = max([bottom, *(y + 12 for _, y in points)])
    items: list[Item] = []
    for edge, route in routes:
        items += _edge(edge, [(x, y - top) for x, y in route])
    for node in nodes:
        x, y = places[node["id"]]
        items += _node(node, (x, y - top), values.get(node.get("readout") or ""))
    told = [f"{n['label']} {values[n['readout']].text}" for n in nodes if n.get("readout") in values]
    return Drawing(right, bottom - top, f"{title}. {'; '.join(told) or 'No values'}.", items, title)


def chain_key() -> Drawing:
    """Draw the scale of colours, and what arrows and bars mean."""
    items: list[Item] = [Words(0.0, 14.0, "lower", 12.0, "--muted")]
    left, step = 42.0, 10.0
    for place in range(-_KEY_STEPS, _KEY_STEPS + 1):
        x = left + (place + _KEY_STEPS) * step
        box = f"M {x:.1f} 4 L {x + step:.1f} 4 L {x + step:.1f} 16 L {x:.1f} 16 Z"
        strength = round(_STRONGEST_MIX * abs(place) / _KEY_STEPS, 3)
        items.append(Path2D(box, fill="--up" if place > 0 else "--down", opacity=strength))
    right = left + (2 * _KEY_STEPS + 1) * step
    items.append(Path2D(f"M {left} 4 L {right} 4 L {right} 16 L {left} 16 Z", line="--muted", width=0.7))
    items.append(Words(right + 8.0, 14.0, "higher than the control", 12.0, "--muted"))
    arrow, bar = right + 156.0, right + 266.0
    items += [
        Path2D(f"M {arrow} 10 L {arrow + 24.0} 10", line="--muted", width=1.5),
        Path2D(_TIP, fill="--muted", place=(arrow + 32.0, 10.0, 0.0, 1.0)),
        Words(arrow + 39.0, 14.0, "stimulates", 12.0, "--muted"),
        Path2D(f"M {bar} 10 L {bar + 30.0} 10", line="--muted", width=1.5),
        Path2D(_BAR, line="--muted", width=2.6, place=(bar + 30.0, 10.0, 0.0, 1.0)),
        Words(bar + 38.0, 14.0, "inhibits", 12.0, "--muted"),
    ]
    return Drawing(
        bar + 90.0, 20.0, "Scale of colours, lower to higher than the control; arrows stimulate, bars inhibit", items
    )


def _places(nodes: Sequence[Mapping[str, Any]]) -> dict[str, Point]:
    """Stretch the unit layout until no two nodes touch; y grows upwards in the layout and downwards on the page."""
    pairs = [(abs(a["x"] - b["x"]), abs(a["y"] - b["y"])) for i, a in enumerate(nodes) for b in nodes[i + 1 :]]
    stacked = [dy for dx, dy in pairs if dx < 0.75 and dy > 0.05]
    tall = min(150.0, max(62.0, (_HEIGHT + _GAP_Y) / min(stacked))) if stacked else 62.0
    beside = [dx for dx, dy in pairs if dy * tall < _HEIGHT + 6 and dx > 0.05]
    wide = min(260.0, max(92.0, (_WIDTH + _GAP_X) / min(beside))) if beside else 92.0
    left, top = min(n["x"] for n in nodes), max(n["y"] for n in nodes)
    return {
        n["id"]: (
            (n["x"] - left) * wide + _WIDTH / 2 + _MARGIN,
            (top - n["y"]) * tall + _HEIGHT / 2 + _MARGIN,
        )
        for n in nodes
    }


def _route(edge: Mapping[str, Any], edges: Sequence[Mapping[str, Any]], places: Mapping[str, Point]) -> list[Point]:
    """Find the least bent curve from border to border that crosses no other node."""
    start, end = places[edge["source"]], places[edge["target"]]
    others = [p for name, p in places.items() if name not in (edge["source"], edge["target"])]
    returned = any(e["source"] == edge["target"] and e["target"] == edge["source"] for e in edges)
    length = math.dist(start, end) or 1.0
    normal = (-(end[1] - start[1]) / length, (end[0] - start[0]) / length)
    best: tuple[float, list[Point]] | None = None
    for bend in _BENDS:
        shift = bend + (20.0 if returned and bend == 0 else 0.0)
        middle = (
            (start[0] + end[0]) / 2 + 2 * shift * normal[0],
            (start[1] + end[1]) / 2 + 2 * shift * normal[1],
        )
        curve = _trimmed(start, middle, end)
        hits = sum(any(_inside(p, other, 7.0) for p in curve) for other in others)
        cost = 1000.0 * hits + abs(shift)
        if best is None or cost < best[0]:
            best = (cost, curve)
        if hits == 0:
            break
    assert best is not None
    return best[1]


def _trimmed(start: Point, middle: Point, end: Point, steps: int = 240) -> list[Point]:
    """Sample the curve and keep what lies outside both nodes, leaving room for the arrow's tip."""
    curve = []
    for i in range(steps + 1):
        t = i / steps
        a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t**2
        curve.append((a * start[0] + b * middle[0] + c * end[0], a * start[1] + b * middle[1] + c * end[1]))
    outside = [p for p in curve if not _inside(p, start, 1.0) and not _inside(p, end, 3.0)]
    return outside if len(outside) >= 2 else [start, end]


def _inside(point: Point, node: Point, margin: float) -> bool:
    return abs(point[0] - node[0]) < _WIDTH / 2 + margin and abs(point[1] - node[1]) < _HEIGHT / 2 + margin


def _edge(edge: Mapping[str, Any], route: Sequence[Point]) -> list[Item]:
    (x, y), (px, py) = route[-1], route[-min(12, len(route))]
    angle = math.degrees(math.atan2(y - py, x - px))
    stimulates = edge["sign"] > 0
    path = "M " + " L ".join(f"{a:.1f} {b:.1f}" for a, b in route)
    told = f"{edge['source']} {'stimulates' if stimulates else 'inhibits'} {edge['target']}"
    details = "; ".join(str(edge[key]) for key in ("role", "reference") if edge.get(key))
    told += f" ({details})" if details else ""
    place = (x, y, angle, 1.0)
    end = (
        Path2D(_TIP, fill="--muted", place=place)
        if stimulates
        else Path2D(_BAR, line="--muted", width=2.6, place=place)
    )
    return [Path2D(path, line="--muted", width=1.5, told=told), end]


def _node(node: Mapping[str, Any], place: Point, value: NodeValue | None) -> list[Item]:
    x, y = place
    label = str(node["label"])
    lines = wrapped(label, _CHARACTERS, 2 if value else 3)
    rows = [(text, False) for text in lines] + ([(value.text, True)] if value else [])
    first = y - _LINE * (len(rows) - 1) / 2 + 4.5
    strong = value is not None and value.significant
    width = 2.2 if strong else 1.0
    told = f"{label}: {value.told}" if value else f"{label}: no readout"
    frame = _rounded(x, y, _WIDTH, _HEIGHT)
    items: list[Item] = [
        Path2D(
            frame,
            fill="--paper",
            line="--ink" if strong else "--muted",
            width=width,
            dash="" if value else "4 3",
            told=told,
        )
    ]
    if value is not None and value.strength:
        inside = _rounded(x, y, _WIDTH - width, _HEIGHT - width)
        hue = "--up" if value.strength > 0 else "--down"
        items.append(Path2D(inside, fill=hue, opacity=round(_STRONGEST_MIX * abs(value.strength), 3), told=told))
    items += [
        Words(x, first + i * _LINE, text, 13.0, bold=bold, anchor="middle") for i, (text, bold) in enumerate(rows)
    ]
    return items


def _rounded(x: float, y: float, width: float, height: float, corner: float = 6.0) -> str:
    """The path of a rectangle around a place, with round corners."""
    left, top, right, bottom = x - width / 2, y - height / 2, x + width / 2, y + height / 2
    a, b, c, d = left + corner, right - corner, top + corner, bottom - corner
    return (
        f"M {a:.1f} {top:.1f} L {b:.1f} {top:.1f} Q {right:.1f} {top:.1f} {right:.1f} {c:.1f} L {right:.1f} {d:.1f} "
        f"Q {right:.1f} {bottom:.1f} {b:.1f} {bottom:.1f} L {a:.1f} {bottom:.1f} "
        f"Q {left:.1f} {bottom:.1f} {left:.1f} {d:.1f} L {left:.1f} {c:.1f} Q {left:.1f} {top:.1f} {a:.1f} {top:.1f} Z"
    )
