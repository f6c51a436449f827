"""Drugs and biologicals: what they are, their kinetics, and what they do to cells, as processes and rule sentences."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from paget.pharmacology import Drug, DrugKinetics
from paget.process import Named, Phase, Process, Values, parameter
from paget.rules import hill

if TYPE_CHECKING:
    from paget.access import Do, See

__all__ = ["DRUGS", "NetDigestion", "kinetics"]

DRUGS: dict[str, Drug] = {
    d.name: d
    for d in (
        Drug(
            "doxorubicin",
            "doxorubicin",
            "kills cycling cells; damages the DNA of fibroblasts, which then become senescent",
            True,
            ("He2025",),
        ),
        Drug(
            "cisplatin",
            "cisplatin",
            "kills cycling cells; whether it makes lung fibroblasts senescent is contested",
            True,
            ("He2025", "Monteran2022"),
        ),
        Drug(
            "dasatinib",
            "dasatinib",
            "senolytic: removes senescent fibroblasts, given with quercetin",
            False,
            ("Zhu2015",),
            "oral",
        ),
        Drug(
            "quercetin",
            "quercetin",
            "senolytic: removes senescent cells, given with dasatinib",
            False,
            ("Zhu2015",),
            "oral",
        ),
        Drug(
            "navitoclax",
            "navitoclax (ABT-263)",
            "senolytic: inhibits BCL-2, BCL-XL and BCL-W in senescent fibroblasts",
            False,
            ("Zhu2016",),
            "oral",
        ),
        Drug("dnase", "DNase I", "digests extracellular traps", True, ("Park2016",)),
        Drug("anti_ly6g", "anti-Ly6G antibody", "depletes neutrophils", True, ("Daley2008",)),
        Drug("fak_inhibitor", "FAK inhibitor", "inhibits FAK (PTK2) in tumour cells", False, ("Shibue2009",), "oral"),
    )
}


def kinetics(name: str) -> DrugKinetics:
    """The kinetics of a drug of the catalogue, with the parameters that are named after it."""
    drug = DRUGS[name]
    process = DrugKinetics(
        role=f"{name}_kinetics",
        summary=f"Kinetics of {drug.title} in plasma, and the concentration that cells are exposed to.",
        drug=drug,
        molar_mass=Named(f"{name}_molar_mass", "g/mol"),
        volume=Named(f"{name}_volume", "L/kg"),
        clearance=Named(f"{name}_clearance", "L/h/kg"),
        sources=drug.sources,
    )
    if name == "doxorubicin":
        process = replace(
            process,
            distribution=Named("doxorubicin_distribution", "1/h"),
            redistribution=Named("doxorubicin_redistribution", "1/h"),
        )
    if not drug.intravenous:
        process = replace(
            process,
            absorption_half_life=Named(f"{name}_absorption", "h"),
            bioavailability=Named(f"{name}_bioavailability", ""),
        )
    if name in ("doxorubicin", "cisplatin", "dasatinib", "quercetin"):
        process = replace(process, site_half_life=Named(f"{name}_site_half_life", "h"))
    return process


@dataclass(frozen=True, kw_only=True)
class NetDigestion(Process):
    """DNase I digests extracellular traps.

    d(net)/dt = -rate * C / (half + C) * net
    """

    phase: ClassVar[Phase] = Phase.TRANSPORT
    role: str = "net_digestion"
    rate: Named = parameter("dnase_rate", "1/h")
    half: Named = parameter("dnase_half", "nM")

    @property
    def reads(self) -> tuple[str, ...]:
        return ("body.dnase",)

    @property
    def adds(self) -> tuple[str, ...]:
        return ("field.net",)

    def step(self, see: See, do: Do, p: Values) -> None:
        level = see["body.dnase"]
        if level > 0.0:
            do.lose("field.net", hill(level, p.half, top=p.rate))
