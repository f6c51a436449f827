"""The statement that two arms do not differ by more than so much, which a test that found no difference does not make."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from paget.compare.findings import Interval
from paget.compare.outcomes import EMPTY, Kind, Sample, gather, partners, read_readout
from paget.compare.rate_ratio import rate_ratio, rate_ratio_paired
from paget.compare.time_to_event import common_horizon, influence_on_restricted_mean, log_rank_score, restricted_mean
from paget.compare.wording import join_notes, p_in_words, with_decimals
from paget.errors import ResultError, UnknownNameError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Equivalence", "equivalence"]

Scale = Literal["difference", "ratio"]

# Two one-sided tests at 5 % each are an interval of 90 %.
_CONFIDENCE = 0.90
_ALPHA = (1.0 - _CONFIDENCE) / 2.0


@dataclass(frozen=True)
class Equivalence:
    """Whether two arms differ by less than a margin, by two one-sided tests.

    Attributes
    ----------
    readout, title, unit, kind, arm, versus : what was compared.
    n_arm, n_versus : animals that entered the test (complete pairs if `paired`).
    scale : "difference" (of means, of restricted means of times) or "ratio" (of mean counts, of hazards).
    margin : the largest effect that does not matter: plus or minus it, or for a ratio between 1 / margin and margin.
    estimate, interval : the effect and its 90 % interval.
    bound : the smallest margin that the data would have shown: "no effect larger than".
    p : the larger of the two one-sided p-values; None where no test is possible.
    equivalent : whether p is below 0.05, that is, whether the 90 % interval lies within the margin.
    test, paired, note, failed_arm, failed_versus : as of `Comparison`.
    """

    readout: str
    title: str
    unit: str
    kind: Kind
    arm: str
    versus: str
    n_arm: int
    n_versus: int
    scale: Scale
    margin: float
    estimate: float | None
    interval: Interval | None
    bound: float | None
    p: float | None
    equivalent: bool
    test: str
    paired: bool
    note: str
    failed_arm: int = 0
    failed_versus: int = 0

    def sentence(self) -> str:
        """Write the finding as a paper would report it."""
        text = f"{self.title}, {self.arm} versus {self.versus}: "
        ratio = self.scale == "ratio"
        unit = f" {self.unit}" if self.unit and not ratio else ""
        if self.interval is None or self.bound is None:
            text += "no bound of the effect can be given"
        else:
            low, high = self.interval
            decimals = 2 if ratio else with_decimals((high - low) / 2 or self.bound)
            shown = f"{low:z.{decimals}f} to {high:z.{decimals}f}"
            bound = f"a ratio of {self.bound:.{decimals}f} either way" if ratio else f"{self.bound:.{decimals}f}{unit}"
            known = math.isfinite(self.bound)
            text += f"no effect larger than {bound}" if known else "the effect has no bound"
            text += f" (90 % CI {shown})"
        text += f", {'equivalent' if self.equivalent else 'equivalence not shown'} at a margin of {self.margin:g}{unit}"
        text += f", {self.test}, " + (
            f"n = {self.n_arm} pairs" if self.paired else f"n = {self.n_arm} and {self.n_versus}"
        )
        told = [(self.failed_arm, self.arm), (self.failed_versus, self.versus)]
        lost = " and ".join(f"{number} of '{arm}'" for number, arm in told if number > 0)
        text += f", failed and missing: {lost}" if lost else ""
        text += ", no p-value" if self.p is None else f", p {p_in_words(self.p)}"
        return f"{text} ({self.note})" if self.note else text

    def __str__(self) -> str:
        return self.sentence()


def equivalence(
    outcomes: pd.DataFrame,
    readout: Mapping[str, Any],
    contrast: tuple[str, str],
    margin: float,
    paired: bool = True,
    *,
    scale: Scale | None = None,
    failed: Mapping[str, int] | None = None,
) -> Equivalence:
    r"""Show that an arm differs from another by less than a margin: two one-sided tests (TOST).

    .. math:: p = \max\{P(T < \tfrac{\hat\Delta-\delta}{s}),\; P(T > \tfrac{\hat\Delta+\delta}{s})\}

    Parameters
    ----------
    outcomes, readout : as for `compare`, with one readout.
    contrast : the pair (arm, versus).
    margin : the largest effect that does not matter, chosen before looking at the data. In the unit of the readout
        for the scale "difference"; above 1 for "ratio".
    paired : whether animals of one number are the same animal.
    scale : "difference" of means (for times: of restricted means), or "ratio" of mean counts or, for times, of
        hazards. The default is the ratio for counts and the difference for all other kinds.
    failed : for each arm the animals that failed.

    Raises
    ------
    ResultError
        If the margin is not above 0 (a ratio: not above 1), or the kind has no ratio.
    UnknownNameError
        If there is no such scale.

    Notes
    -----
    Tests are Student's t: of means as in `compare`, of ratios of counts by the signed root of the negative binomial
    likelihood ratio; of hazards by the normal distribution, without pairing. Source: Schuirmann DJ (1987) J
    Pharmacokinet Biopharm 15:657-680.

    Examples
    --------
    >>> import pandas as pd
    >>> counts = {"control": [9, 12, 8, 11, 10, 14], "treated": [10, 11, 8, 12, 9, 13]}
    >>> rows = [(arm, i, "nodules", v, True) for arm, values in counts.items() for i, v in enumerate(values)]
    >>> outcomes = pd.DataFrame(rows, columns=["arm", "animal", "readout", "value", "observed"])
    >>> found = equivalence(outcomes, {"name": "nodules", "kind": "count"}, ("treated", "control"), margin=1.5)
    >>> found.equivalent, round(found.bound, 2)
    (True, 1.45)
    """
    described = read_readout(readout)
    if scale is not None and scale not in get_args(Scale):
        raise UnknownNameError("scale", scale, get_args(Scale))
    chosen: Scale = scale or ("ratio" if described.kind == "count" else "difference")
    least = 1.0 if chosen == "ratio" else 0.0
    if not (math.isfinite(margin) and margin > least):
        raise ResultError(
            f"A margin of {margin:g} was given for '{described.name}'; a margin of a {chosen} must be above {least:g}."
        )
    if chosen == "ratio" and described.kind not in ("count", "time"):
        raise ResultError(
            f"'{described.name}' is a {described.kind}; ratios are of counts and times. Choose scale 'difference'."
        )
    gathered = gather(outcomes, [described])
    arm, versus = (gathered.get((described.name, name), EMPTY) for name in contrast)
    notes = [
        f"no animal of '{name}' in the outcomes" for name, s in zip(contrast, (arm, versus), strict=True) if s is EMPTY
    ]
    notes += [
        f"{s.missing} missing in '{n}' left out" for n, s in zip(contrast, (arm, versus), strict=True) if s.missing
    ]
    if paired:
        arm, versus, alone = partners(arm, versus)
        notes.append(f"{alone} without a partner left out" if alone else "")
    if min(len(arm), len(versus)) < 2:
        verdict = _Verdict(None, None, None, None, "no test", "a test needs at least 2 animals in each arm")
    elif chosen == "ratio":
        verdict = (
            _of_counts(arm, versus, margin, paired) if described.kind == "count" else _of_hazards(arm, versus, margin)
        )
    else:
        verdict = _of_difference(arm, versus, margin, paired, described.kind == "time")
    return Equivalence(
        readout=described.name,
        title=described.title,
        unit=described.unit,
        kind=described.kind,
        arm=contrast[0],
        versus=contrast[1],
        n_arm=len(arm),
        n_versus=len(versus),
        scale=chosen,
        margin=float(margin),
        estimate=verdict.estimate,
        interval=verdict.interval,
        bound=verdict.bound,
        p=verdict.p,
        equivalent=verdict.p is not None and verdict.p < _ALPHA,
        test=verdict.test,
        paired=paired,
        note=join_notes(*notes, verdict.note),
        failed_arm=(failed or {}).get(contrast[0], 0),
        failed_versus=(failed or {}).get(contrast[1], 0),
    )


@dataclass(frozen=True)
class _Verdict:
    estimate: float | None
    interval: Interval | None
    bound: float | None
    p: float | None
    test: str
    note: str = ""


def _of_difference(arm: Sample, versus: Sample, margin: float, paired: bool, timed: bool) -> _Verdict:
    from scipy.stats import t

    if timed:
        horizon = common_horizon([arm, versus])
        a, b = (influence_on_restricted_mean(sample, horizon) for sample in (arm, versus))
        means = [restricted_mean(sample.values, sample.observed, horizon).mean for sample in (arm, versus)]
        effect, what = means[0] - means[1], f"two one-sided t tests of restricted means to day {horizon:g}"
    else:
        a, b = arm.values, versus.values
        effect, what = float(a.mean() - b.mean()), "two one-sided t tests"
    if paired:
        error, freedom = float((a - b).std(ddof=1)) / math.sqrt(len(a)), float(len(a) - 1)
    else:
        one, two = float(a.var(ddof=1)) / len(a), float(b.var(ddof=1)) / len(b)
        error = math.sqrt(one + two)
        freedom = (one + two) ** 2 / (one**2 / (len(a) - 1) + two**2 / (len(b) - 1)) if error > 0.0 else 1.0
    scale = float(max(np.abs(arm.values).max(), np.abs(versus.values).max()))
    if error <= 1e-12 * scale:
        same = "every animal differs by the same amount" if paired else "no spread within either arm"
        return _Verdict(effect, None, None, None, what, f"{same}, which is no evidence about other animals")
    reach = float(t.ppf(1.0 - _ALPHA, freedom)) * error
    p = max(float(t.sf((margin - effect) / error, freedom)), float(t.sf((margin + effect) / error, freedom)))
    return _Verdict(effect, (effect - reach, effect + reach), abs(effect) + reach, p, what)


def _of_counts(arm: Sample, versus: Sample, margin: float, paired: bool) -> _Verdict:
    what = "two one-sided negative binomial likelihood-ratio tests"
    if min(arm.values.min(), versus.values.min()) < 0.0:
        raise ResultError("Values below zero are no counts and have no ratio; choose scale 'difference'.")
    ratio = (rate_ratio_paired if paired else rate_ratio)(arm.values, versus.values)
    if ratio is None:
        return _Verdict(None, None, None, None, what, "no count above zero in either arm")
    low, high = ratio.interval(_CONFIDENCE)
    bound = max(high, 1.0 / low) if low > 0.0 else math.inf
    p = max(ratio.p_below(margin), 1.0 - ratio.p_below(1.0 / margin))
    estimate = ratio.estimate if math.isfinite(ratio.estimate) else None
    return _Verdict(estimate, (low, high), bound, p, what)


def _of_hazards(arm: Sample, versus: Sample, margin: float) -> _Verdict:
    from scipy.special import ndtr, ndtri

    excess, variance = log_rank_score(arm, versus)
    what = "two one-sided tests of Peto's hazard ratio"
    if variance <= 0.0:
        return _Verdict(None, None, None, None, what, "no event tells the arms apart")
    middle, error = excess / variance, 1.0 / math.sqrt(variance)
    reach = float(ndtri(1.0 - _ALPHA)) * error
    low, high = math.exp(middle - reach), math.exp(middle + reach)
    room = math.log(margin)
    p = max(float(ndtr((middle - room) / error)), float(ndtr((-room - middle) / error)))
    return _Verdict(math.exp(middle), (low, high), max(high, 1.0 / low), p, what)
