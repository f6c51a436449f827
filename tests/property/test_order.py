"""A result is a function of seed, animal, model and arm alone: not of any order, interruption, or bystander, bit for bit."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from paget.catalogue import build_model, load_study
from paget.engine.simulate import run_animal
from paget.engine.tick import Stepper
from paget.engine.world import found
from paget.errors import ContractError, NumericalError
from paget.process import Phase, Process
from paget.results.memory import MemoryRecorder
from paget.state import Cells

SETTINGS = [("injected", 2), ("adjuvant", 3), ("neoadjuvant", 2)]
settings = pytest.mark.parametrize(("setting", "dimensions"), SETTINGS)
ARM = "everything"


@pytest.fixture(scope="module")
def usual(small_lung, run, bits):
    """The bits of an undisturbed run, once per setting."""
    known = {}

    def get(setting, dimensions):
        if (setting, dimensions) not in known:
            known[setting, dimensions] = bits(run(*small_lung(setting, dimensions), ARM))
        return known[setting, dimensions]

    return get


def _same(found, expected):
    assert found.keys() == expected.keys()
    assert [name for name in expected if found[name] != expected[name]] == []


# ---- order ------------------------------------------------------------------------------------------------------------
def test_a_run_repeats_and_another_animal_or_seed_differs(small_lung, run, bits, usual):
    model, study = small_lung()
    _same(bits(run(model, study, ARM)), usual("injected", 2))
    for other in (run(model, study, ARM, animal=1), run(model, study.changed(seed=2), ARM)):
        assert bits(other)["state: cells.real"] != usual("injected", 2)["state: cells.real"]


@settings
def test_the_order_in_which_processes_are_listed_does_not_matter(small_lung, run, bits, usual, setting, dimensions):
    model, study = small_lung(setting, dimensions)
    for seed in (1, 2):
        roles = list(model.processes)
        random.Random(seed).shuffle(roles)
        shuffled = model.changed(processes={role: model.processes[role] for role in roles})
        assert list(shuffled.processes) != list(model.processes)
        _same(bits(run(shuffled, study, ARM)), usual(setting, dimensions))


@settings
def test_the_order_in_which_founders_and_newcomers_are_merged_does_not_matter(
    small_lung, run, bits, usual, monkeypatch, setting, dimensions
):
    merge = Cells.restructure
    merged = []

    def shuffled(self, keep, ids, real, whole):
        order = np.random.default_rng(len(merged)).permutation(ids.size)
        merged.append(ids.size)
        merge(self, keep, ids[order], real[:, order], whole[:, order])

    monkeypatch.setattr(Cells, "restructure", shuffled)
    _same(bits(run(*small_lung(setting, dimensions), ARM)), usual(setting, dimensions))
    assert max(merged) > 50
    assert len(merged) > 10


# ---- bystanders -------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, kw_only=True)
class Bystander(Process):
    """Looks at everything, draws random numbers, and adds nothing to anything, in whatever phase it is told."""

    phase: ClassVar[Phase] = Phase.ACT
    role: str = "a_bystander"

    @property
    def on(self):
        return ("fibroblast", "cycling tumour cell")

    @property
    def reads(self):
        return ("cell.damage", "cell.position", "field.cxcl1", "field.net", "body.doxorubicin")

    @property
    def adds(self):
        return (
            "cell.damage",
            "cell.cycle",
            "cell.position",
            "field.cxcl1",
            "field.net",
            "field.laminin",
            "body.serum_c3",
        )

    @property
    def clock(self):
        return False

    def step(self, see, do, p):
        see.normals(2)
        assert see["body.doxorubicin"] >= 0.0
        do.add("cell.damage", 0.0 * see["cell.damage"])
        do.lose("cell.cycle", np.zeros(see.count))
        do.move(0.0 * see["cell.position"])
        do.secrete("field.cxcl1", 0.0 * see.here("field.net"))
        do.lose("field.cxcl1", 0.0 * see["field.cxcl1"])
        do.lose("field.net", 0.0)
        do.transfer("field.laminin", "field.net", 0.0)
        do.add("body.serum_c3", 0.0)


class Early(Bystander):
    """Looks at everything before anyone acts."""

    phase: ClassVar[Phase] = Phase.SENSE


class Late(Bystander):
    """Looks at everything after everyone has acted."""

    phase: ClassVar[Phase] = Phase.TRANSPORT


@settings
@pytest.mark.parametrize("kind", [Early, Bystander, Late])
@pytest.mark.parametrize("role", ["a_bystander", "z_bystander"])
def test_a_process_that_only_looks_changes_no_bit(small_lung, run, bits, usual, setting, dimensions, kind, role):
    model, study = small_lung(setting, dimensions)
    watched = model.with_process(kind(role=role))
    _same(bits(run(watched, study, ARM)), usual(setting, dimensions))


def test_the_kinetics_of_drugs_that_nobody_is_given_change_no_bit(small_lung):
    model, study = small_lung()
    steppers = [Stepper(model, found(model, 1, 0, study.tick), used) for used in (None, frozenset())]
    for stepper in steppers:
        for _ in range(30):
            stepper.step()
    with_all, without = (stepper.world for stepper in steppers)
    assert with_all.cells.real.tobytes() == without.cells.real.tobytes()
    assert with_all.fields.values.tobytes() == without.fields.values.tobytes()


# ---- interruptions ----------------------------------------------------------------------------------------------------
class _Stopped(Exception):
    pass


def _interrupted(model, study, arm, stops, animal=0):
    """Run, stop after each of the given shares of the time, and go on from the last commit."""
    recorder = MemoryRecorder(study.record.frames)
    for stop in stops:

        def interrupt(share, stop=stop):
            if share >= stop:
                raise _Stopped

        with pytest.raises(_Stopped):
            run_animal(model, study, arm, animal, recorder, interrupt)
    run_animal(model, study, arm, animal, recorder)
    return recorder


@settings
@pytest.mark.parametrize("seed", [1, 2])
def test_a_run_that_is_stopped_and_resumed_anywhere_is_the_same_run(small_lung, bits, usual, setting, dimensions, seed):
    stops = sorted(random.Random(f"{setting}{seed}").sample([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9], 3))
    _same(bits(_interrupted(*small_lung(setting, dimensions), ARM, stops)), usual(setting, dimensions))


def test_a_finished_run_that_is_started_again_adds_nothing(small_lung, run, bits):
    model, study = small_lung()
    recorder = run(model, study, "vehicle")
    before = bits(recorder)
    run_animal(model, study, "vehicle", 0, recorder)
    _same(bits(recorder), before)


def test_the_time_of_an_event_survives_an_interruption_after_it(small_lung, run, bits):
    model, study = small_lung()
    early = model.with_parameters({"metastasis_size": 1})
    whole = run(early, study, "vehicle")
    assert whole.metrics["time_to_metastasis"].iloc[-1] == 0.0
    _same(bits(_interrupted(early, study, "vehicle", [0.5, 0.8])), bits(whole))


# ---- pairs ------------------------------------------------------------------------------------------------------------
def test_two_arms_with_the_same_treatment_are_the_same(small_lung, run, bits):
    model, study = small_lung()
    _same(bits(run(model, study, "doxorubicin again")), bits(run(model, study, "doxorubicin")))


def _until(model, study, arm, hours):
    """The recorder of an animal that was stopped once the given time had been committed."""
    recorder = MemoryRecorder(study.record.frames)

    def stop(share):
        if share * study.duration > hours - 1e-6:
            raise _Stopped

    with pytest.raises(_Stopped):
        run_animal(model, study, arm, 0, recorder, stop)
    return recorder


def test_a_parameter_that_an_arm_changes_is_changed_in_that_arm_alone(small_lung, run):
    model, study = small_lung()
    other = study.with_arm("other", like="doxorubicin", parameters={"dormant_death": "2 1/day"})
    usual, changed, again = (run(model, other, arm) for arm in ("doxorubicin", "other", "doxorubicin again"))
    assert changed.metrics["tumour_cells"].iloc[-1] < usual.metrics["tumour_cells"].iloc[-1]
    assert again.metrics.equals(usual.metrics)


def test_until_the_first_dose_every_arm_of_the_study_is_the_untreated_animal(bits):
    study = load_study("lung_awakening").with_options(size=400)
    study = study.changed(record={"metrics": "12 h", "frames": "24 h", "checkpoint": "12 h"})
    model = build_model(study)
    first = {arm.name: min((d.times[0] for d in arm.doses), default=np.inf) for arm in study.arms}
    assert min(first.values()) == 72.0
    untreated = bits(_until(model, study, study.arms[0].name, 72.0))
    for arm in study.arms[1:]:
        _same(bits(_until(model, study, arm.name, 72.0)), untreated)
    later = bits(_until(model, study, study.arms[0].name, 120.0))["state: cells.real"]
    assert bits(_until(model, study, "doxorubicin", 120.0))["state: cells.real"] != later


def test_a_cell_that_the_treatment_does_not_touch_dies_at_the_same_moment_in_both_arms(small_lung, run):
    model, study = small_lung()
    model = model.with_parameters({"dormant_death": "0.3 1/day"})
    dormant, death = model.cell_types.index("dormant tumour cell"), model.event_kinds.index("death")

    def moments(arm, animal=0):
        events = run(model, study, arm, animal).events
        return events[(events["type"] == dormant) & (events["kind"] == death)].set_index("cell")["day"].to_dict()

    untreated, treated, other = moments("vehicle"), moments("doxorubicin"), moments("vehicle", animal=1)
    shared = untreated.keys() & treated.keys()
    assert len(shared) > max(5, 0.8 * len(untreated))
    assert all(untreated[cell] == treated[cell] for cell in shared)
    assert not any(untreated[cell] == other[cell] for cell in untreated.keys() & other.keys())


# ---- a user's own process ---------------------------------------------------------------------------------------------
@dataclass(frozen=True, kw_only=True)
class Macrophages(Process):
    """A user's own mechanism in plain NumPy: macrophages clear traps faster where there are many, within a limit."""

    phase: ClassVar[Phase] = Phase.TRANSPORT
    role: str = "macrophages"
    slip: Callable[[float], float] = lambda time: 0.0

    @property
    def reads(self):
        return ("field.net",)

    @property
    def adds(self):
        return ("field.net",)

    def step(self, see, do, p):
        net = see["field.net"]
        do.lose("field.net", 2.0 * np.minimum(net, 0.1) + self.slip(see.time))


