"""Observations of patients with breast cancer, on the cohort that was calibrated on the Rotterdam series and trials."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paget.validation.case import Case, Computation
from paget.validation.measured import Measured, share_of

__all__ = ["CASES", "EXPERIMENTS"]

PATIENTS, QUICK = 16_000, 4_000
NODES = {"T1N0": (0, 0), "T1N1-3": (1, 3), "T1N4-9": (4, 9)}
MARROW = "landing_bone_marrow"


def late_recurrence(quick: bool) -> dict[str, Measured]:
    """Distant recurrence in years 5 to 20 of patients with small tumours, free of recurrence after endocrine therapy."""
    from lifelines import KaplanMeierFitter

    from paget.body.cohort import CohortArm, Eligibility, Surgery
    from paget.catalogue.adjuvant_cohort import adjuvant_cohort, endocrine_therapy

    patients = QUICK if quick else PATIENTS
    arm = CohortArm(name="endocrine", treatments=(Surgery(), endocrine_therapy()))
    found = {}
    for group, (fewest, most) in NODES.items():
        eligible = Eligibility(up_to="20 mm", fewest_nodes=fewest, most_nodes=most)
        cohort = replace(adjuvant_cohort(), eligibility=eligible).with_values({"founding_rate": "pan2017"})
        result = cohort.run([arm], patients, years=20.0, seed=8)
        distant, free = result.followed("endocrine", "distant"), result.followed("endocrine").years > 5.0
        fit = KaplanMeierFitter().fit(distant.years[free] - 5.0, distant.observed[free])
        band = sorted(100.0 * (1.0 - x) for x in fit.confidence_interval_.iloc[-1])
        found[f"H090 {group}"] = Measured(
            value=100.0 * (1.0 - float(fit.predict(15.0))),
            low=band[0],
            high=band[1],
            n=int(free.sum()),
            how=f"Kaplan-Meier, {int(free.sum()):,} patients free of recurrence after 5 years",
        )
    return found


def marrow(quick: bool) -> dict[str, Measured]:
    """Who has tumour cells in the marrow at diagnosis, or after chemotherapy, and what became of them."""
    from paget.body.cohort import CohortArm, Surgery
    from paget.catalogue.adjuvant_cohort import adjuvant_cohort, chemotherapy

    patients, cohort, seed = QUICK if quick else PATIENTS, adjuvant_cohort(), 12
    arms = (
        CohortArm(name="surgery", treatments=(Surgery(),)),
        CohortArm(
            name="neoadjuvant",
            treatments=(Surgery(at="147 day"), chemotherapy(start="0", origin="diagnosis")),
        ),
    )
    result = cohort.run(arms, patients, years=10.0, seed=seed)
    found: dict[str, Measured] = {}
    for arm, moment in zip(arms, (0, 1), strict=True):
        series = cohort.series_block(arm, 0, patients, every="147 day", years=1.0, seed=seed)
        lesions = (series["dormant"] + series["metastases"])[:, moment]
        positive = _in_marrow(lesions, cohort.numbers[MARROW].inside(""))
        how = f"{patients:,} patients, {arm.name}; each lesion is in the marrow with its share of landing"
        if arm.name == "surgery":
            found["H092"] = share_of(int(positive.sum()), patients, how)
            for part, times in _endpoints(result, arm.name).items():
                found[f"H093 {part}"] = _rate_ratio(*times, positive, 0.0)
        else:
            found["H100 present"] = share_of(int(positive.sum()), patients, how)
            followed = result.followed(arm.name)
            found["H100 relapse"] = _rate_ratio(followed.years, followed.observed, positive, 147.0 / 365.25)
    return found


def _in_marrow(lesions: NDArray[np.float64], share: float) -> NDArray[np.bool_]:
    """Whether at least one of a patient's lesions [n] is in the marrow."""
    uniform = np.random.default_rng(3).random(lesions.size)
    return np.asarray(uniform < -np.expm1(lesions * math.log1p(-share)))


def _endpoints(result: Any, arm: str) -> dict[str, tuple[NDArray[np.float64], NDArray[np.bool_]]]:
    """Years to an endpoint, and whether it was met: death, death of cancer, distant metastasis or death."""
    death, cancer, distant = (result.followed(arm, name) for name in ("death", "cancer death", "distant"))
    first = np.minimum(death.years, distant.years)
    either = np.where(distant.years <= death.years, distant.observed | death.observed, death.observed)
    return {
        "overall": (death.years, death.observed),
        "cancer": (cancer.years, cancer.observed),
        "distant": (first, either),
    }


def _rate_ratio(
    years: NDArray[np.float64], observed: NDArray[np.bool_], positive: NDArray[np.bool_], begin: float
) -> Measured:
    """Events per patient-year of patients with tumour cells in the marrow over those without, from `begin` on."""
    events, time = [], []
    for group in (positive, ~positive):
        later = group & (years > begin)
        events.append(int(observed[later].sum()))
        time.append(float((years[later] - begin).sum()))
    ratio = events[0] / time[0] / (events[1] / time[1])
    error = math.sqrt(1.0 / events[0] + 1.0 / events[1])
    return Measured(
        value=ratio,
        low=ratio * math.exp(-1.96 * error),
        high=ratio * math.exp(1.96 * error),
        sign=1 if ratio > 1.0 else -1,
        n=int(positive.sum()),
        how="ratio of events per patient-year in ten years; interval of Poisson counts",
        details=f"{events[0]} events with, {events[1]} without tumour cells in the marrow",
    )


EXPERIMENTS = (
    Computation(key="late-recurrence", title="Late recurrence of breast cancer by nodes", run=late_recurrence),
    Computation(key="marrow", title="Tumour cells in the marrow of patients with breast cancer", run=marrow),
)
_CELLS = "lesions that can grow, dormant or not; cells that never could are not in the cohort"
CASES = (
    *(Case(observation=f"H090 {group}", experiment="late-recurrence") for group in NODES),
    Case(observation="H092", experiment="marrow", stands_in=_CELLS),
    *(
        Case(observation=f"H093 {part}", experiment="marrow", stands_in=_CELLS)
        for part in ("overall", "cancer", "distant")
    ),
    Case(observation="H100 present", experiment="marrow", stands_in=_CELLS),
    Case(observation="H100 relapse", experiment="marrow", stands_in=_CELLS),
)
