"""A sweep over a grid of two things, drawn as maps: the mean of a readout in every combination, beside its control."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from paget.experiment import Arm
from paget.report.material import SIGNIFICANT, Material
from paget.report.plotting import Panel, empty_figure, heading, plain, stored
from paget.report.theme import number_text

if TYPE_CHECKING:
    from paget.experiment.sweep import Axis

__all__ = ["dose_axes", "response_maps"]

_CELL = 40
_MOST_CELLS_WITH_NUMBERS = 100
_MEANS = {"final": "mean at the end", "peak": "mean of peaks", "mean": "mean over time"}


def response_maps(material: Material) -> list[Panel]:
    """Draw the means of every headline readout over a grid of two axes of numbers; nothing for any other sweep."""
    sweep = material.study.sweep
    if sweep is None or sweep.design != "grid":
        return []
    axes = [axis for axis in sweep.axes if len(axis.values) > 1]
    points = [arm for arm in material.study.arms if arm.point]
    if len(axes) != 2 or any(axis.name not in arm.point for arm in points for axis in axes):
        return []
    across, up = sorted(axes, key=lambda axis: -len(axis.values))
    present = set(material.outcomes["readout"].unique())
    return [_map(material, readout, points, across, up) for readout in material.headline if readout["name"] in present]


def _map(material: Material, readout: Mapping[str, Any], points: list[Arm], across: Axis, up: Axis) -> Panel:
    name = str(readout["name"])
    first, second = (sorted({arm.point[axis.name] for arm in points}) for axis in (across, up))
    means = np.full((len(second), len(first)), np.nan)
    texts = np.full(means.shape, "", dtype=object)
    told = np.full(means.shape, "", dtype=object)
    records, differing = [], []
    for arm in points:
        place = second.index(arm.point[up.name]), first.index(arm.point[across.name])
        found = material.values(name, arm.name)["value"]
        told[place] = plain(f"{arm.name}: no {material.individual} finished")
        if found.empty:
            continue
        means[place] = float(found.mean())
        compared = material.comparison(name, arm.name, arm.versus or "")
        p = None if compared is None else compared.p_adjusted if compared.p_adjusted is not None else compared.p
        star = p is not None and p < SIGNIFICANT
        texts[place] = number_text(means[place]) + ("*" if star else "")
        told[place] = plain(f"{arm.name}: mean {number_text(means[place])}, n = {len(found)}")
        records.append((arm, place, means[place]))
        if star:
            differing.append(arm.name)
    finite = means[np.isfinite(means)]
    low, high = (min(0.0, float(finite.min())), float(finite.max())) if finite.size else (0.0, 1.0)
    title, unit = heading(readout)
    figure = empty_figure(left=64, top=10, bottom=48, right=46)
    figure.add_heatmap(
        x=list(range(len(first))), y=list(range(len(second))), z=[stored(row) for row in means],
        zmin=low, zmax=high if high > low else low + 1.0, colorscale=[[0.0, "var(--raised)"], [1.0, "var(--heat)"]],
        xgap=1, ygap=1, text=texts.tolist() if means.size <= _MOST_CELLS_WITH_NUMBERS else None,
        texttemplate="%{text}" if means.size <= _MOST_CELLS_WITH_NUMBERS else None,
        textfont={"size": 11, "color": "var(--ink)"},
        hovertext=told.tolist(), hovertemplate="%{hovertext}<extra></extra>",
        colorbar={"thickness": 9, "outlinewidth": 0, "nticks": 5, "tickfont": {"size": 11}, "xpad": 6, "ticklen": 3,
                  "ticks": "outside", "tickcolor": "var(--ink)"},
    )  # fmt: skip
    # A heat map is no row of a table for download; points without ink are.
    figure.add_scatter(
        x=[at[1] for _, at, _ in records], y=[at[0] for _, at, _ in records], mode="markers", opacity=0,
        text=[number_text(arm.point[across.name]) for arm, *_ in records],
        hovertext=[number_text(arm.point[up.name]) for arm, *_ in records],
        customdata=stored(mean for *_, mean in records), hoverinfo="skip", showlegend=False,
        meta={"readout": name, "series": "mean", "text": _named(across), "hovertext": _named(up), "customdata": "value"},
    )  # fmt: skip
    for side, values, axis in (("xaxis", first, across), ("yaxis", second, up)):
        figure.update_layout({side: dose_axes(values, _named(axis))})
    sure = f"A star marks combinations that differ from their control (adjusted p < 0.05): {', '.join(differing)}."
    alt = (
        f"Map of the mean {title} over {_named(across)} and {_named(up)}, from {number_text(low)} to {number_text(high)}. "
        + (sure if differing else "No combination differs from its control.")
    )
    return Panel(title, ", ".join(part for part in (unit, _MEANS.get(str(readout["summary"]), "mean")) if part), figure,
                 max(190, 72 + _CELL * len(second)), alt)  # fmt: skip


def dose_axes(values: list[float], title: str) -> dict[str, Any]:
    """An axis whose cells are the values of one dose or parameter, evenly spaced."""
    return {
        "tickvals": list(range(len(values))),
        "ticktext": [number_text(value) for value in values],
        "ticks": "",
        "showgrid": False,
        "showline": False,
        "range": [-0.5, len(values) - 0.5],
        "title": {"text": plain(title), "standoff": 6},
    }


def _named(axis: Axis) -> str:
    return f"{axis.name} ({axis.unit})" if axis.unit else axis.name
