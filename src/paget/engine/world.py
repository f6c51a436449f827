"""The start of an animal: its own parameters, its founders, and the untouched state of fields and body."""

from __future__ import annotations

import numpy as np

from paget.access import World
from paget.engine.chance import Chance
from paget.errors import ModelError
from paget.model import Founders, Model, Placed
from paget.state import Cells, Fields
from paget.state.cells import mix

__all__ = ["found"]

FOUNDER_SALT = 101


def found(model: Model, seed: int, animal: int, dt: float, site: str = "") -> World:
    """Set up one animal, or one `site` of it: the same for every arm, because the arm is not part of any key."""
    chance = Chance(seed, animal, site)
    cells = Cells(model.cell_variables)
    fields = Fields(model.fields, model.grid)
    body: dict[str, object] = {name: model.variables[name].default for name in model.body}
    for drug in model.drugs:
        body[drug.amounts.name] = np.zeros(6)
    for name, number in model.initial.items():
        value = model.value_of(number, model.variables[name].unit, chance.draw)
        if name in fields:
            fields[name][...] = value
        else:
            body[name] = value
    reach = np.array(
        [model.value_of(model.reach[t], "", chance.draw) if t in model.reach else 1.0 for t in model.cell_types]
    )
    world = World(
        cells,
        fields,
        body,
        model.cell_types,
        chance,
        dt=dt,
        variables=model.variables,
        reach=reach,
        vessels=model.vessels,
    )
    start = 0
    for group, founders in enumerate(model.founders):
        start += _place(model, founders, group, start, world)
    if model.placed is not None:
        _admit(model.placed, start, world)
    return world


def _admit(placed: Placed, start: int, world: World) -> None:
    n, cells = placed.kind.size, world.cells
    values: dict[str, object] = {
        **placed.columns,
        **dict(zip(("cell.x", "cell.y", "cell.z"), placed.position, strict=True)),
        "cell.type": placed.kind,
        "cell.founder": np.arange(start, start + n),
    }
    ids = world.chance.founder_ids(mix(np.arange(start, start + n, dtype=np.uint64), FOUNDER_SALT))
    cells.restructure(np.ones(len(cells), bool), ids, *cells.rows_like(values, n))
    world.cells_changed()


def _place(model: Model, founders: Founders, group: int, start: int, world: World) -> int:
    chance, grid, cells = world.chance, model.grid, world.cells
    unit = founders.number.unit
    number = model.value_of(founders.number, unit, chance.draw)
    n = round(number * (grid.volume if unit else 1.0))
    if n == 0:
        return 0
    stream = f"{group}/{founders.cell}"
    radius = model.value_of(founders.radius, "um", chance.draw)
    size = np.array(grid.size)
    spots = chance.founder_uniforms(stream, n, 3)
    if founders.colony is None:
        position = spots * size
    else:
        together = max(round(model.value_of(founders.colony, "", chance.draw)), 1)
        # Members of a colony lie on a sunflower disc around its centre, touching; relaxation does the rest.
        rank = np.arange(n) % together
        centre = np.repeat(spots[::together], together, axis=0)[:n] * size
        angle = rank * np.pi * (3.0 - np.sqrt(5.0))
        reach = 1.2 * radius * np.sqrt(rank)
        position = centre + np.stack([reach * np.cos(angle), reach * np.sin(angle), np.zeros(n)], axis=1)
        position = np.clip(position, 0.0, size)
    if grid.flat:
        position[:, 2] = size[2] / 2.0
    values: dict[str, object] = {
        "cell.x": position[:, 0],
        "cell.y": position[:, 1],
        "cell.z": position[:, 2],
        "cell.type": model.cell_types.index(founders.cell),
        "cell.radius": radius,
        "cell.founder": np.arange(start, start + n),
        **{
            name: value if isinstance(value, int) else model.value_of(value, model.variables[name].unit, chance.draw)
            for name, value in founders.values.items()
        },
    }
    for column, (name, (centre_number, spread_number)) in enumerate(sorted(founders.personal.items())):
        unit = model.variables[name].unit
        z = chance.founder_normals(stream, n, len(founders.personal))[:, column]
        middle, spread = (model.value_of(x, unit, chance.draw) for x in (centre_number, spread_number))
        values[name] = np.maximum(middle + spread * z, 0.0)
    ids = chance.founder_ids(mix(np.arange(start, start + n, dtype=np.uint64), FOUNDER_SALT))
    if n > 5_000_000:
        raise ModelError(
            f"{n} founders of type '{founders.cell}' do not fit into memory; lower the density or the domain."
        )
    cells.restructure(np.ones(len(cells), bool), ids, *cells.rows_like(values, n))
    world.cells_changed()
    return n
