"""Expected freedom from relapse after surgery, without running patients: for calibration, and as a check of the cohort.

Given a patient, metastases are points of a Poisson process, so that the chance to be free of visible ones by t is
exp(-L F(t)), with L the mean number of founding cells whose offspring last and F the distribution of the time at which
one is seen. F is in closed form over the time of founding and over chance in the first divisions, and by Gauss's rules over
growth and time spent dormant; patients are averaged at the points of a Sobol sequence. So the result is smooth in every number
of the cohort. Holds for exponential growth, resection at diagnosis and no other treatment.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from paget.body.cohort.definition import Cohort
from paget.errors import StudyError
from paget.kernels.cohort import TRAITS
from paget.units import to_internal

__all__ = ["ExpectedPatients", "expected_patients"]

Real = NDArray[np.float64]
HOURS_PER_YEAR = to_internal("1 year", "h")
SPEEDS, DOZES = 12, 12  # points over growth rates of metastases, and over times spent dormant
ALL_SEEN = 1e-9  # head start so small that nobody has it, below which every metastasis is seen


@functools.lru_cache(maxsize=8)
def _points(n: int, columns: int) -> Real:
    """Points of a scrambled Sobol sequence inside the unit cube, [n, columns], always the same."""
    from scipy.stats import qmc

    return np.clip(qmc.Sobol(columns, rng=20).random(n), 1e-12, 1.0 - 1e-12)


class ExpectedPatients(NamedTuple):
    """Patients at the points, without metastases at diagnosis: weights, size in cells, mean number of nodes, and free(t).

    weight, size, mean_nodes [n]; free [n, times], the chance to be without a visible metastasis by each time, given so at 0
    """

    weight: Real
    size: Real
    mean_nodes: Real
    free: Real

    def with_nodes(self, fewest: int, most: float) -> Real:
        """Weights of patients with a number of positive nodes from `fewest` to `most`."""
        from scipy.stats import poisson

        upper = poisson.cdf(most, self.mean_nodes) if np.isfinite(most) else 1.0
        weight: Real = self.weight * (upper - poisson.cdf(fewest - 1, self.mean_nodes))
        return weight

    def survival(self, weight: Real | None = None) -> Real:
        """Share free of relapse at each time, [times], over patients with the given weights."""
        chosen = self.weight if weight is None else weight
        share: Real = chosen @ self.free / chosen.sum()
        return share


def expected_patients(cohort: Cohort, years: Real, *, patients: int = 2048, regional: bool = True) -> ExpectedPatients:
    """Chances of relapse by each of `years` after surgery at diagnosis; without `regional`, of distant relapse."""
    if cohort.law != "exponential":
        raise StudyError(f"Expected relapse needs exponential growth; the law of the cohort is '{cohort.law}'.")
    p, d = cohort.population(), cohort.disease()
    if cohort.value("surgery_awakening") != 1.0 and d.dormant_share > 0.0:
        raise StudyError("Expected relapse holds for surgery_awakening = 1; simulate patients for other values.")
    from scipy.special import gammainc, loggamma, ndtri
    from scipy.stats import gamma

    z = ndtri(_points(patients, TRAITS)) @ p.tie.T
    size = np.exp(p.size + p.size_sd * z[:, 0])
    rate = p.rate * np.exp(p.growth_sd * z[:, 1])
    founding = p.founding * np.exp(p.founding_sd * z[:, 2])
    mean_nodes = np.exp(p.nodes + p.nodes_exponent * p.size_sd * z[:, 0] + p.nodes_sd * z[:, 3])
    mean_nodes = -p.nodes_capacity * np.expm1(-mean_nodes / p.nodes_capacity)
    waking = p.waking * np.exp(p.waking_sd * z[:, 4])
    mean = founding * size**d.exponent / (d.exponent * rate) * (1.0 - size**-d.exponent) * (1.0 - d.turnover)

    speed, speed_weight = np.polynomial.hermite_e.hermegauss(SPEEDS)
    quantile, doze_weight = np.polynomial.legendre.leggauss(DOZES)
    lesion_rate = (rate[:, None] * p.lesion_ratio * np.exp(d.lesion_sd * speed))[:, None, :]
    speed_weight, doze_weight = speed_weight / speed_weight.sum(), doze_weight / doze_weight.sum()
    dozing = gamma.ppf(0.5 + 0.5 * quantile, d.stages) / waking[:, None]  # h without surgery
    kept = doze_weight * np.exp(-d.dormant_death * dozing)
    steep = (d.exponent * rate)[:, None, None]
    power = steep / lesion_rate

    def seen(start: Real, visible: float) -> Real:
        """Share of lasting metastases of each speed that are seen `start` h after surgery if none waits, [n, waits, speeds].

        Founding rises as e^(steep t) until surgery; a lesion of age a has exp(rate a) W / (1 - turnover) cells, W exponential.
        """
        least = visible * (1.0 - d.turnover) * np.exp(np.minimum(-lesion_rate * start, 600.0))
        before = steep * start - power * np.log(visible * (1.0 - d.turnover)) + loggamma(1.0 + power)
        before = np.exp(np.minimum(before, 700.0)) * gammainc(1.0 + power, least)
        share: Real = np.where(least < ALL_SEEN, 1.0, np.exp(-least) + before)
        mean: Real = share @ speed_weight
        return mean

    times = np.concatenate([[0.0], np.asarray(years) * HOURS_PER_YEAR])
    reached = np.zeros((patients, times.size))
    sites = cohort.organs()
    shares = np.diff(sites.share, prepend=0.0)
    for visible in np.unique(sites.visible):
        here = (sites.visible == visible) & ((sites.distant == 1) | regional)
        share = shares[here].sum()
        if share == 0.0:
            continue
        for j, time in enumerate(times):
            growing = seen(np.full((1, 1, 1), time), visible)[:, 0]
            reached[:, j] += share * (1.0 - d.dormant_share) * growing
            if d.dormant_share > 0.0:
                awoken = seen((time - dozing)[:, :, None], visible)
                reached[:, j] += share * d.dormant_share * (kept * awoken).sum(axis=1)
    chance = np.exp(-mean[:, None] * reached)
    eligible = (size > p.smallest) & (size <= p.largest) & (size < d.lethal)
    free = chance[:, 1:] / np.maximum(chance[:, :1], 1e-300)
    return ExpectedPatients(np.where(eligible, chance[:, 0], 0.0), size, mean_nodes, free)
