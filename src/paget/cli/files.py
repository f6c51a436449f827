"""Commands that write a study file and its schema: new, branch, schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from paget.cli.terminal import say
from paget.errors import StudyError

if TYPE_CHECKING:
    from paget.experiment import Study

__all__ = ["branch", "new", "schema"]


def new(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write, ending in .yaml.")],
    base: Annotated[
        str, typer.Option(metavar="STUDY", help="The study of the catalogue to start from.")
    ] = "lung_awakening",
) -> None:
    """Write a commented study file to start from; an existing file is left alone."""
    from paget import catalogue
    from paget.io.study_file import parse_study, schema_path

    text = _template(base, catalogue.load_study(base), schema_path().as_uri())
    parse_study(text, name=str(file))
    _write_new(file, text)


def _write_new(file: Path, text: str) -> None:
    if file.suffix not in (".yaml", ".yml"):
        raise StudyError(f"'{file}': a study file ends in .yaml.")
    try:
        with file.open("x", encoding="utf-8", newline="\n") as target:
            target.write(text)
    except FileExistsError:
        raise StudyError(f"'{file}' exists already; it is left as it is. Choose another name.") from None
    say(f"Wrote {file}. Edit it, then: paget show {file}, paget run {file}")


def branch(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the result whose animals go on.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The study file to write, ending in .yaml.")],
    arm: Annotated[str, typer.Option(metavar="ARM", help="The arm whose animals go on.")],
    day: Annotated[
        float, typer.Option(metavar="DAY", help="The day on which they branch off; its state must be kept.")
    ],
) -> None:
    """Write a study file in which the animals of a result go on from a kept state, each under every arm."""
    from paget.io.study_file import dump_study, schema_path
    from paget.results import Result

    study = Result.open(folder).branch(arm, day)
    hint = (
        f"\n# Add arms, each with 'versus: as before'; they begin on day {day:g}, and times count from day 0:\n"
        "#  - name: treated\n#    like: as before\n"
        f"#    doses:\n#      - {{drug: doxorubicin, amount: 5 mg/kg, at: {day + 1:g} day}}\n"
    )
    _write_new(file, dump_study(study, schema_path().as_uri()) + hint)


def schema() -> None:
    """Write the JSON Schema of study files to standard output."""
    from paget.io.study_file import study_schema

    typer.echo(json.dumps(study_schema(), indent=2))


def _template(name: str, base: Study, schema_uri: str) -> str:
    arms = "\n".join(f"#   {arm.name}: {arm.in_words()}" for arm in base.arms)
    return f"""\
# yaml-language-server: $schema={schema_uri}
# A study that starts from {name}. Quantities have units: 5 mg/kg, 7 day, 12 h.
# Its arms, which need not be repeated here:
{arms}

base: {name}
title: My variant of {name}
replicates: {base.replicates}    # animals per arm
seed: {base.seed}

# Keep only some arms of the base study (all of them if left out):
# keep: [{", ".join(json.dumps(arm.name) for arm in base.arms[:2])}]

{_example_arm(base)}
# Options of the model and parameters, changed in every arm (paget explain {name} lists them):
# options: {{dimensions: 3}}
# parameters: {{name: 5 um}}
"""


def _example_arm(base: Study) -> str:
    """An arm like the one with the most drugs, its last drug delayed by as much as fits, at most a week."""
    treated = [arm for arm in base.arms if arm.doses]
    if not treated:
        return f"arms:\n  - name: my arm\n    like: {json.dumps(base.arms[0].name)}\n"
    arm = max(treated, key=lambda arm: len({dose.drug for dose in arm.doses}))
    drug = arm.doses[-1].drug
    last = max(dose.times[-1] for dose in arm.doses if dose.drug == drug)
    delay = min(7, int((base.duration - last - 1) // 24))
    shift = f"\n    shift: {{{drug}: {delay} day}}    # this much later than in that arm" if delay > 0 else ""
    return (
        "arms:\n"
        f"  - name: {json.dumps('my ' + arm.name)}\n"
        f"    like: {json.dumps(arm.name)}    # the arm to start from{shift}\n"
        f"    # without: [{drug}]    # or leave a drug out\n"
        f"    # doses:\n    #   - {{drug: {drug}, amount: 5 mg/kg, at: [0 day, 7 day]}}    # or add doses\n"
    )
