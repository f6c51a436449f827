"""Contacts, relaxation and its scheme, beside closed forms, independent solvers and PhysiCell's trajectories."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from paget.kernels.contacts import Linear, Quadratic, contacts, relax

MINUTE = 1.0 / 60.0
RADIUS = (3.0 * 2494.0 / (4.0 * np.pi)) ** (1.0 / 3.0)  # of PhysiCell's reference cell, um
REPULSION, ADHESION, REACH = 600.0, 24.0, 1.25  # 10 and 0.4 um/min, and the range in radii
BALANCE = 0.8 / 0.84  # equilibrium distance over the summed radii: (1 - x) = 0.2 (1 - 0.8 x)
SIZE = np.full(3, 1000.0)
LINEAR = Linear(10.0, 0.4, 1.25)


def soft(n: int, adhesion: float = ADHESION) -> Quadratic:
    return Quadratic(np.full(n, REPULSION), np.full(n, adhesion), np.full(n, REACH))


def follow(start, times, law, radius, **options):
    """Positions [times, 3, n] of cells that start at [3, n]; the tissue is 1 mm wide and the start is moved to "
    "its middle."""
    position = np.array(start, float) + 500.0
    ids, path, before = np.arange(radius.size, dtype=np.uint64), [np.array(start, float)], 0.0
    for time in times[1:]:
        relax(position, ids, radius, SIZE, time - before, law, **options)
        path.append(position - 500.0)
        before = time
    return np.array(path)


def on_a_line(law, radius):
    """Right-hand side of the ODE of cells on a line, written anew."""

    def slopes(_, x):
        rate = np.zeros_like(x)
        for i in range(x.size):
            for j in range(x.size):
                if i == j:
                    continue
                d, contact = abs(x[i] - x[j]), radius[i] + radius[j]
                if isinstance(law, Linear):
                    k, a, reach = law
                    if d < contact:
                        push = k * (contact - d)
                    else:
                        r = d / contact
                        push = -a * k * contact * (r - 1.0) * (reach - r) / (reach - 1.0) if r < reach else 0.0
                else:
                    push = REPULSION * (1.0 - d / contact) ** 2 if d < contact else 0.0
                    limit = REACH * contact
                    push -= law.adhesion[i] * (1.0 - d / limit) ** 2 if d < limit else 0.0
                rate[i] += push * np.sign(x[i] - x[j])
        return rate

    return slopes


def line(x):
    return np.stack([np.asarray(x, float), np.zeros(len(x)), np.zeros(len(x))])


@pytest.mark.parametrize(("name", "law"), [("linear", LINEAR), ("quadratic", soft(2))])
def test_two_cells_follow_their_ordinary_differential_equation(gallery, name, law):
    radius, times = np.full(2, RADIUS), np.linspace(0.0, 1.0, 41)
    worst = 0.0
    with gallery(
        f"two-cells-{name}",
        title=f"Two cells, {name} law",
        text=lambda: (
            f"Distance of two cells that start 6, 12 and 20 um apart (lines), beside their differential "
            f"equation solved "
            f"to 1e-11 (dots); the largest difference is {worst:.1e} um."
        ),
    ) as axes:
        for gap in (6.0, 12.0, 20.0):
            exact = solve_ivp(
                on_a_line(law, radius), (0, 1), [0, gap], t_eval=times, rtol=1e-11, atol=1e-12, max_step=0.01
            )
            path = follow(line([0, gap]), times, law, radius, order=2, caution=0.002, stride=0.01)
            distance = path[:, 0, 1] - path[:, 0, 0]
            worst = max(worst, float(np.abs(path[:, 0] - exact.y.T).max()))
            axes.plot(times, distance, label=f"from {gap:g} um")
            axes.plot(times[::4], (exact.y[1] - exact.y[0])[::4], "k.")
        axes.plot([], [], "k.", label="differential equation")
        axes.set(xlabel="time (h)", ylabel="distance (um)")
        axes.legend()
    # Second order in steps of 0.2 % of the fastest time constant and 0.01 um; the kinks of the laws cost some of it.
    assert worst < 1e-4
    if name == "quadratic":
        settled = follow(line([0, 15.0]), [0.0, 20.0], law, radius)[-1]
        assert np.isclose((settled[0, 1] - settled[0, 0]) / (2 * RADIUS), BALANCE, atol=1e-8)


def cluster(n=400, seed=1):
    rng = np.random.default_rng(seed)
    return rng.normal(0.0, 18.0, (3, n)), rng.uniform(6.0, 9.0, n)


