"""Read a YAML document into plain values and remember the line of each; refuse what a settings file should not hold.

Scalars follow the core schema of YAML 1.2, so that ``no``, ``on`` and ``12:30`` stay text and ``1e-3`` is a number.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from paget.problems import Problem

__all__ = ["Dumper", "MarkedDocument", "SyntaxProblem", "read_marked"]

Path = tuple[str | int, ...]

MAX_ALIASES = 50
MAX_DEPTH = 30
MAX_VALUES = 50_000

_CORE_SCHEMA = (
    ("null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""]),
    ("bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")),
    ("int", re.compile(r"^[-+]?[0-9]+$"), list("-+0123456789")),
    ("float", re.compile(r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$"), list("-+.0123456789")),
    ("float", re.compile(r"^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"), list("-+.")),
)
_TAG = "tag:yaml.org,2002:"


class SyntaxProblem(Exception):
    """The text is not one plain YAML document; carries the line (from 1) where reading stopped."""

    def __init__(self, line: int, message: str) -> None:
        self.line, self.message = line, message
        super().__init__(f"line {line}: {message}")


@dataclass(frozen=True)
class MarkedDocument:
    """The values of a document, the line of each path in it, and keys that were given twice (the first one counts)."""

    value: Any
    lines: dict[Path, int]
    doubles: tuple[tuple[int, Problem], ...]

    def line(self, path: Path) -> int:
        """Line of `path`, or of the nearest enclosing setting that the document holds."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


class _Loader(yaml.SafeLoader):
    """PyYAML's parser with the scalars of YAML 1.2, few aliases and bounded depth."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  PyYAML's own slot

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = self._aliases = self._nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]
        line = event.start_mark.line + 1 if event.start_mark else 1
        self._aliases += isinstance(event, yaml.AliasEvent)
        if self._aliases > MAX_ALIASES:
            raise SyntaxProblem(line, f"more than {MAX_ALIASES} aliases (*name); write the values out")
        self._nodes += 1
        if self._nodes > MAX_VALUES:
            raise SyntaxProblem(line, f"more than {MAX_VALUES} values; that is no study")
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise SyntaxProblem(line, f"nested more than {MAX_DEPTH} levels deep")
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


class Dumper(yaml.SafeDumper):
    """Writes YAML that readers of YAML 1.1 and 1.2 understand alike: doubtful text is quoted, long text is a block."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


for _name, _pattern, _first in _CORE_SCHEMA:
    for _class in (_Loader, Dumper):
        _class.add_implicit_resolver(_TAG + _name, _pattern, _first)


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # Line breaks other than "\n" survive in escaped text only; plain and folded text would turn them into spaces.
    unusual = any(sign in text for sign in "\r\x85\u2028\u2029")
    return dumper.represent_scalar(_TAG + "str", text, style='"' if unusual else "|" if "\n" in text else None)


def _represent_list(dumper: yaml.SafeDumper, items: Sequence[Any]) -> yaml.SequenceNode:
    short = all(isinstance(item, (str, int, float)) for item in items) and len(str(items)) < 80
    return dumper.represent_sequence(_TAG + "seq", items, flow_style=short)


Dumper.add_representer(str, _represent_text)
Dumper.add_representer(list, _represent_list)
Dumper.add_representer(tuple, _represent_list)


def read_marked(text: str) -> MarkedDocument:
    """Parse one YAML document.

    Raises
    ------
    SyntaxProblem
        If the text is no YAML, holds tags or several documents, or expands beyond what a settings file needs.
    """
    loader: _Loader | None = None
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        open_ended = "stream" in str(error.problem)  # the text ended; where the open part began is of more use
        mark = error.context_mark if open_ended and error.context_mark else error.problem_mark
        raise SyntaxProblem(mark.line + 1 if mark else 1, _syntax_in_words(error, text)) from None
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        message = f"the character U+{int(error.character):04X} is not allowed in YAML"
        raise SyntaxProblem(before.count("\n") + 1, message) from None
    finally:
        if loader is not None:
            loader.dispose()
    reader = _Reader()
    value = reader.read(root, ()) if root is not None else None
    return MarkedDocument(value, reader.lines, tuple(reader.doubles))


def _syntax_in_words(error: yaml.MarkedYAMLError, text: str) -> str:
    mark = error.problem_mark
    lines = text.splitlines()
    if mark is not None and mark.line < len(lines) and "\t" in lines[mark.line][: mark.column + 1]:
        return "a tab stands where YAML needs spaces; indent with spaces"
    if "expected a single document" in str(error.context):
        return "a second document begins here ('---'); a file holds one study"
    words = ", ".join(part for part in (error.context, error.problem) if part)
    return f"not valid YAML: {words}"


class _Reader:
    """Turns nodes into values, counting them so that nested aliases cannot multiply without end."""

    def __init__(self) -> None:
        self.lines: dict[Path, int] = {}
        self.doubles: list[tuple[int, Problem]] = []
        self._count = 0

    def read(self, node: yaml.Node, path: Path) -> Any:
        line = node.start_mark.line + 1
        self._count += 1
        if self._count > MAX_VALUES:
            raise SyntaxProblem(line, f"more than {MAX_VALUES} values once aliases (*name) are written out")
        if len(path) > MAX_DEPTH:
            raise SyntaxProblem(line, f"nested more than {MAX_DEPTH} levels deep; does an alias hold itself?")
        self.lines.setdefault(path, line)
        kind = node.tag.removeprefix(_TAG)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, kind, line)
        if isinstance(node, yaml.SequenceNode) and kind == "seq":
            return [self.read(item, (*path, i)) for i, item in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode) and kind == "map":
            return self._mapping(node, path)
        raise SyntaxProblem(line, _tag_refused(node.tag))

    def _scalar(self, node: yaml.ScalarNode, kind: str, line: int) -> Any:
        text = str(node.value)
        try:
            if kind == "str":
                return text
            if kind == "null":
                return None
            if kind == "bool":
                return text.lower() == "true"
            if kind == "int":
                return int(text)
            if kind == "float":
                return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
        except ValueError:
            raise SyntaxProblem(line, f"cannot read '{text[:40]}' as a number") from None
        raise SyntaxProblem(line, _tag_refused(node.tag))

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        values: dict[str, Any] = {}
        first: dict[str, int] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise SyntaxProblem(line, "a list or a mapping cannot be the name of a setting")
            key = str(key_node.value)
            if key in first:
                message = f"'{key}' is set twice, on lines {first[key]} and {line}; keep one"
                self.doubles.append((line, Problem((*path, key), message)))
                continue
            first[key] = line
            self.lines[(*path, key)] = line
            values[key] = self.read(value_node, (*path, key))
        return values


def _tag_refused(tag: str) -> str:
    shown = "!!" + tag.removeprefix(_TAG) if tag.startswith(_TAG) else tag
    return f"the tag '{shown}' is not allowed; a study holds plain text, numbers, lists and settings"
