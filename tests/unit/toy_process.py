"""A process that does what a test tells it, for tests of what the engine makes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from paget.engine.tick import Stepper
from paget.engine.world import found
from paget.process import Phase, Process, quantity


def number(text):
    return quantity(text, reason="for this test")


def _nothing(see, do):
    return None


@dataclass(frozen=True, kw_only=True)
class Does(Process):
    """A process that does what a test tells it."""

    phase: ClassVar[Phase] = Phase.ACT
    role: str = "does"
    cells: tuple[str, ...] = ("fibroblast",)
    may_read: tuple[str, ...] = ()
    may_add: tuple[str, ...] = ()
    may_set: tuple[str, ...] = ()
    may_emit: tuple[str, ...] = ()
    waits: bool = False
    act: Callable = field(default=_nothing, compare=False)

    @property
    def on(self):
        return self.cells

    @property
    def reads(self):
        return self.may_read

    @property
    def adds(self):
        return self.may_add

    @property
    def sets(self):
        return self.may_set

    @property
    def emits(self):
        return self.may_emit

    @property
    def clock(self):
        return self.waits

    def step(self, see, do, p):
        self.act(see, do)


def stepper_of(model, seed=1, animal=0, dt=2.0):
    return Stepper(model, found(model, seed, animal, dt))


def ring_at(moments):
    """Events at fixed moments within the tick, for the first cells in order."""

    def act(kind, **more):
        def ask(see, do):
            rings = np.full(see.count, np.inf)
            n = min(len(moments), see.count)
            rings[:n] = moments[:n]
            do.emit(kind, rings, **more)

        return ask

    return act
