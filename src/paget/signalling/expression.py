"""Expressions of logic and rates: read, written, and evaluated for many states at once.

One syntax for logic (``!A & (B | C)``), for levels (``X >= 2``) and for rates that depend on the state
(``{death_rate} * (TP53 ? 1 : {share_without_p53})``), powers and functions among them (``v * S ** n / (K ** n + S ** n)``,
``exp(-t)``). A name in braces stands for a quantity that carries unit and evidence.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from paget.errors import PagetError, nearest

__all__ = [
    "FUNCTIONS",
    "Expression",
    "ExpressionError",
    "evaluate",
    "names",
    "number",
    "parse",
    "quantities",
    "substitute",
    "variable",
]


class ExpressionError(PagetError, ValueError):
    """A formula cannot be read; the message shows where."""


@dataclass(frozen=True)
class Expression:
    """A formula as a tree.

    op : "number", "name", "quantity", "not", "and", "or", "xor", "if", "neg", one of ``+ - * / **``, a comparison
        or a function (`FUNCTIONS`)
    args : operands; name : of a node or a quantity; value : of a number
    """

    op: str
    args: tuple[Expression, ...] = ()
    name: str = ""
    value: float = 0.0

    def __str__(self) -> str:
        return _text(self, 0)


def number(value: float) -> Expression:
    """A number as a formula."""
    return Expression("number", value=float(value))


def variable(name: str) -> Expression:
    """A name as a formula."""
    return Expression("name", name=name)


# ---- reading ----------------------------------------------------------------------------------------------------------
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?)"
    r"|(?P<name>[$@]?[A-Za-z_][A-Za-z0-9_]*)"
    r"|\{(?P<quantity>\w+)\}"
    r"|(?P<op>&&|\|\||\*\*|<=|>=|==|!=|[-+*/!&|^<>?:(),])"
    r")"
)
_WORDS = {"NOT": "!", "AND": "&", "OR": "|", "XOR": "^", "not": "!", "and": "&", "or": "|", "xor": "^"}
_SPELLINGS = {"&&": "&", "||": "|"}
# Binding power and name of every operator between two operands; the question mark is read apart.
_BETWEEN = {
    "|": (2, "or"),
    "^": (3, "xor"),
    "&": (4, "and"),
    "==": (5, "=="),
    "!=": (5, "!="),
    "<": (6, "<"),
    "<=": (6, "<="),
    ">": (6, ">"),
    ">=": (6, ">="),
    "+": (7, "+"),
    "-": (7, "-"),
    "*": (8, "*"),
    "/": (8, "/"),
    "**": (10, "**"),  # to the right first, and before a sign on its left: -x ** 2 is -(x ** 2)
}
_PREFIX = 9
_ATOM = 11
_QUESTION = 1
_LONG = 64

# Functions by name: how many operands they take (of two, more are taken pair by pair), and how they are evaluated.
FUNCTIONS: Mapping[str, tuple[int, Callable[..., Any]]] = {
    "exp": (1, np.exp),
    "ln": (1, np.log),
    "log10": (1, np.log10),
    "sqrt": (1, np.sqrt),
    "abs": (1, np.abs),
    "floor": (1, np.floor),
    "ceil": (1, np.ceil),
    "sin": (1, np.sin),
    "cos": (1, np.cos),
    "tanh": (1, np.tanh),
    "min": (2, np.minimum),
    "max": (2, np.maximum),
}


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    at = 0
    end = len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if found is None or found.end() == at:
            rest = text[at:].lstrip()
            raise ExpressionError(
                f"'{text.strip()}': '{rest[0]}' at column {end - len(rest.rstrip()) + 1} cannot be read"
            )
        at = found.end()
        kind = str(found.lastgroup)
        word = found[kind]
        if kind == "name" and word in _WORDS:
            kind, word = "op", _WORDS[word]
        yield kind, _SPELLINGS.get(word, word), found.start(kind) + 1


class _Reader:
    """Reads one formula by operator precedence (Pratt 1973, doi:10.1145/512927.512931)."""

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        self.tokens = [*_tokens(text), ("end", "", len(text) + 1)]
        self.at = 0

    def fail(self, wanted: str) -> ExpressionError:
        kind, word, column = self.tokens[self.at]
        found = f"'{word}' at column {column}" if kind != "end" else "its end"
        return ExpressionError(f"'{self.text}': {wanted} was expected, not {found}")

    def take(self, word: str) -> None:
        if self.tokens[self.at][1] != word:
            raise self.fail(f"'{word}'")
        self.at += 1

    def operand(self) -> Expression:
        kind, word, _ = self.tokens[self.at]
        if kind == "end" or (kind == "op" and word not in "!-+("):
            raise self.fail("a name, a number or '('")
        self.at += 1
        if kind == "number":
            return number(float(word))
        if kind == "name" and self.tokens[self.at][1] == "(":
            return self.call(word)
        if kind in ("name", "quantity"):
            return Expression(kind, name=word)
        if word == "(":
            inside = self.formula(0)
            self.take(")")
            return inside
        inside = self.formula(_PREFIX)
        return inside if word == "+" else Expression("not" if word == "!" else "neg", (inside,))

    def call(self, name: str) -> Expression:
        if name not in FUNCTIONS:
            raise ExpressionError(f"'{self.text}': unknown function '{name}'. {nearest(name, FUNCTIONS)}")
        self.take("(")
        given = [self.formula(0)]
        while self.tokens[self.at][1] == ",":
            self.at += 1
            given.append(self.formula(0))
        self.take(")")
        needed = FUNCTIONS[name][0]
        if len(given) < needed or (needed == 1 and len(given) > 1):
            raise ExpressionError(f"'{self.text}': {name} takes {needed} operand{'s' * (needed > 1)}, not {len(given)}")
        if needed == 1:
            return Expression(name, (given[0],))
        return functools.reduce(lambda left, right: Expression(name, (left, right)), given)

    def formula(self, power: int) -> Expression:
        left = self.operand()
        while True:
            word = self.tokens[self.at][1]
            if word == "?" and power < _QUESTION:
                self.at += 1
                yes = self.formula(0)
                self.take(":")
                left = Expression("if", (left, yes, self.formula(0)))
                continue
            binding, op = _BETWEEN.get(word, (0, ""))
            if self.tokens[self.at][0] != "op" or binding <= power:
                return left
            self.at += 1
            if op not in ("and", "or", "xor"):
                left = Expression(op, (left, self.formula(binding - (op == "**"))))
                continue
            parts = [left, self.formula(binding)]
            while self.tokens[self.at][1] == word and self.tokens[self.at][0] == "op":
                self.at += 1
                parts.append(self.formula(binding))
            left = _chained(op, parts)


def _chained(op: str, parts: list[Expression]) -> Expression:
    """Operands of one associative operator as a tree; a long row of them, as from a truth table, as one that is not deep."""
    if len(parts) > _LONG:
        middle = len(parts) // 2
        return Expression(op, (_chained(op, parts[:middle]), _chained(op, parts[middle:])))
    left = parts[0]
    for right in parts[1:]:
        left = Expression(op, (left, right))
    return left


def parse(text: str) -> Expression:
    """Read a formula.

    >>> str(parse("!A & (B || NOT C)"))
    '!A & (B | !C)'

    Raises
    ------
    ExpressionError
        With the column at which it cannot be read.
    """
    if not text.strip():
        raise ExpressionError("an empty formula says nothing; write 0 for never and 1 for always")
    reader = _Reader(text)
    try:
        found = reader.formula(0)
    except RecursionError:
        raise ExpressionError(f"'{reader.text[:40]}...': its parentheses are nested too deeply to be read") from None
    if reader.tokens[reader.at][0] != "end":
        raise reader.fail("an operator or the end")
    return found


# ---- writing ----------------------------------------------------------------------------------------------------------
_WRITTEN = {op: (binding, sign) for sign, (binding, op) in _BETWEEN.items()}


def _text(expression: Expression, power: int) -> str:
    op, args = expression.op, expression.args
    if op == "number":
        text = f"{expression.value:.17g}" if expression.value != int(expression.value) else str(int(expression.value))
        text, binding = text if len(text) < 17 else repr(expression.value), _PREFIX if expression.value < 0.0 else _ATOM
        return text if power < binding else f"({text})"
    if op == "name":
        return expression.name
    if op == "quantity":
        return f"{{{expression.name}}}"
    if op in FUNCTIONS:
        return f"{op}({', '.join(_text(one, 0) for one in args)})"
    if op in ("not", "neg"):
        text, binding = f"{'!' if op == 'not' else '-'}{_text(args[0], _PREFIX - 1)}", _PREFIX
    elif op == "if":
        text, binding = f"{_text(args[0], _QUESTION)} ? {_text(args[1], _QUESTION)} : {_text(args[2], 0)}", _QUESTION
    else:
        binding, sign = _WRITTEN[op]
        first, second = (binding, _PREFIX - 1) if op == "**" else (binding - 1, binding)
        text = f"{_text(args[0], first)} {sign} {_text(args[1], second)}"
    return text if power < binding else f"({text})"


# ---- looking and changing -----------------------------------------------------------------------------------------------
def _walk(expression: Expression) -> Iterator[Expression]:
    yield expression
    for one in expression.args:
        yield from _walk(one)


def names(expression: Expression) -> tuple[str, ...]:
    """Names in a formula, each once, in the order in which they first occur."""
    return tuple(dict.fromkeys(part.name for part in _walk(expression) if part.op == "name"))


def quantities(expression: Expression) -> tuple[str, ...]:
    """Quantities in braces, each once."""
    return tuple(dict.fromkeys(part.name for part in _walk(expression) if part.op == "quantity"))


def substitute(expression: Expression, change: Callable[[Expression], Expression | None]) -> Expression:
    """Replace parts of a formula: `change` gives what stands for a part, or None to look inside it."""
    new = change(expression)
    if new is not None:
        return new
    if not expression.args:
        return expression
    return Expression(expression.op, tuple(substitute(one, change) for one in expression.args), expression.name)


# ---- evaluating ---------------------------------------------------------------------------------------------------------
_ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "==": np.equal,
    "!=": np.not_equal,
    "**": np.power,
}
_LOGIC: Mapping[str, Callable[[Any, Any], Any]] = {
    "and": np.logical_and,
    "or": np.logical_or,
    "xor": np.logical_xor,
}


def evaluate(expression: Expression, values: Mapping[str, Any], numbers: Mapping[str, float]) -> Any:
    """Value of a formula for states given as arrays: `values` of its names, `numbers` of its quantities.

    Logic gives booleans, arithmetic numbers; a truth value counts as 0 or 1 in arithmetic, a number as true unless 0.
    """
    op = expression.op
    if op == "number":
        return np.float64(expression.value)  # broadcasts like an array of no dimension
    if op == "name":
        return values[expression.name]
    if op == "quantity":
        return np.float64(numbers[expression.name])
    found = [evaluate(one, values, numbers) for one in expression.args]
    if op == "not":
        return np.logical_not(found[0])
    if op == "neg":
        return np.negative(_real(found[0]))
    if op == "if":
        return np.where(np.not_equal(found[0], 0), _real(found[1]), _real(found[2]))
    if op in _LOGIC:
        return _LOGIC[op](found[0], found[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        function = FUNCTIONS[op][1] if op in FUNCTIONS else _ARITHMETIC[op]
        return function(*map(_real, found))


def _real(value: Any) -> Any:
    return np.asarray(value, dtype=np.float64)
