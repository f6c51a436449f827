"""Systems of rate equations as SBML Level 3 Version 2, the form that every simulator of the field reads."""

from __future__ import annotations

from typing import Any

from paget.errors import ModelError
from paget.io.networks.mathml import sbml, text_of
from paget.io.networks.sbml_units import define_unit
from paget.signalling.expression import Expression, names
from paget.signalling.kinetics import TIME, Kinetics, Reaction, Species

__all__ = ["to_sbml"]

_NOWHERE = "everywhere"  # compartment of species that have none: SBML wants one


def to_sbml(system: Kinetics) -> str:
    """The system as a text in SBML Level 3 Version 2; numbers keep the 15 digits that the format's library writes.

    Names carry titles; units are written where SBML can say them.
    """
    library = sbml()
    document = library.SBMLDocument(3, 2)
    model = document.createModel()
    model.setId(system.name if system.name.isidentifier() else "model")
    model.setName(system.title or system.name)
    unit = define_unit(model, system.time_unit) if system.time_unit else ""
    if unit:
        model.setTimeUnits(unit)
    _quantities(model, system)
    for rule in system.initials:
        assignment = model.createInitialAssignment()
        assignment.setSymbol(rule.name)
        assignment.setMath(_math(model, rule.formula))
    for rule in system.assignments:
        given = model.createAssignmentRule()
        given.setVariable(rule.name)
        given.setMath(_math(model, rule.formula))
    for rule in system.rates:
        rate = model.createRateRule()
        rate.setVariable(rule.name)
        rate.setMath(_math(model, rule.formula))
    for reaction in system.reactions:
        _reaction(model, system, reaction)
    for event in system.events:
        written = model.createEvent()
        written.setId(event.name)
        written.setUseValuesFromTriggerTime(True)
        trigger = written.createTrigger()
        trigger.setInitialValue(event.initially)
        trigger.setPersistent(True)
        trigger.setMath(_math(model, event.trigger))
        for rule in event.assignments:
            change = written.createEventAssignment()
            change.setVariable(rule.name)
            change.setMath(_math(model, rule.formula))
    return str(library.writeSBMLToString(document))


def _math(model: Any, formula: Expression) -> Any:
    library = sbml()
    math = library.parseL3FormulaWithModel(text_of(formula), model)
    if math is None:
        raise ModelError(f"the formula {formula} cannot be written as SBML: {library.getLastParseL3Error().strip()}")
    return math


def _quantities(model: Any, system: Kinetics) -> None:
    changing = {*system.states, *system.assigned}
    for space in system.compartments:
        compartment = model.createCompartment()
        compartment.setId(space.name)
        compartment.setSpatialDimensions(3)
        compartment.setSize(space.size.value)
        compartment.setConstant(True)
    if any(not one.compartment for one in system.species):
        taken = {*system.values, *(one.name for one in system.reactions), TIME}
        nowhere = _NOWHERE
        while nowhere in taken:
            nowhere += "_"
        compartment = model.createCompartment()
        compartment.setId(nowhere)
        compartment.setSpatialDimensions(3)
        compartment.setSize(1.0)
        compartment.setConstant(True)
    for one in system.species:
        _species(model, one, one.compartment or nowhere)
    for parameter in system.parameters:
        written = model.createParameter()
        written.setId(parameter.key)
        if parameter.title and parameter.title != parameter.key:
            written.setName(parameter.title)
        written.setValue(parameter.value)
        unit = define_unit(model, parameter.unit)
        if unit:
            written.setUnits(unit)
        written.setConstant(parameter.key not in changing)


def _species(model: Any, one: Species, compartment: str) -> None:
    species = model.createSpecies()
    species.setId(one.name)
    if one.title:
        species.setName(one.title)
    species.setCompartment(compartment)
    # Without a compartment of its own, a species is as good as an amount.
    amount = one.amount or not one.compartment
    species.setHasOnlySubstanceUnits(amount)
    species.setBoundaryCondition(one.boundary)
    species.setConstant(one.constant)
    if amount:
        species.setInitialAmount(one.initial.value)
    else:
        species.setInitialConcentration(one.initial.value)


def _reaction(model: Any, system: Kinetics, reaction: Reaction) -> None:
    written = model.createReaction()
    written.setId(reaction.name)
    if reaction.title:
        written.setName(reaction.title)
    written.setReversible(reaction.reversible)
    takes_part = {name for name, _ in (*reaction.reactants, *reaction.products)}
    for side, create in (
        (reaction.reactants, written.createReactant),
        (reaction.products, written.createProduct),
    ):
        for name, count in side:
            reference = create()
            reference.setSpecies(name)
            reference.setStoichiometry(count)
            reference.setConstant(True)
    species = {one.name for one in system.species}
    for name in names(reaction.rate):
        if name in species - takes_part:
            written.createModifier().setSpecies(name)
    written.createKineticLaw().setMath(_math(model, reaction.rate))
