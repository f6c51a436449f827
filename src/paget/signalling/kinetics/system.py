"""Systems of rate equations as data: species, parameters, rules, reactions and events, checked as a whole.

    d[S]/dt = 1/V sum over reactions (stoichiometry * rate), or what a rate rule says

Every name has one meaning in all formulas: a species its concentration (its amount where `amount` is set), a compartment its
size, a reaction its rate in amount per time, `time` the time since the start in `time_unit`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from paget.errors import ModelError, UnknownNameError, nearest
from paget.evidence import Parameter
from paget.signalling.expression import Expression, names, parse, quantities
from paget.units import same_dimension

if TYPE_CHECKING:
    from paget.signalling.kinetics.solving import Change, Course
    from paget.signalling.kinetics.steady import SteadyState

__all__ = ["TIME", "Compartment", "Event", "Kinetics", "Reaction", "Rule", "Species"]

TIME = "time"


@dataclass(frozen=True)
class Compartment:
    """A space of constant size in which species are dissolved."""

    name: str
    size: Parameter


@dataclass(frozen=True)
class Species:
    """Molecules of one kind, or cells of one type.

    initial : concentration at the start, or amount if `amount` is set
    compartment : where it is; without one, concentration and amount are the same
    boundary : reactions do not change it; constant : nothing does
    nonnegative : a value below zero is an error of the model, refused when it arises
    gene : HGNC symbol; source : key of the bibliography
    """

    name: str
    initial: Parameter
    compartment: str = ""
    amount: bool = False
    boundary: bool = False
    constant: bool = False
    nonnegative: bool = True
    title: str = ""
    gene: str = ""
    source: str = ""


@dataclass(frozen=True)
class Rule:
    """What a name is at any time (an assignment), or how fast it changes per `time_unit` (a rate)."""

    name: str
    formula: Expression
    source: str = ""

    @classmethod
    def of(cls, name: str, formula: str, source: str = "") -> Rule:
        """The rule with a formula given as text."""
        return cls(name, parse(formula), source)


@dataclass(frozen=True)
class Reaction:
    """Reactants become products at `rate`, in amount per `time_unit`.

    reactants, products : (species, stoichiometry); modifiers are whatever else the rate names
    """

    name: str
    reactants: tuple[tuple[str, float], ...]
    products: tuple[tuple[str, float], ...]
    rate: Expression
    reversible: bool = False
    title: str = ""
    source: str = ""


@dataclass(frozen=True)
class Event:
    """When `trigger` becomes true, the assigned names take new values at once, all computed from the state before.

    initially : whether the trigger counts as having been true before the start, so that it must first become false
    """

    name: str
    trigger: Expression
    assignments: tuple[Rule, ...]
    initially: bool = True


@dataclass(frozen=True)
class Kinetics:
    """A system of rate equations.

    time_unit : unit of time of all rates, as text; empty where none is known, and the system then runs in its own time only
    parameters : numbers by name (their `key`), each with its unit and basis
    assignments : names that formulas give at any time; rates : names that change at a given rate
    initials : names whose value at the start is a formula of the others; it replaces the number that they carry
    assumptions : what was taken for granted when the system was read from a file

    Raises
    ------
    ModelError
        With everything that does not fit together.
    """

    name: str
    time_unit: str
    species: tuple[Species, ...]
    parameters: tuple[Parameter, ...] = ()
    compartments: tuple[Compartment, ...] = ()
    assignments: tuple[Rule, ...] = ()
    rates: tuple[Rule, ...] = ()
    reactions: tuple[Reaction, ...] = ()
    events: tuple[Event, ...] = ()
    initials: tuple[Rule, ...] = ()
    title: str = ""
    sources: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        problems = tuple(dict.fromkeys(_problems(self)))
        if problems:
            raise ModelError(f"The rate equations '{self.name}' do not fit together:", problems)

    # ---- who changes -------------------------------------------------------------------------------------------------
    @cached_property
    def values(self) -> Mapping[str, Parameter]:
        """The number that every species, parameter and compartment carries."""
        found = {one.name: one.initial for one in self.species}
        found |= {one.key: one for one in self.parameters}
        return found | {one.name: one.size for one in self.compartments}

    @cached_property
    def assigned(self) -> tuple[str, ...]:
        """Names that formulas give at any time, each after those that it depends on."""
        given = {rule.name for rule in self.assignments}
        return tuple(name for name in self.order if name in given)

    @cached_property
    def definitions(self) -> Mapping[str, Expression]:
        """Formulas of the assigned names and of the rates of reactions."""
        found = {rule.name: rule.formula for rule in self.assignments}
        return found | {reaction.name: reaction.rate for reaction in self.reactions}

    @cached_property
    def order(self) -> tuple[str, ...]:
        """Names of all `definitions`, each after those that it depends on."""
        return tuple(_sorted(self.definitions)[0])

    @cached_property
    def beginning(self) -> Mapping[str, Expression]:
        """Formulas of the values that names have at the start, each after those that it depends on."""
        every = {**self.definitions, **_by_name(self.initials)}
        return {name: every[name] for name in _sorted(every)[0]}

    @cached_property
    def states(self) -> tuple[str, ...]:
        """Names that change in time by themselves: by reactions, by rate rules, at events."""
        moving = {rule.name for rule in self.rates}
        moving |= {rule.name for event in self.events for rule in event.assignments}
        still = {one.name for one in self.species if one.boundary or one.constant}
        moving |= {name for reaction in self.reactions for name, _ in (*reaction.reactants, *reaction.products)} - still
        return tuple(name for name in self.values if name in moving)

    @cached_property
    def constants(self) -> tuple[str, ...]:
        """Names that keep the value they have at the start, unless a dose changes them."""
        changing = {*self.states, *self.assigned}
        return tuple(name for name in self.values if name not in changing)

    # ---- courses ----------------------------------------------------------------------------------------------------
    def solve(
        self,
        times: Sequence[float | str] | NDArray[np.float64],
        *,
        changes: Mapping[str, Change] | None = None,
        rtol: float = 1e-8,
        atol: float = 1e-12,
        engine: Literal["paget", "roadrunner"] = "paget",
        threads: int = 1,
    ) -> Course:
        """The course of the system at the given times; see `paget.signalling.kinetics.solving.solve`."""
        from paget.signalling.kinetics.solving import solve

        return solve(self, times, changes=changes, rtol=rtol, atol=atol, engine=engine, threads=threads)

    def steady_state(self, *, changes: Mapping[str, float | str] | None = None) -> SteadyState:
        """Where the system comes to rest; see `paget.signalling.kinetics.steady.steady_state`."""
        from paget.signalling.kinetics.steady import steady_state

        return steady_state(self, changes=changes)

    # ---- edits -------------------------------------------------------------------------------------------------------
    def with_values(self, changes: Mapping[str, Parameter]) -> Kinetics:
        """The system with other numbers: initial values of species, parameters, sizes of compartments."""
        for name in changes:
            if name not in self.values:
                raise UnknownNameError("species, parameter or compartment", name, self.values)
        return replace(
            self,
            species=tuple(replace(one, initial=changes.get(one.name, one.initial)) for one in self.species),
            parameters=tuple(changes.get(one.key, one) for one in self.parameters),
            compartments=tuple(replace(one, size=changes.get(one.name, one.size)) for one in self.compartments),
            initials=tuple(rule for rule in self.initials if rule.name not in changes),
        )


# ---- checks -----------------------------------------------------------------------------------------------------------
def _sorted(definitions: Mapping[str, Expression]) -> tuple[list[str], list[str]]:
    """Names, each after those that its formula uses; and the names left over because they depend on themselves."""
    waiting = {
        name: {other for other in names(formula) if other in definitions} for name, formula in definitions.items()
    }
    done: list[str] = []
    while ready := [name for name, needs in waiting.items() if needs <= set(done)]:
        done += ready
        waiting = {name: needs for name, needs in waiting.items() if name not in ready}
    return done, list(waiting)


def _problems(system: Kinetics) -> Iterator[str]:
    if system.time_unit and not same_dimension(system.time_unit, "h"):
        yield f"'{system.time_unit}' is not a unit of time; write day, h, min or s, or nothing where none is known"
    yield from _problems_of_names(system)
    yield from _problems_of_numbers(system)
    yield from _problems_of_formulas(system)
    yield from _problems_of_changes(system)


def _all_names(system: Kinetics) -> list[str]:
    return [
        *(one.name for one in system.species),
        *(one.key for one in system.parameters),
        *(one.name for one in system.compartments),
        *(one.name for one in system.reactions),
    ]


def _problems_of_names(system: Kinetics) -> Iterator[str]:
    every = _all_names(system)
    for name in every:
        if not name.isidentifier() or not name.isascii():
            yield f"'{name}' cannot be a name: use letters, digits and underscores"
        if name == TIME:
            yield f"'{TIME}' is the time; nothing else can have this name"
        if every.count(name) > 1:
            yield f"'{name}' is the name of {every.count(name)} things"
    spaces = [one.name for one in system.compartments]
    for one in system.species:
        if one.compartment and one.compartment not in spaces:
            yield f"species '{one.name}': unknown compartment '{one.compartment}'. {nearest(one.compartment, spaces)}"


def _problems_of_numbers(system: Kinetics) -> Iterator[str]:
    for one in system.species:
        if one.nonnegative and one.initial.value < 0.0:
            yield f"species '{one.name}' starts at {one.initial.value:g}; below zero it cannot be (unless nonnegative=False)"
    for space in system.compartments:
        if space.size.value <= 0.0:
            yield f"compartment '{space.name}' has the size {space.size.value:g}; it must be above zero"
    for reaction in system.reactions:
        for name, count in (*reaction.reactants, *reaction.products):
            if not (math.isfinite(count) and count > 0.0):
                yield f"reaction '{reaction.name}': the stoichiometry {count:g} of '{name}' must be a number above zero"


def _formulas(system: Kinetics) -> Iterator[tuple[str, Expression]]:
    """Every formula, with its place in words."""
    for kind, rules in (("assignment", system.assignments), ("rate", system.rates), ("initial value", system.initials)):
        for rule in rules:
            yield f"{kind} of '{rule.name}'", rule.formula
    for reaction in system.reactions:
        yield f"rate of reaction '{reaction.name}'", reaction.rate
    for event in system.events:
        yield f"trigger of event '{event.name}'", event.trigger
        for rule in event.assignments:
            yield f"event '{event.name}', value of '{rule.name}'", rule.formula


def _problems_of_formulas(system: Kinetics) -> Iterator[str]:
    known = {*_all_names(system), TIME}
    for place, formula in _formulas(system):
        for name in names(formula):
            if name not in known:
                yield f"{place}: unknown name '{name}'. {nearest(name, known)}"
        for name in quantities(formula):
            yield f"{place}: write {name} without braces; rate equations carry their numbers themselves"
    circle = _sorted({**system.definitions, **_by_name(system.initials)})[1]
    if circle:
        yield f"formulas of {', '.join(circle)} depend on each other in a circle"


def _by_name(rules: Iterable[Rule]) -> dict[str, Expression]:
    return {rule.name: rule.formula for rule in rules}


def _problems_of_changes(system: Kinetics) -> Iterator[str]:
    """Every name is changed by one thing only, and constants by nothing."""
    species = {one.name: one for one in system.species}
    settable = {*species, *(one.key for one in system.parameters)}
    by_reactions = [name for reaction in system.reactions for name, _ in (*reaction.reactants, *reaction.products)]
    for reaction in system.reactions:
        for name in dict.fromkeys(name for name, _ in (*reaction.reactants, *reaction.products)):
            if name not in species:
                yield f"reaction '{reaction.name}': unknown species '{name}'. {nearest(name, species)}"
            elif species[name].constant and not species[name].boundary:
                yield f"reaction '{reaction.name}' changes '{name}', which is constant; make it boundary=True as well"
    ruled = [rule.name for rule in (*system.assignments, *system.rates)]
    fixed = {rule.name for rule in system.assignments}
    for name in dict.fromkeys(ruled):
        if ruled.count(name) > 1:
            yield f"'{name}' has {ruled.count(name)} rules; one is possible"
        if name in by_reactions and name in species and not species[name].boundary:
            yield f"'{name}' is changed by reactions and by a rule; make it boundary=True or take it out of one"
    changed = [("rule", rule.name) for rule in (*system.assignments, *system.rates, *system.initials)]
    for event in system.events:
        targets = [rule.name for rule in event.assignments]
        changed += [(f"event '{event.name}'", name) for name in targets]
        for name in dict.fromkeys(targets):
            if targets.count(name) > 1:
                yield f"event '{event.name}' assigns '{name}' {targets.count(name)} times"
            if name in fixed:
                yield f"event '{event.name}' assigns '{name}', which a formula gives at any time"
    for what, name in changed:
        if name not in settable:
            yield f"{what} for '{name}': only species and parameters can be set. {nearest(name, settable)}"
        elif what != "rule" and name in species and species[name].constant:
            yield f"{what} for '{name}', which is constant"
    for rule in (*system.assignments, *system.rates):
        if rule.name in species and species[rule.name].constant:
            yield f"rule for '{rule.name}', which is constant"
    for rule in system.initials:
        if rule.name in fixed:
            yield f"'{rule.name}' has an initial value and a formula at any time; one is possible"
