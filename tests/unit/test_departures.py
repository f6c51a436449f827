"""Cells that leave a tissue: who goes with whom, when, and what they still are where they arrive."""

from __future__ import annotations

import numpy as np
import pytest
from small_body import ASLEEP, SIZE, TUMOUR, body, forward, life, lung, number, piece, primary, small_tissue_model
from small_tissue import line
from small_tissue import stepper as steps_of
from small_tissue import tissue as plain_tissue

from paget.engine.tick import Stepper
from paget.engine.world import found
from paget.tissue import CellDefinition
from paget.tissue.vessels.passage import gathered

NEVER = np.inf


def chain_of(n):
    """Contacts of cells in a row: (start [n + 1], other)."""
    near = [[j for j in (i - 1, i + 1) if 0 <= j < n] for i in range(n)]
    return np.cumsum([0, *map(len, near)]), np.concatenate([np.array(some, np.int64) for some in near])


def gather(rings, *, through=1.0, chance=0.0, willing=True, contacts=None, most=100, ids=None):
    rings = np.array(rings, float)
    n = rings.size
    ids = np.arange(10, 10 + n, dtype=np.uint64) if ids is None else np.array(ids, np.uint64)
    spread = [np.broadcast_to(np.asarray(values), (n,)).copy() for values in (through, chance, willing)]
    parties = gathered(rings, *spread, ids, contacts or chain_of(n), most)
    return parties.tolist(), rings.tolist()


# ---- who goes with whom -----------------------------------------------------------------------------------------------------
def test_neighbours_follow_from_cell_to_cell_and_at_the_time_of_the_one_that_goes_first():
    parties, rings = gather([NEVER, 0.4, NEVER, NEVER])
    assert parties == [11, 11, 11, 11]
    assert rings == [0.4] * 4


def test_only_those_follow_who_touch_are_willing_and_happen_to():
    willing = np.array([True, True, False, True])
    assert gather([NEVER, 0.4, NEVER, NEVER], willing=willing) == ([11, 11, 12, 13], [0.4, 0.4, NEVER, NEVER])
    apart = (np.zeros(5, np.int64), np.empty(0, np.int64))
    assert gather([0.4, NEVER, NEVER, NEVER], contacts=apart) == ([10, 11, 12, 13], [0.4, NEVER, NEVER, NEVER])
    lucky = np.array([0.9, 0.9, 0.1, 0.1])
    assert gather([NEVER, 0.4, NEVER, NEVER], through=0.5, chance=lucky)[0] == [10, 11, 11, 11]
    assert gather([NEVER, 0.4, NEVER, NEVER], through=0.0)[0] == [10, 11, 12, 13]


def test_a_party_has_at_most_so_many_cells():
    for most in (1, 2, 3):
        parties, rings = gather([0.4, NEVER, NEVER, NEVER, NEVER], most=most)
        assert parties == [10] * most + [10 + i for i in range(most, 5)]
        assert np.isfinite(rings).sum() == most


STAR = np.array([0, 4, 5, 6, 7, 8]), np.array([1, 2, 3, 4, 0, 0, 0, 0])  # the first cell touches all others


def test_of_more_neighbours_than_there_is_room_for_those_of_the_lowest_ids_follow():
    parties, _ = gather([0.4, NEVER, NEVER, NEVER, NEVER], contacts=STAR, most=3, ids=[10, 24, 22, 23, 21])
    assert parties == [10, 24, 10, 23, 10]


def test_who_goes_first_leads_and_takes_along_those_who_would_have_gone_later():
    parties, rings = gather([0.9, 0.4, NEVER])
    assert parties == [11, 11, 11]
    assert rings == [0.4] * 3
    assert gather([0.4, 0.4], ids=[21, 20])[0] == [20, 20]  # at one time the lower id


def test_nobody_is_in_two_parties():
    parties, rings = gather([0.1, NEVER, NEVER, NEVER, 0.2], most=3)
    assert parties == [10, 10, 10, 14, 14]
    assert rings == [0.1, 0.1, 0.1, 0.2, 0.2]


def test_the_order_of_cells_in_memory_changes_no_party():
    shuffle = np.random.default_rng(4)
    n = 12
    start, other = chain_of(n)
    rings, chance = np.where(shuffle.random(n) < 0.4, shuffle.random(n), NEVER), shuffle.random(n)
    first, _ = gather(rings, through=0.6, chance=chance, most=4)
    order = shuffle.permutation(n)
    place = np.argsort(order)
    near = [place[other[start[i] : start[i + 1]]] for i in order]
    contacts = np.cumsum([0, *map(len, near)]), np.concatenate(near)
    again, _ = gather(rings[order], through=0.6, chance=chance[order], most=4, contacts=contacts, ids=10 + order)
    assert [again[i] for i in place] == first


