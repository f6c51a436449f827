"""Formulas in files of networks: read from a stream of tokens with their places, and written so that others read the same.

The formats share their signs and differ in what binds tighter. In MaBoSS an exclusive or binds more loosely than an or
(``A ^ B | C`` is ``A ^ (B | C)``), which is the reverse of our own order; BNET has no operators but not, and, or.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NoReturn

import numpy as np

from paget.signalling.expression import Expression, evaluate, names, number, substitute, variable
from paget.signalling.network import states_of

__all__ = [
    "BNET",
    "MABOSS",
    "Dialect",
    "Malformed",
    "Stream",
    "Token",
    "by_cases",
    "by_logic",
    "is_number",
    "spelled",
    "too_large",
]

DEEPEST = 100  # brackets within brackets; people write ten
LARGEST = 50_000  # names, numbers and signs of one formula


class Malformed(Exception):
    """A place in a file that cannot be read, and why."""

    def __init__(self, message: str, token: Token) -> None:
        self.message, self.token = message, token
        super().__init__(message)


@dataclass(frozen=True)
class Token:
    """A word of a file: its kind ("name", "number", "string", "sign", "other", "end"), text and offset."""

    kind: str
    text: str
    at: int


@dataclass(frozen=True)
class Dialect:
    """What a format calls its operators between two operands: sign -> (how tightly it binds, operator)."""

    name: str
    between: Mapping[str, tuple[int, str]]
    functions: tuple[str, ...] = ()
    conditional: bool = False
    prefixes: str = "!"


_PREFIX = 9
_ATOM = 10
_QUESTION = 1
_COMPARISONS = {"==": (5, "=="), "!=": (5, "!="), "<": (6, "<"), "<=": (6, "<="), ">": (6, ">"), ">=": (6, ">=")}
_SUMS = {"+": (7, "+"), "-": (7, "-"), "*": (8, "*"), "/": (8, "/")}
_LOGIC = {"|": (3, "or"), "&": (4, "and")}
MABOSS = Dialect("MaBoSS", {"^": (2, "xor"), **_LOGIC, **_COMPARISONS, **_SUMS}, ("exp", "log"), True, "!-+")
BNET = Dialect("BNET", _LOGIC)
_WORDS = {"not": "!", "and": "&", "or": "|", "xor": "^"}
_SPELLINGS = {"&&": "&", "||": "|"}
_TOKEN = re.compile(
    r"(?P<space>[ \t\f\v\r\n]+|//[^\n]*|/\*.*?\*/)"
    r"|(?P<number>(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?(?![\w.]))"
    r"|(?P<name>[$@]?[A-Za-z_][A-Za-z0-9_]*)"
    r'|(?P<string>"(?:[^"\\]|\\.)*")'
    r"|(?P<sign>&&|\|\||<=|>=|==|!=|[-+*/!&|^<>?:(),;{}=.\[\]])"
    r"|(?P<other>[^\s\x00-\x7f]+|\S)",
    re.DOTALL,
)


class Stream:
    """The tokens of a text, read from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(self._split())
        self.at = 0

    def _split(self) -> Iterator[Token]:
        for found in _TOKEN.finditer(self.text):
            kind = str(found.lastgroup)
            if kind != "space":
                yield Token(kind, found[0], found.start())
        yield Token("end", "", len(self.text))

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(found.end() for found in re.finditer("\n", self.text))]

    def line(self, token: Token) -> int:
        return bisect.bisect_right(self._starts, token.at)

    def place(self, token: Token) -> str:
        """Line and column, counted from 1: ``12:7``."""
        line = self.line(token)
        return f"{line}:{token.at - self._starts[line - 1] + 1}"

    @property
    def next(self) -> Token:
        return self.tokens[self.at]

    def take(self, *wanted: str, what: str = "") -> Token:
        """The next token, which must be one of these texts if any are given."""
        token = self.next
        if wanted and token.text not in wanted:
            self.fail(what or " or ".join(f"'{one}'" for one in wanted))
        self.at += token.kind != "end"
        return token

    def name(self, what: str) -> Token:
        """The next token, which must be a plain name."""
        token = self.next
        if token.kind == "other" and not token.text.isascii():
            raise Malformed(f"{what} cannot contain '{token.text}'; use letters, digits and underscores", token)
        if token.kind != "name" or token.text[0] in "$@":
            self.fail(what)
        return self.take()

    def skip_past(self, *signs: str) -> Token:
        """Go on after the next of these signs, or to the end: what follows a mistake can be read again."""
        while self.next.kind != "end" and self.next.text not in signs:
            self.at += 1
        return self.take()

    def fail(self, wanted: str) -> NoReturn:
        token = self.next
        found = "the end of the text" if token.kind == "end" else f"'{token.text[:40]}'"
        if token.text == "/" and self.text.startswith("/*", token.at):
            raise Malformed("the comment that begins here has no end", token)
        raise Malformed(f"{wanted} was expected, not {found}", token)

    def formula(self, dialect: Dialect, saw: Callable[[Token], None]) -> Expression:
        """Read a formula; `saw` is told of every name in it. ``$name`` becomes a quantity, ``@name`` stays a name."""
        token = self.next
        found = _Formula(self, dialect, saw).read(0, 0)
        if (problem := too_large(found)) is not None:
            raise Malformed(problem, token)
        return found


