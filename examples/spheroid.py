"""A ball of tumour cells grows in oxygen for two days; a section through it, cells coloured by what they are doing.

    python examples/spheroid.py [picture.png]

Takes less than a minute on two cores.
"""

from __future__ import annotations

import dataclasses
import sys
from typing import Any

import matplotlib

matplotlib.use("Agg")

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.collections import EllipseCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.lines import Line2D

import paget as pg
from paget.catalogue.growth import growing_ball, tumour_cell
from paget.tissue.cycles import flow_cytometry_separated

SIZE = 640.0  # um, edge of the cube of tissue
STATES = {
    "G0/G1": "#f2c66d",
    "S, G2, M": "#d1495b",
    "apoptotic": "#ffffff",
    "necrotic": "#3b3f4a",
}
INK = "#1f2933"
OXYGEN = LinearSegmentedColormap.from_list("oxygen", ["#f7f5f2", "#cfe3ee", "#7fb6d3"])


def grow(hours: float = 48.0) -> pg.Simulation:
    """A ball of 10,000 cells and what becomes of it; they use so much oxygen that none reaches the middle."""
    cell = dataclasses.replace(tumour_cell(uptake="40 /min"), cycle=flow_cytometry_separated())
    tissue = growing_ball(190.0, size=SIZE, oxygen_at_walls="38 mmHg").changed(cells=(cell,))

    def tell(now: pg.Simulation) -> None:
        if now.world.tick % 60 == 0:
            print(f"{now.time:3.0f} h: {len(now.world.cells):,} cells", flush=True)

    return tissue.simulation(seed=1).run(hours, watch=tell)


def states(cells: Any) -> Any:
    """The state of every cell [n], as a name."""
    living = np.where(cells["phase"] == 0, "G0/G1", "S, G2, M")
    return np.select([cells["death"] == 0, cells["death"] == 1], [living, "apoptotic"], "necrotic")


def section(axes: Any, simulation: pg.Simulation) -> None:
    """Cells that the plane through the middle cuts, over the oxygen in that plane."""
    oxygen, half = simulation.field("field.oxygen"), SIZE / 2.0
    image = axes.imshow(
        oxygen[oxygen.shape[0] // 2],
        extent=(-half, half, -half, half),
        origin="lower",
        cmap=OXYGEN,
        interpolation="bicubic",
        vmin=0.0,
    )
    cells = simulation.cells  # places are measured from the corner of the tissue
    cells = cells.assign(state=states(cells), cut=cells["radius"] ** 2 - (cells["z"] - half) ** 2)
    cells = cells[cells["cut"] > 0.0]
    width = 2.0 * np.sqrt(cells["cut"])
    axes.add_collection(
        EllipseCollection(
            width,
            width,
            np.zeros(len(cells)),
            units="xy",
            offsets=cells[["x", "y"]].to_numpy() - half,
            offset_transform=axes.transData,
            facecolors=cells["state"].map(STATES),
            edgecolors=INK,
            linewidths=0.35,
        )
    )
    axes.plot([half - 130.0, half - 30.0], [-half + 30.0] * 2, color=INK, lw=3, solid_capstyle="butt")
    axes.text(half - 80.0, -half + 40.0, "100 um", ha="center", color=INK)
    axes.set(xticks=[], yticks=[], title=f"Section after {simulation.time:g} h")
    dots = [Line2D([], [], ls="", marker="o", ms=8, mfc=c, mec=INK, mew=0.5, label=name) for name, c in STATES.items()]
    axes.legend(handles=dots, loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=4, frameon=False, handletextpad=0.1)
    axes.figure.colorbar(image, ax=axes, label="oxygen (mmHg)", shrink=0.8, pad=0.02)


def profile(axes: Any, simulation: pg.Simulation) -> None:
    """From the middle outwards: which share of the cells is in which state."""
    cells = simulation.cells
    away = np.sqrt(((cells[["x", "y", "z"]] - SIZE / 2.0) ** 2).sum(axis=1))
    shells = np.arange(0.0, np.quantile(away, 0.995) + 20.0, 20.0)
    here = states(cells)
    counts = np.array([np.histogram(away[here == name], shells)[0] for name in STATES])
    share = counts / np.maximum(counts.sum(axis=0), 1)
    axes.stackplot(shells[:-1] + 10.0, share, colors=STATES.values(), edgecolor=INK, lw=0.5)
    axes.set(
        xlabel="distance from the middle (um)",
        ylabel="share of the cells",
        xlim=(10.0, shells[-2] + 10.0),
        ylim=(0.0, 1.0),
        title=f"{len(cells):,} cells",
    )


def draw(simulation: pg.Simulation, path: str) -> None:
    """Both pictures side by side."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.6, 4.7), width_ratios=(1.55, 1.0), layout="constrained")
    section(left, simulation)
    profile(right, simulation)
    figure.savefig(path, dpi=120, facecolor="white")
    plt.close(figure)


if __name__ == "__main__":
    target = sys.argv[1] if len(sys.argv) > 1 else "spheroid.png"
    draw(grow(), target)
    print(f"Wrote {target}")
