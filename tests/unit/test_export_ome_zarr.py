"""OME-Zarr images hold the concentrations, their scale and their place; label images say which cell is where."""

from __future__ import annotations

import json

import numpy as np
import pytest
import zarr
from export_data import BODY, SHAPE, TISSUE, VOXEL, columns, fields, with_sites, written
from hypothesis import given, settings
from hypothesis import strategies as st

from paget.errors import ResultError
from paget.io.export import Selection, export
from paget.io.export.rasterise import rasterised

FLAT = {**TISSUE, "networks": []}
DEEP_SHAPE = (2, 150, 6)
DEEP = {
    **FLAT,
    "dimensions": 3,
    "domain": {"size_um": [120.0, 3000.0, 60.0], "voxel_um": [20.0, 20.0, 30.0], "shape": list(DEEP_SHAPE)},
}


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return written(tmp_path_factory.mktemp("tissue") / "study", FLAT, columns, fields)


@pytest.fixture(scope="module")
def image(result, tmp_path_factory):
    (path,) = export(result, "ome-zarr", tmp_path_factory.mktemp("ome") / "out")
    assert path.name == "control-000.ome.zarr"
    return zarr.open_group(path, mode="r")


@pytest.fixture(scope="module")
def deep(tmp_path_factory):
    study = written(
        tmp_path_factory.mktemp("deep") / "study",
        DEEP,
        lambda day: columns(day, deep=0),
        lambda day: fields(day, DEEP_SHAPE),
    )
    (path,) = export(study, "ome-zarr", tmp_path_factory.mktemp("ome") / "out", Selection(days=(0.0, 2.0)))
    return zarr.open_group(path, mode="r")


def transformations(group, level=0):
    scale, translation = group.attrs["ome"]["multiscales"][0]["datasets"][level]["coordinateTransformations"]
    return scale["scale"], translation["translation"]


# ---- image --------------------------------------------------------------------------------------------------------
def test_concentrations_are_where_the_axes_say(image, result):
    assert [axis["name"] for axis in image.attrs["ome"]["multiscales"][0]["axes"]] == list("tczyx")
    assert image["0"].shape == (3, 2, *SHAPE)
    np.testing.assert_array_equal(image["0"][2, 1], result.field("control", 0, 2, "net"))


def test_a_voxel_lies_where_the_cells_lie(image):
    scale, translation = transformations(image)
    assert scale == [1.0, 1.0, VOXEL, VOXEL, VOXEL]
    assert translation == [0.0, 0.0, VOXEL / 2, VOXEL / 2, VOXEL / 2]  # of the centre of the first voxel


def test_channels_have_names_units_and_ranges(image, result):
    oxygen, net = image.attrs["ome"]["omero"]["channels"]
    assert (oxygen["label"], net["label"]) == ("oxygen (mmHg)", "net (1/pL)")
    assert net["window"]["max"] == max(float(result.field("control", 0, day, "net").max()) for day in range(3))
    assert oxygen["color"] != net["color"]
    assert (oxygen["active"], net["active"]) == (True, False)


def test_a_coarser_level_holds_means_and_its_own_scale(deep):
    datasets = deep.attrs["ome"]["multiscales"][0]["datasets"]
    assert [entry["path"] for entry in datasets] == ["0", "1"]
    fine, coarse = deep["0"][1, 1], deep["1"][1, 1]
    assert coarse.shape == (2, 75, 3)
    np.testing.assert_allclose(coarse[1, 4, 2], fine[1, 8:10, 4:6].mean(), rtol=1e-6)
    scale, translation = transformations(deep, 1)
    assert scale == [2.0, 1.0, 30.0, 40.0, 40.0]
    assert translation == [0.0, 0.0, 15.0, 20.0, 20.0]


def test_days_that_are_not_evenly_spaced_are_listed(tmp_path):
    study = written(tmp_path / "study", FLAT, columns, fields, days=4)
    (path,) = export(study, "ome-zarr", tmp_path / "out", Selection(days=(0.0, 2.0, 3.0)))
    group = zarr.open_group(path, mode="r")
    assert transformations(group)[0][0] == 1.0
    assert group.attrs["paget"]["days"] == [0.0, 2.0, 3.0]


def test_metadata_are_plain_json_of_version_0_5(image):
    told = json.loads((image.store.root / "zarr.json").read_text())
    assert told["zarr_format"] == 3
    assert told["attributes"]["ome"]["version"] == "0.5"


