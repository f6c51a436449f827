"""Family trees as text: lineages of one animal in the Newick format, with New Hampshire X comments."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from paget.errors import ResultError
from paget.results.lineage import ALIVE, depths

__all__ = ["newick"]

Rows = npt.NDArray[np.int64]
_SPOILS_A_COMMENT = str.maketrans(dict.fromkeys(" :;,()[]='\"", "_"))


def newick(
    family: pd.DataFrame,
    *,
    founders: Collection[int] | None = None,
    types: Collection[str] | None = None,
    survivors: bool = False,
    joined: bool = False,
    comments: bool = True,
) -> str:
    """Family trees in the Newick format: cell ids as names, days as lengths of branches, one tree in a line.

    Parameters
    ----------
    family : every cell and its mother, as `paget.results.lineage.lineage` gives them.
    founders : ids of the founders whose trees are wanted; all if left out.
    types : cell types of which a family must have had a member, such as those of the tumour; any if left out.
    survivors : keep only the ancestors of cells alive at the end, and of these only those whose two daughters both have
        living progeny: the tree that a sequencing of the living could find.
    joined : put all trees under one root, and those of one clone under one branch, as the members of a clone had a common
        ancestor before the study began. These branches have no length.
    comments : write site (S), clone (C), type, fate and, of cells from elsewhere, origin, as in
        ``[&&NHX:S=lung:C=3:type=tumour_cell:fate=alive]``.

    Cells and lesions that were never seen as cells of a tissue, but only arrived somewhere, are left out.

    Raises
    ------
    ResultError
        If a founder is not known, or no family is left.
    """
    table = _chosen(family, founders, types)
    if survivors:
        table = _reconstructed(table)
    if table.empty:
        raise ResultError(
            "No family tree is left to write: "
            + ("no wanted cell has living progeny." if survivors else "no wanted cell was followed in this animal.")
        )
    mother = _mother_rows(table)
    ended, born = table["ended"].to_numpy(np.float64), table["born"].to_numpy(np.float64)
    length = ended - np.where(mother >= 0, ended[mother], born)
    names = [
        f"{cell}:{days:.6g}{told}"
        for cell, days, told in zip(
            table["cell"].tolist(), length.tolist(), _comments(table) if comments else [""] * len(table), strict=True
        )
    ]
    if joined:
        mother, names = _joined(table, mother, names)
    return "\n".join(_written(mother, names)) + "\n"


def _mother_rows(table: pd.DataFrame) -> Rows:
    """Row of each cell's mother, -1 for none; the table is in ascending order of id."""
    ids = table["cell"].to_numpy(np.uint64)
    there = table["mother"].notna().to_numpy()
    mother = np.full(ids.size, -1, np.int64)
    mother[there] = np.searchsorted(ids, table["mother"].to_numpy(np.uint64, na_value=0)[there])
    return mother


def _chosen(family: pd.DataFrame, founders: Collection[int] | None, types: Collection[str] | None) -> pd.DataFrame:
    table = family[(family["type"] != "").to_numpy()]
    if founders is not None:
        wanted = np.array(list(founders), dtype=np.uint64)
        unknown = wanted[~np.isin(wanted, family["founder"].to_numpy(np.uint64))]
        if unknown.size:
            raise ResultError(
                f"No event or stored frame of this animal names a founder {unknown[0]}; founders have no mother in "
                "the table of the lineage."
            )
        table = table[np.isin(table["founder"].to_numpy(np.uint64), wanted)]
    if types is not None:
        of_type = table["founder"].to_numpy(np.uint64)[table["type"].isin([*types]).to_numpy()]
        table = table[np.isin(table["founder"].to_numpy(np.uint64), of_type)]
    return table.reset_index(drop=True)


def _levels(mother: Rows) -> list[Rows]:
    """Rows by generation, founders first."""
    depth, _ = depths(mother)
    order = np.argsort(depth, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(depth[order])) + 1)


