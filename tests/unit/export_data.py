"""Small results with cells, networks, sites and fields whose every number is known, for tests of exporters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from store_data import TOY_MODEL, toy_study

from paget.results import Result
from paget.results.animal import AnimalStore
from paget.results.files import make_folder
from paget.results.manifest import RESOLVED_NAME, new_manifest, resolved_study, session, write_manifest

CELLS = 60
VOXEL = 20.0
SHAPE = (1, 5, 6)  # z, y, x
NAMES = ("oxygen", "net")

TYPES = [
    {
        "name": "fibroblast",
        "label": "lung fibroblast",
        "colour": "#9db7a8",
        "group": "stroma",
        "ontology": "CL:0002553",
    },
    {"name": "tumour cell", "label": "tumour cell", "colour": "#c21", "group": "tumour", "ontology": "CL:0001064"},
    {"name": "neutrophil", "label": "neutrophil", "colour": "#8fa8dc", "group": "immune", "ontology": "CL:0000775"},
]


def node(
    name: str, bits: list[int], genes: tuple[str, ...] = (), given: bool = False, activity: str = ""
) -> dict[str, Any]:
    label = f"{name} in words"
    row = {"name": name, "label": label, "module": "m", "genes": list(genes), "input": given, "bits": bits}
    return {**row, "activity": activity}


# Two networks that share a node, one of more than 64 bits, with a node of two levels across the border of the words.
FILLERS = [node(f"F{k}", [k]) for k in range(3, 63)]
TUMOUR_NODES = [
    node("EGF_around", [0], ("EGF",), given=True),
    node("ERK", [1], ("MAPK1",), activity="erk"),
    node("PI3K", [2], ("PIK3CA", "PIK3CB")),
    *FILLERS,
    node("VEGFA", [63, 64], ("VEGFA",)),
    node("mTORC1", [65], ("MTOR",)),
    node("mTORC2", [66], ("MTOR",)),
]
FIBROBLAST_NODES = [node("ERK", [0], ("MAPK1",)), node("SASP", [1])]
NETWORKS = [
    {"name": "tumour", "drawn": 1, "cells": ["tumour cell"], "nodes": TUMOUR_NODES},
    {"name": "stroma", "drawn": 2, "cells": ["fibroblast"], "nodes": FIBROBLAST_NODES},
]
WORDS = {"title": "", "process": "networks", "words": ["network_0", "network_1"]}

TISSUE: dict[str, Any] = {
    **TOY_MODEL,
    "dimensions": 2,
    "domain": {"size_um": [120.0, 100.0, 20.0], "voxel_um": VOXEL, "shape": list(SHAPE)},
    "cell_types": TYPES,
    "fields": [
        {"name": "oxygen", "unit": "mmHg", "colour": "Blues"},
        {"name": "net", "unit": "1/pL", "colour": "Reds"},
    ],
    "cell_units": {"radius": "um", "wait": "h", "erk": ""},
    "networks": [{**row, **WORDS} for row in NETWORKS],
    "sources": [{"key": "He2025", "text": "He and others (2025).", "doi": "10.1/x", "url": ""}],
}
BODY: dict[str, Any] = {
    **{key: TISSUE[key] for key in ("name", "title", "readouts", "cell_types", "event_kinds", "sources")},
    "block": 1,
    "sites": ["primary", "lung", "bone marrow"],
    "fields": [],
    "cell_units": {},
}
COHORT: dict[str, Any] = {**BODY, "block": 50, "cell_types": []}


def columns(day: int, deep: float = 10.0) -> dict[str, np.ndarray]:
    """The cells of one day; their number and places change from day to day."""
    random = np.random.default_rng(100 + day)
    n = CELLS - 7 * day
    depth = np.full(n, deep) if deep else random.uniform(0.0, 40.0, n)
    kinds = (np.arange(n) % 2).astype(np.int8)
    return {
        "id": np.sort(random.choice(2**62, n, replace=False)).astype(np.uint64) * np.uint64(2) + np.uint64(1),
        "type": kinds,
        "x": random.uniform(0.0, 120.0, n).astype(np.float32),
        "y": random.uniform(0.0, 100.0, n).astype(np.float32),
        "z": depth.astype(np.float32),
        "radius": random.uniform(4.0, 8.0, n).astype(np.float32),
        "founder": (np.arange(n) % 12).astype(np.int32) - 1,
        "clone": (np.arange(n) % 3).astype(np.int32),
        "erk": random.random(n).astype(np.float32),
        "wait": random.random(n).astype(np.float32),
    }


def with_networks(day: int) -> dict[str, np.ndarray]:
    """The same with states of networks in two words; every third cell carries none."""
    cells = columns(day)
    n = cells["id"].size
    random = np.random.default_rng(900 + day)
    drawn = np.where(np.arange(n) % 3 == 2, 0, 2 - cells["type"]).astype(np.int32)
    words = {f"network_{k}": random.integers(0, 2**64, n, dtype=np.uint64) for k in range(2)}
    return {**cells, **words, "network_rest": np.zeros(n, np.int32), "network_drawn": drawn}


def with_sites(day: int) -> dict[str, np.ndarray]:
    """Cells of a body in two pieces of tissue."""
    cells = {name: values for name, values in columns(day).items() if name not in ("erk", "wait")}
    return {**cells, "site": (np.arange(cells["id"].size) % 5 > 2).astype(np.int8)}


def fields(day: int, shape: tuple[int, int, int] = SHAPE) -> np.ndarray:
    """Concentrations [species, z, y, x], each of them another number."""
    n = len(NAMES) * int(np.prod(shape))
    return (np.arange(n, dtype=np.float32) + 1000.0 * day).reshape(len(NAMES), *shape).astype(np.float32) / 8.0


def written(
    folder: Path,
    model: dict[str, Any],
    cells: Any,
    concentrations: Any = None,
    days: int = 3,
    arm: str = "control",
    animals: int = 1,
) -> Result:
    """A study of two arms, of which only the first folder of the first was begun; frames on days 0, 1, ..."""
    arms = [{"name": arm}, {"name": "drug + X", "versus": arm}]
    record = {"metrics": "24 h", "frames": "24 h", "checkpoint": "24 h"}
    study = toy_study(arms=arms, replicates=animals, duration=f"{max(days - 1, 1)} day", record=record)
    make_folder(folder)
    (folder / RESOLVED_NAME).write_bytes(resolved_study(study))
    write_manifest(folder, new_manifest(study, model, session(1)))
    where = Result.open(folder).folder(arm, 0)
    about = {"study_folder": folder, "study": study, "arm": arm, "animal": 0, "model": model}
    with AnimalStore.open(where, **about) as store:
        for day in range(days):
            store.record_metrics(24.0 * day, {row["name"]: 0.0 for row in model["readouts"]})
            if cells is not None:
                store.record_cells(24.0 * day, cells(day))
            if concentrations is not None:
                store.record_fields(24.0 * day, concentrations(day))
            store.commit(24.0 * day, {"nothing": np.zeros(1)})
        store.finish(0.1)
    return Result.open(folder)
