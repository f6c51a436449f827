"""The command that hands a result to other tools: export."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from paget.cli.terminal import grid, remark, say, screen
from paget.errors import StudyError, UnknownNameError

if TYPE_CHECKING:
    from paget.io.export import Format, Selection
    from paget.results import Result

__all__ = ["export", "in_bytes"]

MOST_NAMED = 8
# What must be installed for the formats of an extra.
_LIBRARIES = {"anndata": "anndata", "vtk": "h5py", "netcdf": "xarray", "spatialdata": "spatialdata"}


def export(
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="Folder of a result, as paget run leaves it.")
    ] = None,
    format: Annotated[
        str | None, typer.Option("--format", "-f", metavar="NAME", help="The format; --list tells which there are.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Folder or file to write (if left out: DIR-NAME, here).")
    ] = None,
    arm: Annotated[
        list[str] | None, typer.Option(metavar="ARMS", help="Only these arms: commas between them; may be repeated.")
    ] = None,
    animal: Annotated[
        list[str] | None, typer.Option(metavar="NUMBERS", help="Only these animals, such as 0,3-5; may be repeated.")
    ] = None,
    day: Annotated[
        list[str] | None, typer.Option(metavar="DAYS", help="Only these stored days, such as 0,20; may be repeated.")
    ] = None,
    site: Annotated[
        list[str] | None, typer.Option(metavar="SITES", help="Only these sites of a body; may be repeated.")
    ] = None,
    list_formats: Annotated[
        bool, typer.Option("--list", help="List the formats and the tools that read them.")
    ] = False,
) -> None:
    """Write a result in the format of another tool.

    Nothing is overwritten, and what is interrupted leaves nothing behind.
    """
    from paget.cli.findings import tell_failures
    from paget.io.export import FORMATS
    from paget.io.export import export as write

    if list_formats:
        columns = ("format", "holds", "ending", "read by", "needs")
        grid(columns, [(f.name, f.title, f.extension or "folder", f.reader, _needs(f)) for f in FORMATS.values()])
        return
    if folder is None:
        raise StudyError("Name the folder of a result: paget export DIR --format NAME, or paget export --list.")
    if format is None:
        raise StudyError(f"Say which format: --format NAME, of {', '.join(FORMATS)}.")
    if format not in FORMATS:
        raise UnknownNameError("format", format, FORMATS)
    from paget.results import Result

    result = Result.open(folder)
    selection = _selection(result, arm or [], animal or [], day or [], site or [])
    target = out if out is not None else Path(f"{folder.resolve().name}-{format}")
    began = time.monotonic()
    with _showing(target):
        paths = write(result, format, target, selection)
    _told(target, paths, time.monotonic() - began)
    say(f"Read by: {FORMATS[format].reader}")
    tell_failures(result)


def in_bytes(size: float) -> str:
    """A size for people: ``512 B``, ``3.4 MB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"


def _selection(result: Result, arms: list[str], animals: list[str], days: list[str], sites: list[str]) -> Selection:
    from paget.cli.opening import chosen_arms
    from paget.io.export import Selection

    return Selection(
        arms=chosen_arms(result.study, arms) if arms else None,
        animals=tuple(_numbers(animals)) if animals else None,
        days=tuple(_days(days)) if days else None,
        sites=tuple(_parts(sites)) if sites else None,
    )


def _parts(texts: list[str]) -> list[str]:
    return [part.strip() for text in texts for part in text.split(",") if part.strip()]


def _days(texts: list[str]) -> Iterator[float]:
    for part in _parts(texts):
        try:
            yield float(part)
        except ValueError:
            raise StudyError(f"--day {part}: give days as numbers, such as 0,20.") from None


def _numbers(texts: list[str]) -> Iterator[int]:
    """Numbers and ranges of numbers: ``0,3-5``."""
    for part in _parts(texts):
        found = re.fullmatch(r"(\d+)(?:-(\d+))?", part)
        if found is None:
            raise StudyError(f"--animal {part}: give numbers of animals, such as 0,3-5; the first animal is 0.")
        yield from range(int(found[1]), int(found[2] or found[1]) + 1)


def _needs(one: Format) -> str:
    if not one.extra or find_spec(_LIBRARIES.get(one.name, one.name)) is not None:
        return ""
    return f"pip install 'paget[{one.extra}]'"


@contextmanager
def _showing(target: Path) -> Iterator[None]:
    """Say on standard error what is being written, with a moving sign on a terminal."""
    console = screen(sys.stderr)
    if console.is_terminal:
        with console.status(f"writing {target}"):
            yield
    else:
        remark(f"writing {target}")
        yield


def _told(target: Path, paths: tuple[Path, ...], seconds: float) -> None:
    sizes = {path: _size(path) for path in paths}
    for path in paths[:MOST_NAMED]:
        say(f"{in_bytes(sizes[path]):>8}  {path}")
    if len(paths) > MOST_NAMED:
        say(f"          and {len(paths) - MOST_NAMED} more")
    whole = _size(target)
    files = "1 file" if len(paths) == 1 else f"{len(paths)} files"
    say(f"{files}, {in_bytes(whole)}, in {seconds:.1f} s: {target}")


def _size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(part.stat().st_size for part in path.rglob("*") if part.is_file())
