"""How far the animals are: a moving bar on a terminal, a line now and then in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from paget.cli.terminal import remark, screen

if TYPE_CHECKING:
    from paget.engine.ensemble import Event

__all__ = ["Remaining", "showing_progress"]

SECONDS_BETWEEN_LINES = 10.0


class Remaining:
    """Estimates the time left from the work done since the start; what was finished before does not count."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begun: tuple[float, float] | None = None

    def words(self, overall: float) -> str:
        """Say about how long the rest will take; nothing is said before there is something to judge by."""
        now = self._clock()
        if self._begun is None:
            self._begun = (now, overall)
        since, before = self._begun
        if overall - before < 0.005 or now - since < 2.0:
            return ""
        seconds = (now - since) * (1.0 - overall) / (overall - before)
        if seconds < 60:
            return f"about {max(1, round(seconds))} s left"
        if seconds < 3600:
            return f"about {round(seconds / 60)} min left"
        return f"about {seconds / 3600:.1f} h left"


@contextmanager
def showing_progress() -> Iterator[Callable[[Event], None]]:
    """Give a function that shows each piece of news, on standard error."""
    console = screen(sys.stderr)
    remaining = Remaining()
    if not console.is_terminal:
        yield _lines(remaining)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.fields[left]}"), console=console, transient=True) as bars:
        bar = bars.add_task("starting", total=1.0, left="")

        def show(event: Event) -> None:
            if event.message:
                bars.console.print(Text(event.message), soft_wrap=True)
            bars.update(bar, completed=event.overall, description=_counts(event), left=remaining.words(event.overall))

        yield show


def _lines(remaining: Remaining) -> Callable[[Event], None]:
    last = float("-inf")

    def show(event: Event) -> None:
        nonlocal last
        left = remaining.words(event.overall)
        if event.message:
            remark(event.message)
        complete = event.finished + event.failed == event.total
        if complete or time.monotonic() - last >= SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            remark(f"{_counts(event)} ({event.overall:.0%}{f', {left}' if left and not complete else ''})")

    return show


def _counts(event: Event) -> str:
    failed = f", {event.failed} failed" if event.failed else ""
    return f"{event.finished} of {event.total} animals done{failed}"
