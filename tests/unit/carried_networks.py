"""Cells that stand still and carry networks, for tests of how networks and tissue meet."""

from __future__ import annotations

import numpy as np

from paget.process import quantity
from paget.signalling import Network, Node
from paget.tissue import CellDefinition, Cells, Tissue
from paget.tissue.networks import CellNetworks
from paget.vocabulary import VARIABLES

WHY = "for this test"
RATE = quantity("1 1/h", reason=WHY, key="rate")
SLOW = quantity("0.25 1/h", reason=WHY, key="slow")


def number(text, key="number"):
    return quantity(text, reason=WHY, key=key)


def network(*nodes, name="small", **more):
    return Network(name=name, nodes=nodes, up="{rate}", down="{rate}", quantities={"rate": RATE, "slow": SLOW}, **more)


RELAY = network(Node(name="Ligand"), Node(name="Receptor", logic="Ligand"), Node(name="Target", logic="Receptor"))


def carrying(
    carried, *, n=400, columns=None, kinds=None, types=("cell",), rules=(), body=(), tick="1 h", cells=None, **more
):
    """A tissue of `n` cells in a plane, far from each other, with `carried` by all types (a network) or by type (a mapping).

    columns : own variables of the cells -> values [n], in nM
    """
    side = int(np.ceil(np.sqrt(n)))
    x, y = np.meshgrid(np.arange(side) * 30.0 + 15.0, np.arange(side) * 30.0 + 15.0)
    places = np.stack([x.ravel()[:n], y.ravel()[:n], np.full(n, 10.0)], axis=1)
    columns = columns or {}
    own = {name: number("0 nM") for name in columns if name not in VARIABLES}
    definitions = cells or tuple(CellDefinition(name=name, own=own) for name in types)
    networks = carried if isinstance(carried, dict) else dict.fromkeys(types, carried)
    return Tissue(
        name="still",
        size=(side * 30.0, side * 30.0, 20.0),
        voxel=(30.0, 30.0, 20.0),
        cells=definitions,
        placed=Cells(places, types=kinds or types[0], columns={k: np.asarray(v) for k, v in columns.items()}),
        processes=(CellNetworks(networks=networks, **more),),
        rules=rules,
        body=body,
        tick=tick,
    )


def on(simulation, process_role, node):
    """Present state [n] of a node, in ascending order of id."""
    process = simulation.model.processes[process_role]
    carried = process.distinct[0]
    bit = carried.names.index(node)
    cells = simulation.world.cells
    word = cells.column(f"cell.network_{bit // 64}")[cells.order]
    return (word >> (bit % 64) & 1).astype(bool)
