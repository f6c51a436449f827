"""How often the default tests raise a false alarm: 1,000 null studies of each kind of readout, with ten and with five animals.

Both arms of a null study are drawn from one model, so that a test at five in a hundred should reject fifty studies in a thousand.
The rate holds if it lies within the central 95 % of the binomial distribution about that, 3.7 to 6.4 % (36.5 to 63.5 of 1,000);
below, the test is cautious (it wastes animals), above, it is false. ``python benchmarks/type_one_error.py`` prints the table;
``--studies 200`` is a quick look, ``--only count`` does one kind.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import binom

from paget.compare import compare, cumulative_incidence, repeated

SEED = 20261122
LEVEL = 0.05
STUDY_END = 30.0
DAYS = np.arange(0.0, 22.0, 3.0)

Rng = np.random.Generator
Values = np.ndarray


@dataclass(frozen=True)
class Case:
    """One default test: the kind of readout, the model in words, and its values of [studies, animals, two arms]."""

    kind: str
    model: str
    draw: Callable[[Rng, tuple[int, int, int], bool], Values]


def shared(rng: Rng, shape: tuple[int, int, int], paired: bool) -> Values:
    """Normal deviates of variance 1, of which half belongs to the animal, whichever arm it is in, if animals are paired."""
    own = rng.normal(size=shape)
    if not paired:
        return own
    return np.sqrt(0.5) * (own + rng.normal(size=(*shape[:2], 1)))


def skewed(spread: float) -> Callable[[Rng, tuple[int, int, int], bool], Values]:
    return lambda rng, shape, paired: 100.0 * np.exp(spread * shared(rng, shape, paired))


def counts(mean: float, dispersion: float) -> Callable[[Rng, tuple[int, int, int], bool], Values]:
    def draw(rng: Rng, shape: tuple[int, int, int], paired: bool) -> Values:
        of_animal = (*shape[:2], 1) if paired else shape
        return rng.poisson(mean * rng.gamma(1 / dispersion, dispersion, of_animal) * np.ones(shape)).astype(float)

    return draw


def fractions(mean: float, size: float, cells: int) -> Callable[[Rng, tuple[int, int, int], bool], Values]:
    def draw(rng: Rng, shape: tuple[int, int, int], paired: bool) -> Values:
        of_animal = (*shape[:2], 1) if paired else shape
        chance = rng.beta(mean * size, (1 - mean) * size, of_animal) * np.ones(shape)
        return rng.binomial(cells, chance) / cells

    return draw


def times(rng: Rng, shape: tuple[int, int, int], paired: bool) -> Values:
    """Exponential times of mean 18 days, two lognormal halves if paired; about a fifth outlast the 30 days of the study."""
    if not paired:
        return rng.exponential(18.0, shape)
    return rng.exponential(18.0, shape) * rng.gamma(3.0, 1 / 3.0, (*shape[:2], 1)) ** -1.0 * 0.8


CASES = (
    Case("continuous", "lognormal, spread 0.4", skewed(0.4)),
    Case("continuous", "lognormal, spread 0.8", skewed(0.8)),
    Case("fraction", "about 0.1 of 50 cells", fractions(0.1, 10.0, 50)),
    Case("fraction", "about 0.95 of 200 cells", fractions(0.95, 20.0, 200)),
    Case("count", "mean 20, dispersion 0.3", counts(20.0, 0.3)),
    Case("count", "mean 3, dispersion 1, a quarter zeros", counts(3.0, 1.0)),
    Case("time", "exponential, a fifth censored", times),
)


def two_arms(case: Case, animals: int, paired: bool, studies: int) -> list[float]:
    """The p-values of the default test in so many null studies."""
    rng = np.random.default_rng([SEED, animals, paired, len(case.model)])
    values = case.draw(rng, (studies, animals, 2), paired)
    observed = values < STUDY_END if case.kind == "time" else np.ones_like(values, bool)
    values = np.minimum(values, STUDY_END) if case.kind == "time" else values
    study, animal, arm = np.indices(values.shape)
    outcomes = pd.DataFrame(
        {
            "arm": np.where(arm.ravel() == 0, "treated", "control"),
            "animal": animal.ravel(),
            "readout": np.char.add("study ", study.ravel().astype(str)),
            "value": values.ravel(),
            "observed": observed.ravel(),
        }
    )
    readouts = [{"name": f"study {i}", "kind": case.kind} for i in range(studies)]
    return [1.0 if c.p is None else c.p for c in compare(outcomes, readouts, [("treated", "control")], paired)]


def row(kind: str, model: str, animals: int, paired: bool, p: list[float], seconds: float) -> str:
    low, high = binom.ppf([0.025, 0.975], len(p), LEVEL) / len(p)
    rate = float(np.mean(np.array(p) < LEVEL))
    verdict = "holds" if low <= rate <= high else "cautious" if rate < low else "FALSE"
    how = "pairs" if paired else "groups"
    return f"| {kind} | {model} | {animals} | {how} | {100 * rate:.1f} | {verdict} | {1e3 * seconds / len(p):.1f} |"
