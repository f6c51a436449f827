"""Which processes act on which variables, where they start, and what is read out. A model is a value; edits give new models."""

from __future__ import annotations

import dataclasses
import functools
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from paget.behaviours import Arrival, Conversion, Ruled
from paget.errors import ModelError, PagetError, UnknownNameError
from paget.evidence import Parameter, ParameterTable, Source
from paget.experiment import Study
from paget.pharmacology import Drug, DrugKinetics
from paget.process import Named, Phase, Process, Values, is_nothing
from paget.readouts import Readout
from paget.rules import Rule
from paget.state import Grid
from paget.vocabulary import CELL_TYPES, VARIABLES, CellType, Variable

__all__ = ["ChainEdge", "ChainNode", "Founders", "Model", "Option", "Placed"]

PROTOCOL = ("protocol.doses", "protocol.operations")
POSITION = "cell.position"
VIEWS = (POSITION, "cell.contacts", "tissue.bonds", "tissue.vessels")  # what the engine offers beside plain variables
ENGINE_OWNED = ("cell.x", "cell.y", "cell.z", "cell.type", "cell.age", "cell.founder", "cell.owed")
INTERVENED = ("arrival", "death")  # events of cells that are injected and depleted
EVENTS = ("arrival", "conversion", "death", "division", "leave")


@dataclass(frozen=True)
class Founders:
    """Cells that are there at the start.

    number : how many, absolute (unit empty) or per mm3 of tissue; colony : cells placed together around one random point
    values : variable -> parameter, or a whole number for a mark
    personal : variable -> (mean, standard deviation) of a normal spread between cells, clipped at zero
    """

    cell: str
    number: Named | Parameter
    radius: Named | Parameter
    colony: Named | Parameter | None = None
    values: Mapping[str, int | Named | Parameter] = field(default_factory=dict)
    personal: Mapping[str, tuple[Named | Parameter, Named | Parameter]] = field(default_factory=dict)

    def listed(self, variables: Mapping[str, Variable]) -> tuple[tuple[str, Named | Parameter, str], ...]:
        """(slot, number, unit) of every number; `variables` say their units."""
        own = [("number", self.number, self.number.unit), ("radius", self.radius, "um")]
        if self.colony is not None:
            own.append(("colony", self.colony, ""))
        own += [
            (name, value, variables[name].unit) for name, value in self.values.items() if not isinstance(value, int)
        ]
        for name, (centre, spread) in self.personal.items():
            own += [(f"{name} centre", centre, variables[name].unit), (f"{name} spread", spread, variables[name].unit)]
        return tuple(own)


@dataclass(frozen=True, eq=False)
class Placed:
    """Cells that are there at the start, each at its own place.

    position : [3, n] um from the lower corner of the tissue; kind : index [n] into the model's cell types
    columns : variable -> values [n]; the radius is among them

    Raises
    ------
    ModelError
        If a cell has no place, no size, or lies outside; naming the first such cell.
    """

    position: NDArray[np.float64]
    kind: NDArray[np.int64]
    columns: Mapping[str, NDArray[Any]]

    def problems(self, grid: Grid, types: int) -> Iterable[str]:
        """What is wrong with the cells, for a tissue of this size and this number of cell types."""
        n = self.kind.size
        for name, values in (("position", self.position), *self.columns.items()):
            if np.shape(values)[-1] != n:
                yield f"{np.shape(values)[-1]} values of {name} were given for {n} placed cells"
                return
        radius = np.asarray(self.columns.get("cell.radius", np.ones(n)))
        size = np.array(grid.size)[:, None]
        for test, meaning in (
            (~np.isfinite(self.position).all(axis=0), "has no place: its position is not finite"),
            (((self.position < 0.0) | (self.position > size)).any(axis=0), "lies outside the tissue"),
            (~(np.isfinite(radius) & (radius > 0.0)), "has no positive radius"),
            ((self.kind < 0) | (self.kind >= types), "is of no type of this model"),
        ):
            found = np.flatnonzero(test)
            if found.size:
                at = found[0]
                place = ", ".join(f"{v:g}" for v in self.position[:, at])
                yield f"{found.size} placed cells: the first, number {at} at ({place}) um, {meaning}"
        for name, values in self.columns.items():
            if not np.isfinite(values).all():
                yield f"placed cells: {name} of number {np.flatnonzero(~np.isfinite(values))[0]} is not finite"


