"""The whole body: every cell is accounted for, sites join in any mix, operations and deaths do what they say, and what does not
fit together is refused."""

from __future__ import annotations

import collections
import dataclasses

import numpy as np
import pytest
from scipy import stats
from small_body import (
    ASLEEP,
    TUMOUR,
    bits,
    body,
    endpoint,
    forward,
    life,
    lived,
    lung,
    number,
    organ,
    primary,
    small_tissue_model,
    spatial_body,
    study,
)

from paget.body.anatomy import mouse
from paget.body.blood import BloodBiology
from paget.body.whole.leaving import Leaving
from paget.body.whole.traffic import Batch, Traffic
from paget.catalogue.cascade_mouse import cascade_mouse
from paget.errors import LedgerError, ModelError, StudyError, UnknownNameError
from paget.evidence import Parameter
from paget.readouts import Readout
from paget.rules import Rule

TICKS = 36
MODES = {"walked": number("1e9"), "mixed": number("12"), "drawn": number("0")}
MAKES = {
    "both spatial": lambda **how: spatial_body(**how),
    "primary spatial": lambda **how: body((primary(),), **how),
    "lung spatial": lambda **how: body((lung(),), **how),
    "all lumped": lambda **how: body(**how),
    "lung only spatial": lambda **how: body((lung(share=None),), ("primary", "liver", "other"), **how),
}
RESECTIONS = {20: (("primary", 0.0), ("lung", 0.0), ("liver", 0.0))}
DOSES = {5: (("doxorubicin", 0.3, 5.0, ""),), 24: (("doxorubicin", 0.0, 5.0, ""),)}
SURVIVORS = ("liver", "lung", "other", "primary")


def census(one):
    """Every cell that left a site or came to one, counted at the sites: (left, came, waiting); balances of all are asserted."""
    left = came = 0
    for name in one.lesions.names:
        book = one.lesions.account(name)
        assert (
            book.arrived + book.born - book.died - book.left - book.removed == book.present == one.lesions.cells(name)
        )
        left, came = left + book.left, came + book.arrived
    if "primary" not in one.pieces:
        came -= 300
    for part in one.pieces.values():
        tally = part.stepper.tally
        here = tally["present"] + tally["born"] + tally["arrived"] - tally["died"] - tally["left"]
        assert here == len(part.world.cells)
        assert tally["arrived"] == part.arrived - part.lost
        left, came = left + part.stands_for * tally["left"], came + part.arrived
    scattered = one.reservoir
    assert scattered.arrived == scattered.died + scattered.founded + scattered.removed + scattered.cells()
    return left, came + scattered.arrived - scattered.founded, one.leaving.cells + one.leaving.removed


# ---- ledger ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("make", MAKES)
@pytest.mark.parametrize("mode", MODES)
def test_cells_over_sites_blood_and_lymph_balance_exactly_at_every_tick(make, mode):
    one = life(MAKES[make](walked=MODES[mode]), drugs=("doxorubicin",))
    died = 0
    for _ in range(TICKS):
        forward(one, 1, operations=RESECTIONS, doses=DOSES)
        left, came, waiting = census(one)
        traffic = one.traffic
        assert left == traffic.shed + waiting
        assert came == traffic.arrived == sum(one.arrived.values())
        assert traffic.shed == traffic.died + traffic.arrived + traffic.present
        assert traffic.died >= died >= 0
        died = traffic.died
    assert traffic.shed > 0
    assert traffic.arrived > 0
    assert traffic.died > 0


def test_who_died_in_the_blood_is_the_sum_of_the_deaths_that_were_walked(monkeypatch):
    one = life(spatial_body(walked=MODES["walked"]))
    seen = []
    walk = one.traffic.blood.advance

    def advance(*given, **how):
        passage = walk(*given, **how)
        seen.append(passage.deaths.cell)
        return passage

    monkeypatch.setattr(one.traffic.blood, "advance", advance)
    forward(one, TICKS)
    dead = np.concatenate(seen)
    assert one.traffic.died == dead.size == np.unique(dead).size > 0


