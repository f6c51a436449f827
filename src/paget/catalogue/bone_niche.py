"""A bone surface with tumour cells beside it: three kinds of cells, each with its own network, that speak through fields.

Tumour cells make PTHrP, more of it under TGF-beta; osteoblasts under PTHrP make RANKL; osteoclasts under RANKL resorb bone and
free TGF-beta and IGF-1, which drive the tumour cells: the vicious cycle. Nothing else links the networks.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from paget.catalogue.networks import NETWORKS
from paget.evidence import load_parameters
from paget.process import Named
from paget.rules import Rule
from paget.signalling import Network
from paget.tissue import (
    Apoptosis,
    BodyVariable,
    CellDefinition,
    Cells,
    Cycle,
    CyclePhase,
    Exchange,
    Mechanical,
    Substrate,
    Tissue,
)
from paget.tissue.networks import Antibody, CellNetworks, HillInput, Inhibitor

__all__ = ["bone_niche"]

TUMOUR, OSTEOBLAST, OSTEOCLAST = "tumour cell", "osteoblast", "osteoclast"
WIDTH, HEIGHT, VOXEL = 600.0, 400.0, 20.0  # um
SPACING = 15.0  # um between neighbours on the surface and in the nest

# field -> (its decay, the level that a secreting cell makes beside it)
FACTORS = {
    "field.tnfsf11": ("rankl_decay", "rankl_level", "RANKL (TNFSF11)"),
    "field.tnfrsf11b": ("opg_decay", "opg_level", "osteoprotegerin (TNFRSF11B)"),
    "field.pthlh": ("pthrp_decay", "pthrp_level", "PTHrP (PTHLH)"),
    "field.tgfb": ("tgfb_decay", "tgfb_level", "active TGF-beta"),
    "field.igf1": ("igf1_decay", "igf1_level", "free IGF-1"),
}
SECRETED = {
    TUMOUR: ("field.pthlh",),
    OSTEOBLAST: ("field.tnfsf11", "field.tnfrsf11b"),
    OSTEOCLAST: ("field.tgfb", "field.igf1"),
}
# (type, node, field, parameter of half effect): what each type senses
SENSED = (
    (TUMOUR, "TGFB", "field.tgfb", "tgfb_half"),
    (TUMOUR, "IGF1", "field.igf1", "igf1_half"),
    (OSTEOBLAST, "PTHLH", "field.pthlh", "pthrp_half"),
    (OSTEOCLAST, "TNFSF11", "field.tnfsf11", "rank_half"),
)
_SHAPE = "half-max {behaviour_half}, hill {behaviour_hill}"
RULES = (
    Rule(
        f"tumour cell: node PTHLH increases pthlh secretion towards {{secretion_rate}}, {_SHAPE}", source="MtorBone2018"
    ),
    Rule(
        f"tumour cell: node Proliferation increases cycle entry towards {{tumour_cycle_entry}}, {_SHAPE}",
        source="MtorBone2018",
    ),
    Rule(
        f"tumour cell: node Apoptosis increases apoptosis towards {{tumour_apoptosis}}, {_SHAPE}", source="WangYing2010"
    ),
    Rule(
        f"osteoblast: node TNFSF11 increases tnfsf11 secretion towards {{secretion_rate}}, {_SHAPE}",
        source="MtorBone2018",
    ),
    Rule(
        f"osteoblast: node TNFRSF11B increases tnfrsf11b secretion towards {{secretion_rate}}, {_SHAPE}",
        source="MtorBone2018",
    ),
    Rule(
        f"osteoclast: node IGF1_release increases tgfb secretion towards {{secretion_rate}}, {_SHAPE}",
        source="MtorBone2018",
    ),
    Rule(
        f"osteoclast: node IGF1_release increases igf1 secretion towards {{secretion_rate}}, {_SHAPE}",
        source="MtorBone2018",
    ),
)


def _definition(name: str, ontology: str, group: str, colour: str, *, grows: bool) -> CellDefinition:
    exchange = {
        field: Exchange(
            secretion=Named("pthrp_basal_secretion", "1/h") if field == "field.pthlh" else 0,
            saturation=Named(FACTORS[field][1], "nM"),
        )
        for field in SECRETED[name]
    }
    return CellDefinition(
        name=name,
        label=name,
        ontology=ontology,
        group=group,
        colour=colour,
        exchange=exchange,
        cycle=_waiting() if grows else None,
        apoptosis=Apoptosis(rate=0) if grows else None,
        mechanics=Mechanical(movable=grows),
    )


def _waiting() -> Cycle:
    """A cycle that no cell enters by itself: only growth signals start it."""
    return Cycle(name="live", phases=(CyclePhase(name="live", rate=0, grows=True, divides=True),))  # type: ignore[arg-type]


def _carried() -> dict[str, Network]:
    """The networks, with M-CSF everywhere in marrow and growth factors of the tumour's own left out."""
    found = {name: NETWORKS[name] for name in (TUMOUR, OSTEOBLAST, OSTEOCLAST)}
    osteoclast = found[OSTEOCLAST]
    found[OSTEOCLAST] = osteoclast.changed(dataclasses.replace(osteoclast.node("CSF1"), initial=1.0))
    return found