def _left(leakiness, ticks=6, together="0.6", seeds=8):
    """Parties that left, with their cells, over several animals."""
    sizes = []
    for animal in range(seeds):
        model = small_tissue_model(leakiness=leakiness, together=together, doubling="1e6 h", leaving="0.02 1/h")
        running = Stepper(model, found(model, 3, animal, 1.0))
        running.structure.follows = ("cell.clone",)
        for _ in range(ticks):
            running.step()
            left = running.structure.departures()
            if left is not None:
                _, counts = np.unique(left.party, return_counts=True)
                sizes += counts.tolist()
                times = [left.times[left.party == party] for party in np.unique(left.party)]
                assert all((t == t[0]).all() for t in times)
                assert (left.times >= 0.0).all()
                assert (left.times <= 1.0).all()
                assert (np.diff(left.ids.astype(float)) >= 0).all()
    return np.array(sizes)


def test_through_a_tight_vessel_cells_go_alone_and_through_a_leaky_one_more_go_together():
    tight, leaky, open_wide = _left(1.0, ticks=24), _left(2.0), _left(50.0, ticks=1)
    assert tight.size > 20
    assert (tight == 1).all()
    # The probability that a neighbour follows is 0.6 (1 - 1/2) and 0.6 (1 - 1/50): clusters are more common by far.
    assert 1.0 < leaky.mean() < open_wide.mean()
    assert open_wide.max() == 4


def test_those_who_leave_are_named_only_where_somebody_asks():
    model = small_tissue_model(leaving="1 1/h")
    running = Stepper(model, found(model, 3, 0, 1.0))
    running.step()
    assert running.tally["left"] > 0
    assert running.structure.departures() is None
    running.structure.follows = ()
    for _ in range(4):
        running.step()
    left = running.structure.departures()
    assert left.ids.size > 0
    assert left.columns == {}
    assert running.structure.departures() is None


# ---- in and out between ticks ------------------------------------------------------------------------------------------------
def test_received_and_removed_cells_keep_the_books_of_the_tissue():
    running = steps_of(plain_tissue([CellDefinition(name="cell")], (), line(6)))
    running.structure.events._codes.update({"came": 0, "taken": 1})
    running.structure.receive("came", "cell", np.array([7, 8], np.uint64), np.full((3, 2), 40.0), {"cell.radius": 6.0})
    running.check()
    assert running.tally["arrived"] == 2
    assert {7, 8} <= set(running.world.cells.ids.tolist())
    running.structure.remove("taken", np.flatnonzero(np.isin(running.world.cells.ids, [7])))
    running.check()
    assert running.tally["died"] == 1
    assert 7 not in running.world.cells.ids.tolist()
    events = running.events.take()
    assert events["cell"].tolist() == [7, 8, 7]


# ---- through the blood -------------------------------------------------------------------------------------------------------
def _from_afar(part):
    """Cells of a piece that were not there from the start: which, their ids, and their columns by name."""
    cells = part.world.cells
    foreign = cells.column("cell.founder") == -1
    return foreign, cells.ids[foreign], lambda name: cells.column(name)[foreign]


@pytest.fixture(scope="module")
def journeys():
    """Cells that left the primary and came to the lung: (columns when they left, an animal whose cells do not divide)."""
    source = small_tissue_model(doubling="1e6 h", leaving="0.1 1/h")
    target = small_tissue_model(cells=1, leaving="0 1/h", doubling="1e6 h")
    of = body(
        (primary(model=source, stands_for=None), lung(model=target, share=None)),
        ("primary", "liver", "other"),
        walked=number("1e9"),
    ).without("nk_killing", "shear")
    one = life(of)
    left = {}
    listen = one.pieces["primary"].departures

    def departures():
        gone = listen()
        if gone is not None:
            left.update({int(i): (c, e) for i, c, e in zip(gone.ids, *gone.columns.values(), strict=True)})
        return gone

    one.pieces["primary"].departures = departures
    founders = set(one.pieces["primary"].world.cells.ids.tolist())
    forward(one, 60)
    return one, left, founders


