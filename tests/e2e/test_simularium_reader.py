"""The library of the Simularium viewer reads and checks the scenes that are written for it."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from stored_results import stored

from paget.io.export import Selection, export

simulariumio = pytest.importorskip("simulariumio", reason="simulariumio is an own installation of 190 MB")


def test_simulariumio_reads_every_frame_and_finds_all_ids_valid(tmp_path):
    from simulariumio.writers.writer import Writer

    result = stored(tmp_path / "result", cells=40)
    (path,) = export(result, "simularium", tmp_path / "scene", Selection(arms=("control",), animals=(0,)))
    read = simulariumio.FileConverter(input_file=simulariumio.InputFileData(file_path=str(path)))._data
    cells, agents = result.cells("control", 0, 10.0), read.agent_data
    assert agents.times.tolist() == [0.0, 48.0, 96.0, 144.0, 192.0, 240.0]
    assert agents.n_agents.tolist() == [43, 43, 43, 43, 43, 42]
    assert agents.types[5][:42] == cells["type"].tolist()
    assert np.allclose(agents.positions[5, :42] + [30.0, 25.0, 5.0], cells[["x", "y", "z"]], atol=1e-3)
    assert np.allclose(agents.radii[5, :42], cells["radius"], atol=1e-3)
    assert agents.display_data["tumour cell"].color == "#c2185b"
    assert (read.time_units.name, read.spatial_units.name, read.spatial_units.magnitude) == ("h", "µm", 1.0)
    assert len(read.plots) == 2
    Writer._validate_ids(read)
    assert Writer._check_agent_ids_are_unique_per_frame(simulariumio.JsonWriter.format_trajectory_data(read))
