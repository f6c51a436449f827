"""Slow, clear twin of the cohort's kernels: one patient's metastases by small steps and single cells, for tests only.

Written from the equations with NumPy's generator, not from the kernels: the primary grows by its law; founding, awakening,
birth and death happen in each step of `dt` with the chance 1 - e^(-rate dt), the cells of a lesion being counted one
population at a time. The result is right to first order in `dt`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

__all__ = ["SlowTumour", "first_seen"]


class SlowTumour(NamedTuple):
    """An exponential primary and its metastases; times in h, sizes in cells.

    size : of the primary at its resection at time 0; rate : of growth of all tumours; founding, exponent : founding x^exponent
    metastases per h; turnover : deaths per division of metastases; dormant_share, waking, stages : of dormancy
    kills : times and surviving shares of doses; seen : size at which a metastasis is seen
    """

    size: float
    rate: float
    founding: float
    exponent: float
    turnover: float
    dormant_share: float
    waking: float
    stages: int
    kills: tuple[tuple[float, float], ...]
    seen: float


def first_seen(tumour: SlowTumour, end: float, dt: float, chance: np.random.Generator) -> float:
    """When the first metastasis is seen, inf if none is by `end`."""
    birth = tumour.rate / (1.0 - tumour.turnover)
    death = birth * tumour.turnover
    begin = -np.log(tumour.size) / tumour.rate
    asleep: list[int] = []  # stages that each dormant cell still has before it
    lesions: list[float] = []
    doses = sorted(tumour.kills)
    for step in range(int(np.ceil((end - begin) / dt))):
        now = begin + step * dt
        while doses and doses[0][0] <= now:
            survive = doses.pop(0)[1]
            lesions = [float(chance.binomial(int(n), survive)) for n in lesions]
        if now < 0.0:
            primary = np.exp(tumour.rate * (now - begin))
            for _ in range(chance.poisson(tumour.founding * primary**tumour.exponent * dt)):
                if chance.random() < tumour.dormant_share:
                    asleep.append(tumour.stages)
                else:
                    lesions.append(1.0)
        moved = [left - int(chance.random() < -np.expm1(-tumour.waking * dt)) for left in asleep]
        lesions += [1.0] * sum(left == 0 for left in moved)
        asleep = [left for left in moved if left > 0]
        grown = []
        for cells in lesions:
            if cells > 1e6:  # chance no longer matters
                grown.append(cells * np.exp(tumour.rate * dt))
            elif cells > 0.0:
                events = chance.binomial(int(cells), -np.expm1(-(birth + death) * dt))
                births = chance.binomial(events, birth / (birth + death))
                grown.append(cells + 2.0 * births - events)
        lesions = [cells for cells in grown if cells > 0.0]
        if any(cells >= tumour.seen for cells in lesions):
            return float(now + dt)
    return float("inf")
