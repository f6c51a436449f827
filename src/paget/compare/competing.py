"""Events of which another may come first: the share of animals that have had each, with intervals and tests of the
arms.

A mouse that dies has no metastasis later. Taking its death for censoring (one minus Kaplan-Meier) overstates how many
get metastases; the cumulative incidence (Aalen-Johansen) counts those that do.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from paget.compare.contrasts import holm
from paget.compare.findings import CONFIDENCE, Interval
from paget.compare.gray import CENSORED, COMPETING, EVENT, gray_permutation, gray_test
from paget.compare.outcomes import EMPTY, Readout, Sample, gather, read_readout
from paget.compare.permuted_arms import time_groups, time_pairs
from paget.compare.time_to_event import at_risk_and_events
from paget.compare.wording import join_notes, p_in_words
from paget.errors import ResultError

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    Values = npt.NDArray[np.float64]
    Whole = npt.NDArray[np.int64]

__all__ = ["CumulativeIncidence", "IncidenceContrast", "IncidenceCurve", "cumulative_incidence"]

# A share that is 1 may come out below it by rounding.
_ROUNDING = 1e-9
# Log-log intervals wider than this reach from 0 to 1.
_WIDEST = 20.0


@dataclass(frozen=True)
class IncidenceCurve:
    """Share of an arm that has had one event, as steps: `incidence[i]` holds from `days[i]` to `days[i + 1]`.

    Attributes
    ----------
    arm, cause : the arm, and the title of the event: the one asked for, or those that compete with it, together.
    n, events : animals of the arm, and how many had this event first.
    days, incidence, low, high : steps from day 0, with the 95 % interval of each.
    """

    arm: str
    cause: str
    n: int
    events: int
    days: tuple[float, ...]
    incidence: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True)
class IncidenceContrast:
    """Two arms compared in two ways: in the share that has the event (Gray), and in its rate among those still at risk.

    Attributes
    ----------
    arm, versus, n_arm, n_versus : the arms, and the animals (complete pairs if `paired`) that entered the tests.
    effect, interval : difference of the shares at the last day that both arms were followed, `arm` minus `versus`,
        with its 95 % interval; not narrowed by pairing.
    statistic, p, p_adjusted : Gray's chi-squared, its p-value (by permutation for up to 60 animals), and Holm's over
        the pairs of arms.
    hazard_ratio, hazard_interval, hazard_test, hazard_p : cause-specific: Peto's ratio with its interval, and the
        log-rank test, for both of which an animal is censored by a competing event.
    paired : whether the tests exchanged animals within pairs.
    """

    arm: str
    versus: str
    n_arm: int
    n_versus: int
    day: float
    effect: float
    interval: Interval
    test: str
    statistic: float
    p: float
    p_adjusted: float | None
    hazard_ratio: float | None
    hazard_interval: Interval | None
    hazard_test: str
    hazard_p: float | None
    paired: bool

    def sentence(self) -> str:
        """Write the contrast as a paper would report it."""
        count = f"n = {self.n_arm} pairs" if self.paired else f"n = {self.n_arm} and {self.n_versus}"
        low, high = self.interval
        text = (
            f"{self.arm} versus {self.versus}: {100 * self.effect:+z.0f} % of animals by day {self.day:g} (95 % CI "
            f"{100 * low:z.0f} to {100 * high:z.0f} %), {self.test}, {count}, p {p_in_words(self.p)}"
        )
        if self.p_adjusted is not None:
            text += f", Holm-adjusted p {p_in_words(self.p_adjusted)}"
        if self.hazard_ratio is not None and self.hazard_interval is not None and self.hazard_p is not None:
            text += (
                f"; cause-specific hazard ratio {self.hazard_ratio:.2f} (95 % CI {self.hazard_interval[0]:.2f} to "
                f"{self.hazard_interval[1]:.2f}), {self.hazard_test}, p {p_in_words(self.hazard_p)}"
            )
        return text

    def __str__(self) -> str:
        return self.sentence()


@dataclass(frozen=True)
class CumulativeIncidence:
    """Curves of every arm and cause, the contrasts of every pair of arms, and Gray's test of all arms at once."""

    event: str
    competing: tuple[str, ...]
    curves: tuple[IncidenceCurve, ...]
    contrasts: tuple[IncidenceContrast, ...]
    statistic: float | None
    p: float | None
    note: str


