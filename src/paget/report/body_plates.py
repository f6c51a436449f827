"""The figures of a body as they stand on the page: the body map with its days, traffic over time, and who seeded whom."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import Any

from paget.report import tables
from paget.report.body_map import QUANTITIES, BodyCourse, body_course, body_drawing, body_key, states
from paget.report.drawing import svg
from paget.report.markup import Cell, download, folded, scrolling, table
from paget.report.material import Material, ResultLike
from paget.report.migration import (
    Migration,
    animals_read,
    clone_name,
    migration,
    migration_drawing,
    migration_key,
)
from paget.report.plotting import Panel
from paget.report.prose import counted
from paget.report.theme import joined, json_text, number_text, significant_digits
from paget.report.traffic import Fates, arrival_panels, blood_panels, fate_key, fate_panels, fates

__all__ = ["body_plates"]

Figure = Callable[[int, str, str, str, str], str]
Panels = Callable[[int, Sequence[Panel], str, int], str]

_DRAWING_TOOLS = download("drawings", "SVG")
_MOST_ROWS = 40
_PLOT_TOOLS = download("svg", "SVG") + download("csv", "CSV")


def body_plates(
    material: Material, result: ResultLike, numbers: Iterator[int], figure: Figure, panels: Panels, legend: str
) -> str:
    """Write the figures of a body that the result allows; empty text for a study of one tissue.

    figure, panels : write one figure, and the plotted panels in one. legend : the buttons of the arms
    """
    course = body_course(material, result)
    if course is None:
        return ""
    # Sites of a body of no species are no organs, so that there is no outline to show them in.
    written = [_map_figure(material, course, next(numbers), figure)] if course.species else []
    blood, arrivals, found = blood_panels(material), arrival_panels(material), fates(material)
    shares = fate_panels(material, found) if found is not None else []
    if blood or arrivals:
        written.append(_traffic_figure(material, blood, arrivals, next(numbers), figure, panels, legend))
    if found is not None and shares:
        written.append(_fates_figure(material, found, shares, next(numbers), figure, panels))
    seeded = migration(material, result)
    if seeded is not None:
        written.append(_migration_figure(material, seeded, next(numbers), figure))
    return "".join(written)


def _arm_heading(material: Material, arm: str, letter: str) -> str:
    return f'<h4><span class="letter">{letter}</span>{tables.swatch(material, arm)} {escape(arm)}</h4>'


def _letters() -> Iterator[str]:
    return iter("abcdefghijklmnopqrstuvwxyz" * 4)


# ---- the body map ---------------------------------------------------------------------------------------------------


def _map_figure(material: Material, course: BodyCourse, number: int, figure: Figure) -> str:
    arms, last = material.arms_with_data, course.days[-1]
    pictures = "".join(
        f'<div class="body-arm">{_arm_heading(material, arm, letter)}{svg(body_drawing(course, arm, last), "body-map")}</div>'
        for arm, letter in zip(arms, _letters(), strict=False)
    )
    name = f"figure-{number}-day"
    days = [significant_digits(day, 6) for day in course.days]
    slider = (
        f'<div class="days" hidden><button type="button" class="play" aria-label="Play the days">▶</button>'
        f'<label for="{name}">Day</label><input type="range" id="{name}" min="0" max="{len(days) - 1}" '
        f'value="{len(days) - 1}" step="1"><output for="{name}">{last:g}</output></div>'
    )
    stored = json_text({"days": days, "arms": [states(course, arm) for arm in arms]})
    content = (
        f'{slider}<p class="shown-day">Day <span>{last:g}</span></p><div class="body-maps">{pictures}</div>'
        f"{scrolling('Key of the body map', svg(body_key(course), 'body-key'))}"
        f'<script type="application/json" class="states">{stored}</script>'
        f"{folded('Burden of every site, in numbers', _burden_table(material, course))}"
    )
    return figure(number, "The body", content, _map_caption(material, course), _DRAWING_TOOLS)


def _map_caption(material: Material, course: BodyCourse) -> str:
    n = sorted({course.animals[arm] for arm in material.arms_with_data})
    several = f"n = {n[0]}" if len(n) == 1 else f"n = {n[0]} to {n[-1]}"
    said = [
        f"Organs are coloured by their tumour cells, median of the animals of an arm ({several}), on one logarithmic scale "
        "for all arms and days; numbers below the names are medians. The right side of the body is on the left."
    ]
    if course.flows.empty:
        said.append("No event tells where cells came from, so no arrows are drawn.")
    else:
        read = max(animals_read(material, arm) for arm in material.arms_with_data)
        which = f"the first {read} animals" if read < max(n) else "all animals"
        said.append(
            f"Arrows are founders that arrived until then, mean of {which} of an arm, from where they were shed."
        )
    detail = material.model.get("detail") or {}
    spatial = [site for site in course.names if detail.get(site) == "spatial"]
    if spatial:
        said.append(f"Cell by cell in space: {joined(spatial)}; other sites as numbers of cells of each lesion.")
    return escape(" ".join(said))


def _burden_table(material: Material, course: BodyCourse) -> str:
    shown = [q for q in QUANTITIES if any((q, site) in course.sites.columns for site in course.names)]
    last = course.days[-1]
    rows = [
        [
            Cell(f'<span class="arm-name">{tables.swatch(material, arm)}{escape(arm)}</span>'),
            Cell(escape(site)),
            *(_number(course.value(arm, last, quantity, site)) for quantity in shown),
        ]
        for arm in material.arms_with_data
        for site in course.names
    ]
    records = [
        {"arm": arm, "day": day, "site": site}
        | {q: significant_digits(course.value(arm, day, q, site), 6) for q in shown}
        for arm in material.arms_with_data
        for day in course.days
        for site in course.names
    ]
    heads = {"cells": "Tumour cells", "nodules": "Nodules", "dormant": "Dormant cells", "arrivals": "Founders arrived"}
    caption = f"Medians of the animals on day {last:g}; the file for download has every day of the slider"
    return table(caption, ["Arm", "Site", *(heads[q] for q in shown)], rows, "body-map", records=records)


def _number(value: float) -> Cell:
    known = significant_digits(value, 6)
    return Cell(escape(number_text(known)), known, number=True)


# ---- time courses ---------------------------------------------------------------------------------------------------


def _traffic_figure(
    material: Material,
    blood: Sequence[Panel],
    arrivals: Sequence[Panel],
    number: int,
    figure: Figure,
    panels: Panels,
    legend: str,
) -> str:
    content = legend
    said = []
    if blood:
        content += panels(number, blood, "many", 0)
        said.append(
            "<b>a</b> and on, tumour cells in the blood at the time, on logarithmic axes; what is zero, less than one cell, or "
            "more than six decades below the highest value lies on the lower axis."
        )
    if arrivals:
        content += f'<h4 class="row-head">Founders arrived so far in</h4>{panels(number, arrivals, "four", len(blood))}'
        said.append(
            "Below, founders that have arrived in each site so far, whether they grew or not; sites that none reached are "
            "left out."
        )
    caption = "Lines are medians of the animals of an arm, bands their quartiles. " + " ".join(said)
    return figure(number, "Tumour cells in blood, and their arrivals", content, caption, _PLOT_TOOLS)


def _fates_figure(
    material: Material, found: Fates, shares: Sequence[Panel], number: int, figure: Figure, panels: Panels
) -> str:
    keys = "".join(
        f'<span class="key"><i class="dot" style="background: var({colour})"></i>{escape(label)}</span>'
        for colour, label in fate_key()
    )
    rows = []
    for arm in material.arms_with_data:
        last = found.at_the_end(arm)
        if last is None:
            continue
        shed = float(last["shed"])
        cells = [
            _number(float(last[name]) * (100.0 / shed if share else 1.0)) if shed or not share else Cell("–", number=True)
            for name, share in (
                ("shed", False), ("died", False), ("arrived", False), ("transit", False), ("died", True), ("arrived", True),
            )
        ]  # fmt: skip
        rows.append([Cell(f'<span class="arm-name">{tables.swatch(material, arm)}{escape(arm)}</span>'), *cells])
    heads = ["Arm", "Shed", "Died on the way", "Arrived", "In blood or lymph", "Died (%)", "Arrived (%)"]
    content = (
        f'<div class="legend still">{keys}</div>{panels(number, shares, "four", 0)}'
        f"{table('Ledger of shed cells at the end, mean of the animals', heads, rows, 'shed-cells', sortable=False)}"
    )
    caption = (
        "Cells shed so far are those that died on the way, those that arrived, and those in blood or lymph. Shares of the "
        "sums over the animals of an arm."
        + (f" Axes end at {number_text(100 * found.top)} %; the rest died on the way." if found.top < 1.0 else "")
    )
    return figure(number, "What became of shed cells", content, caption, _PLOT_TOOLS)


# ---- the migration graph --------------------------------------------------------------------------------------------


def _migration_figure(material: Material, found: Migration, number: int, figure: Figure) -> str:
    pictures = "".join(
        f'<div class="body-arm">{_arm_heading(material, arm, letter)}{svg(migration_drawing(found, arm), "migration")}</div>'
        for arm, letter in zip(material.arms, _letters(), strict=False)
    )
    keys = "".join(
        f'<span class="key"><i class="dot" style="background: var({colour})"></i>{escape(name)}</span>'
        for colour, name in migration_key(found)
    )
    lines = "".join(
        f'<span class="key"><svg width="34" height="12" viewBox="0 0 34 12" aria-hidden="true">'
        f'<path class="edge" d="M1 6 H33" stroke-dasharray="{dash}"/></svg>{text}</span>'
        for dash, text in (("", "from the primary tumour"), ("6 4", "from a metastasis"))
    )
    content = (
        f'<div class="legend still">{keys}{lines}</div><div class="body-maps graphs">{pictures}</div>'
        f"{folded('Who seeded whom', _seeding_table(material, found))}"
    )
    late = [int(found.of(arm).loc[found.of(arm)["origin"] != found.primary, "founders"].sum()) for arm in material.arms]
    sentence = joined([f"{n} in {arm}" for n, arm in zip(late, material.arms, strict=True)])
    caption = (
        f"Animal {found.animal} in every arm, of {found.animals} the one nearest the medians of the arms. An arrow is the "
        "founders of one clone that came from one site and arrived in another, whether they grew or not; numbers count "
        f"the founders of all clones. {counted(len(found.clones), 'clone').capitalize()} with most founders "
        f"{'has' if len(found.clones) == 1 else 'have'} colours. Dashed arrows left a metastasis: {escape(sentence)}."
    )
    return figure(number, "Who seeded whom", content, caption, _DRAWING_TOOLS)


def _seeding_table(material: Material, found: Migration) -> str:
    edges: Any = found.edges.itertuples()
    rows = []
    records = []
    for edge in edges:
        rows.append(
            [
                Cell(f'<span class="arm-name">{tables.swatch(material, edge.arm)}{escape(edge.arm)}</span>'),
                Cell(escape(edge.origin)),
                Cell(escape(edge.site)),
                Cell(escape(clone_name(edge.clone)), float(edge.clone)),
                _number(float(edge.founders)),
                _number(float(edge.first)),
            ]
        )
        records.append(
            {
                "animal": found.animal,
                "arm": edge.arm,
                "origin": edge.origin,
                "site": edge.site,
                "clone": int(edge.clone),
                "founders": int(edge.founders),
                "first_day": significant_digits(float(edge.first), 6),
            }
        )
    heads = ["Arm", "From", "To", "Clone", "Founders", "First arrival (day)"]
    late = [row for row, record in zip(rows, records, strict=True) if record["origin"] != found.primary]
    early = [row for row, record in zip(rows, records, strict=True) if record["origin"] == found.primary]
    shown = (late + early)[:_MOST_ROWS]
    rest = len(rows) - len(shown)
    caption = "Founders by origin, site and clone, those that left a metastasis first"
    note = f'<p class="muted">{rest} more rows are in the file for download.</p>' if rest else ""
    return table(caption, heads, shown, "migration", records=records) + note
