"""Survival curves of several arms, with bands, animals at risk and log-rank tests."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from paget.compare.contrasts import holm
from paget.compare.findings import CONFIDENCE
from paget.compare.outcomes import EMPTY, Sample, gather, read_readout
from paget.compare.permuted_arms import p_of_groups
from paget.compare.time_to_event import log_rank_score, log_rank_scores, peto_hazard_ratio
from paget.compare.wording import join_notes
from paget.errors import ResultError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LogRank", "SurvivalCurve", "SurvivalCurves", "several_log_rank", "survival"]

# Intervals of a time axis that people read easily: days, weeks and months.
_SHORT = (0.25, 0.5, 1, 2, 3, 5, 7, 10, 14, 20, 28, 30, 50, 60, 90, 100, 180, 200, 365)
_ROUND_DAYS = (*_SHORT, *(365.25 * years for years in (1, 2, 5, 10, 20)))
_MOST_INTERVALS = 6
# A product of fractions that is one half may come out above it by rounding.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class SurvivalCurve:
    """Share of an arm still without the event, as steps: `survival[i]` holds from `days[i]` to `days[i + 1]`.

    Attributes
    ----------
    arm, n, events : the arm, its animals, and how many had the event before the horizon.
    days, survival, low, high : steps from day 0 to the last day the arm was followed, with the 95 % band of each.
    censored : days on which an animal without the event left the study before the horizon.
    at_risk : animals without the event just before each of `SurvivalCurves.risk_days`.
    median : first day on which no more than half are without the event; None if that is not reached.
    """

    arm: str
    n: int
    events: int
    days: tuple[float, ...]
    survival: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    censored: tuple[float, ...]
    at_risk: tuple[int, ...]
    median: float | None


@dataclass(frozen=True)
class LogRank:
    """Log-rank test of two arms, p by relabelling; `hazard_ratio` (Peto) is `arm` over `versus`, `p_adjusted` is Holm's."""

    arm: str
    versus: str
    hazard_ratio: float | None
    statistic: float
    p: float
    p_adjusted: float


@dataclass(frozen=True)
class SurvivalCurves:
    """Curves of all arms, the tests of every pair and the test of all arms at once (None with fewer than two arms)."""

    readout: str
    title: str
    unit: str
    horizon_days: float
    risk_days: tuple[float, ...]
    curves: tuple[SurvivalCurve, ...]
    pairs: tuple[LogRank, ...]
    statistic: float | None
    p: float | None
    note: str


def survival(
    outcomes: pd.DataFrame, readout: Mapping[str, Any], arms: Sequence[str], horizon_days: float
) -> SurvivalCurves:
    r"""Estimate for each arm the share of animals still without an event over time (Kaplan-Meier).

    Animals that had no event by the horizon are censored there. Bands are exponential Greenwood (log-log) bands, which
    stay within 0 and 1; before the first event, and after the last animal, they have no width.

    Parameters
    ----------
    outcomes : one row per arm, animal and readout, as for `compare`.
    readout : a readout of kind "time".
    arms : the arms to show, in their order; one without animals is left out and named in the note.
    horizon_days : the last day shown, usually the end of the study.

    Raises
    ------
    ResultError
        If the readout is no time, or the horizon is not positive.

    Notes
    -----
    *Leaves out* that animals of one number are the same animal in every arm; if they resemble each other, the log-rank
    tests are conservative.

    Source: Kaplan EL, Meier P (1958) J Am Stat Assoc 53:457-481; Kalbfleisch JD, Prentice RL (2002) sect. 1.4.1.
    """
    described = read_readout(readout)
    if described.kind != "time":
        raise ResultError(f"'{described.name}' is a {described.kind}; survival curves need a readout of kind 'time'.")
    if not (math.isfinite(horizon_days) and horizon_days > 0):
        raise ResultError(f"A horizon of {horizon_days:g} days was given; survival curves need one above 0.")
    gathered = gather(outcomes, [described])
    samples = {arm: _until(gathered.get((described.name, arm), EMPTY), horizon_days) for arm in arms}
    shown = {arm: sample for arm, sample in samples.items() if len(sample)}
    notes = [f"no animal with a value in '{arm}'" for arm in arms if arm not in shown]
    notes += [f"{s.missing} missing in '{arm}' left out" for arm, s in shown.items() if s.missing]
    risk_days = _risk_days(horizon_days)
    statistic, p = several_log_rank(list(shown.values())) if len(shown) > 1 else (None, None)
    return SurvivalCurves(
        readout=described.name,
        title=described.title,
        unit=described.unit,
        horizon_days=float(horizon_days),
        risk_days=risk_days,
        curves=tuple(_curve(arm, sample, horizon_days, risk_days) for arm, sample in shown.items()),
        pairs=_pairs(shown),
        statistic=statistic,
        p=p,
        note=join_notes(*notes),
    )