def test_a_cell_that_goes_from_one_piece_to_another_is_the_same_cell_of_the_same_clone(journeys):
    one, left, founders = journeys
    foreign, ids, column = _from_afar(one.pieces["lung"])
    assert foreign.sum() >= 5
    assert set(ids.tolist()) <= set(left) <= founders
    clones = column("cell.clone").tolist()
    assert clones == [left[i][0] for i in ids.tolist()]
    assert len(set(clones)) > 1


def test_those_who_fall_asleep_on_arrival_are_marked_for_life(journeys):
    one, _, _ = journeys
    _, _, column = _from_afar(one.pieces["lung"])
    asleep = column("cell.type") == one.pieces["lung"].model.cell_types.index(ASLEEP)
    assert 0 < asleep.sum() < asleep.size
    assert np.array_equal(column("cell.ever_dormant"), asleep)


def test_a_cell_that_was_dormant_once_remains_so_in_the_blood_and_in_the_next_organ():
    one = life(
        body((primary(model=small_tissue_model(leaving="0.3 1/h"), stands_for=None), lung()), walked=number("1e9"))
    )
    one.pieces["primary"].world.cells.column("cell.ever_dormant")[...] = 1
    forward(one, 30)
    slept = one.body.carried.index("cell.ever_dormant")
    blood = one.traffic.blood.state()
    assert blood["cell"].size > 0
    of_primary = np.repeat(blood["origin"] == one.chain.organs.index("mammary gland"), blood["size"])
    assert (blood["records"][slept][of_primary] == 1.0).all()
    origin = one.lesions.column("origin") == one.sites.index("primary")
    assert origin.any()
    assert (one.lesions.column("cell.ever_dormant")[origin] == 1.0).all()
    here = one.pieces["lung"].world.cells
    foreign = here.column("cell.founder") == -1
    assert foreign.any()
    assert (here.column("cell.ever_dormant")[foreign] == 1).all()


def test_newcomers_lodge_at_the_walls_of_vessels_or_anywhere_as_the_site_says():
    one = life(body((lung(entry="anywhere", model=small_tissue_model(cells=1)),)))
    part = one.pieces["lung"]
    part.receive(np.arange(400, dtype=np.uint64), {}, np.uint64(5))
    x, y, z = part.world.cells.position[:, _from_afar(part)[0]]
    assert (z == 10.0).all()
    for column in (x, y):
        assert abs(column.mean() - 80.0) < 5.0 * SIZE[0] / np.sqrt(12 * 400)
    walls = life(body((lung(model=small_tissue_model(cells=1)),))).pieces["lung"]
    walls.receive(np.arange(400, dtype=np.uint64), {}, np.uint64(5))
    across = np.abs(walls.world.cells.position[1][_from_afar(walls)[0], None] - np.array([40.0, 120.0])).min(axis=1)
    assert (across <= 5.0 + 1e-9).all()


def test_what_becomes_of_a_newcomer_follows_from_its_id_and_not_from_who_comes_with_it():
    def kinds(order):
        site = piece("lung", surviving=number("0.5"), model=small_tissue_model(cells=1))
        part = life(body((site,))).pieces["lung"]
        part.receive(np.array(order, np.uint64), {}, np.uint64(5))
        foreign, ids, column = _from_afar(part)
        places = part.world.cells.position[:, foreign].T.tolist()
        return {
            int(i): (int(kind), tuple(place)) for i, kind, place in zip(ids, column("cell.type"), places, strict=True)
        }

    first = kinds(range(40))
    again = kinds(range(39, -1, -1))
    assert first == again
    assert 8 < len(first) < 32
    assert {kind for kind, _ in first.values()} == {0, 1}
    few = kinds(range(10))
    assert few == {i: first[i] for i in few}


def test_a_site_says_which_signals_its_cells_carry_and_what_it_does_not_say_is_as_elsewhere():
    by_type = piece("lung", survival={TUMOUR: number("0.7")}, mesenchymal={ASLEEP: number("0.9")})
    part = life(body((by_type,))).pieces["lung"]
    part.world.cells.column("cell.type")[::2] = 1
    part.stepper.structure.follows = ()
    world = part.world
    from paget.engine.structure import Departures

    n = len(world.cells)
    gone = Departures(
        world.cells.ids, world.cells.ids, np.zeros(n), world.cells.column("cell.type"), world.cells.position, {}
    )
    survival, mesenchymal = part.signals(gone, (0.2, 0.3))
    awake = world.cells.column("cell.type") == 0
    assert np.array_equal(survival, np.where(awake, 0.7, 0.2))
    assert np.array_equal(mesenchymal, np.where(awake, 0.3, 0.9))
