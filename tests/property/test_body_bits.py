"""A whole body is one thing, bit for bit: stopped with cells in the blood and resumed, on any number of threads, through any
recorder, and with parts that do nothing."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import numpy as np
import pytest

from paget.engine.simulate import run_animal
from paget.results.animal import AnimalStore
from paget.results.memory import MemoryRecorder
from paget.subject import Mechanism

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from small_body import bits, body, forward, life, lived, lung, number, primary, spatial_body, study

TICKS = 30
OPERATIONS = {16: (("primary", 0.0), ("lung", 0.0))}
DOSES = {4: (("doxorubicin", 0.3, 5.0, ""),), 20: (("doxorubicin", 0.0, 5.0, ""),)}
MODES = {"walked": number("1e9"), "mixed": number("12"), "drawn": number("0")}
MAKES = {
    "both spatial": lambda walked: spatial_body(walked=walked),
    "all lumped": lambda walked: body(walked=walked),
    "lung spatial": lambda walked: body((lung(),), walked=walked),
    "primary alone spatial": lambda walked: body((primary(stands_for=number("40")),), walked=walked),
}


def same(one, other):
    first, second = bits(one), bits(other)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


@pytest.fixture(scope="module")
def usual():
    """Lives that were never interrupted, with the state after every tick."""
    known = {}

    def of(make, mode):
        if (make, mode) not in known:
            one = life(MAKES[make](MODES[mode]), drugs=("doxorubicin",))
            states = [one.state()]
            for _ in range(TICKS):
                states.append(forward(one, 1, operations=OPERATIONS, doses=DOSES).state())
            known[make, mode] = one, states
        return known[make, mode]

    return of


@pytest.mark.parametrize("make", MAKES)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("stop", [1, 7, 17, 25])
def test_stopping_in_flight_and_going_on_changes_no_bit(usual, make, mode, stop):
    whole, states = usual(make, mode)
    other = life(MAKES[make](MODES[mode]), drugs=("doxorubicin",))
    other.restore(states[stop])
    assert other.tick == stop
    other_bits = {name: np.asarray(value).tobytes() for name, value in other.state().items()}
    assert other_bits == {name: np.asarray(value).tobytes() for name, value in states[stop].items()}
    forward(other, TICKS - stop, operations=OPERATIONS, doses=DOSES)
    same(whole, other)
    assert other.measure() == whole.measure()


@pytest.mark.parametrize("mode", MODES)
def test_there_are_cells_in_flow_held_and_about_to_leave_where_runs_are_stopped(usual, mode):
    seen = np.zeros(3)
    for make in MAKES:
        _, states = usual(make, mode)
        other = life(MAKES[make](MODES[mode]), drugs=("doxorubicin",))
        for stop in (1, 7, 17, 25):
            other.restore(states[stop])
            traffic = other.traffic
            flowing = traffic.blood.counts().cells + traffic.state()["flow"][:, 0].sum()
            seen += (flowing, traffic.counts().lodged, other.leaving.cells)
    assert (seen > 0).all()


def test_a_state_is_not_changed_by_what_comes_after_it(usual):
    one = life(MAKES["both spatial"](MODES["mixed"]), drugs=("doxorubicin",))
    forward(one, 7, operations=OPERATIONS, doses=DOSES)
    state = one.state()
    before = {name: np.asarray(value).tobytes() for name, value in state.items()}
    forward(one, 12, operations=OPERATIONS, doses=DOSES)
    assert {name: np.asarray(value).tobytes() for name, value in state.items()} == before
    _, states = usual("both spatial", "mixed")
    assert before == {name: np.asarray(value).tobytes() for name, value in states[7].items()}


@pytest.mark.parametrize("mode", MODES)
def test_the_number_of_threads_changes_no_bit(mode):
    of = MAKES["both spatial"](MODES[mode])
    same(lived(of, TICKS, threads=1), lived(of, TICKS, threads=2))


def test_the_order_of_cells_in_memory_changes_no_bit(usual):
    whole, _ = usual("both spatial", "mixed")
    one = life(MAKES["both spatial"](MODES["mixed"]), drugs=("doxorubicin",))
    shuffle = np.random.default_rng(2)
    for _ in range(TICKS):
        for part in one.pieces.values():
            part.world.cells.permute(shuffle.permutation(len(part.world.cells)))
            part.world.cells_changed()
        forward(one, 1, operations=OPERATIONS, doses=DOSES)
    same(whole, one)


def test_looking_changes_no_bit(usual):
    whole, _ = usual("both spatial", "mixed")
    one = life(MAKES["both spatial"](MODES["mixed"]), drugs=("doxorubicin",))
    for _ in range(TICKS):
        forward(one, 1, operations=OPERATIONS, doses=DOSES)
        one.measure()
        one.frame()
        one.events()
        one.state()
    same(whole, one)


def test_a_part_that_does_nothing_and_another_readout_change_no_bit():
    usual_body = spatial_body()
    silent = Mechanism("silence", "body", "Nothing happens.")
    other = usual_body.changed(
        mechanisms=(silent, *usual_body.mechanisms),
        readouts=usual_body.readouts[:3],
        interventions={"CXCR4": number("1")},
    )
    same(lived(usual_body, TICKS), lived(other, TICKS))


def test_the_order_in_which_sites_are_given_changes_no_reading():
    usual_body = spatial_body()
    turned = usual_body.changed(spatial=usual_body.spatial[::-1])
    one, other = lived(usual_body, TICKS), lived(turned, TICKS)
    assert one.measure() == other.measure()
    for name in one.pieces:
        first, second = one.pieces[name].state(), other.pieces[name].state()
        assert all(first[k].tobytes() == second[k].tobytes() for k in first)


class Crash(BaseException):
    """Stands for the death of the process: nothing after it runs."""


class Crashing:
    """Hands everything to a recorder, until the record after a moment."""

    def __init__(self, recorder, after):
        self._recorder, self._after = recorder, after

    def __getattr__(self, name):
        return getattr(self._recorder, name)

    def record_metrics(self, time, values):
        if time > self._after:
            raise Crash
        self._recorder.record_metrics(time, values)


OF_STUDY = study(
    arms=[
        {
            "name": "treated",
            "doses": [{"drug": "doxorubicin", "amount": "5 mg/kg", "at": "3 h"}],
            "resections": [{"site": "primary", "at": "17 h"}],
        }
    ]
)


@pytest.mark.parametrize("make", ["both spatial", "all lumped"])
@pytest.mark.parametrize("mode", MODES)
def test_a_run_that_crashed_ends_as_one_that_did_not(run, make, mode):
    of = MAKES[make](MODES[mode])
    whole = run(of, OF_STUDY, "treated")
    recorder = MemoryRecorder(OF_STUDY.record.frames)
    for after in (9.0, 17.0):
        with pytest.raises(Crash):
            run_animal(of, OF_STUDY, "treated", 0, Crashing(recorder, after))
    run_animal(of, OF_STUDY, "treated", 0, recorder)
    assert _left_behind(recorder) == _left_behind(whole)


def _left_behind(recorder):
    state = {name: np.asarray(value).tobytes() for name, value in (recorder.checkpoint() or {}).items()}
    tables = {"metrics": recorder.metrics, "events": recorder.events}
    tables |= {f"cells {day}": recorder.cells(day) for day in recorder.frame_days}
    return state | {f"{name} {c}": table[c].to_numpy().tobytes() for name, table in tables.items() for c in table}


@pytest.mark.parametrize("make", ["both spatial", "all lumped"])
def test_a_run_that_crashed_leaves_the_same_files_as_one_that_did_not(tmp_path, make):
    of = MAKES[make](MODES["mixed"])
    model = of.describe()

    def opened(folder):
        return AnimalStore.open(folder, study_folder=tmp_path, study=OF_STUDY, arm="treated", animal=0, model=model)

    with opened(tmp_path / "whole") as store:
        run_animal(of, OF_STUDY, "treated", 0, store)
        whole = {name: np.asarray(value).tobytes() for name, value in store.checkpoint().items()}
    for after in (9.0, 17.0):
        with opened(tmp_path / "stopped") as store, pytest.raises(Crash):
            run_animal(of, OF_STUDY, "treated", 0, Crashing(store, after))
    with opened(tmp_path / "stopped") as store:
        run_animal(of, OF_STUDY, "treated", 0, store)
        assert {name: np.asarray(value).tobytes() for name, value in store.checkpoint().items()} == whole
    tables = {path.relative_to(tmp_path / "whole") for path in (tmp_path / "whole").rglob("*.parquet")}
    assert tables
    for path in tables:
        assert (tmp_path / "stopped" / path).read_bytes() == (tmp_path / "whole" / path).read_bytes()


def test_a_life_restores_what_it_was_told_and_nothing_of_its_own():
    """A body at another point of its life takes over a state whole."""
    of = MAKES["both spatial"](MODES["mixed"])
    target, used = lived(of, 9), lived(of, 20)
    used.restore(target.state())
    used.events()
    same(forward(target, 10), forward(used, 10))


def test_bodies_are_values(usual):
    one = MAKES["both spatial"](MODES["mixed"])
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.primary = "lung"
    same(lived(one, 6), lived(one, 6))
