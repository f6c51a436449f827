"""Every cell carries a network: its surroundings set inputs, drugs and mutations act on nodes, activities drive behaviours."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from paget.errors import ModelError, NumericalError, UnknownNameError
from paget.evidence import Parameter
from paget.evidence.mechanisms import sources_of
from paget.process import Named, Phase
from paget.rules.signals import Signal, signal
from paget.signalling import Network
from paget.tissue.networks.advance import DRAWN, RENEWED, REST, advance_cells
from paget.tissue.networks.perturbations import (
    Antibody,
    Clamp,
    Dose,
    FractionInhibitor,
    Perturbation,
    Silencing,
)
from paget.tissue.networks.plan import Plan, made_plan
from paget.tissue.networks.sensors import HillInput, Sensor, listed_numbers, number_problems
from paget.tissue.process import TissueProcess
from paget.tissue.signals import reads_of, sensed
from paget.vocabulary import VARIABLES, Variable

if TYPE_CHECKING:
    from paget.access import Do, See

__all__ = ["CellNetworks", "activity_of"]


def activity_of(node: str) -> str:
    """The cell variable that holds the smoothed activity of a node."""
    return f"cell.node_{node}"


@dataclass(frozen=True, kw_only=True)
class CellNetworks(TissueProcess):
    """The network inside every living cell runs on as a Markov chain in continuous time, under what the cell senses.

    The activity of a node is the share of time that it was on, smoothed: d(activity)/dt = (on - activity) / smoothing.

    networks : cell type -> its network; types that share one network keep its state when they turn into each other, others
    draw a new one. sensors : what sets inputs; an input without one keeps its start. perturbations : see that module
    shown : node -> cell variable of its activity; rules of a tissue that name a node add theirs
    smoothing : time constant in h; 0 gives the mean over the tick. pace_spread : coefficient of variation between cells of the
    pace of all rates of a cell, log-normal with mean 1, kept for life

    Assumes that what a cell senses is constant during a tick. Dead cells stand still.

    Raises
    ------
    ModelError
        With every sensor, drug or shown node that fits no network.
    """

    phase: ClassVar[Phase] = Phase.SIGNAL

    role: str = "networks"
    networks: Mapping[str, Network]
    sensors: tuple[Sensor, ...] = ()
    perturbations: tuple[Perturbation, ...] = ()
    shown: Mapping[str, str] = field(default_factory=dict)
    smoothing: Named | Parameter = field(default=0, metadata={"unit": "h"})  # type: ignore[assignment]
    pace_spread: Named | Parameter = field(default=0, metadata={"unit": ""})  # type: ignore[assignment]
    every: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        wrong = list(self._problems())
        if wrong:
            raise ModelError("The networks do not fit these cells:", wrong)

    # ---- checks ---------------------------------------------------------------------------------------------------
    def _problems(self) -> Iterator[str]:
        if not self.networks:
            yield "no cell type has a network"
        nodes = sorted({name for network in self.networks.values() for name in network.names})
        taken: dict[tuple[str, str], str] = {}
        for one in self._noded():
            what = f"{type(one).__name__} of '{one.node}'"
            for cell in one.cells:
                if cell not in self.networks:
                    yield f"{what}: {UnknownNameError('cell type with a network', cell, self.networks)}"
            concerned = [cell for cell in (one.cells or tuple(self.networks)) if cell in self.networks]
            having = [cell for cell in concerned if one.node in self.networks[cell]]
            if one.node not in nodes:
                yield f"{what}: no network has this node. {UnknownNameError('node', one.node, nodes)}"
            for cell in one.cells:
                if cell in self.networks and one.node in nodes and one.node not in self.networks[cell]:
                    yield f"{what}: the network of '{cell}' has no such node"
            yield from number_problems(one, what)
            if isinstance(one, Clamp):
                for cell in having:
                    most = self.networks[cell].node(one.node).levels
                    if not 0 <= one.level <= most:
                        yield f"{what}: level {one.level} is not from 0 to {most}"
                continue
            if isinstance(one, Dose | Silencing) and not isinstance(one, FractionInhibitor):
                yield from self._idle_doses(one, what, having)
            if isinstance(one, Sensor):
                for cell in having:
                    network = self.networks[cell]
                    if one.node not in network.inputs:
                        yield f"{what}: in '{cell}' other nodes switch it, so that a sensor cannot; use an activator"
                    elif network.node(one.node).levels > 1:
                        yield f"{what}: in '{cell}' it has levels, and a sensor sets what is off or on"
                    if (cell, one.node) in taken:
                        yield f"{what}: in '{cell}' another sensor sets it"
                    taken[cell, one.node] = one.signal
        for node, variable in self.shown.items():
            if node not in nodes:
                yield f"shown: {UnknownNameError('node', node, nodes)}"
            if not variable.startswith("cell."):
                yield f"shown: the activity of '{node}' goes to a variable of the cell, not to '{variable}'"
        for network in self.distinct:
            columns = [variable for node, variable in self.shown.items() if node in network]
            for variable in sorted({name for name in columns if columns.count(name) > 1}):
                yield f"shown: two nodes of the network '{network.name}' go to '{variable}'"
            if network.has_bare_rates and not network.sources:
                yield (
                    f"the rates of the network '{network.name}' are bare numbers; give them as quantities, or name the sources "
                    "that the network comes from"
                )
        for one in self._signals_given():
            if one.kind in ("refused", "node"):
                yield f"'{one.name}' cannot be sensed by a network"
        for one in self.perturbations:
            if isinstance(one, Antibody):
                yield from number_problems(one, f"Antibody on '{one.ligand}'")
                if signal(one.ligand) not in [sensor.sensed for sensor in self.sensors]:
                    yield f"Antibody on '{one.ligand}': no sensor listens to that signal"

    def _idle_doses(self, one: Dose | Silencing, what: str, having: Iterable[str]) -> Iterator[str]:
        """A graded drug slows and hastens switching; on an input that only its surroundings set it would do nothing."""
        switched = {one.node for one in self.sensors if one.fluctuates}
        for cell in having:
            if one.node in self.networks[cell].inputs and one.node not in switched:
                yield (
                    f"{what}: in '{cell}' it is an input that nothing inside switches; act on the nodes that it drives, give "
                    "it a HillInput, or use a FractionInhibitor, a Clamp or an Antibody"
                )

    def _noded(self) -> Iterable[Any]:
        return (*self.sensors, *(one for one in self.perturbations if not isinstance(one, Antibody)))

    def _signals_given(self) -> tuple[Signal, ...]:
        found = [one.sensed for one in self.sensors]
        for one in self.perturbations:
            if isinstance(one, Antibody):
                found += [signal(one.ligand), signal(one.signal)]
            elif isinstance(one, Dose):
                found.append(one.sensed)
        return tuple(found)

    # ---- declaration ------------------------------------------------------------------------------------------------
    @property
    def on(self) -> tuple[str, ...]:
        return tuple(self.networks)

    @cached_property
    def signals(self) -> tuple[Signal, ...]:
        """What cells sense for their networks, in order of name."""
        return tuple(dict(sorted((one.name, one) for one in self._signals_given())).values())

    @cached_property
    def distinct(self) -> tuple[Network, ...]:
        """The networks, each once, in the order of the cell types."""
        found: list[Network] = []
        for network in self.networks.values():
            if not any(network is other or network == other for other in found):
                found.append(network)
        return tuple(found)

    @property
    def columns(self) -> Mapping[str, str]:
        """The cell variable that holds the activity of each node, once it is shown."""
        nodes = dict.fromkeys(name for network in self.distinct for name in network.names)
        return {node: self.shown.get(node, activity_of(node)) for node in nodes}

    @property
    def cites(self) -> tuple[str, ...]:
        found = [*self.sources, *(one.source for one in (*self.sensors, *self.perturbations))]
        for network in self.distinct:
            found += network.sources
            for node in network.nodes:
                found += node.sources
                for evidence in node.edges.values():
                    found += sources_of(evidence)
        return tuple(dict.fromkeys(key for key in found if key))

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Cell variables that hold the states of nodes, 64 to each."""
        bits = max(sum(node.levels for node in network.nodes) for network in self.distinct)
        return tuple(f"cell.network_{word}" for word in range(-(-bits // 64)))

    @cached_property
    def _renews(self) -> bool:
        return any(node.division == "redraw" for network in self.distinct for node in network.nodes)

    @property
    def _clonal(self) -> bool:
        return any(isinstance(one, Clamp) and one.clones for one in self.perturbations)

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The columns that this process adds to the cells."""
        own = [Variable(name, "", "states of nodes, one bit each", whole=True, wide=True) for name in self.words]
        own.append(Variable(REST, "", "mark of a network in which nothing can happen", whole=True))
        own.append(Variable(DRAWN, "", "which network was drawn at the start, from 1", whole=True))
        if self._renews:
            own.append(Variable(RENEWED, "", "1 once nodes were drawn anew after birth", inherit="fresh", whole=True))
        own += [
            Variable(column, "", f"activity of {node}: share of time that it is on")
            for node, column in self.shown.items()
            if column not in VARIABLES
        ]
        return tuple(own)

    @property
    def sets(self) -> tuple[str, ...]:
        return (*self.words, REST, DRAWN, *((RENEWED,) if self._renews else ()), *self.shown.values())

    @property
    def reads(self) -> tuple[str, ...]:
        clone = ("cell.clone",) if self._clonal else ()
        return tuple(dict.fromkeys(("cell.type", "cell.death", *clone, *reads_of(self.signals, {}), *self.sets)))

    @property
    def numbers(self) -> tuple[tuple[str, Named | Parameter, str], ...]:
        own = tuple((slot, getattr(self, slot), unit) for slot, unit in (("smoothing", "h"), ("pace_spread", "")))
        rates = tuple(
            (f"{k}.{key}", value, network.unit_of(key))
            for k, network in enumerate(self.distinct)
            for key, value in network.quantities.items()
        )
        sensing = listed_numbers("sensor", self.sensors, self.units)
        return (*own, *rates, *sensing, *listed_numbers("perturbation", self.perturbations, self.units))

    # ---- running ----------------------------------------------------------------------------------------------------
    def prepare(self, values: dict[str, float]) -> tuple[Plan, ...]:
        """For each network what it is, whose, and which numbers its sensors and drugs have in this animal."""
        rows = {one.name: row for row, one in enumerate(self.signals)}
        groups: dict[tuple[int, tuple[bool, ...]], list[str]] = {}
        for cell, network in self.networks.items():
            # Types that share a network still differ where a sensor or a drug is of one of them only.
            theirs = tuple(not one.cells or cell in one.cells for one in self._noded())
            groups.setdefault((self.distinct.index(network), theirs), []).append(cell)
        return tuple(made_plan(self, k, tuple(cells), values, rows) for (k, _), cells in groups.items())

    def step(self, see: See, do: Do, p: Any) -> None:
        if not see.count:
            return
        signals = sensed(see, self.signals, {}) if self.signals else np.empty((0, see.count))
        self._refuse_unsound(see, signals)
        columns: dict[str, NDArray[Any]] = {name: see[name].copy() for name in self.sets}
        living = see["cell.death"] == 0
        for plan in p:
            mine = living & np.any([see.is_type(cell) for cell in plan.cells], axis=0)
            rows = np.flatnonzero(mine)
            if rows.size:
                advance_cells(self, plan, see, rows, signals, columns)
        for name, column in columns.items():
            do.set(name, column)

    @cached_property
    def _curved(self) -> frozenset[str]:
        """Signals of which Hill curves are taken."""
        listening = (*self.sensors, *self.perturbations)
        return frozenset(one.sensed.name for one in listening if isinstance(one, HillInput | Dose))

    def _refuse_unsound(self, see: See, signals: NDArray[np.float64]) -> None:
        """Stop at a signal that is no number, or is negative where a Hill curve is to be taken of it."""
        for one, values in zip(self.signals, signals, strict=True):
            if not np.isfinite(values).all() or (one.name in self._curved and values.min() < 0.0):
                raise NumericalError(
                    f"process '{self.role}' at {see.time:g} h (tick {see.tick}): the signal '{one.name}' is negative or not a "
                    "number in some cell"
                )

    def with_shown(self, nodes: Iterable[str]) -> CellNetworks:
        """The same with the activities of further nodes in columns of their own."""
        more = {node: activity_of(node) for node in nodes if node not in self.shown}
        return dataclasses.replace(self, shown={**self.shown, **more}) if more else self
