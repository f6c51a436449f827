"""Pieces of tissue with known rates, in which cells neither push nor hinder each other, and records made up for tests."""

from __future__ import annotations

import numpy as np
from toy_process import Does

from paget.body.patch import Watched
from paget.body.patch.watch import FLOWS
from paget.process import quantity
from paget.tissue import Apoptosis, CellDefinition, Cells, Cycle, CyclePhase, Interactions, Mechanical, Tissue

CYCLING, DORMANT = "cycling cell", "dormant cell"
WHY = "for this test"


def _cell(name, divides, dies, becomes):
    def rate(value):
        return quantity(f"{value} 1/h", reason=WHY) if value else 0

    live = Cycle(name="live", phases=(CyclePhase(name="live", rate=rate(divides), grows=True, divides=True),))
    return CellDefinition(
        name=name,
        cycle=live if divides else None,
        apoptosis=Apoptosis(rate=rate(dies)),
        mechanics=Mechanical(repulsion=0, adhesion=0),
        interactions=Interactions(becomes={other: rate(value) for other, value in becomes.items() if value}),
    )


def leaves(rate):
    """Cells that cycle leave at a rate, each by itself."""

    def act(see, do):
        do.emit("leave", do.ring(np.full(see.count, rate)))

    return Does(role="leaving", cells=(CYCLING,), may_emit=("leave",), waits=True, act=act)


def plain(b, d, cycling=60, *, dormant=0, wakes=0.0, sleeps=0.0, dies_asleep=0.0, leaving=0.0):
    """A tissue whose cycling cells divide at b and die at d, fall asleep and leave; dormant ones wake and die; all in 1/h."""
    n = cycling + dormant
    places = np.random.default_rng(1).uniform(0.0, 1000.0, (n, 3))
    return Tissue(
        name="plain",
        size=(1000.0, 1000.0, 20.0),
        cells=(_cell(CYCLING, b, d, {DORMANT: sleeps}), _cell(DORMANT, 0.0, dies_asleep, {CYCLING: wakes})),
        placed=Cells(places, (CYCLING,) * cycling + (DORMANT,) * dormant),
        processes=(leaves(leaving),) if leaving else (),
        tick="1 h",
    )


def recorded(times, cycling, **flows):
    """A record of pieces with cycling cells [pieces, n + 1] and flows [pieces, n] that are given, and none else."""
    cycling = np.asarray(cycling, np.int64)
    nothing = np.zeros((cycling.shape[0], cycling.shape[1] - 1), np.int64)
    given = {name.replace("_", " "): np.asarray(values, np.int64) for name, values in flows.items()}
    return Watched(
        np.asarray(times, np.float64),
        cycling,
        np.zeros_like(cycling),
        {name: given.get(name, nothing) for name in FLOWS},
        tuple(np.empty(0, np.int64) for _ in cycling),
    )
