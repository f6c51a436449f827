"""The scorecard: every observation once, experiments shared and kept, a page on which disagreement shows."""

from __future__ import annotations

import csv
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from paget.catalogue import check_study
from paget.cli import main
from paget.errors import EvidenceError, StudyError, UnknownNameError
from paget.evidence import load_observations
from paget.validation import scorecard as scorecards
from paget.validation.case import Case, Computation, StudyRun, Untested
from paget.validation.cases import CASES, EXPERIMENTS, UNTESTED
from paget.validation.measured import Measured
from paget.validation.page import page
from paget.validation.reading import Contrast, Occupied
from paget.validation.scorecard import Row, Scorecard, needed, planned, validate
from paget.validation.verdict import judge

TABLE = load_observations()
PLAN = planned(TABLE, CASES, UNTESTED)


def simulated(name: str, **changes) -> Row:
    given = {"value": 0.5, "low": 0.4, "high": 0.6, "sign": -1, "p": 0.01, "n": 10, "how": "paired t test"} | changes
    measured = Measured(**given)
    case = PLAN[name]
    assert isinstance(case, Case)
    return Row(TABLE[name], judge(TABLE[name], measured), case, measured)


@pytest.fixture(scope="module")
def card() -> Scorecard:
    """One row of every kind, with results that were made up."""
    return Scorecard(
        (
            simulated("H014"),
            simulated("H019", value=0.9, low=0.7, high=1.1, p=0.3),
            simulated("H010"),
            simulated("H036 leak", value=float("inf"), low=0.0, high=float("inf"), sign=1),
            simulated("H050", value=65.0, low=50.0, high=80.0),
            simulated("H065 1 week", value=53.0, low=float("nan"), high=float("nan")),
            simulated("H084", value=21.0, low=4.0, high=54.0, sign=1),
            simulated("H090 T1N0", value=13.1, low=12.8, high=13.4),
            Row(TABLE["H037"], scorecards.Verdict("not testable", "no exosomes with GPC1")),
        ),
        quick=True,
    )


# ---- cases ----------------------------------------------------------------------------------------------------------------
def test_every_row_has_one_case_or_one_reason():
    assert set(PLAN) == set(TABLE)
    tested = [name for name, one in PLAN.items() if isinstance(one, Case)]
    assert len({TABLE[name].id for name in tested}) >= 35


def test_every_case_names_an_experiment_and_every_experiment_is_needed():
    used = {case.experiment for case in CASES}
    assert used == set(EXPERIMENTS)
    assert all((case.measure is not None) == isinstance(EXPERIMENTS[case.experiment], StudyRun) for case in CASES)


@pytest.mark.parametrize("run", [run for run in EXPERIMENTS.values() if isinstance(run, StudyRun)], ids=lambda r: r.key)
def test_studies_of_the_scorecard_can_be_run_and_hold_what_is_read_off_them(run):
    study = run.as_study(quick=True)
    check_study(study)
    assert study.replicates == run.quick < run.as_study(quick=False).replicates == run.replicates
    for case in CASES:
        if case.experiment == run.key:
            arms = {getattr(case.measure, name, None) for name in ("arm", "versus")} - {None}
            assert arms <= set(study.arm_names), case.observation


def test_rows_of_one_experiment_run_it_once():
    assert needed(PLAN, ["H068 doxorubicin", "H070 traps", "H014", "H037"]) == ("lung", "cells")


@pytest.mark.parametrize(
    ("cases", "untested", "reason"),
    [
        (CASES[1:], UNTESTED, "H004 VEGF has neither a case nor a reason"),
        ((*CASES, CASES[0]), UNTESTED, "H004 VEGF is there twice"),
        (CASES, (*UNTESTED, Untested("H014", "too")), "H014 is there twice"),
        ((*CASES, Case(observation="H999", experiment="cells")), UNTESTED, "'H999' is no observation"),
    ],
)
def test_cases_that_do_not_fit_the_table_are_refused(cases, untested, reason):
    with pytest.raises(EvidenceError, match=re.escape(reason)):
        planned(TABLE, cases, untested)