def test_a_body_keeps_no_fields(tmp_path):
    body = written(tmp_path / "study", BODY, with_sites)
    with pytest.raises(ResultError, match="keeps no fields"):
        export(body, "ome-zarr", tmp_path / "out")


# ---- labels -------------------------------------------------------------------------------------------------------
def test_the_label_at_the_centre_of_a_lonely_cell_is_that_cell(image, result):
    cells = result.cells("control", 0, 1)
    label = {row["id"]: row["label-value"] for row in image["labels/cells"].attrs["ome"]["image-label"]["properties"]}
    picture = np.asarray(image["labels/cells/0"][1, 0])
    (_, _, dy, dx), _ = transformations(image["labels/cells"])
    places, radii = cells[["x", "y"]].to_numpy(), cells["radius"].to_numpy()
    seen = 0
    for k, (x, y) in enumerate(places):
        others = np.delete(np.hypot(*(places - [x, y]).T) - radii, k)
        if others.min() > 2 * VOXEL / 8:
            assert picture[int(y / dy), int(x / dx)] == label[str(cells["id"][k])]
            seen += 1
    assert seen > 10


def test_types_are_painted_where_their_cells_are(image, result):
    kinds = image["labels/cell_types"].attrs["ome"]["image-label"]
    assert {row["label-value"]: row["cell_type"] for row in kinds["properties"]}[2] == "tumour cell"
    assert {row["label-value"]: row["rgba"] for row in kinds["colors"]}[2] == [204, 34, 17, 255]
    whose = {row["label-value"]: row["id"] for row in image["labels/cells"].attrs["ome"]["image-label"]["properties"]}
    of_id = dict(
        zip(result.cells("control", 0, 2)["id"].astype(str), result.cells("control", 0, 2)["type"], strict=True)
    )
    cells, types = np.asarray(image["labels/cells/0"][2]), np.asarray(image["labels/cell_types/0"][2])
    np.testing.assert_array_equal(cells == 0, types == 0)
    for label in np.unique(cells[cells > 0]):
        assert set(types[cells == label]) == {1 if of_id[whose[label]] == "fibroblast" else 2}


def test_labels_have_as_many_levels_as_the_image_and_cover_the_same_ground(deep):
    labels = deep["labels/cells"]
    assert len(labels.attrs["ome"]["multiscales"][0]["datasets"]) == 2
    scale, translation = transformations(labels)
    extent = np.array(labels["0"].shape[1:]) * scale[1:]
    np.testing.assert_allclose(extent, [60.0, 3000.0, 120.0])
    np.testing.assert_allclose(translation[1:], np.array(scale[1:]) / 2)


def slow_twin(centres, radii, labels, shape, edges):
    """Voxel by voxel: the cell with the smallest distance in units of its radius, if that is below 1."""
    picture = np.zeros(shape, np.uint32)
    for z, y, x in np.ndindex(*shape):
        offset = (np.array([x, y, z]) + 0.5) * edges - centres
        if shape[0] == 1:
            offset[:, 2] = 0.0
        depth = np.linalg.norm(offset, axis=1) / radii
        if depth.min() < 1.0:
            picture[z, y, x] = labels[depth.argmin()]
    return picture


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), layers=st.sampled_from([1, 5]), n=st.integers(1, 12))
def test_voxels_belong_to_the_cell_in_which_they_lie_deepest(seed, layers, n):
    random = np.random.default_rng(seed)
    edges = np.array([2.0, 3.0, 4.0])
    shape = (layers, 8, 9)
    centres = random.uniform(0.0, 1.0, (n, 3)) * edges * shape[::-1]
    radii, labels = random.uniform(2.5, 6.0, n), np.arange(1, n + 1, dtype=np.uint32)
    found, expected = rasterised(centres, radii, labels, shape, edges), slow_twin(centres, radii, labels, shape, edges)
    only_small = found[expected == 0]  # cells too small to cover a centre are seen in their own voxel
    assert (only_small > 0).sum() <= n
    np.testing.assert_array_equal(found[expected > 0], expected[expected > 0])


def test_a_cell_smaller_than_a_voxel_is_still_seen():
    found = rasterised(np.array([[1.0, 1.0, 1.0]]), np.array([0.1]), np.array([7], np.uint32), (2, 2, 2), (10.0,) * 3)
    assert found[0, 0, 0] == 7
    assert (found > 0).sum() == 1


def test_a_tissue_without_cells_is_empty():
    found = rasterised(np.zeros((0, 3)), np.zeros(0), np.zeros(0, np.uint32), (1, 2, 2), (10.0,) * 3)
    assert found.shape == (1, 2, 2)
    assert not found.any()
