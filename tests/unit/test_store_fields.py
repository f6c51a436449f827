"""Concentrations on disk: a group that xarray opens, one for each site of a body, and the array of the first format."""

from __future__ import annotations

import os
import shutil

import numpy as np
import pytest
from store_data import FIELD_SHAPE, TOY_MODEL, open_store, toy_study, tree, walk

from paget.errors import DamagedResultError, ResultError, UnknownNameError
from paget.results import MemoryRecorder, Result
from paget.results import fields as fields_module
from paget.results.files import make_folder, write_atomic, write_json
from paget.results.manifest import MANIFEST_NAME, RESOLVED_NAME, new_manifest, resolved_study, session
from paget.results.record import animal_folder

STUDY = toy_study()
TISSUE = {key: TOY_MODEL[key] for key in ("domain", "fields")}
BODY = {
    **{key: value for key, value in TOY_MODEL.items() if key not in TISSUE},
    "fields": [],
    "sites": ["lung", "liver", "bone marrow"],
    "tissues": {"lung": TISSUE, "bone marrow": {**TISSUE, "fields": TISSUE["fields"][:1]}},
}
LATE = 96.0


class Sites:
    """Keeps the walk of a toy as that of a body: in the lung until day 8, and from day 4 on in the bone marrow too."""

    def __init__(self, store):
        self._store = store

    def __getattr__(self, name):
        return getattr(self._store, name)

    def record_fields(self, time, values):
        if time < 2 * LATE:
            self._store.record_fields(time, values, "lung")
        if time >= LATE:
            self._store.record_fields(time, values[:1, :, :3] + 1.0, "bone marrow")


class Crash(Exception):
    pass


def kept(folder, model, wrap=lambda store: store, study=STUDY):
    """A result of which the first animal is done."""
    make_folder(folder)
    write_atomic(folder / RESOLVED_NAME, resolved_study(study))
    write_json(folder / MANIFEST_NAME, new_manifest(study, model, session(workers=1)))
    place = animal_folder(folder, study, "control", 0)
    with open_store(place, study, study_folder=folder, model=model) as store:
        walk(study, "control", 0, wrap(store))
        store.finish(1.0)
    return Result.open(folder)


@pytest.fixture(scope="module")
def tissue(tmp_path_factory):
    return kept(tmp_path_factory.mktemp("tissue") / "study", TOY_MODEL)


@pytest.fixture(scope="module")
def body(tmp_path_factory):
    return kept(tmp_path_factory.mktemp("body") / "study", BODY, Sites)


@pytest.fixture(scope="module")
def reference():
    recorder = MemoryRecorder(frames=48)
    walk(STUDY, "control", 0, recorder)
    return recorder


# ---- sites ----------------------------------------------------------------------------------------------------------
def test_each_site_has_fields_days_and_a_grid_of_its_own(body, reference):
    assert body.field_sites == ("lung", "bone marrow")
    assert body.field_days("control", 0, "lung") == (0.0, 2.0, 4.0, 6.0)
    assert body.field_days("control", 0, "bone marrow") == (4.0, 6.0, 8.0, 10.0)
    assert body.field_days("control", 0, "liver") == ()
    assert body.field_days("control", 0) == (0.0, 2.0, 4.0, 6.0, 8.0, 10.0)
    net = body.field("control", 0, 6.0, "net", "lung")
    np.testing.assert_allclose(net, reference.fields(6.0)[1], rtol=2.0**-11)
    oxygen = body.field("control", 0, 8.0, "oxygen", site="bone marrow")
    assert oxygen.shape == (1, 3, 6)
    np.testing.assert_allclose(oxygen, reference.fields(8.0)[0, :, :3] + 1.0, rtol=2.0**-10)


