"""Studies as YAML files: read with file and line in every error, and written so that they read back the same.

A file gives the settings of `paget.experiment.Study`, or what differs from a study of the catalogue (`base`); an arm
may be given by what differs from another arm (`like`). The format is described in ``docs/study_file.md`` and, for
editors, by the JSON Schema of `study_schema`.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic.json_schema import GenerateJsonSchema

from paget.errors import StudyError, nearest
from paget.experiment import Study
from paget.io.marked_yaml import Dumper, MarkedDocument, SyntaxProblem, read_marked
from paget.io.study_composition import ArmEntry, compose
from paget.problems import shown

__all__ = [
    "check_study_file",
    "dump_study",
    "load_study_file",
    "parse_study",
    "read_text",
    "study_schema",
    "write_schema",
]

MAX_BYTES = 1_000_000

_Path = tuple[str | int, ...]


def load_study_file(path: str | Path) -> Study:
    """Read the study that a YAML file describes.

    Raises
    ------
    StudyError
        If the file cannot be read, or with every problem of its content, each with file and line.
    """
    return parse_study(read_text(path), name=str(path))


def parse_study(text: str, name: str = "study.yaml") -> Study:
    """Read the study that YAML text describes; `name` is the file's name for errors and for a study without a name.

    Raises
    ------
    StudyError
        With every problem at once, each as ``study.yaml:LINE: path: message``.
    """
    return _read(text, name).study


def check_study_file(path: str | Path, check: Callable[[Study], None]) -> Study:
    """Read a study and apply a further check, such as `paget.catalogue.check_study`; its problems get file and line."""
    source = _read(read_text(path), str(path))
    try:
        check(source.study)
    except StudyError as error:
        problems = [source.locate(problem) for problem in error.problems or (str(error),)]
        raise _refused(str(path), problems) from None
    return source.study


@dataclass(frozen=True)
class _Source:
    """A study, and the document that it was read from."""

    document: MarkedDocument
    study: Study

    def locate(self, problem: str) -> tuple[int, str]:
        """Find the line of a problem by the names that it quotes: the innermost setting, in the arm that it names."""
        quoted = set(re.findall(r"'([^']+)'", re.split("Did you mean|Known:", problem)[0]))
        value, lines = self.document.value, self.document.lines
        phrases = [text for text in quoted if " " in text]  # a condition, in the midst of a moment
        places = [
            path
            for path in lines
            if path
            and (path[-1] in quoted or (given := _value_at(value, path)) in quoted or any(p in given for p in phrases))
        ]
        arms = {path[:2] for path in places if path[0] == "arms" and path[2:] == ("name",)}
        places = [path for path in places if path[:2] in arms] or places
        return (lines[max(places, key=len)] if places else self.document.line(("base",))), problem


def _value_at(value: Any, path: _Path) -> str:
    for part in path:
        value = value[part]
    return value if isinstance(value, str) else ""


def read_text(path: str | Path) -> str:
    """Return the text of a study file; `StudyError` if it is not there, not UTF-8, or too large to be one."""
    path = Path(path)
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        others = [other.name for other in _yaml_files(path.parent)]
        close = difflib.get_close_matches(path.name, others, n=1)
        raise StudyError(f"There is no file '{path}'.{f' {nearest(path.name, close)}' if close else ''}") from None
    except IsADirectoryError:
        raise StudyError(f"'{path}' is a folder; a study is a YAML file.") from None
    except OSError as error:
        raise StudyError(f"The study file '{path}' cannot be read: {error.strerror or error}.") from None
    if len(content) > MAX_BYTES:
        raise StudyError(f"'{path}' is larger than {MAX_BYTES // 1_000_000} MB; that is no study file.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"byte 0x{content[error.start]:02x} is not UTF-8; save the file as UTF-8 text"
        raise _refused(str(path), [(line, message)]) from None


def _yaml_files(folder: Path) -> Iterable[Path]:
    try:
        return [path for path in folder.iterdir() if path.suffix in (".yaml", ".yml")]
    except OSError:
        return []


def _refused(name: str, problems: Sequence[tuple[int, str]]) -> StudyError:
    count = "a problem" if len(problems) == 1 else f"{len(problems)} problems"
    return StudyError(
        f"The study file {name} has {count}.", [f"{name}:{line}: {message}" for line, message in sorted(problems)]
    )


def _read(text: str, name: str) -> _Source:
    try:
        document = read_marked(text)
    except SyntaxProblem as problem:
        raise _refused(name, [(problem.line, problem.message)]) from None
    if document.value is None:
        raise _refused(name, [(1, "the file is empty; a study needs at least 'model', 'duration' and 'arms'")])
    if not isinstance(document.value, dict):
        raise _refused(name, [(1, f"expected settings (key: value) such as 'model: ...', not {shown(document.value)}")])
    study, problems = compose(document.value, _name_from(name))
    found = [(line, str(problem)) for line, problem in document.doubles]
    found += [(document.line(problem.path), str(problem)) for problem in problems]
    if found or study is None:
        raise _refused(name, found)
    if study.branch is not None:  # a path in a file is meant from where the file is
        beside = study.branch.model_copy(update={"result": str(Path(name).parent / study.branch.result)})
        study = study.model_copy(update={"branch": beside})
    return _Source(document, study)


def _name_from(file: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "_", Path(file).stem).strip("_-") or "study"


def study_schema() -> dict[str, Any]:
    """Return the JSON Schema of a study file, for editors and for checks outside paget."""
    study = Study.model_json_schema(schema_generator=_Untitled)
    entry = ArmEntry.model_json_schema(schema_generator=_Untitled)
    definitions = {**study["$defs"], **entry.pop("$defs"), "Arm": entry}
    text = {"type": "string"}
    properties = {
        "base": {**text, "description": "A study of the catalogue to start from; the settings here are laid over it."},
        "keep": {
            "type": "array",
            "items": text,
            "description": "Arms of the base study that are kept; all of them if left out.",
        },
        **study["properties"],
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "paget study",
        "description": "An experiment of paget: a model, its arms, the animals, how long, and what is read out.",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "anyOf": [{"required": ["base"]}, {"required": ["model", "duration", "arms"]}],
        "$defs": definitions,
    }


class _Untitled(GenerateJsonSchema):
    """Leaves out the titles that pydantic makes from names; they say nothing that the names do not."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def schema_path() -> Path:
    """Return the place of the schema that comes with paget, written by `write_schema`."""
    return Path(__file__).with_name("study.schema.json")


def write_schema(path: Path) -> None:
    """Write the JSON Schema of study files."""
    path.write_text(json.dumps(study_schema(), indent=2) + "\n", encoding="utf-8")


def dump_study(study: Study, schema: str = "study.schema.json") -> str:
    """Write a study as YAML that reads back as the same study; `schema` is what editors check it against."""
    chosen = study.model_dump(exclude_defaults=True)
    everything = study.model_dump()
    always = ("tick", "replicates", "seed", "record")
    data = {key: everything[key] for key in everything if key in chosen or key in always}
    data.update({key: chosen[key] for key in ("branch", "sweep") if key in chosen})
    del data["arms"]
    data["arms"] = chosen["arms"]  # last, where a user adds others
    text = yaml.dump(data, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=110)
    return f"# yaml-language-server: $schema={schema}\n{text}"
