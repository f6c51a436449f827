"""The figures as they stand on the page: panels with letters, a legend of arms, the caption and the downloads."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import Any

from paget.compare import SurvivalCurves
from paget.report import tables
from paget.report.body_plates import body_plates
from paget.report.boxes import MOST_SHOWN, box_panels
from paget.report.chain import NodeValue, chain_svg
from paget.report.figures import cascade_panels, protocol_panel
from paget.report.markup import Cell, download, folded, scrolling, table
from paget.report.material import SIGNIFICANT, Material, ResultLike
from paget.report.plotting import Panel
from paget.report.survival import survival_panels
from paget.report.theme import number_text, p_text
from paget.report.tissue import TissueFigure, tissue_figures

__all__ = ["Plots", "bodies", "plates"]

_FULL_COLOUR_AT_LOG2 = 3.0
_FEW_ANIMALS = 4
_PLOT_TOOLS = download("svg", "SVG") + download("csv", "CSV")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"

Plots = dict[str, dict[str, Any]]


def plates(material: Material, result: ResultLike, plots: Plots, numbers: Iterator[int]) -> str:
    """Write the figures that the result allows, and add the plots to be drawn in them to `plots`."""
    written = [_cascade_figure(material, plots, next(numbers))]
    if material.headline:
        written.append(_animals_figure(material, plots, next(numbers)))
    survivals = survival_panels(material)
    if survivals:
        written.append(_survival_figure(material, plots, next(numbers), survivals))
    for pictures in tissue_figures(material, result):
        written.append(_tissue_figure(material, next(numbers), pictures))
    if material.chain is not None:
        written.append(_chain_figure(material, next(numbers)))
    return "".join(written)


def bodies(material: Material, result: ResultLike, plots: Plots, numbers: Iterator[int]) -> str:
    """Write the figures of a body; empty text for a study of one tissue."""

    def panels(number: int, drawn: Sequence[Panel], grid: str, first: int) -> str:
        return _panels(plots, number, drawn, grid, first)

    return body_plates(material, result, numbers, _figure, panels, _legend(material, material.arms_with_data))


def _figure(number: int, title: str, content: str, caption: str, tools: str = "") -> str:
    return (
        f'<figure id="figure-{number}"><div class="figure-head"><h3><span>Figure {number}</span> {escape(title)}</h3>'
        f'<div class="tools">{tools}</div></div>{content}<figcaption>{caption}</figcaption></figure>'
    )


def _legend(material: Material, arms: Iterable[str]) -> str:
    buttons = "".join(
        f'<button type="button" aria-pressed="true" data-arm="{escape(arm)}">'
        f"{tables.swatch(material, arm)}{escape(arm)}</button>"
        for arm in arms
    )
    return f'<div class="legend" role="group" aria-label="Arms; press one to hide or show it">{buttons}</div>'


def _panels(plots: Plots, number: int, panels: Sequence[Panel], grid: str, first: int = 0) -> str:
    cells = []
    for place, panel in enumerate(panels, start=first):
        letter = _LETTERS[place % len(_LETTERS)]
        name = f"figure-{number}-{letter}"
        plots[name] = json.loads(panel.figure.to_json())
        unit = f' <span class="unit">{escape(panel.unit)}</span>' if panel.unit else ""
        cells.append(
            f'<div class="panel"><h4><span class="letter">{letter}</span>{escape(panel.title)}{unit}</h4>'
            f'<div class="plot" id="{name}" role="img" aria-label="{escape(panel.alt)}" '
            f'style="height: {panel.height}px"></div></div>'
        )
    return f'<div class="panels {grid}">{"".join(cells)}</div>'


def _grid(panels: int) -> str:
    """Choose the columns so that no panel is left alone in the last row."""
    return "many" if panels % 3 != 1 else "four"


def _cascade_figure(material: Material, plots: Plots, number: int) -> str:
    curves = cascade_panels(material)
    content = (
        _panels(plots, number, [protocol_panel(material)], "one")
        + (_legend(material, material.arms_with_data) if curves else "")
        + _panels(plots, number, curves, _grid(len(curves)), first=1)
    )
    wide = (
        " Bands of so few animals are wide and may leave the axes." if min(_finished(material)) < _FEW_ANIMALS else ""
    )
    caption = (
        "<b>a</b>, Treatment of each arm; every mark is one administration. "
        "<b>b</b> and on, readouts in the order of the causal chain: mean of the animals of an arm, with the 95 % "
        f"confidence band of the mean (n = {_animals_told(material)} per arm). Ticks inside the lower axis mark the "
        f"days of doses. Dashed lines are arms with changed parameters (hypotheses).{wide}"
        if curves
        else "<b>a</b>, Treatment of each arm. No animal finished, so there are no curves."
    )
    return _figure(number, "The cascade over time", content, caption, _PLOT_TOOLS)


def _finished(material: Material) -> list[int]:
    return list(material.finished.values())


def _animals_told(material: Material) -> str:
    counts = _finished(material)
    return f"{min(counts)}" if min(counts) == max(counts) else f"{min(counts)} to {max(counts)}"


def _animals_figure(material: Material, plots: Plots, number: int) -> str:
    panels = box_panels(material)
    grid = "few" if len(material.arms) > 7 or len(panels) in (1, 2, 4) else "many"
    some = f" (the first {MOST_SHOWN} of each arm)" if material.study.replicates > MOST_SHOWN else ""
    caption = (
        f"Every point is one animal{some}, at the same place within each arm; boxes show median and quartiles, whiskers reach "
        "to 1.5 interquartile ranges. Thin lines join an animal in an arm and its neighbouring control. Brackets are "
        "the contrasts of the study: * p &lt; 0.05, ** p &lt; 0.01, *** p &lt; 0.001, n.s. not significant (adjusted "
        "by Holm’s method over the readouts of a contrast). Hollow symbols are arms with changed parameters."
    )
    return _figure(number, "Every animal", _panels(plots, number, panels, grid), caption, _PLOT_TOOLS)


def _survival_figure(
    material: Material, plots: Plots, number: int, survivals: Sequence[tuple[Panel, SurvivalCurves]]
) -> str:
    panels = [panel for panel, _ in survivals]
    content = _legend(material, [c.arm for c in survivals[0][1].curves])
    content += _panels(plots, number, panels, "one" if len(panels) == 1 else "few")
    content += "".join(_log_rank(material, curves) for _, curves in survivals)
    caption = (
        "Kaplan-Meier estimate with 95 % log-log bands; animals without the event are censored at the end of the "
        "study. Below, the animals still at risk. "
        + " ".join(
            f"{escape(c.title)}: log-rank test of all arms, χ² = {number_text(c.statistic)}, p {escape(_related(c.p))}."
            for _, c in survivals
            if c.p is not None
        )
        + " ".join(f" {escape(c.note)}." for _, c in survivals if c.note)
    )
    return _figure(number, "Time to the first event", content, caption, _PLOT_TOOLS)


def _log_rank(material: Material, curves: SurvivalCurves) -> str:
    if not curves.pairs:
        return ""
    contrasts = {frozenset(pair) for pair in material.study.contrasts}
    rows = [
        [
            Cell(escape(pair.arm)),
            Cell(escape(pair.versus)),
            Cell(number_text(pair.hazard_ratio), pair.hazard_ratio, number=True),
            Cell(number_text(pair.statistic), pair.statistic, number=True),
            Cell(escape(p_text(pair.p)), pair.p, number=True),
            Cell(_strong(pair.p_adjusted), pair.p_adjusted, number=True),
            Cell("yes" if frozenset((pair.arm, pair.versus)) in contrasts else "no"),
        ]
        for pair in curves.pairs
    ]
    columns = ["Arm", "Versus", "Hazard ratio (Peto)", "χ²", "p", "Holm-adjusted p", "Contrast of the study"]
    caption = f"Log-rank tests of pairs: {curves.title}"
    return folded(caption, table(caption, columns, rows, f"log-rank-{curves.readout}"))


def _strong(p: float) -> str:
    return f"<strong>{escape(p_text(p))}</strong>" if p < SIGNIFICANT else escape(p_text(p))


def _related(p: float | None) -> str:
    text = p_text(p)
    return text if text.startswith("<") else f"= {text}"


def _tissue_figure(material: Material, number: int, pictures: TissueFigure) -> str:
    heads = "".join(f'<div class="day">Day {day:g}</div>' for day in pictures.days)
    rows = []
    for arm in material.arms:
        cells = []
        for day in pictures.days:
            tile = pictures.tiles[arm, day]
            if tile.image is None:
                cells.append(f'<div class="missing">{escape(tile.alt)}</div>')
            else:
                cells.append(
                    f'<button type="button" class="tile" aria-label="Enlarge: {escape(tile.alt)}">'
                    f'<img src="{tile.image}" alt="{escape(tile.alt)}" loading="lazy"></button>'
                )
        rows.append(f'<div class="row-name">{tables.swatch(material, arm)}{escape(arm)}</div>{"".join(cells)}')
    grid = f'<div class="tissue" style="--days: {len(pictures.days)}"><div></div>{heads}{"".join(rows)}</div>'
    keys = "".join(
        f'<span class="key"><i class="dot" style="background: {colour}"></i>{escape(label)}</span>'
        for _, label, colour in pictures.cell_types
    ) + "".join(
        f'<span class="key"><i class="ramp" style="--layer: {layer.colour}"></i>{escape(layer.title)}, 0 to '
        f"{number_text(layer.top, 2)} {escape(layer.unit)}</span>"
        for layer in pictures.layers
    )
    content = f'<div class="legend still">{keys}</div>{scrolling("Tissue pictures", grid)}' + folded(
        "Cells in the pictures, counted", tables.counts_table(material, pictures)
    )
    slab = f" The pictures show the middle slab of {pictures.slab_um:g} µm." if pictures.slab_um else ""
    shades = "; shades are fields, on one scale in all pictures" if pictures.layers else ""
    caption = (
        f"Animal {pictures.animal} in every arm, of {pictures.animals} the one nearest the medians of the arms. "
        f"Circles are cells at their true radius{shades}.{slab} "
        f"Scale bars, {pictures.bar_um:g} µm."
    )
    return _figure(number, f"The tissue: {pictures.site}" if pictures.site else "The tissue", content, caption)


def _chain_figure(material: Material, number: int) -> str:
    assert material.chain is not None
    tabs, panels = [], []
    contrasts: Sequence[tuple[str, str] | None] = material.study.contrasts or (None,)
    for place, contrast in enumerate(contrasts):
        title = f"{contrast[0]} versus {contrast[1]}" if contrast else "no contrast"
        values = _node_values(material, *contrast) if contrast else {}
        picture = chain_svg(material.chain, values, f"Causal chain, {title}")
        chosen = place == 0
        tabs.append(
            f'<button type="button" role="tab" id="chain-tab-{place}" aria-controls="chain-{place}" '
            f'aria-selected="{str(chosen).lower()}" tabindex="{0 if chosen else -1}">{escape(title)}</button>'
        )
        panels.append(
            f'<div role="tabpanel" id="chain-{place}" aria-labelledby="chain-tab-{place}"{"" if chosen else " hidden"}>'
            f'<p class="print-title">{escape(title)}</p>{scrolling(f"Causal chain, {title}", picture)}</div>'
        )
    scale = (
        '<div class="scale"><span>lower</span><i></i><span>higher than the control</span>'
        f"{_key('M2 6 H24', 'stimulates', tip=True)}{_key('M2 6 H31 M31 0 V12', 'inhibits', tip=False)}</div>"
    )
    caption = (
        "Arrows stimulate, bars inhibit (SBGN activity flow). A node is coloured by the log2 ratio of the mean of its "
        f"readout in the arm to that in the control, full colour from {2**_FULL_COLOUR_AT_LOG2:g}-fold; where one of "
        "the means is zero, the difference is written. Thick outlines: Holm-adjusted p &lt; 0.05. Dashed outlines: no "
        "readout."
    )
    content = f'<div class="tabs" role="tablist" aria-label="Contrast">{"".join(tabs)}</div>{"".join(panels)}{scale}'
    if material.comparisons:
        content += folded("Values of the nodes", tables.chain_table(material))
    return _figure(number, "The causal chain", content, caption, download("chain", "SVG"))


def _key(path: str, label: str, *, tip: bool) -> str:
    head = '<path class="tip" d="M34 6 L24 1 L26.5 6 L24 11 Z"/>' if tip else ""
    return (
        '<span class="key"><svg width="34" height="12" viewBox="0 0 34 12" aria-hidden="true">'
        f'<path class="edge" d="{path}"/>{head}</svg>{label}</span>'
    )


def _node_values(material: Material, arm: str, versus: str) -> dict[str, NodeValue]:
    values = {}
    for c in material.comparisons:
        if (c.arm, c.versus) != (arm, versus) or c.effect is None or c.mean_arm is None or c.mean_versus is None:
            continue
        p = c.p_adjusted if c.p_adjusted is not None else c.p
        if c.mean_arm > 0 and c.mean_versus > 0:
            ratio = c.mean_arm / c.mean_versus
            strength = math.log2(ratio) / _FULL_COLOUR_AT_LOG2
            text = f"× {number_text(ratio, 2)}"
        else:
            strength = math.copysign(1.0, c.effect) if c.effect else 0.0
            text = f"{'+' if c.effect > 0 else ''}{number_text(c.effect, 2)}"
        values[c.readout] = NodeValue(
            strength=max(-1.0, min(1.0, strength)),
            text=text,
            significant=p is not None and p < SIGNIFICANT,
            told=c.sentence(),
        )
    return values
