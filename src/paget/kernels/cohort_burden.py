"""All tumours of one patient through a spell in which rates stay: who founds metastases, and when the burden kills.

Workspace: lesions [capacity] in the order of founding; active, the indices of those still to be followed; count, the number of
lesions and of the active.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from paget.kernels.branching import poisson
from paget.kernels.cohort_lesions import (
    DORMANT,
    GONE,
    LARGE,
    NEVER,
    PENDING,
    SMALL,
    Disease,
    Organs,
    Spell,
    advance,
    found,
    shed,
    size_at,
    start,
)
from paget.kernels.compile import kernel
from paget.kernels.growth import grown
from paget.kernels.streams import draw_uniform, open_stream

__all__ = ["carry", "death_by_cancer", "dormant_at", "keep_followed", "primary_at", "propose"]

Real = NDArray[np.float64]
Whole = NDArray[np.int64]
Rows = NDArray[np.void]
Word = np.uint64

WINDOW_BITS = 32  # bits of a lesion's number below those of its window of time
_CLOSE = 1e-3  # h, to which the time of death is found


@kernel
def propose(
    lesions: Rows,
    active: Whole,
    count: Whole,
    key: Word,
    patient: Word,
    window: int,
    begin: float,
    end: float,
    last: float,
    slope: float,
    rate: float,
    founding: float,
    disease: Disease,
    organs: Organs,
) -> bool:
    """List the candidates of one window under the bound ``last exp(slope (t - end))`` of the primary; False if they do not fit.

    A candidate is founded if the primary at its birth is not below its mark, which `cells` holds until then.
    """
    span = end - begin
    first = np.uint64(window) << np.uint64(WINDOW_BITS)
    stream, increment = open_stream(key, patient, window << WINDOW_BITS)
    steep = disease.exponent * slope
    area = span if steep * span == 0.0 else -np.expm1(-steep * span) / steep
    stream, proposals = poisson(founding * last**disease.exponent * area, stream, increment)
    if count[0] + proposals > lesions.size:
        return False
    for j in range(int(proposals)):
        lesion = lesions[count[0]]
        found(lesion, key, patient, first + np.uint64(1 + j), rate, disease, organs)
        stream, increment = lesion.stream, lesion.increment
        stream, u = draw_uniform(stream, increment)
        stream, mark = draw_uniform(stream, increment)
        back = u * span if steep * span == 0.0 else -np.log1p(-u * steep * area) / steep
        lesion.stream = stream
        lesion.birth = end - back
        lesion.cells = mark ** (1.0 / disease.exponent) * last * np.exp(-slope * back)
        active[count[1]] = count[0]
        count[0] += 1
        count[1] += 1
    return True


@kernel
def _land(lesion: Any, primary: float, disease: Disease) -> None:
    """Found a candidate or drop it, by its mark; what it starts as was drawn with it."""
    if lesion.cells > primary:
        lesion.status = GONE
        lesion.birth = NEVER
    elif lesion.doze > 0.0:
        lesion.status, lesion.since, lesion.cells = DORMANT, lesion.birth, 0.0
    else:
        start(lesion, lesion.birth, 1.0, disease)


@kernel
def keep_followed(lesions: Rows, active: Whole, count: Whole) -> None:
    """Strike from the list the lesions that are gone, keeping the order."""
    kept = 0
    for j in range(count[1]):
        if lesions[active[j]].status != GONE:
            active[kept] = active[j]
            kept += 1
    count[1] = kept


@kernel
def primary_at(size: float, dt: float, rate: float, spell: Spell, disease: Disease) -> float:
    """The primary, some time after the start of a spell."""
    return grown(disease.law, size, dt, rate * spell.growth, disease.limit, disease.power, spell.kill)


@kernel
def carry(
    lesions: Rows,
    active: Whole,
    count: Whole,
    begin: float,
    end: float,
    primary: float,
    rate: float,
    lesion_rate: float,
    of_primary: Spell,
    spell: Spell,
    disease: Disease,
    organs: Organs,
    key: Word,
    patient: Word,
    founding: float,
) -> bool:
    """Carry every lesion through a spell, with those that are founded in it; False if they do not fit."""
    j = 0
    while j < count[1]:
        lesion = lesions[active[j]]
        j += 1
        if lesion.status == PENDING:
            if lesion.birth >= end:
                continue
            _land(lesion, primary_at(primary, lesion.birth - begin, rate, of_primary, disease), disease)
        advance(lesion, end, spell, disease)
        if disease.spreading:
            n = shed(lesions, count[0], lesion, end, spell, disease, organs, key, patient, lesion_rate, founding)
            if n < 0:
                return False
            while count[0] < n:
                active[count[1]] = count[0]
                count[0] += 1
                count[1] += 1
    return True


@kernel
def _burden(
    lesions: Rows,
    active: Whole,
    count: Whole,
    when: float,
    primary: float,
    spell: Spell,
    disease: Disease,
    organs: Organs,
    sums: Real,
) -> float:
    """How near the patient is to death at a time: all cells over the lethal number, or those of an organ over its own."""
    total = primary
    sums[:] = 0.0
    for j in range(count[1]):
        lesion = lesions[active[j]]
        if lesion.status == LARGE or lesion.status == SMALL:
            cells = size_at(lesion, when, spell, disease)
            sums[lesion.organ] += cells
            total += cells
    worst = total / disease.lethal
    for o in range(sums.size):
        worst = max(worst, sums[o] / organs.lethal[o])
    return worst


@kernel
def death_by_cancer(
    lesions: Rows,
    active: Whole,
    count: Whole,
    begin: float,
    end: float,
    primary: float,
    rate: float,
    of_primary: Spell,
    spell: Spell,
    disease: Disease,
    organs: Organs,
    sums: Real,
) -> float:
    """When within a spell the burden becomes lethal, by bisection; inf if it does not by its end."""
    after = primary_at(primary, end - begin, rate, of_primary, disease)
    if _burden(lesions, active, count, end, after, spell, disease, organs, sums) < 1.0:
        return NEVER
    if _burden(lesions, active, count, begin, primary, spell, disease, organs, sums) >= 1.0:
        return begin
    low, high = begin, end
    while high - low > _CLOSE:
        middle = 0.5 * (low + high)
        now = primary_at(primary, middle - begin, rate, of_primary, disease)
        if _burden(lesions, active, count, middle, now, spell, disease, organs, sums) >= 1.0:
            high = middle
        else:
            low = middle
    return high


@kernel
def dormant_at(lesion: Any, when: float) -> bool:
    """Whether a lesion is one dormant cell at a time up to that to which it was carried."""
    if lesion.doze <= 0.0 and lesion.woke == NEVER:
        return False
    return bool(lesion.birth <= when < min(lesion.woke, lesion.gone))