def _without_the_first(state):
    """The blood without its first party."""
    cells = int(state["size"][0])
    per_cell = ("cell", "survival", "mesenchymal", "records")
    return {name: values[..., cells:] if name in per_cell else values[1:] for name, values in state.items()}


@pytest.mark.parametrize(
    "corrupt",
    [
        lambda one: setattr(one.traffic, "shed", one.traffic.shed + 1),
        lambda one: setattr(one.traffic, "arrived", one.traffic.arrived + 1),
        lambda one: setattr(one.pieces["lung"], "arrived", one.pieces["lung"].arrived - 1),
        lambda one: setattr(one.leaving, "removed", 1),
        lambda one: setattr(one.reservoir, "died", one.reservoir.died + 1),
        lambda one: one.lesions._columns["cycling"].__iadd__(1.0),
        lambda one: one.pieces["primary"].stepper.tally.update(born=1),
        lambda one: one.traffic.blood.restore(_without_the_first(one.traffic.blood.state())),
    ],
    ids=["shed", "arrived", "piece", "leaving", "reservoir", "lesions", "tissue", "blood"],
)
def test_a_count_that_is_not_right_is_an_error(corrupt):
    one = lived(spatial_body(walked=MODES["mixed"]), TICKS)
    assert one.lesions._columns["cycling"].size
    corrupt(one)
    with pytest.raises(LedgerError):
        forward(one, 1)


# ---- walk and draw --------------------------------------------------------------------------------------------------------
def _carried(walked, size, parties=4000):
    """Cells by organ in which they came out, of parties alike that all leave the mammary gland at once."""
    anatomy = mouse()
    chain = anatomy.chain()
    traffic = Traffic(chain, BloodBiology.of(anatomy), ("cell.clone",), walked)
    key = np.uint64(11)
    members = np.arange(1, size + 1, dtype=np.uint64)
    batch = Batch(0.5, chain.organs.index("mammary gland"), 0, parties, members, 0.6, 0.5, np.full((1, size), 2.0))
    came = np.zeros(len(chain.organs))
    for tick in range(400):
        effects = {"trapping": 0.1}  # so that cells come round
        traffic.take([batch] if tick == 0 else [], 1.0, key, tick, effects)
        arrivals, crowds = traffic.advance(float(tick), 1.0, key, tick, effects, 1)
        np.add.at(came, arrivals.organ, np.diff(arrivals.first))
        for crowd in crowds:
            came[crowd.organ] += crowd.parties * crowd.size
            assert crowd.records == (2.0,)
    assert traffic.present == 0
    return came, traffic


@pytest.mark.parametrize("size", [1, 3])
def test_parties_that_are_drawn_come_out_where_those_that_are_walked_do(size):
    (walked, one), (drawn, other) = _carried(10**9, size), _carried(0, size)
    assert one.shed == other.shed == 4000 * size
    assert one.shed == one.died + one.arrived
    assert other.shed == other.died + other.arrived
    # Cells of a party come out together, so that counts of cells scatter by up to its size more than those of parties.
    both = np.stack([walked, drawn])[:, (walked + drawn) >= 20 * size]
    assert both.shape[1] >= 3
    lost = 4000 * size - both.sum(axis=1, keepdims=True)
    both = np.concatenate([both, lost], axis=1)
    statistic = stats.chi2_contingency(both).statistic / size
    assert stats.chi2.sf(statistic, both.shape[1] - 1) > 1e-4  # fails by chance once in 10,000 numbers of a key


def test_odds_are_the_same_bits_whatever_was_asked_before():
    anatomy = mouse()
    chain = anatomy.chain()

    def odds(*sizes):
        traffic = Traffic(chain, BloodBiology.of(anatomy), (), 0)
        effects = {"nk_killing": 0.7}
        for size in sizes:
            batch = Batch(0.5, 7, 0, 1, np.arange(size, dtype=np.uint64), 0.5, 0.5, np.empty((0, size)))
            found = traffic._odds(batch, effects)
        return b"".join(np.asarray(part).tobytes() for part in found)

    for size in (2, 3, 4):
        assert odds(6, size) == odds(size) == odds(8, 5, 4, 3, size)


