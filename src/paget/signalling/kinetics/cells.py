"""One copy of a system of rate equations in each of many cells, advanced together and each by itself."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paget.errors import ModelError, NumericalError
from paget.kernels import kinetics as kernels
from paget.kernels import kinetics_program
from paget.kernels.kinetics_lanes import advance_side_by_side
from paget.signalling.expression import evaluate
from paget.signalling.kinetics.program import Equations, equations
from paget.signalling.kinetics.system import TIME, Kinetics
from paget.units import to_internal

__all__ = ["Cells", "advance", "observed", "per_hour", "start"]

Real = NDArray[np.float64]

_TURN = 128  # cells that a thread fetches at a time: stiff systems take long, and not the same time in all cells


@dataclass
class Cells:
    """States of a system in many cells; `advance` changes the arrays in place.

    state : [n, cells], rows as `equations(system).states`
    parameters : [p, cells], or [p, 1] for the same in all cells, rows as `equations(system).constants`
    time : [cells], in the unit of the system; step : [cells], step size to try next, 0 for none known
    armed : uint8 [e, cells], whether the condition of each event held when last seen
    """

    state: Real
    parameters: Real
    time: Real
    step: Real
    armed: NDArray[np.uint8]

    def __len__(self) -> int:
        return int(self.state.shape[1])


def start(
    system: Kinetics, cells: int = 1, values: Mapping[str, float | Real] | None = None, time: float = 0.0
) -> Cells:
    """Cells at the start of a system: its own numbers, those in `values` replaced, by one number or one for each cell.

    Numbers are in the units of the system.
    """
    given = dict(values or {})
    found: dict[str, float | Real] = {name: one.value for name, one in system.values.items()} | given | {TIME: time}
    for name, formula in system.beginning.items():
        if name not in given:
            found[name] = evaluate(formula, found, {})
    state = np.empty((len(system.states), cells))
    for row, name in enumerate(system.states):
        state[row] = found[name]
    own = any(np.ndim(found[name]) for name in system.constants)
    parameters = np.empty((len(system.constants), cells if own else 1))
    for row, name in enumerate(system.constants):
        parameters[row] = found[name]
    armed = np.array([event.initially for event in system.events], np.uint8)
    return Cells(state, parameters, np.full(cells, time), np.zeros(cells), np.repeat(armed[:, None], cells, axis=1))


def per_hour(system: Kinetics) -> float:
    """Units of the system's own time in an hour.

    Raises
    ------
    ModelError
        If the system does not say in which unit it counts time.
    """
    if not system.time_unit:
        raise ModelError(f"The unit of time of '{system.name}' is not known; give it, as in time_unit='day'")
    return to_internal("1 h", system.time_unit)


def advance(
    system: Kinetics,
    cells: Cells,
    span: float | Real,
    *,
    rtol: float = 1e-6,
    atol: float | Real = 1e-9,
    threads: int = 1,
) -> int:
    """Advance all cells by `span` of the system's own time (`per_hour` of them in an hour); returns the steps taken.

    span : one for all cells, or [cells]; rtol, atol : a step may err in each state by atol + rtol * |y|

    Raises
    ------
    NumericalError
        Naming state, time and cell; the other cells have been advanced and that one stays at its last good state.
    """
    written, m = equations(system), len(cells)
    failure, steps = np.zeros((2, m), np.int64), np.zeros(m, np.int64)
    reached = np.empty(m)
    spans = np.atleast_1d(np.asarray(span, np.float64))
    tolerance = np.broadcast_to(np.asarray(atol, np.float64), len(written.states)).copy()
    before = (cells.state, cells.parameters, cells.time, spans, rtol, tolerance, written.floor, cells.step)
    after = (failure, reached, steps)

    def work(begin: int, end: int) -> None:
        if system.events:
            kernels.advance(begin, end, *before, cells.armed, written.program, *after)
        else:
            advance_side_by_side(begin, end, *before, written.program, written.elimination, *after)

    if threads <= 1 or m <= _TURN:
        work(0, m)
    else:
        turns = itertools.count(0, _TURN)

        def fetch(_: int) -> None:
            while (begin := next(turns)) < m:
                work(begin, min(begin + _TURN, m))

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(fetch, range(threads)))
    cells.time = cells.time + spans
    failed = np.flatnonzero(failure[0])
    if failed.size:
        cells.time[failed] = reached[failed]
        raise NumericalError(_told(system, written, failed, failure, reached))
    return int(steps.sum())


_FATES = {
    kernels.TOO_SMALL: "{name} cannot be followed: no step is short enough for the tolerance",
    kernels.INFINITE: "the rate of {name}, or a derivative of it, is not finite",
    kernels.NEGATIVE: "{name} would fall below zero; the equations mean nothing from there on",
    kernels.TOO_MANY_STEPS: "more than a million steps were needed",
    kernels.EVENTS_WITHOUT_END: "events set off one another without end",
}


def _told(
    system: Kinetics, written: Equations, failed: NDArray[np.int64], failure: NDArray[np.int64], reached: Real
) -> str:
    cell = int(failed[0])
    fate, state = int(failure[0, cell]), int(failure[1, cell])
    what = _FATES[fate].format(name=f"'{written.states[state]}'" if state >= 0 else "a state")
    unit = f" {system.time_unit}" if system.time_unit else ""
    others = f", and {failed.size - 1} other cells failed" if failed.size > 1 else ""
    return f"'{system.name}': {what}, at time {reached[cell]:.6g}{unit} in cell {cell}{others}"


def observed(system: Kinetics, cells: Cells, names: Iterable[str]) -> Real:
    """Values [names, cells] of states, assigned names and rates of reactions."""
    written = equations(system)
    rows = [written.observables.index(name) for name in names]
    out = np.empty((len(rows), len(cells)))
    program = written.program
    setup, begin = int(program.ends[0]), int(program.ends[-1])
    places = written.observed[rows]
    arguments = (program.literals, written.observe, setup, begin, places, out)
    kinetics_program.observe(cells.state, cells.parameters, np.ascontiguousarray(cells.time), *arguments)
    return out
