"""The long table of outcomes, read into one sample per arm and readout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

import numpy as np

from paget.errors import ResultError, UnknownNameError

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

__all__ = ["EMPTY", "Kind", "Readout", "Sample", "gather", "partners", "read_readout"]

Kind = Literal["count", "continuous", "fraction", "time"]

_COLUMNS = ("arm", "animal", "readout", "value", "observed")


@dataclass(frozen=True)
class Readout:
    """What is compared: its name in the table, its title and unit in a sentence, and the kind that chooses the test."""

    name: str
    title: str
    unit: str
    kind: Kind


@dataclass(frozen=True, eq=False)
class Sample:
    """One readout in one arm, ordered by animal: `values` without gaps, `missing` animals that had no value.

    `observed` is False where a time is a censoring time, not an event time; it is all True for other kinds.
    """

    animals: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    observed: npt.NDArray[np.bool_]
    missing: int = 0

    def __len__(self) -> int:
        return len(self.values)

    def only(self, animals: npt.NDArray[np.int64]) -> Sample:
        """Return the sample with the given animals."""
        kept = np.isin(self.animals, animals)
        return Sample(self.animals[kept], self.values[kept], self.observed[kept], self.missing)


def partners(arm: Sample, versus: Sample) -> tuple[Sample, Sample, int]:
    """Both samples with only the animals that are in both, and how many animals have no partner."""
    shared = np.intersect1d(arm.animals, versus.animals)
    return arm.only(shared), versus.only(shared), len(arm) + len(versus) - 2 * len(shared)


EMPTY = Sample(np.empty(0, np.int64), np.empty(0, np.float64), np.empty(0, np.bool_))


def read_readout(described: Mapping[str, Any]) -> Readout:
    """Read a readout as a model describes it; ``title`` and ``unit`` may be left out.

    Raises
    ------
    ResultError
        If the name or the kind is not there.
    UnknownNameError
        If there is no such kind of readout.
    """
    for key in ("name", "kind"):
        if key not in described:
            raise ResultError(f"The readout {dict(described)} has no '{key}'; a readout needs a name and a kind.")
    name, kind = str(described["name"]), str(described["kind"])
    if kind not in get_args(Kind):
        raise UnknownNameError(f"kind of readout (of '{name}')", kind, get_args(Kind))
    return Readout(name, str(described.get("title") or name), str(described.get("unit") or ""), cast(Kind, kind))


def gather(outcomes: pd.DataFrame, readouts: Sequence[Readout]) -> dict[tuple[str, str], Sample]:
    """Sort the long table into samples by (readout, arm); arms without any animal are left out.

    Raises
    ------
    ResultError
        If a column is absent, an animal occurs twice, or a value is infinite.
    UnknownNameError
        If the table has rows, but none of one of the readouts.
    """
    absent = [column for column in _COLUMNS if column not in outcomes.columns]
    if absent:
        raise ResultError(
            f"The outcomes lack the column(s) {', '.join(absent)}; needed are {', '.join(_COLUMNS)}, "
            "one row per arm, animal and readout."
        )
    present = {str(name) for name in outcomes["readout"].unique()}
    for readout in readouts:
        if present and readout.name not in present:
            raise UnknownNameError("readout", readout.name, present)
    wanted = outcomes[outcomes["readout"].isin([readout.name for readout in readouts])]
    doubled = wanted.duplicated(["arm", "animal", "readout"])
    if doubled.any():
        row = wanted[doubled].iloc[0]
        raise ResultError(f"Animal {row['animal']} of arm '{row['arm']}' has '{row['readout']}' twice in the outcomes.")

    samples: dict[tuple[str, str], Sample] = {}
    timed = {readout.name for readout in readouts if readout.kind == "time"}
    for key, rows in wanted.sort_values("animal").groupby(["readout", "arm"], sort=False, observed=True):
        name, arm = str(key[0]), str(key[1])
        animals = rows["animal"].to_numpy(np.int64)
        values = rows["value"].to_numpy(np.float64)
        if np.isinf(values).any():
            animal = animals[np.isinf(values)][0]
            raise ResultError(f"'{name}' of animal {animal} in arm '{arm}' is infinite; no statistic can use it.")
        observed = rows["observed"].to_numpy(np.bool_) if name in timed else np.ones(len(rows), np.bool_)
        kept = ~np.isnan(values)
        samples[name, arm] = Sample(animals[kept], values[kept], observed[kept], int((~kept).sum()))
    return samples
