"""Mathematics of SBML files as formulas, and back: function definitions are put in where they are called."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Mapping
from typing import Any

from paget.errors import PagetError
from paget.signalling.expression import FUNCTIONS, Expression, number, variable

__all__ = ["Unreadable", "formula_of", "sbml", "text_of"]

_AVOGADRO = 6.02214179e23  # the value that SBML prescribes


class Unreadable(PagetError):
    """A part of a formula that rate equations here do not have."""


def sbml() -> Any:
    """The library libSBML, or an error that says how to get it."""
    try:
        import libsbml
    except ImportError:
        raise PagetError(
            "SBML files are read by libSBML, which is not installed: pip install 'paget[networks]'"
        ) from None
    return libsbml


# ---- reading ----------------------------------------------------------------------------------------------------------
_PAIRS = {
    "PLUS": ("+", 0.0),
    "TIMES": ("*", 1.0),
    "LOGICAL_AND": ("and", 1.0),
    "LOGICAL_OR": ("or", 0.0),
    "LOGICAL_XOR": ("xor", 0.0),
}
_BOTH = {"DIVIDE": "/", "POWER": "**", "FUNCTION_POWER": "**"}
_RELATIONS = {"EQ": "==", "NEQ": "!=", "LT": "<", "LEQ": "<=", "GT": ">", "GEQ": ">="}
_ONE = {
    "FUNCTION_EXP": "exp",
    "FUNCTION_LN": "ln",
    "FUNCTION_ABS": "abs",
    "FUNCTION_FLOOR": "floor",
    "FUNCTION_CEILING": "ceil",
    "FUNCTION_SIN": "sin",
    "FUNCTION_COS": "cos",
    "FUNCTION_TANH": "tanh",
    "LOGICAL_NOT": "not",
}
_CONSTANTS = {"CONSTANT_PI": math.pi, "CONSTANT_E": math.e, "CONSTANT_TRUE": 1.0, "CONSTANT_FALSE": 0.0}


@functools.cache
def _kinds() -> Mapping[int, str]:
    """Names of libSBML's kinds of nodes."""
    library = sbml()
    return {
        getattr(library, name): name.removeprefix("AST_")
        for name in dir(library)
        if name.startswith("AST_") and isinstance(getattr(library, name), int) and "TYPECODE" not in name
    }


def formula_of(node: Any, functions: Mapping[str, Any], meaning: Mapping[str, Expression]) -> Expression:
    """The formula of a libSBML node; names that `meaning` has stand for that formula.

    Raises
    ------
    Unreadable
    """
    if node is None:
        raise Unreadable("there is no formula")
    kind = _kinds().get(node.getType(), "UNKNOWN")
    if node.isNumber():
        return _finite(float(node.getValue()))
    if kind == "NAME":
        return meaning.get(node.getName(), variable(node.getName()))
    if kind == "NAME_TIME":
        return variable("time")
    if kind == "NAME_AVOGADRO":
        return number(_AVOGADRO)
    if kind in _CONSTANTS:
        return number(_CONSTANTS[kind])
    if kind == "FUNCTION":
        return _called(node, functions, meaning)
    parts = [formula_of(node.getChild(i), functions, meaning) for i in range(node.getNumChildren())]
    if kind in _PAIRS:
        op, neutral = _PAIRS[kind]
        return functools.reduce(lambda a, b: Expression(op, (a, b)), parts) if parts else number(neutral)
    if kind == "MINUS":
        return Expression("neg", (parts[0],)) if len(parts) == 1 else Expression("-", (parts[0], parts[1]))
    if kind in _BOTH:
        return Expression(_BOTH[kind], (parts[0], parts[1]))
    if kind in _ONE:
        return Expression(_ONE[kind], (parts[0],))
    if kind.startswith("RELATIONAL_"):
        op = _RELATIONS[kind.removeprefix("RELATIONAL_")]
        links = [Expression(op, pair) for pair in itertools.pairwise(parts)]
        return functools.reduce(lambda a, b: Expression("and", (a, b)), links)
    if kind in _SPECIAL:
        return _SPECIAL[kind](parts)
    name = node.getName() or kind.removeprefix("FUNCTION_").lower().replace("_", " ")
    raise Unreadable(f"'{name}' is not known here")


