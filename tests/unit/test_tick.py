"""One tick: rates are merged in a fixed order, founders stand where they should, and the balances hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from toy_process import Does, number, stepper_of

from paget.behaviours import FieldLoss
from paget.engine.tick import Stepper
from paget.engine.world import found
from paget.errors import IdentityError, LedgerError, NumericalError, UnknownNameError
from paget.model import Founders
from paget.process import Phase
from paget.state import Grid


# ---- rates ------------------------------------------------------------------------------------------------------------
def test_rates_of_several_processes_on_one_variable_add_up(toy):
    parts = [
        Does(role="a", may_add=("cell.p21",), act=lambda see, do: do.add("cell.p21", np.full(see.count, 0.1))),
        Does(role="b", may_add=("cell.p21",), act=lambda see, do: do.add("cell.p21", 0.2)),
    ]
    stepper = stepper_of(toy(*parts))
    stepper.step()
    assert np.allclose(stepper.world.cells.column("cell.p21"), 0.6)


def test_a_loss_is_exact_and_leaves_a_rate_its_balance(toy):
    def act(see, do):
        do.add("cell.p21", 3.0)
        do.lose("cell.p21", 50.0)
        do.add("body.serum_c3", 1.0)
        do.lose("body.serum_c3", 0.25)

    stepper = stepper_of(toy(Does(may_add=("cell.p21", "body.serum_c3"), act=act)))
    stepper.step()
    assert np.allclose(stepper.world.cells.column("cell.p21"), 0.06)
    assert np.isclose(stepper.world.body["body.serum_c3"], 4.0 * (1.0 - np.exp(-0.5)), rtol=1e-14)
    stepper.step()
    assert np.isclose(stepper.world.body["body.serum_c3"], 4.0 * (1.0 - np.exp(-1.0)), rtol=1e-14)


def test_only_the_cells_that_a_process_acts_on_change(toy):
    process = Does(cells=("capillary",), may_add=("cell.p21",), act=lambda see, do: do.add("cell.p21", 1.0))
    model = toy(process, founders=(*toy().founders, Founders("capillary", number("3"), number("4 um"))))
    stepper = stepper_of(model)
    stepper.step()
    p21 = stepper.world.cells.column("cell.p21")
    assert p21[stepper.world.rows(("capillary",))].tolist() == [2.0] * 3
    assert p21[stepper.world.rows(("fibroblast",))].tolist() == [0.0] * 10


def test_what_cells_secrete_is_in_their_voxels_and_nothing_is_lost(toy):
    process = Does(may_add=("field.c3",), act=lambda see, do: do.secrete("field.c3", np.arange(1.0, see.count + 1)))
    stepper = stepper_of(toy(process))
    stepper.step()
    # ten cells release 1 to 10 nM pL/h for 2 h into voxels of 8 pL
    assert np.isclose(stepper.world.fields["field.c3"].sum() * 8.0, 2.0 * 55.0, rtol=1e-12)


def test_processes_of_one_phase_read_the_same_state(toy):
    seen = {}

    def act(name):
        def note(see, do):
            seen.setdefault(name, []).append(see["cell.p21"].copy())
            do.add("cell.p21", 1.0)

        return note

    parts = [Does(role=r, may_read=("cell.p21",), may_add=("cell.p21",), act=act(r)) for r in ("a", "b")]
    stepper = stepper_of(toy(*parts))
    stepper.step()
    stepper.step()
    for before, after in zip(seen["a"], seen["b"], strict=True):
        assert np.array_equal(before, after)
    assert seen["a"][1].tolist() == [4.0] * 10


def test_a_later_phase_sees_what_an_earlier_one_set(toy):
    @dataclass(frozen=True, kw_only=True)
    class Senses(Does):
        """Acts before the others."""

        phase: ClassVar[Phase] = Phase.SENSE

    seen = []
    first = Senses(role="z", may_set=("cell.p21",), act=lambda see, do: do.set("cell.p21", np.arange(float(see.count))))
    second = Does(role="a", may_read=("cell.p21",), act=lambda see, do: seen.append(see["cell.p21"].tolist()))
    stepper_of(toy(first, second)).step()
    assert seen == [list(range(10))]


def _three_rates(see, do):
    do.add("cell.p21", 0.4)
    do.lose("cell.secretome", 0.3)
    do.add("field.net", 0.2)
    do.secrete("field.c3", np.ones(see.count))
    do.transfer("field.laminin", "field.nicked_laminin", 0.1)
    do.add("body.serum_c3", 0.7)
    do.move(np.full((3, see.count), 0.5 * see.dt))


@pytest.mark.parametrize("every", [2, 3])
def test_a_process_that_acts_every_few_ticks_acts_for_all_of_them(toy, every):
    adds = (
        "cell.p21",
        "cell.secretome",
        "cell.position",
        "field.net",
        "field.c3",
        "field.laminin",
        "field.nicked_laminin",
        "body.serum_c3",
    )
    steppers = [
        stepper_of(toy(Does(may_add=adds, every=n, act=_three_rates), grid=Grid((600.0, 600.0, 600.0), 200.0)), dt=0.5)
        for n in (1, every)
    ]
    for stepper in steppers:
        stepper.world.cells.position[...] = 100.0
        stepper.world.cells.column("cell.secretome")[...] = 5.0
        for _ in range(6):
            stepper.step()
    often, seldom = (s.world for s in steppers)
    for name in ("cell.p21", "cell.secretome", "cell.x"):
        assert np.allclose(often.cells.column(name), seldom.cells.column(name)), name
    for name in ("field.net", "field.laminin", "field.nicked_laminin"):
        assert np.allclose(often.fields[name], seldom.fields[name]), name
    assert np.isclose(often.fields["field.c3"].sum(), seldom.fields["field.c3"].sum())
    assert np.isclose(often.body["body.serum_c3"], seldom.body["body.serum_c3"])


def test_movers_add_up_and_cells_stay_in_the_tissue(toy):
    parts = [
        Does(role="a", may_add=("cell.position",), act=lambda see, do: do.move(np.full((3, see.count), 2.0))),
        Does(role="b", may_add=("cell.position",), act=lambda see, do: do.move(np.full((3, see.count), -1.5))),
        Does(
            role="c",
            cells=("capillary",),
            may_add=("cell.position",),
            act=lambda see, do: do.move(np.full((3, see.count), 1e4)),
        ),
    ]
    stepper = stepper_of(toy(*parts, founders=(*toy().founders, Founders("capillary", number("1"), number("4 um")))))
    before = stepper.world.cells.position.copy()
    stepper.step()
    after, fibroblasts = stepper.world.cells.position, stepper.world.rows(("fibroblast",))
    assert np.allclose(after[:, fibroblasts], np.minimum(before[:, fibroblasts] + 0.5, 60.0))
    assert after[:, stepper.world.rows(("capillary",))].ravel().tolist() == [60.0] * 3


def test_a_cell_that_has_moved_senses_and_secretes_where_it_is_now(toy):
    @dataclass(frozen=True, kw_only=True)
    class Moves(Does):
        """Moves in the phase of moving."""

        phase: ClassVar[Phase] = Phase.MOVE

    @dataclass(frozen=True, kw_only=True)
    class Afterwards(Does):
        """Acts after the moves."""

        phase: ClassVar[Phase] = Phase.TRANSPORT

    felt = []

    def sense(see, do):
        felt.append(see.here("field.net").tolist())
        do.secrete("field.c3", np.ones(see.count))

    def push(see, do):
        do.move(np.repeat([[20.0], [0.0], [0.0]], see.count, axis=1))

    parts = [
        Does(role="before", may_read=("field.net",), act=lambda see, do: felt.append(see.here("field.net").tolist())),
        Moves(role="push", may_add=("cell.position",), act=push),
        Afterwards(role="after", may_read=("field.net",), may_add=("field.c3",), act=sense),
    ]
    stepper = stepper_of(toy(*parts, diffusion={"field.c3": number("0 um**2/h")}))
    stepper.world.cells.position[...] = 10.0
    stepper.world.fields["field.net"][0, 0, :] = [1.0, 2.0, 3.0]
    stepper.step()
    assert felt == [[1.0] * 10, [2.0] * 10]
    assert np.isclose(stepper.world.fields["field.c3"][0, 0, 1], 2.0 * 10 / 8.0)
    assert np.isclose(stepper.world.fields["field.c3"].sum(), 2.0 * 10 / 8.0)


# ---- balances ---------------------------------------------------------------------------------------------------------
def test_a_cell_that_vanishes_without_an_event_is_noticed(toy):
    stepper = stepper_of(toy(FieldLoss(role="decay", factor="field.c3", half_life=number("1 h"))))
    stepper.step()
    stepper.check()
    cells = stepper.world.cells
    keep = np.arange(len(cells)) != 0
    cells.restructure(keep, np.empty(0, np.uint64), *cells.blank(0))
    with pytest.raises(LedgerError, match="At 2 h there are 9 cells, but births and deaths add up to 10"):
        stepper.check()


def test_drug_that_vanishes_is_noticed(toy):
    from paget.catalogue.drugs import kinetics
    from paget.evidence import load_parameters

    model = toy(kinetics("doxorubicin"), parameters=load_parameters("lung_awakening"))
    stepper = stepper_of(model)
    stepper.world.doses = (("doxorubicin", 0.5, 5.0, ""),)
    stepper.step()
    stepper.check()
    stepper.world.body["body.doxorubicin_amounts"][0] += 1e-6
    with pytest.raises(LedgerError, match="5 mg/kg of doxorubicin were given"):
        stepper.check()


@pytest.mark.parametrize("wrong", [-1e-30, np.nan])
def test_a_field_that_is_negative_or_not_a_number_is_noticed(toy, wrong):
    stepper = stepper_of(toy())
    stepper.world.fields["field.net"][0, 0, 0] = wrong
    with pytest.raises(
        NumericalError, match=r"the field 'field\.net' is (-1e-30|nan) in voxel \(z, y, x\) = \(0, 0, 0\)"
    ):
        stepper.check()


def test_a_position_or_body_value_that_is_not_a_number_is_noticed(toy):
    stepper = stepper_of(toy())
    stepper.world.body["body.serum_c3"] = np.nan
    with pytest.raises(NumericalError, match=r"'body\.serum_c3' is not a number"):
        stepper.check()
    stepper = stepper_of(toy())
    stepper.world.cells.position[2, 0] = np.inf
    with pytest.raises(NumericalError, match=r"cell \d+ has no position"):
        stepper.check()


def test_a_drug_that_the_model_does_not_have_is_refused_before_the_first_tick(toy):
    model = toy()
    with pytest.raises(UnknownNameError, match="Unknown drug 'aspirin'"):
        Stepper(model, found(model, 1, 0, 1.0), frozenset({"aspirin"}))


# ---- founders ---------------------------------------------------------------------------------------------------------
def test_founders_are_placed_in_the_tissue_by_number_or_density(toy):
    founders = (
        Founders("fibroblast", number("100000 1/mm**3"), number("5 um")),
        Founders("capillary", number("7"), number("4 um"), values={"cell.p21": number("0.5"), "cell.ever_dormant": 1}),
    )
    world = found(toy(founders=founders), 1, 0, 1.0)
    assert world.rows(("fibroblast",)).size == round(100000 * 60**3 * 1e-9)
    rows = world.rows(("capillary",))
    assert rows.size == 7
    assert set(world.cells.column("cell.p21")[rows]) == {0.5}
    assert set(world.cells.column("cell.ever_dormant")[rows]) == {1}
    assert sorted(world.cells.column("cell.founder")) == list(range(len(world.cells)))
    assert ((world.cells.position >= 0.0) & (world.cells.position <= 60.0)).all()


def test_founders_of_two_types_stand_in_different_places(toy):
    founders = tuple(Founders(cell, number("20"), number("5 um")) for cell in ("fibroblast", "capillary"))
    world = found(toy(founders=founders), 1, 0, 1.0)
    places = [world.cells.position[:, world.rows((f.cell,))] for f in founders]
    assert not np.isin(places[0], places[1]).any()


def test_a_founding_colony_lies_together(toy):
    grid = Grid((2000.0, 2000.0, 20.0), 20.0)
    founders = (Founders("fibroblast", number("60"), number("9 um"), colony=number("6")),)
    world = found(toy(grid=grid, founders=founders), 1, 0, 1.0)
    position = world.cells.position[:, np.argsort(world.cells.column("cell.founder"))]
    for colony in position.reshape(3, 10, 6).transpose(1, 0, 2):
        spread = np.abs(colony - colony[:, :1]).max()
        assert 0.0 < spread < 60.0
    assert (position[2] == 10.0).all()
    assert np.ptp(position[0]) > 500.0


def test_founders_differ_between_animals_and_not_between_runs(toy):
    personal = {"cell.p21": (number("0.5"), number("0.1"))}
    model = toy(founders=(Founders("fibroblast", number("500"), number("5 um"), personal=personal),))
    first, again, other = (found(model, 1, animal, 1.0).cells for animal in (0, 0, 1))
    assert np.array_equal(first.position, again.position)
    assert not np.array_equal(first.position, other.position)
    p21 = first.column("cell.p21")
    assert abs(p21.mean() - 0.5) < 4 * 0.1 / np.sqrt(500)
    assert abs(p21.std() - 0.1) < 4 * 0.1 / np.sqrt(1000)


def test_two_founders_with_one_id_would_be_refused(toy, monkeypatch):
    monkeypatch.setattr("paget.engine.world.mix", lambda values, salt: values * np.uint64(0))
    with pytest.raises(IdentityError):
        found(toy(), 1, 0, 1.0)
