"""Formulas that share their common parts, and their derivatives: what programs of rate equations are written from.

A formula is a node whose operands are nodes; equal nodes are one, so that what several formulas have in common is computed
once. Derivatives are taken on the nodes, by the rules of calculus, and are nodes again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from paget.signalling.expression import Expression

__all__ = ["Graph"]

_BOOLEAN = (
    "<",
    "<=",
    ">",
    ">=",
    "==",
    "!=",
    "and",
    "or",
    "xor",
    "not",
    "floor",
    "ceil",
)  # flat wherever they are smooth
_LARGEST_POWER = 4  # whole powers up to this one are products


class Graph:
    """Nodes of formulas by number: a name ("name", name), a literal ("number", value), or an operation (op, operands...)."""

    def __init__(self) -> None:
        self.nodes: list[tuple[object, ...]] = []
        self._known: dict[tuple[object, ...], int] = {}
        self._slopes: dict[tuple[int, int], int] = {}
        self._names: list[frozenset[int]] = []

    # ---- nodes -------------------------------------------------------------------------------------------------------
    def _node(self, key: tuple[object, ...]) -> int:
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = len(self.nodes)
            self.nodes.append(key)
            operands = key[1:] if key[0] not in ("name", "number") else ()
            below = frozenset().union(*(self._names[int(one)] for one in operands))  # type: ignore[call-overload]
            self._names.append(below | {found} if key[0] == "name" else below)
        return found

    def name(self, name: str) -> int:
        """The node of a name."""
        return self._node(("name", name))

    def number(self, value: float) -> int:
        """The node of a literal."""
        return self._node(("number", float(value) + 0.0))

    def operands(self, node: int) -> tuple[int, ...]:
        """Nodes that an operation needs."""
        key = self.nodes[node]
        return key[1:] if key[0] not in ("name", "number") else ()  # type: ignore[return-value]

    def depends(self, node: int) -> frozenset[int]:
        """Nodes of the names that a node depends on."""
        return self._names[node]

    def literal(self, node: int) -> float | None:
        """The number that a node is, or None if it is no literal."""
        op, *rest = self.nodes[node]
        return float(rest[0]) if op == "number" else None  # type: ignore[arg-type]

    def apply(self, op: str, *operands: int) -> int:
        """The node of an operation, in the simplest form that has the same value for all finite operands."""
        simpler = self._simpler(op, operands)
        return self._node((op, *operands)) if simpler is None else simpler

    def _simpler(self, op: str, operands: tuple[int, ...]) -> int | None:
        values = [self.literal(one) for one in operands]
        a = operands[0]
        b = operands[-1]
        first, last = values[0], values[-1]
        if op == "+":
            return b if first == 0.0 else a if last == 0.0 else None
        if op == "-":
            if last == 0.0:
                return a
            return self.number(0.0) if a == b else self.apply("neg", b) if first == 0.0 else None
        if op == "*":
            if 0.0 in (first, last):
                return self.number(0.0)
            if -1.0 in (first, last):
                return self.apply("neg", b if first == -1.0 else a)
            return b if first == 1.0 else a if last == 1.0 else None
        if op == "/":
            return a if last == 1.0 else self.number(0.0) if first == 0.0 else None
        if op == "neg":
            if first is not None:
                return self.number(-first)
            return self.operands(a)[0] if self.nodes[a][0] == "neg" else None
        if op == "**":
            return self._power(a, first, last)
        if op == "if":
            if first is not None:
                return operands[1] if first else operands[2]
            return b if operands[1] == operands[2] else None
        return None

    def _power(self, base: int, value: float | None, power: float | None) -> int | None:
        if value == 1.0:
            return self.number(1.0)
        if power is None:
            return None
        if power == 0.5:
            return self.apply("sqrt", base)
        if power != math.floor(power) or abs(power) > _LARGEST_POWER:
            return None
        if power <= 0.0:
            one = self.number(1.0)
            return one if power == 0.0 else self.apply("/", one, self.apply("**", base, self.number(-power)))
        half = int(power) // 2
        if power == 1.0:
            return base
        root = self.apply("**", base, self.number(half))
        square = self.apply("*", root, root)
        return self.apply("*", square, base) if int(power) % 2 else square

    def formula(self, expression: Expression, meaning: Mapping[str, int]) -> int:
        """The node of an expression; names that `meaning` has stand for that node."""
        if expression.op == "number":
            return self.number(expression.value)
        if expression.op == "name":
            return meaning[expression.name] if expression.name in meaning else self.name(expression.name)
        return self.apply(expression.op, *(self.formula(one, meaning) for one in expression.args))

    # ---- derivatives -------------------------------------------------------------------------------------------------
    def slope(self, node: int, by: int) -> int:
        """The derivative of a node by the node of a name; at a kink the derivative on one side."""
        if node == by:
            return self.number(1.0)
        if by not in self._names[node]:
            return self.number(0.0)
        key = (node, by)
        if key not in self._slopes:
            self._slopes[key] = self._derive(node, by)
        return self._slopes[key]

    def _derive(self, node: int, by: int) -> int:
        op = str(self.nodes[node][0])
        if op in _BOOLEAN:
            return self.number(0.0)
        operands = self.operands(node)
        slopes = [self.slope(one, by) for one in operands]
        apply, number = self.apply, self.number
        a, b = operands[0], operands[-1]
        da, db = slopes[0], slopes[-1]
        if op in ("+", "-"):
            return apply(op, da, db)
        if op == "neg":
            return apply("neg", da)
        if op == "*":
            return apply("+", apply("*", da, b), apply("*", a, db))
        if op == "/":
            return apply("/", apply("-", da, apply("*", node, db)), b)
        if op == "**":
            return self._derive_power(node, da, db)
        if op == "exp":
            return apply("*", node, da)
        if op == "ln":
            return apply("/", da, a)
        if op == "log10":
            return apply("/", da, apply("*", a, number(math.log(10.0))))
        if op == "sqrt":
            return apply("/", apply("*", number(0.5), da), node)
        if op == "abs":
            return apply("if", apply(">=", a, number(0.0)), da, apply("neg", da))
        if op in ("min", "max"):
            return apply("if", apply("<=" if op == "min" else ">=", a, b), da, db)
        if op == "if":
            return apply("if", a, slopes[1], slopes[2])
        if op == "sin":
            return apply("*", apply("cos", a), da)
        if op == "cos":
            return apply("neg", apply("*", apply("sin", a), da))
        return apply("*", apply("-", number(1.0), apply("*", node, node)), da)  # tanh

    def _derive_power(self, node: int, da: int, db: int) -> int:
        """d(a^b) = b a^(b-1) da + a^b ln(a) db; the second part is 0 where a is 0, its limit for b above 0."""
        a, b = self.operands(node)
        less = self.apply("-", b, self.number(1.0))
        exponent = self.literal(b)
        if exponent is not None:
            less = self.number(exponent - 1.0)
        by_base = self.apply("*", self.apply("*", b, self.apply("**", a, less)), da)
        logarithm = self.apply("*", node, self.apply("ln", a))
        bent = self.apply("if", self.apply(">", a, self.number(0.0)), logarithm, self.number(0.0))
        return self.apply("+", by_base, self.apply("*", bent, db))
