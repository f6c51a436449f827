"""One animal in time, whatever it is made of: what the time loop, a recorder and a checkpoint need of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from paget.engine.checkpoint import restore, state_of
from paget.engine.intervening import counted, deplete, inject
from paget.engine.tick import Stepper, cells_columns
from paget.engine.world import found
from paget.experiment import Depletion, Injection
from paget.model import Model
from paget.pharmacology import Doses
from paget.readouts import Readout

__all__ = ["Animal", "Columns", "TissueAnimal", "first_times"]

Columns = dict[str, NDArray[Any]]

FRAME_ALWAYS = ("cell.x", "cell.y", "cell.z", "cell.radius", "cell.founder")


class Animal(Protocol):
    """A state that goes forward by ticks."""

    @property
    def tick(self) -> int:
        """Number of the next tick, from 0."""

    def advance(self, doses: Doses, operations: tuple[tuple[str, float], ...]) -> None:
        """Go forward by one tick; doses are (drug, time within the tick in h, mg/kg, route), operations (site, time)."""

    def intervene(self, injections: tuple[Injection, ...], depletions: tuple[tuple[Depletion, bool], ...]) -> None:
        """Do what is due at the beginning of the next tick; each depletion with whether it begins then.

        Raises
        ------
        StudyError
            If it cannot be done to this animal.
        """

    def measure(self) -> dict[str, float]:
        """Every readout that is measured, by name; NaN where there is nothing to measure."""

    def frame(self) -> Columns | None:
        """The cells as columns: id, type, x, y, z, radius and others; None if there is nothing to show cell by cell."""

    def fields(self) -> Mapping[str, NDArray[np.float32]]:
        """Concentrations [species, z, y, x] by site, that of one tissue being ""; none where there is nothing to show."""

    def events(self) -> Columns | None:
        """Structural events since the last call, or None."""

    def state(self) -> Columns:
        """The exact state as arrays."""

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take over an exact state."""


class TissueAnimal:
    """An animal of which one tissue is simulated."""

    def __init__(self, model: Model, seed: int, animal: int, dt: float, drugs: frozenset[str] | None) -> None:
        self.model = model
        self.world = found(model, seed, animal, dt)
        self.stepper = Stepper(model, self.world, drugs)
        used = tuple(v.name for v in model.cell_variables if v.name.startswith("cell."))
        self._columns = tuple(dict.fromkeys((*FRAME_ALWAYS, *(n for n in used if n not in ("cell.type", "cell.age")))))
        self._wide = frozenset(v.name for v in model.cell_variables if v.wide)

    @property
    def tick(self) -> int:
        return self.world.tick

    def advance(self, doses: Doses, operations: tuple[tuple[str, float], ...]) -> None:
        self.world.doses, self.world.operations = doses, operations
        self.stepper.step()

    def intervene(self, injections: tuple[Injection, ...], depletions: tuple[tuple[Depletion, bool], ...]) -> None:
        for injection, nth in counted(injections):
            inject(self.model, self.world, self.stepper.structure, injection, nth)
        deplete(self.model, self.world, self.stepper.structure, [depletion for depletion, _ in depletions])

    def measure(self) -> dict[str, float]:
        return {r.name: float(r.measure(self.world)) for r in self.model.readouts if r.measure is not None}

    def frame(self) -> Columns | None:
        return cells_columns(self.world.cells, self._columns, self._wide)

    def fields(self) -> Mapping[str, NDArray[np.float32]]:
        return {"": self.world.fields.values.astype(np.float32)}

    def events(self) -> Columns | None:
        return self.stepper.events.take()

    def state(self) -> Columns:
        return state_of(self.stepper)

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        restore(self.stepper, state)


def first_times(
    readouts: tuple[Readout, ...], values: dict[str, float], firsts: dict[str, float], day: float
) -> dict[str, float]:
    """The measured `values` with those of kind "time" added: the first day on which their readout was 1 or more, or NaN."""
    for readout in readouts:
        if readout.kind == "time":
            if math.isnan(firsts[readout.name]) and values[readout.first_of] >= 1.0:
                firsts[readout.name] = day
            values[readout.name] = firsts[readout.name]
    return values
