"""What can go wrong, said in the user's words: what was given, what was needed, what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "ClusterError",
    "ContractError",
    "DamagedResultError",
    "EvidenceError",
    "FolderInUseError",
    "IdentityError",
    "LedgerError",
    "ModelError",
    "NumericalError",
    "PagetError",
    "ResultError",
    "SimulationFailed",
    "StorageFullError",
    "StudyError",
    "UnitError",
    "UnknownNameError",
    "nearest",
]


_MOST_NAMED = 30


class PagetError(Exception):
    """Base of every error that paget raises on purpose; its text is meant for the user."""


class UnitError(PagetError, ValueError):
    """A quantity has the wrong dimension, no unit, or cannot be read."""


class EvidenceError(PagetError):
    """A number has no basis, no unit, or no source that exists."""


class ContractError(PagetError):
    """A process touched something that it had not declared, or two processes own one variable."""


class ModelError(PagetError):
    """A model cannot be built; `problems` lists everything that is wrong with it at once."""

    def __init__(self, headline: str, problems: Iterable[str] = ()) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join([headline, *(f"  - {p}" for p in self.problems)]))


class StudyError(PagetError):
    """A study asks for something impossible; `problems` lists everything at once, with file and line if there is one."""

    def __init__(self, headline: str, problems: Iterable[str] = ()) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join([headline, *(f"  {p}" for p in self.problems)]))


class NumericalError(PagetError):
    """A computation left the range where it means anything; names process and time."""


class LedgerError(PagetError):
    """Cells or drug appeared or vanished without an event; names the balance that failed."""


class IdentityError(PagetError):
    """Two cells would carry the same id."""


class ResultError(PagetError):
    """A result does not hold what was asked of it."""


class DamagedResultError(ResultError):
    """A result file is unreadable or does not match its manifest; names the file."""


class ClusterError(PagetError):
    """A cluster cannot be reached, or makes no progress; what was committed is kept and the run can be resumed."""


class FolderInUseError(PagetError):
    """The output folder holds other results, or another run is writing to it."""


class StorageFullError(PagetError):
    """The disk is full; everything committed so far is intact and the run can be resumed."""


class SimulationFailed(PagetError):
    """One or more animals could not be finished; the others are kept and the folder can be resumed."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for the closest known name, or the list of names if none is close.

    >>> nearest("doxorubicine", ["doxorubicin", "cisplatin"])
    "Did you mean 'doxorubicin'?"
    """
    options = sorted(set(known))
    folded = {option.casefold(): option for option in options}
    begun = sorted((option for option in folded if len(name) >= 3 and option.startswith(name.casefold())), key=len)
    close = begun or difflib.get_close_matches(name.casefold(), list(folded), n=1, cutoff=0.55)
    if close:
        return f"Did you mean '{folded[close[0]]}'?"
    if len(options) > _MOST_NAMED:
        return f"Known: {', '.join(options[:_MOST_NAMED])} and {len(options) - _MOST_NAMED} more."
    return f"Known: {', '.join(options)}." if options else "None are known here."


class UnknownNameError(PagetError, KeyError):
    """A name is not known; the message offers the nearest one."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, tuple(known)
        super().__init__(f"Unknown {kind} '{name}'. {nearest(name, self.known)}")

    def __str__(self) -> str:  # KeyError would print the repr of the message
        return str(self.args[0])
