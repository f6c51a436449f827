"""Cohorts of patients: what is refused, what treatment does, and what comes back."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from paget.body.cohort import Cohort, CohortArm, Course, DrugCycles, Eligibility, Surgery
from paget.body.cohort.definition import NUMBERS
from paget.body.cohort.expected import expected_patients
from paget.catalogue.adjuvant_cohort import adjuvant_arms, adjuvant_cohort, chemotherapy
from paget.errors import EvidenceError, StudyError, UnitError, UnknownNameError
from paget.kernels.growth import GOMPERTZ, grown
from paget.kernels.reference_cohort import SlowTumour, first_seen
from paget.process import quantity

SURGERY = CohortArm(name="surgery", treatments=(Surgery(),))
ALIKE: dict[str, str | float] = {
    "diagnosis_diameter_log_sd": 0.0,
    "primary_doubling_log_sd": 0.0,
    "founding_log_sd": 0.0,
    "metastasis_growth_log_sd": 0.0,
    "sensitivity_log_sd": 0.0,
    "dormancy_share": 0.0,
    "mortality_at_birth": "0 1/year",
}

SLOW: dict[str, str | float] = {"primary_doubling_log_sd": 0.1, "founding_log_sd": 0.5}


def kill(amount: float) -> Any:
    return quantity(f"{amount}", reason="test")


def problems(cohort: Cohort, *arms: CohortArm, patients: int = 10, years: float = 20.0) -> str:
    with pytest.raises(StudyError) as caught:
        cohort.run(arms or [SURGERY], patients, years=years)
    return str(caught.value)


# ---- what is refused ----------------------------------------------------------------------------------------------
def test_every_number_has_a_row_with_a_basis_and_the_needed_unit() -> None:
    cohort = Cohort()
    for key, unit in NUMBERS.items():
        assert math.isfinite(cohort.numbers[key].inside(unit))


def test_a_bare_number_for_a_quantity_is_refused() -> None:
    with pytest.raises(UnitError, match="no unit"):
        Cohort().with_values({"primary_doubling_time": 50.0})
    with pytest.raises(UnknownNameError, match="founding_rate"):
        Cohort().with_values({"founding_rat": "1 1/day"})
    with pytest.raises(EvidenceError):
        quantity("fast", reason="test")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"detection_diameter": "0.005 mm"}, "nothing smaller than a cell can be seen"),
        ({"lethal_burden": "1e8 cell"}, "kill, and only"),
        ({"founding_log_sd": -1.0}, "a spread cannot be negative"),
        ({"dormancy_share": 1.5}, "must be from 0 to 1"),
        ({"metastasis_turnover": 1.0}, "below 1"),
        ({"awakening_stages": 1.5}, "whole number"),
        ({"primary_doubling_time": "0 day"}, "must be above 0"),
        (
            {"nodes_founding_correlation": 0.9, "growth_founding_correlation": -0.9, "nodes_growth_correlation": 0.9},
            "contradict",
        ),
        ({"age_youngest": "95 year"}, "below age_oldest"),
    ],
)
def test_numbers_that_make_no_sense_are_named(changes: dict[str, str | float], words: str) -> None:
    assert words in problems(adjuvant_cohort().with_values(changes))


def test_a_rate_cannot_be_made_negative() -> None:
    with pytest.raises(UnitError, match="'-1 1/year' is negative"):
        adjuvant_cohort().with_values({"awakening_stage_rate": "-1 1/year"})


def test_shares_that_do_not_add_up_and_unknown_sites_are_refused() -> None:
    assert "add up to 0.9" in problems(adjuvant_cohort().with_landing(["lung", "liver"], [0.5, 0.4]))
    assert "Did you mean 'liver'" in problems(replace(adjuvant_cohort(), regional=("livr",)))


@pytest.mark.parametrize(
    ("treatments", "words"),
    [
        ((Surgery(at="25 year"),), "after the 20 years of follow-up"),
        ((Surgery(), Surgery(at="1 year")), "a second time"),
        ((Surgery(at="-1 day"),), "before diagnosis"),
        ((Surgery(site="lung"),), "only the primary"),
        ((chemotherapy(),), "the arm has none"),
        ((Surgery(), DrugCycles(drug="x", log_kill=kill(1), start="-30 day")), "before diagnosis"),
        ((Surgery(), DrugCycles(drug="x", log_kill=kill(-1))), "cannot be negative"),
        ((Surgery(), DrugCycles(drug="x", log_kill=kill(1), cycles=0)), "1 or more"),
        ((Surgery(), DrugCycles(drug="x", log_kill=kill(1), every="0 day")), "above 0"),
        ((Surgery(), DrugCycles(drug="x", log_kill=kill(1), start="3 dax")), "start of x"),
        (
            (Surgery(), DrugCycles(drug="x", log_kill=kill(1), site="primary", origin="diagnosis")),
            "after its resection",
        ),
        ((Surgery(), DrugCycles(drug="x", log_kill=kill(1), site="lnug")), "the sites are primary, lung"),
        ((Surgery(), Course(drug="x", lasts="1 year", founding=kill(2))), "only be lowered"),
        ((Surgery(), Course(drug="x", lasts="0 year")), "longer than 0"),
    ],
)
def test_arms_that_contradict_themselves_are_refused(treatments: tuple[Any, ...], words: str) -> None:
    assert words in problems(adjuvant_cohort(), CohortArm(name="arm", treatments=treatments))


def test_all_problems_come_at_once() -> None:
    cohort = adjuvant_cohort().with_values({"founding_log_sd": -1.0, "dormancy_share": 2.0})
    text = problems(cohort, CohortArm(name="late", treatments=(Surgery(at="9 year"),)), patients=0, years=5.0)
    for words in ("founding_log_sd", "dormancy_share", "0 patients", "after the 5 years"):
        assert words in text


def test_a_cohort_that_nobody_can_enter_is_refused() -> None:
    cohort = replace(adjuvant_cohort(), eligibility=Eligibility(above="5 mm", up_to="4 mm"))
    with pytest.raises(StudyError, match="is eligible"):
        cohort.run([SURGERY], 1, years=1.0)


def test_too_many_metastases_are_refused_by_name() -> None:
    cohort = adjuvant_cohort().with_values({**ALIKE, "founding_rate": "1e7 1/day"})
    with pytest.raises(StudyError, match="lower founding_rate"):
        cohort.run([SURGERY], 1, years=1.0)


# ---- what comes out -----------------------------------------------------------------------------------------------
def test_eligible_patients_fit_and_are_without_metastases_at_diagnosis() -> None:
    entry = Eligibility(above="20 mm", up_to="50 mm", fewest_nodes=1, most_nodes=3)
    patients = replace(adjuvant_cohort(), eligibility=entry).run([SURGERY], 500, years=3.0).patients("surgery")
    assert patients.diameter.between(20.0, 50.0).all()
    assert patients.nodes.between(1, 3).all()
    assert (patients.relapse_time.dropna() > 0.0).all()


def test_a_patient_without_founding_never_relapses_and_dies_at_the_age_of_others() -> None:
    cohort = adjuvant_cohort().with_values({"founding_rate": "0 1/day"})
    patients = cohort.run([SURGERY], 20_000, years=10.0, seed=2).patients("surgery")
    assert not patients.relapsed.any()
    assert set(patients.cause) == {"alive", "other"}
    a, b = 1.104e-6, 0.1351
    dead = 1.0 - np.exp(-a / b * (np.exp(b * (patients.age + 10.0)) - np.exp(b * patients.age)))
    # Five standard errors of a share of 20,000.
    assert patients.death_time.notna().mean() == pytest.approx(dead.mean(), abs=5 * math.sqrt(0.1 / 20_000))


def test_an_untreated_primary_kills_when_it_reaches_the_lethal_size() -> None:
    cohort = replace(adjuvant_cohort(), law="gompertz").with_values(
        {**ALIKE, "founding_rate": "0 1/day", "growth_capacity": "3e12 cell"}
    )
    patients = cohort.run([CohortArm(name="nothing")], 3, years=30.0).patients("nothing")
    size = patients.size_at_diagnosis[0]
    at_death = grown(GOMPERTZ, size, patients.death_time[0] * 8766.0, cohort.rate, 3e12, 1.0, 0.0)
    assert at_death == pytest.approx(1e12, rel=1e-6)  # the time is found to 1e-3 h
    assert (patients.cause == "cancer").all()


def test_surgery_later_founds_more_metastases_among_the_same_patients() -> None:
    arms = [CohortArm(name=str(m), treatments=(Surgery(at=f"{m} day"),)) for m in (0, 100, 200)]
    cohort = adjuvant_cohort().with_values({**SLOW, "lethal_burden": "1e18 cell", "mortality_at_birth": "0 1/year"})
    result = cohort.run(arms, 500, years=3.0, seed=3)
    founded = [result.patients(arm.name).n_founded for arm in arms]
    assert (founded[0] <= founded[1]).all()
    assert (founded[1] <= founded[2]).all()
    assert founded[2].sum() > 1.5 * founded[0].sum()
    assert (result.patients("200").size_at_surgery > result.patients("0").size_at_surgery).all()


def test_founding_after_diagnosis_is_poisson_with_the_integral_of_the_primary() -> None:
    cohort = adjuvant_cohort().with_values({**ALIKE, "founding_rate": "1e-3 1/day", "lethal_burden": "1e30 cell"})
    cohort = replace(cohort, eligibility=Eligibility(free_of_metastases=False))
    n, days = 20_000, 500.0
    founded = (
        cohort.run([CohortArm(name="a", treatments=(Surgery(at="500 day"),))], n, years=2.0).patients("a").n_founded
    )
    size, alpha = cohort.cells("21.2 mm"), 0.663
    rate = math.log(2.0) / 52.9
    mean = 1e-3 * (size / 1e9) ** alpha * (math.exp(alpha * rate * days) - size**-alpha) / (alpha * rate)
    assert founded.mean() == pytest.approx(mean, abs=4 * math.sqrt(mean / n))
    assert founded.var() == pytest.approx(mean, rel=0.05)


def test_a_course_that_halts_founding_halts_it() -> None:
    course = Course(drug="x", lasts="500 day", origin="diagnosis", founding=kill(0.0))
    arms = [
        CohortArm(name="now", treatments=(Surgery(),)),
        CohortArm(name="later", treatments=(Surgery(at="500 day"), course)),
    ]
    cohort = adjuvant_cohort().with_values({**SLOW, "lethal_burden": "1e18 cell", "mortality_at_birth": "0 1/year"})
    result = cohort.run(arms, 300, years=2.0)
    np.testing.assert_array_equal(result.patients("now").n_founded, result.patients("later").n_founded)


def test_a_drug_injected_into_the_primary_shrinks_it_and_spares_metastases() -> None:
    dose = DrugCycles(drug="x", log_kill=kill(2.0), start="0", origin="diagnosis", cycles=1, site="primary")
    cohort = adjuvant_cohort().with_values({**ALIKE, "founding_rate": "0 1/day"})
    arms = [CohortArm(name=n, treatments=(Surgery(at="1 day"), *t)) for n, t in (("with", (dose,)), ("without", ()))]
    result = cohort.run(arms, 3, years=1.0)
    ratio = result.patients("with").size_at_surgery / result.patients("without").size_at_surgery
    np.testing.assert_allclose(ratio, 0.01, rtol=1e-9)


def test_total_kill_cures_who_has_no_dormant_cell_and_only_delays_nobody() -> None:
    cure = DrugCycles(drug="x", log_kill=kill(30.0), start="0", cycles=1)
    cohort = adjuvant_cohort().with_values({"sensitivity_log_sd": 0.0})
    arms = [CohortArm(name="cure", treatments=(Surgery(), cure))]
    patients = cohort.run(arms, 2000, years=15.0).patients("cure")
    assert (patients.n_awoken[patients.relapsed] > 0).all()
    assert patients.relapsed.any()
    awake = cohort.with_values({"dormancy_share": 0.0}).run(arms, 2000, years=15.0).patients("cure")
    assert not awake.relapsed.any()


def test_visits_find_metastases_at_the_next_visit() -> None:
    found = CohortArm(name="at once", treatments=(Surgery(),))
    visited = replace(found, name="visits", visits="180 day")
    result = adjuvant_cohort().run([found, visited], 1000, years=10.0, seed=8)
    first, next_visit = (result.patients(arm).relapse_time for arm in ("at once", "visits"))
    both = first.notna() & next_visit.notna()
    interval = 180.0 / 365.25
    np.testing.assert_allclose(next_visit[both], np.ceil(first[both] / interval) * interval, rtol=1e-9)
    assert both.sum() > 100


def test_series_count_the_living_and_end_with_the_outcome() -> None:
    result = adjuvant_cohort().run([SURGERY], 1000, years=8.0, seed=2)
    patients, series = result.patients("surgery"), result.series("surgery")
    for _, row in series.iterrows():
        assert row.alive == ((patients.death_time.isna()) | (patients.death_time > row.years)).sum()
    block = adjuvant_cohort().series_block(SURGERY, 0, 1000, years=8.0, seed=2)
    alive = patients.death_time.isna()
    np.testing.assert_array_equal(block["dormant"][alive, -1], patients.n_dormant[alive])
    np.testing.assert_allclose(block["burden"][alive, -1], patients.burden[alive])
    assert np.isnan(block["burden"][~alive, -1]).all()


def test_result_tables_agree_with_each_other() -> None:
    result = adjuvant_cohort().run([SURGERY], 2000, years=10.0, seed=2)
    patients, hazard = result.patients("surgery"), result.hazard_by_year("surgery")
    assert hazard.events.sum() == patients.relapsed.sum()
    assert (patients.distant_relapse_time.dropna() >= patients.relapse_time[patients.distant_relapsed]).all()
    seen = patients[[c for c in patients if c.startswith("visible in ")]].sum(axis=1)
    np.testing.assert_array_equal(seen > 0, patients.relapsed)
    share, low, high = result.survival_at("surgery", 5.0)
    assert low < share < high
    with pytest.raises(UnknownNameError):
        result.patients("surgry")
    with pytest.raises(UnknownNameError):
        result.followed("surgery", "relaps")  # type: ignore[arg-type]


def test_arms_of_the_catalogue_run_and_treatment_helps() -> None:
    result = adjuvant_cohort().run(adjuvant_arms(), 2000, years=10.0)
    free = {arm.name: result.survival_at(arm.name, 5.0)[0] for arm in adjuvant_arms()}
    assert min(free, key=free.__getitem__) == "surgery"
    assert max(free, key=free.__getitem__) == "both"


def test_the_fast_cohort_agrees_with_the_slow_one() -> None:
    waking, share, size, seen = 0.02 / 24.0, 0.5, 1e5, 2e4
    cohort = replace(adjuvant_cohort(), eligibility=Eligibility(free_of_metastases=False)).with_values(
        {
            **ALIKE,
            "diagnosis_diameter": f"{(size / 1e6 * 6.0 / math.pi) ** (1 / 3)!r} mm",
            "primary_doubling_time": f"{math.log(2.0) / 0.1!r} day",
            "metastasis_turnover": 0.5,
            "founding_exponent": 0.5,
            "founding_rate": f"{8e-4 * 1e9**0.5!r} 1/day",
            "dormancy_share": share,
            "awakening_stage_rate": f"{waking * 24.0!r} 1/day",
            "awakening_stages": 2.0,
            "detection_diameter": f"{(seen / 1e6 * 6.0 / math.pi) ** (1 / 3)!r} mm",
        }
    )
    dose = DrugCycles(drug="x", log_kill=kill(1.0), start="10 day", cycles=2, every="10 day")
    arm = CohortArm(name="a", treatments=(Surgery(), dose))
    fast = cohort.run([arm], 20_000, years=1.0, seed=1).patients("a").relapse_time.to_numpy() * 365.25
    kills = ((240.0, 0.1), (480.0, 0.1))
    tumour = SlowTumour(size, 0.1 / 24.0, 8e-4 / 24.0, 0.5, 0.5, share, waking, 2, kills, seen)
    chance = np.random.default_rng(5)
    n = 300
    slow = np.array([first_seen(tumour, 300.0 * 24.0, 6.0, chance) for _ in range(n)]) / 24.0
    # Relapse shares at four times at a joint error rate of 0.1 %, plus 0.01 of the slow twin's step.
    for day in (30.0, 100.0, 150.0, 290.0):
        p = (fast <= day).mean()
        assert (slow <= day).mean() == pytest.approx(p, abs=3.7 * math.sqrt(p * (1 - p) / n) + 0.01)
    assert 0.2 < (fast <= 290.0).mean() < 0.95


def test_expected_relapse_refuses_what_it_does_not_hold_for() -> None:
    with pytest.raises(StudyError, match="exponential growth"):
        expected_patients(replace(adjuvant_cohort(), law="gompertz"), np.array([1.0]))
    with pytest.raises(StudyError, match="surgery_awakening = 1"):
        expected_patients(adjuvant_cohort().with_values({"surgery_awakening": 2.0}), np.array([1.0]))
