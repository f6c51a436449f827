"""Slow, clear twins of the kernels in `paget.kernels.lattice`, written from the description of the model."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paget.kernels.philox import philox4x32
from paget.kernels.streams import draw_uniform, open_stream

__all__ = ["Cell", "advance_fields", "divide", "move", "release", "shuffled"]

Real = NDArray[np.float64]
AROUND = ((-1, 0), (1, 0), (0, -1), (0, 1))  # left, right, bottom, top


@dataclass
class Cell:
    """A cell: kind 0 is mesenchymal, 1 epithelial; `where` is a grid, ``blood``, ``dead`` or ``no room``."""

    id: int
    kind: int
    where: Any
    x: int
    y: int
    cluster: int = -1
    founder: int = field(default=-1)


def advance_fields(
    cells: Real, m: Real, w: Real, spread: float, keep: float, make: float, digest: tuple[float, float], late: bool
) -> tuple[Real, Real]:
    """Enzyme and matrix after one explicit step in a grid whose borders are mirrors."""
    mirrored = np.pad(m, 1, mode="reflect")
    around = mirrored[2:, 1:-1] + mirrored[:-2, 1:-1] + mirrored[1:-1, 2:] + mirrored[1:-1, :-2]
    new = spread * around + m * keep + make * cells
    new[new <= 1e-290] = 0.0
    met = new if late else m
    return new, w * (1.0 - (digest[0] * cells + digest[1] * met))


def _on(cells: list[Cell], grid: int, x: int, y: int) -> list[Cell]:
    return [cell for cell in cells if (cell.where, cell.x, cell.y) == (grid, x, y)]


def divide(cells: list[Cell], kind: int, room: int, next_id: int) -> list[Cell]:
    """The cells and the daughters of those of one kind whose site has room, in the order of their ids."""
    grown = list(cells)
    for cell in sorted(cells, key=lambda cell: cell.id):
        on_grid = isinstance(cell.where, int)
        if on_grid and cell.kind == kind and len(_on(grown, cell.where, cell.x, cell.y)) < room:
            grown.append(Cell(next_id, kind, cell.where, cell.x, cell.y, -1, cell.founder))
            next_id += 1
    return grown


def shuffled(cells: list[Cell], step: int, key: int) -> list[tuple[Cell, float]]:
    """The cells on grids in random order, each with a uniform number."""
    drawn = []
    for cell in (cell for cell in cells if isinstance(cell.where, int)):
        low, high = np.uint64(cell.id % 2**32), np.uint64(cell.id // 2**32)
        counter = low, high, np.uint64(step % 2**32), np.uint64(step // 2**32)
        a, b, c, d = (int(word) for word in philox4x32(*counter, np.uint64(key % 2**32), np.uint64(key // 2**32)))
        drawn.append((a * 2**32 + b, cell.id, cell, ((c * 2**32 + d) >> 11) / 2**53))
    return [(cell, u) for _, _, cell, u in sorted(drawn, key=lambda one: one[:2])]


def move(
    cells: list[Cell],
    step: int,
    key: int,
    vessel: NDArray[np.int8],
    matrix: Real,
    walk: list[tuple[float, float]],
    room: int,
    clip: bool,
    limited: bool,
    next_cluster: int,
) -> tuple[list[tuple[int, ...]], list[int]]:
    """Let the cells walk, changing them in place; returns the events of entering vessels and the negative probabilities met."""
    side = matrix.shape[1]
    events: list[tuple[int, ...]] = []
    negative = [0, 0]
    for cell, u in shuffled(cells, step, key):
        if not isinstance(cell.where, int):
            continue
        g, x, y, (p, q) = cell.where, cell.x, cell.y, walk[cell.kind]
        across = q * (matrix[g, x + 1, y] - matrix[g, x - 1, y]) if 0 < x < side - 1 else 0.0
        upward = q * (matrix[g, x, y + 1] - matrix[g, x, y - 1]) if 0 < y < side - 1 else 0.0
        chances = {"left": p - across, "bottom": p - upward, "top": p + upward, "right": p + across}
        beyond = {"left": x == 0, "bottom": y == 0, "top": y == side - 1, "right": x == side - 1}
        chances = {way: 0.0 if beyond[way] else chance for way, chance in chances.items()}
        if min(chances.values()) < 0.0:
            negative[cell.kind] += 1
            if clip:
                chances = {way: max(chance, 0.0) for way, chance in chances.items()}
        stay = 1.0 - (chances["left"] + chances["right"] + chances["top"] + chances["bottom"])
        weights = (chances["left"], chances["bottom"], stay, chances["top"], chances["right"])
        way = bisect.bisect_right(list(itertools.accumulate(weights)), u, 0, 4)
        tx, ty = x + (-1, 0, 0, 0, 1)[way], y + (0, -1, 0, 1, 0)[way]
        opening = int(vessel[g, tx, ty])
        if g == 0 and opening and (opening == 2 or cell.kind == 0):
            taken = [other for dx, dy in (*AROUND, (0, 0)) for other in _on(cells, 0, tx + dx, ty + dy)]
            for other in taken:
                other.where, other.cluster = "blood", next_cluster + len(events)
            kinds = [other.kind for other in taken]
            events.append((tx, ty, kinds.count(0), kinds.count(1), opening, cell.kind))
        elif way != 2 and (len(_on(cells, g, tx, ty)) < room or (opening and not limited)):
            cell.x, cell.y = tx, ty
    return events, negative


def release(
    cells: list[Cell],
    due: set[int],
    vessels: list[list[tuple[int, int]]],
    shares: list[float],
    leaving: float,
    survival: tuple[float, float],
    room: int,
    side: int,
    step: int,
    keys: tuple[int, int],
) -> list[tuple[int, ...]]:
    """Let the clusters `due` out of the blood, changing the cells in place; returns the parties that arrived.

    vessels : sites of each grid; shares : of each grid
    """

    def draws(key: int, cell: Cell) -> Iterator[float]:
        stream, increment = open_stream(np.uint64(key), np.uint64(cell.id), step)
        while True:
            stream, u = draw_uniform(np.uint64(stream), np.uint64(increment))
            yield u

    clusters = [
        sorted((c for c in cells if c.where == "blood" and c.cluster == which), key=lambda c: (c.kind, c.id))
        for which in sorted(due)
    ]
    parties = [cluster for cluster in clusters if len(cluster) == 1]
    for cluster in (cluster for cluster in clusters if len(cluster) > 1):
        gone = [cell for cell in cluster if next(draws(keys[0], cell)) < leaving]
        parties += [[cell] for cell in gone]
        rest = [cell for cell in cluster if cell not in gone]
        parties += [rest] if rest else []
    arrivals: list[tuple[int, ...]] = []
    for party in parties:
        drawn = draws(keys[1], min(party, key=lambda cell: cell.id))
        if next(drawn) >= survival[min(len(party), 2) - 1]:
            for cell in party:
                cell.where = "dead"
            continue
        g = min(bisect.bisect_right(list(itertools.accumulate(shares)), next(drawn)), len(shares) - 1)
        v = int(next(drawn) * len(vessels[g]))
        x, y = vessels[g][v]
        for cell in party:
            sites = [(x + dx, y + dy) for dx, dy in AROUND if 0 <= x + dx < side and 0 <= y + dy < side]
            free = [site for site in sites if len(_on(cells, g, *site)) < room]
            cell.where = g if free else "no room"
            if free:
                (cell.x, cell.y), cell.cluster = free[0], -1
        kinds = [cell.kind for cell in party if cell.where == g]
        arrivals.append((g, v, kinds.count(0), kinds.count(1), len(party) - len(kinds), len(party)))
    return arrivals
