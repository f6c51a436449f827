"""Neutrophils: entry from capillaries, chemotaxis, activation, life span, NETosis and traps, depletion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from paget.behaviours import Arrival, Conversion, Death, FieldLoss
from paget.process import Named, Phase, Process, Values, parameter
from paget.rules import Rule, hill

if TYPE_CHECKING:
    from paget.access import Do, See

__all__ = ["BloodNeutrophils", "NeutrophilMigration", "activation", "death", "entry", "net_decay", "netosis"]

TYPES = ("neutrophil", "activated neutrophil")
BODY_LENGTH = 10.0  # um; the length over which a neutrophil compares concentrations, its own


@dataclass(frozen=True, kw_only=True)
class BloodNeutrophils(Process):
    """The marrow keeps the blood level of neutrophils; a depleting antibody lowers it.

    d(B)/dt = k (1 - B) - d C / (half + C) B
    """

    phase: ClassVar[Phase] = Phase.BODY
    role: str = "blood_neutrophils"
    sources: tuple[str, ...] = ("LahozBeneytez2016", "Daley2008")
    half_life: Named = parameter("blood_neutrophil_half_life", "h")
    depletion: Named = parameter("depletion_rate", "1/h")
    depletion_half: Named = parameter("depletion_half", "nM")

    @property
    def reads(self) -> tuple[str, ...]:
        return ("body.anti_ly6g",)

    @property
    def adds(self) -> tuple[str, ...]:
        return ("body.blood_neutrophils",)

    def step(self, see: See, do: Do, p: Values) -> None:
        turnover = np.log(2.0) / p.half_life
        do.add("body.blood_neutrophils", turnover)
        do.lose("body.blood_neutrophils", turnover + hill(see["body.anti_ly6g"], p.depletion_half, top=p.depletion))


@dataclass(frozen=True, kw_only=True)
class NeutrophilMigration(Process):
    """Neutrophils wander, and drift up gradients of CXCL1.

    Displacement in a tick: drift v I u t, with index I = I_max s / (half + s) at relative gradient s over a body length, along
    the gradient u, plus a random part with the mean square of a persistent walk (Fuerth 1920, doi:10.1007/BF01328731),
    2 v^2 tau (t - tau (1 - exp(-t / tau))) in the plane or in space.

    Assumes a tick much longer than the persistence, so that ticks are independent.
    """

    phase: ClassVar[Phase] = Phase.MOVE
    role: str = "neutrophil_migration"
    sources: tuple[str, ...] = ("SPQSP_PDAC",)
    speed: Named = parameter("neutrophil_speed", "um/h")
    persistence: Named = parameter("neutrophil_persistence", "h")
    index: Named = parameter("chemotaxis_index", "")
    gradient_half: Named = parameter("chemotaxis_gradient_half", "")

    @property
    def on(self) -> tuple[str, ...]:
        return TYPES

    @property
    def reads(self) -> tuple[str, ...]:
        return ("field.cxcl1",)

    @property
    def adds(self) -> tuple[str, ...]:
        return ("cell.position",)

    def step(self, see: See, do: Do, p: Values) -> None:
        if not see.count:
            return
        axes = 2 if see.flat else 3
        t, tau = see.dt, p.persistence
        mean_square = 2.0 * p.speed**2 * tau * (t - tau * (1.0 - np.exp(-t / tau)))
        displacement = np.zeros((3, see.count))
        displacement[:axes] = np.sqrt(mean_square / axes) * see.normals(axes).T
        slope = see.slope("field.cxcl1")
        steepness = np.sqrt((slope**2).sum(axis=0))
        level = see.here("field.cxcl1")
        relative = steepness * BODY_LENGTH / np.maximum(level, 1e-12)
        index = hill(relative, p.gradient_half, top=p.index)
        along = np.where(steepness > 0.0, slope / np.where(steepness > 0.0, steepness, 1.0), 0.0)
        do.move(displacement + along * (p.speed * index * t))


def entry() -> Arrival:
    """Neutrophils enter from capillaries, more where CXCL1 is high."""
    return Arrival(
        role="neutrophil_entry",
        summary="Neutrophils enter from capillaries, more where CXCL1 is high.",
        cell="capillary",
        behaviour="neutrophil entry",
        newcomer="neutrophil",
        pool="body.blood_neutrophils",
        base=Named("neutrophil_entry", "1/h"),
        rules=(
            Rule(
                "capillary: field.cxcl1 increases neutrophil entry towards {neutrophil_recruitment}, "
                "half-max {cxcl1_half}, hill {cxcl1_hill}",
                source="He2025",
            ),
        ),
        sources=("He2025",),
    )


def activation() -> Conversion:
    """C3 and MIF activate neutrophils."""
    return Conversion(
        role="neutrophil_activation",
        summary="C3 and MIF activate neutrophils.",
        cell="neutrophil",
        behaviour="activation",
        to="activated neutrophil",
        called="activation",
        base=Named("activation_background", "1/h"),
        rules=tuple(
            Rule(
                f"neutrophil: field.{name} increases activation towards {{activation_rate}}, "
                f"half-max {{activation_{name}_half}}, hill {{activation_{name}_hill}}",
                source="He2025",
            )
            for name in ("c3", "mif")
        ),
        sources=("He2025",),
    )


def death(cell: str) -> Death:
    """Neutrophils live for about a day; a depleting antibody removes them."""
    return Death(
        role=f"{cell.replace(' ', '_')}_death",
        summary="Neutrophils live for about a day in tissue; a depleting antibody removes them.",
        cell=cell,
        behaviour="death",
        base=Named("neutrophil_loss", "1/h"),
        rules=(
            Rule(
                f"{cell}: body.anti_ly6g increases death towards {{depletion_rate}}, "
                "half-max {depletion_half}, hill {depletion_hill}",
                source="Daley2008",
            ),
        ),
        sources=("LahozBeneytez2016",),
    )


def netosis() -> Death:
    """An activated neutrophil dies by NETosis and leaves an extracellular trap."""
    return Death(
        role="netosis",
        summary="An activated neutrophil dies by NETosis and leaves an extracellular trap.",
        cell="activated neutrophil",
        behaviour="NETosis",
        called="NETosis",
        base=Named("netosis_rate", "1/h"),
        leaves="field.net",
        amount=Named("net_per_neutrophil", ""),
        sources=("He2025", "Fuchs2007"),
    )


def net_decay() -> FieldLoss:
    """Traps decay in tissue."""
    return FieldLoss(
        role="net_decay",
        summary="Traps decay in tissue.",
        factor="field.net",
        half_life=Named("net_half_life", "h"),
        sources=("Park2016",),
    )