@pytest.mark.parametrize("law", [LINEAR, soft(400)], ids=["linear", "quadratic"])
def test_contacts_exert_no_net_force(law):
    start, radius = cluster()
    position = start + 500.0
    found = relax(position, np.arange(400, dtype=np.uint64), radius, SIZE, 1e-6, law, step=1e-6)
    # 400 sums of about 100 terms each round to some 1e-16 of the speeds, hundreds of um/h.
    assert np.abs(found.velocity.sum(axis=1)).max() < 1e-12 * np.abs(found.velocity).sum()
    relax(position, np.arange(400, dtype=np.uint64), radius, SIZE, 0.5, law)
    assert np.abs((position - 500.0 - start).mean(axis=1)).max() < 1e-10


def test_the_schemes_converge_with_their_orders(gallery):
    start, radius = cluster(60)
    law, relaxed = soft(60), np.array(start)
    relaxed = follow(start, [0.0, 0.1], law, radius)[
        -1
    ]  # out of the deepest overlaps, where steps are bounded by moves
    exact = follow(relaxed, [0.0, 0.2], law, radius, order=2, caution=0.001)[-1]
    steps = np.array([0.4, 0.2, 0.1, 0.05, 0.025])
    errors = {
        order: np.array(
            [np.abs(follow(relaxed, [0.0, 0.2], law, radius, order=order, caution=s)[-1] - exact).max() for s in steps]
        )
        for order in (1, 2)
    }
    slopes = {order: np.polyfit(np.log(steps), np.log(e), 1)[0] for order, e in errors.items()}
    with gallery(
        "order-of-relaxation",
        title="Order of the relaxation",
        text=f"Largest error of a position after 12 minutes of a cluster of 60 cells, against the length of "
        f"sub-steps in units of "
        f"the inverse stiffness. Fitted orders: Euler {slopes[1]:.2f}, Adams and Bashforth {slopes[2]:.2f}. The "
        f"default, "
        f"0.4 with the second order, is off by {errors[2][0]:.1e} um.",
    ) as axes:
        axes.loglog(steps, errors[1], "o-", label="Euler")
        axes.loglog(steps, errors[2], "s-", label="Adams-Bashforth 2")
        axes.set(xlabel="sub-step x stiffness", ylabel="largest error (um)")
        axes.legend()
    assert 0.9 < slopes[1] < 1.15
    # Contacts that close or open within a step lower the second order a little.
    assert 1.6 < slopes[2] < 2.3
    assert errors[2][0] < 0.02


def test_cell_types_stick_by_the_mean_of_their_affinities(gallery):
    shares = np.linspace(0.0, 1.0, 6)
    radius, ids, found = np.full(2, RADIUS), np.arange(2, dtype=np.uint64), []
    for share in shares:
        law = soft(2)._replace(types=np.array([0, 1]), affinity=np.array([[1.0, share], [1.0, 1.0]]))
        position = line([0, 16.0]) + 500.0
        relax(position, ids, radius, SIZE, 50.0, law)
        found.append((position[0, 1] - position[0, 0]) / (2 * RADIUS))
    root = np.sqrt(np.sqrt(shares) * ADHESION / REPULSION)  # 1 - x = root (1 - x / reach)
    exact = (1.0 - root) / (1.0 - root / REACH)
    with gallery(
        "affinity",
        title="Adhesion by type",
        text="Distance at which two cells of different types settle, over their summed radii, as one of their "
        "two affinities grows "
        "from 0 to 1 (dots), beside the balance of repulsion and the geometric mean of the affinities (line).",
    ) as axes:
        axes.plot(shares, exact, label="closed form")
        axes.plot(shares, found, "ko", label="paget")
        axes.set(xlabel="affinity", ylabel="distance / summed radii")
        axes.legend()
    # Without adhesion cells part as 1 / t: after 50 h the last 1e-4 of the way is left.
    assert np.allclose(found[1:], exact[1:], atol=1e-6)
    assert np.isclose(found[0], 1.0, atol=1e-3)


