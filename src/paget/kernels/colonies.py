"""Trees of metastases: every lesion emits others in a Poisson process whose moments are found by inverting its own total.

A lesion of age s has emitted L(s) metastases on average, L being the integral of its rate of emission. The k-th moment of
emission is the age at which L reaches the sum of k unit exponentials, so that no step in time is made and none can be wrong.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from paget.kernels.bits import ones
from paget.kernels.compile import kernel
from paget.kernels.growth import grown
from paget.kernels.streams import draw_exponential, draw_uniform, draw_word, open_stream

__all__ = [
    "PRIMARY",
    "Inverse",
    "clone_sizes",
    "emission_age",
    "grow_trees",
    "grown_sizes",
    "lineage_of",
    "stochastic_primaries",
    "stream_of",
]

Real = NDArray[np.float64]
Whole = NDArray[np.int64]
Short = NDArray[np.int32]
Ids = NDArray[np.uint64]
Truth = NDArray[np.bool_]
Word = np.uint64

PRIMARY = np.uint64(0x5EED)  # what stands for the primary where others are known by their lineage
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_OTHER = np.uint64(0xD1B54A32D192ED03)  # keeps the numbers of a lesion apart from the lineages of its daughters
_ALTERNATE = np.uint64(0xAAAAAAAAAAAAAAAA)
_FEWEST = np.uint64(24)
_1 = np.uint64(1)
_FEW = 64


class Inverse(NamedTuple):
    """Age of a lesion at which it has emitted y metastases on average, tabulated over equal steps of ln y.

    lowest : ln y of the first node; per : nodes for each unit of ln y; top : y of the last node, beyond which no lesion lives
    first : rate of emission at age 0 in 1/h, which serves below the first node
    ages [n] in h; slopes [n] : d(age)/d(ln y) times the step of ln y
    scale : steps of `ceiling` in 1 h; ceiling [steps + 1] : emitted by the end of every step of age, by which most lesions are
        known to have no daughters without an inversion
    """

    lowest: float
    per: float
    top: float
    first: float
    ages: Real
    slopes: Real
    scale: float
    ceiling: Real


@kernel
def emission_age(y: float, inverse: Inverse) -> float:
    """Age in h at which `y` metastases have been emitted on average: Hermite's cubic between exact nodes; inf beyond them."""
    if y >= inverse.top:
        return np.inf
    place = (np.log(y) - inverse.lowest) * inverse.per
    if place <= 0.0:
        return y / inverse.first
    node = min(int(place), inverse.ages.size - 2)
    u = place - node
    v = 1.0 - u
    rise = inverse.ages[node + 1] - inverse.ages[node]
    bend = v * (inverse.slopes[node] - rise) - u * (inverse.slopes[node + 1] - rise)
    return float(inverse.ages[node] + u * (rise + v * bend))


@kernel
def lineage_of(mother: Word, child: Word) -> Word:
    """Lineage of the n-th daughter (from 1), 64 bits that stand for it and its ancestors, as SplitMix64 splits streams."""
    _, word = draw_word(mother, child * _GOLDEN)
    return word


@kernel
def stream_of(lineage: Word) -> tuple[Word, Word]:
    """State and increment of the private stream of a lesion."""
    stream, word = draw_word(lineage ^ _OTHER, _GOLDEN)
    increment = word | _1
    if ones(increment ^ (increment >> _1)) < _FEWEST:
        increment ^= _ALTERNATE
    return stream, increment


@kernel
def _age_within(y: float, age: float, inverse: Inverse) -> float:
    """As `emission_age`, but inf if it is beyond `age` h, which mostly is known without an inversion."""
    if age < 0.0 or y >= inverse.ceiling[int(min(age * inverse.scale, inverse.ceiling.size - 1.0))]:
        return np.inf
    found = emission_age(y, inverse)
    return found if found <= age else np.inf


@kernel
def _longer_real(old: Real) -> Real:
    new = np.empty(2 * old.size)
    new[: old.size] = old
    return new


@kernel
def _longer_short(old: Short) -> Short:
    new = np.empty(2 * old.size, np.int32)
    new[: old.size] = old
    return new


@kernel
def _longer_ids(old: Ids) -> Ids:
    new = np.empty(2 * old.size, np.uint64)
    new[: old.size] = old
    return new


