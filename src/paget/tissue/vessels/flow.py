"""Blood flow through a network of vessels: Poiseuille's law in every segment, and no blood lost at a node."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from paget.errors import ModelError
from paget.tissue.vessels.network import VesselNetwork

__all__ = ["conductances", "node_pressures", "with_flow"]

Real = NDArray[np.float64]

PASCAL_PER_MMHG = 133.322387415
# Of the largest flow: what is smaller is the rounding of a solution in which no blood runs there.
NO_FLOW = 1e-9
SHORTEST = 1e-3  # um; a joint of two vessels at one point offers no more resistance than this


def conductances(network: VesselNetwork, viscosity: float) -> Real:
    """Flow per pressure [m] in pL/(h mmHg) of every segment: pi r^4 / (8 eta L); viscosity in mPa s.

    Raises
    ------
    ModelError
        If the viscosity is not positive.
    """
    if not viscosity > 0.0:
        raise ModelError(f"Blood needs a viscosity above zero; {viscosity:g} mPa s was given.")
    per_second = (
        math.pi * network.radius**4 / (8.0 * viscosity * 1e-3 * np.maximum(network.lengths, SHORTEST))
    )  # um3 / (s Pa)
    return per_second * PASCAL_PER_MMHG * 3600.0 / 1000.0


def node_pressures(network: VesselNetwork, viscosity: float) -> Real:
    """Pressure [n] in mmHg at every node: sum of flows = 0 inside; NaN where no path leads to a node of given pressure."""
    n = network.node_ids.size
    pressure = np.array(network.pressure)
    given = np.isfinite(pressure)
    first, second = network.ends
    g = conductances(network, viscosity)
    links = coo_array((np.ones(g.size), (first, second)), shape=(n, n))
    _, part = connected_components(links, directed=False)
    inside = np.isin(part, part[given]) & ~given
    if not inside.any():
        return pressure
    rows = np.concatenate([first, second, first, second])
    columns = np.concatenate([first, second, second, first])
    matrix = coo_array((np.concatenate([g, g, -g, -g]), (rows, columns)), shape=(n, n)).tocsr()[inside]
    known = matrix[:, given] @ pressure[given]
    pressure[inside] = splu(matrix[:, inside].tocsc(), permc_spec="MMD_AT_PLUS_A").solve(-known)
    return pressure


def with_flow(network: VesselNetwork, viscosity: float) -> VesselNetwork:
    """The network with its flow [pL/h] and with what is perfused; a segment that newly has flow, or has it still, is not idle.

    Flow is pi r^4 / (8 eta L) times the drop of pressure. Assumes one viscosity, rigid vessels and no leak of blood volume.
    Leaves out the splitting of red cells at branches.
    """
    if network.segment_ids.size == 0:
        return network
    pressure = np.nan_to_num(node_pressures(network, viscosity), nan=0.0)
    drop = pressure[network.ends[0]] - pressure[network.ends[1]]
    flow = conductances(network, viscosity) * drop
    perfused = np.abs(flow) > NO_FLOW * float(np.abs(flow).max())
    flow = np.where(perfused, flow, 0.0)
    return network.changed(flow=flow, perfused=perfused, idle=np.where(perfused, 0.0, network.idle))
