"""Rate equations in cells and in the body: what is sensed sets their constants, and their states and outputs are variables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from paget.errors import ModelError, UnknownNameError
from paget.evidence import Parameter
from paget.process import Named, Phase, Process, Values
from paget.rules import hill
from paget.rules.signals import Signal
from paget.signalling.kinetics import Kinetics
from paget.signalling.kinetics import cells as many
from paget.tissue.body import BodyVariable
from paget.tissue.definition import Given
from paget.tissue.networks.perturbations import Dose
from paget.tissue.networks.sensors import Sensing, listed_numbers, one_where_not_given
from paget.tissue.process import TissueProcess
from paget.tissue.signals import reads_of, sensed
from paget.vocabulary import VARIABLES, Variable

if TYPE_CHECKING:
    from paget.access import Do, See

__all__ = ["BodyKinetics", "CellKinetics", "Follows", "KineticInhibitor", "body_states"]

RTOL, ATOL = 1e-6, 1e-9


@dataclass(frozen=True, kw_only=True)
class Follows(Sensing):
    """A constant of the rate equations that is a signal of the cell, or of the body, times a factor.

    node : name of the constant. factor : in case its unit is not that of the signal; without, the same number
    """

    factor: Given = one_where_not_given("factor", "the constant has the unit of the signal")


@dataclass(frozen=True, kw_only=True)
class KineticInhibitor(Dose):
    """A drug that leaves 1 - e of a constant of the equations, with e its effect at the exposure; `node` is the constant."""


Acting = Follows | KineticInhibitor


def _problems(system: Kinetics, acting: tuple[Acting, ...], shown: Mapping[str, str], start: str) -> Iterator[str]:
    for one in acting:
        if one.node not in system.constants:
            yield f"{type(one).__name__} of '{one.node}': {UnknownNameError('constant', one.node, system.constants)}"
        if one.sensed.kind in ("refused", "node"):
            yield f"{type(one).__name__} of '{one.node}': '{one.signal}' cannot be sensed by rate equations"
    following = [one.node for one in acting if isinstance(one, Follows)]
    for name in sorted({name for name in following if following.count(name) > 1}):
        yield f"Follows of '{name}': two signals set it"
    known = (*system.states, *system.definitions)
    for name, variable in shown.items():
        if name not in known:
            yield f"shown: {UnknownNameError('state or assigned name', name, known)}"
        if not variable.startswith(start):
            yield f"shown: '{name}' goes to a variable of the {start.strip('.')}, not to '{variable}'"
    if system.events:
        yield f"'{system.name}' has events, which a run that can be stopped and resumed does not keep; put them into a process"
    if not system.time_unit:
        yield f"'{system.name}' does not say in which unit it counts time; give it, as in time_unit='day'"


def _numbers(system: Kinetics) -> Iterator[tuple[str, Named | Parameter, str]]:
    for name, value in system.values.items():
        yield f"value.{name}", value, value.unit


def _own(system: Kinetics, values: Mapping[str, float]) -> dict[str, float]:
    """The animal's numbers of the equations by name, but for those that a formula gives at the start."""
    return {name: values[f"value.{name}"] for name in system.values if name not in system.beginning}


def _constants(
    acting: tuple[Acting, ...], values: Mapping[str, float], felt: Mapping[str, Any], own: Mapping[str, float]
) -> dict[str, Any]:
    """Constants of the equations under what is sensed: one number each, or one for each cell."""
    found: dict[str, Any] = dict(own)
    for i, one in enumerate(acting):
        if isinstance(one, Follows):
            found[one.node] = values[f"acting{i}.factor"] * felt[one.sensed.name]
    for i, one in enumerate(acting):
        if isinstance(one, KineticInhibitor):
            half, power, most = (values[f"acting{i}.{slot}"] for slot in ("half", "hill", "most"))
            found[one.node] = found[one.node] * (1.0 - most * hill(felt[one.sensed.name], half, power))
    return found


