"""Courses of rate equations: under doses, for one system or for many cells whose numbers differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from paget.errors import ModelError, UnknownNameError
from paget.signalling.kinetics import cells as many
from paget.signalling.kinetics.system import Kinetics
from paget.units import to_internal

__all__ = ["Change", "Course", "Doses", "solve"]

Real = NDArray[np.float64]
Doses: TypeAlias = Sequence[tuple[float | str, float | str]]
Change: TypeAlias = float | str | Real | Doses


@dataclass(frozen=True)
class Course:
    """Values at times.

    times : [m], in `time_unit`; values : [m, names], or [m, names, cells] where numbers differ between cells
    """

    times: Real
    names: tuple[str, ...]
    values: Real
    time_unit: str

    def __getitem__(self, name: str) -> Real:
        """Values of one name at all times: [m] or [m, cells]."""
        if name not in self.names:
            raise UnknownNameError("state or assigned name", name, self.names)
        return np.asarray(self.values[:, self.names.index(name)])

    def to_frame(self) -> pd.DataFrame:
        """A table with a row for each time (and cell) and a column for each name."""
        if self.values.ndim == 2:
            return pd.DataFrame(self.values, index=pd.Index(self.times, name="time"), columns=list(self.names))
        cells = self.values.shape[2]
        index = pd.MultiIndex.from_product([self.times, range(cells)], names=["time", "cell"])
        rows = np.moveaxis(self.values, 2, 1).reshape(-1, len(self.names))
        return pd.DataFrame(rows, index=index, columns=list(self.names))


@dataclass(frozen=True)
class Protocol:
    """What is done to a system: numbers from the start, and constants that change at moments.

    values : by name, one number or one for each cell; doses : (time, name, number), in the order of time
    """

    values: Mapping[str, float | Real]
    doses: tuple[tuple[float, str, float], ...]
    cells: int | None

    @classmethod
    def of(cls, system: Kinetics, changes: Mapping[str, Change]) -> Protocol:
        """Read what a user gave; every problem at once.

        Raises
        ------
        ModelError
        """
        problems: list[str] = []
        values: dict[str, float | Real] = {}
        doses: list[tuple[float, str, float]] = []
        for name, given in changes.items():
            try:
                values |= _values(system, name, given)
                doses += _doses(system, name, given)
            except ValueError as problem:
                problems.append(f"{name}: {problem}")
            except KeyError as problem:
                problems.append(str(problem))
        sizes = {len(one) for one in values.values() if isinstance(one, np.ndarray)}
        if len(sizes) > 1:
            problems.append(f"arrays have one number for each cell, and so the same length, not {sorted(sizes)}")
        if problems:
            raise ModelError(f"The changes of '{system.name}' cannot be made:", problems)
        return cls(values, tuple(sorted(doses, key=lambda dose: dose[0])), next(iter(sizes), None))


def _number(given: float | str, unit: str) -> float:
    """A number in `unit`; text names its own unit."""
    number = to_internal(given, unit) if isinstance(given, str) else float(given)
    if not np.isfinite(number):
        raise ValueError(f"{given} is not a finite number")
    return number


def _known(system: Kinetics, name: str) -> str:
    """The unit of what can be changed."""
    if name in system.assigned:
        raise ValueError("a formula gives it at any time; change what the formula depends on")
    if name not in system.values:
        raise UnknownNameError("species, parameter or compartment", name, system.values)
    return system.values[name].unit


def _values(system: Kinetics, name: str, given: Change) -> dict[str, float | Real]:
    unit = _known(system, name)
    if isinstance(given, np.ndarray):
        if given.ndim != 1 or not given.size or not np.isfinite(given).all():
            raise ValueError("an array must be [cells], of finite numbers")
        return {name: given.astype(np.float64)}
    return {name: _number(given, unit)} if isinstance(given, (str, float, int)) else {}


def _doses(system: Kinetics, name: str, given: Change) -> Iterator[tuple[float, str, float]]:
    if isinstance(given, (str, float, int, np.ndarray)):
        return
    unit = _known(system, name)
    if name not in system.constants or name in {space.name for space in system.compartments}:
        raise ValueError("only parameters and boundary species that nothing else changes can be given in doses")
    for time, number in given:
        yield _number(time, system.time_unit), name, _number(number, unit)


def solve(
    system: Kinetics,
    times: Sequence[float | str] | Real,
    *,
    changes: Mapping[str, Change] | None = None,
    rtol: float = 1e-8,
    atol: float = 1e-12,
    engine: Literal["paget", "roadrunner"] = "paget",
    threads: int = 1,
) -> Course:
    """The course of a system from the first of `times` on, where it has its initial values.

    times : increasing, in the unit of the system, or as text with a unit
    changes : by name, in place of the number of the system: a number in the system's unit, text with a unit, an array
        [cells] with one number for each cell, or doses: a list of (time, number), from each time on until the next
    rtol, atol : a step may err in each state by atol + rtol * |y|
    engine : "roadrunner" has libRoadRunner (CVODE) solve the same equations, for comparison

    Raises
    ------
    ModelError, UnknownNameError
        If changes or times make no sense.
    NumericalError
        If the equations leave the range where they mean anything; names state, time and cell.
    """
    moments = np.array([_number(time, system.time_unit) for time in times])
    if moments.size == 0 or (np.diff(moments) <= 0.0).any():
        raise ModelError(f"The times of '{system.name}' must increase, and there must be at least one")
    if not (rtol > 0.0 and atol > 0.0):
        raise ModelError(f"The tolerances must be above zero, not rtol={rtol:g} and atol={atol:g}")
    protocol = Protocol.of(system, changes or {})
    if engine == "roadrunner":
        from paget.io.networks.roadrunner import solve_with_roadrunner

        return solve_with_roadrunner(system, moments, protocol, rtol=rtol, atol=atol)
    if engine != "paget":
        raise UnknownNameError("engine", engine, ("paget", "roadrunner"))
    return _solve(system, moments, protocol, rtol, atol, threads)


def _solve(system: Kinetics, moments: Real, protocol: Protocol, rtol: float, atol: float, threads: int) -> Course:
    names = (*system.states, *system.assigned)
    values = np.empty((moments.size, len(names), protocol.cells or 1))
    begun = dict(protocol.values)
    waiting = list(protocol.doses)
    while waiting and waiting[0][0] <= moments[0]:
        _, name, number = waiting.pop(0)
        begun[name] = number
    cells = many.start(system, protocol.cells or 1, begun, float(moments[0]))
    now = float(moments[0])

    def go(time: float) -> None:
        nonlocal now
        if time > now:
            many.advance(system, cells, time - now, rtol=rtol, atol=atol, threads=threads)
            now = time
            cells.time[:] = time

    for m, moment in enumerate(moments):
        while waiting and waiting[0][0] <= moment:
            time, name, number = waiting.pop(0)
            go(time)
            cells.parameters[system.constants.index(name)] = number
        go(float(moment))
        values[m] = many.observed(system, cells, names)
    return Course(moments, names, values if protocol.cells else values[:, :, 0], system.time_unit)
