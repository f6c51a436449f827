"""Nothing appears or vanishes without an event: cells, drug and material balance at every tick, in every setting."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from paget.engine.tick import Stepper
from paget.engine.world import found

SETTINGS = [("injected", 2), ("adjuvant", 2), ("neoadjuvant", 3)]
settings = pytest.mark.parametrize(("setting", "dimensions"), SETTINGS)

BUSY = {"neutrophil_entry": "0.05 1/h", "activation_background": "0.05 1/h", "senescence_rate": "0.05 1/h"}


def _ticks(small_lung, setting, dimensions, arm="everything"):
    """The stepper of one animal after every tick of its study."""
    model, study = small_lung(setting, dimensions)
    model = model.with_parameters(BUSY)
    plan = study.arm(arm)
    stepper = Stepper(model, found(model, 5, 0, study.tick))
    for tick in range(round(study.duration / study.tick)):
        begin, end = tick * study.tick, (tick + 1) * study.tick
        given = [a for a in plan.administrations(study.duration) if begin <= a.time < end]
        stepper.world.doses = tuple((a.drug, a.time - begin, a.amount, "") for a in given)
        stepper.world.operations = tuple((r.site, r.at - begin) for r in plan.resections if begin <= r.at < end)
        stepper.step()
        yield stepper


@settings
def test_births_and_deaths_account_for_every_cell_at_every_tick(small_lung, setting, dimensions):
    for stepper in _ticks(small_lung, setting, dimensions):
        stepper.check()
    tally = stepper.tally
    assert tally["died"] > 0
    assert tally["arrived"] > 0
    present = tally["present"] + tally["born"] + tally["arrived"] - tally["died"]
    assert present == len(stepper.world.cells)
    assert len(set(stepper.world.cells.ids.tolist())) == present


@settings
def test_the_record_of_events_tells_the_same_story_as_the_tissue(small_lung, setting, dimensions):
    alive, seen = None, Counter()
    for stepper in _ticks(small_lung, setting, dimensions):
        cells, model = stepper.world.cells, stepper.model
        events = stepper.events.take()
        if alive is None:
            alive = {int(i) for i in found(model, 5, 0, 2.0).cells.ids}
        for kind, cell, other in (
            zip(*(events[n].tolist() for n in ("kind", "cell", "other")), strict=True) if events else ()
        ):
            name = model.event_kinds[kind]
            process = next(p for p in model.ordered if p.emits and p.event == name)
            seen[process.emits[0]] += 1
            if process.emits == ("arrival",):
                alive.add(cell)
            elif process.emits == ("death",):
                alive.remove(cell)
            elif process.emits == ("division",):
                alive.discard(cell)
                alive.add(other)
            else:
                assert cell in alive
        assert alive == {int(i) for i in cells.ids}
    assert {"arrival", "death", "conversion"} <= set(seen)


@settings
def test_drug_given_is_in_the_body_or_eliminated_at_every_tick(small_lung, setting, dimensions):
    for stepper in _ticks(small_lung, setting, dimensions):
        for drug in stepper.model.drugs:
            held = stepper.world.body[drug.amounts.name][:4].sum()
            assert np.isclose(held, stepper.given[drug.name], rtol=1e-11, atol=1e-12), drug.name
    assert all(amount > 0.0 for amount in stepper.given.values())


def test_a_dose_counts_once_wherever_in_the_tick_it_falls(small_lung):
    model, study = small_lung()
    for moment in (0.0, 0.7, 1.999):
        stepper = Stepper(model, found(model, 5, 0, study.tick))
        stepper.world.doses = (("doxorubicin", moment, 2.0, ""), ("doxorubicin", moment, 3.0, ""))
        stepper.step()
        stepper.check()
        assert stepper.given["doxorubicin"] == 5.0


def test_a_resection_removes_the_primary_tumour_and_it_stays_away(small_lung):
    sizes = [s.world.body["body.primary_tumour"] for s in _ticks(small_lung, "adjuvant", 2)]
    at = round(72.0 / 2.0)  # the tick that begins at the operation
    assert min(sizes[:at]) > 0.0
    assert max(sizes[at:]) == 0.0
