"""Slow, clear twins of the kernels of trees of metastases, written from the equations."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq

from paget.kernels.colonies import PRIMARY, lineage_of, stream_of
from paget.kernels.streams import draw_exponential, draw_uniform, open_stream

__all__ = ["Lesion", "clone_size", "stochastic_primary", "tree"]

Total = Callable[[float], float]


class _Stream:
    """A private stream of random numbers."""

    def __init__(self, opened: tuple[np.uint64, np.uint64]) -> None:
        self._state, self._increment = (np.uint64(word) for word in opened)

    def uniform(self) -> float:
        state, u = draw_uniform(self._state, self._increment)
        self._state = np.uint64(state)
        return u

    def exponential(self) -> float:
        state, x = draw_exponential(self._state, self._increment)
        self._state = np.uint64(state)
        return x


class Lesion(NamedTuple):
    """A metastasis: birth in h, generation, place of its mother in the list (-1 for the primary), lineage."""

    birth: float
    generation: int
    mother: int
    lineage: int


def tree(
    key: int,
    patient: int,
    until: float,
    generations: int,
    start: float,
    stop: float,
    early: list[float],
    primary: Total,
    lesion: Total,
) -> list[Lesion]:
    """All metastases of one patient, from functions that give the total emission by an age in h.

    `early` are moments of emission of the primary before `start`, from which on it emits by `primary`, until `stop`.
    """
    own = int(open_stream(np.uint64(key), PRIMARY, patient)[0])
    found: list[Lesion] = []
    daughters = [when for when in early if when <= min(until, stop)]
    daughters += _emissions(own, start, min(until, stop), primary)
    found += [Lesion(when, 1, -1, _daughter(own, n)) for n, when in enumerate(daughters, 1)]
    for place, mother in enumerate(found):  # the list grows meanwhile
        if mother.generation < generations:
            for n, when in enumerate(_emissions(mother.lineage, mother.birth, until, lesion), 1):
                found.append(Lesion(when, mother.generation + 1, place, _daughter(mother.lineage, n)))
    return found


def _daughter(lineage: int, n: int) -> int:
    return int(lineage_of(np.uint64(lineage), np.uint64(n)))


def _emissions(lineage: int, start: float, until: float, total: Total) -> list[float]:
    """Moments of a Poisson process of mean `total(age)`: ages at which it reaches sums of unit exponential numbers."""
    if not until > start:
        return []
    stream = _Stream(stream_of(np.uint64(lineage)))
    moments: list[float] = []
    y, most = 0.0, total(until - start)
    while True:
        y += stream.exponential()
        if y > most:
            return moments
        age = brentq(lambda s, y=y: total(s) - y, 0.0, until - start, xtol=1e-13, rtol=1e-14)
        moments.append(start + age)


def stochastic_primary(
    key: int, patient: int, rate: Callable[[float], float], birth: float, death: float, enough: float, until: float
) -> tuple[list[float], float]:
    """Moments of emission of a primary that grows by single events, and when it had `enough` cells (inf if it did not)."""
    stream = _Stream(open_stream(np.uint64(key), PRIMARY, patient))
    while True:
        now, cells = 0.0, 1.0
        moments: list[float] = []
        while 0 < cells < enough:
            rates = np.array([rate(cells), birth * cells, death * cells])
            now += stream.exponential() / ((birth + death) * cells + rates[0])
            if now > until:
                return moments, math.inf
            event = int(
                np.searchsorted(np.cumsum(rates), stream.uniform() * ((birth + death) * cells + rates[0]), "right")
            )
            if event == 0:
                moments.append(now)
            else:
                cells += 1.0 if event == 1 else -1.0
        if cells >= enough:
            return moments, now


def clone_size(key: int, patient: int, lineage: int, age: float, birth: float, death: float) -> int:
    """Cells of a clone of an age >= 0, by walking up the cumulative probabilities of being extinct and of each size."""
    stream = _Stream(open_stream(np.uint64(key), np.uint64(lineage), patient))
    u, v = stream.uniform(), stream.uniform()
    rate = birth - death
    grown = math.exp(rate * age)
    if rate == 0.0:
        extinct, ratio = birth * age / (1.0 + birth * age), birth * age / (1.0 + birth * age)
    else:
        extinct = death * (grown - 1.0) / (birth * grown - death)
        ratio = birth * (grown - 1.0) / (birth * grown - death)
    if u < extinct:
        return 0
    size, beyond = 1, ratio  # beyond: probability of more cells than `size`, given that some are alive
    while beyond > 1.0 - v:
        size, beyond = size + 1, beyond * ratio
    return size
