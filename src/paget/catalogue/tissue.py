"""Tissue mechanics: solid cells push each other apart and adhere; capillaries hold their place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from paget.errors import NumericalError
from paget.kernels.contacts import Linear, relax
from paget.process import Named, Phase, Process, Values, parameter
from paget.vocabulary import CELL_TYPES

if TYPE_CHECKING:
    from paget.access import Do, See

__all__ = ["Mechanics"]

SKIN = 4.0  # um; reach of neighbour lists beyond contact, which changes speed alone: lung is sparse, lists are short
TOLERANCE = 0.2  # um; shorter moves than a hundredth of a cell wait for the next tick


@dataclass(frozen=True, kw_only=True)
class Mechanics(Process):
    """Overlapping cells push each other apart, touching cells adhere, and inertia plays no part.

    dx/dt = sum over neighbours of stiffness R (1 - x) u for x < 1, and an attraction for 1 < x < reach, x = distance / R

    Assumes that neutrophils deform enough to pass between other cells, so that they neither push nor yield.
    Sets the pressure of a cell, its summed relative overlap with neighbours.
    """

    phase: ClassVar[Phase] = Phase.MOVE
    role: str = "mechanics"
    cells: tuple[str, ...] = ()
    stiffness: Named = parameter("contact_stiffness", "1/h")
    adhesion: Named = parameter("contact_adhesion", "")
    reach: Named = parameter("contact_reach", "")

    @property
    def on(self) -> tuple[str, ...]:
        return self.cells

    @property
    def reads(self) -> tuple[str, ...]:
        return ("cell.position", "cell.radius", "cell.type")

    @property
    def adds(self) -> tuple[str, ...]:
        return ("cell.position",)

    @property
    def sets(self) -> tuple[str, ...]:
        return ("cell.pressure",)

    def step(self, see: See, do: Do, p: Values) -> None:
        before = see["cell.position"]
        position = before.copy()
        mobile = ~np.logical_or.reduce(
            [see.is_type(c) for c in self.cells if CELL_TYPES[c].fixed] or [np.zeros(see.count, bool)]
        )
        found = relax(
            position,
            see.ids,
            see["cell.radius"],
            see.size,
            see.dt,
            Linear(p.stiffness, p.adhesion, p.reach),
            mobile=mobile,
            flat=see.flat,
            tolerance=TOLERANCE,
            skin=SKIN,
            threads=see.threads,
        )
        if found.failed:
            raise NumericalError(
                f"process '{self.role}' at {see.time:g} h stopped at cell {see.ids[found.row]}, at "
                f"({', '.join(f'{v:g}' for v in before[:, found.row])}) um: "
                + ("too many cells lie there" if found.failed == "crowded" else "its velocity is no number")
            )
        do.move(position - before)
        do.set("cell.pressure", found.pressure)
