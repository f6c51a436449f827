"""Every animal of every arm, with boxes, and brackets for the contrasts of the study."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from matplotlib.ticker import MaxNLocator

from paget.report.material import SIGNIFICANT, Material
from paget.report.plotting import TILT, Panel, empty_figure, heading, plain, stored, tilted_room
from paget.report.sweeps import coordinates
from paget.report.theme import number_text, p_text, shortened, significant_digits, stars

__all__ = ["MOST_SHOWN", "box_panels"]

MOST_SHOWN = 300  # animals of an arm drawn one by one; boxes are of all

_MOST_BRACKETS = 6
_FEWEST_PLACES = 4
_FEW_ANSWERS = 30
_TITLE_ROOM = 20
_Z = 1.959964  # of a 95 % interval


def box_panels(material: Material) -> list[Panel]:
    """Draw every animal of every arm for the headline readouts, with boxes and brackets for the contrasts."""
    return [_boxes(material, readout) for readout in material.headline]


def _boxes(material: Material, readout: Mapping[str, Any]) -> Panel:
    arms = material.arms
    samples = [material.values(readout["name"], arm) for arm in arms]
    shown = [sample[sample["animal"] < MOST_SHOWN] for sample in samples]
    brief = coordinates(material.study)
    names = [shortened(brief[arm], 24) for arm in arms]
    left, bottom = tilted_room(names)
    bottom += _TITLE_ROOM if brief.title else 0
    figure = empty_figure(left=left, top=8, bottom=bottom)
    values = pd.concat(samples)["value"]
    # of many that are 0 or 1 the share of ones says more than boxes
    yes_or_no = len(values) > len(arms) * _FEW_ANSWERS and bool(values.isin((0.0, 1.0)).all())
    for first, second in () if yes_or_no else _neighbours(material):
        figure.add_scatter(
            **_pair_lines(shown[first], shown[second], first, second),
            mode="lines",
            line={"color": "var(--line)", "width": 0.8},
            hoverinfo="skip",
            showlegend=False,
        )
    for place, (arm, sample) in enumerate(zip(arms, samples, strict=True)):
        if sample.empty:
            continue
        if yes_or_no:
            _add_share(figure, material, arm, readout["name"], place, sample["value"].to_numpy(np.float64))
            continue
        _add_box(figure, material, arm, place, sample["value"].to_numpy(np.float64))
        drawn = shown[place]
        style = material.styles[arm]
        edge = style.colour if style.hollow else "var(--paper)"
        figure.add_scatter(
            x=[place + _jitter(a) for a in drawn["animal"]],
            y=stored(drawn["value"]),
            mode="markers",
            name=plain(arm),
            legendgroup=arm,
            showlegend=False,
            marker={"color": style.colour, "size": 6, "symbol": style.symbol, "line": {"color": edge, "width": 0.8}},
            customdata=[int(a) for a in drawn["animal"]],
            hovertemplate=f"{material.individual} %{{customdata}}: %{{y:.4~g}}<extra>{plain(arm)}</extra>",
            meta={"arm": arm, "readout": readout["name"], "series": "animal", "y": "value", "customdata": "animal"},
        )
    low, high = (0.0, 1.0) if yes_or_no else _limits(samples, shown)
    base = min(0.0, low)
    span = (high - base) or 1.0
    brackets = _brackets(material, readout["name"])
    levels = 1 + max((level for *_, level in brackets), default=-1)
    step = 0.105 * span
    for first, second, label, told, level in brackets:
        _add_bracket(figure, first, second, high + 0.06 * span + level * step, span, label, told)
    top = high + (0.06 * span + levels * step if levels else 0.06 * span)
    figure.update_yaxes(range=[base - 0.03 * span, top if high > base else base + 1.0 + levels * step])
    ticks = MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10], integer=readout["kind"] == "count").tick_values(
        base, base + span
    )
    figure.update_yaxes(tickvals=stored(tick for tick in ticks if base <= tick <= high + 0.07 * span))
    pad = max(0.6, (_FEWEST_PLACES - len(arms)) / 2)
    figure.update_xaxes(
        range=[-pad, len(arms) - 1 + pad],
        tickvals=list(range(len(arms))),
        ticktext=[plain(name) for name in names],
        tickangle=-TILT,
        ticks="",
        title={"text": plain(brief.title), "standoff": 4},
    )
    title, _ = heading(readout)
    middle = "mean" if yes_or_no else "median"
    medians = ", ".join(
        f"{arm} {number_text(float(s['value'].agg(middle)))} (n = {len(s)})"
        for arm, s in zip(arms, samples, strict=True)
        if len(s)
    )
    marks = "; ".join(told for *_, told, _ in brackets)
    alt = (
        f"{title}, {readout['summary']} value of every {material.individual}. {'Shares' if yes_or_no else 'Medians'}: "
    )
    alt += f"{medians or f'no {material.individual} finished'}. {marks}"
    return Panel(title, _about(readout, yes_or_no, material), figure, 230 + bottom + 14 * levels, alt)


def _about(readout: Mapping[str, Any], yes_or_no: bool, material: Material) -> str:
    if yes_or_no:
        return f"share of the {material.individuals}, {readout['summary']}"
    unit = heading(readout)[1]
    return f"{unit}, {readout['summary']}" if unit else str(readout["summary"])


def _limits(samples: list[pd.DataFrame], shown: list[pd.DataFrame]) -> tuple[float, float]:
    """The lowest and the highest value that is drawn: of the points, and of the boxes with their whiskers."""
    found = [frame["value"].to_numpy(np.float64) for frame in shown]
    found += [np.array(_five(frame["value"].to_numpy(np.float64))) for frame in samples if len(frame)]
    values = np.concatenate(found)
    return (float(values.min()), float(values.max())) if len(values) else (0.0, 0.0)


def _five(numbers: np.ndarray) -> tuple[float, float, float, float, float]:
    """Lower whisker, quartiles with the median, upper whisker."""
    low, middle, high = (float(q) for q in np.quantile(numbers, [0.25, 0.5, 0.75]))
    reach = 1.5 * (high - low)
    within = numbers[(numbers >= low - reach) & (numbers <= high + reach)]
    return float(within.min()), low, middle, high, float(within.max())


def _add_box(figure: go.Figure, material: Material, arm: str, place: int, numbers: np.ndarray) -> None:
    style = material.styles[arm]
    bottom, low, middle, high, top = _five(numbers)
    figure.add_box(
        x=[place],
        q1=[low],
        median=[middle],
        q3=[high],
        lowerfence=[bottom],
        upperfence=[top],
        width=0.58,
        boxpoints=False,
        line={"color": style.colour, "width": 1.4},
        fillcolor="rgba(0,0,0,0)" if style.hollow else style.band,
        hoverinfo="skip",
        legendgroup=arm,
        showlegend=False,
    )


def _add_share(figure: go.Figure, material: Material, arm: str, readout: str, place: int, numbers: np.ndarray) -> None:
    """A bar for the share of ones, with the 95 % interval of Wilson."""
    style, n = material.styles[arm], len(numbers)
    share = float(numbers.mean())
    middle = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z * float(np.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))) / (1 + _Z**2 / n)
    low, high = middle - half, middle + half
    figure.add_bar(
        x=[place],
        y=stored([share]),
        width=[0.58],
        marker={"color": style.band, "line": {"color": style.colour, "width": 1.4}},
        error_y={
            "type": "data",
            "array": stored([high - share]),
            "arrayminus": stored([share - low]),
            "color": style.colour,
            "thickness": 1.4,
            "width": 4,
        },
        customdata=[n],
        hovertemplate=f"%{{y:.4~g}} ({low:.3g} to {high:.3g}), n = {n:,}<extra>{plain(arm)}</extra>",
        legendgroup=arm,
        showlegend=False,
        meta={"arm": arm, "readout": readout, "series": "share", "y": "value", "customdata": "n"},
    )


def _neighbours(material: Material) -> list[tuple[int, int]]:
    places = {arm: i for i, arm in enumerate(material.arms)}
    pairs = ((places[arm], places[versus]) for arm, versus in material.study.contrasts)
    return [(min(p), max(p)) for p in pairs if abs(p[0] - p[1]) == 1]


def _pair_lines(left: pd.DataFrame, right: pd.DataFrame, first: int, second: int) -> dict[str, list[float | None]]:
    both = left.merge(right, on="animal", suffixes=("_left", "_right"))
    x: list[float | None] = []
    y: list[float | None] = []
    for animal, before, after in zip(both["animal"], both["value_left"], both["value_right"], strict=True):
        x += [first + _jitter(animal), second + _jitter(animal), None]
        y += [significant_digits(before), significant_digits(after), None]
    return {"x": x, "y": y}


def _jitter(animal: int) -> float:
    """Put an animal at the same place within every arm; the golden ratio spreads neighbours apart."""
    return 0.36 * ((int(animal) * 0.618034) % 1.0 - 0.5)


def _brackets(material: Material, readout: str) -> list[tuple[int, int, str, str, int]]:
    """Lay brackets over the contrasts, short ones lowest, each on the first level where it is free."""
    places = {arm: i for i, arm in enumerate(material.arms)}
    spans = []
    for c in material.comparisons:
        p = c.p_adjusted if c.p_adjusted is not None else c.p
        if c.readout == readout and p is not None:
            first, second = sorted((places[c.arm], places[c.versus]))
            told = f"{c.arm} versus {c.versus}: Holm-adjusted p {'' if p < 0.001 else '= '}{p_text(p)}"
            spans.append((first, second, stars(p), told, p))
    if len(spans) > _MOST_BRACKETS:
        spans = [s for s in spans if s[4] < SIGNIFICANT]
    levels: list[list[tuple[int, int]]] = []
    laid = []
    for first, second, label, told, _ in sorted(spans, key=lambda s: (s[1] - s[0], s[0])):
        level = next(
            (i for i, taken in enumerate(levels) if all(second < a or first > b for a, b in taken)), len(levels)
        )
        if level == len(levels):
            levels.append([])
        levels[level].append((first, second))
        laid.append((first, second, label, told, level))
    return laid


def _add_bracket(figure: go.Figure, first: int, second: int, height: float, span: float, label: str, told: str) -> None:
    foot = height - 0.018 * span
    a, b = first + 0.06, second - 0.06
    figure.add_scatter(
        x=[a, a, b, b],
        y=[foot, height, height, foot],
        mode="lines",
        line={"color": "var(--ink)" if label != "n.s." else "var(--muted)", "width": 1},
        hoverinfo="skip",
        showlegend=False,
    )
    figure.add_scatter(
        x=[(a + b) / 2],
        y=[height + (0.012 if label == "n.s." else -0.012) * span],
        mode="text",
        text=[label],
        textposition="top center",
        textfont={"size": 10 if label == "n.s." else 13, "color": "var(--muted)" if label == "n.s." else "var(--ink)"},
        hovertext=[plain(told)],
        hoverinfo="text",
        showlegend=False,
    )
