"""Running a cohort: blocks of patients on plain threads, each with its own workspace."""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from paget.body.cohort.arms import CohortArm
from paget.body.cohort.definition import Cohort
from paget.body.cohort.result import ArmRecord, CohortResult
from paget.errors import StudyError
from paget.kernels.cohort import COLUMNS, INELIGIBLE, MOST_ATTEMPTS, OVERFLOW, SERIES, patients, room
from paget.units import to_internal

__all__ = ["key_of", "live", "outcomes_block", "readout_times", "run_cohort", "series_block"]

Real = NDArray[np.float64]
BLOCK = 128  # patients that a thread fetches at a time
MOST_LESIONS = 4096 * 4**5  # of one patient; 0.5 GB
FIRST_ROOM = 4096  # lesions that a patient may have before the workspace grows
YEAR = to_internal("1 year", "h")


def key_of(seed: int) -> np.uint64:
    """The key of all random numbers of a cohort; the arm is no part of it."""
    return np.uint64(int.from_bytes(hashlib.blake2b(f"{seed}/cohort".encode(), digest_size=8).digest(), "little"))


def readout_times(years: float, every: str) -> Real:
    """Times of readouts in h, from diagnosis to the end of follow-up."""
    step = to_internal(every, "h")
    if step <= 0.0:
        raise StudyError(f"Readouts every {every}; the interval must be above 0.")
    times: Real = step * np.arange(math.floor(years * YEAR / step + 1e-9) + 1, dtype=np.float64)
    return times


def live(
    cohort: Cohort, arm: CohortArm, first: int, count: int, years: float, seed: int, threads: int, times: Real
) -> ArmRecord:
    """Live patients of one arm. No check of the definition; see `Cohort.check`."""
    population, disease, organs = cohort.population(), cohort.disease(), cohort.organs()
    schedule, key = cohort.schedule(arm, years), key_of(seed)
    outcomes = np.empty((count, len(COLUMNS)))
    seen = np.empty((count, organs.share.size))
    series = np.empty((count, times.size, len(SERIES)))
    blocks = itertools.count()

    def work() -> None:
        capacity = FIRST_ROOM
        lesions, active = room(capacity)
        for block in blocks:
            begin, end = block * BLOCK, min((block + 1) * BLOCK, count)
            if begin >= count:
                return
            while begin < end:
                begin, status = patients(
                    begin, end, first, key, population, disease, organs, schedule, times, lesions, active, outcomes, seen,
                    series,
                )  # fmt: skip
                if status == INELIGIBLE:
                    raise StudyError(
                        f"None of {MOST_ATTEMPTS:,} patients drawn for number {first + begin} is eligible; widen the "
                        f"eligibility ({cohort.eligibility}) or change the distributions."
                    )
                if status == OVERFLOW:
                    capacity *= 4
                    if capacity > MOST_LESIONS:
                        raise StudyError(
                            f"Patient {first + begin} would have more than {MOST_LESIONS:,} metastases; lower founding_rate or "
                            "founding_log_sd, or without treatment all_generations."
                        )
                    lesions, active = room(capacity)

    with ThreadPoolExecutor(max(threads - 1, 1)) as others:
        helping = [others.submit(work) for _ in range(threads - 1)]
        work()
        for one in helping:
            one.result()
    return ArmRecord(arm=arm, outcomes=outcomes, seen=seen, series=series)


def run_cohort(
    cohort: Cohort, arms: tuple[CohortArm, ...], count: int, years: float, seed: int, threads: int, first: int
) -> CohortResult:
    """See `Cohort.run`."""
    if not arms:
        raise StudyError("A cohort needs an arm; give CohortArm(name=...) with its treatments.")
    cohort.check(arms, count, years)
    times = readout_times(years, "1 year")
    records = tuple(live(cohort, arm, first, count, years, seed, threads, times) for arm in arms)
    return CohortResult(cohort=cohort, years=years, seed=seed, first=first, times=times, records=records)


def outcomes_block(
    cohort: Cohort, arm: CohortArm, first: int, count: int, *, years: float, seed: int
) -> dict[str, Real]:
    """See `Cohort.outcomes_block`."""
    cohort.check((arm,), count, years)
    record = live(cohort, arm, first, count, years, seed, 1, np.empty(0))
    block = {name: record.outcomes[:, i] for i, name in enumerate(COLUMNS)}
    return block | {f"seen in {site}": record.seen[:, i] for i, site in enumerate(cohort.sites)}


def _alive_only(values: Real, alive: Real) -> Iterator[tuple[str, Real]]:
    for i, name in enumerate(SERIES):
        yield name, values[:, :, i] if name == "alive" else np.where(alive > 0.0, values[:, :, i], np.nan)


def series_block(
    cohort: Cohort, arm: CohortArm, first: int, count: int, *, every: str, years: float, seed: int
) -> dict[str, Real]:
    """See `Cohort.series_block`; nan where the patient is dead."""
    cohort.check((arm,), count, years)
    times = readout_times(years, every)
    record = live(cohort, arm, first, count, years, seed, 1, times)
    return {"time": times} | dict(_alive_only(record.series, record.series[:, :, 0]))
