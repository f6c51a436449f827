r"""Permutation tests of a sum of scores: exact, ties and all, for any scores.

Under the null hypothesis that a treatment does nothing, every assignment of the animals to the arms (independent
groups), or every exchange within pairs, would have given the same values. Tests of one arm against another whose
statistic is a sum of scores over an arm (negative binomial score, log-rank score, difference of means) are then
exact, and the number of assignments with each sum follows by adding one animal at a time (the shift algorithm)
instead of listing them.

Statistics of few animals jump, and a p-value that counts all ties as extreme stays below its level. Here half of the
ties count (mid-p), by which the share of false alarms lies about its level, not below.

Source: Streitberg B, Roehmel J (1986) Stat Softw Newsl 12:10-17; Pitman EJG (1937) J R Stat Soc Suppl 4:119-130;
Lancaster HO (1961) J Am Stat Assoc 56:223-234; Agresti A (2002) Categorical Data Analysis, sect. 1.4.5.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Values = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]
    Whole = npt.NDArray[np.int64]

__all__ = [
    "FEWEST_ASSIGNMENTS",
    "enough_to_exchange",
    "enough_to_relabel",
    "mid_p_of_list",
    "relabellings",
    "swap_test",
    "two_group_test",
]

FEWEST_ASSIGNMENTS = 100
"""With fewer assignments of animals to arms p jumps by a hundredth or two at five in a hundred; seven pairs have 128,
five animals beside four 126."""

_MOST_LISTED = 20_000
# Sums are counted on a grid: scores that are multiples of one unit are exact, others are rounded to a share of
# their total.
_FINEST = 4_000
_MOST_STEPS = 40_000_000
# Above these sizes the normal approximation differs by less than the counting costs.
_MOST_ANIMALS = 120
_MOST_PAIRS = 300
# The number of assignments of a thousand animals is the largest that floating point holds.
_MOST_COUNTED = 1000
_ROUNDING = 1e-9


def enough_to_relabel(n_arm: int, n_versus: int) -> bool:
    """Say whether two groups of these sizes can be relabelled in enough ways for a test of relabellings."""
    return math.comb(n_arm + n_versus, n_arm) >= FEWEST_ASSIGNMENTS


def enough_to_exchange(pairs: int) -> bool:
    """Say whether so many pairs can be exchanged in enough ways for a test of exchanges."""
    return pairs >= math.log2(FEWEST_ASSIGNMENTS)


def two_group_test(arm: Values, versus: Values) -> float:
    r"""Test whether the scores of two independent groups are exchangeable, by the sum over one of them; two-sided
    mid-p.

    .. math:: p = 2\,\min\{P(T<t)+\tfrac12 P(T=t),\; P(T>t)+\tfrac12 P(T=t)\}

    *Differs from* the exact distribution where there are more than 20,000 assignments and the scores are no multiples
    of one unit: they are rounded to a part in 4,000 of their total; above 120 animals such sums are taken as normal,
    with the variance of the permutation distribution.
    """
    smaller, larger = (arm, versus) if len(arm) <= len(versus) else (versus, arm)
    scores = np.concatenate([smaller, larger])
    n, n_all = len(smaller), len(scores)
    scores = scores - scores.min()
    if scores.max() == 0.0:
        return 1.0
    if math.comb(n_all, n) <= _MOST_LISTED:
        return mid_p_of_list(scores[_choices(n_all, n)].sum(axis=1), float(scores[:n].sum()), float(scores.sum()))
    most = _MOST_STEPS // (n * n_all) if n_all <= _MOST_COUNTED else 0
    whole, slack = _on_a_grid(scores, most, n_all <= _MOST_ANIMALS)
    if whole is None:
        spread = math.sqrt(n * (n_all - n) / n_all * scores.var(ddof=1))
        return _normal((scores[:n].sum() - n * scores.mean()) / spread)
    ways = np.zeros((n + 1, int(whole.sum()) + 1))
    ways[0, 0] = 1.0
    reached = 0
    for place, score in enumerate(whole.tolist()):
        most, reached = min(place + 1, n), reached + score
        ways[1 : most + 1, score : reached + 1] += ways[:most, : reached + 1 - score].copy()
    return _mid_p(ways[n] / ways[n].sum(), int(whole[:n].sum()), slack)


def swap_test(differences: Values) -> float:
    r"""Test whether differences of pairs are symmetric about zero, by their sum; two-sided mid-p over all exchanges.

    *Differs from* the exact distribution as `two_group_test` does; the normal distribution is taken above 300 pairs.
    """
    moved = differences[differences != 0.0]
    if len(moved) == 0:
        return 1.0
    sizes = np.abs(moved)
    if 2 ** len(moved) <= _MOST_LISTED:
        sums = np.zeros(1)
        for size in sizes.tolist():
            sums = np.concatenate([sums, sums + size])
        return mid_p_of_list(sums, float(sizes[moved > 0.0].sum()), float(sizes.sum()))
    whole, slack = _on_a_grid(sizes, _MOST_STEPS // len(moved), len(moved) <= _MOST_PAIRS)
    if whole is None:
        return _normal(moved.sum() / math.sqrt((moved**2).sum()))
    chance = np.zeros(int(whole.sum()) + 1)
    chance[0] = 1.0
    for score in whole.tolist():
        chance[score:] += chance[: len(chance) - score].copy()
        chance /= 2.0
    return _mid_p(chance, int(whole[moved > 0.0].sum()), slack)


@lru_cache(maxsize=16)
def _choices(n_all: int, n: int) -> Whole:
    return np.array(list(combinations(range(n_all), n)), np.int64)


def relabellings(n_all: int, n: int, draws: int, seed: int) -> Flags:
    """Assignments of `n` of all animals to an arm, [assignments, n_all]: each one if they are few, else so many drawn."""
    if math.comb(n_all, n) <= _MOST_LISTED:
        chosen = np.zeros((math.comb(n_all, n), n_all), np.bool_)
        np.put_along_axis(chosen, _choices(n_all, n), True, axis=1)
        return chosen
    return np.random.default_rng(seed).permuted(np.tile(np.arange(n_all) < n, (draws, 1)), axis=1)


def mid_p_of_list(sums: Values, found: float, total: float) -> float:
    """Two-sided mid-p of a sum among those of all assignments; `total` is the scale by which sums differ by rounding."""
    rounding = _ROUNDING * total
    below, above = int((sums < found - rounding).sum()), int((sums > found + rounding).sum())
    return float(min(1.0, 2.0 * (min(below, above) + (len(sums) - below - above) / 2.0) / len(sums)))


def _mid_p(chance: Values, found: int, slack: int) -> float:
    low, high = max(found - slack, 0), min(found + slack, len(chance) - 1)
    equal = chance[low : high + 1].sum() / 2.0
    return float(min(1.0, 2.0 * (min(chance[:low].sum(), chance[high + 1 :].sum()) + equal)))


def _normal(z: float) -> float:
    from scipy.special import ndtr

    return float(2.0 * ndtr(-abs(z)))


def _on_a_grid(scores: Values, most: int, few: bool) -> tuple[Whole | None, int]:
    """Scores of zero or more as whole numbers that sum to `most` or less, and by how much rounding may part equal sums."""
    unit = _common_unit(scores, most)
    if unit is not None:
        return np.rint(scores / unit).astype(np.int64), 0
    if not few:
        return None, 0
    finest = min(most, _FINEST)
    return np.rint(scores * (finest / scores.sum())).astype(np.int64), math.isqrt(len(scores)) // 2


def _common_unit(scores: Values, most: int) -> float | None:
    """The largest number of which all scores are multiples, if their sum is no more than `most` of it (Euclid)."""
    total, unit, rounding = float(scores.sum()), 0.0, _ROUNDING * float(scores.max())
    for score in np.unique(scores).tolist():
        rest = score
        while rest > rounding:
            unit, rest = rest, abs(math.remainder(unit, rest))
        if unit > 0.0 and total > most * unit:
            return None
    return unit
