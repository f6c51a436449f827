"""Estimates from replicates, with 95 % intervals: rates, shares, and whatever is computed from several pieces at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

__all__ = ["Estimate", "chance_and_scatter", "interval_of_rate", "jackknife", "share_of", "spread_interval"]

Real = NDArray[np.float64]

LEVEL = 0.95
TAIL = 0.5 * (1.0 - LEVEL)


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval, in `unit`; `how` says from what it was got."""

    value: float
    low: float
    high: float
    unit: str
    how: str


def _t(replicates: int) -> float:
    return float(stats.t.ppf(1.0 - TAIL, replicates - 1))


def chance_and_scatter(observed: Real, expected: Real, variance: Real) -> float:
    """Factor by which the variance of a count exceeds that of chance alone; at least 1.

    observed, expected, variance : [replicates]; the last is that of chance. The dispersion sum((o - e)^2 / v) / (n - 1) is
    raised by (t / z)^2, as it is itself known from a few replicates only; so intervals are at least those of chance, and at
    least about those of Student's t over replicates.
    """
    used = variance > 0.0
    if np.count_nonzero(used) < 2:
        return 1.0
    n = int(np.count_nonzero(used))
    dispersion = float((((observed - expected) ** 2)[used] / variance[used]).sum()) / (n - 1)
    z = float(stats.norm.ppf(1.0 - TAIL))
    return max(1.0, dispersion * (_t(n) / z) ** 2)


def interval_of_rate(events: Real, exposure: Real, unit: str, what: str, of: str) -> Estimate:
    """Events per exposure: sum of events / sum of exposure.

    events, exposure : [replicates]; what, of : their names, for the record

    The interval is Garwood's exact one of a Poisson count (1936, doi:10.1093/biomet/28.3-4.437), with the events divided by
    their dispersion over replicates.
    """
    total, hours = float(events.sum()), float(exposure.sum())
    rate = total / hours
    expected = rate * exposure
    scatter = chance_and_scatter(events, expected, expected)
    low = stats.chi2.ppf(TAIL, 2.0 * total / scatter) / 2.0 if total > 0.0 else 0.0
    high = stats.chi2.ppf(1.0 - TAIL, 2.0 * total / scatter + 2.0) / 2.0
    how = f"{total:.0f} {what} in {hours:.6g} {of}"
    return Estimate(rate, float(low) * scatter / hours, float(high) * scatter / hours, unit, how)


def share_of(some: Real, of: Real, what: str) -> Estimate:
    """The share sum(some) / sum(of), with Clopper and Pearson's interval (1934, doi:10.1093/biomet/26.4.404).

    some, of : counts [replicates], which the interval takes as divided by their dispersion over replicates
    """
    x, n = float(some.sum()), float(of.sum())
    p = x / n
    scatter = chance_and_scatter(some, p * of, p * (1.0 - p) * of)
    low = float(stats.beta.ppf(TAIL, x / scatter, (n - x) / scatter + 1.0)) if x > 0.0 else 0.0
    high = float(stats.beta.ppf(1.0 - TAIL, x / scatter + 1.0, (n - x) / scatter)) if x < n else 1.0
    return Estimate(p, low, high, "", f"{x:.0f} of {n:.0f} {what}")


def jackknife(compute: Callable[[Sequence[int]], Real], replicates: int) -> tuple[Real, Real]:
    """Numbers [m] computed from all replicates, and half-widths [m] of their intervals by Student's t.

    compute : gives the numbers from the replicates whose indices it is given
    The variance is that of leaving out one replicate after the other: (n - 1) / n sum((x_i - mean x)^2).
    """
    every = list(range(replicates))
    value = compute(every)
    without = np.array([compute([i for i in every if i != k]) for k in every])
    variance = (replicates - 1) / replicates * ((without - without.mean(axis=0)) ** 2).sum(axis=0)
    return value, _t(replicates) * np.sqrt(variance)


def spread_interval(variance: float, replicates: int) -> tuple[float, float]:
    """The interval of a variance found in so many replicates of a normal variable."""
    free = replicates - 1
    low, high = (free * variance / float(stats.chi2.ppf(tail, free)) for tail in (1.0 - TAIL, TAIL))
    return low, high