@pytest.mark.parametrize("n", [11, 21])
def test_overlapping_cells_in_a_row_spread_to_their_spacing(gallery, n):
    """The OpenVT case: a row of cells, each half over the next, relaxes to the equilibrium spacing."""
    radius, law, times = np.full(n, RADIUS), soft(n), np.linspace(0.0, 0.1 * n * n, 61)
    start = (np.arange(n) - (n - 1) / 2.0) * RADIUS
    path = follow(line(start), times, law, radius)[:, 0]
    exact = solve_ivp(
        on_a_line(law, radius), (0, times[-1]), start, t_eval=times, rtol=1e-9, atol=1e-9, method="LSODA"
    ).y.T
    width = (path[:, -1] - path[:, 0]) / (2.0 * RADIUS)
    worst = np.abs(path - exact).max()
    # Adhesion reaches 1.25 contacts and the second neighbour is at 1.9, so that the balance of two cells is that of the row.
    with gallery(
        f"row-of-{n}-cells",
        title=f"A row of {n} overlapping cells",
        text=f"Width of a row of {n} cells that start half a diameter apart, in diameters, beside an "
        f"independent solution of its "
        f"differential equations (dots) and the spacing {BALANCE:.5f} at rest (dashes). Largest difference of a "
        f"cell: {worst:.1e} um.",
    ) as axes:
        axes.plot(times, width, label="paget")
        axes.plot(
            times[::5], ((exact[:, -1] - exact[:, 0]) / (2.0 * RADIUS))[::5], "k.", label="differential equations"
        )
        axes.axhline((n - 1) * BALANCE, ls="--", c="grey", label="equilibrium")
        axes.set(xlabel="time (h)", ylabel="width (diameters)")
        axes.legend()
    assert worst < 0.02  # the default sub-steps, from a start in which every cell overlaps by half
    assert (np.diff(width) > -1e-9).all()
    # The slowest mode of a row decays within some n^2 / 50 h.
    assert abs(width[-1] / ((n - 1) * BALANCE) - 1.0) < 0.005
    assert np.abs(path.sum(axis=1)).max() < 1e-9


def test_an_impulse_carries_a_cell_as_far_as_its_friction_lets_it(gallery):
    """The PerMedCoE case: friction 0.1 and an impulse of 10 um/min.

    We take it as overdamped motion with velocity = force / friction. A force that would move a cell of friction 1 at 10 um/min
    moves one of friction 0.1 at 100 um/min, by 100 um in the minute that it acts, and nothing moves afterwards.
    """
    friction, force, until = 0.1, 10.0 / MINUTE, 1.0 * MINUTE
    times = np.linspace(0.0, 2.0, 21) * MINUTE
    position, path = np.full((3, 1), 500.0), [500.0]
    for a, b in pairwise(times):
        drift = np.zeros((3, 1))
        drift[0] = force / friction if b <= until + 1e-12 else 0.0
        relax(position, np.zeros(1, np.uint64), np.full(1, RADIUS), SIZE, b - a, soft(1), drift=drift)
        path.append(position[0, 0])
    exact = 500.0 + force / friction * np.minimum(times, until)
    with gallery(
        "impulse",
        title="An impulse against friction",
        text="A cell of friction 0.1 under a force of 10 um/min for one minute (line), taken as overdamped "
        "motion with the velocity "
        "force / friction, beside the closed form (dots): it moves 100 um and stops. Inertia plays no part.",
    ) as axes:
        axes.plot(times / MINUTE, np.array(path) - 500.0, label="paget")
        axes.plot(times / MINUTE, exact - 500.0, "k.", label="closed form")
        axes.set(xlabel="time (min)", ylabel="way of the cell (um)")
        axes.legend()
    assert np.allclose(path, exact, atol=1e-9)


def test_two_cells_pushed_together_from_30_um_stop_where_contact_balances_the_push(gallery):
    """The PerMedCoE case: each of two cells 30 um apart is driven towards the other at 1 um/min."""
    speed, radius, times = 1.0 / MINUTE, np.full(2, RADIUS), np.linspace(0.0, 1.0, 61)
    drift = np.zeros((3, 2))
    drift[0] = speed, -speed
    law = soft(2)
    driven = on_a_line(law, radius)
    exact = solve_ivp(
        lambda t, x: driven(t, x) + drift[0], (0, 1), [0, 30], t_eval=times, rtol=1e-10, atol=1e-10, max_step=0.005
    )
    path = follow(line([0, 30]), times, law, radius, drift=drift)
    fine = follow(line([0, 30]), times, law, radius, drift=drift, stride=0.05, caution=0.02)
    other = exact.y[1] - exact.y[0]
    distance = path[:, 0, 1] - path[:, 0, 0]
    late, finer = (np.abs(p[:, 0, 1] - p[:, 0, 0] - other).max() for p in (path, fine))
    x = np.roots([10.0 - 0.4 * 0.64, -20.0 + 0.8 * 0.8, 10.0 - 0.4 - 1.0])
    rest = 2 * RADIUS * float(x[(x > 0) & (x < 1)][0].real)
    with gallery(
        "pushed-together",
        title="Two cells pushed together",
        text=f"Distance of two cells driven towards each other from 30 um at 1 um/min each (line), beside their "
        f"differential equation "
        f"(dots): they meet and stop {rest:.3f} um apart, where repulsion less adhesion is 1 um/min (dashes). "
        f"While they meet, sub-steps of up to 1 um "
        f"are off by up to {late:.2f} um, those of 0.05 um by {finer:.1e} um; both come to rest at the same place.",
    ) as axes:
        axes.plot(times * 60, distance, label="paget")
        axes.plot(times[::3] * 60, other[::3], "k.", label="differential equation")
        axes.axhline(rest, ls="--", c="grey", label="balance of forces")
        axes.set(xlabel="time (min)", ylabel="distance (um)")
        axes.legend()
    assert late < 0.6  # cells that meet at 2 um per sub-step notice each other up to one sub-step late
    assert finer < 0.01
    assert np.isclose(distance[-1], rest, atol=1e-3)


