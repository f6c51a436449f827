"""Standardised effects: how large a difference is on a scale without units."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Values = npt.NDArray[np.float64]

__all__ = ["all_equal", "hedges_g", "hedges_g_paired", "rank_biserial", "rank_biserial_paired", "small_sample_factor"]

# Rounding leaves a spread of a few units in the last place among values that are equal in meaning.
_RELATIVE_ROUNDING = 1e-12


def all_equal(values: Values, scale: float | None = None) -> bool:
    """Say whether values differ by no more than rounding, relative to `scale` (their largest magnitude if left out)."""
    largest = float(np.abs(values).max()) if scale is None else scale
    return bool(np.ptp(values) <= _RELATIVE_ROUNDING * largest)


def small_sample_factor(freedom: int) -> float:
    r"""Correct a standardised mean difference for its upward bias in small samples.

    .. math:: J(m) = \frac{\Gamma(m/2)}{\sqrt{m/2}\;\Gamma((m-1)/2)} \approx 1 - \frac{3}{4m - 1}

    Source: Hedges LV (1981) J Educ Stat 6:107-128.

    >>> round(small_sample_factor(10), 4)
    0.9227
    """
    if freedom < 2:
        raise ValueError(f"the correction needs at least 2 degrees of freedom, not {freedom}")
    half = freedom / 2
    return math.exp(math.lgamma(half) - math.lgamma(half - 0.5) - 0.5 * math.log(half))


def hedges_g(arm: Values, versus: Values) -> float | None:
    r"""Standardise the difference of two independent means by the pooled standard deviation, without bias.

    .. math:: g = J(n_1+n_2-2)\,\frac{\bar x_1-\bar x_2}{s_p},\quad
              s_p^2 = \frac{(n_1-1)s_1^2+(n_2-1)s_2^2}{n_1+n_2-2}

    Returns None where it is not defined: fewer than two values in an arm, or no spread in either.

    Source: Hedges LV (1981) J Educ Stat 6:107-128; Borenstein M et al (2009) Introduction to Meta-Analysis, ch. 4.
    """
    n_arm, n_versus = len(arm), len(versus)
    if min(n_arm, n_versus) < 2 or (all_equal(arm) and all_equal(versus)):
        return None
    freedom = n_arm + n_versus - 2
    pooled = ((n_arm - 1) * arm.var(ddof=1) + (n_versus - 1) * versus.var(ddof=1)) / freedom
    return small_sample_factor(freedom) * float(arm.mean() - versus.mean()) / math.sqrt(pooled)


def hedges_g_paired(arm: Values, versus: Values) -> float | None:
    r"""Standardise the mean difference of pairs by the spread between animals, as an unpaired study would.

    .. math:: g_{av} = J(n-1)\,\frac{\bar d}{\sqrt{(s_1^2+s_2^2)/2}}

    *Differs from* the effect size on differences (:math:`\bar d/s_d`), which grows with the correlation of the pairs;
    here the correlation is created by shared random numbers and is not a property of the treatment.

    Returns None where it is not defined: fewer than three pairs, or no spread in either arm.

    Source: Cumming G (2012) Understanding The New Statistics, ch. 11.
    """
    if len(arm) != len(versus):
        raise ValueError(f"pairs need two samples of one length, not {len(arm)} and {len(versus)}")
    if len(arm) < 3 or (all_equal(arm) and all_equal(versus)):
        return None
    average = (arm.var(ddof=1) + versus.var(ddof=1)) / 2
    return small_sample_factor(len(arm) - 1) * float((arm - versus).mean()) / math.sqrt(average)


def rank_biserial(arm: Values, versus: Values) -> float | None:
    r"""Give the chance that `arm` exceeds `versus` in two animals at random, minus that it falls below (Cliff's delta).

    .. math:: r = \frac{2U}{n_1 n_2} - 1

    Returns None if an arm is empty.

    Source: Cliff N (1993) Psychol Bull 114:494-509; Kerby DS (2014) Compr Psychol 3:11.IT.3.1.
    """
    if min(len(arm), len(versus)) < 1:
        return None
    return float(np.sign(arm[:, None] - versus[None, :]).mean())


def rank_biserial_paired(arm: Values, versus: Values) -> float | None:
    r"""Give the share of rank sums of pairs that favour `arm` minus the share that favours `versus`.

    .. math:: r = \frac{W_+ - W_-}{W_+ + W_-}

    Pairs without a difference are left out, as in the signed-rank test; returns None if no pair differs.

    Source: Kerby DS (2014) Compr Psychol 3:11.IT.3.1.
    """
    from scipy.stats import rankdata

    difference = arm - versus
    difference = difference[difference != 0]
    if len(difference) == 0:
        return None
    ranks = rankdata(np.abs(difference))
    return float((np.sign(difference) * ranks).sum() / ranks.sum())