@kernel
def _descendants(
    lineage: Word,
    born: float,
    generation: int,
    generations: int,
    until: float,
    inverse: Inverse,
    most: int,
) -> int:
    """Lesions, itself included, in the line of one that is only counted; stops above `most`."""
    lineages, moments, orders = np.empty(_FEW, np.uint64), np.empty(_FEW), np.empty(_FEW, np.int32)
    lineages[0], moments[0], orders[0] = lineage, born, generation
    waiting, counted = 1, 0
    while waiting > 0 and counted <= most:
        waiting -= 1
        counted += 1
        own, start, order = lineages[waiting], moments[waiting], orders[waiting]
        if order >= generations:
            continue
        stream, increment = stream_of(own)
        y, child = 0.0, np.uint64(0)
        while True:
            stream, more = draw_exponential(stream, increment)
            y += more
            when = start + _age_within(y, until - start, inverse)
            if when == np.inf:
                break
            if waiting == lineages.size:
                lineages, moments, orders = _longer_ids(lineages), _longer_real(moments), _longer_short(orders)
            child += _1
            lineages[waiting] = lineage_of(own, child)
            moments[waiting] = when
            orders[waiting] = order + 1
            waiting += 1
    return counted


@kernel
def grow_trees(
    key: Word,
    begin: int,
    end: int,
    until: float,
    generations: int,
    kept_before: float,
    most: int,
    starts: Real,
    stops: Real,
    early: Real,
    early_from: Whole,
    primary: Inverse,
    lesion: Inverse,
) -> tuple[Real, Short, Short, Ids, Whole, Whole, Truth]:
    """All metastases of the patients `begin` to `end` that are born by `until`.

    key : uint64; a patient's numbers depend on the key and the patient's own index alone
    generations : the youngest generation that is born; 1 for metastases of the primary only
    kept_before : lesions born later than this, in h, are counted with all their descendants but not listed
    most : a patient with more lesions than this, listed or counted, is cut there and marked
    starts, stops : [patients] h, when the primary begins to emit by its table and when it is removed
    early, early_from : [k], [patients + 1] moments of emission before `starts`, in h
    primary, lesion : inverses of total emission of the primary, from `starts` on, and of a metastasis, from its birth on

    Returns moments of birth in h [n], generation [n], row of the mother within its patient [n] (-1 for the primary), lineage
    [n], rows up to each patient [end - begin + 1], lesions only counted [end - begin], and whether a patient was cut. Rows go
    by patient, then by order in the queue: mothers before daughters, sisters by birth.
    """
    room = 16 * (end - begin) + _FEW
    births, orders, mothers = np.empty(room), np.empty(room, np.int32), np.empty(room, np.int32)
    lineages = np.empty(room, np.uint64)
    upto = np.zeros(end - begin + 1, np.int64)
    counted = np.zeros(end - begin, np.int64)
    cut = np.zeros(end - begin, np.bool_)
    used = 0
    for patient in range(begin, end):
        base, here = used, patient - begin
        of_primary, _ = open_stream(key, PRIMARY, patient)
        row = base - 1
        while row < used and not cut[here]:
            if row < base:
                own, start, order, last = of_primary, starts[patient], 0, min(until, stops[patient])
            else:
                own, start, order, last = lineages[row], births[row], orders[row], until
            mother = row - base
            row += 1
            if order >= generations:
                break  # the queue goes by generation
            stream, increment = stream_of(own)
            y, child = 0.0, np.uint64(0)
            given = early_from[patient] if mother < 0 else early_from[patient + 1]
            while True:
                if given < early_from[patient + 1]:
                    when = early[given]
                    given += 1
                    if when > last:
                        continue
                else:
                    stream, more = draw_exponential(stream, increment)
                    y += more
                    # two calls, because choosing a table of arrays costs more than either
                    if mother < 0:
                        when = start + _age_within(y, last - start, primary)
                    else:
                        when = start + _age_within(y, last - start, lesion)
                    if when == np.inf:
                        break
                child += _1
                lineage = lineage_of(own, child)
                if when > kept_before:
                    left = most - (used - base) - counted[here]
                    counted[here] += _descendants(lineage, when, order + 1, generations, until, lesion, left)
                else:
                    if used == births.size:
                        births, lineages = _longer_real(births), _longer_ids(lineages)
                        orders, mothers = _longer_short(orders), _longer_short(mothers)
                    births[used], orders[used], mothers[used], lineages[used] = when, order + 1, mother, lineage
                    used += 1
                if used - base + counted[here] > most:
                    cut[here] = True
                    break
        upto[here + 1] = used
    return births[:used], orders[:used], mothers[:used], lineages[:used], upto, counted, cut


