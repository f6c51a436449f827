"""A block of individuals of a cohort: computed and recorded at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from paget.experiment import HOURS_PER_DAY, Study
from paget.subject import Cohort

if TYPE_CHECKING:
    from paget.results.animal import AnimalStore

__all__ = ["record_block"]


def record_block(cohort: Cohort, study: Study, arm: str, block: int, store: AnimalStore) -> None:
    """Compute one block of an arm and commit it; readouts of kind "time" are added as the first day of their event."""
    treatment = study.arm(arm).settled(study.duration)
    cohort = cohort.with_parameters(treatment.parameters) if treatment.parameters else cohort
    first = block * cohort.block
    columns = cohort.readings(study, treatment, first, min(cohort.block, study.replicates - first))
    for readout in cohort.readouts:
        if readout.kind == "time" and readout.name not in columns:
            columns[readout.name] = _first_days(columns, readout.first_of)
    store.record_table(columns)
    store.commit(study.duration, {"done": np.array(True)})


def _first_days(columns: dict[str, np.ndarray], name: str) -> np.ndarray:
    """From its first row on the day on which `name` was 1 or more, NaN before."""
    happened = columns[name] >= 1.0
    begins = np.flatnonzero(np.diff(columns["animal"], prepend=-1) != 0)
    who = np.repeat(np.arange(begins.size), np.diff(np.append(begins, happened.size)))
    days = np.where(happened, columns["time"] / HOURS_PER_DAY, np.inf)
    first = np.minimum.reduceat(days, begins)[who]
    return np.where(columns["time"] / HOURS_PER_DAY >= first, first, np.nan)
