"""Cohorts give the same bits for any threads, blocks and parts, and patients are the same in every arm."""

from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paget.body.cohort import Cohort, CohortArm, Surgery
from paget.body.cohort import run as running
from paget.body.cohort.result import ArmRecord
from paget.catalogue.adjuvant_cohort import adjuvant_arms, adjuvant_cohort, chemotherapy, endocrine_therapy

ARM = CohortArm(name="all", treatments=(Surgery(at="30 day"), chemotherapy(), endocrine_therapy()), visits="180 day")


def spreading() -> Cohort:
    small = {"founding_log_sd": 1.0, "founding_rate": "0.004 1/day"}
    return replace(adjuvant_cohort(), all_generations=True, law="gompertz").with_values(small)


@pytest.mark.parametrize("cohort", [adjuvant_cohort(), spreading()], ids=["one generation", "all generations"])
def test_threads_do_not_change_a_bit(cohort: Cohort) -> None:
    one, two, five = (cohort.run([ARM], 300, years=6.0, seed=4, threads=n).records[0] for n in (1, 2, 5))
    for other in (two, five):
        np.testing.assert_array_equal(one.outcomes, other.outcomes)
        np.testing.assert_array_equal(one.seen, other.seen)
        np.testing.assert_array_equal(one.series, other.series)


@functools.cache
def everybody() -> ArmRecord:
    return adjuvant_cohort().run([ARM], 100, years=6.0, seed=9).records[0]


@settings(max_examples=12, deadline=None)
@given(first=st.integers(0, 60), count=st.integers(1, 40), block=st.sampled_from([1, 7, 128]))
def test_a_patient_does_not_depend_on_the_others(first: int, count: int, block: int) -> None:
    whole = everybody()
    before = running.BLOCK
    running.BLOCK = block
    try:
        part = adjuvant_cohort().outcomes_block(ARM, first, count, years=6.0, seed=9)
    finally:
        running.BLOCK = before
    for i, name in enumerate(running.COLUMNS):
        np.testing.assert_array_equal(part[name], whole.outcomes[first : first + count, i])


def test_readouts_do_not_change_outcomes() -> None:
    monthly = adjuvant_cohort().series_block(ARM, 0, 200, every="1 month", years=6.0, seed=3)
    yearly = adjuvant_cohort().series_block(ARM, 0, 200, every="1 year", years=6.0, seed=3)
    for name in ("alive", "burden", "dormant", "visible"):
        np.testing.assert_array_equal(monthly[name][:, ::12], yearly[name])


def test_a_small_workspace_gives_the_same_patients() -> None:
    whole = everybody()
    before = running.FIRST_ROOM
    running.FIRST_ROOM = 2
    try:
        again = adjuvant_cohort().run([ARM], 100, years=6.0, seed=9).records[0]
    finally:
        running.FIRST_ROOM = before
    np.testing.assert_array_equal(whole.outcomes, again.outcomes)


def test_arms_share_patients_and_those_whom_treatment_spares_relapse_alike() -> None:
    result = adjuvant_cohort().run(adjuvant_arms(), 2000, years=10.0, seed=6)
    surgery = result.patients("surgery")
    for arm in result.records[1:]:
        other = result.patients(arm.arm.name)
        for column in ("nodes", "size_at_diagnosis", "age", "doubling_time", "founding"):
            np.testing.assert_array_equal(surgery[column], other[column])
    chemo = result.patients("adjuvant chemotherapy")
    # Both arms found the same metastases: the primary is resected at diagnosis in both.
    np.testing.assert_array_equal(
        surgery.n_founded[surgery.death_time.isna() & chemo.death_time.isna()],
        chemo.n_founded[surgery.death_time.isna() & chemo.death_time.isna()],
    )


def test_who_relapses_before_a_treatment_relapses_as_without_it() -> None:
    late = CohortArm(name="late", treatments=(Surgery(), chemotherapy(start="2 year")))
    without = CohortArm(name="surgery", treatments=(Surgery(),))
    result = adjuvant_cohort().run([without, late], 1000, years=4.0, seed=6)
    surgery, treated = (result.patients(name).relapse_time for name in ("surgery", "late"))
    early = surgery < 2.0
    assert early.sum() > 100
    np.testing.assert_array_equal(surgery[early], treated[early])
    assert (surgery[surgery >= 2.0] != treated[surgery >= 2.0]).any()


def test_a_treatment_without_effect_changes_nothing_with_the_shortcut() -> None:
    cohort = replace(adjuvant_cohort(), founding="shortcut").with_values(
        {"chemotherapy_log_kill": 0.0, "chemotherapy_awakening": 1.0}
    )
    arms = [
        CohortArm(name="surgery", treatments=(Surgery(),)),
        CohortArm(name="placebo", treatments=(Surgery(), chemotherapy())),
    ]
    result = cohort.run(arms, 1000, years=10.0, seed=7)
    surgery, placebo = (result.followed(arm) for arm in ("surgery", "placebo"))
    np.testing.assert_array_equal(surgery.observed, placebo.observed)
    # Closed forms joined at the doses differ in the last bits only.
    np.testing.assert_allclose(surgery.years, placebo.years, rtol=1e-9)
