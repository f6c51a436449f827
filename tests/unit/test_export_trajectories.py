"""Cells in motion, in the formats of the Simularium viewer and of PhysiCell, say where every cell was and what it was."""

from __future__ import annotations

import json

import numpy as np
import pytest
from stored_results import BIG, BODY, TISSUE, stored

from paget.errors import ResultError
from paget.io.export import Selection, export, simularium
from paget.io.physicell import read_snapshot

ONE = Selection(arms=("control",), animals=(0,))


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return stored(tmp_path_factory.mktemp("tissue") / "result", cells=40)


@pytest.fixture(scope="module")
def body(tmp_path_factory):
    return stored(tmp_path_factory.mktemp("body") / "result", BODY, cells=3)


def agents(document: dict, frame: int) -> np.ndarray:
    """The eleven numbers of every cell of a frame."""
    return np.array(document["spatialData"]["bundleData"][frame]["data"], float).reshape(-1, 11)


# ---- Simularium -----------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def document(result, tmp_path_factory):
    path = tmp_path_factory.mktemp("scene") / "one.simularium"
    assert export(result, "simularium", path, ONE) == (path,)
    return json.loads(path.read_text(encoding="utf-8"))


def test_every_frame_has_its_time_and_its_cells_where_they_were(document, result):
    frames = document["spatialData"]["bundleData"]
    assert [frame["time"] for frame in frames] == [0.0, 48.0, 96.0, 144.0, 192.0, 240.0]
    assert [frame["frameNumber"] for frame in frames] == list(range(6))
    info, cells = document["trajectoryInfo"], result.cells("control", 0, 10.0)
    unit = info["spatialUnits"]["magnitude"]
    found = agents(document, 5)
    assert np.allclose(found[:, 3:6] * unit + [30.0, 25.0, 5.0], cells[["x", "y", "z"]], atol=1e-3)
    assert np.allclose(found[:, 9] * unit, cells["radius"], atol=1e-3)
    names = [info["typeMapping"][str(int(code))]["name"] for code in found[:, 2]]
    assert names == cells["type"].tolist()


def test_the_scene_is_the_tissue_in_a_round_unit_of_length(document):
    info = document["trajectoryInfo"]
    assert info["version"] == 3
    assert info["spatialUnits"] == {"magnitude": 1.0, "name": "µm"}
    assert info["size"] == {"x": 60.0, "y": 50.0, "z": 10.0}
    assert info["timeUnits"] == {"magnitude": 1.0, "name": "h"}
    assert (info["timeStepSize"], info["totalSteps"]) == (48.0, 6)
    assert info["typeMapping"]["0"]["geometry"]["color"] == "#c2185b"


def test_a_large_tissue_is_drawn_in_units_in_which_it_fits_the_viewer(tmp_path):
    model = {**TISSUE, "domain": {"size_um": [1000, 800, 20], "voxel_um": 20.0, "shape": [1, 40, 50]}}
    result = stored(tmp_path / "result", model)
    (path,) = export(result, "simularium", tmp_path / "one.simularium", ONE)
    document = json.loads(path.read_text(encoding="utf-8"))
    info, cells = document["trajectoryInfo"], result.cells("control", 0, 0.0)
    assert info["spatialUnits"] == {"magnitude": 20.0, "name": "µm"}
    assert info["size"] == {"x": 50.0, "y": 40.0, "z": 1.0}
    found = agents(document, 0)
    assert np.allclose(20.0 * found[:, 3:6] + [500.0, 400.0, 10.0], cells[["x", "y", "z"]], atol=1e-2)
    assert np.allclose(20.0 * found[:, 9], cells["radius"], atol=1e-2)


def test_a_cell_keeps_one_small_number_over_all_frames(document, result):
    numbers = {}
    for frame, day in enumerate((0.0, 2.0, 4.0, 6.0, 8.0, 10.0)):
        ids = result.cells("control", 0, day)["id"].tolist()
        for cell, number in zip(ids, agents(document, frame)[:, 1].tolist(), strict=True):
            assert numbers.setdefault(cell, number) == number
    assert sorted(numbers.values()) == list(range(44))


def test_headline_readouts_are_plotted_beside_the_cells(document):
    titles = [plot["layout"]["title"] for plot in document["plotData"]["data"]]
    assert titles == ["Burden", "Onset"]
    assert document["plotData"]["data"][0]["data"][0]["y"] == [2.0, 4.0, 6.0, 8.0, 10.0, 12.0]


def test_too_many_cells_are_thinned_to_the_same_ones_in_every_frame_and_the_file_says_so(result, tmp_path, monkeypatch):
    monkeypatch.setattr(simularium, "MOST", 100)
    (path,) = export(result, "simularium", tmp_path / "scenes", ONE)
    assert path.name == "control-000-1in3.simularium"
    document = json.loads(path.read_text(encoding="utf-8"))
    assert document["trajectoryInfo"]["trajectoryTitle"].endswith("1 in 3 cells shown")
    assert "1 in 3 cells shown" in document["trajectoryInfo"]["modelInfo"]["description"]
    shown = [set(agents(document, frame)[:, 3].tolist()) for frame in range(5)]
    assert shown[0] == shown[1] == shown[4]
    assert 5 < len(shown[0]) < 25  # of 43, one in three


