"""Capillary beds to start from: parallel capillaries, random ones, and an arterial tree that drains into a venous one."""

from __future__ import annotations

import itertools
import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from paget.errors import ModelError
from paget.kernels import philox
from paget.tissue.vessels.network import VesselNetwork

__all__ = ["parallel_bed", "random_bed", "tree_bed"]

Real = NDArray[np.float64]
Size = tuple[float, float, float]


def _vessels(paths: list[Real], radius: float, arterial: float, venous: float) -> VesselNetwork:
    """Unbranched vessels, each a row of points [3, k] from its arterial to its venous end."""
    ends, pressure, first = [], {}, 0
    for path in paths:
        rows = np.arange(first, first + path.shape[1])
        ends.append(np.stack([rows[:-1], rows[1:]]))
        pressure[int(rows[0])], pressure[int(rows[-1])] = arterial, venous
        first += path.shape[1]
    if not paths:
        return VesselNetwork.none()
    return VesselNetwork.of(np.concatenate(paths, axis=1), np.concatenate(ends, axis=1), radius, pressure=pressure)


def _path(begin: Real, end: Real, step: float) -> Real:
    """Points [3, k] along a straight line, at most `step` um apart."""
    pieces = max(math.ceil(float(np.linalg.norm(end - begin)) / step - 1e-9), 1)
    return begin[:, None] + np.linspace(0.0, 1.0, pieces + 1) * (end - begin)[:, None]


def _positive(what: str, value: float, unit: str) -> None:
    if not (math.isfinite(value) and value > 0.0):
        raise ModelError(f"A capillary bed needs a {what} above zero; {value:g} {unit} was given.")


def parallel_bed(
    size: Size,
    spacing: float,
    radius: float,
    *,
    along: Literal["x", "y", "z"] = "x",
    step: float = 50.0,
    arterial: float = 32.0,
    venous: float = 15.0,
) -> VesselNetwork:
    """Straight parallel capillaries on a square lattice, as in striated muscle and as Krogh drew them.

    size : tissue in um; spacing : between axes in um, adjusted so that whole Krogh cells fill the tissue; along : direction of
    blood; step : longest segment in um; arterial, venous : pressures in mmHg at the two faces. In a 2-D tissue (one layer of
    voxels) capillaries along z are cross-sections.
    """
    _positive("spacing", spacing, "um")
    axis = "xyz".index(along)
    across = [a for a in range(3) if a != axis]
    counts = [max(round(size[a] / spacing), 1) for a in across]
    paths = []
    for i in range(counts[0]):
        for j in range(counts[1]):
            begin, end = np.zeros(3), np.zeros(3)
            begin[across] = end[across] = [
                (i + 0.5) * size[across[0]] / counts[0],
                (j + 0.5) * size[across[1]] / counts[1],
            ]
            end[axis] = size[axis]
            paths.append(_path(begin, end, step))
    return _vessels(paths, radius, arterial, venous)


def random_bed(
    size: Size,
    density: float,
    radius: float,
    key: np.uint64,
    *,
    flat: bool = False,
    step: float = 50.0,
    arterial: float = 32.0,
    venous: float = 15.0,
) -> VesselNetwork:
    """Straight capillaries in random directions, of a given length density, as in a tissue without order.

    density : length of capillaries per volume in um/um3 (1 mm/mm3 is 1e-6). Each capillary is the chord of an isotropic uniform
    random line: uniform direction, and a uniform place on the plane across it. Lines are drawn until the length is reached; the
    last one is taken if that comes nearer to it. flat : a 2-D tissue, whose capillaries lie in its plane. Blood runs towards
    larger x.
    """
    _positive("length density", density, "um/um3")
    box = np.array(size)
    paths: list[Real] = []
    wanted, got = density * float(np.prod(box)), 0.0
    span = float(np.linalg.norm(box[:2] if flat else box))
    drawn = 0
    while True:
        batch = philox.uniforms(key, np.arange(drawn, drawn + 256, dtype=np.uint64), -1, 4)
        drawn += 256
        for u in batch:
            up = 0.0 if flat else 2.0 * u[0] - 1.0
            angle, level = 2.0 * math.pi * u[1], math.sqrt(1.0 - up * up)
            way = np.array([level * math.cos(angle), level * math.sin(angle), up])
            first = np.array([-math.sin(angle), math.cos(angle), 0.0])
            second = np.cross(way, first)
            shift = np.zeros(3) if flat else (u[3] - 0.5) * span * second
            middle = box / 2.0 + (u[2] - 0.5) * span * first + shift
            chord = _chord(middle, way, box)
            if chord is None:
                continue
            length = float(np.linalg.norm(chord[1] - chord[0]))
            if length < radius:
                continue
            if got + length - wanted > wanted - got:
                return _vessels(paths, radius, arterial, venous)
            got += length
            paths.append(_path(*(chord if chord[0][0] <= chord[1][0] else chord[::-1]), step))
            if got >= wanted:
                return _vessels(paths, radius, arterial, venous)


