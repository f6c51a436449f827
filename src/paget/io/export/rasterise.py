"""Cells painted into voxels: each voxel belongs to the cell in which it lies deepest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["rasterised"]

Real = npt.NDArray[np.float64]


def rasterised(
    centres: Real, radii: Real, labels: npt.NDArray[np.uint32], shape: tuple[int, int, int], edges: Sequence[float]
) -> npt.NDArray[np.uint32]:
    """Label [z, y, x] of the cell that covers the centre of each voxel, 0 where none does.

    Where cells overlap, the one wins of which the centre is nearest in units of its radius. A cell too small to cover the
    centre of any voxel is seen in the voxel that holds its own centre, unless another cell covers that.

    Parameters
    ----------
    centres : [n, 3], columns x, y, z in um; radii : [n] in um. labels : [n], from 1.
    shape : voxels (z, y, x). edges : of a voxel (x, y, z) in um; the first voxel begins at the origin. In one layer of voxels
        a cell is the disc of its radius, wherever in the layer it lies.
    """
    size = np.array(shape[::-1])
    picture = np.zeros(int(size.prod()), np.uint32)
    if not labels.size:
        return picture.reshape(shape)
    edge = np.asarray(edges, np.float64)
    home = np.clip(np.floor(centres / edge).astype(np.int64), 0, size - 1)
    in_home = (home + 0.5) * edge - centres  # from the centre of the cell to that of its voxel
    best = np.full(picture.size, np.inf)
    reach = np.ceil(radii.max() / edge).astype(np.int64)
    if shape[0] == 1:
        reach[2] = 0
        in_home[:, 2] = 0.0
    at_home = (home[:, 2] * size[1] + home[:, 1]) * size[0] + home[:, 0]
    for dz in range(-reach[2], reach[2] + 1):
        for dy in range(-reach[1], reach[1] + 1):
            for dx in range(-reach[0], reach[0] + 1):
                step = np.array([dx, dy, dz])
                depth = (((in_home + step * edge) ** 2).sum(axis=1)) / radii**2
                there = home + step
                covers = (depth < 1.0) & ((there >= 0) & (there < size)).all(axis=1)
                rows = np.flatnonzero(covers)
                if not rows.size:
                    continue
                rows = rows[np.argsort(-depth[rows], kind="stable")]  # where two cells share a voxel the last one stays
                places = at_home[rows] + (dz * size[1] + dy) * size[0] + dx
                nearer = depth[rows] < best[places]
                picture[places[nearer]], best[places[nearer]] = labels[rows[nearer]], depth[rows[nearer]]
    unseen = np.flatnonzero((picture[at_home] == 0) & ((centres >= 0.0) & (centres <= size * edge)).all(axis=1))
    picture[at_home[unseen]] = labels[unseen]
    return picture.reshape(shape)
