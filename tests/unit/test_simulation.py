"""A tissue in time: it balances, saves, resumes, branches, recovers, and says what is wrong with its start."""

import dataclasses

import numpy as np
import pytest

import paget as pg
from paget.catalogue.growth import growing_disc, tumour_cell
from paget.engine.simulation import Simulation
from paget.errors import ModelError, NumericalError, ResultError, StorageFullError, UnknownNameError
from paget.model import Placed
from paget.tissue import Cells, Exchange, HeldVoxels, Motility, Substrate, Tissue, hexagonal_disc
from paget.tissue.volume import VolumeDynamics


def _disc(n=60.0, **changes):
    return growing_disc(positions=hexagonal_disc(n, 16.0), size=300.0).changed(**changes)


@pytest.fixture(scope="module")
def disc():
    return _disc()


def test_the_ledger_of_cells_balances_at_every_tick(disc):
    simulation = disc.simulation(seed=3)

    def balanced(now):
        book = now.ledger
        assert book["present"] + book["born"] + book["arrived"] - book["died"] - book["left"] == len(now.cells)

    simulation.run("24 h", watch=balanced)
    assert simulation.ledger["born"] > 10


def test_a_saved_simulation_goes_on_as_if_it_had_never_stopped(disc, tmp_path):
    straight = disc.simulation(seed=5).run("20 h")
    halfway = disc.simulation(seed=5).run("7 h")
    halfway.save(tmp_path / "state.npz")
    resumed = Simulation.resume(tmp_path / "state.npz", disc.model(), threads=1).run("13 h")
    assert resumed.fingerprint() == straight.fingerprint()
    assert resumed.time == straight.time
    assert list(tmp_path.iterdir()) == [tmp_path / "state.npz"]


def test_another_model_is_not_resumed_but_branched_to(disc, tmp_path):
    simulation = disc.simulation(seed=5).run("2 h")
    simulation.save(tmp_path / "state.npz")
    other = disc.changed(cells=(tumour_cell("20 /min"),)).model()
    with pytest.raises(ResultError, match="other mechanisms or numbers"):
        Simulation.resume(tmp_path / "state.npz", other)
    same, hungry = simulation.branch(), simulation.branch(other)
    for run in (simulation, same, hungry):
        run.run("6 h")
    assert same.fingerprint() == simulation.fingerprint()
    assert hungry.field("field.oxygen").min() < simulation.field("field.oxygen").min() - 0.1


def test_a_branch_may_take_a_mechanism_away(disc):
    ruled = disc.changed(
        rules=(pg.Rule("tumour cell: oxygen increases migration speed towards 1 um/min, half-max 10 mmHg, hill 2"),),
        cells=(dataclasses.replace(tumour_cell(), motility=Motility(speed="1 um/min", reason="test")),),
    )
    simulation = ruled.simulation(seed=5).run("1 h")
    quiet = simulation.branch(disc.model()).run("1 h")
    assert "migration_speed" not in quiet.cells
    assert len(quiet.cells) > 0


def test_branches_with_another_seed_have_another_future(disc):
    simulation = disc.simulation(seed=5).run("2 h")
    first, second = simulation.branch(seed=6), simulation.branch(seed=7)
    assert first.fingerprint() == second.fingerprint()
    assert first.run("12 h").fingerprint() != second.run("12 h").fingerprint()


def test_after_a_failure_the_last_good_state_is_there(disc):
    simulation = disc.simulation(seed=2).run("1 h")
    good = simulation.fingerprint()

    def poison(now):
        if now.time > 1.55:
            now.world.fields["field.oxygen"][0, 3, 3] = np.nan

    with pytest.raises(NumericalError, match=r"field\.oxygen"):
        simulation.run("1 h", watch=poison)
    assert simulation.recover().fingerprint() == good
    simulation.run("1 h")


def test_polar_cells_divide_across_their_axis():
    cell = tumour_cell()
    polar = dataclasses.replace(
        cell,
        own={
            "cell.axis_x": pg.quantity("1", reason="test"),
            "cell.polarity": pg.quantity("1", reason="test"),
        },
    )
    lone = _disc(cells=(polar,), placed=Cells(np.zeros((1, 3))))
    simulation = lone.simulation(seed=1)
    while simulation.ledger["born"] == 0:
        simulation.step()
    assert np.ptp(simulation.cells["x"]) < 1e-9
    assert np.ptp(simulation.cells["y"]) > 4.0


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 broken"])
def test_a_file_that_is_no_saved_state_is_named(disc, tmp_path, content):
    path = tmp_path / "Zustand ä.npz"
    path.write_bytes(content)
    with pytest.raises(ResultError, match="Zustand ä"):
        Simulation.resume(path, disc.model())


def test_a_state_that_cannot_be_written_leaves_nothing_behind(disc, tmp_path):
    with pytest.raises(StorageFullError, match="cannot write the state"):
        disc.simulation().save(tmp_path / "absent" / "state.npz")
    assert list(tmp_path.iterdir()) == []


