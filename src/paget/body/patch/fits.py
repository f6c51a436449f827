"""Laws of growth and shedding fitted to watched pieces of a tissue."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares, minimize_scalar
from scipy.stats import norm

from paget.body.patch.estimates import TAIL, Estimate, interval_of_rate, jackknife, spread_interval
from paget.body.patch.watch import Watched
from paget.kernels.lesions import LARGEST

__all__ = ["Growth", "Shedding", "growth_of", "shedding_of"]

Real = NDArray[np.float64]

PER_HOUR = "1/h"
STEEPEST = 6.0  # power of size with which pieces may shed
LARGEST_LOG = 700.0  # of a limit in cells, beyond which it is no number
FEW = 10  # cells that left, below which they say nothing of the power


@dataclass(frozen=True)
class Growth:
    """A law of growth of the cycling cells, what they lose by leaving and falling asleep left out.

    law : "gompertz" or "exponential". rate, and limit in cells of a piece
    variance : of the logarithm of the rate between pieces; chance : the part of it that births and deaths in a piece explain
    scatter : the variance with its interval, and as a coefficient of variation between pieces
    """

    law: str
    rate: Estimate
    limit: Estimate | None
    variance: float
    chance: float
    scatter: Estimate | None


@dataclass(frozen=True)
class Shedding:
    """Cells shed per h are coefficient * cells ** exponent, of a piece; parties are single cells, or clusters of a mean size.

    per_cell : cells shed for each cell and hour, over the whole time
    """

    per_cell: Estimate
    coefficient: Estimate
    exponent: Estimate | None


# ---- growth -------------------------------------------------------------------------------------------------------
def growth_of(w: Watched) -> Growth | None:
    """Gompertz's law where growth slows beyond doubt, else growth at the constant rate b - d; None without cycling cells.

    Gompertz's law is fitted by least squares to the logarithms of the numbers of cycling cells of all pieces at all times, each
    piece from its own number at the start, with rate and limit in common.
    """
    hours = w.hours()
    if not hours.sum() > 0.0:
        return None
    if np.all(w.cycling > 0):
        fitted, half = jackknife(lambda chosen: _gompertz(w.only(chosen)), w.pieces)
        rate, top, of_rate, of_top = (float(x) for x in (*fitted, *half))
        # A piece without which nothing slows leaves no number for the limit, and so no width.
        if math.isfinite(of_top) and rate - of_rate > 0.0 and top + of_top < LARGEST_LOG:
            how = f"Gompertz's law through {w.pieces} pieces from {_range(w)} cells"
            variance, chance = _variance(w, rate, top)
            return Growth(
                "gompertz",
                Estimate(rate, rate - of_rate, rate + of_rate, PER_HOUR, how),
                Estimate(math.exp(top), math.exp(top - of_top), math.exp(top + of_top), "cell", how),
                variance,
                chance,
                _scatter(variance, w.pieces),
            )
    net = _net(w)
    variance, chance = _variance(w, net.value, math.inf) if np.all(w.cycling > 0) else (0.0, 0.0)
    return Growth("exponential", net, None, variance, chance, _scatter(variance, w.pieces))


def _range(w: Watched) -> str:
    first, last = w.cycling[:, 0].mean(), w.cycling[:, -1].mean()
    return f"{first:.4g} to {last:.4g}"


def _net(w: Watched) -> Estimate:
    """b - d, with the wider of the intervals of chance and of replicates."""
    gained, hours = w.total("born") - w.total("died"), w.hours()
    value, half = jackknife(lambda k: np.array([gained[k].sum() / hours[k].sum()]), w.pieces)
    events = float((w.total("born") + w.total("died")).sum())
    width = max(float(half[0]), float(norm.ppf(1.0 - TAIL)) * math.sqrt(events) / float(hours.sum()))
    how = f"births less deaths in {hours.sum():.6g} h of cycling cells; no slowing beyond doubt"
    return Estimate(float(value[0]), float(value[0]) - width, float(value[0]) + width, PER_HOUR, how)


def _gompertz(w: Watched) -> Real:
    """Rate and logarithm of the limit of Gompertz's law through pieces; the limit is NaN where growth does not slow.

    The unknowns are the rates a of slowing and g of growth at the mean start m, which tell apart slow from no slowing:
    ln x(t) = ln x0 + (g + a (m - ln x0)) (1 - exp(-a t)) / a. What cycling cells lose by the way, at the mean rate k, raises
    the limit that they would reach: ln K = m + (g + k) / a.
    """
    y, t = np.log(w.cycling), w.times - w.times[0]
    first, span = y[:, :1], float(t[-1])
    middle = float(first.mean())

    def misses(x: Real) -> Real:
        g, a = x / span
        fallen = -np.expm1(-a * t) / a if a != 0.0 else t
        return np.asarray((first + (g + a * (middle - first)) * fallen - y).ravel())

    climb = float((y[:, -1] - y[:, 0]).mean())
    found = least_squares(misses, [max(2.0 * climb, 0.1), 1.0], bounds=([-np.inf, -20.0], [np.inf, 200.0]))
    g, a = found.x / span
    lost = sum(s * w.total(f).sum() for f, s in (("left", 1), ("slept", 1), ("woken", -1), ("arrived", -1)))
    loss = float(lost / w.hours().sum())
    return np.array([a, middle + (g + loss) / a if a > 0.0 and g + loss > 0.0 else math.nan])


def _variance(w: Watched, rate: float, top: float) -> tuple[float, float]:
    """Variance of the logarithm of the rate of growth between pieces, and what chance in each piece adds to it.

    Numbers are compared where they tell the rate best: after 1 / rate h if growth slows, else at the end. To an offset e of
    the logarithm of a number belongs an offset e / s of that of the rate, s being the derivative of the law there. Births and
    deaths add events / cells^2 to the variance, which a law with a limit forgets at twice its rate.
    """
    slowing = math.isfinite(top)
    t = w.times - w.times[0]
    at = int(np.searchsorted(t, min(t[-1], 1.0 / rate))) if slowing and rate > 0.0 else t.size - 1
    y = np.log(w.cycling)
    if slowing:
        kept = math.exp(-rate * t[at])
        offsets = y[:, at] - kept * y[:, 0]
        steep = float((top - y[:, 0]).mean()) * rate * t[at] * kept
    else:
        offsets, steep = y[:, at] - y[:, 0], rate * t[at]
    if not abs(steep) > 0.0:
        return 0.0, 0.0
    events = sum(w.flows[flow][:, :at] for flow in ("born", "died", "left"))
    fades = np.exp(-2.0 * rate * (t[at] - t[:at])) if slowing else np.ones(at)
    chance = float((events / w.cycling[:, :at].astype(np.float64) ** 2 * fades).sum(axis=1).mean())
    return float(np.var(offsets, ddof=1)) / steep**2, chance / steep**2


def _scatter(variance: float, pieces: int) -> Estimate | None:
    if not variance > 0.0:
        return None
    low, high = spread_interval(variance, pieces)
    cv = [math.sqrt(math.expm1(min(v, 50.0))) for v in (variance, low, high)]
    return Estimate(cv[0], cv[1], cv[2], "", f"rates of {pieces} pieces, of one limit")


# ---- shedding -----------------------------------------------------------------------------------------------------
def shedding_of(w: Watched) -> Shedding | None:
    """What cells shed, by the number of cycling cells of their piece; None without cycling cells.

    The exponent has the highest likelihood of a Poisson process; it is taken where its interval leaves out 1.
    """
    hours = w.hours()
    if not hours.sum() > 0.0:
        return None
    left = w.total("left") + w.total("dormant left")
    per_cell = interval_of_rate(left, hours, PER_HOUR, "cells left", "cell-hours")
    exponent = None
    if left.sum() >= FEW and np.count_nonzero(left) > 1:
        value, half = jackknife(lambda chosen: np.array([_exponent(w.only(chosen))]), w.pieces)
        p, h = float(value[0]), float(half[0])
        exponent = Estimate(
            p, max(p - h, 0.0), p + h, "", f"{left.sum():.0f} cells that left pieces of {_range(w)} cells"
        )
        if exponent.low <= 1.0 <= exponent.high:
            exponent = Estimate(
                1.0, exponent.low, exponent.high, "", f"{exponent.how}; {p:.3g} is not told apart from 1"
            )
    power = 1.0 if exponent is None else exponent.value
    mass = np.trapezoid(np.where(w.cycling > 0, w.cycling.astype(np.float64) ** power, 0.0), w.times, axis=1)
    return Shedding(per_cell, interval_of_rate(left, mass, PER_HOUR, "cells left", "h of cells ** exponent"), exponent)


def _exponent(w: Watched) -> float:
    """The power p of the highest likelihood: sum of shed * p ln x less ln(sum of x^p), for the shed of one sum."""
    shed = (w.flows["left"] + w.flows["dormant left"]).ravel()
    cells = 0.5 * (w.cycling[:, 1:] + w.cycling[:, :-1]).ravel()
    there = cells > 0.0
    shed, logs = shed[there], np.log(cells[there])
    if not shed.sum():
        return 1.0
    mean, top = float((shed * logs).sum() / shed.sum()), float(logs.max())

    def misfit(p: float) -> float:
        return float(np.log(np.exp(p * (logs - top)).sum()) + p * (top - mean))

    return float(minimize_scalar(misfit, bounds=(0.0, STEEPEST), method="bounded").x)


def cluster_size_of(parties: Sequence[NDArray[np.int64]]) -> Estimate | None:
    """Mean cells of the clusters that left, 2 to LARGEST - 1 of them at most; None if none did.

    Seen in one piece only, its interval is all that can be.
    """
    clusters = [np.minimum(sizes[sizes > 1], LARGEST - 1).astype(np.float64) for sizes in parties]
    clusters = [sizes for sizes in clusters if sizes.size]
    if not clusters:
        return None
    how = f"{sum(s.size for s in clusters)} clusters"
    if len(clusters) == 1:
        return Estimate(float(clusters[0].mean()), 2.0, LARGEST - 1.0, "cell", how)
    value, half = jackknife(lambda k: np.array([np.concatenate([clusters[i] for i in k]).mean()]), len(clusters))
    mean, h = float(value[0]), float(half[0])
    return Estimate(mean, max(mean - h, 2.0), min(mean + h, LARGEST - 1.0), "cell", how)
