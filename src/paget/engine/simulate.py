"""The only time loop: one animal in one arm, from its start or from a checkpoint, to the end of the study."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paget.engine.animal import Animal, TissueAnimal, first_times
from paget.engine.protocol import NOTHING, Protocol, Standing
from paget.engine.recorder import Recorder
from paget.experiment import HOURS_PER_DAY, Arm, Study
from paget.model import Model
from paget.subject import Individual

__all__ = ["run_animal"]


def run_animal(
    model: Model | Individual,
    study: Study,
    arm: str,
    animal: int,
    recorder: Recorder,
    progress: Callable[[float], None] | None = None,
    begin: Mapping[str, NDArray[Any]] | None = None,
) -> None:
    """Run one animal of one arm and record it; continues from the recorder's checkpoint if it holds one.

    The result depends on seed, animal, model and arm only: not on the worker, and not on how often it was interrupted.

    begin : the exact state from which the animal goes on; its own start if left out

    Raises
    ------
    LedgerError, NumericalError, ContractError
        Naming process and time; everything committed before is kept.
    """
    treatment = study.arm(arm)
    model = model.with_parameters(treatment.parameters) if treatment.parameters else model
    run = _Run(model, study, treatment, animal, recorder, goes_on=begin is not None)
    run.start(begin)
    while run.tick < run.ticks:
        run.advance()
        if progress is not None and run.tick % run.per_metrics == 0:
            progress(run.tick / run.ticks)


def _begun(model: Model | Individual, study: Study, arm: Arm, animal: int, goes_on: bool) -> Animal:
    if isinstance(model, Individual):
        return model.animal(study, arm, animal)
    # An animal that goes on from a kept state may have drugs in its blood that its arm does not give.
    return TissueAnimal(model, study.seed, animal, study.tick, None if goes_on else arm.drugs)


class _Run:
    def __init__(
        self, model: Model | Individual, study: Study, arm: Arm, animal: int, recorder: Recorder, goes_on: bool
    ) -> None:
        self.readouts, self.recorder = model.readouts, recorder
        self.dt = study.tick
        self.ticks = round(study.duration / self.dt)
        self.per_metrics = round(study.record.metrics / self.dt)
        self.per_frame = round(study.record.frames / self.dt)
        self.per_checkpoint = round(study.record.checkpoint / self.dt)
        self.kept = {round(time / self.dt) for time in study.record.states}
        self.protocol = Protocol(arm, model.readouts, study.duration, self.dt)
        self.whose = (study, arm, animal, goes_on)
        self.model, self.standing = model, NOTHING
        self.animal = _begun(model, *self.whose)
        self.firsts: dict[str, float] = {r.name: math.nan for r in model.readouts if r.kind == "time"}

    @property
    def tick(self) -> int:
        return self.animal.tick

    @property
    def time(self) -> float:
        return self.animal.tick * self.dt

    def start(self, begin: Mapping[str, NDArray[Any]] | None) -> None:
        state = self.recorder.checkpoint()
        if state is not None:
            self.protocol.restore(str(state["protocol"]))
            self._restore(state)
            return
        if begin is not None:
            self._restore(begin)
        self._record()
        if self.tick in self.kept:
            self.recorder.keep_state(self.time, self._state())
        self._commit()

    def advance(self) -> None:
        begin, end = self.tick * self.dt, (self.tick + 1) * self.dt
        standing = self.protocol.standing(begin)
        if standing != self.standing:
            self._rebuild(standing, self.animal.state())
        due = self.protocol.due(begin, end)
        if due.injections or due.depletions:
            self.animal.intervene(due.injections, due.depletions)
        self.animal.advance(due.doses, due.operations)
        if self.tick % self.per_metrics == 0:
            self._record()
        if self.tick in self.kept:
            self.recorder.keep_state(self.time, self._state())
        if self.tick % self.per_checkpoint == 0 or self.tick == self.ticks:
            self._commit()

    def _rebuild(self, standing: Standing, state: Mapping[str, NDArray[Any]]) -> None:
        """Let the animal go on from a state as one in which other things hold."""
        self._record_events()
        model = self.model.with_parameters(dict(standing.overrides)) if standing.overrides else self.model
        model = model.perturbed(dict(standing.levels)) if standing.levels else model
        self.animal = _begun(model, *self.whose)
        self.animal.restore(state)
        self.standing = standing

    # ---- recording ------------------------------------------------------------------------------------------------
    def _record(self) -> None:
        values = first_times(self.readouts, self.animal.measure(), self.firsts, self.time / HOURS_PER_DAY)
        self.recorder.record_metrics(self.time, values)
        if self.tick % self.per_frame == 0 or self.tick == self.ticks:
            cells = self.animal.frame()
            if cells is not None:
                self.recorder.record_cells(self.time, cells)
            fields = self.animal.fields() if self.tick % self.per_frame == 0 else {}
            for site, concentrations in fields.items():
                self.recorder.record_fields(self.time, concentrations, site)
        self._record_events()
        self.protocol.look(self.time, values)

    def _record_events(self) -> None:
        events = self.animal.events()
        if events is not None:
            self.recorder.record_events(events)

    # ---- checkpoint -----------------------------------------------------------------------------------------------
    def _commit(self) -> None:
        self.recorder.note_moments(self.protocol.met)
        self.recorder.commit(self.time, self._state())

    def _state(self) -> dict[str, NDArray[Any]]:
        firsts = np.array(json.dumps(self.firsts, sort_keys=True))
        return {**self.animal.state(), "firsts": firsts, "protocol": np.array(self.protocol.state())}

    def _restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from a state, under what holds in its next tick."""
        self.animal.restore(state)
        standing = self.protocol.standing(self.time)
        if standing != self.standing:
            self._rebuild(standing, state)
        self.firsts = {
            **self.firsts,
            **{name: float(value) for name, value in json.loads(str(state["firsts"])).items()},
        }
