"""Rate equations inside many cells at once: dy/dt = f(t, y, p), one state and one step size per cell.

A system is data: its right-hand sides, its Jacobian and its events are register programs that one interpreter runs, so that
nothing is compiled for a model. Steps are those of RODAS (Hairer and Wanner 1996, Solving Ordinary Differential Equations II,
chapter IV.7): a Rosenbrock method of order 4 with an embedded one of order 3, L-stable and stiffly accurate, so that fast
reactions need no small steps. Every cell has its own step size and sees no other cell, so neither the number of threads nor
the order or the company of cells changes a bit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paget.kernels.compile import kernel
from paget.kernels.kinetics_program import Program, run

__all__ = [
    "EVENTS_WITHOUT_END",
    "FINE",
    "INFINITE",
    "NEGATIVE",
    "TOO_MANY_STEPS",
    "TOO_SMALL",
    "advance",
    "factorise",
    "solve",
]

Real = NDArray[np.float64]
Whole = NDArray[np.int64]
Flags = NDArray[np.uint8]

# How a cell fared.
FINE, TOO_SMALL, INFINITE, NEGATIVE, TOO_MANY_STEPS, EVENTS_WITHOUT_END = 0, 1, 2, 3, 4, 5

_MOST_STEPS = 1_000_000  # in one call and cell
_MOST_EVENTS = 1_000  # at one moment, one setting off the next
_SAFETY, _SHRINK, _GROW = 0.9, 0.2, 6.0  # bounds of the change of the step size, as in RODAS
# A diagonal element this large beside the largest of its column stays the pivot, and so keeps the pattern of the network.
_DIAGONAL = 0.01

# Coefficients of RODAS (method 1) in the form that needs no product of matrix and vector.
_GAMMA = 0.25
_ALPHA = np.array([0.0, 0.386, 0.21, 0.63, 1.0, 1.0])
_DRIFT = np.array([0.25, -0.1043, 0.1035, -0.03620000000000023, 0.0, 0.0])
_A = np.zeros((6, 6))
_A[1, 0] = 1.544000000000000
_A[2, :2] = 0.9466785280815826, 0.2557011698983284
_A[3, :3] = 3.314825187068521, 2.896124015972201, 0.9986419139977817
_A[4, :4] = 1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950
_A[5, :5] = *_A[4, :4], 1.0
_C = np.zeros((6, 6))
_C[1, 0] = -5.668800000000000
_C[2, :2] = -2.430093356833875, -0.2063599157091915
_C[3, :3] = -0.1073529058151375, -9.594562251023355, -20.47028614809616
_C[4, :4] = 7.496443313967647, -10.24680431464352, -33.99990352819905, 11.70890893206160
_C[5, :5] = 8.083246795921522, -7.981132988064893, -31.52159432874371, 16.31930543123136, -6.058818238834054


# ---- linear equations -----------------------------------------------------------------------------------------------
@kernel
def factorise(matrix: Real, pivot: Whole) -> bool:
    """Replace a matrix, given column by column, by its triangular factors; False if it is singular or not finite.

    matrix : [n, n], entry (row i, column j) at [j, i]; pivot : int64 [n], written
    Columns are combined as wholes, those with nothing in the row of the pivot not at all: networks are sparse.
    """
    n = pivot.size
    for k in range(n):
        best = k
        largest = abs(matrix[k, k])
        wanted = largest / _DIAGONAL
        for i in range(k + 1, n):
            if abs(matrix[k, i]) > largest:
                largest = abs(matrix[k, i])
                best = i
        if largest <= wanted:
            best = k
        pivot[k] = best
        head = matrix[k, best]
        if not (0.0 < abs(head) < np.inf):
            return False
        matrix[k, best] = matrix[k, k]
        matrix[k, k] = head
        last = k
        for i in range(k + 1, n):
            if matrix[k, i] != 0.0:
                matrix[k, i] = -matrix[k, i] / head
                last = i
        for j in range(k + 1, n):
            factor = matrix[j, best]
            matrix[j, best] = matrix[j, k]
            matrix[j, k] = factor
            if factor != 0.0:
                for i in range(k + 1, last + 1):
                    matrix[j, i] += factor * matrix[k, i]
    return True


@kernel
def solve(matrix: Real, pivot: Whole, vector: Real) -> None:
    """Solve the equations that `factorise` prepared; `vector` [n] is the right side before and the solution after."""
    n = pivot.size
    for k in range(n):
        factor = vector[pivot[k]]
        vector[pivot[k]] = vector[k]
        vector[k] = factor
        if factor != 0.0:
            for i in range(k + 1, n):
                vector[i] += factor * matrix[k, i]
    for k in range(n - 1, -1, -1):
        if vector[k] != 0.0:
            factor = vector[k] / matrix[k, k]
            vector[k] = factor
            for i in range(k):
                vector[i] -= factor * matrix[k, i]


# ---- one step -------------------------------------------------------------------------------------------------------
@kernel
def _rates(program: Program, first: int, y: Real, time: float, registers: Real, out: Real) -> None:
    n = y.size
    for i in range(n):
        registers[i] = y[i]
    registers[first - program.literals.size - 1] = time
    run(program.code, program.ends[0], program.ends[1], first, registers)
    for i in range(n):
        out[i] = registers[program.rate[i]]


@kernel
def _step(
    program: Program,
    first: int,
    y: Real,
    f: Real,
    jacobian: Real,
    drift: Real,
    time: float,
    h: float,
    registers: Real,
    matrix: Real,
    pivot: Whole,
    k: Real,
    new: Real,
) -> bool:
    """Take one step of length `h` from `y` to `new`; its estimated error is left in k[5]. False if it cannot be taken."""
    n = y.size
    matrix[:, :] = 0.0
    for z in range(program.entry.size):
        matrix[program.column[z], program.row[z]] = -jacobian[z]
    for i in range(n):
        matrix[i, i] += 1.0 / (_GAMMA * h)
    if not factorise(matrix, pivot):
        return False
    for s in range(6):
        if s == 0:
            for i in range(n):
                k[0, i] = f[i]
        else:
            if s < 5:
                for i in range(n):
                    new[i] = y[i]
                for j in range(s):
                    a = _A[s, j]
                    for i in range(n):
                        new[i] += a * k[j, i]
            else:
                for i in range(n):
                    new[i] += k[4, i]
            _rates(program, first, new, time + _ALPHA[s] * h, registers, k[s])
            for j in range(s):
                c = _C[s, j] / h
                for i in range(n):
                    k[s, i] += c * k[j, i]
        if drift.size and s < 4:
            for i in range(n):
                k[s, i] += h * _DRIFT[s] * drift[i]
        solve(matrix, pivot, k[s])
    for i in range(n):
        new[i] += k[5, i]
    return True


@kernel
def _rising(program: Program, first: int, y: Real, time: float, registers: Real, armed: Flags, now: Flags) -> bool:
    """Evaluate the conditions of all events into `now`; say whether one holds that did not hold before (`armed`)."""
    for i in range(y.size):
        registers[i] = y[i]
    registers[first - program.literals.size - 1] = time
    run(program.code, program.ends[2], program.ends[3], first, registers)
    found = False
    for e in range(now.size):
        now[e] = registers[program.trigger[e]] != 0.0
        found = found or (now[e] == 1 and armed[e] == 0)
    return found


@kernel
def _settle(program: Program, first: int, y: Real, time: float, registers: Real, armed: Flags, now: Flags) -> int:
    """Let all events happen that are due, and those that they set off, until none is; how often, or -1 without an end."""
    for round in range(_MOST_EVENTS):
        due = _rising(program, first, y, time, registers, armed, now)
        if due:
            run(program.code, program.ends[3], program.ends[4], first, registers)
            for q in range(program.event.size):
                e = program.event[q]
                if now[e] == 1 and armed[e] == 0:
                    y[program.target[q]] = registers[program.value[q]]
        for e in range(now.size):
            armed[e] = now[e]
        if not due:
            return round
    return -1


# ---- many cells -----------------------------------------------------------------------------------------------------
@kernel
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
    """Advance the rate equations of the cells from `begin` to `end`, with the error of every step within tolerance.

    state : [n, cells], in place; parameters : [p, cells], or [p, 1] for the same in all cells
    start, span : [cells] or [1], time at the start and to advance, in the unit of time of the system
    rtol, atol [n] : a step may err in each state by atol + rtol * |y|
    floor : [n], the least value of each state, -inf for none. A step that ends below is taken again, shorter; only what
        lies within atol of the floor is set to it
    step : [cells], in place: the step size to try next, 0 at the very start
    armed : uint8 [e, cells], in place: whether the condition of each event held when last seen
    failure : int64 [2, cells], written: how the cell fared (`FINE`, ...) and the state that failed, or -1. The state of a
        cell that failed is the last good one
    reached : [cells], written: time that was reached; steps : int64 [cells], added to: steps tried
    """
    n = state.shape[0]
    p = parameters.shape[0]
    literals = program.literals.size
    first = n + p + 1 + literals
    events = program.trigger.size
    registers = np.zeros(first + program.code.shape[0])
    for j in range(literals):
        registers[n + p + 1 + j] = program.literals[j]
    y = np.empty(n)
    new = np.empty(n)
    trial = np.empty(n)
    f = np.empty(n)
    drift = np.empty(program.drift.size)
    jacobian = np.empty(program.entry.size)
    matrix = np.empty((n, n))
    pivot = np.empty(n, np.int64)
    k = np.empty((6, n))
    holds = np.empty(events, np.uint8)
    now = np.empty(events, np.uint8)
    for cell in range(begin, end):
        for i in range(n):
            y[i] = state[i, cell]
        own = cell if parameters.shape[1] > 1 else 0
        for j in range(p):
            registers[n + j] = parameters[j, own]
        for e in range(events):
            holds[e] = armed[e, cell]
        run(program.code, 0, program.ends[0], first, registers)
        origin = start[cell if start.size > 1 else 0]
        whole = span[cell if span.size > 1 else 0]
        t = 0.0
        h = step[cell]
        fate = FINE
        culprit = -1
        taken = 0
        fresh = False  # whether rates and Jacobian are those of the present state
        rejected = False
        fell = False  # whether the last step tried ended below a floor
        if events > 0 and _settle(program, first, y, origin, registers, holds, now) < 0:
            fate = EVENTS_WITHOUT_END
        while t < whole and fate == FINE:
            if not fresh:
                _rates(program, first, y, origin + t, registers, f)
                run(program.code, program.ends[1], program.ends[2], first, registers)
                for z in range(jacobian.size):
                    jacobian[z] = registers[program.entry[z]]
                for i in range(drift.size):
                    drift[i] = registers[program.drift[i]]
                fresh = True
                for i in range(n):
                    if not np.isfinite(f[i]):
                        fate = INFINITE
                        culprit = i
                for z in range(jacobian.size):
                    if fate == FINE and not np.isfinite(jacobian[z]):
                        fate = INFINITE
                        culprit = program.row[z]
                for i in range(n):
                    # A state at its floor that the rates push on has not erred: the equations lead below.
                    if fate == FINE and y[i] <= floor[i] and f[i] * whole < -atol[i]:
                        fate = NEGATIVE
                        culprit = i
                if fate != FINE:
                    break
            if h <= 0.0:
                h = _first_step(y, f, atol, whole)
            left = whole - t
            ends = h >= left * (1.0 - 1e-12)
            length = left if ends else h
            if t + length == t:
                fate = NEGATIVE if fell else TOO_SMALL
                break
            taken += 1
            if taken > _MOST_STEPS:
                fate = TOO_MANY_STEPS
                break
            fell = False
            culprit = -1
            error = np.inf
            if _step(program, first, y, f, jacobian, drift, origin + t, length, registers, matrix, pivot, k, new):
                error = 0.0
                for i in range(n):
                    allowed = atol[i] + rtol * max(abs(y[i]), abs(new[i]))
                    relative = abs(k[5, i]) / allowed
                    if not relative <= error:
                        error = relative if relative > error else np.inf
                        culprit = i
            if not error <= 1.0:
                factor = max(_SHRINK, _SAFETY / np.sqrt(np.sqrt(error))) if error < np.inf else _SHRINK
                h = length * factor
                rejected = True
                continue
            culprit = -1
            for i in range(n):
                if new[i] < floor[i]:
                    if new[i] < floor[i] - atol[i]:
                        fell = True
                        culprit = i
                    else:
                        new[i] = floor[i]
            if fell:
                h = 0.5 * length
                rejected = True
                continue
            if events > 0 and _rising(program, first, new, origin + t + length, registers, holds, now):
                # The step is taken again, shorter and shorter, until it ends just after the first event is due.
                low = 0.0
                high = length
                while high - low > 4e-16 * (t + high):
                    middle = 0.5 * (low + high)
                    if not low < middle < high:
                        break
                    if _step(
                        program, first, y, f, jacobian, drift, origin + t, middle, registers, matrix, pivot, k, trial
                    ) and _rising(program, first, trial, origin + t + middle, registers, holds, now):
                        high = middle
                        new[:] = trial
                    else:
                        low = middle
                ends = ends and high == length
                length = high
            t = whole if ends else t + length
            for i in range(n):
                y[i] = new[i]
            fresh = False
            grow = min(_GROW, max(_SHRINK, _SAFETY / np.sqrt(np.sqrt(error)))) if error > 0.0 else _GROW
            proposed = length * (min(grow, 1.0) if rejected else grow)
            h = max(h, proposed) if ends else proposed
            rejected = False
            if events > 0:
                happened = _settle(program, first, y, origin + t, registers, holds, now)
                if happened < 0:
                    fate = EVENTS_WITHOUT_END
                elif happened > 0:
                    h = 0.0  # begin anew, with steps too short to jump over the next event
        for i in range(n):
            state[i, cell] = y[i]
        for e in range(events):
            armed[e, cell] = holds[e]
        step[cell] = h
        failure[0, cell] = fate
        failure[1, cell] = culprit
        reached[cell] = origin + t
        steps[cell] += taken


@kernel
def _first_step(y: Real, f: Real, atol: Real, whole: float) -> float:
    """A step in which no state changes by more than about a hundredth of its size."""
    largest = 0.0
    for i in range(y.size):
        largest = max(largest, abs(y[i]))
    speed = 0.0
    for i in range(y.size):
        speed = max(speed, abs(f[i]) / (abs(y[i]) + 1e-3 * largest + atol[i]))
    return float(min(whole, 0.01 / speed)) if speed > 0.0 else whole
