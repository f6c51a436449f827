"""Lesions of one patient, from the founding cell to what imaging sees, event by event through a treatment.

Between two knots of a schedule the rates stay, so that nothing is stepped: a dormant cell spends budgets of hazard, a small
lesion leaps by the exact birth-death process, and a large one follows its growth law in closed form. Budgets and streams
belong to the lesion, so that the same lesion meets every arm with the same luck.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from paget.kernels.branching import binomial, gamma, negative_binomial, normal, poisson
from paget.kernels.compile import kernel
from paget.kernels.growth import EXPONENTIAL, grown, specific, time_to
from paget.kernels.streams import draw_exponential, draw_uniform, open_stream

__all__ = [
    "DORMANT",
    "GONE",
    "LARGE",
    "LESION",
    "PENDING",
    "SMALL",
    "Disease",
    "Organs",
    "Spell",
    "advance",
    "detect",
    "found",
    "pulse",
    "settle",
    "shed",
    "size_at",
    "start",
]

Real = NDArray[np.float64]
Whole = NDArray[np.int64]
Ids = NDArray[np.uint64]
Word = np.uint64

PENDING, DORMANT, SMALL, LARGE, GONE = 0, 1, 2, 3, 4
NEVER = np.inf

_LONGEST_FOLD = np.log(2.0)  # by which a small lesion may grow or shrink in one leap where its law is not exponential
_OVERSHOOT = 2.0  # leaps aim at this many times the size at which they end, so that few are needed
_30, _27, _31, _1 = (np.uint64(i) for i in (30, 27, 31, 1))
_M1, _M2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_OF_LESIONS = np.uint64(0x4000000000000000)  # marks the steps of lesions of lesions, apart from all others
_STEPS = np.uint64(0x7FFFFFFFFFFFFFFF)


class Disease(NamedTuple):
    """What is common to all tumours; times in h, sizes in cells.

    law, limit, power : of growth; exact_below : cells under which lesions leap; turnover : deaths per division in lesions
    shortcut : 1 for survival and a random head start at once; lesion_sd : of the log of the rate between lesions of a patient
    exponent : a tumour of x cells founds nu x^exponent lesions per h; spreading : 1 if metastases do too
    """

    law: int
    limit: float
    power: float
    exact_below: float
    turnover: float
    shortcut: int
    lesion_sd: float
    exponent: float
    spreading: int
    dormant_share: float
    stages: int
    dormant_death: float
    lethal: float


class Organs(NamedTuple):
    """Where lesions land, when they are seen and when they kill, [organs] each.

    share : cumulative; visible, lethal : cells; distant : 1 for metastases that count as distant
    """

    share: Real
    visible: Real
    lethal: Real
    distant: Whole


class Spell(NamedTuple):
    """Rates between two knots: factors on growth, on awakening; losses of cycling and dormant cells in 1/h."""

    growth: float
    kill: float
    waking: float
    dormant_kill: float


# A lesion: its number and stream; where and what it is; `cells` at the time `since`, in h; `rate` of its growth law; `doze` and
# `life`, the hazard left until a dormant cell awakes and until it dies; when it awoke, was gone, was first seen, inf if never.
LESION = np.dtype(
    [(name, np.uint64) for name in ("identity", "stream", "increment")]
    + [(name, np.int64) for name in ("organ", "status", "children")]
    + [(name, np.float64) for name in ("birth", "since", "cells", "rate", "doze", "life", "woke", "gone", "seen")]
)


@kernel
def _mix(mother: Word, child: int) -> Word:
    """The step of a lesion's lesion: a hash of its mother's and its number among her children."""
    word = mother + _GOLDEN * (np.uint64(child) + _1)
    word = (word ^ (word >> _30)) * _M1
    word = (word ^ (word >> _27)) * _M2
    return ((word ^ (word >> _31)) & _STEPS) | _OF_LESIONS


@kernel
def found(lesion: Any, key: Word, patient: Word, identity: Word, rate: float, disease: Disease, organs: Organs) -> None:
    """Open the stream of lesion i and draw all that belongs to it; its birth and mark are the caller's, who draws them next."""
    stream, increment = open_stream(key, patient, identity)  # type: ignore[arg-type]  # all 64 bits name a lesion
    stream, where = draw_uniform(stream, increment)
    stream, z = normal(stream, increment)
    stream, sleep = draw_uniform(stream, increment)
    doze = 0.0
    for _ in range(disease.stages):
        stream, more = draw_exponential(stream, increment)
        doze += more
    stream, life = draw_exponential(stream, increment)
    organ = 0
    while organ < organs.share.size - 1 and where >= organs.share[organ]:
        organ += 1
    lesion.identity, lesion.organ = identity, organ
    lesion.rate = rate * np.exp(disease.lesion_sd * z)
    lesion.doze = doze if sleep < disease.dormant_share else 0.0
    lesion.life = life
    lesion.children, lesion.status = 0, PENDING
    lesion.woke, lesion.gone, lesion.seen = NEVER, NEVER, NEVER
    lesion.stream, lesion.increment = stream, increment


