"""The cheap rows of the scorecard, really run: every number is there, calibration agrees, disagreements are those documented.

Not part of the default suite: ``pytest tests/validation``, some four minutes of CPU time, with the numbers of patients and
draws of a quick run. Studies are not run here; ``paget validate`` runs them.
"""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from paget.evidence import load_observations
from paget.validation.case import Computation
from paget.validation.cases import CASES, EXPERIMENTS
from paget.validation.verdict import judge

TABLE = load_observations()
PAGE = Path(__file__).parents[2] / "docs" / "scorecard.md"
COMPUTED = [key for key, experiment in EXPERIMENTS.items() if isinstance(experiment, Computation)]
# Calibration that is missed, and why, is documented as well.
MISSED = {"H053 rapamycin"}


def documented() -> set[str]:
    """Rows that the page of the scorecard names as disagreements."""
    text = PAGE.read_text(encoding="utf-8")
    told = text[text.index("## Disagreements") :]
    return {name for name in TABLE if re.search(rf"^\| {re.escape(name)} \|", told, re.M)}


@pytest.mark.parametrize("key", COMPUTED)
def test_computations_give_every_number_and_the_documented_verdicts(key):
    experiment = EXPERIMENTS[key]
    assert isinstance(experiment, Computation)
    found = experiment.run(True)
    rows = {case.observation for case in CASES if case.experiment == key}
    assert set(found) == rows
    assert not [name for name, one in found.items() if math.isnan(one.value)]
    verdicts = {name: judge(TABLE[name], one) for name, one in found.items()}
    disagree = {name for name, verdict in verdicts.items() if verdict.outcome == "disagree"}
    assert disagree == documented() & rows
    assert {name for name in disagree if TABLE[name].role == "calibration"} <= MISSED


def test_the_page_names_each_disagreement_once():
    text = PAGE.read_text(encoding="utf-8")
    told = text[text.index("## Disagreements") :]
    names = re.findall(r"^\| (H\d{3}[^|]*?) \|", told, re.M)
    assert sorted(names) == sorted(set(names))
    assert set(names) <= set(TABLE)
