"""Networks inside cells as a virtual expression matrix: one row for each cell, one column for each node.

The state of a node, off or on or its level, stands where a count of transcripts would. It is activity, not abundance.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from paget.errors import DamagedResultError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["NO_NETWORK", "Expression", "expression"]

DRAWN = "network_drawn"
NO_NETWORK = "none"
GEOMETRY = ("id", "type", "x", "y", "z", "radius")
_Carried = tuple[int, Mapping[str, Any], Mapping[str, Any]]  # place of a network among all, the network, the node
_DIRECTED = ("_x", "_y", "_z")


@dataclass(frozen=True, eq=False)
class Expression:
    """A matrix over the cells of a frame.

    values : float32 [n, m]. variables : one row for each column of the matrix, indexed by its name: HGNC symbol where the
    node stands for one gene, else the node. activity : share of recent time that a node was on, float32 [n, m], NaN where it
    is not kept; None if it is kept of no node. network : name [n] of the network that each cell carries
    """

    values: npt.NDArray[np.float32]
    variables: pd.DataFrame
    activity: npt.NDArray[np.float32] | None
    network: npt.NDArray[np.object_]


def expression(frame: pd.DataFrame, model: Mapping[str, Any]) -> Expression:
    """States of nodes where the cells carry networks; else those variables of the cells that are plain numbers.

    Cells without a network have 0 in every column. Without any network the columns are the dimensionless variables of the
    cells that are finite in every cell, such as the activity of ERK; there may be none.

    Parameters
    ----------
    frame : cells as `Result.cells` gives them, [n].
    model : description of the model; its ``networks`` say what every bit means.
    """
    networks = model.get("networks") or ()
    return _of_networks(frame, networks) if networks else _of_variables(frame, model)


def _of_networks(frame: pd.DataFrame, networks: Sequence[Mapping[str, Any]]) -> Expression:
    import pandas as pd

    absent = sorted({c for row in networks for c in (*row["words"], DRAWN) if c not in frame})
    if absent:
        raise DamagedResultError(
            f"The manifest speaks of networks in the cells, but the frame has no {', '.join(absent)}."
        )
    columns: dict[tuple[str, tuple[str, ...]], list[_Carried]] = {}
    for which, network in enumerate(networks):
        for node in network["nodes"]:
            columns.setdefault((node["name"], tuple(node["genes"])), []).append((which, network, node))
    drawn = frame[DRAWN].to_numpy()
    words = {word: frame[word].to_numpy().view(np.uint64) for row in networks for word in row["words"]}
    carriers = [np.flatnonzero(_carry(frame, drawn, row)) for row in networks]
    values = np.zeros((len(frame), len(columns)), np.float32)
    activity = np.full(values.shape, np.nan, np.float32)
    kept = False
    for k, carried in enumerate(columns.values()):
        for which, network, node in carried:
            rows = carriers[which]
            for bit in node["bits"]:
                word = words[network["words"][bit // 64]][rows]
                values[rows, k] += (word >> np.uint64(bit % 64) & np.uint64(1)).astype(np.float32)
            if node["activity"] in frame:
                activity[rows, k], kept = frame[node["activity"]].to_numpy()[rows], True
    names = np.full(len(frame), NO_NETWORK, dtype=object)
    for rows, row in zip(carriers, networks, strict=True):
        names[rows] = row["name"]
    variables = pd.DataFrame([_described(*key, carried) for key, carried in columns.items()])
    variables.index = pd.Index(_unique_names(list(columns), variables), name="name")
    return Expression(values, variables, activity if kept else None, names)


def _carry(frame: pd.DataFrame, drawn: Any, network: Mapping[str, Any]) -> Any:
    """Which cells carry a network; in a body, those of its site that were drawn it, as each tissue counts its own."""
    carry = drawn == network["drawn"]
    return carry & (frame["site"].to_numpy() == network["site"]) if "site" in network else carry


def _described(name: str, genes: tuple[str, ...], carried: Sequence[_Carried]) -> dict[str, Any]:
    node = carried[0][2]
    kind = "gene" if len(genes) == 1 else "genes" if genes else "state"
    return {
        "symbol": ";".join(genes),
        "node": name,
        "label": node["label"] or name,
        "module": node["module"],
        "network": ";".join(dict.fromkeys(network["name"] for _, network, _ in carried)),
        "kind": kind,
        "input": bool(node["input"]),
        "levels": len(node["bits"]),
    }


def _unique_names(columns: Sequence[tuple[str, tuple[str, ...]]], variables: pd.DataFrame) -> list[str]:
    """A gene's symbol where one node of the cell stands for that gene alone; the node's name for the others.

    Inputs keep their names: they are what surrounds the cell or is given to it, not what it makes.
    """
    own = [
        genes[0] if len(genes) == 1 and not given else ""
        for (_, genes), given in zip(columns, variables["input"], strict=True)
    ]
    times, nodes = Counter(own), Counter(name for name, _ in columns)
    found = []
    for (name, _), symbol, network in zip(columns, own, variables["network"], strict=True):
        if symbol and times[symbol] == 1 and (symbol == name or not nodes[symbol]):
            found.append(symbol)
        else:
            found.append(name if nodes[name] == 1 else f"{name} ({network})")
    return found


def _of_variables(frame: pd.DataFrame, model: Mapping[str, Any]) -> Expression:
    import pandas as pd

    unit = model.get("cell_units", {})
    chosen = [
        name
        for name in frame.columns
        if frame[name].dtype.kind == "f"
        and name not in GEOMETRY
        and not unit.get(name)
        and not name.endswith(_DIRECTED)
        and np.isfinite(frame[name]).all()
    ]
    variables = pd.DataFrame(
        {"symbol": "", "node": "", "label": chosen, "module": "", "network": "", "kind": "state variable"},
        index=pd.Index(chosen, name="name", dtype=object),
    )
    values = frame[chosen].to_numpy(np.float32).reshape(len(frame), len(chosen))
    return Expression(values, variables, None, np.full(len(frame), NO_NETWORK, dtype=object))
