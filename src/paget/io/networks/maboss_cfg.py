"""CFG files of MaBoSS: values of variables, starts of nodes, and how the model would be run."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from paget.errors import nearest
from paget.io.networks.formulas import MABOSS, Malformed, Stream, Token
from paget.io.networks.opening import Opened
from paget.signalling.expression import evaluate, names

__all__ = ["IGNORED", "POPULATIONS", "Settled", "read_configuration"]

IGNORED: Mapping[str, str] = {
    "thread_count": "our results do not depend on the number of threads",
    "use_physrandgen": "random numbers are ours",
    "use_glibcrandgen": "random numbers are ours",
    "use_mtrandgen": "random numbers are ours",
    "display_traj": "of printing",
    "statdist_traj_count": "of the clusters of stationary distributions",
    "statdist_cluster_threshold": "of the clusters of stationary distributions",
    "statdist_similarity_cache_max_size": "of the clusters of stationary distributions",
    "refstate": "of the Hamming distance that MaBoSS prints",
    "in_graph": "of the graph that MaBoSS prints",
}
POPULATIONS = "of populations of cells (PopMaBoSS); division and death are processes of the tissue here"
_T = TypeVar("_T")
_SETTINGS = ("max_time", "time_tick", "sample_count", "seed_pseudorandom", "discrete_time")
_OF_NODES = ("istate", "is_internal", "refstate", "in_graph")
_IGNORED_SETTINGS = tuple(key for key in IGNORED if key not in _OF_NODES)


@dataclass
class Settled:
    """What CFG files set: values of variables with their places, starts, internal nodes, settings."""

    variables: dict[str, float] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    starts: dict[str, float] = field(default_factory=dict)
    internal: dict[str, bool] = field(default_factory=dict)
    settings: dict[str, float] = field(default_factory=dict)


def read_configuration(file: Opened, nodes: Collection[str], settled: Settled) -> None:
    """Add what a CFG file sets to what is `settled`, from top to bottom: a variable has the value that it had where it is used.

    What is wrong is noted in the file.
    """
    _Configuration(file, nodes, settled).read()


class _Configuration:
    def __init__(self, file: Opened, nodes: Collection[str], settled: Settled) -> None:
        self.file, self.nodes, self.settled = file, nodes, settled
        self.stream = Stream(file.text)
        self.started: dict[str, int] = {}

    def read(self) -> None:
        stream = self.stream
        while stream.next.kind != "end":
            begun = stream.at
            try:
                self.statement()
            except Malformed as problem:
                self.file.wrong(stream.place(problem.token), problem.message)
                if stream.at == begun or stream.tokens[stream.at - 1].text != ";":
                    stream.skip_past(";")

    def statement(self) -> None:
        stream, token = self.stream, self.stream.next
        if token.text == ";":
            stream.take()
        elif token.text == "[":
            self.joint()
        elif token.kind == "name" and token.text[0] == "$":
            self.variable()
        else:
            stream.name("a setting, a node or a variable")
            if stream.next.text == ".":
                self.attribute(token)
            else:
                self.setting(token)

    # ---- values -----------------------------------------------------------------------------------------------------
    def value(self) -> float:
        """The value of a formula of numbers and variables."""
        seen: list[Token] = []
        begun = self.stream.next
        formula = self.stream.formula(MABOSS, seen.append)
        for token in seen:
            key = token.text[1:] if token.text[0] == "$" else ""
            if not key and token.text.upper() not in ("TRUE", "FALSE"):
                raise Malformed(f"'{token.text}' has no value here; use numbers and $variables", token)
            if key and key not in self.settled.variables:
                raise Malformed(self.why_undefined(key), token)
        known = {one: float(one.upper() == "TRUE") for one in names(formula)}
        value = float(evaluate(formula, known, self.settled.variables))
        if not math.isfinite(value):
            raise Malformed("the value is not finite", begun)
        return value

    def why_undefined(self, key: str) -> str:
        """Why a variable has no value: never given, given only later, or given by itself."""
        lines, uses = self.given_in_this_file()
        if key not in lines:
            return (
                f"${key} is not given. {nearest(f'${key}', [f'${one}' for one in {*self.settled.variables, *lines}])}"
            )
        circle = [key]
        while True:
            follows = next((one for one in uses.get(circle[-1], ()) if one not in self.settled.variables), "")
            if not follows:
                return f"${key} is given only later, in line {lines[key]}; give it before it is used"
            if follows in circle:
                told = " -> ".join(f"${one}" for one in [*circle[circle.index(follows) :], follows])
                return f"variables are given by each other in a circle: {told}"
            circle.append(follows)

    def given_in_this_file(self) -> tuple[dict[str, int], dict[str, list[str]]]:
        """Line of every variable that this file gives, and the variables that it is given by."""
        lines: dict[str, int] = {}
        uses: dict[str, list[str]] = {}
        for (at, token), after in itertools.pairwise(enumerate(self.stream.tokens)):
            if token.text[:1] == "$" and after[1].text == "=":
                key = token.text[1:]
                lines.setdefault(key, self.stream.line(token))
                uses.setdefault(key, [one.text[1:] for one in self.until_semicolon(at + 2) if one.text[:1] == "$"])
        return lines, uses

    def until_semicolon(self, at: int) -> Iterator[Token]:
        return itertools.takewhile(lambda one: one.text != ";", itertools.islice(self.stream.tokens, at, None))

    # ---- statements -------------------------------------------------------------------------------------------------
    def variable(self) -> None:
        token = self.stream.take()
        self.stream.take("=")
        value = self.value()
        self.stream.take(";")
        self.settled.variables[token.text[1:]] = value
        self.settled.places[token.text[1:]] = f"{self.file.name}:{self.stream.line(token)}"

    def setting(self, token: Token) -> None:
        key = token.text.lower()
        self.stream.take("=", what="'=' or '.'")
        if key == "custom_pop_output":
            raise Malformed(f"'{token.text}' is {POPULATIONS}", token)
        if key not in _SETTINGS and key not in _IGNORED_SETTINGS:
            raise Malformed(f"unknown setting '{token.text}'. {nearest(key, (*_SETTINGS, *_IGNORED_SETTINGS))}", token)
        value = self.value()
        self.stream.take(";")
        if key == "discrete_time" and value != 0.0:
            raise Malformed(
                "discrete_time = 1 is another process, in steps; only chains in continuous time are read", token
            )
        if (key in ("max_time", "time_tick") and value <= 0.0) or (key == "sample_count" and value < 1.0):
            raise Malformed(f"'{token.text}' must be more than 0, not {value:g}", token)
        if key in _SETTINGS:
            self.settled.settings[key] = value

    def known(self, token: Token) -> str:
        if token.text not in self.nodes:
            raise Malformed(f"'{token.text}' is no node. {nearest(token.text, self.nodes)}", token)
        return token.text

    def attribute(self, token: Token) -> None:
        name = self.known(token)
        self.stream.take(".")
        key = self.stream.name("'istate' or 'is_internal'")
        if key.text.lower() not in _OF_NODES:
            raise Malformed(f"unknown attribute '{key.text}' of a node. {nearest(key.text, _OF_NODES)}", key)
        self.stream.take("=")
        value = self.value()
        self.stream.take(";")
        if key.text.lower() == "is_internal":
            self.settled.internal[name] = value != 0.0
        elif key.text.lower() == "istate":
            if value not in (0.0, 1.0) and value >= 0.0:
                chances = f"[{name}].istate = {1.0 - value:g} [0], {value:g} [1];"
                also = f"; for a probability write {chances}" if value < 1.0 else ""
                raise Malformed(
                    f"{name}.istate must be 0, 1 or -1 (even chances); MaBoSS takes {value:g} for 1{also}", key
                )
            self.start(name, 0.5 if value < 0.0 else value, token)

    def start(self, name: str, probability: float, token: Token) -> None:
        if name in self.settled.starts:
            where = f"first in line {self.started[name]}" if name in self.started else "first in another file"
            raise Malformed(f"the start of '{name}' is given twice, {where}", token)
        self.settled.starts[name] = probability
        self.started[name] = self.stream.line(token)

    def joint(self) -> None:
        """``[A, B].istate = 0.3 [0, 0], 0.7 [1, 0];``, kept if the nodes start independently of each other."""
        stream = self.stream
        begun = stream.take("[")
        listed = [self.known(token) for token in self.several(lambda: stream.name("the name of a node"))]
        stream.take(".")
        key = stream.name("'istate'")
        if key.text.lower() == "pop_istate":
            raise Malformed(f"'{key.text}' is {POPULATIONS}", key)
        if key.text.lower() != "istate":
            raise Malformed(f"unknown attribute '{key.text}' of nodes in brackets; there is only istate", key)
        stream.take("=")
        weights: dict[tuple[int, ...], float] = {}
        while True:
            weight = self.value()
            stream.take("[")
            state = tuple(int(value != 0.0) for value in self.several(self.value))
            if len(state) != len(listed) or weight < 0.0:
                raise Malformed(
                    f"a probability is needed, and in brackets {len(listed)} states, one of each node", begun
                )
            weights[state] = weights.get(state, 0.0) + weight
            if stream.take(",", ";").text == ";":
                break
        total = sum(weights.values())
        if total <= 0.0:
            raise Malformed("the probabilities of a start must not all be 0", begun)
        shares = {state: weight / total for state, weight in weights.items()}  # as MaBoSS does
        ons = [sum(share for state, share in shares.items() if state[one]) for one in range(len(listed))]
        product = {
            state: math.prod(on if bit else 1.0 - on for bit, on in zip(state, ons, strict=True)) for state in shares
        }
        # Where the product of their chances agrees on all listed states, it leaves nothing for others: both add up to 1.
        apart = max(abs(product[state] - share) for state, share in shares.items())
        if apart > 1e-12:
            raise Malformed(
                f"{', '.join(listed)} start in states that depend on each other; a start here is one probability for each "
                "node. Give each its own, or read the model once for each joint state",
                begun,
            )
        for name, on in zip(listed, ons, strict=True):
            self.start(name, on, begun)

    def several(self, one: Callable[[], _T]) -> list[_T]:
        """What stands between brackets, the first of which is taken, apart by commas."""
        found = [one()]
        while self.stream.take(",", "]").text == ",":
            found.append(one())
        return found
