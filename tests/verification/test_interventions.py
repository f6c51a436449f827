"""What knock-outs, antibodies, depletions and exosomes do to the soil and to the lung has the direction that was published."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from paget.antibodies import free_fraction
from paget.body.messengers import MYELOID, PROGENITORS
from paget.body.whole.life import Life
from paget.catalogue.cascade_mouse import cascade_mouse
from paget.catalogue.lung import lung_awakening
from paget.engine.animal import TissueAnimal
from paget.experiment import Antibody, Depletion, Injection

CELLS = 3e8  # a tumour of a third of a gram
HOURS, DT = 21 * 24, 12.0


@functools.cache
def mouse():
    return cascade_mouse({"primary": "lumped", "lung": "lumped"})


def soil(body, injections=(), depletions=()):
    """How readily cells settle in the lung after three weeks of a tumour: what the niche does to each step, multiplied."""
    one = Life(body, seed=1, animal=0, dt=DT, drugs=frozenset())
    compartments, niche, secretion = one._prepared
    for k in range(int(HOURS / DT)):
        if depletions or (k % 4 == 0 and injections):
            one.intervene(injections if k % 4 == 0 else (), tuple((d, k == 0) for d in depletions))
        amounts = secretion.amounts({"primary": CELLS}, interventions=one._interventions)
        kept = {f"release of {cells}": 1.0 - share for cells, share in one._away.items()}
        compartments.advance(DT, amounts, {**niche.factors(compartments, one._interventions), **kept})
        niche.advance(DT, compartments, one._interventions)
        one.tick += 1
    effects = niche.effects(compartments, one._interventions)
    return float(np.prod([effects[f"{step}:lung"] for step in ("adhesion", "extravasation", "establishment")]))


@functools.cache
def untouched():
    return soil(mouse())


KNOCK_OUTS = {
    "FLT1": 0.0,  # Kaplan 2005
    "LOX": 0.05,  # Erler 2006, 2009
    "RAB27A": 0.4,  # Peinado 2012
    "CXCR4": 0.0,  # Muller 2001
    "ITGA6": 0.0,  # Hoshino 2015
    "CSF3": 0.0,  # Kowanetz 2010
    "S100A8": 0.0,  # Hiratsuka 2006
    "TLR4": 0.0,  # Hiratsuka 2008
    "VEGFA": 0.0,  # Kaplan 2005
}


def test_a_knock_out_makes_the_lung_a_poorer_soil(gallery):
    left = {gene: soil(mouse().perturbed({(gene, ""): level})) / untouched() for gene, level in KNOCK_OUTS.items()}
    text = (
        "What the niche of three weeks does to adhesion, extravasation and establishment in the lung, multiplied, as a share "
        f"of that without a knock-out or knock-down: from {min(left.values()):.2f} ({min(left, key=left.get)}) to "
        f"{max(left.values()):.3f} ({max(left, key=left.get)}). Every one is lower, as was published for each."
    )
    with gallery("interventions-knock-outs", title="Knock-outs and the soil of the lung", text=text) as axes:
        axes.barh(list(left), list(left.values()))
        axes.axvline(1.0, color="0.4")
        axes.set_xlabel("favour of the lung, relative to no knock-out")
    assert max(left.values()) < 0.999


def test_a_neutralising_antibody_does_what_a_knock_down_to_the_free_fraction_does():
    left = free_fraction(Antibody(target="FLT1", amount="10 mg/kg", at="0 day"), [(0.0, 10.0)], 0.0, HOURS)
    assert left < 0.02
    assert soil(mouse().perturbed({("FLT1", ""): left})) < 0.999 * untouched()


def test_exosomes_bound_for_lung_make_it_a_better_soil_and_the_liver_less_so():
    lung, liver = (soil(mouse(), (Injection(exosomes=organ, amount="100 ug"),)) for organ in ("lung", "liver"))
    assert lung > liver > untouched()


@pytest.mark.parametrize("cells", [PROGENITORS, MYELOID])
def test_without_marrow_derived_cells_the_lung_is_a_poorer_soil(cells):
    assert soil(mouse(), depletions=(Depletion(cells=cells),)) < 0.99 * untouched()


# ---- the lung -----------------------------------------------------------------------------------------------------------
def traps(model=None, depleted=False, antibody=False):
    """Traps in the lung 24 days after the first of two doses of doxorubicin."""
    one = TissueAnimal(model or lung(), 1, 0, 2.0, frozenset({"doxorubicin", "anti_ly6g"}))
    for k in range(12 * 24):
        doses = (("doxorubicin", 0.0, 5.0, ""),) if k in (0, 84) else ()
        if antibody and k % 36 == 0:
            doses = (*doses, ("anti_ly6g", 0.0, 10.0, ""))
        if depleted:
            one.intervene((), ((Depletion(cells="neutrophil"), k == 0),))
        one.advance(doses, ())
    return float(one.world.fields["field.net"].sum())


@functools.cache
def lung():
    return lung_awakening({"size": 400})


@functools.cache
def treated():
    return traps()


def test_without_padi4_there_are_no_traps():
    assert treated() > 0.0
    assert traps(lung().perturbed({("PADI4", ""): 0.0})) == 0.0


def test_depleting_neutrophils_and_anti_ly6g_agree():
    depleted, antibody = traps(depleted=True), traps(antibody=True)
    assert depleted == 0.0
    assert antibody < 0.3 * treated()


def test_without_the_receptor_of_cxcl1_fewer_traps_form():
    assert traps(lung().perturbed({("CXCR2", ""): 0.0})) < 0.5 * treated()


# ---- where injected cells go --------------------------------------------------------------------------------------------
@functools.cache
def landings(vessel, number=100_000):
    """Share of the cells that left vessels in each organ, after an injection into a mouse without a tumour."""
    one = Life(mouse(), seed=1, animal=0, dt=2.0, drugs=frozenset())
    one.intervene((Injection(cells="tumour cell", number=number, into=vessel),), ())
    one.advance((), (("primary", 0.0),))
    for _ in range(71):
        one.advance((), ())
    came = np.array([one.arrived[site] for site in one.sites], float)
    return dict(zip(one.sites, came / came.sum(), strict=True))


def test_cells_seed_the_first_bed_after_the_vessel_that_is_injected(gallery):
    found = {vessel: landings(vessel) for vessel in ("tail vein", "portal vein", "left ventricle")}
    tail, portal, heart = found.values()
    text = (
        "Organs whose vessels cells have left six days after 100,000 cultured cells were injected. From the tail vein "
        f"{tail['lung']:.0%} do so in the lung, the first bed that they meet; from the portal vein {portal['liver']:.0%} in "
        f"the liver; from the left ventricle {heart['bone marrow'] / tail['bone marrow']:.0f} times as large a share in "
        f"marrow and {heart['brain'] / tail['brain']:.0f} times in brain as from the tail vein."
    )
    with gallery("interventions-vessels", title="Where injected cells go", text=text) as axes:
        sites = [site for site in tail if site != "primary"]
        for k, (vessel, shares) in enumerate(found.items()):
            axes.bar(np.arange(len(sites)) + 0.27 * (k - 1), [shares[s] for s in sites], 0.27, label=vessel)
        axes.set_yscale("log")
        axes.set_xticks(range(len(sites)), sites, rotation=30, ha="right")
        axes.set_ylabel("share of cells that left vessels")
        axes.legend()
    assert tail["lung"] > 0.8
    assert portal["liver"] > 0.8
    assert heart["bone marrow"] > 3 * tail["bone marrow"]
    assert heart["brain"] > 3 * tail["brain"]
