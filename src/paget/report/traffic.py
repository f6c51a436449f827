"""Cells on their way over time: circulating tumour cells, founders that arrived, and where the cells that were shed went."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from paget.errors import ResultError
from paget.report.body_map import slug
from paget.report.material import collect
from paget.report.plotting import Panel, empty_figure, plain, stored, time_axis
from paget.report.theme import number_text, palettes

if TYPE_CHECKING:
    from paget.report.material import Material, ResultLike

__all__ = ["Fates", "arrival_panels", "blood_panels", "draw_traffic", "fate_panels", "fates", "quartiles"]

_MOST_POINTS = 300
_MOST_LINEAR = 100  # with more arrivals than this, arms with few would not be seen on a linear axis
_DECADES = 6  # below the highest value; smaller ones lie on the lower axis
_FATES = (
    ("arrived", "arrived in a site", "--clone-4"),
    ("transit", "in blood or lymph", "--clone-5"),
    ("died", "died on the way", "--line"),
)


@dataclass(frozen=True)
class _Course:
    column: str
    title: str
    unit: str
    range: tuple[float, float] | None = None  # of a logarithmic axis


@dataclass(frozen=True)
class Fates:
    """What became of the cells shed so far, means over the animals of each arm: arm, day, shed, arrived, transit, died."""

    table: pd.DataFrame

    @property
    def top(self) -> float:
        """Where axes of shares end: at 1, or just above what has not died, if that is little once most have been shed."""
        late = self.table[(self.table["shed"] > 0) & (self.table["day"] >= 0.25 * self.table["day"].max())]
        most = float(((late["shed"] - late["died"]) / late["shed"]).max()) if len(late) else 1.0
        if not 0.0 < most < 0.25:
            return 1.0
        decade = 10.0 ** math.floor(math.log10(1.2 * most))
        return min(1.0, math.ceil(1.2 * most / decade) * decade)

    def at_the_end(self, arm: str) -> pd.Series | None:
        """The last row of an arm; None if it has none."""
        rows = self.table[self.table["arm"] == arm]
        return rows.iloc[-1] if len(rows) else None


def quartiles(metrics: pd.DataFrame, column: str) -> pd.DataFrame:
    """Median and quartiles over the animals of each arm on each day: arm, day, low, median, high, n."""
    groups = metrics.groupby(["arm", "day"], observed=True)[column]
    parts = {
        "low": groups.quantile(0.25),
        "median": groups.median(),
        "high": groups.quantile(0.75),
        "n": groups.count(),
    }
    return pd.DataFrame(parts).reset_index()


def _thinned(metrics: pd.DataFrame) -> pd.DataFrame:
    days = np.sort(metrics["day"].unique().astype(np.float64))
    if len(days) <= _MOST_POINTS:
        return metrics
    kept = days[np.linspace(0, len(days) - 1, _MOST_POINTS).round().astype(int)]
    rows: pd.DataFrame = metrics[metrics["day"].isin(kept)]
    return rows


def _blood_courses(material: Material) -> list[_Course]:
    known = (
        ("ctc_per_ml", "Circulating tumour cells", "per mL of blood", 0.0),
        ("ctc_single", "Single cells in the blood", "cells", 1.0),
        ("ctc_clusters", "Clusters in the blood", "clusters", 1.0),
    )
    there = [course for course in known if course[0] in material.metrics.columns]
    return [
        _Course(column, title, unit, _log_range(quartiles(_thinned(material.metrics), column), least))
        for column, title, unit, least in there
    ]


def _arrival_courses(material: Material) -> list[_Course]:
    sites = {site: f"arrivals_{slug(site)}" for site in material.sites}
    there = [
        site for site in sites if sites[site] in material.metrics.columns and material.metrics[sites[site]].max() > 0
    ]
    if not there:
        return []
    bands = pd.concat([quartiles(_thinned(material.metrics), sites[site]) for site in there])
    shared = _log_range(bands, 1.0) if bands["high"].max() > _MOST_LINEAR else None
    return [_Course(sites[site], site[:1].upper() + site[1:], "", shared) for site in there]


def blood_panels(material: Material) -> list[Panel]:
    """Draw circulating tumour cells over time: median of each arm with its quartiles, on logarithmic axes."""
    return [_panel(material, course) for course in _blood_courses(material)] if material.arms_with_data else []


def arrival_panels(material: Material) -> list[Panel]:
    """Draw the founders that have arrived in each site so far; sites that nothing reached are left out."""
    return [_panel(material, course) for course in _arrival_courses(material)] if material.arms_with_data else []


def _panel(material: Material, course: _Course) -> Panel:
    log = course.range is not None
    figure = empty_figure(left=54 if log else 46, top=8, bottom=38)
    bands = quartiles(_thinned(material.metrics), course.column)
    floor, ceiling = course.range or (0.0, 1.06 * float(bands["high"].max()) or 1.0)
    ends = []
    for arm in material.arms_with_data:
        rows = bands[(bands["arm"] == arm) & bands["median"].notna()]
        style, days = material.styles[arm], stored(rows["day"])
        common = {"arm": arm, "readout": course.column, "x": "day", "customdata": "value"}
        for series, fill in (("low", None), ("high", "tonexty")):
            figure.add_scatter(
                x=days,
                y=stored(rows[series].clip(lower=floor)),
                customdata=stored(rows[series]),
                mode="lines",
                line={"width": 0, "color": style.colour},
                fill=fill,
                fillcolor=style.band,
                hoverinfo="skip",
                legendgroup=arm,
                showlegend=False,
                meta={**common, "series": "lower quartile" if series == "low" else "upper quartile"},
            )
        figure.add_scatter(
            x=days,
            y=stored(rows["median"].clip(lower=floor)),
            customdata=stored(rows["median"]),
            mode="lines",
            name=plain(arm),
            legendgroup=arm,
            line={"color": style.colour, "width": 2, "dash": style.dash},
            hovertemplate=f"%{{customdata:.3~g}}<extra>{plain(arm)}</extra>",
            meta={**common, "series": "median"},
        )
        ends.append(f"{arm} {number_text(rows['median'].iloc[-1]) if len(rows) else 'no value'}")
    figure.update_xaxes(**time_axis(material.days, material.start))
    if log:
        powers = range(math.ceil(math.log10(floor)), math.ceil(math.log10(ceiling)) + 1)
        every = max(1, -(-len(powers) // 6))
        figure.update_yaxes(
            type="log",
            range=[math.log10(floor) - 0.03, math.log10(ceiling) + 0.08],
            tickvals=[10.0**p for p in powers[::every]],
            ticktext=["1" if p == 0 else "10" if p == 1 else f"10<sup>{p}</sup>" for p in powers[::every]],
        )
    else:
        figure.update_yaxes(range=[0, ceiling])
    figure.update_layout(hovermode="x unified")
    about = f" ({course.unit})" if course.unit else ": founders that have arrived"
    alt = (
        f"{course.title}{about} over time{', on a logarithmic axis' if log else ''}, median of each arm with quartiles. "
        f"At the end: {', '.join(ends)}."
    )
    return Panel(course.title, course.unit, figure, 230 if course.unit else 200, alt)


def _log_range(bands: pd.DataFrame, least: float = 0.0) -> tuple[float, float]:
    """The range of a logarithmic axis: decades that hold what is positive, six at most, and room below for zeros.

    least : what is positive and below it needs no decade of its own; 1 for numbers of cells
    """
    values = bands[["low", "median", "high"]].to_numpy(np.float64)
    positive = np.maximum(values[values > 0.0], least)
    if not positive.size:
        return 0.5, 10.0
    high = math.log10(positive.max())
    low = max(math.floor(math.log10(positive.min())), math.floor(high) - _DECADES)
    return 0.5 * 10.0**low, 10.0 ** max(high, low + 1.0)


# ---- where shed cells went ------------------------------------------------------------------------------------------


def fates(material: Material) -> Fates | None:
    """Mean over animals of what became of shed cells; None unless shed cells and deaths on the way were recorded.

    What neither died nor arrived is on its way, in blood or lymph.
    """
    metrics = material.metrics
    arrivals = [c for site in material.sites if (c := f"arrivals_{slug(site)}") in metrics.columns]
    if not {"shed", "died_in_blood"} <= set(metrics.columns) or not arrivals or not len(metrics):
        return None
    rows = _thinned(metrics)
    parts = pd.DataFrame(
        {
            "arm": rows["arm"],
            "day": rows["day"],
            "shed": rows["shed"],
            "arrived": rows[arrivals].sum(axis="columns"),
            "died": rows["died_in_blood"],
        }
    )
    means = parts.groupby(["arm", "day"], observed=True).mean().reset_index()
    means["transit"] = (means["shed"] - means["died"] - means["arrived"]).clip(lower=0.0)
    return Fates(means[["arm", "day", "shed", "arrived", "transit", "died"]])


def fate_panels(material: Material, found: Fates) -> list[Panel]:
    """Draw for each arm the shares of shed cells that arrived, are on their way, and died."""
    panels = []
    top = found.top
    for arm in material.arms_with_data:
        rows = found.table[(found.table["arm"] == arm) & (found.table["shed"] > 0)]
        if rows.empty:
            continue
        figure = empty_figure(left=46, top=8, bottom=38)
        for name, label, colour in _FATES:
            figure.add_scatter(
                x=stored(rows["day"]),
                y=stored(rows[name] / rows["shed"]),
                customdata=stored(rows[name]),
                mode="lines",
                stackgroup="fates",
                name=label,
                line={"width": 0.8, "color": f"var({colour})"},
                fillcolor=f"var({colour})",
                hovertemplate=f"%{{y:.3~%}} (%{{customdata:.3~s}} cells)<extra>{label}</extra>",
                meta={"arm": arm, "readout": "share of shed cells", "series": label, "x": "day", "y": "value",
                      "customdata": "cells"},
            )  # fmt: skip
        figure.update_xaxes(**time_axis(material.days, material.start))
        figure.update_yaxes(range=[0, top], tickformat="~%", showgrid=False)
        figure.update_layout(hovermode="x unified")
        last = rows.iloc[-1]
        said = ", ".join(f"{label} {_percent(last[name] / last['shed'])}" for name, label, _ in _FATES)
        alt = f"What became of the cells shed in {arm}, shares over time. At the end: {said} of {number_text(last['shed'])}."
        panels.append(Panel(arm, "", figure, 190, alt))
    return panels


def _percent(share: float) -> str:
    return f"{number_text(100 * share, 3)} %"


def fate_key() -> tuple[tuple[str, str], ...]:
    """Colour and name of each fate."""
    return tuple((colour, label) for _, label, colour in _FATES)


# ---- files for print ------------------------------------------------------------------------------------------------


def draw_traffic(result: ResultLike, path: str | Path) -> Path:
    """Draw circulating cells, arrivals and fates of all arms into a file for print: SVG, PDF or PNG.

    Raises
    ------
    ResultError
        If the result is not one of a body or recorded none of this, or for another ending.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    target = Path(path)
    if target.suffix.lower() not in (".svg", ".pdf", ".png"):
        raise ResultError(f"'{target.name}': a picture ends in .svg, .pdf, .png.")
    material = collect(result)
    courses = [*_blood_courses(material), *_arrival_courses(material)] if material.arms_with_data else []
    found = fates(material)
    arms = [a for a in material.arms_with_data if found is not None and _has_shed(found, a)]
    if not material.sites or not (courses or arms):
        raise ResultError(
            f"'{target.name}' was not written: this result tells nothing of cells on their way in a body."
        )
    across = 3
    rows = -(-(len(courses) + len(arms)) // across)
    high = 2.5 * rows + 0.75
    with rc_context({"svg.hashsalt": "paget", "font.size": 9.0}):
        figure = Figure(figsize=(3.4 * across, high))
        FigureCanvasAgg(figure)
        figure.subplots_adjust(0.06, 0.5 / high, 0.98, 1.0 - 0.75 / high, wspace=0.24, hspace=0.55)
        places = iter(figure.subplots(rows, across, squeeze=False).ravel())
        for course in courses:
            _draw_course(next(places), material, course)
        for rank, arm in enumerate(arms):
            assert found is not None
            axes = next(places)
            _draw_fates(axes, found, arm)
            if rank == 0:
                axes.legend(fontsize=7.5, loc="upper right")
        for axes in places:
            axes.axis("off")
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="upper left", ncols=4, frameon=False)
        facts = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(target.suffix.lower())
        figure.savefig(target, dpi=144, facecolor="white", metadata=facts)
    return target


