"""Breast cancer after surgery: a cohort calibrated on the Rotterdam series, with the arms of adjuvant treatment."""

from __future__ import annotations

from paget.body.cohort import Cohort, CohortArm, Course, DrugCycles, Surgery
from paget.process import Named

__all__ = ["adjuvant_arms", "adjuvant_cohort", "chemotherapy", "endocrine_therapy"]


def adjuvant_cohort() -> Cohort:
    """Patients of the Rotterdam series, without metastases at diagnosis."""
    return Cohort(title="Breast cancer from the first cell to relapse")


def chemotherapy(start: str = "28 day", origin: str = "surgery", cycles: int = 6) -> DrugCycles:
    """Cycles of doxorubicin every three weeks: they kill cycling cells, spare dormant ones and may awaken them."""
    return DrugCycles(
        drug="doxorubicin",
        start=start,
        origin="surgery" if origin == "surgery" else "diagnosis",
        cycles=cycles,
        every="21 day",
        log_kill=Named("chemotherapy_log_kill", ""),
        dormant_log_kill=Named("chemotherapy_dormant_log_kill", ""),
        awakening=Named("chemotherapy_awakening", ""),
        awakens_for=Named("chemotherapy_awakening_lasts", "h"),
    )


def endocrine_therapy(lasts: str = "5 year", start: str = "28 day") -> Course:
    """Tamoxifen for years: a loss of cycling cells, and a slow one of dormant cells."""
    return Course(
        drug="tamoxifen",
        start=start,
        lasts=lasts,
        kill=Named("endocrine_kill", "1/h"),
        dormant_kill=Named("endocrine_dormant_kill", "1/h"),
    )


def adjuvant_arms() -> tuple[CohortArm, ...]:
    """Surgery alone; then chemotherapy before or after it, endocrine therapy, or both."""
    return (
        CohortArm(name="surgery", treatments=(Surgery(),)),
        CohortArm(name="adjuvant chemotherapy", treatments=(Surgery(), chemotherapy())),
        CohortArm(
            name="neoadjuvant chemotherapy",
            treatments=(Surgery(at="147 day"), chemotherapy(start="0", origin="diagnosis")),
        ),
        CohortArm(name="endocrine therapy", treatments=(Surgery(), endocrine_therapy())),
        CohortArm(name="both", treatments=(Surgery(), chemotherapy(), endocrine_therapy(start="160 day"))),
    )
