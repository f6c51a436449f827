"""Where the nodes of an influence graph stand: in rows along the flow of influence, modules as blocks, few crossings.

Layered drawing (Sugiyama et al. 1981, doi:10.1109/TSMC.1981.4308636): cycles are opened where that turns the fewest edges
(Eades et al. 1993, doi:10.1016/0020-0190(93)90079-O), nodes fall into rows of bounded width, rows are ordered by the
neighbours of their nodes, and neighbours are swapped while that spares crossings and length. Edges keep clear of nodes.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Block", "Layout", "layout", "route"]

Point = tuple[float, float]
Pair = tuple[str, str]
Real = NDArray[np.float64]

HEIGHT = 26.0  # of a box, in points
CHARACTER = 6.6
GAP_X, GAP_Y = 22.0, 44.0
BLOCK_GAP_X, BLOCK_GAP_Y, BLOCK_MARGIN, BLOCK_HEAD = 40.0, 62.0, 14.0, 18.0
SWEEPS, PASSES = 24, 6
CROSSING = 45.0  # length of line that a crossing is worth


@dataclass(frozen=True)
class Block:
    """The frame around a module: its middle and its size."""

    name: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Layout:
    """places : middle of each node's box; widths : of the boxes; y grows downwards. size : of the whole, from 0, 0"""

    places: Mapping[str, Point]
    widths: Mapping[str, float]
    blocks: tuple[Block, ...]
    size: Point


def layout(
    names: Sequence[str], edges: Sequence[Pair], modules: Mapping[str, str], labels: Mapping[str, str]
) -> Layout:
    """Place nodes; those of one module in one block. The same graph always gives the same places.

    edges : source and target. modules : node -> module, "" for none. labels : node -> text that its box must hold
    """
    widths = {name: max(40.0, CHARACTER * len(labels[name]) + 14.0) for name in names}
    grouped: dict[str, list[str]] = {}
    for name in names:
        grouped.setdefault(modules.get(name, ""), []).append(name)
    if len(grouped) == 1:
        sizes = {name: (widths[name], HEIGHT) for name in names}
        places = _layered(list(names), edges, sizes, GAP_X, GAP_Y, 1.6)
        return _framed(places, widths, ())
    inner, sizes = {}, {}
    for module, members in grouped.items():
        inside = set(members)
        boxes = {name: (widths[name], HEIGHT) for name in members}
        own = [edge for edge in edges if edge[0] in inside and edge[1] in inside]
        inner[module] = _layered(members, own, boxes, GAP_X, GAP_Y * 0.7, 1.3)
        right, bottom = (
            max(place[side] + boxes[name][side] / 2.0 for name, place in inner[module].items()) for side in (0, 1)
        )
        right = max(right, CHARACTER * len(module) - BLOCK_MARGIN)
        sizes[module] = (right + 2.0 * BLOCK_MARGIN, bottom + 2.0 * BLOCK_MARGIN + BLOCK_HEAD)
    owner = {name: module for module, members in grouped.items() for name in members}
    between = [(owner[a], owner[b]) for a, b in edges if owner[a] != owner[b]]
    outer = _layered(list(grouped), between, sizes, BLOCK_GAP_X, BLOCK_GAP_Y, 1.0)
    places, blocks = {}, []
    for module, (x, y) in outer.items():
        wide, high = sizes[module]
        left, top = x - wide / 2.0 + BLOCK_MARGIN, y - high / 2.0 + BLOCK_MARGIN + BLOCK_HEAD
        places |= {name: (left + px, top + py) for name, (px, py) in inner[module].items()}
        blocks.append(Block(module, x, y, wide, high))
    return _framed(places, widths, tuple(blocks))


def _framed(places: Mapping[str, Point], widths: Mapping[str, float], blocks: tuple[Block, ...]) -> Layout:
    right = max([*(x + widths[name] / 2.0 for name, (x, _) in places.items()), *(b.x + b.width / 2.0 for b in blocks)])
    bottom = max([*(y + HEIGHT / 2.0 for _, y in places.values()), *(b.y + b.height / 2.0 for b in blocks)])
    return Layout(dict(places), dict(widths), blocks, (right, bottom))


