"""Ratios of counts between arms, with intervals from a negative binomial likelihood, for few animals and many zeros."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from paget.compare.findings import CONFIDENCE, Interval

if TYPE_CHECKING:
    import numpy.typing as npt

    Values = npt.NDArray[np.float64]

__all__ = ["RateRatio", "overdispersion", "rate_ratio", "rate_ratio_paired", "several_count_deviances"]

# Ratios beyond e^60 either way are taken as unbounded.
_WIDEST = 60.0


@dataclass(frozen=True)
class RateRatio:
    """Ratio of the mean counts, `arm` over `versus`.

    Attributes
    ----------
    estimate : ratio of the means; 0 or infinite if one arm has no count at all.
    dispersion : extra-Poisson variation: of groups alpha in var = mu + alpha mu^2, of pairs the variance of an arm's
        share of the pair's total over its binomial one.
    freedom : degrees of freedom that are left to estimate it.
    root : signed root of the likelihood ratio against a given log ratio, referred to Student's t.
    """

    estimate: float
    dispersion: float
    freedom: int
    root: Callable[[float], float]

    def interval(self, confidence: float = CONFIDENCE) -> Interval:
        """Ratios that the likelihood does not reject; infinite where an arm without counts leaves it open."""
        from scipy.optimize import brentq
        from scipy.stats import t

        reach = float(t.ppf(0.5 + confidence / 2, self.freedom))
        middle = math.log(self.estimate) if 0.0 < self.estimate < math.inf else 0.0
        ends = []
        for side in (-1.0, 1.0):
            if (side < 0.0 and self.estimate == 0.0) or (side > 0.0 and self.estimate == math.inf):
                ends.append(0.0 if side < 0.0 else math.inf)
                continue
            # Where an arm has no count the likelihood has no top, and the search begins beyond the far end.
            start = middle if 0.0 < self.estimate < math.inf else -side * _WIDEST
            far = side * _WIDEST
            if side * self.root(far) < reach:
                ends.append(0.0 if side < 0.0 else math.inf)
                continue
            beyond = _minus(self.root, side * reach)
            ends.append(math.exp(brentq(beyond, min(start, far), max(start, far))))
        return ends[0], ends[1]

    def p_below(self, ratio: float) -> float:
        """One-sided p-value of the hypothesis that the true ratio is `ratio` or more: small if the data lie below it."""
        from scipy.stats import t

        return float(t.sf(self.root(math.log(ratio)), self.freedom))


def overdispersion(groups: list[Values]) -> float:
    r"""Estimate :math:`\alpha` in :math:`\mathrm{var} = \mu + \alpha\mu^2`, one for all groups, from Pearson's
    statistic.

    .. math:: \sum_g \sum_i \frac{(y_{gi}-\bar y_g)^2}{\bar y_g + \alpha \bar y_g^2} = \sum_g (n_g - 1)

    It is zero (the Poisson limit) where the counts vary no more than Poisson's.

    Source: Breslow NE (1984) Appl Stat 33:38-44.
    """
    from scipy.optimize import brentq

    known = [(float(((g - g.mean()) ** 2).sum()), float(g.mean())) for g in groups if g.mean() > 0.0]
    freedom = sum(len(g) - 1 for g in groups if g.mean() > 0.0)
    if freedom == 0:
        return 0.0

    def beyond(alpha: float) -> float:
        return sum(squares / (mean + alpha * mean**2) for squares, mean in known) - freedom

    if beyond(0.0) <= 0.0:
        return 0.0
    high = max(squares / mean**2 for squares, mean in known)
    return float(brentq(beyond, 0.0, max(high, 1.0) * len(known)))


def rate_ratio(arm: Values, versus: Values) -> RateRatio | None:
    r"""Compare the mean counts of two independent groups; None if there is no count at all.

    The interval holds the ratios :math:`\theta` that the likelihood ratio does not reject,

    .. math:: 2\{\ell(\bar y_1, \bar y_2) - \ell(\theta \hat m, \hat m)\} \le t^2_{0.975,\,n_1+n_2-2},\qquad
              \ell = \sum_{g,i} y_{gi}\log\frac{\mu_g}{1+\alpha\mu_g} - \tfrac1\alpha\log(1+\alpha\mu_g),

    with the dispersion at its estimate and Student's t for that being one.

    *Assumes* one dispersion in both arms. Source: Lawless JF (1987) Can J Stat 15:209-225.
    """
    total = float(arm.sum() + versus.sum())
    if total <= 0.0:
        return None
    n, m = len(arm), len(versus)
    mean_arm, mean_versus = float(arm.mean()), float(versus.mean())
    alpha = overdispersion([arm, versus])

    def deviance(log_ratio: float) -> float:
        theta = math.exp(log_ratio)
        common = _common_mean(n, mean_arm, m, mean_versus, theta, alpha)
        best = n * _likelihood(mean_arm, mean_arm, alpha) + m * _likelihood(mean_versus, mean_versus, alpha)
        held = n * _likelihood(mean_arm, theta * common, alpha) + m * _likelihood(mean_versus, common, alpha)
        return max(0.0, 2.0 * (best - held))

    estimate = mean_arm / mean_versus if mean_versus > 0.0 else math.inf
    return RateRatio(estimate, alpha, n + m - 2, _signed(deviance, estimate))


def rate_ratio_paired(arm: Values, versus: Values) -> RateRatio | None:
    r"""Compare the mean counts of animals seen in both arms; None if there is no count at all.

    Given a pair's total :math:`N_i`, whatever the animal, the arm's share is :math:`\pi = \theta/(1+\theta)`. The
    interval holds the ratios that the binomial likelihood ratio of the totals does not reject, divided by the
    dispersion of the shares,

    .. math:: \phi = \frac{n}{n-1}\,\frac{\sum_i (y_i - N_i\hat\pi)^2}{\hat\pi(1-\hat\pi)\sum_i N_i},

    which is at least 1 (the Poisson limit), and referred to Student's t.

    *Differs from* the truth, on the safe side, where shared chance makes pairs more alike than two Poisson counts are.

    Source: McCullagh P, Nelder JA (1989) Generalized Linear Models, sect. 4.5 and 9.2.
    """
    totals = arm + versus
    total, in_arm = float(totals.sum()), float(arm.sum())
    if total <= 0.0:
        return None
    n, share = len(arm), in_arm / total
    binomial = share * (1.0 - share) * total
    spread = float(((arm - share * totals) ** 2).sum()) / binomial if binomial > 0.0 else 0.0
    phi = max(1.0, spread * n / (n - 1))

    def deviance(log_ratio: float) -> float:
        log_share, log_rest = -math.log1p(math.exp(-log_ratio)), -math.log1p(math.exp(log_ratio))
        best = _x_log(in_arm, share) + _x_log(total - in_arm, 1.0 - share)
        return max(0.0, 2.0 * (best - in_arm * log_share - (total - in_arm) * log_rest) / phi)

    estimate = in_arm / (total - in_arm) if in_arm < total else math.inf
    return RateRatio(estimate, phi, n - 1, _signed(deviance, estimate))


def several_count_deviances(values: Values, sizes: list[int]) -> Values:
    r"""Twice the log-likelihood that means of their own gain over one common mean, for each row of `values` [draws,
    animals].

    The arms stand one after the other, `sizes` animals each; the dispersion is that of the animals of the first row
    together (a relabelling does not change it).

    .. math:: 2\sum_g n_g\{\ell(\bar y_g) - \ell_g(\bar y)\}
    """
    alpha = overdispersion([values[0]])
    edges = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    means = np.add.reduceat(values, edges, axis=1) / np.array(sizes)
    common = float(values[0].mean())
    with np.errstate(divide="ignore", invalid="ignore"):
        gained = np.where(means > 0.0, means * np.log(means / common), 0.0)
    if alpha * common < 1e-8:
        gained -= means - common
    else:
        gained -= (means + 1.0 / alpha) * np.log1p(alpha * (means - common) / (1.0 + alpha * common))
    return np.asarray(np.maximum(2.0 * (gained * np.array(sizes)).sum(axis=1), 0.0))


def _minus(root: Callable[[float], float], wanted: float) -> Callable[[float], float]:
    return lambda log_ratio: root(log_ratio) - wanted


def _signed(deviance: Callable[[float], float], estimate: float) -> Callable[[float], float]:
    def root(log_ratio: float) -> float:
        return math.copysign(math.sqrt(deviance(log_ratio)), math.exp(log_ratio) - estimate)

    return root


def _likelihood(mean: float, mu: float, alpha: float) -> float:
    """Log-likelihood per animal, without what does not depend on `mu`."""
    if alpha * mu < 1e-8:
        return _x_log(mean, mu) - mu - alpha * (mean * mu - mu * mu / 2.0)
    return _x_log(mean, mu) - (mean + 1.0 / alpha) * math.log1p(alpha * mu)


def _common_mean(n: int, mean_arm: float, m: int, mean_versus: float, theta: float, alpha: float) -> float:
    """The mean of `versus` at which the likelihood is highest if `arm` has theta times it: a root of a quadratic."""
    a = alpha * theta * (n + m)
    b = n * theta + m - alpha * (n * mean_arm + m * theta * mean_versus)
    c = n * mean_arm + m * mean_versus
    root = math.sqrt(b * b + 4.0 * a * c)
    return 2.0 * c / (b + root) if b >= 0.0 else (root - b) / (2.0 * a)


def _x_log(x: float, y: float) -> float:
    return x * math.log(y) if x > 0.0 else 0.0
