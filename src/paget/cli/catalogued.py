"""Commands that look at studies and at the models behind them: list, show, explain."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from paget.cli.opening import StudyArgument, open_study
from paget.cli.terminal import grid, heading, say

if TYPE_CHECKING:
    from paget.experiment import Study

__all__ = ["explain", "list_catalogue", "show"]


def list_catalogue() -> None:
    """List the studies, models and drugs of the catalogue."""
    from paget import catalogue

    studies = [catalogue.load_study(name) for name in catalogue.study_names()]
    heading("Studies")
    rows = [(s.name, s.title, str(len(s.arms)), str(s.replicates), _days(s.duration), s.model) for s in studies]
    grid(("study", "title", "arms", "animals per arm", "duration", "model"), rows, right=("arms", "animals per arm"))
    models = {study.model: catalogue.build_model(study).describe() for study in reversed(studies)}
    heading("Models")
    grid(("model", "title"), [(name, model["title"]) for name, model in sorted(models.items())])
    heading("Drugs")
    drugs = {drug["name"]: drug for model in models.values() for drug in model["drugs"]}
    grid(("drug", "what it does"), [(name, drug["action"]) for name, drug in sorted(drugs.items())])
    say()
    say("paget show STUDY tells the arms of a study, paget run STUDY runs it.")


def show(study: StudyArgument) -> None:
    """Show a study: its arms with their doses, its readouts, the options of its model, its sources."""
    from paget import catalogue

    chosen, _ = open_study(study)
    built = catalogue.build_model(chosen)
    model = built.describe()
    _title(chosen.name, chosen.title)
    if chosen.description:
        say(chosen.description.strip())
    say()
    for name, value in _setting(chosen, model):
        say(f"{name:<12}{value}")
    heading("Arms")
    grid(("arm", "compared with", "what is done"), [_arm(chosen, arm.name) for arm in chosen.arms])
    heading("Readouts")
    wanted = [r for r in model["readouts"] if not chosen.readouts or r["name"] in chosen.readouts]
    grid(("readout", "unit", "meaning"), [(r["name"], r["unit"], f"{r['title']}: {r['meaning']}") for r in wanted])
    if built.options:
        heading("Options (--option name=value)")
        rows = [
            (o.name, str(chosen.options.get(o.name, o.default)), ", ".join(map(str, o.choices)), o.meaning)
            for o in built.options
        ]
        grid(("option", "here", "choices", "meaning"), rows)
    _sources(model["sources"])


def explain(
    study: StudyArgument,
    as_json: Annotated[bool, typer.Option("--json", help="Write the whole description as JSON.")] = False,
) -> None:
    """Explain the model of a study: every process, every parameter with its source, every assumption."""
    from paget import catalogue

    chosen, _ = open_study(study)
    model = catalogue.build_model(chosen).describe()
    if as_json:
        typer.echo(json.dumps(model, indent=2))
        return
    _title(model["name"], model["title"])
    say(model["methods"])
    heading("Processes")
    grid(("process", "phase", "what happens", "variables"), [_process(p) for p in model["processes"]])
    rules = [(p["role"], p["rule"]) for p in model["processes"] if p["rule"]]
    if rules:
        heading("Rules")
        grid(("process", "rule"), rules)
    heading("Parameters")
    grid(("parameter", "value", "basis", "why, and where from"), [_parameter(p) for p in model["parameters"]])
    if any(p["changed"] for p in model["parameters"]):
        say("* changed by this study")
    if model.get("genes"):
        heading("Genes that an arm can change")
        grid(("gene", "acts on"), [(gene, "; ".join(what)) for gene, what in model["genes"].items()])
    heading("Assumptions")
    for assumption in model["assumptions"]:
        say(f"- {assumption}")
    heading("Not claimed")
    for limit in model["limits"]:
        say(f"- {limit}")
    _sources(model["sources"])


def _title(name: str, title: str) -> None:
    say(f"{name}: {title}" if title else name, style="bold")


def _days(hours: float) -> str:
    return f"{hours / 24:g} day{'' if hours == 24 else 's'}"


def _setting(study: Study, model: Mapping[str, Any]) -> list[tuple[str, str]]:
    lines = [
        ("model", f"{model['name']}, {_extent(model)}"),
        ("animals", f"{study.replicates} in each of {len(study.arms)} arms"),
        ("duration", _days(study.duration)),
        ("seed", str(study.seed)),
    ]
    for name, changes in (("options", study.options), ("parameters", study.parameters)):
        if changes:
            lines.append((name, ", ".join(f"{key} = {value}" for key, value in changes.items())))
    for name, entries in (("without", study.without), ("rules", study.rules)):
        if entries:
            lines.append((name, "; ".join(entries)))
    return lines


def _extent(model: Mapping[str, Any]) -> str:
    """The size of a tissue, or the sites of a body."""
    if "domain" in model:
        size = " x ".join(f"{length:g}" for length in model["domain"]["size_um"][: model["dimensions"]])
        return f"{model['dimensions']}-D, {size} um"
    return f"a body of {', '.join(model['sites'])}" if model.get("sites") else "without space"


def _arm(study: Study, name: str) -> tuple[str, str, str]:
    arm = study.arm(name)
    note = f" ({arm.note})" if arm.note else ""
    return name, arm.versus or "-", arm.in_words() + note


def _process(process: Mapping[str, Any]) -> tuple[str, str, str, str]:
    touched = [f"{verb} {', '.join(process[verb])}" for verb in ("reads", "adds", "sets", "emits") if process[verb]]
    on = f" [{', '.join(process['on'])}]" if process["on"] else ""
    return process["role"], process["phase"], process["summary"] + on, "; ".join(touched)


def _parameter(parameter: Mapping[str, Any]) -> tuple[str, str, str, str]:
    low, high, spread = parameter["low"], parameter["high"], parameter["spread"]
    known = f" ({_number(low)} to {_number(high)})" if low is not None and high is not None else ""
    source = ", ".join(part for part in (parameter["source"], parameter["where"]) if part)
    return (
        parameter["key"] + ("*" if parameter["changed"] else ""),
        f"{_number(parameter['value'])} {parameter['unit']}".strip() + known + (f", CV {spread:.0%}" if spread else ""),
        parameter["basis"],
        (parameter["reason"] or parameter["title"]) + (f" [{source}]" if source else ""),
    )


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, (int, float)) else str(value)


def _sources(sources: Sequence[Mapping[str, Any]]) -> None:
    heading("Sources")
    for source in sources:
        link = f" https://doi.org/{source['doi']}" if source["doi"] else f" {source['url']}" if source["url"] else ""
        say(f"[{source['key']}] {source['text']}{link}")
