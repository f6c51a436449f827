"""Metastases of all generations of one primary, by exact inversion of the law of emission, without treatment.

The model of Iwata, Kawasaki and Shigesada (2000, doi:10.1006/jtbi.2000.1075) and its relatives: a lesion of x cells sends out
m x^alpha metastases per unit time, every metastasis begins with one cell, grows by its law and sends out others. Lesions are
points with a moment of birth, so that nothing is stepped through time: the engine that others are checked against.

Assumes that lesions are independent. Leaves out treatment, organs, blood and dormancy.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from paget.body.emission import BirthDeath, Emission, Law, grown_from_one, inverse, time_from_one
from paget.body.growth_laws import GrowthLaw
from paget.errors import ModelError, ResultError, UnitError
from paget.evidence import Parameter
from paget.kernels import colonies as kernels
from paget.process import Named
from paget.units import same_dimension, to_internal

__all__ = ["Colonies", "colonies"]

Real = NDArray[np.float64]
Whole = NDArray[np.int64]

_TURN = 1024  # patients that a thread takes at a time; their numbers do not depend on it
_EVER = 2**30  # generations


@dataclass(frozen=True, eq=False)
class Colonies:
    """Metastases of many patients, one row each, by patient and there mothers before daughters.

    born : [n] h since the primary's first cell; generation : [n], 1 for daughters of the primary; lineage : uint64 [n]
    mothers : [n] the mother's row within its patient, -1 for the primary; first : [patients + 1] rows up to each patient
    counted : [patients] metastases below `least` cells at `until`, which are counted and not listed
    cut : [patients] whether the patient had more metastases than were allowed, so that all numbers are too low
    removed : [patients] h, when the primary was resected, inf if never
    """

    law: Law
    until: float
    least: float
    seed: int
    born: Real
    generation: NDArray[np.int32]
    mothers: NDArray[np.int32]
    lineage: NDArray[np.uint64]
    first: Whole
    counted: Whole
    cut: NDArray[np.bool_]
    removed: Real

    @property
    def patients(self) -> int:
        """How many patients there are."""
        return int(self.first.size - 1)

    @cached_property
    def patient(self) -> Whole:
        """Index of the patient of every row [n]."""
        return np.repeat(np.arange(self.patients), np.diff(self.first))

    @cached_property
    def mother(self) -> Whole:
        """Row of the mother of every row [n], -1 for the primary."""
        return np.where(self.mothers < 0, -1, self.mothers + self.first[self.patient])

    def sizes(self, when: str | Parameter | float | Real | None = None) -> Real:
        """Cells of every metastasis [n] at a time, 0 before its birth and after it has died out.

        when : text with a unit, or h since the primary's first cell, one for all or one for each patient; `until` if not given
        """
        times = self._times(when)
        ages = times[self.patient] - self.born
        if isinstance(self.law, BirthDeath):
            key = _key(self.seed, "clones")
            birth, death = self.law.rates
            return kernels.clone_sizes(key, 0, self.patients, self.first, self.lineage, ages, birth, death)
        return grown_from_one(self.law, ages)

    def counts(self, when: str | Parameter | float | Real | None = None, above: float = 0.0) -> Whole:
        """How many metastases of more than `above` cells each patient has at a time [patients].

        Raises
        ------
        ResultError
            If metastases of that size were counted and not listed.
        """
        whole = bool(np.all(self._times(when) == self.until))
        if self.counted.any() and above < self.least and not (whole and above <= 0.0):
            raise ResultError(
                f"metastases below {self.least:g} cells at the end were counted and not listed; ask for more than "
                f"{self.least:g} cells, or for all at the end, or grow them with a smaller `least`"
            )
        listed = np.bincount(self.patient[self.sizes(when) > above], minlength=self.patients)
        return listed + self.counted if above <= 0.0 else listed

    def burden(self, when: str | Parameter | float | Real | None = None) -> Real:
        """Cells in all listed metastases of each patient at a time [patients]."""
        return np.bincount(self.patient, weights=self.sizes(when), minlength=self.patients).astype(float)

    def table(self, when: str | Parameter | float | Real | None = None) -> pd.DataFrame:
        """One row per listed metastasis: patient, generation, mother's row, birth in days, cells at a time."""
        return pd.DataFrame(
            {
                "patient": self.patient,
                "generation": self.generation,
                "mother": self.mother,
                "born_day": self.born / 24.0,
                "cells": self.sizes(when),
            }
        )

    def _times(self, when: str | Parameter | float | Real | None) -> Real:
        if when is None:
            when = self.until
        if isinstance(when, (str, Parameter)):
            when = _hours(when)
        times = np.broadcast_to(np.asarray(when, float), self.patients)
        if np.any(times > self.until):
            raise ResultError(
                f"metastases were grown until {self.until:g} h and are asked for at {np.max(times):g} h; "
                "grow them for longer"
            )
        return times


