"""VTKHDF files have the layout that VTK's reader asks for, and hold the cells and concentrations of every stored day."""

from __future__ import annotations

import numpy as np
import pytest
from export_data import (
    BODY,
    COHORT,
    NETWORKS,
    SHAPE,
    TISSUE,
    VOXEL,
    columns,
    fields,
    with_networks,
    with_sites,
    written,
)

from paget.errors import ResultError
from paget.io.export import Selection, export

h5py = pytest.importorskip("h5py", reason="HDF5 comes with the extra 'export'")


@pytest.fixture(scope="module")
def tissue(tmp_path_factory):
    return written(tmp_path_factory.mktemp("tissue") / "study", TISSUE, with_networks, fields)


@pytest.fixture(scope="module")
def files(tissue, tmp_path_factory):
    paths = export(tissue, "vtk", tmp_path_factory.mktemp("vtk") / "out")
    assert [path.name for path in paths] == ["control-000.vtkhdf", "control-000-fields.vtkhdf"]
    opened = [h5py.File(path) for path in paths]
    yield tuple(file["VTKHDF"] for file in opened)
    for file in opened:
        file.close()


def texts(root, name):
    return [line.decode() for line in root["FieldData"][name][:]]


def at_step(root, name, step):
    """An array of points as the reader finds it: by the offset of the step and its number of points."""
    steps = root["Steps"]
    offsets = steps["PointOffsets"] if name == "Points" else steps["PointDataOffsets"][name]
    array = root["Points"] if name == "Points" else root["PointData"][name]
    return array[offsets[step] : offsets[step] + root["NumberOfPoints"][step]]


def test_every_day_is_a_step_with_its_own_number_of_points(files):
    cells = files[0]
    assert cells.attrs["Type"] == b"PolyData"
    assert cells["Steps"].attrs["NSteps"] == 3
    assert cells["Steps/Values"][:].tolist() == [0.0, 1.0, 2.0]
    assert cells["NumberOfPoints"][:].tolist() == [60, 53, 46]
    assert len(cells["Points"]) == 159


@pytest.mark.parametrize("step", [0, 1, 2])
def test_points_and_arrays_are_the_cells_of_the_day(files, step):
    exact, root = with_networks(step), files[0]
    places = np.stack([exact[axis] for axis in "xyz"], axis=1)
    assert np.abs(at_step(root, "Points", step) - places).max() <= 1 / 128
    np.testing.assert_array_equal(at_step(root, "id", step), exact["id"])
    assert at_step(root, "id", step).dtype == np.uint64
    np.testing.assert_array_equal(at_step(root, "type", step), exact["type"])
    np.testing.assert_array_equal(at_step(root, "clone", step), exact["clone"])


def test_every_point_is_a_vertex_at_every_step(files):
    root = files[0]
    for step, count in enumerate(root["NumberOfPoints"][:]):
        assert root["Vertices/NumberOfCells"][step] == count
        first = root["Steps/CellOffsets"][step, 0]
        ends = root["Vertices/Offsets"][first : first + count + 1]
        numbers = root["Vertices/Connectivity"][root["Steps/ConnectivityIdOffsets"][step, 0] :][: ends[-1]]
        assert ends.tolist() == list(range(count + 1))
        assert numbers.tolist() == list(range(count))
    assert root["Steps/CellOffsets"].shape == (3, 4)
    assert root["Lines/Offsets"][:].tolist() == [0]


def test_nodes_of_networks_are_arrays_and_their_words_are_not(files):
    exact = with_networks(2)
    expected = np.where(exact["network_drawn"] == 1, exact["network_0"] >> np.uint64(17) & np.uint64(1), 0)
    np.testing.assert_array_equal(at_step(files[0], "node_F17", 2), expected)
    names = set(files[0]["PointData"])
    assert not {"network_0", "network_drawn", "network_rest"} & names
    assert sum(name.startswith("node_") for name in names) == len(NETWORKS[0]["nodes"]) + 1


def test_concentrations_are_one_image_over_time_with_a_cell_for_each_voxel(files):
    root = files[1]
    assert root.attrs["Type"] == b"ImageData"
    assert root.attrs["WholeExtent"].tolist() == [0, SHAPE[2], 0, SHAPE[1], 0, SHAPE[0]]
    assert root.attrs["Spacing"].tolist() == [VOXEL] * 3
    for step in range(3):
        at = root["Steps/CellDataOffsets/net"][step]
        np.testing.assert_allclose(root["CellData/net"][at], fields(step)[1], rtol=2**-11)


def test_units_and_names_behind_codes_are_told(files):
    assert "x: um" in texts(files[0], "units")
    assert "time: day" in texts(files[0], "units")
    assert "wait: h" in texts(files[0], "units")
    assert "field_oxygen: mmHg" in texts(files[1], "units")
    assert texts(files[0], "type_names") == ["fibroblast", "tumour cell", "neutrophil"]
    assert "study: toy" in texts(files[1], "provenance")
    assert texts(files[0], "sources") == ["He and others (2025). 10.1/x"]


def test_texts_are_in_the_one_kind_that_vtk_reads(files):
    """VTK 9.7 dies of texts that HDF5 knows as UTF-8, and of texts in a file over time without sizes at every step."""
    for root in files:
        for name, data in root["FieldData"].items():
            assert h5py.check_string_dtype(data.dtype).encoding == "ascii"
            assert root["Steps/FieldDataSizes"][name][:].tolist() == [[1, len(data)]] * 3
            assert root["Steps/FieldDataOffsets"][name][:].tolist() == [0, 0, 0]


def test_each_site_of_a_body_is_a_file_and_sites_without_cells_are_none(tmp_path):
    body = written(tmp_path / "study", BODY, with_sites)
    paths = export(body, "vtk", tmp_path / "out")
    assert [path.name for path in paths] == ["control-000-primary.vtkhdf", "control-000-lung.vtkhdf"]
    with h5py.File(paths[1]) as file:
        assert set(at_step(file["VTKHDF"], "site", 2).tolist()) == {1}
        assert texts(file["VTKHDF"], "site_names") == ["primary", "lung", "bone marrow"]
    (path,) = export(body, "vtk", tmp_path / "lung.vtkhdf", Selection(sites=("lung",)))
    assert path.name == "lung.vtkhdf"


def test_days_are_narrowed_for_cells_and_fields_alike(tissue, tmp_path):
    for path in export(tissue, "vtk", tmp_path / "out", Selection(days=(1.0,))):
        with h5py.File(path) as file:
            assert file["VTKHDF/Steps/Values"][:].tolist() == [1.0]


def test_a_study_without_fields_has_one_file(tmp_path):
    study = written(tmp_path / "study", {**TISSUE, "networks": []}, columns)
    assert len(export(study, "vtk", tmp_path / "out")) == 1


def test_a_cohort_says_that_it_keeps_no_cells(tmp_path):
    cohort = written(tmp_path / "study", COHORT, None)
    with pytest.raises(ResultError, match="keeps no cells"):
        export(cohort, "vtk", tmp_path / "out")