# ---- any mix --------------------------------------------------------------------------------------------------------------
def test_a_site_of_both_resolutions_counts_the_cells_of_both():
    one = lived(spatial_body(walked=MODES["mixed"]), TICKS)
    part, lumped = one.pieces["lung"], one.lesions.cells("lung")
    assert part.arrived > 0
    assert lumped > 0
    assert one.burden("lung") == part.cells + lumped + one.reservoir.cells("lung")
    assert one.burden("primary") == 3 * one.pieces["primary"].cells + one.lesions.cells("primary")
    assert one.burden("metastases") == sum(one.burden(site) for site in ("lung", "liver", "other"))
    values = one.measure()
    assert values["metastatic_cells"] == one.burden("metastases")
    assert values["arrivals_lung"] > part.arrived


def test_every_readout_but_times_is_measured_once_in_every_row():
    one = life(spatial_body())
    assert list(one.measure()) == [readout.name for readout in one.body.readouts if readout.kind != "time"]
    assert all(np.isfinite(value) for value in one.measure().values())


@pytest.mark.parametrize("mode", MODES)
def test_no_two_lesions_or_cells_of_a_body_share_an_id(mode):
    still = lung(model=small_tissue_model(cells=6, leaving="0 1/h"))  # nobody comes a second time
    one = life(body((primary(), still), walked=MODES[mode]))
    came = collections.Counter()
    for _ in range(TICKS):
        forward(one, 1)
        events = one.events()
        if events is not None:
            arrived = events["kind"] == one.body.event_kinds.index("arrival")
            came.update(events["cell"][arrived].tolist())
    assert came
    assert came.most_common(1)[0][1] == 1


def test_ids_of_crowds_differ_between_any_groups_and_ticks():
    one = life(body())
    key = np.uint64(99)
    seen = [one._fresh(key, np.uint64(nth), 50) for nth in (0, 1, 4095, 4096, 8192)]
    one.tick = 1
    seen += [one._fresh(key, np.uint64(nth), 50) for nth in (0, 1, 4095, 4096, 8192)]
    assert np.unique(np.concatenate(seen)).size == 500


def test_newcomers_of_one_tick_lodge_at_places_of_their_own():
    one = life(spatial_body(walked=MODES["drawn"]))
    part = one.pieces["lung"]
    key = np.uint64(8)
    for first in (0, 100):
        ids = np.arange(first, first + 20, dtype=np.uint64)
        part.receive(ids, {"cell.clone": np.zeros(20), "cell.ever_dormant": np.zeros(20)}, key)
    places = part.world.cells.position[:, -part.world.cells.position.shape[1] :].T
    assert np.unique(places, axis=0).shape[0] == len(part.world.cells)


# ---- events and frames ----------------------------------------------------------------------------------------------------
def test_every_arrival_is_told_once_with_its_site_origin_and_clone():
    one = life(spatial_body(walked=MODES["walked"]))
    told = collections.Counter()
    for _ in range(TICKS):
        forward(one, 1)
        events = one.events() or {"kind": np.empty(0), "site": np.empty(0), "origin": np.empty(0), "clone": np.empty(0)}
        arrived = events["kind"] == one.body.event_kinds.index("arrival")
        told.update(np.array(one.sites)[events["site"][arrived].astype(int)].tolist())
        assert (events["origin"][arrived] >= 0).all()
        assert np.isin(events["clone"][arrived], range(4)).all()
        assert (events["origin"][~arrived] == -1).all()
    assert told == {site: n for site, n in one.arrived.items() if n}


