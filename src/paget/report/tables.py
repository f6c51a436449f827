"""The tables of the report, as HTML; every text is escaped here, where it meets the page."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from paget.compare import Comparison, Omnibus
from paget.report.markup import Cell, table
from paget.report.material import MISSING_MARK, SIGNIFICANT, Material
from paget.report.theme import number_text, p_text
from paget.report.tissue import TissueFigure

__all__ = [
    "arms_table",
    "chain_table",
    "counts_table",
    "drugs_table",
    "effects_table",
    "failures_table",
    "linked_sources",
    "lost_note",
    "number_of_animals",
    "omnibus_table",
    "parameters_table",
    "processes_table",
    "provenance",
    "readouts_table",
    "source_link",
    "sources_list",
    "swatch",
]

_BASES = ("measured", "derived", "fitted", "assumed")


def _text(value: object) -> Cell:
    return Cell(escape(str(value)))


def _number(value: float | None, digits: int = 3) -> Cell:
    known = value if value is not None and math.isfinite(value) else None
    return Cell(escape(number_text(known, digits)), known, number=True)


def swatch(material: Material, arm: str) -> str:
    """Draw the line and symbol of an arm as a small picture beside its name."""
    style = material.styles[arm]
    dashes = {"solid": "", "dash": "5 3", "dashdot": "5 2 1.5 2", "dot": "1.5 2.5", "longdash": "9 3"}[style.dash]
    fill = "var(--paper)" if style.hollow else style.colour
    return (
        f'<svg class="swatch" viewBox="0 0 30 12" width="30" height="12" aria-hidden="true">'
        f'<line x1="0" x2="30" y1="6" y2="6" style="stroke: {style.colour}" stroke-width="2.4" '
        f'stroke-dasharray="{dashes}"/>'
        f'<circle cx="15" cy="6" r="3.6" style="stroke: {style.colour}; fill: {fill}" stroke-width="1.6"/></svg>'
    )


def _arm(material: Material, arm: str) -> Cell:
    return Cell(f'<span class="arm-name">{swatch(material, arm)}{escape(arm)}</span>')


def _mean(mean: float | None, sd: float | None) -> Cell:
    spread = f' <span class="muted">± {escape(number_text(sd))}</span>' if sd is not None else ""
    return Cell(escape(number_text(mean)) + spread, mean, number=True)


def _below(first: str, second: str) -> str:
    return f'{escape(first)}<div class="muted">{escape(second)}</div>' if second else escape(first)


def _p(p: float | None) -> Cell:
    text = escape(p_text(p))
    return Cell(f"<strong>{text}</strong>" if p is not None and p < SIGNIFICANT else text, p, number=True)


def number_of_animals(material: Material, arm: str, number: int | None = None) -> Cell:
    """How many animals of an arm a row rests on: all that finished, or as many as given."""
    n = material.finished[arm] if number is None else number
    return Cell(escape(material.of_asked(n)), float(n), number=True)


def lost_note(material: Material) -> str:
    """The note below a table that counts animals, where some are missing."""
    lost = material.lost_in_words()
    return f"{MISSING_MARK} {lost}" if lost else ""


def effects_table(material: Material, shown: Sequence[Comparison]) -> str:
    """The comparisons `shown`; the file for download has all, with each number in a column of its own."""
    columns = [
        "Contrast",
        "Readout",
        "Mean ± SD, arm",
        "Mean ± SD, versus",
        "Difference, 95 % interval",
        "Effect size",
        "Test",
        "n",
        "p",
        "Adjusted p",
    ]
    rows = [_effect_row(material, c) for c in shown]
    caption = "Effects of every contrast on every readout"
    return table(caption, columns, rows, "effects", records=_effect_records(material), note=lost_note(material))


def _effect_row(material: Material, c: Comparison) -> list[Cell]:
    about = ", ".join(part for part in (c.unit, "" if c.mean_name == "mean" else c.mean_name) if part)
    note = f'<div class="muted note">{escape(c.note)}</div>' if c.note else ""
    sign = "+" if (c.effect or 0.0) > 0 else ""
    interval = f"{number_text(c.interval[0])} to {number_text(c.interval[1])}" if c.interval else ""
    counts = [c.n_arm] if c.paired else [c.n_arm, c.n_versus]
    count = " / ".join(material.of_asked(n) for n in counts) + (
        f" {'pair' if c.n_arm == 1 else 'pairs'}" if c.paired else ""
    )
    return [
        Cell(f'{_arm(material, c.arm).html}<div class="muted">versus {escape(c.versus)}</div>'),
        Cell(_below(c.title, about) + note),
        _mean(c.mean_arm, c.sd_arm),
        _mean(c.mean_versus, c.sd_versus),
        Cell(_below(sign + number_text(c.effect), interval), c.effect, number=True),
        Cell(
            _below(_size(c), c.effect_size_name if c.effect_size is not None or c.effect_size_interval else ""),
            c.effect_size,
            number=True,
        ),
        Cell(_below(c.test, "paired" if c.paired else "not paired")),
        Cell(count, float(c.n_arm), number=True),
        _p(c.p),
        _p(c.p_adjusted),
    ]


def _size(c: Comparison) -> str:
    """The effect size, and the interval of one that has it, open where the data leave it open."""
    if c.effect_size_interval is None:
        return number_text(c.effect_size)
    low, high = c.effect_size_interval
    upper = number_text(high) if math.isfinite(high) else "∞"
    return f"{number_text(c.effect_size)} ({number_text(low)} to {upper})"


def _effect_records(material: Material) -> list[dict[str, Any]]:
    records = []
    for c in material.comparisons:
        record = dataclasses.asdict(c)
        record["low"], record["high"] = record.pop("interval") or (None, None)
        record["effect_size_low"], record["effect_size_high"] = record.pop("effect_size_interval") or (None, None)
        records.append({key: _stored(value) for key, value in record.items()})
    return records


def _stored(value: object) -> object:
    """What a file can hold: an open end is told in words, and what is unknown is left out."""
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else "inf" if value > 0 else "-inf"
    return value


def omnibus_table(material: Material, tests: Sequence[Omnibus]) -> str:
    """One row per readout: do the arms differ at all?"""
    rows = [
        [
            _text(t.title),
            Cell(str(len(t.arms)), float(len(t.arms)), number=True),
            _text(", ".join(map(material.of_asked, t.n))),
            _text(t.test),
            _number(t.statistic),
            _p(t.p),
            _text(t.post_hoc_test),
            _text(
                "; ".join(f"{h.arm} – {h.versus}: p {p_text(h.p)}" for h in t.post_hoc if h.p < SIGNIFICANT)
                or "none below 0.05"
            ),
            _text(t.note),
        ]
        for t in tests
    ]
    columns = ["Readout", "Arms", "n", "Test", "Statistic", "p", "Then", "Pairs that differ", "Note"]
    return table("Tests of all arms at once", columns, rows, "omnibus", note=lost_note(material))


def arms_table(material: Material) -> str:
    """What was done to each arm, and how many of its animals finished."""
    rows = []
    for arm in material.study.arms:
        done = [what.in_words() for what in arm.interventions]
        changed = "".join(
            f'<div><span class="badge assumed">hypothesis</span> {escape(k)} = {escape(str(v))}</div>'
            for k, v in arm.parameters.items()
        )
        finished, asked = material.finished[arm.name], material.study.replicates
        told = f"{finished:,} of {asked:,}"
        if finished < asked:
            told += f' <strong class="lost">{asked - finished:,} not{MISSING_MARK}</strong>'
        rows.append(
            [
                _arm(material, arm.name),
                _text(arm.versus or "–"),
                Cell("".join(f"<div>{escape(d)}</div>" for d in done) + changed or "no treatment"),
                Cell(told, float(finished), number=True),
                _text(arm.note),
            ]
        )
    columns = ["Arm", "Control", "What is done", f"{material.individuals.capitalize()} finished", "Note"]
    return table("Arms", columns, rows, "arms", sortable=False, note=lost_note(material))


def failures_table(material: Material) -> str:
    """The animals that did not finish, with the reason; empty text if all did."""
    rows = [
        [
            _text(r.arm),
            Cell(str(r.animal), number=True),
            _text(r.status),
            _text(r.tries),
            _text(r.error),
        ]
        for r in material.failures.itertuples()
    ]
    return (
        table(
            f"{material.individuals.capitalize()} that did not finish",
            ["Arm", material.individual.capitalize(), "Status", "Tries", "Error"],
            rows,
            "failures",
        )
        if rows
        else ""
    )


def readouts_table(material: Material) -> str:
    """What each readout means and what is claimed of it."""
    titles = {r["name"]: str(r.get("title") or r["name"]) for r in material.readouts}
    rows = [
        [
            _text(r.get("title") or r["name"]),
            _text(r.get("unit") or "–"),
            _text(r["summary"]),
            _text(str(r.get("meaning", "")) + _ended_by(titles, r)),
            _text(r.get("claim") or "–"),
        ]
        for r in material.readouts
    ]
    return table("Readouts", ["Readout", "Unit", "Summary", "Meaning", "Claim"], rows, "readouts")


def _ended_by(titles: Mapping[str, str], readout: Mapping[str, Any]) -> str:
    """Which events end the wait for this one."""
    others = [titles[name] for name in readout.get("competing", ()) if name in titles]
    return f"; competes with: {', '.join(others)}" if others else ""


def parameters_table(material: Material) -> str:
    """Every parameter of the model, and its variants, with basis and source."""
    rows = []
    for p in (*material.model.get("parameters", ()), *material.model.get("variants", ())):
        basis = str(p["basis"])
        badge = f'<span class="badge {basis if basis in _BASES else "assumed"}">{escape(basis)}</span>'
        variant = f' <span class="badge">variant {escape(p["variant"])}</span>' if p.get("variant") else ""
        changed = ' <span class="badge changed">changed in this study</span>' if p.get("changed") else ""
        low, high = p.get("low"), p.get("high")
        interval = f"{number_text(low)} to {number_text(high)}" if low is not None and high is not None else "–"
        source = linked_sources(material, str(p.get("source") or ""))
        where = f', <span class="muted">{escape(str(p.get("where")))}</span>' if p.get("where") else ""
        reason = "; ".join(str(p[key]).rstrip(".") for key in ("reason", "conditions") if p.get(key))
        rows.append(
            [
                Cell(
                    f"{escape(str(p.get('title') or p['key']))}{variant}{changed}"
                    f"<br><code>{escape(str(p['key']))}</code>"
                ),
                _value(p["value"]),
                _text(p.get("unit") or "–"),
                _text(interval),
                _number(100 * p["spread"]) if p.get("spread") else Cell("–", 0.0, number=True),
                Cell(badge),
                Cell(f"{source}{where}" if source else "–"),
                _text(reason),
            ]
        )
    columns = [
        "Parameter",
        "Value",
        "Unit",
        "Range",
        f"CV between {material.individuals} (%)",
        "Basis",
        "Source",
        "Reason and conditions",
    ]
    return table("Parameters", columns, rows, "parameters")


def _value(value: object) -> Cell:
    return _number(float(value), 4) if isinstance(value, (int, float)) else _text(value)


def processes_table(material: Material) -> str:
    """Every process of the model: what it reads and changes, its rule and its sources."""
    rows = []
    for p in material.model.get("processes", ()):
        rule = f"<br><code>{escape(p['rule'])}</code>" if p.get("rule") else ""
        changes = [
            f"{verb} {', '.join(p[key])}"
            for key, verb in (("adds", "adds to"), ("sets", "sets"), ("emits", "emits"))
            if p.get(key)
        ]
        rows.append(
            [
                Cell(f"<code>{escape(p['role'])}</code>"),
                _text(p["phase"]),
                Cell(escape(p["summary"]) + rule),
                _text(", ".join(p.get("on", ())) or "–"),
                _text(", ".join(p.get("reads", ())) or "–"),
                _text("; ".join(changes) or "–"),
                Cell(", ".join(source_link(material, key) for key in p.get("sources", ())) or "–"),
            ]
        )
    return table(
        "Processes of the model",
        ["Role", "Phase", "What it does", "On", "Reads", "Changes", "Sources"],
        rows,
        "processes",
    )


def drugs_table(material: Material) -> str:
    """The drugs that the model knows."""
    rows = [
        [
            _text(d.get("title") or d["name"]),
            _text(d.get("action", "")),
            Cell(", ".join(source_link(material, key) for key in d.get("sources", ())) or "–"),
        ]
        for d in material.model.get("drugs", ())
    ]
    return table("Drugs", ["Drug", "Action", "Sources"], rows, "drugs") if rows else ""


def chain_table(material: Material) -> str:
    """The numbers behind the colours of the chain: each node that has a readout, in each contrast."""
    assert material.chain is not None
    rows = []
    for arm, versus in material.study.contrasts:
        for node in material.chain["nodes"]:
            c = material.comparison(node.get("readout") or "", arm, versus)
            if c is not None:
                rows.append(
                    [
                        _arm(material, arm),
                        _text(versus),
                        _text(node["label"]),
                        _text(c.title),
                        number_of_animals(material, arm, c.n_arm),
                        _number(c.mean_arm),
                        _number(c.mean_versus),
                        _number(c.effect),
                        _p(c.p_adjusted),
                    ]
                )
    columns = ["Arm", "Versus", "Node", "Readout", "n", "Mean, arm", "Mean, versus", "Difference", "Adjusted p"]
    return table("Values of the nodes", columns, rows, "chain", note=lost_note(material), figure_data=True)


def counts_table(material: Material, figure: TissueFigure) -> str:
    """The cells behind the pictures, counted."""
    rows = [
        [
            _arm(material, arm),
            number_of_animals(material, arm),
            _number(day),
            *(_number(tile.counts.get(name)) for name, _, _ in figure.cell_types),
        ]
        for (arm, day), tile in figure.tiles.items()
        if tile.image
    ]
    columns = ["Arm", "n of the arm", "Day", *(label for _, label, _ in figure.cell_types)]
    return table("Cells in the pictures", columns, rows, "tissue-cells", note=lost_note(material), figure_data=True)


def source_link(material: Material, key: str) -> str:
    """Link a source by its DOI or address, or to its place in the list of references."""
    source = material.sources.get(key)
    if source is None:
        return escape(key)
    address = _address(source) or f"#source-{_anchor(key)}"
    return f'<a href="{escape(address)}" title="{escape(str(source["text"]))}">{escape(key)}</a>'


def linked_sources(material: Material, text: str) -> str:
    """Escape a text and turn the keys of sources in it into links."""
    keys = sorted(material.sources, key=len, reverse=True)
    if not keys:
        return escape(text)
    pieces = re.split(f"({'|'.join(map(re.escape, keys))})", text)
    return "".join(source_link(material, piece) if piece in material.sources else escape(piece) for piece in pieces)


def sources_list(material: Material) -> str:
    """The references, each with a link."""
    items = []
    for key, source in material.sources.items():
        address = _address(source)
        link = f' <a href="{escape(address)}">{escape(source.get("doi") or address)}</a>' if address else ""
        items.append(
            f'<li id="source-{_anchor(key)}"><span class="key">{escape(key)}</span> '
            f"{escape(str(source['text']))}{link}</li>"
        )
    return f'<ol class="sources">{"".join(items)}</ol>' if items else "<p>The model names no source.</p>"


def _address(source: Mapping[str, Any]) -> str:
    doi, url = str(source.get("doi") or ""), str(source.get("url") or "")
    if doi:
        return doi if doi.startswith("https://") else f"https://doi.org/{doi}"
    return url if url.startswith(("https://", "http://")) else ""


def _anchor(key: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "-", key)


def provenance(entries: Mapping[str, Any]) -> str:
    """Write what the manifest says of the run as a nested list of terms."""
    return f"<dl>{''.join(_entries(entries))}</dl>"


def _entries(entries: Mapping[str, Any]) -> Iterable[str]:
    for key, value in entries.items():
        if isinstance(value, Mapping):
            shown = provenance(value)
        elif isinstance(value, (list, tuple)):
            shown = "".join(provenance(v) if isinstance(v, Mapping) else f"<div>{escape(str(v))}</div>" for v in value)
        else:
            shown = escape(f"{value:g}" if isinstance(value, float) else str(value))
        yield f"<dt>{escape(str(key).replace('_', ' '))}</dt><dd>{shown}</dd>"