@dataclass(frozen=True, kw_only=True)
class CellKinetics(TissueProcess):
    """Rate equations run in every living cell of some types, each with constants of its own.

    system : the equations. cells : types that have them. acting : what sets their constants
    shown : state or assigned name -> cell variable, for rules, readouts and other processes
    Daughters inherit the concentrations. Error-controlled and stiff-safe; what is sensed is constant during a tick.

    Raises
    ------
    ModelError
        With everything that does not fit the equations.
    """

    phase: ClassVar[Phase] = Phase.SIGNAL

    role: str = "kinetics"
    system: Kinetics
    cells: tuple[str, ...]
    acting: tuple[Acting, ...] = ()
    shown: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        wrong = list(_problems(self.system, self.acting, self.shown, "cell."))
        wrong += ["no cell type has the equations"] if not self.cells else []
        if wrong:
            raise ModelError(f"The rate equations of '{self.role}' do not fit these cells:", wrong)

    @property
    def on(self) -> tuple[str, ...]:
        return self.cells

    @cached_property
    def signals(self) -> tuple[Signal, ...]:
        """What cells sense for their equations, in order of name."""
        return tuple(dict(sorted((one.sensed.name, one.sensed) for one in self.acting)).values())

    @property
    def columns(self) -> tuple[str, ...]:
        """Cell variables of the states, in their order."""
        return tuple(f"cell.{self.role}_{name}" for name in self.system.states)

    @property
    def _kept(self) -> tuple[str, str]:
        return f"cell.{self.role}.begun", f"cell.{self.role}.step"

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The columns that this process adds to the cells."""
        begun, step = self._kept
        own = [Variable(column, "", f"state of {self.system.name}") for column in self.columns]
        own += [Variable(begun, "", f"1 once {self.system.name} began", whole=True)]
        own += [Variable(step, "", "step of time that the solver tries next")]
        own += [
            Variable(column, "", f"{name} of {self.system.name}")
            for name, column in self.shown.items()
            if column not in VARIABLES and column not in self.columns
        ]
        return tuple(own)

    @property
    def sets(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.columns, *self._kept, *self.shown.values())))

    @property
    def reads(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(("cell.type", "cell.death", *reads_of(self.signals, {}), *self.sets)))

    @property
    def numbers(self) -> tuple[tuple[str, Named | Parameter, str], ...]:
        return (*_numbers(self.system), *listed_numbers("acting", self.acting, self.units))

    def prepare(self, values: dict[str, float]) -> Any:
        """The numbers as they are, and those of the equations by name."""
        return values, _own(self.system, values)

    def step(self, see: See, do: Do, p: Any) -> None:
        values, own = p
        mine = (see["cell.death"] == 0) & np.any([see.is_type(cell) for cell in self.cells], axis=0)
        rows = np.flatnonzero(mine)
        if not rows.size:
            return
        felt = sensed(see, self.signals, {}) if self.signals else np.empty((0, see.count))
        by_name = {one.name: felt[row][rows] for row, one in enumerate(self.signals)}
        hours = many.per_hour(self.system)
        running = many.start(
            self.system, rows.size, _constants(self.acting, values, by_name, own), time=see.time * hours
        )
        begun_name, step_name = self._kept
        columns: dict[str, NDArray[Any]] = {name: see[name].copy() for name in self.sets}
        begun = columns[begun_name][rows] == 1
        for row, column in enumerate(self.columns):
            running.state[row, begun] = columns[column][rows[begun]]
        running.step[begun] = columns[step_name][rows[begun]]
        many.advance(self.system, running, see.dt * hours, rtol=RTOL, atol=ATOL, threads=see.threads)
        for row, column in enumerate(self.columns):
            columns[column][rows] = running.state[row]
        columns[begun_name][rows] = 1
        columns[step_name][rows] = running.step
        if self.shown:
            found = many.observed(self.system, running, tuple(self.shown))
            for row, column in enumerate(self.shown.values()):
                columns[column][rows] = found[row]
        for name, column_values in columns.items():
            do.set(name, column_values)


@dataclass(frozen=True, kw_only=True)
class BodyKinetics(Process):
    """Rate equations of an organ or of the whole body, with their states as variables of the body.

    system : the equations. states : every state -> variable of the body, from whose start it begins; see `body_states`
    acting : what of the body sets their constants. shown : assigned name -> variable of the body

    Raises
    ------
    ModelError
        With everything that does not fit the equations.
    """

    phase: ClassVar[Phase] = Phase.BODY

    role: str = "body_kinetics"
    system: Kinetics
    states: Mapping[str, str]
    acting: tuple[Acting, ...] = ()
    shown: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        wrong = list(_problems(self.system, self.acting, {**self.states, **self.shown}, "body."))
        wrong += [f"state '{name}' has no variable" for name in self.system.states if name not in self.states]
        wrong += [
            f"'{one.signal}' is sensed by cells; equations of the body read variables of the body"
            for one in self.acting
            if not one.sensed.about.startswith("body.")
        ]
        if wrong:
            raise ModelError(f"The rate equations of '{self.role}' do not fit this body:", wrong)

    @property
    def reads(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.states.values(), *(one.sensed.about for one in self.acting))))

    @property
    def sets(self) -> tuple[str, ...]:
        return (*self.states.values(), *self.shown.values())

    @property
    def numbers(self) -> tuple[tuple[str, Named | Parameter, str], ...]:
        return (*_numbers(self.system), *listed_numbers("acting", self.acting, self.units))

    def prepared(self, values: Values) -> Any:
        return vars(values), _own(self.system, vars(values))

    def step(self, see: See, do: Do, p: Any) -> None:
        values, own = p
        felt = {one.sensed.name: float(see[one.sensed.about]) for one in self.acting}
        hours = many.per_hour(self.system)
        running = many.start(self.system, 1, _constants(self.acting, values, felt, own), time=see.time * hours)
        for row, name in enumerate(self.system.states):
            running.state[row] = float(see[self.states[name]])
        many.advance(self.system, running, see.dt * hours, rtol=RTOL, atol=ATOL)
        for row, name in enumerate(self.system.states):
            do.set(self.states[name], float(running.state[row, 0]))
        for name, value in zip(self.shown, many.observed(self.system, running, tuple(self.shown)), strict=True):
            do.set(self.shown[name], float(value[0]))


def body_states(system: Kinetics, prefix: str) -> tuple[BodyVariable, ...]:
    """A variable of the body for every state of a system, ``body.<prefix>_<state>``, that starts where the equations do."""
    begun, found = many.start(system), []
    for row, name in enumerate(system.states):
        initial, whose = system.values[name], system.title or system.name
        if name in system.beginning:
            given = float(begun.state[row, 0])
            initial = Parameter(name, name, given, initial.unit, "derived", f"where {whose} begins", initial.source)
        found.append(
            BodyVariable(name=f"body.{prefix}_{name}", unit=initial.unit, initial=initial, meaning=f"{name} of {whose}")
        )
    return tuple(found)
