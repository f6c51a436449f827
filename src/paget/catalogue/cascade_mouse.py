"""A mouse with a primary tumour and all organs to which it spreads: the whole cascade in one run, after the 4T1 model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from paget.body.anatomy import mouse
from paget.body.blood import blood_parameters
from paget.body.growth_laws import gompertz
from paget.body.lumped import LumpedSite
from paget.body.whole.definition import Endpoint, WholeBody, slug
from paget.body.whole.piece import ARRIVAL, OPERATION, SpatialSite
from paget.body.whole.record import LESION_EVENTS
from paget.catalogue.choices import chosen
from paget.catalogue.drugs import DRUGS, kinetics
from paget.catalogue.lung import lung_awakening
from paget.catalogue.primary_tumour import EPITHELIAL, MESENCHYMAL, primary_tumour
from paget.evidence import ParameterTable, load_parameters
from paget.experiment import Study
from paget.model import Option
from paget.process import Named
from paget.readouts import Readout
from paget.subject import Mechanism

__all__ = ["OPTIONS", "cascade_mouse"]

SITES = (
    "primary",
    "lung",
    "liver",
    "bone marrow",
    "brain",
    "lymph node",
    "adrenal gland",
    "kidney",
    "other",
)
CARRIED = ("cell.clone", "cell.ever_dormant")
TARGETS = {
    "CXCR4": "cxcr4_activity",
    "VEGFR1": "vegfr1_activity",
    "LOX": "lox_activity",
    "RAB27A": "rab27a_activity",
    "CCL2": "ccl2_activity",
}
RESOLUTIONS = ("spatial", "lumped")
OPTIONS = (
    Option(
        "primary", RESOLUTIONS, "spatial", "spatial: a section of the tumour, cell by cell; lumped: a law of growth"
    ),
    Option(
        "lung",
        RESOLUTIONS,
        "spatial",
        "spatial: a section of the lung, cell by cell, and laws for the rest; lumped: laws",
    ),
)
IN_BLOOD = {
    "anoikis": "Cells without anchorage die, as far as no survival signal and no neighbour protects them.",
    "shear": "Shear stress kills cells in flow.",
    "nk_killing": "Natural killer cells kill tumour cells in flow and in capillaries.",
    "escort": "Platelets and neutrophils bind to tumour cells and shield them.",
    "break_up": "Clusters break up.",
    "detachment": "Cells held in a capillary come loose.",
    "trapping": "Cells and clusters wider than a capillary are held in it.",
    "aggregation": "Parties that meet in the blood stay together.",
    "adhesion": "Cells stick to the vessels of organs that match them.",
    "extravasation": "Cells pass through the walls of capillaries.",
}


def _parameters() -> ParameterTable:
    table = load_parameters("tissue", "vessels", "blood", "networks", "lesions", "niche", "cascade_mouse")
    species = blood_parameters("mouse")
    return table.with_values({key: "mouse" for key in species if "mouse" in table.variants_of(key)})


def _primary(table: ParameterTable) -> SpatialSite:
    return SpatialSite(
        name="primary",
        organ="mammary gland",
        model=primary_tumour(table).model(),
        tumour=(EPITHELIAL, MESENCHYMAL),
        newcomer=MESENCHYMAL,
        stands_for=Named("primary_stands_for", ""),
        lymph=Named("shed_lymph_share", ""),
        survival={EPITHELIAL: Named("epithelial_survival", ""), MESENCHYMAL: Named("mesenchymal_survival", "")},
        mesenchymal={EPITHELIAL: Named("mesenchymal_share_e", ""), MESENCHYMAL: Named("mesenchymal_share_m", "")},
        nodule=Named("nodule_in_section", ""),
        reach=Named("colony_reach_body", "um"),
        removed_whole=True,
        host=False,
    )


def _lung() -> SpatialSite:
    tissue = lung_awakening({})
    tissue = tissue.changed(
        founders=tuple(f for f in tissue.founders if f.cell in ("fibroblast", "capillary")),
        seen_by_readouts=(*tissue.seen_by_readouts, "cell.clone"),
    )
    return SpatialSite(
        name="lung",
        model=tissue,
        tumour=("dormant tumour cell", "cycling tumour cell"),
        dormant=("dormant tumour cell",),
        newcomer="cycling tumour cell",
        sleeper="dormant tumour cell",
        surviving=Named("metastasis_survival", ""),
        sleeping=Named("metastasis_dormancy", ""),
        start={
            "cell.radius": tissue.parameters["tumour_cell_radius"],
            "cell.erk_tone": tissue.parameters["erk_tone_mean"],
        },
        awake={"cell.erk": tissue.parameters["erk_start_cycling"]},
        entry="capillary",
        share=Named("lung_share", ""),
        nodule=Named("nodule_in_section", ""),
        reach=Named("colony_reach_body", "um"),
    )


def _lumped(name: str) -> LumpedSite:
    law = gompertz(Named("metastasis_rate", "1/h"), Named("metastasis_limit", "cell"))
    return LumpedSite(
        name=name,
        growth=law,
        visible=Named("metastasis_visible", "cell"),
        survival=Named("metastasis_survival", ""),
        dormancy=Named("metastasis_dormancy", ""),
        growth_spread=Named("metastasis_growth_spread", ""),
    )


def _lumped_primary() -> LumpedSite:
    """The primary tumour by its law of growth; it sheds as all lesions do."""
    return LumpedSite(
        name="primary",
        growth=gompertz(Named("primary_growth_rate", "1/h"), Named("primary_growth_limit", "cell")),
        turnover=Named("primary_turnover", ""),
        growth_spread=0,  # type: ignore[arg-type]
        visible=Named("metastasis_visible", "cell"),
        survival=Named("metastasis_survival", ""),
        dormancy=Named("metastasis_dormancy", ""),
    )


def cascade_mouse(options: Mapping[str, str | int | float]) -> WholeBody:
    """Build the body for a study's options.

    Raises
    ------
    StudyError
        If an option or its value is not known.
    """
    choice, table = chosen("cascade_mouse", OPTIONS, options), _parameters()
    spatial = []
    if choice["primary"] == "spatial":
        spatial.append(_primary(table))
    if choice["lung"] == "spatial":
        spatial.append(_lung())
    plain = choice["primary"] == "lumped"
    lumped = tuple(_lumped_primary() if name == "primary" and plain else _lumped(name) for name in SITES)
    types = {t: site.model.types[t] for site in spatial for t in site.model.cell_types}
    kinds = sorted({kind for site in spatial for kind in site.model.event_kinds} | {ARRIVAL, OPERATION, *LESION_EVENTS})
    return WholeBody(
        name="cascade_mouse",
        title="A mouse with a primary tumour, its blood, and the organs to which it spreads",
        parameters=table,
        mechanisms=_mechanisms(table),
        readouts=tuple(_readouts()),
        cell_types=tuple(types.values()),
        event_kinds=tuple(kinds),
        sites=SITES,
        species="mouse",
        detail={site: "spatial" if site in [s.name for s in spatial] else "lumped" for site in SITES},
        options=OPTIONS,
        anatomy=mouse(),
        spatial=tuple(spatial),
        lumped=lumped,
        organs={"primary": "mammary gland"},
        founders=Named("primary_cells", "cell"),
        carried=CARRIED,
        interventions={target: Named(key, "") for target, key in TARGETS.items()},
        kinetics=tuple(kinetics(name) for name in DRUGS),
        drug_numbers=load_parameters("lung_awakening", "niche"),
        drugs=tuple(DRUGS.values()),
        assumed=ASSUMPTIONS,
        limits=LIMITS,
        methods=METHODS,
        problems_of_study=_problems_of_study,
        endpoints=(
            Endpoint(site="primary", cells=Named("lethal_primary", "")),
            Endpoint(site="metastases", cells=Named("lethal_metastases", "")),
        ),
    )


def _problems_of_study(study: Study) -> Iterable[str]:
    """A tumour that was taken out cannot be taken out again."""
    for arm in study.arms:
        sites = [resection.site for resection in arm.resections]
        for site in dict.fromkeys(s for s in sites if s == "primary" and sites.count(s) > 1):
            yield f"arm '{arm.name}': the {site} tumour is resected twice"


ASSUMPTIONS = (
    "The section of the primary tumour is one of many alike; what one of its cells sheds, all that it stands for shed.",
    "Organs beside the lung, and the lung beyond its section, are lumped: their lesions grow by one law, each for itself.",
    "The mouse has no lymphocytes beside the natural killer cells of its blood, as 4T1 tumours are poorly immunogenic.",
    "Drugs act on lumped lesions as on the cells of the lung, and the stroma of all organs answers as that of the lung.",
    "An animal that has died stays as it was; its readouts after its death are those of its last hour.",
)

LIMITS = (
    "Research use only; not for decisions about animals or patients.",
    "The numbers of metastases follow from parameters most of which are assumed; only directions and orders of magnitude are "
    "claimed.",
)

METHODS = (
    "The body is a mouse with nine sites. The primary tumour and a piece of the lung are simulated cell by cell, as "
    "off-lattice spheres that move without inertia, push each other and divide; all other organs, and the rest of the "
    "lung, hold lesions whose numbers follow birth-death processes, drawn exactly below ten thousand cells and by the "
    "closed form of their law of growth above. Cells that leave a vessel-bound tumour, alone or with neighbours, walk "
    "through a continuous-time Markov chain of the circulation, in which they are caught, killed, broken up or "
    "shielded by competing exponential clocks; where too many are shed to be walked one by one, those who arrive are "
    "drawn from the exact odds of the same chain. Cells are counted in whole numbers, and a ledger over sites, blood "
    "and lymph balances at every tick. An animal has the same parameters, founders and random numbers in every arm, "
    "so arms are compared animal by animal."
)


def _mechanisms(table: ParameterTable) -> tuple[Mechanism, ...]:
    """The parts of the body around its tissues, each with its numbers."""

    def keys(*files: str, groups: Iterable[str] = ()) -> tuple[str, ...]:
        wanted = set(groups)
        return tuple(
            k for name in files for k, row in load_parameters(name).items() if not wanted or row.group in wanted
        )

    own = load_parameters("cascade_mouse")

    def of(*groups: str) -> tuple[str, ...]:
        return tuple(key for key, row in own.items() if row.group in groups and key != "primary_cells")

    return (
        Mechanism(
            "primary",
            "sites",
            "The primary tumour grows, calls vessels, and sheds single cells and clusters; its section stands for it.",
            of("primary", "emt", "shedding"),
            ("WangYing2010", "Butler1975"),
            on=(EPITHELIAL, MESENCHYMAL),
            emits=("intravasation",),
            essential=True,
        ),
        Mechanism(
            "circulation",
            "blood",
            "Blood and lymph carry cells from organ to organ, by the flows and volumes of a mouse.",
            of("computation"),
            ("Brown1997",),
            essential=True,
        ),
        *(
            Mechanism(role, "blood", sentence, keys("blood") if role == "anoikis" else (), ("Hamza2021",))
            for role, sentence in IN_BLOOD.items()
        ),
        Mechanism(
            "niche",
            "body",
            "What tumours secrete prepares organs: exosomes, soluble factors and cells of the marrow.",
            (*keys("niche"), *of("interventions")),
            ("Kaplan2005", "Hoshino2015"),
        ),
        Mechanism(
            "colonisation",
            "sites",
            "Cells that arrive survive or not, fall dormant or grow; colonies die out, become visible, and shed.",
            (*keys("lesions"), *of("lung", "metastases")),
            ("Luzzi1998", "He2025"),
            on=("dormant tumour cell", "cycling tumour cell"),
            emits=(ARRIVAL, *LESION_EVENTS),
            essential=True,
        ),
        Mechanism("endpoints", "body", "An animal dies of its tumours.", of("endpoints"), essential=True),
    )


def _readouts() -> Iterable[Readout]:
    """Totals first, then each site."""
    yield Readout(
        "metastases",
        "Metastases",
        "",
        "count",
        "final",
        "visible metastases of all organs",
        headline=True,
        claim="fewer after early resection, and fewer again with doxorubicin after it",
    )
    yield Readout(
        "time_to_metastasis",
        "Time to first metastasis",
        "day",
        "time",
        "first",
        "day on which the first metastasis is visible",
        first_of="metastases",
        headline=True,
        competing=("survival",),
    )
    yield Readout(
        "survival",
        "Survival",
        "day",
        "time",
        "first",
        "day on which the animal dies of its metastases or is taken out for its primary tumour",
        first_of="dead",
        headline=True,
    )
    yield Readout("dead", "Dead", "", "count", "final", "1 from its death on")
    plain = (
        ("metastatic_cells", "Metastatic cells", "", "tumour cells of all sites but the primary", True),
        (
            "largest_metastasis",
            "Largest metastasis",
            "mm",
            "diameter of the largest metastasis of all organs, as a sphere of its cells",
            False,
        ),
        ("ctc_per_ml", "Circulating tumour cells", "1/mL", "tumour cells in flowing blood", True),
        ("ctc_single", "Single cells in blood", "", "single tumour cells in flowing blood and lymph", False),
        ("ctc_clusters", "Clusters in blood", "", "clusters in flowing blood and lymph", True),
        ("held_in_capillaries", "Cells held in capillaries", "", "tumour cells lodged in capillaries", False),
        ("shed", "Cells shed", "", "tumour cells that all sites gave to blood and lymph since the start", False),
        (
            "died_in_blood",
            "Cells that died in blood",
            "",
            "of those, the ones that died before leaving a vessel",
            False,
        ),
    )
    for name, title, unit, meaning, headline in plain:
        summary: Any = "peak" if name.startswith("ctc") else "final"
        yield Readout(name, title, unit, "continuous", summary, meaning, headline=headline)
    for site in SITES:
        name = slug(site)
        if site == "primary":
            yield Readout(
                "cells_primary", "Primary tumour", "", "continuous", "peak", "tumour cells there", headline=True
            )
        else:
            yield Readout(
                f"cells_{name}", f"Tumour cells: {site}", "", "continuous", "final", f"tumour cells of the {site}"
            )
        yield Readout(
            f"nodules_{name}", f"Metastases: {site}", "", "count", "final", f"visible metastases of the {site}"
        )
        yield Readout(
            f"dormant_{name}", f"Dormant cells: {site}", "", "continuous", "final", "dormant tumour cells there"
        )
        yield Readout(
            f"arrivals_{name}",
            f"Arrivals: {site}",
            "",
            "continuous",
            "final",
            "tumour cells that came through its vessels",
        )
