"""Statements of the literature about cells, as a table, and what networks say to them.

Each row of ``statements.csv`` is an experiment on one network: cells are kept for a week (`before`), then `context` and `arm`
for `hours`, and their state is read out over the end of that time; `versus` is the arm it is compared with. A row holds if
the data reject its opposite: that the effect is no larger than the margin, or, for ``unchanged``, as large as the margin.

origin : "independent" where the row was written from the literature by another hand than the network, without reading it;
"consistency" where the network has a switch or a number made for it; "repaired" where it was written independently but failed
on the first networks, which were then changed, so that it tests them no more. kind : "rule" is one influence, which both hands
may have read in one place, "outcome" the result of several, "control" a perturbation that should not matter. first_run :
whether the row held on the first networks; rows written after the networks were changed say "held later" or "failed later" of
the networks on which they were first tried. revised : what of the experiment was changed since, and why.
"""

from __future__ import annotations

import csv
import itertools
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import curve_fit
from scipy.stats import norm

from paget.evidence import Parameter
from paget.signalling import Network, Node, parse
from paget.signalling.expression import evaluate, names
from paget.signalling.population import Population

TABLE = Path(__file__).with_name("statements.csv")
CELLS = 4_000
THREADS = 2
WEEK = 168.0  # h of `before`: phenotypes that change within a day or so are settled
LOOKS = 8  # instants at which the end of an experiment is read out
WINDOW = 48.0  # h, or a sixth of a short experiment: what is read out is the mean over this end of it
FALSE_ACCEPTANCE = 0.01  # chance that any statement of the whole table is accepted though it is false (Holm)
COMPARISONS = ("higher", "lower", "unchanged", "at least", "at most", "half-maximal")
ORIGINS = ("independent", "consistency", "repaired")
FIRST_RUNS = ("held", "failed", "held later", "failed later")
KINDS = ("rule", "outcome", "control")

_WHY = "of a dose in these experiments"
_MOVEMENT = "half-maximal on movement of HeLa cells to CXCL12 (Dillenburg-Pilla 2015, doi:10.1096/fj.14-260083)"


def _ic50(drug: str, value: float, reason: str) -> Parameter:
    return Parameter(f"{drug}_ic50", f"IC50 of {drug} on each complex", value, "nM", "derived", reason, "")


# What a drug inhibits, and the concentration that inhibits half of it: h = C / (C + IC50).
DRUGS: Mapping[str, tuple[tuple[str, ...], Parameter]] = {
    "sirolimus": (("MTORC1",), _ic50("sirolimus", 5.0, f"5 nM is {_MOVEMENT}, which mTORC1 is taken to limit")),
    "Torin2": (
        ("MTORC1", "MTORC2"),
        _ic50(
            "Torin2",
            14.5,
            f"6 nM is {_MOVEMENT}; if both complexes are needed, (1 - h)**2 is a half there, so that the IC50 on each is "
            "6 nM / (sqrt(2) - 1)",
        ),
    ),
}
MEASURED: Mapping[str, Parameter] = {
    drug: Parameter(f"{drug}_movement", f"IC50 of {drug} on movement", value, "nM", "measured", "", _MOVEMENT)
    for drug, value in (("sirolimus", 5.0), ("Torin2", 6.0))
}
DOSES: Mapping[str, Parameter] = {
    "inhibitor": Parameter(
        "saturating", f"share inhibited {_WHY}", 0.95, "", "assumed", "19 times the half-maximal concentration", ""
    ),
    "siRNA": Parameter(
        "knock_down", f"share knocked down {_WHY}", 0.9, "", "assumed", "what transfection of siRNA usually reaches", ""
    ),
}
CONCENTRATIONS = (0.05, 0.5, 1.5, 5.0, 15.0, 50.0, 500.0)  # nM, over four decades around both IC50


