"""BNET files of Boolean logic: a line ``target, rule`` for every node; inputs repeat themselves, ``X, X``.

The format has neither rates nor starts: rates are given when a file is read, and nodes start off unless told otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from paget.errors import EvidenceError, ModelError, UnknownNameError, nearest
from paget.evidence import Parameter, ParameterTable
from paget.io.networks.formulas import BNET, Malformed, Stream, Token, spelled
from paget.io.networks.logic_only import possible, refuse_rates
from paget.io.networks.opening import Opened, hours, opened, raised
from paget.process import Named
from paget.signalling.expression import Expression, variable
from paget.signalling.network import Network, Node

__all__ = ["read_bnet", "starts_of", "uniform_rates", "write_bnet"]

_HEADER = re.compile(r"\s*targets\s*,\s*factors\s*", re.IGNORECASE)
Rate = Parameter | Named


def read_bnet(
    bnet: str | Path,
    *,
    up: Rate,
    down: Rate,
    time: str = "h",
    initial: Mapping[str, float] | None = None,
    name: str = "",
    title: str = "",
    sources: Sequence[str] = (),
) -> Network:
    """Read a file of logic; every node turns on at the rate `up` when called for, and off at the rate `down` when not.

    bnet : path, or a text with a line break in it. up, down : with unit and evidence. time : unit that the network's rates are
    per. initial : node -> probability of being on at the start, 0 where none is given

    Raises
    ------
    ModelError
        With everything that is wrong or cannot be represented, by line and column.
    EvidenceError
        If a rate is a bare number.
    UnitError
    UnknownNameError
        For a start of no node.
    """
    hours(time)
    rates = uniform_rates(up, down, time)
    file = opened(bnet, "BNET")
    rules, lines = _rules(file)
    raised(file)
    starts = starts_of(initial or {}, rules)
    nodes = [
        Node(name=key, initial=starts.get(key, 0.0))
        if rule == variable(key)
        else Node(name=key, logic=rule, initial=starts.get(key, 0.0))
        for key, rule in rules.items()
    ]
    try:
        return Network(
            name=name or file.stem,
            nodes=tuple(nodes),
            up="{up}",
            down="{down}",
            time=time,
            quantities=rates,
            title=title,
            sources=tuple(sources),
        )
    except ModelError as problem:
        file.adopt(problem, lines)
        raised(file, otherwise=problem)
        raise


def uniform_rates(up: Rate, down: Rate, time: str) -> dict[str, Parameter | Named]:
    """The two rates of a network as its quantities, in its own unit.

    Raises
    ------
    EvidenceError, UnitError
    """
    found: dict[str, Parameter | Named] = {}
    for key, given in (("up", up), ("down", down)):
        if isinstance(given, Parameter):
            value = given.inside(f"1/{time}")
            scale = value / given.value if given.value else 1.0
            found[key] = replace(given, value=value, unit=f"1/{time}", low=given.low * scale, high=given.high * scale)
        elif isinstance(given, Named):
            found[key] = Named(given.key, f"1/{time}")
        else:
            raise EvidenceError(
                f"the rate {key} = {given!r} has no basis; the file has no rates, so write "
                f'{key}=quantity("... 1/{time}", reason="...")'
            )
    return found


def starts_of(initial: Mapping[str, float], known: Mapping[str, object]) -> Mapping[str, float]:
    """The given starts, if all are of nodes.

    Raises
    ------
    UnknownNameError
    """
    for key in initial:
        if key not in known:
            raise UnknownNameError("node", key, known)
    return initial


def _rules(file: Opened) -> tuple[dict[str, Expression], dict[str, int]]:
    """Rule of every target, and the line of each."""
    rules: dict[str, Expression] = {}
    lines: dict[str, int] = {}
    seen: list[tuple[str, str, str]] = []
    for line, text in _lines(file.text):
        stream = Stream(text)
        used: list[Token] = []
        try:
            target, rule = _rule(stream, used)
        except Malformed as problem:
            file.wrong(f"{line}:{problem.token.at + 1}", problem.message)
            target = stream.tokens[0]
            if target.kind == "name":  # so that a broken rule is not also a missing one
                lines.setdefault(target.text, line)
            continue
        if target.text in rules:
            file.wrong(str(line), f"the target '{target.text}' is given twice, first in line {lines[target.text]}")
            continue
        rules[target.text], lines[target.text] = rule, line
        seen += [(target.text, token.text, f"{line}:{token.at + 1}") for token in used]
    if not lines and not file.problems:
        file.wrong("1", "it has no rules; one is a line 'target, rule'")
    for target_name, name, place in seen:
        if name not in lines:
            file.wrong(
                place, f"the rule of '{target_name}' names '{name}', which is no target. {_how_given(name, lines)}"
            )
    return rules, lines


def _how_given(name: str, lines: Mapping[str, int]) -> str:
    return f"{nearest(name, lines)} An input is given by the line '{name}, {name}'"


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines that are rules, with their numbers: no comments, no header, nothing empty."""
    begun = False
    for number, line in enumerate(text.splitlines(), 1):
        rule = line.split("#", 1)[0].rstrip()
        if not rule.strip():
            continue
        if begun or not _HEADER.fullmatch(rule):
            yield number, rule
        begun = True


def _rule(stream: Stream, used: list[Token]) -> tuple[Token, Expression]:
    target = stream.name("the name of a target")
    if stream.next.text == ":":
        raise Malformed("a comma is needed after the target, not a colon", stream.next)
    stream.take(",", what="a comma after the target")
    rule = stream.formula(BNET, used.append)
    for token in used:
        if token.text[0] in "$@":
            raise Malformed(f"'{token.text}' is no name of a node", token)
    after = stream.next
    if after.text == ",":
        raise Malformed("a third column gives rules by chance, which have no meaning in continuous time", after)
    if after.text == "[":
        raise Malformed("a delay in brackets is of networks that move in steps; time is continuous here", after)
    if after.kind != "end":
        stream.fail("'&', '|' or the end of the line")
    return target, rule


def write_bnet(network: Network, *, logic_only: bool = False, parameters: ParameterTable | None = None) -> str:
    """The text of a network as Boolean logic, without rates and starts; a node with levels becomes an on-off node per level.

    logic_only : accept the loss of rates that are 0 or depend on the state. Then the rules hold exactly which changes are
    possible: a node that its rates keep from changing in some state has its own state as its rule there.

    Raises
    ------
    ModelError
        If rates would be lost that decide more than how fast, unless `logic_only`.
    UnknownNameError
        If a quantity of the rates is not in the table of `parameters`.
    """
    values = network.values(parameters)
    flat = network.expanded()
    if not logic_only:
        refuse_rates(flat, values, "BNET")
    about = [network.name + (f": {network.title}" if network.title else "")]
    about += [f"{node.name} has {node.levels} levels" for node in network.nodes if node.levels > 1]
    lines = [f"# {' '.join(line.split())}" for line in about]
    lines.append("targets, factors")
    lines += [f"{node.name}, {spelled(possible(flat, node, values), BNET, values)}" for node in flat.nodes]
    return "\n".join(lines) + "\n"
