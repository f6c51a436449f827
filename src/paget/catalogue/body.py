"""The rest of the animal: the primary tumour with its growth, treatment, resection and shedding, and markers in serum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from paget.behaviours import Arrival
from paget.process import Named, Phase, Process, Values, parameter
from paget.rules import hill

if TYPE_CHECKING:
    from paget.access import Do, See

__all__ = ["PrimaryTumour", "SerumMarker", "seeding"]


@dataclass(frozen=True, kw_only=True)
class PrimaryTumour(Process):
    """The primary tumour grows, loses cycling cells to chemotherapy, and can be resected.

    d(P)/dt = g P - g P^2 / limit - f h(C) P, with h the same death rates as in single cells and f the cycling fraction

    Leaves out its tissue; P is in millions of cells. A resection removes it at once.
    """

    phase: ClassVar[Phase] = Phase.BODY
    role: str = "primary_tumour"
    sources: tuple[str, ...] = ("He2025",)
    growth: Named = parameter("primary_growth", "1/h")
    limit: Named = parameter("primary_limit", "")
    cycling: Named = parameter("primary_cycling_fraction", "")
    doxorubicin_rate: Named = parameter("doxorubicin_kill_rate", "1/h")
    doxorubicin_half: Named = parameter("doxorubicin_kill_half", "nM")
    doxorubicin_hill: Named = parameter("doxorubicin_kill_hill", "")
    cisplatin_rate: Named = parameter("cisplatin_kill_rate", "1/h")
    cisplatin_half: Named = parameter("cisplatin_kill_half", "nM")
    cisplatin_hill: Named = parameter("cisplatin_kill_hill", "")

    @property
    def reads(self) -> tuple[str, ...]:
        return ("body.primary_tumour", "body.doxorubicin", "body.cisplatin", "protocol.operations")

    @property
    def sets(self) -> tuple[str, ...]:
        return ("body.primary_tumour",)

    def step(self, see: See, do: Do, p: Values) -> None:
        size = see["body.primary_tumour"]
        if any(site == "primary" for site, _ in see.operations):
            do.set("body.primary_tumour", 0.0)
            return
        if size <= 0.0:
            return
        killing = 0.0
        for drug in ("doxorubicin", "cisplatin"):
            half, power, top = (getattr(p, f"{drug}_{name}") for name in ("half", "hill", "rate"))
            killing += hill(see[f"body.{drug}"], half, power, top)
        net = p.growth - p.cycling * killing
        # Exact solution of dP/dt = net P - (growth / limit) P^2 over the tick.
        factor = np.exp(net * see.dt)
        gathered = see.dt if abs(net) < 1e-12 else np.expm1(net * see.dt) / net
        do.set("body.primary_tumour", float(size * factor / (1.0 + p.growth / p.limit * size * gathered)))


@dataclass(frozen=True, kw_only=True)
class SerumMarker(Process):
    """A factor of the tissue appears in serum and is cleared.

    d(S)/dt = spill * mean tissue level - ln2/T S

    An index: only ratios between arms carry meaning.
    """

    phase: ClassVar[Phase] = Phase.TRANSPORT
    factor: str
    marker: str
    spill: Named = parameter("serum_spill", "1/h")
    half_life: Named = parameter("serum_clearance_half_life", "h")

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.factor,)

    @property
    def adds(self) -> tuple[str, ...]:
        return (self.marker,)

    def step(self, see: See, do: Do, p: Values) -> None:
        do.add(self.marker, p.spill * float(see[self.factor].mean()))
        do.lose(self.marker, np.log(2.0) / p.half_life)


def seeding(state: str) -> Arrival:
    """Tumour cells shed by the primary tumour lodge at capillaries of the lung, dormant or cycling."""
    name = state.split(" ", 1)[0]
    return Arrival(
        role=f"{name}_seeding",
        summary=f"Tumour cells shed by the primary tumour lodge in the lung, {name}.",
        cell="capillary",
        behaviour=f"{name} seeding",
        newcomer=state,
        pool="body.primary_tumour",
        base=Named(f"{name}_seeding_rate", "1/h"),
        radius=Named("tumour_cell_radius", "um"),
        values={"cell.erk_tone": Named("erk_tone_mean", "")},
        sources=("He2025",),
    )
