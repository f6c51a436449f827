"""Phenotypes: formulas over the nodes of a network that name what a cell is or does."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from paget.errors import UnknownNameError
from paget.signalling.expression import Expression, evaluate, names, parse
from paget.signalling.network import Network
from paget.signalling.population import Population

__all__ = ["Formula", "holding", "in_population", "parsed", "phenotypes_of"]

Formula = str | Expression
Truth = NDArray[np.bool_]


def parsed(network: Network, phenotypes: Mapping[str, Formula]) -> dict[str, Expression]:
    """Read formulas over the levels of nodes, such as ``"Invasion & !Migration"`` or ``"EMT >= 2"``.

    Raises
    ------
    ExpressionError, UnknownNameError
        If one cannot be read, or names what is no node.
    """
    found = {name: parse(given) if isinstance(given, str) else given for name, given in phenotypes.items()}
    for expression in found.values():
        for node in names(expression):
            if node not in network:
                raise UnknownNameError("node", node, network.names)
    return found


def holding(expression: Expression, levels: Mapping[str, NDArray[np.int64]], size: int) -> Truth:
    """Where a formula holds [size], for levels [size] of nodes."""
    return np.broadcast_to(np.not_equal(evaluate(expression, levels, {}), 0), (size,))


def phenotypes_of(
    network: Network, phenotypes: Mapping[str, Formula], levels: Mapping[str, NDArray[np.int64]]
) -> list[str]:
    """Name of the first phenotype whose formula holds in each state, "none" where none does."""
    size = next(iter(levels.values())).size
    named = np.full(size, "none", dtype=object)
    for name, expression in reversed(parsed(network, phenotypes).items()):
        named[holding(expression, levels, size)] = name
    return [str(name) for name in named]


def in_population(expressions: Mapping[str, Expression], population: Population) -> dict[str, Truth]:
    """In which cells [n] of a population each formula holds now."""
    needed = dict.fromkeys(node for one in expressions.values() for node in names(one))
    levels = {node: population.level(node) for node in needed}
    return {name: holding(one, levels, len(population)) for name, one in expressions.items()}
