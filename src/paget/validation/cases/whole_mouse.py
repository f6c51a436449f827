"""Observations of metastasis in whole mice in which one messenger or receptor is taken away."""

from __future__ import annotations

from paget.validation.case import Case, StudyRun
from paget.validation.reading import Contrast, Occupied

__all__ = ["CASES", "EXPERIMENTS"]

PLAIN = "vehicle"
EXPERIMENTS = (
    StudyRun(
        key="niche-mouse",
        study="premetastatic_niche",
        arms=(PLAIN, "anti-VEGFR1", "LOX inhibitor", "RAB27A knock-down", "anti-CCL2", "anti-CXCR4"),
        replicates=8,
        quick=7,
        title="Mice without one messenger of the pre-metastatic niche",
    ),
)


def _mouse(observation: str, readout: str, arm: str, **more: str) -> Case:
    return Case(
        observation=observation,
        experiment="niche-mouse",
        measure=Contrast(readout=readout, arm=arm, versus=PLAIN),
        **more,
    )


CASES = (
    _mouse("H005 metastasis", "nodules_lung", "anti-VEGFR1"),
    _mouse("H010", "metastases", "LOX inhibitor", remark="only LOX that the tumour sends ahead is in the model"),
    _mouse("H011 metastasis", "nodules_lung", "LOX inhibitor"),
    _mouse("H032 growth", "cells_primary", "RAB27A knock-down"),
    _mouse("H032 metastasis", "metastases", "RAB27A knock-down"),
    _mouse("H034 metastasis", "nodules_lung", "anti-CCL2"),
    _mouse("H034 survival", "survival", "anti-CCL2", remark="most mice live to the end of the study, day 35"),
    _mouse("H067 lung", "nodules_lung", "anti-CXCR4"),
    _mouse("H067 lymph node", "nodules_lymph_node", "anti-CXCR4"),
    Case(
        observation="H101 lung",
        experiment="niche-mouse",
        measure=Occupied(readout="cells_lung", arm=PLAIN),
        stands_in="mice with tumour cells in the lung on day 35; the inoculum is larger than 500 cells",
    ),
)
