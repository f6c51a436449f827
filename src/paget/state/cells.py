"""Cells as columns: one row per cell, always in ascending order of id, so that sums over cells have one fixed order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from paget.errors import IdentityError
from paget.vocabulary import Variable

__all__ = ["Cells", "daughter_ids", "mix"]

Real = NDArray[np.float64]
Whole = NDArray[np.int64]
Ids = NDArray[np.uint64]


def mix(values: Ids, salt: int) -> Ids:
    """Turn ids into other ids: the finaliser of SplitMix64, a bijection (Steele et al. 2014, doi:10.1145/2660193.2660195)."""
    with np.errstate(over="ignore"):
        z = values + np.uint64((0x9E3779B97F4A7C15 * (2 * salt + 1)) % 2**64)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def daughter_ids(mothers: Ids) -> tuple[Ids, Ids]:
    """Ids of the two daughters of every mother; the mother's own id is not used again."""
    return mix(mothers, 1), mix(mothers, 2)


class Cells:
    """Columns of cell variables.

    ids : uint64 [n], ascending. `real` and `whole` hold one row per variable, [n_variables, n], contiguous in n.
    """

    def __init__(self, variables: Sequence[Variable]) -> None:
        self.variables = tuple(variables)
        self._real_row = {v.name: i for i, v in enumerate(v for v in variables if not v.whole)}
        self._whole_row = {v.name: i for i, v in enumerate(v for v in variables if v.whole)}
        self._real_default = np.array([[v.default] for v in variables if not v.whole])
        self._whole_default = np.array([[v.default] for v in variables if v.whole], dtype=np.int64).reshape(-1, 1)
        self.ids: Ids = np.empty(0, np.uint64)
        self.real: Real = np.empty((len(self._real_row), 0))
        self.whole: Whole = np.empty((len(self._whole_row), 0), np.int64)

    def __len__(self) -> int:
        return int(self.ids.size)

    def __contains__(self, name: str) -> bool:
        return name in self._real_row or name in self._whole_row

    def column(self, name: str) -> NDArray[Any]:
        """The live column [n] of one variable."""
        if name in self._real_row:
            return cast("NDArray[Any]", self.real[self._real_row[name]])
        return cast("NDArray[Any]", self.whole[self._whole_row[name]])

    def real_row(self, name: str) -> int:
        """Row of a real variable in `real`."""
        return self._real_row[name]

    @property
    def position(self) -> Real:
        """Positions [3, n] in um: a live view of cell.x, cell.y and cell.z, which lie side by side."""
        first = self._real_row["cell.x"]
        return self.real[first : first + 3]

    def restructure(self, keep: NDArray[np.bool_], new_ids: Ids, new_real: Real, new_whole: Whole) -> None:
        """Drop the rows that are not in `keep` and merge in new ones, in ascending order of id.

        Raises
        ------
        IdentityError
            If a new id is already taken.
        """
        ids = np.concatenate([self.ids[keep], new_ids])
        order = np.argsort(ids, kind="stable")
        ids = ids[order]
        if ids.size > 1 and bool((ids[1:] == ids[:-1]).any()):
            raise IdentityError(f"two cells would carry the id {ids[1:][ids[1:] == ids[:-1]][0]}")
        source = np.concatenate([np.flatnonzero(keep), np.arange(len(self), len(self) + new_ids.size)])[order]
        self.real = np.concatenate([self.real, new_real], axis=1).take(source, axis=1)
        self.whole = np.concatenate([self.whole, new_whole], axis=1).take(source, axis=1)
        self.ids = ids

    def blank(self, n: int) -> tuple[Real, Whole]:
        """Columns of `n` new cells with every variable at its default."""
        return np.repeat(self._real_default, n, axis=1), np.repeat(self._whole_default, n, axis=1)

    def rows_like(self, names: Mapping[str, Any], n: int) -> tuple[Real, Whole]:
        """Columns of `n` new cells: the given values, defaults elsewhere."""
        real, whole = self.blank(n)
        for name, values in names.items():
            if name in self._real_row:
                real[self._real_row[name]] = values
            else:
                whole[self._whole_row[name]] = values
        return real, whole

    def daughters(self, rows: Whole) -> tuple[Real, Whole]:
        """Columns that a daughter of each row inherits, by the rule of every variable."""
        real, whole = self.real[:, rows].copy(), self.whole[:, rows].copy()
        for variable in self.variables:
            columns, index = (whole, self._whole_row) if variable.whole else (real, self._real_row)
            if variable.inherit == "halve":
                columns[index[variable.name]] *= 0.5
            elif variable.inherit == "fresh":
                columns[index[variable.name]] = variable.default
        return real, whole

    def put(self, real: Real, whole: Whole, name: str, values: Any) -> None:
        """Write `values` into the column `name` of new rows that are not merged in yet."""
        if name in self._real_row:
            real[self._real_row[name]] = values
        else:
            whole[self._whole_row[name]] = values

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """The exact state, for a checkpoint."""
        return {"ids": self.ids, "real": self.real, "whole": self.whole}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take over the exact state of a checkpoint."""
        self.ids, self.real, self.whole = (np.ascontiguousarray(state[k]) for k in ("ids", "real", "whole"))
