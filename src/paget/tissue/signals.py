"""What the cells of a tissue sense: values of all signals that their rules listen to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from paget.kernels.rules import count_neighbours
from paget.rules.signals import Signal, neighbours_of

if TYPE_CHECKING:
    from paget.access import See

__all__ = ["reads_of", "sensed"]

Real = NDArray[np.float64]
ATTACK = "cell.attack_left"


def reads_of(signals: Sequence[Signal], nodes: Mapping[str, str]) -> tuple[str, ...]:
    """Names of the variables behind the signals; `nodes` gives the cell variable of every node of the network."""
    found: list[str] = []
    for one in signals:
        if one.kind in ("variable", "gradient"):
            found.append(one.about)
        elif one.kind == "contact":
            found += ["cell.contacts", "cell.death", "cell.type"]
        elif one.kind == "state":
            found.append(ATTACK if one.about == "attacking" else "cell.death")
        elif one.kind == "node":
            found.append(nodes[one.about])
    return tuple(dict.fromkeys(found))


def sensed(see: See, signals: Sequence[Signal], nodes: Mapping[str, str]) -> Real:
    """Values [n_signals, n] of the signals at every cell: levels, lengths of gradients, counts of neighbours, 0 or 1."""
    out = np.empty((len(signals), see.count))
    touching = [row for row, one in enumerate(signals) if one.kind == "contact"]
    for row, one in enumerate(signals):
        if one.kind == "variable" and one.about.startswith("field."):
            out[row] = see.here(one.about)
        elif one.kind == "variable":
            out[row] = see[one.about]
        elif one.kind == "gradient":
            out[row] = np.sqrt((see.slope(one.about) ** 2).sum(axis=0))
        elif one.kind == "state":
            out[row] = _state(see, one.about)
        elif one.kind == "time":
            out[row] = see.time
        elif one.kind == "node":
            out[row] = see[nodes[one.about]]
    if touching:
        start, other = see.contacts()
        kind = np.stack([_kind(see, signals[row].about) for row in touching]).astype(np.uint8)
        out[touching] = count_neighbours(see.threads, start, other, kind)
    return out


def _state(see: See, state: str) -> NDArray[np.bool_]:
    found: NDArray[np.bool_]
    if state == "attacking":
        found = see[ATTACK] > 0.0
        return found
    death = see["cell.death"]
    found = {"live": death == 0, "dead": death > 0, "apoptotic": death == 1, "necrotic": death >= 2}[state]
    return found


def _kind(see: See, about: str) -> NDArray[np.bool_]:
    """Which cells a contact signal counts: those of a state, or all of a type, living and dead."""
    state = neighbours_of(about) if about not in see.cell_types else ""
    return _state(see, state) if state else see.is_type(about)
