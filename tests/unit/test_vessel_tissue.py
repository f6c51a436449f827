"""A tumour beside a capillary bed, from want of oxygen to new vessels: whole tissues with vessels, saved, resumed, branched."""

from __future__ import annotations

import numpy as np
import pytest

from paget.engine.simulation import Simulation
from paget.evidence import load_parameters
from paget.process import Named
from paget.rules import Rule
from paget.tissue import Apoptosis, CellDefinition, Cells, Exchange, Substrate, Tissue, hexagonal_disc
from paget.tissue.cycles import live
from paget.tissue.vessels import Angiogenesis, Supply, VesselExchange, parallel_bed, with_flow

WHY = "for this test"
SIZE = (400.0, 400.0, 20.0)
ANOXIC = "tumour: field.oxygen decreases vegf export towards 0 nM*pL/h, half-max 10 mmHg, hill 4"


def bed():
    """Two capillaries along x, 200 um apart and of unlike pressure, so that blood runs where sprouts join them."""
    plain = parallel_bed(SIZE, 200.0, 4.0, step=20.0)
    lower = plain.position[1] < 200.0
    return with_flow(plain.changed(pressure=plain.pressure - np.where(lower, 8.0, 0.0)), 4.0)


def tumour(**changes):
    """A disc of oxygen-hungry cells between the capillaries; those short of oxygen secrete VEGF."""
    parts = {
        "name": "angiogenic tumour",
        "size": SIZE,
        "cells": (
            CellDefinition(
                name="tumour",
                cycle=live(),
                apoptosis=Apoptosis(),
                exchange={
                    "field.oxygen": Exchange(uptake="8000 1/h", reason=WHY),
                    "field.vegf": Exchange(export="300 nM*pL/h", reason=WHY),
                },
            ),
        ),
        "placed": Cells(hexagonal_disc(60.0, 16.0, (200.0, 200.0, 10.0)), "tumour"),
        "substrates": (
            Substrate(
                field="field.oxygen", unit="mmHg", diffusion="6e6 um**2/h", decay="6 1/h", initial="30 mmHg", reason=WHY
            ),
            Substrate(field="field.vegf", unit="nM", diffusion="2e4 um**2/h", decay="0.7 1/h", reason=WHY),
        ),
        "rules": (Rule(ANOXIC, source=WHY),),
        "processes": (
            VesselExchange(
                supplies=(
                    Supply(
                        field="field.oxygen",
                        permeability=Named("oxygen_wall_permeability", "um/h"),
                        plasma=Named("capillary_oxygen", "mmHg"),
                    ),
                )
            ),
            Angiogenesis(),
        ),
        "vessels": bed(),
        "parameters": load_parameters("tissue", "vessels"),
    }
    return Tissue(**{**parts, **changes})


@pytest.fixture(scope="module")
def grown():
    """The tumour after 36 h, and its state on the way."""
    simulation = tumour().simulation(seed=2)
    simulation.run("20 h")
    halfway = {name: np.array(value) for name, value in simulation.state().items()}
    return simulation.run("16 h"), halfway


def test_hypoxic_cells_call_vessels_which_sprout_and_reach_the_tumour(grown):
    simulation, _ = grown
    network = simulation.world.vessels
    vegf, oxygen = simulation.field("field.vegf")[0], simulation.field("field.oxygen")[0]
    assert vegf[8:12, 8:12].mean() > 1.2 * vegf[:2].mean()
    assert oxygen[4:6].mean() > oxygen[9:11, 9:11].mean()
    assert network.segment_ids.size > bed().segment_ids.size + 20
    away = np.hypot(network.position[0] - 200.0, network.position[1] - 200.0)
    assert np.hypot(0.0, 100.0) == pytest.approx(np.hypot(bed().position[0] - 200.0, bed().position[1] - 200.0).min())
    assert away.min() < 60.0
    assert network.perfused[network.leakiness > 1.0].any()


def test_without_the_call_of_the_tumour_no_vessel_grows():
    silent = tumour(rules=(), cells=(CellDefinition(name="tumour", cycle=live()),))
    simulation = silent.simulation(seed=2).run("20 h")
    assert simulation.world.vessels.segment_ids.size == bed().segment_ids.size


def test_oxygen_that_the_blood_gave_is_booked(grown):
    simulation, _ = grown
    book = simulation.flows["field.oxygen"]
    start = 30.0 * simulation.model.grid.voxel_volume * 400
    change = float(simulation.field("field.oxygen").sum()) * simulation.model.grid.voxel_volume - start
    used = book["lost"] - (book["supplied"] - book["exchanged"])
    assert book["exchanged"] == pytest.approx(change + used, rel=1e-9)
    assert used > 0.0


def test_a_saved_tissue_with_grown_vessels_goes_on_with_the_same_bits(grown, tmp_path):
    through, halfway = grown
    assert halfway["vessels.segment_ids"].size > bed().segment_ids.size
    first = tumour().simulation(seed=2, threads=1).run("20 h")
    again = Simulation.resume(first.save(tmp_path / "state.npz"), tumour().model(), threads=1).run("16 h")
    assert again.fingerprint() == through.fingerprint()


def test_vessels_of_a_state_come_back_where_the_model_starts_without_any(grown):
    simulation, _ = grown
    bare = tumour(vessels=None).model()
    other = simulation.branch(bare)
    mine, theirs = simulation.world.vessels.snapshot(), other.world.vessels.snapshot()
    assert all(np.array_equal(mine[name], theirs[name], equal_nan=True) for name in mine)
    assert simulation.branch().run("1 h").fingerprint() == other.run("1 h").fingerprint()


def test_a_branch_in_which_angiogenesis_is_blocked_keeps_its_vessels_as_they_are(grown):
    simulation, _ = grown
    blocked = simulation.branch(tumour().model().without("angiogenesis")).run("4 h")
    free = simulation.branch().run("4 h")
    assert np.array_equal(blocked.world.vessels.segment_ids, simulation.world.vessels.segment_ids)
    assert not np.array_equal(free.world.vessels.segment_ids, simulation.world.vessels.segment_ids)
