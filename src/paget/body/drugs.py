"""Drugs of the whole body: levels after doses, and what they do to sites that are not resolved into cells."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from paget.body.stroma import STROMA, StromaBiology, advanced, awakening, untouched
from paget.body.values import Number, Numbers
from paget.errors import LedgerError, ModelError, StudyError, UnknownNameError
from paget.evidence import Parameter
from paget.pharmacology import COMPARTMENTS, MASS, DrugKinetics, exposure
from paget.process import Named
from paget.rules.response import hill

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BodyDrugs", "Killing", "cytotoxic"]

Real = NDArray[np.float64]

BALANCE = 1e-9  # relative imbalance of a drug that rounding can explain


@dataclass(frozen=True, kw_only=True)
class Killing:
    """How fast a drug kills cycling cells: rate x C^n / (half^n + C^n)."""

    drug: str
    rate: Number
    half: Number
    hill: Number


def cytotoxic(drug: str) -> Killing:
    """The killing of cycling cells by the parameters that are named after the drug."""
    return Killing(
        drug=drug,
        rate=Named(f"{drug}_kill_rate", "1/h"),
        half=Named(f"{drug}_kill_half", "nM"),
        hill=Named(f"{drug}_kill_hill", ""),
    )


class BodyDrugs:
    """Drugs in one body: plasma and effect site solved exactly, mass that balances, effects on sites without cells.

    A dose enters at its moment within a tick. Levels are means over the tick, at the effect site where a drug has one. Cycling
    cells die at the sum of the drugs' rates, as cells of a tissue do; dormant cells are spared, and wake sooner where
    chemotherapy has made the stroma senescent (`paget.body.stroma`).

    Parameters
    ----------
    kinetics : of each drug; table, draw : numbers by key and a parameter's value in this animal
    killing : of the drugs that kill cycling cells; stroma : numbers of the stroma, None for a body in which nothing wakes

    Raises
    ------
    ModelError
        If a drug is given twice, or a killing is of a drug without kinetics.
    """

    def __init__(
        self,
        kinetics: Sequence[DrugKinetics],
        table: Mapping[str, Parameter],
        draw: Callable[[Parameter], float] | None = None,
        killing: Sequence[Killing] | None = None,
        stroma: StromaBiology | None = None,
    ) -> None:
        self.kinetics = tuple(kinetics)
        self.names = tuple(k.drug.name for k in self.kinetics)
        if killing is None:
            killing = tuple(cytotoxic(name) for name in self.names if f"{name}_kill_rate" in table)
        wrong = [f"drug '{name}' is given twice" for name, count in Counter(self.names).items() if count > 1]
        wrong += [f"drug '{k.drug}' kills but has no kinetics" for k in killing if k.drug not in self.names]
        if wrong:
            raise ModelError("the drugs of the body cannot be built:", wrong)
        numbers = Numbers(table, draw)
        self._row = {name: i for i, name in enumerate(self.names)}
        self._rates = [k.rates(numbers.all(k)) for k in self.kinetics]
        self._killing = [
            (self._row[k.drug], numbers(k.rate, "1/h"), numbers(k.half, "nM"), numbers(k.hill, "")) for k in killing
        ]
        self._stroma = None if stroma is None else numbers.all(stroma)
        n = len(self.names)
        self._now = 0.0
        self._amounts = np.zeros((n, len(COMPARTMENTS)))
        self._levels = np.zeros(n)
        self._given = np.zeros(n)
        self._soil = untouched()
        self._waiting: list[tuple[float, int, float, int]] = []

    def _index(self, name: str) -> int:
        if name not in self._row:
            raise UnknownNameError("drug", name, self.names)
        return self._row[name]

    def give(self, name: str, mg_per_kg: float, at: float, route: str = "") -> None:
        """A dose in mg/kg at a time in h, now or later, by a route of the drug; its usual one if empty.

        Raises
        ------
        UnknownNameError, StudyError
        """
        row = self._index(name)
        if not (mg_per_kg > 0.0 and math.isfinite(mg_per_kg)):
            raise StudyError(f"a dose of {mg_per_kg:g} mg/kg of {name} makes no sense; it must be above 0")
        if not (at >= self._now and math.isfinite(at)):
            raise StudyError(f"a dose of {name} at {at:g} h lies in the past; it is {self._now:g} h")
        self._waiting.append((at, row, mg_per_kg, self.kinetics[row].drug.enters(route)))
        self._waiting.sort()

    def advance(self, dt: float) -> None:
        """Advance all drugs and the stroma by a tick of `dt` hours.

        Raises
        ------
        LedgerError
            If what was given of a drug is not in the body or eliminated.
        """
        if not dt > 0.0:
            raise StudyError(f"a tick of {dt:g} h cannot be advanced; it must be above 0")
        end = self._now + dt
        due = [dose for dose in self._waiting if dose[0] < end]
        self._waiting = self._waiting[len(due) :]
        for row, rates in enumerate(self._rates):
            doses = tuple((at - self._now, amount, enters) for at, which, amount, enters in due if which == row)
            if not doses and not self._amounts[row].any():
                self._levels[row] = 0.0
                continue
            self._amounts[row], self._levels[row] = exposure(self._amounts[row], doses, rates, dt)
            self._given[row] += sum(amount for _, amount, _ in doses)
        if self._stroma is not None:
            self._soil = advanced(self._soil, dict(zip(self.names, self._levels, strict=True)), self._stroma, dt)
        self._now = end
        self._balance()

    def _balance(self) -> None:
        held = self._amounts[:, MASS].sum(axis=1)
        for row in np.flatnonzero(np.abs(held - self._given) > BALANCE * self._given):
            raise LedgerError(
                f"drug '{self.names[row]}' does not balance at {self._now:g} h: {self._given[row]:.12g} mg/kg given, "
                f"{held[row]:.12g} in the body or eliminated"
            )

    def level(self, name: str) -> float:
        """The concentration that cells felt, mean over the last tick, in nM."""
        return float(self._levels[self._index(name)])

    def stroma(self) -> dict[str, float]:
        """The state of the stroma by name: damage, p21, resting and senescent share, secretome, remodelled laminin."""
        return dict(zip(STROMA, self._soil.tolist(), strict=True))

    def effects(self) -> dict[str, float]:
        """What the drugs do to sites without cells, now.

        "kill": death rate of cycling cells in 1/h, which dormant cells are spared; "awakening": factor by which dormant cells
        wake sooner.
        """
        kill = sum(hill(float(self._levels[row]), half, power, rate) for row, rate, half, power in self._killing)
        return {"kill": float(kill), "awakening": 1.0 if self._stroma is None else awakening(self._soil, self._stroma)}

    def book(self) -> pd.DataFrame:
        """What was given of each drug and where it is, in mg/kg: given = depot + plasma + peripheral + eliminated."""
        import pandas as pd

        frame = pd.DataFrame(self._amounts[:, MASS], columns=list(COMPARTMENTS[MASS]))
        frame.insert(0, "drug", self.names)
        frame.insert(1, "given", self._given)
        return frame

    def state(self) -> dict[str, Real]:
        """Everything that a run needs to go on from here with the same bits, doses to come included."""
        return {
            "now": np.array([self._now]),
            "amounts": self._amounts.copy(),
            "levels": self._levels.copy(),
            "given": self._given.copy(),
            "stroma": self._soil.copy(),
            "waiting": np.array(self._waiting, dtype=np.float64).reshape(-1, 4),
        }

    def restore(self, state: Mapping[str, Real]) -> None:
        """Go back to what `state` returned, of a body with the same drugs."""
        if "amounts" not in state or state["amounts"].shape != self._amounts.shape:
            raise ModelError(
                f"the state of the drugs does not fit {', '.join(self.names)}; restore it into one built alike"
            )
        self._now = float(state["now"][0])
        self._amounts, self._levels = state["amounts"].copy(), state["levels"].copy()
        self._given, self._soil = state["given"].copy(), state["stroma"].copy()
        self._waiting = [
            (float(at), int(row), float(amount), int(enters)) for at, row, amount, enters in state["waiting"]
        ]
