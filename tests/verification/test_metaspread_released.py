"""The model of metastatic spread beside the released program MetaSpread, beside closed forms, and as its paper states it.

Runs of the released program are compared as means over seeds, since the random numbers differ. How far the largest of many
correlated differences may be is found by resampling our own runs, so that 99 % of correct programs pass.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from small_metaspread import dense, q

from paget.catalogue.metaspread import MetaSpread, MetaSpreadRun, simulate
from paget.catalogue.metaspread.rates import PerTick
from paget.kernels import lattice

SEEDS = 64
FEWER = 10  # seeds of the default scenario, whose runs take 2 s each
BAND = 0.99
GRIDS = (1, 2, 3)
COLUMNS = {
    **{f"M_grid{g}": f"mesenchymal cells in grid {g}" for g in GRIDS},
    **{f"E_grid{g}": f"epithelial cells in grid {g}" for g in GRIDS},
    "circ_M": "mesenchymal cells in blood",
    "circ_E": "epithelial cells in blood",
    "circ_clusters": "clusters in blood",
    "circ_multicell": "multicellular clusters in blood",
    "cum_intravasation_events": "entries into blood",
    "cum_single_events": "single entries into blood",
    "cum_cluster_events": "cluster entries into blood",
    "cum_cells_intravasated": "cells entered blood",
    "cum_arrivals_grid2": "arrivals in grid 2",
    "cum_arrivals_grid3": "arrivals in grid 3",
    "cum_cells_placed": "cells arrived",
    "radius_rms_gridunits": "rms radius",
    "radius_max_gridunits": "largest radius",
    "occupied_sites_grid1": "occupied sites",
    "mean_ecm_grid1": "mean matrix",
    "mean_mmp2_grid1": "mean mmp2",
}
SPACING = 10.0  # um
OURS, THEIRS = "#c2185b", "#1f2933"


def runs(settings, seeds, steps, every):
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda seed: simulate(settings, seed, steps, every), range(seeds)))


def courses(results, steps):
    """Readouts in the units of the reference [runs, columns, moments]."""
    values = np.array([r.course.set_index("step").loc[steps, list(COLUMNS.values())].to_numpy().T for r in results])
    radius = [i for i, name in enumerate(COLUMNS) if "radius" in name]
    values[:, radius] /= SPACING
    return values


def reference_of(path):
    table = pd.read_csv(path)
    mean, sd = (table[[f"{name}_{what}" for name in COLUMNS]].to_numpy().T for what in ("mean", "sd"))
    return table["step"].to_numpy(), mean, sd, int(table["n_seeds"].iloc[0])


def z_of(mean, sd, n, other_mean, other_sd, other_n):
    """Differences of means in standard errors; 0 where nothing varies and nothing differs."""
    error = np.sqrt(sd**2 / n + other_sd**2 / other_n)
    difference = mean - other_mean
    fixed = error <= 1e-12 * np.maximum(np.abs(mean), 1.0)
    # The reference was stored with six digits, so that what never varies agrees to that.
    assert (np.abs(difference[fixed]) <= 1e-5 * np.maximum(np.abs(mean[fixed]), 1.0)).all()
    return np.where(fixed, 0.0, difference / np.where(fixed, 1.0, error))


def limits(values, other_n, draws=400):
    """Largest and root mean square difference (in standard errors) that 99 % of pairs of samples of our own runs stay below."""
    rng, n = np.random.default_rng(0), len(values)
    largest, typical = np.empty(draws), np.empty(draws)
    for i in range(draws):
        a, b = values[rng.integers(n, size=n)], values[rng.integers(n, size=other_n)]
        z = z_of(a.mean(0), a.std(0, ddof=1), n, b.mean(0), b.std(0, ddof=1), other_n)
        largest[i], typical[i] = np.abs(z).max(), np.sqrt((z**2).mean())
    return np.quantile(largest, BAND), np.quantile(typical, BAND)


@pytest.fixture(scope="module")
def dense_runs():
    return runs(dense(), SEEDS, 3200, 50)


def test_every_column_and_moment_agrees_with_the_released_program(gallery, reference, dense_runs):
    steps, mean, sd, n = reference_of(reference / "body" / "metaspread_dense_mean_sd_n64.csv")
    values = courses(dense_runs, steps)
    z = z_of(values.mean(0), values.std(0, ddof=1), SEEDS, mean, sd, n)
    largest, typical = np.abs(z).max(), np.sqrt((z**2).mean())
    most, usual = limits(values, n)
    assert largest < most
    assert typical < usual
    text = (
        f"Means of {SEEDS} runs beside those of {n} runs of MetaSpread in a small body with many vessels: {len(COLUMNS)} "
        f"readouts at {len(steps)} moments. The largest difference is {largest:.1f} standard errors, root mean square "
        f"{typical:.2f}; by resampling of our own runs, 99 % of correct programs stay below {most:.1f} and {usual:.2f}. "
        "Bands: two standard errors of MetaSpread."
    )
    title = "MetaSpread: a dense body, 64 seeds"
    with gallery("metaspread-dense", title=title, text=text, panels=3) as axes:
        days = steps * 200.0 / 86400.0
        shown = (
            ("cells", ("M_grid1", "E_grid1", "M_grid2", "E_grid2")),
            ("in blood or out of it", ("circ_clusters", "circ_multicell", "cum_arrivals_grid2", "cum_arrivals_grid3")),
        )
        for axis, (label, names) in zip(axes, shown, strict=False):
            for k, name in enumerate(names):
                i, colour = list(COLUMNS).index(name), f"C{k}"
                low, high = (mean[i] + side * 2.0 * sd[i] / np.sqrt(n) for side in (-1, 1))
                axis.fill_between(days, low, high, color=colour, alpha=0.3, lw=0)
                axis.plot(
                    days,
                    values[:, i].mean(0),
                    color=colour,
                    label=COLUMNS[name].replace("mesenchymal", "M").replace("epithelial", "E"),
                )
            axis.set(xlabel="days", ylabel=label)
            axis.legend(fontsize=7)
        axes[2].plot(days, z.T, color=OURS, lw=0.6, alpha=0.6)
        for side in (-most, most):
            axes[2].axhline(side, color=THEIRS, ls=":")
        axes[2].set(xlabel="days", ylabel="difference / standard error")


def test_sizes_of_clusters_and_their_destinations_agree(gallery, reference, dense_runs):
    table = pd.read_csv(reference / "body" / "metaspread_dense_intravasation_cluster_sizes.csv")
    sizes = np.arange(1, 9)
    theirs = table.set_index("cluster_size")["events"].loc[sizes].to_numpy() / table["events"].sum()
    each = np.array([r.cluster_sizes.reindex(sizes, fill_value=0).to_numpy() for r in dense_runs])
    totals = np.array([r.cluster_sizes.sum() for r in dense_runs])
    ours = each.sum(0) / totals.sum()
    # Runs differ by where their vessels are, so the error of a share comes from runs (a ratio of means), for both programs.
    error = np.sqrt(2.0) * (each - np.outer(totals, ours)).std(0, ddof=1) / totals.mean() / np.sqrt(SEEDS)
    z = (ours - theirs) / error
    limit = stats.norm.ppf(1.0 - (1.0 - BAND) / (2.0 * len(sizes)))
    assert (np.abs(z) < limit).all()
    arrived = sum(r.arrivals["grid"].value_counts() for r in dense_runs)
    share = arrived["grid 2"] / arrived.sum()
    interval = stats.binomtest(int(arrived["grid 2"]), int(arrived.sum())).proportion_ci(BAND)
    assert interval.low < 0.75 < interval.high
    text = (
        f"Left: sizes of {totals.sum():,} clusters that entered the blood beside {table['events'].sum():,} of MetaSpread; the "
        f"largest difference is {np.abs(z).max():.1f} standard errors (99 % of correct programs: below {limit:.1f}). Right: of "
        f"{arrived.sum():,} parties that left the blood alive, {100 * share:.1f} % reached the second grid, where 75 % should "
        f"(99 % interval {100 * interval.low:.1f} to {100 * interval.high:.1f} %)."
    )
    with gallery("metaspread-clusters", title="MetaSpread: clusters and where they go", text=text, panels=2) as axes:
        axes[0].semilogy(sizes, theirs, "o", mfc="none", color=THEIRS, label="MetaSpread")
        axes[0].errorbar(sizes, ours, 2.0 * error, fmt=".", color=OURS, label="ours, 2 standard errors")
        axes[0].set(xlabel="cells in a cluster", ylabel="share of entries")
        axes[0].legend()
        axes[1].bar(["grid 2", "grid 3"], arrived.loc[["grid 2", "grid 3"]], color=OURS, width=0.5)
        axes[1].plot(["grid 2", "grid 3"], arrived.sum() * np.array([0.75, 0.25]), "_", ms=60, color=THEIRS)
        axes[1].set(ylabel="arrivals", xlabel="line: 3 to 1")


@pytest.mark.parametrize(
    ("name", "legacy", "title"),
    [
        ("default", True, "MetaSpread: default scenario as shipped"),
        ("franssen", ("negative probabilities", "vessel capacity", "disaggregation", "decay clock", "matrix order", "total"),
         "MetaSpread: default scenario with the stated doubling times"),
    ],
    ids=["shipped", "stated"],
)  # fmt: skip
def test_the_default_scenario_agrees_with_the_released_program(gallery, reference, name, legacy, title):
    steps, mean, sd, n = reference_of(reference / "body" / f"metaspread_{name}14k_mean_sd_n20.csv")
    steps, mean, sd = steps[::8], mean[:, ::8], sd[:, ::8]
    results = runs(MetaSpread(legacy=legacy), FEWER, 14_400, 1200)
    values = courses(results, steps)
    z = z_of(values.mean(0), values.std(0, ddof=1), FEWER, mean, sd, n)
    largest = np.abs(z).max()
    most, _ = limits(values, n)
    assert largest < most

    def ended(column):
        i = list(COLUMNS).index(column)
        ours, theirs = values[:, i, -1], (mean[i, -1], sd[i, -1])
        width = stats.t.ppf(0.975, FEWER - 1) * ours.std(ddof=1) / np.sqrt(FEWER)
        return f"{ours.mean():,.0f} ± {width:,.0f} ({theirs[0]:,.0f} ± {2.09 * theirs[1] / np.sqrt(n):,.0f})"

    text = (
        f"14,400 steps (6.67 days), means of {FEWER} runs with 95 % intervals and, in brackets, of {n} of MetaSpread: "
        f"mesenchymal {ended('M_grid1')}, epithelial {ended('E_grid1')}, "
        f"entries into blood {ended('cum_intravasation_events')}. "
        f"Over all readouts at {len(steps)} moments the largest difference is {largest:.1f} standard errors; 99 % of correct "
        f"programs stay below {most:.1f}."
    )
    with gallery(f"metaspread-{name}", title=title, text=text, panels=2) as axes:
        days = steps * 40.0 / 86400.0
        for axis, names in zip(axes, (("M_grid1", "E_grid1"), ("cum_intravasation_events",)), strict=True):
            for k, column in enumerate(names):
                i = list(COLUMNS).index(column)
                axis.fill_between(days, mean[i] - sd[i], mean[i] + sd[i], color=f"C{k}", alpha=0.3, lw=0)
                axis.errorbar(
                    days,
                    values[:, i].mean(0),
                    values[:, i].std(0, ddof=1),
                    color=f"C{k}",
                    fmt=".",
                    label=COLUMNS[column],
                )
            axis.set(xlabel="days (band: MetaSpread, one standard deviation)")
            axis.legend(fontsize=7)


def test_enzyme_and_matrix_alone_agree_with_the_released_program_and_the_closed_sum(gallery, reference):
    lines = np.loadtxt(reference / "body" / "metaspread_field_only_fixture.csv", delimiter=",")
    settings = MetaSpread(legacy=True, sites=q("61"))
    rates = PerTick.of(settings)
    cells = np.zeros((61, 61), np.int32)
    cells[30, 30], cells[30, 34] = 4, 2
    m, w, new = np.zeros(cells.shape), np.ones(cells.shape), np.empty(cells.shape)
    kept, source = 1.0 - 1e-3 * 0.1, 6 * 1e-3 * 0.195
    found, courses_m = {}, []
    for step in range(1, 501):
        lattice.advance_fields(cells, m, w, new, rates.spread, rates.keep, rates.make, rates.digest, rates.late)
        closed = source * (1.0 - kept**step) / (1.0 - kept)
        courses_m.append(abs(m.sum() / closed - 1.0))
        found[step] = (m.sum(), m[30, 30], m[30, 34], m[36, 30], w[30, 30], w[36, 30], w.mean())
    theirs = {int(line[0]): np.delete(line[1:], 1) for line in lines}
    differences = [
        np.abs((np.array(found[step]) - line) / np.where(line == 0.0, 1.0, line)).max() for step, line in theirs.items()
    ]
    assert max(differences) < 1e-11  # twelve digits were stored
    assert max(courses_m[:100]) < 1e-12  # nothing has come to the mirrors of the border, which do not conserve
    assert courses_m[-1] < 1e-6
    text = (
        f"Enzyme of six mesenchymal cells that stand still. At steps 1, 10, 100 and 500, seven numbers of MetaSpread agree to "
        f"{max(differences):.0e} (twelve digits were stored). The sum follows its closed form to "
        f"{max(courses_m[:100]):.0e} for 100 steps; then enzyme meets the mirrors of the border, which do not conserve it "
        f"({courses_m[-1]:.0e} at 500)."
    )
    with gallery("metaspread-fields", title="MetaSpread: enzyme and matrix alone", text=text, panels=2) as axes:
        axes[0].semilogy(np.arange(1, 501), np.maximum(courses_m, 1e-17), color=OURS)
        axes[0].set(xlabel="step", ylabel="relative difference of the sum")
        shown = axes[1].imshow(np.log10(m.T), origin="lower", cmap="cividis", vmin=-12)
        axes[1].figure.colorbar(shown, label="log10 of the enzyme after 500 steps")


def test_single_cells_step_and_spread_as_their_motility_says(gallery):
    """Cells on untouched matrix, which no enzyme changes: free random walks, of which a step is a coin that we know."""
    still = {"matrix_digestion_cell": q("0 1/s"), "matrix_digestion_mmp2": q("0 1/s")}
    alone = {"founders": q("20000"), "founder_sites": q("97"), "room": q("1000000"), "mesenchymal_share": q("0.5")}
    never = {"normal_vessels": q("0"), "ruptured_vessels": q("0"), "doubling_time_mesenchymal": q("4e8 s")}
    run = MetaSpreadRun(MetaSpread(**still, **alone, **never, doubling_time_epithelial=q("4e8 s")), 5)
    start, moments, squared = run.cells(), np.arange(50, 501, 50), {"mesenchymal": [], "epithelial": []}
    z = stats.norm.ppf(1.0 - (1.0 - BAND) / (2.0 * (2 * len(moments) + 2)))
    moved = {}
    for step in range(1, 501):
        run.step()
        if step == 1 or step in moments:
            now = run.cells()
            away = ((now[["x", "y"]] - start[["x", "y"]]) / SPACING).pow(2).sum(axis=1)
            for kind, values in squared.items():
                own = away[now["type"] == kind]
                if step == 1:
                    moved[kind] = (own.mean(), len(own))
                else:
                    values.append((own.mean(), own.std() / np.sqrt(len(own))))
    for kind, p in (("mesenchymal", 0.016), ("epithelial", 0.008)):
        share, n = moved[kind]
        assert abs(share - p) < z * np.sqrt(p * (1 - p) / n)
        mean, error = np.array(squared[kind]).T
        assert (np.abs(mean - p * moments) < z * error).all()
    text = (
        "10,000 cells of each kind on untouched matrix. In the first step "
        f"{100 * moved['mesenchymal'][0]:.2f} % of the mesenchymal and {100 * moved['epithelial'][0]:.2f} % of the epithelial "
        "cells move, where 1.6 and 0.8 % should, and mean squared "
        "displacements follow 0.016 and 0.008 sites² per step inside bands that hold 99 % of correct programs over all moments."
    )
    with gallery("metaspread-walk", title="MetaSpread: single cells", text=text) as axes:
        for kind, p, colour in (("mesenchymal", 0.016, OURS), ("epithelial", 0.008, "C0")):
            mean, error = np.array(squared[kind]).T
            axes.plot(moments, p * moments, color=colour)
            axes.errorbar(moments, mean, z * error, fmt=".", color=colour, label=kind)
        axes.set(xlabel="step", ylabel="mean squared displacement (sites²)")
        axes.legend()


@pytest.mark.parametrize("kind", [0, 1], ids=["mesenchymal", "epithelial"])
def test_cells_drift_up_the_gradient_of_the_matrix_as_their_haptotaxis_says(kind):
    """On a slope of s per site, the mean step is 2 q 2 s = 4 q s: the difference of the chances of right and left."""
    n, side, slope = 200_000, 41, 0.01
    walk, matrix = PerTick.of(MetaSpread()).walk, np.zeros((1, side, side))
    matrix[0] = slope * np.arange(side)[:, None]
    place, grid = np.full((2, n), side // 2, np.int32), np.zeros(n, np.int8)
    count = np.zeros((1, 2, side, side), np.int32)
    count[0, kind, side // 2, side // 2] = n
    kinds, ids = np.full(n, kind, np.int8), np.arange(n, dtype=np.uint64)
    order, word, u = np.empty(n, np.int64), np.empty(n, np.uint64), np.empty(n)
    lattice.shuffle(n, ids, grid, 0, np.uint64(9), order, word, u, np.empty(2 * n + 2, np.int64))
    lattice.move(
        order, u, n, kinds, grid, place, np.full(n, -1), count, np.zeros((1, side, side), np.int8), matrix, walk, n, 1, 1, 0,
        np.empty((1, 6), np.int64), np.zeros(2, np.int64),
    )  # fmt: skip
    p, steep = walk[kind]
    along, across = (place - side // 2).astype(float)
    assert abs(along.mean() - 4.0 * steep * slope) < 4.0 * np.sqrt(2.0 * p / n)  # one in 16,000 correct programs fails
    assert abs(across.mean()) < 4.0 * np.sqrt(2.0 * p / n)


@pytest.mark.parametrize(("case", "legacy"), [("stated", False), ("executed", True)])
def test_cells_and_matrix_of_all_sites_at_the_end(gallery, case, legacy):
    run = simulate(dense(legacy=legacy), 11, 3200, 3200).run
    cells, found = run.cells(), run.readouts()
    whose = "the released program executes" if legacy else "its paper states"
    sites = "; ".join(
        f"{g} {found[f'mesenchymal cells in {g}']:,} mesenchymal and {found[f'epithelial cells in {g}']:,} epithelial"
        for g in run.settings.grids
    )
    text = (
        "Matrix (dark where digested), mesenchymal (red) and epithelial cells (blue) and vessels (yellow, crosses where "
        f"ruptured) after 7.4 days in the dense body, the model as {whose} it. Cells: {sites}."
    )
    with gallery(f"metaspread-spread-{case}", title=f"MetaSpread: spread, as {case}", text=text, panels=3) as axes:
        for axis, g in zip(axes, run.settings.grids, strict=True):
            matrix = run.fields(g)["matrix"]
            side = matrix.shape[0] * SPACING
            axis.imshow(matrix.T, origin="lower", cmap="Greys_r", vmin=0, vmax=1.4, extent=(-5, side - 5, -5, side - 5))
            here, vessels = cells[cells["grid"] == g], run.vessels(g)
            for kind, colour, shift in (("epithelial", "#4fc3f7", 2.0), ("mesenchymal", "#ff5c93", -2.0)):
                own = here[here["type"] == kind]
                axis.plot(own["x"] + shift, own["y"] + shift, ".", ms=2.0, color=colour)
            for ruptured, mark in ((False, "o"), (True, "x")):
                own = vessels[vessels["ruptured"] == ruptured]
                axis.plot(own["x"], own["y"], mark, ms=5, mfc="none", color="#f9a825")
            axis.set(title=g, xlabel="um", xlim=(-5, side - 5), ylim=(-5, side - 5), aspect="equal")
    assert found["cells arrived"] > 0
