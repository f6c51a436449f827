"""What is recorded of a body: concentrations by site, clones of cells, states of networks, and the largest metastasis."""

from __future__ import annotations

import math

import numpy as np
import pytest
import zarr
from carried_networks import carrying, network
from small_body import body, forward, life, lived, lung, number, primary, small_tissue_model, spatial_body, study

from paget.body.whole.piece import SpatialSite
from paget.catalogue import check_study
from paget.engine.simulate import run_animal
from paget.errors import ResultError
from paget.io.export import Selection, export
from paget.io.study_file import check_study_file
from paget.results import AnimalStore, MemoryRecorder, Result
from paget.results.files import make_folder, write_atomic, write_json
from paget.results.manifest import MANIFEST_NAME, RESOLVED_NAME, new_manifest, resolved_study, session
from paget.results.record import animal_folder
from paget.signalling import Node

DENSITY = 1e-3  # cells in a um3, as a million in a mm3
RELAY = network(Node(name="Ligand", initial=0.5), Node(name="Receptor", logic="Ligand"))
OTHER = network(Node(name="Ligand", initial=0.5), Node(name="Effector", logic="!Ligand"), name="other")
TAKEN = [{"name": "vehicle", "resections": [{"site": "primary", "at": "14 h"}]}]


def kept(folder, subject, plan):
    """A result of one animal of a body."""
    make_folder(folder)
    write_atomic(folder / RESOLVED_NAME, resolved_study(plan))
    model = subject.describe()
    write_json(folder / MANIFEST_NAME, new_manifest(plan, model, session(workers=1)))
    arm = plan.arm_names[0]
    place = animal_folder(folder, plan, arm, 0)
    with AnimalStore.open(place, study_folder=folder, study=plan, arm=arm, animal=0, model=model) as store:
        run_animal(subject, plan, arm, 0, store)
        store.finish(1.0)
    return Result.open(folder)


def still(name, network):
    """A site of nine cells that stand still and carry a network."""
    return SpatialSite(
        name=name,
        model=carrying(network, n=9).model(),
        tumour=("cell",),
        newcomer="cell",
        nodule=number("8"),
        reach=number("22 um"),
        host=False,
    )


def graded():
    """A primary and a lung in which oxygen falls towards one wall, to different levels."""
    return body(
        (
            primary(model=small_tissue_model(wall="5 mmHg")),
            lung(model=small_tissue_model(cells=6, leaving="0.01 1/h", wall="20 mmHg")),
        )
    )


@pytest.fixture(scope="module")
def taken(tmp_path_factory):
    """The primary and the lung cell by cell, of which the primary is taken out on the way."""
    return kept(tmp_path_factory.mktemp("taken") / "study", graded(), study(arms=TAKEN))


@pytest.fixture(scope="module")
def wired(tmp_path_factory):
    """Cells of the lung and of the liver carry networks that share a node, cells of the primary none."""
    sites = (primary(), still("lung", RELAY), still("liver", OTHER))
    return kept(tmp_path_factory.mktemp("wired") / "study", body(sites), study())


# ---- concentrations -------------------------------------------------------------------------------------------------
def test_fields_of_each_piece_are_recorded_until_it_is_taken_out(taken):
    assert taken.field_sites == ("primary", "lung")
    assert taken.field_days("vehicle", 0, "primary") == (0.0, 8 / 24)
    assert taken.field_days("vehicle", 0, "lung") == (0.0, 8 / 24, 16 / 24, 1.0)
    recorder = MemoryRecorder(8.0)
    run_animal(graded(), study(arms=TAKEN), "vehicle", 0, recorder)
    for site, day in (("primary", 8 / 24), ("lung", 1.0)):
        exact = recorder.fields(day, site)
        assert exact.shape == (1, 1, 8, 8)
        np.testing.assert_allclose(taken.field("vehicle", 0, day, "oxygen", site), exact[0], rtol=2.0**-11)
    assert not np.array_equal(recorder.fields(8 / 24, "primary"), recorder.fields(8 / 24, "lung"))


def test_fields_go_on_from_a_stop_as_if_nothing_had_happened():
    whole, stopped = MemoryRecorder(8.0), MemoryRecorder(8.0)
    run_animal(graded(), study(), "vehicle", 0, whole)

    class Stop(Exception):
        pass

    def stop(share):
        if share > 0.5:
            raise Stop

    with pytest.raises(Stop):
        run_animal(graded(), study(), "vehicle", 0, stopped, stop)
    run_animal(graded(), study(), "vehicle", 0, stopped)
    for site in ("primary", "lung"):
        assert np.array_equal(whole.fields(1.0, site), stopped.fields(1.0, site))
        assert np.ptp(whole.fields(1.0, site)) > 10.0


