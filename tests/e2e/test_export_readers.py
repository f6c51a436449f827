"""Files are opened by the programs they are for: VTK, ome-zarr, spatialdata; squidpy and scanpy analyse a frame.

These libraries weigh some 2 GB and are no extra of paget's tests:
``pip install vtk ome-zarr ome-zarr-models spatialdata squidpy scanpy``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))

from export_data import BODY, SHAPE, TISSUE, VOXEL, columns, fields, with_networks, with_sites, written

from paget.io.export import Selection, export

HEAVY = "a reader that is not part of the test extra; see the head of this file"
LAST = Selection(days=(2.0,))


@pytest.fixture(scope="module")
def section(tmp_path_factory):
    return written(tmp_path_factory.mktemp("section") / "study", TISSUE, with_networks, fields)


@pytest.fixture(scope="module")
def block(tmp_path_factory):
    shape = (2, *SHAPE[1:])
    domain = {"size_um": [120.0, 100.0, 40.0], "voxel_um": VOXEL, "shape": list(shape)}
    model = {**TISSUE, "networks": [], "dimensions": 3, "domain": domain}
    folder = tmp_path_factory.mktemp("block") / "study"
    return written(folder, model, lambda day: columns(day, deep=0), lambda day: fields(day, shape))


@pytest.fixture(scope="module")
def body(tmp_path_factory):
    return written(tmp_path_factory.mktemp("body") / "study", BODY, with_sites)


# ---- VTK ----------------------------------------------------------------------------------------------------------
def steps_of(path):
    """(day, data set) of every step, as VTK reads them."""
    from vtkmodules.vtkCommonExecutionModel import vtkStreamingDemandDrivenPipeline as Pipeline
    from vtkmodules.vtkIOHDF import vtkHDFReader

    reader = vtkHDFReader()
    reader.SetFileName(str(path))
    reader.UpdateInformation()
    told = reader.GetOutputInformation(0)
    days = [told.Get(Pipeline.TIME_STEPS(), k) for k in range(told.Length(Pipeline.TIME_STEPS()))]
    for day in days:
        told.Set(Pipeline.UPDATE_TIME_STEP(), day)
        reader.Update()
        yield day, reader.GetOutputDataObject(0)


@pytest.mark.parametrize("which", ["section", "block"])
def test_vtk_reads_cells_and_concentrations_of_every_day(which, request, tmp_path):
    pytest.importorskip("vtkmodules", reason=HEAVY)
    from vtkmodules.util.numpy_support import vtk_to_numpy

    result = request.getfixturevalue(which)
    cells, image = export(result, "vtk", tmp_path / "out")
    days = []
    for day, data in steps_of(cells):
        expected = result.cells("control", 0, day)
        assert data.GetNumberOfPoints() == data.GetNumberOfCells() == len(expected)
        assert data.GetBounds() == tuple(
            float(extreme) for axis in "xyz" for extreme in (expected[axis].min(), expected[axis].max())
        )
        arrays = data.GetPointData()
        np.testing.assert_array_equal(vtk_to_numpy(arrays.GetArray("radius")), expected["radius"])
        np.testing.assert_array_equal(vtk_to_numpy(arrays.GetArray("id")), expected["id"])
        told = data.GetFieldData().GetAbstractArray("units")
        assert "x: um" in [told.GetValue(k) for k in range(told.GetNumberOfValues())]
        days.append(day)
    assert days == [0.0, 1.0, 2.0]
    for day, data in steps_of(image):
        expected_field = result.field("control", 0, day, "oxygen")
        assert data.GetDimensions() == tuple(n + 1 for n in expected_field.shape[::-1])
        assert data.GetSpacing() == (VOXEL,) * 3
        values = vtk_to_numpy(data.GetCellData().GetArray("oxygen")).reshape(expected_field.shape)
        np.testing.assert_array_equal(values, expected_field)


# ---- OME-Zarr -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("which", ["section", "block"])
def test_ome_zarr_reads_the_image_and_its_labels(which, request, tmp_path):
    pytest.importorskip("ome_zarr", reason=HEAVY)
    from ome_zarr.io import parse_url
    from ome_zarr.reader import Reader

    result = request.getfixturevalue(which)
    (path,) = export(result, "ome-zarr", tmp_path / "out")
    image, _, *labels = Reader(parse_url(path))()
    np.testing.assert_array_equal(np.asarray(image.data[0][1, 0]), result.field("control", 0, 1, "oxygen"))
    assert image.metadata["channel_names"] == ["oxygen (mmHg)", "net (1/pL)"]
    assert image.metadata["coordinateTransformations"][0][0]["scale"][-3:] == [VOXEL] * 3
    assert [node.metadata["name"] for node in labels] == ["cells", "cell_types"]
    assert labels[1].metadata["properties"][2]["cell_type"] == "tumour cell"
    assert int(np.asarray(labels[0].data[0][0]).max()) <= len(labels[0].metadata["properties"])


def test_ome_zarr_metadata_are_valid(section, tmp_path):
    pytest.importorskip("ome_zarr_models", reason=HEAVY)
    import zarr
    from ome_zarr_models.v05 import Image, ImageLabel

    (path,) = export(section, "ome-zarr", tmp_path / "out")
    group = zarr.open_group(path, mode="r")
    Image.from_zarr(group)
    for name in ("cells", "cell_types"):
        ImageLabel.from_zarr(group[f"labels/{name}"])


# ---- SpatialData --------------------------------------------------------------------------------------------------
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("which", ["section", "block", "body"])
def test_spatialdata_reads_back_circles_image_and_table(which, request, tmp_path):
    spatialdata = pytest.importorskip("spatialdata", reason=HEAVY)
    result = request.getfixturevalue(which)
    (path,) = export(result, "spatialdata", tmp_path / "out", LAST)
    found, cells = spatialdata.read_zarr(path), result.cells("control", 0, 2)
    table = found["table"]
    assert table.obs_names.tolist() == cells["id"].astype(str).tolist()
    names = ["cells_lung", "cells_primary"] if which == "body" else ["cells"]
    assert sorted(found.shapes) == names
    for name in names:
        mine = table[table.obs["region"] == name]
        circles = found[name].loc[mine.obs["instance"]]
        np.testing.assert_allclose(circles["radius"], mine.obs["radius"])
        np.testing.assert_allclose(circles.geometry.x, mine.obsm["spatial"][:, 0])
        assert circles.geometry.has_z.all() == (which == "block")
    assert ("centres" in found.points) == (which == "block")
    if which == "body":
        assert sorted(found.coordinate_systems) == ["lung", "primary"]
        return
    x, y = cells.loc[0, ["x", "y"]]
    scale = spatialdata.transformations.get_transformation(found["fields"]).scale
    pixel = found["fields"].sel(c="net").values[..., int(y / scale[-2]), int(x / scale[-1])]
    assert table.obs["field_net"].iloc[0] in pixel


# ---- squidpy and scanpy -------------------------------------------------------------------------------------------
@pytest.mark.filterwarnings("ignore")
def test_squidpy_finds_neighbours_and_their_enrichment(section, block, body):
    squidpy = pytest.importorskip("squidpy", reason=HEAVY)
    for result, key in ((section, None), (block, None), (body, "site")):
        made = result.to_anndata("control", 0, 0)
        squidpy.gr.spatial_neighbors(
            made, coord_type="generic", delaunay=key is None and result is section, library_key=key
        )
        squidpy.gr.nhood_enrichment(made, "cell_type", n_perms=20, seed=1, show_progress_bar=False)
        assert made.uns["cell_type_nhood_enrichment"]["count"].shape == (2, 2)
        if key:
            here = made.obs["site"].to_numpy()
            one, other = made.obsp["spatial_connectivities"].nonzero()
            assert (here[one] == here[other]).all()


@pytest.mark.filterwarnings("ignore")
def test_scanpy_clusters_cells_by_the_states_of_their_networks(section):
    scanpy = pytest.importorskip("scanpy", reason=HEAVY)
    made = section.to_anndata("control", 0, 0)
    scanpy.pp.pca(made, n_comps=10, random_state=0)
    scanpy.pp.neighbors(made, n_neighbors=8, random_state=0)
    scanpy.tl.leiden(made, flavor="igraph", n_iterations=2, directed=False, random_state=0)
    clusters = made.obs["leiden"]
    # Tumour cells carry 67 random nodes, fibroblasts two and the rest none: at the least the tumour cells are apart.
    tumour = clusters[made.obs["network"] == "tumour"]
    assert not set(tumour) & set(clusters[made.obs["network"] == "none"])
