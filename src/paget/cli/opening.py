"""Find the study that a user means: a name of the catalogue, or a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from paget.errors import StudyError, UnknownNameError

if TYPE_CHECKING:
    from paget.experiment import Study

__all__ = ["StudyArgument", "chosen_arms", "open_study"]

StudyArgument = Annotated[
    str, typer.Argument(metavar="STUDY", help="A study of the catalogue (see paget list), or the path of a YAML file.")
]


def open_study(name: str) -> tuple[Study, str]:
    """Load a study of the catalogue or a study file, checked against the model that it uses, and the file's text.

    Raises
    ------
    UnknownNameError, StudyError
        If there is no such study, or something is wrong with it.
    """
    from paget import catalogue
    from paget.io.study_file import check_study_file, read_text

    if Path(name).suffix.lower() in (".yaml", ".yml") or os.sep in name or "/" in name:
        return check_study_file(name, _check), read_text(name)
    if name not in catalogue.study_names() and Path(name).exists():
        raise StudyError(f"There is no study '{name}' in the catalogue. A study file ends in .yaml.")
    study = catalogue.load_study(name)
    catalogue.check_study(study)
    return study, read_text(catalogue.study_file(name))


def _check(study: Study) -> None:
    from paget import catalogue
    from paget.engine.ensemble.branching import check_branch

    catalogue.check_study(study)
    check_branch(study)


def chosen_arms(study: Study, wanted: list[str]) -> tuple[str, ...]:
    """Return the arms named, in the order of the study; a name may hold several arms with commas between them."""
    named: set[str] = set()
    for text in wanted:
        whole = [text] if text in study.arm_names else [part.strip() for part in text.split(",") if part.strip()]
        named.update(study.arm(name).name for name in whole)
    if wanted and not named:
        raise UnknownNameError("arm", "", study.arm_names)
    return tuple(name for name in study.arm_names if name in named)
