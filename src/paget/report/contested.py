"""Contested evidence: the same treatment under the model's view and under a stated hypothesis, side by side."""

from __future__ import annotations

from html import escape

from paget.compare import Comparison, compare
from paget.experiment import Arm
from paget.report.markup import download, scrolling
from paget.report.material import Material
from paget.report.tables import linked_sources, lost_note, swatch
from paget.report.theme import number_text, p_text

__all__ = ["contested_panels"]


def contested_panels(material: Material) -> str:
    """Write one panel for each arm with parameters of its own; empty text if the study has none."""
    return "".join(_panel(material, arm, twin) for arm, twin in material.hypotheses)


def _panel(material: Material, arm: Arm, twin: Arm) -> str:
    control = twin.versus
    contrasts = [(arm.name, twin.name)]
    if control is not None:
        contrasts = [(twin.name, control), (arm.name, control), *contrasts]
    shown = [*material.headline, *material.timed]
    present = set(material.outcomes["readout"].unique())
    found = {
        (c.readout, c.arm, c.versus): c
        for c in compare(material.outcomes, [r for r in shown if r["name"] in present], contrasts)
    }
    rows = []
    for readout in shown:
        under = [found.get((readout["name"], side.name, control or "")) for side in (twin, arm)]
        between = found.get((readout["name"], arm.name, twin.name))
        if between is None:
            continue
        means = (between.mean_versus, between.mean_arm)
        largest = max((abs(m) for m in (*means, *(c.mean_versus for c in under if c)) if m is not None), default=0.0)
        base = next((c.mean_versus for c in under if c), None)
        cells = [_bar(material, control, base, largest)] if control else []
        cells += [
            _bar(material, side.name, mean, largest, c) for side, mean, c in zip((twin, arm), means, under, strict=True)
        ]
        unit = f' <span class="muted">{escape(between.unit)}</span>' if between.unit else ""
        rows.append(
            f'<tr><th scope="row">{escape(between.title)}{unit}</th>{"".join(cells)}'
            f'<td class="number">{_between(between)}</td></tr>'
        )
    heads = [control] if control else []
    columns = "".join(
        f'<th scope="col">{swatch(material, name)}{escape(name)} '
        f'<span class="muted">n = {escape(material.of_asked(material.finished[name]))}</span></th>'
        for name in (*heads, twin.name, arm.name)
    )
    against = f" against {control}" if control else ""
    content = (
        f"<table><caption>Means under both hypotheses; p{escape(against)} and between the two, Holm-adjusted over the "
        f'readouts</caption><thead><tr><th scope="col">Readout</th>{columns}<th scope="col">B minus A</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )
    lost = lost_note(material)
    note = f'<p class="note">{escape(lost)}</p>' if lost else ""
    return (
        f'<section class="contested"><h3>{escape(twin.name)} <span class="muted">or</span> {escape(arm.name)}</h3>'
        f'<div class="sides">{_side(material, "Hypothesis A, the model’s own", twin, arm)}'
        f"{_side(material, 'Hypothesis B', arm, arm)}</div>"
        f'<div class="table" data-name="contested-{escape(arm.name)}">'
        f"{scrolling('Readouts under both hypotheses', content)}{note}"
        f"{download('table', 'CSV', f'Readouts of {twin.name} and {arm.name} as CSV')}</div></section>"
    )


def _side(material: Material, title: str, shown: Arm, hypothesis: Arm) -> str:
    """Name the contested parameters as one side has them, with the source of that side."""
    lines = [
        _line(material, key, given if shown is hypothesis else None) for key, given in hypothesis.parameters.items()
    ]
    note = f'<p class="muted">{linked_sources(material, shown.note)}</p>' if shown.note else ""
    return (
        f'<div class="side"><h4>{escape(title)}</h4><p class="arm-name">{swatch(material, shown.name)}'
        f"{escape(shown.name)}</p><ul>{''.join(lines)}</ul>{note}</div>"
    )


def _line(material: Material, key: str, given: str | float | None) -> str:
    """Write one parameter: as the model has it, or as an arm gives it, by the name of a variant or as a value."""
    own = next((p for p in material.model.get("parameters", ()) if p["key"] == key), None)
    variants = material.model.get("variants", ())
    row = own if given is None else next((v for v in variants if (v["key"], v["variant"]) == (key, given)), None)
    name = escape(str((own or {}).get("title") or key))
    if row is None:
        return f"<li>{name} = <strong>{escape(str(given))}</strong></li>" if given is not None else f"<li>{name}</li>"
    value = number_text(row["value"], 4) if isinstance(row["value"], (int, float)) else str(row["value"])
    value = f"{value} {row.get('unit') or ''}".strip()
    source = f", {linked_sources(material, str(row['source']))}" if row.get("source") else ""
    reason = f'<div class="muted">{linked_sources(material, str(row["reason"]))}</div>' if row.get("reason") else ""
    return f"<li>{name} = <strong>{escape(value)}</strong>{source}{reason}</li>"


def _bar(material: Material, arm: str, mean: float | None, largest: float, against: Comparison | None = None) -> str:
    width = 100 * abs(mean) / largest if mean is not None and largest > 0 else 0.0
    p = (
        f' <span class="muted">p {escape(_relation(against.p_adjusted))}</span>'
        if against and against.p_adjusted is not None
        else ""
    )
    return (
        f'<td class="bar"><span class="track"><span style="width: {width:.1f}%; '
        f'background: {material.styles[arm].colour}"></span></span>'
        f"{escape(number_text(mean))}{p}</td>"
    )


def _between(c: Comparison) -> str:
    sign = "+" if (c.effect or 0.0) > 0 else ""
    interval = f" ({number_text(c.interval[0])} to {number_text(c.interval[1])})" if c.interval else ""
    p = f", p {_relation(c.p_adjusted)}" if c.p_adjusted is not None else ""
    return escape(f"{sign}{number_text(c.effect)}{interval}{p}")


def _relation(p: float | None) -> str:
    text = p_text(p)
    return text if text.startswith("<") else f"= {text}"