def test_arrivals_of_the_cells_of_a_tissue_itself_stay_apart_from_those_from_the_blood():
    mouse_of_the_catalogue = cascade_mouse({"primary": "lumped"})
    one = life(mouse_of_the_catalogue)
    part = one.pieces["lung"]
    assert "arrival" in part.model.event_kinds
    part.receive(
        np.arange(4, dtype=np.uint64), {"cell.clone": np.zeros(4), "cell.ever_dormant": np.zeros(4)}, np.uint64(1), 1e9
    )
    assert part.stepper.tally["arrived"] == 4
    assert part.events() is None
    part.stepper.structure.receive("arrival", "neutrophil", np.array([77], np.uint64), np.ones((3, 1)), {})
    events = one.events()
    assert events["cell"].tolist() == [77]
    assert [one.body.event_kinds[kind] for kind in events["kind"]] == ["arrival"]
    assert events["origin"].tolist() == [-1]


def test_frames_hold_the_cells_of_all_pieces_with_their_site_and_the_types_of_the_body():
    one = lived(spatial_body(), TICKS)
    frame = one.frame()
    sites = np.array(one.sites)[frame["site"]]
    for name, part in one.pieces.items():
        assert (sites == name).sum() == len(part.world.cells)
    asleep = [t.name for t in one.body.cell_types].index(ASLEEP)
    assert ((frame["type"] == asleep) & (sites == "lung")).sum() == one.pieces["lung"].dormant > 0
    assert life(body()).frame() is None


# ---- re-seeding and metastases of metastases --------------------------------------------------------------------------------
def test_metastases_shed_and_their_children_know_where_they_come_from():
    one = lived(body(walked=MODES["mixed"], founders=number("5000 cell")), 40)
    origins = {one.sites[code] for code in one.lesions.column("origin") if code >= 0}
    assert {"primary", "lung"} <= origins
    assert one.arrived["primary"] > 0
    assert one.nodules("primary") <= one.lesions.count("primary") - 1


def test_resection_takes_the_primary_whole_and_of_others_only_what_can_be_seen():
    one = lived(spatial_body(walked=MODES["mixed"]), 47)
    table = one.lesions.table()
    lungs = table["site"] == "lung"
    visible = lungs & (table["visible_at"] <= one.time)
    assert 0 < visible.sum() < lungs.sum()
    hidden = int(table["cells"][lungs & ~visible].sum())
    single = one.pieces["lung"].cells
    seen = one.pieces["lung"].nodules
    one._operate("primary")
    one._operate("lung")
    assert one.burden("primary") == 0
    assert one.pieces["primary"].closed
    assert one.leaving.cells == 0
    assert one.leaving.removed > 0
    assert one.lesions.cells("lung") == hidden > 0
    assert 0 < one.pieces["lung"].cells < single or seen == 0
    assert one.nodules("lung") == 0
    assert not one.pieces["lung"].closed


def test_a_tumour_that_was_taken_out_sheds_no_more():
    quiet = tuple(organ(site, shedding=0) for site in ("primary", "lung", "liver", "other"))
    one = lived(body((primary(),), quiet), 12)
    shed = one.traffic.shed
    assert one.leaving.cells > 0
    forward(one, 24, operations={12: (("primary", 0.0),)})
    assert one.traffic.shed == shed > 0


def test_those_who_come_to_a_site_whose_piece_was_taken_out_begin_in_the_rest_of_it():
    one = lived(body((lung(removed_whole=True, share=number("1")),), walked=MODES["mixed"]), 20)
    before, lumped = one.pieces["lung"].arrived, one.lesions.account("lung").arrived
    assert before > 0
    forward(one, 12, operations={20: (("lung", 0.0),)})
    assert one.pieces["lung"].arrived == before
    assert one.lesions.account("lung").arrived > lumped
    assert one.pieces["lung"].cells == 0


def test_with_the_primary_go_the_dormant_cells_that_had_come_back_to_it():
    one = lived(body(walked=MODES["drawn"], founders=number("5000 cell")), 30)
    one.reservoir._dormant["primary", 1, (0.0, 1.0)] = 4
    one.reservoir.arrived += 4
    one._operate("primary")
    assert one.reservoir.cells("primary") == 0
    assert one.reservoir.removed >= 4
    assert one.burden("primary") == 0


