"""Shares of cells with and without a perturbation, the same cells in both: difference, interval, and test."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["paired_difference", "paired_test", "wilson"]

Truth = NDArray[np.bool_]
NORMAL = 1.959963984540054  # two-sided 95 % of the normal distribution


def wilson(yes: int, n: int) -> tuple[float, float]:
    r"""Interval of 95 % of a share, by inversion of the score test.

    .. math:: \frac{2 n p + z^2 \pm z \sqrt{z^2 + 4 n p (1 - p)}}{2 (n + z^2)}

    Source: Wilson EB (1927) J Am Stat Assoc 22:209-212.
    """
    share, z2 = yes / n, NORMAL**2
    reach = NORMAL * math.sqrt(z2 + 4.0 * n * share * (1.0 - share))
    low, high = ((2.0 * n * share + z2 + side * reach) / (2.0 * (n + z2)) for side in (-1.0, 1.0))
    return (0.0 if yes == 0 else max(low, 0.0)), (1.0 if yes == n else min(high, 1.0))


def paired_difference(treated: Truth, control: Truth) -> tuple[float, float, float]:
    r"""Difference of the shares of `treated` and `control` [n] cells, and its interval of 95 %.

    The distances of both shares from their Wilson limits are combined as the errors of a difference of correlated numbers,

    .. math:: \delta = \sqrt{d_1^2 - 2 \phi\, d_1 d_2 + d_2^2},

    with the correlation phi of the pairs, which the shared start and random numbers of a cell bring about; corrected
    where it is positive.

    Source: Newcombe RG (1998) Stat Med 17:2635-2650, method 10.
    """
    n = treated.size
    both, first, second = (
        int(np.count_nonzero(x)) for x in (treated & control, treated & ~control, ~treated & control)
    )
    neither = n - both - first - second
    p1, p2 = (both + first) / n, (both + second) / n
    margins = (both + first) * (second + neither) * (both + second) * (first + neither)
    product = both * neither - first * second
    if product > 0:
        product = max(product - n / 2.0, 0.0)  # type: ignore[assignment]
    phi = product / math.sqrt(margins) if margins else 0.0
    low1, high1 = wilson(both + first, n)
    low2, high2 = wilson(both + second, n)

    def reach(one: float, other: float) -> float:
        return math.sqrt(max(one * one - 2.0 * phi * one * other + other * other, 0.0))

    effect = p1 - p2
    return effect, effect - reach(p1 - low1, high2 - p2), effect + reach(high1 - p1, p2 - low2)


def paired_test(treated: Truth, control: Truth) -> float:
    """Two-sided p of the exact test that as many cells gained the readout as lost it.

    Source: McNemar Q (1947) Psychometrika 12:153-157; exact, by the binomial distribution of the pairs that differ.
    """
    from scipy.stats import binomtest

    gained, lost = int(np.count_nonzero(treated & ~control)), int(np.count_nonzero(~treated & control))
    return float(binomtest(gained, gained + lost, 0.5).pvalue) if gained + lost else 1.0
