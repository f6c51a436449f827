"""How far a study or a tissue is: a moving bar on a terminal, a line now and then in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from paget.cli.terminal import remark, screen

if TYPE_CHECKING:
    from paget.engine.ensemble import Event

__all__ = ["Remaining", "showing_growth", "showing_progress"]

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


@dataclass(frozen=True)
class _News:
    """What there is to show: in words, as a share of the whole, and a remark that must not be missed."""

    words: str
    overall: float
    complete: bool = False
    message: str = ""


@contextmanager
def showing_progress() -> Iterator[Callable[[Event], None]]:
    """Give a function that shows each piece of news of a study, on standard error."""
    with _showing() as show:
        yield lambda event: show(
            _News(_counts(event), event.overall, event.finished + event.failed == event.total, event.message)
        )


@contextmanager
def showing_growth(hours: float) -> Iterator[Callable[[float, int], None]]:
    """Give a function that shows the time (h) and the number of cells of a tissue that grows for `hours`, on standard error."""
    with _showing() as show:
        yield lambda time, cells: show(
            _News(f"{time:.1f} of {hours:g} h, {cells:,} cells", time / hours, time >= hours)
        )


@contextmanager
def _showing() -> Iterator[Callable[[_News], None]]:
    console = screen(sys.stderr)
    remaining = Remaining()
    if not console.is_terminal:
        yield _lines(remaining)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.fields[left]}"), console=console, transient=True) as bars:
        bar = bars.add_task("starting", total=1.0, left="")

        def show(news: _News) -> None:
            if news.message:
                bars.console.print(Text(news.message), soft_wrap=True)
            bars.update(bar, completed=news.overall, description=news.words, left=remaining.words(news.overall))

        yield show


def _lines(remaining: Remaining) -> Callable[[_News], None]:
    last = float("-inf")

    def show(news: _News) -> None:
        nonlocal last
        left = remaining.words(news.overall)
        if news.message:
            remark(news.message)
        if news.complete or time.monotonic() - last >= SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            remark(f"{news.words} ({news.overall:.0%}{f', {left}' if left and not news.complete else ''})")

    return show


def _counts(event: Event) -> str:
    failed = f", {event.failed} failed" if event.failed else ""
    return f"{event.finished} of {event.total} animals done{failed}"
