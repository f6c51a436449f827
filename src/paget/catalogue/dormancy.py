"""Disseminated tumour cells: integrin to FAK to ERK, awakening and return to dormancy, and the DormTracer record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from paget.behaviours import Conversion
from paget.kernels.switch import fak_erk
from paget.process import Named, Phase, Process, Values, parameter
from paget.rules import Rule, hill

if TYPE_CHECKING:
    from paget.access import Do, See

__all__ = ["AdhesionSignalling", "DormTracer", "IntegrinEngagement", "awakening", "quiescence"]

TUMOUR = ("dormant tumour cell", "cycling tumour cell")
LONGEST_STEP = 0.5  # h; a sixteenth of the fastest slow variable, far inside the stability of the scheme


@dataclass(frozen=True, kw_only=True)
class IntegrinEngagement(Process):
    """Integrin a3b1 on tumour cells binds remodelled laminin in the basement membrane beside them.

    engaged = a L^n / (half^n + L^n), L = remodelled laminin in the cell's voxel, a = activity of the integrin
    """

    phase: ClassVar[Phase] = Phase.SENSE
    role: str = "integrin_engagement"
    sources: tuple[str, ...] = ("Albrengues2018", "He2025")
    half: Named = parameter("integrin_half", "")
    hill: Named = parameter("integrin_hill", "")
    activity: Named = parameter("integrin_activity", "")

    @property
    def on(self) -> tuple[str, ...]:
        return TUMOUR

    @property
    def reads(self) -> tuple[str, ...]:
        return ("field.remodelled_laminin",)

    @property
    def sets(self) -> tuple[str, ...]:
        return ("cell.integrin",)

    def step(self, see: See, do: Do, p: Values) -> None:
        do.set("cell.integrin", hill(see.here("field.remodelled_laminin"), p.half, p.hill) * p.activity)


@dataclass(frozen=True, kw_only=True)
class AdhesionSignalling(Process):
    """Engaged integrin activates FAK, FAK activates ERK, and ERK sustains itself: a threshold and a memory in every cell.

    d(fak)/dt = ((1 - i) a engaged - fak) / tau_fak, with i = C / (half + C) of a FAK inhibitor, a = activity of FAK
    d(erk)/dt = (tone + drive fak + feedback erk^n / (k^n + erk^n) - erk) / tau_erk

    Leaves out SRC, p38 and receptor tyrosine kinases. A network of more nodes takes this role.
    """

    phase: ClassVar[Phase] = Phase.SIGNAL
    role: str = "adhesion_signalling"
    sources: tuple[str, ...] = ("He2025", "Shibue2009", "Xiong2003")
    activity: Named = parameter("fak_activity", "")
    tau_fak: Named = parameter("fak_half_time", "h")
    tau_erk: Named = parameter("erk_half_time", "h")
    drive: Named = parameter("fak_erk_drive", "")
    feedback: Named = parameter("erk_feedback", "")
    feedback_half: Named = parameter("erk_feedback_half", "")
    feedback_hill: Named = parameter("erk_feedback_hill", "")
    inhibitor_half: Named = parameter("fak_inhibitor_half", "nM")

    @property
    def on(self) -> tuple[str, ...]:
        return TUMOUR

    @property
    def reads(self) -> tuple[str, ...]:
        return ("cell.integrin", "cell.fak", "cell.erk", "cell.erk_tone", "body.fak_inhibitor")

    @property
    def sets(self) -> tuple[str, ...]:
        return ("cell.fak", "cell.erk")

    def step(self, see: See, do: Do, p: Values) -> None:
        fak, erk = see["cell.fak"].copy(), see["cell.erk"].copy()
        inhibition = hill(see["body.fak_inhibitor"], p.inhibitor_half)
        inhibition += (1.0 - p.activity) * (1.0 - inhibition)
        steps = int(np.ceil(see.dt / LONGEST_STEP))
        rates = (1.0 / p.tau_fak, 1.0 / p.tau_erk)
        shape = (p.drive, p.feedback, p.feedback_half, p.feedback_hill)
        fak_erk(fak, erk, see["cell.integrin"], see["cell.erk_tone"], inhibition, see.dt, *rates, *shape, steps)
        do.set("cell.fak", fak)
        do.set("cell.erk", erk)


@dataclass(frozen=True, kw_only=True)
class DormTracer(Process):
    """The tracer marks a cell for good once it is dormant, and notes when its lineage first woke.

    Records what the Cre reporter of He et al. records; it changes nothing else.
    """

    phase: ClassVar[Phase] = Phase.SENSE
    role: str = "dormtracer"
    sources: tuple[str, ...] = ("He2025",)

    @property
    def on(self) -> tuple[str, ...]:
        return TUMOUR

    @property
    def reads(self) -> tuple[str, ...]:
        return ("cell.type", "cell.ever_dormant", "cell.woke_at", "cell.dormant_now")

    @property
    def sets(self) -> tuple[str, ...]:
        return ("cell.ever_dormant", "cell.woke_at", "cell.dormant_now")

    def step(self, see: See, do: Do, p: Values) -> None:
        dormant = see.is_type("dormant tumour cell")
        woke = (see["cell.dormant_now"] == 1) & ~dormant & np.isnan(see["cell.woke_at"])
        do.set("cell.ever_dormant", np.maximum(see["cell.ever_dormant"], dormant))
        do.set("cell.woke_at", np.where(woke, see.time, see["cell.woke_at"]))
        do.set("cell.dormant_now", dormant.astype(np.int64))


def awakening() -> Conversion:
    """ERK wakes dormant cells; thrombospondin-1 holds them back."""
    return Conversion(
        role="awakening",
        summary="ERK activity wakes dormant tumour cells; thrombospondin-1 holds them back.",
        cell="dormant tumour cell",
        behaviour="awakening",
        to="cycling tumour cell",
        called="awakening",
        base=0,
        rules=(
            Rule(
                "dormant tumour cell: cell.erk increases awakening towards {awakening_rate}, "
                "half-max {awakening_erk_half}, hill {awakening_erk_hill}",
                source="He2025",
            ),
            Rule(
                "dormant tumour cell: field.tsp1 decreases awakening towards {awakening_tsp1_floor}, "
                "half-max {awakening_tsp1_half}, hill {awakening_tsp1_hill}",
                source="Ghajar2013",
            ),
        ),
        sources=("He2025", "Ghajar2013"),
    )


def quiescence() -> Conversion:
    """Cycling cells without ERK activity fall dormant."""
    return Conversion(
        role="quiescence",
        summary="Cycling tumour cells without ERK activity fall dormant.",
        cell="cycling tumour cell",
        behaviour="quiescence",
        to="dormant tumour cell",
        called="dormancy",
        base=Named("quiescence_rate", "1/h"),
        rules=(
            Rule(
                "cycling tumour cell: cell.erk decreases quiescence towards {quiescence_floor}, "
                "half-max {quiescence_erk_half}, hill {quiescence_erk_hill}",
                source="AguirreGhiso2001",
            ),
        ),
        values={"cell.cycle": 0.0},
        sources=("AguirreGhiso2001",),
    )
