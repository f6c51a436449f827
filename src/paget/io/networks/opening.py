"""Opening a file of a network: as a path or as its text, never half, with every problem by line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from paget.errors import ModelError, UnitError
from paget.units import to_internal

__all__ = ["LARGEST", "Opened", "hours", "opened", "raised"]

LARGEST = 32_000_000  # bytes; the largest published networks of this kind have some hundred kilobytes
_SHOWN = 50  # problems of one file; a file of another kind would have thousands
_NODE = re.compile(r"node '(\w+)'")


@dataclass
class Opened:
    """The text of a file, what it is called in messages, and what is wrong with it so far."""

    name: str
    text: str
    stem: str
    problems: list[tuple[int, int, str]] = field(default_factory=list)

    def wrong(self, place: str, message: str) -> None:
        """Note a problem at a ``line`` or ``line:column``."""
        line, _, column = place.partition(":")
        self.problems.append((int(line), int(column or 0), f"{self.name}:{place}: {message}"))

    def adopt(self, problem: ModelError, lines: Mapping[str, int]) -> None:
        """Note what is wrong with the network that was read, each at the line of its node."""
        for one in problem.problems:
            found = _NODE.search(one)
            self.wrong(str(lines.get(found[1] if found else "", 1)), one)


def raised(*files: Opened, otherwise: BaseException | None = None) -> None:
    """Raise everything that is wrong with these files, by file and line, if anything is."""
    listed = [message for one in files for _, _, message in sorted(one.problems)]
    if listed:
        name = " and ".join(one.name for one in files if one.problems)
        raise ModelError(f"{name} cannot be read:", _first(list(dict.fromkeys(listed)))) from otherwise


def _first(messages: list[str]) -> Iterator[str]:
    yield from messages[:_SHOWN]
    if len(messages) > _SHOWN:
        yield f"and {len(messages) - _SHOWN} more"


def opened(given: str | Path, kind: str, marks: Iterable[str] = ()) -> Opened:
    """Open a path, or take a text as it is: one with a line break in it, with one of these `marks`, or with nothing.

    Raises
    ------
    ModelError
        If there is no such file, or it is too large or no text.
    """
    if isinstance(given, str) and (not given.strip() or "\n" in given or any(mark in given for mark in marks)):
        return Opened(f"{kind} text", given.removeprefix("\ufeff"), "network")
    path = Path(given)
    if not path.is_file():
        raise ModelError(f"there is no {kind} file '{path}'; a text in its place must have a line break")
    size = path.stat().st_size
    if size > LARGEST:
        raise ModelError(
            f"'{path.name}' has {size / 1e6:.0f} MB; a {kind} file of more than {LARGEST / 1e6:.0f} is none"
        )
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise ModelError(f"'{path.name}' is not a {kind} file: its byte {problem.start + 1} is no text") from None
    if "\0" in text:
        raise ModelError(f"'{path.name}' is not a {kind} file: its byte {text.index(chr(0)) + 1} is no text")
    return Opened(path.name, text.replace("\r\n", "\n"), path.stem)


def hours(time: str) -> float:
    """Hours in a unit of time.

    Raises
    ------
    UnitError
        If it is none.
    """
    try:
        return to_internal(f"1 {time}", "h")
    except UnitError:
        raise UnitError(f"'{time}' is not a unit of time; the file has none, so say it: 'min', 'h' or 'day'") from None
