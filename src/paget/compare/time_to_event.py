"""Times to an event that some animals never reach: restricted means, log-rank scores and hazard ratios."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from paget.compare.findings import CONFIDENCE

if TYPE_CHECKING:
    import numpy.typing as npt

    from paget.compare.outcomes import Sample

    Values = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]

__all__ = [
    "RestrictedMean",
    "at_risk_and_events",
    "common_horizon",
    "influence_on_restricted_mean",
    "log_rank_score",
    "log_rank_scores",
    "peto_hazard_ratio",
    "peto_interval",
    "restricted_mean",
]


@dataclass(frozen=True)
class RestrictedMean:
    """Mean time without the event up to a horizon, the spread between animals, and the standard error of the mean."""

    mean: float
    sd: float | None
    standard_error: float | None


def restricted_mean(times: Values, observed: Flags, horizon: float) -> RestrictedMean:
    r"""Average the event-free time up to a horizon: the area under the Kaplan-Meier curve.

    .. math:: \mu = \int_0^\tau \hat S(t)\,dt, \qquad
              \widehat{\mathrm{var}}(\mu) = \frac{n}{n-1}\sum_{t_j \le \tau} \frac{d_j}{n_j (n_j - d_j)}
              \Big(\int_{t_j}^{\tau} \hat S\Big)^2

    Parameters
    ----------
    times, observed : event times, or censoring times where `observed` is False.
    horizon : the end :math:`\tau` of the period, no later than the curve is known.

    Notes
    -----
    *Assumes* censoring that tells nothing about the event. *Differs from* the common estimate by the factor
    :math:`n/(n-1)`, with which it is the ordinary squared standard error of a mean when nothing is censored.

    Source: Kaplan EL, Meier P (1958) J Am Stat Assoc 53:457-481, sect. 6; Royston P, Parmar MKB (2013) BMC Med Res
    Methodol 13:152.
    """
    _, at_risk, events, edges, curve, areas = _steps(times, observed, horizon)
    mean = float(areas.sum())
    n = len(times)
    if n < 2:
        return RestrictedMean(mean, None, None)
    remaining = np.cumsum(areas[:0:-1])[::-1]
    left = at_risk - events
    # Where nobody is left the curve is zero, and so is the area that the term would weigh.
    terms = np.divide(events * remaining**2, at_risk * left, out=np.zeros_like(remaining), where=left > 0)
    small = n / (n - 1)
    second_moment = float((np.diff(edges**2) * curve).sum())
    sd = math.sqrt(small * max(0.0, second_moment - mean**2))
    return RestrictedMean(mean, sd, math.sqrt(small * float(terms.sum())))


def influence_on_restricted_mean(sample: Sample, horizon: float) -> Values:
    r"""How much each animal moves the restricted mean of its arm, [animals] in days, zero on average.

    It is the derivative of the area under the curve to the weight of an animal, times their number; when nothing is
    censored, the animal's own (restricted) time minus the mean.

    Source: Efron B (1982) The Jackknife, ch. 6 (infinitesimal jackknife).
    """
    days, at_risk, events, _, _, areas = _steps(sample.values, sample.observed, horizon)
    remaining = np.cumsum(areas[:0:-1])[::-1]
    left = at_risk - events
    # Where nobody is left the curve is zero, and so is the area that the term would weigh.
    met = np.divide(remaining * events, at_risk * left, out=np.zeros_like(remaining), where=left > 0)
    own = np.divide(remaining, left, out=np.zeros_like(remaining), where=left > 0)
    # Days up to and with the animal's own: it was at risk on them, and on the last it may have had its event.
    upto = np.searchsorted(days, sample.values, side="right")
    influence = np.concatenate([[0.0], np.cumsum(met)])[upto]
    had = sample.observed & (upto > 0) & (sample.values < horizon)
    influence[had] -= own[upto[had] - 1]
    return influence * len(sample)


def _steps(times: Values, observed: Flags, horizon: float) -> tuple[Values, Values, Values, Values, Values, Values]:
    """Days of events before the horizon, animals at risk and events on them; edges of the steps, their heights and areas."""
    days = np.unique(times[observed & (times < horizon)])
    at_risk, events = at_risk_and_events(times, observed, days)
    curve = np.concatenate([[1.0], np.cumprod(1 - events / at_risk)])
    edges = np.concatenate([[0.0], days, [horizon]])
    return days, at_risk, events, edges, curve, np.diff(edges) * curve


def at_risk_and_events(times: Values, observed: Flags, days: Values) -> tuple[Values, Values]:
    """Count animals without the event just before each of the ordered `days`, and events on them."""
    every, seen = np.sort(times), np.sort(times[observed])
    at_risk = len(every) - np.searchsorted(every, days, side="left")
    events = np.searchsorted(seen, days, side="right") - np.searchsorted(seen, days, side="left")
    return at_risk.astype(np.float64), events.astype(np.float64)


def common_horizon(samples: list[Sample]) -> float:
    """Find the last day up to which every arm's curve is known.

    A curve that ends in a censored animal is known up to that day; one that has reached zero is known for ever. If all
    have reached zero, it is the day of the last event.
    """
    last = [float(sample.values.max()) for sample in samples]
    open_ended = [
        day for day, sample in zip(last, samples, strict=True) if not sample.observed[sample.values == day].all()
    ]
    return min(open_ended) if open_ended else max(last)


def log_rank_score(arm: Sample, versus: Sample) -> tuple[float, float]:
    r"""Count the events in `arm` beyond those expected from one common hazard; returns :math:`O-E` and its variance.

    .. math:: O - E = \sum_j \Big(d_{1j} - d_j\frac{n_{1j}}{n_j}\Big),\qquad
              V = \sum_j \frac{d_j\,n_{1j}\,n_{2j}\,(n_j-d_j)}{n_j^2\,(n_j-1)}

    Source: Mantel N (1966) Cancer Chemother Rep 50:163-170; Peto R, Peto J (1972) J R Stat Soc A 135:185-207.
    """
    days = np.unique(np.concatenate([arm.values[arm.observed], versus.values[versus.observed]]))
    n_arm, d_arm = at_risk_and_events(arm.values, arm.observed, days)
    n_versus, d_versus = at_risk_and_events(versus.values, versus.observed, days)
    n_all, d_all = n_arm + n_versus, d_arm + d_versus
    excess = d_arm - d_all * n_arm / n_all
    variance = d_all * n_arm * (n_all - n_arm) * (n_all - d_all) / (n_all**2 * np.maximum(n_all - 1, 1))
    return float(excess.sum()), float(variance.sum())


def log_rank_scores(arm: Sample, versus: Sample) -> tuple[Values, Values]:
    r"""Score each animal by its event minus the hazard met up to its time: :math:`\delta_i-\sum_{t_j\le t_i} d_j/n_j`.

    The scores of all animals sum to zero, those of an arm to its observed minus expected events.

    Source: Prentice RL (1978) Biometrika 65:167-179.
    """
    times, observed = np.concatenate([arm.values, versus.values]), np.concatenate([arm.observed, versus.observed])
    days = np.unique(times[observed])
    at_risk, events = at_risk_and_events(times, observed, days)
    met = np.concatenate([[0.0], np.cumsum(events / at_risk)])
    scores = observed - met[np.searchsorted(days, times, side="right")]
    return scores[: len(arm)], scores[len(arm) :]


def peto_hazard_ratio(arm: Sample, versus: Sample) -> float | None:
    r"""Estimate the ratio of event rates, `arm` over `versus`, from the log-rank score: :math:`\exp((O-E)/V)`.

    It is finite when an arm has no event at all, where a proportional-hazards fit diverges, and it lies on the same
    side of 1 as the log-rank test. *Leaves out*: where it is far from 1 it is biased towards 1.

    Returns None if the events carry no information on the difference (V = 0).

    Source: Yusuf S et al (1985) Prog Cardiovasc Dis 27:335-371; Berry G et al (1991) Stat Med 10:749-755.
    """
    excess, variance = log_rank_score(arm, versus)
    return math.exp(excess / variance) if variance > 0 else None


def peto_interval(
    arm: Sample, versus: Sample, confidence: float = CONFIDENCE
) -> tuple[float | None, tuple[float, float] | None]:
    r"""Give Peto's hazard ratio with its interval :math:`\exp\{(O-E)/V \pm z/\sqrt V\}`; None twice if V = 0."""
    from scipy.special import ndtri

    excess, variance = log_rank_score(arm, versus)
    if variance <= 0.0:
        return None, None
    reach = float(ndtri(0.5 + confidence / 2)) / math.sqrt(variance)
    middle = excess / variance
    return math.exp(middle), (math.exp(middle - reach), math.exp(middle + reach))
