"""Mechanisms by biology, drugs, models and studies: one file each, found by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib.resources import files
from pathlib import Path

from paget.catalogue.arms import problems_of_arms, problems_of_parameters
from paget.catalogue.lung import lung_awakening
from paget.errors import PagetError, StudyError, UnknownNameError, nearest
from paget.experiment import Study
from paget.io.study_file import parse_study
from paget.model import Model
from paget.rules import Rule
from paget.subject import Cohort, Individual

__all__ = ["build_model", "check_study", "load_study", "model_names", "study_file", "study_names", "study_summary"]

Options = Mapping[str, str | int | float]


def _adjuvant_cohort(options: Options) -> Cohort:
    from paget.catalogue.adjuvant_study import adjuvant_study

    return adjuvant_study(options)


def _cascade_mouse(options: Options) -> Individual:
    # Loads tissues, blood and all organs, which other studies have no use for.
    from paget.catalogue.cascade_mouse import cascade_mouse

    return cascade_mouse(options)


def _metaspread(options: Options) -> Individual:
    from paget.catalogue.metaspread.subject import metaspread

    return metaspread(options)


def _organ_pattern(options: Options) -> Cohort:
    from paget.catalogue.organ_pattern import organ_pattern

    return organ_pattern(options)


MODELS: Mapping[str, Callable[[Options], Model | Individual | Cohort]] = {
    "adjuvant_cohort": _adjuvant_cohort,
    "cascade_mouse": _cascade_mouse,
    "lung_awakening": lung_awakening,
    "metaspread": _metaspread,
    "organ_pattern": _organ_pattern,
}


def model_names() -> tuple[str, ...]:
    """Names of the models that a study can use."""
    return tuple(sorted(MODELS))


def study_names() -> tuple[str, ...]:
    """Names of the studies that come with paget."""
    folder = files("paget.catalogue") / "studies"
    return tuple(sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml")))


def study_file(name: str) -> Path:
    """The file of a study that comes with paget; `UnknownNameError` with the nearest name otherwise."""
    if name not in study_names():
        raise UnknownNameError("study", name, study_names())
    return Path(str(files("paget.catalogue") / "studies" / f"{name}.yaml"))


def load_study(name: str) -> Study:
    """A study that comes with paget."""
    path = study_file(name)
    return parse_study(path.read_text(encoding="utf-8"), path.name)


def study_summary(name: str) -> str:
    """The title of a study that comes with paget."""
    return load_study(name).title


def _base_model(study: Study) -> Model | Individual | Cohort:
    if study.model not in MODELS:
        raise UnknownNameError("model", study.model, MODELS)
    return MODELS[study.model](study.options)


def build_model(study: Study) -> Model | Individual | Cohort:
    """The model of a study, with the study's options, parameters, removed processes and added rules.

    Raises
    ------
    StudyError, ModelError, UnknownNameError, UnitError
    """
    model = _base_model(study).with_rules(*(Rule(sentence) for sentence in study.rules))
    if study.parameters:
        model = model.with_parameters(study.parameters)
    return model.without(*study.without) if study.without else model


def check_study(study: Study) -> None:
    """Refuse a study whose names or quantities the model does not know, with all problems at once.

    Raises
    ------
    StudyError
    """
    headline = f"The study '{study.name}' cannot be run:"
    try:
        model = _base_model(study)
    except UnknownNameError as problem:
        raise StudyError(headline, [str(problem)]) from problem
    problems = [*_problems_of_edits(study, model), *problems_of_arms(study, model)]
    if model.problems_of_study is not None:
        problems += model.problems_of_study(study)
    known = [readout.name for readout in model.readouts]
    problems += [
        f"readouts: unknown readout '{name}'. {nearest(name, known)}" for name in study.readouts if name not in known
    ]
    if not problems:
        try:
            build_model(study)
        except PagetError as problem:
            problems.append(str(problem))
    if problems:
        raise StudyError(headline, problems)


def _problems_of_edits(study: Study, model: Model | Individual | Cohort) -> Iterator[str]:
    """What is wrong with each rule, parameter and removed role by itself."""
    for sentence in study.rules:
        try:
            model.with_rules(Rule(sentence))
        except PagetError as problem:
            yield f"rules: '{sentence}': {problem}"
    yield from problems_of_parameters("parameters", study.parameters, model)
    for role in study.without:
        if role not in model.processes:
            yield f"without: {UnknownNameError('process role', role, model.processes)}"
