"""Which numbers of a model are the activity of a gene: what changes when it is knocked out, knocked down or over-expressed."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files

from paget.errors import EvidenceError, PagetError, StudyError, UnknownNameError
from paget.evidence.rows import number, rows_of, unknown_sources

__all__ = ["GeneEffect", "aliases", "gene_sources", "load_genes", "read_genes", "unknown_gene"]

_COLUMNS = ("gene", "also", "parameter", "cells", "exponent", "without", "most", "reason", "source")
_NEEDED = ("gene", "parameter", "without", "reason", "source")


@dataclass(frozen=True)
class GeneEffect:
    """One parameter that follows the activity of a gene.

    value = without + (value of the model - without) x activity^exponent, at most `most`

    gene : HGNC symbol; also : another name under which people look for it; parameter : key
    cells : cell types whose gene it is, "tumour cell" for all of the tumour; none if it is not that of certain cells
    without : what the parameter is without the gene, a number or the key of another parameter
    """

    gene: str
    also: str
    parameter: str
    cells: tuple[str, ...]
    exponent: float
    without: str
    most: float
    reason: str
    sources: tuple[str, ...]

    def at(self, level: float, value: float, without: float) -> float:
        """The parameter where `level` of the gene's activity is left."""
        return float(min(without + (value - without) * level**self.exponent, max(self.most, value)))


def read_genes(text: str, name: str) -> tuple[GeneEffect, ...]:
    """Read a table of genes.

    Raises
    ------
    EvidenceError
        With file and line, if a row has no reason, no source that is in the bibliography, or numbers that cannot be read.
    """
    found = []
    for place, row in rows_of(text, name, _COLUMNS):
        wrong = unknown_sources(row["source"])
        wrong += [f"'{column}' is not given" for column in _NEEDED if not row[column].strip()]
        if wrong:
            raise EvidenceError(f"{place}: {'; '.join(wrong)}")
        effect = GeneEffect(
            row["gene"],
            row["also"],
            row["parameter"],
            _listed(row["cells"]),
            number(row, "exponent", place, 1.0),
            row["without"],
            number(row, "most", place, math.inf),
            row["reason"],
            _listed(row["source"]),
        )
        if not effect.exponent > 0.0:
            raise EvidenceError(f"{place}: the exponent must be above 0, not {effect.exponent:g}")
        found.append(effect)
    return tuple(found)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(";") if part.strip())


@functools.cache
def load_genes() -> tuple[GeneEffect, ...]:
    """The table ``data/genes.csv``, which holds for all models that have its parameters."""
    path = files("paget") / "data" / "genes.csv"
    return read_genes(path.read_text(encoding="utf-8"), "genes.csv")


def gene_sources(genes: Iterable[str]) -> tuple[str, ...]:
    """Keys of the sources for what these genes act on, in the order of the table; nodes of networks have their own."""
    named = set(genes)
    found = (key for effect in load_genes() if effect.gene in named for key in effect.sources)
    return tuple(dict.fromkeys(found))


def aliases() -> dict[str, str]:
    """Other names of genes -> the symbol under which they stand here."""
    return {effect.also: effect.gene for effect in load_genes() if effect.also}


def unknown_gene(gene: str, known: Iterable[str]) -> PagetError:
    """The error for a gene that a model does not have, with the symbol that may be meant."""
    symbols, listed = {name.casefold(): symbol for name, symbol in aliases().items()}, tuple(known)
    symbol = symbols.get(gene.casefold())
    if symbol in listed:
        return StudyError(f"Unknown gene '{gene}'. Did you mean '{symbol}'?")
    return UnknownNameError("gene", gene, listed)
