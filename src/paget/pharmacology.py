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

from paget.errors import StudyError
from paget.process import Named, Phase, Process, Values
from paget.vocabulary import Variable

if TYPE_CHECKING:
    from paget.access import Do, See
    from paget.evidence import Parameter

__all__ = ["COMPARTMENTS", "INTRAVENOUS", "Doses", "Drug", "DrugKinetics", "exposure"]

Real = NDArray[np.float64]
Doses = tuple[tuple[str, float, float, str], ...]
"""What is given within a tick: (drug, time within the tick in h, mg/kg, route), the route empty for the drug's usual one."""

INTRAVENOUS = "intravenous"

COMPARTMENTS = ("depot", "plasma", "peripheral", "eliminated", "site", "exposure")
DEPOT, PLASMA, PERIPHERAL, ELIMINATED, SITE, EXPOSURE = range(6)
MASS = slice(DEPOT, ELIMINATED + 1)


@dataclass(frozen=True)
class Drug:
    """A drug of the catalogue: what it is, how it is given, and in one sentence what it does here.

    intravenous : whether that is its usual route; depot : the route to which its numbers of absorption belong, if it has any
    """

    name: str
    title: str
    action: str
    intravenous: bool
    sources: tuple[str, ...] = ()
    depot: str = ""

    @property
    def routes(self) -> tuple[str, ...]:
        """Routes by which it can be given, the usual one first."""
        found = (INTRAVENOUS, self.depot) if self.intravenous else (self.depot, INTRAVENOUS)
        return tuple(route for route in found if route)

    def enters(self, route: str = "") -> int:
        """The compartment that a dose enters: the plasma at once, or the depot from which it is absorbed.

        Raises
        ------
        StudyError
            If there are no numbers for the absorption by this route.
        """
        if route and route not in self.routes:
            raise StudyError(
                f"'{route}' is no route of {self.name} here: its absorption by it is not known. Give it "
                f"{' or '.join(self.routes)}"
            )
        return PLASMA if route == INTRAVENOUS or (not route and self.intravenous) else DEPOT

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
    amounts: Real, doses: tuple[tuple[float, float, int], ...], rates: tuple[float, ...], dt: float
) -> tuple[Real, float]:
    """Advance the compartments over a tick with administrations inside it, exactly.

    amounts : [6] in mg/kg, the effect site in nM and its integral in nM h; doses : (time within the tick in h, mg/kg, the
    compartment that it enters), in order
    rates : absorption, bioavailable fraction, elimination, out, back, effect site (all 1/h), nM per mg/kg in plasma
    Returns the new compartments and the mean concentration over the tick in nM.
    """
    state = amounts.copy()
    state[EXPOSURE] = 0.0
    now = 0.0
    for moment, amount, compartment in doses:
        if moment > now:
            state = _propagator(*rates, moment - now) @ state
            now = moment
        state[compartment] += amount
    if dt > now:
        state = _propagator(*rates, dt - now) @ state
    return state, float(state[EXPOSURE]) / dt


@dataclass(frozen=True, kw_only=True)
class DrugKinetics(Process):
    """Plasma kinetics of one drug, and the concentration that cells are exposed to.

    d(plasma)/dt = F ka depot + back * peripheral - (CL/V + out) plasma;  d(site)/dt = ke (plasma - site)

    Assumes linear kinetics and a well-perfused tissue, in which no cell is more than a few cells from a capillary.
    Leaves out active metabolites. The value set is the mean over the tick, from the exact integral. Volume and clearance of
    a drug that is only known from another route are apparent ones: given intravenously, it counts as if it were absorbed at
    once.
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
            p.bioavailability if self.drug.depot or not self.drug.intravenous else 1.0,
            p.clearance / p.volume,
            p.distribution,
            p.redistribution,
            np.log(2.0) / p.site_half_life if p.site_half_life else np.inf,
            1e6 / (p.molar_mass * p.volume),
        )

    def step(self, see: See, do: Do, p: Values) -> None:
        given = tuple(
            (moment, amount, self.drug.enters(route))
            for name, moment, amount, route in see.doses
            if name == self.drug.name
        )
        amounts = see[self.drug.amounts.name]
        if not given and not amounts.any():
            return
        after, mean = exposure(amounts, given, self.rates(p), see.dt)
        do.set(self.drug.amounts.name, after)
        do.set(self.drug.variable, mean)
