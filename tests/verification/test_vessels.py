"""Vessels against closed forms: what they supply, how blood flows in them, and how a network grows, joins and regresses."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.special import k0, k1

from paget.engine.transport import Diffusing, advance_diffusing
from paget.evidence import load_parameters
from paget.state import Grid
from paget.tissue.vessels import (
    Angiogenesis,
    Sprouting,
    VesselNetwork,
    delivered,
    exchange_coefficient,
    grow,
    guidance_from,
    random_bed,
    tree_bed,
    with_flow,
)

TABLE = load_parameters("vessels")
OXYGEN_DIFFUSION = 6.3e6  # um2/h in tissue
BLOOD = TABLE["capillary_oxygen"].inside("mmHg")
RADIUS = TABLE["vessel_radius"].inside("um")
WALL = TABLE["oxygen_wall_permeability"].inside("um/h")
VISCOSITY = TABLE["blood_viscosity"].inside("mPa*s")
STEADY = 1e3  # h, against seconds to minutes in which oxygen relaxes


def settled(grid, network, permeability, *, source=0.0, loss=0.0, corrected=True):
    """Steady oxygen [nz, ny, nx] around vessels, and their exchange coefficient."""
    exchange = exchange_coefficient(network, grid, permeability, OXYGEN_DIFFUSION if corrected else 0.0)
    start = np.full(grid.shape, BLOOD)
    field = Diffusing("oxygen", start, OXYGEN_DIFFUSION, exchange * BLOOD + source, exchange + loss)
    return advance_diffusing([field], grid, STEADY)[0], exchange


def crossing(grid):
    """One capillary across the middle voxel of a section, and the distance [ny, nx] of voxels from it."""
    spot = (grid.shape[1] // 2 + 0.5) * grid.voxel
    centres = (np.arange(grid.shape[1]) + 0.5) * grid.voxel - spot
    network = VesselNetwork.of([[spot, spot], [spot, spot], [0.0, grid.size[2]]], [[0], [1]], RADIUS)
    return network, np.hypot(centres[:, None], centres[None, :])


def section(width, voxel):
    return Grid((width, width, voxel), voxel)


def test_a_capillary_in_its_krogh_cylinder_agrees_with_the_closed_form(gallery):
    """Zero-order uptake inside 60 um, none outside: no flux crosses the rim, so that Krogh's boundary condition holds there."""
    reach, drop = 60.0, 2.0
    uptake = drop * 4.0 * OXYGEN_DIFFUSION / reach**2  # mmHg/h; `drop` is the scale of the fall of oxygen in mmHg
    worst, without, profiles = {}, {}, {}
    for voxel in (3.75, 5.0, 10.0, 20.0):
        grid = section(240.0, voxel)
        network, away = crossing(grid)
        fine = 20
        spots = (np.arange(grid.shape[1] * fine) + 0.5) * voxel / fine - network.position[0, 0]
        inside = (spots[:, None] ** 2 + spots[None, :] ** 2 < reach**2).reshape(grid.shape[1], fine, -1, fine)
        used = uptake * inside.mean(axis=(1, 3))[None]
        per_length = float(used.sum()) * voxel**2
        at_wall = BLOOD - per_length / (2.0 * math.pi * RADIUS * WALL)

        def krogh(r, at_wall=at_wall):
            r = np.minimum(r, reach)
            curved = uptake / (4.0 * OXYGEN_DIFFUSION) * (r**2 - RADIUS**2)
            return at_wall + curved - uptake * reach**2 / (2.0 * OXYGEN_DIFFUSION) * np.log(r / RADIUS)

        seen = away > 1.5 * voxel
        for corrected, errors in ((True, worst), (False, without)):
            oxygen, exchange = settled(grid, network, WALL, source=-used, corrected=corrected)
            errors[voxel] = float(np.abs(oxygen[0][seen] - krogh(away[seen])).max())
            given = delivered(exchange, BLOOD, oxygen, grid)
            stored = float((oxygen - BLOOD).sum()) / STEADY
            assert given == pytest.approx((float(used.sum()) + stored) * grid.voxel_volume, rel=1e-8)
            if corrected:
                profiles[voxel] = (away.ravel(), oxygen.ravel())
    text = (
        f"Oxygen around one capillary that supplies {2 * reach:.0f} um of tissue, against Krogh's closed form: the largest "
        f"error is {max(worst.values()):.2f} mmHg with voxels from 3.75 to 20 um. Without the account of the field below "
        f"the size of a voxel it would be {max(without.values()):.1f} mmHg. What the vessel gives is what the "
        "tissue uses, to 1e-8."
    )
    with gallery("krogh-cylinder", title="The Krogh cylinder", text=text, panels=2) as axes:
        r = np.linspace(RADIUS, 110.0, 200)
        axes[0].plot(r, krogh(r), color="k", lw=1, label="closed form")
        for voxel, (away_, oxygen_) in profiles.items():
            near = (away_ > 1.5 * voxel) & (away_ < 110.0)
            axes[0].plot(away_[near], oxygen_[near], ".", ms=4, label=f"{voxel:g} um voxels")
        axes[0].set(xlabel="distance from the capillary (um)", ylabel="oxygen (mmHg)")
        axes[0].legend()
        axes[1].loglog(list(worst), list(worst.values()), "o-", label="with the field below a voxel")
        axes[1].loglog(list(without), list(without.values()), "s--", label="voxel value at the wall")
        axes[1].set(xlabel="voxel (um)", ylabel="largest error (mmHg)")
        axes[1].legend()
    # 1 % of the blood level: the grid's own error of a logarithm one and a half voxels from its pole is about that.
    assert max(worst.values()) < 0.01 * BLOOD
    assert without[5.0] > 4.0  # the correction is what makes it agree


