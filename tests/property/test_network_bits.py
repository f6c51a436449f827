"""Networks in cells give one result, bit for bit: over threads, orders of cells, stops, and drugs that nobody gives."""

import dataclasses
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))

from carried_networks import WHY, carrying, network, number

from paget.catalogue.growth import growing_disc
from paget.engine.checkpoint import restore, state_of
from paget.signalling import Node
from paget.tissue import BodyVariable, hexagonal_disc
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

LOOP = network(
    Node(name="Hypoxia"),
    Node(name="Crowd"),
    Node(name="HIF1A", logic="Hypoxia & !PHD"),
    Node(name="PHD", logic="!HIF1A | Crowd", division="redraw", initial=0.5),
    Node(name="EMT", logic=("HIF1A", "HIF1A & Crowd"), up="{slow}"),
    Node(name="Rest", logic="EMT >= 2 | Rest & PHD"),
)
SENSORS = (
    Threshold(node="Hypoxia", signal="oxygen", on="30 mmHg", off="33 mmHg", below=True, reason=WHY),
    HillInput(node="Crowd", signal="pressure", half="0.2", hill="2", switching="2 1/h", reason=WHY),
)
DRUGS = (
    Inhibitor(node="HIF1A", signal="body.drug", half="10 nM", spread="0.2", reason=WHY),
    Activator(node="PHD", signal="body.drug", half="10 nM", reason=WHY),
    FractionInhibitor(node="EMT", signal="body.drug", half="10 nM", reason=WHY),
    Antibody(ligand="oxygen", signal="body.pressure_antibody", affinity="1 mmHg", reason=WHY),
)
BODY = (BodyVariable(name="body.drug", unit="nM"), BodyVariable(name="body.pressure_antibody", unit="mmHg"))


def tumour(drugs=(), level=0.0):
    carried = CellNetworks(
        networks={"tumour cell": LOOP},
        sensors=SENSORS,
        perturbations=drugs,
        smoothing=number("2 h"),
        pace_spread=number("0.3"),
        shown={"HIF1A": "cell.node_HIF1A", "EMT": "cell.node_EMT"},
    )
    body = BODY if not level else (dataclasses.replace(BODY[0], initial=number(f"{level} nM")), BODY[1])
    disc = growing_disc(positions=hexagonal_disc(110.0, 16.0), size=440.0)
    return disc.changed(processes=(carried,), body=body)


@pytest.fixture(scope="module")
def usual():
    return tumour(DRUGS, 5.0).simulation(seed=9, threads=1).run("12 h").fingerprint()


@pytest.mark.parametrize("threads", [2, 4])
def test_the_number_of_threads_changes_no_bit_of_networks(usual, threads):
    assert tumour(DRUGS, 5.0).simulation(seed=9, threads=threads).run("12 h").fingerprint() == usual


def test_threads_share_a_large_population_without_changing_a_bit():
    def run(threads):
        tissue = carrying(
            LOOP,
            n=8000,
            columns={"cell.dose": np.linspace(0.0, 9.0, 8000)},
            perturbations=(
                Inhibitor(node="HIF1A", signal="cell.dose", half="3 nM", reason=WHY),
                Clamp(node="Hypoxia", level=1),
            ),
        )
        return tissue.simulation(seed=5, threads=threads).run("6 h").fingerprint()

    assert run(1) == run(2) == run(3)


def test_the_order_of_cells_in_memory_changes_no_bit_of_networks(usual):
    simulation = tumour(DRUGS, 5.0).simulation(seed=9)
    shuffle = np.random.default_rng(1)

    def stir(now):
        now.world.cells.permute(shuffle.permutation(len(now.world.cells)))
        now.world.cells_changed()

    assert simulation.run("12 h", watch=stir).fingerprint() == usual


def test_stopping_changes_no_bit_of_networks(usual):
    simulation = tumour(DRUGS, 5.0).simulation(seed=9).run("5.3 h")
    other = tumour(DRUGS, 5.0).simulation(seed=9)
    restore(other.stepper, state_of(simulation.stepper))
    assert other.run("6.7 h").fingerprint() == usual


def test_drugs_that_nobody_gives_change_no_bit():
    none = tumour().simulation(seed=9).run("12 h")
    later = Silencing(node="HIF1A", at=("100 h",), efficiency="0.7", onset="4 h", half_life="40 h", reason=WHY)
    unused = tumour((*DRUGS, later, Clamp(node="EMT", level=0, clones=(7,)))).simulation(seed=9).run("12 h")
    clone = "cell.clone"
    assert clone in unused.world.cells
    mine, theirs = (s.world.cells for s in (none, unused))
    for variable in mine.variables:
        assert np.array_equal(
            mine.column(variable.name)[mine.order], theirs.column(variable.name)[theirs.order], equal_nan=True
        ), variable.name


def test_a_drug_changes_bits(usual):
    assert tumour(DRUGS, 6.0).simulation(seed=9).run("12 h").fingerprint() != usual
