"""Rate equations in cells and in the body of a tissue."""

import numpy as np
import pytest
from carried_networks import WHY, number

from paget.engine.checkpoint import restore, state_of
from paget.errors import ModelError
from paget.rules import Rule
from paget.signalling.expression import parse
from paget.signalling.kinetics import Kinetics, Reaction, Species
from paget.signalling.kinetics import Rule as Formula
from paget.tissue import BodyVariable, CellDefinition, Cells, Motility, Tissue
from paget.tissue.networks import BodyKinetics, CellKinetics, Follows, KineticInhibitor, body_states


def relaxing(unit="h", rate="0.5 1/h"):
    """A kinase that is switched on by a signal and off at a rate: d(active)/dt = drive - rate active."""
    return Kinetics(
        name="kinase",
        time_unit=unit,
        species=(Species("active", number("0 nM", "active")),),
        parameters=(number("0 nM/h", "drive"), number(rate, "rate"), number("0 nM", "doubled")),
        rates=(Formula("active", parse("drive - rate * active")),),
        assignments=(Formula("doubled", parse("2 * active")),),
    )


def tissue(process, n=200, columns=None, body=(), rules=(), tick="1 h"):
    columns = columns or {}
    own = {name: number("0 nM/h") for name in columns if name not in ("cell.death",)}
    x = np.arange(n) * 20.0 + 10.0
    return Tissue(
        name="row",
        size=(20.0 * n, 20.0, 20.0),
        voxel=20.0,
        cells=(CellDefinition(name="cell", own=own, motility=Motility()),),
        placed=Cells(np.stack([x, np.full(n, 10.0), np.full(n, 10.0)], axis=1), columns=columns),
        processes=(process,),
        body=body,
        rules=rules,
        tick=tick,
    )


def in_order(simulation, name):
    cells = simulation.world.cells
    return cells.column(name)[cells.order]


DRIVE = np.linspace(0.0, 5.0, 200)
INSIDE = CellKinetics(
    system=relaxing(),
    cells=("cell",),
    acting=(Follows(node="drive", signal="cell.push", reason=WHY),),
    shown={"doubled": "cell.doubled"},
)


@pytest.mark.parametrize("unit", ["h", "min"])
def test_every_cell_follows_the_solution_of_its_own_equations(unit):
    per = 1.0 if unit == "h" else 60.0
    process = CellKinetics(
        system=relaxing(unit, f"{0.5 / per!r} 1/{unit}"),
        cells=("cell",),
        acting=(Follows(node="drive", signal="cell.push", factor=repr(1.0 / per), reason=WHY),),
        shown={"doubled": "cell.doubled"},
    )
    now = tissue(process, columns={"cell.push": DRIVE}).simulation(seed=1).run("7 h")
    exact = in_order(now, "cell.push") / 0.5 * -np.expm1(-0.5 * 7.0)
    assert in_order(now, "cell.kinetics_active") == pytest.approx(exact, rel=1e-5)
    assert in_order(now, "cell.doubled") == pytest.approx(2.0 * exact, rel=1e-5)


def test_dead_cells_keep_their_concentrations():
    columns = {"cell.push": DRIVE, "cell.death": np.arange(200) % 2}
    now = tissue(INSIDE, columns=columns).simulation(seed=1).run("3 h")
    active, dead = in_order(now, "cell.kinetics_active"), in_order(now, "cell.death") > 0
    assert not active[dead].any()
    assert (active[~dead] > 0.0).sum() >= 99


def test_an_inhibitor_leaves_its_share_of_a_constant():
    process = CellKinetics(
        system=relaxing(),
        cells=("cell",),
        acting=(
            Follows(node="drive", signal="cell.push", reason=WHY),
            KineticInhibitor(node="drive", signal="body.drug", half="3 nM", reason=WHY),
        ),
    )
    body = (BodyVariable(name="body.drug", unit="nM", initial="1 nM", reason=WHY),)
    now = tissue(process, columns={"cell.push": DRIVE}, body=body).simulation(seed=1).run("7 h")
    exact = 0.75 * in_order(now, "cell.push") / 0.5 * -np.expm1(-0.5 * 7.0)
    assert in_order(now, "cell.kinetics_active") == pytest.approx(exact, rel=1e-5)


