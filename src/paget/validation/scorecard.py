"""The scorecard: every observation with what was published, what the simulation says, and the verdict."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from paget.errors import DamagedResultError, EvidenceError, PagetError, StudyError
from paget.evidence import Observation, ObservationTable, load_observations
from paget.validation.case import Case, Computation, Experiment, StudyRun, Untested
from paget.validation.measured import Measured
from paget.validation.verdict import Outcome, Verdict, judge
from paget.version import __version__

__all__ = ["Row", "Scorecard", "needed", "planned", "validate"]

COMPUTED = "computations"
COLUMNS = (
    "id",
    "part",
    "title",
    "role",
    "mechanism_from_source",
    "outcome",
    "why",
    "published",
    "published_value",
    "published_low",
    "published_high",
    "unit",
    "simulated_value",
    "simulated_low",
    "simulated_high",
    "p",
    "n",
    "simulated",
    "experiment",
    "stands_in",
    "remark",
    "source",
)


class Progress(Protocol):
    """Told what is being run: its title, how many are done and how many there are."""

    def __call__(self, title: str, done: int, total: int) -> None: ...


@dataclass(frozen=True)
class Row:
    """One observation and its verdict; `case` and `measured` are None where it is not tested."""

    observation: Observation
    verdict: Verdict
    case: Case | None = None
    measured: Measured | None = None

    def record(self) -> dict[str, Any]:
        """Plain values of the row."""
        o, m = self.observation, self.measured
        return {
            "id": o.id,
            "part": o.part,
            "title": o.title,
            "role": o.role,
            "mechanism_from_source": o.built_in,
            "outcome": self.verdict.outcome,
            "why": self.verdict.why,
            "published": o.published(),
            "published_value": _plain(o.value),
            "published_low": _plain(o.low),
            "published_high": _plain(o.high),
            "unit": o.unit,
            "simulated_value": _plain(m.value) if m else None,
            "simulated_low": _plain(m.low) if m else None,
            "simulated_high": _plain(m.high) if m else None,
            "p": _plain(m.p) if m else None,
            "n": m.n if m else None,
            "simulated": m.how if m else "",
            "experiment": self.case.experiment if self.case else "",
            "stands_in": self.case.stands_in if self.case else "",
            "remark": self.case.remark if self.case else "",
            "source": o.source,
        }


@dataclass(frozen=True)
class Scorecard:
    """All rows that were asked for, in the order of the table of observations."""

    rows: tuple[Row, ...]
    quick: bool = False
    version: str = __version__

    def count(self, outcome: Outcome, role: str = "", *, ids: bool = False) -> int:
        """Rows with an outcome, or ids: one is tested if a row of it is, and agrees if all of those do."""
        chosen = [row for row in self.rows if role in ("", row.observation.role)]
        if not ids:
            return sum(row.verdict.outcome == outcome for row in chosen)
        outcomes: dict[str, set[str]] = {}
        for row in chosen:
            outcomes.setdefault(row.observation.id, set()).add(row.verdict.outcome)
        return sum(_together(found) == outcome for found in outcomes.values())

    def as_json(self) -> str:
        """The scorecard for machines."""
        counts = {
            role: {outcome: self.count(outcome, role) for outcome in ("agree", "disagree", "not testable")}
            for role in ("prediction", "calibration")
        }
        document = {
            "format": "paget scorecard 1",
            "paget": self.version,
            "quick": self.quick,
            "counts": counts,
            "rows": [row.record() for row in self.rows],
        }
        return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    def as_csv(self) -> str:
        """The scorecard as a table."""
        out = io.StringIO()
        writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(row.record() for row in self.rows)
        return out.getvalue()

    def write(self, folder: Path) -> Path:
        """Write ``scorecard.html``, ``.json`` and ``.csv`` into a folder; returns the page."""
        from paget.results.files import make_folder, write_atomic
        from paget.validation.page import page

        make_folder(folder)
        for name, text in (("html", page(self)), ("json", self.as_json()), ("csv", self.as_csv())):
            write_atomic(folder / f"scorecard.{name}", text.encode())
        return folder / "scorecard.html"


def _together(outcomes: Iterable[str]) -> Outcome:
    found = set(outcomes)
    return "disagree" if "disagree" in found else "agree" if "agree" in found else "not testable"


def _plain(value: float) -> float | str | None:
    if math.isnan(value):
        return None
    return value if math.isfinite(value) else ("infinite" if value > 0 else "-infinite")


def planned(table: ObservationTable, cases: Sequence[Case], untested: Sequence[Untested]) -> dict[str, Case | Untested]:
    """The case, or the reason that there is none, of every row.

    Raises
    ------
    EvidenceError
        If a row has two, or none, or something names no row.
    """
    found: dict[str, Case | Untested] = {}
    wrong: list[str] = []
    everything: tuple[Case | Untested, ...] = (*cases, *untested)
    for one in everything:
        if one.observation not in table and (isinstance(one, Case) or one.observation not in table.ids):
            wrong.append(f"'{one.observation}' is no observation")
            continue
        for row in table.of(one.observation):
            if row.name in found:
                wrong.append(f"{row.name} is there twice")
            found[row.name] = one
    wrong += [f"{name} has neither a case nor a reason" for name in table if name not in found]
    if wrong:
        raise EvidenceError("The cases do not fit the table of observations: " + "; ".join(wrong))
    return {name: found[name] for name in table}


def needed(plan: Mapping[str, Case | Untested], names: Iterable[str]) -> tuple[str, ...]:
    """Keys of the experiments that some rows need, each once."""
    cases = [plan[name] for name in names]
    return tuple(dict.fromkeys(case.experiment for case in cases if isinstance(case, Case)))


def validate(
    wanted: Sequence[str] = (),
    *,
    folder: Path,
    quick: bool = False,
    workers: int | None = None,
    progress: Progress | None = None,
    animals: Callable[[Any], None] | None = None,
) -> Scorecard:
    """Run what the wanted observations need (all if none are named), each experiment once, and judge them.

    folder : where results are kept; what is there already is not run again, and what was interrupted goes on.
    quick : fewer animals, patients, cells and draws; `animals` is told how far a study is

    Raises
    ------
    UnknownNameError
        If an id is not known.
    StudyError
        If a study cannot be run; what was finished is kept.
    """
    from paget.validation.cases import CASES, EXPERIMENTS, UNTESTED

    table = load_observations()
    plan = planned(table, CASES, UNTESTED)
    names = [row.name for key in wanted for row in table.of(key)] if wanted else list(table)
    names = [name for name in table if name in set(names)]
    keys = needed(plan, names)
    found: dict[str, Mapping[str, Measured]] = {}
    for done, key in enumerate(keys):
        experiment = EXPERIMENTS[key]
        if progress is not None:
            progress(experiment.title or key, done, len(keys))
        mine = [case for case in (plan[name] for name in names) if isinstance(case, Case) and case.experiment == key]
        found[key] = _carried_out(experiment, mine, folder, quick, workers, animals)
    return Scorecard(tuple(_judged(table, plan, names, found)), quick)


def _judged(
    table: ObservationTable,
    plan: Mapping[str, Case | Untested],
    names: Iterable[str],
    found: Mapping[str, Mapping[str, Measured]],
) -> Iterator[Row]:
    for name in names:
        observation, one = table[name], plan[name]
        if isinstance(one, Untested):
            yield Row(observation, Verdict("not testable", one.reason))
            continue
        measured = found[one.experiment][name]
        yield Row(observation, judge(observation, measured), one, measured)


def _carried_out(
    experiment: Experiment,
    cases: Sequence[Case],
    folder: Path,
    quick: bool,
    workers: int | None,
    animals: Callable[[Any], None] | None,
) -> Mapping[str, Measured]:
    if isinstance(experiment, Computation):
        return _computed(experiment, folder, quick)
    result = _run(experiment, folder, quick, workers, animals)
    found = {}
    for case in cases:
        if case.measure is None:
            raise EvidenceError(f"The case of {case.observation} does not say how its number is read off the study.")
        found[case.observation] = case.measure(result)
    return found


def _run(run: StudyRun, folder: Path, quick: bool, workers: int | None, animals: Callable[[Any], None] | None) -> Any:
    from paget.engine.ensemble import simulate

    place = folder / "studies" / (f"{run.key}-quick" if quick else run.key)
    try:
        return simulate(run.as_study(quick), out=place, workers=workers, resume=place.exists(), progress=animals)
    except PagetError as problem:
        raise StudyError(
            f"The study '{run.key}' of the scorecard, in {place}: {problem}\n"
            "If it was begun with another version, take that folder away, or give another --out."
        ) from problem


def _computed(experiment: Computation, folder: Path, quick: bool) -> Mapping[str, Measured]:
    from paget.results.files import make_folder, read_json, write_json

    path = folder / COMPUTED / (f"{experiment.key}-quick.json" if quick else f"{experiment.key}.json")
    digest = experiment.digest(quick)
    if path.exists():
        try:
            stored = read_json(path)
        except DamagedResultError:
            stored = {}
        if stored.get("digest") == digest:
            return {name: Measured.from_json(one) for name, one in stored["measured"].items()}
    found = experiment.run(quick)
    make_folder(path.parent)
    write_json(path, {"digest": digest, "measured": {name: one.as_json() for name, one in found.items()}})
    return found
