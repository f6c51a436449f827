"""Lesions at sites without a tissue: founders, dormancy, awakening, growth, death and shedding, in whole cells.

A lesion has cycling and dormant cells. Founders survive their arrival or not, and fall dormant or not. Cycling cells divide at
b and die at d, the difference being the specific rate of the site's law of growth at the lesion's size; they re-enter dormancy,
are shed, and are killed by treatment. Dormant cells wake or die. Below `EXACT_BELOW` cells the numbers after a step are drawn
from the birth-death process with the rates of that step; above, they follow the law's closed form, rounded to whole cells by a
draw that keeps the mean. Every lesion draws from a stream of its own at (key, id, step), so that neither the order of lesions
nor the range in which one is computed matters.

Columns of `numbers` [sites, COLUMNS], all rates in 1/h: see the constants.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paget.kernels.branching import MOST, binomial, leap, poisson
from paget.kernels.compile import kernel
from paget.kernels.growth import EXPONENTIAL, grown, integral
from paget.kernels.streams import draw_uniform, open_stream

__all__ = ["COLUMNS", "LARGEST", "LISTED", "MOST", "advance"]

Real = NDArray[np.float64]
Whole = NDArray[np.int64]
Ids = NDArray[np.uint64]
Word = np.uint64

LAW, RATE, LIMIT, POWER = 0, 1, 2, 3  # of `paget.kernels.growth`, in cells
TURNOVER = 4  # d / b, of a growing lesion
EXACT_BELOW = 5  # cells
SURVIVAL, DORMANT = 6, 7  # share of founders that survive arrival, and share of those that fall dormant
AWAKENING, DORMANT_LOSS, REENTRY = 8, 9, 10
KILL = 11  # of cycling cells
SHEDDING, EXPONENT = 12, 13  # cells per h shed by a lesion of one cell, and power of the number of cells
LYMPH = 14  # share of what is shed that leaves by lymph
VISIBLE = 15  # cells from which a lesion can be seen
PARTY = 16  # mean cells in a shed party
COLUMNS = 17

LARGEST = 32  # cells of a shed cluster at most
LISTED = (
    64  # up to so many parties shed by a lesion in a step are listed one by one with their moments; more are counted
)
_SINGLY = 64  # dormant cells that wake in a step, up to which each has its own moment
_STRATA = 16
_FASTEST = 40.0  # folds of e in a step, beyond which any lesion would pass MOST


@kernel
def _between(first: float, last: float) -> float:
    """Mean over a step of what changes exponentially from `first` to `last`."""
    if first <= 0.0 or last <= 0.0:
        return 0.5 * (first + last)
    ratio = last / first
    return first if abs(ratio - 1.0) < 1e-8 else (last - first) / np.log(ratio)


@kernel
def _rounded(x: float, stream: Word, increment: Word) -> tuple[Word, float]:
    """A whole number that is x on average."""
    low = np.floor(x)
    stream, u = draw_uniform(stream, increment)
    return stream, low + 1.0 if u < x - low else low


@kernel
def _moment(ratio: float, u: float) -> float:
    """Share of a step after which an event falls whose rate changes exponentially over the step, by the factor `ratio`."""
    if ratio <= 0.0 or abs(ratio - 1.0) < 1e-8:
        return u
    return float(np.log1p(u * (ratio - 1.0)) / np.log(ratio))


@kernel
def _founded(
    fresh: float, survival: float, dormancy: float, stream: Word, increment: Word
) -> tuple[Word, float, float]:
    """Founders that survive their arrival, and those of them that fall dormant."""
    stream, kept = binomial(fresh, survival, stream, increment)
    stream, resting = binomial(kept, dormancy, stream, increment)
    return stream, kept, resting


@kernel
def _roused(
    resting: float, awakening: float, loss: float, span: float, stream: Word, increment: Word
) -> tuple[Word, float, float]:
    """Dormant cells that woke or died within `span` h, and those of them that woke."""
    stream, gone = binomial(resting, -np.expm1(-(awakening + loss) * span), stream, increment)
    stream, awake = binomial(gone, awakening / (awakening + loss), stream, increment)
    return stream, gone, awake


@kernel
def _divided(cells: float, sizes: Real, lymph: float, tally: Real, stream: Word, increment: Word) -> Word:
    """Divide shed cells among parties until none is left; `tally` [2, LARGEST], by medium and cells in each, is written.

    sizes : [LARGEST], cumulative shares of parties
    """
    tally[:] = 0.0
    while cells > 0.0:
        stream, u = draw_uniform(stream, increment)
        stream, v = draw_uniform(stream, increment)
        s = 0
        while u >= sizes[s]:
            s += 1
        s = min(s, int(cells) - 1)
        tally[1 if v < lymph else 0, s] += 1.0
        cells -= s + 1.0
    return stream


@kernel
def _poured(
    mean: float, most: float, sizes: Real, lymph: float, tally: Real, stream: Word, increment: Word
) -> tuple[Word, float]:
    """Draw the parties of each size when `mean` are shed on average, with at most `most` cells; returns their cells."""
    tally[:] = 0.0
    before, left = 0.0, 0.0
    for s in range(LARGEST):
        share = sizes[s] - before
        before = sizes[s]
        if share > 0.0:
            stream, parties = poisson(mean * share, stream, increment)
            parties = min(parties, np.floor((most - left) / (s + 1.0)))
            stream, drained = binomial(parties, lymph, stream, increment)
            tally[0, s], tally[1, s] = parties - drained, drained
            left += parties * (s + 1.0)
    return stream, left


@kernel
def _entered(
    row: int,
    tally: Real,
    start: float,
    span: float,
    ratio: float,
    shed: Real,
    used: int,
    stream: Word,
    increment: Word,
) -> tuple[Word, int]:
    """Write the parties of a lesion to `shed` from column `used` on, one by one if they are few; returns the columns used."""
    few = tally.sum() <= LISTED
    for medium in range(2):
        for s in range(LARGEST):
            parties = tally[medium, s]
            for _ in range(int(parties) if few else int(parties > 0.0)):
                u = 0.5
                if few:
                    stream, u = draw_uniform(stream, increment)
                shed[0, used], shed[1, used], shed[2, used] = row, s + 1.0, 1.0 if few else parties
                shed[3, used], shed[4, used] = medium, start + span * _moment(ratio, u)
                used += 1
    return stream, used


@kernel
def advance(
    begin: int,
    end: int,
    site: Whole,
    ids: Ids,
    arriving: Real,
    cycling: Real,
    dormant: Real,
    spans: Real,
    growth: Real,
    dt: float,
    numbers: Real,
    sizes: Real,
    key: Word,
    step: int,
    out: Real,
) -> Real:
    """Let lesions begin to end live to the end of a step.

    site : int64 [n]; ids : uint64 [n]
    arriving, cycling, dormant : cells [n], whole; changed in place; `arriving` are founders who decide now. Cycling cells are
        inf where there would be MOST or more
    spans : [n], h that each lesion has to live up to the end of the step, `dt` for those that were there before it
    growth : [n], factor of each lesion's rate of growth. numbers : see above
    sizes : [sites, LARGEST], cumulative shares of the parties shed, by their cells
    key : uint64; step : int64
    out : [5, n], written: cells born, died, left by shedding; h after the start of the step when the first cell of a dormant
        lesion woke, and when the lesion became large enough to be seen (both inf if not)
    Returns the shed parties [5, k]: row, cells in each, number of them, medium (0 blood, 1 lymph), and when, in h after the
    start of the step. Where a lesion shed more than LISTED, those of one size and medium are one entry, in mid-time.
    """
    shed, used = np.empty((5, 256)), 0
    tally = np.empty((2, LARGEST))
    for i in range(begin, end):
        k, span = site[i], spans[i]
        start = dt - span
        first, resting, fresh = cycling[i], dormant[i], arriving[i]
        before = first + resting
        born, died, left, woke = 0.0, 0.0, 0.0, np.inf
        stream, increment = open_stream(key, ids[i], step)
        if fresh > 0.0:
            stream, before, resting = _founded(fresh, numbers[k, SURVIVAL], numbers[k, DORMANT], stream, increment)
            died = fresh - before
            first = before - resting
            arriving[i] = 0.0

        # ---- who wakes; who falls asleep in this step wakes in the next at the earliest
        active, asleep, awake = first, resting, 0.0
        leaving = numbers[k, AWAKENING] + numbers[k, DORMANT_LOSS]
        if resting > 0.0 and leaving > 0.0:
            stream, gone, awake = _roused(
                resting, numbers[k, AWAKENING], numbers[k, DORMANT_LOSS], span, stream, increment
            )
            asleep -= gone
            died += gone - awake

        if first + awake > 0.0:
            # ---- rates of this step
            law, rate = int(numbers[k, LAW]), numbers[k, RATE] * growth[i]
            limit, power, exponent = numbers[k, LIMIT], numbers[k, POWER], numbers[k, EXPONENT]
            exact = first < numbers[k, EXACT_BELOW]
            base = first if first > 0.0 else awake
            loss = numbers[k, KILL] + numbers[k, REENTRY]
            after, net = base, rate
            if law != EXPONENTIAL or not exact:
                after = grown(law, base, span, rate, limit, power, loss)
                # The mean over the step, so that the law is kept at any step.
                net = np.log(after / base) / span + loss if after > 0.0 else 0.0
            # Above its limit a lesion shrinks, with the turnover the other way round.
            fast = abs(net) / (1.0 - numbers[k, TURNOVER])
            slow = fast * numbers[k, TURNOVER]
            birth, death = (fast, slow) if net >= 0.0 else (slow, fast)
            drift = 0.0
            if exact and numbers[k, SHEDDING] > 0.0:
                drift = numbers[k, SHEDDING]
                if exponent != 1.0:  # for each cell, on average over the step
                    grows = np.exp((net - loss) * span)
                    drift *= base ** (exponent - 1.0) * _between(1.0, grows**exponent) / _between(1.0, grows)
            out_of = death + loss + drift

            # ---- growth and loss of those who were cycling; then of those who woke, each from its moment on
            removed = 0.0
            if not exact and after < MOST:
                stream, active = _rounded(after, stream, increment)
                cells = span * _between(first, after)  # cell hours; the other flow follows, so that none is negative
                if active >= first:
                    stream, removed = _rounded((death + loss) * cells, stream, increment)
                    born = active - first + removed
                else:
                    stream, born = _rounded(birth * cells, stream, increment)
                    removed = first - active + born
            if net * span > _FASTEST or (not exact and not after < MOST):
                active = np.inf
            else:
                groups = awake if awake <= _SINGLY else float(_STRATA)
                waiting = awake
                for g in range(-1 if exact else 0, int(groups)):
                    moment, some = 0.0, first
                    if g >= 0:
                        u, some = (g + 0.5) / _STRATA, 1.0
                        if awake <= _SINGLY:
                            stream, u = draw_uniform(stream, increment)
                        else:
                            stream, some = binomial(waiting, 1.0 / (_STRATA - g), stream, increment)
                            waiting -= some
                        moment = -np.log1p(u * np.expm1(-leaving * span)) / leaving
                        if first == 0.0 and some > 0.0:
                            woke = min(woke, start + moment)
                    else:
                        active = 0.0
                    if some > 0.0:
                        stream, cells, more, fewer = leap(some, birth, out_of, span - moment, stream, increment)
                        active += cells
                        born += more
                        removed += fewer

            # ---- of the removed, who fell asleep, was shed, or died
            drifting = 0.0
            if numbers[k, REENTRY] > 0.0 and removed > 0.0:
                stream, tired = binomial(removed, numbers[k, REENTRY] / out_of, stream, increment)
                asleep += tired
                removed -= tired
                out_of -= numbers[k, REENTRY]
            if drift > 0.0 and removed > 0.0:
                stream, drifting = binomial(removed, drift / out_of, stream, increment)
                removed -= drifting
            died += removed

            # ---- shedding
            if numbers[k, SHEDDING] > 0.0 and active < MOST and (drifting > 0.0 or not exact):
                if used + 2 * LISTED > shed.shape[1]:
                    shed = np.concatenate((shed, np.empty_like(shed)), axis=1)
                if exact:
                    left, ratio = drifting, (active / base) ** exponent
                    stream = _divided(drifting, sizes[k], numbers[k, LYMPH], tally, stream, increment)
                else:
                    ratio = (after / first) ** exponent
                    mean = integral(law, first, span, rate, limit, power, loss, exponent)
                    mean *= numbers[k, SHEDDING] / numbers[k, PARTY]
                    stream, left = _poured(mean, active, sizes[k], numbers[k, LYMPH], tally, stream, increment)
                    active -= left
                stream, used = _entered(i, tally, start, span, ratio, shed, used, stream, increment)

        seen, total = np.inf, active + asleep
        if total >= numbers[k, VISIBLE] and before > 0.0:
            seen = start
            if before < numbers[k, VISIBLE]:
                seen += span * np.log(numbers[k, VISIBLE] / before) / np.log(total / before)
        cycling[i], dormant[i] = active, asleep
        out[0, i], out[1, i], out[2, i], out[3, i], out[4, i] = born, died, left, woke, seen
    return shed[:, :used]
