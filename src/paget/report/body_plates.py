"""The figures of a body as they stand on the page: the body map with its days, traffic over time, and who seeded whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

from paget.report import tables
from paget.report.body_map import QUANTITIES, BodyCourse, body_course, body_drawing, body_key, states
from paget.report.drawing import svg
from paget.report.markup import Cell, folded, scrolling, table
from paget.report.material import Material, ResultLike
from paget.report.migration import (
    Migration,
    animals_read,
    clone_name,
    migration,
    migration_drawing,
    migration_key,
    migration_key_drawing,
)
from paget.report.plate import Plate, Row, legend
from paget.report.plotting import Panel
from paget.report.prose import counted
from paget.report.theme import DAYS_PER_YEAR, in_years, joined, json_text, moment_text, number_text, significant_digits
from paget.report.traffic import Fates, arrival_panels, blood_panels, fate_key, fate_panels, fates

__all__ = ["body_plates"]

_MOST_ROWS = 40


def body_plates(material: Material, result: ResultLike) -> list[Plate]:
    """Collect the figures of a body that the result allows; none for a study of one tissue."""
    course = body_course(material, result)
    if course is None:
        return []
    # Sites of a body of no species are no organs, so that there is no outline to show them in.
    found = [_map_plate(material, course)] if course.species else []
    blood, arrivals, ways = blood_panels(material), arrival_panels(material), fates(material)
    shares = fate_panels(material, ways) if ways is not None else []
    if blood or arrivals:
        found.append(_traffic_plate(material, blood, arrivals))
    if ways is not None and shares:
        found.append(_fates_plate(material, ways, shares))
    seeded = migration(material, result)
    if seeded is not None:
        found.append(_migration_plate(material, seeded))
    return found


def _arm_heading(material: Material, arm: str, letter: str) -> str:
    return f'<h4><span class="letter">{letter}</span>{tables.swatch(material, arm)} {escape(arm)}</h4>'


def _arm(material: Material, arm: str) -> Cell:
    return Cell(f'<span class="arm-name">{tables.swatch(material, arm)}{escape(arm)}</span>')


def _letters() -> Iterator[str]:
    return iter("abcdefghijklmnopqrstuvwxyz" * 4)


# ---- the body map ---------------------------------------------------------------------------------------------------


def _map_plate(material: Material, course: BodyCourse) -> Plate:
    arms, last = material.arms_with_data, course.days[-1]
    drawings = [body_drawing(course, arm, last) for arm in arms]
    pictures = "".join(
        f'<div class="body-arm">{_arm_heading(material, arm, letter)}{svg(drawing, "body-map")}</div>'
        for arm, drawing, letter in zip(arms, drawings, _letters(), strict=False)
    )
    days = [significant_digits(day, 6) for day in course.days]
    long = in_years(material.days)
    shown = [f"{day / DAYS_PER_YEAR:.3g}" if long else f"{day:g}" for day in course.days]
    unit = "Year" if long else "Day"
    slider = (
        f'<div class="days" hidden><button type="button" class="play" aria-label="Play the days">▶</button>'
        f'<label for="body-day">{unit}</label><input type="range" id="body-day" min="0" max="{len(days) - 1}" '
        f'value="{len(days) - 1}" step="1"><output for="body-day">{shown[-1]}</output></div>'
    )
    stored = json_text({"days": shown, "unit": unit, "arms": [states(course, arm) for arm in arms]})
    key = body_key(course)
    content = (
        f'{slider}<p class="shown-day">{unit} <span>{shown[-1]}</span></p><div class="body-maps">{pictures}</div>'
        f"{scrolling('Key of the body map', svg(key, 'body-key'))}"
        f'<script type="application/json" class="states">{stored}</script>'
        f"{folded('Burden of every site, in numbers', _burden_table(material, course))}"
    )
    return Plate("body", "The body", [content], _map_caption(material, course), drawings=drawings, key=key)


def _map_caption(material: Material, course: BodyCourse) -> str:
    n = sorted({course.animals[arm] for arm in material.arms_with_data})
    several = "n = " + " to ".join(material.of_asked(number) for number in dict.fromkeys((n[0], n[-1])))
    said = [
        f"Organs are coloured by their tumour cells, median of the {material.individuals} of an arm ({several}), on one "
        "logarithmic scale for all arms and days; numbers below the names are medians. The right side of the body is on "
        "the left."
    ]
    if course.flows.empty:
        said.append("No event tells where cells came from, so no arrows are drawn.")
    else:
        read = max(animals_read(material, arm) for arm in material.arms_with_data)
        which = f"the first {read} {material.individuals}" if read < max(n) else f"all {material.individuals}"
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
            _arm(material, arm),
            tables.number_of_animals(material, arm),
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
    when = moment_text(last, material.days)
    caption = f"Medians of the {material.individuals}, {when}; the file for download has every day of the slider"
    columns = ["Arm", "n", "Site", *(heads[q] for q in shown)]
    told = tables.lost_note(material)
    return table(caption, columns, rows, "body-map", records=records, note=told, figure_data=True)


def _number(value: float) -> Cell:
    known = significant_digits(value, 6)
    return Cell(escape(number_text(known)), known, number=True)


# ---- time courses ---------------------------------------------------------------------------------------------------


def _traffic_plate(material: Material, blood: Sequence[Panel], arrivals: Sequence[Panel]) -> Plate:
    arms = material.arms_with_data
    parts: list[str | Row] = [legend(material, arms)]
    said = []
    if blood:
        parts.append(Row(blood, "many"))
        said.append(
            "<b>a</b> and on, tumour cells in the blood at the time, on logarithmic axes; what is zero, less than one cell, or "
            "more than six decades below the highest value lies on the lower axis."
        )
    if arrivals:
        parts.append(Row(arrivals, "four", "Founders arrived so far in"))
        said.append(
            "Below, founders that have arrived in each site so far, whether they grew or not; sites that none reached are "
            "left out."
        )
    caption = f"Lines are medians of the {material.individuals} of an arm, bands their quartiles. " + " ".join(said)
    return Plate("traffic", "Tumour cells in blood, and their arrivals", parts, caption, arms=arms)


def _fates_plate(material: Material, found: Fates, shares: Sequence[Panel]) -> Plate:
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
        rows.append([_arm(material, arm), tables.number_of_animals(material, arm), *cells])
    heads = ["Arm", "n", "Shed", "Died on the way", "Arrived", "In blood or lymph", "Died (%)", "Arrived (%)"]
    ledger = table(
        f"Ledger of shed cells at the end, mean of the {material.individuals}",
        heads,
        rows,
        "shed-cells",
        sortable=False,
        note=tables.lost_note(material),
    )
    caption = (
        "Cells shed so far are those that died on the way, those that arrived, and those in blood or lymph. Shares of the "
        "sums over all of an arm."
        + (f" Axes end at {number_text(100 * found.top)} %; the rest died on the way." if found.top < 1.0 else "")
    )
    parts: list[str | Row] = [f'<div class="legend still">{keys}</div>', Row(shares, "four"), ledger]
    return Plate("shed-cells", "What became of shed cells", parts, caption)


# ---- the migration graph --------------------------------------------------------------------------------------------


def _migration_plate(material: Material, found: Migration) -> Plate:
    drawings = [migration_drawing(found, arm) for arm in material.arms]
    pictures = "".join(
        f'<div class="body-arm">{_arm_heading(material, arm, letter)}{svg(drawing, "migration")}</div>'
        for arm, drawing, letter in zip(material.arms, drawings, _letters(), strict=False)
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
        f"{material.individual.capitalize()} {found.animal} in every arm, of {found.animals} the one nearest the medians "
        "of the arms. An arrow is the founders of one clone that came from one site and arrived in another, whether they "
        "grew or not; numbers count "
        f"the founders of all clones. {counted(len(found.clones), 'clone').capitalize()} with most founders "
        f"{'has' if len(found.clones) == 1 else 'have'} colours. Dashed arrows left a metastasis: {escape(sentence)}."
    )
    key = migration_key_drawing(found)
    return Plate("migration", "Who seeded whom", [content], caption, drawings=drawings, key=key)


def _seeding_table(material: Material, found: Migration) -> str:
    edges: Any = found.edges.itertuples()
    rows = []
    records = []
    for edge in edges:
        rows.append(
            [
                _arm(material, edge.arm),
                tables.number_of_animals(material, edge.arm),
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
    heads = ["Arm", "n of the arm", "From", "To", "Clone", "Founders", "First arrival (day)"]
    late = [row for row, record in zip(rows, records, strict=True) if record["origin"] != found.primary]
    early = [row for row, record in zip(rows, records, strict=True) if record["origin"] == found.primary]
    shown = (late + early)[:_MOST_ROWS]
    rest = len(rows) - len(shown)
    caption = "Founders by origin, site and clone, those that left a metastasis first"
    note = f'<p class="muted">{rest} more rows are in the file for download.</p>' if rest else ""
    told = tables.lost_note(material)
    return table(caption, heads, shown, "migration", records=records, note=told, figure_data=True) + note