def test_what_a_lesion_sheds_is_of_its_clone():
    one = life(body(walked=MODES["walked"]))
    one.lesions._records[one.body.carried.index("cell.clone")] = 5.0
    forward(one, 30)
    assert len(one.lesions) > 1
    assert (one.lesions.column("cell.clone") == 5.0).all()
    assert (one.traffic.blood.state()["records"][0] == 5.0).all()


def test_relapse_after_resection_grows_from_lesions_that_were_there():
    quiet = tuple(organ(site, shedding=0) for site in ("lung", "liver", "other"))
    one = lived(body((), (organ("primary"), *quiet), walked=MODES["mixed"]), 24, operations={20: (("primary", 0.0),)})
    forward(one, 200)
    last = float(one.lesions.column("founded_at").max())
    assert one.burden("primary") == 0
    assert one.measure()["metastases"] > 0
    assert (one.lesions.column("founded_at")[one.lesions.column("visible_at") <= one.time] <= last).all()
    assert (
        forward(lived(body((), (organ("primary"), *quiet)), 1, operations={0: (("primary", 0.0),)}), 200).burden(
            "metastases"
        )
        == 0
    )


def test_a_dead_animal_stays_as_it_was():
    one = lived(spatial_body(endpoints=(endpoint("metastases", 30),)), TICKS)
    assert one.dead
    before, values = bits(one), one.measure()
    one.events()
    forward(one, 8, operations={TICKS: (("primary", 0.0),)}, doses={TICKS: (("doxorubicin", 0.0, 5.0, ""),)})
    after = bits(one)
    changed = {name for name in before if before[name] != after[name]}
    assert changed <= {"about", "piece primary/counts", "piece lung/counts"}  # the clock alone
    assert one.measure() == values
    assert values["dead"] == 1.0
    assert one.tick == TICKS + 8
    assert one.events() is None


def test_an_animal_dies_in_the_tick_in_which_its_tumour_reaches_the_number():
    one = life(spatial_body(endpoints=(endpoint("metastases", 40),)))
    for _ in range(TICKS):
        assert one.dead == (one.burden("metastases") >= 40)
        forward(one, 1)
    assert one.dead


# ---- edits ----------------------------------------------------------------------------------------------------------------
def test_a_part_that_is_taken_out_sets_its_hazard_to_nothing():
    without = spatial_body().without("nk_killing", "shear")
    factors, _ = life(without)._effects()
    assert factors["nk_killing"] == factors["shear"] == 0.0
    rates = BloodBiology.of(mouse()).rates(factors)
    usual = BloodBiology.of(mouse()).rates({})
    changed = rates.numbers != usual.numbers
    assert (rates.numbers[changed] == 0.0).all()
    assert changed.sum() == 3


def test_without_adhesion_no_organ_keeps_it_however_well_prepared():
    factors, _ = life(spatial_body().without("adhesion"))._effects()
    biology = BloodBiology.of(mouse())
    from paget.kernels import blood as kernel

    assert not biology.rates(factors).beds[kernel.ADHESION].any()
    assert biology.rates({}).beds[kernel.ADHESION].any()


def test_without_the_niche_no_organ_is_prepared():
    one = lived(spatial_body().without("niche"), 10)
    assert one._effects() == ({}, {})
    prepared = life(spatial_body(founders=number("1e9 cell")))
    factors, on_sites = prepared._effects()
    assert set(on_sites) == {(site, "survival") for site in ("lung", "liver", "other")}
    assert factors


def test_a_prepared_organ_favours_those_who_come_to_its_piece_even_if_it_has_no_lumped_rest():
    one = life(MAKES["lung only spatial"](walked=MODES["drawn"]))
    effects, on_sites = one._effects()
    assert ("lung", "survival") in on_sites
    favours = []
    receive = one.pieces["lung"].receive
    one.pieces["lung"].receive = lambda *given: favours.append(given[3]) or receive(*given)
    one._effects = lambda: (effects, {**on_sites, ("lung", "survival"): 0.25})
    forward(one, TICKS)
    assert set(favours) == {0.25}