# ---- rows ------------------------------------------------------------------------------------------------------------------
def _layered(
    names: list[str], edges: Sequence[Pair], sizes: Mapping[str, Point], gap_x: float, gap_y: float, slack: float
) -> dict[str, Point]:
    """Middles of boxes of given sizes, in rows, from 0, 0 on; `slack` times as many rows as would hold them all."""
    weights: dict[Pair, float] = {}
    for source, target in edges:
        if source != target:
            weights[source, target] = weights.get((source, target), 0.0) + 1.0
    area = sum((sizes[n][0] + gap_x) * (sizes[n][1] + gap_y) for n in names)
    # What nothing connects stands in few long rows, out of the way of what leads from them.
    room = max(((1.9 if weights else 6.0) * area) ** 0.5, max(sizes[n][0] for n in names))
    widths = {n: sizes[n][0] + gap_x for n in names}
    rows = _rows(names, weights, widths, room, round(slack * sum(widths.values()) / room))
    across = _Across(names, rows, weights, {n: sizes[n][0] for n in names}, gap_x)
    across.settle()
    places: dict[str, Point] = {}
    top = 0.0
    for row in across.rows:
        high = max(sizes[n][1] for n in row)
        places |= {n: (across.x[n], top + high / 2.0) for n in row}
        top += high + gap_y
    left = min(places[n][0] - sizes[n][0] / 2.0 for n in names)
    return {n: (x - left, y) for n, (x, y) in places.items()}


def _order(names: list[str], weights: Mapping[Pair, float]) -> list[str]:
    """A line of nodes that few edges run against: sinks from the end, sources from the start, else the largest surplus."""
    left, head, tail = list(names), list[str](), list[str]()
    while left:
        inside = set(left)
        out, into = dict.fromkeys(left, 0.0), dict.fromkeys(left, 0.0)
        for (a, b), weight in weights.items():
            if a in inside and b in inside:
                out[a] += weight
                into[b] += weight
        sinks = [n for n in left if out[n] == 0.0 and into[n] > 0.0]
        sources = [n for n in left if into[n] == 0.0]
        if sources:
            head += sources
            left = [n for n in left if n not in set(sources)]
        elif sinks:
            tail = sinks + tail
            left = [n for n in left if n not in set(sinks)]
        else:
            first = max(left, key=lambda n: out[n] - into[n])
            head.append(first)
            left.remove(first)
    return head + tail


def _rows(
    names: list[str], weights: Mapping[Pair, float], widths: Mapping[str, float], room: float, most: int
) -> list[list[str]]:
    """Rows in the order of influence; what nothing drives stands just above what it drives.

    None is much wider than `room`. Where loops make for long chains, successive steps share a row, so that there are about
    `most` rows.
    """
    line = _order(names, weights)
    at = {name: i for i, name in enumerate(line)}
    before: dict[str, list[str]] = {name: [] for name in names}
    after: dict[str, list[str]] = {name: [] for name in names}
    for a, b in weights:
        if at[a] < at[b]:
            before[b].append(a)
            after[a].append(b)
    step: dict[str, int] = {}
    for name in (name for name in line if before[name]):
        step[name] = max((step[a] + 1 for a in before[name] if a in step), default=1)
    steps = max(step.values(), default=0)
    fold = min(1.0, max(most, 2) / (steps + 1))
    row: dict[str, int] = {}
    taken = dict.fromkeys(range(2 * len(names) + 2), 0.0)

    def put(name: str, first: int, way: int) -> None:
        while taken[first] > 0.0 and taken[first] + widths[name] > room and first + way >= 0:
            first += way
        row[name] = first
        taken[first] += widths[name]

    for name in sorted(step, key=lambda name: (step[name], at[name])):
        put(name, max(int(step[name] * fold), 1), 1)
    for name in (name for name in line if name not in step):
        put(name, max(min((row[b] for b in after[name]), default=1) - 1, 0), -1 if after[name] else 1)
    return [[n for n in line if row[n] == r] for r in sorted(set(row.values()))]


