"""Each default test keeps its promise in 400 simulated studies: few false alarms, and intervals that hold.

Bands are the central 99.9 % of the binomial distribution: a right test fails one of these checks in a thousand seeds.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from paget.compare import Comparison, compare

STUDIES = 400
ANIMALS = 10
LOW, HIGH = (int(binom.ppf(q, STUDIES, 0.05)) for q in (0.0005, 0.9995))
STUDY_END = 30.0

Draw = Callable[[np.random.Generator, float], np.ndarray]


def volumes(rng: np.random.Generator, shift: float) -> np.ndarray:
    """Animals differ, and both arms of an animal share most of that."""
    animal = rng.normal(100.0, 20.0, (STUDIES, ANIMALS, 1))
    return animal + rng.normal(0.0, 10.0, (STUDIES, ANIMALS, 2)) + np.array([shift * 15.0, 0.0])


def counts(rng: np.random.Generator, shift: float) -> np.ndarray:
    """Counts with more spread than Poisson, shared by the pair."""
    animal = rng.gamma(4.0, 5.0, (STUDIES, ANIMALS, 1))
    return rng.poisson(animal * np.array([1.0 + 0.6 * shift, 1.0])).astype(float)


def fractions(rng: np.random.Generator, shift: float) -> np.ndarray:
    """Few of fifty cells, more in some animals, whichever arm they are in."""
    animal = rng.beta(1.5, 13.5, (STUDIES, ANIMALS, 1))
    return rng.binomial(50, np.minimum(animal * np.array([1.0 + 1.5 * shift, 1.0]), 1.0)) / 50


def times(rng: np.random.Generator, shift: float) -> np.ndarray:
    """Independent exponential times, of which about a fifth outlast the study."""
    return rng.exponential(18.0 * np.array([1.0 + 3.0 * shift, 1.0]), (STUDIES, ANIMALS, 2))


CASES = [
    pytest.param("continuous", volumes, True, id="values exchanged in pairs"),
    pytest.param("continuous", volumes, False, id="values relabelled"),
    pytest.param("fraction", fractions, True, id="means exchanged in pairs"),
    pytest.param("fraction", fractions, False, id="means relabelled"),
    pytest.param("count", counts, True, id="negative binomial, pairs"),
    pytest.param("count", counts, False, id="negative binomial, groups"),
    pytest.param("time", times, True, id="log-rank, pairs"),
    pytest.param("time", times, False, id="log-rank, groups"),
]


def run(kind: str, draw: Draw, paired: bool, shift: float) -> tuple[Comparison, ...]:
    values = draw(np.random.default_rng(20), shift)
    if not paired:  # break the pairs: the control animals of another study
        values[..., 1] = np.roll(values[..., 1], 1, axis=0)
    observed = values < STUDY_END if kind == "time" else np.ones_like(values, bool)
    values = np.minimum(values, STUDY_END) if kind == "time" else values
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
    readouts = [{"name": f"study {i}", "kind": kind} for i in range(STUDIES)]
    return compare(outcomes, readouts, [("treated", "control")], paired)


@pytest.mark.parametrize(("kind", "draw", "paired"), CASES)
def test_false_alarms_are_as_rare_as_stated_and_intervals_hold(kind: str, draw: Draw, paired: bool) -> None:
    found = run(kind, draw, paired, shift=0.0)
    alarms = sum(c.p is not None and c.p < 0.05 for c in found)
    misses = sum(c.interval is not None and not c.interval[0] <= 0.0 <= c.interval[1] for c in found)
    assert LOW <= alarms <= HIGH
    # t intervals of skewed values are somewhat too wide
    assert (0 if kind == "fraction" else LOW) <= misses <= HIGH
    ratios = [c.effect_size_interval for c in found if c.effect_size_interval is not None]
    if ratios:
        assert len(ratios) == STUDIES
        # those of hazards leave pairing out and rest on the normal distribution, those of counts on one dispersion
        assert sum(not low <= 1.0 <= high for low, high in ratios) <= int(binom.ppf(0.9995, STUDIES, 0.07))


@pytest.mark.parametrize(("kind", "draw", "paired"), CASES)
def test_a_large_effect_is_found_in_most_studies(kind: str, draw: Draw, paired: bool) -> None:
    found = run(kind, draw, paired, shift=1.0)
    share = np.mean([c.p is not None and c.p < 0.05 for c in found])
    assert share > (0.7 if paired and kind != "time" else 0.2)


def test_holm_keeps_the_chance_of_any_false_alarm_among_many_readouts() -> None:
    found = run("continuous", volumes, True, shift=0.0)
    p = np.array([c.p for c in found], dtype=float)
    assert min(c.p_adjusted for c in found if c.p_adjusted is not None) > 0.05
    assert (p < 0.05).any()
