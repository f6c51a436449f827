"""Fields against closed forms, manufactured solutions, independent solvers and PhysiCell."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.integrate import solve_ivp
from scipy.sparse.linalg import spsolve

from paget.engine.transport import Diffusing, Fixed, Held, Inflow, Saturable, advance
from paget.state import Grid

OXYGEN_DIFFUSION, OXYGEN_DECAY, OXYGEN_UPTAKE = 1e5 * 60.0, 0.1 * 60.0, 10.0 * 60.0  # um2/h, 1/h, 1/h
HELD = {
    "x-": Fixed(38.0, "voxels"),
    "x+": Fixed(38.0, "voxels"),
    "y-": Fixed(38.0, "voxels"),
    "y+": Fixed(38.0, "voxels"),
}


def _centres(grid):
    """x, y, z of voxel centres as arrays that broadcast to [nz, ny, nx]."""
    (nz, ny, nx), (dx, dy, dz) = grid.shape, grid.spacing
    x, y, z = (np.arange(nx) + 0.5) * dx, (np.arange(ny) + 0.5) * dy, (np.arange(nz) + 0.5) * dz
    return x[None, None, :], y[None, :, None], z[:, None, None]


def _operator(grid, diffusion, loss, held):
    """Sparse (A, coupling to held voxels) of ``loss - D lap`` with closed walls, assembled face by face, apart from paget."""
    shape, spacing = grid.shape, grid.spacing[::-1]
    index = np.arange(math.prod(shape)).reshape(shape)
    rows, columns = [], []
    values: list[float] = []
    for axis in range(3):
        a = index.take(range(shape[axis] - 1), axis).ravel()
        b = index.take(range(1, shape[axis]), axis).ravel()
        rate = diffusion / spacing[axis] ** 2
        for i, j, sign in ((a, a, 1.0), (b, b, 1.0), (a, b, -1.0), (b, a, -1.0)):
            rows.append(i)
            columns.append(j)
            values.append(np.full(i.size, sign * rate))
    matrix = sparse.csr_matrix(
        (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=(index.size, index.size)
    ) + sparse.diags(np.broadcast_to(loss, shape).ravel().astype(float))
    keep = np.flatnonzero(~held.ravel())
    return matrix[keep][:, keep].tocsc(), matrix[keep][:, np.flatnonzero(held.ravel())].tocsc(), keep


# ---- orders of convergence ----------------------------------------------------------------------------------------
SIDE = 400.0


def _manufactured(kind, n):
    """A steady problem with loss that varies in space and a known solution: (grid, field without values, solution)."""
    grid = Grid((SIDE, SIDE, SIDE), (SIDE / n, SIDE / n, SIDE / (n // 2)), (kind == "periodic",) * 3)
    x, y, z = _centres(grid)
    k, diffusion = math.pi / SIDE, 900.0
    faces = {}
    if kind == "closed":
        shape = np.cos(k * x) * np.cos(2 * k * y) * np.cos(k * z)
        square = 6 * k**2
    elif kind == "walls":
        shape = np.sin(k * x) * np.sin(2 * k * y) * np.sin(k * z)
        square = 6 * k**2
        faces = {face: Fixed(2.0) for face in ("x-", "x+", "y-", "y+", "z-", "z+")}
    elif kind == "periodic":
        shape = np.sin(2 * k * x) * np.cos(2 * k * y) * np.sin(2 * k * z)
        square = 12 * k**2
    else:
        # A flux through the lower x face, a concentration at the upper one.
        shape = np.sin(k * x / 2.0 + math.pi / 2.0) * np.cos(k * y) * np.cos(k * z) + (SIDE - x) / SIDE
        faces = {"x-": Inflow(diffusion / SIDE), "x+": Fixed(2.0)}
        square = None
    c = 2.0 + shape
    loss = 1.0 + 0.5 * np.cos(2 * k * x) * np.cos(2 * k * y) + 0.0 * z
    curved = square * shape if square else (k**2 / 4.0 + 2.0 * k**2) * (shape - (SIDE - x) / SIDE)
    source = diffusion * curved + loss * c
    return grid, Diffusing("field.c", np.zeros(grid.shape), diffusion, source, loss, faces=faces), c


def test_errors_in_space_fall_with_the_square_of_the_voxel_at_every_kind_of_boundary(gallery):
    sizes = (8, 16, 32)
    orders = {}
    with gallery(
        "fields-space",
        title="Order of convergence in space",
        text=lambda: (
            "Manufactured steady solutions with a loss that varies in space, on voxels twice as long along z; the largest "
            "error falls as the square of the voxel: "
            + ", ".join(f"{kind} {order:.2f}" for kind, order in orders.items())
            + "."
        ),
    ) as axes:
        for kind in ("closed", "walls", "periodic", "flux"):
            errors = []
            for n in sizes:
                grid, field, exact = _manufactured(kind, n)
                errors.append(np.abs(advance(field, grid, 1e4, method="steady").values - exact).max())
            orders[kind] = math.log2(errors[1] / errors[2])
            axes.loglog([SIDE / n for n in sizes], errors, "o-", label=kind)
            # Second order up to what the next term of the error adds at 32 voxels.
            assert orders[kind] > 1.85, (kind, errors)
        axes.set(xlabel="voxel (um)", ylabel="largest error")
        axes.legend()


def test_errors_in_time_are_of_first_order_for_backward_euler_and_second_for_two_stages(gallery):
    grid = Grid((SIDE, SIDE, 20.0), 20.0)
    x, y, _ = _centres(grid)
    # A mode of the discrete operator under a loss of 0.8 / h, made to grow and wane by the method's own rate.
    mode = np.cos(math.pi * x / SIDE) * np.cos(2 * math.pi * y / SIDE)
    rate = 900.0 * sum((2.0 / 20.0 * math.sin(math.pi * m / 40)) ** 2 for m in (1, 2)) + 0.8
    loss = np.full(grid.shape, 0.8)
    loss[0, 0, 0] *= 1.0 + 1e-12  # so that the exact path is not taken
    time, steps = 2.0, (4, 8, 16, 32)
    orders = {}
    with gallery(
        "fields-time",
        title="Order of convergence in time",
        text=lambda: (
            "Relaxation of one mode over 2 h in steps: the error of backward Euler falls with order "
            f"{orders['implicit']:.2f}, that of the two-stage transient method with order {orders['transient']:.2f}; uniform "
            "loss is advanced exactly whatever the tick."
        ),
    ) as axes:
        for method in ("implicit", "transient"):
            errors = []
            for n in steps:
                values = 2.0 + mode
                for _ in range(n):
                    field = Diffusing("field.c", values, 900.0, np.zeros(grid.shape), loss)
                    values = advance(field, grid, time / n, method=method).values
                exact = 2.0 * math.exp(-0.8 * time) + mode * math.exp(-rate * time)
                errors.append(np.abs(values - exact).max())
            orders[method] = math.log2(errors[-2] / errors[-1])
            axes.loglog([time / n for n in steps], errors, "o-", label=method)
        axes.set(xlabel="step (h)", ylabel="largest error")
        axes.legend()
        assert 0.9 < orders["implicit"] < 1.1
        # `transient` itself splits a step in two per relaxation time, which does not change its order.
        assert 1.8 < orders["transient"] < 2.2


# ---- Green's functions, mass and positivity -----------------------------------------------------------------------
@pytest.mark.parametrize("dimensions", [2, 3])
def test_a_point_spreads_as_the_green_function_of_diffusion_with_decay(gallery, dimensions):
    n, edge, diffusion, decay, time = 81, 6.0, 5000.0, 0.3, 0.4
    grid = Grid((n * edge, n * edge, edge if dimensions == 2 else n * edge), edge, (True, True, False))
    values = np.zeros(grid.shape)
    middle = tuple(m // 2 for m in grid.shape)
    values[middle] = 1.0
    found = advance(Diffusing("field.c", values, diffusion, np.zeros(grid.shape), decay), grid, time)
    r = np.arange(n // 2 + 1) * edge
    green = math.exp(-decay * time) * edge**dimensions / (4 * math.pi * diffusion * time) ** (dimensions / 2)
    green = green * np.exp(-(r**2) / (4 * diffusion * time))
    line = found.values[middle[0], middle[1], middle[2] :]
    near = r < 4 * math.sqrt(2 * diffusion * time) * 0.6
    worst = float(np.abs(line - green)[near].max() / green[0])
    mass = found.values.sum() / math.exp(-decay * time) - 1.0
    with gallery(
        f"fields-green-{dimensions}d",
        title=f"Green's function in {dimensions}-D",
        text=f"A point after 0.4 h of diffusion and decay beside the Gaussian; they differ by {worst:.1e} of its height, "
        f"as voxels of 6 um let expect, and the mass is that of the decay to {abs(mass):.0e}.",
    ) as axes:
        axes.plot(r, green, label="closed form")
        axes.plot(r, line, "o", ms=3, label="paget")
        axes.set(xlabel="distance (um)", ylabel="share of the material in a voxel")
        axes.legend()
    # What differences over a voxel leave of the fourth derivative at the top of a Gaussian: h^2 / (8 sigma^2) per dimension.
    assert worst < 1.2 * dimensions * edge**2 / (16.0 * diffusion * time)
    assert abs(mass) < 1e-12


def test_no_uptake_however_strong_makes_oxygen_negative_and_its_balance_closes(gallery):
    grid = Grid((600.0, 600.0, 20.0), 20.0)
    cells = np.zeros(grid.shape)
    cells[0, 10:20, 10:20] = 1.0
    field_of = {
        "first order": lambda s: {"loss": OXYGEN_DECAY + s * cells},
        "saturable": lambda s: {"loss": OXYGEN_DECAY, "saturable": (Saturable(s * cells, 1.0),)},
    }
    strengths = 10.0 ** np.arange(0, 13, 2)
    worst = 0.0
    with gallery(
        "fields-positivity",
        title="Positivity under extreme uptake",
        text=lambda: (
            "Least oxygen among cells against the strength of their uptake, up to 10¹² per h, for one implicit step of 6 min: "
            "it falls towards zero and never below. In a closed box, where uptake and supply are summed independently of what "
            f"is left, the three balance to {worst:.0e}."
        ),
    ) as axes:
        for name, build in field_of.items():
            least = []
            for strength in strengths:
                values, source = np.full(grid.shape, 38.0), np.full(grid.shape, 100.0)
                field = Diffusing("field.o2", values, OXYGEN_DIFFUSION, 0.0 * source, faces=HELD, **build(strength))
                least.append(advance(field, grid, 0.1, method="implicit").values.min())
                closed = Diffusing("field.o2", values, OXYGEN_DIFFUSION, source, **build(strength))
                found = advance(closed, grid, 0.1, method="implicit")
                least[-1] = min(least[-1], found.values.min())
                change = (found.values - values).sum() * grid.voxel_volume
                turnover = values.sum() * grid.voxel_volume + found.supplied
                worst = max(worst, abs(change - found.supplied + found.lost) / turnover)
            axes.loglog(strengths, np.maximum(least, 1e-12), "o-", label=name)
            assert min(least) >= 0.0
        axes.set(xlabel="uptake (1/h, mmHg/h)", ylabel="least oxygen (mmHg)")
        axes.legend()
    # Ten times the residual of the solves.
    assert worst < 1e-9


# ---- steady oxygen in a consuming sphere --------------------------------------------------------------------------
def _shell(n, radius, outside):
    """A cube around a sphere of `radius`, beyond which voxels are held at `outside`, and the distance from its centre."""
    side = 2.2 * radius
    grid = Grid((side,) * 3, side / n)
    x, y, z = (c - side / 2.0 for c in _centres(grid))
    r = np.sqrt(x**2 + y**2 + z**2)
    return grid, r


def test_oxygen_in_a_consuming_sphere_is_that_of_the_closed_forms(gallery):
    radius, outside, decay, demand = 200.0, 38.0, 240.0, 3000.0  # um, mmHg, 1/h, mmHg/h
    grid, r = _shell(66, radius, outside)
    scale = radius * math.sqrt(decay / OXYGEN_DIFFUSION)
    thiele = math.sqrt(decay / OXYGEN_DIFFUSION)
    with np.errstate(invalid="ignore"):
        first = outside * radius / r * np.sinh(thiele * r) / math.sinh(scale)
    zero = outside - demand / (6.0 * OXYGEN_DIFFUSION) * (radius**2 - r**2)
    # The closed forms hold beyond the surface too, so the shell of held voxels does not make a staircase of the sphere.
    beyond = r >= radius
    source = np.zeros(grid.shape)
    start = np.full(grid.shape, outside)
    found = {}
    found["first order"] = advance(
        Diffusing("field.o2", start, OXYGEN_DIFFUSION, source, decay, held=Held(beyond, first)),
        grid,
        10.0,
        method="steady",
    ).values
    # Uptake far above its half-saturation takes at its largest rate, whatever the oxygen.
    sink = Saturable(np.full(grid.shape, demand), 1e-4)
    found["zero order"] = advance(
        Diffusing("field.o2", start, OXYGEN_DIFFUSION, source, 0.0, held=Held(beyond, zero), saturable=(sink,)),
        grid,
        10.0,
        method="steady",
    ).values
    errors = {
        name: float(np.abs(found[name] / exact - 1.0)[~beyond].max())
        for name, exact in (("first order", first), ("zero order", zero))
    }
    with gallery(
        "fields-sphere",
        title="Steady oxygen in a consuming sphere",
        text="A sphere of 200 um whose tissue consumes in proportion to oxygen, or at a constant rate, in voxels of "
        f"{grid.spacing[0]:.1f} um; the largest relative errors are {errors['first order']:.1e} and "
        f"{errors['zero order']:.1e}.",
    ) as axes:
        middle = grid.shape[0] // 2
        line, where = r[middle, middle, middle:], slice(middle, None)
        for colour, (name, exact) in zip(("C0", "C1"), (("first order", first), ("zero order", zero)), strict=True):
            axes.plot(line, exact[middle, middle, where], color=colour, label=f"{name}, closed form")
            axes.plot(line, found[name][middle, middle, where], "o", ms=3, color=colour, label="paget")
        axes.set(xlabel="distance from the centre (um)", ylabel="oxygen (mmHg)", xlim=(0, radius))
        axes.legend()
    # Second order: (voxel / diffusion length)^2 / 12 is 1.4e-4; a parabola is met exactly, up to km over c.
    assert errors["first order"] < 2e-4
    assert errors["zero order"] < 1e-5


# ---- the PerMedCoE diffusion cases --------------------------------------------------------------------------------
def _permedcoe(voxels, sinks, walls=10.0):
    """20 um voxels, D 2000 um2/min, 10 uM at the walls, a sink of 20 uM/min in the voxels named."""
    grid = Grid((20.0 * voxels,) * 3, 20.0)
    largest = np.zeros(grid.shape)
    np.add.at(largest, sinks, 20.0 * 60.0)
    faces = {face: Fixed(walls) for face in ("x-", "x+", "y-", "y+", "z-", "z+")}
    # A constant rate down to where nothing is left: half-saturated at a ten-thousandth of the walls' concentration.
    return grid, Diffusing(
        "field.c",
        np.zeros(grid.shape),
        2000.0 * 60.0,
        np.zeros(grid.shape),
        0.0,
        faces=faces,
        saturable=(Saturable(largest, 1e-3),),
    )


def _independent(grid, field, times):
    """The discrete system integrated by scipy's BDF, walls as mirrored values."""
    matrix, _, _ = _operator(grid, field.diffusion, 0.0, np.zeros(grid.shape, bool))
    wall = np.zeros(grid.shape)
    for axis in range(3):
        for end in (0, -1):
            layer = [slice(None)] * 3
            layer[axis] = end
            wall[tuple(layer)] += 2.0 * field.diffusion / 400.0
    whole = (matrix + sparse.diags(wall.ravel())).tocsr()
    sink = field.saturable[0]

    def slope(_, c):
        return 10.0 * wall.ravel() - whole @ c - sink.vmax.ravel() * c / (sink.km + c)

    def jacobian(_, c):
        return -(whole + sparse.diags(sink.vmax.ravel() * sink.km / (sink.km + c) ** 2)).tocsc()

    run = solve_ivp(slope, (0.0, times[-1]), np.zeros(wall.size), "BDF", times, jac=jacobian, rtol=1e-7, atol=1e-9)
    return run.y.T.reshape(len(times), *grid.shape)


