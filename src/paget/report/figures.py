"""The time axis of a study: what is done to each arm, and what follows along the causal chain.

Each panel is a Plotly figure of its own, so that panels flow with the width of the page. Colours are names of CSS
variables (see `theme`). The `meta` of a trace says how its points read as rows of a table, from which the page writes
its CSV files.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from paget.compare import series_bands
from paget.experiment import Arm
from paget.report.acts import Done, acts, waiting
from paget.report.material import Material
from paget.report.plotting import CHARACTER_PIXELS, Panel, empty_figure, heading, plain, stored, time_axis
from paget.report.prose import never_happened
from paget.report.theme import moment_text, number_text, shortened, wrapped

__all__ = ["cascade_panels", "protocol_panel"]

_MOST_POINTS = 400
_MOST_DOSES = 100  # of a drug in an arm that a reader can tell apart
_WIDEST_BAND = 2.5  # of two or three animals the band is so wide that it would flatten the curves
_MOST_DARK_BANDS = 8  # of more arms they would cover each other
_MOST_MOMENTS = 60  # in an arm; of more the median stands for all
_NAME_WIDTH = 28
_LEGEND_CHARACTERS = 110  # of a line of the legend above the time lines
_MARKS = ("triangle-down", "square", "diamond", "circle", "pentagon", "star", "hexagon", "triangle-up")


def protocol_panel(material: Material) -> Panel:
    """Draw what is done to each arm and when: marks for what is done at once, bars for what lasts."""
    figure = empty_figure(left=_room_for(material.arms), top=10, bottom=36)
    arms = list(reversed(material.study.arms))
    done = {arm.name: acts(arm, material.study.duration) for arm in material.study.arms}
    labels = list(dict.fromkeys(act.label for found in done.values() for act in found))
    for row, arm in enumerate(arms):
        style = material.styles[arm.name]
        figure.add_scatter(
            x=[material.start, material.days],
            y=[row, row],
            mode="lines",
            line={"color": style.colour, "width": 2, "dash": style.dash},
            hoverinfo="skip",
            showlegend=False,
        )
    for rank, label in enumerate(labels):
        days, rows, told, ends = [], [], [], []
        for row, arm in enumerate(arms):
            given = list(dict.fromkeys(act.label for act in done[arm.name]))
            if label not in given:
                continue
            height = row - 0.68 * ((given.index(label) + 1) / (len(given) + 1) - 0.5) if len(given) > 1 else row
            for course in _courses(done[arm.name], label, material.days):
                days.append(course.start)
                rows.append(height)
                ends.append(course.end)
                until = "" if course.end is None else f" to {moment_text(course.end, material.days)}"
                told.append(plain(f"{arm.name}: {course.words}, {moment_text(course.start, material.days)}{until}"))
                if course.end is not None:
                    figure.add_scatter(
                        x=[course.start, course.end],
                        y=[height] * 2,
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
            name=plain(label),
            text=told,
            customdata=ends,
            hovertemplate="%{text}<extra></extra>",
            marker={
                "symbol": _MARKS[rank % len(_MARKS)],
                "size": 8,
                "color": "var(--ink)" if rank % 2 == 0 else "var(--paper)",
                "line": {"color": "var(--ink)", "width": 1.2},
            },
            meta={"series": label, "x": "day", "customdata": "until day", "text": "act"},
        )
    _add_moments(figure, material, arms)
    held = [(row, words) for row, arm in enumerate(arms) for words in waiting(arm, material.study.duration)]
    if held:
        figure.add_scatter(
            x=[material.days] * len(held),
            y=[row + 0.05 for row, _ in held],
            mode="text",
            text=[plain(shortened(words, 84)) for _, words in held],
            hovertext=[plain(words) for _, words in held],
            hoverinfo="text",
            textposition="top left",
            textfont={"size": 10.5, "color": "var(--muted)"},
            showlegend=False,
            meta={"series": "depends on an event", "text": "act"},
        )
    figure.update_xaxes(**time_axis(material.days, material.start))
    rim = 0.01 * (material.days - material.start)
    figure.update_xaxes(range=[material.start - rim, material.days + rim])
    figure.update_yaxes(
        range=[-0.6, len(arms) - 0.4],
        tickvals=list(range(len(arms))),
        ticktext=["<br>".join(map(plain, wrapped(arm.name, _NAME_WIDTH))) for arm in arms],
        ticks="",
        showgrid=False,
        showline=False,
    )
    figure.update_layout(
        showlegend=bool(labels),
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "font": {"size": 12}, "itemclick": False},
        margin_t=12 + 22 * -(-sum(len(label) + 5 for label in labels) // _LEGEND_CHARACTERS) if labels else 10,
    )
    treatments = "; ".join(f"{arm.name}: {arm.in_words()}" for arm in material.study.arms)
    never = " ".join(never_happened(material))
    most = max((len({act.label for act in found}) for found in done.values()), default=1)
    height = 64 + figure.layout.margin.t + max(34, 13 * most) * len(arms)
    return Panel(
        "Treatment of each arm", "", figure, height, f"Time line of treatments. {treatments}. {never}".rstrip()
    )


def _add_moments(figure: Any, material: Material, arms: Sequence[Arm]) -> None:
    """Draw when what an arm waits for happened: a circle for every animal, as long as they can be told apart."""
    found = material.moments
    for row, arm in enumerate(arms):
        for moment, mine in found[found["arm"] == arm.name].groupby("moment", sort=False):
            happened = mine.dropna(subset=["day"])
            if happened.empty:
                continue
            days = happened["day"]
            middle, first, last = float(days.median()), float(days.min()), float(days.max())
            span = f"{moment_text(first, material.days)} to {moment_text(last, material.days)}"
            all_of_it = (
                f"{arm.name}: {moment}, median {moment_text(middle, material.days)} ({span}), "
                f"{len(days)} of {len(mine)} {material.individuals}"
            )
            each = len(days) <= _MOST_MOMENTS
            figure.add_scatter(
                x=[first, last],
                y=[row, row],
                mode="lines",
                line={"color": "var(--accent)", "width": 5},
                opacity=0.3,
                hoverinfo="skip",
                showlegend=False,
            )
            figure.add_scatter(
                x=stored(days) if each else [middle],
                y=[row] * (len(days) if each else 1),
                mode="markers",
                name=plain(str(moment)),
                text=[
                    plain(f"{material.individual} {animal} of {all_of_it}")
                    for animal in (happened["animal"] if each else ())
                ]
                or [plain(all_of_it)],
                customdata=[int(animal) for animal in happened["animal"]] if each else None,
                hovertemplate="%{text}<extra></extra>",
                marker={
                    "symbol": "circle",
                    "size": 8,
                    "color": "var(--paper)",
                    "line": {"color": "var(--accent)", "width": 1.6},
                },
                meta={
                    "arm": arm.name,
                    "series": str(moment),
                    "x": "day",
                    "text": "act",
                    **({"customdata": material.individual} if each else {}),
                },
            )


def _courses(done: Sequence[Done], label: str, days: float) -> list[Done]:
    """What is done under one label: acts too close to be told apart are one course, with its first and its last day."""
    mine = [act for act in done if act.label == label]
    found: list[Done] = []
    for act in mine:
        last = found[-1] if found else None
        near = last is not None and act.start - (last.end or last.start) < days / _MOST_DOSES
        if last is not None and near and act.end is None and len(mine) > _MOST_DOSES:
            found[-1] = replace(last, end=act.start)
        else:
            found.append(act)
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
                    fillcolor=style.band if len(arms) <= _MOST_DARK_BANDS else style.faint,
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
    figure.update_xaxes(**time_axis(material.days, material.start))
    finite = [t for t in tops if math.isfinite(t)]
    if bands["mean"].min() >= 0:
        highest = min(max([*finite, 0.0]), _WIDEST_BAND * float(bands["mean"].max()))
        figure.update_yaxes(range=[0, 1.06 * highest or 1.0])
    courses = [
        course
        for arm in material.study.arms
        for label in dict.fromkeys(act.label for act in acts(arm, material.study.duration))
        for course in _courses(acts(arm, material.study.duration), label, material.days)
    ]
    for day in sorted({day for course in courses for day in (course.start, course.end) if day is not None}):
        if material.start <= day < material.days:
            figure.add_shape(
                type="line", x0=day, x1=day, yref="paper", y0=0, y1=0.045, line={"color": "var(--muted)", "width": 1.2}
            )
    figure.update_layout(hovermode="x unified")
    title, unit = heading(readout)
    return Panel(
        title, unit, figure, 230, f"{title} over time, mean of each arm with 95 % band. At the end: {', '.join(ends)}."
    )
