"""Cells that come in through vessels and get into them: how many, where, in which state, and with the same bits always."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from scipy import stats

from paget.engine.checkpoint import restore, state_of
from paget.errors import ModelError, UnknownNameError
from paget.evidence import load_parameters
from paget.process import Named, quantity
from paget.rules import Rule
from paget.tissue import BodyVariable, CellDefinition, Cells, Motility, Substrate, Tissue, Volume
from paget.tissue.vessels import Intravasation, VesselEntry, parallel_bed, with_flow
from paget.tissue.vessels.passage import moments_of_entry

WHY = "for this test"
KEY = np.uint64(5)
SIZE = (200.0, 200.0, 200.0)
BED = with_flow(parallel_bed(SIZE, 100.0, 4.0), 4.0)  # 800 um of capillaries
LENGTH = 800.0


def number(text):
    return quantity(text, reason=WHY)


def tissue(*processes, rate="0 1/h", bed=BED, places=((100.0, 100.0, 100.0),), **changes):
    """Resting cells around four capillaries; those of the type "tumour" may get into them."""
    parts = {
        "name": "vascular",
        "size": SIZE,
        "voxel": 20.0,
        "cells": (
            CellDefinition(name="stroma"),
            CellDefinition(
                name="tumour",
                volume=Volume(total="1500 um**3", reason=WHY),
                motility=Motility(intravasation=rate, reason=WHY),
                own={"cell.grade": number("3")},
            ),
        ),
        "placed": Cells(np.array(places), "stroma"),
        "substrates": (
            Substrate(field="field.oxygen", unit="mmHg", diffusion="1e5 um**2/h", initial="40 mmHg", reason=WHY),
        ),
        "processes": processes,
        "vessels": bed,
        "parameters": load_parameters("tissue", "vessels"),
    }
    return Tissue(**{**parts, **changes})


def entry(**parts):
    return VesselEntry(cell="tumour", **parts)


# ---- when -----------------------------------------------------------------------------------------------------------------
def test_the_number_that_comes_in_is_poisson_distributed():
    counts = np.array([moments_of_entry(3.0, 0.5, 4.0, False, 2.0, KEY, tick).size for tick in range(4000)])
    expected = stats.poisson(10.0)
    bins = np.arange(4, 18)
    seen = np.array([(counts <= 4).sum(), *[(counts == k).sum() for k in bins[1:-1]], (counts >= 17).sum()])
    share = np.array([expected.cdf(4), *expected.pmf(bins[1:-1]), expected.sf(16)])
    assert stats.chisquare(seen, 4000 * share / share.sum()).pvalue > 1e-4


def test_moments_of_entry_are_uniform_over_the_tick_and_ascend():
    times = [moments_of_entry(30.0, 0.0, 0.0, False, 2.0, KEY, tick) for tick in range(50)]
    assert all((np.diff(t) > 0.0).all() for t in times)
    assert stats.kstest(np.concatenate(times) / 2.0, "uniform").pvalue > 1e-4


def test_a_pool_that_is_drained_empties_as_a_pure_death_process_and_never_below_nothing():
    left = np.array([100 - moments_of_entry(0.0, 0.3, 100.7, True, 2.0, KEY, tick).size for tick in range(2000)])
    # Each of 100 stays with probability exp(-0.6); the standard error of the mean of 2000 is about 0.11.
    assert left.mean() == pytest.approx(100 * math.exp(-0.6), abs=0.45)
    assert left.var() == pytest.approx(100 * math.exp(-0.6) * (1 - math.exp(-0.6)), rel=0.15)
    assert moments_of_entry(0.0, 1e3, 100.0, True, 2.0, KEY, 1).size == 100
    assert moments_of_entry(50.0, 0.0, 3.0, True, 100.0, KEY, 1).size == 3


def test_no_rate_lets_nobody_in_and_a_large_one_is_drawn_in_batches():
    assert moments_of_entry(0.0, 0.0, 0.0, False, 1.0, KEY, 1).size == 0
    many = moments_of_entry(1e5, 0.0, 0.0, False, 1.0, KEY, 1).size
    assert abs(many - 1e5) < 5.0 * math.sqrt(1e5)


# ---- entry ----------------------------------------------------------------------------------------------------------------
def test_cells_come_in_at_the_walls_of_vessels_at_the_stated_rate_in_the_state_of_their_type():
    simulation = tissue(entry(per_length=number("0.05 1/(um*h)"))).simulation(seed=3)
    simulation.step()
    cells = simulation.cells
    came = cells[cells["type"] == "tumour"]
    wall = np.hypot(came["y"] % 100.0 - 50.0, came["z"] % 100.0 - 50.0)
    assert len(came) > 0
    assert wall.to_numpy() == pytest.approx(np.full(len(came), 4.0), rel=1e-9)
    assert set(came["volume"]) == {1500.0}
    assert came["radius"].to_numpy() == pytest.approx((0.75 / math.pi * 1500.0) ** (1 / 3))
    assert set(came["grade"]) == {3.0}
    assert (came["phase"] == 0).all() if "phase" in came else True
    assert not cells[cells["type"] == "stroma"].empty
    simulation.run("2 h")
    events = simulation.events()
    arrived = simulation.ledger["arrived"]
    expected = 0.05 * LENGTH * simulation.time
    assert abs(arrived - expected) < 4.0 * math.sqrt(expected)
    assert (events["event"] == "extravasation").sum() == arrived
    assert len(simulation.cells) == 1 + arrived
    assert events["cell"].is_unique


def test_a_drained_pool_and_the_tissue_hold_the_same_cells_together():
    blood = BodyVariable(name="body.circulating", initial="60", reason=WHY)
    leaving = Intravasation(pool="body.circulating")
    both = tissue(entry(pool="body.circulating", per_cell=number("0.5 1/h")), leaving, rate="2 1/h", body=(blood,))
    simulation = both.simulation(seed=1)
    for _ in range(30):
        simulation.step()
        inside = int((simulation.cells["type"] == "tumour").sum())
        assert simulation.world.body["body.circulating"] + inside == 60.0
    book = simulation.ledger
    assert book["arrived"] > book["left"] > 5


def test_nobody_comes_in_where_no_blood_runs():
    dry = BED.changed(perfused=np.zeros(BED.segment_ids.size, bool))
    for bed in (dry, None):
        simulation = tissue(entry(per_length=number("1 1/(um*h)")), bed=bed).simulation()
        assert simulation.run("1 h").ledger["arrived"] == 0


def test_newcomers_follow_the_rules_of_their_type_from_the_start():
    rule = Rule("tumour: field.oxygen increases intravasation towards 50 1/h, half-max 1 mmHg, hill 1", source=WHY)
    simulation = tissue(entry(per_length=number("0.05 1/(um*h)")), rules=(rule,)).simulation(seed=3).run("1 h")
    book = simulation.ledger
    # They arrive at a wall, so that nearly all are gone within a tick or two of the rate near 49 per h.
    assert book["left"] > 0.7 * book["arrived"] > 0
    assert not np.isnan(simulation.cells["intravasation"]).any()


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({}, "would ever come in"),
        ({"pool": "body.circulating", "circulating": number("3")}, "choose one"),
    ],
)
def test_an_entry_without_a_rate_or_with_two_counts_is_refused(parts, words):
    with pytest.raises(ModelError, match=words):
        entry(**parts)


def test_an_entry_of_an_unknown_type_is_refused_by_name():
    with pytest.raises(UnknownNameError, match="monocyte"):
        tissue(VesselEntry(cell="monocyte", per_length=number("1 1/(um*h)"))).model()


# ---- intravasation --------------------------------------------------------------------------------------------------------
def _beside(count, gap, kind="tumour", **parts):
    """Cells whose membrane is `gap` um from the wall of one capillary, along it."""
    radius = (0.75 / math.pi * (1500.0 if kind == "tumour" else 2494.0)) ** (1 / 3)
    x = (np.arange(count) + 0.5) / count * 200.0
    places = np.stack([x, np.full(count, 50.0), np.full(count, 50.0 + 4.0 + radius + gap)], axis=1)
    return tissue(placed=Cells(places, kind), **parts)


def _without_forces(whole):
    """The model without mechanics, so that cells stay where they were put."""
    return whole.model().without("mechanics", "migration")


def _run(model, hours, seed=1, tick=0.1):
    from paget.engine.simulation import Simulation

    return Simulation(model, seed=seed, tick=tick).run(hours)


def test_cells_at_a_vessel_leave_at_their_rate_and_are_no_deaths():
    simulation = _run(_without_forces(_beside(2000, 0.5, rate="0.4 1/h")), 2.0)
    left = simulation.ledger["left"]
    assert stats.binomtest(left, 2000, 1.0 - math.exp(-0.8)).pvalue > 1e-4
    assert simulation.ledger["died"] == 0
    events = simulation.events()
    assert (events["event"] == "intravasation").sum() == left
    cut = 1.0 - math.exp(-0.8)
    assert stats.kstest(events["time"], lambda t: (1.0 - np.exp(-0.4 * t)) / cut).pvalue > 1e-4


def test_a_longer_tick_lets_the_same_cells_leave_at_the_same_moments():
    model = _without_forces(_beside(300, 0.5, rate="0.4 1/h"))
    fine, coarse = (_run(model, 2.0, tick=tick).events() for tick in (0.1, 1.0))
    assert set(fine["cell"]) == set(coarse["cell"])
    np.testing.assert_allclose(
        fine.sort_values("cell")["time"], coarse.sort_values("cell")["time"], rtol=1e-9, atol=1e-9
    )


@pytest.mark.parametrize("why", ["far", "other type", "no flow", "dead"])
def test_who_does_not_touch_blood_or_is_not_able_stays(why):
    parts = {
        "gap": 2.5 if why == "far" else 0.5,
        "kind": "stroma" if why == "other type" else "tumour",
        "rate": "50 1/h",
    }
    if why == "no flow":
        parts["bed"] = BED.changed(perfused=np.zeros(BED.segment_ids.size, bool))
    whole = _beside(40, **parts)
    if why == "dead":
        whole = whole.changed(placed=dataclasses.replace(whole.placed, columns={"cell.death": np.ones(40, np.int64)}))
    assert _run(_without_forces(whole), 1.0).ledger["left"] == 0


def test_a_tissue_without_vessels_keeps_its_cells():
    assert _run(_without_forces(_beside(40, 0.5, rate="50 1/h", bed=None)), 1.0).ledger["left"] == 0


# ---- the same bits --------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def busy():
    """Cells that come, live and leave."""
    places = np.random.default_rng(2).random((60, 3)) * 200.0
    blood = BodyVariable(name="body.circulating", initial="500", reason=WHY)
    return tissue(
        entry(pool="body.circulating", per_cell=number("0.2 1/h")),
        Intravasation(pool="body.circulating"),
        rate="1 1/h",
        places=places,
        body=(blood,),
    )


@pytest.fixture(scope="module")
def usual(busy):
    simulation = busy.simulation(seed=4, threads=1).run("3 h")
    assert simulation.ledger["left"] > 10
    return simulation.fingerprint()


def test_the_order_of_cells_in_memory_and_the_threads_change_no_bit(busy, usual):
    shuffle = np.random.default_rng(1)

    def stir(now):
        now.world.cells.permute(shuffle.permutation(len(now.world.cells)))
        now.world.cells_changed()

    assert busy.simulation(seed=4, threads=2).run("3 h", watch=stir).fingerprint() == usual


def test_stopping_changes_no_bit(busy, usual, tmp_path):
    from paget.engine.simulation import Simulation

    first = busy.simulation(seed=4).run("1.3 h")
    again = Simulation.resume(first.save(tmp_path / "state.npz"), busy.model())
    assert again.run("1.7 h").fingerprint() == usual
    other = busy.simulation(seed=4)
    restore(other.stepper, state_of(first.stepper))
    assert other.run("1.7 h").fingerprint() == usual


# ---- numbers --------------------------------------------------------------------------------------------------------------
def test_the_numbers_of_passage_have_a_basis_and_the_unit_that_they_need():
    table = load_parameters("tissue", "vessels")
    assert table["intravasation_rate"].inside("1/h") > 0.0
    for process in (Intravasation(), entry(circulating=number("1"), definitions=tissue().cells)):
        for _, given, unit in process.numbers:
            row = table[given.key] if isinstance(given, Named) else given
            assert row.inside(unit) >= 0.0
    rate = table["extravasation_rate"].inside("1/h")
    assert math.exp(-24.0 * rate) == pytest.approx(0.2, rel=0.01)  # 80 % have left after a day
