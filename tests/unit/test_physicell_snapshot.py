"""Snapshots are read by pcdl with the names and numbers of PhysiCell, and read back as founders."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from physicell_files import written
from scipy.io import loadmat

from paget.errors import ResultError
from paget.io.physicell import Snapshot, read_settings, read_snapshot, write_snapshot
from paget.io.physicell.snapshot import snapshot_of


@pytest.fixture(scope="module")
def tissue(tmp_path_factory):
    return read_settings(written(tmp_path_factory.mktemp("model")))


@pytest.fixture(scope="module")
def snapshot(tissue) -> Snapshot:
    """Three cells of which one is apoptotic, one necrotic, one alive and in S phase."""
    found = snapshot_of(tissue, tissue.simulation(seed=1, threads=1).run("12 min"))
    columns = {name: np.array(values) for name, values in found.columns.items()}
    tumours = np.flatnonzero(found.kind == 0)
    columns["cell.death"][tumours[0]] = 1
    columns["cell.death_time"][tumours[0]] = 2.5
    columns["cell.phase"][tumours[1]] = 1
    columns["cell.death"][found.kind == 1] = 2
    return dataclasses.replace(found, columns=columns, attached=np.array([[0, 1], [1, 0]]), runtime=3.0)


@pytest.fixture(scope="module")
def folder(snapshot, tmp_path_factory):
    target = tmp_path_factory.mktemp("output")
    write_snapshot(target, "initial", snapshot)
    write_snapshot(target, 0, snapshot)
    write_snapshot(target, 1, dataclasses.replace(snapshot, time=1.0))
    return target


def test_pcdl_reads_cells_with_the_names_and_units_of_physicell(folder, snapshot):
    pcdl = pytest.importorskip("pcdl")
    step = pcdl.TimeStep(str(folder / "output00000001.xml"), verbose=False)
    table = step.get_cell_df()
    assert step.get_time() == 60.0
    assert step.get_celltype_list() == ["tumour", "T cell"]
    assert table[["position_x", "position_y", "position_z"]].to_numpy() == pytest.approx(snapshot.positions)
    assert table.total_volume.to_numpy() == pytest.approx(snapshot.columns["cell.volume"])
    assert [str(name) for name in table.cell_type] == [("tumour", "T cell")[k] for k in snapshot.kind]
    tumours = np.flatnonzero(snapshot.kind == 0)
    hunter = int(np.flatnonzero(snapshot.kind == 1)[0])
    assert (str(table.current_phase[tumours[0]]), str(table.cycle_model[tumours[0]])) == (
        "apoptotic",
        "apoptosis_death_model",
    )
    assert str(table.current_phase[tumours[1]]) == "S_phase"
    assert str(table.current_phase[hunter]) == "necrotic_swelling"
    assert table.elapsed_time_in_phase[tumours[0]] == pytest.approx(150.0)
    assert table["oxygen_uptake_rates"][tumours].to_list() == pytest.approx([1.0, 10.0])
    assert table["tumour_attack_rates"][hunter] == pytest.approx(snapshot.columns["cell.attack_tumour"][hunter] / 60.0)
    assert table["oncoprotein"].to_list() == pytest.approx([1.25] * 3)
    assert table.dead.to_list() == (snapshot.columns["cell.death"] > 0).tolist()


def test_pcdl_reads_fields_at_their_places(folder, snapshot):
    pcdl = pytest.importorskip("pcdl")
    step = pcdl.TimeStep(str(folder / "output00000000.xml"), verbose=False)
    table = step.get_conc_df()
    row = table[(table.mesh_center_m == -90.0) & (table.mesh_center_n == 10.0)].iloc[0]
    assert row.oxygen == pytest.approx(snapshot.fields["field.oxygen"][0, 3, 0])
    assert step.get_substrate_list() == ["oxygen", "signal factor"]
    assert step.get_mesh_spacing() == pytest.approx([20.0, 20.0, 20.0])
    assert step.get_substrate_df().loc["oxygen", "diffusion_coefficient"] == pytest.approx(1e5)


def test_pcdl_reads_graphs_and_series(folder):
    pcdl = pytest.importorskip("pcdl")
    series = pcdl.TimeSeries(str(folder), verbose=False)
    assert [step.get_time() for step in series.get_mcds_list()] == [12.0, 60.0]
    step = series.get_mcds_list()[0]
    assert step.get_spring_graph_dict() == {0: {1}, 1: {0}, 2: set()}
    assert set(step.get_neighbor_graph_dict()) == {0, 1, 2}


def test_matrices_are_of_the_oldest_level_with_x_fastest(folder, snapshot):
    voxels = loadmat(folder / "output00000000_microenvironment0.mat")["multiscale_microenvironment"]
    assert voxels[0, :3].tolist() == [-90.0, -70.0, -50.0]
    assert set(voxels[3]) == {8000.0}
    assert np.array_equal(voxels[4], snapshot.fields["field.oxygen"].ravel())
    head = np.frombuffer((folder / "output00000000_cells.mat").read_bytes()[:20], np.uint32)
    assert head[0] == 0  # level 4, little-endian doubles


def test_a_snapshot_survives_being_written_and_read(folder, snapshot, tissue):
    found = read_snapshot(folder / "output00000000.xml", tissue.cells)
    assert found.time == snapshot.time
    assert found.types == snapshot.types
    assert np.array_equal(found.kind, snapshot.kind)
    assert np.array_equal(found.positions, snapshot.positions)
    assert np.array_equal(found.neighbours, snapshot.neighbours)
    assert np.array_equal(found.attached, snapshot.attached)
    assert (found.origin, found.spacing, found.runtime) == (snapshot.origin, snapshot.spacing, 3.0)
    assert all(np.array_equal(found.fields[name], snapshot.fields[name]) for name in snapshot.fields)
    kept = set(found.columns) & set(snapshot.columns)
    assert {"cell.volume", "cell.fluid", "cell.death", "cell.phase", "cell.injury", "cell.target_nuclear_solid"} <= kept
    alive = snapshot.columns["cell.death"] == 0
    for name in kept:
        if name not in ("cell.phase_time", "cell.death_time", "cell.phase", "cell.rupture_volume"):
            assert found.columns[name] == pytest.approx(snapshot.columns[name], rel=1e-12), name
    assert found.columns["cell.phase"][alive].tolist() == snapshot.columns["cell.phase"][alive].tolist()


def test_swelling_cells_burst_at_the_volume_of_their_type(folder, snapshot, tissue):
    found = read_snapshot(folder / "initial.xml", tissue.cells)
    assert found.columns["cell.rupture_volume"].tolist() == [1.5 * 2494.0 if k == 1 else 0.0 for k in snapshot.kind]


def test_cells_of_a_snapshot_found_a_tissue(folder, snapshot, tissue):
    founders = read_snapshot(folder / "initial.xml", tissue.cells).cells()
    simulation = tissue.changed(placed=founders).simulation(seed=2, threads=1)
    assert len(simulation.cells) == 3
    assert sorted(simulation.cells.volume) == pytest.approx(sorted(snapshot.columns["cell.volume"]))
    assert sorted(simulation.cells.death) == [0, 1, 2]
    simulation.run("6 min")


def test_no_snapshot_is_overwritten(folder, snapshot):
    with pytest.raises(ResultError, match="is there already"):
        write_snapshot(folder, 0, snapshot)


def test_a_damaged_snapshot_is_named(folder, tmp_path):
    (tmp_path / "output00000000.xml").write_text((folder / "output00000000.xml").read_text())
    with pytest.raises(ResultError, match=r"output00000000\.xml is not a snapshot that can be read"):
        read_snapshot(tmp_path / "output00000000.xml")


def test_a_tissue_without_cells_can_be_written(snapshot, tmp_path):
    columns = {name: values[:0] for name, values in snapshot.columns.items()}
    none = np.empty((0, 2), np.int64)
    empty = dataclasses.replace(
        snapshot, positions=np.empty((0, 3)), kind=snapshot.kind[:0], columns=columns, neighbours=none, attached=none
    )
    found = read_snapshot(write_snapshot(tmp_path, 0, empty))
    assert found.positions.shape == (0, 3)
