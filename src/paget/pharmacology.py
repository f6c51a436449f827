"""Drugs in the body: linear compartments solved exactly, and the exposure that cells feel.

A drug enters the plasma at once (intravenous) or from a depot (oral, intraperitoneal, subcutaneous), exchanges with a
peripheral compartment, and is eliminated. Where the drug is held in tissue much longer than in plasma, cells feel an effect
site that follows plasma with its own half-life (Sheiner 1979, doi:10.1002/cpt1979253358); the effect site takes no mass.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm

from paget.process import Named, Phase, Process, Values
from paget.vocabulary import Variable

if TYPE_CHECKING:
    from paget.access import Do, See
    from paget.evidence import Parameter

__all__ = ["COMPARTMENTS", "Drug", "DrugKinetics", "exposure"]

Real = NDArray[np.float64]

COMPARTMENTS = ("depot", "plasma", "peripheral", "eliminated", "site", "exposure")
DEPOT, PLASMA, PERIPHERAL, ELIMINATED, SITE, EXPOSURE = range(6)
MASS = slice(DEPOT, ELIMINATED + 1)


@dataclass(frozen=True)
class Drug:
    """A drug of the catalogue: what it is, how it is given, and in one sentence what it does here."""

    name: str
    title: str
    action: str
    intravenous: bool
    sources: tuple[str, ...] = ()

    @property
    def variable(self) -> str:
        return f"body.{self.name}"

    @property
    def amounts(self) -> Variable:
        """The body variable that holds the drug's compartments."""
        return Variable(
            f"body.{self.name}_amounts",
            "mg/kg",
            f"{self.title} in {', '.join(COMPARTMENTS[:4])}; effect site; its integral",
        )


@functools.lru_cache(maxsize=512)
def _propagator(
    absorption: float,
    bioavailable: float,
    elimination: float,
    out: float,
    back: float,
    site: float,
    per_mg: float,
    dt: float,
) -> Real:
    """exp(A dt) of the compartments; `site` is the rate at which the effect site follows plasma, inf for plasma itself."""
    a = np.zeros((6, 6))
    a[DEPOT, DEPOT] = -absorption
    a[PLASMA, DEPOT] = absorption * bioavailable
    a[ELIMINATED, DEPOT] = absorption * (1.0 - bioavailable)
    a[PLASMA, PLASMA] = -(elimination + out)
    a[ELIMINATED, PLASMA] = elimination
    a[PERIPHERAL, PLASMA] = out
    a[PLASMA, PERIPHERAL] = back
    a[PERIPHERAL, PERIPHERAL] = -back
    if np.isfinite(site):
        a[SITE, PLASMA] = site * per_mg
        a[SITE, SITE] = -site
        a[EXPOSURE, SITE] = 1.0
    else:
        a[EXPOSURE, PLASMA] = per_mg
    found: Real = expm(a * dt)
    return found


def exposure(
    amounts: Real, doses: tuple[tuple[float, float], ...], rates: tuple[float, ...], intravenous: bool, dt: float
) -> tuple[Real, float]:
    """Advance the compartments over a tick with administrations inside it, exactly.

    amounts : [6] in mg/kg, the effect site in nM and its integral in nM h; doses : (time within the tick in h, mg/kg), in order
    rates : absorption, bioavailable fraction, elimination, out, back, effect site (all 1/h), nM per mg/kg in plasma
    Returns the new compartments and the mean concentration over the tick in nM.
    """
    state = amounts.copy()
    state[EXPOSURE] = 0.0
    now = 0.0
    for moment, amount in doses:
        if moment > now:
            state = _propagator(*rates, moment - now) @ state
            now = moment
        state[PLASMA if intravenous else DEPOT] += amount
    if dt > now:
        state = _propagator(*rates, dt - now) @ state
    return state, float(state[EXPOSURE]) / dt


@dataclass(frozen=True, kw_only=True)
class DrugKinetics(Process):
    """Plasma kinetics of one drug, and the concentration that cells are exposed to.

    d(plasma)/dt = F ka depot + back * peripheral - (CL/V + out) plasma;  d(site)/dt = ke (plasma - site)

    Assumes linear kinetics and a well-perfused tissue, in which no cell is more than a few cells from a capillary.
    Leaves out active metabolites. The value set is the mean over the tick, from the exact integral.
    """

    phase: ClassVar[Phase] = Phase.BODY
    drug: Drug
    molar_mass: Named | Parameter = field(metadata={"unit": "g/mol"})
    volume: Named | Parameter = field(metadata={"unit": "L/kg"})
    clearance: Named | Parameter = field(metadata={"unit": "L/h/kg"})
    absorption_half_life: Named | Parameter | int = field(default=0, metadata={"unit": "h"})
    bioavailability: Named | Parameter | int = field(default=0, metadata={"unit": ""})
    distribution: Named | Parameter | int = field(default=0, metadata={"unit": "1/h"})
    redistribution: Named | Parameter | int = field(default=0, metadata={"unit": "1/h"})
    site_half_life: Named | Parameter | int = field(default=0, metadata={"unit": "h"})

    @property
    def reads(self) -> tuple[str, ...]:
        return ("protocol.doses", self.drug.amounts.name)

    @property
    def sets(self) -> tuple[str, ...]:
        return (self.drug.variable, self.drug.amounts.name)

    def rates(self, p: Values) -> tuple[float, ...]:
        """The rates that `exposure` takes, from the numbers of one animal."""
        return (
            np.log(2.0) / p.absorption_half_life if p.absorption_half_life else 0.0,
            1.0 if self.drug.intravenous else p.bioavailability,
            p.clearance / p.volume,
            p.distribution,
            p.redistribution,
            np.log(2.0) / p.site_half_life if p.site_half_life else np.inf,
            1e6 / (p.molar_mass * p.volume),
        )

    def step(self, see: See, do: Do, p: Values) -> None:
        given = tuple((moment, amount) for name, moment, amount in see.doses if name == self.drug.name)
        amounts = see[self.drug.amounts.name]
        if not given and not amounts.any():
            return
        after, mean = exposure(amounts, given, self.rates(p), self.drug.intravenous, see.dt)
        do.set(self.drug.amounts.name, after)
        do.set(self.drug.variable, mean)