def test_threads_order_and_stops_change_no_bit_of_rate_equations():
    made = tissue(INSIDE, columns={"cell.push": DRIVE})
    usual = made.simulation(seed=1, threads=1).run("6 h").fingerprint()
    assert made.simulation(seed=1, threads=3).run("6 h").fingerprint() == usual
    halfway = made.simulation(seed=1).run("2 h")
    other = made.simulation(seed=1)
    restore(other.stepper, state_of(halfway.stepper))
    other.world.cells.permute(np.random.default_rng(1).permutation(200))
    other.world.cells_changed()
    assert other.run("4 h").fingerprint() == usual


def test_equations_of_the_body_set_its_variables_and_follow_its_levels():
    system = relaxing()
    process = BodyKinetics(
        system=system,
        states={"active": "body.kinase_active"},
        acting=(Follows(node="drive", signal="body.push", reason=WHY),),
        shown={"doubled": "body.doubled"},
    )
    body = (
        *body_states(system, "kinase"),
        BodyVariable(name="body.push", unit="nM/h", initial="2 nM/h", reason=WHY),
        BodyVariable(name="body.doubled", unit="nM"),
    )
    now = tissue(process, body=body).simulation(seed=1).run("7 h")
    assert now.world.body["body.kinase_active"] == pytest.approx(4.0 * -np.expm1(-3.5), rel=1e-6)
    assert now.world.body["body.doubled"] == pytest.approx(8.0 * -np.expm1(-3.5), rel=1e-6)


def test_equations_of_the_body_begin_where_they_say_also_in_a_branch():
    system = Kinetics(
        name="decay",
        time_unit="h",
        species=(Species("a", number("3 nM", "a")), Species("b", number("0 nM", "b"))),
        parameters=(number("0.2 1/h", "k"),),
        rates=(Formula("a", parse("0 - k * a")), Formula("b", parse("0 - k * b"))),
        initials=(Formula("b", parse("2 * a")),),
    )
    process = BodyKinetics(system=system, states={"a": "body.decay_a", "b": "body.decay_b"})
    with_it = tissue(process, body=body_states(system, "decay"))
    now = with_it.simulation(seed=1).run("5 h")
    assert now.world.body["body.decay_a"] == pytest.approx(3.0 * np.exp(-1.0), rel=1e-5)
    assert now.world.body["body.decay_b"] == pytest.approx(6.0 * np.exp(-1.0), rel=1e-5)
    before = with_it.changed(processes=(), body=()).simulation(seed=1).run("2 h")
    later = before.branch(model=with_it.model()).run("5 h")
    assert later.world.body["body.decay_b"] == pytest.approx(6.0 * np.exp(-1.0), rel=1e-5)


def test_a_rule_listens_to_what_the_equations_show():
    rule = Rule(
        "cell: custom:push increases migration speed towards 0.5 um/min, half-max 2 nM/h, hill 4", source="Johnson2025"
    )
    now = tissue(INSIDE, columns={"cell.push": DRIVE}, rules=(rule,)).simulation(seed=1).run("2 h")
    assert now.time == 2.0


def test_what_does_not_fit_the_equations_is_told_at_once():
    with pytest.raises(ModelError) as problem:
        CellKinetics(
            system=relaxing(),
            cells=(),
            acting=(
                Follows(node="drift", signal="cell.push", reason=WHY),
                Follows(node="drive", signal="cell.push", reason=WHY),
                Follows(node="drive", signal="body.push", reason=WHY),
            ),
            shown={"trebled": "cell.doubled", "doubled": "body.doubled"},
        )
    text = str(problem.value)
    for part in (
        "'drift'",
        "Did you mean 'drive'",
        "two signals set it",
        "'trebled'",
        "'body.doubled'",
        "no cell type",
    ):
        assert part in text


def test_equations_without_a_unit_of_time_are_refused():
    with pytest.raises(ModelError, match="unit"):
        CellKinetics(system=relaxing("", "0.5"), cells=("cell",))


def test_reactions_conserve_what_they_turn_into_each_other():
    system = Kinetics(
        name="turnover",
        time_unit="h",
        species=(Species("a", number("3 nM", "a")), Species("b", number("1 nM", "b"))),
        parameters=(number("0.4 1/h", "k"),),
        reactions=(Reaction("forth", reactants=(("a", 1.0),), products=(("b", 1.0),), rate=parse("k * a")),),
    )
    now = tissue(CellKinetics(system=system, cells=("cell",))).simulation(seed=1).run("5 h")
    total = in_order(now, "cell.kinetics_a") + in_order(now, "cell.kinetics_b")
    assert total == pytest.approx(4.0, rel=1e-12)
