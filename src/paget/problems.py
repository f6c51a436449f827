"""What pydantic found wrong with a study, told in the user's words and with the place of each problem."""

from __future__ import annotations

import re
import types
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, NamedTuple, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from paget.errors import StudyError, nearest

__all__ = ["Misfits", "Problem", "checked", "problems_of", "shown"]

Path = tuple[str | int, ...]
_Model = TypeVar("_Model", bound=BaseModel)


class Problem(NamedTuple):
    """One thing that is wrong, and where: ``("arms", 1, "doses", 0, "amount")``."""

    path: Path
    message: str

    def __str__(self) -> str:
        place = ".".join(str(part) for part in self.path)
        return f"{place}: {self.message}" if place else self.message


class Misfits(ValueError):
    """Several settings do not fit together; carries every problem with its own place."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(str(problem) for problem in self.problems))


def checked(model: type[_Model], data: Mapping[str, Any], headline: str) -> _Model:
    """Validate `data` as a `model`; `StudyError` with every problem otherwise."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise StudyError(headline, [str(problem) for problem in problems_of(error, model)]) from None


def problems_of(error: ValidationError, model: type[BaseModel], also_known: Iterable[str] = ()) -> tuple[Problem, ...]:
    """Translate everything that `error` reports about data meant for `model`.

    `also_known` are names that may stand beside the fields of `model`, for suggestions.
    """
    found: list[Problem] = []
    for detail in error.errors(include_url=False):
        path: Path = tuple(detail["loc"])
        cause = detail.get("ctx", {}).get("error")
        if isinstance(cause, Misfits):
            found += [Problem((*path, *inner.path), inner.message) for inner in cause.problems]
        else:
            found.append(Problem(path, _in_words(detail, model, path, tuple(also_known))))
    return tuple(found)


_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "settings (key: value)",
    "mapping_type": "settings (key: value)",
    "model_type": "settings (key: value)",
    "model_attributes_type": "settings (key: value)",
}

_BOUNDS = {
    "greater_than_equal": ("ge", "must be at least"),
    "greater_than": ("gt", "must be above"),
    "less_than_equal": ("le", "must be at most"),
    "less_than": ("lt", "must be below"),
}


def _in_words(detail: Any, model: type[BaseModel], path: Path, also_known: tuple[str, ...]) -> str:
    kind, given, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        known = (*_settings_at(model, path[:-1]), *(also_known if len(path) == 1 else ()))
        return f"unknown setting '{path[-1]}'. {nearest(str(path[-1]), known)}"
    if kind == "missing":
        return f"is missing. {_description_at(model, path)}".strip()
    if kind == "value_error":
        return str(context["error"])
    if kind in _BOUNDS:
        key, words = _BOUNDS[kind]
        return f"{words} {context[key]}, not {shown(given)}"
    if kind in _EXPECTED:
        quotes = f"; put it in quotes: '{given}'" if kind == "string_type" and isinstance(given, (int, float)) else ""
        return f"expected {_EXPECTED[kind]}, not {shown(given)}{quotes}"
    if kind == "literal_error":
        choices = re.findall(r"'([^']*)'", context["expected"])
        return f"expected {context['expected']}, not {shown(given)}. {nearest(str(given), choices)}"
    if kind == "too_short":
        return f"needs at least {context['min_length']} entry"
    if kind == "string_too_short":
        return "must not be empty"
    if kind == "string_too_long":
        return f"has {len(given)} characters; at most {context['max_length']} are allowed"
    if kind == "string_pattern_mismatch":
        return f"{shown(given)} is not allowed. {_description_at(model, path)}".strip()
    return str(detail["msg"])


def shown(value: Any) -> str:
    """Name a value that was given where something else was needed, in a few words."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, Mapping):
        return "settings (key: value)"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "a list"
    text = str(value)
    return f"'{text[:40]}…'" if len(text) > 40 else f"'{text}'"


def _settings_at(model: type[BaseModel], path: Path) -> tuple[str, ...]:
    here: Any = model
    for part in path:
        here = _inside(here, part)
    return tuple(here.model_fields) if isinstance(here, type) and issubclass(here, BaseModel) else ()


def _description_at(model: type[BaseModel], path: Path) -> str:
    owner: Any = model
    for part in path[:-1]:
        owner = _inside(owner, part)
    if isinstance(owner, type) and issubclass(owner, BaseModel) and path[-1] in owner.model_fields:
        return owner.model_fields[str(path[-1])].description or ""
    return ""


def _inside(annotation: Any, part: str | int) -> Any:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _inside(arguments[0], part)
    if origin in (Union, types.UnionType):
        found = (_inside(argument, part) for argument in arguments)
        return next((inner for inner in found if inner is not None), None)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        field = annotation.model_fields.get(str(part))
        return field.annotation if field else None
    if origin is tuple and isinstance(part, int):
        return arguments[0]
    if origin is dict:
        return arguments[1]
    return None
