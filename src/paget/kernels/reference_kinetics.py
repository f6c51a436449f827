"""Slow, clear twins of the kernels of rate equations: programs read line by line, integrated by scipy's Radau."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from paget.kernels.kinetics import EVENTS_WITHOUT_END, FINE, INFINITE, NEGATIVE, OPERATIONS, TOO_SMALL, Program

__all__ = ["advance", "factorise", "observe", "run", "solve"]

Real = NDArray[np.float64]
Whole = NDArray[np.int64]
Flags = NDArray[np.uint8]

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


def run(code: NDArray[np.int32], begin: int, end: int, first: int, registers: Real) -> None:
    """Carry out the instructions from `begin` to `end`; number k writes register `first` + k."""
    with np.errstate(all="ignore"):
        for k in range(begin, end):
            op = OPERATIONS[code[k, 0]]
            operands = [registers[place] for place in code[k, 1 : 1 + _OPERANDS.get(op, 2)]]
            registers[first + k] = float(_MEANING[op](*operands))


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
        self.registers = np.concatenate(
            [np.zeros(n), parameters, [0.0], program.literals, np.zeros(len(program.code))]
        )
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
            watch = _watches(system, held, floor - atol)
            if not np.isfinite(system.rates(t, y)).all():
                fate, culprit = INFINITE, int(np.argmin(np.isfinite(system.rates(t, y))))
                break
            found = solve_ivp(
                system.rates, (t, last), y, "Radau", events=watch, rtol=rtol, atol=atol, jac=system.jacobian
            )
            t, y = float(found.t[-1]), np.asarray(found.y[:, -1])
            steps[cell] += len(found.t) - 1
            if found.status == -1:
                fate = TOO_SMALL
            elif found.status == 1 and found.t_events is not None and found.t_events[-1].size:
                fate, culprit = NEGATIVE, int(np.argmin(y - floor))
            else:
                y = np.where((y < floor) & (y >= floor - atol), floor, y)
                # The root may lie a rounding error before the moment at which the condition holds.
                moment = np.nextafter(t, np.inf) if found.status == 1 else t
                held &= system.holds(moment, y)
                for e in range(len(held)):
                    if found.status == 1 and found.t_events is not None and found.t_events[e].size:
                        y, held[e] = _happened(system, moment, y, e), True
                if not system.settle(moment, y, held):
                    fate = EVENTS_WITHOUT_END
        state[:, cell], armed[:, cell] = y, held
        failure[:, cell], reached[cell] = (fate, culprit), t


def _watches(system: _System, held: NDArray[np.bool_], lowest: Real) -> list[Any]:
    """Functions that change sign when an event falls due, or (the last) when a state falls below the lowest allowed."""

    def due(e: int) -> Callable[[float, Real], float]:
        return lambda t, y: 1.0 if system.holds(t, y)[e] and not held[e] else -1.0

    watch: list[Any] = [due(e) for e in range(len(held))]
    watch.append(lambda _, y: -1.0 if (y < lowest).any() else 1.0)
    for one in watch:
        one.terminal = True
    watch[-1].direction = -1.0
    return watch


def _happened(system: _System, t: float, y: Real, event: int) -> Real:
    """The state after an event."""
    values = system.after(t, y, 3, 4)[system.program.value]
    new = y.copy()
    for owner, target, value in zip(system.program.event, system.program.target, values, strict=True):
        if owner == event:
            new[target] = value
    return new
