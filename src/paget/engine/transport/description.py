"""What a diffusing field is made of: its values, what adds to it and takes from it, and what holds at its edges."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from paget.engine.transport.box import Box
from paget.errors import NumericalError
from paget.state.fields import Grid

__all__ = ["FACES", "Diffusing", "Fixed", "Held", "Inflow", "Saturable", "box_of", "check", "free_part"]

Real = NDArray[np.float64]

FACES = ("x-", "x+", "y-", "y+", "z-", "z+")


@dataclass(frozen=True)
class Held:
    """Voxels kept at a concentration, such as those of arteries: mask [nz, ny, nx], and values (one, or [nz, ny, nx])."""

    mask: NDArray[np.bool_]
    values: Real | float


@dataclass(frozen=True)
class Fixed:
    """A face of the tissue that is kept at a concentration.

    at : ``wall``, the concentration holds at the face itself, half a voxel from the nearest centres; or ``voxels``, it holds at
        the centres of the outermost layer of voxels, as BioFVM and PhysiCell have it. Where such layers meet along an edge,
        the last of x-, x+, y-, y+, z-, z+ counts; in such a layer, `Held` voxels do not.
    """

    value: float
    at: str = "wall"


@dataclass(frozen=True)
class Inflow:
    """A face through which material comes at a known flux, in the unit of the field times um/h; below zero it leaves."""

    flux: float


@dataclass(frozen=True)
class Saturable:
    """A sink that saturates (Michaelis-Menten): ``vmax c / (km + c)``, vmax [nz, ny, nx] per h, km in the unit of the field."""

    vmax: Real
    km: float


@dataclass(frozen=True)
class Diffusing:
    """One diffusing field: values and sources (per h) [nz, ny, nx], diffusion in um2/h, first-order loss in 1/h.

    Secretion towards a saturation T at a rate S is a source ``S T`` and a loss ``S``; exchange with capillaries of
    permeability P and plasma concentration c is a source ``P c`` and a loss ``P``. Faces that are not named are closed.

    shares : parts of the loss [nz, ny, nx] whose takings are to be known apart from those of the rest
    """

    name: str
    values: Real
    diffusion: float
    source: Real
    loss: Real | float
    held: Held | None = None
    faces: Mapping[str, Fixed | Inflow] = field(default_factory=dict)
    saturable: tuple[Saturable, ...] = ()
    shares: tuple[Real, ...] = ()

    @property
    def uniform(self) -> float | None:
        """The loss if it is the same everywhere, else None."""
        if np.ndim(self.loss) == 0:
            return float(self.loss)
        loss = np.asarray(self.loss)
        return float(loss.flat[0]) if float(np.ptp(loss)) == 0.0 else None

    @property
    def linear(self) -> bool:
        """Whether the field diffuses with one loss everywhere, so that every mode relaxes by its own exponential."""
        at_voxels = any(isinstance(face, Fixed) and face.at == "voxels" for face in self.faces.values())
        plain = self.held is None and not self.saturable and not self.shares
        return plain and not at_voxels and self.uniform is not None


def box_of(field: Diffusing, grid: Grid) -> tuple[Box, tuple[slice, slice, slice]]:
    """The box of voxels that are solved, and where it lies in the grid: layers that faces hold are taken off."""
    ends, part, shape = [], [], []
    for axis, n, ring in zip("zyx", grid.shape, grid.periodic[::-1], strict=True):
        pair = ["ring" if ring else "closed"] * 2
        begin, end = 0, n
        for side, sign in enumerate("-+"):
            face = field.faces.get(axis + sign)
            if isinstance(face, Fixed):
                pair[side] = "voxel" if face.at == "voxels" else "wall"
                begin, end = begin + (pair[side] == "voxel" and side == 0), end - (pair[side] == "voxel" and side == 1)
        ends.append((pair[0], pair[1]))
        part.append(slice(begin, end))
        shape.append(end - begin)
    x, y, z = grid.spacing
    return Box((shape[0], shape[1], shape[2]), (z, y, x), (ends[0], ends[1], ends[2])), (part[0], part[1], part[2])


def check(field: Diffusing, grid: Grid) -> None:
    """Refuse what has no meaning, by the name of the field.

    Raises
    ------
    NumericalError
        If diffusion, loss, a held concentration or uptake is negative or not a number, or faces do not fit the grid.
    """
    name = field.name
    if not field.diffusion >= 0.0 or math.isinf(field.diffusion):
        what = "negative" if field.diffusion < 0.0 else "not a finite number"
        raise NumericalError(f"{name}: the diffusion coefficient is {what} ({field.diffusion:g} um2/h)")
    _nowhere_below_zero(name, "first-order loss", field.loss, "1/h")
    for what, values in (("concentration", field.values), ("source", field.source)):
        if np.shape(values) != grid.shape:
            raise NumericalError(f"{name}: the {what} has shape {np.shape(values)}; the grid has {grid.shape} voxels")
        if not np.isfinite(values).all():
            at = np.argwhere(~np.isfinite(values))[0]
            raise NumericalError(f"{name}: the {what} is {values[tuple(at)]} in voxel (z, y, x) = {tuple(at.tolist())}")
    for sink in field.saturable:
        _nowhere_below_zero(name, "largest saturable uptake", sink.vmax, "per h")
        if not sink.km > 0.0 or math.isinf(sink.km):
            raise NumericalError(f"{name}: the half-saturation of uptake is {sink.km:g}; it must be above zero")
    if field.held is not None:
        if np.shape(field.held.mask) != grid.shape:
            shape = np.shape(field.held.mask)
            raise NumericalError(f"{name}: the mask of held voxels has shape {shape}; the grid has {grid.shape} voxels")
        kept = np.broadcast_to(field.held.values, grid.shape)[field.held.mask]
        _nowhere_below_zero(name, "concentration of held voxels", kept, "")
    for key, face in field.faces.items():
        _check_face(name, key, face, grid)
    if min(box_of(field, grid)[0].shape) < 1:
        raise NumericalError(
            f"{name}: held faces leave no voxel free; use ``at='wall'`` or more voxels along that axis"
        )


def _check_face(name: str, key: str, face: Fixed | Inflow, grid: Grid) -> None:
    if key not in FACES:
        raise NumericalError(f"{name}: there is no face '{key}'; faces are {', '.join(FACES)}")
    if grid.periodic["xyz".index(key[0])]:
        raise NumericalError(f"{name}: face '{key}' has a boundary, but the grid is periodic along {key[0]}")
    if isinstance(face, Inflow):
        if not math.isfinite(face.flux):
            raise NumericalError(f"{name}: the flux through face '{key}' is {face.flux}")
        return
    _nowhere_below_zero(name, f"concentration at face '{key}'", face.value, "")
    if face.at not in ("wall", "voxels"):
        raise NumericalError(f"{name}: face '{key}' is held at '{face.at}'; it can be held at 'wall' or at 'voxels'")


def _nowhere_below_zero(name: str, what: str, values: Real | float, unit: str) -> None:
    if np.size(values) and not (float(np.min(values)) >= 0.0 and math.isfinite(float(np.max(values)))):
        wrong = np.asarray(values)[~((np.asarray(values) >= 0.0) & np.isfinite(values))].flat[0]
        what += " is negative" if wrong < 0.0 else " is not a finite number"
        raise NumericalError(f"{name}: the {what} ({wrong:g}{' ' + unit if unit else ''})")


def free_part(field: Diffusing, part: tuple[slice, slice, slice]) -> NDArray[np.bool_] | None:
    """Which voxels of the solved box [nz, ny, nx] are not held, or None if all are free."""
    if field.held is None:
        return None
    mask = field.held.mask[part]
    return ~mask if mask.any() else None
