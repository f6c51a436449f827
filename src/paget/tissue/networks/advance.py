"""One network in all cells that carry it: from what they sense to the activities of its nodes."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from paget.kernels import boolean, philox
from paget.kernels.neighbours import PIECE
from paget.kernels.team import team
from paget.rules import hill
from paget.rules.signals import signal
from paget.signalling import Network, Tables
from paget.signalling.expression import number
from paget.tissue.networks.perturbations import (
    Activator,
    Antibody,
    Clamp,
    Dose,
    FractionInhibitor,
    Silencing,
    silenced,
)
from paget.tissue.networks.sensors import ShareInput, Threshold
from paget.units import to_internal
from paget.vocabulary import VARIABLES

if TYPE_CHECKING:
    from paget.access import See
    from paget.tissue.networks.process import CellNetworks

__all__ = ["Plan", "advance_cells", "made_plan"]

Real = NDArray[np.float64]
Words = NDArray[np.uint64]
Rows = NDArray[np.int64]
REST, DRAWN, RENEWED = "cell.network_rest", "cell.network_drawn", "cell.network_renewed"


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
    on it. dose_row : row of the doses of each bit, or -1. dosed : how many rows. shown : column -> bits
    watched : row of each bit in the times that they were on, or -1
    """

    index: int
    cells: tuple[str, ...]
    tables: Tables
    inputs: tuple[Placed, ...]
    doses: tuple[Placed, ...]
    clamps: tuple[Placed, ...]
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
                found.append((one, {k.removeprefix(start): v for k, v in values.items() if k.startswith(start)}))
        return found

    sensors, acting = mine("sensor", process.sensors), mine("perturbation", process.perturbations)
    restless = {one.node: n["switching"] for one, n in sensors if one.fluctuates}
    rates = {key.removeprefix(f"{index}."): v for key, v in values.items() if key.startswith(f"{index}.")}
    tables = Tables.of(_listening(network, restless), rates)
    bits = {node.name: tuple(int(b) for b in np.flatnonzero(tables.owner == i)) for i, node in enumerate(network.nodes)}
    graded = tuple(
        dict.fromkeys(
            [*restless, *(one.node for one, _ in acting if isinstance(one, Dose | Silencing) and not _whole(one))]
        )
    )
    dose_row = np.full(len(tables.names), -1, np.int64)
    for row, node in enumerate(graded):
        dose_row[list(bits[node])] = row
    known = {node: row for row, node in enumerate(graded)}

    def placed(one: Any, numbers: Mapping[str, float]) -> Placed:
        row = rows[one.sensed.name] if hasattr(one, "sensed") else -1
        return Placed(one, bits[one.node], row, numbers, known.get(one.node, -1))

    shown = tuple((column, bits[node]) for node, column in process.shown.items() if node in network)
    watched = np.full(len(tables.names), -1, np.int64)
    seen = [bit for _, those in shown for bit in those]
    watched[seen] = np.arange(len(seen))
    return Plan(
        index=index,
        cells=cells,
        tables=tables,
        inputs=tuple(placed(one, n) for one, n in sensors),
        doses=tuple(placed(one, n) for one, n in acting if isinstance(one, Dose | Silencing)),
        clamps=tuple(placed(one, n) for one, n in acting if isinstance(one, Clamp)),
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


def _whole(one: Any) -> bool:
    """Whether a perturbation acts on some cells wholly instead of on all in part."""
    return isinstance(one, FractionInhibitor)


def _listening(network: Network, restless: Mapping[str, float]) -> Network:
    """The network with those inputs falling off at a rate, which an activating signal turns on the share P of the time."""
    per_time = to_internal(f"1 {network.time}", "h")
    changed = [
        dataclasses.replace(network.node(node), logic="0", up=number(0.0), down=number(rate * per_time))
        for node, rate in restless.items()
    ]
    return network.changed(*changed) if changed else network


def advance_cells(
    process: CellNetworks, plan: Plan, see: See, rows: Rows, signals: Real, columns: dict[str, NDArray[Any]]
) -> None:
    """Let the network of the cells in `rows` run for a tick under `signals` [m, n]; writes into `columns` by name."""
    ids = see.ids[rows]
    everyone = rows.size == see.count
    felt = signals if everyone else signals[:, rows]
    felt = _freed(felt, plan.antibodies)
    words = process.words[: plan.tables.words]
    state = np.stack([columns[word][rows] for word in words]).view(np.uint64)
    rest = columns[REST][rows].view(np.uint64)
    new = columns[DRAWN][rows] != plan.index + 1
    _draw_anew(plan, see, ids, state, rest, new, columns, rows)
    hold_on, hold_off = _held(plan, see, ids, felt, state, rows)
    activate, inhibit = _dosed(plan, see, ids, felt)
    hours = np.full(rows.size, see.dt)
    if plan.pace_spread > 0.0:
        sigma = math.sqrt(math.log1p(plan.pace_spread**2))
        z = philox.normals(_stream(see.key, "pace"), ids, -1, 1)[:, 0]
        hours *= np.exp(sigma * z - 0.5 * sigma**2)
    seen = sum(len(bits) for _, bits in plan.shown)
    on_time = np.zeros((seen, rows.size))
    flips = np.zeros(-(-rows.size // PIECE), np.int64)
    started = [_level(state, bits) for _, bits in plan.shown] if new.any() else []
    with team(see.threads, rows.size) as work:
        work(
            boolean.advance,
            state,
            rest,
            ids,
            hours,
            hold_on,
            hold_off,
            plan.dose_row,
            activate,
            inhibit,
            plan.watched,
            on_time,
            flips,
            see.key,
            see.tick + 1,
            *plan.tables.arrays,
        )
    for word, values in zip(words, state, strict=True):
        columns[word][rows] = values.view(np.int64)
    columns[REST][rows] = rest.view(np.int64)
    columns[DRAWN][rows] = plan.index + 1
    share = -math.expm1(-see.dt / plan.smoothing) if plan.smoothing > 0.0 else 1.0
    at = 0
    for k, (column, bits) in enumerate(plan.shown):
        mean = on_time[at : at + len(bits)].sum(axis=0) / (hours * len(bits))
        at += len(bits)
        before = columns[column][rows]
        if started and column not in VARIABLES:  # what others also know comes with the cell
            before = np.where(new, started[k], before)
        columns[column][rows] = before + share * (mean - before)


def _draw_anew(
    plan: Plan,
    see: See,
    ids: NDArray[np.uint64],
    state: Words,
    rest: Words,
    new: NDArray[np.bool_],
    columns: dict[str, NDArray[Any]],
    rows: Rows,
) -> None:
    """Draw the states of cells that had no network of this kind yet, and after birth of nodes that daughters do not inherit."""
    tables = plan.tables
    if new.any():
        state[:, new] = boolean.draw_initial(ids[new], tables.initial, _stream(see.key, f"start {plan.index}"))
        rest[new] = 0
    if RENEWED in columns:
        born = (columns[RENEWED][rows] == 0) & ~new
        if born.any():
            fresh = boolean.draw_initial(ids[born], tables.initial, _stream(see.key, f"birth {plan.index}"))
            kept = np.zeros((tables.words, 1), np.uint64)
            for bit in np.flatnonzero(tables.copied):
                kept[bit // 64] |= np.uint64(1) << np.uint64(bit % 64)
            state[:, born] = (state[:, born] & kept) | (fresh & ~kept)
            rest[born] = 0
        columns[RENEWED][rows] = 1


def _stream(key: np.uint64, name: str) -> np.uint64:
    """A stream of random numbers of its own, by name, so that another drug or sensor changes none."""
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return np.uint64(int(key) ^ int.from_bytes(digest, "little"))


def _personal(see: See, ids: NDArray[np.uint64], name: str) -> Real:
    """A uniform number [n] that each cell keeps for life."""
    found: Real = philox.uniforms(_stream(see.key, name), ids, -1, 1)[:, 0]
    return found


def _freed(signals: Real, antibodies: tuple[tuple[int, int, float], ...]) -> Real:
    """Signals [m, n] with ligands reduced to what antibodies leave free, at equilibrium of one to one binding."""
    if not antibodies:
        return signals
    freed = signals.copy()
    for ligand, antibody, affinity in antibodies:
        total, bound = freed[ligand], signals[antibody]
        excess = total - bound - affinity
        root = np.sqrt(excess**2 + 4.0 * affinity * total)
        # The positive root of L^2 - excess L - affinity total = 0, by the form that loses no digits to a difference.
        left = np.where(
            excess >= 0.0, 0.5 * (excess + root), 2.0 * affinity * total / np.maximum(root - excess, 1e-300)
        )
        freed[ligand] = np.where(bound > 0.0, left, total)
    return freed


def _level(state: Words, bits: tuple[int, ...]) -> Real:
    """Level of a node [n] over its highest."""
    on = np.zeros(state.shape[1])
    for bit in bits:
        on += (state[bit // 64] >> np.uint64(bit % 64) & np.uint64(1)).astype(np.float64)
    return on / len(bits)


def _held(plan: Plan, see: See, ids: NDArray[np.uint64], felt: Real, state: Words, rows: Rows) -> tuple[Words, Words]:
    """Bits that are held on and off [words, n]: inputs at thresholds, knock-outs, mutations, wholly inhibited cells."""
    on, off = np.zeros_like(state), np.zeros_like(state)

    def put(held: Words, bit: int, where: NDArray[np.bool_]) -> None:
        held[bit // 64] |= where.astype(np.uint64) << np.uint64(bit % 64)

    for one in plan.inputs:
        bit, level, what = one.bits[0], felt[one.row], one.what
        if isinstance(what, Threshold):
            was = (state[bit // 64] >> np.uint64(bit % 64) & np.uint64(1)).astype(bool)
            if what.below:
                called = (level < one.number["on"]) | (was & ~(level > one.number["off"]))
            else:
                called = (level > one.number["on"]) | (was & ~(level < one.number["off"]))
        elif not what.fluctuates:
            called = _personal(see, ids, f"threshold of {what.node}") <= _curve(one, level)
        else:
            continue
        put(on, bit, called)
        put(off, bit, ~called)
    for one in plan.clamps:
        begins, ends = one.what.span
        if not begins <= see.time < ends:
            continue
        carriers = np.isin(see["cell.clone"][rows], one.what.clones) if one.what.clones else np.ones(ids.size, bool)
        for k, bit in enumerate(one.bits):
            put(on if one.what.level > k else off, bit, carriers)
    for one in plan.doses:
        if _whole(one.what):
            answering = _personal(see, ids, f"answer of {one.what.node}") <= _effect(one, felt[one.row], see, ids)
            for bit in one.bits:
                put(off, bit, answering)
    on &= ~off
    return on, off


def _curve(one: Placed, level: Real) -> Real:
    share = hill(level, one.number["half"], one.number["hill"])
    found: Real = one.number["most"] * (1.0 - share if getattr(one.what, "falls", False) else share)
    return found


def _effect(one: Placed, level: Real | float, see: See, ids: NDArray[np.uint64]) -> Real:
    """Effect [n] of a drug or of silencing in every cell, from 0 to 1."""
    if isinstance(one.what, Silencing):
        middle = see.time + 0.5 * see.dt
        course = sum(silenced(middle - at, one.number["onset"], one.number["half_life"]) for at in one.what.moments)
        top, share = one.number["efficiency"], min(course, 1.0)
    else:
        top, share = one.number["most"], hill(level, one.number["half"], one.number["hill"])
    tops = np.full(ids.size, top)
    if one.number["spread"] > 0.0:
        z = philox.normals(_stream(see.key, f"efficacy on {one.what.node}"), ids, -1, 1)[:, 0]
        tops = np.clip(top + one.number["spread"] * z, 0.0, 1.0)
    found: Real = tops * share
    return found


def _dosed(plan: Plan, see: See, ids: NDArray[np.uint64], felt: Real) -> tuple[Real, Real]:
    """Doses (activating, inhibiting) [rows, n] on the nodes that have any; several on one combine as independent events."""
    spared = np.ones((2, plan.dosed, ids.size))
    for one in plan.inputs:
        if one.what.fluctuates:
            level = felt[one.row]
            share = np.clip(level, 0.0, 1.0) if isinstance(one.what, ShareInput) else _curve(one, level)
            spared[0, one.dose] *= 1.0 - share
    for one in plan.doses:
        if not _whole(one.what):
            side = 0 if isinstance(one.what, Activator) else 1
            level = felt[one.row] if one.row >= 0 else 0.0
            spared[side, one.dose] *= 1.0 - _effect(one, level, see, ids)
    return 1.0 - spared[0], 1.0 - spared[1]