def test_parameters_reach_body_tissue_anatomy_drugs_and_what_newcomers_start_with():
    usual = spatial_body()
    lobes = cascade_mouse({})
    one = usual.with_parameters({"anoikis_rate": "1 1/h"})
    assert BloodBiology.of(one.anatomy, one.parameters)["anoikis"] == 1.0
    flow = usual.anatomy["lung"].vessels
    two = usual.with_parameters({flow.key: "0.2 mL"})
    assert two.anatomy["lung"].vessels.inside("mL") == pytest.approx(0.2)
    assert usual.anatomy["lung"].vessels.inside("mL") != pytest.approx(0.2)
    slower = usual.with_parameters({"doxorubicin_site_half_life": "77 h"})
    assert slower.drug_numbers["doxorubicin_site_half_life"].inside("h") == pytest.approx(77.0)
    three = lobes.with_parameters({"tumour_cell_radius": "7 um"})
    site = next(site for site in three.spatial if site.name == "lung")
    assert site.model.parameters["tumour_cell_radius"].value == 7.0
    started = site.start["cell.radius"]
    assert isinstance(started, Parameter)
    assert started.value == 7.0
    assert next(s for s in lobes.spatial if s.name == "lung").start["cell.radius"].value != 7.0


def test_unknown_parameters_parts_and_cells_of_rules_are_refused_with_the_nearest_name():
    one = spatial_body()
    with pytest.raises(UnknownNameError, match="anoikis_rate"):
        one.with_parameters({"anoikis_rat": "1 1/h"})
    with pytest.raises(UnknownNameError, match="nk_killing"):
        one.without("nk_kiling")
    with pytest.raises(ModelError, match="cannot be taken out"):
        one.without("anatomy")
    with pytest.raises(UnknownNameError, match=TUMOUR):
        one.with_rules(
            Rule("tumor cell: field.oxygen increases speed towards 1 um/h, half-max 1 mmHg, hill 1", source="x")
        )


def test_rules_reach_every_tissue_that_has_the_cells():
    usual = cascade_mouse({})
    ruled = usual.with_rules(
        Rule(
            "fibroblast: body.doxorubicin increases senescence towards 0.05/day, half-max 50 nM, hill 2",
            source="He2025",
        )
    )
    same = {site.name: site.model is old.model for site, old in zip(ruled.spatial, usual.spatial, strict=True)}
    assert same == {"primary": True, "lung": False}
    lung_of = next(site.model for site in ruled.spatial if site.name == "lung")
    assert any("doxorubicin" in str(process) and "0.05" in str(process) for process in lung_of.processes.values())


# ---- refused --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: body(primary="tumour"), "primary site"),
        (lambda: body(primary="primry"), "primary"),
        (lambda: body((primary(),), ("lung", "liver", "other")), "give the rest of it as a lumped site"),
        (lambda: body((lung(),), ("primary", "liver", "other")), "give the rest of it as a lumped site"),
        (lambda: body((lung(share=None, removed_whole=True),), ("primary", "other")), "give the rest of it"),
        (lambda: body((), ("primary", "lung", "lung", "other")), "the lumped site 'lung' is given twice"),
        (lambda: body((lung(), lung())), "the spatial site 'lung' is given twice"),
        (lambda: body(organs={"primary": "lung"}), "lie in one organ, 'lung'"),
        (lambda: body(organs={"primary": "mamary gland"}), "mammary gland"),
        (lambda: body(founders=None), "say of how many cells"),
        (lambda: body(endpoints=(endpoint("livr", 5),)), "site of an endpoint"),
        (lambda: body((), ("primary", "lung", "liver")), "give a site 'other'"),
        (lambda: body(sites=("primary", "lung", "liver")), "not among the sites of the body"),
        (lambda: body(sites=("primary", "lung", "liver", "other", "brain")), "neither spatial nor lumped"),
        (lambda: spatial_body(cell_types=()), "cell type 'tumour cell'"),
        (lambda: spatial_body(event_kinds=("arrival",)), "kind of event 'resection'"),
        (lambda: body(readouts=(Readout("cels_lung", "", "", "count", "final", ""),)), "cells_lung"),
        (
            lambda: body(readouts=(Readout("survival", "", "day", "time", "first", "", first_of="dead"),)),
            "readout 'survival'",
        ),
        (lambda: body((lung(newcomer="tumor cell"),)), "no cell type 'tumor cell'"),
        (lambda: body((lung(survival="cell.grade"),)), "no 'cell.grade'"),
        (lambda: body((lung(start={}),)), "would have no size"),
        (lambda: body((), ("primary", "lung", "heart", "other"), organs={"primary": "mammary"}), "Unknown organ"),
    ],
)
def test_a_body_whose_parts_do_not_fit_is_refused_before_it_runs(make, words):
    with pytest.raises(ModelError, match=words):
        make()


