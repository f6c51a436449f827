"""Kaplan-Meier curves with bands, marks for animals that left, and the numbers at risk below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from paget.compare import IncidenceCurve, SurvivalCurve, SurvivalCurves, survival
from paget.report.material import Material
from paget.report.plotting import CHARACTER_PIXELS, Panel, empty_figure, heading, plain, stored
from paget.report.sweeps import coordinates
from paget.report.theme import DAYS_PER_YEAR, in_years, p_text, shortened

__all__ = ["add_band", "kept_steps", "survival_panels"]

_NAME_WIDTH = 24
_AT_RISK = "Number at risk"
_ROW_PIXELS = 17
_MOST_STEPS = 500
_CURVE_PIXELS = 270
_BELOW_PIXELS = 52
_LABEL_DROP = 0.08  # tick labels sit this share of a row lower than texts in the plot


def survival_panels(material: Material) -> list[tuple[Panel, SurvivalCurves]]:
    """Draw, for each time readout, the share of animals or patients still without the event, and return the tests with it."""
    found = (
        (readout, survival(material.outcomes, readout, material.arms, material.days))
        for readout in material.timed
        if (material.outcomes["readout"] == readout["name"]).any()
    )
    return [(_panel(material, readout, curves), curves) for readout, curves in found if curves.curves]


def _panel(material: Material, readout: Mapping[str, Any], curves: SurvivalCurves) -> Panel:
    rows = len(curves.curves)
    shown_days = [day for day in curves.risk_days if day >= material.start]
    brief = coordinates(material.study)
    names = [shortened(brief[curve.arm], _NAME_WIDTH) for curve in curves.curves]
    risk = _ROW_PIXELS * (rows + 1)
    height = _CURVE_PIXELS + _BELOW_PIXELS + risk
    drawn = height - 8 - 10
    split = (risk + _BELOW_PIXELS) / drawn
    figure = empty_figure(
        left=round(44 + CHARACTER_PIXELS * max(len(_AT_RISK) + 1, *map(len, names))), top=8, bottom=10, right=16
    )
    for curve in curves.curves:
        _add_curve(figure, material, readout, curve)
    figure.update_layout(
        xaxis={
            "range": [material.start, curves.horizon_days],
            "tickvals": shown_days,
            "ticktext": [_tick(day, material.days) for day in shown_days],
            "title": {"text": "Year" if in_years(material.days) else "Day", "standoff": 4},
            "anchor": "y",
        },
        yaxis={
            "range": [-0.015, 1.03],
            "domain": [split, 1],
            "tickvals": [0, 0.25, 0.5, 0.75, 1],
            "ticktext": ["0", "25 %", "50 %", "75 %", "100 %"],
        },
        yaxis2={
            "domain": [0, risk / drawn],
            "range": [rows - 0.5, -1.5],
            "tickvals": [-1, *range(rows)],
            "ticktext": [f"<b>{_AT_RISK}</b>", *_coloured(material, curves.curves, names)],
            "showgrid": False,
            "zeroline": False,
            "showline": False,
            "ticks": "",
            "ticklabelstandoff": 8 + round(3.3 * max(len(str(n)) for curve in curves.curves for n in curve.at_risk)),
            "anchor": "x",
            "fixedrange": True,
        },
    )
    for row, curve in enumerate(curves.curves):
        figure.add_scatter(
            x=shown_days,
            y=[row + _LABEL_DROP] * len(shown_days),
            yaxis="y2",
            mode="text",
            text=[str(n) for day, n in zip(curves.risk_days, curve.at_risk, strict=True) if day >= material.start],
            textfont={"size": 11.5, "color": "var(--ink)"},
            cliponaxis=False,
            hoverinfo="skip",
            meta={"arm": curve.arm, "readout": readout["name"], "series": "at risk", "x": "day", "text": "value"},
        )
    title, _ = heading(readout)
    ends = ", ".join(f"{c.arm} {100 * c.survival[-1]:.0f} % of {c.n}" for c in curves.curves)
    alt = f"Kaplan-Meier curves of {title}. Without the event at the end: {ends}. Log-rank test: p {p_text(curves.p)}."
    return Panel(title, f"{material.individuals} still without the event", figure, height, alt)


def _tick(day: float, days: float) -> str:
    return f"{day / DAYS_PER_YEAR:.3g}" if in_years(days) else f"{day:g}"


def add_band(
    figure: Any, material: Material, readout: Mapping[str, Any], curve: SurvivalCurve | IncidenceCurve
) -> None:
    """Draw the 95 % band of a curve that goes by steps."""
    style, kept = material.styles[curve.arm], kept_steps(curve.days)
    for series, values, fill in (("95 % low", curve.low, None), ("95 % high", curve.high, "tonexty")):
        figure.add_scatter(
            x=stored(curve.days[i] for i in kept),
            y=stored(values[i] for i in kept),
            mode="lines",
            line={"width": 0, "shape": "hv", "color": style.colour},
            fill=fill,
            fillcolor=style.faint,
            hoverinfo="skip",
            legendgroup=curve.arm,
            showlegend=False,
            meta={"arm": curve.arm, "readout": readout["name"], "series": series, "x": "day", "y": "value"},
        )


def _add_curve(figure: Any, material: Material, readout: Mapping[str, Any], curve: SurvivalCurve) -> None:
    style = material.styles[curve.arm]
    common = {"arm": curve.arm, "readout": readout["name"], "x": "day", "y": "value"}
    kept = kept_steps(curve.days)
    days = stored(curve.days[i] for i in kept)
    add_band(figure, material, readout, curve)
    figure.add_scatter(
        x=days,
        y=stored(curve.survival[i] for i in kept),
        mode="lines",
        name=plain(curve.arm),
        legendgroup=curve.arm,
        line={"width": 2.2, "shape": "hv", "color": style.colour, "dash": style.dash},
        hovertemplate=f"day %{{x:.4~g}}: %{{y:.0%}}<extra>{plain(curve.arm)}</extra>",
        meta={**common, "series": "without event"},
    )
    left = sorted(set(curve.censored))
    left = [left[i] for i in kept_steps(left)]
    if left:
        figure.add_scatter(
            x=stored(left),
            y=[_height_at(curve, day) for day in left],
            mode="markers",
            marker={"symbol": "line-ns-open", "size": 8, "color": style.colour},
            legendgroup=curve.arm,
            showlegend=False,
            hovertemplate=f"left on day %{{x:.4~g}}<extra>{plain(curve.arm)}</extra>",
            meta={**common, "series": "censored"},
        )


def kept_steps(days: Sequence[float]) -> list[int]:
    """Which steps are drawn: all, or of very many the last one in each of equal spans of time, so that none is moved."""
    if len(days) <= _MOST_STEPS:
        return list(range(len(days)))
    spans = [int(_MOST_STEPS * (day - days[0]) / ((days[-1] - days[0]) or 1.0)) for day in days]
    return [0, *(i for i in range(1, len(days)) if i + 1 == len(days) or spans[i] != spans[i + 1])]


def _height_at(curve: SurvivalCurve, day: float) -> float:
    return max((d, s) for d, s in zip(curve.days, curve.survival, strict=True) if d <= day)[1]


def _coloured(material: Material, curves: Sequence[SurvivalCurve], names: Sequence[str]) -> list[str]:
    return [
        f'<span style="color:{material.styles[curve.arm].colour}">{plain(name)}</span>'
        for curve, name in zip(curves, names, strict=True)
    ]
