"""The clear twin of the mechanics kernels: all pairs at once, written from the equations."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from paget.kernels.contacts import Anchors, Bonds, Linear, Quadratic, Relaxation
from paget.kernels.forces import FLOOR, PRESSURE_SCALE

__all__ = ["apart", "contacts", "relax"]

Real = NDArray[np.float64]
Ids = NDArray[np.uint64]
Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]

WORD = 2**64


def apart(first: int, second: int, flat: bool) -> tuple[float, float, float]:
    """Unit vector from `second` to `first`, two cells at one point, by SplitMix64 of both ids."""
    low, high = sorted((first, second))
    word = (low * 0x9E3779B97F4A7C15 % WORD) ^ ((high + 0xD1B54A32D192ED03) % WORD)
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9 % WORD
    word = (word ^ (word >> 27)) * 0x94D049BB133111EB % WORD
    word ^= word >> 31
    height = 0.0 if flat else 2.0 * (word % 2**32 + 0.5) / 2**32 - 1.0
    angle, across = 2.0 * math.pi * (word >> 32) / 2**32, math.sqrt(1.0 - height**2)
    sign = 1.0 if first > second else -1.0
    return sign * across * math.cos(angle), sign * across * math.sin(angle), sign * height


def _nearest(difference: Real, size: Real, periodic: ArrayLike) -> Real:
    """Differences [3, ...] by the short way round periodic axes."""
    length = np.asarray(size).reshape(3, *[1] * (difference.ndim - 1))
    rings = np.asarray(periodic).reshape(length.shape)
    return np.where(rings, difference - length * np.round(difference / length), difference)


def _pairs(position: Real, radius: Real, size: Real, periodic: ArrayLike) -> tuple[Real, Real, Real]:
    """Differences [3, n, n], distances [n, n] and summed radii [n, n]; no cell is its own neighbour."""
    difference = _nearest(position[:, :, None] - position[:, None, :], size, periodic)
    distance = np.sqrt((difference**2).sum(axis=0))
    np.fill_diagonal(distance, np.inf)
    return difference, distance, radius[:, None] + radius[None, :]


def _contact_velocities(
    position: Real, ids: Ids, radius: Real, size: Real, periodic: ArrayLike, flat: bool, law: Linear | Quadratic
) -> tuple[Real, Real]:
    """Velocities [3, n] by contacts, and the norm [n] of the stiffness around each cell (0 for the linear law)."""
    difference, distance, contact = _pairs(position, radius, size, periodic)
    for i, j in zip(*np.nonzero(distance < FLOOR), strict=True):
        difference[:, i, j] = FLOOR * np.array(apart(int(ids[i]), int(ids[j]), flat))
        distance[i, j] = FLOOR
    direction = difference / distance
    if isinstance(law, Linear):
        x = distance / contact
        push = np.maximum(1.0 - x, 0.0)
        attracted = (x >= 1.0) & (x < law.reach)
        push[attracted] = -law.adhesion * ((x - 1.0) * (law.reach - x) / (law.reach - 1.0))[attracted]
        return (law.stiffness * contact * push * direction).sum(axis=2), np.zeros(radius.size)
    limit = law.reach * radius
    limit = limit[:, None] + limit[None, :]
    adhesion = np.sqrt(np.outer(law.adhesion, law.adhesion))
    if law.affinity is not None and law.types is not None:
        mutual = law.affinity[law.types if law.rows is None else law.rows][:, law.types]
        adhesion = adhesion * np.sqrt(mutual * mutual.T)
    repulsion = np.sqrt(np.outer(law.repulsion, law.repulsion))
    overlap, inside = np.maximum(1.0 - distance / contact, 0.0), np.maximum(1.0 - distance / limit, 0.0)
    speed = repulsion * overlap**2 - adhesion * inside**2
    slope = 2.0 * (repulsion * overlap / contact + adhesion * inside / limit)
    tensor = (slope * direction[:, None] * direction[None, :]).sum(axis=3)
    return (speed * direction).sum(axis=2), np.abs(tensor).sum(axis=1).max(axis=0)


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
) -> Relaxation:
    """Sub-steps over all pairs, chosen as the compiled relaxation chooses them."""
    n = radius.size
    moves, slow = (np.ones(n, bool) if mobile is None else mobile), (np.ones(n) if drag is None else drag)
    closed = ~np.asarray(periodic)
    second = (order or (1 if isinstance(law, Linear) else 2)) == 2
    share = caution or (0.4 if second else 0.2)

    def velocities() -> tuple[Real, float]:
        rate, stiff = _contact_velocities(position, ids, radius, size, periodic, flat, law)
        if drift is not None:
            rate += drift
        if bonds is not None:
            for a, b, stiffness, rest in zip(*bonds, strict=True):
                gap = _nearest(position[:, b] - position[:, a], size, periodic)
                pull = stiffness * gap * (1.0 - rest / max(float(np.sqrt((gap**2).sum())), FLOOR))
                rate[:, a] += pull
                rate[:, b] -= pull
                stiff[[a, b]] += stiffness
        if anchors is not None:
            for row, point, stiffness in zip(anchors.rows, anchors.point.T, anchors.stiffness, strict=True):
                rate[:, row] += stiffness * _nearest(point - position[:, row], size, periodic)
                stiff[row] += stiffness
        for axis in range(2 if flat else 3):
            if closed[axis] and wall > 0.0:
                low = np.maximum(1.0 - position[axis] / radius, 0.0)
                high = np.maximum(1.0 - (size[axis] - position[axis]) / radius, 0.0)
                rate[axis] += wall * (low**2 - high**2)
                stiff += 2.0 * wall * (low + high) / radius
        if flat:
            rate[2] = 0.0
        return np.where(moves, rate / slow, 0.0), float(np.where(moves, stiff / slow, 0.0).max())

    before = np.zeros((3, n)) if velocity is None else velocity.copy()
    equal = 0 if step is None else max(round(dt / step), 1)
    left, last, steps = dt, 0.0, 0
    while n and left > 0.0 and (not equal or steps < equal):
        rate, stiffest = velocities()
        fastest = float(np.sqrt((rate**2).sum(axis=0)).max())
        length, ratio = dt / max(equal, 1), 1.0
        if not equal:
            if fastest * left < tolerance:
                break
            length = min(left, stride / max(fastest, 1e-12))
            if isinstance(law, Linear):
                length = min(length, share / law.stiffness)
            if stiffest > 0.0:
                length = min(length, share / stiffest)
            if second and last > 0.0:
                length = min(length, 2.0 * last)
            ratio = length / last if second and last > 0.0 else 0.0
            last = length
        moved = position + length * (rate + 0.5 * ratio * (rate - before if ratio > 0.0 else 0.0))
        moved = np.where(closed[:, None], np.clip(moved, 0.0, size[:, None]), moved)
        position[...] = np.where(moves, moved, position)
        before, left, steps = rate, left - length, steps + 1
    position[...] = np.where(closed[:, None], position, position % size[:, None])
    _, distance, contact = _pairs(position, radius, size, periodic)
    overlap = np.maximum(1.0 - distance / contact, 0.0)
    linear = isinstance(law, Linear)
    pressure = overlap.sum(axis=1) if linear else (overlap**2).sum(axis=1) / PRESSURE_SCALE
    return Relaxation(pressure, before, steps, 0)


def contacts(
    position: Real, ids: Ids, reach: Real, size: Real, *, periodic: ArrayLike = (False, False, False)
) -> tuple[Whole, Whole]:
    """Who is closer to whom than the sum of their ranges, as (start [n + 1], other [m]), by ascending id."""
    _, distance, limit = _pairs(position, reach, size, periodic)
    found = [np.flatnonzero(row) for row in distance < limit]
    ordered = [rows[np.argsort(ids[rows])] for rows in found]
    start = np.concatenate([[0], np.cumsum([rows.size for rows in ordered])]).astype(np.int64)
    return start, np.concatenate([*ordered, np.empty(0, np.int64)]).astype(np.int64)
