"""Volume of cells: fluid and solids that approach their targets, in life and in the stages of dying."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from paget.kernels import physiology
from paget.kernels.physiology import LYSED
from paget.process import Phase
from paget.tissue.definition import table
from paget.tissue.process import TissueProcess

if TYPE_CHECKING:
    from paget.access import Do, See

__all__ = ["VolumeDynamics"]

Real = NDArray[np.float64]

_PARTS = ("fluid", "cytoplasmic_solid", "nuclear_solid", "nuclear_volume", "volume", "calcified", "radius")
_RATES = ("fluid_rate", "cytoplasmic_rate", "nuclear_rate", "calcification_rate")


@dataclass(frozen=True, kw_only=True)
class VolumeDynamics(TissueProcess):
    """Cells take up and lose fluid, grow and shrink their solids, swell and burst in necrosis, and may calcify.

    With fluid F, cytoplasmic solid C, nuclear solid N and volume V = F + C + N,

        dF/dt = r_F (f V - F),   dC/dt = r_C (C* - C),   dN/dt = r_N (N* - N)

    The rates depend on the cell type and on the stage of dying. f is the fluid fraction of the type in life, 0 in
    apoptosis and after lysis, 1 while a necrotic cell swells; the dead have no solid targets. A swelling cell bursts
    when its volume reaches `cell.rupture_volume`. The solution is exact: any tick gives the same course.

    scheme : "exact", or "euler" for the explicit step of one tick of the published simulator, which bursts at its end

    Assumes that the nucleus holds the share of the fluid that it has of the solids (the limit of that simulator's scheme).
    Leaves out that targets changed within a tick count from its end.
    Source: Ghaffarizadeh et al. 2018, doi:10.1371/journal.pcbi.1005991.
    """

    phase: ClassVar[Phase] = Phase.ACT
    parts: ClassVar[tuple[str, ...]] = (
        "volume.",
        *(f"apoptosis.{name}" for name in _RATES),
        *(f"necrosis.{name}" for name in (*_RATES, "lysed_fluid_rate")),
    )

    role: str = "volume"
    sources: tuple[str, ...] = ("Ghaffarizadeh2018",)
    scheme: Literal["exact", "euler"] = "exact"

    @property
    def reads(self) -> tuple[str, ...]:
        return (
            "cell.type",
            "cell.death",
            "cell.owed",
            "cell.fluid",
            "cell.cytoplasmic_solid",
            "cell.nuclear_solid",
            "cell.target_cytoplasmic_solid",
            "cell.target_nuclear_solid",
            "cell.nuclear_volume",
            "cell.calcified",
            "cell.rupture_volume",
        )

    @property
    def sets(self) -> tuple[str, ...]:
        return tuple(f"cell.{name}" for name in _PARTS)

    @property
    def emits(self) -> tuple[str, ...]:
        return ("conversion",)

    @property
    def events(self) -> tuple[str, ...]:
        return ("lysis",)

    def prepare(self, values: dict[str, float]) -> Real:
        """Rates [types * 4, 5] for the kernel: row 4 k + d is type k in stage d (alive, apoptotic, swelling, lysed)."""
        types = len(self.definitions)
        alive, apoptotic, necrotic = (
            table(values, types, tuple(f"{part}.{name}" for name in _RATES))
            for part in ("volume", "apoptosis", "necrosis")
        )
        lysed = necrotic.copy()
        lysed[:, 0] = table(values, types, ("necrosis.lysed_fluid_rate",))[:, 0]
        fractions = np.zeros((types, 4, 1))
        fractions[:, 0] = table(values, types, ("volume.fluid_fraction",))
        fractions[:, 2] = 1.0
        return np.concatenate([np.stack([alive, apoptotic, necrotic, lysed], axis=1), fractions], axis=2).reshape(-1, 5)

    def step(self, see: See, do: Do, p: Real) -> None:
        n = see.count
        out, rings, left = np.empty((len(_PARTS), n)), np.empty(n), np.empty(n)
        columns = (see[name] for name in self.reads)
        physiology.advance_volume(self.crew(see), *columns, p, see.dt, self.scheme == "euler", out, rings, left)
        for row, name in enumerate(_PARTS):
            do.set(f"cell.{name}", out[row])
        do.emit("conversion", rings, event="lysis", values={"cell.death": LYSED, "cell.death_time": left})