def test_the_manifest_tells_the_grid_and_the_fields_of_each_site(taken):
    lung_tissue = taken.model["tissues"]["lung"]
    assert lung_tissue["domain"] == {"size_um": [160.0, 160.0, 20.0], "voxel_um": 20.0, "shape": [1, 8, 8]}
    assert [(row["name"], row["unit"]) for row in lung_tissue["fields"]] == [("oxygen", "mmHg")]
    assert "liver" not in taken.model["tissues"]


# ---- other tools ----------------------------------------------------------------------------------------------------
def test_images_of_a_body_are_one_for_each_site_with_the_cells_of_that_site(taken, tmp_path):
    paths = {path.name: path for path in export(taken, "ome-zarr", tmp_path / "all")}
    assert sorted(paths) == ["vehicle-000-lung.ome.zarr", "vehicle-000-primary.ome.zarr"]
    image = zarr.open_group(paths["vehicle-000-lung.ome.zarr"], mode="r")
    assert image.attrs["paget"]["site"] == "lung"
    oxygen = taken.field("vehicle", 0, 1.0, "oxygen", "lung")
    assert np.array_equal(np.asarray(image["0"])[3, 0], oxygen)
    frame = taken.cells("vehicle", 0, 0.0)
    assert (
        image["labels/cells/0"][0].max()
        <= image["labels/cells"].attrs["ome"]["image-label"]["properties"][-1]["label-value"]
    )
    shown = np.unique(image["labels/cells/0"][0])
    assert shown[shown > 0].size == (frame["site"] == "lung").sum()
    (only,) = export(taken, "ome-zarr", tmp_path / "one", Selection(sites=("primary",)))
    assert only.name == "vehicle-000-primary.ome.zarr"
    with pytest.raises(ResultError, match="sites with fields: primary, lung"):
        export(taken, "ome-zarr", tmp_path / "none", Selection(sites=("liver",)))


def test_fields_of_a_body_open_in_paraview_by_site(taken, tmp_path):
    h5py = pytest.importorskip("h5py", reason="VTKHDF files come with the extra 'export'")
    names = [path.name for path in export(taken, "vtk", tmp_path / "out")]
    assert [name for name in names if "fields" in name] == [
        "vehicle-000-primary-fields.vtkhdf",
        "vehicle-000-lung-fields.vtkhdf",
    ]
    with h5py.File(tmp_path / "out" / "vehicle-000-lung-fields.vtkhdf") as file:
        root = file["VTKHDF"]
        assert root.attrs["Spacing"].tolist() == [20.0, 20.0, 20.0]
        assert np.array_equal(root["CellData/oxygen"][3], taken.field("vehicle", 0, 1.0, "oxygen", "lung"))


