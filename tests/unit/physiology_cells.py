"""Arguments for the kernels of physiology: arbitrary cells of arbitrary types, and calls that return what was written."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from paget.kernels import physiology, walk

KEY = np.uint64(0x0123456789ABCDEF)
TYPES, PHASES = 3, 4

COMPILED = SimpleNamespace(
    **{
        name: getattr(physiology, name)
        for name in (
            "overlap",
            "ramp",
            "time_to_leave",
            "volume_weights",
            "grown",
            "bursting_time",
            "scale_by_ramp",
            "hazard_budget",
            "exchanged",
        )
    },
    **{name: getattr(walk, name) for name in ("lean_on", "turned")},
    advance_volume=lambda *args: physiology.advance_volume(1, *args),
    advance_cycle=lambda *args: physiology.advance_cycle(1, *args),
    walk=lambda *args: walk.walk(1, *args),
)


def on_threads(threads):
    """The compiled kernels on so many threads."""
    return SimpleNamespace(
        advance_volume=lambda *args: physiology.advance_volume(threads, *args),
        advance_cycle=lambda *args: physiology.advance_cycle(threads, *args),
        walk=lambda *args: walk.walk(threads, *args),
    )


def cells(seed, n):
    """Columns of cells in every state of life and death, and tables of their types."""
    rng = np.random.default_rng(seed)
    total = rng.uniform(200.0, 5000.0, n)
    rates = rng.uniform(0.0, 3.0, (TYPES * 4, 5))
    rates[:, 4] = np.tile([0.75, 0.0, 1.0, 0.0], TYPES)
    rates[::5, 2] = rates[::5, 1]  # equal rates of nucleus and cytoplasm
    flags = np.zeros((TYPES, PHASES), np.int64)
    lengths = np.array([4, 2, 0])
    flags[0] = rng.integers(0, 4, 4)
    flags[1, :2] = rng.integers(0, 4, 2)
    flags[0, rng.integers(4)] |= physiology.DIVIDES
    flags[1, rng.integers(2)] |= physiology.DIVIDES
    kind = rng.integers(0, TYPES, n)
    return SimpleNamespace(
        kind=kind,
        death=rng.integers(0, 4, n),
        ids=rng.integers(0, 2**64, n, dtype=np.uint64),
        owed=np.where(rng.random(n) < 0.5, 0.0, rng.uniform(0.0, 0.3, n)),
        fluid=0.75 * total,
        cytoplasm=0.2 * total,
        nucleus=0.05 * total,
        cytoplasm_target=rng.uniform(100.0, 1000.0, n),
        nucleus_target=rng.uniform(50.0, 300.0, n),
        nuclear_volume=0.2 * total,
        calcified=rng.uniform(0.0, 0.5, n),
        rupture=total * rng.uniform(0.9, 1.3, n),
        volume_rates=rates,
        phase=(rng.random(n) * np.maximum(lengths[kind], 1)).astype(np.int64),
        phase_time=rng.uniform(0.0, 3.0, n),
        budget=np.where(rng.random(n) < 0.3, np.nan, rng.exponential(0.3, n)),
        count=rng.integers(0, 5, n),
        scale=rng.uniform(0.0, 1.0, n),
        own=rng.uniform(0.0, 4.0, (2, n)),
        which=np.array([-1, 0, -1, 1]),
        cycle_rates=rng.uniform(0.0, 5.0, (TYPES, PHASES)),
        flags=flags,
        lengths=lengths,
        pressure=rng.uniform(0.0, 3.0, n),
        guide=rng.normal(size=(3, n)) * (rng.random(n) < 0.8),
        motility=np.column_stack(
            [rng.uniform(0.0, 60.0, TYPES), rng.uniform(0.01, 0.5, TYPES), rng.random(TYPES), [0.0, 1.0, 2.0]]
        ),
        in_plane=np.array([0, 1, 0]),
        heading=np.zeros((3, n)),
    )


def volumes(kernels, c, dt, euler=False, rows=slice(None)):
    """(out [7, n], rings, left) of one tick."""
    n = c.kind[rows].size
    out, rings, left = np.empty((7, n)), np.empty(n), np.empty(n)
    columns = (c.kind, c.death, c.owed, c.fluid, c.cytoplasm, c.nucleus, c.cytoplasm_target, c.nucleus_target)
    more = (c.nuclear_volume, c.calcified, c.rupture)
    each = (one[rows].copy() for one in (*columns, *more))
    kernels.advance_volume(*each, c.volume_rates, dt, euler, out, rings, left)
    return out, rings, left


def cycled(kernels, c, dt, rows=slice(None)):
    """(phase, out [3, n], rings, left, budget, count) after one tick."""
    n = c.kind[rows].size
    budget, count = c.budget[rows].copy(), c.count[rows].copy()
    phase, out, rings, left = np.empty(n, np.int64), np.empty((3, n)), np.empty(n), np.empty(n)
    first = (one[rows].copy() for one in (c.kind, c.death, c.phase, c.phase_time, c.owed))
    then = (one[rows].copy() for one in (c.cytoplasm_target, c.nucleus_target, c.ids, c.scale))
    own = np.ascontiguousarray(c.own[:, rows])
    tables = (c.which, c.cycle_rates, c.flags, c.lengths)
    kernels.advance_cycle(*first, budget, count, *then, own, *tables, dt, KEY, phase, out, rings, left)
    return phase, out, rings, left, budget, count


def walked(kernels, c, dt, tick=3, rows=slice(None), which=(-1, -1, -1)):
    """(heading [3, n], velocity [3, n]) after one tick."""
    n = c.kind[rows].size
    heading, velocity = np.array(c.heading[:, rows], order="C"), np.empty((3, n))
    columns = (one[rows].copy() for one in (c.kind, c.death, c.ids, c.pressure))
    guide, own = np.ascontiguousarray(c.guide[:, rows]), np.ascontiguousarray(c.own[:, rows])
    kernels.walk(*columns, guide, own, np.array(which), c.motility, c.in_plane, dt, tick, KEY, heading, velocity)
    return heading, velocity
