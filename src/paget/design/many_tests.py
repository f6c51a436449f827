"""The p-values of the default tests for thousands of studies at once.

The one definition of a test is in `paget.compare`. Those that can be written for all studies together are written so here,
and each is held to `compare` on the first studies whenever it is used: where a single p-value differs, or where values are of a
kind that it does not treat (no spread, ties), `compare` itself is asked.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from paget.compare import compare
from paget.design.scenario import Kind, Studies

__all__ = ["p_values"]

Values = npt.NDArray[np.float64]

_PROBES = 6
_SAME = 1e-9


def p_values(studies: Studies, kind: Kind, paired: bool) -> tuple[Values, str]:
    """The two-sided p of each study [studies] by the default test of its kind, 1 where there is none; and the test's name."""
    asked, name = _by_compare(studies.only(np.arange(min(_PROBES, len(studies.arm)))), kind, paired)
    quick = _QUICK.get((kind, paired))
    if quick is None:
        return _by_compare(studies, kind, paired)
    found = quick(studies)
    head = found[: len(asked)]
    known = np.isfinite(head)
    if not np.allclose(head[known], asked[known], rtol=_SAME, atol=1e-300):
        return _by_compare(studies, kind, paired)
    rest = np.flatnonzero(~np.isfinite(found))
    if len(rest):
        found[rest] = _by_compare(studies.only(rest), kind, paired)[0]
    return found, name


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
    found = compare(table, [{"name": "readout", "kind": kind}], pairs, paired=paired)
    return np.array([1.0 if c.p is None else c.p for c in found]), found[0].test


def _paired_t(studies: Studies) -> Values:
    difference = studies.arm - studies.versus
    n = difference.shape[1]
    scale = np.abs(np.concatenate([studies.arm, studies.versus], axis=1)).max(axis=1)
    return _of_t(difference.mean(axis=1), difference.var(axis=1, ddof=1) / n, np.full(len(difference), n - 1.0), scale)


def _welch_t(studies: Studies) -> Values:
    n = studies.arm.shape[1]
    one, two = studies.arm.var(axis=1, ddof=1) / n, studies.versus.var(axis=1, ddof=1) / n
    scale = np.abs(np.concatenate([studies.arm, studies.versus], axis=1)).max(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        freedom = (one + two) ** 2 * (n - 1) / (one**2 + two**2)
    return _of_t(studies.arm.mean(axis=1) - studies.versus.mean(axis=1), one + two, freedom, scale)


def _of_t(effect: Values, variance: Values, freedom: Values, scale: Values) -> Values:
    """Two-sided p of Student's t; not a number without spread."""
    from scipy.special import stdtr

    flat = variance <= (1e-10 * scale) ** 2
    t = np.abs(effect) / np.sqrt(np.where(flat, 1.0, variance))
    return np.where(flat, math.nan, 2.0 * stdtr(np.where(flat, 1.0, freedom), -t))


def _log_rank(studies: Studies) -> Values:
    """The log-rank test of studies without events at one time; not a number for others."""
    from scipy.special import chdtrc

    times = np.concatenate([studies.arm, studies.versus], axis=1)
    seen = np.concatenate([studies.seen_arm, studies.seen_versus], axis=1)
    in_arm = np.concatenate([np.ones_like(studies.arm), np.zeros_like(studies.versus)], axis=1)
    order = np.argsort(times, axis=1, kind="stable")
    times, seen, in_arm = (np.take_along_axis(values, order, axis=1) for values in (times, seen, in_arm))
    at_risk = np.arange(times.shape[1], 0, -1)
    of_arm = np.cumsum(in_arm[:, ::-1], axis=1)[:, ::-1]
    share = of_arm / at_risk
    excess = (seen * (in_arm - share)).sum(axis=1)
    variance = (seen * share * (1 - share)).sum(axis=1)
    tied = ((np.diff(times, axis=1) == 0) & (seen[:, 1:] | seen[:, :-1])).any(axis=1)
    unusable = tied | (variance <= 0)
    return np.where(unusable, math.nan, chdtrc(1.0, excess**2 / np.where(variance > 0, variance, 1.0)))


_QUICK: Mapping[tuple[str, bool], Callable[[Studies], Values]] = {
    ("continuous", True): _paired_t,
    ("continuous", False): _welch_t,
    ("fraction", True): _paired_t,
    ("fraction", False): _welch_t,
    ("time", True): _log_rank,
    ("time", False): _log_rank,
}
