"""Lesions of one body at its sites without a tissue: who they are, how many cells they have, and what happens to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from paget.body.lumped import LumpedSite, affected, resolved
from paget.body.values import Numbers
from paget.errors import IdentityError, LedgerError, ModelError, NumericalError, UnknownNameError
from paget.evidence import load_parameters
from paget.kernels import lesions as kernels
from paget.kernels.philox import normals

__all__ = ["Account", "LesionStep", "Lesions", "Shed"]

Real = NDArray[np.float64]
Whole = NDArray[np.int64]
Ids = NDArray[np.uint64]
Truth = NDArray[np.bool_]

_FOR_LIFE = -1
_COLUMNS: dict[str, tuple[Any, float]] = {
    "id": (np.uint64, 0),
    "site": (np.int64, 0),
    "arriving": (np.float64, 0.0),
    "cycling": (np.float64, 0.0),
    "dormant": (np.float64, 0.0),
    "founders": (np.float64, 0.0),
    "founded_at": (np.float64, 0.0),
    "awoken_at": (np.float64, np.inf),
    "visible_at": (np.float64, np.inf),
    "mother": (np.uint64, 0),
    "origin": (np.int64, -1),
    "ever_dormant": (np.bool_, False),
    "growth": (np.float64, np.nan),
}
_FLOWS = ("arrived", "born", "died", "left", "removed")


class Shed(NamedTuple):
    """Parties that left lesions in a step, by row of the lesion, or counted where a lesion shed many.

    row, size (cells in each), parties, medium (0 blood, 1 lymph), when (h); all [k]
    An entry of one party has its own moment; one of more stands for parties spread over the step, at the middle of their times.
    """

    row: Whole
    size: Real
    parties: Real
    medium: Whole
    when: Real


class LesionStep(NamedTuple):
    """What happened to lesions in one step; rows are those of `ids`, `site` and `records`, in ascending order of id.

    ids, site : [n]; records : [k, n]; born, died, left : cells [n]
    shed : what left; awoken, awoken_at : rows of wholly dormant lesions whose first cell woke, and when (h)
    seen, seen_at : rows of lesions that became large enough to be seen, and when; extinct : rows of lesions without a cell left
    """

    ids: Ids
    site: Whole
    records: Real
    born: Real
    died: Real
    left: Real
    shed: Shed
    awoken: Whole
    awoken_at: Real
    seen: Whole
    seen_at: Real
    extinct: Whole


class Account(NamedTuple):
    """Cells of one site since the start: arrived + born - died - left - removed = present, exactly."""

    arrived: int
    born: int
    died: int
    left: int
    removed: int
    present: int


class Lesions:
    """The lesions at all lumped sites of one body.

    sites : what is known of each organ
    numbers : looks up rows of parameter tables for this animal or patient; by default the table ``lesions``
    records : names of numbers that every lesion carries, such as ("cell.clone",)

    Examples
    --------
    >>> import numpy as np
    >>> from paget.body.growth_laws import exponential
    >>> from paget.process import quantity
    >>> lung = LumpedSite(name="lung", growth=exponential(quantity("2 day", reason="an example")), dormancy=0)
    >>> lesions = Lesions((lung,))
    >>> lesions.seed("lung", ids=[1], cells=[5], when=3.0)
    >>> step = lesions.advance(now=0.0, dt=24.0, key=np.uint64(7), tick=0)
    >>> lesions.account("lung").present == lesions.cells("lung")
    True
    """

    def __init__(
        self, sites: Sequence[LumpedSite], numbers: Numbers | None = None, records: Sequence[str] = ()
    ) -> None:
        self.sites = tuple(sites)
        self.names = tuple(site.name for site in self.sites)
        self.records = tuple(records)
        self._table, self._sizes, self._sigma = resolved(self.sites, numbers or Numbers(load_parameters("lesions")))
        self._flows = np.zeros((len(self.sites), len(_FLOWS)))
        self._columns: dict[str, NDArray[Any]] = {name: np.empty(0, kind) for name, (kind, _) in _COLUMNS.items()}
        self._records: Real = np.empty((len(self.records), 0))

    @property
    def table_of_sites(self) -> Real:
        """The sites in numbers [sites, COLUMNS], as `paget.kernels.lesions` names them."""
        return self._table

    def __len__(self) -> int:
        """Lesions with at least one cell."""
        return int(np.count_nonzero(self._present > 0.0))

    # ---- what is there ------------------------------------------------------------------------------------------
    @property
    def _present(self) -> Real:
        found: Real = self._columns["arriving"] + self._columns["cycling"] + self._columns["dormant"]
        return found

    def _index(self, site: str) -> int:
        if site not in self.names:
            raise UnknownNameError("lumped site", site, self.names)
        return self.names.index(site)

    def column(self, name: str) -> NDArray[Any]:
        """One column [n] by name, a copy: those of `table`, with sites as their places in `names`, or a record."""
        if name in self.records:
            return np.array(self._records[self.records.index(name)])
        if name == "cells":
            return self._present
        if name not in self._columns:
            raise UnknownNameError("column of lesions", name, (*self._columns, "cells", *self.records))
        return self._columns[name].copy()

    def cells(self, site: str, kind: str = "all") -> int:
        """Cells at a site: "all", "cycling" or "dormant" (newcomers, who have not decided, belong only to all)."""
        if kind not in ("all", "cycling", "dormant"):
            raise UnknownNameError("kind of cells", kind, ("all", "cycling", "dormant"))
        counts = self._present if kind == "all" else self._columns[kind]
        return int(counts[self._columns["site"] == self._index(site)].sum())

    def count(self, site: str, above: float = 1.0) -> int:
        """Lesions at a site with at least so many cells."""
        return int(np.count_nonzero((self._columns["site"] == self._index(site)) & (self._present >= above)))

    def account(self, site: str) -> Account:
        """The ledger of a site."""
        row = self._index(site)
        return Account(*(int(x) for x in (*self._flows[row], self.cells(site))))

    def table(self) -> pd.DataFrame:
        """Lesions with cells, one row each, in ascending order of id; times in h since the body's start."""
        frame = pd.DataFrame({name: values for name, values in self._columns.items() if name != "site"})
        frame.insert(1, "site", np.array([*self.names, ""], dtype=object)[self._columns["site"]])
        frame.insert(2, "cells", self._present)
        for name, values in zip(self.records, self._records, strict=True):
            frame[name] = values
        return frame[frame["cells"] > 0.0].reset_index(drop=True)

    # ---- who comes and goes -------------------------------------------------------------------------------------
    def seed(
        self,
        site: str | Whole,
        ids: Sequence[int] | Ids,
        cells: Sequence[float] | Real,
        when: float | Sequence[float] | Real,
        records: Mapping[str, Any] | None = None,
        mother: Sequence[int] | Ids | int = 0,
        origin: Sequence[int] | Whole | int = -1,
        settled: bool = False,
    ) -> None:
        """Let founders begin lesions; what becomes of them is decided when the lesions next advance.

        site : its name, or places [m] in `names`; ids : uint64 [m], new to this body; cells : whole [m];
            when : h, within the coming step or earlier
        records : name -> values [m] or one value, all of `self.records`
        mother : ids of the lesions that they come from, 0 for none; origin : the caller's index of the site of origin
        settled : they are no newcomers: all survive and cycle

        Raises
        ------
        ModelError, IdentityError, UnknownNameError
        """
        row: int | Whole = self._index(site) if isinstance(site, str) else np.asarray(site, np.int64)
        given = dict(records or {})
        fresh = np.asarray(ids, np.uint64)
        amount = np.asarray(cells, np.float64)
        wrong = []
        if missing := [name for name in self.records if name not in given]:
            wrong.append(f"the records {', '.join(missing)} are missing")
        if unknown := [name for name in given if name not in self.records]:
            wrong.append(f"the records {', '.join(unknown)} were not named when the lesions were made")
        if fresh.shape != amount.shape or fresh.ndim != 1:
            wrong.append(f"{fresh.size} ids and {amount.size} numbers of cells were given; one of each is needed")
        if np.any((amount < 1.0) | (amount != np.floor(amount)) | (amount >= kernels.MOST)):
            wrong.append("a lesion is founded by a whole number of cells, at least one and below 2**53")
        if not np.all(np.isfinite(np.asarray(when, np.float64))):
            wrong.append("the time of founding must be finite")
        if wrong:
            raise ModelError(f"Lesions cannot be founded at '{site}':", wrong)
        columns = {name: np.full(fresh.size, default, kind) for name, (kind, default) in _COLUMNS.items()}
        columns["id"], columns["site"][:] = fresh.copy(), row
        columns["cycling" if settled else "arriving"][:] = amount
        columns["founders"][:], columns["founded_at"][:] = amount, when
        columns["mother"][:], columns["origin"][:] = mother, origin
        carried = np.empty((len(self.records), fresh.size))
        for i, name in enumerate(self.records):
            carried[i] = given[name]
        self._merge(columns, carried)
        np.add.at(self._flows[:, 0], row, amount if isinstance(row, np.ndarray) else amount.sum())

    def _merge(self, columns: Mapping[str, NDArray[Any]], carried: Real) -> None:
        """Take new rows in, in ascending order of id, so that the order of arrival leaves no trace."""
        ids = np.concatenate([self._columns["id"], columns["id"]])
        order = np.argsort(ids, kind="stable")
        twice = ids[order[1:]][ids[order[1:]] == ids[order[:-1]]]
        if twice.size:
            raise IdentityError(f"two lesions would carry the id {twice[0]}")
        self._columns = {name: np.concatenate([old, columns[name]])[order] for name, old in self._columns.items()}
        self._records = np.concatenate([self._records, carried], axis=1)[:, order]

    def _keep(self, kept: Truth) -> None:
        if not kept.all():
            self._columns = {name: values[kept] for name, values in self._columns.items()}
            self._records = self._records[:, kept]

    def resect(self, site: str, ids: Sequence[int] | Ids | None = None) -> int:
        """Remove all lesions of a site, or only those with the given ids; returns the cells removed."""
        row = self._index(site)
        taken = self._columns["site"] == row
        if ids is not None:
            taken &= np.isin(self._columns["id"], np.asarray(ids, np.uint64))
        removed = self._present[taken].sum()
        self._flows[row, 4] += removed
        self._keep(~taken)
        return int(removed)

    # ---- time ---------------------------------------------------------------------------------------------------
    def advance(
        self,
        now: float,
        dt: float,
        key: np.uint64,
        tick: int,
        effects: Mapping[tuple[str, str], float] | None = None,
    ) -> LesionStep:
        """Let all lesions live from `now` to `now` + `dt` h.

        key : of this body's lesions, the same for all ticks; tick : counts the steps
        effects : (site, name) -> number; see `paget.body.lumped.affected`

        Raises
        ------
        NumericalError
            If a lesion grows beyond 2**53 cells.
        LedgerError
            If cells appeared or vanished without an event.
        """
        table = affected(self._table, self.names, effects or {})
        self._keep(self._present > 0.0)
        c = self._columns
        n, new = c["id"].size, np.isnan(c["growth"])
        spans = np.full(n, float(dt))
        if new.any():
            spans[new] = now + dt - c["founded_at"][new]
            if np.any(spans[new] < 0.0):
                raise ModelError(f"Lesions are founded after the step from {now:g} h that lasts {dt:g} h.")
            z = normals(key, c["id"][new], _FOR_LIFE, 1)[:, 0]
            c["growth"][new] = np.exp(self._sigma[c["site"][new]] * z)
        out = np.empty((5, n))
        shed = kernels.advance(
            0,
            n,
            c["site"],
            c["id"],
            c["arriving"],
            c["cycling"],
            c["dormant"],
            spans,
            c["growth"],
            dt,
            table,
            self._sizes,
            key,
            tick,
            out,
        )
        if not np.all(c["cycling"] < kernels.MOST):
            beyond = int(np.flatnonzero(~(c["cycling"] < kernels.MOST))[0])
            raise NumericalError(
                f"Lesion {c['id'][beyond]} at '{self.names[c['site'][beyond]]}' grew beyond 2**53 cells in the step from "
                f"{now:g} h. Give its law of growth a limit, or remove it earlier."
            )
        born, died, left, woke, seen_in = out
        woken = np.flatnonzero(np.isfinite(woke))
        c["awoken_at"][woken] = np.minimum(c["awoken_at"][woken], now + woke[woken])
        c["ever_dormant"] |= ((c["cycling"] == 0.0) & (c["dormant"] > 0.0)) | np.isfinite(woke)
        seen = np.flatnonzero(np.isfinite(seen_in) & np.isinf(c["visible_at"]))
        c["visible_at"][seen] = now + seen_in[seen]
        for column, flow in ((1, born), (2, died), (3, left)):
            self._flows[:, column] += np.bincount(c["site"], weights=flow, minlength=len(self.sites))
        self._balance(now + dt)
        return LesionStep(
            ids=c["id"],
            site=c["site"],
            records=self._records,
            born=born,
            died=died,
            left=left,
            shed=Shed(shed[0].astype(np.int64), shed[1], shed[2], shed[3].astype(np.int64), now + shed[4]),
            awoken=woken,
            awoken_at=now + woke[woken],
            seen=seen,
            seen_at=c["visible_at"][seen],
            extinct=np.flatnonzero(self._present == 0.0),
        )

    def _balance(self, time: float) -> None:
        expected = self._flows @ np.array([1.0, 1.0, -1.0, -1.0, -1.0])
        present = np.bincount(self._columns["site"], weights=self._present, minlength=len(self.sites))
        for i in np.flatnonzero(expected != present):
            raise LedgerError(
                f"Cells at '{self.names[i]}' do not balance at {time:g} h: {expected[i]:.0f} by what came and went, "
                f"{present[i]:.0f} present."
            )

    # ---- stop and resume ----------------------------------------------------------------------------------------
    def state(self) -> dict[str, NDArray[Any]]:
        """Everything that changes, as arrays, for a checkpoint."""
        return {**{name: values.copy() for name, values in self._columns.items()}, "records": self._records.copy()} | {
            "flows": self._flows.copy()
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what `state` returned."""
        self._columns = {name: np.array(state[name], kind) for name, (kind, _) in _COLUMNS.items()}
        self._records, self._flows = np.array(state["records"]), np.array(state["flows"])
