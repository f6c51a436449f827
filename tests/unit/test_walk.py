"""Active migration: turns, biases and speeds of single cells, and the process in the engine."""

from __future__ import annotations

import numpy as np
import pytest
from physiology_cells import COMPILED, cells, walked
from scipy import stats
from small_tissue import WHY, advance, line, stepper, tissue

from paget.errors import ModelError
from paget.kernels import reference_physiology as reference
from paget.tissue.definition import CellDefinition, Motility
from paget.tissue.migration import Migration

both = pytest.mark.parametrize("kernels", [COMPILED, reference], ids=["compiled", "reference"])
FALSE_ALARM = 1e-4  # probability with which a statistical test fails on correct code; seeds are fixed


def walkers(n, *, speed=30.0, persistence=0.25, bias=0.0, stops_at=0.0, in_plane=0):
    """Living cells of one type without a heading, and nothing that guides them."""
    c = cells(1, n)
    c.kind, c.death, c.pressure, c.guide = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n), np.zeros((3, n))
    c.motility, c.in_plane = np.array([[speed, persistence, bias, stops_at]]), np.array([in_plane])
    c.heading = np.zeros((3, n))
    return c


def speeds(velocity):
    return np.sqrt((velocity**2).sum(axis=0))


# ---- directions -------------------------------------------------------------------------------------------------
@both
def test_a_new_direction_is_the_gradient_at_full_bias_and_random_at_none(kernels):
    assert kernels.turned(0.6, 0.0, 0.8, 1.0, False, 0.3, 0.7) == pytest.approx((0.6, 0.0, 0.8))
    assert kernels.turned(0.6, 0.0, 0.8, 0.0, False, 0.25, 0.5) == pytest.approx((0.0, 1.0, 0.0), abs=1e-15)
    assert kernels.turned(0.0, 0.0, 0.0, 1.0, False, 0.3, 0.7) == (0.0, 0.0, 0.0)


@both
def test_directions_in_the_plane_have_no_height(kernels):
    assert kernels.turned(1.0, 0.0, 0.0, 0.4, True, 0.3, 0.9)[2] == 0.0


@both
@pytest.mark.parametrize("in_plane", [False, True])
def test_directions_have_unit_length(kernels, in_plane):
    found = [kernels.turned(0.6, 0.8, 0.0, 0.4, in_plane, u, 0.2) for u in np.linspace(0.01, 0.99, 20)]
    assert np.linalg.norm(found, axis=1) == pytest.approx(np.ones(20))


@both
def test_gradients_add_by_sensitivity_or_by_direction_alone(kernels):
    slope, kind = np.array([[3.0, 3.0, 0.0], [4.0, 4.0, 0.0], [0.0, 0.0, 0.0]]), np.array([0, 1, 1])
    guide = np.ones((3, 3))
    kernels.lean_on(guide, slope, np.array([2.0, -2.0, 1.0]), np.array([0, 1]), kind)
    assert guide[:, 0] == pytest.approx([7.0, 9.0, 1.0])
    assert guide[:, 1] == pytest.approx([1 - 1.2, 1 - 1.6, 1.0])
    assert guide[:, 2] == pytest.approx([1.0, 1.0, 1.0])


def test_unbiased_directions_are_uniform_on_the_sphere():
    heading, _ = walked(COMPILED, walkers(20_000), 0.5)
    for axis in heading:  # the projection of a uniform point of the sphere on any axis is uniform
        assert stats.kstest(axis, "uniform", args=(-1, 2)).pvalue > FALSE_ALARM


# ---- runs -------------------------------------------------------------------------------------------------------
@both
def test_a_cell_that_does_not_turn_moves_straight_at_its_speed(kernels):
    c = walkers(6, persistence=1e9)
    c.heading[:] = np.array([[0.6], [0.0], [0.8]])
    heading, velocity = walked(kernels, c, 0.5)
    assert np.allclose(heading, c.heading)
    assert np.allclose(velocity, 30.0 * c.heading)


def test_the_chance_to_keep_the_heading_for_a_tick_is_that_of_the_exponential():
    c = walkers(20_000, persistence=0.2)
    c.heading[0] = 1.0
    heading, _ = walked(COMPILED, c, 0.1)
    kept = int((heading[0] == 1.0).sum())
    assert stats.binomtest(kept, 20_000, np.exp(-0.5)).pvalue > FALSE_ALARM