# ---- the table ----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Statement:
    """One row: what is claimed, the experiment, and where the claim comes from."""

    id: str
    topic: str
    network: str
    statement: str
    before: str
    context: str
    arm: str
    versus: tuple[str, ...]
    readout: str
    comparison: str
    margin: float
    hours: float
    document: str
    mechanisms: str
    source: str
    origin: str
    kind: str
    first_run: str
    revised: str

    @property
    def arms(self) -> tuple[Arm, ...]:
        """The experiments of the row, the one that is claimed about last."""
        doses: tuple[str, ...] = (*self.versus, self.arm)
        if self.comparison == "half-maximal":
            doses = (*self.versus, *(f"{self.arm} {concentration:g} nM" for concentration in CONCENTRATIONS))
        before = self.context if self.before == "as context" else self.before
        return tuple(Arm(self.network, before, f"{self.context}, {dose}", self.hours) for dose in doses)


def read_table(path: Path = TABLE) -> tuple[Statement, ...]:
    """All rows, in the order of the file."""
    rows = []
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            versus = tuple(one.strip() for one in row.pop("versus").split("|") if one.strip())
            numbers = {key: float(row.pop(key)) for key in ("margin", "hours")}
            rows.append(Statement(**row, **numbers, versus=versus))
    return tuple(rows)


# ---- experiments --------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Arm:
    """What is done to the cells of one network: a week of `before`, then `now`, both in the words of the table."""

    network: str
    before: str
    now: str
    hours: float

    @property
    def seed(self) -> int:
        """Random numbers of its own, the same in every run."""
        return zlib.crc32(f"{self.network}/{self.before}/{self.now}/{self.hours:g}".encode())


@dataclass(frozen=True)
class Treatment:
    """A list of words as what `Population.advance` takes: nodes held, and shares by which nodes are inhibited."""

    hold: Mapping[str, float]
    inhibit: Mapping[str, float]


_WORDS = re.compile(
    r"(?P<verb>loss|gain|inhibitor|siRNA) (?P<target>\w+)"
    r"|(?P<drug>\w+) (?P<dose>[\d.eE+-]+) nM"
    r"|(?P<input>\w+) (?P<level>\d+)"
)


def node_of(network: Network, name: str, merged: Mapping[str, str]) -> Node:
    """The node of that name, or the one that stands for it where the network has none of its own."""
    return network.node(name if name in network else merged.get(name, name))


def treatment(words: str, network: Network, merged: Mapping[str, str]) -> Treatment:
    """Read a treatment, as ``GF 1, loss TP53, sirolimus 100 nM``; inputs that it does not name are at their start."""
    hold = {name: network.node(name).initial for name in network.inputs}
    inhibit: dict[str, float] = {}
    for item in (one.strip() for one in words.split(",")):
        if item == "none":
            continue
        found = _WORDS.fullmatch(item)
        if found is None:
            raise ValueError(f"'{item}' is no treatment")
        if found["verb"] in ("loss", "gain"):
            node = node_of(network, found["target"], merged)
            hold[node.name] = node.levels if found["verb"] == "gain" else 0
        elif found["verb"]:
            inhibit[node_of(network, found["target"], merged).name] = DOSES[found["verb"]].value
        elif found["drug"]:
            targets, half = DRUGS[found["drug"]]
            concentration = float(found["dose"])
            inhibit |= dict.fromkeys(targets, concentration / (concentration + half.inside("nM")))
        else:
            if found["input"] not in network.inputs:
                raise ValueError(f"'{item}': '{found['input']}' is no input of the network; write loss or gain")
            hold[found["input"]] = float(found["level"])
    if idle := sorted(set(hold) & set(inhibit)):
        raise ValueError(
            f"'{words}': {', '.join(idle)} is held, so that a share of inhibition does nothing; write loss"
        )
    return Treatment(hold, inhibit)


def stands_in(statement: Statement, network: Network, merged: Mapping[str, str]) -> bool:
    """Whether another node stands for one that the statement is about."""
    about = re.findall(r"\w+", " ".join((statement.readout, statement.arm, *statement.versus)))
    return any(name in merged and name not in network for name in about)


