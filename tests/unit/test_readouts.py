"""What is read out of a tissue is what a reader of the section would count."""

from __future__ import annotations

import math

import numpy as np
import pytest

from paget.access import World
from paget.engine.chance import Chance
from paget.readouts import colonies, count_of
from paget.state import Cells, Fields, Grid
from paget.vocabulary import VARIABLES

TYPES = ("fibroblast", "dormant tumour cell", "cycling tumour cell")
TUMOUR = TYPES[1:]
NAMES = ("cell.x", "cell.y", "cell.z", "cell.radius", "cell.type", "cell.ever_dormant", "cell.woke_at", "cell.erk")


def _world(positions, kinds, **columns):
    cells = Cells([VARIABLES[name] for name in NAMES])
    n = len(positions)
    x, y, z = np.array(positions, float).reshape(n, 3).T
    values = {"cell.x": x, "cell.y": y, "cell.z": z, "cell.type": np.array(kinds, int)}
    values |= {f"cell.{name}": np.array(value) for name, value in columns.items()}
    cells.restructure(np.ones(0, bool), np.arange(n, dtype=np.uint64), *cells.rows_like(values, n))
    fields = Fields(("field.net", "field.remodelled_laminin"), Grid((100.0, 100.0, 40.0), 20.0))
    body = {"body.serum_c3": 1.5, "body.serum_mif": 2.5, "body.serum_net": 3.5, "body.primary_tumour": 7.0}
    return World(cells, fields, body, TYPES, Chance(1, 0))


def test_cells_within_reach_of_each_other_directly_or_through_others_are_one_colony():
    chain = [[0, 0, 0], [20, 0, 0], [40, 0, 0], [40, 60, 0]]
    found = colonies(_world(chain, [1, 2, 1, 2]), TUMOUR, 27.0)
    assert sorted(found.sizes.tolist()) == [1, 3]
    assert found.members(3).tolist() == [0, 1, 2]
    assert found.members(4).size == 0


def test_other_cells_neither_count_nor_bridge():
    found = colonies(_world([[0, 0, 0], [20, 0, 0], [40, 0, 0]], [1, 0, 1]), TUMOUR, 27.0)
    assert found.rows.tolist() == [0, 2]
    assert found.sizes.tolist() == [1, 1]


def test_reach_holds_in_depth_too():
    deep = _world([[0, 0, 0], [0, 0, 26]], [1, 1])
    assert colonies(deep, TUMOUR, 27.0).sizes.tolist() == [2]
    assert colonies(deep, TUMOUR, 25.0).sizes.tolist() == [1, 1]


def test_a_tissue_without_tumour_cells_has_no_colonies():
    found = colonies(_world([[0, 0, 0]], [0]), TUMOUR, 27.0)
    assert found.sizes.size == 0
    assert found.members(1).size == 0


def test_cells_are_counted_by_type():
    world = _world(np.zeros((4, 3)), [0, 1, 1, 2])
    assert count_of(*TUMOUR)(world) == 3.0
    assert count_of("fibroblast")(world) == 1.0


@pytest.fixture(scope="module")
def measures(small_lung):
    model, _ = small_lung("adjuvant")
    return {readout.name: readout for readout in model.readouts}


def _colony(n, x):
    return [[x + 10.0 * (i % 6), 10.0 * (i // 6), 0.0] for i in range(n)]


def test_a_colony_of_thirty_is_a_metastasis_and_one_of_twenty_nine_is_not(measures):
    places = _colony(30, 0.0) + _colony(29, 500.0)
    world = _world(places, [2] * 59, ever_dormant=[1] * 15 + [0] * 44)
    assert measures["metastases"].measure(world) == 1.0
    assert measures["dormancy_derived"].measure(world) == 0.5


def test_without_metastases_no_fraction_of_them_is_dormancy_derived(measures):
    assert math.isnan(measures["dormancy_derived"].measure(_world([[0, 0, 0]], [2])))


def test_awakened_and_never_dormant_cells_are_cycling_ones(measures):
    world = _world(np.zeros((4, 3)), [2, 2, 2, 1], ever_dormant=[1, 0, 0, 1], woke_at=[5.0, np.nan, np.nan, 3.0])
    assert measures["awakened_cells"].measure(world) == 1.0
    assert measures["bulk_cells"].measure(world) == 2.0


def test_erk_is_read_in_dormant_cells_alone(measures):
    world = _world(np.zeros((4, 3)), [1, 1, 2, 0], erk=[0.5, 0.3, 0.9, 0.9])
    assert measures["erk_active"].measure(world) == 50.0
    assert measures["erk_active"].measure(_world([[0, 0, 0]], [2])) == 0.0


def test_the_net_area_is_that_of_the_section_seen_from_above(measures):
    world = _world([[0, 0, 0]], [0])
    world.fields["field.net"][0, 0, 0] = 1.0
    world.fields["field.net"][1, 0, 0] = 1.0
    assert math.isclose(measures["net_area"].measure(world), 100.0 / 25)
    world.fields["field.remodelled_laminin"][...] = 0.2
    assert math.isclose(measures["remodelled_laminin"].measure(world), 20.0)


def test_body_readouts_are_the_values_in_the_body(measures):
    world = _world([[0, 0, 0]], [0])
    found = [measures[n].measure(world) for n in ("serum_c3", "serum_mif", "serum_net", "primary_tumour")]
    assert found == [1.5, 2.5, 3.5, 7.0]


def test_every_readout_has_a_measure_or_the_readout_whose_first_event_it_times(measures):
    for readout in measures.values():
        assert (readout.measure is None) == (readout.kind == "time")
        assert (readout.first_of in measures) == (readout.kind == "time")
        assert (readout.summary == "first") == (readout.kind == "time")
        assert readout.meaning