def _reconstructed(table: pd.DataFrame) -> pd.DataFrame:
    """The founders, branchings and leaves of the tree of the living; a branch runs from one to the next of these."""
    mother = _mother_rows(table)
    kept = (table["fate"] == ALIVE).to_numpy().copy()
    levels = _levels(mother)
    for rows in levels[:0:-1]:
        kept[mother[rows[kept[rows]]]] = True
    with_mother = kept & (mother >= 0)
    branches = np.bincount(mother[with_mother], minlength=mother.size)
    passed = kept & (mother >= 0) & (branches == 1)
    above = mother.copy()
    for rows in levels[1:]:
        over = rows[passed[mother[rows]]]
        above[over] = above[mother[over]]
    ids = table["cell"].to_numpy(np.uint64)
    pruned = table.assign(mother=pd.arrays.IntegerArray(ids[np.maximum(above, 0)], above < 0))
    chosen: pd.DataFrame = pruned[kept & ~passed].reset_index(drop=True)
    return chosen


def _comments(table: pd.DataFrame) -> list[str]:
    """A comment for each row; the few that differ are made once."""
    labels = ("S", "C", "type", "fate", "origin")
    columns = table[["site", "clone", "type", "fate", "origin"]].astype({"clone": "string"}).fillna("")
    codes, distinct = pd.MultiIndex.from_frame(columns).factorize()
    told = []
    for values in distinct:
        tags = [
            f"{label}={value.translate(_SPOILS_A_COMMENT)}"
            for label, value in zip(labels, values, strict=True)
            if value
        ]
        told.append(f"[&&NHX:{':'.join(tags)}]" if tags else "")
    return [told[code] for code in codes.tolist()]


def _joined(table: pd.DataFrame, mother: Rows, names: list[str]) -> tuple[Rows, list[str]]:
    """Add one root, and a branch for each clone that has more than one founder."""
    roots = np.flatnonzero(mother < 0)
    clone = table["clone"].to_numpy(np.int64, na_value=-1)[roots]
    many = [int(c) for c in np.unique(clone[clone >= 0]) if np.count_nonzero(clone == c) > 1]
    top = mother.size
    mother = np.concatenate([mother, np.full(len(many) + 1, top, np.int64)])
    mother[top], mother[roots] = -1, top
    for place, number in enumerate(many):
        mother[roots[clone == number]] = top + 1 + place
    return mother, [*names, "founders:0", *(f"clone_{number}:0[&&NHX:C={number}]" for number in many)]


def _written(mother: Rows, names: Sequence[str]) -> list[str]:
    """One text for each root, in the order of the rows.

    In the order in which a tree is written, every node comes after its daughters. A leaf opens as many brackets as it has
    ancestors of which it is the first leaf; a last daughter closes one.
    """
    n = mother.size
    levels = _levels(mother)
    size = np.ones(n, np.int64)
    for rows in levels[:0:-1]:
        np.add.at(size, mother[rows], size[rows])
    by_mother = np.lexsort((np.arange(n), mother))
    new = np.diff(mother[by_mother], prepend=np.int64(-2)) != 0
    is_first, is_last = np.zeros(n, bool), np.zeros(n, bool)
    is_first[by_mother] = new
    is_last[by_mother] = np.append(new[1:], True)
    written = np.cumsum(size[by_mother]) - size[by_mother]
    earlier = np.zeros(n, np.int64)  # nodes below the elder sisters
    earlier[by_mother] = written - np.repeat(written[new], np.diff(np.append(np.flatnonzero(new), n)))
    start, opened = earlier.copy(), np.zeros(n, np.int64)
    for rows in levels[1:]:
        above = mother[rows]
        start[rows] += start[above]
        opened[rows] = np.where(is_first[rows], opened[above] + 1, 0)
    opened[size > 1] = 0
    closing: Any = np.where(mother < 0, ";\n", np.where(is_last, ")", ","))
    order = np.argsort(start + size - 1)
    text = "".join(
        [
            f"{'(' * brackets}{names[row]}{close}"
            for row, brackets, close in zip(
                order.tolist(), opened[order].tolist(), closing[order].tolist(), strict=True
            )
        ]
    )
    return text.rstrip("\n").split("\n")