@kernel
def start(lesion: Any, when: float, cells: float, disease: Disease) -> None:
    """Let a whole number of cycling cells grow on from a time: as a small lesion, or by the shortcut."""
    lesion.since, lesion.cells = when, cells
    if cells <= 0.0:
        lesion.status, lesion.gone = GONE, when
    elif disease.shortcut:
        stream, increment = lesion.stream, lesion.increment
        stream, lasting = binomial(cells, 1.0 - disease.turnover, stream, increment)
        if lasting > 0.0:
            stream, scale = gamma(lasting, stream, increment)
            lesion.cells, lesion.status = scale / (1.0 - disease.turnover), LARGE
        else:
            lesion.status, lesion.gone = GONE, when
        lesion.stream = stream
    else:
        lesion.status = LARGE if cells >= disease.exact_below else SMALL


@kernel
def size_at(lesion: Any, when: float, spell: Spell, disease: Disease) -> float:
    """Cells of a lesion at a time not before its last event; those of a small one are as they were at that event."""
    if lesion.status == SMALL:
        return float(lesion.cells)
    if lesion.status != LARGE or when < lesion.since:
        return 0.0
    rate = lesion.rate * spell.growth
    return grown(disease.law, lesion.cells, when - lesion.since, rate, disease.limit, disease.power, spell.kill)


@kernel
def _offspring(
    cells: float, birth: float, death: float, dt: float, stream: Word, increment: Word
) -> tuple[Word, float]:
    """Cells that a whole number of cells become by birth and death in `dt` h, drawn exactly (see `branching`)."""
    net = birth - death
    more = np.expm1(net * dt)
    each = dt if more == 0.0 else more / net
    stream, lines = binomial(cells, (1.0 + more) / (1.0 + birth * each), stream, increment)
    stream, further = negative_binomial(lines, birth * each, stream, increment)
    return stream, lines + further


@kernel
def _leap_on(lesion: Any, end: float, spell: Spell, disease: Disease, stop: float) -> None:
    """Leap from event to event until the lesion has `stop` cells, or is gone, or time is up."""
    stream, increment = lesion.stream, lesion.increment
    now, cells = lesion.since, lesion.cells
    rate = lesion.rate * spell.growth
    while now < end and 0.0 < cells < stop:
        at = cells if disease.law == EXPONENTIAL else cells * np.sqrt(2.0)
        divisions = specific(disease.law, at, rate, disease.limit, disease.power) / (1.0 - disease.turnover)
        deaths = divisions * disease.turnover + spell.kill
        net = divisions - deaths
        dt = end - now
        if net > 0.0:
            dt = min(dt, np.log(_OVERSHOOT * disease.exact_below / min(cells, disease.exact_below)) / net)
        if disease.law != EXPONENTIAL and net != 0.0:
            dt = min(dt, _LONGEST_FOLD / abs(net))
        stream, cells = _offspring(cells, divisions, deaths, dt, stream, increment)
        now = end if now + dt >= end else now + dt
    lesion.stream, lesion.since, lesion.cells = stream, now, cells
    if cells <= 0.0:
        lesion.status, lesion.gone = GONE, now
    else:
        lesion.status = LARGE if cells >= disease.exact_below else SMALL


@kernel
def advance(lesion: Any, end: float, spell: Spell, disease: Disease) -> None:
    """Carry a lesion to `end`, or to the time before at which it becomes large, from where its law carries it.

    A large lesion that treatment takes below `exact_below` leaves the law at the start of the spell and leaps.
    """
    if lesion.status == DORMANT:
        now = lesion.since
        waking, dying = spell.waking, disease.dormant_death + spell.dormant_kill
        until_awake = lesion.doze / waking if waking > 0.0 else NEVER
        until_death = lesion.life / dying if dying > 0.0 else NEVER
        if min(until_awake, until_death) >= end - now:
            lesion.doze -= waking * (end - now)
            lesion.life -= dying * (end - now)
            lesion.since = end
        elif until_death <= until_awake:
            lesion.status, lesion.gone = GONE, now + until_death
        else:
            lesion.woke = now + until_awake
            start(lesion, now + until_awake, 1.0, disease)
    if lesion.status == SMALL:
        _leap_on(lesion, end, spell, disease, disease.exact_below)
    elif lesion.status == LARGE and not disease.shortcut:
        rate = lesion.rate * spell.growth
        if specific(disease.law, lesion.cells, rate, disease.limit, disease.power) < spell.kill and (
            size_at(lesion, end, spell, disease) < disease.exact_below
        ):
            lesion.cells = np.floor(lesion.cells + 0.5)
            _leap_on(lesion, end, spell, disease, NEVER)


