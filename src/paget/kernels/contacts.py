"""Off-lattice mechanics: overdamped relaxation of overlapping, adhering spheres, and who touches whom.

Sums over neighbours run in an order that depends on nothing but where cells are and on their ids, so that a result has the same
bits for any order of the cells in memory and any number of threads; for the linear law in that of the ids alone, so that the
skin of the neighbour lists changes no bit either.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from paget.kernels import motion, stepping
from paget.kernels.forces import LINEAR, QUADRATIC
from paget.kernels.packing import Crowd, Packing
from paget.kernels.team import alone, team
from paget.kernels.workspace import Workspace

__all__ = ["Anchors", "Bonds", "Linear", "Quadratic", "Relaxation", "contacts", "relax"]

Real = NDArray[np.float64]
Ids = NDArray[np.uint64]
Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Linear(NamedTuple):
    """Contacts as linear springs, with x = distance over summed radii R: stiffness R (1 - x) for x < 1, and for
    1 < x < reach an attraction -adhesion stiffness R (x - 1)(reach - x) / (reach - 1); one set of numbers for all cells.

    stiffness : 1/h; adhesion : relative strength; reach : range in summed radii, above 1
    """

    stiffness: float
    adhesion: float
    reach: float


class Quadratic(NamedTuple):
    """Contacts of PhysiCell's form: repulsion (1 - d / R)^2 below the summed radii R, less adhesion (1 - d / A)^2 below A.

    A sums reach times radius. Two cells take the geometric means of their repulsion and of their adhesion times affinity.

    repulsion, adhesion : [n] um/h at distance 0; reach : [n] range in radii
    types : [n] and affinity : [types, types], or None where all cells stick to each other alike
    rows : [n] row of `affinity` of each cell, where cells have affinities of their own and it is [rows, types]; else their type
    """

    repulsion: Real
    adhesion: Real
    reach: Real
    types: NDArray[np.integer] | None = None
    affinity: Real | None = None
    rows: NDArray[np.integer] | None = None


class Bonds(NamedTuple):
    """Springs between the cells in rows `first` and `second` [m]: stiffness [m] in 1/h, rest length [m] in um."""

    first: Whole
    second: Whole
    stiffness: Real
    rest: Real


class Anchors(NamedTuple):
    """Springs of the cells in `rows` [m] to fixed points [3, m] in um, of stiffness [m] in 1/h."""

    rows: Whole
    point: Real
    stiffness: Real


class Relaxation(NamedTuple):
    """What a relaxation found; positions are changed in place.

    pressure : [n] summed relative overlap (linear law), or summed squared overlap over that of a confluent layer
    velocity : [3, n] um/h of the last sub-step; sub_steps : taken; builds : times the neighbour lists were made
    failed : "" or why it stopped, "crowded" (too many cells at one place) or "not finite" (a velocity is no number)
    row : a cell that shows the failure, or -1
    """

    pressure: Real
    velocity: Real
    sub_steps: int
    builds: int
    failed: str = ""
    row: int = -1


def relax(
    position: Real,
    ids: Ids,
    radius: Real,
    size: Real,
    dt: float,
    law: Linear | Quadratic,
    *,
    mobile: Flags | None = None,
    drift: Real | None = None,
    drag: Real | None = None,
    bonds: Bonds | None = None,
    anchors: Anchors | None = None,
    wall: float = 0.0,
    periodic: ArrayLike = (False, False, False),
    flat: bool = False,
    step: float | None = None,
    velocity: Real | None = None,
    order: int | None = None,
    caution: float | None = None,
    stride: float = 1.0,
    tolerance: float = 0.0,
    skin: float = 2.0,
    threads: int = 1,
    by_id: Whole | None = None,
    workspace: Workspace | None = None,
) -> Relaxation:
    """Move cells for `dt` hours by the velocities that contacts, motility, springs and walls give them.

    dx/dt = (sum over contacts + drift + springs + walls) / drag

    Without `step` the sub-steps are chosen. Let K be the largest norm of a cell's stiffness, the sum of k u u^T over its
    contacts with stiffness k and direction u (for the linear law, the stiffness of one contact). As a spring's energy is at
    most twice what it would be with either end held, no mode relaxes faster than 2 K, so that Euler's scheme
    is stable for sub-steps below 1 / K and the second-order scheme below 0.5 / K (for the linear law Euler's is below about
    0.25 / stiffness, as a packed layer's fastest mode relaxes at 8 stiffnesses). A sub-step is caution / K at most, no more
    than twice the last, and moves no cell by more than `stride`.

    The quadratic law takes the second-order scheme with caution 0.4: over an hour of a packed or settled tissue positions
    are within 0.001 um of the exact ones (0.15 um if cells start in random overlap), which Euler's scheme with twice the
    sub-steps misses tenfold.

    Parameters
    ----------
    position : [3, n] um, changed in place; cells stay inside closed walls and return into periodic boxes
    ids : [n] distinct; radius : [n] um; size : [3] um
    mobile : [n], cells that yield; drift : [3, n] um/h, constant over `dt`; drag : [n], at least 1
    wall : um/h, repulsion of closed walls wall (1 - distance / radius)^2 from cells whose surface reaches them
    flat : hold the z coordinate (2-D tissue)
    step : h; equal sub-steps of about this length by the second-order scheme of Adams and Bashforth
    velocity : [3, n] um/h of the sub-step before the first, zero if not given; used with `step` alone
    order : 1 (Euler; the linear law's own) or 2 (Adams and Bashforth with variable steps), for chosen sub-steps
    caution, stride : bounds of a chosen sub-step, relative to stiffness (0.2 and 0.4 for the two orders) and in um
    tolerance : um; chosen sub-steps end when nothing would move farther in the time left
    skin : um by which neighbour lists reach farther than contacts; it changes speed alone (and last bits, for the quadratic
        law)
    by_id : rows in ascending order of id, where the caller knows them
    workspace : memory to use again, for a caller that relaxes the same tissue many times
    """
    n = radius.size
    if n == 0:
        return Relaxation(np.zeros(0), np.zeros((3, 0)), 0, 0)
    order_of_ids, rank_of = _ranks(ids, by_id)
    edge, closed = np.array(size, np.float64), np.array(periodic, np.bool_)
    constants, affinity = np.zeros(3), np.empty((0, 0))
    space = workspace or Workspace()
    cells = space.zeros("cells", (n, 8))
    cells[:, :3] = position.T
    cells[:, motion.RADIUS] = radius
    if isinstance(law, Linear):
        code, constants[:] = LINEAR, law
        # The list may only hold too many pairs: the law itself decides who is in reach.
        cells[:, motion.RANGE] = law.reach * (1.0 + 1e-12) * cells[:, motion.RADIUS]
    else:
        code = QUADRATIC
        cells[:, motion.RANGE] = np.maximum(law.reach, 1e-6) * cells[:, motion.RADIUS]
        cells[:, motion.REPULSION] = np.sqrt(law.repulsion)
        cells[:, motion.ADHESION] = np.sqrt(law.adhesion)
        if law.affinity is not None and law.types is not None:
            kinds = law.types if law.rows is None else law.rows
            cells[:, motion.TYPE] = kinds * law.affinity.shape[1] + law.types
            affinity = np.ascontiguousarray(np.sqrt(law.affinity))
    springs = _springs(rank_of, bonds, anchors, n)
    still = np.ones(n, np.bool_) if mobile is None else mobile
    drifts = np.empty((0, 3)) if drift is None else np.ascontiguousarray(np.asarray(drift, np.float64).T)
    drags = np.empty(0) if drag is None else np.asarray(drag, np.float64)
    ranked = np.ascontiguousarray(ids[order_of_ids])
    before = space.zeros("before", (n, 4))
    if velocity is not None:
        before[:, :3] = velocity.T
    spare = space.array("spare before", (n, 4))
    rate = space.zeros("rate", (n, 4))
    pressure = np.zeros(n)
    equal = 0 if step is None else max(round(dt / step), 1)
    second = bool((order or (1 if code == LINEAR else 2)) == 2)
    share = float(caution) if caution is not None else 0.4 if second else 0.2
    longest = float(share / law.stiffness) if isinstance(law, Linear) else np.inf
    bounds: Any = (float(dt), equal, longest, share, float(stride), second, float(tolerance), float(skin))
    steps, left, last, failed, worst = 0, float(dt), 0.0, "", -1
    with team(threads, n) as work:
        packing = Packing(cells, rank_of, edge, closed, work, space)
        fastest, stiffest, far = (np.zeros(packing.pieces) for _ in range(3))
        while True:
            try:
                source = packing.build(skin, ordered=isinstance(law, Linear))
            except Crowd as crowd:
                failed, worst = "crowded", crowd.rank
                break
            if steps or velocity is not None:
                before, spare = np.take(before, source, axis=0, out=spare, mode="clip"), before
            packed: Any = (still, drifts, drags)
            if mobile is not None or drifts.size or drags.size:
                rows = order_of_ids[packing.rank]
                packed = tuple(a[rows] if a.size else a for a in packed)
            forces: Any = (
                packing.cells,
                ranked,
                packing.rank,
                packing.where,
                packing.start,
                packing.many,
                packing.other,
                code,
                constants,
                affinity,
                *packed,
                *springs,
                float(wall),
                edge,
                closed,
                flat,
                equal == 0 and code == QUADRATIC,
            )
            state: Any = (rate, fastest, stiffest, before, packing.place, far)
            now: Any = (left, last, steps)
            if alone(threads, n):
                left, last, steps, reason = stepping.sub_steps(*forces, *state, *bounds, *now)
            else:
                left, last, steps, reason = stepping.shared_sub_steps(work, forces, *state, *bounds, *now)
            if reason == stepping.NOT_FINITE:
                lost = ~np.isfinite(rate[:, :3]).all(axis=1)
                failed, worst = "not finite", int(packing.rank[lost.argmax()])
                break
            if reason == stepping.FINISHED:
                break
        rank = packing.rank
        if not failed:
            work(
                motion.pressures,
                packing.cells,
                rank,
                packing.start,
                packing.many,
                packing.other,
                code,
                edge,
                closed,
                pressure,
            )
    rows = order_of_ids[rank]
    position[:, rows] = packing.cells[:, :3].T
    speeds, unsorted = np.empty((3, n)), np.empty(n)
    speeds[:, rows] = before[:, :3].T
    unsorted[order_of_ids] = pressure
    worst = int(order_of_ids[worst]) if failed else -1
    return Relaxation(unsorted, speeds, steps, packing.builds, failed, worst)


def _ranks(ids: Ids, by_id: Whole | None) -> tuple[Whole, Whole]:
    """Rows in ascending order of id, and the place of every row in that order."""
    order = by_id if by_id is not None else np.argsort(ids)
    rank = np.empty(ids.size, np.int64)
    rank[order] = np.arange(ids.size)
    return order, rank


def _springs(rank_of: Whole, bonds: Bonds | None, anchors: Anchors | None, n: int) -> tuple[Whole, Whole, Real]:
    """Springs by the rank of the cell that they pull: (start [n + 1], other end's rank or -1, [5, m] numbers), or empty.

    Every bond appears at both of its cells. Springs of one cell are in an order that the order of the tables cannot change.
    """
    if bonds is None and anchors is None:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty((5, 0))
    mine, other, numbers = [], [], []
    if bonds is not None:
        a, b = rank_of[bonds.first], rank_of[bonds.second]
        nowhere = np.zeros(a.size)
        both = np.stack([bonds.stiffness, bonds.rest, nowhere, nowhere, nowhere])
        mine, other, numbers = [a, b], [b, a], [both, both]
    if anchors is not None:
        mine.append(rank_of[anchors.rows])
        other.append(np.full(mine[-1].size, -1))
        numbers.append(np.vstack([anchors.stiffness, np.zeros(mine[-1].size), anchors.point]))
    owner, end, table = np.concatenate(mine), np.concatenate(other), np.concatenate(numbers, axis=1)
    order = np.lexsort((*table, end, owner))
    start = np.searchsorted(owner[order], np.arange(n + 1))
    return start.astype(np.int64), end[order].astype(np.int64), np.ascontiguousarray(table[:, order])


def contacts(
    position: Real,
    ids: Ids,
    reach: Real,
    size: Real,
    *,
    periodic: ArrayLike = (False, False, False),
    threads: int = 1,
    by_id: Whole | None = None,
) -> tuple[Whole, Whole]:
    """Who touches whom: the neighbours of row i are other[start[i]:start[i + 1]], in ascending order of their ids.

    position : [3, n] um; ids : [n] distinct; reach : [n] um, interaction range: two cells touch if they are closer than the
    sum of theirs. Returns (start [n + 1], other [m]).

    Raises
    ------
    Crowd
        If too many cells lie at one place; its `rank` counts ids in ascending order.
    """
    n = reach.size
    if n == 0:
        return np.zeros(1, np.int64), np.empty(0, np.int64)
    order_of_ids, rank_of = _ranks(ids, by_id)
    cells = np.zeros((n, 8))
    cells[:, :3] = position.T
    cells[:, motion.RANGE] = reach
    with team(threads, n) as work:
        packing = Packing(
            cells, rank_of, np.asarray(size, np.float64), np.asarray(periodic, np.bool_), work, Workspace()
        )
        packing.build(0.0)
    rows = order_of_ids[packing.rank]
    start = np.zeros(n + 1, np.int64)
    start[1 + rows] = packing.many
    np.cumsum(start, out=start)
    # Lists lie in the order of packed cells with gaps between pieces; entry by entry they go to the order of the rows.
    many = packing.many.astype(np.int64)
    within = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
    other = np.empty(within.size, np.int64)
    other[np.repeat(start[rows], many) + within] = rows[
        packing.other[np.repeat(packing.start.astype(np.int64), many) + within]
    ]
    return start, other
