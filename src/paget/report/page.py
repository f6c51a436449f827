"""The report as one file: figures, tables and text in a page that opens without a network."""

from __future__ import annotations

import importlib.resources
import itertools
import os
import re
from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template

from paget.compare import Comparison, Omnibus, omnibus
from paget.errors import ResultError
from paget.report import tables
from paget.report.body_plates import body_plates
from paget.report.contested import contested_panels
from paget.report.design_plates import design_plates
from paget.report.focus import focused, overview
from paget.report.markup import folded
from paget.report.material import Material, ResultLike, collect
from paget.report.moments import moments_table
from paget.report.plate import Plate, Plots, figure_html
from paget.report.plates import plates
from paget.report.prose import abstract, counted, findings, for_readers
from paget.report.theme import css_variables, json_text, length_text, moment_text, palettes
from paget.report.trends import trends
from paget.results.files import write_atomic

__all__ = ["sections", "write_report"]

_MOST_FAILURES_OPEN = 4
_TOLD_ELSEWHERE = ("model", "arms")


def write_report(result: ResultLike, path: str | os.PathLike[str] | None = None) -> Path:
    """Write what a study found as one self-contained page that looks like the figures of a paper.

    The page holds its scripts, styles, pictures and data, and loads nothing from anywhere. It appears under its name
    only when it is complete.

    Parameters
    ----------
    result : an opened result; animals that did not finish are left out and counted on the page.
    path : where to write; ``report.html`` in the folder of the result if left out.

    Raises
    ------
    ResultError
        If there is no folder to write to.
    """
    target = Path(path) if path is not None else result.path / "report.html"
    if not target.parent.is_dir():
        raise ResultError(
            f"The report was to go to '{target}', but there is no folder '{target.parent}'; make it first."
        )
    text = _page(collect(result), result)
    write_atomic(target, text.encode())
    return target


def _page(material: Material, result: ResultLike) -> str:
    plots: Plots = {}
    shown = focused(material)
    numbers = itertools.count(1)

    def written(figures: Sequence[Plate]) -> str:
        return "".join(figure_html(plate, next(numbers), plots, shown) for plate in figures)

    groups = dict(sections(material, shown, result))
    headings = {"figures": "Figures", "body": "The body", "design": "Design"}
    above = {"figures": overview(material, shown)}
    parts = [
        ("abstract", "Abstract", _summary(material, shown)),
        *((name, headings[name], above.get(name, "") + written(group)) for name, group in groups.items()),
        ("contested", "Contested evidence", _contested(shown)),
        ("statistics", "Statistics", _statistics(material, shown)),
        ("study", "Arms and readouts", _study(material)),
        ("methods", "Methods", _methods(material)),
        (
            "parameters",
            "Parameters",
            folded("Every parameter with its basis and source", tables.parameters_table(material)),
        ),
        ("references", "References", tables.sources_list(material)),
        (
            "provenance",
            "Provenance",
            tables.provenance({k: v for k, v in material.manifest.items() if k not in _TOLD_ELSEWHERE}),
        ),
    ]
    there = [part for part in parts if part[2]]
    title = material.study.title or material.study.name
    return Template(_static("page.html")).substitute(
        title=escape(title),
        facts=_facts(material),
        contents="".join(f'<a href="#{name}">{escape(heading)}</a>' for name, heading, _ in there),
        body="".join(
            f'<section id="{name}"><details class="section" open><summary><h2>{escape(heading)}</h2></summary>'
            f"{content}</details></section>"
            for name, heading, content in there
        ),
        footer=_footer(material),
        colours=css_variables(),
        style=_static("report.css"),
        plots=json_text(plots),
        palettes=json_text(palettes()),
        plotly=_static("plotly-cartesian.min.js").replace("</script", "<\\/script"),
        script=_static("report.js"),
    )


def sections(material: Material, shown: Material, result: ResultLike) -> list[tuple[str, list[Plate]]]:
    """Collect every figure of a result by its section, in the order in which they are numbered.

    shown : the arms that figures have room for
    """
    return [
        ("design", design_plates(material)),  # what a sweep was made for comes before its points one by one
        ("figures", plates(shown, result)),
        ("body", body_plates(shown, result)),
    ]


def _static(name: str) -> str:
    return importlib.resources.files("paget.report").joinpath("static", name).read_text(encoding="utf-8")


# ---- text ---------------------------------------------------------------------------------------------------------


def _facts(material: Material) -> str:
    study = material.study
    facts = [
        str(material.model.get("title") or material.model["name"]),
        counted(len(study.arms), "arm"),
        f"{counted(study.replicates, material.individual, material.individuals)} per arm",
        length_text(material.days) if material.start == 0.0 else _from_to(material),
        f"seed {study.seed}",
    ]
    return " · ".join(f"<span>{escape(fact)}</span>" for fact in facts)


