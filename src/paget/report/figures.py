"""The time axis of a study: what is done to each arm, and what follows along the causal chain.

Each panel is a Plotly figure of its own, so that panels flow with the width of the page. Colours are names of CSS
variables (see `theme`). The `meta` of a trace says how its points read as rows of a table, from which the page writes
its CSV files.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from paget.compare import series_bands
from paget.experiment import HOURS_PER_DAY, Arm
from paget.report.material import Material
from paget.report.plotting import CHARACTER_PIXELS, Panel, empty_figure, heading, plain, stored
from paget.report.theme import number_text, wrapped

__all__ = ["cascade_panels", "protocol_panel"]

_MOST_POINTS = 400
_MOST_DOSES = 100  # of a drug in an arm that a reader can tell apart
_WIDEST_BAND = 2.5  # of two or three animals the band is so wide that it would flatten the curves
_NAME_WIDTH = 28
_MARKS = ("triangle-down", "square", "diamond", "circle", "pentagon", "star", "hexagon", "triangle-up")


def protocol_panel(material: Material) -> Panel:
    """Draw what is done to each arm and when."""
    figure = empty_figure(left=_room_for(material.arms), top=10, bottom=36)
    arms = list(reversed(material.study.arms))
    drugs = list(dict.fromkeys(dose.drug for arm in material.study.arms for dose in arm.doses))
    for row, arm in enumerate(arms):
        style = material.styles[arm.name]
        figure.add_scatter(
            x=[0, material.days],
            y=[row, row],
            mode="lines",
            line={"color": style.colour, "width": 2, "dash": style.dash},
            hoverinfo="skip",
            showlegend=False,
        )
    for rank, drug in enumerate(drugs):
        days, rows, told = [], [], []
        for row, arm in enumerate(arms):
            given = list(dict.fromkeys(dose.drug for dose in arm.doses))
            if drug not in given:
                continue
            shift = 0.34 * ((given.index(drug) + 1) / (len(given) + 1) - 0.5) if len(given) > 1 else 0.0
            for first, last, amount in _courses(material, arm, drug):
                told_days = f"day {first:g}" if first == last else f"days {first:g} to {last:g}"
                days.append(first)
                rows.append(row - 2 * shift)
                told.append(plain(f"{arm.name}: {drug} {amount:g} mg/kg, {told_days}"))
                if last > first:
                    figure.add_scatter(
                        x=[first, last],
                        y=[row - 2 * shift] * 2,
                        mode="lines",
                        line={"color": "var(--ink)", "width": 4},
                        opacity=0.45,
                        hoverinfo="skip",
                        showlegend=False,
                    )
        figure.add_scatter(
            x=days,
            y=rows,
            mode="markers",
            name=plain(drug),
            text=told,
            hovertemplate="%{text}<extra></extra>",
            marker={
                "symbol": _MARKS[rank % len(_MARKS)],
                "size": 8,
                "color": "var(--ink)" if rank % 2 == 0 else "var(--paper)",
                "line": {"color": "var(--ink)", "width": 1.2},
            },
            meta={"series": drug, "x": "day", "text": "administration"},
        )
    operations = [(r.at / HOURS_PER_DAY, row, r.in_words()) for row, arm in enumerate(arms) for r in arm.resections]
    if operations:
        figure.add_scatter(
            x=[day for day, _, _ in operations],
            y=[row for _, row, _ in operations],
            text=[words for *_, words in operations],
            mode="markers",
            name="resection",
            marker={"symbol": "x", "size": 9, "color": "var(--ink)"},
            hovertemplate="%{text}<extra></extra>",
            meta={"series": "resection", "x": "day", "text": "administration"},
        )
    figure.update_xaxes(range=[-0.01 * material.days, material.days * 1.01], title_text="Day")
    figure.update_yaxes(
        range=[-0.6, len(arms) - 0.4],
        tickvals=list(range(len(arms))),
        ticktext=["<br>".join(map(plain, wrapped(arm.name, _NAME_WIDTH))) for arm in arms],
        ticks="",
        showgrid=False,
        showline=False,
    )
    shown = len(drugs) + bool(operations)
    figure.update_layout(
        showlegend=shown > 0,
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "font": {"size": 12}, "itemclick": False},
        margin_t=34 if shown else 10,
    )
    treatments = "; ".join(f"{arm.name}: {arm.in_words()}" for arm in material.study.arms)
    return Panel("Treatment of each arm", "", figure, 86 + 34 * len(arms), f"Time line of treatments. {treatments}.")


def _courses(material: Material, arm: Arm, drug: str) -> list[tuple[float, float, float]]:
    """Doses of a drug in an arm as (first day, last day, amount): those too close to be told apart are one course."""
    given = [dose for dose in arm.administrations(material.study.duration) if dose.drug == drug]
    found: list[tuple[float, float, float]] = []
    for dose in given:
        day = dose.time / HOURS_PER_DAY
        if found and len(given) > _MOST_DOSES and day - found[-1][1] < material.days / _MOST_DOSES:
            found[-1] = (found[-1][0], day, dose.amount)
        else:
            found.append((day, day, dose.amount))
    return found


def _room_for(names: Sequence[str]) -> int:
    longest = max(len(line) for name in names for line in wrapped(name, _NAME_WIDTH))
    return round(18 + CHARACTER_PIXELS * longest)


def cascade_panels(material: Material) -> list[Panel]:
    """Draw each step of the cascade over time: the mean of every arm with its 95 % band; ticks mark doses."""
    if not material.arms_with_data:
        return []
    return [_curves(material, readout) for readout in material.cascade if readout["name"] in material.metrics.columns]


def _curves(material: Material, readout: Mapping[str, Any]) -> Panel:
    figure = empty_figure(left=50, top=8, bottom=38)
    arms = material.arms_with_data
    bands = series_bands(material.metrics, readout["name"], arms)
    tops, ends = [], []
    for arm in arms:
        rows = bands[bands["arm"] == arm]
        rows = rows.iloc[:: max(1, math.ceil(len(rows) / _MOST_POINTS))]
        style, days = material.styles[arm], stored(rows["day"])
        common = {"arm": arm, "readout": readout["name"], "x": "day", "y": "value"}
        edge = {"width": 0, "color": style.colour}
        low_high = rows.dropna(subset=["low", "high"])
        if len(low_high):
            for series, fill in (("low", None), ("high", "tonexty")):
                figure.add_scatter(
                    x=stored(low_high["day"]),
                    y=stored(low_high[series]),
                    mode="lines",
                    line=edge,
                    fill=fill,
                    fillcolor=style.band,
                    hoverinfo="skip",
                    legendgroup=arm,
                    showlegend=False,
                    meta={**common, "series": f"95 % {series}"},
                )
        figure.add_scatter(
            x=days,
            y=stored(rows["mean"]),
            mode="lines",
            name=plain(arm),
            legendgroup=arm,
            line={"color": style.colour, "width": 2, "dash": style.dash},
            hovertemplate=f"%{{y:.3~g}}<extra>{plain(arm)}</extra>",
            meta={**common, "series": "mean"},
        )
        tops += [rows["mean"].max(), low_high["high"].max() if len(low_high) else math.nan]
        last = rows["mean"].dropna()
        ends.append(f"{arm} {number_text(last.iloc[-1]) if len(last) else 'no value'}")
    figure.update_xaxes(range=[0, material.days], title_text="Day")
    finite = [t for t in tops if math.isfinite(t)]
    if bands["mean"].min() >= 0:
        highest = min(max([*finite, 0.0]), _WIDEST_BAND * float(bands["mean"].max()))
        figure.update_yaxes(range=[0, 1.06 * highest or 1.0])
    courses = [
        course
        for arm in material.study.arms
        for drug in dict.fromkeys(dose.drug for dose in arm.doses)
        for course in _courses(material, arm, drug)
    ]
    for day in sorted({day for first, last, _ in courses for day in (first, last)}):
        figure.add_shape(
            type="line", x0=day, x1=day, yref="paper", y0=0, y1=0.045, line={"color": "var(--muted)", "width": 1.2}
        )
    figure.update_layout(hovermode="x unified")
    title, unit = heading(readout)
    return Panel(
        title, unit, figure, 230, f"{title} over time, mean of each arm with 95 % band. At the end: {', '.join(ends)}."
    )
