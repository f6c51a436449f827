"""The exact state of a run, as arrays: enough to go on from it bit for bit, or to branch off."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paget.engine.tick import Stepper
from paget.errors import ModelError
from paget.state.bonds import Bonds
from paget.tissue.vessels.network import VesselNetwork

__all__ = ["restore", "state_of"]

State = Mapping[str, NDArray[Any]]


def state_of(stepper: Stepper) -> dict[str, NDArray[Any]]:
    """Cells in ascending order of id, fields, body, bonds, vessels, and the running balances; no later step changes them."""
    world = stepper.world
    state: dict[str, NDArray[Any]] = {f"cells.{k}": v for k, v in world.cells.snapshot().items()}
    state["fields"] = world.fields.values.copy()
    for name, value in world.body.items():
        state[f"value.{name}"] = np.array(value, dtype=np.float64)
    if len(world.bonds):
        state.update({f"bonds.{k}": v for k, v in world.bonds.snapshot().items()})
    if world.vessels is not None:
        state.update({f"vessels.{k}": v for k, v in world.vessels.snapshot().items()})
    counts = {
        "tick": world.tick,
        "tally": dict(stepper.tally),
        "given": stepper.given,
        "flows": stepper.matter.flows,
        "real": [v.name for v in world.cells.variables if not v.whole],
        "whole": [v.name for v in world.cells.variables if v.whole],
        "fields": list(world.fields.names),
    }
    state["counts"] = np.array(json.dumps(counts, sort_keys=True))
    return state


def restore(stepper: Stepper, state: State, *, leave_out: bool = False) -> None:
    """Put a stored state into a run. What the model of the run has beyond the state starts at its default.

    leave_out : let go of variables of the cells that the model does not know, as of a mechanism that was taken away

    Raises
    ------
    ModelError
        If the state holds what the model does not know.
    """
    world, counts = stepper.world, json.loads(str(state["counts"]))
    cells, n = world.cells, state["cells.ids"].size
    unknown = [] if leave_out else sorted({*counts["real"], *counts["whole"]} - {v.name for v in cells.variables})
    unknown += sorted(set(counts["fields"]) - set(world.fields.names))
    # Clocks of processes that the model no longer has stop for good.
    unknown = [name for name in unknown if not name.startswith(("clock.", "rings."))]
    if unknown:
        raise ModelError(
            f"the stored state holds {', '.join(unknown)}, which the model '{stepper.model.name}' does not have"
        )
    if state["fields"].shape[1:] != world.fields.values.shape[1:]:
        raise ModelError(
            f"the stored state has fields of {state['fields'].shape[1:]} voxels, the model {world.fields.values.shape[1:]}"
        )
    real, whole = cells.blank(n)
    for rows, names in ((real, counts["real"]), (whole, counts["whole"])):
        source = state["cells.real" if rows is real else "cells.whole"]
        for row, name in enumerate(names):
            if name in cells:
                cells.put(real, whole, name, source[row])
    cells.restore({"ids": state["cells.ids"], "real": real, "whole": whole})
    for row, name in enumerate(counts["fields"]):
        world.fields[name][...] = state["fields"][row]
    for name in world.body:
        if f"value.{name}" in state:
            value = state[f"value.{name}"]
            world.body[name] = float(value) if value.ndim == 0 else value.copy()
    world.bonds = (
        Bonds.restored({k: state[f"bonds.{k}"] for k in ("first", "second")}) if "bonds.first" in state else Bonds()
    )
    kept = {k.removeprefix("vessels."): v for k, v in state.items() if k.startswith("vessels.")}
    if kept:
        world.vessels = VesselNetwork.restored(kept)
    world.tick = int(counts["tick"])
    world.time = world.tick * world.dt
    stepper.structure.tally = Counter(counts["tally"])
    stepper.given = {**stepper.given, **counts["given"]}
    stepper.matter.flows = counts["flows"]
    world.cells_changed()
