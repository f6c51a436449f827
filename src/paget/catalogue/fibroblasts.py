"""Lung fibroblasts: damage by chemotherapy, senescence with its delay, the secretome, and senolysis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from paget.behaviours import Conversion, Death, FieldLoss, Secretion
from paget.process import Named, Phase, Process, Values, parameter
from paget.rules import Rule, hill

if TYPE_CHECKING:
    from paget.access import Do, See

__all__ = ["DnaDamage", "P21Response", "SecretomeMaturation", "factor", "senescence", "senescent_death"]

BOTH = ("fibroblast", "senescent fibroblast")
FACTORS = ("c3", "cxcl1", "mif")


@dataclass(frozen=True, kw_only=True)
class DnaDamage(Process):
    """Chemotherapy damages the DNA of lung fibroblasts, which repair it over a day or two.

    d(damage)/dt = rate * (s_dox + strength * s_cis) - ln2/repair * damage, with s = C / (half + C) of each drug

    Assumes that the two drugs' damage adds. The strength of cisplatin is contested; see its parameter.
    """

    phase: ClassVar[Phase] = Phase.SENSE
    role: str = "dna_damage"
    sources: tuple[str, ...] = ("He2025", "Demaria2017", "Monteran2022")
    rate: Named = parameter("damage_rate", "1/h")
    doxorubicin_half: Named = parameter("damage_doxorubicin_half", "nM")
    cisplatin_half: Named = parameter("damage_cisplatin_half", "nM")
    cisplatin_strength: Named = parameter("cisplatin_senescence_strength", "")
    repair: Named = parameter("damage_repair_half_life", "h")

    @property
    def on(self) -> tuple[str, ...]:
        return ("fibroblast",)

    @property
    def reads(self) -> tuple[str, ...]:
        return ("body.doxorubicin", "body.cisplatin")

    @property
    def adds(self) -> tuple[str, ...]:
        return ("cell.damage",)

    def step(self, see: See, do: Do, p: Values) -> None:
        effect = hill(see["body.doxorubicin"], p.doxorubicin_half)
        effect += hill(see["body.cisplatin"], p.cisplatin_half, top=p.cisplatin_strength)
        do.add("cell.damage", p.rate * effect)
        do.lose("cell.damage", np.log(2.0) / p.repair)


@dataclass(frozen=True, kw_only=True)
class P21Response(Process):
    """p21 rises with unrepaired damage and stays high in senescent cells.

    d(p21)/dt = (target - p21) / tau; target = damage^n / (half^n + damage^n), or 1 once senescent
    """

    phase: ClassVar[Phase] = Phase.SIGNAL
    role: str = "p21_response"
    sources: tuple[str, ...] = ("He2025", "Demaria2017")
    tau: Named = parameter("p21_half_time", "h")
    half: Named = parameter("p21_damage_half", "")
    hill: Named = parameter("p21_damage_hill", "")

    @property
    def on(self) -> tuple[str, ...]:
        return ("fibroblast",)

    @property
    def reads(self) -> tuple[str, ...]:
        return ("cell.damage",)

    @property
    def adds(self) -> tuple[str, ...]:
        return ("cell.p21",)

    def step(self, see: See, do: Do, p: Values) -> None:
        do.add("cell.p21", hill(see["cell.damage"], p.half, p.hill) / p.tau)
        do.lose("cell.p21", 1.0 / p.tau)


@dataclass(frozen=True, kw_only=True)
class SecretomeMaturation(Process):
    """The secretome of a senescent fibroblast matures over days, behind p21, which the committed cell keeps up.

    d(p21)/dt = (1 - p21) / tau_p21;  d(secretome)/dt = (p21 - secretome) / tau
    """

    phase: ClassVar[Phase] = Phase.SIGNAL
    role: str = "secretome_maturation"
    sources: tuple[str, ...] = ("Demaria2017",)
    tau_p21: Named = parameter("p21_half_time", "h")
    tau: Named = parameter("secretome_half_time", "h")

    @property
    def on(self) -> tuple[str, ...]:
        return ("senescent fibroblast",)

    @property
    def reads(self) -> tuple[str, ...]:
        return ("cell.p21",)

    @property
    def adds(self) -> tuple[str, ...]:
        return ("cell.p21", "cell.secretome")

    def step(self, see: See, do: Do, p: Values) -> None:
        do.add("cell.p21", 1.0 / p.tau_p21)
        do.lose("cell.p21", 1.0 / p.tau_p21)
        do.add("cell.secretome", see["cell.p21"] / p.tau)
        do.lose("cell.secretome", 1.0 / p.tau)


def senescence() -> Conversion:
    """Commitment of a damaged fibroblast to senescence."""
    return Conversion(
        role="senescence",
        summary="A damaged fibroblast commits to senescence.",
        cell="fibroblast",
        behaviour="senescence",
        to="senescent fibroblast",
        called="senescence",
        base=Named("senescence_background", "1/h"),
        rules=(
            Rule(
                "fibroblast: cell.p21 increases senescence towards {senescence_rate}, "
                "half-max {senescence_p21_half}, hill {senescence_p21_hill}",
                source="He2025",
            ),
        ),
        sources=("He2025", "Demaria2017"),
    )


def factor(name: str) -> tuple[Secretion, FieldLoss]:
    """Release and loss of one factor of the secretome."""
    return (
        Secretion(
            role=f"{name}_secretion",
            summary=f"Senescent fibroblasts release {name.upper()} as their secretome matures.",
            cells=("senescent fibroblast",),
            factor=f"field.{name}",
            driver="cell.secretome",
            amount=Named(f"{name}_secretion", "nM*pL/h"),
            sources=("He2025",),
        ),
        FieldLoss(
            role=f"{name}_decay",
            summary=f"{name.upper()} is degraded and drained.",
            factor=f"field.{name}",
            half_life=Named(f"{name}_half_life", "h"),
        ),
    )


def senescent_death() -> Death:
    """Natural loss of senescent fibroblasts, and senolysis by each senolytic."""

    def senolytic(drug: str) -> Rule:
        return Rule(
            f"senescent fibroblast: body.{drug} increases death towards {{{drug}_senolysis_rate}}, "
            f"half-max {{{drug}_senolysis_half}}, hill {{senolysis_hill}}",
            source="Zhu2016" if drug == "navitoclax" else "Zhu2015",
        )

    return Death(
        role="senolysis",
        summary="Senescent fibroblasts are lost slowly, and killed by senolytics.",
        cell="senescent fibroblast",
        behaviour="death",
        called="senolysis",
        base=Named("senescent_loss", "1/h"),
        rules=tuple(senolytic(drug) for drug in ("dasatinib", "quercetin", "navitoclax")),
        sources=("Zhu2015", "Zhu2016", "He2025"),
    )
