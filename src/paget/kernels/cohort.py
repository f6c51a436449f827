"""Patients of a cohort, each from the first cell of the primary tumour to relapse and death, without a time step.

A patient is drawn, and drawn again until eligible at diagnosis (time 0), by nothing that an arm could change. Metastases are
founded by Poisson processes of intensity founding x^exponent in the size x of the primary, thinned from processes that no arm
changes either, so that arms share their lesions. From knot to knot of the schedule of an arm lesions are carried as told in
`cohort_lesions`. Random numbers belong to (key, patient, lesion), so blocks of patients may run in any order on any thread.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from paget.kernels.branching import normal, poisson
from paget.kernels.cohort_burden import carry, death_by_cancer, dormant_at, keep_followed, primary_at, propose
from paget.kernels.cohort_lesions import (
    LARGE,
    LESION,
    NEVER,
    PENDING,
    SMALL,
    Disease,
    Organs,
    Spell,
    detect,
    pulse,
    settle,
    size_at,
)
from paget.kernels.compile import kernel
from paget.kernels.growth import grown, specific, time_to
from paget.kernels.streams import draw_exponential, open_stream

__all__ = ["COLUMNS", "INELIGIBLE", "OVERFLOW", "SERIES", "TRAITS", "Population", "Schedule", "patients", "room"]

Real = NDArray[np.float64]
Whole = NDArray[np.int64]
Rows = NDArray[np.void]
Word = np.uint64

# Columns of the outcomes; times in h from diagnosis, nan where there was none.
COLUMNS = (
    "relapse",  # first metastasis seen
    "distant",  # first distant metastasis seen
    "death",
    "cause",  # 0 alive, 1 cancer, 2 other
    "organ",  # of the first relapse, -1 if none
    "founded",  # cells that landed and could found a metastasis, while the patient lived
    "dormant",  # dormant cells at the end of life or of follow-up
    "awoken",
    "present",  # metastases of cycling cells then
    "nodes",
    "size",  # of the primary at diagnosis, cells
    "removed",  # of the primary at resection, cells; nan where not resected
    "age",
    "growth",  # of the primary, rate of its law
    "founding",  # coefficient
    "cells",  # of all metastases at the end of life or of follow-up
    "attempts",  # patients drawn before this one was eligible
)
SERIES = ("alive", "primary", "burden", "metastases", "visible", "dormant")
TRAITS = 6
OVERFLOW, INELIGIBLE, SPREAD = 1, 2, 3
MOST_ATTEMPTS = 1_000_000

_ATTEMPT = np.uint64(40)  # bits of a patient's number below those of the attempt
_LARGEST_LOG = 700.0


class Schedule(NamedTuple):
    """What an arm does, between knots `at` [k + 1] in h from diagnosis; the other arrays are [k].

    growth, awakening, founding : factors; kill, dormant_kill : 1/h, of cycling and of dormant cells
    dose, dormant_dose : natural logarithm of the cells killed by a dose at the knot
    of_primary_* : the same for the primary, which drugs in blood and drugs injected into it reach
    window : number of the window of founding that begins at the knot (1, 2, ...) or 0; until : its end
    resection : h, inf for never; every : h between visits, 0 where detection is continuous
    """

    at: Real
    growth: Real
    kill: Real
    awakening: Real
    dormant_kill: Real
    founding: Real
    dose: Real
    dormant_dose: Real
    of_primary_growth: Real
    of_primary_kill: Real
    of_primary_dose: Real
    window: Whole
    until: Real
    resection: float
    every: float


class Population(NamedTuple):
    """How patients differ, and who is eligible; times in h, sizes in cells, logarithms natural, *_sd of logarithms.

    rate : of growth of the median primary, lesion_ratio : of lesions to it; founding : coefficient of the median
    size : log of the cells at diagnosis; nodes : log of the mean number at the median size, nodes_exponent : its slope on the
    log of the size, and nodes_capacity the mean that it cannot exceed; mortality at age 0, rising by `ageing`
    tie : lower triangle that makes the traits of a patient correlated, [TRAITS, TRAITS]
    """

    rate: float
    growth_sd: float
    lesion_ratio: float
    founding: float
    founding_sd: float
    waking: float
    waking_sd: float
    size: float
    size_sd: float
    nodes: float
    nodes_exponent: float
    nodes_sd: float
    nodes_capacity: float
    sensitivity_sd: float
    age: float
    age_sd: float
    youngest: float
    oldest: float
    mortality: float
    ageing: float
    smallest: float
    largest: float
    fewest_nodes: float
    most_nodes: float
    unspread: int
    tie: Real


def room(capacity: int) -> tuple[NDArray[np.void], Whole]:
    """Workspace for the lesions of one patient at a time, and for the list of those still to be followed."""
    return np.zeros(capacity, LESION), np.zeros(capacity, np.int64)


@kernel
def _traits(stream: Word, increment: Word, population: Population) -> tuple[Word, Real]:
    """Standard normal traits of a patient, correlated: size, growth, founding, nodes, awakening, sensitivity."""
    free, tied = np.empty(TRAITS), np.zeros(TRAITS)
    for i in range(TRAITS):
        stream, free[i] = normal(stream, increment)
    for i in range(TRAITS):
        for j in range(i + 1):
            tied[i] += population.tie[i, j] * free[j]
    return stream, tied


@kernel
def _write_series(
    row: Real,
    lesions: Rows,
    active: Whole,
    count: Whole,
    when: float,
    primary: float,
    spell: Spell,
    disease: Disease,
) -> None:
    """One readout of a living patient, in the order of SERIES."""
    row[:] = 0.0
    row[0], row[1] = 1.0, primary
    for j in range(count[1]):
        lesion = lesions[active[j]]
        if dormant_at(lesion, when):
            row[5] += 1.0
        elif lesion.status == LARGE or lesion.status == SMALL:
            cells = size_at(lesion, when, spell, disease)
            row[2] += cells
            row[3] += cells > 0.0
            row[4] += lesion.seen <= when


@kernel
def _write_outcome(
    row: Real, seen: Real, lesions: Rows, count: Whole, stop: float, spell: Spell, disease: Disease, organs: Organs
) -> None:
    """What became of the lesions by the end of life or of follow-up."""
    first, distant = NEVER, NEVER
    row[4] = -1.0
    row[5:9] = 0.0
    row[15] = 0.0
    seen[:] = 0.0
    for i in range(count[0]):
        lesion = lesions[i]
        if lesion.status == PENDING or lesion.birth > stop:
            continue
        row[5] += 1.0
        row[7] += lesion.woke <= stop
        if lesion.seen <= stop:
            seen[lesion.organ] += 1.0
            if lesion.seen < first:
                first, row[4] = lesion.seen, lesion.organ
            if organs.distant[lesion.organ]:
                distant = min(distant, lesion.seen)
        if dormant_at(lesion, stop):
            row[6] += 1.0
        elif lesion.gone > stop:
            row[8] += 1.0
            row[15] += size_at(lesion, stop, spell, disease)
    row[0] = first if first < NEVER else np.nan
    row[1] = distant if distant < NEVER else np.nan


@kernel
def _draw(
    row: Real, key: Word, patient: Word, population: Population, disease: Disease
) -> tuple[bool, float, float, float]:
    """Draw what a patient is; returns whether that is eligible, the time of death of other causes, waking and sensitivity."""
    stream, increment = open_stream(key, patient, 0)
    stream, z = _traits(stream, increment, population)
    size = np.exp(population.size + population.size_sd * z[0])
    if not population.smallest < size <= population.largest or size >= min(disease.limit, disease.lethal):
        return False, 0.0, 0.0, 0.0
    mean = np.exp(population.nodes + population.nodes_exponent * population.size_sd * z[0] + population.nodes_sd * z[3])
    mean = -population.nodes_capacity * np.expm1(
        -mean / population.nodes_capacity
    )  # as many as there are can be positive
    stream, nodes = poisson(mean, stream, increment)
    if not population.fewest_nodes <= nodes <= population.most_nodes:
        return False, 0.0, 0.0, 0.0
    while True:
        stream, x = normal(stream, increment)
        age = population.age + population.age_sd * x
        if population.youngest <= age <= population.oldest:
            break
    stream, due = draw_exponential(stream, increment)
    hazard = population.mortality * np.exp(population.ageing * age)
    other = due / hazard if hazard > 0.0 else NEVER
    if population.ageing > 0.0 and hazard > 0.0:
        other = np.log1p(population.ageing * other) / population.ageing
    row[9], row[10], row[12] = nodes, size, age
    row[13] = population.rate * np.exp(population.growth_sd * z[1])
    row[14] = population.founding * np.exp(population.founding_sd * z[2])
    waking = population.waking * np.exp(population.waking_sd * z[4])
    return True, other, waking, np.exp(population.sensitivity_sd * z[5])


@kernel
def _past(
    row: Real,
    lesions: Rows,
    active: Whole,
    count: Whole,
    key: Word,
    patient: Word,
    waking: float,
    lesion_rate: float,
    disease: Disease,
    organs: Organs,
) -> int:
    """From the first cell of the primary to diagnosis; returns 0, OVERFLOW, or SPREAD if a metastasis could be seen by then."""
    size, rate, founding = row[10], row[13], row[14]
    count[:] = 0
    begin = -time_to(disease.law, 1.0, size, rate, disease.limit, disease.power, 0.0)
    slope = specific(disease.law, size, rate, disease.limit, disease.power)
    spell = Spell(1.0, 0.0, waking, 0.0)
    if not propose(
        lesions, active, count, key, patient, 1, begin, 0.0, size, slope, lesion_rate, founding, disease, organs
    ):
        return OVERFLOW
    if not carry(
        lesions,
        active,
        count,
        begin,
        0.0,
        1.0,
        rate,
        lesion_rate,
        spell,
        spell,
        disease,
        organs,
        key,
        patient,
        founding,
    ):
        return OVERFLOW
    spread = 0
    for j in range(count[1]):
        lesion = lesions[active[j]]
        settle(lesion, 0.0, spell, disease)
        if lesion.status == LARGE and lesion.cells >= organs.visible[lesion.organ]:
            lesion.seen = 0.0
            spread = SPREAD
    keep_followed(lesions, active, count)
    return spread


@kernel
def _bound(size: float, rate: float, begin: float, end: float, disease: Disease) -> tuple[float, float]:
    """Value at `end` and slope of a line above the logarithm of the primary that nobody treats, and who lives."""
    untreated = grown(disease.law, size, begin, rate, disease.limit, disease.power, 0.0)
    slope = specific(disease.law, untreated, rate, disease.limit, disease.power) if untreated < disease.limit else 0.0
    last = untreated * np.exp(min(slope * (end - begin), _LARGEST_LOG))
    return (last, slope) if last <= disease.lethal else (disease.lethal, 0.0)


@kernel
def _one(
    row: Real,
    seen: Real,
    series: Real,
    times: Real,
    key: Word,
    number: int,
    population: Population,
    disease: Disease,
    organs: Organs,
    schedule: Schedule,
    lesions: Rows,
    active: Whole,
    sums: Real,
) -> int:
    """Live one patient; returns 0, OVERFLOW or INELIGIBLE."""
    count = np.zeros(2, np.int64)  # lesions, and those still followed
    patient, other, waking, sensitivity, attempt = np.uint64(number), 0.0, 0.0, 0.0, 0
    while True:
        if attempt == MOST_ATTEMPTS:
            return INELIGIBLE
        patient = np.uint64(number) | (np.uint64(attempt) << _ATTEMPT)
        attempt += 1
        eligible, other, waking, sensitivity = _draw(row, key, patient, population, disease)
        if eligible:
            lesion_rate = row[13] * population.lesion_ratio
            status = _past(row, lesions, active, count, key, patient, waking, lesion_rate, disease, organs)
            if status == OVERFLOW:
                return OVERFLOW
            if status == 0 or not population.unspread:
                break

    size, rate, founding = row[10], row[13], row[14]
    lesion_rate = rate * population.lesion_ratio
    primary, death, readout = size, NEVER, 0
    row[11] = np.nan
    series[:, :] = 0.0
    spell = Spell(1.0, 0.0, waking, 0.0)
    for k in range(schedule.growth.size):
        begin, end = schedule.at[k], schedule.at[k + 1]
        kill, dormant_kill = schedule.kill[k] * sensitivity, schedule.dormant_kill[k] * sensitivity
        spell = Spell(schedule.growth[k], kill, waking * schedule.awakening[k], dormant_kill)
        of_primary = Spell(schedule.of_primary_growth[k], schedule.of_primary_kill[k] * sensitivity, 0.0, 0.0)
        if begin >= schedule.resection and primary > 0.0:
            row[11], primary = primary, 0.0
        primary *= np.exp(-schedule.of_primary_dose[k] * sensitivity)
        if schedule.dose[k] > 0.0 or schedule.dormant_dose[k] > 0.0:
            for j in range(count[1]):
                lesion = lesions[active[j]]
                pulse(lesion, begin, schedule.dose[k] * sensitivity, schedule.dormant_dose[k] * sensitivity, disease)
        if schedule.window[k] > 0 and begin < schedule.resection:
            last, slope = _bound(size, rate, begin, schedule.until[k], disease)
            window = 1 + schedule.window[k]
            if not propose(
                lesions, active, count, key, patient, window, begin, schedule.until[k], last, slope, lesion_rate, founding,
                disease, organs,
            ):  # fmt: skip
                return OVERFLOW
        held = schedule.founding[k]
        if held < 1.0:  # a candidate needs a primary so much larger
            for j in range(count[1]):
                lesion = lesions[active[j]]
                if lesion.status == PENDING and lesion.birth < end:
                    lesion.cells = lesion.cells / held ** (1.0 / disease.exponent) if held > 0.0 else NEVER
        if not carry(
            lesions, active, count, begin, end, primary, rate, lesion_rate, of_primary, spell, disease, organs, key,
            patient, founding * held,
        ):  # fmt: skip
            return OVERFLOW
        death = death_by_cancer(
            lesions, active, count, begin, end, primary, rate, of_primary, spell, disease, organs, sums
        )
        alive_until = min(end, death, other)
        for j in range(count[1]):
            lesion = lesions[active[j]]
            detect(lesion, alive_until, spell, disease, organs.visible[lesion.organ], schedule.every)
        while readout < times.size and times[readout] <= end:
            when = times[readout]
            if when < min(death, other):
                now = primary_at(primary, when - begin, rate, of_primary, disease)
                _write_series(series[readout], lesions, active, count, when, now, spell, disease)
            readout += 1
        if min(death, other) <= end:
            break
        primary = primary_at(primary, end - begin, rate, of_primary, disease)
        for j in range(count[1]):
            settle(lesions[active[j]], end, spell, disease)
        keep_followed(lesions, active, count)
    stop = min(death, other, schedule.at[schedule.at.size - 1])
    _write_outcome(row, seen, lesions, count, stop, spell, disease, organs)
    row[2], row[3] = np.nan, 0.0
    if min(death, other) <= stop:
        row[2], row[3] = stop, (1.0 if death <= other else 2.0)
    row[16] = attempt - 1
    return 0


@kernel
def patients(
    begin: int,
    end: int,
    first: int,
    key: Word,
    population: Population,
    disease: Disease,
    organs: Organs,
    schedule: Schedule,
    times: Real,
    lesions: Rows,
    active: Whole,
    outcomes: Real,
    seen: Real,
    series: Real,
) -> tuple[int, int]:
    """Live patients ``first + begin`` to before ``first + end``; returns the row reached and 0, OVERFLOW or INELIGIBLE.

    outcomes [n, len(COLUMNS)], seen [n, organs] (metastases seen), series [n, times, len(SERIES)] : rows from begin to end are
    written; times : readouts in h, rising; lesions, active : workspace, of this thread alone
    """
    sums = np.empty(organs.share.size)
    for i in range(begin, end):
        status = _one(
            outcomes[i], seen[i], series[i], times, key, first + i, population, disease, organs, schedule, lesions, active,
            sums,
        )  # fmt: skip
        if status != 0:
            return i, status
    return end, 0
