"""Models of SBML (core of Level 2 and 3) as systems of rate equations.

What is read: compartments of constant size, species as amounts or concentrations, parameters of the model and of reactions,
function definitions, initial assignments, assignment and rate rules, reactions, and events without delay. Everything else that
would change a result is refused, with line and reason, all of it at once. No number is converted: the system keeps the units of
the file.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from paget.errors import ModelError, UnitError
from paget.evidence import Parameter
from paget.io.networks.mathml import Unreadable, formula_of, sbml
from paget.io.networks.opening import Opened, opened, raised
from paget.io.networks.sbml_units import unit_text
from paget.signalling.expression import Expression, number, variable
from paget.signalling.kinetics import Compartment, Event, Kinetics, Reaction, Rule, Species
from paget.units import same_dimension, to_internal

__all__ = ["read_sbml"]

_GIVEN_BY_FORMULA = "a formula gives its value"


def read_sbml(given: str | Path, *, time_unit: str = "", nonnegative: bool = True) -> Kinetics:
    """The system of rate equations in an SBML file, or in a text of one.

    time_unit : unit of time of the rates, where the file is silent or wrong about it; nothing else changes
    nonnegative : whether species below zero are an error

    Raises
    ------
    ModelError
        With everything in the file that cannot be read, by line.
    """
    file = opened(given, "SBML", ("<",))
    document = sbml().readSBMLFromString(file.text)
    for i in range(document.getNumErrors()):
        error = document.getError(i)
        if error.getSeverity() >= sbml().LIBSBML_SEV_ERROR:
            file.wrong(str(max(error.getLine(), 1)), " ".join(error.getMessage().split()))
    raised(file)
    model = document.getModel()
    if model is None:
        raise ModelError(f"{file.name} cannot be read:", ["there is no model in it"])
    if document.getLevel() < 2:
        raise ModelError(f"{file.name} cannot be read:", ["SBML Level 1 is not read; convert it to Level 3"])
    reader = _Reader(file, document, model, nonnegative)
    return reader.system(time_unit)


def _each(many: Any) -> Iterator[Any]:
    for i in range(many.size()):
        yield many.get(i)


class _Reader:
    """Reads one model; what is wrong is noted and read past."""

    def __init__(self, file: Opened, document: Any, model: Any, nonnegative: bool) -> None:
        self.file, self.document, self.model, self.nonnegative = file, document, model, nonnegative
        self.functions = {one.getId(): one for one in _each(model.getListOfFunctionDefinitions())}
        self.assumptions: list[str] = []
        self.by_formula: set[str] = set()

    def wrong(self, element: Any, message: str) -> None:
        self.file.wrong(str(max(element.getLine(), 1)), message)

    def system(self, time_unit: str) -> Kinetics:
        self.refuse_what_is_not_known()
        rules = [*_each(self.model.getListOfRules())]
        assignments = self.rules([rule for rule in rules if rule.isAssignment()])
        rates = self.rules([rule for rule in rules if rule.isRate()])
        initials = self.initials()
        self.by_formula = {rule.name for rule in (*assignments, *initials)}
        reactions, local = self.reactions()
        parts: dict[str, Any] = {
            "species": tuple(self.species(one) for one in _each(self.model.getListOfSpecies())),
            "parameters": (*(self.parameter(one) for one in _each(self.model.getListOfParameters())), *local),
            "compartments": tuple(self.compartment(one) for one in _each(self.model.getListOfCompartments())),
            "assignments": assignments,
            "rates": rates,
            "reactions": reactions,
            "events": tuple(self.event(i, one) for i, one in enumerate(_each(self.model.getListOfEvents()))),
            "initials": initials,
        }
        time = time_unit or self.time_unit()
        raised(self.file)
        name = self.model.getId() or self.file.stem
        try:
            return Kinetics(
                name, time, title=self.model.getName() or name, assumptions=tuple(self.assumptions), **parts
            )
        except ModelError as problem:
            raise ModelError(f"{self.file.name} cannot be read:", problem.problems) from problem

    # ---- what cannot be represented ---------------------------------------------------------------------------------
    def refuse_what_is_not_known(self) -> None:
        document, model = self.document, self.model
        for i in range(document.getNumPlugins() if document.getLevel() == 3 else 0):
            plugin = document.getPlugin(i)
            # The mathematics of Version 2 comes as a package to Version 1; its functions are read or refused one by one.
            if plugin.getPackageName() != "l3v2extendedmath" and document.getPackageRequired(plugin.getPackageName()):
                self.wrong(document, f"the package '{plugin.getPackageName()}' is required and not known here")
        for i in range(document.getNumUnknownPackages()):
            if document.getPackageRequired(document.getUnknownPackagePrefix(i)):
                self.wrong(document, f"the package '{document.getUnknownPackageURI(i)}' is required and not known here")
        for rule in _each(model.getListOfRules()):
            if rule.isAlgebraic():
                self.wrong(rule, "algebraic rules are not solved here; write what they say as assignment rules")
        for constraint in _each(model.getListOfConstraints()):
            self.wrong(constraint, "constraints are not watched here; take them out if the model runs without")
        spaces = {one.getId() for one in _each(model.getListOfCompartments())}
        references = {
            one.getId()
            for reaction in _each(model.getListOfReactions())
            for side in (reaction.getListOfReactants(), reaction.getListOfProducts())
            for one in _each(side)
            if one.getId()
        }
        targets = [(rule, rule.getVariable()) for rule in _each(model.getListOfRules()) if not rule.isAlgebraic()]
        targets += [(one, one.getSymbol()) for one in _each(model.getListOfInitialAssignments())]
        targets += [
            (a, a.getVariable()) for e in _each(model.getListOfEvents()) for a in _each(e.getListOfEventAssignments())
        ]
        for element, name in targets:
            if name in spaces:
                self.wrong(
                    element, f"the size of compartment '{name}' is given by a formula; only constant sizes are read"
                )
            if name in references:
                self.wrong(element, f"the stoichiometry '{name}' is given by a formula; only numbers are read")
        if model.getLevel() == 3 and model.isSetConversionFactor():
            self.wrong(model, "conversion factors between units of amount and extent are not applied here")

    # ---- formulas ----------------------------------------------------------------------------------------------------
    def formula(self, element: Any, math: Any, place: str, meaning: dict[str, Expression] | None = None) -> Expression:
        try:
            return formula_of(math, self.functions, meaning or {})
        except Unreadable as problem:
            self.wrong(element, f"{place}: {problem}")
            return number(0.0)

    def rules(self, given: list[Any]) -> tuple[Rule, ...]:
        return tuple(
            Rule(one.getVariable(), self.formula(one, one.getMath(), f"rule of '{one.getVariable()}'")) for one in given
        )

    def initials(self) -> tuple[Rule, ...]:
        return tuple(
            Rule(one.getSymbol(), self.formula(one, one.getMath(), f"initial value of '{one.getSymbol()}'"))
            for one in _each(self.model.getListOfInitialAssignments())
        )

    # ---- numbers -----------------------------------------------------------------------------------------------------
    def number(self, element: Any, name: str, value: float | None, unit: str) -> Parameter:
        """A number of the file; one that a formula gives may be missing."""
        title = element.getName() or name
        if value is None or not math.isfinite(value):
            if name not in self.by_formula:
                self.wrong(
                    element, f"'{name}' has no value" if value is None else f"'{name}' is {value}, which is no number"
                )
            return Parameter(name, title, 0.0, unit, "assumed", _GIVEN_BY_FORMULA, "")
        return Parameter(name, title, value, unit, "assumed", f"as in {self.file.name}", "")

    def compartment(self, one: Any) -> Compartment:
        size = one.getSize() if one.isSetSize() else None
        only_amounts = all(species.getHasOnlySubstanceUnits() for species in self.inside(one.getId()))
        if one.getSpatialDimensionsAsDouble() == 0.0 or (size is None and only_amounts):
            size = 1.0  # it divides nothing
        return Compartment(one.getId(), self.number(one, one.getId(), size, unit_text(one.getDerivedUnitDefinition())))

    def inside(self, compartment: str) -> list[Any]:
        return [one for one in _each(self.model.getListOfSpecies()) if one.getCompartment() == compartment]

    def species(self, one: Any) -> Species:
        space = self.model.getCompartment(one.getCompartment())
        amount = bool(one.getHasOnlySubstanceUnits()) or space.getSpatialDimensionsAsDouble() == 0.0
        size = space.getSize() if space.isSetSize() else math.nan
        value = None
        if one.isSetInitialAmount():
            value = one.getInitialAmount() if amount else one.getInitialAmount() / size
        elif one.isSetInitialConcentration():
            value = one.getInitialConcentration() * size if amount else one.getInitialConcentration()
        if one.getLevel() == 3 and one.isSetConversionFactor():
            self.wrong(one, f"the conversion factor of species '{one.getId()}' is not applied here")
        return Species(
            one.getId(),
            self.number(one, one.getId(), value, unit_text(one.getDerivedUnitDefinition())),
            one.getCompartment(),
            amount,
            bool(one.getBoundaryCondition()),
            bool(one.getConstant()),
            self.nonnegative,
            one.getName() or "",
        )

    def parameter(self, one: Any, name: str = "") -> Parameter:
        value = one.getValue() if one.isSetValue() else None
        return self.number(one, name or one.getId(), value, unit_text(one.getDerivedUnitDefinition()))

    # ---- reactions ---------------------------------------------------------------------------------------------------
    def reactions(self) -> tuple[tuple[Reaction, ...], list[Parameter]]:
        """The reactions, and their own parameters under names that are unique in the model."""
        taken = {
            one.getId()
            for many in (
                self.model.getListOfSpecies(),
                self.model.getListOfParameters(),
                self.model.getListOfCompartments(),
                self.model.getListOfReactions(),
            )
            for one in _each(many)
        }
        found: list[Reaction] = []
        local: list[Parameter] = []
        for one in _each(self.model.getListOfReactions()):
            law = one.getKineticLaw()
            if one.isSetFast() and one.getFast():
                self.wrong(
                    one, f"reaction '{one.getId()}' is fast: equilibria are not solved here; give it large rates"
                )
            if law is None or law.getMath() is None:
                self.wrong(one, f"reaction '{one.getId()}' has no rate")
                continue
            meaning: dict[str, Expression] = {}
            own = law.getListOfLocalParameters() if self.model.getLevel() == 3 else law.getListOfParameters()
            for parameter in _each(own):
                name = f"{one.getId()}_{parameter.getId()}"
                while name in taken:
                    name += "_"
                taken.add(name)
                meaning[parameter.getId()] = variable(name)
                local.append(self.parameter(parameter, name))
            found.append(
                Reaction(
                    one.getId(),
                    self.side(one, one.getListOfReactants()),
                    self.side(one, one.getListOfProducts()),
                    self.formula(law, law.getMath(), f"rate of '{one.getId()}'", meaning),
                    bool(one.getReversible()),
                    one.getName() or "",
                )
            )
        return tuple(found), local

    def side(self, reaction: Any, references: Any) -> tuple[tuple[str, float], ...]:
        found: list[tuple[str, float]] = []
        for one in _each(references):
            count = one.getStoichiometry() if self.model.getLevel() == 2 or one.isSetStoichiometry() else math.nan
            if self.model.getLevel() == 2 and one.isSetStoichiometryMath():
                formula = self.formula(one, one.getStoichiometryMath().getMath(), "stoichiometry")
                count = formula.value if formula.op == "number" else math.nan
            if not math.isfinite(count):
                text = f"reaction '{reaction.getId()}': the stoichiometry of '{one.getSpecies()}' is not a number"
                self.wrong(one, text)
            elif count != 0.0:
                found.append((one.getSpecies(), count))
        return tuple(found)

    # ---- events ------------------------------------------------------------------------------------------------------
    def event(self, place: int, one: Any) -> Event:
        name = one.getId() or f"event_{place + 1}"
        if one.isSetDelay():
            self.wrong(one, f"event '{name}' has a delay; only events that act at once are read")
        if self.model.getLevel() == 3 and one.isSetPriority():
            self.wrong(
                one, f"event '{name}' has a priority; events that fall due together act in the order of the file"
            )
        trigger = one.getTrigger()
        if trigger is None:
            self.wrong(one, f"event '{name}' has no trigger")
            return Event(name, number(0.0), ())
        assignments = tuple(
            Rule(a.getVariable(), self.formula(a, a.getMath(), f"event '{name}'"))
            for a in _each(one.getListOfEventAssignments())
        )
        first = bool(trigger.getInitialValue()) if self.model.getLevel() == 3 else True
        return Event(name, self.formula(one, trigger.getMath(), f"trigger of '{name}'"), assignments, first)

    # ---- time --------------------------------------------------------------------------------------------------------
    def time_unit(self) -> str:
        """The unit of time that the file names or that its level prescribes; empty for none."""
        if self.model.getLevel() == 2:
            definition = self.model.getUnitDefinition("time")
            if definition is None:
                self.assumptions.append("the file names no unit of time, which in SBML Level 2 means seconds")
                return "s"
        else:
            named = self.model.getTimeUnits()
            if not named:
                self.assumptions.append("the file names no unit of time; it runs in its own until one is given")
                return ""
            if named == "second":
                return "s"
            definition = self.model.getUnitDefinition(named)
        text = unit_text(definition)
        try:
            if text and same_dimension(text, "h") and to_internal(f"1 {text}", "h") > 0.0:
                return text
        except UnitError:
            pass
        self.assumptions.append("the unit of time of the file is none of time; it runs in its own until one is given")
        return ""
