"""Made-up results of swept studies, with the three attributes that designs read; no number is measured."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pytest

from paget.experiment import Arm, Study

READOUTS = [
    {"name": "nodules", "title": "Nodules", "unit": "", "kind": "count", "headline": True},
    {"name": "burden", "title": "Burden", "unit": "mm3", "kind": "continuous"},
    {"name": "onset", "title": "Onset", "unit": "day", "kind": "time"},
]


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    """Intervals from 150 draws of the animals, which is enough for all that is asked here."""
    for name in ("dose_response", "synergy"):
        module = importlib.import_module(f"paget.design.{name}")
        whole = module.mean_resamples
        monkeypatch.setattr(
            module, "mean_resamples", lambda animals, paired, seed, _, whole=whole: whole(animals, paired, seed, 150)
        )


def dose(drug: str, amount: str = "5 mg/kg") -> dict[str, str]:
    return {"drug": drug, "amount": amount, "at": "1 day"}


def swept_study(sweep: Mapping[str, Any] | None, replicates: int = 8, **changes: Any) -> Study:
    """A control, an arm with drug A, one with A and B, and what is swept."""
    settings = {
        "name": "swept",
        "model": "toy",
        "duration": "10 day",
        "replicates": replicates,
        "arms": [
            {"name": "control"},
            {"name": "A", "versus": "control", "doses": [dose("A")]},
            {"name": "A + B", "versus": "control", "doses": [dose("A"), dose("B")]},
        ],
        "sweep": sweep,
    }
    return Study.model_validate({**settings, **changes})


def amount(arm: Arm, drug: str) -> float:
    return max((given.amount for given in arm.doses if given.drug == drug), default=0.0)


@dataclass(frozen=True)
class Swept:
    """A result: `mean` of an arm, times the vigour of each animal, the same in every arm."""

    study: Study
    mean: Callable[[Arm], float]
    spread: float = 0.2
    noise: float = 0.05
    seed: int = 1
    readouts: list[dict[str, Any]] = field(default_factory=lambda: READOUTS)
    names: tuple[str, ...] = ("burden",)

    @property
    def outcomes(self) -> pd.DataFrame:
        rows = []
        vigour = np.random.default_rng(self.seed).lognormal(-(self.spread**2) / 2, self.spread, self.study.replicates)
        for i, arm in enumerate(self.study.arms):
            luck = np.random.default_rng([self.seed, i]).lognormal(0.0, self.noise, self.study.replicates)
            for animal, value in enumerate(self.mean(arm) * vigour * luck):
                rows += [(arm.name, animal, name, value, True) for name in self.names]
                rows.append((arm.name, animal, "nodules", float(round(value)), True))
                rows.append((arm.name, animal, "onset", min(value, 10.0), value < 10.0))
        return pd.DataFrame(rows, columns=["arm", "animal", "readout", "value", "observed"])
