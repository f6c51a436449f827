"""The blood of one animal: who is in it, and how all of them are carried through one tick."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from paget.body.blood.biology import BloodBiology
from paget.body.blood.happened import Walked, passage_of
from paget.body.blood.joining import joined
from paget.body.blood.passage import Counts, Passage
from paget.body.blood.shedding import State, bounds, entering, places
from paget.body.chain import Chain
from paget.errors import IdentityError, LedgerError, ModelError
from paget.kernels import blood as kernel

__all__ = ["Blood", "exposed"]

_OF_PARTY = ("name", "where", "size", "escort", "seen", "origin", "medium", "shed_at", "radius", "tension")
_OF_CELL = ("cell", "survival", "mesenchymal")


def exposed(chain: Chain) -> NDArray[np.float64]:
    """Which nodes carry blood, 1 or 0 [nodes]: those that a cell comes back to; lymph flows one way.

    In lymph there is next to no shear stress, and its natural killer cells are those of the blood that do not follow.
    """
    n = len(chain.names)
    reach = np.zeros((n, n), dtype=bool)
    for i in range(n):
        reach[i, chain.successor[chain.start[i] : chain.start[i + 1]]] = True
    for k in range(n):
        reach |= reach[:, k : k + 1] & reach[k]
    return np.ascontiguousarray(np.diag(reach).astype(np.float64))


class Blood:
    """Single tumour cells and clusters in the vessels of one body, each walked by its own exponential clocks.

    Parties keep a name for life; what breaks off is named after the lowest id among its cells, so that no ids are handed out
    in the blood. Results do not depend on threads, on the order in which parties were shed, or on stops between ticks.

    chain : the circulation; biology : the numbers; records : names of values that cells carry along untouched

    Assumes
        Every party is where it is alone, except that parties in flow may meet and join, at the end of a tick, as if blood were
        mixed well within it. A cluster leaves a vessel whole.
    """

    def __init__(self, chain: Chain, biology: BloodBiology, records: Sequence[str] = ()) -> None:
        biology.check(chain)
        self.chain, self.biology, self.records = chain, biology, tuple(records)
        self._exposure = exposed(chain)
        nothing = entering(chain, biology, self.records, np.zeros(0), 0, 0, np.zeros(0), *[None] * 7)
        self._state: State = nothing

    def shed(
        self,
        when: ArrayLike,
        origin: Any,
        medium: Any = "blood",
        *,
        members: ArrayLike,
        size: ArrayLike | None = None,
        ids: ArrayLike | None = None,
        survival: ArrayLike | None = None,
        mesenchymal: ArrayLike | None = None,
        radius: ArrayLike | None = None,
        tension: ArrayLike | None = None,
        records: ArrayLike | None = None,
    ) -> None:
        """Let parties leave a tissue; they enter the blood at their time, in the tick that covers it.

        when [n] : h; origin : index or name of the organ they leave, or n indices; medium : "blood", "lymph", or n times 0 or 1
        members : ids of cells, one party after the other; size [n] : cells of each, 1 if not given
        ids [n] : names of parties; if not given, the lowest id among its cells. They must not be ids of other cells.
        survival, mesenchymal [cells] : survival signal and mesenchymal share, from 0 to 1; radius (um), tension (mN/m) [n] : of
        the cells of a party; by default those of the biology, the tension by mesenchymal share
        records [names of records, cells]

        Raises
        ------
        ModelError, IdentityError, UnknownNameError
        """
        new = entering(
            self.chain, self.biology, self.records, when, origin, medium, members, size, ids, survival, mesenchymal, radius,
            tension, records,
        )  # fmt: skip
        for kind in ("name", "cell"):
            double = np.intersect1d(new[kind], self._state[kind])
            if double.size:
                raise IdentityError(
                    f"{'A party' if kind == 'name' else 'A cell'} with id {double[0]} is in the blood already"
                )
        self._state = _sorted({key: np.concatenate([self._state[key], new[key]], axis=-1) for key in new})

    def advance(
        self,
        now: float,
        dt: float,
        key: np.uint64 | int,
        tick: int,
        *,
        effects: Mapping[str, float] | None = None,
        threads: int = 1,
    ) -> Passage:
        """Carry all parties from `now` to now + dt (h) and say what happened.

        key : of the animal's stream; tick : number of the step, different in every call with one key
        effects : factors on hazards in this tick, see `BloodBiology.rates`

        Raises
        ------
        LedgerError
            If a cell appeared or vanished.
        """
        if not (np.isfinite(now) and 0.0 < dt < np.inf):
            raise ModelError(
                f"Time goes on by a finite number of hours above 0, from a finite time; given {dt} h from {now} h"
            )
        rates = self.biology.rates(effects)
        walked = self._walk(now, dt, np.uint64(key), tick, rates.numbers, rates.beds, threads)
        before = self._state["cell"].size
        staying, passage = passage_of(walked, self._state, self.chain, now)
        left, met = joined(_sorted(staying), len(self.chain.names), rates.pair, now, dt, np.uint64(key), tick)
        self._state = _sorted(left) if met.when.size else left
        after = self._state["cell"].size + passage.deaths.cell.size + passage.extravasations.cells.size
        if before != after or int(self._state["size"].sum()) != self._state["cell"].size:
            raise LedgerError(f"Blood: of {before} cells at {now:g} h, {after} are accounted for at {now + dt:g} h")
        return passage._replace(aggregations=met)

    def _walk(
        self,
        now: float,
        dt: float,
        key: np.uint64,
        tick: int,
        numbers: NDArray[np.float64],
        beds: NDArray[np.float64],
        threads: int,
    ) -> Walked:
        state, chain = self._state, self.chain
        first = bounds(state["size"])
        n, cells = state["name"].size, state["cell"].size
        walked = Walked.of(state, first)
        source = state["medium"] * (len(chain.organs) + 1) + state["origin"]
        arguments = (
            first, state["radius"], state["tension"], source, state["shed_at"] - now,
            walked.name, walked.where, walked.living, walked.escort, walked.seen, np.zeros(cells), walked.order,
            state["cell"], state["survival"], state["mesenchymal"],
            chain.transit, chain.organ, chain.start, chain.successor, chain.share,
            np.ascontiguousarray(chain.first).ravel(), chain.entry, chain.entry_share, self._exposure,
            numbers, beds, dt, key, tick,
            walked.died_at, walked.cause, walked.died_where, walked.died_in,
            walked.left_at, walked.held_at, walked.held_where,
            walked.split_at, walked.split_from, walked.split_size, walked.flowing, walked.hops,
        )  # fmt: skip
        if threads <= 1 or n < 2 * _PIECE:
            kernel.walk(0, n, *arguments)
            return walked
        with ThreadPoolExecutor(threads) as team:
            parts = [team.submit(kernel.walk, b, min(b + _PIECE, n), *arguments) for b in range(0, n, _PIECE)]
            for part in parts:
                part.result()
        return walked

    def counts(self) -> Counts:
        """How many are in the vessels; what waits to enter counts as in flow."""
        size, lodged = self._state["size"], self._state["where"] >= len(self.chain.names)
        flow = size[~lodged]
        return Counts(
            single=int(np.count_nonzero(flow == 1)),
            clusters=int(np.count_nonzero(flow > 1)),
            cells=int(flow.sum()),
            lodged=int(np.count_nonzero(lodged)),
            lodged_cells=int(size[lodged].sum()),
        )

    @property
    def cells(self) -> NDArray[np.uint64]:
        """Ids of all cells in the vessels, party by party."""
        return np.asarray(self._state["cell"], np.uint64).copy()

    def signal(self, *, survival: ArrayLike | None = None, mesenchymal: ArrayLike | None = None) -> None:
        """Set the survival signal or the mesenchymal share of all cells, in the order of `cells`, as their networks give it."""
        for name, given in (("survival", survival), ("mesenchymal", mesenchymal)):
            if given is None:
                continue
            values = np.asarray(given, np.float64)
            if values.shape != self._state[name].shape or not np.all((values >= 0.0) & (values <= 1.0)):
                raise ModelError(f"{name} is a share from 0 to 1 for each of {self._state[name].size} cells")
            self._state[name] = values.copy()

    def state(self) -> State:
        """Everything that `restore` needs, as arrays: parties in the order of their names, cells party by party.

        where : node; or number of nodes + node, lodged in the bed of that node; or -1, about to enter
        """
        return {key: values.copy() for key, values in self._state.items()}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go back to a state.

        Raises
        ------
        ModelError
            If arrays are missing or do not fit each other or the records.
        """
        missing = [key for key in self._state if key not in state]
        if missing:
            raise ModelError(f"The state of the blood lacks {', '.join(missing)}")
        new = {key: np.array(state[key], dtype=self._state[key].dtype) for key in self._state}
        parties, cells = new["name"].size, new["cell"].size
        wrong = [key for key in _OF_PARTY if new[key].shape != (parties,)]
        wrong += [key for key in _OF_CELL if new[key].shape != (cells,)]
        wrong += ["records"] if new["records"].shape != (len(self.records), cells) else []
        if wrong or int(new["size"].sum()) != cells:
            raise ModelError(f"The state of the blood does not fit: {', '.join(wrong) or 'size'}")
        self._state = new


def _sorted(state: State) -> State:
    """Parties in the order of their names, with their cells."""
    order = np.argsort(state["name"], kind="stable")
    rows = places(bounds(state["size"])[:-1][order], state["size"][order])
    return {key: values[order] if key in _OF_PARTY else values[..., rows] for key, values in state.items()}


_PIECE = 512  # parties that a thread fetches at once
