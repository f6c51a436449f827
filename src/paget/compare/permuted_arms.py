"""Tests of one arm against another by permutation: of counts, of times, and of means whose values are far from normal.

As the functions of `two_arms`, each takes two samples of at least two animals and returns a complete finding. Where
there are too few animals to permute (fewer than seven pairs, fewer than some four animals in an arm), p comes from
Student's t of the same scores, and the name of the test says so.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from paget.compare.effects import all_equal, hedges_g, hedges_g_paired
from paget.compare.findings import CONFIDENCE, Finding, Interval
from paget.compare.permutation import enough_to_exchange, enough_to_relabel, swap_test, two_group_test
from paget.compare.rate_ratio import RateRatio, overdispersion, rate_ratio, rate_ratio_paired
from paget.compare.time_to_event import (
    common_horizon,
    influence_on_restricted_mean,
    log_rank_score,
    log_rank_scores,
    peto_interval,
    restricted_mean,
)
from paget.compare.two_arms import paired_t, rank_sum, restricted_interval, signed_rank, welch_t
from paget.compare.wording import join_notes

if TYPE_CHECKING:
    import numpy.typing as npt

    from paget.compare.outcomes import Sample
    from paget.compare.time_to_event import RestrictedMean

    Values = npt.NDArray[np.float64]

__all__ = ["count_groups", "count_pairs", "mean_groups", "mean_pairs", "p_of_groups", "time_groups", "time_pairs"]

_COUNTS = "negative binomial score test"
_MEANS = "permutation test of the mean difference"


def count_pairs(arm: Sample, versus: Sample) -> Finding:
    r"""Compare counts of animals seen in both arms: the score of equal means, exchanged within pairs, and the rate
    ratio.

    Whatever the dispersion, the score of a ratio of 1 is the difference of the totals; :math:`(\sum d_i)^2/\sum
    d_i^2` is the statistic. The difference of the means has the interval of the paired t test.
    """
    a, b = arm.values, versus.values
    if (a.min() if len(a) else 0.0) < 0.0 or b.min() < 0.0:
        return _below_zero(signed_rank(arm, versus))
    p, how, note = _p_of_pairs(a - b)
    squares = float(((a - b) ** 2).sum())
    statistic = float((a - b).sum()) ** 2 / squares if squares > 0.0 else 0.0
    if squares == 0.0:
        flat = all_equal(np.concatenate([a, b]))
        note = "all values equal in both arms" if flat else "every animal has the same value in both arms"
    return _of_counts(a, b, paired_t(arm, versus).interval, rate_ratio_paired(a, b), how, statistic, p, note)


def count_groups(arm: Sample, versus: Sample) -> Finding:
    r"""Compare counts of two independent groups: the score of equal means, relabelled, and the rate ratio.

    The statistic is :math:`(S_1-n_1\bar y)^2 / \{\tfrac{n_1 n_2}{n}(\bar y+\hat\alpha\bar y^2)\}` with the dispersion
    of all animals. The difference of the means has Welch's interval.
    """
    a, b = arm.values, versus.values
    if a.min() < 0.0 or b.min() < 0.0:
        return _below_zero(rank_sum(arm, versus))
    p, how, note = p_of_groups(a, b)
    together = np.concatenate([a, b])
    mean = float(together.mean())
    variance = len(a) * len(b) / len(together) * (mean + overdispersion([together]) * mean**2)
    statistic = (float(a.sum()) - len(a) * mean) ** 2 / variance if variance > 0.0 else 0.0
    if all_equal(together):
        note, statistic = "all values equal in both arms", 0.0
    return _of_counts(a, b, welch_t(arm, versus).interval, rate_ratio(a, b), how, statistic, p, note)


def mean_pairs(arm: Sample, versus: Sample) -> Finding:
    """Compare the means of animals seen in both arms by exchanges within pairs, with the interval of the paired t test."""
    by_t = paired_t(arm, versus)
    a, b = arm.values, versus.values
    if not enough_to_exchange(len(a)) or all_equal(a - b, float(max(np.abs(a).max(), np.abs(b).max()))):
        return by_t
    return _with_p(by_t, swap_test(a - b), hedges_g_paired(a, b), _coarse(0.5 ** int((a != b).sum())))


def mean_groups(arm: Sample, versus: Sample) -> Finding:
    """Compare the means of two independent groups by relabelling, with Welch's interval."""
    by_t = welch_t(arm, versus)
    a, b = arm.values, versus.values
    if not enough_to_relabel(len(a), len(b)) or (all_equal(a) and all_equal(b)):
        return by_t
    return _with_p(by_t, two_group_test(a, b), hedges_g(a, b), "")


def time_pairs(arm: Sample, versus: Sample) -> Finding:
    r"""Compare times of animals seen in both arms by log-rank scores, exchanged within pairs.

    Each animal scores :math:`\delta_i - \hat\Lambda(t_i)`, its event minus the hazard that all animals together met
    up to its time; the sum over an arm is the log-rank test's observed minus expected. The interval of the difference
    of restricted means is that of the pairs; the hazard ratio and its interval leave the pairing out.

    Source: O'Brien PC, Fleming TR (1987) Biometrics 43:169-180; Akritas MG (1992) Commun Stat Theory 21:1463-1471.
    """
    scores = log_rank_scores(arm, versus)
    d = scores[0] - scores[1]
    p, how, note = _p_of_pairs(d)
    squares = float((d**2).sum())
    statistic = float(d.sum()) ** 2 / squares if squares > 0.0 else 0.0
    return _of_times(arm, versus, True, f"paired log-rank test{how}", statistic, p, note)