@kernel
def stochastic_primaries(
    key: Word,
    begin: int,
    end: int,
    birth: float,
    death: float,
    coefficient: float,
    exponent: float,
    enough: float,
    until: float,
) -> tuple[Real, Whole, Real]:
    """Primaries that grow from one cell by birth and death and do not die out, cell by cell until they have `enough` cells.

    A primary of x cells emits at the rate coefficient * x ** exponent. One that dies out by `until` is forgotten with all it
    emitted and begun anew.

    key : uint64, other than that of the trees; rates in 1/h; until in h
    Returns moments of emission in h [k], the first of each patient [end - begin + 1], and when it had enough cells, in h
    [end - begin], inf if that was not until `until`.
    """
    moments = np.empty(end - begin + _FEW)
    upto = np.zeros(end - begin + 1, np.int64)
    reached = np.full(end - begin, np.inf)
    used = 0
    for patient in range(begin, end):
        stream, increment = open_stream(key, PRIMARY, patient)
        now, cells, base = 0.0, 1.0, used
        while True:
            emission = coefficient * cells**exponent
            total = (birth + death) * cells + emission
            stream, waiting = draw_exponential(stream, increment)
            now += waiting / total
            if now > until:
                break
            stream, u = draw_uniform(stream, increment)
            u *= total
            if u < emission:
                if used == moments.size:
                    moments = _longer_real(moments)
                moments[used] = now
                used += 1
            elif u < emission + birth * cells:
                cells += 1.0
                if cells >= enough:
                    reached[patient - begin] = now
                    break
            else:
                cells -= 1.0
                if cells == 0.0:
                    now, cells, used = 0.0, 1.0, base
        upto[patient - begin + 1] = used
    return moments[:used], upto, reached


@kernel
def grown_sizes(law: int, rate: float, limit: float, power: float, ages: Real) -> Real:
    """Cells of lesions that grow from one cell by a law of `kernels.growth`; 0 where the age is negative.

    ages : [n] in h; the law's numbers as there
    """
    cells = np.zeros(ages.size)
    for i in range(ages.size):
        if ages[i] >= 0.0:
            cells[i] = grown(law, 1.0, ages[i], rate, limit, power, 0.0)
    return cells


@kernel
def clone_sizes(
    key: Word, begin: int, end: int, first: Whole, lineages: Ids, ages: Real, birth: float, death: float
) -> Real:
    """Cells of the clones of patients `begin` to `end`, each founded by one cell and growing by birth and death; 0 if extinct.

    With w = (e^(rt) - 1) / r and r = birth - death, a clone of age t is extinct with probability death w / (1 + birth w), and
    else geometric with parameter 1 / (1 + birth w) (Kendall 1948, doi:10.1214/aoms/1177730285). A clone keeps its two uniform
    numbers at all ages: it never shrinks, and never comes back, but the way between two ages is not that of one clone.

    first : int64 [patients + 1]; lineages, ages : [n] of all patients, ages in h; rates in 1/h
    Returns cells [first[end] - first[begin]], 0 where the age is negative.
    """
    rate = birth - death
    base = first[begin]
    cells = np.zeros(first[end] - base)
    for patient in range(begin, end):
        for row in range(first[patient], first[patient + 1]):
            age = ages[row]
            if age < 0.0:
                continue
            stream, increment = open_stream(key, lineages[row], patient)
            stream, u = draw_uniform(stream, increment)
            stream, v = draw_uniform(stream, increment)
            w = age if rate == 0.0 else np.expm1(rate * age) / rate
            if w <= 0.0:
                cells[row - base] = 1.0
                continue
            if u < death / (birth + 1.0 / w):
                continue
            single = 1.0 / (1.0 + birth * w)
            cells[row - base] = 1.0 + (np.floor(np.log1p(-v) / np.log1p(-single)) if single < 1.0 else 0.0)
    return cells
