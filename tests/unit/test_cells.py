"""Cells are columns in ascending order of id, whatever order they came in; daughters inherit by the rule of a variable."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paget.engine.chance import Chance
from paget.errors import IdentityError, ModelError
from paget.evidence import Parameter
from paget.state import Cells, Fields, Grid
from paget.state.cells import daughter_ids, mix
from paget.vocabulary import Variable

VARIABLES = (
    Variable("cell.x", "um", "position"),
    Variable("cell.y", "um", "position"),
    Variable("cell.z", "um", "position"),
    Variable("cell.mass", "", "mass", inherit="halve", default=2.0),
    Variable("cell.clock", "h", "clock", inherit="fresh", default=float("nan")),
    Variable("cell.type", "", "type", whole=True),
    Variable("cell.rings", "", "rings", inherit="fresh", default=-1, whole=True),
)


def _cells(ids, **values):
    cells = Cells(VARIABLES)
    given = {f"cell.{name}": np.asarray(value) for name, value in values.items()}
    cells.restructure(np.ones(0, bool), np.asarray(ids, np.uint64), *cells.rows_like(given, len(ids)))
    return cells


def test_new_cells_have_their_values_and_defaults_elsewhere():
    cells = _cells([1, 2], x=[5.0, 6.0], type=3)
    assert cells.column("cell.x").tolist() == [5.0, 6.0]
    assert cells.column("cell.type").tolist() == [3, 3]
    assert cells.column("cell.mass").tolist() == [2.0, 2.0]
    assert np.isnan(cells.column("cell.clock")).all()
    assert cells.column("cell.rings").tolist() == [-1, -1]
    assert "cell.mass" in cells
    assert "cell.erk" not in cells


def test_position_is_a_live_view_of_the_three_coordinates():
    cells = _cells([1, 2], x=[1.0, 2.0], y=[3.0, 4.0], z=[5.0, 6.0])
    assert cells.position.tolist() == [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
    cells.position[1, 0] = 9.0
    assert cells.column("cell.y")[0] == 9.0


@settings(max_examples=30, deadline=None)
@given(
    ids=st.lists(st.integers(0, 2**64 - 1), unique=True, min_size=1, max_size=30),
    order=st.randoms(use_true_random=False),
)
def test_the_order_in_which_cells_come_does_not_matter(ids, order):
    shuffled = list(ids)
    order.shuffle(shuffled)
    first, second = (_cells(i, x=[float(v % 1000) for v in i]) for i in (ids, shuffled))
    for name, value in first.snapshot().items():
        assert value.tobytes() == second.snapshot()[name].tobytes()
    assert (np.diff(first.snapshot()["ids"].astype(object)) > 0).all()


def test_some_go_and_others_come_and_rows_stay_whole():
    cells = _cells([10, 20, 30], x=[1.0, 2.0, 3.0], type=[1, 2, 3])
    new = cells.rows_like({"cell.x": np.array([9.0, 8.0]), "cell.type": np.array([9, 8])}, 2)
    cells.restructure(np.array([True, False, True]), np.array([25, 5], np.uint64), *new)
    assert cells.ids[cells.order].tolist() == [5, 10, 25, 30]
    assert cells.column("cell.x")[cells.order].tolist() == [8.0, 1.0, 9.0, 3.0]
    assert cells.column("cell.type")[cells.order].tolist() == [8, 1, 9, 3]
    assert cells.column("cell.x").flags.c_contiguous


def test_an_id_that_is_taken_is_refused():
    cells = _cells([10, 20])
    with pytest.raises(IdentityError, match="two cells would carry the id 20"):
        cells.restructure(np.ones(2, bool), np.array([20], np.uint64), *cells.blank(1))


def test_daughters_copy_halve_or_begin_anew():
    cells = _cells([1, 2], x=[5.0, 6.0], mass=[2.0, 4.0], clock=[0.3, 0.4], type=[7, 8], rings=[3, 4])
    real, whole = cells.daughters(np.array([1]))
    daughters = Cells(VARIABLES)
    daughters.restructure(np.ones(0, bool), np.array([9], np.uint64), real, whole)
    assert daughters.column("cell.x")[0] == 6.0
    assert daughters.column("cell.mass")[0] == 2.0
    assert np.isnan(daughters.column("cell.clock")[0])
    assert (daughters.column("cell.type")[0], daughters.column("cell.rings")[0]) == (8, -1)
    assert cells.column("cell.mass").tolist() == [2.0, 4.0]


def test_a_snapshot_restores_the_exact_bits():
    cells = _cells([1, 2], x=[np.nextafter(1.0, 2.0), -0.0], clock=[np.nan, np.inf])
    state = {name: value.copy() for name, value in cells.snapshot().items()}
    other = Cells(VARIABLES)
    other.restore(state)
    for name, value in other.snapshot().items():
        assert value.tobytes() == state[name].tobytes()


def test_ids_of_daughters_over_twenty_generations_never_meet():
    ids = mix(np.arange(3, dtype=np.uint64), 101)
    seen = [ids]
    for _ in range(15):
        ids = np.concatenate(daughter_ids(ids))
        seen.append(ids)
    everyone = np.concatenate(seen)
    assert np.unique(everyone).size == everyone.size == 3 * (2**16 - 1)


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.sampled_from([1, 2, 3, 101]))
def test_mixing_keeps_different_ids_different(a, b, salt):
    mixed = mix(np.array([a, b], np.uint64), salt)
    assert (mixed[0] == mixed[1]) == (a == b)


# ---- chance ---------------------------------------------------------------------------------------------------------
def _row(**changes):
    return Parameter(
        **{
            "key": "rate",
            "title": "rate",
            "value": 3.0,
            "unit": "1/h",
            "basis": "assumed",
            "reason": "test",
            "source": "",
            **changes,
        }
    )


def test_keys_differ_between_seeds_animals_and_roles_and_not_between_calls():
    keys = {int(Chance(seed, animal).key(role)) for seed in (1, 2) for animal in (0, 1) for role in ("a", "b")}
    assert len(keys) == 8
    assert Chance(1, 0).key("a") == Chance(1, 0).key("a")
    assert Chance(1, 11).key("a") != Chance(11, 1).key("a")


def test_animals_vary_log_normally_with_the_stated_coefficient_of_variation():
    drawn = np.array([Chance(1, animal).draw(_row(spread=0.8)) for animal in range(4000)])
    logs = np.log(drawn / 3.0)
    assert (drawn > 0.0).all()
    # Four standard errors of 4000 draws: a false alarm in 16,000 runs; the seed is fixed.
    sigma = np.sqrt(np.log1p(0.64))
    assert abs(logs.mean()) < 4.0 * sigma / np.sqrt(4000)
    assert abs(logs.std() / sigma - 1.0) < 4.0 / np.sqrt(2 * 4000)


def test_without_a_spread_every_animal_has_the_value():
    assert {Chance(1, animal).draw(_row()) for animal in range(5)} == {3.0}


def test_an_animal_keeps_its_draw_when_the_value_is_changed_by_a_factor():
    chance = Chance(1, 4)
    assert np.isclose(chance.draw(_row(value=6.0, spread=0.3)), 2.0 * chance.draw(_row(spread=0.3)), rtol=1e-15)


# ---- fields ---------------------------------------------------------------------------------------------------------
def test_fields_are_live_arrays_by_name():
    fields = Fields(("field.c3", "field.net"), Grid((40.0, 60.0, 20.0), 20.0))
    assert fields["field.net"].shape == (1, 3, 2)
    fields["field.net"][...] = 2.0
    assert fields.values.sum() == 12.0
    assert "field.c3" in fields
    assert "field.mif" not in fields


def test_a_domain_that_is_not_a_whole_number_of_voxels_is_refused():
    with pytest.raises(ModelError, match="50 um along y, which is not a whole number of 20 um voxels"):
        Grid((40.0, 50.0, 20.0), 20.0)
    with pytest.raises(ModelError, match="has no volume"):
        Grid((40.0, 0.0, 20.0), 20.0)