def _from_to(material: Material) -> str:
    return f"{moment_text(material.start, material.days)} to {moment_text(material.days, material.days).split()[1]}"


def _footer(material: Material) -> str:
    versions = material.manifest.get("versions", {})
    version = versions.get("paget", "") if isinstance(versions, dict) else ""
    return escape(
        f"Computed with paget {version}".strip()
        + f". A simulation: no {material.individual} was treated, and no number here is a measurement."
    )


def _summary(material: Material, shown: Material) -> str:
    limits = "".join(
        f"<li>{tables.linked_sources(material, str(limit))}</li>" for limit in material.model.get("limits", ())
    )
    aside = f'<aside class="limits"><h3>What is not claimed</h3><ul>{limits}</ul></aside>' if limits else ""
    parts = [
        f'<div class="summary{" beside" if limits else ""}"><p class="abstract">{escape(abstract(material, shown))}</p>'
        f"{aside}</div>"
    ]
    found = findings(shown)
    if found:
        items = "".join(f"<li>{_marked(for_readers(c, material))}</li>" for c in found)
        parts.append(f'<h3>Main findings</h3><ul class="findings">{items}</ul>')
    elif any(c.p is not None for c in shown.comparisons):
        parts.append(
            "<h3>Main findings</h3><p>No main readout differed between arms that are compared (adjusted p ≥ 0.05).</p>"
        )
    lost = tables.failures_table(material)
    if lost:
        number = sum(material.lost.values())
        told = f"{counted(number, material.individual, material.individuals).capitalize()} did not finish."
        content = lost if len(material.failures) <= _MOST_FAILURES_OPEN else folded("Which, and why", lost)
        parts.append(f'<div class="notice"><strong>{told}</strong>{content}</div>')
    return "".join(parts)


def _marked(comparison: Comparison) -> str:
    """Write the sentence of a comparison with what it is about in bold."""
    sentence = comparison.sentence()
    about = f"{comparison.title}, {comparison.arm} versus {comparison.versus}:"
    rest = re.sub(r"(?<=[np]) ([=<]) ", "\u00a0\\1\u00a0", sentence.removeprefix(about))
    return f"<strong>{escape(about)}</strong>{escape(re.sub(r'(?<![^ ])-(?=[0-9])', '−', rest))}"


def _contested(material: Material) -> str:
    panels = contested_panels(material)
    if not panels:
        return ""
    return (
        "<p>The literature disagrees on a step of the chain. The study runs the same treatment under both views; "
        f"neither is preferred here.</p>{panels}"
    )


def _statistics(material: Material, shown: Material) -> str:
    parts = []
    if material.comparisons:
        parts.append(
            "<p>Effects are arm minus control. Tests are two-sided; p values are adjusted for the number of readouts of a "
            "contrast. Select a heading to sort.</p>"
        )
        title = f"All {len(material.comparisons)} comparisons"
        if material is not shown:
            title = f"{len(shown.comparisons)} comparisons of the arms in the figures; the file has all"
        parts.append(folded(title, tables.effects_table(material, shown.comparisons)))
    tests = _omnibus_tests(shown)
    if tests:
        parts.append(folded("Tests of all arms at once", tables.omnibus_table(shown, tests)))
    parts.append(trends(shown))
    return "".join(parts)


def _omnibus_tests(material: Material) -> list[Omnibus]:
    arms = material.arms_with_data
    if len(arms) < 2:
        return []
    controls = [
        a.name
        for a in material.study.arms
        if a.versus is None and any(a.name == v for _, v in material.study.contrasts)
    ]
    control = controls[0] if len(controls) == 1 and controls[0] in arms else None
    present = set(material.outcomes["readout"].unique())
    return [omnibus(material.outcomes, r, arms, control) for r in material.readouts if r["name"] in present]


def _study(material: Material) -> str:
    return (
        tables.arms_table(material)
        + moments_table(material)
        + folded("Readouts: what they mean and what is claimed", tables.readouts_table(material))
        + (folded("Drugs of the model", tables.drugs_table(material)) if material.model.get("drugs") else "")
    )


def _methods(material: Material) -> str:
    model = material.model
    parts = [f"<p>{tables.linked_sources(material, str(model['methods']))}</p>"] if model.get("methods") else []
    if model.get("assumptions"):
        items = "".join(f"<li>{tables.linked_sources(material, str(a))}</li>" for a in model["assumptions"])
        parts.append(folded(f"Assumptions ({len(model['assumptions'])})", f"<ul>{items}</ul>"))
    if model.get("processes"):
        parts.append(folded(f"Processes ({len(model['processes'])})", tables.processes_table(material)))
    return "".join(parts)
