"""Threads that share the pieces of a kernel's work."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from paget.kernels.neighbours import PIECE

__all__ = ["Team", "alone", "team"]

SERIAL_BELOW = 6000  # cells; for fewer, waking a thread costs more than it saves
TURNS = 6  # pieces of work that a thread fetches in one stage: more even out a busy machine, fewer cost less

Team = Callable[..., None]


def alone(threads: int, n: int) -> bool:
    """Say whether one thread does all the work on `n` cells."""
    return threads <= 1 or n < SERIAL_BELOW


@contextmanager
def team(threads: int, n: int) -> Iterator[Team]:
    """A function that runs a kernel over all pieces of `n` cells: work(kernel, *arguments) calls kernel(begin, end, ...).

    Kernels release the interpreter and every piece writes only its own cells, so that plain threads serve, whichever
    takes which piece; unlike a parallel loop inside a kernel they compile nothing twice and serve several callers.
    """
    pieces = -(-n // PIECE)
    if alone(threads, n):
        yield lambda function, *arguments: function(0, pieces, *arguments)
        return
    share = max(pieces // (threads * TURNS), 1)

    def fetch(turns: Iterator[int], function: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        for turn in turns:
            if turn * share >= pieces:
                return
            function(turn * share, min((turn + 1) * share, pieces), *arguments)

    with ThreadPoolExecutor(threads - 1) as others:

        def work(function: Callable[..., None], *arguments: Any) -> None:
            turns = itertools.count()
            helping = [others.submit(fetch, turns, function, arguments) for _ in range(threads - 1)]
            fetch(turns, function, arguments)
            for one in helping:
                one.result()

        yield work
