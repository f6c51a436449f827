"""How the nodes of the curated networks are written: inputs, nodes with logic, and nodes that a share of the time are on.

Rates and shares stand in braces and are rows of the table ``networks`` of parameters, so that no node hides a number.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

from paget.process import Named
from paget.signalling import Expression, Network, Node
from paget.signalling.expression import quantities

__all__ = ["composed", "given", "graded", "of_module", "share_of", "switched"]


def given(name: str, label: str, *, start: float = 0.0, genes: tuple[str, ...] = ()) -> Node:
    """An input: what the surroundings, a drug, the genotype or the choice between two findings sets."""
    return Node(name=name, label=label, initial=start, module="inputs", genes=genes)


def switched(
    name: str,
    logic: str | tuple[str, ...],
    rate: str,
    label: str,
    edges: Mapping[str, str],
    *,
    up: str = "",
    down: str = "",
    start: float = 0.0,
    genes: tuple[str, ...] = (),
) -> Node:
    """A node that its logic turns on and off at the rate called `rate`; `up` or `down` in place of it where they differ."""
    speed = f"{{{rate}}}"
    return Node(
        name=name,
        logic=logic,
        up=up or speed,
        down=down or speed,
        label=label,
        edges=dict(edges),
        initial=start,
        genes=genes,
    )


def graded(
    name: str,
    share: str,
    rate: str,
    label: str,
    edges: Mapping[str, str],
    *,
    start: float = 0.0,
    genes: tuple[str, ...] = (),
) -> Node:
    """A node that is on for a share of the time: d P / dt = rate (share - P), with the share a formula of the other nodes.

    The rate up is rate x share, the rate down rate x (1 - share), so that P(on) = share exactly while the others stay.
    """
    return Node(
        name=name,
        up=f"{{{rate}}} * ({share})",
        down=f"{{{rate}}} * (1 - ({share}))",
        label=label,
        edges=dict(edges),
        initial=start,
        genes=genes,
    )


def share_of(node: Node) -> Expression | None:
    """The share of the time for which a node made by `graded` is on; None for other nodes."""
    up = node.speeds[0]
    return None if node.formulas or up is None else up.args[1]


def of_module(module: str, *nodes: Node) -> tuple[Node, ...]:
    """Nodes marked with the module that they belong to."""
    return tuple(dataclasses.replace(node, module=module) for node in nodes)


def composed(name: str, title: str, nodes: Iterable[Node], sources: tuple[str, ...]) -> Network:
    """A network of nodes, whose quantities are those rows of the table of parameters that it uses."""
    listed = tuple(nodes)
    used = {
        key for node in listed for one in (*node.formulas, *node.speeds) if one is not None for key in quantities(one)
    }
    named = {key: Named(key, "1/h" if key.endswith("_rate") else "") for key in sorted(used)}
    return Network(name=name, title=title, nodes=listed, quantities=named, sources=sources)