class _Across:
    """Order and place within rows, improved step by step."""

    def __init__(
        self,
        names: list[str],
        rows: list[list[str]],
        weights: Mapping[Pair, float],
        width: Mapping[str, float],
        gap: float,
    ) -> None:
        self.rows, self.width, self.gap = rows, width, gap
        self.row = {name: r for r, line in enumerate(rows) for name in line}
        self.index = {name: i for i, name in enumerate(names)}
        self.names = names
        self.near: dict[str, list[tuple[str, float]]] = {name: [] for name in names}
        for (a, b), weight in weights.items():
            apart = weight / max(abs(self.row[a] - self.row[b]), 0.5)
            self.near[a].append((b, apart))
            self.near[b].append((a, apart))
        self.ends = np.array([(self.index[a], self.index[b]) for a, b in weights], np.int64).reshape(-1, 2)
        self.weights = np.array(list(weights.values()))
        self.height = np.array([float(self.row[name]) for name in names])
        self.x: dict[str, float] = {}
        for line in rows:
            self._place(line, dict.fromkeys(line, 0.0))

    def settle(self) -> None:
        """Sweep, keep the best, then swap neighbours."""
        best = self.cost(), [list(line) for line in self.rows], dict(self.x)
        for sweep in range(SWEEPS):
            lines = self.rows if sweep % 2 == 0 else list(reversed(self.rows))
            for line in lines:
                wanted = {name: self._wanted(name) for name in line}
                line.sort(key=lambda name: (wanted[name], self.index[name]))
                self._place(line, wanted)
            cost = self.cost()
            if cost < best[0]:
                best = cost, [list(line) for line in self.rows], dict(self.x)
        _, self.rows, self.x = best
        for _ in range(PASSES):
            swapped = [self._swapped(line, k) for line in self.rows for k in range(len(line) - 1)]
            if not any(swapped):
                break

    def cost(self) -> float:
        """Length of all edges and what their crossings are worth."""
        x = np.array([self.x[name] for name in self.names])
        start, end = self.ends[:, 0], self.ends[:, 1]
        length = float((self.weights * np.abs(x[start] - x[end])).sum())
        return length + CROSSING * _crossings(x, self.height, start, end)

    def _wanted(self, name: str) -> float:
        near = self.near[name]
        total = sum(weight for _, weight in near)
        return sum(weight * self.x[other] for other, weight in near) / total if total else self.x[name]

    def _place(self, line: list[str], wanted: Mapping[str, float]) -> None:
        """Put the boxes of a row as near as they fit, in their order, to where they want to be."""
        from scipy.optimize import isotonic_regression

        half = np.array([self.width[name] / 2.0 for name in line])
        offset = np.concatenate([[0.0], np.cumsum(half[:-1] + half[1:] + self.gap)])
        target = np.array([wanted[name] for name in line])
        found = isotonic_regression(target - offset).x + offset
        self.x |= {name: float(x) for name, x in zip(line, found, strict=True)}

    def _swapped(self, line: list[str], k: int) -> bool:
        before, places = self.cost(), {name: self.x[name] for name in line}
        line[k], line[k + 1] = line[k + 1], line[k]
        self._place(line, {name: self._wanted(name) for name in line})
        if self.cost() < before - 1e-9:
            return True
        line[k], line[k + 1] = line[k + 1], line[k]
        self.x |= places
        return False


def _crossings(x: Real, y: Real, start: NDArray[np.int64], end: NDArray[np.int64]) -> int:
    """How many pairs of straight edges cross, those that share a node left out."""
    if start.size < 2:
        return 0
    ax, ay, bx, by = x[start], y[start], x[end], y[end]

    def side(px: Real, py: Real) -> Real:
        """On which side of edge i (rows) the point of edge j (columns) lies."""
        found: Real = (bx - ax)[:, None] * (py[None, :] - ay[:, None]) - (by - ay)[:, None] * (
            px[None, :] - ax[:, None]
        )
        return found

    apart = side(ax, ay) * side(bx, by) < -1e-9
    return int(np.count_nonzero(np.triu(apart & apart.T, 1)))


