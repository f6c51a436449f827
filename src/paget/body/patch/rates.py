"""The numbers of a lumped site, measured from pieces of the tissue that it stands for."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from paget.body.growth_laws import GrowthLaw, exponential, gompertz
from paget.body.lumped import LumpedSite
from paget.body.patch.estimates import Estimate, interval_of_rate, jackknife, share_of
from paget.body.patch.fits import PER_HOUR, Growth, cluster_size_of, growth_of, shedding_of
from paget.body.patch.watch import Watched, watch
from paget.body.whole.piece import SpatialSite
from paget.errors import ModelError, UnknownNameError
from paget.evidence import Parameter
from paget.model import Model
from paget.tissue import Tissue
from paget.units import to_internal

__all__ = ["PatchRates", "measure"]

Real = NDArray[np.float64]

TITLES = {
    "birth": "divisions per cycling cell",
    "death": "deaths per cycling cell",
    "turnover": "deaths for each birth",
    "growth_rate": "rate of the law of growth",
    "growth_limit": "cells at which growth ends",
    "growth_spread": "coefficient of variation of the rate of growth",
    "shed_per_cell": "cells shed per cycling cell",
    "shedding": "cells shed by a lesion of one cell",
    "shedding_exponent": "power of the number of cells with which a lesion sheds",
    "cluster_share": "share of shed parties that are clusters",
    "cluster_size": "mean cells of a shed cluster",
    "awakening": "awakenings per dormant cell",
    "dormant_death": "deaths per dormant cell",
    "re_entry": "cycling cells that fall dormant",
    "dormant_share": "dormant cells among all, over the whole time",
}


@dataclass(frozen=True)
class PatchRates:
    """What pieces of one tissue do, as rates with 95 % intervals; None is what these pieces cannot tell.

    tissue : its name. hours : watched, from `after` h on; pieces : how many; seed : of their chance
    birth, death : per cycling cell and hour; turnover : death / birth
    growth : the law, with rate, limit in cells of a piece, and spread between pieces
    shed_per_cell : cells shed per cycling cell and hour. shedding, shedding_exponent : of the law shedding * cells ** exponent
    cluster_share, cluster_size : of parties that left
    awakening, dormant_death : per dormant cell and hour; re_entry : per cycling cell and hour; dormant_share : of cell-hours
    watched : the numbers of cells and what happened to them
    """

    tissue: str
    hours: float
    after: float
    pieces: int
    seed: int
    birth: Estimate
    death: Estimate
    turnover: Estimate | None
    growth: Growth | None
    shed_per_cell: Estimate | None
    shedding: Estimate | None
    shedding_exponent: Estimate | None
    cluster_share: Estimate | None
    cluster_size: Estimate | None
    awakening: Estimate | None
    dormant_death: Estimate | None
    re_entry: Estimate | None
    dormant_share: Estimate | None
    watched: Watched = field(repr=False, compare=False)

    @property
    def estimates(self) -> dict[str, Estimate]:
        """Everything that was measured, by name."""
        found: dict[str, Estimate | None] = {}
        for name in TITLES:
            if name.startswith("growth_"):
                part = {"growth_rate": "rate", "growth_limit": "limit", "growth_spread": "scatter"}[name]
                found[name] = None if self.growth is None else getattr(self.growth, part)
            else:
                found[name] = getattr(self, name)
        return {name: estimate for name, estimate in found.items() if estimate is not None}

    def table(self) -> pd.DataFrame:
        """One row for each number: what it is, value, 95 % interval, unit, and from what it was got."""
        rows = [
            {
                "number": name,
                "title": TITLES[name],
                "value": e.value,
                "low": e.low,
                "high": e.high,
                "unit": e.unit,
                "from": e.how,
            }
            for name, e in self.estimates.items()
        ]
        return pd.DataFrame(rows)

    def site(self, name: str, like: LumpedSite | None = None, scale: float = 1.0) -> LumpedSite:
        """A lumped site with the numbers of these pieces.

        like : says what pieces cannot tell (survival and dormancy of newcomers, lymph, detection, and all that is None); by
        default the parameter tables do
        scale : cells of a lesion for each cell of a piece. Rates per cell stay; the limit of growth is `scale` times that of a
        piece, and what is shed that of `scale` pieces. Where scale is large, a lesion is one piece many times over: what chance
        does in a piece then differs between lesions, and is part of `growth_spread`.

        Raises
        ------
        ModelError
            If the pieces do not grow, or `scale` is below 1.
        """
        if not (math.isfinite(scale) and scale >= 1.0):
            raise ModelError(f"The scale is {scale:g}; a lesion has at least one cell for each cell of a piece.")
        growth, turnover = self.growth, self.turnover
        if growth is None or turnover is None or not growth.rate.value > 0.0 or not turnover.value < 1.0:
            raise ModelError(
                f"Pieces of '{self.tissue}' do not grow: {self.birth.value:.3g} births and {self.death.value:.3g} deaths per "
                "cell and hour. A lumped site needs lesions that do; measure longer, from later on, or where cells cycle."
            )

        def known(field_name: str, e: Estimate, factor: float = 1.0) -> Parameter:
            return self._parameter(name, field_name, e, factor, scale)

        rate = known("growth_rate", growth.rate)
        law: GrowthLaw = (
            exponential(rate) if growth.limit is None else gompertz(rate, known("growth_limit", growth.limit, scale))
        )
        numbers: dict[str, Parameter] = {"turnover": known("turnover", turnover)}
        numbers["growth_spread"] = self._spread(name, growth, scale)
        for each in ("cluster_share", "cluster_size", "awakening", "dormant_death", "re_entry"):
            if (estimate := getattr(self, each)) is not None:
                numbers[each] = known(each, estimate)
        if self.shedding is not None:
            power = self.shedding_exponent
            one = Estimate(1.0, 1.0, 1.0, "", "too few cells left to tell it from 1")
            numbers["shedding_exponent"] = known("shedding_exponent", power or one)
            exponent = 1.0 if power is None else power.value
            numbers["shedding"] = known("shedding", self.shedding, scale ** (1.0 - exponent))
        if like is None:
            like = LumpedSite(name=name, growth=law)
        return dataclasses.replace(like, name=name, growth=law, **cast(dict[str, Any], numbers))

    def _parameter(self, site: str, number: str, e: Estimate, factor: float, scale: float) -> Parameter:
        scaled = "" if factor == 1.0 else f", times {factor:.6g} for a lesion of {scale:g} times the cells"
        reason = (
            f"measured from {self.pieces} pieces of the tissue '{self.tissue}' over {self.hours:g} h from {self.after:g} h on, "
            f"seed {self.seed}: {e.how}{scaled}"
        )
        return Parameter(
            key=f"{site.replace(' ', '_')}_measured_{number}",
            title=TITLES[number],
            value=e.value * factor,
            unit=e.unit,
            basis="derived",
            reason=reason,
            source="",
            low=e.low * factor,
            high=e.high * factor,
            conditions=f"95 % interval over {self.pieces} pieces",
        )

    def _spread(self, site: str, growth: Growth, scale: float) -> Parameter:
        """Spread of growth between lesions: that between pieces, less the chance that such lesions have by themselves."""
        left = max(growth.variance - growth.chance / scale, 0.0)
        cv = math.sqrt(math.expm1(min(left, 50.0)))
        how = f"rates of {self.pieces} pieces of one limit, less what chance in lesions of {scale:g} times the cells explains"
        known = growth.scatter
        low, high = (cv, cv) if known is None else (min(known.low, cv), max(known.high, cv))
        return self._parameter(site, "growth_spread", Estimate(cv, low, high, "", how), 1.0, scale)


def measure(
    piece: SpatialSite | Tissue | Model,
    hours: str | float,
    replicates: int,
    seed: int = 0,
    *,
    tumour: Sequence[str] = (),
    dormant: Sequence[str] = (),
    tick: str | float | None = None,
    after: str | float = 0.0,
    threads: int = 2,
) -> PatchRates:
    """Measure the rates of a lumped site from pieces of tissue.

    piece : the tissue, with its cells at the start. hours : text with a unit, or h; replicates : pieces, each with chance of
    its own and, where parameters differ between animals, those of an animal of its own
    tumour, dormant : cell types; those of a site are known, and of a tissue all types are tumour cells unless said otherwise
    tick : step; a `Tissue` has its own. after : leave out so much time at the start. threads : change no bit of the result

    Assumes that pieces are independent, and that what happens in a piece depends on its past by its number of cycling cells
    only: a law without memory of how the piece came to it.

    Raises
    ------
    ModelError
        With everything that does not fit, or if there is never a living tumour cell.

    Examples
    --------
    >>> from paget.catalogue.primary_tumour import primary_tumour
    >>> measured = measure(primary_tumour(edge=200.0), "12 h", replicates=2)
    >>> measured.site("primary", scale=1000.0).growth.rate.basis
    'derived'
    """
    model = piece.model if isinstance(piece, SpatialSite) else piece.model() if isinstance(piece, Tissue) else piece
    if isinstance(piece, SpatialSite):
        types, asleep = tuple(tumour) or piece.tumour, tuple(dormant) or piece.dormant
    else:
        types, asleep = tuple(tumour) or model.cell_types, tuple(dormant)
    step = tick if tick is not None else piece.tick if isinstance(piece, Tissue) else None
    span, skipped, dt = (to_internal(x, "h") if isinstance(x, str) else x for x in (hours, after, step or 0.0))
    problems = list(_problems(model, types, asleep, span, skipped, dt, replicates))
    if problems:
        raise ModelError(f"The tissue '{model.name}' cannot be measured:", problems)
    w = watch(model, types, asleep, hours=span, after=skipped, dt=dt, pieces=replicates, seed=seed, threads=threads)
    if not w.hours().sum() + w.hours("dormant").sum() > 0.0:
        raise ModelError(
            f"The pieces of '{model.name}' hold no living tumour cell ({', '.join(types)}) from {skipped:g} h on; place some."
        )
    return _rates(w, model.name, span, skipped, seed, bool(asleep))


def _problems(
    model: Model, types: Sequence[str], asleep: Sequence[str], span: float, skipped: float, dt: float, replicates: int
) -> Iterable[str]:
    for name in dict.fromkeys((*types, *asleep)):
        if name not in model.cell_types:
            yield str(UnknownNameError("cell type", name, model.cell_types))
    for name in asleep:
        if name in model.cell_types and name not in types:
            yield f"the dormant type '{name}' is not among the tumour cells ({', '.join(types)})"
    if replicates < 2:
        yield f"{replicates} piece was asked for; intervals need two pieces at least, and are narrow from five on"
    if not dt > 0.0:
        yield 'the step is missing or not above 0; give tick="1 h", or what the tissue needs'
    elif span < dt:
        yield f"it would be watched for {span:g} h, which is less than one step of {dt:g} h"
    if skipped < 0.0:
        yield f"time to leave out at the start is {skipped:g} h; it must not be below 0"


def _rates(w: Watched, name: str, span: float, skipped: float, seed: int, sleeps: bool) -> PatchRates:
    cycling, resting = w.hours(), w.hours("dormant")
    of = "h of cycling cells"
    born, died = w.total("born"), w.total("died")
    nobody = Estimate(0.0, 0.0, math.inf, PER_HOUR, "no cycling cells")
    lives = cycling.sum() > 0.0
    turnover = None
    if born.sum() > 0.0:
        share = share_of(died, born + died, "births and deaths were deaths")
        value, low, high = (p / (1.0 - p) if p < 1.0 else math.inf for p in (share.value, share.low, share.high))
        turnover = Estimate(value, low, high, "", share.how)
    shed = shedding_of(w)
    parties = np.array([sizes.size for sizes in w.parties], np.float64)
    clusters = np.array([(sizes > 1).sum() for sizes in w.parties], np.float64)
    rest = sleeps and resting.sum() > 0.0
    in_rest = "h of dormant cells"
    return PatchRates(
        tissue=name,
        hours=span,
        after=skipped,
        pieces=w.pieces,
        seed=seed,
        birth=interval_of_rate(born, cycling, PER_HOUR, "divisions", of) if lives else nobody,
        death=interval_of_rate(died, cycling, PER_HOUR, "deaths", of) if lives else nobody,
        turnover=turnover,
        growth=growth_of(w),
        shed_per_cell=shed.per_cell if shed else None,
        shedding=shed.coefficient if shed else None,
        shedding_exponent=shed.exponent if shed else None,
        cluster_share=share_of(clusters, parties, "parties that left were clusters") if parties.sum() else None,
        cluster_size=cluster_size_of(w.parties),
        awakening=interval_of_rate(w.total("woken"), resting, PER_HOUR, "awakenings", in_rest) if rest else None,
        dormant_death=interval_of_rate(w.total("dormant died"), resting, PER_HOUR, "deaths", in_rest) if rest else None,
        re_entry=interval_of_rate(w.total("slept"), cycling, PER_HOUR, "fell asleep", of) if sleeps and lives else None,
        dormant_share=_part(resting, cycling + resting) if sleeps else None,
        watched=w,
    )


def _part(some: Real, of: Real) -> Estimate:
    """Share of cell-hours, with the interval of replicates."""
    value, half = jackknife(lambda k: np.array([some[k].sum() / of[k].sum()]), some.size)
    share, width = float(value[0]), float(half[0])
    low, high = max(share - width, 0.0), min(share + width, 1.0)
    return Estimate(share, low, high, "", f"{some.sum():.6g} of {of.sum():.6g} cell-hours")
