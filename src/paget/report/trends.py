"""The whole course of a readout in two arms: does one rise faster, and is it higher throughout?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from paget.compare import Repeated, Trend, repeated
from paget.errors import PagetError
from paget.report.markup import Cell, folded, table
from paget.report.material import SIGNIFICANT, Material
from paget.report.prose import in_words_of, lower_first, of_individuals
from paget.report.sweeps import points_of
from paget.report.tables import lost_note
from paget.report.theme import number_text, p_text

__all__ = ["trends"]

_MOST_FITS = 20  # so many models are fitted in two seconds
_MOST_INDIVIDUALS = 200
_MOST_REFUSALS = 4


def trends(material: Material) -> str:
    """Write the comparisons of whole courses, folded; a sentence where they are not made; empty text without contrasts."""
    contrasts = [pair for pair in material.study.contrasts if set(pair) <= set(material.arms_with_data)]
    readouts = [r for r in material.headline_from_end if r["name"] in material.metrics.columns]
    if not contrasts or not readouts:
        return ""
    if material.study.replicates > _MOST_INDIVIDUALS:
        return (
            f"<p>Whole courses are not compared by a mixed model here: with {material.study.replicates:,} "
            f"{escape(material.individuals)} per arm it would take long and add little to the curves.</p>"
        )
    points = points_of(material.study)
    ordered = sorted(contrasts, key=lambda pair: pair[0] in points)[:_MOST_FITS]
    chosen = readouts[: max(1, _MOST_FITS // len(ordered))]
    found, refused = [], []
    for arm, versus in ordered:
        for readout in chosen:
            one = _compared(material, readout, arm, versus)
            if isinstance(one, str):
                refused.append(f"{lower_first(str(readout.get('title') or readout['name']))} in {arm} ({one})")
            else:
                found.append(one)
    if not found:
        return ""
    parts = [lost_note(material)]
    if len(chosen) < len(readouts) or len(ordered) < len(contrasts):
        parts.append(
            f"Shown are {len(chosen)} of {len(readouts)} main readouts, the end of the causal chain first, in "
            f"{len(ordered)} of {len(contrasts)} contrasts; paget.compare.repeated gives the others."
        )
    if refused:
        more = len(refused) - _MOST_REFUSALS
        parts.append(f"Left out: {'; '.join(refused[:_MOST_REFUSALS])}{f'; and {more} more' if more > 0 else ''}.")
    columns = ["Contrast", "Readout", "Slope, per day", "Adjusted p, slope", "Level", "Adjusted p, level", "Test", "n"]
    caption = "Whole courses: slopes and levels of every contrast"
    content = table(
        caption, columns, [_row(material, one) for one in found], "courses",
        records=[_record(one) for one in found], note=" ".join(filter(None, parts)),
    )  # fmt: skip
    words = (
        "<p>Each line compares a readout over all its days: the slope tells which arm rises faster, the level which one is "
        "higher in the middle of the period. A curve that bends is described by its best line.</p>"
    )
    return folded(f"Whole courses, {len(found)} comparisons (repeated measures)", words + content)


def _compared(material: Material, readout: Mapping[str, Any], arm: str, versus: str) -> Repeated | str:
    """The comparison, or why there is none."""
    try:
        one = repeated(material.metrics, readout, arm, versus, failed=dict(material.lost))
    except PagetError as problem:
        return str(problem).rstrip(".")
    if one.slope.p is None or one.level.p is None or one.test == "no variation":
        return of_individuals(one.note or one.test, material)
    return one


def _row(material: Material, one: Repeated) -> list[Cell]:
    test = escape(of_individuals(one.test, material))
    note = f'<div class="muted note">{escape(of_individuals(one.note, material))}</div>' if one.note else ""
    unit = f'<div class="muted">{escape(one.unit)}</div>' if one.unit else ""
    return [
        Cell(f'{escape(one.arm)}<div class="muted">versus {escape(one.versus)}</div>'),
        Cell(escape(one.title) + unit),
        _trend(one.slope),
        _p(one.slope.p_adjusted),
        _trend(one.level),
        _p(one.level.p_adjusted),
        Cell(test + note),
        Cell(in_words_of(one.n_arm, one.n_versus, one.paired), float(one.n_arm), number=True),
    ]


def _trend(trend: Trend) -> Cell:
    sign = "+" if (trend.effect or 0.0) > 0 else ""
    interval = ""
    if trend.interval is not None:
        interval = f'<div class="muted">{number_text(trend.interval[0])} to {number_text(trend.interval[1])}</div>'
    return Cell(f"{sign}{number_text(trend.effect)}{interval}", trend.effect, number=True)


def _p(p: float | None) -> Cell:
    text = escape(p_text(p))
    return Cell(f"<strong>{text}</strong>" if p is not None and p < SIGNIFICANT else text, p, number=True)


def _record(one: Repeated) -> dict[str, object]:
    trends_of: Sequence[tuple[str, Trend]] = (("slope", one.slope), ("level", one.level))
    record: dict[str, object] = {"readout": one.readout, "arm": one.arm, "versus": one.versus, "unit": one.unit}
    for name, trend in trends_of:
        low, high = trend.interval or (None, None)
        record |= {name: trend.effect, f"{name} low": low, f"{name} high": high}
        record |= {f"{name} p": trend.p, f"{name} adjusted p": trend.p_adjusted}
    return record | {"n": one.n_arm, "n versus": one.n_versus, "paired": one.paired, "test": one.test, "note": one.note}
