"""Tumour cells at a bone surface: three kinds of cells, each with its own network, that drive each other through fields.

    python examples/vicious_cycle.py [picture.png]

Shows the untreated niche beside two drugs: sirolimus on mTOR complex 1 of all cells, denosumab on RANKL between them. Takes
less than a minute on two cores.
"""

from __future__ import annotations

import sys
from typing import Any

import matplotlib

matplotlib.use("Agg")

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.collections import EllipseCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.lines import Line2D

import paget as pg
from paget.catalogue.bone_niche import HEIGHT, OSTEOBLAST, OSTEOCLAST, TUMOUR, WIDTH, bone_niche

ARMS = {"untreated": {}, "sirolimus 20 nM": {"sirolimus": "20 nM"}, "denosumab 100 nM": {"denosumab": "100 nM"}}
LINES = {"untreated": "#1f2933", "sirolimus 20 nM": "#3a7ca5", "denosumab 100 nM": "#d98e04"}
INK = "#1f2933"
TGFB = LinearSegmentedColormap.from_list("tgfb", ["#ffffff", "#f7dfc4", "#eeb77a"])
AWAKE = LinearSegmentedColormap.from_list("awake", ["#f1cfdd", "#c2185b"])
COLOURS = {OSTEOBLAST: "#6aa5a9", OSTEOCLAST: "#e0913a"}


def grow(drugs: dict[str, str], days: int = 9) -> tuple[pg.Simulation, pd.DataFrame]:
    """One arm to its end, and its course: tumour cells, resorption, TGF-beta."""
    rows = []

    def note(now: pg.Simulation) -> None:
        if now.world.tick % 6 == 0:
            cells = now.cells
            clasts = cells[cells["type"] == OSTEOCLAST]
            rows.append(
                {
                    "day": now.time / 24.0,
                    "tumour cells": int((cells["type"] == TUMOUR).sum()),
                    "bone resorption": float(clasts["node_Resorption"].mean()),
                }
            )

    return bone_niche(**drugs).simulation(seed=1).run(f"{days} day", watch=note), pd.DataFrame(rows)


def section(axes: Any, simulation: pg.Simulation, title: str, most: float) -> Any:
    """Where the cells are, over the TGF-beta that resorption frees; tumour cells by the activity of SMAD3."""
    field = simulation.field("field.tgfb")
    image = axes.imshow(
        field[0],
        extent=(0.0, WIDTH, 0.0, HEIGHT),
        origin="lower",
        cmap=TGFB,
        vmin=0.0,
        vmax=most,
        interpolation="bicubic",
    )
    cells = simulation.cells
    smad = cells["node_SMAD3"].to_numpy()
    colours = [AWAKE(s) if kind == TUMOUR else COLOURS[kind] for kind, s in zip(cells["type"], smad, strict=True)]
    width = 2.0 * cells["radius"].to_numpy()
    axes.add_collection(
        EllipseCollection(
            width,
            width,
            np.zeros(len(cells)),
            units="xy",
            offsets=cells[["x", "y"]].to_numpy(),
            offset_transform=axes.transData,
            facecolors=colours,
            edgecolors=INK,
            linewidths=0.3,
        )
    )
    axes.set(xticks=[], yticks=[], title=title, xlim=(0, WIDTH), ylim=(-24.0, HEIGHT))
    axes.axhspan(-24.0, 1.0, color="#d8d2c4", zorder=0)
    axes.text(8.0, -12.0, "bone", color=INK, fontsize=8, va="center")
    return image


def course(axes: Any, courses: dict[str, pd.DataFrame], what: str) -> None:
    """One readout of all arms over time."""
    for arm, table in courses.items():
        axes.plot(table["day"], table[what], color=LINES[arm], lw=1.8, label=arm)
    axes.set(xlabel="day", title=what, ylim=(0.0, None))
    axes.spines[["top", "right"]].set_visible(False)


def draw(path: str) -> None:
    """The niche in three arms above, their courses below."""
    grown = {arm: grow(drugs) for arm, drugs in ARMS.items()}
    most = max(float(simulation.field("field.tgfb").max()) for simulation, _ in grown.values())
    figure = plt.figure(figsize=(10.4, 6.0), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=(1.25, 1.0))
    axes = above.subplots(1, 3)
    for one, (arm, (simulation, _)) in zip(axes, grown.items(), strict=True):
        image = section(one, simulation, f"{arm}, day {simulation.time / 24:g}", most)
    above.colorbar(image, ax=axes, label="TGF-beta (nM)", shrink=0.8, pad=0.01)
    left, right, words = below.subplots(1, 3)
    courses = {arm: table for arm, (_, table) in grown.items()}
    course(left, courses, "bone resorption")
    course(right, courses, "tumour cells")
    words.axis("off")
    kinds = {"tumour cell, SMAD3 off": AWAKE(0.0), "tumour cell, SMAD3 on": AWAKE(1.0), **COLOURS}
    dots = [Line2D([], [], ls="", marker="o", ms=8, mfc=c, mec=INK, mew=0.5, label=name) for name, c in kinds.items()]
    lines = [Line2D([], [], color=colour, lw=1.8, label=arm) for arm, colour in LINES.items()]
    words.legend(handles=[*dots, *lines], loc="center left", frameon=False)
    figure.savefig(path, dpi=120, facecolor="white")
    plt.close(figure)


if __name__ == "__main__":
    target = sys.argv[1] if len(sys.argv) > 1 else "vicious_cycle.png"
    draw(target)
    print(f"Wrote {target}")
