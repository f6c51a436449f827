"""Cells divide, die, convert and arrive: one event each per tick, the earliest, with everything that goes with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from scipy import stats
from toy_process import Does, number, ring_at, stepper_of

from paget.behaviours import Arrival, Conversion, Death
from paget.errors import ContractError, NumericalError
from paget.model import Founders
from paget.process import Phase
from paget.rules import Rule
from paget.state.bonds import Bonds


# ---- structural events ------------------------------------------------------------------------------------------------
def test_of_two_events_of_a_cell_the_earlier_happens(toy):
    parts = [
        Does(role="a", may_emit=("death",), act=ring_at([1.5, 0.5])("death")),
        Does(role="b", may_emit=("conversion",), act=ring_at([1.0, 1.0])("conversion", to="senescent fibroblast")),
    ]
    stepper = stepper_of(toy(*parts))
    first, second = stepper.world.cells.ids[stepper.world.cells.order[:2]]
    stepper.step()
    ids, kinds = stepper.world.cells.ids, stepper.world.cells.column("cell.type")
    assert kinds[ids == first].tolist() == [1]
    assert second not in ids
    assert len(ids) == 9


def test_of_two_events_at_the_same_moment_that_of_the_first_role_happens_whatever_the_phase(toy):
    @dataclass(frozen=True, kw_only=True)
    class Later(Does):
        """Acts after the others."""

        phase: ClassVar[Phase] = Phase.MOVE

    turn = ring_at([1.0])("conversion", to="senescent fibroblast")
    die = ring_at([1.0])("death")
    for first, second in ((Does, Later), (Later, Does)):
        a = first(role="a", may_emit=("conversion",), act=turn)
        b = second(role="b", may_emit=("death",), act=die)
        for order in ((a, b), (b, a)):
            stepper = stepper_of(toy(*order))
            stepper.step()
            assert len(stepper.world.cells) == 10
            assert stepper.world.cells.column("cell.type").sum() == 1


def test_a_clock_that_rang_too_late_begins_anew_instead_of_ringing_at_once_later(toy):
    # Both clocks run out in the first tick; the cell converts first, returns later, and must not die on return.
    def dying(see, do):
        do.emit("death", do.ring(np.where(see.time == 0.0, 1000.0, 0.0)))

    def there(see, do):
        do.emit("conversion", np.full(see.count, 1e-9 if see.time == 0.0 else np.inf), to="neutrophil")

    def back(see, do):
        do.emit("conversion", np.zeros(see.count), to="fibroblast")

    parts = [
        Does(role="dying", may_emit=("death",), waits=True, act=dying),
        Does(role="there", may_emit=("conversion",), act=there),
        Does(role="back", cells=("neutrophil",), may_emit=("conversion",), act=back),
    ]
    stepper = stepper_of(toy(*parts))
    stepper.step()
    assert set(stepper.world.cells.column("cell.type")) == {3}
    assert np.isnan(stepper.world.cells.column("clock.dying")).all()
    for _ in range(3):
        stepper.step()
    assert set(stepper.world.cells.column("cell.type")) == {0}
    assert len(stepper.world.cells) == 10


def test_division_replaces_a_cell_by_two_daughters_side_by_side(toy):
    process = Does(
        may_read=("cell.p21", "cell.cycle"),
        may_emit=("division",),
        act=ring_at([0.5])("division", values={"cell.cycle": 0.25}),
    )
    stepper = stepper_of(toy(process))
    cells = stepper.world.cells
    cells.position[...] = 30.0
    cells.column("cell.p21")[...] = 0.7
    cells.column("cell.cycle")[...] = 0.9
    cells.column("cell.founder")[...] = np.arange(10)
    cells.column("cell.age")[...] = 50.0
    mother, founder = cells.ids[cells.order[0]], cells.column("cell.founder")[cells.order[0]]
    before = set(cells.ids)
    stepper.step()
    new = np.array([i not in before for i in cells.ids])
    assert mother not in cells.ids
    assert new.sum() == 2
    assert cells.column("cell.p21")[new].tolist() == [0.7, 0.7]
    assert cells.column("cell.cycle")[new].tolist() == [0.25, 0.25]
    assert cells.column("cell.founder")[new].tolist() == [founder, founder]
    assert cells.column("cell.age")[new].tolist() == [2.0, 2.0]
    places = cells.position[:, new]
    assert np.allclose(places.mean(axis=1), 30.0)
    assert np.isclose(np.linalg.norm(places[:, 0] - places[:, 1]), 5.0)  # one radius apart
    events = stepper.events.take()
    assert events["cell"].tolist() == [mother] * 2
    assert set(events["other"].tolist()) == set(cells.ids[new].tolist())
    assert events["time"].tolist() == [0.5, 0.5]


def test_a_conversion_changes_the_type_and_the_values_it_names(toy):
    never = np.inf
    act = ring_at([never, never, 0.5, never, 1.0])(
        "conversion", to="senescent fibroblast", values={"cell.p21": np.arange(10.0)}
    )
    stepper = stepper_of(toy(Does(may_read=("cell.p21",), may_emit=("conversion",), act=act)))
    stepper.step()
    cells = stepper.world.cells
    assert cells.column("cell.type")[cells.order].tolist() == [0, 0, 1, 0, 1, 0, 0, 0, 0, 0]
    assert cells.column("cell.p21")[cells.order].tolist() == [0, 0, 2.0, 0, 4.0, 0, 0, 0, 0, 0]
    events = stepper.events.take()
    assert events["type"].tolist() == [0, 0]  # the type before
    assert stepper.events.take() is None


def test_a_dying_cell_leaves_its_material_in_its_voxel(toy):
    process = Does(
        may_add=("field.net",), may_emit=("death",), act=ring_at([0.0, 1.0])("death", leaves={"field.net": 4.0})
    )
    stepper = stepper_of(toy(process))
    stepper.world.cells.position[...] = 50.0
    stepper.step()
    net = stepper.world.fields["field.net"]
    assert net[2, 2, 2] == 2 * 4.0 / 8.0
    assert net.sum() == 1.0
    assert len(stepper.world.cells) == 8


def _entry(role, rate="0.5 1/h", newcomer="neutrophil"):
    return Arrival(
        role=role,
        cell="capillary",
        behaviour=role,
        newcomer=newcomer,
        pool="body.doxorubicin",
        base=number(rate),
        radius=number("5 um"),
        values={"cell.p21": number("0.3")},
    )


def _capillaries(toy, *processes):
    model = toy(
        *processes,
        founders=(Founders("capillary", number("40"), number("4 um")),),
        initial={"body.doxorubicin": number("1 nM")},
    )
    return stepper_of(model)


def test_cells_arrive_at_their_sites_with_their_values_at_the_stated_rate(toy):
    stepper = _capillaries(toy, _entry("entry"))
    for _ in range(20):
        stepper.step()
    cells, here = stepper.world.cells, stepper.world.rows(("neutrophil",))
    # 40 sites, 0.5 per h for 40 h; four standard deviations of a Poisson count
    assert abs(here.size - 800) < 4 * np.sqrt(800)
    assert set(cells.column("cell.radius")[here]) == {5.0}
    assert set(cells.column("cell.p21")[here]) == {0.3}
    assert set(cells.column("cell.founder")[here]) == {-1}
    sites = cells.position[:, stepper.world.rows(("capillary",))]
    apart = np.sqrt(((cells.position[:, here, None] - sites[:, None, :]) ** 2).sum(axis=0)).min(axis=1)
    assert apart.max() <= 4.0 + 1e-9


def test_two_processes_may_let_cells_in_at_the_same_site(toy):
    stepper = _capillaries(toy, _entry("dormant_entry"), _entry("cycling_entry", newcomer="fibroblast"))
    for _ in range(10):
        stepper.step()
    stepper.check()
    assert stepper.tally["arrived"] > 300


def test_a_process_with_a_clock_draws_other_numbers_than_its_clocks(toy):
    found_here = {}

    def act(see, do):
        found_here.setdefault("normals", see.normals(2))
        found_here.setdefault("life", see.personal(2))
        do.ring(0.0)

    stepper = stepper_of(toy(Does(may_emit=("death",), waits=True, act=act)))
    stepper.step()
    # A budget is -log u, the square of a normal pair -2 log u of the first draw: equal words would show.
    squares = 0.5 * (found_here["normals"] ** 2).sum(axis=1)
    budgets = stepper.world.cells.column("clock.does")
    assert not np.isclose(squares, budgets).any()
    assert not np.isclose(0.5 * (found_here["life"] ** 2).sum(axis=1), budgets).any()


def test_deaths_at_a_constant_hazard_leave_an_exponentially_falling_number(toy):
    dying = Death(role="dying", cell="fibroblast", behaviour="death", base=number("0.1 1/h"))
    stepper = stepper_of(toy(dying, founders=(Founders("fibroblast", number("5000"), number("5 um")),)))
    times = []
    for _ in range(10):
        stepper.step()
        times += stepper.events.take()["time"].tolist()
    survivors = len(stepper.world.cells)
    assert survivors + len(times) == 5000
    assert stats.binomtest(survivors, 5000, np.exp(-2.0)).pvalue > 1e-4
    # the moments of death within the 20 h are those of an exponential cut off there
    assert stats.kstest(times, lambda t: (1 - np.exp(-0.1 * t)) / (1 - np.exp(-2.0))).pvalue > 1e-4


def test_a_rule_sets_the_hazard_of_a_conversion(toy):
    sentence = "fibroblast: body.doxorubicin increases senescence towards 0.2 1/h, half-max 10 nM, hill 1"
    process = Conversion(
        role="senescence", cell="fibroblast", behaviour="senescence", to="senescent fibroblast", rules=(Rule(sentence),)
    )
    model = toy(
        process,
        founders=(Founders("fibroblast", number("4000"), number("5 um")),),
        initial={"body.doxorubicin": number("10 nM")},
    )
    stepper = stepper_of(model)
    for _ in range(5):
        stepper.step()
    left = stepper.world.rows(("fibroblast",)).size
    assert stats.binomtest(left, 4000, np.exp(-1.0)).pvalue > 1e-4


# ---- leaving and coming from outside -----------------------------------------------------------------------------------
def test_a_cell_that_leaves_is_gone_from_the_tissue_and_counted_outside_it(toy):
    never = np.inf
    leave = ring_at([0.5, never, 1.5])("leave", account="body.serum_c3")
    stepper = stepper_of(toy(Does(may_add=("body.serum_c3",), may_emit=("leave",), act=leave)))
    cells = stepper.world.cells
    gone = cells.ids[cells.order[[0, 2]]]
    stepper.world.bonds = Bonds.between(cells.ids[:-1], cells.ids[1:])
    stepper.step()
    stepper.check()
    assert len(cells) == 8
    assert not np.isin(gone, cells.ids).any()
    assert stepper.tally["left"] == 2
    assert stepper.tally["died"] == 0
    assert stepper.world.body["body.serum_c3"] == 2.0
    bonds = stepper.world.bonds
    assert not np.isin(gone, np.concatenate([bonds.first, bonds.second])).any()
    events = stepper.events.take()
    assert events["cell"].tolist() == gone.tolist()
    assert events["time"].tolist() == [0.5, 1.5]


def test_of_leaving_and_dying_the_earlier_happens(toy):
    parts = [
        Does(role="a", may_emit=("death",), act=ring_at([1.5, 0.5])("death")),
        Does(role="b", may_emit=("leave",), act=ring_at([1.0, 1.0])("leave")),
    ]
    stepper = stepper_of(toy(*parts))
    stepper.step()
    assert (stepper.tally["left"], stepper.tally["died"]) == (1, 1)


def test_no_cell_takes_up_another_after_it_has_left(toy):
    slot = {}

    def eat(see, do):
        rings, partner = np.full(see.count, np.inf), np.full(see.count, -1)
        rings[0], partner[0] = 1.0, slot["second"]
        do.emit("death", rings, partner=partner, gives=("cell.p21",))

    for moment, left in ((0.5, 9), (1.5, 8)):
        parts = [
            Does(role="eat", may_read=("cell.p21",), may_emit=("death",), act=eat),
            Does(role="leave", may_emit=("leave",), act=ring_at([np.inf, moment])("leave")),
        ]
        stepper = stepper_of(toy(*parts))
        slot["second"] = stepper.world.cells.order[1]
        stepper.step()
        assert len(stepper.world.cells) == left


def test_who_leaves_cannot_leave_anything_behind(toy):
    parts = {"may_add": ("field.net",), "may_emit": ("leave",)}
    stepper = stepper_of(toy(Does(**parts, act=ring_at([0.5])("leave", leaves={"field.net": 1.0}))))
    with pytest.raises(ContractError, match="take with them all that they have"):
        stepper.step()


def _entering(role="enters", places=((10.0, 20.0, 30.0), (70.0, -5.0, 30.0)), **more):
    def act(see, do):
        for _ in range(2):
            do.enter("neutrophil", np.array(places).T, {"cell.p21": np.array([0.1, 0.2])}, **more)

    return Does(
        role=role, cells=(), may_emit=("arrival",), may_add=("body.serum_c3",) if "account" in more else (), act=act
    )


def test_cells_come_in_at_given_places_with_their_values_and_ids_of_their_own(toy):
    reading = Does(role="z", may_read=("cell.p21",))
    stepper = stepper_of(
        toy(_entering(times=np.array([0.5, 1.5]), account="body.serum_c3"), _entering("other"), reading)
    )
    stepper.step()
    stepper.step()
    stepper.check()
    world, cells = stepper.world, stepper.world.cells
    here = world.rows(("neutrophil",))
    assert here.size == 16
    assert np.unique(cells.ids).size == 26
    assert stepper.tally["arrived"] == 16
    assert world.body["body.serum_c3"] == -8.0
    assert sorted(set(cells.column("cell.p21")[here])) == [0.1, 0.2]
    assert set(cells.column("cell.founder")[here]) == {-1}
    # What lies outside the tissue is set at its wall.
    assert sorted(map(tuple, cells.position[:, here].T)) == [(10.0, 20.0, 30.0)] * 8 + [(60.0, 0.0, 30.0)] * 8
    events = stepper.events.take()
    assert sorted(set(events["time"].tolist())) == [0.0, 0.5, 1.5, 2.0, 2.5, 3.5]
    assert set(events["cell"].tolist()) == set(cells.ids[here].tolist())


def test_newcomers_of_an_unknown_type_or_place_are_refused(toy):
    for places, wrong, error in (
        (((np.nan, 1.0, 1.0),), "neutrophil", NumericalError),
        (((1.0, 1.0, 1.0),), "monocyte", ContractError),
    ):

        def act(see, do, places=places, wrong=wrong):
            do.enter(wrong, np.array(places).T, {})

        with pytest.raises(error):
            stepper_of(toy(Does(cells=(), may_emit=("arrival",), act=act))).step()
