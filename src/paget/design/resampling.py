"""Intervals from resampled animals: what would have been found with other animals of the same kind."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["FEWEST_ANIMALS", "RESAMPLES", "Estimate", "estimate", "expanded_interval", "mean_resamples"]

Values = npt.NDArray[np.float64]

RESAMPLES = 2000
FEWEST_ANIMALS = 3
_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A number found, with the limits of its 95 % interval; a limit of 0 or infinity means that none can be given."""

    value: float
    low: float
    high: float


def mean_resamples(animals: list[Values], paired: bool, seed: int, times: int = RESAMPLES) -> Values:
    """Means of several arms over animals drawn again with replacement, [times, arms].

    Parameters
    ----------
    animals : the values of each arm; if `paired`, of the same animals in the same order.
    paired : whether an animal that is drawn is drawn in all arms.
    """
    generator = np.random.Generator(np.random.Philox(key=seed))
    if paired:
        table = np.stack(animals, axis=1)
        chosen = generator.integers(0, len(table), (times, len(table)))
        counts = np.zeros((times, len(table)))
        np.add.at(counts, (np.arange(times)[:, None], chosen), 1.0)
        return np.asarray(counts @ table / len(table))
    return np.stack([arm[generator.integers(0, len(arm), (times, len(arm)))].mean(axis=1) for arm in animals], axis=1)


def expanded_interval(samples: Values, animals: int) -> tuple[float, float]:
    r"""The 95 % interval of a statistic from its resampled values, widened for the number of animals.

    Percentiles of resampled means are too close together, by the factor :math:`\sqrt{(n-1)/n}` and because a normal
    distribution stands where Student's belongs; the percentiles taken are those that correct for both:

    .. math:: \alpha'/2 = \Phi\big(-\sqrt{n/(n-1)}\; t_{0.975,\,n-1}\big)

    Parameters
    ----------
    samples : the resampled values; those that are not a number are left out.
    animals : the number :math:`n` of animals that were drawn from.

    Notes
    -----
    Below five animals the limits are in effect the smallest and the largest resampled value.

    Source: Hesterberg TC (2015) Am Stat 69:371-386.
    """
    from scipy.stats import norm, t

    kept = samples[~np.isnan(samples)]
    if len(kept) == 0 or animals < 2:
        return -math.inf, math.inf
    reach = math.sqrt(animals / (animals - 1)) * float(t.ppf(0.5 + _CONFIDENCE / 2, animals - 1))
    tail = float(norm.cdf(-reach))
    # order statistics, not interpolation between them: samples may be infinite
    low, high = np.quantile(kept, [tail, 1 - tail], method="inverted_cdf")
    return float(low), float(high)


def estimate(value: float, samples: Values, animals: int) -> Estimate:
    """A number with the interval of its resampled values."""
    return Estimate(value, *expanded_interval(samples, animals))
