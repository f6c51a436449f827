"""A recorder that keeps one animal in memory, for tests, notebooks and quick looks."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from paget.errors import ResultError
from paget.experiment import HOURS_PER_DAY
from paget.results.segment import Columns, Segment
from paget.results.states import packed

__all__ = ["MemoryRecorder"]


class MemoryRecorder:
    """Keeps one animal in memory, exactly as given; see `paget.engine.recorder.Recorder`.

    Asking for the checkpoint forgets what was not committed, as a crash would, so one recorder can be stopped and
    resumed. The tables hold what is committed.

    Parameters
    ----------
    frames : interval in h between tissue frames, that of ``study.record.frames``.
    """

    def __init__(self, frames: float = 120.0) -> None:
        self._frames = frames
        self._segment = Segment()
        self._committed: list[Segment] = []
        self._state: dict[str, npt.NDArray[Any]] | None = None
        self.finished = False
        self.moments: dict[str, float] = {}

    def checkpoint(self) -> Mapping[str, npt.NDArray[Any]] | None:
        self._segment = Segment(after=self._segment.after)
        return None if self._state is None else {name: values.copy() for name, values in self._state.items()}

    def record_metrics(self, time: float, values: Mapping[str, float]) -> None:
        self._segment.add_metrics(time, values)

    def record_cells(self, time: float, columns: Mapping[str, npt.NDArray[Any]]) -> None:
        self._segment.add_cells(time, _copied(columns))

    def record_fields(self, time: float, values: npt.NDArray[np.float32], site: str = "") -> None:
        self._segment.add_fields(time, np.array(values), self._frames, site)

    def record_events(self, columns: Mapping[str, npt.NDArray[Any]]) -> None:
        self._segment.add_events(_copied(columns))

    def keep_state(self, time: float, state: Mapping[str, npt.NDArray[Any]]) -> None:
        self._segment.add_state(time, packed(state))

    def note_moments(self, moments: Mapping[str, float]) -> None:
        self.moments = dict(moments)

    def commit(self, time: float, state: Mapping[str, npt.NDArray[Any]]) -> None:
        self._segment.check_commit(time)
        self._committed.append(self._segment)
        self._state = _copied(state)
        self._segment = Segment(after=float(time))

    def finish(self, wall_seconds: float) -> None:
        self._segment.check_finish()
        self.finished = True

    @property
    def metrics(self) -> pd.DataFrame:
        """Readouts over time: ``day`` and one column for each."""
        rows = [row for segment in self._committed for row in segment.metrics]
        if not rows:
            return pd.DataFrame({"day": np.zeros(0)})
        table = pd.DataFrame(rows)
        table.insert(0, "day", table.pop("time") / HOURS_PER_DAY)
        return table

    @property
    def events(self) -> pd.DataFrame:
        """Events in the order of their recording: ``day`` and the recorded columns, with kinds and types as codes."""
        batches = [pd.DataFrame(segment.event_columns()) for segment in self._committed if segment.events]
        if not batches:
            return pd.DataFrame({"day": np.zeros(0)})
        table = pd.concat(batches, ignore_index=True)
        table.insert(0, "day", table.pop("time") / HOURS_PER_DAY)
        return table

    @property
    def frame_days(self) -> tuple[float, ...]:
        """Days of the tissue frames."""
        return tuple(time / HOURS_PER_DAY for segment in self._committed for time, _ in segment.cells)

    def cells(self, day: float) -> pd.DataFrame:
        """The tissue frame of that day, with types as codes."""
        for segment in self._committed:
            for time, columns in segment.cells:
                if abs(time / HOURS_PER_DAY - day) < 1e-6:
                    return pd.DataFrame(columns)
        raise ResultError(
            f"No tissue frame of day {day:g}; there are days {', '.join(f'{d:g}' for d in self.frame_days)}."
        )

    def fields(self, day: float, site: str = "") -> npt.NDArray[np.float32]:
        """Concentrations [species, z, y, x] of that day, of a body those of one site."""
        index = round(day * HOURS_PER_DAY / self._frames)
        for segment in self._committed:
            if index in segment.fields.get(site, {}):
                return segment.fields[site][index].copy()
        raise ResultError(f"No fields were recorded on day {day:g}" + (f" at '{site}'." if site else "."))

    def state(self, day: float) -> dict[str, npt.NDArray[Any]]:
        """The exact state that was kept of that day."""
        for segment in self._committed:
            for time, content in segment.states:
                if abs(time / HOURS_PER_DAY - day) < 1e-6:
                    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                        return dict(arrays)
        raise ResultError(f"No state of day {day:g} was kept.")


def _copied(columns: Mapping[str, npt.NDArray[Any]]) -> Columns:
    return {name: np.array(values) for name, values in columns.items()}
