"""Tables and arrays for other programs hold every number once, say what it is in which unit, and hide no missing animal."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from stored_results import BIG, BODY, stored

from paget.errors import ResultError, UnknownNameError
from paget.io.export import Selection, export, series
from paget.results.contents import contents


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return stored(tmp_path_factory.mktemp("tissue") / "result", cells=2)


@pytest.fixture(scope="module")
def body(tmp_path_factory):
    return stored(tmp_path_factory.mktemp("body") / "result", BODY)


# ---- CSV ------------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def tables(result, tmp_path_factory):
    folder = tmp_path_factory.mktemp("csv") / "all"
    paths = export(result, "csv", folder)
    assert {path.relative_to(folder).as_posix() for path in paths} == {
        "metrics.csv", "outcomes.csv", "runs.csv", "csv-metadata.json",
        "cells/control-000.csv", "cells/control-001.csv", "cells/drug-x-001.csv",
        "events/control-000.csv", "events/control-001.csv", "events/drug-x-001.csv",
    }  # fmt: skip
    return folder


def test_tables_read_back_as_they_were(tables, result):
    pd.testing.assert_frame_equal(pd.read_csv(tables / "metrics.csv"), result.metrics, check_dtype=False)
    outcomes = pd.read_csv(tables / "outcomes.csv", keep_default_na=False)
    assert outcomes["unit"].tolist() == ["", "um**2", "day"] * 2
    assert outcomes["value"].tolist() == result.outcomes["value"].tolist()
    runs = pd.read_csv(tables / "runs.csv", keep_default_na=False)
    assert runs["status"].tolist() == ["done", "done", "pending", "failed"]
    assert runs["error"].tolist()[-1] == "oxygen became negative at 240 h"


def test_cells_and_events_keep_all_digits_of_their_ids(tables, result):
    cells = pd.read_csv(tables / "cells/control-000.csv", dtype={"id": np.uint64})
    assert cells.columns.tolist()[:5] == ["arm", "animal", "day", "id", "type"]
    last = cells[cells["day"] == 10.0].reset_index(drop=True)
    stored_last = result.cells("control", 0, 10.0)
    assert last["id"].tolist() == stored_last["id"].tolist()
    assert np.array_equal(last["erk"].to_numpy(np.float32), stored_last["erk"])
    events = pd.read_csv(tables / "events/control-000.csv", dtype={"cell": np.uint64, "other": np.uint64})
    assert events["other"].tolist() == result.events("control", 0)["other"].tolist()
    assert events["cell"].iloc[0] == BIG + 1


def test_every_column_of_every_table_is_described_with_its_unit(tables):
    told = json.loads((tables / "csv-metadata.json").read_text(encoding="utf-8"))
    assert told["@context"] == "http://www.w3.org/ns/csvw"
    described = {table["url"]: table["tableSchema"]["columns"] for table in told["tables"]}
    for url, columns in described.items():
        assert pd.read_csv(tables / url, nrows=1).columns.tolist() == [column["name"] for column in columns]
    assert len(described) == 9
    cells = {column["name"]: column for column in described["cells/control-000.csv"]}
    assert (cells["x"]["schema:unitText"], cells["age"]["schema:unitText"]) == ("um", "h")
    assert (cells["id"]["datatype"], cells["x"]["datatype"], cells["type"]["datatype"]) == (
        "unsignedLong",
        "number",
        "string",
    )
    metrics = {column["name"]: column for column in described["metrics.csv"]}
    assert metrics["area"]["schema:unitText"] == "um**2"
    assert metrics["burden"]["dc:description"] == "tumour cells"
    assert "schema:unitText" not in metrics["burden"]


def test_a_selection_narrows_rows_and_leaves_out_what_belongs_to_the_whole_study(result, body, tmp_path):
    export(result, "csv", tmp_path / "day", Selection(arms=("control",), animals=(1,), days=(4.0,)))
    files = {path.relative_to(tmp_path / "day").as_posix() for path in (tmp_path / "day").rglob("*.csv")}
    assert files == {"metrics.csv", "cells/control-001.csv"}
    assert pd.read_csv(tmp_path / "day/metrics.csv")[["animal", "day"]].to_numpy().tolist() == [[1, 4]]
    assert pd.read_csv(tmp_path / "day/cells/control-001.csv")["day"].unique().tolist() == [4]
    export(body, "csv", tmp_path / "lung", Selection(sites=("lung",)))
    assert pd.read_csv(tmp_path / "lung/cells/control-000.csv")["site"].unique().tolist() == ["lung"]
    assert pd.read_csv(tmp_path / "lung/events/control-000.csv")["site"].unique().tolist() == ["lung"]


# ---- lineages -------------------------------------------------------------------------------------------------------
def test_family_trees_are_written_for_every_animal_with_the_table_of_all_cells(body, tmp_path):
    paths = export(body, "newick", tmp_path / "trees", Selection(arms=("control",), animals=(0,)))
    assert [path.name for path in paths] == ["control-000.nwk", "control-000-survivors.nwk", "control-000-cells.csv"]
    whole, living, cells = (path.read_text(encoding="utf-8") for path in paths)
    assert whole.count(";\n") == 2  # two founders of the tumour
    assert f"{BIG + 122}:5[&&NHX:S=lung:C=7:type=tumour_cell:fate=alive]" in whole
    assert living.startswith(f"(({BIG + 122}:9[")
    assert len(cells.splitlines()) == 9


def test_sites_choose_the_families_that_had_a_cell_there(body, tmp_path):
    chosen = Selection(arms=("control",), animals=(0,), sites=("lung",))
    paths = export(body, "newick", tmp_path / "trees", chosen)
    assert paths[0].read_text(encoding="utf-8").count(";\n") == 1


def test_a_tree_of_one_day_is_refused(body, tmp_path):
    with pytest.raises(ResultError, match="all days of a study"):
        export(body, "newick", tmp_path / "trees", Selection(days=(4.0,)))


# ---- arrays ---------------------------------------------------------------------------------------------------------
xarray = pytest.importorskip("xarray", reason="xarray is an extra")


def test_readouts_are_arrays_over_arm_animal_and_day_with_units(result):
    data = result.to_xarray()
    assert dict(data.sizes) == {"arm": 2, "animal": 2, "day": 6}
    assert data["burden"].sel(arm="control", animal=1, day=4.0).item() == 7.0
    assert data["area"].attrs == {"units": "um**2", "long_name": "Area", "kind": "continuous", "summary": "peak"}
    assert data["burden"].attrs["units"] == "1"
    assert data["day"].attrs["units"] == "day"
    assert data.attrs["seed"] == 5


def test_arms_are_in_the_order_of_the_study_not_of_the_alphabet():
    study = np.array(["vehicle", "drug", "both"], dtype=object)
    assert series._places(np.array(["both", "vehicle", "drug"], dtype=object), study).tolist() == [2, 0, 1]


def test_missing_animals_are_nan_and_their_status_says_why(result):
    data = result.to_xarray()
    assert data["burden"].sel(arm="drug + X").isnull().all()
    assert data["burden"].sel(arm="control").notnull().all()
    assert data["status"].to_numpy().tolist() == [["done", "done"], ["pending", "failed"]]


def test_outcomes_say_which_were_censored(result):
    data = result.to_xarray("outcomes")
    assert data["onset"].sel(arm="control").to_numpy().tolist() == [4.0, 10.0]
    assert data["onset_observed"].sel(arm="control").to_numpy().tolist() == [True, False]


def test_fields_are_arrays_over_day_and_place(result):
    data = result.to_xarray("fields", "control", 0)
    assert dict(data.sizes) == {"day": 6, "z": 1, "y": 5, "x": 6}
    assert data["oxygen"].attrs["units"] == "mmHg"
    assert data["x"].to_numpy().tolist() == [5.0, 15.0, 25.0, 35.0, 45.0, 55.0]
    there = data["net"].sel(day=6.0, x=25.0, y=35.0, z=5.0).item()
    assert there == result.field("control", 0, 6.0, "net")[0, 3, 2]


def test_what_there_is_no_array_of_is_refused(result):
    with pytest.raises(UnknownNameError, match="Did you mean 'metrics'"):
        result.to_xarray("metric")
    with pytest.raises(ResultError, match="name it"):
        result.to_xarray("fields")


def test_netcdf_reads_back_as_the_arrays_are(result, tmp_path):
    paths = export(result, "netcdf", tmp_path / "series")
    assert [path.name for path in paths] == ["metrics.nc", "outcomes.nc"]
    with xarray.open_dataset(paths[0], engine="scipy") as read:
        xarray.testing.assert_equal(read, result.to_xarray())
        assert read["area"].attrs["units"] == "um**2"
    (one,) = export(result, "netcdf", tmp_path / "days.nc", Selection(days=(0.0, 4.0)))
    with xarray.open_dataset(one, engine="scipy") as read:
        assert read["day"].to_numpy().tolist() == [0.0, 4.0]


# ---- what there is --------------------------------------------------------------------------------------------------
def test_the_contents_of_a_folder_add_up_to_what_it_takes_on_disk(result):
    held = contents(result)
    assert held.cell_days == held.field_days == (0.0, 2.0, 4.0, 6.0, 8.0, 10.0)
    assert held.frames == {"cells": 18, "fields": 18}
    assert held.rows == {"metrics": 18, "cells": 3 * (5 * 5 + 4), "events": 33, "checkpoint-000000.npz": 0}
    assert sum(held.sizes.values()) == sum(path.stat().st_size for path in result.path.rglob("*") if path.is_file())
    assert min(held.sizes[kind] for kind in ("cells", "fields", "events", "metrics", "other")) > 0
