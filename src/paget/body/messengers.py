"""The messengers of a tumour: soluble factors and exosomes that it secretes, and the marrow-derived cells that answer.

Factors pass between plasma and organs and are cleared from plasma. Exosomes are taken up by organs according to the integrins
on them (Hoshino 2015): a6b4 and a6b1 by lung, avb5 by liver. Cells of the marrow are mobilised by VEGFA, PGF and CSF3
(Kaplan 2005, Kowanetz 2010), circulate, lodge in organs, and are made anew in the marrow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from paget.body.species import Clearance, Compartment, Production, Renewal, Response, Species, Transfer
from paget.body.values import Number
from paget.errors import UnknownNameError
from paget.process import Named

if TYPE_CHECKING:
    from paget.body.organs import Anatomy

__all__ = ["EXOSOMES", "INTEGRINS", "MYELOID", "PLASMA", "PROGENITORS", "S100", "compartments_of", "messengers"]

PLASMA, MARROW = "plasma", "marrow"
EXOSOMES, S100 = "exosomes", "S100A8/S100A9"
PROGENITORS, MYELOID = "VEGFR1+ progenitors", "CD11b+ myeloid cells"
FACTORS: Mapping[str, tuple[str, tuple[str, ...]]] = MappingProxyType(
    {
        "CSF3": ("granulocyte colony-stimulating factor", ("Kowanetz2010",)),
        "VEGFA": ("vascular endothelial growth factor A", ("Stefanini2008", "Kaplan2005")),
        "PGF": ("placental growth factor", ("Kaplan2005",)),
        "LOX": ("lysyl oxidase", ("Erler2006", "Erler2009")),
        "CCL2": ("C-C motif chemokine 2", ("QianBZ2011",)),
    }
)
INTEGRINS: Mapping[str, str] = MappingProxyType({"ITGA6:ITGB4": "lung", "ITGA6:ITGB1": "lung", "ITGAV:ITGB5": "liver"})


def _key(name: str) -> str:
    return name.lower().replace(":", "_").replace("/", "_").replace("+", "").replace(" ", "_")


def _exchanges(organs: Sequence[str]) -> tuple[Transfer, ...]:
    """A soluble factor leaves plasma for the tissue of each organ and returns, faster where vessels leak."""
    rate = Named("factor_exchange", "1/h")
    return tuple(
        Transfer(source=a, target=b, rate=rate, by_volume=a == PLASMA, scaled_by=(f"exchange:{organ}",))
        for organ in organs
        for a, b in ((PLASMA, organ), (organ, PLASMA))
    )


def _factor(name: str, organs: Sequence[str]) -> Species:
    title, sources = FACTORS[name]
    return Species(
        name=name,
        title=title,
        kind="factor",
        transfers=_exchanges(organs),
        clearances=(Clearance(compartment=PLASMA, rate=Named(f"{_key(name)}_half_life", "h")),),
        sources=sources,
    )


def _s100(organs: Sequence[str]) -> Species:
    """S100A8/A9: resident cells make it that took up exosomes, in lung also under VEGFA."""
    half, power = Named("niche_exosome_half", "1/mL"), Named("niche_exosome_hill", "")
    vegfa = Response(species="VEGFA", half=Named("vegfa_half", "nM"), hill=Named("factor_hill", ""), scaled_by="VEGFA")
    return Species(
        name=S100,
        title="S100A8/A9 (calprotectin)",
        kind="factor",
        transfers=_exchanges(organs),
        clearances=(Clearance(compartment=PLASMA, rate=Named("s100a8_s100a9_half_life", "h")),),
        productions=tuple(
            Production(
                compartment=organ,
                most=Named("s100a8_s100a9_production", "pmol/mL/h"),
                driven_by=(Response(species=EXOSOMES, half=half, hill=power), *((vegfa,) if organ == "lung" else ())),
            )
            for organ in organs
        ),
        sources=("Hiratsuka2006", "Hoshino2015"),
    )


def _exosomes(organs: Sequence[str], content: Mapping[str, Number]) -> Species:
    """Exosomes: cleared from plasma within minutes, taken up by organs, more where an integrin on them fits."""
    taken = [
        Transfer(source=PLASMA, target=organ, rate=Named("exosome_uptake", "1/h"), by_volume=True) for organ in organs
    ]
    taken += [
        Transfer(
            source=PLASMA,
            target=INTEGRINS[integrin],
            rate=Named("integrin_uptake", "1/h"),
            share=share,
            by_volume=True,
            scaled_by=(integrin,),
        )
        for integrin, share in content.items()
        if INTEGRINS[integrin] in organs
    ]
    lost = [Clearance(compartment=PLASMA, rate=Named("exosome_half_life", "h"))]
    lost += [Clearance(compartment=organ, rate=Named("exosome_cargo_half_life", "h")) for organ in organs]
    return Species(
        name=EXOSOMES,
        title="exosomes of tumour cells",
        kind="particles",
        transfers=tuple(taken),
        clearances=tuple(lost),
        sources=("Hoshino2015", "Peinado2012", "Takahashi2013"),
    )


def _marrow_cells(name: str, title: str, organs: Sequence[str], mobilised_by: tuple[Response, ...]) -> Species:
    """Cells of the marrow: released, returning, lodging in organs, dying there, renewed in the marrow."""
    key = "progenitor" if name == PROGENITORS else "myeloid"
    moved = [
        Transfer(
            source=MARROW,
            target=PLASMA,
            rate=Named(f"{key}_release", "1/h"),
            scaled_by=("marrow release", f"release of {name}"),
            raised_by=mobilised_by,
        ),
        Transfer(source=PLASMA, target=MARROW, rate=Named(f"{key}_homing", "1/h"), scaled_by=("CXCR4",)),
    ]
    moved += [
        Transfer(
            source=PLASMA,
            target=organ,
            rate=Named(f"{key}_lodging", "1/h"),
            by_volume=True,
            scaled_by=(f"lodging of {name}:{organ}",),
        )
        for organ in organs
    ]
    lost = [Clearance(compartment=PLASMA, rate=Named(f"{key}_blood_half_life", "h"))]
    lost += [Clearance(compartment=organ, rate=Named(f"{key}_tissue_half_life", "h")) for organ in organs]
    return Species(
        name=name,
        title=title,
        kind="cells",
        transfers=tuple(moved),
        clearances=tuple(lost),
        renewal=Renewal(
            compartment=MARROW, rate=Named(f"{key}_renewal", "1/h"), density=Named(f"{key}_density", "cell/mL")
        ),
        sources=("Kaplan2005",) if name == PROGENITORS else ("Kowanetz2010", "LahozBeneytez2016", "Erler2009"),
    )


def _mobiliser(factor: str, fold: str, scaled_by: str) -> Response:
    return Response(
        species=factor,
        compartment=PLASMA,
        half=Named(f"{_key(factor)}_half", "nM"),
        hill=Named("factor_hill", ""),
        fold=Named(fold, ""),
        scaled_by=scaled_by,
    )


def messengers(organs: Sequence[str], content: Mapping[str, Number] | None = None) -> tuple[Species, ...]:
    """All species by which a tumour prepares organs: factors, exosomes, S100A8/A9, and cells of the marrow.

    organs : names of the compartments that are organs
    content : share of exosomes that carry each integrin; without it, that of the table (a lung-tropic breast tumour)

    Raises
    ------
    UnknownNameError
        If an integrin is not one of the integrin code.
    """
    if content is None:
        content = {name: Named(f"exosome_{_key(name)}", "") for name in INTEGRINS}
    for integrin in content:
        if integrin not in INTEGRINS:
            raise UnknownNameError("integrin of exosomes", integrin, INTEGRINS)
    progenitors = _marrow_cells(
        PROGENITORS,
        "VEGFR1+ haematopoietic progenitors",
        organs,
        (_mobiliser("VEGFA", "vegfr1_mobilisation", "VEGFR1"), _mobiliser("PGF", "vegfr1_mobilisation", "VEGFR1")),
    )
    myeloid = _marrow_cells(
        MYELOID,
        "CD11b+ myeloid cells",
        organs,
        (_mobiliser("CSF3", "csf3_mobilisation", "CSF3"),),
    )
    return (
        *(_factor(name, organs) for name in FACTORS),
        _exosomes(organs, content),
        _s100(organs),
        progenitors,
        myeloid,
    )


def compartments_of(anatomy: Anatomy, organs: Sequence[str], marrow: str = "bone marrow") -> tuple[Compartment, ...]:
    """Plasma, the marrow pool and organs of an anatomy as compartments, with its volumes.

    organs : names of organs of the anatomy; marrow : the organ whose volume the marrow pool has
    """
    tissue = {organ.name: organ.tissue for organ in anatomy.organs}
    for name in (*organs, marrow):
        if name not in tissue:
            raise UnknownNameError("organ", name, tissue)
    return (
        Compartment(PLASMA, anatomy.plasma),
        Compartment(MARROW, tissue[marrow]),
        *(Compartment(name, tissue[name]) for name in organs),
    )