def _has_shed(found: Fates, arm: str) -> bool:
    last = found.at_the_end(arm)
    return last is not None and bool(last["shed"] > 0)


def _solid(colour: str) -> str:
    """The colour for light screens of a variable, written as on the page or by its name alone."""
    return palettes()["light"][colour.removeprefix("var(").removesuffix(")")]


def _draw_course(axes: Any, material: Material, course: _Course) -> None:
    dashes = {"solid": "-", "dash": "--", "dashdot": "-.", "dot": ":", "longdash": (0, (8, 3))}
    bands = quartiles(_thinned(material.metrics), course.column)
    floor, ceiling = course.range or (0.0, 1.06 * float(bands["high"].max()) or 1.0)
    for arm in material.arms_with_data:
        rows = bands[bands["arm"] == arm]
        style = material.styles[arm]
        colour = _solid(style.colour)
        low, median, high = (rows[name].clip(lower=floor) for name in ("low", "median", "high"))
        axes.fill_between(rows["day"], low, high, color=colour, alpha=0.16, linewidth=0)
        axes.plot(rows["day"], median, color=colour, linestyle=dashes[style.dash], linewidth=1.6, label=arm)
    if course.range is not None:
        axes.set_yscale("log")
    axes.set_ylim(floor, ceiling * (1.2 if course.range is not None else 1.0))
    axes.set_title(
        f"{course.title} ({course.unit})" if course.unit else f"Arrived so far: {course.title.lower()}",
        loc="left",
        fontsize=9.5,
        fontweight="bold",
    )
    _plain_axes(axes, material.days)


def _draw_fates(axes: Any, found: Fates, arm: str) -> None:
    from matplotlib.ticker import PercentFormatter

    rows = found.table[(found.table["arm"] == arm) & (found.table["shed"] > 0)]
    shares: Sequence[Any] = [rows[name] / rows["shed"] for name, _, _ in _FATES]
    axes.stackplot(
        rows["day"], *shares, colors=[_solid(c) for _, _, c in _FATES], labels=[label for _, label, _ in _FATES]
    )
    axes.set_ylim(0.0, found.top)
    axes.set_title(f"Shed cells, {arm}", loc="left", fontsize=8.8, fontweight="bold")
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    _plain_axes(axes, float(rows["day"].max()))


def _plain_axes(axes: Any, days: float) -> None:
    axes.set_xlim(0.0, days)
    axes.set_xlabel("Day")
    axes.spines[["top", "right"]].set_visible(False)
