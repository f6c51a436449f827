"""Cells and exosomes injected into a body, and cells depleted there: to the right place, and all accounted for."""

from __future__ import annotations

import numpy as np
import pytest
from small_body import bits, body, forward, life, number, organ, piece, small_tissue_model, spatial_body

from paget.body.messengers import EXOSOMES, MYELOID, PLASMA, PROGENITORS
from paget.body.whole.intervening import VESSELS, with_heart
from paget.catalogue.cascade_mouse import cascade_mouse
from paget.errors import StudyError
from paget.experiment import Depletion, Injection


def quiet(**changes):
    """A body whose tumour sheds nothing."""
    silent = tuple(organ(name, shedding=number("0 1/h")) for name in ("primary", "lung", "liver", "other"))
    return body(lumped=silent, **changes)


def into(vessel, cells=2000, **more):
    return Injection(**{"cells": "tumour cell", "number": cells, "into": vessel, **more})


def injected(injection, ticks=24, of=None, **how):
    one = life(of or quiet(), **how)
    one.intervene((injection,), ())
    return forward(one, ticks)


# ---- into vessels -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("cells", [60, 20_000], ids=["walked one by one", "drawn from their odds"])
def test_cells_go_to_the_first_bed_behind_the_vessel_and_all_are_accounted_for(cells):
    tail, portal = (injected(into(vessel, cells)) for vessel in ("tail vein", "portal vein"))
    for one, site in ((tail, "lung"), (portal, "liver")):
        assert one.traffic.shed == cells
        assert one.traffic.arrived + one.traffic.died + one.traffic.present == cells
        assert one.arrived[site] == max(one.arrived.values()) > 0


def test_the_left_ventricle_leads_into_the_arteries_and_only_there():
    chain = body().anatomy.chain()
    open_heart = with_heart(chain)
    organs = [o for o in range(len(chain.organs)) if open_heart.first[2, o] < open_heart.first[2, o + 1]]
    assert len(organs) == 1
    assert chain.names[open_heart.entry[open_heart.first[2, organs[0]]]] == "arteries"
    assert np.array_equal(open_heart.first[:2], chain.first)
    heart = injected(into("left ventricle", 20_000))
    tail = injected(into("tail vein", 20_000))
    assert heart.arrived["other"] > 2 * tail.arrived["other"]


def test_clusters_hold_together_and_the_last_one_takes_the_rest():
    one = life(quiet())
    one.intervene((into("tail vein", 11, cluster=4),), ())
    assert sorted(batch.size for batch in one._coming for _ in range(batch.count)) == [3, 4, 4]
    forward(one, 2)
    assert one.traffic.shed == 11


def test_cells_of_a_culture_are_larger_than_those_that_a_tumour_sheds():
    one = life(quiet())
    one.intervene((into("tail vein", 3),), ())
    assert one._coming[0].radius == pytest.approx(9.0)


def test_the_same_injection_brings_the_same_cells_whatever_else_is_done():
    alone, beside = life(quiet()), life(quiet())
    alone.intervene((into("tail vein", 5),), ())
    beside.intervene((into("portal vein", 5), into("tail vein", 5)), ())
    assert np.array_equal(alone._coming[0].members, beside._coming[1].members)
    assert not np.isin(beside._coming[0].members, beside._coming[1].members).any()


@pytest.mark.parametrize("threads", [1, 3])
def test_a_body_goes_on_from_its_state_after_injections_and_within_depletions(threads):
    def step(one):
        injections = {2: (into("tail vein", 40, cluster=3), into("liver", 500)), 9: (into("portal vein", 900),)}
        depletions = tuple((Depletion(cells=cells, fraction=0.6), one.tick == 4) for cells in (PROGENITORS, MYELOID))
        one.intervene(injections.get(one.tick, ()), depletions if 4 <= one.tick < 10 else ())
        forward(one, 1)

    whole = life(spatial_body())
    for _ in range(14):
        step(whole)
    stopped = life(spatial_body())
    for _ in range(7):
        step(stopped)
    resumed = life(spatial_body(), threads=threads)
    resumed.restore(stopped.state())
    for _ in range(7):
        step(resumed)
    assert bits(resumed) == bits(whole)


# ---- into sites ---------------------------------------------------------------------------------------------------------
def test_cells_put_into_a_site_begin_there_as_one_lesion():
    one = injected(into("liver", 500), ticks=1)
    assert one.burden("liver") == pytest.approx(500, rel=0.1)  # they divide and die from the first tick on
    assert one.lesions.table().query("site == 'liver'").shape[0] == 1
    assert one.traffic.shed == 0


