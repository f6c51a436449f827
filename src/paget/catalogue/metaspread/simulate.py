"""The model of metastatic spread from start to end, with its course, events and last state."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from paget.catalogue.metaspread.run import MetaSpreadRun
from paget.catalogue.metaspread.settings import KINDS, MetaSpread
from paget.errors import StudyError
from paget.settings import HOURS_PER_DAY

__all__ = ["MetaSpreadResult", "simulate"]


@dataclass(frozen=True)
class MetaSpreadResult:
    """What one run left behind.

    course : a line per moment, with `step`, `day` and all readouts; run : its last state
    """

    course: pd.DataFrame
    run: MetaSpreadRun

    @property
    def entries(self) -> pd.DataFrame:
        """Every entry into the blood."""
        return self.run.entries()

    @property
    def arrivals(self) -> pd.DataFrame:
        """Every party that left the blood alive."""
        return self.run.arrivals()

    @property
    def cluster_sizes(self) -> pd.Series[int]:
        """How many clusters of each number of cells entered the blood, from 1 to the largest."""
        sizes = self.entries[list(KINDS)].sum(axis=1).to_numpy()
        counts = np.bincount(sizes, minlength=2)[1:]
        return pd.Series(counts, index=pd.RangeIndex(1, len(counts) + 1, name="cells"), name="clusters")


def simulate(settings: MetaSpread, seed: int, steps: int, every: int = 150, animal: int = 0) -> MetaSpreadResult:
    """Run the model for `steps` ticks and read it out at the start, every so many ticks, and at the end.

    Raises
    ------
    StudyError, LedgerError
    """
    if steps < 0 or every < 1:
        raise StudyError(
            "MetaSpread cannot be run:", [f"steps = {steps} must be 0 or more, every = {every} must be 1 or more"]
        )
    run = MetaSpreadRun(settings, seed, animal)
    lines = [_line(run)]
    while run.steps < steps:
        run.step()
        if run.steps % every == 0 or run.steps == steps:
            lines.append(_line(run))
    return MetaSpreadResult(pd.DataFrame(lines), run)


def _line(run: MetaSpreadRun) -> dict[str, float]:
    return {"step": run.steps, "day": run.time / HOURS_PER_DAY, **run.readouts()}
