"""Angiogenesis: sprouts arise where VEGF is, follow it, join other vessels, and vanish where no blood comes to run.

The network of a tick is made from that of the tick before: tips arise, migrate, meet vessels (anastomosis), flow is solved
anew, and segments that stayed without flow regress.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from paget.kernels import philox
from paget.kernels.vessels import meetings_of_tips, nearest_on_segment
from paget.state import Grid
from paget.state.cells import mix
from paget.tissue.vessels.flow import with_flow
from paget.tissue.vessels.network import VesselNetwork

__all__ = ["Sprouting", "grow", "guidance_from"]

Real = NDArray[np.float64]
Whole = NDArray[np.int64]
Ids = NDArray[np.uint64]
Guidance = Callable[[Real], tuple[Real, Real]]

STALK, CUT, NEW_TIP, SPROUT, LAID = 1, 2, 3, 4, 5  # salts of ids: what a node or segment was made from its parent for
MARGIN = 0.05  # of a segment: no vessel branches nearer to the end of a segment than this share of its length


@dataclass(frozen=True)
class Sprouting:
    """Numbers of angiogenesis, for one animal.

    rate : sprouts per um of perfused vessel and h where VEGF is plenty; half : nM of VEGF at which rate and speed are half;
    hill : steepness of that; spacing : um to tips and branches within which no tip arises (lateral inhibition, Delta-Notch)
    speed : um/h of a tip; persistence : h in which it forgets its direction; bias : 0 to 1, how straight it follows VEGF
    capture : um within which a tip joins a vessel; apart : um along the network within which a vessel is the tip's own
    segment : um, longest segment that is laid; radius : um and leakiness of new vessels; viscosity : mPa s of blood
    patience : h for which a segment without flow is kept
    """

    rate: float
    half: float
    hill: float
    spacing: float
    speed: float
    persistence: float
    bias: float
    capture: float
    apart: float
    segment: float
    radius: float
    leakiness: float
    viscosity: float
    patience: float


def guidance_from(values: Real, grid: Grid) -> Guidance:
    """What a tip senses of a field [nz, ny, nx] at points [3, k]: (value [k], gradient [3, k] per um)."""
    spacing = np.array(grid.spacing)

    def at(points: Real) -> Real:
        found: Real = map_coordinates(values, (points / spacing[:, None] - 0.5)[::-1], order=1, mode="nearest")
        return found

    def sense(points: Real) -> tuple[Real, Real]:
        slope = np.zeros_like(points)
        for axis in range(3):
            if grid.shape[2 - axis] > 1:
                half = np.zeros((3, 1))
                half[axis] = 0.5 * spacing[axis]
                slope[axis] = (at(points + half) - at(points - half)) / spacing[axis]
        return at(points), slope

    return sense


def _unit(vectors: Real) -> Real:
    """Vectors [3, k] of length one; zero stays zero."""
    length = np.sqrt((vectors**2).sum(axis=0))
    unit: Real = np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0.0)
    return unit


class _Draft:
    """A network in the making: arrays with room for what a tick can add."""

    def __init__(self, network: VesselNetwork, nodes: int, segments: int) -> None:
        state = network.snapshot()
        self.n, self.m = network.node_ids.size, network.segment_ids.size
        self._nodes = ("node_ids", "position", "pressure", "tip", "heading")
        self.parts: dict[str, NDArray[Any]] = {}
        for name, values in state.items():
            room = nodes if name in self._nodes else segments
            self.parts[name] = np.concatenate([values, np.zeros((*values.shape[:-1], room), values.dtype)], axis=-1)
        self.gone = np.zeros(self.m + segments, np.bool_)
        self.pieces: dict[int, list[int]] = {}

    def node(self, name: np.uint64, point: Real, tip: bool, heading: Real) -> int:
        row, parts = self.n, self.parts
        parts["node_ids"][row], parts["pressure"][row], parts["tip"][row] = name, np.nan, tip
        parts["position"][:, row], parts["heading"][:, row] = point, heading
        self.n += 1
        return row

    def copy_segment(self, row: int, name: np.uint64, first: int, second: int) -> int:
        """A segment like `row` between two nodes."""
        new = self.m
        for part in ("radius", "leakiness", "flow", "perfused", "idle"):
            self.parts[part][new] = self.parts[part][row]
        self.parts["segment_ids"][new] = name
        self.parts["ends"][:, new] = first, second
        self.m += 1
        return new

    def place_on(self, row: int, point: Real) -> int:
        """The node at `point` of the segment `row`, or of the piece it was cut into: one that is there, or a new one."""
        parts = self.parts
        pieces = self.pieces.get(row, [row])
        a, b = (np.ascontiguousarray(parts["position"][:, parts["ends"][end, pieces]]) for end in (0, 1))
        x, y, z = (float(value) for value in point)
        near = [nearest_on_segment(x, y, z, a, b, k) for k in range(len(pieces))]
        best = min(range(len(pieces)), key=lambda k: near[k][1])
        piece, share = pieces[best], near[best][0]
        first, second = (int(v) for v in parts["ends"][:, piece])
        if share <= MARGIN or share >= 1.0 - MARGIN:
            return first if share <= MARGIN else second
        old = parts["segment_ids"][piece : piece + 1].copy()
        joint = self.node(
            mix(old, STALK)[0], a[:, best] + share * (b[:, best] - a[:, best]), tip=False, heading=np.zeros(3)
        )
        self.pieces[row] = [*pieces, self.copy_segment(piece, mix(old, CUT)[0], joint, second)]
        parts["segment_ids"][piece] = mix(old, STALK)[0]
        parts["ends"][1, piece] = joint
        return joint

    def finished(self) -> VesselNetwork:
        whole = {name: values[..., : self.n if name in self._nodes else self.m] for name, values in self.parts.items()}
        return VesselNetwork(**whole).kept(~self.gone[: self.m][np.argsort(whole["segment_ids"], kind="stable")])


def grow(
    network: VesselNetwork, sense: Guidance, grid: Grid, dt: float, key: np.uint64, tick: int, p: Sprouting
) -> VesselNetwork:
    """The network after `dt` hours of sprouting, migration of tips, anastomosis, new flow, and regression.

    sense : VEGF and its gradient at points (see `guidance_from`); key, tick : stream and place of the random numbers
    """
    if network.segment_ids.size == 0:
        return network
    if not network.perfused.all():
        network = network.changed(idle=np.where(network.perfused, 0.0, network.idle + dt))
    network = _sprouted(network, sense, grid, dt, key, tick, p)
    network = _migrated(network, sense, grid, dt, key, tick, p)
    joined = _joined(network, grid, p)
    if joined is not network:
        network = with_flow(joined, p.viscosity)
    stays = network.perfused | (network.idle < p.patience)
    return network if stays.all() else _rooted(network.kept(stays))


def _rooted(network: VesselNetwork) -> VesselNetwork:
    """The network without the parts that hang on nothing: neither on a vessel with flow nor where blood enters or leaves."""
    n = network.node_ids.size
    links = coo_array((np.ones(network.segment_ids.size), (network.ends[0], network.ends[1])), shape=(n, n))
    _, part = connected_components(links, directed=False)
    rooted = np.isfinite(network.pressure)
    rooted[network.ends[:, network.perfused]] = True
    stays = np.isin(part, part[rooted])[network.ends[0]]
    return network if stays.all() else network.kept(stays)


def _sprouted(
    network: VesselNetwork, sense: Guidance, grid: Grid, dt: float, key: np.uint64, tick: int, p: Sprouting
) -> VesselNetwork:
    """New tips on perfused vessels, at a rate that saturates with VEGF, none near another tip or a branch."""
    live = np.flatnonzero(network.perfused)
    if live.size == 0 or p.rate == 0.0:
        return network
    a, b = network.a[:, live], network.b[:, live]
    u = philox.uniforms(key, network.segment_ids[live], tick, 4)
    points = a + (2.0 * MARGIN + (1.0 - 4.0 * MARGIN) * u[:, 1]) * (b - a)
    vegf, slope = sense(points)
    rate = p.rate * _hill(vegf, p) * network.lengths[live]
    with np.errstate(divide="ignore"):
        when = -np.log(u[:, 0]) / rate
    axis = _unit(b - a)
    heading = _unit(slope - axis * (axis * slope).sum(axis=0))
    due = np.flatnonzero((when < dt) & (heading != 0.0).any(axis=0))
    if due.size == 0:
        return network
    draft = _Draft(network, 2 * due.size, 2 * due.size)
    taken = [network.position[:, network.tip | (network.degree >= 3)]]
    for k in due[np.lexsort((network.segment_ids[live][due], when[due]))]:
        point = points[:, k]
        if (
            min(float(np.sqrt(((spot - point[:, None]) ** 2).sum(axis=0)).min(initial=np.inf)) for spot in taken)
            < p.spacing
        ):
            continue
        name = network.segment_ids[live[k] : live[k] + 1]
        base = draft.place_on(int(live[k]), point)
        start = np.clip(point + p.radius * heading[:, k], 0.0, np.array(grid.size))
        tip = draft.node(mix(name, NEW_TIP)[0], start, tip=True, heading=heading[:, k])
        _lay(draft, int(live[k]), mix(name, SPROUT)[0], base, tip, p)
        taken.append(point[:, None])
    return draft.finished()


def _lay(draft: _Draft, like: int, name: np.uint64, first: int, second: int, p: Sprouting) -> None:
    """A new vessel without flow."""
    row = draft.copy_segment(like, name, first, second)
    for part, value in (
        ("radius", p.radius),
        ("leakiness", p.leakiness),
        ("flow", 0.0),
        ("perfused", False),
        ("idle", 0.0),
    ):
        draft.parts[part][row] = value


def _hill(vegf: Real, p: Sprouting) -> Real:
    up = np.maximum(vegf, 0.0) ** p.hill
    share: Real = up / (up + p.half**p.hill)
    return share


def _migrated(
    network: VesselNetwork, sense: Guidance, grid: Grid, dt: float, key: np.uint64, tick: int, p: Sprouting
) -> VesselNetwork:
    """Tips on their way: direction relaxes towards the gradient and chance within the persistence time."""
    tips = np.flatnonzero(network.tip)
    if tips.size == 0:
        return network
    vegf, slope = sense(network.position[:, tips])
    chance = philox.normals(key, network.node_ids[tips], tick, 3).T
    if grid.flat:
        chance = chance * np.array([[1.0], [1.0], [0.0]])
    kept = np.exp(-dt / p.persistence)
    # Independent pushes add up as a random walk of direction, so their spread goes with the root of the time.
    aim = (1.0 - kept) * p.bias * _unit(slope) + np.sqrt(1.0 - kept**2) * (1.0 - p.bias) * chance / np.sqrt(3.0)
    heading = _unit(kept * network.heading[:, tips] + aim)
    step = heading * (p.speed * _hill(vegf, p) * dt)
    after = np.clip(network.position[:, tips] + step, 0.0, np.array(grid.size)[:, None])
    moving = (after != network.position[:, tips]).any(axis=0)
    draft = _Draft(network, tips.size, tips.size)
    last = {
        int(network.ends[end, row]): int(row)
        for end in (0, 1)
        for row in np.flatnonzero(network.tip[network.ends[end]])
    }
    long = network.lengths >= p.segment
    for k, tip in enumerate(tips):
        row = last[int(tip)]
        if moving[k] and long[row]:
            name = mix(network.segment_ids[row : row + 1], LAID)
            joint = draft.node(mix(name, LAID)[0], network.position[:, tip], tip=False, heading=np.zeros(3))
            end = int(network.ends[1, row] == tip)
            draft.parts["ends"][end, row] = joint
            _lay(draft, row, name[0], joint, int(tip), p)
        draft.parts["position"][:, tip] = after[:, k]
        draft.parts["heading"][:, tip] = heading[:, k]
    return draft.finished()


def _joined(network: VesselNetwork, grid: Grid, p: Sprouting) -> VesselNetwork:
    """Anastomosis: a tip that comes within reach of another vessel ends there."""
    tips = np.flatnonzero(network.tip)
    if tips.size == 0:
        return network
    size = np.array(grid.size, np.float64)
    target, share = meetings_of_tips(
        tips, network.position, network.ends, p.capture, p.apart, size, max(4.0 * p.capture, 25.0)
    )
    meeting = np.flatnonzero(target >= 0)
    if meeting.size == 0:
        return network
    draft = _Draft(network, tips.size, tips.size)
    a, b = network.a, network.b
    for k in meeting:
        tip, row = int(tips[k]), int(target[k])
        if not draft.parts["tip"][tip]:
            continue  # another tip met this one and both have ended
        if draft.gone[row]:
            continue  # what it met has just merged into another vessel; it will meet that one
        joint = draft.place_on(row, a[:, row] + share[k] * (b[:, row] - a[:, row]))
        for end, last in zip(*np.nonzero(draft.parts["ends"][:, : draft.m] == tip), strict=True):
            if draft.parts["ends"][1 - end, last] == joint:
                draft.gone[last] = True
            else:
                draft.parts["ends"][end, last] = joint
        draft.parts["tip"][[tip, joint]] = False
        draft.parts["heading"][:, [tip, joint]] = 0.0
    return draft.finished()
