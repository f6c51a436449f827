"""Plasma, marrow and organs as well-mixed compartments: what a tumour secretes travels, is cleared, and is accounted for."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from paget.body.exponential import propagator
from paget.body.species import Compartment, Species
from paget.body.terms import Layout, check_names, downstream
from paget.body.values import Numbers
from paget.errors import LedgerError, ModelError, NumericalError, StudyError, UnknownNameError
from paget.evidence import Parameter, ParameterTable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Compartments"]

Real = NDArray[np.float64]

BALANCE = 1e-9  # relative imbalance of a species that rounding can explain
FAINT = 1e-290  # amounts so small that doubles hold them with fewer digits
COLUMNS = ("initial", "given", "secreted", "born", "cleared", "handed")
INITIAL, GIVEN, SECRETED, BORN, CLEARED, HANDED = range(6)
NO_FACTORS: Mapping[str, float] = {}


class Compartments:
    """Amounts of species over compartments, advanced exactly by linear kinetics, with a book that balances at every tick.

    dx/dt = A x + s for each species, with x its amounts and s what is secreted, both exact over a tick (matrix exponential).
    Terms that are not linear (responses to levels, renewal) are held at their values at the start of the tick, which is of
    first order in the tick.

    Parameters
    ----------
    species, compartments : what is held, and where
    table : numbers by key; draw : gives a parameter's value in this animal, without it the table's

    Raises
    ------
    ModelError
        Names given twice, places and species that do not exist, volumes that are not positive, rates below zero, a pool that
        would die out: all at once.

    Assumes
        Well-mixed compartments; levels are amounts over the volume of the compartment.
    """

    def __init__(
        self,
        species: Iterable[Species],
        compartments: Iterable[Compartment],
        table: Mapping[str, Parameter],
        draw: Callable[[Parameter], float] | None = None,
    ) -> None:
        self.species, self.compartments = tuple(species), tuple(compartments)
        self.table, self._draw = table, draw
        self.places = tuple(c.name for c in self.compartments)
        self.names = tuple(s.name for s in self.species)
        self._place = {name: i for i, name in enumerate(self.places)}
        self._row = {name: i for i, name in enumerate(self.names)}
        check_names(self.species, self.places)
        self.factors = frozenset(name for s in self.species for name in s.factors)
        numbers = Numbers(table, draw)
        self.volumes = np.array([numbers(c.volume, "mL") for c in self.compartments])
        wrong = [
            f"compartment '{name}' has a volume of {v:g} mL; it must be above 0"
            for name, v in zip(self.places, self.volumes, strict=True)
            if not v > 0.0
        ]
        if wrong:
            raise ModelError("the compartments cannot be built:", wrong)
        layout = Layout(self.species, self.places, self.volumes, numbers)
        self._rates, self._made, self._renewals = layout.rates(), layout.productions(), layout.renewals()
        self._amounts = self._healthy()
        self._totals = np.zeros((len(self.species), len(COLUMNS)))
        self._totals[:, INITIAL] = self._amounts.sum(axis=1)
        self._start = self._amounts / self.volumes

    # ---- building -------------------------------------------------------------------------------------------------
    def _healthy(self) -> Real:
        """Amounts [species, compartments] of the healthy body: nothing, or the steady state of a renewing pool.

        With inflow b into the pool, x = -A^-1 e b; births b = r N (1 - N / K) and N = g b give N = K (1 - 1 / (g r)).
        """
        n = len(self.places)
        found = np.zeros((len(self.species), n))
        wrong = []
        for i, (species, renewal) in enumerate(zip(self.species, self._renewals, strict=True)):
            if renewal is None:
                continue
            matrix = self._generator(i, found, NO_FACTORS)[:n, :n]
            matrix[renewal.compartment, renewal.compartment] -= renewal.rate  # the empty pool's births
            reached = downstream(matrix, renewal.compartment)
            try:
                answer = -np.linalg.solve(matrix[np.ix_(reached, reached)], (reached == renewal.compartment) * 1.0)
            except np.linalg.LinAlgError:
                wrong.append(
                    f"species '{species.name}' gathers without end: it enters a compartment that it never leaves"
                )
                continue
            gain = answer[reached == renewal.compartment][0]
            if not gain * renewal.rate > 1.0:
                wrong.append(
                    f"species '{species.name}' dies out: its pool renews at {renewal.rate:g} 1/h "
                    f"and empties at {1 / gain:g} 1/h"
                )
                continue
            size = renewal.capacity * (1.0 - 1.0 / (gain * renewal.rate))
            found[i, reached] = answer * size / gain
        if wrong:
            raise ModelError("the compartments have no healthy state to start from:", wrong)
        return found

    def changed(self, values: Mapping[str, str | float]) -> Compartments:
        """The same compartments with other numbers, at their start: text with a unit by the key of a parameter.

        Raises
        ------
        UnknownNameError, UnitError
        """
        table = self.table if isinstance(self.table, ParameterTable) else ParameterTable(self.table)
        return Compartments(self.species, self.compartments, table.with_values(values), self._draw)

    # ---- time -----------------------------------------------------------------------------------------------------
    def _generator(self, i: int, amounts: Real, factors: Mapping[str, float]) -> Real:
        """Generator [n + 2, n + 2] of one species: its compartments, what was cleared, what was born."""
        n = len(self.places)
        g = np.zeros((n + 2, n + 2))
        for term in self._rates[i]:
            rate = term.rate * math.prod(factors.get(name, 1.0) for name in term.scaled_by)
            raised = (
                (r.fold - 1.0) * r.strength(amounts[r.species, r.compartment] / self.volumes[r.compartment], factors)
                for r in term.raised_by
            )
            rate *= 1.0 + sum(raised)
            g[term.source, term.source] -= rate
            g[term.target if term.target >= 0 else n, term.source] += rate
        renewal = self._renewals[i]
        if renewal is not None:
            at = renewal.compartment
            rate = renewal.rate * max(0.0, 1.0 - amounts[i, at] / renewal.capacity)
            g[at, at] += rate
            g[n + 1, at] += rate
        return g

    def _produced(self, i: int, amounts: Real, factors: Mapping[str, float]) -> Real:
        """What resident tissue makes of one species, amount per hour [n]."""
        found = np.zeros(len(self.places))
        for made in self._made[i]:
            idle = 1.0
            for r in made.driven_by:
                level = amounts[r.species, r.compartment] / self.volumes[r.compartment]
                idle *= 1.0 - min(1.0, r.strength(level, factors))
            found[made.compartment] += made.most * (1.0 - idle) * math.prod(factors.get(f, 1.0) for f in made.scaled_by)
        return found

    def advance(
        self, dt: float, sources: Mapping[tuple[str, str], float], factors: Mapping[str, float] = NO_FACTORS
    ) -> None:
        """Advance all species by a tick of `dt` hours.

        sources : amount per hour that enters, by (species, compartment), constant over the tick
        factors : by name, what multiplies the rates and responses that carry that name; 1 where absent

        Raises
        ------
        UnknownNameError, StudyError
            A source or factor that nothing here knows, or that is negative or not finite.
        LedgerError, NumericalError
            Naming the species.
        """
        entering = self._entering(sources)
        self._check_factors(factors)
        if not dt > 0.0:
            raise StudyError(f"a tick of {dt:g} h cannot be advanced; it must be above 0")
        n, before = len(self.places), self._amounts
        after = np.empty_like(before)
        for i in range(len(self.species)):
            generator = self._generator(i, before, factors)
            driven = entering[i] + self._produced(i, before, factors)
            if not driven.any() and not before[i].any():
                after[i] = before[i]
                continue
            onward, gathered = propagator(generator.tobytes(), n + 2, dt)
            moved = onward[:, :n] @ before[i] + gathered[:, :n] @ driven
            after[i] = moved[:n]
            self._totals[i, CLEARED] += moved[n]
            self._totals[i, BORN] += moved[n + 1]
            self._totals[i, SECRETED] += float(driven.sum()) * dt
        self._amounts = after
        self._balance()

    def _entering(self, sources: Mapping[tuple[str, str], float]) -> Real:
        found = np.zeros_like(self._amounts)
        wrong = []
        for (species, place), amount in sources.items():
            row, column = self._at(species, place)
            if not (amount >= 0.0 and math.isfinite(amount)):
                wrong.append(
                    f"{species} into {place}: {amount:g} per h; a source must be 0 or above (use take to remove)"
                )
            found[row, column] += amount
        if wrong:
            raise StudyError("sources of the compartments make no sense:", wrong)
        return found

    def _check_factors(self, factors: Mapping[str, float]) -> None:
        for name, value in factors.items():
            if name not in self.factors:
                raise UnknownNameError("factor of the compartments", name, self.factors)
            if not (value >= 0.0 and math.isfinite(value)):
                raise StudyError(f"factor '{name}' is {value:g}; it must be 0 or above")

    def _balance(self) -> None:
        if not np.isfinite(self._amounts).all():
            bad = [self.names[i] for i in np.flatnonzero(~np.isfinite(self._amounts).all(axis=1))]
            raise NumericalError(f"amounts of {', '.join(bad)} in the compartments are not finite; check their rates")
        entered, left = self._sides()
        off = np.abs(entered - left)
        for i in np.flatnonzero(off > BALANCE * np.maximum(entered, left) + FAINT):
            raise LedgerError(
                f"species '{self.names[i]}' does not balance: {entered[i]:.12g} {self.species[i].unit} entered the body, "
                f"{left[i]:.12g} are held, cleared or handed to tissues"
            )

    def _sides(self) -> tuple[Real, Real]:
        t = self._totals
        entered = t[:, INITIAL] + t[:, GIVEN] + t[:, SECRETED] + t[:, BORN]
        return entered, self._amounts.sum(axis=1) + t[:, CLEARED] + t[:, HANDED]

    # ---- what tissues and doses do ---------------------------------------------------------------------------------
    def give(self, species: str, compartment: str, amount: float) -> None:
        """An amount enters at once, as an injection of exosomes or a transfusion of cells."""
        row, column = self._at(species, compartment)
        if not (amount >= 0.0 and math.isfinite(amount)):
            raise StudyError(f"{amount:g} of {species} cannot be given into {compartment}; it must be 0 or above")
        self._amounts[row, column] += amount
        self._totals[row, GIVEN] += amount

    def take(self, species: str, compartment: str, amount: float) -> None:
        """An amount is handed to a tissue, which books it from here on.

        Raises
        ------
        NumericalError
            If the compartment holds less.
        """
        row, column = self._at(species, compartment)
        held = self._amounts[row, column]
        if not 0.0 <= amount <= held:
            raise NumericalError(
                f"{amount:g} {self.species[row].unit} of {species} were to be taken from {compartment}, which holds {held:g}; "
                "choose a shorter tick"
            )
        self._amounts[row, column] = held - amount
        self._totals[row, HANDED] += amount

    def lose(self, species: str, share: float, kept: tuple[str, ...] = ()) -> None:
        """A share of a species is cleared at once everywhere but in the compartments `kept`, as by an antibody to its cells."""
        if species not in self._row:
            raise UnknownNameError("species", species, self.names)
        row = self._row[species]
        gone = self._amounts[row] * share
        gone[[self._place[name] for name in kept]] = 0.0
        self._amounts[row] -= gone
        self._totals[row, CLEARED] += float(gone.sum())

    # ---- telling --------------------------------------------------------------------------------------------------
    def _at(self, species: str, compartment: str) -> tuple[int, int]:
        if species not in self._row:
            raise UnknownNameError("species", species, self.names)
        if compartment not in self._place:
            raise UnknownNameError("compartment", compartment, self.places)
        return self._row[species], self._place[compartment]

    def amount(self, species: str, compartment: str) -> float:
        """How much of a species a compartment holds now, in the unit of the species."""
        return float(self._amounts[self._at(species, compartment)])

    def level(self, species: str, compartment: str) -> float:
        """The level now: nM of a factor, particles or cells per mL of the compartment."""
        row, column = self._at(species, compartment)
        return float(self._amounts[row, column] / self.volumes[column])

    def healthy_level(self, species: str, compartment: str) -> float:
        """The level of the healthy body, from which a run starts."""
        return float(self._start[self._at(species, compartment)])

    def book(self) -> pd.DataFrame:
        """What entered and what became of it since the start, one row for each species, in its unit.

        initial + given + secreted + born = held + cleared + handed.
        """
        import pandas as pd

        frame = pd.DataFrame(self._totals, columns=list(COLUMNS))
        frame.insert(0, "species", self.names)
        frame.insert(1, "unit", [s.unit for s in self.species])
        frame["held"] = self._amounts.sum(axis=1)
        return frame

    def state(self) -> dict[str, Real]:
        """Everything that a run needs to go on from here with the same bits."""
        return {"amounts": self._amounts.copy(), "totals": self._totals.copy()}

    def restore(self, state: Mapping[str, Real]) -> None:
        """Go back to what `state` returned, of compartments that were built alike.

        Raises
        ------
        ModelError
            If it is of other species or compartments.
        """
        for name, here in (("amounts", self._amounts), ("totals", self._totals)):
            if name not in state or state[name].shape != here.shape:
                raise ModelError(
                    f"the state of the compartments holds no '{name}' of {here.shape[0]} species in {len(self.places)} "
                    "compartments; restore it into compartments that were built alike"
                )
        self._amounts, self._totals = state["amounts"].copy(), state["totals"].copy()
