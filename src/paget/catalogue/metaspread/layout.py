"""Where cells and vessels are at the start of the model of metastatic spread."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paget.catalogue.metaspread.settings import MetaSpread
from paget.engine.chance import Chance

__all__ = ["central_sites", "place_founders", "place_vessels"]

Site = NDArray[np.int32]
NORMAL, RUPTURED = 1, 2


def central_sites(sites: int, wanted: int) -> Site:
    """The `wanted` sites closest to the middle of a grid, [2, wanted]; equally close ones in the order of x, then y."""
    x, y = np.divmod(np.arange(sites * sites), sites)
    away = (2 * x - (sites - 1)) ** 2 + (2 * y - (sites - 1)) ** 2
    order = np.argsort(away, kind="stable")[:wanted]
    return np.array([x[order], y[order]], np.int32)


def place_founders(settings: MetaSpread, chance: Chance) -> tuple[Site, NDArray[np.int8]]:
    """Places [2, n] and kinds [n] of the founders: one after the other on a random central site that has room.

    Mesenchymal cells come first.
    """
    p = settings.values
    free = central_sites(p.sites, p.founder_sites).T.tolist()
    held = [0] * len(free)
    u = chance.founder_uniforms("cells", p.founders, 1)[:, 0]
    place = np.empty((2, p.founders), np.int32)
    for i in range(p.founders):
        k = min(int(u[i] * len(free)), len(free) - 1)
        place[:, i] = free[k]
        held[k] += 1
        if held[k] == p.room:
            del free[k], held[k]
    kind = np.ones(p.founders, np.int8)
    kind[: round(p.founders * p.mesenchymal_share)] = 0
    return place, kind


def place_vessels(settings: MetaSpread, chance: Chance) -> tuple[NDArray[np.int8], Site, NDArray[np.int64]]:
    """Vessels at random sites: a map int8 [grids, n, n] (1 normal, 2 ruptured), sites [2, vessels], first of each grid.

    In the primary grid they keep off the middle and the border and stand on sites of their own; elsewhere they may be
    anywhere, also twice on a site, which then receives twice as many cells.
    """
    p = settings.values
    drawn = np.zeros((len(settings.grids), p.sites, p.sites), np.int8)
    open_sites = np.zeros((p.sites, p.sites), bool)
    open_sites[p.margin : p.sites - p.margin, p.margin : p.sites - p.margin] = True
    open_sites[tuple(central_sites(p.sites, p.free_sites))] = False
    free = np.argwhere(open_sites)
    count = p.ruptured_vessels + p.normal_vessels
    u = chance.founder_uniforms("vessels", free.shape[0], 1)[:, 0]
    chosen = [free[np.argsort(u, kind="stable")[:count]]]
    drawn[0][tuple(chosen[0][: p.ruptured_vessels].T)] = RUPTURED
    drawn[0][tuple(chosen[0][p.ruptured_vessels :].T)] = NORMAL
    for g, vessels in enumerate(p.vessels, start=1):
        u = chance.founder_uniforms(f"vessels of {settings.grids[g]}", vessels, 2)
        chosen.append(np.minimum((u * p.sites).astype(np.int64), p.sites - 1))
        drawn[g][tuple(chosen[g].T)] = NORMAL
    first = np.cumsum([0, *(len(sites) for sites in chosen)]).astype(np.int64)
    return drawn, np.concatenate(chosen).T.astype(np.int32).copy(), first
