"""Every kind of intervention in one study: the same numbers however it is run, stopped, taken up again or branched off."""

import os
import signal
import subprocess
import sys
import time

import pytest

import paget as pg
from paget.io.study_file import load_study_file

STUDY = """\
base: lung_awakening
options: {size: 400}
duration: 4 day
tick: 2 h
replicates: 2
keep: [vehicle]
record: {metrics: 12 h, frames: 2 day, checkpoint: 12 h, states: [0 day, 2 day]}
arms:
  - name: 'everything: Ünïcode / 🐭 ..'
    versus: vehicle
    doses:
      - {drug: doxorubicin, amount: 5 mg/kg, at: 0 day}
      - {drug: dasatinib, amount: 5 mg/kg, route: intravenous, start: 2 h, every: 12 h, count: 3}
      - {drug: quercetin, amount: 50 mg/kg, start: 12 h after the last dose of doxorubicin, every: 12 h, until: 46 h}
      - {drug: quercetin, amount: 50 mg/kg, at: when metastases reaches 50}
    antibodies:
      - {target: CXCL1, amount: 5 mg/kg, at: [0 day, 1 day]}
    injections:
      - {cells: cycling tumour cell, number: 12, cluster: 3, at: 1 day}
    perturbations:
      - {gene: PADI4, change: knock-out, at: at the first dose, duration: 3 day}
      - {gene: THBS1, change: over-expression, level: 3, at: 12 h after the last dose of doxorubicin}
    depletions:
      - {cells: neutrophil, fraction: 0.9, at: 12 h after the first dose of doxorubicin, duration: 3 day}
    overrides:
      - {parameter: net_half_life, value: 12 h, at: 1 day, until: 3 day}
"""


def paget(*words):
    return subprocess.Popen(
        [sys.executable, "-m", "paget", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "COLUMNS": "120"},
        start_new_session=True,
    )


def end(process):
    told, _ = process.communicate(timeout=300)
    assert process.returncode == 0, told
    return told


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    there = tmp_path_factory.mktemp("workbench")
    (there / "mine.yaml").write_text(STUDY, encoding="utf-8")
    return there


@pytest.fixture(scope="module")
def whole(folder):
    return pg.simulate(load_study_file(folder / "mine.yaml"), out=folder / "whole", workers=1)


def assert_same(one, other):
    assert one.study.arm_names == other.study.arm_names
    assert one.metrics.equals(other.metrics)
    assert one.outcomes.equals(other.outcomes)
    for arm in one.study.arm_names:
        for animal in range(one.study.replicates):
            assert one.events(arm, animal).equals(other.events(arm, animal))
            for day in one.cell_days(arm, animal):
                assert one.cells(arm, animal, day).equals(other.cells(arm, animal, day))


def test_the_treated_animals_are_others_than_the_untreated_ones(whole):
    treated, untreated = (table.drop(columns="arm") for _, table in whole.metrics.groupby("arm", sort=True))
    assert not treated.reset_index(drop=True).equals(untreated.reset_index(drop=True))


def test_shards_at_the_same_time_of_which_one_is_killed_and_run_again_give_the_same(folder, whole):
    run = ("run", folder / "mine.yaml", "--out", folder / "shards", "--no-report", "--workers", 1, "--shard")
    shards = [paget(*run, f"{n}/2") for n in (1, 2)]
    first = folder / "shards" / "runs"
    for _ in range(600):
        if list(first.glob("*/*/checkpoint-*.npz")):
            break
        time.sleep(0.1)
    os.killpg(shards[1].pid, signal.SIGKILL)
    shards[1].communicate()
    end(shards[0])
    end(paget(*run, "2/2"))
    shards = pg.open_result(folder / "shards")
    shards.verify()
    assert_same(whole, shards)


def test_the_study_that_lies_in_the_folder_gives_the_same_again(folder, whole):
    again = pg.simulate(pg.open_result(whole.path).study, out=folder / "again", workers=2)
    assert_same(whole, again)


def test_animals_that_are_branched_off_after_their_last_dose_go_on_as_they_would_have(folder, whole):
    """Drugs in the blood are part of the state; antibodies, genes, depletions and overrides go on by the arm "as before"."""
    arm = whole.study.arm_names[1]
    branched = pg.simulate(whole.branch(arm, 2.0), out=folder / "branched", workers=2)
    theirs = branched.metrics.drop(columns="arm").reset_index(drop=True)
    ours = whole.metrics[(whole.metrics["arm"] == arm) & (whole.metrics["day"] >= 2.0)]
    assert theirs.equals(ours.drop(columns="arm").reset_index(drop=True))
    for animal in range(whole.study.replicates):
        assert branched.cells("as before", animal, 4.0).equals(whole.cells(arm, animal, 4.0))


def test_the_state_before_anything_was_done_is_the_same_in_every_arm(whole):
    untreated, treated = (whole.state(arm, 0, 0.0) for arm in whole.study.arm_names)
    assert untreated.keys() == treated.keys()
    told = {name for name in untreated if untreated[name].tobytes() != treated[name].tobytes()}
    assert told <= {"protocol"}
