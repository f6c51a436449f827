"""Slow, clear twins of the kernels of rate equations: programs read line by line, integrated by scipy's Radau."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from paget.kernels.kinetics import EVENTS_WITHOUT_END, FINE, INFINITE, NEGATIVE, TOO_SMALL
from paget.kernels.kinetics_lanes import Elimination
from paget.kernels.kinetics_program import OPERATIONS, Program

__all__ = ["advance", "advance_side_by_side", "factorise", "observe", "operation", "run", "solve"]

Real = NDArray[np.float64]
Whole = NDArray[np.int64]
Flags = NDArray[np.uint8]

_LOOKS = 1000  # for events, on the way to the end

_MEANING: dict[str, Callable[..., Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": np.divide,
    "neg": operator.neg,
    "**": np.power,
    "exp": np.exp,
    "ln": np.log,
    "log10": np.log10,
    "sqrt": np.sqrt,
    "abs": abs,
    "min": min,
    "max": max,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "and": lambda a, b: a != 0.0 and b != 0.0,
    "or": lambda a, b: a != 0.0 or b != 0.0,
    "xor": lambda a, b: (a != 0.0) != (b != 0.0),
    "not": lambda a: a == 0.0,
    "if": lambda a, b, c: b if a != 0.0 else c,
    "floor": np.floor,
    "ceil": np.ceil,
    "sin": np.sin,
    "cos": np.cos,
    "tanh": np.tanh,
}
_OPERANDS = {"if": 3} | dict.fromkeys(
    ("neg", "exp", "ln", "log10", "sqrt", "abs", "not", "floor", "ceil", "sin", "cos", "tanh"), 1
)


def operation(op: int, a: float, b: float, c: float) -> float:
    """The result of one operation; `b` and `c` are read by those of two and three operands."""
    name = OPERATIONS[op]
    with np.errstate(all="ignore"):
        return float(_MEANING[name](*(a, b, c)[: _OPERANDS.get(name, 2)]))


def run(code: NDArray[np.int32], begin: int, end: int, first: int, registers: Real) -> None:
    """Carry out the instructions from `begin` to `end`; number k writes register `first` + k."""
    for k in range(begin, end):
        op, *places = code[k]
        registers[first + k] = operation(op, *registers[places])


def factorise(matrix: Real, pivot: Whole) -> bool:
    """Say whether a matrix, given column by column, can be inverted; the twin keeps the matrix itself and no pivots."""
    pivot[:] = -1
    return bool(np.isfinite(matrix).all() and np.linalg.matrix_rank(matrix) == pivot.size)


def solve(matrix: Real, pivot: Whole, vector: Real) -> None:
    """Solve the equations of a matrix that is given column by column; `vector` is replaced by the solution."""
    vector[:] = np.linalg.solve(matrix.T, vector)


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
    """Evaluate what formulas give for each of m states."""
    n, p = len(state), len(parameters)
    first = n + p + 1 + literals.size
    for cell in range(state.shape[1]):
        own = parameters[:, min(cell, parameters.shape[1] - 1)]
        registers = np.concatenate([state[:, cell], own, time[cell : cell + 1], literals, np.zeros(len(code))])
        run(code, 0, setup, first, registers)
        run(code, begin, len(code), first, registers)
        out[:, cell] = registers[observed]


class _System:
    """The rate equations of one cell, as functions of time and state."""

    def __init__(self, program: Program, n: int, parameters: Real) -> None:
        self.program, self.n = program, n
        self.registers = np.concatenate([np.zeros(n), parameters, [0.0], program.literals, np.zeros(len(program.code))])
        self.clock = n + len(parameters)
        self.first = self.clock + 1 + program.literals.size
        run(program.code, 0, program.ends[0], self.first, self.registers)

    def after(self, t: float, y: Real, *parts: int) -> Real:
        """All registers once the given parts of the program have been run at time `t` and state `y`."""
        self.registers[: self.n], self.registers[self.clock] = y, t
        for part in parts:
            run(self.program.code, self.program.ends[part - 1], self.program.ends[part], self.first, self.registers)
        return self.registers

    def rates(self, t: float, y: Real) -> Real:
        return self.after(t, y, 1)[self.program.rate]

    def jacobian(self, t: float, y: Real) -> Real:
        matrix = np.zeros((self.n, self.n))
        matrix[self.program.row, self.program.column] = self.after(t, y, 1, 2)[self.program.entry]
        return matrix

    def holds(self, t: float, y: Real) -> NDArray[np.bool_]:
        return np.asarray(self.after(t, y, 3)[self.program.trigger] != 0.0)

    def settle(self, t: float, y: Real, armed: NDArray[np.bool_]) -> bool:
        """Let events happen until none is due; changes `y` and `armed`."""
        for _ in range(1000):
            now = self.holds(t, y)
            due = now & ~armed
            values = self.after(t, y, 3, 4)[self.program.value].copy()
            armed[:] = now
            if not due.any():
                return True
            for event, target, value in zip(self.program.event, self.program.target, values, strict=True):
                if due[event]:
                    y[target] = value
        return False


def advance(
    begin: int,
    end: int,
    state: Real,
    parameters: Real,
    start: Real,
    span: Real,
    rtol: float,
    atol: Real,
    floor: Real,
    step: Real,
    armed: Flags,
    program: Program,
    failure: Whole,
    reached: Real,
    steps: Whole,
) -> None:
    """Advance the rate equations of the cells from `begin` to `end`; `step` is left as it is, `steps` counts scipy's."""
    for cell in range(begin, end):
        y = state[:, cell].copy()
        system = _System(program, len(y), parameters[:, min(cell, parameters.shape[1] - 1)])
        t = float(start[min(cell, start.size - 1)])
        last = t + float(span[min(cell, span.size - 1)])
        held = armed[:, cell] != 0
        fate, culprit = FINE, -1
        if not system.settle(t, y, held):
            fate = EVENTS_WITHOUT_END
        while t < last and fate == FINE:
            if not np.isfinite(system.rates(t, y)).all():
                fate, culprit = INFINITE, int(np.argmin(np.isfinite(system.rates(t, y))))
                break
            found = solve_ivp(
                system.rates,
                (t, last),
                y,
                "Radau",
                events=_falling(floor - atol),
                rtol=rtol,
                atol=atol,
                jac=system.jacobian,
                dense_output=len(held) > 0,
            )
            steps[cell] += len(found.t) - 1
            changed = _change(system, found, held) if len(held) else None
            t, y = changed or (float(found.t[-1]), np.asarray(found.y[:, -1]))
            if not changed and found.status == -1:
                fate = TOO_SMALL
            elif not changed and found.status == 1:
                fate, culprit = NEGATIVE, int(np.argmin(y - floor))
            else:
                y = np.where((y < floor) & (y >= floor - atol), floor, y)
                if not system.settle(t, y, held):
                    fate = EVENTS_WITHOUT_END
        state[:, cell], armed[:, cell] = y, held
        failure[:, cell], reached[cell] = (fate, culprit), t


