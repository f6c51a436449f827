"""The tests of one arm against another: each takes two samples and returns a complete finding.

Every function needs at least two animals in each arm (`undecided` describes smaller samples), and answers for data
without spread, on which the textbook formula divides by zero: equal arms give p = 1, and arms that differ by the same
amount in every animal are tested by ranks, because a standard error of zero is no evidence about other animals.
"""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING

import numpy as np

from paget.compare.effects import all_equal, hedges_g, hedges_g_paired, rank_biserial, rank_biserial_paired
from paget.compare.exact import rank_sum_test, signed_rank_test
from paget.compare.findings import CONFIDENCE, Finding, Interval
from paget.compare.time_to_event import (
    RestrictedMean,
    common_horizon,
    log_rank_score,
    peto_interval,
    restricted_mean,
)
from paget.compare.wording import join_notes

if TYPE_CHECKING:
    import numpy.typing as npt

    from paget.compare.outcomes import Sample

    Values = npt.NDArray[np.float64]

__all__ = ["log_rank", "paired_t", "rank_sum", "restricted_interval", "signed_rank", "undecided", "welch_t"]

_ALL_EQUAL = "all values equal in both arms"
_HEDGES = "Hedges g"
_RANK_BISERIAL = "rank-biserial correlation"
_SIGNED_RANK = "exact Wilcoxon signed-rank test"
_RANK_SUM = "exact Mann-Whitney test"


def paired_t(arm: Sample, versus: Sample) -> Finding:
    """Compare the means of animals seen in both arms by Student's paired t test, with its interval and Hedges g."""
    from scipy.stats import ttest_rel

    a, b = arm.values, versus.values
    size = hedges_g_paired(a, b)
    if all_equal(a - b, _scale(a, b)):
        if _equal_on_average(a, b):
            same = _ALL_EQUAL if all_equal(np.concatenate([a, b])) else "every animal has the same value in both arms"
            return _of_means(a, b, (0.0, 0.0), 0.0, _HEDGES, "paired t test", 0.0, 1.0, same)
        statistic, p = signed_rank_test(a - b)
        note = join_notes("every animal differs by the same amount, so ranks replace the t test", _coarse_pairs(len(a)))
        return _of_means(a, b, None, size, _HEDGES, _SIGNED_RANK, statistic, p, note)
    result = ttest_rel(a, b)
    interval = _pair(result.confidence_interval(CONFIDENCE))
    return _of_means(a, b, interval, size, _HEDGES, "paired t test", float(result.statistic), float(result.pvalue))


def welch_t(arm: Sample, versus: Sample) -> Finding:
    """Compare the means of two independent groups by Welch's t test, with its interval and Hedges g."""
    a, b = arm.values, versus.values
    size = hedges_g(a, b)
    if all_equal(a) and all_equal(b):
        if _equal_on_average(a, b):
            return _of_means(a, b, (0.0, 0.0), 0.0, _HEDGES, "Welch t test", 0.0, 1.0, _ALL_EQUAL)
        statistic, p = rank_sum_test(a, b)
        note = join_notes("no spread within either arm, so ranks replace the t test", _coarse_groups(len(a), len(b)))
        return _of_means(a, b, None, size, _HEDGES, _RANK_SUM, statistic, p, note)
    statistic, p, interval = _welch(a, b)
    return _of_means(a, b, interval, size, _HEDGES, "Welch t test", statistic, p)


def signed_rank(arm: Sample, versus: Sample) -> Finding:
    """Compare counts of animals seen in both arms by the exact signed-rank test.

    The effect is the difference of the mean counts, which is what a table of a paper shows; its interval is that of the
    paired t test. A bootstrap is not used, because with ten animals its intervals are too short.
    """
    from scipy.stats import ttest_rel

    a, b = arm.values, versus.values
    differing = int((a != b).sum())
    if differing == 0:
        same = _ALL_EQUAL if all_equal(np.concatenate([a, b])) else "every animal has the same value in both arms"
        return _of_means(a, b, (0.0, 0.0), 0.0, _RANK_BISERIAL, _SIGNED_RANK, 0.0, 1.0, same)
    statistic, p = signed_rank_test(a - b)
    interval = None if all_equal(a - b, _scale(a, b)) else _pair(ttest_rel(a, b).confidence_interval(CONFIDENCE))
    equal = len(a) - differing
    left_out = f"{equal} {'pair' if equal == 1 else 'pairs'} without a difference not ranked" if equal else ""
    note = join_notes(left_out, _coarse_pairs(differing))
    return _of_means(a, b, interval, rank_biserial_paired(a, b), _RANK_BISERIAL, _SIGNED_RANK, statistic, p, note)


def rank_sum(arm: Sample, versus: Sample) -> Finding:
    """Compare counts of two independent groups by the exact Mann-Whitney test; the interval is Welch's."""
    a, b = arm.values, versus.values
    if all_equal(np.concatenate([a, b])):
        return _of_means(a, b, (0.0, 0.0), 0.0, _RANK_BISERIAL, _RANK_SUM, 0.0, 1.0, _ALL_EQUAL)
    statistic, p = rank_sum_test(a, b)
    flat = all_equal(a) and all_equal(b)
    interval = None if flat else _welch(a, b)[2]
    note = _coarse_groups(len(a), len(b))
    return _of_means(a, b, interval, rank_biserial(a, b), _RANK_BISERIAL, _RANK_SUM, statistic, p, note)


