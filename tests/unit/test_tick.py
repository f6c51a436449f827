"""One tick: what processes ask for is merged in a fixed order, cells are restructured, and the balances hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pytest
from scipy import stats

from paget.behaviours import Arrival, Conversion, Death, FieldLoss
from paget.engine.tick import Stepper
from paget.engine.world import found
from paget.errors import ContractError, IdentityError, LedgerError, NumericalError, UnknownNameError
from paget.model import Founders
from paget.process import Phase, Process, quantity
from paget.rules import Rule
from paget.state import Grid


def number(text):
    return quantity(text, reason="for this test")


def _always(see, do):
    return None


@dataclass(frozen=True, kw_only=True)
class Does(Process):
    """A process that does what a test tells it."""

    phase: ClassVar[Phase] = Phase.ACT
    role: str = "does"
    cells: tuple[str, ...] = ("fibroblast",)
    may_read: tuple[str, ...] = ()
    may_add: tuple[str, ...] = ()
    may_set: tuple[str, ...] = ()
    may_emit: tuple[str, ...] = ()
    waits: bool = False
    act: Callable = field(default=_always, compare=False)

    @property
    def on(self):
        return self.cells

    @property
    def reads(self):
        return self.may_read

    @property
    def adds(self):
        return self.may_add

    @property
    def sets(self):
        return self.may_set

    @property
    def emits(self):
        return self.may_emit

    @property
    def clock(self):
        return self.waits

    def step(self, see, do, p):
        self.act(see, do)


def _stepper(model, seed=1, animal=0, dt=2.0):
    return Stepper(model, found(model, seed, animal, dt))


def _ring_at(moments):
    """Events at fixed moments within the tick, for the first cells in order."""

    def act(kind, **more):
        def ask(see, do):
            rings = np.full(see.count, np.inf)
            n = min(len(moments), see.count)
            rings[:n] = moments[:n]
            do.emit(kind, rings, **more)

        return ask

    return act


# ---- rates ------------------------------------------------------------------------------------------------------------
def test_rates_of_several_processes_on_one_variable_add_up(toy):
    parts = [
        Does(role="a", may_add=("cell.p21",), act=lambda see, do: do.add("cell.p21", np.full(see.count, 0.1))),
        Does(role="b", may_add=("cell.p21",), act=lambda see, do: do.add("cell.p21", 0.2)),
    ]
    stepper = _stepper(toy(*parts))
    stepper.step()
    assert np.allclose(stepper.world.cells.column("cell.p21"), 0.6)


def test_a_loss_is_exact_and_leaves_a_rate_its_balance(toy):
    def act(see, do):
        do.add("cell.p21", 3.0)
        do.lose("cell.p21", 50.0)
        do.add("body.serum_c3", 1.0)
        do.lose("body.serum_c3", 0.25)

    stepper = _stepper(toy(Does(may_add=("cell.p21", "body.serum_c3"), act=act)))
    stepper.step()
    assert np.allclose(stepper.world.cells.column("cell.p21"), 0.06)
    assert np.isclose(stepper.world.body["body.serum_c3"], 4.0 * (1.0 - np.exp(-0.5)), rtol=1e-14)


def test_only_the_cells_that_a_process_acts_on_change(toy):
    process = Does(cells=("capillary",), may_add=("cell.p21",), act=lambda see, do: do.add("cell.p21", 1.0))
    model = toy(process, founders=(*toy().founders, Founders("capillary", number("3"), number("4 um"))))
    stepper = _stepper(model)
    stepper.step()
    p21 = stepper.world.cells.column("cell.p21")
    assert p21[stepper.world.rows(("capillary",))].tolist() == [2.0] * 3
    assert p21[stepper.world.rows(("fibroblast",))].tolist() == [0.0] * 10


def test_what_cells_secrete_is_in_their_voxels_and_nothing_is_lost(toy):
    process = Does(may_add=("field.c3",), act=lambda see, do: do.secrete("field.c3", np.arange(1.0, see.count + 1)))
    stepper = _stepper(toy(process))
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
    stepper = _stepper(toy(*parts))
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
    _stepper(toy(first, second)).step()
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
        _stepper(toy(Does(may_add=adds, every=n, act=_three_rates), grid=Grid((600.0, 600.0, 600.0), 200.0)), dt=0.5)
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
    stepper = _stepper(toy(*parts, founders=(*toy().founders, Founders("capillary", number("1"), number("4 um")))))
    before = stepper.world.cells.position.copy()
    stepper.step()
    after, fibroblasts = stepper.world.cells.position, stepper.world.rows(("fibroblast",))
    assert np.allclose(after[:, fibroblasts], np.minimum(before[:, fibroblasts] + 0.5, 60.0))
    assert after[:, stepper.world.rows(("capillary",))].ravel().tolist() == [60.0] * 3


# ---- the contract -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda see, do: see["cell.p21"], "reads 'cell.p21' without declaring it"),
        (lambda see, do: see["field.c3"], "reads 'field.c3'"),
        (lambda see, do: see.here("field.c3"), "reads 'field.c3'"),
        (lambda see, do: see.slope("field.c3"), "reads 'field.c3'"),
        (lambda see, do: see["body.serum_c3"], "reads 'body.serum_c3'"),
        (lambda see, do: see.doses, "reads 'protocol.doses'"),
        (lambda see, do: see.operations, "reads 'protocol.operations'"),
        (lambda see, do: see.is_type("fibroblast"), "reads 'cell.type'"),
        (lambda see, do: do.add("cell.p21", 1.0), "adds to 'cell.p21' without declaring it"),
        (lambda see, do: do.lose("body.serum_c3", 1.0), "adds to 'body.serum_c3'"),
        (lambda see, do: do.secrete("field.c3", np.ones(see.count)), "adds to 'field.c3'"),
        (lambda see, do: do.transfer("field.net", "field.laminin", 1.0), "adds to 'field.net'"),
        (lambda see, do: do.move(np.zeros((3, see.count))), "adds to 'cell.position'"),
        (lambda see, do: do.set("cell.p21", 1.0), "sets 'cell.p21' without declaring it"),
        (lambda see, do: do.emit("death", np.zeros(see.count)), "emits 'death' without declaring it"),
        (lambda see, do: do.arrive("neutrophil", np.ones(see.count, int), {}), "emits 'arrival'"),
        (lambda see, do: do.ring(1.0), "asks for a clock without declaring one"),
    ],
)
def test_what_is_not_declared_is_refused_when_it_happens(toy, act, message):
    with pytest.raises(ContractError, match=f"process 'does' {message}"):
        _stepper(toy(Does(act=act))).step()


def test_what_a_process_sees_cannot_be_changed_behind_the_engine(toy):
    names = ("cell.p21", "field.c3", "body.doxorubicin_amounts")

    def act(see, do):
        for name in names:
            with pytest.raises(ValueError, match="read-only"):
                see[name][...] = 1.0

    from paget.catalogue.drugs import kinetics
    from paget.evidence import load_parameters

    model = toy(Does(may_read=names, act=act), kinetics("doxorubicin"), parameters=load_parameters("lung_awakening"))
    _stepper(model).step()


def test_cells_leave_material_only_in_fields_that_are_declared(toy):
    process = Does(may_emit=("death",), act=_ring_at([0.0])("death", leaves={"field.net": 1.0}))
    with pytest.raises(ContractError, match=r"adds to 'field\.net' without declaring it"):
        _stepper(toy(process)).step()


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (_ring_at([0.0])("conversion", to="fibrobast"), "makes cells of type 'fibrobast'.*Did you mean 'fibroblast'"),
        (_ring_at([0.0])("conversion"), "makes cells of type ''"),
        (
            _ring_at([0.0])("conversion", to="neutrophil", values={"cell.erk": 1.0}),
            "gives 'cell.erk' to cells, which do not have it",
        ),
        (lambda see, do: do.arrive("neutrofil", np.ones(see.count, int), {}), "Did you mean 'neutrophil'"),
    ],
)
def test_new_cells_are_of_a_known_type_with_known_variables(toy, act, message):
    with pytest.raises(ContractError, match=message):
        _stepper(toy(Does(may_emit=("conversion", "arrival"), waits=True, act=act))).step()


# ---- numbers that mean nothing ----------------------------------------------------------------------------------------
NAN = float("nan")


@pytest.mark.parametrize(
    "act",
    [
        lambda see, do: do.add("cell.p21", NAN),
        lambda see, do: do.add("cell.p21", np.where(np.arange(see.count) == 3, np.inf, 0.0)),
        lambda see, do: do.lose("cell.p21", NAN),
        lambda see, do: do.secrete("field.c3", np.full(see.count, NAN)),
        lambda see, do: do.transfer("field.net", "field.laminin", NAN),
        lambda see, do: do.move(np.full((3, see.count), NAN)),
        lambda see, do: do.set("cell.secretome", np.full(see.count, NAN)),
        lambda see, do: do.ring(NAN),
        lambda see, do: do.emit("death", np.full(see.count, NAN)),
        lambda see, do: do.emit("death", np.zeros(see.count), leaves={"field.net": NAN}),
        lambda see, do: do.emit("conversion", np.zeros(see.count), to="neutrophil", values={"cell.p21": NAN}),
        lambda see, do: do.lose("cell.p21", -0.1),
        lambda see, do: do.lose("field.c3", np.full((3, 3, 3), -0.1)),
        lambda see, do: do.transfer("field.net", "field.laminin", -0.1),
        lambda see, do: do.ring(-0.1),
    ],
)
def test_a_value_that_is_not_a_number_or_a_negative_rate_of_loss_is_refused_with_process_and_time(toy, act):
    adds = ("cell.p21", "field.c3", "field.net", "field.laminin", "cell.position")
    process = Does(
        role="slip",
        may_add=adds,
        may_set=("cell.secretome",),
        may_emit=("death", "conversion"),
        waits=True,
        act=lambda see, do: act(see, do) if see.time >= 4.0 else None,
    )
    stepper = _stepper(toy(process))
    stepper.step()
    stepper.step()
    with pytest.raises(NumericalError, match="process 'slip' at 4 h"):
        stepper.step()


# ---- structural events ------------------------------------------------------------------------------------------------
def test_of_two_events_of_a_cell_the_earlier_happens(toy):
    parts = [
        Does(role="a", may_emit=("death",), act=_ring_at([1.5, 0.5])("death")),
        Does(role="b", may_emit=("conversion",), act=_ring_at([1.0, 1.0])("conversion", to="senescent fibroblast")),
    ]
    stepper = _stepper(toy(*parts))
    first, second = stepper.world.cells.ids[:2]
    stepper.step()
    ids, kinds = stepper.world.cells.ids, stepper.world.cells.column("cell.type")
    assert kinds[ids == first].tolist() == [1]
    assert second not in ids
    assert len(ids) == 9


def test_of_two_events_at_the_same_moment_the_first_role_wins_in_any_order(toy):
    parts = [
        Does(role="a", may_emit=("conversion",), act=_ring_at([1.0])("conversion", to="senescent fibroblast")),
        Does(role="b", may_emit=("death",), act=_ring_at([1.0])("death")),
    ]
    for order in (parts, parts[::-1]):
        stepper = _stepper(toy(*order))
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
    stepper = _stepper(toy(*parts))
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
        act=_ring_at([0.5])("division", values={"cell.cycle": 0.25}),
    )
    stepper = _stepper(toy(process))
    cells = stepper.world.cells
    cells.position[...] = 30.0
    cells.column("cell.p21")[...] = 0.7
    cells.column("cell.cycle")[...] = 0.9
    cells.column("cell.founder")[...] = np.arange(10)
    cells.column("cell.age")[...] = 50.0
    mother, founder = cells.ids[0], cells.column("cell.founder")[0]
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
    act = _ring_at([0.5, 1.0])("conversion", to="senescent fibroblast", values={"cell.p21": np.arange(10.0)})
    stepper = _stepper(toy(Does(may_read=("cell.p21",), may_emit=("conversion",), act=act)))
    stepper.step()
    cells = stepper.world.cells
    assert cells.column("cell.type").tolist() == [1, 1] + [0] * 8
    assert cells.column("cell.p21").tolist() == [0.0, 1.0] + [0.0] * 8
    events = stepper.events.take()
    assert events["type"].tolist() == [0, 0]  # the type before
    assert stepper.events.take() is None


def test_a_dying_cell_leaves_its_material_in_its_voxel(toy):
    process = Does(
        may_add=("field.net",), may_emit=("death",), act=_ring_at([0.0, 1.0])("death", leaves={"field.net": 4.0})
    )
    stepper = _stepper(toy(process))
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
    return _stepper(model)


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

    stepper = _stepper(toy(Does(may_emit=("death",), waits=True, act=act)))
    stepper.step()
    # A budget is -log u, the square of a normal pair -2 log u of the first draw: equal words would show.
    squares = 0.5 * (found_here["normals"] ** 2).sum(axis=1)
    budgets = stepper.world.cells.column("clock.does")
    assert not np.isclose(squares, budgets).any()
    assert not np.isclose(0.5 * (found_here["life"] ** 2).sum(axis=1), budgets).any()


def test_deaths_at_a_constant_hazard_leave_an_exponentially_falling_number(toy):
    dying = Death(role="dying", cell="fibroblast", behaviour="death", base=number("0.1 1/h"))
    stepper = _stepper(toy(dying, founders=(Founders("fibroblast", number("5000"), number("5 um")),)))
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
    stepper = _stepper(model)
    for _ in range(5):
        stepper.step()
    left = stepper.world.rows(("fibroblast",)).size
    assert stats.binomtest(left, 4000, np.exp(-1.0)).pvalue > 1e-4


# ---- balances ---------------------------------------------------------------------------------------------------------
def test_a_cell_that_vanishes_without_an_event_is_noticed(toy):
    stepper = _stepper(toy(FieldLoss(role="decay", factor="field.c3", half_life=number("1 h"))))
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
    stepper = _stepper(model)
    stepper.world.doses = (("doxorubicin", 0.5, 5.0),)
    stepper.step()
    stepper.check()
    stepper.world.body["body.doxorubicin_amounts"][0] += 1e-6
    with pytest.raises(LedgerError, match="5 mg/kg of doxorubicin were given"):
        stepper.check()


@pytest.mark.parametrize("wrong", [-1e-30, np.nan])
def test_a_field_that_is_negative_or_not_a_number_is_noticed(toy, wrong):
    stepper = _stepper(toy())
    stepper.world.fields["field.net"][0, 0, 0] = wrong
    with pytest.raises(NumericalError, match=r"the field 'field\.net' has values that are negative or not numbers"):
        stepper.check()


def test_a_position_or_body_value_that_is_not_a_number_is_noticed(toy):
    stepper = _stepper(toy())
    stepper.world.body["body.serum_c3"] = np.nan
    with pytest.raises(NumericalError, match=r"'body\.serum_c3' is not a number"):
        stepper.check()
    stepper = _stepper(toy())
    stepper.world.cells.position[2, 0] = np.inf
    with pytest.raises(NumericalError, match="a cell has no position along z"):
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
