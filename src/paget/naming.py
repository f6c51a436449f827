"""Which cell types a name in a study stands for."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["TUMOUR_CELL", "meant_types"]

TUMOUR_CELL = "tumour cell"


def meant_types(name: str, groups: Mapping[str, str]) -> frozenset[str]:
    """The types that a name stands for: the one of that name and those that qualify it; "tumour cell" means all of the tumour.

    groups : cell type -> its group

    >>> sorted(meant_types("neutrophil", {"neutrophil": "immune", "activated neutrophil": "immune"}))
    ['activated neutrophil', 'neutrophil']
    """
    found = {kind for kind in groups if kind == name or kind.endswith(f" {name}")}
    if name == TUMOUR_CELL:
        found |= {kind for kind, group in groups.items() if group == "tumour"}
    return frozenset(found)