def test_a_process_in_plain_numpy_works_and_is_told_of_in_the_model(small_lung, run):
    model, study = small_lung(days=8)
    busy = model.with_parameters({"activation_background": "0.1 1/h", "neutrophil_entry": "0.05 1/h"})
    cleared = busy.with_process(Macrophages())
    without, with_them = (run(m, study, "vehicle").metrics["net_area"].sum() for m in (busy, cleared))
    assert 0.0 <= with_them < without
    row = next(p for p in cleared.explain() if p["role"] == "macrophages")
    assert row["summary"].startswith("A user's own mechanism")


def test_a_value_that_is_not_a_number_is_refused_with_process_and_time_and_the_last_commit_is_kept(small_lung):
    model, study = small_lung()
    slips = model.with_process(Macrophages(slip=lambda time: np.nan if time >= 30.0 else 0.0))
    recorder = MemoryRecorder(study.record.frames)
    with pytest.raises(NumericalError, match=r"process 'macrophages' at 30 h gives a value for field\.net"):
        run_animal(slips, study, "vehicle", 0, recorder)
    assert recorder.metrics["day"].tolist() == [0.0, 0.5, 1.0]
    run_animal(model, study, "vehicle", 0, recorder)
    assert recorder.metrics["day"].iloc[-1] == 5.0


def test_a_process_that_looks_further_than_it_says_is_refused_in_the_run(small_lung, run):
    class Peeks(Macrophages):
        """Reads the drug without saying so."""

        def step(self, see, do, p):
            see["body.doxorubicin"]

    model, study = small_lung()
    with pytest.raises(ContractError, match=r"process 'macrophages' reads 'body\.doxorubicin'.*it declares field\.net"):
        run(model.with_process(Peeks()), study, "vehicle")
