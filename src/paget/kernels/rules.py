"""Responses of cells to rules: all rules of all cell types in one flat table, evaluated for every cell.

The arithmetic is that of `paget.rules.response.respond`: saturations weighted by the strength of each rule's signal.
"""

from __future__ import annotations

import numpy as np
from numba import prange
from numpy.typing import NDArray

from paget.kernels.compile import kernel, threaded

Real = NDArray[np.float64]
Whole = NDArray[np.int64]


HIGHEST_PRODUCT = 16.0  # up to this power, whole powers are products, several times as fast as the general power


@kernel
def strength(signal: float, half: float, hill: float) -> float:
    """Weight of one rule, (signal / half-max)^hill; a negative signal counts as none."""
    if signal <= 0.0:
        return 0.0
    ratio = signal / half
    if hill > HIGHEST_PRODUCT or hill != np.floor(hill):
        return float(ratio**hill)
    product = 1.0
    left = int(hill)
    while left > 0:
        if left & 1:
            product *= ratio
        ratio *= ratio
        left >>= 1
    return product


@kernel
def combined(base: float, up: float, high: float, down: float, low: float) -> float:
    """Value of a behaviour from its base and from the sums of weights, and of weight times saturation, of its rules.

    up, high : of the rules that increase it; down, low : of those that decrease it
    """
    raised = (base + high) / (1.0 + up)
    return (raised + low) / (1.0 + down)


@threaded
def respond(
    types: Whole,
    death: Whole,
    signals: Real,
    current: Real,
    personal: Real,
    base: Real,
    start: Whole,
    signal: Whole,
    raises: Whole,
    dead_too: Whole,
    numbers: Real,
) -> Real:
    """Behaviours [n_behaviours, n] of all cells under their rules.

    types, death : int64 [n]; death above 0 for the dead
    signals : [n_signals, n]; current : [n_behaviours, n] values that the dead keep where no rule applies to them
    personal : [n_behaviours, n] or [0, 0]; a cell's own base where it is a number, else that of its type
    base : [n_behaviours, n_types], bases of the types
    start : int64 [n_behaviours * n_types + 1], where the rules of each behaviour and type begin
    signal, raises, dead_too : int64 [n_rules]; numbers : [n_rules, 3], saturation, half-maximal signal, Hill power
    """
    behaviours, kinds = base.shape
    n = types.size
    out = np.empty((behaviours, n))
    for i in prange(n):
        alive = death[i] == 0
        for b in range(behaviours):
            first = start[b * kinds + types[i]]
            last = start[b * kinds + types[i] + 1]
            own = base[b, types[i]]
            if personal.shape[0] > 0 and not np.isnan(personal[b, i]):
                own = personal[b, i]
            up = 0.0
            high = 0.0
            down = 0.0
            low = 0.0
            applies = alive
            for k in range(first, last):
                if alive or dead_too[k] == 1:
                    applies = True
                    weight = strength(signals[signal[k], i], numbers[k, 1], numbers[k, 2])
                    if raises[k] == 1:
                        up += weight
                        high += weight * numbers[k, 0]
                    else:
                        down += weight
                        low += weight * numbers[k, 0]
            if applies:
                out[b, i] = combined(own, up, high, down, low)
            elif np.isnan(current[b, i]):
                out[b, i] = own
            else:
                out[b, i] = current[b, i]
    return out


@threaded
def count_neighbours(start: Whole, other: Whole, kind: Whole) -> Real:
    """How many neighbours of every cell are of a kind, [n_kinds, n].

    start [n + 1], other [m] : rows of the neighbours of each cell; kind : uint8 [n_kinds, n], 1 where a cell is of that kind
    """
    n = start.size - 1
    out = np.zeros((kind.shape[0], n))
    for i in prange(n):
        for j in range(start[i], start[i + 1]):
            for k in range(kind.shape[0]):
                out[k, i] += kind[k, other[j]]
    return out
