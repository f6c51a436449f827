"""Cells injected into a tissue, and types depleted: balanced, labelled, chosen once for each cell, the same in every arm."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from carried_networks import RELAY, carrying

from paget.catalogue.lung import lung_awakening
from paget.engine.animal import TissueAnimal
from paget.errors import StudyError
from paget.experiment import Depletion, Injection

CYCLING, DORMANT = "cycling tumour cell", "dormant tumour cell"


@functools.cache
def lung():
    return lung_awakening({"size": 400})


def animal(model=None):
    return TissueAnimal(model or lung(), 1, 0, 2.0, frozenset())


def ids_of(one, kind):
    return set(one.world.cells.ids[one.world.rows((kind,))].tolist())


def inject(one, *injections):
    one.intervene(injections, ())
    return one


def cells(kind, number, **more):
    return Injection(**{"cells": kind, "number": number, "into": "tissue", **more})


def test_injected_cells_are_new_cells_with_founders_of_their_own_and_the_ledger_balances():
    one = animal()
    before, founders = ids_of(one, CYCLING), int(one.world.cells.column("cell.founder").max())
    inject(one, cells(CYCLING, 7), cells(DORMANT, 3))
    new = one.world.cells.ids[np.isin(one.world.cells.ids, list(ids_of(one, CYCLING) - before))]
    assert new.size == 7
    own = one.world.cells.column("cell.founder")
    assert sorted(own[own > founders]) == list(range(founders + 1, founders + 11))
    one.advance((), ())  # checks births, arrivals and deaths
    assert one.stepper.tally["arrived"] >= 10


def test_injected_cells_start_as_founders_of_their_type_do():
    one = inject(animal(), cells(DORMANT, 200))
    new = one.world.cells.column("cell.founder") >= one.stepper.tally["present"]
    assert (one.world.cells.column("cell.ever_dormant")[new] == 1).all()
    tone = one.world.cells.column("cell.erk_tone")[new]
    # Five standard errors of a mean of 200 normal draws.
    assert tone.mean() == pytest.approx(0.06, abs=5 * 0.02 / np.sqrt(200))
    assert tone.std() == pytest.approx(0.02, rel=0.3)


def test_an_injection_is_an_arrival_in_the_record():
    one = inject(animal(), cells(CYCLING, 4))
    events = one.events()
    assert events is not None
    assert [lung().event_kinds[k] for k in events["kind"]] == ["arrival"] * 4
    assert {lung().cell_types[k] for k in events["type"]} == {CYCLING}


def test_the_same_injection_brings_the_same_cells_whatever_else_is_injected():
    alone, beside = animal(), animal()
    inject(alone, cells(CYCLING, 5))
    inject(beside, cells(DORMANT, 2), cells(CYCLING, 5))
    assert ids_of(alone, CYCLING) == ids_of(beside, CYCLING)
    twice = inject(animal(), cells(CYCLING, 5), cells(CYCLING, 5))
    assert len(ids_of(twice, CYCLING)) == len(ids_of(alone, CYCLING)) + 5


def test_by_the_vein_cells_come_in_where_vessels_are_and_clusters_lie_together():
    one = animal()
    count = len(one.world.cells)
    inject(one, cells(CYCLING, 12, into="tail vein", cluster=4))
    new = np.argsort(one.world.cells.column("cell.founder"))[count:]
    position = one.world.cells.position[:2, new]
    doors = one.world.cells.position[:2, one.world.rows(("capillary",))]
    nearest = np.sqrt(((position[:, ::4, None] - doors[:, None, :]) ** 2).sum(axis=0)).min(axis=1)
    assert (nearest < 6.0).all()  # a capillary has a radius of 4 um
    spread = [np.ptp(position[:, k : k + 4], axis=1).max() for k in (0, 4, 8)]
    assert max(spread) < 60.0


def test_cells_of_a_tissue_that_was_given_cell_by_cell_begin_like_one_of_them():
    one = animal(carrying(RELAY, n=20, columns={"cell.level": np.full(20, 3.0)}).model())
    inject(one, cells("cell", 5))
    assert (one.world.cells.column("cell.level") == 3.0).all()
    assert len(one.world.cells) == 25
    one.advance((), ())


@pytest.mark.parametrize(
    ("injection", "words"),
    [
        (cells("tumour cell", 2), "'tumour cell' can be cycling tumour cell or dormant tumour cell; say which"),
        (cells("capillary", 2, into="liver"), "cannot be injected into 'liver'"),
        (cells("senescent fibroblast", 2), "Unknown cell type 'senescent fibroblast'"),
        (cells(CYCLING, 2e6), "do not fit into a piece of tissue"),
        (Injection(exosomes="lung", amount="10 ug"), "bound for 'lung' need a body"),
    ],
)
def test_what_cannot_be_injected_into_a_tissue_is_refused(injection, words):
    with pytest.raises(StudyError, match=words):
        inject(animal(), injection)


# ---- depletions ---------------------------------------------------------------------------------------------------------
def deplete(one, name, fraction=1.0, begins=True):
    one.intervene((), ((Depletion(cells=name, fraction=fraction), begins),))


def test_a_depletion_takes_its_share_of_a_type_and_each_cell_is_decided_once():
    one = animal()
    everyone = ids_of(one, "fibroblast")
    deplete(one, "fibroblast", 0.4)
    left = ids_of(one, "fibroblast")
    share = 1.0 - len(left) / len(everyone)
    assert share == pytest.approx(0.4, abs=5 * np.sqrt(0.24 / len(everyone)))
    deplete(one, "fibroblast", 0.4, begins=False)
    assert ids_of(one, "fibroblast") == left
    deplete(one, "fibroblast", 0.6, begins=False)
    assert ids_of(one, "fibroblast") < left  # who is hit by less is hit by more


def test_a_depletion_hits_those_that_qualify_the_type_and_no_others():
    one = inject(animal(), cells("neutrophil", 6))
    others = {kind: ids_of(one, kind) for kind in ("fibroblast", DORMANT, CYCLING)}
    turned = np.flatnonzero(one.world.cells.column("cell.type") == lung().cell_types.index("neutrophil"))[:2]
    one.world.cells.column("cell.type")[turned] = lung().cell_types.index("activated neutrophil")
    one.world.cells_changed()
    deplete(one, "neutrophil")
    assert not ids_of(one, "neutrophil") | ids_of(one, "activated neutrophil")
    assert {kind: ids_of(one, kind) for kind in others} == others
    one.advance((), ())
    events = one.events()
    assert events is not None
    assert [lung().event_kinds[k] for k in events["kind"]][:6] == ["arrival"] * 6
    assert [lung().event_kinds[k] for k in events["kind"]].count("death") >= 6


def test_an_animal_goes_on_from_its_state_after_an_injection_and_within_a_depletion():
    def step(one, tick):
        if tick == 1:
            one.intervene((cells(CYCLING, 6, into="tail vein", cluster=2),), ())
        if tick >= 2:
            deplete(one, "neutrophil", 0.5, begins=tick == 2)
        if tick == 6:
            one.intervene((cells(CYCLING, 2),), ())
        one.advance((), ())

    whole, stopped = animal(), animal()
    for tick in range(8):
        step(whole, tick)
    for tick in range(4):
        step(stopped, tick)
    resumed = animal()
    resumed.restore(stopped.state())
    for tick in range(4, 8):
        step(resumed, tick)
    mine, theirs = whole.state(), resumed.state()
    assert all(np.array_equal(mine[name], theirs[name], equal_nan=mine[name].dtype.kind == "f") for name in mine)