def test_a_line_source_in_consuming_tissue_agrees_with_its_bessel_function(gallery):
    """First-order uptake: c(r) = c_wall K0(r/l) / K0(radius/l) with l = sqrt(D/loss), the wall in series."""
    length = 80.0
    loss = OXYGEN_DIFFUSION / length**2
    rim = RADIUS / length
    strength = WALL * RADIUS / OXYGEN_DIFFUSION
    slope = rim * k1(rim) / k0(rim)
    at_wall = BLOOD * strength / (strength + slope)
    supply = 2.0 * math.pi * OXYGEN_DIFFUSION * at_wall * slope  # mmHg um2/h for every um of vessel
    errors, given, kept = {}, {}, {}
    for voxel in (5.0, 10.0, 20.0):
        grid = section(1200.0, voxel)
        network, away = crossing(grid)
        oxygen, exchange = settled(grid, network, WALL, loss=loss)
        seen = (away > 1.5 * voxel) & (away < 240.0)
        exact = at_wall * k0(away[seen] / length) / k0(rim)
        errors[voxel] = float(np.abs(oxygen[0][seen] - exact).max() / at_wall)
        given[voxel] = delivered(exchange, BLOOD, oxygen, grid) * 1000.0 / voxel / supply - 1.0
        kept[voxel] = (away[seen], oxygen[0][seen])
    oblique = _supply_of_oblique_vessels(loss, supply)
    text = (
        f"A capillary in tissue with first-order uptake (length {length:.0f} um): the largest error is "
        f"{100 * max(errors.values()):.2f} % of the level at the wall, the supply is right to "
        f"{100 * max(map(abs, given.values())):.2f} %. In 3-D, with 20 um voxels, capillaries along an axis, off the centres "
        f"of voxels, along diagonals and askew supply {', '.join(f'{100 * x:+.1f} %' for x in oblique)} against the closed "
        "form."
    )
    with gallery("line-source", title="A capillary as a line source", text=text) as axes:
        r = np.linspace(6.0, 240.0, 200)
        axes.semilogy(r, at_wall * k0(r / length) / k0(rim), color="k", lw=1, label="closed form")
        for voxel, (away_, oxygen_) in kept.items():
            axes.semilogy(away_, oxygen_, ".", ms=4, label=f"{voxel:g} um voxels")
        axes.set(xlabel="distance from the capillary (um)", ylabel="oxygen (mmHg)")
        axes.legend()
    # The five-point operator at three voxels to the length l is off by (h/l)^2 / 12, about half a per cent, and more at the
    # pole.
    assert max(errors.values()) < 0.015
    assert max(map(abs, given.values())) < 0.01
    assert max(map(abs, oblique[:2])) < 0.01
    # A line at an angle is spread over the voxels it passes, which keeps its length but not its distance from their centres.
    assert max(map(abs, oblique)) < 0.15


