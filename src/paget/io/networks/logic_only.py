"""What of a network a format of logic alone can hold: which changes are possible, but not how fast.

A node can turn on where it is off and its logic calls for it. Rates that are 0 in some states, or that take the place of logic,
change which changes are possible; rates that depend on the state change how likely. Such a network is not written silently.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from paget.errors import ModelError
from paget.io.networks.formulas import by_logic
from paget.signalling.expression import Expression, evaluate, names, number, variable
from paget.signalling.network import Network, Node

__all__ = ["is_always_on", "possible", "refuse_rates"]


def refuse_rates(network: Network, values: Mapping[str, float], format_name: str, others: tuple[str, ...] = ()) -> None:
    """Refuse a network whose rates say more than how fast; `others` is what else would be lost.

    Raises
    ------
    ModelError
        With every node that would lose something.
    """
    lost = [*_lost(network, values), *others]
    if lost:
        raise ModelError(
            f"{format_name} has no rates, and '{network.name}' would lose some that matter. Write it with logic_only=True to "
            "keep only which changes are possible, or use write_maboss:",
            lost,
        )


def _lost(network: Network, values: Mapping[str, float]) -> Iterator[str]:
    for node in network.nodes:
        if not node.is_input and not node.formulas:
            yield f"node '{node.name}' has rates and no logic"
        elif not node.is_input:
            for direction, speed in zip(("up", "down"), network.speeds_of(node), strict=True):
                if speed is not None and names(speed):
                    yield f"node '{node.name}': its rate {direction} depends on the state: {speed}"
                elif not is_always_on(speed, values):
                    yield f"node '{node.name}': its rate {direction} is 0"


def is_always_on(speed: Expression | None, values: Mapping[str, float]) -> bool:
    """Whether a rate is the same in all states, and not 0."""
    return speed is not None and not names(speed) and float(evaluate(speed, {}, values)) > 0.0


def possible(network: Network, node: Node, values: Mapping[str, float]) -> Expression:
    """The state that a node of a network without levels can change to, in terms of not, and, or; where it cannot, its own."""
    own = variable(node.name)
    if node.is_input:
        return own
    speeds = [one or number(0.0) for one in network.speeds_of(node)]
    if node.formulas and all(is_always_on(one, values) for one in speeds):
        return by_logic(node.formulas[0], values)
    up, down = (Expression(">", (one, number(0.0))) for one in speeds)
    if node.formulas:
        up = Expression("and", (node.formulas[0], up))
        down = Expression("and", (Expression("not", (node.formulas[0],)), down))
    return by_logic(Expression("if", (own, Expression("not", (down,)), up)), values)