def too_large(formula: Expression) -> str | None:
    """What is wrong with a formula that is larger or deeper than anything that can be worked with; None if nothing is."""
    left, parts = [(formula, 1)], 0
    while left:
        part, depth = left.pop()
        parts += 1
        if depth > 2 * DEEPEST:
            return f"a formula is nested more than {2 * DEEPEST} deep"
        if parts > LARGEST:
            return f"a formula has more than {LARGEST} parts"
        left += [(one, depth + 1) for one in part.args]
    return None


class _Formula:
    """Reads one formula by operator precedence (Pratt 1973, doi:10.1145/512927.512931)."""

    def __init__(self, stream: Stream, dialect: Dialect, saw: Callable[[Token], None]) -> None:
        self.stream, self.dialect, self.saw = stream, dialect, saw

    def sign(self) -> str:
        token = self.stream.next
        if token.kind == "name":
            return _WORDS.get(token.text.lower(), "")
        return _SPELLINGS.get(token.text, token.text) if token.kind == "sign" else ""

    def operand(self, depth: int) -> Expression:
        stream, token, sign = self.stream, self.stream.next, self.sign()
        if depth > DEEPEST:
            raise Malformed(f"a formula has more than {DEEPEST} brackets or signs within each other", token)
        if sign and sign in self.dialect.prefixes:
            stream.take()
            inside = self.read(_PREFIX - 1, depth + 1)
            return inside if sign == "+" else Expression("not" if sign == "!" else "neg", (inside,))
        if token.text == "(" and token.kind == "sign":
            stream.take()
            inside = self.read(0, depth + 1)
            stream.take(")")
            return inside
        if token.kind == "number":
            return self.number()
        if token.kind != "name" or sign:
            if token.kind == "other" and not token.text.isascii():
                stream.name("the name of a node")
            stream.fail("a name, a number or '('")
        stream.take()
        if stream.next.text == "(" and stream.next.kind == "sign":
            return self.call(token, depth)
        self.saw(token)
        return Expression("quantity", name=token.text[1:]) if token.text[0] == "$" else variable(token.text)

    def number(self) -> Expression:
        token = self.stream.take()
        value = float(token.text)
        if self.dialect is BNET and value not in (0.0, 1.0):
            raise Malformed(f"'{token.text}' is no truth value; write 0 or 1", token)
        if not np.isfinite(value):
            raise Malformed(f"'{token.text}' is too large a number", token)
        return number(value)

    def call(self, token: Token, depth: int) -> Expression:
        if token.text not in self.dialect.functions:
            known = f"; it has {' and '.join(self.dialect.functions)}" if self.dialect.functions else ""
            raise Malformed(f"{self.dialect.name} has no function '{token.text}'{known}", token)
        self.stream.take("(")
        given = [self.read(0, depth + 1)]
        while self.stream.next.text == ",":
            self.stream.take()
            given.append(self.read(0, depth + 1))
        self.stream.take(")")
        if len(given) > 2:
            raise Malformed(f"{token.text} takes a value and a base, not {len(given)} operands", token)
        base = Expression("ln", (given[1],)) if len(given) == 2 else None
        if token.text == "log":
            value = Expression("ln", (given[0],))
            return Expression("/", (value, base)) if base else value
        return Expression("exp", (Expression("*", (given[0], base)) if base else given[0],))

    def read(self, power: int, depth: int) -> Expression:
        left, run = self.operand(depth), 0
        while True:
            sign = self.sign()
            if sign == "?" and self.dialect.conditional and power < _QUESTION:
                self.stream.take()
                yes = self.read(0, depth + 1)
                self.stream.take(":")
                return Expression("if", (left, yes, self.read(0, depth + 1)))
            binding, op = self.dialect.between.get(sign, (0, ""))
            if sign == "^" and not op:
                raise Malformed(f"{self.dialect.name} has no exclusive or; write (A & !B) | (!A & B)", self.stream.next)
            if binding <= power:
                return left
            if op in ("and", "or", "xor"):
                parts = [left]
                while self.sign() == sign:
                    self.stream.take()
                    parts.append(self.read(binding, depth + 1))
                left = _balanced(op, parts)
                continue
            run += 1
            if run > DEEPEST:
                raise Malformed(f"a sum or product of more than {DEEPEST} terms; use brackets", self.stream.next)
            self.stream.take()
            left = Expression(op, (left, self.read(binding, depth + 1)))


