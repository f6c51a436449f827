"""The fate of a cell in the circulation, exactly: where it is arrested, whether it dies, and how long it travels.

A cell of one kind is in node i of the chain for an exponential time of mean τ_i, in which it dies at the rate d_i. At the
end of a stay in the bed of organ o it is arrested with probability a_o; if not, it goes on to node j with probability P_ij.
So its position is a Markov chain with the generator

    G_ij = (1 - a_i) P_ij / τ_i      (j ≠ i),        G_ii = -1 / τ_i - d_i,

and for a cell that begins in the nodes with probabilities e, the time spent in every node is r = -e G⁻¹, the probability of
being arrested in organ o is the sum of r_i a_o / τ_i over its beds, and that of dying the sum of r_i d_i.

Assumes: cells do not meet, and are not changed by a passage. Leaves out: return of arrested cells to the blood.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import expm
from scipy.optimize import brentq

from paget.body.chain import Chain
from paget.errors import ModelError, UnknownNameError

__all__ = ["Fate", "Pool", "by_organ", "fate", "in_blood", "steady_state", "steps", "where_it_begins"]

Real = NDArray[np.float64]
MEDIA = ("blood", "lymph")


@dataclass(frozen=True)
class Fate:
    """What becomes of cells of one kind that leave one organ by one medium.

    landing [organs] : probability of being arrested in each organ, in the order of ``chain.organs``
    died : probability of dying on the way; landing and died add up to 1
    residence [nodes] : mean time in every node, h
    passes [organs] : mean number of passages through the beds of each organ, that of the arrest included
    time_in_blood, time_in_lymph : mean times, h
    """

    chain: Chain
    origin: str
    medium: str
    landing: Real
    died: float
    residence: Real
    passes: Real
    time_in_blood: float
    time_in_lymph: float
    begins: Real = field(repr=False)
    generator: Real = field(repr=False)

    def landing_in(self, organ: str) -> float:
        """Probability of being arrested in one organ."""
        return float(self.landing[_index(organ, self.chain.organs)])

    @property
    def mean_passes(self) -> float:
        """Mean number of capillary beds that a cell passes until it is arrested or dies."""
        return float(self.passes.sum())

    def survival(self, times: ArrayLike) -> Real:
        """Probability that a cell is still on its way at these times after it was shed, h: e exp(G t) 1."""
        asked = np.atleast_1d(np.asarray(times, dtype=np.float64))
        left = [float((self.begins @ expm(self.generator * time)).sum()) for time in asked.ravel()]
        return np.array(left).reshape(asked.shape)

    @property
    def half_life(self) -> float:
        """Time after which half of the cells that were shed at once are arrested or dead, h."""
        late = self.residence.sum()
        while self.survival(late)[0] > 0.5:
            late *= 2.0
        return float(brentq(lambda time: self.survival(time)[0] - 0.5, 0.0, late, xtol=1e-12 * late, rtol=1e-12))

    @property
    def slowest_half_life(self) -> float:
        """Half-life of the cells that travel longest, h: ln 2 over the smallest decay rate of the chain."""
        reached = self.residence > 0.0
        rates = np.linalg.eigvals(self.generator[np.ix_(reached, reached)]).real
        return float(np.log(2.0) / -rates.max())


class Pool(NamedTuple):
    """Cells on their way at constant shedding: per node [nodes], in blood, in lymph, and per mL of blood."""

    nodes: Real
    blood: float
    lymph: float
    per_mL: float


def steps(chain: Chain) -> Real:
    """Probability of going from node i to node j at the end of a stay, P [nodes, nodes]; rows add up to 1."""
    count = len(chain.names)
    table = np.zeros((count, count))
    for i in range(count):
        ways = slice(chain.start[i], chain.start[i + 1])
        np.add.at(table[i], chain.successor[ways], np.diff(chain.share[ways], prepend=0.0))
    return table


def where_it_begins(chain: Chain, origin: str, medium: str = "blood") -> Real:
    """Probability of every node to be the first of a cell that leaves an organ, [nodes].

    Raises
    ------
    UnknownNameError, ModelError
        If no such medium drains the organ.
    """
    place, row = _index(origin, chain.organs), _index(medium, MEDIA, "medium")
    ways = slice(chain.first[row, place], chain.first[row, place + 1])
    begins = np.zeros(len(chain.names))
    np.add.at(begins, chain.entry[ways], np.diff(chain.entry_share[ways], prepend=0.0))
    if not begins.any():
        raise ModelError(f"no {medium} drains '{origin}': cells cannot leave it by {medium}")
    return begins


def in_blood(chain: Chain) -> NDArray[np.bool_]:
    """Which nodes hold blood, not lymph: those that are reached by what leaves organs by blood, [nodes]."""
    begins = np.zeros(len(chain.names), dtype=bool)
    begins[chain.entry[: chain.first[0, -1]]] = True
    return _reached(steps(chain), begins)


def by_organ(chain: Chain, given: float | ArrayLike | Mapping[str, float], what: str) -> Real:
    """Numbers for every organ [organs], from one for all, one for each, or a mapping by name (0 where none is given)."""
    count = len(chain.organs)
    if isinstance(given, Mapping):
        values = np.zeros(count)
        for organ, value in given.items():
            values[_index(organ, chain.organs)] = value
        return values
    values = np.asarray(given, dtype=np.float64)
    if values.ndim and values.shape != (count,):
        raise ModelError(f"{what}: {values.shape} numbers are given; one, or one for each of {count} organs, is needed")
    return np.broadcast_to(values, (count,)).copy()


def fate(
    chain: Chain,
    arrest: float | ArrayLike | Mapping[str, float],
    death: float | ArrayLike,
    origin: str,
    medium: str = "blood",
) -> Fate:
    """The exact fate of cells of one kind that leave `origin`.

    arrest : probability of being arrested in one passage of an organ's bed, for all, each [organs], or by name
    death : rate of death on the way, 1/h, for all or each node [nodes]

    Raises
    ------
    ModelError
        If numbers are out of range, no such medium drains the organ, or cells would never stop travelling.

    Examples
    --------
    >>> from paget.body.anatomy import human
    >>> from_colon = fate(human().chain(), arrest=0.5, death=0.0, origin="colon")
    >>> round(from_colon.landing_in("liver"), 3)
    0.526
    """
    count = len(chain.names)
    caught = by_organ(chain, arrest, "probability of arrest")
    rates = np.asarray(death, dtype=np.float64)
    problems = [
        f"the probability of arrest in '{organ}' is {value:g}; it must be from 0 to 1"
        for organ, value in zip(chain.organs, caught, strict=True)
        if not 0.0 <= value <= 1.0
    ]
    if rates.ndim and rates.shape != (count,):
        problems.append(f"{rates.size} death rates are given; one, or one for each of {count} nodes, is needed")
    if not (np.isfinite(rates).all() and (rates >= 0.0).all()):
        problems.append("a death rate is negative or not finite; rates are 0 or above, in 1/h")
    if problems:
        raise ModelError("The fate of these cells cannot be computed:", problems)
    dying = np.broadcast_to(rates, (count,))
    bed = chain.organ >= 0
    kept = np.where(bed, caught[chain.organ], 0.0)
    begins = where_it_begins(chain, origin, medium)
    onward = steps(chain)
    generator = (1.0 - kept)[:, None] * onward / chain.transit[:, None] - np.diag(1.0 / chain.transit + dying)
    visited = _reached((1.0 - kept)[:, None] * onward, begins > 0.0)
    if not (kept[visited] > 0.0).any() and not (dying[visited] > 0.0).any():
        raise ModelError(
            f"cells from '{origin}' are neither arrested nor die: they would stay in the {medium} for ever"
        )
    # in units of the transit times: a stay ends by death at the rate d τ, else by arrest or a step at the rate 1
    going, ending = (1.0 - kept)[:, None] * onward, dying * chain.transit + kept
    stays = np.zeros(count)
    stays[visited] = _stays(going[np.ix_(visited, visited)], ending[visited], begins[visited])
    residence = stays * chain.transit
    passed = np.where(bed, stays, 0.0)
    passes, landing = np.zeros(len(chain.organs)), np.zeros(len(chain.organs))
    np.add.at(passes, chain.organ[bed], passed[bed])
    np.add.at(landing, chain.organ[bed], (passed * kept)[bed])
    blood = in_blood(chain)
    return Fate(
        chain,
        origin,
        medium,
        landing=landing,
        died=float(residence @ dying),
        residence=residence,
        passes=passes,
        time_in_blood=float(residence[blood].sum()),
        time_in_lymph=float(residence[~blood].sum()),
        begins=begins,
        generator=generator,
    )


def steady_state(of: Fate, shedding: float, blood: float) -> Pool:
    """Cells on their way when as many are shed per h as are lost: shedding times mean time (Little's law).

    shedding : cells per h; blood : volume of the blood, mL
    """
    if not (np.isfinite(shedding) and shedding >= 0.0 and blood > 0.0):
        raise ModelError(
            f"shedding is {shedding:g} cells per h and the blood {blood:g} mL: they cannot be negative or 0 mL"
        )
    nodes = shedding * of.residence
    in_it = shedding * of.time_in_blood
    return Pool(nodes, in_it, shedding * of.time_in_lymph, in_it / blood)


def _stays(going: Real, ending: Real, begins: Real) -> Real:
    """Expected time in the states of an absorbing chain with rates of going to others and of ending, [states].

    One state after another is taken out of the chain (Grassmann, Taksar and Heyman); since nothing is ever subtracted, every
    time is exact to rounding, however seldom cells are lost.
    """
    going, ending, arriving = going.copy(), ending.copy(), begins.copy()
    count = len(begins)
    leaving = np.zeros(count)
    for k in range(count - 1, -1, -1):
        leaving[k] = ending[k] + going[k, :k].sum()
        through = going[:k, k] / leaving[k]
        going[:k, :k] += np.outer(through, going[k, :k])
        ending[:k] += through * ending[k]
        arriving[:k] += arriving[k] / leaving[k] * going[k, :k]
    stays = np.zeros(count)
    for k in range(count):
        stays[k] = (arriving[k] + stays[:k] @ going[:k, k]) / leaving[k]
    return stays


def _reached(joined: Real, begins: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """States that are reached from some of them, [nodes]."""
    reached = begins
    while True:
        wider = reached | (joined[reached] > 0.0).any(axis=0)
        if (wider == reached).all():
            return reached
        reached = wider


def _index(name: str, known: tuple[str, ...], kind: str = "organ") -> int:
    try:
        return known.index(name)
    except ValueError:
        raise UnknownNameError(kind, name, known) from None
