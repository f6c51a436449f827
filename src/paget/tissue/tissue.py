"""A tissue as a value: its space, its substances, its kinds of cell, their rules, and where the cells lie at the start.

tissue = Tissue(
    name="spheroid",
    size=(600.0, 600.0, 600.0),
    voxel=20.0,
    substrates=(oxygen(),),
    cells=(CellDefinition(name="cancer cell", cycle=live(), apoptosis=Apoptosis(), exchange={...}),),
    placed=ball(...),
)
simulation = tissue.simulation(seed=1)
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from paget.errors import ModelError, UnknownNameError
from paget.evidence import Parameter, ParameterTable, load_parameters
from paget.model import Model, Placed
from paget.process import Process
from paget.readouts import Readout, count_of
from paget.rules import Rule
from paget.state import Grid
from paget.tissue.attachment import Anchorage, Attachment
from paget.tissue.behaviours import base_values, behaviour, column_of
from paget.tissue.body import BodyVariable, PlasmaLevel, is_amount_of
from paget.tissue.cycle import CellCycle
from paget.tissue.death import Dying
from paget.tissue.definition import CellDefinition, Number
from paget.tissue.exchange import FieldExchange
from paget.tissue.fields import FieldDecay, HeldField, Substrate, unit_of
from paget.tissue.interactions import Attack, Encounters, Injury, Transformation
from paget.tissue.mechanics import TissueMechanics
from paget.tissue.migration import Migration
from paget.tissue.networks import BodyKinetics, CellKinetics, CellNetworks
from paget.tissue.placing import VOLUMES, Cells, resting_state, value_of
from paget.tissue.process import TissueProcess
from paget.tissue.rules import CellRules
from paget.tissue.vessels.network import VesselNetwork
from paget.tissue.vessels.passage import INTO_VESSELS, Intravasation
from paget.tissue.vessels.process import VesselExchange
from paget.tissue.volume import VolumeDynamics
from paget.vocabulary import CELL_TYPES, VARIABLES, CellType, Variable

if TYPE_CHECKING:
    from paget.engine.simulation import Simulation

__all__ = ["Tissue"]


@dataclass(frozen=True, kw_only=True)
class Tissue:
    """A piece of tissue and what lives in it.

    size : edges (x, y, z) in um; one layer of voxels is a 2-D tissue. voxel : edge, or edges (x, y, z), in um
    origin : the lower corner in the coordinates of the user. periodic : which axes close on themselves
    walls : whether the edge of the domain pushes cells back, instead of only holding them in
    processes : further mechanisms. vessels : its `VesselNetwork` at the start
    body : what the body around it holds, as levels in plasma. tick : step in which the tissue is advanced

    Raises
    ------
    ModelError
        When the model is made, with everything that does not fit together.
    """

    name: str
    size: tuple[float, float, float]
    voxel: float | tuple[float, float, float] = 20.0
    cells: tuple[CellDefinition, ...]
    placed: Cells
    title: str = ""
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)
    periodic: tuple[bool, bool, bool] = (False, False, False)
    walls: bool = False
    substrates: tuple[Substrate, ...] = ()
    rules: tuple[Rule, ...] = ()
    processes: tuple[Process, ...] = ()
    readouts: tuple[Readout, ...] = ()
    vessels: VesselNetwork | None = None
    body: tuple[BodyVariable, ...] = ()
    parameters: ParameterTable = field(default_factory=lambda: load_parameters("tissue"), repr=False)
    tick: str = "6 min"

    def simulation(self, seed: int = 0, *, threads: int = 2) -> Simulation:
        """The tissue in time."""
        from paget.engine.simulation import Simulation

        return Simulation(self.model(), seed=seed, tick=self.tick, threads=threads)

    def changed(self, **changes: Any) -> Tissue:
        """Return the tissue with fields replaced."""
        return dataclasses.replace(self, **changes)

    def model(self) -> Model:
        """The processes of this tissue over its variables, checked as a whole.

        Raises
        ------
        ModelError
        """
        problems = list(self._problems())
        if problems:
            raise ModelError(f"The tissue '{self.name}' cannot be built:", problems)
        units, types = unit_of(self.substrates), tuple(d.name for d in self.cells)
        grid = Grid(self.size, self.voxel, self.periodic)
        carried = [process for process in self.processes if isinstance(process, CellNetworks)]
        nodes = {node: column for process in carried for node, column in process.columns.items()}
        rules = CellRules(
            definitions=self.cells, units=units, rules=self.rules, personal=tuple(self.placed.behaviours), nodes=nodes
        )
        ruled = tuple(dict.fromkeys((*(b.name for b in rules.behaviours), *self.placed.behaviours)))
        processes: dict[str, Process] = {}
        for process in self._processes(grid, units, rules, ruled):
            if process.role in processes:
                raise ModelError(
                    f"The tissue '{self.name}' has two processes in the role '{process.role}'; give yours another, or replace "
                    "the tissue's own in its model: tissue.model().replace(...)"
                )
            processes[process.role] = process
        own = {v.name: v for v in self._own_variables() if v.name not in VARIABLES}
        return Model(
            name=self.name,
            title=self.title or self.name,
            grid=grid,
            parameters=self.parameters,
            cell_types=types,
            fields=tuple(s.field for s in self.substrates),
            body=tuple(given.name for given in self.body),
            processes=processes,
            diffusion={s.field: s.diffusion for s in self.substrates if not s.immobile},
            initial={**{s.field: s.initial for s in self.substrates}, **{b.name: b.initial for b in self.body}},
            founders=(),
            readouts_of=lambda _: (*(_count(t) for t in types), *self.readouts),
            placed=self._placed(types, units, ruled),
            reach={d.name: d.mechanics.reach for d in self.cells},
            own_types=tuple(
                CellType(d.name, d.label or d.name, d.ontology, d.group, d.colour)  # type: ignore[arg-type]
                for d in self.cells
                if d.name not in CELL_TYPES
            ),
            own_variables=tuple(own.values()),
            vessels=self.vessels,
        )

    # ---- checks ---------------------------------------------------------------------------------------------------
    def _problems(self) -> Iterable[str]:
        names = [d.name for d in self.cells]
        places = [("cell type", names), ("field", [s.field for s in self.substrates])]
        for kind, listed in (*places, ("variable of the body", [b.name for b in self.body])):
            for name in sorted({n for n in listed if listed.count(n) > 1}):
                yield f"the {kind} '{name}' is defined twice"
        if not self.cells:
            yield "it has no cell types"
        if np.ndim(self.placed.positions) != 2 or np.shape(self.placed.positions)[1] != 3:
            yield f"positions of cells are [n, 3] in um; these have the shape {np.shape(self.placed.positions)}"
        fields = [s.field for s in self.substrates]
        for substrate in self.substrates:
            known = VARIABLES.get(substrate.field)
            if not substrate.field.startswith("field."):
                yield f"the name of a field begins with 'field.', not '{substrate.field}'"
            elif known is not None and known.unit != substrate.unit:
                yield f"'{substrate.field}' is in {known.unit or 'plain numbers'} everywhere, not in {substrate.unit}"
            if substrate.immobile and substrate.walls:
                yield f"'{substrate.field}' does not diffuse, so that walls cannot hold it"
        yield from self._body_problems()
        for definition in self.cells:
            used = [*definition.exchange, *(definition.motility.towards if definition.motility else ())]
            used += [definition.oxygen.field] if definition.oxygen else []
            used += [definition.mechanics.matrix] if definition.mechanics.matrix else []
            for name in dict.fromkeys(used):
                if name not in fields:
                    yield f"'{definition.name}' uses {UnknownNameError('field', name, fields)}"
            others = list(definition.mechanics.affinity)
            if definition.interactions:
                i = definition.interactions
                others += [*i.engulf, *i.attack, *i.fuse, *i.becomes, *i.immunogenicity]
            for name in dict.fromkeys(others):
                if name not in names:
                    yield f"'{definition.name}' deals with {UnknownNameError('cell type', name, names)}"
        for substrate in self.substrates:
            makers = [d.name for d in self.cells if _gives(d, substrate.field)]
            makers += ["the inflow through its walls"] if substrate.inflow else []
            takers = [d.name for d in self.cells if _takes(d, substrate.field)]
            if makers and not takers and not substrate.bounded and not substrate.immobile:
                yield (
                    f"'{substrate.field}' comes from {', '.join(makers)}, and nothing decays it, takes it up or holds it: "
                    "it would grow without bound; give it a decay, a wall or a cell that takes it up"
                )

    def _body_problems(self) -> Iterable[str]:
        units = {b.name: b.unit for b in self.body}
        for name, unit in units.items():
            known = VARIABLES.get(name)
            if not name.startswith("body."):
                yield f"the name of a variable of the body begins with 'body.', not '{name}'"
            elif known is not None and known.unit != unit:
                yield f"'{name}' is in {known.unit or 'plain numbers'} everywhere, not in {unit or 'plain numbers'}"
        for process in self.processes:
            if isinstance(process, PlasmaLevel) and {process.level, process.account} <= set(units):
                level, account = units[process.level], units[process.account]
                if not is_amount_of(account, level):
                    yield (
                        f"'{process.account}' is in {account or 'plain numbers'}; the amount behind '{process.level}' is in "
                        f"{level or 'dimensionless'}*pL"
                    )

    # ---- parts ----------------------------------------------------------------------------------------------------
    def _processes(
        self, grid: Grid, units: Mapping[str, str], rules: CellRules, ruled: tuple[str, ...]
    ) -> Iterable[Process]:
        shared: dict[str, Any] = {"definitions": self.cells, "units": units, "ruled": ruled}

        def some(part: str) -> bool:
            return any(getattr(d, part) is not None for d in self.cells)

        if self.rules:
            yield dataclasses.replace(rules, ruled=ruled)
        yield VolumeDynamics(**shared)
        if some("cycle"):
            yield CellCycle(**shared)
        if some("apoptosis") or some("necrosis") or some("oxygen"):
            yield Dying(**shared)
        if some("interactions"):
            for kind in (Encounters, Attack, Injury, Transformation):
                yield kind(**shared)
        slots = {slot for d in self.cells for slot, value, _ in d.listed(units) if not _nothing(value)}
        bonded = "mechanics.attachment_rate" in slots or "cell attachment rate" in ruled
        anchored = "mechanics.matrix_attachment_rate" in slots
        if bonded:
            yield Attachment(**shared)
        if anchored:
            yield Anchorage(**shared)
        if some("motility"):
            yield Migration(**shared)
        yield TissueMechanics(**shared, walls=self.walls, migrating=some("motility"), bonded=bonded, anchored=anchored)
        if any(d.exchange for d in self.cells):
            yield FieldExchange(**shared)
        for substrate in self.substrates:
            noun = substrate.field.removeprefix("field.")
            if not _nothing(substrate.decay):
                yield FieldDecay(role=f"{noun} decay", factor=substrate.field, rate=substrate.decay)
            if substrate.walls or substrate.held or substrate.inflow:
                yield HeldField(role=f"{noun} held", substrate=substrate, shape=grid.shape)
        into_vessels = "motility.intravasation" in slots or INTO_VESSELS in ruled
        if into_vessels and not any(isinstance(process, Intravasation) for process in self.processes):
            yield Intravasation(**shared)
        everywhere = (*units.items(), *((given.name, given.unit) for given in self.body))
        heard = {one.about for one in rules.signals if one.kind == "node"}
        for process in self.processes:
            if isinstance(process, CellNetworks):
                process = process.with_shown(sorted(heard & set(process.columns)))
            if isinstance(process, CellNetworks | CellKinetics | BodyKinetics):
                own = {name: value.unit for d in self.cells for name, value in d.own.items()}
                yield dataclasses.replace(process, units={**dict(everywhere), **own})
            elif isinstance(process, TissueProcess) and not process.definitions:
                yield dataclasses.replace(process, **shared)
            elif isinstance(process, VesselExchange) and not process.field_units:
                yield dataclasses.replace(process, field_units=everywhere)
            else:
                yield process

    def _own_variables(self) -> Iterable[Variable]:
        for substrate in self.substrates:
            title = substrate.title or substrate.field.removeprefix("field.").replace("_", " ")
            yield Variable(substrate.field, substrate.unit, title, immobile=substrate.immobile, title=title)
        for given in self.body:
            yield Variable(given.name, given.unit, given.meaning or given.name.removeprefix("body.").replace("_", " "))
        for definition in self.cells:
            for name, value in definition.own.items():
                yield Variable(name, value.unit, name.removeprefix("cell.").replace("_", " "))
        for name in self.placed.behaviours:
            field_unit = next((s.unit for s in self.substrates if s.field == f"field.{_about(name)}"), "")
            yield column_of(name, field_unit)

    def _placed(self, types: tuple[str, ...], units: Mapping[str, str], ruled: tuple[str, ...]) -> Placed:
        given = self.placed
        n = len(given.positions)
        positions = np.asarray(given.positions, dtype=np.float64).reshape(n, 3).T - np.array(self.origin)[:, None]
        if Grid(self.size, self.voxel, self.periodic).flat:
            positions[2] = self.size[2] / 2.0
        named = given.types or (types[0] if len(types) == 1 else "")
        listed = (named,) * n if isinstance(named, str) else tuple(named)
        for name in dict.fromkeys(listed):
            if name not in types:
                raise UnknownNameError("cell type", name, types)
        kind = np.array([types.index(name) for name in listed], dtype=np.int64)
        columns: dict[str, NDArray[Any]] = dict(resting_state(self.cells, kind, self.parameters))
        if "cell.volume" in given.columns:
            ratio = np.asarray(given.columns["cell.volume"]) / columns["cell.volume"]
            columns.update({name: columns[name] * ratio for name in VOLUMES})
        numbers = {
            f"{index}.{slot}": value_of(value, unit, self.parameters)
            for index, definition in enumerate(self.cells)
            for slot, value, unit in definition.listed(units)
        }
        found = [one for one in map(behaviour, ruled) if one is not None]
        for one, base in zip(found, base_values(numbers, self.cells, found), strict=True):
            columns[one.variable] = np.asarray(given.behaviours.get(one.name, base[kind]), dtype=np.float64)
            if one.name in given.behaviours:
                columns[column_of(one.name, base=True).name] = columns[one.variable]
        columns.update({name: np.asarray(values) for name, values in given.columns.items()})
        columns["cell.radius"] = np.cbrt(0.75 / math.pi * columns["cell.volume"])
        return Placed(positions, kind, columns)


def _about(name: str) -> str:
    found = behaviour(name)
    return found.about if found is not None else ""


def _nothing(value: Number) -> bool:
    return isinstance(value, Parameter) and value.value == 0.0


def _gives(definition: CellDefinition, name: str) -> bool:
    return name in definition.exchange and not _nothing(definition.exchange[name].export)


def _takes(definition: CellDefinition, name: str) -> bool:
    exchange = definition.exchange.get(name)
    if exchange is None:
        return False
    return not (_nothing(exchange.uptake) and _nothing(exchange.secretion) and _nothing(exchange.most))


def _count(name: str) -> Readout:
    return Readout(name.replace(" ", "_"), name, "", "count", "final", f"cells of type {name}", count_of(name))
