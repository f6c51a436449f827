"""The cascade in a mouse, as a user runs it: a study of two days with every arm, to the files and back."""

from __future__ import annotations

import numpy as np
import pytest

import paget
from paget.results import Result

ARMS = [
    {"name": "vehicle"},
    {"name": "resection", "versus": "vehicle", "resections": [{"site": "primary", "at": "40 h"}]},
]
SHEDDING = {"epithelial_intravasation": "0.001 1/h", "lung_share": "0.5"}


@pytest.fixture(scope="module")
def result(tmp_path_factory) -> Result:
    """Two days of one mouse whose tumour sheds much."""
    short = paget.load("cascade_mouse").changed(
        duration="2 day",
        replicates=1,
        parameters=SHEDDING,
        arms=ARMS,
        record={"metrics": "6 h", "frames": "24 h", "checkpoint": "24 h"},
    )
    return paget.simulate(short, out=tmp_path_factory.mktemp("cascade") / "result", workers=1)


def test_a_tumour_sheds_and_cells_come_to_organs(result):
    rows = result.metrics[result.metrics["arm"] == "vehicle"]
    last = rows[rows["day"] == 2.0].iloc[0]
    assert last["shed"] > last["died_in_blood"] > 0
    assert last["cells_primary"] > 1e6
    arrivals = sum(last[name] for name in rows if name.startswith("arrivals_"))
    in_vessels = last["shed"] - last["died_in_blood"] - arrivals
    assert arrivals > 0
    assert in_vessels >= last["held_in_capillaries"] >= 0
    assert (np.diff(rows["shed"]) >= 0).all()


def test_both_arms_are_the_same_until_the_operation_which_empties_the_primary(result):
    by_arm = {arm: rows.set_index("day").drop(columns="arm") for arm, rows in result.metrics.groupby("arm")}
    vehicle, operated = by_arm["vehicle"], by_arm["resection"]
    assert vehicle.loc[:1.5].equals(operated.loc[:1.5])
    assert operated.loc[1.75:, "cells_primary"].max() < vehicle.loc[1.75:, "cells_primary"].min()
    assert operated.loc[2.0, "shed"] < vehicle.loc[2.0, "shed"]