# ---- edges -----------------------------------------------------------------------------------------------------------------
def route(drawn: Layout, source: str, target: str, used: dict[tuple[int, int], int]) -> Real:
    """Points [k, 2] of a smooth line between two boxes that passes between the boxes on its way.

    used : how many lines already took each gap, updated; lines in one gap are drawn side by side
    """
    (x0, y0), (x1, y1) = drawn.places[source], drawn.places[target]
    if source == target:
        return _loop(drawn, source)
    if abs(y1 - y0) < 1.0:
        return _arc(drawn, source, target)
    down = 1.0 if y1 > y0 else -1.0
    start, end = y0 + down * HEIGHT / 2.0, y1 - down * HEIGHT / 2.0
    points = [(x0 + _spread(drawn, source, x1 - x0), start)]
    levels = sorted({y for y in (p[1] for p in drawn.places.values()) if min(y0, y1) + 1.0 < y < max(y0, y1) - 1.0})
    for y in levels if down > 0 else reversed(levels):
        straight = points[-1][0] + (x1 - points[-1][0]) * (y - points[-1][1]) / (y1 - points[-1][1])
        boxes = [(x, drawn.widths[n]) for n, (x, py) in drawn.places.items() if abs(py - y) < HEIGHT]
        free = _clear(straight, boxes)
        if abs(free - straight) > 0.5:
            gap = (round(y), round(free / 8.0))
            lane = used.get(gap, 0)
            used[gap] = lane + 1
            free += (0.0, 3.0, -3.0, 6.0, -6.0)[lane % 5]
            points.append((free, y))
    points.append((x1 + _spread(drawn, target, points[-1][0] - x1), end))
    return _smooth(points)


def _spread(drawn: Layout, name: str, towards: float) -> float:
    """Where along the edge of its box a line begins, leaning to where it goes."""
    reach = drawn.widths[name] / 2.0 - 7.0
    return float(np.clip(0.22 * towards, -reach, reach))


def _clear(x: float, boxes: Sequence[Point], margin: float = 8.0) -> float:
    """The place nearest to x that is in no box."""
    spans = [(b - w / 2.0 - margin, b + w / 2.0 + margin) for b, w in boxes]
    ends = [x, *(end for span in spans for end in span)]
    open_ends = [end for end in ends if not any(low + 1e-9 < end < high - 1e-9 for low, high in spans)]
    return min(open_ends, key=lambda end: abs(end - x))


def _smooth(points: Sequence[Point], steps: int = 14) -> Real:
    """A line through the points, upright in each of them."""
    t = np.linspace(0.0, 1.0, steps)[:, None]
    pieces = []
    for (ax, ay), (bx, by) in itertools.pairwise(points):
        pull = 0.5 * (by - ay)
        a, b, c, d = (np.array(p) for p in ((ax, ay), (ax, ay + pull), (bx, by - pull), (bx, by)))
        pieces.append((1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d)
    return np.concatenate(pieces)


def _arc(drawn: Layout, source: str, target: str) -> Real:
    """A line between neighbours of a row: straight where nothing stands between them, else over the others."""
    (x0, y), (x1, _) = drawn.places[source], drawn.places[target]
    side = 1.0 if x1 > x0 else -1.0
    start, end = x0 + side * drawn.widths[source] / 2.0, x1 - side * drawn.widths[target] / 2.0
    between = any(min(x0, x1) + 1.0 < x < max(x0, x1) - 1.0 and abs(py - y) < 1.0 for x, py in drawn.places.values())
    if not between:
        lift = 4.0 * side
        return np.array([(start, y - lift), (end, y - lift)])
    t = np.linspace(0.0, 1.0, 24)[:, None]
    rise = y - side * (HEIGHT / 2.0 + 20.0 + 0.03 * abs(x1 - x0))
    from_, to = (x0 + side * 8.0, y - side * HEIGHT / 2.0), (x1 - side * 8.0, y - side * HEIGHT / 2.0)
    a, b, c, d = (np.array(p) for p in (from_, (from_[0] + side * 12.0, rise), (to[0] - side * 12.0, rise), to))
    found: Real = (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d
    return found


def _loop(drawn: Layout, name: str) -> Real:
    """A small loop at the right of a box that influences itself."""
    x, y = drawn.places[name]
    turn = np.linspace(-0.75 * np.pi, 0.75 * np.pi, 20)
    right = x + drawn.widths[name] / 2.0
    return np.column_stack([right + 5.0 + 7.0 * np.cos(turn), y + 7.0 * np.sin(turn)])
