"""One animal on disk: what is committed comes back, what is not is as if it had never been."""

from __future__ import annotations

import errno
import os

import numpy as np
import pyarrow.parquet as pq
import pytest
import zarr
from store_data import FIELD_SHAPE, cells_of, fields_of, open_store, toy_study, tree, walk

from paget.errors import DamagedResultError, FolderInUseError, ResultError, StorageFullError
from paget.results import animal as animal_module
from paget.results import fields as fields_module
from paget.results.files import read_json, write_atomic, write_json
from paget.results.memory import MemoryRecorder
from paget.results.record import SCHEMA_VERSION, read_record

STUDY = toy_study()


class Crash(BaseException):
    """Stands for the death of the process: nothing after it runs."""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reference") / "000"
    with open_store(folder, STUDY) as store:
        walk(STUDY, "control", 0, store)
        store.finish(1.5)
    return folder


@pytest.fixture
def halfway(tmp_path):
    """An animal that was stopped after its second commit, with rows of a third segment recorded."""
    folder = tmp_path / "000"
    with open_store(folder, STUDY) as store, pytest.raises(Crash):
        walk(STUDY, "control", 0, _stopping(store, after=144.0))
    return folder


def _stopping(store, after):
    class Stopping:
        def __getattr__(self, name):
            return getattr(store, name)

        def record_metrics(self, time, values):
            if time > after:
                raise Crash
            store.record_metrics(time, values)

    return Stopping()


def test_a_finished_animal_has_its_tables_and_no_checkpoint(finished):
    record = read_record(finished)
    assert (record.status, record.tries, record.wall_seconds, record.checkpoint) == ("done", 1, 1.5, None)
    assert (record.committed_segment, record.committed_time) == (3, 240.0)
    assert not list(finished.glob("checkpoint*"))
    days = np.concatenate([pq.read_table(p)["time"] for p in sorted((finished / "metrics").iterdir())]) / 24
    assert days.tolist() == list(range(11))


def test_cells_come_frame_by_frame_with_rounded_positions_and_units(finished):
    reference = MemoryRecorder(frames=48)
    walk(STUDY, "control", 0, reference)
    file = pq.ParquetFile(finished / "cells" / "part-000001.parquet")
    assert file.num_row_groups == 2  # hours 96 and 144 of the segment that ends at hour 144
    frame = file.read_row_group(0).to_pandas()
    exact = reference.cells(4.0)
    assert np.abs(frame["x"] - exact["x"]).max() <= 1 / 128
    assert not np.array_equal(frame["x"], exact["x"])
    assert np.array_equal(frame["id"], exact["id"])
    assert frame["radius"].iloc[0] == pytest.approx(np.pi, rel=2.0**-11)
    assert file.schema_arrow.field("x").metadata[b"unit"] == b"um"
    assert file.schema_arrow.metadata[b"paget:schema_version"] == str(SCHEMA_VERSION).encode()


def test_float_columns_are_split_by_byte_and_have_no_dictionary(finished):
    group = pq.ParquetFile(finished / "cells" / "part-000000.parquet").metadata.row_group(0)
    columns = {group.column(i).path_in_schema: group.column(i) for i in range(group.num_columns)}
    assert "BYTE_STREAM_SPLIT" in columns["x"].encodings
    assert not columns["x"].has_dictionary_page
    assert columns["type"].has_dictionary_page
    assert columns["x"].compression == "ZSTD"


def test_fields_open_with_zarr_and_frames_not_yet_written_are_nan(halfway):
    array = zarr.open(halfway / "fields.zarr" / "concentration", mode="r")
    assert array.metadata.zarr_format == 3
    assert array.shape == (6, *FIELD_SHAPE)
    assert array.chunks == (1, *FIELD_SHAPE)
    assert array.attrs["species"] == ["oxygen", "net"]
    reference = MemoryRecorder(frames=48)
    walk(STUDY, "control", 0, reference)
    assert np.allclose(array[2], reference.fields(4.0), rtol=2.0**-11)
    assert np.isnan(array[5]).all()


def test_the_checkpoint_is_exact_while_the_tables_are_rounded(tmp_path):
    state = {"x": np.array([1 / 3]), "ids": np.array([2**64 - 1], np.uint64), "far": np.array(np.nan)}
    with open_store(tmp_path / "a", STUDY) as store:
        store.record_metrics(0.0, {"spread": 1 / 3})
        store.commit(24.0, state)
    with open_store(tmp_path / "a", STUDY) as store:
        back = store.checkpoint()
    assert {name: (v.dtype, v.tobytes()) for name, v in back.items()} == {
        n: (v.dtype, v.tobytes()) for n, v in state.items()
    }


