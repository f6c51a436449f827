"""A small made-up result with the attributes that the report reads; numbers are plausible, none is measured."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from paget.errors import ResultError
from paget.experiment import Study

DAYS = np.arange(0, 61, 1.0)
FRAME_DAYS = (0.0, 15.0, 30.0, 45.0, 60.0)
SIZE = 1000.0

CELL_TYPES = (
    ("fibroblast", "#b9bec6", "stroma", 700, 8.0),
    ("senescent fibroblast", "#d55e00", "stroma", 0, 10.5),
    ("capillary", "#8c5b4a", "vessel", 260, 5.0),
    ("neutrophil", "#8ecae6", "immune", 300, 4.2),
    ("activated neutrophil", "#0072b2", "immune", 0, 4.6),
    ("dormant tumour cell", "#7b8f3a", "tumour", 60, 7.0),
    ("cycling tumour cell", "#c51b7d", "tumour", 0, 8.0),
)
FIELDS = ("c3", "cxcl1", "mif", "mmp9", "net", "tsp1", "laminin", "nicked_laminin", "remodelled_laminin")

# name, title, unit, kind, summary, headline, vehicle level, factor of each arm at the end of the study
READOUTS: tuple[tuple[str, str, str, str, str, bool, float], ...] = (
    ("senescent_fibroblasts", "Senescent fibroblasts", "cells", "count", "peak", True, 6.0),
    ("c3_mean", "C3 in tissue", "nM", "continuous", "peak", False, 0.4),
    ("neutrophils", "Neutrophils in tissue", "cells", "count", "peak", True, 60.0),
    ("net_area", "NET area", "fraction", "fraction", "peak", True, 0.01),
    ("remodelled_laminin", "Remodelled laminin", "fraction", "fraction", "final", False, 0.015),
    ("cycling_dtc", "Cycling disseminated tumour cells", "cells", "count", "final", True, 5.0),
    ("metastases", "Metastases", "lesions", "count", "final", True, 0.8),
    ("time_to_first_metastasis", "Time to first metastasis", "day", "time", "first", True, 0.0),
)
STRENGTH = {
    "vehicle": 0.0,
    "doxorubicin": 1.0,
    "cisplatin": 0.8,
    "doxorubicin + DQ": 0.25,
    "doxorubicin + ABT-263": 0.35,
    "cisplatin, no senescence": 0.02,
}


def demo_study(replicates: int = 10, **changes: Any) -> Study:
    dox = {"drug": "doxorubicin", "amount": "5 mg/kg", "start": "7 day", "every": "7 day", "count": 3}
    cis = {"drug": "cisplatin", "amount": "5 mg/kg", "start": "7 day", "every": "7 day", "count": 3}
    late = {"start": "24 day", "every": "24 h", "count": 3, "cycle_every": "14 day", "cycles": 2}
    arms = [
        {"name": "vehicle"},
        {"name": "doxorubicin", "versus": "vehicle", "doses": [dox]},
        {"name": "cisplatin", "versus": "vehicle", "doses": [cis]},
        {
            "name": "doxorubicin + DQ",
            "versus": "doxorubicin",
            "doses": [
                dox,
                {"drug": "dasatinib", "amount": "5 mg/kg", **late},
                {"drug": "quercetin", "amount": "50 mg/kg", **late},
            ],
        },
        {
            "name": "doxorubicin + ABT-263",
            "versus": "doxorubicin",
            "doses": [dox, {"drug": "ABT-263", "amount": "50 mg/kg", **late}],
        },
        {
            "name": "cisplatin, no senescence",
            "versus": "cisplatin",
            "doses": [cis],
            "parameters": {"cisplatin.senescence_rate": "monteran2022"},
            "note": "cisplatin as Monteran2022 report it",
        },
    ]
    settings = {
        "name": "demo",
        "title": "Chemotherapy, senescence and the awakening of dormant tumour cells in the lung",
        "description": "Does chemotherapy wake dormant cells through senescent fibroblasts?",
        "model": "lung_niche",
        "duration": "60 day",
        "replicates": replicates,
        "seed": 7,
        "arms": arms,
    }
    return Study.model_validate({**settings, **changes})


def demo_model() -> dict[str, Any]:
    parameters = [
        (
            "doxorubicin.senescence_rate",
            "Senescence of fibroblasts at saturating doxorubicin",
            0.05,
            "1/day",
            "assumed",
            "No rate in lung fibroblasts was found; chosen so that a tenth of the cells turn within a week.",
            "",
        ),
        (
            "cisplatin.senescence_rate",
            "Senescence of fibroblasts at saturating cisplatin",
            0.04,
            "1/day",
            "assumed",
            "Direction claimed by He2025; contested by Monteran2022.",
            "He2025",
        ),
        ("net.half_life", "Half-life of extracellular traps", 36.0, "h", "derived", "", "Albrengues2018"),
        ("neutrophil.speed", "Speed of crawling neutrophils", 3.9, "um/min", "measured", "", "Kreisel2010"),
        (
            "tumour.doubling_time",
            "Doubling time of awakened cells",
            36.0,
            "h",
            "fitted",
            "Fitted to colony growth <in gel> & checked.",
            "Albrengues2018",
        ),
    ]
    nodes = [
        ("chemo", "Chemotherapy", None, 0, 2),
        ("senescence", "Senescent fibroblasts", "senescent_fibroblasts", 1.5, 2),
        ("c3", "C3", "c3_mean", 3, 3.2),
        ("cxcl1", "CXCL1", None, 3, 2),
        ("mif", "MIF", None, 3, 0.8),
        ("neutrophils", "Neutrophils", "neutrophils", 4.6, 2),
        ("nets", "Extracellular traps", "net_area", 6.0, 2),
        ("laminin", "Remodelled laminin", "remodelled_laminin", 7.3, 2),
        ("cycling", "Cycling DTC", "cycling_dtc", 8.6, 2),
        ("metastases", "Metastases", "metastases", 10, 2),
        ("senolytic", "Senolytic", None, 0.6, 3.6),
    ]
    edges = [
        ("chemo", "senescence", 1),
        ("senolytic", "senescence", -1),
        ("senescence", "c3", 1),
        ("senescence", "cxcl1", 1),
        ("senescence", "mif", 1),
        ("c3", "neutrophils", 1),
        ("cxcl1", "neutrophils", 1),
        ("mif", "neutrophils", 1),
        ("neutrophils", "nets", 1),
        ("nets", "laminin", 1),
        ("laminin", "cycling", 1),
        ("cycling", "metastases", 1),
        ("chemo", "cycling", -1),
    ]
    return {
        "name": "lung_niche",
        "title": "Dormant tumour cells in the lung",
        "dimensions": 2,
        "domain": {"size_um": [SIZE, SIZE, 20.0], "voxel_um": 20.0, "shape": [1, 50, 50]},
        "readouts": [
            {
                "name": name,
                "title": title,
                "unit": unit,
                "kind": kind,
                "summary": summary,
                "headline": headline,
                "meaning": f"{title} in the simulated piece of lung.",
                "claim": "rises after chemotherapy and falls with a senolytic" if headline else "",
            }
            for name, title, unit, kind, summary, headline, _ in READOUTS
        ],
        "cell_types": [
            {"name": name, "label": name, "colour": colour, "group": group} for name, colour, group, _, _ in CELL_TYPES
        ],
        "fields": [
            {
                "name": name,
                "title": {"net": "Extracellular traps", "remodelled_laminin": "Remodelled laminin"}.get(
                    name, name.upper()
                ),
                "unit": "nM" if name in FIELDS[:4] else "fraction",
                "immobile": name not in FIELDS[:4],
                "colour": {"net": "Blues", "remodelled_laminin": "Purples"}.get(name, "Greys"),
            }
            for name in FIELDS
        ],
        "processes": [
            {
                "role": "fibroblast_senescence",
                "phase": "signal",
                "summary": "Fibroblasts become senescent under a genotoxic drug.",
                "on": ["fibroblast"],
                "reads": ["body.doxorubicin", "body.cisplatin"],
                "adds": [],
                "sets": [],
                "emits": ["convert"],
                "rule": "fibroblast: body.doxorubicin increases senescence towards 0.05/day, half-max 50 nM, hill 2",
                "parameters": ["doxorubicin.senescence_rate"],
                "sources": ["He2025"],
            },
            {
                "role": "netosis",
                "phase": "act",
                "summary": "Activated neutrophils release extracellular traps.",
                "on": ["activated neutrophil"],
                "reads": ["field.c3", "field.mif"],
                "adds": ["field.net"],
                "sets": [],
                "emits": ["die"],
                "rule": None,
                "parameters": ["net.half_life"],
                "sources": ["He2025", "Albrengues2018"],
            },
        ],
        "parameters": [
            {
                "key": key,
                "title": title,
                "value": value,
                "unit": unit,
                "low": value / 2,
                "high": value * 2,
                "spread": 0.2 if basis == "assumed" else 0.0,
                "basis": basis,
                "reason": reason,
                "source": source,
                "where": "Fig. 2" if source else "",
                "conditions": "mouse lung, 37 C",
                "changed": False,
                "group": key.split(".")[0],
            }
            for key, title, value, unit, basis, reason, source in parameters
        ],
        "variants": [
            {
                "key": "cisplatin.senescence_rate",
                "variant": "monteran2022",
                "title": "Senescence of fibroblasts at saturating cisplatin",
                "value": 0.0,
                "unit": "1/day",
                "low": None,
                "high": None,
                "spread": 0.0,
                "basis": "assumed",
                "reason": "Complement in lung fibroblasts was found after doxorubicin, not after cisplatin.",
                "source": "Monteran2022",
                "where": "abstract",
                "conditions": "",
                "changed": False,
                "group": "cisplatin",
            }
        ],
        "assumptions": [
            "The piece of lung is flat; air spaces are left out.",
            "Drugs act through their plasma concentration & reach every cell alike.",
        ],
        "sources": [
            {
                "key": "He2025",
                "text": "He et al. Chemotherapy awakens dormant cancer cells in lung. Cancer Cell (2025).",
                "doi": "10.1016/j.ccell.2025.06.007",
                "url": "",
            },
            {
                "key": "Monteran2022",
                "text": "Monteran et al. Chemotherapy-induced complement signaling. Nat. Commun. (2022).",
                "doi": "10.1038/s41467-022-33598-x",
                "url": "",
            },
            {
                "key": "Albrengues2018",
                "text": "Albrengues et al. Extracellular traps awaken dormant cancer cells. Science (2018).",
                "doi": "10.1126/science.aao4227",
                "url": "",
            },
            {
                "key": "Kreisel2010",
                "text": "Kreisel et al. Neutrophil recruitment in lung. PNAS (2010).",
                "doi": "",
                "url": "",
            },
        ],
        "methods": "Cells are off-lattice spheres that move, divide and secrete in a piece of lung of 1 mm by 1 mm.",
        "limits": [
            "Effect sizes of the source paper are not public; only directions are claimed and compared.",
            "Adaptive immunity is left out.",
        ],
        "chain": {
            "nodes": [{"id": i, "label": label, "readout": r, "x": x, "y": y} for i, label, r, x, y in nodes],
            "edges": [
                {"source": s, "target": t, "sign": sign, "role": f"{s} on {t}", "reference": "He2025"}
                for s, t, sign in edges
            ],
        },
        "drugs": [
            {"name": "doxorubicin", "title": "Doxorubicin", "action": "topoisomerase II poison", "sources": ["He2025"]},
            {"name": "cisplatin", "title": "Cisplatin", "action": "DNA cross-linker", "sources": ["He2025"]},
        ],
    }


def _strength(arm: str) -> float:
    return STRENGTH.get(arm, 0.5)


def _series(arm: str, animal: int, seed: int) -> pd.DataFrame:
    luck = np.random.default_rng([seed, animal])
    noise = np.random.default_rng([seed, animal, len(arm)])
    vigour = luck.lognormal(0.0, 0.25)
    rise = 1 / (1 + np.exp(-(DAYS - 18) / 3.0))
    fall = np.where(DAYS > 26, np.exp(-(DAYS - 26) / 20.0), 1.0)
    late = 1 / (1 + np.exp(-(DAYS - 38) / 5.0))
    push = _strength(arm) * vigour

    def wobble(level: float) -> np.ndarray:
        return np.abs(1 + noise.normal(0, level, DAYS.size))

    out = {
        "senescent_fibroblasts": np.round((6 + 70 * push * rise * fall) * wobble(0.05)),
        "c3_mean": (0.4 + 3.0 * push * rise * fall) * wobble(0.04),
        "neutrophils": np.round((60 + 130 * push * rise * fall) * wobble(0.05)),
        "net_area": (0.01 + 0.12 * push * rise * fall) * wobble(0.08),
        "remodelled_laminin": (0.015 + 0.15 * push * late) * wobble(0.02),
        "cycling_dtc": np.round(5 * vigour + 45 * push * late * wobble(0.05)),
        "metastases": np.floor((0.95 * vigour + 4.5 * push) * late),
    }
    started = np.flatnonzero(out["metastases"] > 0)
    first = DAYS[started[0]] if started.size else np.nan
    out["time_to_first_metastasis"] = np.where(first <= DAYS, first, np.nan)
    return pd.DataFrame({"arm": arm, "animal": animal, "day": DAYS, **out})


@dataclass(frozen=True)
class DemoResult:
    """Stands in for `paget.results.Result`."""

    study: Study
    path: Path
    manifest: dict[str, Any]
    failed: tuple[tuple[str, int], ...] = ()
    days: tuple[float, ...] = FRAME_DAYS
    lost_frames: tuple[tuple[str, float], ...] = ()
    metrics: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    thickness: float = 0.0

    @property
    def model(self) -> dict[str, Any]:
        return self.manifest["model"]

    @property
    def arms(self) -> tuple[str, ...]:
        return self.study.arm_names

    @property
    def animals(self) -> tuple[int, ...]:
        return tuple(range(self.study.replicates))

    @property
    def readouts(self) -> list[dict[str, Any]]:
        return self.model["readouts"]

    @property
    def outcomes(self) -> pd.DataFrame:
        rows = []
        for (arm, animal), series in self.metrics.groupby(["arm", "animal"], sort=False):
            for readout in self.readouts:
                values = series[readout["name"]]
                observed = True
                if readout["kind"] == "time":
                    observed = bool(values.notna().any())
                    value = values.max() if observed else self.study.duration / 24
                else:
                    value = values.max() if readout["summary"] == "peak" else values.iloc[-1]
                rows.append((arm, animal, readout["name"], float(value), observed))
        return pd.DataFrame(rows, columns=["arm", "animal", "readout", "value", "observed"])

    @property
    def status(self) -> pd.DataFrame:
        return pd.DataFrame(
            [
                (
                    arm,
                    animal,
                    *(
                        ("failed", 3, 1.0, "NumericalError: netosis at day 12")
                        if (arm, animal) in self.failed
                        else ("done", 1, 9.5, "")
                    ),
                )
                for arm in self.arms
                for animal in self.animals
            ],
            columns=["arm", "animal", "status", "tries", "wall_seconds", "error"],
        )

    @property
    def moments(self) -> pd.DataFrame:
        return pd.DataFrame(columns=["arm", "animal", "moment", "day"])

    def frame_days(self) -> tuple[float, ...]:
        return self.days

    def _require_frame(self, arm: str, day: float) -> None:
        if day not in self.days or (arm, day) in self.lost_frames:
            raise ResultError(f"Arm '{arm}' has no frame on day {day:g}; stored days: {self.days}.")

    def cells(self, arm: str, animal: int, day: float) -> pd.DataFrame:
        self._require_frame(arm, day)
        rng = np.random.default_rng([11, animal])
        late = _strength(arm) * day / 60
        frames = []
        for name, _, _, count, radius in CELL_TYPES:
            number = count + int(
                late
                * {"senescent fibroblast": 130, "activated neutrophil": 90, "cycling tumour cell": 160}.get(name, 0)
            )
            if name == "cycling tumour cell":
                centre = np.array([620.0, 410.0])
                xy = centre + rng.normal(0, 55, (number, 2))
            elif name == "capillary":
                along = rng.uniform(0, SIZE, number)
                line = rng.integers(0, 4, number)
                xy = np.column_stack([along, 140 + 240 * line + 40 * np.sin(along / 90 + line)])
            else:
                xy = rng.uniform(0, SIZE, (number, 2))
            frames.append(
                pd.DataFrame(
                    {
                        "type": name,
                        "x": np.clip(xy[:, 0], 0, SIZE),
                        "y": np.clip(xy[:, 1], 0, SIZE),
                        "z": rng.uniform(0, self.thickness, number) if self.thickness else 10.0,
                        "radius": radius * rng.uniform(0.9, 1.1, number),
                    }
                )
            )
        table = pd.concat(frames, ignore_index=True)
        table.insert(0, "id", np.arange(len(table), dtype=np.uint64))
        return table

    def field(self, arm: str, animal: int, day: float, name: str) -> np.ndarray:
        self._require_frame(arm, day)
        nz, ny, nx = self.model["domain"]["shape"]
        y, x = np.mgrid[0:ny, 0:nx] / 50.0
        hills = np.exp(-((x - 0.62) ** 2 + (y - 0.41) ** 2) / 0.02) + 0.6 * np.exp(
            -((x - 0.3) ** 2 + (y - 0.7) ** 2) / 0.03
        )
        return np.broadcast_to(_strength(arm) * day / 60 * hills, (nz, ny, nx)).astype(np.float32)

    def comparisons(self) -> tuple[Any, ...]:
        from paget.compare import compare

        return compare(self.outcomes, self.readouts, self.study.contrasts, paired=True)


def demo_result(study: Study | None = None, model: dict[str, Any] | None = None, **changes: Any) -> DemoResult:
    study = study or demo_study()
    failed = changes.get("failed", ())
    series = [
        _series(arm, animal, study.seed)
        for arm in study.arm_names
        for animal in range(study.replicates)
        if (arm, animal) not in failed
    ]
    manifest = {
        "model": model or demo_model(),
        "seed": study.seed,
        "versions": {"paget": "0.1.0", "numpy": "2.4.6", "python": "3.11.2"},
        "machine": {"system": "Linux", "cpu": "2 cores"},
        "wall_seconds": 571.2,
    }
    empty = pd.DataFrame(columns=["arm", "animal", "day", *(r["name"] for r in manifest["model"]["readouts"])])
    metrics = pd.concat(series, ignore_index=True) if series else empty
    return replace(DemoResult(study, Path("demo"), manifest, metrics=metrics), **changes)