def cumulative_incidence(
    outcomes: pd.DataFrame,
    event: Mapping[str, Any],
    competing: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    arms: Sequence[str],
    *,
    paired: bool = True,
    failed: Mapping[str, int] | None = None,
) -> CumulativeIncidence:
    r"""Estimate the share of animals that have had an event, of which others may come first (Aalen-Johansen), and
    test it.

    .. math:: \hat F(t) = \sum_{t_j \le t} \hat S(t_{j-1})\,\frac{d_{1j}}{n_j}

    with :math:`\hat S` the share without any of the events. Intervals are those of :math:`\log(-\log \hat F)`.

    Parameters
    ----------
    outcomes : one row per arm, animal and readout, as for `compare`.
    event : the readout of kind "time" that is asked for.
    competing : one or more readouts of kind "time", each of which ends the watch for the event; of two on one day the
        event counts.
    arms : the arms to show; one without animals is left out and named in the note.
    paired : whether animals of one number are the same animal: the tests then exchange animals within complete pairs.
        With fewer than seven pairs, or more than 60 animals, Gray's test is that of the chi-squared distribution and
        leaves pairing out.
    failed : for each arm the animals that failed, which are told in the note.

    Raises
    ------
    ResultError
        If a readout is no time.

    Notes
    -----
    Source: Aalen OO, Johansen S (1978) Scand J Stat 5:141-150; Gray RJ (1988) Ann Stat 16:1141-1154; Choudhury JB
    (2002) Stat Med 21:1129-1144; Marubini E, Valsecchi MG (1995) Analysing Survival Data, sect. 10.3.
    """
    others = [competing] if isinstance(competing, Mapping) else list(competing)
    described = [read_readout(one) for one in (event, *others)]
    for one in described:
        if one.kind != "time":
            raise ResultError(f"'{one.name}' is a {one.kind}; cumulative incidence needs readouts of kind 'time'.")
    if len(described) < 2:
        raise ResultError("No competing event was given; without one, `survival` shows the event.")
    gathered = gather(outcomes, described)
    found = {arm: _first_events([gathered.get((one.name, arm), EMPTY) for one in described]) for arm in arms}
    shown = {arm: one for arm, one in found.items() if len(one)}
    notes = [f"no animal with a value in '{arm}'" for arm in arms if arm not in shown]
    notes += [
        f"{number} of '{arm}' failed and missing" for arm, number in (failed or {}).items() if number and arm in arms
    ]
    titles = {EVENT: described[0].title, COMPETING: _together(described[1:])}
    curves = [_curve(arm, one, cause, title) for arm, one in shown.items() for cause, title in titles.items()]
    statistic, p = None, None
    if len(shown) > 1:
        statistic, _, p = _gray(list(shown.values()))
    return CumulativeIncidence(
        event=described[0].title,
        competing=tuple(one.title for one in described[1:]),
        curves=tuple(curves),
        contrasts=_contrasts(shown, paired),
        statistic=statistic,
        p=p,
        note=join_notes(*notes),
    )


@dataclass(frozen=True, eq=False)
class _Watched:
    """When the watch over each animal ended, and by what."""

    animals: Whole
    times: Values
    causes: Whole

    def __len__(self) -> int:
        return len(self.times)

    def only(self, animals: Whole) -> _Watched:
        kept = np.isin(self.animals, animals)
        return _Watched(self.animals[kept], self.times[kept], self.causes[kept])

    def until(self, cause: int) -> Sample:
        """Times to one cause, censored by the others."""
        return Sample(self.animals, self.times, self.causes == cause)


def _first_events(samples: list[Sample]) -> _Watched:
    """The first event of each animal that has all the readouts; one without is censored at its first censoring."""
    animals = samples[0].animals
    for sample in samples[1:]:
        animals = np.intersect1d(animals, sample.animals)
    held = [sample.only(animals) for sample in samples]
    when = np.array([np.where(sample.observed, sample.values, np.inf) for sample in held])
    first = when.argmin(axis=0)
    seen = np.isfinite(when.min(axis=0))
    causes = np.where(seen, np.where(first == 0, EVENT, COMPETING), CENSORED)
    last = np.array([sample.values for sample in held]).min(axis=0)
    return _Watched(animals, np.where(seen, when.min(axis=0), last), causes.astype(np.int64))


def _together(readouts: list[Readout]) -> str:
    return " or ".join(one.title for one in readouts)


def aalen_johansen(times: Values, causes: Whole, cause: int) -> tuple[Values, Values, Values]:
    r"""Days of events of one cause, the cumulative incidence from each on, and its standard error (delta method).

    .. math:: \widehat{\mathrm{var}}\hat F(t) = \sum_j (F-F_j)^2 \frac{d_j}{n_j(n_j-d_j)}
              + \sum_j S_{j-1}^2 \frac{(n_j-d_{1j})d_{1j}}{n_j^3} - 2\sum_j (F-F_j) S_{j-1}\frac{d_{1j}}{n_j^2}

    Without censoring it is the binomial variance :math:`F(1-F)/n`.
    """
    days = np.unique(times[causes != CENSORED])
    at_risk, every = at_risk_and_events(times, causes != CENSORED, days)
    _, own = at_risk_and_events(times, causes == cause, days)
    after = np.cumprod(1.0 - every / at_risk)
    before = np.concatenate([[1.0], after[:-1]])
    share = np.cumsum(before * own / at_risk)
    left = at_risk - every
    # On the day on which nobody is left the factor F - F_j is zero from then on.
    spread = np.divide(every, at_risk * left, out=np.zeros_like(share), where=left > 0)
    jump = before * own / at_risk**2
    variance = (
        share**2 * np.cumsum(spread)
        - 2.0 * share * np.cumsum(share * spread)
        + np.cumsum(share**2 * spread)
        + np.cumsum(before**2 * (at_risk - own) * own / at_risk**3)
        - 2.0 * (share * np.cumsum(jump) - np.cumsum(share * jump))
    )
    kept = own > 0
    return days[kept], share[kept], np.sqrt(np.maximum(variance[kept], 0.0))