def _places(tumour: int) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Osteoblasts and osteoclasts by turns along the bone, and a nest of tumour cells above its middle."""
    x = np.arange(0.5 * SPACING, WIDTH, SPACING)
    surface = np.stack([x, np.full(x.size, 10.0), np.full(x.size, 10.0)], axis=1)
    kinds = [OSTEOCLAST if k % 4 == 3 else OSTEOBLAST for k in range(x.size)]
    side = int(np.ceil(np.sqrt(max(tumour, 1))))
    k = np.arange(tumour)
    across = WIDTH / 2.0 + (k % side - 0.5 * (side - 1)) * SPACING
    nest = np.stack([across, 40.0 + (k // side) * SPACING, np.full(tumour, 10.0)], axis=1)
    return np.concatenate([surface, nest]), (*kinds, *([TUMOUR] * tumour))


def bone_niche(tumour: int = 36, *, sirolimus: str = "0 nM", denosumab: str = "0 nM") -> Tissue:
    """A strip of bone with `tumour` cells beside it, under a level of sirolimus or denosumab in plasma.

    Assumes that osteoblasts and osteoclasts stay where they are and neither come nor go, and that drugs reach every cell.
    Leaves out osteocytes, the mineral itself, blood and immune cells.
    """
    carried = CellNetworks(
        networks=_carried(),
        sensors=tuple(
            HillInput(
                node=node,
                signal=field,
                half=Named(half, "nM"),
                hill=Named("sensing_hill", ""),
                switching=Named("receptor_switching", "1/h"),
                cells=(cell,),
            )
            for cell, node, field, half in SENSED
        ),
        perturbations=(
            Inhibitor(node="MTORC1", signal="body.sirolimus", half=Named("sirolimus_half", "nM")),
            # Osteoprotegerin is a decoy receptor: what it binds is lost to osteoclasts, as with an antibody.
            Antibody(ligand="field.tnfsf11", signal="field.tnfrsf11b", affinity=Named("opg_affinity", "nM")),
            Antibody(ligand="field.tnfsf11", signal="body.denosumab", affinity=Named("denosumab_affinity", "nM")),
        ),
        shown={node: f"cell.node_{node}" for node in ("Resorption", "SMAD3", "AKT1", "MAPK1", "VEGFA", "EMT")},
        smoothing=Named("activity_time", "h"),
        sources=("MtorBone2018",),
    )
    places, kinds = _places(tumour)
    return Tissue(
        name="bone niche",
        title="Tumour cells, osteoblasts and osteoclasts at a bone surface",
        size=(WIDTH, HEIGHT, VOXEL),
        voxel=VOXEL,
        cells=(
            _definition(TUMOUR, "CL:0001064", "tumour", "#c2185b", grows=True),
            _definition(OSTEOBLAST, "CL:0000062", "stroma", "#6aa5a9", grows=False),
            _definition(OSTEOCLAST, "CL:0000092", "stroma", "#e0913a", grows=False),
        ),
        placed=Cells(places, types=kinds),
        substrates=tuple(
            Substrate(
                field=field,
                unit="nM",
                title=title,
                diffusion=Named("growth_factor_diffusion" if field == "field.tgfb" else "factor_diffusion", "um**2/h"),
                decay=Named(decay, "1/h"),
            )
            for field, (decay, _, title) in FACTORS.items()
        ),
        rules=RULES,
        processes=(carried,),
        body=tuple(
            BodyVariable(name=f"body.{drug}", unit="nM", initial=level, reason="level of the experiment", meaning=drug)
            for drug, level in (("sirolimus", sirolimus), ("denosumab", denosumab))
        ),
        parameters=load_parameters("tissue", "networks", "bone_niche"),
        tick="1 h",
    )