def log_rank(arm: Sample, versus: Sample) -> Finding:
    """Compare times to an event by the log-rank test, with the difference of restricted means and Peto's hazard ratio.

    The restricted means run to the last day up to which both curves are known. Their interval uses Welch's degrees of
    freedom, so that without censoring it is Welch's interval of the means. This test, of the chi-squared
    distribution, does not use that the animals are pairs; with ten animals in an arm it raises somewhat too many
    false alarms.
    """
    from scipy.stats import chi2

    horizon = common_horizon([arm, versus])
    first = restricted_mean(arm.values, arm.observed, horizon)
    second = restricted_mean(versus.values, versus.observed, horizon)
    excess, variance = log_rank_score(arm, versus)
    ratio, ratio_interval = peto_interval(arm, versus)
    statistic, note = 0.0, ""
    if variance > 0:
        statistic = excess**2 / variance
    elif arm.observed.any() or versus.observed.any():
        note = "the events do not tell the arms apart"
    else:
        note = "no event in either arm"
    return Finding(
        mean_arm=first.mean,
        mean_versus=second.mean,
        mean_name=f"restricted mean to day {horizon:g}",
        sd_arm=first.sd,
        sd_versus=second.sd,
        effect=first.mean - second.mean,
        interval=restricted_interval(first, len(arm), second, len(versus)),
        effect_size=ratio,
        effect_size_name="hazard ratio",
        effect_size_interval=ratio_interval,
        test="log-rank test",
        statistic=statistic,
        p=float(chi2.sf(statistic, 1)),
        note=note,
    )


def undecided(arm: Sample, versus: Sample, timed: bool) -> Finding:
    """Describe two samples of which one has fewer than two animals: what is known of them, and no p-value."""
    known = [None if timed or len(sample) == 0 else float(sample.values.mean()) for sample in (arm, versus)]
    spread = [None if timed or len(sample) < 2 else float(sample.values.std(ddof=1)) for sample in (arm, versus)]
    return Finding(
        mean_arm=known[0],
        mean_versus=known[1],
        mean_name="restricted mean" if timed else "mean",
        sd_arm=spread[0],
        sd_versus=spread[1],
        effect=None if known[0] is None or known[1] is None else known[0] - known[1],
        interval=None,
        effect_size=None,
        effect_size_name="",
        test="no test",
        statistic=None,
        p=None,
        note="a test needs at least 2 animals in each arm",
    )


def _welch(a: Values, b: Values) -> tuple[float, float, Interval]:
    from scipy.stats import ttest_ind

    with warnings.catch_warnings():
        # One arm in which all animals are equal is a finding here, not a loss of precision.
        warnings.filterwarnings("ignore", message="Precision loss occurred", category=RuntimeWarning)
        result = ttest_ind(a, b, equal_var=False)
        return float(result.statistic), float(result.pvalue), _pair(result.confidence_interval(CONFIDENCE))


def _of_means(
    a: Values,
    b: Values,
    interval: Interval | None,
    size: float | None,
    size_name: str,
    test: str,
    statistic: float,
    p: float,
    note: str = "",
) -> Finding:
    mean_a, mean_b = float(a.mean()), float(b.mean())
    effect = 0.0 if interval == (0.0, 0.0) else mean_a - mean_b
    spread = (float(a.std(ddof=1)), float(b.std(ddof=1)))
    return Finding(mean_a, mean_b, "mean", *spread, effect, interval, size, size_name, test, statistic, p, note)


def restricted_interval(
    first: RestrictedMean, n_first: int, second: RestrictedMean, n_second: int, confidence: float = CONFIDENCE
) -> Interval:
    """Interval of the difference of two restricted means, with Welch's degrees of freedom."""
    from scipy.stats import t

    assert first.standard_error is not None
    assert second.standard_error is not None
    one, two = first.standard_error**2, second.standard_error**2
    effect = first.mean - second.mean
    if one + two == 0.0:
        return effect, effect
    freedom = (one + two) ** 2 / (one**2 / (n_first - 1) + two**2 / (n_second - 1))
    reach = float(t.ppf(0.5 + confidence / 2, freedom)) * math.sqrt(one + two)
    return effect - reach, effect + reach


def _pair(interval: tuple[float, float]) -> Interval:
    return float(interval[0]), float(interval[1])


def _scale(a: Values, b: Values) -> float:
    return float(max(np.abs(a).max(), np.abs(b).max()))


def _equal_on_average(a: Values, b: Values) -> bool:
    return all_equal(np.array([a.mean(), b.mean()]))


def _coarse_pairs(pairs: int) -> str:
    return _coarse(2 / 2**pairs)


def _coarse_groups(n_arm: int, n_versus: int) -> str:
    return _coarse(2 / math.comb(n_arm + n_versus, n_arm))


def _coarse(least: float) -> str:
    if least <= 1 - CONFIDENCE:
        return ""
    return f"with so few animals this test cannot give p below {min(1.0, least):.2g}"
