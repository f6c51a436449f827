"""Rank tests with their exact permutation distribution, ties and all.

Counts are full of ties, for which the tables behind the usual exact p-values do not hold and the normal approximation
is poor at ten animals. Given the mid-ranks, every relabelling is equally likely under the null hypothesis, and the
number of relabellings with each rank sum follows by adding one animal at a time (the shift algorithm).

Source: Streitberg B, Roehmel J (1986) Stat Softw Newsl 12:10-17; Hollander M, Wolfe DA (1999) ch. 3-4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Values = npt.NDArray[np.float64]

__all__ = ["rank_sum_test", "signed_rank_test"]

# Above these sizes the exact distribution costs more than it differs from the normal one (by less than 0.001 in p).
_MOST_PAIRS = 300
_MOST_ANIMALS = 120


def signed_rank_test(difference: Values) -> tuple[float, float]:
    """Test whether differences of pairs are symmetric about zero (Wilcoxon); returns ``min(W+, W-)`` and two-sided p.

    Differences of zero are left out before ranking (Wilcoxon's own rule), ties get mid-ranks.
    """
    from scipy.stats import rankdata, wilcoxon

    difference = difference[difference != 0]
    if len(difference) == 0:
        return 0.0, 1.0
    doubled = np.rint(2 * rankdata(np.abs(difference))).astype(np.int64)
    total = int(doubled.sum())
    plus = int(doubled[difference > 0].sum())
    smaller = min(plus, total - plus)
    if len(difference) > _MOST_PAIRS:
        return smaller / 2, float(wilcoxon(difference).pvalue)
    chance = np.zeros(total + 1)
    chance[0] = 1.0
    for rank in doubled:
        shifted = np.zeros_like(chance)
        shifted[rank:] = chance[:-rank]
        chance = (chance + shifted) / 2
    return smaller / 2, min(1.0, 2 * float(chance[: smaller + 1].sum()))


def rank_sum_test(arm: Values, versus: Values) -> tuple[float, float]:
    """Test whether one sample tends to larger values (Mann-Whitney); returns ``min(U1, U2)`` and a two-sided p.

    The two-sided p is twice the smaller tail, at most 1.
    """
    from scipy.stats import mannwhitneyu, rankdata

    n_arm, n_all = len(arm), len(arm) + len(versus)
    doubled = np.rint(2 * rankdata(np.concatenate([arm, versus]))).astype(np.int64)
    found = int(doubled[:n_arm].sum())
    u_arm = found / 2 - n_arm * (n_arm + 1) / 2
    statistic = min(u_arm, n_arm * len(versus) - u_arm)
    if n_all > _MOST_ANIMALS:
        return statistic, float(mannwhitneyu(arm, versus, method="asymptotic").pvalue)
    ways = np.zeros((n_arm + 1, int(doubled.sum()) + 1))
    ways[0, 0] = 1.0
    for rank in doubled:
        ways[1:, rank:] += ways[:-1, :-rank]
    chance = ways[n_arm] / ways[n_arm].sum()
    tail = min(chance[: found + 1].sum(), chance[found:].sum())
    return statistic, min(1.0, 2 * float(tail))
