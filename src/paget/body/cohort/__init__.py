"""Cohorts of patients: a definition, arms of treatment, and what became of everybody."""

from __future__ import annotations

from paget.body.cohort.arms import CohortArm, Course, DrugCycles, Surgery
from paget.body.cohort.definition import Cohort, Eligibility
from paget.body.cohort.result import CohortResult

__all__ = ["Cohort", "CohortArm", "CohortResult", "Course", "DrugCycles", "Eligibility", "Surgery"]
