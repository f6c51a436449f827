"""Random, persistent and guided walks against closed forms, each at several ticks.

Statistical bands hold 99 % of correct runs, over all the comparisons of a case together; seeds are fixed.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from physiology_cells import COMPILED, cells, walked
from small_tissue import WHY

from paget.tissue import CellDefinition, Cells, Substrate, Tissue
from paget.tissue.definition import Motility

BAND = 0.99


def width(comparisons):
    """Half-width, in standard deviations, of bands that together hold 99 %."""
    return stats.norm.ppf(1.0 - (1.0 - BAND) / (2.0 * comparisons))


def paths(n, hours, dt, *, speed, persistence, bias=0.0, flat=False, seed=0):
    """Positions [ticks + 1, 3, n] of walkers that the direction of x guides."""
    c = cells(seed, n)
    c.kind, c.death, c.pressure = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n)
    c.motility, c.in_plane = np.array([[speed, persistence, bias, 0.0]]), np.array([int(flat)])
    c.guide, c.heading = np.tile([[1.0], [0.0], [0.0]], (1, n)), np.zeros((3, n))
    position = [np.zeros((3, n))]
    for tick in range(round(hours / dt)):
        c.heading, velocity = walked(COMPILED, c, dt, tick)
        position.append(position[-1] + velocity * dt)
    return np.array(position)


def fuerth(t, speed, persistence):
    """Mean squared displacement of a persistent random walk (Fürth 1920)."""
    return 2.0 * speed**2 * persistence * (t - persistence * (1.0 - np.exp(-t / persistence)))


def mean_cosine(bias, flat):
    """Mean cosine, to the gradient, of the direction of bias g + (1 - bias) n, by quadrature over n."""

    def cosine(c):
        along = bias + (1.0 - bias) * c
        length = np.sqrt(along**2 + (1.0 - bias) ** 2 * (1.0 - c**2))
        return along / length if length > 0.0 else 0.0

    if flat:
        return quad(lambda angle: cosine(np.cos(angle)), 0.0, np.pi, points=[np.pi], limit=200)[0] / np.pi
    return quad(cosine, -1.0, 1.0, limit=200)[0] / 2.0


@pytest.mark.parametrize("flat", [True, False], ids=["2d", "3d"])
def test_persistent_walkers_spread_as_fuerth_says_at_any_tick(gallery, flat):
    n, hours, speed = 4000, 8.0, 30.0
    moments, ticks = np.array([0.5, 1.0, 4.0, 8.0]), (0.02, 0.1, 0.5)
    z = width(len(moments) * len(ticks) * 2)
    curves = []
    for persistence in (0.05, 1.0):  # a random walk, and a persistent one
        for seed, dt in enumerate(ticks):
            squared = (paths(n, hours, dt, speed=speed, persistence=persistence, flat=flat, seed=seed) ** 2).sum(axis=1)
            at = np.rint(moments / dt).astype(int)
            error = squared[at].std(axis=1) / np.sqrt(n)
            expected = fuerth(moments, speed, persistence)
            assert (np.abs(squared[at].mean(axis=1) - expected) < z * error).all(), (persistence, dt)
            curves.append((persistence, dt, squared.mean(axis=1), z * error / expected))
    widest = max(float(c[3].max()) for c in curves)
    text = (
        f"Mean squared displacement of 4,000 cells in {2 if flat else 3} dimensions, at 30 um/h with runs of 0.05 h and 1 h, "
        "against Fürth's formula. Ticks of 0.02, 0.1 and 0.5 h (shorter and longer than a run) all lie inside the 99 % band, "
        f"which is at most {100 * widest:.1f} % wide to each side."
    )
    name = "2-D" if flat else "3-D"
    with gallery(f"walk-{name.lower()}", title=f"Persistent random walk, {name}", text=text) as axes:
        t = np.linspace(0.02, hours, 200)
        for persistence in (0.05, 1.0):
            axes.plot(t, fuerth(t, speed, persistence), color="0.5", lw=3, alpha=0.5)
        axes.plot([], [], color="0.5", lw=3, alpha=0.5, label="Fürth")
        for persistence, dt, mean, _ in curves:
            axes.plot(np.arange(1, mean.size) * dt, mean[1:], ".", ms=3, label=f"{persistence:g} h, {dt:g} h")
        axes.set(xlabel="time (h)", ylabel="mean squared displacement (um²)", xscale="log", yscale="log")
        axes.legend(fontsize=8, markerscale=3, title="persistence, tick", title_fontsize=8)


def test_directions_of_walkers_forget_themselves_exponentially_at_any_tick():
    n, persistence = 20_000, 0.5
    for dt in (0.1, 0.25):
        c = cells(3, n)
        c.kind, c.death, c.pressure = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n)
        c.motility, c.in_plane = np.array([[30.0, persistence, 0.0, 0.0]]), np.array([0])
        c.guide, c.heading = np.zeros((3, n)), np.tile([[0.0], [0.0], [1.0]], (1, n))
        for tick in range(round(0.5 / dt)):
            c.heading, _ = walked(COMPILED, c, dt, tick)
        kept = c.heading[2]
        assert abs(kept.mean() - np.exp(-1.0)) < width(2) * kept.std() / np.sqrt(n)


def test_the_mean_cosine_in_space_is_that_of_a_shell_seen_from_inside_or_outside():
    # The mean direction to points of a shell of radius 1 around a point at distance r: 2 r / 3 inside, 1 - 1 / (3 r^2) outside.
    for bias in (0.1, 0.3, 0.5, 0.7, 0.9):
        r = bias / (1.0 - bias)
        closed = 2.0 * r / 3.0 if r <= 1.0 else 1.0 - 1.0 / (3.0 * r**2)
        assert mean_cosine(bias, flat=False) == pytest.approx(closed, rel=1e-9)


def test_guided_cells_drift_as_fast_as_the_mean_cosine_of_their_directions(gallery):
    n, hours, dt, speed, persistence = 2000, 4.0, 0.1, 30.0, 0.2
    biases = np.linspace(0.0, 1.0, 11)
    z = width(2 * biases.size)
    found = {}
    for flat in (True, False):
        drift, error = [], []
        for seed, bias in enumerate(biases):
            path = paths(n, hours, dt, speed=speed, persistence=persistence, bias=bias, flat=flat, seed=seed)
            along = path[-1, 0] / hours
            drift.append(along.mean())
            error.append(along.std() / np.sqrt(n))
            expected = speed * mean_cosine(bias, flat)
            assert abs(drift[-1] - expected) <= z * error[-1] + 1e-9 * speed, (flat, bias)
        found[flat] = (np.array(drift) / speed, np.array(error) / speed)
    text = (
        "Drift along a gradient, as a share of the speed, of 2,000 cells with directions normalise(b g + (1 - b) n), against "
        "the mean cosine by quadrature (in 3-D also 2 r / 3 for r = b / (1 - b) < 1 and 1 - 1 / (3 r²) beyond). At b = 0.5: "
        f"{found[True][0][5]:.4f} in 2-D ({mean_cosine(0.5, True):.4f} expected), {found[False][0][5]:.4f} in 3-D "
        f"({mean_cosine(0.5, False):.4f} expected)."
    )
    with gallery("chemotactic-drift", title="Chemotactic drift", text=text) as axes:
        fine = np.linspace(0.0, 1.0, 101)
        for flat, colour in ((True, "C0"), (False, "C1")):
            axes.plot(fine, [mean_cosine(b, flat) for b in fine], color=colour, lw=1)
            drift, error = found[flat]
            axes.errorbar(biases, drift, z * error, fmt="o", ms=4, color=colour, label="2-D" if flat else "3-D")
        axes.set(xlabel="bias", ylabel="drift / speed")
        axes.legend()


def test_a_fully_biased_cell_covers_120_um_in_the_time_that_its_speed_takes(gallery):
    speed, persistence, n = 60.0, 1.0 / 6.0, 1000  # 1 um/min
    runs = {b: paths(n, 2.0, 0.1, speed=speed, persistence=persistence, bias=b, flat=True) for b in (1.0, 0.75, 0.5)}
    straight = runs[1.0][:, 0, 0]
    time = np.arange(straight.size) * 0.1
    arrival = float(np.interp(120.0 - 1e-9, straight, time))
    # Sums of twenty steps; each adds one rounding.
    assert arrival == pytest.approx(120.0 / speed, rel=1e-9)
    assert np.abs(runs[1.0][:, 1:]).max() == 0.0
    z = width(2)
    for bias in (0.75, 0.5):
        covered = runs[bias][-1, 0]
        assert abs(covered.mean() - 120.0 * mean_cosine(bias, True)) < z * covered.std() / np.sqrt(n)
    text = (
        f"A cell of 1 um/min with full bias covers 120 um up a gradient in {arrival * 60:.6f} min; 120 are due. With a bias of "
        f"0.75 and 0.5, a thousand cells come {runs[0.75][-1, 0].mean():.1f} and {runs[0.5][-1, 0].mean():.1f} um far in that "
        f"time on average ({120 * mean_cosine(0.75, True):.1f} and {120 * mean_cosine(0.5, True):.1f} expected)."
    )
    with gallery("chemotaxis-120um", title="Chemotaxis over 120 um", text=text) as axes:
        for bias, path in runs.items():
            axes.plot(path[:, 0, :10], path[:, 1, :10], color={1.0: "k", 0.75: "C0", 0.5: "C1"}[bias], lw=0.7)
            axes.plot([], [], color={1.0: "k", 0.75: "C0", 0.5: "C1"}[bias], label=f"bias {bias:g}")
        axes.axvline(120.0, color="0.6", ls=":")
        axes.set(xlabel="along the gradient (um)", ylabel="across (um)")
        axes.legend()


@pytest.mark.parametrize("tick", ["3 min", "6 min", "30 min"])
def test_a_cell_of_a_whole_tissue_covers_120_um_up_a_gradient_between_two_walls(tick):
    signal = Substrate(
        field="field.vegf",
        unit="nM",
        diffusion="1e5 um**2/min",
        initial="0 nM",
        walls={"xmin": "0 nM", "xmax": "10 nM"},
        reason=WHY,
    )
    motility = Motility(speed="1 um/min", persistence="10 min", bias="1", towards={"field.vegf": "1"}, reason=WHY)
    tissue = Tissue(
        name="chemotaxis",
        size=(240.0, 60.0, 20.0),
        substrates=(signal,),
        cells=(CellDefinition(name="cell", motility=motility),),
        placed=Cells(np.array([[50.0, 30.0, 10.0]])),
        tick=tick,
    )
    simulation = tissue.simulation(seed=1, threads=1)
    simulation.step()  # the gradient appears in the first tick
    start = simulation.cells["x"][0]
    simulation.run("2 h")
    # The direction is that of the field's gradient, which its solver leaves parallel to the walls to its residual of 1e-6.
    assert simulation.cells["x"][0] - start == pytest.approx(120.0, rel=1e-6)
    assert simulation.cells["y"][0] == pytest.approx(30.0, abs=1e-3)