def test_cells_of_a_body_know_the_concentration_of_their_own_site(taken):
    pytest.importorskip("anndata", reason="AnnData comes with the extra 'export'")
    both = taken.to_anndata("vehicle", 0, 8 / 24)
    assert both.uns["paget"]["units"]["field_oxygen"] == "mmHg"
    for site in ("primary", "lung"):
        rows = (both.obs["site"] == site).to_numpy()
        x, y = (both.obsm["spatial"][rows] // 20.0).astype(int).clip(0, 7).T
        levels = taken.field("vehicle", 0, 8 / 24, "oxygen", site)[0, y, x]
        assert rows.sum() > 0
        assert np.array_equal(both.obs["field_oxygen"].to_numpy()[rows], levels)


# ---- networks -------------------------------------------------------------------------------------------------------
def test_cells_of_each_site_show_the_network_that_their_own_tissue_carries(wired):
    pytest.importorskip("anndata", reason="AnnData comes with the extra 'export'")
    day, frame = 1.0, wired.cells("vehicle", 0, 1.0)
    assert frame["network_0"].dtype == np.uint64
    made = wired.to_anndata("vehicle", 0, day)
    assert set(made.var_names) == {"Ligand", "Receptor", "Effector"}
    assert made.obs["network"].groupby(made.obs["site"], observed=True).unique().map(list).to_dict() == {
        "liver": ["other"],
        "lung": ["small"],
        "primary": ["none"],
    }
    for site, carried in (("lung", RELAY), ("liver", OTHER)):
        rows = (frame["site"] == site).to_numpy()
        words = frame["network_0"].to_numpy()[rows]
        for bit, node in enumerate(carried.names):
            assert np.array_equal(made[rows, node].X.ravel(), (words >> np.uint64(bit) & np.uint64(1)).astype(float))
    assert made[(frame["site"] == "primary").to_numpy()].X.max() == 0.0
    of_lung = wired.to_anndata("vehicle", 0, day, ("lung",))
    assert list(of_lung.var_names) == list(RELAY.names)
    assert of_lung.uns["paget"]["X"] == "states of network nodes"
    assert 0.0 < of_lung.X.mean() < 1.0


def test_files_of_a_site_hold_the_nodes_of_its_own_network(wired, tmp_path):
    h5py = pytest.importorskip("h5py", reason="VTKHDF files come with the extra 'export'")
    export(wired, "vtk", tmp_path / "out")
    for site, nodes in (("lung", RELAY.names), ("liver", OTHER.names), ("primary", ())):
        with h5py.File(tmp_path / "out" / f"vehicle-000-{site}.vtkhdf") as file:
            found = {name for name in file["VTKHDF/PointData"] if name.startswith("node_")}
        assert found == {f"node_{node}" for node in nodes}


# ---- clones ---------------------------------------------------------------------------------------------------------
def test_events_of_cells_in_a_tissue_tell_their_clone():
    one = life(spatial_body())
    started = one.frame()
    known = dict(zip(started["id"].tolist(), started["clone"].tolist(), strict=True))
    kinds, seen = one.body.event_kinds, set()
    for _ in range(30):
        forward(one, 1)
        events = one.events()
        for k in range(0 if events is None else events["kind"].size):
            kind, clone = kinds[events["kind"][k]], int(events["clone"][k])
            cell, other = int(events["cell"][k]), int(events["other"][k])
            if kind == "arrival":
                known.setdefault(cell, clone)
            elif cell in known:
                assert clone == known[cell]
                seen.add((kind, clone))
                known.setdefault(other, clone)
    assert {("division", clone) for clone in range(4)} <= seen
    assert {("intravasation", clone) for clone in range(4)} <= seen


def test_a_tumour_that_is_taken_out_is_told_cell_by_cell_with_clones(taken):
    events = taken.events("vehicle", 0)
    out = events[(events["kind"] == "resection") & (events["site"] == "primary")]
    assert set(out["clone"]) == {0, 1, 2, 3}


# ---- the largest metastasis -----------------------------------------------------------------------------------------
def test_the_largest_metastasis_is_the_sphere_of_the_cells_of_the_largest_lesion():
    one = lived(body(founders=number("5000 cell")), 60)
    cells, site = one.lesions.column("cells"), one.lesions.column("site")
    outside = cells[site != one.lesions.names.index("primary")]
    assert outside.max() > 1.0
    assert cells.max() > outside.max()  # the primary, which is none
    assert one.measure()["largest_metastasis"] == pytest.approx(
        (6.0 / math.pi * outside.max() / DENSITY) ** (1 / 3) / 1e3
    )
    million = (6.0 / math.pi * 1e6 / DENSITY) ** (1 / 3) / 1e3
    assert million == pytest.approx(1.2407, abs=1e-4)  # the sphere of a mm3


def test_a_colony_in_a_section_is_the_disc_of_the_largest_metastasis():
    site = lung(model=small_tissue_model(cells=16, leaving="0.000001 1/h", doubling="9000 h"))
    one = life(body((site,), ("primary", "lung", "liver", "other"), founders=number("1 cell")))
    assert one.measure()["largest_metastasis"] == pytest.approx(math.sqrt(4 / math.pi * 16 / (DENSITY * 20.0)) / 1e3)
    assert life(body((primary(),))).measure()["largest_metastasis"] == 0.0


def test_a_body_that_does_not_ask_for_sizes_does_not_name_the_density():
    asked = body()
    plain = body(readouts=tuple(r for r in asked.readouts if r.name != "largest_metastasis"))
    assert "lesion_density" in asked.numbers_used()
    assert "lesion_density" not in plain.numbers_used()
    assert "largest_metastasis" not in life(plain).measure()


def test_a_dose_waits_until_a_metastasis_is_large():
    subject = body(founders=number("5000 cell"))
    dose = {"drug": "doxorubicin", "amount": "5 mg/kg", "at": "when largest_metastasis reaches 0.03 mm"}
    plan = study(duration="60 h", arms=[{"name": "waits", "doses": [dose]}])
    recorder = MemoryRecorder(8.0)
    run_animal(subject, plan, "waits", 0, recorder)
    course = recorder.metrics.set_index("day")["largest_metastasis"]
    reached = course.index[(course >= 0.03).to_numpy()][0]
    assert 0.0 < reached < 2.5
    assert recorder.moments == {"largest_metastasis reaches 0.03 mm": pytest.approx(24.0 * reached)}


def test_a_study_file_may_wait_for_the_largest_metastasis_of_the_mouse(tmp_path):
    path = tmp_path / "mine.yaml"
    text = "base: cascade_mouse\narms:\n  - name: late\n    versus: vehicle\n    doses:\n      - drug: doxorubicin\n"
    path.write_text(text + "        amount: 5 mg/kg\n        at: when largest_metastasis reaches 2 mm\n")
    plan = check_study_file(path, check_study)
    (dose,) = plan.arm("late").doses
    assert [str(moment) for moment in dose.at] == ["when largest_metastasis reaches 2 mm"]
