"""Exchange of cells with fields: secretion, uptake and export, and the deposition and degradation of matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from paget.kernels import physiology
from paget.process import Phase
from paget.tissue.definition import table
from paget.tissue.personal import own_columns
from paget.tissue.process import TissueProcess

if TYPE_CHECKING:
    from paget.access import Do, See

__all__ = ["FieldExchange"]

Real = NDArray[np.float64]

UM3_PER_PL = 1000.0
DEAD_UPTAKE = 0.1  # share of its uptake that a dying cell keeps, as in the published simulator

_SLOTS = ("secretion", "saturation", "uptake", "export", "most")
_SECRETION, _SATURATION, _UPTAKE, _EXPORT, _MOST = range(5)


@dataclass(frozen=True)
class _Tables:
    """Of one field: rates [types, 5] as in `_SLOTS`, and the half-saturations of uptake with the types that have them."""

    field: str
    rates: Real
    halves: tuple[tuple[float, NDArray[np.bool_]], ...]


@dataclass(frozen=True, kw_only=True)
class FieldExchange(TissueProcess):
    """Cells secrete towards a level, take up, and export; in fields without diffusion they lay down and degrade matrix.

    A cell of volume v changes the amount in its voxel at the rate

        v S (T - u) - v U u - v M u / (half + u) + E

    with secretion rate S towards the level T, uptake rate U, Michaelis-Menten uptake at most M, and export E. The terms
    in u are solved implicitly with the field, so that no concentration becomes negative. The dying secrete and export
    nothing and take up a tenth.

    Assumes that a cell exchanges with the voxel of its centre.
    Source: Ghaffarizadeh et al. 2016, doi:10.1093/bioinformatics/btv730.
    """

    phase: ClassVar[Phase] = Phase.TRANSPORT
    parts: ClassVar[tuple[str, ...]] = ("exchange.",)

    role: str = "exchange with fields"
    sources: tuple[str, ...] = ("Ghaffarizadeh2018",)

    @property
    def _fields(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for d in self.definitions for name in d.exchange))

    @staticmethod
    def _behaviours(field: str) -> tuple[str, ...]:
        noun = field.removeprefix("field.")
        return (f"{noun} secretion", f"{noun} secretion target", f"{noun} uptake", f"{noun} export", "")

    @property
    def reads(self) -> tuple[str, ...]:
        own = (column for name in self._fields for column in self.reads_of(*self._behaviours(name)))
        return ("cell.type", "cell.death", "cell.volume", *own)

    @property
    def adds(self) -> tuple[str, ...]:
        return self._fields

    def prepare(self, values: dict[str, float]) -> tuple[_Tables, ...]:
        """Tables of every field that some cell exchanges with."""
        types = len(self.definitions)
        tables = []
        for name in self._fields:
            rates = table(values, types, tuple(f"exchange.{name}.{slot}" for slot in _SLOTS))
            half = table(values, types, (f"exchange.{name}.half",))[:, 0]
            levels = np.unique(half[rates[:, _MOST] > 0.0])
            halves = tuple((float(level), (half == level) & (rates[:, _MOST] > 0.0)) for level in levels)
            tables.append(_Tables(name, rates, halves))
        return tuple(tables)

    def step(self, see: See, do: Do, p: tuple[_Tables, ...]) -> None:
        if not see.count:
            return
        kind, death = see["cell.type"], see["cell.death"]
        volume = see["cell.volume"] / UM3_PER_PL
        for one in p:
            own, which = own_columns(self, see, self._behaviours(one.field))
            amounts, clearances, most = np.empty((3, see.count))
            physiology.exchanged(kind, death, volume, one.rates, own, which, DEAD_UPTAKE, amounts, clearances, most)
            active = one.rates.any(axis=0) | (which >= 0)
            if active[_EXPORT] or (active[_SECRETION] and active[_SATURATION]):
                do.secrete(one.field, amounts)
            if active[_SECRETION] or active[_UPTAKE]:
                do.absorb(one.field, clearances)
            for half, types in one.halves:
                do.absorb_saturably(one.field, most if types.all() else np.where(types[kind], most, 0.0), half)
