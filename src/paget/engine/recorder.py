"""What the engine needs from whoever keeps its output: it records, commits, and resumes from the last commit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["Recorder"]


class Recorder(Protocol):
    """Keeps one animal. Nothing that was recorded counts before the commit that follows it.

    Times are in h and go forward. Arrays are copied, so the caller may use them again.
    """

    def checkpoint(self) -> Mapping[str, npt.NDArray[Any]] | None:
        """The committed state to resume from, bit for bit as it was given, or None at the start."""

    def record_metrics(self, time: float, values: Mapping[str, float]) -> None:
        """Keep one row of readouts; every row has the same names."""

    def record_cells(self, time: float, columns: Mapping[str, npt.NDArray[Any]]) -> None:
        """Keep one tissue frame: equally long columns, among them id, type, x, y, z and radius."""

    def record_fields(self, time: float, values: npt.NDArray[np.float32], site: str = "") -> None:
        """Keep one frame of concentrations [species, z, y, x]; its index is time over the interval between frames.

        site : of a body, whose tissue it is.
        """

    def record_events(self, columns: Mapping[str, npt.NDArray[Any]]) -> None:
        """Keep events: columns time, kind, cell, other, type, x, y, z."""

    def keep_state(self, time: float, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Keep an exact state for good, from which other studies may go on; it counts from the next commit."""

    def note_moments(self, moments: Mapping[str, float]) -> None:
        """Note when, in h, each condition that the arm waits for was met; it counts from the next commit."""

    def commit(self, time: float, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Make everything recorded so far permanent, together with the state from which to go on."""

    def finish(self, wall_seconds: float) -> None:
        """Declare the animal done; everything must have been committed."""
