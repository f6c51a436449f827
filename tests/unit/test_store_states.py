"""States kept of chosen days come back bit for bit, also after the animal is done, and count only when committed."""

from __future__ import annotations

import numpy as np
import pytest
from store_data import open_store, toy_model, toy_study, tree, walk_job

from paget.engine.ensemble.experiment_run import run_study
from paget.errors import DamagedResultError, ResultError
from paget.results.memory import MemoryRecorder
from paget.results.record import animal_folder, read_record
from paget.results.states import state_name

STUDY = toy_study()
STATE = {"x": np.array([1 / 3, np.nan]), "ids": np.array([2**64 - 1], np.uint64), "note": np.array("α")}


def bits(state):
    return {name: (values.dtype, values.shape, values.tobytes()) for name, values in state.items()}


def test_a_state_of_any_hour_has_a_name_of_its_own():
    names = [state_name(hours) for hours in (0.0, 24.0, 288.0, 294.1, 294.1 + 1e-9, 294.2)]
    assert names[:4] == [
        "states/day-000000.npz", "states/day-000001.npz", "states/day-000012.npz", "states/day-000012-6.1h.npz",
    ]  # fmt: skip
    assert names[4] == names[3] != names[5]


@pytest.fixture
def result(tmp_path):
    """A finished toy study, to one animal of which a kept state is added as an animal of its own run would."""
    study = toy_study(replicates=1, arms=[{"name": "control"}])
    folder = animal_folder(tmp_path / "study", study, "control", 0)
    with open_store(folder, study, study_folder=tmp_path / "study") as store:
        store.record_metrics(0.0, {"spread": 0.0, "right": 0.0, "drift": 0.0, "first_far": 0.0})
        store.commit(0.0, {})
        store.keep_state(24.0, {"x": np.zeros(1)})
        store.keep_state(24.0, STATE)
        store.commit(48.0, {"x": np.array([2.0])})
        store.keep_state(54.5, {"x": np.array([3.0])})
        store.commit(240.0, {})
        store.finish(1.0)
    reference = run_study(study, toy_model(), walk_job, out=tmp_path / "other", workers=1)
    return type(reference)(tmp_path / "study", study, reference.manifest)


def test_a_kept_state_comes_back_bit_for_bit_after_the_animal_is_done(result):
    assert result.state_days("control", 0) == (1.0, 54.5 / 24)
    assert bits(result.state("control", 0, 1.0)) == bits(STATE)
    assert result.state("control", 0, 54.5 / 24)["x"] == 3.0
    with pytest.raises(ResultError, match=r"no stored state of day 2; stored days: 1, 2\.27083"):
        result.state("control", 0, 2.0)


def test_a_kept_state_with_a_changed_byte_or_gone_is_refused(result):
    path = result.path / "runs" / "control" / "000" / "states" / "day-000001.npz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(DamagedResultError, match=r"day-000001\.npz is not what was committed"):
        result.state("control", 0, 1.0)
    path.unlink()
    with pytest.raises(DamagedResultError, match=r"day-000001\.npz is missing"):
        result.state("control", 0, 1.0)


def test_a_state_that_was_not_committed_is_dropped_and_kept_again_the_same(tmp_path):
    with open_store(tmp_path / "a", STUDY) as store:
        store.commit(0.0, {})
        store.keep_state(24.0, STATE)
    assert read_record(tmp_path / "a").states == ()
    (tmp_path / "a" / "states").mkdir()
    (tmp_path / "a" / "states" / "day-000001.npz").write_bytes(b"of a process that died inside its commit")
    for name in ("a", "b"):
        with open_store(tmp_path / name, STUDY) as store:
            if store.checkpoint() is None:
                store.commit(0.0, {})
            assert not (tmp_path / name / "states" / "day-000001.npz").exists()
            store.keep_state(24.0, STATE)
            store.commit(24.0, {})
    assert tree(tmp_path / "a") == tree(tmp_path / "b")


def test_a_state_of_the_committed_past_and_python_objects_are_refused(tmp_path):
    for recorder in (open_store(tmp_path / "a", STUDY), MemoryRecorder()):
        recorder.commit(24.0, {})
        with pytest.raises(ResultError, match="already committed"):
            recorder.keep_state(24.0, STATE)
        with pytest.raises(ResultError, match="not Python objects"):
            recorder.keep_state(48.0, {"cells": np.array([{}], dtype=object)})
        recorder.keep_state(48.0, STATE)
        with pytest.raises(ResultError, match="after the last commit"):
            recorder.finish(1.0)


def test_a_recorder_in_memory_keeps_states_too():
    recorder, state = MemoryRecorder(), {"x": np.zeros(2)}
    recorder.keep_state(24.0, state)
    state["x"][:] = 1.0
    recorder.commit(24.0, {})
    assert recorder.state(1.0)["x"].tolist() == [0.0, 0.0]
    with pytest.raises(ResultError, match="No state of day 2"):
        recorder.state(2.0)