def _chord(point: Real, way: Real, box: Real) -> tuple[Real, Real] | None:
    """Where a line enters and leaves the box, or None where it misses it."""
    low, high = -math.inf, math.inf
    for axis in range(3):
        if way[axis] == 0.0:
            if not 0.0 <= point[axis] <= box[axis]:
                return None
            continue
        crossings = sorted((-point[axis] / way[axis], (box[axis] - point[axis]) / way[axis]))
        low, high = max(low, crossings[0]), min(high, crossings[1])
    if low >= high:
        return None
    return np.clip(point + low * way, 0.0, box), np.clip(point + high * way, 0.0, box)


def tree_bed(
    size: Size,
    generations: int,
    radius: float,
    *,
    flat: bool = False,
    step: float = 50.0,
    arterial: float = 32.0,
    venous: float = 15.0,
) -> VesselNetwork:
    """An arteriole that branches `generations` times into capillaries, which join again into a venule.

    Radii follow Murray's law, r_parent^3 = r_1^3 + r_2^3, from capillaries of `radius` up. Branches part along y and z in turn
    (along y alone in a 2-D tissue), so that the 2^generations capillaries fill the section evenly.
    """
    if generations < 1:
        raise ModelError(f"A tree of vessels needs 1 or more generations; {generations} were given.")
    points: list[Real] = []
    ends: list[tuple[int, int]] = []
    radii: list[float] = []
    known: dict[tuple[float, ...], int] = {}

    def node(point: Real) -> int:
        # Vessels meet where their ends agree to a millionth of a micrometre; rounding must not part them.
        key = tuple(round(float(x), 6) for x in point)
        if key not in known:
            known[key] = len(points)
            points.append(point)
        return known[key]

    def vessel(begin: Real, end: Real, thick: float) -> None:
        path = _path(begin, end, step)
        rows = [node(p) for p in path.T]
        ends.extend(itertools.pairwise(rows))
        radii.extend([thick] * (len(rows) - 1))

    length, level = size[0], size[0] / (2 * generations + 3)

    def both(begin: Real, end: Real, thick: float) -> None:
        # The venous tree is the mirror image of the arterial one, with the blood running the other way.
        vessel(begin, end, thick)
        mirror = np.array([length, 0.0, 0.0])
        flip = np.array([-1.0, 1.0, 1.0])
        vessel(mirror + flip * end, mirror + flip * begin, thick)

    def branch(x: float, centre: Real, room: Real, left: int) -> None:
        thick, thin = (radius * 2.0 ** (level_up / 3.0) for level_up in (left, left - 1))
        if left == 0:
            vessel(np.array([x, *centre]), np.array([length - x, *centre]), radius)
            return
        fork = np.array([x + level, *centre])
        both(np.array([x, *centre]), fork, thick)
        side = 0 if flat or (generations - left) % 2 == 0 else 1
        halved = room.copy()
        halved[side] /= 2.0
        for sign in (-1.0, 1.0):
            moved = centre.copy()
            moved[side] += sign * halved[side] / 2.0
            both(fork, np.array([x + level, *moved]), thin)
            branch(x + level, moved, halved, left - 1)

    middle = np.array(size[1:]) / 2.0
    branch(0.0, middle, np.array(size[1:]), generations)
    root, drain = node(np.array([0.0, *middle])), node(np.array([length, *middle]))
    pressure = {root: arterial, drain: venous}
    return VesselNetwork.of(np.stack(points, axis=1), np.array(ends).T, np.array(radii), pressure=pressure)