@pytest.mark.parametrize(("case", "voxels", "count"), [("one sink", 3, 1), ("1,000 sinks", 12, 1000)])
def test_the_diffusion_cases_of_permedcoe_agree_with_an_independent_integration(gallery, case, voxels, count):
    rng = np.random.default_rng(1)
    sinks = (np.array([1]),) * 3 if count == 1 else tuple(rng.integers(1, voxels - 1, (3, count)))
    grid, field = _permedcoe(voxels, sinks)
    times = np.linspace(0.0, 0.02, 41)[1:]
    exact = _independent(grid, field, times)
    middle = (voxels // 2,) * 3
    curve, values = [], field.values
    for before, now in zip(np.append(0.0, times), times, strict=False):
        step = Diffusing(
            field.name, values, field.diffusion, field.source, 0.0, faces=field.faces, saturable=field.saturable
        )
        values = advance(step, grid, now - before, method="transient", tolerance=1e-8).values
        curve.append(values)
    steady = advance(field, grid, 1.0, method="steady").values
    settled = _independent(grid, field, np.array([1.0]))[0]
    error = float(np.abs(np.array(curve) - exact)[4:].max() / 10.0)
    apart = float(np.abs(steady - settled).max() / 10.0)
    with gallery(
        f"fields-permedcoe-{count}",
        title=f"PerMedCoE diffusion, {case}",
        text=f"A box of {20 * voxels} um with 10 uM at its walls and {case} of 20 uM/min, from empty: the course differs from "
        f"an independent integration of the discrete system by {error:.1e} of the walls' concentration at most, the steady "
        f"state by {apart:.0e}. The middle settles at {steady[middle]:.3g} uM.",
    ) as axes:
        axes.plot(60 * times, exact[(slice(None), *middle)], label="independent (BDF)")
        axes.plot(60 * times, [c[middle] for c in curve], "o", ms=3, label="paget")
        axes.axhline(steady[middle], ls=":", color="grey", label="paget, steady")
        axes.set(xlabel="time (min)", ylabel="concentration in the middle (uM)")
        axes.legend()
    # 40 second-order steps from a jump at the walls, whose first ones are damped rather than resolved.
    assert error < 5e-3
    assert apart < 1e-6


# ---- oxygen beside PhysiCell --------------------------------------------------------------------------------------
def _physicell_tissue(reference):
    cells = pd.read_csv(reference / "physicell" / "oxygen_cells.csv")
    grid = Grid((1500.0, 1500.0, 20.0), 20.0)
    ix, iy = (((cells[axis].to_numpy() + 750.0) / 20.0).astype(int) for axis in "xy")
    loss = np.full(grid.shape, OXYGEN_DECAY)
    np.add.at(loss, (0, iy, ix), OXYGEN_UPTAKE * cells["total_volume"].to_numpy() / 8000.0)
    return grid, loss, (iy, ix)


def _exact_oxygen(grid, loss):
    held = np.zeros(grid.shape, bool)
    held[:, (0, -1)], held[:, :, (0, -1)] = True, True
    matrix, coupling, keep = _operator(grid, OXYGEN_DIFFUSION, loss, held)
    exact = np.full(grid.shape, 38.0)
    exact.flat[keep] = spsolve(matrix, -coupling @ np.full(coupling.shape[1], 38.0))
    return exact


def _oxygen(grid, loss, values=None, **options):
    values = np.full(grid.shape, 38.0) if values is None else values
    field = Diffusing("field.o2", values, OXYGEN_DIFFUSION, np.zeros(grid.shape), loss, faces=HELD)
    return advance(field, grid, options.pop("dt", 0.1), **options)


def test_oxygen_agrees_with_the_exact_steady_operator_which_physicell_approaches_with_its_step(reference, gallery):
    grid, loss, (iy, ix) = _physicell_tissue(reference)
    exact = _exact_oxygen(grid, loss)
    ours = _oxygen(grid, loss, method="steady").values
    theirs = {
        step: pd.read_csv(reference / "physicell" / f"oxygen_dt{step}_steady.csv")["oxygen_mmHg"]
        .to_numpy()
        .reshape(75, 75)
        for step in ("0.01", "0.001")
    }
    error = float(np.abs(ours / exact - 1.0).max())
    there = np.zeros((75, 75), bool)
    there[iy, ix] = True
    among = {step: np.abs(c / exact[0] - 1.0)[there] for step, c in theirs.items()}
    text = (
        "Oxygen of 1,039 cells in a disc: ours differs from an independently assembled and factorised steady operator by "
        f"{error:.0e}; PhysiCell 1.14.2 by {100 * among['0.01'].mean():.1f} % on average over the voxels of cells (largest "
        f"{100 * among['0.01'].max():.1f} %) with its step of 0.01 min and by {100 * among['0.001'].mean():.1f} % at 0.001 min."
    )
    with gallery("fields-physicell", title="Oxygen beside PhysiCell", text=text) as axes:
        x = (np.arange(75) + 0.5) * 20.0 - 750.0
        axes.plot(x, exact[0, 37], "k-", label="exact steady operator")
        axes.plot(x, ours[0, 37], "o", ms=3, label="paget")
        for step, c in theirs.items():
            axes.plot(x, c[37], "--", label=f"PhysiCell, {step} min")
        axes.set(xlabel="x (um)", ylabel="oxygen (mmHg)")
        axes.legend()
    assert error < 1e-4
    # What its splitting and overwritten walls cost, first-order in its step.
    assert 0.055 < among["0.01"].mean() < 0.07
    assert among["0.001"].mean() < 0.01


def test_oxygen_after_ticks_of_six_minutes_does_not_depend_on_how_they_are_cut(reference, gallery):
    grid, loss, (iy, ix) = _physicell_tissue(reference)
    exact = _exact_oxygen(grid, loss)
    errors = {}
    for ticks in (1, 2, 4, 8, 16):
        values = np.full(grid.shape, 38.0)
        for _ in range(ticks):
            values = _oxygen(grid, loss, values, dt=0.1 / ticks, tolerance=1e-8).values
        errors[6.0 / ticks] = float(np.abs(values / exact - 1.0)[0, iy, ix].max())
    chosen = _oxygen(grid, loss).method
    with gallery(
        "fields-tick",
        title="Oxygen and the length of the tick",
        text=f"Oxygen 6 min after the cells begin to consume, in ticks of 6 min (solved {chosen}) down to 22 s, against the "
        f"exact steady state: the largest difference over cells is {max(errors.values()):.1e}, and with the shortest ticks, "
        f"which follow the course, {list(errors.values())[-1]:.1e}.",
    ) as axes:
        axes.loglog(list(errors), np.maximum(list(errors.values()), 1e-12), "o-")
        axes.set(xlabel="tick (min)", ylabel="largest relative difference")
    assert max(errors.values()) < 1e-3
