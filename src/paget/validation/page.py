"""The scorecard as one page that opens without a network: predictions first, calibration apart, disagreement in the open."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING

from paget.evidence import Observation
from paget.report.theme import css_variables
from paget.validation.forest import forest, in_words

if TYPE_CHECKING:
    from paget.validation.scorecard import Row, Scorecard

__all__ = ["page"]

_OUTCOMES = {"agree": "Agree", "disagree": "Disagree", "not testable": "Not testable"}
_SIGNS = {"agree": "✓", "disagree": "✗", "not testable": "–"}
_SECTIONS = (
    ("prediction", "Predictions", "No number of the model was set by these findings."),
    (
        "calibration",
        "Calibration",
        "A number of the model was set by these findings, so that agreement here says only that it was set well.",
    ),
)
_BUILT_IN = "mechanism from this source"


def page(scorecard: Scorecard) -> str:
    """Write the page."""
    tested = [row for row in scorecard.rows if row.case is not None]
    untested = [row for row in scorecard.rows if row.case is None]
    sections = [
        _section(role, title, text, [row for row in tested if row.observation.role == role])
        for role, title, text in _SECTIONS
    ]
    if untested:
        sections.append(_untested(untested))
    quick = '<span class="quick">quick run: fewer animals, patients and draws</span>' if scorecard.quick else ""
    return Template(_static("scorecard.html")).substitute(
        facts=f"<span>paget {escape(scorecard.version)}</span> · <span>{len(scorecard.rows)} rows</span> {quick}",
        summary=_summary(scorecard),
        filters=_filters(scorecard),
        body="".join(sections),
        colours=css_variables(),
        style=files("paget.report").joinpath("static", "report.css").read_text(encoding="utf-8"),
        own=_static("scorecard.css"),
        script=_static("scorecard.js"),
    )


def _static(name: str) -> str:
    return files("paget.validation").joinpath("static", name).read_text(encoding="utf-8")


def _summary(scorecard: Scorecard) -> str:
    boxes = []
    for role, title, _ in _SECTIONS:
        of = [row for row in scorecard.rows if row.observation.role == role]
        agree, disagree = (scorecard.count(outcome, role) for outcome in ("agree", "disagree"))
        mine = [row for row in of if row.verdict.outcome == "agree" and not row.observation.built_in]
        told = (
            f" Of the agreements {len(mine)} are of findings from which no mechanism was written."
            if role == "prediction" and agree
            else ""
        )
        boxes.append(
            f'<div class="count"><h3>{title}</h3><p><b class="agree">{agree}</b> agree, '
            f'<b class="disagree">{disagree}</b> disagree, of {len(of)} rows; {len(of) - agree - disagree} are not '
            f"testable.{told}</p></div>"
        )
    return f'<div class="counts">{"".join(boxes)}</div>'


def _filters(scorecard: Scorecard) -> str:
    buttons = ['<button type="button" data-show="" aria-pressed="true">All</button>']
    for outcome, label in _OUTCOMES.items():
        count = sum(row.verdict.outcome == outcome for row in scorecard.rows)
        buttons.append(f'<button type="button" data-show="{outcome}" aria-pressed="false">{label} ({count})</button>')
    return f'<div class="filters" role="group" aria-label="Show rows">{"".join(buttons)}</div>'


def _section(role: str, title: str, text: str, rows: Sequence[Row]) -> str:
    if not rows:
        return ""
    cards = "".join(_card(row) for row in rows)
    return f'<section id="{role}"><h2>{title}</h2><p>{escape(text)}</p><div class="cards">{cards}</div></section>'


def _card(row: Row) -> str:
    o, m, case = row.observation, row.measured, row.case
    assert m is not None
    assert case is not None
    outcome = row.verdict.outcome
    notes = [
        ("Simulated", f"{in_words(m)}{_unit(o)}; {m.how}" + (f"; {m.details}" if m.details else "")),
        ("Stands for it", case.stands_in),
        ("Remark", case.remark),
        ("Note on the finding", o.note),
    ]
    listed = "".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in notes if text)
    tag = f'<span class="tag">{_BUILT_IN}</span>' if o.built_in else ""
    return (
        f'<article class="card {_slug(outcome)}" data-outcome="{outcome}">'
        f'<header><span class="name">{escape(o.name)}</span>{_badge(row)}{tag}</header>'
        f"<h3>{escape(o.title)}</h3>"
        f'<p class="what">{escape(_setting(o))}</p>{_figure(row)}'
        f'<p class="numbers">published <b>{escape(o.published())}</b>; simulated <b>{escape(in_words(m))}{_unit(o)}</b></p>'
        f'<details><summary>How, and from where</summary><dl>{listed}</dl><p class="source">{_sources(o)}</p></details>'
        f"</article>"
    )


def _figure(row: Row) -> str:
    return forest(row.observation, row.measured) if row.measured and row.verdict.outcome != "not testable" else ""


def _unit(observation: Observation) -> str:
    return f" {observation.unit}" if observation.unit else "" if observation.numeric else " × control"


def _setting(o: Observation) -> str:
    what = f"{o.intervention} against {o.control}" if o.intervention and o.control else o.intervention
    return "; ".join(part for part in (o.readout, what, o.system) if part)


def _badge(row: Row) -> str:
    outcome = row.verdict.outcome
    return (
        f'<span class="verdict {_slug(outcome)}">{_SIGNS[outcome]} {_OUTCOMES[outcome].lower()}: '
        f"{escape(row.verdict.why)}</span>"
    )


def _slug(outcome: str) -> str:
    return outcome.replace(" ", "-")


def _sources(o: Observation) -> str:
    parts = []
    for source in o.sources():
        text = escape(source.text)
        parts.append(f'<a href="{escape(source.link)}">{text}</a>' if source.link else text)
    read = f"Read: {o.where}; the identifier was {o.doi_status}." if o.doi_status != "seen" else f"Read: {o.where}."
    return "; ".join(parts) + f" {escape(read)}"


def _untested(rows: Sequence[Row]) -> str:
    body = "".join(
        f'<tr data-outcome="not testable"><th scope="row">{escape(row.observation.name)}</th>'
        f"<td>{escape(row.observation.title)}</td><td>{escape(row.observation.published())}</td>"
        f"<td>{escape(row.observation.role)}</td><td>{escape(row.verdict.why)}</td>"
        f"<td>{_sources(row.observation)}</td></tr>"
        for row in rows
    )
    heads = "".join(
        f'<th scope="col">{name}</th>' for name in ("", "Finding", "Published", "Role", "What lacks", "Source")
    )
    return (
        f'<section id="untested" data-outcome="not testable"><h2>Not testable</h2>'
        f"<p>These findings are waiting for a mechanism, a drug or a number.</p>"
        f'<div class="scroll" tabindex="0" role="region" aria-label="Findings that are not testable"><table>'
        f"<caption>Findings that are not testable</caption><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"
        f"</div></section>"
    )
