"""Which nodes of a network can flip in which states, as logic: what is left of it when only "zero or not" counts in a rate."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from paget.errors import ModelError, UnknownNameError
from paget.signalling.network import Network
from paget.signalling.tables import Tables

__all__ = ["formula", "held_bits", "next_states"]

Truth = NDArray[np.bool_]


def next_states(tables: Tables, bit: int) -> tuple[tuple[int, ...], Truth]:
    """Update function of an on-off node in the asynchronous dynamics: what it flips to, or stays at, in every state.

    While it is off it turns on wherever its rate up is not 0; while it is on it stays on wherever its rate down is 0. So a rate
    that is 0 in some state takes that transition away, and a node with both rates has an update function that names itself.

    Returns
    -------
    bits : of the nodes that it depends on, itself among them where it does
    truth : its next state [2**len(bits)]; the first bit is the lowest of the index
    """
    sources = tuple(int(i) for i in tables.regulator[tables.first_regulator[bit] : tables.first_regulator[bit + 1]])
    size = 2 ** len(sources)
    rates = tables.rates[tables.table[tables.table_at[bit] : tables.table_at[bit] + size]]
    off, on = rates[:, 0] > 0.0, rates[:, 1] == 0.0
    index = np.arange(size)
    if bit in sources:
        itself = (index >> sources.index(bit) & 1).astype(bool)
        return sources, np.where(itself, on, off)
    if np.array_equal(off, on):
        return sources, off
    return (*sources, bit), np.concatenate([off, on])


def formula(truth: Truth, names: tuple[str, ...]) -> str:
    """Write a truth table [2**len(names)] as a formula, by expansion in one variable after the other (Shannon 1949).

    >>> formula(np.array([False, True, True, True]), ("a", "b"))
    '(b | !b & a)'
    """
    return _expanded(truth, names, {})


def _expanded(truth: Truth, names: tuple[str, ...], known: dict[tuple[int, bytes], str]) -> str:
    if truth.all():
        return "true"
    if not truth.any():
        return "false"
    key = len(names), truth.tobytes()
    if key not in known:
        half = truth.size // 2
        low, high = (_expanded(part, names[:-1], known) for part in (truth[:half], truth[half:]))
        known[key] = _chosen(names[-1], low, high)
    return known[key]


def _chosen(name: str, low: str, high: str) -> str:
    """The formula `high` where a node is on, `low` where it is off."""
    if low == high:
        return low
    terms = [name if high == "true" else "" if high == "false" else f"{name} & {high}"]
    terms.append(f"!{name}" if low == "true" else "" if low == "false" else f"!{name} & {low}")
    text = " | ".join(term for term in terms if term)
    return f"({text})" if " " in text else text


def held_bits(network: Network, tables: Tables, hold: Mapping[str, float]) -> dict[int, bool]:
    """State of every on-off node that is held, from the levels at which nodes are held.

    Raises
    ------
    UnknownNameError, ModelError
        For a node that the network does not have, and a level that the node does not have.
    """
    found: dict[int, bool] = {}
    for name, level in hold.items():
        if name not in network:
            raise UnknownNameError("node", name, network.names)
        levels = network.node(name).levels
        if level != int(level) or not 0 <= level <= levels:
            choices = "0 or 1" if levels == 1 else f"a level from 0 to {levels}"
            raise ModelError(f"node '{name}' is held at {choices}, not at {level:g}")
        for k, bit in enumerate(np.flatnonzero(tables.owner == network.names.index(name))):
            found[int(bit)] = level > k
    return found