@both
def test_no_cell_is_faster_than_its_speed(kernels):
    _, velocity = walked(kernels, walkers(50, bias=0.7), 0.5)
    assert (speeds(velocity) <= 30.0 * (1 + 1e-12)).all()
    assert (speeds(velocity) > 0.0).all()


@both
def test_pressure_halves_the_speed_where_it_reaches_the_level_of_contact_inhibition(kernels):
    c = walkers(2, persistence=1e9, stops_at=2.0)
    c.pressure[:] = (0.0, 2.0)
    _, velocity = walked(kernels, c, 0.1)
    assert speeds(velocity) == pytest.approx([30.0, 15.0])


@both
def test_the_dead_and_the_slow_stay_and_keep_their_heading(kernels):
    c = walkers(3)
    c.death[:] = (0, 1, 2)
    c.heading[1] = 1.0
    heading, velocity = walked(kernels, c, 1.0)
    assert (speeds(velocity) > 0).tolist() == [True, False, False]
    assert heading[:, 1].tolist() == [0.0, 1.0, 0.0]
    c.motility[0, 0] = 0.0
    assert not walked(kernels, c, 1.0)[1].any()


@both
def test_at_full_bias_cells_go_straight_up_the_gradient(kernels):
    c = walkers(4, bias=1.0, persistence=0.05)
    c.guide[1] = 1e-9
    _, velocity = walked(kernels, c, 0.5)
    assert np.allclose(velocity, [[0.0], [30.0], [0.0]])


@both
def test_very_short_runs_end_all_the_same(kernels):
    _, velocity = walked(kernels, walkers(3, persistence=1e-12), 0.5)
    assert speeds(velocity).max() < 0.2 * 30.0


# ---- the process ------------------------------------------------------------------------------------------------
def motile(**numbers):
    given = {"speed": "30 um/h", "persistence": "0.25 h", "reason": WHY}
    return (CellDefinition(name="cell", motility=Motility(**{**given, **numbers})),)


def velocities(world):
    return np.array([world.cells.column(f"cell.migration_{axis}") for axis in "xyz"])


def test_cells_in_a_thin_section_move_in_its_plane():
    position = line(20)
    position[2] = 10.0
    world, _ = advance(tissue(motile(), (Migration,), position, flat=True), 0.1)
    velocity = velocities(world)
    assert not velocity[2].any()
    assert (speeds(velocity) > 0.0).all()


def test_cells_climb_attractants_and_flee_repellents():
    for sensitivity, sign in (("1", 1.0), ("-1", -1.0)):
        definitions = motile(bias="1", towards={"field.oxygen": sensitivity})
        running = stepper(tissue(definitions, (Migration,), line(5), fields={"field.oxygen": 1.0}))
        field = running.world.fields["field.oxygen"]
        field += np.arange(field.shape[2])  # rises along x
        running.step()
        assert np.allclose(velocities(running.world), [[30.0 * sign], [0.0], [0.0]])


def test_gradients_of_matrix_guide_cells_as_well():
    definitions = motile(bias="1", towards={"field.laminin": "2"})
    running = stepper(tissue(definitions, (Migration,), line(5), fields={"field.laminin": 1.0}))
    running.world.fields["field.laminin"][...] += np.arange(10.0)[:, None, None]  # rises along z
    running.step()
    assert np.allclose(velocities(running.world), [[0.0], [0.0], [30.0]])


def test_rules_set_speed_and_response_of_single_cells():
    definitions = motile(bias="1", towards={"field.oxygen": "1"})
    model = tissue(
        definitions,
        (Migration,),
        line(3),
        fields={"field.oxygen": 1.0},
        ruled=("migration speed", "chemotactic response to oxygen"),
        columns={
            "cell.migration_speed": [30.0, 6.0, 0.0],
            "cell.chemotactic_response_to_oxygen": [1.0, -1.0, 1.0],
        },
    )
    running = stepper(model)
    running.world.fields["field.oxygen"][...] += np.arange(10.0)
    running.step()
    order = np.argsort(running.world.cells.column("cell.founder"))
    assert velocities(running.world)[0, order] == pytest.approx([30.0, -6.0, 0.0])


@pytest.mark.parametrize(
    ("numbers", "message"),
    [({"persistence": "0 h"}, r"persistence of 0 h.*larger than zero"), ({"bias": "1.5"}, r"1\.5.*between 0 and 1")],
)
def test_motility_that_makes_no_sense_is_refused(numbers, message):
    with pytest.raises(ModelError, match=message):
        stepper(tissue(motile(**numbers), (Migration,), line(1)))