def _supply_of_oblique_vessels(loss, supply):
    """Relative error of supply per length in 3-D: along an axis, between voxels, along diagonals, and askew."""
    grid = Grid((480.0, 480.0, 480.0), 20.0)
    ways = [
        ((250.0, 250.0, 0.0), (250.0, 250.0, 480.0)),
        ((240.0, 240.0, 0.0), (240.0, 240.0, 480.0)),
        ((0.0, 0.0, 250.0), (480.0, 480.0, 250.0)),
        ((0.0, 0.0, 0.0), (480.0, 480.0, 480.0)),
        ((33.0, 127.0, 0.0), (447.0, 363.0, 480.0)),
    ]
    errors = []
    for begin, end in ways:
        along = np.array(begin)[:, None] + np.array([0.0, 0.3, 0.7, 1.0]) * (np.array(end) - np.array(begin))[:, None]
        network = VesselNetwork.of(along, [[0, 1, 2], [1, 2, 3]], RADIUS)
        oxygen, _ = settled(grid, network, WALL, loss=loss)
        # The middle alone, which sees neither the ends nor the walls near them.
        middle = network.kept(network.lengths > 0.35 * network.lengths.sum())
        exchange = exchange_coefficient(middle, grid, WALL, OXYGEN_DIFFUSION)
        given = delivered(exchange, BLOOD, oxygen, grid) * 1000.0 / float(middle.lengths[0])
        errors.append(given / supply - 1.0)
    return errors


def test_what_vessels_give_is_what_tissue_uses_and_stores(gallery):
    """A random bed over many ticks of transient exchange, with patches of uptake: plasma loss = consumption + storage."""
    grid = Grid((300.0, 300.0, 300.0), 20.0)
    density = 1e-4  # um of vessel per um3
    network = with_flow(random_bed(grid.size, density, RADIUS, np.uint64(3)), VISCOSITY)
    exchange = exchange_coefficient(network, grid, WALL, OXYGEN_DIFFUSION)
    assert exchange.sum() > 0.0
    used = np.random.default_rng(5).exponential(400.0, grid.shape)
    oxygen, dt = np.zeros(grid.shape), 2e-4
    left, stored, spent = [0.0], [0.0], [0.0]
    for _ in range(40):
        after = advance_diffusing(
            [Diffusing("oxygen", oxygen, OXYGEN_DIFFUSION, exchange * BLOOD, exchange + used)], grid, dt
        )[0]
        left.append(left[-1] + delivered(exchange, BLOOD, after, grid) * dt)
        stored.append(stored[-1] + float((after - oxygen).sum()) * grid.voxel_volume)
        spent.append(spent[-1] + float((used * after).sum()) * grid.voxel_volume * dt)
        oxygen = after
    gap = abs(left[-1] - stored[-1] - spent[-1]) / left[-1]
    text = (
        f"Oxygen that left the plasma of a random bed ({density * 1e6:.0f} mm of vessels per mm3) in the first "
        f"seconds equals what the tissue stores and uses, to {gap:.0e} of it."
    )
    with gallery("vessel-balance", title="Balance of vessels and tissue", text=text) as axes:
        seconds = np.arange(len(left)) * dt * 3600.0
        axes.plot(seconds, left, color="k", label="left the plasma")
        axes.stackplot(seconds, stored, spent, labels=("stored", "used"), alpha=0.6)
        axes.set(xlabel="time (s)", ylabel="oxygen (mmHg pL)")
        axes.legend(loc="upper left")
    assert gap < 1e-8


