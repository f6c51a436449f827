"""What of an arm can be done to a model: genes, cells, vessels and sites, routes, and parameters that it knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from paget.engine import intervening
from paget.errors import PagetError
from paget.experiment import Arm
from paget.model import Model
from paget.perturbing import Genes, genes_of_model
from paget.subject import Cohort, Individual, Subject

__all__ = ["problems_of_interventions"]


def problems_of_interventions(model: Model | Individual | Cohort, arm: Arm) -> Iterable[str]:
    """Everything in an arm that cannot be done to this model, each as a sentence that names it."""
    yield from _problems_of_routes(model, arm)
    yield from _problems_of_genes(model, arm)
    yield from _problems_of_cells(model, arm)
    if isinstance(model, Cohort):
        for override in arm.overrides:
            yield f"'{override.parameter}' cannot change in the course of a cohort; give it under 'parameters'"


def _problems_of_routes(model: Model | Subject, arm: Arm) -> Iterable[str]:
    known = {drug.name: drug for drug in model.drugs}
    for dose in arm.doses:
        if dose.route and dose.drug in known:
            yield from _said(lambda dose=dose: known[dose.drug].enters(dose.route or ""))  # type: ignore[misc]


def _problems_of_genes(model: Model | Subject, arm: Arm) -> Iterable[str]:
    named = [(p.gene, p.cells) for p in arm.perturbations] + [(a.target, a.cells) for a in arm.antibodies]
    if not named:
        return
    genes = _genes(model)
    for gene, cells in named:
        if genes is None:
            yield f"'{gene}' cannot be changed: '{model.name}' has no genes"
        else:
            yield from _said(lambda g=genes, gene=gene, cells=cells: g.acting(gene, cells))  # type: ignore[misc]


def _genes(model: Model | Subject) -> Genes | None:
    if isinstance(model, Model):
        return genes_of_model(model)
    from paget.body.whole.definition import WholeBody

    return model.gene_table if isinstance(model, WholeBody) else None


def _problems_of_cells(model: Model | Subject, arm: Arm) -> Iterable[str]:
    if not (arm.injections or arm.depletions):
        return
    if isinstance(model, Model):
        yield from intervening.problems(model, arm.injections, arm.depletions)
        return
    from paget.body.whole.definition import WholeBody
    from paget.body.whole.intervening import problems

    if isinstance(model, WholeBody):
        yield from problems(model, arm.injections, arm.depletions)
        return
    for injection in arm.injections:
        yield f"'{injection.label}' cannot be injected: '{model.name}' knows no injections"
    for depletion in arm.depletions:
        yield f"'{depletion.cells}' cannot be depleted: '{model.name}' knows no depletions"


def _said(attempt: Callable[[], object]) -> Iterable[str]:
    try:
        attempt()
    except PagetError as problem:
        yield str(problem)
