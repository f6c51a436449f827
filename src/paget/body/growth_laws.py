"""Laws by which a tumour grows, as values: what is known of a tumour's growth, with its evidence.

Sizes x are cells, or whatever `unit` says; a is the rate, K the size at which growth ends, p the power:

    exponential       dx/dt = a x
    Gompertz          dx/dt = a x ln(K / x)
    reduced Gompertz  the same, with K = (size at the start) e^k for all tumours of a kind, so that a alone is left to differ
    logistic          dx/dt = a x (1 - x / K)
    Bertalanffy       dx/dt = a x^(2/3) - b x,  b = a K^(-1/3)
    West              dx/dt = a x^(3/4) - b x,  b = a K^(-1/4)
    power             dx/dt = a x^p

The rate of the last three is that of a tumour of one cell (or one unit of size), so that every rate is in 1/h. A rate may be
given as a time instead: that in which exponential growth at this rate doubles.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from paget.body.values import Number, Numbers
from paget.errors import ModelError
from paget.evidence import Parameter
from paget.kernels import growth
from paget.process import Named
from paget.units import to_internal

__all__ = [
    "GrowthLaw",
    "LawNumbers",
    "bertalanffy",
    "exponential",
    "gompertz",
    "logistic",
    "power_law",
    "reduced_gompertz",
    "west",
]

Real = NDArray[np.float64]

_CODES = {
    "exponential": growth.EXPONENTIAL,
    "gompertz": growth.GOMPERTZ,
    "reduced gompertz": growth.GOMPERTZ,
    "bertalanffy": growth.BERTALANFFY,
    "west": growth.BERTALANFFY,
    "logistic": growth.LOGISTIC,
    "power": growth.POWER,
}


class LawNumbers(NamedTuple):
    """A law as the kernels take it: code, rate in 1/h, limit in units of size, and power."""

    law: int
    rate: float
    limit: float
    power: float


@dataclass(frozen=True)
class GrowthLaw:
    """How a tumour grows: a law and its numbers, made by the functions of this module.

    name : of the law. rate : 1/h, or a doubling time. limit : in `unit`. power : plain
    folds, start : of the reduced Gompertz law, whose limit is start e^folds. unit : of size
    """

    name: str
    rate: Number
    limit: Number | None = None
    power: Number | float = 1.0
    folds: Number | None = None
    start: Number | None = None
    unit: str = "cell"
    sources: tuple[str, ...] = field(default=())

    @property
    def numbers(self) -> tuple[Named | Parameter, ...]:
        """Every number with its evidence."""
        parts = (self.rate, self.limit, self.power, self.folds, self.start)
        return tuple(part for part in parts if isinstance(part, (Named, Parameter)))

    def kernel(self, numbers: Numbers | None = None) -> LawNumbers:
        """The law in numbers.

        numbers : looks up rows of a parameter table; not needed where every number was given with its evidence

        Raises
        ------
        ModelError
            If the limit is not above 0, the rate negative, or the power not below 1.
        """
        look = Numbers({}) if numbers is None else numbers
        rate = look.rate(self.rate)
        limit, power = math.inf, 1.0
        if self.limit is not None:
            limit = look(self.limit, self.unit)
        if self.folds is not None and self.start is not None:
            limit = look(self.start, self.unit) * math.exp(look(self.folds, ""))
        if _CODES[self.name] in (growth.BERTALANFFY, growth.POWER):
            power = self.power if isinstance(self.power, (int, float)) else look(self.power, "")
        wrong = []
        if rate < 0.0:
            wrong.append(f"the rate is {rate:g} per h; it must not be below 0")
        if limit <= 0.0:
            wrong.append(f"the size at which growth ends is {limit:g} {self.unit}; it must be above 0")
        if not 0.0 <= power <= 1.0:
            wrong.append(f"the power is {power:g}; it must be from 0 to 1")
        if wrong:
            raise ModelError(f"The {self.name} law of growth cannot be used:", wrong)
        return LawNumbers(_CODES[self.name], rate, limit, float(power))

    def size(self, time: str | float | Real, start: float, kill: float = 0.0, numbers: Numbers | None = None) -> Real:
        """Size at a time after it was `start`.

        time : text with a unit, or h, one or many; start : in `unit`; kill : first-order loss, 1/h
        """
        law, rate, limit, power = self.kernel(numbers)
        times = np.atleast_1d(np.asarray(to_internal(time, "h") if isinstance(time, str) else time, dtype=float))
        found = np.array([growth.grown(law, start, t, rate, limit, power, kill) for t in times.ravel()])
        return found.reshape(np.shape(time)) if not isinstance(time, str) else found.reshape(())

    def time_to(self, target: float, start: float, kill: float = 0.0, numbers: Numbers | None = None) -> float:
        """Time in h from size `start` to `target`; inf if it is never reached."""
        law, rate, limit, power = self.kernel(numbers)
        return float(growth.time_to(law, start, target, rate, limit, power, kill))

    def doubling_time(self, size: float, numbers: Numbers | None = None) -> float:
        """Time in h in which a tumour of this size would double if it kept its specific rate; inf if it does not grow."""
        law, rate, limit, power = self.kernel(numbers)
        specific = growth.specific(law, size, rate, limit, power)
        return math.log(2.0) / specific if specific > 0.0 else math.inf


def exponential(rate: Number, unit: str = "cell") -> GrowthLaw:
    """Growth at a constant rate per cell; `rate` in 1/h, or the doubling time."""
    return GrowthLaw("exponential", rate, unit=unit)


def gompertz(rate: Number, limit: Number, unit: str = "cell") -> GrowthLaw:
    """Growth whose specific rate falls with the logarithm of size (Laird 1964, doi:10.1038/bjc.1964.55).

    rate : 1/h, at which the logarithm of size approaches that of `limit`. A law written as x0 exp((A / B) (1 - e^(-B t))) has
    the rate B and the limit x0 e^(A / B).
    """
    return GrowthLaw("gompertz", rate, limit, unit=unit, sources=("Laird1964",))


def reduced_gompertz(rate: Number, folds: Number, start: Number, unit: str = "cell") -> GrowthLaw:
    """Gompertz's law with one number for each tumour (Vaghi et al. 2020, doi:10.1371/journal.pcbi.1007178).

    In x0 exp((A / B) (1 - e^(-B t))), fitted to many animals, A is close to a straight line through 0 in B: A = k B. So k
    belongs to the kind of tumour, and `rate` = B is left for the animal.

    folds : k; start : the size x0 to which it refers
    """
    return GrowthLaw("reduced gompertz", rate, folds=folds, start=start, unit=unit, sources=("Vaghi2020",))


def logistic(rate: Number, limit: Number, unit: str = "cell") -> GrowthLaw:
    """Growth whose specific rate falls in proportion to size, to 0 at `limit`."""
    return GrowthLaw("logistic", rate, limit, unit=unit)


def bertalanffy(rate: Number, limit: Number, unit: str = "cell") -> GrowthLaw:
    """Gain through a surface and loss in proportion to volume (von Bertalanffy 1957, doi:10.1086/401873)."""
    return GrowthLaw("bertalanffy", rate, limit, 2.0 / 3.0, unit=unit, sources=("Bertalanffy1957",))


def west(rate: Number, limit: Number, unit: str = "cell") -> GrowthLaw:
    """Gain through a branching supply, to the power 3/4 (West et al. 2001, doi:10.1038/35098076)."""
    return GrowthLaw("west", rate, limit, 0.75, unit=unit, sources=("West2001",))


def power_law(rate: Number, power: Number, unit: str = "cell") -> GrowthLaw:
    """Growth by a power of size, as if only a part of the tumour took part."""
    return GrowthLaw("power", rate, power=power, unit=unit)