def _finite(value: float) -> Expression:
    if not math.isfinite(value):
        raise Unreadable(f"the number {value} is not finite")
    return Expression("neg", (number(-value),)) if value < 0.0 else number(value)


def _called(node: Any, functions: Mapping[str, Any], meaning: Mapping[str, Expression]) -> Expression:
    """A call of a function definition, with its operands in place of its arguments."""
    name = node.getName()
    if name not in functions:
        raise Unreadable(f"the function '{name}' is not defined")
    definition = functions[name]
    given = [formula_of(node.getChild(i), functions, meaning) for i in range(node.getNumChildren())]
    wanted = [definition.getArgument(i).getName() for i in range(definition.getNumArguments())]
    if len(given) != len(wanted):
        raise Unreadable(f"the function '{name}' takes {len(wanted)} operands, not {len(given)}")
    return formula_of(definition.getBody(), functions, dict(zip(wanted, given, strict=True)))


def _piecewise(parts: list[Expression]) -> Expression:
    if len(parts) % 2 == 0:
        raise Unreadable("a piecewise formula needs what it is otherwise")
    found = parts[-1]
    for place in range(len(parts) - 3, -1, -2):
        found = Expression("if", (parts[place + 1], parts[place], found))
    return found


def _logarithm(parts: list[Expression]) -> Expression:
    if len(parts) == 1 or parts[0] == number(10.0):
        return Expression("log10", (parts[-1],))
    return Expression("/", (Expression("ln", (parts[1],)), Expression("ln", (parts[0],))))


def _root(parts: list[Expression]) -> Expression:
    if len(parts) == 1 or parts[0] == number(2.0):
        return Expression("sqrt", (parts[-1],))
    return Expression("**", (parts[1], Expression("/", (number(1.0), parts[0]))))


def _tangent(parts: list[Expression]) -> Expression:
    return Expression("/", (Expression("sin", (parts[0],)), Expression("cos", (parts[0],))))


def _folded(op: str) -> Callable[[list[Expression]], Expression]:
    return lambda parts: functools.reduce(lambda a, b: Expression(op, (a, b)), parts)


_SPECIAL: Mapping[str, Callable[[list[Expression]], Expression]] = {
    "FUNCTION_PIECEWISE": _piecewise,
    "FUNCTION_LOG": _logarithm,
    "FUNCTION_ROOT": _root,
    "FUNCTION_TAN": _tangent,
    "FUNCTION_MIN": _folded("min"),
    "FUNCTION_MAX": _folded("max"),
    "LOGICAL_IMPLIES": lambda parts: Expression("or", (Expression("not", (parts[0],)), parts[1])),
}

# ---- writing ----------------------------------------------------------------------------------------------------------
_SIGNS = {"**": "^", "and": "&&", "or": "||"}


def text_of(formula: Expression) -> str:
    """A formula in the infix notation of SBML Level 3, every operation in brackets."""
    op = formula.op
    parts = [text_of(one) for one in formula.args]
    if op == "number":
        return repr(formula.value) if formula.value >= 0.0 else f"({formula.value!r})"
    if op == "name":
        return formula.name
    if op == "if":
        return f"piecewise({parts[1]}, {parts[0]}, {parts[2]})"
    if op in FUNCTIONS or op == "xor":
        return f"{op}({', '.join(parts)})"
    if op in ("neg", "not"):
        return f"({'-' if op == 'neg' else '!'}{parts[0]})"
    return f"({parts[0]} {_SIGNS.get(op, op)} {parts[1]})"
