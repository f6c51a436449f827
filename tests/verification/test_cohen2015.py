"""The network of Cohen et al. 2015 (doi:10.1371/journal.pcbi.1004571): its fixed points and how many cells reach them.

Published shares come from simulations of unstated size with MaBoSS and have three digits. The bands hold 99 % of correct runs
over all shares of a test, if the published ones rest on 5,000 trajectories, and leave room for rounding.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy import stats

from paget.io.networks import read_maboss
from paget.signalling.analysis import attractors, knock_outs, state_probabilities
from paget.signalling.population import simulate

CELLS = 200_000
TRAJECTORIES = 5_000  # taken to be behind the published shares
TIME = 75.0
OUTPUTS = ("Apoptosis", "Metastasis", "Invasion", "EMT", "CellCycleArrest")
PHENOTYPES = {
    "apoptosis": "Apoptosis",
    "metastasis": "Metastasis",
    "invasion": "Invasion",
    "EMT + arrest": "EMT & CellCycleArrest",
    "homeostatic": "!EMT & !CellCycleArrest & !Invasion",
}
STATES = {
    "apoptosis": "Apoptosis + CellCycleArrest",
    "metastasis": "Metastasis + Invasion + EMT + CellCycleArrest",
    "invasion": "Invasion + EMT + CellCycleArrest",
    "EMT + arrest": "EMT + CellCycleArrest",
    "homeostatic": "none",
}
WILD_TYPE = {"apoptosis": 0.434, "metastasis": 0.301, "homeostatic": 0.202, "EMT + arrest": 0.062}
NICD = {"apoptosis": 0.0, "EMT + arrest": 0.175, "invasion": 0.265, "metastasis": 0.560}
BOTH = {"metastasis": 1.0}


@pytest.fixture(scope="module")
def network(reference):
    bnd = reference / "networks" / "cohen2015.bnd"
    if not bnd.exists():
        pytest.skip("the network cohen2015 is not among the reference files")
    return read_maboss(bnd, bnd.with_suffix(".cfg"), time="h").network


def relaxing(network, mutants):
    """A mutant as MaBoSS makes it: constant logic, both rates 1, and the start that the node had."""
    changed = (dataclasses.replace(network.node(n), logic=str(s), up="1", down="1") for n, s in mutants.items())
    return network.changed(*changed)


def band(share, comparisons):
    """Half-width around a published share: chance here and there, and rounding."""
    reach = stats.norm.ppf(1.0 - 0.01 / (2.0 * comparisons))
    return reach * np.sqrt(share * (1.0 - share) * (1.0 / CELLS + 1.0 / TRAJECTORIES)) + 0.0005


def shares(network, **given):
    found = state_probabilities(network, [TIME], CELLS, outputs=OUTPUTS, seed=3, **given)
    return {name: float(found[state][-1]) for name, state in STATES.items()}


def test_the_nine_fixed_points_are_those_published(network):
    pytest.importorskip("biodivine_aeon")
    found = attractors(network)
    table = found.frame(PHENOTYPES)
    assert len(found.fixed) == 9
    assert not found.circling
    assert found.count(PHENOTYPES) == {"apoptosis": 4, "metastasis": 2, "EMT + arrest": 2, "homeostatic": 1}
    assert (table.loc[table["phenotype"] == "apoptosis", "DNAdamage"] == 1).all()
    assert (table.loc[table["phenotype"] == "metastasis", ["Invasion", "Migration", "ECMicroenv"]] == 1).all(axis=None)


def test_every_cell_of_a_large_population_ends_in_a_fixed_point_found(network):
    pytest.importorskip("biodivine_aeon")
    points = {tuple(point) for point in attractors(network).fixed.tolist()}
    people = simulate(network, [1000.0], cells=20_000, seed=4, watch=[]).population
    reached = np.unique(np.column_stack([people.level(name) for name in network.names]), axis=0)
    assert {tuple(state) for state in reached.tolist()} <= points
    assert len(reached) == 9


def test_the_shares_of_cells_that_reach_each_phenotype_are_those_published(network, gallery):
    cases = {
        "wild type": (WILD_TYPE, shares(network)),
        "NICD gain": (NICD, shares(relaxing(network, {"NICD": 1}))),
        "NICD gain, p53 loss": (BOTH, shares(relaxing(network, {"NICD": 1, "p53": 0}))),
    }
    count = sum(len(published) for published, _ in cases.values())
    pairs = [(case, name, value, found[name]) for case, (said, found) in cases.items() for name, value in said.items()]
    text = (
        f"Shares of {CELLS:,} cells at t = {TIME:g} (coloured) beside those published (grey), inputs on in half of the cells, "
        "mutants relaxing as MaBoSS lets them: "
        + "; ".join(f"{case}, {name} {ours:.3f} ({said:.3f})" for case, name, said, ours in pairs)
        + "."
    )
    with gallery("cohen2015-reach", title="Cohen 2015: where the cells end", text=text) as axes:
        place = np.arange(len(pairs))
        axes.barh(place - 0.2, [said for *_, said, _ in pairs], 0.38, color="#a3acb9", label="published")
        axes.barh(place + 0.2, [ours for *_, ours in pairs], 0.38, color="#d55e00", label="here")
        axes.set_yticks(place, [f"{case}: {name}" for case, name, *_ in pairs], fontsize=7)
        axes.set(xlabel="share of cells")
        axes.invert_yaxis()
        axes.legend(fontsize=8)
    for case, name, said, ours in pairs:
        assert abs(ours - said) <= band(said, count), f"{case}, {name}: {ours:.4f}, published {said:.3f}"


def test_apoptosis_on_the_way_belongs_to_mutants_that_relax(network, gallery):
    times = np.arange(0.5, 25.1, 0.5)
    mutant = {"NICD": 1, "p53": 0}
    relaxed = simulate(relaxing(network, mutant), times, cells=CELLS, seed=5, watch=["Apoptosis", "Metastasis"])
    clamp = simulate(network, times, cells=CELLS, seed=5, hold=mutant, watch=["Apoptosis", "Metastasis"])
    most = [float(run["Apoptosis"].max()) for run in (relaxed, clamp)]
    text = (
        "NICD gain with p53 loss, mutants relaxing from the wild type (lines) and clamped from the start (dashed). All cells "
        f"become metastatic. On the way {most[0]:.3f} of the cells are apoptotic at most where p53 fades (0.158 published) and "
        f"{most[1]:.3f} under the clamp, which p73 alone brings about."
    )
    with gallery("cohen2015-double-mutant", title="Cohen 2015: the double mutant", text=text) as axes:
        for k, name in enumerate(("Apoptosis", "Metastasis")):
            axes.plot(times, relaxed[name], "-", color=f"C{k}", label=f"{name.lower()}, relaxing")
            axes.plot(times, clamp[name], "--", color=f"C{k}", label=f"{name.lower()}, clamped")
        axes.set(xlabel="time", ylabel="share of cells", ylim=(-0.02, 1.02))
        axes.legend(fontsize=8)
    assert abs(most[0] - 0.158) <= band(0.158, 1)
    assert most[1] < 0.04
    without_p73 = simulate(network, times, cells=20_000, seed=5, hold={**mutant, "p73": 0}, watch=["Apoptosis"])
    assert without_p73["Apoptosis"].max() == 0.0
    late = simulate(network, [TIME], cells=20_000, seed=6, hold=mutant, watch=["Metastasis"])
    assert late.at[-1, 0] > 0.999


def test_a_screen_finds_that_nicd_gain_and_p53_loss_work_together(network):
    found = knock_outs(
        network, ["Metastasis"], nodes=["NICD", "p53", "AKT1"], double=True, gain=True, times=TIME, cells=20_000, seed=7
    )
    table = found.epistasis("Metastasis").set_index("perturbation")
    double = table.loc["NICD gain, p53 loss"]
    assert double["value"] > 0.999
    assert double["deviation"] > 0.3  # more than both alone would give if they acted independently
    assert double["p_holm"] < 1e-6