def test_all_that_does_not_fit_is_told_at_once():
    with pytest.raises(ModelError) as raised:
        body((), ("primary", "lung", "liver"), founders=None, endpoints=(endpoint("livr", 5),))
    assert len(raised.value.problems) == 3


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda a: a.with_organ("lung", drains="nowhere"), "no conduit"),
        (lambda a: a.with_organ("liver", vessels="0 mL"), "volume of the small vessels of 'liver'"),
        (lambda a: a.with_organ("liver", tissue="-1 mL"), "volume of 'liver'"),
        (lambda a: a.with_organ("kidney", flow=0.9), "add up"),
        (lambda a: a.with_organ("kidney", flow=0.0), "kidney"),
    ],
)
def test_an_anatomy_that_cannot_carry_blood_round_is_refused(change, words):
    with pytest.raises(ModelError, match=words):
        change(mouse())


def test_parameters_that_break_the_anatomy_are_refused_as_the_anatomy_says():
    one = spatial_body()
    key = one.anatomy["kidney"].flow.key
    with pytest.raises(ModelError, match="add up"):
        one.with_parameters({key: 0.9})


def test_an_operation_on_a_site_that_is_not_there_is_refused():
    with pytest.raises(UnknownNameError, match="liver"):
        lived(body(), 1, operations={0: (("livr", 0.0),)})


def test_studies_that_take_the_primary_out_twice_or_operate_on_nothing_are_refused():
    from paget.catalogue import check_study, load_study

    usual = load_study("cascade_mouse")
    check_study(usual)
    twice = [{"site": "primary", "at": "3 day"}, {"site": "primary", "at": "5 day"}]
    with pytest.raises(StudyError, match="resected twice"):
        check_study(usual.changed(arms=[{"name": "twice", "resections": twice}]))
    with pytest.raises(StudyError, match="lung"):
        check_study(usual.changed(arms=[{"name": "wrong", "resections": [{"site": "lungs", "at": "3 day"}]}]))
    with pytest.raises(StudyError, match="rab27a_activity"):
        check_study(usual.changed(arms=[{"name": "wrong", "parameters": {"rab27_activity": 0}}]))


# ---- those who are about to leave -----------------------------------------------------------------------------------------
def _party(clone, ids=(5, 9)):
    return Batch(0.0, 3, 0, 1, np.array(ids, np.uint64), 0.52, 0.48, np.full((1, len(ids)), float(clone)))


def test_parties_that_a_piece_stands_for_leave_over_a_day_in_whole_numbers():
    waiting = Leaving(24)
    waiting.add(_party(1), 50, tick=7)
    assert waiting.cells == 100
    counts = [sum(batch.count for batch in waiting.now(7 + i, 0.0)) for i in range(30)]
    assert counts[:24] == [3, *[2] * 11, 3, *[2] * 11]
    assert sum(counts) == 50
    assert waiting.cells == 0


