"""The only time loop: one animal in one arm, from its founders or from a checkpoint, to the end of the study."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paget.access import World
from paget.engine.checkpoint import restore, state_of
from paget.engine.recorder import Recorder
from paget.engine.tick import Stepper, cells_columns
from paget.engine.world import found
from paget.experiment import HOURS_PER_DAY, Arm, Study
from paget.model import Model

__all__ = ["run_animal"]

FRAME_ALWAYS = ("cell.x", "cell.y", "cell.z", "cell.radius", "cell.founder")


def run_animal(
    model: Model,
    study: Study,
    arm: str,
    animal: int,
    recorder: Recorder,
    progress: Callable[[float], None] | None = None,
) -> None:
    """Run one animal of one arm and record it; continues from the recorder's checkpoint if it holds one.

    The result depends on seed, animal, model and arm only: not on the worker, and not on how often it was interrupted.

    Raises
    ------
    LedgerError, NumericalError, ContractError
        Naming process and time; everything committed before is kept.
    """
    treatment = study.arm(arm)
    model = model.with_parameters(treatment.parameters) if treatment.parameters else model
    run = _Run(model, study, treatment, animal, recorder)
    run.start()
    while run.tick < run.ticks:
        run.advance()
        if progress is not None and run.tick % run.per_metrics == 0:
            progress(run.tick / run.ticks)


class _Run:
    def __init__(self, model: Model, study: Study, arm: Arm, animal: int, recorder: Recorder) -> None:
        self.model, self.study, self.recorder = model, study, recorder
        self.dt = study.tick
        self.ticks = round(study.duration / self.dt)
        self.per_metrics = round(study.record.metrics / self.dt)
        self.per_frame = round(study.record.frames / self.dt)
        self.per_checkpoint = round(study.record.checkpoint / self.dt)
        self.administrations = arm.administrations(study.duration)
        self.resections = tuple((r.site, r.at) for r in arm.resections)
        self.world: World = found(model, study.seed, animal, self.dt)
        self.stepper = Stepper(model, self.world, frozenset(a.drug for a in self.administrations))
        used = tuple(v.name for v in model.cell_variables if v.name.startswith("cell."))
        self.frame_columns = tuple(
            dict.fromkeys((*FRAME_ALWAYS, *(n for n in used if n not in ("cell.type", "cell.age"))))
        )
        self.firsts: dict[str, float] = {r.name: math.nan for r in model.readouts if r.kind == "time"}

    @property
    def tick(self) -> int:
        return self.world.tick

    def start(self) -> None:
        state = self.recorder.checkpoint()
        if state is not None:
            self._restore(state)
        else:
            self._record()
            self.recorder.commit(0.0, self._state())

    def advance(self) -> None:
        world, dt = self.world, self.dt
        begin, end = world.tick * dt, (world.tick + 1) * dt
        world.doses = tuple((a.drug, a.time - begin, a.amount) for a in self.administrations if begin <= a.time < end)
        world.operations = tuple((site, at - begin) for site, at in self.resections if begin <= at < end)
        self.stepper.step()
        if world.tick % self.per_metrics == 0:
            self._record()
        if world.tick % self.per_checkpoint == 0 or world.tick == self.ticks:
            self.recorder.commit(world.time, self._state())

    # ---- recording ------------------------------------------------------------------------------------------------
    def _record(self) -> None:
        world, time = self.world, self.world.time
        values: dict[str, float] = {}
        for readout in self.model.readouts:
            if readout.measure is not None:
                values[readout.name] = float(readout.measure(world))
        for readout in self.model.readouts:
            if readout.kind == "time":
                if math.isnan(self.firsts[readout.name]) and values[readout.first_of] >= 1.0:
                    self.firsts[readout.name] = time / HOURS_PER_DAY
                values[readout.name] = self.firsts[readout.name]
        self.recorder.record_metrics(time, values)
        if world.tick % self.per_frame == 0 or world.tick == self.ticks:
            self.recorder.record_cells(time, cells_columns(world.cells, self.frame_columns))
            if world.tick % self.per_frame == 0:
                self.recorder.record_fields(time, world.fields.values.astype(np.float32))
        events = self.stepper.events.take()
        if events is not None:
            self.recorder.record_events(events)

    # ---- checkpoint -----------------------------------------------------------------------------------------------
    def _state(self) -> dict[str, NDArray[Any]]:
        return {**state_of(self.stepper), "firsts": np.array(json.dumps(self.firsts, sort_keys=True))}

    def _restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        restore(self.stepper, state)
        self.firsts = {name: float(value) for name, value in json.loads(str(state["firsts"])).items()}
