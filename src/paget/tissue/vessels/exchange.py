"""What passes through the walls of vessels: molecules in and out of the tissue, and where cells enter or leave."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from paget.errors import ModelError
from paget.kernels import philox
from paget.kernels.vessels import nearest_vessels, voxels_of_segments
from paget.state import Grid
from paget.tissue.vessels.network import VesselNetwork

__all__ = ["delivered", "entry_points", "exchange_coefficient", "vessels_near"]

Real = NDArray[np.float64]
Whole = NDArray[np.int64]

# The value of a voxel that holds a line source is that of the exact field at this share of the voxel's edge
# (Peaceman 1978, doi:10.2118/6893-PA).
WELL_RADIUS = 0.14
# Of the resistance of the wall, what at least remains where voxels are much finer than a vessel with an open wall.
LEAST_RESISTANCE = 0.1
SMALLEST_BOX = 25.0  # um; boxes to look for vessels in need not be finer than this


def exchange_coefficient(network: VesselNetwork, grid: Grid, permeability: float, diffusion: float = 0.0) -> Real:
    """Rate [nz, ny, nx] in 1/h at which a voxel comes to equilibrium with the plasma: permeability x surface / volume.

    permeability : um/h of a mature capillary; diffusion : um2/h of the field in the tissue
    Only perfused segments exchange, each by its own length inside the voxel: 2 pi r L P x leakiness / V.

    A voxel does not resolve the steep field at a vessel. With `diffusion` given, what the wall sees is taken from the exact
    field of a line source, so that supply hardly depends on the voxels: to the resistance of the wall, 1 / (2 pi r P), is
    added that of the tissue from the wall to the radius at which the voxel stands for the field, ln(r_voxel / r) / (2 pi D),
    which is negative where voxels are finer than about 5 radii. In a 2-D tissue it applies to vessels that cross the plane.

    Raises
    ------
    ModelError
        If permeability or diffusion is negative.
    """
    if permeability < 0.0 or diffusion < 0.0:
        raise ModelError(
            f"Vessels need a permeability and a diffusion of zero or more; {permeability:g} um/h and {diffusion:g} um2/h "
            "were given."
        )
    coefficient = np.zeros(grid.shape)
    live = np.flatnonzero(network.perfused)
    if live.size == 0 or permeability == 0.0:
        return coefficient
    dx, dy, dz = grid.spacing
    a, b = network.a[:, live].copy(), network.b[:, live].copy()
    segment, voxel, length = voxels_of_segments(a, b, np.array(grid.spacing), grid.shape)
    radius = network.radius[live]
    conductance = 2.0 * math.pi * radius * permeability * network.leakiness[live]
    if diffusion > 0.0:
        edge = math.hypot(dx, dy) if grid.flat else math.sqrt(2.0) * (dx * dy * dz) ** (1.0 / 3.0)
        beyond = np.log(WELL_RADIUS * edge / radius) / (2.0 * math.pi * diffusion)
        if grid.flat:
            beyond = beyond * np.abs(b[2] - a[2]) / network.lengths[live]
        conductance = conductance / np.maximum(1.0 + conductance * beyond, LEAST_RESISTANCE)
    amount = np.bincount(voxel, weights=conductance[segment] * length, minlength=coefficient.size)
    coefficient += amount.reshape(grid.shape) / (dx * dy * dz)
    return coefficient


def delivered(coefficient: Real, plasma: float, values: Real, grid: Grid) -> float:
    """Amount per h, in (unit of the field) pL / h, that vessels give to a tissue whose field is `values` [nz, ny, nx].

    Negative where the tissue gives to the blood. With `values` at the end of an implicit step, this is exactly what the step
    brought in; what leaves the plasma and what enters the tissue are the same number.
    """
    return float((coefficient * (plasma - values)).sum()) * grid.voxel_volume


def entry_points(
    network: VesselNetwork, cells: int | NDArray[np.uint64], key: np.uint64, step: int
) -> tuple[Real, Whole]:
    """Places on vessel walls where cells enter, uniform over the length of perfused vessels: (position [3, n] um, segment).

    cells : how many, or ids [n] from which their places follow. key, step : stream and tick of the random numbers

    Raises
    ------
    ModelError
        If cells are to enter a tissue without a perfused vessel.
    """
    ids = np.arange(cells, dtype=np.uint64) if isinstance(cells, int) else cells
    count = ids.size
    if count == 0:
        return np.empty((3, 0)), np.empty(0, np.int64)
    live = np.flatnonzero(network.perfused)
    if live.size == 0:
        raise ModelError(f"{count} cells are to enter the tissue, but none of its vessels is perfused.")
    u = philox.uniforms(key, ids, step, 3)
    until = np.cumsum(network.lengths[live])
    row = live[np.minimum(np.searchsorted(until, u[:, 0] * until[-1]), live.size - 1)]
    a, b = network.a[:, row], network.b[:, row]
    way = (b - a) / network.lengths[row]
    # Two directions across the vessel; the first is taken from the axis that the vessel follows least.
    least = np.zeros_like(way)
    least[np.argmin(np.abs(way), axis=0), np.arange(count)] = 1.0
    first = np.cross(way.T, least.T).T
    first /= np.sqrt((first**2).sum(axis=0))
    second = np.cross(way.T, first.T).T
    angle = 2.0 * np.pi * u[:, 2]
    wall = network.radius[row] * (np.cos(angle) * first + np.sin(angle) * second)
    return a + u[:, 1] * (b - a) + wall, row


def vessels_near(
    network: VesselNetwork, position: Real, radius: Real, reach: float, size: tuple[float, float, float]
) -> tuple[Whole, Real]:
    """Which cells touch a vessel, and which one: (segment [n] or -1, gap [n] in um between membrane and wall, inf if none).

    position : [3, n] um and radius : [n] um of the cells; reach : um of gap within which a cell touches; size : tissue in um
    Every vessel counts, perfused or not; its `perfused` says whether a cell that gets in is carried away.
    """
    if position.shape[1] == 0 or network.segment_ids.size == 0:
        return np.full(position.shape[1], -1), np.full(position.shape[1], np.inf)
    furthest = reach + float(radius.max())
    segment, distance = nearest_vessels(
        np.ascontiguousarray(position),
        network.a,
        network.b,
        network.radius,
        furthest,
        np.array(size, np.float64),
        max(SMALLEST_BOX, furthest),
    )
    gap = distance - radius
    near = gap <= reach
    return np.where(near, segment, -1), np.where(near, gap, np.inf)
