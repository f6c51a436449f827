"""What happens inside cells: networks of nodes that switch each other, and systems of rate equations, as data."""

from paget.signalling.expression import Expression, ExpressionError, parse
from paget.signalling.network import Edge, Network, Node
from paget.signalling.tables import Tables

__all__ = ["Edge", "Expression", "ExpressionError", "Network", "Node", "Tables", "parse"]
