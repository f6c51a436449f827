"""Animals of a study that is being planned: how they differ, what a treatment does to them, and many such studies drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from paget.design.treatments import Found, told_of
from paget.errors import ResultError, StudyError

__all__ = ["Kind", "Scenario", "Studies", "draw", "from_result", "plan"]

Kind = Literal["continuous", "count", "fraction", "time"]
Values = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_FEWEST = 3
_LONGEST_TABLE = 1_000_000


@dataclass(frozen=True, eq=False)
class Scenario:
    r"""What is supposed of the animals of two arms.

    Attributes
    ----------
    kind : of the readout; it decides the test and how animals vary: *continuous* normal; *count* negative binomial with
        variance :math:`\mu + \alpha\mu^2`; *fraction* beta; *time* exponential, censored at `follow_up`.
    versus, arm : mean of the control and under treatment; for times the medians, in days.
    sd, sd_arm : standard deviation between animals in the control and under treatment (continuous, fraction).
    dispersion : :math:`\alpha` of counts.
    correlation : between the two arms of one animal (for counts and fractions, of normal scores); None for groups of
        different animals, as in a wet laboratory.
    follow_up : days after which animals without the event are censored.
    observed : animals of a result to draw from in place of such a distribution, [animals, arm and control] and whether each
        was observed. basis : where the numbers come from.
    """

    kind: Kind
    versus: float
    arm: float
    sd: float = 0.0
    sd_arm: float = 0.0
    dispersion: float = 0.0
    correlation: float | None = None
    follow_up: float = math.inf
    basis: str = "given"
    observed: tuple[Values, Flags] | None = field(default=None, repr=False)

    @property
    def paired(self) -> bool:
        """Whether both arms hold the same animals."""
        return self.correlation is not None

    @property
    def effect(self) -> float:
        """Difference of the means, or of the medians of times."""
        return self.arm - self.versus

    def with_arm(self, arm: float) -> Scenario:
        """The same animals under a treatment of another strength."""
        if self.observed is not None:
            raise StudyError(
                "Animals drawn from a result have the effect that they have; estimate their spread instead."
            )
        changed = replace(self, arm=arm)
        problems = list(_problems(changed))
        if problems:
            raise StudyError("Such a study cannot be planned:", problems)
        return changed

    def in_words(self) -> str:
        """Say what is supposed."""
        what = "median time" if self.kind == "time" else "mean"
        parts = [f"{what} {self.arm:.4g} against {self.versus:.4g}"]
        if self.observed is not None:
            parts.append(f"drawn from {len(self.observed[0])} animals")
        elif self.kind == "count":
            parts.append(f"dispersion {self.dispersion:.3g}")
        elif self.kind == "time":
            parts.append(f"followed for {self.follow_up:g} days" if math.isfinite(self.follow_up) else "all followed")
        else:
            other = "" if self.sd_arm == self.sd else f" and {self.sd_arm:.3g}"
            parts.append(f"SD {self.sd:.3g}{other}")
        if self.correlation is not None:
            parts.append(f"pairs with correlation {self.correlation:.2f}")
        return ", ".join(parts)


@dataclass(frozen=True, eq=False)
class Studies:
    """Many studies [studies, animals]: values of the arm and the control, and whether times were observed."""

    arm: Values
    versus: Values
    seen_arm: Flags
    seen_versus: Flags

    def only(self, chosen: npt.NDArray[Any]) -> Studies:
        """Some of the studies."""
        return Studies(self.arm[chosen], self.versus[chosen], self.seen_arm[chosen], self.seen_versus[chosen])


def plan(
    kind: Kind,
    versus: float,
    arm: float,
    *,
    sd: float = 0.0,
    sd_arm: float | None = None,
    dispersion: float = 0.0,
    correlation: float | None = None,
    follow_up: float = math.inf,
) -> Scenario:
    """State what is supposed of a study that is being planned; see `Scenario`.

    Raises
    ------
    StudyError
        With everything that is missing or impossible.
    """
    # A beta distribution keeps its precision when the mean moves, so that its spread fits between 0 and 1.
    same = sd
    if kind == "fraction" and 0 < versus < 1 and 0 < arm < 1:
        same = sd * math.sqrt(arm * (1 - arm) / (versus * (1 - versus)))
    scenario = Scenario(kind, versus, arm, sd, same if sd_arm is None else sd_arm, dispersion, correlation, follow_up)
    problems = list(_problems(scenario))
    if problems:
        raise StudyError("Such a study cannot be planned:", problems)
    return scenario


def _problems(scenario: Scenario) -> list[str]:
    kind, means = scenario.kind, (("the control", scenario.versus), ("the arm", scenario.arm))
    found = []
    if kind in ("continuous", "fraction"):
        found += [
            f"the SD of {kind} values must be above 0, not {sd:g}" for sd in {scenario.sd, scenario.sd_arm} if sd <= 0
        ]
    if kind == "fraction":
        found += [
            f"the mean fraction of {name} must lie between 0 and 1, not {m:g}" for name, m in means if not 0 < m < 1
        ]
        found += [
            f"an SD of {sd:g} does not fit fractions with mean {m:g}; it must be below {math.sqrt(m * (1 - m)):.3g}"
            for (_, m), sd in zip(means, (scenario.sd, scenario.sd_arm), strict=True)
            if 0 < m < 1 and sd >= math.sqrt(m * (1 - m))
        ]
    if kind == "count":
        found += [f"the mean count of {name} must be above 0, not {m:g}" for name, m in means if not m > 0]
        if scenario.dispersion < 0:
            found.append(f"the dispersion of counts cannot be negative: {scenario.dispersion:g}")
    if kind == "time":
        found += [f"the median time of {name} must be above 0 days, not {m:g}" for name, m in means if not m > 0]
        if not scenario.follow_up > 0:
            found.append(f"animals must be followed for more than 0 days, not {scenario.follow_up:g}")
    if scenario.correlation is not None and not -1 <= scenario.correlation < 1:
        found.append(f"a correlation lies from -1 to below 1, not at {scenario.correlation:g}")
    return found


def from_result(
    result: Found,
    readout: str,
    arm: str,
    versus: str | None = None,
    *,
    paired: bool = True,
    resample: bool = False,
) -> Scenario:
    """Take effect and spread of a planned study from the animals of a finished one.

    Parameters
    ----------
    result : a finished result, such as a pilot study.
    readout, arm, versus : what is compared; `versus` is the arm's control if left out.
    paired : whether the planned study has the same animals in both arms, as virtual ones can; False for a wet laboratory.
    resample : draw the animals of the result themselves, in place of animals from the distribution of their kind. A
        handful of animals does not tell the tails, so this is for results with many.

    Raises
    ------
    ResultError, UnknownNameError, StudyError
        If there is no such arm or readout, fewer than three animals, or no variation at all.

    Notes
    -----
    *Leaves out* that the spread of few animals is itself uncertain: of five animals, the standard deviation may be off by
    a factor of two.
    """
    study, told = result.study, told_of(result, readout)
    control = study.arm(versus).name if versus is not None else study.arm(arm).versus
    if control is None:
        raise ResultError(f"'{arm}' is a control arm; say which arm to compare it with.")
    rows = result.outcomes[result.outcomes["readout"] == readout].dropna(subset=["value"])
    first, second = (rows[rows["arm"] == name].set_index("animal") for name in (study.arm(arm).name, control))
    shared = first.index.intersection(second.index).sort_values()
    fewest = min(len(first), len(second))
    if fewest < _FEWEST or (paired and len(shared) < _FEWEST):
        raise ResultError(
            f"'{readout}' has {len(first)} animals in '{arm}' and {len(second)} in '{control}', {len(shared)} in both; "
            f"at least {_FEWEST} are needed to tell how animals vary."
        )
    one, two = (np.asarray(sample["value"], np.float64) for sample in (first, second))
    seen_one, seen_two = (np.asarray(sample["observed"], bool) for sample in (first, second))
    both = (np.asarray(first.loc[shared, "value"], np.float64), np.asarray(second.loc[shared, "value"], np.float64))
    kind = told.kind
    correlation = _correlation(*both, of_ranks=kind != "continuous") if paired else None
    basis = f"'{readout}' of {len(first)} and {len(second)} animals of the study '{study.name}'"
    end = study.duration / 24.0
    if resample:
        n = min(len(one), len(two))
        values = np.stack(both, axis=1) if paired else np.stack([one[:n], two[:n]], axis=1)
        flags = (
            np.stack([first.loc[shared, "observed"], second.loc[shared, "observed"]], axis=1)
            if paired
            else np.stack([seen_one[:n], seen_two[:n]], axis=1)
        ).astype(bool)
        middle = np.median if kind == "time" else np.mean
        return Scenario(
            _kind(kind),
            float(middle(values[:, 1])),
            float(middle(values[:, 0])),
            correlation=correlation,
            follow_up=end if kind == "time" else math.inf,
            basis=basis,
            observed=(values, flags),
        )
    given: dict[str, Any] = {"versus": float(two.mean()), "arm": float(one.mean()), "correlation": correlation}
    if kind == "count":
        given["dispersion"] = _dispersion(one, two)
        # An arm without any count is given half of one among its animals, because a mean of zero has no spread.
        given |= {name: max(given[name], 0.5 / len(s)) for name, s in (("arm", one), ("versus", two))}
    elif kind == "time":
        if not seen_one.any() or not seen_two.any():
            raise ResultError(f"'{readout}' did not happen in every arm, so its median time is not known.")
        given |= {"arm": _median(one, seen_one), "versus": _median(two, seen_two), "follow_up": end}
    else:
        spreads = float(one.std(ddof=1)), float(two.std(ddof=1))
        larger = max(spreads)
        given |= {"sd": spreads[1] or larger, "sd_arm": spreads[0] or larger}
    return replace(plan(_kind(kind), **given), basis=basis)


def _kind(name: str) -> Kind:
    kinds: Mapping[str, Kind] = {"continuous": "continuous", "count": "count", "fraction": "fraction", "time": "time"}
    return kinds[name]


def _correlation(one: Values, two: Values, of_ranks: bool) -> float:
    """Correlation of pairs; of ranks it is turned into that of normal scores. None visible where an arm does not vary."""
    if of_ranks:
        from scipy.stats import rankdata

        one, two = rankdata(one), rankdata(two)
    if one.std() == 0 or two.std() == 0:
        return 0.0
    found = float(np.corrcoef(one, two)[0, 1])
    return float(np.clip(2 * math.sin(math.pi * found / 6) if of_ranks else found, -0.999, 0.999))


def _dispersion(one: Values, two: Values) -> float:
    """Dispersion of counts by moments, from the arms that have any."""
    parts = [(len(a) - 1, (a.var(ddof=1) - a.mean()) / a.mean() ** 2) for a in (one, two) if a.mean() > 0]
    return max(0.0, float(sum(n * a for n, a in parts) / sum(n for n, _ in parts))) if parts else 0.0


def _median(times: Values, seen: Flags) -> float:
    """Median of exponential times, some censored."""
    return math.log(2.0) * float(times.sum()) / int(seen.sum())


def draw(scenario: Scenario, animals: int, studies: int, seed: int) -> Studies:
    """Draw studies with so many animals per arm; a smaller study has the first animals of a larger one.

    So that a larger study is the smaller one with animals added, and a stronger effect acts on the same animals: curves over
    the number of animals and the effect are smooth, and searches on them end.
    """
    generator = np.random.Generator(np.random.Philox(key=seed))
    if scenario.observed is not None:
        values, flags = scenario.observed
        chosen = generator.integers(0, len(values), (animals, 2, studies))
        first, second = chosen[:, 0].T, (chosen[:, 0] if scenario.paired else chosen[:, 1]).T
        return Studies(values[first, 0], values[second, 1], flags[first, 0], flags[second, 1])
    normal = generator.standard_normal((animals, 2, studies))
    rho = scenario.correlation or 0.0
    versus = normal[:, 0].T
    arm = rho * versus + math.sqrt(1.0 - rho**2) * normal[:, 1].T
    values_arm = _values(scenario, arm, scenario.arm, scenario.sd_arm)
    values_versus = _values(scenario, versus, scenario.versus, scenario.sd)
    seen_arm, seen_versus = values_arm <= scenario.follow_up, values_versus <= scenario.follow_up
    if scenario.kind == "time":
        values_arm, values_versus = (np.minimum(v, scenario.follow_up) for v in (values_arm, values_versus))
    return Studies(values_arm, values_versus, seen_arm, seen_versus)


def _values(scenario: Scenario, scores: Values, mean: float, sd: float) -> Values:
    """Turn normal scores into values of one arm."""
    from scipy.special import ndtr

    if scenario.kind == "continuous":
        return mean + sd * scores
    shares = ndtr(scores)
    if scenario.kind == "time":
        # log1p would lose nothing here: shares that round to 1 do not occur in doubles below eight standard deviations
        return np.asarray(-mean / math.log(2.0) * np.log1p(-shares))
    if scenario.kind == "count":
        return np.asarray(np.searchsorted(_cumulative(mean, scenario.dispersion), shares), np.float64)
    from scipy.special import betaincinv

    size = mean * (1 - mean) / sd**2 - 1
    return np.asarray(betaincinv(mean * size, (1 - mean) * size, shares))


def _cumulative(mean: float, dispersion: float) -> Values:
    """Chances of counts up to 0, 1, ... as far as doubles tell them from 1."""
    from scipy.stats import nbinom, poisson

    law = nbinom(1 / dispersion, 1 / (1 + dispersion * mean)) if dispersion > 0 else poisson(mean)
    last = min(int(law.ppf(1 - 1e-12)) + 2, _LONGEST_TABLE)
    return np.asarray(law.cdf(np.arange(last)), np.float64)