# ---- PhysiCell ----------------------------------------------------------------------------------------------------
def physicell(start, radius, steps, *, pruned):
    """Its mechanics step by step: x += dt (1.5 v - 0.5 v_before) with dt = 0.1 min, and its search of "
    "neighbours if `pruned`.

    It looks for neighbours in voxels of 30 um, and passes over a neighbouring voxel whose shared face, edge or corner is
    farther than the cell's own range plus the largest range ever recorded in that voxel. Ranges are recorded when cells are
    placed and every 6 min with their volume, not when they walk into a voxel: until then some are overlooked by others.
    """
    x, before, reach, largest, steps_ = start.copy(), np.zeros_like(start), REACH * radius, {}, []
    for step in range(steps):
        voxel = np.floor((x + 500.0) / 30.0).astype(int)
        if step % 60 == 0:
            for v, own in zip(map(tuple, voxel.T), reach, strict=True):
                largest[v] = max(largest.get(v, 0.0), own)
        difference = x[:, :, None] - x[:, None, :]
        distance = np.sqrt((difference**2).sum(axis=0))
        np.fill_diagonal(distance, np.inf)
        offset = voxel[:, None, :] - voxel[:, :, None]
        low = voxel * 30.0 - 500.0
        above, below = (low + 30.0 - x)[:, :, None], (x - low)[:, :, None]
        gap = np.sqrt((np.where(offset == 0, 0.0, np.where(offset > 0, above, below)) ** 2).sum(axis=0))
        recorded = np.array([largest.get(v, 0.0) for v in map(tuple, voxel.T)])
        seen = (np.abs(offset) <= 1).all(axis=0) & ((offset == 0).all(axis=0) | (gap <= reach[:, None] + recorded))
        seen = seen if pruned else np.ones_like(seen)
        overlap = np.maximum(1.0 - distance / (radius[:, None] + radius), 0.0) * seen
        limit = reach[:, None] + reach
        inside = np.maximum(1.0 - distance / limit, 0.0) * seen
        velocity = ((10.0 * overlap**2 - 0.4 * inside**2) / distance * difference).sum(axis=2)
        x = x + 0.1 * (1.5 * velocity - 0.5 * before)
        before = velocity
        pressure = (overlap**2).sum(axis=1) / 0.027288820670331
        # Who now and at the last step differs by the search from who is in reach: the cells that the quirk touches.
        missed = ((distance < limit) & ~seen).any(axis=1)
        steps_.append(
            SimpleNamespace(x=x, pressure=pressure, count=((distance < limit) & seen).sum(axis=1), missed=missed)
        )
    return steps_


def ours(start, radius, steps):
    """The engine in PhysiCell's equal sub-steps; positions, and pressures and contacts before the last of "
    "them, as it has them."""
    n, position, velocity, found = radius.size, start + 500.0, None, []
    ids, law = np.arange(n, dtype=np.uint64), soft(n)
    for _ in range(steps):
        still = relax(position.copy(), ids, radius, SIZE, 0.0, law)
        start_, _ = contacts(position, ids, REACH * radius, SIZE)
        velocity = relax(position, ids, radius, SIZE, 0.1 * MINUTE, law, step=0.1 * MINUTE, velocity=velocity).velocity
        found.append(SimpleNamespace(x=position - 500.0, pressure=still.pressure, count=np.diff(start_)))
    return found


def table(path):
    return np.genfromtxt(path, delimiter=",", names=True)


