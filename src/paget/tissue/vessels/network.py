"""The vessels of a tissue as a value: nodes, and straight segments between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paget.errors import IdentityError, ModelError
from paget.state.cells import mix

__all__ = ["VesselNetwork", "fresh_ids"]

Real = NDArray[np.float64]
Whole = NDArray[np.int64]
Ids = NDArray[np.uint64]
Flags = NDArray[np.bool_]

NODE, SEGMENT = 201, 202  # salts of ids, so that the nth node and the nth segment of a bed differ


@dataclass(frozen=True, eq=False)
class VesselNetwork:
    """Capillaries as segments of the tissue's blood vessels; an immutable value that processes replace by a new one.

    Rows of nodes and of segments ascend by id. An id is never used again, and a vessel that is cut or extended has new ones, so
    that the same network has the same rows however it came about.

    node_ids : uint64 [n]; position : [3, n] um
    pressure : [n] mmHg where blood enters or leaves the tissue, NaN at all other nodes
    tip : [n] True at the migrating tip of a sprout; heading : [3, n] direction of a tip, else 0
    segment_ids : uint64 [m]; ends : int64 [2, m] rows of nodes; radius : [m] um
    leakiness : [m] permeability relative to that of a mature capillary
    flow : [m] pL/h of blood from the first end to the second; perfused : [m] True where there is flow
    idle : [m] h for which a segment has had no flow

    Raises
    ------
    ModelError
        If an end is no node, a radius is not positive, or a position is not finite.
    IdentityError
        If two nodes or two segments carry one id.
    """

    node_ids: Ids
    position: Real
    pressure: Real
    tip: Flags
    heading: Real
    segment_ids: Ids
    ends: Whole
    radius: Real
    leakiness: Real
    flow: Real
    perfused: Flags
    idle: Real

    def __post_init__(self) -> None:
        nodes, segments = np.argsort(self.node_ids, kind="stable"), np.argsort(self.segment_ids, kind="stable")
        if self.ends.size and not (self.ends.min() >= 0 and self.ends.max() < nodes.size):
            raise ModelError("A vessel ends at a node that does not exist; each end must be the row of a node.")
        if not np.isfinite(self.position).all():
            raise ModelError("A node of a vessel has a position that is not finite.")
        if not (self.radius > 0.0).all():
            raise ModelError(f"A vessel has a radius of {self.radius.min():g} um; every radius must be above zero.")
        rank = np.empty(nodes.size, np.int64)
        rank[nodes] = np.arange(nodes.size)
        rows = dict.fromkeys(_OF_NODES, nodes) | dict.fromkeys(_OF_SEGMENTS, segments)
        for name, order in rows.items():
            values = np.ascontiguousarray(getattr(self, name)[..., order])
            values = rank[values] if name == "ends" else values
            values.flags.writeable = False
            object.__setattr__(self, name, values)
        for what, ids in (("nodes", self.node_ids), ("segments", self.segment_ids)):
            if ids.size > 1 and bool((ids[1:] == ids[:-1]).any()):
                raise IdentityError(f"two {what} of the vessel network would carry one id")

    @classmethod
    def of(
        cls,
        position: Any,
        ends: Any,
        radius: Any,
        *,
        pressure: Mapping[int, float] | None = None,
        leakiness: Any = 1.0,
        perfused: Any = True,
    ) -> VesselNetwork:
        """Build a network from nodes `position` [3, n] and segments `ends` [2, m] of `radius`; `pressure` by row of node.

        Until its flow is solved, every segment counts as `perfused`.
        """
        position, ends = np.array(position, np.float64).reshape(3, -1), np.array(ends, np.int64).reshape(2, -1)
        n, m = position.shape[1], ends.shape[1]
        at = np.full(n, np.nan)
        for node, value in (pressure or {}).items():
            at[node] = value
        return cls(
            fresh_ids(n, NODE),
            position,
            at,
            np.zeros(n, np.bool_),
            np.zeros((3, n)),
            fresh_ids(m, SEGMENT),
            ends,
            np.broadcast_to(np.asarray(radius, np.float64), m).copy(),
            np.broadcast_to(np.asarray(leakiness, np.float64), m).copy(),
            np.zeros(m),
            np.broadcast_to(np.asarray(perfused, np.bool_), m).copy(),
            np.zeros(m),
        )

    @classmethod
    def none(cls) -> VesselNetwork:
        """A tissue without vessels."""
        return cls.of(np.empty((3, 0)), np.empty((2, 0)), np.empty(0))

    @property
    def a(self) -> Real:
        """First ends [3, m] of the segments in um."""
        return np.ascontiguousarray(self.position[:, self.ends[0]])

    @property
    def b(self) -> Real:
        """Second ends [3, m] of the segments in um."""
        return np.ascontiguousarray(self.position[:, self.ends[1]])

    @property
    def lengths(self) -> Real:
        """Lengths [m] of the segments in um."""
        length: Real = np.sqrt(((self.b - self.a) ** 2).sum(axis=0))
        return length

    @property
    def degree(self) -> Whole:
        """How many segments meet at each node [n]."""
        return np.bincount(self.ends.ravel(), minlength=self.node_ids.size)

    def changed(self, **parts: Any) -> VesselNetwork:
        """The same network with some of its arrays replaced."""
        return replace(self, **parts)

    def kept(self, segments: Flags) -> VesselNetwork:
        """The network of only these segments [m]; nodes that no segment reaches any more go with the others."""
        reached = np.zeros(self.node_ids.size, np.bool_)
        reached[self.ends[:, segments]] = True
        row = np.cumsum(reached) - 1
        parts = {name: getattr(self, name)[..., reached] for name in _OF_NODES}
        parts |= {name: getattr(self, name)[..., segments] for name in _OF_SEGMENTS}
        return VesselNetwork(**{**parts, "ends": row[parts["ends"]]})

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """The exact state, for a checkpoint."""
        return {name: getattr(self, name) for name in (*_OF_NODES, *_OF_SEGMENTS)}

    @classmethod
    def restored(cls, state: Mapping[str, NDArray[Any]]) -> VesselNetwork:
        """The network of a checkpoint."""
        return cls(**{name: state[name] for name in (*_OF_NODES, *_OF_SEGMENTS)})


_OF_NODES = ("node_ids", "position", "pressure", "tip", "heading")
_OF_SEGMENTS = ("segment_ids", "ends", "radius", "leakiness", "flow", "perfused", "idle")


def fresh_ids(n: int, salt: int) -> Ids:
    """Ids of the first `n` nodes or segments of a bed."""
    return mix(np.arange(n, dtype=np.uint64), salt)