def test_opening_drops_what_was_not_committed(halfway):
    before = tree(halfway)
    (halfway / "metrics" / "part-000009.parquet").write_bytes(b"half")
    (halfway / "checkpoint-000009.npz").write_bytes(b"half")
    (halfway / "fields.zarr" / "concentration" / "c.5.0.0.0.0").write_bytes(b"half")
    (halfway / ".unfinished-1-run.json").write_bytes(b"{")
    (halfway / "cells" / ".unfinished-1-part-000009.parquet").write_bytes(b"half")
    open_store(halfway, STUDY).close()
    assert tree(halfway) == before


def test_a_stopped_and_resumed_animal_is_the_same_to_the_byte(halfway, finished):
    with open_store(halfway, STUDY) as store:
        walk(STUDY, "control", 0, store)
        store.finish(1.0)
    assert tree(halfway) == tree(finished)
    assert read_record(halfway).tries == 2


def test_a_crash_before_or_after_any_file_operation_changes_nothing_in_the_end(tmp_path, monkeypatch):
    """Each round dies at a later operation, resumes from what is on disk, and must end with the same files."""
    study = toy_study(duration="4 day", record={"metrics": "24 h", "frames": "48 h", "checkpoint": "48 h"})
    left, crashes = {"before": 0, "after": 0}, 0

    def fragile(original):
        def operation(*arguments, **settings):
            left["before"] -= 1
            if left["before"] == 0:
                raise Crash
            outcome = original(*arguments, **settings)
            left["after"] -= 1
            if left["after"] == 0:
                raise Crash
            return outcome

        return operation

    def live(folder):
        with open_store(folder, study) as store:
            walk(study, "control", 0, store)
            store.finish(1.0)

    monkeypatch.setattr(
        os, "fsync", lambda handle: None
    )  # a dead process, unlike a dead machine, loses no written data
    live(tmp_path / "reference")
    reference = tree(tmp_path / "reference")
    for when in left:
        for nth in range(1, 1000):
            folder = tmp_path / f"{when}-{nth}"
            with monkeypatch.context() as patch:
                for module, name in (
                    (animal_module, "write_atomic"),
                    (animal_module, "write_record"),
                    (fields_module, "sync_file"),
                    (fields_module.zarr, "create_array"),
                ):
                    patch.setattr(module, name, fragile(getattr(module, name)))
                left.update({"before": 0, "after": 0, when: nth})
                try:
                    live(folder)
                    break
                except Crash:
                    crashes += 1
            if read_record(folder) is None or read_record(folder).status != "done":
                live(folder)
            stored = {name: content for name, content in tree(folder).items() if not name.startswith("checkpoint")}
            assert stored == reference, f"{when} operation {nth}"
    assert crashes > 30


def test_a_full_disk_during_a_commit_keeps_the_commit_before_and_can_be_repeated(tmp_path, monkeypatch, finished):
    folder = tmp_path / "000"
    with open_store(folder, STUDY, study_folder=tmp_path) as store, pytest.raises(Crash):
        walk(STUDY, "control", 0, _stopping(store, after=72.0))

    def full(path, content):
        if "cells" in path.parts:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write_atomic(path, content)

    with monkeypatch.context() as patch, open_store(folder, STUDY, study_folder=tmp_path) as store:
        patch.setattr(animal_module, "write_atomic", full)
        with pytest.raises(StorageFullError, match=f"{tmp_path} --resume"):
            walk(STUDY, "control", 0, store)
    assert read_record(folder).committed_time == 72.0
    with open_store(folder, STUDY) as store:
        walk(STUDY, "control", 0, store)
        store.finish(1.0)
    assert tree(folder) == tree(finished)


def test_a_full_disk_in_the_array_of_fields_is_recognised_too(tmp_path, monkeypatch):
    import zarr.storage._local as local

    def full(*arguments, **settings):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(local, "_put", full)
    with open_store(tmp_path / "a", STUDY) as store, pytest.raises(StorageFullError):
        walk(STUDY, "control", 0, store)


@pytest.mark.parametrize("name", ["metrics/part-000000.parquet", "cells/part-000001.parquet", "checkpoint-000001.npz"])
@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_a_committed_file_that_is_cut_or_gone_is_named_when_the_animal_is_opened(halfway, name, damage):
    path = halfway / name
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-7])
    else:
        path.unlink()
    with pytest.raises(DamagedResultError, match=path.name) as caught:
        open_store(halfway, STUDY)
    assert "Remove the folder of this animal and resume" in str(caught.value)


def test_a_checkpoint_with_a_changed_byte_is_not_resumed_from(halfway):
    path = halfway / "checkpoint-000001.npz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with open_store(halfway, STUDY) as store, pytest.raises(DamagedResultError, match=path.name):
        store.checkpoint()


