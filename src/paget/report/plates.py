"""The figures of a study: which panels stand in each, and what its caption says."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from paget.compare import SurvivalCurves
from paget.report import tables
from paget.report.boxes import MOST_SHOWN, box_panels
from paget.report.chain import NodeValue, chain_drawing, chain_key
from paget.report.drawing import Drawing, svg
from paget.report.figures import cascade_panels, protocol_panel
from paget.report.incidence import Found as Incidence
from paget.report.incidence import incidence_panels, incidence_tables, together
from paget.report.markup import Cell, folded, scrolling, table
from paget.report.material import SIGNIFICANT, Material, ResultLike
from paget.report.plate import Plate, Row, legend
from paget.report.plotting import Panel
from paget.report.prose import branched, never_happened
from paget.report.survival import survival_panels
from paget.report.sweeps import coordinates
from paget.report.theme import moment_text, number_text, p_text
from paget.report.tissue import TissueFigure, cells_json, tissue_figures

__all__ = ["numbers_told", "plates"]

_FULL_COLOUR_AT_LOG2 = 3.0
_FEW_ANIMALS = 4


def plates(material: Material, result: ResultLike) -> list[Plate]:
    """Collect the figures that the result allows, those of a body excepted."""
    found = [_cascade_plate(material)]
    if material.headline:
        found.append(_animals_plate(material))
    survivals = survival_panels(material)
    if survivals:
        found.append(_survival_plate(material, survivals))
    incidences = incidence_panels(material)
    if incidences:
        found.append(_incidence_plate(material, incidences))
    found += [_tissue_plate(material, pictures) for pictures in tissue_figures(material, result)]
    if material.chain is not None:
        found.append(_chain_plate(material))
    return found


def _grid(panels: int) -> str:
    """Choose the columns so that no panel is left alone in the last row."""
    if panels <= 2:
        return "few"
    return "many" if panels % 3 != 1 else "four"


def _cascade_plate(material: Material) -> Plate:
    curves = cascade_panels(material)
    parts: list[str | Row] = [Row([protocol_panel(material)], "one")]
    if curves:
        parts += [legend(material, material.arms_with_data), Row(curves, _grid(len(curves)))]
    some = material.individuals
    wide = (
        " Bands of so few animals are wide and may leave the axes." if min(_finished(material)) < _FEW_ANIMALS else ""
    )
    told = "marks are single acts, bars what lasts."
    if len(material.moments):
        if material.moments["day"].notna().any():
            told += f" Circles mark when what an arm waits for happened, one for each {material.individual}."
        told += "".join(f" {escape(words)}" for words in never_happened(material))
    if material.study.branch is not None:
        told += f" {escape(branched(material))}"
    caption = (
        f"<b>a</b>, What is done to each arm; {told} "
        f"<b>b</b> and on, readouts in the order of the causal chain: mean of the {some} of an arm, with the 95 % "
        f"confidence band of the mean (n = {numbers_told(material)} per arm). Ticks inside the lower axis mark the "
        f"days of acts. Dashed lines are arms with changed parameters (hypotheses).{wide}"
        if curves
        else f"<b>a</b>, What is done to each arm. No {material.individual} finished, so there are no curves."
    )
    return Plate("cascade", "The cascade over time", parts, caption, arms=material.arms_with_data)


def _coordinates_told(material: Material) -> str:
    title = coordinates(material.study).title
    return f" Numbers alone name points of the sweep: {escape(title)}." if title else ""


def _finished(material: Material) -> list[int]:
    return list(material.finished.values())


def numbers_told(material: Material) -> str:
    """How many individuals of each arm the numbers of a figure rest on."""
    fewest, most = min(_finished(material)), max(_finished(material))
    return material.of_asked(fewest) if fewest == most else f"{material.of_asked(fewest)} to {material.of_asked(most)}"


def _animals_plate(material: Material) -> Plate:
    panels = box_panels(material)
    grid = "few" if len(material.arms) > 7 or len(panels) in (1, 2, 4) else "many"
    some = f" (the first {MOST_SHOWN} of each arm)" if material.study.replicates > MOST_SHOWN else ""
    if any(trace.type == "bar" for panel in panels for trace in panel.figure.data):
        some += "; bars are shares with 95 % intervals (Wilson)"
    one = material.individual
    an = f"an {one}" if one[0] in "aeiou" else f"a {one}"
    caption = (
        f"Every point is one {one}{some}, at the same place within each arm; boxes show median and quartiles, whiskers "
        f"reach to 1.5 interquartile ranges (n = {numbers_told(material)} per arm). Thin lines join {an} in an arm and "
        "its neighbouring control. Brackets are the contrasts of the study: * p &lt; 0.05, ** p &lt; 0.01, *** p &lt; "
        "0.001, n.s. not significant (p adjusted for the readouts of a contrast). Hollow symbols are arms with changed "
        f"parameters.{_coordinates_told(material)}"
    )
    return Plate(material.individuals, f"Every {one}", [Row(panels, grid)], caption, arms=material.arms)


def _survival_plate(material: Material, survivals: Sequence[tuple[Panel, SurvivalCurves]]) -> Plate:
    panels = [panel for panel, _ in survivals]
    arms = [c.arm for c in survivals[0][1].curves]
    parts: list[str | Row] = [legend(material, arms), Row(panels, "one" if len(panels) == 1 else "few")]
    parts += [_log_rank(material, curves) for _, curves in survivals]
    caption = (
        f"Kaplan-Meier estimate with 95 % log-log bands; {material.individuals} without the event are censored at the "
        f"end of the study. Below, the {material.individuals} still at risk (n = {numbers_told(material)} per arm). "
        + " ".join(
            f"{escape(c.title)}: log-rank test of all arms, χ² = {number_text(c.statistic)}, p {escape(_related(c.p))}."
            for _, c in survivals
            if c.p is not None
        )
        + " ".join(f" {escape(c.note)}." for _, c in survivals if c.note)
        + _coordinates_told(material)
    )
    return Plate("survival", "Time to the first event", parts, caption, arms=arms)


def _incidence_plate(material: Material, incidences: Sequence[tuple[Panel, Incidence]]) -> Plate:
    panels = [panel for panel, _ in incidences]
    curves = incidences[0][1][1].curves
    arms = list(dict.fromkeys(curve.arm for curve in curves))
    parts: list[str | Row] = [
        legend(material, arms),
        Row(panels, "one" if len(panels) == 1 else _grid(len(panels))),
        incidence_tables(material, [found for _, found in incidences]),
    ]
    caption = (
        f"Cumulative incidence (Aalen-Johansen) with 95 % log-log bands: the share of all {material.individuals} that have "
        "had the event. Dotted lines: the share in which a competing event came first, after which it cannot happen any "
        "more. Where such events are many, Kaplan-Meier curves, which count them as censored, overstate the share with the "
        f"event (n = {numbers_told(material)} per arm). "
        + " ".join(
            f"{escape(found.event)}, where {escape(together(found))} may come first: Gray’s test of all arms, "
            f"χ² = {number_text(found.statistic)}, p {escape(_related(found.p))}."
            for _, (_, found) in incidences
            if found.p is not None
        )
    )
    return Plate("incidence", "Events that compete", parts, caption, arms=arms)


def _log_rank(material: Material, curves: SurvivalCurves) -> str:
    if not curves.pairs:
        return ""
    contrasts = {frozenset(pair) for pair in material.study.contrasts}
    rows = [
        [
            Cell(escape(pair.arm)),
            Cell(escape(pair.versus)),
            Cell(escape(" / ".join(material.of_asked(material.finished[a]) for a in (pair.arm, pair.versus)))),
            Cell(number_text(pair.hazard_ratio), pair.hazard_ratio, number=True),
            Cell(number_text(pair.statistic), pair.statistic, number=True),
            Cell(escape(p_text(pair.p)), pair.p, number=True),
            Cell(_strong(pair.p_adjusted), pair.p_adjusted, number=True),
            Cell("yes" if frozenset((pair.arm, pair.versus)) in contrasts else "no"),
        ]
        for pair in curves.pairs
    ]
    columns = ["Arm", "Versus", "n", "Hazard ratio (Peto)", "χ²", "p", "Adjusted p", "Contrast of the study"]
    caption = f"Log-rank tests of pairs: {curves.title}"
    return folded(caption, table(caption, columns, rows, f"log-rank-{curves.readout}", note=tables.lost_note(material)))


def _strong(p: float) -> str:
    return f"<strong>{escape(p_text(p))}</strong>" if p < SIGNIFICANT else escape(p_text(p))


def _related(p: float | None) -> str:
    text = p_text(p)
    return text if text.startswith("<") else f"= {text}"


def _tissue_plate(material: Material, pictures: TissueFigure) -> Plate:
    long = material.days
    heads = "".join(f'<div class="day">{moment_text(day, long).capitalize()}</div>' for day in pictures.days)
    rows = []
    for arm in dict.fromkeys(arm for arm, _ in pictures.tiles):
        cells = []
        for day in pictures.days:
            tile = pictures.tiles[arm, day]
            if tile.image is None:
                cells.append(f'<div class="missing">{escape(tile.alt)}</div>')
            else:
                cells.append(
                    f'<button type="button" class="tile" aria-label="Enlarge: {escape(tile.alt)}">'
                    f'<img src="{tile.image}" alt="{escape(tile.alt)}" decoding="async"></button>'
                )
        row = f'<div class="row-name">{tables.swatch(material, arm)}{escape(arm)}</div>{"".join(cells)}'
        rows.append(f'<div class="cell">{row}</div>' if pictures.compact else row)
    kind, corner = ("tissue compact", "") if pictures.compact else ("tissue", "<div></div>")
    grid = f'<div class="{kind}" style="--days: {len(pictures.days)}">{corner}{heads}{"".join(rows)}</div>'
    keys = "".join(
        f'<span class="key"><i class="dot" style="background: {colour}"></i>{escape(label)}</span>'
        for _, label, colour in pictures.cell_types
    ) + "".join(
        f'<span class="key"><i class="ramp" style="--layer: {layer.colour}"></i>{escape(layer.title)}, 0 to '
        f"{number_text(layer.top, 2)} {escape(layer.unit)}</span>"
        for layer in pictures.layers
    )
    stored = cells_json(pictures)
    content = (
        f'<div class="legend still">{keys}</div>{scrolling("Tissue pictures", grid)}'
        + (f'<script type="application/json" class="cells">{stored}</script>' if stored else "")
        + folded("Cells in the pictures, counted", tables.counts_table(material, pictures))
    )
    slab = f" The pictures show the middle slab of {pictures.slab_um:g} µm." if pictures.slab_um else ""
    shades = "; shades are fields, on one scale in all pictures" if pictures.layers else ""
    file = (
        "The file for download has every cell in the pictures"
        if stored
        else "There are too many cells for the file for download, which has their numbers"
    )
    caption = (
        f"{material.individual.capitalize()} {pictures.animal} in every arm, of {pictures.animals} the one nearest the "
        f"medians of the arms. Circles are cells at their true radius{shades}.{slab} "
        f"Scale bars, {pictures.bar_um:g} µm. {file}."
    )
    title = f"The tissue: {pictures.site}" if pictures.site else "The tissue"
    name = f"tissue-{pictures.site.replace(' ', '-')}" if pictures.site else "tissue"
    return Plate(name, title, [content], caption, tissue=pictures)


def _chain_plate(material: Material) -> Plate:
    assert material.chain is not None
    tabs, panels = [], []
    drawings: list[Drawing] = []
    contrasts: Sequence[tuple[str, str] | None] = material.study.contrasts or (None,)
    for place, contrast in enumerate(contrasts):
        title = f"{contrast[0]} versus {contrast[1]}" if contrast else "no contrast"
        values = _node_values(material, *contrast) if contrast else {}
        drawings.append(chain_drawing(material.chain, values, title))
        chosen = place == 0
        tabs.append(
            f'<button type="button" role="tab" id="chain-tab-{place}" aria-controls="chain-{place}" '
            f'aria-selected="{str(chosen).lower()}" tabindex="{0 if chosen else -1}">{escape(title)}</button>'
        )
        picture = scrolling(f"Causal chain, {title}", svg(drawings[-1], "chain"))
        panels.append(
            f'<div role="tabpanel" id="chain-{place}" aria-labelledby="chain-tab-{place}"{"" if chosen else " hidden"}>'
            f'<p class="print-title">{escape(title)}</p>{picture}</div>'
        )
    key = chain_key()
    caption = (
        "Arrows stimulate, bars inhibit (SBGN activity flow). A node is coloured by the log2 ratio of the mean of its "
        f"readout in the arm to that in the control, full colour from {2**_FULL_COLOUR_AT_LOG2:g}-fold; where one of "
        "the means is zero, the difference is written. Thick outlines: adjusted p &lt; 0.05. Dashed outlines: no "
        "readout."
    )
    content = (
        f'<div class="tabs" role="tablist" aria-label="Contrast">{"".join(tabs)}</div>{"".join(panels)}'
        + scrolling("Key of the causal chain", svg(key, "chain-key"))
        + (folded("Values of the nodes", tables.chain_table(material)) if material.comparisons else "")
    )
    return Plate("chain", "The causal chain", [content], caption, drawings=drawings, key=key)


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