def test_parties_of_different_clones_or_signals_leave_apart():
    waiting = Leaving(4)
    for clone in (1, 2):
        waiting.add(_party(clone, (clone, 9 + clone)), 4, tick=0)
    batches = waiting.now(0, 0.5)
    assert sorted(batch.records[0, 0] for batch in batches) == [1.0, 2.0]
    assert [batch.count for batch in batches] == [1, 1]
    assert np.unique(np.concatenate([batch.members for batch in batches])).size == 4
    assert not np.isin(waiting.now(1, 1.5)[0].members, batches[0].members).any()


def test_parties_of_a_tumour_that_is_taken_out_do_not_leave_and_are_counted():
    waiting = Leaving(4)
    waiting.add(_party(1), 4, tick=0)
    waiting.add(dataclasses.replace(_party(1), origin=2), 8, tick=0)
    waiting.now(0, 0.5)
    assert waiting.remove(3) == 6 == waiting.removed
    assert waiting.cells == 12
    other = Leaving(4)
    other.restore(waiting.state())
    assert other.removed == 6
    assert [b.count for b in other.now(1, 1.5)] == [b.count for b in waiting.now(1, 1.5)] == [2]


# ---- arms -----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("mode", MODES)
def test_arms_are_the_same_to_the_bit_until_the_operation(mode):
    one = lived(spatial_body(walked=MODES[mode]), 20)
    operated = lived(spatial_body(walked=MODES[mode]), 20, operations=RESECTIONS)
    assert bits(one) == bits(operated)
    assert bits(forward(one, 1)) != bits(forward(operated, 1, operations=RESECTIONS))


def test_a_drug_changes_nothing_before_its_first_dose():
    plain, treated = lived(spatial_body(), 24), lived(spatial_body(), 24, drugs=("doxorubicin",), doses={24: DOSES[24]})
    shared = {name: value for name, value in bits(treated).items() if not name.startswith("drugs/")}
    assert shared == bits(plain)
    forward(treated, 12, doses={24: DOSES[24]})
    forward(plain, 12)
    assert treated.burden("metastases") != plain.burden("metastases")


def test_what_a_lesion_sheds_does_not_hang_on_which_others_shed():
    def shed(one):
        found = {}
        take = one.traffic.take

        def taken(batches, *rest):
            found.update({tuple(batch.members.tolist()): batch.origin for batch in batches})
            take(batches, *rest)

        one.traffic.take = taken
        forward(one, 1)
        return found

    one, other = (lived(body(walked=MODES["walked"]), 30) for _ in range(2))
    other.lesions.resect("liver")
    liver = one.chain.organs.index("liver")
    both, without = shed(one), shed(other)
    assert liver in both.values()
    assert {ids for ids, origin in both.items() if origin != liver} == set(without)


# ---- animals --------------------------------------------------------------------------------------------------------------
def test_animals_differ_and_seeds_differ():
    states = [bits(lived(spatial_body(), 12, seed=seed, animal=animal)) for seed, animal in ((3, 0), (3, 1), (4, 0))]
    assert states[0] != states[1] != states[2] != states[0]


def test_an_animal_of_a_study_knows_its_arm():
    of = body()
    arm = study(arms=[{"name": "vehicle", "doses": [{"drug": "doxorubicin", "amount": "5 mg/kg", "at": "2 h"}]}])
    one = of.animal(arm, arm.arms[0], 1)
    assert one._drugs is not None
    assert one.dt == 1.0


def test_lesions_of_a_treated_organ_are_killed_as_fast_as_the_drugs_say():
    one = lived(body(), 3, drugs=("doxorubicin",), doses={0: (("doxorubicin", 0.0, 5.0, ""),)})
    effects = one._treated(())
    assert {site for site, _ in effects} == set(SURVIVORS)
    assert len({value for (_, name), value in effects.items() if name == "kill"}) == 1
    assert effects["lung", "kill"] > 0.0


def test_a_piece_alone_needs_no_other_resolution_when_it_stands_for_its_whole_organ():
    one = lived(MAKES["lung only spatial"](walked=MODES["drawn"]), TICKS)
    assert one.arrived["lung"] == one.pieces["lung"].arrived > 0
    assert "lung" not in one.lesions.names
