"""From readouts over time to one value per animal, by the rule that each readout names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from paget.errors import ResultError

__all__ = ["OUTCOME_COLUMNS", "outcomes"]

OUTCOME_COLUMNS = ("arm", "animal", "readout", "value", "observed")

Series = npt.NDArray[np.float64]


def outcomes(metrics: pd.DataFrame, readouts: Sequence[Mapping[str, Any]], duration_days: float) -> pd.DataFrame:
    """One row for each animal and readout: ``arm, animal, readout, value, observed``.

    The value is, by the readout's ``summary``: *final* the last row; *peak* the largest; *mean* the mean over time
    (trapezoidal, rows without a value left out); *first* the time of the event in days, or the end of the study with
    ``observed`` False if it did not happen.

    Parameters
    ----------
    metrics : columns arm, animal, day and one for each readout.
    readouts : their descriptions, with name and summary.
    duration_days : end of the study, at which events are censored.
    """
    missing = [r["name"] for r in readouts if len(metrics) and r["name"] not in metrics]
    if missing:
        raise ResultError(
            f"The animals did not record {', '.join(missing)}; recorded: {', '.join(map(str, metrics.columns[3:]))}."
        )
    if not len(metrics):
        return _table([], [], [], [], [])
    table = metrics.sort_values(["arm", "animal"], kind="stable", key=_in_order_of_appearance)
    begins = np.flatnonzero(
        (table["arm"].to_numpy()[1:] != table["arm"].to_numpy()[:-1])
        | (table["animal"].to_numpy()[1:] != table["animal"].to_numpy()[:-1])
    )
    begins = np.concatenate([[0], begins + 1])
    arms, animals = table["arm"].to_numpy()[begins], table["animal"].to_numpy()[begins]
    days = table["day"].to_numpy(np.float64)
    found = [_summarised(r, days, table[r["name"]].to_numpy(np.float64), begins, duration_days) for r in readouts]
    n = len(readouts)
    return _table(
        np.repeat(arms, n),
        np.repeat(animals, n),
        np.tile(np.array([r["name"] for r in readouts], dtype=object), begins.size),
        np.stack([value for value, _ in found], axis=1).ravel() if found else [],
        np.stack([observed for _, observed in found], axis=1).ravel() if found else [],
    )


def _in_order_of_appearance(column: pd.Series) -> pd.Series:
    return pd.Series(pd.factorize(column)[0], index=column.index) if column.name == "arm" else column


def _table(*columns: Any) -> pd.DataFrame:
    table = pd.DataFrame(dict(zip(OUTCOME_COLUMNS, columns, strict=True)))
    return table.astype({"animal": np.int64, "value": np.float64, "observed": bool})


def _summarised(
    readout: Mapping[str, Any], days: Series, values: Series, begins: npt.NDArray[np.int64], duration_days: float
) -> tuple[Series, npt.NDArray[np.bool_]]:
    """Value and whether it was observed, of each animal; its rows start at `begins`."""
    there = np.isfinite(values)
    ends = np.append(begins[1:], values.size) - 1
    everyone = np.ones(begins.size, bool)
    match readout["summary"]:
        case "first":
            latest = np.maximum.reduceat(np.where(there, np.arange(values.size), -1), begins)
            happened = latest >= 0
            return np.where(happened, values[latest], duration_days), happened
        case "final":
            return values[ends], everyone
        case "peak":
            peak = np.maximum.reduceat(np.where(there, values, -np.inf), begins)
            return np.where(np.isfinite(peak), peak, np.nan), everyone
        case "mean":
            parts = zip(begins, ends + 1, strict=True)
            return np.array(
                [_mean_over_time(days[a:b][there[a:b]], values[a:b][there[a:b]]) for a, b in parts]
            ), everyone
        case other:
            raise ResultError(
                f"Readout '{readout['name']}' has the unknown summary '{other}'; known: final, peak, mean, first."
            )


def _mean_over_time(days: Series, values: Series) -> float:
    if len(values) < 2:
        return float(values[0]) if len(values) else float("nan")
    return float(np.sum((values[1:] + values[:-1]) / 2 * np.diff(days)) / (days[-1] - days[0]))
