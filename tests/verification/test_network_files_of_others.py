"""Published networks in the files of their authors: read whole, written, and read again as the same chain."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))

from paget.io.networks import read_bnet, read_maboss, read_sbml_qual, write_bnet, write_maboss, write_sbml_qual
from paget.process import quantity
from paget.signalling.tables import Tables

RATE = quantity("1 1/h", reason="as the authors left it out")


def _same(first, second):
    """Whether two networks have the same tables of rates, node by node."""
    one, two = (Tables.of(network, network.values()) for network in (first, second))
    return one.names == two.names and all(
        np.array_equal(mine, theirs) for mine, theirs in zip(one.arrays, two.arrays, strict=True)
    )


@pytest.mark.parametrize(("name", "nodes", "inputs"), [("cohen2015", 32, 2), ("invasion_ruscone2023", 46, 7)])
def test_published_models_of_maboss_are_read_whole_and_written_the_same(reference, name, nodes, inputs):
    files = [reference / "networks" / f"{name}.{kind}" for kind in ("bnd", "cfg")]
    model = read_maboss(*files, time="h")
    assert (len(model.network), len(model.network.inputs)) == (nodes, inputs)
    # All rates of both follow the logic, so every node keeps its rule as logic.
    assert all(node.formulas for node in model.network.nodes)
    assert set(model.network.quantities) <= set(re.findall(r"\$(\w+)", files[1].read_text()))
    again = read_maboss(*write_maboss(model.network, model.settings, outputs=model.outputs), time="h")
    assert _same(again.network, model.network)
    assert (again.settings, again.outputs, again.initial) == (model.settings, model.outputs, model.initial)


def test_the_settings_and_starts_of_cohen_2015_are_those_of_its_file(reference):
    folder = reference / "networks"
    model = read_maboss(folder / "cohen2015.bnd", folder / "cohen2015.cfg", time="h")
    assert (model.settings.max_time, model.settings.time_tick) == (100.0, 0.5)
    assert {name: p for name, p in model.initial.items() if p > 0.0} == {"ECMicroenv": 0.5, "DNAdamage": 0.5}
    assert "Metastasis" in model.outputs
    assert "AKT1" not in model.outputs


def test_a_large_logic_of_97_nodes_survives_both_formats(reference):
    network = read_bnet(reference / "networks" / "metastasis_draft.bnet", up=RATE, down=RATE)
    assert (len(network.regulated), len(network.inputs)) == (76, 21)
    assert _same(read_bnet(write_bnet(network), up=RATE, down=RATE), network)
    pytest.importorskip("libsbml")
    assert _same(read_sbml_qual(write_sbml_qual(network), up=RATE, down=RATE), network)
