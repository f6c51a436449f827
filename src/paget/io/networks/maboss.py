"""Models of MaBoSS: nodes in a BND file, rates and starts in CFG files; a chain in continuous time of the same definition.

A rate ``@logic ? u : 0`` up and ``@logic ? 0 : d`` down is a node with logic and the rates u and d; other rates stay whole, as
functions of the state. Starts that no CFG gives are even chances there, and so here.

Leaves out
    What only tells how MaBoSS computes or prints (`IGNORED`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from paget.errors import ModelError, nearest
from paget.evidence import Parameter
from paget.io.networks.formulas import MABOSS, Malformed, Stream, Token, is_number, too_large
from paget.io.networks.maboss_cfg import IGNORED, POPULATIONS, Settled, read_configuration
from paget.io.networks.opening import Opened, hours, opened, raised
from paget.signalling.expression import Expression, number, quantities, substitute, variable
from paget.signalling.network import Network, Node

__all__ = ["IGNORED", "MabossModel", "MabossSettings", "read_maboss"]

_RULES = ("logic", "rate_up", "rate_down")
_ITEMS = (*_RULES, "description")


@dataclass(frozen=True)
class MabossSettings:
    """How long and how often MaBoSS runs a model: `max_time` and `time_tick` in h; None where the files do not say."""

    max_time: float | None = None
    time_tick: float | None = None
    sample_count: int | None = None
    seed: int | None = None


@dataclass(frozen=True)
class MabossModel:
    """What the files of a model say.

    outputs : nodes that are not internal. initial : probability of each node of being on at the start
    """

    network: Network
    settings: MabossSettings
    outputs: tuple[str, ...]
    initial: Mapping[str, float]


@dataclass
class _Item:
    """A formula or a text that a node is given, None where it could not be read; names in it, with their places."""

    line: int
    value: Expression | str | None = None
    seen: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class _Raw:
    """A node as it stands in the file."""

    line: int
    items: dict[str, _Item]


def read_maboss(
    bnd: str | Path,
    cfg: str | Path | Sequence[str | Path] = (),
    *,
    time: str,
    name: str = "",
    title: str = "",
    sources: Sequence[str] = (),
) -> MabossModel:
    """Read a model of MaBoSS; `time` is the unit that its rates are per, which the files do not say.

    bnd, cfg : paths, or texts with a line break in them. Later CFG files add to and change earlier ones.

    Raises
    ------
    ModelError
        With everything that is wrong or cannot be represented, by file and line.
    UnitError
        If `time` is no unit of time.
    """
    hour = hours(time)
    main = opened(bnd, "BND", marks="{")
    files = [opened(one, "CFG", marks=";") for one in ([cfg] if isinstance(cfg, (str, Path)) else cfg)]
    raw = _nodes(main)
    settled = Settled()
    for one in files:
        read_configuration(one, raw, settled)
    nodes = [_node(key, given, main, raw, settled) for key, given in raw.items()]
    raised(main, *files)
    label = name or main.stem
    used = {key for node in nodes for formula in _formulas(node) for key in quantities(formula)}
    rates = _rates(nodes)
    given = {
        key: Parameter(
            key=key,
            title=f"${key} of {label}",
            value=settled.variables[key],
            unit=f"1/{time}" if key in rates else "",
            basis="assumed",
            reason=f"as the model that was read sets it, {settled.places[key]}",
            source=";".join(sources),
        )
        for key in sorted(used)
    }
    try:
        network = Network(
            name=label, nodes=tuple(nodes), time=time, quantities=given, title=title, sources=tuple(sources)
        )
    except ModelError as problem:
        main.adopt(problem, {key: one.line for key, one in raw.items()})
        raised(main, otherwise=problem)
        raise
    found = settled.settings
    return MabossModel(
        network,
        MabossSettings(
            max_time=found["max_time"] * hour if "max_time" in found else None,
            time_tick=found["time_tick"] * hour if "time_tick" in found else None,
            sample_count=int(found["sample_count"]) if "sample_count" in found else None,
            seed=int(found["seed_pseudorandom"]) if "seed_pseudorandom" in found else None,
        ),
        tuple(key for key in raw if not settled.internal.get(key, False)),
        {node.name: node.initial for node in nodes},
    )


# ---- reading the text ---------------------------------------------------------------------------------------------------
def _nodes(file: Opened) -> dict[str, _Raw]:
    """Every node by its name; what is wrong is noted in the file."""
    # A line that begins with # is a comment; blanks in its place keep lines and columns.
    stream = Stream("\n".join(" " * len(line) if line.startswith("#") else line for line in file.text.split("\n")))
    found: dict[str, _Raw] = {}
    while stream.next.kind != "end":
        try:
            named = _heading(stream)
        except Malformed as problem:
            file.wrong(stream.place(problem.token), problem.message)
            stream.skip_past("}")
            continue
        raw = _Raw(stream.line(named), _items(stream, file))
        first = found.setdefault(named.text, raw)
        if first is not raw:
            file.wrong(stream.place(named), f"the node '{named.text}' is given twice, first in line {first.line}")
    if not found and not file.problems:
        file.wrong("1", "it has no nodes")
    for key, raw in found.items():
        for name, place in (seen for item in raw.items.values() for seen in item.seen):
            if name[0] == "@" and name[1:] not in raw.items:
                file.wrong(place, f"node '{key}' has no '{name[1:]}' for {name}. {nearest(name[1:], raw.items)}")
            elif name[0] not in "$@" and name not in found:
                file.wrong(place, f"node '{key}' names '{name}', which is no node. {nearest(name, found)}")
    return found


def _heading(stream: Stream) -> Token:
    """The name of the node that begins here, after its first brace."""
    token = stream.name("'node'")
    after = stream.next.text
    if token.text.lower() in ("division", "death") and after == "{":
        raise Malformed(f"'{token.text}' is {POPULATIONS}", token)
    if after in (":", ","):
        raise Malformed("this is a line of another format; lines 'target, rule' are read by read_bnet", token)
    if token.text.lower() != "node":
        raise Malformed(f"'node' was expected, not '{token.text}'", token)
    named = stream.name("the name of a node")
    stream.take("{")
    return named


def _items(stream: Stream, file: Opened) -> dict[str, _Item]:
    """What stands between the braces of a node."""
    items: dict[str, _Item] = {}
    while stream.next.text != "}":
        try:
            if stream.next.kind == "end":
                raise Malformed("the text ends inside a node; '}' is missing", stream.next)
            token = stream.name("'logic', 'rate_up', 'rate_down', another attribute or '}'")
            item = _Item(stream.line(token))
            first = items.setdefault(token.text, item)
            if first is not item:
                file.wrong(stream.place(token), f"'{token.text}' is given twice, first in line {first.line}")
            stream.take("=")
            item.value = _value(stream, token, item)
            stream.take(";")
        except Malformed as problem:
            file.wrong(stream.place(problem.token), problem.message)
            if stream.next.kind == "end" or stream.skip_past(";", "}").text == "}":
                return items
    stream.take("}")
    return items


def _value(stream: Stream, key: Token, item: _Item) -> Expression | str:
    if key.text not in _ITEMS and key.text.lower() in _ITEMS:
        raise Malformed(f"MaBoSS makes nothing of '{key.text}'; did you mean '{key.text.lower()}'?", key)
    if stream.next.kind == "string":
        if key.text in _RULES:
            raise Malformed(f"'{key.text}' is a formula, not a text in quotes", stream.next)
        return stream.take().text[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    if key.text == "description":
        raise Malformed("a description is a text in quotes", stream.next)
    return stream.formula(MABOSS, lambda token: item.seen.append((token.text, stream.place(token))))


# ---- making the nodes -----------------------------------------------------------------------------------------------------
def _node(name: str, raw: _Raw, file: Opened, known: Mapping[str, _Raw], settled: Settled) -> Node:
    """The node of these items, or what is wrong with them."""
    for seen, place in (one for item in raw.items.values() for one in item.seen):
        if seen[0] == "$" and seen[1:] not in settled.variables:
            hint = nearest(seen, [f"${one}" for one in settled.variables])
            file.wrong(place, f"node '{name}' needs {seen}, which no CFG gives. {hint}")
    whole: dict[str, Expression | None] = dict.fromkeys(_RULES)
    for key in (key for key in _RULES if key in raw.items):
        try:
            whole[key] = _inlined(f"@{key}", raw.items, ())
        except ModelError as problem:
            file.wrong(str(raw.items[key].line), f"node '{name}': {problem}")
    about = raw.items["description"].value if "description" in raw.items else ""
    logic, up, down = (whole[key] for key in _RULES)
    made = {"name": name, "initial": settled.starts.get(name, 0.5), "label": about or ""}
    if logic is None or (up is None and down is None and logic == variable(name)):
        return Node(**made, logic=logic, up=up, down=down)  # type: ignore[arg-type]  # the types of `made` are mixed
    on = number(1.0) if up is None else _where(up, logic, called=True)
    off = number(1.0) if down is None else _where(down, logic, called=False)
    if on is not None and off is not None:
        return Node(**made, logic=logic, up=on, down=off)  # type: ignore[arg-type]
    up = up if up is not None else Expression("if", (logic, number(1.0), number(0.0)))
    down = down if down is not None else Expression("if", (logic, number(0.0), number(1.0)))
    return Node(**made, up=up, down=down)  # type: ignore[arg-type]


def _where(rate: Expression, logic: Expression, *, called: bool) -> Expression | None:
    """The rate of a node where its logic calls for it, or does not, if the rate is that and 0 otherwise; None if not."""
    if rate.op != "if":
        return None
    test, yes, no = rate.args
    if test == Expression("not", (logic,)):
        yes, no = no, yes
    elif test != logic:
        return None
    kept, other = (yes, no) if called else (no, yes)
    return kept if is_number(other, 0.0) else None


def _inlined(name: str, items: Mapping[str, _Item], within: tuple[str, ...]) -> Expression:
    """What ``@name`` stands for, with the other attributes in it written out."""
    if name in within:
        raise ModelError(f"its attributes are given by each other in a circle: {' -> '.join((*within, name))}")
    value = items[name[1:]].value if name[1:] in items else None
    if isinstance(value, str):
        raise ModelError(f"{name} is a text, not a formula")
    if value is None:
        return number(0.0)  # what is missing or could not be read was noted where it stands
    found = substitute(
        value,
        lambda part: _inlined(part.name, items, (*within, name)) if part.op == "name" and part.name[0] == "@" else None,
    )
    if (problem := too_large(found)) is not None:
        raise ModelError(f"with its attributes written out, {problem}")
    return found


def _formulas(node: Node) -> list[Expression]:
    return [*node.formulas, *(one for one in node.speeds if one is not None)]


def _rates(nodes: Iterable[Node]) -> set[str]:
    """Variables that are rates wherever they stand: as a rate, or as the one variable in a product that is a rate."""
    rates: set[str] = set()
    other: set[str] = set()

    def look(part: Expression) -> None:
        held = [bool(quantities(one)) for one in part.args]
        if part.op == "quantity":
            rates.add(part.name)
        elif part.op == "if":
            other.update(quantities(part.args[0]))
            look(part.args[1])
            look(part.args[2])
        elif part.op in ("+", "-", "neg"):
            for one in part.args:
                look(one)
        elif (part.op == "*" and sum(held) == 1) or (part.op == "/" and not held[1]):
            look(part.args[held.index(True)] if any(held) else part.args[0])
        else:
            other.update(quantities(part))

    for node in nodes:
        for formula in node.formulas:
            other.update(quantities(formula))
        for speed in node.speeds:
            if speed is not None:
                look(speed)
    return rates - other
