"""Rate equations inside many cells, several cells side by side: what `advance` in `paget.kernels.kinetics` does, faster.

The instructions of a program are read once for all lanes, and linear equations are solved on the pattern of the network alone.
Every lane holds one cell with its own time and step size, and takes the next cell as soon as its own has finished. No lane sees
another, and every operation is carried out in the same way in all of them, so that the company of a cell changes no bit.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from paget.kernels.compile import kernel
from paget.kernels.kinetics import (
    _A,
    _ALPHA,
    _C,
    _DIAGONAL,
    _DRIFT,
    _GAMMA,
    _GROW,
    _MOST_STEPS,
    _SAFETY,
    _SHRINK,
    FINE,
    INFINITE,
    NEGATIVE,
    TOO_MANY_STEPS,
    TOO_SMALL,
    _first_step,
    factorise,
    solve,
)
from paget.kernels.kinetics_program import Program, operation

__all__ = ["LANES", "Elimination", "advance_side_by_side"]

Real = NDArray[np.float64]
Whole = NDArray[np.int64]

LANES = 16  # a processor's register holds four or eight numbers; twice that many keep it busy


class Elimination(NamedTuple):
    """How a sparse matrix of n rows is solved without looking for pivots: places of its entries, and what to do with them.

    slots : int64 [1], number of entries that are not always 0, those that arise on the way included
    diagonal : int64 [n], slot of each diagonal entry; place : int64 [z], slot of each entry of the Jacobian
    eliminate : int32 [q, 3], in order: slot t -= slot a * slot b, or slot t /= slot a where b is -1
    forward, backward : int32 [., 3], in order: x[i] -= slot * x[j], or x[i] /= slot where j is -1
    """

    slots: Whole
    diagonal: Whole
    place: Whole
    eliminate: NDArray[np.int32]
    forward: NDArray[np.int32]
    backward: NDArray[np.int32]


@kernel
def _add(factor: float, k: Real, s: int, to: Real) -> None:
    """Add a multiple of `k[s]` [n, LANES] to an array."""
    width = to.shape[1]
    for i in range(to.shape[0]):
        for j in range(width):
            to[i, j] += factor * k[s, i, j]


@kernel
def _run(code: NDArray[np.int32], begin: int, end: int, first: int, r: Real) -> None:
    """Carry out the instructions from `begin` to `end` in all lanes of the registers `r` [., LANES]."""
    # The compiler computes lanes together only where it does not know their number; and places are plain unsigned numbers,
    # since a row taken out as an array of its own is counted, which costs more than the sums in it.
    width = r.shape[1]
    for k in range(begin, end):
        op = code[k, 0]
        a = np.uint64(code[k, 1])
        b = np.uint64(code[k, 2])
        c = np.uint64(code[k, 3])
        out = np.uint64(first + k)
        if op == 0:
            for j in range(width):
                r[out, j] = r[a, j] + r[b, j]
        elif op == 1:
            for j in range(width):
                r[out, j] = r[a, j] - r[b, j]
        elif op == 2:
            for j in range(width):
                r[out, j] = r[a, j] * r[b, j]
        elif op == 3:
            for j in range(width):
                r[out, j] = r[a, j] / r[b, j]
        elif op == 4:
            for j in range(width):
                r[out, j] = -r[a, j]
        else:
            for j in range(width):
                r[out, j] = operation(op, r[a, j], r[b, j], r[c, j])


@kernel
def _eliminate(elimination: Elimination, m: Real, steep: NDArray[np.bool_]) -> None:
    """Replace the entries `m` [slots, LANES] by those of the triangular factors; `steep` where that loses digits."""
    width = m.shape[1]
    steep[:] = False
    for q in range(elimination.eliminate.shape[0]):
        out = np.uint64(elimination.eliminate[q, 0])
        a = np.uint64(elimination.eliminate[q, 1])
        if elimination.eliminate[q, 2] >= 0:
            b = np.uint64(elimination.eliminate[q, 2])
            for j in range(width):
                m[out, j] -= m[a, j] * m[b, j]
        else:
            for j in range(width):
                m[out, j] /= m[a, j]
            for j in range(width):
                steep[j] |= not abs(m[out, j]) <= 1.0 / _DIAGONAL
    for i in range(elimination.diagonal.size):
        for j in range(width):
            steep[j] |= not (0.0 < abs(m[elimination.diagonal[i], j]) < np.inf)


@kernel
def _substitute(elimination: Elimination, m: Real, x: Real, s: int) -> None:
    """Solve with the triangular factors; `x[s]` [n, LANES] is the right side before and the solution after."""
    width = x.shape[2]
    for q in range(elimination.forward.shape[0]):
        out = np.uint64(elimination.forward[q, 0])
        a = np.uint64(elimination.forward[q, 1])
        b = np.uint64(elimination.forward[q, 2])
        for j in range(width):
            x[s, out, j] -= m[a, j] * x[s, b, j]
    for q in range(elimination.backward.shape[0]):
        out = np.uint64(elimination.backward[q, 0])
        a = np.uint64(elimination.backward[q, 1])
        if elimination.backward[q, 2] >= 0:
            b = np.uint64(elimination.backward[q, 2])
            for j in range(width):
                x[s, out, j] -= m[a, j] * x[s, b, j]
        else:
            for j in range(width):
                x[s, out, j] /= m[a, j]


@kernel
def _steps(
    program: Program,
    elimination: Elimination,
    first: int,
    y: Real,
    time: Real,
    h: Real,
    r: Real,
    m: Real,
    steep: NDArray[np.bool_],
    dense: Real,
    pivot: Whole,
    column: Real,
    k: Real,
    new: Real,
) -> None:
    """Take one step of length `h` [LANES] from `y` to `new` [n, LANES]; estimated errors are left in k[5].

    The registers `r` must hold what rates and their derivatives are at `y`.
    """
    n = y.shape[0]
    width = y.shape[1]
    clock = np.uint64(first - program.literals.size - 1)
    drifts = program.drift.size
    weight = np.empty(width)
    m[:, :] = 0.0
    for z in range(program.entry.size):
        out = np.uint64(elimination.place[z])
        a = np.uint64(program.entry[z])
        for j in range(width):
            m[out, j] = -r[a, j]
    for j in range(width):
        weight[j] = 1.0 / (_GAMMA * h[j])
    for i in range(n):
        out = np.uint64(elimination.diagonal[i])
        for j in range(width):
            m[out, j] += weight[j]
    _eliminate(elimination, m, steep)
    any_steep = False
    for j in range(width):
        if steep[j]:
            any_steep = True
            dense[j, :, :] = 0.0
            for z in range(program.entry.size):
                dense[j, program.column[z], program.row[z]] = -r[program.entry[z], j]
            for i in range(n):
                dense[j, i, i] += weight[j]
            if not factorise(dense[j], pivot[j]):
                dense[j, :, :] = np.nan
    drift = np.empty((drifts, width))
    for i in range(drifts):
        for j in range(width):
            drift[i, j] = r[program.drift[i], j]
    for s in range(6):
        if s > 0:
            if s < 5:
                new[:, :] = y
                for q in range(s):
                    _add(_A[s, q], k, q, new)
            else:
                _add(1.0, k, 4, new)
            for i in range(n):
                for j in range(width):
                    r[i, j] = new[i, j]
            for j in range(width):
                r[clock, j] = time[j] + _ALPHA[s] * h[j]
            _run(program.code, program.ends[0], program.ends[1], first, r)
        for i in range(n):
            a = np.uint64(program.rate[i])
            for j in range(width):
                k[s, i, j] = r[a, j]
        for q in range(s):
            for j in range(width):
                weight[j] = _C[s, q] / h[j]
            for i in range(n):
                for j in range(width):
                    k[s, i, j] += weight[j] * k[q, i, j]
        if drifts > 0 and s < 4:
            for i in range(n):
                for j in range(width):
                    k[s, i, j] += h[j] * _DRIFT[s] * drift[i, j]
        if any_steep:
            for j in range(width):
                if steep[j]:
                    for i in range(n):
                        column[j, i] = k[s, i, j]
                    solve(dense[j], pivot[j], column[j])
        _substitute(elimination, m, k, s)
        if any_steep:
            for j in range(width):
                if steep[j]:
                    for i in range(n):
                        k[s, i, j] = column[j, i]
    _add(1.0, k, 5, new)


@kernel
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
    """Advance the cells from `begin` to `end` of a system without events; arguments as those of `advance`."""
    n = state.shape[0]
    p = parameters.shape[0]
    literals = program.literals.size
    first = n + p + 1 + literals
    r = np.zeros((first + program.code.shape[0], LANES))
    for i in range(literals):
        r[n + p + 1 + i] = program.literals[i]
    y = np.ones((n, LANES))
    new = np.ones((n, LANES))
    k = np.zeros((6, n, LANES))
    m = np.zeros((elimination.slots[0], LANES))
    dense = np.zeros((LANES, n, n))
    pivot = np.zeros((LANES, n), np.int64)
    column = np.zeros((LANES, n))
    own = np.empty(n)
    rate = np.empty(n)
    steep = np.zeros(LANES, np.bool_)
    cell = np.full(LANES, -1)
    fresh = np.zeros(LANES, np.bool_)  # whether the lane has just arrived where it is
    rejected = np.zeros(LANES, np.bool_)
    fell = np.zeros(LANES, np.bool_)
    ends = np.zeros(LANES, np.bool_)
    culprit = np.zeros(LANES, np.int64)
    taken = np.zeros(LANES, np.int64)
    t = np.zeros(LANES)
    h = np.ones(LANES)
    length = np.ones(LANES)
    time = np.zeros(LANES)
    origin = np.zeros(LANES)
    whole = np.zeros(LANES)
    waiting = begin
    busy = 0
    while True:
        arrived = False
        for j in range(LANES):
            while cell[j] < 0 and waiting < end:
                c = waiting
                waiting += 1
                origin[j] = start[c if start.size > 1 else 0]
                whole[j] = span[c if span.size > 1 else 0]
                if whole[j] <= 0.0:
                    failure[0, c] = FINE
                    failure[1, c] = -1
                    reached[c] = origin[j]
                    continue
                cell[j] = c
                busy += 1
                arrived = True
                for i in range(n):
                    y[i, j] = state[i, c]
                for i in range(p):
                    r[n + i, j] = parameters[i, c if parameters.shape[1] > 1 else 0]
                t[j] = 0.0
                h[j] = step[c]
                taken[j] = 0
                culprit[j] = -1
                fresh[j] = True
                rejected[j] = False
                fell[j] = False
        if busy == 0:
            return
        r[:n] = y
        for j in range(LANES):
            r[n + p, j] = origin[j] + t[j]
        # What parameters alone decide is computed anew in all lanes, and comes out the same where nothing arrived.
        _run(program.code, 0 if arrived else program.ends[0], program.ends[2], first, r)
        for j in range(LANES):
            if cell[j] < 0:
                continue
            fate = FINE
            if fresh[j]:
                fresh[j] = False
                for i in range(n):
                    if not np.isfinite(r[program.rate[i], j]):
                        fate = INFINITE
                        culprit[j] = i
                for z in range(program.entry.size):
                    if fate == FINE and not np.isfinite(r[program.entry[z], j]):
                        fate = INFINITE
                        culprit[j] = program.row[z]
                for i in range(n):
                    # A state at its floor that the rates push on has not erred: the equations lead below.
                    if fate == FINE and y[i, j] <= floor[i] and r[program.rate[i], j] * whole[j] < -atol[i]:
                        fate = NEGATIVE
                        culprit[j] = i
                if fate == FINE and h[j] <= 0.0:
                    for i in range(n):
                        own[i] = y[i, j]
                        rate[i] = r[program.rate[i], j]
                    h[j] = _first_step(own, rate, atol, whole[j])
            left = whole[j] - t[j]
            ends[j] = h[j] >= left * (1.0 - 1e-12)
            length[j] = left if ends[j] else h[j]
            if fate == FINE and t[j] + length[j] == t[j]:
                fate = NEGATIVE if fell[j] else TOO_SMALL
            taken[j] += 1
            if fate == FINE and taken[j] > _MOST_STEPS:
                fate = TOO_MANY_STEPS
            if fate != FINE:
                _leave(j, fate, cell, y, h, origin, t, taken, culprit, state, step, failure, reached, steps)
                busy -= 1
            time[j] = origin[j] + t[j]
        if busy == 0:
            continue
        _steps(program, elimination, first, y, time, length, r, m, steep, dense, pivot, column, k, new)
        for j in range(LANES):
            if cell[j] < 0:
                continue
            culprit[j] = -1
            error = 0.0
            for i in range(n):
                allowed = atol[i] + rtol * max(abs(y[i, j]), abs(new[i, j]))
                relative = abs(k[5, i, j]) / allowed
                if not relative <= error:
                    error = relative if relative > error else np.inf
                    culprit[j] = i
            fell[j] = False
            if not error <= 1.0:
                h[j] = length[j] * (max(_SHRINK, _SAFETY / np.sqrt(np.sqrt(error))) if error < np.inf else _SHRINK)
                rejected[j] = True
                continue
            culprit[j] = -1
            for i in range(n):
                if new[i, j] < floor[i]:
                    if new[i, j] < floor[i] - atol[i]:
                        fell[j] = True
                        culprit[j] = i
                    else:
                        new[i, j] = floor[i]
            if fell[j]:
                h[j] = 0.5 * length[j]
                rejected[j] = True
                continue
            t[j] = whole[j] if ends[j] else t[j] + length[j]
            for i in range(n):
                y[i, j] = new[i, j]
            grow = min(_GROW, max(_SHRINK, _SAFETY / np.sqrt(np.sqrt(error)))) if error > 0.0 else _GROW
            proposed = length[j] * (min(grow, 1.0) if rejected[j] else grow)
            h[j] = max(h[j], proposed) if ends[j] else proposed
            rejected[j] = False
            fresh[j] = True
            if ends[j]:
                _leave(j, FINE, cell, y, h, origin, t, taken, culprit, state, step, failure, reached, steps)
                busy -= 1


@kernel
def _leave(
    j: int,
    fate: int,
    cell: Whole,
    y: Real,
    h: Real,
    origin: Real,
    t: Real,
    taken: Whole,
    culprit: Whole,
    state: Real,
    step: Real,
    failure: Whole,
    reached: Real,
    steps: Whole,
) -> None:
    """Write the cell of lane `j` back and free the lane."""
    c = cell[j]
    for i in range(y.shape[0]):
        state[i, c] = y[i, j]
    step[c] = h[j]
    failure[0, c] = fate
    failure[1, c] = culprit[j]
    reached[c] = origin[j] + t[j]
    steps[c] += taken[j]
    cell[j] = -1
    h[j] = 1.0
