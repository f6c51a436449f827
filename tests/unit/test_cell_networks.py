"""Networks inside cells of a tissue: what sets them, what acts on them, what they drive."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from carried_networks import RELAY, WHY, carrying, network, number, on

from paget.errors import ModelError, NumericalError, PagetError
from paget.evidence.mechanisms import load_mechanisms
from paget.rules import Rule
from paget.signalling import Network, Node
from paget.tissue import BodyVariable, CellDefinition, Motility
from paget.tissue.cycles import live
from paget.tissue.networks import (
    Activator,
    Antibody,
    CellNetworks,
    Clamp,
    FractionInhibitor,
    HillInput,
    Inhibitor,
    Silencing,
    Threshold,
)

LEVELS = np.linspace(0.0, 10.0, 400)
SEEN = {"shown": {"Ligand": "cell.node_Ligand", "Receptor": "cell.node_Receptor", "Target": "cell.node_Target"}}


def sensed(simulation, name):
    cells = simulation.world.cells
    return cells.column(f"cell.{name}")[cells.order]


def five_sigma(share, p, n):
    return abs(share - p) <= 5.0 * np.sqrt(max(p * (1.0 - p), 1.0 / n) / n)


# ---- inputs -----------------------------------------------------------------------------------------------------------
def test_an_input_at_a_threshold_keeps_its_state_between_off_and_on():
    sensor = Threshold(node="Ligand", signal="cell.level", on="6 nM", off="3 nM", reason=WHY)
    now = carrying(RELAY, columns={"cell.level": LEVELS}, sensors=(sensor,)).simulation(seed=1)
    now.step()
    assert np.array_equal(on(now, "networks", "Ligand"), sensed(now, "level") > 6.0)
    now.world.cells.column("cell.level")[...] = 4.0
    before = on(now, "networks", "Ligand")
    now.step()
    assert np.array_equal(on(now, "networks", "Ligand"), before)
    now.world.cells.column("cell.level")[...] = 2.9
    now.step()
    assert not on(now, "networks", "Ligand").any()


def test_an_input_for_lack_turns_on_below_and_off_above():
    sensor = Threshold(node="Ligand", signal="cell.level", on="3 nM", off="6 nM", below=True, reason=WHY)
    now = carrying(RELAY, columns={"cell.level": LEVELS}, sensors=(sensor,)).simulation(seed=1)
    now.step()
    assert np.array_equal(on(now, "networks", "Ligand"), sensed(now, "level") < 3.0)
    now.world.cells.column("cell.level")[...] = 5.0
    before = on(now, "networks", "Ligand")
    now.step()
    assert np.array_equal(on(now, "networks", "Ligand"), before)
    now.world.cells.column("cell.level")[...] = 6.1
    now.step()
    assert not on(now, "networks", "Ligand").any()


@pytest.mark.parametrize("falls", [False, True])
def test_an_input_on_a_hill_curve_is_on_that_share_of_the_time(falls):
    sensor = HillInput(
        node="Ligand", signal="cell.level", half="2 nM", hill="2", switching="4 1/h", falls=falls, reason=WHY
    )
    tissue = carrying(RELAY, n=3000, columns={"cell.level": np.full(3000, 3.0)}, sensors=(sensor,), tick="10 h", **SEEN)
    now = tissue.simulation(seed=2).run("20 h")
    p = 9.0 / 13.0
    p = 1.0 - p if falls else p
    # The mean over 10 h of a switch with correlation time 1/4 h has 2 p (1 - p) / (4 * 10) of variance in each cell.
    assert abs(sensed(now, "node_Ligand").mean() - p) < 5.0 * np.sqrt(2.0 * p * (1 - p) / 40.0 / 3000.0)
    assert five_sigma(on(now, "networks", "Ligand").mean(), p, 3000)


def test_a_personal_threshold_is_kept_for_life_and_more_signal_adds_cells():
    sensor = HillInput(node="Ligand", signal="cell.level", half="2 nM", hill="1", personal=True, reason=WHY)
    now = carrying(RELAY, n=3000, columns={"cell.level": np.full(3000, 2.0)}, sensors=(sensor,)).simulation(seed=2)
    now.step()
    first = on(now, "networks", "Ligand")
    now.step()
    assert np.array_equal(on(now, "networks", "Ligand"), first)
    assert five_sigma(first.mean(), 0.5, 3000)
    now.world.cells.column("cell.level")[...] = 6.0
    now.step()
    assert (on(now, "networks", "Ligand") >= first).all()
    assert five_sigma(on(now, "networks", "Ligand").mean(), 0.75, 3000)


def test_contact_and_attachment_set_inputs():
    sensors = (
        Threshold(node="Contact", signal="contact with live cell", on="0.5", reason=WHY),
        Threshold(node="ECM", signal="cell.anchored", on="0.5", reason=WHY),
    )
    carried = network(Node(name="Contact"), Node(name="ECM"))
    columns = {"cell.anchored": np.arange(400) % 5 == 0}
    tissue = carrying(carried, columns=columns, sensors=sensors)
    places = tissue.placed.positions.copy()
    places[1::2] = places[::2] + np.array([10.0, 0.0, 0.0])  # every second cell beside the one before
    places[-1] = (52.0, 30.0, 10.0)  # far from all, and so is the one that it was beside
    now = tissue.changed(placed=dataclasses.replace(tissue.placed, positions=places)).simulation(seed=1)
    now.step()
    touching = on(now, "networks", "Contact")
    assert set(sensed(now, "founder")[~touching]) == {398, 399}
    assert np.array_equal(on(now, "networks", "ECM"), sensed(now, "anchored") == 1)


# ---- drugs ------------------------------------------------------------------------------------------------------------
ALWAYS = network(Node(name="Ligand", initial=1.0), Node(name="Receptor", logic="Ligand", up="{slow}"))
DOSES = {"cell.dose": np.repeat([0.0, 1.0, 3.0, 9.0], 1500)}


def shares(perturbation, *more, carried=ALWAYS, hours="40 h", node="Receptor"):
    """Share of cells on for each of the four doses of 0, 1, 3 and 9 nM."""
    tissue = carrying(carried, n=6000, columns=DOSES, perturbations=(perturbation, *more), tick="10 h")
    now = tissue.simulation(seed=3).run(hours)
    dose, state = sensed(now, "dose"), on(now, "networks", node)
    return np.array([state[dose == d].mean() for d in (0.0, 1.0, 3.0, 9.0)])


def test_a_graded_inhibitor_leaves_exactly_one_minus_the_effect_of_each_cells_own_exposure():
    found = shares(Inhibitor(node="Receptor", signal="cell.dose", half="3 nM", reason=WHY))
    for share, dose in zip(found, (0.0, 1.0, 3.0, 9.0), strict=True):
        assert five_sigma(share, 1.0 - dose / (3.0 + dose), 1500)


def test_two_inhibitors_combine_as_independent_events():
    one = Inhibitor(node="Receptor", signal="cell.dose", half="3 nM", reason=WHY)
    found = shares(one, dataclasses.replace(one, half=number("9 nM")))
    for share, dose in zip(found, (0.0, 1.0, 3.0, 9.0), strict=True):
        assert five_sigma(share, 3.0 / (3.0 + dose) * 9.0 / (9.0 + dose), 1500)


def test_an_activator_turns_on_that_share_of_what_would_be_off():
    silent = network(Node(name="Ligand"), Node(name="Receptor", logic="Ligand", up="{slow}"))
    found = shares(Activator(node="Receptor", signal="cell.dose", half="3 nM", hill="2", reason=WHY), carried=silent)
    for share, dose in zip(found, (0.0, 1.0, 3.0, 9.0), strict=True):
        assert five_sigma(share, dose**2 / (9.0 + dose**2), 1500)


def test_an_inhibitor_of_a_fraction_of_cells_holds_them_off_and_leaves_the_others_alone():
    tissue = carrying(
        ALWAYS,
        n=6000,
        columns=DOSES,
        perturbations=(FractionInhibitor(node="Receptor", signal="cell.dose", half="3 nM", reason=WHY),),
        shown={"Receptor": "cell.node_Receptor"},
        tick="40 h",
    )
    now = tissue.simulation(seed=3).run("120 h")
    activity, dose = sensed(now, "node_Receptor"), sensed(now, "dose")
    assert set(np.unique(activity)) == {0.0, 1.0}
    for d in (0.0, 1.0, 3.0, 9.0):
        assert five_sigma(activity[dose == d].mean(), 1.0 - d / (3.0 + d), 1500)


def test_silencing_sets_in_and_wears_off_with_an_efficiency_of_its_own_in_every_cell():
    silencing = Silencing(
        node="Receptor", at=("10 h",), efficiency="0.7", spread="0.1", onset="4 h", half_life="40 h", reason=WHY
    )
    tissue = carrying(ALWAYS, n=3000, perturbations=(silencing,), shown={"Receptor": "cell.node_Receptor"}, tick="2 h")
    now = tissue.simulation(seed=3)
    course = {0.0: 0.0}
    while now.time < 300.0:
        now.step()
        course[now.time] = sensed(now, "node_Receptor").mean()
    assert course[10.0] > 0.85  # still rising to 1, at 1/4 per h
    assert 0.25 < min(share for hours, share in course.items() if hours > 10.0) < 0.45
    assert course[300.0] > 0.95
    assert course[60.0] < course[120.0] < course[200.0]


def test_a_knock_out_and_a_gain_of_function_take_hold_at_once_and_let_go_again():
    for level, start in ((0, 1.0), (1, 0.0)):
        carried = network(Node(name="Ligand", initial=start), Node(name="Receptor", logic="Ligand", initial=start))
        clamp = Clamp(node="Receptor", level=level, begins="2 h", ends="5 h")
        now = carrying(carried, perturbations=(clamp,)).simulation(seed=3).run("2 h")
        assert (on(now, "networks", "Receptor") == start).all()
        now.step()
        assert (on(now, "networks", "Receptor") == level).all()
        now.run("2 h")
        assert (on(now, "networks", "Receptor") == level).all()
        now.run("30 h")
        assert (on(now, "networks", "Receptor") == start).all()


def test_a_mutation_is_carried_by_its_clones_only():
    clone = np.arange(400) % 3
    tissue = carrying(
        ALWAYS, columns={"cell.clone": clone}, perturbations=(Clamp(node="Receptor", level=0, clones=(1, 2)),)
    )
    now = tissue.simulation(seed=3).run("60 h")
    assert np.array_equal(on(now, "networks", "Receptor"), sensed(now, "clone") == 0)


def test_what_holds_a_node_off_wins_over_what_holds_it_on():
    both = (Clamp(node="Receptor", level=1), Clamp(node="Receptor", level=0))
    for pair in (both, both[::-1]):
        now = carrying(ALWAYS, perturbations=pair).simulation(seed=3).run("3 h")
        assert not on(now, "networks", "Receptor").any()


@pytest.mark.parametrize(("antibody", "left"), [(0.0, 4.0), (2.0, 2.3722813), (4.0, 1.2360680), (100.0, 0.0206145)])
def test_an_antibody_leaves_what_the_equilibrium_of_binding_leaves(antibody, left):
    # L = 4 nM, Kd = 0.5 nM... the free ligand solves L (A - 4 + L) = Kd (4 - L).
    kd = left * (antibody - 4.0 + left) / (4.0 - left) if antibody else 1.0
    columns = {"cell.ligand": np.full(400, 4.0), "cell.antibody": np.full(400, antibody)}
    above = {"on": f"{left * 0.9999} nM", "off": f"{left * 0.9999} nM"}
    below = {"on": f"{left * 1.0001} nM", "off": f"{left * 1.0001} nM"}
    binding = Antibody(ligand="cell.ligand", signal="cell.antibody", affinity=f"{kd} nM", reason=WHY)
    for levels, expected in ((above, True), (below, False)):
        sensor = Threshold(node="Ligand", signal="cell.ligand", **levels, reason=WHY)
        now = carrying(RELAY, columns=columns, sensors=(sensor,), perturbations=(binding,)).simulation(seed=1)
        now.step()
        assert (on(now, "networks", "Ligand") == expected).all()


# ---- what activities drive ----------------------------------------------------------------------------------------------
def test_the_activity_of_a_node_follows_its_state_with_the_time_constant_of_smoothing():
    carried = network(Node(name="Ligand", initial=1.0))
    clamp = Clamp(node="Ligand", level=0, begins="5 h")
    tissue = carrying(carried, perturbations=(clamp,), smoothing=number("3 h"), shown={"Ligand": "cell.node_Ligand"})
    now = tissue.simulation(seed=1).run("5 h")
    assert sensed(now, "node_Ligand") == pytest.approx(1.0)
    now.run("6 h")
    assert sensed(now, "node_Ligand") == pytest.approx(np.exp(-2.0), rel=1e-12)


def test_a_rule_listens_to_a_node():
    cell = CellDefinition(name="cell", motility=Motility())
    rule = Rule(
        "cell: node Receptor increases migration speed towards 0.5 um/min, half-max 0.5, hill 4", source="Johnson2025"
    )
    levels = network(Node(name="Ligand", initial=0.5), Node(name="Receptor", logic="Ligand"))
    now = carrying(levels, cells=(cell,), rules=(rule,), tick="20 h").simulation(seed=1).run("60 h")
    awake = on(now, "networks", "Receptor")
    column = next(v.name for v in now.model.cell_variables if "migration" in v.name and "speed" in v.name)
    speed = now.world.cells.column(column)[now.world.cells.order]
    assert speed[awake].min() > 10.0 * max(speed[~awake].max(), 1e-9)


def test_a_node_that_no_network_has_is_named_in_the_problem_of_a_rule():
    rule = Rule(
        "cell: node Recepter increases migration speed towards 0.5 um/min, half-max 0.5, hill 4", source="Johnson2025"
    )
    with pytest.raises(ModelError, match="Receptor"):
        carrying(ALWAYS, cells=(CellDefinition(name="cell", motility=Motility()),), rules=(rule,)).model()


def test_the_pace_of_cells_spreads_around_one():
    carried = network(Node(name="Ligand", initial=1.0), Node(name="Receptor", logic="Ligand"))
    tissue = carrying(carried, n=6000, pace_spread=number("1.0"), shown={"Receptor": "cell.node_Receptor"}, tick="1 h")
    now = tissue.simulation(seed=4).run("1 h")
    # P(still off after an hour) = E exp(-pace), pace log-normal with mean 1 and coefficient of variation 1.
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    sigma = np.sqrt(np.log(2.0))
    expected = 1.0 - (weights * np.exp(-np.exp(sigma * nodes - sigma**2 / 2.0))).sum() / weights.sum()
    assert five_sigma(on(now, "networks", "Receptor").mean(), expected, 6000)


# ---- lives of cells -------------------------------------------------------------------------------------------------------
def test_dead_cells_stand_still():
    sensor = Threshold(node="Ligand", signal="cell.level", on="3 nM", reason=WHY)
    columns = {"cell.level": np.full(400, 5.0), "cell.death": np.arange(400) % 2}
    now = carrying(RELAY, columns=columns, sensors=(sensor,)).simulation(seed=1).run("50 h")
    dead = sensed(now, "death") > 0
    assert not on(now, "networks", "Ligand")[dead].any()
    assert on(now, "networks", "Target")[~dead].all()


def test_daughters_copy_their_mothers_state_or_draw_it_anew():
    cell = CellDefinition(name="cell", cycle=live(rate="0.5 1/h"))
    kept, drawn = (Node(name=name, initial=0.5, division=how) for name, how in (("Kept", "copy"), ("Drawn", "redraw")))
    now = carrying(network(kept, drawn), n=300, cells=(cell,), tick="0.5 h").simulation(seed=1)
    now.step()
    first = {int(f): bool(k) for f, k in zip(sensed(now, "founder"), on(now, "networks", "Kept"), strict=True)}
    now.run("6 h")
    founder, kept, drawn = sensed(now, "founder"), on(now, "networks", "Kept"), on(now, "networks", "Drawn")
    assert len(founder) > 1000
    assert all(k == first[int(f)] for f, k in zip(founder, kept, strict=True))
    # Within a clone the state of a node that is drawn anew is as mixed as between clones.
    table = pd.DataFrame({"founder": founder, "drawn": drawn}).groupby("founder")["drawn"].agg(["mean", "size"])
    mixed = table[table["size"] >= 4]["mean"]
    assert ((mixed > 0.0) & (mixed < 1.0)).mean() > 0.7
    assert five_sigma(drawn.mean(), 0.5, len(drawn))


def test_types_that_share_a_network_keep_its_state_and_others_draw_a_new_one():
    other = network(Node(name="Fate", initial=1.0), Node(name="Next", initial=1.0), name="other")
    tissue = carrying({"a": ALWAYS, "b": ALWAYS, "c": other}, types=("a", "b", "c"))
    now = tissue.simulation(seed=1).run("60 h")
    word = sensed(now, "network_0").copy()
    now.world.cells.column("cell.type")[...] = 1
    now.world.cells_changed()
    now.step()
    assert np.array_equal(sensed(now, "network_0"), word)
    now.world.cells.column("cell.type")[...] = 2
    now.world.cells_changed()
    now.step()
    assert (sensed(now, "network_drawn") == 2).all()
    assert (sensed(now, "network_0") == 3).all()


def test_a_drug_on_one_type_spares_another_that_shares_its_network():
    drug = Clamp(node="Receptor", level=0, cells=("a",))
    kinds = tuple("ab"[k % 2] for k in range(400))
    now = carrying({"a": ALWAYS, "b": ALWAYS}, types=("a", "b"), kinds=kinds, perturbations=(drug,)).simulation(seed=1)
    now.run("60 h")
    assert np.array_equal(on(now, "networks", "Receptor"), sensed(now, "type") == 1)


# ---- nonsense -------------------------------------------------------------------------------------------------------------
def broken(**given):
    with pytest.raises(PagetError) as problem:
        CellNetworks(networks={"cell": RELAY}, **given)
    return str(problem.value)


def test_everything_that_fits_no_network_is_told_at_once():
    text = broken(
        sensors=(
            Threshold(node="Ligant", signal="cell.level", on="1 nM", reason=WHY),
            Threshold(node="Target", signal="cell.level", on="1 nM", reason=WHY),
            Threshold(node="Ligand", signal="cell.level", on="1 nM", cells=("fibroblast",), reason=WHY),
        ),
        perturbations=(
            Inhibitor(node="Kinase", signal="body.drug", half="1 nM", reason=WHY),
            Inhibitor(node="Ligand", signal="body.drug", half="1 nM", reason=WHY),
            Clamp(node="Target", level=2),
        ),
        shown={"Tarjet": "cell.node_Target", "Receptor": "cell.same", "Target": "cell.same"},
    )
    for part in (
        "'Ligant'",
        "Did you mean 'Ligand'",
        "other nodes switch it",
        "'fibroblast'",
        "'Kinase'",
        "an input that nothing inside switches",
        "level 2",
        "'Tarjet'",
        "two nodes of the network 'small' go to 'cell.same'",
    ):
        assert part in text


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Threshold(node="Ligand", signal="cell.level", on="1 nM"), "no basis"),
        (lambda: HillInput(node="Ligand", signal="cell.level", half="1 nM", hill="1", reason=WHY), "switching"),
        (lambda: Inhibitor(node="Target", signal="body.drug", reason=WHY), "half its effect"),
        (lambda: Clamp(node="Target", level=0, begins="2 day", ends="1 day"), "before it begins"),
        (lambda: Clamp(node="Target", level=0, begins="2 nM"), "length|time|day|h"),
        (
            lambda: Silencing(node="Target", at=("soon",), efficiency="0.7", onset="1 h", half_life="1 h", reason=WHY),
            "soon",
        ),
        (lambda: Silencing(node="Target", at=("1 h",), onset="1 h", half_life="1 h", reason=WHY), "efficiency"),
        (lambda: Antibody(ligand="field.tgfb", signal="body.antibody", reason=WHY), "affinity"),
    ],
)
def test_an_incomplete_sensor_or_drug_says_what_it_lacks(make, said):
    with pytest.raises(PagetError, match=said):
        make()


def test_a_drug_in_the_wrong_unit_is_refused_before_anything_runs():
    drug = Inhibitor(node="Receptor", signal="body.drug", half="1 um", reason=WHY)
    tissue = carrying(ALWAYS, perturbations=(drug,), body=(BodyVariable(name="body.drug", unit="nM"),))
    with pytest.raises(ModelError, match=r"perturbation0\.half"):
        tissue.model()


@pytest.mark.parametrize(
    ("item", "said"),
    [
        (Threshold(node="Ligand", signal="cell.level", on="3 nM", off="6 nM", reason=WHY), "cannot stay on until 6"),
        (
            Threshold(node="Ligand", signal="cell.level", on="6 nM", off="3 nM", below=True, reason=WHY),
            "turns on below 6",
        ),
        (
            HillInput(node="Ligand", signal="cell.level", half="-1 nM", hill="1", personal=True, reason=WHY),
            "half must be above",
        ),
        (
            HillInput(node="Ligand", signal="cell.level", half="1 nM", hill="1", switching="-2 1/h", reason=WHY),
            "switching must",
        ),
        (
            HillInput(node="Ligand", signal="cell.level", half="1 nM", hill="1", most="2", personal=True, reason=WHY),
            "share",
        ),
        (Inhibitor(node="Target", signal="body.drug", half="1 nM", hill="-1", reason=WHY), "hill must be above zero"),
        (
            Silencing(node="Target", at=("1 h",), efficiency="0.7", onset="-1 h", half_life="1 h", reason=WHY),
            "onset must",
        ),
    ],
)
def test_numbers_that_make_no_sense_are_refused(item, said):
    kind = "sensors" if isinstance(item, Threshold | HillInput) else "perturbations"
    assert said in broken(**{kind: (item,)})


def test_a_signal_that_is_no_number_stops_the_run_and_is_named():
    sensor = HillInput(node="Ligand", signal="cell.level", half="1 nM", hill="2", switching="1 1/h", reason=WHY)
    now = carrying(RELAY, columns={"cell.level": LEVELS}, sensors=(sensor,)).simulation(seed=1)
    now.world.cells.column("cell.level")[3] = np.nan
    with pytest.raises(NumericalError, match=r"cell\.level"):
        now.step()


def test_an_effect_above_one_is_refused():
    assert "share from 0 to 1" in broken(
        perturbations=(Inhibitor(node="Target", signal="body.drug", half="1 nM", most="1.5", reason=WHY),)
    )


def test_rates_without_a_basis_are_refused_unless_the_network_has_a_source():
    bare = {"name": "bare", "nodes": (Node(name="A"), Node(name="B", logic="A", up="2"))}
    with pytest.raises(ModelError, match="bare numbers"):
        CellNetworks(networks={"cell": Network(**bare)})
    CellNetworks(networks={"cell": Network(**bare, sources=("Cohen2015",))})


def test_a_model_cites_what_the_influences_of_its_networks_rest_on():
    tissue = carrying(network(Node(name="A"), Node(name="B", logic="A", edges={"A": "M234"}), sources=("He2025",)))
    cited = {source.key for source in tissue.model().citations()}
    assert {"He2025", *load_mechanisms()["M234"].sources} <= cited
