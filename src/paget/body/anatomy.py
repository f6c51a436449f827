"""The mouse and the human: anatomies from the tables of physiological reference values."""

from __future__ import annotations

from collections.abc import Callable

from paget.body.organs import Anatomy, Conduit, Organ, Route
from paget.errors import UnknownNameError
from paget.evidence import Parameter, ParameterTable, load_parameters

__all__ = ["SPECIES", "Anatomy", "Conduit", "Organ", "Route", "anatomy_of", "human", "mouse"]

SPECIES = ("human", "mouse")

_ORGANS = (  # name, UBERON, where its veins lead, whether lymph drains it to a node
    ("lung", "UBERON:0002048", "pulmonary veins", True),
    ("liver", "UBERON:0002107", "vena cava", True),
    ("bone marrow", "UBERON:0002371", "vena cava", False),
    ("brain", "UBERON:0000955", "vena cava", False),
    ("lymph node", "UBERON:0000029", "vena cava", False),
    ("adrenal gland", "UBERON:0002369", "vena cava", True),
    ("kidney", "UBERON:0002113", "vena cava", True),
    ("mammary gland", "UBERON:0001911", "vena cava", True),
    ("prostate", "UBERON:0002367", "vena cava", True),
    ("colon", "UBERON:0001155", "portal vein", True),
    ("small intestine", "UBERON:0002108", "portal vein", True),
    ("stomach", "UBERON:0000945", "portal vein", True),
    ("pancreas", "UBERON:0001264", "portal vein", True),
    ("spleen", "UBERON:0002106", "portal vein", True),
    ("thyroid", "UBERON:0002046", "vena cava", True),
    ("skin", "UBERON:0002097", "vena cava", True),
    ("heart", "UBERON:0000948", "vena cava", True),
    ("skeletal muscle", "UBERON:0001134", "vena cava", True),
    ("other", "UBERON:0000468", "vena cava", True),
)
_CONDUITS = (
    ("arteries", ""),
    ("vena cava", "lung"),
    ("pulmonary veins", "arteries"),
    ("portal vein", "liver"),
)
_VERTEBRAL: dict[str, tuple[str, ...]] = {"human": ("prostate", "mammary gland", "kidney"), "mouse": ()}


def mouse() -> Anatomy:
    """A laboratory mouse of 25 g; without a vertebral route, whose share in an animal that goes on four legs is unknown."""
    return anatomy_of("mouse")


def human() -> Anatomy:
    """The reference adult at rest, given a breast and a prostate, with vertebral veins that pass the marrow of the spine."""
    return anatomy_of("human")


def anatomy_of(species: str, table: ParameterTable | None = None) -> Anatomy:
    """The anatomy of a species, from its own table or from an edited one.

    Raises
    ------
    UnknownNameError, ModelError
    """
    if species not in SPECIES:
        raise UnknownNameError("species", species, SPECIES)
    rows = load_parameters(f"anatomy_{species}") if table is None else table

    def number(*words: str) -> Parameter:
        return rows["_".join((species, *words)).replace(" ", "_")]

    organs = tuple(
        Organ(
            name,
            uberon,
            flow=number(name, "flow"),
            tissue=number(name, "tissue"),
            vessels=number(name, "vessels"),
            capillary=number(name, "capillary"),
            capillary_spread=number(name, "capillary_spread"),
            drains=drains,
        )
        for name, uberon, drains, _ in _ORGANS
    )
    return Anatomy(
        species=species,
        body_mass=number("body_mass"),
        cardiac_output=number("cardiac_output"),
        blood=number("blood"),
        plasma=number("plasma"),
        organs=organs,
        conduits=tuple(Conduit(name, into, number(name, "share")) for name, into in _CONDUITS),
        routes=_routes(species, number),
    )


def _routes(species: str, number: Callable[..., Parameter]) -> tuple[Route, ...]:
    all_of_it = number("lymph_share")
    drained = tuple((name, all_of_it) for name, _, _, lymph in _ORGANS if lymph)
    to_nodes = Route(
        "lymph vessels", "lymph", "thoracic duct", drained, passes="lymph node", transit=number("lymph_transit")
    )
    duct = Route(
        "thoracic duct", "lymph", "vena cava", (("lymph node", all_of_it),), transit=number("thoracic_duct_transit")
    )
    if not _VERTEBRAL[species]:
        return (to_nodes, duct)
    shares = tuple((name, number("vertebral_share", name)) for name in _VERTEBRAL[species])
    spine = Route(
        "vertebral veins", "blood", "vena cava", shares, passes="bone marrow", vessels=number("vertebral_vessels")
    )
    return (to_nodes, duct, spine)
