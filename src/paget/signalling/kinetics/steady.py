"""Where rate equations come to rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paget.errors import ModelError, NumericalError
from paget.kernels import kinetics_program as kernels
from paget.signalling.kinetics import cells as many
from paget.signalling.kinetics.program import Equations, equations
from paget.signalling.kinetics.solving import Protocol
from paget.signalling.kinetics.system import Kinetics

__all__ = ["SteadyState", "steady_state"]

Real = NDArray[np.float64]

_DOUBLINGS = 60  # of the time waited for rest, from a thousandth of the system's unit of time
_SLOW = 1e-3  # relative change in a doubling of the time below which a state of rest is looked for
_BUSY = 20_000  # steps in one doubling of the time; a system that needs so many oscillates
_NEAR = 1e-2  # relative distance within which the exact state of rest must lie
_SAMPLES = 4  # states per dimension, of which rates show what is conserved


@dataclass(frozen=True)
class SteadyState:
    """A state of rest.

    values : of states and assigned names; stable : whether small disturbances that keep what is conserved die out
    """

    values: Mapping[str, float]
    stable: bool

    def __getitem__(self, name: str) -> float:
        return self.values[name]


def steady_state(system: Kinetics, *, changes: Mapping[str, float | str] | None = None) -> SteadyState:
    """The state in which a system comes to rest from its start: by waiting, then exactly, by Newton's method.

    What the reactions conserve stays what it is at the start.

    Raises
    ------
    ModelError
        If time occurs in the rates.
    NumericalError
        If the system does not come to rest.
    """
    written = equations(system)
    if written.timed:
        raise ModelError(f"The rates of '{system.name}' depend on time, so that it has no steady state")
    protocol = Protocol.of(system, dict(changes or {}))
    cells = many.start(system, 1, protocol.values)
    begun = cells.state[:, 0].copy()
    conserved = _conserved(written, cells)
    exact = _rest(system, cells, begun, conserved)
    cells.state[:, 0] = exact
    names = (*system.states, *system.assigned)
    values = many.observed(system, cells, names)[:, 0]
    free = _complement(conserved)
    speeds = np.linalg.eigvals(free.T @ _rates(written, cells, exact)[1] @ free)
    return SteadyState(dict(zip(names, map(float, values), strict=True)), bool((speeds.real < 0.0).all()))


def _rates(written: Equations, cells: many.Cells, y: Real) -> tuple[Real, Real]:
    """Rates [n] and Jacobian [n, n] at a state."""
    program, n = written.program, y.size
    registers = np.zeros(written.first + len(program.code))
    registers[:n], registers[n : n + len(cells.parameters)] = y, cells.parameters[:, 0]
    registers[written.first - program.literals.size : written.first] = program.literals
    kernels.run(program.code, 0, int(program.ends[2]), written.first, registers)
    jacobian = np.zeros((n, n))
    jacobian[program.row, program.column] = registers[program.entry]
    return registers[program.rate], jacobian


def _conserved(written: Equations, cells: many.Cells) -> Real:
    """Combinations [n, c] of the states that no rate changes, found from the rates at arbitrary states."""
    n = len(written.states)
    random = np.random.default_rng(0)
    rates = [_rates(written, cells, random.uniform(0.5, 2.0, n))[0] for _ in range(_SAMPLES * n)]
    sampled = np.array([rate / (np.abs(rate).max() or 1.0) for rate in rates])
    _, size, directions = np.linalg.svd(sampled)
    rank = int((size > 1e-10 * size[0]).sum()) if size.size and size[0] > 0.0 else 0
    return np.asarray(directions[rank:].T)


def _complement(conserved: Real) -> Real:
    """An orthonormal basis [n, n - c] of the changes that keep what is conserved."""
    n, c = conserved.shape
    return np.asarray(np.linalg.svd(conserved, full_matrices=True)[0][:, c:]) if c else np.eye(n)


def _rest(system: Kinetics, cells: many.Cells, begun: Real, conserved: Real) -> Real:
    """Wait twice as long again and again, until a state of rest lies near the state that was reached."""
    written, span = equations(system), 1e-3
    for _ in range(_DOUBLINGS):
        if many.advance(system, cells, span, rtol=1e-8, atol=1e-12) > _BUSY:
            break
        now = cells.state[:, 0].copy()
        scale = np.abs(now) + 1e-6 * np.abs(now).max(initial=0.0)
        if (np.abs(_rates(written, cells, now)[0]) * span <= _SLOW * scale).all():
            exact = _newton(written, cells, now, begun, conserved)
            if exact is not None and (np.abs(exact - now) <= _NEAR * scale).all():
                return exact
        span *= 2.0
    raise NumericalError(
        f"'{system.name}' did not come to rest by time {cells.time[0]:.3g} {system.time_unit}".rstrip()
    )


def _newton(written: Equations, cells: many.Cells, y: Real, begun: Real, conserved: Real) -> Real | None:
    y = y.copy()
    for _ in range(20):
        rate, jacobian = _rates(written, cells, y)
        if not (np.isfinite(rate).all() and np.isfinite(jacobian).all()):
            return None
        matrix = np.vstack([jacobian, conserved.T])
        wanted = np.concatenate([-rate, conserved.T @ (begun - y)])
        size = np.abs(matrix).max(axis=1, keepdims=True)
        size[size == 0.0] = 1.0
        change = np.linalg.lstsq(matrix / size, wanted / size[:, 0], rcond=1e-13)[0]
        y += change
        if not np.isfinite(y).all():
            return None
        if (np.abs(change) <= 1e-13 * (np.abs(y) + 1e-3 * np.abs(y).max())).all():
            return y
    return None
