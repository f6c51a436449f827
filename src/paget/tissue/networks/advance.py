"""One network in all cells that carry it: from what they sense to the activities of its nodes."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from paget.kernels import boolean, philox
from paget.rules import hill
from paget.signalling.living import level_of, live
from paget.tissue.networks.perturbations import Activator, FractionInhibitor, Silencing, silenced
from paget.tissue.networks.plan import Placed, Plan
from paget.tissue.networks.sensors import ShareInput, Threshold
from paget.vocabulary import VARIABLES

if TYPE_CHECKING:
    from paget.access import See
    from paget.tissue.networks.process import CellNetworks

__all__ = ["DRAWN", "RENEWED", "REST", "advance_cells"]

Real = NDArray[np.float64]
Words = NDArray[np.uint64]
Rows = NDArray[np.int64]
REST, DRAWN, RENEWED = "cell.network_rest", "cell.network_drawn", "cell.network_renewed"


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
    held = _held(plan, see, ids, felt, state, rows)
    doses = (plan.dose_row, *_dosed(plan, see, ids, felt))
    hours = np.full(rows.size, see.dt)
    if plan.pace_spread > 0.0:
        sigma = math.sqrt(math.log1p(plan.pace_spread**2))
        z = philox.normals(_stream(see.key, "pace"), ids, -1, 1)[:, 0]
        hours *= np.exp(sigma * z - 0.5 * sigma**2)
    started = [level_of(state, bits) / len(bits) for _, bits in plan.shown] if new.any() else []
    cells = (state, rest, ids)
    on_time, _ = live(plan.tables, see.threads, *cells, hours, held, doses, plan.watched, see.key, see.tick + 1)
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


def _held(plan: Plan, see: See, ids: NDArray[np.uint64], felt: Real, state: Words, rows: Rows) -> tuple[Words, Words]:
    """Bits that are held on and off [words, n]: inputs at thresholds, knock-outs, mutations, wholly inhibited cells."""
    on, off = np.zeros_like(state), np.zeros_like(state)

    def put(held: Words, bit: int, where: NDArray[np.bool_]) -> None:
        held[bit // 64] |= where.astype(np.uint64) << np.uint64(bit % 64)

    boolean.hold_at_thresholds(felt, *plan.thresholds, state, on, off)
    for one in plan.inputs:
        if not one.what.fluctuates and not isinstance(one.what, Threshold):
            called = _personal(see, ids, f"threshold of {one.what.node}") <= _curve(one, felt[one.row])
            put(on, one.bits[0], called)
            put(off, one.bits[0], ~called)
    for one in plan.activities:
        if one.dose < 0:
            changed = _personal(see, ids, f"activity of {one.what.node}") <= _change(one.number["left"])
            held, other = (off, on) if one.number["left"] < 1.0 else (on, off)
            for bit in one.bits:
                put(held, bit, changed)
                other[bit // 64] &= ~(changed.astype(np.uint64) << np.uint64(bit % 64))
    for one in plan.clamps:
        begins, ends = one.what.span
        if not begins <= see.time < ends:
            continue
        carriers = np.isin(see["cell.clone"][rows], one.what.clones) if one.what.clones else np.ones(ids.size, bool)
        for k, bit in enumerate(one.bits):
            put(on if one.what.level > k else off, bit, carriers)
    for one in plan.doses:
        if isinstance(one.what, FractionInhibitor):
            answering = _personal(see, ids, f"answer of {one.what.node}") <= _effect(one, felt[one.row], see, ids)
            for bit in one.bits:
                put(off, bit, answering)
    on &= ~off
    return on, off


def _change(left: float) -> float:
    """Share of the time in which a node is off, or on, for a gene of which `left` times the normal activity is left."""
    return 1.0 - left if left < 1.0 else 1.0 - 1.0 / left


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
        if not isinstance(one.what, FractionInhibitor):
            side = 0 if isinstance(one.what, Activator) else 1
            level = felt[one.row] if one.row >= 0 else 0.0
            spared[side, one.dose] *= 1.0 - _effect(one, level, see, ids)
    for one in plan.activities:
        if one.dose >= 0:
            left = one.number["left"]
            spared[int(left < 1.0), one.dose] *= 1.0 - _change(left)
    return 1.0 - spared[0], 1.0 - spared[1]