@pytest.mark.parametrize("gap", [6, 12, 18, 20])
def test_two_cells_follow_physicell(gallery, reference, gap):
    rows = table(reference / "physicell" / f"two_cells_d{gap}.csv")
    theirs = np.stack([rows["x0"], rows["x1"]], axis=1)[1:]
    radius = np.full(2, RADIUS)
    mine = np.array([s.x[0] for s in ours(line([0, gap]), radius, len(theirs))])
    quirk = physicell(line([0, gap]), radius, len(theirs), pruned=True)
    pruned = np.array([s.x[0] for s in quirk])
    # Until the search overlooks a cell for the first time the two must agree; afterwards only the twin with its search.
    until = next((k for k, s in enumerate(quirk) if s.missed.any()), len(theirs))
    worst, known, apart = (
        np.abs(mine - theirs)[:until].max(),
        np.abs(pruned - theirs).max(),
        np.abs(mine - theirs).max(),
    )
    with gallery(
        f"physicell-two-cells-{gap}",
        title=f"PhysiCell: two cells {gap} um apart",
        text=f"Distance of two cells in PhysiCell 1.14.2 (dots) and here with its sub-steps of 0.1 min (line) "
        f"over an hour; positions "
        f"agree to {worst:.0e} um "
        + (
            f"until its search for neighbours overlooks a cell that walked into an empty voxel ({until / 10:g} "
            f"min), and differ by "
            f"{apart:.2f} um after. A copy of its search explains that to {known:.0e} um."
            if until < len(theirs)
            else "throughout."
        ),
    ) as axes:
        minutes = rows["time_min"][1:]
        axes.plot(minutes, mine[:, 1] - mine[:, 0], label="paget")
        axes.plot(minutes[::20], (theirs[:, 1] - theirs[:, 0])[::20], "k.", ms=4, label="PhysiCell 1.14.2")
        axes.set(xlabel="time (min)", ylabel="distance (um)")
        axes.legend()
    assert worst < 1e-6
    assert known < 1e-6
    assert (until == len(theirs)) == (gap != 6)


def test_a_cluster_of_300_cells_follows_physicell(gallery, reference):
    folder = reference / "physicell"
    first = table(folder / "cluster_initial.csv")
    start, radius = np.stack([first[a] for a in "xyz"]), first["radius"]
    mine, quirk = ours(start, radius, 100), physicell(start, radius, 100, pruned=True)
    differences, overlooked = {}, np.cumsum([s.missed for s in quirk], axis=0) > 0
    for name, step in (("first_step", 1), ("t1min", 10), ("t10min", 100)):
        rows = table(folder / f"cluster_{name}.csv")
        theirs = np.stack([rows[a] for a in "xyz"])
        copy, here = quirk[step - 1], mine[step - 1]
        assert np.abs(copy.x - theirs).max() < 1e-6
        assert np.abs(copy.pressure - rows["pressure"]).max() < 1e-6
        assert (copy.count == rows["n_neighbors"]).all()
        differences[step] = (here, np.sqrt(((here.x - theirs) ** 2).sum(axis=0)), rows)
    here, apart, rows = differences[1]
    assert apart.max() < 1e-6
    assert np.abs(here.pressure - rows["pressure"]).max() < 1e-6
    assert (here.count == rows["n_neighbors"]).all()
    # Without its search we follow the same equations with every pair in them.
    plain = physicell(start, radius, 100, pruned=False)
    assert max(np.abs(a.x - b.x).max() for a, b in zip(mine, plain, strict=True)) < 1e-6
    minute = differences[10][1]
    touched = overlooked[9]
    with gallery(
        "physicell-cluster",
        title="PhysiCell: a cluster of 300 cells",
        panels=2,
        text=f"Cells of a random cluster after 1 and 10 min, PhysiCell 1.14.2 against us with its sub-steps of "
        f"0.1 min: they agree to "
        f"{differences[1][1].max():.0e} um in the first sub-step. Then its search for neighbours overlooks "
        f"partners of "
        f"{touched.sum()} cells within a minute and of {overlooked[99].sum()} within ten; the median difference is "
        f"{np.median(minute):.0e} um after 1 min and {np.median(differences[100][1]):.0e} um after 10, the largest "
        f"{minute.max():.2f} and {differences[100][1].max():.2f} um. A copy of its search explains all of it to "
        f"1e-6 um.",
    ) as axes:
        for axis, step in zip(axes, (10, 100), strict=True):
            here, apart, rows = differences[step]
            missed = overlooked[step - 1]
            for which, colour, label in ((~missed, "C0", "found all partners"), (missed, "C3", "partners overlooked")):
                axis.scatter(np.flatnonzero(which), np.maximum(apart, 1e-11)[which], s=8, c=colour, label=label)
            axis.set(xlabel="cell", ylabel="difference (um)", yscale="log", title=f"after {step / 10:g} min")
        axes[1].legend(loc="lower right")
    # The difference starts at the cells whose partners were overlooked, and spreads by contact from there.
    assert minute[touched].max() == minute.max()
    assert (minute > 1e-6).sum() < 150
