"""When what an arm waits for came about: in how many animals, on which day, and where it never did."""

from __future__ import annotations

import math
from html import escape

from paget.report.markup import Cell, table
from paget.report.material import Material
from paget.report.tables import swatch
from paget.report.theme import DAYS_PER_YEAR, in_years, number_text

__all__ = ["moments_table"]


def moments_table(material: Material) -> str:
    """One row for each arm and what it waits for; empty text where no arm waits for anything."""
    if material.moments.empty:
        return ""
    long = in_years(material.days)
    scale = DAYS_PER_YEAR if long else 1.0
    rows = []
    for (arm, moment), mine in material.moments.groupby(["arm", "moment"], sort=False):
        days = mine["day"].dropna() / scale
        happened = (
            f"{len(days)} of {len(mine)}"
            if len(days)
            else f'<strong class="lost">none of {len(mine)}: what waits for it was not done</strong>'
        )
        middle = float(days.median()) if len(days) else math.nan
        rows.append(
            [
                Cell(f'<span class="arm-name">{swatch(material, str(arm))}{escape(str(arm))}</span>'),
                Cell(escape(str(moment))),
                Cell(happened, float(len(days)), number=len(days) > 0),
                *(Cell(number_text(d), d, number=True) for d in (middle, *_ends(days.to_list()))),
            ]
        )
    unit = "year" if long else "day"
    some = material.individuals.capitalize()
    columns = [
        "Arm",
        "What is waited for",
        f"{some} in which it happened",
        f"Median {unit}",
        f"First {unit}",
        f"Last {unit}",
    ]
    columns_of = (material.moments[name].to_list() for name in ("arm", "animal", "moment", "day"))
    records = [
        {"arm": arm, material.individual: int(animal), "moment": moment, "day": _known(day)}
        for arm, animal, moment, day in zip(*columns_of, strict=True)
    ]
    return f"<h3>When it happened</h3>{table('When it happened', columns, rows, 'moments', records=records)}"


def _ends(days: list[float]) -> tuple[float, float]:
    return (min(days), max(days)) if days else (math.nan, math.nan)


def _known(day: float) -> float | None:
    return day if math.isfinite(day) else None
