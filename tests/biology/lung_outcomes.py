"""Outcomes of arms of the lung study, in few and short animals, for tests of directions."""

from __future__ import annotations

import functools

import pandas as pd

from paget.catalogue import build_model, load_study
from paget.engine.simulate import run_animal
from paget.experiment import Study
from paget.model import Model
from paget.results.memory import MemoryRecorder

ANIMALS = 3
DAYS = 50


def shortened(study: Study, days: int = DAYS) -> Study:
    record = {"metrics": "24 h", "frames": f"{days * 24} h", "checkpoint": f"{days * 24} h"}
    return study.with_options(size=600).changed(duration=f"{days} day", record=record)


def outcome(study: Study, arm: str) -> pd.DataFrame:
    """Last day of every animal of one arm, and the mean over time of the never-dormant bulk."""
    return outcome_of(build_model(study), study, arm)


def outcome_of(model: Model, study: Study, arm: str) -> pd.DataFrame:
    """The same with a model that is not quite the study's own."""
    rows = []
    for animal in range(ANIMALS):
        recorder = MemoryRecorder(study.record.frames)
        run_animal(model, study, arm, animal, recorder)
        series = recorder.metrics
        rows.append(
            {
                **series.iloc[-1].to_dict(),
                "bulk_mean": series["bulk_cells"].mean(),
                "net_peak": series["net_area"].max(),
            }
        )
    return pd.DataFrame(rows)


@functools.cache
def intact(arm: str, signalling: str = "switch") -> pd.DataFrame:
    """An arm of the study with nothing removed."""
    return outcome(shortened(load_study("lung_awakening")).with_options(signalling=signalling), arm)


def awakening_effect(treated: pd.DataFrame, control: pd.DataFrame) -> float:
    """Mean over paired animals of the extra awakened cells."""
    return float((treated["awakened_cells"] - control["awakened_cells"]).mean())
