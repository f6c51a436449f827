"""The lung of a mouse with disseminated tumour cells: chemotherapy, senescence, traps, awakening (He et al. 2025)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from paget.catalogue import body, dormancy, drugs, fibroblasts, matrix, neutrophils, tissue, tumour
from paget.catalogue.choices import chosen
from paget.catalogue.lung_readouts import TUMOUR, lung_chain, lung_readouts
from paget.evidence import load_parameters
from paget.experiment import Study
from paget.model import Founders, Model, Option
from paget.process import Named, Process
from paget.state import Grid

__all__ = ["LINKS", "OPTIONS", "lung_awakening"]

OPTIONS = (
    Option(
        "dimensions", (2, 3), 2, "2: a section one voxel thick; 3: a block 120 um thick with the same cells per volume"
    ),
    Option(
        "setting",
        ("injected", "adjuvant", "neoadjuvant"),
        "injected",
        "injected: tumour cells are in the lung from the start; adjuvant: a primary tumour seeds the lung until it is resected "
        "before chemotherapy; neoadjuvant: it is resected after chemotherapy",
    ),
    Option(
        "signalling",
        ("switch", "network"),
        "switch",
        "switch: FAK and ERK of a disseminated tumour cell as two rate equations with a memory; network: the network of the "
        "tumour cell, of some eighty molecules, in every one of them",
    ),
    Option("size", (400, 600, 800, 1000, 1400), 1000, "edge of the piece of lung in um"),
)

# What to take out to break each link of the chain: roles removed, and parameters set.
LINKS: Mapping[str, tuple[tuple[str, ...], Mapping[str, float]]] = {
    "senescence": (("senescence",), {}),
    "CXCL1": (("cxcl1_secretion",), {}),
    "neutrophils": (("neutrophil_entry",), {}),
    "NETosis": (("netosis",), {}),
    "proteolysis": (("elastase_proteolysis", "mmp9_proteolysis", "tsp1_proteolysis"), {}),
    "integrin a3b1": (("integrin_engagement",), {}),
    "FAK": ((), {"fak_erk_drive": 0.0}),
}

SOLID = ("fibroblast", "senescent fibroblast", "capillary", *TUMOUR)
CELL_TYPES = (*SOLID[:3], "neutrophil", "activated neutrophil", *TUMOUR)
VOXEL = 20.0
DEPTH = 120.0
DIFFUSING = ("c3", "cxcl1", "mif", "mmp9")
FIELDS = (
    *(f"field.{n}" for n in DIFFUSING),
    "field.net",
    "field.tsp1",
    "field.laminin",
    "field.nicked_laminin",
    "field.remodelled_laminin",
)
BODY = (
    *(d.variable for d in drugs.DRUGS.values()),
    "body.blood_neutrophils",
    "body.primary_tumour",
    "body.serum_c3",
    "body.serum_mif",
    "body.serum_net",
)


def _processes(setting: str) -> tuple[Process, ...]:
    spontaneous = setting != "injected"
    return (
        *(drugs.kinetics(name) for name in drugs.DRUGS),
        drugs.NetDigestion(),
        fibroblasts.DnaDamage(),
        fibroblasts.P21Response(),
        fibroblasts.SecretomeMaturation(),
        fibroblasts.senescence(),
        fibroblasts.senescent_death(),
        *(process for name in fibroblasts.FACTORS for process in fibroblasts.factor(name)),
        neutrophils.BloodNeutrophils(),
        neutrophils.entry(),
        neutrophils.NeutrophilMigration(),
        neutrophils.activation(),
        *(neutrophils.death(cell) for cell in neutrophils.TYPES),
        neutrophils.netosis(),
        neutrophils.net_decay(),
        matrix.ElastaseProteolysis(),
        matrix.Mmp9Proteolysis(),
        matrix.Tsp1Proteolysis(),
        matrix.Tsp1Renewal(),
        matrix.LamininRenewal(),
        *matrix.mmp9(),
        dormancy.IntegrinEngagement(),
        dormancy.AdhesionSignalling(),
        dormancy.DormTracer(),
        dormancy.awakening(),
        dormancy.quiescence(),
        tumour.CellCycle(),
        tumour.CellGrowth(),
        tumour.Division(),
        tumour.chemotherapy_killing(),
        tumour.cycling_death(),
        tumour.dormant_death(),
        tissue.Mechanics(cells=SOLID),
        *((body.PrimaryTumour(), *(body.seeding(t) for t in TUMOUR)) if spontaneous else ()),
        *(
            body.SerumMarker(
                role=f"serum_{short}",
                summary=f"{short.upper()} of the tissue appears in serum and is cleared.",
                factor=f"field.{short}",
                marker=f"body.serum_{short}",
                sources=("He2025",),
            )
            for short in ("c3", "mif", "net")
        ),
    )


def _founders(setting: str) -> tuple[Founders, ...]:
    def per_volume(key: str) -> Named:
        return Named(key, "1/mm**3")

    tone = {"cell.erk_tone": (Named("erk_tone_mean", ""), Named("erk_tone_spread", ""))}
    radius = Named("tumour_cell_radius", "um")
    stroma = (
        Founders("fibroblast", per_volume("fibroblast_density"), Named("fibroblast_radius", "um")),
        Founders("capillary", per_volume("capillary_density"), Named("capillary_radius", "um")),
    )
    if setting != "injected":
        return stroma
    return (
        *stroma,
        Founders(
            "dormant tumour cell",
            per_volume("dormant_founders"),
            radius,
            values={"cell.ever_dormant": 1, "cell.dormant_now": 1},
            personal=tone,
        ),
        Founders(
            "cycling tumour cell",
            per_volume("cycling_founders"),
            radius,
            colony=Named("colony_size", ""),
            values={"cell.erk": Named("erk_start_cycling", "")},
            personal=tone,
        ),
    )


def _problems_of_study(setting: str, study: Study) -> list[str]:
    if setting == "injected":
        return [
            f"arm '{arm.name}': there is no primary tumour to resect when tumour cells are injected; use the option "
            "setting: adjuvant or neoadjuvant"
            for arm in study.arms
            if arm.resections
        ]
    return [
        f"arm '{arm.name}': the setting {setting} needs a resection of the primary tumour; give the arm one, or start from "
        f"the study lung_awakening_{setting}, which has them"
        for arm in study.arms
        if not arm.resections
    ]


def lung_awakening(options: Mapping[str, str | int | float]) -> Model:
    """Build the model for a study's options.

    Raises
    ------
    StudyError
        If an option or its value is not known.
    """
    choice = chosen("lung_awakening", OPTIONS, options)
    edge = float(choice["size"])
    grid = Grid((edge, edge, VOXEL if choice["dimensions"] == 2 else DEPTH), VOXEL)
    setting = str(choice["setting"])
    parameters = load_parameters("lung_awakening")
    initial = {
        "field.tsp1": Named("initial_tsp1", ""),
        "field.laminin": Named("initial_laminin", ""),
        "body.blood_neutrophils": Named("initial_blood_neutrophils", ""),
    }
    if setting != "injected":
        initial["body.primary_tumour"] = Named("primary_start", "")
    model = Model(
        name="lung_awakening",
        title="Dormant tumour cells in the lung under chemotherapy and senolytics",
        grid=grid,
        parameters=parameters,
        cell_types=CELL_TYPES,
        fields=FIELDS,
        body=BODY,
        processes={p.role: p for p in _processes(setting)},
        diffusion={f"field.{n}": Named(f"{n}_diffusion", "um**2/h") for n in DIFFUSING},
        initial=initial,
        founders=_founders(setting),
        readouts_of=partial(lung_readouts, setting),
        chain=lung_chain(),
        options=OPTIONS,
        problems_of_study=partial(_problems_of_study, setting),
        assumed=ASSUMPTIONS,
        limits=LIMITS,
        used_in_readouts=(Named("metastasis_size", ""), Named("colony_reach", "um"), Named("net_threshold", "1/pL")),
        seen_by_readouts=("cell.ever_dormant", "cell.woke_at", "cell.erk"),
    )
    if choice["signalling"] == "network":
        # Loads tissues and all curated networks, which a study with the small switch has no use for.
        from paget.catalogue.lung_signalling import with_network

        return with_network(model)
    return model


ASSUMPTIONS = (
    "The piece of lung is a field of view enriched in disseminated tumour cells; counts are per piece, not per lung.",
    "The lung is perfused so densely that every cell sees the same drug concentration.",
    "Drug concentrations at the site of action are plasma equivalents that follow plasma with a tissue half-life.",
    "Chemotherapy does not lower blood neutrophils; marrow suppression is left out.",
    "Neutrophil elastase stays on the traps; MMP9 leaves them and diffuses.",
    "Neutrophils neither push nor are pushed; fibroblasts and tumour cells are spheres; capillaries are fixed points of entry.",
    "There is no adaptive immunity, no macrophage and no blood clotting in this piece of lung.",
    "The walls of the piece of lung are closed: nothing diffuses or crawls in or out, as if its neighbours were like it.",
    "Dormant tumour cells are not killed by chemotherapy and carry no drug damage.",
)

LIMITS = (
    "Research use only; not for decisions about patients.",
    "The effect sizes, doses and schedules of He et al. 2025 are not public. Only directions are claimed here: the sizes of "
    "the effects follow from parameters most of which are assumed.",
    "Cisplatin is contested: He et al. 2025 report awakening, Monteran et al. 2022 find no complement response of lung "
    "fibroblasts to it. Both are shown, as the two values of one parameter.",
)