# ---- running --------------------------------------------------------------------------------------------------------------
def test_what_was_computed_is_kept_until_its_code_changes(tmp_path, monkeypatch):
    times = []

    def run(quick: bool):
        times.append(quick)
        return {"H014": Measured(value=0.1, low=0.05, high=0.2, sign=-1, p=0.001)}

    fake = Computation(key="cells", title="made up", run=run)
    monkeypatch.setattr("paget.validation.cases.EXPERIMENTS", {**EXPERIMENTS, "cells": fake})
    first = validate(["H014", "H037"], folder=tmp_path, quick=True)
    assert validate(["H014"], folder=tmp_path, quick=True).rows[0] == first.rows[0]
    assert times == [True]
    validate(["H014"], folder=tmp_path)
    assert times == [True, False]
    monkeypatch.setattr(Computation, "digest", lambda self, quick: "other code")
    validate(["H014"], folder=tmp_path)
    assert times == [True, False, False]
    assert [row.verdict.outcome for row in first.rows] == ["agree", "not testable"]


def test_a_study_is_run_once_kept_and_read_off(tmp_path, monkeypatch):
    study = StudyRun(
        key="organs", study="organ_pattern", arms=("both", "flow alone"), replicates=40, quick=20, title="autopsies"
    )
    cases = (
        Case(
            observation="H045",
            experiment="organs",
            measure=Contrast(readout="bone_marrow", arm="flow alone", versus="both", percent_less=True),
        ),
        Case(observation="H101 lung", experiment="organs", measure=Occupied(readout="lung", arm="both")),
    )
    kept = [one for one in CASES if one.observation not in {case.observation for case in cases}]
    monkeypatch.setattr("paget.validation.cases.EXPERIMENTS", {**EXPERIMENTS, "organs": study})
    monkeypatch.setattr("paget.validation.cases.CASES", (*kept, *cases))
    told, animals = [], []
    first, second = (
        validate(
            ["H045", "H101 lung"],
            folder=tmp_path,
            quick=True,
            workers=1,
            progress=lambda *news: told.append(news),
            animals=animals.append,
        )
        for _ in range(2)
    )
    assert told == [("autopsies", 0, 1)] * 2
    assert animals  # of the first time only: the second finds everything done
    assert {event.finished for event in animals} <= {0, 1, 2}
    bone, lung = first.rows
    assert bone.measured is not None
    assert lung.measured is not None
    assert bone.measured.n == lung.measured.n == 20
    assert bone.measured.value > 50.0  # flow alone brings few cells to the marrow
    assert bone.measured.low <= bone.measured.value <= bone.measured.high <= 100.0
    assert lung.measured.low < lung.measured.value < lung.measured.high
    assert [row.measured for row in second.rows] == [row.measured for row in first.rows]


def test_a_study_that_cannot_be_run_is_named_with_its_folder(tmp_path, monkeypatch):
    other = StudyRun(key="lung", study="lung_awakening", arms=("vehicle", "doxorubicin"), replicates=2, quick=1)
    monkeypatch.setattr("paget.validation.cases.EXPERIMENTS", {**EXPERIMENTS, "lung": other})
    place = tmp_path / "studies" / "lung-quick"
    place.mkdir(parents=True)
    (place / "manifest.json").write_text("not a result")
    with pytest.raises(
        StudyError, match=r"The study 'lung' of the scorecard, in .*lung-quick.*\n.*take that folder away"
    ):
        validate(["H070 traps"], folder=tmp_path, quick=True)


def test_an_unknown_observation_is_told_with_the_nearest(tmp_path):
    with pytest.raises(UnknownNameError, match="observation 'H091'"):
        validate(["H091"], folder=tmp_path)
    assert not list(tmp_path.iterdir())


