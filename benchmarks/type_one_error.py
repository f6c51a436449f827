"""How often the default tests raise a false alarm in null studies, with ten and with five animals in an arm.

Both arms of a null study are drawn from one model, so that a test at five in a hundred should reject fifty studies in a
thousand. A rate holds if it lies within the central 95 % of the binomial distribution of 1,000 studies about that, 3.7 to
6.4 %; below, the test is cautious (it wastes animals), above, it is false. Of some thirty rates one or two would leave this
range by chance, so the tests that take a millisecond get ten times as many studies (a standard error of 0.2 %).
``python benchmarks/type_one_error.py`` prints the table; ``--studies 100`` is a quick look, ``--only count`` does one kind.
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
LOW, HIGH = binom.ppf([0.025, 0.975], 1000, LEVEL) / 1000
CHEAP = 10
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
    """Exponential times of mean 18 days, of pairs with a hazard of their own; about a fifth outlast the 30 days."""
    hazard = rng.gamma(3.0, 1 / 3.0, (*shape[:2], 1)) if paired else np.ones(1)
    return rng.exponential(18.0 / hazard * np.ones(shape))


CASES = (
    Case("continuous", "lognormal, spread 0.3", skewed(0.3)),
    Case("continuous", "lognormal, spread 0.8", skewed(0.8)),
    Case("fraction", "about 0.1 of 50 cells", fractions(0.1, 10.0, 50)),
    Case("fraction", "about 0.95 of 200 cells", fractions(0.95, 20.0, 200)),
    Case("count", "mean 20, dispersion 0.3", counts(20.0, 0.3)),
    Case("count", "mean 3, dispersion 1, a quarter zeros", counts(3.0, 1.0)),
    Case("time", "exponential, a fifth censored", times),
)


def two_arms(case: Case, animals: int, paired: bool, studies: int) -> list[float]:
    """The p-values of the default test in so many null studies, and again that many until there are ten times as many."""
    rng = np.random.default_rng([SEED, animals, paired, CASES.index(case)])
    return [p for _ in range(CHEAP) for p in _one_table(case, rng, animals, paired, studies)]


def _one_table(case: Case, rng: Rng, animals: int, paired: bool, studies: int) -> list[float]:
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
    rate = float(np.mean(np.array(p) < LEVEL))
    verdict = "holds" if LOW <= rate <= HIGH else "cautious" if rate < LOW else "FALSE"
    how = "pairs" if paired else "groups"
    return f"| {kind} | {model} | {animals} | {how} | {100 * rate:.1f} | {verdict} | {1e3 * seconds / len(p):.1f} |"


def incidences(animals: int, paired: bool, studies: int) -> tuple[list[float], list[float]]:
    """p-values of Gray's test and of the cause-specific log-rank test: metastasis at rate 1 / 20 days, death at 1 / 30."""
    rng = np.random.default_rng([SEED, animals, paired, 77])
    gray, hazard = [], []
    for _ in range(studies):
        frailty = rng.gamma(3.0, 1 / 3.0, (animals, 1)) if paired else np.ones((animals, 1))
        metastasis, death = rng.exponential(20.0 / frailty, (animals, 2)), rng.exponential(30.0, (animals, 2))
        rows = []
        for arm, name in enumerate(("treated", "control")):
            for animal in range(animals):
                m, d = float(metastasis[animal, arm]), float(death[animal, arm])
                end = min(d, STUDY_END)
                rows.append((name, animal, "metastasis", min(m, end), m < end))
                rows.append((name, animal, "death", end, d < STUDY_END))
        outcomes = pd.DataFrame(rows, columns=["arm", "animal", "readout", "value", "observed"])
        timed = [{"name": name, "kind": "time"} for name in ("metastasis", "death")]
        (found,) = cumulative_incidence(outcomes, timed[0], timed[1], ["control", "treated"], paired=paired).contrasts
        gray.append(found.p)
        hazard.append(1.0 if found.hazard_p is None else found.hazard_p)
    return gray, hazard


def courses(animals: int, paired: bool, studies: int) -> tuple[list[float], list[float]]:
    """p-values of slopes and levels: animals with lines of their own, and days that depend on each other (correlation 0.7)."""
    rng = np.random.default_rng([SEED, animals, paired, 78])
    slopes, levels = [], []
    for _ in range(studies):
        of_animal = (animals, 1, 1) if paired else (animals, 2, 1)
        line = 100.0 + 20.0 * rng.normal(size=of_animal) + (3.0 + rng.normal(size=of_animal)) * DAYS
        line = line + 0.5 * rng.normal(size=(animals, 2, 1)) * DAYS
        noise = rng.normal(size=(animals, 2, len(DAYS)))
        for day in range(1, len(DAYS)):
            noise[..., day] = 0.7 * noise[..., day - 1] + np.sqrt(1 - 0.7**2) * noise[..., day]
        values = line + 8.0 * noise
        animal, arm, day = np.indices(values.shape)
        metrics = pd.DataFrame(
            {
                "arm": np.where(arm.ravel() == 0, "treated", "control"),
                "animal": animal.ravel(),
                "day": DAYS[day.ravel()],
                "volume": values.ravel(),
            }
        )
        found = repeated(metrics, "volume", "treated", "control", paired=paired)
        slopes.append(1.0 if found.slope.p is None else found.slope.p)
        levels.append(1.0 if found.level.p is None else found.level.p)
    return slopes, levels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--only", help="one kind: continuous, fraction, count, time, competing or repeated")
    given = parser.parse_args()
    print("| kind | model | animals | design | false alarms, % | verdict | ms CPU |\n|---|---|---|---|---|---|---|")
    for animals in (10, 5):
        for paired in (True, False):
            for case in CASES:
                if given.only in (None, case.kind):
                    began = time.process_time()
                    p = two_arms(case, animals, paired, given.studies)
                    print(row(case.kind, case.model, animals, paired, p, time.process_time() - began), flush=True)
            for kind, draw, tests in (
                ("competing", incidences, ("Gray's test", "cause-specific log-rank")),
                ("repeated", courses, ("slopes of 8 days, correlated", "levels of the same")),
            ):
                if given.only in (None, kind):
                    began = time.process_time()
                    both = draw(animals, paired, given.studies)
                    seconds = (time.process_time() - began) / 2
                    for test, p in zip(tests, both, strict=True):
                        print(row(kind, test, animals, paired, p, seconds), flush=True)


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Precision loss occurred")
        main()
