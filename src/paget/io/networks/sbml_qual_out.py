"""Writing the logic of a network as SBML qual: levels are kept, rates are not."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from paget.errors import ModelError
from paget.evidence import ParameterTable
from paget.io.networks.formulas import by_logic
from paget.io.networks.logic_only import is_always_on, possible, refuse_rates
from paget.io.networks.mathml import sbml
from paget.io.networks.sbml_qual import level_states
from paget.signalling.expression import Expression, evaluate, names, number
from paget.signalling.network import Network, Node

__all__ = ["write_sbml_qual"]

_COMPARISONS = {"==": "EQ", "!=": "NEQ", "<": "LT", "<=": "LEQ", ">": "GT", ">=": "GEQ"}


def write_sbml_qual(network: Network, *, logic_only: bool = False, parameters: ParameterTable | None = None) -> str:
    """The text of a network as a qualitative model of SBML Level 3. Rates are left out, for which the format has no place.

    logic_only : accept the loss of rates that are 0 or depend on the state, and of starts by chance. Then the function terms
    hold exactly which changes are possible.

    Raises
    ------
    ModelError
        If something would be lost that decides more than how fast, unless `logic_only`; or if the levels of a node do not imply
        each other.
    UnknownNameError
        If a quantity of the rates is not in the table of `parameters`.
    """
    values = network.values(parameters)
    drawn = tuple(
        f"node '{node.name}' is on at the start with the probability {node.initial:g}; the file has whole levels"
        for node in network.nodes
        if node.initial != int(node.initial)
    )
    if not logic_only:
        refuse_rates(network, values, "SBML qual", drawn)
    logic = {node.name: _logic(network, node, values) for node in network.nodes if not node.is_input}
    wrong = [one for node in network.nodes if node.name in logic for one in _problems(network, node, logic[node.name])]
    if wrong:
        raise ModelError(f"SBML qual cannot hold '{network.name}':", wrong)
    library = sbml()
    document = library.SBMLDocument(library.SBMLNamespaces(3, 1, "qual", 1))
    document.setPackageRequired("qual", True)
    model = document.createModel()
    if model.setId(network.name) != library.LIBSBML_OPERATION_SUCCESS:
        model.setId("network")
    model.setName(network.title or network.name)
    cell = model.createCompartment()
    cell.setId(_free("cell", network))
    cell.setConstant(True)
    plugin = model.getPlugin("qual")
    for node in network.nodes:
        _species(plugin.createQualitativeSpecies(), node, cell.getId())
    for node in network.nodes:
        if node.name in logic:
            _transition(plugin.createTransition(), network, node, logic[node.name])
    return str(library.writeSBMLToString(document))


def _free(word: str, network: Network) -> str:
    """A name like `word` that no node has."""
    return word if word not in network else _free(f"{word}_", network)


def _logic(network: Network, node: Node, values: Mapping[str, float]) -> tuple[Expression, ...]:
    """Logic of each level in terms of not, and, or and comparisons of levels; empty where that cannot be."""
    plain = tuple(_plain(network, one, values) for one in node.formulas)
    if node.formulas and all(is_always_on(one, values) for one in network.speeds_of(node)):
        return () if None in plain else tuple(one for one in plain if one is not None)
    if any(network.node(name).levels > 1 for name in (*network.regulators(node.name), node.name)):
        return ()
    return (possible(network, node, values),)


def _plain(network: Network, formula: Expression, values: Mapping[str, float]) -> Expression | None:
    op, args = formula.op, formula.args
    if op == "name" or (op == "number" and formula.value in (0.0, 1.0)):
        return formula
    if op in _COMPARISONS and args[0].op == "name" and args[1].op == "number" and args[1].value == int(args[1].value):
        return formula
    if op in ("not", "and", "or", "xor", "if"):
        parts = tuple(one for one in (_plain(network, one, values) for one in args) if one is not None)
        if len(parts) < len(args):
            return None
        if op != "if":
            return replace(formula, args=parts)
        other = Expression("and", (Expression("not", (parts[0],)), parts[2]))
        return Expression("or", (Expression("and", parts[:2]), other))
    if all(network.node(name).levels == 1 for name in names(formula)):
        return by_logic(formula, values)
    return None


def _problems(network: Network, node: Node, logic: tuple[Expression, ...]) -> Iterator[str]:
    if not logic:
        yield (
            f"node '{node.name}': levels and rates that depend on the state, or sums of levels, have no function terms; write "
            "network.expanded()"
        )
        return
    states, size = level_states({name: network.node(name).levels for one in logic for name in names(one)})
    wanted = [np.broadcast_to(np.not_equal(evaluate(one, states, {}), 0), (size,)) for one in logic]
    for level, (below, above) in enumerate(itertools.pairwise(wanted), 1):
        if np.any(above & ~below):
            yield f"node '{node.name}': level {level + 1} is called for where level {level} is not; the file gives one level"


def _species(species: Any, node: Node, compartment: str) -> None:
    species.setId(node.name)
    if node.label:
        species.setName(node.label)
    species.setCompartment(compartment)
    species.setConstant(node.is_input)
    species.setMaxLevel(node.levels)
    if node.initial == int(node.initial):
        species.setInitialLevel(int(node.initial))


def _transition(transition: Any, network: Network, node: Node, logic: tuple[Expression, ...]) -> None:
    library = sbml()
    transition.setId(_free(f"tr_{node.name}", network))
    for name in dict.fromkeys(name for one in logic for name in names(one)):
        source = transition.createInput()
        source.setQualitativeSpecies(name)
        source.setTransitionEffect(library.INPUT_TRANSITION_EFFECT_NONE)
    output = transition.createOutput()
    output.setQualitativeSpecies(node.name)
    output.setTransitionEffect(library.OUTPUT_TRANSITION_EFFECT_ASSIGNMENT_LEVEL)
    transition.createDefaultTerm().setResultLevel(0)
    for level, wanted in enumerate(logic, 1):
        term = transition.createFunctionTerm()
        term.setResultLevel(level)
        if level < len(logic):  # and not the level above: function terms must exclude each other
            wanted = Expression("and", (wanted, Expression("not", (logic[level],))))
        term.setMath(_mathml(wanted))


def _mathml(formula: Expression) -> Any:
    """The tree of libSBML for a condition; a bare name is a level of 1 or more."""
    library, op = sbml(), formula.op
    if op == "name":
        return _mathml(Expression(">=", (formula, number(1.0))))
    if op == "number":
        return library.ASTNode(library.AST_CONSTANT_TRUE if formula.value else library.AST_CONSTANT_FALSE)
    if op in _COMPARISONS:
        tree = library.ASTNode(getattr(library, f"AST_RELATIONAL_{_COMPARISONS[op]}"))
        name, level = library.ASTNode(library.AST_NAME), library.ASTNode(library.AST_INTEGER)
        name.setName(formula.args[0].name)
        level.setValue(int(formula.args[1].value))
        parts = [name, level]
    else:
        tree = library.ASTNode(getattr(library, f"AST_LOGICAL_{op.upper()}"))
        parts = [_mathml(one) for one in formula.args]
    return functools.reduce(_with_child, parts, tree)


def _with_child(tree: Any, child: Any) -> Any:
    tree.addChild(child)
    return tree
