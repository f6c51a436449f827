"""What was recorded since the last commit, and the rules that every recorder enforces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from paget.errors import ResultError

__all__ = ["Columns", "Segment"]

Columns = dict[str, npt.NDArray[Any]]


@dataclass
class Segment:
    """Buffers of one segment; `after` is the time of the last commit, before which nothing may be recorded.

    Fields are kept by site, "" for one tissue, and index of the frame.
    """

    after: float | None = None
    metrics: list[dict[str, float]] = field(default_factory=list)
    tables: list[Columns] = field(default_factory=list)
    cells: list[tuple[float, Columns]] = field(default_factory=list)
    fields: dict[str, dict[int, npt.NDArray[np.float32]]] = field(default_factory=dict)
    events: list[Columns] = field(default_factory=list)
    states: list[tuple[float, bytes]] = field(default_factory=list)

    def add_metrics(self, time: float, values: Mapping[str, float]) -> None:
        self._check_time("readouts", time)
        row = {"time": float(time), **{name: float(value) for name, value in values.items()}}
        if self.metrics and row.keys() != self.metrics[0].keys():
            odd = sorted(row.keys() ^ self.metrics[0].keys())
            raise ResultError(f"The readouts at {time:g} h are not those recorded before; different: {', '.join(odd)}.")
        self.metrics.append(row)

    def add_table(self, columns: Columns) -> None:
        """Keep rows of readouts of several animals; `time` and `animal` are among the columns."""
        self._check_lengths("readouts", columns)
        self._check_time("readouts", float(columns["time"].max(initial=0.0)))
        self.tables.append(columns)

    def add_cells(self, time: float, columns: Columns) -> None:
        self._check_time("cells", time)
        self._check_lengths("cells", columns)
        self.cells.append((float(time), columns))

    def add_fields(self, time: float, values: npt.NDArray[np.float32], interval: float, site: str = "") -> None:
        self._check_time("fields", time)
        if values.ndim != 4:
            raise ResultError(f"Fields have shape [species, z, y, x]; got {values.shape} at {time:g} h.")
        self.fields.setdefault(site, {})[round(time / interval)] = values

    def add_events(self, columns: Columns) -> None:
        self._check_lengths("events", columns)
        if len(next(iter(columns.values()))):
            self.events.append(columns)

    def add_state(self, time: float, content: bytes) -> None:
        """Keep an exact state, already packed; the later one if a time comes twice."""
        self._check_time("a state", time)
        self.states = [*((t, old) for t, old in self.states if t != time), (float(time), content)]

    def metric_columns(self) -> Columns:
        if self.tables:
            return {name: np.concatenate([table[name] for table in self.tables]) for name in self.tables[0]}
        return {name: np.array([row[name] for row in self.metrics]) for name in self.metrics[0]}

    def event_columns(self) -> Columns:
        return {name: np.concatenate([batch[name] for batch in self.events]) for name in self.events[0]}

    @property
    def is_empty(self) -> bool:
        return not (self.metrics or self.tables or self.cells or self.fields or self.events or self.states)

    def check_commit(self, time: float) -> None:
        self._check_time("a commit", time)
        latest = max((row["time"] for row in self.metrics), default=time)
        if latest > time:
            raise ResultError(f"The commit at {time:g} h comes before the readouts recorded at {latest:g} h.")

    def check_finish(self) -> None:
        if not self.is_empty:
            raise ResultError("The animal cannot be finished: something was recorded after the last commit.")

    def _check_time(self, what: str, time: float) -> None:
        if self.after is not None and time <= self.after:
            raise ResultError(
                f"Recording {what} at {time:g} h: everything up to {self.after:g} h is already committed."
            )

    @staticmethod
    def _check_lengths(what: str, columns: Columns) -> None:
        lengths = {name: values.shape for name, values in columns.items()}
        if not lengths or len(set(lengths.values())) != 1 or len(next(iter(lengths.values()))) != 1:
            raise ResultError(f"The columns of {what} must be equally long and one-dimensional; got {lengths}.")
