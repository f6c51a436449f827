"""Whatever the tissue, fields stay positive, keep their balance, bounds and symmetries, and do not know their axes."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from paget.engine.transport import Diffusing, Fixed, Held, Saturable, advance
from paget.state import Grid

few = settings(max_examples=25, deadline=None)
tissues = st.builds(
    lambda voxels, edges, periodic: Grid(
        tuple(n * h for n, h in zip(voxels, edges, strict=True)), tuple(map(float, edges)), periodic
    ),
    st.tuples(st.integers(2, 7), st.integers(2, 6), st.integers(1, 5)),
    st.sampled_from([(20.0, 20.0, 20.0), (20.0, 20.0, 5.0), (10.0, 25.0, 20.0)]),
    st.tuples(st.booleans(), st.booleans(), st.booleans()),
)
seeds = st.integers(0, 2**32 - 1)
methods = st.sampled_from(["implicit", "transient", "auto"])


def _field(seed, grid, **changes):
    rng = np.random.default_rng(seed)
    sinks = (Saturable(1e3 * rng.random(grid.shape) ** 4, 2.0),)
    whole = {
        "name": "field.oxygen",
        "values": 38.0 * rng.random(grid.shape),
        "diffusion": 10.0 ** rng.uniform(0, 6),
        "source": 50.0 * rng.random(grid.shape),
        "loss": 1e3 * rng.random(grid.shape) ** 4,
        "saturable": sinks,
    }
    return Diffusing(**{**whole, **changes})


@few
@given(seed=seeds, grid=tissues, method=methods, dt=st.floats(1e-3, 10.0))
def test_in_a_box_without_faces_supply_less_loss_is_what_changed(seed, grid, method, dt):
    field = _field(seed, grid)
    found = advance(field, grid, dt, method=method)
    assert found.values.min() >= 0.0
    assert found.entered == 0.0
    change = (found.values - field.values).sum() * grid.voxel_volume
    turnover = field.values.sum() * grid.voxel_volume + found.supplied
    # Ten stages' worth of the residual of 1e-10.
    assert abs(change - found.supplied + found.lost) < 1e-9 * turnover


@few
@given(seed=seeds, grid=tissues, dt=st.floats(1e-3, 10.0))
def test_without_sources_no_voxel_exceeds_what_there_was_or_is_held(seed, grid, dt):
    rng = np.random.default_rng(seed)
    field = _field(seed, grid, source=np.zeros(grid.shape), held=Held(rng.random(grid.shape) < 0.1, 20.0))
    found = advance(field, grid, dt, method="implicit")
    assert found.values.max() <= max(field.values.max(), 20.0) * (1.0 + 1e-9)


@few
@given(seed=seeds, method=methods)
def test_the_axes_are_alike(seed, method):
    grid, turned = Grid((60.0, 100.0, 40.0), (20.0, 10.0, 5.0)), Grid((40.0, 60.0, 100.0), (5.0, 20.0, 10.0))
    field = _field(seed, grid, faces={"x-": Fixed(9.0), "y+": Fixed(3.0, "voxels")})
    # x, y, z become y, z, x.
    other = Diffusing(
        field.name,
        *(np.ascontiguousarray(np.moveaxis(field.values, 0, 2)), field.diffusion),
        np.ascontiguousarray(np.moveaxis(field.source, 0, 2)),
        np.ascontiguousarray(np.moveaxis(field.loss, 0, 2)),
        faces={"y-": Fixed(9.0), "z+": Fixed(3.0, "voxels")},
        saturable=tuple(Saturable(np.moveaxis(s.vmax, 0, 2), s.km) for s in field.saturable),
    )
    one, two = advance(field, grid, 0.3, method=method), advance(other, turned, 0.3, method=method)
    assert np.allclose(np.moveaxis(one.values, 0, 2), two.values, rtol=1e-6, atol=1e-8)


@few
@given(seed=seeds, grid=tissues, factor=st.sampled_from([1e-12, 1e-3, 1e6]))
def test_linear_fields_scale_with_their_concentrations(seed, grid, factor):
    field = _field(seed, grid, saturable=())
    scaled = _field(seed, grid, saturable=(), values=factor * field.values, source=factor * field.source)
    one, many = (advance(f, grid, 0.2, method="transient").values for f in (field, scaled))
    assert np.allclose(factor * one, many, rtol=1e-7, atol=1e-9 * factor * one.max())