def _falling(lowest: Real) -> Any:
    """A function that changes sign, and ends the integration, when a state falls below the lowest allowed."""

    def fall(_: float, y: Real) -> float:
        return -1.0 if (y < lowest).any() else 1.0

    watch: Any = fall
    watch.terminal, watch.direction = True, -1.0
    return watch


def _change(system: _System, found: Any, held: NDArray[np.bool_]) -> tuple[float, Real] | None:
    """Time and state just after the condition of an event changed for the first time, looked for on a fine grid."""
    low = float(found.t[0])
    for high in np.linspace(low, found.t[-1], _LOOKS)[1:]:
        if (system.holds(high, found.sol(high)) != held).any():
            while low < (middle := 0.5 * (low + high)) < high:
                if (system.holds(middle, found.sol(middle)) != held).any():
                    high = middle
                else:
                    low = middle
            return float(high), np.asarray(found.sol(high))
        low = float(high)
    return None


def advance_side_by_side(
    begin: int,
    end: int,
    state: Real,
    parameters: Real,
    start: Real,
    span: Real,
    rtol: float,
    atol: Real,
    floor: Real,
    step: Real,
    program: Program,
    elimination: Elimination,
    failure: Whole,
    reached: Real,
    steps: Whole,
) -> None:
    """Advance the cells from `begin` to `end` of a system without events, one after the other."""
    armed = np.zeros((0, state.shape[1]), np.uint8)
    before = (state, parameters, start, span, rtol, atol, floor, step, armed)
    advance(begin, end, *before, program, failure, reached, steps)
