"""What a simulation says about one observation: a number with its interval, and how sure its direction is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Measured",
    "as_reduction",
    "contrast",
    "of_draws",
    "of_shares",
    "ratio_of_pairs",
    "ratio_with_interval",
    "share_of",
]

Real = NDArray[np.float64]
Z95 = 1.959963984540054


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One simulated number.

    value, low, high : in the unit and kind of the observation. Where that is a direction or an abolition, the ratio of the
        readout under the intervention to that of the control
    sign : +1 where the readout is higher under the intervention, -1 where it is lower, 0 where it is equal or not compared
    p : two-sided p-value of that difference; nan where there is none
    n : animals, patients, cells or draws in each arm
    how : statistic and sample, in words. details : single numbers behind it, for the reader
    """

    value: float
    low: float = math.nan
    high: float = math.nan
    sign: int = 0
    p: float = math.nan
    n: int = 0
    how: str = ""
    details: str = ""

    def as_json(self) -> dict[str, Any]:
        """Plain values; what is not finite becomes text, as JSON has no word for it."""
        return {
            key: repr(value) if isinstance(value, float) and not math.isfinite(value) else value
            for key, value in asdict(self).items()
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        given: dict[str, Any] = dict(data)
        for name in ("value", "low", "high", "p"):
            given[name] = float(given[name])
        return cls(**given)


def share_of(found: float, of: int, how: str, *, percent: bool = True, details: str = "") -> Measured:
    """A share of independent individuals in per cent, with Wilson's interval at 95 %."""
    from paget.body.autopsies import wilson

    scale = 100.0 if percent else 1.0
    low, high = wilson(found, of)
    return Measured(
        value=scale * found / of, low=scale * low, high=scale * high, n=of, how=f"{how}; Wilson", details=details
    )


def ratio_with_interval(arm: Real, control: Real, *, paired: bool) -> tuple[float, float, float]:
    """Ratio of two means with the 95 % interval of Fieller; an end that cannot be given is 0 or infinite.

    A control of 0 leaves no interval (nan).

    Source: Fieller EC (1954) J R Stat Soc B 16:175-185.
    """
    from scipy.stats import t

    a, b, n, m = float(arm.mean()), float(control.mean()), len(arm), len(control)
    if b == 0.0:
        return (math.nan if a == 0.0 else math.inf), math.nan, math.nan
    if min(n, m) < 2:
        return a / b, 0.0, math.inf
    quantile = float(t.ppf(0.975, n - 1 if paired else n + m - 2))
    v_a, v_b = float(arm.var(ddof=1)) / n, float(control.var(ddof=1)) / m
    both = float(np.cov(arm, control, ddof=1)[0, 1]) / n if paired else 0.0
    # The values r at which a - r b does not differ from 0: the roots of a quadratic in r.
    square, linear, constant = b * b - quantile**2 * v_b, a * b - quantile**2 * both, a * a - quantile**2 * v_a
    if square <= 0.0:
        return a / b, 0.0, math.inf
    root = max(linear * linear - square * constant, 0.0)  # below 0 by rounding only, where nothing varies
    return a / b, max(0.0, (linear - math.sqrt(root)) / square), (linear + math.sqrt(root)) / square


def ratio_of_pairs(arm: Real, control: Real) -> tuple[float, float, float]:
    """Geometric mean of the ratios of pairs, all above 0, with the 95 % interval of Student's t on their logarithms.

    What animals differ by in both arms cancels, as it does not in a ratio of means.
    """
    from scipy.stats import t

    logs = np.log(arm) - np.log(control)
    middle, half = float(logs.mean()), math.inf
    if logs.size >= 2:
        half = float(t.ppf(0.975, logs.size - 1)) * float(logs.std(ddof=1)) / math.sqrt(logs.size)
    return math.exp(middle), math.exp(middle - half), math.exp(middle + half)


def contrast(arm: Real, control: Real, p: float, how: str, *, paired: bool, unit: str = "") -> Measured:
    """One arm against another: their ratio with its interval, and the p-value of the test that was chosen.

    The ratio is the mean one of the pairs, or that of the means where nothing is paired or something is 0.
    """
    in_pairs = paired and min(arm.min(), control.min()) > 0.0
    value, low, high = ratio_of_pairs(arm, control) if in_pairs else ratio_with_interval(arm, control, paired=paired)
    difference = float(arm.mean() - control.mean())
    return Measured(
        value=value,
        low=low,
        high=high,
        sign=int(np.sign(difference)),
        p=p,
        n=len(arm),
        how=how,
        details=f"{arm.mean():.3g} against {control.mean():.3g}{f' {unit}' if unit else ''}",
    )


def as_reduction(measured: Measured) -> Measured:
    """A ratio to the control as per cent less than the control."""
    ratio, low, high = measured.value, measured.low, measured.high
    return replace(measured, value=100.0 * (1.0 - ratio), low=100.0 * (1.0 - high), high=100.0 * (1.0 - low))


def of_shares(arm: Real, control: Real, how: str) -> Measured:
    """Shares of many independent cells, one value for each cell: ratio by Fieller, p by the normal approximation."""
    from scipy.stats import norm

    error = math.sqrt(arm.var(ddof=1) / len(arm) + control.var(ddof=1) / len(control))
    difference = float(arm.mean() - control.mean())
    p = 2.0 * float(norm.sf(abs(difference) / error)) if error > 0.0 else (1.0 if difference == 0.0 else 0.0)
    return contrast(arm, control, p, how, paired=False)


def of_draws(
    draws: Sequence[float] | Real, central: float, how: str, *, null: float = 1.0, details: str = ""
) -> Measured:
    """A computation without chance, repeated with the assumed numbers drawn from their intervals.

    The interval is the middle 95 % of the draws, and p twice the share of draws that are not on the side of `null` where the
    central value is: how often another choice of the assumed numbers would take the direction away.
    """
    values = np.asarray(draws, float)
    values = values[~np.isnan(values)]
    low, high = (float(x) for x in np.quantile(values, [0.025, 0.975]))
    sign = int(np.sign(central - null))
    against = np.count_nonzero((values - null) * sign <= 0.0) if sign else len(values)
    return Measured(
        value=central,
        low=low,
        high=high,
        sign=sign,
        p=min(1.0, 2.0 * against / len(values)),
        n=len(values),
        how=how,
        details=details,
    )
