"""The numbers of the model of metastatic spread per tick and site, as its kernels need them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paget.catalogue.metaspread.settings import KINDS, MetaSpread

__all__ = ["PerTick"]

Real = NDArray[np.float64]


@dataclass(frozen=True)
class PerTick:
    """Settings in units of a tick and the distance of two sites, with the defects that they copy.

    walk : [2, 2], of each kind the probability of going one way and its change by a difference of the matrix of 1
    spread, keep, make, digest, late : of `lattice.advance_fields`; clip, limited : of `lattice.move`
    leaving, survival, share : of `lattice.release`; doubling, in_blood : ticks
    """

    walk: Real
    spread: float
    keep: float
    make: float
    digest: Real
    late: int
    clip: int
    limited: int
    leaving: float
    survival: Real
    share: Real
    doubling: tuple[int, int]
    in_blood: int

    @classmethod
    def of(cls, settings: MetaSpread) -> PerTick:
        p, has = settings.values, settings.has
        cell, field = p.tick / p.spacing**2, p.field_tick / p.spacing**2
        walk = [(cell * getattr(p, f"diffusion_{k}"), cell * getattr(p, f"haptotaxis_{k}") / 4.0) for k in KINDS]
        spread = p.mmp2_diffusion * field
        decay_tick = p.tick if has("decay clock") else p.field_tick
        doubling = [round(getattr(p, f"doubling_time_{kind}") / p.tick) for kind in KINDS]
        return cls(
            walk=np.array(walk),
            spread=spread,
            keep=1.0 - 4.0 * spread - decay_tick * p.mmp2_decay,
            make=p.field_tick * p.mmp2_secretion,
            digest=p.field_tick * np.array([p.matrix_digestion_cell, p.matrix_digestion_mmp2]),
            late=int(has("matrix order")),
            clip=int(not has("negative probabilities")),
            limited=int(not has("vessel capacity")),
            leaving=1.0 - p.leaving_cluster if has("disaggregation") else p.leaving_cluster,
            survival=np.array([p.survival_single, p.survival_cluster]),
            share=np.cumsum([0.0, *p.shares]),
            doubling=(doubling[0], doubling[1]),
            in_blood=round(p.time_in_blood / p.tick),
        )
