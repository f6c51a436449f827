"""One run of the model of metastatic spread: tick by tick, with a balanced account of cells, to be stopped and resumed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from paget.catalogue.metaspread.layout import place_founders, place_vessels
from paget.catalogue.metaspread.rates import PerTick
from paget.catalogue.metaspread.rows import History, Rows
from paget.catalogue.metaspread.settings import KINDS, MetaSpread
from paget.engine.chance import Chance
from paget.errors import LedgerError, ResultError, UnknownNameError
from paget.kernels import lattice

__all__ = ["MetaSpreadRun"]

State = dict[str, NDArray[np.generic]]
BLOOD = "blood"
ENTRY = ("step", "x", "y", *KINDS, "vessel", "opened by")
ARRIVAL = ("step", "grid", "vessel", *KINDS, "without room", "cells")
SETTLED = ("step", "cell", "type", "grid", "x", "y", "founder")


class MetaSpreadRun:
    """The model of metastatic spread in one body.

    A tick lets clusters out of the blood, advances enzyme and matrix, divides cells and moves them, in this order.
    The result is a pure function of settings, seed and animal, whatever the order of the rows of a restored state.
    """

    def __init__(self, settings: MetaSpread, seed: int, animal: int = 0) -> None:
        self.settings, self.seed, self.animal = settings, seed, animal
        p = self._p = settings.values
        self.tick: float = p.tick  # h
        chance = Chance(seed, animal)
        self._key_moves = chance.key("metaspread/moves")
        self._keys_blood = np.array([chance.key("metaspread/leaving"), chance.key("metaspread/arriving")], np.uint64)
        place, kind = place_founders(settings, chance)
        self._vessel, self._vessels, self._first = place_vessels(settings, chance)
        shape = self._vessel.shape
        self._rows = Rows(place, kind)
        self._count = np.zeros((shape[0], 2, *shape[1:]), np.int32)
        np.add.at(self._count[0], (kind, *place), 1)
        self._mmp2, self._matrix, self._new = np.zeros(shape), np.ones(shape), np.empty(shape[1:])
        self._secreting: NDArray[np.bool_] = np.asarray(self._count[:, 0].any(axis=(1, 2)))
        self._tally = np.zeros((shape[0] + 1, 2), np.int64)
        self._entries, self._arrivals, self._settled = History(ENTRY), History(ARRIVAL), History(SETTLED)
        self._negative = np.zeros(2, np.int64)
        self.steps = 0
        self._born = self._died = self._no_room = 0
        self._rates = PerTick.of(settings)
        self._balance()

    @property
    def time(self) -> float:
        """Hours since the start."""
        return self.steps * self.tick

    @property
    def living(self) -> int:
        """Cells on all grids and in blood."""
        return self._rows.n

    def step(self) -> None:
        """Advance by one tick.

        Raises
        ------
        LedgerError
            If cells appeared or vanished without an event.
        """
        self._release()
        self._advance_fields()
        self._divide()
        self._move()
        self.steps += 1
        self._balance()

    def _release(self) -> None:
        entered = self.steps - self._rates.in_blood
        begin, end = np.searchsorted(self._entries.lines[:, 0], (entered, entered + 1))
        if begin == end:
            return
        c, r = self._rows, self._rates
        cluster = c.cluster[: c.n]
        due = np.flatnonzero((cluster >= begin) & (cluster < end))
        due = due[np.lexsort((c.kind[due], cluster[due]))]
        arrivals = np.empty((due.size, 6), np.int64)
        n = lattice.release(
            due, c.ids, c.kind, c.grid, c.place, c.cluster, self._count, self._vessels, self._first, r.share,
            r.leaving, r.survival, self._p.room, self.steps, self._keys_blood, arrivals,
        )  # fmt: skip
        self._arrivals.add(np.column_stack([np.full(n, self.steps), arrivals[:n]]))
        self._secreting[arrivals[:n, 0][arrivals[:n, 2] > 0]] = True
        came = due[c.grid[due] >= 0]
        cells = (c.ids[came], c.kind[came], c.grid[came], *c.place[:, came], c.founder[came])
        self._settled.add(
            np.column_stack([np.full(came.size, self.steps), *(column.astype(np.int64) for column in cells)])
        )
        dead, no_room = c.drop_lost()
        self._died += dead
        self._no_room += no_room

    def _advance_fields(self) -> None:
        """Advance the grids that have or had mesenchymal cells, which reach a grid only through the blood.

        Everywhere else there is no enzyme, so that m' = spread 0 + keep 0 + make 0 = 0 and w' = w (1 - 0) = w, bit for bit.
        """
        r = self._rates
        for g in np.flatnonzero(self._secreting):
            lattice.advance_fields(
                self._count[g, 0], self._mmp2[g], self._matrix[g], self._new,
                r.spread, r.keep, r.make, r.digest, r.late,
            )  # fmt: skip

    def _divide(self) -> None:
        c = self._rows
        for kind in range(2):
            if self.steps == 0 or self.steps % self._rates.doubling[kind]:
                continue
            c.reserve(2 * c.n)
            n = lattice.divide(
                kind, self._p.room, c.n, c.ids, c.kind, c.grid, c.place, c.cluster, c.founder, self._count,
                np.uint64(self._p.founders + self._born),
            )  # fmt: skip
            self._born += n - c.n
            c.n = n

    def _move(self) -> None:
        c, r = self._rows, self._rates
        there = lattice.shuffle(c.n, c.ids, c.grid, self.steps, self._key_moves, c.order, c.word, c.u, c.bucket)
        found = lattice.move(
            c.order[:there], c.u, c.n, c.kind, c.grid, c.place, c.cluster, self._count, self._vessel, self._matrix,
            r.walk, self._p.room, r.clip, r.limited, self._entries.n, c.events, self._negative,
        )  # fmt: skip
        if found:
            self._entries.add(np.column_stack([np.full(found, self.steps), c.events[:found]]))

    def _balance(self) -> None:
        """Cells that started or were born are on grids, in blood, or lost for a reason that has a name."""
        c = self._rows
        lattice.tally(c.n, c.kind, c.grid, self._tally)
        present, blood = int(self._tally[:-1].sum()), int(self._tally[-1].sum())
        came = self._p.founders + self._born
        entered = int(self._entries.lines[:, 3:5].sum()) if self._entries.n else 0
        settled = int(self._arrivals.lines[:, 3:5].sum()) if self._arrivals.n else 0
        lost = self._died + self._no_room
        if came != present + blood + lost or entered != settled + blood + lost:
            raise LedgerError(
                f"cells do not balance after step {self.steps}: {self._p.founders} founders + {self._born} born = {came}, "
                f"but {present} are on grids, {blood} in blood, {self._died} died there and {self._no_room} found no room "
                f"at a vessel; {entered} entered the blood and {settled} left it alive"
            )

    def check(self) -> None:
        """Compare the sites with the cells that stand on them; `LedgerError` if they differ."""
        c = self._rows
        on = c.grid[: c.n] >= 0
        counted = np.zeros_like(self._count)
        np.add.at(counted, (c.grid[: c.n][on], c.kind[: c.n][on], *c.place[:, : c.n][:, on]), 1)
        wrong = np.argwhere(counted != self._count)
        if wrong.size:
            g, kind, x, y = wrong[0]
            raise LedgerError(
                f"after step {self.steps}, {len(wrong)} sites do not hold the cells that stand on them; the first is site "
                f"({x}, {y}) of {self.settings.grids[g]}: {self._count[g, kind, x, y]} {KINDS[kind]} cells noted, "
                f"{counted[g, kind, x, y]} there"
            )

    def _index(self, grid: str) -> int:
        if grid not in self.settings.grids:
            raise UnknownNameError("grid", grid, self.settings.grids)
        return self.settings.grids.index(grid)

    def readouts(self) -> dict[str, float]:
        """What is reported of this moment, by name. Totals count from the start.

        Radii (um, about the centre of mass), occupied sites and means of the fields are those of the primary grid.
        """
        p, c = self._p, self._rows
        self.check()
        entries, arrivals = self._entries.lines, self._arrivals.lines
        found: dict[str, float] = {}
        for g, name in enumerate(self.settings.grids):
            for kind in range(2):
                found[f"{KINDS[kind]} cells in {name}"] = int(self._tally[g, kind])
        clusters = np.unique(c.cluster[: c.n][c.grid[: c.n] == lattice.BLOOD], return_counts=True)[1]
        for kind in range(2):
            found[f"{KINDS[kind]} cells in blood"] = int(self._tally[-1, kind])
        found["clusters in blood"] = clusters.size
        found["multicellular clusters in blood"] = int((clusters > 1).sum())
        sizes = entries[:, 3:5].sum(axis=1)
        found["entries into blood"] = len(entries)
        found["single entries into blood"] = int((sizes == 1).sum())
        found["cluster entries into blood"] = int((sizes > 1).sum())
        found["cells entered blood"] = int(sizes.sum())
        for g, name in enumerate(self.settings.grids[1:], start=1):
            found[f"arrivals in {name}"] = int((arrivals[:, 1] == g).sum())
        found["cells arrived"] = int(arrivals[:, 3:5].sum())
        found["cells died in blood"] = self._died
        found["cells without room"] = self._no_room
        found["cells born"] = self._born
        settled = p.founders + self._born + found["cells arrived"]
        on_grids = int(self._tally[:-1].sum())
        found["all cells"] = settled if self.settings.has("total") else on_grids
        there = c.place[:, : c.n][:, c.grid[: c.n] == 0].astype(float)
        middle = there.mean(axis=1, keepdims=True) if there.size else there
        away = np.sqrt(((there - middle) ** 2).sum(axis=0)) * p.spacing
        found["rms radius"] = float(np.sqrt((away**2).mean())) if away.size else 0.0
        found["largest radius"] = float(away.max(initial=0.0))
        found["occupied sites"] = int(self._count[0].any(axis=0).sum())
        found["mean matrix"] = float(self._matrix[0].mean())
        found["mean mmp2"] = float(self._mmp2[0].mean())
        for kind in range(2):
            found[f"negative probabilities of {KINDS[kind]} cells"] = int(self._negative[kind])
        return found

    def cells(self) -> pd.DataFrame:
        """All living cells: id, type, grid (or ``blood``), x and y in um (of where it entered, in blood), founder, cluster."""
        c, spacing = self._rows, self._p.spacing
        names = np.array([*self.settings.grids, BLOOD])
        return pd.DataFrame(
            {
                "id": c.ids[: c.n],
                "type": np.array(KINDS)[c.kind[: c.n]],
                "grid": names[c.grid[: c.n]],
                "x": c.place[0, : c.n] * spacing,
                "y": c.place[1, : c.n] * spacing,
                "founder": c.founder[: c.n],
                "cluster": c.cluster[: c.n],
            }
        )

    def fields(self, grid: str | None = None) -> dict[str, NDArray[np.float64]]:
        """MMP-2 and matrix of all grids, [grids, n, n], or of one, [n, n]; the first axis of a grid is x.

        Raises
        ------
        UnknownNameError
        """
        which = slice(None) if grid is None else self._index(grid)
        return {"mmp2": self._mmp2[which].copy(), "matrix": self._matrix[which].copy()}

    def vessels(self, grid: str) -> pd.DataFrame:
        """Vessels of a grid: x and y in um, and whether each is ruptured; `UnknownNameError` for another name."""
        g = self._index(grid)
        x, y = self._vessels[:, self._first[g] : self._first[g + 1]]
        return pd.DataFrame(
            {"x": x * self._p.spacing, "y": y * self._p.spacing, "ruptured": self._vessel[g, x, y] == lattice.RUPTURED}
        )

    def entries(self) -> pd.DataFrame:
        """Every entry into the blood: step, site, cells of each kind, whether the vessel is ruptured, and who opened it."""
        table = pd.DataFrame(self._entries.lines, columns=list(ENTRY))
        table["vessel"] = np.where(table["vessel"] == lattice.RUPTURED, "ruptured", "normal")
        table["opened by"] = np.array(KINDS)[table["opened by"]]
        return table

    def arrivals(self) -> pd.DataFrame:
        """Every party that left the blood alive: step, grid, vessel, cells that settled, those without room, and all."""
        table = pd.DataFrame(self._arrivals.lines, columns=list(ARRIVAL))
        table["grid"] = np.array(self.settings.grids)[table["grid"]]
        return table

    def settled(self, since: int = 0) -> pd.DataFrame:
        """Every cell that left the blood alive and found room, from that number on: step, id, type, grid, x and y, founder."""
        table = pd.DataFrame(self._settled.lines[since:], columns=list(SETTLED))
        table["type"] = np.array(KINDS)[table["type"]]
        table["grid"] = np.array(self.settings.grids)[table["grid"]]
        return table.assign(x=table["x"] * self._p.spacing, y=table["y"] * self._p.spacing)

    def state(self) -> State:
        """All that a later run needs to go on, as arrays."""
        totals = np.array([self.steps, self._born, self._died, self._no_room, *self._negative], np.int64)
        return {
            "run": np.array([f"{self.settings.digest}/{self.seed}/{self.animal}"]),
            "totals": totals,
            "mmp2": self._mmp2.copy(),
            "matrix": self._matrix.copy(),
            "secreting": self._secreting.copy(),
            "entries": self._entries.lines.copy(),
            "arrivals": self._arrivals.lines.copy(),
            "settled": self._settled.lines.copy(),
            **self._rows.state(),
        }

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Go on from where `state` was taken.

        Raises
        ------
        ResultError
            If the state is of a run with other settings, another seed or another animal.
        """
        own, given = f"{self.settings.digest}/{self.seed}/{self.animal}", str(state["run"][0])
        if given != own:
            raise ResultError(
                f"this state is of the run {given} (settings/seed/animal), this run is {own}; restore it into a run of the "
                "same settings, seed and animal"
            )
        totals = [int(number) for number in state["totals"]]
        self.steps, self._born, self._died, self._no_room = totals[:4]
        self._negative[:] = totals[4:]
        self._mmp2[:], self._matrix[:] = state["mmp2"], state["matrix"]
        self._secreting[:] = state["secreting"]
        self._entries.restore(state["entries"].astype(np.int64))
        self._arrivals.restore(state["arrivals"].astype(np.int64))
        self._settled.restore(state["settled"].astype(np.int64))
        c = self._rows
        c.restore(dict(state))
        on = c.grid >= 0
        self._count[:] = 0
        np.add.at(self._count, (c.grid[on], c.kind[on], *c.place[:, on]), 1)
        self._balance()