# ---- the page -------------------------------------------------------------------------------------------------------------
class _Page(HTMLParser):
    """What a reader of the page sees: outcomes of the cards in each section, labels of drawings, anything from outside."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.section, self.outcomes, self.labels, self.outside, self.open = "", {}, [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag not in ("meta", "line", "circle", "path", "br"):
            self.open.append(tag)
        if tag == "section":
            self.section = given["id"]
        if tag in ("article", "tr") and "data-outcome" in given:
            self.outcomes.setdefault(self.section, []).append(given["data-outcome"])
        if tag == "svg":
            assert given["role"] == "img"
            self.labels.append(given["aria-label"])
        self.outside += [value for name, value in attrs if name == "src" or (name == "href" and tag == "link")]

    def handle_endtag(self, tag):
        if tag not in ("meta", "line", "circle", "path", "br"):
            assert self.open.pop() == tag


def test_predictions_and_calibration_stand_apart_and_every_tested_row_is_drawn(card):
    seen = _Page(page(card))
    assert seen.open == []
    assert seen.outcomes == {
        "prediction": ["agree", "disagree", "disagree", "agree", "agree", "disagree", "disagree"],
        "calibration": ["agree"],
        "untested": ["not testable"],
    }
    assert len(seen.labels) == 8
    assert "published 13 %; simulated 13.1 (12.8 to 13.4)" in seen.labels


def test_the_page_loads_nothing_and_says_that_it_was_quick(card):
    text = page(card)
    assert _Page(text).outside == []
    assert "quick run" in text
    assert "quick run" not in page(Scorecard(card.rows))
    assert "nan" not in re.sub(r"<style>.*?</style>|<script>.*?</script>", "", text, flags=re.S).lower().split()


def test_text_of_a_row_cannot_become_markup(card):
    row = card.rows[0]
    evil = Row(row.observation, scorecards.Verdict("agree", "<b>bold</b>"), row.case, row.measured)
    assert "<b>bold</b>" not in page(Scorecard((evil,)))


def test_counts_keep_roles_apart_and_an_id_agrees_if_all_its_rows_do(card):
    assert card.count("agree", "prediction") == 3
    assert card.count("agree", "calibration") == 1
    both = Scorecard((simulated("H068 doxorubicin", sign=1), simulated("H068 cisplatin")))
    assert [both.count(outcome) for outcome in ("agree", "disagree")] == [1, 1]
    assert [both.count(outcome, ids=True) for outcome in ("agree", "disagree")] == [0, 1]


def test_files_for_machines_hold_every_row(card, tmp_path):
    card.write(tmp_path / "deep" / "folder")
    document = json.loads((tmp_path / "deep" / "folder" / "scorecard.json").read_text(encoding="utf-8"))
    assert document["quick"] is True
    assert document["counts"]["prediction"] == {"agree": 3, "disagree": 4, "not testable": 1}
    infinite = next(row for row in document["rows"] if row["id"] == "H036")
    assert infinite["simulated_value"] == "infinite"
    table = list(csv.DictReader(io.StringIO(card.as_csv())))
    assert len(table) == len(card.rows)
    assert table[-1]["outcome"] == "not testable"
    assert table[-1]["simulated_value"] == ""


# ---- the command ------------------------------------------------------------------------------------------------------
def test_the_command_lists_how_each_observation_is_tested(capsys):
    assert main(["validate", "--list", "H090", "H037"]) == 0
    out = capsys.readouterr().out
    assert "H090 T1N0" in out
    assert "not testable" in out
    assert "3 of 4 rows are tested, of 1 of 2 ids." in out


def test_the_command_runs_what_is_needed_and_writes_the_scorecard(tmp_path, capsys, monkeypatch):
    fake = Computation(
        key="cells",
        title="made up",
        run=lambda quick: {"H014": Measured(value=1.2, low=1.1, high=1.3, sign=1, p=0.001)},
    )
    monkeypatch.setattr("paget.validation.cases.EXPERIMENTS", {**EXPERIMENTS, "cells": fake})
    assert main(["validate", "H014", "--quick", "--out", str(tmp_path / "card")]) == 0
    out = capsys.readouterr().out
    assert "Disagreements" in out
    assert "goes the other way" in out
    assert {p.name for p in (tmp_path / "card").glob("scorecard.*")} == {
        "scorecard.html",
        "scorecard.json",
        "scorecard.csv",
    }


def test_the_command_refuses_what_it_does_not_know(tmp_path, capsys):
    assert main(["validate", "H999", "--out", str(tmp_path)]) == 1
    assert "observation 'H999'" in capsys.readouterr().err
    assert main(["validate", "--workers", "0", "--out", str(tmp_path)]) == 1
    assert "at least one animal" in capsys.readouterr().err


# ---- the guide ------------------------------------------------------------------------------------------------------------
GUIDE = Path(__file__).parents[2] / "docs" / "scorecard.md"


@pytest.mark.skipif(not GUIDE.exists(), reason="the documentation is not beside the tests")
def test_the_guide_runs_and_counts_the_rows_as_they_are(capsys):
    text = GUIDE.read_text(encoding="utf-8")
    names: dict[str, object] = {}
    for block in re.findall(r"^```python\n(.*?)^```", text, re.S | re.M):
        exec(compile(block, "scorecard.md", "exec"), names)
    assert "disagree" in capsys.readouterr().out
    assert f"{len(TABLE.ids)} published findings in {len(TABLE)} rows" in text
    told = text[text.index("## What is tested") : text.index("## Disagreements")]
    numbers = {int(a): int(b or a) for a, b in re.findall(r"H(\d{3})(?: to H(\d{3}))?", told)}
    listed = {id for id in TABLE.ids for a, b in numbers.items() if a <= int(id[1:]) <= b}
    assert listed == {TABLE[name].id for name, one in PLAN.items() if isinstance(one, Case)}
