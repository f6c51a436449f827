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
    rows = [
        (
            arm,
            animal,
            r["name"],
            *_summarised(r, series["day"].to_numpy(), series[r["name"]].to_numpy(np.float64), duration_days),
        )
        for (arm, animal), series in metrics.groupby(["arm", "animal"], sort=False)
        for r in readouts
    ]
    table = pd.DataFrame(rows, columns=list(OUTCOME_COLUMNS))
    return table.astype({"animal": np.int64, "value": np.float64, "observed": bool})


def _summarised(readout: Mapping[str, Any], days: Series, values: Series, duration_days: float) -> tuple[float, bool]:
    there = np.isfinite(values)
    match readout["summary"]:
        case "first":
            return (float(values[there][-1]), True) if there.any() else (duration_days, False)
        case "final":
            return float(values[-1]), True
        case "peak":
            return (float(values[there].max()) if there.any() else np.nan), True
        case "mean":
            return _mean_over_time(days[there], values[there]), True
        case other:
            raise ResultError(
                f"Readout '{readout['name']}' has the unknown summary '{other}'; known: final, peak, mean, first."
            )


def _mean_over_time(days: Series, values: Series) -> float:
    if len(values) < 2:
        return float(values[0]) if len(values) else float("nan")
    return float(np.sum((values[1:] + values[:-1]) / 2 * np.diff(days)) / (days[-1] - days[0]))
