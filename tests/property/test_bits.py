"""One start gives one result, bit for bit: over threads, orders of cells in memory, and stops."""

import numpy as np
import pytest

from paget.catalogue.growth import growing_ball, growing_disc
from paget.engine.checkpoint import restore, state_of
from paget.tissue import hexagonal_disc


@pytest.fixture(scope="module")
def tissues():
    """A layer and a ball; the ball is large enough that several threads share it."""
    return {
        "disc": growing_disc(positions=hexagonal_disc(90.0, 16.0), size=400.0),
        "ball": growing_ball(150.0, size=480.0),
    }


@pytest.fixture(scope="module")
def usual(tissues):
    return {name: tissue.simulation(seed=9, threads=1).run("5 h").fingerprint() for name, tissue in tissues.items()}


@pytest.mark.parametrize("name", ["disc", "ball"])
@pytest.mark.parametrize("threads", [2, 4])
def test_the_number_of_threads_changes_no_bit(tissues, usual, name, threads):
    assert tissues[name].simulation(seed=9, threads=threads).run("5 h").fingerprint() == usual[name]


@pytest.mark.parametrize("name", ["disc", "ball"])
def test_the_order_of_cells_in_memory_changes_no_bit(tissues, usual, name):
    simulation = tissues[name].simulation(seed=9)
    shuffle = np.random.default_rng(1)

    def stir(now):
        now.world.cells.permute(shuffle.permutation(len(now.world.cells)))
        now.world.cells_changed()

    assert simulation.run("5 h", watch=stir).fingerprint() == usual[name]


@pytest.mark.parametrize("name", ["disc", "ball"])
def test_stopping_at_any_tick_changes_no_bit(tissues, usual, name):
    simulation = tissues[name].simulation(seed=9).run("1.7 h")
    other = tissues[name].simulation(seed=9)
    restore(other.stepper, state_of(simulation.stepper))
    assert other.run("3.3 h").fingerprint() == usual[name]


def test_another_seed_changes_bits(tissues, usual):
    assert tissues["disc"].simulation(seed=10).run("5 h").fingerprint() != usual["disc"]
