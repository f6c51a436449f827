"""A mouse with a tumour, its blood and its organs, all as laws of growth: two weeks in seconds, with the ledger of every cell.

python examples/body.py [picture.png]
"""

from __future__ import annotations

import sys

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot as plt

from paget.body.whole import Life
from paget.catalogue.cascade_mouse import cascade_mouse

INK, MUTED = "#1f2933", "#7b8794"
COLOURS = {"primary": "#b0124f", "lung": "#0b6e99", "liver": "#c2701c", "bone marrow": "#3c8d5a", "brain": "#6b4fa0"}


def live(days: int = 21) -> tuple[Life, list[dict[str, float]]]:
    """A mouse whose sites are all lumped, and its readouts on every day."""
    body = cascade_mouse({"primary": "lumped", "lung": "lumped"})
    mouse = Life(body, seed=1, animal=0, dt=1.0, drugs=frozenset())
    course = [mouse.measure()]
    for _ in range(days):
        for _ in range(24):
            mouse.advance((), ())
        course.append(mouse.measure())
    return mouse, course


def draw(course: list[dict[str, float]], path: str) -> None:
    """Tumour cells of some sites, and circulating cells, over time."""
    figure, axes = plt.subplots(1, 2, figsize=(9.0, 3.6), constrained_layout=True)
    days = range(len(course))
    for site, colour in COLOURS.items():
        cells = [max(row[f"cells_{site.replace(' ', '_')}"], 0.8) for row in course]
        axes[0].semilogy(days, cells, color=colour, lw=2.0)
        axes[0].annotate(site, (days[-1], cells[-1]), (4, 0), textcoords="offset points", va="center", color=colour)
    axes[0].set(title="Tumour cells", xlabel="day", xlim=(0, days[-1] * 1.3))
    axes[1].plot(days, [row["ctc_per_ml"] for row in course], color=INK, lw=2.0)
    axes[1].set(title="Circulating tumour cells per mL", xlabel="day")
    for one in axes:
        one.spines[["top", "right"]].set_visible(False)
        one.tick_params(colors=MUTED)
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    mouse, course = live()
    last = course[-1]
    traffic = mouse.traffic
    print(
        f"shed {traffic.shed:,} = died {traffic.died:,} + arrived {traffic.arrived:,} + in vessels {traffic.present:,}"
    )
    print(f"{last['metastases']:.0f} visible metastases, {last['dormant_lung']:,.0f} dormant cells in the lung")
    if len(sys.argv) > 1:
        draw(course, sys.argv[1])