def test_what_is_asked_of_a_site_without_fields_is_refused_with_those_that_have_some(body, tissue):
    with pytest.raises(ResultError, match="name one of those that have any: 'lung', 'bone marrow'"):
        body.field("control", 0, 6.0, "oxygen")
    with pytest.raises(ResultError, match="name one of those"):
        body.to_xarray("fields", "control", 0)
    with pytest.raises(UnknownNameError, match="site with fields 'liver'"):
        body.field("control", 0, 6.0, "oxygen", "liver")
    with pytest.raises(UnknownNameError, match="field 'net'"):
        body.field("control", 0, 6.0, "net", "bone marrow")
    with pytest.raises(ResultError, match="no stored frame of day 8; stored days: 0, 2, 4, 6"):
        body.field("control", 0, 8.0, "oxygen", "lung")
    with pytest.raises(ResultError, match="follows one tissue"):
        tissue.field("control", 0, 6.0, "oxygen", "lung")


def test_a_recorder_in_memory_keeps_fields_by_site(reference):
    recorder = MemoryRecorder(frames=48)
    walk(STUDY, "control", 0, Sites(recorder))
    assert np.array_equal(recorder.fields(4.0, "lung"), reference.fields(4.0))
    with pytest.raises(ResultError, match="day 8 at 'lung'"):
        recorder.fields(8.0, "lung")


def test_a_site_becomes_a_data_set_with_units_and_places(body):
    pytest.importorskip("xarray", reason="xarray comes with the extra 'export'")
    data = body.to_xarray("fields", "control", 0, site="bone marrow")
    assert list(data.data_vars) == ["oxygen"]
    assert data.oxygen.attrs["units"] == "mmHg"
    assert data.attrs["site"] == "bone marrow"
    assert data.y.values.tolist() == [5.0, 15.0, 25.0]
    assert np.array_equal(data.oxygen.sel(day=8.0), body.field("control", 0, 8.0, "oxygen", "bone marrow"))


# ---- the store ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("site", ["", "lung", "bone_marrow"])
def test_xarray_opens_the_store_with_days_places_and_frames_not_yet_written(tissue, body, site):
    xarray = pytest.importorskip("xarray", reason="xarray comes with the extra 'export'")
    path = (body if site else tissue).folder("control", 0) / "fields.zarr"
    data = xarray.open_zarr(path, group=site or None, consolidated=False, chunks=None)
    assert data.concentration.dims == ("day", "species", "z", "y", "x")
    assert data.concentration.attrs["species"] == (["oxygen"] if site == "bone_marrow" else ["oxygen", "net"])
    assert data.day.values.tolist() == [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]
    assert data.x.values.tolist() == [5.0, 15.0, 25.0, 35.0, 45.0, 55.0]
    assert data.x.attrs["units"] == "um"
    written = np.isfinite(data.concentration.values).all(axis=(1, 2, 3, 4)).tolist()
    assert written == {"": [True] * 6, "lung": [True] * 4 + [False] * 2, "bone_marrow": [False] * 2 + [True] * 4}[site]


def first_format(folder):
    """Make ``fields.zarr`` the array itself, as the first format has it."""
    path = folder / "fields.zarr"
    shutil.move(path / "concentration", folder / "array")
    shutil.rmtree(path)
    shutil.move(folder / "array", path)


def test_an_array_of_the_first_format_is_read_and_gone_on_with(tmp_path, tissue):
    place = animal_folder(tmp_path / "study", STUDY, "control", 0)
    with open_store(place, STUDY) as store, pytest.raises(Crash):
        walk(STUDY, "control", 0, _stopping(store, 72.0))
    first_format(place)
    with open_store(place, STUDY) as store:
        walk(STUDY, "control", 0, store)
        store.finish(1.0)
    assert not (place / "fields.zarr" / "concentration").exists()
    for name in (RESOLVED_NAME, MANIFEST_NAME):
        shutil.copy(tissue.path / name, tmp_path / "study" / name)
    result = Result.open(tmp_path / "study")
    for day in result.field_days("control", 0):
        assert np.array_equal(result.field("control", 0, day, "net"), tissue.field("control", 0, day, "net"))
    assert len(result.field_days("control", 0)) == 6