def time_groups(arm: Sample, versus: Sample) -> Finding:
    """Compare times of two independent groups by the log-rank test with the permutation distribution of its scores."""
    p, how, note = p_of_groups(*log_rank_scores(arm, versus))
    excess, variance = log_rank_score(arm, versus)
    statistic = excess**2 / variance if variance > 0.0 else 0.0
    return _of_times(arm, versus, False, f"log-rank test{how}", statistic, p, note)


def _p_of_pairs(d: Values) -> tuple[float, str, str]:
    """Two-sided p of differences, where it comes from, and what limits it."""
    if enough_to_exchange(len(d)) or all_equal(d, float(np.abs(d).max())):
        return swap_test(d), " (permutation)", _coarse(0.5 ** int(np.count_nonzero(d)))
    error = float(d.std(ddof=1)) / math.sqrt(len(d))
    return _student(float(d.mean()) / error, len(d) - 1), " (Student's t)", ""


def p_of_groups(a: Values, b: Values) -> tuple[float, str, str]:
    """Two-sided p of the scores of two groups, where it comes from, and what limits it."""
    if enough_to_relabel(len(a), len(b)) or (all_equal(a) and all_equal(b)):
        return two_group_test(a, b), " (permutation)", _coarse(1 / math.comb(len(a) + len(b), len(a)))
    freedom = len(a) + len(b) - 2
    pooled = float(((a - a.mean()) ** 2).sum() + ((b - b.mean()) ** 2).sum()) / freedom
    error = math.sqrt(pooled * (1 / len(a) + 1 / len(b)))
    return _student(float(a.mean() - b.mean()) / error, freedom), " (Student's t)", ""


def _student(statistic: float, freedom: int) -> float:
    from scipy.special import stdtr

    return float(2.0 * stdtr(freedom, -abs(statistic)))


def _coarse(least: float) -> str:
    if least <= 1 - CONFIDENCE or least == 1.0:
        return ""
    return f"with so few animals that differ this test cannot give p below {least:.2g}"


def _with_p(by_t: Finding, p: float, size: float | None, note: str) -> Finding:
    from dataclasses import replace

    return replace(by_t, test=_MEANS, statistic=by_t.effect, p=p, effect_size=size, note=join_notes(by_t.note, note))


def _below_zero(by_ranks: Finding) -> Finding:
    from dataclasses import replace

    return replace(
        by_ranks, note=join_notes("values below zero are no counts, so ranks replace their ratio", by_ranks.note)
    )


def _of_counts(
    a: Values,
    b: Values,
    interval: Interval | None,
    ratio: RateRatio | None,
    how: str,
    statistic: float,
    p: float,
    note: str,
) -> Finding:
    bounded = ratio is not None and ratio.estimate < math.inf
    return Finding(
        mean_arm=float(a.mean()),
        mean_versus=float(b.mean()),
        mean_name="mean",
        sd_arm=float(a.std(ddof=1)),
        sd_versus=float(b.std(ddof=1)),
        effect=0.0 if interval == (0.0, 0.0) else float(a.mean() - b.mean()),
        interval=interval,
        effect_size=ratio.estimate if ratio is not None and bounded else None,
        effect_size_name="rate ratio",
        effect_size_interval=None if ratio is None else ratio.interval(),
        test=_COUNTS + how,
        statistic=statistic,
        p=p,
        note=note,
    )


def _of_times(arm: Sample, versus: Sample, paired: bool, test: str, statistic: float, p: float, note: str) -> Finding:
    horizon = common_horizon([arm, versus])
    first, second = (restricted_mean(sample.values, sample.observed, horizon) for sample in (arm, versus))
    interval = _paired_interval(arm, versus, horizon, first, second) if paired else None
    ratio, ratio_interval = peto_interval(arm, versus)
    if ratio is None:
        seen = arm.observed.any() or versus.observed.any()
        note = "the events do not tell the arms apart" if seen else "no event in either arm"
    return Finding(
        mean_arm=first.mean,
        mean_versus=second.mean,
        mean_name=f"restricted mean to day {horizon:g}",
        sd_arm=first.sd,
        sd_versus=second.sd,
        effect=first.mean - second.mean,
        interval=interval or restricted_interval(first, len(arm), second, len(versus)),
        effect_size=ratio,
        effect_size_name="hazard ratio",
        effect_size_interval=ratio_interval,
        test=test,
        statistic=statistic,
        p=p,
        note=note,
    )


def _paired_interval(
    arm: Sample, versus: Sample, horizon: float, first: RestrictedMean, second: RestrictedMean
) -> Interval:
    from scipy.stats import t

    moved = influence_on_restricted_mean(arm, horizon) - influence_on_restricted_mean(versus, horizon)
    pairs = len(moved)
    reach = float(t.ppf(0.5 + CONFIDENCE / 2, pairs - 1)) * float(moved.std(ddof=1)) / math.sqrt(pairs)
    effect = first.mean - second.mean
    return effect - reach, effect + reach
