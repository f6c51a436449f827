"""Slow, clear twins of the kernels of lesions: equations solved in steps, distributions summed, every event drawn by itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from paget.kernels import growth

__all__ = ["Colony", "change", "clone_sizes", "grown", "integral", "live", "walk"]

Real = NDArray[np.float64]


def change(law: int, x: float, rate: float, limit: float, power: float, kill: float) -> float:
    """dx/dt of a tumour of size x."""
    if law == growth.GOMPERTZ:
        gain = rate * x * np.log(limit / x)
    elif law == growth.LOGISTIC:
        gain = rate * x * (1.0 - x / limit)
    elif law == growth.EXPONENTIAL:
        gain = rate * x
    else:
        gain = rate * x**power
        if law == growth.BERTALANFFY:
            gain -= rate * limit ** (power - 1.0) * x
    return float(gain - kill * x)


def _solved(
    law: int, size: float, dt: float, rate: float, limit: float, power: float, kill: float, exponent: float
) -> Real:
    def slope(_: float, y: Real) -> list[float]:
        x = float(np.exp(y[0]))
        return [change(law, x, rate, limit, power, kill) / x, x**exponent]

    solution = solve_ivp(slope, (0.0, dt), [np.log(size), 0.0], method="DOP853", rtol=1e-12, atol=1e-12)
    end: Real = solution.y[:, -1]
    return end


def grown(law: int, size: float, dt: float, rate: float, limit: float, power: float, kill: float) -> float:
    """Size after `dt` h, from the differential equation of its logarithm."""
    return float(np.exp(_solved(law, size, dt, rate, limit, power, kill, 0.0)[0]))


def integral(
    law: int, size: float, dt: float, rate: float, limit: float, power: float, kill: float, exponent: float
) -> float:
    """Integral of size^exponent over `dt` h, from the differential equation."""
    return float(_solved(law, size, dt, rate, limit, power, kill, exponent)[1])


def clone_sizes(n: int, birth: float, death: float, t: float, most: int) -> Real:
    """Probability of 0 to `most` cells at t of n cells at 0: that of one lineage, convolved n times with itself.

    The states 0 to `most` of one lineage follow the master equation, of which the geometric law is the known solution.
    """
    grown_by = np.exp((birth - death) * t)
    e = t if birth == death else (grown_by - 1.0) / (birth - death)
    extinct, ratio = death * e / (1.0 + birth * e), birth * e / (1.0 + birth * e)
    one = np.concatenate([[extinct], (1.0 - extinct) * (1.0 - ratio) * ratio ** np.arange(most)])
    all_of_them: Real = np.array([1.0])
    for _ in range(n):
        all_of_them = np.convolve(all_of_them, one)[: most + 1]
    return all_of_them


def walk(n: int, birth: float, death: float, t: float, rng: np.random.Generator) -> tuple[int, int, int]:
    """Cells at t, born and died, event by event (Gillespie 1977, doi:10.1021/j100540a008)."""
    now, born, died = 0.0, 0, 0
    while n > 0:
        now += rng.exponential(1.0 / ((birth + death) * n))
        if now > t:
            break
        if rng.random() * (birth + death) < birth:
            n, born = n + 1, born + 1
        else:
            n, died = n - 1, died + 1
    return n, born, died


@dataclass(frozen=True)
class Colony:
    """Rates in 1/h of a lesion that grows exponentially, for each cell; shares of founders; cells shed in parties of one."""

    birth: float
    death: float
    survival: float = 1.0
    dormancy: float = 0.0
    awakening: float = 0.0
    dormant_death: float = 0.0
    re_entry: float = 0.0
    shedding: float = 0.0


def live(colony: Colony, founders: int, t: float, rng: np.random.Generator) -> dict[str, float]:
    """Cycling and dormant cells at t, cells born, died and left, and when the first dormant cell woke, event by event."""
    kept = int(rng.binomial(founders, colony.survival))
    dormant = int(rng.binomial(kept, colony.dormancy))
    cycling = kept - dormant
    count = {"born": 0.0, "died": float(founders - kept), "left": 0.0, "woke": np.inf}
    now = 0.0
    while True:
        rates = np.array(
            [
                cycling * colony.birth,
                cycling * colony.death,
                cycling * colony.re_entry,
                cycling * colony.shedding,
                dormant * colony.awakening,
                dormant * colony.dormant_death,
            ]
        )
        now += rng.exponential(1.0 / rates.sum()) if rates.any() else np.inf
        if now > t:
            return {"cycling": cycling, "dormant": dormant, **count}
        match int(rng.choice(6, p=rates / rates.sum())):
            case 0:
                cycling, count["born"] = cycling + 1, count["born"] + 1
            case 1:
                cycling, count["died"] = cycling - 1, count["died"] + 1
            case 2:
                cycling, dormant = cycling - 1, dormant + 1
            case 3:
                cycling, count["left"] = cycling - 1, count["left"] + 1
            case 4:
                cycling, dormant, count["woke"] = cycling + 1, dormant - 1, min(count["woke"], now)
            case _:
                dormant, count["died"] = dormant - 1, count["died"] + 1
