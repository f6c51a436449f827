"""Rates, responses, production and renewal of species with their numbers, as the compartments compute with them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from paget.body.species import Production, Response, Species, Transfer
from paget.body.values import Numbers
from paget.errors import ModelError, nearest
from paget.rules.response import hill

__all__ = ["Layout", "MadeTerm", "RateTerm", "RenewalTerm", "ResponseTerm", "check_names", "downstream"]

Real = NDArray[np.float64]


class ResponseTerm(NamedTuple):
    """A response with its numbers, and where its level is read."""

    species: int
    compartment: int
    half: float
    power: float
    fold: float
    scaled_by: str

    def strength(self, level: float, factors: Mapping[str, float]) -> float:
        found: float = hill(max(level, 0.0), self.half, self.power)
        return found * factors.get(self.scaled_by, 1.0)


class RateTerm(NamedTuple):
    """A first-order term: from a compartment to a compartment, or out of the body (target -1)."""

    source: int
    target: int
    rate: float
    scaled_by: tuple[str, ...]
    raised_by: tuple[ResponseTerm, ...]


class MadeTerm(NamedTuple):
    """A production with its numbers, in amount per hour."""

    compartment: int
    most: float
    scaled_by: tuple[str, ...]
    driven_by: tuple[ResponseTerm, ...]


class RenewalTerm(NamedTuple):
    """A renewing pool with its numbers; capacity in amount."""

    compartment: int
    rate: float
    capacity: float


@dataclass(frozen=True)
class Layout:
    """Species over places, resolved to numbers.

    volumes : of the places, [n] in mL
    """

    species: tuple[Species, ...]
    places: tuple[str, ...]
    volumes: Real
    numbers: Numbers

    def _place(self, name: str) -> int:
        return self.places.index(name)

    def _response(self, r: Response, here: str) -> ResponseTerm:
        row = [s.name for s in self.species].index(r.species)
        return ResponseTerm(
            row,
            self._place(r.compartment or here),
            self.numbers(r.half, self.species[row].level_unit),
            self.numbers(r.hill, ""),
            self.numbers(r.fold, "") if r.fold is not None else 1.0,
            r.scaled_by,
        )

    def _transfer(self, t: Transfer) -> RateTerm:
        source, target = self._place(t.source), self._place(t.target)
        ratio = float(self.volumes[target] / self.volumes[source]) if t.by_volume else 1.0
        share = 1.0 if t.share is None else self.numbers(t.share, "")
        raised = tuple(self._response(r, t.source) for r in t.raised_by)
        return RateTerm(source, target, self.numbers.rate(t.rate) * share * ratio, t.scaled_by, raised)

    def rates(self) -> tuple[tuple[RateTerm, ...], ...]:
        """Transfers and clearances of each species.

        Raises
        ------
        ModelError
            If a rate is below zero or not finite.
        """
        found, wrong = [], []
        for s in self.species:
            terms = [self._transfer(t) for t in s.transfers]
            terms += [
                RateTerm(self._place(c.compartment), -1, self.numbers.rate(c.rate), c.scaled_by, ())
                for c in s.clearances
            ]
            wrong += [
                f"species '{s.name}' has a rate of {t.rate:g} 1/h from '{self.places[t.source]}'; it must be 0 or above"
                for t in terms
                if not (t.rate >= 0.0 and math.isfinite(t.rate))
            ]
            found.append(tuple(terms))
        if wrong:
            raise ModelError("the compartments cannot be built:", wrong)
        return tuple(found)

    def _production(self, species: Species, p: Production) -> MadeTerm:
        place = self._place(p.compartment)
        most = self.numbers(p.most, f"{species.unit or '1'}/mL/h") * float(self.volumes[place])
        return MadeTerm(place, most, p.scaled_by, tuple(self._response(r, p.compartment) for r in p.driven_by))

    def productions(self) -> tuple[tuple[MadeTerm, ...], ...]:
        """What resident tissues make of each species."""
        return tuple(tuple(self._production(s, p) for p in s.productions) for s in self.species)

    def renewals(self) -> tuple[RenewalTerm | None, ...]:
        """The renewing pool of each species, None where it has none."""

        def one(s: Species) -> RenewalTerm | None:
            if s.renewal is None:
                return None
            place = self._place(s.renewal.compartment)
            capacity = self.numbers(s.renewal.density, s.level_unit) * float(self.volumes[place])
            return RenewalTerm(place, self.numbers.rate(s.renewal.rate), capacity)

        return tuple(one(s) for s in self.species)


def downstream(matrix: Real, start: int) -> NDArray[np.int64]:
    """Indices of the compartments that can be reached from one, itself included, in order."""
    seen = {start}
    queue = [start]
    while queue:
        here = queue.pop()
        for there in np.flatnonzero(matrix[:, here] > 0.0):
            if int(there) not in seen:
                seen.add(int(there))
                queue.append(int(there))
    return np.array(sorted(seen), dtype=np.int64)


def check_names(species: tuple[Species, ...], places: tuple[str, ...]) -> None:
    """Refuse names that are missing or doubled, all at once."""
    names = [s.name for s in species]
    wrong = [f"compartment '{name}' is given twice" for name, count in Counter(places).items() if count > 1]
    wrong += [f"species '{name}' is given twice" for name, count in Counter(names).items() if count > 1]
    for s in species:
        for place in dict.fromkeys(p for p in s.places if p not in places):
            wrong.append(f"species '{s.name}': there is no compartment '{place}'. {nearest(place, places)}")
        wrong += [f"species '{s.name}' moves from '{t.source}' to itself" for t in s.transfers if t.source == t.target]
        responses = [r for t in s.transfers for r in t.raised_by] + [r for p in s.productions for r in p.driven_by]
        for r in (r for t in s.transfers for r in t.raised_by if r.fold is None):
            wrong.append(f"species '{s.name}': the response to {r.species} lacks the fold by which it raises a rate")
        for r in responses:
            if r.species not in names:
                wrong.append(f"species '{s.name}': there is no species '{r.species}'. {nearest(r.species, names)}")
            if r.compartment and r.compartment not in places:
                wrong.append(
                    f"species '{s.name}': there is no compartment '{r.compartment}'. {nearest(r.compartment, places)}"
                )
    if wrong:
        raise ModelError("the compartments cannot be built:", wrong)