@kernel
def settle(lesion: Any, end: float, spell: Spell, disease: Disease) -> None:
    """Move what is known of a large lesion to the end of the spell, where rates change."""
    if lesion.status == LARGE and lesion.since < end:
        lesion.cells = size_at(lesion, end, spell, disease)
        lesion.since = end
        if disease.shortcut and lesion.cells < 0.5 and spell.kill > 0.0:
            lesion.status, lesion.gone = GONE, end


@kernel
def pulse(lesion: Any, when: float, kill: float, dormant_kill: float, disease: Disease) -> None:
    """A dose: each cycling cell survives with the chance e^-kill; a dormant cell loses `dormant_kill` of its budget of life."""
    if lesion.status == DORMANT:
        lesion.life -= dormant_kill
        if lesion.life <= 0.0:
            lesion.status, lesion.gone = GONE, when
    elif kill > 0.0 and (lesion.status == SMALL or lesion.status == LARGE):
        survive = np.exp(-kill)
        if lesion.cells * survive >= disease.exact_below:
            lesion.cells *= survive
        else:
            stream, left = binomial(max(np.floor(lesion.cells + 0.5), 1.0), survive, lesion.stream, lesion.increment)
            lesion.stream = stream
            start(lesion, when, left, disease)


@kernel
def detect(lesion: Any, end: float, spell: Spell, disease: Disease, threshold: float, every: float) -> None:
    """Note when a large lesion is first seen: when it reaches the threshold, or at the next visit that finds it there."""
    if lesion.status != LARGE or lesion.seen < NEVER:
        return
    reached = lesion.since
    if lesion.cells < threshold:
        rate = lesion.rate * spell.growth
        reached += time_to(disease.law, lesion.cells, threshold, rate, disease.limit, disease.power, spell.kill)
    if every > 0.0 and reached < NEVER:
        reached = np.ceil(reached / every) * every
        if reached <= end and size_at(lesion, reached, spell, disease) < threshold:
            return
    if reached <= end:
        lesion.seen = reached


@kernel
def shed(
    lesions: NDArray[np.void],
    n: int,
    lesion: Any,
    end: float,
    spell: Spell,
    disease: Disease,
    organs: Organs,
    key: Word,
    patient: Word,
    mean_rate: float,
    founding: float,
) -> int:
    """Lesions that a large lesion founds until `end`, appended; returns how many there are then, or -1 if they are too many.

    A Poisson process of intensity founding x^exponent, by thinning of one whose logarithm is linear: size is log-concave in
    time while it grows, under the tangent at the end, and log-convex while it shrinks, under the chord. Exact for any law.
    """
    if lesion.status != LARGE or founding <= 0.0:
        return n
    begin, size = lesion.since, lesion.cells
    rate = lesion.rate * spell.growth
    alone = time_to(disease.law, size, disease.lethal, rate, disease.limit, disease.power, spell.kill)
    end = min(end, begin + alone)  # nobody lives longer
    span = end - begin
    last = size_at(lesion, end, spell, disease)
    if span <= 0.0 or last <= 0.0:
        return n
    slope = np.log(last / size) / span
    if slope > 0.0:
        slope = specific(disease.law, last, rate, disease.limit, disease.power) - spell.kill
    stream, increment = lesion.stream, lesion.increment
    steep = disease.exponent * slope
    area = span if steep * span == 0.0 else -np.expm1(-steep * span) / steep
    top = founding * last**disease.exponent
    stream, proposals = poisson(top * area, stream, increment)
    if n + proposals > lesions.size:
        return -1
    for _ in range(int(proposals)):
        stream, u = draw_uniform(stream, increment)
        stream, mark = draw_uniform(stream, increment)
        back = u * span if steep * span == 0.0 else -np.log1p(-u * steep * area) / steep
        when = end - back
        share = size_at(lesion, when, spell, disease) / (last * np.exp(-slope * back))
        if mark < share**disease.exponent and when > begin:
            found(lesions[n], key, patient, _mix(lesion.identity, lesion.children), mean_rate, disease, organs)
            lesions[n].birth = when
            lesions[n].cells = -1.0  # accepted already
            lesion.children += 1
            n += 1
    lesion.stream = stream
    return n