@dataclass(frozen=True, eq=False)
class Looked:
    """Cells of one arm as they were at the instants of the read-out."""

    people: Population
    states: tuple[np.ndarray, ...]
    merged: Mapping[str, str]

    def share(self, readout: str) -> np.ndarray:
        """Share of the instants [cell] at which a readout was true; of a node with levels, its level over the highest."""
        expression = parse(readout)
        involved = names(expression)
        nodes = {name: node_of(self.people.network, name, self.merged) for name in involved}
        total = np.zeros(len(self.people))
        for state in self.states:
            self.people.state = state
            levels = {name: self.people.level(nodes[name].name) for name in involved}
            value = np.asarray(evaluate(expression, levels, {}), np.float64)
            if expression.op == "name":
                value = value / nodes[readout].levels
            total += value
        return total / len(self.states)


def rested(network: Network, name: str, before: str, merged: Mapping[str, str], cells: int = CELLS) -> np.ndarray:
    """State of cells after a week of `before`, from which all arms of a row start.

    What the arms share makes them alike and their difference surer than is counted on: the verdicts err on the safe side.
    """
    people = Population(network, cells, seed=zlib.crc32(f"{name}/{before}".encode()), threads=THREADS)
    first = treatment(before, network, merged)
    people.advance(WEEK, hold=first.hold, inhibit=first.inhibit)
    return people.state


def experiment(network: Network, arm: Arm, start: np.ndarray, merged: Mapping[str, str]) -> Looked:
    """Carry out one arm on cells that start in the state [word, cell]."""
    people = Population(network, start.shape[1], seed=arm.seed, threads=THREADS)
    people.state = start.copy()
    then = treatment(arm.now, network, merged)
    window = min(WINDOW, arm.hours / 6.0)
    people.advance(arm.hours - window, hold=then.hold, inhibit=then.inhibit)
    states = []
    for _ in range(LOOKS):
        people.advance(window / LOOKS, hold=then.hold, inhibit=then.inhibit)
        states.append(people.state.copy())
    return Looked(people, tuple(states), merged)


