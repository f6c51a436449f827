"""Vessels: geometry against twins, beds, flow, exchange, entry of cells, growth; and all of it inside a tissue."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from paget.engine.checkpoint import restore, state_of
from paget.engine.tick import Stepper
from paget.engine.world import found
from paget.errors import EvidenceError, IdentityError, ModelError
from paget.evidence import load_parameters
from paget.kernels import reference_vessels as reference
from paget.kernels import vessels as kernels
from paget.process import Named, quantity
from paget.state import Grid
from paget.tissue import vessels
from paget.tissue.definition import CellDefinition
from paget.tissue.fields import Substrate
from paget.tissue.placing import Cells
from paget.tissue.tissue import Tissue
from paget.tissue.vessels import Angiogenesis, Sprouting, Supply, VesselExchange, VesselNetwork

WHY = "for this test"
KEY = np.uint64(77)
SIZE = (100.0, 80.0, 60.0)
PLAIN = Sprouting(
    rate=5e-3,
    half=0.1,
    hill=1.0,
    spacing=30.0,
    speed=20.0,
    persistence=3.0,
    bias=0.5,
    capture=8.0,
    apart=40.0,
    segment=15.0,
    radius=4.0,
    leakiness=10.0,
    viscosity=4.0,
    patience=24.0,
)


def sticks(seed, many=40, size=SIZE):
    """Random segments and their radii."""
    rng = np.random.default_rng(seed)
    box = np.array(size)[:, None]
    return rng.random((3, many)) * box, rng.random((3, many)) * box, rng.uniform(1.0, 6.0, many)


def straight(size=400.0, pieces=20, x=100.0, flat=False):
    """One vessel along y."""
    y = np.linspace(0.0, size, pieces + 1)
    position = np.stack([np.full(y.size, x), y, np.full(y.size, 10.0 if flat else size / 2.0)])
    ends = np.stack([np.arange(pieces), np.arange(1, pieces + 1)])
    return VesselNetwork.of(position, ends, 4.0, pressure={0: 30.0, pieces: 20.0})


def rising(grid, low=0.0, high=1.0):
    """A field that rises along x, linearly between the faces."""
    centres = (np.arange(grid.shape[2]) + 0.5) * grid.spacing[0]
    return np.broadcast_to(low + (high - low) * centres / grid.size[0], grid.shape).copy()


def grown(hours=48.0, dt=0.5, key=KEY, network=None, p=PLAIN, field=None, grid=None):
    grid = grid or Grid((400.0, 400.0, 20.0), 20.0)
    network = network or vessels.with_flow(straight(flat=grid.flat), p.viscosity)
    sense = vessels.guidance_from(rising(grid) if field is None else field, grid)
    for tick in range(round(hours / dt)):
        network = vessels.grow(network, sense, grid, dt, key, tick + 1, p)
    return network


# ---- kernels ----------------------------------------------------------------------------------------------------
@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([(20.0, 20.0, 20.0), (5.0, 8.0, 12.0), (100.0, 80.0, 60.0)]))
def test_lengths_inside_voxels_equal_the_reference_and_add_up(seed, spacing):
    a, b, _ = sticks(seed)
    shape = tuple(round(SIZE[axis] / spacing[axis]) for axis in (2, 1, 0))
    segment, voxel, length = kernels.voxels_of_segments(a, b, np.array(spacing), shape)
    for s in range(a.shape[1]):
        mine = {}
        for k in np.flatnonzero(segment == s):
            mine[int(voxel[k])] = mine.get(int(voxel[k]), 0.0) + length[k]
        expected = reference.voxels_of_segment(a[:, s], b[:, s], np.array(spacing), shape)
        for v in {*mine, *expected}:
            assert mine.get(v, 0.0) == pytest.approx(expected.get(v, 0.0), abs=1e-9)
    np.testing.assert_allclose(np.bincount(segment, length), np.linalg.norm(b - a, axis=0), rtol=1e-12)


def test_segments_along_grid_planes_and_of_no_length_are_cut_soundly():
    a = np.array([[20.0, 0.0, 40.0], [0.0, 20.0, 40.0], [20.0, 0.0, 40.0]])
    b = np.array([[20.0, 60.0, 40.0], [60.0, 20.0, 40.0], [20.0, 0.0, 40.0]])
    segment, voxel, length = kernels.voxels_of_segments(a, b, np.full(3, 20.0), (3, 3, 3))
    assert np.bincount(segment, length, minlength=3) == pytest.approx([60.0, 60.0, 0.0])
    assert length.min() > 0.0
    assert voxel.min() >= 0
    assert voxel.max() < 27


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.floats(1.0, 40.0), st.floats(5.0, 60.0))
def test_the_nearest_vessel_equals_the_reference(seed, reach, edge):
    a, b, radius = sticks(seed)
    points = np.random.default_rng(seed + 1).random((3, 60)) * np.array(SIZE)[:, None]
    segment, distance = kernels.nearest_vessels(points, a, b, radius, reach, np.array(SIZE), edge)
    expected = reference.nearest_vessels(points, a, b, radius, reach)
    assert segment.tolist() == [e[0] for e in expected]
    np.testing.assert_allclose(distance, [e[1] for e in expected], rtol=1e-9, atol=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.floats(3.0, 20.0), st.floats(10.0, 80.0))
def test_what_a_tip_meets_equals_the_reference(seed, capture, apart):
    network = grown(30.0, key=np.uint64(seed))
    tips = np.flatnonzero(network.tip)
    arguments = (tips, network.position, network.ends, capture, apart)
    target, share = kernels.meetings_of_tips(*arguments, np.array([400.0, 400.0, 20.0]), 40.0)
    assert target.tolist() == reference.meetings_of_tips(*arguments)
    assert ((share >= 0.0) & (share <= 1.0)).all()


# ---- the network as a value -------------------------------------------------------------------------------------
def test_a_network_cannot_be_changed_in_place():
    network = straight()
    with pytest.raises(ValueError, match="read-only"):
        network.radius[0] = 1.0


def test_the_order_in_which_segments_are_named_does_not_matter():
    network = grown()
    rng = np.random.default_rng(3)
    nodes, segments = rng.permutation(network.node_ids.size), rng.permutation(network.segment_ids.size)
    rank = np.argsort(nodes)
    state = network.snapshot()
    mixed = {
        name: value[..., nodes]
        if value.shape[-1] == nodes.size and name in ("node_ids", "position", "pressure", "tip", "heading")
        else value[..., segments]
        for name, value in state.items()
    }
    mixed["ends"] = rank[mixed["ends"]]
    again = VesselNetwork.restored(mixed).snapshot()
    assert all(np.array_equal(again[name], state[name], equal_nan=True) for name in state)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (([[0, 1], [0, 0], [0, 0]], [[0], [2]], 4.0), ModelError, "no"),
        (([[0, np.nan], [0, 0], [0, 0]], [[0], [1]], 4.0), ModelError, "not finite"),
        (([[0, 1], [0, 0], [0, 0]], [[0], [1]], 0.0), ModelError, "radius"),
    ],
)
def test_impossible_networks_are_refused(arguments, error, words):
    with pytest.raises(error, match=words):
        VesselNetwork.of(*arguments)


def test_two_segments_with_one_id_are_refused():
    network = straight()
    with pytest.raises(IdentityError):
        network.changed(segment_ids=np.zeros_like(network.segment_ids))


# ---- beds -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("along", ["x", "y", "z"])
def test_parallel_capillaries_fill_the_tissue_at_their_spacing(along):
    size = (300.0, 200.0, 400.0)
    bed = vessels.parallel_bed(size, 100.0, 4.0, along=along)
    assert bed.lengths.sum() / np.prod(size) == pytest.approx(1.0 / 100.0**2)
    assert bed.lengths.max() <= 50.0 + 1e-9
    solved = vessels.with_flow(bed, 4.0)
    assert solved.perfused.all()
    runs = (solved.b - solved.a)["xyz".index(along)] * solved.flow
    assert (runs > 0.0).all()


@pytest.mark.parametrize("flat", [False, True])
def test_a_random_bed_has_the_length_density_that_was_asked_for(flat):
    size = (600.0, 600.0, 20.0 if flat else 600.0)
    densities = [
        vessels.random_bed(size, 2e-4, 4.0, np.uint64(k), flat=flat).lengths.sum() / np.prod(size) for k in range(8)
    ]
    # The last capillary is taken or left so that the error is at most half of a chord.
    chord = 600.0 * (np.sqrt(2.0) if flat else np.sqrt(3.0))
    assert max(abs(d - 2e-4) for d in densities) <= 0.5 * chord / np.prod(size)


def test_a_random_bed_has_no_preferred_direction():
    bed = vessels.random_bed((500.0, 500.0, 500.0), 2e-3, 4.0, KEY, step=1e9)
    way = np.abs((bed.b - bed.a) / bed.lengths)
    weights = bed.lengths / bed.lengths.sum()
    # By length, an isotropic bed has mean |cos| 1/2 to every axis; the standard error of some 700 chords is about 0.011.
    assert (way * weights).sum(axis=1) == pytest.approx([0.5, 0.5, 0.5], abs=0.05)


@pytest.mark.parametrize(("generations", "flat"), [(1, True), (4, True), (5, False)])
def test_a_tree_obeys_murrays_law_and_feeds_all_capillaries(generations, flat):
    tree = vessels.tree_bed((800.0, 800.0, 20.0 if flat else 800.0), generations, 4.0, flat=flat)
    cubes = np.zeros((tree.node_ids.size, 3))
    for end in (0, 1):
        np.add.at(cubes, (tree.ends[end], tree.degree[tree.ends[end]] - 1), tree.radius**3)
    forks = tree.degree == 3
    assert forks.sum() == 2 * (2**generations - 1)
    thickest = np.zeros(tree.node_ids.size)
    for end in (0, 1):
        np.maximum.at(thickest, tree.ends[end], tree.radius**3)
    np.testing.assert_allclose(cubes[forks, 2], 2.0 * thickest[forks], rtol=1e-12)
    assert vessels.with_flow(tree, 4.0).perfused.all()


@pytest.mark.parametrize(
    "bed",
    [
        lambda: vessels.parallel_bed(SIZE, 0.0, 4.0),
        lambda: vessels.random_bed(SIZE, -1.0, 4.0, KEY),
        lambda: vessels.tree_bed(SIZE, 0, 4.0),
    ],
)
def test_beds_of_nothing_are_refused(bed):
    with pytest.raises(ModelError):
        bed()


# ---- flow -------------------------------------------------------------------------------------------------------
def test_one_vessel_carries_poiseuilles_flow():
    solved = vessels.with_flow(straight(), 4.0)
    per_second = np.pi * 4.0**4 / (8.0 * 4e-3) * (10.0 * 133.322387415) / 400.0
    assert solved.flow == pytest.approx(np.full(20, per_second * 3.6), rel=1e-12)


def test_blind_and_detached_vessels_have_no_flow():
    network = straight(pieces=2)
    position = np.concatenate(
        [network.position, [[150.0, 300.0, 350.0], [200.0, 10.0, 10.0], [200.0, 10.0, 10.0]]], axis=1
    )
    middle = int(np.flatnonzero(network.degree == 2)[0])
    ends = np.concatenate([network.ends, [[middle, 4], [3, 5]]], axis=1)
    pressure = {int(i): float(network.pressure[i]) for i in np.flatnonzero(np.isfinite(network.pressure))}
    solved = vessels.with_flow(VesselNetwork.of(position, ends, 4.0, pressure=pressure), 4.0)
    assert solved.perfused.sum() == 2
    assert (solved.flow[~solved.perfused] == 0.0).all()
    assert np.isnan(vessels.node_pressures(solved, 4.0)).sum() == 2


def test_a_viscosity_of_zero_is_refused():
    with pytest.raises(ModelError, match="viscosity"):
        vessels.with_flow(straight(), 0.0)


# ---- exchange ---------------------------------------------------------------------------------------------------
def test_exchange_is_permeability_times_surface():
    grid = Grid((400.0, 400.0, 400.0), 20.0)
    network = vessels.with_flow(straight(), 4.0)
    coefficient = vessels.exchange_coefficient(network, grid, 50.0)
    surface = 2.0 * np.pi * 4.0 * 400.0
    assert coefficient.sum() * 20.0**3 == pytest.approx(50.0 * surface, rel=1e-12)
    leaky = vessels.exchange_coefficient(network.changed(leakiness=np.full(20, 3.0)), grid, 50.0)
    np.testing.assert_allclose(leaky, 3.0 * coefficient)


def test_only_perfused_vessels_exchange():
    grid = Grid((400.0, 400.0, 400.0), 20.0)
    network = straight().changed(perfused=np.arange(20) < 5)
    assert vessels.exchange_coefficient(network, grid, 50.0).sum() * 20.0**3 == pytest.approx(
        50.0 * 2.0 * np.pi * 4.0 * 100.0
    )
    assert not vessels.exchange_coefficient(VesselNetwork.none(), grid, 50.0).any()


def test_what_tissue_has_beyond_the_plasma_goes_back_into_the_blood():
    grid = Grid((400.0, 400.0, 400.0), 20.0)
    coefficient = vessels.exchange_coefficient(vessels.with_flow(straight(), 4.0), grid, 50.0)
    assert vessels.delivered(coefficient, 1.0, np.full(grid.shape, 1.0), grid) == 0.0
    assert vessels.delivered(coefficient, 1.0, np.full(grid.shape, 2.0), grid) < 0.0


def test_negative_permeability_is_refused():
    with pytest.raises(ModelError, match="permeability"):
        vessels.exchange_coefficient(straight(), Grid((400.0, 400.0, 400.0), 20.0), -1.0)


# ---- cells at vessels -------------------------------------------------------------------------------------------
def test_cells_enter_on_the_wall_and_evenly_along_perfused_vessels():
    network = vessels.with_flow(vessels.random_bed((500.0, 500.0, 500.0), 1e-4, 4.0, KEY), 4.0)
    network = network.changed(perfused=network.perfused & (np.arange(network.segment_ids.size) % 3 > 0))
    position, row = vessels.entry_points(network, 4000, KEY, 5)
    assert network.perfused[row].all()
    away = [reference.distance_to_segment(position[:, k], network.a[:, s], network.b[:, s]) for k, s in enumerate(row)]
    # Beyond the ends of a segment, the wall is nearer to no point of it than its radius either.
    assert away == pytest.approx(np.full(4000, 4.0), rel=1e-9)
    lengths = np.where(network.perfused, network.lengths, 0.0)
    halves = np.array([lengths[: lengths.size // 2].sum(), lengths[lengths.size // 2 :].sum()])
    counts = np.bincount((row >= lengths.size // 2).astype(int), minlength=2)
    assert stats.chisquare(counts, 4000 * halves / halves.sum()).pvalue > 1e-4
    again, _ = vessels.entry_points(network, 4000, KEY, 5)
    assert again.tobytes() == position.tobytes()
    assert vessels.entry_points(network, 4000, KEY, 6)[0].tobytes() != position.tobytes()


def test_nothing_enters_without_blood():
    dry = straight().changed(perfused=np.zeros(20, bool))
    with pytest.raises(ModelError, match="perfused"):
        vessels.entry_points(dry, 3, KEY, 1)
    assert vessels.entry_points(dry, 0, KEY, 1)[0].shape == (3, 0)


def test_a_cell_touches_the_vessel_whose_wall_is_within_reach_of_its_membrane():
    position = np.array([[112.0, 113.5, 104.0], [200.0, 200.0, 200.0], [200.0, 200.0, 200.0]])
    segment, gap = vessels.vessels_near(straight(), position, np.array([8.0, 8.0, 5.0]), 1.0, (400.0, 400.0, 400.0))
    assert (segment >= 0).tolist() == [True, False, True]
    assert gap == pytest.approx([0.0, np.inf, -5.0])


# ---- growth -----------------------------------------------------------------------------------------------------
def test_sprouts_arise_where_vegf_is_and_climb_it():
    network = grown(20.0)
    assert network.segment_ids.size > 20
    assert network.position[0].max() > 150.0
    sense_nothing = grown(20.0, field=np.zeros((1, 20, 20)))
    assert sense_nothing.segment_ids.size == 20


def test_no_tip_arises_near_another_tip_or_branch():
    network = vessels.with_flow(straight(flat=True), 4.0)
    grid = Grid((400.0, 400.0, 20.0), 20.0)
    sense = vessels.guidance_from(rising(grid), grid)
    p = dataclasses.replace(PLAIN, rate=1e3, speed=0.0, spacing=60.0)
    after = vessels.grow(network, sense, grid, 0.5, KEY, 1, p)
    bases = np.sort(after.position[1, after.degree == 3])
    assert bases.size >= 3
    assert np.diff(bases).min() >= 60.0
    assert after.tip.sum() == bases.size


def test_new_vessels_are_leaky_and_have_no_flow_until_they_join():
    network = grown(6.0)
    new = network.leakiness == PLAIN.leakiness
    assert new.sum() == (~network.perfused).sum() > 0


def test_a_tip_that_meets_a_vessel_joins_it_and_blood_runs():
    two = [straight(flat=True), straight(flat=True, x=140.0)]
    position = np.concatenate([n.position for n in two], axis=1)
    ends = np.concatenate([two[0].ends, two[1].ends + 21], axis=1)
    pressures = {
        21 * k + int(i): float(n.pressure[i]) - 5.0 * k
        for k, n in enumerate(two)
        for i in np.flatnonzero(~np.isnan(n.pressure))
    }
    pair = vessels.with_flow(VesselNetwork.of(position, ends, 4.0, pressure=pressures), 4.0)
    network = grown(12.0, dt=0.1, network=pair, p=dataclasses.replace(PLAIN, rate=2e-3, bias=1.0))
    bridges = (network.leakiness > 1.0) & network.perfused
    assert bridges.any()
    # Both ends of what was built carry blood on, none ends blindly.
    assert (network.degree[network.ends[:, bridges]] >= 2).all()
    gain = np.zeros(network.node_ids.size)
    np.add.at(gain, network.ends[1], network.flow)
    np.subtract.at(gain, network.ends[0], network.flow)
    assert np.abs(gain[np.isnan(network.pressure)]).max() < 1e-9 * np.abs(network.flow).max()


def test_vessels_without_flow_regress_when_their_time_is_over():
    sprouting = grown(6.0)
    assert not sprouting.perfused.all()
    still = grown(15.0, network=sprouting, field=np.zeros((1, 20, 20)))
    assert not still.perfused.all()
    gone = grown(16.0, network=still, field=np.zeros((1, 20, 20)))
    assert gone.perfused.all()
    assert not gone.tip.any()
    assert gone.lengths.sum() == pytest.approx(400.0)


def test_growth_takes_no_id_twice_and_keeps_to_the_tissue():
    for seed in range(4):
        network = grown(
            60.0, key=np.uint64(seed), grid=Grid((400.0, 400.0, 400.0), 20.0), p=dataclasses.replace(PLAIN, bias=0.2)
        )
        assert np.unique(network.node_ids).size == network.node_ids.size
        assert (network.position >= 0.0).all()
        assert (network.position <= 400.0).all()
        assert network.degree.min() >= 1
        assert (network.degree[network.tip] == 1).all()


def test_a_tissue_without_vessels_grows_none():
    assert grown(1.0, network=VesselNetwork.none()).segment_ids.size == 0


# ---- in a tissue ------------------------------------------------------------------------------------------------
def tissue(*processes, network=None, vegf="0 nM", oxygen="10 mmHg"):
    """A section with one resting cell, oxygen and VEGF, and a vessel."""
    return Tissue(
        name="vascular",
        size=(400.0, 400.0, 20.0),
        cells=(CellDefinition(name="cell"),),
        placed=Cells(np.array([[300.0, 300.0, 10.0]]), "cell"),
        substrates=(
            Substrate(field="field.oxygen", unit="mmHg", diffusion="6.3e6 um**2/h", initial=oxygen, reason=WHY),
            Substrate(
                field="field.vegf", unit="nM", diffusion="1e5 um**2/h", initial=vegf, walls={"xmax": "1 nM"}, reason=WHY
            ),
        ),
        processes=processes,
        vessels=vessels.with_flow(straight(flat=True), 4.0) if network is None else network,
        parameters=load_parameters("tissue", "vessels"),
    )


OXYGEN = Supply(
    field="field.oxygen",
    permeability=Named("oxygen_wall_permeability", "um/h"),
    plasma=Named("capillary_oxygen", "mmHg"),
)


def test_a_vessel_fills_a_closed_tissue_to_the_level_of_the_blood():
    simulation = tissue(VesselExchange(supplies=(OXYGEN,))).simulation(seed=1)
    simulation.run("6 min")
    first = simulation.field("field.oxygen")
    assert 10.0 < first.mean() < 50.0
    simulation.run("48 h")
    assert simulation.field("field.oxygen") == pytest.approx(np.full((1, 20, 20), 50.0), rel=1e-6)


def test_what_the_blood_gives_is_what_the_tissue_uses():
    plain = tissue(VesselExchange(supplies=(OXYGEN,)))
    oxygen, vegf = plain.substrates
    used = plain.changed(substrates=(dataclasses.replace(oxygen, decay="100 1/h"), vegf))
    simulation = used.simulation(seed=1)
    simulation.run("1 h")
    grid, level = simulation.model.grid, simulation.field("field.oxygen")
    exchange = vessels.exchange_coefficient(simulation.world.vessels, grid, 612000.0)
    assert level.std() > 1.0
    spent = 100.0 * float(level.sum()) * grid.voxel_volume
    # The residual of the field, 1e-8 of its sources, is what the balance can miss.
    assert vessels.delivered(exchange, 50.0, level, grid) == pytest.approx(spent, rel=1e-6)


def test_a_drug_or_protein_of_the_blood_enters_at_the_level_that_the_body_holds(toy):
    leak = Supply(field="field.c3", permeability="100 um/h", level="body.doxorubicin", reason=WHY)
    network = vessels.with_flow(vessels.parallel_bed((60.0, 60.0, 60.0), 30.0, 4.0), 4.0)
    model = toy(
        VesselExchange(supplies=(leak,)),
        vessels=network,
        initial={"body.doxorubicin": quantity("7 nM", reason=WHY)},
    )
    running = Stepper(model, found(model, 1, 0, 0.1))
    for _ in range(400):
        running.step()
        running.check()
    # Each of the two stages of a tick leaves a residual of 1e-6 of 34 per h, against an exchange of 2.8 per h: 2.4e-5.
    assert running.world.fields["field.c3"] == pytest.approx(np.full((3, 3, 3), 7.0), rel=5e-5)


def test_vessels_grow_in_a_tissue_and_resume_from_a_checkpoint_with_the_same_bits():
    whole = tissue(Angiogenesis(), VesselExchange(supplies=(OXYGEN,)), vegf="0.5 nM")
    through, first, second = (whole.simulation(seed=4, threads=threads) for threads in (1, 2, 1))
    through.run("30 h")
    first.run("13 h")
    restore(second.stepper, {name: np.array(value) for name, value in state_of(first.stepper).items()})
    second.run("17 h")
    network = through.world.vessels
    assert network.segment_ids.size > 20
    states = [{name: np.asarray(v).tobytes() for name, v in state_of(s.stepper).items()} for s in (through, second)]
    assert states[0] == states[1]


def test_tips_take_up_vegf():
    tip = straight(flat=True)
    tip = tip.changed(tip=tip.degree == 1, heading=np.where(tip.degree == 1, np.array([[1.0], [0.0], [0.0]]), 0.0))
    quiet = Angiogenesis(rate=0, speed=0, uptake=Named("tip_vegf_uptake", "pL/h"), capture=0)
    levels = []
    for network in (tip, straight(flat=True)):
        simulation = tissue(quiet, network=vessels.with_flow(network, 4.0), vegf="1 nM").simulation(seed=1)
        simulation.run("1 h")
        levels.append(simulation.field("field.vegf"))
    assert levels[0].mean() < levels[1].mean()
    assert levels[0][0, 0, 5] == levels[0][0, :10].min()


def test_a_level_of_the_body_in_another_unit_is_refused():
    index = Supply(field="field.c3", permeability="1 um/h", level="body.serum_c3", reason=WHY)
    with pytest.raises(ModelError, match="needs the unit of its field"):
        VesselExchange(supplies=(index,))


def test_a_supply_needs_a_reason_for_its_numbers():
    with pytest.raises(EvidenceError):
        Supply(field="field.oxygen", permeability="1 um/h")


def test_every_vessel_parameter_is_in_the_unit_that_its_process_needs():
    table = load_parameters("tissue", "vessels")
    for _, number, unit in Angiogenesis().numbers:
        assert table[number.key].inside(unit) > 0.0
