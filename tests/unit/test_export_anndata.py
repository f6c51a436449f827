"""AnnData of a frame holds the states of networks by gene, the cells, their places, and the concentrations around them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from carried_networks import carrying, network
from export_data import BODY, COHORT, TISSUE, VOXEL, columns, fields, with_networks, with_sites, written

from paget.engine.animal import TissueAnimal
from paget.errors import DamagedResultError, ResultError
from paget.explain import describe
from paget.io.export import Selection, export
from paget.io.export.expression import expression
from paget.signalling import Node

anndata = pytest.importorskip("anndata", reason="AnnData comes with the extra 'export'")

from paget.io.export.anndata import to_anndata  # noqa: E402


@pytest.fixture(scope="module")
def tissue(tmp_path_factory):
    return written(tmp_path_factory.mktemp("tissue") / "study", TISSUE, with_networks, fields)


@pytest.fixture(scope="module")
def made(tissue):
    return to_anndata(tissue, "control", 0, 1)


def level(cells, *bits):
    """Level of a node by its bits, one Python integer for all words of a cell."""
    whole = [int(low) | int(high) << 64 for low, high in zip(cells["network_0"], cells["network_1"], strict=True)]
    return np.array([sum(state >> bit & 1 for bit in bits) for state in whole])


# ---- expression ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("name", "bits"), [("F17", [17]), ("F62", [62]), ("VEGFA", [63, 64]), ("mTORC2", [66])])
def test_nodes_have_the_states_of_their_bits_in_the_cells_that_carry_them(made, name, bits):
    cells = with_networks(1)
    carriers = cells["network_drawn"] == 1
    found = made[:, name].X.ravel()
    assert carriers.sum() > 10
    np.testing.assert_array_equal(found[carriers], level(cells, *bits)[carriers])
    assert not found[~carriers].any()


def test_a_node_that_two_networks_have_is_one_column_of_both(made):
    cells = with_networks(1)
    tumour, stroma = cells["network_drawn"] == 1, cells["network_drawn"] == 2
    expected = np.where(tumour, level(cells, 1), np.where(stroma, level(cells, 0), 0))
    np.testing.assert_array_equal(made[:, "MAPK1"].X.ravel(), expected)
    assert made.var.loc["MAPK1", "network"] == "tumour;stroma"


def test_a_column_is_called_by_the_gene_if_one_node_of_the_cell_stands_for_that_gene_alone(made):
    named = made.var.reset_index().set_index("node")["name"]
    assert named["ERK"] == "MAPK1"  # one gene
    assert named["PI3K"] == "PI3K"  # two genes
    assert named["mTORC1"] == "mTORC1"  # its one gene is that of another node, too
    assert named["EGF_around"] == "EGF_around"  # what surrounds the cell is not expressed by it
    assert made.var.loc["PI3K", "symbol"] == "PIK3CA;PIK3CB"
    assert made.var["kind"].value_counts()["gene"] == 5
    assert made.var.index.is_unique


def test_two_nodes_of_one_name_and_different_genes_are_told_apart_by_their_networks():
    rows = [{**row, "nodes": [dict(row["nodes"][1], name="Same", genes=[gene, "X"])]} for row, gene in
            zip(TISSUE["networks"], "AB", strict=True)]  # fmt: skip
    found = expression(pd.DataFrame(with_networks(0)), {"networks": rows})
    assert list(found.variables.index) == ["Same (tumour)", "Same (stroma)"]


def test_cells_without_a_network_say_so(made):
    drawn = with_networks(1)["network_drawn"]
    assert made.obs["network"].tolist() == [{0: "none", 1: "tumour", 2: "stroma"}[k] for k in drawn]


def test_the_activity_of_a_node_is_a_layer_where_it_is_kept(made):
    cells = with_networks(1)
    carriers = cells["network_drawn"] == 1
    found = made[:, "MAPK1"].layers["activity"].ravel()
    np.testing.assert_allclose(found[carriers], cells["erk"][carriers], rtol=2**-11)  # stored to 10 bits of mantissa
    assert np.isnan(found[~carriers]).all()
    assert np.isnan(made[:, "SASP"].layers["activity"]).all()


def test_a_frame_without_the_words_that_the_manifest_promises_is_damaged():
    with pytest.raises(DamagedResultError, match="no network_0, network_1, network_drawn"):
        expression(pd.DataFrame(columns(0)), TISSUE)


def test_without_networks_the_columns_are_the_dimensionless_variables_of_the_cells():
    frame = pd.DataFrame(columns(0)).assign(heading_x=np.float32(1), unknown=np.float32(np.nan))
    found = expression(frame, {**TISSUE, "networks": []})
    assert list(found.variables.index) == ["erk"]  # not wait, which is in hours
    np.testing.assert_array_equal(found.values[:, 0], frame["erk"])


def test_a_frame_of_a_running_tissue_keeps_every_bit_and_the_model_says_what_each_is():
    nodes = [Node(name=f"N{k}", initial=float(k % 3 == 0), genes=(f"G{k}",)) for k in range(70)]
    nodes.insert(5, Node(name="Steps", logic=("N0", "N0"), initial=2))  # stays at level 2, as N0 is on
    model = carrying(network(*nodes), n=9).model()
    animal = TissueAnimal(model, seed=1, animal=0, dt=1.0, drugs=frozenset())
    animal.advance((), ())
    found = expression(pd.DataFrame(animal.frame()), describe(model))
    expected = [float(k % 3 == 0) for k in range(70)]
    np.testing.assert_array_equal(found.values, np.tile([*expected[:5], 2.0, *expected[5:]], (9, 1)))
    assert set(found.network) == {"small"}


# ---- cells --------------------------------------------------------------------------------------------------------
def test_cells_keep_their_ids_types_and_lineage(made):
    cells = with_networks(1)
    assert made.obs_names.tolist() == [str(cell) for cell in cells["id"].tolist()]
    assert made.obs["cell_type"].tolist() == [("fibroblast", "tumour cell")[k] for k in cells["type"]]
    assert made.obs["cell_type_ontology_term_id"].tolist()[:2] == ["CL:0002553", "CL:0001064"]
    assert made.obs["founder"].astype(int).tolist() == cells["founder"].tolist()
    assert list(made.obs["founder"].cat.categories) == [str(k) for k in range(-1, 11)]  # in the order of numbers
    assert "wait" in made.obs
    assert not {"network_0", "network_rest", "network_drawn", "x", "id"} & set(made.obs)


def test_only_types_that_occur_are_categories_and_each_has_its_colour(made):
    assert list(made.obs["cell_type"].cat.categories) == ["fibroblast", "tumour cell"]
    assert made.uns["cell_type_colors"].tolist() == ["#9db7a8", "#cc2211"]


def test_a_section_has_two_coordinates_and_a_block_three(tissue, tmp_path):
    places = to_anndata(tissue, "control", 0, 1).obsm["spatial"]
    cells = with_networks(1)
    assert np.abs(places - np.stack([cells["x"], cells["y"]], axis=1)).max() <= 1 / 128
    block = written(tmp_path / "block", {**TISSUE, "networks": [], "dimensions": 3}, lambda day: columns(day, deep=0))
    places = to_anndata(block, "control", 0, 0).obsm["spatial"]
    assert places.shape[1] == 3
    assert np.ptp(places[:, 2]) > 20


def test_every_cell_has_the_concentrations_of_its_voxel(tissue, made):
    cells, values = tissue.cells("control", 0, 1), tissue.field("control", 0, 1, "net")
    expected = [values[0, int(y // VOXEL), int(x // VOXEL)] for x, y in zip(cells["x"], cells["y"], strict=True)]
    assert made.obs["field_net"].tolist() == expected
    assert made.uns["paget"]["units"]["field_net"] == "1/pL"


def test_it_says_where_it_came_from(made, tissue):
    about = made.uns["paget"]
    assert (about["study"], about["arm"], about["animal"], about["day"]) == ("toy", "control", 0, 1.0)
    assert about["study_sha256"] == tissue.manifest["study_sha256"]
    assert about["seed"] == 5
    assert about["sources"] == ["He and others (2025). 10.1/x"]
    assert about["units"]["x"] == "um"


# ---- bodies -------------------------------------------------------------------------------------------------------
def test_sites_of_a_body_are_kept_apart(tmp_path):
    body = written(tmp_path / "study", BODY, with_sites)
    both = to_anndata(body, "control", 0, 0)
    assert list(both.obs["site"].cat.categories) == ["lung", "primary"]
    assert both.obsm["spatial"].shape[1] == 2
    assert both.n_vars == 0
    lung = to_anndata(body, "control", 0, 0, ("lung",))
    assert lung.obs_names.tolist() == both.obs_names[both.obs["site"] == "lung"].tolist()
    (path,) = export(body, "anndata", tmp_path / "out", Selection(days=(0.0,), sites=("lung",)))
    assert anndata.read_h5ad(path).n_obs == lung.n_obs


def test_a_cohort_says_that_it_keeps_no_cells(tmp_path):
    cohort = written(tmp_path / "study", COHORT, None)
    with pytest.raises(ResultError, match="keeps no cells"):
        to_anndata(cohort, "control", 0, 0)


def test_a_day_without_a_frame_is_refused_with_those_that_have_one(tissue):
    with pytest.raises(ResultError, match=r"day 1\.5; stored days: 0, 1, 2"):
        to_anndata(tissue, "control", 0, 1.5)


# ---- files --------------------------------------------------------------------------------------------------------
def same(one, other):
    np.testing.assert_array_equal(one.X, other.X)
    pd.testing.assert_frame_equal(one.obs, other.obs, check_index_type=False, check_column_type=False)
    assert one.var.astype(str).equals(other.var.astype(str))  # writing makes categories of texts
    np.testing.assert_array_equal(one.obsm["spatial"], other.obsm["spatial"])
    np.testing.assert_array_equal(one.layers["activity"], other.layers["activity"])
    assert one.uns["paget"]["units"] == other.uns["paget"]["units"]


def test_h5ad_gives_back_what_was_written(tissue, made, tmp_path):
    paths = export(tissue, "anndata", tmp_path / "out")
    assert [path.name for path in paths] == [f"control-000-day-{day}.h5ad" for day in range(3)]
    same(anndata.read_h5ad(paths[1]), made)


@pytest.mark.filterwarnings("ignore:Writing zarr v2")
def test_zarr_gives_back_what_was_written(made, tmp_path):
    few = made[:, :9].copy()
    few.obs, few.var = few.obs[["cell_type", "founder", "radius"]], few.var[["symbol", "levels"]]
    few.write_zarr(tmp_path / "few.zarr")
    same(anndata.read_zarr(tmp_path / "few.zarr"), few)


def test_a_result_makes_it(tissue, made):
    same(tissue.to_anndata("control", 0, 1), made)
