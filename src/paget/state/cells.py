"""Cells as columns: one slot per cell, one column per variable; sums over cells go by id, not by slot."""

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
    """Columns of cell variables, in slots.

    A slot is reused when its cell is gone, and daughters take free slots, so that a birth or a death costs the same however
    many cells there are. The order of the slots therefore means nothing: `order` lists them by ascending id, and whatever
    sums over cells goes through it or sorts by id itself.

    ids : uint64 [n]. `real` and `whole` hold one row per variable, [n_variables, n]; all three are views of larger stores.
    """

    def __init__(self, variables: Sequence[Variable]) -> None:
        self.variables = tuple(variables)
        self._real_row = {v.name: i for i, v in enumerate(v for v in variables if not v.whole)}
        self._whole_row = {v.name: i for i, v in enumerate(v for v in variables if v.whole)}
        self._real_default = np.array([[v.default] for v in variables if not v.whole]).reshape(-1, 1)
        self._whole_default = np.array([[v.default] for v in variables if v.whole], dtype=np.int64).reshape(-1, 1)
        self._n = 0
        self._order: Whole | None = None
        self._ids: Ids = np.empty(0, np.uint64)
        self._real: Real = np.empty((len(self._real_row), 0))
        self._whole: Whole = np.empty((len(self._whole_row), 0), np.int64)

    def __len__(self) -> int:
        return self._n

    def __contains__(self, name: str) -> bool:
        return name in self._real_row or name in self._whole_row

    @property
    def ids(self) -> Ids:
        """Ids [n] of the cells, by slot."""
        return self._ids[: self._n]

    @property
    def real(self) -> Real:
        """All real variables [n_real, n], by slot."""
        return self._real[:, : self._n]

    @property
    def whole(self) -> Whole:
        """All whole variables [n_whole, n], by slot."""
        return self._whole[:, : self._n]

    @property
    def order(self) -> Whole:
        """Slots [n] in ascending order of id."""
        if self._order is None:
            self._order = np.argsort(self.ids)
        return self._order

    def column(self, name: str) -> NDArray[Any]:
        """The live column [n] of one variable, by slot."""
        if name in self._real_row:
            return cast("NDArray[Any]", self._real[self._real_row[name], : self._n])
        return cast("NDArray[Any]", self._whole[self._whole_row[name], : self._n])

    def real_row(self, name: str) -> int:
        """Row of a real variable in `real`."""
        return self._real_row[name]

    @property
    def position(self) -> Real:
        """Positions [3, n] in um: a live view of cell.x, cell.y and cell.z, which lie side by side."""
        first = self._real_row["cell.x"]
        return self._real[first : first + 3, : self._n]

    def _reserve(self, n: int) -> None:
        """Make room for `n` cells, with half as much again so that growth seldom copies."""
        if n <= self._ids.size:
            return
        capacity = max(n + n // 2, 64)
        for name in ("_ids", "_real", "_whole"):
            old = getattr(self, name)
            new = np.empty((*old.shape[:-1], capacity), old.dtype)
            new[..., : self._n] = old[..., : self._n]
            setattr(self, name, new)

    def restructure(self, keep: NDArray[np.bool_], new_ids: Ids, new_real: Real, new_whole: Whole) -> None:
        """Remove the cells that are not in `keep` [n] and let new ones in.

        Raises
        ------
        IdentityError
            If a new id is already taken.
        """
        holes = np.flatnonzero(~keep)
        self._refuse_taken(keep, new_ids)
        n, added = self._n, new_ids.size
        filled = min(holes.size, added)
        self._reserve(n + added - filled)
        targets = np.concatenate([holes[:filled], np.arange(n, n + added - filled)])
        self._ids[targets], self._real[:, targets], self._whole[:, targets] = new_ids, new_real, new_whole
        self._n = n + added - filled
        holes = holes[filled:]
        if holes.size:
            # The last cells move into the holes that are left below the new end.
            end = self._n - holes.size
            low = holes[holes < end]
            moved = np.setdiff1d(np.arange(end, self._n), holes, assume_unique=True)
            self._ids[low], self._real[:, low], self._whole[:, low] = (
                self._ids[moved],
                self._real[:, moved],
                self._whole[:, moved],
            )
            self._n = end
        if self._ids.size > 4096 and self._n < self._ids.size // 4:
            self._ids, self._real, self._whole = self.ids.copy(), self.real.copy(), self.whole.copy()
        self._order = None

    def _refuse_taken(self, keep: NDArray[np.bool_], new_ids: Ids) -> None:
        if not new_ids.size:
            return
        fresh = np.sort(new_ids)
        twice = fresh[1:][fresh[1:] == fresh[:-1]]
        if not twice.size:
            near = fresh[np.minimum(np.searchsorted(fresh, self.ids), fresh.size - 1)]
            twice = self.ids[(near == self.ids) & keep]
        if twice.size:
            raise IdentityError(f"two cells would carry the id {twice[0]}")

    def permute(self, slots: Whole) -> None:
        """Rearrange the cells in memory, which changes no result: `slots` [n] lists the present slots in their new order."""
        self._ids[: self._n], self._real[:, : self._n], self._whole[:, : self._n] = (
            self.ids[slots],
            self.real[:, slots],
            self.whole[:, slots],
        )
        self._order = None

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
        """The exact state in ascending order of id, for a checkpoint."""
        return {"ids": self.ids[self.order], "real": self.real[:, self.order], "whole": self.whole[:, self.order]}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take over the exact state of a checkpoint."""
        self._ids, self._real, self._whole = (np.array(state[k], order="C") for k in ("ids", "real", "whole"))
        self._n, self._order = int(self._ids.size), None
