"""The table of mechanisms: which molecule or cell acts on which, and the publications that say so."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType
from typing import Literal, get_args

from paget.errors import EvidenceError, nearest
from paget.evidence.rows import rows_of, unknown_sources
from paget.evidence.sources import Source, load_sources

__all__ = ["Mechanism", "Status", "cited", "load_mechanisms", "read_mechanisms", "sources_of"]

Status = Literal["read", "reviewed", "recalled"]
_COLUMNS = ("id", "subject", "relation", "object", "sign", "cell_type", "sources", "status")
_SIGNS = ("+", "-", "0")


@dataclass(frozen=True)
class Mechanism:
    """One causal statement: the subject does something to the object in a cell type.

    sign : "+" where it raises the object, "-" where it lowers it, "0" where it was found to do nothing
    sources : keys of the bibliography, a review first where the statement is taken from one
    status : "read" where the publication or its abstract was read, "reviewed" where a review states it, "recalled" where
        neither was read again for the table
    """

    id: str
    subject: str
    relation: str
    object: str
    sign: str
    cell_type: str
    sources: tuple[str, ...]
    status: Status

    def __str__(self) -> str:
        return f"{self.id}: {self.subject} {self.relation} {self.object} ({', '.join(self.sources)})"


def read_mechanisms(text: str, name: str = "mechanisms.csv") -> dict[str, Mechanism]:
    """Read a table of mechanisms; every source is checked against the bibliography.

    Raises
    ------
    EvidenceError
        With file and line.
    """
    found: dict[str, Mechanism] = {}
    for place, row in rows_of(text, name, _COLUMNS):
        sources = tuple(key.strip() for key in row["sources"].split(";") if key.strip())
        wrong = [
            f"{column} is empty" for column in ("id", "subject", "relation", "object", "sources") if not row[column]
        ]
        if row["sign"] not in _SIGNS:
            wrong.append(f"sign '{row['sign']}' is none of {', '.join(_SIGNS)}")
        if row["status"] not in get_args(Status):
            wrong.append(f"status '{row['status']}' is none of {', '.join(get_args(Status))}")
        if row["id"] in found:
            wrong.append(f"mechanism '{row['id']}' is given twice")
        wrong += unknown_sources(row["sources"])
        if wrong:
            raise EvidenceError(f"{place}: {'; '.join(wrong)}")
        found[row["id"]] = Mechanism(**{**row, "sources": sources})  # type: ignore[arg-type]  # status checked above
    return found


@functools.cache
def load_mechanisms() -> Mapping[str, Mechanism]:
    """The project's table of mechanisms, by id."""
    text = (files("paget") / "data" / "mechanisms.csv").read_text(encoding="utf-8")
    return MappingProxyType(read_mechanisms(text))


def cited(evidence: str) -> tuple[Mechanism | Source, ...]:
    """What the evidence of an influence names: rows of the table of mechanisms, or sources, separated by semicolons.

    Raises
    ------
    EvidenceError
        If a name is neither.
    """
    mechanisms, sources = load_mechanisms(), load_sources()
    found: list[Mechanism | Source] = []
    for key in (part.strip() for part in evidence.split(";") if part.strip()):
        if key in mechanisms:
            found.append(mechanisms[key])
        elif key in sources:
            found.append(sources[key])
        else:
            raise EvidenceError(f"'{key}' is neither a mechanism nor a source. {nearest(key, [*mechanisms, *sources])}")
    return tuple(found)


def sources_of(evidence: str) -> tuple[str, ...]:
    """Keys of the publications behind the evidence of an influence; what the project does not know is kept as it is."""
    mechanisms = load_mechanisms()
    keys = [part.strip() for part in evidence.split(";") if part.strip()]
    return tuple(source for key in keys for source in (mechanisms[key].sources if key in mechanisms else (key,)))
