"""What the default tests of `paget.compare` say of thousands of studies.

The one definition of a test is in `paget.compare`. Its p-values are computed here without the intervals and effect sizes that
a power curve has no use for: for all studies at once where that can be, and where a permutation test is long, only in the
studies in which Student's t of the same scores does not decide by far. What is computed here is held to `compare` on the
first studies whenever it is used: if a single p-value differs, `compare` itself is asked for all.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from paget.compare import compare
from paget.compare.permutation import enough_to_exchange, enough_to_relabel, swap_test, two_group_test
from paget.design.scenario import Kind, Studies

__all__ = ["found"]

Values = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_PROBES = 4
_SAME = 1e-9
# Student's t and a permutation test of the same scores agree the better the more animals; at the level of a test they differ
# by much less than these factors.
_FACTOR_AT_TEN = 4.0
_COARSE = 2000
_COARSE_BAND = 0.35


def found(studies: Studies, kind: Kind, paired: bool, alpha: float) -> tuple[Flags, str]:
    """Say of each study [studies] whether the default test of its kind finds the effect; and the name of the test."""
    first = studies.only(np.arange(min(_PROBES, len(studies.arm))))
    asked, name = _by_compare(first, kind, paired)
    if not np.allclose(_exact(first, kind, paired), asked, rtol=_SAME, atol=1e-300):
        return _by_compare(studies, kind, paired)[0] < alpha, name
    if not _long(kind, paired, studies.arm.shape[1]):
        return _exact(studies, kind, paired) < alpha, name
    return _decided(studies, kind, paired, alpha), name


def _by_compare(studies: Studies, kind: Kind, paired: bool) -> tuple[Values, str]:
    import pandas as pd

    number, animals = studies.arm.shape
    arms = np.array([f"arm {i}" for i in range(number)] + [f"control {i}" for i in range(number)], dtype=object)
    table = pd.DataFrame(
        {
            "arm": np.repeat(arms, animals),
            "animal": np.tile(np.arange(animals), 2 * number),
            "readout": "readout",
            "value": np.concatenate([studies.arm.ravel(), studies.versus.ravel()]),
            "observed": np.concatenate([studies.seen_arm.ravel(), studies.seen_versus.ravel()]),
        }
    )
    pairs = [(f"arm {i}", f"control {i}") for i in range(number)]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Precision loss occurred", category=RuntimeWarning)
        told = compare(table, [{"name": "readout", "kind": kind}], pairs, paired=paired)
    return np.array([1.0 if c.p is None else c.p for c in told]), told[0].test


def _long(kind: Kind, paired: bool, animals: int) -> bool:
    """Whether the test is a permutation test that takes about a millisecond."""
    if paired:
        return False
    return kind != "count" and enough_to_relabel(animals, animals)


def _exact(studies: Studies, kind: Kind, paired: bool) -> Values:
    """The p-value of each study; those that cannot be computed here are asked of `compare`."""
    p = _p(studies, kind, paired)
    rest = np.flatnonzero(np.isnan(p))
    if len(rest):
        p[rest] = _by_compare(studies.only(rest), kind, paired)[0]
    return p


def _p(studies: Studies, kind: Kind, paired: bool) -> Values:
    animals = studies.arm.shape[1]
    arm, versus = _scores(studies, kind)
    if paired:
        t = _paired_t(arm, versus)
        return _each(lambda a, b: swap_test(a - b), arm, versus, t) if enough_to_exchange(animals) else t
    t = _welch_t(arm, versus) if kind in ("continuous", "fraction") else _pooled_t(arm, versus)
    return _each(two_group_test, arm, versus, t) if enough_to_relabel(animals, animals) else t


def _each(test: Callable[[Values, Values], float], arm: Values, versus: Values, t: Values) -> Values:
    """One study after the other; those without spread or with ties of events, which `t` marks, are left out."""
    usable = ~np.isnan(t)
    return np.array([test(a, b) if use else math.nan for a, b, use in zip(arm, versus, usable, strict=True)])


def _decided(studies: Studies, kind: Kind, paired: bool, alpha: float) -> Flags:
    """Whether each study finds the effect by a long permutation test of two groups."""
    arm, versus = _scores(studies, kind)
    animals = arm.shape[1]
    factor = 1.0 + 10.0 * (_FACTOR_AT_TEN - 1.0) / animals
    t = _pooled_t(arm, versus)
    decisions = np.nan_to_num(t, nan=1.0) < alpha
    near = np.isnan(t) | ((t > alpha / factor) & (t < alpha * factor))
    left = np.flatnonzero(near)
    coarse = np.array([math.nan if np.isnan(t[i]) else two_group_test(*_rounded(arm[i], versus[i])) for i in left])
    decisions[left] = coarse < alpha
    close = left[np.isnan(coarse) | (np.abs(coarse - alpha) < _COARSE_BAND * alpha)]
    if len(close):
        decisions[close] = _exact(studies.only(close), kind, paired) < alpha
    return decisions


def _rounded(arm: Values, versus: Values) -> tuple[Values, Values]:
    """Scores as whole numbers, with which a permutation test is short."""
    least = min(float(arm.min()), float(versus.min()))
    unit = (float(arm.sum() + versus.sum()) - 2 * len(arm) * least) / _COARSE
    return np.rint((arm - least) / unit), np.rint((versus - least) / unit)


def _scores(studies: Studies, kind: Kind) -> tuple[Values, Values]:
    """What is summed over an arm: the values, or of times the log-rank scores; not a number with ties of events."""
    if kind != "time":
        return studies.arm, studies.versus
    animals = studies.arm.shape[1]
    times = np.concatenate([studies.arm, studies.versus], axis=1)
    seen = np.concatenate([studies.seen_arm, studies.seen_versus], axis=1)
    order = np.argsort(np.where(seen, times, np.nextafter(times, np.inf)), axis=1, kind="stable")
    times, happened = np.take_along_axis(times, order, axis=1), np.take_along_axis(seen, order, axis=1)
    hazard = np.cumsum(happened / np.arange(2 * animals, 0, -1), axis=1)
    scores = np.empty_like(times)
    np.put_along_axis(scores, order, happened - hazard, axis=1)
    scores[((np.diff(times, axis=1) == 0) & happened[:, 1:] & happened[:, :-1]).any(axis=1)] = math.nan
    return scores[:, :animals], scores[:, animals:]


def _paired_t(arm: Values, versus: Values) -> Values:
    difference = arm - versus
    n = arm.shape[1]
    return _of_t(difference.mean(axis=1), difference.var(axis=1, ddof=1) / n, np.float64(n - 1.0), arm, versus)


def _welch_t(arm: Values, versus: Values) -> Values:
    n = arm.shape[1]
    one, two = arm.var(axis=1, ddof=1) / n, versus.var(axis=1, ddof=1) / n
    with np.errstate(invalid="ignore", divide="ignore"):
        freedom = (one + two) ** 2 * (n - 1) / (one**2 + two**2)
    return _of_t(arm.mean(axis=1) - versus.mean(axis=1), one + two, freedom, arm, versus)


def _pooled_t(arm: Values, versus: Values) -> Values:
    n = arm.shape[1]
    variance = (arm.var(axis=1, ddof=1) + versus.var(axis=1, ddof=1)) / n
    return _of_t(arm.mean(axis=1) - versus.mean(axis=1), variance, np.float64(2 * n - 2.0), arm, versus)


def _of_t(effect: Values, variance: Values, freedom: npt.ArrayLike, arm: Values, versus: Values) -> Values:
    """Two-sided p of Student's t; not a number where there is no spread."""
    from scipy.special import stdtr

    scale = np.maximum(np.abs(arm).max(axis=1), np.abs(versus).max(axis=1))
    usable = variance > (1e-10 * scale) ** 2
    t = np.abs(effect) / np.sqrt(np.where(usable, variance, 1.0))
    return np.where(usable, 2.0 * stdtr(np.where(usable, freedom, 1.0), -t), math.nan)
