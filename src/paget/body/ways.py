"""Where blood and lymph go: the graph of an anatomy, its flows, volumes and Markov chain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from paget.body.chain import Chain

if TYPE_CHECKING:
    from paget.body.organs import Anatomy

__all__ = ["MEDIA", "Edges", "assembled", "edges_of", "flows_of", "reached", "volumes_of"]

MEDIA = ("blood", "lymph")
Edges = dict[str, list[tuple[str, float]]]


def _leaving(anatomy: Anatomy, organ: str, medium: str) -> list[tuple[str, float]]:
    """The nodes at which what leaves an organ by a medium begins, with their shares."""
    ways = [
        (route.name, share.inside(""))
        for route in anatomy.routes
        if route.medium == medium
        for name, share in route.shares
        if name == organ
    ]
    if medium == "blood":
        ways.insert(0, (anatomy[organ].drains, 1.0 - sum(share for _, share in ways)))
    return [(node, share) for node, share in ways if share > 0.0]


def edges_of(anatomy: Anatomy) -> Edges:
    """Successors of every node with their shares: conduits, then beds of organs, then routes."""
    edges: Edges = {}
    for conduit in anatomy.conduits:
        edges[conduit.name] = [(conduit.into, 1.0)] if conduit.into else []
        if not conduit.into:
            edges[conduit.name] = [(o.name, o.flow.inside("")) for o in anatomy.organs if o.flow.inside("") > 0.0]
    for organ in anatomy.organs:
        edges[organ.name] = _leaving(anatomy, organ.name, "blood")
    for route in anatomy.routes:
        edges[route.name] = [(route.into, 1.0)]
    return edges


def reached(edges: Edges, begin: str) -> set[str]:
    """The nodes that can be reached from one, itself included."""
    seen, waiting = {begin}, [begin]
    while waiting:
        for node, _ in edges.get(waiting.pop(), ()):
            if node not in seen:
                seen.add(node)
                waiting.append(node)
    return seen


def flows_of(anatomy: Anatomy) -> dict[str, float]:
    """Flow of blood through every node, as a share of the cardiac output: what comes in goes out."""
    edges = edges_of(anatomy)
    names = [*edges]
    arteries = next(c.name for c in anatomy.conduits if not c.into)
    carried = reached(edges, arteries)
    index = {name: i for i, name in enumerate(n for n in names if n in carried)}
    balance = np.eye(len(index))
    for name, successors in edges.items():
        for successor, share in successors if name in index else ():
            if successor != arteries:
                balance[index[successor], index[name]] -= share
    given = np.zeros(len(index))
    given[index[arteries]] = 1.0
    solved = np.linalg.solve(balance, given)
    return {name: float(solved[index[name]]) if name in index else 0.0 for name in names}


def volumes_of(anatomy: Anatomy) -> dict[str, float]:
    """Blood in every node, mL: small vessels as given; conduits share what is left of the blood volume."""
    volumes = {organ.name: organ.vessels.inside("mL") for organ in anatomy.organs}
    routes = {route.name: route.vessels.inside("mL") if route.vessels else 0.0 for route in anatomy.routes}
    left = anatomy.blood.inside("mL") - sum(volumes.values()) - sum(routes.values())
    total = sum(conduit.share.inside("") for conduit in anatomy.conduits)
    conduits = {c.name: left * c.share.inside("") / total for c in anatomy.conduits}
    return {**conduits, **volumes, **routes}


def assembled(anatomy: Anatomy) -> Chain:
    """The Markov chain of an anatomy whose ways have been checked."""
    edges, flows, volumes = edges_of(anatomy), flows_of(anatomy), volumes_of(anatomy)
    output = anatomy.cardiac_output.inside("mL/h")
    names = tuple(edges)
    index = {name: i for i, name in enumerate(names)}
    organs = {name: i for i, name in enumerate(anatomy.names)}
    bed = {name: name for name in organs} | {route.name: route.passes for route in anatomy.routes if route.passes}
    stays = {route.name: route.transit.inside("h") for route in anatomy.routes if route.transit is not None}
    transit = [stays[n] if n in stays else volumes[n] / (flows[n] * output) for n in names]
    start, successor, share = _ranges([edges[name] for name in names], index)
    leaving = [_leaving(anatomy, organ, medium) for medium in MEDIA for organ in organs]
    bounds, entry, entry_share = _ranges(leaving, index)
    count = len(organs)
    return Chain(
        names=names,
        organs=tuple(organs),
        transit=np.array(transit),
        organ=np.array([organs[bed[name]] if name in bed else -1 for name in names], dtype=np.int64),
        start=start,
        successor=successor,
        share=share,
        first=np.stack([bounds[: count + 1], bounds[count:]]),
        entry=entry,
        entry_share=entry_share,
    )


def _ranges(
    lists: list[list[tuple[str, float]]], index: dict[str, int]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Lists of (node, share) as bounds, nodes and cumulative shares, of which the last is 1."""
    bounds, nodes, shares = [0], [], []
    for ways in lists:
        total = sum(share for _, share in ways)
        risen = np.cumsum([share / total for _, share in ways])
        risen[-1:] = 1.0
        nodes += [index[node] for node, _ in ways]
        shares += risen.tolist()
        bounds.append(len(nodes))
    return np.array(bounds, dtype=np.int64), np.array(nodes, dtype=np.int64), np.array(shares)
