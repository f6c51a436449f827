"""What the sweep of a study found, drawn: dose-response curves, synergy maps, what matters most; and power curves."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from paget.design.dose_response import DoseResponse, dose_response
from paget.design.power import PowerCurve
from paget.design.sensitivity import Sensitivity, sensitivity
from paget.design.synergy import SynergyMap, synergy
from paget.errors import PagetError
from paget.report.material import Material
from paget.report.plotting import CHARACTER_PIXELS, Panel, empty_figure, plain, stored
from paget.report.response_maps import dose_axes, response_maps
from paget.report.theme import number_text, p_text, shortened

__all__ = ["design_panels", "dose_response_panel", "power_panel", "sensitivity_panel", "synergy_panels"]

_BAND = "var(--arm-2-band)"
_LINE = "var(--arm-2)"
_CURVE_POINTS = 80
_MOST_READOUTS = 4
_MOST_BARS = 15
_NAME = 30
_CELL = 44
_DOWN, _UP = "var(--down)", "var(--up)"


def design_panels(material: Material) -> list[Panel]:
    """Draw what the sweep of a study says of its main readouts; nothing for a study without one.

    One drug gives dose-response curves, two give maps of the means and of synergy, and everything else a ranking of what
    matters. What cannot be told from these animals is left out.
    """
    sweep = material.study.sweep
    if sweep is None:
        return []
    drugs = [name for name in sweep.doses if len({arm.point.get(name) for arm in material.study.arms if arm.point}) > 1]
    panels = response_maps(material)
    for readout in material.headline[:_MOST_READOUTS]:
        # The report must not fail where animals, doses or points are too few, as while a study is running.
        with contextlib.suppress(PagetError):
            panels += _panels(material, str(readout["name"]), drugs)
    return panels


def _panels(material: Material, readout: str, drugs: Sequence[str]) -> list[Panel]:
    sweep = material.study.sweep
    assert sweep is not None
    if len(drugs) == len(sweep.axes) == 1:
        return [dose_response_panel(dose_response(material, drugs[0], readout))]
    if len(drugs) == len(sweep.axes) == 2 and sweep.design == "grid":
        found = synergy(material, drugs[0], drugs[1], readout)
        return [] if _raised(found) else synergy_panels(found)
    return [sensitivity_panel(sensitivity(material, readout))]


def _raised(found: SynergyMap) -> bool:
    """Whether one of the drugs alone raises the readout, of which then no fraction can be affected."""
    return any(well.effect.high < 0 for well in found.wells if min(well.doses) == 0)


# ---- dose-response ------------------------------------------------------------------------------------------------


def dose_response_panel(found: DoseResponse) -> Panel:
    """Draw the mean of each dose with its 95 % interval, and the Hill curve with its band where the doses tell it."""
    doses = np.array(found.doses)
    positive = doses[doses > 0]
    ratio = float(positive[1] / positive[0]) if len(positive) > 1 else 10.0
    nothing = float(positive[0]) / max(1.6, min(ratio, 4.0))  # where the dose 0 stands on an axis of logs
    figure = empty_figure(left=58, top=10, bottom=44)
    if found.identified:
        along = np.geomspace(nothing, positive[-1] * 1.15, _CURVE_POINTS)
        among = np.where(along < positive[0] * 0.999, 0.0, along) if doses[0] == 0 else along
        along = np.concatenate([[nothing], along[among > 0]]) if doses[0] == 0 else along
        among = np.concatenate([[0.0], among[among > 0]]) if doses[0] == 0 else among
        middle, low, high = found.curve(among)
        for name, values, fill in (("95 % low", low, None), ("95 % high", high, "tonexty")):
            figure.add_scatter(
                x=stored(along), y=stored(values), mode="lines", line={"width": 0, "color": _LINE}, fill=fill,
                fillcolor=_BAND, hoverinfo="skip", showlegend=False,
                customdata=stored(among), meta={"series": name, "y": "value", "customdata": "dose (mg/kg)"},
            )  # fmt: skip
        figure.add_scatter(
            x=stored(along), y=stored(middle), mode="lines", line={"width": 2.2, "color": _LINE},
            customdata=stored(among), hovertemplate="%{customdata:.3~g} mg/kg: %{y:.4~g}<extra>Hill curve</extra>",
            showlegend=False, meta={"series": "Hill curve", "y": "value", "customdata": "dose (mg/kg)"},
        )  # fmt: skip
        assert found.ec50 is not None
        figure.add_shape(
            type="line", x0=found.ec50.value, x1=found.ec50.value, yref="paper", y0=0, y1=1,
            line={"color": "var(--muted)", "width": 1.2, "dash": "dash"},
        )  # fmt: skip
    figure.add_scatter(
        x=stored(np.where(doses > 0, doses, nothing)), y=stored(found.means), mode="markers",
        error_y={"type": "data", "array": stored(_half_widths(found)), "color": "var(--ink)", "thickness": 1.2, "width": 3},
        marker={"color": "var(--paper)", "size": 8, "line": {"color": "var(--ink)", "width": 1.6}},
        customdata=stored(doses), hovertemplate="%{customdata:.3~g} mg/kg: %{y:.4~g}<extra>mean</extra>", showlegend=False,
        meta={"series": "mean", "y": "value", "customdata": "dose (mg/kg)"},
    )  # fmt: skip
    ticks = [nothing, *positive] if doses[0] == 0 else list(positive)
    words = ["0", *(number_text(d) for d in positive)] if doses[0] == 0 else [number_text(d) for d in positive]
    figure.update_xaxes(
        type="log", range=[math.log10(nothing / 1.15), math.log10(positive[-1] * 1.2)],
        tickvals=stored(ticks), ticktext=words, title_text=plain(f"{found.drug} (mg/kg)"),
    )  # fmt: skip
    if min(found.means) >= 0:
        top = np.array(found.means) + np.array(_half_widths(found))
        ceiling = float(top.max()) or 1.0
        figure.update_yaxes(range=[-0.03 * ceiling, 1.06 * ceiling])
    title = f"{found.title} over the dose of {found.drug}"
    if found.ec50 is not None:
        lowest = number_text(found.ec50.low) if found.ec50.low > 0 else "no lower limit"
        highest = number_text(found.ec50.high) if math.isfinite(found.ec50.high) else "no upper limit"
        title += f": EC50 {number_text(found.ec50.value)} ({lowest} to {highest}) mg/kg"
    return Panel(title, found.unit, figure, 280, f"Dose-response curve. {found.sentence()}")


def _half_widths(found: DoseResponse) -> list[float]:
    from scipy.stats import t

    return [float(t.ppf(0.975, n - 1)) * sd / math.sqrt(n) for sd, n in zip(found.sds, found.n, strict=True)]


# ---- synergy ------------------------------------------------------------------------------------------------------


def synergy_panels(found: SynergyMap) -> list[Panel]:
    """Draw how far every combination exceeds Bliss' and Loewe's expectation, with the effects of single drugs beside."""
    panels = [_map(found, "bliss", "Bliss")]
    if found.loewe is not None:
        panels.append(_map(found, "loewe", "Loewe"))
    return panels


def _map(found: SynergyMap, kind: str, name: str) -> Panel:
    first = sorted({well.doses[0] for well in found.wells})
    second = sorted({well.doses[1] for well in found.wells})
    excess = np.full((len(second), len(first)), np.nan)
    marks = np.full(excess.shape, "", dtype=object)
    told = np.full(excess.shape, "", dtype=object)
    for well in found.wells:
        place = second.index(well.doses[1]), first.index(well.doses[0])
        said = f"{100 * well.effect.value:.0f} % affected ({100 * well.effect.low:.0f} to {100 * well.effect.high:.0f})"
        judged = getattr(well, kind)
        if judged is None:
            marks[place] = f"{_whole(100 * well.effect.value, '')} %"
        else:
            excess[place] = 100 * judged.value
            clear = "*" if judged.low > 0 or judged.high < 0 else ""
            marks[place] = _whole(100 * judged.value, "+") + clear
            said += f"; excess {100 * judged.value:+.1f} ({100 * judged.low:+.1f} to {100 * judged.high:+.1f})"
        told[place] = plain(f"{well.arm}: {said}")
    most = max(10.0, float(np.nanmax(np.abs(excess)))) if np.isfinite(excess).any() else 10.0
    figure = empty_figure(left=64, top=10, bottom=48)
    figure.add_heatmap(
        x=list(range(len(first))), y=list(range(len(second))), z=[stored(row) for row in excess],
        zmin=-most, zmax=most, colorscale=[[0.0, "var(--cold)"], [0.5, "var(--raised)"], [1.0, "var(--heat)"]], xgap=1, ygap=1,
        text=marks.tolist(), texttemplate="%{text}", textfont={"size": 11, "color": "var(--ink)"},
        hovertext=told.tolist(), hovertemplate="%{hovertext}<extra></extra>",
        showscale=False,
    )  # fmt: skip
    # A heat map shows text only where it has a value; singles and the table for download are points without ink.
    singles = [(x, y) for y in range(len(second)) for x in range(len(first)) if not np.isfinite(excess[y, x])]
    figure.add_scatter(
        x=[x for x, _ in singles], y=[y for _, y in singles], mode="text", text=[marks[y, x] for x, y in singles],
        textfont={"size": 11, "color": "var(--muted)"}, hovertext=[told[y, x] for x, y in singles], hoverinfo="text",
        showlegend=False,
    )  # fmt: skip
    for well in found.combinations:
        judged = getattr(well, kind)
        if judged is not None:
            figure.add_scatter(
                x=[first.index(well.doses[0])], y=[second.index(well.doses[1])], mode="markers", opacity=0,
                customdata=[round(100 * judged.value, 4)], hoverinfo="skip", showlegend=False,
                meta={found.drugs[0]: well.doses[0], found.drugs[1]: well.doses[1], "arm": well.arm, "series": f"{name} excess",
                      "customdata": "value"},
            )  # fmt: skip
    for axis, doses, drug in (("xaxis", first, found.drugs[0]), ("yaxis", second, found.drugs[1])):
        figure.update_layout({axis: dose_axes(doses, f"{drug} (mg/kg)")})
    score = getattr(found, kind)
    mean = f"{100 * score.value:+.1f}, 95 % CI {100 * score.low:+.1f} to {100 * score.high:+.1f}".replace("-", "−")
    alt = (
        f"Map of {name} excess of {found.drugs[0]} with {found.drugs[1]} in {found.title}. {found.sentence()} "
        "A star marks combinations whose interval leaves out 0; single drugs show the fraction affected."
    )
    title = f"{found.title}: {name} excess, mean {mean}"
    return Panel(title, "% points", figure, max(240, 80 + _CELL * len(second)), alt)


def _whole(number: float, sign: str) -> str:
    """A whole number with a real minus sign, and none on nothing."""
    return "0" if abs(number) < 0.5 else f"{number:{sign}.0f}".replace("-", "−")


# ---- sensitivity --------------------------------------------------------------------------------------------------


def sensitivity_panel(found: Sensitivity) -> Panel:
    """Draw the partial rank correlation of everything that was swept, the strongest on top, with 95 % intervals."""
    shown = list(reversed(found.influences[:_MOST_BARS]))
    names = [shortened(influence.name, _NAME) for influence in shown]
    left = round(CHARACTER_PIXELS * max(map(len, names))) + 24
    figure = empty_figure(left=left, top=10, bottom=44)
    values = np.array([i.prcc for i in shown])
    figure.add_bar(
        x=stored(values), y=list(range(len(shown))), orientation="h", width=0.62,
        marker={"color": [_UP if value > 0 else _DOWN for value in values]},
        error_x={
            "type": "data", "array": stored([i.prcc_high - i.prcc for i in shown]),
            "arrayminus": stored([i.prcc - i.prcc_low for i in shown]), "color": "var(--ink)", "thickness": 1.2, "width": 3,
        },
        customdata=[plain(i.name) for i in shown],
        hovertext=[plain(_influence_told(i)) for i in shown], hovertemplate="%{hovertext}<extra></extra>", showlegend=False,
        meta={"series": "PRCC", "readout": found.readout, "x": "value", "customdata": "axis"},
    )  # fmt: skip
    figure.add_shape(type="line", x0=0, x1=0, yref="paper", y0=0, y1=1, line={"color": "var(--ink)", "width": 1})
    figure.update_xaxes(range=[-1.05, 1.05], tickvals=[-1, -0.5, 0, 0.5, 1], title_text="Partial rank correlation")
    figure.update_yaxes(
        tickvals=list(range(len(shown))), ticktext=[plain(name) for name in names], ticks="", showgrid=False, showline=False,
        range=[-0.6, len(shown) - 0.4],
    )  # fmt: skip
    alt = f"Bars of influence, the strongest on top. {found.sentence()}"
    return Panel(f"What moves {_lower(found.title)}", "PRCC", figure, 86 + 26 * len(shown), alt)


def _influence_told(influence: Any) -> str:
    said = (
        f"{influence.name} ({influence.low:g} to {influence.high:g} {influence.unit}".rstrip()
        + f"): PRCC {influence.prcc:+.2f} ({influence.prcc_low:+.2f} to {influence.prcc_high:+.2f}), "
        f"Holm-adjusted p {p_text(influence.p_adjusted)}"
    )
    if influence.first is not None and influence.total is not None:
        said += (
            f"; {100 * influence.first:.0f} % of the variance alone, {100 * influence.total:.0f} % with interactions"
        )
    return said


def _lower(title: str) -> str:
    """A title within a sentence; abbreviations keep their capitals."""
    return title[:1].lower() + title[1:] if title[1:2].islower() else title


# ---- power --------------------------------------------------------------------------------------------------------


def power_panel(curves: Mapping[str, PowerCurve] | Sequence[PowerCurve] | PowerCurve) -> Panel:
    """Draw power over the number of animals, with binomial 95 % intervals, and the number that reaches the target."""
    given = {"": curves} if isinstance(curves, PowerCurve) else curves
    named = dict(given) if isinstance(given, Mapping) else {str(i): curve for i, curve in enumerate(given)}
    figure = empty_figure(left=56, top=30 if len(named) > 1 else 10, bottom=44)
    for slot, (name, curve) in enumerate(named.items()):
        colour = f"var(--arm-{2 + slot})"
        figure.add_scatter(
            x=[point.animals for point in curve.points], y=stored(point.power for point in curve.points),
            mode="lines+markers", name=plain(name), showlegend=len(named) > 1, line={"color": colour, "width": 2},
            marker={"color": colour, "size": 6},
            error_y={
                "type": "data", "array": stored(point.high - point.power for point in curve.points),
                "arrayminus": stored(point.power - point.low for point in curve.points),
                "color": colour, "thickness": 1, "width": 2,
            },
            hovertemplate="%{x} animals: %{y:.1%}<extra></extra>",
            meta={"series": f"power {name}".strip(), "x": "animals per arm", "y": "value"},
        )  # fmt: skip
        if curve.needed is not None:
            figure.add_shape(
                type="line", x0=curve.needed, x1=curve.needed, yref="paper", y0=0, y1=curve.target / 1.03,
                line={"color": colour, "width": 1.2, "dash": "dot"},
            )  # fmt: skip
    target = next(iter(named.values())).target
    figure.add_shape(
        type="line",
        xref="paper",
        x0=0,
        x1=1,
        y0=target,
        y1=target,
        line={"color": "var(--muted)", "width": 1.2, "dash": "dash"},
    )
    what = "Pairs" if all(curve.scenario.paired for curve in named.values()) else "Animals per arm"
    figure.update_xaxes(rangemode="tozero", title_text=what)
    figure.update_yaxes(range=[0, 1.03], tickvals=[0, 0.2, 0.4, 0.6, 0.8, 1], tickformat=".0%")
    if len(named) > 1:
        figure.update_layout(showlegend=True, legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"})
    said = " ".join(curve.sentence() for curve in named.values())
    return Panel("Power of the study", "share of studies that find the effect", figure, 280, f"Power curve. {said}")
