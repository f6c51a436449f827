"""Forces between cells, as scalar functions of one pair: what pushes, what pulls and how stiff a contact is.

Cells move overdamped, so that a force is given as the velocity in um/h that it causes. The functions see plain numbers and
call nothing but arithmetic; the same source serves every compiler (`fn.py_func` is the plain function).
"""

from __future__ import annotations

import math

import numpy as np

from paget.kernels.compile import kernel

__all__ = ["FLOOR", "LINEAR", "PRESSURE_SCALE", "QUADRATIC", "apart", "linear", "quadratic", "wall"]

LINEAR, QUADRATIC = 0, 1  # codes of the pair laws
FLOOR = 1e-9  # um; centres closer than this have no direction of their own
PRESSURE_SCALE = 0.027288820670331  # 12 (1 - sqrt(pi / sqrt(12)))^2: overlap at confluence


@kernel
def linear(distance: float, contact: float, stiffness: float, adhesion: float, reach: float) -> float:
    """Velocity per um of separation, in 1/h, of a contact that is a linear spring with a short parabolic attraction.

    distance, contact : centre distance and summed radii in um; stiffness : 1/h; reach : range in summed radii, above 1
    """
    x = distance / contact
    push = (1.0 - x) if x < 1.0 else -adhesion * (x - 1.0) * (reach - x) / (reach - 1.0)
    return stiffness * contact * push / distance


@kernel
def quadratic(distance: float, contact: float, limit: float, repulsion: float, adhesion: float) -> tuple[float, float]:
    """Velocity per um of separation in 1/h, and stiffness over squared distance, of two soft potentials with finite range.

    repulsion (1 - d / contact)^2 below `contact`, less adhesion (1 - d / limit)^2 below `limit` (both um/h at d = 0).
    One division serves all three quotients, because divisions set the pace of the whole engine.
    """
    inverse = 1.0 / (distance * contact * limit)
    per_contact = inverse * distance * limit
    per_limit = inverse * distance * contact
    overlap = max(1.0 - distance * per_contact, 0.0)
    inside = max(1.0 - distance * per_limit, 0.0)
    push = repulsion * overlap
    pull = adhesion * inside
    per_distance = inverse * contact * limit
    stiffness = 2.0 * (push * per_contact + pull * per_limit)
    return (push * overlap - pull * inside) * per_distance, stiffness * per_distance * per_distance


@kernel
def wall(distance: float, radius: float, strength: float) -> tuple[float, float]:
    """Inward velocity in um/h and stiffness in 1/h of a wall that a cell's surface has reached (strength in um/h)."""
    overlap = max(1.0 - distance / radius, 0.0)
    return strength * overlap * overlap, 2.0 * strength * overlap / radius


@kernel
def apart(first: np.uint64, second: np.uint64, flat: bool) -> tuple[float, float, float]:
    """Unit vector from `second` to `first` for two cells at one point, drawn from both ids and opposite for the other.

    A fixed axis would string out founders placed at one point; a random one would differ between runs.
    """
    low = min(first, second)
    high = max(first, second)
    word = low * np.uint64(0x9E3779B97F4A7C15) ^ (high + np.uint64(0xD1B54A32D192ED03))
    # The finaliser of SplitMix64: every bit of the ids reaches every bit of the result.
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    word = word ^ (word >> np.uint64(31))
    angle = 2.0 * math.pi * float(word >> np.uint64(32)) / 4294967296.0
    height = 0.0 if flat else 2.0 * (float(word & np.uint64(0xFFFFFFFF)) + 0.5) / 4294967296.0 - 1.0
    across = math.sqrt(1.0 - height * height)
    sign = 1.0 if first > second else -1.0
    return sign * across * math.cos(angle), sign * across * math.sin(angle), sign * height
