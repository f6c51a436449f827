"""Double perturbations as a heat map: how far two together are from what they would do independently."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import plotly.graph_objects as go

from paget.report.plotting import CHARACTER_PIXELS, empty_figure, plain
from paget.report.theme import number_text, p_text, palettes, stars

if TYPE_CHECKING:
    from paget.signalling.analysis.screens import EffectTable

__all__ = ["epistasis_figure"]

_CELL = 26


def epistasis_figure(
    effects: EffectTable, readout: str, *, time: float | None = None, theme: Literal["light", "dark"] = "light"
) -> go.Figure:
    """Draw the deviation of every double from independence (Bliss), with stars where p after Holm is below 0.05.

    Orange: more cells with the readout than independence would give; blue: fewer. The diagonal holds the singles' shares as
    text. Pairs that a screen does not have, such as loss and gain of one node, stay blank.

    Raises
    ------
    ModelError, UnknownNameError
        If the screen has no doubles, or not that readout.
    """
    table = effects.epistasis(readout, time)
    singles = list(dict.fromkeys([*table["first"], *table["second"]]))
    place = {name: i for i, name in enumerate(singles)}
    n = len(singles)
    deviation = np.full((n, n), np.nan)
    words = np.full((n, n), "", dtype=object)
    marks = np.full((n, n), "", dtype=object)
    for row in table.to_dict("records"):
        told = (
            f"<b>{plain(row['perturbation'])}</b><br>{number_text(row['value'])} of cells, "
            f"{number_text(row['expected'])} if independent<br>deviation {number_text(row['deviation'])} "
            f"(standard error {number_text(row['error'])}), p {p_text(row['p_holm'])} after Holm"
        )
        mark = stars(row["p_holm"])
        first, second = place[row["first"]], place[row["second"]]
        for i, j in ((first, second), (second, first)):
            deviation[i, j], words[i, j], marks[i, j] = row["deviation"], told, "" if mark == "n.s." else mark
    for name, i in place.items():
        share = effects.share(name, readout, time)
        marks[i, i], words[i, i] = number_text(share, 2), f"<b>{plain(name)}</b><br>{number_text(share)} of cells"
    colour = palettes()[theme]
    most = float(np.nanmax(np.abs(deviation))) or 1.0
    room = round(CHARACTER_PIXELS * max(map(len, singles))) + 24
    figure = empty_figure(left=room, top=50, bottom=room)
    labels = [plain(name) for name in singles]
    figure.add_heatmap(
        x=labels, y=labels, z=deviation.round(4), zmin=-most, zmax=most, text=marks, texttemplate="%{text}", xgap=1, ygap=1,
        hovertext=words, hovertemplate="%{hovertext}<extra></extra>", textfont={"size": 9, "color": colour["--ink"]},
        colorscale=[[0.0, colour["--down"]], [0.5, colour["--paper"]], [1.0, colour["--up"]]],
        colorbar={"title": {"text": "deviation", "side": "top"}, "thickness": 12, "outlinewidth": 0},
    )  # fmt: skip
    axis = {"showgrid": False, "showline": False, "ticks": "", "tickmode": "linear", "tickfont": {"size": 10}}
    axis |= {"linecolor": colour["--line"], "tickcolor": colour["--line"], "gridcolor": colour["--grid"]}
    figure.update_layout(
        width=room + _CELL * n + 110, height=room + _CELL * n + 60, xaxis={**axis, "tickangle": -60},
        yaxis={**axis, "autorange": "reversed", "scaleanchor": "x"}, plot_bgcolor=colour["--grid"],
        paper_bgcolor=colour["--paper"], font={"color": colour["--ink"]}, hoverlabel={"bgcolor": colour["--paper"]},
        hoverlabel_bordercolor=colour["--line"], hoverlabel_font_color=colour["--ink"],
        title={"text": plain(f"{readout}: doubles against independence"), "x": 0.01, "font": {"size": 14}},
    )  # fmt: skip
    return figure
