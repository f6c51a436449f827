"""Models of SBML qual: species with a few levels, and transitions that give the level that a species tends to.

Read: assignments of levels by function terms that exclude each other. Level k of a node is called for where the given level is
k or more, and levels move by one. The format has no rates; they are given when a file is read. Signs of inputs are not used:
the function terms say all.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paget.errors import ModelError, nearest
from paget.io.networks.bnet import Rate, starts_of, uniform_rates
from paget.io.networks.formulas import too_large
from paget.io.networks.mathml import Unreadable, formula_of, sbml
from paget.io.networks.opening import Opened, hours, opened, raised
from paget.signalling.expression import Expression, evaluate, names, number, variable
from paget.signalling.network import MOST_REGULATORS, Network, Node

__all__ = ["level_states", "read_sbml_qual"]

# Departures from the standard that other programs make, in attributes that are not needed or are looked for below.
_HARMLESS = (
    "MissingXMLDecl",
    "MissingXMLEncoding",
    *(
        f"Qual{element}Allowed{kind}Attributes"
        for element in ("QualSpecies", "Transition", "Input", "Output", "FuncTerm", "DefaultTerm")
        for kind in ("", "Core")
    ),
)


def read_sbml_qual(
    given: str | Path,
    *,
    up: Rate,
    down: Rate,
    time: str = "h",
    initial: Mapping[str, float] | None = None,
    name: str = "",
    sources: Sequence[str] = (),
) -> Network:
    """Read a qualitative model; every node moves up at the rate `up` when called for, and down at the rate `down` when not.

    given : path, or the text. up, down : with unit and evidence. time : unit that the network's rates are per. initial : node
    -> start, in place of the file's initial level and of 0 where it has none

    Raises
    ------
    ModelError
        With everything that is wrong or cannot be represented, by line.
    EvidenceError
        If a rate is a bare number.
    UnitError
    UnknownNameError
        For a start of no node.
    """
    hours(time)
    rates = uniform_rates(up, down, time)
    file = opened(given, "SBML", marks="<")
    model = _model(file)
    reader = _Reader(file, model)
    nodes, lines = reader.nodes()
    raised(file)
    starts = starts_of(initial or {}, nodes)
    for key, start in starts.items():
        nodes[key]["initial"] = float(start)
    try:
        return Network(
            name=name or model.getId() or file.stem,
            nodes=tuple(Node(**given) for given in nodes.values()),
            up="{up}",
            down="{down}",
            time=time,
            quantities=rates,
            title=model.getName(),
            sources=tuple(sources),
        )
    except ModelError as problem:
        file.adopt(problem, lines)
        raised(file, otherwise=problem)
        raise


def _model(file: Opened) -> Any:
    """The model in a file that holds a qualitative one and nothing else that would change."""
    document = sbml().readSBMLFromString(file.text)
    harmless = {getattr(sbml(), name) for name in _HARMLESS}
    for i in range(document.getNumErrors()):
        error = document.getError(i)
        if error.getSeverity() >= sbml().LIBSBML_SEV_ERROR and error.getErrorId() not in harmless:
            file.wrong(str(max(error.getLine(), 1)), " ".join(error.getMessage().split()))
    raised(file)
    model = document.getModel()
    if model is None or model.getPlugin("qual") is None:
        raise ModelError(
            f"{file.name} cannot be read:", ["it has no qualitative model; rate equations are read by read_sbml"]
        )
    for i in range(document.getNumPlugins()):
        package = document.getPlugin(i).getPackageName()
        if package != "qual" and document.getPackageRequired(package):
            file.wrong(str(max(document.getLine(), 1)), f"the package '{package}' is required and not known here")
    for what in ("Reactions", "Rules", "Events", "Constraints", "InitialAssignments"):
        for one in _each(getattr(model, f"getListOf{what}")()):
            file.wrong(
                str(max(one.getLine(), 1)), f"{one.getElementName()} of a model with rates beside the qualitative one"
            )
    return model


def _each(many: Any) -> Iterator[Any]:
    for i in range(many.size()):
        yield many.get(i)


@dataclass
class _Species:
    """A species: its highest level, where it begins, and the terms (level, condition) and level otherwise that it tends to."""

    line: int
    label: str
    top: int
    start: int
    constant: bool
    terms: list[tuple[int, Expression]] | None = None
    otherwise: int = 0


class _Reader:
    """Reads one model; what is wrong is noted and read past."""

    def __init__(self, file: Opened, model: Any) -> None:
        self.file, self.plugin = file, model.getPlugin("qual")
        self.species: dict[str, _Species] = {}

    def wrong(self, element: Any, message: str) -> None:
        self.file.wrong(str(max(element.getLine(), 1)), message)

    def nodes(self) -> tuple[dict[str, dict[str, Any]], dict[str, int]]:
        """What each node is made of, and its line."""
        transitions = list(_each(self.plugin.getListOfTransitions()))
        for one in _each(self.plugin.getListOfQualitativeSpecies()):
            self.add(one, transitions)
        if not self.species:
            self.file.wrong("1", "it has no species")
        for one in transitions:
            self.transition(one)
        found = {}
        for key, species in self.species.items():
            logic = self.logic(key, species)
            found[key] = {"name": key, "logic": logic, "initial": float(species.start), "label": species.label}
        return found, {key: species.line for key, species in self.species.items()}

    def add(self, one: Any, transitions: Sequence[Any]) -> None:
        key = one.getId()
        if not key:
            self.wrong(one, "a species has no id")
            return
        if key in self.species:
            self.wrong(one, f"the species '{key}' is given twice")
            return
        start = one.getInitialLevel() if one.isSetInitialLevel() else 0
        top = one.getMaxLevel() if one.isSetMaxLevel() else max(1, start, *_levels_given(key, transitions))
        if top < 1:
            self.wrong(one, f"species '{key}' has the highest level {top}; it could never be on")
        elif not 0 <= start <= top:
            self.wrong(one, f"species '{key}' begins at level {start}, and its highest is {top}")
        line = max(one.getLine(), 1)
        self.species[key] = _Species(line, one.getName(), max(top, 1), start, one.getConstant())

    def known(self, element: Any) -> str:
        key = element.getQualitativeSpecies()
        if key not in self.species:
            self.wrong(element, f"'{key}' is no species. {nearest(key, self.species)}")
            return ""
        return str(key)

    def transition(self, one: Any) -> None:
        thresholds = {}
        for source in _each(one.getListOfInputs()):
            self.known(source)
            if source.getTransitionEffect() == sbml().INPUT_TRANSITION_EFFECT_CONSUMPTION:
                self.wrong(source, "an input that is consumed is of Petri nets; regulators here are not used up")
            if source.isSetId() and source.isSetThresholdLevel():
                thresholds[source.getId()] = number(source.getThresholdLevel())
        terms = []
        for term in _each(one.getListOfFunctionTerms()):
            condition = self.condition(term, thresholds)
            if not term.isSetResultLevel():
                self.wrong(term, "a function term has no result level")
            elif condition is not None:
                terms.append((int(term.getResultLevel()), condition))
        default = one.getDefaultTerm()
        if default is None or not default.isSetResultLevel():
            self.wrong(one, "the transition has no default term with a level, for where no function term holds")
            return
        if one.getListOfOutputs().size() == 0:
            self.wrong(one, "the transition has no output")
        for output in _each(one.getListOfOutputs()):
            self.output(output, terms, int(default.getResultLevel()))

    def output(self, output: Any, terms: list[tuple[int, Expression]], otherwise: int) -> None:
        key = self.known(output)
        if output.getTransitionEffect() != sbml().OUTPUT_TRANSITION_EFFECT_ASSIGNMENT_LEVEL:
            self.wrong(output, "an output that is produced is of Petri nets; only 'assignmentLevel' is read")
        if not key:
            return
        species = self.species[key]
        if species.constant:
            self.wrong(output, f"species '{key}' is constant, and a transition changes it")
        if species.terms is not None:
            self.wrong(output, f"species '{key}' is changed by two transitions; put their function terms into one")
        for level in sorted({otherwise, *(level for level, _ in terms)}):
            if not 0 <= level <= species.top:
                self.wrong(output, f"species '{key}' is given level {level}, and its highest is {species.top}")
        species.terms, species.otherwise = terms, otherwise
        self.refuse_overlap(output, key, terms)

    def refuse_overlap(self, output: Any, key: str, terms: list[tuple[int, Expression]]) -> None:
        """Two terms that hold at once must give the same level, else the file does not say which."""
        involved = tuple(dict.fromkeys(name for _, condition in terms for name in names(condition)))
        tops = {name: self.species[name].top for name in involved}
        if sum(tops.values()) > MOST_REGULATORS:
            return  # the network will say so
        states, size = level_states(tops)
        lowest, highest = np.full(size, np.inf), np.full(size, -np.inf)
        for level, condition in terms:
            holds = np.broadcast_to(np.not_equal(evaluate(condition, states, {}), 0), (size,))
            lowest[holds] = np.minimum(lowest[holds], level)
            highest[holds] = np.maximum(highest[holds], level)
        both = np.flatnonzero((highest > lowest) & np.isfinite(lowest))
        if both.size:
            state = ", ".join(f"{name} = {int(states[name][both[0]])}" for name in involved)
            levels = f"{lowest[both[0]]:g} and {highest[both[0]]:g}"
            self.wrong(output, f"species '{key}' is given the levels {levels} at once, where {state}")

    # ---- conditions ---------------------------------------------------------------------------------------------------
    def condition(self, term: Any, thresholds: Mapping[str, Expression]) -> Expression | None:
        try:
            formula = formula_of(term.getMath(), {}, thresholds)
            if (problem := too_large(formula)) is not None:
                raise Unreadable(problem)
            return self.logical(formula)
        except Unreadable as problem:
            self.wrong(term, f"a function term cannot be read: {problem}")
        except RecursionError:
            self.wrong(term, "a function term cannot be read: it is nested too deep")
        return None

    def logical(self, formula: Expression) -> Expression:
        op, args = formula.op, formula.args
        if op == "number" and formula.value in (0.0, 1.0):
            return formula
        if op in ("not", "and", "or", "xor"):
            return Expression(op, tuple(self.logical(one) for one in args))
        if op in _FLIPPED:
            return self.compared(op, *args)
        if op == "name":
            raise Unreadable(f"'{formula.name}' is a level, not a condition; compare it with a number")
        raise Unreadable(
            f"'{formula}' is no condition; use and, or, not, xor and comparisons of a species with a number"
        )

    def compared(self, op: str, left: Expression, right: Expression) -> Expression:
        if left.op == "number" and right.op == "name":
            left, right, op = right, left, _FLIPPED[op]
        if left.op != "name" or right.op != "number":
            raise Unreadable(f"'{left} {op} {right}' does not compare a species with a number")
        if left.name not in self.species:
            raise Unreadable(f"'{left.name}' is no species. {nearest(left.name, self.species)}")
        at, top = right.value, self.species[left.name].top

        def reaches(level: int) -> Expression:
            if not 0 < level <= top:
                return number(float(level <= 0))
            return left if top == 1 else Expression(">=", (left, number(level)))

        def no(one: Expression) -> Expression:
            return number(1.0 - one.value) if one.op == "number" else Expression("not", (one,))

        if op in (">=", "<"):
            reached = reaches(math.ceil(at))
            return reached if op == ">=" else no(reached)
        if op in (">", "<="):
            reached = reaches(math.floor(at) + 1)
            return reached if op == ">" else no(reached)
        if at != int(at) or not 0 <= at <= top:
            equal = number(0.0)
        elif top == 1:
            equal = left if at == 1.0 else no(left)
        else:
            equal = Expression("==", (left, number(at)))
        return equal if op == "==" else no(equal)

    def logic(self, key: str, species: _Species) -> Expression | tuple[Expression, ...] | None:
        """The logic of a node, or of each of its levels; that of an input repeats it."""
        if species.terms is None:
            return None if species.top == 1 else (variable(key),) * species.top
        wanted = []
        for level in range(1, species.top + 1):
            below = species.otherwise < level
            listed = [condition for given, condition in species.terms if (given >= level) == below]
            some = _any(listed)
            wanted.append(some if below else Expression("not", (some,)) if listed else number(1.0))
        return wanted[0] if species.top == 1 else tuple(wanted)


_FLIPPED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def _any(listed: Sequence[Expression]) -> Expression:
    """An or of any number of formulas, as a tree of little depth."""
    if len(listed) < 2:
        return listed[0] if listed else number(0.0)
    half = len(listed) // 2
    return Expression("or", (_any(listed[:half]), _any(listed[half:])))


def _levels_given(key: str, transitions: Sequence[Any]) -> Iterator[int]:
    """Levels that transitions give a species or compare it with, for a file that does not say its highest."""
    for one in transitions:
        if any(output.getQualitativeSpecies() == key for output in _each(one.getListOfOutputs())):
            if one.getDefaultTerm() is not None:
                yield int(one.getDefaultTerm().getResultLevel())
            yield from (int(term.getResultLevel()) for term in _each(one.getListOfFunctionTerms()))
        for source in _each(one.getListOfInputs()):
            if source.getQualitativeSpecies() == key and source.isSetThresholdLevel():
                yield int(source.getThresholdLevel())


def level_states(tops: Mapping[str, int]) -> tuple[dict[str, NDArray[np.int64]], int]:
    """All states of nodes with these highest levels: the level of each [states], and how many states there are."""
    shape = tuple(top + 1 for top in tops.values())
    grid = np.indices(shape).reshape(len(shape), -1) if shape else np.empty((0, 1), np.int64)
    return {name: grid[i] for i, name in enumerate(tops)}, grid.shape[1]
