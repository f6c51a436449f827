"""Reading a settings file so that nothing in it is overlooked: every element is used, known to be of no effect, or reported."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from paget.evidence import Parameter
from paget.io.physicell.units import readable
from paget.process import NOTHING
from paget.units import same_dimension

__all__ = ["Book", "Node", "nothing"]


@dataclass
class Book:
    """What was found while reading one file: problems, and which elements were looked at."""

    name: str
    problems: list[str] = field(default_factory=list)
    used: set[Element] = field(default_factory=set)

    def unread(self, element: Element, path: str) -> Iterator[str]:
        """Places of the elements that nobody looked at, the outermost of each."""
        for child in element:
            here = f"{path}/{_label(child)}"
            if child not in self.used:
                yield here
            else:
                yield from self.unread(child, here)


@dataclass(frozen=True)
class Node:
    """One element of the file, or its absence: then everything below is absent too, and numbers take their defaults."""

    element: Element | None
    path: str
    book: Book

    def __bool__(self) -> bool:
        return self.element is not None

    def child(self, tag: str, **attributes: str) -> Node:
        """The first child of that tag and attributes."""
        for candidate in self.element if self.element is not None else ():
            if candidate.tag == tag and all(candidate.get(key) == value for key, value in attributes.items()):
                self.book.used.add(candidate)
                return Node(candidate, self._below(_label(candidate)), self.book)
        return Node(None, self._below(tag), self.book)

    def children(self, tag: str) -> list[Node]:
        """All children of that tag."""
        found = [child for child in self.element if child.tag == tag] if self.element is not None else []
        self.book.used.update(found)
        return [Node(child, self._below(_label(child)), self.book) for child in found]

    def _below(self, label: str) -> str:
        return f"{self.path}/{label}" if self.path else label

    def without_effect(self, *tags: str) -> None:
        """Know these children, with all below them, to have no effect on a model here."""
        for child in self.element if self.element is not None else ():
            if child.tag in tags:
                self.book.used.update(child.iter())

    def get(self, attribute: str, default: str = "") -> str:
        """An attribute of the element."""
        return default if self.element is None else self.element.get(attribute, default).strip()

    @property
    def text(self) -> str:
        return (self.element.text or "").strip() if self.element is not None else ""

    @property
    def enabled(self) -> bool:
        """The attribute `enabled`, which is false where the element is absent and true where it says nothing."""
        return self.element is not None and self.get("enabled", "true").lower() in ("true", "1", "yes")

    def flag(self, tag: str, default: bool = False) -> bool:
        """A child that says true or false."""
        found = self.child(tag)
        if not found.text:
            return default
        if found.text.lower() not in ("true", "false", "1", "0"):
            self.book.problems.append(f"{found.path}: '{found.text}' is neither true nor false")
        return found.text.lower() in ("true", "1")

    def number(self, tag: str, unit: str, default: float, **attributes: str) -> Parameter:
        """The number of a child as a parameter, in the unit of the file; `unit` is what it must be convertible to."""
        return self.child(tag, **attributes).own_number(unit, default)

    def own_number(self, unit: str, default: float = math.nan) -> Parameter:
        """The number in this element."""
        if not self or not self.text:
            if math.isnan(default):
                self.book.problems.append(f"{self.path}: a number is needed")
                default = 0.0
            return self._parameter(default, unit, f"PhysiCell's default, as {self.book.name} does not say")
        try:
            value = float(self.text)
        except ValueError:
            self.book.problems.append(f"{self.path}: '{self.text}' is not a number")
            value = 0.0
        if not math.isfinite(value):
            self.book.problems.append(f"{self.path}: {self.text} is not a finite number")
            value = 0.0
        given = readable(self.get("units", unit))
        if self.get("units") in ("substrate density", "total substrate/min", ""):
            given = unit
        if given is None or not same_dimension(given, unit):
            needed = unit or "a plain number"
            self.book.problems.append(f"{self.path}: '{self.get('units')}' cannot be converted to {needed}")
            given = unit
        return self._parameter(value, given, f"given in {self.book.name}")

    def _parameter(self, value: float, unit: str, reason: str) -> Parameter:
        return Parameter(self.path, self.path.rsplit("/", 1)[-1].replace("_", " "), value, unit, "assumed", reason, "")


def nothing(unit: str) -> Parameter:
    """The number of something that the file does not have."""
    return Parameter(NOTHING, "nothing", 0.0, unit, "assumed", "absent from this tissue", "")


def _label(element: Element) -> str:
    """The tag with what tells it from its siblings: ``rate[0-1]``, ``substrate[oxygen]``."""
    marks = [element.get(key, "") for key in ("name", "substrate", "ID", "index")]
    if element.get("start_index") is not None:
        marks.insert(0, f"{element.get('start_index')}-{element.get('end_index')}")
    mark = next((m for m in marks if m), "")
    return f"{element.tag}[{mark}]" if mark else element.tag
