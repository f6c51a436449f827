"""The curated networks as a page to read: nodes in words, their rates, and the evidence of every influence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from paget.catalogue.networks import MERGED, NETWORKS
from paget.catalogue.networks.nodes import share_of
from paget.evidence import Parameter, load_parameters
from paget.evidence.mechanisms import Mechanism, cited
from paget.signalling import Expression, Network, Node
from paget.signalling.expression import variable

__all__ = ["page", "words"]

_INTRODUCTION = """# The networks inside cells

Seven cell types of metastasis carry a network each (`paget.catalogue.networks`). This page is written from the networks and the
tables of parameters and mechanisms: `python -m paget.catalogue.networks.page > docs/networks.md`.

A node that its logic calls for turns on at its rate, one that it does not turns off at its rate, independently in each cell: a
Markov chain in continuous time. A node that is on *a share of the time* has the rate up `rate × share` and the rate down
`rate × (1 − share)`, so that it is on with that probability while its regulators stay as they are. *Level 1* and *level 2* are
the steps of a node with levels; it moves by one step at a time. Inputs are set by the surroundings, the genotype, a drug, or
the choice between two findings that contradict each other; they are off unless marked.

Evidence is given per regulator: rows of the table of mechanisms (M from the reviews that the networks were written from, N
from background literature) or sources of the bibliography. Rates and shares are assumptions; the last tables say why."""

_SIGNS = {"+": "+", "-": "−", "0": "0"}


def words(formula: Expression, numbers: Mapping[str, Parameter]) -> str:
    """A formula in words, with the values of its quantities."""
    return _said(formula, numbers, 0)


_LOOSE, _OR, _AND, _NOT = 0, 1, 2, 3
_COMPARED = {">=": "at level {} or above", ">": "above level {}", "<=": "at level {} or below", "<": "below level {}"}
_COUNTED = {"+": 1, "-": 1, "*": 2, "/": 2}


def _said(formula: Expression, numbers: Mapping[str, Parameter], around: int) -> str:
    op, args = formula.op, formula.args
    if op == "name":
        return formula.name
    if op == "number":
        return f"{formula.value:g}"
    if op == "quantity":
        return f"{numbers[formula.name].value:g}"
    if op == "not":
        return f"not {_said(args[0], numbers, _NOT)}"
    if op in ("and", "or"):
        own = _AND if op == "and" else _OR
        text = f" {op} ".join(_said(one, numbers, own) for one in args)
        return text if around <= own else f"({text})"
    if op == "if":
        condition, yes, no = (_said(one, numbers, _LOOSE) for one in args)
        nested = f"{no}" if args[2].op == "if" else f"else {no}"
        text = f"{_bracketed(args[1], yes)} if {condition}, {nested}"
        return text if around == _LOOSE else f"({text})"
    if op in _COMPARED:
        return f"{_said(args[0], numbers, _NOT)} {_COMPARED[op].format(_said(args[1], numbers, _NOT))}"
    if op in _COUNTED:
        sign = {"*": "×", "-": "−"}.get(op, op)
        return f" {sign} ".join(_term(one, numbers, _COUNTED[op]) for one in args)
    if op == "min":
        return f"at most {_said(args[0], numbers, _NOT)}: {_said(args[1], numbers, _LOOSE)}"
    raise ValueError(f"'{formula}' cannot be put in words")


def _bracketed(formula: Expression, text: str) -> str:
    return f"({text})" if formula.op == "if" else text


def _term(formula: Expression, numbers: Mapping[str, Parameter], power: int) -> str:
    text = _said(formula, numbers, _LOOSE)
    loose = formula.op in ("if", "and", "or") or _COUNTED.get(formula.op, power) < power
    return f"({text})" if loose else text


def _switching(node: Node, numbers: Mapping[str, Parameter]) -> str:
    share = share_of(node)
    if share is not None:
        return f"a share of the time: {words(share, numbers)}"
    if node.levels == 1:
        return _without(node, words(node.formulas[0], numbers))
    return "; ".join(f"level {k + 1}: {words(one, numbers)}" for k, one in enumerate(node.formulas))


def _without(node: Node, text: str) -> str:
    """A state that keeps itself is said as such."""
    first = node.formulas[0]
    while first.op == "or":
        first = first.args[0]
    return text.replace(f"{node.name} or ", "", 1) + ", and then for good" if first == variable(node.name) else text


def _rates(node: Node, numbers: Mapping[str, Parameter]) -> str:
    up, down = node.speeds
    assert up is not None
    assert down is not None
    if share_of(node) is not None:
        return words(up.args[0], numbers)
    if up == down:
        return words(up, numbers)
    return f"on {words(up, numbers)}; off {words(down, numbers)}"


def _evidence(node: Node) -> str:
    return ", ".join(f"{name}: {rows.replace(';', ' ')}" for name, rows in node.edges.items())


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _network(network: Network, numbers: Mapping[str, Parameter]) -> Iterator[str]:
    bits = sum(network.node(name).levels for name in network.regulated)
    yield f"## {network.name.capitalize()}\n\n{network.title}: {len(network.inputs)} inputs, {bits} on-off variables."
    if network.name == "tumour cell":
        merged = ", ".join(f"{gone} with {kept}" for gone, kept in MERGED.items())
        yield f"\nGoes without a node of its own: {merged}."
    yield "\n" + "\n".join(
        [_row("input", "what it is"), _row("---", "---"), *map(_input, map(network.node, network.inputs))]
    )
    regulated = [network.node(name) for name in network.regulated]
    for module in dict.fromkeys(node.module for node in regulated):
        yield f"\n### {network.name.capitalize()}: {module}\n"
        yield _row("node", "what it is", "on when", "rate per hour", "evidence")
        yield _row(*["---"] * 5)
        for node in regulated:
            if node.module == module:
                yield _row(
                    f"`{node.name}`", node.label, _switching(node, numbers), _rates(node, numbers), _evidence(node)
                )
    yield ""


def _input(node: Node) -> str:
    return _row(f"`{node.name}`", node.label + (" (on at the start)" if node.initial else ""))


def _mechanism(one: Mechanism) -> str:
    statement = f"{one.subject} {one.relation} {one.object}"
    return _row(one.id, statement, _SIGNS[one.sign], one.cell_type, ", ".join(one.sources), one.status)


def page() -> str:
    """The page ``docs/networks.md``."""
    numbers = load_parameters("networks")
    parts = [_INTRODUCTION, ""]
    for network in NETWORKS.values():
        parts += _network(network, numbers)
    parts += ["## Rates and shares\n", _row("parameter", "what it is", "value", "why"), _row(*["---"] * 4)]
    used = {key for network in NETWORKS.values() for key in network.quantities}
    parts += [
        _row(f"`{key}`", row.title, f"{row.value:g} {row.unit}".strip(), row.reason)
        for key, row in numbers.items()
        if key in used
    ]
    rows = {
        one.id: one
        for network in NETWORKS.values()
        for node in network.nodes
        for evidence in node.edges.values()
        for one in cited(evidence)
        if isinstance(one, Mechanism)
    }
    parts += ["\n## Mechanisms\n", _row("id", "statement", "sign", "in", "sources", "status"), _row(*["---"] * 6)]
    parts += [_mechanism(rows[key]) for key in sorted(rows)]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    print(page(), end="")