def test_a_record_of_a_newer_format_or_with_odd_content_is_refused(halfway):
    raw = read_json(halfway / "run.json")
    write_json(halfway / "run.json", {**raw, "schema_version": 99})
    with pytest.raises(DamagedResultError, match=r"newer paget \(format 99; this one reads up to 2\)"):
        open_store(halfway, STUDY)
    write_json(halfway / "run.json", {**raw, "tries": "many"})
    with pytest.raises(DamagedResultError, match=r"run\.json is not a record of a run: tries"):
        open_store(halfway, STUDY)


def test_the_folder_of_another_animal_or_study_is_refused(halfway):
    with pytest.raises(ResultError, match="animal 0 of arm 'control'"):
        open_store(halfway, STUDY, animal=1)
    with pytest.raises(ResultError, match="of another study"):
        open_store(halfway, toy_study(seed=6))


def test_two_processes_cannot_work_on_one_animal(halfway):
    with open_store(halfway, STUDY), pytest.raises(FolderInUseError):
        open_store(halfway, STUDY)
    open_store(halfway, STUDY).close()


def test_a_finished_animal_cannot_be_opened_for_writing(finished):
    with pytest.raises(ResultError, match="finished"):
        open_store(finished, STUDY)


def recorders(tmp_path):
    return [open_store(tmp_path / "a", STUDY), MemoryRecorder(frames=48)]


def test_recording_into_the_committed_past_is_refused(tmp_path):
    for recorder in recorders(tmp_path):
        recorder.record_metrics(24.0, {"spread": 1.0})
        recorder.commit(24.0, {})
        with pytest.raises(ResultError, match="already committed"):
            recorder.record_metrics(24.0, {"spread": 1.0})
        with pytest.raises(ResultError, match="already committed"):
            recorder.record_cells(12.0, cells_of(np.zeros((3, 3))))


def test_finishing_with_uncommitted_records_is_refused(tmp_path):
    for recorder in recorders(tmp_path):
        recorder.commit(24.0, {})
        recorder.record_fields(48.0, fields_of(np.zeros((3, 3))))
        with pytest.raises(ResultError, match="after the last commit"):
            recorder.finish(1.0)


def test_a_commit_before_what_it_should_hold_is_refused(tmp_path):
    for recorder in recorders(tmp_path):
        recorder.record_metrics(48.0, {"spread": 1.0})
        with pytest.raises(ResultError, match="before the readouts recorded at 48 h"):
            recorder.commit(24.0, {})


def test_columns_of_unequal_length_and_changing_readouts_are_refused(tmp_path):
    for recorder in recorders(tmp_path):
        with pytest.raises(ResultError, match="equally long"):
            recorder.record_cells(0.0, {"x": np.zeros(2), "y": np.zeros(3)})
        recorder.record_metrics(0.0, {"spread": 1.0})
        with pytest.raises(ResultError, match="different: drift, spread"):
            recorder.record_metrics(24.0, {"drift": 1.0})


def test_python_objects_in_a_checkpoint_are_refused(tmp_path):
    with open_store(tmp_path / "a", STUDY) as store, pytest.raises(ResultError, match="cells"):
        store.commit(24.0, {"cells": np.array([{}], dtype=object)})


def test_recorded_arrays_may_be_used_again_by_the_caller(tmp_path):
    for recorder in recorders(tmp_path):
        columns, values = cells_of(np.zeros((3, 3))), fields_of(np.zeros((3, 3)))
        recorder.record_cells(0.0, columns)
        recorder.record_fields(0.0, values)
        columns["id"][:] = 0
        values[:] = -1.0
        recorder.commit(24.0, {})
    ids = [3, 3 + 2**57, 3 + 2**58]
    assert recorder.cells(0.0)["id"].tolist() == ids
    assert pq.read_table(tmp_path / "a" / "cells" / "part-000000.parquet")["id"].to_pylist() == ids
    assert recorder.fields(0.0).min() == 0.0
    assert zarr.open(tmp_path / "a" / "fields.zarr")["concentration"][0].min() == 0.0


def test_a_recorder_in_memory_resumes_from_its_last_commit():
    whole, stopped = MemoryRecorder(frames=48), MemoryRecorder(frames=48)
    walk(STUDY, "control", 0, whole)
    with pytest.raises(Crash):
        walk(STUDY, "control", 0, _stopping(stopped, after=168.0))
    walk(STUDY, "control", 0, stopped)
    assert stopped.metrics.equals(whole.metrics)
    assert stopped.events.equals(whole.events)
    assert stopped.frame_days == whole.frame_days == (0.0, 2.0, 4.0, 6.0, 8.0, 10.0)
    with pytest.raises(ResultError, match="there are days 0, 2, 4"):
        whole.cells(3.0)
