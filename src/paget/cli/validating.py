"""The command that holds the simulated biology against published findings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from paget.cli.terminal import grid, heading, remark, say
from paget.errors import StudyError

if TYPE_CHECKING:
    from paget.validation import Scorecard
    from paget.validation.verdict import Outcome

__all__ = ["validate"]

FOLDER = Path("scorecard")


def validate(
    observations: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ID]...", help="Only these observations, such as H090 or 'H090 T1N0'; all if left out."
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder of the scorecard; what is there already is not run again.")
    ] = FOLDER,
    listing: Annotated[
        bool, typer.Option("--list", help="Tell the observations and how each is tested, and run nothing.")
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(metavar="N", help="Animals simulated at the same time (if left out: one for each core)."),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer animals, patients and draws; the page says so.")
    ] = False,
) -> None:
    """Hold the simulated biology against published findings, and write a scorecard.

    Runs the studies and computations that the observations need, each once, and writes scorecard.html, scorecard.json and
    scorecard.csv. A run that was stopped goes on when the same command is given again.
    """
    if listing:
        _list(observations or [])
        return
    if workers is not None and workers < 1:
        raise StudyError(f"--workers {workers}: at least one animal must be simulated at a time.")
    from paget.cli.progress import showing_progress
    from paget.validation import validate as run

    def told(title: str, done: int, total: int) -> None:
        remark(f"{done + 1} of {total}: {title}")

    try:
        with showing_progress() as animals:
            scorecard = run(
                observations or [], folder=out, quick=quick, workers=workers, progress=told, animals=animals
            )
    except KeyboardInterrupt:
        remark("Stopped. What was finished is kept; the same command goes on.")
        raise typer.Exit(130) from None
    _tell(scorecard)
    say(f"Scorecard: {scorecard.write(out)}")


def _tell(scorecard: Scorecard) -> None:
    heading("Verdicts")
    outcomes: tuple[Outcome, ...] = ("agree", "disagree", "not testable")
    rows = [
        (f"{role}s" if role == "prediction" else role, *(str(scorecard.count(one, role)) for one in outcomes))
        for role in ("prediction", "calibration")
    ]
    grid(("rows", *outcomes), rows, right=outcomes)
    wrong = [row for row in scorecard.rows if row.verdict.outcome == "disagree"]
    if wrong:
        heading("Disagreements")
        grid(
            ("row", "finding", "published", "why"),
            [(r.observation.name, r.observation.title, r.observation.published(), r.verdict.why) for r in wrong],
        )
    say()


def _list(wanted: list[str]) -> None:
    from paget.evidence import load_observations
    from paget.validation.case import Case
    from paget.validation.cases import CASES, EXPERIMENTS, UNTESTED
    from paget.validation.scorecard import planned

    table = load_observations()
    plan = planned(table, CASES, UNTESTED)
    names = [row.name for key in wanted for row in table.of(key)] if wanted else list(table)
    rows = []
    for name in names:
        row, one = table[name], plan[name]
        how = EXPERIMENTS[one.experiment].title if isinstance(one, Case) else f"not testable: {one.reason}"
        rows.append((name, row.title, row.published(), row.role, how))
    grid(("row", "finding", "published", "role", "tested by"), rows)
    tested = [name for name in names if isinstance(plan[name], Case)]
    ids = {table[name].id for name in tested}
    total = len({table[name].id for name in names})
    say(f"{len(tested)} of {len(names)} rows are tested, of {len(ids)} of {total} ids.")
