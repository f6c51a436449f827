"""Tumours that grow in oxygen: the standard test of tissue simulators, as a layer and as a ball.

A living cell enters the cycle the faster the more oxygen it has, dies of its want, and pushes its neighbours. The numbers are
the published defaults of PhysiCell (Ghaffarizadeh et al. 2018, doi:10.1371/journal.pcbi.1005991).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paget.tissue import (
    Apoptosis,
    CellDefinition,
    Cells,
    Exchange,
    Necrosis,
    OxygenDependence,
    Substrate,
    Tissue,
    close_packed_ball,
    hexagonal_disc,
)
from paget.tissue.cycles import live

__all__ = ["growing_ball", "growing_disc", "tumour_cell"]

_REASON = "default of the published simulator"
_SOURCE = "Ghaffarizadeh2018"
SPACING = 0.95 * 2.0 * 8.41271  # um; diameter of the reference cell, slightly pressed


def tumour_cell(uptake: str = "10 /min") -> CellDefinition:
    """A tumour cell that divides in oxygen and dies without it; `uptake` is its rate of taking up oxygen."""
    return CellDefinition(
        name="tumour cell",
        label="tumour cell",
        ontology="CL:0001064",
        group="tumour",
        colour="#c2185b",
        cycle=live(),
        apoptosis=Apoptosis(),
        necrosis=Necrosis(),
        oxygen=OxygenDependence(),
        exchange={"field.oxygen": Exchange(uptake=uptake, reason=_REASON, source=_SOURCE)},
    )


def oxygen(walls: str, faces: tuple[str, ...]) -> Substrate:
    """Oxygen that diffuses from the faces of the tissue, where it is held."""
    return Substrate(
        field="field.oxygen",
        unit="mmHg",
        diffusion="1e5 um**2/min",
        decay="0.1 /min",
        initial=walls,
        walls=dict.fromkeys(faces, walls),
        reason=_REASON,
        source=_SOURCE,
    )


def growing_disc(
    oxygen_at_walls: str = "38 mmHg",
    *,
    uptake: str = "10 /min",
    positions: NDArray[np.float64] | None = None,
    size: float = 1500.0,
    tick: str = "6 min",
) -> Tissue:
    """A layer of tumour cells of 270 um radius in a square of `size` um, one voxel thick, in oxygen."""
    places = hexagonal_disc(270.0, SPACING) if positions is None else positions
    return Tissue(
        name="growing disc",
        title="A disc of tumour cells in oxygen",
        size=(size, size, 20.0),
        voxel=20.0,
        origin=(-size / 2, -size / 2, -10.0),
        substrates=(oxygen(oxygen_at_walls, ("xmin", "xmax", "ymin", "ymax")),),
        cells=(tumour_cell(uptake),),
        placed=Cells(places),
        tick=tick,
    )


def growing_ball(
    radius: float = 150.0, *, size: float = 700.0, oxygen_at_walls: str = "38 mmHg", tick: str = "6 min"
) -> Tissue:
    """A ball of tumour cells of `radius` um in a cube of `size` um, in oxygen."""
    return Tissue(
        name="growing ball",
        title="A ball of tumour cells in oxygen",
        size=(size, size, size),
        voxel=20.0,
        origin=(-size / 2, -size / 2, -size / 2),
        substrates=(oxygen(oxygen_at_walls, ("xmin", "xmax", "ymin", "ymax", "zmin", "zmax")),),
        cells=(tumour_cell(),),
        placed=Cells(close_packed_ball(radius, SPACING)),
        tick=tick,
    )
