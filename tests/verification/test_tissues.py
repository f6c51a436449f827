"""Whole tissues: growth beside the published simulator and beside experiments."""

import math

import numpy as np
import pandas as pd
import pytest
from splitting import split_steps

import paget as pg
from paget.catalogue.growth import SPACING, growing_ball, growing_disc
from paget.tissue import Apoptosis, CellDefinition, Cells, Tissue, close_packed_ball, mechanics
from paget.tissue.cycles import live

HOURS = np.arange(73)


def _curve(tissue, seed, hours=72, watch=None):
    """Living and all cells at every full hour."""
    simulation = tissue.simulation(seed=seed)
    rows = []
    for _ in range(hours + 1):
        death = simulation.world.cells.column("cell.death")
        rows.append((len(death), int((death == 0).sum()), int((death == 1).sum()), int((death >= 2).sum())))
        if len(rows) <= hours:
            simulation.run("1 h", watch=watch)
    return pd.DataFrame(rows, columns=["total", "live", "apoptotic", "necrotic"])


def _published(path):
    """A growth curve at full hours; the end is written twice, before and after the last step."""
    table = pd.read_csv(path)
    return table[table["time_min"] % 60 == 0].drop_duplicates("time_min").reset_index(drop=True)


@pytest.fixture(scope="module")
def physicell(reference):
    folder = reference / "physicell"
    start = pd.read_csv(folder / "growth2d_cells_initial.csv")
    return folder, start[["x", "y", "z"]].to_numpy()


def _split_oxygen(now):
    """Put in place of the tissue's oxygen what the splitting scheme of BioFVM makes of it at its step of 0.01 min."""
    cells, field = now.world.cells, now.world.fields["field.oxygen"][0]
    rate = np.where(cells.column("cell.death") == 0, 10.0, 1.0) * cells.column("cell.volume") / 8000.0
    left = np.ones(field.size)
    np.multiply.at(left, now.world.voxel_of_cells(), 1.0 / (1.0 + 0.01 * rate))
    # Oxygen settles within a minute; a hundred steps from the last tick's field are enough, and 600 change nothing.
    split_steps(field, left.reshape(field.shape), 100, 0.01, 1e5, 0.1, 20.0, 38.0)


def test_growth_of_a_disc_agrees_with_physicell_given_its_oxygen(gallery, physicell):
    folder, positions = physicell
    theirs = np.stack([_published(folder / f"growth2d_38mmHg_seed{s}.csv")["total"] for s in range(1, 5)])
    tissue = growing_disc(positions=positions)
    split = np.stack([_curve(tissue, seed, watch=_split_oxygen)["total"] for seed in range(1, 9)])
    exact = np.stack([_curve(tissue, seed)["total"] for seed in range(1, 5)])
    low, high, mean = theirs.min(axis=0), theirs.max(axis=0), split.mean(axis=0)
    share = float(((mean[1:] >= low[1:]) & (mean[1:] <= high[1:])).mean())
    error = math.hypot(theirs[:, -1].std(ddof=1) / 2.0, split[:, -1].std(ddof=1) / math.sqrt(8.0))
    with gallery(
        "growth-2d-physicell",
        title="Growth of a disc beside PhysiCell",
        text=f"A disc of 1,039 cells at 38 mmHg for 72 h. Given the oxygen that BioFVM's splitting makes at "
        "its step of 0.01 min, the "
        f"mean of eight runs of paget (purple) lies within the spread of four of PhysiCell 1.14.2 (grey) in "
        f"{100 * share:.0f} % of the "
        f"hours; at the end {mean[-1]:.0f} and {theirs[:, -1].mean():.0f} cells. With oxygen solved to its "
        "residual (red) more cells "
        f"divide, {exact[:, -1].mean():.0f} at the end: the splitting makes oxygen in the tumour 6 % too low, "
        "and near the threshold "
        f"of 5 mmHg that is a large part of what the cells have. Agreement, and a disagreement that is "
        "PhysiCell's error.",
    ) as axes:
        axes.fill_between(HOURS, low, high, color="0.85", label="PhysiCell, four seeds")
        axes.plot(HOURS, theirs.T, color="0.6", lw=0.7)
        axes.plot(HOURS, split.T, color="#6a4c93", lw=0.4)
        axes.plot(HOURS, mean, color="#6a4c93", lw=2, label="paget, given its oxygen")
        axes.plot(HOURS, exact.mean(axis=0), color="#c2185b", lw=2, label="paget, exact oxygen")
        axes.set(xlabel="time (h)", ylabel="cells")
        axes.legend(frameon=False)
    assert abs(mean[-1] - theirs[:, -1].mean()) < 3.0 * error
    assert share > 0.8
    assert exact[:, -1].mean() > mean[-1] + 3.0 * error