def several_log_rank(samples: Sequence[Sample]) -> tuple[float, float]:
    """Test whether arms have one hazard; returns the statistic and p (0 and 1 if no event tells them apart)."""
    from lifelines.statistics import multivariate_logrank_test

    informative = any(log_rank_score(one, other)[1] > 0 for one, other in combinations(samples, 2))
    if not informative:
        return 0.0, 1.0
    result = multivariate_logrank_test(
        np.concatenate([sample.values for sample in samples]),
        np.concatenate([np.full(len(sample), i) for i, sample in enumerate(samples)]),
        np.concatenate([sample.observed for sample in samples]),
    )
    return float(result.test_statistic), float(result.p_value)


def _two_log_rank(arm: Sample, versus: Sample) -> tuple[float, float]:
    """Chi-squared of two arms, and p as `compare` gives it for independent groups, by relabelling."""
    statistic, p = several_log_rank([arm, versus])
    return statistic, p if min(len(arm), len(versus)) < 2 else p_of_groups(*log_rank_scores(arm, versus))[0]


def _until(sample: Sample, horizon: float) -> Sample:
    late = sample.values > horizon
    values = np.where(late, horizon, sample.values)
    return Sample(sample.animals, values, sample.observed & ~late, sample.missing)


def _curve(arm: str, sample: Sample, horizon: float, risk_days: tuple[float, ...]) -> SurvivalCurve:
    from lifelines import KaplanMeierFitter

    fit = KaplanMeierFitter(alpha=1 - CONFIDENCE).fit(sample.values, sample.observed)
    curve = fit.survival_function_.iloc[:, 0].to_numpy(np.float64)
    band = fit.confidence_interval_.to_numpy(np.float64)
    days = fit.survival_function_.index.to_numpy(np.float64)
    half = days[curve <= 0.5 + _ROUNDING]
    left = sample.values[~sample.observed & (sample.values < horizon)]
    return SurvivalCurve(
        arm=arm,
        n=len(sample),
        events=int(sample.observed.sum()),
        days=tuple(days.tolist()),
        survival=tuple(curve.tolist()),
        low=tuple(band.min(axis=1).tolist()),
        high=tuple(band.max(axis=1).tolist()),
        censored=tuple(np.sort(left).tolist()),
        at_risk=tuple(int((sample.values >= day).sum()) for day in risk_days),
        median=float(half[0]) if len(half) else None,
    )


def _pairs(samples: Mapping[str, Sample]) -> tuple[LogRank, ...]:
    pairs = [(later, earlier) for earlier, later in combinations(samples, 2)]
    tests = [_two_log_rank(samples[arm], samples[versus]) for arm, versus in pairs]
    adjusted = holm([p for _, p in tests])
    return tuple(
        LogRank(arm, versus, peto_hazard_ratio(samples[arm], samples[versus]), statistic, p, p if q is None else q)
        for (arm, versus), (statistic, p), q in zip(pairs, tests, adjusted, strict=True)
    )


def _risk_days(horizon: float) -> tuple[float, ...]:
    fitting = [step for step in _ROUND_DAYS if horizon / step <= _MOST_INTERVALS]
    step = fitting[0] if fitting else horizon / _MOST_INTERVALS
    return tuple(float(i * step) for i in range(math.floor(horizon / step + 1e-9) + 1))