def _balanced(op: str, parts: Sequence[Expression]) -> Expression:
    """Many operands of and, or, xor as a tree of little depth, in their order: long disjunctions are common."""
    if len(parts) == 1:
        return parts[0]
    half = len(parts) // 2
    return Expression(op, (_balanced(op, parts[:half]), _balanced(op, parts[half:])))


# ---- writing ----------------------------------------------------------------------------------------------------------
_FUNCTIONS = {"exp": "exp", "ln": "log"}


def is_number(expression: Expression, value: float) -> bool:
    """Whether a formula is this number."""
    return expression.op == "number" and expression.value == value


def spelled(expression: Expression, dialect: Dialect, numbers: Mapping[str, float]) -> str:
    """A formula in the signs of a format; parts that the format has no sign for are written by cases."""

    def known(part: Expression) -> Expression | None:
        foreign = part.op not in _WRITABLE and not any(part.op == op for _, op in dialect.between.values())
        return by_cases(part, numbers) if foreign else None

    return _spelled(substitute(expression, known), dialect, 0)


_WRITABLE = ("number", "name", "quantity", "not", "neg", "if", *_FUNCTIONS)


def _spelled(expression: Expression, dialect: Dialect, power: int) -> str:
    op, args = expression.op, expression.args
    if op == "number":
        value = expression.value
        text = str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
        binding = _ATOM if value >= 0.0 else _PREFIX
    elif op == "name":
        return expression.name
    elif op == "quantity":
        return f"${expression.name}"
    elif op in _FUNCTIONS:
        return f"{_FUNCTIONS[op]}({_spelled(args[0], dialect, 0)})"
    elif op in ("not", "neg"):
        text, binding = f"{'!' if op == 'not' else '-'}{_spelled(args[0], dialect, _PREFIX - 1)}", _PREFIX
    elif op == "if":
        parts = (_spelled(args[0], dialect, _QUESTION), _spelled(args[1], dialect, 0), _spelled(args[2], dialect, 0))
        text, binding = f"{parts[0]} ? {parts[1]} : {parts[2]}", _QUESTION
    else:
        sign, binding = next((sign, power) for sign, (power, name) in dialect.between.items() if name == op)
        # Brackets around a like operand on the right would only undo that the tree is balanced.
        right = binding - 1 if op in ("and", "or", "xor") else binding
        text = f"{_spelled(args[0], dialect, binding - 1)} {sign} {_spelled(args[1], dialect, right)}"
    return text if power < binding else f"({text})"


def by_cases(expression: Expression, numbers: Mapping[str, float]) -> Expression:
    """The same values as a formula of nothing but cases: ``A ? (B ? 2 : 1) : 0``."""
    involved = names(expression)
    values = np.asarray(evaluate(expression, states_of(involved), numbers), np.float64)
    values = np.broadcast_to(values, (2 ** len(involved),)).reshape(
        (2,) * len(involved)
    )  # the last name varies slowest
    return _cases(values, involved[::-1])


def _cases(values: np.ndarray, involved: Sequence[str]) -> Expression:
    first = values.flat[0]
    if np.all(values == first) or values.ndim == 0:
        return number(float(first))
    off, on = _cases(values[0], involved[1:]), _cases(values[1], involved[1:])
    return off if off == on else Expression("if", (variable(involved[0]), on, off))


def by_logic(expression: Expression, numbers: Mapping[str, float]) -> Expression:
    """Whether a formula is not 0, in terms of not, and, or; as it stands where it has nothing else."""
    if _is_plain(expression):
        return expression
    return _as_logic(by_cases(Expression("!=", (expression, number(0.0))), numbers))


def _is_plain(expression: Expression) -> bool:
    if expression.op == "number":
        return expression.value in (0.0, 1.0)
    return expression.op in ("name", "not", "and", "or") and all(_is_plain(one) for one in expression.args)


def _as_logic(cases: Expression) -> Expression:
    if cases.op != "if":
        return cases
    name, on, off = cases.args[0], _as_logic(cases.args[1]), _as_logic(cases.args[2])
    no = Expression("not", (name,))
    if is_number(off, 0.0):
        return name if is_number(on, 1.0) else Expression("and", (name, on))
    if is_number(on, 0.0):
        return no if is_number(off, 1.0) else Expression("and", (no, off))
    if is_number(on, 1.0):
        return Expression("or", (name, off))
    if is_number(off, 1.0):
        return Expression("or", (no, on))
    return Expression("or", (Expression("and", (name, on)), Expression("and", (no, off))))
