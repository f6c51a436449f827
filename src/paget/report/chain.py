"""The causal chain as a network: arrows stimulate, bars inhibit (SBGN activity flow); colours are what was measured."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from paget.report.theme import wrapped

__all__ = ["NodeValue", "chain_svg"]

_WIDTH, _LINE, _CHARACTERS = 108.0, 15.0, 14
_HEIGHT = 3 * _LINE + 14
_GAP_X, _GAP_Y = 34.0, 30.0
_MARGIN = 14.0
_BENDS = (0.0, 34.0, -34.0, 66.0, -66.0, 104.0, -104.0, 150.0, -150.0, 210.0, -210.0)
_STRONGEST_MIX = 0.62
_LIGHT = {1: (213, 94, 0), -1: (0, 114, 178)}

Point = tuple[float, float]


@dataclass(frozen=True)
class NodeValue:
    """What a contrast did to a node: `strength` from -1 to 1 for the colour, and the same in words."""

    strength: float
    text: str
    significant: bool
    told: str


def chain_svg(chain: Mapping[str, Any], values: Mapping[str, NodeValue], title: str) -> str:
    """Draw the chain with the nodes coloured by `values` (by readout); nodes without a value stay blank.

    Colours sit in attributes for a picture that is saved on its own; on the page the style sheet overrides them.
    """
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
    parts = [
        f'<svg class="chain" xmlns="http://www.w3.org/2000/svg" role="img" '
        f'viewBox="0 {top:.0f} {right:.0f} {bottom - top:.0f}" '
        f'font-family="Helvetica, Arial, sans-serif" font-size="13"><title>{escape(title)}</title>',
        *(_edge_svg(edge, route) for edge, route in routes),
        *(_node_svg(node, places[node["id"]], values.get(node.get("readout") or "")) for node in nodes),
        "</svg>",
    ]
    return "".join(parts)


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


def _edge_svg(edge: Mapping[str, Any], route: Sequence[Point]) -> str:
    (x, y), (px, py) = route[-1], route[-min(12, len(route))]
    angle = math.degrees(math.atan2(y - py, x - px))
    stimulates = edge["sign"] > 0
    path = "M" + " L".join(f"{a:.1f} {b:.1f}" for a, b in route)
    tip = '<path class="tip" d="M0 0 L-10 -5 L-7.5 0 L-10 5 Z" fill="#565d66"/>'
    bar = '<path class="edge" d="M0 -7.5 L0 7.5" stroke="#565d66" stroke-width="2.6" fill="none"/>'
    verb = "stimulates" if stimulates else "inhibits"
    told = f"{edge['source']} {verb} {edge['target']}"
    details = "; ".join(str(edge[key]) for key in ("role", "reference") if edge.get(key))
    told += f" ({details})" if details else ""
    return (
        f"<g><title>{escape(told)}</title>"
        f'<path class="edge" d="{path}" stroke="#565d66" stroke-width="1.5" fill="none"/>'
        f'<g transform="translate({x:.1f} {y:.1f}) rotate({angle:.1f})">{tip if stimulates else bar}</g></g>'
    )


def _node_svg(node: Mapping[str, Any], place: Point, value: NodeValue | None) -> str:
    x, y = place
    left, top = x - _WIDTH / 2, y - _HEIGHT / 2
    label = str(node["label"])
    lines = wrapped(label, _CHARACTERS, 2 if value else 3)
    rows = [(text, 400) for text in lines] + ([(value.text, 700)] if value else [])
    first = y - _LINE * (len(rows) - 1) / 2 + 4.5
    mix = _STRONGEST_MIX * abs(value.strength) if value else 0.0
    side = 1 if value is None or value.strength >= 0 else -1
    pale = "#" + "".join(f"{round(255 + (c - 255) * mix):02x}" for c in _LIGHT[side])
    kind = "blank" if value is None else "strong" if value.significant else "weak"
    stroke = {
        "blank": 'stroke-dasharray="4 3" stroke-width="1"',
        "weak": 'stroke-width="1"',
        "strong": 'stroke-width="2.2"',
    }[kind]
    told = f"{label}: {value.told}" if value else f"{label}: no readout"
    texts = "".join(
        f'<text x="{x:.1f}" y="{first + i * _LINE:.1f}" text-anchor="middle" fill="#17191c" font-weight="{weight}">'
        f"{escape(text)}</text>"
        for i, (text, weight) in enumerate(rows)
    )
    return (
        f"<g><title>{escape(told)}</title>"
        f'<rect class="node {kind}" x="{left:.1f}" y="{top:.1f}" width="{_WIDTH:.0f}" height="{_HEIGHT:.0f}" rx="6" '
        f'fill="{pale}" stroke="{"#17191c" if kind == "strong" else "#8b929b"}" {stroke} '
        f'style="--mix: {100 * mix:.0f}%; --hue: var(--{"up" if side > 0 else "down"})"/>{texts}</g>'
    )