def test_flow_in_a_small_network_is_that_of_the_hand_solution(gallery):
    """A bridge of five vessels, solved by hand from Kirchhoff's law with conductances 2, 1, 1, 2 and 1."""
    # Node 0 at 30 mmHg, node 3 at 10 mmHg; nodes 1 and 2 inside. Conductance goes with r^4, so a radius of 2^(1/4) doubles it.
    # With u = p1 - 10, v = p2 - 10: 2(20 - u) = 1u + (u - v), 1(20 - v) = 2v - (u - v), so 4u - v = 40, 4v - u = 20: u = 12,
    # v = 8.
    position = np.array([[0.0, 100.0, 100.0, 200.0], [0.0, 80.0, -80.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    ends = np.array([[0, 0, 1, 2, 1], [1, 2, 3, 3, 2]])
    lengths = np.linalg.norm(position[:, ends[1]] - position[:, ends[0]], axis=0)
    share = np.array([2.0, 1.0, 1.0, 2.0, 1.0])
    network = VesselNetwork.of(position, ends, (share * lengths) ** 0.25, pressure={0: 30.0, 3: 10.0})
    solved = with_flow(network, VISCOSITY)
    unit = math.pi / (8.0 * VISCOSITY * 1e-3) * 133.322387415 * 3600.0 / 1000.0  # pL/h for every mmHg and um3
    by_hand = unit * np.array([2.0 * 8.0, 1.0 * 12.0, 1.0 * 12.0, 2.0 * 8.0, 1.0 * 4.0])
    row = {frozenset(map(tuple, (solved.a[:, s], solved.b[:, s]))): s for s in range(5)}
    flows = np.array([solved.flow[row[frozenset(map(tuple, (position[:, i], position[:, j])))]] for i, j in ends.T])
    trees = [with_flow(tree_bed((1000.0, 1000.0, 1000.0), n, RADIUS), VISCOSITY) for n in (2, 4, 6)]
    leaks = [_leak(tree) for tree in trees]
    evenness = [_spread_of_capillaries(tree) for tree in trees]
    text = (
        f"Poiseuille flow in a bridge of five vessels equals the solution by hand to "
        f"{np.abs(flows / by_hand - 1.0).max():.0e}; in trees of up to {trees[-1].segment_ids.size} vessels no node gains "
        f"or loses more than {max(leaks):.0e} of the flow, and capillaries of equal paths carry equal flow "
        f"to {max(evenness):.0e}."
    )
    with gallery("vessel-flow", title="Blood flow in networks of vessels", text=text, panels=2) as axes:
        axes[0].bar(np.arange(5) - 0.2, by_hand / 1e3, 0.4, label="by hand")
        axes[0].bar(np.arange(5) + 0.2, flows / 1e3, 0.4, label="solved")
        axes[0].set(xlabel="vessel of the bridge", ylabel="flow (nL/h)", ylim=(0.0, 1.25 * by_hand.max() / 1e3))
        axes[0].legend(ncols=2)
        _draw(axes[1], with_flow(tree_bed((1000.0, 1000.0, 20.0), 4, RADIUS, flat=True), VISCOSITY), by_flow=True)
    np.testing.assert_allclose(flows, by_hand, rtol=1e-10)
    assert max(leaks) < 1e-9
    assert max(evenness) < 1e-9


def _leak(network):
    """Largest gain of a node without given pressure, relative to the largest flow."""
    gain = np.zeros(network.node_ids.size)
    np.add.at(gain, network.ends[1], network.flow)
    np.subtract.at(gain, network.ends[0], network.flow)
    return float(np.abs(gain[np.isnan(network.pressure)]).max() / np.abs(network.flow).max())


def _spread_of_capillaries(network):
    thin = network.flow[network.radius < 1.01 * RADIUS]
    return float(np.ptp(np.abs(thin)) / np.abs(thin).max())


def numbers_of_sprouting():
    parts = {name: value for name, value, _ in Angiogenesis().numbers}
    units = {name: unit for name, _, unit in Angiogenesis().numbers}
    return Sprouting(**{n: TABLE[parts[n].key].inside(units[n]) for n in parts if n != "uptake"})


def test_a_network_grows_towards_vegf_joins_and_loses_what_has_no_flow(gallery):
    """Two vessels of different pressure beside a source of VEGF; once that is blocked, nothing without flow stays."""
    p = numbers_of_sprouting()
    grid = Grid((600.0, 600.0, 20.0), 20.0)
    y = np.linspace(0.0, 600.0, 31)
    here = np.arange(31)
    parents = VesselNetwork.of(
        np.concatenate([np.stack([np.full(31, x), y, np.full(31, 10.0)]) for x in (40.0, 560.0)], axis=1),
        np.concatenate([np.stack([first + here[:-1], first + here[1:]]) for first in (0, 31)], axis=1),
        RADIUS,
        pressure={0: 32.0, 30: 28.0, 31: 20.0, 61: 15.0},
    )
    made = np.zeros(grid.shape)
    made[0, 12:18, 12:18] = 20.0
    nothing = np.zeros(grid.shape)
    vegf = advance_diffusing([Diffusing("VEGF", nothing, 97560.0, made, 0.6916)], grid, 1e4)[0]
    network, dt, course, shown = with_flow(parents, p.viscosity), 0.5, [], {}
    blocked_at, until = 60.0, 150.0
    for tick in range(round(until / dt)):
        sense = guidance_from(vegf if tick * dt < blocked_at else nothing, grid)
        network = grow(network, sense, grid, dt, np.uint64(11), tick + 1, p)
        time = (tick + 1) * dt
        running = float(network.lengths[network.perfused].sum())
        course.append((time, running, float(network.lengths.sum()) - running, _leak(network)))
        if time in (24.0, blocked_at, until):
            shown[time] = network
    time, running, idle, leaks = np.array(course).T
    before, at_end = shown[blocked_at], shown[until]
    loops = {h: _loops(n) for h, n in shown.items()}
    centre = np.array([300.0, 300.0])
    nearest = float(np.linalg.norm(before.position[:2] - centre[:, None], axis=0).min())
    text = (
        f"Sprouts from two vessels reach the source within {blocked_at:.0f} h (nearest vessel {nearest:.0f} um from its "
        f"centre, 260 um before), join into {loops[blocked_at]} loops and carry blood; when VEGF is blocked, the "
        f"{idle[time == blocked_at][0]:.0f} um without flow are gone after {p.patience:.0f} h and "
        f"{running[-1]:.0f} um with flow stay."
    )
    with gallery("sprouting", title="A network that grows, joins and regresses", text=text, panels=3) as axes:
        for axis, (hour, drawn) in zip(axes[:2], list(shown.items())[:2], strict=True):
            axis.imshow(vegf[0], extent=(0, 600, 0, 600), origin="lower", cmap="Oranges", alpha=0.5)
            _draw(axis, drawn)
            axis.set_title(f"{hour:.0f} h", fontsize=10)
        axes[2].stackplot(time, running, idle, labels=("with flow", "without"), colors=("crimson", "0.7"))
        axes[2].axvline(blocked_at, color="k", ls=":", lw=1)
        axes[2].set(xlabel="time (h)", ylabel="length of vessels (um)")
        axes[2].legend(loc="upper left")
    assert nearest < 60.0
    assert loops[blocked_at] > loops[24.0]
    assert idle[time == blocked_at][0] > 0.0
    assert at_end.perfused.all()
    assert not at_end.tip.any()
    assert leaks.max() < 1e-9
    # Where flow reaches is where blood runs in and out: no perfused vessel ends blindly.
    blind = np.isnan(at_end.pressure) & (at_end.degree == 1)
    assert not blind.any()


def test_sprouts_converge_as_the_tick_shrinks():
    """The length laid agrees between ticks of 0.5, 0.1 and 0.02 h, within the noise of twelve streams."""
    p = replace(numbers_of_sprouting(), capture=0.0, spacing=0.0, rate=5e-4)
    grid = Grid((400.0, 400.0, 400.0), 20.0)
    y = np.linspace(0.0, 400.0, 21)
    parent = VesselNetwork.of(
        np.stack([np.full(21, 40.0), y, np.full(21, 200.0)]),
        np.stack([np.arange(20), np.arange(1, 21)]),
        RADIUS,
        pressure={0: 30.0, 20: 20.0},
    )
    vegf = np.broadcast_to(np.linspace(0.1, 0.4, 20), grid.shape).copy()
    sense = guidance_from(vegf, grid)
    lengths = {}
    for dt in (0.5, 0.1, 0.02):
        grown = []
        for stream in range(12):
            network = with_flow(parent, p.viscosity)
            for tick in range(round(10.0 / dt)):
                network = grow(network, sense, grid, dt, np.uint64(stream), tick + 1, p)
            grown.append(float(network.lengths.sum()) - 400.0)
        lengths[dt] = np.array(grown)
    spread = max(values.std() for values in lengths.values()) / math.sqrt(12.0)
    means = [values.mean() for values in lengths.values()]
    assert means[0] > 10.0
    # Difference of two means, four standard errors.
    assert max(means) - min(means) < 4.0 * math.sqrt(2.0) * spread


def _loops(network):
    """Independent loops of a network: segments - nodes + separate parts."""
    n = network.node_ids.size
    links = coo_array((np.ones(network.segment_ids.size), tuple(network.ends)), shape=(n, n))
    return network.segment_ids.size - n + connected_components(links, directed=False)[0]


def _draw(axis, network, by_flow=False):
    """Segments in the plane; blood in red, by its flow if asked for."""
    most = float(np.abs(network.flow).max()) or 1.0
    for a, b, flow, runs, radius in zip(
        network.a.T, network.b.T, network.flow, network.perfused, network.radius, strict=True
    ):
        shade = 0.25 + 0.75 * abs(flow) / most if by_flow else 1.0
        axis.plot(
            [a[0], b[0]],
            [a[1], b[1]],
            color="crimson" if runs else "0.45",
            alpha=shade,
            lw=radius / 4.0 if by_flow else 1.0,
        )
    tips = network.position[:2, network.tip]
    axis.plot(tips[0], tips[1], "k.", ms=5)
    axis.set(xlabel="x (um)", ylabel="y (um)", aspect="equal")