def _curve(arm: str, watched: _Watched, cause: int, title: str) -> IncidenceCurve:
    days, share, error = aalen_johansen(watched.times, watched.causes, cause)
    last = float(watched.times.max())
    days, share, error = np.concatenate([[0.0], days]), np.concatenate([[0.0], share]), np.concatenate([[0.0], error])
    if days[-1] < last:
        days, share, error = np.append(days, last), np.append(share, share[-1]), np.append(error, error[-1])
    low, high = np.array([_log_log(f, e) for f, e in zip(share.tolist(), error.tolist(), strict=True)]).T
    return IncidenceCurve(
        arm=arm,
        cause=title,
        n=len(watched),
        events=int((watched.causes == cause).sum()),
        days=tuple(days.tolist()),
        incidence=tuple(share.tolist()),
        low=tuple(low.tolist()),
        high=tuple(high.tolist()),
    )


def _log_log(share: float, error: float) -> Interval:
    from scipy.special import ndtri

    if not (0.0 < share < 1.0 - _ROUNDING) or error == 0.0:
        return share, share
    reach = float(ndtri(0.5 + CONFIDENCE / 2)) * error / (share * math.log(share))
    reach = max(reach, -_WIDEST)
    ends = share ** math.exp(reach), share ** math.exp(-reach)
    return min(ends), max(ends)


def _gray(watched: list[_Watched]) -> tuple[float, int, float]:
    times, causes = np.concatenate([w.times for w in watched]), np.concatenate([w.causes for w in watched])
    if not (causes == EVENT).any():
        return 0.0, len(watched) - 1, 1.0
    return gray_test(times, causes, np.concatenate([np.full(len(w), i) for i, w in enumerate(watched)]))


def _contrasts(shown: Mapping[str, _Watched], paired: bool) -> tuple[IncidenceContrast, ...]:
    pairs = [(later, earlier) for earlier, later in combinations(shown, 2)]
    every = [_contrast((arm, versus), shown[arm], shown[versus], paired) for arm, versus in pairs]
    found = [one for one in every if one is not None]
    adjusted = holm([one.p for one in found])
    return tuple(replace(one, p_adjusted=p) for one, p in zip(found, adjusted, strict=True))


def _contrast(names: tuple[str, str], arm: _Watched, versus: _Watched, paired: bool) -> IncidenceContrast | None:
    if paired:
        shared = np.intersect1d(arm.animals, versus.animals)
        arm, versus = arm.only(shared), versus.only(shared)
    if min(len(arm), len(versus)) < 2:
        return None
    statistic, _, p = _gray([arm, versus])
    times, causes = np.concatenate([arm.times, versus.times]), np.concatenate([arm.causes, versus.causes])
    permuted = gray_permutation(times, causes, np.arange(len(times)) < len(arm), paired)
    effect, interval, day = _difference(arm, versus)
    hazard = (time_pairs if paired else time_groups)(arm.until(EVENT), versus.until(EVENT))
    return IncidenceContrast(
        arm=names[0],
        versus=names[1],
        n_arm=len(arm),
        n_versus=len(versus),
        day=day,
        effect=effect,
        interval=interval,
        test="Gray's test" if permuted is None else "Gray's test (permutation)",
        statistic=statistic,
        p=p if permuted is None else permuted,
        p_adjusted=None,
        hazard_ratio=hazard.effect_size,
        hazard_interval=hazard.effect_size_interval,
        hazard_test=hazard.test,
        hazard_p=hazard.p,
        paired=paired,
    )


def _difference(arm: _Watched, versus: _Watched) -> tuple[float, Interval, float]:
    """Difference of the shares on the last day both arms were followed: the hybrid of their two intervals (Newcombe)."""
    day = min(float(arm.times.max()), float(versus.times.max()))
    first, second = _at(arm, day), _at(versus, day)
    effect = first[0] - second[0]
    low = effect - math.hypot(first[0] - first[1], second[2] - second[0])
    high = effect + math.hypot(first[2] - first[0], second[0] - second[1])
    return effect, (low, high), day


def _at(watched: _Watched, day: float) -> tuple[float, float, float]:
    """Share with the event on a day, and its interval: Wilson's at 0 and 1, where the log-log one has no width."""
    from scipy.special import ndtri

    days, share, error = aalen_johansen(watched.times, watched.causes, EVENT)
    upto = int(np.searchsorted(days, day, side="right"))
    here = float(share[upto - 1]) if upto else 0.0
    if 0.0 < here < 1.0 - _ROUNDING:
        return here, *_log_log(here, float(error[upto - 1]))
    z2 = float(ndtri(0.5 + CONFIDENCE / 2)) ** 2
    reach = z2 / (len(watched) + z2)
    return (0.0, 0.0, reach) if here == 0.0 else (1.0, 1.0 - reach, 1.0)
