"""What a network in cells needs in one animal: its tables, and where its sensors and drugs find their signals and nodes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from paget.rules.signals import signal
from paget.signalling import Network, Tables
from paget.signalling.expression import number
from paget.tissue.networks.perturbations import Activity, Antibody, Clamp, Dose, FractionInhibitor, Silencing
from paget.tissue.networks.sensors import Threshold
from paget.units import to_internal

if TYPE_CHECKING:
    from paget.tissue.networks.process import CellNetworks

__all__ = ["Placed", "Plan", "made_plan"]

Real = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Placed:
    """A sensor or a perturbation with its numbers in one animal: where its signal is, which bits it acts on."""

    what: Any
    bits: tuple[int, ...]
    row: int
    number: Mapping[str, float]
    dose: int = -1


@dataclass(frozen=True, eq=False)
class Plan:
    """What one network needs in one animal.

    index : which of the process's networks it is. cells : types that carry it. inputs, doses, clamps, antibodies : what acts
    on it. thresholds : inputs that follow thresholds, as `paget.kernels.boolean.hold_at_thresholds` takes them
    activities : genes that are more or less active. dose_row : row of the doses of each bit, or -1. dosed : how many rows
    shown : column -> bits. watched : row of each bit in the times that they were on, or -1
    """

    index: int
    cells: tuple[str, ...]
    tables: Tables
    inputs: tuple[Placed, ...]
    thresholds: tuple[Rows, Rows, Real, Real, Rows]
    doses: tuple[Placed, ...]
    clamps: tuple[Placed, ...]
    activities: tuple[Placed, ...]
    antibodies: tuple[tuple[int, int, float], ...]
    dose_row: Rows
    dosed: int
    shown: tuple[tuple[str, tuple[int, ...]], ...]
    watched: Rows
    smoothing: float
    pace_spread: float


def made_plan(
    process: CellNetworks, index: int, cells: tuple[str, ...], values: Mapping[str, float], rows: Mapping[str, int]
) -> Plan:
    """Lay out a process's network of that index for types on which the same sensors and drugs act.

    values : the process's numbers. rows : where each signal is
    """
    network = process.distinct[index]

    def mine(kind: str, listed: Sequence[Any]) -> list[tuple[Any, dict[str, float]]]:
        found = []
        for i, one in enumerate(listed):
            if isinstance(one, Antibody) or (one.node in network and (not one.cells or cells[0] in one.cells)):
                start = f"{kind}{i}."
                numbers = {k.removeprefix(start): v for k, v in values.items() if k.startswith(start)}
                # A share that was drawn above 1 for an animal counts as 1.
                found.append((one, {k: min(v, 1.0) if k in ("most", "efficiency") else v for k, v in numbers.items()}))
        return found

    sensors, acting = mine("sensor", process.sensors), mine("perturbation", process.perturbations)
    restless = {one.node: n["switching"] for one, n in sensors if one.fluctuates}
    rates = {key.removeprefix(f"{index}."): v for key, v in values.items() if key.startswith(f"{index}.")}
    tables = Tables.of(_listening(network, restless), rates)
    bits = {node.name: tuple(int(b) for b in np.flatnonzero(tables.owner == i)) for i, node in enumerate(network.nodes)}
    graded = tuple(
        dict.fromkeys(
            [
                *restless,
                *(
                    one.node
                    for one, _ in acting
                    if (isinstance(one, Dose | Silencing) and not isinstance(one, FractionInhibitor))
                    or (isinstance(one, Activity) and one.node not in network.inputs)
                ),
            ]
        )
    )
    dose_row = np.full(len(tables.names), -1, np.int64)
    for row, node in enumerate(graded):
        dose_row[list(bits[node])] = row
    known = {node: row for row, node in enumerate(graded)}

    def placed(one: Any, numbers: Mapping[str, float]) -> Placed:
        row = rows[one.sensed.name] if hasattr(one, "sensed") else -1
        return Placed(one, bits[one.node], row, numbers, known.get(one.node, -1))

    inputs = tuple(placed(one, n) for one, n in sensors)
    shown = tuple((column, bits[node]) for node, column in process.shown.items() if node in network)
    watched = np.full(len(tables.names), -1, np.int64)
    seen = [bit for _, those in shown for bit in those]
    watched[seen] = np.arange(len(seen))
    return Plan(
        index=index,
        cells=cells,
        tables=tables,
        inputs=inputs,
        thresholds=_thresholds(inputs),
        doses=tuple(placed(one, n) for one, n in acting if isinstance(one, Dose | Silencing)),
        clamps=tuple(placed(one, n) for one, n in acting if isinstance(one, Clamp)),
        activities=tuple(placed(one, n) for one, n in acting if isinstance(one, Activity)),
        antibodies=tuple(
            (rows[signal(one.ligand).name], rows[signal(one.signal).name], n["affinity"])
            for one, n in acting
            if isinstance(one, Antibody)
        ),
        dose_row=dose_row,
        dosed=len(graded),
        shown=shown,
        watched=watched,
        smoothing=values["smoothing"],
        pace_spread=values["pace_spread"],
    )


def _thresholds(inputs: tuple[Placed, ...]) -> tuple[Rows, Rows, Real, Real, Rows]:
    steps = [one for one in inputs if isinstance(one.what, Threshold)]
    return (
        np.array([one.row for one in steps], dtype=np.int64),
        np.array([one.bits[0] for one in steps], dtype=np.int64),
        np.array([one.number["on"] for one in steps], dtype=np.float64),
        np.array([one.number["off"] for one in steps], dtype=np.float64),
        np.array([one.what.below for one in steps], dtype=np.int64),
    )


def _listening(network: Network, restless: Mapping[str, float]) -> Network:
    """The network with those inputs falling off at a rate, which an activating signal turns on the share P of the time."""
    per_time = to_internal(f"1 {network.time}", "h")
    changed = [
        dataclasses.replace(network.node(node), logic="0", up=number(0.0), down=number(rate * per_time))
        for node, rate in restless.items()
    ]
    return network.changed(*changed) if changed else network
