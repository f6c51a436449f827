"""What the terminal is told: text that fits a screen, a pipe, and any encoding."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Iterable, Sequence
from typing import IO

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from paget.errors import PagetError

__all__ = ["complain", "grid", "heading", "make_encodings_safe", "remark", "say", "screen"]

WIDTH_OF_A_PIPE = 120


def make_encodings_safe() -> None:
    """Let a character that the output cannot encode become '?' instead of an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def screen(stream: IO[str] | None = None) -> Console:
    """Return a console on standard output (or `stream`); a pipe gets lines of a fixed width and no colour."""
    target = stream or sys.stdout
    piped = not target.isatty() and "COLUMNS" not in os.environ
    return Console(file=target, highlight=False, markup=False, emoji=False, width=WIDTH_OF_A_PIPE if piped else None)


def say(text: str = "", style: str = "") -> None:
    """Write one line or paragraph on standard output; long lines are wrapped by the terminal, not cut."""
    screen().print(Text(text, style=style), soft_wrap=True)


def remark(text: str) -> None:
    """Write something that is no part of the answer, on standard error."""
    screen(sys.stderr).print(Text(text), soft_wrap=True)


def heading(text: str) -> None:
    say()
    say(text, style="bold")


def grid(columns: Sequence[str], rows: Iterable[Sequence[str]], right: Iterable[str] = ()) -> None:
    """Write a table; cells that do not fit are folded, so that nothing is lost on a narrow terminal."""
    table = Table(box=box.SIMPLE, pad_edge=False, show_edge=False)
    for name in columns:
        table.add_column(name, justify="right" if name in right else "left", overflow="fold", header_style="bold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    screen().print(table)


def complain(error: PagetError | OSError) -> None:
    """Tell an error on standard error, in one message."""
    message = Text("Error: ", style="bold red")
    message.append(_in_words(error), style="not bold default")
    screen(sys.stderr).print(message, soft_wrap=True)


def _in_words(error: PagetError | OSError) -> str:
    if isinstance(error, PagetError):
        return str(error)
    where = f" '{error.filename}'" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk is full{f': {where.strip()}' if where else ''}. Free some space; what is finished is kept."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"No permission to use{where or ' a file'}. Choose a place that you may write to."
    return f"{error.strerror or error}{f':{where}' if where else ''}"