def _stopping(store, after):
    class Stopping:
        def __getattr__(self, name):
            return getattr(store, name)

        def commit(self, time, state):
            store.commit(time, state)
            if time >= after:
                raise Crash

    return Stopping()


def test_opening_drops_sites_and_frames_that_were_not_committed(tmp_path):
    with open_store(tmp_path / "a", STUDY, model=BODY) as store, pytest.raises(Crash):
        walk(STUDY, "control", 0, Sites(_stopping(store, 72.0)))
    before = tree(tmp_path / "a")
    path = tmp_path / "a" / "fields.zarr"
    fields_module.write_frames(path, {2: np.zeros(FIELD_SHAPE, np.float32)}, 6, store._about_fields("lung"), "lung")
    about = store._about_fields("bone marrow")
    fields_module.write_frames(path, {2: np.zeros((1, 1, 3, 6), np.float32)}, 6, about, "bone marrow")
    assert (path / "bone_marrow" / "concentration" / "c.2.0.0.0.0").exists()
    open_store(tmp_path / "a", STUDY, model=BODY).close()
    assert tree(tmp_path / "a") == before


def test_a_damaged_frame_of_a_site_is_named(tmp_path, body):
    shutil.copytree(body.path, tmp_path / "copy")
    result = Result.open(tmp_path / "copy")
    chunk = result.folder("control", 0) / "fields.zarr" / "bone_marrow" / "concentration" / "c.4.0.0.0.0"
    chunk.write_bytes(chunk.read_bytes()[:-3])
    with pytest.raises(DamagedResultError, match=r"bone_marrow.*c\.4\.0\.0\.0\.0"):
        result.field("control", 0, 8.0, "oxygen", "bone marrow")


def test_a_crash_before_any_operation_on_the_fields_of_a_body_changes_nothing_in_the_end(tmp_path, monkeypatch):
    """Each round dies before a later operation, resumes from what is on disk, and must end with the same files."""
    study = toy_study(duration="4 day", record={"metrics": "24 h", "frames": "48 h", "checkpoint": "48 h"})
    left, crashes = 0, 0

    def fragile(original):
        def operation(*arguments, **settings):
            nonlocal left
            left -= 1
            if left == 0:
                raise Crash
            return original(*arguments, **settings)

        return operation

    def live(folder):
        with open_store(folder, study, model=BODY) as store:
            walk(study, "control", 0, Sites(store))
            store.finish(1.0)

    monkeypatch.setattr(os, "fsync", lambda handle: None)  # a dead process loses nothing that it wrote
    live(tmp_path / "reference")
    reference = tree(tmp_path / "reference")
    assert "fields.zarr/bone_marrow/concentration/c.2.0.0.0.0" in reference
    for nth in range(1, 1000):
        folder = tmp_path / str(nth)
        with monkeypatch.context() as patch:
            for module, name in (
                (fields_module, "sync_folder"),
                (fields_module.zarr, "create_array"),
                (fields_module.zarr, "create_group"),
                (fields_module.zarr, "open_array"),
            ):
                patch.setattr(module, name, fragile(getattr(module, name)))
            left = nth
            try:
                live(folder)
                break
            except Crash:
                crashes += 1
        live(folder)
        stored = {name: content for name, content in tree(folder).items() if not name.startswith("checkpoint")}
        assert stored == reference, f"operation {nth}"
    assert crashes > 30


def test_a_body_without_tissues_says_that_it_keeps_no_concentrations(tmp_path):
    plain = {**BODY, "tissues": {}}
    result = kept(tmp_path / "study", plain, lambda store: Sites(_NoFields(store)))
    assert result.field_sites == result.field_days("control", 0) == ()
    with pytest.raises(ResultError, match="keeps no concentrations"):
        result.field("control", 0, 0.0, "oxygen", "lung")
    assert not (result.folder("control", 0) / "fields.zarr").exists()


class _NoFields:
    def __init__(self, store):
        self._store = store

    def __getattr__(self, name):
        return getattr(self._store, name)

    def record_fields(self, time, values, site):
        pass
