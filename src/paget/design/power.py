"""How many animals a study needs, and what a study of so many animals can show: by simulating it a thousand times."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from paget.design.many_tests import found
from paget.design.scenario import Scenario, draw
from paget.errors import StudyError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Detectable", "PowerCurve", "PowerPoint", "power_at", "power_curve", "smallest_effect"]

FEWEST = 2
MOST = 2000
_CONFIDENCE = 0.95
_STEPS_OF_EFFECT = 18
_POINTS = 9
# A search looks at few studies first, and at all where these do not tell.
_GLANCE = 150
_FAR = 0.05


@dataclass(frozen=True)
class PowerPoint:
    """The share of `studies` with so many animals per arm that find the effect, with its binomial 95 % interval."""

    animals: int
    power: float
    low: float
    high: float
    studies: int


@dataclass(frozen=True)
class PowerCurve:
    """Power over the number of animals per arm.

    Attributes
    ----------
    scenario, test, alpha, target : what was supposed, by which test, at which level, and the power that is wanted.
    points : from few animals to many.
    needed : the fewest animals per arm with that power; None if `MOST` do not reach it.
    needed_low, needed_high : the range of `needed` that the number of simulated studies leaves open.
    """

    scenario: Scenario
    test: str
    alpha: float
    target: float
    points: tuple[PowerPoint, ...]
    needed: int | None
    needed_low: int | None
    needed_high: int | None

    def table(self) -> pd.DataFrame:
        """One row per number of animals: power with its limits, and how many studies were simulated."""
        import pandas as pd

        return pd.DataFrame([vars(point) for point in self.points]).rename(columns={"animals": "animals per arm"})

    def sentence(self) -> str:
        """Say how many animals are needed, as in the methods of a paper."""
        about = f"Supposing {self.scenario.in_words()}"
        test = f"{self.test}, two-sided, level {self.alpha:g}"
        if self.needed is None:
            return (
                f"{about}, more than {MOST} animals per arm would be needed for {_percent(self.target)} power ({test})."
            )
        reached = next(point for point in self.points if point.animals == self.needed)
        what = "pairs" if self.scenario.paired else "animals per arm"
        low, high = self.needed_low, self.needed_high
        most = str(high) if high is not None else f"more than {MOST}"
        span = f" ({low} to {most})" if low != self.needed or high != low else ""
        return (
            f"{about}, {self.needed}{span} {what} are needed for {_percent(self.target)} power ({test}); of "
            f"{reached.studies} simulated studies of that size {_percent(reached.power, 1)} found the effect "
            f"(95 % CI {_percent(reached.low, 1)} to {_percent(reached.high, 1)})."
        )

    def __str__(self) -> str:
        return self.sentence()


@dataclass(frozen=True)
class Detectable:
    """The smallest effect that a study of so many animals per arm finds with the wanted power.

    `arm` is the mean (median time) under treatment at which it does, `effect` its difference from the control; None if no
    possible value does.
    """

    scenario: Scenario
    animals: int
    test: str
    alpha: float
    target: float
    arm: float | None
    effect: float | None
    point: PowerPoint | None

    def sentence(self) -> str:
        """Say what a study of this size can show."""
        who = f"{self.animals} {'pairs' if self.scenario.paired else 'animals per arm'}"
        if self.arm is None or self.effect is None:
            return f"{who} do not show any possible effect with {_percent(self.target)} power ({self.test})."
        versus = self.scenario.versus
        relative = f", {_percent(self.effect / versus, signed=True)}" if versus > 0 else ""
        return (
            f"{who} show a change from {versus:.4g} to {self.arm:.4g} ({self.effect:+.3g}{relative}) or more with "
            f"{_percent(self.target)} power ({self.test}, two-sided, level {self.alpha:g})."
        )

    def __str__(self) -> str:
        return self.sentence()


def power_at(
    scenario: Scenario, animals: int, *, studies: int = 1000, alpha: float = 0.05, seed: int = 1
) -> tuple[PowerPoint, str]:
    """Simulate studies with so many animals per arm and count how often the default test finds the effect.

    Returns the point of the power curve and the name of the test. The p-value is that of one readout, not adjusted for
    others.
    """
    if animals < FEWEST:
        raise StudyError(f"A test needs at least {FEWEST} animals per arm, not {animals}.")
    hit, test = found(draw(scenario, animals, studies, seed), scenario.kind, scenario.paired, alpha)
    hits = int(hit.sum())
    return PowerPoint(animals, hits / studies, *binomial_interval(hits, studies), studies), test


def binomial_interval(hits: int, trials: int) -> tuple[float, float]:
    """The exact 95 % interval of a share (Clopper CJ, Pearson ES (1934) Biometrika 26:404-413)."""
    from scipy.special import betaincinv

    tail = (1 - _CONFIDENCE) / 2
    low = float(betaincinv(hits, trials - hits + 1, tail)) if hits else 0.0
    high = float(betaincinv(hits + 1, trials - hits, 1 - tail)) if hits < trials else 1.0
    return low, high


def power_curve(
    scenario: Scenario,
    *,
    animals: Sequence[int] | None = None,
    target: float = 0.8,
    studies: int = 1000,
    alpha: float = 0.05,
    seed: int = 1,
) -> PowerCurve:
    """Find how many animals per arm give the wanted power, and the power of smaller and larger studies.

    Parameters
    ----------
    scenario : what is supposed of the animals; from `plan` or `from_result`.
    animals : numbers per arm to show; chosen around the number needed if left out.
    target : the power that is wanted. alpha : the level of the test. seed : of the simulated animals.
    studies : simulated per number of animals; a thousand give power to about 2.5 %.
    """
    _check(target, alpha, studies)
    at = _cached(scenario, studies, alpha, seed)
    glance = _cached(scenario, min(studies, _GLANCE), alpha, seed)

    def enough(animals: int, which: str) -> bool:
        seen = glance(animals)[0]
        if seen.low > target + _FAR or seen.high < target - _FAR:
            return seen.power > target
        return float(getattr(at(animals)[0], which)) >= target

    needed = _fewest(lambda n: enough(n, "power"))
    low, high = _fewest(lambda n: enough(n, "high")), _fewest(lambda n: enough(n, "low"))
    shown = set(animals) if animals is not None else _around(needed)
    points = tuple(at(n)[0] for n in sorted(shown | ({needed} if needed is not None else set())))
    return PowerCurve(scenario, at(needed or points[-1].animals)[1], alpha, target, points, needed, low, high)


def smallest_effect(
    scenario: Scenario,
    animals: int = 10,
    *,
    rising: bool | None = None,
    target: float = 0.8,
    studies: int = 1000,
    alpha: float = 0.05,
    seed: int = 1,
) -> Detectable:
    """Find the weakest treatment that a study of so many animals per arm shows with the wanted power.

    Parameters
    ----------
    scenario : the animals; of its effect only the direction is used, and that not if `rising` is given.
    rising : whether the treatment raises the readout.
    """
    _check(target, alpha, studies)
    up = scenario.effect > 0 if rising is None else rising

    def at(strength: float) -> tuple[PowerPoint, str]:
        return power_at(
            scenario.with_arm(_strong(scenario, strength, up)), animals, studies=studies, alpha=alpha, seed=seed
        )

    weak, strong = 0.0, 1.0
    point, test = at(strong)
    while point.power < target and strong < 64.0:
        weak, strong = strong, 2 * strong
        point, test = at(strong)
    if point.power < target:
        return Detectable(scenario, animals, test, alpha, target, None, None, None)
    for _ in range(_STEPS_OF_EFFECT):
        middle = (weak + strong) / 2
        tried, _name = at(middle)
        if tried.power >= target:
            strong, point = middle, tried
        else:
            weak = middle
        if strong - weak < 1e-3 * strong:
            break
    arm = _strong(scenario, strong, up)
    return Detectable(scenario, animals, test, alpha, target, arm, arm - scenario.versus, point)


def _strong(scenario: Scenario, strength: float, up: bool) -> float:
    """Mean under a treatment of a strength from 0 (none) to infinity, inside what the readout can be."""
    sign = 1.0 if up else -1.0
    if scenario.kind == "continuous":
        return scenario.versus + sign * strength * scenario.sd
    if scenario.kind == "fraction":
        odds = scenario.versus / (1 - scenario.versus) * math.exp(sign * strength)
        return odds / (1 + odds)
    return scenario.versus * math.exp(sign * strength)


def _percent(share: float, decimals: int = 0, signed: bool = False) -> str:
    return f"{100 * share:{'+' if signed else ''}.{decimals}f} %"


def _check(target: float, alpha: float, studies: int) -> None:
    problems = [
        f"{name} must lie between 0 and 1, not {v:g}"
        for name, v in (("the power", target), ("the level", alpha))
        if not 0 < v < 1
    ]
    if studies < 10:
        problems.append(f"at least 10 simulated studies are needed, not {studies}")
    if problems:
        raise StudyError("The power cannot be found:", problems)


def _cached(scenario: Scenario, studies: int, alpha: float, seed: int) -> Callable[[int], tuple[PowerPoint, str]]:
    @cache
    def at(animals: int) -> tuple[PowerPoint, str]:
        return power_at(scenario, animals, studies=studies, alpha=alpha, seed=seed)

    return at


def _fewest(enough: Callable[[int], bool]) -> int | None:
    """The fewest animals that are enough: doubled until they are, then halved between."""
    low, high = FEWEST - 1, FEWEST + 2
    while not enough(high):
        if high >= MOST:
            return None
        low, high = high, min(2 * high, MOST)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _around(needed: int | None) -> set[int]:
    if needed is None:
        return {5, 10, 20, 50, 100, 200, 500, 1000, MOST}
    last = max(FEWEST + 4, math.ceil(1.7 * needed))
    step = max(1, round((last - FEWEST) / (_POINTS - 1)))
    return set(range(FEWEST + 1, last + 1, step))
