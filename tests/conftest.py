"""What tests of the core share: a small lung, a toy model of a few processes, and the exact bits of a run."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from paget.catalogue import build_model, load_study
from paget.engine.simulate import run_animal
from paget.evidence import Parameter, ParameterTable
from paget.experiment import Study
from paget.model import Founders, Model
from paget.process import Process, quantity
from paget.results.memory import MemoryRecorder
from paget.state import Grid

Lung = Callable[..., tuple[Model, Study]]

EVERY_DRUG = tuple(
    {"drug": drug, "amount": f"{amount} mg/kg", "start": "12 h", "every": "30 h", "count": 3}
    for drug, amount in {
        "doxorubicin": 5,
        "cisplatin": 5,
        "dasatinib": 5,
        "quercetin": 50,
        "navitoclax": 50,
        "dnase": 5,
        "anti_ly6g": 1,
        "fak_inhibitor": 25,
    }.items()
)


@functools.cache
def _small_lung(setting: str, dimensions: int, days: float, size: int) -> tuple[Model, Study]:
    dose = {"drug": "doxorubicin", "amount": "5 mg/kg", "at": "30 h"}
    resection = [] if setting == "injected" else [{"site": "primary", "at": "3 day"}]
    study = load_study("lung_awakening").changed(
        duration=f"{days} day",
        record={"metrics": "12 h", "frames": "24 h", "checkpoint": "24 h"},
        options={"size": size, "dimensions": dimensions, "setting": setting},
        arms=[
            {"name": "vehicle"},
            {"name": "doxorubicin", "versus": "vehicle", "doses": [dose]},
            {"name": "doxorubicin again", "versus": "vehicle", "doses": [dose]},
            {"name": "everything", "versus": "vehicle", "doses": EVERY_DRUG, "resections": resection},
        ],
    )
    return build_model(study), study


@pytest.fixture(scope="session")
def small_lung() -> Lung:
    """``small_lung(setting="injected", dimensions=2, days=5, size=400)`` -> (model, study) with four arms."""

    def build(setting: str = "injected", dimensions: int = 2, days: float = 5, size: int = 400) -> tuple[Model, Study]:
        return _small_lung(setting, dimensions, days, size)

    return build


@pytest.fixture(scope="session")
def run() -> Callable[..., MemoryRecorder]:
    """``run(model, study, arm, animal=0)`` -> the recorder of one finished animal."""

    def simulate(model: Model, study: Study, arm: str, animal: int = 0) -> MemoryRecorder:
        recorder = MemoryRecorder(study.record.frames)
        run_animal(model, study, arm, animal, recorder)
        return recorder

    return simulate


@pytest.fixture(scope="session")
def bits() -> Callable[[MemoryRecorder], dict[str, Any]]:
    """``bits(recorder)``: everything that a run left behind, as bytes, so that equal means identical."""

    def collect(recorder: MemoryRecorder) -> dict[str, Any]:
        state = recorder.checkpoint() or {}
        tables = {"metrics": recorder.metrics, "events": recorder.events}
        tables |= {f"cells on day {day:g}": recorder.cells(day) for day in recorder.frame_days}
        columns = {f"{name}: {column}": table[column].to_numpy() for name, table in tables.items() for column in table}
        arrays = {**{f"state: {name}": np.asarray(value) for name, value in state.items()}, **columns}
        return {name: (array.dtype.str, array.shape, array.tobytes()) for name, array in arrays.items()}

    return collect


@pytest.fixture(scope="session")
def toy() -> Callable[..., Model]:
    """``toy(*processes, ...)`` -> a model of those processes alone, with ten fibroblasts in a block of 60 um."""

    def build(*processes: Process, **changes: Any) -> Model:
        def number(text: str) -> Parameter:
            return quantity(text, reason="for this test")

        parts: dict[str, Any] = {
            "name": "toy",
            "title": "A toy",
            "grid": Grid((60.0, 60.0, 60.0), 20.0),
            "parameters": ParameterTable({}),
            "cell_types": ("fibroblast", "senescent fibroblast", "capillary", "neutrophil"),
            "fields": ("field.c3", "field.net", "field.laminin", "field.nicked_laminin"),
            "body": ("body.serum_c3", "body.doxorubicin"),
            "processes": {process.role: process for process in processes},
            "diffusion": {"field.c3": number("1000 um**2/h")},
            "initial": {"field.laminin": number("1")},
            "founders": (Founders("fibroblast", number("10"), number("5 um")),),
            "readouts_of": lambda _: (),
        }
        return Model(**{**parts, **changes})

    return build
