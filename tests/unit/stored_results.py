"""Small results on disk with a known family, written without an engine: a tissue with fields, and a body with two sites."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from store_data import FIELD_SHAPE, toy_study

from paget.experiment import Study
from paget.results import AnimalStore, Result
from paget.results.files import make_folder, write_atomic, write_json
from paget.results.manifest import MANIFEST_NAME, RESOLVED_NAME, new_manifest, resolved_study, session
from paget.results.record import animal_folder, mark_failed

BIG = 2**63  # ids are as large as real ones
# day, kind, cell, other, type, site, origin, clone: the family that both results hold
STORY = (
    (1.0, "division", 1, 11, 0, 0, -1, 0),
    (1.0, "division", 1, 12, 0, 0, -1, 0),
    (2.0, "senescence", 3, 3, 1, 0, -1, 0),
    (3.0, "intravasation", 12, 12, 0, 0, -1, 0),
    (4.0, "arrival", 12, 12, -1, 1, 0, 7),
    (4.0, "arrival", 20, 20, -1, 1, 0, 8),
    (5.0, "division", 12, 121, 0, 1, -1, 0),
    (5.0, "division", 12, 122, 0, 1, -1, 0),
    (5.5, "NETosis", 2, 2, 0, 0, -1, 0),
    (6.0, "removal", 11, 11, 0, 0, -1, 0),
    (7.0, "removal", 121, 121, 0, 1, -1, 0),
)
KINDS = ("NETosis", "arrival", "division", "intravasation", "removal", "senescence")
# cell, type, clone, site at the start and at the end
FIRST = ((1, 0, 7, 0), (2, 0, 8, 0), (3, 1, 0, 0))
LAST = ((3, 2, 0, 0), (122, 0, 7, 1))
DAYS = (0.0, 2.0, 4.0, 6.0, 8.0, 10.0)

TISSUE: dict[str, Any] = {
    "name": "patch",
    "title": "A patch of tissue",
    "dimensions": 2,
    "domain": {"size_um": [60, 50, 10], "voxel_um": 10.0, "shape": [1, 5, 6]},
    "readouts": [
        {
            "name": "burden",
            "title": "Burden",
            "unit": "",
            "kind": "count",
            "summary": "final",
            "meaning": "tumour cells",
            "headline": True,
        },
        {"name": "area", "title": "Area", "unit": "um**2", "kind": "continuous", "summary": "peak", "headline": False},
        {"name": "onset", "title": "Onset", "unit": "day", "kind": "time", "summary": "first", "headline": True},
    ],
    "cell_types": [
        {"name": "tumour cell", "label": "tumour cell", "colour": "#c2185b", "group": "tumour"},
        {"name": "fibroblast", "label": "fibroblast", "colour": "#9db7a8", "group": "stroma"},
        {"name": "senescent fibroblast", "label": "senescent", "colour": "#b5651d", "group": "stroma"},
    ],
    "fields": [
        {"name": "oxygen", "title": "oxygen", "unit": "mmHg", "immobile": False},
        {"name": "net", "title": "NETs", "unit": "1/pL", "immobile": True},
    ],
    "cell_units": {"x": "um", "y": "um", "z": "um", "radius": "um", "erk": "", "age": "h"},
    "event_kinds": list(KINDS),
    "processes": [
        {"role": "traps", "emits": ["death: NETosis"]},
        {"role": "ageing", "emits": ["conversion: senescence"]},
    ],
}
BODY: dict[str, Any] = {
    **{key: value for key, value in TISSUE.items() if key not in ("domain", "dimensions")},
    "name": "body",
    "sites": ["primary", "lung"],
    "detail": {"primary": "spatial", "lung": "spatial"},
    "fields": [],
    "cell_units": {},
}


def study(**changes: Any) -> Study:
    return toy_study(name="patch", title="A family", model="patch", **changes)


def stored(folder: Path, model: dict[str, Any] = TISSUE, cells: int = 0) -> Result:
    """A result of two arms: all animals done but the last, which failed; the second arm lacks its first animal.

    cells : number of further cells in every frame, fibroblasts in a grid.
    """
    what = study()
    make_folder(folder)
    write_atomic(folder / RESOLVED_NAME, resolved_study(what))
    manifest = new_manifest(what, model, session(workers=1))
    write_json(folder / MANIFEST_NAME, {**manifest, "finished": manifest["created"]})
    for arm, animal in (("control", 0), ("control", 1), ("drug + X", 1)):
        place = animal_folder(folder, what, arm, animal)
        with AnimalStore.open(place, study_folder=folder, study=what, arm=arm, animal=animal, model=model) as store:
            for day in DAYS:
                _record(store, model, day, animal, cells)
            store.record_events(_events(model))
            store.commit(240.0, {"nothing": np.zeros(1)})
            if arm == "control":
                store.finish(2.5)
        if arm != "control":
            mark_failed(place, "oxygen became negative at 240 h", "")
    return Result.open(folder)


def _record(store: AnimalStore, model: dict[str, Any], day: float, animal: int, cells: int) -> None:
    hours = 24.0 * day
    onset = 4.0 if day >= 4.0 and animal == 0 else np.nan
    store.record_metrics(hours, {"burden": 2.0 + day + animal, "area": 10.0 * day, "onset": onset})
    store.record_cells(hours, frame(model, FIRST if day < 10.0 else LAST, cells))
    if model["fields"]:
        values = day + np.arange(np.prod(FIELD_SHAPE), dtype=np.float32).reshape(FIELD_SHAPE)
        store.record_fields(hours, values)


def frame(model: dict[str, Any], rows: tuple[tuple[int, int, int, int], ...], more: int) -> dict[str, np.ndarray]:
    ids, types, clones, sites = (np.array(column) for column in zip(*rows, strict=True))
    ids = np.concatenate([ids, 1000 + np.arange(more)]).astype(np.uint64) + np.uint64(BIG)
    n = ids.size
    columns = {
        "id": ids,
        "type": np.concatenate([types, np.ones(more)]).astype(np.int8),
        "x": (5.0 + np.arange(n) % 50).astype(np.float32),
        "y": (5.0 + np.arange(n) // 50 % 40).astype(np.float32),
        "z": np.full(n, 5.0, np.float32),
        "radius": np.full(n, 4.5, np.float32),
        "erk": np.linspace(0.0, 1.0, n).astype(np.float32),
        "founder": np.arange(n, dtype=np.int32),
        "age": np.full(n, 3.0, np.float32),
    }
    if "sites" not in model:
        return columns
    whole = {"clone": np.concatenate([clones, np.zeros(more)]), "site": np.concatenate([sites, np.zeros(more)])}
    return columns | {"clone": whole["clone"].astype(np.int32), "site": whole["site"].astype(np.int8)}


def _events(model: dict[str, Any]) -> dict[str, np.ndarray]:
    day, kind, cell, other, of_type, site, origin, clone = zip(*STORY, strict=True)
    columns = {
        "time": 24.0 * np.array(day),
        "kind": np.array([KINDS.index(k) for k in kind], np.int8),
        "cell": np.array(cell, np.uint64) + np.uint64(BIG),
        "other": np.array(other, np.uint64) + np.uint64(BIG),
        "type": np.array(of_type, np.int8),
        **{axis: np.zeros(len(STORY), np.float32) for axis in "xyz"},
    }
    if "sites" not in model:
        return columns
    return columns | {
        "site": np.array(site, np.int8),
        "origin": np.array(origin, np.int8),
        "clone": np.array(clone, np.int32),
    }
