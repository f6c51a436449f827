"""The bibliography: every source that a number or a mechanism points to, read from ``data/sources.bib``."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType

from paget.errors import EvidenceError

__all__ = ["Source", "load_sources", "read_bibtex"]


@dataclass(frozen=True)
class Source:
    """One publication, model file or label."""

    key: str
    authors: str
    year: str
    title: str
    where: str
    doi: str = ""
    url: str = ""
    note: str = ""

    @property
    def text(self) -> str:
        """The source as one line of a reference list."""
        parts = [f"{self.authors} ({self.year})", self.title, self.where]
        return ". ".join(p.rstrip(".") for p in parts if p) + "."

    @property
    def link(self) -> str:
        return f"https://doi.org/{self.doi}" if self.doi else self.url


_ENTRY = re.compile(r"@(\w+)\s*\{\s*([^,\s]+)\s*,(.*?)\n\}", re.S)
_FIELD = re.compile(r"^\s*(\w+)\s*=\s*\{(.*?)\}\s*,?\s*$", re.M)


def read_bibtex(text: str, name: str = "sources.bib") -> dict[str, Source]:
    """Read BibTeX written one field to a line (``field = {text},``), the form in which the project keeps it.

    Raises
    ------
    EvidenceError
        If a key occurs twice or an entry lacks author, year or title.
    """
    sources: dict[str, Source] = {}
    for _, key, body in _ENTRY.findall(text):
        fields = {k.lower(): v.strip() for k, v in _FIELD.findall(body)}
        missing = [f for f in ("author", "year", "title") if not fields.get(f)]
        if missing:
            raise EvidenceError(f"{name}: source '{key}' lacks {', '.join(missing)}")
        if key in sources:
            raise EvidenceError(f"{name}: source '{key}' is given twice")
        place = " ".join(
            p for p in (fields.get("journal") or fields.get("publisher", ""), fields.get("volume", "")) if p
        )
        if fields.get("pages"):
            place += f":{fields['pages']}"
        sources[key] = Source(
            key,
            fields["author"],
            fields["year"],
            fields["title"],
            place,
            fields.get("doi", ""),
            fields.get("url", ""),
            fields.get("note", ""),
        )
    return sources


@functools.cache
def load_sources() -> Mapping[str, Source]:
    """The project's bibliography, by key."""
    text = (files("paget") / "data" / "sources.bib").read_text(encoding="utf-8")
    return MappingProxyType(read_bibtex(text))