def test_other_cells_are_put_into_a_tissue_that_knows_them():
    one = life(cascade_mouse({"primary": "lumped"}))
    world = one.pieces["lung"].world
    before = world.rows(("fibroblast",)).size
    one.intervene((Injection(cells="fibroblast", number=4, into="lung"),), ())
    assert world.rows(("fibroblast",)).size == before + 4
    forward(one, 1)
    with pytest.raises(StudyError, match=r"'fibroblast' cannot be injected into 'liver'.*; it can into lung"):
        one.intervene((Injection(cells="fibroblast", number=4, into="liver"),), ())


def test_a_tumour_that_is_put_into_a_tissue_alone_needs_to_be_known_there():
    whole = piece("lung", model=small_tissue_model(cells=6, leaving="0 1/h"))
    others = [organ(name) for name in ("primary", "liver", "other")]
    one = life(body((whole,), lumped=tuple(others)))
    before = len(one.pieces["lung"].world.cells)
    one.intervene((into("lung", 3),), ())
    assert len(one.pieces["lung"].world.cells) == before + 3
    forward(one, 1)


# ---- exosomes -----------------------------------------------------------------------------------------------------------
def test_exosomes_are_shared_out_by_uptake_most_to_the_organ_that_they_are_bound_for():
    held = {}
    for organ_ in ("lung", "liver"):
        one = life(body())
        one.intervene((Injection(exosomes=organ_, amount="1e10"),), ())
        held[organ_] = {site: one.compartments.amount(EXOSOMES, site) for site in ("lung", "liver")}
        assert sum(held[organ_].values()) < 1e10
        forward(one, 2)  # the book of the compartments balances
    assert held["lung"]["lung"] > 5 * held["liver"]["lung"]
    assert held["liver"]["liver"] > 5 * held["lung"]["liver"]


def test_a_mass_of_exosomes_is_a_number_of_them():
    given = []
    for amount in ("2 ug", "2e10"):
        one = life(body())
        one.intervene((Injection(exosomes="lung", amount=amount),), ())
        given.append(one.compartments.amount(EXOSOMES, "lung"))
    assert given[0] == pytest.approx(given[1], rel=1e-12)


# ---- depletions ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("cells", [PROGENITORS, MYELOID])
def test_marrow_derived_cells_stay_at_what_a_depletion_leaves(cells):
    plain, depleted = life(body()), life(body())
    for tick in range(12):
        depleted.intervene((), ((Depletion(cells=cells, fraction=0.75), tick == 0),))
        forward(depleted, 1)
        forward(plain, 1)
    for place in (PLASMA, "lung"):
        left = depleted.compartments.amount(cells, place) / plain.compartments.amount(cells, place)
        assert left == pytest.approx(0.25, rel=0.05)  # the fuller marrow lets a little more go


def test_without_natural_killer_cells_fewer_cells_die_in_the_blood():
    def died(fraction):
        one = life(quiet())
        one.intervene((into("tail vein", 20_000),), ())
        coming = one._coming
        for _ in range(24):
            one.intervene((), ((Depletion(cells="natural killer cell", fraction=fraction), False),))
            one._coming, coming = coming, []
            forward(one, 1)
        return one.traffic.died

    assert died(1.0) < 0.9 * died(0.0)


@pytest.mark.parametrize(
    ("injection", "depletion", "words"),
    [
        (into("tail vain"), None, "'tail vain'. Did you mean 'tail vein'"),
        (into("tail vein", cells=3).model_copy(update={"cells": "neutrophil"}), None, "Unknown cell type 'neutrophil'"),
        (Injection(exosomes="brain", amount="1 ug"), None, "bound for 'brain'"),
        (Injection(exosomes="lung", amount="1 mL"), None, "'1 mL' is no amount of exosomes"),
        (into("tail vein", cluster=65), None, "clusters of 65 x 'tumour cell' are not known in blood"),
        (None, Depletion(cells="B cell"), "Unknown cell type 'B cell'"),
        (None, Depletion(cells="tumour cell"), "'tumour cell' cannot be depleted in a body"),
    ],
)
def test_what_cannot_be_done_to_a_body_is_refused_by_name(injection, depletion, words):
    one = life(body())
    with pytest.raises(StudyError, match=words):
        one.intervene((injection,) if injection else (), ((depletion, True),) if depletion else ())


def test_a_body_without_the_niche_has_no_place_for_exosomes():
    with pytest.raises(StudyError, match="without the niche"):
        life(body(niche=False)).intervene((Injection(exosomes="lung", amount="1 ug"),), ())


def test_every_vessel_is_a_way_into_the_circulation():
    assert set(VESSELS.values()) <= set(body().anatomy.chain().names)
