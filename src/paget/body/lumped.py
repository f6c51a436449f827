"""Organs without a tissue: what is known of the lesions in one, as a value with its evidence."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from paget.body.growth_laws import GrowthLaw
from paget.body.values import Number, Numbers
from paget.errors import EvidenceError, ModelError, UnknownNameError
from paget.evidence import Parameter
from paget.kernels import lesions as kernels
from paget.process import NOTHING, Named, parameter

__all__ = ["EFFECTS", "LumpedSite", "affected", "resolved"]

Real = NDArray[np.float64]

EFFECTS = ("growth", "kill", "kill dormant", "awakening", "shedding", "survival")


@dataclass(frozen=True, kw_only=True)
class LumpedSite:
    """An organ in which lesions grow by a law instead of in a tissue.

    name : of the organ
    growth : law of a lesion's cycling cells, in cells
    turnover : deaths for each birth, d / b, while a lesion grows; the difference b - d is the law's specific rate
    growth_spread : coefficient of variation of the rate of growth between lesions (log-normal)
    survival, dormancy : share of arriving cells that survive, and share of the survivors that fall dormant
    awakening, dormant_death : rates at which a dormant cell begins to cycle, or dies
    re_entry : rate at which a cycling cell falls dormant
    shedding, shedding_exponent : cells shed are shedding * (1 h) * (cells ** shedding_exponent) per h
    cluster_share, cluster_size, lymph_share : share of shed parties that are clusters, mean cells of these (2 to 32), and share
        of shed parties that leave by lymph
    visible : cells of the smallest lesion that is seen
    exact_below : cycling cells below which a lesion's numbers are drawn from the birth-death process instead of following the
        law; a choice of the computation. Above it growth by chance is left out, a relative spread of
        sqrt((b + d) / (b - d) / exact_below)

    *Assumes* that lesions are independent of each other and of the organ's size, that their turnover is the same at every
    rate of growth, and that dormant cells take no part in the law.

    Raises
    ------
    EvidenceError
        If a number has no basis.
    """

    name: str
    growth: GrowthLaw
    turnover: Number = parameter("lesion_turnover", "")
    growth_spread: Number = parameter("lesion_growth_spread", "")
    survival: Number = parameter("newcomer_survival", "")
    dormancy: Number = parameter("newcomer_dormancy", "")
    awakening: Number = parameter("dormant_awakening_rate", "1/h")
    dormant_death: Number = parameter("dormant_death_rate", "1/h")
    re_entry: Number = dataclasses.field(
        default=Parameter(NOTHING, "nothing", 0.0, "1/h", "assumed", "absent unless given", ""),
        metadata={"unit": "1/h"},
    )
    shedding: Number = parameter("shedding_rate", "1/h")
    shedding_exponent: Number = parameter("shedding_exponent", "")
    cluster_share: Number = parameter("shed_cluster_share", "")
    cluster_size: Number = parameter("shed_cluster_size", "cell")
    lymph_share: Number = parameter("shed_lymph_share", "")
    visible: Number = parameter("visible_cells", "cell")
    exact_below: float = 1e4

    def __post_init__(self) -> None:
        bare = []
        for item in dataclasses.fields(self):
            unit = item.metadata.get("unit")
            value = getattr(self, item.name)
            if unit is None or isinstance(value, (Named, Parameter)):
                continue
            if isinstance(value, (int, float)) and value == 0:
                nothing = Parameter(NOTHING, "nothing", 0.0, unit, "assumed", "absent from this site", "")
                object.__setattr__(self, item.name, nothing)
            else:
                bare.append(f"{item.name} = {value!r}")
        if bare:
            raise EvidenceError(
                f"site '{self.name}': {', '.join(bare)} without a basis; name a row of a parameter table, or write "
                'quantity("...", reason="...")'
            )

    @property
    def numbers(self) -> tuple[tuple[str, Number, str], ...]:
        """(field, number, unit) of every number, those of the law of growth included."""
        own = [(f.name, getattr(self, f.name), f.metadata["unit"]) for f in dataclasses.fields(self) if f.metadata]
        law = [("growth", n, n.unit) for n in self.growth.numbers]
        return tuple(own + law)


def _party_sizes(cluster_share: float, cluster_size: float) -> Real:
    """Cumulative shares [LARGEST] of parties by their cells: single, or a cluster of 2 to LARGEST with geometric tail."""
    largest = kernels.LARGEST
    beyond = np.arange(largest - 1.0)  # cells beyond two

    def mean(ratio: float) -> float:
        weights = ratio**beyond
        return 2.0 + float(weights @ beyond / weights.sum())

    ratio = 0.0 if cluster_size <= 2.0 else brentq(lambda x: mean(x) - cluster_size, 1e-12, 1e3, xtol=1e-14)
    weights = ratio**beyond
    shares = np.concatenate([[1.0 - cluster_share], cluster_share * weights / weights.sum()])
    cumulative = np.cumsum(shares)
    # Exactly 1 from the last size that occurs, so that no rounding makes a party of a size with share 0.
    cumulative[np.flatnonzero(shares > 0.0)[-1] :] = 1.0
    return cumulative


def resolved(sites: Sequence[LumpedSite], numbers: Numbers) -> tuple[Real, Real, Real]:
    """The sites in numbers, for the kernel.

    Returns numbers [sites, COLUMNS], cumulative shares of party sizes [sites, LARGEST], and the standard deviation of the
    logarithm of the rate of growth between lesions [sites].

    Raises
    ------
    ModelError
        With everything that is out of range, and names given twice.
    """
    table = np.zeros((len(sites), kernels.COLUMNS))
    sizes = np.zeros((len(sites), kernels.LARGEST))
    sigma = np.zeros(len(sites))
    wrong = [
        f"the site '{s.name}' is given twice" for i, s in enumerate(sites) if s.name in {t.name for t in sites[:i]}
    ]
    for row, site in enumerate(sites):
        v = numbers.all(site)
        if site.growth.unit != "cell":
            wrong.append(f"'{site.name}': the law of growth is in {site.growth.unit}; lesions are counted in cells")
            continue
        for name in ("survival", "dormancy", "cluster_share", "lymph_share"):
            if not 0.0 <= getattr(v, name) <= 1.0:
                wrong.append(f"'{site.name}': {name} is {getattr(v, name):g}; a share is from 0 to 1")
        for name in ("awakening", "dormant_death", "re_entry", "shedding", "shedding_exponent", "growth_spread"):
            if getattr(v, name) < 0.0:
                wrong.append(f"'{site.name}': {name} is {getattr(v, name):g}; it must not be below 0")
        if not 0.0 <= v.turnover < 1.0:
            wrong.append(f"'{site.name}': turnover is {v.turnover:g}; a lesion grows only below 1")
        if v.cluster_share > 0.0 and not 2.0 <= v.cluster_size <= kernels.LARGEST - 1:
            wrong.append(
                f"'{site.name}': cluster_size is {v.cluster_size:g} cells; it must be 2 to {kernels.LARGEST - 1}"
            )
        if v.visible < 1.0:
            wrong.append(
                f"'{site.name}': visible is {v.visible:g} cells; the smallest lesion that is seen has at least one"
            )
        if not 1.0 <= site.exact_below <= 1e9:
            wrong.append(f"'{site.name}': exact_below is {site.exact_below:g} cells; it must be from 1 to 1e9")
        if wrong:
            continue
        law = site.growth.kernel(numbers)
        sizes[row] = _party_sizes(v.cluster_share, v.cluster_size if v.cluster_share > 0.0 else 2.0)
        sigma[row] = math.sqrt(math.log1p(v.growth_spread**2))
        table[row, : kernels.TURNOVER] = law.law, law.rate, law.limit, law.power
        table[row, kernels.TURNOVER :] = (
            v.turnover,
            site.exact_below,
            v.survival,
            v.dormancy,
            v.awakening,
            v.dormant_death,
            v.re_entry,
            0.0,
            v.shedding,
            v.shedding_exponent,
            v.lymph_share,
            v.visible,
            float(np.arange(1.0, kernels.LARGEST + 1.0) @ np.diff(sizes[row], prepend=0.0)),
        )
    if wrong:
        raise ModelError("These sites cannot be used:", wrong)
    return table, sizes, sigma


def affected(table: Real, names: Sequence[str], effects: Mapping[tuple[str, str], float]) -> Real:
    """The sites' numbers [sites, COLUMNS] under effects of treatment, as (site, effect) -> number.

    "growth", "awakening", "shedding", "survival" : factors of the rates, and of the share of newcomers that survive, which
    does not rise above 1; "kill", "kill dormant" : rates in 1/h, added

    Raises
    ------
    UnknownNameError, ModelError
    """
    if not effects:
        return table
    table = table.copy()
    for (site, effect), value in effects.items():
        if site not in names:
            raise UnknownNameError("lumped site", site, names)
        if effect not in EFFECTS:
            raise UnknownNameError("effect on lesions", effect, EFFECTS)
        if not (math.isfinite(value) and value >= 0.0):
            raise ModelError(f"The effect '{effect}' on '{site}' is {value:g}; it must be a number of at least 0.")
        row = names.index(site)
        if effect == "growth":
            table[row, kernels.RATE] *= value
        elif effect == "awakening":
            table[row, kernels.AWAKENING] *= value
        elif effect == "shedding":
            table[row, kernels.SHEDDING] *= value
        elif effect == "survival":
            table[row, kernels.SURVIVAL] = min(table[row, kernels.SURVIVAL] * value, 1.0)
        elif effect == "kill":
            table[row, kernels.KILL] += value
        else:
            table[row, kernels.DORMANT_LOSS] += value
    return table