def colonies(
    law: Law,
    emission: Emission,
    until: str | Parameter,
    patients: int,
    seed: int,
    threads: int = 1,
    *,
    primary: Law | None = None,
    generations: int | None = None,
    resection: str | Parameter | None = None,
    least: float = 0.0,
    most: int = 1_000_000,
) -> Colonies:
    """Grow the metastases of many patients until a time, each primary and each metastasis from one cell at its birth.

    law : how a metastasis grows; with `BirthDeath` it is random and does not emit (`generations` must be 1)
    primary : how the primary grows, by default as a metastasis; with `BirthDeath` it is random and does not die out
    generations : the youngest generation that is born; all if not given
    resection : a time or a number of cells at which the primary is removed
    least : metastases with fewer cells at the end, and their descendants, are counted and not listed
    most : a patient with more metastases than this, listed or not, is cut there and marked

    Raises
    ------
    ModelError
        With all that is wrong.
    """
    of_primary = law if primary is None else primary
    horizon = _hours(until)
    _check(law, of_primary, horizon, patients, threads, generations, least, most)
    last = _EVER if generations is None else generations
    kept = np.inf if least <= 1.0 or isinstance(law, BirthDeath) else horizon - time_from_one(law, least)
    starts, stops, early, early_from, of_start = _primaries(
        of_primary, emission, horizon, patients, seed, threads, resection
    )
    own = inverse(of_primary, emission, horizon, of_start)
    same = last == 1 or (law == of_primary and of_start == 1.0)
    other = own if same else inverse(law, emission, horizon)
    key = _key(seed, "tree")

    def grow(turn: tuple[int, int]) -> Any:
        return kernels.grow_trees(key, *turn, horizon, last, kept, most, starts, stops, early, early_from, own, other)

    parts = _share(grow, patients, threads)
    born, generation, mothers, lineage, _, counted, cut = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    first = np.concatenate([[0], np.cumsum(np.concatenate([np.diff(part[4]) for part in parts]))])
    return Colonies(law, horizon, least, seed, born, generation, mothers, lineage, first, counted, cut, stops)


def _primaries(
    law: Law, emission: Emission, horizon: float, patients: int, seed: int, threads: int, resection: Any
) -> tuple[Real, Real, Real, Whole, float]:
    """When primaries begin to emit by their law, when they are removed, what they emitted before, and their size then."""
    cells, time = np.inf, np.inf
    if resection is not None:
        size = isinstance(resection, Parameter) and same_dimension(resection.unit, "cell")
        if size or (isinstance(resection, str) and _is_cells(resection)):
            cells = resection.inside("cell") if isinstance(resection, Parameter) else to_internal(resection, "cell")
        else:
            time = _hours(resection)
    none = np.empty(0), np.zeros(patients + 1, np.int64)
    if not isinstance(law, BirthDeath):
        if np.isfinite(cells):
            time = time_from_one(law, cells)
        return np.zeros(patients), np.full(patients, time), *none, 1.0
    enough = min(cells, float(law.exact_below))
    key, rates = _key(seed, "primaries"), (*law.rates, *emission.numbers)

    def grow(turn: tuple[int, int]) -> Any:
        return kernels.stochastic_primaries(key, *turn, *rates, enough, min(horizon, time))

    parts = _share(grow, patients, threads)
    early = np.concatenate([part[0] for part in parts])
    upto = np.concatenate([[0], np.cumsum(np.concatenate([np.diff(part[1]) for part in parts]))])
    reached = np.concatenate([part[2] for part in parts])
    removed = np.minimum(time, reached + np.log(cells / enough) / (law.rates[0] - law.rates[1]))
    return reached, removed, early, upto, enough


def _share(work: Any, patients: int, threads: int) -> list[Any]:
    """What `work` gives for ranges of patients, in their order, whichever thread did it."""

    def turns() -> Iterator[tuple[int, int]]:
        for begin in range(0, patients, _TURN):
            yield begin, min(begin + _TURN, patients)

    if threads == 1:
        return [work(turn) for turn in turns()]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, turns()))


def _check(
    law: Law,
    primary: Law,
    horizon: float,
    patients: int,
    threads: int,
    generations: int | None,
    least: float,
    most: int,
) -> None:
    wrong = []
    for name, number in (("patients", patients), ("threads", threads), ("most", most)):
        if number < 1:
            wrong.append(f"{name} is {number}; it must be at least 1")
    if not horizon > 0.0:
        wrong.append(f"until is {horizon:g} h; it must be after the primary's first cell, which is at 0 h")
    if generations is not None and generations < 1:
        wrong.append(f"generations is {generations}; the daughters of the primary are generation 1")
    for name, one in (("metastases", law), ("the primary", primary)):
        if isinstance(one, GrowthLaw) and one.unit != "cell":
            wrong.append(f"the law of growth of {name} is in {one.unit}; colonies are counted in cells")
        if isinstance(one, GrowthLaw) and any(isinstance(number, Named) for number in one.numbers):
            wrong.append(f"the law of growth of {name} names rows of a table; give its numbers with quantity(...)")
    if isinstance(law, BirthDeath) and generations != 1:
        wrong.append("metastases that grow by BirthDeath do not emit; say so with generations=1")
    if isinstance(law, BirthDeath) and least > 0.0:
        wrong.append("metastases that grow by BirthDeath have no size before they are drawn; leave out `least`")
    if least < 0.0:
        wrong.append(f"least is {least:g} cells; it must not be negative")
    if isinstance(primary, BirthDeath) and not primary.rates[0] > primary.rates[1]:
        wrong.append("a primary in which cells die as fast as they divide dies out; give it more birth than death")
    if wrong:
        raise ModelError("These colonies cannot be grown:", wrong)


def _hours(time: str | Parameter) -> float:
    return time.inside("h") if isinstance(time, Parameter) else to_internal(time, "h")


def _is_cells(text: str) -> bool:
    try:
        to_internal(text, "cell")
    except UnitError:
        return False
    return True


def _key(seed: int, role: str) -> np.uint64:
    text = f"{seed}/colonies/{role}".encode()
    return np.uint64(int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little"))
