"""A small tissue of tests: cells of given types at given places, with the processes of physiology, in a real engine."""

from __future__ import annotations

import numpy as np

from paget.engine.tick import Stepper
from paget.engine.world import found
from paget.evidence import load_parameters
from paget.model import Model, Placed
from paget.process import quantity
from paget.state import Grid
from paget.tissue.behaviours import column_of
from paget.tissue.definition import CellDefinition
from paget.tissue.placing import resting_state
from paget.vocabulary import CellType

_STATE = resting_state((CellDefinition(name="cell"),), np.zeros(1, np.int64), load_parameters("tissue"))
RESTING = {name: float(value[0]) for name, value in _STATE.items()}  # of the reference cell of 2494 um3
RESTING["cell.radius"] = (0.75 / np.pi * RESTING["cell.volume"]) ** (1.0 / 3.0)
WHY = "for this test"


def number(text):
    return quantity(text, reason=WHY)


def tissue(definitions, processes, position, *, kind=None, columns=None, fields=None, size=200.0, flat=False, ruled=()):
    """A model of cells of `definitions` at `position` [3, n] in a box of `size` um.

    processes : classes of tissue processes; fields : name -> uniform start value; ruled : behaviours with own columns
    """
    n = position.shape[1]
    units = {"field.oxygen": "mmHg"}
    parts = [
        process if not isinstance(process, type) else process(definitions=definitions, units=units, ruled=ruled)
        for process in processes
    ]
    fields = fields or {}
    own = {column_of(name, "mmHg").name: column_of(name, "mmHg") for name in ruled}
    start = {name: np.full(n, value) for name, value in RESTING.items()}
    start |= {name: np.full(n, np.asarray(value)) for name, value in (columns or {}).items()}
    return Model(
        name="small tissue",
        title="A small tissue",
        grid=Grid((size, size, 20.0 if flat else size), 20.0),
        parameters=load_parameters("tissue"),
        cell_types=tuple(d.name for d in definitions),
        own_types=tuple(CellType(d.name, d.label or d.name, d.ontology, d.group, d.colour) for d in definitions),
        own_variables=tuple(own.values()),
        fields=tuple(fields),
        body=(),
        processes={process.role: process for process in parts},
        diffusion={name: number("6e6 um**2/h") for name in fields if name not in ("field.laminin",)},
        initial={name: number(f"{value} {'mmHg' if name == 'field.oxygen' else ''}") for name, value in fields.items()},
        founders=(),
        readouts_of=lambda _: (),
        placed=Placed(position, np.zeros(n, np.int64) if kind is None else kind, start),
    )


def stepper(model, dt=0.1, seed=1):
    return Stepper(model, found(model, seed, 0, dt))


def advance(model, hours, dt=0.1, seed=1):
    """The world after `hours`, and all events on the way as columns."""
    running = stepper(model, dt, seed)
    for _ in range(round(hours / dt)):
        running.step()
        running.check()
    return running.world, running.events.take()


def line(n, size=200.0):
    """Places [3, n] along a diagonal."""
    return np.tile((np.arange(n) + 0.5) / n * size, (3, 1))
