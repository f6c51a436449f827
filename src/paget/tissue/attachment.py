"""Attachments: springs between cells that hold each other, and anchors by which cells hold the matrix.

Cells form attachments to the living neighbours they touch and let go of them at random. The set of attachments belongs to the
state of the tissue; mechanics pulls along it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from paget.kernels import encounters, philox
from paget.process import Phase
from paget.tissue.definition import table
from paget.tissue.personal import affinities_to, own_affinities
from paget.tissue.process import TissueProcess

if TYPE_CHECKING:
    from paget.access import Do, See

__all__ = ["Anchorage", "Attachment"]

_RATES = ("mechanics.attachment_rate", "mechanics.detachment_rate", "mechanics.attachments")
_BEHAVIOURS = ("cell attachment rate", "cell detachment rate", "maximum number of cell attachments")


@dataclass(frozen=True, kw_only=True)
class Attachment(TissueProcess):
    """Cells attach to neighbours and let go of them.

    A pair of living neighbours attaches at rate attach_i * affinity_ij + attach_j * affinity_ji while both hold fewer cells
    than they can; the earliest come first. An attachment breaks at the sum of both cells' rates of letting go.

    Differs from PhysiCell, where the probability of a step is rate * dt: here it is 1 - exp(-rate * dt).
    """

    phase: ClassVar[Phase] = Phase.ACT
    parts: ClassVar[tuple[str, ...]] = (*_RATES, "mechanics.affinity")

    role: str = "attachment"
    sources: tuple[str, ...] = ("Ghaffarizadeh2018",)

    @property
    def reads(self) -> tuple[str, ...]:
        own = self.reads_of(*_BEHAVIOURS, *affinities_to(self))
        return ("cell.type", "cell.death", "cell.contacts", "tissue.bonds", *own)

    @property
    def sets(self) -> tuple[str, ...]:
        return ("tissue.bonds",)

    def prepare(self, values: dict[str, float]) -> Any:
        types = len(self.definitions)
        affinities = tuple(f"mechanics.affinity/{definition.name}" for definition in self.definitions)
        return table(values, types, _RATES).T.copy(), table(values, types, affinities, absent=1.0)

    def step(self, see: See, do: Do, p: Any) -> None:
        rates, affinity = p
        attach, detach, most = (self.behaviour(see, name, base) for name, base in zip(_BEHAVIOURS, rates, strict=True))
        ids = see.ids
        lower, upper = see.bonds
        first, second = (encounters.rows_of(ids, ends, see.by_id) for ends in (lower, upper))
        broken = encounters.loosen(first, second, ids, detach, see.key, see.tick + 1, see.dt)
        if broken.any():
            do.unbind(np.flatnonzero(broken))
        if not (attach > 0.0).any():
            return
        start, other = see.contacts()
        a, b, times = encounters.reachings(
            start,
            other,
            see["cell.type"],
            see["cell.death"],
            ids,
            attach,
            *own_affinities(self, see, affinity),
            see.key,
            see.tick + 1,
            see.dt,
        )
        order = np.lexsort((ids[b], ids[a], times))
        a, b = a[order], b[order]
        whole = np.concatenate([first[~broken], second[~broken]])
        held = np.bincount(whole, minlength=ids.size).astype(np.int64)
        # A pair whose attachment broke in this tick is not attached anew in the same tick: it still counts as known.
        accepted = encounters.admit(a, b, held, most, first, second)
        if accepted.any():
            do.bind(a[accepted], b[accepted])


@dataclass(frozen=True, kw_only=True)
class Anchorage(TissueProcess):
    """Living cells take hold of the matrix where they are, and let go of it.

    An anchor is a point of the matrix; mechanics pulls the cell towards it. Hold and release are hazards of rates
    `matrix_attachment_rate` and `matrix_detachment_rate`; a dead cell lets go.
    """

    phase: ClassVar[Phase] = Phase.ACT
    parts: ClassVar[tuple[str, ...]] = ("mechanics.matrix_attachment_rate", "mechanics.matrix_detachment_rate")

    role: str = "anchorage"
    sources: tuple[str, ...] = ()

    @property
    def reads(self) -> tuple[str, ...]:
        return ("cell.type", "cell.death", "cell.position", *self.sets)

    @property
    def sets(self) -> tuple[str, ...]:
        return ("cell.anchored", "cell.anchor_x", "cell.anchor_y", "cell.anchor_z")

    def prepare(self, values: dict[str, float]) -> Any:
        return table(values, len(self.definitions), self.parts).T.copy()

    def step(self, see: See, do: Do, p: Any) -> None:
        kind, alive = see["cell.type"], see["cell.death"] == encounters.ALIVE
        held = see["cell.anchored"] == 1
        if not (p[0] > 0.0).any() and not held.any():
            return
        switching = -np.expm1(-np.where(held, p[1][kind], p[0][kind]) * see.dt)
        switched = philox.uniforms(see.key, see.ids, see.tick + 1, 1)[:, 0] < switching
        taking = switched & ~held & alive
        do.set("cell.anchored", ((held & ~switched & alive) | taking).astype(np.int64))
        position = see["cell.position"]
        for axis, name in enumerate(("cell.anchor_x", "cell.anchor_y", "cell.anchor_z")):
            do.set(name, np.where(taking, position[axis], see[name]))
