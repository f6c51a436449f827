"""Growth curves: the mean of an arm over time with its band."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from paget.compare.findings import CONFIDENCE
from paget.errors import ResultError, UnknownNameError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["series_bands"]

_KEYS = ("arm", "animal", "day")


def series_bands(metrics: pd.DataFrame, readout: str, arms: Sequence[str]) -> pd.DataFrame:
    r"""Average a readout over the animals of each arm on each day, with the 95 % confidence band of the mean.

    .. math:: \bar x \pm t_{0.975,\,n-1}\; s/\sqrt{n}

    Parameters
    ----------
    metrics : one row per arm, animal and day, with one column per readout.
    readout : the column to average; missing values (NaN) are left out, and `n` counts the others.
    arms : the arms to show, in their order; one without animals has no rows.

    Returns
    -------
    DataFrame
        Columns arm, day, mean, low, high, n; `low` and `high` are NaN where fewer than two animals have a value.

    Notes
    -----
    *Assumes* nothing about the range of the readout: near zero the band of a count may reach below it. The band holds
    for each day by itself, not for the whole curve at once.
    """
    import pandas as pd
    from scipy.stats import t

    absent = [column for column in _KEYS if column not in metrics.columns]
    if absent:
        raise ResultError(f"The metrics lack the column(s) {', '.join(absent)}; needed are {', '.join(_KEYS)}.")
    if readout not in metrics.columns:
        raise UnknownNameError("readout", readout, [str(c) for c in metrics.columns if c not in _KEYS])
    rows = metrics.loc[metrics["arm"].isin(list(arms)), [*_KEYS, readout]].sort_values(list(_KEYS))
    values = rows.groupby(["arm", "day"], observed=True, sort=True)[readout]
    bands = pd.DataFrame({"mean": values.mean(), "sd": values.std(ddof=1), "n": values.count()}).reset_index()
    n = bands["n"].to_numpy(np.float64)
    reach = t.ppf(0.5 + CONFIDENCE / 2, n - 1) * bands["sd"] / np.sqrt(n)
    bands["low"] = bands["mean"] - reach
    bands["high"] = bands["mean"] + reach
    order = {arm: place for place, arm in enumerate(arms)}
    bands = bands.sort_values(["arm", "day"], key=lambda keys: keys.map(order) if keys.name == "arm" else keys)
    return bands[["arm", "day", "mean", "low", "high", "n"]].reset_index(drop=True)
