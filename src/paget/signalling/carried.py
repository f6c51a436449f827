"""Which network the cells of a model carry, told so that a stored frame can be read without the model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol, runtime_checkable

from paget.signalling.network import Network

__all__ = ["CarriesNetworks", "network_rows"]


@runtime_checkable
class CarriesNetworks(Protocol):
    """A process that keeps the states of networks in columns of the cells, one bit for each node or level of a node."""

    role: str
    networks: Mapping[str, Network]
    shown: Mapping[str, str]

    @property
    def distinct(self) -> tuple[Network, ...]:
        """The networks, each once; a cell's column ``cell.network_drawn`` holds the place here of its own, from 1."""

    @property
    def words(self) -> tuple[str, ...]:
        """Cell variables that hold the bits, 64 to each."""


def network_rows(processes: Iterable[Any]) -> list[dict[str, Any]]:
    """One row for each network in cells: who carries it, and the meaning of every bit, as plain JSON values."""
    return [
        {
            "name": network.name,
            "title": network.title,
            "process": process.role,
            "drawn": k + 1,
            "cells": [cell for cell, carried in process.networks.items() if carried == network],
            "words": [word.split(".", 1)[1] for word in process.words],
            "nodes": _node_rows(network, process.shown),
        }
        for process in processes
        if isinstance(process, CarriesNetworks)
        for k, network in enumerate(process.distinct)
    ]


def _node_rows(network: Network, shown: Mapping[str, str]) -> list[dict[str, Any]]:
    rows, bit = [], 0
    for node in network.nodes:
        rows.append(
            {
                "name": node.name,
                "label": node.label,
                "module": node.module,
                "genes": list(node.genes),
                "input": node.is_input,
                "bits": list(range(bit, bit + node.levels)),
                "activity": shown[node.name].split(".", 1)[1] if node.name in shown else "",
            }
        )
        bit += node.levels
    return rows