def test_tables_of_cells_and_events_speak_by_name(disc):
    simulation = disc.simulation(seed=3).run("24 h")
    cells, events = simulation.cells, simulation.events()
    assert set(cells["type"]) == {"tumour cell"}
    assert (np.diff(cells["id"].to_numpy().astype(object)) > 0).all()
    assert set(events["event"]) <= {"division", "apoptosis", "necrosis", "lysis", "removal"}
    assert (events["event"] == "division").sum() == simulation.ledger["born"]
    with pytest.raises(UnknownNameError, match=r"field\.oxygen"):
        simulation.field("field.oxygn")


# ---- starts that make no sense ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("place", "message"),
    [
        ((np.nan, 0.0, 0.0), "its position is not finite"),
        ((np.inf, 0.0, 0.0), "not finite"),
        ((900.0, 0.0, 0.0), "outside"),
    ],
)
def test_cells_without_a_place_in_the_tissue_are_refused(place, message):
    positions = np.concatenate([hexagonal_disc(20.0, 16.0), [place]])
    with pytest.raises(ModelError, match=message):
        _disc(placed=Cells(positions)).model()


def test_cells_without_a_size_are_refused():
    placed = Cells(np.zeros((2, 3)), columns={"cell.volume": np.array([2494.0, 0.0])})
    with pytest.raises(ModelError, match=r"number 1 .* no positive radius"):
        _disc(placed=placed).model()


def test_founders_at_one_point_move_apart():
    simulation = _disc(placed=Cells(np.zeros((30, 3)))).simulation().run("12 h")
    position = simulation.world.cells.position
    gaps = np.sqrt(((position[:, :, None] - position[:, None, :]) ** 2).sum(axis=0))[np.triu_indices(30, 1)]
    assert np.isfinite(position).all()
    assert gaps.min() > 4.0


def test_a_crowd_that_no_memory_holds_is_refused_with_a_name():
    with pytest.raises(NumericalError, match=r"mechanics.*tick 0.*cell \d+ at .*too many cells"):
        _disc(placed=Cells(np.zeros((60_000, 3)))).simulation().run("6 min")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": (0.0, 300.0, 20.0)}, "no volume|zero|positive"),
        ({"size": (310.0, 300.0, 20.0)}, "whole number"),
        ({"size": (1e7, 1e7, 1e7), "voxel": 1.0}, "GB for every field"),
    ],
)
def test_domains_that_cannot_be_are_refused(change, message):
    with pytest.raises(ModelError, match=message):
        _disc(**change).model()


def test_numbers_of_fields_below_zero_are_refused():
    with pytest.raises(ModelError, match=r"field\.oxygen: the diffusion is negative"):
        Substrate(field="field.oxygen", unit="mmHg", diffusion="-1 um**2/h", reason="test")
    with pytest.raises(ModelError, match=r"field\.oxygen: the value at xmin is -3 mmHg, below zero"):
        Substrate(field="field.oxygen", unit="mmHg", walls={"xmin": "-3 mmHg"}, reason="test")
    with pytest.raises(ModelError, match="below zero"):
        Substrate(
            field="field.oxygen",
            unit="mmHg",
            held=(HeldVoxels(indices=((0, 0, 0),), value="-3 mmHg", reason="t"),),
            reason="t",
        )


def test_a_field_that_everyone_fills_and_no_one_empties_is_refused():
    source = Substrate(field="field.vegf", unit="nM", diffusion="100 um**2/s", reason="test")
    maker = tumour_cell()
    giving = {**maker.exchange, "field.vegf": Exchange(export="1 nM*pL/h", reason="test")}
    disc = growing_disc()
    with pytest.raises(ModelError, match=r"field\.vegf.*tumour cell.*grow without bound"):
        disc.changed(
            substrates=(*disc.substrates, source),
            cells=(dataclasses.replace(maker, exchange=giving),),
        ).model()


def test_a_tissue_without_cells_runs():
    simulation = _disc(placed=Cells(np.zeros((0, 3)))).simulation().run("1 h")
    assert len(simulation.cells) == 0
    assert np.allclose(simulation.field("field.oxygen"), 38.0, atol=3.0)


def test_every_problem_of_a_tissue_is_told_at_once():
    cell = tumour_cell()
    twice = Tissue(
        name="wrong",
        size=(100.0, 100.0, 20.0),
        cells=(cell, cell),
        placed=Cells(np.zeros((1, 3)), "tumour cell"),
    )
    with pytest.raises(ModelError) as found:
        twice.model()
    text = str(found.value)
    assert "'tumour cell' is defined twice" in text
    assert "field.oxygen" in text


def test_two_processes_in_one_role_are_refused(disc):
    with pytest.raises(ModelError, match="two processes in the role 'volume'"):
        disc.changed(processes=(VolumeDynamics(definitions=disc.cells),)).model()


def test_positions_of_another_shape_are_refused(disc):
    with pytest.raises(ModelError, match=r"positions of cells are \[n, 3\]"):
        disc.changed(placed=Cells(np.zeros((4, 2)))).model()


def test_placed_cells_have_as_many_values_as_places():
    grid = _disc().model().grid
    problems = list(Placed(np.zeros((3, 2)), np.zeros(2, np.int64), {"cell.radius": np.ones(3)}).problems(grid, 1))
    assert problems == ["3 values of cell.radius were given for 2 placed cells"]
