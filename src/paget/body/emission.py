"""How many metastases a growing tumour sends out, and at which age: total emission of a law of growth, and its inverse.

A tumour of x cells emits at the rate m x^alpha (Iwata et al. 2000, doi:10.1006/jtbi.2000.1075); by age s it has emitted
L(s) = Int_0^s m x(u)^alpha du on average. L is summed by Gauss and Legendre's rule of 8 points over some 2,000 pieces, each so
short that the rule is exact to rounding; its inverse is found by Newton's method at nodes of equal distance in ln L, between
which Hermite's cubic is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from paget.errors import ModelError
from paget.evidence import Parameter
from paget.kernels import growth
from paget.kernels.colonies import Inverse, grown_sizes

__all__ = ["BirthDeath", "Emission", "Law", "emitted", "grown_from_one", "inverse", "time_from_one"]

Real = NDArray[np.float64]

_PIECES = 2048
_NODES = 8193
_NEWTON = 4
_STEPS = 1024
_ABSCISSAE, _WEIGHTS = np.polynomial.legendre.leggauss(8)


class Law(Protocol):
    """A law of growth in cells, such as those of `paget.body.growth_laws`."""

    def kernel(self) -> tuple[int, float, float, float]:
        """Code of `paget.kernels.growth`, rate in 1/h, limit in cells, power."""
        ...


@dataclass(frozen=True)
class Emission:
    """A tumour of x cells sends out ``coefficient * x ** exponent`` metastases that grow, per unit time.

    coefficient : per time, of a tumour of one cell; exponent : plain number, 0 to 1 from emission that does not depend on size
    to one from all cells
    """

    coefficient: Parameter
    exponent: Parameter

    def __post_init__(self) -> None:
        wrong = []
        coefficient, exponent = self.numbers
        if not coefficient > 0.0:
            wrong.append(f"the coefficient is {self.coefficient.value:g} {self.coefficient.unit}; it must be above 0")
        if not exponent >= 0.0:
            wrong.append(f"the exponent is {exponent:g}; it must not be negative")
        if wrong:
            raise ModelError("This law of emission makes no sense:", wrong)

    @property
    def numbers(self) -> tuple[float, float]:
        """Coefficient in 1/h, and exponent."""
        return self.coefficient.inside("1/h"), self.exponent.inside("")


@dataclass(frozen=True)
class BirthDeath:
    """Growth of a clone by division and death of single cells at constant rates, so that its size is random.

    exact_below : a primary is followed cell by cell up to this size and grows exponentially above, where chance would have
    changed its size by a share of about sqrt((birth + death) / (birth - death) / exact_below); metastases are exact at any size
    """

    birth: Parameter
    death: Parameter
    exact_below: int = 10_000

    def __post_init__(self) -> None:
        wrong = []
        birth, death = self.rates
        if not birth > 0.0:
            wrong.append(f"birth is {self.birth.value:g} {self.birth.unit}; it must be above 0")
        if not death >= 0.0:
            wrong.append(f"death is {self.death.value:g} {self.death.unit}; it must not be negative")
        if self.exact_below < 2:
            wrong.append(f"exact_below is {self.exact_below}; it must be at least 2 cells")
        if wrong:
            raise ModelError("This clone cannot grow:", wrong)

    @property
    def rates(self) -> tuple[float, float]:
        """Birth and death in 1/h."""
        return self.birth.inside("1/h"), self.death.inside("1/h")

    def kernel(self) -> tuple[int, float, float, float]:
        """Exponential growth at the difference of the rates, as the clone grows on average."""
        birth, death = self.rates
        return growth.EXPONENTIAL, birth - death, np.inf, 1.0


def grown_from_one(law: Law, ages: Real) -> Real:
    """Cells after ages in h, of any shape, of a tumour that begins with one cell; 0 where the age is negative."""
    ages = np.asarray(ages, float)
    return cast(Real, grown_sizes(*law.kernel(), ages.ravel()).reshape(ages.shape))


def time_from_one(law: Law, cells: float) -> float:
    """Time in h from one cell to a number of cells; inf if it is never reached."""
    code, rate, limit, power = law.kernel()
    return float(growth.time_to(code, 1.0, cells, rate, limit, power, 0.0))


def emitted(law: Law, emission: Emission, ages: Real) -> Real:
    """Mean number of metastases that a tumour of one cell at age 0 has emitted by ages in h [n]."""
    ages = np.asarray(ages, float)
    return _Total(law, emission, float(np.max(ages)), 1.0).until(ages)


def inverse(law: Law, emission: Emission, horizon: float, cells: float = 1.0) -> Inverse:
    """Table of the age at which a tumour that begins with `cells` has emitted a number of metastases, up to age `horizon` h."""
    total = _Total(law, emission, horizon, cells)
    low, high = np.log(total.at[1]), np.log(total.at[-1])
    y = np.clip(np.exp(np.linspace(low, high, _NODES)), total.at[1], total.at[-1])
    ages = np.exp(np.interp(np.log(y), np.log(total.at[1:]), np.log(total.edges[1:])))
    for _ in range(_NEWTON):
        ages = np.clip(ages - (total.until(ages) - y) / total.rate(ages), total.edges[1], horizon)
    step = (high - low) / (_NODES - 1)
    first = float(total.rate(np.zeros(1))[0])
    ends = np.minimum(np.arange(1, _STEPS + 2) * (horizon / _STEPS), horizon)
    ceiling = total.until(ends) * (1.0 + 1e-9)
    slopes = y / total.rate(ages) * step
    return Inverse(float(low), float(1.0 / step), float(y[-1]), first, ages, slopes, _STEPS / horizon, ceiling)


class _Total:
    """Total emission of a tumour, summed over pieces of its life: ever longer ones at first, then equal ones.

    edges [pieces + 1] in h; at [pieces + 1] : emitted by then
    """

    def __init__(self, law: Law, emission: Emission, horizon: float, cells: float) -> None:
        self._law, (self._coefficient, self._exponent) = law.kernel(), emission.numbers
        self._late = 0.0 if cells == 1.0 else time_from_one(law, cells)
        if not np.isfinite(self._late):
            raise ModelError(
                f"A primary that grows by this law never has {cells:g} cells; lower the number or change the law."
            )
        begin = np.geomspace(1e-9 * horizon, horizon, _PIECES // 2)
        self.edges = np.unique(np.concatenate([[0.0], begin, np.linspace(0.0, horizon, _PIECES // 2 + 1)]))
        pieces = self._piece(np.arange(self.edges.size - 1), self.edges[1:])
        self.at = np.concatenate([[0.0], np.cumsum(pieces)])
        if not np.isfinite(self.at[-1]):
            raise ModelError(
                "A tumour that grows by this law is infinite before the end; end earlier or change the law."
            )

    def rate(self, ages: Real) -> Real:
        """Emission in 1/h at ages in h."""
        cells = grown_sizes(*self._law, (self._late + ages).ravel()).reshape(ages.shape)
        found: Real = self._coefficient * cells**self._exponent
        return found

    def until(self, ages: Real) -> Real:
        """Emitted by ages in h."""
        piece = np.clip(np.searchsorted(self.edges, ages, "right") - 1, 0, self.edges.size - 2)
        return cast(Real, self.at[piece] + self._piece(piece, ages))

    def _piece(self, piece: NDArray[np.intp], ages: Real) -> Real:
        """Emitted from the beginning of a piece to an age within it."""
        width = ages - self.edges[piece]
        points = self.edges[piece][:, None] + 0.5 * width[:, None] * (1.0 + _ABSCISSAE)
        found: Real = 0.5 * width * (self.rate(points) @ _WEIGHTS)
        return found