def test_growth_is_converged_in_the_tick(gallery):
    """Halving the tick twice moves the number of cells by less than chance does."""
    tissue = growing_disc("140 mmHg", uptake="20 /min")
    ends = {
        tick: np.array([_curve(tissue.changed(tick=tick), seed, 24)["total"].iloc[-1] for seed in range(1, 7)])
        for tick in ("12 min", "6 min", "3 min")
    }
    means = {tick: found.mean() for tick, found in ends.items()}
    error = ends["3 min"].std(ddof=1) * math.sqrt(2.0 / 6.0)
    with gallery(
        "growth-tick",
        title="Growth does not depend on the tick",
        text="Cells after 24 h of growth at 140 mmHg, six seeds each: "
        + ", ".join(f"{means[t]:.0f} at a tick of {t}" for t in ends)
        + f"; the standard error of a difference is {error:.0f}.",
    ) as axes:
        axes.boxplot(list(ends.values()), tick_labels=list(ends))
        axes.set(ylabel="cells after 24 h", xlabel="tick")
    assert abs(means["6 min"] - means["3 min"]) < 3.0 * error


def test_sub_steps_of_mechanics_are_converged(gallery, monkeypatch):
    """How far cells are from where tiny sub-steps put them after a tick, for the sub-step that tissues take and finer ones."""
    start = growing_disc("140 mmHg").simulation(seed=1).run("6 h")

    def after_a_tick(caution):
        monkeypatch.setattr(mechanics, "CAUTION", caution)
        return start.branch().run("6 min").cells.set_index("id")[["x", "y"]]

    monkeypatch.setattr(mechanics, "TOLERANCE", 0.0)
    exact = after_a_tick(0.005)
    cautions = np.array([0.8, 0.4, 0.2, 0.1, 0.05])
    errors = [np.sqrt(((after_a_tick(c) - exact) ** 2).sum(axis=1)).to_numpy() for c in cautions]
    largest, typical = (np.array([reduce(e) for e in errors]) for reduce in (np.max, np.mean))
    with gallery(
        "mechanics-sub-steps",
        title="Sub-steps of mechanics",
        text=f"{len(exact)} cells of a growing disc after a tick of 6 min, against sub-steps of 0.005 of the "
        "limit of stability. At the "
        f"sub-step that tissues take (0.8 of the limit) the mean error is {typical[0]:.4f} um and the largest "
        f"{largest[0]:.2f} um, that of "
        "two daughters which part; errors fall in proportion to the sub-step, and do not add up, because "
        "contacts relax.",
    ) as axes:
        axes.loglog(cautions, largest, "o-", color="#c2185b", label="largest")
        axes.loglog(cautions, typical, "s-", color="#6a4c93", label="mean")
        axes.loglog(cautions, typical[0] * cautions / cautions[0], ":", color="0.5", label="first order")
        axes.set(xlabel="sub-step over limit of stability", ylabel="error after 6 min (um)")
        axes.legend(frameon=False)
    assert typical[0] < 0.01
    assert largest[0] < 0.25
    # First order: an eighth of the sub-step leaves at most a quarter of the error.
    assert typical[3] < 0.25 * typical[0]


# ---- experiments and standard cases -----------------------------------------------------------------------------------
BRU = {336: 1140, 386: 1400, 408: 1590, 481: 2040, 506: 2250, 646: 3040}  # h -> um, Bru et al. 1998


def _free_cell(doubling_hours):
    """A cell that divides once in `doubling_hours` if nothing presses it, and the rule by which pressure stops it."""
    cell = CellDefinition(name="tumour cell", cycle=live(f"{math.log(2.0) / doubling_hours} 1/h"))
    return cell, (pg.Rule("tumour cell: pressure decreases cycle entry towards 0/h, half-max 1, hill 4"),)


def test_a_monolayer_first_grows_exponentially_then_at_its_rim(gallery):
    """The diameter of a colony from one cell beside the C6 colonies of Bru et al. 1998, doi:10.1103/PhysRevLett.81.4008."""
    cell, rules = _free_cell(18.0)
    size = 3200.0
    colony = Tissue(
        name="monolayer",
        size=(size, size, 20.0),
        origin=(-size / 2, -size / 2, -10.0),
        cells=(cell,),
        rules=rules,
        placed=Cells(np.zeros((1, 3))),
        tick="30 min",
    )
    simulation = colony.simulation(seed=2)
    times, diameters, counts = [], [], []
    for _ in range(54):
        simulation.run("12 h")
        x, y = simulation.world.cells.position[:2] - size / 2
        times.append(simulation.time)
        counts.append(len(x))
        diameters.append(2.0 * np.quantile(np.hypot(x, y), 0.98) + 16.8 if len(x) > 1 else 16.8)
    times, diameters = np.array(times), np.array(diameters)
    late = times > times[-1] - 150.0
    speed = np.polyfit(times[late], diameters[late], 1)[0]
    bent = np.polyfit(times[late], diameters[late], 2)
    measured = np.polyfit(list(BRU), list(BRU.values()), 1)[0]
    with gallery(
        "monolayer-bru",
        title="Diameter of a monolayer",
        text=f"A colony from one cell with a cycle of 18 h that pressure inhibits, {counts[-1]} cells after "
        f"{times[-1]:.0f} h. Once "
        f"pressed, it grows at its rim: {speed:.1f} um/h in diameter, against {measured:.1f} um/h of the "
        "colonies of Bru et al. 1998. "
        "The law (linear growth) agrees; the speed follows from the assumed cycle, inhibition and cell size, "
        "and was not fitted, so that "
        "the curves are apart.",
    ) as axes:
        axes.plot(times, diameters, color="#c2185b", label="paget")
        axes.plot(list(BRU), list(BRU.values()), "o", color="0.3", label="Bru et al. 1998")
        axes.set(xlabel="time (h)", ylabel="diameter (um)")
        axes.legend(frameon=False)
    # Linear: over the last 150 h a parabola bends away from the line by less than a tenth.
    assert abs(bent[0]) * 75.0**2 < 0.1 * speed * 150.0
    assert speed > 1.0


