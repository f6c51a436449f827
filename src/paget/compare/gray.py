"""Gray's test: do arms differ in the share of animals that have had one event, when another may come first?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from paget.compare.permutation import FEWEST_ASSIGNMENTS, mid_p_of_list, relabellings
from paget.compare.time_to_event import at_risk_and_events

if TYPE_CHECKING:
    import numpy.typing as npt

    Values = npt.NDArray[np.float64]
    Whole = npt.NDArray[np.int64]
    Flags = npt.NDArray[np.bool_]

__all__ = ["CENSORED", "COMPETING", "EVENT", "gray_permutation", "gray_test"]

CENSORED, EVENT, COMPETING = 0, 1, 2

_DRAWS = 9_999
_SEED = 20260102
# Above so many animals the chi-squared distribution holds, and drawing costs.
_MOST_ANIMALS = 60
# A share that is 1 may come out below it by rounding; after it there is nobody left to have the event.
_ROUNDING = 1e-9


def gray_test(times: Values, causes: Whole, groups: Whole) -> tuple[float, int, float]:
    r"""Test whether the cumulative incidence of the event is one in all groups; returns chi-squared, its freedom, and
    p.

    The score of a group is its events beyond those that one subdistribution hazard would have given it,

    .. math:: z_g = \sum_j \Big(d_{gj} - d_j \frac{R_{gj}}{\sum_r R_{rj}}\Big),\qquad
              R_{gj} = Y_{gj}\,\frac{1-\hat F_g(t_j^-)}{\hat S_g(t_j^-)},

    in which animals that had a competing event stay at risk as far as they would not have been censored.

    Parameters
    ----------
    times : days [n].
    causes : `CENSORED`, `EVENT` or `COMPETING` [n].
    groups : 0, 1, ... [n].

    Notes
    -----
    *Assumes* censoring that tells nothing about the events. Source: Gray RJ (1988) Ann Stat 16:1141-1154 (weight 1).
    """
    from scipy.stats import chi2

    number = int(groups.max()) + 1
    at_risk, events, others = _tables_of_groups(times, causes, groups, number)
    score = _scores(at_risk, events, others)
    covariance = _covariance(at_risk.T, events.T, others.T)
    freedom = number - 1
    statistic = float(score[:-1] @ np.linalg.pinv(covariance[:-1, :-1]) @ score[:-1])
    return statistic, freedom, float(chi2.sf(statistic, freedom))


def gray_permutation(times: Values, causes: Whole, in_arm: Flags, pairs: bool) -> float | None:
    """Two-sided mid-p of Gray's score of one arm over relabellings, or over exchanges within pairs.

    For pairs the animals of the arm come first, and then their partners in the same order. All assignments are listed
    if they are 20,000 or fewer, else 9,999 are drawn, the same in every run. None if there are too few
    of them, or more than 60 animals.
    """
    n = len(times)
    if n > _MOST_ANIMALS:
        return None
    chosen = _exchanges(n // 2) if pairs else relabellings(n, int(in_arm.sum()), _DRAWS, _SEED)
    if len(chosen) < FEWEST_ASSIGNMENTS:
        return None
    found = float(_scores(*_table(times, causes, np.array([in_arm, ~in_arm])))[0])
    scores = np.empty(len(chosen))
    for begin in range(0, len(chosen), 2_000):
        arms = chosen[begin : begin + 2_000]
        scores[begin : begin + 2_000] = _scores(*_table(times, causes, np.stack([arms, ~arms], axis=1)))[:, 0]
    return mid_p_of_list(scores, found, float(n))


def _exchanges(pairs: int) -> Flags:
    if 2**pairs <= 2 * _DRAWS:
        first = (np.arange(2**pairs)[:, None] >> np.arange(pairs)) & 1 == 1
    else:
        first = np.random.default_rng(_SEED).integers(0, 2, (_DRAWS, pairs)) == 1
    return np.concatenate([first, ~first], axis=1)


def _tables_of_groups(times: Values, causes: Whole, groups: Whole, number: int) -> tuple[Values, Values, Values]:
    """What `_table` counts, [groups, days], for thousands of animals."""
    days = np.unique(times[causes != CENSORED])
    at_risk, events, others = (np.empty((number, len(days))) for _ in range(3))
    for group in range(number):
        own, cause = times[groups == group], causes[groups == group]
        at_risk[group], events[group] = at_risk_and_events(own, cause == EVENT, days)
        _, others[group] = at_risk_and_events(own, cause == COMPETING, days)
    return at_risk, events, others


def _table(times: Values, causes: Whole, members: Flags) -> tuple[Values, Values, Values]:
    """Animals at risk, events and competing events, each [..., groups, days], of `members` [..., groups, animals]."""
    days = np.unique(times[causes != CENSORED])
    belongs = members.astype(np.float64)
    at_risk = belongs @ (times[:, None] >= days).astype(np.float64)
    on_day = times[:, None] == days
    events = belongs @ (on_day & (causes == EVENT)[:, None]).astype(np.float64)
    others = belongs @ (on_day & (causes == COMPETING)[:, None]).astype(np.float64)
    return at_risk, events, others


def _curves(at_risk: Values, events: Values, others: Values) -> tuple[Values, Values, Values]:
    """Share without any event before and after each day, and share with the event before it."""
    known = np.maximum(at_risk, 1.0)
    after = np.cumprod(1.0 - (events + others) / known, axis=-1)
    before = np.concatenate([np.ones_like(after[..., :1]), after[..., :-1]], axis=-1)
    had = np.cumsum(before * events / known, axis=-1)
    had_before = np.concatenate([np.zeros_like(had[..., :1]), had[..., :-1]], axis=-1)
    return before, np.asarray(after), had_before


def _scores(at_risk: Values, events: Values, others: Values) -> Values:
    before, _, had_before = _curves(at_risk, events, others)
    present = at_risk > 0.0
    risk = np.where(present, at_risk * (1.0 - had_before) / np.where(present, before, 1.0), 0.0)
    together = np.maximum(risk.sum(axis=-2, keepdims=True), 1e-300)
    return np.asarray((events - events.sum(axis=-2, keepdims=True) * risk / together).sum(axis=-1))


def _covariance(at_risk: Values, events: Values, others: Values) -> Values:
    """Covariance of the scores [groups, groups], from tables [days, groups]; of Gray (1988), with a correction for ties."""
    before, after, _ = (curve.T for curve in _curves(at_risk.T, events.T, others.T))
    groups = at_risk.shape[1]
    here, safe = at_risk > 0.0, np.maximum(at_risk, 1.0)
    h = np.where(here, at_risk / np.where(here, before, 1.0), 0.0)
    total, number = h.sum(axis=1), events.sum(axis=1)
    steps = np.divide(number, total, out=np.zeros_like(number), where=number > 0.0)
    earlier = np.cumsum(steps) - steps
    counts = (number > 0.0) & (earlier < 1.0 - _ROUNDING)
    steps = np.where(counts, steps, 0.0)
    spread = np.divide(1.0, total, out=np.zeros_like(total), where=total > 0.0)
    a = np.eye(groups) * h[:, None, :] - h[:, :, None] * (h * spread[:, None])[:, None, :]
    # the weight of each day, and the share with the event, after that day
    weight = np.cumsum(a * (steps / np.where(counts, 1.0 - earlier, 1.0))[:, None, None], axis=0)
    incidence = np.cumsum(steps)
    left = np.where(after > 0.0, (1.0 - incidence)[:, None] / np.where(after > 0.0, after, 1.0), 0.0)
    several = (number > 1.0)[:, None]
    ties = np.where(several, 1.0 - (number - 1.0)[:, None] / np.where(several, total[:, None] * before - 1.0, 1.0), 1.0)
    had = (number > 0.0)[:, None] & here
    of_events = np.where(had, ties * before * (number * spread)[:, None] / safe, 0.0)
    ties = np.where(others > 1.0, 1.0 - (others - 1.0) / np.maximum(at_risk - 1.0, 1.0), 1.0)
    of_others = np.where(here & (after > 0.0), ties * before**2 * others / safe**2, 0.0)
    covariance, cross, own = np.zeros((groups, groups)), np.zeros((groups, groups)), np.zeros(groups)
    for u, factor, variance in (
        (a - (1.0 - left)[:, None, :] * weight, 1.0 - left, of_events),
        (left[:, None, :] * weight, -left, of_others),
    ):
        spread_u = u * variance[:, None, :]
        covariance += np.einsum("jik,jlk->il", spread_u, u)
        cross += np.einsum("jik,jk->ik", spread_u, factor)
        own += (factor**2 * variance).sum(axis=0)
    final = weight[-1]
    return np.asarray(covariance + (final * own) @ final.T + final @ cross.T + cross @ final.T)
