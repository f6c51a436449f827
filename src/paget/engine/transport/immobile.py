"""Immobile material, voxel by voxel: production, loss, conversion, and what it binds of a field that diffuses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paget.errors import NumericalError

__all__ = ["Binding", "advance_immobile", "bind", "decay_and_gain"]

Real = NDArray[np.float64]


def decay_and_gain(rate: Any, dt: float) -> tuple[Any, Any]:
    """exp(-rate dt), and the time over which a constant source counts, (1 - exp(-rate dt)) / rate.

    >>> decay_and_gain(0.0, 2.0)
    (1.0, 2.0)
    """
    if np.ndim(rate) == 0:
        product = float(rate) * dt
        return math.exp(-product), (-math.expm1(-product) / product if product > 1e-12 else 1.0) * dt
    x = np.asarray(rate) * dt
    share = np.ones_like(x)
    np.divide(-np.expm1(-x), x, out=share, where=x > 1e-12)
    return np.exp(-x), share * dt


def advance_immobile(
    fields: dict[str, Real],
    source: dict[str, Real],
    loss: dict[str, Any],
    transfers: Sequence[tuple[str, str, Any]],
    dt: float,
) -> dict[str, Real]:
    """Immobile material after `dt` hours: production, first-order loss, and conversion of one into another.

    What a transfer takes from one field it gives to the other in the same tick, to rounding.
    """
    total: dict[str, Any] = {name: loss.get(name, 0.0) for name in fields}
    for origin, _, coefficient in transfers:
        total[origin] = total[origin] + coefficient
    after: dict[str, Real] = {}
    lost: dict[str, Real] = {}
    for name, values in fields.items():
        gain = source.get(name, 0.0)
        kept, gained = decay_and_gain(total[name], dt)
        after[name] = values * kept + gain * gained
        lost[name] = values + gain * dt - after[name]
    for origin, target, coefficient in transfers:
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(np.asarray(total[origin]) > 0.0, np.asarray(coefficient) / total[origin], 0.0)
        after[target] = after[target] + share * lost[origin]
    return after


@dataclass(frozen=True)
class Binding:
    """Reversible binding to sites that do not move: free + site <-> bound.

    capacity : sites [nz, ny, nx] (or one number), occupied or not, in the unit of the field; on : per unit of the field and h;
    off : per h
    """

    capacity: Real | float
    on: float
    off: float


def bind(name: str, free: Real, bound: Real, binding: Binding, dt: float) -> tuple[Real, Real]:
    """Free and bound concentrations after `dt` hours of binding and release; their sum stays, to rounding.

    ``d bound / dt = on free (capacity - bound) - off bound`` is solved exactly in each voxel, so no step is too long. With
    diffusion in between, half a tick of binding before and half after it is second-order in the tick.

    Raises
    ------
    NumericalError
        Naming the field, if a rate is negative or more is bound than there are sites.
    """
    if not (binding.on >= 0.0 and binding.off >= 0.0):
        raise NumericalError(f"{name}: binding at rates of {binding.on:g} and {binding.off:g} has no meaning")
    capacity = np.asarray(binding.capacity, np.float64)
    if not (bound <= capacity * (1.0 + 1e-9)).all():
        raise NumericalError(f"{name}: more is bound ({bound.max():g}) than there are sites ({np.max(capacity):g})")
    total = free + bound
    # The rate at which both roots of the quadratic part, written so that nothing cancels.
    rate = np.sqrt(
        (binding.on * (total - capacity)) ** 2 + binding.off**2 + 2.0 * binding.on * binding.off * (total + capacity)
    )
    both = binding.on * (total + capacity) + binding.off + rate
    balance = np.divide(2.0 * binding.on * total * capacity, both, out=np.zeros_like(total), where=both > 0.0)
    kept, gained = decay_and_gain(rate, dt)
    away = bound - balance
    after = balance + away * kept / (1.0 - away * binding.on * gained)
    after = np.clip(after, 0.0, np.minimum(total, capacity))
    return total - after, after