def test_a_spheroid_of_a_hundred_cells_grows_as_its_rates_say(gallery):
    """From 100 cells for 96 h without inhibition: growth at birth less death, within the 99 % band of the process."""
    birth, death = 0.0432, 0.00319
    cell = CellDefinition(name="tumour cell", cycle=live(), apoptosis=Apoptosis())
    places = close_packed_ball(44.0, SPACING)
    order = np.argsort((places**2).sum(axis=1), kind="stable")[:100]
    ball = Tissue(
        name="spheroid",
        size=(600.0, 600.0, 600.0),
        origin=(-300.0, -300.0, -300.0),
        cells=(cell,),
        placed=Cells(places[order]),
    )
    hours = np.arange(0, 97, 4)
    curves = []
    for seed in range(1, 5):
        simulation = ball.simulation(seed=seed)
        alive = [100]
        for _ in hours[1:]:
            simulation.run("4 h")
            alive.append(int((simulation.world.cells.column("cell.death") == 0).sum()))
        curves.append(alive)
    curves = np.array(curves, dtype=float)
    rate = birth - death
    mean = 100.0 * np.exp(rate * hours)
    # Variance of a linear birth-death process, over four runs; 2.58 standard errors hold 99 %.
    error = np.sqrt(100.0 * (birth + death) / rate * np.exp(rate * hours) * (np.exp(rate * hours) - 1.0) / 4.0)
    radius = np.sqrt(((simulation.world.cells.position - 300.0) ** 2).sum(axis=0)).max()
    with gallery(
        "spheroid-96h",
        title="A spheroid of 100 cells for 96 h",
        text=f"Four runs (thin), their mean, and the birth-death process with its 99 % band. After 96 h "
        f"{curves[:, -1].mean():.0f} living "
        f"cells, expected {mean[-1]:.0f}; the radius is {radius:.0f} um.",
    ) as axes:
        axes.fill_between(hours, mean - 2.58 * error, mean + 2.58 * error, color="0.88")
        axes.plot(hours, mean, color="0.4", label="100 exp((b - d) t)")
        axes.plot(hours, curves.T, color="#c2185b", lw=0.5)
        axes.plot(hours, curves.mean(axis=0), color="#c2185b", lw=2, label="paget")
        axes.set(xlabel="time (h)", ylabel="living cells", yscale="log")
        axes.legend(frameon=False)
    assert (np.abs(curves.mean(axis=0) - mean)[1:] < 2.58 * error[1:]).mean() > 0.9


def test_a_spheroid_keeps_its_shape_and_starves_inside(gallery):
    """A growing ball stays round, and oxygen falls towards its centre."""
    simulation = growing_ball(120.0, size=500.0).simulation(seed=1).run("24 h")
    position = simulation.world.cells.position - 250.0
    spread = np.sqrt(np.linalg.eigvalsh(np.cov(position)))
    oxygen = simulation.field("field.oxygen")[12, 12]
    with gallery(
        "spheroid-section",
        title="A section through a growing ball",
        text=f"{position.shape[1]} cells after 24 h in 38 mmHg; the longest axis exceeds the shortest by "
        f"{100 * (spread[2] / spread[0] - 1):.1f} "
        f"%, and oxygen falls to {oxygen.min():.1f} mmHg inside.",
        panels=2,
    ) as (left, right):
        near = np.abs(position[2]) < 10.0
        dead = simulation.world.cells.column("cell.death")[near] > 0
        left.scatter(*position[:2, near], s=30, c=np.where(dead, "0.3", "#c2185b"), alpha=0.7, linewidths=0)
        left.set(aspect="equal", xlabel="x (um)", ylabel="y (um)")
        right.plot(np.arange(25) * 20.0 - 240.0, oxygen, color="#1f77b4")
        right.set(xlabel="x (um)", ylabel="oxygen (mmHg)", ylim=(0, 40))
    assert spread[2] / spread[0] < 1.1
    assert oxygen.argmin() in range(10, 15)
