"""Scattered single cells of a lumped organ, too many to be followed one by one: they die, sleep, wake, and found lesions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from paget.body.lesions import Lesions
from paget.body.lumped import affected
from paget.errors import LedgerError
from paget.kernels import lesions as kernels

__all__ = ["Founding", "Party", "Reservoir"]

Key = tuple[str, int, tuple[float, ...]]
Party = tuple[str, int, tuple[float, ...], int]


class Founding(NamedTuple):
    """Lesions that begin alike: how many, where, from where, of how many cycling cells each, with which records."""

    site: str
    origin: int
    records: tuple[float, ...]
    cells: int
    lesions: int


class Reservoir:
    """Dormant single cells by site, site of origin and records, as numbers.

    Cells that arrive survive or not, and fall dormant or found a lesion, with the shares of their site; dormant cells die and
    wake with its rates. Both are drawn exactly, so that a reservoir does what single lesions of one cell each would do.
    """

    def __init__(self, lesions: Lesions, records: int, flag: int = -1) -> None:
        self._lesions, self._records, self._flag = lesions, records, flag
        self._dormant: dict[Key, int] = {}
        self.arrived = self.died = self.founded = self.removed = 0

    def advance(
        self,
        came: Mapping[Party, int],
        dt: float,
        key: np.uint64,
        tick: int,
        effects: Mapping[tuple[str, str], float],
    ) -> list[Founding]:
        """Take those who came, and let all live for a tick of `dt` h; who founds a lesion.

        came : (site, origin, records, cells of a party) -> parties. effects : (site, name) -> number, as lesions have them
        """
        table = affected(self._lesions.table_of_sites, self._lesions.names, effects)
        chance = np.random.Generator(np.random.Philox(key=[int(key), tick]))
        found: dict[Party, int] = {}
        self._wake(table, dt, chance, found)
        for party in sorted(came):
            self._settle(party, came[party], table, chance, found)
        self._balance()
        return [Founding(*party, count) for party, count in sorted(found.items())]

    def _row(self, table: NDArray[np.float64], site: str) -> NDArray[np.float64]:
        row: NDArray[np.float64] = table[self._lesions.names.index(site)]
        return row

    def _wake(
        self, table: NDArray[np.float64], dt: float, chance: np.random.Generator, found: dict[Party, int]
    ) -> None:
        """Dormant cells die or wake; each that wakes founds a lesion."""
        left: dict[Key, int] = {}
        for place in sorted(self._dormant):
            row, sleeping = self._row(table, place[0]), self._dormant[place]
            loss, waking = row[kernels.DORMANT_LOSS], row[kernels.AWAKENING]
            gone = int(chance.binomial(sleeping, -math.expm1(-(loss + waking) * dt)))
            woke = int(chance.binomial(gone, waking / (loss + waking))) if gone else 0
            self.died += gone - woke
            self.founded += woke
            if woke:
                party = (*place, 1)
                found[party] = found.get(party, 0) + woke
            if sleeping > gone:
                left[place] = sleeping - gone
        self._dormant = left

    def _settle(
        self,
        party: Party,
        parties: int,
        table: NDArray[np.float64],
        chance: np.random.Generator,
        found: dict[Party, int],
    ) -> None:
        """Cells of parties die, sleep, or cycle, each for itself; those of a party that cycle found one lesion together.

        The numbers of parties with 0, 1 ... cycling cells are multinomial; of all other cells, the dormant ones binomial. A
        dormant cell of a party counts as a single one from here on.
        """
        site, origin, records, size = party
        row = self._row(table, site)
        cycling = row[kernels.SURVIVAL] * (1.0 - row[kernels.DORMANT])
        sleeping = row[kernels.SURVIVAL] * row[kernels.DORMANT]
        numbers = np.arange(size + 1)
        shares = binom.pmf(numbers, size, cycling) if size > 1 else np.array([1.0 - cycling, cycling])
        groups = chance.multinomial(parties, shares / shares.sum())
        others = parties * size - int(groups @ numbers)
        asleep = int(chance.binomial(others, min(sleeping / (1.0 - cycling), 1.0))) if others and cycling < 1.0 else 0
        self.arrived += parties * size
        self.died += others - asleep
        for cells in np.flatnonzero(groups[1:]) + 1:
            founders = (site, origin, records, int(cells))
            found[founders] = found.get(founders, 0) + int(groups[cells])
            self.founded += int(cells * groups[cells])
        if asleep:
            at = self._marked((site, origin, records))
            self._dormant[at] = self._dormant.get(at, 0) + asleep

    def _marked(self, place: Key) -> Key:
        """The same with the record that says that a cell was once dormant."""
        if self._flag < 0:
            return place
        records = list(place[2])
        records[self._flag] = 1.0
        return place[0], place[1], tuple(records)

    def _balance(self) -> None:
        if self.arrived != self.died + self.founded + self.removed + self.cells():
            raise LedgerError(
                f"Of {self.arrived} scattered cells, {self.died} died, {self.founded} founded lesions, {self.removed} were "
                f"removed and {self.cells()} are there."
            )

    def cells(self, site: str = "") -> int:
        """Dormant single cells of a site, or of all."""
        return sum(n for (where, _, _), n in self._dormant.items() if site in ("", where))

    def remove(self, site: str) -> int:
        """Take out all of a site; how many."""
        gone = {key: n for key, n in self._dormant.items() if key[0] == site}
        for key in gone:
            del self._dormant[key]
        self.removed += sum(gone.values())
        return sum(gone.values())

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything that changes, as arrays."""
        names = self._lesions.names
        rows = [[names.index(s), o, n, *records] for (s, o, records), n in sorted(self._dormant.items())]
        return {
            "dormant": np.array(rows, np.float64).reshape(-1, 3 + self._records),
            "tally": np.array([self.arrived, self.died, self.founded, self.removed], np.int64),
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what `state` returned."""
        names = self._lesions.names
        self._dormant = {
            (names[int(row[0])], int(row[1]), tuple(row[3:].tolist())): int(row[2]) for row in state["dormant"]
        }
        self.arrived, self.died, self.founded, self.removed = (int(n) for n in state["tally"])