@dataclass(frozen=True)
class ChainNode:
    """A station of the causal chain in the report, with the readout that measures it; x, y in a 10 by 4 layout."""

    id: str
    label: str
    readout: str | None
    x: float
    y: float


@dataclass(frozen=True)
class ChainEdge:
    """An influence between two stations, carried by the process `role`."""

    source: str
    target: str
    sign: Literal[1, -1]
    role: str
    reference: str


@dataclass(frozen=True)
class Option:
    """A choice that a study may make about a model."""

    name: str
    choices: tuple[str | int, ...]
    default: str | int
    meaning: str


@dataclass(frozen=True, kw_only=True)
class Model:
    """Processes over variables.

    processes : by role. fields : names, in the order of storage. diffusion : coefficient of every field that diffuses.
    initial : start values of fields and body variables. limits : what the model does not claim.
    problems_of_study : what a study may ask of the model that makes no sense.
    used_in_readouts, seen_by_readouts : parameters and cell variables of the readouts, which no process need use.
    placed : cells at given places. reach : how far each cell type touches others, in radii.
    vessels : the network of vessels at the start, if there is one.
    own_types, own_variables : what this model adds to the vocabulary.

    Raises
    ------
    ModelError
        When built, with everything that is wrong: two owners of one variable, unknown variables, missing parameters, units.
    """

    name: str
    title: str
    grid: Grid
    parameters: ParameterTable
    cell_types: tuple[str, ...]
    fields: tuple[str, ...]
    body: tuple[str, ...]
    processes: Mapping[str, Process]
    diffusion: Mapping[str, Named | Parameter]
    initial: Mapping[str, Named | Parameter]
    founders: tuple[Founders, ...]
    readouts_of: Callable[[ParameterTable], tuple[Readout, ...]]
    chain: tuple[tuple[ChainNode, ...], tuple[ChainEdge, ...]] = ((), ())
    options: tuple[Option, ...] = ()
    assumed: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    used_in_readouts: tuple[Named, ...] = ()
    problems_of_study: Callable[[Study], Iterable[str]] | None = None
    seen_by_readouts: tuple[str, ...] = ()
    placed: Placed | None = None
    reach: Mapping[str, Named | Parameter] = field(default_factory=dict)
    vessels: Any = None
    own_types: tuple[CellType, ...] = ()
    own_variables: tuple[Variable, ...] = ()

    def __post_init__(self) -> None:
        problems = list(self._problems())
        if problems:
            raise ModelError(f"The model '{self.name}' cannot be built:", problems)

    # ---- checks ---------------------------------------------------------------------------------------------------
    def _problems(self) -> Iterable[str]:
        known = {*self.variables, *PROTOCOL, *VIEWS, *(d.amounts.name for d in self.drugs)}
        here = {*self.fields, *self.body, *PROTOCOL, *VIEWS, *(d.amounts.name for d in self.drugs)}
        for name in self.cell_types:
            if name not in self.types:
                yield str(UnknownNameError("cell type", name, self.types))
        for kind, own, shared in (
            ("variable", [v.name for v in self.own_variables], VARIABLES),
            ("cell type", [t.name for t in self.own_types], CELL_TYPES),
        ):
            for name in (name for name in own if name in shared):
                yield f"the model's own {kind} '{name}' is already in the vocabulary"
        owners: dict[str, list[str]] = defaultdict(list)
        adders: dict[str, list[str]] = defaultdict(list)
        for role, process in self.processes.items():
            if process.role != role:
                yield f"process '{process.role}' is filed under the role '{role}'"
            for cell in process.on:
                if cell not in self.cell_types:
                    yield f"process '{role}' acts on '{cell}', which is not a cell type of this model"
            for name in (*process.reads, *process.adds, *process.sets):
                if name not in known:
                    yield f"process '{role}': {UnknownNameError('variable', name, known)}"
                elif not name.startswith("cell.") and name not in here:
                    yield f"process '{role}' uses '{name}', which this model does not have"
                elif name.startswith("cell.") and not process.on:
                    yield f"process '{role}' uses '{name}' but acts on no cells"
            for name in process.sets:
                owners[name].append(role)
            for name in process.adds:
                adders[name].append(role)
            yield from self._restructuring_problems(process)
            for slot, number, unit in process.numbers:
                yield from self._number_problem(f"process '{role}', {slot}", number, unit)
        for name, roles in owners.items():
            if len(roles) > 1:
                yield f"'{name}' is set by {' and '.join(sorted(roles))}; only one process may set a variable"
            if name in adders:
                yield f"'{name}' is set by '{roles[0]}' and added to by {', '.join(sorted(adders[name]))}; choose one"
        for name in (*self.fields, *self.body, *self.seen_by_readouts):
            if name not in self.variables:
                yield str(UnknownNameError("variable", name, self.variables))
        for name in self.fields:
            if name in self.variables and self.variables[name].immobile is (name in self.diffusion):
                wrong = "is immobile and cannot diffuse" if name in self.diffusion else "needs a diffusion coefficient"
                yield f"'{name}' {wrong}"
        for name in sorted({*self.diffusion, *self.initial} - here):
            yield f"'{name}' has a start value or a diffusion coefficient but is not a variable of this model"
        for founders in self.founders:
            if founders.cell not in self.cell_types:
                yield f"founders '{founders.cell}' are not a cell type of this model"
            unknown = [name for name in (*founders.values, *founders.personal) if name not in self.variables]
            if unknown:
                yield f"founders '{founders.cell}': {UnknownNameError('variable', unknown[0], self.variables)}"
                continue
            for slot, number, unit in founders.listed(self.variables):
                yield from self._number_problem(f"founders '{founders.cell}', {slot}", number, unit)
        for name, number in self.diffusion.items():
            yield from self._number_problem(f"diffusion of '{name}'", number, "um**2/h")
        for name, number in self.initial.items():
            if name in self.variables:
                yield from self._number_problem(f"start value of '{name}'", number, self.variables[name].unit)
        for name, number in self.reach.items():
            yield from self._number_problem(f"reach of '{name}'", number, "")
        if self.placed is not None:
            yield from self.placed.problems(self.grid, len(self.cell_types))

    def _restructuring_problems(self, process: Process) -> Iterable[str]:
        role = process.role
        for name in (*process.adds, *process.sets):
            if name in ENGINE_OWNED or name in PROTOCOL:
                yield f"process '{role}' changes '{name}', which only the engine changes; add to {POSITION}, or emit an event"
            elif name in process.sets and (name == POSITION or name.startswith("field.")):
                yield f"process '{role}' sets '{name}', which processes can only add to"
            elif name in process.adds and name in self.variables and self.variables[name].whole:
                yield f"process '{role}' adds to '{name}', which is a whole number; set it"
        for kind in process.emits:
            if kind not in EVENTS:
                yield f"process '{role}': {UnknownNameError('event', kind, EVENTS)}"
        if isinstance(process, (Conversion, Arrival)):
            becomes = process.to if isinstance(process, Conversion) else process.newcomer
            if becomes not in self.cell_types:
                yield f"process '{role}' makes cells '{becomes}', which is not a cell type of this model"
            for name in process.values:
                if name not in self.variables:
                    yield f"process '{role}': {UnknownNameError('variable', name, self.variables)}"

    def _number_problem(self, where: str, number: Named | Parameter, unit: str) -> Iterable[str]:
        try:
            self.evidence_for(number).inside(unit)
        except PagetError as problem:
            yield f"{where}: {problem}"

    # ---- look -----------------------------------------------------------------------------------------------------
    @functools.cached_property
    def variables(self) -> Mapping[str, Variable]:
        """The vocabulary of this model: the shared variables, its own and those of its processes."""
        of_processes = {v.name: v for p in self.processes.values() for v in p.variables if v.name not in VARIABLES}
        return {**VARIABLES, **of_processes, **{v.name: v for v in self.own_variables}}

    @functools.cached_property
    def types(self) -> Mapping[str, CellType]:
        """The cell types that this model can name: the shared ones and its own."""
        return {**CELL_TYPES, **{t.name: t for t in self.own_types}}

    @property
    def ordered(self) -> tuple[Process, ...]:
        """Processes in the one order in which their contributions are summed: by phase, then by role."""
        phases = list(Phase)
        return tuple(sorted(self.processes.values(), key=lambda process: (phases.index(process.phase), process.role)))

    @property
    def readouts(self) -> tuple[Readout, ...]:
        """What the model can read out; thresholds come from the parameter table."""
        return self.readouts_of(self.parameters)

    @property
    def drugs(self) -> tuple[Drug, ...]:
        return tuple(p.drug for p in self.processes.values() if isinstance(p, DrugKinetics))

    @property
    def cell_variables(self) -> tuple[Variable, ...]:
        """Variables of every cell: those of the vocabulary that are used here, and a clock for each hazard."""
        used = {
            n
            for p in self.processes.values()
            for n in (*p.reads, *p.adds, *p.sets)
            if n.startswith("cell.") and n not in VIEWS
        }
        used |= set() if self.placed is None else set(self.placed.columns)
        used |= {n for f in self.founders for n in (*f.values, *f.personal)} | set(self.seen_by_readouts)
        used |= {n for p in self.processes.values() if isinstance(p, (Conversion, Arrival)) for n in p.values}
        always = ("cell.x", "cell.y", "cell.z", "cell.type", "cell.radius", "cell.age", "cell.founder")
        names = (*always, *sorted(used - set(always)))
        clocks: list[Variable] = []
        for role in sorted(r for r, p in self.processes.items() if p.clock):
            clocks.append(
                Variable(f"clock.{role}", "", f"hazard left until {role}", inherit="fresh", default=float("nan"))
            )
            clocks.append(Variable(f"rings.{role}", "", f"how often {role} happened", inherit="fresh", whole=True))
        return (*(self.variables[n] for n in names), *clocks)

    @property
    def event_kinds(self) -> tuple[str, ...]:
        """Names of the events in the record, in order of their codes."""
        own = {event for p in self.processes.values() for event in p.events}
        return tuple(sorted(own | set(INTERVENED)))

    def evidence_for(self, number: Named | Parameter) -> Parameter:
        """The table row behind a number."""
        return self.parameters[number.key] if isinstance(number, Named) else number

    def numbers_used(self) -> dict[str, Parameter]:
        """Every parameter that the model uses, by key, in the order of use."""
        found: dict[str, Parameter] = {}
        for process in self.ordered:
            for _, number, _ in process.numbers:
                row = self.evidence_for(number)
                if not is_nothing(row):
                    found.setdefault(row.key, row)
        others = [n for f in self.founders for _, n, _ in f.listed(self.variables)]
        everywhere = (*self.diffusion.values(), *self.initial.values(), *self.reach.values(), *self.used_in_readouts)
        for number in (*others, *everywhere):
            row = self.evidence_for(number)
            if not is_nothing(row):
                found.setdefault(row.key, row)
        return found

    def values_for(self, process: Process, draw: Callable[[Parameter], float]) -> Values:
        """The numbers of one process as floats in its units; `draw` gives an animal's value of a parameter."""
        return Values(**{slot: self.value_of(number, unit, draw) for slot, number, unit in process.numbers})

    def value_of(self, number: Named | Parameter, unit: str, draw: Callable[[Parameter], float]) -> float:
        """One number as a float in `unit`."""
        row = self.evidence_for(number)
        return dataclasses.replace(row, value=draw(row), low=float("nan"), high=float("nan")).inside(unit)

    # ---- tell -----------------------------------------------------------------------------------------------------
    def describe(self) -> dict[str, Any]:
        """The model as plain JSON values; see `paget.explain.describe`."""
        from paget import explain

        return explain.describe(self)

    def explain(self) -> list[dict[str, Any]]:
        """The table of processes with what each reads, adds to, sets and emits."""
        from paget import explain

        return explain.process_table(self)

    def citations(self) -> list[Source]:
        """The sources of everything that the model uses."""
        from paget import explain

        return explain.citations(self)

    def assumptions(self) -> list[str]:
        """What the model assumes."""
        from paget import explain

        return explain.assumptions(self)

    # ---- edit -----------------------------------------------------------------------------------------------------
    def changed(self, **changes: Any) -> Model:
        """Return the model with fields replaced, checked again as a whole."""
        return dataclasses.replace(self, **changes)

    def replace(self, **processes: Process) -> Model:
        """Return the model with processes exchanged by role: ``model.replace(net_decay=NetDecay(...))``."""
        for role in processes:
            self._known_role(role)
        return self.changed(processes={**self.processes, **processes})

    def with_process(self, *processes: Process) -> Model:
        """Return the model with processes added under new roles."""
        taken = [p.role for p in processes if p.role in self.processes]
        if taken:
            raise ModelError(f"The role '{taken[0]}' is taken; use replace to exchange it.")
        return self.changed(processes={**self.processes, **{p.role: p for p in processes}})

    def without(self, *roles: str) -> Model:
        """Return the model without some processes."""
        for role in roles:
            self._known_role(role)
        return self.changed(processes={r: p for r, p in self.processes.items() if r not in roles})

    def with_parameters(self, changes: Mapping[str, str | float]) -> Model:
        """Return the model with parameters changed; they must be used by the model."""
        used = self.numbers_used()
        for key in changes:
            if key not in used:
                raise UnknownNameError("parameter", key, used)
        return self.changed(parameters=self.parameters.with_values(changes))

    @functools.cached_property
    def genes(self) -> Mapping[str, tuple[str, ...]]:
        """Genes and nodes of networks that can be knocked out or over-expressed, with what each acts on."""
        from paget import perturbing

        return perturbing.genes_of_model(self).in_words

    def perturbed(self, levels: Mapping[tuple[str, str], float]) -> Model:
        """Return the model with other activities of genes: (gene, cell type or "" for all) -> multiple of normal.

        Raises
        ------
        UnknownNameError, StudyError
        """
        from paget import perturbing

        return perturbing.changes(perturbing.genes_of_model(self), levels).applied(self)

    def with_rules(self, *rules: Rule) -> Model:
        """Return the model with rule sentences added to the behaviours that they name."""
        model = self
        for rule in rules:
            homes = {p.role: p for p in model.processes.values() if isinstance(p, Ruled)}
            fitting = [p for p in homes.values() if (p.cell, p.behaviour) == (rule.cell, rule.behaviour)]
            if not fitting:
                raise UnknownNameError(
                    "behaviour", f"{rule.cell}: {rule.behaviour}", [f"{p.cell}: {p.behaviour}" for p in homes.values()]
                )
            process = fitting[0]
            model = model.replace(**{process.role: dataclasses.replace(process, rules=(*process.rules, rule))})
        return model

    def _known_role(self, role: str) -> None:
        if role not in self.processes:
            raise UnknownNameError("process role", role, self.processes)

    def readout(self, name: str) -> Readout:
        """The readout of that name."""
        for readout in self.readouts:
            if readout.name == name:
                return readout
        raise UnknownNameError("readout", name, [r.name for r in self.readouts])