def course(
    network: Network,
    merged: Mapping[str, str],
    phases: tuple[tuple[str, float], ...],
    readouts: tuple[str, ...],
    step: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Times in h and shares of cells [readout, time] through phases of (treatment, hours), after a week at rest."""
    people = Population(network, CELLS, seed=zlib.crc32(repr(phases).encode()), threads=THREADS)
    people.advance(WEEK, hold=treatment("none", network, merged).hold)
    now, times, shares = 0.0, [], []

    def look() -> None:
        seen = Looked(people, (people.state.copy(),), merged)
        times.append(now)
        shares.append([seen.share(readout).mean() for readout in readouts])

    look()
    for words, hours in phases:
        then = treatment(words, network, merged)
        for _ in range(round(hours / step)):
            people.advance(step, hold=then.hold, inhibit=then.inhibit)
            now += step
            look()
    return np.array(times), np.array(shares).T


# ---- verdicts -----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Outcome:
    """What the cells of a row did.

    shares : mean of the readout in every arm, the one claimed about last. effect : what the statement is about: a difference
    of shares, a share, or for half-maximal rows the concentration in nM, with its 95 % interval. p : chance of data like these
    if the statement were false
    """

    statement: Statement
    shares: tuple[float, ...]
    effect: float
    low: float
    high: float
    p: float


def _mean(share: np.ndarray) -> tuple[float, float]:
    """Mean and its variance, with one success and one failure added, so that shares of cells all alike have one too.

    Source: Agresti and Caffo 2000, doi:10.1080/00031305.2000.10474560.
    """
    n, total = share.size + 2, share.sum() + 1.0
    mean = total / n
    return mean, ((share**2).sum() + 1.0 - n * mean**2) / (n - 1) / n


def judge(statement: Statement, shares: list[np.ndarray]) -> Outcome:
    """Compare the arms of a row; cells are independent, so means over cells are normal to a good approximation."""
    found = [_mean(share) for share in shares]
    plain = tuple(float(share.mean()) for share in shares)
    if statement.comparison == "half-maximal":
        return _half_maximal(statement, plain, found)
    if statement.comparison in ("at least", "at most"):
        mean, variance = found[-1]
        error = np.sqrt(variance)
        over = (mean - statement.margin) / error * (1.0 if statement.comparison == "at least" else -1.0)
        return Outcome(statement, plain, plain[-1], mean - 1.96 * error, mean + 1.96 * error, float(norm.sf(over)))
    steps = [(after[0] - earlier[0], np.sqrt(after[1] + earlier[1])) for earlier, after in itertools.pairwise(found)]
    sign = -1.0 if statement.comparison == "lower" else 1.0
    if statement.comparison == "unchanged":  # two one-sided tests (Schuirmann 1987, doi:10.1007/BF01068419)
        chances = [norm.sf((statement.margin - abs(change)) / error) for change, error in steps]
    else:  # every step must hold, so the chance of the row is that of its weakest step (Berger 1982, doi:10.2307/1267823)
        chances = [norm.sf((sign * change - statement.margin) / error) for change, error in steps]
    change, error = steps[-1]
    effect = plain[-1] - plain[-2]
    return Outcome(statement, plain, effect, change - 1.96 * error, change + 1.96 * error, float(max(chances)))


def hill(concentration: np.ndarray, top: float, bottom: float, log_half: float, power: float) -> np.ndarray:
    """Dose response: from `top` without drug to `bottom`, half-way at exp(log_half)."""
    return bottom + (top - bottom) / (1.0 + (concentration / np.exp(log_half)) ** power)


def fitted(shares: tuple[float, ...], errors: np.ndarray, start: float) -> tuple[np.ndarray, np.ndarray]:
    """Parameters of the dose response through the arms of a half-maximal row, and their covariance."""
    doses = np.array([1e-6, *CONCENTRATIONS])  # the arm without drug as a dose far below all others
    guess = (shares[0], shares[-1], np.log(start), 1.0)
    bounds = ((-0.1, -0.1, np.log(1e-3), 0.2), (1.1, 1.1, np.log(1e4), 8.0))
    return curve_fit(hill, doses, shares, guess, errors, absolute_sigma=True, bounds=bounds)


def _half_maximal(statement: Statement, plain: tuple[float, ...], found: list[tuple[float, float]]) -> Outcome:
    expected = MEASURED[statement.arm].inside("nM")
    errors = np.sqrt([variance for _, variance in found])
    if plain[0] - plain[-1] < 0.1:  # no response whose half could be found
        return Outcome(statement, plain, float("nan"), float("nan"), float("nan"), 1.0)
    values, covariance = fitted(plain, errors, expected)
    centre, error = values[2], max(np.sqrt(covariance[2, 2]), 1e-6)
    off = (np.log(statement.margin) - abs(centre - np.log(expected))) / error
    low, middle, high = np.exp([centre - 1.96 * error, centre, centre + 1.96 * error])
    return Outcome(statement, plain, float(middle), float(low), float(high), float(norm.sf(off)))


def holm(chances: list[float]) -> np.ndarray:
    """Chances adjusted for the number of statements (Holm 1979): those below a level hold together at that level."""
    order = np.argsort(chances)
    scaled = np.array(chances)[order] * np.arange(len(chances), 0, -1)
    adjusted = np.empty(len(chances))
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return adjusted


class Bench:
    """Networks by name on which arms are carried out, each once."""

    def __init__(self, networks: Mapping[str, Network], merged: Mapping[str, str], cells: int = CELLS) -> None:
        self.networks, self.merged, self.cells = networks, merged, cells
        self._starts: dict[tuple[str, str], np.ndarray] = {}
        self._looked: dict[Arm, Looked] = {}

    def outcome(self, statement: Statement) -> Outcome:
        """What the networks say to a statement."""
        return judge(statement, [self.look(arm).share(statement.readout) for arm in statement.arms])

    def look(self, arm: Arm) -> Looked:
        """Cells at the end of an arm."""
        if arm not in self._looked:
            network, place = self.networks[arm.network], (arm.network, arm.before)
            if place not in self._starts:
                self._starts[place] = rested(network, *place, self.merged, self.cells)
            self._looked[arm] = experiment(network, arm, self._starts[place], self.merged)
        return self._looked[arm]
