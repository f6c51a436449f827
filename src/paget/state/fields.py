"""Fields: one value per voxel, on a grid of boxes over the tissue."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paget.errors import ModelError

__all__ = ["Fields", "Grid"]

CUBIC_MICROMETRES_PER_PICOLITRE = 1000.0
BYTES_PER_VALUE = 8
# Solving one field takes about this many arrays of its size: values, source, loss, and what the solver keeps.
ARRAYS_PER_FIELD = 12
MEMORY_SHARE = 0.5


def _physical_memory() -> int | None:
    """Bytes of memory of this machine, or None where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


@dataclass(frozen=True)
class Grid:
    """A box of voxels; one layer of voxels is a 2-D tissue (a thin section).

    size : edge lengths (x, y, z) in um, whole multiples of the voxel's
    voxel : edge of a cubic voxel in um, or its edges (x, y, z)
    periodic : axes (x, y, z) whose two ends are the same place
    """

    size: tuple[float, float, float]
    voxel: float | tuple[float, float, float]
    periodic: tuple[bool, bool, bool] = (False, False, False)

    def __post_init__(self) -> None:
        if not all(math.isfinite(length) and length > 0 for length in (*self.size, *self.spacing)):
            raise ModelError(
                f"A domain of {self.size} um with voxels of {self.voxel} um has no volume: give lengths above zero."
            )
        for axis, length, edge in zip("xyz", self.size, self.spacing, strict=True):
            if length / edge < 0.5 or abs(length / edge - round(length / edge)) > 1e-9 * max(1.0, length / edge):
                raise ModelError(
                    f"The domain is {length:g} um along {axis}, which is not a whole number of {edge:g} um voxels."
                )
        memory, needed = _physical_memory(), self.bytes_per_field * ARRAYS_PER_FIELD
        if memory is not None and needed > MEMORY_SHARE * memory:
            x, y, z = self.shape[::-1]
            raise ModelError(
                f"A grid of {x} x {y} x {z} = {x * y * z:,} voxels needs {self.bytes_per_field / 1e9:,.1f} GB for every "
                f"field and about {needed / 1e9:,.1f} GB to solve one; this machine has {memory / 1e9:,.1f} GB. "
                "Choose larger voxels or a smaller domain."
            )

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Edges (x, y, z) of a voxel in um."""
        return self.voxel if isinstance(self.voxel, tuple) else (self.voxel, self.voxel, self.voxel)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along (z, y, x)."""
        x, y, z = (round(length / edge) for length, edge in zip(self.size, self.spacing, strict=True))
        return (z, y, x)

    @property
    def flat(self) -> bool:
        """True for a 2-D tissue."""
        return self.shape[0] == 1

    @property
    def voxel_volume(self) -> float:
        """Volume of one voxel in pL."""
        if not isinstance(self.voxel, tuple):
            return self.voxel**3 / CUBIC_MICROMETRES_PER_PICOLITRE
        return math.prod(self.spacing) / CUBIC_MICROMETRES_PER_PICOLITRE

    @property
    def volume(self) -> float:
        """Volume of the tissue in mm3."""
        x, y, z = self.size
        return x * y * z * 1e-9

    @property
    def bytes_per_field(self) -> int:
        """Memory that the values of one field take."""
        return math.prod(self.shape) * BYTES_PER_VALUE


class Fields:
    """Values [n_fields, nz, ny, nx] of all fields, in the order of `names`."""

    def __init__(self, names: Sequence[str], grid: Grid) -> None:
        self.names = tuple(names)
        self.grid = grid
        self._index = {name: i for i, name in enumerate(names)}
        self.values: NDArray[np.float64] = np.zeros((len(names), *grid.shape))

    def __contains__(self, name: str) -> bool:
        return name in self._index

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        """The live array [nz, ny, nx] of one field."""
        array: NDArray[np.float64] = self.values[self._index[name]]
        return array
