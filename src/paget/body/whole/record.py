"""What is written down of a body: arrivals with where they came from, events of its tissues and lesions, and their cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from paget.body.lesions import LesionStep
from paget.body.whole.definition import WholeBody
from paget.body.whole.piece import ARRIVAL, OPERATION, Piece
from paget.engine.animal import Columns
from paget.engine.tick import cells_columns
from paget.signalling.carried import CarriesNetworks

__all__ = ["LESION_EVENTS", "Record"]

Ids = NDArray[np.uint64]

EVENT = ("time", "kind", "cell", "other", "type", "x", "y", "z", "site", "origin", "clone")
FRAME = ("cell.x", "cell.y", "cell.z", "cell.radius", "cell.founder")
CLONE, DRAWN = "cell.clone", "cell.network_drawn"
AWAKENING, NODULE, EXTINCTION = LESION_EVENTS = ("awakening", "nodule", "extinction")


class Record:
    """Events and cells of one body as columns, with codes for sites, types and kinds of events that hold for all its sites."""

    def __init__(self, body: WholeBody, pieces: Mapping[str, Piece]) -> None:
        self._pieces, self._carried, self._kinds = pieces, body.carried, body.event_kinds
        self._types = [t.name for t in body.cell_types]
        self._sites = {site: code for code, site in enumerate(body.sites)}
        self._clone = body.carried.index(CLONE) if CLONE in body.carried else -1
        self._log: list[Columns] = []

    def arrived(
        self,
        site: str,
        cells: Ids,
        party: Ids,
        when: ArrayLike,
        origin: ArrayLike,
        records: Sequence[float] | NDArray[np.float64],
    ) -> None:
        """Note cells [n] that came to a site; `origin` is the code of the site they came from, `records` [k] or [k, n]."""
        if cells.size:
            clones = records[self._clone] if self._clone >= 0 else 0.0
            self._note(ARRIVAL, when, cells, party, self._sites[site], origin, clones)

    def lesions(self, names: Sequence[str], step: LesionStep, end: float) -> None:
        """Note what happened to lesions at lumped sites `names` in a step until `end` (h), as far as the body tells of it.

        awakening : the first cell of a lesion of dormant cells woke; nodule : it became large enough to be seen
        extinction : its last cell died or left
        """
        codes = np.array([self._sites[name] for name in names], np.int8)
        for kind, rows, when in (
            (AWAKENING, step.awoken, step.awoken_at),
            (NODULE, step.seen, step.seen_at),
            (EXTINCTION, step.extinct, np.full(step.extinct.size, end)),
        ):
            if rows.size and kind in self._kinds:
                clones = step.records[self._clone, rows] if self._clone >= 0 else 0.0
                self._note(kind, when, step.ids[rows], step.ids[rows], codes[step.site[rows]], -1, clones)

    def resected(self, site: str, lesions: Ids, when: float) -> None:
        """Note lesions [n] of a lumped site that a surgeon took out."""
        if lesions.size:
            self._note(OPERATION, np.full(lesions.size, when), lesions, lesions, self._sites[site], -1, 0.0)

    def _note(
        self, kind: str, when: ArrayLike, cells: Ids, other: Ids, site: ArrayLike, origin: ArrayLike, clone: ArrayLike
    ) -> None:
        """Keep events [n] of cells or lesions that have no place and no type; site, origin and clone are codes, [n] or one."""
        n = cells.size
        self._log.append(
            {
                "time": np.asarray(when, np.float64),
                "kind": np.full(n, self._kinds.index(kind), np.int8),
                "cell": cells.copy(),
                "other": other.copy(),
                "type": np.full(n, -1, np.int8),
                **{axis: np.zeros(n, np.float32) for axis in "xyz"},
                "site": np.broadcast_to(np.asarray(site), (n,)).astype(np.int8),
                "origin": np.broadcast_to(np.asarray(origin), (n,)).astype(np.int8),
                "clone": np.broadcast_to(np.asarray(clone), (n,)).astype(np.int32),
            }
        )

    def events(self) -> Columns | None:
        """Events of the pieces of tissue, and arrivals, since the last call."""
        parts, self._log = self._log, []
        for site, piece in self._pieces.items():
            taken = piece.events()  # arrivals from the blood are noted with their origin, for all sites alike
            if taken is None:
                continue
            n = taken["kind"].size
            # A code of -1 is never used: it belongs to arrivals from the blood.
            codes = np.array(
                [self._kinds.index(kind) if kind in self._kinds else -1 for kind in piece.event_kinds], np.int8
            )
            further: dict[str, Any] = {
                "kind": codes[taken["kind"]],
                "type": self._codes_of(piece)[taken["type"]],
                "site": np.full(n, self._sites[site], np.int8),
                "origin": np.full(n, -1, np.int8),
                "clone": taken.get("clone", np.zeros(n, np.int32)),
            }
            parts.append({**taken, **further})
        if not parts:
            return None
        return {name: np.concatenate([part[name] for part in parts]) for name in EVENT}

    def frame(self) -> Columns | None:
        """The cells of all pieces of tissue, with the code of their site."""
        parts = []
        shared = [n for n in (*FRAME, *self._carried) if all(n in p.world.cells for p in self._pieces.values())]
        for site, piece in self._pieces.items():
            names = tuple(dict.fromkeys((*shared, *_of_networks(piece))))
            columns = cells_columns(
                piece.world.cells, names, frozenset(n for n in names if piece.model.variables[n].wide)
            )
            columns["type"] = self._codes_of(piece)[columns["type"]]
            columns["site"] = np.full(columns["id"].size, self._sites[site], np.int8)
            parts.append(columns)
        if not parts:
            return None
        known = {name: column.dtype for part in parts for name, column in part.items()}
        return {name: np.concatenate([_column(part, name, dtype) for part in parts]) for name, dtype in known.items()}

    def fields(self) -> dict[str, NDArray[np.float32]]:
        """Concentrations [species, z, y, x] in each piece of tissue that was not taken out, on its own grid."""
        present = {site: piece.world.fields.values for site, piece in self._pieces.items() if not piece.closed}
        return {site: values.astype(np.float32) for site, values in present.items() if values.size}

    def _codes_of(self, piece: Piece) -> NDArray[np.int8]:
        """Codes of the body for the cell types of a piece."""
        return np.array([self._types.index(t) for t in piece.model.cell_types], np.int8)


def _of_networks(piece: Piece) -> list[str]:
    """Variables of cells that tell the states of the networks which they carry, and how active nodes were."""
    carriers = [process for process in piece.model.ordered if isinstance(process, CarriesNetworks)]
    return [name for process in carriers for name in (*process.words, DRAWN, *process.shown.values())]


def _column(part: Columns, name: str, dtype: np.dtype[Any]) -> NDArray[Any]:
    """A column of the cells of one piece; cells that have no such variable have 0, or NaN of what is measured."""
    nothing = np.nan if dtype.kind == "f" else 0
    return part[name] if name in part else np.full(part["id"].size, nothing, dtype)
