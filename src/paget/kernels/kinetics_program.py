"""Register programs: formulas of rate equations as instructions that one interpreter carries out for every system."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from paget.kernels.compile import kernel

__all__ = ["OPERATIONS", "Program", "observe", "operation", "run"]

Real = NDArray[np.float64]
Whole = NDArray[np.int64]

# Operations by code: what instructions name in their first column.
OPERATIONS = (
    "+", "-", "*", "/", "neg", "**", "exp", "ln", "log10", "sqrt", "abs", "min", "max", "<", "<=", ">", ">=", "==", "!=",
    "and", "or", "xor", "not", "if", "floor", "ceil", "sin", "cos", "tanh",
)  # fmt: skip


class Program(NamedTuple):
    """A system of n rate equations as instructions over one array of registers.

    Registers hold, in this order: state [n], parameters [p], time, literals, then the result of each instruction.

    code : int32 [m, 4], operation and the registers of its operands
    ends : int64 [5], where the parts of `code` end: what parameters alone decide, rates, their derivatives (which may use
        results of the rates), triggers of events, values that events assign
    literals : [c]
    rate : int64 [n], registers of dy/dt
    row, column, entry : int64 [z], of the entries of the Jacobian that are not always 0, and their registers
    drift : int64 [n], registers of the derivatives of the rates by time; [0] for rates in which time does not occur
    trigger : int64 [e], registers of the conditions of events
    event, target, value : int64 [q], of each assignment: its event, the state that it sets, and the register of the value
    """

    code: NDArray[np.int32]
    ends: Whole
    literals: Real
    rate: Whole
    row: Whole
    column: Whole
    entry: Whole
    drift: Whole
    trigger: Whole
    event: Whole
    target: Whole
    value: Whole


@kernel
def operation(op: int, a: float, b: float, c: float) -> float:
    """The result of one operation; `b` and `c` are read by those of two and three operands."""
    if op == 0:
        return a + b
    if op == 1:
        return a - b
    if op == 2:
        return a * b
    if op == 3:
        return a / b
    if op == 4:
        return -a
    if op == 5:
        return float(a**b)
    if op == 6:
        return float(np.exp(a))
    if op == 7:
        return float(np.log(a))
    if op == 8:
        return float(np.log10(a))
    if op == 9:
        return float(np.sqrt(a))
    if op == 10:
        return abs(a)
    if op == 11:
        return b if b < a else a
    if op == 12:
        return b if b > a else a
    if op == 13:
        return 1.0 if a < b else 0.0
    if op == 14:
        return 1.0 if a <= b else 0.0
    if op == 15:
        return 1.0 if a > b else 0.0
    if op == 16:
        return 1.0 if a >= b else 0.0
    if op == 17:
        return 1.0 if a == b else 0.0
    if op == 18:
        return 1.0 if a != b else 0.0
    if op == 19:
        return 1.0 if a != 0.0 and b != 0.0 else 0.0
    if op == 20:
        return 1.0 if a != 0.0 or b != 0.0 else 0.0
    if op == 21:
        return 1.0 if (a != 0.0) != (b != 0.0) else 0.0
    if op == 22:
        return 1.0 if a == 0.0 else 0.0
    if op == 23:
        return b if a != 0.0 else c
    if op == 24:
        return float(np.floor(a))
    if op == 25:
        return float(np.ceil(a))
    if op == 26:
        return float(np.sin(a))
    if op == 27:
        return float(np.cos(a))
    return float(np.tanh(a))


@kernel
def run(code: NDArray[np.int32], begin: int, end: int, first: int, registers: Real) -> None:
    """Carry out the instructions from `begin` to `end`; number k writes register `first` + k."""
    for k in range(begin, end):
        b, c = registers[code[k, 2]], registers[code[k, 3]]
        registers[first + k] = operation(code[k, 0], registers[code[k, 1]], b, c)


@kernel
def observe(
    state: Real,
    parameters: Real,
    time: Real,
    literals: Real,
    code: NDArray[np.int32],
    setup: int,
    begin: int,
    observed: Whole,
    out: Real,
) -> None:
    """Evaluate what formulas give for each of m states.

    state : [n, m]; parameters : [p, m] or [p, 1]; time : [m]; literals : [c]
    code : int32 [k, 4], of which those before `setup` and those from `begin` are carried out; observed : int64 [q], registers
    out : [q, m], written
    """
    n = state.shape[0]
    p = parameters.shape[0]
    first = n + p + 1 + literals.size
    registers = np.zeros(first + code.shape[0])
    for j in range(literals.size):
        registers[n + p + 1 + j] = literals[j]
    for cell in range(state.shape[1]):
        for i in range(n):
            registers[i] = state[i, cell]
        for j in range(p):
            registers[n + j] = parameters[j, cell if parameters.shape[1] > 1 else 0]
        registers[n + p] = time[cell]
        run(code, 0, setup, first, registers)
        run(code, begin, code.shape[0], first, registers)
        for q in range(observed.size):
            out[q, cell] = registers[observed[q]]
