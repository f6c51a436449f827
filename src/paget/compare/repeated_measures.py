"""Series of the same animals over time: do two arms differ in their level, and in how fast they grow?"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from paget.compare.contrasts import holm
from paget.compare.effects import all_equal
from paget.compare.findings import CONFIDENCE, Interval
from paget.compare.wording import join_notes, p_in_words, with_decimals
from paget.errors import ResultError, UnknownNameError

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    Values = npt.NDArray[np.float64]

__all__ = ["Repeated", "Trend", "repeated"]

Scale = Literal["linear", "log"]

_KEYS = ("arm", "animal", "day")
_MIXED = "mixed model (random intercept and slope of each {0}, t with {1} degrees of freedom)"
_SUMMARY = "{0} t tests of each animal's own mean and slope"
# A variance of the random effects below this share of all variance is none: the likelihood has its top at the boundary.
_BOUNDARY = 1e-5


@dataclass(frozen=True)
class Trend:
    """Difference of two arms in one feature of their series, `arm` minus `versus`, with its 95 % interval and test."""

    effect: float | None
    interval: Interval | None
    statistic: float | None
    p: float | None
    p_adjusted: float | None


@dataclass(frozen=True)
class Repeated:
    """Two arms compared in the whole course of a readout.

    Attributes
    ----------
    readout, title, unit, scale : what was compared, and whether as it is or as natural logarithms.
    arm, versus, n_arm, n_versus : the arms, and the animals (complete pairs if `paired`) with at least two days.
    first_day, last_day, days : the period, and on how many days it was looked at.
    slope : difference per day. On the scale "log", of growth rates per day.
    level : difference in the middle of the period (on lines, the mean over it). On the scale "log", of logarithms:
        `exp` of it is a ratio.
    test : the model that was fitted, or what took its place; `p_adjusted` of both trends is Holm's over the two.
    paired : whether differences of pairs were modelled.
    note : convergence, animals left out, and whatever else limits the numbers; "" if there is nothing.
    failed_arm, failed_versus : animals that failed and are missing.
    """

    readout: str
    title: str
    unit: str
    scale: Scale
    arm: str
    versus: str
    n_arm: int
    n_versus: int
    first_day: float | None
    last_day: float | None
    days: int
    slope: Trend
    level: Trend
    test: str
    paired: bool
    note: str
    failed_arm: int = 0
    failed_versus: int = 0

    def sentence(self) -> str:
        """Write the comparison as a paper would report it."""
        unit = f" {self.unit}" if self.unit and self.scale == "linear" else ""
        per_day = f"{unit} per day"
        if self.scale == "log":
            unit, per_day = " (natural logarithm)", " per day (growth rate)"
        count = f"n = {self.n_arm} pairs" if self.paired else f"n = {self.n_arm} and {self.n_versus}"
        told = [(self.failed_arm, self.arm), (self.failed_versus, self.versus)]
        lost = " and ".join(f"{number} of '{arm}'" for number, arm in told if number > 0)
        period = "" if self.first_day is None else f" from day {self.first_day:g} to {self.last_day:g}"
        text = (
            f"{self.title}, {self.arm} versus {self.versus}{period}: slope {_in_words(self.slope, per_day)}; "
            f"level {_in_words(self.level, unit)}; {self.test}, {count}{f', failed and missing: {lost}' if lost else ''}"
        )
        return f"{text} ({self.note})" if self.note else text

    def __str__(self) -> str:
        return self.sentence()


def repeated(
    metrics: pd.DataFrame,
    readout: str | Mapping[str, Any],
    arm: str,
    versus: str,
    *,
    paired: bool = True,
    scale: Scale = "linear",
    period: tuple[float, float] | None = None,
    failed: Mapping[str, int] | None = None,
) -> Repeated:
    r"""Compare the whole course of a readout in two arms by a mixed model: arm by time, each animal with its own line.

    .. math:: y_{it} = \beta_0 + \beta_1 t + a_i(\beta_2 + \beta_3 t) + u_i + v_i t + \varepsilon_{it},\qquad
              (u_i, v_i) \sim N(0, \Sigma)

    with :math:`t` from the middle of the period: :math:`\beta_2` is the difference of levels, :math:`\beta_3` of
    slopes. Of pairs the differences on each day are modelled, in which what both arms of an animal share cancels.
    Estimates are by restricted maximum likelihood; the degrees of freedom of t are those between animals (their
    number less 2, or pairs less 1), by which the test stays right however the days of one animal depend on each other.

    Where the likelihood does not converge, or has its top where an animal has no line of its own (and the model would
    count days as if they were animals), t tests of each animal's own mean and slope take its place, and the note says
    so.

    Parameters
    ----------
    metrics : one row per arm, animal and day, with one column per readout, as `Result.metrics`.
    readout : the column, or the readout as a model describes it (with title and unit).
    arm, versus : the two arms.
    paired : whether animals of one number are the same animal; pairs need both animals on a day.
    scale : "log" for what grows exponentially: all values must be above zero.
    period : first and last day to look at; all days if left out.
    failed : for each arm the animals that failed.

    Raises
    ------
    ResultError
        If a column is absent, the scale is unknown, or a logarithm is asked of values that are not above zero.
    UnknownNameError
        If there is no such readout or arm.

    Notes
    -----
    *Assumes* that animals differ in level and slope; a curve that bends is described by its best line. Source: Laird
    NM, Ware JH (1982) Biometrics 38:963-974; Matthews JNS et al (1990) BMJ 300:230-235 (summary measures).
    """
    described = {"name": readout} if isinstance(readout, str) else readout
    name = str(described["name"])
    if scale not in get_args(Scale):
        raise UnknownNameError("scale", scale, get_args(Scale))
    series = {one: _series(metrics, name, one, scale, period) for one in (arm, versus)}
    if paired:
        shared = sorted(series[arm].keys() & series[versus].keys())
        joined = {animal: _difference(series[arm][animal], series[versus][animal]) for animal in shared}
        groups = [_long_enough(joined)]
    else:
        groups = [_long_enough(series[arm]), _long_enough(series[versus])]
    counts = [len(group) for group in groups]
    lost = (sum(len(s) for s in series.values()) - 2 * counts[0]) if paired else 0
    notes = [f"{_animals(lost)} without a partner on at least two days left out" if lost else ""]
    if not paired:
        short = sum(len(s) for s in series.values()) - sum(counts)
        notes.append(f"{_animals(short)} with fewer than two days left out" if short else "")
    if min(counts) < 2:
        nothing = Trend(None, None, None, None, None)
        slope, level, test = nothing, nothing, "no test"
        notes.append("a test needs at least 2 animals in each arm with at least 2 days each")
    else:
        slope, level, test, why = _fitted(groups, paired)
        notes.append(why)
    days = sorted({float(day) for group in groups for own, _ in group.values() for day in own})
    adjusted = holm([slope.p, level.p])
    return Repeated(
        readout=name,
        title=str(described.get("title") or name),
        unit=str(described.get("unit") or ""),
        scale=scale,
        arm=arm,
        versus=versus,
        n_arm=counts[0],
        n_versus=counts[-1],
        first_day=days[0] if days else None,
        last_day=days[-1] if days else None,
        days=len(days),
        slope=Trend(slope.effect, slope.interval, slope.statistic, slope.p, adjusted[0]),
        level=Trend(level.effect, level.interval, level.statistic, level.p, adjusted[1]),
        test=test,
        paired=paired,
        note=join_notes(*notes),
        failed_arm=(failed or {}).get(arm, 0),
        failed_versus=(failed or {}).get(versus, 0),
    )


def _animals(number: int) -> str:
    return f"{number} animal" if number == 1 else f"{number} animals"


Series = dict[int, tuple["Values", "Values"]]


def _series(metrics: pd.DataFrame, name: str, arm: str, scale: str, period: tuple[float, float] | None) -> Series:
    """Days and values of each animal of an arm."""
    absent = [column for column in _KEYS if column not in metrics.columns]
    if absent:
        raise ResultError(f"The metrics lack the column(s) {', '.join(absent)}; needed are {', '.join(_KEYS)}.")
    if name not in metrics.columns:
        raise UnknownNameError("readout", name, [str(c) for c in metrics.columns if c not in _KEYS])
    if len(metrics) and not (metrics["arm"] == arm).any():
        raise UnknownNameError("arm", arm, [str(a) for a in metrics["arm"].unique()])
    rows = metrics.loc[metrics["arm"] == arm, ["animal", "day", name]].dropna()
    if period is not None:
        rows = rows[(rows["day"] >= period[0]) & (rows["day"] <= period[1])]
    values = rows[name].to_numpy(np.float64)
    if scale == "log" and not (values > 0.0).all():
        first = rows[~(values > 0.0)].iloc[0]
        raise ResultError(
            f"'{name}' of animal {first['animal']:g} in arm '{arm}' is {first[name]:g} on day {first['day']:g}, which has no "
            "logarithm; choose a period without such days, or scale 'linear'."
        )
    values = np.log(values) if scale == "log" else values
    days, animals = rows["day"].to_numpy(np.float64), rows["animal"].to_numpy(np.int64)
    found: Series = {}
    for animal in np.unique(animals).tolist():
        own = animals == animal
        order = np.argsort(days[own], kind="stable")
        found[animal] = (days[own][order], values[own][order])
    return found


def _difference(first: tuple[Values, Values], second: tuple[Values, Values]) -> tuple[Values, Values]:
    days, at, other = np.intersect1d(first[0], second[0], return_indices=True)
    return days, first[1][at] - second[1][other]


def _long_enough(series: Series) -> Series:
    return {animal: (days, values) for animal, (days, values) in series.items() if len(days) >= 2}


def _fitted(groups: list[Series], paired: bool) -> tuple[Trend, Trend, str, str]:
    """Trends in slope and level, by what test, and what a reader must know of it."""
    middle = float(np.mean(np.unique(np.concatenate([days for group in groups for days, _ in group.values()]))))
    everything = np.concatenate([values for group in groups for _, values in group.values()])
    freedom = sum(len(group) for group in groups) - len(groups)
    if all_equal(everything, max(float(np.abs(everything).max()), 1e-300)) and (not paired or not everything.any()):
        flat = Trend(0.0, (0.0, 0.0), 0.0, 1.0, None)
        same = "the arms are alike on every day" if paired else "all values equal in both arms"
        return flat, flat, "no variation", same
    estimate, trouble = _mixed(groups, middle, freedom)
    if estimate is not None:
        slope, level = estimate
        return slope, level, _MIXED.format("pair" if paired else "animal", freedom), ""
    slope, level = _summary(groups, middle)
    return slope, level, _SUMMARY.format("paired" if paired else "Welch"), trouble


def _mixed(groups: list[Series], middle: float, freedom: int) -> tuple[tuple[Trend, Trend] | None, str]:
    from statsmodels.regression.mixed_linear_model import MixedLM

    days = np.concatenate([own for group in groups for own, _ in group.values()])
    values = np.concatenate([own for group in groups for _, own in group.values()])
    lengths = [len(own) for group in groups for own, _ in group.values()]
    animals = np.repeat(np.arange(len(lengths)), lengths)
    in_arm = animals < len(groups[0])
    spread_t, spread_y = float((days - middle).std()), float(values.std())
    time = (days - middle) / spread_t
    lines = np.column_stack([np.ones_like(time), time])
    fixed = lines if len(groups) == 1 else np.column_stack([lines * in_arm[:, None], lines])
    instead = "so t tests of each animal's own mean and slope took its place"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            fit = MixedLM(values / spread_y, fixed, animals, exog_re=lines).fit(reml=True, method=["lbfgs", "powell"])
        except (np.linalg.LinAlgError, ValueError) as problem:
            return None, f"the mixed model could not be fitted ({problem}), {instead}"
    if not fit.converged:
        return None, f"the mixed model did not converge, {instead}"
    errors = np.asarray(fit.bse_fe, np.float64)[:2]
    own_line = float(np.linalg.eigvalsh(np.asarray(fit.cov_re, np.float64)).min())
    if own_line < _BOUNDARY or not np.isfinite(errors).all():
        return None, f"the mixed model found no line of its own for each animal, {instead}"
    effects = np.asarray(fit.fe_params, np.float64)[:2]
    level = _trend(effects[0] * spread_y, errors[0] * spread_y, freedom)
    slope = _trend(effects[1] * spread_y / spread_t, errors[1] * spread_y / spread_t, freedom)
    return (slope, level), ""


def _trend(effect: float, error: float, freedom: float) -> Trend:
    from scipy.stats import t

    if error == 0.0:
        return Trend(effect, None, None, None, None)
    reach = float(t.ppf(0.5 + CONFIDENCE / 2, freedom)) * error
    statistic = effect / error
    return Trend(effect, (effect - reach, effect + reach), statistic, float(2 * t.sf(abs(statistic), freedom)), None)


def _summary(groups: list[Series], middle: float) -> tuple[Trend, Trend]:
    slopes, levels = [], []
    for group in groups:
        own = [_line(days, values, middle) for days, values in group.values()]
        slopes.append(np.array([slope for slope, _ in own]))
        levels.append(np.array([level for _, level in own]))
    return _of_means(slopes), _of_means(levels)


def _line(days: Values, values: Values, middle: float) -> tuple[float, float]:
    """Slope of an animal's best line, and its height in the middle of the period."""
    from_mean = days - days.mean()
    slope = float((from_mean * values).sum() / (from_mean**2).sum())
    return slope, float(values.mean()) + slope * (middle - float(days.mean()))


def _of_means(samples: list[Values]) -> Trend:
    parts = [float(sample.var(ddof=1)) / len(sample) for sample in samples]
    effect = float(samples[0].mean()) - (float(samples[1].mean()) if len(samples) > 1 else 0.0)
    total = math.fsum(parts)
    if total == 0.0:
        return _trend(effect, 0.0, 1.0)
    freedom = total**2 / math.fsum(part**2 / (len(s) - 1) for part, s in zip(parts, samples, strict=True))
    return _trend(effect, math.sqrt(total), freedom)


def _in_words(trend: Trend, unit: str) -> str:
    if trend.effect is None or trend.interval is None:
        return "cannot be compared"
    low, high = trend.interval
    decimals = with_decimals((high - low) / 2 or abs(trend.effect))
    sign = "+" if trend.effect > 0 else ""
    p = "" if trend.p is None else f", p {p_in_words(trend.p)}"
    p += "" if trend.p_adjusted is None else f", Holm-adjusted p {p_in_words(trend.p_adjusted)}"
    return f"{trend.effect:{sign}z.{decimals}f}{unit} (95 % CI {low:z.{decimals}f} to {high:z.{decimals}f}{p})"
