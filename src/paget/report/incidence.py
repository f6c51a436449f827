"""Events of which another may come first: the share that has had each, beside what came first instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from paget.compare import CumulativeIncidence, IncidenceCurve, cumulative_incidence
from paget.report import tables
from paget.report.markup import Cell, folded, table
from paget.report.material import SIGNIFICANT, Material
from paget.report.plotting import Panel, empty_figure, heading, plain, stored, time_axis
from paget.report.prose import in_words_of, lower_first
from paget.report.survival import add_band, kept_steps
from paget.report.theme import moment_text, number_text, p_text

__all__ = ["Found", "incidence_panels", "incidence_tables", "together"]

_HEIGHT = 290

Found = tuple[Mapping[str, Any], CumulativeIncidence]


def incidence_panels(material: Material) -> list[tuple[Panel, Found]]:
    """Draw, for each time readout that names competing ones, the cumulative incidence of both in every arm."""
    times = {r["name"]: r for r in material.timed}
    present = set(material.outcomes["readout"].unique())
    found = []
    for readout in material.timed:
        others = [times[name] for name in readout.get("competing", ()) if name in times and name in present]
        if others and readout["name"] in present:
            curves = cumulative_incidence(material.outcomes, readout, others, material.arms, failed=dict(material.lost))
            if curves.curves:
                found.append((_panel(material, readout, curves), (readout, curves)))
    return found


def _panel(material: Material, readout: Mapping[str, Any], found: CumulativeIncidence) -> Panel:
    figure = empty_figure(left=50, top=8, bottom=44, right=14)
    asked = [curve for curve in found.curves if curve.cause == found.event]
    instead = [curve for curve in found.curves if curve.cause != found.event]
    for curve in asked:
        add_band(figure, material, readout, curve)
    for curves, kind in ((instead, "instead"), (asked, "asked")):
        for curve in curves:
            _add_curve(figure, material, readout, curve, kind)
    figure.update_xaxes(**time_axis(material.days, material.start))
    highest = max((max(curve.high) for curve in asked), default=0.0)
    highest = max([highest, *(curve.incidence[-1] for curve in instead), 0.04])
    figure.update_yaxes(range=[0, min(1.03, 1.08 * highest)], tickformat=".0%")
    title, _ = heading(readout)
    ends = ", ".join(f"{c.arm} {100 * c.incidence[-1]:.0f} % of {c.n:,}" for c in asked)
    others = ", ".join(f"{c.arm} {100 * c.incidence[-1]:.0f} %" for c in instead)
    alt = (
        f"Cumulative incidence of {title} (Aalen-Johansen). At the end: {ends}. First had {' or '.join(found.competing)}: "
        f"{others}. Gray's test of all arms: p {p_text(found.p)}."
    )
    return Panel(title, f"{material.individuals} that have had the event", figure, _HEIGHT, alt)


def _add_curve(figure: Any, material: Material, readout: Mapping[str, Any], curve: IncidenceCurve, kind: str) -> None:
    style, kept = material.styles[curve.arm], kept_steps(curve.days)
    asked = kind == "asked"
    what = "" if asked else f", {curve.cause} first"
    figure.add_scatter(
        x=stored(curve.days[i] for i in kept),
        y=stored(curve.incidence[i] for i in kept),
        mode="lines",
        name=plain(curve.arm),
        legendgroup=curve.arm,
        showlegend=False,
        line={
            "width": 2.2 if asked else 1.1,
            "shape": "hv",
            "color": style.colour,
            "dash": style.dash if asked else "dot",
        },
        hovertemplate=f"day %{{x:.4~g}}: %{{y:.1%}}<extra>{plain(curve.arm + what)}</extra>",
        meta={
            "arm": curve.arm,
            "readout": readout["name"],
            "series": "incidence" if asked else f"incidence of {curve.cause} first",
            "x": "day",
            "y": "value",
        },
    )


def incidence_tables(material: Material, found: Sequence[Found]) -> str:
    """The contrasts of the study in each event: difference of the shares, Gray's test, and the cause-specific hazard."""
    wanted = {frozenset(pair): pair for pair in material.study.contrasts}
    parts = []
    for readout, one in found:
        rows = []
        for c in one.contrasts:
            pair = wanted.get(frozenset((c.arm, c.versus)))
            if pair is None:
                continue
            turned = pair != (c.arm, c.versus)
            sign = -1.0 if turned else 1.0
            low, high = sorted((sign * 100 * c.interval[0], sign * 100 * c.interval[1]))
            effect = sign * 100 * c.effect
            plus = "+" if effect > 0 else ""
            hazard, limits = c.hazard_ratio, c.hazard_interval
            if turned and hazard:
                hazard, limits = 1 / hazard, None if limits is None else (_inverse(limits[1]), _inverse(limits[0]))
            interval = f" ({number_text(limits[0], 2)} to {number_text(limits[1], 2)})" if limits is not None else ""
            rows.append(
                [
                    Cell(escape(pair[0])),
                    Cell(escape(pair[1])),
                    Cell(in_words_of(c.n_arm, c.n_versus, c.paired), float(c.n_arm), number=True),
                    Cell(f"{plus}{number_text(effect)} ({number_text(low)} to {number_text(high)})", effect, number=True),
                    Cell(escape(moment_text(round(c.day, 1), material.days)), c.day, number=True),
                    Cell(_strong(c.p), c.p, number=True),
                    Cell(_strong(c.p_adjusted), c.p_adjusted, number=True),
                    Cell(f"{number_text(hazard)}{interval}", hazard, number=True),
                    Cell(escape(p_text(c.hazard_p)), c.hazard_p, number=True),
                ]
            )  # fmt: skip
        if rows:
            columns = ["Arm", "Versus", "n", "Difference (% points, 95 % interval)", "By", "Gray’s p", "Adjusted p",
                       "Cause-specific hazard ratio", "Its p"]  # fmt: skip
            caption = f"Gray’s tests: {one.event}, where {together(one)} may come first"
            name = f"incidence-{readout['name']}"
            parts.append(
                folded(
                    caption,
                    table(
                        caption,
                        columns,
                        rows,
                        name,
                        note=f"Adjusted p (Holm) counts all pairs of arms. {tables.lost_note(material)}".rstrip(),
                    ),
                )
            )
    return "".join(parts)


def together(found: CumulativeIncidence) -> str:
    """The events that compete with the one asked for."""
    return " or ".join(lower_first(title) for title in found.competing)


def _inverse(ratio: float) -> float:
    return 1 / ratio if ratio else float("inf")


def _strong(p: float | None) -> str:
    text = escape(p_text(p))
    return f"<strong>{text}</strong>" if p is not None and p < SIGNIFICANT else text
