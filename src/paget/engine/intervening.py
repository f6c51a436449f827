"""Interventions in a tissue between two ticks: cells that are injected, and types of cells that are depleted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paget.access import World
from paget.behaviours import Arrival
from paget.engine.structure import Structure
from paget.errors import StudyError, UnknownNameError
from paget.experiment import Depletion, Injection
from paget.kernels import philox
from paget.model import Model
from paget.naming import meant_types
from paget.state.cells import mix

__all__ = [
    "ARRIVED",
    "DIED",
    "TISSUE",
    "VEIN",
    "counted",
    "deplete",
    "doomed",
    "inject",
    "injectable",
    "new_ids",
    "problems",
    "type_of",
]

Real = NDArray[np.float64]
Ids = NDArray[np.uint64]

ARRIVED, DIED = "arrival", "death"
TISSUE, VEIN = "tissue", "tail vein"
INJECTED = "injected"  # in the tally: cells that were injected so far
SALT = 59
MOST = 1_000_000  # cells of one injection into a piece of tissue


def new_ids(key: np.uint64, tick: int, nth: int, count: int) -> Ids:
    """Ids [count] that no other cell of the animal has: of the nth injection of its kind in a tick."""
    group = mix(mix(np.array([tick], np.uint64) ^ key, SALT) ^ np.uint64(nth), SALT)
    found: Ids = mix(group ^ np.arange(count, dtype=np.uint64), SALT)
    return found


# ---- what can be done --------------------------------------------------------------------------------------------------
def injectable(model: Model) -> tuple[str, ...]:
    """Cell types that can be injected: those of which the model says how they begin."""
    known = {founders.cell for founders in model.founders}
    known |= {p.newcomer for p in model.processes.values() if isinstance(p, Arrival)}
    if model.placed is not None:
        known |= {model.cell_types[int(kind)] for kind in np.unique(model.placed.kind)}
    return tuple(name for name in model.cell_types if name in known)


def type_of(model: Model, cells: str) -> str:
    """The cell type that is meant by the name of injected cells.

    Raises
    ------
    UnknownNameError, StudyError
    """
    known = injectable(model)
    if cells in known:
        return cells
    meant = sorted(meant_types(cells, {t: model.types[t].group for t in model.cell_types}) & set(known))
    if not meant:
        raise UnknownNameError("cell type", cells, known)
    if len(meant) > 1:
        raise StudyError(f"'{cells}' can be {' or '.join(meant)}; say which")
    return meant[0]


def problems(model: Model, injections: Iterable[Injection], depletions: Iterable[Depletion]) -> Iterable[str]:
    """What cannot be done to a tissue, each with what is in its way."""
    for injection in injections:
        if injection.exosomes:
            yield f"exosomes bound for '{injection.exosomes}' need a body with a niche; this is one tissue"
            continue
        if injection.into not in (TISSUE, VEIN):
            yield (
                f"cells cannot be injected into '{injection.into}' here: this is one tissue, which they reach by the "
                f"'{VEIN}' or are put into as 'tissue'"
            )
        if (injection.number or 0.0) > MOST:
            yield f"{injection.number:g} x '{injection.cells}' do not fit into a piece of tissue; {MOST} at most do"
        try:
            type_of(model, injection.cells)
        except (UnknownNameError, StudyError) as problem:
            yield str(problem)
    groups = {t: model.types[t].group for t in model.cell_types}
    for depletion in depletions:
        if not meant_types(depletion.cells, groups):
            yield str(UnknownNameError("cell type", depletion.cells, model.cell_types))


# ---- injections ---------------------------------------------------------------------------------------------------------
def inject(model: Model, world: World, structure: Structure, injection: Injection, nth: int) -> None:
    """Put cells into the tissue: at random places, or, by the vein, where cells of their type come in.

    All of them come to this piece of tissue. Cells of a cluster lie side by side. They are the same, at the same places, in
    every arm in which they are injected in the same tick; `nth` tells injections of one kind in one tick apart.
    """
    wrong = list(problems(model, (injection,), ()))
    if wrong:
        raise StudyError("The injection cannot be given:", wrong)
    kind, count = type_of(model, injection.cells), round(injection.number or 0.0)
    key = world.chance.key(f"injection/{injection.cells}/{injection.into}")
    ids = new_ids(key, world.tick, nth, count)
    values = _start(model, world, kind, ids, key)
    position = _places(model, world, kind, injection, ids, key, values["cell.radius"])
    first = structure.tally["present"] + structure.tally[INJECTED]
    values["cell.founder"] = np.arange(first, first + count)
    structure.tally[INJECTED] += count
    structure.receive(ARRIVED, kind, ids, position, values)


def _start(model: Model, world: World, kind: str, ids: Ids, key: np.uint64) -> dict[str, Any]:
    """Variables of injected cells: as of founders of their type, of newcomers, or of cells that lie there at the start."""

    def of(number: Any, unit: str) -> float:
        return model.value_of(number, unit, world.chance.draw)

    for founders in model.founders:
        if founders.cell == kind:
            values: dict[str, Any] = {
                name: value if isinstance(value, int) else of(value, model.variables[name].unit)
                for name, value in founders.values.items()
            }
            drawn = philox.normals(key, ids, -1, max(len(founders.personal), 1))
            for column, (name, (centre, spread)) in enumerate(sorted(founders.personal.items())):
                unit = model.variables[name].unit
                values[name] = np.maximum(of(centre, unit) + of(spread, unit) * drawn[:, column], 0.0)
            return {**values, "cell.radius": of(founders.radius, "um")}
    for process in model.processes.values():
        if isinstance(process, Arrival) and process.newcomer == kind:
            return {
                **{name: of(number, number.unit) for name, number in process.values.items()},
                "cell.radius": of(process.radius, "um"),
            }
    assert model.placed is not None
    like = np.flatnonzero(model.placed.kind == model.cell_types.index(kind))
    u = philox.uniforms(key, ids, -1, 4)[:, 3]
    chosen = like[np.minimum((u * like.size).astype(np.int64), like.size - 1)]
    return {name: np.asarray(column)[chosen] for name, column in model.placed.columns.items()}


def _places(model: Model, world: World, kind: str, injection: Injection, ids: Ids, key: np.uint64, radius: Any) -> Real:
    """Positions [3, n]: of each cluster one place, around which its cells lie as on a sunflower."""
    size, flat = np.array(model.grid.size), model.grid.flat
    rank = np.arange(ids.size) % injection.cluster
    u = philox.uniforms(key, ids[:: injection.cluster], -1, 3)
    hosts = np.empty(0, np.int64)
    if injection.into == VEIN:
        doors = [p.cell for p in model.processes.values() if isinstance(p, Arrival) and p.newcomer == kind]
        doors = doors or [p.cell for p in model.processes.values() if isinstance(p, Arrival)]
        hosts = world.rows((doors[0],)) if doors else hosts
    if hosts.size:
        chosen = hosts[np.minimum((u[:, 0] * hosts.size).astype(np.int64), hosts.size - 1)]
        angle, up = 2.0 * np.pi * u[:, 1], np.zeros(len(u)) if flat else 2.0 * u[:, 2] - 1.0
        way = np.stack([np.sqrt(1.0 - up**2) * np.cos(angle), np.sqrt(1.0 - up**2) * np.sin(angle), up])
        centre = world.cells.position[:, chosen] + world.cells.column("cell.radius")[chosen] * way
    else:
        centre = u.T * size[:, None]
    turn = rank * np.pi * (3.0 - np.sqrt(5.0))
    reach = 1.2 * radius * np.sqrt(rank)
    beside = np.stack([reach * np.cos(turn), reach * np.sin(turn), np.zeros(ids.size)])
    position = np.repeat(centre, injection.cluster, axis=1)[:, : ids.size] + beside
    if flat:
        position[2] = 0.5 * size[2]
    return np.asarray(position)


# ---- depletions ---------------------------------------------------------------------------------------------------------
def deplete(model: Model, world: World, structure: Structure, depletions: Iterable[Depletion]) -> None:
    """Take away the share of the cells of each type that a depletion hits; who is hit is decided once for each cell."""
    groups = {t: model.types[t].group for t in model.cell_types}
    gone = np.zeros(len(world.cells), bool)
    for depletion in depletions:
        types = tuple(t for t in model.cell_types if t in meant_types(depletion.cells, groups))
        rows = world.rows(types) if types else np.empty(0, np.int64)
        gone[rows[doomed(world, depletion, world.cells.ids[rows])]] = True
    rows = np.flatnonzero(gone)
    if rows.size:
        structure.remove(DIED, rows)


def doomed(world: World, depletion: Depletion, ids: Ids) -> NDArray[np.bool_]:
    """Which cells [n] a depletion hits, by a number that each cell keeps for life."""
    u = philox.uniforms(world.chance.key(f"depletion/{depletion.cells}"), ids, -1, 1)[:, 0]
    found: NDArray[np.bool_] = u < depletion.fraction
    return found


def counted(injections: Iterable[Injection]) -> Iterable[tuple[Injection, int]]:
    """Each injection with its number among those of its kind, so that injections of other kinds change nothing."""
    seen: dict[tuple[str, str], int] = {}
    for injection in injections:
        kind = (injection.cells, injection.into)
        yield injection, seen.get(kind, 0)
        seen[kind] = seen.get(kind, 0) + 1
