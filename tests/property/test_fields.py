"""Material in a living tissue: laminin is only cut and renewed, factors balance release and loss, nothing is negative."""

from __future__ import annotations

import numpy as np
import pytest

from paget.behaviours import FieldLoss, Secretion
from paget.engine.tick import Stepper
from paget.engine.world import found
from paget.model import Founders
from paget.process import quantity
from paget.state import Grid

LAMININ = ("field.laminin", "field.nicked_laminin", "field.remodelled_laminin")
BUSY = {
    "neutrophil_entry": "0.1 1/h",
    "activation_background": "0.1 1/h",
    "netosis_rate": "0.3 1/h",
    "senescence_rate": "0.2 1/h",
}
DAYS = 6


def number(text):
    return quantity(text, reason="for this test")


@pytest.fixture(scope="module", params=[2, 3], ids=["2-D", "3-D"])
def course(request, small_lung):
    """Fields after every tick of an inflamed tissue: name -> [ticks, z, y, x]."""
    model, _ = small_lung("injected", request.param)
    model = model.with_parameters(BUSY)
    stepper = Stepper(model, found(model, 1, 0, 2.0))
    kept = []
    for tick in range(DAYS * 12):
        stepper.world.doses = (("doxorubicin", 0.5, 20.0, ""),) if tick == 3 else ()
        stepper.step()
        kept.append(stepper.world.fields.values.copy())
    return dict(zip(model.fields, np.stack(kept, axis=1), strict=True))


def test_laminin_is_cut_and_renewed_but_its_total_stays_in_every_voxel(course):
    total = sum(course[name] for name in LAMININ)
    assert np.allclose(total, 1.0, rtol=1e-12)
    assert course["field.remodelled_laminin"].max() > 0.01


def test_no_field_is_ever_negative_and_fractions_stay_fractions(course):
    for name, values in course.items():
        assert values.min() >= 0.0, name
    for name in (*LAMININ, "field.tsp1"):
        assert course[name].max() <= 1.0 + 1e-12, name


def test_thrombospondin_is_lost_only_where_there_were_traps(course):
    never = (course["field.net"] == 0.0).all(axis=0)
    assert never.any()
    assert not never.all()
    assert np.allclose(course["field.tsp1"][:, never], 1.0)
    assert course["field.tsp1"][:, ~never].min() < 0.9


def test_mmp9_spreads_beyond_the_traps_that_release_it(course):
    without_traps = (course["field.net"] == 0.0).all(axis=0)
    assert course["field.mmp9"][-1].max() > 0.0
    assert course["field.mmp9"][-1][without_traps].max() > 0.0


@pytest.mark.parametrize("flat", [True, False], ids=["2-D", "3-D"])
@pytest.mark.parametrize("dt", [0.5, 2.0, 12.0])
def test_the_total_of_a_factor_follows_the_equation_of_its_release_and_loss(toy, flat, dt):
    # d(total)/dt = n q - k total, whatever diffusion does, in steps of any length
    parts = (
        Secretion(role="release", cells=("fibroblast",), factor="field.c3", amount=number("3 nM*pL/h")),
        FieldLoss(role="decay", factor="field.c3", half_life=number("4 h")),
    )
    grid = Grid((200.0, 200.0, 20.0 if flat else 100.0), 20.0)
    model = toy(*parts, grid=grid, founders=(Founders("fibroblast", number("25"), number("5 um")),))
    stepper = Stepper(model, found(model, 1, 0, dt))
    for _ in range(round(24.0 / dt)):
        stepper.step()
    rate = np.log(2.0) / 4.0
    exact = 25 * 3.0 / rate * (1.0 - np.exp(-rate * 24.0))
    assert np.isclose(stepper.world.fields["field.c3"].sum() * grid.voxel_volume, exact, rtol=1e-10)


def test_a_section_and_a_block_of_one_layer_thickness_agree_where_nothing_varies_in_depth(toy):
    grids = (Grid((200.0, 200.0, 20.0), 20.0), Grid((200.0, 200.0, 60.0), 20.0))
    found_values = []
    for grid in grids:
        model = toy(FieldLoss(role="decay", factor="field.c3", half_life=number("4 h")), grid=grid)
        stepper = Stepper(model, found(model, 1, 0, 1.0))
        stepper.world.fields["field.c3"][...] = np.random.default_rng(1).random((1, 10, 10))
        stepper.step()
        found_values.append(stepper.world.fields["field.c3"])
    assert np.allclose(found_values[1], found_values[0], rtol=1e-12)
