"""What a study chooses about a model of the catalogue, checked against the options that the model has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from paget.errors import StudyError, nearest
from paget.model import Option

__all__ = ["chosen"]


def chosen(model: str, options: Sequence[Option], given: Mapping[str, str | int | float]) -> dict[str, Any]:
    """The value of every option: that of the study, or the model's own.

    Raises
    ------
    StudyError
        With every option that the model does not have, and every value that an option does not take.
    """
    found: dict[str, Any] = {option.name: option.default for option in options}
    problems = []
    for name, value in given.items():
        option = next((o for o in options if o.name == name), None)
        if option is None:
            problems.append(f"options: unknown option '{name}'. {nearest(name, [o.name for o in options])}")
        elif value not in option.choices:
            problems.append(f"options: {name} must be one of {', '.join(map(str, option.choices))}, not '{value}'")
        else:
            found[name] = value
    if problems:
        raise StudyError(f"The model {model} does not have what the study asks for:", problems)
    return found
