"""Fields: one value per voxel, on a grid of cubes over the tissue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paget.errors import ModelError

__all__ = ["Fields", "Grid"]

CUBIC_MICROMETRES_PER_PICOLITRE = 1000.0


@dataclass(frozen=True)
class Grid:
    """A box of cubic voxels; one layer of voxels is a 2-D tissue (a thin section).

    size : edge lengths (x, y, z) in um, whole multiples of `voxel`; voxel : edge of a voxel in um.
    """

    size: tuple[float, float, float]
    voxel: float

    def __post_init__(self) -> None:
        if self.voxel <= 0 or min(self.size) <= 0:
            raise ModelError(f"A domain of {self.size} um with voxels of {self.voxel} um has no volume.")
        for axis, length in zip("xyz", self.size, strict=True):
            if abs(length / self.voxel - round(length / self.voxel)) > 1e-9:
                raise ModelError(
                    f"The domain is {length:g} um along {axis}, which is not a whole number of {self.voxel:g} um voxels."
                )

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along (z, y, x)."""
        x, y, z = (round(length / self.voxel) for length in self.size)
        return (z, y, x)

    @property
    def flat(self) -> bool:
        """True for a 2-D tissue."""
        return self.shape[0] == 1

    @property
    def voxel_volume(self) -> float:
        """Volume of one voxel in pL."""
        return self.voxel**3 / CUBIC_MICROMETRES_PER_PICOLITRE

    @property
    def volume(self) -> float:
        """Volume of the tissue in mm3."""
        x, y, z = self.size
        return x * y * z * 1e-9


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
