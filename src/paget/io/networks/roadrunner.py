"""libRoadRunner as a second solver of the same rate equations, to compare with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paget.errors import ModelError, NumericalError, PagetError
from paget.evidence import Parameter
from paget.io.networks.sbml_out import to_sbml
from paget.signalling.kinetics import Course, Kinetics
from paget.signalling.kinetics.solving import Protocol

__all__ = ["prepared", "solve_with_roadrunner"]


def prepared(system: Kinetics, *, rtol: float, atol: float) -> Any:
    """The system loaded into libRoadRunner, with CVODE at these tolerances."""
    try:
        import roadrunner
    except ImportError:
        raise PagetError("libRoadRunner is not installed: pip install 'paget[networks]'") from None
    runner = roadrunner.RoadRunner(to_sbml(system))
    runner.integrator.relative_tolerance = rtol
    runner.integrator.absolute_tolerance = atol
    runner.integrator.maximum_num_steps = 1_000_000
    return runner


def solve_with_roadrunner(
    system: Kinetics, moments: NDArray[np.float64], protocol: Protocol, *, rtol: float, atol: float
) -> Course:
    """The course of a system by libRoadRunner; one system at a time."""
    if protocol.cells is not None:
        raise ModelError(
            "libRoadRunner solves one system at a time; give one number for each name, not one for each cell"
        )
    changed = {name: replaced for name, replaced in system.values.items() if name in protocol.values}
    system = system.with_values({name: _set(old, float(protocol.values[name])) for name, old in changed.items()})
    runner = prepared(system, rtol=rtol, atol=atol)
    concentrations = {one.name for one in system.species if one.compartment and not one.amount}
    called = {name: f"[{name}]" if name in concentrations else name for name in system.values}
    names = (*system.states, *system.assigned)
    runner.timeCourseSelections = ["time", *(called[name] for name in names)]
    values = np.empty((moments.size, len(names)))
    doses = [dose for dose in protocol.doses if dose[0] <= moments[-1]]
    borders = sorted({float(moments[0]), *(max(time, float(moments[0])) for time, _, _ in doses), float(moments[-1])})
    try:
        for begin, end in zip(borders, [*borders[1:], borders[-1]], strict=True):
            for time, name, number in doses:
                if max(time, borders[0]) == begin:
                    runner.setValue(called[name], number)
            inside = (moments >= begin) & (moments <= end)
            times = np.unique([begin, *moments[inside], end])
            if times.size > 1:
                found = np.asarray(runner.simulate(times=times.tolist()))
            else:
                found = np.array([[begin, *(runner.getValue(called[name]) for name in names)]])
            values[inside] = found[np.isin(found[:, 0], moments[inside]), 1:]
    except RuntimeError as problem:
        raise NumericalError(f"libRoadRunner on '{system.name}': {problem}") from problem
    return Course(moments, names, values, system.time_unit)


def _set(old: Parameter, value: float) -> Parameter:
    return replace(old, value=value, low=np.nan, high=np.nan)
