"""Whom a cell likes to hold: affinities of types, and of single cells where rules change them."""

from __future__ import annotations

import numpy as np
import pytest

from paget.kernels import contacts, reference_mechanics
from paget.kernels.contacts import Quadratic
from paget.process import quantity
from paget.rules import Rule
from paget.tissue import CellDefinition, Cells, Mechanical, Tissue

WHY = "for this test"
SIZE = np.full(3, 60.0)


def crowd(seed, n=30, types=3):
    rng = np.random.default_rng(seed)
    law = Quadratic(
        rng.uniform(100, 600, n),
        rng.uniform(5, 30, n),
        rng.uniform(0.8, 1.5, n),
        rng.integers(0, types, n),
        rng.random((types, types)),
    )
    return rng.random((3, n)) * 60.0, rng.uniform(4.0, 9.0, n), rng.permutation(1000)[:n].astype(np.uint64), law


def relaxed(kernels, place, radius, ids, law, **options):
    position = place.copy()
    kernels.relax(position, ids, radius, SIZE, 0.3, law, **options)
    return position


@pytest.mark.parametrize("seed", range(5))
def test_cells_with_affinities_of_their_own_move_as_the_reference_does(seed):
    place, radius, ids, law = crowd(seed)
    own = law._replace(affinity=np.random.default_rng(seed).random((30, 3)), rows=np.arange(30))
    mine, twin = (relaxed(k, place, radius, ids, own, step=0.01) for k in (contacts, reference_mechanics))
    np.testing.assert_allclose(mine, twin, atol=1e-9)
    assert np.abs(mine - relaxed(contacts, place, radius, ids, law, step=0.01)).max() > 1e-3


@pytest.mark.parametrize("seed", range(5))
def test_own_affinities_that_are_those_of_the_type_change_no_bit(seed):
    place, radius, ids, law = crowd(seed)
    own = law._replace(affinity=law.affinity[law.types], rows=np.arange(30))
    assert relaxed(contacts, place, radius, ids, own).tobytes() == relaxed(contacts, place, radius, ids, law).tobytes()


@pytest.mark.parametrize("seed", range(5))
def test_the_order_in_memory_of_cells_with_own_affinities_changes_no_bit(seed):
    place, radius, ids, law = crowd(seed)
    rng = np.random.default_rng(seed)
    own, o = law._replace(affinity=rng.random((30, 3)), rows=np.arange(30)), rng.permutation(30)
    parts = (own.repulsion[o], own.adhesion[o], own.reach[o], own.types[o], own.affinity[o], np.arange(30))
    stirred = relaxed(contacts, place[:, o].copy(), radius[o], ids[o], Quadratic(*parts))
    assert np.array_equal(relaxed(contacts, place, radius, ids, own)[:, o], stirred)


# ---- in a tissue ----------------------------------------------------------------------------------------------------------
def pair(*rules, first=0.0, second=0.0, **mechanics):
    """Two cells that touch, with a variable `glue` that rules may listen to."""
    cell = CellDefinition(
        name="cell",
        mechanics=Mechanical(**mechanics, reason=WHY),
        own={"cell.glue": quantity("0", reason=WHY)},
    )
    return Tissue(
        name="pair",
        size=(100.0, 100.0, 100.0),
        cells=(cell, CellDefinition(name="other")),
        placed=Cells(
            np.array([[41.0, 50.0, 50.0], [59.0, 50.0, 50.0]]), "cell", columns={"cell.glue": np.array([first, second])}
        ),
        rules=tuple(Rule(rule, source=WHY) for rule in rules),
    )


GLUED = "cell: cell.glue increases adhesive affinity to cell towards 4, half-max 0.001, hill 2"
LOOSE = "cell: cell.glue decreases adhesive affinity to cell towards 0, half-max 0.001, hill 2"


def distance(tissue, hours="1 h"):
    x = tissue.simulation(seed=1).run(hours).cells["x"]
    return float(np.ptp(x))


def test_a_rule_on_affinity_changes_how_close_cells_come():
    plain = distance(pair())
    assert distance(pair(GLUED, first=1.0, second=1.0)) < plain - 0.1
    assert distance(pair(LOOSE, first=1.0, second=1.0)) > plain + 0.1
    # Adhesion is a matter of both: one that has no affinity lets the other adhere in vain.
    assert distance(pair(LOOSE, first=1.0)) == pytest.approx(distance(pair(LOOSE, first=1.0, second=1.0)), abs=1e-3)


def test_a_ruled_affinity_at_its_base_is_as_none_at_all():
    assert distance(pair(GLUED)) == pytest.approx(distance(pair()), abs=1e-9)


def test_a_rule_on_affinity_changes_whom_a_cell_attaches_to():
    parts = {"attachment_rate": "50 1/h", "detachment_rate": "0 1/h"}
    for glue, bonds in ((0.0, 1), (1.0, 0)):
        simulation = pair(LOOSE, first=glue, second=glue, **parts).simulation(seed=1).run("1 h")
        assert len(simulation.world.bonds) == bonds
