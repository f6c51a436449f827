"""What a model has to say against the arms of a study: names, quantities and moments that it does not know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from paget.catalogue.possible import problems_of_interventions
from paget.errors import PagetError, UnknownNameError, nearest
from paget.experiment import Arm, Condition, Study, conditions
from paget.model import Model
from paget.subject import Cohort, Individual, Subject

__all__ = ["problems_of_arms", "problems_of_parameters"]

AnyModel = Model | Individual | Cohort


def problems_of_arms(study: Study, model: AnyModel) -> Iterator[str]:
    """Every problem once, each naming the arm, or the sweep that made it."""
    told: set[str] = set()
    for arm in study.arms:
        where = "sweep" if arm.point else f"arm '{arm.name}'"
        for problem in _problems_of_arm(where, arm, study, model):
            if problem not in told:
                told.add(problem)
                yield problem
    if study.branch is not None and isinstance(model, Cohort):
        yield f"branch: '{study.branch.result}': '{model.name}' computes its individuals from start to end at once"


def _problems_of_arm(where: str, arm: Arm, study: Study, model: AnyModel) -> Iterator[str]:
    drugs = [drug.name for drug in model.drugs]
    for dose in arm.doses:
        if dose.drug not in drugs:
            yield f"{where}: unknown drug '{dose.drug}'. {nearest(dose.drug, drugs)}"
    sites = (model.sites if isinstance(model, Subject) else ()) or ("primary",)
    for resection in arm.resections:
        if resection.site not in sites:
            yield f"{where}: {UnknownNameError('site to resect', resection.site, sites)}"
    yield from problems_of_parameters(where, arm.parameters, model)
    for override in arm.overrides:
        yield from problems_of_parameters(where, {override.parameter: override.value}, model)
    for problem in problems_of_interventions(model, arm):
        yield f"{where}: {problem}"
    awaited = conditions(arm.interventions)
    if awaited and isinstance(model, Cohort):
        yield f"{where}: '{awaited[0]}': what is done to individuals of '{model.name}' cannot follow from their readouts"
        return
    for condition in awaited:
        yield from _problems_of_condition(where, condition, model)


def _problems_of_condition(where: str, condition: Condition, model: AnyModel) -> Iterator[str]:
    known = {readout.name: readout for readout in model.readouts if readout.kind != "time"}
    if condition.readout not in known:
        yield f"{where}: '{condition}': {UnknownNameError('readout', condition.readout, known)}"
        return
    try:
        condition.level_in(known[condition.readout].unit)
    except PagetError as problem:
        yield f"{where}: '{condition}': {problem}"


def problems_of_parameters(where: str, changes: Mapping[str, str | float], model: AnyModel) -> Iterator[str]:
    """What is wrong with each changed parameter by itself."""
    for key, value in changes.items():
        try:
            model.with_parameters({key: value})
        except PagetError as problem:
            yield f"{where}: {problem}"