@pytest.mark.parametrize("one_in", [2, 7])
@pytest.mark.parametrize("ids", ["in order", "even", "random"])
def test_thinning_is_even_however_ids_are_given(ids, one_in):
    given = {
        "in order": np.arange(20_000, dtype=np.uint64),
        "even": 2 * np.arange(20_000, dtype=np.uint64),
        "random": np.random.default_rng(1).integers(2**64, size=20_000, dtype=np.uint64),
    }[ids]
    shown = simularium.kept(given, one_in)
    expected, spread = 20_000 / one_in, np.sqrt(20_000 * (1 - 1 / one_in) / one_in)
    assert abs(shown.sum() - expected) < 4 * spread  # six times in 1e5 by chance; the ids are fixed
    assert abs(shown[:2_000].sum() - expected / 10) < 4 * spread / np.sqrt(10)


def test_every_site_of_a_body_is_a_scene_of_its_own(body, tmp_path):
    paths = export(body, "simularium", tmp_path / "scenes", ONE)
    assert [path.name for path in paths] == ["control-000-primary.simularium", "control-000-lung.simularium"]
    lung = json.loads(paths[1].read_text(encoding="utf-8"))
    assert [len(agents(lung, frame)) for frame in range(6)] == [0, 0, 0, 0, 0, 1]


# ---- MultiCellDS ----------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def outputs(result, tmp_path_factory):
    folder = tmp_path_factory.mktemp("output") / "all"
    export(result, "multicellds", folder, ONE)
    return folder / "control-000"


def test_pcdl_reads_every_frame_with_cells_types_and_variables(outputs, result):
    pcdl = pytest.importorskip("pcdl", reason="pcdl is an extra of the tests")
    series = pcdl.TimeSeries(str(outputs), verbose=False).get_mcds_list()
    assert [step.get_time() for step in series] == [0.0, 2880.0, 5760.0, 8640.0, 11520.0, 14400.0]
    table, cells = series[-1].get_cell_df(), result.cells("control", 0, 10.0)
    assert np.allclose(table[["position_x", "position_y", "position_z"]], cells[["x", "y", "z"]])
    assert [str(name) for name in table["cell_type"]] == cells["type"].tolist()
    assert np.allclose(table["radius"], cells["radius"])
    assert np.allclose(table["total_volume"], 4 / 3 * np.pi * cells["radius"] ** 3)
    assert np.allclose(table["erk"], cells["erk"])
    units = series[-1].get_unit_dict()
    assert (units["position_x"], units["founder"], units["age"]) == ("microns", "none", "h")
    assert table["age"].tolist() == [3.0] * len(cells)


def test_pcdl_reads_substrates_where_they_were(outputs, result):
    pcdl = pytest.importorskip("pcdl", reason="pcdl is an extra of the tests")
    step = pcdl.TimeStep(str(outputs / "output00000003.xml"), verbose=False)
    assert step.get_substrate_list() == ["oxygen", "net"]
    assert step.get_unit_dict()["oxygen"] == "mmHg"
    table = step.get_conc_df()
    row = table[(table.mesh_center_m == 25.0) & (table.mesh_center_n == 35.0)].iloc[0]
    assert row.oxygen == result.field("control", 0, 6.0, "oxygen")[0, 3, 2]
    assert row.net == result.field("control", 0, 6.0, "net")[0, 3, 2]


def test_cells_have_one_number_over_all_frames_in_order_of_their_ids(outputs, result):
    pcdl = pytest.importorskip("pcdl", reason="pcdl is an extra of the tests")
    first, last = (
        pcdl.TimeStep(str(outputs / f"output0000000{k}.xml"), verbose=False).get_cell_df().index.tolist()
        for k in (0, 5)
    )
    assert first[:4] == [0, 1, 2, 4]
    assert last[:3] == [2, 3, 4]  # the third cell was there before, the fourth was born since
    assert result.cells("control", 0, 10.0)["id"].tolist()[:2] == [BIG + 3, BIG + 122]


def test_our_own_reader_takes_a_snapshot_back(outputs, result):
    snapshot = read_snapshot(outputs / "initial.xml")
    cells = result.cells("control", 0, 0.0)
    assert snapshot.time == 0.0
    assert [snapshot.types[k] for k in snapshot.kind] == cells["type"].tolist()
    assert np.allclose(snapshot.positions, cells[["x", "y", "z"]])
    assert np.array_equal(snapshot.fields["field.oxygen"], result.field("control", 0, 0.0, "oxygen"))


def test_every_site_of_a_body_is_a_folder_of_its_own(body, tmp_path):
    pcdl = pytest.importorskip("pcdl", reason="pcdl is an extra of the tests")
    export(body, "multicellds", tmp_path / "all", Selection(arms=("control",), animals=(0,), sites=("lung",)))
    assert [path.name for path in (tmp_path / "all").iterdir()] == ["control-000-lung"]
    table = pcdl.TimeStep(str(tmp_path / "all/control-000-lung/output00000005.xml"), verbose=False).get_cell_df()
    assert table["cell_type"].tolist() == ["tumour cell"]
    assert table["clone"].tolist() == [7.0]


@pytest.mark.parametrize("format", ["simularium", "multicellds"])
def test_a_day_without_frames_is_refused_with_the_days_that_there_are(format, result, tmp_path):
    with pytest.raises(ResultError, match="stored days: 0, 2, 4, 6, 8, 10"):
        export(result, format, tmp_path / "all", Selection(days=(3.0,)))
    assert list(tmp_path.iterdir()) == []
